/* SPDX-License-Identifier: MPL-2.0 */
/* TA-Lib's published check values on its 252 bars, for the functions that are here. Run in the root of the tree. */
#include "mock_host.h"

#define DATA "tests/data/talib-regression-252.json"

static json_t *regression;

static int load(void **state)
{
    (void) state;
    json_error_t why;
    regression = json_load_file(DATA, 0, &why);
    if (!regression) {
        print_error("%s: %s\n", DATA, why.text);
    }
    return regression ? 0 : -1;
}

static int unload(void **state)
{
    (void) state;
    json_decref(regression);
    return 0;
}

static const struct kiln_function *function(const char *name)
{
    for (size_t f = 0; f < kiln_plugin.n_functions; f++) {
        if (strcmp(kiln_plugin.functions[f]->name, name) == 0) {
            return kiln_plugin.functions[f];
        }
    }
    fail_msg("no function %s", name);
    return NULL;
}

/* Calls a function with the published bars that it has rows for, and these periods. */
static void call(struct mock *m, const char *name, json_t *periods)
{
    const struct kiln_function *fn = function(name);
    json_t *args = json_deep_copy(periods), *bars = json_object_get(regression, "bars");
    for (size_t i = 0; i < fn->n_params; i++) {
        json_t *series = json_object_get(bars, fn->params[i].name);
        if (series) {
            json_object_set(args, fn->params[i].name, series);
        }
    }
    char *text = json_dumps(args, JSON_REAL_PRECISION(17));
    mock_start(m);
    if (mock_call(m, fn, text) != KILN_OK) {
        fail_msg("%s: %s", name, m->error);
    }
    free(text);
    json_decref(args);
}

static void near(const char *what, double got, const json_t *check)
{
    double want = json_number_value(json_object_get(check, "published"));
    if (!(fabs(got - want) <= json_number_value(json_object_get(check, "tolerance")))) {
        fail_msg("%s: %.10g, published %g", what, got, want);
    }
}

static void published_values(void **state)
{
    (void) state;
    size_t i, checked = 0;
    json_t *check;
    json_array_foreach(json_object_get(regression, "checks"), i, check)
    {
        const char *name = json_string_value(json_object_get(check, "function"));
        size_t at = (size_t) json_integer_value(json_object_get(check, "index_in_series"));
        json_t *params = json_object_get(check, "params");
        json_int_t period = json_integer_value(json_array_get(params, 0));
        json_t *args = json_pack("{s:I}", "period", period);
        struct mock m;
        if (strcmp(name, "RSI") == 0 || strcmp(name, "ATR") == 0) {
            const char *ours = *name == 'R' ? "rsi" : "atr";
            call(&m, ours, args);
            const double *out = mock_result(&m, ours)->array.data;
            near(name, out[at], check);
            assert_true(isnan(out[period - 1]) && !isnan(out[period]));
            mock_stop(&m);
            checked++;
        } else if (strcmp(name, "STDDEV") == 0) { /* half of the distance from the middle band to the upper */
            call(&m, "bbands", args);
            const double *upper = mock_result(&m, "upper_band")->array.data;
            const double *middle = mock_result(&m, "middle_band")->array.data;
            near(name, (upper[at] - middle[at]) / 2.0, check);
            mock_stop(&m);
            checked++;
        }
        json_decref(args);
    }
    assert_int_equal(checked, 6);
}

/* Definitions against each other on the same bars: the published absolute oscillator of simple averages is fast - slow. */
static void published_oscillator(void **state)
{
    (void) state;
    size_t i, checked = 0;
    json_t *check;
    json_array_foreach(json_object_get(regression, "checks"), i, check)
    {
        if (strcmp(json_string_value(json_object_get(check, "function")), "APO") != 0) {
            continue;
        }
        size_t at = (size_t) json_integer_value(json_object_get(check, "index_in_series"));
        double average[2];
        for (size_t k = 0; k < 2; k++) {
            struct mock m;
            json_t *args = json_pack("{s:I}", "period",
                                     json_integer_value(json_array_get(json_object_get(check, "params"), k)));
            call(&m, "sma", args);
            average[k] = ((const double *) mock_result(&m, "sma")->array.data)[at];
            mock_stop(&m);
            json_decref(args);
        }
        near("APO", average[0] - average[1], check);
        checked++;
    }
    assert_int_equal(checked, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(published_oscillator),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
