/* SPDX-License-Identifier: MPL-2.0 */
/* averages - moving averages beside sma and ema: WMA, DEMA, TEMA, TRIMA, KAMA, T3, MAMA, any of them by name, and one whose period
 * is told for each bar. */
#include "average.h"

#include "chain.h"
#include "cycle.h"
#include "indicator.h"
#include "indicators.h"
#include "variable.h"

static void plan_needs(struct average_needs needs, struct plan *plan)
{
    plan->lookback = needs.lookback;
    plan->history = needs.history;
    plan->state = needs.state;
    plan->scratch = needs.scratch;
    plan->scratch_bars = needs.scratch_bars;
}

static int plan_average(enum average_kind kind, size_t period, struct plan *plan)
{
    plan_needs(average_needs(kind, period), plan);
    plan->period[0] = period;
    plan->period[1] = (size_t) kind;
    return KILN_OK;
}

static void average_advance(const struct plan *plan, struct feed *f)
{
    average_part((enum average_kind) plan->period[1], plan->period[0], f->in[0], feed_part(f), f->state,
                 f->scratch, f->out[0]);
}

/* An average of one parameter, the period. */
#define AVERAGE(id, kind)                                                                                    \
    static int id##_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)            \
    {                                                                                                        \
        (void) call;                                                                                         \
        return plan_average(kind, (size_t) args[0].i64, plan);                                               \
    }                                                                                                        \
    static void id##_advance(const struct plan *plan, struct feed *f)                                        \
    {                                                                                                        \
        average_advance(plan, f);                                                                            \
    }

#define GOLDEN_SHORT(id)                                                                                     \
    {                                                                                                        \
        .title = "shorter than the period", .args = "{\"close\":[7,8]}",                                     \
        .result = "{\"" #id "\":[null,null]}"                                                                \
    }
#define GOLDEN_PERIOD_1                                                                                      \
    {                                                                                                        \
        .title = "a period too short", .args = "{\"close\":[7,8],\"period\":1}", .result = "period",         \
        .status = KILN_INVALID                                                                               \
    }
#define GOLDEN_WARM                                                                                          \
    {                                                                                                        \
        .args = "{\"close\":{\"$normal\":[10000,1]}}"                                                        \
    }

/* ---- wma ------------------------------------------------------------------------------------- */

static const struct kiln_row wma_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "30", "bars in the average, and the weight of the newest"),
};

static const struct kiln_row wma_results[] = {
    ROW_RESULT("wma", "price", "linearly weighted average of the last `period` prices"),
};

static const struct kiln_golden wma_goldens[] = {
    {.title = "weights 1, 2, 3",
     .args = "{\"close\":[1,2,4,8,2],\"period\":3}",
     .result = "{\"wma\":[null,null,2.8333333333333335,5.666666666666667,4.333333333333333]}",
     .rtol = 1e-14},
    {.title = "equal prices",
     .args = "{\"close\":[0.1,0.1,0.1,0.1],\"period\":3}",
     .result = "{\"wma\":[null,null,0.1,0.1]}"},
    {.title = "a spike leaves no trace",
     .args = "{\"close\":[100,1e17,100,103,106],\"period\":2}",
     .result = "{\"wma\":[null,6.66666666666667e16,3.33333333333334e16,102,105]}",
     .rtol = 1e-14},
    GOLDEN_SHORT(wma),
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

AVERAGE(wma, AVERAGE_WMA)

INDICATOR(wma, 1, "Weighted moving average",
          "wma_i = sum of w_k x_k / sum of w_k over the last `period` bars, with w = 1 for the oldest up to "
          "period for the newest, as TA-Lib's WMA. The first value is at bar period - 1.\n\n"
          "No bar is ever subtracted from a running sum: a spike leaves no trace after it has left the "
          "window, and the average of equal prices is that price.\n\n" HELP_ALIGNED);

/* ---- dema ------------------------------------------------------------------------------------ */

static const struct kiln_row dema_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "30", "the newest value weighs 2/(period + 1) in each average"),
};

static const struct kiln_row dema_results[] = {
    ROW_RESULT("dema", "price", "double exponential average of the prices"),
};

static const struct kiln_golden dema_goldens[] = {
    {.title = "a weight of two thirds: e1 = 3, 7, 12.33.., e2 = 5, 9.88..",
     .args = "{\"close\":[2,4,9,15],\"period\":2}",
     .result = "{\"dema\":[null,null,9,14.777777777777779]}",
     .rtol = 1e-14},
    {.title = "a steady rise is followed without delay",
     .args = "{\"close\":[1,2,3,4,5,6],\"period\":3}",
     .result = "{\"dema\":[null,null,null,null,5,6]}",
     .rtol = 1e-14},
    GOLDEN_SHORT(dema),
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

AVERAGE(dema, AVERAGE_DEMA)

INDICATOR(dema, 1, "Double exponential moving average",
          "dema = 2 e1 - e2, where e1 is the exponential average (see ema) of the prices and e2 that of e1, "
          "as TA-Lib's DEMA. Each starts from the mean of the first `period` values it averages, so the "
          "first value is at bar 2 (period - 1).\n\n" HELP_ALIGNED);

/* ---- tema ------------------------------------------------------------------------------------ */

static const struct kiln_row tema_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "30", "the newest value weighs 2/(period + 1) in each average"),
};

