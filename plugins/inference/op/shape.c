/* SPDX-License-Identifier: MPL-2.0 */
/* What changes or tells shapes, and leaves the elements where they are: Reshape, Flatten, Squeeze, Unsqueeze, Dropout as it is
 * when nothing is trained; Shape and Size. */
#include <string.h>

#include "axes.h"

static int renamed(struct step *s, int rank, const int64_t *dims)
{
    s->alias = 0;
    return step_output(s, 0, s->in[0]->dtype, rank, dims);
}

static int plan_reshape(struct step *s)
{
    const struct tensor *x = s->in[0];
    struct ints shape;
    int rc = ints_read(s, 1, "shape", TENSOR_RANK, &shape);
    if (rc) {
        return rc;
    }
    const bool zero_is_zero = step_int(s, "allowzero", 0) != 0;
    int64_t *dims = shape.of, known = 1;
    int open = -1;
    for (int d = 0; d < shape.n; d++) {
        if (dims[d] == 0 && !zero_is_zero) {
            if (d >= x->rank) {
                return step_fail(s, "shape keeps axis %d of an input of rank %d", d, x->rank);
            }
            dims[d] = x->dims[d];
        }
        if (dims[d] < -1 || (dims[d] == -1 && open >= 0)) {
            return step_fail(s,
                             "shape has %lld at %d, expected one -1 at most, and else what is not negative",
                             (long long) dims[d], d);
        }
        if (dims[d] == -1) {
            open = d;
        } else if (__builtin_mul_overflow(known, dims[d], &known)) {
            return step_fail(s, "shape would have too many elements");
        }
    }
    if (open >= 0) {
        dims[open] = known > 0 ? x->count / known : 0;
        known *= dims[open];
    }
    char text[80];
    return known == x->count ? renamed(s, shape.n, dims)
                             : step_fail(s, "%s does not fit a shape of %lld elements",
                                         tensor_text(x, text, sizeof(text)), (long long) known);
}

static int plan_flatten(struct step *s)
{
    const struct tensor *x = s->in[0];
    const int64_t wanted = step_int(s, "axis", 1);
    const int axis = wanted == x->rank ? x->rank : axis_of(wanted, x->rank);
    if (axis < 0) {
        return step_fail(s, "attribute axis is %lld, expected %d to %d", (long long) wanted, -x->rank,
                         x->rank);
    }
    return renamed(s, 2, (const int64_t[]){tensor_rows(x, axis), tensor_inner(x, axis)});
}

static int squeeze(struct step *s, int input)
{
    const struct tensor *x = s->in[0];
    struct axes axes;
    int64_t dims[TENSOR_RANK];
    int rank = 0, rc = axes_read(s, input, x->rank, &axes);
    if (rc) {
        return rc;
    }
    for (int d = 0; d < x->rank; d++) {
        if (axes.given && axes.has[d] && x->dims[d] != 1) {
            return step_fail(s, "axis %d has %lld elements, expected 1", d, (long long) x->dims[d]);
        }
        if (axes.given ? !axes.has[d] : x->dims[d] != 1) {
            dims[rank++] = x->dims[d];
        }
    }
    return renamed(s, rank, dims);
}

static int plan_squeeze_attribute(struct step *s)
{
    return squeeze(s, -1);
}

static int plan_squeeze_input(struct step *s)
{
    return squeeze(s, 1);
}

static int unsqueeze(struct step *s, int input)
{
    const struct tensor *x = s->in[0];
    struct ints list;
    struct axes axes;
    int rc = ints_read(s, input, "axes", TENSOR_RANK, &list);
    if (rc) {
        return rc;
    }
    const int rank = x->rank + list.n;
    if (rank > TENSOR_RANK) {
        return step_fail(s, "the output would have rank %d, at most %d", rank, TENSOR_RANK);
    }
    rc = axes_read(s, input, rank, &axes);
    if (rc) {
        return rc;
    }
    int64_t dims[TENSOR_RANK];
    for (int d = 0, from = 0; d < rank; d++) {
        dims[d] = axes.has[d] ? 1 : x->dims[from++];
    }
    return renamed(s, rank, dims);
}

static int plan_unsqueeze_attribute(struct step *s)
{
    return unsqueeze(s, -1);
}

static int plan_unsqueeze_input(struct step *s)
{
    return unsqueeze(s, 1);
}

