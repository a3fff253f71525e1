/* SPDX-License-Identifier: MPL-2.0 */
/* Normalisations with a scale: BatchNormalization, InstanceNormalization, GroupNormalization, LayerNormalization, RMSNormalization.
 * Of float32 and float64; means and variances are summed in double. */
#include "../op.h"

#include <math.h>
#include <string.h>

/* ---- y = x * scale + shift for each channel ------------------------------------------------------ */

/* x[n][channels][inner] */
struct channels {
    size_t n, channels, inner, groups;
    double epsilon, momentum;
    bool training, per_group;
    const double *scale, *shift; /* BatchNormalization of constants: known when planned */
};

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

static void affine(const struct tensor *x, const struct tensor *y, size_t at, size_t n, double scale,
                   double shift)
{
    if (x->dtype == DT_F32) {
        const float a = (float) scale, b = (float) shift, *from = (const float *) x->data + at;
        float *to = (float *) y->data + at;
        for (size_t i = 0; i < n; i++) {
            to[i] = from[i] * a + b;
        }
        return;
    }
    const double *from = (const double *) x->data + at;
    double *to = (double *) y->data + at;
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i] * scale + shift;
    }
}

struct moments {
    size_t n;
    double mean, m2;
};

/* Adds n elements from `at`: their own moments first, then both together. */
static void moments_add(struct moments *all, const struct tensor *x, size_t at, size_t n)
{
    if (n == 0) {
        return;
    }
    double sum = 0, m2 = 0;
    for (size_t i = 0; i < n; i++) {
        sum += number(x, at + i);
    }
    const double mean = sum / (double) n;
    for (size_t i = 0; i < n; i++) {
        const double d = number(x, at + i) - mean;
        m2 += d * d;
    }
    const double total = (double) (all->n + n), d = mean - all->mean;
    all->m2 += m2 + (all->n ? d * d * (double) all->n * (double) n / total : 0);
    all->mean += d * (double) n / total;
    all->n += n;
}

static double variance(const struct moments *m)
{
    return m->m2 / (double) m->n;
}

/* BatchNormalization, from opset 15 on with scale and mean of types of their own. Inputs: X, scale, B, mean, var. */
static int run_batch(const struct step *s, struct run *r)
{
    (void) r;
    const struct channels *p = s->state;
    const struct tensor *x = s->in[0], *mean = s->in[3], *var = s->in[4];
    for (size_t c = 0; c < p->channels; c++) {
        double m = number(mean, c), v = number(var, c), scale, shift;
        if (p->training) {
            struct moments all = {0};
            for (size_t i = 0; i < p->n; i++) {
                moments_add(&all, x, (i * p->channels + c) * p->inner, p->inner);
            }
            const double running_m = m, running_v = v;
            m = all.mean;
            v = variance(&all);
            if (s->n_out > 1 && s->out[1]) {
                set_number(s->out[1], c, running_m * p->momentum + m * (1 - p->momentum));
            }
            if (s->n_out > 2 && s->out[2]) {
                set_number(s->out[2], c, running_v * p->momentum + v * (1 - p->momentum));
            }
        }
        if (p->scale) {
            scale = p->scale[c];
            shift = p->shift[c];
        } else {
            scale = number(s->in[1], c) / sqrt(v + p->epsilon);
            shift = number(s->in[2], c) - m * scale;
        }
        for (size_t i = 0; i < p->n; i++) {
            affine(x, s->out[0], (i * p->channels + c) * p->inner, p->inner, scale, shift);
        }
    }
    return KILN_OK;
}

static int channels_of(struct step *s, struct channels **ret)
{
    const struct tensor *x = s->in[0];
    if (!dtype_is_float(x->dtype)) {
        return step_fail(s, "input is %s, expected float32 or float64", dtype_name(x->dtype));
    }
    if (x->rank < 1) {
        return step_fail(s, "input has no dimensions, expected a batch");
    }
    struct channels *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    p->n = (size_t) x->dims[0];
    p->channels = x->rank > 1 ? (size_t) x->dims[1] : 1;
    p->inner = x->rank > 2 ? (size_t) tensor_inner(x, 2) : 1;
    p->epsilon = (double) step_float(s, "epsilon", 1e-5F);
    s->state = p;
    *ret = p;
    return KILN_OK;
}

static int check_vectors(struct step *s, int first, size_t n)
{
    for (int i = first; i < s->n_in; i++) {
        const struct tensor *t = s->in[i];
        if (!t || !dtype_is_float(t->dtype) || (size_t) t->count != n) {
            char shape[80];
            return step_fail(s, "input %d is %s, expected %zu floats", i,
                             t ? tensor_text(t, shape, sizeof shape) : "absent", n);
        }
    }
    return KILN_OK;
}

