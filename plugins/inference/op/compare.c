/* SPDX-License-Identifier: MPL-2.0 */
/* Comparison and logic. Comparisons with NaN are false, as IEEE 754 has it. */
#include "binary.h"

#define COMPARE(t, D)                                                                                        \
    BINARY_KERNEL(equal_##t, b8, t, t, LOOP, x == y)                                                         \
    BINARY_KERNEL(less_##t, b8, t, t, LOOP, x < y)                                                           \
    BINARY_KERNEL(less_or_equal_##t, b8, t, t, LOOP, x <= y)                                                 \
    BINARY_KERNEL(greater_##t, b8, t, t, LOOP, x > y)                                                        \
    BINARY_KERNEL(greater_or_equal_##t, b8, t, t, LOOP, x >= y)
FOR_NUMERIC(COMPARE)
FOR_HALF(COMPARE)
BINARY_KERNEL(equal_b8, b8, b8, b8, LOOP, x == y)
BINARY_KERNEL(and_b8, b8, b8, b8, LOOP, (x & y))
BINARY_KERNEL(or_b8, b8, b8, b8, LOOP, (x | y))
BINARY_KERNEL(xor_b8, b8, b8, b8, LOOP, (x ^ y))

#define ROW_equal(t, D)            [D] = equal_##t,
#define ROW_less(t, D)             [D] = less_##t,
#define ROW_less_or_equal(t, D)    [D] = less_or_equal_##t,
#define ROW_greater(t, D)          [D] = greater_##t,
#define ROW_greater_or_equal(t, D) [D] = greater_or_equal_##t,
#define ORDER(NAME)                                                                                          \
    static int plan_##NAME(struct step *s)                                                                   \
    {                                                                                                        \
        static binary_fn *const fns[DT_END] = {FOR_NUMERIC(ROW_##NAME) FOR_HALF(ROW_##NAME)};                \
        return binary_plan(s, fns, DT_BOOL);                                                                 \
    }
#define LOGIC(NAME)                                                                                          \
    static int plan_##NAME(struct step *s)                                                                   \
    {                                                                                                        \
        static binary_fn *const fns[DT_END] = {[DT_BOOL] = NAME##_b8};                                       \
        return binary_plan(s, fns, DT_BOOL);                                                                 \
    }
ORDER(less)
ORDER(less_or_equal)
ORDER(greater)
ORDER(greater_or_equal)
LOGIC(and)
LOGIC(or)
LOGIC(xor)

static int plan_equal(struct step *s)
{
    static binary_fn *const fns[DT_END] = {FOR_NUMERIC(ROW_equal) FOR_HALF(ROW_equal)[DT_BOOL] = equal_b8};
    return binary_plan(s, fns, DT_BOOL);
}

static const struct op ops[] = {
    {"", "Equal", 7, 2, 2, 1, 1, plan_equal},
    {"", "Less", 7, 2, 2, 1, 1, plan_less},
    {"", "LessOrEqual", 12, 2, 2, 1, 1, plan_less_or_equal},
    {"", "Greater", 7, 2, 2, 1, 1, plan_greater},
    {"", "GreaterOrEqual", 12, 2, 2, 1, 1, plan_greater_or_equal},
    {"", "And", 7, 2, 2, 1, 1, plan_and},
    {"", "Or", 7, 2, 2, 1, 1, plan_or},
    {"", "Xor", 7, 2, 2, 1, 1, plan_xor},
};

const struct op_table op_compare = {ops, sizeof(ops) / sizeof(ops[0])};
