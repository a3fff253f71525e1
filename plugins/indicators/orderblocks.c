/* SPDX-License-Identifier: MPL-2.0 */
/* orderblocks - where a move on volume began: order_block_detection, order_block_wicks, order_block_summary. */
#include "analysis.h"

enum { OPEN, HIGH, LOW, CLOSE, VOLUME, OPTION, WICK };

#define ROWS_OHLCV                                                                                           \
    [OPEN] = ROW_FINITE_OPEN, [HIGH] = ROW_FINITE_HIGH, [LOW] = ROW_FINITE_LOW, [CLOSE] = ROW_FINITE_CLOSE,  \
    [VOLUME] = ROW_FINITE_VOLUME

#define NOISE                                                                                                \
    "\"open\":{\"$normal\":[5000,1]},\"high\":{\"$linspace\":[4,5,5000]},\"low\":{\"$linspace\":[-5,-4,"     \
    "5000]},\"close\":{\"$normal\":[5000,2]},\"volume\":{\"$linspace\":[1,2,5000]}"

/* Bar 3 rises by 1 percent over a range of 4, the three before it lie in 9 .. 11, on 3 instead of 1. */
#define RISE                                                                                                 \
    "\"open\":[10,10,10,10,10],\"high\":[10.5,11,10.5,13,11],\"low\":[9.5,9,9.5,9,9],"                       \
    "\"close\":[10,10,10,10.1,10],\"volume\":[1,1,1,3,1]"

struct bars {
    const double *open, *high, *low, *close, *volume;
    size_t n;
};

static struct bars bars_of(const struct kiln_slot *args)
{
    return (struct bars){
        series_in(&args[OPEN]),  series_in(&args[HIGH]),   series_in(&args[LOW]),
        series_in(&args[CLOSE]), series_in(&args[VOLUME]), (size_t) args[OPEN].array.count,
    };
}

/* ---- order_block_detection ------------------------------------------------------------------- */

static const struct kiln_row order_block_detection_params[] = {
    ROWS_OHLCV,
    [OPTION] = ROW_NUMBER("vol_threshold", NULL, 0, HUGE_VAL, "1.2", "least volume over the mean before"),
};

#define ROW_BLOCKS(id, of_shape, says)                                                                       \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .shape = of_shape, .help = says                                      \
    }

static const struct kiln_row order_block_detection_results[] = {
    ROW_BLOCKS("bullish", "k 5", "rows of start bar, end bar, low and high of the block, strength 0..3"),
    ROW_BLOCKS("bearish", "j 5", "the same of the falling ones"),
};

static const struct kiln_golden order_block_detection_goldens[] = {
    {.title = "3/1.2 of the volume, 4/2 of the range",
     .args = "{" RISE "}",
     .result = "{\"bullish\":[[0,2,9,11,2.25]],\"bearish\":[]}",
     .rtol = 1e-14},
    {.title = "nothing before it moved: the ratio of ranges is 3 at most",
     .args = "{\"open\":[10,10,10,10,10],\"high\":[10,10,10,10,10],\"low\":[10,10,10,9,10],"
             "\"close\":[10,10,10,9,10],\"volume\":[1,1,1,6,1]}",
     .result = "{\"bullish\":[],\"bearish\":[[0,2,10,10,3]]}",
     .rtol = 1e-14},
    {.title = "negative volume",
     .args = "{\"open\":[1],\"high\":[1],\"low\":[1],\"close\":[1],\"volume\":[-2.5]}",
     .result = "-2.5",
     .status = KILN_INVALID},
    {.args = "{" NOISE "}"},
};

struct block {
    size_t start;
    double low, high, strength;
    bool bullish;
};

enum { BLOCKS_MOST = 500, COLUMNS = 5, BEFORE = 3, VOLUMES_BEFORE = 5 };

/* Whether a block ends before bar i, which begins a move. Cheapest questions first: most bars are none. */
static bool block_before(const struct bars *b, size_t i, double threshold, struct block *ret_block)
{
    bool bullish = b->close[i] > 1.005 * b->open[i], bearish = b->close[i] < 0.995 * b->open[i];
    double range = b->high[i] - b->low[i];
    if (!(bullish || bearish) || range == 0.0) {
        return false;
    }
    double high = fmax(fmax(b->high[i - 3], b->high[i - 2]), b->high[i - 1]);
    double low = fmin(fmin(b->low[i - 3], b->low[i - 2]), b->low[i - 1]);
    double before = high - low;
    if (!(range > 1.5 * before)) {
        return false;
    }
    size_t count = least(VOLUMES_BEFORE, i);
    double sum = 0.0;
    for (size_t j = i - count; j < i; j++) {
        sum += b->volume[j];
    }
    double needed = sum / (double) count * threshold;
    if (!(b->volume[i] >= needed)) {
        return false;
    }
    double by_volume = needed > 0.0 ? fmin(b->volume[i] / needed, 3.0) : 0.0;
    double by_range = before == 0.0 ? 3.0 : fmin(range / before, 3.0);
    *ret_block = (struct block){i - BEFORE, low, high, (by_volume + by_range) / 2.0, bullish};
    return true;
}

