/* SPDX-License-Identifier: MPL-2.0 */
#include "levels.h"

/* gcc keeps products and sums apart when it compiles for -std=c11 and ignores the pragma; clang wants it. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

static size_t steps(double from, double step, size_t count, double *line)
{
    for (size_t i = 0; i < count; i++) {
        line[i] = from + (double) i * step;
    }
    return count;
}

/* How many steps fit, counted toward zero as the published expression does. */
static size_t fit(double from, double to, double step)
{
    int last = (int) ((to - from) / step);
    return last < 0 ? 0 : (size_t) last + 1;
}

size_t levels_line(double m, bool exact, double *line)
{
    if (exact) {
        size_t count = 0;
        while (m + (double) count * 0.01 < 1.0 - 1e-9) {
            count++;
        }
        steps(m, 0.01, count, line);
        line[count] = 1.0;
        return count + 1;
    }
    if (m <= 0.85) {
        static const double fine[] = {0.88, 0.89, 0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98};
        size_t count = steps(m, 0.05, fit(m, 0.85, 0.05), line);
        for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
            line[count++] = fine[i];
        }
        return count;
    }
    return steps(m, 0.01, fit(m, 0.98, 0.01), line);
}

void levels_axis(double baseline, double *axis)
{
    double step = (1.0 - baseline) / (LEVELS_AXIS - 1);
    for (size_t i = 0; i < LEVELS_AXIS; i++) {
        axis[i] = (double) i * step + baseline;
    }
    axis[LEVELS_AXIS - 1] = 1.0;
}
