/* SPDX-License-Identifier: MPL-2.0 */
/* money - volume that goes in and out: AD, ADOSC. */
#include "accumulation.h"
#include "indicator.h"
#include "indicators.h"

#define NOISE                                                                                                \
    "\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":[10000,3]},"    \
    "\"volume\":{\"$linspace\":[1,1000,10000]}"
#define BARS "\"high\":[12,14,16,7],\"low\":[8,10,12,7],\"close\":[11,10,15,7],\"volume\":[2,1,3,4]"

#define HELP_LINE                                                                                            \
    "A bar adds volume ((close - low) - (high - close))/(high - low) to the line, and nothing where high "   \
    "<= "                                                                                                    \
    "low: all of its volume when it closes at its high, less all of it at its low. "

#define GOLDEN_UNEQUAL                                                                                       \
    {                                                                                                        \
        .title = "unequal lengths",                                                                          \
        .args = "{\"high\":[12,15],\"low\":[6,9],\"close\":[9,12],\"volume\":[1,2,3]}", .result = "volume",  \
        .status = KILN_INVALID                                                                               \
    }

/* ---- ad -------------------------------------------------------------------------------------- */

static const struct kiln_row ad_params[] = {ROW_HIGH, ROW_LOW, ROW_CLOSE, ROW_VOLUME};
static const struct kiln_row ad_results[] = {ROW_RESULT("ad", NULL, "the line, in units of volume")};
static const struct kiln_golden ad_goldens[] = {
    {.title = "half of 2 in, all of 1 out, half of 3 in, no range",
     .args = "{" BARS "}",
     .result = "{\"ad\":[1,0,1.5,1.5]}",
     .rtol = 1e-14},
    {.title = "a missing first bar",
     .args = "{\"high\":[12,14],\"low\":[8,10],\"close\":[null,13],\"volume\":[2,3]}",
     .result = "{\"ad\":[null,1.5]}"},
    GOLDEN_UNEQUAL,
    {.args = "{" NOISE "}"},
};

static int ad_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    (void) args;
    plan->state = ACCUMULATION_LINE;
    return KILN_OK;
}

static void ad_advance(const struct plan *plan, struct feed *f)
{
    (void) plan;
    accumulation_line(f->in[0], f->in[1], f->in[2], f->in[3], feed_part(f), f->state, f->out[0]);
}

INDICATOR(ad, 4, "Chaikin accumulation/distribution line",
          HELP_LINE "The line begins at the first bar, from 0 (TA-Lib's AD).\n\n" HELP_ALIGNED);

/* ---- adosc ----------------------------------------------------------------------------------- */

static const struct kiln_row adosc_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_VOLUME,
    ROW_PERIOD("fast_period", 2, "3", "period of the average taken from"),
    ROW_PERIOD("slow_period", 2, "10", "period of the average taken away"),
};
static const struct kiln_row adosc_results[] = {
    ROW_RESULT("adosc", NULL, "fast average of the line - slow average"),
};
static const struct kiln_golden adosc_goldens[] = {
    {.title = "a line of 1, 0, 1.5, 1.5",
     .args = "{" BARS ",\"fast_period\":2,\"slow_period\":3}",
     .result = "{\"adosc\":[null,null,0.1111111111111111,0.12037037037037037]}",
     .rtol = 1e-13},
    {.title = "the slow period may be the shorter",
     .args = "{" BARS ",\"fast_period\":3,\"slow_period\":2}",
     .result = "{\"adosc\":[null,null,-0.1111111111111111,-0.12037037037037037]}",
     .rtol = 1e-13},
    GOLDEN_UNEQUAL,
    {.args = "{" NOISE "}"},
};

static int adosc_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t fast = plan->period[0] = (size_t) args[0].i64, slow = plan->period[1] = (size_t) args[1].i64;
    plan->lookback = (fast > slow ? fast : slow) - 1;
    plan->state = ACCUMULATION_OSCILLATOR;
    return KILN_OK;
}

static void adosc_advance(const struct plan *plan, struct feed *f)
{
    accumulation_oscillator(f->in[0], f->in[1], f->in[2], f->in[3], feed_part(f), plan->period[0],
                            plan->period[1], f->state, f->out[0]);
}

INDICATOR(adosc, 4, "Chaikin accumulation/distribution oscillator",
          "The exponential average of the accumulation/distribution line over fast_period bars less that "
          "over slow_period "
          "bars. " HELP_LINE "Both averages begin with the line's first value and weigh a new one 2/(period "
          "+ 1); they are not swapped. As "
          "TA-Lib's ADOSC: the first value is at the bar of the longer period - 1.\n\n" HELP_ALIGNED);
