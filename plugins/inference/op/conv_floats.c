/* SPDX-License-Identifier: MPL-2.0 */
/* Convolutions of float32 as products. */
#include "../kernel/kernels.h"
#include "conv.h"

int conv_direct(const struct conv *p, struct run *r, size_t group, const void *x, const void *weights,
                const void *bias, void *y)
{
    struct gemm g;
    (void) group;
    gemm_place(&g, p->k, (size_t) p->w.out_size, x, r->scratch);
    g.act = p->g.act;
    g.act_a = p->g.act_a;
    g.act_b = p->g.act_b;
    g.row_bias = bias;
    gemm_run(&g, p->channels_out, weights, p->k, y, (size_t) p->w.out_size);
    return KILN_OK;
}

enum { PIECE = 4096 }; /* of a long row at a time */

/* Positions that follow each other, in the image as in the output. */
static bool run_stretch(const struct conv *p, struct run *r, struct gemm *g, const float *weights,
                        const float *image, size_t n, float *y, double *work)
{
    for (size_t at = 0; at < n; at += PIECE) {
        g->b = image + at;
        g->n = n - at < PIECE ? n - at : PIECE;
        gemm_run(g, p->channels_out, weights, p->k, y + at, (size_t) p->w.out_size);
        if (conv_cancelled(r, work, (double) (g->n * p->k * p->channels_out))) {
            return false;
        }
    }
    return true;
}

/* Rows of the output, short ones, computed as if they were one; what falls into the gaps is left behind. */
static bool run_rows(const struct conv *p, struct run *r, struct gemm *g, const float *weights,
                     const float *image, size_t rows, float *y, double *work)
{
    const size_t wide = (size_t) p->w.out[2], pitch = p->image.extent[2], out = (size_t) p->w.out_size;
    float *const block = (float *) r->scratch + p->behind;
    g->b = image;
    g->n = (rows - 1) * pitch + wide;
    gemm_run(g, p->channels_out, weights, p->k, block, rows * pitch);
    for (size_t c = 0; c < p->channels_out; c++) {
        for (size_t row = 0; row < rows; row++) {
            copy_floats(y + c * out + row * wide, block + (c * rows + row) * pitch, wide);
        }
    }
    return !conv_cancelled(r, work, (double) (g->n * p->k * p->channels_out));
}

/* Positions of a row follow each other in the image, and rows follow rows with a gap where the kernel reaches over the end. */
int conv_positions(const struct conv *p, struct run *r, size_t group, const void *x, const void *weights,
                   const void *bias, void *y)
{
    const struct image *image = &p->image;
    const size_t wide = (size_t) p->w.out[2], pitch = image->extent[2], high = (size_t) p->w.out[1];
    float *const filled = r->scratch;
    struct gemm g = p->g;
    (void) group;
    image_fill(image, &p->w, p->channels_in, x, filled);
    memset(filled + p->channels_in * image->channel, 0, 4 * kernels()->lanes * sizeof *filled);
    g.k = p->k;
    g.places = p->places;
    g.row_bias = bias;
    double work = 0;
    for (size_t at = 0, rows; at < high * (size_t) p->w.out[0]; at += rows) {
        const float *from = filled + (at / high * image->extent[1] + at % high) * pitch;
        float *to = (float *) y + at * wide;
        rows = high - at % high < p->rows ? high - at % high : p->rows;
        const bool went = rows == 1 || pitch == wide
                              ? run_stretch(p, r, &g, weights, from, rows * wide, to, &work)
                              : run_rows(p, r, &g, weights, from, rows, to, &work);
        if (!went) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

void conv_rows(const struct conv *p, size_t from, size_t n, size_t step, size_t *rows)
{
    const size_t *extent = p->image.extent, wide = (size_t) p->w.out[2], high = (size_t) p->w.out[1];
    size_t o2 = from % wide, o1 = from / wide % high, o0 = from / wide / high;
    for (size_t i = 0; i < n; i++) {
        rows[i] =
            step * ((o0 * (size_t) p->w.stride[0] * extent[1] + o1 * (size_t) p->w.stride[1]) * extent[2] +
                    o2 * (size_t) p->w.stride[2]);
        if (++o2 == wide) {
            o2 = 0;
            if (++o1 == high) {
                o1 = 0;
                o0++;
            }
        }
    }
}

/* The product the other way round: rows are positions, columns are channels; the output is turned at last. */
int conv_channels(const struct conv *p, struct run *r, size_t group, const void *x, const void *weights,
                  const void *bias, void *y)
{
    const size_t out = (size_t) p->w.out_size;
    const float *image = p->image.same ? x : r->scratch;
    float *const block = (float *) r->scratch + p->behind;
    size_t rows[CONV_BLOCK];
    struct gemm g = p->packed[group];
    (void) weights;
    if (!p->image.same) {
        image_fill(&p->image, &p->w, p->channels_in, x, r->scratch);
    }
    g.act = p->g.act;
    g.act_a = p->g.act_a;
    g.act_b = p->g.act_b;
    g.bias = bias;
    g.x_rows = rows;
    g.x_places = p->places;
    double work = 0;
    const size_t blocks = (out + CONV_BLOCK - 1) / CONV_BLOCK, each = (out + blocks - 1) / blocks;
    for (size_t at = 0; at < out; at += each) {
        const size_t n = out - at < each ? out - at : each;
        conv_rows(p, at, n, 1, rows);
        gemm_run(&g, n, image, 0, block, p->channels_out);
        kernels()->turn(n, p->channels_out, block, p->channels_out, (float *) y + at, out);
        if (conv_cancelled(r, &work, (double) (n * p->k * p->channels_out))) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}
