/* SPDX-License-Identifier: MPL-2.0 */
/* Every function answers its own worked examples, with every set of kernels that this processor runs; and
 * its rows are complete. */
#include "mock_host.h"

#include "kernels.h"

static void compare(const struct kiln_golden *g, const char *name, double got, const json_t *want)
{
    const double w = mock_value(want);
    if (isnan(w) ? !isnan(got) : !(fabs(got - w) <= g->atol + g->rtol * fabs(w))) {
        fail_msg("%s: %s is %.17g, expected %.17g", g->title, name, got, w);
    }
}

static void compare_result(struct mock *m, const struct kiln_golden *g, const char *name, const json_t *want)
{
    const struct kiln_slot *slot = mock_result(m, name);
    if (!json_is_array(want)) {
        const uint32_t kind = m->function->results[slot - m->results].kind;
        compare(g, name,
                !slot->present     ? (double) NAN
                : kind == KILN_INT ? (double) slot->i64
                                   : slot->f64,
                want);
        return;
    }
    const double *values = slot->array.data;
    const int64_t *whole = slot->array.data;
    const size_t rows = json_array_size(want);
    assert_int_equal(slot->present, 1);
    assert_int_equal(slot->array.shape[0], rows);
    for (size_t i = 0; i < rows; i++) {
        const json_t *row = json_array_get(want, i);
        const size_t columns = json_is_array(row) ? json_array_size(row) : 1;
        for (size_t k = 0; k < columns; k++) {
            const double got = slot->array.dtype == KILN_I64 ? (double) *whole++ : *values++;
            compare(g, name, got, json_is_array(row) ? json_array_get(row, k) : row);
        }
    }
    assert_int_equal((values - (double *) slot->array.data) + (whole - (int64_t *) slot->array.data),
                     slot->array.count);
}

static void check_golden(struct mock *m, const struct kiln_function *f, const struct kiln_golden *g)
{
    int status = mock_run(m, f->name, g->args);
    if (status != g->status) {
        fail_msg("%s, %s: status %d (%s), expected %d", f->name, g->title, status, m->error, g->status);
    }
    if (status != KILN_OK) {
        if (g->result && !strstr(m->error, g->result)) {
            fail_msg("%s, %s: \"%s\" does not contain \"%s\"", f->name, g->title, m->error, g->result);
        }
        return;
    }
    if (!g->result) {
        return;
    }
    json_t *want = mock_parse(g->result), *value;
    const char *name;
    json_object_foreach(want, name, value)
    {
        compare_result(m, g, name, value);
    }
    json_decref(want);
}

static void goldens_hold(void **state)
{
    (void) state;
    for (size_t i = 0; kernels_all[i]; i++) {
        if (!kernels_all[i]->runs_here()) {
            continue;
        }
        struct mock m;
        assert_int_equal(mock_open(&m, kernels_all[i]->name), KILN_OK);
        assert_ptr_equal(m.state, kernels_all[i]);
        for (uint32_t f = 0; f < kiln_plugin.n_functions; f++) {
            for (uint32_t g = 0; g < kiln_plugin.functions[f]->n_goldens; g++) {
                check_golden(&m, kiln_plugin.functions[f], &kiln_plugin.functions[f]->goldens[g]);
            }
        }
        mock_close(&m);
    }
}

static void rows_are_complete(void **state)
{
    (void) state;
    assert_true(kiln_plugin.n_functions >= 10);
    for (uint32_t f = 0; f < kiln_plugin.n_functions; f++) {
        const struct kiln_function *fn = kiln_plugin.functions[f];
        int answered = 0, refused = 0, warm = 0;
        for (uint32_t g = 0; g < fn->n_goldens; g++) {
            answered += fn->goldens[g].status == KILN_OK && fn->goldens[g].result;
            refused += fn->goldens[g].status == KILN_INVALID;
            warm += !fn->goldens[g].result && strchr(fn->goldens[g].args, '$');
        }
        int series = 0, tables = 0; /* examples make series of any length, but no tables and labels */
        for (uint32_t i = 0; i < fn->n_params; i++) {
            const int required = fn->params[i].kind == KILN_ARRAY && fn->params[i].flags & KILN_REQUIRED;
            series += required && fn->params[i].dtype == KILN_F64 && !strchr(fn->params[i].shape, ' ');
            tables += required && (fn->params[i].dtype != KILN_F64 || strchr(fn->params[i].shape, ' '));
        }
        if (!answered || !refused || (!warm && series && !tables)) {
            fail_msg("%s: %d answered, %d refused, %d warm examples", fn->name, answered, refused, warm);
        }
        assert_true(fn->summary && fn->help && fn->flags == KILN_PURE);
        int policy = 0, reals = 0;
        for (uint32_t i = 0; i < fn->n_params; i++) {
            assert_non_null(fn->params[i].help);
            assert_true(fn->params[i].fallback || fn->params[i].flags & KILN_REQUIRED ||
                        fn->params[i].kind == KILN_ARRAY || fn->params[i].kind == KILN_FLOAT ||
                        fn->params[i].kind == KILN_INT); /* numbers that may be left out */
            policy += strcmp(fn->params[i].name, "nan_policy") == 0;
            reals |= fn->params[i].kind == KILN_ARRAY && fn->params[i].dtype == KILN_F64;
        }
        assert_int_equal(policy, reals); /* a whole number is never NaN */
        for (uint32_t i = 0; i < fn->n_results; i++) {
            assert_non_null(fn->results[i].help);
        }
    }
}

/* Every allocation of every function fails in turn. */
static void allocations_fail_cleanly(void **state)
{
    (void) state;
    static const struct {
        const char *name, *args;
        int allocations;
    } cases[] = {
        {"mean", "{'x':[1,null,3],'nan_policy':'omit'}", 1},
        {"quantile", "{'x':[1,null,3],'q':[0.5],'nan_policy':'omit'}", 4},
        {"describe", "{'x':[1,2,3]}", 3},
        {"correlation", "{'x':[1,2,3],'y':[1,null,3],'nan_policy':'omit'}", 1},
        {"correlation", "{'data':[[1,2,4],[1,null,3]],'nan_policy':'omit'}", 7},
        {"covariance", "{'data':[[1,2,4],[1,4,3]]}", 4},
    };
    struct mock m;
    assert_int_equal(mock_open(&m, NULL), KILN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int n = 1; n <= cases[i].allocations; n++) {
            m.fail_alloc = n;
            assert_int_equal(mock_run(&m, cases[i].name, cases[i].args), KILN_RESOURCE);
            assert_int_equal(m.fail_alloc, 0);
        }
        m.fail_alloc = cases[i].allocations + 1;
        assert_int_equal(mock_run(&m, cases[i].name, cases[i].args), KILN_OK);
        assert_int_equal(m.fail_alloc, 1); /* and there are no more of them */
        m.fail_alloc = 0;
    }
    mock_close(&m);
}

static void the_option_names_a_set(void **state)
{
    (void) state;
    struct mock m;
    assert_int_equal(mock_open(&m, "auto"), KILN_OK);
    assert_ptr_equal(m.state, kernels_best());
    mock_close(&m);
    assert_int_equal(mock_open(&m, "mmx"), KILN_INVALID);
    assert_null(m.state);
    assert_string_equal(m.field, "simd");
    assert_non_null(strstr(m.error, "simd is mmx"));
    mock_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_hold),
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(allocations_fail_cleanly),
        cmocka_unit_test(the_option_names_a_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
