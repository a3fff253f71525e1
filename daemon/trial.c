/* SPDX-License-Identifier: MPL-2.0 */
#include "trial.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "channel.h"
#include "clock.h"
#include "generation.h"
#include "mem.h"

enum {
    FIRST_KEPT = 5,       /* differences that are told in full */
    FUNCTIONS_TOLD = 8,   /* rows of the report */
    FUNCTIONS_MOST = 512, /* of one plugin */
    TIMED_LEAST =
        20, /* jobs before p95 means anything; of one function, or of a canary that is not through: */
    TIMED_EARLY = 50,
    BAD_LEAST = 3,     /* failures before they are more than bad luck */
    CANARY_LEAST = 20, /* jobs before a rate does */
    DEATHS_MOST = 1,   /* of canary workers, while the serving generation loses none; jobs do kill workers */
    LOOK_MS = 50,
};

#define SLOWER_LEAST_NS                                                                                      \
    (100 * CLOCK_US)     /* a p95 that is worse by less is not worse: clocks and caches are noisy */
#define RISE_LEAST  0.01 /* a rise of the failure rate by less is none */
#define RISE_SIGMAS 3.0  /* and by less than chance may do: it is looked at again and again */

struct compared {
    char name[CONFIG_NAME_BYTES * 2];
    uint64_t jobs, differences;
    struct histogram *was, *is;
};

/* One generation's side of a canary. */
struct side {
    struct generation *generation;
    uint64_t ok, bad;      /* of workers that are gone */
    uint64_t deaths, lost; /* lost: jobs inside plugin code when a worker died */
    struct histogram run;
};

struct trial {
    struct trial_terms terms;
    uint32_t number;
    int64_t begun_ns;
    struct side old, new;
    char cause[128]; /* of the last death of the new generation */

    uint64_t jobs, differences; /* shadow */
    struct compared *functions;
    size_t n_functions;
    struct histogram was, is;
    struct {
        char function[CONFIG_NAME_BYTES * 2];
        char what[300];
    } first[FIRST_KEPT];
};

struct trial *trial_new(const struct trial_terms *terms, struct generation *serving,
                        struct generation *coming, int64_t now_ns)
{
    static uint32_t numbers;
    numbers += numbers + 1 == 0 ? 2 : 1;
    struct trial *t = mem_alloc(sizeof *t);
    *t = (struct trial){.terms = *terms,
                        .number = numbers,
                        .begun_ns = now_ns,
                        .old.generation = serving,
                        .new.generation = coming};
    return t;
}

void trial_free(struct trial **trial)
{
    struct trial *t = *trial;
    if (t) {
        for (size_t i = 0; i < t->n_functions; i++) {
            mem_free(t->functions[i].was);
            mem_free(t->functions[i].is);
        }
        mem_free(t->functions);
        mem_free(t);
        *trial = NULL;
    }
}

uint32_t trial_number(const struct trial *t)
{
    return t->number;
}

/* ---- what is told ---- */

void trial_lost(struct trial *t, const struct generation *g, const struct slot *slot,
                const struct member_ending *e)
{
    struct side *side = g == t->new.generation ? &t->new : &t->old;
    scoreboard_sum(slot, t->number, &side->ok, &side->bad, &side->run);
    if (e->kind && strcmp(e->kind, "stop") != 0) {
        side->deaths++;
        side->lost += e->running;
        if (side == &t->new) {
            snprintf(t->cause, sizeof t->cause, "%s", e->cause);
        }
    }
}

static struct compared *function_of(struct trial *t, const char *name)
{
    for (size_t i = 0; i < t->n_functions; i++) {
        if (strcmp(t->functions[i].name, name) == 0) {
            return &t->functions[i];
        }
    }
    if (t->n_functions == FUNCTIONS_MOST) {
        return NULL; /* a worker that lies; it counts for the whole */
    }
    t->functions = mem_grow(t->functions, (t->n_functions + 1) * sizeof *t->functions);
    struct compared *f = &t->functions[t->n_functions++];
    *f = (struct compared){.was = mem_alloc(sizeof *f->was), .is = mem_alloc(sizeof *f->is)};
    snprintf(f->name, sizeof f->name, "%s", name);
    return f;
}

