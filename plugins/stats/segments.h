/* SPDX-License-Identifier: MPL-2.0 */
/* segments - squares and products of Fourier transforms, averaged over segments of one series or two (Welch
 * 1967).
 *
 * Each segment is freed of its mean or straight line, weighed by a window, lengthened with zeros and
 * transformed. What its transforms give for each frequency are `parts`: their mean over the segments, or
 * their median divided by its bias. */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include <kiln/plugin.h>

#include "window.h"

enum { SEGMENT_PARTS = 4 };

enum estimate {
    POWER,     /* |X|^2 */
    CROSS,     /* conj(X) Y: re, im */
    COHERENCE, /* re, im, |X|^2, |Y|^2 */
};

struct segments {
    /* the caller's */
    enum estimate what;
    const double *x, *y;          /* y NULL: one series */
    size_t n, length, step, nfft; /* 1 <= length <= n, nfft; step >= 1 */
    char detrend;                 /* first letter of constant, linear, none */
    bool median;

    /* in the call's arena, by segments_estimate() */
    size_t count, half;                           /* segments, frequencies */
    double *parts[SEGMENT_PARTS];                 /* half values each */
    double *window, *segment, *pairs_x, *pairs_y; /* length, nfft, 2 half, 2 half */
};

/* window: its rows (window.h). */
int segments_estimate(struct kiln_call *call, const struct kiln_slot *window, struct segments *s);

/* From |X|^2 to power for each frequency, or to density of power; not finite when the window is all zeros. */
double segments_factor(const struct segments *s, bool density, double fs);

#endif
