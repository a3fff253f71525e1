/* SPDX-License-Identifier: MPL-2.0 */
/* Rows judged, payloads bound, results encoded. test_contract_fuzz.c has the random ones. */
#include <math.h>

#include "contract.h"
#include "pack.h"
#include "scan.h"

#define ROWS(table)                                                                                          \
    &(struct contract_rows)                                                                                  \
    {                                                                                                        \
        table, sizeof(table) / sizeof((table)[0]), sizeof(struct kiln_row)                                   \
    }

static const struct contract_rows none = {NULL, 0, sizeof(struct kiln_row)};

enum { X, Y, W, K, DDOF, METHOD, FLAG, RAW, FREE, YIELD, MAP, MAP_A, TABLE, T_SIZE, T_KEY, T_ON };

static const struct kiln_row params[] = {
    [X] = {.name = "x", .kind = KILN_ARRAY, .shape = "n>=2", .flags = KILN_REQUIRED | KILN_FINITE},
    [Y] = {.name = "y", .kind = KILN_ARRAY, .shape = "n", .min = -10, .max = 1000},
    [W] = {.name = "w", .kind = KILN_ARRAY, .shape = "m 3", .dtype = KILN_I32},
    [K] = {.name = "k",
           .kind = KILN_FLOAT,
           .flags = KILN_OPEN_MIN,
           .min = 0,
           .max = (double) INFINITY,
           .fallback = "0.5"},
    [DDOF] = {.name = "ddof", .kind = KILN_INT, .min = 0, .max = 10, .fallback = "1"},
    [METHOD] = {.name = "method",
                .kind = KILN_STRING,
                .choices = "linear|lower|higher",
                .fallback = "\"linear\""},
    [FLAG] = {.name = "flag", .kind = KILN_BOOL},
    [RAW] = {.name = "raw", .kind = KILN_BYTES},
    [FREE] = {.name = "free", .kind = KILN_VALUE},
    [YIELD] = {.name = "staking.eth.annual_yield", .kind = KILN_FLOAT, .min = 0, .max = 0.2},
    [MAP] = {.name = "map", .kind = KILN_MAP, .flags = KILN_LENIENT},
    [MAP_A] = {.name = "map.a", .kind = KILN_INT, .flags = KILN_REQUIRED},
    [TABLE] = {.name = "t", .kind = KILN_TABLE, .shape = "rows>=0"},
    [T_SIZE] = {.name = "t[].size", .kind = KILN_ARRAY, .min = 0, .max = 100},
    [T_KEY] = {.name = "t[].key", .kind = KILN_INT, .flags = KILN_REQUIRED},
    [T_ON] = {.name = "t[].on", .kind = KILN_BOOL, .fallback = "true"},
};

struct fixture {
    struct contract *c;
    struct arena arena;
    struct kiln_slot slots[KILN_MAX_ROWS], results[KILN_MAX_ROWS];
    struct bound bound;
    struct err err;
};

static void begin(struct fixture *f, const struct contract_rows *in, const struct contract_rows *out,
                  uint32_t flags)
{
    memset(f, 0, sizeof *f);
    arena_init(&f->arena, 1 << 20);
    if (contract_new(in, out, flags, &f->c, &f->err)) {
        fail_msg("%s", f->err.text);
    }
}

static void end(struct fixture *f)
{
    contract_free(&f->c);
    arena_done(&f->arena);
}

static int bind_json(struct fixture *f, const char *json)
{
    static struct buf payload; /* bytes arguments point into it */
    buf_done(&payload);
    payload = pack(json);
    arena_reset(&f->arena);
    f->err = (struct err){0};
    return contract_bind(f->c, payload.data, payload.bytes, &f->arena, f->slots, &f->bound, &f->err);
}

static void must_bind(struct fixture *f, const char *json)
{
    if (bind_json(f, json)) {
        fail_msg("%s: %s", json, f->err.text);
    }
}

static void must_refuse(struct fixture *f, const char *json, const char *field, const char *text)
{
    assert_int_equal(bind_json(f, json), KILN_INVALID);
    assert_string_equal(f->err.text, text);
    assert_string_equal(f->err.field, field);
}

/* ---- binding --------------------------------------------------------------------------------- */

static void binds_scalars_and_defaults(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(params), &none, 0);
    must_bind(&f, "{\"x\":[1,2.5]}");
    assert_int_equal(f.slots[X].present, 1);
    assert_int_equal(f.slots[X].array.count, 2);
    assert_int_equal(f.slots[Y].present, 0);
    assert_null(f.slots[Y].array.data);
    assert_int_equal(f.slots[Y].array.rank, 0);
    assert_true(f.slots[K].f64 == 0.5 && !f.slots[K].present);
    assert_int_equal(f.slots[DDOF].i64, 1);
    assert_string_equal(f.slots[METHOD].text, "linear");
    assert_null(f.slots[FREE].value);
    assert_int_equal(f.slots[MAP].present, 0);
    assert_int_equal(f.slots[TABLE].present, 0);
    assert_int_equal(f.bound.form, CONTRACT_LIST);

    must_bind(&f,
              "{\"method\":\"higher\",\"x\":[1,2],\"k\":3,\"ddof\":2.0,\"flag\":false,\"raw\":\"r\\u0000w\","
              "\"free\":{\"a\":[1,\"b\"]},\"staking\":{\"eth\":{\"annual_yield\":0.05}},\"map\":{\"a\":7,"
              "\"zz\":[1]}}");
    assert_string_equal(f.slots[METHOD].text, "higher");
    assert_int_equal(f.slots[METHOD].text_bytes, 6);
    assert_true(f.slots[K].f64 == 3.0 && f.slots[K].present);
    assert_int_equal(f.slots[DDOF].i64, 2);
    assert_true(f.slots[FLAG].present && f.slots[FLAG].i64 == 0);
    assert_int_equal(f.slots[RAW].text_bytes, 3);
    assert_int_equal(f.slots[FREE].value->type, KILN_V_MAP);
    assert_true(f.slots[YIELD].f64 == 0.05);
    assert_true(f.slots[MAP].present && f.slots[MAP_A].i64 == 7);

    /* null is as good as nothing. */
    must_bind(
        &f,
        "{\"x\":[1,2],\"k\":null,\"method\":null,\"map\":null,\"t\":null,\"staking\":null,\"form\":null}");
    assert_true(f.slots[K].f64 == 0.5 && !f.slots[K].present);
    assert_int_equal(f.slots[MAP].present, 0);
    end(&f);
}

