/* SPDX-License-Identifier: MPL-2.0 */
/* resize_axis - how one axis is stretched: for each of its new indices the old ones it is made of, and their weights. */
#ifndef INFERENCE_RESIZE_AXIS_H
#define INFERENCE_RESIZE_AXIS_H

#include "../op.h"

enum resize_mode { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_CUBIC };
enum resize_round { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, ROUND_FLOOR, ROUND_CEIL };
enum resize_place { /* where a new index lies among the old ones */
                    PLACE_HALF_PIXEL,
                    PLACE_HALF_PIXEL_SYMMETRIC,
                    PLACE_PYTORCH,
                    PLACE_CORNERS,
                    PLACE_ASYMMETRIC,
                    PLACE_CROP,
                    PLACE_NEAREST_HALF
};

struct resize_way {
    enum resize_mode mode;
    enum resize_round round;
    enum resize_place place;
    bool antialias, exclude_outside;
    double cubic_a;
};

struct resize_axis {
    int64_t in, out;
    double scale;              /* out / in, or what was asked for */
    bool by_size;              /* scale is out / in, exactly */
    double crop_from, crop_to; /* for PLACE_CROP, parts of the axis */
    /* found by resize_axis_plan */
    int taps;
    int64_t *index; /* [out][taps] */
    double *weight; /* [out][taps], NULL for nearest */
    bool *outside;  /* [out], of a crop; NULL otherwise */
};

/* KILN_OK, or the status to return. in and out are over 0. */
int resize_axis_plan(struct step *s, const struct resize_way *way, struct resize_axis *a);

/* y[outer][out][inner] of x[outer][in][inner]; weighted ones are float32 or float64. */
void resize_axis_run(const struct resize_axis *a, enum dtype dtype, int64_t outer, int64_t inner,
                     const void *x, void *y);

#endif
