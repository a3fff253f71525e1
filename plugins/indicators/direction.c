/* SPDX-License-Identifier: MPL-2.0 */
/* direction - which way the price goes and how steadily: PLUS_DM, MINUS_DM, PLUS_DI, MINUS_DI, DX, ADX, ADXR. */
#include "carry.h"
#include "directional.h"
#include "indicator.h"
#include "indicators.h"

#define PERIOD_SUMS(least_bars)                                                                              \
    ROW_PERIOD("period", least_bars, "14", "bars in the sums; each new bar takes 1/period of them away")

#define HELP_MOVES                                                                                           \
    "Of a bar, dH = high - previous high and dL = previous low - low; its movement up is dH where dH > 0 "   \
    "and "                                                                                                   \
    "dH > dL, its movement down is dL where dL > 0 and dL > dH, both otherwise 0. "

#define HELP_SUMS                                                                                            \
    "Sums are Wilder's: over the bars 1 .. period - 1 first, then s - s/period + new at each bar. "

#define HLC     "\"high\":[10,12,13,13,16],\"low\":[8,9,11,8,10],\"close\":[9,11,12,9,15]"
#define NOISE_2 "\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]}"
#define NOISE_3 NOISE_2 ",\"close\":{\"$normal\":[10000,3]}"

#define GOLDEN_UNEQUAL                                                                                       \
    {                                                                                                        \
        .title = "unequal lengths", .args = "{\"high\":[10,12,11],\"low\":[8,9],\"close\":[9,11,9]}",        \
        .result = "low", .status = KILN_INVALID                                                              \
    }

/* ---- plus_dm, minus_dm ------------------------------------------------------------------------- */

static const struct kiln_row plus_dm_params[] = {ROW_HIGH, ROW_LOW, PERIOD_SUMS(1)};
static const struct kiln_row plus_dm_results[] = {ROW_RESULT("plus_dm", "price", "sum of movements up")};
static const struct kiln_row minus_dm_params[] = {ROW_HIGH, ROW_LOW, PERIOD_SUMS(1)};
static const struct kiln_row minus_dm_results[] = {ROW_RESULT("minus_dm", "price", "sum of movements down")};

#define HL "\"high\":[10,12,13,13,16],\"low\":[8,9,11,8,10]"
#define GOLDENS_DM(id, two, one)                                                                             \
    {                                                                                                        \
        {.title = "movements up 2, 1, 0, 3, down 0, 0, 3, 0",                                                \
         .args = "{" HL ",\"period\":2}",                                                                    \
         .result = "{\"" id "\":" two "}",                                                                   \
         .rtol = 1e-14},                                                                                     \
            {.title = "period 1: each movement itself",                                                      \
             .args = "{" HL ",\"period\":1}",                                                                \
             .result = "{\"" id "\":" one "}"},                                                              \
            {.title = "unequal lengths",                                                                     \
             .args = "{\"high\":[10,12,11],\"low\":[8,9]}",                                                  \
             .result = "low",                                                                                \
             .status = KILN_INVALID},                                                                        \
            {.args = "{" NOISE_2 "}"},                                                                       \
    }

static const struct kiln_golden plus_dm_goldens[] =
    GOLDENS_DM("plus_dm", "[null,2,2,1,3.5]", "[null,2,1,0,3]");
static const struct kiln_golden minus_dm_goldens[] =
    GOLDENS_DM("minus_dm", "[null,0,0,3,1.5]", "[null,0,0,3,0]");

static int dm_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t period = plan->period[0] = (size_t) args[0].i64;
    plan->lookback = period > 1 ? period - 1 : 1;
    plan->history = DIRECTIONAL_HISTORY;
    plan->state = DIRECTIONAL_MOVEMENT;
    return KILN_OK;
}

#define plus_dm_plan  dm_plan
#define minus_dm_plan dm_plan

static void plus_dm_advance(const struct plan *plan, struct feed *f)
{
    directional_movement(true, f->in[0], f->in[1], feed_part(f), plan->period[0], f->state, f->out[0]);
}

static void minus_dm_advance(const struct plan *plan, struct feed *f)
{
    directional_movement(false, f->in[0], f->in[1], feed_part(f), plan->period[0], f->state, f->out[0]);
}

#define HELP_DM                                                                                              \
    "The first value is at bar period - 1; with period 1 each value is the movement of its bar, from bar 1 " \
    "on.\n\n" HELP_ALIGNED

INDICATOR(plus_dm, 2, "Plus directional movement",
          HELP_MOVES HELP_SUMS "The result is the sum of the movements up (TA-Lib's PLUS_DM). " HELP_DM);
INDICATOR(minus_dm, 2, "Minus directional movement",
          HELP_MOVES HELP_SUMS "The result is the sum of the movements down (TA-Lib's MINUS_DM). " HELP_DM);

/* ---- plus_di, minus_di ------------------------------------------------------------------------- */

