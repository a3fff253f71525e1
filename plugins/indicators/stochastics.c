/* SPDX-License-Identifier: MPL-2.0 */
/* stochastics - where the price stands in its recent range: STOCHF, STOCH, STOCHRSI. */
#include <math.h>
#include <stdbool.h>

#include "carry.h"
#include "indicator.h"
#include "indicators.h"
#include "link.h"
#include "smooth.h"
#include "stage.h"
#include "standing.h"

#define HLC "\"high\":[10,12,11,14,13],\"low\":[8,9,9,10,11],\"close\":[9,11,10,13,12]"
#define NOISE                                                                                                \
    "\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":[10000,3]}"
#define FLAT "\"high\":[7,7,7,7],\"low\":[7,7,7,7],\"close\":[7,7,7,7]"

#define GOLDEN_UNEQUAL                                                                                       \
    {                                                                                                        \
        .title = "unequal lengths", .args = "{\"high\":[10,12,11],\"low\":[8,9],\"close\":[9,11,9]}",        \
        .result = "low", .status = KILN_INVALID                                                              \
    }

#define HELP_K                                                                                               \
    "100 (close - L)/(H - L), where H is the highest high and L the lowest low of the last fastk_period "    \
    "bars, "                                                                                                 \
    "and 0 where H = L"

/* ---- stochf, stoch, stochrsi ------------------------------------------------------------------- */

/* Where plan() leaves what advance() needs; the second average is that of STOCH, the RSI that of STOCHRSI. */
enum { FASTK, FIRST_TYPE, FIRST_PERIOD, SECOND_TYPE, SECOND_PERIOD, RSI };

static struct stage first_stage(const struct plan *plan)
{
    return stage_of((enum average_kind) plan->period[FIRST_TYPE], plan->period[FIRST_PERIOD]);
}

static struct stage second_stage(const struct plan *plan)
{
    return stage_of((enum average_kind) plan->period[SECOND_TYPE], plan->period[SECOND_PERIOD]);
}

/* One chain of averages over %K: bars of a piece, and what they take of scratch beside the links. */
static size_t room_of(size_t kept, const struct stage *first, const struct stage *second)
{
    size_t most = kept > first->history ? kept : first->history;
    return carry_room(second && second->history > most ? second->history : most);
}

/* %K of bars i .. i + length-1; 0 where there is none. */
static void fast_k(const struct plan *plan, const struct feed *f, size_t i, size_t length, double *scratch,
                   double *k)
{
    struct part part = {.begin = i, .end = i + length, .origin = f->origin};
    size_t window = plan->period[FASTK], from = part_index(part, window - 1);
    memset(k, 0, (from - i) * sizeof(double));
    standing_k(f->in[0], f->in[1], f->in[2], from, part.end, window, scratch, k + (from - i));
}

static const struct kiln_row stochf_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_PERIOD("fastk_period", 1, "5", "bars in the window of extremes"),
    ROW_PERIOD("fastd_period", 1, "3", "period of the average of fastk"),
    STAGE_ROW("fastd_ma_type", "type of that average"),
};
static const struct kiln_row stochf_results[] = {
    ROW_RESULT("fastk", "percent", "0 at the lowest low, 100 at the highest high"),
    ROW_RESULT("fastd", "percent", "average of fastk"),
};
static const struct kiln_golden stochf_goldens[] = {
    {.title = "ranges 8..12, 9..12, 9..14, 10..14",
     .args = "{" HLC ",\"fastk_period\":2,\"fastd_period\":2}",
     .result = "{\"fastk\":[null,null,33.333333333333336,80,50],"
               "\"fastd\":[null,null,54.166666666666664,56.666666666666664,65]}",
     .rtol = 1e-13},
    {.title = "no range",
     .args = "{" FLAT ",\"fastk_period\":2,\"fastd_period\":2}",
     .result = "{\"fastk\":[null,null,0,0],\"fastd\":[null,null,0,0]}"},
    GOLDEN_UNEQUAL,
    {.args = "{" NOISE "}"},
};

