/* SPDX-License-Identifier: MPL-2.0 */
/* Several windows side by side in the lanes of vectors, which walk from their newest bar to their oldest: what is found last is the
 * first on ties. Comparisons give all ones or all zeros, which count as -1 and select by their bits. */
#include "touches.h"

#include <stdbool.h>
#include <stdint.h>

#include "kernel.h"

enum { LANES = 4 };

typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));
typedef int64_t bits __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

ALWAYS_INLINE void four(const double *restrict x, const double *restrict volume, const double *restrict level,
                        const double *restrict tolerance, size_t window, bool lowest, bool mean,
                        double *restrict touches, double *restrict weight)
{
    const lanes extreme = *(const lanes *) level, reach = *(const lanes *) tolerance;
    bits near = {0}, equal = {0}, found = {0};
    lanes sum = {0};
    for (size_t age = window; age-- > 0;) {
        lanes value = *(const lanes *) (x + age), traded = *(const lanes *) (volume + age);
        bits is_near = (lowest ? value - extreme : extreme - value) <= reach, is_equal = value == extreme;
        near -= is_near;
        if (mean) {
            equal -= is_equal;
            sum += (lanes) (is_equal & (bits) traded);
        } else {
            found = (is_equal & (bits) traded) | (~is_equal & found);
        }
    }
    lanes first = (lanes) found;
    for (size_t lane = 0; lane < LANES; lane++) {
        touches[lane] = (double) near[lane];
        weight[lane] = !mean ? first[lane] : equal[lane] > 0 ? sum[lane] / (double) equal[lane] : 0.0;
    }
}

ALWAYS_INLINE void one(const double *restrict x, const double *restrict volume, double level,
                       double tolerance, size_t window, bool lowest, bool mean, double *restrict touches,
                       double *restrict weight)
{
    double near = 0.0, equal = 0.0, sum = 0.0, first = 0.0;
    for (size_t age = window; age-- > 0;) {
        near += (lowest ? x[age] - level : level - x[age]) <= tolerance ? 1.0 : 0.0;
        if (x[age] == level) {
            equal += 1.0;
            sum += volume[age];
            first = volume[age];
        }
    }
    *touches = near;
    *weight = !mean ? first : equal > 0.0 ? sum / equal : 0.0;
}

ALWAYS_INLINE void all(const double *restrict x, const double *restrict volume, const double *restrict level,
                       const double *restrict tolerance, size_t n, size_t window, bool lowest, bool mean,
                       double *restrict touches, double *restrict weight)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        four(x + i, volume + i, level + i, tolerance + i, window, lowest, mean, touches + i, weight + i);
    }
    for (; i < n; i++) {
        one(x + i, volume + i, level[i], tolerance[i], window, lowest, mean, touches + i, weight + i);
    }
}

#define TOUCHES(name, lowest, mean)                                                                          \
    KERNEL void touches_##name(const double *x, const double *volume, const double *level,                   \
                               const double *tolerance, size_t n, size_t window, double *touches,            \
                               double *weight)                                                               \
    {                                                                                                        \
        all(x, volume, level, tolerance, n, window, lowest, mean, touches, weight);                          \
    }

TOUCHES(low_first, true, false)
TOUCHES(high_first, false, false)
TOUCHES(low_mean, true, true)
TOUCHES(high_mean, false, true)
