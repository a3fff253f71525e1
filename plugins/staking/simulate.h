/* SPDX-License-Identifier: MPL-2.0 */
/* simulate - years of redemptions of a staking fund, drawn at random.
 *
 * A year has a Poisson number of redemptions, each of a size drawn by the probabilities. Every redemption
 * is an episode of its own: day by day the benchmark's assets move by a multivariate normal, and the fund
 * loses or gains what the overweights that still unbond, hedged at the least variance, make of that. The
 * year's active return is the sum over its episodes. That episodes do not share days is the closed form's
 * assumption, kept here; its other one, that the sum is normal, is not. */
#ifndef STAKING_SIMULATE_H
#define STAKING_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "portfolio.h"

struct kiln_call;

struct simulation {
    int64_t years;
    uint64_t seed;
    bool daily; /* each day drawn apart, instead of the sum of the days of an interval at once */
};

/* Sums over the years of powers of the active return, and of its losses: min(0, return). */
struct tally {
    double years, redemptions;
    double first, second, third, fourth;
    double loss, loss_square;
};

/* Standard normals that are expected to be drawn, besides years and redemptions. */
double simulate_work(const struct portfolio *portfolio, const struct simulation *simulation);

/* KILN_OK, KILN_RESOURCE or KILN_CANCELLED. */
int simulate_run(struct kiln_call *call, const struct portfolio *portfolio,
                 const struct simulation *simulation, struct tally *ret_tally);

#endif
