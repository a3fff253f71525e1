/* SPDX-License-Identifier: MPL-2.0 */
#include "int8.h"

#include <math.h>
#include <string.h>

#include "kernels.h"

enum { ALIGN = 64 };

static size_t columns_of(size_t n)
{
    const size_t width = 2 * kernels()->lanes;
    return (n + width - 1) / width * width;
}

static size_t groups_of(size_t k)
{
    return (k + kernels()->int8_group - 1) / kernels()->int8_group;
}

/* An element takes 4 bytes / group: one byte in fours, two bytes in pairs. */
size_t int8_bytes(size_t k, size_t n)
{
    size_t elements;
    if (__builtin_mul_overflow(k + 8, n + 128, &elements) || elements > SIZE_MAX / 16) {
        return 0;
    }
    return groups_of(k) * columns_of(n) * 4 + 2 * columns_of(n) * sizeof(int32_t) + ALIGN;
}

static int32_t byte_at(const struct bytes *b, size_t i)
{
    return b->is_signed ? ((const int8_t *) b->data)[i] : ((const uint8_t *) b->data)[i];
}

/* Fours: signed bytes, the zero point shifted with them. Pairs: less their zero point. */
static void pack_column(const struct int8 *g, const struct bytes *b, size_t at, size_t step_k, int32_t zero,
                        char *to, int32_t *ret_sum)
{
    const size_t group = kernels()->int8_group, row = 2 * kernels()->lanes * 4;
    const int32_t shift = group == 4 ? (b->is_signed ? 0 : 128) : zero;
    uint32_t sum = 0; /* wraps around, as the sums of products do */
    for (size_t k = 0; k < g->k; k++) {
        const int32_t value = byte_at(b, at + k * step_k) - shift;
        char *cell = to + k / group * row;
        if (group == 4) {
            ((int8_t *) cell)[k % 4] = (int8_t) value;
        } else {
            ((int16_t *) (void *) cell)[k % 2] = (int16_t) value;
        }
        sum += (uint32_t) value;
    }
    *ret_sum = (int32_t) (sum - (group == 4 ? (uint32_t) g->k * (uint32_t) (zero - shift) : 0));
}

void int8_pack(struct int8 *g, size_t k, size_t n, struct bytes b, size_t step_k, size_t step_n, void *memory)
{
    const size_t width = 2 * kernels()->lanes, columns = columns_of(n), groups = groups_of(k);
    int32_t *sums = memory, *zeros = sums + columns;
    char *at = (char *) (zeros + columns);
    bool any = false;
    memset(memory, 0, groups * columns * 4 + 2 * columns * sizeof *sums);
    *g = (struct int8){.k = k, .n = n, .groups = groups, .b = at, .sums = sums};
    for (size_t j = 0; j < n; j++) {
        const int32_t zero = b.zero ? b.zero[j * b.zero_step] : 0;
        char *column = at + (j / width * groups * width + j % width) * 4;
        pack_column(g, &b, j * step_n, step_k, zero, column, sums + j);
        zeros[j] = kernels()->int8_group == 4 ? zero - (b.is_signed ? 0 : 128) : 0;
        any = any || zeros[j] != 0;
    }
    g->zeros = any ? zeros : NULL;
}

size_t int8_scratch(size_t k)
{
    return INT8_ROWS * (groups_of(k) * 4 + ALIGN);
}

void int8_run(const struct int8 *g, size_t m, struct bytes x, size_t ldx, const struct int8_out *out,
              void *scratch)
{
    if (g->n > 0) {
        kernels()->int8(g, m, x, ldx, out, scratch);
    }
}

/* Both ways are step functions of x, and neither is off by as much as a unit in the last place: where they could differ is beside the
 * steps, at most 256 of them. All floats there are tried. None of them is near 0, so that the integer behind a float counts them. */
static bool same_at_steps(const struct int8_type *slow, const struct int8_type *fast)
{
    enum { BESIDE = 4, EACH = 2 * BESIDE + 1, STEPS = 256 };
    float x[STEPS * EACH];
    uint8_t a[STEPS * EACH], b[STEPS * EACH];
    size_t n = 0;
    for (int step = 0; (float) step < slow->high - slow->low; step++) {
        const float middle = ((float) step + 0.5F + slow->low - slow->zero) * slow->scale;
        int32_t bits;
        memcpy(&bits, &middle, sizeof bits);
        bits -= BESIDE;
        for (int i = 0; i < EACH; i++, bits++) {
            memcpy(x + n++, &bits, sizeof bits);
        }
    }
    kernels()->int8_quantize(x, n, slow, a);
    kernels()->int8_quantize(x, n, fast, b);
    return memcmp(a, b, n) == 0;
}

void int8_type_fast(struct int8_type *type)
{
    if (!(type->scale > 1e-30F && type->scale < 1e30F)) { /* else parts of it might be no normal numbers */
        return;
    }
    struct int8_type fast = *type;
    fast.by = 1 / type->scale;
    fast.rest = (float) (1 / (double) type->scale - (double) fast.by);
    fast.least = (type->low - type->zero) * type->scale;
    fast.most = (type->high - type->zero) * type->scale;
    fast.product = true;
    if (same_at_steps(type, &fast)) {
        *type = fast;
    }
}

void int8_to_floats(const int32_t *sums, size_t n, const struct int8_end *end, float *y)
{
    kernels()->int8_to_floats(sums, n, end, y);
}

void int8_quantize(const float *x, size_t n, const struct int8_type *type, void *y)
{
    kernels()->int8_quantize(x, n, type, y);
}

void int8_dynamic(const float *x, size_t n, uint8_t *y, float *ret_scale, int32_t *ret_zero)
{
    kernels()->int8_dynamic(x, n, y, ret_scale, ret_zero);
}
