/* SPDX-License-Identifier: MPL-2.0 */
/* ladder - what was traded at given prices: cvd_levels, volume_delta, liquidity. */
#include "tape.h"
#include "trades.h"

/* ---- cvd_levels ------------------------------------------------------------------------------ */

enum { PRICES, VOLUMES, SIDES, LEVELS, WINDOWS };

#define NEAR 0.001 /* trades at a level: within this part of it */

static const struct kiln_row cvd_levels_params[] = {
    [PRICES] = ROW_TRADE_PRICES,
    [VOLUMES] = ROW_TRADE_VOLUMES,
    [SIDES] = ROW_FINITE("sides", "n", NULL, "above 0: bought by the taker; otherwise sold"),
    [LEVELS] = ROW_FINITE("levels", "m", "price", "the price levels"),
    [WINDOWS] = {.name = "windows",
                 .kind = KILN_ARRAY,
                 .dtype = KILN_I64,
                 .flags = KILN_REQUIRED,
                 .shape = "k",
                 .unit = "trades",
                 .min = 1,
                 .max = 0x1p53,
                 .help = "how many of the last trades are looked at; all when there are fewer"},
};

#define ROW_GRID(id, of_shape, says)                                                                         \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .shape = of_shape, .help = says                                      \
    }

static const struct kiln_row cvd_levels_results[] = {
    ROW_GRID("delta", "m k", "volume bought - sold; a row for each level, a column for each window"),
    ROW_GRID("count", "m k", "number of trades"),
};

static const struct kiln_golden cvd_levels_goldens[] = {
    {.title = "around 100 and 200",
     .args = "{\"prices\":[100,100.05,200,99.5,100],\"volumes\":[5,3,2,9,4.5],\"sides\":[1,-1,1,1,0],"
             "\"levels\":[100,200],\"windows\":[5,2]}",
     .result = "{\"delta\":[[-2.5,-4.5],[2,0]],\"count\":[[3,1],[1,0]]}",
     .rtol = 1e-14},
    {.title = "a window longer than the trades",
     .args = "{\"prices\":[7],\"volumes\":[2],\"sides\":[1],\"levels\":[7],\"windows\":[100]}",
     .result = "{\"delta\":[[2]],\"count\":[[1]]}"},
    {.title = "a window of nothing",
     .args = "{\"prices\":[7],\"volumes\":[2],\"sides\":[1],\"levels\":[7],\"windows\":[0]}",
     .result = "windows[0]",
     .status = KILN_INVALID},
    {.args = "{\"prices\":{\"$normal\":[15000,1]},\"volumes\":{\"$linspace\":[1,1000,15000]},\"sides\":"
             "{\"$normal\":[15000,2]},\"levels\":[0.5,1,1.5],\"windows\":[1000,15000]}"},
};

