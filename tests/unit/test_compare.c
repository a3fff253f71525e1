/* SPDX-License-Identifier: MPL-2.0 */
/* compare: what is right, strictly and as examples are judged, and the sentence that says what is not. */
#include "pack.h"

#include "daemon/compare.h"

static char said[600];

static int compare_bufs(const struct compare *how, const struct buf *want, const struct buf *got)
{
    struct err err = {0};
    int status = compare_results(how, want->data, want->bytes, got->data, got->bytes, &err);
    snprintf(said, sizeof said, "%s", err.text);
    return status;
}

static int with(const struct compare *how, const char *expected, const char *actual)
{
    struct buf want = pack(expected), got = pack(actual);
    int status = compare_bufs(how, &want, &got);
    buf_done(&want);
    buf_done(&got);
    return status;
}

static const struct compare loose = {.rtol = 1e-3}, strict = {.rtol = 1e-3, .strict = true};

static void what_is_alike(void **state)
{
    (void) state;
    static const char *const rows[][2] = {
        {"{}", "{}"},
        {"{\"a\":1,\"b\":2.5}", "{\"b\":2.5001,\"a\":1}"},
        {"{\"a\":null}", "{\"a\":null}"},
        {"{\"a\":[1.0,2.0,null],\"b\":{\"c\":\"x\"}}", "{\"a\":[1.0005,2.0,null],\"b\":{\"c\":\"x\"}}"},
        {"{\"a\":true,\"b\":[]}", "{\"a\":true,\"b\":[]}"},
        {"{\"a\":9007199254740993}", "{\"a\":9007199254740993}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(with(&strict, rows[i][0], rows[i][1]), 0);
        assert_int_equal(with(&loose, rows[i][0], rows[i][1]), 0);
    }
    assert_int_equal(with(&loose, "{\"a\":1}", "{\"a\":1,\"more\":2}"), 0); /* examples name what they mean */
    assert_int_equal(with(&loose, "{\"a\":10000}", "{\"a\":10001}"), 0);
}

static void what_is_not(void **state)
{
    (void) state;
    static const struct {
        const char *want, *got, *words;
    } rows[] = {
        {"{\"a\":1}", "{\"a\":1,\"more\":2}", "more is in the result, expected no such member"},
        {"{\"s\":{\"a\":1}}", "{\"s\":{\"a\":1,\"b\":{}}}", "s.b is in the result"},
        {"{\"a\":10000}", "{\"a\":10001}", "a is 10001, expected 10000"},
        {"{\"a\":9007199254740993}", "{\"a\":9007199254740992}", "a is 9007199254740992"},
        {"{\"a\":[1.0,2.0]}", "{\"a\":[1.0,2.01]}", "a[1] is 2.01, expected 2"},
        {"{\"a\":[1.0,2.0]}", "{\"a\":[1.0]}", "a is a list of 1"},
        {"{\"a\":null}", "{\"a\":0}", "a is 0"},
        {"{\"a\":0}", "{\"a\":null}", "a is"},
        {"{\"a\":\"x\"}", "{\"a\":\"y\"}", "a is \"y\", expected \"x\""},
        {"{\"a\":\"x\"}", "{\"a\":1}", "a is 1"},
        {"{\"a\":1,\"b\":2}", "{\"a\":1}", "b is not in the result"},
        {"{\"a\":{}}", "{\"a\":[]}", "a is a list of 0"},
        {"{\"a\":true}", "{\"a\":1}", "a is 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_not_equal(with(&strict, rows[i].want, rows[i].got), 0);
        if (!strstr(said, rows[i].words)) {
            fail_msg("\"%s\" is not in \"%s\"", rows[i].words, said);
        }
    }
}

static struct buf packed(const char *type, const void *data, size_t bytes, size_t count, int order)
{
    struct buf b = {0};
    buf_put_map(&b, 1);
    buf_put_text(&b, "y");
    buf_put_map(&b, 4);
    for (int i = 0; i < 4; i++) {
        switch ((i + order) % 4) {
        case 0:
            buf_put_text(&b, "nd");
            buf_put_bool(&b, true);
            break;
        case 1:
            buf_put_text(&b, "type");
            buf_put_text(&b, type);
            break;
        case 2:
            buf_put_text(&b, "shape");
            buf_put_list(&b, 1);
            buf_put_u64(&b, count);
            break;
        default:
            buf_put_text(&b, "data");
            buf_put_bin(&b, data, bytes);
        }
    }
    return b;
}

static void packed_arrays(void **state)
{
    (void) state;
    const double a[] = {1, 2.385, 3, __builtin_nan("")}, near[] = {1, 2.386, 3, __builtin_nan("1")},
                 far[] = {1, 2.385, 3.1, __builtin_nan("")};
    const float f[] = {1.0F, 2.385F}, g[] = {1.0F, 2.4F};
    const int64_t i[] = {100000, 2}, k[] = {100001, 2};
    struct buf want = packed("<f8", a, sizeof a, 4, 0), got = packed("<f8", near, sizeof near, 4, 2);
    assert_int_equal(compare_bufs(&strict, &want, &got), 0);
    buf_done(&got);
    got = packed("<f8", far, sizeof far, 4, 1);
    assert_int_not_equal(compare_bufs(&strict, &want, &got), 0);
    assert_non_null(strstr(said, "[2] is 3.1, expected 3"));
    buf_done(&got);
    got = packed("<f8", far, sizeof far - 8, 3, 0); /* shorter */
    assert_int_not_equal(compare_bufs(&strict, &want, &got), 0);
    buf_done(&got);
    got = packed("<f8", a, sizeof a, 2, 0); /* of another shape */
    assert_int_not_equal(compare_bufs(&strict, &want, &got), 0);
    assert_non_null(strstr(said, "shape"));
    buf_done(&want);
    buf_done(&got);
    want = packed("<f4", f, sizeof f, 2, 0);
    got = packed("<f4", g, sizeof g, 2, 0);
    assert_int_not_equal(compare_bufs(&strict, &want, &got), 0);
    assert_int_equal(compare_bufs(&(struct compare){.rtol = 0.1, .strict = true}, &want, &got), 0);
    buf_done(&want);
    buf_done(&got);
    want = packed("<i8", i, sizeof i, 2, 0);
    got = packed("<i8", k, sizeof k, 2, 0);
    assert_int_not_equal(compare_bufs(&strict, &want, &got), 0);
    buf_done(&want);
    buf_done(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_alike),
        cmocka_unit_test(what_is_not),
        cmocka_unit_test(packed_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
