/* SPDX-License-Identifier: MPL-2.0 */
/* prices - one price for each bar: average, median, typical and weighted price. */
#include "indicator.h"
#include "indicators.h"

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

INDICATOR(avgprice, 4, "Average price",
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

INDICATOR(medprice, 2, "Median price", "(high + low)/2 of each bar, as TA-Lib's MEDPRICE.\n\n" HELP_PRICE);

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

INDICATOR(typprice, 3, "Typical price",
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

INDICATOR(wclprice, 3, "Weighted close price",
          "(high + low + 2 close)/4 of each bar, as TA-Lib's WCLPRICE.\n\n" HELP_PRICE);