static void refusals_name_field_value_and_expectation(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(params), &none, 0);
    static const struct {
        const char *json, *field, *text;
    } rows[] = {
        {"{}", "x", "argument \"x\" is missing, expected a list of numbers, or an nd array"},
        {"{\"x\":null}", "x", "x is null, expected a list of numbers, or an nd array"},
        {"{\"x\":true}", "x", "x is true, expected a list of numbers, or an nd array"},
        {"{\"x\":3}", "x", "x has 1 element, expected at least 2 (n)"},
        {"{\"x\":[]}", "x", "x is empty, expected at least 2 elements (n)"},
        {"{\"x\":[1]}", "x", "x has 1 element, expected at least 2 (n)"},
        {"{\"x\":[1,2,3,null]}", "x", "x[3] is NaN, expected a finite number"},
        {"{\"x\":[1,2,3,4,5],\"y\":[1,2,3,4]}", "y", "y has 4 elements, expected 5 (n, as x)"},
        {"{\"y\":[1,2,3,4],\"x\":[1,2,3,4,5]}", "y", "y has 4 elements, expected 5 (n, as x)"},
        {"{\"x\":[1,2],\"y\":[1,1001]}", "y", "y[1] is 1001, expected -10..1000"},
        {"{\"x\":[1,2],\"w\":[[1,2],[3,4]]}", "w", "w has shape [2,2]: dimension 2 is 2, expected 3"},
        {"{\"x\":[1,2],\"w\":[[1,2,3],[4,5,6.5]]}", "w",
         "w[1][2] is 6.5, expected a whole number of 32 bits"},
        {"{\"x\":[1,2],\"k\":0}", "k", "k is 0, expected > 0"},
        {"{\"x\":[1,2],\"k\":\"1\"}", "k", "k is \"1\", expected a number"},
        {"{\"x\":[1,2],\"k\":true}", "k", "k is true, expected a number"},
        {"{\"x\":[1,2],\"k\":9007199254740993}", "k",
         "k is 9007199254740993, expected a number that a double holds exactly (up to 2^53)"},
        {"{\"x\":[1,2],\"ddof\":12}", "ddof", "ddof is 12, expected 0..10"},
        {"{\"x\":[1,2],\"ddof\":1.5}", "ddof", "ddof is 1.5, expected a whole number"},
        {"{\"x\":[1,2],\"ddof\":[1]}", "ddof", "ddof is a list of 1, expected a whole number"},
        {"{\"x\":[1,2],\"method\":\"foo\"}", "method", "method is \"foo\", expected linear|lower|higher"},
        {"{\"x\":[1,2],\"method\":\"linear|lower\"}", "method",
         "method is \"linear|lower\", expected linear|lower|higher"},
        {"{\"x\":[1,2],\"method\":5}", "method", "method is 5, expected linear|lower|higher"},
        {"{\"x\":[1,2],\"flag\":1}", "flag", "flag is 1, expected true or false"},
        {"{\"x\":[1,2],\"raw\":1}", "raw", "raw is 1, expected bytes or a string"},
        {"{\"x\":[1,2],\"staking\":{\"eth\":{\"annual_yield\":0.3}}}", "staking.eth.annual_yield",
         "staking.eth.annual_yield is 0.3, expected 0..0.2"},
        {"{\"x\":[1,2],\"staking\":{\"eth\":5}}", "staking.eth", "staking.eth is 5, expected a map"},
        {"{\"x\":[1,2],\"staking\":{\"sol\":5}}", "staking.sol",
         "unknown argument \"staking.sol\", expected one of eth"},
        {"{\"x\":[1,2],\"xx\":5}", "xx",
         "unknown argument \"xx\", expected one of x, y, w, k, ddof, method, flag, raw, free, staking, map, "
         "t"},
        {"{\"x\":[1,2],\"map\":{}}", "map.a", "argument \"map.a\" is missing, expected a whole number"},
        {"{\"x\":[1,2],\"t\":5}", "t", "t is 5, expected a list of maps, or a map of lists"},
        {"{\"x\":[1,2],\"t\":[5]}", "t", "t[0] is 5, expected a map"},
        {"{\"x\":[1,2],\"t\":[{\"key\":1},{\"size\":3}]}", "t[].key",
         "t[1].key is missing, expected a whole number"},
        {"{\"x\":[1,2],\"t\":[{\"key\":1,\"size\":-1}]}", "t[].size", "t[0].size is -1, expected 0..100"},
        {"{\"x\":[1,2],\"t\":[{\"key\":1,\"bad\":2}]}", "t[0].bad",
         "unknown argument \"t[0].bad\", expected one of size, key, on"},
        {"{\"x\":[1,2],\"t\":{\"key\":[1,2],\"size\":[1]}}", "t[].size",
         "t[].size has 1 element, expected 2 (as t[].key)"},
        {"{\"x\":[1,2],\"t\":{\"size\":[1,2]}}", "t[].key", "t[0].key is missing, expected a number"},
        {"{\"x\":[1,2],\"t\":[{\"key\":null}]}", "t[].key", "t[0].key is null, expected a whole number"},
        {"{\"x\":[1,2],\"form\":\"square\"}", "form", "form is \"square\", expected list|rows|nd"},
        {"{\"x\":[1,2],\"form\":5}", "form", "form is 5, expected list|rows|nd"},
        {"[]", "", "the payload is a list of 0, expected a map of arguments"},
        {"5", "", "the payload is 5, expected a map of arguments"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        must_refuse(&f, rows[i].json, rows[i].field, rows[i].text);
    }
    end(&f);
}