static int cvd_levels_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    size_t n = (size_t) args[PRICES].array.count, m = (size_t) args[LEVELS].array.count;
    size_t windows = (size_t) args[WINDOWS].array.count;
    const double *prices = series_in(&args[PRICES]), *volumes = series_in(&args[VOLUMES]);
    const double *sides = series_in(&args[SIDES]), *levels = series_in(&args[LEVELS]);
    const int64_t *window = args[WINDOWS].array.data;
    struct pace pace = {call, 0};
    for (size_t i = 0; i < m * windows; i++) {
        size_t length = least((size_t) window[i % windows], n), from = n - length;
        double level = levels[i / windows];
        struct flow flow = {0.0, 0.0};
        size_t count =
            trades_near(prices + from, volumes + from, sides + from, length, level, NEAR * level, &flow);
        series_out(&results[0])[i] = flow.bought - flow.sold;
        series_out(&results[1])[i] = (double) count;
        if (pace_stops(&pace, length)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

ANALYSIS(cvd_levels, "Volume delta of the last trades around given prices",
         "For each level P and window W: of the last W trades those with |price - P| <= 0.001 P; delta is "
         "the volume of those with a side above 0 less that of the others, count their "
         "number. Missing values and negative volumes are refused. Source: the order flow test of the "
         "Virtuoso project.");

/* ---- volume_delta ---------------------------------------------------------------------------- */

enum { REFERENCES = SIDES };

static const struct kiln_row volume_delta_params[] = {
    [PRICES] = ROW_TRADE_PRICES,
    [VOLUMES] = ROW_TRADE_VOLUMES,
    [REFERENCES] = ROW_FINITE("reference_prices", "m", "price", "ascending; equal ones are allowed"),
};

static const struct kiln_row volume_delta_results[] = {
    ROW_GRID("delta", "m", "bought - sold when a trade first passes each reference, or at the end"),
};

static const struct kiln_golden volume_delta_goldens[] = {
    {.title = "4 passes 1; 2 and 9 lie above and below the middle of 1 and 3",
     .args = "{\"prices\":[0.5,1.5,2.5,1.5],\"volumes\":[7,4,2,9],\"reference_prices\":[1,3]}",
     .result = "{\"delta\":[0,-11]}"},
    {.title = "passing two at once",
     .args = "{\"prices\":[5,5],\"volumes\":[1,1],\"reference_prices\":[1,2,3]}",
     .result = "{\"delta\":[0,0,2]}"},
    {.title = "references that descend",
     .args = "{\"prices\":[1],\"volumes\":[1],\"reference_prices\":[2,1]}",
     .result = "reference_prices[1]",
     .status = KILN_INVALID},
    {.args = "{\"prices\":{\"$linspace\":[0,12,15000]},\"volumes\":{\"$linspace\":[1,1000,15000]},"
             "\"reference_prices\":{\"$linspace\":[1,10,50]}}"},
};

static int volume_delta_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    int status = tape_ascends(call, "reference_prices", &args[REFERENCES]);
    if (status != KILN_OK) {
        return status;
    }
    size_t n = (size_t) args[PRICES].array.count, m = (size_t) args[REFERENCES].array.count, passed = 0;
    const double *prices = series_in(&args[PRICES]), *volumes = series_in(&args[VOLUMES]);
    const double *reference = series_in(&args[REFERENCES]);
    double *delta = series_out(&results[0]), bought = 0.0, sold = 0.0;
    for (size_t i = 0; i < n; i++) {
        while (passed + 1 < m && prices[i] > reference[passed]) {
            delta[passed++] = bought - sold;
        }
        if (passed > 0) {
            bool above = prices[i] >= (reference[passed] + reference[passed - 1]) / 2.0;
            bought += above ? volumes[i] : 0.0;
            sold += above ? 0.0 : volumes[i];
        }
    }
    for (; passed < m; passed++) {
        delta[passed] = bought - sold;
    }
    return KILN_OK;
}

ANALYSIS(volume_delta, "Volume delta as trades climb through ascending prices",
         "Of references r_0 .. r_m-1, k are passed; none at first. At each trade, while k < m - 1 and its "
         "price is above r_k, delta_k becomes what was bought less sold so far, and "
         "k grows. Then, once k > 0, the trade counts as bought when its price is at least (r_k + r_k-1)/2, "
         "else as sold. References not passed "
         "get the total. Missing values, negative volumes and references that descend are refused. Source: "
         "the order flow test of the Virtuoso project.");

/* ---- liquidity ------------------------------------------------------------------------------- */

enum { TIMES = SIDES, TOLERANCE = WINDOWS };

static const struct kiln_row liquidity_params[] = {
    [PRICES] = ROW_TRADE_PRICES,
    [VOLUMES] = ROW_TRADE_VOLUMES,
    [TIMES] = ROW_OPTIONAL("times", "s", "time of each trade, ascending; only checked"),
    [LEVELS] = ROW_FINITE("levels", "m", "price", "the price levels"),
    [TOLERANCE] = ROW_NUMBER("tolerance_pct", "fraction", 0, 1, "0.001", "how near a trade must be"),
};

static const struct kiln_row liquidity_results[] = {
    ROW_SCORE("liquidity_score", "share of the volume that was traded near any level"),
    ROW_GRID("level_volumes", "m", "volume traded near each level"),
    ROW_SCALAR("concentration", NULL, "sum of the squared shares of the levels; 0 where there is none"),
};

static const struct kiln_golden liquidity_goldens[] = {
    {.title = "6 and 2 of 10, shares 3/4 and 1/4",
     .args = "{\"prices\":[100,100.05,200,150],\"volumes\":[5,1,2,2],\"levels\":[100,200]}",
     .result = "{\"liquidity_score\":80,\"level_volumes\":[6,2],\"concentration\":0.625}",
     .rtol = 1e-14},
    {.title = "a trade near two levels counts once in the score",
     .args = "{\"prices\":[100],\"volumes\":[5],\"levels\":[100,100.01]}",
     .result = "{\"liquidity_score\":100,\"level_volumes\":[5,5],\"concentration\":0.5}"},
    {.title = "no volume",
     .args = "{\"prices\":[100],\"volumes\":[0],\"levels\":[100]}",
     .result = "{\"liquidity_score\":0,\"concentration\":0}"},
    {.title = "a missing level",
     .args = "{\"prices\":[100],\"volumes\":[0],\"levels\":[null]}",
     .result = "levels[0]",
     .status = KILN_INVALID},
    {.args = "{\"prices\":{\"$normal\":[15000,1]},\"volumes\":{\"$linspace\":[1,1000,15000]},\"levels\":[0."
             "5,1,1.5]}"},
};

enum { CHUNK = 1024 };

static int liquidity_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    size_t n = (size_t) args[PRICES].array.count, m = (size_t) args[LEVELS].array.count;
    const double *prices = series_in(&args[PRICES]), *volumes = series_in(&args[VOLUMES]);
    const double *levels = series_in(&args[LEVELS]);
    double *each = series_out(&results[1]), tolerance = args[TOLERANCE].f64, near = 0.0, total = 0.0;
    struct pace pace = {call, 0};
    int status = args[TIMES].present ? tape_ascends(call, "times", &args[TIMES]) : KILN_OK;
    if (status != KILN_OK) {
        return status;
    }
    for (size_t k = 0; k < m; k++) {
        each[k] = 0.0;
    }
    for (size_t length, from = 0; from < n; from += length) {
        uint8_t mark[CHUNK] = {0};
        length = least(CHUNK, n - from);
        for (size_t k = 0; k < m; k++) {
            struct flow flow = {0.0, 0.0};
            trades_near(prices + from, volumes + from, NULL, length, levels[k], tolerance * levels[k], &flow);
            trades_mark(prices + from, length, levels[k], tolerance * levels[k], mark);
            each[k] += flow.bought;
            if (pace_stops(&pace, length)) {
                return KILN_CANCELLED;
            }
        }
        for (size_t i = 0; i < length; i++) {
            total += volumes[from + i];
            near += mark[i] ? volumes[from + i] : 0.0;
        }
    }
    double sum = 0.0, squares = 0.0;
    for (size_t k = 0; k < m; k++) {
        sum += each[k];
    }
    for (size_t k = 0; k < m && sum > 0.0; k++) {
        double share = each[k] / sum;
        squares += share * share;
    }
    give(&results[0], total > 0.0 ? 100.0 * near / total : 0.0);
    give(&results[2], squares);
    return KILN_OK;
}

ANALYSIS(liquidity, "How much is traded near given prices, and how evenly",
         "A trade is near a level when |price - level| <= tolerance_pct level. liquidity_score = 100 (volume "
         "of the trades near any level, each "
         "counted once)/(volume of all), 0 without volume; level_volumes: volume near each level; "
         "concentration = sum over the levels of (its volume/sum of level_volumes)^2, 0 "
         "where nothing is near. times may be left out. Missing values and negative volumes are refused. "
         "Defined here.");
