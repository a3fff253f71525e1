/* SPDX-License-Identifier: MPL-2.0 */
/* What the core of the plugin is built on: tensors, memory, names, texts; and models without a file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "builtin.h"
#include "names.h"
#include "plan.h"
#include "text.h"

/* ---- tensors */

static void sizes_of_tensors(void **state)
{
    (void) state;
    struct tensor t;
    assert_true(tensor_set(&t, DT_F32, 3, (const int64_t[]){2, 3, 4}));
    assert_int_equal(t.count, 24);
    assert_int_equal(tensor_bytes(&t), 96);
    assert_int_equal(tensor_rows(&t, 1), 2);
    assert_int_equal(tensor_inner(&t, 1), 12);
    assert_true(tensor_set(&t, DT_F64, 0, NULL));
    assert_int_equal(t.count, 1);
    assert_true(tensor_set(&t, DT_I8, 2, (const int64_t[]){0, 5}));
    assert_int_equal(tensor_bytes(&t), 0);
    const struct tensor before = t;
    assert_false(tensor_set(&t, DT_I8, 1, (const int64_t[]){-1}));
    assert_false(tensor_set(&t, DT_F32, 2, (const int64_t[]){INT64_MAX, 2}));
    assert_false(tensor_set(&t, DT_F32, 3, (const int64_t[]){INT64_MAX / 8, 2, 0}));
    assert_false(tensor_set(&t, DT_NONE, 0, NULL));
    assert_false(tensor_set(&t, (enum dtype) 14, 0, NULL));
    assert_false(tensor_set(&t, (enum dtype) - 3, 0, NULL));
    assert_false(tensor_set(&t, DT_F32, TENSOR_RANK + 1, (const int64_t[9]){0}));
    assert_memory_equal(&before, &t, sizeof t);
}

static void texts_of_tensors(void **state)
{
    (void) state;
    struct tensor t = {.dtype = DT_F32, .rank = 2, .dims = {-1, 3}};
    char text[40];
    assert_string_equal(tensor_text(&t, text, sizeof text), "float32[?,3]");
    for (size_t n = 1; n < 14; n++) {
        memset(text, 'x', sizeof text);
        assert_int_equal(strlen(tensor_text(&t, text, n)), n < 13 ? n - 1 : 12);
        assert_int_equal(text[n], 'x');
    }
    t.rank = -1;
    assert_string_equal(tensor_text(&t, text, sizeof text), "float32[]");
}

/* Every half there is becomes a float and itself again; between two halves the nearest even one is taken. */
static void halves(void **state)
{
    (void) state;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        const float value = f16_to_f32((uint16_t) bits);
        const uint16_t back = f16_from_f32(value);
        if (isnan(value)) {
            assert_true((back & 0x7c00) == 0x7c00 && (back & 0x3ff));
            continue;
        }
        assert_int_equal(back, bits);
        const uint32_t next = bits + 1;
        if ((next & 0x7fff) < 0x7c00) {
            const float above = f16_to_f32((uint16_t) next), half = (value + above) / 2;
            assert_int_equal(f16_from_f32(half), bits & 1 ? next : bits);
            assert_int_equal(f16_from_f32(nextafterf(half, value)), bits);
            assert_int_equal(f16_from_f32(nextafterf(half, above)), next);
        }
    }
    assert_true(f16_to_f32(0x3c00) == 1.0f && f16_to_f32(0xc000) == -2.0f && f16_to_f32(1) == 0x1p-24f);
    assert_true(f16_from_f32(65519.0f) == 0x7bff && f16_from_f32(65520.0f) == 0x7c00 &&
                f16_from_f32(-1e30f) == 0xfc00);
    assert_true(f16_from_f32(1e-30f) == 0 && f16_from_f32(-1e-30f) == 0x8000);
}

static void elements(void **state)
{
    (void) state;
    struct tensor t = {.dtype = DT_I8, .rank = 1, .dims = {2}, .count = 2, .data = (int8_t[]){-128, 127}};
    assert_int_equal(tensor_int(&t, 0), -128);
    t.dtype = DT_U8;
    assert_true(tensor_number(&t, 0) == 128);
    t = (struct tensor){.dtype = DT_U64, .rank = 0, .count = 1, .data = (uint64_t[]){UINT64_MAX}};
    assert_true(tensor_number(&t, 0) == 0x1p64);
    t = (struct tensor){.dtype = DT_BF16, .rank = 0, .count = 1, .data = (uint16_t[]){0xc040}};
    assert_true(tensor_number(&t, 0) == -3);
}

