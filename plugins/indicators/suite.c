/* SPDX-License-Identifier: MPL-2.0 */
/* suite - volume beside price, over several windows: volume_suite, volume_flow_summary. */
#include "moving.h"
#include "rolling.h"
#include "running.h"

enum { HIGH, LOW, CLOSE, VOLUME, PERIODS, NBDEV, SHORT, LONG };

static const struct kiln_row volume_suite_params[] = {
    [HIGH] = ROW_FINITE_HIGH,
    [LOW] = ROW_FINITE_LOW,
    [CLOSE] = ROW_FINITE_CLOSE,
    [VOLUME] = ROW_FINITE_VOLUME,
    [PERIODS] = {.name = "periods",
                 .kind = KILN_ARRAY,
                 .dtype = KILN_I64,
                 .shape = "m",
                 .unit = "bars",
                 .min = 1,
                 .max = 100000,
                 .fallback = "[20,50,100,200]",
                 .help = "windows of vwap; one longer than the series has no values"},
    [NBDEV] = ROW_NUMBER("nbdev", NULL, 0, HUGE_VAL, "2", "deviations from vwap to its bands"),
    [SHORT] = ROW_PERIOD("short_period", 1, "20", "short window of the volume"),
    [LONG] = ROW_PERIOD("long_period", 1, "50", "long window of the volume"),
};

enum {
    VWAP,
    UPPER,
    LOWER,
    SMA_SHORT,
    SMA_LONG,
    RATIO,
    MONEY_FLOW,
    FLOW_SHORT,
    FLOW_LONG,
    MOMENTUM,
    DEVIATION,
    ZSCORE,
    PERCENTILE,
    OBV,
    OBV_SMA
};

#define ROW_COLUMNS(id, says)                                                                                \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .shape = "n m", .unit = "price", .help = says                        \
    }

static const struct kiln_row volume_suite_results[] = {
    [VWAP] = ROW_COLUMNS("vwap", "mean typical price by volume; a column for each of the periods"),
    [UPPER] = ROW_COLUMNS("vwap_upper", "vwap + nbdev deviations"),
    [LOWER] = ROW_COLUMNS("vwap_lower", "vwap - nbdev deviations"),
    [SMA_SHORT] = ROW_RESULT("volume_sma_short", NULL, "mean volume of the short window"),
    [SMA_LONG] = ROW_RESULT("volume_sma_long", NULL, "mean volume of the long window"),
    [RATIO] = ROW_RESULT("volume_ratio", NULL, "volume/volume_sma_short; null where that is 0"),
    [MONEY_FLOW] = ROW_RESULT("money_flow", NULL, "volume of a bar that closes higher, else -volume"),
    [FLOW_SHORT] = ROW_RESULT("cumulative_flow_short", NULL, "sum of money_flow over the short window"),
    [FLOW_LONG] = ROW_RESULT("cumulative_flow_long", NULL, "sum of money_flow over the long window"),
    [MOMENTUM] = ROW_RESULT("volume_weighted_momentum", "price",
                            "mean of the change of the close times volume_ratio, over the short window"),
    [DEVIATION] = ROW_RESULT("volume_std", NULL, "population standard deviation, short window"),
    [ZSCORE] = ROW_RESULT("volume_zscore", NULL, "(volume - volume_sma_short)/volume_std; null at 0/0"),
    [PERCENTILE] = ROW_RESULT("volume_percentile", NULL, "100/long_period times the rank, which is -1..1"),
    [OBV] = ROW_RESULT("obv", NULL, "sum of the volume signed by the change of the close, from 0"),
    [OBV_SMA] = ROW_RESULT("obv_sma", NULL, "mean of obv over the short window"),
};

#define THREE_BARS "\"high\":[4,7,7],\"low\":[2,5,1],\"close\":[3,6,4],\"volume\":[1,2,6]"

