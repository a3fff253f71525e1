/* SPDX-License-Identifier: MPL-2.0 */
/* structure - the shape of a price series: market_structure, market_structure_simple, price_structure. */
#include "analysis.h"
#include "extremes.h"
#include "levels.h"
#include "swings.h"

enum { HIGH, LOW, CLOSE, LAST };

#define NOISE                                                                                                \
    "\"high\":{\"$normal\":[5000,1]},\"low\":{\"$normal\":[5000,2]},\"close\":{\"$linspace\":[1,2,5000]}"

/* ---- market_structure ------------------------------------------------------------------------ */

static const struct kiln_row market_structure_params[] = {
    [HIGH] = ROW_FINITE_HIGH,
    [LOW] = ROW_FINITE_LOW,
    [CLOSE] = ROW_PERIOD("lookback", 1, "20", "bars on either side that a swing stands out from"),
};

static const struct kiln_row market_structure_results[] = {
    ROW_RESULT("structure_signals", NULL, "1 where a swing is higher than the last of its kind, -1 lower"),
    ROW_RESULT("swing_highs", "price", "the high where it is a swing high, else null"),
    ROW_RESULT("swing_lows", "price", "the low where it is a swing low, else null"),
    ROW_COUNT("higher_highs", "swing highs above the one before"),
    ROW_COUNT("lower_highs", "swing highs below the one before"),
    ROW_COUNT("higher_lows", "swing lows above the one before"),
    ROW_COUNT("lower_lows", "swing lows below the one before"),
    {.name = "score", .kind = KILN_INT, .help = "higher_highs - lower_lows"},
};

static const struct kiln_golden market_structure_goldens[] = {
    {.title = "two swing highs, the second higher, and a low between them",
     .args = "{\"high\":[5,7,5,8,6],\"low\":[3,4,2,4,3],\"lookback\":1}",
     .result =
         "{\"structure_signals\":[0,0,0,1,0],\"swing_highs\":[null,7,null,8,null],"
         "\"swing_lows\":[null,null,2,null,null],\"higher_highs\":1,\"lower_highs\":0,\"higher_lows\":0,"
         "\"lower_lows\":0,\"score\":1}"},
    {.title = "equal bars have no swings",
     .args = "{\"high\":[7,7,7],\"low\":[7,7,7],\"lookback\":1}",
     .result = "{\"structure_signals\":[0,0,0],\"swing_highs\":[null,null,null],\"score\":0}"},
    {.title = "a lookback of 0",
     .args = "{\"high\":[7],\"low\":[7],\"lookback\":0}",
     .result = "lookback",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[5000,1]},\"low\":{\"$normal\":[5000,2]}}"},
};

/* The swings of one kind: their prices, and what they say, added to the signals. */
static void follow_swings(const double *x, const uint8_t *mark, size_t n, double *signals, double *swings,
                          size_t *ret_higher, size_t *ret_lower)
{
    bool any = false;
    double last = 0.0;
    for (size_t i = 0; i < n; i++) {
        swings[i] = (double) NAN;
        if (!mark[i]) {
            continue;
        }
        swings[i] = x[i];
        bool higher = any && x[i] > last, lower = any && x[i] < last;
        signals[i] += (double) higher - (double) lower;
        *ret_higher += higher;
        *ret_lower += lower;
        last = x[i];
        any = true;
    }
}

static int market_structure_run(struct kiln_call *call, const struct kiln_slot *args,
                                struct kiln_slot *results)
{
    size_t n = (size_t) args[HIGH].array.count, half = (size_t) args[CLOSE].i64, count[4] = {0};
    const double *high = series_in(&args[HIGH]), *low = series_in(&args[LOW]);
    double *room = analysis_room(call, n), *signals = series_out(&results[0]);
    uint8_t *mark = call->host->alloc(call, n);
    if (!room || !mark) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < n; i++) {
        signals[i] = 0.0;
    }
    swings_mark(high, n, half, true, room, mark);
    follow_swings(high, mark, n, signals, series_out(&results[1]), &count[0], &count[1]);
    swings_mark(low, n, half, false, room, mark);
    follow_swings(low, mark, n, signals, series_out(&results[2]), &count[2], &count[3]);
    for (size_t i = 0; i < n; i++) {
        signals[i] = signals[i] > 1.0 ? 1.0 : signals[i] < -1.0 ? -1.0 : signals[i];
    }
    for (size_t k = 0; k < 4; k++) {
        give_count(&results[3 + k], count[k]);
    }
    results[7].i64 = (int64_t) count[0] - (int64_t) count[3];
    results[7].present = 1;
    return KILN_OK;
}