/* ---- memory */

static void budgets(void **state)
{
    (void) state;
    struct budget whole = {.limit = 1000}, part = {.limit = 600, .parent = &whole};
    assert_true(budget_take(&part, 500));
    assert_false(budget_take(&part, 200)); /* its own */
    assert_true(budget_take(&whole, 450));
    assert_false(budget_take(&part, 100)); /* the larger one's */
    assert_false(budget_take(&whole, SIZE_MAX));
    assert_int_equal(part.used, 500);
    assert_int_equal(whole.used, 950);
    budget_give(&part, 500);
    assert_int_equal(whole.used, 450);
}

static int asked;

static bool give_way(void *arg, size_t bytes)
{
    assert_int_equal(bytes, 80);
    budget_give(arg, 30);
    return ++asked <= 3;
}

static void room_is_made(void **state)
{
    (void) state;
    struct budget b = {.limit = 100, .used = 90, .make_room = give_way, .arg = &b};
    asked = 0;
    assert_true(budget_take(&b, 80));
    assert_int_equal(asked, 3);
    assert_int_equal(b.used, 80);
}

static void pools(void **state)
{
    (void) state;
    struct budget b = {.limit = 300000};
    struct pool p;
    pool_init(&p, &b);
    for (size_t n = 0; n < 3000; n += 37) {
        unsigned char *block = n % 2 ? pool_alloc(&p, n) : pool_small(&p, n);
        assert_non_null(block);
        assert_int_equal((uintptr_t) block % (n % 2 ? 64 : 16), 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(block[i], 0);
        }
        memset(block, 0xff, n);
    }
    assert_string_equal(pool_string(&p, "abcdef", 3), "abc");
    assert_null(pool_alloc(&p, 300000));
    assert_null(pool_alloc(&p, SIZE_MAX - 10));
    assert_null(pool_array(&p, SIZE_MAX / 4, 8));
    assert_true(b.used == p.bytes && b.used > 0);
    pool_done(&p);
    assert_int_equal(b.used, 0);
}

/* What a pool had becomes another's room: zeroed where that is asked for, and charged to the other's budget. */
static void pools_take_over(void **state)
{
    (void) state;
    struct budget b = {.limit = 100000};
    struct pool to, from;
    pool_init(&to, &b);
    pool_init(&from, &b);
    char *small = pool_small(&to, 10);
    memset(pool_raw(&from, 1, 300), 0xff, 300);
    memset(pool_raw(&from, 1, 40000), 0xff, 40000);
    memset(pool_raw(&from, 1, 5000), 0xff, 5000);
    const size_t used = b.used;
    pool_reuse(&to, &from);
    assert_true(from.bytes == 0 && !from.chunks && b.used == to.bytes && b.used < used);
    const size_t before = b.used;
    assert_non_null(pool_small(&to, 500)); /* small ones do not break it up */
    unsigned char *big = pool_alloc(&to, 39900);
    assert_non_null(big);
    for (size_t i = 0; i < 39900; i++) {
        assert_int_equal(big[i], 0);
    }
    memset(small, 1, 10);
    assert_true(b.used == before || before < 39900); /* under AddressSanitizer nothing is reused */
    pool_reuse(&to, &from);                          /* nothing */
    assert_int_equal(b.used, to.bytes);
    pool_done(&to);
    assert_int_equal(b.used, 0);
}

static void the_workspace_keeps_what_is_in_it(void **state)
{
    (void) state;
    struct budget b = {.limit = 10000};
    struct workspace w;
    workspace_init(&w, &b);
    assert_true(workspace_reserve(&w, 100));
    memset(w.base, 7, 100);
    assert_true(workspace_reserve(&w, 5000) && w.base[99] == 7);
    assert_false(workspace_reserve(&w, 20000));
    assert_true(w.bytes == 8192 && b.used == 8192); /* whole pages */
    workspace_done(&w);
    assert_int_equal(b.used, 0);
}

static void names_are_found(void **state)
{
    (void) state;
    struct budget b = {.limit = 1 << 20};
    struct pool p;
    pool_init(&p, &b);
    struct names t;
    assert_true(names_init(&t, &p, 500));
    char text[500][8];
    for (int i = 0; i < 500; i++) {
        snprintf(text[i], sizeof text[i], "n%d", i);
        assert_true(names_add(&t, text[i], i));
        assert_false(names_add(&t, text[i], 1000));
    }
    for (int i = 0; i < 500; i++) {
        assert_int_equal(names_find(&t, text[i]), i);
    }
    assert_int_equal(names_find(&t, "n500"), -1);
    pool_done(&p);
}

