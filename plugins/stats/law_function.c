/* SPDX-License-Identifier: MPL-2.0 */
#include "law_function.h"

#include <string.h>

enum { X, OF, SHAPES }; /* and behind the shapes: */
enum { LOC, NAN_POLICY, SCALE };
enum { VALUES, MEAN, VAR };

#define POLL_EACH 32 /* places between looks at whether the answer is still wanted; each takes 0.1..1000 us */

const struct kiln_row law_results[] = {
    {.name = "values", .kind = KILN_ARRAY, .shape = "n", .help = "what was asked for, at each x"},
    {.name = "mean", .kind = KILN_FLOAT, .help = "of the distribution; null where undefined"},
    {.name = "var", .kind = KILN_FLOAT, .help = "variance of the distribution; null where undefined"},
};

/* A law as it is placed, and what is asked of it. */
struct question {
    const struct law *law;
    struct law_state state;
    double loc, scale;
    enum { DENSITY, TAIL, PLACE } of;
    bool upper, log;
};

static void question_of(struct question *q, const char *of)
{
    const bool log = strncmp(of, "log", 3) == 0;
    const char *name = log ? of + 3 : of;
    q->log = log;
    q->upper = strcmp(name, "sf") == 0 || strcmp(name, "isf") == 0;
    q->of = name[0] == 'p' && name[1] != 'p'                       ? DENSITY
            : strcmp(name, "ppf") == 0 || strcmp(name, "isf") == 0 ? PLACE
                                                                   : TAIL;
}

/* The difference and quotient are taken in long double, where they round less than x itself did. */
static double answer(const struct question *q, double x, long double log_scale)
{
    const long double z = ((long double) x - q->loc) / q->scale;
    switch (q->of) {
    case DENSITY:
        return law_density(q->law, &q->state, z, log_scale, q->log);
    case TAIL:
        return law_tail(q->law, &q->state, z, q->upper, q->log);
    case PLACE:
        break;
    }
    return (double) (law_place(q->law, &q->state, x, q->upper) * q->scale + q->loc);
}

static int check(struct kiln_call *call, const struct question *q, const double *x, size_t n,
                 bool nan_refused)
{
    for (size_t i = 0; i < n; i++) {
        if (nan_refused && isnan(x[i])) {
            return call->host->fail(call, KILN_INVALID, "x",
                                    "x[%zu] is NaN, expected a number (nan_policy raise)", i);
        }
        if (q->of == PLACE && (x[i] < 0 || x[i] > 1)) {
            return call->host->fail(call, KILN_INVALID, "x",
                                    "x[%zu] is %.17g, expected a probability in 0..1 (ppf and isf)", i, x[i]);
        }
    }
    return KILN_OK;
}

static void give_defined(struct kiln_slot *slot, double value)
{
    if (!isnan(value)) {
        give(slot, value);
    }
}

static int answer_all(struct kiln_call *call, const struct question *q, law_kernel *kernel, const char *of,
                      const double *x, size_t n, double *values)
{
    const long double log_scale = q->scale == 1 ? 0 : logl(q->scale);
    const size_t block = kernel ? LAW_BLOCK : POLL_EACH;
    for (size_t i = 0; i < n; i += block) {
        const size_t part = n - i < block ? n - i : block;
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        if (kernel && kernel(call->state, of, q->loc, q->scale, x + i, part, values + i)) {
            continue;
        }
        for (size_t j = i; j < i + part; j++) {
            values[j] = answer(q, x[j], log_scale);
        }
    }
    return KILN_OK;
}

int law_run_with(const struct law *law, law_kernel *kernel, struct kiln_call *call,
                 const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kiln_slot *behind = args + SHAPES + law->n_shapes;
    const double *x = args[X].array.data;
    const size_t n = (size_t) args[X].array.count;
    double shape[3] = {0}, *values = results[VALUES].array.data;
    struct question q = {.law = law, .loc = behind[LOC].f64, .scale = law->discrete ? 1 : behind[SCALE].f64};
    for (int i = 0; i < law->n_shapes; i++) {
        const bool whole = call->function->params[SHAPES + i].kind == KILN_INT;
        shape[i] = whole ? (double) args[SHAPES + i].i64 : args[SHAPES + i].f64;
    }
    question_of(&q, args[OF].text);
    int status = check(call, &q, x, n, nan_policy_of(&behind[NAN_POLICY]) == NAN_RAISE);
    if (status) {
        return status;
    }
    law_prepare(law, shape, &q.state);
    status = answer_all(call, &q, kernel, args[OF].text, x, n, values);
    if (status) {
        return status;
    }
    give_defined(&results[MEAN], q.loc + q.scale * q.state.mean);
    give_defined(&results[VAR], q.scale * q.scale * q.state.var);
    return KILN_OK;
}

int law_run(const struct law *law, struct kiln_call *call, const struct kiln_slot *args,
            struct kiln_slot *results)
{
    return law_run_with(law, NULL, call, args, results);
}