static const struct kiln_row plus_di_params[] = {ROW_HIGH, ROW_LOW, ROW_CLOSE, PERIOD_SUMS(1)};
static const struct kiln_row plus_di_results[] = {
    ROW_RESULT("plus_di", "percent", "movements up over true ranges"),
};
static const struct kiln_row minus_di_params[] = {ROW_HIGH, ROW_LOW, ROW_CLOSE, PERIOD_SUMS(1)};
static const struct kiln_row minus_di_results[] = {
    ROW_RESULT("minus_di", "percent", "movements down over true ranges"),
};

#define GOLDENS_DI(id, two, one)                                                                             \
    {                                                                                                        \
        {.title = "movements up 2, 1, 0, 3, down 0, 0, 3, 0, ranges 3, 2, 5, 7",                             \
         .args = "{" HLC ",\"period\":2}",                                                                   \
         .result = "{\"" id "\":" two "}",                                                                   \
         .rtol = 1e-14},                                                                                     \
            {.title = "period 1: without the 100",                                                           \
             .args = "{" HLC ",\"period\":1}",                                                               \
             .result = "{\"" id "\":" one "}",                                                               \
             .rtol = 1e-14},                                                                                 \
            {.title = "no range",                                                                            \
             .args = "{\"high\":[7,7,7],\"low\":[7,7,7],\"close\":[7,7,7],\"period\":2}",                    \
             .result = "{\"" id "\":[null,null,0]}"},                                                        \
            GOLDEN_UNEQUAL, {.args = "{" NOISE_3 "}"},                                                       \
    }

static const struct kiln_golden plus_di_goldens[] =
    GOLDENS_DI("plus_di", "[null,null,57.142857142857146,14.814814814814815,33.734939759036145]",
               "[null,0.6666666666666666,0.5,0,0.42857142857142855]");
static const struct kiln_golden minus_di_goldens[] =
    GOLDENS_DI("minus_di", "[null,null,0,44.44444444444444,14.457831325301205]", "[null,0,0,0.6,0]");

static int di_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->lookback = plan->period[0] = (size_t) args[0].i64;
    plan->history = DIRECTIONAL_HISTORY;
    plan->state = DIRECTIONAL_MOVEMENT;
    return KILN_OK;
}

#define plus_di_plan  di_plan
#define minus_di_plan di_plan

static void plus_di_advance(const struct plan *plan, struct feed *f)
{
    directional_indicator(true, f->in[0], f->in[1], f->in[2], feed_part(f), plan->period[0], f->state,
                          f->out[0]);
}

static void minus_di_advance(const struct plan *plan, struct feed *f)
{
    directional_indicator(false, f->in[0], f->in[1], f->in[2], feed_part(f), plan->period[0], f->state,
                          f->out[0]);
}

#define HELP_DI                                                                                              \
    "and 0 where the sum of the true ranges is nothing (below 1e-14). The first value is at bar `period`; "  \
    "with "                                                                                                  \
    "period 1 it is each bar's movement over its true range, without the 100, as TA-Lib has "                \
    "it.\n\n" HELP_ALIGNED

INDICATOR(plus_di, 3, "Plus directional indicator",
          HELP_MOVES HELP_SUMS "The result is 100 times the sum of the movements up over the sum of the true "
                               "ranges (TA-Lib's PLUS_DI), " HELP_DI);
INDICATOR(minus_di, 3, "Minus directional indicator",
          HELP_MOVES HELP_SUMS
          "The result is 100 times the sum of the movements down over the sum of the true "
          "ranges (TA-Lib's MINUS_DI), " HELP_DI);

/* ---- dx -------------------------------------------------------------------------------------- */

#define HELP_DX                                                                                              \
    "DX = 100 |p - m|/(p + m), where p and m are the sums of the movements up and down (the ratio is that "  \
    "of "                                                                                                    \
    "PLUS_DI and MINUS_DI)"

static const struct kiln_row dx_params[] = {ROW_HIGH, ROW_LOW, ROW_CLOSE, PERIOD_SUMS(2)};
static const struct kiln_row dx_results[] = {ROW_RESULT("dx", "percent", "100: all movements go one way")};
static const struct kiln_golden dx_goldens[] = {
    {.title = "sums 2 and 0, 1 and 3, 3.5 and 1.5",
     .args = "{" HLC ",\"period\":2}",
     .result = "{\"dx\":[null,null,100,50,40]}",
     .rtol = 1e-14},
    {.title = "nothing moves",
     .args = "{\"high\":[7,7,7],\"low\":[7,7,7],\"close\":[7,7,7],\"period\":2}",
     .result = "{\"dx\":[null,null,0]}"},
    GOLDEN_UNEQUAL,
    {.args = "{" NOISE_3 "}"},
};

static int dx_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->lookback = plan->period[0] = (size_t) args[0].i64;
    plan->history = DIRECTIONAL_HISTORY;
    plan->state = DIRECTIONAL_INDEX;
    return KILN_OK;
}

