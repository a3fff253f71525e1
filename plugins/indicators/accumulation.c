/* SPDX-License-Identifier: MPL-2.0 */
#include "accumulation.h"

#include "rate.h"
#include "kernel.h"
#include "prefix.h"

enum { LINE, FAST, SLOW };

/* Bars at once: so few that those of the next are fetched and worked on while the averages of these wait for each other. */
enum { AT_ONCE = 32 };

ALWAYS_INLINE void flows(const double *restrict high, const double *restrict low,
                         const double *restrict close, const double *restrict volume, size_t length,
                         double *restrict flow)
{
    for (size_t i = 0; i < length; i++) {
        double range = high[i] - low[i];
        double share = ((close[i] - low[i]) - (high[i] - close[i])) / range;
        flow[i] = range > 0.0 ? share * volume[i] : 0.0;
    }
}

KERNEL void accumulation_line(const double *restrict high, const double *restrict low,
                              const double *restrict close, const double *restrict volume, struct part part,
                              double *restrict state, double *restrict out)
{
    for (size_t length, from = part.begin; from < part.end; from += length) {
        length = least(AT_ONCE, part.end - from);
        flows(high + from, low + from, close + from, volume + from, length, out + from);
        prefix_sums(out + from, length, part.origin + from, state);
    }
}

KERNEL void accumulation_oscillator(const double *restrict high, const double *restrict low,
                                    const double *restrict close, const double *restrict volume,
                                    struct part part, size_t fast, size_t slow, double *restrict state,
                                    double *restrict out)
{
    struct rate of_fast = rate_ema(fast), of_slow = rate_ema(slow);
    double line = state[LINE], quick = state[FAST], calm = state[SLOW];
    double flow[AT_ONCE];
    for (size_t length, from = part.begin; from < part.end; from += length) {
        length = least(AT_ONCE, part.end - from);
        flows(high + from, low + from, close + from, volume + from, length, flow);
        size_t i = 0;
        if (part.origin + from == 0) {
            line = quick = calm = flow[0];
            out[from] = 0.0;
            i = 1;
        }
        for (; i < length; i++) {
            line += flow[i];
            quick = step(of_fast, quick, line);
            calm = step(of_slow, calm, line);
            out[from + i] = quick - calm;
        }
    }
    state[LINE] = line;
    state[FAST] = quick;
    state[SLOW] = calm;
}
