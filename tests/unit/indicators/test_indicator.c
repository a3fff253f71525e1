/* SPDX-License-Identifier: MPL-2.0 */
/* The rules of indicator.h, for every indicator of the catalogue: cut anywhere, in rooms that hold the history it asked for and no bar
 * more, each gives the bits of the whole and writes nothing else. */
#include "mock_host.h"
#include "series_data.h"

#include <stdbool.h>

#include "catalogue.h"

enum { BARS = 400, CUTS = 12 };

struct trial {
    const struct indicator *indicator;
    struct plan plan;
    double *in[INDICATOR_SERIES];
    double *whole[INDICATOR_OUTPUTS];
};

/* Prices that walk, highs above and lows below them; anything else is taken for a volume. */
static void fill(const char *name, double *x, size_t n)
{
    data_fill(x, n, DATA_WALK, 5);
    if (strcmp(name, "volume") == 0) {
        data_volume(x, n, 3);
    }
    double shift = strcmp(name, "high") == 0 ? 1.5 : strcmp(name, "low") == 0 ? -1.25 : 0.0;
    for (size_t i = 0; i < n; i++) {
        x[i] += shift;
    }
}

/* Plans with all whole numbers at `number`, where the row allows it, or with the defaults; 0 when the plan is refused. */
static int trial_plan(struct trial *t, struct mock *m, int64_t number)
{
    const struct kiln_function *fn = t->indicator->function;
    char text[1024];
    size_t used = (size_t) snprintf(text, sizeof(text), "{");
    for (size_t k = 0; k < t->indicator->n_series; k++) {
        used += (size_t) snprintf(text + used, sizeof(text) - used, "%s\"%s\":{\"$linspace\":[1,2,8]}",
                                  k > 0 ? "," : "", fn->params[k].name);
    }
    snprintf(text + used, sizeof(text) - used, "}");
    int64_t n = -1;
    m->call.function = fn;
    memset(m->args, 0, sizeof(m->args));
    assert_int_equal(mock_bind(m, fn, text, &n), KILN_OK);
    for (size_t i = t->indicator->n_series; i < fn->n_params; i++) {
        const struct kiln_row *row = &fn->params[i];
        bool ranged = row->min != 0.0 || row->max != 0.0;
        if (row->kind == KILN_INT && number > 0 &&
            (!ranged || ((double) number >= row->min && (double) number <= row->max))) {
            m->args[i].i64 = number;
        }
    }
    memset(&t->plan, 0, sizeof(t->plan));
    return t->indicator->plan(&m->call, m->args + t->indicator->n_series, &t->plan) == KILN_OK;
}

/* A kernel's room: what the plan says and no double more, but aligned, and never what it was before. */
static double *scratch_room(const struct plan *plan, size_t bars)
{
    size_t doubles = plan->scratch + plan->scratch_bars * bars;
    double *room = aligned_alloc(64, (doubles * sizeof(double) + 64) / 64 * 64);
    assert_non_null(room);
    for (size_t i = 0; i < doubles; i++) {
        room[i] = -3.5e33;
    }
    return room;
}

/* Bars begin .. end-1 in rooms of their own. */
static void advance_in_rooms(const struct trial *t, size_t begin, size_t end, double *state)
{
    size_t history = begin < t->plan.history ? begin : t->plan.history, origin = begin - history;
    const struct kiln_function *fn = t->indicator->function;
    struct feed f = {.begin = history, .end = end - origin, .origin = origin, .state = state};
    double *in[INDICATOR_SERIES];
    for (size_t k = 0; k < t->indicator->n_series; k++) {
        f.in[k] = in[k] = data_room(end - origin);
        memcpy(in[k], t->in[k] + origin, (end - origin) * sizeof(double));
    }
    for (size_t k = 0; k < fn->n_results; k++) {
        f.out[k] = data_room(end - origin);
    }
    f.scratch = scratch_room(&t->plan, end - begin);
    t->indicator->advance(&t->plan, &f);
    for (size_t k = 0; k < fn->n_results; k++) {
        for (size_t i = 0; i < history; i++) {
            assert_true(f.out[k][i] == -12345.678); /* as data_room() left it */
        }
        for (size_t i = history; i < end - origin; i++) {
            double want = t->whole[k][origin + i];
            bool nan = isnan(want) && isnan(f.out[k][i]);
            if (origin + i >= t->plan.lookback && !nan && memcmp(&f.out[k][i], &want, sizeof(want)) != 0) {
                fail_msg("%s: bar %zu of %zu..%zu is %a, expected %a", fn->name, origin + i, begin, end,
                         f.out[k][i], want);
            }
        }
        test_free(f.out[k]);
    }
    for (size_t k = 0; k < t->indicator->n_series; k++) {
        assert_memory_equal(in[k], t->in[k] + origin, (end - origin) * sizeof(double));
        test_free(in[k]);
    }
    free(f.scratch);
}

