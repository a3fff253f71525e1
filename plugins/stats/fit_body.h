/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels of least squares in terms of simd.h; kernels_body.h includes them into each set. */
#include "fit_kernels.h"

#include <math.h>

/* ---- pairs hi + lo ------------------------------------------------------------------------------------- */

struct pairs {
    vec hi, lo;
};

/* a + b exactly (Knuth). */
SIMD_INLINE struct pairs p_sum(vec a, vec b)
{
    const vec s = a + b, t = s - a;
    return (struct pairs){s, (a - (s - t)) + (b - t)};
}

/* a + b exactly where |a| >= |b| (Dekker). */
SIMD_INLINE struct pairs p_settle(vec a, vec b)
{
    const vec s = a + b;
    return (struct pairs){s, b - (s - a)};
}

SIMD_INLINE struct pairs p_add(struct pairs a, struct pairs b)
{
    struct pairs s = p_sum(a.hi, b.hi);
    const struct pairs t = p_sum(a.lo, b.lo);
    s = p_settle(s.hi, s.lo + t.hi);
    return p_settle(s.hi, s.lo + t.lo);
}

SIMD_INLINE struct pairs p_mul(struct pairs a, struct pairs b)
{
    const vec p = a.hi * b.hi;
    return p_settle(p, v_rest(a.hi, b.hi, p) + (a.hi * b.lo + a.lo * b.hi));
}

SIMD_INLINE struct pairs p_load(const double *hi, const double *lo)
{
    return (struct pairs){v_load(hi), lo ? v_load(lo) : v_set(0)};
}

SIMD_INLINE struct pairs p_set(double hi, double lo)
{
    return (struct pairs){v_set(hi), v_set(lo)};
}

/* The sum over the lanes; the same machine code serves single numbers. */
SIMD_INLINE void p_total(struct pairs a, double *ret_hi, double *ret_lo)
{
    struct pairs t = p_set(a.hi[0], a.lo[0]);
    for (int i = 1; i < W; i++) {
        t = p_add(t, p_set(a.hi[i], a.lo[i]));
    }
    *ret_hi = t.hi[0];
    *ret_lo = t.lo[0];
}

/* ---- triangles ------------------------------------------------------------------------------------------ */

static double panel_dot(const double *a, const double *b)
{
    vec s = v_set(0), t = s;
    for (size_t i = 0; i < FIT_ROWS; i += 2 * W) {
        s = v_fma(v_load(a + i), v_load(b + i), s);
        t = v_fma(v_load(a + i + W), v_load(b + i + W), t);
    }
    return v_sum(s + t);
}

/* Four columns at once, so that the reflected one is read once for them. */
SIMD_INLINE void panel_dot4(const double *a, const double *b, double ret[4])
{
    vec s0 = v_set(0), s1 = s0, s2 = s0, s3 = s0;
    for (size_t i = 0; i < FIT_ROWS; i += W) {
        const vec v = v_load(a + i);
        s0 = v_fma(v, v_load(b + i), s0);
        s1 = v_fma(v, v_load(b + FIT_ROWS + i), s1);
        s2 = v_fma(v, v_load(b + 2 * FIT_ROWS + i), s2);
        s3 = v_fma(v, v_load(b + 3 * FIT_ROWS + i), s3);
    }
    ret[0] = v_sum(s0);
    ret[1] = v_sum(s1);
    ret[2] = v_sum(s2);
    ret[3] = v_sum(s3);
}

SIMD_INLINE void panel_less(const double *a, double w, double *b)
{
    const vec m = v_set(-w);
    for (size_t i = 0; i < FIT_ROWS; i += W) {
        v_store(b + i, v_fma(m, v_load(a + i), v_load(b + i)));
    }
}

SIMD_INLINE void panel_less4(const double *a, const double w[4], double *b)
{
    const vec m0 = v_set(-w[0]), m1 = v_set(-w[1]), m2 = v_set(-w[2]), m3 = v_set(-w[3]);
    for (size_t i = 0; i < FIT_ROWS; i += W) {
        const vec v = v_load(a + i);
        double *c = b + i;
        v_store(c, v_fma(m0, v, v_load(c)));
        v_store(c + FIT_ROWS, v_fma(m1, v, v_load(c + FIT_ROWS)));
        v_store(c + 2 * FIT_ROWS, v_fma(m2, v, v_load(c + 2 * FIT_ROWS)));
        v_store(c + 3 * FIT_ROWS, v_fma(m3, v, v_load(c + 3 * FIT_ROWS)));
    }
}

