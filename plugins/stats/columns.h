/* SPDX-License-Identifier: MPL-2.0 */
/* columns - sums and moments of all columns of a matrix in C order, which is read once.
 *
 * Blocks of rows are gone through a few columns at a time, so that neither a row nor a column is too long
 * for the cache; the blocks of a column are joined in a binary tree as in reduce. */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <kiln/plugin.h>

#include "reduce.h"

/* ret[columns]. powers as of the kernel columns. The moments are those of one attempt: reduction_is_final()
 * says which of them may be used. KILN_RESOURCE, KILN_CANCELLED. */
int columns_moments(struct kiln_call *call, const double *x, size_t rows, size_t columns, int powers,
                    struct reduction *ret);

#endif
