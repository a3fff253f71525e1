/* SPDX-License-Identifier: MPL-2.0 */
/* statistics - deviations, and how two series move together, over the last bars. */
#include <math.h>

#include "comoments.h"
#include "deviation.h"
#include "indicator.h"
#include "indicators.h"
#include "moving.h"

/* ---- stddev, var ----------------------------------------------------------------------------- */

#define ROW_NBDEV(says)                                                                                      \
    {                                                                                                        \
        .name = "nbdev", .kind = KILN_FLOAT, .flags = KILN_FINITE, .min = -3e37, .max = 3e37,                \
        .fallback = "1", .help = says                                                                        \
    }

static int plan_moments(const struct kiln_slot *args, struct plan *plan)
{
    plan->period[0] = (size_t) args[0].i64;
    plan->factor[0] = args[1].f64;
    plan->lookback = plan->period[0] - 1;
    plan->history = moving_history(plan->period[0]);
    plan->scratch = moving_moments_scratch(plan->period[0]) + plan->history;
    plan->scratch_bars = 1;
    return KILN_OK;
}

/* Writes the variances; the means go to scratch, which begins where the history does. */
static void variances(const struct plan *plan, struct feed *f)
{
    uint64_t number = feed_number(f, f->begin);
    size_t before = number < plan->history ? (size_t) number : plan->history, from = f->begin - before;
    double *sums = f->scratch, *mean = sums + moving_moments_scratch(plan->period[0]);
    struct part own = {before, f->end - from, f->origin + from};
    moving_moments_part(f->in[0] + from, own, plan->period[0], sums, mean, f->out[0] + from);
}

static const struct kiln_row stddev_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "5", "bars in the window"),
    ROW_NBDEV("multiple of the standard deviation that is given"),
};

static const struct kiln_row stddev_results[] = {
    ROW_RESULT("stddev", "price", "nbdev population standard deviations of the last `period` prices"),
};

static const struct kiln_golden stddev_goldens[] = {
    {.title = "1..5 and on",
     .args = "{\"close\":[1,2,3,4,5,9],\"nbdev\":2}",
     .result = "{\"stddev\":[null,null,null,null,2.8284271247461903,4.833218389437829]}",
     .rtol = 1e-14},
    {.title = "equal prices",
     .args = "{\"close\":[0.1,0.1,0.1],\"period\":2}",
     .result = "{\"stddev\":[null,0,0]}"},
    {.title = "digits far from the point",
     .args = "{\"close\":[1000000001,1000000002,1000000003],\"period\":3}",
     .result = "{\"stddev\":[null,null,0.816496580927726]}",
     .rtol = 1e-14},
    GOLDEN_CLOSE_PERIOD_1,
    GOLDEN_CLOSE_WARM,
};

static int stddev_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    return plan_moments(args, plan);
}

KERNEL static void deviations(double *restrict variance, size_t n, double multiple)
{
    for (size_t i = 0; i < n; i++) {
        double root = sqrt(variance[i]) * multiple;
        variance[i] = variance[i] < 1e-14 ? 0.0 : root;
    }
}

static void stddev_advance(const struct plan *plan, struct feed *f)
{
    variances(plan, f);
    size_t begin = part_from(feed_part(f), plan->lookback).begin;
    deviations(f->out[0] + begin, f->end - begin, plan->factor[0]);
}

INDICATOR(stddev, 1, "Standard deviation of a window",
          "nbdev times the population standard deviation of the last `period` prices around their mean, as "
          "TA-Lib's STDDEV; 0 where the variance is below 1e-14. The first value is at bar period - 1. The "
          "variance is that of the window alone, to nearly full precision: no running sum of "
          "squares.\n\n" HELP_ALIGNED);

static const struct kiln_row var_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 1, "5", "bars in the window"),
    ROW_NBDEV("not used; here because TA-Lib's VAR takes it"),
};

static const struct kiln_row var_results[] = {
    ROW_RESULT("var", "price^2", "population variance of the last `period` prices"),
};