static void dx_advance(const struct plan *plan, struct feed *f)
{
    directional_index(f->in[0], f->in[1], f->in[2], feed_part(f), plan->period[0], f->state, f->out[0]);
}

INDICATOR(dx, 3, "Directional movement index",
          HELP_MOVES HELP_SUMS HELP_DX "; where nothing moves, it is what it was at the bar before, and 0 at "
                                       "the first. As TA-Lib's DX: the first "
                                       "value is at bar `period`.\n\n" HELP_ALIGNED);

/* ---- adx ------------------------------------------------------------------------------------- */

static const struct kiln_row adx_params[] = {ROW_HIGH, ROW_LOW, ROW_CLOSE, PERIOD_SUMS(2)};
static const struct kiln_row adx_results[] = {ROW_RESULT("adx", "percent", "average of DX")};
static const struct kiln_golden adx_goldens[] = {
    {.title = "of DX 100, 50, 40",
     .args = "{" HLC ",\"period\":2}",
     .result = "{\"adx\":[null,null,null,75,57.5]}",
     .rtol = 1e-14},
    {.title = "nothing moves",
     .args = "{\"high\":[7,7,7,7],\"low\":[7,7,7,7],\"close\":[7,7,7,7],\"period\":2}",
     .result = "{\"adx\":[null,null,null,0]}"},
    GOLDEN_UNEQUAL,
    {.args = "{" NOISE_3 "}"},
};

static int adx_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[0] = (size_t) args[0].i64;
    plan->lookback = 2 * plan->period[0] - 1;
    plan->history = DIRECTIONAL_HISTORY;
    plan->state = DIRECTIONAL_ADX;
    return KILN_OK;
}

static void adx_advance(const struct plan *plan, struct feed *f)
{
    directional_adx(f->in[0], f->in[1], f->in[2], feed_part(f), plan->period[0], f->state, f->out[0]);
}

#define HELP_ADX                                                                                             \
    HELP_MOVES HELP_SUMS HELP_DX                                                                             \
        ". ADX is its average: first the mean of the first `period` of them, at bar 2 period - 1, then "     \
        "(period - 1)/period of the average and 1/period of the new DX. A bar where nothing moves has no "   \
        "DX: it "                                                                                            \
        "adds nothing to the first mean and leaves the average as it is. "

INDICATOR(adx, 3, "Average directional movement index",
          HELP_ADX "As TA-Lib's ADX and Wilder's (1978).\n\n" HELP_ALIGNED);

/* ---- adxr ------------------------------------------------------------------------------------ */

static const struct kiln_row adxr_params[] = {ROW_HIGH, ROW_LOW, ROW_CLOSE, PERIOD_SUMS(2)};
static const struct kiln_row adxr_results[] = {ROW_RESULT("adxr", "percent", "mean of two ADX")};
static const struct kiln_golden adxr_goldens[] = {
    {.title = "of ADX 75 and 57.5",
     .args = "{" HLC ",\"period\":2}",
     .result = "{\"adxr\":[null,null,null,null,66.25]}",
     .rtol = 1e-14},
    {.title = "one bar too few",
     .args = "{\"high\":[10,12,13,13],\"low\":[8,9,11,8],\"close\":[9,11,12,9],\"period\":2}",
     .result = "{\"adxr\":[null,null,null,null]}"},
    GOLDEN_UNEQUAL,
    {.args = "{" NOISE_3 "}"},
};

static int adxr_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    size_t period = plan->period[0] = (size_t) args[0].i64;
    plan->lookback = 3 * period - 2;
    plan->history = DIRECTIONAL_HISTORY;
    plan->state = DIRECTIONAL_ADX + period - 1;
    plan->scratch = period - 1 + carry_room(period - 1);
    return KILN_OK;
}

static void adxr_advance(const struct plan *plan, struct feed *f)
{
    size_t period = plan->period[0], length;
    struct carry adx = carry_open(f->state + DIRECTIONAL_ADX, f->scratch, period - 1);
    for (size_t i = f->begin; i < f->end; i += length) {
        length = least(carry_room(period - 1), f->end - i);
        struct part part = {.begin = i, .end = i + length, .origin = f->origin};
        directional_adx(f->in[0], f->in[1], f->in[2], part, period, f->state, f->out[0]);
        size_t none = part_index(part, 2 * (uint64_t) period - 1) - i;
        memset(adx.next, 0, none * sizeof(double));
        memcpy(adx.next + none, f->out[0] + i + none, (length - none) * sizeof(double));
        directional_mean(adx.next, adx.next - (period - 1), length, f->out[0] + i);
        carry_shift(&adx, length);
    }
    carry_close(&adx, f->state + DIRECTIONAL_ADX);
}

INDICATOR(adxr, 3, "Average directional movement index rating",
          HELP_ADX "ADXR is the mean of ADX at the bar and period - 1 bars before (TA-Lib's ADXR); the first "
                   "value is at bar "
                   "3 period - 2.\n\n" HELP_ALIGNED);
