/* SPDX-License-Identifier: MPL-2.0 */
/* touches - how often the bars of a moving window came near its extreme, and what was traded there.
 *
 * Output i < n looks at the window x[i] .. x[i + window - 1], whose least (or greatest) value is level[i]. touches[i] counts the bars
 * no further than tolerance[i] from it. weight[i] is the volume of the first bar at the level itself, or the mean volume of all bars at it. */
#ifndef TOUCHES_H
#define TOUCHES_H

#include <stddef.h>

void touches_low_first(const double *x, const double *volume, const double *level, const double *tolerance,
                       size_t n, size_t window, double *touches, double *weight);
void touches_high_first(const double *x, const double *volume, const double *level, const double *tolerance,
                        size_t n, size_t window, double *touches, double *weight);
void touches_low_mean(const double *x, const double *volume, const double *level, const double *tolerance,
                      size_t n, size_t window, double *touches, double *weight);
void touches_high_mean(const double *x, const double *volume, const double *level, const double *tolerance,
                       size_t n, size_t window, double *touches, double *weight);

#endif