ANALYSIS(market_structure, "Swing highs and swing lows, and whether they rise or fall",
         "A swing high is a bar with `lookback` bars on either side whose high is strictly above all of "
         "theirs; a swing low likewise. A "
         "swing above the one of its kind before signals 1, one below -1, the first of a kind and an equal "
         "one 0; both kinds at one bar are added and "
         "clamped to -1 .. 1. score = higher_highs - lower_lows. Missing values are refused. Defined here.");

/* ---- market_structure_simple ----------------------------------------------------------------- */

static const struct kiln_row market_structure_simple_params[] = {
    [HIGH] = ROW_FINITE_HIGH,
    [LOW] = ROW_FINITE_LOW,
    [CLOSE] = ROW_FINITE_CLOSE,
    [LAST] = ROW_PERIOD("lookback", 1, "20", "bars back to the oldest of a window"),
};

static const struct kiln_row market_structure_simple_results[] = {
    ROW_RESULT("support", "price", "lowest low of the window; 0 for the first `lookback` bars"),
    ROW_RESULT("resistance", "price", "highest high of the window; 0 for the first `lookback` bars"),
    ROW_COUNT("bullish_count", "bars from 3 to n-2 that close above the one before"),
    ROW_COUNT("bearish_count", "bars from 3 to n-2 that close below the one before"),
    {.name = "score", .kind = KILN_INT, .help = "bars at the top of 41 around them less those at the bottom"},
};

static const struct kiln_golden market_structure_simple_goldens[] = {
    {.title = "up and level",
     .args = "{\"high\":[5,7,5,8,6],\"low\":[3,4,2,4,3],\"close\":[4,5,4,6,6],\"lookback\":2}",
     .result = "{\"support\":[0,0,2,2,2],\"resistance\":[0,0,7,8,8],\"bullish_count\":1,\"bearish_count\":0,"
               "\"score\":0}"},
    {.title = "a lookback as long as the series",
     .args = "{\"high\":[5,7],\"low\":[3,4],\"close\":[4,5],\"lookback\":2}",
     .result = "{\"support\":[0,0],\"resistance\":[0,0]}"},
    {.title = "unequal lengths",
     .args = "{\"high\":[5,7],\"low\":[3],\"close\":[4,5]}",
     .result = "low",
     .status = KILN_INVALID},
    {.args = "{" NOISE "}"},
};

static void rolling_or_zero(const double *x, size_t n, size_t lookback, bool highest, double *out)
{
    for (size_t i = 0; i < least(lookback, n); i++) {
        out[i] = 0.0;
    }
    if (lookback < n) {
        (highest ? extremes_max : extremes_min)(x, lookback, n, lookback + 1, out);
    }
}

enum { AROUND = 20 };

/* How many bars have the extreme of the 2 AROUND + 1 of which they are the middle. */
static size_t count_middles(const double *x, size_t n, bool highest, double *room)
{
    size_t count = 0;
    if (n <= 2 * AROUND) {
        return 0;
    }
    (highest ? extremes_max : extremes_min)(x, 2 * AROUND, n, 2 * AROUND + 1, room);
    for (size_t i = AROUND; i + AROUND < n; i++) {
        count += x[i] == room[i + AROUND];
    }
    return count;
}

static int market_structure_simple_run(struct kiln_call *call, const struct kiln_slot *args,
                                       struct kiln_slot *results)
{
    size_t n = (size_t) args[HIGH].array.count, lookback = (size_t) args[LAST].i64, up = 0, down = 0;
    const double *high = series_in(&args[HIGH]), *low = series_in(&args[LOW]);
    const double *close = series_in(&args[CLOSE]);
    double *room = analysis_room(call, n);
    if (!room) {
        return KILN_RESOURCE;
    }
    rolling_or_zero(low, n, lookback, false, series_out(&results[0]));
    rolling_or_zero(high, n, lookback, true, series_out(&results[1]));
    for (size_t i = 3; i + 1 < n; i++) {
        up += close[i] > close[i - 1];
        down += close[i] < close[i - 1];
    }
    give_count(&results[2], up);
    give_count(&results[3], down);
    size_t tops = count_middles(high, n, true, room), bottoms = count_middles(low, n, false, room);
    results[4].i64 = (int64_t) tops - (int64_t) bottoms;
    results[4].present = 1;
    return KILN_OK;
}

ANALYSIS(market_structure_simple, "Rolling extremes, rising and falling closes, and a score",
         "support and resistance: lowest low and highest high of the bars i-lookback .. i, 0 for the first "
         "`lookback` bars. bullish_count and bearish_count: "
         "bars 3 .. n-2 by the sign of the change of the close. score: for bars 20 .. n-21, +1 where the "
         "high is the highest of the 41 bars i-20 .. i+20, "
         "-1 where the low is the lowest, ties included. Missing values are refused. Source: the simple "
         "structure test of the Virtuoso project.");

