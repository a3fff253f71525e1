/* SPDX-License-Identifier: MPL-2.0 */
/* Normalisations without a scale: MeanVarianceNormalization, LpNormalization, LRN; of float32 and float64. */
#include <math.h>

#include "../op.h"

static double number(const struct tensor *t, size_t i)
{
    return t->dtype == DT_F32 ? (double) ((const float *) t->data)[i] : ((const double *) t->data)[i];
}

static void set_number(const struct tensor *t, size_t i, double value)
{
    if (t->dtype == DT_F32) {
        ((float *) t->data)[i] = (float) value;
    } else {
        ((double *) t->data)[i] = value;
    }
}

static int check(struct step *s)
{
    const struct tensor *x = s->in[0];
    return dtype_is_float(x->dtype)
               ? step_output(s, 0, x->dtype, x->rank, x->dims)
               : step_fail(s, "input is %s, expected float32 or float64", dtype_name(x->dtype));
}

/* ---- MeanVarianceNormalization: over any axes -------------------------------------------------------- */

struct mean_variance {
    bool over[TENSOR_RANK];
    size_t groups;
    size_t sums_at; /* group of each element is found by counting, not kept */
};

/* The group of the element at `index`. */
static size_t group_of(const struct tensor *x, const struct mean_variance *p, const int64_t *index)
{
    size_t group = 0;
    for (int d = 0; d < x->rank; d++) {
        group = p->over[d] ? group : group * (size_t) x->dims[d] + (size_t) index[d];
    }
    return group;
}

static void next(const struct tensor *x, int64_t *index)
{
    for (int d = x->rank - 1; d >= 0 && ++index[d] == x->dims[d]; d--) {
        index[d] = 0;
    }
}

static int run_mean_variance(const struct step *s, struct run *r)
{
    const struct mean_variance *p = s->state;
    const struct tensor *x = s->in[0];
    double *mean = r->scratch, *square = mean + p->groups;
    const double n = (double) x->count / (double) p->groups;
    for (size_t g = 0; g < 2 * p->groups; g++) {
        mean[g] = 0;
    }
    for (int pass = 0; pass < 3; pass++) {
        int64_t index[TENSOR_RANK] = {0};
        for (size_t i = 0; i < (size_t) x->count; i++, next(x, index)) {
            const size_t g = group_of(x, p, index);
            const double value = number(x, i), d = value - mean[g];
            if (pass == 0) {
                mean[g] += value / n;
            } else if (pass == 1) {
                square[g] += d * d / n;
            } else {
                set_number(s->out[0], i, d / (sqrt(square[g]) + 1e-9));
            }
        }
    }
    return KILN_OK;
}

static int plan_mean_variance(struct step *s)
{
    static const int64_t usual[] = {0, 2, 3};
    const struct tensor *x = s->in[0];
    const int64_t *axes;
    size_t n = step_ints(s, "axes", &axes);
    struct mean_variance *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    axes = n ? axes : usual;
    n = n ? n : 3;
    for (size_t i = 0; i < n; i++) {
        const int axis = axis_of(axes[i], x->rank);
        if (axis < 0) {
            return step_fail(s, "axis %lld, expected one of %d", (long long) axes[i], x->rank);
        }
        p->over[axis] = true;
    }
    p->groups = 1;
    for (int d = 0; d < x->rank && x->count > 0; d++) {
        p->groups *= p->over[d] ? 1 : (size_t) x->dims[d];
    }
    s->scratch_bytes = 2 * p->groups * sizeof(double);
    s->state = p;
    s->run = run_mean_variance;
    return check(s);
}

/* ---- LpNormalization and LRN: along one axis ----------------------------------------------------------- */

struct along {
    size_t rows, length, inner;
    bool absolute; /* sums of magnitudes, not of squares */
    size_t before, after;
    double alpha, beta, bias, size;
};

static int run_lp(const struct step *s, struct run *r)
{
    (void) r;
    const struct along *p = s->state;
    for (size_t i = 0; i < p->rows * p->inner; i++) {
        const size_t first = i / p->inner * p->length * p->inner + i % p->inner;
        double sum = 0;
        for (size_t j = 0; j < p->length; j++) {
            const double x = number(s->in[0], first + j * p->inner);
            sum += p->absolute ? fabs(x) : x * x;
        }
        const double norm = p->absolute ? sum : sqrt(sum);
        for (size_t j = 0; j < p->length; j++) {
            const size_t at = first + j * p->inner;
            set_number(s->out[0], at, norm == 0 ? 0 : number(s->in[0], at) / norm);
        }
    }
    return KILN_OK;
}

static int run_lrn(const struct step *s, struct run *r)
{
    const struct along *p = s->state;
    for (size_t i = 0; i < p->rows * p->inner; i++) {
        const size_t first = i / p->inner * p->length * p->inner + i % p->inner;
        for (size_t j = 0; j < p->length; j++) {
            const size_t from = j < p->before ? 0 : j - p->before,
                         to = p->length - j <= p->after ? p->length - 1 : j + p->after;
            double sum = 0;
            for (size_t k = from; k <= to; k++) {
                const double x = number(s->in[0], first + k * p->inner);
                sum += x * x;
            }
            const size_t at = first + j * p->inner;
            set_number(s->out[0], at,
                       number(s->in[0], at) / pow(p->bias + p->alpha / p->size * sum, p->beta));
        }
        if (i % 256 == 255 && run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static int plan_along(struct step *s, int64_t wanted, struct along **ret)
{
    const struct tensor *x = s->in[0];
    const int axis = axis_of(wanted, x->rank);
    if (axis < 0) {
        return step_fail(s, "axis %lld, expected one of %d", (long long) wanted, x->rank);
    }
    struct along *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    *p = (struct along){.length = (size_t) x->dims[axis],
                        .rows = (size_t) tensor_rows(x, axis),
                        .inner = (size_t) tensor_inner(x, axis + 1)};
    if (x->count == 0) {
        p->rows = p->inner = 0;
    }
    s->state = p;
    *ret = p;
    return check(s);
}

static int plan_lp(struct step *s)
{
    struct along *p = NULL;
    const int64_t power = step_int(s, "p", 2);
    if (power != 1 && power != 2) {
        return step_fail(s, "attribute p is %lld, expected 1 or 2", (long long) power);
    }
    const int status = plan_along(s, step_int(s, "axis", -1), &p);
    if (status == KILN_OK) {
        p->absolute = power == 1;
    }
    s->inplace = 0;
    s->run = run_lp;
    return status;
}

static int plan_lrn(struct step *s)
{
    struct along *p = NULL;
    const int64_t size = step_int(s, "size", 0);
    if (size < 1) {
        return step_fail(s, "attribute size is %lld, expected 1 or more", (long long) size);
    }
    const int status = plan_along(s, 1, &p);
    if (status != KILN_OK) {
        return status;
    }
    p->before = (size_t) (size - 1) / 2;
    p->after = (size_t) size / 2;
    p->size = (double) size;
    p->alpha = (double) step_float(s, "alpha", 1e-4F);
    p->beta = (double) step_float(s, "beta", 0.75F);
    p->bias = (double) step_float(s, "bias", 1);
    s->run = run_lrn;
    return KILN_OK;
}

static const struct op ops[] = {
    {"", "MeanVarianceNormalization", 9, 1, 1, 1, 1, plan_mean_variance},
    {"", "LpNormalization", 1, 1, 1, 1, 1, plan_lp},
    {"", "LRN", 1, 1, 1, 1, 1, plan_lrn},
};

const struct op_table op_rescale = {ops, sizeof ops / sizeof *ops};
