/* SPDX-License-Identifier: MPL-2.0 */
#include "parabolic.h"

/* What is carried. While short, prices are negated, so that one rule does for both sides. */
enum { SHORT, STOP, EXTREME, PACE };

struct position {
    double stop, extreme, pace;
};

ALWAYS_INLINE double higher(double a, double b)
{
    return a > b ? a : b;
}

ALWAYS_INLINE double lower(double a, double b)
{
    return a < b ? a : b;
}

/* keep + take is 1; as long as pace is at most 1, the stop never passes the extreme. */
ALWAYS_INLINE double approach(double stop, double extreme, double pace)
{
    double keep = 1.0 - pace, take = 1.0 - keep;
    return mul_add(keep, stop, take * extreme);
}

/* Bars i .. end-1 while the position lasts, and the one at which it turns; `position` is then that of the other side. Returns the
 * first bar that was not taken: end when the position did not turn there. */
ALWAYS_INLINE size_t hold(const double *restrict high, const double *restrict low, size_t i, size_t end,
                          uint64_t origin, bool is_short, const struct parabolic *p,
                          struct position *position, bool *ret_turned, double *restrict out)
{
    const struct parabolic_side *side = is_short ? &p->down : &p->up, *other = is_short ? &p->up : &p->down;
    const double sign = is_short ? -1.0 : 1.0;
    const double *best_of = is_short ? low : high, *worst_of = is_short ? high : low;
    const double step = side->step, most = side->most; /* copies: a store to out might change the original */
    const bool is_signed = p->is_signed;
    double stop = position->stop, extreme = position->extreme, pace = position->pace;
    for (; i < end; i++) {
        size_t before = origin + i == 1 ? i : i - 1; /* bar 1 is taken for its own predecessor */
        double best = sign * best_of[i], worst = sign * worst_of[i];
        double last_best = sign * best_of[before], last_worst = sign * worst_of[before];
        if (worst <= stop) {
            double turn = higher(higher(extreme, last_best), best);
            turn += turn * (is_short ? -p->offset : p->offset);
            out[i] = is_signed ? -turn : sign * turn;
            double next = approach(-turn, -worst, other->first);
            *position = (struct position){lower(next, lower(-last_best, -best)), -worst, other->first};
            *ret_turned = true;
            return i + 1;
        }
        out[i] = is_signed ? stop : sign * stop;
        pace = lower(pace + (best > extreme ? step : 0.0), most);
        extreme = higher(extreme, best);
        stop = lower(approach(stop, extreme, pace), lower(last_worst, worst));
    }
    *position = (struct position){stop, extreme, pace};
    *ret_turned = false;
    return end;
}

ALWAYS_INLINE bool begins_short(const double *high, const double *low, size_t i, double start)
{
    double rise = high[i] - high[i - 1], fall = low[i - 1] - low[i];
    return start < 0.0 || (start == 0.0 && fall > 0.0 && fall > rise);
}

KERNEL void parabolic_part(const double *high, const double *low, struct part part, const struct parabolic *p,
                           double *state, double *out)
{
    part = part_from(part, 1);
    if (part.begin == part.end) {
        return;
    }
    size_t i = part.begin;
    bool is_short = state[SHORT] > 0.0;
    struct position position = {state[STOP], state[EXTREME], state[PACE]};
    if (part.origin + i == 1) {
        is_short = begins_short(high, low, i, p->start);
        position.extreme = is_short ? -low[i] : high[i];
        position.stop = is_short ? -high[i - 1] : low[i - 1];
        position.stop = p->start != 0.0 ? p->start : position.stop;
        position.pace = is_short ? p->down.first : p->up.first;
    }
    while (i < part.end) {
        bool turned;
        i = is_short ? hold(high, low, i, part.end, part.origin, true, p, &position, &turned, out)
                     : hold(high, low, i, part.end, part.origin, false, p, &position, &turned, out);
        is_short ^= turned;
    }
    state[SHORT] = is_short;
    state[STOP] = position.stop;
    state[EXTREME] = position.extreme;
    state[PACE] = position.pace;
}