/* ---- Dropout: its mask keeps everything */

static int dropout(struct step *s, enum dtype mask)
{
    const struct tensor *x = s->in[0];
    if (s->n_out > 1 && s->out[1]) {
        const size_t bytes = (size_t) x->count * dtype_size(mask);
        void *data = plan_alloc(s->plan, bytes);
        if (!data) {
            return KILN_RESOURCE;
        }
        if (mask == DT_BOOL) {
            memset(data, 1, bytes);
        } else {
            for (int64_t i = 0; i < x->count; i++) {
                ((float *) data)[i] = 1;
            }
        }
        int rc = step_known(s, 1, mask, x->rank, x->dims, data);
        if (rc) {
            return rc;
        }
    }
    return renamed(s, x->rank, x->dims);
}

static int plan_dropout_7(struct step *s)
{
    if (s->n_out > 1 && s->out[1] && s->in[0]->dtype != DT_F32) {
        return step_fail(s, "a mask of type %s is not supported", dtype_name(s->in[0]->dtype));
    }
    return dropout(s, DT_F32);
}

static int plan_dropout_10(struct step *s)
{
    return dropout(s, DT_BOOL);
}

static int plan_dropout_12(struct step *s)
{
    const struct tensor *training = s->n_in > 2 ? s->in[2] : NULL, *ratio = s->n_in > 1 ? s->in[1] : NULL;
    if (training && !training->data) {
        return step_needs(s, 2);
    }
    if (training && training->count == 1 && training->dtype == DT_BOOL && tensor_int(training, 0)) {
        if (ratio && !ratio->data) {
            return step_needs(s, 1);
        }
        if (!ratio || ratio->count != 1 || !(tensor_number(ratio, 0) == 0)) {
            return step_fail(s, "training_mode is true: models are not trained here");
        }
    }
    return dropout(s, DT_BOOL);
}

/* ---- Shape, Size */

static int shape(struct step *s, int64_t start, int64_t end)
{
    const struct tensor *x = s->in[0];
    start = start < 0 ? (start < -x->rank ? 0 : start + x->rank) : start;
    end = end < 0 ? (end < -x->rank ? 0 : end + x->rank) : end > x->rank ? x->rank : end;
    const int64_t n = end > start ? end - start : 0;
    int64_t *data = plan_alloc(s->plan, (size_t) n * sizeof(*data));
    if (!data) {
        return KILN_RESOURCE;
    }
    for (int64_t d = 0; d < n; d++) {
        data[d] = x->dims[start + d];
    }
    return step_known(s, 0, DT_I64, 1, &n, data);
}

static int plan_shape(struct step *s)
{
    return shape(s, 0, s->in[0]->rank);
}

static int plan_shape_15(struct step *s)
{
    return shape(s, step_int(s, "start", 0), step_int(s, "end", INT64_MAX));
}

static int plan_size(struct step *s)
{
    int64_t *data = plan_alloc(s->plan, sizeof(*data));
    if (!data) {
        return KILN_RESOURCE;
    }
    *data = s->in[0]->count;
    return step_known(s, 0, DT_I64, 0, NULL, data);
}

static const struct op ops[] = {
    {"", "Reshape", 5, 2, 2, 1, 1, plan_reshape},
    {"", "Flatten", 1, 1, 1, 1, 1, plan_flatten},
    {"", "Squeeze", 1, 1, 1, 1, 1, plan_squeeze_attribute},
    {"", "Squeeze", 13, 1, 2, 1, 1, plan_squeeze_input},
    {"", "Unsqueeze", 1, 1, 1, 1, 1, plan_unsqueeze_attribute},
    {"", "Unsqueeze", 13, 2, 2, 1, 1, plan_unsqueeze_input},
    {"", "Dropout", 7, 1, 1, 1, 2, plan_dropout_7},
    {"", "Dropout", 10, 1, 1, 1, 2, plan_dropout_10},
    {"", "Dropout", 12, 1, 3, 1, 2, plan_dropout_12},
    {"", "Shape", 1, 1, 1, 1, 1, plan_shape},
    {"", "Shape", 15, 1, 1, 1, 1, plan_shape_15},
    {"", "Size", 1, 1, 1, 1, 1, plan_size},
};

const struct op_table op_shape = {ops, sizeof(ops) / sizeof(ops[0])};