static void refuse_raw(struct fixture *f, const struct buf *b, const char *text)
{
    f->err = (struct err){0};
    arena_reset(&f->arena);
    assert_int_equal(contract_bind(f->c, b->data, b->bytes, &f->arena, f->slots, &f->bound, &f->err),
                     KILN_INVALID);
    assert_string_equal(f->err.text, text);
}

static void refuses_what_json_cannot_show(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(params), &none, 0);
    struct buf b;
    buf_init(&b, 0);
    buf_put_map(&b, 2);
    for (int i = 0; i < 2; i++) {
        buf_put_text(&b, "k");
        buf_put_f64(&b, 1);
    }
    refuse_raw(&f, &b, "argument \"k\" is there twice");
    buf_clear(&b);
    buf_put_map(&b, 1);
    buf_put_text(&b, "t");
    buf_put_list(&b, 1);
    buf_put_map(&b, 2);
    for (int i = 0; i < 2; i++) {
        buf_put_text(&b, "key");
        buf_put_i64(&b, 1);
    }
    refuse_raw(&f, &b, "t[0].key is there twice");
    buf_clear(&b);
    buf_put_map(&b, 1);
    buf_put_i64(&b, 5);
    buf_put_nil(&b);
    refuse_raw(&f, &b, "the payload has the key 5, expected a string");
    buf_clear(&b);
    buf_put_map(&b, 1);
    buf_put_text(&b, "k");
    buf_put_f64(&b, (double) NAN);
    refuse_raw(&f, &b, "k is NaN, expected > 0");
    buf_clear(&b);
    buf_put_map(&b, 1);
    buf_put_str(&b, "k\xff", 2);
    buf_put_nil(&b);
    f.err = (struct err){0};
    assert_int_equal(contract_bind(f.c, b.data, b.bytes, &f.arena, f.slots, &f.bound, &f.err), KILN_INVALID);
    assert_non_null(strstr(f.err.text, "unknown argument \"?\""));
    for (size_t n = 0; n < b.bytes; n++) {
        assert_int_equal(contract_bind(f.c, b.data, n, &f.arena, f.slots, &f.bound, &f.err), KILN_INVALID);
    }
    buf_done(&b);
    end(&f);
}

static void tables_both_ways(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(params), &none, 0);
    static const char *const forms[] = {
        "{\"x\":[1,2],\"t\":[{\"size\":2.5,\"key\":7,\"on\":false},{\"key\":8},{\"on\":true,\"key\":9.0,"
        "\"size\":null}]}",
        "{\"x\":[1,2],\"t\":{\"size\":[2.5,null,null],\"key\":[7,8,9],\"on\":[false,true,true]}}",
    };
    for (int i = 0; i < 2; i++) {
        must_bind(&f, forms[i]);
        assert_int_equal(f.slots[TABLE].i64, 3);
        assert_int_equal(f.slots[T_SIZE].array.dtype, KILN_F64);
        assert_int_equal(f.slots[T_KEY].array.dtype, KILN_I64);
        assert_int_equal(f.slots[T_ON].array.dtype, KILN_U8);
        const double *size = f.slots[T_SIZE].array.data;
        assert_true(size[0] == 2.5 && isnan(size[1]) && isnan(size[2]));
        assert_true(((int64_t *) f.slots[T_KEY].array.data)[2] == 9);
        assert_true(((uint8_t *) f.slots[T_ON].array.data)[0] == 0 &&
                    ((uint8_t *) f.slots[T_ON].array.data)[1] == 1);
    }
    must_bind(&f, "{\"x\":[1,2],\"t\":[{\"key\":1},{\"key\":2}]}");
    assert_int_equal(f.slots[T_SIZE].present, 0);
    assert_null(f.slots[T_SIZE].array.data);
    assert_int_equal(f.slots[T_ON].present, 0); /* filled by its default */
    assert_true(((uint8_t *) f.slots[T_ON].array.data)[1] == 1);
    must_bind(&f, "{\"x\":[1,2],\"t\":[]}");
    assert_true(f.slots[TABLE].present && f.slots[TABLE].i64 == 0);
    end(&f);
}

