/* SPDX-License-Identifier: MPL-2.0 */
/* channels - lines around the price: the middle of its range, acceleration bands, and the parabolic stop that follows it. */
#include <math.h>

#include "extremes.h"
#include "indicator.h"
#include "indicators.h"
#include "parabolic.h"
#include "moving.h"

/* ---- midpoint, midprice ---------------------------------------------------------------------- */

static const struct kiln_row midpoint_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "14", "bars in the window"),
};

static const struct kiln_row midpoint_results[] = {
    ROW_RESULT("midpoint", "price", "middle between the highest and the lowest of the last `period` prices"),
};

static const struct kiln_golden midpoint_goldens[] = {
    {.title = "three bars",
     .args = "{\"close\":[1,5,2,8,6],\"period\":3}",
     .result = "{\"midpoint\":[null,null,3,5,5]}"},
    {.title = "shorter than the period", .args = "{\"close\":[7,8]}", .result = "{\"midpoint\":[null,null]}"},
    {.title = "a period too short",
     .args = "{\"close\":[7,8],\"period\":1}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int middle_plan(const struct kiln_slot *args, struct plan *plan)
{
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->history = plan->period[0] - 1;
    plan->scratch = extremes_piece(plan->period[0]);
    return KILN_OK;
}

KERNEL static void halfway(const double *restrict low, size_t n, double *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (out[i] + low[i]) / 2.0;
    }
}

static void middle_advance(const struct plan *plan, struct feed *f, const double *high, const double *low)
{
    struct part part = part_from(feed_part(f), plan->lookback);
    size_t period = plan->period[0], piece = extremes_piece(period);
    for (size_t from = part.begin; from < part.end; from += piece) {
        size_t length = least(piece, part.end - from);
        extremes_max(high, from, from + length, period, f->out[0]);
        extremes_min(low + from, 0, length, period, f->scratch);
        halfway(f->scratch, length, f->out[0] + from);
    }
}

static int midpoint_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    return middle_plan(args, plan);
}

static void midpoint_advance(const struct plan *plan, struct feed *f)
{
    middle_advance(plan, f, f->in[0], f->in[0]);
}

INDICATOR(midpoint, 1, "Middle of the range of a price",
          "(highest + lowest)/2 of the last `period` prices, as TA-Lib's MIDPOINT; the first value is at bar "
          "period - 1.\n\n" HELP_ALIGNED);

static const struct kiln_row midprice_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_PERIOD("period", 2, "14", "bars in the window"),
};

static const struct kiln_row midprice_results[] = {
    ROW_RESULT("midprice", "price", "middle between the highest high and the lowest low"),
};

static const struct kiln_golden midprice_goldens[] = {
    {.title = "two bars",
     .args = "{\"high\":[5,6,9],\"low\":[1,3,4],\"period\":2}",
     .result = "{\"midprice\":[null,3.5,6]}"},
    {.title = "a missing low",
     .args = "{\"high\":[5,6,9,9],\"low\":[null,3,4,2],\"period\":2}",
     .result = "{\"midprice\":[null,null,6,5.5]}"},
    {.title = "unequal lengths",
     .args = "{\"high\":[7,8],\"low\":[6]}",
     .result = "low",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]}}"},
};

static int midprice_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    return middle_plan(args, plan);
}

static void midprice_advance(const struct plan *plan, struct feed *f)
{
    middle_advance(plan, f, f->in[0], f->in[1]);
}

INDICATOR(midprice, 2, "Middle of the range of bars",
          "(highest high + lowest low)/2 of the last `period` bars, as TA-Lib's MIDPRICE; the first value is "
          "at bar period - 1.\n\n" HELP_ALIGNED);

/* ---- accbands -------------------------------------------------------------------------------- */

static const struct kiln_row accbands_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "20", "bars in the means"),
};

static const struct kiln_row accbands_results[] = {
    ROW_RESULT("upper_band", "price", "mean of high x (1 + 4 (high - low)/(high + low))"),
    ROW_RESULT("middle_band", "price", "mean of close"),
    ROW_RESULT("lower_band", "price", "mean of low x (1 - 4 (high - low)/(high + low))"),
};

