/* SPDX-License-Identifier: MPL-2.0 */
/* What each function answers and refuses beyond its worked examples. */
#include "mock_host.h"

static struct mock m;

static int setup(void **state)
{
    (void) state;
    return mock_open(&m, NULL);
}

static int teardown(void **state)
{
    (void) state;
    mock_close(&m);
    return 0;
}

static double number(const char *function, const char *args, const char *result)
{
    if (mock_run(&m, function, args) != KILN_OK) {
        fail_msg("%s %s: %s", function, args, m.error);
    }
    return mock_number(&m, result);
}

static void spread(void **state)
{
    (void) state;
    mock_close_to(number("var", "{'x':[2.385,3.75,-1.5,8.125],'ddof':1}", "var"), 15.77065, 1e-14);
    mock_close_to(number("std", "{'x':[2.385,3.75,-1.5,8.125]}", "std"), 3.4391841329012904, 1e-14);
    assert_true(number("std", "{'x':[2.385]}", "std") == 0);
    assert_true(isnan(number("std", "{'x':[2.385,null]}", "std")));
    assert_true(number("std", "{'x':[2.385,null],'nan_policy':'omit'}", "std") == 0);
    mock_close_to(number("std", "{'x':[3e200,-3e200]}", "std"), 3e200, 1e-15);
    mock_refused(&m, mock_run(&m, "std", "{'x':[1,2,3],'ddof':3}"), "ddof",
                 "ddof is 3, expected less than the 3 values");
    mock_refused(&m, mock_run(&m, "var", "{'x':[1,null],'ddof':1,'nan_policy':'omit'}"), "ddof",
                 "less than the 1 values of x that are not NaN");
    mock_refused(&m, mock_run(&m, "var", "{'x':[1,null],'nan_policy':'raise'}"), "x",
                 "element 1 of x is NaN");
}

static void described(void **state)
{
    (void) state;
    /* in 40 digits, rounded */
    const char *args = "{'x':[2.385,3.75,-1.5,8.125,0.5,3.75,11.25]}";
    mock_close_to(number("describe", args, "skewness"), 0.4839197919057625, 1e-14);
    mock_close_to(mock_number(&m, "kurtosis"), -0.8277243457192318, 1e-14);
    mock_close_to(mock_number(&m, "q25"), 1.4425, 1e-15);
    mock_close_to(mock_number(&m, "median"), 3.75, 0);
    mock_close_to(mock_number(&m, "q75"), 5.9375, 1e-15);
    mock_close_to(mock_number(&m, "min"), -1.5, 0);
    mock_close_to(mock_number(&m, "max"), 11.25, 0);
    mock_close_to(mock_number(&m, "sum"), 28.26, 1e-15);
    assert_int_equal(mock_result(&m, "nobs")->i64, 7);
    assert_int_equal(mock_run(&m, "describe", "{'x':[1,null,2]}"), KILN_OK);
    assert_int_equal(mock_result(&m, "nobs")->i64, 3);
    assert_true(isnan(mock_number(&m, "mean")) && isnan(mock_number(&m, "min")) &&
                isnan(mock_number(&m, "median")));
    assert_int_equal(mock_run(&m, "describe", "{'x':[1,null,2],'nan_policy':'omit'}"), KILN_OK);
    assert_int_equal(mock_result(&m, "nobs")->i64, 2);
    mock_close_to(mock_number(&m, "median"), 1.5, 0);
    mock_close_to(mock_number(&m, "kurtosis"), -2, 1e-15);
    assert_int_equal(mock_run(&m, "describe", "{'x':[1,2],'bias':false}"), KILN_OK);
    assert_false(mock_result(&m, "skewness")->present || mock_result(&m, "kurtosis")->present);
    assert_int_equal(mock_run(&m, "describe", "{'x':[1,2,4],'bias':false}"), KILN_OK);
    assert_true(mock_result(&m, "skewness")->present && !mock_result(&m, "kurtosis")->present);
    mock_close_to(number("describe", "{'x':[1e-120,2e-120,4e-120]}", "skewness"), 0.3818017741606063, 1e-13);
    mock_refused(&m, mock_run(&m, "describe", "{'x':[1],'ddof':1}"), "ddof", "ddof is 1");
}

/* Extremes and quartiles stay what they are when the sum of infinities is NaN. */
static void described_infinities(void **state)
{
    (void) state;
    assert_int_equal(mock_run(&m, "describe", "{'x':[1,2,3,4]}"), KILN_OK);
    double *x = m.args[0].array.data; /* JSON has no infinities */
    x[0] = -HUGE_VAL;
    x[3] = HUGE_VAL;
    assert_int_equal(m.function->run(&m.call, m.args, m.results), KILN_OK);
    assert_true(isnan(mock_number(&m, "mean")) && isnan(mock_number(&m, "std")));
    assert_true(mock_number(&m, "min") == -HUGE_VAL && mock_number(&m, "max") == HUGE_VAL);
    assert_true(mock_number(&m, "median") == 2.5);
}

