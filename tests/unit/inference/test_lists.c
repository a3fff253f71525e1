/* SPDX-License-Identifier: MPL-2.0 */
/* Lists of an attribute, written here field by field: short and long, packed and not, in any order, and damaged everywhere. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lists.h"

enum { ROOM = 4096 };

struct message {
    uint8_t bytes[ROOM];
    size_t n;
};

static void put_varint(struct message *m, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        m->bytes[m->n++] = (uint8_t) (value | 0x80);
    }
    m->bytes[m->n++] = (uint8_t) value;
}

static void put_bytes(struct message *m, const void *data, size_t n)
{
    memcpy(m->bytes + m->n, data, n);
    m->n += n;
}

static void put_tag(struct message *m, unsigned field, unsigned wire)
{
    put_varint(m, field << 3 | wire);
}

static void put_text(struct message *m, unsigned field, const char *text)
{
    put_tag(m, field, 2);
    put_varint(m, strlen(text));
    put_bytes(m, text, strlen(text));
}

static void put_float(struct message *m, float f)
{
    put_tag(m, 7, 5);
    put_bytes(m, &f, sizeof f);
}

static void put_int(struct message *m, int64_t i)
{
    put_tag(m, 8, 0);
    put_varint(m, (uint64_t) i);
}

static const int64_t ints[] = {0, 1, 127, 128, 16383, 16384, 2097151, 2097152, -1, INT64_MIN, INT64_MAX, 5};
enum { INTS = sizeof ints / sizeof *ints };

static struct budget budget = {.limit = 1 << 20};

/* From memory of exactly that size, so that a byte beyond it is seen. */
static enum lists_result take(const struct message *m, size_t bytes, struct pool *pool, struct message *rest,
                              struct lists *l)
{
    uint8_t *data = malloc(bytes + !bytes);
    assert_non_null(data);
    memcpy(data, m->bytes, bytes);
    const enum lists_result result = lists_take(pool, data, &bytes, l);
    memcpy(rest->bytes, data, bytes);
    rest->n = bytes;
    free(data);
    return result;
}

static void test_every_kind(void **state)
{
    (void) state;
    struct message m = {0}, expected = {0}, rest;
    put_text(&m, 1, "name");
    put_float(&m, 1.5F);
    put_float(&m, -INFINITY);
    put_int(&m, 7);
    put_text(&m, 9, "BRANCH_LEQ");
    put_text(&m, 9, "");
    put_tag(&m, 20, 0); /* two bytes of tag */
    put_varint(&m, 6);
    for (int i = 0; i < INTS; i++) {
        put_int(&m, ints[i]);
    }
    put_tag(&m, 7, 2); /* packed */
    put_varint(&m, 2 * sizeof(float));
    put_bytes(&m, (float[]){3, 4}, 2 * sizeof(float));
    struct message packed = {0};
    for (int i = 0; i < INTS; i++) {
        put_varint(&packed, (uint64_t) ints[i]);
    }
    put_tag(&m, 8, 2);
    put_varint(&m, packed.n);
    put_bytes(&m, packed.bytes, packed.n);
    put_text(&m, 9, "LEAF");
    put_tag(&m, 30, 1);
    put_bytes(&m, "12345678", 8);
    put_float(&m, 9);
    put_text(&expected, 1, "name");
    put_tag(&expected, 20, 0);
    put_varint(&expected, 6);
    put_tag(&expected, 30, 1);
    put_bytes(&expected, "12345678", 8);

    struct pool pool;
    struct lists l;
    pool_init(&pool, &budget);
    assert_int_equal(take(&m, m.n, &pool, &rest, &l), LISTS_OK);
    assert_int_equal(rest.n, expected.n);
    assert_memory_equal(rest.bytes, expected.bytes, rest.n);
    assert_int_equal(l.n_floats, 5);
    assert_memory_equal(l.floats, ((float[]){1.5F, -INFINITY, 3, 4, 9}), 5 * sizeof(float));
    assert_int_equal(l.n_ints, 2 * INTS + 1);
    assert_int_equal(l.ints[0], 7);
    assert_memory_equal(l.ints + 1, ints, sizeof ints);
    assert_memory_equal(l.ints + 1 + INTS, ints, sizeof ints);
    assert_int_equal(l.n_texts, 3);
    assert_int_equal(l.texts[0].bytes, 10);
    assert_memory_equal(l.texts[0].chars, "BRANCH_LEQ", 10);
    assert_int_equal(l.texts[1].bytes, 0);
    assert_int_equal(l.texts[2].bytes, 4);
    assert_string_equal(l.texts[2].chars, "LEAF");
    pool_done(&pool);
    assert_int_equal(budget.used, 0);
}

/* Ints of one byte go four at a time, up to whatever stands between them. */
static void test_runs_of_ints(void **state)
{
    (void) state;
    for (int run = 0; run < 40; run++) {
        struct message m = {0}, rest;
        struct pool pool;
        struct lists l;
        for (int i = 0; i < 60; i++) {
            put_int(&m, i % (run + 1) == run ? 100000 * i : (i * 37 + run) % (run % 3 ? 128 : 300));
        }
        pool_init(&pool, &budget);
        assert_int_equal(take(&m, m.n, &pool, &rest, &l), LISTS_OK);
        assert_int_equal(l.n_ints, 60);
        for (int i = 0; i < 60; i++) {
            assert_int_equal(l.ints[i],
                             i % (run + 1) == run ? 100000 * i : (i * 37 + run) % (run % 3 ? 128 : 300));
        }
        pool_done(&pool);
    }
}

