/* SPDX-License-Identifier: MPL-2.0 */
/* The part of kernels_body.h that goes down the columns of a matrix, a vector of neighbours at a time. */

SIMD_INLINE vec some(const double *p, size_t n)
{
    return n == W ? v_load(p) : v_part(p, n, 0);
}

SIMD_INLINE void store_some(double *p, size_t n, vec v)
{
    if (n == W) {
        v_store(p, v);
    } else {
        v_store_part(p, n, v);
    }
}

static void column_sums(const double *x, size_t rows, size_t stride, size_t width, struct moments *ret)
{
    vec a = v_set(0), b = a, c = a, d = a;
    size_t i = 0;
    for (; i + 4 <= rows; i += 4) {
        const double *p = x + i * stride;
        a += some(p, width);
        b += some(p + stride, width);
        c += some(p + 2 * stride, width);
        d += some(p + 3 * stride, width);
    }
    for (; i < rows; i++) {
        a += some(x + i * stride, width);
    }
    const vec sums = (a + b) + (c + d);
    for (size_t j = 0; j < width; j++) {
        ret[j] = (struct moments){.n = (double) rows, .sum = sums[j]};
    }
}

/* The first pass leaves a copy in one piece, so that the second does not depend on how far rows are apart. */
static void column_moments(const double *x, size_t rows, size_t stride, size_t width, struct moments *ret)
{
    double copy[KERNEL_ROWS * W];
    vec a = v_set(0), b = a;
    size_t i = 0;
    for (; i + 2 <= rows; i += 2) {
        const vec u = some(x + i * stride, width), v = some(x + (i + 1) * stride, width);
        v_store(copy + i * W, u);
        v_store(copy + (i + 1) * W, v);
        a += u;
        b += v;
    }
    if (i < rows) {
        const vec u = some(x + i * stride, width);
        v_store(copy + i * W, u);
        a += u;
    }
    const double n = (double) rows;
    const vec total = a + b, c = total / v_set(n);
    vec p1 = v_set(0), p2 = p1, p3 = p1, p4 = p1, least = some(x, width), greatest = least;
    for (i = 0; i < rows; i++) {
        const vec v = v_load(copy + i * W), d = v - c, dd = d * d;
        least = v_min(v, least);
        greatest = v_max(v, greatest);
        p1 += d;
        p2 += dd;
        p3 = v_fma(dd, d, p3);
        p4 = v_fma(dd, dd, p4);
    }
    for (size_t j = 0; j < width; j++) {
        const double e = p1[j] / n;
        ret[j] = (struct moments){
            .n = n,
            .sum = total[j],
            .mean = mean_near(c[j], e),
            .m2 = p2[j] - e * p1[j],
            .m3 = p3[j] - 3 * e * p2[j] + 2 * e * e * p1[j],
            .m4 = p4[j] - 4 * e * p3[j] + 6 * e * e * p2[j] - 3 * e * e * e * p1[j],
            .min = least[j],
            .max = greatest[j],
        };
    }
}

/* What is known of many columns so far. */
struct wide {
    double sums[KERNEL_COLUMNS], least[KERNEL_COLUMNS], greatest[KERNEL_COLUMNS];
};

/* Four rows from p, or one. */
SIMD_INLINE void wide_rows(const double *p, size_t stride, size_t width, bool four, bool extremes,
                           struct wide *w)
{
    for (size_t j = 0; j < width; j += W) {
        const size_t n = width - j < W ? width - j : W;
        const vec a = some(p + j, n);
        vec sum = a, low = a, high = a;
        if (four) {
            const vec b = some(p + stride + j, n), c = some(p + 2 * stride + j, n),
                      d = some(p + 3 * stride + j, n);
            sum = (a + b) + (c + d);
            low = v_min(v_min(a, b), v_min(c, d));
            high = v_max(v_max(a, b), v_max(c, d));
        }
        store_some(w->sums + j, n, sum + some(w->sums + j, n));
        if (extremes) {
            store_some(w->least + j, n, v_min(low, some(w->least + j, n)));
            store_some(w->greatest + j, n, v_max(high, some(w->greatest + j, n)));
        }
    }
}

/* Many columns: rows from left to right, for they are too far apart to go down a few columns. */
SIMD_INLINE void wide(const double *x, size_t rows, size_t stride, size_t width, bool extremes,
                      struct moments *ret)
{
    struct wide w;
    memset(w.sums, 0, width * sizeof *w.sums);
    memcpy(w.least, x, width * sizeof *w.least);
    memcpy(w.greatest, x, width * sizeof *w.greatest);
    size_t i = 0;
    for (; i + 4 <= rows; i += 4) {
        wide_rows(x + i * stride, stride, width, true, extremes, &w);
    }
    for (; i < rows; i++) {
        wide_rows(x + i * stride, stride, width, false, extremes, &w);
    }
    for (size_t j = 0; j < width; j++) {
        ret[j] =
            (struct moments){.n = (double) rows, .sum = w.sums[j], .min = w.least[j], .max = w.greatest[j]};
    }
}

static void columns(const double *x, size_t rows, size_t stride, size_t width, int powers,
                    struct moments *ret)
{
    if (powers == 0) {
        wide(x, rows, stride, width, true, ret);
        return;
    }
    if (powers == 1 && width > 8 * W) {
        wide(x, rows, stride, width, false, ret);
        return;
    }
    for (size_t j = 0; j < width; j += W) {
        const size_t some_columns = width - j < W ? width - j : W;
        if (powers > 1) {
            column_moments(x + j, rows, stride, some_columns, ret + j);
        } else {
            column_sums(x + j, rows, stride, some_columns, ret + j);
        }
    }
}
