/* SPDX-License-Identifier: MPL-2.0 */
#include "gathering.h"

#include <math.h>
#include <string.h>

#include "loop.h"

/* ---- kernels */

typedef double G_f32, G_f64;
typedef int64_t G_i8, G_i32, G_i64;
typedef uint64_t G_u8, G_u32, G_u64;

#define FOR_REDUCED(X)                                                                                       \
    X(i8, DT_I8)                                                                                             \
    X(i32, DT_I32) X(i64, DT_I64) X(u8, DT_U8) X(u32, DT_U32) X(u64, DT_U64) X(f32, DT_F32) X(f64, DT_F64)

/* x mapped by MAP and gathered with g by JOIN. Rows take lanes, so that sums do not wait for each other. */
#define GATHER(NAME, t, FIRST, MAP, JOIN)                                                                    \
    static void NAME##_row_##t(void *acc, const double *shift, const void *from, int64_t n)                  \
    {                                                                                                        \
        enum { LANES = 8 };                                                                                  \
        const T_##t *p = from;                                                                               \
        G_##t lane[LANES], *to = acc;                                                                        \
        int64_t i = 0;                                                                                       \
        (void) shift;                                                                                        \
        for (int k = 0; k < LANES; k++) {                                                                    \
            lane[k] = FIRST;                                                                                 \
        }                                                                                                    \
        for (; i + LANES <= n; i += LANES) {                                                                 \
            for (int k = 0; k < LANES; k++) {                                                                \
                const G_##t x = MAP((G_##t) p[i + k], *shift), g = lane[k];                                  \
                lane[k] = JOIN;                                                                              \
            }                                                                                                \
        }                                                                                                    \
        for (; i < n; i++) {                                                                                 \
            const G_##t x = MAP((G_##t) p[i], *shift), g = lane[0];                                          \
            lane[0] = JOIN;                                                                                  \
        }                                                                                                    \
        for (int k = 0; k < LANES; k++) {                                                                    \
            const G_##t x = lane[k], g = *to;                                                                \
            *to = JOIN;                                                                                      \
        }                                                                                                    \
    }                                                                                                        \
    static void NAME##_columns_##t(void *acc, const double *shift, const void *from, int64_t n)              \
    {                                                                                                        \
        const T_##t *p = from;                                                                               \
        G_##t *to = acc;                                                                                     \
        (void) shift;                                                                                        \
        LOOP for (int64_t i = 0; i < n; i++)                                                                 \
        {                                                                                                    \
            const G_##t x = MAP((G_##t) p[i], shift[i]), g = to[i];                                          \
            to[i] = JOIN;                                                                                    \
        }                                                                                                    \
    }

#define ITSELF(v, s)         (v)
#define SQUARE(v, s)         ((v) * (v))
#define MAGNITUDE(v, s)      ((v) < 0 ? -(v) : (v))
#define EXPONENTIAL(v, s)    exp((v) - (s))
#define SQUARE_WHOLE(v, s)   ((int64_t) ((uint64_t) (v) * (uint64_t) (v)))
#define MAGNITUDE_BITS(v, s) ((int64_t) ((v) < 0 ? 0 - (uint64_t) (v) : (uint64_t) (v)))
#define SUM_WHOLE            (int64_t)((uint64_t) g + (uint64_t) x)
#define PRODUCT_WHOLE        (int64_t)((uint64_t) g * (uint64_t) x)
#define GREATER              (x > g ? x : g)
#define LESSER               (x < g ? x : g)

#define GATHER_FLOAT(t, D)                                                                                   \
    GATHER(sum, t, 0, ITSELF, g + x)                                                                         \
    GATHER(product, t, 1, ITSELF, g *x)                                                                      \
    GATHER(squares, t, 0, SQUARE, g + x)                                                                     \
    GATHER(magnitudes, t, 0, MAGNITUDE, g + x)                                                               \
    GATHER(exponentials, t, 0, EXPONENTIAL, g + x)                                                           \
    GATHER(greatest, t, -HUGE_VAL, ITSELF, (x > g || x != x ? x : g))                                        \
    GATHER(least, t, HUGE_VAL, ITSELF, (x < g || x != x ? x : g))
