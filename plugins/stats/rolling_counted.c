/* SPDX-License-Identifier: MPL-2.0 */
/* rolling_counted - rolling sums of whatever comes: NaN left out or not, infinities, windows that are not full, and
 * pairs. */
#include <math.h>

#include "rolling_kernels.h"

/* Some values of a window: their number and sums of deviations from the first of them. */
struct part {
    double n, x, y, xx, yy, xy, anchor_x, anchor_y;
    size_t missing, above, below; /* NaN; infinities */
};

static inline void part_add(struct part *p, double x, double y, bool pairs)
{
    if (isnan(x) || isnan(y)) {
        p->missing++;
        return;
    }
    if (isinf(x) || isinf(y)) {
        p->above += x > 0 || isinf(y);
        p->below += x < 0 || isinf(y);
        return;
    }
    if (p->n == 0) {
        p->anchor_x = x;
        p->anchor_y = y;
    }
    const double dx = x - p->anchor_x;
    p->n++;
    p->x += dx;
    p->xx += dx * dx;
    if (pairs) {
        const double dy = y - p->anchor_y;
        p->y += dy;
        p->yy += dy * dy;
        p->xy += dx * dy;
    }
}

/* Sum of products of deviations from the mean, from sums of deviations from the anchor. */
static double central(double n, double xy, double x, double y)
{
    return n > 0 ? xy - x * (y / n) : 0;
}

/* The result of the window that consists of two parts and ends with `last`. */
static double part_give(enum rolling what, const struct windows *w, const struct part *head,
                        const struct part *tail, double last)
{
    const size_t above = head->above + tail->above, below = head->below + tail->below;
    const double n = head->n + tail->n;
    if ((!w->omit && head->missing + tail->missing) ||
        n + (double) above + (double) below < (double) w->min_periods) {
        return (double) NAN;
    }
    if (above || below) {
        return (what != ROLLING_SUM && what != ROLLING_MEAN) || (above && below) ? (double) NAN
               : above                                                           ? HUGE_VAL
                                                                                 : -HUGE_VAL;
    }
    const struct part *a = head->n > 0 ? head : tail, *b = head->n > 0 ? tail : head;
    const double share = b->n / n; /* the mean lies there between those of a and of b */
    const double mx = a->x / a->n, my = a->y / a->n;
    const double dx = b->n > 0 ? (b->anchor_x - a->anchor_x) + (b->x / b->n - mx) : 0;
    const double dy = b->n > 0 ? (b->anchor_y - a->anchor_y) + (b->y / b->n - my) : 0;
    const double mean = mx + dx * share; /* less the anchor of a */
    if (what == ROLLING_SUM) {
        return (a->n * a->anchor_x + b->n * b->anchor_x) + (a->x + b->x);
    }
    if (what == ROLLING_MEAN) {
        return a->anchor_x + mean;
    }
    const double both = a->n * share;
    const double xx =
        fmax(central(a->n, a->xx, a->x, a->x) + central(b->n, b->xx, b->x, b->x), 0) + dx * dx * both;
    const double free = n - w->ddof;
    if (!(free > 0)) {
        return (double) NAN;
    }
    if (what == ROLLING_VAR || what == ROLLING_STD) {
        return what == ROLLING_VAR ? xx / free : sqrt(xx / free);
    }
    if (what == ROLLING_ZSCORE) {
        return ((last - a->anchor_x) - mean) / sqrt(xx / free);
    }
    const double yy =
        fmax(central(a->n, a->yy, a->y, a->y) + central(b->n, b->yy, b->y, b->y), 0) + dy * dy * both;
    const double xy = central(a->n, a->xy, a->x, a->y) + central(b->n, b->xy, b->x, b->y) + dx * dy * both;
    if (what == ROLLING_COV) {
        return xy / free;
    }
    const double r = xy / (sqrt(xx) * sqrt(yy));
    return r > 1 ? 1 : r < -1 ? -1 : r; /* rounding; 0 / 0 stays NaN */
}

/* Blocks of windows all contain the value at which the block begins: the head sums on from there; tails[age] are the
 * `age` values before it. */
static inline void blocks(enum rolling what, const struct windows *w, bool pairs, size_t first, size_t end,
                          struct part *tails, double *out)
{
    const double *x = w->x, *y = w->y;
    for (size_t from = first; from < end; from += w->window) {
        const size_t until = end - from < w->window ? end : from + w->window;
        const size_t oldest = from < w->window - 1 ? from : w->window - 1;
        struct part sum = {0};
        tails[0] = sum;
        for (size_t age = 1; age <= oldest; age++) {
            part_add(&sum, x[from - age], pairs ? y[from - age] : 0, pairs);
            tails[age] = sum;
        }
        for (size_t age = oldest + 1; age < w->window; age++) { /* before the start of the series */
            tails[age] = sum;
        }
        sum = (struct part){0};
        for (size_t i = from; i < until; i++) {
            part_add(&sum, x[i], pairs ? y[i] : 0, pairs);
            out[i - first] = part_give(what, w, &sum, &tails[w->window - 1 - (i - from)], x[i]);
        }
    }
}

_Static_assert(sizeof(struct part) <= ROLLING_SCRATCH(1) * sizeof(double),
               "a part for each value of a window");

void rolling_counted(enum rolling what, const struct windows *w, size_t first, size_t end, double *scratch,
                     double *out)
{
    if (w->y) {
        blocks(what, w, true, first, end, (struct part *) (void *) scratch, out);
    } else {
        blocks(what, w, false, first, end, (struct part *) (void *) scratch, out);
    }
}

#define PLAIN(name, what)                                                                                    \
    static void name(const struct windows *w, double *scratch, double *out)                                  \
    {                                                                                                        \
        rolling_counted(what, w, w->window - 1, w->n, scratch, out);                                         \
    }

PLAIN(plain_sum, ROLLING_SUM)
PLAIN(plain_mean, ROLLING_MEAN)
PLAIN(plain_var, ROLLING_VAR)
PLAIN(plain_std, ROLLING_STD)
PLAIN(plain_zscore, ROLLING_ZSCORE)

rolling_gaps_kernel *const rolling_plain_gaps[ROLLING_MIN] = {
    plain_sum, plain_mean, plain_var, plain_std, plain_zscore,
};
