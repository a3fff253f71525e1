/* SPDX-License-Identifier: MPL-2.0 */
/* Scaler, Normalizer, Imputer, Binarizer: tables of the same shape, column by column or row by row. */
#include <math.h>

#include "ml.h"

/* A row is the last dimension. */
struct scale {
    int64_t rows, columns;
    const void *first, *second; /* numbers of each column, or one for all: step 0 */
    int64_t step_first, step_second;
    double number;
    int kind;
};

static struct scale *scale_new(struct step *s)
{
    const struct tensor *x = s->in[0];
    struct scale *p = plan_alloc(s->plan, sizeof *p);
    if (p) {
        p->columns = x->rank ? x->dims[x->rank - 1] : 1;
        p->rows = x->rank ? tensor_rows(x, x->rank - 1) : 1;
        s->state = p;
    }
    return p;
}

static int check_input(struct step *s)
{
    char shown[120];
    return ml_is_number(s->in[0]) ? KILN_OK
                                  : step_fail(s, "the input is %s, expected float32, float64, int64 or int32",
                                              tensor_text(s->in[0], shown, sizeof shown));
}

/* A list of one number for all columns, or one for each. */
static int check_list(struct step *s, const char *name, size_t n, int64_t columns, int64_t *ret_step)
{
    if (n != 1 && (n == 0 || n != (uint64_t) columns)) {
        return step_fail(s, "attribute %s has %zu elements, expected 1 or %lld", name, n,
                         (long long) columns);
    }
    *ret_step = n > 1;
    return KILN_OK;
}

/* ---- Scaler: (x - offset) * scale */

#define SCALE(T, WIDE)                                                                                       \
    static int scale_##T(const struct step *s, struct run *r)                                                \
    {                                                                                                        \
        const struct scale *p = s->state;                                                                    \
        const float *offset = p->first, *factor = p->second;                                                 \
        const T *x = s->in[0]->data;                                                                         \
        float *y = s->out[0]->data;                                                                          \
        (void) r;                                                                                            \
        for (int64_t i = 0; i < p->rows; i++, x += p->columns, y += p->columns) {                            \
            for (int64_t k = 0; k < p->columns; k++) {                                                       \
                const WIDE moved = (WIDE) x[k] - (WIDE) offset[k * p->step_first];                           \
                y[k] = (float) (moved * (WIDE) factor[k * p->step_second]);                                  \
            }                                                                                                \
        }                                                                                                    \
        return KILN_OK;                                                                                      \
    }
SCALE(float, float)
SCALE(double, double)
SCALE(int64_t, double)
SCALE(int32_t, double)

