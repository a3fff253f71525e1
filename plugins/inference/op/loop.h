/* SPDX-License-Identifier: MPL-2.0 */
/* loop - element types as X-macros, and the loop over elements that compilers vectorise.
 *
 * LOOP stands before a for whose iterations depend on each other in no way: outputs are either an input's own memory
 * (in place, the same element) or elsewhere.
 *
 * A tag (f32, i64 ...) names for an element type: T_tag how it is stored, C_tag in what it is computed,
 * LD_tag and ST_tag the ways there and back, U_tag the unsigned type in which its arithmetic wraps without a fault. */
#ifndef INFERENCE_OP_LOOP_H
#define INFERENCE_OP_LOOP_H

#include <math.h>

#include "../tensor.h"

#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"
#define LOOP _Pragma("clang loop vectorize(assume_safety)")
#else
#define LOOP _Pragma("GCC ivdep")
#endif

#define FOR_SIGNED(X)   X(i8, DT_I8) X(i16, DT_I16) X(i32, DT_I32) X(i64, DT_I64)
#define FOR_UNSIGNED(X) X(u8, DT_U8) X(u16, DT_U16) X(u32, DT_U32) X(u64, DT_U64)
#define FOR_INTEGER(X)  FOR_SIGNED(X) FOR_UNSIGNED(X)
#define FOR_FLOAT(X)    X(f32, DT_F32) X(f64, DT_F64)
#define FOR_HALF(X)     X(f16, DT_F16)

#define FOR_NUMERIC(X) FOR_INTEGER(X) FOR_FLOAT(X)

typedef float T_f32, C_f32;
typedef double T_f64, C_f64;
typedef int8_t T_i8, C_i8;
typedef int16_t T_i16, C_i16;
typedef int32_t T_i32, C_i32;
typedef int64_t T_i64, C_i64;
typedef uint8_t T_u8, C_u8;
typedef uint16_t T_u16, C_u16;
typedef uint32_t T_u32, C_u32;
typedef uint64_t T_u64, C_u64;
typedef uint16_t T_f16;
typedef float C_f16;
typedef uint8_t T_b8, C_b8;

typedef uint32_t U_i8, U_i16, U_i32, U_u8, U_u16, U_u32;
typedef uint64_t U_i64, U_u64;

#define LD_f32(v) (v)
#define LD_f64(v) (v)
#define LD_i8(v)  (v)
#define LD_i16(v) (v)
#define LD_i32(v) (v)
#define LD_i64(v) (v)
#define LD_u8(v)  (v)
#define LD_u16(v) (v)
#define LD_u32(v) (v)
#define LD_u64(v) (v)
#define LD_b8(v)  (v)
#define LD_f16(v) f16_to_f32(v)
#define ST_f32(v) ((float) (v))
#define ST_f64(v) ((double) (v))
#define ST_i8(v)  ((int8_t) (v))
#define ST_i16(v) ((int16_t) (v))
#define ST_i32(v) ((int32_t) (v))
#define ST_i64(v) ((int64_t) (v))
#define ST_u8(v)  ((uint8_t) (v))
#define ST_u16(v) ((uint16_t) (v))
#define ST_u32(v) ((uint32_t) (v))
#define ST_u64(v) ((uint64_t) (v))
#define ST_b8(v)  ((uint8_t) (v))
#define ST_f16(v) f16_from_f32(v)

/* Bounds of the values. */
#define LEAST_f32 (-HUGE_VALF)
#define MOST_f32  HUGE_VALF
#define LEAST_f64 (-HUGE_VAL)
#define MOST_f64  HUGE_VAL
#define LEAST_i8  INT8_MIN
#define MOST_i8   INT8_MAX
#define LEAST_i16 INT16_MIN
#define MOST_i16  INT16_MAX
#define LEAST_i32 INT32_MIN
#define MOST_i32  INT32_MAX
#define LEAST_i64 INT64_MIN
#define MOST_i64  INT64_MAX
#define LEAST_u8  0
#define MOST_u8   UINT8_MAX
#define LEAST_u16 0
#define MOST_u16  UINT16_MAX
#define LEAST_u32 0
#define MOST_u32  UINT32_MAX
#define LEAST_u64 0
#define MOST_u64  UINT64_MAX

#endif