/* Those that repeat share their characters, also when others were moved over where the first was read. */
static void test_texts_that_repeat(void **state)
{
    (void) state;
    static const char *const texts[] = {"LEAF", "LEAF", "BRANCH_LEQ", "BRANCH_LEQ", "",
                                        "",     "LEAF", "LEAX",       "LEAX"};
    enum { TEXTS = sizeof texts / sizeof *texts };
    char long_one[200];
    memset(long_one, 'L', sizeof long_one);
    long_one[sizeof long_one - 1] = 0;
    struct message m = {0}, rest;
    for (int i = 0; i < TEXTS; i++) {
        put_text(&m, 9, texts[i]);
        put_text(&m, 1, i % 2 ? "LEAFLEAFLEAF" : "BRANCH_LEQ");
    }
    put_text(&m, 9, long_one); /* its length takes two bytes */
    put_text(&m, 9, long_one);
    struct pool pool;
    struct lists l;
    pool_init(&pool, &budget);
    assert_int_equal(take(&m, m.n, &pool, &rest, &l), LISTS_OK);
    assert_int_equal(l.n_texts, TEXTS + 2);
    for (int i = 0; i < TEXTS + 2; i++) {
        assert_string_equal(l.texts[i].chars, i < TEXTS ? texts[i] : long_one);
        assert_int_equal(l.texts[i].bytes, strlen(l.texts[i].chars));
    }
    assert_ptr_equal(l.texts[0].chars, l.texts[1].chars);
    assert_ptr_equal(l.texts[TEXTS].chars, l.texts[TEXTS + 1].chars);
    pool_done(&pool);
}

/* Cut anywhere: either between two fields, and what stands before is there, or damaged. */
static void test_cut_anywhere(void **state)
{
    (void) state;
    struct message m = {0}, rest;
    bool whole[ROOM] = {true};
    for (int i = 0; i < 40; i++) {
        switch (i % 4) {
        case 0:
            put_float(&m, (float) i);
            break;
        case 1:
            put_int(&m, ints[i % INTS]);
            break;
        case 2:
            put_text(&m, i % 8 == 2 ? 9 : 1, "text");
            break;
        default:
            put_int(&m, i * 1000);
        }
        whole[m.n] = true;
    }
    for (size_t n = 0; n <= m.n; n++) {
        struct pool pool;
        struct lists l;
        pool_init(&pool, &budget);
        assert_int_equal(take(&m, n, &pool, &rest, &l), whole[n] ? LISTS_OK : LISTS_DAMAGED);
        assert_true(whole[n] || (rest.n == 0 && !l.n_floats && !l.n_ints && !l.n_texts));
        pool_done(&pool);
    }
}

static void test_damaged(void **state)
{
    (void) state;
    static const struct {
        const char *bytes;
        size_t n;
    } damaged[] = {
        {"\x38\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* an int of eleven bytes */
        {"\x39"
         "12345678",
         9},             /* an int that is fixed64 */
        {"\x3b\x3c", 2}, /* a group */
        {"\x3a\x03"
         "123",
         5}, /* packed floats of three bytes */
        {"\x38\x00\x3a\x04"
         "12",
         6},                                                  /* longer than the rest */
        {"\x42\x02\x80\x80", 4},                              /* packed ints without an end */
        {"\x4a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, /* a text of 2^64 - 1 bytes */
        {"\x48\x01", 2},                                      /* a text that is a varint */
        {"\x38\x80", 2},
        {"\x3d\x00\x00\x00", 4},
        {"\x80", 1},
    };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct message m = {0}, rest;
        struct pool pool;
        struct lists l;
        put_bytes(&m, damaged[i].bytes, damaged[i].n);
        pool_init(&pool, &budget);
        assert_int_equal(take(&m, m.n, &pool, &rest, &l), LISTS_DAMAGED);
        pool_done(&pool);
    }
}

static void test_nothing(void **state)
{
    (void) state;
    struct pool pool;
    struct lists l;
    size_t n = 0;
    pool_init(&pool, &budget);
    assert_int_equal(lists_take(&pool, NULL, &n, &l), LISTS_OK);
    assert_true(n == 0 && !l.n_floats && !l.n_ints && !l.n_texts);
    pool_done(&pool);
}

static void test_over_budget(void **state)
{
    (void) state;
    struct budget little = {.limit = 100};
    struct message m = {0}, rest;
    struct pool pool;
    struct lists l;
    for (int i = 0; i < 200; i++) {
        put_int(&m, i);
    }
    pool_init(&pool, &little);
    assert_int_equal(take(&m, m.n, &pool, &rest, &l), LISTS_NO_MEMORY);
    pool_done(&pool);
    assert_int_equal(little.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_damaged),           cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_over_budget),       cmocka_unit_test(test_runs_of_ints),
        cmocka_unit_test(test_texts_that_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