#define FOR_DTYPE(dtype, NAME)                                                                               \
    ((dtype) == DT_F32   ? NAME##_float                                                                      \
     : (dtype) == DT_F64 ? NAME##_double                                                                     \
     : (dtype) == DT_I64 ? NAME##_int64_t                                                                    \
                         : NAME##_int32_t)

static int plan_scaler(struct step *s)
{
    static const float none = 0, one = 1;
    int rc = check_input(s);
    struct scale *p = rc ? NULL : scale_new(s);
    if (!p) {
        return rc ? rc : KILN_RESOURCE;
    }
    const float *offset, *factor;
    const size_t n_offset = step_floats(s, "offset", &offset), n_factor = step_floats(s, "scale", &factor);
    p->first = n_offset ? offset : &none;
    p->second = n_factor ? factor : &one;
    rc = check_list(s, "offset", n_offset ? n_offset : 1, p->columns, &p->step_first);
    rc = rc ? rc : check_list(s, "scale", n_factor ? n_factor : 1, p->columns, &p->step_second);
    s->run = FOR_DTYPE(s->in[0]->dtype, scale);
    s->inplace = s->in[0]->dtype == DT_F32 ? 0 : -1;
    return rc ? rc : step_output(s, 0, DT_F32, s->in[0]->rank, s->in[0]->dims);
}

/* ---- Normalizer: each row divided by its norm, where that is not 0 */

enum { NORM_MAX, NORM_L1, NORM_L2 };

#define NORMALIZE(T)                                                                                         \
    static int normalize_##T(const struct step *s, struct run *r)                                            \
    {                                                                                                        \
        const struct scale *p = s->state;                                                                    \
        const T *x = s->in[0]->data;                                                                         \
        float *y = s->out[0]->data;                                                                          \
        (void) r;                                                                                            \
        for (int64_t i = 0; i < p->rows; i++, x += p->columns, y += p->columns) {                            \
            double norm = 0;                                                                                 \
            for (int64_t k = 0; k < p->columns; k++) {                                                       \
                const double v = fabs((double) x[k]);                                                        \
                norm = p->kind == NORM_MAX ? fmax(norm, v) : norm + (p->kind == NORM_L1 ? v : v * v);        \
            }                                                                                                \
            norm = p->kind == NORM_L2 ? sqrt(norm) : norm;                                                   \
            for (int64_t k = 0; k < p->columns; k++) {                                                       \
                y[k] = (float) (norm == 0 ? (double) x[k] : (double) x[k] / norm);                           \
            }                                                                                                \
        }                                                                                                    \
        return KILN_OK;                                                                                      \
    }
NORMALIZE(float)
NORMALIZE(double)
NORMALIZE(int64_t)
NORMALIZE(int32_t)

static int plan_normalizer(struct step *s)
{
    const int rc = check_input(s);
    struct scale *p = rc ? NULL : scale_new(s);
    if (!p) {
        return rc ? rc : KILN_RESOURCE;
    }
    const struct text norm = step_text(s, "norm", "MAX");
    p->kind = text_is(norm, "MAX")  ? NORM_MAX
              : text_is(norm, "L1") ? NORM_L1
              : text_is(norm, "L2") ? NORM_L2
                                    : -1;
    if (p->kind < 0) {
        return step_fail(s, "attribute norm is \"%.*s\", expected MAX, L1 or L2",
                         (int) (norm.bytes < 60 ? norm.bytes : 60), norm.chars);
    }
    s->run = FOR_DTYPE(s->in[0]->dtype, normalize);
    s->inplace = s->in[0]->dtype == DT_F32 ? 0 : -1;
    return step_output(s, 0, DT_F32, s->in[0]->rank, s->in[0]->dims);
}

/* ---- Imputer: what is missing becomes a number of its column */

#define IMPUTE(T, FROM, WIDE)                                                                                \
    static int impute_##T(const struct step *s, struct run *r)                                               \
    {                                                                                                        \
        const struct scale *p = s->state;                                                                    \
        const FROM *with = p->first, *missing = p->second;                                                   \
        const T *x = s->in[0]->data;                                                                         \
        T *y = s->out[0]->data;                                                                              \
        const bool nan = *missing != *missing;                                                               \
        (void) r;                                                                                            \
        for (int64_t i = 0; i < p->rows; i++, x += p->columns, y += p->columns) {                            \
            for (int64_t k = 0; k < p->columns; k++) {                                                       \
                const bool is_gone = nan ? x[k] != x[k] : (WIDE) x[k] == (WIDE) *missing;                    \
                y[k] = is_gone ? (T) with[k * p->step_first] : x[k];                                         \
            }                                                                                                \
        }                                                                                                    \
        return KILN_OK;                                                                                      \
    }
IMPUTE(float, float, float)
IMPUTE(double, float, double)
IMPUTE(int64_t, int64_t, int64_t)
IMPUTE(int32_t, int64_t, int64_t)

static int plan_imputer(struct step *s)
{
    int rc = check_input(s);
    struct scale *p = rc ? NULL : scale_new(s);
    if (!p) {
        return rc ? rc : KILN_RESOURCE;
    }
    const float *floats;
    const int64_t *ints;
    size_t n;
    if (dtype_is_float(s->in[0]->dtype)) {
        float *missing = plan_alloc(s->plan, sizeof *missing);
        n = step_floats(s, "imputed_value_floats", &floats);
        p->first = floats;
        p->second = missing;
        if (missing) {
            *missing = step_float(s, "replaced_value_float", 0);
        }
    } else {
        int64_t *missing = plan_alloc(s->plan, sizeof *missing);
        n = step_ints(s, "imputed_value_int64s", &ints);
        p->first = ints;
        p->second = missing;
        if (missing) {
            *missing = step_int(s, "replaced_value_int64", 0);
        }
    }
    if (!p->second) {
        return KILN_RESOURCE;
    }
    rc = check_list(s, dtype_is_float(s->in[0]->dtype) ? "imputed_value_floats" : "imputed_value_int64s", n,
                    p->columns, &p->step_first);
    s->run = FOR_DTYPE(s->in[0]->dtype, impute);
    s->inplace = 0;
    return rc ? rc : step_output(s, 0, s->in[0]->dtype, s->in[0]->rank, s->in[0]->dims);
}

/* ---- Binarizer: 1 above the threshold, else 0 */

#define BINARIZE(T)                                                                                          \
    static int binarize_##T(const struct step *s, struct run *r)                                             \
    {                                                                                                        \
        const struct scale *p = s->state;                                                                    \
        const T *x = s->in[0]->data;                                                                         \
        T *y = s->out[0]->data;                                                                              \
        (void) r;                                                                                            \
        for (int64_t i = 0; i < s->in[0]->count; i++) {                                                      \
            y[i] = (T) ((double) x[i] > p->number);                                                          \
        }                                                                                                    \
        return KILN_OK;                                                                                      \
    }
BINARIZE(float)
BINARIZE(double)
BINARIZE(int64_t)
BINARIZE(int32_t)

static int plan_binarizer(struct step *s)
{
    const int rc = check_input(s);
    struct scale *p = rc ? NULL : scale_new(s);
    if (!p) {
        return rc ? rc : KILN_RESOURCE;
    }
    p->number = (double) step_float(s, "threshold", 0);
    s->run = FOR_DTYPE(s->in[0]->dtype, binarize);
    s->inplace = 0;
    return step_output(s, 0, s->in[0]->dtype, s->in[0]->rank, s->in[0]->dims);
}

static const struct op ops[] = {
    {"ai.onnx.ml", "Scaler", 1, 1, 1, 1, 1, plan_scaler},
    {"ai.onnx.ml", "Normalizer", 1, 1, 1, 1, 1, plan_normalizer},
    {"ai.onnx.ml", "Imputer", 1, 1, 1, 1, 1, plan_imputer},
    {"ai.onnx.ml", "Binarizer", 1, 1, 1, 1, 1, plan_binarizer},
};

const struct op_table op_ml_scale = {ops, sizeof ops / sizeof *ops};
