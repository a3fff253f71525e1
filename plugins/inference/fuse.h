/* SPDX-License-Identifier: MPL-2.0 */
/* fuse - rewrites a graph so that it takes fewer and larger steps. Results stay what they were within rounding.
 *
 *     fuse_quantized(m, why)   before constants are folded, which would turn quantised weights into floats:
 *                              DequantizeLinear -> MatMul or Gemm [-> Add] [-> activation] [-> QuantizeLinear] becomes kiln.QDense
 *     fuse(m, why)             after that: MatMul + Add + activation and Gemm + activation become kiln.Dense, Conv + activation kiln.Conv,
 *                              BatchNormalization goes into the weights before it, Identity and Dropout go away
 *
 * A rewrite makes the last node of its pattern the fused one; what came before has no reader then, and graph_order() drops it. Nodes
 * whose result somebody else reads, or is an output, are never taken in. Nothing is fused while the environment variable
 * KILN_INFERENCE_FUSE is "0": for tests that compare. */
#ifndef INFERENCE_FUSE_H
#define INFERENCE_FUSE_H

#include "model.h"

int fuse_quantized(struct model *m, struct refusal *why);
int fuse(struct model *m, struct refusal *why);

#endif
