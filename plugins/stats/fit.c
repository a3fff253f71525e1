/* SPDX-License-Identifier: MPL-2.0 */
#include "fit.h"

#include <string.h>

#include "kernels.h"
#include "triangle.h"

#define POLL_PANELS 64
#define MOST_STEPS  8

struct work {
    const struct fit_source *s;
    const struct fit_kernels *kernels;
    size_t k, p;                /* columns without and with y */
    double *hi, *lo, *y, *y_lo; /* one panel: p columns in pairs; y with its second half for residuals */
    double *r, *r_lo;           /* triangle, p by p */
    double *lengths, *g, *g_lo, *sums, *sums_lo, *b_hi, *b_lo, *step;
};

static bool take(struct kiln_call *call, const struct fit_source *s, struct work *w)
{
    const struct kernels *kernels = call->state;
    const size_t k = s->k, p = k + 1;
    *w = (struct work){.s = s, .kernels = &kernels->fit, .k = k, .p = p};
    w->hi = call->host->alloc(call, 2 * p * FIT_ROWS * sizeof *w->hi);
    w->y = call->host->alloc(call, 2 * FIT_ROWS * sizeof *w->y);
    w->r = call->host->alloc(call, 2 * p * p * sizeof *w->r);
    w->lengths = call->host->alloc(call, 8 * p * sizeof *w->lengths);
    if (!w->hi || !w->y || !w->r || !w->lengths) {
        return false;
    }
    w->lo = w->hi + p * FIT_ROWS;
    w->y_lo = w->y + FIT_ROWS;
    w->r_lo = w->r + p * p;
    w->g = w->lengths + p;
    w->g_lo = w->g + p;
    w->sums = w->g_lo + p;
    w->sums_lo = w->sums + p;
    w->b_hi = w->sums_lo + p;
    w->b_lo = w->b_hi + p;
    w->step = w->b_lo + p;
    return true;
}

static int poll(struct kiln_call *call, size_t panel)
{
    return panel % POLL_PANELS == POLL_PANELS - 1 && call->host->cancelled(call) ? KILN_CANCELLED : KILN_OK;
}

/* ---- triangles ------------------------------------------------------------------------------------------ */

