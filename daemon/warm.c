/* SPDX-License-Identifier: MPL-2.0 */
/* warm - every function warmed and proven by its golden examples, before it sees a live job.
 *
 * Each example runs cold, then warm a number of times, each answer being compared; then examples run together
 * in batches, and must give what they gave alone. All of it goes through engine_run: what is warmed is what
 * will serve. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "engine_impl.h"
#include "golden.h"
#include "mem.h"
#include "status.h"

enum { MOST_REPEATS = 200, N_BATCHES = 3 };

struct effort {
    int repeats; /* most warm runs of an example */
    int least_repeats;
    int64_t example_ns; /* and most time for them */
    int64_t batch_ns;   /* examples whose share of a batch would take longer stay out of batches over 2 */
    int batch_repeats;
};

static const struct effort fast_effort = {20, 2, 100 * CLOCK_US, 500 * CLOCK_US, 1};
static const struct effort full_effort = {MOST_REPEATS, 5, 20 * CLOCK_MS, 200 * CLOCK_MS, 10};

/* One example while its function is proven. */
struct example {
    struct kiln_golden row;
    struct golden golden;
    struct buf single; /* the answer when it ran alone */
    int64_t warm_ns;   /* median */
};

struct prover {
    struct engine *e;
    struct function *f;
    size_t fn;
    const struct effort *effort;
    struct example *examples;
    size_t n;
    struct engine_job *jobs;
    struct batch_time {
        uint32_t n;
        int64_t ns;
    } batches[N_BATCHES];
    size_t n_batches;
    struct err *err;
};

static int say(struct prover *p, const struct example *x, const char *more)
{
    struct err *err = p->err;
    if (err) {
        err->status = KILN_INTERNAL;
        err->field[0] = '\0';
    }
    err_prefix(err, "%s.%s, %s%s", p->e->desc.name, p->f->desc.name, x->golden.title, more);
    return KILN_INTERNAL;
}

/* Is this what the example must give? */
static int judge(struct prover *p, const struct example *x, const struct engine_job *job, const char *more)
{
    const struct kiln_golden *row = &x->row;
    if (job->status != row->status) {
        err_set(p->err, KILN_INTERNAL, NULL, "it ended %s%s%s, expected %s", status_name(job->status),
                job->error[0] ? ": " : "", job->error, status_name(row->status));
        return say(p, x, more);
    }
    if (row->status != KILN_OK) {
        if (row->result && !strstr(job->error, row->result)) {
            err_set(p->err, KILN_INTERNAL, NULL, "its error is \"%.200s\", expected a text with \"%.120s\"",
                    job->error, row->result);
            return say(p, x, more);
        }
        return 0;
    }
    if (x->golden.expected.bytes &&
        golden_compare(x->golden.expected.data, x->golden.expected.bytes, job->result, job->result_bytes,
                       row->rtol, row->atol, p->err)) {
        return say(p, x, more);
    }
    return 0;
}

static void prepare(struct engine_job *job, const struct example *x)
{
    *job = (struct engine_job){.payload = x->golden.args.data, .payload_bytes = x->golden.args.bytes};
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return x < y ? -1 : x > y;
}