#define GATHER_SIGNED(t, D)                                                                                  \
    GATHER(sum, t, 0, ITSELF, SUM_WHOLE)                                                                     \
    GATHER(product, t, 1, ITSELF, PRODUCT_WHOLE)                                                             \
    GATHER(squares, t, 0, SQUARE_WHOLE, SUM_WHOLE)                                                           \
    GATHER(magnitudes, t, 0, MAGNITUDE_BITS, SUM_WHOLE)                                                      \
    GATHER(greatest, t, LEAST_##t, ITSELF, GREATER)                                                          \
    GATHER(least, t, MOST_##t, ITSELF, LESSER)
#define GATHER_UNSIGNED(t, D)                                                                                \
    GATHER(sum, t, 0, ITSELF, g + x)                                                                         \
    GATHER(product, t, 1, ITSELF, g *x)                                                                      \
    GATHER(squares, t, 0, SQUARE, g + x)                                                                     \
    GATHER(greatest, t, LEAST_##t, ITSELF, GREATER)                                                          \
    GATHER(least, t, MOST_##t, ITSELF, LESSER)
FOR_FLOAT(GATHER_FLOAT)
GATHER_SIGNED(i8, )
GATHER_SIGNED(i32, )
GATHER_SIGNED(i64, )
GATHER_UNSIGNED(u8, )
GATHER_UNSIGNED(u32, )
GATHER_UNSIGNED(u64, )

/* ---- from what was gathered to elements */

/* Roots and logarithms of whole numbers go through doubles; what then is no number of the type is 0. */
static double whole(double v)
{
    return v > -0x1p31 && v < 0x1p32 ? v : 0;
}

#define DIVIDE_FLOAT(g, of) ((g) / (double) (of))
#define DIVIDE_WHOLE(g, of) ((of) ? (g) / (of) : 0)
#define DIVIDE_BITS(g, of)  ((of) ? (g) / (uint64_t) (of) : 0)
#define FINISH(t, DIVIDE, FIT)                                                                               \
    static T_##t finished_##t(G_##t g, double shift, int64_t of, enum finish how)                            \
    {                                                                                                        \
        if (how == AS_IT_IS) {                                                                               \
            return ST_##t(g);                                                                                \
        }                                                                                                    \
        if (how == DIVIDED) {                                                                                \
            return ST_##t(DIVIDE(g, of));                                                                    \
        }                                                                                                    \
        const double v = how == ROOT ? sqrt((double) g) : log((double) g);                                   \
        return ST_##t(FIT(how == LOGARITHM_SHIFTED ? v + shift : v));                                        \
    }                                                                                                        \
    static void finish_##t(void *out, const void *acc, const double *shift, int64_t n, int64_t of,           \
                           enum finish how)                                                                  \
    {                                                                                                        \
        const G_##t *g = acc;                                                                                \
        T_##t *y = out;                                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            y[i] = finished_##t(g[i], how == LOGARITHM_SHIFTED ? shift[i] : 0, of, how);                     \
        }                                                                                                    \
    }
FINISH(f32, DIVIDE_FLOAT, )
FINISH(f64, DIVIDE_FLOAT, )
FINISH(i8, DIVIDE_WHOLE, whole)
FINISH(i32, DIVIDE_WHOLE, whole)
FINISH(i64, DIVIDE_WHOLE, whole)
FINISH(u8, DIVIDE_BITS, whole)
FINISH(u32, DIVIDE_BITS, whole)
FINISH(u64, DIVIDE_BITS, whole)

/* ---- tables */

#define WITH(NAME, t, FIRST)                                                                                 \
    {                                                                                                        \
        NAME##_row_##t, NAME##_columns_##t, FIRST                                                            \
    }
#define F(V)                                                                                                 \
    {                                                                                                        \
        .f = V                                                                                               \
    }
#define I(V)                                                                                                 \
    {                                                                                                        \
        .i = V                                                                                               \
    }
#define U(V)                                                                                                 \
    {                                                                                                        \
        .u = V                                                                                               \
    }

#define FLOATS(NAME, FIRST) [DT_F32] = WITH(NAME, f32, F(FIRST)), [DT_F64] = WITH(NAME, f64, F(FIRST))
#define WHOLES(NAME, FIRST)                                                                                  \
    [DT_I8] = WITH(NAME, i8, I(FIRST)), [DT_I32] = WITH(NAME, i32, I(FIRST)),                                \
    [DT_I64] = WITH(NAME, i64, I(FIRST)), [DT_U8] = WITH(NAME, u8, U(FIRST)),                                \
    [DT_U32] = WITH(NAME, u32, U(FIRST)), [DT_U64] = WITH(NAME, u64, U(FIRST))
#define EXTREMES(NAME, BOUND)                                                                                \
    [DT_I8] = WITH(NAME, i8, I(BOUND##_i8)), [DT_I32] = WITH(NAME, i32, I(BOUND##_i32)),                     \
    [DT_I64] = WITH(NAME, i64, I(BOUND##_i64)), [DT_U8] = WITH(NAME, u8, U(BOUND##_u8)),                     \
    [DT_BOOL] = WITH(NAME, u8, U(BOUND##_b8)), [DT_U32] = WITH(NAME, u32, U(BOUND##_u32)),                   \
    [DT_U64] = WITH(NAME, u64, U(BOUND##_u64)), [DT_F32] = WITH(NAME, f32, F(BOUND##_f64)),                  \
    [DT_F64] = WITH(NAME, f64, F(BOUND##_f64))
#define MAGNITUDES                                                                                           \
    FLOATS(magnitudes, 0), [DT_I8] = WITH(magnitudes, i8, I(0)), [DT_I32] = WITH(magnitudes, i32, I(0)),     \
                           [DT_I64] = WITH(magnitudes, i64, I(0)), [DT_U8] = WITH(sum, u8, U(0)),            \
                           [DT_U32] = WITH(sum, u32, U(0)), [DT_U64] = WITH(sum, u64, U(0))
#define LEAST_b8 0
#define MOST_b8  1

static const struct gathering gatherings[] = {
    {"ReduceMax", AS_IT_IS, {EXTREMES(greatest, LEAST)}},
    {"ReduceSum", AS_IT_IS, {FLOATS(sum, 0), WHOLES(sum, 0)}},
    {"ReduceMean", DIVIDED, {FLOATS(sum, 0), WHOLES(sum, 0)}},
    {"ReduceProd", AS_IT_IS, {FLOATS(product, 1), WHOLES(product, 1)}},
    {"ReduceMin", AS_IT_IS, {EXTREMES(least, MOST)}},
    {"ReduceL1", AS_IT_IS, {MAGNITUDES}},
    {"ReduceL2", ROOT, {FLOATS(squares, 0), WHOLES(squares, 0)}},
    {"ReduceSumSquare", AS_IT_IS, {FLOATS(squares, 0), WHOLES(squares, 0)}},
    {"ReduceLogSum", LOGARITHM, {FLOATS(sum, 0), WHOLES(sum, 0)}},
    {"ReduceLogSumExp", LOGARITHM_SHIFTED, {FLOATS(exponentials, 0)}},
};

#define ROW_FINISH(t, D) [D] = finish_##t,
static finish_fn *const finishes[DT_END] = {FOR_REDUCED(ROW_FINISH)[DT_BOOL] = finish_u8};

finish_fn *gathering_finish(enum dtype dtype)
{
    return finishes[dtype];
}

const struct gathering *gathering_find(const char *name)
{
    const struct gathering *g = gatherings;
    while (strcmp(g->name, name) != 0) {
        g++;
    }
    return g;
}
