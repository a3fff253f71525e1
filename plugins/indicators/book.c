/* SPDX-License-Identifier: MPL-2.0 */
/* book - bids against asks: imbalance, order_flow_imbalance, book_imbalance, spread. */
#include "decay.h"
#include "indicator.h"
#include "tape.h"

enum { BID, ASK, WEIGHTS, HALF_LIFE };

#define NOISE "\"bid\":{\"$linspace\":[1,1000,15000]},\"ask\":{\"$linspace\":[10,500,15000]}"

#define ROW_BID ROW_FINITE_NOT_NEGATIVE("bid", "n", "size bid, oldest first, not negative")
#define ROW_ASK ROW_FINITE_NOT_NEGATIVE("ask", "n", "size asked, not negative")

/* ---- imbalance ------------------------------------------------------------------------------- */

static const struct kiln_row imbalance_params[] = {
    [BID] = ROW_BID,
    [ASK] = ROW_ASK,
    [WEIGHTS] = {.name = "weights",
                 .kind = KILN_ARRAY,
                 .flags = KILN_REQUIRED | KILN_FINITE,
                 .shape = "m",
                 .max = HUGE_VAL,
                 .help = "weights, not negative; the first is that of the newest"},
};

static const struct kiln_row imbalance_results[] = {
    ROW_RESULT("imbalance", NULL, "(bid - ask)/(bid + ask) of the weighted means, -1..1"),
};

static const struct kiln_golden imbalance_goldens[] = {
    {.title = "at the second, bid 8 and ask 1 with the weights 1 and 0.5",
     .args = "{\"bid\":[4,6,1],\"ask\":[2,0,1],\"weights\":[1,0.5]}",
     .result = "{\"imbalance\":[0.3333333333333333,0.7777777777777778,0.6]}",
     .rtol = 1e-14},
    {.title = "nothing bid or asked",
     .args = "{\"bid\":[0],\"ask\":[0],\"weights\":[1]}",
     .result = "{\"imbalance\":[0]}"},
    {.title = "a negative weight",
     .args = "{\"bid\":[0],\"ask\":[0],\"weights\":[1,-0.5]}",
     .result = "weights[1]",
     .status = KILN_INVALID},
    {.args = "{" NOISE ",\"weights\":[1,0.8,0.6,0.4,0.2]}"},
};

/* Outputs begin .. begin + n - 1, at most a chunk. */
KERNEL static void imbalance_chunk(const double *restrict bid, const double *restrict ask, size_t begin,
                                   size_t n, const double *restrict weights, size_t m, double *restrict out)
{
    double bids[KERNEL_CHUNK] = {0.0}, asks[KERNEL_CHUNK] = {0.0};
    for (size_t age = 0; age < least(m, begin + n); age++) {
        for (size_t i = age > begin ? age - begin : 0; i < n; i++) {
            bids[i] += weights[age] * bid[begin + i - age];
            asks[i] += weights[age] * ask[begin + i - age];
        }
    }
    for (size_t i = 0; i < n; i++) {
        out[begin + i] = bids[i] + asks[i] > 0.0 ? (bids[i] - asks[i]) / (bids[i] + asks[i]) : 0.0;
    }
}