static int plain_triangle(struct kiln_call *call, struct work *w)
{
    memset(w->r, 0, w->p * w->p * sizeof *w->r);
    for (size_t t = 0; t < fit_panels(w->s->n); t++) {
        struct fit_panel panel;
        w->s->panel(w->s, t, &panel);
        memcpy(w->hi, panel.hi, w->k * FIT_ROWS * sizeof *w->hi);
        memcpy(w->hi + w->k * FIT_ROWS, panel.y, FIT_ROWS * sizeof *w->hi);
        if (panel.weights) {
            double roots[FIT_ROWS];
            for (size_t i = 0; i < FIT_ROWS; i++) {
                roots[i] = sqrt(panel.weights[i]);
            }
            for (size_t i = 0; i < w->p * FIT_ROWS; i++) {
                w->hi[i] *= roots[i % FIT_ROWS];
            }
        }
        w->kernels->append(w->r, w->hi, w->p);
        if (poll(call, t)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static int precise_triangle(struct kiln_call *call, struct work *w)
{
    memset(w->r, 0, 2 * w->p * w->p * sizeof *w->r);
    for (size_t t = 0; t < fit_panels(w->s->n); t++) {
        struct fit_panel panel;
        w->s->panel(w->s, t, &panel);
        memset(w->lo, 0, w->p * FIT_ROWS * sizeof *w->lo);
        memcpy(w->hi, panel.hi, w->k * FIT_ROWS * sizeof *w->hi);
        memcpy(w->hi + w->k * FIT_ROWS, panel.y, FIT_ROWS * sizeof *w->hi);
        if (panel.lo) {
            memcpy(w->lo, panel.lo, w->k * FIT_ROWS * sizeof *w->lo);
        }
        for (size_t i = 0; panel.weights && i < FIT_ROWS; i++) {
            const struct dd root = dd_sqrt(dd_of(panel.weights[i]));
            for (size_t j = i; j < w->p * FIT_ROWS; j += FIT_ROWS) {
                const struct dd v = dd_mul((struct dd){w->hi[j], w->lo[j]}, root);
                w->hi[j] = v.hi;
                w->lo[j] = v.lo;
            }
        }
        w->kernels->append_dd(w->r, w->r_lo, w->hi, w->lo, w->p);
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

/* ---- residuals -------------------------------------------------------------------------------------------- */

/* One pass over the observations with the coefficients b: rss, and X' W r in g when asked for. */
static int residual_pass(struct kiln_call *call, struct work *w, const struct dd *b, bool gradient,
                         double *ret_rss)
{
    double rss = 0;
    for (size_t j = 0; j < w->k; j++) {
        w->b_hi[j] = b[j].hi;
        w->b_lo[j] = b[j].lo;
        w->g[j] = w->g_lo[j] = 0;
    }
    for (size_t t = 0; t < fit_panels(w->s->n); t++) {
        struct fit_panel panel;
        w->s->panel(w->s, t, &panel);
        memcpy(w->y, panel.y, FIT_ROWS * sizeof *w->y);
        memset(w->y_lo, 0, FIT_ROWS * sizeof *w->y_lo);
        w->kernels->residuals(panel.hi, panel.lo, w->k, w->b_hi, w->b_lo, w->y, w->y_lo);
        if (w->s->ret_residuals) {
            const size_t from = t * FIT_ROWS, left = w->s->n - from;
            memcpy(w->s->ret_residuals + from, w->y, (left < FIT_ROWS ? left : FIT_ROWS) * sizeof *w->y);
        }
        double lanes[8] = {0};
        for (size_t i = 0; i < FIT_ROWS; i++) {
            const double r = w->y[i];
            if (panel.weights) {
                const struct dd weighted = dd_mul((struct dd){r, w->y_lo[i]}, dd_of(panel.weights[i]));
                lanes[i % 8] += r * weighted.hi;
                w->y[i] = weighted.hi;
                w->y_lo[i] = weighted.lo;
            } else {
                lanes[i % 8] += r * r;
            }
        }
        rss +=
            ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
        if (gradient) {
            w->kernels->gradient(panel.hi, panel.lo, w->k, w->y, w->y_lo, w->sums, w->sums_lo);
            for (size_t j = 0; j < w->k; j++) {
                const struct dd g =
                    dd_add((struct dd){w->g[j], w->g_lo[j]}, (struct dd){w->sums[j], w->sums_lo[j]});
                w->g[j] = g.hi;
                w->g_lo[j] = g.lo;
            }
        }
        if (poll(call, t)) {
            return KILN_CANCELLED;
        }
    }
    *ret_rss = rss;
    return KILN_OK;
}

/* step = root root' g; returns the length of the step in units of the scaled columns, and in ret_drop how much
 * less the sum of squares will be after it. */
static double correction(struct work *w, const double *root, double *ret_drop)
{
    const size_t k = w->k;
    double size = 0, drop = 0;
    memset(w->step, 0, k * sizeof *w->step);
    memset(w->sums, 0, k * sizeof *w->sums);
    for (size_t i = 0; i < k; i++) {
        for (size_t j = i; j < k; j++) {
            w->sums[j] += root[i * k + j] * w->g[i];
        }
    }
    for (size_t i = 0; i < k; i++) {
        for (size_t j = i; j < k; j++) {
            w->step[i] += root[i * k + j] * w->sums[j];
        }
        drop += w->sums[i] * w->sums[i];
        size = fmax(size, fabs(w->step[i] * w->lengths[i]));
    }
    *ret_drop = drop;
    return size;
}

/* ---- the two ways -------------------------------------------------------------------------------------------- */

/* KILN_FAILED, without a message, where this way does not lead to the goal. */
static int solve_plain(struct kiln_call *call, struct work *w, struct fit *ret)
{
    const size_t k = w->k, p = w->p;
    int status = plain_triangle(call, w);
    if (status) {
        return status;
    }
    triangle_lengths(w->r, k, p, w->lengths);
    if (w->s->n < k || !triangle_invert(w->r, k, p, w->lengths, ret->root)) {
        return KILN_FAILED;
    }
    double square = 0;
    for (size_t i = 0; i < k * k; i++) {
        square += ret->root[i] * ret->root[i];
    }
    ret->condition = sqrt((double) k * square);
    if (!(ret->condition < FIT_PLAIN_CONDITION)) {
        return KILN_FAILED;
    }
    double norm = 0; /* of b, in units of the scaled columns */
    for (size_t i = 0; i < k; i++) {
        double b = 0;
        for (size_t j = i; j < k; j++) {
            b += ret->root[i * k + j] * w->r[j * p + k];
            ret->root[i * k + j] /= w->lengths[i];
        }
        norm = fmax(norm, fabs(b));
        ret->b[i] = dd_of(b / w->lengths[i]);
    }
    /* A step leaves its own error, at most condition^2 ulps of it. */
    const double gain = 16 * ret->condition * ret->condition * 0x1p-53;
    const double goal = norm * 0x1p-80; /* small coefficients beside large ones are to be right, too */
    double size = HUGE_VAL, drop = 0;
    for (int steps = 0; size * gain > goal; steps++) {
        const double last = size;
        status = residual_pass(call, w, ret->b, true, &ret->rss);
        if (status) {
            return status;
        }
        size = correction(w, ret->root, &drop);
        if (steps == MOST_STEPS || !(size <= 0.5 * last)) {
            if (size <= goal) {
                break;
            }
            return KILN_FAILED;
        }
        for (size_t j = 0; j < k; j++) {
            ret->b[j] = dd_add(ret->b[j], dd_of(w->step[j]));
        }
    }
    ret->rank = k;
    if (w->s->ret_residuals || drop > 1e-3 * ret->rss) {
        return residual_pass(call, w, ret->b, false, &ret->rss);
    }
    ret->rss -= drop;
    return KILN_OK;
}

static int solve_precise(struct kiln_call *call, struct work *w, struct fit *ret)
{
    const size_t k = w->k, p = w->p;
    int status = precise_triangle(call, w);
    struct dd *r = call->host->alloc(call, k * k * sizeof *r), *c = call->host->alloc(call, k * sizeof *c);
    if (status || !r || !c) {
        return status ? status : KILN_RESOURCE;
    }
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++) {
            r[i * k + j] = (struct dd){w->r[i * p + j], w->r_lo[i * p + j]};
        }
        c[i] = (struct dd){w->r[i * p + k], w->r_lo[i * p + k]};
    }
    status = triangle_solve(call, r, c, k, w->s->rcond, ret->b, ret->root, &ret->rank, &ret->condition);
    return status ? status : residual_pass(call, w, ret->b, false, &ret->rss);
}

int fit_solve(struct kiln_call *call, const struct fit_source *s, struct fit *ret)
{
    struct work w;
    ret->b = call->host->alloc(call, s->k * sizeof *ret->b);
    ret->root = call->host->alloc(call, s->k * s->k * sizeof *ret->root);
    if (!ret->b || !ret->root || !take(call, s, &w)) {
        return KILN_RESOURCE;
    }
    const int status = solve_plain(call, &w, ret);
    return status == KILN_FAILED ? solve_precise(call, &w, ret) : status;
}

double fit_root_length(const struct fit *f, size_t k, size_t j)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++) {
        sum += f->root[j * k + i] * f->root[j * k + i];
    }
    return sqrt(sum);
}
