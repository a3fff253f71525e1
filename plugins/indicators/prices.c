/* SPDX-License-Identifier: MPL-2.0 */
/* prices - one price for each bar: average, median, typical and weighted price. */
#include "indicator.h"
#include "indicators.h"
#include "series.h"

/* Bars computed before a look at whether the job is still wanted, a whole number of KERNEL_CHUNKs. */
enum { LOOK = 1 << 20 };

/* These are so cheap that looking for missing bars first would cost more than the arithmetic. A missing price makes its bar's
 * result none, so it is enough to look at the results while they are in the cache; only when one is none, which infinities may
 * bring about too, the job is done over in the usual way. */
static int price_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct indicator *indicator = indicator_of(call->function);
    struct plan plan = {0};
    struct feed feed = {.out = {series_out(&results[0])}};
    size_t n = (size_t) args[0].array.count;
    for (size_t k = 0; k < indicator->n_series; k++) {
        feed.in[k] = series_in(&args[k]);
    }
    for (; feed.begin < n; feed.begin = feed.end) {
        feed.end = feed.begin + least(KERNEL_CHUNK, n - feed.begin);
        indicator->advance(&plan, &feed);
        if (series_has_nan(feed.out[0] + feed.begin, feed.end - feed.begin)) {
            return indicator_run(call, args, results);
        }
        if (feed.end % LOOK == 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static int price_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)
{
    (void) call, (void) args, (void) plan; /* a bar needs nothing but itself */
    return KILN_OK;
}

/* A price that is an expression of bar i of the series named o, h, l and c; each series is there. */
#define PRICE(id, open_at, high_at, low_at, close_at, expression)                                            \
    KERNEL static void id##_of(const double *restrict o, const double *restrict h, const double *restrict l, \
                               const double *restrict c, size_t begin, size_t end, double *restrict out)     \
    {                                                                                                        \
        (void) o, (void) h, (void) l, (void) c;                                                              \
        for (size_t i = begin; i < end; i++) {                                                               \
            out[i] = (expression);                                                                           \
        }                                                                                                    \
    }                                                                                                        \
    static void id##_advance(const struct plan *plan, struct feed *f)                                        \
    {                                                                                                        \
        (void) plan;                                                                                         \
        id##_of(f->in[open_at], f->in[high_at], f->in[low_at], f->in[close_at], f->begin, f->end,            \
                f->out[0]);                                                                                  \
    }                                                                                                        \
    static int id##_plan(struct kiln_call *call, const struct kiln_slot *args, struct plan *plan)            \
    {                                                                                                        \
        return price_plan(call, args, plan);                                                                 \
    }

/* As INDICATOR, with a run of its own. */
#define PRICE_FUNCTION(id, series, in_short, in_full)                                                        \
    const struct kiln_function indicators_##id = {                                                           \
        KILN_FUNCTION_HEAD, .flags = KILN_PURE,  .name = #id,      .summary = (in_short),                    \
        .help = (in_full),  FUNCTION_TABLES(id), .run = price_run,                                           \
    };                                                                                                       \
    const struct indicator indicator_##id = {&indicators_##id, (series), id##_plan, id##_advance}

#define HELP_PRICE                                                                                           \
    "Every bar has a value of its own, so none is null but those with a missing price and those "            \
    "behind such a gap: leading missing bars only shift the start, after a later one everything is null, "   \
    "as with every indicator here."

/* ---- avgprice -------------------------------------------------------------------------------- */

static const struct kiln_row avgprice_params[] = {ROW_OPEN, ROW_HIGH, ROW_LOW, ROW_CLOSE};

static const struct kiln_row avgprice_results[] = {
    ROW_RESULT("avgprice", "price", "(open + high + low + close)/4"),
};

static const struct kiln_golden avgprice_goldens[] = {
    {.title = "two bars",
     .args = "{\"open\":[1,2],\"high\":[4,6],\"low\":[1,1],\"close\":[2,5]}",
     .result = "{\"avgprice\":[2,3.5]}"},
    {.title = "a missing open",
     .args = "{\"open\":[null,2],\"high\":[4,6],\"low\":[1,1],\"close\":[2,5]}",
     .result = "{\"avgprice\":[null,3.5]}"},
    {.title = "no bars",
     .args = "{\"open\":[],\"high\":[],\"low\":[],\"close\":[]}",
     .result = "open",
     .status = KILN_INVALID},
    {.args = "{\"open\":{\"$normal\":[10000,1]},\"high\":{\"$normal\":[10000,2]},\"low\":{\"$normal\":[10000,"
             "3]},\"close\":{\"$normal\":[10000,4]}}"},
};

