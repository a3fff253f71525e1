/* SPDX-License-Identifier: MPL-2.0 */
/* A payload against a contract that has a row of every kind: refused with words, or bound to slots that are sound and can be replied. */
#include "fuzz.h"

#include "array.h"
#include "contract.h"

static const struct kiln_row params[] = {
    {.name = "x", .kind = KILN_ARRAY, .shape = "n>=2", .flags = KILN_REQUIRED | KILN_FINITE},
    {.name = "y", .kind = KILN_ARRAY, .shape = "n", .dtype = KILN_I64, .min = -1000, .max = 1000},
    {.name = "w", .kind = KILN_ARRAY, .shape = "m>=0 k>=0", .dtype = KILN_F32},
    {.name = "u", .kind = KILN_ARRAY, .shape = "1 n", .dtype = KILN_U8},
    {.name = "k", .kind = KILN_FLOAT, .flags = KILN_FINITE, .min = 0, .max = 10, .fallback = "0.5"},
    {.name = "i", .kind = KILN_INT, .min = 0, .max = 10},
    {.name = "b", .kind = KILN_BOOL},
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
    {.name = "v", .kind = KILN_VALUE},
};

enum { X = 0, Y = 1, K = 4, VALUE = 9 };

static double sum;

static void look_at(const struct kiln_array *a)
{
    for (int64_t i = 0; i < a->count; i++) { /* a sanitizer sees what is not there */
        sum += array_get(a->dtype, a->data, (size_t) i);
    }
}

static void reply(const struct contract *c, const struct bound *bound, struct arena *arena,
                  const struct kiln_slot *slots)
{
    struct kiln_slot given[2];
    struct buf out = {0};
    struct err err;
    if (contract_results(c, bound, arena, given, &err) == 0) {
        memset(given[0].array.data, 0, 8 * (size_t) given[0].array.count);
        given[1].value = slots[VALUE].value;
        given[1].present = slots[VALUE].value != NULL;
        int status = contract_reply(c, bound, given, &out, &err);
        HOLDS(status == 0 || status == KILN_RESOURCE);
    }
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct contract *c;
    static struct arena arena;
    struct kiln_slot slots[KILN_COUNT(params)];
    struct bound bound;
    struct err err = {0};
    if (!c) {
        const struct contract_rows in = {params, KILN_COUNT(params), sizeof *params},
                                   out = {results, KILN_COUNT(results), sizeof *results};
        HOLDS(contract_new(&in, &out, KILN_EXTRAS, &c, &err) == 0);
        arena_init(&arena, 1 << 20);
    }
    arena_reset(&arena);
    int status = contract_bind(c, data, bytes, &arena, slots, &bound, &err);
    HOLDS(status == 0 || status == KILN_INVALID || status == KILN_RESOURCE);
    HOLDS(status == 0 || err.text[0]);
    if (status == 0) {
        HOLDS(slots[X].array.count >= 2 &&
              (!slots[Y].array.rank || slots[Y].array.count == slots[X].array.count));
        HOLDS(slots[K].f64 >= 0 && slots[K].f64 <= 10);
        for (int i = 0; i < 4; i++) {
            look_at(&slots[i].array);
        }
        reply(c, &bound, &arena, slots);
    }
    const char *label;
    HOLDS(arena_check(&arena, &label));
    return 0;
}
