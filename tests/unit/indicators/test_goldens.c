/* SPDX-License-Identifier: MPL-2.0 */
/* Every function of the plugin: its descriptor, its examples, and what it does with any short or broken series. */
#include "mock_host.h"

#include "indicator.h"

static int right(double v, const json_t *want, const struct kiln_golden *g)
{
    if (json_is_null(want)) {
        return isnan(v);
    }
    double w = json_number_value(want);
    return fabs(v - w) <= g->atol + g->rtol * fabs(w);
}

static void compare(struct mock *m, const struct kiln_golden *g)
{
    const char *name;
    json_t *want, *all = json_loads(g->result, 0, NULL);
    assert_non_null(all);
    json_object_foreach(all, name, want)
    {
        struct kiln_slot *slot = mock_result(m, name);
        assert_int_equal(slot->present, 1);
        if (!json_is_array(want)) {
            assert_true(right(slot->f64, want, g));
            continue;
        }
        assert_int_equal(json_array_size(want), slot->array.count);
        for (int64_t i = 0; i < slot->array.count; i++) {
            double v = ((const double *) slot->array.data)[i];
            if (!right(v, json_array_get(want, (size_t) i), g)) {
                fail_msg("%s, \"%s\": %s[%d] is %.17g", m->call.function->name, g->title, name, (int) i, v);
            }
        }
    }
    json_decref(all);
}

/* A function that takes indicators by name: the engine proves its examples, which are beyond what mock_host binds. */
static int takes_values(const struct kiln_function *fn)
{
    for (size_t i = 0; i < fn->n_params; i++) {
        if (fn->params[i].kind == KILN_VALUE) {
            return 1;
        }
    }
    return 0;
}

static void examples_hold(void **state)
{
    (void) state;
    size_t n = 0, compared = 0, refused = 0, warmed = 0;
    for (size_t f = 0; f < kiln_plugin.n_functions; f++) {
        const struct kiln_function *fn = kiln_plugin.functions[f];
        size_t here[3] = {0};
        if (takes_values(fn)) {
            continue;
        }
        n++;
        for (size_t k = 0; k < fn->n_goldens; k++) {
            const struct kiln_golden *g = &fn->goldens[k];
            struct mock m;
            mock_start(&m);
            int status = mock_call(&m, fn, g->args);
            if (status != g->status) {
                fail_msg("%s, \"%s\": status %d %s", fn->name, g->title, status, m.error);
            }
            if (status != KILN_OK) {
                assert_true(!g->result || strstr(m.error, g->result));
                here[1]++;
            } else if (g->result) {
                compare(&m, g);
                here[0]++;
            } else {
                here[2]++;
            }
            mock_stop(&m);
        }
        assert_true(here[0] > 0 && here[1] > 0 && here[2] > 0);
        compared += here[0], refused += here[1], warmed += here[2];
    }
    assert_true(n >= 9 && compared >= 2 * n && refused >= n && warmed >= n);
}

static void rows_are_complete(void **state)
{
    (void) state;
    for (size_t f = 0; f < kiln_plugin.n_functions; f++) {
        const struct kiln_function *fn = kiln_plugin.functions[f];
        assert_true(fn->flags & KILN_PURE);
        assert_non_null(fn->help);
        for (size_t i = 0; i < fn->n_params + fn->n_results; i++) {
            const struct kiln_row *row = i < fn->n_params ? &fn->params[i] : &fn->results[i - fn->n_params];
            assert_non_null(row->help);
            assert_int_not_equal(row->help[strlen(row->help) - 1], '.');
        }
    }
}

/* Arguments for any function here: all its arrays of n numbers, with a NaN at `missing` in array number `which`. */
static void write_args(char *text, size_t size, const struct kiln_function *fn, size_t n, size_t which,
                       size_t missing, int period)
{
    size_t used = (size_t) snprintf(text, size, "{");
    size_t array = 0;
    for (size_t i = 0; i < fn->n_params; i++) {
        const struct kiln_row *row = &fn->params[i];
        if (row->kind == KILN_ARRAY) {
            used += (size_t) snprintf(text + used, size - used, "%s\"%s\":[", used > 1 ? "," : "", row->name);
            for (size_t j = 0; j < n; j++) {
                const char *comma = j > 0 ? "," : "";
                if (array == which && j == missing) {
                    used += (size_t) snprintf(text + used, size - used, "%snull", comma);
                } else {
                    used += (size_t) snprintf(text + used, size - used, "%s%zu.25", comma,
                                              (j * 7 + i * 3) % 11 + 1);
                }
            }
            used += (size_t) snprintf(text + used, size - used, "]");
            array++;
        } else if (row->kind == KILN_INT) {
            used += (size_t) snprintf(text + used, size - used, ",\"%s\":%d", row->name, period);
        }
    }
    snprintf(text + used, size - used, "}");
    assert_true(used + 1 < size);
}

