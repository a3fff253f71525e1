/* SPDX-License-Identifier: MPL-2.0 */
/* Convolutions one element after the other. */
#include "../kernel/kernels.h"
#include "conv.h"

/* One output element, from the first channel of its group; sums in doubles. */
#define ONE(NAME, TYPE)                                                                                      \
    static double NAME(const struct conv *p, const TYPE *x, const TYPE *weights, int64_t position)           \
    {                                                                                                        \
        const struct window *w = &p->w;                                                                      \
        const int64_t o2 = position % w->out[2], o1 = position / w->out[2] % w->out[1],                      \
                      o0 = position / w->out[2] / w->out[1];                                                 \
        double sum = 0;                                                                                      \
        for (size_t c = 0; c < p->channels_in; c++, x += w->in_size) {                                       \
            for (int64_t k = 0; k < w->kernel_size; k++) {                                                   \
                const int64_t k2 = k % w->kernel[2], k1 = k / w->kernel[2] % w->kernel[1],                   \
                              k0 = k / w->kernel[2] / w->kernel[1];                                          \
                const int64_t i2 = o2 * w->stride[2] - w->begin[2] + k2 * w->dilation[2],                    \
                              i1 = o1 * w->stride[1] - w->begin[1] + k1 * w->dilation[1],                    \
                              i0 = o0 * w->stride[0] - w->begin[0] + k0 * w->dilation[0];                    \
                const double weight = (double) *weights++;                                                   \
                if (i0 >= 0 && i0 < w->in[0] && i1 >= 0 && i1 < w->in[1] && i2 >= 0 && i2 < w->in[2]) {      \
                    sum += weight * (double) x[(i0 * w->in[1] + i1) * w->in[2] + i2];                        \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
        return sum;                                                                                          \
    }

ONE(one_float, float)
ONE(one_double, double)

int conv_plain_floats(const struct conv *p, struct run *r, size_t group, const void *x, const void *weights,
                      const void *bias, void *y)
{
    const size_t out = (size_t) p->w.out_size;
    float *to = y;
    double work = 0; /* its multiplications take longer */
    (void) group;
    for (size_t channel = 0; channel < p->channels_out; channel++, to += out) {
        for (size_t at = 0; at < out; at++) {
            to[at] = (float) (one_float(p, x, (const float *) weights + channel * p->k, (int64_t) at) +
                              (bias ? (double) ((const float *) bias)[channel] : 0));
            if (conv_cancelled(r, &work, 16 * (double) p->k)) {
                return KILN_CANCELLED;
            }
        }
        kernels()->act[p->g.act](to, to, out, p->g.act_a, p->g.act_b);
    }
    return KILN_OK;
}

int conv_plain_doubles(const struct conv *p, struct run *r, size_t group, const void *x, const void *weights,
                       const void *bias, void *y)
{
    const size_t out = (size_t) p->w.out_size;
    double *to = y;
    double work = 0; /* its multiplications take longer */
    (void) group;
    for (size_t channel = 0; channel < p->channels_out; channel++, to += out) {
        for (size_t at = 0; at < out; at++) {
            to[at] = one_double(p, x, (const double *) weights + channel * p->k, (int64_t) at) +
                     (bias ? ((const double *) bias)[channel] : 0);
            if (conv_cancelled(r, &work, 16 * (double) p->k)) {
                return KILN_CANCELLED;
            }
        }
    }
    return KILN_OK;
}
