/* SPDX-License-Identifier: MPL-2.0 */
#include "scoreboard.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"

static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
              "shared between processes: must be lock-free");

static int map(int fd, size_t slots, struct scoreboard **ret_board, struct err *err)
{
    void *at = mmap(NULL, slots * sizeof(struct slot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        return err_set(err, KILN_INTERNAL, NULL, "scoreboard of %zu slots cannot be mapped: %s", slots,
                       strerror(errno));
    }
    struct scoreboard *b = mem_alloc(sizeof *b);
    *b = (struct scoreboard){.fd = fd, .n = slots, .slots = at};
    *ret_board = b;
    return 0;
}

int scoreboard_new(size_t slots, struct scoreboard **ret_board, struct err *err)
{
    int fd = memfd_create("kiln-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t) (slots * sizeof(struct slot))) < 0) {
        err_set(err, KILN_INTERNAL, NULL, "scoreboard of %zu slots cannot be made: %s", slots,
                strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return KILN_INTERNAL;
    }
    /* A worker has the descriptor: cut short by one, the memory would be gone under everybody. */
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    int status = map(fd, slots, ret_board, err);
    if (status) {
        close(fd);
    }
    return status;
}

int scoreboard_map(int fd, size_t slots, struct scoreboard **ret_board, struct err *err)
{
    return map(fd, slots, ret_board, err);
}

void scoreboard_free(struct scoreboard **board)
{
    if (*board) {
        munmap((*board)->slots, (*board)->n * sizeof(struct slot));
        close((*board)->fd);
        mem_free(*board);
        *board = NULL;
    }
}

void scoreboard_reset(struct slot *s)
{
    atomic_store(&s->turn, 0);
    atomic_store(&s->running, 0);
    atomic_store(&s->unsent, 0);
    atomic_store(&s->started_ns, 0);
    atomic_store(&s->limit_ns, 0);
    atomic_store(&s->jobs, 0);
    atomic_store(&s->heartbeat_ns, 0);
    atomic_store(&s->resident_bytes, 0);
    atomic_store(&s->phase, PHASE_STARTING);
    atomic_store(&s->cancelled, 0);
    atomic_store(&s->draining, 0);
    atomic_store(&s->counting, 0);
    atomic_store(&s->tally.of, 0);
    s->step[0] = '\0';
}

const char *scoreboard_step(const struct slot *s, char *out, size_t bytes)
{
    snprintf(out, bytes, "%.*s", SCOREBOARD_STEP_BYTES - 1, s->step);
    return out;
}

/* The brackets: each store of the body is a release, so none is seen before `turn` became odd, and `turn` becomes even
 * by a release, so none is seen after. On x86 these are plain stores. */
static uint32_t change_begin(struct slot *s)
{
    uint32_t turn = atomic_load_explicit(&s->turn, memory_order_relaxed);
    atomic_store_explicit(&s->turn, turn + 1, memory_order_relaxed);
    return turn + 2;
}

void scoreboard_enter(struct slot *s, const uint64_t *tokens, size_t n, int64_t now_ns, int64_t limit_ns)
{
    uint32_t unsent = atomic_load_explicit(&s->unsent, memory_order_relaxed);
    if (n > SCOREBOARD_TOKENS || unsent > SCOREBOARD_TOKENS - n) {
        unsent = 0; /* nobody of ours makes it so full; a plugin may have scribbled on it */
    }
    uint32_t next = change_begin(s);
    for (size_t i = 0; i < n; i++) {
        atomic_store_explicit(&s->tokens[unsent + i], tokens[i], memory_order_release);
    }
    atomic_store_explicit(&s->unsent, unsent, memory_order_release);
    atomic_store_explicit(&s->started_ns, now_ns, memory_order_release);
    atomic_store_explicit(&s->limit_ns, limit_ns, memory_order_release);
    atomic_store_explicit(&s->running, (uint32_t) n, memory_order_release);
    atomic_store_explicit(&s->turn, next, memory_order_release);
}

void scoreboard_leave(struct slot *s)
{
    uint32_t unsent = atomic_load_explicit(&s->unsent, memory_order_relaxed);
    unsent += atomic_load_explicit(&s->running, memory_order_relaxed);
    uint32_t next = change_begin(s);
    atomic_store_explicit(&s->running, 0, memory_order_release);
    atomic_store_explicit(&s->unsent, unsent, memory_order_release);
    atomic_store_explicit(&s->turn, next, memory_order_release);
}

void scoreboard_settle(struct slot *s)
{
    atomic_store_explicit(&s->unsent, 0, memory_order_release);
}

size_t scoreboard_room(const struct slot *s)
{
    uint32_t unsent = atomic_load_explicit(&s->unsent, memory_order_relaxed);
    return unsent < SCOREBOARD_TOKENS ? SCOREBOARD_TOKENS - unsent : 0;
}

/* Fills it straight, which the caller must not use when the look fails. The counts are bounded again: the memory is a
 * worker's, and a plugin may have scribbled on it. */
static void copy(const struct slot *s, bool dead, struct running *r)
{
    uint32_t unsent = atomic_load_explicit(&s->unsent, memory_order_acquire);
    uint32_t running = atomic_load_explicit(&s->running, memory_order_acquire);
    unsent = unsent <= SCOREBOARD_TOKENS ? unsent : SCOREBOARD_TOKENS;
    r->inside = running > 0;
    r->started_ns = atomic_load_explicit(&s->started_ns, memory_order_acquire);
    r->limit_ns = atomic_load_explicit(&s->limit_ns, memory_order_acquire);
    uint32_t from = r->inside ? unsent : 0, most = SCOREBOARD_TOKENS - from;
    uint32_t n = r->inside ? running : dead ? unsent : 0;
    r->n = n <= most ? n : most;
    for (size_t i = 0; i < r->n; i++) {
        r->tokens[i] = atomic_load_explicit(&s->tokens[from + i], memory_order_acquire);
    }
}

bool scoreboard_look(const struct slot *s, bool dead, struct running *ret_running)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        uint32_t before = atomic_load_explicit(&s->turn, memory_order_acquire);
        if ((before & 1) && !dead) {
            continue;
        }
        copy(s, dead, ret_running);
        if (dead || atomic_load_explicit(&s->turn, memory_order_relaxed) == before) {
            return true;
        }
    }
    return false;
}

