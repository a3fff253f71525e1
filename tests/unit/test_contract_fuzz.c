/* SPDX-License-Identifier: MPL-2.0 */
/* Payloads damaged at random against contract_bind: it must refuse with words, or give slots that are sound.
 * */
#include <math.h>

#include "array.h"
#include "contract.h"
#include "pack.h"
#include "utf8.h"

enum { ROUNDS = 120000 };

static const struct kiln_row params[] = {
    {.name = "x", .kind = KILN_ARRAY, .shape = "n>=2", .flags = KILN_REQUIRED | KILN_FINITE},
    {.name = "y", .kind = KILN_ARRAY, .shape = "n", .dtype = KILN_I64, .min = -1000, .max = 1000},
    {.name = "w", .kind = KILN_ARRAY, .shape = "m>=0 k>=0", .dtype = KILN_F32},
    {.name = "u", .kind = KILN_ARRAY, .shape = "1 n", .dtype = KILN_U8},
    {.name = "k", .kind = KILN_FLOAT, .flags = KILN_FINITE, .min = 0, .max = 10, .fallback = "0.5"},
    {.name = "i", .kind = KILN_INT, .min = 0, .max = 10},
    {.name = "b", .kind = KILN_BOOL},
    {.name = "s", .kind = KILN_STRING},
    {.name = "c", .kind = KILN_STRING, .choices = "aa|bb"},
    {.name = "r", .kind = KILN_BYTES},
    {.name = "v", .kind = KILN_VALUE},
    {.name = "m.n.o", .kind = KILN_FLOAT},
    {.name = "t", .kind = KILN_TABLE, .shape = "rows>=0", .flags = KILN_LENIENT},
    {.name = "t[].p", .kind = KILN_ARRAY},
    {.name = "t[].q", .kind = KILN_INT, .fallback = "7"},
    {.name = "*", .kind = KILN_VALUE},
};

static const struct kiln_row results[] = {
    {.name = "z", .kind = KILN_ARRAY, .shape = "n"},
    {.name = "zz", .kind = KILN_ARRAY, .shape = "n n"},
    {.name = "w", .kind = KILN_ARRAY, .shape = "m k", .dtype = KILN_F32},
    {.name = "v", .kind = KILN_VALUE},
    {.name = "t", .kind = KILN_TABLE, .shape = "rows"},
    {.name = "t[].p", .kind = KILN_ARRAY},
};

static const char *const seeds[] = {
    "{\"x\":[1,2.5,3],\"y\":[1,-2,3],\"w\":[[1,2],[3,4]],\"u\":[1,2,255],\"k\":3,\"i\":4,\"b\":true,\"s\":"
    "\"text\",\"c\":\"bb\",\"r\":\"raw\"}",
    "{\"x\":[100,70000],\"v\":{\"a\":[1,2,null],\"b\":[{\"c\":\"d\"},[[]]]},\"m\":{\"n\":{\"o\":2.385}},"
    "\"form\":\"rows\"}",
    "{\"x\":[1,2],\"t\":[{\"p\":1.5,\"q\":2},{\"q\":3,\"junk\":[1]},{}],\"extra\":{\"deep\":[1]},\"more\":"
    "null}",
    "{\"x\":[1,2],\"t\":{\"p\":[1,2,3],\"q\":[4,5,6]},\"form\":\"nd\",\"u\":[[7,8]]}",
    "{\"x\":{\"nd\":true,\"type\":\"|u1\",\"shape\":[4],\"data\":\"abcd\"},\"w\":{\"nd\":true,\"type\":\"<"
    "i2\",\"shape\":[1,2],\"data\":\"abcd\"}}",
};

static size_t mutate(uint8_t *data, size_t bytes, size_t room, uint64_t *seed)
{
    static const uint8_t telling[] = {0xc0, 0xc3, 0xcb, 0xcf, 0xd9, 0xdc, 0xdd, 0xdf, 0xc6, 0xc7, 0x90, 0x80,
                                      0xa0, 0xff, 0x7f, 0x00, 0xca, 0xd3, 0x91, 0x81, 0xa1, 0xc4, 0x9f, 0x8f};
    for (uint64_t k = 1 + random64(seed) % 3; k > 0 && bytes > 0; k--) {
        size_t at = random64(seed) % bytes;
        switch (random64(seed) % 6) {
        case 0:
            data[at] = (uint8_t) random64(seed);
            break;
        case 1:
            data[at] = telling[random64(seed) % sizeof telling];
            break;
        case 2:
            data[at] ^= (uint8_t) (1u << random64(seed) % 8);
            break;
        case 3: /* a piece again */
        {
            size_t n = 1 + random64(seed) % 8;
            if (at + n <= bytes && bytes + n <= room) {
                memmove(data + at + n, data + at, bytes - at);
                bytes += n;
            }
            break;
        }
        case 4: /* a piece away */
        {
            size_t n = 1 + random64(seed) % 4;
            if (at + n <= bytes) {
                memmove(data + at, data + at + n, bytes - at - n);
                bytes -= n;
            }
            break;
        }
        default:
            bytes = at;
            break;
        }
    }
    return bytes;
}

static volatile double sink;

static void check_array(const struct kiln_array *a, uint32_t rank, uint32_t dtype)
{
    if (a->rank == 0) {
        assert_null(a->data);
        return;
    }
    assert_int_equal(a->rank, rank);
    assert_int_equal(a->dtype, dtype);
    int64_t n = 1;
    for (uint32_t d = 0; d < rank; d++) {
        assert_true(a->shape[d] >= 0);
        n *= a->shape[d];
    }
    assert_true(n == a->count);
    assert_non_null(a->data);
    for (int64_t i = 0; i < a->count; i++) { /* a sanitizer sees what is not there */
        sink += array_get(dtype, a->data, (size_t) i);
    }
}

