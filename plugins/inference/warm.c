/* SPDX-License-Identifier: MPL-2.0 */
/* Warming and proving a model that was just read: see served.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "input.h"
#include "plan.h"
#include "request.h"
#include "served.h"

enum { REPEATS = 5, GUESSED_SIZE = 4, INDEPENDENT_ROWS = 5 };
static const int64_t enough_ns = 20 * 1000 * 1000; /* of repeating one batch size */

/* ---- golden examples */

static void *from_pool(void *pool, size_t bytes)
{
    return pool_alloc(pool, bytes);
}

static bool is_right(const struct golden *g, double got, double wanted)
{
    return (isnan(got) && isnan(wanted)) || got == wanted ||
           fabs(got - wanted) <= g->atol + g->rtol * fabs(wanted);
}

static int judge_output(const struct golden *g, const struct tensor *got, const struct kiln_value *expected,
                        const char *name, struct pool *pool, struct refusal *why)
{
    char field[120];
    snprintf(field, sizeof field, "outputs.%.80s", name);
    struct tensor wanted;
    int rc = input_shape(expected, got, field, &wanted, why); /* the shape is judged there */
    if (rc) {
        return rc;
    }
    wanted.data = pool_alloc(pool, tensor_bytes(&wanted));
    if (!wanted.data) {
        return refuse_memory(why, "golden examples");
    }
    rc = input_fill(expected, &wanted, field, wanted.data, why);
    for (int64_t i = 0; i < got->count && rc == KILN_OK; i++) {
        if (got->dtype == DT_STRING) {
            const struct text *a = (const struct text *) got->data + i,
                              *b = (const struct text *) wanted.data + i;
            if (a->bytes != b->bytes || memcmp(a->chars, b->chars, a->bytes) != 0) {
                rc = refuse(why, KILN_FAILED, "%s: element %lld is \"%.*s\", expected \"%.*s\"", field,
                            (long long) i, (int) (a->bytes < 60 ? a->bytes : 60), a->chars,
                            (int) (b->bytes < 60 ? b->bytes : 60), b->chars);
            }
        } else if (!is_right(g, tensor_number(got, i), tensor_number(&wanted, i))) {
            rc = refuse(why, KILN_FAILED, "%s: element %lld is %.9g, expected %.9g within %g and %g of it",
                        field, (long long) i, tensor_number(got, i), tensor_number(&wanted, i), g->atol,
                        g->rtol);
        }
    }
    return rc;
}

static int find_output(const struct graph *g, const char *name)
{
    for (int k = 0; k < g->n_outputs; k++) {
        if (strcmp(g->values[g->outputs[k]].name, name) == 0) {
            return k;
        }
    }
    return -1;
}

static struct plan *run_tensors(struct model *m, const struct tensor *inputs, struct pool *pool,
                                struct refusal *why)
{
    struct plan *p = model_plan(m, inputs, why);
    void **data = pool_array(pool, (size_t) m->graph.n_inputs, sizeof *data);
    if (!p || !data) {
        return NULL;
    }
    for (int i = 0; i < m->graph.n_inputs; i++) {
        data[i] = inputs[i].data;
    }
    struct run r = {.cancelled = NULL};
    return plan_run(p, data, NULL, &r, why) == KILN_OK ? p : NULL;
}

static int prove_one(struct model *m, const struct golden *g, struct pool *pool, struct refusal *why)
{
    const struct memory memory = {from_pool, pool};
    struct request r;
    int rc = request_bind(m, g->inputs, &memory, &r, why);
    rc = rc ? rc : request_fill_all(&r, &memory, why);
    struct plan *p = rc ? NULL : run_tensors(m, r.inputs, pool, why);
    for (uint32_t k = 0; p && k < g->outputs->count; k++) {
        const char *name = g->outputs->map[k].key;
        const int output = find_output(&m->graph, name);
        if (output < 0) {
            return refuse(why, KILN_INVALID, "outputs.%.80s: the model has no output of this name", name);
        }
        if (judge_output(g, plan_output(p, output), &g->outputs->map[k].value, name, pool, why)) {
            break;
        }
    }
    return p || why->status ? why->status : refuse_memory(why, "golden examples");
}

int served_prove(struct served *s, const struct load_options *o, struct refusal *why)
{
    char path[4096];
    s->n_goldens = 0;
    if (!s->path) {
        return KILN_OK;
    }
    struct goldens g;
    int rc = goldens_load(served_beside(s, "golden", path, sizeof path), o->budget, &g, why);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; rc == KILN_OK && i < g.n; i++) {
        struct refusal found = {.status = KILN_OK};
        rc = prove_one(s->model, &g.examples[i], &g.pool, &found);
        if (rc) {
            refuse(why, rc, "golden example %zu: %.400s", i + 1, found.text);
        }
    }
    s->n_goldens = (int) g.n;
    goldens_done(&g);
    return rc;
}