static void compute_whole(struct trial *t)
{
    struct feed f = {.end = BARS};
    double *state = test_calloc(t->plan.state + 1, sizeof(double));
    for (size_t k = 0; k < t->indicator->n_series; k++) {
        f.in[k] = t->in[k];
    }
    for (size_t k = 0; k < t->indicator->function->n_results; k++) {
        f.out[k] = t->whole[k];
    }
    f.state = state;
    f.scratch = scratch_room(&t->plan, BARS);
    t->indicator->advance(&t->plan, &f);
    free(f.scratch);
    test_free(state);
}

static void cut_and_compare(const struct trial *t, uint64_t *seed)
{
    double *state = test_calloc(t->plan.state + 1, sizeof(double));
    for (size_t begin = 0, end; begin < BARS; begin = end) {
        double share = data_random(seed) + 0.5;
        end = begin + 1 + (size_t) (share * share * (2.0 * BARS / CUTS));
        end = end < BARS ? end : BARS;
        advance_in_rooms(t, begin, end, state);
    }
    assert_true(state[t->plan.state] == 0.0); /* behind what it may carry */
    test_free(state);
}

static void any_cuts_same_bits(void **unused)
{
    (void) unused;
    static const int64_t numbers[] = {0, 1, 2, 3, 5, 12, 13, 20, 21, 64, 150};
    size_t planned = 0;
    uint64_t seed = 11;
    for (size_t i = 0; i < CATALOGUE_INDICATORS; i++) {
        struct trial t = {.indicator = catalogue_indicators[i]};
        const struct kiln_function *fn = t.indicator->function;
        for (size_t k = 0; k < t.indicator->n_series; k++) {
            t.in[k] = data_room(BARS);
            fill(fn->params[k].name, t.in[k], BARS);
        }
        for (size_t k = 0; k < fn->n_results; k++) {
            t.whole[k] = data_room(BARS);
        }
        for (size_t p = 0; p < sizeof(numbers) / sizeof(numbers[0]); p++) {
            struct mock m;
            mock_start(&m);
            if (trial_plan(&t, &m, numbers[p])) {
                compute_whole(&t);
                cut_and_compare(&t, &seed);
                cut_and_compare(&t, &seed);
                planned++;
            }
            mock_stop(&m);
        }
        for (size_t k = 0; k < t.indicator->n_series; k++) {
            test_free(t.in[k]);
        }
        for (size_t k = 0; k < fn->n_results; k++) {
            test_free(t.whole[k]);
        }
    }
    assert_true(planned >= 5 * CATALOGUE_INDICATORS);
}

static void each_is_found(void **state)
{
    (void) state;
    for (size_t i = 0; i < CATALOGUE_INDICATORS; i++) {
        const struct indicator *one = catalogue_indicators[i];
        assert_ptr_equal(indicator_find(one->function->name), one);
        assert_ptr_equal(indicator_of(one->function), one);
        assert_ptr_equal(catalogue_functions[i], one->function);
        struct kiln_function namesake = *one->function;
        assert_null(indicator_of(&namesake));
    }
    for (size_t i = CATALOGUE_INDICATORS; i < CATALOGUE_FUNCTIONS; i++) {
        assert_null(indicator_of(catalogue_functions[i]));
    }
    assert_null(indicator_find(""));
    assert_null(indicator_find("zzz"));
    assert_null(indicator_find("SMA"));
}

/* What the arrays of indicator.h have room for. */
static void definitions_fit(void **state)
{
    (void) state;
    for (size_t i = 0; i < CATALOGUE_INDICATORS; i++) {
        const struct indicator *one = catalogue_indicators[i];
        const struct kiln_function *fn = one->function;
        assert_true(one->n_series >= 1 && one->n_series <= INDICATOR_SERIES);
        assert_true(fn->n_results >= 1 && fn->n_results <= INDICATOR_OUTPUTS);
        assert_true(fn->n_params >= one->n_series && fn->n_params - one->n_series <= INDICATOR_PARAMS);
        for (size_t k = 0; k < fn->n_params + fn->n_results; k++) {
            const struct kiln_row *row = k < fn->n_params ? &fn->params[k] : &fn->results[k - fn->n_params];
            bool series = k < one->n_series || k >= fn->n_params;
            assert_int_equal(row->kind == KILN_ARRAY, series);
            assert_true(!series || strcmp(row->shape, "n") == 0);
            assert_true(series || row->kind == KILN_INT || row->kind == KILN_FLOAT ||
                        row->kind == KILN_BOOL || row->kind == KILN_STRING);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_cuts_same_bits),
        cmocka_unit_test(each_is_found),
        cmocka_unit_test(definitions_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
