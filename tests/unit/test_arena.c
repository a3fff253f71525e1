/* SPDX-License-Identifier: MPL-2.0 */
#include "arena.h"
#include "pack.h"

static void blocks_are_aligned_and_apart(void **state)
{
    (void) state;
    struct arena a;
    arena_init(&a, 1 << 20);
    unsigned char *blocks[50];
    for (size_t i = 0; i < 50; i++) {
        blocks[i] = arena_alloc(&a, i * 7, NULL);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t) blocks[i] % ARENA_ALIGN, 0);
        memset(blocks[i], (int) i, i * 7);
    }
    for (size_t i = 0; i < 50; i++) {
        for (size_t k = 0; k < i * 7; k++) {
            assert_int_equal(blocks[i][k], i);
        }
    }
    const char *label = NULL;
    assert_true(arena_check(&a, &label));
    arena_done(&a);
}

static void the_cap_is_hard(void **state)
{
    (void) state;
    struct arena a;
    arena_init(&a, 100000);
    assert_null(arena_alloc(&a, 100000, NULL));
    assert_true(a.refused);
    assert_null(arena_alloc(&a, SIZE_MAX, NULL));
    assert_null(arena_alloc(&a, SIZE_MAX - 60, NULL));
    size_t blocks = 0;
    while (arena_alloc(&a, 1000, NULL)) {
        blocks++;
        assert_true(a.spent <= a.cap);
    }
    assert_in_range(blocks, 85, 100);
    arena_reset(&a);
    assert_false(a.refused);
    assert_non_null(arena_alloc(&a, 90000, NULL));
    arena_done(&a);
}

static void a_block_grows_and_keeps_what_it_held(void **state)
{
    (void) state;
    struct arena a;
    arena_init(&a, 64 << 20);
    size_t n = 0, moves = 0;
    uint64_t *v = NULL;
    for (; n < 100000; n++) {
        uint64_t *w = arena_grow(&a, v, (n + 1) * sizeof *v, "v");
        assert_non_null(w);
        moves += w != v;
        v = w;
        v[n] = n * 2385;
        if (n % 10000 == 0) {
            assert_non_null(arena_alloc(&a, 10, NULL)); /* in its way */
        }
    }
    for (size_t i = 0; i < n; i++) {
        assert_true(v[i] == i * 2385);
    }
    assert_true(moves < 40);
    assert_true(a.spent < 8 * n * sizeof *v);
    const char *label;
    assert_true(arena_check(&a, &label));
    assert_null(arena_grow(&a, v, (size_t) 64 << 20, "v"));
    assert_true(v[n - 1] == (n - 1) * 2385); /* a refusal leaves the block */
    arena_done(&a);
}

static void growth_in_place_up_to_the_cap(void **state)
{
    (void) state;
    struct arena a;
    arena_init(&a, 40000);
    void *v = NULL;
    size_t bytes = 0;
    for (void *w; (w = arena_grow(&a, v, bytes + 100, "v")); v = w) {
        bytes += 100;
    }
    assert_in_range(bytes, 15000, 40000);
    assert_true(a.spent <= a.cap);
    arena_done(&a);
}

static size_t held(const struct arena *a)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        bytes += a->chunks[i].bytes;
    }
    return bytes;
}

static void a_reset_keeps_memory_and_a_trim_gives_back_what_nobody_needed(void **state)
{
    (void) state;
    struct arena a;
    arena_init(&a, 64 << 20);
    void *first = arena_alloc(&a, 1000, NULL);
    arena_reset(&a);
    assert_ptr_equal(arena_alloc(&a, 1000, NULL), first);
    char *big = arena_alloc(&a, 10 << 20, NULL);
    assert_non_null(big);
    assert_true((uintptr_t) big % ARENA_ALIGN == 0);
    memset(big, 1, 10 << 20);
    arena_trim(&a, 1 << 20);
    assert_true(held(&a) > 10 << 20); /* a job since the last trim has needed it */
    assert_int_equal(a.spent, 0);
    arena_alloc(&a, 1000, NULL);
    arena_trim(&a, 1 << 20);
    assert_true(held(&a) <= 1 << 20);
    arena_done(&a);
}

