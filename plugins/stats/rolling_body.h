/* SPDX-License-Identifier: MPL-2.0 */
/* The vector kernels of rolling_kernels.h, included by kernels_body.h.
 *
 * Where registers hold four doubles; other machines get the plain ones.
 *
 * Eight blocks of L windows are worked on at once, one in each lane of two registers of four: their sums do not
 * wait for each other, and no sum has to be passed on within a register. Values come in as four of one block,
 * are transposed, and results go back the same way. The windows f .. f + L - 1 of a block (named by their first
 * value) all contain x[f + L - 1] .. x[f + window - 1], three values at least, whose median (of three) is the
 * anchor: an outlier would cost digits. Window f + i is the tail x[f + i] .. x[f + window - 2], summed
 * backwards into scratch memory first, and the head x[f + window - 1] .. x[f + window - 1 + i]. */
#include "rolling_kernels.h"

#ifdef SIMD_TARGET

SIMD_BEGIN

typedef double quad __attribute__((vector_size(32)));

enum { LANES = 8, REGISTERS = LANES / 4, SHORT_WINDOW = 6, SETTLED = 128, MANY = 2 * SETTLED };

SIMD_INLINE quad q_load(const double *p)
{
    return _mm256_loadu_pd(p);
}

SIMD_INLINE void q_store(double *p, quad a)
{
    _mm256_storeu_pd(p, a);
}

SIMD_INLINE quad q_fma(quad a, quad b, quad c)
{
    return _mm256_fmadd_pd(a, b, c);
}

SIMD_INLINE quad q_min(quad a, quad b)
{
    return _mm256_min_pd(a, b);
}

SIMD_INLINE quad q_max(quad a, quad b)
{
    return _mm256_max_pd(a, b);
}

SIMD_INLINE quad q_sqrt(quad a)
{
    return _mm256_sqrt_pd(a);
}

SIMD_INLINE quad q_set(double a)
{
    return (quad){a, a, a, a};
}

