/* SPDX-License-Identifier: MPL-2.0 */
/* functions - what the plugin offers; each in a file of its name. Their state is the store. */
#ifndef INFERENCE_FUNCTIONS_H
#define INFERENCE_FUNCTIONS_H

#include <kiln/plugin.h>

#include "refusal.h"
#include "store.h"

#define FUNCTION(name) extern const struct kiln_function inference_##name;
#include "functions.def"

struct state {
    struct store store;
};

static inline struct store *store_of(const struct kiln_call *call)
{
    return &((struct state *) call->state)->store;
}

/* Hands a refusal to the host: its first word is the field at fault, when it is one. */
int fail_as(struct kiln_call *call, const struct refusal *why, const char *field);

/* Pieces of results, in the call's memory. A tree of them may hold NULL data when memory is spent: ask
 * value_spent. */
struct kiln_value value_text(struct kiln_call *call, const char *text);
struct kiln_value value_int(int64_t i);
struct kiln_value value_float(double f);
struct kiln_value value_bool(bool b);
struct kiln_value *value_list(struct kiln_call *call, uint32_t n, struct kiln_value *ret);
/* A map of which pairs are put one by one, up to `most`. */
struct kiln_pair *value_map(struct kiln_call *call, uint32_t most, struct kiln_value *ret);
void value_put(struct kiln_value *map, const char *key, struct kiln_value value);

#endif