static void correlated(void **state)
{
    (void) state;
    assert_true(number("correlation", "{'x':[1,2,3.5],'y':[1,2,3.5]}", "r") == 1);
    assert_true(number("correlation", "{'x':[0.1,0.2,0.7],'y':[-0.3,-0.6,-2.1]}", "r") >= -1);
    mock_close_to(mock_number(&m, "r"), -1, 1e-15);
    mock_close_to(
        number("correlation", "{'x':[1e300,2e300,3e300,4e300],'y':[1e-300,3e-300,2e-300,5e-300]}", "r"),
        0.8315218406202999, 1e-14);
    mock_close_to(
        number("correlation", "{'x':[1,9,2,3,null,4],'y':[1,null,3,2,7,5],'nan_policy':'omit'}", "r"),
        0.8315218406202999, 1e-14);
    assert_true(isnan(number("correlation", "{'x':[1,2,null],'y':[1,2,3]}", "r")));
    assert_int_equal(mock_run(&m, "correlation", "{'x':[1,2,3],'y':[0.1,0.1,0.1]}"), KILN_OK);
    assert_false(mock_result(&m, "r")->present || mock_result(&m, "matrix")->present);
    mock_refused(&m, mock_run(&m, "correlation", "{'x':[1,2],'y':[null,2],'nan_policy':'raise'}"), "y",
                 "element 0 of y is NaN");
    mock_refused(&m, mock_run(&m, "correlation", "{'x':[1,null],'y':[null,2],'nan_policy':'omit'}"), "x",
                 "all 2 pairs have a NaN");
    mock_refused(&m, mock_run(&m, "correlation", "{}"), "x", "x is missing, expected x and y, or data");
    mock_refused(&m, mock_run(&m, "covariance", "{'y':[1,2]}"), "x",
                 "x is missing, expected as many values as y has");
    mock_refused(&m, mock_run(&m, "correlation", "{'data':[[1,2],[2,1]],'y':[1,2]}"), "data",
                 "data is given beside y, expected either data or x and y");
}

static void matrices(void **state)
{
    (void) state;
    assert_int_equal(mock_run(&m, "correlation", "{'data':[[1,2,3,4],[7,7,7,7],[1,3,2,5],[1,2,null,4]]}"),
                     KILN_OK);
    assert_false(mock_result(&m, "r")->present);
    const double *r = mock_array(&m, "matrix");
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            const double want = i == 1 || j == 1 || i == 3 || j == 3 ? (double) NAN
                                : i == j                             ? 1
                                                                     : 0.8315218406202999;
            mock_close_to(r[4 * i + j], want, i == j ? 0 : 1e-14);
        }
    }
    assert_int_equal(mock_run(&m, "correlation", "{'data':[[1,2,9,3,4],[1,3,null,2,5]],'nan_policy':'omit'}"),
                     KILN_OK);
    mock_close_to(mock_array(&m, "matrix")[1], 0.8315218406202999, 1e-14);
    mock_close_to(mock_array(&m, "matrix")[2], 0.8315218406202999, 1e-14);
    assert_int_equal(
        mock_run(&m, "correlation", "{'data':[[1e300,2e300,3e300,4e300],[1e-300,3e-300,2e-300,5e-300]]}"),
        KILN_OK);
    mock_close_to(mock_array(&m, "matrix")[1], 0.8315218406202999, 1e-14);
    mock_refused(&m, mock_run(&m, "covariance", "{'data':[[1,2,3],[1,null,3]],'nan_policy':'raise'}"), "data",
                 "element [1,1] of data is NaN");
    mock_refused(&m, mock_run(&m, "covariance", "{'data':[[1,null],[null,3]],'nan_policy':'omit'}"), "data",
                 "all 2 observations have a NaN");
    mock_refused(&m, mock_run(&m, "covariance", "{'data':[[1,null],[2,3]],'nan_policy':'omit'}"), "ddof",
                 "less than the 1 observations of data without NaN");
    mock_refused(&m, mock_run(&m, "covariance", "{'x':[1],'y':[2]}"), "ddof", "ddof is 1");
}

