/* SPDX-License-Identifier: MPL-2.0 */
/* array_impl - what the files array*.c share. Nobody else includes this. */
#ifndef ARRAY_IMPL_H
#define ARRAY_IMPL_H

#include "array.h"

/* The map of `pairs` whose first key follows at s. */
int array_decode_nd(struct scan *s, const struct array_want *want, uint32_t pairs, struct arena *arena,
                    struct kiln_array *ret, struct err *err);

/* What an element must be, for messages; `integer`: a number without fraction was sent. */
const char *array_expected(uint32_t dtype, bool integer);

/* Three texts for a message: where a matrix goes, if `when` it was one, and it goes elsewhere. */
#define ARRAY_HINT(want, when)                                                                               \
    (want)->matrix && (when) ? " (a matrix goes into " : "", (want)->matrix && (when) ? (want)->matrix : "", \
        (want)->matrix && (when) ? ")" : ""

/* KILN_RESOURCE, with a sentence that names the budget. */
int array_not_enough(struct err *err, const char *name, const struct arena *arena, size_t bytes);

#endif
