/* SPDX-License-Identifier: MPL-2.0 */
/* Resize and Upsample: axis after axis, each by a table of old indices and weights (resize_axis.h). Nearest works on elements of
 * any type; linear and cubic on floats, doubles, and whole numbers of up to 32 bits, which are computed as doubles and rounded to the
 * nearest. */
#include <math.h>
#include <string.h>

#include "resize_axis.h"

struct resize {
    struct resize_way way;
    struct resize_axis axes[TENSOR_RANK];
    bool kept[TENSOR_RANK]; /* axes that stay as they are */
    double extrapolation;
    size_t size;     /* of an element of what is computed with */
    enum dtype work; /* F32 or F64; the tensor's own for nearest */
    int64_t most;    /* elements between two axes */
};

/* ---- run ----------------------------------------------------------------------------------------- */

/* A number as an element of the type; whole numbers are rounded and held within it. */
static void put_number(const struct tensor *t, int64_t i, double value)
{
    switch (t->dtype) {
    case DT_F32:
        ((float *) t->data)[i] = (float) value;
        break;
    case DT_F64:
        ((double *) t->data)[i] = value;
        break;
    case DT_U8:
    case DT_BOOL:
        ((uint8_t *) t->data)[i] = (uint8_t) fmax(0, fmin(255, nearbyint(value)));
        break;
    case DT_I8:
        ((int8_t *) t->data)[i] = (int8_t) fmax(-128, fmin(127, nearbyint(value)));
        break;
    default:
        ((int32_t *) t->data)[i] = (int32_t) fmax(INT32_MIN, fmin(INT32_MAX, nearbyint(value)));
    }
}

/* Where a crop reaches beyond the input. */
static void extrapolate(const struct resize *p, const struct tensor *y)
{
    for (int d = 0; d < y->rank; d++) {
        const struct resize_axis *a = &p->axes[d];
        const int64_t inner = tensor_inner(y, d + 1), rows = a->outside ? tensor_rows(y, d) * a->out : 0;
        for (int64_t i = 0; i < rows; i++) {
            for (int64_t j = 0; a->outside[i % a->out] && j < inner; j++) {
                put_number(y, i * inner + j, p->extrapolation);
            }
        }
    }
}

static int run_resize(const struct step *s, struct run *r)
{
    const struct resize *p = s->state;
    const struct tensor *x = s->in[0], *y = s->out[0];
    const bool converts = p->work != x->dtype;
    char *halves[] = {r->scratch, (char *) r->scratch + (size_t) p->most * p->size};
    const void *from = x->data;
    int next = 0, left = 0;
    if (y->count == 0) {
        return KILN_OK;
    }
    if (converts) {
        for (int64_t i = 0; i < x->count; i++) {
            ((double *) (void *) halves[0])[i] = tensor_number(x, i);
        }
        from = halves[0];
        next = 1;
    }
    for (int d = 0; d < x->rank; d++) {
        left += !p->kept[d];
    }
    int64_t outer = 1, inner = x->count;
    for (int d = 0; d < x->rank; d++) {
        inner /= x->dims[d];
        if (!p->kept[d]) {
            void *to = --left == 0 && !converts ? y->data : halves[next];
            resize_axis_run(&p->axes[d], p->work, outer, inner, from, to);
            from = to;
            next = 1 - next;
            if (run_cancelled(r)) {
                return KILN_CANCELLED;
            }
        }
        outer *= y->dims[d];
    }
    for (int64_t i = 0; converts && i < y->count; i++) {
        put_number(y, i, ((const double *) from)[i]);
    }
    if (!converts && from != y->data) {
        memcpy(y->data, from, tensor_bytes(y));
    }
    extrapolate(p, y);
    return KILN_OK;
}

/* ---- plan ---------------------------------------------------------------------------------------- */

/* The place of an attribute's word in words, which end with NULL; -1 and a refusal where it is none of them. */
static int word_of(struct step *s, const char *name, const char *const *words, int *ret)
{
    const struct text t = step_text(s, name, words[0]);
    for (int i = 0; words[i]; i++) {
        if (text_is(t, words[i])) {
            *ret = i;
            return KILN_OK;
        }
    }
    return step_fail(s, "attribute %s is \"%.*s\", expected %s, %s ...", name,
                     (int) (t.bytes < 40 ? t.bytes : 40), t.chars, words[0], words[1]);
}

