/* SPDX-License-Identifier: MPL-2.0 */
/* Every function of the plugin: its descriptor, and what it does with any short or broken series. */
#include "mock_host.h"

#include "indicator.h"

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
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(gaps_in_any_place),
        cmocka_unit_test(two_leading_gaps_and_all_gaps),
        cmocka_unit_test(memory_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
