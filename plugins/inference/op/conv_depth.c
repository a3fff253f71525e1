/* SPDX-License-Identifier: MPL-2.0 */
/* Convolutions of which every channel is a group: the image is turned, so that channels lie together, and so is the output. */
#include <string.h>

#include "../kernel/kernels.h"
#include "conv.h"

static float *zeros(float *to, size_t n)
{
    memset(to, 0, n * sizeof *to);
    return to + n;
}

static void fill(const struct conv *p, const float *x, float *to)
{
    const struct window *w = &p->w;
    const struct image *image = &p->image;
    const size_t channels = p->channels_in, rows = image->extent[0] * image->extent[1],
                 wide = image->extent[2], left = (size_t) w->begin[2] < wide ? (size_t) w->begin[2] : wide,
                 inside = wide - left < (size_t) w->in[2] ? wide - left : (size_t) w->in[2];
    for (size_t i = 0; i < rows; i++) {
        const int64_t i0 = (int64_t) (i / image->extent[1]) - w->begin[0],
                      i1 = (int64_t) (i % image->extent[1]) - w->begin[1];
        if (i0 < 0 || i0 >= w->in[0] || i1 < 0 || i1 >= w->in[1]) {
            to = zeros(to, wide * p->pitch);
            continue;
        }
        to = zeros(to, left * p->pitch);
        kernels()->turn(channels, inside, x + (i0 * w->in[1] + i1) * w->in[2], (size_t) w->in_size, to,
                        p->pitch);
        to = zeros(to + inside * p->pitch, (wide - left - inside) * p->pitch);
    }
}

int conv_depth(const struct conv *p, struct run *r, size_t group, const void *x, const void *weights,
               const void *bias, void *y)
{
    const size_t out = (size_t) p->w.out_size, pitch = p->pitch, channels = p->channels_out;
    float *const image = r->scratch, *const block = image + p->behind,
                 *const start = block + CONV_BLOCK * pitch;
    size_t rows[CONV_BLOCK];
    const struct depth d = {.channels = pitch,
                            .k = p->k,
                            .x = image,
                            .weights = p->turned,
                            .bias = start,
                            .rows = rows,
                            .places = p->places};
    (void) group;
    (void) weights;
    fill(p, x, image);
    zeros(start, pitch);
    if (bias) {
        memcpy(start, bias, channels * sizeof *start);
    }
    double work = 0;
    for (size_t at = 0; at < out; at += CONV_BLOCK) {
        const size_t n = out - at < CONV_BLOCK ? out - at : CONV_BLOCK;
        conv_rows(p, at, n, pitch, rows);
        kernels()->depth(&d, n, block);
        if (p->g.act != ACT_NONE) {
            kernels()->act[p->g.act](block, block, n * pitch, p->g.act_a, p->g.act_b);
        }
        kernels()->turn(n, channels, block, pitch, (float *) y + at, out);
        if (conv_cancelled(r, &work, (double) (n * p->k * pitch))) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}
