/* SPDX-License-Identifier: MPL-2.0 */
/* average - the moving averages that a caller may choose from by name, wherever an indicator takes an `ma_type`.
 *
 *     enum average_kind kind = average_kind_of(text);
 *     struct average_needs needs = average_needs(kind, period);
 *     average_part(kind, period, x, part, state, scratch, out);
 *
 * With period 1 every average is the series itself. kama, t3 and mama have TA-Lib's usual parameters (t3: volume factor 0.7; mama: limits 0.5
 * and 0.05, whatever the period). */
#ifndef AVERAGE_H
#define AVERAGE_H

#include "kernel.h"

/* In TA-Lib's order. */
#define AVERAGE_CHOICES "sma|ema|wma|dema|tema|trima|kama|mama|t3"

enum average_kind {
    AVERAGE_SMA,
    AVERAGE_EMA,
    AVERAGE_WMA,
    AVERAGE_DEMA,
    AVERAGE_TEMA,
    AVERAGE_TRIMA,
    AVERAGE_KAMA,
    AVERAGE_MAMA,
    AVERAGE_T3,
};

/* As the members of struct plan of the same names. */
struct average_needs {
    size_t lookback, history, state, scratch, scratch_bars;
};

/* One of the choices. */
enum average_kind average_kind_of(const char *name);

struct average_needs average_needs(enum average_kind kind, size_t period);

void average_part(enum average_kind kind, size_t period, const double *x, struct part part, double *state,
                  double *scratch, double *out);

/* MESA adaptive average, bars from number 32 on; fama, its follower, may be NULL. state: AVERAGE_MAMA_STATE doubles. Reads
 * CYCLE_HISTORY bars before the part. */
enum { AVERAGE_MAMA_STATE = 24 };
void average_mama_part(const double *x, struct part part, double fast, double slow, double *state,
                       double *mama, double *fama);

#endif
