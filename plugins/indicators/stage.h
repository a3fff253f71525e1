/* SPDX-License-Identifier: MPL-2.0 */
/* stage - a moving average of some type as one stage of an indicator: its sizes, and the average over some bars of a series. */
#ifndef STAGE_H
#define STAGE_H

#include <stddef.h>

#include <kiln/plugin.h>

#include "kernel.h"

#define STAGE_ROW(id, says)                                                                                  \
    {                                                                                                        \
        .name = id, .kind = KILN_STRING, .fallback = "\"sma\"", .choices = "sma|ema", .help = says           \
    }
#define HELP_STAGE ""

struct stage {
    size_t type, period;
    size_t lookback, history, state, scratch;
};

/* Index of the type, for stage_of(). */
size_t stage_type(const char *name);

struct stage stage_of(size_t type, size_t period);

/* The bars of the part; writes from number `lookback` on. */
void stage_part(const struct stage *stage, const double *x, struct part part, double *state, double *scratch,
                double *out);

/* The same of a series that begins at bar `first`, for `length` bars of which x[0] and out[0] are number `number`. As much of the
 * series' history as there is lies before x; before out lies room for as much, which is not touched. Bars before `first` are passed
 * over. */
void stage_from(const struct stage *stage, const double *x, uint64_t number, size_t length, uint64_t first,
                double *state, double *scratch, double *out);

#endif
