/* SPDX-License-Identifier: MPL-2.0 */
#include "line.h"

#include <math.h>

/* The sum of squares about the line over that about the mean. */
static double unexplained(const double *x, const double *y, size_t n, const struct coreduction *c)
{
    const struct comoments *m = &c->m;
    const double slope = m->sxy / m->sxx;
    double squares[4] = {0}, sums[4] = {0};
    for (size_t i = 0; i < n; i++) {
        const double dx = (x[i] * c->scale_x - m->mean_x.hi) - m->mean_x.lo;
        const double dy = (y[i] * c->scale_y - m->mean_y.hi) - m->mean_y.lo, e = dy - slope * dx;
        squares[i % 4] += e * e;
        sums[i % 4] += e;
    }
    const double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    const double rest = (squares[0] + squares[1]) + (squares[2] + squares[3]) - sum * sum / (double) n;
    return rest > 0 ? rest / m->syy : 0;
}

void line_through(const struct kernels *k, const double *x, const double *y, size_t n, struct line *ret)
{
    struct coreduction c;
    reduce_comoments(k, x, y, n, &c);
    const struct comoments *m = &c.m;
    const double r = m->sxy / sqrt(m->sxx * m->syy);
    *ret = (struct line){
        .n = m->n,
        .mean_x = m->mean_x.hi / c.scale_x,
        .mean_y = m->mean_y.hi / c.scale_y,
        .r = r > 1    ? 1
             : r < -1 ? -1
                      : r,
        .unexplained = 1 - r * r,
        .slope = m->sxy / m->sxx * (c.scale_x / c.scale_y),
        .deviation_x = sqrt(m->sxx / m->n) / c.scale_x,
        .deviation_y = sqrt(m->syy / m->n) / c.scale_y,
    };
    if (ret->unexplained < 1e-2) { /* digits were lost */
        ret->unexplained = n == 2 ? 0 : unexplained(x, y, n, &c);
    }
}

double line_t(const struct line *l)
{
    return l->r * sqrt((l->n - 2) / l->unexplained);
}
