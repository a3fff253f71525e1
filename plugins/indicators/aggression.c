/* SPDX-License-Identifier: MPL-2.0 */
/* aggression - trades that move the price: aggression, aggressive_trades. */
#include "rolling.h"
#include "tape.h"

enum { PRICES, VOLUMES, TIMES, IMPACT, MULTIPLE, WINDOW };

#define NOISE "\"prices\":{\"$linspace\":[100,200,15000]},\"volumes\":{\"$linspace\":[1,1000,15000]}"

/* Mean volumes with the window 2: 1, 1, 1, 2.5, 3.5. The steps to 10.1 and to 10 are more than a thousandth. */
#define FIVE_TRADES "\"prices\":[10,10.001,10.1,10.1,10],\"volumes\":[1,1,4,3,6]"

/* How a trade is judged. */
struct judge {
    double impact, multiple;
    size_t window;
};

struct verdict {
    size_t moving, aggressive; /* those beyond the impact; those of them on a large volume too */
    double bought, sold;       /* volume of the aggressive ones */
    double total;              /* of all */
};

/* Trades from .. n-1, whose mean volumes are sums[i - 1]/window. Lanes of trades; comparisons give all ones or all zeros, which
 * count as -1 and select by their bits. */
KERNEL static size_t judge_lanes(const double *restrict prices, const double *restrict volumes,
                                 const double *restrict sums, size_t from, size_t n, struct judge judge,
                                 struct verdict *verdict)
{
    enum { LANES = 4 };
    typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));
    typedef int64_t bits __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));
    bits moving = {0}, aggressive = {0};
    lanes bought = {0}, sold = {0}, total = {0};
    size_t i = from;
    for (; i + LANES <= n; i += LANES) {
        lanes before = *(const lanes *) (prices + i - 1), change = *(const lanes *) (prices + i) - before;
        lanes volume = *(const lanes *) (volumes + i);
        lanes mean = *(const lanes *) (sums + i - 1) / (double) judge.window;
        lanes part = change / before;
        bits moves = ((part > judge.impact) | (-part > judge.impact)) & (before > 0.0);
        bits counts = moves & (volume > judge.multiple * mean), rises = change > 0.0;
        moving -= moves;
        aggressive -= counts;
        bought += (lanes) (counts & rises & (bits) volume);
        sold += (lanes) (counts & ~rises & (bits) volume);
        total += volume;
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        verdict->moving += (size_t) moving[lane];
        verdict->aggressive += (size_t) aggressive[lane];
        verdict->bought += bought[lane];
        verdict->sold += sold[lane];
        verdict->total += total[lane];
    }
    return i;
}

static void judge_one(const double *prices, const double *volumes, size_t i, double mean, struct judge judge,
                      struct verdict *verdict)
{
    double before = prices[i - 1], change = prices[i] - before;
    bool moves = before > 0.0 && fabs(change) / before > judge.impact;
    verdict->total += volumes[i];
    verdict->moving += moves;
    if (moves && volumes[i] > judge.multiple * mean) {
        verdict->aggressive++;
        *(change > 0.0 ? &verdict->bought : &verdict->sold) += volumes[i];
    }
}

static int judge_trades(struct kiln_call *call, const struct kiln_slot *args, struct judge judge,
                        struct verdict *ret)
{
    size_t n = (size_t) args[PRICES].array.count, window = judge.window, i = 1;
    const double *prices = series_in(&args[PRICES]), *volumes = series_in(&args[VOLUMES]);
    double *sums = analysis_room(call, n), *scratch = analysis_room(call, rolling_scratch(window));
    if (!sums || !scratch) {
        return KILN_RESOURCE;
    }
    rolling_sums(volumes, n, window, scratch, sums);
    *ret = (struct verdict){.total = volumes[0]};
    for (; i < least(window, n); i++) {
        judge_one(prices, volumes, i, sums[i] / (double) (i + 1), judge, ret);
    }
    i = judge_lanes(prices, volumes, sums, i, n, judge, ret);
    for (; i < n; i++) {
        judge_one(prices, volumes, i, sums[i - 1] / (double) window, judge, ret);
    }
    return KILN_OK;
}

static double part_of(double part, double whole)
{
    return whole > 0.0 ? part / whole : 0.0;
}

#define HELP_AGGRESSIVE                                                                                      \
    "A trade moves the price when |p_i - p_i-1|/p_i-1 > impact (and p_i-1 > 0). It is aggressive when also " \
    "its volume is above volume_multiple times the mean volume of the `window` trades before it; for i < "   \
    "window that of the trades 0 .. i. "

/* ---- aggressive_trades ----------------------------------------------------------------------- */

static const struct kiln_row aggressive_trades_params[] = {
    [PRICES] = ROW_TRADE_PRICES,
    [VOLUMES] = ROW_TRADE_VOLUMES,
    [TIMES] = ROW_OPTIONAL("times", "s", "time of each trade, ascending; only checked"),
    [IMPACT] = ROW_NUMBER("impact", "fraction", 0, HUGE_VAL, "0.001", "change of price, over the price"),
    [MULTIPLE] = ROW_NUMBER("volume_multiple", NULL, 0, HUGE_VAL, "1.5", "volume over the mean before"),
    [WINDOW] = {.name = "window",
                .kind = KILN_INT,
                .unit = "trades",
                .min = 1,
                .max = 100000,
                .fallback = "20",
                .help = "trades in the mean volume"},
};

