/* SPDX-License-Identifier: MPL-2.0 */
/* quota - what one key may have: a row of broker.quotas in kiln.conf.
 *
 * A key has the row that names it, else the row "*", else no limits. "*" is a limit for each such key, not for all of
 * them together. Jobs without a key are the key "". */
#ifndef QUOTA_H
#define QUOTA_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <libconfig.h>

#include "err.h"

struct quota {
    char *key;
    int64_t jobs;   /* taken and not ended; 0: no limit, as with the others */
    int64_t bytes;  /* of their payloads */
    int64_t rate;   /* jobs a second */
    int64_t burst;  /* of them at once; never 0 when there is a rate */
    int64_t weight; /* its share, beside those of others */
};

struct quotas {
    struct quota *items;
    size_t n;
    const struct quota *others; /* the row "*", or NULL */
};

/* Reads the list (NULL: none). On failure there is nothing to release. */
int quotas_load(const config_setting_t *list, struct quotas *ret, struct err *err);
void quotas_done(struct quotas *qs);

const struct quota *quotas_find(const struct quotas *qs, const char *key); /* or NULL */

void quotas_help(FILE *out);

#endif
