/* SPDX-License-Identifier: MPL-2.0 */
/* The conformance suite of journal drivers: what the broker relies on, whatever driver it runs with. A driver is tested by adding a
 * row to `suites`. Checks that only make sense when something is kept ask `driver->durable`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/journal/journal.h"

struct suite {
    const struct journal_driver *driver;
    const char *where; /* made empty before each test; "" for a driver that needs no place */
    struct journal *journal;
};

static struct suite suites[] = {{&journal_memory, "", NULL}};

static struct err err;

static int open_journal(void **state)
{
    struct suite *s = *state;
    return s->driver->open(s->where, &s->journal, &err);
}

static int close_journal(void **state)
{
    struct suite *s = *state;
    s->driver->close(&s->journal);
    return s->journal != NULL;
}

static struct record record(enum record_kind kind, const char *id, const char *header, const char *payload)
{
    return (struct record){.kind = kind,
                           .id = id,
                           .id_bytes = strlen(id),
                           .header = header,
                           .header_bytes = strlen(header),
                           .payload = payload,
                           .payload_bytes = strlen(payload)};
}

static void has_a_name(void **state)
{
    struct suite *s = *state;
    assert_true(strlen(s->driver->name) > 0);
    assert_non_null(s->journal);
}

static void numbers_follow_each_other(void **state)
{
    struct suite *s = *state;
    struct record r[3] = {record(RECORD_SUBMIT, "a", "h1", "p1"), record(RECORD_ATTEMPT, "a", "h2", ""),
                          record(RECORD_DONE, "a", "h3", "result")};
    uint64_t seq = 0;
    assert_int_equal(s->driver->append(s->journal, r, 1, 0, &seq, &err), 0);
    assert_int_equal(seq, 1);
    assert_int_equal(s->driver->append(s->journal, r, 3, seq, &seq, &err), 0);
    assert_int_equal(seq, 4);
    assert_int_equal(s->driver->append(s->journal, r, 0, seq, &seq, &err), 0);
    assert_int_equal(seq, 4);
}

static void another_writer_is_noticed(void **state)
{
    struct suite *s = *state;
    struct record r = record(RECORD_SUBMIT, "a", "h", "p");
    uint64_t seq = 0, untouched = 2385;
    assert_int_equal(s->driver->append(s->journal, &r, 1, 0, &seq, &err), 0);
    static const uint64_t wrong[] = {0, 2, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        err = (struct err){0};
        assert_int_equal(s->driver->append(s->journal, &r, 1, wrong[i], &untouched, &err), KILN_CONFLICT);
        assert_int_equal(untouched, 2385);
        assert_int_equal(err.status, KILN_CONFLICT);
        assert_true(strlen(err.text) > 0);
    }
    assert_int_equal(s->driver->append(s->journal, &r, 1, 1, &seq, &err), 0); /* and nothing of it was kept */
    assert_int_equal(seq, 2);
}

static void commit_makes_everything_durable(void **state)
{
    struct suite *s = *state;
    struct record r = record(RECORD_FORGET, "a", "h", "");
    uint64_t seq = 0, durable = 99;
    assert_int_equal(s->driver->commit(s->journal, &durable, &err), 0);
    assert_int_equal(durable, 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(s->driver->append(s->journal, &r, 1, seq, &seq, &err), 0);
    }
    assert_int_equal(s->driver->commit(s->journal, &durable, &err), 0);
    assert_int_equal(durable, 1000);
}

struct replayed {
    uint64_t last;
    size_t n;
    struct record expected[2];
};

static int take(void *arg, uint64_t seq, const struct record *r)
{
    struct replayed *p = arg;
    assert_int_equal(seq, p->last + 1);
    const struct record *e = &p->expected[p->n % 2];
    assert_int_equal(r->kind, e->kind);
    assert_int_equal(r->id_bytes, e->id_bytes);
    assert_memory_equal(r->id, e->id, e->id_bytes);
    assert_int_equal(r->header_bytes, e->header_bytes);
    assert_memory_equal(r->header, e->header, e->header_bytes);
    assert_int_equal(r->payload_bytes, e->payload_bytes);
    p->last = seq;
    p->n++;
    return 0;
}

static void replay_gives_back_what_was_committed(void **state)
{
    struct suite *s = *state;
    struct replayed p = {.expected = {record(RECORD_SUBMIT, "id-7", "{header}", "payload"),
                                      record(RECORD_FORGET, "id-7", "h", "")}};
    assert_int_equal(s->driver->replay(s->journal, take, &p, &err), 0);
    assert_int_equal(p.n, 0); /* a new journal is empty */
    uint64_t seq = 0, durable = 0;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(s->driver->append(s->journal, p.expected, 2, seq, &seq, &err), 0);
    }
    assert_int_equal(s->driver->commit(s->journal, &durable, &err), 0);
    s->driver->close(&s->journal);
    assert_int_equal(s->driver->open(s->where, &s->journal, &err), 0);
    assert_int_equal(s->driver->replay(s->journal, take, &p, &err), 0);
    assert_int_equal(p.n, s->driver->durable ? 100 : 0);
    /* and it goes on where it ended */
    assert_int_equal(s->driver->append(s->journal, p.expected, 1, s->driver->durable ? 100 : 0, &seq, &err),
                     0);
}

static bool one_more(void *arg, struct record *ret)
{
    int *left = arg;
    *ret = record(RECORD_SUBMIT, "kept", "h", "p");
    return (*left)-- > 0;
}

static void snapshot_and_rotate(void **state)
{
    struct suite *s = *state;
    struct record r = record(RECORD_SUBMIT, "a", "h", "p");
    uint64_t seq = 0;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(s->driver->append(s->journal, &r, 1, seq, &seq, &err), 0);
    }
    int left = 3;
    err = (struct err){0};
    assert_int_equal(s->driver->snapshot(s->journal, 11, one_more, &left, &err),
                     KILN_INVALID); /* of the future */
    assert_true(strlen(err.text) > 0);
    left = 3;
    assert_int_equal(s->driver->snapshot(s->journal, 10, one_more, &left, &err), 0);
    assert_int_equal(s->driver->rotate(s->journal, &err), 0);
    assert_int_equal(s->driver->append(s->journal, &r, 1, 10, &seq, &err), 0); /* numbers go on */
    assert_int_equal(seq, 11);
}

int main(void)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
#define CASE(f)                                                                                              \
    {                                                                                                        \
#f, f, open_journal, close_journal, &suites[i]                                                       \
    }
        const struct CMUnitTest tests[] = {
            CASE(has_a_name),
            CASE(numbers_follow_each_other),
            CASE(another_writer_is_noticed),
            CASE(commit_makes_everything_durable),
            CASE(replay_gives_back_what_was_committed),
            CASE(snapshot_and_rotate),
        };
#undef CASE
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
