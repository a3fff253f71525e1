/* SPDX-License-Identifier: MPL-2.0 */
/* change - how much the price has changed: MOM, ROC, ROCP, ROCR, ROCR100, CMO, TRIX. */
#include "impulse.h"
#include "indicator.h"
#include "indicators.h"
#include "rates.h"

#define PERIOD_BACK ROW_PERIOD("period", 1, "10", "how many bars before the value compared with stands")

#define HELP_BACK                                                                                            \
    ", where p is the price `period` bars before. The first value is at bar `period`.\n\n" HELP_ALIGNED

#define GOLDENS_BACK(id, values, zero)                                                                       \
    {                                                                                                        \
        {.title = "two bars back",                                                                           \
         .args = "{\"close\":[8,10,12,9,6],\"period\":2}",                                                   \
         .result = "{\"" id "\":" values "}",                                                                \
         .rtol = 1e-14},                                                                                     \
            {.title = "from zero",                                                                           \
             .args = "{\"close\":[null,0,10,-4],\"period\":1}",                                              \
             .result = "{\"" id "\":" zero "}",                                                              \
             .rtol = 1e-14},                                                                                 \
            {.title = "one bar too few",                                                                     \
             .args = "{\"close\":[8,10],\"period\":2}",                                                      \
             .result = "{\"" id "\":[null,null]}"},                                                          \
            {.title = "no bars back",                                                                        \
             .args = "{\"close\":[8,10],\"period\":0}",                                                      \
             .result = "period",                                                                             \
             .status = KILN_INVALID},                                                                        \
            {.args = "{\"close\":{\"$normal\":[10000,1]}}"},                                                 \
    }

/* Nothing but the bars before is needed. */
static int back_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->lookback = plan->history = plan->period[0] = (size_t) args[0].i64;
    return KILN_OK;
}

/* ---- mom ------------------------------------------------------------------------------------- */

static const struct kiln_row mom_params[] = {ROW_CLOSE, PERIOD_BACK};
static const struct kiln_row mom_results[] = {ROW_RESULT("mom", "price", "change of the price")};
static const struct kiln_golden mom_goldens[] =
    GOLDENS_BACK("mom", "[null,null,4,-1,-6]", "[null,null,10,-14]");

#define mom_plan back_plan

static void mom_advance(const struct plan *plan, struct feed *f)
{
    size_t from = feed_index(f, plan->lookback);
    rates_difference(f->in[0], from, f->end, plan->period[0], f->out[0]);
}

INDICATOR(mom, 1, "Momentum: change of the price", "close - p" HELP_BACK);

/* ---- roc, rocp --------------------------------------------------------------------------------- */

static const struct kiln_row roc_params[] = {ROW_CLOSE, PERIOD_BACK};
static const struct kiln_row roc_results[] = {ROW_RESULT("roc", "percent", "change of the price")};
static const struct kiln_golden roc_goldens[] =
    GOLDENS_BACK("roc", "[null,null,50,-10,-50]", "[null,null,0,-140]");

#define roc_plan back_plan

static void roc_advance(const struct plan *plan, struct feed *f)
{
    size_t from = feed_index(f, plan->lookback);
    rates_change(f->in[0], from, f->end, plan->period[0], 100.0, f->out[0]);
}

INDICATOR(
    roc, 1, "Rate of change in percent",
    "100 (close - p)/p, which is 100 (close/p - 1) without the loss of digits, and 0 where p = 0 (TA-Lib's "
    "ROC)" HELP_BACK);

static const struct kiln_row rocp_params[] = {ROW_CLOSE, PERIOD_BACK};
static const struct kiln_row rocp_results[] = {ROW_RESULT("rocp", "fraction", "change of the price")};
static const struct kiln_golden rocp_goldens[] =
    GOLDENS_BACK("rocp", "[null,null,0.5,-0.1,-0.5]", "[null,null,0,-1.4]");

#define rocp_plan back_plan

static void rocp_advance(const struct plan *plan, struct feed *f)
{
    size_t from = feed_index(f, plan->lookback);
    rates_change(f->in[0], from, f->end, plan->period[0], 1.0, f->out[0]);
}

INDICATOR(rocp, 1, "Rate of change as a fraction",
          "(close - p)/p, and 0 where p = 0 (TA-Lib's ROCP, pandas' pct_change)" HELP_BACK);

/* ---- rocr, rocr100 ----------------------------------------------------------------------------- */

static const struct kiln_row rocr_params[] = {ROW_CLOSE, PERIOD_BACK};
static const struct kiln_row rocr_results[] = {ROW_RESULT("rocr", NULL, "price over price before")};
static const struct kiln_golden rocr_goldens[] =
    GOLDENS_BACK("rocr", "[null,null,1.5,0.9,0.5]", "[null,null,0,-0.4]");

#define rocr_plan back_plan

