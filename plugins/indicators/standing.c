/* SPDX-License-Identifier: MPL-2.0 */
#include "standing.h"

#include "extremes.h"
#include "kernel.h"

/* What the search needs; and twice the extremes of one piece of bars, behind the bars of its first window. */
size_t standing_scratch(size_t window)
{
    return window + 2 * (window - 1 + extremes_piece(window));
}

/* ---- price ----------------------------------------------------------------------------------- */

/* Of some bars. */
struct corridor {
    const double *highest, *lowest;
};

static struct corridor find(const double *high, const double *low, size_t begin, size_t end, size_t window,
                            double *scratch)
{
    size_t before = window - 1, length = end - begin;
    double *highest = scratch, *lowest = scratch + before + extremes_piece(window);
    extremes_max(high + (begin - before), before, before + length, window, highest);
    extremes_min(low + (begin - before), before, before + length, window, lowest);
    return (struct corridor){highest + before, lowest + before};
}

KERNEL static void above(const double *restrict close, const double *restrict highest,
                         const double *restrict lowest, size_t n, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        double range = highest[i] - lowest[i], place = 100.0 * ((close[i] - lowest[i]) / range);
        out[i] = range == 0.0 ? 0.0 : place;
    }
}

KERNEL static void below(const double *restrict close, const double *restrict highest,
                         const double *restrict lowest, size_t n, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        double range = highest[i] - lowest[i], place = -100.0 * ((highest[i] - close[i]) / range);
        out[i] = range == 0.0 ? 0.0 : place;
    }
}

void standing_k(const double *high, const double *low, const double *close, size_t begin, size_t end,
                size_t window, double *scratch, double *out)
{
    for (size_t length, i = begin; i < end; i += length) {
        length = least(extremes_piece(window), end - i);
        struct corridor c = find(high, low, i, i + length, window, scratch);
        above(close + i, c.highest, c.lowest, length, out + (i - begin));
    }
}

void standing_willr(const double *high, const double *low, const double *close, size_t begin, size_t end,
                    size_t window, double *scratch, double *out)
{
    for (size_t length, i = begin; i < end; i += length) {
        length = least(extremes_piece(window), end - i);
        struct corridor c = find(high, low, i, i + length, window, scratch);
        below(close + i, c.highest, c.lowest, length, out + (i - begin));
    }
}

/* ---- age ------------------------------------------------------------------------------------- */

/* at: numbers of the bars that have the extremes. */
KERNEL static void ages(double first, size_t n, double period, double *restrict at)
{
    for (size_t i = 0; i < n; i++) {
        double age = first + (double) (int32_t) i - at[i];
        at[i] = 100.0 * (period - age) / period;
    }
}

KERNEL static void differences(const double *restrict at_low, size_t n, double period,
                               double *restrict at_high)
{
    for (size_t i = 0; i < n; i++) {
        at_high[i] = 100.0 * (at_high[i] - at_low[i]) / period;
    }
}

void standing_aroon(const double *high, const double *low, size_t begin, size_t end, size_t period,
                    double *scratch, double *out_down, double *out_up)
{
    size_t window = period + 1;
    for (size_t length, i = begin; i < end; i += length) {
        length = least(extremes_piece(window), end - i);
        extremes_min_at(low, i, i + length, window, 0, scratch, out_down);
        extremes_max_at(high, i, i + length, window, 0, scratch, out_up);
        ages((double) i, length, (double) period, out_down + i);
        ages((double) i, length, (double) period, out_up + i);
    }
}

void standing_aroon_oscillator(const double *high, const double *low, size_t begin, size_t end, size_t period,
                               double *scratch, double *out)
{
    size_t window = period + 1;
    for (size_t length, i = begin; i < end; i += length) {
        length = least(extremes_piece(window), end - i);
        double *spare = scratch, *lowest = scratch + window;
        extremes_max_at(high, i, i + length, window, 0, spare, out);
        extremes_min_at(low + (i - period), period, period + length, window, i - period, spare, lowest);
        differences(lowest + period, length, (double) period, out + i);
    }
}
