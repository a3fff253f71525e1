/* SPDX-License-Identifier: MPL-2.0 */
/* support - support and resistance: sr_detection, sr_volume_confirmed, sr_summary. */
#include "analysis.h"
#include "extremes.h"
#include "levels.h"
#include "moving.h"
#include "proximity.h"

#define NOISE                                                                                                \
    "\"high\":{\"$normal\":[1000,1]},\"low\":{\"$normal\":[1000,2]},\"volume\":{\"$linspace\":[1,2,1000]}"

#define SR_RESULT(id, of_unit, says)                                                                         \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .shape = "n m", .unit = of_unit, .help = says                        \
    }

/* ---- sr_detection ---------------------------------------------------------------------------- */

enum { HIGH, LOW, VOLUME, CLOSE, LOOKBACKS };

static const struct kiln_row sr_detection_params[] = {
    [HIGH] = ROW_FINITE_HIGH,   [LOW] = ROW_FINITE_LOW,      [VOLUME] = ROW_FINITE_VOLUME,
    [CLOSE] = ROW_FINITE_CLOSE, [LOOKBACKS] = ROW_LOOKBACKS,
};

static const struct kiln_row sr_detection_results[] = {
    SR_RESULT("support", "price",
              "lowest low of each window; a row for each bar, a column for each lookback"),
    SR_RESULT("resistance", "price", "highest high of each window"),
    SR_RESULT("strength", NULL, "0..1: how much was traded at the levels and how often they were touched"),
};

#define FOUR_BARS "\"high\":[12,11,12,10],\"low\":[8,9,9,8],\"volume\":[4,2,1,3],\"close\":[10,10,11,9]"

static const struct kiln_golden sr_detection_goldens[] = {
    {.title = "the lookback 2; at bar 2 the volumes at the extremes are 4 and 4 of 4, touches 1 and 2 of 2",
     .args = "{" FOUR_BARS ",\"lookbacks\":[2]}",
     .result = "{\"support\":[[0],[0],[8],[8]],\"resistance\":[[0],[0],[12],[12]],"
               "\"strength\":[[0],[0],[0.9],[0.6]]}",
     .rtol = 1e-14},
    {.title = "a lookback as long as the series",
     .args = "{" FOUR_BARS ",\"lookbacks\":[4,3]}",
     .result = "{\"support\":[[0,0],[0,0],[0,0],[0,8]]}"},
    {.title = "no volume: touches alone",
     .args = "{\"high\":[7,7],\"low\":[7,7],\"volume\":[0,0],\"close\":[7,7],\"lookbacks\":[1]}",
     .result = "{\"strength\":[[0],[0.8]]}",
     .rtol = 1e-14},
    {.title = "a missing bar",
     .args = "{\"high\":[7,null],\"low\":[7,7],\"volume\":[0,0],\"close\":[7,7]}",
     .result = "high[1]",
     .status = KILN_INVALID},
    {.args = "{" NOISE ",\"close\":{\"$linspace\":[1,2,1000]}}"},
};

static double side_strength(const struct levels *l, const struct levels_side *side, size_t i, double lookback)
{
    double volume = l->max_volume[i] > 0.0 ? side->weight[i] / l->max_volume[i] : 0.0;
    return 0.6 * volume + 0.4 * side->touches[i] / lookback;
}

