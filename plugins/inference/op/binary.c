/* SPDX-License-Identifier: MPL-2.0 */
#include "binary.h"

#include "broadcast.h"

struct pair { /* out = a op b */
    struct broadcast walk;
    size_t size[3]; /* of an element of out, a, b */
};

struct binary {
    binary_fn *fn;
    int n; /* pairs */
    struct pair pairs[];
};

static void run_pair(const struct pair *p, binary_fn *fn, void *out, const void *a, const void *b)
{
    struct broadcast_row row = {0};
    if (p->walk.empty) {
        return;
    }
    do {
        fn((char *) out + (size_t) row.out * p->size[0], (const char *) a + (size_t) row.in[0] * p->size[1],
           (const char *) b + (size_t) row.in[1] * p->size[2], p->walk.n, p->walk.step[0], p->walk.step[1]);
    } while (broadcast_next(&p->walk, &row));
}

static int run_flat(const struct step *s, struct run *r)
{
    const struct binary *b = s->state;
    const struct broadcast *w = &b->pairs[0].walk;
    (void) r;
    b->fn(s->out[0]->data, s->in[0]->data, s->in[1]->data, w->n, w->step[0], w->step[1]);
    return KILN_OK;
}

static int run_rows(const struct step *s, struct run *r)
{
    const struct binary *b = s->state;
    (void) r;
    run_pair(&b->pairs[0], b->fn, s->out[0]->data, s->in[0]->data, s->in[1]->data);
    return KILN_OK;
}

static int run_many(const struct step *s, struct run *r)
{
    const struct binary *b = s->state;
    int rc = run_rows(s, r);
    for (int k = 1; k < b->n; k++) {
        run_pair(&b->pairs[k], b->fn, s->out[0]->data, s->out[0]->data, s->in[k + 1]->data);
    }
    return rc;
}

/* The pairs: in[0] with in[1], then what stands in the output with each further input. */
static void plan_pairs(const struct step *s, struct binary *b)
{
    const struct tensor *out = s->out[0];
    for (int k = 0; k < b->n; k++) {
        const struct tensor *of[2] = {k == 0 ? s->in[0] : out, s->in[k + 1]};
        struct pair *p = &b->pairs[k];
        p->size[0] = dtype_size(out->dtype);
        p->size[1] = dtype_size(of[0]->dtype);
        p->size[2] = dtype_size(of[1]->dtype);
        broadcast_plan(&p->walk, out->rank, out->dims, of, 2);
    }
}

static int plan_kernel(struct step *s, binary_fn *fn, enum dtype result)
{
    int rc = broadcast_output(s, s->n_in, result);
    if (rc) {
        return rc;
    }
    if (!s->out[0]) {
        return KILN_OK;
    }
    int n = s->n_in - 1;
    struct binary *b = plan_alloc(s->plan, sizeof(*b) + (size_t) n * sizeof(b->pairs[0]));
    if (!b) {
        return KILN_RESOURCE;
    }
    b->fn = fn;
    b->n = n;
    plan_pairs(s, b);
    s->state = b;
    const struct broadcast *first = &b->pairs[0].walk;
    s->run = n > 1 ? run_many : first->rank == 0 && !first->empty ? run_flat : run_rows;
    s->inplace = s->inplace < 2 ? s->inplace : -1; /* the first pair is written over what comes later */
    return KILN_OK;
}

int binary_same_type(struct step *s)
{
    for (int k = 1; k < s->n_in; k++) {
        if (!s->in[k]) {
            return step_fail(s, "input %d is absent", k);
        }
        if (s->in[k]->dtype != s->in[0]->dtype) {
            return step_fail(s, "inputs are %s and %s, expected one type", dtype_name(s->in[0]->dtype),
                             dtype_name(s->in[k]->dtype));
        }
    }
    return KILN_OK;
}

int binary_plan(struct step *s, binary_fn *const *fns, enum dtype result)
{
    enum dtype dtype = s->in[0]->dtype;
    int rc = binary_same_type(s);
    if (rc) {
        return rc;
    }
    if (dtype >= DT_END || !fns[dtype]) {
        return step_fail(s, "inputs of type %s are not supported", dtype_name(dtype));
    }
    return plan_kernel(s, fns[dtype], result == DT_NONE ? dtype : result);
}

int binary_plan_fn(struct step *s, binary_fn *fn, enum dtype result)
{
    return plan_kernel(s, fn, result);
}