static void columns_may_stand_apart(void **state)
{
    (void) state;
    static const struct kiln_row rows[] = {
        {.name = "t", .kind = KILN_TABLE, .shape = "n"},
        {.name = "t[].a", .kind = KILN_ARRAY},
        {.name = "between", .kind = KILN_FLOAT},
        {.name = "u.v", .kind = KILN_FLOAT},
        {.name = "t[].b", .kind = KILN_ARRAY, .dtype = KILN_F32},
    };
    struct fixture f;
    begin(&f, ROWS(rows), &none, 0);
    must_bind(&f, "{\"t\":[{\"b\":2,\"a\":1},{\"a\":3,\"b\":4}],\"between\":5,\"u\":{\"v\":6}}");
    assert_true(((double *) f.slots[1].array.data)[1] == 3 && ((float *) f.slots[4].array.data)[0] == 2);
    assert_true(f.slots[2].f64 == 5 && f.slots[3].f64 == 6);
    must_refuse(&f, "{\"t\":[]}", "t", "t is empty, expected at least 1 row(s) (n)");
    end(&f);
}

static void required_members_of_maps(void **state)
{
    (void) state;
    static const struct kiln_row rows[] = {
        {.name = "a.b.c",
         .kind = KILN_FLOAT,
         .flags = KILN_REQUIRED},        /* a and b have no rows: they count as empty */
        {.name = "m", .kind = KILN_MAP}, /* may be left out as a whole */
        {.name = "m.x", .kind = KILN_FLOAT, .flags = KILN_REQUIRED},
        {.name = "r", .kind = KILN_MAP, .flags = KILN_REQUIRED},
        {.name = "r.y", .kind = KILN_FLOAT},
    };
    struct fixture f;
    begin(&f, ROWS(rows), &none, 0);
    must_refuse(&f, "{\"r\":{}}", "a.b.c", "argument \"a.b.c\" is missing, expected a number");
    must_refuse(&f, "{\"r\":{},\"a\":{}}", "a.b.c", "argument \"a.b.c\" is missing, expected a number");
    must_refuse(&f, "{\"r\":{},\"a\":{\"b\":null}}", "a.b.c",
                "argument \"a.b.c\" is missing, expected a number");
    must_refuse(&f, "{\"a\":{\"b\":{\"c\":1}}}", "r", "argument \"r\" is missing, expected a map");
    must_refuse(&f, "{\"a\":{\"b\":{\"c\":1}},\"r\":null}", "r", "r is null, expected a map");
    must_bind(&f, "{\"a\":{\"b\":{\"c\":1}},\"r\":{}}");
    assert_int_equal(f.slots[1].present, 0);
    must_refuse(&f, "{\"a\":{\"b\":{\"c\":1}},\"r\":{},\"m\":{}}", "m.x",
                "argument \"m.x\" is missing, expected a number");
    end(&f);
}

static void extras_are_kept(void **state)
{
    (void) state;
    static const struct kiln_row rows[] = {
        {.name = "x", .kind = KILN_FLOAT},
        {.name = "*", .kind = KILN_VALUE},
    };
    struct fixture f;
    begin(&f, ROWS(rows), &none, KILN_EXTRAS);
    must_bind(&f, "{\"a\":1,\"x\":2,\"b\":{\"c\":[true]},\"form\":\"nd\"}");
    assert_int_equal(f.bound.form, CONTRACT_ND);
    assert_int_equal(f.slots[1].value->type, KILN_V_MAP);
    assert_int_equal(f.slots[1].value->count, 2);
    assert_string_equal(f.slots[1].value->map[0].key, "a");
    assert_int_equal(f.slots[1].value->map[1].value.type, KILN_V_MAP);
    must_bind(&f, "{\"x\":2}");
    assert_int_equal(f.slots[1].present, 0);
    assert_int_equal(f.slots[1].value->count, 0);
    struct buf b;
    buf_init(&b, 0);
    buf_put_map(&b, 2);
    buf_put_text(&b, "a");
    buf_put_nil(&b);
    buf_put_text(&b, "a");
    buf_put_nil(&b);
    refuse_raw(&f, &b, "the request has the key \"a\" twice");
    buf_done(&b);
    end(&f);
}

static void what_maps_drop_is_told(void **state)
{
    (void) state;
    static const struct kiln_row rows[] = {
        {.name = "m", .kind = KILN_MAP, .flags = KILN_LENIENT},
        {.name = "m.x", .kind = KILN_FLOAT},
        {.name = "*", .kind = KILN_VALUE},
    };
    struct fixture f;
    begin(&f, ROWS(rows), &none, KILN_EXTRAS);
    must_bind(&f, "{\"m\":{\"y\":{\"deep\":[1]},\"x\":2.5},\"z\":7}");
    const struct kiln_value *extras = f.slots[2].value;
    assert_int_equal(extras->count, 2);
    assert_string_equal(extras->map[0].key, "m.y");
    assert_int_equal(extras->map[0].value.type, KILN_V_NULL);
    assert_string_equal(extras->map[1].key, "z");
    assert_int_equal(extras->map[1].value.i, 7);
    assert_true(f.slots[1].f64 == 2.5);
    char many[2000] = "{\"m\":{";
    for (int i = 0; i < 100; i++) {
        snprintf(many + strlen(many), sizeof many - strlen(many), "%s\"k%d\":%d", i ? "," : "", i, i);
    }
    strcat(many, "}}");
    must_bind(&f, many);
    assert_int_equal(f.slots[2].value->count, 100);
    assert_string_equal(f.slots[2].value->map[99].key, "m.k99");
    end(&f);
}

