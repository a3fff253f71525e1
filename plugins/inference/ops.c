/* SPDX-License-Identifier: MPL-2.0 */
#include "ops.h"

#include <string.h>

static const struct op_table *const tables[] = {
#define FAMILY(name) &op_##name,
#include "ops.def"
};

const struct op *ops_find(const char *domain, const char *name, int opset, int *ret_oldest)
{
    const struct op *found = NULL;
    int oldest = 0;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct op *op = &tables[t]->ops[i];
            if (strcmp(op->name, name) != 0 || strcmp(op->domain, domain) != 0) {
                continue;
            }
            oldest = oldest && oldest < op->since ? oldest : op->since;
            if (op->since <= opset && (!found || op->since > found->since)) {
                found = op;
            }
        }
    }
    *ret_oldest = oldest;
    return found;
}
