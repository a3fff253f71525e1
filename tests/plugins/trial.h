/* SPDX-License-Identifier: MPL-2.0 */
/* trial - a plugin in several builds, for tests that put one on trial beside another. All of them pass their examples; what a build
 * does wrong it does with live jobs only:
 *
 *     TRIAL_WORK_US  how long a job computes
 *     TRIAL_JOB      statements in every live job; `jobs` counts them, `x` and `y` may be changed
 *     TRIAL_FLAGS    flags of the functions
 *     TRIAL_EXTRA    one more result
 *     TRIAL_LESS     the function `twice` is not there */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdlib.h>
#include <time.h>

#include <kiln/plugin.h>

#ifndef TRIAL_WORK_US
#define TRIAL_WORK_US 50
#endif
#ifndef TRIAL_JOB
#define TRIAL_JOB
#endif
#ifndef TRIAL_FLAGS
#define TRIAL_FLAGS KILN_PURE
#endif
#ifndef TRIAL_VERSION
#define TRIAL_VERSION "0.2.0"
#endif

static const struct kiln_row params[] = {
    {.name = "x", .kind = KILN_FLOAT},
    {.name = "a", .kind = KILN_ARRAY, .dtype = KILN_F64, .shape = "n", .fallback = "[1,2]"}};
static const struct kiln_row results[] = {
    {.name = "x", .kind = KILN_FLOAT},
    {.name = "sub.y", .kind = KILN_ARRAY, .dtype = KILN_F64, .shape = "n"},
    {.name = "name", .kind = KILN_STRING},
#ifdef TRIAL_EXTRA
    {.name = "extra", .kind = KILN_FLOAT},
#endif
};
static const struct kiln_golden goldens[] = {
    {.args = "{\"x\":2.385,\"a\":[1,2]}", .result = "{\"x\":2.385,\"sub\":{\"y\":[2,4]}}", .rtol = 1e-9}};

static unsigned jobs __attribute__((unused));

static int64_t computed_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    int64_t end_ns = computed_ns() + TRIAL_WORK_US * INT64_C(1000);
    (void) call;
    double x = args[0].f64, *y = out[1].array.data;
    const double *a = args[1].array.data;
    for (int64_t i = 0; i < args[1].array.count; i++) {
        y[i] = 2 * a[i];
    }
    if (x != 2.385) {
        jobs++;
        TRIAL_JOB;
        while (computed_ns() < end_ns) {
        }
    }
    out[0].f64 = x;
    out[2].text = "trial";
    out[2].text_bytes = 5;
    out[0].present = out[1].present = out[2].present = 1;
#ifdef TRIAL_EXTRA
    out[3].f64 = 2.385;
    out[3].present = 1;
#endif
    return KILN_OK;
}

#define FUNCTION(id)                                                                                         \
    static const struct kiln_function id = {                                                                 \
        KILN_FUNCTION_HEAD, .flags = TRIAL_FLAGS,                                                            \
        .name = #id,        .summary = "x, and a twice",                                                     \
        .params = params,   .n_params = KILN_COUNT(params),                                                  \
        .results = results, .n_results = KILN_COUNT(results),                                                \
        .goldens = goldens, .n_goldens = KILN_COUNT(goldens),                                                \
        .run = run,                                                                                          \
    }

FUNCTION(answer);
#ifndef TRIAL_LESS
FUNCTION(twice);
#endif

static const struct kiln_function *const functions[] = {
    &answer,
#ifndef TRIAL_LESS
    &twice,
#endif
};

const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,      .name = "trial",        .version = TRIAL_VERSION,
    .summary = "on trial", .functions = functions, .n_functions = KILN_COUNT(functions),
};

#endif
