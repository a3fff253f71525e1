/* SPDX-License-Identifier: MPL-2.0 */
/* prices - volatilities and correlations of daily returns, estimated from series of prices.
 *
 *     prices_read()      a caller's matrix (a row a day, a column an asset) or map of series, checked
 *     prices_estimate()  the moments of their returns
 *
 * Means and products are taken in two passes, the second about the mean of the first and corrected for what
 * that mean lacks, so prices or returns with a large common part lose no digits. Memory is the call's. */
#ifndef STAKING_PRICES_H
#define STAKING_PRICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kiln_call;
struct kiln_value;

struct prices {
    size_t days, assets;
    double *price; /* by asset, then day */
    const char **
        name; /* of each asset as sent, borrowed from the arguments; NULL: a matrix, whose columns have none */
};

/* With names, a map must have exactly these, whose order counts; without, whatever is sent (borrowed).
 * `assets` is how many there must be, 0 any. Fails the call naming the price at fault unless each is finite
 * and more than 0. */
int prices_read(struct kiln_call *call, const char *field, const struct kiln_value *value,
                const char *const *names, size_t assets, struct prices *ret_prices);

struct moments {
    size_t assets;
    double *mean;        /* of the daily returns */
    double *volatility;  /* their standard deviations */
    double *covariance;  /* assets x assets, symmetric to the bit */
    double *correlation; /* the same; NaN where a volatility is 0, except 1 on the diagonal */
};

/* Returns are ln(b / a), or b / a - 1 when `simple`; sums of squares are divided by their number less ddof.
 * Overwrites the prices. The fields name the arguments in messages. */
int prices_estimate(struct kiln_call *call, const char *field, const char *ddof_field, struct prices *prices,
                    bool simple, int64_t ddof, struct moments *ret_moments);

#endif
