/* SPDX-License-Identifier: MPL-2.0 */
/* proximity - how near a price is to levels: level_proximity, and the score itself. */
#include "proximity.h"

#include "analysis.h"

static double pull(double price, const double *levels, const double *strengths, size_t n, double reach)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double near = 1.0 - fabs(price - levels[i]) / (reach * price);
        if (levels[i] > 0.0 && near > 0.0) {
            sum += strengths[i] * near;
        }
    }
    return sum;
}

double proximity_score(double price, const double *supports, const double *resistances,
                       const double *strengths, size_t n, double reach)
{
    if (!(price > 0.0)) {
        return 50.0;
    }
    return balance_score(pull(price, supports, strengths, n, reach),
                         pull(price, resistances, strengths, n, reach));
}

enum { PRICE, SUPPORTS, RESISTANCES, STRENGTHS, PROXIMITY_PCT };

static const struct kiln_row level_proximity_params[] = {
    [PRICE] = {.name = "price",
               .kind = KILN_FLOAT,
               .flags = KILN_REQUIRED | KILN_FINITE | KILN_OPEN_MIN,
               .max = HUGE_VAL,
               .unit = "price",
               .help = "the price now, above 0"},
    [SUPPORTS] = ROW_FINITE("supports", "m", "price", "supports; those not above 0 are not counted"),
    [RESISTANCES] = ROW_FINITE("resistances", "m", "price", "resistances, likewise"),
    [STRENGTHS] = ROW_FINITE_NOT_NEGATIVE("strengths", "m", "weight of each pair, not negative"),
    [PROXIMITY_PCT] = {.name = "proximity_pct",
                       .kind = KILN_FLOAT,
                       .flags = KILN_FINITE | KILN_OPEN_MIN,
                       .max = 1,
                       .unit = "fraction",
                       .fallback = "0.02",
                       .help = "how far a level reaches, as a part of the price"},
};

static const struct kiln_row level_proximity_results[] = {
    ROW_SCORE("proximity_score", "100: only supports are near, 0: only resistances, 50: neither"),
};

static const struct kiln_golden level_proximity_goldens[] = {
    {.title = "half way to a support, three quarters to a resistance",
     .args = "{\"price\":100,\"supports\":[99],\"resistances\":[101.5],\"strengths\":[1]}",
     .result = "{\"proximity_score\":66.66666666666667}",
     .rtol = 1e-12},
    {.title = "nothing near",
     .args = "{\"price\":100,\"supports\":[0,90],\"resistances\":[0,110],\"strengths\":[1,1]}",
     .result = "{\"proximity_score\":50}"},
    {.title = "no price",
     .args = "{\"price\":0,\"supports\":[1],\"resistances\":[2],\"strengths\":[1]}",
     .result = "price",
     .status = KILN_INVALID},
};

static int level_proximity_run(struct kiln_call *call, const struct kiln_slot *args,
                               struct kiln_slot *results)
{
    (void) call;
    give(&results[0], proximity_score(args[PRICE].f64, series_in(&args[SUPPORTS]),
                                      series_in(&args[RESISTANCES]), series_in(&args[STRENGTHS]),
                                      (size_t) args[SUPPORTS].array.count, args[PROXIMITY_PCT].f64));
    return KILN_OK;
}

ANALYSIS(level_proximity, "Whether a price is nearer to supports or to resistances",
         "50 + 50 (B - R)/(B + R), where B = sum of strength x max(0, 1 - |price - s|/(proximity_pct price)) "
         "over the supports s above 0, R "
         "likewise over the resistances; 50 where B + R = 0. Missing values are refused. Defined here.");
