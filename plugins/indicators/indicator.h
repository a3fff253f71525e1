/* SPDX-License-Identifier: MPL-2.0 */
/* indicator - one definition of an indicator, computed in three ways: over whole series (the functions indicators.<name>), several
 * at once (indicators.bundle) and bar by bar as bars arrive (indicators.stream).
 *
 * An indicator takes `n_series` series, which are the first rows of its function's parameters, and then its own parameters
 * (numbers and choices). Each of its results is a series aligned with the bars. Bars are counted from 0 at the first clean bar;
 * the framework (indicator.c, bundle.c, stream.c) finds it, blanks what has no value, and sees to NaN, so that kernels work on
 * clean bars only:
 *
 *     plan()      judges the parameters together and says what this indicator needs: lookback, history, state, scratch
 *     advance()   computes bars begin .. end-1 from them, from earlier bars and from the state; any number of times
 *
 * The same bits whatever way. advance() over 0 .. n at once, or cut anywhere into any number of pieces, gives the same bits. To
 * that end a kernel's value at a bar depends only on
 *
 *     state    what an average carries on, as doubles; all zero before bar 0. A kernel that must start (seed an average) knows by
 *              the bar's number where it stands, never by a mark in the state.
 *     history  the `history` bars before `begin` (as many of them as there are): in[k][begin - history] .. in[k][end-1] may be read
 *     number   origin + i, the number of bar i, by which blocks are aligned and seeds are found
 *
 * A kernel that works in blocks (see moving.h) starts again at the beginning of the block in which `begin` lies and throws away
 * what it computes before `begin`. State comes from the caller of indicators.stream: it may hold any doubles, and must never become an
 * index, a length or a loop count; those come from the bar's number and the plan only.
 *
 * Rules for advance(): write out[k][i] for every bar i in begin .. end-1 with number >= lookback; bars before the lookback may be
 * written or left alone (the framework blanks them). Nothing else is written. No allocation: scratch is given. Loops over the
 * whole of a long series are fast; 1,000,000 bars at once is what benchmarks measure, one bar at a time is what live use does. */
#ifndef INDICATOR_H
#define INDICATOR_H

#include <stddef.h>
#include <stdint.h>

#include <kiln/plugin.h>

#include "kernel.h"

enum {
    INDICATOR_SERIES = 6,  /* most series an indicator takes */
    INDICATOR_OUTPUTS = 4, /* most results */
    INDICATOR_PARAMS = 12, /* most parameters beside the series */
};

/* What plan() decides. Zeroed before. */
struct plan {
    size_t lookback; /* number of the first bar that has values */
    size_t history;  /* bars before `begin` that advance() may read */
    size_t state;    /* doubles carried from one advance() to the next */
    size_t
        scratch; /* doubles of scratch, aligned to 64 bytes, undefined at each advance(); may be more than these by:
                      * + scratch_bars for each bar that this advance() computes */
    size_t scratch_bars;
    size_t period[8]; /* for the indicator's own use */
    double factor[8];
};

/* Some bars of clean series. All in[] and out[] have the same indices. */
struct feed {
    const double *in[INDICATOR_SERIES];
    double *out[INDICATOR_OUTPUTS];
    size_t begin, end; /* compute these */
    uint64_t origin;   /* number of the bar at index 0 */
    double *state;
    double *scratch;
};

struct indicator {
    const struct kiln_function *function;
    uint32_t n_series;

    /* args: the parameters behind the series, checked against their rows. KILN_OK, or what host->fail() gave. */
    int (*plan)(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan);
    void (*advance)(const struct plan *plan, struct feed *feed);
};

/* Number of the bar at index i, and index of the bar with this number (which may not be in the feed: then begin or end). */
static inline uint64_t feed_number(const struct feed *f, size_t i)
{
    return f->origin + i;
}

static inline size_t feed_index(const struct feed *f, uint64_t number)
{
    return number < f->origin + f->begin ? f->begin
           : number > f->origin + f->end ? f->end
                                         : (size_t) (number - f->origin);
}

/* The bars to be computed, as the kernels take them. */
static inline struct part feed_part(const struct feed *f)
{
    return (struct part){f->begin, f->end, f->origin};
}

/* indicator.c: run of every function that is an indicator; it finds the definition by call->function. */
int indicator_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results);

/* By its function, or by the name of it; NULL when there is none. */
const struct indicator *indicator_of(const struct kiln_function *function);
const struct indicator *indicator_find(const char *name);

/* Defines the function and the indicator of one name: rows <id>_params, <id>_results and <id>_goldens, <id>_plan() and
 * <id>_advance() stand before it. Its family's file is listed in catalogue.c. */
#define INDICATOR(id, series, in_short, in_full)                                                             \
    const struct kiln_function indicators_##id = {                                                           \
        KILN_FUNCTION_HEAD, .flags = KILN_PURE,  .name = #id,          .summary = (in_short),                \
        .help = (in_full),  FUNCTION_TABLES(id), .run = indicator_run,                                       \
    };                                                                                                       \
    const struct indicator indicator_##id = {&indicators_##id, (series), id##_plan, id##_advance}

#endif