static int imbalance_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    size_t n = (size_t) args[BID].array.count, m = (size_t) args[WEIGHTS].array.count;
    struct pace pace = {call, 0};
    for (size_t length, i = 0; i < n; i += length) {
        length = least(KERNEL_CHUNK, n - i);
        imbalance_chunk(series_in(&args[BID]), series_in(&args[ASK]), i, length, series_in(&args[WEIGHTS]), m,
                        series_out(&results[0]));
        if (pace_stops(&pace, length * least(m, i + length))) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

ANALYSIS(imbalance, "Bids against asks over the last values, weighted",
         "(b - a)/(b + a), where b and a are the weighted means of the last m bids and asks, m being the "
         "number of weights: b = sum of w_k bid_i-k/sum of w_k; 0 where b + a = 0. "
         "The first values have fewer before them and use what exists. Missing and negative values are "
         "refused. Source: the order flow test of the Virtuoso "
         "project.");

/* ---- order_flow_imbalance -------------------------------------------------------------------- */

static const struct kiln_row order_flow_imbalance_params[] = {
    [BID] = ROW_BID,
    [ASK] = ROW_ASK,
    [WEIGHTS] = ROW_TRADE_TIMES,
    [HALF_LIFE] = ROW_ABOVE_0("half_life_s", "s", "60", "age at which a value weighs one half"),
};

static const struct kiln_row order_flow_imbalance_results[] = {
    ROW_SCALAR("imbalance_score", NULL, "(bid - ask)/(bid + ask) of the weighted means, -1..1"),
    ROW_SCALAR("weighted_bid", NULL, "weighted mean size bid"),
    ROW_SCALAR("weighted_ask", NULL, "weighted mean size asked"),
};

static const struct kiln_golden order_flow_imbalance_goldens[] = {
    {.title = "weights 1/4, 1/2 and 1",
     .args = "{\"bid\":[4,6,1],\"ask\":[2,0,3],\"times\":[0,60,120]}",
     .result = "{\"imbalance_score\":0.17647058823529413,\"weighted_bid\":2.857142857142857,\"weighted_ask\":"
               "2}",
     .rtol = 1e-13},
    {.title = "one of nothing",
     .args = "{\"bid\":[0],\"ask\":[0],\"times\":[0]}",
     .result = "{\"imbalance_score\":0,\"weighted_bid\":0,\"weighted_ask\":0}"},
    {.title = "times that go back",
     .args = "{\"bid\":[0,0],\"ask\":[0,0],\"times\":[0,-1]}",
     .result = "times[1]",
     .status = KILN_INVALID},
    {.args = "{" NOISE ",\"times\":{\"$linspace\":[0,7200,15000]}}"},
};

static int order_flow_imbalance_run(struct kiln_call *call, const struct kiln_slot *args,
                                    struct kiln_slot *results)
{
    int status = tape_ascends(call, "times", &args[WEIGHTS]);
    if (status != KILN_OK) {
        return status;
    }
    size_t n = (size_t) args[BID].array.count;
    const double *bid = series_in(&args[BID]), *ask = series_in(&args[ASK]);
    const double *times = series_in(&args[WEIGHTS]);
    double weight[KERNEL_CHUNK], bids = 0.0, asks = 0.0, sum = 0.0;
    /* From the newest on, until the weights are nothing. */
    for (size_t length, end = n; end > 0; end -= length) {
        length = least(KERNEL_CHUNK, end);
        size_t from = end - length;
        decay_half(times + from, length, times[n - 1], args[HALF_LIFE].f64, weight);
        for (size_t i = 0; i < length; i++) {
            bids += weight[i] * bid[from + i];
            asks += weight[i] * ask[from + i];
            sum += weight[i];
        }
        if (weight[length - 1] == 0.0) {
            break;
        }
    }
    give(&results[0], balance(bids / sum, asks / sum));
    give(&results[1], bids / sum);
    give(&results[2], asks / sum);
    return KILN_OK;
}

ANALYSIS(order_flow_imbalance, "Bids against asks, the latest counting most",
         "weighted_bid = sum of w bid/sum of w with w = 0.5^((t_last - t)/half_life_s), weighted_ask "
         "likewise; imbalance_score = (b - a)/(b + a) of the two, 0 where b + a = 0. Missing "
         "and negative values are refused. Defined here.");

/* ---- book_imbalance -------------------------------------------------------------------------- */

static const struct kiln_row book_imbalance_params[] = {
    [BID] = ROW_FINITE_NOT_NEGATIVE("bid", "n", "size bid at each level, best first, not negative"),
    [ASK] = ROW_FINITE_NOT_NEGATIVE("ask", "n", "size asked at each level, best first"),
    [WEIGHTS] = {.name = "levels",
                 .kind = KILN_INT,
                 .min = 1,
                 .max = 100000,
                 .fallback = "10",
                 .help = "how many levels count; all when there are fewer"},
};

static const struct kiln_row book_imbalance_results[] = {
    ROW_SCALAR("imbalance", NULL, "-1 only asks, 1 only bids"),
};

static const struct kiln_golden book_imbalance_goldens[] = {
    {.title = "(6 - 2 + (4 - 8)/2)/(8 + 12/2)",
     .args = "{\"bid\":[6,4],\"ask\":[2,8]}",
     .result = "{\"imbalance\":0.14285714285714285}",
     .rtol = 1e-14},
    {.title = "an empty book", .args = "{\"bid\":[0],\"ask\":[0]}", .result = "{\"imbalance\":0}"},
    {.title = "a negative size",
     .args = "{\"bid\":[0],\"ask\":[-2.5]}",
     .result = "-2.5",
     .status = KILN_INVALID},
};

static int book_imbalance_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) call;
    size_t n = least((size_t) args[BID].array.count, (size_t) args[WEIGHTS].i64);
    const double *bid = series_in(&args[BID]), *ask = series_in(&args[ASK]);
    double difference = 0.0, sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double level = (double) (i + 1);
        difference += (bid[i] - ask[i]) / level;
        sum += (bid[i] + ask[i]) / level;
    }
    give(&results[0], sum > 0.0 ? difference / sum : 0.0);
    return KILN_OK;
}