static int stochf_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[FASTK] = (size_t) args[0].i64;
    plan->period[FIRST_PERIOD] = (size_t) args[1].i64;
    plan->period[FIRST_TYPE] = average_kind_of(args[2].text);
    struct stage d = first_stage(plan);
    size_t before = plan->period[FASTK] - 1, room = room_of(before, &d, NULL);
    plan->lookback = before + d.lookback;
    plan->history = before;
    plan->state = link_state(&d);
    plan->scratch = link_scratch(&d, room) + link_aligned(d.history + room) + standing_scratch(before + 1);
    return KILN_OK;
}

/* Room for the results of the last stage. */
static double *cut_results(double **scratch, const struct stage *stage, size_t room)
{
    return link_cut(scratch, stage->history + room) + stage->history;
}

static void stochf_advance(const struct plan *plan, struct feed *f)
{
    struct stage d = first_stage(plan);
    size_t before = plan->period[FASTK] - 1, room = room_of(before, &d, NULL), length;
    double *state = f->state, *scratch = f->scratch;
    struct link link = link_open(&d, before, &state, &scratch, room);
    double *results = cut_results(&scratch, &d, room);
    for (size_t i = f->begin; i < f->end; i += length) {
        length = least(room, f->end - i);
        fast_k(plan, f, i, length, scratch, link.in.next);
        link_average(&link, feed_number(f, i), length, results);
        memcpy(f->out[0] + i, link.in.next, length * sizeof(double));
        memcpy(f->out[1] + i, results, length * sizeof(double));
        link_shift(&link, length);
    }
    link_close(&link);
}

INDICATOR(stochf, 3, "Fast stochastic oscillator",
          "fastk = " HELP_K
          "; fastd is its moving average over fastd_period bars. As TA-Lib's STOCHF: both results start "
          "together, with the first fastd.\n\n" HELP_STAGE HELP_ALIGNED);

static const struct kiln_row stoch_params[] = {
    ROW_HIGH,
    ROW_LOW,
    ROW_CLOSE,
    ROW_PERIOD("fastk_period", 1, "5", "bars in the window of extremes"),
    ROW_PERIOD("slowk_period", 1, "3", "period of the average that slowk is"),
    STAGE_ROW("slowk_ma_type", "type of that average"),
    ROW_PERIOD("slowd_period", 1, "3", "period of the average of slowk"),
    STAGE_ROW("slowd_ma_type", "type of that average"),
};
static const struct kiln_row stoch_results[] = {
    ROW_RESULT("slowk", "percent",
               "average of the fast %K, which is 0 at the lowest low, 100 at the highest high"),
    ROW_RESULT("slowd", "percent", "average of slowk"),
};
static const struct kiln_golden stoch_goldens[] = {
    {.title = "averages of 75, 33.3, 80, 50",
     .args = "{" HLC ",\"fastk_period\":2,\"slowk_period\":2,\"slowd_period\":2}",
     .result =
         "{\"slowk\":[null,null,null,56.666666666666664,65],\"slowd\":[null,null,null,55.416666666666664,"
         "60.833333333333336]}",
     .rtol = 1e-13},
    {.title = "no averages",
     .args = "{" HLC ",\"fastk_period\":2,\"slowk_period\":1,\"slowd_period\":1}",
     .result = "{\"slowk\":[null,75,33.333333333333336,80,50],\"slowd\":[null,75,33.333333333333336,80,50]}",
     .rtol = 1e-14},
    {.title = "an average that there is not",
     .args = "{" HLC ",\"slowk_ma_type\":\"hull\"}",
     .result = "slowk_ma_type",
     .status = KILN_INVALID},
    {.args = "{" NOISE "}"},
};

