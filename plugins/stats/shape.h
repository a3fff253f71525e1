/* SPDX-License-Identifier: MPL-2.0 */
/* shape - skewness and kurtosis from moments; NaN where there is none. */
#ifndef SHAPE_H
#define SHAPE_H

#include "kernels.h"

/* g1, or G1 when not biased. */
double shape_skewness(const struct moments *m, bool biased);

/* g2, or G2 when not biased. */
double shape_kurtosis(const struct moments *m, bool biased);

#endif
