/* SPDX-License-Identifier: MPL-2.0 */
/* The part of kernels_body.h that goes down the columns of a matrix, a vector of neighbours at a time. */

SIMD_INLINE vec some(const double *p, size_t n)
{
    return n == W ? v_load(p) : v_part(p, n, 0);
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

static void columns(const double *x, size_t rows, size_t stride, size_t width, int powers,
                    struct moments *ret)
{
    for (size_t j = 0; j < width; j += W) {
        const size_t some_columns = width - j < W ? width - j : W;
        if (powers > 1) {
            column_moments(x + j, rows, stride, some_columns, ret + j);
        } else {
            column_sums(x + j, rows, stride, some_columns, ret + j);
        }
    }
}
