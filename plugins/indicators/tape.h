/* SPDX-License-Identifier: MPL-2.0 */
/* tape - rows and checks that the functions over trades share. */
#ifndef TAPE_H
#define TAPE_H

#include "analysis.h"

#define ROW_TRADE_TIMES ROW_FINITE("times", "n", "s", "time of each, ascending; equal ones are allowed")

#define ROW_OPTIONAL(id, of_unit, says)                                                                      \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_FINITE, .shape = "n", .unit = of_unit, .help = says    \
    }

#define ROW_WINDOWS                                                                                          \
    {                                                                                                        \
        .name = "windows", .kind = KILN_ARRAY, .flags = KILN_FINITE | KILN_OPEN_MIN, .shape = "m",           \
        .unit = "s", .max = HUGE_VAL, .fallback = "[60,300,900,3600]",                                       \
        .help = "lengths of the windows that end with the last trade"                                        \
    }

#define ROW_ABOVE_0(id, of_unit, by_default, says)                                                           \
    {                                                                                                        \
        .name = id, .kind = KILN_FLOAT, .flags = KILN_FINITE | KILN_OPEN_MIN, .unit = of_unit,               \
        .max = HUGE_VAL, .fallback = by_default, .help = says                                                \
    }

#define HELP_TICK_RULE                                                                                       \
    "By the tick rule a trade above the price of the one before was bought, one below it sold; one at the "  \
    "same price, like the first trade, is not counted."

/* Refuses values of which one is below the one before it. */
int tape_ascends(struct kiln_call *call, const char *field, const struct kiln_slot *slot);

#endif
