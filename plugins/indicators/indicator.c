/* SPDX-License-Identifier: MPL-2.0 */
#include "indicator.h"

#include "series.h"
#include "walk.h"

int indicator_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct indicator *indicator = indicator_of(call->function);
    struct walk w;
    int status = walk_init(call, indicator, args + indicator->n_series, &w);
    if (status != KILN_OK) {
        return status;
    }
    const double *in[INDICATOR_SERIES] = {NULL};
    double *out[INDICATOR_OUTPUTS] = {NULL};
    for (size_t k = 0; k < indicator->n_series; k++) {
        in[k] = series_in(&args[k]);
    }
    for (size_t k = 0; k < call->function->n_results; k++) {
        out[k] = series_out(&results[k]);
    }
    size_t n = (size_t) args[0].array.count;
    struct scratch scratch = {NULL, 0};
    return walk_on(call, &w, n, series_span(n, indicator->n_series, in), in, out, &scratch);
}
