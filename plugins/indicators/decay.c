/* SPDX-License-Identifier: MPL-2.0 */
/* The exponential by its series around the nearest power of two, without branches or calls, so that whole vectors are made at
 * once: exp(-x) = 2^-k exp(-r), |r| <= ln(2)/2, where the series of 14 terms ends below 2^-56. */
#include "decay.h"

#include <stdint.h>
#include <string.h>

#include "kernel.h"

/* Adding it leaves a number rounded to a whole one, in the lowest bits. */
#define ROUNDER  0x1.8p52
#define FARTHEST 1000.0

/* ln 2: its first bits, so many that their products with k are exact, and the rest. */
#define LN2_HIGH 0x1.62e42fee00000p-1
#define LN2_LOW  0x1.a39ef35793c76p-33
#define LOG2_E   0x1.71547652b82fep+0

ALWAYS_INLINE double power_of_two(double rounded)
{
    uint64_t bits, scale;
    double power;
    memcpy(&bits, &rounded, sizeof(bits));
    scale = (1023 - bits) << 52; /* 2^-k: the low bits of `bits` are k, all others are shifted away */
    memcpy(&power, &scale, sizeof(power));
    return power;
}

/* exp(-r) */
ALWAYS_INLINE double series(double r)
{
    double sum = -1.0 / 6227020800.0;
    sum = sum * r + 1.0 / 479001600.0;
    sum = sum * r - 1.0 / 39916800.0;
    sum = sum * r + 1.0 / 3628800.0;
    sum = sum * r - 1.0 / 362880.0;
    sum = sum * r + 1.0 / 40320.0;
    sum = sum * r - 1.0 / 5040.0;
    sum = sum * r + 1.0 / 720.0;
    sum = sum * r - 1.0 / 120.0;
    sum = sum * r + 1.0 / 24.0;
    sum = sum * r - 1.0 / 6.0;
    sum = sum * r + 0.5;
    return sum * r * r - r + 1.0;
}

KERNEL void decay_natural(const double *restrict times, size_t n, double newest, double span,
                          double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        double x = (newest - times[i]) / span, scaled = x * LOG2_E;
        double near = scaled < FARTHEST ? x : 0.0;
        double rounded = near * LOG2_E + ROUNDER, k = rounded - ROUNDER;
        double r = (near - k * LN2_HIGH) - k * LN2_LOW;
        out[i] = scaled < FARTHEST ? series(r) * power_of_two(rounded) : 0.0;
    }
}

KERNEL void decay_half(const double *restrict times, size_t n, double newest, double half_life,
                       double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        double x = (newest - times[i]) / half_life;
        double near = x < FARTHEST ? x : 0.0;
        double rounded = near + ROUNDER, k = rounded - ROUNDER;
        double r = (near - k) * (LN2_HIGH + LN2_LOW);
        out[i] = x < FARTHEST ? series(r) * power_of_two(rounded) : 0.0;
    }
}