/* ---- counting ---- */

void scoreboard_count(struct slot *s, uint32_t counting, bool ok, int64_t run_ns)
{
    struct tally *t = &s->tally;
    if (atomic_load_explicit(&t->of, memory_order_relaxed) != counting) {
        atomic_store_explicit(&t->of, 0, memory_order_release); /* nobody adds up what is half emptied */
        atomic_store_explicit(&t->ok, 0, memory_order_release);
        atomic_store_explicit(&t->bad, 0, memory_order_release);
        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
            atomic_store_explicit(&t->run[i], 0, memory_order_release);
        }
        atomic_store_explicit(&t->of, counting, memory_order_release);
    }
    /* One writer: a load and a store will do. */
    _Atomic uint64_t *n = ok ? &t->ok : &t->bad, *bucket = &t->run[histogram_bucket(run_ns)];
    atomic_store_explicit(bucket, atomic_load_explicit(bucket, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1, memory_order_release);
}

void scoreboard_sum(const struct slot *s, uint32_t counting, uint64_t *ok, uint64_t *bad,
                    struct histogram *run)
{
    const struct tally *t = &s->tally;
    if (atomic_load_explicit(&t->of, memory_order_acquire) != counting) {
        return;
    }
    run->max_ns = INT64_MAX; /* not known: quantiles end at their bucket */
    *ok += atomic_load_explicit(&t->ok, memory_order_acquire);
    *bad += atomic_load_explicit(&t->bad, memory_order_acquire);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t n = atomic_load_explicit(&t->run[i], memory_order_relaxed);
        run->buckets[i] += n;
        run->count += n;
    }
}