void trial_compared(struct trial *t, const struct note *n)
{
    char name[sizeof n->function];
    snprintf(name, sizeof name, "%.*s", (int) sizeof n->function - 1, n->function);
    struct compared *f = function_of(t, name);
    if (n->differs && t->differences < FIRST_KEPT) {
        snprintf(t->first[t->differences].function, sizeof t->first->function, "%s", name);
        snprintf(t->first[t->differences].what, sizeof t->first->what, "%.*s", (int) sizeof n->text - 1,
                 n->text);
    }
    t->jobs++;
    t->differences += n->differs;
    if (n->timed) {
        histogram_add(&t->was, n->was_ns);
        histogram_add(&t->is, n->run_ns);
    }
    if (f) {
        f->jobs++;
        f->differences += n->differs;
        if (n->timed) {
            histogram_add(f->was, n->was_ns);
            histogram_add(f->is, n->run_ns);
        }
    }
}

/* ---- judging ---- */

/* True when the new p95 is worse than the terms allow; then the sentence says so. */
static bool slower(const struct trial *t, const struct histogram *was, const struct histogram *is,
                   uint64_t least, const char *where, char *why, size_t why_bytes)
{
    if (was->count < least || is->count < least) {
        return false;
    }
    double before = histogram_quantile(was, 0.95), now = histogram_quantile(is, 0.95);
    if (now <= before * (double) t->terms.slower_percent / 100 || now - before <= (double) SLOWER_LEAST_NS) {
        return false;
    }
    snprintf(
        why, why_bytes,
        "%s: p95 of run is %.0f us, and %.0f us in the generation that serves: more than %.3g times as slow",
        where, now / 1e3, before / 1e3, (double) t->terms.slower_percent / 100);
    return true;
}

static enum trial_verdict judge_shadow(struct trial *t, int64_t now_ns, char *why, size_t why_bytes)
{
    if (t->new.deaths) {
        snprintf(why, why_bytes, "shadow: a worker of it died by %s after %" PRIu64 " copies", t->cause,
                 t->jobs);
        return TRIAL_FAILED;
    }
    bool timeout = now_ns >= t->begun_ns + (int64_t) t->terms.for_ms * CLOCK_MS;
    /* All copies are compared, whatever the first ones show: the report is what the next change is made from. */
    if (t->differences > t->terms.allow && (timeout || t->jobs >= t->terms.jobs)) {
        snprintf(why, why_bytes,
                 "shadow: %" PRIu64 " of %" PRIu64 " answers differ, allowed are %" PRIu64 "; %s: %s",
                 t->differences, t->jobs, t->terms.allow, t->first[0].function, t->first[0].what);
        return TRIAL_FAILED;
    }
    if (t->jobs < t->terms.jobs) {
        if (!timeout) {
            return TRIAL_GOES_ON;
        }
        snprintf(why, why_bytes, "shadow: only %" PRIu64 " of %" PRIu64 " copies came within %.3g s", t->jobs,
                 t->terms.jobs, (double) t->terms.for_ms / 1e3);
        return TRIAL_FAILED;
    }
    for (size_t i = 0; i < t->n_functions; i++) {
        const struct compared *f = &t->functions[i];
        if (slower(t, f->was, f->is, TIMED_EARLY, f->name, why, why_bytes)) {
            return TRIAL_FAILED;
        }
    }
    return slower(t, &t->was, &t->is, TIMED_LEAST, "all functions", why, why_bytes) ? TRIAL_FAILED
                                                                                    : TRIAL_PASSED;
}