/* Scale and shift as numbers of their own, when everything they follow from is constant. */
static int batch_constants(struct step *s, struct channels *p)
{
    for (int i = 1; i < 5; i++) {
        if (!step_is_constant(s, i)) {
            return KILN_OK;
        }
    }
    double *both = plan_alloc(s->plan, sizeof *both * (2 * p->channels + 1));
    if (!both) {
        return KILN_RESOURCE;
    }
    for (size_t c = 0; c < p->channels; c++) {
        both[c] = number(s->in[1], c) / sqrt(number(s->in[4], c) + p->epsilon);
        both[p->channels + c] = number(s->in[2], c) - number(s->in[3], c) * both[c];
    }
    p->scale = both;
    p->shift = both + p->channels;
    return KILN_OK;
}

static int plan_batch(struct step *s)
{
    struct channels *p;
    int status = channels_of(s, &p);
    if (status != KILN_OK || (status = check_vectors(s, 1, p->channels)) != KILN_OK) {
        return status;
    }
    p->momentum = (double) step_float(s, "momentum", 0.9F);
    p->training = step_int(s, "training_mode", 0) != 0;
    if (step_opset(s) < 9 && step_int(s, "spatial", 1) == 0) {
        return step_fail(s, "attribute spatial is 0, expected 1");
    }
    const int64_t channels = (int64_t) p->channels;
    if ((status = step_output(s, 0, s->in[0]->dtype, s->in[0]->rank, s->in[0]->dims)) != KILN_OK) {
        return status;
    }
    for (int k = 1; k < s->n_out; k++) {
        if (s->out[k] && !p->training) {
            return step_fail(s, "output %d is wanted, expected that only with training_mode", k);
        }
        if ((status = step_output(s, k, s->in[3]->dtype, 1, &channels)) != KILN_OK) {
            return status;
        }
    }
    s->run = run_batch;
    s->inplace = 0;
    return p->training ? KILN_OK : batch_constants(s, p);
}

/* InstanceNormalization and GroupNormalization: each sample by itself. */
static int run_groups(const struct step *s, struct run *r)
{
    (void) r;
    const struct channels *p = s->state;
    const size_t each = p->groups ? p->channels / p->groups : 0;
    for (size_t i = 0; i < p->n * p->groups; i++) {
        struct moments all = {0};
        moments_add(&all, s->in[0], i * each * p->inner, each * p->inner);
        const double by = 1 / sqrt(variance(&all) + p->epsilon);
        for (size_t j = 0; j < each; j++) {
            const size_t channel = i % p->groups * each + j, at = p->per_group ? i % p->groups : channel;
            const double scale = number(s->in[1], at) * by;
            affine(s->in[0], s->out[0], (i * each + j) * p->inner, p->inner, scale,
                   number(s->in[2], at) - all.mean * scale);
        }
    }
    return KILN_OK;
}

static int plan_groups(struct step *s, bool group)
{
    struct channels *p;
    int status = channels_of(s, &p);
    if (status != KILN_OK) {
        return status;
    }
    p->groups = group ? (size_t) step_int(s, "num_groups", 0) : p->channels;
    if ((p->groups < 1 && p->channels > 0) || p->groups > p->channels ||
        (p->groups && p->channels % p->groups)) {
        return step_fail(s, "num_groups is %lld, expected a divisor of the %zu channels",
                         (long long) p->groups, p->channels);
    }
    p->per_group = group && step_opset(s) < 21;
    if ((status = check_vectors(s, 1, p->per_group ? p->groups : p->channels)) != KILN_OK) {
        return status;
    }
    s->run = run_groups;
    s->inplace = 0;
    return step_output(s, 0, s->in[0]->dtype, s->in[0]->rank, s->in[0]->dims);
}

static int plan_instance(struct step *s)
{
    return plan_groups(s, false);
}

static int plan_group(struct step *s)
{
    return plan_groups(s, true);
}

/* ---- along the last axes ------------------------------------------------------------------------- */

struct layer {
    size_t rows, inner, scales, biases; /* numbers of elements; 0: none */
    double epsilon;
    bool root; /* RMSNormalization: the mean is taken for 0 */
};

/* float32: sums in vectors of partial sums, which the compiler makes of these loops. */
enum { ABREAST = 16 };

static double sum_floats(const float *x, size_t n, double minus, bool squares)
{
    double sums[ABREAST] = {0};
    size_t i = 0;
    for (; i + ABREAST <= n; i += ABREAST) {
        for (size_t j = 0; j < ABREAST; j++) {
            const double d = (double) x[i + j] - minus;
            sums[j] += squares ? d * d : d;
        }
    }
    for (; i < n; i++) {
        const double d = (double) x[i] - minus;
        sums[0] += squares ? d * d : d;
    }
    double sum = 0;
    for (size_t j = 0; j < ABREAST; j++) {
        sum += sums[j];
    }
    return sum;
}

