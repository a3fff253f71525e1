/* SPDX-License-Identifier: MPL-2.0 */
/* flow - who is at work in the trades, buyers or sellers: CVD. */
#include "indicators.h"
#include "running.h"
#include "series.h"

enum { CVD_PRICES, CVD_VOLUMES, CVD_SIDES, CVD_VOLUME, CVD_TAKER_BUY };

/* One of two sets: trades (prices, volumes, sides) or bars (volume, taker_buy_volume). */
#define CVD_SERIES(id, of_unit, says)                                                                        \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_FINITE, .shape = "n", .unit = of_unit, .help = says    \
    }

static const struct kiln_row cvd_params[] = {
    [CVD_PRICES] = CVD_SERIES("prices", "price", "price of each trade, oldest first; needed without sides"),
    [CVD_VOLUMES] = CVD_SERIES("volumes", NULL, "volume of each trade, not negative"),
    [CVD_SIDES] = CVD_SERIES("sides", NULL, "above 0: bought by the taker; below 0: sold; 0: not counted"),
    [CVD_VOLUME] = CVD_SERIES("volume", NULL, "of bars instead of trades: volume of each bar, not negative"),
    [CVD_TAKER_BUY] = CVD_SERIES("taker_buy_volume", NULL, "part of each bar's volume that takers bought"),
};

static const struct kiln_row cvd_results[] = {
    ROW_RESULT("cvd", NULL, "running sum of volume bought - volume sold"),
    {.name = "buy_volume", .kind = KILN_FLOAT, .help = "volume bought in all"},
    {.name = "sell_volume", .kind = KILN_FLOAT, .help = "volume sold in all"},
};

static const struct kiln_golden cvd_goldens[] = {
    {.title = "trades by the tick rule",
     .args = "{\"prices\":[10,11,11,10.5,12],\"volumes\":[5,3,2,9,4.5]}",
     .result = "{\"cvd\":[0,3,3,-6,-1.5],\"buy_volume\":7.5,\"sell_volume\":9}",
     .rtol = 1e-14},
    {.title = "trades with sides",
     .args = "{\"prices\":[10,11,11,10.5,12],\"volumes\":[5,3,2,9,4.5],\"sides\":[1,-1,0,1,-1]}",
     .result = "{\"cvd\":[5,2,2,11,6.5],\"buy_volume\":14,\"sell_volume\":7.5}",
     .rtol = 1e-14},
    {.title = "bars",
     .args = "{\"volume\":[10,8,6],\"taker_buy_volume\":[7,2.5,3]}",
     .result = "{\"cvd\":[4,1,1],\"buy_volume\":12.5,\"sell_volume\":11.5}",
     .rtol = 1e-14},
    {.title = "unequal lengths",
     .args = "{\"prices\":[10,11,12],\"volumes\":[5,3]}",
     .result = "volumes",
     .status = KILN_INVALID},
    {.title = "trades and bars at once",
     .args = "{\"volumes\":[5],\"sides\":[1],\"volume\":[5]}",
     .result = "volumes",
     .status = KILN_INVALID},
    {.title = "a bar that was bought more than traded",
     .args = "{\"volume\":[10,8],\"taker_buy_volume\":[7,8.25]}",
     .result = "8.25",
     .status = KILN_INVALID},
    {.title = "nothing to go by", .args = "{\"volumes\":[5,3]}", .result = "prices", .status = KILN_INVALID},
    {.args = "{\"prices\":{\"$normal\":[10000,1]},\"volumes\":{\"$linspace\":[1,1000,10000]}}"},
    {.args =
         "{\"volume\":{\"$linspace\":[2,1000,10000]},\"taker_buy_volume\":{\"$linspace\":[1,900,10000]}}"},
};

static int refuse_negative(struct kiln_call *call, const struct kiln_slot *args, size_t row)
{
    const double *x = series_in(&args[row]);
    size_t n = (size_t) args[row].array.count, at = series_first_negative(x, n);
    if (at == n) {
        return KILN_OK;
    }
    return call->host->fail(call, KILN_INVALID, cvd_params[row].name, "%s[%zu] is %g, expected 0 or more",
                            cvd_params[row].name, at, x[at]);
}