/* Row k of the result is element k of each row. */
SIMD_INLINE void transpose(quad v[4])
{
    quad a = __builtin_shufflevector(v[0], v[1], 0, 4, 2, 6),
         b = __builtin_shufflevector(v[0], v[1], 1, 5, 3, 7);
    quad c = __builtin_shufflevector(v[2], v[3], 0, 4, 2, 6),
         d = __builtin_shufflevector(v[2], v[3], 1, 5, 3, 7);
    v[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    v[1] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    v[2] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    v[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

struct window_sums {
    quad s1, s2; /* s1 alone for sums, means and extremes */
};

struct window_finish {
    quad count, part, reciprocal; /* values in a window, 1 / count, 1 / divisor */
};

SIMD_INLINE int window_has_squares(enum rolling what)
{
    return what == ROLLING_VAR || what == ROLLING_STD || what == ROLLING_ZSCORE;
}

SIMD_INLINE void window_add(enum rolling what, struct window_sums *s, quad v, quad anchor)
{
    if (what == ROLLING_MIN) {
        s->s1 = q_min(s->s1, v);
    } else if (what == ROLLING_MAX) {
        s->s1 = q_max(s->s1, v);
    } else {
        const quad d = v - anchor;
        s->s1 += d;
        if (window_has_squares(what)) {
            s->s2 = q_fma(d, d, s->s2);
        }
    }
}

SIMD_INLINE quad window_give(enum rolling what, const struct window_sums *a, const struct window_sums *b,
                             quad last, quad anchor, const struct window_finish *f)
{
    switch (what) {
    case ROLLING_MIN:
        return q_min(a->s1, b->s1);
    case ROLLING_MAX:
        return q_max(a->s1, b->s1);
    case ROLLING_SUM:
        return q_fma(f->count, anchor, a->s1 + b->s1);
    case ROLLING_MEAN:
        return q_fma(a->s1 + b->s1, f->part, anchor);
    default:
        break;
    }
    const quad s1 = a->s1 + b->s1, mean = s1 * f->part;
    const quad var = q_max(q_fma(-s1, mean, a->s2 + b->s2), q_set(0)) * f->reciprocal;
    return what == ROLLING_VAR   ? var
           : what == ROLLING_STD ? q_sqrt(var)
                                 : ((last - anchor) - mean) / q_sqrt(var);
}

SIMD_INLINE quad q_gather(const double *const *lane, size_t at)
{
    return (quad){lane[0][at], lane[1][at], lane[2][at], lane[3][at]};
}

SIMD_INLINE void q_columns(const double *const *lane, size_t at, quad v[4])
{
    for (int k = 0; k < 4; k++) {
        v[k] = q_load(lane[k] + at);
    }
    transpose(v);
}

/* Eight blocks at work: where they begin, and what has been added up of them. In windows of many values, sums go
 * to a total from time to time, so that rounding errors do not grow with the window. */
struct window_blocks {
    const double *lane[LANES];
    quad anchor[REGISTERS];
    struct window_sums s[REGISTERS], total[REGISTERS];
};

SIMD_INLINE void blocks_restart(enum rolling what, struct window_blocks *b)
{
    for (int h = 0; h < REGISTERS; h++) {
        const struct window_sums none = {q_set(0), q_set(0)};
        b->s[h] = b->total[h] = none;
        if (what == ROLLING_MIN || what == ROLLING_MAX) {
            b->s[h].s1 = b->anchor[h];
        }
    }
}

SIMD_INLINE void blocks_settle(enum rolling what, struct window_blocks *b)
{
    for (int h = 0; h < REGISTERS && what != ROLLING_MIN && what != ROLLING_MAX; h++) {
        b->total[h].s1 += b->s[h].s1;
        b->total[h].s2 += b->s[h].s2;
        b->s[h] = (struct window_sums){q_set(0), q_set(0)};
    }
}

SIMD_INLINE struct window_sums blocks_sums(enum rolling what, bool many, const struct window_blocks *b, int h)
{
    struct window_sums s = b->s[h];
    if (many && what != ROLLING_MIN && what != ROLLING_MAX) {
        s.s1 += b->total[h].s1;
        s.s2 += b->total[h].s2;
    }
    return s;
}

/* The tails, backwards: that of window i goes to place i of scratch memory. */
SIMD_INLINE void blocks_tails(enum rolling what, bool many, struct window_blocks *b, size_t L, size_t window,
                              double *scratch)
{
    const size_t stride = window_has_squares(what) ? 2 * LANES : LANES;
    quad v[REGISTERS][4];
    size_t j = window - 1; /* x[j] .. x[window - 2] have been added up */
    while (j > L && (j - L) % 4 != 0) {
        j--;
        for (int h = 0; h < REGISTERS; h++) {
            window_add(what, &b->s[h], q_gather(b->lane + 4 * h, j), b->anchor[h]);
        }
    }
    for (; j > 0; j -= 4) {
        if (many && j % SETTLED == 0) {
            blocks_settle(what, b);
        }
        for (int h = 0; h < REGISTERS; h++) {
            q_columns(b->lane + 4 * h, j - 4, v[h]);
        }
        for (size_t k = 4; k-- > 0;) {
            double *to = scratch + (j - 4 + k) * stride;
            for (int h = 0; h < REGISTERS; h++) {
                window_add(what, &b->s[h], v[h][k], b->anchor[h]);
                if (j <= L) {
                    const struct window_sums s = blocks_sums(what, many, b, h);
                    q_store(to + 4 * h, s.s1);
                    if (window_has_squares(what)) {
                        q_store(to + LANES + 4 * h, s.s2);
                    }
                }
            }
        }
    }
}

/* The heads, forwards, and with the tails the windows. */
SIMD_INLINE void blocks_heads(enum rolling what, bool many, struct window_blocks *b, size_t L, size_t window,
                              const struct window_finish *f, const double *scratch, double *out)
{
    const size_t stride = window_has_squares(what) ? 2 * LANES : LANES;
    quad v[REGISTERS][4];
    for (size_t i = 0; i < L; i += 4) {
        if (many && i % SETTLED == 0) {
            blocks_settle(what, b);
        }
        for (int h = 0; h < REGISTERS; h++) {
            q_columns(b->lane + 4 * h, window - 1 + i, v[h]);
        }
        for (size_t k = 0; k < 4; k++) {
            const double *from = scratch + (i + k) * stride;
            for (int h = 0; h < REGISTERS; h++) {
                struct window_sums tail = {q_load(from + 4 * h), q_set(0)};
                if (window_has_squares(what)) {
                    tail.s2 = q_load(from + LANES + 4 * h);
                }
                window_add(what, &b->s[h], v[h][k], b->anchor[h]);
                const struct window_sums head = blocks_sums(what, many, b, h);
                v[h][k] = window_give(what, &head, &tail, v[h][k], b->anchor[h], f);
            }
        }
        for (int h = 0; h < REGISTERS; h++) {
            transpose(v[h]);
            for (size_t k = 0; k < 4; k++) {
                q_store(out + (4 * (size_t) h + k) * L + i, v[h][k]);
            }
        }
    }
}

/* The windows of eight blocks. L is a multiple of 4 and less than window - 1. */
SIMD_INLINE void rolling_blocks(enum rolling what, bool many, const double *x, size_t L, size_t window,
                                const struct window_finish *f, double *scratch, double *out)
{
    struct window_blocks b;
    for (size_t k = 0; k < LANES; k++) {
        b.lane[k] = x + k * L;
    }
    for (int h = 0; h < REGISTERS; h++) {
        const quad p = q_gather(b.lane + 4 * h, window - 1), q = q_gather(b.lane + 4 * h, window - 2);
        const quad r = q_gather(b.lane + 4 * h, window - 3);
        b.anchor[h] = q_max(q_min(p, q), q_min(q_max(p, q), r));
    }
    blocks_restart(what, &b);
    blocks_tails(what, many, &b, L, window, scratch);
    blocks_restart(what, &b);
    blocks_heads(what, many, &b, L, window, f, scratch, out);
}

/* Each window by itself, four windows side by side. */
SIMD_INLINE void rolling_each(enum rolling what, const double *x, size_t count, size_t window,
                              const struct window_finish *f, double *out)
{
    for (size_t i = 0; i + 4 <= count; i += 4) {
        const quad anchor = q_load(x + i + window / 2), last = q_load(x + i + window - 1);
        const struct window_sums none = {what == ROLLING_MIN || what == ROLLING_MAX ? last : q_set(0),
                                         q_set(0)};
        struct window_sums s = none;
        for (size_t j = 0; j < window; j++) {
            window_add(what, &s, q_load(x + i + j), anchor);
        }
        q_store(out + i, window_give(what, &s, &none, last, anchor, f));
    }
}

SIMD_INLINE void rolling(enum rolling what, const double *x, size_t n, size_t window, double divisor,
                         double *scratch, double *out)
{
    const double count = (double) window;
    const struct window_finish f = {q_set(count), q_set(1 / count), q_set(1 / divisor)};
    const size_t windows = n - window + 1;
    if (windows < 4) {
        rolling_plain[what](x, n, window, divisor, scratch, out);
        return;
    }
    const size_t longest = window < 6 ? 0 : (window - 2) & ~(size_t) 3, share = windows / LANES & ~(size_t) 3;
    const size_t L = longest < share ? longest : share;
    if (window <= SHORT_WINDOW) {
        rolling_each(what, x, windows, window, &f, out);
        const size_t rest = windows - 4; /* the last four again, for those that were left over */
        rolling_each(what, x + rest, 4, window, &f, out + rest);
        return;
    }
    if (L == 0) {
        rolling_plain[what](x, n, window, divisor, scratch, out);
        return;
    }
    for (size_t i = 0; i < windows; i += LANES * L) { /* the last blocks may repeat windows of those before */
        const size_t at = windows - i < LANES * L ? windows - LANES * L : i;
        if (window > MANY) {
            rolling_blocks(what, true, x + at, L, window, &f, scratch, out + at);
        } else {
            rolling_blocks(what, false, x + at, L, window, &f, scratch, out + at);
        }
    }
}

#define ROLLING_KERNEL(name, what)                                                                           \
    static void name(const double *x, size_t n, size_t window, double divisor, double *scratch, double *out) \
    {                                                                                                        \
        rolling(what, x, n, window, divisor, scratch, out);                                                  \
    }

ROLLING_KERNEL(rolling_sum, ROLLING_SUM)
ROLLING_KERNEL(rolling_mean, ROLLING_MEAN)
ROLLING_KERNEL(rolling_var, ROLLING_VAR)
ROLLING_KERNEL(rolling_std, ROLLING_STD)
ROLLING_KERNEL(rolling_zscore, ROLLING_ZSCORE)
ROLLING_KERNEL(rolling_min, ROLLING_MIN)
ROLLING_KERNEL(rolling_max, ROLLING_MAX)

SIMD_END

static rolling_kernel *const rolling_kernels[ROLLING_KINDS] = {
    rolling_sum, rolling_mean, rolling_var, rolling_std, rolling_zscore, rolling_min, rolling_max,
};

#else

#define rolling_kernels rolling_plain

#endif
