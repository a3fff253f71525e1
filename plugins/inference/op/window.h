/* SPDX-License-Identifier: MPL-2.0 */
/* window - a kernel that slides over the last one to three axes of [n][channels][...], with strides, dilations and pads. Fewer
 * than three axes are three with leading ones of 1. */
#ifndef INFERENCE_WINDOW_H
#define INFERENCE_WINDOW_H

#include "../op.h"

enum { WINDOW_AXES = 3 };

struct window {
    int axes; /* that there are */
    int64_t in[WINDOW_AXES], kernel[WINDOW_AXES], stride[WINDOW_AXES], dilation[WINDOW_AXES];
    int64_t begin[WINDOW_AXES], end[WINDOW_AXES]; /* padding */
    int64_t out[WINDOW_AXES];
    int64_t in_size, kernel_size, out_size; /* products */
    enum { PAD_GIVEN, PAD_UPPER, PAD_LOWER, PAD_VALID } auto_pad;
};

/* Reads kernel_shape, strides, dilations, pads, auto_pad, ceil_mode and finds `out`. `kernel` is the shape of a weight's last axes, or
 * NULL when the attribute must be there. */
int window_plan(struct step *s, const struct tensor *x, const int64_t *kernel, struct window *ret);
/* The attributes only: in, begin, end as they are given, out not set. */
int window_read(struct step *s, const struct tensor *x, const int64_t *kernel, struct window *ret);
int window_output(struct step *s, const struct tensor *x, enum dtype dtype, int64_t channels,
                  const struct window *w, int k);

#endif