static const struct kiln_golden var_goldens[] = {
    {.title = "1..5 and on",
     .args = "{\"close\":[1,2,3,4,5,9]}",
     .result = "{\"var\":[null,null,null,null,2,5.84]}",
     .rtol = 1e-14},
    {.title = "one bar does not vary",
     .args = "{\"close\":[1,2,3],\"period\":1}",
     .result = "{\"var\":[0,0,0]}"},
    {.title = "a period of nothing",
     .args = "{\"close\":[7,8],\"period\":0}",
     .result = "period",
     .status = KILN_INVALID},
    GOLDEN_CLOSE_WARM,
};

static int var_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    return plan_moments(args, plan);
}

static void var_advance(const struct plan *plan, struct feed *f)
{
    variances(plan, f);
}

INDICATOR(var, 1, "Variance of a window",
          "Population variance of the last `period` prices around their mean, as TA-Lib's VAR. The first "
          "value is at bar period - 1. The variance is that of the window alone, to nearly full precision: "
          "no running sum of squares.\n\n" HELP_ALIGNED);

/* ---- avgdev ---------------------------------------------------------------------------------- */

static const struct kiln_row avgdev_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "14", "bars in the window"),
};

static const struct kiln_row avgdev_results[] = {
    ROW_RESULT("avgdev", "price", "mean absolute deviation of the last `period` prices"),
};

static const struct kiln_golden avgdev_goldens[] = {
    {.title = "around 2, 4 and 6",
     .args = "{\"close\":[1,2,3,7,8],\"period\":3}",
     .result = "{\"avgdev\":[null,null,0.6666666666666666,2,2]}",
     .rtol = 1e-14},
    {.title = "equal prices",
     .args = "{\"close\":[0.1,0.1,0.1],\"period\":2}",
     .result = "{\"avgdev\":[null,0,0]}"},
    GOLDEN_CLOSE_PERIOD_1,
    GOLDEN_CLOSE_WARM,
};

static int avgdev_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->history = plan->period[0] - 1;
    return KILN_OK;
}

static void avgdev_advance(const struct plan *plan, struct feed *f)
{
    deviation_part(f->in[0], feed_part(f), plan->period[0], f->out[0]);
}

INDICATOR(avgdev, 1, "Mean absolute deviation of a window",
          "Mean of |x - m| over the last `period` prices x, whose mean is m, as TA-Lib's AVGDEV. The first "
          "value is at bar period - 1. The time is proportional to the period.\n\n" HELP_ALIGNED);

/* ---- correl ---------------------------------------------------------------------------------- */

static const struct kiln_row correl_params[] = {
    ROW_SERIES("real0", NULL, "first series, oldest bar first; null where missing"),
    ROW_SERIES("real1", NULL, "second series"),
    ROW_PERIOD("period", 1, "30", "bars in the window"),
};

static const struct kiln_row correl_results[] = {
    ROW_RESULT("correl", NULL, "correlation coefficient, -1..1"),
};

static const struct kiln_golden correl_goldens[] = {
    {.title = "with it, against it",
     .args = "{\"real0\":[1,2,3,4,5],\"real1\":[2,4,6,3,0],\"period\":3}",
     .result = "{\"correl\":[null,null,1,-0.3273268353539886,-1]}",
     .rtol = 1e-14},
    {.title = "one that does not vary",
     .args = "{\"real0\":[1,2,3],\"real1\":[7,7,7],\"period\":2}",
     .result = "{\"correl\":[null,0,0]}"},
    {.title = "small numbers are numbers too",
     .args = "{\"real0\":[1e-9,2e-9,3e-9],\"real1\":[2e-9,4e-9,6e-9],\"period\":3}",
     .result = "{\"correl\":[null,null,1]}",
     .rtol = 1e-14},
    {.title = "unequal lengths",
     .args = "{\"real0\":[1,2],\"real1\":[2]}",
     .result = "real1",
     .status = KILN_INVALID},
    {.args = "{\"real0\":{\"$normal\":[10000,1]},\"real1\":{\"$normal\":[10000,2]}}"},
};

