/* SPDX-License-Identifier: MPL-2.0 */
/* ReverseSequence, and Det. */
#include <math.h>
#include <string.h>

#include "indices.h"

/* ---- ReverseSequence: the first elements of each line of a batch, as many as it is long, the other way round */

struct reverse {
    int64_t time, batch;
    int64_t time_stride, batch_stride; /* in slices */
    size_t bytes;                      /* of a slice */
};

static int run_reverse(const struct step *s, struct run *r)
{
    const struct reverse *v = s->state;
    const struct tensor *lengths = s->in[1];
    for (int64_t b = 0; b < v->batch && v->bytes > 0; b++) {
        const int64_t n = indices_raw(lengths, b);
        if (n < 0 || n > v->time) {
            return run_fail(r, "sequence_lens has %lld, expected 0 to %lld", (long long) n,
                            (long long) v->time);
        }
        for (int64_t t = 0; t < v->time; t++) {
            const int64_t from = t < n ? n - 1 - t : t, base = b * v->batch_stride;
            memcpy((char *) s->out[0]->data + (size_t) (base + t * v->time_stride) * v->bytes,
                   (const char *) s->in[0]->data + (size_t) (base + from * v->time_stride) * v->bytes,
                   v->bytes);
        }
    }
    return KILN_OK;
}

static int plan_reverse(struct step *s)
{
    const struct tensor *x = s->in[0], *lengths = s->in[1];
    const int64_t time = step_int(s, "time_axis", 0), batch = step_int(s, "batch_axis", 1);
    if (x->rank < 2 || !((time == 0 && batch == 1) || (time == 1 && batch == 0))) {
        return step_fail(s, "time_axis is %lld and batch_axis %lld for rank %d, expected 0 and 1 or 1 and 0",
                         (long long) time, (long long) batch, x->rank);
    }
    int rc = indices_check(s, 1);
    if (rc) {
        return rc;
    }
    if (lengths->rank != 1 || lengths->count != x->dims[batch]) {
        return step_fail(s, "sequence_lens has %lld elements for a batch of %lld", (long long) lengths->count,
                         (long long) x->dims[batch]);
    }
    struct reverse *v = plan_alloc(s->plan, sizeof(*v));
    if (!v) {
        return KILN_RESOURCE;
    }
    v->time = x->dims[time];
    v->batch = x->dims[batch];
    v->time_stride = time == 0 ? x->dims[1] : 1;
    v->batch_stride = batch == 0 ? x->dims[1] : 1;
    v->bytes = (size_t) tensor_inner(x, 2) * dtype_size(x->dtype);
    s->state = v;
    s->run = run_reverse;
    return step_output(s, 0, x->dtype, x->rank, x->dims);
}

/* ---- Det: by elimination with pivots, in doubles */

static double determinant(double *a, int64_t n)
{
    double det = 1;
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++) {
            pivot = fabs(a[i * n + k]) > fabs(a[pivot * n + k]) ? i : pivot;
        }
        for (int64_t j = 0; j < n && pivot != k; j++) {
            const double swapped = a[k * n + j];
            a[k * n + j] = a[pivot * n + j];
            a[pivot * n + j] = swapped;
        }
        det *= pivot == k ? a[k * n + k] : -a[k * n + k];
        for (int64_t i = k + 1; i < n && a[k * n + k] != 0; i++) {
            const double times = a[i * n + k] / a[k * n + k];
            for (int64_t j = k; j < n; j++) {
                a[i * n + j] -= times * a[k * n + j];
            }
        }
    }
    return det;
}

static int run_det(const struct step *s, struct run *r)
{
    const struct tensor *x = s->in[0];
    const int64_t n = x->dims[x->rank - 1];
    double *a = r->scratch;
    for (int64_t m = 0; m < s->out[0]->count; m++) {
        for (int64_t i = 0; i < n * n; i++) {
            a[i] = tensor_number(x, m * n * n + i);
        }
        const double det = determinant(a, n);
        if (x->dtype == DT_F32) {
            ((float *) s->out[0]->data)[m] = (float) det;
        } else {
            ((double *) s->out[0]->data)[m] = det;
        }
    }
    return KILN_OK;
}

static int plan_det(struct step *s)
{
    const struct tensor *x = s->in[0];
    if (!dtype_is_float(x->dtype) || x->rank < 2 || x->dims[x->rank - 1] != x->dims[x->rank - 2]) {
        char text[80];
        return step_fail(s, "the input is %s, expected square matrices of float32 or float64",
                         tensor_text(x, text, sizeof(text)));
    }
    const int64_t n = x->dims[x->rank - 1];
    if (n > INT32_MAX / 8) {
        return KILN_RESOURCE;
    }
    s->scratch_bytes = (size_t) (n * n) * sizeof(double);
    s->run = run_det;
    return step_output(s, 0, x->dtype, x->rank - 2, x->dims);
}

static const struct op ops[] = {
    {"", "ReverseSequence", 10, 2, 2, 1, 1, plan_reverse},
    {"", "Det", 11, 1, 1, 1, 1, plan_det},
};

const struct op_table op_sequence = {ops, sizeof(ops) / sizeof(ops[0])};