static void the_form_follows_the_request(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(params), &none, 0);
    const char *nd = "{\"nd\":true,\"type\":\"|u1\",\"shape\":[2],\"data\":\"ab\"}";
    char json[300];
    snprintf(json, sizeof json, "{\"x\":%s}", nd);
    must_bind(&f, json);
    assert_int_equal(f.bound.form, CONTRACT_ND);
    assert_true(((double *) f.slots[X].array.data)[1] == 'b');
    snprintf(json, sizeof json, "{\"x\":%s,\"form\":\"list\"}", nd);
    must_bind(&f, json);
    assert_int_equal(f.bound.form, CONTRACT_LIST);
    must_bind(&f, "{\"x\":[1,2],\"form\":\"rows\"}");
    assert_int_equal(f.bound.form, CONTRACT_ROWS);
    end(&f);
}

static void the_budget_is_hard(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(params), &none, 0);
    struct buf b;
    buf_init(&b, 0);
    buf_put_map(&b, 1);
    buf_put_text(&b, "x");
    buf_put_list(&b, 200000);
    for (int i = 0; i < 200000; i++) {
        buf_put_i64(&b, 1);
    }
    assert_int_equal(contract_bind(f.c, b.data, b.bytes, &f.arena, f.slots, &f.bound, &f.err), KILN_RESOURCE);
    assert_string_equal(f.err.text, "x needs 1600000 bytes; a job may use 1048576 in all");
    buf_done(&b);
    end(&f);
}

/* ---- results --------------------------------------------------------------------------------- */

enum { R_MEAN, R_Z, R_GROW, R_NOTE, R_A, R_OPT, R_OPT_V, R_TABLE, R_T_A, R_T_B, R_FREE, R_PAIRS };

static const struct kiln_row result_rows[] = {
    [R_MEAN] = {.name = "mean", .kind = KILN_FLOAT},
    [R_Z] = {.name = "z", .kind = KILN_ARRAY, .shape = "n 2"},
    [R_GROW] = {.name = "grow", .kind = KILN_ARRAY, .shape = "g", .dtype = KILN_I64},
    [R_NOTE] = {.name = "note", .kind = KILN_STRING},
    [R_A] = {.name = "deep.er.a", .kind = KILN_BOOL},
    [R_OPT] = {.name = "opt", .kind = KILN_MAP},
    [R_OPT_V] = {.name = "opt.v", .kind = KILN_INT},
    [R_TABLE] = {.name = "t", .kind = KILN_TABLE, .shape = "rows"},
    [R_T_A] = {.name = "t[].a", .kind = KILN_ARRAY},
    [R_T_B] = {.name = "t[].b", .kind = KILN_BOOL},
    [R_FREE] = {.name = "free", .kind = KILN_VALUE},
    [R_PAIRS] = {.name = "pairs", .kind = KILN_ARRAY, .shape = "g n"},
};

static const struct kiln_row x_only[] = {
    {.name = "x", .kind = KILN_ARRAY, .shape = "n", .flags = KILN_REQUIRED},
};

static const char *reply(struct fixture *f)
{
    struct buf out;
    static char text[4096];
    buf_init(&out, 1 << 20);
    if (contract_reply(f->c, &f->bound, f->results, &out, &f->err)) {
        snprintf(text, sizeof text, "(%s)", f->err.text);
    } else {
        snprintf(text, sizeof text, "%s", unpack(out.data, out.bytes));
    }
    buf_done(&out);
    return text;
}

static void *grow(struct fixture *f, size_t i, int64_t rows)
{
    return contract_grow(f->c, &f->bound, &f->arena, f->results, i, rows);
}

static void results_from_nothing_to_all(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(x_only), ROWS(result_rows), 0);
    must_bind(&f, "{\"x\":[5,6]}");
    assert_int_equal(contract_results(f.c, &f.bound, &f.arena, f.results, &f.err), 0);
    assert_int_equal(f.results[R_Z].array.count, 4);
    for (int i = 0; i < 4; i++) {
        ((double *) f.results[R_Z].array.data)[i] = i == 3 ? (double) NAN : i + 0.5;
    }
    assert_string_equal(
        reply(&f), "{\"mean\":null,\"z\":[[0.5,1.5],[2.5,null]],\"grow\":null,\"note\":null,"
                   "\"deep\":{\"er\":{\"a\":null}},\"opt\":null,\"t\":null,\"free\":null,\"pairs\":null}");

    f.results[R_MEAN] = (struct kiln_slot){.present = 1, .f64 = 2.385};
    f.results[R_NOTE] = (struct kiln_slot){.present = 1, .text = "fine"};
    f.results[R_A] = (struct kiln_slot){.present = 1, .i64 = 1};
    f.results[R_OPT_V] = (struct kiln_slot){.present = 1, .i64 = -7};
    const struct kiln_value item = {.type = KILN_V_INT, .i = 3},
                            list = {.type = KILN_V_LIST, .count = 1, .list = &item};
    f.results[R_FREE] = (struct kiln_slot){.present = 1, .value = &list};
    for (int64_t n = 1; n <= 3; n++) {
        ((int64_t *) grow(&f, R_GROW, n))[n - 1] = n * 10;
    }
    double *pairs = grow(&f, R_PAIRS, 3);
    for (int i = 0; i < 6; i++) {
        pairs[i] = i;
    }
    ((double *) grow(&f, R_T_A, 2))[0] = 1.5;
    ((double *) f.results[R_T_A].array.data)[1] = (double) NAN;
    memcpy(grow(&f, R_T_B, 2), "\1\0", 2);
    assert_string_equal(
        reply(&f), "{\"mean\":2.385,\"z\":[[0.5,1.5],[2.5,null]],\"grow\":[10,20,30],\"note\":\"fine\","
                   "\"deep\":{\"er\":{\"a\":true}},\"opt\":{\"v\":-7},\"t\":{\"a\":[1.5,null],\"b\":[1,0]},"
                   "\"free\":[3],\"pairs\":[[0.0,1.0],[2.0,3.0],[4.0,5.0]]}");
    f.bound.form = CONTRACT_ROWS;
    assert_non_null(strstr(reply(&f), "\"t\":[{\"a\":1.5,\"b\":true},{\"a\":null,\"b\":false}]"));
    f.bound.form = CONTRACT_ND; /* shown as lists again: whole numbers without fraction */
    assert_non_null(strstr(reply(&f), "\"pairs\":[[0,1],[2,3],[4,5]]"));
    end(&f);
}