static void rocr_advance(const struct plan *plan, struct feed *f)
{
    size_t from = feed_index(f, plan->lookback);
    rates_ratio(f->in[0], from, f->end, plan->period[0], 1.0, f->out[0]);
}

INDICATOR(rocr, 1, "Rate of change as a ratio", "close/p, and 0 where p = 0 (TA-Lib's ROCR)" HELP_BACK);

static const struct kiln_row rocr100_params[] = {ROW_CLOSE, PERIOD_BACK};
static const struct kiln_row rocr100_results[] = {
    ROW_RESULT("rocr100", "percent", "price over price before"),
};
static const struct kiln_golden rocr100_goldens[] =
    GOLDENS_BACK("rocr100", "[null,null,150,90,50]", "[null,null,0,-40]");

#define rocr100_plan back_plan

static void rocr100_advance(const struct plan *plan, struct feed *f)
{
    size_t from = feed_index(f, plan->lookback);
    rates_ratio(f->in[0], from, f->end, plan->period[0], 100.0, f->out[0]);
}

INDICATOR(rocr100, 1, "Rate of change as a ratio in percent",
          "100 close/p, and 0 where p = 0 (TA-Lib's ROCR100)" HELP_BACK);

/* ---- cmo ------------------------------------------------------------------------------------- */

static const struct kiln_row cmo_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "14", "changes in the first averages; later ones weigh 1/period"),
};

static const struct kiln_row cmo_results[] = {
    ROW_RESULT("cmo", "percent", "-100 only losses, 100 only gains"),
};

static const struct kiln_golden cmo_goldens[] = {
    {.title = "changes 2, -1, 2",
     .args = "{\"close\":[10,12,11,13],\"period\":2}",
     .result = "{\"cmo\":[null,null,33.333333333333336,71.42857142857143]}",
     .rtol = 1e-14},
    {.title = "nothing moves",
     .args = "{\"close\":[7,7,7,7],\"period\":2}",
     .result = "{\"cmo\":[null,null,0,0]}"},
    {.title = "only losses",
     .args = "{\"close\":[13,12,10.5,10],\"period\":2}",
     .result = "{\"cmo\":[null,null,-100,-100]}"},
    {.title = "a period too small",
     .args = "{\"close\":[7,8],\"period\":1}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int cmo_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->lookback = plan->period[0] = (size_t) args[0].i64;
    plan->history = IMPULSE_CMO_HISTORY;
    plan->state = IMPULSE_CMO;
    return KILN_OK;
}

static void cmo_advance(const struct plan *plan, struct feed *f)
{
    impulse_cmo(f->in[0], feed_part(f), plan->period[0], f->state, f->out[0]);
}

INDICATOR(
    cmo, 1, "Chande momentum oscillator",
    "100 (G - L)/(G + L), where G and L are Wilder's averages of the rises and of the falls of the price, as "
    "for RSI: first the mean of the first `period` changes, then (period - 1)/period of the average and "
    "1/period of the new change. As TA-Lib's CMO (Chande himself took plain sums): the first value is at "
    "bar `period`, and it is 0 where nothing moved (G + L below 1e-14).\n\n" HELP_ALIGNED);

/* ---- trix ------------------------------------------------------------------------------------ */

static const struct kiln_row trix_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 1, "30", "period of each of the three exponential averages"),
};

static const struct kiln_row trix_results[] = {
    ROW_RESULT("trix", "percent", "change of the threefold average from bar to bar"),
};

static const struct kiln_golden trix_goldens[] = {
    {.title = "averages 11/3 and 175/27 of the average of the average",
     .args = "{\"close\":[3,3,3,6,12],\"period\":2}",
     .result = "{\"trix\":[null,null,null,null,76.76767676767676]}",
     .rtol = 1e-13},
    {.title = "period 1: the change itself",
     .args = "{\"close\":[8,10,9],\"period\":1}",
     .result = "{\"trix\":[null,25,-10]}",
     .rtol = 1e-14},
    {.title = "constant",
     .args = "{\"close\":[0.1,0.1,0.1,0.1,0.1,0.1],\"period\":2}",
     .result = "{\"trix\":[null,null,null,null,0,0]}"},
    {.title = "a period too small",
     .args = "{\"close\":[7,8],\"period\":0}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int trix_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = 3 * (plan->period[0] - 1) + 1;
    plan->state = IMPULSE_TRIX;
    return KILN_OK;
}

static void trix_advance(const struct plan *plan, struct feed *f)
{
    impulse_trix(f->in[0], feed_part(f), plan->period[0], f->state, f->out[0]);
}

INDICATOR(
    trix, 1, "Rate of change of a threefold exponential average",
    "100 (e - p)/p, where e is the exponential average of the exponential average of the exponential average "
    "of the price, and p the same one bar before; 0 where p = 0. Each average weighs the new value "
    "2/(period + 1) and begins with the mean of its first `period` values. As TA-Lib's TRIX: the first value "
    "is at bar 3 (period - 1) + 1.\n\n" HELP_ALIGNED);