/* One column: bars of n that have `lookback` before them. The others are 0. */
static int sr_column(struct kiln_call *call, const struct kiln_slot *args, size_t n, size_t lookback,
                     size_t step, struct levels *l, double *support, double *resistance, double *strength,
                     struct pace *pace)
{
    for (size_t i = 0; i < least(lookback, n); i++) {
        support[i * step] = resistance[i * step] = strength[i * step] = 0.0;
    }
    if (lookback >= n) {
        return KILN_OK;
    }
    const double *low = series_in(&args[LOW]), *high = series_in(&args[HIGH]);
    const double *volume = series_in(&args[VOLUME]), *close = series_in(&args[CLOSE]);
    int status = levels_begin(l, call, lookback + 1, n - lookback);
    for (size_t length, from = 0; status == KILN_OK && from < n - lookback; from += length) {
        length = least(l->most, n - lookback - from);
        status = levels_next(l, low + from, high + from, volume + from, close + lookback + from, length,
                             LEVELS_FIRST, pace);
        for (size_t i = 0; i < length && status == KILN_OK; i++) {
            size_t at = (lookback + from + i) * step;
            support[at] = l->low.level[i];
            resistance[at] = l->high.level[i];
            strength[at] = (side_strength(l, &l->low, i, (double) lookback) +
                            side_strength(l, &l->high, i, (double) lookback)) /
                           2.0;
        }
    }
    return status;
}

static int sr_detection_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    size_t n = (size_t) args[HIGH].array.count, m = (size_t) args[LOOKBACKS].array.count;
    const int64_t *lookbacks = args[LOOKBACKS].array.data;
    struct pace pace = {call, 0};
    struct levels l = {0};
    int status = KILN_OK;
    for (size_t k = 0; k < m && status == KILN_OK; k++) {
        status = sr_column(call, args, n, (size_t) lookbacks[k], m, &l, series_out(&results[0]) + k,
                           series_out(&results[1]) + k, series_out(&results[2]) + k, &pace);
    }
    return status;
}

#define HELP_SR                                                                                              \
    "For each lookback L the window of bar i is its L + 1 bars i-L .. i. support is their lowest low, "      \
    "resistance their highest high. A touch is a low (high) within 0.001 close_i of the level. Strength of " \
    "a side = 0.6 (volume of the bar at the level, the first on ties)/(greatest volume of the window) + "    \
    "0.4 touches/L; "                                                                                        \
    "strength is the mean of both sides. A window without any volume counts its touches alone. Bars with "   \
    "fewer than L before them are 0."

ANALYSIS(sr_detection, "Support and resistance over several lookbacks",
         HELP_SR "\n\nMissing values are refused. Source: the published jit test of the Virtuoso project.");

/* ---- sr_volume_confirmed --------------------------------------------------------------------- */

enum { CONFIRMED_HIGH, CONFIRMED_LOW, CONFIRMED_VOLUME, CONFIRMED_LOOKBACKS };

static const struct kiln_row sr_volume_confirmed_params[] = {
    [CONFIRMED_HIGH] = ROW_FINITE_HIGH,
    [CONFIRMED_LOW] = ROW_FINITE_LOW,
    [CONFIRMED_VOLUME] = ROW_FINITE_VOLUME,
    [CONFIRMED_LOOKBACKS] = ROW_LOOKBACKS,
};

static const struct kiln_row sr_volume_confirmed_results[] = {
    SR_RESULT("support", "price", "lowest low where it is confirmed, else 0; a column for each lookback"),
    SR_RESULT("resistance", "price", "highest high where it is confirmed, else 0"),
    SR_RESULT("strength", NULL, "volume at the level/mean volume of the window; that of support comes first"),
};

static const struct kiln_golden sr_volume_confirmed_goldens[] = {
    {.title = "a low inside the window on 6 of a mean of 3, a high on too little",
     .args = "{\"high\":[10,9,12,11],\"low\":[8,7,9,9],\"volume\":[1,6,2,2],\"lookbacks\":[2]}",
     .result =
         "{\"support\":[[0],[0],[7],[0]],\"resistance\":[[0],[0],[0],[0]],\"strength\":[[0],[0],[2],[0]]}",
     .rtol = 1e-14},
    {.title = "all bars equal",
     .args = "{\"high\":[7,7,7],\"low\":[7,7,7],\"volume\":[1,1,1],\"lookbacks\":[2]}",
     .result = "{\"support\":[[0],[0],[0]],\"strength\":[[0],[0],[0]]}"},
    {.title = "negative volume",
     .args = "{\"high\":[7],\"low\":[7],\"volume\":[-2.5]}",
     .result = "-2.5",
     .status = KILN_INVALID},
    {.args = "{" NOISE "}"},
};

