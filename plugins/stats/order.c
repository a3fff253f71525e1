/* SPDX-License-Identifier: MPL-2.0 */
#include "order.h"

#include <math.h>

#include "select.h"

enum { MOST_RANKS = 4 };

int order_values(struct kiln_call *call, const double *x, size_t n, const size_t *ranks, size_t n_ranks,
                 double *ret)
{
    if (n <= KERNEL_ORDER) {
        double sorted[KERNEL_ORDER];
        ((const struct kernels *) call->state)->order(x, n, sorted);
        for (size_t i = 0; i < n_ranks; i++) {
            ret[i] = sorted[ranks[i]];
        }
        return KILN_OK;
    }
    size_t distinct[MOST_RANKS], count = 0;
    double values[MOST_RANKS], *scratch = call->host->alloc(call, select_scratch_bytes(n));
    if (!scratch) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < n_ranks; i++) {
        if (count == 0 || ranks[i] != distinct[count - 1]) {
            distinct[count++] = ranks[i];
        }
    }
    select_ranks(call->state, x, n, distinct, count, SELECT_PATIENCE, scratch, values);
    for (size_t i = 0, at = 0; i < n_ranks; i++) {
        at += ranks[i] != distinct[at];
        ret[i] = values[at];
    }
    return KILN_OK;
}

int order_median(struct kiln_call *call, const double *x, size_t n, double *ret)
{
    const size_t ranks[] = {(n - 1) / 2, n / 2};
    double v[2];
    int status = order_values(call, x, n, ranks, 2, v);
    if (status == KILN_OK) {
        const double sum = v[0] + v[1];
        *ret = v[0] == v[1] ? v[0] : isfinite(sum) ? sum / 2 : v[0] / 2 + v[1] / 2;
    }
    return status;
}

int order_deviation(struct kiln_call *call, const double *x, size_t n, double center, double *ret)
{
    double *d = call->host->alloc(call, n * sizeof *d);
    if (!d) {
        return KILN_RESOURCE;
    }
    if (!isfinite(center)) { /* infinite values have no distance from an infinite median */
        *ret = (double) NAN;
        return KILN_OK;
    }
    for (size_t i = 0; i < n; i++) {
        d[i] = fabs(x[i] - center);
    }
    return order_median(call, d, n, ret);
}
