/* SPDX-License-Identifier: MPL-2.0 */
#include "solve.h"

#include <math.h>

size_t solve_factor(size_t n, double *a, double *ret_pivot)
{
    return solve_factor_part(n, a, 0, n, ret_pivot);
}

size_t solve_factor_part(size_t n, double *a, size_t from, size_t to, double *ret_pivot)
{
    for (size_t j = from; j < to; j++) {
        double diagonal = a[j * n + j];
        double pivot = diagonal;
        for (size_t k = 0; k < j; k++) {
            pivot -= a[j * n + k] * a[j * n + k];
        }
        if (!(pivot > SOLVE_TINY * diagonal)) { /* also when either is NaN */
            *ret_pivot = diagonal > 0 ? pivot / diagonal : diagonal;
            return j;
        }
        double root = sqrt(pivot);
        a[j * n + j] = root;
        for (size_t i = j + 1; i < n; i++) {
            double sum = a[i * n + j];
            for (size_t k = 0; k < j; k++) {
                sum -= a[i * n + k] * a[j * n + k];
            }
            a[i * n + j] = sum / root;
        }
    }
    return to;
}

void solve_forward(size_t n, const double *l, size_t m, double *b)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            for (size_t c = 0; c < m; c++) {
                b[i * m + c] -= l[i * n + k] * b[k * m + c];
            }
        }
        for (size_t c = 0; c < m; c++) {
            b[i * m + c] /= l[i * n + i];
        }
    }
}

void solve_backward(size_t n, const double *l, double *b)
{
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) {
            b[i] -= l[k * n + i] * b[k];
        }
        b[i] /= l[i * n + i];
    }
}

void solve_invert(size_t n, const double *l, double *inverse)
{
    for (size_t c = 0; c < n; c++) {
        /* Column c: L z = e_c, then L' x = z. */
        for (size_t i = 0; i < n; i++) {
            double sum = i == c ? 1.0 : 0.0;
            for (size_t k = 0; k < i; k++) {
                sum -= l[i * n + k] * inverse[k * n + c];
            }
            inverse[i * n + c] = sum / l[i * n + i];
        }
        for (size_t i = n; i-- > 0;) {
            double sum = inverse[i * n + c];
            for (size_t k = i + 1; k < n; k++) {
                sum -= l[k * n + i] * inverse[k * n + c];
            }
            inverse[i * n + c] = sum / l[i * n + i];
        }
    }
}
