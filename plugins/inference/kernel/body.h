/* SPDX-License-Identifier: MPL-2.0 */
/* body - all kernels, compiled once for each instruction set. Before including it a file defines KERNELS,
 * KERNELS_NAME and KERNELS_RUN_HERE, and what simd.h asks for. */
#include "kernels.h"

#include "simd.h"

SIMD_BEGIN

#include "act_body.h"

#define ACT_ROW(name, text) [ACT_##name] = act_##name,
static act_fn *const act_over[ACT_KINDS] = {[ACT_NONE] = act_copy, ACT_TABLE(ACT_ROW)};

#include "gemm_body.h"

#include "depth_body.h"
#include "turn_body.h"

#include "cell_body.h"

#include "near_body.h"
#include "int8_end_body.h"

#include "int8_body.h"

SIMD_END

static bool runs_here(void)
{
    return KERNELS_RUN_HERE;
}

const struct kernels KERNELS = {
    .name = KERNELS_NAME,
    .runs_here = runs_here,
    .lanes = W,
    .act = {[ACT_NONE] = act_copy, ACT_TABLE(ACT_ROW)},

    .exp_sum = act_exp_sum_over,
    .gemm = gemm_over,
    .turn = turn_over,
    .depth = depth_over,
    .lstm = lstm_over,
    .mix = mix_over,
    .near = near_over,
    .int8_group = INT8_GROUP,
    .int8 = int8_over,
    .int8_to_floats = int8_to_floats_over,
    .int8_dynamic = int8_dynamic_over,
    .int8_quantize = int8_quantize_over,
};
