/* SPDX-License-Identifier: MPL-2.0 */
/* analysis - what functions share that look at a whole series at once: support and resistance, order blocks, flows of trades.
 *
 * They are no indicators in the sense of indicator.h: what they say of a bar may depend on later bars, or on how many there are. Their
 * series must be finite: a missing bar is refused. */
#ifndef ANALYSIS_H
#define ANALYSIS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kiln/plugin.h>

#include "indicators.h"
#include "kernel.h"
#include "series.h"

#define ROW_FINITE(id, of_shape, of_unit, says)                                                              \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_REQUIRED | KILN_FINITE, .shape = of_shape,             \
        .unit = of_unit, .help = says                                                                        \
    }

/* Volumes, sizes, strengths. */
#define ROW_FINITE_NOT_NEGATIVE(id, of_shape, says)                                                          \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_REQUIRED | KILN_FINITE, .shape = of_shape,             \
        .max = HUGE_VAL, .help = says                                                                        \
    }

#define ROW_FINITE_OPEN   ROW_FINITE("open", "n", "price", "opening price of each bar")
#define ROW_FINITE_HIGH   ROW_FINITE("high", "n", "price", "highest price of each bar")
#define ROW_FINITE_LOW    ROW_FINITE("low", "n", "price", "lowest price of each bar")
#define ROW_FINITE_CLOSE  ROW_FINITE("close", "n", "price", "closing price of each bar, oldest first")
#define ROW_FINITE_VOLUME ROW_FINITE_NOT_NEGATIVE("volume", "n", "volume of each bar, not negative")

#define ROW_TRADE_PRICES  ROW_FINITE("prices", "n", "price", "price of each trade, oldest first")
#define ROW_TRADE_VOLUMES ROW_FINITE_NOT_NEGATIVE("volumes", "n", "volume of each trade, not negative")

#define ROW_LOOKBACKS                                                                                        \
    {                                                                                                        \
        .name = "lookbacks", .kind = KILN_ARRAY, .dtype = KILN_I64, .shape = "m", .unit = "bars", .min = 1,  \
        .max = 100000, .fallback = "[10,20,50]", .help = "bars back from each bar to the oldest of a window" \
    }

#define ROW_NUMBER(id, of_unit, least_value, most_value, by_default, says)                                   \
    {                                                                                                        \
        .name = id, .kind = KILN_FLOAT, .flags = KILN_FINITE, .unit = of_unit, .min = (least_value),         \
        .max = (most_value), .fallback = by_default, .help = says                                            \
    }

#define ROW_SCALAR(id, of_unit, says)                                                                        \
    {                                                                                                        \
        .name = id, .kind = KILN_FLOAT, .unit = of_unit, .help = says                                        \
    }

#define ROW_COUNT(id, says)                                                                                  \
    {                                                                                                        \
        .name = id, .kind = KILN_INT, .help = says                                                           \
    }

#define ROW_SCORE(id, says) ROW_SCALAR(id, "0..100", says)

/* A plain function of one name; its tables and <id>_run() stand before it. */
#define ANALYSIS(id, in_short, in_full)                                                                      \
    const struct kiln_function indicators_##id = {                                                           \
        KILN_FUNCTION_HEAD, .flags = KILN_PURE,  .name = #id,     .summary = (in_short),                     \
        .help = (in_full),  FUNCTION_TABLES(id), .run = id##_run,                                            \
    }

/* Asks now and then whether the job is still wanted. */
struct pace {
    struct kiln_call *call;
    size_t done;
};

/* `work` more steps of about a nanosecond are done: whether to stop. */
static inline bool pace_stops(struct pace *pace, size_t work)
{
    enum { LOOK = 1 << 20 };
    pace->done += work;
    if (pace->done < LOOK) {
        return false;
    }
    pace->done = 0;
    return pace->call->host->cancelled(pace->call);
}

/* Room for this many doubles; NULL when the job may not have it. */
static inline double *analysis_room(struct kiln_call *call, size_t doubles)
{
    return doubles > SIZE_MAX / sizeof(double) ? NULL : call->host->alloc(call, doubles * sizeof(double));
}

static inline void give(struct kiln_slot *slot, double value)
{
    slot->f64 = value;
    slot->present = 1;
}

static inline void give_count(struct kiln_slot *slot, size_t count)
{
    slot->i64 = (int64_t) count;
    slot->present = 1;
}

/* (a - b)/(a + b) of two that are not negative; 0 where there is nothing. */
static inline double balance(double a, double b)
{
    return a + b > 0.0 ? (a - b) / (a + b) : 0.0;
}

/* The same as a score: 0 all b, 100 all a, 50 even. */
static inline double balance_score(double a, double b)
{
    return 50.0 + 50.0 * balance(a, b);
}

#endif