static int warm_one(struct prover *p, struct example *x, bool *cold)
{
    int64_t times[MOST_REPEATS], begin = clock_ns(), before = begin, total = 0;
    int n = 0;
    engine_step("%s.%s, %s", p->e->desc.name, p->f->desc.name, x->golden.title);
    for (int run = -1; run < p->effort->repeats; run++) { /* run -1 is the cold one */
        prepare(p->jobs, x);
        before = clock_ns();
        engine_run(p->e, p->fn, p->jobs, 1, true, NULL);
        int64_t took = clock_ns() - before;
        int status = judge(p, x, p->jobs, run < 0 ? "" : ", repeated");
        if (status) {
            return status;
        }
        if (run < 0) {
            if (*cold && x->row.status == KILN_OK) {
                p->f->cold_ns = took;
                *cold = false;
            }
            buf_put_raw(&x->single, p->jobs->result, p->jobs->result_bytes);
            continue;
        }
        if (p->effort == &full_effort && p->f->desc.flags & KILN_PURE && x->row.status == KILN_OK &&
            golden_compare(x->single.data, x->single.bytes, p->jobs->result, p->jobs->result_bytes,
                           x->row.rtol, x->row.atol, p->err)) {
            err_prefix(p->err, "the function is KILN_PURE, and its first answer was another one");
            return say(p, x, ", repeated");
        }
        times[n++] = took;
        total += took;
        if (n >= p->effort->least_repeats && total > p->effort->example_ns) {
            break;
        }
    }
    qsort(times, (size_t) n, sizeof times[0], by_size);
    x->warm_ns = times[n / 2];
    return x->single.failed ? err_set(p->err, KILN_RESOURCE, NULL, "there is no memory to compare answers")
                            : 0;
}

/* Fills `jobs` with n examples in turn, leaving out those too slow for it. Returns how many different ones
 * there are. */
static size_t fill_batch(struct prover *p, uint32_t n, const struct example **turn)
{
    size_t k = 0;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < p->n; i++) {
        least = p->examples[i].warm_ns < least ? p->examples[i].warm_ns : least;
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct example *x = &p->examples[i];
        bool quick = x->warm_ns * (int64_t) n <= p->effort->batch_ns;
        if (quick || (n == 2 && x->warm_ns == least)) {
            turn[k++] = x;
        }
    }
    for (uint32_t i = 0; i < n && k; i++) {
        prepare(&p->jobs[i], turn[i % k]);
    }
    return k;
}

static int batch(struct prover *p, uint32_t n, const struct example **turn)
{
    char more[60];
    snprintf(more, sizeof more, ", in a batch of %u", n);
    int64_t best = INT64_MAX;
    for (int run = 0; run < p->effort->batch_repeats; run++) {
        size_t k = fill_batch(p, n, turn);
        if (k == 0) {
            return 0; /* too slow to be tried in this size now */
        }
        engine_step("%s.%s, a batch of %u", p->e->desc.name, p->f->desc.name, n);
        int64_t before = clock_ns();
        engine_run(p->e, p->fn, p->jobs, n, false, NULL);
        int64_t took = clock_ns() - before;
        best = took < best ? took : best;
        for (uint32_t i = 0; i < n; i++) {
            const struct example *x = turn[i % k];
            int status = judge(p, x, &p->jobs[i], more);
            if (status == 0 && x->row.status == KILN_OK &&
                golden_compare(x->single.data, x->single.bytes, p->jobs[i].result, p->jobs[i].result_bytes,
                               x->row.rtol, x->row.atol, p->err)) {
                err_prefix(p->err, "not as when it ran alone");
                status = say(p, x, more);
            }
            if (status) {
                return status;
            }
        }
    }
    p->batches[p->n_batches++] = (struct batch_time){n, best};
    return 0;
}

static int prove_batches(struct prover *p)
{
    const struct example **turn = mem_alloc(p->n * sizeof *turn);
    uint32_t most = p->f->max_batch, n[N_BATCHES] = {2, 8, most};
    int status = 0;
    for (int i = 0; i < N_BATCHES && status == 0; i++) {
        if (n[i] <= most && most > 1 && (i == 0 || n[i] > n[i - 1])) {
            status = batch(p, n[i], turn);
        }
    }
    mem_free(turn);
    return status;
}

