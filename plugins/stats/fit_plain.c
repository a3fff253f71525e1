/* SPDX-License-Identifier: MPL-2.0 */
/* The kernels of least squares as one would write them down, for the plain set. */
#include "fit_plain.h"

#include "dd.h"

static struct dd get(const double *hi, const double *lo, size_t i)
{
    return (struct dd){hi[i], lo ? lo[i] : 0};
}

static void put(double *hi, double *lo, size_t i, struct dd v)
{
    hi[i] = v.hi;
    lo[i] = v.lo;
}

static struct dd dot(const double *a_hi, const double *a_lo, const double *b_hi, const double *b_lo)
{
    struct dd s = dd_of(0);
    for (size_t i = 0; i < FIT_ROWS; i++) {
        s = dd_mul_add(s, get(a_hi, a_lo, i), get(b_hi, b_lo, i));
    }
    return s;
}

void fit_plain_append(double *r, double *panel, size_t p)
{
    for (size_t j = 0; j < p; j++) {
        double *row = r + j * p, *v = panel + j * FIT_ROWS, below = 0;
        for (size_t i = 0; i < FIT_ROWS; i++) {
            below += v[i] * v[i];
        }
        if (below == 0) {
            continue;
        }
        const double beta = copysign(sqrt(row[j] * row[j] + below), -row[j]), v0 = row[j] - beta;
        row[j] = beta;
        for (size_t l = j + 1; l < p; l++) {
            double *u = panel + l * FIT_ROWS, w = v0 * row[l];
            for (size_t i = 0; i < FIT_ROWS; i++) {
                w += v[i] * u[i];
            }
            w /= -beta * v0;
            row[l] -= w * v0;
            for (size_t i = 0; i < FIT_ROWS; i++) {
                u[i] -= w * v[i];
            }
        }
    }
}

void fit_plain_append_dd(double *r_hi, double *r_lo, double *hi, double *lo, size_t p)
{
    for (size_t j = 0; j < p; j++) {
        const double *v_hi = hi + j * FIT_ROWS, *v_lo = lo + j * FIT_ROWS;
        const struct dd below = dot(v_hi, v_lo, v_hi, v_lo), alpha = get(r_hi, r_lo, j * p + j);
        if (below.hi == 0) {
            continue;
        }
        const struct dd norm = dd_sqrt(dd_mul_add(below, alpha, alpha));
        const struct dd beta = alpha.hi > 0 ? dd_neg(norm) : norm, v0 = dd_sub(alpha, beta);
        put(r_hi, r_lo, j * p + j, beta);
        for (size_t l = j + 1; l < p; l++) {
            double *u_hi = hi + l * FIT_ROWS, *u_lo = lo + l * FIT_ROWS;
            const struct dd above = get(r_hi, r_lo, j * p + l);
            const struct dd w = dd_div(dd_mul_add(dot(v_hi, v_lo, u_hi, u_lo), v0, above), dd_mul(beta, v0));
            put(r_hi, r_lo, j * p + l, dd_mul_add(above, w, v0));
            for (size_t i = 0; i < FIT_ROWS; i++) {
                put(u_hi, u_lo, i, dd_mul_add(get(u_hi, u_lo, i), w, get(v_hi, v_lo, i)));
            }
        }
    }
}

void fit_plain_residuals(const double *hi, const double *lo, size_t p, const double *b_hi, const double *b_lo,
                         double *y_hi, double *y_lo)
{
    for (size_t i = 0; i < FIT_ROWS; i++) {
        struct dd s = get(y_hi, y_lo, i);
        for (size_t j = 0; j < p; j++) {
            s = dd_sub(s, dd_mul(get(hi, lo, j * FIT_ROWS + i), get(b_hi, b_lo, j)));
        }
        put(y_hi, y_lo, i, s);
    }
}

void fit_plain_gradient(const double *hi, const double *lo, size_t p, const double *y_hi, const double *y_lo,
                        double *g_hi, double *g_lo)
{
    for (size_t j = 0; j < p; j++) {
        put(g_hi, g_lo, j, dot(hi + j * FIT_ROWS, lo ? lo + j * FIT_ROWS : NULL, y_hi, y_lo));
    }
}

void fit_plain_powers(const double *t_hi, const double *t_lo, size_t k, double *hi, double *lo)
{
    for (size_t i = 0; i < FIT_ROWS; i++) {
        struct dd power = dd_of(1);
        for (size_t j = 0; j < k; j++) {
            put(hi, lo, j * FIT_ROWS + i, power);
            power = dd_mul(power, get(t_hi, t_lo, i));
        }
    }
}

void fit_plain_polyval(const double *p, size_t k, const double *x, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        struct dd value = dd_of(p[0]);
        double plain = p[0];
        for (size_t j = 1; j < k; j++) {
            value = dd_add(dd_mul(value, dd_of(x[i])), dd_of(p[j]));
            plain = plain * x[i] + p[j];
        }
        out[i] = isfinite(dd_value(value)) ? dd_value(value) : plain; /* pairs know no infinities */
    }
}
