/* SPDX-License-Identifier: MPL-2.0 */
#include "rankdist.h"

#include <math.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

#define MOST_WORK 4e9

static double log2_choose(double n, double k)
{
    return (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / log(2);
}

bool mann_whitney_feasible(double n, double m)
{
    const double least = fmin(n, m), tail = n * m / 2;
    return log2_choose(n + m, least) < 126 ? least * tail < MOST_WORK : n * m * tail < MOST_WORK;
}

/* The number of ways to U is the coefficient of q^U in the Gaussian binomial (1 - q^(m + 1)) ... (1 - q^(m + n)) / ((1 -
 * q) ... (1 - q^n)). Whole numbers modulo 2^128 forgive what is borrowed in between. */
static int count_ways(struct kiln_call *call, size_t n, size_t m, size_t u, double *ret)
{
    wide *ways = call->host->alloc(call, (u + 1) * sizeof *ways), sum = 0;
    double all = 1;
    if (!ways) {
        return KILN_RESOURCE;
    }
    memset(ways, 0, (u + 1) * sizeof *ways);
    ways[0] = 1;
    for (size_t i = 1; i <= n; i++) {
        for (size_t at = u; at >= m + i; at--) {
            ways[at] -= ways[at - m - i];
        }
        for (size_t at = i; at <= u; at++) {
            ways[at] += ways[at - i];
        }
        all *= (double) (m + i) / (double) i;
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    for (size_t at = 0; at <= u; at++) {
        sum += ways[at];
    }
    *ret = (double) sum / all;
    return KILN_OK;
}

/* With a and b values the greatest is one of the a with probability a / (a + b), and then above all b. */
static int add_probabilities(struct kiln_call *call, size_t n, size_t m, size_t u, double *ret)
{
    const size_t width = u + 1;
    double *p = call->host->alloc(call, (m + 1) * width * sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    memset(p, 0, (m + 1) * width * sizeof *p);
    for (size_t b = 0; b <= m; b++) {
        p[b * width] = 1;
    }
    for (size_t a = 1; a <= n; a++) {
        for (size_t b = 1; b <= m; b++) {
            const double above = (double) a / (double) (a + b), below = (double) b / (double) (a + b);
            double *row = p + b * width;
            const double *less = row - width;
            for (size_t at = u; at >= b; at--) {
                row[at] = below * less[at] + above * row[at - b];
            }
            for (size_t at = 0; at < b && at <= u; at++) {
                row[at] = below * less[at];
            }
        }
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    double sum = 0;
    for (size_t at = 0; at <= u; at++) {
        sum += p[m * width + at];
    }
    *ret = sum;
    return KILN_OK;
}

static int mann_whitney_cdf(struct kiln_call *call, size_t n, size_t m, double u, double *ret)
{
    *ret = 0;
    if (u < 0) {
        return KILN_OK;
    }
    return log2_choose((double) (n + m), (double) n) < 126 ? count_ways(call, n, m, (size_t) u, ret)
                                                           : add_probabilities(call, n, m, (size_t) u, ret);
}

int mann_whitney_sf(struct kiln_call *call, size_t n, size_t m, double u, double *ret)
{
    const double most = (double) n * (double) m;
    const size_t few = n < m ? n : m, many = n < m ? m : n;
    if (most - u <= u) {
        return mann_whitney_cdf(call, few, many, most - u, ret);
    }
    const int status = mann_whitney_cdf(call, few, many, u - 1, ret);
    *ret = 1 - *ret;
    return status;
}

/* Each rank is in the sum or not. */
int signed_rank_cdf(struct kiln_call *call, size_t n, double w, double *ret)
{
    const double most = (double) n * (double) (n + 1) / 2;
    const bool upper = w > most / 2;
    const double asked = upper ? most - w - 1 : w;
    *ret = upper ? 1 : 0;
    if (asked < 0) {
        return KILN_OK;
    }
    const size_t last = (size_t) asked;
    double *p = call->host->alloc(call, (last + 1) * sizeof *p), sum = 0;
    if (!p) {
        return KILN_RESOURCE;
    }
    memset(p, 0, (last + 1) * sizeof *p);
    p[0] = 1;
    for (size_t rank = 1; rank <= n; rank++) {
        for (size_t at = last; at + 1 > rank; at--) {
            p[at] = (p[at] + p[at - rank]) / 2;
        }
        for (size_t at = 0; at < rank && at <= last; at++) {
            p[at] /= 2;
        }
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    for (size_t at = 0; at <= last; at++) {
        sum += p[at];
    }
    *ret = upper ? 1 - sum : sum;
    return KILN_OK;
}

/* The k-th value has 0 to k - 1 inversions with those before it, all equally likely. */
int inversions_cdf(struct kiln_call *call, size_t n, double c, double *ret)
{
    const double most = (double) n * (double) (n - 1) / 2;
    const bool upper = c > most / 2;
    const double asked = upper ? most - c - 1 : c;
    *ret = upper ? 1 : 0;
    if (asked < 0) {
        return KILN_OK;
    }
    const size_t last = (size_t) asked;
    double *p = call->host->alloc(call, 2 * (last + 1) * sizeof *p), *next = p ? p + last + 1 : NULL;
    if (!p) {
        return KILN_RESOURCE;
    }
    memset(p, 0, (last + 1) * sizeof *p);
    p[0] = 1;
    for (size_t k = 2; k <= n; k++) {
        double s = 0; /* of the last k; never falls, for p rises up to its middle: few digits are lost */
        for (size_t at = 0; at <= last; at++) {
            s += p[at] - (at >= k ? p[at - k] : 0);
            next[at] = s / (double) k;
        }
        double *t = p;
        p = next;
        next = t;
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    double sum = 0;
    for (size_t at = 0; at <= last; at++) {
        sum += p[at];
    }
    *ret = upper ? 1 - sum : sum;
    return KILN_OK;
}
