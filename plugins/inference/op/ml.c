/* SPDX-License-Identifier: MPL-2.0 */
#include "ml.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool ml_is_number(const struct tensor *t)
{
    return t->dtype == DT_F32 || t->dtype == DT_F64 || t->dtype == DT_I64 || t->dtype == DT_I32;
}

int ml_table(struct step *s, int i, struct ml_table *ret)
{
    const struct tensor *t = s->in[i];
    if (!t || !ml_is_number(t) || t->rank < 1 || t->rank > 2) {
        char shown[120] = "absent";
        return step_fail(s, "input %d is %s, expected rows of float32, float64, int64 or int32", i,
                         t ? tensor_text(t, shown, sizeof shown) : shown);
    }
    *ret = (struct ml_table){t->rank == 2 ? t->dims[0] : 1, t->dims[t->rank - 1]};
    return KILN_OK;
}

#define CONVERT(T, TO)                                                                                       \
    for (int64_t k = 0; k < n; k++) {                                                                        \
        room[k] = (TO) ((const T *) t->data)[from + k];                                                      \
    }                                                                                                        \
    return room

const float *ml_floats(const struct tensor *t, int64_t from, int64_t n, float *room)
{
    switch (t->dtype) {
    case DT_F32:
        return (const float *) t->data + from;
    case DT_F64:
        CONVERT(double, float);
    case DT_I64:
        CONVERT(int64_t, float);
    default:
        CONVERT(int32_t, float);
    }
}

const double *ml_doubles(const struct tensor *t, int64_t from, int64_t n, double *room)
{
    switch (t->dtype) {
    case DT_F64:
        return (const double *) t->data + from;
    case DT_F32:
        CONVERT(float, double);
    case DT_I64:
        CONVERT(int64_t, double);
    default:
        CONVERT(int32_t, double);
    }
}

/* ---- scores */

int ml_transform_read(struct step *s, enum ml_transform *ret)
{
    static const char *const names[] = {
        [ML_NONE] = "NONE",         [ML_SOFTMAX] = "SOFTMAX",
        [ML_LOGISTIC] = "LOGISTIC", [ML_SOFTMAX_ZERO] = "SOFTMAX_ZERO",
        [ML_PROBIT] = "PROBIT",
    };
    const struct text given = step_text(s, "post_transform", "NONE");
    for (int i = ML_NONE; i <= ML_PROBIT; i++) {
        if (text_is(given, names[i])) {
            *ret = (enum ml_transform) i;
            return KILN_OK;
        }
    }
    return step_fail(
        s, "attribute post_transform is \"%.*s\", expected NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT",
        (int) (given.bytes < 60 ? given.bytes : 60), given.chars);
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* The x below which a share p of the normal distribution lies. A rational first guess within 5e-4 (Hastings), and Newton's
 * steps with Halley's correction, which triple the digits. */
static double probit(double p)
{
    if (!(p > 0 && p < 1)) {
        return p == 0 ? -HUGE_VAL : p == 1 ? HUGE_VAL : (double) NAN;
    }
    const double q = p < 0.5 ? p : 1 - p, t = sqrt(-2 * log(q));
    double x =
        (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
    for (int i = 0; i < 2; i++) {
        const double error =
            (0.5 * erfc(-x * 0x1.6a09e667f3bcdp-1) - q) * 0x1.40d931ff62706p+1 * exp(x * x / 2);
        x -= error / (1 + x * error / 2);
    }
    return p < 0.5 ? x : -x;
}

static double greatest(size_t n, const double *scores)
{
    return scores[ml_greatest(n, scores)];
}

/* Scores of nothing stay next to nothing. */
static bool counts(enum ml_transform transform, double score)
{
    return transform == ML_SOFTMAX || score > 1e-7 || score < -1e-7;
}

#define TRANSFORM(NAME, T)                                                                                   \
    static void softmax_##T(enum ml_transform transform, size_t n, const double *scores, T *out)             \
    {                                                                                                        \
        const double most = greatest(n, scores);                                                             \
        double sum = 0;                                                                                      \
        for (size_t i = 0; i < n; i++) {                                                                     \
            sum += counts(transform, scores[i]) ? exp(scores[i] - most) : scores[i] * exp(-most);            \
        }                                                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                     \
            const double share =                                                                             \
                counts(transform, scores[i]) ? exp(scores[i] - most) : scores[i] * exp(-most);               \
            out[i] = (T) (sum > 0 ? share / sum : share);                                                    \
        }                                                                                                    \
    }                                                                                                        \
    void NAME(enum ml_transform transform, size_t n, const double *scores, T *out)                           \
    {                                                                                                        \
        if (transform == ML_SOFTMAX || transform == ML_SOFTMAX_ZERO) {                                       \
            softmax_##T(transform, n, scores, out);                                                          \
            return;                                                                                          \
        }                                                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                     \
            out[i] = (T) (transform == ML_LOGISTIC ? logistic(scores[i])                                     \
                          : transform == ML_PROBIT ? probit(scores[i])                                       \
                                                   : scores[i]);                                             \
        }                                                                                                    \
    }
TRANSFORM(ml_transform, float)
TRANSFORM(ml_transform_doubles, double)

void ml_transform_pair(enum ml_transform transform, bool shares, double score, float *out)
{
    const double pair[2] = {shares && transform != ML_LOGISTIC ? 1 - score : -score, score};
    ml_transform(transform, 2, pair, out);
}

#define GREATEST(NAME, T)                                                                                    \
    size_t NAME(size_t n, const T *scores)                                                                   \
    {                                                                                                        \
        size_t best = 0;                                                                                     \
        for (size_t i = 1; i < n; i++) {                                                                     \
            best = scores[i] > scores[best] ? i : best;                                                      \
        }                                                                                                    \
        return best;                                                                                         \
    }
GREATEST(ml_greatest, double)
GREATEST(ml_greatest_float, float)
