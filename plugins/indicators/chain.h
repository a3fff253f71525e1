/* SPDX-License-Identifier: MPL-2.0 */
/* chain - exponential averages of exponential averages: DEMA, TEMA, T3.
 *
 * Each average of the chain averages the one before it and is seeded with the mean of the first `period` values of that, as
 * smooth_ema_part() does. A chain of `links` averages starts at bar links (period-1). */
#ifndef CHAIN_H
#define CHAIN_H

#include "kernel.h"
#include "smooth.h"

enum { CHAIN_DEMA = 2, CHAIN_TEMA = 3, CHAIN_T3 = 6 };

/* Doubles carried by a chain of so many averages. */
static inline size_t chain_state(size_t links)
{
    return links * SMOOTH_AVERAGE;
}

/* 2 e1 - e2 */
void chain_dema_part(const double *x, struct part part, size_t period, double *state, double *out);

/* 3 e1 - 3 e2 + e3 */
void chain_tema_part(const double *x, struct part part, size_t period, double *state, double *out);

/* c1 e6 + c2 e5 + c3 e4 + c4 e3 with the coefficients of the volume factor v (Tillson). */
void chain_t3_part(const double *x, struct part part, size_t period, double v, double *state, double *out);

#endif
