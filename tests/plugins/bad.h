/* SPDX-License-Identifier: MPL-2.0 */
/* What misbehaving plugins have in common: one function, one golden example, nothing remarkable. Each file
 * overrides what it does wrong. */
#ifndef BAD_H
#define BAD_H

#include <kiln/plugin.h>

/* The sane function most of them have: y = 2.385 x. */
__attribute__((unused)) static const struct kiln_row bad_params[] = {
    {.name = "x", .kind = KILN_FLOAT, .flags = KILN_REQUIRED},
};

__attribute__((unused)) static const struct kiln_row bad_results[] = {
    {.name = "y", .kind = KILN_FLOAT},
};

__attribute__((unused)) static const struct kiln_golden bad_goldens[] = {
    {.title = "two", .args = "{\"x\":2}", .result = "{\"y\":4.77}", .rtol = 1e-12},
};

__attribute__((unused)) static int bad_run(struct kiln_call *call, const struct kiln_slot *args,
                                           struct kiln_slot *results)
{
    (void) call;
    results[0].f64 = 2.385 * args[0].f64;
    results[0].present = 1;
    return KILN_OK;
}

#define BAD_FUNCTION                                                                                         \
    KILN_FUNCTION_HEAD, .name = "f", .summary = "y = 2.385 x", .params = bad_params,                         \
                        .n_params = KILN_COUNT(bad_params), .results = bad_results,                          \
                        .n_results = KILN_COUNT(bad_results)
#define BAD_GOLDENS .goldens = bad_goldens, .n_goldens = KILN_COUNT(bad_goldens)

#define BAD_PLUGIN(NAME, ...)                                                                                \
    static const struct kiln_function *const bad_functions[] = {&function};                                  \
    const struct kiln_plugin kiln_plugin = {                                                                 \
        KILN_PLUGIN_HEAD,           .name = NAME,     .version = "0.1.0", .summary = "misbehaves",           \
        .functions = bad_functions, .n_functions = 1, __VA_ARGS__}

#endif
