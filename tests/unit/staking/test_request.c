/* SPDX-License-Identifier: MPL-2.0 */
/* What requests come to mean: defaults, the two forms, the mode, refusals. */
#include "mock_host.h"

#include <math.h>

#include "calculate.h"
#include "market.h"

static struct mock host;

static double number(json_t *reply, const char *path)
{
    bool made;
    json_t *v = mock_at(reply, path, &made);
    assert_true(json_is_number(v));
    return json_number_value(v);
}

static json_t *ask(const char *request)
{
    int rc = mock_call(&host, request);
    if (rc != KILN_OK) {
        fail_msg("%s: %s %s", request, host.field, host.error);
    }
    return mock_reply(&host);
}

static void used(const char *request, const char *path, const char *want)
{
    json_t *reply = ask(request), *expected = json_loads(want, JSON_DECODE_ANY, NULL);
    char full[200];
    bool made;
    snprintf(full, sizeof full, "parameters_used.%s", path);
    mock_same(path, mock_at(reply, full, &made), expected, 1e-15);
    json_decref(reply);
    json_decref(expected);
}

static void same_answer(const char *one, const char *other)
{
    json_t *a = ask(one), *b = ask(other);
    json_object_del(b, "parameters_used");
    mock_same(one, a, b, 0);
    json_decref(a);
    json_decref(b);
}

static void refused(const char *request, const char *field, const char *words)
{
    assert_int_equal(mock_call(&host, request), KILN_INVALID);
    if (strcmp(host.field, field) != 0 || strstr(host.error, words) == NULL) {
        fail_msg("%s: %s: %s", request, host.field, host.error);
    }
}

#define ASSET(pct, days, yield, base)                                                                        \
    "{\"staking_pct\":" pct ",\"unbonding_period_days\":" days ",\"annual_yield\":" yield                    \
    ",\"baseline_staking_pct\":" base "}"

static void defaults(void **state)
{
    (void) state;
    used("{}", "staking.eth", ASSET("0.9", "10", "0.03", "0.7"));
    used("{}", "staking.sol", ASSET("0.9", "2", "0.073", "0.7"));
    /* A map that is there takes the general defaults for what it lacks: also for SOL. */
    used("{\"staking\":{\"eth\":{}}}", "staking.eth", ASSET("0.9", "10", "0.05", "0.7"));
    used("{\"staking\":{\"eth\":{}}}", "staking.sol", ASSET("0.9", "2", "0.073", "0.7"));
    used("{\"staking\":{\"sol\":{\"staking_pct\":0.61}}}", "staking.sol", ASSET("0.61", "10", "0.05", "0.7"));
    used("{\"staking\":{\"sol\":null}}", "staking.sol", ASSET("0.9", "2", "0.073", "0.7"));
    used("{\"staking\":{\"eth\":{\"unbonding_period_days\":12.0}}}", "staking.eth.unbonding_period_days",
         "12");
    used("{\"redemption\":{\"expected_redemptions_per_year\":7}}", "redemption.distribution",
         "[{\"probability\":0.667,\"size\":0.05},{\"probability\":0.167,\"size\":0.1},"
         "{\"probability\":0.111,\"size\":0.2},{\"probability\":0.055,\"size\":0.3}]");
    same_answer("{\"market\":{},\"fund_details\":{}}", "{}");
    same_answer("{\"market\":{\"benchmark_weights\":{},\"volatilities\":{},\"correlations\":{}}}", "{}");
    same_answer("{\"staking\":{},\"redemption\":{}}", "{}");
    same_answer("{\"yield_params\":{},\"staking\":{},\"redemption\":{}}", "{\"yield_params\":{}}");
    json_t *reply = ask("{\"market\":null,\"other\":null}");
    json_t *echo = json_object_get(reply, "parameters_used");
    assert_true(json_is_null(json_object_get(echo, "market")));
    assert_true(json_is_null(json_object_get(echo, "fund_details")));
    assert_null(json_object_get(echo, "mode"));
    assert_true(json_is_null(json_object_get(echo, "other")));
    json_decref(reply);
}

static void inert(void **state)
{
    (void) state;
    same_answer("{\"market\":{\"trading_days_per_year\":365},\"fund_details\":{\"nav\":2.385}}", "{}");
}

