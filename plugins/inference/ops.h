/* SPDX-License-Identifier: MPL-2.0 */
/* ops - all operators there are: the tables of op/<family>.c, one line each in ops.def. */
#ifndef INFERENCE_OPS_H
#define INFERENCE_OPS_H

#include "op.h"

enum {
    OPSET_NEWEST = 27,
    OPSET_ML_NEWEST = 5
}; /* versions of ai.onnx and ai.onnx.ml that the rows were made for */

#define FAMILY(name) extern const struct op_table op_##name;
#include "ops.def"

/* The row that holds in `opset`: that with the highest `since` not over it. NULL when there is none;
 * *ret_oldest is then the lowest `since` of the name, 0 when no opset knows it. */
const struct op *ops_find(const char *domain, const char *name, int opset, int *ret_oldest);

#endif
