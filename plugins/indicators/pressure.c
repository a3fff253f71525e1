/* SPDX-License-Identifier: MPL-2.0 */
#include "pressure.h"

#include <math.h>

#include "rate.h"
#include "kernel.h"
#include "sliding.h"

/* The values of one piece of bars and those of the windows before it, and their sums. */
struct flows {
    double *up, *down; /* or any other two: sliding_values() each */
    double *sum_up[PRESSURE_WINDOWS], *sum_down[PRESSURE_WINDOWS]; /* sliding_most() each */
    double *work;                                                  /* sliding_work() */
};

size_t pressure_scratch(size_t longest, size_t windows)
{
    return 2 * sliding_values(longest) + 2 * windows * sliding_most(longest) + sliding_work(longest);
}

static struct flows flows_in(double *scratch, size_t longest, size_t windows)
{
    size_t values = sliding_values(longest), most = sliding_most(longest);
    struct flows f = {.up = scratch, .down = scratch + values, .work = scratch + 2 * values};
    for (size_t w = 0; w < windows; w++) {
        f.sum_up[w] = f.work;
        f.sum_down[w] = f.work + most;
        f.work += 2 * most;
    }
    return f;
}

/* Sums over the windows of `length` bars, of which the first has this number; up and down hold their values. */
static void flows_sum(const struct flows *f, size_t length, const size_t *periods, size_t windows,
                      uint64_t number)
{
    sliding_sums(f->up, length, periods, windows, number, f->work, f->sum_up);
    sliding_sums(f->down, length, periods, windows, number, f->work, f->sum_down);
}

/* ---- mfi ------------------------------------------------------------------------------------- */

/* Of the bars 0 .. count-1 and the one before them. */
KERNEL static void money_flows(const double *restrict high, const double *restrict low,
                               const double *restrict close, const double *restrict volume, size_t count,
                               double *restrict up, double *restrict down)
{
    double price[KERNEL_CHUNK + 1];
    price[0] = (high[-1] + low[-1] + close[-1]) / 3.0;
    for (size_t from = 0; from < count; from += KERNEL_CHUNK) {
        size_t length = least(KERNEL_CHUNK, count - from);
        for (size_t i = 0; i < length; i++) {
            price[i + 1] = (high[from + i] + low[from + i] + close[from + i]) / 3.0;
        }
        for (size_t i = 0; i < length; i++) {
            double flow = price[i + 1] * volume[from + i];
            up[from + i] = price[i + 1] > price[i] ? flow : 0.0;
            down[from + i] = price[i + 1] < price[i] ? flow : 0.0;
        }
        price[0] = price[length];
    }
}

KERNEL static void money_shares(const double *restrict up, const double *restrict down, size_t length,
                                double *restrict out)
{
    for (size_t i = 0; i < length; i++) {
        double all = up[i] + down[i], share = 100.0 * (up[i] / all);
        out[i] = all < 1.0 ? 0.0 : share;
    }
}

void pressure_money(const double *high, const double *low, const double *close, const double *volume,
                    struct part part, size_t period, double *scratch, double *out)
{
    struct flows f = flows_in(scratch, period, 1);
    for (size_t length, i = part_index(part, period); i < part.end; i += length) {
        uint64_t number = part.origin + i;
        length = sliding_piece(period, number, part.end - i);
        size_t window = i - (period - 1);
        money_flows(high + window, low + window, close + window, volume + window, length + period - 1, f.up,
                    f.down);
        flows_sum(&f, length, &period, 1, number);
        money_shares(f.sum_up[0], f.sum_down[0], length, out + i);
    }
}

/* ---- imi ------------------------------------------------------------------------------------- */

KERNEL static void intraday_flows(const double *restrict open, const double *restrict close, size_t count,
                                  double *restrict up, double *restrict down)
{
    for (size_t i = 0; i < count; i++) {
        double change = close[i] - open[i];
        up[i] = change > 0.0 ? change : 0.0;
        down[i] = change < 0.0 ? -change : 0.0;
    }
}

KERNEL static void intraday_shares(const double *restrict up, const double *restrict down, size_t length,
                                   double *restrict out)
{
    for (size_t i = 0; i < length; i++) {
        out[i] = 100.0 * (up[i] / (up[i] + down[i]));
    }
}

void pressure_intraday(const double *open, const double *close, struct part part, size_t period,
                       double *scratch, double *out)
{
    struct flows f = flows_in(scratch, period, 1);
    for (size_t length, i = part_index(part, (uint64_t) period - 1); i < part.end; i += length) {
        uint64_t number = part.origin + i;
        length = sliding_piece(period, number, part.end - i);
        size_t window = i - (period - 1);
        intraday_flows(open + window, close + window, length + period - 1, f.up, f.down);
        flows_sum(&f, length, &period, 1, number);
        intraday_shares(f.sum_up[0], f.sum_down[0], length, out + i);
    }
}

/* ---- ultosc ---------------------------------------------------------------------------------- */

KERNEL static void true_flows(const double *restrict high, const double *restrict low,
                              const double *restrict close, size_t count, double *restrict bought,
                              double *restrict range)
{
    const double *before = close - 1;
    for (size_t i = 0; i < count; i++) {
        double bottom = low[i] < before[i] ? low[i] : before[i];
        double spread = high[i] - low[i];
        double up = fabs(high[i] - before[i]), down = fabs(low[i] - before[i]);
        double gap = up > down ? up : down;
        bought[i] = close[i] - bottom;
        range[i] = spread > gap ? spread : gap;
    }
}

ALWAYS_INLINE double share_of(double bought, double range)
{
    double share = bought / range;
    return range < nothing ? 0.0 : share;
}

KERNEL static void ultimate(const struct flows *f, size_t length, double *restrict out)
{
    const double *bought = f->sum_up[0], *bought_middle = f->sum_up[1], *bought_long = f->sum_up[2];
    const double *range = f->sum_down[0], *range_middle = f->sum_down[1], *range_long = f->sum_down[2];
    for (size_t i = 0; i < length; i++) {
        double most = 4.0 * share_of(bought[i], range[i]);
        double more = 2.0 * share_of(bought_middle[i], range_middle[i]);
        out[i] = 100.0 * ((most + more + share_of(bought_long[i], range_long[i])) / 7.0);
    }
}

void pressure_ultimate(const double *high, const double *low, const double *close, struct part part,
                       const size_t periods[PRESSURE_WINDOWS], double *scratch, double *out)
{
    size_t longest = periods[PRESSURE_WINDOWS - 1];
    struct flows f = flows_in(scratch, longest, PRESSURE_WINDOWS);
    for (size_t length, i = part_index(part, longest); i < part.end; i += length) {
        uint64_t number = part.origin + i;
        length = sliding_piece(longest, number, part.end - i);
        size_t window = i - (longest - 1);
        true_flows(high + window, low + window, close + window, length + longest - 1, f.up, f.down);
        flows_sum(&f, length, periods, PRESSURE_WINDOWS, number);
        ultimate(&f, length, out + i);
    }
}
