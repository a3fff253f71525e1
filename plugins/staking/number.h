/* SPDX-License-Identifier: MPL-2.0 */
/* number - an element of an array of any type, as a double. */
#ifndef STAKING_NUMBER_H
#define STAKING_NUMBER_H

#include <kiln/plugin.h>

static inline double number_at(const struct kiln_array *a, size_t i)
{
    switch (a->dtype) {
    case KILN_F32:
        return (double) ((const float *) a->data)[i];
    case KILN_I64:
        return (double) ((const int64_t *) a->data)[i];
    case KILN_I32:
        return (double) ((const int32_t *) a->data)[i];
    case KILN_U8:
        return (double) ((const uint8_t *) a->data)[i];
    default:
        return ((const double *) a->data)[i];
    }
}

#endif