static void growing_has_rules(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(x_only), ROWS(result_rows), 0);
    must_bind(&f, "{\"x\":[5,6]}");
    assert_int_equal(contract_results(f.c, &f.bound, &f.arena, f.results, &f.err), 0);
    assert_null(grow(&f, R_MEAN, 1));
    assert_null(grow(&f, R_Z, 1));     /* fixed */
    assert_null(grow(&f, R_TABLE, 1)); /* its columns grow */
    assert_null(grow(&f, 99, 1));
    assert_null(grow(&f, R_GROW, -1));
    assert_null(grow(&f, R_GROW, INT64_MAX));
    assert_null(grow(&f, R_GROW, 1000000)); /* over the budget */
    assert_non_null(grow(&f, R_GROW, 0));
    assert_int_equal(f.results[R_GROW].present, 1);
    assert_non_null(grow(&f, R_T_A, 3));
    assert_non_null(grow(&f, R_T_B, 2));
    assert_string_equal(reply(&f), "(the plugin's result t[].b has size 2 in dimension 1, expected 3)");
    memset(grow(&f, R_T_B, 3), 0, 3);
    memset(f.results[R_T_A].array.data, 0, 24);
    memset(f.results[R_Z].array.data, 0, 32);
    assert_non_null(grow(&f, R_PAIRS, 1)); /* g: 0 rows of grow, 1 of pairs */
    assert_string_equal(reply(&f), "(the plugin's result pairs has size 1 in dimension 1, expected 0)");
    end(&f);
}

static void unsound_results_are_internal(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(x_only), ROWS(result_rows), 0);
    must_bind(&f, "{\"x\":[5,6]}");
    double other[4] = {0};
    const struct kiln_slot unsound[] = {
        {.present = 1},
        {.present = 1, .array = {.data = other, .rank = 1, .shape = {4}, .count = 4}},
        {.present = 1, .array = {.data = other, .rank = 2, .dtype = KILN_F32, .shape = {2, 2}, .count = 4}},
        {.present = 1, .array = {.data = other, .rank = 2, .shape = {2, 3}, .count = 6}},
        {.present = 1, .array = {.data = other, .rank = 2, .shape = {2, 2}, .count = 5}},
        {.present = 1, .array = {.data = NULL, .rank = 2, .shape = {2, 2}, .count = 4}},
    };
    for (size_t i = 0; i < sizeof unsound / sizeof unsound[0]; i++) {
        assert_int_equal(contract_results(f.c, &f.bound, &f.arena, f.results, &f.err), 0);
        f.results[R_Z] = unsound[i];
        struct buf out;
        buf_init(&out, 0);
        assert_int_equal(contract_reply(f.c, &f.bound, f.results, &out, &f.err), KILN_INTERNAL);
        assert_non_null(strstr(f.err.text, "the plugin's result z has "));
        buf_done(&out);
    }
    f.results[R_Z] =
        (struct kiln_slot){.present = 1, .array = {.data = other, .rank = 2, .shape = {2, 2}, .count = 4}};
    assert_null(strchr(reply(&f), '(')); /* its own memory is fine */
    end(&f);
}

static void a_result_too_large_is_refused(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(x_only), ROWS(result_rows), 0);
    must_bind(&f, "{\"x\":[5,6]}");
    assert_int_equal(contract_results(f.c, &f.bound, &f.arena, f.results, &f.err), 0);
    memset(f.results[R_Z].array.data, 0, 32);
    for (size_t limit = 1; limit < 90; limit++) {
        struct buf out;
        buf_init(&out, limit);
        assert_int_equal(contract_reply(f.c, &f.bound, f.results, &out, &f.err), KILN_RESOURCE);
        assert_true(out.bytes <= limit);
        buf_done(&out);
    }
    end(&f);
}

/* ---- judging rows ---------------------------------------------------------------------------- */

static void expect_bad_rows(const struct kiln_row *in, size_t n_in, const struct kiln_row *out, size_t n_out,
                            const char *text)
{
    struct contract *c = NULL;
    struct err err = {0};
    struct contract_rows p = {in, n_in, sizeof *in}, r = {out, n_out, sizeof *out};
    assert_int_equal(contract_new(&p, &r, 0, &c, &err), KILN_INVALID);
    assert_null(c);
    assert_string_equal(err.text, text);
}

#define BAD_PARAM(text, ...)                                                                                 \
    do {                                                                                                     \
        const struct kiln_row rows_[] = {__VA_ARGS__};                                                       \
        expect_bad_rows(rows_, sizeof rows_ / sizeof rows_[0], NULL, 0, text);                               \
    } while (0)
#define BAD_RESULT(text, ...)                                                                                \
    do {                                                                                                     \
        const struct kiln_row rows_[] = {__VA_ARGS__};                                                       \
        expect_bad_rows(x_only, 1, rows_, sizeof rows_ / sizeof rows_[0], text);                             \
    } while (0)
