/* SPDX-License-Identifier: MIT-0 */
/* echo - the tutorial plugin: what a Kiln plugin is, in four small functions.
 *
 *     echo     gives back the bytes it got                    the smallest function; a batch function
 *     scale    multiplies an array by a number                arrays in and out, a default, a range
 *     repeat   repeats an array a number of times             a result whose length depends on the data
 *     sleep    waits                                          long work that can be cancelled, options
 *
 * Read this file from top to bottom, then the functions in echo.c, scale.c, repeat.c and sleep.c.
 * docs/PLUGINS.md walks through them. Copy this folder to begin a plugin of your own: the licence
 * (MIT-0) asks for nothing.
 *
 * This file has what belongs to the plugin as a whole: its options, its state, the list of its
 * functions, and the one symbol it exports. */
#include "echo.h"

#include <stdlib.h>

/* Options are rows like parameters. The configuration sets them:
 *
 *     plugins = ( { name = "echo"; options = { slice_ms = 5; }; } );
 *
 * A value out of range, or an option that is no row here, keeps the plugin from being loaded. */
static const struct kiln_row options[] = {
    {.name = "slice_ms",
     .kind = KILN_INT,
     .min = 1,
     .max = 1000,
     .unit = "ms",
     .fallback = "2",
     .help = "How long sleep waits between two looks at whether it was cancelled"},
    {.name = "most_ms",
     .kind = KILN_INT,
     .min = 0,
     .max = 60000,
     .unit = "ms",
     .fallback = "60000",
     .help = "Longest sleep that is allowed"},
};

/* init runs once, before everything else. What it stores in *ret_state is call->state in every call
 * after it. A plugin without state leaves init and fini out. */
static int init(struct kiln_call *call, void **ret_state)
{
    struct echo_state *state = malloc(sizeof *state);
    if (!state) {
        return KILN_RESOURCE;
    }
    /* Never NULL: both rows have a default. */
    state->slice_ms = call->host->option(call, "slice_ms")->i;
    state->most_ms = call->host->option(call, "most_ms")->i;
    *ret_state = state;
    return KILN_OK;
}

/* Called with what init stored; also when init failed, so it must accept NULL. */
static void fini(void *state)
{
    free(state);
}

/* Pointers, so that a later ABI may make the descriptors longer. */
static const struct kiln_function *const functions[] = {
    &echo_function,
    &scale_function,
    &repeat_function,
    &sleep_function,
};

/* The one symbol that leaves the shared object (plugins/plugin.map keeps all others in). It is
 * data: the host reads and judges it before any function is called. */
const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,       .name = "echo",
    .version = "1.0.0",     .summary = "The tutorial plugin: echo, scale, repeat, sleep",
    .functions = functions, .n_functions = KILN_COUNT(functions),
    .options = options,     .n_options = KILN_COUNT(options),
    .init = init,           .fini = fini,
};
