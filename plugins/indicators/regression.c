/* SPDX-License-Identifier: MPL-2.0 */
/* regression - the regression line of the last bars: its ends, its slope and what it forecasts. */
#include <math.h>

#include "indicator.h"
#include "indicators.h"
#include "trend.h"

/* ---- linearreg ------------------------------------------------------------------------------- */

#define LINE_PARAMS(id)                                                                                      \
    static const struct kiln_row id##_params[] = {                                                           \
        ROW_CLOSE, ROW_PERIOD("period", 2, "14", "bars the line is laid through")}

static void plan_line(struct trend line, struct plan *plan)
{
    plan->period[0] = line.period;
    plan->factor[0] = line.level;
    plan->factor[1] = line.tilt;
    plan->lookback = line.period - 1;
    plan->history = blocks_history(line.period);
    plan->scratch = blocks_scratch(TREND_SUMS, line.period);
}

static void line_advance(const struct plan *plan, struct feed *f)
{
    struct trend line = {plan->period[0], plan->factor[0], plan->factor[1]};
    trend_part(f->in[0], feed_part(f), &line, f->scratch, f->out[0]);
}

/* plan and advance of what a line gives. */
#define LINE(id, of_period)                                                                                  \
    static int id##_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)            \
    {                                                                                                        \
        (void) call;                                                                                         \
        size_t period = (size_t) args[0].i64;                                                                \
        plan_line(of_period, plan);                                                                          \
        return KILN_OK;                                                                                      \
    }                                                                                                        \
    static void id##_advance(const struct plan *plan, struct feed *f)                                        \
    {                                                                                                        \
        line_advance(plan, f);                                                                               \
    }

#define HELP_LINE                                                                                            \
    " the line that fits the last `period` prices best in the sense of least squares, the oldest of them "   \
    "at 0 and the newest at period - 1"
#define HELP_LINE_END                                                                                        \
    " The first value is at bar period - 1. The sums are those of the window alone, taken from one of its "  \
    "prices, so the level of the prices costs no digits.\n\n" HELP_ALIGNED

LINE_PARAMS(linearreg);

static const struct kiln_row linearreg_results[] = {
    ROW_RESULT("linearreg", "price", "regression line at the newest bar"),
};

static const struct kiln_golden linearreg_goldens[] = {
    {.title = "slopes 1.5, 2 and -1",
     .args = "{\"close\":[1,2,4,6,2],\"period\":3}",
     .result = "{\"linearreg\":[null,null,3.8333333333333335,6,3]}",
     .rtol = 1e-14},
    {.title = "equal prices",
     .args = "{\"close\":[0.1,0.1,0.1],\"period\":2}",
     .result = "{\"linearreg\":[null,0.1,0.1]}"},
    GOLDEN_CLOSE_PERIOD_1,
    GOLDEN_CLOSE_WARM,
};

LINE(linearreg, trend_line(period, 0.0))

INDICATOR(linearreg, 1, "Regression line at the newest bar",
          "Value at the newest bar of" HELP_LINE ", as TA-Lib's LINEARREG." HELP_LINE_END);

LINE_PARAMS(tsf);

static const struct kiln_row tsf_results[] = {
    ROW_RESULT("tsf", "price", "regression line one bar ahead"),
};

static const struct kiln_golden tsf_goldens[] = {
    {.title = "slopes 1.5, 2 and -1",
     .args = "{\"close\":[1,2,4,6,2],\"period\":3}",
     .result = "{\"tsf\":[null,null,5.333333333333333,8,2]}",
     .rtol = 1e-14},
    {.title = "shorter than the period", .args = "{\"close\":[7,8]}", .result = "{\"tsf\":[null,null]}"},
    GOLDEN_CLOSE_PERIOD_1,
    GOLDEN_CLOSE_WARM,
};

LINE(tsf, trend_line(period, 1.0))

