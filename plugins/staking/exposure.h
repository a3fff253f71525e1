/* SPDX-License-Identifier: MPL-2.0 */
/* exposure - what overweights in some assets of a benchmark cost in variance, for any number of either.
 *
 *     minimise v' S v  subject to  C v = (0, e)      with C: a row of ones, one row selecting each held asset
 *     min = e' M e,  M = (C S^-1 C')^-1 without its first row and column
 *
 * exposure_make() gives k = w_a w_b M_ab. S = D R D with D the volatilities: the correlations R are
 * factored alone, because their unit diagonal makes the size of a pivot mean something, and D divides the
 * constraints instead. */
#ifndef STAKING_EXPOSURE_H
#define STAKING_EXPOSURE_H

#include <stddef.h>

struct kiln_call;

struct risk {
    size_t assets;
    const double *volatility; /* more than 0 */
    double *correlation;      /* assets x assets; the lower triangle becomes its Cholesky factor */
};

/* Why there is no answer: the asset that the others explain, and the part of its variance that they do not
 * (about 0: singular, negative: no matrix of correlations). asset == risk.assets: volatilities too many
 * powers of ten apart. */
struct exposure_fault {
    size_t asset;
    double part;
};

/* Doubles of working memory. */
#define EXPOSURE_WORK(assets, held) ((assets) * ((held) + 1) + 2 * ((held) + 1) * ((held) + 1))

/* index: where the held assets stand, all different, fewer than there are assets. weight: theirs. ret_k is
 * held x held. Returns KILN_OK, KILN_CANCELLED, or KILN_INVALID with the fault filled and the call not
 * failed yet. */
int exposure_make(struct kiln_call *call, const struct risk *risk, size_t held, const size_t *index,
                  const double *weight, double *work, double *ret_k, struct exposure_fault *ret_fault);

/* After exposure_make(), from its `work`: the daily return of the portfolio that holds one unit of
 * overweight in each held asset, as coefficients of independent standard normals, held x assets. Its
 * rows' inner products are k. */
void exposure_returns(const struct risk *risk, size_t held, const double *weight, const double *work,
                      double *ret_loading);

#endif
