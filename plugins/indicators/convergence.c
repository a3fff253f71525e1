/* SPDX-License-Identifier: MPL-2.0 */
/* convergence - a fast average of the price beside a slow one: APO, PPO, MACDEXT, MACDFIX. */
#include <stdbool.h>

#include "indicator.h"
#include "indicators.h"
#include "link.h"
#include "rates.h"
#include "smooth.h"
#include "stage.h"

/* Where plan() leaves what advance() needs. */
enum { FAST_TYPE, FAST_PERIOD, SLOW_TYPE, SLOW_PERIOD, SIGNAL_TYPE, SIGNAL_PERIOD };

static struct stage stage_at(const struct plan *plan, size_t which)
{
    return stage_of((enum average_kind) plan->period[which], plan->period[which + 1]);
}

static size_t greater(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* ---- two averages of the same price ------------------------------------------------------------ */

/* The quick one is the one of the shorter period. */
static void pair_plan(struct plan *plan, size_t fast, enum average_kind fast_type, size_t slow,
                      enum average_kind slow_type)
{
    bool swapped = slow < fast;
    plan->period[FAST_PERIOD] = swapped ? slow : fast;
    plan->period[FAST_TYPE] = swapped ? slow_type : fast_type;
    plan->period[SLOW_PERIOD] = swapped ? fast : slow;
    plan->period[SLOW_TYPE] = swapped ? fast_type : slow_type;
    struct stage quick = stage_at(plan, FAST_TYPE), calm = stage_at(plan, SLOW_TYPE);
    plan->lookback = greater(quick.lookback, calm.lookback);
    plan->history = greater(quick.history, calm.history);
    plan->state = quick.state + calm.state;
    plan->scratch = link_aligned(calm.history + LINK_ALIGNMENT) + greater(quick.scratch, calm.scratch);
    plan->scratch_bars = 1 + greater(quick.scratch_bars, calm.scratch_bars);
}

/* The quick average comes to stand in out[0], the slow one in scratch, whose double for bar `begin` is returned. Each begins at bar
 * 0, or, when they start together, so late that both have their first value at the bar plan->lookback would be without a
 * signal. */
static const double *pair_averages(const struct plan *plan, struct feed *f, bool together, double *state,
                                   double *scratch)
{
    struct stage quick = stage_at(plan, FAST_TYPE), calm = stage_at(plan, SLOW_TYPE);
    size_t start = together ? greater(quick.lookback, calm.lookback) : 0, length = f->end - f->begin;
    size_t quick_first = together ? start - quick.lookback : 0;
    size_t calm_first = together ? start - calm.lookback : 0;
    double *slow = link_cut(&scratch, calm.history + length) + calm.history;
    const double *x = f->in[0] + f->begin;
    uint64_t number = feed_number(f, f->begin);
    stage_average(&quick, x, number, length, quick_first, state, scratch, f->out[0] + f->begin);
    stage_average(&calm, x, number, length, calm_first, state + quick.state, scratch, slow);
    return slow;
}

#define PAIR_PARAMS                                                                                          \
    ROW_CLOSE, ROW_PERIOD("fast_period", 2, "12", "period of the fast average"),                             \
        ROW_PERIOD("slow_period", 2, "26",                                                                   \
                   "period of the slow one; the two are swapped when it is the shorter"),                    \
        STAGE_ROW("ma_type", "type of both averages")

#define PAIR_HELP                                                                                            \
    "the moving averages of the close over fast_period and slow_period bars, each from its own start. The "  \
    "first "                                                                                                 \
    "value is at the bar where the slow one begins.\n\n" HELP_STAGE HELP_ALIGNED

static int oscillator_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    enum average_kind type = average_kind_of(args[2].text);
    pair_plan(plan, (size_t) args[0].i64, type, (size_t) args[1].i64, type);
    return KILN_OK;
}

/* ---- apo, ppo -------------------------------------------------------------------------------- */

