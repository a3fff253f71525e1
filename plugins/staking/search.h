/* SPDX-License-Identifier: MPL-2.0 */
/* search - the best staking levels within bounds, with a proof.
 *
 * The levels at which a redemption begins to reach an asset, and the baselines, cut the box of levels into
 * cells; within one the problem is concave and cell_solve() has its solution, but over several the benefit
 * is convex, so there are local optima. Branch and bound, the box with the largest bound first. Two bounds
 * on a box, of which the less counts: the benefit of its upper corner at the risk of its lower one; and,
 * where no overweights offset each other, the chords of the benefit above and a tangent plane of TE below,
 * a problem whose solution is to raise levels in the order of benefit per risk. Those solutions are also
 * tried as answers. */
#ifndef STAKING_SEARCH_H
#define STAKING_SEARCH_H

#include "cell.h"

struct search_request {
    struct goal goal;
    const double *low, *high; /* bounds of the levels */
    size_t boxes_max;         /* to be looked at */
};

struct found {
    double *level;
    bool feasible;       /* some levels meet the cap */
    double value;        /* of the objective there */
    double bound;        /* no levels have more than this; value, when proven */
    bool proven;         /* to 1e-10 of value; otherwise boxes_max was reached */
    size_t boxes, cells; /* looked at; solved */
};

/* ret_found->level is memory of the call. */
int search_run(struct kiln_call *call, const struct portfolio *portfolio,
               const struct search_request *request, struct found *ret_found);

#endif
