/* SPDX-License-Identifier: MPL-2.0 */
/* depth - weighted sums in which every channel has weights of its own: y[i][c] = bias[c] + sum over k of
 * x[rows[i] + places[k] + c] * weights[k][c]. `channels` is a multiple of a vector's floats, as all rows are long. */
#ifndef INFERENCE_DEPTH_H
#define INFERENCE_DEPTH_H

#include <stddef.h>

struct depth {
    size_t channels, k;
    const float *x, *weights, *bias;
    const size_t *rows, *places;
};

#endif
