/* SPDX-License-Identifier: MPL-2.0 */
/* series_data - the series that the kernels are compared with their plain references on. */
#ifndef SERIES_DATA_H
#define SERIES_DATA_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { LONGEST = 4000 };

/* Kinds of series: what a market gives, and what breaks careless arithmetic. */
enum data_kind {
    DATA_WALK,
    DATA_EQUAL,
    DATA_LEVEL,
    DATA_TINY,
    DATA_HUGE,
    DATA_SPIKE,
    DATA_STEPS,
    DATA_KINDS
};

static inline double data_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double) (*state >> 11) * 0x1p-53 - 0.5;
}

static inline void data_fill(double *x, size_t n, int kind, uint64_t seed)
{
    uint64_t state = seed * 2654435761u + 12345u;
    double walk = 100.0;
    for (size_t i = 0; i < n; i++) {
        double noise = data_random(&state);
        walk += noise;
        switch (kind) {
        case DATA_EQUAL:
            x[i] = 0.1;
            break;
        case DATA_LEVEL: /* digits lost by sums of squares */
            x[i] = 1e9 + noise;
            break;
        case DATA_TINY:
            x[i] = 1e-9 * (1.0 + noise);
            break;
        case DATA_HUGE:
            x[i] = 1e140 * noise;
            break;
        case DATA_SPIKE:
            x[i] = i == n / 3 ? 1e14 : walk;
            break;
        case DATA_STEPS: /* many equal neighbours */
            x[i] = floor(walk);
            break;
        default:
            x[i] = walk;
        }
    }
}

/* Volumes: not negative, some zero, the first ones too. */
static inline void data_volume(double *x, size_t n, uint64_t seed)
{
    uint64_t state = seed + 77u;
    for (size_t i = 0; i < n; i++) {
        double noise = data_random(&state);
        x[i] = i < 2 || noise < -0.3 ? 0.0 : 1000.0 * (noise + 0.5);
    }
}

static inline double *data_room(size_t n)
{
    double *x = test_malloc((n > 0 ? n : 1) * sizeof(double));
    for (size_t i = 0; i < n; i++) {
        x[i] = -12345.678; /* a value that no test expects */
    }
    return x;
}

/* |got - want| <= atol + rtol |want|, for from .. n-1. */
static inline void data_compare(const char *what, const double *got, const double *want, size_t from,
                                size_t n, double rtol, double atol)
{
    for (size_t i = from; i < n; i++) {
        if (isnan(got[i]) != isnan(want[i]) || fabs(got[i] - want[i]) > atol + rtol * fabs(want[i])) {
            fail_msg("%s: at %zu of %zu is %.17g, expected %.17g", what, i, n, got[i], want[i]);
        }
    }
}

static inline void data_same_bits(const char *what, const double *got, const double *want, size_t from,
                                  size_t n)
{
    for (size_t i = from; i < n; i++) {
        if (memcmp(&got[i], &want[i], sizeof(double)) != 0) {
            fail_msg("%s: at %zu of %zu is %a, expected the same bits as %a", what, i, n, got[i], want[i]);
        }
    }
}

/* Largest magnitude: the scale of rounding errors. */
static inline double data_scale(const double *x, size_t n)
{
    double scale = 0.0;
    for (size_t i = 0; i < n; i++) {
        scale = fabs(x[i]) > scale ? fabs(x[i]) : scale;
    }
    return scale;
}

#endif
