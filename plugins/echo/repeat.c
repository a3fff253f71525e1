/* SPDX-License-Identifier: MIT-0 */
/* echo.repeat - the array x, `times` times over.
 *
 * Shows a growing result. The symbol m in the shape of y is bound by no parameter, so the host
 * cannot know its length: run asks for memory with grow() as it goes, and never needs to know how
 * much memory a job may use. */
#include "echo.h"

#include <string.h>

enum { X, TIMES };
enum { Y };

static const struct kiln_row params[] = {
    [X] = {.name = "x", .kind = KILN_ARRAY, .shape = "n>=0", .flags = KILN_REQUIRED, .help = "The numbers"},
    /* A range is checked by the host; the refusal names field, value and range. */
    [TIMES] = {.name = "times",
               .kind = KILN_INT,
               .flags = KILN_REQUIRED,
               .min = 0,
               .max = 1000000,
               .help = "How often to repeat them"},
};

static const struct kiln_row results[] = {
    [Y] = {.name = "y", .kind = KILN_ARRAY, .shape = "m>=0", .help = "The numbers, repeated"},
};

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) out; /* grow() fills the slot */
    const struct kiln_array *x = &args[X].array;
    int64_t n = 0;
    if (!call->host->grow(call, Y, 0)) { /* an empty result is a result too */
        return KILN_RESOURCE;
    }
    for (int64_t i = 0; i < args[TIMES].i64 && x->count > 0; i++) {
        /* What was written before is kept, but may have moved: always use what grow returned last. */
        double *y = call->host->grow(call, Y, n + x->count);
        if (!y) {
            return KILN_RESOURCE; /* the host says how much the job may use */
        }
        memcpy(y + n, x->data, (size_t) x->count * sizeof *y);
        n += x->count;
    }
    return KILN_OK;
}

static const struct kiln_golden goldens[] = {
    {.title = "twice", .args = "{\"x\":[1,2.5],\"times\":2}", .result = "{\"y\":[1,2.5,1,2.5]}"},
    {.title = "not at all", .args = "{\"x\":[1,2.5],\"times\":0}", .result = "{\"y\":[]}"},
    {.title = "less than that",
     .args = "{\"x\":[1],\"times\":-3}",
     .status = KILN_INVALID,
     .result = "times is -3, expected 0..1000000"},
};

const struct kiln_function repeat_function = {
    KILN_FUNCTION_HEAD,
    .name = "repeat",
    .summary = "Repeats an array a number of times",
    .flags = KILN_PURE,
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
};