static int prove(struct prover *p)
{
    const struct kiln_function *d = &p->f->desc;
    bool cold = true;
    int64_t first = -1;
    p->f->least_warm_ns = INT64_MAX;
    for (size_t i = 0; i < d->n_goldens; i++) {
        struct example *x = &p->examples[i];
        memcpy(&x->row, (const char *) d->goldens + i * d->golden_size, d->golden_size);
        int status = golden_parse(&x->row, i, &x->golden, p->err);
        if (status) {
            err_prefix(p->err, "%s.%s", p->e->desc.name, d->name);
            return status;
        }
        buf_init(&x->single, 0);
        p->n++;
        status = warm_one(p, x, &cold);
        if (status) {
            return status;
        }
        if (x->row.status == KILN_OK) { /* a refusal says nothing about the function's time */
            first = first < 0 ? x->warm_ns : first;
            p->f->least_warm_ns = x->warm_ns < p->f->least_warm_ns ? x->warm_ns : p->f->least_warm_ns;
        }
    }
    if (p->f->least_warm_ns == INT64_MAX) {
        return err_set(p->err, KILN_INVALID, NULL, "%s.%s has no golden example that ends ok",
                       p->e->desc.name, d->name);
    }
    p->f->warm_ns = first;
    return prove_batches(p);
}

static size_t resident_bytes(void)
{
    unsigned long long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%llu %llu", &pages, &resident) != 2) {
            resident = 0;
        }
        fclose(f);
    }
    return (size_t) resident * (size_t) sysconf(_SC_PAGESIZE);
}

static void put_us(struct buf *out, const char *key, int64_t ns)
{
    buf_put_text(out, key);
    buf_put_f64(out, (double) ns / 1e3);
}

static void report_function(const struct prover *p, struct buf *out)
{
    buf_put_map(out, 5);
    buf_put_str_const(out, "name");
    buf_put_text(out, p->f->desc.name);
    put_us(out, "cold_us", p->f->cold_ns);
    put_us(out, "warm_us", p->f->warm_ns);
    buf_put_str_const(out, "ratio");
    buf_put_f64(out, (double) p->f->cold_ns / (double) (p->f->warm_ns ? p->f->warm_ns : 1));
    buf_put_str_const(out, "batches");
    buf_put_list(out, p->n_batches);
    for (size_t i = 0; i < p->n_batches; i++) {
        buf_put_map(out, 2);
        buf_put_str_const(out, "n");
        buf_put_u64(out, p->batches[i].n);
        put_us(out, "us", p->batches[i].ns);
    }
}

int engine_prove(struct engine *e, bool fast, struct err *err)
{
    int64_t begin = clock_ns();
    struct buf functions;
    buf_init(&functions, 0);
    struct engine_job *jobs = mem_alloc(e->n_lanes * sizeof *jobs);
    int status = 0;
    e->proving = true;
    for (size_t i = 0; i < e->n_functions && status == 0; i++) {
        struct prover p = {.e = e, .f = &e->functions[i], .fn = i, .jobs = jobs, .err = err};
        p.effort = fast ? &fast_effort : &full_effort;
        p.examples = mem_alloc(p.f->desc.n_goldens * sizeof *p.examples);
        status = prove(&p);
        if (status == 0) {
            report_function(&p, &functions);
        }
        for (size_t k = 0; k < p.n; k++) {
            golden_done(&p.examples[k].golden);
            buf_done(&p.examples[k].single);
        }
        mem_free(p.examples);
    }
    e->proving = false;
    golden_forget();
    mem_free(jobs);
    if (status == 0) {
        int64_t prove_ns = clock_ns() - begin;
        struct buf *out = &e->report;
        buf_clear(out);
        buf_put_map(out, 5);
        put_us(out, "load_us", e->load_ns);
        put_us(out, "init_us", e->init_ns);
        put_us(out, "total_us", e->load_ns + e->init_ns + prove_ns);
        buf_put_str_const(out, "rss_bytes");
        buf_put_u64(out, resident_bytes());
        buf_put_str_const(out, "functions");
        buf_put_list(out, e->n_functions);
        buf_put_raw(out, functions.data, functions.bytes);
        if (out->failed || functions.failed) {
            status = err_set(err, KILN_RESOURCE, NULL, "there is no memory for the warm-up report");
        }
    }
    buf_done(&functions);
    return status;
}
