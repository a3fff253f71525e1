/* SPDX-License-Identifier: MPL-2.0 */
/* plugin - staking: what staking a part of an index fund costs and earns.
 *
 * A function or two a file, named as the function; what several share is beside them:
 *
 *     calculate           the two-asset closed form with its sensitivities
 *     sensitivity         the same over levels of the caller's choice (axis)
 *     batch               many requests of calculate (bind)
 *     market_from_prices  volatilities and correlations of returns (prices)
 *     tracking_error      the closed form for any assets of any benchmark (portfolio; rows: portfolio.def)
 *     monte_carlo         the same by drawing years (simulate, random)
 *     optimize            its best levels (search, cell)
 *
 *     companion, replication   one asset, any distribution of redemptions (size_model); a sample of the benchmark
 *     yields, performance      what staking pays; how a fund did
 *
 *     request, echo   what a caller says of a fund that stakes ETH and SOL (rows: request.def, redemption.def, rows.h; results: slots.h)
 *     exposure        covariance to cost of overweights       market  the same in the published benchmark
 *     solve           definite systems
 *     point           the closed form at one pair of levels   grid    the same over lines and planes
 *     levels          the published levels */
#include <kiln/plugin.h>

#include "batch.h"
#include "calculate.h"
#include "companion.h"
#include "market_from_prices.h"
#include "monte_carlo.h"
#include "optimize.h"
#include "performance.h"
#include "sensitivity.h"
#include "tracking_error.h"
#include "yields.h"

static const struct kiln_function *const functions[] = {
    &calculate_function,          /* ETH and SOL in the published benchmark */
    &sensitivity_1d_function,     /* ... over one level of both */
    &sensitivity_2d_function,     /* ... over pairs of levels */
    &batch_function,              /* ... for many requests */
    &market_from_prices_function, /* estimates */
    &tracking_error_function,     /* any assets of any benchmark */
    &monte_carlo_function,        /* ... by simulation */
    &optimize_function,           /* ... at its best levels */
    /* companion models */
    &single_asset_function,
    &redemption_moments_function,
    &compound_poisson_function,
    &sample_replication_function,
    /* what staking pays */
    &apr_to_apy_function,
    &rewards_function,
    &break_even_function,
    &portfolio_yield_function,
    &liquid_staking_function,
    &slashing_function,
    /* after the fact */
    &performance_function,
    &active_share_function,
};

const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,       .name = "staking",
    .version = "1.0.0",     .summary = "tracking error, yield and optimal levels of staking in an index fund",
    .functions = functions, .n_functions = KILN_COUNT(functions),
};
