/* SPDX-License-Identifier: MPL-2.0 */
#include "simulate.h"

#include <math.h>
#include <string.h>

#include <kiln/plugin.h>

#include "random.h"

#define SHORT 16     /* a table of so many values is counted through, a longer one is halved */
#define POLL  500000 /* draws between two questions whether the job is still wanted: some milliseconds */

/* ---- counts and sizes ---------------------------------------------------------------------------- */

/* Cumulative probabilities: the number of those not above a uniform draw, plus `least`, is the value. */
struct table {
    size_t count, least;
    double *below;
};

static size_t draw(const struct table *t, double u)
{
    size_t at = 0, left = t->count;
    if (left <= SHORT) { /* no branch that the processor would guess wrong */
        for (size_t i = 0; i < t->count; i++) {
            at += t->below[i] <= u;
        }
        left = 0;
    }
    while (left > 0) {
        size_t half = left / 2;
        bool above = t->below[at + half] <= u;
        at = above ? at + half + 1 : at;
        left = above ? left - half - 1 : half;
    }
    return t->least + (at < t->count ? at : t->count - 1);
}

static void accumulate(struct table *t)
{
    double sum = 0;
    for (size_t i = 0; i < t->count; i++) {
        sum += t->below[i];
        t->below[i] = sum;
    }
    for (size_t i = 0; i < t->count; i++) {
        t->below[i] /= sum;
    }
}

/* Poisson probabilities relative to that of the mode: no exponential, no overflow. */
static bool count_table(struct kiln_call *call, double rate, struct table *t)
{
    double mode = floor(rate), spread = ceil(12 * sqrt(rate)) + 40;
    double least = mode > spread ? mode - spread : 0;
    size_t at = (size_t) (mode - least);
    *t = (struct table){.count = at + (size_t) spread + 1, .least = (size_t) least};
    t->below = call->host->alloc(call, t->count * sizeof *t->below);
    if (t->below == NULL) {
        return false;
    }
    t->below[at] = 1;
    for (size_t i = at; i-- > 0;) {
        t->below[i] = t->below[i + 1] * (least + (double) i + 1) / rate;
    }
    for (size_t i = at + 1; i < t->count; i++) {
        t->below[i] = t->below[i - 1] * rate / (least + (double) i);
    }
    accumulate(t);
    return true;
}

static bool size_table(struct kiln_call *call, const struct buckets *b, struct table *t)
{
    *t = (struct table){.count = b->count, .below = call->host->alloc(call, b->count * sizeof *t->below)};
    if (t->below == NULL) {
        return false;
    }
    memcpy(t->below, b->weight, b->count * sizeof *t->below);
    accumulate(t);
    return true;
}

/* ---- one episode --------------------------------------------------------------------------------- */

struct world {
    const struct portfolio *p;
    const struct simulation *s;
    struct table counts, sizes;
    size_t *order;   /* staked assets, the first to be unbonded first */
    double *loading; /* held x assets: of the hedged overweights on independent normals */
    double *reply;   /* assets: the same of all that still unbond together */
    double most;     /* staking level: redemptions that it leaves liquidity for cost nothing */
    struct random uniform, normal;
    double draws;
};