/* Column j below r[j][j] is v; the reflection I - f v v' with v0 = r[j][j] - beta above v maps it to beta. */
static void fit_append(double *r, double *panel, size_t p)
{
    for (size_t j = 0; j < p; j++) {
        double *row = r + j * p, *v = panel + j * FIT_ROWS;
        const double below = panel_dot(v, v), alpha = row[j];
        if (below == 0) {
            continue;
        }
        const double norm = sqrt(alpha * alpha + below), beta = alpha > 0 ? -norm : norm;
        const double v0 = alpha - beta, f = -1 / (beta * v0);
        row[j] = beta;
        size_t l = j + 1;
        for (; l + 4 <= p; l += 4) {
            double w[4];
            panel_dot4(v, panel + l * FIT_ROWS, w);
            for (size_t c = 0; c < 4; c++) {
                w[c] = f * (v0 * row[l + c] + w[c]);
                row[l + c] -= w[c] * v0;
            }
            panel_less4(v, w, panel + l * FIT_ROWS);
        }
        for (; l < p; l++) {
            const double w = f * (v0 * row[l] + panel_dot(v, panel + l * FIT_ROWS));
            row[l] -= w * v0;
            panel_less(v, w, panel + l * FIT_ROWS);
        }
    }
}

/* ---- the same in pairs ------------------------------------------------------------------------------------ */

static struct pairs panel_dot_dd(const double *a_hi, const double *a_lo, const double *b_hi,
                                 const double *b_lo)
{
    struct pairs s = p_set(0, 0);
    for (size_t i = 0; i < FIT_ROWS; i += W) {
        s = p_add(s, p_mul(p_load(a_hi + i, a_lo + i), p_load(b_hi + i, b_lo + i)));
    }
    double hi, lo;
    p_total(s, &hi, &lo);
    return p_set(hi, lo);
}

SIMD_INLINE struct pairs p_minus(struct pairs a)
{
    return (struct pairs){-a.hi, -a.lo};
}

/* a / b and sqrt(a): a first guess in plain numbers and what it leaves over. */
SIMD_INLINE struct pairs p_quotient(struct pairs a, struct pairs b)
{
    const vec q = a.hi / b.hi;
    const struct pairs rest = p_add(a, p_minus(p_mul(b, (struct pairs){q, v_set(0)})));
    const vec q2 = rest.hi / b.hi;
    const struct pairs rest2 = p_add(rest, p_minus(p_mul(b, (struct pairs){q2, v_set(0)})));
    const struct pairs first = p_settle(q, q2);
    return p_settle(first.hi, first.lo + rest2.hi / b.hi);
}

SIMD_INLINE struct pairs p_root(struct pairs a)
{
    const vec s = v_set(sqrt(a.hi[0]));
    const struct pairs square = p_mul((struct pairs){s, v_set(0)}, (struct pairs){s, v_set(0)});
    const vec rest = p_add(a, p_minus(square)).hi / (s + s);
    return p_settle(s, rest);
}

static void fit_append_dd(double *r_hi, double *r_lo, double *hi, double *lo, size_t p)
{
    for (size_t j = 0; j < p; j++) {
        const double *v_hi = hi + j * FIT_ROWS, *v_lo = lo + j * FIT_ROWS;
        const struct pairs below = panel_dot_dd(v_hi, v_lo, v_hi, v_lo);
        if (below.hi[0] == 0) {
            continue;
        }
        const struct pairs alpha = p_set(r_hi[j * p + j], r_lo[j * p + j]);
        const struct pairs norm = p_root(p_add(p_mul(alpha, alpha), below));
        const struct pairs beta = alpha.hi[0] > 0 ? p_minus(norm) : norm, v0 = p_add(alpha, p_minus(beta));
        const struct pairs f = p_quotient(p_set(-1, 0), p_mul(beta, v0));
        r_hi[j * p + j] = beta.hi[0];
        r_lo[j * p + j] = beta.lo[0];
        for (size_t l = j + 1; l < p; l++) {
            double *u_hi = hi + l * FIT_ROWS, *u_lo = lo + l * FIT_ROWS;
            const struct pairs above = p_set(r_hi[j * p + l], r_lo[j * p + l]);
            struct pairs w = p_add(p_mul(v0, above), panel_dot_dd(v_hi, v_lo, u_hi, u_lo));
            w = p_minus(p_mul(f, w));
            const struct pairs changed = p_add(above, p_mul(w, v0));
            r_hi[j * p + l] = changed.hi[0];
            r_lo[j * p + l] = changed.lo[0];
            for (size_t i = 0; i < FIT_ROWS; i += W) {
                const struct pairs u =
                    p_add(p_load(u_hi + i, u_lo + i), p_mul(w, p_load(v_hi + i, v_lo + i)));
                v_store(u_hi + i, u.hi);
                v_store(u_lo + i, u.lo);
            }
        }
    }
}

/* ---- residuals ---------------------------------------------------------------------------------------------- */

