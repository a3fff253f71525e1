/* SPDX-License-Identifier: MIT-0 */
/* echo.sleep - waits `ms` milliseconds.
 *
 * Shows long work: look at cancelled() every few milliseconds, tell progress(), and use the state
 * that init made from the options. Not KILN_PURE: a cached sleep is no sleep. */
#define _POSIX_C_SOURCE 200809L
#include "echo.h"

#include <time.h>

enum { MS };
enum { SLEPT_MS };

static const struct kiln_row params[] = {
    [MS] = {.name = "ms",
            .kind = KILN_FLOAT,
            .flags = KILN_REQUIRED,
            .min = 0,
            .max = 60000,
            .unit = "ms",
            .help = "How long"},
};

static const struct kiln_row results[] = {
    [SLEPT_MS] = {.name = "slept_ms", .kind = KILN_FLOAT, .unit = "ms", .help = "How long it was in fact"},
};

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    const struct kiln_host *host = call->host;
    const struct echo_state *state = call->state;
    double ms = args[MS].f64;
    if (ms > (double) state->most_ms) {
        /* What the rows cannot say is refused here, in the same words: field, value, expected. */
        return host->fail(call, KILN_INVALID, "ms", "ms is %g, expected at most %lld (option most_ms)", ms,
                          (long long) state->most_ms);
    }
    int64_t begin = host->clock_ns(call), end = begin + (int64_t) (ms * 1e6), now = begin;
    while (now < end) {
        if (host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        int64_t slice = state->slice_ms * 1000000;
        if (slice > end - now) {
            slice = end - now;
        }
        struct timespec t = {.tv_sec = (time_t) (slice / 1000000000), .tv_nsec = (long) (slice % 1000000000)};
        nanosleep(&t, NULL);
        now = host->clock_ns(call);
        host->progress(call, (double) (now - begin) / (double) (end - begin));
    }
    out[SLEPT_MS].f64 = (double) (now - begin) / 1e6;
    out[SLEPT_MS].present = 1;
    return KILN_OK;
}

static const struct kiln_golden goldens[] = {
    {.title = "no time", .args = "{\"ms\":0}", .result = "{\"slept_ms\":0}"},
    {.title = "a moment", .args = "{\"ms\":0.02}", .result = "{\"slept_ms\":0.02}", .atol = 1000},
    {.title = "too long",
     .args = "{\"ms\":60001}",
     .status = KILN_INVALID,
     .result = "ms is 60001, expected 0..60000"},
};

const struct kiln_function sleep_function = {
    KILN_FUNCTION_HEAD,
    .name = "sleep",
    .summary = "Waits",
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
};