static void echo(void **state)
{
    (void) state;
    used("{\"market\":{\"volatilities\":{\"ada\":0.044},\"unknown\":1}}", "market",
         "{\"benchmark_weights\":{\"btc\":0.7869,\"eth\":0.1049,\"xrp\":0.0549,\"sol\":0.0387,\"ada\":0.0119,"
         "\"xlm\":0.0027},\"volatilities\":{\"btc\":0.039,\"eth\":0.048,\"xrp\":0.053,\"sol\":0.071,\"ada\":"
         "0.044,"
         "\"xlm\":0.051},\"correlations\":{\"btc_eth\":0.7,\"btc_excluded\":0.6,\"within_excluded\":0.6,"
         "\"eth_excluded\":0.6},\"trading_days_per_year\":252}");
    used("{\"mode\":\"exact\"}", "mode", "\"exact\"");
    used("{\"mode\":\"compatible\"}", "mode", "\"compatible\"");
    used("{\"a\":{\"b\":[1,2.5,-3],\"c\":[true,null,\"x\",{}],\"d\":\"\"}}", "a",
         "{\"b\":[1,2.5,-3],\"c\":[true,null,\"x\",{}],\"d\":\"\"}");
}

static void legacy(void **state)
{
    (void) state;
    const char *request =
        "{\"yield_params\":{\"annual_staking_yield\":0.041},\"staking\":{\"eth_staking_pct\":0.8,"
        "\"eth\":{\"staking_pct\":0.1}},\"redemption\":{\"redemption_counts\":[30,10],"
        "\"redemption_sizes\":[0.1,0.25,0.4]},\"market\":{\"volatilities\":{\"eth\":0.2}},"
        "\"fund_details\":{\"cap_td\":0.9},\"unknown\":1}";
    used(request, "staking.eth", ASSET("0.8", "10", "0.041", "0.7"));
    used(request, "staking.sol", ASSET("0.9", "2", "0.041", "0.7"));
    used(request, "redemption",
         "{\"expected_redemptions_per_year\":18,\"distribution\":[{\"probability\":0.75,\"size\":0.1},"
         "{\"probability\":0.25,\"size\":0.25}]}");
    json_t *reply = ask(request);
    json_t *echoed = json_object_get(reply, "parameters_used");
    assert_int_equal(json_object_size(echoed), 4);
    assert_true(json_is_null(json_object_get(echoed, "market")));
    assert_true(json_is_null(json_object_get(echoed, "fund_details")));
    json_decref(reply);
    same_answer(request,
                "{\"staking\":{\"eth\":{\"staking_pct\":0.8,\"annual_yield\":0.041},\"sol\":"
                "{\"unbonding_period_days\":2,\"annual_yield\":0.041}},\"redemption\":{\"distribution\":"
                "[{\"probability\":0.75,\"size\":0.1},{\"probability\":0.25,\"size\":0.25}]}}");
    /* A third count is in the sum although no size goes with it. */
    refused(
        "{\"yield_params\":{},\"redemption\":{\"redemption_counts\":[3,2,1],\"redemption_sizes\":[0.1,0.2]}}",
        "redemption.redemption_counts", "0.8333333333, expected 1 within 0.01");
    refused("{\"yield_params\":{},\"redemption\":{\"redemption_counts\":[0,0]}}",
            "redemption.redemption_counts", "sum to 0, expected at least one");
    /* Without yield_params its members mean nothing. */
    same_answer("{\"staking\":{\"eth_staking_pct\":0.2},\"redemption\":{\"redemption_counts\":[5]}}", "{}");
}

/* The point takes thousandths, the sensitivities what was given, mode exact p / sum p for both. */
static void probabilities(void **state)
{
    (void) state;
#define UNEVEN                                                                                               \
    "{\"redemption\":{\"distribution\":[{\"probability\":0.3335,\"size\":0.2},{\"probability\":0.6625,"      \
    "\"size\":0.3}]}"
    /* 333.5 and 662.5 go to the even neighbours 334 and 662. */
    const char *thousandths = "{\"redemption\":{\"distribution\":[{\"probability\":0.334,\"size\":0.2},"
                              "{\"probability\":0.662,\"size\":0.3}]}}";
    json_t *given = ask(UNEVEN "}"), *rounded = ask(thousandths);
    mock_same("point", json_object_get(given, "net_benefit"), json_object_get(rounded, "net_benefit"), 1e-14);
    json_t *line = json_object_get(given, "sensitivity_analysis");
    double grid =
        json_number_value(json_array_get(json_object_get(line, "tracking_error"), 6)); /* level 0.9 */
    double point = number(given, "decomposition.tracking_error");
    assert_true(fabs(grid / point - 1) > 1e-4);
    json_decref(given);
    json_decref(rounded);

    json_t *exact = ask(UNEVEN ",\"mode\":\"exact\"}");
    line = json_object_get(exact, "sensitivity_analysis");
    grid = json_number_value(json_array_get(json_object_get(line, "tracking_error"), 20));
    assert_float_equal(json_number_value(json_array_get(json_object_get(line, "staking_level"), 20)), 0.9,
                       1e-15);
    mock_near(grid, number(exact, "decomposition.tracking_error"), 1e-12);
    json_decref(exact);
}

