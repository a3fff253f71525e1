/* SPDX-License-Identifier: MPL-2.0 */
/* What the elements themselves decide the number of: NonZero, Compress, Unique. They are computed while planning. */
#include <string.h>

#include "axes.h"
#include "heap.h"

static bool is_real(enum dtype dtype)
{
    return dtype_is_float(dtype) || dtype == DT_F16 || dtype == DT_BF16;
}

/* ---- NonZero */

static bool is_set(const struct tensor *t, int64_t i)
{
    return is_real(t->dtype) ? tensor_number(t, i) != 0 : tensor_int(t, i) != 0;
}

static int plan_nonzero(struct step *s)
{
    const struct tensor *x = s->in[0];
    const int rank = x->rank ? x->rank : 1; /* a scalar is a list of one */
    if (x->dtype == DT_STRING) {
        return step_fail(s, "an input of type %s is not supported", dtype_name(x->dtype));
    }
    if (x->count > 0 && !x->data) {
        return step_needs(s, 0);
    }
    int64_t n = 0;
    for (int64_t i = 0; i < x->count; i++) {
        n += is_set(x, i);
    }
    int64_t *to = plan_alloc(s->plan, (size_t) n * (size_t) rank * sizeof(*to));
    if (!to) {
        return KILN_RESOURCE;
    }
    for (int64_t i = 0, k = 0; i < x->count; i++) {
        if (is_set(x, i)) {
            int64_t left = i;
            for (int d = rank - 1; d >= 0; d--) {
                to[d * n + k] = x->rank ? left % x->dims[d] : 0;
                left /= x->rank ? x->dims[d] : 1;
            }
            k++;
        }
    }
    return step_known(s, 0, DT_I64, 2, (const int64_t[]){rank, n}, to);
}

/* ---- Compress: only its condition must be known */

struct compress {
    int64_t outer, dim, n;
    size_t bytes; /* of a slice */
    int64_t at[]; /* the slices that stay */
};

static int run_compress(const struct step *s, struct run *r)
{
    const struct compress *c = s->state;
    char *to = s->out[0]->data;
    (void) r;
    for (int64_t o = 0; o < c->outer && c->bytes > 0; o++) {
        for (int64_t i = 0; i < c->n; i++, to += c->bytes) {
            memcpy(to, (const char *) s->in[0]->data + (size_t) (o * c->dim + c->at[i]) * c->bytes, c->bytes);
        }
    }
    return KILN_OK;
}

static int plan_compress(struct step *s)
{
    const struct tensor *x = s->in[0], *condition = s->in[1];
    const bool flat = !step_has(s, "axis");
    int axis = 0;
    int rc = flat ? KILN_OK : axis_read(s, 0, x->rank, &axis);
    if (rc) {
        return rc;
    }
    const int64_t dim = flat ? x->count : x->dims[axis];
    if (condition->dtype != DT_BOOL || condition->rank != 1 || condition->count > dim) {
        char text[80];
        return step_fail(s, "condition is %s, expected a list of at most %lld bool",
                         tensor_text(condition, text, sizeof(text)), (long long) dim);
    }
    if (condition->count > 0 && !condition->data) {
        return step_needs(s, 1);
    }
    struct compress *c = plan_alloc(s->plan, sizeof(*c) + (size_t) condition->count * sizeof(c->at[0]));
    if (!c) {
        return KILN_RESOURCE;
    }
    for (int64_t i = 0; i < condition->count; i++) {
        c->at[c->n] = i;
        c->n += is_set(condition, i);
    }
    c->outer = flat ? 1 : tensor_rows(x, axis);
    c->dim = dim;
    c->bytes = dtype_size(x->dtype) * (flat ? 1 : (size_t) tensor_inner(x, axis + 1));
    s->state = c;
    s->run = run_compress;
    int64_t dims[TENSOR_RANK];
    memcpy(dims, x->dims, sizeof(dims));
    dims[axis] = c->n;
    return step_output(s, 0, x->dtype, flat ? 1 : x->rank, dims);
}

/* ---- Unique: of elements, or of slices along an axis */

struct unique {
    const struct tensor *x;
    int64_t outer, n, inner; /* n items of outer runs of inner elements */
    int64_t *order;          /* items, sorted; the first of equal ones first */
    int64_t *group;          /* of each item: the number of what it equals */
    int64_t *first, *counts; /* of each group: its first item, and how many */
    int64_t *rank;           /* scratch, of each group */
    int64_t groups;
};

/* -1, 0, 1 */
static int compare_elements(const struct tensor *t, int64_t i, int64_t k)
{
    if (is_real(t->dtype)) {
        const double a = tensor_number(t, i), b = tensor_number(t, k);
        return a < b || (b != b && a == a) ? -1 : a > b || (a != a && b == b);
    }
    const int64_t a = tensor_int(t, i), b = tensor_int(t, k);
    return t->dtype == DT_U64 ? ((uint64_t) a > (uint64_t) b) - ((uint64_t) a < (uint64_t) b)
                              : (a > b) - (a < b);
}

