/* SPDX-License-Identifier: MPL-2.0 */
/* decay - weights that fade with age, to about the last digit; 0 below 2^-1000. Nothing is newer than `newest`. */
#ifndef DECAY_H
#define DECAY_H

#include <stddef.h>

/* exp(-(newest - time)/span) */
void decay_natural(const double *times, size_t n, double newest, double span, double *out);

/* 0.5^((newest - time)/half_life) */
void decay_half(const double *times, size_t n, double newest, double half_life, double *out);

#endif
