/* SPDX-License-Identifier: MPL-2.0 */
/* tape - the flow of trades: flow_score, trade_flow, temporal_flow, cvd_summary. */
#include "tape.h"

#include "trades.h"

int tape_ascends(struct kiln_call *call, const char *field, const struct kiln_slot *slot)
{
    const double *x = series_in(slot);
    size_t n = (size_t) slot->array.count;
    for (size_t i = 1; i < n; i++) {
        if (x[i] < x[i - 1]) {
            return call->host->fail(call, KILN_INVALID, field,
                                    "%s[%zu] is %.17g, expected at least the one before it, %.17g", field, i,
                                    x[i], x[i - 1]);
        }
    }
    return KILN_OK;
}

#define NOISE                                                                                                \
    "\"prices\":{\"$normal\":[15000,1]},\"volumes\":{\"$linspace\":[1,1000,15000]},\"times\":{\"$linspace\"" \
    ":[0,7200,15000]}"

/* Bought 3 at 110 s and 4.5 at 200 s, sold 9 at 150 s. */
#define FIVE_TRADES "\"prices\":[10,11,11,10.5,12],\"volumes\":[5,3,2,9,4.5],\"times\":[100,110,120,150,200]"

enum { PRICES, VOLUMES, TIMES, OPTION, DECAY };

/* ---- flow_score, temporal_flow --------------------------------------------------------------- */

static const struct kiln_row flow_score_params[] = {
    [PRICES] = ROW_TRADE_PRICES,
    [VOLUMES] = ROW_TRADE_VOLUMES,
    [TIMES] = ROW_OPTIONAL("times", "s", "time of each trade, ascending; needed for window_scores"),
    [OPTION] = ROW_WINDOWS,
};

#define ROW_WINDOW_SCORES(says)                                                                              \
    {                                                                                                        \
        .name = "window_scores", .kind = KILN_ARRAY, .shape = "m", .help = says                              \
    }

static const struct kiln_row flow_score_results[] = {
    ROW_SCALAR("flow_score", NULL, "(bought - sold)/(bought + sold), -1..1"),
    ROW_SCALAR("buy_volume", NULL, "volume bought"),
    ROW_SCALAR("sell_volume", NULL, "volume sold"),
    ROW_WINDOW_SCORES("the score of each window; null without times"),
};

static const struct kiln_golden flow_score_goldens[] = {
    {.title = "7.5 bought, 9 sold; 4.5 and 9 in the last 60 s",
     .args = "{" FIVE_TRADES ",\"windows\":[60,20]}",
     .result = "{\"flow_score\":-0.09090909090909091,\"buy_volume\":7.5,\"sell_volume\":9,"
               "\"window_scores\":[-0.3333333333333333,1]}",
     .rtol = 1e-14},
    {.title = "one trade, no times",
     .args = "{\"prices\":[10],\"volumes\":[5]}",
     .result = "{\"flow_score\":0,\"window_scores\":null}"},
    {.title = "times that go back",
     .args = "{\"prices\":[10,11,12],\"volumes\":[5,1,1],\"times\":[3,7,5]}",
     .result = "times[2] is 5, expected at least the one before it, 7",
     .status = KILN_INVALID},
    {.args = "{" NOISE "}"},
};

static double window_score(const struct kiln_slot *args, double window)
{
    size_t n = (size_t) args[PRICES].array.count;
    const double *times = series_in(&args[TIMES]);
    size_t from = trades_since(times, n, times[n - 1] - window);
    struct flow flow = trades_tick(series_in(&args[PRICES]), series_in(&args[VOLUMES]), from, n);
    return balance(flow.bought, flow.sold);
}

/* Scores of the windows, and their mean. */
static int window_scores(struct kiln_call *call, const struct kiln_slot *args, double *scores,
                         double *ret_mean)
{
    size_t m = (size_t) args[OPTION].array.count;
    struct pace pace = {call, 0};
    double sum = 0.0;
    int status = tape_ascends(call, "times", &args[TIMES]);
    for (size_t k = 0; k < m && status == KILN_OK; k++) {
        scores[k] = window_score(args, series_in(&args[OPTION])[k]);
        sum += scores[k];
        status = pace_stops(&pace, (size_t) args[PRICES].array.count) ? KILN_CANCELLED : KILN_OK;
    }
    *ret_mean = sum / (double) m;
    return status;
}