/* The next block from bar *i on; *i moves behind it. */
static bool block_next(const struct bars *b, double threshold, size_t *i, struct block *ret_block)
{
    for (; *i + 1 < b->n; (*i)++) {
        if (block_before(b, *i, threshold, ret_block)) {
            (*i)++;
            return true;
        }
    }
    return false;
}

static bool block_write(struct kiln_call *call, size_t result, size_t row, const struct block *block)
{
    double *rows = call->host->grow(call, result, (int64_t) row + 1);
    if (!rows) {
        return false;
    }
    double *at = rows + row * COLUMNS;
    at[0] = (double) block->start;
    at[1] = (double) (block->start + BEFORE - 1);
    at[2] = block->low;
    at[3] = block->high;
    at[4] = block->strength;
    return true;
}

static int order_block_detection_run(struct kiln_call *call, const struct kiln_slot *args,
                                     struct kiln_slot *results)
{
    (void) results;
    struct bars bars = bars_of(args);
    size_t most = least(bars.n / 4, BLOCKS_MOST), rows[2] = {0, 0}, i = BEFORE;
    struct block block;
    if (!call->host->grow(call, 0, 0) || !call->host->grow(call, 1, 0)) {
        return KILN_RESOURCE;
    }
    while (rows[0] < most && rows[1] < most && block_next(&bars, args[OPTION].f64, &i, &block)) {
        size_t side = block.bullish ? 0 : 1;
        if (!block_write(call, side, rows[side]++, &block)) {
            return KILN_RESOURCE;
        }
    }
    return KILN_OK;
}

#define HELP_BLOCKS                                                                                          \
    "Bar i (from 3 to n-2) moves when its close is above 1.005 (bullish) or below 0.995 (bearish) of its "   \
    "open, its range "                                                                                       \
    "is more than 1.5 P, where P is highest high - lowest low of the three bars before, and its volume is "  \
    "at least vol_threshold "                                                                                \
    "times the mean of the (up to five) bars before. The block is those three bars: i-3, i-1, their lowest " \
    "low, their highest high, and its "                                                                      \
    "strength (min(volume/(mean vol_threshold), 3) + min(range/P, 3))/2. P = 0 counts 3; no volume before "  \
    "counts 0. The search ends when either "                                                                 \
    "list has min(n/4, 500) rows."

ANALYSIS(order_block_detection, "Order blocks: the bars before a move on volume",
         HELP_BLOCKS
         "\n\nMissing values are refused. Source: the published jit test of the Virtuoso project.");

/* ---- order_block_wicks ----------------------------------------------------------------------- */

static const struct kiln_row order_block_wicks_params[] = {
    ROWS_OHLCV,
    [OPTION] = ROW_NUMBER("min_volume_ratio", NULL, 0, HUGE_VAL, "2", "volume over the mean before it"),
    [WICK] = ROW_NUMBER("min_wick_ratio", NULL, 0, HUGE_VAL, "1.5", "wick over the body"),
};

static const struct kiln_row order_block_wicks_results[] = {
    ROW_BLOCKS("blocks", "n 4", "for each bar: 1 if it is one, strength 0..10, level, 1 upper or -1 lower"),
};

#define TEN(x)   x "," x "," x "," x "," x "," x "," x "," x "," x "," x
#define NO_BLOCK "[0,0,0,0]"
#define WICKED(open, high, low, close)                                                                       \
    "{\"open\":[" TEN("5") "," open ",5,5,5,5,5],\"high\":[" TEN("5") "," high ",5,5,5,5,5],\"low\":[" TEN(  \
        "5") "," low ",5,5,5,5,5],\"close\":[" TEN("5") "," close                                            \
                                                        ",5,5,5,5,5],\"volume\":[" TEN("2") ",8,2,2,2,2,2]}"

static const struct kiln_golden order_block_wicks_goldens[] = {
    {.title = "an upper wick of 4 on a body of 1, on four times the volume",
     .args = WICKED("5", "10", "5", "6"),
     .result = "{\"blocks\":[" TEN(NO_BLOCK) ",[1,4,10,1]," NO_BLOCK "," NO_BLOCK "," NO_BLOCK "," NO_BLOCK
                                             "," NO_BLOCK "]}",
     .rtol = 1e-7},
    {.title = "a lower wick without a body",
     .args = WICKED("5", "5", "4", "5"),
     .result = "{\"blocks\":[" TEN(NO_BLOCK) ",[1,10,4,-1]," NO_BLOCK "," NO_BLOCK "," NO_BLOCK "," NO_BLOCK
                                             "," NO_BLOCK "]}"},
    {.title = "a missing bar",
     .args = "{\"open\":[1],\"high\":[1],\"low\":[null],\"close\":[1],\"volume\":[2]}",
     .result = "low[0]",
     .status = KILN_INVALID},
    {.args = "{" NOISE "}"},
};