static const struct kiln_golden volume_suite_goldens[] = {
    {.title = "windows of 2 and 3; typical prices 3, 6, 4",
     .args = "{" THREE_BARS ",\"periods\":[2,4],\"short_period\":2,\"long_period\":3}",
     .result = "{\"vwap\":[[3,null],[5,null],[4.5,null]],\"vwap_upper\":[[3,null],[6,null],[6,null]],"
               "\"volume_sma_short\":[1,1.5,4],\"volume_sma_long\":[1,1.5,3],\"volume_ratio\":[1,"
               "1.3333333333333333,1.5],\"money_flow\":[-1,2,-6],\"cumulative_flow_short\":[-1,1,-4],"
               "\"cumulative_flow_long\":[-1,1,-5],\"volume_weighted_momentum\":[0,2,0.5],\"volume_std\":[0,"
               "0.5,2],\"volume_zscore\":[null,1,1],\"volume_percentile\":[0,33.333333333333336,"
               "33.333333333333336],\"obv\":[0,2,-4],\"obv_sma\":[0,1,-1]}",
     .rtol = 1e-13},
    {.title = "no volume",
     .args = "{\"high\":[4],\"low\":[2],\"close\":[3],\"volume\":[0],\"periods\":[1]}",
     .result = "{\"vwap\":[[null]],\"volume_ratio\":[null],\"volume_percentile\":[0],\"obv\":[0]}"},
    {.title = "negative volume",
     .args = "{\"high\":[4],\"low\":[2],\"close\":[3],\"volume\":[-2.5]}",
     .result = "-2.5",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[1000,1]},\"low\":{\"$normal\":[1000,2]},\"close\":{\"$normal\":[1000,3]"
             "},\"volume\":{\"$linspace\":[1,9,1000]}}"},
};

/* Room of one call: series of n bars, and scratch for windows of `longest`. */
struct room {
    double *vwap, *apart, *mean, *variance, *scratch;
};

static bool room_take(struct kiln_call *call, size_t n, size_t longest, struct room *room)
{
    double *series = analysis_room(call, 4 * n);
    room->scratch = analysis_room(call, rolling_scratch(longest));
    room->vwap = series;
    room->apart = series ? series + n : NULL;
    room->mean = series ? series + 2 * n : NULL;
    room->variance = series ? series + 3 * n : NULL;
    return series && room->scratch;
}

/* One column of m: the price by volume over a window, and its bands. */
static int vwap_column(const struct kiln_slot *args, size_t period, size_t column, struct room *room,
                       struct kiln_slot *results, struct pace *pace)
{
    size_t n = (size_t) args[HIGH].array.count, m = (size_t) args[PERIODS].array.count;
    const double *high = series_in(&args[HIGH]), *low = series_in(&args[LOW]);
    const double *close = series_in(&args[CLOSE]), *volume = series_in(&args[VOLUME]);
    double *vwap = series_out(&results[VWAP]) + column, *upper = series_out(&results[UPPER]) + column;
    double *lower = series_out(&results[LOWER]) + column;
    if (period > n) {
        for (size_t i = 0; i < n; i++) {
            vwap[i * m] = upper[i * m] = lower[i * m] = (double) NAN;
        }
        return KILN_OK;
    }
    running_vwap(high, low, close, volume, period - 1, room->vwap);
    moving_vwap(high, low, close, volume, n, period, room->scratch, room->vwap);
    for (size_t i = 0; i < n; i++) {
        room->apart[i] = (high[i] + low[i] + close[i]) / 3.0 - room->vwap[i];
    }
    int status = rolling_moments(room->apart, n, period, room->scratch, pace, room->mean, room->variance);
    for (size_t i = 0; i < n && status == KILN_OK; i++) {
        double width = args[NBDEV].f64 * sqrt(room->variance[i]);
        vwap[i * m] = room->vwap[i];
        upper[i * m] = room->vwap[i] + width;
        lower[i * m] = room->vwap[i] - width;
    }
    return status;
}

