/* SPDX-License-Identifier: MPL-2.0 */
/* walk - one indicator on its way through the bars, as far as it has come.
 *
 *     walk_init()     plans; the walk stands before the first bar
 *     walk_on()       computes the next bars; any number of times
 *
 * The rule for missing bars (series.h) lives here: leading ones are passed over and not counted, the first one after a clean bar
 * ends the walk. Long advances are cut into pieces, between which a job can be cancelled. */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "indicator.h"
#include "series.h"

struct walk {
    const struct indicator *indicator;
    struct plan plan;
    uint64_t bars; /* clean bars so far */
    bool ended;    /* by a missing bar */
    double *state; /* plan.state doubles */
};

/* Room for scratch, shared by walks of one call, which grows as they ask. */
struct scratch {
    double *room;
    size_t doubles;
};

int walk_init(struct kiln_call *call, const struct indicator *indicator, const struct kiln_slot *args,
              struct walk *ret_walk);

/* Bars before the new ones that the next walk_on() reads. */
static inline size_t walk_history(const struct walk *w)
{
    return w->ended ? 0 : w->bars < w->plan.history ? (size_t) w->bars : w->plan.history;
}

/* Computes n >= 1 new bars. in[k] and out[k] have walk_history() bars and then the new ones, where `span` says which of the new
 * ones are clean. Every new bar of out[] is written, NaN where there is no value. */
int walk_on(struct kiln_call *call, struct walk *w, size_t n, struct span span, const double *const in[],
            double *const out[], struct scratch *scratch);

#endif
