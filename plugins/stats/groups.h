/* SPDX-License-Identifier: MPL-2.0 */
/* groups - values that belong to several samples, told apart by a label beside each.
 *
 * As flat arrays x and group of equal length, so that the contract can check them; samples in the order of their labels,
 * values in the order sent. */
#ifndef GROUPS_H
#define GROUPS_H

#include "infer.h"

struct groups {
    size_t k, n;         /* samples, values */
    const double *x;     /* all values, one sample behind the other */
    const size_t *start; /* k + 1: sample g is x[start[g]] to x[start[g + 1]] */
};

/* Values after nan_policy; at least two samples of at least `least` values, else refused. ret_nan tells that results are to
 * be NaN. */
int groups_take(struct kiln_call *call, const struct kiln_slot *x, const struct kiln_slot *group,
                enum nan_policy policy, size_t least, struct groups *ret, bool *ret_nan);

#define ROW_GROUP                                                                                            \
    {                                                                                                        \
        .name = "group", .kind = KILN_ARRAY, .dtype = KILN_I64, .flags = KILN_REQUIRED, .shape = "n",        \
        .help = "number of the sample that each value belongs to; any whole numbers"                         \
    }

#endif
