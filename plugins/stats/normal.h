/* SPDX-License-Identifier: MPL-2.0 */
/* normal - tails of the standard normal distribution and the inverses of erf and erfc, one number at a time. */
#ifndef NORMAL_H
#define NORMAL_H

#include "incomplete.h"

struct tail normal_tail(long double z);
long double normal_place(double p, bool upper); /* 0 < p < 1 */

long double erf_inverse(double v);  /* -1 < v < 1 */
long double erfc_inverse(double v); /* 0 < v < 2 */

#endif