static int cvd_of_trades(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    if (!args[CVD_VOLUMES].present) {
        return call->host->fail(call, KILN_INVALID, "volumes",
                                "volumes is missing, expected with prices or sides");
    }
    if (!args[CVD_PRICES].present && !args[CVD_SIDES].present) {
        return call->host->fail(call, KILN_INVALID, "prices",
                                "prices is missing, expected beside volumes unless sides are given");
    }
    int status = refuse_negative(call, args, CVD_VOLUMES);
    if (status != KILN_OK) {
        return status;
    }
    running_cvd_trades(
        args[CVD_PRICES].present ? series_in(&args[CVD_PRICES]) : NULL, series_in(&args[CVD_VOLUMES]),
        args[CVD_SIDES].present ? series_in(&args[CVD_SIDES]) : NULL, (size_t) args[CVD_VOLUMES].array.count,
        series_out(&results[0]), &results[1].f64, &results[2].f64);
    return KILN_OK;
}

static int cvd_of_bars(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    for (size_t row = CVD_VOLUME; row <= CVD_TAKER_BUY; row++) {
        if (!args[row].present) {
            return call->host->fail(call, KILN_INVALID, cvd_params[row].name,
                                    "%s is missing, expected volume and taker_buy_volume together",
                                    cvd_params[row].name);
        }
        int status = refuse_negative(call, args, row);
        if (status != KILN_OK) {
            return status;
        }
    }
    const double *volume = series_in(&args[CVD_VOLUME]), *bought = series_in(&args[CVD_TAKER_BUY]);
    size_t n = (size_t) args[CVD_VOLUME].array.count;
    for (size_t i = 0; i < n; i++) {
        if (bought[i] > volume[i]) {
            return call->host->fail(call, KILN_INVALID, "taker_buy_volume",
                                    "taker_buy_volume[%zu] is %.17g, expected at most the bar's volume %.17g",
                                    i, bought[i], volume[i]);
        }
    }
    running_cvd_bars(volume, bought, n, series_out(&results[0]), &results[1].f64, &results[2].f64);
    return KILN_OK;
}

static int cvd_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    int trades = args[CVD_PRICES].present || args[CVD_VOLUMES].present || args[CVD_SIDES].present;
    int bars = args[CVD_VOLUME].present || args[CVD_TAKER_BUY].present;
    if (trades && bars) {
        return call->host->fail(call, KILN_INVALID, args[CVD_VOLUME].present ? "volume" : "taker_buy_volume",
                                "trades and bars are given at once, expected either prices, volumes and "
                                "sides or volume and taker_buy_volume");
    }
    if (!trades && !bars) {
        return call->host->fail(
            call, KILN_INVALID, "prices",
            "no series is given, expected either prices and volumes or volume and taker_buy_volume");
    }
    int status = (trades ? cvd_of_trades : cvd_of_bars)(call, args, results);
    if (status == KILN_OK) {
        results[1].present = 1;
        results[2].present = 1;
    }
    return status;
}

const struct kiln_function indicators_cvd = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "cvd",
    .summary = "Cumulative volume delta: what takers bought less what they sold",
    .help = "Of trades (prices, volumes, sides): cvd_i = sum of the volumes up to trade i, + where it was "
            "bought and - where it was sold. sides says which; without sides the "
            "tick rule does: a trade above the price of the one before was bought, one below was sold, one "
            "at the same price, like the first "
            "trade, is not counted. With sides, prices may be left out.\n\n"
            "Of bars (volume, taker_buy_volume): a bar counts 2 taker_buy_volume - volume, since what takers "
            "did not buy they "
            "sold.\n\n"
            "Missing values and negative volumes are refused.",
    FUNCTION_TABLES(cvd),
    .run = cvd_run,
};
