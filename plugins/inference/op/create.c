/* SPDX-License-Identifier: MPL-2.0 */
/* Tensors that follow from a few numbers: ConstantOfShape, Range, EyeLike, and Trilu and OneHot, which are nearly that. */
#include <math.h>
#include <string.h>

#include "axes.h"
#include "indices.h"
#include "loop.h"

/* ---- ConstantOfShape */

static int plan_constant(struct step *s)
{
    static const float zero = 0;
    const struct tensor *value = step_tensor(s, "value");
    struct ints shape;
    int rc = ints_read(s, 0, "shape", TENSOR_RANK, &shape);
    if (rc) {
        return rc;
    }
    if (value && value->count != 1) {
        return step_fail(s, "attribute value has %lld elements, expected 1", (long long) value->count);
    }
    const enum dtype dtype = value ? value->dtype : DT_F32;
    rc = step_output(s, 0, dtype, shape.n, shape.of);
    if (rc || !s->out[0]) {
        return rc;
    }
    const size_t size = dtype_size(dtype), bytes = tensor_bytes(s->out[0]);
    char *data = plan_alloc(s->plan, bytes);
    if (!data) {
        return KILN_RESOURCE;
    }
    for (size_t at = 0; at < bytes; at += size) {
        memcpy(data + at, value ? value->data : &zero, size);
    }
    return step_known(s, 0, dtype, shape.n, shape.of, data);
}

/* ---- Range: start, limit, delta */

/* The number of elements, -1 when that is no sensible one. */
static int64_t range_of_floats(double start, double limit, double delta)
{
    const double n = ceil((limit - start) / delta);
    return n != n || n > 0x1p53 ? -1 : n > 0 ? (int64_t) n : 0;
}

static int64_t range_of_wholes(int64_t start, int64_t limit, int64_t delta)
{
    const bool up = delta > 0;
    if (delta == 0 || (up ? start >= limit : start <= limit)) {
        return delta == 0 ? -1 : 0;
    }
    const uint64_t way = up ? (uint64_t) limit - (uint64_t) start : (uint64_t) start - (uint64_t) limit;
    const uint64_t n = (way - 1) / (up ? (uint64_t) delta : 0 - (uint64_t) delta) + 1;
    return n > INT64_MAX ? -1 : (int64_t) n;
}

static void fill_range(const struct step *s, int64_t n, void *data)
{
    const struct tensor *start = s->in[0], *delta = s->in[2];
    for (int64_t i = 0; i < n; i++) {
        const uint64_t whole =
            dtype_is_float(start->dtype)
                ? 0
                : (uint64_t) tensor_int(start, 0) + (uint64_t) i * (uint64_t) tensor_int(delta, 0);
        switch (start->dtype) {
        case DT_F32:
            ((float *) data)[i] = (float) (tensor_number(start, 0) + (double) i * tensor_number(delta, 0));
            break;
        case DT_F64:
            ((double *) data)[i] = tensor_number(start, 0) + (double) i * tensor_number(delta, 0);
            break;
        case DT_I16:
            ((int16_t *) data)[i] = (int16_t) whole;
            break;
        case DT_I32:
            ((int32_t *) data)[i] = (int32_t) whole;
            break;
        default:
            ((int64_t *) data)[i] = (int64_t) whole;
        }
    }
}

static int plan_range(struct step *s)
{
    const enum dtype dtype = s->in[0]->dtype;
    for (int k = 0; k < 3; k++) {
        if (s->in[k]->count != 1 || s->in[k]->dtype != dtype ||
            (!dtype_is_float(dtype) && dtype != DT_I16 && dtype != DT_I32 && dtype != DT_I64)) {
            char text[80];
            return step_fail(s, "input %d is %s, expected one number of the same type", k,
                             tensor_text(s->in[k], text, sizeof(text)));
        }
        if (!s->in[k]->data) {
            return step_needs(s, k);
        }
    }
    const int64_t n =
        dtype_is_float(dtype)
            ? range_of_floats(tensor_number(s->in[0], 0), tensor_number(s->in[1], 0),
                              tensor_number(s->in[2], 0))
            : range_of_wholes(tensor_int(s->in[0], 0), tensor_int(s->in[1], 0), tensor_int(s->in[2], 0));
    if (n < 0) {
        return step_fail(s, "from %g to %g in steps of %g: no number of elements", tensor_number(s->in[0], 0),
                         tensor_number(s->in[1], 0), tensor_number(s->in[2], 0));
    }
    int rc = step_output(s, 0, dtype, 1, &n);
    void *data = rc || !s->out[0] ? NULL : plan_alloc(s->plan, tensor_bytes(s->out[0]));
    if (!data) {
        return rc || !s->out[0] ? rc : KILN_RESOURCE;
    }
    fill_range(s, n, data);
    return step_known(s, 0, dtype, 1, &n, data);
}

