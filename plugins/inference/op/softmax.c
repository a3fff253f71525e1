/* SPDX-License-Identifier: MPL-2.0 */
/* Softmax, LogSoftmax, Hardmax. Until opset 12 they take all axes from `axis` on as one; from 13 on, that axis alone. */
#include <math.h>
#include <string.h>

#include "../kernel/act.h"
#include "../op.h"

typedef void line_fn(void *y, const void *x, int64_t n, void *scratch); /* y may be x */

struct softmax {
    line_fn *fn;
    int64_t outer, n, inner; /* lines lie `inner` elements apart */
};

/* ---- one line */

static float greatest_f32(const float *x, int64_t n)
{
    enum { LANES = 16 };
    float m[LANES];
    int64_t i = 0;
    for (int k = 0; k < LANES; k++) {
        m[k] = -HUGE_VALF;
    }
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++) {
            m[k] = x[i + k] > m[k] ? x[i + k] : m[k];
        }
    }
    for (; i < n; i++) {
        m[0] = x[i] > m[0] ? x[i] : m[0];
    }
    for (int k = 1; k < LANES; k++) {
        m[0] = m[k] > m[0] ? m[k] : m[0];
    }
    return m[0];
}

static double greatest_f64(const double *x, int64_t n)
{
    double m = -HUGE_VAL;
    for (int64_t i = 0; i < n; i++) {
        m = x[i] > m ? x[i] : m;
    }
    return m;
}

static double exp_sum_f64(const double *x, double *y, int64_t n, double shift)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        y[i] = exp(x[i] - shift);
        sum += y[i];
    }
    return sum;
}

static void softmax_f32(void *out, const void *in, int64_t n, void *scratch)
{
    float *y = out;
    (void) scratch;
    const float scale = 1 / act_exp_sum(in, y, (size_t) n, greatest_f32(in, n));
    for (int64_t i = 0; i < n; i++) {
        y[i] *= scale;
    }
}

static void softmax_f64(void *out, const void *in, int64_t n, void *scratch)
{
    double *y = out;
    (void) scratch;
    const double sum = exp_sum_f64(in, y, n, greatest_f64(in, n));
    for (int64_t i = 0; i < n; i++) {
        y[i] /= sum;
    }
}

static void log_softmax_f32(void *out, const void *in, int64_t n, void *scratch)
{
    const float *x = in, m = greatest_f32(x, n);
    float *y = out;
    const float log_sum = logf(act_exp_sum(x, scratch, (size_t) n, m));
    for (int64_t i = 0; i < n; i++) {
        y[i] = (x[i] - m) - log_sum;
    }
}

static void log_softmax_f64(void *out, const void *in, int64_t n, void *scratch)
{
    const double *x = in, m = greatest_f64(x, n);
    double *y = out;
    const double log_sum = log(exp_sum_f64(x, scratch, n, m));
    for (int64_t i = 0; i < n; i++) {
        y[i] = (x[i] - m) - log_sum;
    }
}

/* 1 at the first of the greatest */
#define HARDMAX(t, T)                                                                                        \
    static void hardmax_##t(void *out, const void *in, int64_t n, void *scratch)                             \
    {                                                                                                        \
        const T *x = in;                                                                                     \
        T *y = out;                                                                                          \
        int64_t best = 0;                                                                                    \
        (void) scratch;                                                                                      \
        for (int64_t i = 1; i < n; i++) {                                                                    \
            best = x[i] > x[best] ? i : best;                                                                \
        }                                                                                                    \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            y[i] = i == best;                                                                                \
        }                                                                                                    \
    }
HARDMAX(f32, float)
HARDMAX(f64, double)

/* ---- all lines */

static int run_lines(const struct step *s, struct run *r)
{
    const struct softmax *m = s->state;
    const size_t bytes = (size_t) m->n * dtype_size(s->out[0]->dtype);
    const char *x = s->in[0]->data;
    char *y = s->out[0]->data;
    for (int64_t i = 0; i < m->outer && m->n > 0; i++) {
        m->fn(y + (size_t) i * bytes, x + (size_t) i * bytes, m->n, r->scratch);
    }
    return KILN_OK;
}