static void sort_by_days(const struct portfolio *p, size_t *order)
{
    for (size_t i = 0; i < p->held; i++) {
        size_t at = i;
        for (; at > 0 && p->days[order[at - 1]] > p->days[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

static bool world_make(struct kiln_call *call, const struct portfolio *p, const struct simulation *s,
                       struct world *w)
{
    *w = (struct world){
        .p = p,
        .s = s,
        .order = call->host->alloc(call, p->held * sizeof *w->order),
        .loading = call->host->alloc(call, p->assets * p->held * sizeof *w->loading),
        .reply = call->host->alloc(call, p->assets * sizeof *w->reply),
    };
    if (!w->order || !w->loading || !w->reply || !count_table(call, p->redemptions, &w->counts) ||
        !size_table(call, &p->buckets, &w->sizes)) {
        return false;
    }
    for (size_t a = 0; a < p->held; a++) {
        w->most = fmax(w->most, p->level[a]);
    }
    sort_by_days(p, w->order);
    exposure_returns(&p->risk, p->held, p->weight, p->work, w->loading);
    random_seed(&w->uniform, s->seed, 0);
    random_seed(&w->normal, s->seed, 1);
    return true;
}

/* The return of `reply` over one step. */
static double step(struct world *w)
{
    double sum = 0;
    for (size_t i = 0; i < w->p->assets; i++) {
        sum += w->reply[i] * random_normal(&w->normal);
    }
    w->draws += (double) w->p->assets;
    return sum;
}

static double interval(struct world *w, double days)
{
    if (!w->s->daily) {
        return step(w) * sqrt(days);
    }
    double sum = 0;
    for (; days >= 1; days -= 1) {
        sum += step(w);
    }
    return days > 0 ? sum + step(w) * sqrt(days) : sum;
}

static double episode(struct world *w, double size)
{
    const struct portfolio *p = w->p;
    double sum = 0, day = 0;
    if (!(excess(size, w->most) > 0)) {
        return 0;
    }
    for (size_t first = 0; first < p->held; first++) {
        double end = p->days[w->order[first]];
        if (!(end > day)) {
            continue;
        }
        bool any = false;
        memset(w->reply, 0, p->assets * sizeof *w->reply);
        for (size_t k = first; k < p->held; k++) {
            size_t a = w->order[k];
            double over = excess(size, p->level[a]);
            if (over > 0) {
                any = true;
                for (size_t i = 0; i < p->assets; i++) {
                    w->reply[i] += over * w->loading[a * p->assets + i];
                }
            }
        }
        sum += any ? interval(w, end - day) : 0.0;
        day = end;
    }
    return sum;
}

/* ---- years --------------------------------------------------------------------------------------- */

double simulate_work(const struct portfolio *p, const struct simulation *s)
{
    double reached = 0, days = 0, ends = 0;
    for (size_t a = 0; a < p->held; a++) {
        double part = 0;
        for (size_t j = 0; j < p->buckets.count; j++) {
            part += excess(p->buckets.size[j], p->level[a]) > 0 ? p->buckets.weight[j] : 0.0;
        }
        reached = fmax(reached, part);
        days = fmax(days, part > 0 ? ceil(p->days[a]) + (double) p->held : 0.0);
        ends += p->days[a] > 0;
    }
    return (double) s->years * p->redemptions * reached * (s->daily ? days : ends) * (double) p->assets;
}

static void count_year(struct tally *t, double redemptions, double r)
{
    double square = r * r, loss = r < 0 ? r : 0.0;
    t->years += 1;
    t->redemptions += redemptions;
    t->first += r;
    t->second += square;
    t->third += square * r;
    t->fourth += square * square;
    t->loss += loss;
    t->loss_square += loss * loss;
}

static bool wanted(struct kiln_call *call, struct world *w, int64_t year)
{
    w->draws = 0;
    call->host->progress(call, (double) year / (double) w->s->years);
    return !call->host->cancelled(call);
}

int simulate_run(struct kiln_call *call, const struct portfolio *p, const struct simulation *s,
                 struct tally *ret_tally)
{
    struct world w;
    if (!world_make(call, p, s, &w)) {
        return KILN_RESOURCE;
    }
    struct tally t = {0};
    for (int64_t year = 0; year < s->years; year++) {
        size_t redemptions = p->redemptions > 0 ? draw(&w.counts, random_uniform(&w.uniform)) : 0;
        double r = 0;
        for (size_t i = 0; i < redemptions; i++) {
            r += episode(&w, p->buckets.size[draw(&w.sizes, random_uniform(&w.uniform))]);
            w.draws += 4;
            if (w.draws > POLL && !wanted(call, &w, year)) {
                return KILN_CANCELLED;
            }
        }
        w.draws += 4;
        if (w.draws > POLL && !wanted(call, &w, year)) {
            return KILN_CANCELLED;
        }
        count_year(&t, (double) redemptions, r);
    }
    *ret_tally = t;
    return KILN_OK;
}