static size_t arrays_of(const struct kiln_function *fn)
{
    size_t arrays = 0;
    for (size_t i = 0; i < fn->n_params; i++) {
        arrays += fn->params[i].kind == KILN_ARRAY;
    }
    return arrays;
}

/* Whatever the length and wherever a value is missing, every element of every result is written; a leading gap only shifts
 * the start; from a later gap on there is no value, and before it nothing changes. */
static void gaps_in_any_place(void **state)
{
    (void) state;
    static char text[8192];
    size_t checked = 0;
    for (size_t f = 0; f < kiln_plugin.n_functions; f++) {
        const struct kiln_function *fn = kiln_plugin.functions[f];
        if (!indicator_of(fn)) {
            continue; /* with a rule of its own about gaps */
        }
        for (size_t n = 1; n <= 20; n++) {
            for (size_t which = 0; which < arrays_of(fn); which++) {
                struct mock whole;
                mock_start(&whole);
                write_args(text, sizeof(text), fn, n, which, n, 3);
                assert_int_equal(mock_call(&whole, fn, text), KILN_OK);
                for (size_t missing = 0; missing < n; missing++) {
                    struct mock m;
                    mock_start(&m);
                    write_args(text, sizeof(text), fn, n, which, missing, 3);
                    assert_int_equal(mock_call(&m, fn, text), KILN_OK);
                    for (size_t r = 0; r < fn->n_results; r++) {
                        const double *got = m.results[r].array.data, *want = whole.results[r].array.data;
                        for (size_t i = 0; i < n; i++) {
                            assert_true(got[i] != MOCK_UNWRITTEN && want[i] != MOCK_UNWRITTEN);
                            if (missing > 0 && i < missing) {
                                assert_memory_equal(&got[i], &want[i], sizeof(double));
                            }
                            if (missing > 0 && i >= missing) {
                                assert_true(isnan(got[i]));
                            }
                            if (missing == 0 && i > 0) {
                                assert_int_equal(isnan(got[i]) != 0, isnan(want[i - 1]) != 0);
                            }
                            checked++;
                        }
                        assert_true(missing > 0 || isnan(got[0]));
                    }
                    mock_stop(&m);
                }
                mock_stop(&whole);
            }
        }
    }
    assert_true(checked > 30000);
}

static void two_leading_gaps_and_all_gaps(void **state)
{
    (void) state;
    struct mock m;
    mock_start(&m);
    assert_int_equal(mock_call(&m, kiln_plugin.functions[0], "{\"close\":[null,null,5,7,9.5],\"period\":2}"),
                     KILN_OK);
    const double *sma = mock_result(&m, "sma")->array.data;
    assert_true(isnan(sma[0]) && isnan(sma[1]) && isnan(sma[2]) && sma[3] == 6.0 && sma[4] == 8.25);
    for (size_t f = 0; f < kiln_plugin.n_functions; f++) {
        const struct kiln_function *fn = kiln_plugin.functions[f];
        if (indicator_of(fn) && arrays_of(fn) == 1 && strcmp(fn->params[0].name, "close") == 0) {
            assert_int_equal(mock_call(&m, fn, "{\"close\":[null,null,null]}"), KILN_OK);
            for (size_t i = 0; i < 3; i++) {
                assert_true(isnan(((double *) m.results[0].array.data)[i]));
            }
        }
    }
    mock_stop(&m);
}

static void memory_that_is_not_there(void **state)
{
    (void) state;
    static char text[8192];
    static const char *const takers[] = {"bbands", "vwap"};
    size_t refused = 0;
    for (size_t f = 0; f < kiln_plugin.n_functions; f++) {
        struct mock m;
        mock_start(&m);
        m.no_memory = 1;
        const struct kiln_function *fn = kiln_plugin.functions[f];
        if (strcmp(fn->name, takers[0]) == 0 || strcmp(fn->name, takers[1]) == 0) {
            write_args(text, sizeof(text), fn, 20, 99, 0, 3);
            assert_int_equal(mock_call(&m, fn, text), KILN_RESOURCE);
            refused++;
        }
        mock_stop(&m);
    }
    assert_int_equal(refused, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_hold),
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(gaps_in_any_place),
        cmocka_unit_test(two_leading_gaps_and_all_gaps),
        cmocka_unit_test(memory_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
