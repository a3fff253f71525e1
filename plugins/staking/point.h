/* SPDX-License-Identifier: MPL-2.0 */
/* point - the closed form at one pair of staking levels.
 *
 * With tau_a = 1 - s_a the liquid part of asset a, and redemptions of size r_j with weight p_j, lambda a year, the excess
 * of a redemption over the liquid part is x_j = max(0, r_j - tau_ETH), y_j = max(0, r_j - tau_SOL). The yearly variance
 * is the daily one over the days that the excess lasts:
 *
 *     TE^2 = lambda (d0 sum p (kEE x^2 + 2 kES x y + kSS y^2) + (d1 - d0) sum p k_long z_long^2),  d0 <= d1
 *
 * Which asset counts as the long one is the model's choice (see struct model). Collected by moments this is
 *
 *     TE^2 = V_ETH sum p x^2 + V_SOL sum p y^2 + X sum p x y
 *
 * and everything but the last sum depends on one level only: that is what makes the grid cheap, and what
 * struct terms holds. point_reference() computes the first form word by word; tests hold the two together. */
#ifndef STAKING_POINT_H
#define STAKING_POINT_H

#include <stdbool.h>
#include <stddef.h>

#include "market.h"

/* Redemption sizes and their weights. */
struct buckets {
    size_t count;
    const double *weight;
    const double *size;
};

struct model {
    struct exposure exposure;
    double redemptions; /* lambda, 1/year */
    double days[HELD];  /* until unbonded */
    double weight[HELD];
    double yield[HELD]; /* 1/year */
    double baseline[HELD];
    double budget; /* of tracking difference: cap - current */
    bool exact;    /* the long asset is the one with the longer period; otherwise always ETH, as published */
};

struct terms {
    double variance[HELD]; /* V: of TE^2 per unit of sum p x^2 */
    double cross;          /* X: of TE^2 per unit of sum p x y */
    double income[HELD];   /* weight x yield */
    double episodes[HELD]; /* part of a year in which redemptions keep stake in the fund */
    double baseline[HELD];
    double budget;
};

/* False when the numbers are so large that their products leave the range of double. */
bool terms_make(const struct model *model, struct terms *ret_terms);

struct point {
    double tracking_error;
    double part[HELD]; /* of TE^2, then of the cross term */
    double cross;
    double independent; /* TE if the cross term were 0 */
    double benefit_baseline[HELD];
    double benefit_marginal[HELD];
    double benefit; /* all of it */
    double shortfall;
    double deficit;
    double net;
};

void point_compute(const struct terms *terms, const struct buckets *buckets, const double level[HELD],
                   struct point *ret_point);

/* What a sensitivity shows, from the first form above; for tests. */
struct outcome {
    double tracking_error, benefit, shortfall, net_bps;
};
struct outcome point_reference(const struct model *model, const struct buckets *buckets,
                               const double level[HELD]);

/* What of a redemption the liquid part does not cover. */
static inline double excess(double size, double level)
{
    double over = size - (1.0 - level);
    return over > 0 ? over : 0.0;
}

/* Half of sqrt(2/pi): the expected shortfall at unit TE. */
#define POINT_SHORTFALL 0.39894228040143267794

#endif