/* The side with its workers that are alive. */
static struct side sum(const struct trial *t, const struct side *side)
{
    struct side all = *side;
    for (size_t i = 0; i < side->generation->n_members; i++) {
        scoreboard_sum(side->generation->members[i]->slot, t->number, &all.ok, &all.bad, &all.run);
    }
    all.bad += all.lost;
    return all;
}

static uint64_t jobs_of(const struct side *s)
{
    return s->ok + s->bad;
}

static double rate(const struct side *s)
{
    uint64_t n = jobs_of(s);
    return n ? (double) s->bad / (double) n : 0;
}

/* More failures than margin and chance explain. */
static bool worse(const struct side *new, const struct side *old)
{
    double n = (double) jobs_of(new), m = (double) jobs_of(old);
    if (n < CANARY_LEAST || new->bad < BAD_LEAST) {
        return false;
    }
    double pooled = (double) (new->bad + old->bad) / (n + m);
    double chance = RISE_SIGMAS * sqrt(pooled * (1 - pooled) * (1 / n + (m > 0 ? 1 / m : 0)));
    return rate(new) - rate(old) > RISE_LEAST + chance;
}

static enum trial_verdict judge_canary(const struct trial *t, int64_t now_ns, char *why, size_t why_bytes)
{
    struct side new = sum(t, &t->new), old = sum(t, &t->old);
    bool timeout = now_ns >= t->begun_ns + (int64_t) t->terms.for_ms * CLOCK_MS;
    bool through = timeout || (t->terms.jobs && jobs_of(&new) >= t->terms.jobs);
    if (new.deaths > DEATHS_MOST &&new.deaths > old.deaths) {
        snprintf(why, why_bytes,
                 "canary: %" PRIu64 " workers of it died, the last by %s; it had ended %" PRIu64 " jobs",
                 new.deaths, t->cause, jobs_of(&new));
        return TRIAL_FAILED;
    }
    if (worse(&new, &old)) {
        snprintf(why, why_bytes,
                 "canary: %" PRIu64 " of %" PRIu64 " jobs failed (%.1f %%), and %" PRIu64 " of %" PRIu64
                 " (%.1f %%) in the generation that serves",
                 new.bad, jobs_of(&new), 100 * rate(&new), old.bad, jobs_of(&old), 100 * rate(&old));
        return TRIAL_FAILED;
    }
    if (slower(t, &old.run, &new.run, through ? TIMED_LEAST : TIMED_EARLY, "canary", why, why_bytes)) {
        return TRIAL_FAILED;
    }
    if (!through) {
        return TRIAL_GOES_ON;
    }
    if (jobs_of(&new) < CANARY_LEAST) {
        snprintf(why, why_bytes,
                 "canary: only %" PRIu64
                 " jobs came to it within %.3g s, and %d are the least to judge by: give it longer, "
                 "or a larger share",
                 jobs_of(&new), (double) t->terms.for_ms / 1e3, CANARY_LEAST);
        return TRIAL_FAILED;
    }
    return TRIAL_PASSED;
}

enum trial_verdict trial_judge(struct trial *t, int64_t now_ns, char *why, size_t why_bytes,
                               int64_t *ret_until_ns)
{
    if (t->terms.kind == TRIAL_SHADOW) {
        *ret_until_ns = t->begun_ns + (int64_t) t->terms.for_ms * CLOCK_MS;
        return judge_shadow(t, now_ns, why, why_bytes);
    }
    *ret_until_ns = now_ns + LOOK_MS * CLOCK_MS;
    return judge_canary(t, now_ns, why, why_bytes);
}

/* ---- telling ---- */

static void put_uint(struct buf *b, const char *key, uint64_t value)
{
    buf_put_text(b, key);
    buf_put_u64(b, value);
}

static void put_time(struct buf *b, const char *key, const struct histogram *h, double q)
{
    buf_put_text(b, key);
    buf_put_f64(b, histogram_quantile(h, q) / 1e3);
}