enum { WICK_BEFORE = 10, WICK_AFTER = 5, WICK_COLUMNS = 4 };

/* Of the bars before the one whose volume this is. */
static double mean_before(const double *volume)
{
    double sum = 0.0;
    for (size_t j = WICK_BEFORE; j > 0; j--) {
        sum += *(volume - j);
    }
    return sum / WICK_BEFORE;
}

static void wick_block(const struct bars *b, size_t i, double volume_ratio, double wick_ratio, double *block)
{
    double mean = mean_before(b->volume + i), body = fabs(b->close[i] - b->open[i]);
    double upper = b->high[i] - fmax(b->open[i], b->close[i]);
    double lower = fmin(b->open[i], b->close[i]) - b->low[i];
    bool is_upper = upper > wick_ratio * body, is_lower = lower > wick_ratio * body;
    if (!(b->volume[i] > volume_ratio * mean) || !(is_upper || is_lower)) {
        return;
    }
    double by_volume = mean > 0.0 ? b->volume[i] / mean : 0.0;
    block[0] = 1.0;
    block[1] = fmin(10.0, (by_volume + fmax(upper, lower) / (body + 1e-8)) / 2.0);
    block[2] = is_upper ? b->high[i] : b->low[i];
    block[3] = is_upper ? 1.0 : -1.0;
}

static int order_block_wicks_run(struct kiln_call *call, const struct kiln_slot *args,
                                 struct kiln_slot *results)
{
    (void) call;
    struct bars bars = bars_of(args);
    double *blocks = series_out(&results[0]);
    for (size_t i = 0; i < bars.n; i++) {
        double *block = blocks + i * WICK_COLUMNS;
        block[0] = block[1] = block[2] = block[3] = 0.0;
        if (i >= WICK_BEFORE && i + WICK_AFTER < bars.n) {
            wick_block(&bars, i, args[OPTION].f64, args[WICK].f64, block);
        }
    }
    return KILN_OK;
}

ANALYSIS(order_block_wicks, "Order blocks: bars with a long wick on volume",
         "Bar i (from 10 to n-6) is one when its volume is above min_volume_ratio times the mean of the ten "
         "before and a wick is longer than "
         "min_wick_ratio bodies: upper wick = high - max(open, close), lower = min(open, close) - low, body "
         "= |close - open|. strength = min(10, "
         "(volume/mean + longer wick/(body + 1e-8))/2); without volume before, volume/mean counts 0. An "
         "upper wick that is long enough gives its high as the level and "
         "type 1, also when the lower one is; otherwise level is the low and type -1. Other bars are four "
         "zeros.\n\nMissing values are refused. Source: "
         "the wick variant of the Virtuoso project's design document.");

/* ---- order_block_summary --------------------------------------------------------------------- */

#define order_block_summary_params order_block_detection_params

static const struct kiln_row order_block_summary_results[] = {
    ROW_COUNT("bullish_blocks", "number of bullish order blocks"),
    ROW_COUNT("bearish_blocks", "number of bearish ones"),
    ROW_SCORE("score", "100: the strength is all bullish, 0: all bearish, 50: even, or no blocks"),
};

static const struct kiln_golden order_block_summary_goldens[] = {
    {.title = "a rise",
     .args = "{" RISE "}",
     .result = "{\"bullish_blocks\":1,\"bearish_blocks\":0,\"score\":100}"},
    {.title = "too few bars",
     .args = "{\"open\":[1],\"high\":[1],\"low\":[1],\"close\":[1],\"volume\":[2]}",
     .result = "{\"bullish_blocks\":0,\"bearish_blocks\":0,\"score\":50}"},
    {.title = "a negative threshold",
     .args = "{\"open\":[1],\"high\":[1],\"low\":[1],\"close\":[1],\"volume\":[2],\"vol_threshold\":-1}",
     .result = "vol_threshold",
     .status = KILN_INVALID},
};

static int order_block_summary_run(struct kiln_call *call, const struct kiln_slot *args,
                                   struct kiln_slot *results)
{
    (void) call;
    struct bars bars = bars_of(args);
    size_t most = least(bars.n / 4, BLOCKS_MOST), count[2] = {0, 0}, i = BEFORE;
    double strength[2] = {0.0, 0.0};
    struct block block;
    while (count[0] < most && count[1] < most && block_next(&bars, args[OPTION].f64, &i, &block)) {
        size_t side = block.bullish ? 0 : 1;
        count[side]++;
        strength[side] += block.strength;
    }
    give_count(&results[0], count[0]);
    give_count(&results[1], count[1]);
    give(&results[2], balance_score(strength[0], strength[1]));
    return KILN_OK;
}

ANALYSIS(order_block_summary, "Order blocks: how many of each kind, and a score",
         "The blocks of order_block_detection, counted; score = 50 + 50 (B - S)/(B + S), where B and S are "
         "the sums of the strengths of bullish and "
         "bearish blocks, 50 where there are none (defined here).\n\n" HELP_BLOCKS
         "\n\nMissing values are refused.");
