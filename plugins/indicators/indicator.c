/* SPDX-License-Identifier: MPL-2.0 */
#include "indicator.h"

#include "series.h"
#include "walk.h"

/* Bars that are looked through for missing ones and computed right after, while they are in the cache; more when an indicator
 * goes back far at each cut. */
enum { PIECE = 8192, PIECE_HISTORIES = 8 };

int indicator_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct indicator *indicator = indicator_of(call->function);
    const size_t n = (size_t) args[0].array.count;
    struct walk w;
    struct scratch scratch = {NULL, 0};
    int status = walk_init(call, indicator, args + indicator->n_series, &w);
    const size_t far = status ? 0 : PIECE_HISTORIES * w.plan.history, piece = far > PIECE ? far : PIECE;
    for (size_t at = 0; at < n && status == KILN_OK; at += piece) {
        const size_t length = n - at < piece ? n - at : piece, held = walk_history(&w);
        const double *in[INDICATOR_SERIES] = {NULL}, *held_in[INDICATOR_SERIES] = {NULL};
        double *held_out[INDICATOR_OUTPUTS] = {NULL};
        for (size_t k = 0; k < indicator->n_series; k++) {
            in[k] = series_in(&args[k]) + at;
            held_in[k] = in[k] - held;
        }
        for (size_t k = 0; k < call->function->n_results; k++) {
            held_out[k] = series_out(&results[k]) + at - held;
        }
        if (at > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        status = walk_on(call, &w, length, series_span(length, indicator->n_series, in), held_in, held_out,
                         &scratch);
    }
    return status;
}