/* ---- made-up inputs */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void make_up(struct tensor *t, uint64_t *state)
{
    static const struct text word = {"a", 1};
    for (int64_t i = 0; i < t->count; i++) {
        const double x = ((double) (next_random(state) >> 11) * 0x1p-53 - 0.5) * 3;
        if (t->dtype == DT_F32) {
            ((float *) t->data)[i] = (float) x;
        } else if (t->dtype == DT_F64) {
            ((double *) t->data)[i] = x;
        } else if (t->dtype == DT_F16) {
            ((uint16_t *) t->data)[i] = f16_from_f32((float) x);
        } else if (t->dtype == DT_STRING) {
            ((struct text *) t->data)[i] = word;
        } else if (t->dtype != DT_BF16) { /* 0 or 1: an index that is mostly there */
            memset((char *) t->data + (size_t) i * dtype_size(t->dtype), 0, dtype_size(t->dtype));
            ((uint8_t *) t->data)[(size_t) i * dtype_size(t->dtype)] = x > 0;
        }
    }
}

struct tensor *served_sample(const struct model *m, int64_t batch, struct pool *pool, bool *ret_guessed)
{
    const struct graph *g = &m->graph;
    struct tensor *inputs = pool_array(pool, (size_t) g->n_inputs, sizeof *inputs);
    uint64_t state = 1;
    *ret_guessed = false;
    for (int i = 0; inputs && i < g->n_inputs; i++) {
        const struct tensor *declared = &g->values[g->inputs[i]].constant;
        int64_t dims[TENSOR_RANK];
        if (declared->rank < 0) {
            return NULL;
        }
        for (int d = 0; d < declared->rank; d++) {
            dims[d] = declared->dims[d] >= 0 ? declared->dims[d] : d == 0 ? batch : GUESSED_SIZE;
            *ret_guessed = *ret_guessed || (declared->dims[d] < 0 && d > 0);
        }
        if (!tensor_set(&inputs[i], declared->dtype, declared->rank, dims) ||
            !(inputs[i].data = pool_alloc(pool, tensor_bytes(&inputs[i])))) {
            return NULL;
        }
        make_up(&inputs[i], &state);
    }
    return inputs;
}

static bool first_is_free(const struct model *m)
{
    const struct graph *g = &m->graph;
    for (int i = 0; i < g->n_inputs; i++) {
        const struct tensor *t = &g->values[g->inputs[i]].constant;
        if (t->rank < 1 || t->dims[0] >= 0) {
            return false;
        }
    }
    return g->n_inputs > 0;
}

/* ---- warming */

static int64_t now(struct kiln_call *call)
{
    return call->host->clock_ns(call);
}

/* One batch size: cold, then warm. */
static int warm_batch(struct served *s, const struct load_options *o, int64_t batch, struct kiln_call *call,
                      bool *ret_guessed, struct refusal *why)
{
    struct pool pool;
    pool_init(&pool, o->budget);
    const struct tensor *inputs = served_sample(s->model, batch, &pool, ret_guessed);
    struct warm_time t = {.batch = batch, .warm_ns = INT64_MAX};
    const int64_t begin = now(call);
    int rc = inputs ? KILN_OK : refuse(why, KILN_RESOURCE, "the shapes of its inputs are not declared");
    for (int i = -1; i < REPEATS && rc == KILN_OK; i++) {
        const int64_t before = now(call);
        rc = run_tensors(s->model, inputs, &pool, why) ? KILN_OK : why->status ? why->status : KILN_RESOURCE;
        const int64_t took = now(call) - before;
        if (i < 0) {
            t.cold_ns = took;
        } else if (took < t.warm_ns) {
            t.warm_ns = took;
        }
        if (i >= 0 && now(call) - begin > enough_ns) {
            break;
        }
    }
    pool_done(&pool);
    if (rc == KILN_OK) {
        s->warm[s->n_warm++] = t;
    }
    return rc;
}

static bool same_number(enum dtype dtype, double a, double b, double scale)
{
    const double allowed = dtype == DT_F64 ? 1e-9 : dtype == DT_F32 || dtype == DT_F16 ? 1e-4 : 0;
    return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= allowed * (scale + fabs(b));
}