/* ---- EyeLike */

static void set_one(void *at, enum dtype dtype)
{
    if (dtype == DT_F32) {
        *(float *) at = 1;
    } else if (dtype == DT_F64) {
        *(double *) at = 1;
    } else if (dtype == DT_F16) {
        *(uint16_t *) at = f16_from_f32(1);
    } else { /* little end first: a whole number of any width */
        *(uint8_t *) at = 1;
    }
}

static int plan_eye(struct step *s)
{
    const struct tensor *x = s->in[0];
    const int64_t wanted = step_int(s, "dtype", (int64_t) x->dtype), k = step_int(s, "k", 0);
    const enum dtype dtype = (enum dtype) wanted;
    if (x->rank != 2 || wanted <= DT_NONE || wanted >= DT_BF16 || dtype_size(dtype) == 0 ||
        dtype == DT_STRING) {
        char text[80];
        return step_fail(s, "%s of type %lld is not supported, expected a matrix of numbers",
                         tensor_text(x, text, sizeof(text)), (long long) wanted);
    }
    const int64_t rows = x->dims[0], columns = x->dims[1];
    int rc = step_output(s, 0, dtype, 2, x->dims);
    char *data = rc || !s->out[0] ? NULL : plan_alloc(s->plan, tensor_bytes(s->out[0]));
    if (!data) {
        return rc || !s->out[0] ? rc : KILN_RESOURCE;
    }
    for (int64_t i = 0; i < rows && k > -rows && k < columns; i++) {
        if (i + k >= 0 && i + k < columns) {
            set_one(data + (size_t) (i * columns + i + k) * dtype_size(dtype), dtype);
        }
    }
    return step_known(s, 0, dtype, 2, x->dims, data);
}

/* ---- Trilu: a triangle of each matrix */

struct trilu {
    int64_t k;
    bool upper;
};

static int run_trilu(const struct step *s, struct run *r)
{
    const struct trilu *t = s->state;
    const struct tensor *x = s->in[0];
    const size_t size = dtype_size(x->dtype);
    const int64_t rows = x->dims[x->rank - 2], columns = x->dims[x->rank - 1];
    (void) r;
    for (int64_t i = 0; i < (x->count ? x->count / columns : 0); i++) {
        const char *from = (const char *) x->data + (size_t) (i * columns) * size;
        char *to = (char *) s->out[0]->data + (size_t) (i * columns) * size;
        int64_t edge = i % rows + t->k + !t->upper; /* where the upper part begins, or the lower one ends */
        edge = edge < 0 ? 0 : edge > columns ? columns : edge;
        const int64_t keep = t->upper ? edge : 0, kept = t->upper ? columns - edge : edge;
        memmove(to + (size_t) keep * size, from + (size_t) keep * size, (size_t) kept * size);
        memset(to + (size_t) (t->upper ? 0 : edge) * size, 0, (size_t) (columns - kept) * size);
    }
    return KILN_OK;
}

static int plan_trilu(struct step *s)
{
    const struct tensor *x = s->in[0];
    int64_t k = 0;
    int rc = s->n_in > 1 && s->in[1] ? ints_read_one(s, 1, "k", &k) : KILN_OK;
    struct trilu *t = rc ? NULL : plan_alloc(s->plan, sizeof(*t));
    if (!t) {
        return rc ? rc : KILN_RESOURCE;
    }
    if (x->rank < 2) {
        return step_fail(s, "an input of rank %d is no matrix", x->rank);
    }
    const int64_t most = INT64_MAX / 4;
    *t = (struct trilu){k < -most ? -most : k > most ? most : k, step_int(s, "upper", 1) != 0};
    s->state = t;
    s->run = run_trilu;
    s->inplace = 0;
    return step_output(s, 0, x->dtype, x->rank, x->dims);
}