/* The series from its end to its beginning: where the kernel finds the latest extreme, it is the first. */
struct mirror {
    double *low, *high, *at, *scratch, *mean;
};

static bool confirms(const double *x, const double *volume, size_t at, size_t first, size_t last, double mean,
                     bool lowest)
{
    if (at <= first || at >= last || !(volume[at] > mean)) {
        return false;
    }
    return lowest ? x[at] < x[at - 1] && x[at] < x[at + 1] : x[at] > x[at - 1] && x[at] > x[at + 1];
}

static void confirm_side(const double *x, const double *volume, size_t n, size_t lookback, size_t step,
                         struct mirror *mirror, bool lowest, double *level, double *strength)
{
    (lowest ? extremes_min_at : extremes_max_at)(lowest ? mirror->low : mirror->high, lookback, n,
                                                 lookback + 1, 0, mirror->scratch, mirror->at);
    for (size_t i = lookback; i < n; i++) {
        size_t first = i - lookback, at = n - 1 - (size_t) mirror->at[n - 1 - first];
        bool holds = confirms(x, volume, at, first, i, mirror->mean[i], lowest);
        level[i * step] = holds ? x[at] : 0.0;
        strength[i * step] = holds ? volume[at] / mirror->mean[i] : strength[i * step];
    }
}

static int sr_volume_confirmed_run(struct kiln_call *call, const struct kiln_slot *args,
                                   struct kiln_slot *results)
{
    size_t n = (size_t) args[CONFIRMED_HIGH].array.count, longest = 0;
    size_t m = (size_t) args[CONFIRMED_LOOKBACKS].array.count;
    const int64_t *lookbacks = args[CONFIRMED_LOOKBACKS].array.data;
    const double *low = series_in(&args[CONFIRMED_LOW]), *high = series_in(&args[CONFIRMED_HIGH]);
    const double *volume = series_in(&args[CONFIRMED_VOLUME]);
    for (size_t k = 0; k < m; k++) {
        longest = (size_t) lookbacks[k] > longest ? (size_t) lookbacks[k] : longest;
    }
    double *room = analysis_room(call, 4 * n + moving_mean_scratch(longest + 1));
    if (!room) {
        return KILN_RESOURCE;
    }
    struct mirror mirror = {room, room + n, room + 2 * n, room + 4 * n, room + 3 * n};
    for (size_t i = 0; i < n; i++) {
        mirror.low[i] = low[n - 1 - i];
        mirror.high[i] = high[n - 1 - i];
    }
    for (size_t k = 0; k < m; k++) {
        size_t lookback = (size_t) lookbacks[k];
        double *support = series_out(&results[0]) + k, *resistance = series_out(&results[1]) + k;
        double *strength = series_out(&results[2]) + k;
        for (size_t i = 0; i < n; i++) {
            support[i * m] = resistance[i * m] = strength[i * m] = 0.0;
        }
        if (lookback >= n) {
            continue;
        }
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        moving_mean(volume, n, lookback + 1, mirror.scratch, mirror.mean);
        confirm_side(high, volume, n, lookback, m, &mirror, false, resistance, strength);
        confirm_side(low, volume, n, lookback, m, &mirror, true, support, strength);
    }
    return KILN_OK;
}

ANALYSIS(sr_volume_confirmed, "Support and resistance that volume confirms",
         "For each lookback L the window of bar i is its L + 1 bars i-L .. i. Its lowest low (the first on "
         "ties) is a support when it "
         "is neither the first nor the last bar of the window, lies below both its neighbours, and was "
         "traded with more than the mean "
         "volume of the window; its highest high is a resistance likewise. The level is 0 where it is not "
         "confirmed. strength = "
         "volume at the level/mean volume; where both hold it is that of the support.\n\nMissing values are "
         "refused. Source: the volume-confirmed "
         "variant of the Virtuoso project's design document.");

