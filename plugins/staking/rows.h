/* SPDX-License-Identifier: MPL-2.0 */
/* rows - the words in which the lists of rows of this plugin are written. */
#ifndef STAKING_ROWS_H
#define STAKING_ROWS_H

#include <math.h>

#include <kiln/plugin.h>

/* A map of a request. Unknown members are refused; where the published service drops them (calculate, batch) the
 * includer has defined REQUEST_MAP to be KILN_LENIENT before. */
#ifndef REQUEST_MAP
#define REQUEST_MAP 0
#endif
#define OPEN_MAP(path) .name = path, .kind = KILN_MAP, .flags = REQUEST_MAP
#define NUMBER(path)   .name = path, .kind = KILN_FLOAT
#define COLUMN(path)   .name = path, .kind = KILN_FLOAT
#define FRACTION(path, value)                                                                                \
    NUMBER(path), .flags = KILN_FINITE, .min = 0, .max = 1, .fallback = value, .unit = "fraction"
#define CORRELATION(path, value) NUMBER(path), .flags = KILN_FINITE, .min = -1, .max = 1, .fallback = value
#define NOT_NEGATIVE(path, value)                                                                            \
    NUMBER(path), .flags = KILN_FINITE, .min = 0, .max = HUGE_VAL, .fallback = value
#define YIELD(path)                                                                                          \
    NUMBER(path), .flags = KILN_FINITE, .min = 0, .max = 0.20, .fallback = "0.05", .unit = "1/year"
#define DAYS(path)    .name = path, .kind = KILN_INT, .min = 0, .max = HUGE_VAL, .fallback = "10", .unit = "day"
#define YEARLY(path)  NUMBER(path), .unit = "1/year"
#define PERCENT(path) NUMBER(path), .unit = "%"
#define BPS(path)     NUMBER(path), .unit = "bps"
#define LEVEL(path)   NUMBER(path), .unit = "fraction"

/* Prices, and how returns and their moments are made of them. */
#define PRICES_HELP                                                                                          \
    "daily prices: a matrix with a row a day and a column an asset, or a map of equally long series"
#define RETURNS_ROW(path)                                                                                    \
    .name = path, .kind = KILN_STRING, .choices = "log|simple", .fallback = "\"log\"",                       \
    .help = "returns of prices: log is ln(b / a), simple is b / a - 1"
#define DDOF_ROW(path)                                                                                       \
    .name = path, .kind = KILN_INT, .min = 0, .max = HUGE_VAL, .fallback = "1",                              \
    .help = "sums of squares of returns are divided by their number less this"

#endif
