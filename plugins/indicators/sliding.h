/* SPDX-License-Identifier: MPL-2.0 */
/* sliding - sums over a sliding window of values that are not negative (flows, ranges), piece by piece.
 *
 * No value is ever taken out of a sum again, so a spike leaves no trace once it has left the window. Two ways to that end:
 *
 *   - short periods: sums of 2, 4, 8 .. neighbours, each made of two of the size before, in whole vectors; those that the binary
 *     digits of the period ask for make up the window;
 *   - long ones: the bars are cut into blocks of `period` by their numbers; a window is a tail of one block and a head of the
 *     next, both of them running sums.
 *
 * A sum depends on its window and on the number of its last bar only, wherever pieces are cut. A caller works in pieces, so that
 * what it makes the values of stays in the cache:
 *
 *     for (size_t i = begin; i < end; i += length) {
 *         length = sliding_piece(period, number of bar i, end - i);
 *         fill x with the values of bars i - (period - 1) .. i + length - 1
 *         sliding_sum(x, length, period, number of bar i, work, sums);
 *     } */
#ifndef SLIDING_H
#define SLIDING_H

#include <stddef.h>
#include <stdint.h>

/* Most bars that a piece has, and the doubles of x and of work for it; all three are enough for any shorter period. */
size_t sliding_most(size_t period);
size_t sliding_values(size_t period);
size_t sliding_work(size_t period);

/* How many of the next `left` bars to take at once; at least one. */
size_t sliding_piece(size_t period, uint64_t number, size_t left);

/* out[i] = x[i] + .. + x[i + period - 1] for i < length. number: of the bar whose window ends at x[period - 1].
 * period >= 1, 1 <= length <= what sliding_piece() says. */
void sliding_sum(const double *x, size_t length, size_t period, uint64_t number, double *work, double *out);

#endif
