/* SPDX-License-Identifier: MPL-2.0 */
/* binary - operators of two or more inputs, element by element, with broadcasting.
 *
 * A family gives its kernels by element type; more than two inputs are taken from the left, the output being the
 * first of the next two. */
#ifndef INFERENCE_OP_BINARY_H
#define INFERENCE_OP_BINARY_H

#include "loop.h"
#include "../op.h"

/* n elements; an input whose step is 0 repeats its first element, otherwise it goes on by 1. out may be a or b. */
typedef void binary_fn(void *out, const void *a, const void *b, int64_t n, int step_a, int step_b);

/* Plans s with fns[type of the inputs]; result is the type of the output, or DT_NONE: that of the inputs. */
int binary_plan(struct step *s, binary_fn *const *fns, enum dtype result);
/* The same with the inputs' types of any kind: fn takes those of input 0 and 1 as they are. Two inputs. */
int binary_plan_fn(struct step *s, binary_fn *fn, enum dtype result);
/* Refuses inputs that are not all of one type. */
int binary_same_type(struct step *s);

/* The kernel NAME: x of tag A and y of tag B in EXPR, the result of tag R. WAY is LOOP or nothing. */
#define BINARY_KERNEL(NAME, R, A, B, WAY, EXPR)                                                              \
    static void NAME(void *out, const void *a, const void *b, int64_t n, int step_a, int step_b)             \
    {                                                                                                        \
        T_##R *r = out;                                                                                      \
        const T_##A *p = a;                                                                                  \
        const T_##B *q = b;                                                                                  \
        if (step_a && step_b) {                                                                              \
            WAY for (int64_t i = 0; i < n; i++)                                                              \
            {                                                                                                \
                const C_##A x = LD_##A(p[i]);                                                                \
                const C_##B y = LD_##B(q[i]);                                                                \
                r[i] = ST_##R(EXPR);                                                                         \
            }                                                                                                \
        } else if (step_a) {                                                                                 \
            const C_##B y = LD_##B(*q);                                                                      \
            WAY for (int64_t i = 0; i < n; i++)                                                              \
            {                                                                                                \
                const C_##A x = LD_##A(p[i]);                                                                \
                r[i] = ST_##R(EXPR);                                                                         \
            }                                                                                                \
        } else if (step_b) {                                                                                 \
            const C_##A x = LD_##A(*p);                                                                      \
            WAY for (int64_t i = 0; i < n; i++)                                                              \
            {                                                                                                \
                const C_##B y = LD_##B(q[i]);                                                                \
                r[i] = ST_##R(EXPR);                                                                         \
            }                                                                                                \
        } else { /* a third input is wider, or n is 1 */                                                     \
            const C_##A x = LD_##A(*p);                                                                      \
            const C_##B y = LD_##B(*q);                                                                      \
            const T_##R one = ST_##R(EXPR);                                                                  \
            for (int64_t i = 0; i < n; i++) {                                                                \
                r[i] = one;                                                                                  \
            }                                                                                                \
        }                                                                                                    \
    }

#endif
