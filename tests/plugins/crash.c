/* SPDX-License-Identifier: MPL-2.0 */
/* crash - ends its process in the way it is asked to. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kiln/plugin.h>

enum { HOW, MB };

static const struct kiln_row params[] = {
    [HOW] = {.name = "how",
             .kind = KILN_STRING,
             .choices = "segv|abort|hang|exit|stack|oom|ok",
             .fallback = "\"ok\"",
             .help = "What to do"},
    [MB] = {.name = "mb",
            .kind = KILN_INT,
            .min = 1,
            .max = 1048576,
            .fallback = "65536",
            .help = "oom: how many MiB to touch before it gives up"},
};

static const struct kiln_row results[] = {{.name = "said", .kind = KILN_STRING}};

static volatile uintptr_t nowhere = 8;
static volatile int64_t bottom = INT64_MAX; /* the stack ends before */

static int deeper(volatile char *above, int64_t depth)
{
    volatile char here[4096];
    here[0] = *above;
    return depth == bottom ? 0 : deeper(here, depth + 1) + here[0];
}

static int exhaust(int64_t mb)
{
    for (int64_t i = 0; i < mb; i++) {
        char *block = malloc(1 << 20);
        if (!block) {
            return KILN_RESOURCE;
        }
        memset(block, (int) i | 1, 1 << 20); /* never freed: that is the point */
    }
    return KILN_RESOURCE;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    const char *how = args[HOW].text;
    volatile char start = 1;
    (void) call;
    if (strcmp(how, "segv") == 0) {
        *(volatile int *) nowhere = 1;
    } else if (strcmp(how, "abort") == 0) {
        abort();
    } else if (strcmp(how, "hang") == 0) {
        for (;;) {
            pause();
        }
    } else if (strcmp(how, "exit") == 0) {
        _exit(3);
    } else if (strcmp(how, "stack") == 0) {
        return deeper(&start, 0);
    } else if (strcmp(how, "oom") == 0) {
        return exhaust(args[MB].i64);
    }
    out[0].text = "ok";
    out[0].present = 1;
    return KILN_OK;
}

static const struct kiln_golden goldens[] = {
    {.title = "behaves", .args = "{}", .result = "{\"said\":\"ok\"}"}};

static const struct kiln_function function = {KILN_FUNCTION_HEAD,
                                              .name = "crash",
                                              .summary = "Ends its process in the way it is asked to",
                                              .params = params,
                                              .n_params = KILN_COUNT(params),
                                              .results = results,
                                              .n_results = KILN_COUNT(results),
                                              .goldens = goldens,
                                              .n_goldens = KILN_COUNT(goldens),
                                              .run = run};
static const struct kiln_function *const functions[] = {&function};

const struct kiln_plugin kiln_plugin = {KILN_PLUGIN_HEAD,       .name = "crash",
                                        .version = "0.1.0",     .summary = "Misbehaves on command",
                                        .functions = functions, .n_functions = 1};
