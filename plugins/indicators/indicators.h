/* SPDX-License-Identifier: MPL-2.0 */
/* indicators - the functions of this plugin, and the rows that many of them share.
 *
 * One family per file (overlap, momentum, volatility, volume, flow): rows, goldens and run of its functions. The arithmetic is
 * in the kernels (moving, smooth, running), which know nothing of what is here. */
#ifndef INDICATORS_H
#define INDICATORS_H

#include <kiln/plugin.h>

/* overlap.c */
extern const struct kiln_function indicators_sma, indicators_ema, indicators_bbands;
/* momentum.c */
extern const struct kiln_function indicators_rsi, indicators_macd;
/* volatility.c */
extern const struct kiln_function indicators_atr;
/* volume.c */
extern const struct kiln_function indicators_obv, indicators_vwap;
/* flow.c */
extern const struct kiln_function indicators_cvd;

/* A series with one value a bar, which may have missing bars. */
#define ROW_SERIES(id, of_unit, says)                                                                        \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n", .unit = of_unit, .help = says  \
    }

#define ROW_HIGH   ROW_SERIES("high", "price", "highest price of each bar")
#define ROW_LOW    ROW_SERIES("low", "price", "lowest price of each bar")
#define ROW_CLOSE  ROW_SERIES("close", "price", "closing price of each bar, oldest first; null where missing")
#define ROW_VOLUME ROW_SERIES("volume", NULL, "volume of each bar")

/* A number of bars. */
#define ROW_PERIOD(id, least_bars, by_default, says)                                                         \
    {                                                                                                        \
        .name = id, .kind = KILN_INT, .unit = "bars", .min = least_bars, .max = 100000,                      \
        .fallback = by_default, .help = says                                                                 \
    }

/* A result aligned with the bars. */
#define ROW_RESULT(id, of_unit, says)                                                                        \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .shape = "n", .unit = of_unit, .help = says                          \
    }

/* What holds for every indicator of TA-Lib; the last paragraph of their help. */
#define HELP_ALIGNED                                                                                         \
    "The result has one value for each bar sent; the first ones, which have too few bars before them, are "  \
    "null, so a short series gives nulls and no error. Leading missing bars (null in any of the series) "    \
    "only shift the start; from a later missing bar on, everything is null, because the averages run on."

/* The tables of a function, which are named after it. */
#define FUNCTION_TABLES(id)                                                                                  \
    .params = id##_params, .n_params = KILN_COUNT(id##_params), .results = id##_results,                     \
    .n_results = KILN_COUNT(id##_results), .goldens = id##_goldens, .n_goldens = KILN_COUNT(id##_goldens)

#endif
