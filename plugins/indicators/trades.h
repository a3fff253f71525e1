/* SPDX-License-Identifier: MPL-2.0 */
/* trades - kernels over trades: prices, volumes, sides, times. Sums are of values that are not negative, several lanes at once. */
#ifndef TRADES_H
#define TRADES_H

#include <stddef.h>
#include <stdint.h>

struct flow {
    double bought, sold;
};

/* By the tick rule, of the trades from .. n-1: above the price of the trade before bought, below it sold, else neither. The first trade
 * of all (from 0) has none before it. */
struct flow trades_tick(const double *prices, const double *volumes, size_t from, size_t n);

/* The same with the volume of each trade times exp(-(newest - time)/span). */
struct flow trades_tick_fading(const double *prices, const double *volumes, const double *times, size_t from,
                               size_t n, double newest, double span);

/* Trades no further than `reach` from a price: volumes of those with a side above 0 are bought, the others sold; all are bought when sides
 * is NULL. Returns their number. */
size_t trades_near(const double *prices, const double *volumes, const double *sides, size_t n, double price,
                   double reach, struct flow *flow);

/* mark[i] becomes 1 where trade i is no further than `reach` from a price. */
void trades_mark(const double *prices, size_t n, double price, double reach, uint8_t *mark);

/* First of n ascending times that is not before this one. */
size_t trades_since(const double *times, size_t n, double time);

#endif
