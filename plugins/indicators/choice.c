/* SPDX-License-Identifier: MPL-2.0 */
/* choice - moving averages of a chosen kind: any of them by name, and one whose period is told for each bar. */
#include "averages.h"
#include "indicators.h"
#include "variable.h"

/* ---- ma -------------------------------------------------------------------------------------- */

#define ROW_MA_TYPE(says)                                                                                    \
    {                                                                                                        \
        .name = "ma_type", .kind = KILN_STRING, .fallback = "\"sma\"", .choices = AVERAGE_CHOICES,           \
        .help = says                                                                                         \
    }

static const struct kiln_row ma_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 1, "30", "period of the average; 1 gives the prices themselves"),
    ROW_MA_TYPE("which average: the function of that name with its other parameters at their defaults"),
};

static const struct kiln_row ma_results[] = {
    ROW_RESULT("ma", "price", "moving average of the prices"),
};

static const struct kiln_golden ma_goldens[] = {
    {.title = "weighted",
     .args = "{\"close\":[1,2,4,8,2],\"period\":3,\"ma_type\":\"wma\"}",
     .result = "{\"ma\":[null,null,2.8333333333333335,5.666666666666667,4.333333333333333]}",
     .rtol = 1e-14},
    {.title = "simple, unless it is said",
     .args = "{\"close\":[1,2,6],\"period\":2}",
     .result = "{\"ma\":[null,1.5,4]}"},
    {.title = "period 1",
     .args = "{\"close\":[1,2,6],\"period\":1,\"ma_type\":\"t3\"}",
     .result = "{\"ma\":[1,2,6]}"},
    {.title = "an average unknown here",
     .args = "{\"close\":[1,2,3],\"ma_type\":\"hull\"}",
     .result = "ma_type",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int ma_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    return averages_plan(average_kind_of(args[1].text), (size_t) args[0].i64, plan);
}

static void ma_advance(const struct plan *plan, struct feed *f)
{
    averages_advance(plan, f);
}

INDICATOR(
    ma, 1, "Moving average of a chosen type",
    "The moving average that ma_type names, as TA-Lib's MA: sma, ema, wma, dema, tema, trima, kama, "
    "mama (limits 0.5 and 0.05; the period does not matter) or t3 (vfactor 0.7). The first value is "
    "where that of the chosen average is; with period 1 the result is the series itself.\n\n" HELP_ALIGNED);

/* ---- mavp ------------------------------------------------------------------------------------ */

enum { MAVP_LEAST, MAVP_MOST, MAVP_TYPE }; /* behind the series */

static const struct kiln_row mavp_params[] = {
    ROW_CLOSE,
    ROW_SERIES("periods", "bars", "period of the average at each bar; cut to a whole number"),
    ROW_PERIOD("min_period", 2, "2", "shorter periods are taken for this one"),
    ROW_PERIOD("max_period", 2, "30", "longer periods are taken for this one; the first value depends on it"),
    ROW_MA_TYPE("which average"),
};

static const struct kiln_row mavp_results[] = {
    ROW_RESULT("mavp", "price", "moving average of the prices"),
};

static const struct kiln_golden mavp_goldens[] = {
    {.title = "means of 2, 3 and 4 prices",
     .args = "{\"close\":[1,2,6,3,9,7],\"periods\":[2,2,2,2,3.9,100],\"max_period\":4}",
     .result = "{\"mavp\":[null,null,null,4.5,6,6.25]}",
     .rtol = 1e-14},
    {.title = "an exponential average begins so late that all begin together",
     .args = "{\"close\":[1,2,6,3,9],\"periods\":[2,2,2,2,2],\"max_period\":3,\"ma_type\":\"ema\"}",
     .result = "{\"mavp\":[null,null,4,3.3333333333333335,7.111111111111111]}",
     .rtol = 1e-14},
    {.title = "the least period above the most",
     .args = "{\"close\":[7,8],\"periods\":[2,2],\"min_period\":9,\"max_period\":8}",
     .result = "expected at most max_period",
     .status = KILN_INVALID},
    {.title = "too many averages to be kept going",
     .args = "{\"close\":[7,8],\"periods\":[2,2],\"max_period\":5000,\"ma_type\":\"ema\"}",
     .result = "expected less than min_period + 1024",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[1000,1]},\"periods\":{\"$linspace\":[2,30,1000]}}"},
};

static struct variable variable_of(const struct plan *plan)
{
    return (struct variable){(enum average_kind) plan->period[2], plan->period[0], plan->period[1]};
}

static int mavp_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    plan->period[0] = (size_t) args[MAVP_LEAST].i64;
    plan->period[1] = (size_t) args[MAVP_MOST].i64;
    plan->period[2] = (size_t) average_kind_of(args[MAVP_TYPE].text);
    struct variable v = variable_of(plan);
    if (v.least > v.most) {
        return call->host->fail(call, KILN_INVALID, "min_period", "%zu, expected at most max_period = %zu",
                                v.least, v.most);
    }
    if (variable_is_too_much(v)) {
        return call->host->fail(call, KILN_INVALID, "max_period",
                                "%zu, expected less than min_period + %d = %zu with ma_type \"%s\"", v.most,
                                VARIABLE_AVERAGES, v.least + VARIABLE_AVERAGES, args[MAVP_TYPE].text);
    }
    averages_need(variable_needs(v), plan);
    return KILN_OK;
}

static void mavp_advance(const struct plan *plan, struct feed *f)
{
    variable_part(variable_of(plan), f->in[0], f->in[1], feed_part(f), f->state, f->scratch, f->out[0]);
}

INDICATOR(mavp, 2, "Moving average with a variable period",
          "At each bar the moving average of that bar's period, which is cut to a whole number and taken "
          "for min_period or max_period where it lies beyond. As TA-Lib's MAVP: all values start where the "
          "average of max_period does, and an average that depends on its beginning (ema, dema, tema, "
          "kama, mama, t3) begins so much before that as its own lookback says.\n\n"
          "Such averages are all kept going, so with them max_period - min_period may be at most "
          "1023.\n\n" HELP_ALIGNED);
