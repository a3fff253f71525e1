/* SPDX-License-Identifier: MIT-0 */
/* echo.scale - y[i] = k * x[i].
 *
 * Shows arrays. The shape "n" of x binds the symbol n to its length, and because y has the shape
 * "n" too, the host has allocated y with that length when run is called. */
#include "echo.h"

enum { X, K };
enum { Y };

static const struct kiln_row params[] = {
    [X] = {.name = "x", .kind = KILN_ARRAY, .shape = "n", .flags = KILN_REQUIRED, .help = "The numbers"},
    /* A default is JSON text. KILN_FINITE refuses NaN and infinities before run sees them. */
    [K] = {.name = "k", .kind = KILN_FLOAT, .flags = KILN_FINITE, .fallback = "2.0", .help = "The factor"},
};

static const struct kiln_row results[] = {
    [Y] = {.name = "y", .kind = KILN_ARRAY, .shape = "n", .help = "k times each number"},
};

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    const double *x = args[X].array.data; /* aligned to 64 bytes, C order */
    double *y = out[Y].array.data;        /* uninitialised: write every element */
    double k = args[K].f64;
    for (int64_t i = 0; i < args[X].array.count; i++) {
        y[i] = k * x[i];
    }
    return KILN_OK; /* y was `present` from the start: its shape is fixed by the arguments */
}

static const struct kiln_golden goldens[] = {
    /* rtol and atol are 0: the answer must be exact. null means NaN. */
    {.title = "doubled", .args = "{\"x\":[1,2.5,null,-4]}", .result = "{\"y\":[2,5,null,-8]}"},
    {.title = "by a third",
     .args = "{\"x\":[3,4.5],\"k\":0.3333333333333333}",
     .result = "{\"y\":[1,1.5]}",
     .rtol = 1e-15},
    /* Warm only: data of a realistic size, made by the host. */
    {.title = "1,000 numbers", .args = "{\"x\":{\"$linspace\":[0,999,1000]},\"k\":0.5}"},
    {.title = "empty", .args = "{\"x\":[]}", .status = KILN_INVALID, .result = "x is empty"},
};

const struct kiln_function scale_function = {
    KILN_FUNCTION_HEAD,
    .name = "scale",
    .summary = "Multiplies an array by a number",
    .help = "y[i] = k x[i]. NaN stays NaN.",
    .flags = KILN_PURE,
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
};
