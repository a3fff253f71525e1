/* SPDX-License-Identifier: MPL-2.0 */
/* show - a result for people.
 *
 * Scalars stand below each other, members of maps with dotted names; arrays are told by their length and their ends; tables
 * (maps of equally long arrays, lists of maps, lists of lists) by their first and last rows, or with `all` in full. Numbers are
 * shown to ten digits: who needs all of them asks for JSON. */
#ifndef SHOW_H
#define SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "view.h"

void show_result(FILE *out, const struct view *result, bool all, size_t width);

/* One scalar as text; a list or map as "[3 values]" and the like. Returns text. */
const char *show_scalar(const struct view *v, char *text, size_t bytes);

#endif
