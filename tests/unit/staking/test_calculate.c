/* SPDX-License-Identifier: MPL-2.0 */
/* The published cases, and the plugin's own examples, through the whole function. */
#include "mock_host.h"

#include "calculate.h"

#define CASES "tests/data/staking-cases.json"

static struct mock host;

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

static void published_cases(void **state)
{
    (void) state;
    json_error_t error;
    json_t *file = json_load_file(CASES, 0, &error);
    if (file == NULL) {
        fail_msg(CASES ": %s (tests run in the root of the tree)", error.text);
    }
    json_t *cases = json_object_get(file, "cases");
    assert_int_equal(json_array_size(cases), 6);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        json_t *one = json_array_get(cases, i);
        const char *name = json_string_value(json_object_get(one, "name"));
        json_t *request = json_object_get(one, "request");
        json_object_set_new(request, "form", json_string("rows"));
        assert_int_equal(mock_call_json(&host, request), KILN_OK);
        json_t *reply = mock_reply(&host);
        json_t *expected = json_object_get(one, "expected");

        json_t *line = json_object_get(reply, "sensitivity_analysis");
        json_t *ends = json_object_get(expected, "sensitivity_analysis_first_last");
        mock_same(name, json_array_get(line, 0), json_array_get(ends, 0), 1e-9);
        mock_same(name, json_array_get(line, json_array_size(line) - 1), json_array_get(ends, 1), 1e-9);
        json_t *plane = json_object_get(reply, "sensitivity_analysis_2d");
        assert_int_equal(json_array_size(plane), 961);
        const char *index;
        json_t *point;
        json_object_foreach(json_object_get(expected, "grid_points"), index, point)
        {
            mock_same(name, json_array_get(plane, (size_t) atoi(index)), point, 1e-9);
        }
        json_object_del(expected, "sensitivity_analysis_first_last");
        json_object_del(expected, "grid_points");
        assert_int_equal(json_object_size(expected), 4);
        mock_same(name, reply, expected, 1e-9);
        json_decref(reply);
    }
    json_decref(file);
}

/* Names and their order are what clients of the published service read. */
static void order_of_results(void **state)
{
    (void) state;
    static const char *const top[] = {
        "decomposition",         "net_benefit",
        "optimal_staking_level", "optimal_staking_levels",
        "sensitivity_analysis",  "sensitivity_analysis_2d",
        "parameters_used",       "ignored",
    };
    static const char *const used[] = {"staking", "redemption", "market", "fund_details", "desk"};
    assert_int_equal(mock_call(&host, "{\"desk\":2.385}"), KILN_OK);
    json_t *reply = mock_reply(&host);
    const char *key;
    json_t *item;
    size_t i = 0;
    json_object_foreach(reply, key, item)
    {
        assert_true(i < KILN_COUNT(top));
        assert_string_equal(key, top[i++]);
    }
    assert_int_equal(i, KILN_COUNT(top));
    i = 0;
    json_object_foreach(json_object_get(reply, "parameters_used"), key, item)
    {
        assert_true(i < KILN_COUNT(used));
        assert_string_equal(key, used[i++]);
    }
    assert_int_equal(i, KILN_COUNT(used));
    json_decref(reply);
}

/* Whatever runs out, the call says so and nothing is read or written beyond its end. */
static void memory_spent(void **state)
{
    (void) state;
    static const char *const requests[] = {
        "{\"x\":{\"list\":[null,\"text\",[1,2.5]]},\"market\":{},\"fund_details\":{}}",
        "{\"market\":{},\"fund_details\":{},\"mode\":\"exact\"}",
        "{\"yield_params\":{}}",
    };
    for (size_t r = 0; r < KILN_COUNT(requests); r++) {
        assert_int_equal(mock_call(&host, requests[r]), KILN_OK);
        long needed = host.allocations;
        assert_true(needed > 10);
        for (long at = 1; at <= needed; at++) {
            host.fail_at = at;
            assert_int_equal(mock_call(&host, requests[r]), KILN_RESOURCE);
        }
        host.fail_at = 0;
    }
}

static void cancelled(void **state)
{
    (void) state;
    size_t n = 70000;
    json_t *p = json_array(), *r = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(p, json_real(1.0 / (double) n));
        json_array_append_new(r, json_real((double) i / (double) n));
    }
    json_t *request = json_pack("{s:{s:{s:o,s:o}},s:s}", "redemption", "distribution", "probability", p,
                                "size", r, "mode", "exact");
    assert_int_equal(mock_call_json(&host, request), KILN_OK);
    host.cancel = 1;
    assert_int_equal(mock_call_json(&host, request), KILN_CANCELLED);
    json_decref(request);
    assert_int_equal(mock_call(&host, "{}"), KILN_OK); /* short work does not ask */
    host.cancel = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_cases),
        cmocka_unit_test(order_of_results),
        cmocka_unit_test(memory_spent),
        cmocka_unit_test(cancelled),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
