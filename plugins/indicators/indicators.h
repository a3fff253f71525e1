/* SPDX-License-Identifier: MPL-2.0 */
/* indicators - the functions of this plugin, and the rows that many of them share.
 *
 * One family per file: rows, goldens, plan and advance of its indicators. The arithmetic is in the kernels (moving, smooth, ...),
 * which know nothing of what is here. A family lists its indicators here, in a macro of its own that INDICATORS names. */
#ifndef INDICATORS_H
#define INDICATORS_H

#include <kiln/plugin.h>

/* overlap.c */
#define INDICATORS_OVERLAP(X) X(sma) X(ema) X(bbands)
/* momentum.c */
#define INDICATORS_MOMENTUM(X) X(rsi) X(macd)
/* volatility.c */
#define INDICATORS_VOLATILITY(X) X(atr)
/* volume.c */
#define INDICATORS_VOLUME(X) X(obv) X(vwap)
/* change.c, direction.c, oscillators.c, stochastics.c, reach.c, convergence.c */
#define INDICATORS_CHANGE(X)      X(mom) X(roc) X(rocp) X(rocr) X(rocr100) X(cmo) X(trix)
#define INDICATORS_DIRECTION(X)   X(plus_dm) X(minus_dm) X(plus_di) X(minus_di) X(dx) X(adx) X(adxr)
#define INDICATORS_OSCILLATORS(X) X(bop) X(imi) X(mfi) X(ultosc) X(cci)
#define INDICATORS_STOCHASTICS(X) X(stochf) X(stoch) X(stochrsi)
#define INDICATORS_REACH(X)       X(willr) X(aroon) X(aroonosc)
#define INDICATORS_CONVERGENCE(X) X(apo) X(ppo) X(macdext) X(macdfix)
/* ranges.c, money.c */
#define INDICATORS_RANGES(X) X(trange) X(natr)
#define INDICATORS_MONEY(X)  X(ad) X(adosc)

/* averages.c and choice.c, channels.c, cycles.c, prices.c, statistics.c and regression.c, windows.c */
#define INDICATORS_AVERAGES(X) X(wma) X(dema) X(tema) X(trima) X(kama) X(t3) X(mama) X(ma) X(mavp)
#define INDICATORS_CHANNELS(X) X(midpoint) X(midprice) X(accbands) X(sar) X(sarext)
#define INDICATORS_CYCLES(X)                                                                                 \
    X(ht_trendline) X(ht_dcperiod) X(ht_dcphase) X(ht_phasor) X(ht_sine) X(ht_trendmode)
#define INDICATORS_PRICES(X) X(avgprice) X(medprice) X(typprice) X(wclprice)
#define INDICATORS_STATISTICS(X)                                                                             \
    INDICATORS_DEVIATIONS(X)                                                                                 \
    X(linearreg)                                                                                             \
    X(linearreg_angle) X(linearreg_intercept) X(linearreg_slope) X(tsf) X(correl) X(beta)
#define INDICATORS_DEVIATIONS(X) X(stddev) X(var) X(avgdev)
#define INDICATORS_WINDOWS(X)    X(max) X(min) X(sum) X(minmax) X(maxindex) X(minindex) X(minmaxindex)

/* book.c, published.c: indicators among the analyses */
#define INDICATORS_PUBLISHED(X) X(spread) X(macd_published)

#define INDICATORS(X)                                                                                        \
    INDICATORS_OVERLAP(X)                                                                                    \
    INDICATORS_MOMENTUM(X)                                                                                   \
    INDICATORS_VOLATILITY(X)                                                                                 \
    INDICATORS_VOLUME(X)                                                                                     \
    INDICATORS_AVERAGES(X)                                                                                   \
    INDICATORS_CHANNELS(X)                                                                                   \
    INDICATORS_CYCLES(X)                                                                                     \
    INDICATORS_PRICES(X)                                                                                     \
    INDICATORS_STATISTICS(X)                                                                                 \
    INDICATORS_WINDOWS(X)                                                                                    \
    INDICATORS_CHANGE(X)                                                                                     \
    INDICATORS_DIRECTION(X)                                                                                  \
    INDICATORS_OSCILLATORS(X)                                                                                \
    INDICATORS_STOCHASTICS(X)                                                                                \
    INDICATORS_REACH(X)                                                                                      \
    INDICATORS_CONVERGENCE(X)                                                                                \
    INDICATORS_RANGES(X)                                                                                     \
    INDICATORS_MONEY(X)                                                                                      \
    INDICATORS_PUBLISHED(X)