static const struct kiln_row tema_results[] = {
    ROW_RESULT("tema", "price", "triple exponential average of the prices"),
};

static const struct kiln_golden tema_goldens[] = {
    {.title = "a weight of two thirds: e1 = 3, 7, 12.33.., e2 = 5, 9.88.., e3 = 7.44..",
     .args = "{\"close\":[2,4,9,15],\"period\":2}",
     .result = "{\"tema\":[null,null,null,14.777777777777779]}",
     .rtol = 1e-14},
    {.title = "a steady rise is followed without delay",
     .args = "{\"close\":[1,2,3,4,5,6,7,8],\"period\":3}",
     .result = "{\"tema\":[null,null,null,null,null,null,7,8]}",
     .rtol = 1e-14},
    GOLDEN_SHORT(tema),
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

AVERAGE(tema, AVERAGE_TEMA)

INDICATOR(tema, 1, "Triple exponential moving average",
          "tema = 3 e1 - 3 e2 + e3, where e1 is the exponential average (see ema) of the prices, e2 that of "
          "e1 and e3 that of e2, as TA-Lib's TEMA. Each starts from the mean of the first `period` values "
          "it averages, so the first value is at bar 3 (period - 1).\n\n" HELP_ALIGNED);

/* ---- trima ----------------------------------------------------------------------------------- */

static const struct kiln_row trima_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "30", "bars in the average"),
};

static const struct kiln_row trima_results[] = {
    ROW_RESULT("trima", "price", "triangular average of the last `period` prices"),
};

static const struct kiln_golden trima_goldens[] = {
    {.title = "weights 1, 2, 1",
     .args = "{\"close\":[1,2,4,8],\"period\":3}",
     .result = "{\"trima\":[null,null,2.25,4.5]}",
     .rtol = 1e-14},
    {.title = "weights 1, 2, 2, 1",
     .args = "{\"close\":[1,2,4,8,16],\"period\":4}",
     .result = "{\"trima\":[null,null,null,3.5,7]}",
     .rtol = 1e-14},
    GOLDEN_SHORT(trima),
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

AVERAGE(trima, AVERAGE_TRIMA)

INDICATOR(trima, 1, "Triangular moving average",
          "Average of the last `period` prices with the weights 1, 2, .. up to the middle and back to 1; an "
          "even period has two equal weights in the middle. As TA-Lib's TRIMA; it is the mean of the means "
          "of half the period. The first value is at bar period - 1.\n\n" HELP_ALIGNED);

/* ---- kama ------------------------------------------------------------------------------------ */

static const struct kiln_row kama_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "30", "bars over which the straightness of the price's way is measured"),
};

static const struct kiln_row kama_results[] = {
    ROW_RESULT("kama", "price", "adaptive average of the prices"),
};

static const struct kiln_golden kama_goldens[] = {
    {.title = "a straight way: 4/9 of the distance",
     .args = "{\"close\":[1,2,3],\"period\":2}",
     .result = "{\"kama\":[null,null,2.4444444444444446]}",
     .rtol = 1e-14},
    {.title = "there and back: (2/31)^2 of the distance",
     .args = "{\"close\":[1,4,1],\"period\":2}",
     .result = "{\"kama\":[null,null,3.9875130072840793]}",
     .rtol = 1e-14},
    {.title = "nothing moves",
     .args = "{\"close\":[0.1,0.1,0.1,0.1],\"period\":2}",
     .result = "{\"kama\":[null,null,0.1,0.1]}"},
    GOLDEN_SHORT(kama),
    GOLDEN_PERIOD_1,
    GOLDEN_WARM,
};

AVERAGE(kama, AVERAGE_KAMA)

INDICATOR(kama, 1, "Kaufman's adaptive moving average",
          "kama_i = kama_{i-1} + c (x_i - kama_{i-1}) with c = ((2/3 - 2/31) ER + 2/31)^2. ER, the "
          "efficiency ratio, is |x_i - x_{i-period}| over the sum of the last `period` absolute changes, and "
          "1 when that sum is below 1e-14. As TA-Lib's KAMA: it starts from the price of bar period - 1, and "
          "the first value is at bar `period`. The sum of changes is that of the window alone, not a running "
          "one.\n\n" HELP_ALIGNED);

/* ---- t3 -------------------------------------------------------------------------------------- */

static const struct kiln_row t3_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "5", "the newest value weighs 2/(period + 1) in each average"),
    {.name = "vfactor",
     .kind = KILN_FLOAT,
     .flags = KILN_FINITE,
     .min = 0,
     .max = 1,
     .fallback = "0.7",
     .help = "volume factor v: 0 gives the third average itself, 1 the sharpest answer"},
};