/* The volume itself: means, deviation, where it stands. */
static int volume_alone(const struct kiln_slot *args, size_t n, struct room *room, struct kiln_slot *results,
                        struct pace *pace)
{
    size_t brief = (size_t) args[SHORT].i64, extended = (size_t) args[LONG].i64;
    const double *volume = series_in(&args[VOLUME]);
    double *mean = series_out(&results[SMA_SHORT]), *deviation = series_out(&results[DEVIATION]);
    double *ratio = series_out(&results[RATIO]), *score = series_out(&results[ZSCORE]);
    double *percentile = series_out(&results[PERCENTILE]);
    int status = rolling_moments(volume, n, brief, room->scratch, pace, mean, room->variance);
    if (status == KILN_OK) {
        status = rolling_moments(volume, n, extended, room->scratch, pace, series_out(&results[SMA_LONG]),
                                 room->mean);
    }
    if (status == KILN_OK) {
        status = rolling_rank(volume, n, extended, pace, percentile);
    }
    for (size_t i = 0; i < n && status == KILN_OK; i++) {
        deviation[i] = sqrt(room->variance[i]);
        ratio[i] = volume[i] / mean[i];
        score[i] = (volume[i] - mean[i]) / deviation[i];
        percentile[i] = percentile[i] / (double) extended * 100.0;
    }
    return status;
}

/* The volume by the direction of the close. */
static int volume_by_price(const struct kiln_slot *args, size_t n, struct room *room,
                           struct kiln_slot *results, struct pace *pace)
{
    size_t brief = (size_t) args[SHORT].i64, extended = (size_t) args[LONG].i64;
    const double *close = series_in(&args[CLOSE]), *volume = series_in(&args[VOLUME]);
    const double *ratio = series_out(&results[RATIO]);
    double *flow = series_out(&results[MONEY_FLOW]), *obv = series_out(&results[OBV]), bought, sold;
    flow[0] = -volume[0];
    room->apart[0] = 0.0 * ratio[0];
    for (size_t i = 1; i < n; i++) {
        double change = close[i] - close[i - 1];
        flow[i] = change > 0.0 ? volume[i] : -volume[i];
        room->apart[i] = change * ratio[i];
    }
    rolling_sums(flow, n, brief, room->scratch, series_out(&results[FLOW_SHORT]));
    rolling_sums(flow, n, extended, room->scratch, series_out(&results[FLOW_LONG]));
    running_cvd_trades(close, volume, NULL, n, obv, &bought, &sold);
    int status = rolling_moments(room->apart, n, brief, room->scratch, pace, series_out(&results[MOMENTUM]),
                                 room->variance);
    return status != KILN_OK ? status
                             : rolling_moments(obv, n, brief, room->scratch, pace,
                                               series_out(&results[OBV_SMA]), room->variance);
}

static int volume_suite_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    size_t n = (size_t) args[HIGH].array.count, m = (size_t) args[PERIODS].array.count;
    size_t brief = (size_t) args[SHORT].i64, extended = (size_t) args[LONG].i64;
    size_t longest = brief > extended ? brief : extended;
    const int64_t *periods = args[PERIODS].array.data;
    for (size_t k = 0; k < m; k++) {
        longest = (size_t) periods[k] > longest ? (size_t) periods[k] : longest;
    }
    struct room room;
    struct pace pace = {call, 0};
    if (!room_take(call, n, longest, &room)) {
        return KILN_RESOURCE;
    }
    int status = KILN_OK;
    for (size_t k = 0; k < m && status == KILN_OK; k++) {
        status = vwap_column(args, (size_t) periods[k], k, &room, results, &pace);
    }
    status = status == KILN_OK ? volume_alone(args, n, &room, results, &pace) : status;
    return status == KILN_OK ? volume_by_price(args, n, &room, results, &pace) : status;
}

