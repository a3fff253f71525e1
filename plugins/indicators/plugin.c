/* SPDX-License-Identifier: MPL-2.0 */
/* indicators - technical indicators over OHLCV series, to TA-Lib's conventions where TA-Lib has them.
 *
 * From the outside in:
 *     indicators.h         the functions of each family, and the rows that many share
 *     catalogue            all of them, by function and by name
 *     overlap, momentum,
 *     volatility, volume   families: rows, examples, plan and advance of each indicator
 *     averages, choice, channels, cycles, prices, statistics, regression, windows
 *                          more families
 *     flow                 CVD, which takes one of two sets of series and is no indicator in that sense
 *     support, orderblocks, structure, range, proximity,
 *     tape, ladder, aggression, book, published, suite
 *                          analyses of whole series of bars or trades (analysis.h), made of levels, touches, swings, trades, decay, rolling
 *     bundle, stream       several indicators in one job; and bar by bar, with a state
 *     state, panel, entry  what these two are made of: the state's bytes, a list of indicators over the same bars, one asked for
 *     indicator, walk      what an indicator is; one on its way through the bars
 *     series               missing bars
 *     moving, bands,
 *     smooth, running      kernels: arithmetic on clean series
 *     blocks, extremes     sums and extremes of moving windows, whatever the period
 *     trend, comoments, deviation, chain, adaptive, parabolic, cycle
 *                          kernels made of them, or that run on from bar to bar
 *     average, variable    averages by name, and with a period that changes
 *     plain                the same kernels straight from their definitions, for the tests */
#include "catalogue.h"

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,
    .name = "indicators",
    .version = "1.0.0",
    .summary = "Technical indicators over price and volume series",
    .functions = catalogue_functions,
    .n_functions = CATALOGUE_FUNCTIONS,
};