static void no_probability_left(void **state)
{
    (void) state;
    json_t *p = json_array(), *r = json_array();
    for (int i = 0; i < 2500; i++) {
        json_array_append_new(p, json_real(0.0004));
        json_array_append_new(r, json_real(0.385));
    }
    json_t *request =
        json_pack("{s:{s:{s:o,s:o}}}", "redemption", "distribution", "probability", p, "size", r);
    assert_int_equal(mock_call_json(&host, request), KILN_INVALID);
    assert_string_equal(host.field, "redemption.distribution");
    assert_non_null(strstr(host.error, "all 2500 probabilities of redemption.distribution round to 0"));
    json_object_set_new(request, "mode", json_string("exact"));
    assert_int_equal(mock_call_json(&host, request), KILN_OK);
    json_decref(request);
}

static void exact_mode(void **state)
{
    (void) state;
    /* The longer period is SOL's: compatible counts the days that only SOL unbonds with the variance of ETH. */
#define SLOW_SOL                                                                                             \
    "\"staking\":{\"eth\":{\"staking_pct\":0.9,\"unbonding_period_days\":3},\"sol\":{\"staking_pct\":0.9,"   \
    "\"unbonding_period_days\":21}}}"
    json_t *compatible = ask("{" SLOW_SOL), *exact = ask("{\"mode\":\"exact\"," SLOW_SOL);
    static const struct exposure k = {
        {{1.0782241403287176e-05, 8.045651389548315e-07}, {8.045651389548315e-07, 3.8044717591319774e-06}}};
    double second = 0; /* sum p x^2 at 0.9 */
    static const double p[] = {0.111, 0.055}, x[] = {0.1, 0.2};
    for (size_t j = 0; j < 2; j++) {
        second += p[j] * x[j] * x[j];
    }
    double both = 3 * (k.k[0][0] + 2 * k.k[0][1] + k.k[1][1]);
    mock_near(number(compatible, "decomposition.tracking_error"), sqrt(18 * second * (both + 18 * k.k[0][0])),
              1e-12);
    mock_near(number(exact, "decomposition.tracking_error"), sqrt(18 * second * (both + 18 * k.k[1][1])),
              1e-12);
    mock_near(number(exact, "decomposition.te_sol_only"), sqrt(18 * second * 21 * k.k[1][1]), 1e-12);
    json_decref(compatible);
    json_decref(exact);

    /* ETH the longer one, probabilities whole and summing to 1: the modes agree at the point. */
    json_t *a = ask("{\"mode\":\"exact\"}"), *b = ask("{}");
    mock_same("exact", json_object_get(a, "decomposition"), json_object_get(b, "decomposition"), 1e-12);
    json_decref(a);
    json_decref(b);

    /* A weight short of 1 passes by default when xlm is not given. */
    mock_call(&host, "{\"market\":{\"benchmark_weights\":{\"btc\":0.5}}}");
    assert_string_equal(host.error, "");
    refused("{\"mode\":\"exact\",\"market\":{\"benchmark_weights\":{\"btc\":0.5}}}",
            "market.benchmark_weights", "0.7131, expected 1");
    refused("{\"market\":{\"benchmark_weights\":{\"btc\":0.5,\"xlm\":0.0027}}}", "market.benchmark_weights",
            "0.7131, expected 1");
}

static void refusals(void **state)
{
    (void) state;
    refused("{\"redemption\":{\"distribution\":[{\"probability\":0.98,\"size\":0.1}]}}",
            "redemption.distribution", "0.98, expected 1 within 0.01");
    refused("{\"market\":{\"volatilities\":{\"sol\":0}}}", "market.volatilities.sol",
            "0, expected more than 0");
    refused("{\"redemption\":{\"expected_redemptions_per_year\":1e308}}",
            "redemption.expected_redemptions_per_year", "1e+308");
    /* Large, and still a number. */
    json_t *reply = ask("{\"redemption\":{\"expected_redemptions_per_year\":1e290}}");
    assert_true(number(reply, "decomposition.tracking_error") > 1e140);
    json_decref(reply);
    reply = ask("{\"redemption\":{\"expected_redemptions_per_year\":0}}");
    assert_true(number(reply, "decomposition.tracking_error") == 0);
    json_decref(reply);
}

static int set_up(void **state)
{
    (void) state;
    mock_init(&host, &calculate_function);
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    mock_done(&host);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),   cmocka_unit_test(inert),         cmocka_unit_test(echo),
        cmocka_unit_test(legacy),     cmocka_unit_test(probabilities), cmocka_unit_test(no_probability_left),
        cmocka_unit_test(exact_mode), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
