/* SPDX-License-Identifier: MPL-2.0 */
#include "walk.h"

#include <string.h>

#include "kernel.h"

/* Bars between two looks at whether the job is still wanted. Scratch of this many doubles stays in the second-level cache; each
 * cut makes a kernel go back by its history, so a piece is several times as long. */
enum { PIECE = 16384, PIECE_HISTORIES = 8 };

static int no_memory(struct kiln_call *call, const struct indicator *indicator)
{
    return call->host->fail(call, KILN_RESOURCE, NULL, "no memory for the work of %s",
                            indicator->function->name);
}

/* A plan is made of periods that the rows have bounded; a size that overflows is no size that could be had. */
static bool doubles_fit(size_t doubles)
{
    return doubles <= SIZE_MAX / 2 / sizeof(double);
}

int walk_init(struct kiln_call *call, const struct indicator *indicator, const struct kiln_slot *args,
              struct walk *ret_walk)
{
    struct walk w = {.indicator = indicator};
    int status = indicator->plan(call, args, &w.plan);
    if (status != KILN_OK) {
        return status;
    }
    if (!doubles_fit(w.plan.state) || !doubles_fit(w.plan.history)) {
        return no_memory(call, indicator);
    }
    if (w.plan.state > 0) {
        w.state = call->host->alloc(call, w.plan.state * sizeof(double));
        if (!w.state) {
            return no_memory(call, indicator);
        }
        memset(w.state, 0, w.plan.state * sizeof(double));
    }
    *ret_walk = w;
    return KILN_OK;
}

static bool scratch_reserve(struct kiln_call *call, const struct plan *plan, size_t bars,
                            struct scratch *scratch)
{
    size_t doubles;
    if (__builtin_mul_overflow(plan->scratch_bars, bars, &doubles) ||
        __builtin_add_overflow(doubles, plan->scratch, &doubles) || !doubles_fit(doubles)) {
        return false;
    }
    if (doubles > scratch->doubles) {
        scratch->room = call->host->alloc(call, doubles * sizeof(double));
        scratch->doubles = scratch->room ? doubles : 0;
    }
    return doubles <= scratch->doubles;
}

/* Bars begin .. end-1 of the feed's arrays are clean and follow on what came before. */
static int advance(struct kiln_call *call, struct walk *w, struct feed *feed, size_t begin, size_t end,
                   struct scratch *scratch)
{
    size_t piece = PIECE_HISTORIES * w->plan.history;
    piece = piece > PIECE ? piece : PIECE;
    if (!scratch_reserve(call, &w->plan, least(piece, end - begin), scratch)) {
        return no_memory(call, w->indicator);
    }
    feed->state = w->state;
    feed->scratch = scratch->room;
    for (size_t from = begin; from < end; from += piece) {
        if (from > begin && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        feed->begin = from;
        feed->end = from + least(piece, end - from);
        w->indicator->advance(&w->plan, feed);
    }
    return KILN_OK;
}

int walk_on(struct kiln_call *call, struct walk *w, size_t n, struct span span, const double *const in[],
            double *const out[], struct scratch *scratch)
{
    const uint32_t n_series = w->indicator->n_series, n_outputs = w->indicator->function->n_results;
    size_t held = walk_history(w), missing = span.begin, length = series_length(span);
    if (w->ended || (w->bars > 0 && missing > 0)) { /* a missing bar ends what had begun */
        w->ended = true;
        missing = length = 0;
    }
    /* A leading gap comes before bar 0: the feed's arrays begin behind it. */
    struct feed feed = {.origin = w->bars - held};
    for (size_t k = 0; k < n_series; k++) {
        feed.in[k] = in[k] + missing;
    }
    for (size_t k = 0; k < n_outputs; k++) {
        feed.out[k] = out[k] + missing;
    }
    uint64_t without = w->plan.lookback > w->bars ? w->plan.lookback - w->bars : 0;
    size_t blanks = without < length ? (size_t) without : length;
    if (length > 0) {
        int status = advance(call, w, &feed, held, held + length, scratch);
        if (status != KILN_OK) {
            return status;
        }
    }
    for (size_t k = 0; k < n_outputs; k++) {
        series_blank(out[k] + held, n, (struct span){missing, missing + length}, blanks);
    }
    w->bars += length;
    w->ended |= length > 0 && missing + length < n;
    return KILN_OK;
}
