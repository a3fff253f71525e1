/* SPDX-License-Identifier: MPL-2.0 */
#include "variable.h"

#include "blocks.h"

static bool depends_on_window_alone(enum average_kind kind)
{
    return kind == AVERAGE_SMA || kind == AVERAGE_WMA || kind == AVERAGE_TRIMA;
}

bool variable_is_too_much(struct variable v)
{
    return !depends_on_window_alone(v.kind) && v.most - v.least >= VARIABLE_AVERAGES;
}

struct average_needs variable_needs(struct variable v)
{
    struct average_needs needs = {.lookback = average_needs(v.kind, v.most).lookback};
    if (depends_on_window_alone(v.kind)) {
        needs.history = v.most - 1;
        return needs;
    }
    for (size_t period = v.least; period <= v.most; period++) {
        struct average_needs one = average_needs(v.kind, period);
        needs.history = one.history > needs.history ? one.history : needs.history;
        needs.scratch = one.scratch > needs.scratch ? one.scratch : needs.scratch;
        needs.state += one.state;
    }
    needs.scratch += 8; /* lost where it is aligned */
    needs.scratch_bars = 1;
    return needs;
}

/* Also right for what is no number. */
static inline double period_of(double asked, struct variable v)
{
    double least_one = (double) v.least, most = (double) v.most;
    return asked >= most ? most : asked >= least_one ? (double) (uint32_t) asked : least_one;
}

/* ---- windows ------------------------------------------------------------------------------------- */

/* Sums of d = x_k - anchor and of k d over n values. */
ALWAYS_INLINE void sums_of(const double *x, size_t n, double anchor, double *ret_sum, double *ret_tilted)
{
    quad sum = blocks_quad(0.0), tilted = sum, base = blocks_quad(anchor), place = {0.0, 1.0, 2.0, 3.0};
    size_t k = 0;
    for (; k + BLOCKS_ABREAST <= n; k += BLOCKS_ABREAST) {
        quad d;
        __builtin_memcpy(&d, x + k, sizeof(d));
        d -= base;
        sum += d;
        tilted += place * d;
        place += blocks_quad(BLOCKS_ABREAST);
    }
    double rest = 0.0, rest_tilted = 0.0;
    for (; k < n; k++) {
        rest += x[k] - anchor;
        rest_tilted += (double) k * (x[k] - anchor);
    }
    *ret_sum = (sum[0] + sum[1]) + (sum[2] + sum[3]) + rest;
    *ret_tilted = (tilted[0] + tilted[1]) + (tilted[2] + tilted[3]) + rest_tilted;
}

ALWAYS_INLINE double of_window(enum average_kind kind, const double *x, size_t n)
{
    double anchor = x[n - 1], count = (double) n, sum, tilted;
    if (kind != AVERAGE_TRIMA) {
        sums_of(x, n, anchor, &sum, &tilted);
        return anchor + (kind == AVERAGE_SMA ? sum / count : (tilted + sum) / (0.5 * count * (count + 1.0)));
    }
    /* Weights rise up to the middle, which belongs to the first part, and fall from there. */
    size_t first = (n + 1) / 2, second = n - first;
    double rising = (double) first, falling = (double) second, fall, fall_tilted;
    sums_of(x, first, anchor, &sum, &tilted);
    sums_of(x + first, second, anchor, &fall, &fall_tilted);
    double weights = 0.5 * (rising * (rising + 1.0) + falling * (falling + 1.0));
    return anchor + (tilted + sum + falling * fall - fall_tilted) / weights;
}

KERNEL static void by_windows(struct variable v, const double *x, const double *periods, struct part part,
                              double *out)
{
    for (size_t i = part.begin; i < part.end; i++) {
        size_t period = (size_t) period_of(periods[i], v);
        out[i] = of_window(v.kind, x + i + 1 - period, period);
    }
}

/* ---- averages that run on -------------------------------------------------------------------------- */

KERNEL static void choose(struct variable v, double period, const double *restrict periods, size_t n,
                          const double *restrict average, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = period_of(periods[i], v) == period ? average[i] : out[i];
    }
}

void variable_part(struct variable v, const double *x, const double *periods, struct part part, double *state,
                   double *scratch, double *out)
{
    uint64_t lookback = average_needs(v.kind, v.most).lookback;
    if (depends_on_window_alone(v.kind)) {
        by_windows(v, x, periods, part_from(part, lookback), out);
        return;
    }
    size_t written = part_index(part, lookback), length = part.end - part.begin;
    double *average = scratch, *rest = scratch + (length + 7) / 8 * 8; /* stays aligned */
    for (size_t i = written; i < part.end; i++) {
        out[i] = 0.0;
    }
    for (size_t period = v.least; period <= v.most; period++) {
        struct average_needs needs = average_needs(v.kind, period);
        uint64_t first = lookback - needs.lookback;
        size_t begin = part_index(part, first), skipped = begin - part.begin;
        struct part own = {0, part.end - begin, part.origin + begin - first};
        if (begin < part.end) {
            average_part(v.kind, period, x + begin, own, state, rest, average + skipped);
        }
        choose(v, (double) period, periods + written, part.end - written, average + (written - part.begin),
               out + written);
        state += needs.state;
    }
}