#define P(...) ((struct kiln_row){__VA_ARGS__})

static void bad_rows_are_not_loaded(void **state)
{
    (void) state;
    const char *shape = "is not a shape: words such as n, n>=2 or 6, separated by blanks";
    static const char *const shapes[] = {"n>",  "n >= 2", "-1", "n,m",         "0",
                                         "n>=", "n>=x",   "2n", "99999999999", "n>=99999999999"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "parameter \"x\": shape \"%s\" %s", shapes[i], shape);
        BAD_PARAM(text, P(.name = "x", .kind = KILN_ARRAY, .shape = shapes[i]));
    }
    BAD_PARAM("parameter \"x\": shape \"a b c d e\" has more than 4 words",
              P(.name = "x", .kind = KILN_ARRAY, .shape = "a b c d e"));
    BAD_PARAM("parameter \"x\": it needs a shape", P(.name = "x", .kind = KILN_ARRAY));
    BAD_PARAM("parameter \"x\": a shape is for arrays and tables",
              P(.name = "x", .kind = KILN_FLOAT, .shape = "n"));
    BAD_PARAM("parameter 0 has no name", P(.kind = KILN_FLOAT));
    BAD_PARAM(
        "parameter \"x y\": its name is no path of words such as x, a.b or table[].column (at most 95 bytes)",
        P(.name = "x y", .kind = KILN_FLOAT));
    BAD_PARAM(
        "parameter \"x.\": its name is no path of words such as x, a.b or table[].column (at most 95 bytes)",
        P(.name = "x.", .kind = KILN_FLOAT));
    BAD_PARAM("parameter \"form\": this name is the host's", P(.name = "form", .kind = KILN_FLOAT));
    BAD_PARAM("parameter \"x\": its kind is none of enum kiln_kind", P(.name = "x", .kind = 10));
    BAD_PARAM("parameter \"x\": its dtype is none of enum kiln_dtype",
              P(.name = "x", .kind = KILN_ARRAY, .shape = "n", .dtype = 5));
    BAD_PARAM("parameter \"x\": its flags are none of enum kiln_row_flag",
              P(.name = "x", .kind = KILN_FLOAT, .flags = 1u << 9));
    BAD_PARAM("parameter \"x\": KILN_LENIENT is for maps and tables",
              P(.name = "x", .kind = KILN_FLOAT, .flags = KILN_LENIENT));
    BAD_PARAM("parameter \"x\": a range is for numbers", P(.name = "x", .kind = KILN_STRING, .max = 1));
    BAD_PARAM("parameter \"x\": its min is not <= its max",
              P(.name = "x", .kind = KILN_FLOAT, .min = 2, .max = 1));
    BAD_PARAM("parameter \"x\": its min is not <= its max",
              P(.name = "x", .kind = KILN_FLOAT, .min = (double) NAN, .max = 1));
    BAD_PARAM("parameter \"x\": KILN_OPEN_MIN and KILN_OPEN_MAX need a range (min and max both 0 mean none; "
              "INFINITY is a bound)",
              P(.name = "x", .kind = KILN_FLOAT, .flags = KILN_OPEN_MIN));
    BAD_PARAM("parameter \"x\": choices are for strings, and not empty",
              P(.name = "x", .kind = KILN_INT, .choices = "a"));
    BAD_PARAM("parameter \"x\": it is required and has a default",
              P(.name = "x", .kind = KILN_INT, .flags = KILN_REQUIRED, .fallback = "1"));
    BAD_PARAM("parameter \"x\": its default \"a\": x is \"a\", expected a whole number",
              P(.name = "x", .kind = KILN_INT, .fallback = "\"a\""));
    BAD_PARAM("parameter \"x\": its default 11: x is 11, expected 0..10",
              P(.name = "x", .kind = KILN_INT, .max = 10, .fallback = "11"));
    BAD_PARAM("the defaults: x has 1 element, expected 2",
              P(.name = "x", .kind = KILN_ARRAY, .shape = "2", .fallback = "[1]"));
    BAD_PARAM("parameter \"x\": it is there twice, or after its members", P(.name = "x", .kind = KILN_INT),
              P(.name = "x", .kind = KILN_INT));
    BAD_PARAM("parameter \"a\": it is there twice, or after its members", P(.name = "a.b", .kind = KILN_INT),
              P(.name = "a", .kind = KILN_MAP));
    BAD_PARAM("parameter \"a.b\": what stands before its dot is no map", P(.name = "a", .kind = KILN_INT),
              P(.name = "a.b", .kind = KILN_INT));
    BAD_PARAM("parameter \"t[].a\": its table has no row of kind KILN_TABLE before it",
              P(.name = "t[].a", .kind = KILN_ARRAY));
    BAD_PARAM("parameter \"t\": it has no columns", P(.name = "t", .kind = KILN_TABLE, .shape = "n"));
    BAD_PARAM("parameter \"m\": it has no members", P(.name = "m", .kind = KILN_MAP));
    BAD_PARAM("parameter \"t[].a\": a column is of kind KILN_ARRAY, KILN_FLOAT, KILN_INT or KILN_BOOL",
              P(.name = "t", .kind = KILN_TABLE, .shape = "n"), P(.name = "t[].a", .kind = KILN_STRING));
    BAD_PARAM("parameter \"t[].a\": its shape is not the symbol of its table",
              P(.name = "t", .kind = KILN_TABLE, .shape = "n"),
              P(.name = "t[].a", .kind = KILN_ARRAY, .shape = "m"));
    BAD_PARAM("parameter \"*\": only a function with KILN_EXTRAS has such a parameter",
              P(.name = "*", .kind = KILN_VALUE));
    BAD_RESULT("result \"y\": dimension 2 of its shape is bound by no parameter (only the first may grow)",
               P(.name = "y", .kind = KILN_ARRAY, .shape = "n m"));
    BAD_RESULT("result \"y\": a default is for parameters that are no map and no table",
               P(.name = "y", .kind = KILN_INT, .fallback = "1"));
}