/* ---- OneHot: indices, depth, [off, on] */

struct one_hot {
    int64_t outer, depth, inner;
};

/* Index i as a whole number; indices may be floats. What is no index is out of every range. */
static int64_t hot_index(const struct tensor *t, int64_t i, int64_t depth)
{
    if (!dtype_is_float(t->dtype)) {
        const int64_t v = tensor_int(t, i);
        return v >= -depth && v < depth ? (v < 0 ? v + depth : v) : -1;
    }
    const double v = tensor_number(t, i);
    return v >= -(double) depth && v < (double) depth ? (int64_t) v + (v < 0 ? depth : 0) : -1;
}

static int run_one_hot(const struct step *s, struct run *r)
{
    const struct one_hot *h = s->state;
    const struct tensor *values = s->in[2];
    const size_t size = dtype_size(values->dtype);
    const char *off = values->data, *on = off + size;
    char *to = s->out[0]->data;
    (void) r;
    for (int64_t i = 0; i < s->out[0]->count; i++) {
        memcpy(to + (size_t) i * size, off, size);
    }
    for (int64_t i = 0; i < h->outer * h->inner && h->depth > 0; i++) {
        const int64_t hot = hot_index(s->in[0], i, h->depth);
        if (hot >= 0) {
            const int64_t at = (i / h->inner * h->depth + hot) * h->inner + i % h->inner;
            memcpy(to + (size_t) at * size, on, size);
        }
    }
    return KILN_OK;
}

static bool is_index(enum dtype dtype)
{
    return dtype_is_float(dtype) || (dtype >= DT_U8 && dtype <= DT_I64) || dtype == DT_U32 || dtype == DT_U64;
}

static int plan_one_hot(struct step *s)
{
    const struct tensor *x = s->in[0], *depth = s->in[1], *values = s->in[2];
    char text[80];
    const bool numbers = is_index(x->dtype) && is_index(depth->dtype);
    if (!numbers || depth->count != 1 || values->count != 2) {
        const struct tensor *wrong = values->count != 2                             ? values
                                     : depth->count != 1 || !is_index(depth->dtype) ? depth
                                                                                    : x;
        return step_fail(s, "%s does not tell indices, one depth and two values",
                         tensor_text(wrong, text, sizeof(text)));
    }
    if (!depth->data) {
        return step_needs(s, 1);
    }
    int axis;
    int rc = axis_read(s, -1, x->rank + 1, &axis);
    struct one_hot *h = rc ? NULL : plan_alloc(s->plan, sizeof(*h));
    if (!h) {
        return rc ? rc : KILN_RESOURCE;
    }
    const double n = tensor_number(depth, 0);
    if (!(n >= 1 && n < 0x1p48)) {
        return step_fail(s, "depth is %g, expected at least 1", n);
    }
    int64_t dims[TENSOR_RANK + 1];
    for (int d = 0, from = 0; d <= x->rank; d++) {
        dims[d] = d == axis ? (int64_t) n : x->dims[from++];
    }
    h->outer = tensor_rows(x, axis);
    h->depth = (int64_t) n;
    h->inner = tensor_inner(x, axis);
    s->state = h;
    s->run = run_one_hot;
    return step_output(s, 0, values->dtype, x->rank + 1, dims);
}

static const struct op ops[] = {
    {"", "ConstantOfShape", 9, 1, 1, 1, 1, plan_constant},
    {"", "Range", 11, 3, 3, 1, 1, plan_range},
    {"", "EyeLike", 9, 1, 1, 1, 1, plan_eye},
    {"", "Trilu", 14, 1, 2, 1, 1, plan_trilu},
    {"", "OneHot", 9, 3, 3, 1, 1, plan_one_hot},
};

const struct op_table op_create = {ops, sizeof(ops) / sizeof(ops[0])};