PRICE(avgprice, 0, 1, 2, 3, (o[i] + h[i] + l[i] + c[i]) / 4.0)

PRICE_FUNCTION(avgprice, 4, "Average price",
               "(open + high + low + close)/4 of each bar, as TA-Lib's AVGPRICE.\n\n" HELP_PRICE);

/* ---- medprice -------------------------------------------------------------------------------- */

static const struct kiln_row medprice_params[] = {ROW_HIGH, ROW_LOW};

static const struct kiln_row medprice_results[] = {
    ROW_RESULT("medprice", "price", "(high + low)/2"),
};

static const struct kiln_golden medprice_goldens[] = {
    {.title = "two bars", .args = "{\"high\":[4,6],\"low\":[1,1]}", .result = "{\"medprice\":[2.5,3.5]}"},
    {.title = "a missing bar in the middle",
     .args = "{\"high\":[4,null,6],\"low\":[1,1,1]}",
     .result = "{\"medprice\":[2.5,null,null]}"},
    {.title = "unequal lengths",
     .args = "{\"high\":[4,6],\"low\":[1]}",
     .result = "low",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]}}"},
};

PRICE(medprice, 0, 0, 1, 1, (h[i] + l[i]) / 2.0)

PRICE_FUNCTION(medprice, 2, "Median price",
               "(high + low)/2 of each bar, as TA-Lib's MEDPRICE.\n\n" HELP_PRICE);

/* ---- typprice -------------------------------------------------------------------------------- */

static const struct kiln_row typprice_params[] = {ROW_HIGH, ROW_LOW, ROW_CLOSE};

static const struct kiln_row typprice_results[] = {
    ROW_RESULT("typprice", "price", "(high + low + close)/3"),
};

static const struct kiln_golden typprice_goldens[] = {
    {.title = "two bars",
     .args = "{\"high\":[4,6],\"low\":[1,1],\"close\":[4,3]}",
     .result = "{\"typprice\":[3,3.3333333333333335]}",
     .rtol = 1e-15},
    {.title = "a missing close",
     .args = "{\"high\":[4,6],\"low\":[1,1],\"close\":[null,2]}",
     .result = "{\"typprice\":[null,3]}"},
    {.title = "no close",
     .args = "{\"high\":[4,6],\"low\":[1,1]}",
     .result = "close",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":["
             "10000,3]}}"},
};

PRICE(typprice, 2, 0, 1, 2, (h[i] + l[i] + c[i]) / 3.0)

PRICE_FUNCTION(typprice, 3, "Typical price",
               "(high + low + close)/3 of each bar, as TA-Lib's TYPPRICE.\n\n" HELP_PRICE);

/* ---- wclprice -------------------------------------------------------------------------------- */

static const struct kiln_row wclprice_params[] = {ROW_HIGH, ROW_LOW, ROW_CLOSE};

static const struct kiln_row wclprice_results[] = {
    ROW_RESULT("wclprice", "price", "(high + low + 2 close)/4"),
};

static const struct kiln_golden wclprice_goldens[] = {
    {.title = "two bars",
     .args = "{\"high\":[4,6],\"low\":[1,1],\"close\":[2,5]}",
     .result = "{\"wclprice\":[2.25,4.25]}"},
    {.title = "a missing close",
     .args = "{\"high\":[4,6],\"low\":[1,1],\"close\":[null,2]}",
     .result = "{\"wclprice\":[null,2.75]}"},
    {.title = "no close",
     .args = "{\"high\":[4,6],\"low\":[1,1]}",
     .result = "close",
     .status = KILN_INVALID},
    {.args = "{\"high\":{\"$normal\":[10000,1]},\"low\":{\"$normal\":[10000,2]},\"close\":{\"$normal\":["
             "10000,3]}}"},
};

PRICE(wclprice, 2, 0, 1, 2, (h[i] + l[i] + 2.0 * c[i]) / 4.0)

PRICE_FUNCTION(wclprice, 3, "Weighted close price",
               "(high + low + 2 close)/4 of each bar, as TA-Lib's WCLPRICE.\n\n" HELP_PRICE);
