/* SPDX-License-Identifier: MPL-2.0 */
/* conv - what the ways to compute a convolution have in common.
 *
 * A convolution is a product of the weights, one row for each output channel, with a matrix that has one column for each
 * output position and in it all that the kernel covers there. That matrix is never there: its elements are found in the IMAGE, which is the
 * input of a group with its padding.
 *
 *   conv_direct      the matrix is the input itself: a kernel of one element
 *   conv_positions   a vector holds positions that lie next to each other: wide rows, few channels
 *   conv_channels    a vector holds channels of one position: many channels; the weights are packed once
 *   conv_depth       likewise, where every channel is a group of its own
 *   conv_plain       one element after the other: doubles, and images that are out of proportion */
#ifndef INFERENCE_CONV_H
#define INFERENCE_CONV_H

#include <string.h>

#include "../kernel/gemm.h"
#include "window.h"

/* Elements that lie `phases` apart in the input lie together, each phase in a piece of its own, so that those a stride
 * apart can be neighbours. */
struct image {
    bool same; /* it is the input: nothing to be copied */
    size_t phases[WINDOW_AXES], extent[WINDOW_AXES];
    size_t phase, channel; /* elements of one phase of one channel, of all */
};

struct conv;
/* One group of one sample. */
typedef int conv_way(const struct conv *p, struct run *r, size_t group, const void *x, const void *weights,
                     const void *bias, void *y);

struct conv {
    struct window w;
    size_t samples, groups;
    size_t channels_in, channels_out; /* of each group */
    size_t k;                         /* rows of the matrix: channels_in times the kernel's elements */
    struct gemm g;                    /* the activation */
    struct image image;
    size_t *places;            /* of each row of the matrix in the image */
    size_t rows;               /* conv_positions: of the output that are computed at a time */
    const struct gemm *packed; /* conv_channels: the weights of each group */
    const float *turned;       /* conv_depth: the weights [k][pitch]; groups are channels */
    size_t pitch;              /* channels, up to a multiple of a vector's lanes */
    size_t behind;             /* the image in scratch, in elements */
    double work;               /* multiplications of one run */
    conv_way *run;
};

enum { CONV_BLOCK = 48 }; /* positions that conv_channels computes at a time */
/* Multiplications between two looks at whether the job was cancelled: a look costs as much as a small product. */
enum { CONV_WORK = 1 << 20 };

/* Where positions `from` to `from + n` begin in an image without phases whose elements are `step` long. */
void conv_rows(const struct conv *p, size_t from, size_t n, size_t step, size_t *rows);
/* False: it would be much larger than the input. phases NULL: none. */
bool image_plan(struct image *image, const struct window *w, size_t channels, const int64_t *phases);
void image_places(const struct image *image, const struct window *w, size_t k, size_t *places);
void image_fill(const struct image *image, const struct window *w, size_t channels, const float *x,
                float *to);

/* In loops within one run: true when the job was cancelled. `work` is what has been done since the last look. */
static inline bool conv_cancelled(struct run *r, double *work, double more)
{
    *work += more;
    if (*work < CONV_WORK) {
        return false;
    }
    *work = 0;
    return run_cancelled(r);
}

/* For rows of a few dozen floats, of which there are many: less than a call of memcpy takes. */
static inline void copy_floats(float *to, const float *x, size_t n)
{
    for (; n >= 8; n -= 8, to += 8, x += 8) {
        memcpy(to, x, 8 * sizeof *to);
        __asm__("" ::: "memory"); /* or compilers make it a call */
    }
    if (n & 4) {
        memcpy(to, x, 4 * sizeof *to);
        to += 4;
        x += 4;
    }
    if (n & 2) {
        memcpy(to, x, 2 * sizeof *to);
        to += 2;
        x += 2;
    }
    if (n & 1) {
        *to = *x;
    }
}

conv_way conv_direct, conv_positions, conv_channels, conv_depth, conv_plain_floats, conv_plain_doubles;

#endif
