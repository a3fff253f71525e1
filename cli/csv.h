/* SPDX-License-Identifier: MPL-2.0 */
/* csv - one column of numbers out of a CSV file.
 *
 * The first row names the columns; fields are separated by commas (or by semicolons or tabs, when the first row has no
 * comma), may stand in double quotes, and hold numbers with a decimal point. An empty field, and NA, NaN or null, is a
 * missing value. When the first row is numbers only there are no names: it is data, and the columns are called 1, 2, ... Empty lines are skipped. Everything else is an error with its line. */
#ifndef CSV_H
#define CSV_H

#include <stddef.h>

#include "err.h"

/* query: "column", or "column?filter&filter...". A filter is name=value, also with != < <= > >=, by number when both
 * sides are numbers and else by text; first=N and last=N keep so many of the rows that passed. An empty column is allowed when the
 * file has one column only. *ret_values is malloc'd (mem_free); missing values are NaN. KILN_INVALID says what is wrong. */
int csv_column(const char *path, const char *query, double **ret_values, size_t *ret_n, struct err *err);

/* The whole file, with a NUL behind it (mem_free). "-" is standard input. KILN_INVALID when it cannot be read. */
int csv_slurp(const char *path, char **ret_text, size_t *ret_bytes, struct err *err);

#endif
