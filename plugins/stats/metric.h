/* SPDX-License-Identifier: MPL-2.0 */
/* metric - points brought into the form in which a kernel measures their distance.
 *
 *   euclidean, sqeuclidean, cityblock, chebyshev  as they are
 *   cosine        unit vectors, whose squared distance is 2 (1 - cos): no digits are lost where they nearly agree
 *   correlation   the same after each point's own mean was taken off
 *   mahalanobis   multiplied by a root of vi, so that the distance is the Euclidean one
 *
 * Where squares might leave the range of a double, all points are multiplied by a power of two first. */
#ifndef METRIC_H
#define METRIC_H

#include <kiln/plugin.h>

#include "kernels.h"

#define METRICS "euclidean|sqeuclidean|cityblock|chebyshev|cosine|correlation|mahalanobis"

struct metric {
    const char *name;
    distance_kernel *kernel;
    double scale; /* of the points */
    int squared;  /* whether the distance is the root of what the kernel gives */
};

/* m points of k values one behind the other, to be changed in place. vi: k by k, or NULL for the inverse covariance of the
 * points. */
int metric_prepare(struct kiln_call *call, const char *name, const double *vi, double *points, size_t m,
                   size_t k, struct metric *ret);

/* What the kernel gave for n pairs becomes distances. */
void metric_finish(const struct metric *metric, double *distances, size_t n);

#endif
