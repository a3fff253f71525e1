/* SPDX-License-Identifier: MPL-2.0 */
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kiln/plugin.h>

#include "heap.h"

#define TOLERANCE 1e-10 /* of the optimum, relative */
#define SMALL     1e-9  /* what an optimum near 0 is compared with: 0.01 bps x 0.1 % */

struct knots {
    size_t count;
    double *at; /* ascending, all different; the first and the last are the bounds */
};

struct tree {
    struct kiln_call *call;
    const struct portfolio *p;
    const struct search_request *r;
    struct knots *knots;     /* of each asset */
    uint32_t *range;         /* boxes: for each asset the index of its first and last knot */
    struct heap_entry *heap; /* the largest bound first */
    size_t boxes, waiting, room;
    struct measure measure;
    struct cell cell;
    double *low, *high, *point, *slope, *rise;
    size_t *order;
    bool convex; /* no negative cross terms: TE is convex and grows with each level */
    struct found *found;
};

/* ---- memory -------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static int make_knots(struct tree *t, size_t a)
{
    const struct portfolio *p = t->p;
    double low = t->r->low[a], high = t->r->high[a];
    double *at = t->call->host->alloc(t->call, (p->buckets.count + 3) * sizeof *at);
    if (at == NULL) {
        return KILN_RESOURCE;
    }
    size_t n = 0;
    at[n++] = low;
    at[n++] = high;
    if (p->baseline[a] > low && p->baseline[a] < high) {
        at[n++] = p->baseline[a];
    }
    for (size_t j = 0; j < p->buckets.count; j++) {
        double knot = 1.0 - p->buckets.size[j];
        if (knot > low && knot < high && p->buckets.weight[j] > 0) {
            at[n++] = knot;
        }
    }
    qsort(at, n, sizeof *at, ascending);
    size_t kept = 1;
    for (size_t i = 1; i < n; i++) {
        if (at[i] > at[kept - 1]) {
            at[kept++] = at[i];
        }
    }
    t->knots[a] = (struct knots){kept, at};
    return KILN_OK;
}

/* Doubles the room for boxes; what is outgrown stays with the call. */
static bool grow(struct tree *t)
{
    size_t room = t->room ? 2 * t->room : 64, bytes = 2 * t->p->held * sizeof *t->range;
    uint32_t *range = t->call->host->alloc(t->call, room * bytes);
    struct heap_entry *heap = t->call->host->alloc(t->call, room * sizeof *heap);
    if (range == NULL || heap == NULL) {
        return false;
    }
    if (t->room > 0) {
        memcpy(range, t->range, t->boxes * bytes);
        memcpy(heap, t->heap, t->waiting * sizeof *heap);
    }
    t->range = range;
    t->heap = heap;
    t->room = room;
    return true;
}

static int make(struct tree *t)
{
    size_t n = t->p->held;
    t->knots = t->call->host->alloc(t->call, n * sizeof *t->knots);
    t->order = t->call->host->alloc(t->call, n * sizeof *t->order);
    t->found->level = t->call->host->alloc(t->call, n * sizeof(double));
    double *memory = t->call->host->alloc(t->call, 5 * n * sizeof *memory);
    if (!t->knots || !t->order || !t->found->level || !memory || !grow(t)) {
        return KILN_RESOURCE;
    }
    t->low = memory;
    t->high = memory + n;
    t->point = memory + 2 * n;
    t->slope = memory + 3 * n;
    t->rise = memory + 4 * n;
    int rc = portfolio_measure_init(t->call, t->p, &t->measure);
    rc = rc == KILN_OK ? cell_init(t->call, t->p, &t->cell) : rc;
    t->convex = true;
    for (size_t a = 0; rc == KILN_OK && a < n; a++) {
        for (size_t b = 0; b < a; b++) {
            t->convex &= t->p->variance[a * n + b] >= 0;
        }
        rc = make_knots(t, a);
    }
    return rc;
}

/* ---- bounds -------------------------------------------------------------------------------------- */

static double charge(const struct tree *t, double te)
{
    return t->r->goal.by_yield ? 0.0 : fmin(0.0, t->p->budget - POINT_SHORTFALL * te);
}

static int try_levels(struct tree *t, const double *level)
{
    int rc = portfolio_measure(t->call, t->p, level, &t->measure);
    double value = goal_value(&t->r->goal, &t->measure);
    if (rc == KILN_OK && value > t->found->value) {
        t->found->feasible = true;
        t->found->value = value;
        memcpy(t->found->level, level, t->p->held * sizeof *level);
    }
    return rc;
}

/* The least that TE can be in the box, and the benefit of each asset's end levels in rise (their
 * difference). Overweights that offset others count with their most. */