/* The matrix, through BLAS, says what the vectors say, each two for themselves. */
static void matrix_agrees_with_vectors(void **state)
{
    (void) state;
    enum { ROWS = 9, COLUMNS = 1700 };
    double data[ROWS * COLUMNS];
    mock_noise(data, ROWS * COLUMNS, 5);
    json_t *list = json_array(), *rows[ROWS];
    for (int i = 0; i < ROWS; i++) {
        rows[i] = json_array();
        for (int k = 0; k < COLUMNS; k++) {
            const double v = 1e7 * i + data[i * COLUMNS + k] + 0.5 * data[k];
            json_array_append_new(rows[i], json_real(v));
        }
        json_array_append_new(list, rows[i]);
    }
    static const char *const functions[] = {"correlation", "covariance"};
    for (int f = 0; f < 2; f++) {
        double matrix[ROWS * ROWS];
        assert_int_equal(mock_run_json(&m, functions[f], json_pack("{s:O}", "data", list)), KILN_OK);
        memcpy(matrix, mock_array(&m, "matrix"), sizeof matrix);
        for (int i = 0; i < ROWS; i++) {
            for (int j = 0; j < ROWS; j++) {
                int status =
                    mock_run_json(&m, functions[f], json_pack("{s:O,s:O}", "x", rows[i], "y", rows[j]));
                assert_int_equal(status, KILN_OK);
                const double want = mock_number(&m, f ? "cov" : "r");
                if (!(fabs(matrix[i * ROWS + j] - want) <= 1e-14)) {
                    fail_msg("%s of %d and %d: %.17g, as vectors %.17g", functions[f], i, j,
                             matrix[i * ROWS + j], want);
                }
                assert_true(matrix[i * ROWS + j] == matrix[j * ROWS + i]);
            }
        }
    }
    json_decref(list);
}

static void scores(void **state)
{
    (void) state;
    assert_int_equal(mock_run(&m, "zscore", "{'x':[1,2,3],'ddof':1}"), KILN_OK);
    const double *z = mock_array(&m, "zscore");
    assert_true(z[0] == -1 && z[1] == 0 && z[2] == 1);
    assert_int_equal(mock_run(&m, "zscore", "{'x':[1.2e308,-1.2e308,0]}"), KILN_OK);
    z = mock_array(&m, "zscore");
    mock_close_to(z[0], 1.224744871391589, 1e-15);
    mock_close_to(z[1], -1.224744871391589, 1e-15);
    assert_int_equal(mock_run(&m, "zscore", "{'x':[1,null,3]}"), KILN_OK);
    z = mock_array(&m, "zscore");
    assert_true(isnan(z[0]) && isnan(z[1]) && isnan(z[2]));
    assert_int_equal(mock_run(&m, "zscore", "{'x':[5,null],'nan_policy':'omit','zero_std':'zeros'}"),
                     KILN_OK);
    z = mock_array(&m, "zscore");
    assert_true(z[0] == 0 && isnan(z[1]));
    mock_refused(&m, mock_run(&m, "zscore", "{'x':[0.1,0.1,0.1]}"), "x",
                 "all 3 values of x are 0.1, expected some spread");
    mock_refused(&m, mock_run(&m, "zscore", "{'x':[1,2],'ddof':2}"), "ddof", "ddof is 2");
}

/* Each sum is rounded before the next value is added: 1e16 + 1 + 1 stays 1e16. */
static void sums_in_order(void **state)
{
    (void) state;
    assert_int_equal(mock_run(&m, "cumsum", "{'x':[1e16,1,1,-1e16,0.1,0.2]}"), KILN_OK);
    const double want[] = {1e16, 1e16, 1e16, 0, 0.1, 0.1 + 0.2};
    assert_memory_equal(mock_array(&m, "cumsum"), want, sizeof want);
    assert_int_equal(mock_run(&m, "cumsum", "{'x':[],'nan_policy':'raise'}"), KILN_OK);
    assert_int_equal(mock_result(&m, "cumsum")->array.count, 0);
    assert_int_equal(mock_run(&m, "cumsum", "{'x':[null,2.385],'nan_policy':'omit'}"), KILN_OK);
    assert_true(mock_array(&m, "cumsum")[0] == 0 && mock_array(&m, "cumsum")[1] == 2.385);
}

static void densities(void **state)
{
    (void) state;
    /* exact values, rounded to a double */
    assert_int_equal(mock_run(&m, "normal_pdf", "{'x':[0,1.5,-8,30],'nan_policy':'raise'}"), KILN_OK);
    const double *p = mock_array(&m, "pdf");
    mock_close_to(p[0], 0.3989422804014327, 2.3e-16);
    mock_close_to(p[1], 0.12951759566589172, 4.5e-16);
    mock_close_to(p[2], 5.052271083536892e-15, 4.5e-16);
    mock_close_to(p[3], 1.4736461348785476e-196, 4.5e-16);
    mock_close_to((assert_int_equal(mock_run(&m, "normal_pdf", "{'x':[7e-200],'sigma':1e-200}"), 0),
                   mock_array(&m, "pdf")[0]),
                  9.134720408364556e188, 1e-15);
    mock_refused(&m, mock_run(&m, "normal_pdf", "{'x':[0,null],'nan_policy':'raise'}"), "x",
                 "element 1 of x is NaN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spread),
        cmocka_unit_test(described),
        cmocka_unit_test(described_infinities),
        cmocka_unit_test(correlated),
        cmocka_unit_test(matrices),
        cmocka_unit_test(matrix_agrees_with_vectors),
        cmocka_unit_test(scores),
        cmocka_unit_test(sums_in_order),
        cmocka_unit_test(densities),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