/* ---- price_structure ------------------------------------------------------------------------- */

static const struct kiln_row price_structure_params[] = {
    [HIGH] = ROW_FINITE_HIGH,
    [LOW] = ROW_FINITE_LOW,
    [CLOSE] = ROW_FINITE_CLOSE,
    [LAST] = ROW_FINITE_VOLUME,
};

enum { STRENGTH = 2, BULLISH, BEARISH, BLOCK_STRENGTH, SCORE, HIGHER_HIGHS, LOWER_LOWS };

static const struct kiln_row price_structure_results[] = {
    ROW_RESULT("support", "price", "lowest low of the 20 or 50 bars before, whichever is stronger; else 0"),
    ROW_RESULT("resistance", "price", "highest high of the same bars"),
    [STRENGTH] = ROW_RESULT("strength", NULL, "strength of the stronger lookback"),
    [BULLISH] = ROW_COUNT("bullish_blocks", "bullish order blocks"),
    [BEARISH] = ROW_COUNT("bearish_blocks", "bearish order blocks"),
    [BLOCK_STRENGTH] =
        ROW_SCALAR("order_block_strength", NULL, "sum of volume/mean volume before, of all order blocks"),
    [SCORE] = {.name = "structure_score", .kind = KILN_INT, .help = "higher_highs - lower_lows"},
    [HIGHER_HIGHS] = ROW_COUNT("higher_highs", "swing highs above the one not long before"),
    [LOWER_LOWS] = ROW_COUNT("lower_lows", "swing lows below the one not long before"),
};

#define TEN(x)   x "," x "," x "," x "," x "," x "," x "," x "," x "," x
#define FIFTY(x) TEN(x) "," TEN(x) "," TEN(x) "," TEN(x) "," TEN(x)

static const struct kiln_golden price_structure_goldens[] = {
    {.title = "equal bars: every bar touches both levels",
     .args = "{\"high\":[" FIFTY("7") ",7],\"low\":[" FIFTY("7") ",7],\"close\":[" FIFTY(
         "7") ",7],\"volume\":[" FIFTY("2") ",2]}",
     .result = "{\"support\":[" FIFTY("0") ",7],\"resistance\":[" FIFTY("0") ",7],\"strength\":[" FIFTY(
         "0") ",2],\"bullish_blocks\":0,\"structure_score\":0}",
     .rtol = 1e-14},
    {.title = "a rise by 1 percent on three times the volume",
     .args =
         "{\"high\":[10,10,10,10,10,13,10],\"low\":[9,9,9,9,9,9,9],\"close\":[9.5,9.5,9.5,9.5,10,10.1,10],"
         "\"volume\":[1,1,1,1,1,3,1]}",
     .result = "{\"bullish_blocks\":1,\"bearish_blocks\":0,\"order_block_strength\":3}",
     .rtol = 1e-14},
    {.title = "negative volume",
     .args = "{\"high\":[7],\"low\":[7],\"close\":[7],\"volume\":[-2.5]}",
     .result = "-2.5",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[1000,1]},\"low\":{\"$normal\":[1000,2]},\"close\":{\"$linspace\":[1,2,"
             "1000]},\"volume\":{\"$linspace\":[1,2,1000]}}"},
};

enum { FIRST_BAR = 50, SWING = 25 };

/* Bars from FIRST_BAR on, by the window of `lookback` bars before each: what is stronger replaces what is there. */
static int keep_stronger(struct kiln_call *call, const struct kiln_slot *args, size_t lookback,
                         struct kiln_slot *results, struct pace *pace)
{
    size_t n = (size_t) args[HIGH].array.count;
    double *support = series_out(&results[0]), *resistance = series_out(&results[1]);
    double *strength = series_out(&results[STRENGTH]);
    struct levels l = {0};
    int status = levels_begin(&l, call, lookback, n - FIRST_BAR);
    for (size_t length, bar = FIRST_BAR; status == KILN_OK && bar < n; bar += length) {
        length = least(l.most, n - bar);
        size_t from = bar - lookback;
        status = levels_next(&l, series_in(&args[LOW]) + from, series_in(&args[HIGH]) + from,
                             series_in(&args[LAST]) + from, series_in(&args[CLOSE]) + bar, length,
                             LEVELS_MEAN, pace);
        for (size_t i = 0; i < length && status == KILN_OK; i++) {
            double touches = l.low.touches[i] + l.high.touches[i];
            double volume =
                l.max_volume[i] > 0.0 ? (l.low.weight[i] + l.high.weight[i]) / l.max_volume[i] : 0.0;
            double found = 0.6 * touches / (double) lookback + 0.4 * volume;
            if (found > strength[bar + i]) {
                strength[bar + i] = found;
                support[bar + i] = l.low.level[i];
                resistance[bar + i] = l.high.level[i];
            }
        }
    }
    return status;
}