/* Lines that are not contiguous are brought together in scratch, whose second half is the kernel's. */
#define RUN_APART(t, T)                                                                                      \
    static int run_apart_##t(const struct step *s, struct run *r)                                            \
    {                                                                                                        \
        const struct softmax *m = s->state;                                                                  \
        T *line = r->scratch;                                                                                \
        for (int64_t k = 0; k < m->outer * m->inner; k++) {                                                  \
            const int64_t at = k / m->inner * m->n * m->inner + k % m->inner;                                \
            const T *x = (const T *) s->in[0]->data + at;                                                    \
            T *y = (T *) s->out[0]->data + at;                                                               \
            for (int64_t i = 0; i < m->n; i++) {                                                             \
                line[i] = x[i * m->inner];                                                                   \
            }                                                                                                \
            m->fn(line, line, m->n, line + m->n);                                                            \
            for (int64_t i = 0; i < m->n; i++) {                                                             \
                y[i * m->inner] = line[i];                                                                   \
            }                                                                                                \
        }                                                                                                    \
        return KILN_OK;                                                                                      \
    }
RUN_APART(f32, float)
RUN_APART(f64, double)

static int plan(struct step *s, line_fn *f32, line_fn *f64, bool to_matrix)
{
    const struct tensor *x = s->in[0];
    const int64_t wanted = step_int(s, "axis", to_matrix ? 1 : -1);
    const int axis = to_matrix && wanted == x->rank ? x->rank : axis_of(wanted, x->rank);
    if (!dtype_is_float(x->dtype)) {
        return step_fail(s, "an input of type %s is not supported", dtype_name(x->dtype));
    }
    if (axis < 0 && x->rank > 0) {
        return step_fail(s, "axis %lld is not of an input of rank %d", (long long) wanted, x->rank);
    }
    struct softmax *m = plan_alloc(s->plan, sizeof(*m));
    if (!m) {
        return KILN_RESOURCE;
    }
    m->fn = x->dtype == DT_F32 ? f32 : f64;
    const bool scalar = x->rank == 0;
    m->outer = scalar ? 1 : tensor_rows(x, axis);
    m->n = scalar ? 1 : to_matrix ? tensor_inner(x, axis) : x->dims[axis];
    m->inner = scalar || to_matrix ? 1 : tensor_inner(x, axis + 1);
    s->state = m;
    s->scratch_bytes = 2 * (size_t) m->n * dtype_size(x->dtype);
    s->inplace = 0;
    s->run = m->inner == 1 ? run_lines : x->dtype == DT_F32 ? run_apart_f32 : run_apart_f64;
    return step_output(s, 0, x->dtype, x->rank, x->dims);
}

#define PLAN(NAME)                                                                                           \
    static int plan_##NAME(struct step *s)                                                                   \
    {                                                                                                        \
        return plan(s, NAME##_f32, NAME##_f64, false);                                                       \
    }                                                                                                        \
    static int plan_##NAME##_of_matrix(struct step *s)                                                       \
    {                                                                                                        \
        return plan(s, NAME##_f32, NAME##_f64, true);                                                        \
    }
PLAN(softmax)
PLAN(log_softmax)
PLAN(hardmax)

static const struct op ops[] = {
    {"", "Softmax", 1, 1, 1, 1, 1, plan_softmax_of_matrix},
    {"", "Softmax", 13, 1, 1, 1, 1, plan_softmax},
    {"", "LogSoftmax", 1, 1, 1, 1, 1, plan_log_softmax_of_matrix},
    {"", "LogSoftmax", 13, 1, 1, 1, 1, plan_log_softmax},
    {"", "Hardmax", 1, 1, 1, 1, 1, plan_hardmax_of_matrix},
    {"", "Hardmax", 13, 1, 1, 1, 1, plan_hardmax},
};

const struct op_table op_softmax = {ops, sizeof(ops) / sizeof(ops[0])};
