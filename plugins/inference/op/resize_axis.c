/* SPDX-License-Identifier: MPL-2.0 */
#include "resize_axis.h"

#include <math.h>
#include <string.h>

static double place_of(enum resize_place place, const struct resize_axis *a, int64_t i)
{
    const double in = (double) a->in, out = (double) a->out, x = (double) i;
    /* one division, so that what lies half-way is found there */
    const double half = a->by_size ? (x + 0.5) * in / out : (x + 0.5) / a->scale;
    switch (place) {
    case PLACE_ASYMMETRIC:
        return a->by_size ? x * in / out : x / a->scale;
    case PLACE_CORNERS: { /* the width is not rounded to whole indices here: so ONNX's own tests want it */
        const double width = a->by_size ? out : a->scale * in;
        return a->out == 1 || width == 1 ? 0 : x * (in - 1) / (width - 1);
    }
    case PLACE_CROP:
        return a->out == 1 ? 0.5 * (a->crop_from + a->crop_to) * (in - 1)
                           : a->crop_from * (in - 1) + x * (a->crop_to - a->crop_from) * (in - 1) / (out - 1);
    case PLACE_PYTORCH:
        return a->out == 1 ? 0 : half - 0.5;
    case PLACE_NEAREST_HALF:
        return half;
    case PLACE_HALF_PIXEL_SYMMETRIC:
        return in / 2 * (1 - (a->by_size ? 1 : out / (a->scale * in))) + half - 0.5;
    default:
        return half - 0.5;
    }
}

static double rounded(enum resize_round round, double x)
{
    switch (round) {
    case ROUND_FLOOR:
        return floor(x);
    case ROUND_CEIL:
        return ceil(x);
    case ROUND_PREFER_CEIL:
        return floor(x + 0.5);
    default:
        return ceil(x - 0.5);
    }
}

/* The weight of what is x away. */
static double weight_of(const struct resize_way *way, double x)
{
    x = fabs(x);
    if (way->mode == RESIZE_LINEAR) {
        return x < 1 ? 1 - x : 0;
    }
    const double a = way->cubic_a;
    if (x <= 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static int64_t within(double i, int64_t n)
{
    return i > 0 ? (i < (double) (n - 1) ? (int64_t) i : n - 1) : 0;
}

/* Indices from `first` on, relative to where the new one lies; those outside are the nearest inside, or left out. */
static void weigh(const struct resize_way *way, const struct resize_axis *a, double x, double narrow,
                  double first, int64_t at)
{
    const double low = floor(x);
    double sum = 0;
    for (int t = 0; t < a->taps; t++) {
        const double i = low + first + t;
        const bool outside = i < 0 || i > (double) (a->in - 1);
        a->index[at + t] = within(i, a->in);
        a->weight[at + t] =
            outside && way->exclude_outside ? 0 : weight_of(way, narrow * (first + t - (x - low)));
        sum += a->weight[at + t];
    }
    for (int t = 0; (narrow < 1 || way->exclude_outside) && sum != 0 && t < a->taps; t++) {
        a->weight[at + t] /= sum;
    }
}

int resize_axis_plan(struct step *s, const struct resize_way *way, struct resize_axis *a)
{
    const double narrow = way->antialias && a->scale < 1 ? a->scale : 1;
    const double reach = way->mode == RESIZE_CUBIC ? 2 : 1, first = floor(-reach / narrow) + 1;
    const double taps = way->mode == RESIZE_NEAREST ? 1 : 2 - 2 * first;
    size_t n, bytes;
    if (!(taps < (double) (1 << 30)) || __builtin_mul_overflow((size_t) a->out, (size_t) taps, &n) ||
        __builtin_mul_overflow(n, sizeof(double), &bytes)) {
        return step_fail(s, "a scale of %g for an axis of %lld", a->scale, (long long) a->in);
    }
    a->taps = (int) taps;
    a->index = plan_alloc(s->plan, bytes);
    a->weight = way->mode == RESIZE_NEAREST ? NULL : plan_alloc(s->plan, bytes);
    a->outside = way->place == PLACE_CROP ? plan_alloc(s->plan, (size_t) a->out) : NULL;
    if (!a->index || (way->mode != RESIZE_NEAREST && !a->weight) ||
        (way->place == PLACE_CROP && !a->outside)) {
        return KILN_RESOURCE;
    }
    for (int64_t i = 0; i < a->out; i++) {
        const double x = place_of(way->place, a, i);
        if (a->outside) {
            a->outside[i] = !(x >= 0 && x <= (double) (a->in - 1));
        }
        if (way->mode == RESIZE_NEAREST) {
            a->index[i] = within(rounded(way->round, x), a->in);
        } else {
            weigh(way, a, isfinite(x) ? x : 0, narrow, first, i * a->taps);
        }
    }
    return KILN_OK;
}

static void pick(const struct resize_axis *a, int64_t outer, int64_t inner, size_t size, const char *x,
                 char *y)
{
    const size_t row = (size_t) inner * size;
    for (int64_t o = 0; o < outer; o++, x += (size_t) a->in * row) {
        if (row == sizeof(float)) {
            for (int64_t i = 0; i < a->out; i++, y += row) {
                memcpy(y, x + (size_t) a->index[i] * row, sizeof(float));
            }
            continue;
        }
        for (int64_t i = 0; i < a->out; i++, y += row) {
            memcpy(y, x + (size_t) a->index[i] * row, row);
        }
    }
}

#define WEIGH(NAME, TYPE)                                                                                    \
    static void NAME(const struct resize_axis *a, int64_t outer, int64_t inner, const TYPE *x, TYPE *y)      \
    {                                                                                                        \
        for (int64_t o = 0; o < outer; o++, x += a->in * inner) {                                            \
            const int64_t *index = a->index;                                                                 \
            const double *weight = a->weight;                                                                \
            for (int64_t i = 0; i < a->out; i++, y += inner, index += a->taps, weight += a->taps) {          \
                for (int64_t j = 0; j < inner; j++) {                                                        \
                    y[j] = (TYPE) weight[0] * x[index[0] * inner + j];                                       \
                }                                                                                            \
                for (int t = 1; t < a->taps; t++) {                                                          \
                    const TYPE *from = x + index[t] * inner, w = (TYPE) weight[t];                           \
                    for (int64_t j = 0; w != 0 && j < inner; j++) {                                          \
                        y[j] += w * from[j];                                                                 \
                    }                                                                                        \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
    }
WEIGH(weigh_floats, float)
WEIGH(weigh_doubles, double)

void resize_axis_run(const struct resize_axis *a, enum dtype dtype, int64_t outer, int64_t inner,
                     const void *x, void *y)
{
    if (!a->weight) {
        pick(a, outer, inner, dtype_size(dtype), x, y);
    } else if (dtype == DT_F32) {
        weigh_floats(a, outer, inner, x, y);
    } else {
        weigh_doubles(a, outer, inner, x, y);
    }
}
