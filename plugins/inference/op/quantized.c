/* SPDX-License-Identifier: MPL-2.0 */
#include "quantized.h"

int quantized_zeros(struct step *s, int i, enum dtype dtype, size_t n, int32_t **ret, size_t *ret_step)
{
    const struct tensor *t = i < s->n_in ? s->in[i] : NULL;
    const size_t count = t ? (size_t) t->count : 1;
    if (t && (t->dtype != dtype || (count != 1 && count != n))) {
        char shape[80];
        return step_fail(s, "input %d is %s, expected 1 or %zu zero points of %s", i,
                         tensor_text(t, shape, sizeof shape), n, dtype_name(dtype));
    }
    *ret = plan_alloc(s->plan, sizeof **ret * (count + 1));
    *ret_step = count > 1;
    return *ret ? KILN_OK : KILN_RESOURCE;
}

void quantized_read_zeros(const struct step *s, int i, int32_t *zeros)
{
    const struct tensor *t = i < s->n_in ? s->in[i] : NULL;
    for (int64_t j = 0; t && j < t->count; j++) {
        zeros[j] = (int32_t) tensor_int(t, j);
    }
}

int quantized_scale(struct step *s, int i, size_t n)
{
    const struct tensor *t = s->in[i];
    if (!t || t->dtype != DT_F32 || (t->count != 1 && (size_t) t->count != n)) {
        char shape[80];
        return step_fail(s, "input %d is %s, expected 1 or %zu scales of float32", i,
                         t ? tensor_text(t, shape, sizeof shape) : "absent", n);
    }
    return KILN_OK;
}