#define GOLDENS(id, values, of_ema)                                                                          \
    {                                                                                                        \
        {.title = "means of two and of three",                                                               \
         .args = "{\"close\":[1,2,4,8,16],\"fast_period\":2,\"slow_period\":3}",                             \
         .result = "{\"" id "\":" values "}",                                                                \
         .rtol = 1e-13},                                                                                     \
            {.title = "exponential, swapped",                                                                \
             .args = "{\"close\":[1,2,4,8,16],\"fast_period\":3,\"slow_period\":2,\"ma_type\":\"ema\"}",     \
             .result = "{\"" id "\":" of_ema "}",                                                            \
             .rtol = 1e-13},                                                                                 \
            {.title = "constant",                                                                            \
             .args = "{\"close\":[0.1,0.1,0.1,0.1],\"fast_period\":2,\"slow_period\":3}",                    \
             .result = "{\"" id "\":[null,null,0,0]}"},                                                      \
            {.title = "an average that there is not",                                                        \
             .args = "{\"close\":[7,8],\"ma_type\":\"hull\"}",                                               \
             .result = "ma_type",                                                                            \
             .status = KILN_INVALID},                                                                        \
            {.args = "{\"close\":{\"$normal\":[10000,1]}}"},                                                 \
    }

static const struct kiln_row apo_params[] = {PAIR_PARAMS};
static const struct kiln_row apo_results[] = {ROW_RESULT("apo", "price", "fast average - slow average")};
static const struct kiln_golden apo_goldens[] =
    GOLDENS("apo", "[null,null,0.6666666666666666,1.3333333333333333,2.6666666666666665]",
            "[null,null,0.8333333333333334,1.2222222222222223,2.212962962962963]");

#define apo_plan oscillator_plan

static void apo_advance(const struct plan *plan, struct feed *f)
{
    const double *slow = pair_averages(plan, f, false, f->state, f->scratch);
    size_t from = feed_index(f, plan->lookback);
    rates_less(slow + (from - f->begin), f->end - from, f->out[0] + from);
}

INDICATOR(apo, 1, "Absolute price oscillator", "The difference (TA-Lib's APO) of " PAIR_HELP);

static const struct kiln_row ppo_params[] = {PAIR_PARAMS};
static const struct kiln_row ppo_results[] = {
    ROW_RESULT("ppo", "percent", "fast average over slow average - 1"),
};
static const struct kiln_golden ppo_goldens[] =
    GOLDENS("ppo", "[null,null,28.571428571428573,28.571428571428573,28.571428571428573]",
            "[null,null,35.714285714285715,23.655913978494624,20.909886264216972]");

#define ppo_plan oscillator_plan

static void ppo_advance(const struct plan *plan, struct feed *f)
{
    const double *slow = pair_averages(plan, f, false, f->state, f->scratch);
    size_t from = feed_index(f, plan->lookback);
    rates_percent_more(slow + (from - f->begin), f->end - from, f->out[0] + from);
}

INDICATOR(
    ppo, 1, "Percentage price oscillator",
    "100 (f - s)/s, and 0 where s is nothing (within 1e-14 of 0; TA-Lib's PPO), with f and s " PAIR_HELP);

/* ---- macdext --------------------------------------------------------------------------------- */

#define MACD_RESULTS                                                                                         \
    ROW_RESULT("macd", "price", "fast average - slow average"),                                              \
        ROW_RESULT("macd_signal", "price", "average of macd"),                                               \
        ROW_RESULT("macd_hist", "price", "macd - macd_signal")

static const struct kiln_row macdext_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("fast_period", 2, "12", "period of the fast average"),
    STAGE_ROW("fast_ma_type", "type of the fast average"),
    ROW_PERIOD("slow_period", 2, "26", "period of the slow one; the two are swapped when it is the shorter"),
    STAGE_ROW("slow_ma_type", "type of the slow average"),
    ROW_PERIOD("signal_period", 1, "9", "period of the average of the difference"),
    STAGE_ROW("signal_ma_type", "type of that average"),
};
static const struct kiln_row macdext_results[] = {MACD_RESULTS};
static const struct kiln_golden macdext_goldens[] = {
    {.title = "means of two, of three, and of two differences",
     .args = "{\"close\":[1,2,4,8,16],\"fast_period\":2,\"slow_period\":3,\"signal_period\":2}",
     .result = "{\"macd\":[null,null,null,1.3333333333333333,2.6666666666666665],"
               "\"macd_signal\":[null,null,null,1,2],"
               "\"macd_hist\":[null,null,null,0.3333333333333333,0.6666666666666666]}",
     .rtol = 1e-13},
    {.title = "exponential and swapped, types too",
     .args = "{\"close\":[1,2,4,8],\"fast_period\":3,\"fast_ma_type\":\"sma\",\"slow_period\":2,"
             "\"slow_ma_type\":\"ema\",\"signal_period\":1}",
     .result = "{\"macd\":[null,null,0.6666666666666666,1.6666666666666667],\"macd_hist\":[null,null,0,0]}",
     .rtol = 1e-13},
    {.title = "one bar too few",
     .args = "{\"close\":[1,2,4],\"fast_period\":2,\"slow_period\":3,\"signal_period\":2}",
     .result = "{\"macd\":[null,null,null],\"macd_signal\":[null,null,null],\"macd_hist\":[null,null,null]}"},
    {.title = "a period out of range",
     .args = "{\"close\":[7,8],\"signal_period\":0}",
     .result = "signal_period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int macdext_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    pair_plan(plan, (size_t) args[0].i64, average_kind_of(args[1].text), (size_t) args[2].i64,
              average_kind_of(args[3].text));
    plan->period[SIGNAL_PERIOD] = (size_t) args[4].i64;
    plan->period[SIGNAL_TYPE] = average_kind_of(args[5].text);
    struct stage signal = stage_at(plan, SIGNAL_TYPE);
    size_t room = carry_room(signal.history);
    plan->lookback += signal.lookback;
    plan->state += link_state(&signal);
    plan->scratch += link_scratch(&signal, room) + link_aligned(signal.history + room);
    return KILN_OK;
}