INDICATOR(tsf, 1, "Time series forecast",
          "Value one bar after the newest of" HELP_LINE ", as TA-Lib's TSF." HELP_LINE_END);

LINE_PARAMS(linearreg_intercept);

static const struct kiln_row linearreg_intercept_results[] = {
    ROW_RESULT("linearreg_intercept", "price", "regression line at the oldest bar of the window"),
};

static const struct kiln_golden linearreg_intercept_goldens[] = {
    {.title = "slopes 1.5, 2 and -1",
     .args = "{\"close\":[1,2,4,6,2],\"period\":3}",
     .result = "{\"linearreg_intercept\":[null,null,0.8333333333333334,2,5]}",
     .rtol = 1e-13},
    {.title = "a missing first bar",
     .args = "{\"close\":[null,2,4],\"period\":2}",
     .result = "{\"linearreg_intercept\":[null,null,2]}"},
    GOLDEN_CLOSE_PERIOD_1,
    GOLDEN_CLOSE_WARM,
};

LINE(linearreg_intercept, trend_line(period, 1.0 - (double) period))

INDICATOR(linearreg_intercept, 1, "Intercept of the regression line",
          "Value at 0, the oldest bar of the window, of" HELP_LINE
          ", as TA-Lib's LINEARREG_INTERCEPT." HELP_LINE_END);

LINE_PARAMS(linearreg_slope);

static const struct kiln_row linearreg_slope_results[] = {
    ROW_RESULT("linearreg_slope", "price/bar", "slope of the regression line"),
};

static const struct kiln_golden linearreg_slope_goldens[] = {
    {.title = "slopes 1.5, 2 and -1",
     .args = "{\"close\":[1,2,4,6,2],\"period\":3}",
     .result = "{\"linearreg_slope\":[null,null,1.5,2,-1]}",
     .rtol = 1e-14},
    {.title = "digits far from the point",
     .args = "{\"close\":[1000000001,1000000002,1000000003],\"period\":3}",
     .result = "{\"linearreg_slope\":[null,null,1]}"},
    GOLDEN_CLOSE_PERIOD_1,
    GOLDEN_CLOSE_WARM,
};

LINE(linearreg_slope, trend_slope(period))

INDICATOR(linearreg_slope, 1, "Slope of the regression line",
          "Slope, in price per bar, of" HELP_LINE ", as TA-Lib's LINEARREG_SLOPE." HELP_LINE_END);

LINE_PARAMS(linearreg_angle);

static const struct kiln_row linearreg_angle_results[] = {
    ROW_RESULT("linearreg_angle", "degrees", "angle of the regression line, -90..90"),
};

static const struct kiln_golden linearreg_angle_goldens[] = {
    {.title = "slopes 1.5, 1 and -1",
     .args = "{\"close\":[1,2,4,4,2],\"period\":3}",
     .result = "{\"linearreg_angle\":[null,null,56.309932474020215,45,-45]}",
     .rtol = 1e-14},
    {.title = "equal prices",
     .args = "{\"close\":[0.1,0.1,0.1],\"period\":2}",
     .result = "{\"linearreg_angle\":[null,0,0]}"},
    GOLDEN_CLOSE_PERIOD_1,
    GOLDEN_CLOSE_WARM,
};

static int linearreg_angle_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan_line(trend_slope((size_t) args[0].i64), plan);
    return KILN_OK;
}

static void linearreg_angle_advance(const struct plan *plan, struct feed *f)
{
    const double degree = 3.14159265358979323846 / 180.0;
    line_advance(plan, f);
    for (size_t i = part_from(feed_part(f), plan->lookback).begin; i < f->end; i++) {
        f->out[0][i] = atan(f->out[0][i]) / degree;
    }
}

INDICATOR(linearreg_angle, 1, "Angle of the regression line",
          "atan of the slope, in degrees, of" HELP_LINE ", as TA-Lib's LINEARREG_ANGLE." HELP_LINE_END);
