/* SPDX-License-Identifier: MPL-2.0 */
#include "cell.h"

#include <math.h>
#include <string.h>

#include <kiln/plugin.h>

#include "solve.h"

#define SWEEPS     200
#define CAP_MARGIN 1e-13 /* relative: so that rounding does not carry a solution above its cap */

double goal_value(const struct goal *goal, const struct measure *m)
{
    if (m->tracking_error > goal->cap * GOAL_CAP_SLACK) {
        return -HUGE_VAL;
    }
    return goal->by_yield ? m->benefit : m->net;
}

int cell_init(struct kiln_call *call, const struct portfolio *p, struct cell *ret_cell)
{
    size_t n = p->held;
    double *memory = call->host->alloc(call, (5 * n + 2 * n * n) * sizeof *memory);
    if (memory == NULL) {
        return KILN_RESOURCE;
    }
    *ret_cell = (struct cell){
        .width = memory,
        .gain = memory + n,
        .linear = memory + 2 * n,
        .u = memory + 3 * n,
        .trial = memory + 4 * n,
        .form = memory + 5 * n,
        .factor = memory + 5 * n + n * n,
    };
    return KILN_OK;
}

/* The forms at the lower corner. A size counts when it reaches the middle of the cell: knots are rounded. */
static void cell_make(const struct portfolio *p, const double *low, const double *high, struct cell *c)
{
    size_t n = p->held;
    double *x = c->trial;
    memset(c->form, 0, n * n * sizeof *c->form);
    memset(c->linear, 0, n * sizeof *c->linear);
    c->constant = 0;
    for (size_t a = 0; a < n; a++) {
        c->width[a] = high[a] - low[a];
        c->gain[a] = (low[a] + high[a]) / 2 > p->baseline[a] ? p->income[a] : 0.0;
    }
    for (size_t j = 0; j < p->buckets.count; j++) {
        double w = p->buckets.weight[j], r = p->buckets.size[j];
        for (size_t a = 0; a < n; a++) {
            x[a] =
                w > 0 && excess(r, (low[a] + high[a]) / 2) > 0 ? excess(r, low[a]) : -1; /* -1: not reached */
            if (x[a] >= 0) {
                c->gain[a] += p->income[a] * p->episodes[a] * w;
            }
        }
        for (size_t a = 0; a < n; a++) {
            for (size_t b = 0; x[a] >= 0 && b < n; b++) {
                if (x[b] >= 0) {
                    double h = w * p->variance[a * n + b];
                    c->form[a * n + b] += h;
                    c->linear[a] += h * x[b];
                    c->constant += h * x[a] * x[b];
                }
            }
        }
    }
}

static double slope_at(const struct cell *c, size_t n, size_t a, const double *u)
{
    double sum = c->linear[a];
    for (size_t b = 0; b < n; b++) {
        sum += c->form[a * n + b] * u[b];
    }
    return sum;
}

static double root_variance(const struct cell *c, size_t n)
{
    double v = c->constant;
    for (size_t a = 0; a < n; a++) {
        v += c->u[a] * (slope_at(c, n, a, c->u) + c->linear[a]);
    }
    return sqrt(fmax(0.0, v));
}

/* One pass over the coordinates, each moved to its best; the largest move as a part of its width. */
static double sweep(struct cell *c, size_t n, double mu)
{
    double moved = 0;
    for (size_t a = 0; a < n; a++) {
        double own = c->form[a * n + a], to;
        if (own > 0) {
            double others = slope_at(c, n, a, c->u) - own * c->u[a];
            to = fmin(c->width[a], fmax(0.0, (c->gain[a] / mu - others) / own));
        } else { /* costs nothing */
            to = c->gain[a] > 0 ? c->width[a] : 0.0;
        }
        if (c->width[a] > 0) {
            moved = fmax(moved, fabs(to - c->u[a]) / c->width[a]);
        }
        c->u[a] = to;
    }
    return moved;
}