static int read_way(struct step *s, struct resize *p, bool old)
{
    static const char *const modes[] = {"nearest", "linear", "cubic", "bilinear", NULL};
    static const char *const rounds[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    static const char *const places[] = {
        "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",   "align_corners",
        "asymmetric", "tf_crop_and_resize",   "tf_half_pixel_for_nn", NULL};
    int mode = 0, round = ROUND_FLOOR, place = PLACE_ASYMMETRIC, status = word_of(s, "mode", modes, &mode);
    if (status != KILN_OK ||
        (!old && ((status = word_of(s, "nearest_mode", rounds, &round)) != KILN_OK ||
                  (status = word_of(s, "coordinate_transformation_mode", places, &place)) != KILN_OK))) {
        return status;
    }
    p->way = (struct resize_way){.mode = mode == 3 ? RESIZE_LINEAR : (enum resize_mode) mode,
                                 .round = (enum resize_round) round,
                                 .place = (enum resize_place) place,
                                 .antialias = !old && step_int(s, "antialias", 0) != 0,
                                 .exclude_outside = !old && step_int(s, "exclude_outside", 0) != 0,
                                 .cubic_a = (double) step_float(s, "cubic_coeff_a", -0.75F)};
    p->extrapolation = (double) step_float(s, "extrapolation_value", 0);
    return KILN_OK;
}

/* Which axes inputs speak of; all where nothing is said. */
static int read_axes(struct step *s, int *axes, int *ret_n)
{
    const int64_t *values;
    const int rank = s->in[0]->rank;
    const size_t n = step_ints(s, "axes", &values);
    bool seen[TENSOR_RANK] = {false};
    *ret_n = n ? (int) n : rank;
    if (n > (size_t) rank) {
        return step_fail(s, "attribute axes has %zu values, expected at most %d", n, rank);
    }
    for (int i = 0; i < *ret_n; i++) {
        axes[i] = n ? axis_of(values[i], rank) : i;
        if (axes[i] < 0 || seen[axes[i]]) {
            return step_fail(s, "attribute axes has %lld, expected different ones of %d dimensions",
                             (long long) values[i], rank);
        }
        seen[axes[i]] = true;
    }
    return KILN_OK;
}

static bool given(const struct step *s, int i)
{
    return s->n_in > i && s->in[i] && s->in[i]->count > 0;
}

static int check_list(struct step *s, int i, const char *name, int64_t n)
{
    char shape[80];
    const struct tensor *t = s->in[i];
    if (t->rank != 1 || t->count != n) {
        return step_fail(s, "%s is %s, expected %lld values", name, tensor_text(t, shape, sizeof shape),
                         (long long) n);
    }
    return t->data ? KILN_OK : step_needs(s, i);
}

static int set_scale(struct step *s, struct resize_axis *a, double scale)
{
    /* as a float: 0.7 times 10 is 7 */
    const double out = floor((double) ((float) scale * (float) a->in));
    if (!(scale > 0) || !(out < 0x1p40)) {
        return step_fail(s, "scales has %g for an axis of %lld, expected more than 0", scale,
                         (long long) a->in);
    }
    a->scale = scale;
    a->out = (int64_t) out;
    return KILN_OK;
}

static int read_sizes(struct step *s, struct resize *p, const int *axes, int n)
{
    static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};
    int policy = 0, status = check_list(s, 3, "sizes", n);
    if (status != KILN_OK ||
        (status = word_of(s, "keep_aspect_ratio_policy", policies, &policy)) != KILN_OK) {
        return status;
    }
    if (s->in[3]->dtype != DT_I64) {
        return step_fail(s, "sizes is %s, expected int64", dtype_name(s->in[3]->dtype));
    }
    double scale = policy == 1 ? HUGE_VAL : 0;
    for (int i = 0; i < n; i++) {
        struct resize_axis *a = &p->axes[axes[i]];
        a->out = tensor_int(s->in[3], i);
        if (a->out < 0 || a->out >= (int64_t) 1 << 40 || (a->in == 0 && a->out != 0)) {
            return step_fail(s, "sizes has %lld for an axis of %lld", (long long) a->out, (long long) a->in);
        }
        a->by_size = true;
        a->scale = a->in ? (double) a->out / (double) a->in : 1;
        scale = policy == 1 ? fmin(scale, a->scale) : fmax(scale, a->scale);
    }
    for (int i = 0; policy != 0 && i < n; i++) {
        struct resize_axis *a = &p->axes[axes[i]];
        const double out = floor(scale * (double) a->in + 0.5);
        if (!(out < 0x1p40)) {
            return step_fail(s, "sizes would be %g for an axis of %lld", out, (long long) a->in);
        }
        a->out = (int64_t) out;
        a->scale = scale;
        a->by_size = false;
    }
    return KILN_OK;
}

static int read_crop(struct step *s, struct resize *p, const int *axes, int n)
{
    if (p->way.place != PLACE_CROP) {
        return KILN_OK;
    }
    if (!given(s, 1)) {
        return step_fail(s, "tf_crop_and_resize without roi");
    }
    const int status = check_list(s, 1, "roi", 2 * n);
    for (int i = 0; status == KILN_OK && i < n; i++) {
        p->axes[axes[i]].crop_from = tensor_number(s->in[1], i);
        p->axes[axes[i]].crop_to = tensor_number(s->in[1], n + i);
    }
    return status;
}

