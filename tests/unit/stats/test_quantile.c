/* SPDX-License-Identifier: MPL-2.0 */
/* Quantiles: NumPy's answers for each method (closest_observation: Hyndman and Fan's definition), and the
 * edges. */
#include "mock_host.h"

enum { PROBABILITIES = 11 };

static const char values[] = "2.385,-1.5,7.25,3.0,3.0,11.75,0.5,-4.125,9.0,5.5";
static const char probabilities[] = "0,0.05,0.1,0.25,0.35,0.5,0.55,0.75,0.9,0.99,1";

/* numpy.quantile of the first n values */
static const struct {
    const char *method;
    int n;
    double want[PROBABILITIES];
} rows[] = {
    {"linear",
     10,
     {-4.125, -2.9437499999999996, -1.7625, 0.97125, 2.4772499999999997, 3.0, 3.0, 6.8125, 9.274999999999999,
      11.502500000000001, 11.75}},
    {"lower", 10, {-4.125, -4.125, -4.125, 0.5, 2.385, 3.0, 3.0, 5.5, 9.0, 9.0, 11.75}},
    {"higher", 10, {-4.125, -1.5, -1.5, 2.385, 3.0, 3.0, 3.0, 7.25, 11.75, 11.75, 11.75}},
    {"nearest", 10, {-4.125, -4.125, -1.5, 0.5, 2.385, 3.0, 3.0, 7.25, 9.0, 11.75, 11.75}},
    {"midpoint", 10, {-4.125, -2.8125, -2.8125, 1.4425, 2.6925, 3.0, 3.0, 6.375, 10.375, 10.375, 11.75}},
    {"inverted_cdf", 10, {-4.125, -4.125, -4.125, 0.5, 2.385, 3.0, 3.0, 7.25, 9.0, 11.75, 11.75}},
    {"averaged_inverted_cdf",
     10,
     {-4.125, -4.125, -2.8125, 0.5, 2.385, 3.0, 3.0, 7.25, 10.375, 11.75, 11.75}},
    {"interpolated_inverted_cdf",
     10,
     {-4.125, -4.125, -4.125, -0.5, 1.4425, 3.0, 3.0, 6.375, 9.0, 11.475000000000001, 11.75}},
    {"hazen", 10, {-4.125, -4.125, -2.8125, 0.5, 2.385, 3.0, 3.0, 7.25, 10.375, 11.75, 11.75}},
    {"weibull",
     10,
     {-4.125, -4.125, -3.8625, 0.0, 2.10225, 3.0, 3.1249999999999996, 7.6875, 11.475000000000001, 11.75,
      11.75}},
    {"median_unbiased",
     10,
     {-4.125, -4.125, -3.1624999999999996, 0.33333333333333304, 2.29075, 3.0, 3.0416666666666665,
      7.395833333333334, 10.741666666666665, 11.75, 11.75}},
    {"normal_unbiased",
     10,
     {-4.125, -4.125, -3.075, 0.375, 2.3143124999999998, 3.0, 3.0312500000000004, 7.359375,
      10.649999999999999, 11.75, 11.75}},
    {"closest_observation", 10, {-4.125, -4.125, -4.125, -1.5, 2.385, 3.0, 3.0, 7.25, 9.0, 11.75, 11.75}},
    {"linear",
     5,
     {-1.5, -0.723, 0.05400000000000005, 2.385, 2.631, 3.0, 3.0, 3.0, 5.550000000000001, 7.08, 7.25}},
    {"lower", 5, {-1.5, -1.5, -1.5, 2.385, 2.385, 3.0, 3.0, 3.0, 3.0, 3.0, 7.25}},
    {"higher", 5, {-1.5, 2.385, 2.385, 2.385, 3.0, 3.0, 3.0, 3.0, 7.25, 7.25, 7.25}},
    {"nearest", 5, {-1.5, -1.5, -1.5, 2.385, 2.385, 3.0, 3.0, 3.0, 7.25, 7.25, 7.25}},
    {"midpoint",
     5,
     {-1.5, 0.4424999999999999, 0.4424999999999999, 2.385, 2.6925, 3.0, 3.0, 3.0, 5.125, 5.125, 7.25}},
    {"inverted_cdf", 5, {-1.5, -1.5, -1.5, 2.385, 2.385, 3.0, 3.0, 3.0, 7.25, 7.25, 7.25}},
    {"averaged_inverted_cdf", 5, {-1.5, -1.5, -1.5, 2.385, 2.385, 3.0, 3.0, 3.0, 7.25, 7.25, 7.25}},
    {"interpolated_inverted_cdf",
     5,
     {-1.5, -1.5, -1.5, -0.52875, 1.4137499999999998, 2.6925, 2.84625, 3.0, 5.125, 7.0375000000000005, 7.25}},
    {"hazen", 5, {-1.5, -1.5, -1.5, 1.4137499999999998, 2.53875, 3.0, 3.0, 4.0625, 7.25, 7.25, 7.25}},
    {"weibull", 5, {-1.5, -1.5, -1.5, 0.4424999999999999, 2.4465, 3.0, 3.0, 5.125, 7.25, 7.25, 7.25}},
    {"median_unbiased", 5, {-1.5, -1.5, -1.5, 1.09, 2.508, 3.0, 3.0, 4.416666666666665, 7.25, 7.25, 7.25}},
    {"normal_unbiased", 5, {-1.5, -1.5, -1.5, 1.1709375, 2.5156875, 3.0, 3.0, 4.328125, 7.25, 7.25, 7.25}},
    {"closest_observation", 5, {-1.5, -1.5, -1.5, -1.5, 2.385, 2.385, 3.0, 3.0, 3.0, 7.25, 7.25}},
    {"linear", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"lower", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"higher", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"nearest", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"midpoint", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"inverted_cdf", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"averaged_inverted_cdf",
     1,
     {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"interpolated_inverted_cdf",
     1,
     {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"hazen", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"weibull", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"median_unbiased", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"normal_unbiased", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
    {"closest_observation", 1, {2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385, 2.385}},
};

static void methods_agree_with_numpy(void **state)
{
    (void) state;
    struct mock m;
    assert_int_equal(mock_open(&m, NULL), KILN_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char args[512];
        const char *end = values;
        for (int k = 0; k < rows[i].n; k++) {
            end += strcspn(end + 1, ",") + 1;
        }
        snprintf(args, sizeof args, "{'x':[%.*s],'q':[%s],'method':'%s'}", (int) (end - values), values,
                 probabilities, rows[i].method);
        assert_int_equal(mock_run(&m, "quantile", args), KILN_OK);
        for (int k = 0; k < PROBABILITIES; k++) {
            const double got = mock_array(&m, "quantile")[k], want = rows[i].want[k];
            if (!(fabs(got - want) <= 2e-15 * fabs(want))) {
                fail_msg("%s of %d, q number %d: %.17g, expected %.17g", rows[i].method, rows[i].n, k, got,
                         want);
            }
        }
    }
    mock_close(&m);
}

/* All 13 choices of the row are known to the function, and the table above has them all. */
static void every_choice_is_tested(void **state)
{
    (void) state;
    const char *choices = mock_function("quantile")->params[2].choices;
    int count = 0;
    for (const char *at = choices; *at; at += strcspn(at, "|"), at += *at == '|') {
        size_t i = 0, length = strcspn(at, "|");
        while (i < sizeof rows / sizeof *rows &&
               (strncmp(rows[i].method, at, length) != 0 || rows[i].method[length] != '\0')) {
            i++;
        }
        assert_true(i < sizeof rows / sizeof *rows);
        count++;
    }
    assert_int_equal(count, 13);
}

static void edges(void **state)
{
    (void) state;
    struct mock m;
    assert_int_equal(mock_open(&m, NULL), KILN_OK);
    assert_int_equal(mock_run(&m, "quantile", "{'x':[1,null,3],'q':[0,0.5]}"), KILN_OK);
    assert_true(isnan(mock_array(&m, "quantile")[0]) && isnan(mock_array(&m, "quantile")[1]));
    mock_refused(&m, mock_run(&m, "quantile", "{'x':[1,null,3],'q':[0.5],'nan_policy':'raise'}"), "x",
                 "element 1 of x is NaN");
    mock_refused(&m, mock_run(&m, "quantile", "{'x':[null],'q':[0.5],'nan_policy':'omit'}"), "x",
                 "all 1 values are NaN");
    assert_int_equal(mock_run(&m, "quantile", "{'x':[-1.6e308,1.6e308],'q':[0.25,0.5]}"), KILN_OK);
    mock_close_to(mock_array(&m, "quantile")[0], -0.8e308, 1e-15); /* the difference overflows */
    assert_true(mock_array(&m, "quantile")[1] == 0);
    mock_close(&m);
}

/* Between an infinity and itself is that infinity; a whole place takes its value whatever is beside it. */
static void infinities(void **state)
{
    (void) state;
    struct mock m;
    assert_int_equal(mock_open(&m, NULL), KILN_OK);
    json_t *args = mock_parse("{'q':[0,0.25,0.5,0.6,1]}");
    json_object_set_new(args, "x", mock_parse("[1,2,3,4,5]"));
    assert_int_equal(mock_run_json(&m, "quantile", args), KILN_OK);
    double *x = m.args[0].array.data; /* JSON has no infinities */
    x[0] = x[1] = -HUGE_VAL;
    x[3] = x[4] = HUGE_VAL;
    assert_int_equal(m.function->run(&m.call, m.args, m.results), KILN_OK);
    const double *got = mock_array(&m, "quantile");
    assert_true(got[0] == -HUGE_VAL && got[1] == -HUGE_VAL && got[2] == 3 && got[3] == HUGE_VAL &&
                got[4] == HUGE_VAL);
    mock_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_agree_with_numpy),
        cmocka_unit_test(every_choice_is_tested),
        cmocka_unit_test(edges),
        cmocka_unit_test(infinities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
