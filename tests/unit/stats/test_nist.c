/* SPDX-License-Identifier: MPL-2.0 */
/* The univariate data sets of NIST's Statistical Reference Datasets: mean, standard deviation and lag-1
 * autocorrelation keep as many digits as tests/data/nist-univariate.json asks for (min_lre), with every set
 * of kernels. */
#include "mock_host.h"

#include "kernels.h"

static double digits(double got, double certified)
{
    return got == certified ? 15 : -log10(fabs(got - certified) / fabs(certified));
}

static void check_figure(const json_t *data, struct mock *m, const char *set, const char *figure, double got)
{
    const double want = json_number_value(json_object_get(json_object_get(data, "expect"), figure));
    const double least = json_number_value(json_object_get(json_object_get(data, "min_lre"), figure));
    const double lre = digits(got, want);
    assert_true(least > 0);
    if (!(lre >= least)) {
        fail_msg("%s, %s: %s is %.17g, certified %.17g: %.1f digits, expected %.1f",
                 ((const struct kernels *) m->state)->name, set, figure, got, want, lre, least);
    }
}

static void certified_values(void **state)
{
    (void) state;
    json_error_t error;
    json_t *file = json_load_file("tests/data/nist-univariate.json", 0, &error);
    if (!file) {
        fail_msg("tests/data/nist-univariate.json (run from the root of the tree): %s", error.text);
    }
    const json_t *arrays = json_object_get(file, "arrays"), *cases = json_object_get(file, "cases");
    assert_int_equal(json_array_size(cases), 8);
    for (size_t s = 0; kernels_all[s]; s++) {
        if (!kernels_all[s]->runs_here()) {
            continue;
        }
        struct mock m;
        assert_int_equal(mock_open(&m, kernels_all[s]->name), KILN_OK);
        for (size_t i = 0; i < json_array_size(cases); i++) {
            const json_t *data = json_array_get(cases, i);
            const char *set = json_string_value(
                json_object_get(json_object_get(json_object_get(data, "inputs"), "y"), "ref"));
            json_t *x = json_object_get(arrays, set);
            assert_int_equal(json_array_size(x), json_integer_value(json_object_get(data, "n")));
            assert_int_equal(mock_run_json(&m, "mean", json_pack("{s:O}", "x", x)), KILN_OK);
            check_figure(data, &m, set, "mean", mock_number(&m, "mean"));
            assert_int_equal(mock_run_json(&m, "std", json_pack("{s:O,s:i}", "x", x, "ddof", 1)), KILN_OK);
            check_figure(data, &m, set, "sd", mock_number(&m, "std"));
            assert_int_equal(mock_run_json(&m, "describe", json_pack("{s:O,s:i}", "x", x, "ddof", 1)),
                             KILN_OK);
            check_figure(data, &m, set, "mean", mock_number(&m, "mean"));
            check_figure(data, &m, set, "sd", mock_number(&m, "std"));
            assert_int_equal(mock_run_json(&m, "autocorrelation", json_pack("{s:O,s:i}", "x", x, "nlags", 1)),
                             KILN_OK);
            check_figure(data, &m, set, "lag1_autocorrelation", mock_array(&m, "acf")[1]);
        }
        mock_close(&m);
    }
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(certified_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
