/* SPDX-License-Identifier: MPL-2.0 */
/* bind - a free-form map judged by rows, as the host judges arguments: for requests that come as values
 * inside another.
 *
 *     bind_defaults()   slots as they are when nothing is given; once
 *     bind_map()        what a map gives, over a copy of these
 *
 * Serves the kinds that this plugin's requests have: numbers, strings, lists and tables of numbers, maps
 * and values. A map's row stands directly before the rows of its members. Unknown members are dropped, and the first of
 * them told. */
#ifndef STAKING_BIND_H
#define STAKING_BIND_H

#include <stddef.h>

#include <kiln/plugin.h>

struct bind_unknown {
    char path[160]; /* "market.volatility"; "" when all were known */
};

/* KILN_OK or KILN_RESOURCE. */
int bind_defaults(struct kiln_call *call, const struct kiln_row *rows, size_t n, struct kiln_slot *slots);

/* Fails the call naming the member at fault. */
int bind_map(struct kiln_call *call, const struct kiln_row *rows, size_t n, const struct kiln_value *map,
             struct kiln_slot *slots, struct bind_unknown *ret_unknown);

#endif