static void macdext_advance(const struct plan *plan, struct feed *f)
{
    struct stage signal = stage_at(plan, SIGNAL_TYPE);
    size_t room = carry_room(signal.history), first = plan->lookback - signal.lookback, length;
    double *state = f->state, *scratch = f->scratch;
    struct link link = link_open(&signal, first, &state, &scratch, room);
    double *trigger = link_cut(&scratch, signal.history + room) + signal.history;
    const double *slow = pair_averages(plan, f, true, state, scratch);
    double *macd = f->out[0];
    for (size_t i = f->begin; i < f->end; i += length, slow += length) {
        length = least(room, f->end - i);
        struct part part = {.begin = i, .end = i + length, .origin = f->origin};
        size_t none = part_index(part, first) - i;
        memset(macd + i, 0, none * sizeof(double));
        rates_less(slow + none, length - none, macd + i + none);
        memcpy(link.in.next, macd + i, length * sizeof(double));
        link_average(&link, feed_number(f, i), length, trigger);
        memcpy(f->out[1] + i, trigger, length * sizeof(double));
        memcpy(f->out[2] + i, macd + i, length * sizeof(double));
        rates_less(trigger, length, f->out[2] + i);
        link_shift(&link, length);
    }
    link_close(&link);
}

INDICATOR(macdext, 1, "Moving average convergence and divergence with averages of any type",
          "macd = fast average - slow average; macd_signal = moving average of it over signal_period bars; "
          "macd_hist is their difference. As TA-Lib's MACDEXT: the average that begins earlier by itself "
          "begins with as few "
          "prices before the other's first value as it needs, so that both start together, and exponential "
          "ones are "
          "those of MACD; all three results start with the signal.\n\n" HELP_STAGE HELP_ALIGNED);

/* ---- macdfix --------------------------------------------------------------------------------- */

static const struct kiln_row macdfix_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("signal_period", 1, "9", "period of the exponential average of the difference"),
};
static const struct kiln_row macdfix_results[] = {MACD_RESULTS};
static const struct kiln_golden macdfix_goldens[] = {
    {.title = "a step of 1 after 26 bars",
     .args = "{\"close\":[7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,8],\"signal_period\":1}",
     .result =
         "{\"macd\":[null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,"
         "null,null,null,null,null,null,null,null,0,0.075]}",
     .atol = 1e-14},
    {.title = "too few bars",
     .args = "{\"close\":[7,8],\"signal_period\":1}",
     .result = "{\"macd\":[null,null],\"macd_signal\":[null,null],\"macd_hist\":[null,null]}"},
    {.title = "a period out of range",
     .args = "{\"close\":[7,8],\"signal_period\":0}",
     .result = "signal_period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

static int macdfix_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = SMOOTH_MACDFIX_SLOW - 1 + plan->period[0] - 1;
    plan->state = SMOOTH_MACD;
    return KILN_OK;
}

static void macdfix_advance(const struct plan *plan, struct feed *f)
{
    smooth_macdfix_part(f->in[0], feed_part(f), plan->period[0], f->state, f->out[0], f->out[1], f->out[2]);
}

INDICATOR(
    macdfix, 1, "Moving average convergence and divergence with fixed weights",
    "MACD of the periods 12 and 26, whose exponential averages weigh a new price 0.15 and 0.075 instead of "
    "2/13 and "
    "2/27, as in Appel's original. As TA-Lib's MACDFIX: all three results start at bar 25 + signal_period - "
    "1.\n\n" HELP_ALIGNED);
