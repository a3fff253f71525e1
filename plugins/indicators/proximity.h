/* SPDX-License-Identifier: MPL-2.0 */
/* proximity - whether a price is nearer to supports or to resistances, as a score of 0..100. */
#ifndef PROXIMITY_H
#define PROXIMITY_H

#include <stddef.h>

/* How far a level reaches, as a part of the price, unless a caller says otherwise. */
#define PROXIMITY_REACH 0.02

/* 50 + 50 (B - R)/(B + R): B and R are the sums of strength x max(0, 1 - |price - level|/(reach price)) over the supports and over the
 * resistances above 0; 50 where both are 0. */
double proximity_score(double price, const double *supports, const double *resistances,
                       const double *strengths, size_t n, double reach);

#endif
