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

/* a where v is a number, else 0 */
SIMD_INLINE quad q_number(quad v, quad a)
{
    return _mm256_and_pd(_mm256_cmp_pd(v, v, _CMP_ORD_Q), a);
}

/* v, or a where it is NaN */
SIMD_INLINE quad q_else(quad v, quad a)
{
    return _mm256_blendv_pd(v, a, _mm256_cmp_pd(v, v, _CMP_UNORD_Q));
}

SIMD_INLINE bool q_all_numbers(quad v)
{
    return !_mm256_movemask_pd(_mm256_cmp_pd(v, v, _CMP_UNORD_Q));
}

/* yes where a < b, else no */
SIMD_INLINE quad q_choose_less(quad a, quad b, quad yes, quad no)
{
    return _mm256_blendv_pd(no, yes, _mm256_cmp_pd(a, b, _CMP_LT_OQ));
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

/* What a kernel is about; known when it is compiled. */
struct kind {
    enum rolling what;
    bool many; /* a long window */
    bool gaps; /* NaN are left out, and the others counted */
};

SIMD_INLINE bool is_extreme(struct kind k)
{
    return k.what == ROLLING_MIN || k.what == ROLLING_MAX;
}

SIMD_INLINE bool has_squares(struct kind k)
{
    return k.what == ROLLING_VAR || k.what == ROLLING_STD || k.what == ROLLING_ZSCORE;
}

struct window_sums {
    quad s1, s2, n; /* s1 alone for sums, means and extremes; n where there are gaps */
};

static const struct window_sums no_sums;

struct window_finish {
    quad count, part, reciprocal; /* values in a window, 1 / count, 1 / divisor */
    quad ddof, least;             /* with gaps: what to take from the count, and how many it must be */
};

SIMD_INLINE void window_add(struct kind k, struct window_sums *s, quad v, quad anchor)
{
    if (k.what == ROLLING_MIN) {
        s->s1 = q_min(s->s1, v);
    } else if (k.what == ROLLING_MAX) {
        s->s1 = q_max(s->s1, v);
    } else {
        const quad d = k.gaps ? q_number(v, v - anchor) : v - anchor;
        s->s1 += d;
        if (has_squares(k)) {
            s->s2 = q_fma(d, d, s->s2);
        }
        if (k.gaps) {
            s->n += q_number(v, q_set(1));
        }
    }
}

/* A variance that is not NaN is not negative. */
SIMD_INLINE quad window_moment(struct kind k, quad s1, quad s2, quad last, quad anchor,
                               const struct window_finish *f)
{
    if (k.what == ROLLING_SUM) {
        return q_fma(f->count, anchor, s1);
    }
    if (k.what == ROLLING_MEAN) {
        return q_fma(s1, f->part, anchor);
    }
    const quad mean = s1 * f->part, var = q_max(q_set(0), q_fma(-s1, mean, s2)) * f->reciprocal;
    return k.what == ROLLING_VAR   ? var
           : k.what == ROLLING_STD ? q_sqrt(var)
                                   : ((last - anchor) - mean) / q_sqrt(var);
}

SIMD_INLINE quad window_give(struct kind k, const struct window_sums *a, const struct window_sums *b,
                             quad last, quad anchor, const struct window_finish *f)
{
    if (k.what == ROLLING_MIN) {
        return q_min(a->s1, b->s1);
    }
    if (k.what == ROLLING_MAX) {
        return q_max(a->s1, b->s1);
    }
    if (!k.gaps) {
        return window_moment(k, a->s1 + b->s1, a->s2 + b->s2, last, anchor, f);
    }
    const quad n = a->n + b->n, divisor = n - f->ddof, nothing = q_set((double) NAN);
    const struct window_finish own = {n, 1 / n, 1 / divisor, f->ddof, f->least};
    const quad v = window_moment(k, a->s1 + b->s1, a->s2 + b->s2, last, anchor, &own);
    const quad enough = q_choose_less(n, f->least, nothing, v);
    return has_squares(k) ? q_choose_less(q_set(0), divisor, enough, nothing) : enough;
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

/* Without gaps, a NaN among the three is in every window, and makes them NaN whatever the anchor. With gaps the
 * others take its place; false when all three are NaN. */
SIMD_INLINE bool blocks_anchor(struct kind k, struct window_blocks *b, size_t window)
{
    bool found = true;
    for (int h = 0; h < REGISTERS; h++) {
        quad p = q_gather(b->lane + 4 * h, window - 1), q = q_gather(b->lane + 4 * h, window - 2);
        quad r = q_gather(b->lane + 4 * h, window - 3);
        if (k.gaps) {
            p = q_else(p, q_else(q, r));
            q = q_else(q, p);
            r = q_else(r, p);
            found = found && q_all_numbers(p);
        }
        b->anchor[h] = q_max(q_min(p, q), q_min(q_max(p, q), r));
    }
    return found;
}

SIMD_INLINE void blocks_restart(struct kind k, struct window_blocks *b)
{
    for (int h = 0; h < REGISTERS; h++) {
        b->s[h] = b->total[h] = no_sums;
        if (is_extreme(k)) {
            b->s[h].s1 = b->anchor[h];
        }
    }
}

SIMD_INLINE void blocks_settle(struct kind k, struct window_blocks *b)
{
    for (int h = 0; h < REGISTERS && !is_extreme(k); h++) {
        b->total[h].s1 += b->s[h].s1;
        b->total[h].s2 += b->s[h].s2;
        b->s[h].s1 = b->s[h].s2 = q_set(0);
    }
}

SIMD_INLINE struct window_sums blocks_sums(struct kind k, const struct window_blocks *b, int h)
{
    struct window_sums s = b->s[h];
    if (k.many && !is_extreme(k)) {
        s.s1 += b->total[h].s1;
        s.s2 += b->total[h].s2;
    }
    return s;
}

/* Numbers of scratch memory for each place. */
SIMD_INLINE size_t blocks_stride(struct kind k)
{
    return (size_t) LANES * (1u + has_squares(k) + k.gaps);
}

SIMD_INLINE void blocks_store(struct kind k, struct window_sums s, double *to)
{
    q_store(to, s.s1);
    if (has_squares(k)) {
        q_store(to + LANES, s.s2);
    }
    if (k.gaps) {
        q_store(to + blocks_stride(k) - LANES, s.n);
    }
}

SIMD_INLINE struct window_sums blocks_load(struct kind k, const double *from)
{
    struct window_sums s = no_sums;
    s.s1 = q_load(from);
    if (has_squares(k)) {
        s.s2 = q_load(from + LANES);
    }
    if (k.gaps) {
        s.n = q_load(from + blocks_stride(k) - LANES);
    }
    return s;
}

/* The tails, backwards: that of window i goes to place i of scratch memory. */
SIMD_INLINE void blocks_tails(struct kind k, struct window_blocks *b, size_t L, size_t window,
                              double *scratch)
{
    quad v[REGISTERS][4];
    size_t j = window - 1; /* x[j] .. x[window - 2] have been added up */
    while (j > L && (j - L) % 4 != 0) {
        j--;
        for (int h = 0; h < REGISTERS; h++) {
            window_add(k, &b->s[h], q_gather(b->lane + 4 * h, j), b->anchor[h]);
        }
    }
    for (; j > 0; j -= 4) {
        if (k.many && j % SETTLED == 0) {
            blocks_settle(k, b);
        }
        for (int h = 0; h < REGISTERS; h++) {
            q_columns(b->lane + 4 * h, j - 4, v[h]);
        }
        for (size_t i = 4; i-- > 0;) {
            double *to = scratch + (j - 4 + i) * blocks_stride(k);
            for (int h = 0; h < REGISTERS; h++) {
                window_add(k, &b->s[h], v[h][i], b->anchor[h]);
                if (j <= L) {
                    blocks_store(k, blocks_sums(k, b, h), to + 4 * h);
                }
            }
        }
    }
}

/* The heads, forwards, and with the tails the windows. */
SIMD_INLINE void blocks_heads(struct kind k, struct window_blocks *b, size_t L, size_t window,
                              const struct window_finish *f, const double *scratch, double *out)
{
    quad v[REGISTERS][4];
    for (size_t i = 0; i < L; i += 4) {
        if (k.many && i % SETTLED == 0) {
            blocks_settle(k, b);
        }
        for (int h = 0; h < REGISTERS; h++) {
            q_columns(b->lane + 4 * h, window - 1 + i, v[h]);
        }
        for (size_t j = 0; j < 4; j++) {
            const double *from = scratch + (i + j) * blocks_stride(k);
            for (int h = 0; h < REGISTERS; h++) {
                window_add(k, &b->s[h], v[h][j], b->anchor[h]);
                const struct window_sums head = blocks_sums(k, b, h), tail = blocks_load(k, from + 4 * h);
                v[h][j] = window_give(k, &head, &tail, v[h][j], b->anchor[h], f);
            }
        }
        for (int h = 0; h < REGISTERS; h++) {
            transpose(v[h]);
            for (size_t j = 0; j < 4; j++) {
                q_store(out + (4 * (size_t) h + j) * L + i, v[h][j]);
            }
        }
    }
}

/* The windows of eight blocks, or false. L is a multiple of 4 and less than window - 1. */
SIMD_INLINE bool rolling_blocks(struct kind k, const double *x, size_t L, size_t window,
                                const struct window_finish *f, double *scratch, double *out)
{
    struct window_blocks b;
    for (size_t i = 0; i < LANES; i++) {
        b.lane[i] = x + i * L;
    }
    if (!blocks_anchor(k, &b, window)) {
        return false;
    }
    blocks_restart(k, &b);
    blocks_tails(k, &b, L, window, scratch);
    blocks_restart(k, &b);
    blocks_heads(k, &b, L, window, f, scratch, out);
    return true;
}

/* The length of eight blocks of so many windows; 0 when there are too few. */
SIMD_INLINE size_t blocks_length(size_t windows, size_t window)
{
    const size_t longest = window < 6 ? 0 : (window - 2) & ~(size_t) 3;
    const size_t share = windows / LANES & ~(size_t) 3;
    return longest < share ? longest : share;
}

/* Each window by itself, four windows side by side. */
SIMD_INLINE void rolling_each(struct kind k, const double *x, size_t count, size_t window,
                              const struct window_finish *f, double *out)
{
    for (size_t i = 0; i + 4 <= count; i += 4) {
        const quad anchor = q_load(x + i + window / 2), last = q_load(x + i + window - 1);
        struct window_sums none = no_sums;
        if (is_extreme(k)) {
            none.s1 = last;
        }
        struct window_sums s = none;
        for (size_t j = 0; j < window; j++) {
            window_add(k, &s, q_load(x + i + j), anchor);
        }
        q_store(out + i, window_give(k, &s, &none, last, anchor, f));
    }
}

SIMD_INLINE void rolling(enum rolling what, const double *x, size_t n, size_t window, double divisor,
                         double *scratch, double *out)
{
    const struct kind few = {what, false, false}, many = {what, true, false};
    const double count = (double) window;
    const struct window_finish f = {
        .count = q_set(count), .part = q_set(1 / count), .reciprocal = q_set(1 / divisor)};
    const size_t windows = n - window + 1, L = blocks_length(windows, window);
    if (window <= SHORT_WINDOW && windows >= 4) {
        rolling_each(few, x, windows, window, &f, out);
        const size_t rest = windows - 4; /* the last four again, for those that were left over */
        rolling_each(few, x + rest, 4, window, &f, out + rest);
        return;
    }
    if (L == 0) {
        rolling_plain[what](x, n, window, divisor, scratch, out);
        return;
    }
    for (size_t i = 0; i < windows; i += LANES * L) { /* the last blocks may repeat windows of those before */
        const size_t at = windows - i < LANES * L ? windows - LANES * L : i;
        if (window > MANY) {
            rolling_blocks(many, x + at, L, window, &f, scratch, out + at);
        } else {
            rolling_blocks(few, x + at, L, window, &f, scratch, out + at);
        }
    }
}

SIMD_INLINE void rolling_with_gaps(enum rolling what, const struct windows *w, double *scratch, double *out)
{
    const struct kind k = {what, true, true};
    const struct window_finish f = {.ddof = q_set(w->ddof), .least = q_set((double) w->min_periods)};
    const size_t windows = w->n - w->window + 1, L = blocks_length(windows, w->window);
    if (L == 0) {
        rolling_plain_gaps[what](w, scratch, out);
        return;
    }
    for (size_t i = 0; i < windows; i += LANES * L) {
        const size_t at = windows - i < LANES * L ? windows - LANES * L : i;
        if (!rolling_blocks(k, w->x + at, L, w->window, &f, scratch, out + at)) {
            struct windows part = *w;
            part.x = w->x + at;
            part.n = LANES * L + w->window - 1;
            rolling_plain_gaps[what](&part, scratch, out + at);
        }
    }
}

#define ROLLING_KERNEL(name, what)                                                                           \
    static void name(const double *x, size_t n, size_t window, double divisor, double *scratch, double *out) \
    {                                                                                                        \
        rolling(what, x, n, window, divisor, scratch, out);                                                  \
    }
#define ROLLING_GAPS_KERNEL(name, what)                                                                      \
    static void name(const struct windows *w, double *scratch, double *out)                                  \
    {                                                                                                        \
        rolling_with_gaps(what, w, scratch, out);                                                            \
    }

ROLLING_KERNEL(rolling_sum, ROLLING_SUM)
ROLLING_KERNEL(rolling_mean, ROLLING_MEAN)
ROLLING_KERNEL(rolling_var, ROLLING_VAR)
ROLLING_KERNEL(rolling_std, ROLLING_STD)
ROLLING_KERNEL(rolling_zscore, ROLLING_ZSCORE)
ROLLING_KERNEL(rolling_min, ROLLING_MIN)
ROLLING_KERNEL(rolling_max, ROLLING_MAX)
ROLLING_GAPS_KERNEL(gaps_sum, ROLLING_SUM)
ROLLING_GAPS_KERNEL(gaps_mean, ROLLING_MEAN)
ROLLING_GAPS_KERNEL(gaps_var, ROLLING_VAR)
ROLLING_GAPS_KERNEL(gaps_std, ROLLING_STD)
ROLLING_GAPS_KERNEL(gaps_zscore, ROLLING_ZSCORE)

SIMD_END

static rolling_kernel *const rolling_kernels[ROLLING_KINDS] = {
    rolling_sum, rolling_mean, rolling_var, rolling_std, rolling_zscore, rolling_min, rolling_max,
};

static rolling_gaps_kernel *const rolling_gaps_kernels[ROLLING_MIN] = {
    gaps_sum, gaps_mean, gaps_var, gaps_std, gaps_zscore,
};

#else

#define rolling_kernels      rolling_plain
#define rolling_gaps_kernels rolling_plain_gaps

#endif
