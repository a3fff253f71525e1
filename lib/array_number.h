/* SPDX-License-Identifier: MPL-2.0 */
/* array_number - the promotion rules of array, one number at a time, inlined into the loops of array.c.
 *
 * NAME_of_int, NAME_of_float: true when the number has an exact (or, floats to F32, nearest) place in the
 * type. */
#ifndef ARRAY_NUMBER_H
#define ARRAY_NUMBER_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define EXACT_F64 INT64_C(9007199254740992) /* 2^53 */
#define EXACT_F32 INT64_C(16777216)         /* 2^24 */

static inline bool f64_of_int(int64_t v, double *out)
{
    *out = (double) v;
    return v >= -EXACT_F64 && v <= EXACT_F64;
}

static inline bool f64_of_float(double v, double *out)
{
    *out = v;
    return true;
}

static inline bool f32_of_int(int64_t v, float *out)
{
    *out = (float) v;
    return v >= -EXACT_F32 && v <= EXACT_F32;
}

static inline bool f32_of_float(double v, float *out)
{
    if (fabs(v) > (double) FLT_MAX && !isinf(v)) { /* would become infinite, or is refused a little early */
        return false;
    }
    *out = (float) v;
    return true;
}

static inline bool i64_of_int(int64_t v, int64_t *out)
{
    *out = v;
    return true;
}

static inline bool i64_of_float(double v, int64_t *out)
{
    if (!(v >= -(double) EXACT_F64 && v <= (double) EXACT_F64)) { /* NaN too */
        return false;
    }
    *out = (int64_t) v;
    return (double) *out == v;
}

static inline bool i32_of_int(int64_t v, int32_t *out)
{
    *out = (int32_t) v;
    return v == *out;
}

static inline bool i32_of_float(double v, int32_t *out)
{
    int64_t whole;
    return i64_of_float(v, &whole) && i32_of_int(whole, out);
}

static inline bool u8_of_int(int64_t v, uint8_t *out)
{
    *out = (uint8_t) v;
    return v == *out;
}

static inline bool u8_of_float(double v, uint8_t *out)
{
    int64_t whole;
    return i64_of_float(v, &whole) && u8_of_int(whole, out);
}

#endif
