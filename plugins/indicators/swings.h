/* SPDX-License-Identifier: MPL-2.0 */
/* swings - bars that stand out from those around them. */
#ifndef SWINGS_H
#define SWINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* mark[i] = whether x[i] is strictly above (below, when not `highest`) the `half` bars before it and the `half` bars after it; false for
 * the first and last `half` bars. half >= 1; room for n doubles. */
void swings_mark(const double *x, size_t n, size_t half, bool highest, double *room, uint8_t *mark);

#endif