static const struct kiln_golden accbands_goldens[] = {
    {.title = "ranges of a half and of a third",
     .args = "{\"high\":[3,4],\"low\":[1,2],\"close\":[2,3],\"period\":2}",
     .result = "{\"upper_band\":[null,9.166666666666666],\"middle_band\":[null,2.5],"
               "\"lower_band\":[null,-0.8333333333333334]}",
     .rtol = 1e-13},
    {.title = "high + low = 0: no band",
     .args = "{\"high\":[0,2],\"low\":[0,-2],\"close\":[0,1],\"period\":2}",
     .result = "{\"upper_band\":[null,1],\"middle_band\":[null,0.5],\"lower_band\":[null,-1]}"},
    {.title = "a period too long",
     .args = "{\"high\":[3,4],\"low\":[1,2],\"close\":[2,3],\"period\":100001}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":["
             "10000,3]}}"},
};

static int accbands_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->period[0] - 1;
    plan->history = moving_history(plan->period[0]);
    plan->scratch = moving_mean_scratch(plan->period[0]) + 2 * plan->history;
    plan->scratch_bars = 2;
    return KILN_OK;
}

KERNEL static void stretch(const double *restrict high, const double *restrict low, size_t n,
                           double *restrict upper, double *restrict lower)
{
    for (size_t i = 0; i < n; i++) {
        double sum = high[i] + low[i], width = 4.0 * (high[i] - low[i]) / sum;
        width = fabs(sum) < 1e-14 ? 0.0 : width;
        upper[i] = high[i] * (1.0 + width);
        lower[i] = low[i] * (1.0 - width);
    }
}

static void accbands_advance(const struct plan *plan, struct feed *f)
{
    struct part part = feed_part(f);
    uint64_t number = part.origin + part.begin;
    size_t before = number < plan->history ? (size_t) number : plan->history, from = part.begin - before;
    size_t length = part.end - from;
    size_t period = plan->period[0];
    double *upper = f->scratch + moving_mean_scratch(period), *lower = upper + length;
    stretch(f->in[0] + from, f->in[1] + from, length, upper, lower);
    struct part own = {before, length, part.origin + from};
    moving_mean_part(upper, own, period, f->scratch, f->out[0] + from);
    moving_mean_part(lower, own, period, f->scratch, f->out[2] + from);
    moving_mean_part(f->in[2], part, period, f->scratch, f->out[1]);
}

INDICATOR(accbands, 3, "Acceleration bands",
          "With the width w = 4 (high - low)/(high + low) of a bar (0 where |high + low| < 1e-14), the upper "
          "band is the mean of high (1 + w) over the last `period` bars, the lower one that of low (1 - w), "
          "and the middle that of close; as TA-Lib's ACCBANDS (Price Headley). The first values are at bar "
          "period - 1.\n\n" HELP_ALIGNED);

/* ---- sar, sarext ----------------------------------------------------------------------------- */

#define ROW_PACE(id, by_default, says)                                                                       \
    {                                                                                                        \
        .name = id, .kind = KILN_FLOAT, .flags = KILN_FINITE, .min = 0, .max = 3e37, .fallback = by_default, \
        .help = says                                                                                         \
    }

static const struct kiln_row sar_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_PACE("acceleration", "0.02", "first acceleration factor, and its growth with each new extreme"),
    ROW_PACE("maximum", "0.2", "most that the factor grows to; the first one too is not above it"),
};

static const struct kiln_row sar_results[] = {
    ROW_RESULT("sar", "price", "stop below the price while long, above it while short"),
};

static const struct kiln_golden sar_goldens[] = {
    {.title = "long, then a turn",
     .args = "{\"high\":[10,11,13,12,9],\"low\":[9,10,12,10,7]}",
     .result = "{\"sar\":[null,9,9.04,9.1984,13]}",
     .rtol = 1e-14},
    {.title = "short from the beginning",
     .args = "{\"high\":[10,9,8],\"low\":[8,6,5]}",
     .result = "{\"sar\":[null,10,9.92]}",
     .rtol = 1e-14},
    {.title = "one bar", .args = "{\"high\":[10],\"low\":[9]}", .result = "{\"sar\":[null]}"},
    {.title = "a negative factor",
     .args = "{\"high\":[10,11],\"low\":[9,10],\"acceleration\":-1}",
     .result = "acceleration",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$linspace\":[10,90,10000]},\"low\":{\"$linspace\":[9,89,10000]}}"},
};

static struct parabolic_side side_of(double first, double step, double most)
{
    return (struct parabolic_side){first < most ? first : most, step < most ? step : most, most};
}

static void plan_parabolic(struct plan *plan)
{
    plan->lookback = 1;
    plan->history = PARABOLIC_HISTORY;
    plan->state = PARABOLIC_STATE;
}

static int sar_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan_parabolic(plan);
    plan->factor[0] = args[0].f64;
    plan->factor[1] = args[1].f64;
    return KILN_OK;
}