static int flow_score_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct flow flow = trades_tick(series_in(&args[PRICES]), series_in(&args[VOLUMES]), 0,
                                   (size_t) args[PRICES].array.count);
    double mean;
    give(&results[0], balance(flow.bought, flow.sold));
    give(&results[1], flow.bought);
    give(&results[2], flow.sold);
    results[3].present = args[TIMES].present;
    return args[TIMES].present ? window_scores(call, args, series_out(&results[3]), &mean) : KILN_OK;
}

ANALYSIS(flow_score, "Whether trades were bought or sold, in all and of late",
         "(B - S)/(B + S), where B is the volume bought and S the volume sold; 0 where nothing "
         "was. " HELP_TICK_RULE
         " window_scores counts only trades at most the window older than the last one; the first of them is "
         "compared with the trade before the window. Missing values and "
         "negative volumes are refused. Source: the order flow test of the Virtuoso project.");

static const struct kiln_row temporal_flow_params[] = {
    [PRICES] = ROW_TRADE_PRICES,
    [VOLUMES] = ROW_TRADE_VOLUMES,
    [TIMES] = ROW_TRADE_TIMES,
    [OPTION] = ROW_WINDOWS,
};

static const struct kiln_row temporal_flow_results[] = {
    ROW_WINDOW_SCORES("(bought - sold)/(bought + sold) of each window"),
    ROW_SCALAR("composite", NULL, "their mean"),
};

static const struct kiln_golden temporal_flow_goldens[] = {
    {.title = "4.5 bought and 9 sold in the last 60 s, 4.5 bought in the last 20 s",
     .args = "{" FIVE_TRADES ",\"windows\":[60,20]}",
     .result = "{\"window_scores\":[-0.3333333333333333,1],\"composite\":0.3333333333333333}",
     .rtol = 1e-14},
    {.title = "one trade",
     .args = "{\"prices\":[10],\"volumes\":[5],\"times\":[0]}",
     .result = "{\"window_scores\":[0,0,0,0],\"composite\":0}"},
    {.title = "a window of nothing",
     .args = "{\"prices\":[10],\"volumes\":[5],\"times\":[0],\"windows\":[60,0]}",
     .result = "windows[1]",
     .status = KILN_INVALID},
    {.args = "{" NOISE "}"},
};

static int temporal_flow_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    double mean;
    int status = window_scores(call, args, series_out(&results[0]), &mean);
    if (status == KILN_OK) {
        give(&results[1], mean);
    }
    return status;
}

ANALYSIS(temporal_flow, "The flow of trades in several windows of time, and their mean",
         "window_scores: (B - S)/(B + S) of the trades at most the window older than the last one, 0 where "
         "nothing was bought or sold; composite is their mean. " HELP_TICK_RULE
         " Missing values and negative volumes are refused. Defined here.");

/* ---- trade_flow ------------------------------------------------------------------------------ */

static const struct kiln_row trade_flow_params[] = {
    [PRICES] = ROW_TRADE_PRICES,
    [VOLUMES] = ROW_TRADE_VOLUMES,
    [TIMES] = ROW_TRADE_TIMES,
    [OPTION] = ROW_ABOVE_0("window_s", "s", "300", "length of the window that ends with the last trade"),
    [DECAY] = {.name = "decay",
               .kind = KILN_STRING,
               .choices = "exp|none",
               .fallback = "\"exp\"",
               .help = "exp: older trades weigh less; none: all weigh 1"},
};

static const struct kiln_row trade_flow_results[] = {
    ROW_SCALAR("flow_score", NULL, "(bought - sold)/(bought + sold), -1..1"),
    ROW_SCALAR("buy_pressure", NULL, "weighed volume bought"),
    ROW_SCALAR("sell_pressure", NULL, "weighed volume sold"),
};

static const struct kiln_golden trade_flow_goldens[] = {
    {.title = "9 exp(-50/60) sold",
     .args = "{" FIVE_TRADES ",\"window_s\":60}",
     .result =
         "{\"flow_score\":0.06997851151180169,\"buy_pressure\":4.5,\"sell_pressure\":3.9113838765637037}",
     .rtol = 1e-13},
    {.title = "all alike",
     .args = "{" FIVE_TRADES ",\"window_s\":100,\"decay\":\"none\"}",
     .result = "{\"flow_score\":-0.09090909090909091,\"buy_pressure\":7.5,\"sell_pressure\":9}",
     .rtol = 1e-14},
    {.title = "times that go back",
     .args = "{\"prices\":[10,11],\"volumes\":[5,1],\"times\":[3,2]}",
     .result = "times[1]",
     .status = KILN_INVALID},
    {.args = "{" NOISE ",\"window_s\":7200}"},
};

