/* SPDX-License-Identifier: MPL-2.0 */
#include "gemm.h"

#include <string.h>

#include "kernels.h"

/* At most this many columns are computed as dot products. */
enum { FEW_COLUMNS = 2, ALIGNED = 16 };

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static size_t last_columns(size_t n)
{
    const size_t lanes = kernels()->lanes;
    return round_up(n % (2 * lanes), lanes);
}

static bool fits(size_t k, size_t n)
{
    size_t elements;
    return !__builtin_mul_overflow(k + 2 * ALIGNED, n + 4 * ALIGNED, &elements) && elements < SIZE_MAX / 16;
}

size_t gemm_bytes(size_t k, size_t n)
{
    if (!fits(k, n)) {
        return 0;
    }
    const size_t panels = n - n % (2 * kernels()->lanes) + last_columns(n);
    return sizeof(float) * (n <= FEW_COLUMNS ? n * round_up(k, ALIGNED) : k * panels) + 64;
}

size_t gemm_place_bytes(size_t k, size_t n)
{
    if (n <= FEW_COLUMNS) {
        return gemm_bytes(k, n);
    }
    return fits(k, n) ? sizeof(float) * k * last_columns(n) + 64 : 0;
}

static void copy_columns(float *to, size_t width, const float *b, size_t k, size_t n, size_t step_k,
                         size_t step_n, float alpha)
{
    for (size_t i = 0; i < k && width > 0; i++, to += width) {
        for (size_t j = 0; j < width; j++) {
            to[j] = j < n ? alpha * b[i * step_k + j * step_n] : 0;
        }
    }
}

void gemm_pack(struct gemm *g, size_t k, size_t n, const float *b, size_t step_k, size_t step_n, float alpha,
               void *memory)
{
    const size_t width = 2 * kernels()->lanes;
    float *at = memory;
    *g = (struct gemm){.k = k, .n = n, .full = n - n % width, .panel = k * width, .row = width, .b = at};
    if (n <= FEW_COLUMNS) {
        g->dots = true;
        g->row = round_up(k, ALIGNED);
        for (size_t j = 0; j < n; j++) {
            copy_columns(at + j * g->row, 1, b + j * step_n, k, 1, step_k, 1, alpha);
        }
        return;
    }
    for (size_t j = 0; j < g->full; j += width, at += g->panel) {
        copy_columns(at, width, b + j * step_n, k, width, step_k, step_n, alpha);
    }
    g->last = at;
    g->last_row = last_columns(n);
    copy_columns(at, g->last_row, b + g->full * step_n, k, n - g->full, step_k, step_n, alpha);
}

void gemm_place(struct gemm *g, size_t k, size_t n, const float *b, void *memory)
{
    if (n <= FEW_COLUMNS) {
        gemm_pack(g, k, n, b, n, 1, 1, memory);
        return;
    }
    const size_t width = 2 * kernels()->lanes;
    *g = (struct gemm){
        .k = k, .n = n, .full = n - n % width, .panel = width, .row = n, .b = b, .last = memory};
    g->last_row = last_columns(n);
    copy_columns(memory, g->last_row, b + g->full, k, n - g->full, n, 1, 1);
}

void gemm_run(const struct gemm *g, size_t m, const float *x, size_t ldx, float *y, size_t ldy)
{
    if (g->n > 0) {
        kernels()->gemm(g, m, x, ldx, y, ldy);
    }
}
