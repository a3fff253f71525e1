/* SPDX-License-Identifier: MPL-2.0 */
#include "comoments.h"

#include <math.h>
#include <string.h>

enum { X, Y, XX, YY, XY };

ALWAYS_INLINE void correlation_terms(const quad *d, double place, quad *ret_terms)
{
    (void) place;
    ret_terms[X] = d[X];
    ret_terms[Y] = d[Y];
    ret_terms[XX] = d[X] * d[X];
    ret_terms[YY] = d[Y] * d[Y];
    ret_terms[XY] = d[X] * d[Y];
}

ALWAYS_INLINE quad correlation_finish(const quad *sums, const quad *anchor, double place,
                                      const double *factor)
{
    (void) anchor, (void) place;
    quad part = sums[X] * factor[0];
    quad xx = sums[XX] - part * sums[X], xy = sums[XY] - part * sums[Y];
    quad yy = sums[YY] - sums[Y] * factor[0] * sums[Y], r;
    double x2[BLOCKS_ABREAST], y2[BLOCKS_ABREAST], product[BLOCKS_ABREAST];
    memcpy(x2, &xx, sizeof(xx));
    memcpy(y2, &yy, sizeof(yy));
    memcpy(product, &xy, sizeof(xy));
    for (size_t l = 0; l < BLOCKS_ABREAST; l++) {
        double scale = sqrt(x2[l] > 0.0 ? x2[l] : 0.0) * sqrt(y2[l] > 0.0 ? y2[l] : 0.0);
        double quotient = product[l] / scale;
        quotient = quotient > 1.0 ? 1.0 : quotient;
        quotient = quotient < -1.0 ? -1.0 : quotient;
        product[l] = scale == 0.0 ? 0.0 : quotient;
    }
    memcpy(&r, product, sizeof(r));
    return r;
}

KERNEL void comoments_correlation_part(const double *x, const double *y, struct part part, size_t period,
                                       double *scratch, double *out)
{
    double fraction = 1.0 / (double) period;
    blocks_run(2, COMOMENTS_SUMS, correlation_terms, correlation_finish, (const double *[]){x, y}, part,
               period, &fraction, scratch, out);
}

enum { SLOPE_XX = 2, SLOPE_XY, SLOPE_SUMS };

ALWAYS_INLINE void slope_terms(const quad *d, double place, quad *ret_terms)
{
    (void) place;
    ret_terms[X] = d[X];
    ret_terms[Y] = d[Y];
    ret_terms[SLOPE_XX] = d[X] * d[X];
    ret_terms[SLOPE_XY] = d[X] * d[Y];
}

ALWAYS_INLINE quad slope_finish(const quad *sums, const quad *anchor, double place, const double *factor)
{
    (void) anchor, (void) place;
    quad part = sums[X] * factor[0];
    quad xx = sums[SLOPE_XX] - part * sums[X], xy = sums[SLOPE_XY] - part * sums[Y], slope;
    for (size_t l = 0; l < BLOCKS_ABREAST; l++) {
        slope[l] = xx[l] < factor[1] ? 0.0 : xy[l] / xx[l];
    }
    return slope;
}

KERNEL void comoments_slope_part(const double *x, const double *y, struct part part, size_t period,
                                 double least, double *scratch, double *out)
{
    double factor[] = {1.0 / (double) period, least};
    blocks_run(2, SLOPE_SUMS, slope_terms, slope_finish, (const double *[]){x, y}, part, period, factor,
               scratch, out);
}

KERNEL void comoments_returns(const double *restrict x, size_t begin, size_t end, double *restrict out)
{
    const double *now = x + begin, *before = now - 1;
    for (size_t i = 0; i < end - begin; i++) {
        double change = (now[i] - before[i]) / before[i];
        out[i] = fabs(before[i]) < 1e-14 ? 0.0 : change;
    }
}
