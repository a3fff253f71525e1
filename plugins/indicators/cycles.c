/* SPDX-License-Identifier: MPL-2.0 */
/* cycles - Ehlers' cycle indicators: the period, phase and components of the dominant cycle, and what is left without it. */
#include "cycle.h"
#include "indicator.h"
#include "indicators.h"

#define CYCLE_PARAMS(id) static const struct kiln_row id##_params[] = {ROW_CLOSE}
/* Some waves of 8 bars, and as many nulls. */
#define WAVE            "10,11,12,13,14,13,12,11"
#define WAVES_4         WAVE "," WAVE "," WAVE "," WAVE
#define NULLS_8         "null,null,null,null,null,null,null,null"
#define NULLS_7         "null,null,null,null,null,null,null"
#define NULLS_32        NULLS_8 "," NULLS_8 "," NULLS_8 "," NULLS_8
#define NULLS_63        NULLS_32 "," NULLS_8 "," NULLS_8 "," NULLS_8 "," NULLS_7
#define BARS_33         "{\"close\":[" WAVES_4 ",10]}"
#define BARS_64         "{\"close\":[" WAVES_4 "," WAVES_4 "]}"
#define SOON(id, value) "\"" id "\":[" NULLS_32 "," value "]"
#define LATE(id, value) "\"" id "\":[" NULLS_63 "," value "]"
#define GOLDEN_WAVE(bars, ...)                                                                               \
    {                                                                                                        \
        .title = "waves of 8 bars", .args = bars, .result = "{" __VA_ARGS__ "}", .rtol = 1e-11               \
    }
#define GOLDEN_FEW(...)                                                                                      \
    {                                                                                                        \
        .title = "too few bars", .args = "{\"close\":[7,8]}", .result = "{" __VA_ARGS__ "}"                  \
    }
#define GOLDEN_NONE                                                                                          \
    {                                                                                                        \
        .title = "no bars", .args = "{\"close\":[]}", .result = "close", .status = KILN_INVALID              \
    }
#define GOLDEN_WARM                                                                                          \
    {                                                                                                        \
        .args = "{\"close\":{\"$normal\":[1000,1]}}"                                                         \
    }
#define HELP_CYCLE                                                                                           \
    "Prices are smoothed by the weights 4, 3, 2, 1, and split by a Hilbert filter of seven bars, tuned to "  \
    "the period found so far, into a component in phase and one in quadrature; from the angle between the "  \
    "pairs of successive bars follows the period, which moves by at most half or a third of itself a bar, "  \
    "lies within 6 .. 50 bars, and is smoothed twice. Source: J. F. Ehlers, Rocket Science for Traders."

/* What the indicators of this family carry behind the state of the measurement. */
enum { PHASE = CYCLE_STATE, TRENDLINE = PHASE + 1, MODE = TRENDLINE + 3, END = MODE + 4 };

static void plan_cycle(struct plan *plan, size_t lookback, size_t state)
{
    plan->lookback = lookback;
    plan->history = CYCLE_HISTORY;
    plan->state = state;
}