enum { TIME_PAIRS = 4 };
static void put_times(struct buf *b, const struct histogram *was, const struct histogram *is)
{
    put_time(b, "p50_us", is, 0.5);
    put_time(b, "p95_us", is, 0.95);
    put_time(b, "was_p50_us", was, 0.5);
    put_time(b, "was_p95_us", was, 0.95);
}

/* Those with the most differences, else with the most jobs, come first. */
static int before(const void *a, const void *b)
{
    const struct compared *x = *(const struct compared *const *) a, *y = *(const struct compared *const *) b;
    if (x->differences != y->differences) {
        return x->differences < y->differences ? 1 : -1;
    }
    return x->jobs < y->jobs ? 1 : x->jobs > y->jobs ? -1 : 0;
}

static void put_functions(const struct trial *t, struct buf *b)
{
    const struct compared *order[FUNCTIONS_MOST];
    for (size_t i = 0; i < t->n_functions; i++) {
        order[i] = &t->functions[i];
    }
    qsort(order, t->n_functions, sizeof *order, before);
    size_t n = t->n_functions < FUNCTIONS_TOLD ? t->n_functions : FUNCTIONS_TOLD;
    buf_put_str_const(b, "functions");
    buf_put_list(b, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_map(b, 3 + TIME_PAIRS);
        buf_put_str_const(b, "name");
        buf_put_text(b, order[i]->name);
        put_uint(b, "jobs", order[i]->jobs);
        put_uint(b, "differences", order[i]->differences);
        put_times(b, order[i]->was, order[i]->is);
    }
}

static void put_shadow(const struct trial *t, struct buf *b)
{
    size_t n = t->differences < FIRST_KEPT ? (size_t) t->differences : FIRST_KEPT;
    buf_put_map(b, 7 + TIME_PAIRS);
    buf_put_str_const(b, "kind");
    buf_put_str_const(b, "shadow");
    put_uint(b, "wanted", t->terms.jobs);
    put_uint(b, "jobs", t->jobs);
    put_uint(b, "differences", t->differences);
    put_uint(b, "deaths", t->new.deaths);
    put_times(b, &t->was, &t->is);
    buf_put_str_const(b, "first");
    buf_put_list(b, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_map(b, 2);
        buf_put_str_const(b, "function");
        buf_put_text(b, t->first[i].function);
        buf_put_str_const(b, "what");
        buf_put_text(b, t->first[i].what);
    }
    put_functions(t, b);
}

static void put_canary(const struct trial *t, struct buf *b)
{
    struct side new = sum(t, &t->new), old = sum(t, &t->old);
    buf_put_map(b, 8 + TIME_PAIRS);
    buf_put_str_const(b, "kind");
    buf_put_str_const(b, "canary");
    put_uint(b, "share_permille", t->terms.share_permille);
    put_uint(b, "jobs", jobs_of(&new));
    put_uint(b, "bad", new.bad);
    put_uint(b, "deaths", new.deaths);
    put_uint(b, "was_jobs", jobs_of(&old));
    put_uint(b, "was_bad", old.bad);
    put_uint(b, "was_deaths", old.deaths);
    put_times(b, &old.run, &new.run);
}

void trial_put(const struct trial *t, struct buf *b)
{
    t->terms.kind == TRIAL_SHADOW ? put_shadow(t, b) : put_canary(t, b);
}

void trial_progress(const struct trial *t, char *out, size_t bytes)
{
    if (t->terms.kind == TRIAL_SHADOW) {
        snprintf(out, bytes, "shadow %" PRIu64 "/%" PRIu64, t->jobs, t->terms.jobs);
    } else {
        struct side new = sum(t, &t->new);
        snprintf(out, bytes, "canary %.3g%% %" PRIu64 " jobs", (double) t->terms.share_permille / 10,
                 jobs_of(&new));
    }
}