/* A Newton step in the coordinates that touch no side, as far as the box allows. */
static void newton(struct cell *c, size_t n, double mu)
{
    double *step = c->trial, pivot, far = 1;
    size_t free = 0;
    for (size_t a = 0; a < n; a++) {
        if (c->u[a] > 0 && c->u[a] < c->width[a] && c->form[a * n + a] > 0) {
            size_t column = 0;
            for (size_t b = 0; b <= a; b++) {
                if (c->u[b] > 0 && c->u[b] < c->width[b] && c->form[b * n + b] > 0) {
                    c->factor[free * n + column++] = c->form[a * n + b];
                }
            }
            step[free++] = c->gain[a] / mu - slope_at(c, n, a, c->u);
        }
    }
    if (free < 2) { /* a sweep does it */
        return;
    }
    for (size_t i = 0; i < free; i++) { /* rows of n to rows of `free` */
        memmove(c->factor + i * free, c->factor + i * n, free * sizeof *c->factor);
    }
    if (solve_factor(free, c->factor, &pivot) < free) {
        return;
    }
    solve_forward(free, c->factor, 1, step);
    solve_backward(free, c->factor, step);
    for (size_t a = 0, i = 0; i < free; a++) {
        if (c->u[a] > 0 && c->u[a] < c->width[a] && c->form[a * n + a] > 0) {
            double room = step[i] > 0 ? c->width[a] - c->u[a] : c->u[a];
            far = fabs(step[i]) * far > room ? room / fabs(step[i]) : far;
            i++;
        }
    }
    for (size_t a = 0, i = 0; i < free; a++) {
        if (c->u[a] > 0 && c->u[a] < c->width[a] && c->form[a * n + a] > 0) {
            c->u[a] = fmin(c->width[a], fmax(0.0, c->u[a] + far * step[i]));
            i++;
        }
    }
}

static double maximise(struct cell *c, size_t n, double mu)
{
    for (int i = 0; i < SWEEPS && sweep(c, n, mu) > 1e-15; i++) {
        newton(c, n, mu);
    }
    return root_variance(c, n);
}

/* Whether the best for mu is riskier than the goal wants. */
static bool too_risky(const struct portfolio *p, const struct goal *goal, double te, double mu)
{
    if (te > goal->cap * (1 - CAP_MARGIN)) {
        return true;
    }
    bool charged = !goal->by_yield && te * POINT_SHORTFALL > p->budget;
    return charged && mu * te < POINT_SHORTFALL;
}

bool cell_solve(const struct portfolio *p, const struct goal *goal, const double *low, const double *high,
                struct cell *c, double *ret_level)
{
    size_t n = p->held;
    cell_make(p, low, high, c);
    double scale = 0;
    for (size_t a = 0; a < n; a++) {
        c->u[a] = c->gain[a] > 0 ? c->width[a] : 0.0;
    }
    for (size_t a = 0; a < n; a++) {
        scale = fmax(scale, fabs(slope_at(c, n, a, c->u)));
    }
    if (too_risky(p, goal, root_variance(c, n), 0)) {
        double most = 0;
        for (size_t a = 0; a < n; a++) {
            most = fmax(most, c->gain[a]);
        }
        double under = 0, over = most > 0 && scale > 0 ? most / scale : 1.0, first = over;
        while (too_risky(p, goal, maximise(c, n, over), over)) {
            under = over;
            over *= 16;
            if (!(over < first * 0x1p160)) { /* the least risky levels of the cell are not good enough */
                return false;
            }
        }
        if (under == 0) {
            under = over;
            while (under > first * 0x1p-160 && !too_risky(p, goal, maximise(c, n, under), under)) {
                over = under;
                under /= 16;
            }
        }
        for (double middle = sqrt(under * over); middle > under && middle < over;
             middle = sqrt(under * over)) {
            if (too_risky(p, goal, maximise(c, n, middle), middle)) {
                under = middle;
            } else {
                over = middle;
            }
            if (over - under < 1e-14 * over) {
                break;
            }
        }
        maximise(c, n, over);
    }
    for (size_t a = 0; a < n; a++) {
        ret_level[a] = c->u[a] < c->width[a] ? low[a] + c->u[a] : high[a];
    }
    return true;
}