static void count_blocks(const struct kiln_slot *args, struct kiln_slot *results)
{
    size_t n = (size_t) args[HIGH].array.count, bullish = 0, bearish = 0;
    const double *high = series_in(&args[HIGH]), *low = series_in(&args[LOW]);
    const double *close = series_in(&args[CLOSE]), *volume = series_in(&args[LAST]);
    double strength = 0.0;
    for (size_t i = 5; i + 1 < n; i++) {
        bool up = close[i] > 1.005 * close[i - 1], down = close[i] < 0.995 * close[i - 1];
        if (!(up || down)) {
            continue;
        }
        double mean = (volume[i - 5] + volume[i - 4] + volume[i - 3] + volume[i - 2] + volume[i - 1]) / 5.0;
        double before = fmax(fmax(high[i - 3], high[i - 2]), high[i - 1]) -
                        fmin(fmin(low[i - 3], low[i - 2]), low[i - 1]);
        if (volume[i] >= 1.2 * mean && high[i] - low[i] > 1.3 * before) {
            bullish += up;
            bearish += !up;
            strength += mean > 0.0 ? volume[i] / mean : 0.0;
        }
    }
    give_count(&results[BULLISH], bullish);
    give_count(&results[BEARISH], bearish);
    give(&results[BLOCK_STRENGTH], strength);
}

/* Swings beyond the one of their kind that lies 26 to 50 bars before. There is one at most: two swings are more than SWING bars apart. */
static size_t count_beyond(const double *x, size_t n, bool highest, double *room, uint8_t *mark)
{
    size_t count = 0, last = 0;
    bool any = false;
    swings_mark(x, n, SWING, highest, room, mark);
    for (size_t i = SWING; i + SWING < n; i++) {
        if (mark[i]) {
            count += any && i - last <= 2 * (size_t) SWING && (highest ? x[i] > x[last] : x[i] < x[last]);
            last = i;
            any = true;
        }
    }
    return count;
}

static int price_structure_run(struct kiln_call *call, const struct kiln_slot *args,
                               struct kiln_slot *results)
{
    size_t n = (size_t) args[HIGH].array.count;
    double *room = analysis_room(call, n);
    uint8_t *mark = call->host->alloc(call, n);
    struct pace pace = {call, 0};
    if (!room || !mark) {
        return KILN_RESOURCE;
    }
    for (size_t k = 0; k <= STRENGTH; k++) {
        double *out = series_out(&results[k]);
        for (size_t i = 0; i < n; i++) {
            out[i] = 0.0;
        }
    }
    if (n > FIRST_BAR) {
        static const size_t lookbacks[] = {20, 50};
        for (size_t k = 0; k < KILN_COUNT(lookbacks); k++) {
            int status = keep_stronger(call, args, lookbacks[k], results, &pace);
            if (status != KILN_OK) {
                return status;
            }
        }
    }
    count_blocks(args, results);
    size_t higher = count_beyond(series_in(&args[HIGH]), n, true, room, mark);
    size_t lower = count_beyond(series_in(&args[LOW]), n, false, room, mark);
    give_count(&results[HIGHER_HIGHS], higher);
    give_count(&results[LOWER_LOWS], lower);
    results[SCORE].i64 = (int64_t) higher - (int64_t) lower;
    results[SCORE].present = 1;
    return KILN_OK;
}

ANALYSIS(price_structure, "Support, resistance, order blocks and swings together",
         "support, resistance: from bar 50 on, lowest low and highest high of the L bars i-L .. i-1 for L = "
         "20 and 50; strength = 0.6 (touches of both)/L + 0.4 (mean "
         "volume of the bars at the support + the same at the resistance)/(greatest volume of the window), a "
         "touch being within 0.001 close_i. The second lookback counts "
         "only where it is strictly stronger; where neither has a strength above 0, all three are 0. A "
         "window without volume counts its touches alone.\n\n"
         "Order blocks: bars 5 .. n-2 with a volume of at least 1.2 times the mean of the five before, a "
         "range above 1.3 (highest high - lowest "
         "low) of the three before, and a close above 1.005 (bullish) or below 0.995 (bearish) of the "
         "previous close. order_block_strength sums volume/mean; a mean of 0 adds "
         "nothing.\n\n"
         "Swings stand out strictly from 25 bars on either side. higher_highs counts swing highs above the "
         "largest of the bars i-50 .. i-26, "
         "lower_lows swing lows below the smallest; structure_score is their difference.\n\nMissing values "
         "are refused. Source: the full "
         "structure test of the Virtuoso project.");
