/* SPDX-License-Identifier: MPL-2.0 */
/* accumulation - Chaikin's accumulation/distribution line and its oscillator.
 *
 * A bar adds volume x ((close - low) - (high - close))/(high - low) to the line, nothing where high <= low. What is carried stands in
 * `state`, all zero before bar 0. */
#ifndef ACCUMULATION_H
#define ACCUMULATION_H

#include <stddef.h>

#include "kernel.h"

enum {
    ACCUMULATION_LINE = 2,
    ACCUMULATION_OSCILLATOR = 3,
};

/* Lookback 0. */
void accumulation_line(const double *high, const double *low, const double *close, const double *volume,
                       struct part part, double *state, double *out);

/* Exponential average of the line over `fast` bars less the one over `slow`, both beginning with the line's first value; neither
 * has to be the shorter. Bar 0 has 0; the lookback is the caller's to choose. */
void accumulation_oscillator(const double *high, const double *low, const double *close, const double *volume,
                             struct part part, size_t fast, size_t slow, double *state, double *out);

#endif
