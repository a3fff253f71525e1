/* SPDX-License-Identifier: MPL-2.0 */
#include "window.h"

/* What an attribute may be at most: products of two stay far from overflow. */
enum { MOST = 1 << 30 };

static int read_ints(struct step *s, const char *name, size_t n, int64_t least, int64_t *ret)
{
    const int64_t *values;
    const size_t got = step_ints(s, name, &values);
    if (got == 0) {
        return KILN_OK;
    }
    if (got != n) {
        return step_fail(s, "attribute %s has %zu values, expected %zu", name, got, n);
    }
    for (size_t i = 0; i < n; i++) {
        if (values[i] < least || values[i] > MOST) {
            return step_fail(s, "attribute %s has %lld, expected %lld .. %d", name, (long long) values[i],
                             (long long) least, MOST);
        }
        ret[i] = values[i];
    }
    return KILN_OK;
}

static int read_auto_pad(struct step *s, struct window *w)
{
    const struct text pad = step_text(s, "auto_pad", "NOTSET");
    if (text_is(pad, "NOTSET") || pad.bytes == 0) {
        w->auto_pad = PAD_GIVEN;
    } else if (text_is(pad, "SAME_UPPER")) {
        w->auto_pad = PAD_UPPER;
    } else if (text_is(pad, "SAME_LOWER")) {
        w->auto_pad = PAD_LOWER;
    } else if (text_is(pad, "VALID")) {
        w->auto_pad = PAD_VALID;
    } else {
        return step_fail(s,
                         "attribute auto_pad is \"%.*s\", expected NOTSET, SAME_UPPER, SAME_LOWER or VALID",
                         (int) (pad.bytes < 40 ? pad.bytes : 40), pad.chars);
    }
    return KILN_OK;
}

int window_read(struct step *s, const struct tensor *x, const int64_t *kernel, struct window *ret)
{
    const int axes = x->rank - 2, skip = WINDOW_AXES - axes;
    if (axes < 1 || axes > WINDOW_AXES) {
        return step_fail(s, "input has %d dimensions, expected 3, 4 or 5", x->rank);
    }
    struct window w = {.axes = axes};
    for (int i = 0; i < WINDOW_AXES; i++) {
        w.in[i] = i < skip ? 1 : x->dims[2 + i - skip];
        w.kernel[i] = i < skip || !kernel ? 1 : kernel[i - skip];
        w.stride[i] = w.dilation[i] = 1;
        if (w.in[i] > ((int64_t) 1 << 40) || w.kernel[i] > MOST || w.kernel[i] < 1) {
            return step_fail(s, "a kernel of %lld over an axis of %lld", (long long) w.kernel[i],
                             (long long) w.in[i]);
        }
    }
    int64_t pads[2 * WINDOW_AXES] = {0}, shape[WINDOW_AXES] = {0};
    const size_t n = (size_t) axes;
    int status = read_ints(s, "kernel_shape", n, 1, shape);
    if (status != KILN_OK || (status = read_ints(s, "strides", n, 1, w.stride + skip)) != KILN_OK ||
        (status = read_ints(s, "dilations", n, 1, w.dilation + skip)) != KILN_OK ||
        (status = read_ints(s, "pads", 2 * n, 0, pads)) != KILN_OK ||
        (status = read_auto_pad(s, &w)) != KILN_OK) {
        return status;
    }
    if (!kernel && shape[0] == 0) {
        return step_fail(s, "attribute kernel_shape is absent");
    }
    w.in_size = w.kernel_size = 1;
    for (int i = 0; i < axes; i++) {
        if (kernel && shape[0] != 0 && shape[i] != kernel[i]) {
            return step_fail(s, "attribute kernel_shape has %lld, expected %lld as the weights",
                             (long long) shape[i], (long long) kernel[i]);
        }
        w.kernel[skip + i] = kernel ? kernel[i] : shape[i];
        w.begin[skip + i] = w.auto_pad == PAD_GIVEN ? pads[i] : 0;
        w.end[skip + i] = w.auto_pad == PAD_GIVEN ? pads[axes + i] : 0;
        if (__builtin_mul_overflow(w.kernel_size, w.kernel[skip + i], &w.kernel_size) ||
            w.kernel_size > MOST) {
            return step_fail(s, "a kernel of more than 2^30 elements");
        }
        w.in_size *= w.in[skip + i];
    }
    *ret = w;
    return KILN_OK;
}

/* auto_pad: as many positions as strides fit into the axis, and the padding that needs. */
static void pad_same(struct window *w, int i, int64_t reach)
{
    w->out[i] = (w->in[i] + w->stride[i] - 1) / w->stride[i];
    int64_t pad = (w->out[i] - 1) * w->stride[i] + reach - w->in[i];
    pad = pad > 0 ? pad : 0;
    w->begin[i] = w->auto_pad == PAD_UPPER ? pad / 2 : pad - pad / 2;
    w->end[i] = pad - w->begin[i];
}

int window_plan(struct step *s, const struct tensor *x, const int64_t *kernel, struct window *ret)
{
    struct window w;
    const int status = window_read(s, x, kernel, &w);
    if (status != KILN_OK) {
        return status;
    }
    const bool ceil_mode = step_int(s, "ceil_mode", 0) != 0;
    w.out_size = 1;
    for (int i = 0; i < WINDOW_AXES; i++) {
        const int64_t reach = (w.kernel[i] - 1) * w.dilation[i] + 1,
                      room = w.in[i] + w.begin[i] + w.end[i] - reach;
        if (w.auto_pad == PAD_UPPER || w.auto_pad == PAD_LOWER) {
            pad_same(&w, i, reach);
        } else if (room < 0) {
            return step_fail(
                s,
                "a kernel that reaches over %lld, expected at most %lld: the axis of %lld with its padding",
                (long long) reach, (long long) (room + reach), (long long) w.in[i]);
        } else {
            w.out[i] = (room + (ceil_mode ? w.stride[i] - 1 : 0)) / w.stride[i] + 1;
            /* rounding up must not add a position that begins in the padding after the axis */
            w.out[i] -= ceil_mode && (w.out[i] - 1) * w.stride[i] >= w.in[i] + w.begin[i];
        }
        if (__builtin_mul_overflow(w.out_size, w.out[i], &w.out_size)) {
            return step_fail(s, "more than 2^63 positions");
        }
    }
    *ret = w;
    return KILN_OK;
}

int window_output(struct step *s, const struct tensor *x, enum dtype dtype, int64_t channels,
                  const struct window *w, int k)
{
    int64_t dims[TENSOR_RANK] = {x->dims[0], channels};
    for (int i = 0; i < w->axes; i++) {
        dims[2 + i] = w->out[WINDOW_AXES - w->axes + i];
    }
    return step_output(s, k, dtype, x->rank, dims);
}