static void texts_are_cleaned(void **state)
{
    (void) state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"plain", "plain"},
        {"gr\xc3\xb6\xc3\x9f"
         "e",
         "gr\xc3\xb6\xc3\x9f"
         "e"},
        {"cut \xc3", "cut ?"},
        {"\xff\xfe", "??"},
        {"\xc0\x80", "??"},
        {"\xed\xa0\x80", "???"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xf4\x90\x80\x80", "????"},
        {"\xe2\x82", "??"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[40];
        strcpy(text, cases[i].from);
        text_clean(text, strlen(text));
        assert_string_equal(text, cases[i].to);
    }
    char line[] = "a\nb\x7f";
    text_printable(line, strlen(line));
    assert_string_equal(line, "a?b?");
}

/* ---- a model */

static void the_builtin_model(void **state)
{
    (void) state;
    struct budget b = {.limit = 1 << 20};
    struct workspace w;
    workspace_init(&w, &b);
    struct refusal why = {.status = KILN_OK};
    struct model *m = NULL;
    assert_int_equal(model_read(builtin_model, sizeof builtin_model, NULL, -1, &b, &w, &m, &why), KILN_OK);
    for (int64_t rows = 1; rows <= 200; rows++) { /* more than plans are kept */
        struct tensor in;
        assert_true(tensor_set(&in, DT_F32, 2, (const int64_t[]){rows, 3}));
        struct plan *p = model_plan(m, &in, &why);
        assert_non_null(p);
        assert_ptr_equal(model_plan(m, &in, &why), p);
        assert_true(p->static_shapes && plan_output(p, 0)->dims[0] == rows &&
                    plan_output(p, 0)->dims[1] == 2);
    }
    assert_int_equal(m->n_planned, 200);
    assert_int_equal(m->n_plans, MODEL_PLANS);
    struct tensor in;
    tensor_set(&in, DT_F32, 2, (const int64_t[]){1, 3});
    float x[3] = {1, 2, 3}, y[2] = {0};
    struct run r = {.cancelled = NULL};
    assert_int_equal(plan_run(model_plan(m, &in, &why), (void *[]){x}, (void *[]){y}, &r, &why), KILN_OK);
    assert_true(fabsf(y[0] - 0.125f) < 1e-6f && fabsf(y[1] - 9) < 1e-6f);
    tensor_set(&in, DT_F32, 2, (const int64_t[]){1, 4});
    assert_null(model_plan(m, &in, &why));
    assert_string_equal(why.text, "input \"x\" is float32[1,4], expected float32[?,3]");
    model_free(&m);
    workspace_done(&w);
    assert_int_equal(b.used, 0);
}

/* Every budget too small for the model refuses it and gives everything back. */
static void memory_runs_out_everywhere(void **state)
{
    (void) state;
    bool worked = false;
    for (size_t limit = 0; limit < 200000 && !worked; limit += 61) {
        struct budget b = {.limit = limit};
        struct workspace w;
        workspace_init(&w, &b);
        struct refusal why = {.status = KILN_OK};
        struct model *m = NULL;
        if (model_read(builtin_model, sizeof builtin_model, NULL, -1, &b, &w, &m, &why) == KILN_OK) {
            struct tensor in;
            tensor_set(&in, DT_F32, 2, (const int64_t[]){5, 3});
            struct plan *p = model_plan(m, &in, &why);
            struct run r = {.cancelled = NULL};
            float x[15] = {0};
            worked = p && plan_run(p, (void *[]){x}, NULL, &r, &why) == KILN_OK;
        }
        assert_true(worked || *why.text);
        model_free(&m);
        workspace_done(&w);
        assert_int_equal(b.used, 0);
    }
    assert_true(worked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_of_tensors),
        cmocka_unit_test(texts_of_tensors),
        cmocka_unit_test(halves),
        cmocka_unit_test(elements),
        cmocka_unit_test(budgets),
        cmocka_unit_test(room_is_made),
        cmocka_unit_test(pools),
        cmocka_unit_test(pools_take_over),
        cmocka_unit_test(the_workspace_keeps_what_is_in_it),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(texts_are_cleaned),
        cmocka_unit_test(the_builtin_model),
        cmocka_unit_test(memory_runs_out_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