static int correl_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = plan->period[0] - 1;
    plan->history = blocks_history(plan->period[0]);
    plan->scratch = blocks_scratch(COMOMENTS_SUMS, plan->period[0]);
    return KILN_OK;
}

static void correl_advance(const struct plan *plan, struct feed *f)
{
    comoments_correlation_part(f->in[0], f->in[1], feed_part(f), plan->period[0], f->scratch, f->out[0]);
}

INDICATOR(correl, 2, "Correlation of two series",
          "Pearson's correlation coefficient of the last `period` values of real0 and real1, as TA-Lib's "
          "CORREL; the first value is at bar period - 1. It is 0 where one of the two does not vary at all; "
          "TA-Lib also gives 0 when the product of the two sums of squares is below 1e-14, which series of "
          "small numbers are without reason.\n\nThe sums are those of the window alone, taken from one of "
          "its bars.\n\n" HELP_ALIGNED);

/* ---- beta ------------------------------------------------------------------------------------ */

static const struct kiln_row beta_params[] = {
    ROW_SERIES("real0", "price", "prices whose returns explain, oldest bar first; null where missing"),
    ROW_SERIES("real1", "price", "prices whose returns are explained"),
    ROW_PERIOD("period", 1, "5", "returns in the window"),
};

static const struct kiln_row beta_results[] = {
    ROW_RESULT("beta", NULL, "slope of the returns of real1 on those of real0"),
};

static const struct kiln_golden beta_goldens[] = {
    {.title = "twice the returns",
     .args = "{\"real0\":[100,110,99,99],\"real1\":[100,120,96,96],\"period\":3}",
     .result = "{\"beta\":[null,null,null,2]}",
     .rtol = 1e-14},
    {.title = "no return, no slope",
     .args = "{\"real0\":[7,7,7],\"real1\":[1,2,3],\"period\":2}",
     .result = "{\"beta\":[null,null,0]}"},
    {.title = "unequal lengths",
     .args = "{\"real0\":[1,2],\"real1\":[2]}",
     .result = "real1",
     .status = KILN_INVALID},
    {.args = "{\"real0\":{\"$normal\":[10000,1]},\"real1\":{\"$normal\":[10000,2]}}"},
};

static int beta_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t period = (size_t) args[0].i64;
    plan->period[0] = plan->lookback = period;
    plan->history = blocks_history(period) + 1;
    plan->scratch = blocks_scratch(COMOMENTS_SUMS, period) + 2 * blocks_history(period);
    plan->scratch_bars = 2;
    return KILN_OK;
}

static void beta_advance(const struct plan *plan, struct feed *f)
{
    struct part part = part_from(feed_part(f), 1);
    if (part.begin == part.end) {
        return;
    }
    size_t period = plan->period[0], before = blocks_history(period);
    uint64_t number = part.origin + part.begin - 1; /* returns are counted from that of bar 1 */
    before = number < before ? (size_t) number : before;
    size_t from = part.begin - before, length = part.end - from;
    double *x = f->scratch + blocks_scratch(COMOMENTS_SUMS, period), *y = x + length;
    comoments_returns(f->in[0], from, part.end, x);
    comoments_returns(f->in[1], from, part.end, y);
    comoments_slope_part(x, y, (struct part){before, length, number - before}, period,
                         1e-14 / (double) period, f->scratch, f->out[0] + from);
}

INDICATOR(beta, 2, "Beta of two series of prices",
          "Slope of the regression of the returns of real1 on the returns of real0, over the last `period` "
          "returns (x_i - x_{i-1})/x_{i-1}; a return from a price below 1e-14 counts as 0. As TA-Lib's BETA: "
          "0 where period x the sum of squares of real0's returns around their mean is below 1e-14. The "
          "first value is at bar `period`.\n\n" HELP_ALIGNED);
