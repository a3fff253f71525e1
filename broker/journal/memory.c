/* SPDX-License-Identifier: MPL-2.0 */
/* The journal of a broker that forgets when it stops: numbers the records and keeps none. */
#include "journal.h"

#include "mem.h"

struct journal {
    uint64_t seq;
};

static int memory_open(const char *where, struct journal **ret, struct err *err)
{
    (void) where;
    (void) err;
    *ret = mem_alloc(sizeof **ret);
    return 0;
}

static void memory_close(struct journal **journal)
{
    mem_free(*journal);
    *journal = NULL;
}

static int memory_replay(struct journal *j, int (*take)(void *arg, uint64_t seq, const struct record *r),
                         void *arg, struct err *err)
{
    (void) j; /* a memory journal that was just opened is empty */
    (void) take;
    (void) arg;
    (void) err;
    return 0;
}

static int memory_append(struct journal *j, const struct record *records, size_t n, uint64_t expect_seq,
                         uint64_t *ret_seq, struct err *err)
{
    (void) records;
    if (expect_seq != j->seq) {
        return err_set(err, KILN_CONFLICT, NULL, "journal is at record %llu, expected %llu",
                       (unsigned long long) j->seq, (unsigned long long) expect_seq);
    }
    *ret_seq = j->seq += n;
    return 0;
}

static int memory_commit(struct journal *j, uint64_t *ret_durable_seq, struct err *err)
{
    (void) err;
    *ret_durable_seq = j->seq; /* as durable as this journal can be */
    return 0;
}

static int memory_snapshot(struct journal *j, uint64_t seq, bool (*next)(void *arg, struct record *ret),
                           void *arg, struct err *err)
{
    (void) next;
    (void) arg;
    if (seq > j->seq) {
        return err_set(err, KILN_INVALID, NULL, "snapshot at record %llu of %llu", (unsigned long long) seq,
                       (unsigned long long) j->seq);
    }
    return 0;
}

static int memory_rotate(struct journal *j, struct err *err)
{
    (void) j;
    (void) err;
    return 0;
}

const struct journal_driver journal_memory = {
    .name = "memory",
    .durable = false,
    .open = memory_open,
    .close = memory_close,
    .replay = memory_replay,
    .append = memory_append,
    .commit = memory_commit,
    .snapshot = memory_snapshot,
    .rotate = memory_rotate,
};
