/* SPDX-License-Identifier: MPL-2.0 */
/* quantized - what the operators of quantised numbers have in common. */
#ifndef INFERENCE_QUANTIZED_H
#define INFERENCE_QUANTIZED_H

#include "../kernel/int8.h"
#include "../op.h"

/* The least and the greatest of a type that numbers are quantised to; false when it is none. */
bool quantized_range(enum dtype dtype, double *ret_low, double *ret_high);

/* The zero points of input i as numbers; one, or `n` of them. 0 when there is none. The array lives as long as the plan.
 * KILN_OK, or the refusal. */
int quantized_zeros(struct step *s, int i, enum dtype dtype, size_t n, int32_t **ret, size_t *ret_step);
/* Reads them again: they may be other ones in each run. */
void quantized_read_zeros(const struct step *s, int i, int32_t *zeros);

/* Checks a scale of one number or `n` of float32. */
int quantized_scale(struct step *s, int i, size_t n);

static inline bool quantized_byte(enum dtype dtype)
{
    return dtype == DT_U8 || dtype == DT_I8;
}

#endif
