/* SPDX-License-Identifier: MPL-2.0 */
/* names - from the names of a graph's values to their numbers. */
#ifndef INFERENCE_NAMES_H
#define INFERENCE_NAMES_H

#include "pool.h"

struct names {
    size_t size; /* a power of two, more than twice the names */
    const char **keys;
    int *numbers;
};

bool names_init(struct names *t, struct pool *pool, size_t most); /* lives in the pool */
int names_find(const struct names *t, const char *name);          /* -1: not there */
/* Borrows the name. false: it is there already. */
bool names_add(struct names *t, const char *name, int number);

#endif