/* plan, and advance piece by piece: the statements find n bars measured in `cycle`, whose results go to the arrays at `at`. */
#define CYCLE(id, start, lookback_of, state_of, ...)                                                         \
    static int id##_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)            \
    {                                                                                                        \
        (void) call, (void) args;                                                                            \
        plan_cycle(plan, lookback_of, state_of);                                                             \
        return KILN_OK;                                                                                      \
    }                                                                                                        \
    static void id##_advance(const struct plan *plan, struct feed *f)                                        \
    {                                                                                                        \
        (void) plan;                                                                                         \
        struct part part = part_from(feed_part(f), start);                                                   \
        struct cycle cycle;                                                                                  \
        for (size_t at = part.begin; at < part.end; at += KERNEL_CHUNK) {                                    \
            size_t n = least(KERNEL_CHUNK, part.end - at);                                                   \
            struct part here = {at, at + n, part.origin};                                                    \
            cycle_measure(f->in[0], here, start, f->state, &cycle);                                          \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }

/* ---- ht_dcperiod ----------------------------------------------------------------------------- */

CYCLE_PARAMS(ht_dcperiod);

static const struct kiln_row ht_dcperiod_results[] = {
    ROW_RESULT("ht_dcperiod", "bars", "period of the dominant cycle"),
};

static const struct kiln_golden ht_dcperiod_goldens[] = {
    GOLDEN_WAVE(BARS_33, SOON("ht_dcperiod", "15.24447733623995")),
    GOLDEN_FEW("\"ht_dcperiod\":[null,null]"),
    GOLDEN_NONE,
    GOLDEN_WARM,
};

CYCLE(
    ht_dcperiod, CYCLE_SOONEST, CYCLE_SHORT_LOOKBACK, CYCLE_STATE,
    for (size_t i = 0; i < n; i++) { f->out[0][at + i] = cycle.period[i]; })

INDICATOR(ht_dcperiod, 1, "Hilbert transform: period of the dominant cycle",
          "Period of the dominant cycle of the prices, in bars, as TA-Lib's HT_DCPERIOD: measured from bar "
          "12 on, with the first value at bar 32.\n\n" HELP_CYCLE "\n\n" HELP_ALIGNED);

/* ---- ht_phasor ------------------------------------------------------------------------------- */

CYCLE_PARAMS(ht_phasor);

static const struct kiln_row ht_phasor_results[] = {
    ROW_RESULT("in_phase", "price", "component in phase"),
    ROW_RESULT("quadrature", "price", "component a quarter of a cycle off"),
};

static const struct kiln_golden ht_phasor_goldens[] = {
    GOLDEN_WAVE(BARS_33, SOON("in_phase", "1.2031091776948508") "," SOON("quadrature", "2.0224749135646936")),
    GOLDEN_FEW("\"in_phase\":[null,null],\"quadrature\":[null,null]"),
    GOLDEN_NONE,
    GOLDEN_WARM,
};

CYCLE(
    ht_phasor, CYCLE_SOONEST, CYCLE_SHORT_LOOKBACK, CYCLE_STATE, for (size_t i = 0; i < n; i++) {
        f->out[0][at + i] = cycle_in_phase(&cycle, i);
        f->out[1][at + i] = cycle_quadrature(&cycle, i);
    })

INDICATOR(ht_phasor, 1, "Hilbert transform: components of the dominant cycle",
          "In-phase and quadrature component of the dominant cycle of the prices, as TA-Lib's HT_PHASOR: "
          "measured from bar 12 on, with the first values at bar 32.\n\n" HELP_CYCLE "\n\n" HELP_ALIGNED);

/* ---- ht_dcphase ------------------------------------------------------------------------------ */

CYCLE_PARAMS(ht_dcphase);

static const struct kiln_row ht_dcphase_results[] = {
    ROW_RESULT("ht_dcphase", "degrees", "phase of the dominant cycle, -45..315"),
};

static const struct kiln_golden ht_dcphase_goldens[] = {
    GOLDEN_WAVE(BARS_64, LATE("ht_dcphase", "191.50800989026524")),
    GOLDEN_FEW("\"ht_dcphase\":[null,null]"),
    GOLDEN_NONE,
    GOLDEN_WARM,
};

CYCLE(ht_dcphase, CYCLE_LATE, CYCLE_LONG_LOOKBACK, TRENDLINE,
      cycle_phase(&cycle, n, f->state + PHASE, f->out[0] + at);)

#define HELP_PHASE                                                                                           \
    "The phase is found from the smoothed prices of the last cycle, whose length is the period of "          \
    "ht_dcperiod to the next whole bar: the angle of their sums with the sine and with the cosine of one "   \
    "turn, less the delay of the smoothing. It is measured from bar 37 on."

INDICATOR(ht_dcphase, 1, "Hilbert transform: phase of the dominant cycle",
          "Phase of the dominant cycle of the prices in degrees, as TA-Lib's HT_DCPHASE; the first value is "
          "at bar 63.\n\n" HELP_PHASE "\n\n" HELP_CYCLE "\n\n" HELP_ALIGNED);

/* ---- ht_sine --------------------------------------------------------------------------------- */

CYCLE_PARAMS(ht_sine);

static const struct kiln_row ht_sine_results[] = {
    ROW_RESULT("sine", NULL, "sine of the phase"),
    ROW_RESULT("lead_sine", NULL, "sine of the phase + 45 degrees"),
};

static const struct kiln_golden ht_sine_goldens[] = {
    GOLDEN_WAVE(BARS_64, LATE("sine", "-0.19950492492103203") "," LATE("lead_sine", "-0.8339629741336357")),
    GOLDEN_FEW("\"sine\":[null,null],\"lead_sine\":[null,null]"),
    GOLDEN_NONE,
    GOLDEN_WARM,
};

CYCLE(ht_sine, CYCLE_LATE, CYCLE_LONG_LOOKBACK, TRENDLINE, double *sine = f->out[0] + at,
      *lead = f->out[1] + at;
      double phase[KERNEL_CHUNK]; cycle_phase(&cycle, n, f->state + PHASE, phase);
      cycle_sine(phase, n, 0.0, sine); cycle_sine(phase, n, 45.0, lead);)

INDICATOR(ht_sine, 1, "Hilbert transform: sine of the dominant cycle",
          "Sine of the phase of ht_dcphase, and of the phase 45 degrees ahead, as TA-Lib's HT_SINE; the "
          "first values are at bar 63.\n\n" HELP_PHASE "\n\n" HELP_CYCLE "\n\n" HELP_ALIGNED);

/* ---- ht_trendline ---------------------------------------------------------------------------- */

CYCLE_PARAMS(ht_trendline);

static const struct kiln_row ht_trendline_results[] = {
    ROW_RESULT("ht_trendline", "price", "price without its dominant cycle"),
};

static const struct kiln_golden ht_trendline_goldens[] = {
    GOLDEN_WAVE(BARS_64, LATE("ht_trendline", "12")),
    GOLDEN_FEW("\"ht_trendline\":[null,null]"),
    GOLDEN_NONE,
    GOLDEN_WARM,
};

CYCLE(ht_trendline, CYCLE_LATE, CYCLE_LONG_LOOKBACK, MODE,
      cycle_trendline(f->in[0], here, &cycle, f->state + TRENDLINE, f->out[0] + at);)

INDICATOR(ht_trendline, 1, "Hilbert transform: instantaneous trendline",
          "Mean of the prices of the last cycle, whose length is the period of ht_dcperiod to the next whole "
          "bar, smoothed by the weights 4, 3, 2, 1; as TA-Lib's HT_TRENDLINE: measured from bar 37 on, with "
          "the first value at bar 63.\n\n" HELP_CYCLE "\n\n" HELP_ALIGNED);

/* ---- ht_trendmode ---------------------------------------------------------------------------- */

CYCLE_PARAMS(ht_trendmode);

static const struct kiln_row ht_trendmode_results[] = {
    ROW_RESULT("ht_trendmode", NULL, "1 while the price follows a trend, 0 while it swings"),
};

static const struct kiln_golden ht_trendmode_goldens[] = {
    GOLDEN_WAVE(BARS_64, LATE("ht_trendmode", "0")),
    GOLDEN_FEW("\"ht_trendmode\":[null,null]"),
    GOLDEN_NONE,
    GOLDEN_WARM,
};

CYCLE(ht_trendmode, CYCLE_LATE, CYCLE_LONG_LOOKBACK, END, double phase[KERNEL_CHUNK];
      double sine[KERNEL_CHUNK]; double lead[KERNEL_CHUNK]; double line[KERNEL_CHUNK];
      cycle_phase(&cycle, n, f->state + PHASE, phase); cycle_sine(phase, n, 0.0, sine);
      cycle_sine(phase, n, 45.0, lead); cycle_trendline(f->in[0], here, &cycle, f->state + TRENDLINE, line);
      cycle_trend_mode(&cycle, n, phase, sine, lead, line, f->state + MODE, f->out[0] + at);)

INDICATOR(ht_trendmode, 1, "Hilbert transform: trend or cycle",
          "0 on the bar where the lines of ht_sine cross, for half a cycle after it, and while the phase "
          "turns at 0.67 to 1.5 times the speed of the dominant cycle; else 1, and in any case 1 where the "
          "smoothed price is 1.5 % or more away from ht_trendline. As TA-Lib's HT_TRENDMODE; the first "
          "value is at bar 63.\n\n" HELP_PHASE "\n\n" HELP_CYCLE "\n\n" HELP_ALIGNED);