static int corners(struct tree *t, double *ret_te, double *ret_benefit)
{
    size_t n = t->p->held;
    double square = 0, benefit = 0;
    int rc = portfolio_measure(t->call, t->p, t->low, &t->measure);
    for (size_t a = 0; rc == KILN_OK && a < n; a++) {
        double own = portfolio_benefit_baseline(t->p, a, t->low[a]) +
                     portfolio_benefit_marginal(t->p, a, t->measure.first[a]);
        t->rise[a] = -own;
        benefit += own;
        for (size_t b = 0; b < n; b++) {
            square += fmax(0.0, t->p->variance[a * n + b]) * t->measure.second[a * n + b];
        }
    }
    rc = rc == KILN_OK ? portfolio_measure(t->call, t->p, t->high, &t->measure) : rc;
    for (size_t a = 0; rc == KILN_OK && a < n; a++) {
        t->rise[a] += portfolio_benefit_baseline(t->p, a, t->high[a]) +
                      portfolio_benefit_marginal(t->p, a, t->measure.first[a]);
        for (size_t b = 0; !t->convex && b < n; b++) {
            square += fmin(0.0, t->p->variance[a * n + b]) * t->measure.second[a * n + b];
        }
    }
    *ret_te = sqrt(fmax(0.0, square));
    *ret_benefit = benefit;
    return rc;
}

/* A tangent plane of TE at the middle of the box: its value at the lower corner, and its rise to each upper
 * end in slope. */
static int tangent(struct tree *t, double *ret_te)
{
    size_t n = t->p->held;
    for (size_t a = 0; a < n; a++) {
        t->point[a] = (t->low[a] + t->high[a]) / 2;
        t->slope[a] = 0;
    }
    int rc = portfolio_measure(t->call, t->p, t->point, &t->measure);
    double te = t->measure.tracking_error;
    if (rc != KILN_OK || !(te > 0)) {
        *ret_te = 0;
        return rc;
    }
    for (size_t j = 0; j < t->p->buckets.count; j++) {
        double r = t->p->buckets.size[j], w = t->p->buckets.weight[j];
        for (size_t a = 0; a < n; a++) {
            if (excess(r, t->point[a]) > 0) {
                for (size_t b = 0; b < n; b++) {
                    t->slope[a] += w * t->p->variance[a * n + b] * excess(r, t->point[b]);
                }
            }
        }
    }
    *ret_te = te;
    for (size_t a = 0; a < n; a++) {
        t->slope[a] *= (t->high[a] - t->low[a]) / te;
        *ret_te -= t->slope[a] / 2;
    }
    return rc;
}

/* Orders the assets by rise per slope, free ones first. */
static void order_by_worth(struct tree *t)
{
    for (size_t i = 0; i < t->p->held; i++) {
        size_t at = i;
        for (; at > 0 && t->rise[i] * t->slope[t->order[at - 1]] > t->rise[t->order[at - 1]] * t->slope[i];
             at--) {
            t->order[at] = t->order[at - 1];
        }
        t->order[at] = i;
    }
}

/* Most of benefit + charge(te) when levels rise along chord and tangent; the levels of that in point. */
static double climb(struct tree *t, double te, double benefit)
{
    const struct goal *goal = &t->r->goal;
    double free =
        goal->by_yield ? HUGE_VAL : t->p->budget / POINT_SHORTFALL; /* TE that nothing is charged for */
    double cap = goal->cap * GOAL_CAP_SLACK;
    order_by_worth(t);
    memcpy(t->point, t->low, t->p->held * sizeof *t->point);
    for (size_t i = 0; i < t->p->held; i++) {
        size_t a = t->order[i];
        double rise = t->rise[a], slope = t->slope[a], part = 1;
        if (slope > 0) {
            double to = rise > POINT_SHORTFALL * slope ? cap : fmin(cap, free);
            part = fmin(1.0, fmax(0.0, (to - te) / slope));
        }
        te += part * slope;
        benefit += part * rise;
        t->point[a] += part * (t->high[a] - t->low[a]);
    }
    return te > cap * GOAL_CAP_SLACK ? -HUGE_VAL : benefit + charge(t, te);
}

/* No levels of the box in low..high have more; -HUGE_VAL: none meets the cap. Tries some. */
static int box_bound(struct tree *t, double *ret_bound)
{
    double te, benefit, upper, tangent_te;
    int rc = corners(t, &te, &benefit);
    if (rc != KILN_OK || te > t->r->goal.cap * GOAL_CAP_SLACK) {
        *ret_bound = -HUGE_VAL;
        return rc;
    }
    upper = benefit;
    for (size_t a = 0; a < t->p->held; a++) {
        upper += t->rise[a];
    }
    *ret_bound = upper + charge(t, te);
    rc = try_levels(t, t->low);
    rc = rc == KILN_OK ? try_levels(t, t->high) : rc;
    if (rc == KILN_OK && t->convex) {
        rc = tangent(t, &tangent_te);
        if (rc == KILN_OK) {
            *ret_bound = fmin(*ret_bound, climb(t, tangent_te, benefit));
            rc = try_levels(t, t->point);
        }
    }
    return rc;
}

