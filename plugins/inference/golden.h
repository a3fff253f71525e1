/* SPDX-License-Identifier: MPL-2.0 */
/* golden - worked examples of a model: golden.json in its folder, name.golden.json beside name.onnx.
 *
 *     {"inputs": {"x": [[1, 2]]}, "outputs": {"y": [[3]]}, "rtol": 1e-4, "atol": 1e-6}      or a list of such
 *
 * Outputs that are not named are not compared; null and NaN are equal. A model whose answer is another one
 * never serves. */
#ifndef INFERENCE_GOLDEN_H
#define INFERENCE_GOLDEN_H

#include <kiln/plugin.h>

#include "pool.h"
#include "refusal.h"

struct golden {
    const struct kiln_value *inputs, *outputs; /* maps */
    double rtol, atol;
};

struct goldens {
    struct pool pool;
    size_t n;
    const struct golden *examples;
};

/* What the file says; n is 0 when there is none. KILN_INVALID: it is damaged. */
int goldens_load(const char *path, struct budget *budget, struct goldens *ret_goldens, struct refusal *why);
void goldens_done(struct goldens *g);

/* A JSON file as a value in the pool. NULL with KILN_OK in why->status: there is no such file. */
const struct kiln_value *json_file(const char *path, struct pool *pool, struct refusal *why);
/* A member of a map, or NULL. */
const struct kiln_value *value_member(const struct kiln_value *map, const char *name);

#endif
