/* SPDX-License-Identifier: MPL-2.0 */
/* swap - a plugin in several builds, for tests that put one in the place of another. Each file says which VERSION it is, and what it
 * does wrong, if anything:
 *
 *     SWAP_GOLDEN    what its example promises (the truth is VERSION)
 *     SWAP_INIT      statements in init
 *     SWAP_WARM      statements when the example is run, and in every job
 *     SWAP_HEAD      the head of the plugin */
#ifndef SWAP_H
#define SWAP_H

#include <stdlib.h>

#include <kiln/plugin.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

#ifndef SWAP_GOLDEN
#define SWAP_GOLDEN VERSION
#endif
#ifndef SWAP_INIT
#define SWAP_INIT
#endif
#ifndef SWAP_WARM
#define SWAP_WARM
#endif

static const struct kiln_row params[] = {{.name = "x", .kind = KILN_FLOAT, .fallback = "0"}};
static const struct kiln_row results[] = {{.name = "version", .kind = KILN_INT},
                                          {.name = "x", .kind = KILN_FLOAT}};
static const struct kiln_golden goldens[] = {
    {.args = "{\"x\":2.385}", .result = "{\"version\":" TEXT(SWAP_GOLDEN) ",\"x\":2.385}"}};

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    SWAP_WARM;
    out[0].i64 = VERSION;
    out[1].f64 = args[0].f64;
    out[0].present = out[1].present = 1;
    return KILN_OK;
}

static const struct kiln_function answer = {
    KILN_FUNCTION_HEAD,
    .name = "answer",
    .summary = "which version this is",
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
};

static const struct kiln_function *const functions[] = {&answer};

static int init(struct kiln_call *call, void **ret_state)
{
    (void) call;
    (void) ret_state;
    SWAP_INIT;
    return KILN_OK;
}

#ifndef SWAP_HEAD
#define SWAP_HEAD KILN_PLUGIN_HEAD
#endif

const struct kiln_plugin kiln_plugin = {
    SWAP_HEAD,
    .name = "swap",
    .version = "0." TEXT(VERSION) ".0",
    .summary = "swapped",
    .init = init,
    .functions = functions,
    .n_functions = 1,
};

#endif
