/* SPDX-License-Identifier: MPL-2.0 */
/* How operators walk tensors: that broadcasting and views take as few loops as there can be, and heaps sort. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "op/broadcast.h"
#include "op/heap.h"
#include "op/view.h"

#define DIMS(...)                                                                                            \
    (sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                                  \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

static struct tensor tensor(size_t rank, const int64_t *dims)
{
    struct tensor t;
    assert_true(tensor_set(&t, DT_F32, (int) rank, dims));
    return t;
}

/* The loops for an output of a's shape with inputs a and b. */
static struct broadcast walk(struct tensor a, struct tensor b)
{
    const struct tensor *in[] = {&a, &b};
    struct broadcast w;
    broadcast_plan(&w, a.rank, a.dims, in, 2);
    return w;
}

static void check(const struct broadcast *w, int loops, int64_t n, int step_a, int step_b)
{
    assert_int_equal(w->rank, loops);
    assert_int_equal(w->n, n);
    assert_int_equal(w->step[0], step_a);
    assert_int_equal(w->step[1], step_b);
}

static void few_loops(void **state)
{
    (void) state;
    struct broadcast w = walk(tensor(DIMS(4, 5, 6)), tensor(DIMS(4, 5, 6)));
    check(&w, 0, 120, 1, 1); /* the same shape */
    w = walk(tensor(DIMS(4, 5, 6)), tensor(DIMS(1)));
    check(&w, 0, 120, 1, 0); /* a number */
    w = walk(tensor(DIMS(4, 5, 6)), tensor(DIMS(6)));
    check(&w, 1, 6, 1, 1); /* a row */
    w = walk(tensor(DIMS(4, 5, 6)), tensor(DIMS(5, 6)));
    check(&w, 1, 30, 1, 1);
    w = walk(tensor(DIMS(4, 5, 6)), tensor(DIMS(4, 1, 1)));
    check(&w, 1, 30, 1, 0); /* a column */
    w = walk(tensor(DIMS(4, 5, 6)), tensor(DIMS(5, 1)));
    check(&w, 2, 6, 1, 0);
    w = walk(tensor(DIMS(4, 0, 6)), tensor(DIMS(6)));
    assert_true(w.empty);
    check(&w, 0, 0, w.step[0], w.step[1]);
}

static void rows_begin_where_they_should(void **state)
{
    (void) state;
    const struct broadcast w = walk(tensor(DIMS(2, 3, 4)), tensor(DIMS(3, 1)));
    struct broadcast_row row = {0};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(row.out, 4 * i);
        assert_int_equal(row.in[0], 4 * i);
        assert_int_equal(row.in[1], i % 3);
        assert_int_equal(broadcast_next(&w, &row), i < 5);
    }
}

static void views_join_axes(void **state)
{
    (void) state;
    struct view v = {0};
    view_axis(&v, 4, 30);
    view_axis(&v, 1, 77);
    view_axis(&v, 5, 6);
    view_axis(&v, 6, 1);
    assert_int_equal(v.rank, 1); /* as it lies */
    assert_int_equal(v.dims[0], 120);
    view_axis(&v, 3, 0);
    assert_int_equal(v.rank, 2);
    view_axis(&v, 2, 0);
    assert_int_equal(v.rank, 2); /* repeated six times */
    assert_int_equal(v.dims[1], 6);
    assert_false(v.empty);
    view_axis(&v, 0, 1);
    assert_true(v.empty);
}

static bool before(const void *of, int64_t a, int64_t b)
{
    const int *keys = of;
    return keys[a] < keys[b] || (keys[a] == keys[b] && a < b);
}

static void heaps_sort(void **state)
{
    (void) state;
    int keys[97];
    int64_t order[97];
    for (int n = 0; n < 97; n++) {
        for (int i = 0; i < n; i++) {
            keys[i] = i * 7919 % 31;
            order[i] = i;
        }
        heap_make(order, n, before, keys);
        heap_sort(order, n, before, keys);
        for (int i = 1; i < n; i++) {
            assert_true(before(keys, order[i - 1], order[i]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_loops),
        cmocka_unit_test(rows_begin_where_they_should),
        cmocka_unit_test(views_join_axes),
        cmocka_unit_test(heaps_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