static int stoch_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[FASTK] = (size_t) args[0].i64;
    plan->period[FIRST_PERIOD] = (size_t) args[1].i64;
    plan->period[FIRST_TYPE] = average_kind_of(args[2].text);
    plan->period[SECOND_PERIOD] = (size_t) args[3].i64;
    plan->period[SECOND_TYPE] = average_kind_of(args[4].text);
    struct stage k = first_stage(plan), d = second_stage(plan);
    size_t before = plan->period[FASTK] - 1, room = room_of(before, &k, &d);
    plan->lookback = before + k.lookback + d.lookback;
    plan->history = before;
    plan->state = link_state(&k) + link_state(&d);
    plan->scratch = link_scratch(&k, room) + link_scratch(&d, room) + link_aligned(k.history + room) +
                    link_aligned(d.history + room) + standing_scratch(before + 1);
    return KILN_OK;
}

static void stoch_advance(const struct plan *plan, struct feed *f)
{
    struct stage k = first_stage(plan), d = second_stage(plan);
    size_t before = plan->period[FASTK] - 1, room = room_of(before, &k, &d), length;
    double *state = f->state, *scratch = f->scratch;
    struct link fast = link_open(&k, before, &state, &scratch, room);
    double *averages = cut_results(&scratch, &k, room);
    struct link slow = link_open(&d, before + k.lookback, &state, &scratch, room);
    double *results = cut_results(&scratch, &d, room);
    for (size_t i = f->begin; i < f->end; i += length) {
        length = least(room, f->end - i);
        fast_k(plan, f, i, length, scratch, fast.in.next);
        link_average(&fast, feed_number(f, i), length, averages);
        memcpy(slow.in.next, averages, length * sizeof(double));
        link_average(&slow, feed_number(f, i), length, results);
        memcpy(f->out[0] + i, averages, length * sizeof(double));
        memcpy(f->out[1] + i, results, length * sizeof(double));
        link_shift(&fast, length);
        link_shift(&slow, length);
    }
    link_close(&fast);
    link_close(&slow);
}

INDICATOR(
    stoch, 3, "Slow stochastic oscillator",
    "slowk is the moving average over slowk_period bars of %K = " HELP_K
    "; slowd is the moving average of slowk over "
    "slowd_period bars. As TA-Lib's STOCH: both results start together, with the first slowd.\n\n" HELP_STAGE
        HELP_ALIGNED);

static const struct kiln_row stochrsi_params[] = {
    ROW_CLOSE,
    ROW_PERIOD("period", 2, "14", "period of the RSI"),
    ROW_PERIOD("fastk_period", 1, "5", "bars in the window of extremes of the RSI"),
    ROW_PERIOD("fastd_period", 1, "3", "period of the average of fastk"),
    STAGE_ROW("fastd_ma_type", "type of that average"),
};
static const struct kiln_row stochrsi_results[] = {
    ROW_RESULT("fastk", "percent",
               "0 where the RSI is the lowest of the window, 100 where it is the highest"),
    ROW_RESULT("fastd", "percent", "average of fastk"),
};
static const struct kiln_golden stochrsi_goldens[] = {
    {.title = "RSI 66.7, 85.7, 54.5, 81.5",
     .args = "{\"close\":[10,12,11,13,12,14],\"period\":2,\"fastk_period\":3,\"fastd_period\":1}",
     .result = "{\"fastk\":[null,null,null,null,0,86.41975308641976],\"fastd\":[null,null,null,null,0,86."
               "41975308641976]}",
     .rtol = 1e-12},
    {.title = "nothing moves",
     .args = "{\"close\":[7,7,7,7,7],\"period\":2,\"fastk_period\":2,\"fastd_period\":2}",
     .result = "{\"fastk\":[null,null,null,null,0],\"fastd\":[null,null,null,null,0]}"},
    {.title = "a period too small",
     .args = "{\"close\":[7,8],\"period\":1}",
     .result = "period",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[10000,1]}}"},
};

/* Those of a window, but for the last; one at least, that a level can be held. */
static size_t kept_strengths(const struct plan *plan)
{
    return plan->period[FASTK] > 1 ? plan->period[FASTK] - 1 : 1;
}