static void check_slots(const struct kiln_slot *s)
{
    static const uint32_t dtypes[] = {KILN_F64, KILN_I64, KILN_F32, KILN_U8};
    for (uint32_t i = 0; i < 4; i++) {
        check_array(&s[i].array, i < 2 ? 1 : 2, dtypes[i]);
    }
    assert_true(s[0].present && s[0].array.count >= 2);
    for (int64_t i = 0; i < s[0].array.count; i++) {
        assert_true(isfinite(((double *) s[0].array.data)[i]));
    }
    for (int64_t i = 0; i < s[1].array.count; i++) {
        int64_t v = ((int64_t *) s[1].array.data)[i];
        assert_true(v >= -1000 && v <= 1000);
    }
    assert_true(s[1].array.rank == 0 || s[1].array.count == s[0].array.count);
    assert_true(s[3].array.rank == 0 || s[3].array.count == s[0].array.count);
    assert_true(s[4].f64 >= 0 && s[4].f64 <= 10);
    assert_true(s[5].i64 >= 0 && s[5].i64 <= 10);
    assert_true(s[6].i64 == 0 || s[6].i64 == 1);
    assert_true(!s[7].present ||
                (strlen(s[7].text) == s[7].text_bytes && utf8_valid(s[7].text, s[7].text_bytes)));
    assert_true(!s[8].present || strcmp(s[8].text, "aa") == 0 || strcmp(s[8].text, "bb") == 0);
    check_array(&s[13].array, 1, KILN_F64);
    check_array(&s[14].array, 1, KILN_I64);
    assert_true(s[13].array.rank == 0 || s[13].array.count == s[12].i64);
    assert_true(s[14].array.rank == 0 || s[14].array.count == s[12].i64);
    assert_int_equal(s[15].value->type, KILN_V_MAP);
}

static void damaged_payloads(void **state)
{
    (void) state;
    struct contract *c = NULL;
    struct err err;
    struct contract_rows in = {params, sizeof params / sizeof params[0], sizeof params[0]};
    struct contract_rows out = {results, sizeof results / sizeof results[0], sizeof results[0]};
    if (contract_new(&in, &out, KILN_EXTRAS, &c, &err)) {
        fail_msg("%s", err.text);
    }
    struct buf whole[sizeof seeds / sizeof seeds[0]], reply;
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        whole[i] = pack(seeds[i]);
    }
    struct arena arena;
    arena_init(&arena, 1 << 20);
    buf_init(&reply, 1 << 20);
    uint64_t seed = 0x2385;
    unsigned long ok = 0, invalid = 0, resource = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t room[1024];
        const struct buf *from = &whole[round % (int) (sizeof seeds / sizeof seeds[0])];
        memcpy(room, from->data, from->bytes);
        size_t bytes = round < 5 ? from->bytes : mutate(room, from->bytes, sizeof room, &seed);
        uint8_t *exact = malloc(bytes ? bytes : 1);
        memcpy(exact, room, bytes);
        struct kiln_slot slots[KILN_MAX_ROWS], given[KILN_MAX_ROWS];
        struct bound bound;
        arena_reset(&arena);
        err = (struct err){0};
        int status = contract_bind(c, exact, bytes, &arena, slots, &bound, &err);
        if (status == 0) {
            ok++;
            check_slots(slots);
            status = contract_results(c, &bound, &arena, given, &err);
            if (status == 0) {
                given[3].value = slots[10].value; /* back as it came */
                given[3].present = slots[10].value != NULL;
                given[2].array = slots[2].array.rank ? slots[2].array : given[2].array;
                memset(given[0].array.data, 0, 8 * (size_t) given[0].array.count);
                memset(given[1].array.data, 0, 8 * (size_t) given[1].array.count);
                if (given[5].array.count) {
                    memset(given[5].array.data, 0, 8 * (size_t) given[5].array.count);
                }
                buf_clear(&reply);
                status = contract_reply(c, &bound, given, &reply, &err);
                assert_true(status == 0 || status == KILN_RESOURCE);
            }
        }
        const char *label;
        assert_true(arena_check(&arena, &label));
        invalid += status == KILN_INVALID;
        resource += status == KILN_RESOURCE;
        assert_true(status == 0 || status == KILN_INVALID || status == KILN_RESOURCE);
        if (status) {
            assert_true(strlen(err.text) > 10);
            assert_true(utf8_valid(err.text, strlen(err.text)) && utf8_valid(err.field, strlen(err.field)));
        }
        if (round < 5) {
            assert_int_equal(status, 0);
        }
        free(exact);
    }
    assert_true(ok > ROUNDS / 50 && invalid > ROUNDS / 4);
    print_message("%lu bound, %lu refused, %lu over budget\n", ok, invalid, resource);
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) { /* every piece of every seed */
        for (size_t n = 0; n < whole[i].bytes; n++) {
            struct kiln_slot slots[KILN_MAX_ROWS];
            struct bound bound;
            arena_reset(&arena);
            assert_int_equal(contract_bind(c, whole[i].data, n, &arena, slots, &bound, &err), KILN_INVALID);
        }
        buf_done(&whole[i]);
    }
    buf_done(&reply);
    arena_done(&arena);
    contract_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_payloads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