ANALYSIS(volume_suite, "Volume beside price: VWAP and bands, means, flows, z-score, percentile, OBV",
         "A window of w bars is used from the first bar on: where there are fewer, those there are. Values "
         "that do not exist are left out of means and deviations.\n\n"
         "vwap = sum tp v/sum v over each of the periods, tp = (high + low + close)/3, null without volume; "
         "the bands are vwap -/+ nbdev standard deviations (population) of tp - "
         "vwap over the same window. Columns whose period is longer than the series are null.\n\n"
         "d is the change of the close, 0 at first. money_flow = volume if d > 0, else -volume; "
         "cumulative_flow: its sums. "
         "volume_weighted_momentum: mean of d volume_ratio. volume_percentile = 100 r/long_period, r = 2 "
         "rank/(m - 1) - 1 the normalised rank of the bar's volume among the m "
         "of the long window, ties in the middle, 0 when m = 1: so it lies in -100/long_period .. "
         "100/long_period, as the source has it. obv starts at 0, unlike TA-Lib's.\n\n"
         "Missing values and negative volumes are refused. Source: the volume tests of the Virtuoso "
         "project, where the windows are 20, 50, 100, 200 and 20, 50.");

/* ---- volume_flow_summary --------------------------------------------------------------------- */

enum { FLOW_CLOSE, FLOW_VOLUME, FLOW_PERIOD };

static const struct kiln_row volume_flow_summary_params[] = {
    [FLOW_CLOSE] = ROW_FINITE_CLOSE,
    [FLOW_VOLUME] = ROW_FINITE_VOLUME,
    [FLOW_PERIOD] = ROW_PERIOD("period", 1, "20", "last bars that are looked at"),
};

static const struct kiln_row volume_flow_summary_results[] = {
    ROW_SCALAR("volume_ratio", NULL, "last volume/mean volume; null without volume"),
    ROW_SCALAR("cumulative_flow", NULL, "volume of bars that close higher - that of the others"),
    ROW_SCALAR("volume_zscore", NULL, "deviations of the last volume from the mean; null at 0/0"),
};

static const struct kiln_golden volume_flow_summary_goldens[] = {
    {.title = "volumes 2 and 6, the last one falling",
     .args = "{\"close\":[3,6,4],\"volume\":[1,2,6],\"period\":2}",
     .result = "{\"volume_ratio\":1.5,\"cumulative_flow\":-4,\"volume_zscore\":1}",
     .rtol = 1e-14},
    {.title = "one bar",
     .args = "{\"close\":[3],\"volume\":[2]}",
     .result = "{\"volume_ratio\":1,\"cumulative_flow\":-2,\"volume_zscore\":null}"},
    {.title = "negative volume",
     .args = "{\"close\":[3],\"volume\":[-2.5]}",
     .result = "-2.5",
     .status = KILN_INVALID},
};

static int volume_flow_summary_run(struct kiln_call *call, const struct kiln_slot *args,
                                   struct kiln_slot *results)
{
    (void) call;
    size_t n = (size_t) args[FLOW_CLOSE].array.count, count = least((size_t) args[FLOW_PERIOD].i64, n);
    const double *close = series_in(&args[FLOW_CLOSE]), *volume = series_in(&args[FLOW_VOLUME]);
    double last = volume[n - 1], apart = 0.0, squares = 0.0, flow = 0.0;
    for (size_t i = n - count; i < n; i++) {
        flow += i > 0 && close[i] > close[i - 1] ? volume[i] : -volume[i];
        apart += volume[i] - last;
    }
    double deviation = apart / (double) count, mean = last + deviation;
    for (size_t i = n - count; i < n; i++) {
        double d = volume[i] - last - deviation;
        squares += d * d;
    }
    double width = sqrt(squares / (double) count);
    results[0].f64 = last / mean;
    results[0].present = mean > 0.0;
    give(&results[1], flow);
    results[2].f64 = -deviation / width;
    results[2].present = width > 0.0;
    return KILN_OK;
}

ANALYSIS(volume_flow_summary, "Volume now against that of the last bars",
         "volume_ratio, cumulative_flow and volume_zscore of volume_suite at the last bar, over one window "
         "of `period` bars. Missing values and negative volumes are refused.");