static const struct kiln_row t3_results[] = {
    ROW_RESULT("t3", "price", "Tillson's average of the prices"),
};

static const struct kiln_golden t3_goldens[] = {
    {.title = "a factor of 0: an average of an average of an average",
     .args = "{\"close\":[2,4,9,15,15,15,15],\"period\":2,\"vfactor\":0}",
     .result = "{\"t3\":[null,null,null,null,null,null,14.078189300411523]}",
     .rtol = 1e-13},
    {.title = "the usual factor",
     .args = "{\"close\":[2,4,9,15,11,12,10],\"period\":2}",
     .result = "{\"t3\":[null,null,null,null,null,null,11.133535741502833]}",
     .rtol = 1e-13},
    GOLDEN_SHORT(t3),
    {.title = "a factor out of range",
     .args = "{\"close\":[7,8],\"vfactor\":1.5}",
     .result = "vfactor",
     .status = KILN_INVALID},
    GOLDEN_WARM,
};

static int t3_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->factor[0] = args[1].f64;
    return plan_average(AVERAGE_T3, (size_t) args[0].i64, plan);
}

static void t3_advance(const struct plan *plan, struct feed *f)
{
    chain_t3_part(f->in[0], feed_part(f), plan->period[0], plan->factor[0], f->state, f->out[0]);
}

INDICATOR(t3, 1, "Tillson's T3 moving average",
          "t3 = c1 e6 + c2 e5 + c3 e4 + c4 e3, where e1 is the exponential average (see ema) of the prices "
          "and each further one that of the one before; c1 = -v^3, c2 = 3 (v^2 + v^3), c3 = -6 v^2 - 3 (v + "
          "v^3), c4 = 1 + 3 v + v^3 + 3 v^2 with v = vfactor. As TA-Lib's T3: each average starts from the "
          "mean of the first `period` values it averages, so the first value is at bar 6 (period - "
          "1).\n\n" HELP_ALIGNED);

/* ---- mama ------------------------------------------------------------------------------------ */

#define ROW_LIMIT(id, by_default, says)                                                                      \
    {                                                                                                        \
        .name = id, .kind = KILN_FLOAT, .flags = KILN_FINITE, .min = 0.01, .max = 0.99,                      \
        .fallback = by_default, .help = says                                                                 \
    }

static const struct kiln_row mama_params[] = {
    ROW_CLOSE,
    ROW_LIMIT("fast_limit", "0.5", "most that a new price weighs"),
    ROW_LIMIT("slow_limit", "0.05", "least that a new price weighs"),
};

static const struct kiln_row mama_results[] = {
    ROW_RESULT("mama", "price", "MESA adaptive average of the prices"),
    ROW_RESULT("fama", "price", "average that follows mama with half its weights"),
};

static const struct kiln_golden mama_goldens[] = {
    {.title = "equal prices: the averages come from 0",
     .args = "{\"close\":[8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8,8]}",
     .result = "{\"mama\":[null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,"
               "null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,"
               "7.999973834991455],\"fama\":[null,null,null,null,null,null,null,null,null,null,null,null,"
               "null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,"
               "null,null,7.937122998488505]}",
     .rtol = 1e-13},
    {.title = "too few bars",
     .args = "{\"close\":[7,8]}",
     .result = "{\"mama\":[null,null],\"fama\":[null,null]}"},
    {.title = "a limit out of range",
     .args = "{\"close\":[7,8],\"slow_limit\":0}",
     .result = "slow_limit",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[1000,1]}}"},
};

static int mama_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->factor[0] = args[0].f64;
    plan->factor[1] = args[1].f64;
    plan_needs(average_needs(AVERAGE_MAMA, 2), plan);
    return KILN_OK;
}

static void mama_advance(const struct plan *plan, struct feed *f)
{
    average_mama_part(f->in[0], feed_part(f), plan->factor[0], plan->factor[1], f->state, f->out[0],
                      f->out[1]);
}

INDICATOR(mama, 1, "MESA adaptive moving average",
          "mama moves by a part a of its distance to the price, a = fast_limit / (degrees by which the phase "
          "of the dominant cycle fell since the last bar), not more than fast_limit and not less than "
          "slow_limit; fama follows mama by a/2. The phase is atan(quadrature / in phase) of ht_phasor. "
          "As TA-Lib's MAMA: the measurement starts at bar 12, from averages of 0, and the first values are "
          "at bar 32.\n\nSource: J. F. Ehlers, MESA and trading market cycles.\n\n" HELP_ALIGNED);

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
    GOLDEN_WARM,
};

static int ma_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    return plan_average(average_kind_of(args[1].text), (size_t) args[0].i64, plan);
}

static void ma_advance(const struct plan *plan, struct feed *f)
{
    average_advance(plan, f);
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
    plan_needs(variable_needs(v), plan);
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
