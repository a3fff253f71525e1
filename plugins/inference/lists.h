/* SPDX-License-Identifier: MPL-2.0 */
/* lists - the numbers and strings of an attribute, taken out of its bytes before protobuf-c sees them.
 *
 * A forest is some hundred thousand list elements, each a field of its own: protobuf-c takes 40 ns and as many bytes of
 * memory for each, which was two thirds of the time that such a model took to load. Everything else of a file is left to it. */
#ifndef INFERENCE_LISTS_H
#define INFERENCE_LISTS_H

#include "pool.h"
#include "tensor.h"

struct lists {
    size_t n_floats, n_ints, n_texts;
    const float *floats;
    const int64_t *ints;
    const struct text *texts;
};

enum lists_result { LISTS_OK, LISTS_DAMAGED, LISTS_NO_MEMORY };

/* Takes the fields floats, ints and strings of an AttributeProto, packed or not, out of the bytes at `data`; what is left is
 * moved together, *bytes_io of it. The lists are made in `pool` and point nowhere else; texts that follow each other and are the
 * same share their characters. Of damaged bytes nothing is left. */
enum lists_result lists_take(struct pool *pool, uint8_t *data, size_t *bytes_io, struct lists *ret);

#endif
