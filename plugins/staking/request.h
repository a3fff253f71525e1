/* SPDX-License-Identifier: MPL-2.0 */
/* request - what a caller of staking.calculate asked, whichever of the two forms it used.
 *
 *     request_read()     the arguments, as the rows of request.def give them; checks what rows cannot
 *     request_model()    the numbers that the closed form needs
 *     request_weights()  the weights of the redemption sizes, at the point and on the grids
 *     request_redemption()  how often and how much alone, for functions of other portfolios
 *     request_terms()    all of that: the closed form, ready to be evaluated
 *
 * Everything is borrowed from the call's arguments or its arena. */
#ifndef STAKING_REQUEST_H
#define STAKING_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "market.h"
#include "point.h"

struct kiln_call;
struct kiln_slot;
struct kiln_value;

/* Where each row of request.def stands among the parameters of a function that takes them. */
enum request_param {
#define PARAM(id, ...) P_##id,
#include "request.def"
    P_REQUEST_COUNT
};

struct asset {
    double staked; /* fraction */
    int64_t unbonding_days;
    double yield; /* 1/year */
    double baseline;
};

struct fund {
    double nav; /* part of the request, used by no formula */
    double current_td;
    double cap_td;
};

struct request {
    struct asset asset[HELD];
    double redemptions; /* 1/year */
    size_t buckets;
    const double *probability;
    const double *size;
    bool has_market, has_fund; /* given by the caller; otherwise the defaults stand in market and fund */
    struct market market;
    struct fund fund;
    bool exact;
    bool has_mode;
    const struct kiln_value
        *extras; /* unknown top-level arguments to be echoed, a map; NULL: none. The caller's to set */
};

/* Returns KILN_OK, or the status the call was failed with. */
int request_read(struct kiln_call *call, const struct kiln_slot *args, struct request *ret_request);

void request_model(const struct request *request, const struct exposure *exposure, struct model *ret_model);

/* Compatible: the grids take the probabilities as given; the point takes them rounded to whole thousandths
 * and normalised. Exact: both take them normalised. Returns as request_read does. */
int request_weights(struct kiln_call *call, const struct request *request, struct buckets *ret_point,
                    struct buckets *ret_grid);

/* The rows of redemption.def alone, from its first; probabilities normalised. */
int request_redemption(struct kiln_call *call, const struct kiln_slot *rows, double *ret_redemptions,
                       struct buckets *ret_buckets);

int request_terms(struct kiln_call *call, const struct kiln_slot *args, struct request *ret_request,
                  struct terms *ret_terms, struct buckets *ret_point, struct buckets *ret_grid);

#endif
