/* SPDX-License-Identifier: MPL-2.0 */
/* indicators - technical indicators over OHLCV series, to TA-Lib's conventions where TA-Lib has them. */
#include "indicators.h"

static const struct kiln_function *const functions[] = {
    &indicators_sma, &indicators_ema,  &indicators_bbands, /* overlap */
    &indicators_rsi, &indicators_macd,                     /* momentum */
    &indicators_atr,                                       /* volatility */
    &indicators_obv, &indicators_vwap,                     /* volume */
    &indicators_cvd,                                       /* flow */
};

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,       .name = "indicators",
    .version = "1.0.0",     .summary = "Technical indicators over price and volume series",
    .functions = functions, .n_functions = KILN_COUNT(functions),
};
