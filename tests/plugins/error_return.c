/* SPDX-License-Identifier: MPL-2.0 */
/* error_return - ends a job in every way a function may, and in some it may not. */
#include <stdlib.h>
#include <string.h>

#include <kiln/plugin.h>

enum { HOW, TIMES, KEY };

static const struct kiln_row params[] = {
    [HOW] = {.name = "how",
             .kind = KILN_STRING,
             .choices =
                 "ok|failed|invalid|temporary|resource|cancelled|silent|nonsense|batch|no_text|unsound",
             .flags = KILN_REQUIRED},
    [TIMES] = {.name = "times",
               .kind = KILN_INT,
               .min = 0,
               .max = 100,
               .fallback = "1",
               .help = "temporary: how often before it succeeds, counted for each key"},
    [KEY] = {.name = "key", .kind = KILN_INT, .min = 0, .max = 63, .fallback = "0"},
};

enum { SAID, TRIES };

static const struct kiln_row results[] = {
    [SAID] = {.name = "said", .kind = KILN_STRING},
    [TRIES] = {.name = "tries", .kind = KILN_INT},
};

static int init(struct kiln_call *call, void **ret_state)
{
    (void) call;
    *ret_state = calloc(64, sizeof(int64_t));
    return *ret_state ? KILN_OK : KILN_RESOURCE;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    const char *how = args[HOW].text;
    int64_t *tries = (int64_t *) call->state + args[KEY].i64;
    if (strcmp(how, "failed") == 0) {
        return call->host->fail(call, KILN_FAILED, NULL,
                                "no answer: the series does not converge after %d steps", 2385);
    }
    if (strcmp(how, "invalid") == 0) {
        return call->host->fail(call, KILN_INVALID, "how", "how is \"invalid\", expected something better");
    }
    if (strcmp(how, "temporary") == 0 && *tries < args[TIMES].i64) {
        ++*tries;
        return call->host->fail(call, KILN_TEMPORARY, NULL, "not yet: %d of %d", (int) *tries,
                                (int) args[TIMES].i64);
    }
    if (strcmp(how, "resource") == 0) {
        return call->host->alloc(call, (size_t) 1 << 45) ? KILN_OK : KILN_RESOURCE;
    }
    if (strcmp(how, "cancelled") == 0) {
        return KILN_CANCELLED;
    }
    if (strcmp(how, "silent") == 0) {
        return KILN_FAILED;
    }
    if (strcmp(how, "nonsense") == 0) {
        return 2385;
    }
    out[SAID].text = "ok";
    out[SAID].present = 1;
    out[TRIES].i64 = *tries;
    out[TRIES].present = 1;
    *tries = 0;
    if (strcmp(how, "no_text") == 0) {
        out[SAID].text = NULL;
    } else if (strcmp(how, "unsound") == 0) {
        out[SAID].text = "\xff\xfe";
    }
    return KILN_OK;
}

/* "batch" fails the whole batch; every other way only its item. */
static int run_batch(struct kiln_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(items[i].args[HOW].text, "batch") == 0) {
            return KILN_TEMPORARY;
        }
        items[i].status = run(items[i].call, items[i].args, items[i].results);
    }
    return KILN_OK;
}

static const struct kiln_golden goldens[] = {
    {.title = "well", .args = "{\"how\":\"ok\"}", .result = "{\"said\":\"ok\"}"},
    {.title = "badly", .args = "{\"how\":\"failed\"}", .status = KILN_FAILED, .result = "does not converge"},
};

static const struct kiln_function function = {KILN_FUNCTION_HEAD,
                                              .name = "f",
                                              .summary = "Ends a job as asked",
                                              .max_batch = 16,
                                              .params = params,
                                              .n_params = KILN_COUNT(params),
                                              .results = results,
                                              .n_results = KILN_COUNT(results),
                                              .goldens = goldens,
                                              .n_goldens = KILN_COUNT(goldens),
                                              .run = run,
                                              .run_batch = run_batch};
static const struct kiln_function *const functions[] = {&function};

const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,       .name = "error_return", .version = "0.1.0", .summary = "Fails on command",
    .functions = functions, .n_functions = 1,       .init = init,       .fini = free};