/* Is the one row that the plan has just computed row number `row` of `all`? */
static bool same_row(const struct tensor *one, const struct tensor *all, int64_t row)
{
    const int64_t n = one->count, from = row * n;
    double scale = 0;
    for (int64_t i = 0; i < n && one->dtype != DT_STRING; i++) {
        const double size = fabs(tensor_number(one, i));
        scale = size > scale && isfinite(size) ? size : scale;
    }
    for (int64_t i = 0; i < n; i++) {
        if (one->dtype == DT_STRING) {
            const struct text *a = (const struct text *) one->data + i,
                              *b = (const struct text *) all->data + from + i;
            if (a->bytes != b->bytes || memcmp(a->chars, b->chars, a->bytes) != 0) {
                return false;
            }
        } else if (!same_number(one->dtype, tensor_number(one, i), tensor_number(all, from + i), scale)) {
            return false;
        }
    }
    return true;
}

/* All outputs of a batch, kept while its rows are computed alone. */
static struct tensor *keep_outputs(const struct model *m, const struct plan *p, int64_t rows,
                                   struct pool *pool)
{
    struct tensor *kept = pool_array(pool, (size_t) m->graph.n_outputs, sizeof *kept);
    for (int k = 0; kept && k < m->graph.n_outputs; k++) {
        kept[k] = *plan_output(p, k);
        kept[k].data = pool_alloc(pool, tensor_bytes(&kept[k]));
        if (!kept[k].data || kept[k].rank < 1 || kept[k].dims[0] != rows) {
            return NULL;
        }
        if (kept[k].count) {
            memcpy(kept[k].data, plan_output(p, k)->data, tensor_bytes(&kept[k]));
        }
    }
    return kept;
}

static struct tensor *row_of(const struct model *m, const struct tensor *inputs, int64_t row,
                             struct pool *pool)
{
    struct tensor *one = pool_array(pool, (size_t) m->graph.n_inputs, sizeof *one);
    for (int i = 0; one && i < m->graph.n_inputs; i++) {
        one[i] = inputs[i];
        one[i].dims[0] = 1;
        one[i].count = tensor_inner(&inputs[i], 1);
        one[i].data = (char *) inputs[i].data + (size_t) (row * one[i].count) * dtype_size(one[i].dtype);
    }
    return one;
}

/* Does a batch give what its rows give alone? */
static bool rows_are_independent(struct served *s, const struct load_options *o)
{
    struct model *m = s->model;
    struct refusal ignored = {.status = KILN_OK};
    const int64_t rows = o->max_batch < INDEPENDENT_ROWS ? o->max_batch : INDEPENDENT_ROWS;
    struct pool pool;
    pool_init(&pool, o->budget);
    bool guessed;
    const struct tensor *inputs =
        rows > 1 && first_is_free(m) ? served_sample(m, rows, &pool, &guessed) : NULL;
    const struct plan *p = inputs ? run_tensors(m, inputs, &pool, &ignored) : NULL;
    const struct tensor *all = p ? keep_outputs(m, p, rows, &pool) : NULL;
    bool same = all != NULL;
    for (int64_t row = 0; row < rows && same; row++) {
        const struct tensor *one = row_of(m, inputs, row, &pool);
        p = one ? run_tensors(m, one, &pool, &ignored) : NULL;
        same = p != NULL;
        for (int k = 0; k < m->graph.n_outputs && same; k++) {
            const struct tensor *got = plan_output(p, k);
            same = got->dtype == all[k].dtype && got->rank == all[k].rank && got->dims[0] == 1 &&
                   got->count * rows == all[k].count && same_row(got, &all[k], row);
        }
    }
    pool_done(&pool);
    return same;
}

/* A model that cannot be planned for the shapes that it declares is a bad one. One whose free dimensions
 * had to be guessed, or that does not like made-up numbers, may be a good one: that is noted. */
int served_warm(struct served *s, const struct load_options *o, struct kiln_call *call)
{
    s->n_warm = 0;
    const bool by_batch = first_is_free(s->model);
    struct refusal why = {.status = KILN_OK};
    bool guessed = false;
    for (int64_t batch = 1; s->n_warm < SERVED_WARM;
         batch = 2 * batch < o->max_batch ? 2 * batch : o->max_batch) {
        const int rc = warm_batch(s, o, batch, call, &guessed, &why);
        if (rc || !by_batch || batch == o->max_batch) {
            break;
        }
    }
    const bool no_plan = !s->n_warm && !s->model->plans && !guessed && why.status == KILN_INVALID;
    if (no_plan) {
        s->why = why;
        return why.status;
    }
    if (why.status) {
        snprintf(s->why.text, sizeof s->why.text, "not warmed at more than %lld rows: %.400s",
                 (long long) (s->n_warm ? s->warm[s->n_warm - 1].batch : 0), why.text);
    }
    s->stackable = rows_are_independent(s, o);
    return KILN_OK;
}