static int plan_types(struct step *s, struct resize *p)
{
    const enum dtype dtype = s->in[0]->dtype;
    p->work = dtype;
    if (dtype == DT_STRING || (p->way.place == PLACE_CROP && dtype != DT_F32 && dtype != DT_F64)) {
        return step_fail(s, "input is %s, expected numbers, and floats where it is cropped",
                         dtype_name(dtype));
    }
    if (p->way.mode != RESIZE_NEAREST) {
        if (dtype != DT_F32 && dtype != DT_F64 && dtype != DT_U8 && dtype != DT_I8 && dtype != DT_I32) {
            return step_fail(s, "input is %s, expected float32, float64, uint8, int8 or int32",
                             dtype_name(dtype));
        }
        p->work = dtype == DT_F32 ? DT_F32 : DT_F64;
    }
    p->size = dtype_size(p->work);
    return KILN_OK;
}

/* Tables of the axes that change, and memory for what is between them. */
static int plan_axes(struct step *s, struct resize *p)
{
    const struct tensor *x = s->in[0];
    int64_t dims[TENSOR_RANK], between = x->count;
    struct tensor part;
    size_t bytes;
    for (int d = 0; d < x->rank; d++) {
        dims[d] = p->axes[d].out;
    }
    int status = step_output(s, 0, x->dtype, x->rank, dims);
    if (status != KILN_OK || s->out[0]->count == 0) {
        return status;
    }
    memcpy(dims, x->dims, sizeof dims);
    p->most = between;
    for (int d = 0; d < x->rank; d++) {
        struct resize_axis *a = &p->axes[d];
        dims[d] = a->out;
        p->kept[d] = a->in == a->out && a->scale == 1 && p->way.place != PLACE_CROP;
        p->kept[d] = p->kept[d] && p->way.place != PLACE_NEAREST_HALF;
        if (!tensor_set(&part, p->work, x->rank, dims)) {
            return step_fail(s, "more than 2^61 bytes between two axes");
        }
        p->most = part.count > p->most ? part.count : p->most;
        if (!p->kept[d] && (status = resize_axis_plan(s, &p->way, a)) != KILN_OK) {
            return status;
        }
    }
    if (__builtin_mul_overflow((size_t) p->most, 2 * p->size, &bytes)) {
        return step_fail(s, "more than 2^64 bytes");
    }
    s->scratch_bytes = bytes;
    return KILN_OK;
}

/* scales: the input they are in, or 0 for the attribute; sizes: whether input 3 may say sizes. */
static int plan_with(struct step *s, int scales, bool sizes, bool old)
{
    struct resize *p = plan_alloc(s->plan, sizeof *p);
    int axes[TENSOR_RANK], n, status;
    if (!p) {
        return KILN_RESOURCE;
    }
    for (int d = 0; d < s->in[0]->rank; d++) {
        p->axes[d] =
            (struct resize_axis){.in = s->in[0]->dims[d], .out = s->in[0]->dims[d], .scale = 1, .crop_to = 1};
    }
    if ((status = read_way(s, p, old)) != KILN_OK || (status = plan_types(s, p)) != KILN_OK ||
        (status = read_axes(s, axes, &n)) != KILN_OK) {
        return status;
    }
    const float *values = NULL;
    const size_t n_values = scales ? 0 : step_floats(s, "scales", &values);
    const bool by_size = sizes && given(s, 3), by_scale = scales ? given(s, scales) : n_values > 0;
    if (by_size == by_scale) {
        return step_fail(s, "%s, expected one of scales and sizes",
                         by_size ? "both are given" : "neither is given");
    }
    if (by_size) {
        status = read_sizes(s, p, axes, n);
    } else if (scales) {
        status = check_list(s, scales, "scales", n);
    } else if (n_values != (size_t) n) {
        status = step_fail(s, "attribute scales has %zu values, expected %d", n_values, n);
    }
    for (int i = 0; !by_size && status == KILN_OK && i < n; i++) {
        status =
            set_scale(s, &p->axes[axes[i]], scales ? tensor_number(s->in[scales], i) : (double) values[i]);
    }
    if (status != KILN_OK || (!old && (status = read_crop(s, p, axes, n)) != KILN_OK)) {
        return status;
    }
    s->state = p;
    s->run = run_resize;
    return plan_axes(s, p);
}

static int plan_resize(struct step *s)
{
    return plan_with(s, 2, true, false);
}

static int plan_resize_10(struct step *s)
{
    return plan_with(s, 1, false, true);
}

static int plan_upsample_7(struct step *s)
{
    return plan_with(s, 0, false, true);
}

static const struct op ops[] = {
    {"", "Resize", 10, 2, 2, 1, 1, plan_resize_10},
    {"", "Resize", 11, 1, 4, 1, 1, plan_resize},
    {"", "Upsample", 7, 1, 1, 1, 1, plan_upsample_7},
    {"", "Upsample", 9, 2, 2, 1, 1, plan_resize_10},
};

const struct op_table op_resize = {ops, sizeof ops / sizeof *ops};
