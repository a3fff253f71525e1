/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/catalogue.h"
#include "mem.h"

static struct function *make(struct catalogue *c, const char *name)
{
    return catalogue_make(c, name, strlen(name));
}

static struct function *find(struct catalogue *c, const char *name)
{
    return catalogue_find(c, name, strlen(name));
}

static void names_that_are_taken_and_not(void **state)
{
    (void) state;
    struct catalogue c;
    catalogue_init(&c);
    static const char *const good[] = {"a.b", "stats.mean", "p_1.f_2", "9.9"};
    static const char *const bad[] = {
        "", ".", "a.", ".b", "ab", "a.b.c", "A.b", "a.B", "a b", "a.b ", "a-b.c", "caf\xc3\xa9.f", "a..b"};
    char longest[CATALOGUE_NAME_BYTES + 2];
    memset(longest, 'x', sizeof longest);
    longest[5] = '.';
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(catalogue_accepts(&c, good[i], strlen(good[i]), 1));
        assert_non_null(make(&c, good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(catalogue_accepts(&c, bad[i], strlen(bad[i]), 1));
        assert_null(make(&c, bad[i]));
        assert_null(find(&c, bad[i]));
    }
    assert_null(catalogue_make(&c, "a.b\0c", 5));
    assert_null(catalogue_find(&c, "a.b\0c", 5));
    assert_non_null(catalogue_make(&c, longest, CATALOGUE_NAME_BYTES));
    assert_null(catalogue_make(&c, longest, CATALOGUE_NAME_BYTES + 1));
    assert_null(catalogue_find(&c, longest, CATALOGUE_NAME_BYTES + 1));
    catalogue_done(&c);
}

static void made_once_found_again(void **state)
{
    (void) state;
    struct catalogue c;
    catalogue_init(&c);
    struct function *a = make(&c, "stats.mean"), *b = make(&c, "stats.meal");
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(make(&c, "stats.mean"), a);
    for (int i = 0; i < 3; i++) { /* whatever was found last */
        assert_ptr_equal(find(&c, "stats.mean"), a);
        assert_ptr_equal(find(&c, "stats.meal"), b);
        assert_null(find(&c, "stats.mea"));
        assert_null(find(&c, "stats.means"));
    }
    assert_true(a->cost_ns > 0);
    assert_false(a->announced);
    find(&c, "stats.mean");
    catalogue_drop(&c, a); /* the last found */
    assert_null(find(&c, "stats.mean"));
    assert_ptr_equal(find(&c, "stats.meal"), b);
    catalogue_done(&c);
}

static void there_is_a_most(void **state)
{
    (void) state;
    struct catalogue c;
    catalogue_init(&c);
    char name[32];
    for (int i = 0; i < CATALOGUE_MOST; i++) {
        snprintf(name, sizeof name, "p.f%d", i);
        assert_non_null(make(&c, name));
    }
    assert_null(make(&c, "one.more"));
    assert_false(catalogue_accepts(&c, "one.more", 8, 1));
    assert_non_null(make(&c, "p.f77")); /* known ones are found still */
    assert_true(catalogue_accepts(&c, "p.f77", 5, 1));
    catalogue_drop(&c, find(&c, "p.f77"));
    assert_true(catalogue_accepts(&c, "one.more", 8, 1));
    assert_false(catalogue_accepts(&c, "one.more", 8, 2));
    assert_non_null(make(&c, "one.more"));
    catalogue_done(&c);
}

static void sorted_by_name(void **state)
{
    (void) state;
    struct catalogue c;
    catalogue_init(&c);
    size_t n = 99;
    struct function **none = catalogue_sorted(&c, &n);
    assert_int_equal(n, 0);
    mem_free(none);
    static const char *const names[] = {"stats.sum", "echo.echo", "stats.mean", "a.z"};
    static const char *const sorted[] = {"a.z", "echo.echo", "stats.mean", "stats.sum"};
    for (size_t i = 0; i < 4; i++) {
        make(&c, names[i]);
    }
    struct function **all = catalogue_sorted(&c, &n);
    assert_int_equal(n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(all[i]->name, sorted[i]);
    }
    mem_free(all);
    catalogue_done(&c);
}

static void workers_join_and_leave(void **state)
{
    (void) state;
    struct catalogue c;
    catalogue_init(&c);
    struct function *f = make(&c, "a.b");
    struct worker *w[3] = {(struct worker *) &w[0], (struct worker *) &w[1],
                           (struct worker *) &w[2]}; /* only their addresses count */
    for (size_t i = 0; i < 3; i++) {
        catalogue_announce(&c, f, w[i]);
    }
    assert_true(f->announced);
    assert_int_equal(f->n_workers, 3);
    function_leave(f, w[0]);
    function_leave(f, w[0]); /* no longer there */
    assert_int_equal(f->n_workers, 2);
    function_leave(f, w[2]);
    assert_int_equal(f->n_workers, 1);
    assert_ptr_equal(f->workers[0], w[1]);
    function_leave(f, w[1]);
    assert_int_equal(f->n_workers, 0);
    assert_true(f->announced); /* it was: its jobs wait for the next worker */
    catalogue_orphan(&c, f, "box", "s1", 3);
    assert_int_equal(c.orphans, 1);
    catalogue_orphan(&c, f, "box2", "s2", 4);
    assert_int_equal(c.orphans, 1);
    assert_string_equal(f->orphan->node, "box2");
    catalogue_announce(&c, f, w[0]); /* somebody offers it again */
    assert_int_equal(c.orphans, 0);
    assert_null(f->orphan);
    function_leave(f, w[0]);
    catalogue_orphan(&c, f, "box", "s1", 3);
    catalogue_retire(&c, f);
    catalogue_retire(&c, f);
    assert_false(f->announced);
    assert_int_equal(c.announced, 0);
    assert_int_equal(c.retired, 1);
    assert_int_equal(c.orphans, 0);
    catalogue_announce(&c, f, w[0]);
    assert_true(f->announced && !f->retired);
    assert_int_equal(c.announced, 1);
    assert_int_equal(c.retired, 0);
    function_leave(f, w[0]);
    catalogue_orphan(&c, f, "box", "s1", 3);
    catalogue_retire(&c, f);
    catalogue_drop(&c, f);
    assert_int_equal(c.announced + c.retired + c.orphans, 0);
    assert_null(catalogue_find(&c, "a.b", 3));
    catalogue_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_taken_and_not),
        cmocka_unit_test(made_once_found_again),
        cmocka_unit_test(there_is_a_most),
        cmocka_unit_test(sorted_by_name),
        cmocka_unit_test(workers_join_and_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
