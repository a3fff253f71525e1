/* SPDX-License-Identifier: MPL-2.0 */
/* int8 - products of matrices of bytes, exact in 32-bit integers: y[m][n] = sum over k of (x - zero_x)(b - zero_b).
 *
 * b is laid out once, in panels of columns in which a few consecutive k of each column lie together: four as bytes where
 * the processor multiplies unsigned with signed bytes and sums four products at once (VNNI), else two as 16-bit numbers less
 * their zero point. Multiplying bytes in pairs into 16 bits, which AVX2 also could, saturates: that is not used.
 *
 *   int8_bytes / int8_pack      b[k][n] from any two strides, with a zero point for all columns or for each
 *   int8_scratch / int8_run     the product */
#ifndef INFERENCE_INT8_H
#define INFERENCE_INT8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes { /* a matrix of bytes and its zero points */
    const void *data;
    bool is_signed;
    const int32_t *zero; /* NULL: 0 */
    size_t zero_step;    /* 1: one for each row of x or column of b; 0: one for all */
};

struct int8 {
    size_t k, n;
    size_t groups; /* of consecutive k, rounded up */
    const void *b;
    const int32_t *sums;  /* of each column: what one unit of x's zero point takes away */
    const int32_t *zeros; /* of each column as it is laid out, NULL when all are 0 */
};

enum { INT8_ROWS = 48 }; /* of x that are laid out at a time */

/* What becomes of sums: sum * scale * times + bias, not below `low` nor above `high`. scale_step: 1 for a scale of each column, 0
 * for one. */
struct int8_end {
    const float *scale, *bias;
    size_t scale_step;
    float times, low, high; /* infinities mostly: activations that are bounds */
};

/* Floats as bytes, x / scale + zero: low .. high is -128 .. 127 or 0 .. 255. What follows is made by int8_type_fast: where
 * multiplying by 1 / scale, in two parts, gives the same bytes for every float, that is done. */
struct int8_type {
    float scale, zero, low, high;
    float by, rest;    /* 1 / scale is their sum */
    float least, most; /* low and high as floats */
    bool product;
};
void int8_type_fast(struct int8_type *type);

/* Where results go: sums in int32_t; with `end` floats; with `type` as well bytes. */
struct int8_out {
    void *y;
    size_t ld; /* elements from row to row */
    const struct int8_end *end;
    const struct int8_type *type;
};

size_t int8_bytes(size_t k, size_t n);
void int8_pack(struct int8 *g, size_t k, size_t n, struct bytes b, size_t step_k, size_t step_n,
               void *memory);
size_t int8_scratch(size_t k);
void int8_run(const struct int8 *g, size_t m, struct bytes x, size_t ldx, const struct int8_out *out,
              void *scratch);

/* y may be `sums`. */
void int8_to_floats(const int32_t *sums, size_t n, const struct int8_end *end, float *y);
/* One row to 0 .. 255 with the scale and the zero point that fit it: 0 is among the numbers that can be said exactly. */
void int8_dynamic(const float *x, size_t n, uint8_t *y, float *ret_scale, int32_t *ret_zero);
/* NaN becomes low. */
void int8_quantize(const float *x, size_t n, const struct int8_type *type, void *y);

#endif