static int run_layer(const struct step *s, struct run *r)
{
    (void) r;
    const struct layer *p = s->state;
    const struct tensor *x = s->in[0], *bias = p->biases ? s->in[2] : NULL;
    for (size_t i = 0; i < p->rows; i++) {
        const size_t at = i * p->inner;
        struct moments all = {0};
        if (x->dtype == DT_F32) {
            const float *from = (const float *) x->data + at;
            all.n = p->inner;
            all.mean = p->root ? 0 : sum_floats(from, p->inner, 0, false) / (double) p->inner;
            all.m2 = sum_floats(from, p->inner, all.mean, true);
        } else {
            moments_add(&all, x, at, p->inner);
        }
        if (p->root && x->dtype != DT_F32) {
            all.m2 += (double) all.n * all.mean * all.mean;
            all.mean = 0;
        }
        const double by = 1 / sqrt(variance(&all) + p->epsilon);
        if (s->n_out > 1 && s->out[1]) {
            set_number(s->out[1], i, all.mean);
        }
        if (s->n_out > 2 && s->out[2]) {
            set_number(s->out[2], i, by);
        }
        affine(x, s->out[0], at, p->inner, by, -all.mean * by);
        const bool plain = p->scales == p->inner && (!bias || p->biases == p->inner) && x->dtype == DT_F32;
        if (plain) {
            const float *scale = s->in[1]->data, *shift = bias ? bias->data : NULL;
            float *y = (float *) s->out[0]->data + at;
            for (size_t j = 0; j < p->inner; j++) {
                y[j] = y[j] * scale[j] + (shift ? shift[j] : 0);
            }
            continue;
        }
        for (size_t j = 0; j < p->inner; j++) {
            const double y = number(s->out[0], at + j) * number(s->in[1], j % p->scales);
            set_number(s->out[0], at + j, y + (bias ? number(bias, j % p->biases) : 0));
        }
    }
    return KILN_OK;
}

/* Scale and bias are repeated along the first of the normalised axes: their dimensions are the last ones of these. */
static int check_scale(struct step *s, int i, int axis)
{
    const struct tensor *x = s->in[0], *t = s->in[i];
    if (t->dtype != x->dtype) {
        return step_fail(s, "input %d is %s, expected %s as the first", i, dtype_name(t->dtype),
                         dtype_name(x->dtype));
    }
    int first = 0;
    while (first < t->rank - 1 && t->dims[first] == 1) {
        first++;
    }
    const int rank = t->rank - first;
    bool fits = t->count > 0 && (t->count == 1 || rank <= x->rank - axis);
    for (int d = 0; fits && t->count > 1 && d < rank; d++) {
        fits = t->dims[t->rank - 1 - d] == x->dims[x->rank - 1 - d];
    }
    if (!fits && x->count > 0) {
        char shape[80];
        return step_fail(s, "input %d is %s, expected the last dimensions of the first input", i,
                         tensor_text(t, shape, sizeof shape));
    }
    return KILN_OK;
}

static int plan_last_axes(struct step *s, bool root)
{
    const struct tensor *x = s->in[0];
    const int axis = axis_of(step_int(s, "axis", -1), x->rank);
    if (!dtype_is_float(x->dtype) || axis < 0) {
        return step_fail(s, "input is %s, axis %lld; expected floats and one of its axes",
                         dtype_name(x->dtype), (long long) step_int(s, "axis", -1));
    }
    struct layer *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    int status = check_scale(s, 1, axis);
    if (status == KILN_OK && s->n_in > 2 && s->in[2]) {
        status = check_scale(s, 2, axis);
        p->biases = (size_t) s->in[2]->count;
    }
    if (status != KILN_OK) {
        return status;
    }
    p->scales = (size_t) s->in[1]->count;
    p->rows = (size_t) tensor_rows(x, axis);
    p->inner = (size_t) tensor_inner(x, axis);
    p->epsilon = (double) step_float(s, "epsilon", 1e-5F);
    p->root = root;
    s->state = p;
    s->run = run_layer;
    int64_t dims[TENSOR_RANK];
    for (int i = 0; i < x->rank; i++) {
        dims[i] = i < axis ? x->dims[i] : 1;
    }
    for (int k = 0; k < s->n_out && status == KILN_OK; k++) {
        status = step_output(s, k, x->dtype, x->rank, k == 0 ? x->dims : dims);
    }
    s->inplace = 0;
    return status;
}

static int plan_layer(struct step *s)
{
    return plan_last_axes(s, false);
}

static int plan_root(struct step *s)
{
    return plan_last_axes(s, true);
}

static const struct op ops[] = {
    {"", "BatchNormalization", 7, 5, 5, 1, 5, plan_batch},
    {"", "InstanceNormalization", 6, 3, 3, 1, 1, plan_instance},
    {"", "GroupNormalization", 18, 3, 3, 1, 1, plan_group},
    {"", "LayerNormalization", 17, 2, 3, 1, 3, plan_layer},
    {"", "RMSNormalization", 23, 2, 2, 1, 1, plan_root},
};

const struct op_table op_norm = {ops, sizeof ops / sizeof *ops};
