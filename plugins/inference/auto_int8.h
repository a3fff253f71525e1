/* SPDX-License-Identifier: MPL-2.0 */
/* auto_int8 - weights of a float model as bytes (`quantize = "auto"`), where that is faster on this machine and close enough.
 *
 * Products by constant matrices become kiln.DynamicDense: weights with a scale for each column, each row of inputs quantised by itself
 * when it comes. The model is then run both ways on the same random inputs, in turns; the bytes stay only if they took at most
 * AUTO_INT8_FASTER of the time and no output was further off than `bound` of the largest output. Both figures are reported either
 * way. */
#ifndef INFERENCE_AUTO_INT8_H
#define INFERENCE_AUTO_INT8_H

#include "model.h"

#define AUTO_INT8_FASTER 0.9
#define AUTO_INT8_BOUND  0.02

struct auto_int8 {
    bool used;
    int layers;               /* that could be; 0: nothing was tried */
    double float_us, int8_us; /* the shortest of several runs */
    double off;               /* largest difference of outputs over the largest output */
};

/* inputs: dtype and shape of each graph input, as they will come most. Forgets the plans of the model. KILN_OK also when bytes are
 * not used; a model that cannot be planned for these inputs is refused. */
int auto_int8(struct model *m, const struct tensor *inputs, double bound, struct auto_int8 *ret,
              struct refusal *why);

#endif