/* ---- branching ----------------------------------------------------------------------------------- */

static uint32_t *range_of(struct tree *t, size_t box)
{
    return t->range + 2 * t->p->held * box;
}

static void corners_of(struct tree *t, const uint32_t *range)
{
    for (size_t a = 0; a < t->p->held; a++) {
        t->low[a] = t->knots[a].at[range[2 * a]];
        t->high[a] = t->knots[a].at[range[2 * a + 1]];
    }
}

static double tolerance(const struct found *found)
{
    return TOLERANCE * fmax(fabs(found->value), SMALL);
}

/* Bounds a box whose range is filled and keeps it when it may hold something better. */
static int consider(struct tree *t, size_t box, bool *ret_kept)
{
    double bound;
    corners_of(t, range_of(t, box));
    int rc = box_bound(t, &bound);
    t->found->boxes++;
    *ret_kept = rc == KILN_OK && bound > -HUGE_VAL &&
                (!t->found->feasible || bound > t->found->value + tolerance(t->found));
    if (*ret_kept) {
        heap_push(t->heap, &t->waiting, (struct heap_entry){bound, box});
    }
    return rc;
}

/* The asset whose levels leave most open; held when the box is one cell. */
static size_t widest(struct tree *t, const uint32_t *range)
{
    size_t n = t->p->held, best = n;
    double most = -1;
    for (size_t a = 0; a < n; a++) {
        double width = t->knots[a].at[range[2 * a + 1]] - t->knots[a].at[range[2 * a]];
        double weight = width * (t->p->income[a] * (1 + t->p->episodes[a]) + sqrt(t->p->variance[a * n + a]));
        if (range[2 * a + 1] - range[2 * a] > 1 && weight > most) {
            most = weight;
            best = a;
        }
    }
    return best;
}

static int solve_cell(struct tree *t, size_t box)
{
    corners_of(t, range_of(t, box));
    t->found->cells++;
    if (!cell_solve(t->p, &t->r->goal, t->low, t->high, &t->cell, t->point)) {
        return KILN_OK;
    }
    return try_levels(t, t->point);
}

static int split(struct tree *t, size_t box, size_t a)
{
    if (t->boxes == t->room && !grow(t)) {
        return KILN_RESOURCE;
    }
    size_t other = t->boxes;
    uint32_t *range = range_of(t, box);
    uint32_t middle = (range[2 * a] + range[2 * a + 1]) / 2;
    memcpy(range_of(t, other), range, 2 * t->p->held * sizeof *range);
    range[2 * a + 1] = middle;
    range_of(t, other)[2 * a] = middle;
    bool kept;
    int rc = consider(t, box, &kept);
    rc = rc == KILN_OK ? consider(t, other, &kept) : rc;
    t->boxes += rc == KILN_OK && kept; /* otherwise its place is free again */
    return rc;
}

static int explore(struct tree *t)
{
    while (t->waiting > 0) {
        struct heap_entry e = heap_pop(t->heap, &t->waiting);
        if (t->found->feasible && !(e.bound > t->found->value + tolerance(t->found))) {
            t->waiting = 0; /* nor can the others */
            break;
        }
        if (t->found->boxes >= t->r->boxes_max) {
            t->found->bound = e.bound;
            t->found->proven = false;
            break;
        }
        if (t->call->host->cancelled(t->call)) {
            return KILN_CANCELLED;
        }
        size_t a = widest(t, range_of(t, e.box));
        int rc = a < t->p->held ? split(t, e.box, a) : solve_cell(t, e.box);
        if (rc != KILN_OK) {
            return rc;
        }
    }
    return KILN_OK;
}

int search_run(struct kiln_call *call, const struct portfolio *p, const struct search_request *r,
               struct found *ret_found)
{
    *ret_found = (struct found){.value = -HUGE_VAL, .bound = -HUGE_VAL, .proven = true};
    struct tree t = {.call = call, .p = p, .r = r, .found = ret_found};
    int rc = make(&t);
    if (rc != KILN_OK) {
        return rc;
    }
    for (size_t a = 0; a < p->held; a++) {
        range_of(&t, 0)[2 * a] = 0;
        range_of(&t, 0)[2 * a + 1] = (uint32_t) t.knots[a].count - 1;
    }
    t.boxes = 1;
    bool kept;
    rc = consider(&t, 0, &kept);
    rc = rc == KILN_OK ? explore(&t) : rc;
    ret_found->bound = fmax(ret_found->bound, ret_found->value);
    return rc;
}