static int stochrsi_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call;
    plan->period[RSI] = (size_t) args[0].i64;
    plan->period[FASTK] = (size_t) args[1].i64;
    plan->period[FIRST_PERIOD] = (size_t) args[2].i64;
    plan->period[FIRST_TYPE] = average_kind_of(args[3].text);
    struct stage d = first_stage(plan);
    size_t before = plan->period[FASTK] - 1, kept = kept_strengths(plan), room = room_of(kept, &d, NULL);
    plan->lookback = plan->period[RSI] + before + d.lookback;
    plan->history = SMOOTH_RSI_HISTORY;
    plan->state = SMOOTH_RSI + kept + link_state(&d);
    plan->scratch = link_aligned(kept + room) + link_scratch(&d, room) + link_aligned(d.history + room) +
                    standing_scratch(before + 1);
    return KILN_OK;
}

/* The RSI does not change where the price does not; without this its rounding would pass for a range. It may fall to nothing,
 * though. */
KERNEL static void hold_level(const double *restrict close, size_t n, double *restrict rsi)
{
    const double *before = close - 1;
    double held = rsi[-1];
    for (size_t i = 0; i < n; i++) {
        bool same = close[i] == before[i] && fabs(rsi[i] - held) < 1e-9;
        held = same ? held : rsi[i];
        rsi[i] = held;
    }
}

/* RSI of bars i .. i + length-1; 0 where there is none. rsi[-1] is that of the bar before, f->out[0] is used on the way. */
static void relative_strength(const struct plan *plan, struct feed *f, size_t i, size_t length, double *state,
                              double *rsi)
{
    struct part part = {.begin = i, .end = i + length, .origin = f->origin};
    smooth_rsi_part(f->in[0], part, plan->period[RSI], state, f->out[0]);
    size_t from = part_index(part, plan->period[RSI]);
    memset(rsi, 0, (from - i) * sizeof(double));
    memcpy(rsi + (from - i), f->out[0] + from, (part.end - from) * sizeof(double));
    from = part_index(part, plan->period[RSI] + 1);
    hold_level(f->in[0] + from, part.end - from, rsi + (from - i));
}

static void stochrsi_advance(const struct plan *plan, struct feed *f)
{
    struct stage d = first_stage(plan);
    size_t before = plan->period[FASTK] - 1, kept = kept_strengths(plan), room = room_of(kept, &d, NULL),
           length;
    uint64_t first_k = (uint64_t) plan->period[RSI] + before;
    double *strengths = f->state + SMOOTH_RSI, *state = strengths + kept, *scratch = f->scratch;
    struct carry rsi = carry_open(strengths, link_cut(&scratch, kept + room), kept);
    struct link link = link_open(&d, first_k, &state, &scratch, room);
    double *results = cut_results(&scratch, &d, room);
    for (size_t i = f->begin; i < f->end; i += length) {
        length = least(room, f->end - i);
        struct part part = {.begin = i, .end = i + length, .origin = f->origin};
        relative_strength(plan, f, i, length, f->state, rsi.next);
        size_t none = part_index(part, first_k) - i;
        const double *series = rsi.next - before;
        memset(link.in.next, 0, none * sizeof(double));
        standing_k(series, series, series, before + none, before + length, before + 1, scratch,
                   link.in.next + none);
        link_average(&link, feed_number(f, i), length, results);
        memcpy(f->out[0] + i, link.in.next, length * sizeof(double));
        memcpy(f->out[1] + i, results, length * sizeof(double));
        carry_shift(&rsi, length);
        link_shift(&link, length);
    }
    carry_close(&rsi, strengths);
    link_close(&link);
}

INDICATOR(
    stochrsi, 1, "Stochastic oscillator of the RSI",
    "fastk = 100 (r - L)/(H - L), where r is the RSI over `period` bars, H the highest and L the lowest of "
    "its "
    "last fastk_period values, and 0 where H = L; fastd is its moving average over fastd_period bars. Where "
    "the price stands still, the RSI does too, to the last digit. As TA-Lib's STOCHRSI (Chande and Kroll "
    "1994): both results start together, with the first fastd.\n\n" HELP_STAGE HELP_ALIGNED);
