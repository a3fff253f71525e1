/* SPDX-License-Identifier: MPL-2.0 */
/* request - what one caller sent, matched with the inputs of a model.
 *
 *     request_bind     names and shapes; nothing is converted yet
 *     request_fill     one input's elements, into any place: the caller's own, or its rows of a batch */
#ifndef INFERENCE_REQUEST_H
#define INFERENCE_REQUEST_H

#include <kiln/plugin.h>

#include "model.h"

struct memory { /* where small things come from: a call, a pool */
    void *(*take)(void *arg, size_t bytes);
    void *arg;
};

struct request {
    const struct model *model;
    struct tensor *inputs;            /* dtype and shape of each; data when it is set */
    const struct kiln_value **values; /* what was sent for each */
    int64_t rows;                     /* the first dimension of all inputs; -1: they differ */
};

/* inputs: a map from names, or, for a model with one input, what that is. */
int request_bind(const struct model *m, const struct kiln_value *inputs, const struct memory *memory,
                 struct request *ret, struct refusal *why);
int request_fill(const struct request *r, int input, void *data, struct refusal *why);
/* All inputs, into memory, or where they are. */
int request_fill_all(struct request *r, const struct memory *memory, struct refusal *why);

#endif