static const struct kiln_row aggressive_trades_results[] = {
    ROW_SCALAR("aggression_score", "fraction", "share of the trades that are aggressive"),
    ROW_COUNT("aggressive_count", "number of aggressive trades"),
    ROW_SCALAR("aggressive_volume_ratio", "fraction", "share of the volume that is in them"),
    ROW_SCALAR("buy_aggressive_volume", NULL, "volume of those that raised the price"),
    ROW_SCALAR("sell_aggressive_volume", NULL, "volume of those that lowered it"),
};

static const struct kiln_golden aggressive_trades_goldens[] = {
    {.title = "4 against a mean of 1, 6 against 3.5",
     .args = "{" FIVE_TRADES ",\"window\":2}",
     .result = "{\"aggression_score\":0.4,\"aggressive_count\":2,\"aggressive_volume_ratio\":0.666666666666"
               "6666,\"buy_aggressive_volume\":4,\"sell_aggressive_volume\":6}",
     .rtol = 1e-14},
    {.title = "one trade without volume",
     .args = "{\"prices\":[10],\"volumes\":[0]}",
     .result = "{\"aggression_score\":0,\"aggressive_count\":0,\"aggressive_volume_ratio\":0}"},
    {.title = "a window of nothing",
     .args = "{\"prices\":[10],\"volumes\":[0],\"window\":0}",
     .result = "window",
     .status = KILN_INVALID},
    {.args = "{" NOISE "}"},
};

static int aggressive_trades_run(struct kiln_call *call, const struct kiln_slot *args,
                                 struct kiln_slot *results)
{
    struct verdict v;
    struct judge judge = {args[IMPACT].f64, args[MULTIPLE].f64, (size_t) args[WINDOW].i64};
    int status = args[TIMES].present ? tape_ascends(call, "times", &args[TIMES]) : KILN_OK;
    status = status == KILN_OK ? judge_trades(call, args, judge, &v) : status;
    if (status != KILN_OK) {
        return status;
    }
    give(&results[0], (double) v.aggressive / (double) args[PRICES].array.count);
    give_count(&results[1], v.aggressive);
    give(&results[2], part_of(v.bought + v.sold, v.total));
    give(&results[3], v.bought);
    give(&results[4], v.sold);
    return KILN_OK;
}

ANALYSIS(aggressive_trades, "Trades that move the price on a large volume",
         HELP_AGGRESSIVE
         "aggression_score = number of aggressive trades/n. The volumes of those that raised and of those "
         "that lowered the price are apart. Missing "
         "values and negative volumes are refused. Defined here.");

/* ---- aggression ------------------------------------------------------------------------------ */

static const struct kiln_row aggression_params[] = {
    [PRICES] = ROW_TRADE_PRICES,
    [VOLUMES] = ROW_TRADE_VOLUMES,
};

static const struct kiln_row aggression_results[] = {
    ROW_SCALAR("aggression_ratio", "fraction", "simple: share of the trades that move the price"),
    ROW_SCALAR("full_aggression_ratio", "fraction", "full: share of those on a large volume too"),
    ROW_SCALAR("aggressive_volume_ratio", "fraction", "full: share of the volume in them"),
    ROW_SCALAR("volume_weighted_price", "price", "mean price; the first trade counts only below the line"),
};

static const struct kiln_golden aggression_goldens[] = {
    {.title = "2 of 5 move it; 4 is above 1.5 times 2, 6 is above 1.5 times 3",
     .args = "{" FIVE_TRADES "}",
     .result = "{\"aggression_ratio\":0.4,\"full_aggression_ratio\":0.4,\"aggressive_volume_ratio\":0.6666"
               "666666666666,\"volume_weighted_price\":9.380066666666666}",
     .rtol = 1e-14},
    {.title = "no volume",
     .args = "{\"prices\":[10,11],\"volumes\":[0,0]}",
     .result = "{\"aggression_ratio\":0.5,\"full_aggression_ratio\":0,\"volume_weighted_price\":null}"},
    {.title = "unequal lengths",
     .args = "{\"prices\":[10,11],\"volumes\":[0]}",
     .result = "volumes",
     .status = KILN_INVALID},
    {.args = "{" NOISE "}"},
};

static int aggression_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    static const struct judge published = {0.001, 1.5, 20};
    size_t n = (size_t) args[PRICES].array.count;
    const double *prices = series_in(&args[PRICES]), *volumes = series_in(&args[VOLUMES]);
    struct verdict v;
    double paid = 0.0;
    int status = judge_trades(call, args, published, &v);
    if (status != KILN_OK) {
        return status;
    }
    for (size_t i = 1; i < n; i++) {
        paid += prices[i] * volumes[i];
    }
    give(&results[0], (double) v.moving / (double) n);
    give(&results[1], (double) v.aggressive / (double) n);
    give(&results[2], part_of(v.bought + v.sold, v.total));
    results[3].f64 = paid / v.total;
    results[3].present = v.total > 0.0;
    return KILN_OK;
}

ANALYSIS(aggression, "Share of the trades that move the price, as published",
         HELP_AGGRESSIVE
         "Here impact is 0.001, volume_multiple 1.5 and window 20. aggression_ratio = number of trades that "
         "move the price/n; full_aggression_ratio = number of aggressive ones/n. "
         "volume_weighted_price = sum of p_i v_i over i >= 1/sum of v_i over i >= 0, null without volume: "
         "the source leaves the first trade out above the line only, and so does "
         "this. Missing values and negative volumes are refused. Source: the order flow test of the "
         "Virtuoso project; aggressive_trades takes other limits.");