/* The sums stay in registers while the columns pass by; what additions and products lose is collected apart. */
static void fit_residuals(const double *hi, const double *lo, size_t p, const double *b_hi,
                          const double *b_lo, double *y_hi, double *y_lo)
{
    for (size_t i = 0; i < FIT_ROWS; i += 2 * W) {
        vec s = v_load(y_hi + i), t = v_load(y_hi + i + W), ds = v_load(y_lo + i), dt = v_load(y_lo + i + W);
        for (size_t j = 0; j < p; j++) {
            const double *x = hi + j * FIT_ROWS + i;
            const vec b = v_set(-b_hi[j]), db = v_set(-b_lo[j]), xs = v_load(x), xt = v_load(x + W);
            const vec ps = xs * b, pt = xt * b;
            const struct pairs ns = p_sum(s, ps), nt = p_sum(t, pt);
            s = ns.hi;
            t = nt.hi;
            ds += ns.lo + v_fma(xs, db, v_rest(xs, b, ps));
            dt += nt.lo + v_fma(xt, db, v_rest(xt, b, pt));
            if (lo) {
                ds = v_fma(v_load(lo + j * FIT_ROWS + i), b, ds);
                dt = v_fma(v_load(lo + j * FIT_ROWS + i + W), b, dt);
            }
        }
        const struct pairs rs = p_sum(s, ds), rt = p_sum(t, dt);
        v_store(y_hi + i, rs.hi);
        v_store(y_lo + i, rs.lo);
        v_store(y_hi + i + W, rt.hi);
        v_store(y_lo + i + W, rt.lo);
    }
}

static void fit_gradient(const double *hi, const double *lo, size_t p, const double *y_hi, const double *y_lo,
                         double *g_hi, double *g_lo)
{
    for (size_t j = 0; j < p; j++) {
        vec s = v_set(0), t = s, ds = s, dt = s;
        for (size_t i = 0; i < FIT_ROWS; i += 2 * W) {
            const double *x = hi + j * FIT_ROWS + i;
            const vec xs = v_load(x), xt = v_load(x + W), ys = v_load(y_hi + i), yt = v_load(y_hi + i + W);
            const vec ps = xs * ys, pt = xt * yt;
            const struct pairs ns = p_sum(s, ps), nt = p_sum(t, pt);
            s = ns.hi;
            t = nt.hi;
            ds += ns.lo + v_fma(xs, v_load(y_lo + i), v_rest(xs, ys, ps));
            dt += nt.lo + v_fma(xt, v_load(y_lo + i + W), v_rest(xt, yt, pt));
            if (lo) {
                ds = v_fma(v_load(lo + j * FIT_ROWS + i), ys, ds);
                dt = v_fma(v_load(lo + j * FIT_ROWS + i + W), yt, dt);
            }
        }
        p_total(p_add(p_sum(s, ds), p_sum(t, dt)), &g_hi[j], &g_lo[j]);
    }
}

/* ---- powers -------------------------------------------------------------------------------------------------- */

static void fit_powers(const double *t_hi, const double *t_lo, size_t k, double *hi, double *lo)
{
    for (size_t i = 0; i < FIT_ROWS; i += W) {
        const struct pairs t = p_load(t_hi + i, t_lo + i);
        struct pairs power = p_set(1, 0);
        for (size_t j = 0; j < k; j++) {
            v_store(hi + j * FIT_ROWS + i, power.hi);
            v_store(lo + j * FIT_ROWS + i, power.lo);
            power = p_mul(power, t);
        }
    }
}

/* Where corrections met infinities, a is NaN: then b. */
SIMD_INLINE vec v_finite_or(vec a, vec b)
{
    const vec_int good = (vec_int) (a == a);
    return (vec) ((good & (vec_int) a) | (~good & (vec_int) b));
}

SIMD_INLINE vec horner(const double *p, size_t k, vec x)
{
    vec value = v_set(p[0]), lost = v_set(0);
    for (size_t j = 1; j < k; j++) {
        const vec product = value * x;
        const struct pairs s = p_sum(product, v_set(p[j]));
        lost = v_fma(lost, x, v_rest(value, x, product) + s.lo);
        value = s.hi;
    }
    return v_finite_or(value + lost, value);
}

static void fit_polyval(const double *p, size_t k, const double *x, size_t n, double *out)
{
    size_t i = 0;
    for (; i + W <= n; i += W) {
        v_store(out + i, horner(p, k, v_load(x + i)));
    }
    v_store_part(out + i, n - i, horner(p, k, v_part(x + i, n - i, 0)));
}

#define FIT_KERNELS                                                                                          \
    {                                                                                                        \
        .append = fit_append, .append_dd = fit_append_dd, .residuals = fit_residuals,                        \
        .gradient = fit_gradient, .powers = fit_powers, .polyval = fit_polyval                               \
    }