ANALYSIS(book_imbalance, "Bids against asks in the order book, near levels counting most",
         "sum of (bid_k - ask_k)/(k + 1) over sum of (bid_k + ask_k)/(k + 1) for the levels k = 0, 1, .. "
         "from the best on; 0 for an empty book. Missing and "
         "negative sizes are refused. Source: the order flow test of the Virtuoso project.");

/* ---- spread ---------------------------------------------------------------------------------- */

static const struct kiln_row spread_params[] = {
    ROW_SERIES("bid", "price", "best price bid"),
    ROW_SERIES("ask", "price", "best price asked"),
    ROW_VOLUME_NOT_NEGATIVE,
};

static const struct kiln_row spread_results[] = {
    ROW_RESULT("spread", "price", "ask - bid"),
    ROW_RESULT("relative_spread", "fraction", "spread/middle of bid and ask"),
    ROW_RESULT("weighted_spread", "price", "spread x volume/(volume + volume before)"),
};

static const struct kiln_golden spread_goldens[] = {
    {.title = "spreads of 2 and 1",
     .args = "{\"bid\":[9,10],\"ask\":[11,11],\"volume\":[3,1]}",
     .result = "{\"spread\":[2,1],\"relative_spread\":[0.2,0.09523809523809523],\"weighted_spread\":[2,0."
               "25]}",
     .rtol = 1e-8},
    {.title = "no volume, and a middle of 0",
     .args = "{\"bid\":[0,-1],\"ask\":[0,1],\"volume\":[0,0]}",
     .result = "{\"spread\":[0,2],\"relative_spread\":[null,null],\"weighted_spread\":[0,0]}"},
    {.title = "negative volume",
     .args = "{\"bid\":[9],\"ask\":[11],\"volume\":[-2.5]}",
     .result = "-2.5",
     .status = KILN_INVALID},
    {.args = "{\"bid\":{\"$linspace\":[1,2,10000]},\"ask\":{\"$linspace\":[3,4,10000]},\"volume\":{\"$"
             "linspace\":[1,9,10000]}}"},
};

static int spread_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    (void) args;
    plan->history = 1;
    return KILN_OK;
}

KERNEL static void spreads(const double *restrict bid, const double *restrict ask, size_t begin, size_t end,
                           double *restrict spread, double *restrict relative)
{
    for (size_t i = begin; i < end; i++) {
        double middle = (bid[i] + ask[i]) / 2.0;
        spread[i] = ask[i] - bid[i];
        relative[i] = middle != 0.0 ? spread[i] / middle : (double) NAN;
    }
}

static void spread_advance(const struct plan *plan, struct feed *f)
{
    (void) plan;
    const double *volume = f->in[2];
    double *spread = f->out[0];
    spreads(f->in[0], f->in[1], f->begin, f->end, spread, f->out[1]);
    for (size_t i = f->begin; i < f->end; i++) {
        double before = feed_number(f, i) > 0 ? volume[i - 1] : 0.0;
        f->out[2][i] = spread[i] * volume[i] / (before + volume[i] + 1e-8);
    }
}

INDICATOR(spread, 3, "Distance of the best bid and the best ask",
          "spread = ask - bid; relative_spread = spread/((bid + ask)/2), null where that is 0; "
          "weighted_spread_i = spread v_i/(v_i-1 + v_i + 1e-8), with v = 0 before the first bar. "
          "Leading missing bars are passed over; from a later one on there are no values. Source: the order "
          "flow test of the Virtuoso project.");