static void an_arena_that_serves_all_sizes_does_not_collect_chunks(void **state)
{
    (void) state;
    struct arena a;
    arena_init(&a, 64 << 20);
    for (size_t bytes = 1000; bytes < 50 << 20; bytes += bytes / 16) {
        arena_reset(&a);
        assert_non_null(arena_alloc(&a, bytes, NULL));
        assert_true(held(&a) <= 64 << 20);
    }
    arena_done(&a);
}

static void a_steady_state_allocates_nothing(void **state)
{
    (void) state;
    struct arena a;
    arena_init(&a, 64 << 20);
    assert_non_null(arena_alloc(&a, 20000, NULL));
    /* In the steady state nothing is allocated. */
    fault_after = 0;
    mem_fault = fault_nth;
    for (int i = 0; i < 100; i++) {
        arena_reset(&a);
        assert_non_null(arena_alloc(&a, 20000, NULL));
    }
    mem_fault = NULL;
    arena_done(&a);
}

static void writes_out_of_bounds_are_found(void **state)
{
    (void) state;
    static const struct {
        ptrdiff_t at; /* from the beginning of the middle block of 100 bytes */
        const char *label;
    } rows[] = {{100, "middle"}, {107, "middle"}, {115, "middle"}, {127, "middle"},
                {130, "middle"}, {-1, "middle"},  {-9, "middle"},  {-33, "first"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        const char *label = NULL;
        assert_non_null(arena_alloc(&a, 50, "first"));
        unsigned char *middle = arena_alloc(&a, 100, "middle");
        assert_non_null(arena_alloc(&a, 50, "last"));
        memset(middle, 0x5a, 100);
        assert_true(arena_check(&a, &label));
        middle[rows[i].at] ^= 0x10;
        assert_false(arena_check(&a, &label));
        assert_string_equal(label, rows[i].label);
        arena_done(&a);
    }
    /* Each size has its guard right behind its last byte. */
    for (size_t n = 0; n < 200; n++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        const char *label = NULL;
        unsigned char *block = arena_alloc(&a, n, "block");
        block[n] ^= 1;
        assert_false(arena_check(&a, &label));
        block[n] ^= 1;
        assert_true(arena_check(&a, &label));
        block[n + 15] ^= 1;
        assert_false(arena_check(&a, &label));
        arena_done(&a);
    }
}

static void no_memory_is_no_crash(void **state)
{
    (void) state;
    struct arena a;
    arena_init(&a, SIZE_MAX / 4);
    mem_fault = fault_nth;
    for (long n = 0; n < 3; n++) {
        fault_after = n;
        size_t got = 0;
        while (got < 10 && arena_alloc(&a, 50000, NULL)) {
            got++;
        }
        assert_true(got < 10);
        assert_true(a.refused);
        arena_reset(&a);
    }
    mem_fault = NULL;
    arena_done(&a);
    arena_done(&a); /* twice does no harm */
}

static void texts_end_in_nul(void **state)
{
    (void) state;
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_string_equal(arena_text(&a, "kilnX", 4), "kiln");
    assert_string_equal(arena_text(&a, "", 0), "");
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_apart),
        cmocka_unit_test(the_cap_is_hard),
        cmocka_unit_test(a_block_grows_and_keeps_what_it_held),
        cmocka_unit_test(growth_in_place_up_to_the_cap),
        cmocka_unit_test(a_reset_keeps_memory_and_a_trim_gives_back_what_nobody_needed),
        cmocka_unit_test(an_arena_that_serves_all_sizes_does_not_collect_chunks),
        cmocka_unit_test(a_steady_state_allocates_nothing),
        cmocka_unit_test(writes_out_of_bounds_are_found),
        cmocka_unit_test(no_memory_is_no_crash),
        cmocka_unit_test(texts_end_in_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
