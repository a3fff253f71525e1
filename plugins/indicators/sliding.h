/* SPDX-License-Identifier: MPL-2.0 */
/* sliding - sums over sliding windows of values that are not negative (flows, ranges), piece by piece; one window or several
 * that end at the same bars.
 *
 * No value is ever taken out of a sum again, so a spike leaves no trace once it has left the window. Two ways to that end:
 *
 *   - short periods: sums of 2, 4, 8 .. neighbours, each made of two of the size before, in whole vectors; those that the binary
 *     digits of the period ask for make up the window;
 *   - long ones: the bars are cut into blocks of `period` by their numbers; a window is a tail of one block and a head of the
 *     next, both of them running sums.
 *
 * A sum depends on its window and on the number of its last bar only, wherever pieces are cut. A caller works in pieces, so that
 * what it makes the values of stays in the cache; n is the longest of the periods:
 *
 *     for (size_t i = begin; i < end; i += length) {
 *         length = sliding_piece(n, number of bar i, end - i);
 *         fill x with the values of bars i - (n - 1) .. i + length - 1
 *         sliding_sums(x, length, periods, count, number of bar i, work, sums);
 *     } */
#ifndef SLIDING_H
#define SLIDING_H

#include <stddef.h>
#include <stdint.h>

/* Most bars that a piece has, and the doubles of x and of work for it. */
size_t sliding_most(size_t longest);
size_t sliding_values(size_t longest);
size_t sliding_work(size_t longest);

/* How many of the next `left` bars to take at once; at least one. */
size_t sliding_piece(size_t longest, uint64_t number, size_t left);

/* out[w][i], for i < length, is the sum of periods[w] values up to and with that of bar number + i, which is x[n - 1 + i]. The periods
 * are at least 1 and ascend, n being the last of the `count`. */
void sliding_sums(const double *x, size_t length, const size_t *periods, size_t count, uint64_t number,
                  double *work, double *const *out);

#endif
