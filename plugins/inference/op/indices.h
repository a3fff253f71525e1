/* SPDX-License-Identifier: MPL-2.0 */
/* indices - tensors of indices, int32 or int64, negative ones counted from the end; checked while running. */
#ifndef INFERENCE_OP_INDICES_H
#define INFERENCE_OP_INDICES_H

#include "../op.h"

/* Refuses input i when it is neither int32 nor int64. */
static inline int indices_check(struct step *s, int i)
{
    const struct tensor *t = s->in[i];
    return t->dtype == DT_I32 || t->dtype == DT_I64
               ? KILN_OK
               : step_fail(s, "indices are %s, expected int32 or int64", dtype_name(t->dtype));
}

static inline int64_t indices_raw(const struct tensor *t, int64_t i)
{
    return t->dtype == DT_I64 ? ((const int64_t *) t->data)[i] : ((const int32_t *) t->data)[i];
}

/* Index i for an axis of this many elements: 0 .. dim - 1, or -1 when it is outside. */
static inline int64_t indices_at(const struct tensor *t, int64_t i, int64_t dim)
{
    const int64_t raw = indices_raw(t, i);
    return raw >= 0 ? (raw < dim ? raw : -1) : raw >= -dim ? raw + dim : -1;
}

static inline int indices_outside(struct run *r, const struct tensor *t, int64_t i, int64_t dim)
{
    return run_fail(r, "index %lld is outside of an axis of %lld", (long long) indices_raw(t, i),
                    (long long) dim);
}

#endif
