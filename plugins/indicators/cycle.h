/* SPDX-License-Identifier: MPL-2.0 */
/* cycle - Ehlers' measure of the dominant cycle of a price series, by a discrete Hilbert transform.
 *
 * Prices are smoothed by the weights 4, 3, 2, 1; the smoothed prices are freed of their trend, and split into a component in
 * phase and one in quadrature, by a filter of the taps 0.0962, 0.5769, -0.5769, -0.0962 two bars apart, tuned to the period measured
 * so far; the angle between one bar's pair of components and the last one's gives the next period, kept within
 * 2/3 .. 3/2 of the last, and within 6 .. 50 bars, and smoothed. (J. F. Ehlers, Rocket Science for Traders, 2001.)
 *
 * What came before bar number `start` counts as 0. Everything is measured from there on, and needs some dozens of bars to settle.
 *
 * To compute: cycle_measure() for some bars, at most KERNEL_CHUNK at once, then what is wanted of them. */
#ifndef CYCLE_H
#define CYCLE_H

#include "kernel.h"

enum {
    CYCLE_LONGEST = 50,  /* bars of the longest cycle */
    CYCLE_SMOOTHED = 52, /* earlier smoothed prices that are at hand: the longest cycle, in whole vectors */
    CYCLE_DETRENDED = 9, /* earlier values that the filters reach */
    CYCLE_QUADRATURES = 6,
    CYCLE_STATE = CYCLE_DETRENDED + CYCLE_QUADRATURES + 6,
    CYCLE_HISTORY = CYCLE_SMOOTHED + 3,
    CYCLE_SOONEST = 12, /* start of what needs few bars: its first value is at bar 32 */
    CYCLE_LATE = 37,    /* start of what needs 63 bars */
    CYCLE_SHORT_LOOKBACK = 32,
    CYCLE_LONG_LOOKBACK = 63,
};

/* What was measured of some bars, behind what is at hand of the bars before them. */
struct cycle {
    double smooth[CYCLE_SMOOTHED + KERNEL_CHUNK];
    double detrended[CYCLE_DETRENDED + KERNEL_CHUNK];
    double quadrature[CYCLE_QUADRATURES + KERNEL_CHUNK];
    double period[KERNEL_CHUNK]; /* smoothed twice */
};

/* The bars of the part, whose numbers are at least `start` and which are at most KERNEL_CHUNK. Reads CYCLE_HISTORY bars before them,
 * as far as there are. state: CYCLE_STATE doubles. */
void cycle_measure(const double *x, struct part part, uint64_t start, double *state, struct cycle *cycle);

/* Of the measured bar i: the component in phase, which is the detrended price of 3 bars ago, and the one in quadrature. */
static inline double cycle_in_phase(const struct cycle *cycle, size_t i)
{
    return cycle->detrended[CYCLE_DETRENDED - 3 + i];
}

static inline double cycle_quadrature(const struct cycle *cycle, size_t i)
{
    return cycle->quadrature[CYCLE_QUADRATURES + i];
}

/* Whole bars of a period; at most CYCLE_LONGEST, whatever the period is. */
size_t cycle_bars(double period);

/* Angle of the dominant cycle at each of n measured bars, in degrees from -45 to 315. state: 1 double. */
void cycle_phase(const struct cycle *cycle, size_t n, double *state, double *out);

/* Mean price over the dominant cycle, smoothed by the weights 4, 3, 2, 1. state: 3 doubles. */
void cycle_trendline(const double *x, struct part part, const struct cycle *cycle, double *state,
                     double *out);

/* sin(degrees + shift), shift in degrees too. */
void cycle_sine(const double *degrees, size_t n, double shift, double *out);

/* 1 while the price follows a trend, 0 while it swings. phase, sine, lead, trendline are those of the bars. state: 4 doubles. */
void cycle_trend_mode(const struct cycle *cycle, size_t n, const double *phase, const double *sine,
                      const double *lead, const double *trendline, double *state, double *out);

/* MESA adaptive average and what follows it. The average moves the faster, the slower the phase: by fast / (degrees since the last bar),
 * not less than slow. fama may be NULL. state: 3 doubles. */
void cycle_mama(const double *x, struct part part, const struct cycle *cycle, double fast, double slow,
                double *state, double *mama, double *fama);

#endif