/* Analyses of whole series. support.c, orderblocks.c, structure.c, range.c, proximity.c: */
#define ANALYSES_STRUCTURE(X)                                                                                \
    X(sr_detection)                                                                                          \
    X(sr_volume_confirmed)                                                                                   \
    X(sr_summary)                                                                                            \
    X(order_block_detection)                                                                                 \
    X(order_block_wicks)                                                                                     \
    X(order_block_summary)                                                                                   \
    X(market_structure) X(market_structure_simple) X(price_structure) X(range_analysis) X(level_proximity)

/* tape.c, ladder.c, aggression.c, book.c, published.c, suite.c: */
#define ANALYSES_FLOW(X)                                                                                     \
    X(flow_score)                                                                                            \
    X(temporal_flow)                                                                                         \
    X(trade_flow)                                                                                            \
    X(cvd_summary)                                                                                           \
    X(cvd_levels)                                                                                            \
    X(volume_delta)                                                                                          \
    X(liquidity)                                                                                             \
    X(aggression)                                                                                            \
    X(aggressive_trades)                                                                                     \
    X(imbalance)                                                                                             \
    X(order_flow_imbalance)                                                                                  \
    X(book_imbalance)                                                                                        \
    X(rsi_published) X(rsi_summary) X(macd_summary) X(volume_suite) X(volume_flow_summary)

/* Functions that are no indicators in the sense of indicator.h: flow.c, bundle.c, stream.c, and the analyses. */
#define PLAIN_FUNCTIONS(X) X(cvd) ANALYSES_STRUCTURE(X) ANALYSES_FLOW(X) X(bundle) X(stream)

struct indicator;
#define INDICATORS_DECLARE_FUNCTION(id)  extern const struct kiln_function indicators_##id;
#define INDICATORS_DECLARE_INDICATOR(id) extern const struct indicator indicator_##id;
INDICATORS(INDICATORS_DECLARE_FUNCTION)
INDICATORS(INDICATORS_DECLARE_INDICATOR)
PLAIN_FUNCTIONS(INDICATORS_DECLARE_FUNCTION)

/* A series with one value a bar, which may have missing bars. */
#define ROW_SERIES(id, of_unit, says)                                                                        \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n", .unit = of_unit, .help = says  \
    }

#define ROW_OPEN   ROW_SERIES("open", "price", "opening price of each bar")
#define ROW_HIGH   ROW_SERIES("high", "price", "highest price of each bar")
#define ROW_LOW    ROW_SERIES("low", "price", "lowest price of each bar")
#define ROW_CLOSE  ROW_SERIES("close", "price", "closing price of each bar, oldest first; null where missing")
#define ROW_VOLUME ROW_SERIES("volume", NULL, "volume of each bar")
/* For sums that a negative volume would make senseless. Needs <math.h>. */
#define ROW_VOLUME_NOT_NEGATIVE                                                                              \
    {                                                                                                        \
        .name = "volume", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n", .max = HUGE_VAL,         \
        .help = "volume of each bar, not negative"                                                           \
    }

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

/* Examples of functions of the series close and a period: a period that is refused, and a run of realistic size. */
#define GOLDEN_CLOSE_PERIOD_1                                                                                \
    {                                                                                                        \
        .title = "a period too short", .args = "{\"close\":[7,8],\"period\":1}", .result = "period",         \
        .status = KILN_INVALID                                                                               \
    }
#define GOLDEN_CLOSE_WARM                                                                                    \
    {                                                                                                        \
        .args = "{\"close\":{\"$normal\":[10000,1]}}"                                                        \
    }

/* The tables of a function, which are named after it. */
#define FUNCTION_TABLES(id)                                                                                  \
    .params = id##_params, .n_params = KILN_COUNT(id##_params), .results = id##_results,                     \
    .n_results = KILN_COUNT(id##_results), .goldens = id##_goldens, .n_goldens = KILN_COUNT(id##_goldens)

#endif