/* ---- sr_summary ------------------------------------------------------------------------------ */

#define sr_summary_params sr_detection_params

static const struct kiln_row sr_summary_results[] = {
    ROW_SCALAR("current_support", "price", "support at the last bar, of the lookback that is strongest"),
    ROW_SCALAR("current_resistance", "price", "resistance at the last bar, of the same lookback"),
    ROW_SCORE("proximity_score", "above 50: the close is nearer to supports; below: to resistances"),
};

static const struct kiln_golden sr_summary_goldens[] = {
    {.title = "far from both",
     .args = "{" FOUR_BARS ",\"lookbacks\":[2]}",
     .result = "{\"current_support\":8,\"current_resistance\":12,\"proximity_score\":50}"},
    {.title = "at the support of the other lookback",
     .args =
         "{\"high\":[12,11,12],\"low\":[8,9,10],\"volume\":[1,1,1],\"close\":[9,9,8],\"lookbacks\":[1,2]}",
     .result = "{\"current_support\":9,\"current_resistance\":12,\"proximity_score\":100}"},
    {.title = "too few bars for any lookback",
     .args = "{\"high\":[12],\"low\":[8],\"volume\":[1],\"close\":[9]}",
     .result = "{\"current_support\":null,\"current_resistance\":null,\"proximity_score\":50}"},
    {.title = "unequal lengths",
     .args = "{\"high\":[12,13],\"low\":[8],\"volume\":[1],\"close\":[9]}",
     .result = "low",
     .status = KILN_INVALID},
    {.args = "{" NOISE ",\"close\":{\"$linspace\":[1,2,1000]}}"},
};

static int sr_summary_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    size_t n = (size_t) args[HIGH].array.count, m = (size_t) args[LOOKBACKS].array.count;
    const int64_t *lookbacks = args[LOOKBACKS].array.data;
    double *room = analysis_room(call, 3 * m), price = series_in(&args[CLOSE])[n - 1], strongest = -1.0;
    if (!room) {
        return KILN_RESOURCE;
    }
    double *support = room, *resistance = room + m, *strength = room + 2 * m;
    struct pace pace = {call, 0};
    struct levels l = {0};
    for (size_t k = 0; k < m; k++) {
        size_t lookback = (size_t) lookbacks[k];
        support[k] = resistance[k] = strength[k] = 0.0;
        if (lookback >= n) {
            continue;
        }
        size_t from = n - 1 - lookback;
        int status = levels_begin(&l, call, lookback + 1, 1);
        if (status == KILN_OK) {
            status = levels_next(&l, series_in(&args[LOW]) + from, series_in(&args[HIGH]) + from,
                                 series_in(&args[VOLUME]) + from, series_in(&args[CLOSE]) + n - 1, 1,
                                 LEVELS_FIRST, &pace);
        }
        if (status != KILN_OK) {
            return status;
        }
        support[k] = l.low.level[0];
        resistance[k] = l.high.level[0];
        strength[k] = (side_strength(&l, &l.low, 0, (double) lookback) +
                       side_strength(&l, &l.high, 0, (double) lookback)) /
                      2.0;
        if (strength[k] > strongest) {
            strongest = strength[k];
            give(&results[0], support[k]);
            give(&results[1], resistance[k]);
        }
    }
    give(&results[2], proximity_score(price, support, resistance, strength, m, PROXIMITY_REACH));
    return KILN_OK;
}

ANALYSIS(sr_summary, "Support and resistance now, and a score",
         "sr_detection at the last bar alone. current_support and current_resistance are those of the "
         "lookback with the greatest strength (the first on ties); "
         "null when no lookback is shorter than the series. proximity_score is that of level_proximity for "
         "the last close, the levels and strengths of "
         "all lookbacks, and proximity_pct 0.02.\n\n" HELP_SR "\n\nMissing values are refused.");