static void sar_advance(const struct plan *plan, struct feed *f)
{
    struct parabolic_side side = side_of(plan->factor[0], plan->factor[0], plan->factor[1]);
    struct parabolic p = {.up = side, .down = side};
    parabolic_part(f->in[0], f->in[1], feed_part(f), &p, f->state, f->out[0]);
}

#define HELP_SAR                                                                                             \
    "Each bar the stop moves to the extreme point (the highest high since the position began, while short "  \
    "the lowest low) by the acceleration factor's part of the distance, but never into the range of the "    \
    "last two bars; the factor grows with each new extreme. A bar that touches the stop turns the "          \
    "position: the stop becomes the extreme point, not inside the last two bars, and the factor starts "     \
    "anew. The first position, at bar 1, is short when the low fell and fell by more than the high rose, "   \
    "else long"

INDICATOR(sar, 2, "Parabolic stop and reverse",
          "Wilder's parabolic SAR. " HELP_SAR "; it starts from the low (short: the high) of bar 0. As "
          "TA-Lib's SAR; the first value is at bar 1.\n\n" HELP_ALIGNED);

enum {
    SAREXT_START,
    SAREXT_OFFSET,
    SAREXT_INIT_LONG,
    SAREXT_LONG,
    SAREXT_MAX_LONG,
    SAREXT_INIT_SHORT,
    SAREXT_SHORT,
    SAREXT_MAX_SHORT,
};

static const struct kiln_row sarext_params[] = {
    ROW_HIGH,
    ROW_LOW,
    {.name = "start_value",
     .kind = KILN_FLOAT,
     .flags = KILN_FINITE,
     .min = -3e37,
     .max = 3e37,
     .unit = "price",
     .fallback = "0",
     .help = "first stop of a long position; negative: of a short one; 0: as sar finds it"},
    ROW_PACE("offset_on_reverse", "0", "part of itself by which the stop is moved away on a turn"),
    ROW_PACE("acceleration_init_long", "0.02", "first acceleration factor of a long position"),
    ROW_PACE("acceleration_long", "0.02", "growth of the factor with each new high"),
    ROW_PACE("acceleration_max_long", "0.2", "most that it grows to"),
    ROW_PACE("acceleration_init_short", "0.02", "first acceleration factor of a short position"),
    ROW_PACE("acceleration_short", "0.02", "growth of the factor with each new low"),
    ROW_PACE("acceleration_max_short", "0.2", "most that it grows to"),
};

static const struct kiln_row sarext_results[] = {
    ROW_RESULT("sarext", "price", "stop; negated while short"),
};

static const struct kiln_golden sarext_goldens[] = {
    {.title = "a turn, with an offset",
     .args = "{\"high\":[10,11,13,12,9],\"low\":[9,10,12,10,7],\"offset_on_reverse\":0.1}",
     .result = "{\"sarext\":[null,9,9.04,9.1984,-14.3]}",
     .rtol = 1e-14},
    {.title = "short from a stop of 12",
     .args = "{\"high\":[10,11,11.5],\"low\":[9,10,10.5],\"start_value\":-12}",
     .result = "{\"sarext\":[null,-12,-11.96]}",
     .rtol = 1e-14},
    {.title = "a negative factor",
     .args = "{\"high\":[10,11],\"low\":[9,10],\"acceleration_short\":-1}",
     .result = "acceleration_short",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$linspace\":[10,90,10000]},\"low\":{\"$linspace\":[9,89,10000]}}"},
};

static int sarext_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan_parabolic(plan);
    for (size_t i = 0; i <= SAREXT_MAX_SHORT; i++) {
        plan->factor[i] = args[i].f64;
    }
    return KILN_OK;
}

static void sarext_advance(const struct plan *plan, struct feed *f)
{
    const double *a = plan->factor;
    struct parabolic p = {
        .start = a[SAREXT_START],
        .offset = a[SAREXT_OFFSET],
        .is_signed = true,
        .up = side_of(a[SAREXT_INIT_LONG], a[SAREXT_LONG], a[SAREXT_MAX_LONG]),
        .down = side_of(a[SAREXT_INIT_SHORT], a[SAREXT_SHORT], a[SAREXT_MAX_SHORT]),
    };
    parabolic_part(f->in[0], f->in[1], feed_part(f), &p, f->state, f->out[0]);
}

INDICATOR(sarext, 2, "Parabolic stop and reverse, extended",
          "As sar, with acceleration factors of their own for long and short positions, a first stop that "
          "may be given, and an offset: on a turn the stop is moved away from the price by that part of "
          "itself. The result is negated while the position is short. As TA-Lib's SAREXT.\n\n" HELP_SAR
          " - unless start_value says so. The first value is at bar 1.\n\n" HELP_ALIGNED);