static int trade_flow_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    int status = tape_ascends(call, "times", &args[TIMES]);
    if (status != KILN_OK) {
        return status;
    }
    size_t n = (size_t) args[PRICES].array.count;
    const double *prices = series_in(&args[PRICES]), *volumes = series_in(&args[VOLUMES]);
    const double *times = series_in(&args[TIMES]);
    double window = args[OPTION].f64, newest = times[n - 1];
    size_t from = trades_since(times, n, newest - window);
    bool fades = args[DECAY].text[0] == 'e';
    struct flow flow = fades ? trades_tick_fading(prices, volumes, times, from, n, newest, window)
                             : trades_tick(prices, volumes, from, n);
    give(&results[0], balance(flow.bought, flow.sold));
    give(&results[1], flow.bought);
    give(&results[2], flow.sold);
    return KILN_OK;
}

ANALYSIS(trade_flow, "The flow of the last trades, the latest counting most",
         "(B - S)/(B + S), where B and S are the sums of w volume of the trades bought and sold that are at "
         "most window_s older than the last one; 0 where there are none. w = "
         "exp(-age/window_s), or 1 with decay none. " HELP_TICK_RULE
         " Missing values and negative volumes are refused. Defined here.");

/* ---- cvd_summary ----------------------------------------------------------------------------- */

static const struct kiln_row cvd_summary_params[] = {
    [PRICES] = ROW_TRADE_PRICES,
    [VOLUMES] = ROW_TRADE_VOLUMES,
    [TIMES] = ROW_OPTIONAL("sides", NULL, "above 0 bought, below 0 sold, 0 not counted; else the tick rule"),
};

static const struct kiln_row cvd_summary_results[] = {
    ROW_SCALAR("buy_volume", NULL, "volume bought"),
    ROW_SCALAR("sell_volume", NULL, "volume sold"),
    ROW_SCALAR("imbalance", NULL, "(bought - sold)/(bought + sold), -1..1"),
    ROW_SCORE("score", "100: all was bought, 0: all was sold, 50: even"),
};

static const struct kiln_golden cvd_summary_goldens[] = {
    {.title = "by side",
     .args = "{\"prices\":[10,11,11],\"volumes\":[6,2,7],\"sides\":[1,-1,0]}",
     .result = "{\"buy_volume\":6,\"sell_volume\":2,\"imbalance\":0.5,\"score\":75}"},
    {.title = "one trade by the tick rule",
     .args = "{\"prices\":[10],\"volumes\":[6]}",
     .result = "{\"buy_volume\":0,\"sell_volume\":0,\"imbalance\":0,\"score\":50}"},
    {.title = "negative volume",
     .args = "{\"prices\":[10],\"volumes\":[-6.5]}",
     .result = "-6.5",
     .status = KILN_INVALID},
};

static int cvd_summary_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) call;
    size_t n = (size_t) args[PRICES].array.count;
    const double *volumes = series_in(&args[VOLUMES]), *sides = series_in(&args[TIMES]);
    struct flow flow = {0.0, 0.0};
    if (args[TIMES].present) {
        for (size_t i = 0; i < n; i++) {
            flow.bought += sides[i] > 0.0 ? volumes[i] : 0.0;
            flow.sold += sides[i] < 0.0 ? volumes[i] : 0.0;
        }
    } else {
        flow = trades_tick(series_in(&args[PRICES]), volumes, 0, n);
    }
    give(&results[0], flow.bought);
    give(&results[1], flow.sold);
    give(&results[2], balance(flow.bought, flow.sold));
    give(&results[3], balance_score(flow.bought, flow.sold));
    return KILN_OK;
}

ANALYSIS(cvd_summary, "Volume bought and sold, and a score",
         "The totals of cvd, imbalance = (bought - sold)/(bought + sold), 0 where there is nothing, and "
         "score = 50 + 50 imbalance (defined here). " HELP_TICK_RULE
         " Missing values and negative volumes are refused.");