static int compare_items(const struct unique *u, int64_t a, int64_t b)
{
    for (int64_t o = 0; o < u->outer; o++) {
        for (int64_t i = 0; i < u->inner; i++) {
            const int64_t base = o * u->n;
            const int c = compare_elements(u->x, (base + a) * u->inner + i, (base + b) * u->inner + i);
            if (c != 0) {
                return c;
            }
        }
    }
    return 0;
}

static bool item_before(const void *of, int64_t a, int64_t b)
{
    const int c = compare_items(of, a, b);
    return c < 0 || (c == 0 && a < b);
}

static bool group_before(const void *of, int64_t a, int64_t b)
{
    const struct unique *u = of;
    return u->first[a] < u->first[b];
}

/* Groups by value; then, unless sorted, by where they first come. */
static void find_groups(struct unique *u, bool sorted)
{
    for (int64_t i = 0; i < u->n; i++) {
        u->order[i] = i;
    }
    heap_make(u->order, u->n, item_before, u);
    heap_sort(u->order, u->n, item_before, u);
    for (int64_t i = 0; i < u->n; i++) {
        if (i == 0 || compare_items(u, u->order[i - 1], u->order[i]) != 0) {
            u->first[u->groups++] = u->order[i];
        }
        u->group[u->order[i]] = u->groups - 1;
        u->counts[u->groups - 1]++;
    }
    for (int64_t g = 0; g < u->groups; g++) {
        u->order[g] = g;
    }
    if (!sorted) {
        heap_make(u->order, u->groups, group_before, u);
        heap_sort(u->order, u->groups, group_before, u);
    }
    for (int64_t k = 0; k < u->groups; k++) {
        u->rank[u->order[k]] = k;
    }
}

static int unique_values(struct step *s, const struct unique *u, bool flat, int axis)
{
    const size_t bytes = (size_t) u->inner * dtype_size(u->x->dtype);
    char *to = plan_alloc(s->plan, (size_t) (u->outer * u->groups) * bytes);
    if (!to) {
        return KILN_RESOURCE;
    }
    for (int64_t o = 0; o < u->outer && bytes > 0; o++) {
        for (int64_t k = 0; k < u->groups; k++) {
            memcpy(to + (size_t) (o * u->groups + k) * bytes,
                   (const char *) u->x->data + (size_t) (o * u->n + u->first[u->order[k]]) * bytes, bytes);
        }
    }
    int64_t dims[TENSOR_RANK];
    memcpy(dims, u->x->dims, sizeof(dims));
    dims[flat ? 0 : axis] = u->groups;
    return step_known(s, 0, u->x->dtype, flat ? 1 : u->x->rank, dims, to);
}

/* Outputs 1 to 3: first items and counts by group, groups by item. They take over u's lists. */
static int unique_lists(struct step *s, struct unique *u)
{
    int64_t *first = plan_alloc(s->plan, (size_t) u->groups * sizeof(*first));
    int64_t *counts = plan_alloc(s->plan, (size_t) u->groups * sizeof(*counts));
    if (!first || !counts) {
        return KILN_RESOURCE;
    }
    for (int64_t k = 0; k < u->groups; k++) {
        first[k] = u->first[u->order[k]];
        counts[k] = u->counts[u->order[k]];
    }
    for (int64_t i = 0; i < u->n; i++) {
        u->group[i] = u->rank[u->group[i]];
    }
    int rc = step_known(s, 1, DT_I64, 1, &u->groups, first);
    rc = rc ? rc : step_known(s, 2, DT_I64, 1, &u->n, u->group);
    return rc ? rc : step_known(s, 3, DT_I64, 1, &u->groups, counts);
}

static int plan_unique(struct step *s)
{
    const struct tensor *x = s->in[0];
    const bool flat = !step_has(s, "axis");
    int axis = 0;
    int rc = flat ? KILN_OK : axis_read(s, 0, x->rank, &axis);
    if (rc || x->dtype == DT_STRING) {
        return rc ? rc : step_fail(s, "an input of type %s is not supported", dtype_name(x->dtype));
    }
    if (x->count > 0 && !x->data) {
        return step_needs(s, 0);
    }
    struct unique u = {
        .x = x, .outer = flat ? 1 : tensor_rows(x, axis), .n = flat ? x->count : x->dims[axis]};
    u.inner = flat ? 1 : tensor_inner(x, axis + 1);
    int64_t **lists[] = {&u.order, &u.group, &u.first, &u.counts, &u.rank};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        *lists[i] = u.n < INT64_MAX / 64 ? plan_alloc(s->plan, (size_t) u.n * sizeof(int64_t)) : NULL;
        if (!*lists[i]) {
            return KILN_RESOURCE;
        }
    }
    find_groups(&u, step_int(s, "sorted", 1) != 0);
    rc = unique_values(s, &u, flat, axis);
    return rc ? rc : unique_lists(s, &u);
}

static const struct op ops[] = {
    {"", "NonZero", 9, 1, 1, 1, 1, plan_nonzero},
    {"", "Compress", 9, 2, 2, 1, 1, plan_compress},
    {"", "Unique", 11, 1, 1, 1, 4, plan_unique},
};

const struct op_table op_choose = {ops, sizeof(ops) / sizeof(ops[0])};
