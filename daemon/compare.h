/* SPDX-License-Identifier: MPL-2.0 */
/* compare - is one result as another? The judgement of examples, and of a new generation beside the one that serves. */
#ifndef COMPARE_H
#define COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct compare {
    double rtol, atol; /* a number v is right when |v - w| <= atol + rtol |w| */
    bool strict;       /* no members beyond those expected; integers exact; packed floats number by number */
};

/* 0 when every member of the msgpack map `expected` is in `actual` and right; else KILN_INTERNAL, "mean is 5.6, expected 5.5 within
 * 1e-12". NaN and nil are equal; the order of maps does not matter; text and bytes are exact. Both must have been
 * scanned (scan_check) or written by us. */
int compare_results(const struct compare *how, const void *expected, size_t expected_bytes,
                    const void *actual, size_t actual_bytes, struct err *err);

#endif