static void many_rows_are_refused(void **state)
{
    (void) state;
    struct kiln_row rows[KILN_MAX_ROWS + 1];
    char names[KILN_MAX_ROWS + 1][96];
    for (int i = 0; i <= KILN_MAX_ROWS; i++) {
        snprintf(names[i], sizeof names[i], "r%d.b.c.d.e.f.g.h", i);
        rows[i] = (struct kiln_row){.name = names[i], .kind = KILN_INT};
    }
    expect_bad_rows(rows, KILN_MAX_ROWS + 1, NULL, 0,
                    "the table of parameters has 129 rows, expected at most 128");
    struct contract *c = NULL;
    struct err err;
    struct contract_rows p = {rows, KILN_MAX_ROWS, sizeof rows[0]};
    assert_int_equal(contract_new(&p, &none, 0, &c, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "too many maps"));
}

static void shorter_rows_of_an_older_abi(void **state)
{
    (void) state;
    struct {
        struct kiln_row row;
        char pad[24];
    } wide[2] = {{.row = {.name = "a", .kind = KILN_INT}}, {.row = {.name = "b", .kind = KILN_INT}}};
    struct fixture f;
    struct contract_rows rows = {&wide[0].row, 2, sizeof wide[0]};
    begin(&f, &rows, &none, 0);
    must_bind(&f, "{\"b\":2,\"a\":1}");
    assert_true(f.slots[0].i64 == 1 && f.slots[1].i64 == 2);
    end(&f);
}

static void describes_itself(void **state)
{
    (void) state;
    struct fixture f;
    begin(&f, ROWS(params), ROWS(x_only), 0);
    struct buf out;
    buf_init(&out, 0);
    buf_put_map(&out, 2);
    contract_describe(f.c, &out);
    const char *text = unpack(out.data, out.bytes);
    assert_non_null(strstr(text, "{\"name\":\"x\",\"kind\":\"array\",\"dtype\":\"f64\",\"shape\":\"n>=2\","
                                 "\"required\":true,\"finite\":true}"));
    assert_non_null(strstr(
        text, "{\"name\":\"k\",\"kind\":\"float\",\"min\":0.0,\"open_min\":true,\"default\":\"0.5\"}"));
    assert_non_null(strstr(text, "\"choices\":\"linear|lower|higher\""));
    assert_non_null(strstr(text, "{\"name\":\"t\",\"kind\":\"table\",\"shape\":\"rows>=0\"}"));
    assert_non_null(strstr(text, "{\"name\":\"w\",\"kind\":\"array\",\"dtype\":\"i32\",\"shape\":\"m 3\"}"));
    buf_done(&out);
    end(&f);
}

static void every_allocation_may_fail(void **state)
{
    (void) state;
    struct buf payload =
        pack("{\"x\":[1,2],\"free\":{\"a\":[1,{\"b\":\"c\"}]},\"t\":[{\"key\":1}],\"method\":\"lower\"}");
    bool all = false;
    for (long n = 0; n < 200 && !all; n++) {
        struct contract *c = NULL;
        struct err err = {0};
        struct arena arena;
        struct kiln_slot slots[KILN_MAX_ROWS], results[KILN_MAX_ROWS];
        struct bound bound;
        struct buf out;
        arena_init(&arena, 1 << 20);
        buf_init(&out, 0);
        fault_after = n;
        mem_fault = fault_nth;
        int status = contract_new(ROWS(params), ROWS(x_only), 0, &c, &err);
        if (status == 0) {
            status = contract_bind(c, payload.data, payload.bytes, &arena, slots, &bound, &err);
        }
        if (status == 0) {
            status = contract_results(c, &bound, &arena, results, &err);
        }
        if (status == 0) {
            memset(results[0].array.data, 0, 16);
            status = contract_reply(c, &bound, results, &out, &err);
        }
        all = status == 0;
        mem_fault = NULL;
        assert_true(status == 0 || status == KILN_RESOURCE || status == KILN_INVALID);
        contract_free(&c);
        arena_done(&arena);
        buf_done(&out);
    }
    assert_true(all);
    buf_done(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_scalars_and_defaults),
        cmocka_unit_test(refusals_name_field_value_and_expectation),
        cmocka_unit_test(refuses_what_json_cannot_show),
        cmocka_unit_test(tables_both_ways),
        cmocka_unit_test(columns_may_stand_apart),
        cmocka_unit_test(required_members_of_maps),
        cmocka_unit_test(extras_are_kept),
        cmocka_unit_test(what_maps_drop_is_told),
        cmocka_unit_test(the_form_follows_the_request),
        cmocka_unit_test(the_budget_is_hard),
        cmocka_unit_test(results_from_nothing_to_all),
        cmocka_unit_test(growing_has_rules),
        cmocka_unit_test(unsound_results_are_internal),
        cmocka_unit_test(a_result_too_large_is_refused),
        cmocka_unit_test(bad_rows_are_not_loaded),
        cmocka_unit_test(many_rows_are_refused),
        cmocka_unit_test(shorter_rows_of_an_older_abi),
        cmocka_unit_test(describes_itself),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
