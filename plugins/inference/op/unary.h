/* SPDX-License-Identifier: MPL-2.0 */
/* unary - operators of one input, element by element: a kernel for each element type, and up to two parameters. */
#ifndef INFERENCE_OP_UNARY_H
#define INFERENCE_OP_UNARY_H

#include "loop.h"
#include "../op.h"

struct unary_params {
    double a, b;
};

typedef void unary_fn(void *out, const void *in, int64_t n, const struct unary_params *p); /* out may be in */

/* Plans s with fns[type of input 0]; result is the type of the output, or DT_NONE: that of the input. */
int unary_plan(struct step *s, unary_fn *const *fns, enum dtype result, double a, double b);

/* The kernel NAME: x of tag A in EXPR, the result of tag R; a and b are the parameters. WAY is LOOP or nothing. */
#define UNARY_KERNEL(NAME, R, A, WAY, EXPR)                                                                  \
    static void NAME(void *out, const void *in, int64_t n, const struct unary_params *params)                \
    {                                                                                                        \
        T_##R *r = out;                                                                                      \
        const T_##A *p = in;                                                                                 \
        const C_##A a = (C_##A) params->a, b = (C_##A) params->b;                                            \
        (void) a, (void) b;                                                                                  \
        WAY for (int64_t i = 0; i < n; i++)                                                                  \
        {                                                                                                    \
            const C_##A x = LD_##A(p[i]);                                                                    \
            r[i] = ST_##R(EXPR);                                                                             \
        }                                                                                                    \
    }

#endif
