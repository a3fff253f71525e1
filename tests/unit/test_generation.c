/* SPDX-License-Identifier: MPL-2.0 */
/* generation, member and process, with real processes: this program started again as `--worker NAME` plays a worker that
 * behaves as its plugin's name says. Time is what the tests say it is, so that back-off needs no waiting. */
#include "folder.h"
#include "pack.h"

#include <poll.h>
#include <signal.h>

#include "clock.h"
#include "daemon/generation.h"
#include "log.h"

/* ---- the worker ---- */

static void tell(uint32_t kind, const char *text)
{
    struct note n = {.kind = kind, .status = KILN_INVALID};
    snprintf(n.text, sizeof n.text, "%s", text);
    snprintf(n.version, sizeof n.version, "1.2.3");
    channel_send(CHANNEL_FD, &n);
}

static void wait_for_drain(void)
{
    struct note n;
    struct pollfd p = {.fd = CHANNEL_FD, .events = POLLIN};
    do {
        poll(&p, 1, -1);
    } while (channel_recv(CHANNEL_FD, &n) == 0);
}

static int play(const char *name)
{
    static struct order o;
    void *options = NULL;
    struct scoreboard *b = NULL;
    if (!channel_recv_order(CHANNEL_FD, &o, &options) ||
        scoreboard_map(CHANNEL_BOARD_FD, o.slots_of_board, &b, NULL)) {
        return 99;
    }
    struct slot *s = &b->slots[o.slot];
    if (strcmp(name, "refuses") == 0) {
        tell(CHANNEL_REFUSED, "abi_major is 9, expected 1");
        return 3;
    }
    if (strcmp(name, "dies") == 0) {
        snprintf(s->step, sizeof s->step, "dies.mean, example \"1..10\"");
        signal(SIGSEGV, SIG_DFL); /* a sanitizer may have taken it */
        raise(SIGSEGV);
    }
    if (strcmp(name, "hangs") == 0) {
        snprintf(s->step, sizeof s->step, "hangs.mean");
        atomic_store(&s->phase, PHASE_WARMING);
        wait_for_drain();
    }
    if (strcmp(name, "looks") == 0) {
        /* What a worker must find: its environment, and no descriptor but its own. */
        bool right = getenv("NOTIFY_SOCKET") == NULL && strcmp(getenv("OPENBLAS_NUM_THREADS"), "1") == 0 &&
                     strcmp(getenv("OMP_NUM_THREADS"), "1") == 0 &&
                     strcmp(getenv("KILN_TEST_KEEP"), "yes") == 0;
        struct stat st;
        for (int fd = CHANNEL_BOARD_FD + 1; fd < 100; fd++) {
            right = right && (fd == b->fd || fstat(fd, &st) < 0);
        }
        right = right && o.options_bytes == 5 && memcmp(options, "abcde", 5) == 0 && o.cpus[0] == 0x05 &&
                o.job_slots == 17;
        if (!right) {
            tell(CHANNEL_REFUSED, "not as it should be");
            return 3;
        }
    }
    tell(CHANNEL_PROVEN, "");
    tell(CHANNEL_REGISTERED, "");
    if (strcmp(name, "works") == 0 || strcmp(name, "stubborn") == 0) {
        const uint64_t tokens[] = {11, 12};
        scoreboard_enter(s, tokens, 2, clock_ns(), 50 * CLOCK_MS);
        for (;;) {
            pause(); /* for ever in plugin code */
        }
    }
    if (strcmp(name, "worn") == 0) {
        atomic_store(&s->jobs, 5);
    }
    wait_for_drain();
    return 0;
}

/* ---- the supervisor ---- */

struct bench {
    struct folder folder;
    struct daemon_config config;
    struct plugin_config *plugin; /* the generation's */
    struct site site;
    struct link link;
    bool used[8];
    struct generation *g;
};

static char bench_name[] = "n1", bench_broker[] = "ipc:///nowhere", bench_level[] = "error";

static struct plugin_config *configured(const char *plugin)
{
    struct plugin_config *p = mem_alloc(sizeof *p);
    *p = (struct plugin_config){
        .name = mem_text(plugin),
        .workers = 1,
        .required = true,
        .limits = {.run_ms = 1000, .warm_ms = 5000, .memory_mb = 64, .job_mb = 1, .files = 64}};
    return p;
}

static struct bench *bench(const char *plugin)
{
    struct bench *b = mem_alloc(sizeof *b);
    struct staged staged = {.digest = "0123", .bytes = 1};
    b->config = (struct daemon_config){
        .broker = bench_broker, .name = bench_name, .log_level = bench_level, .slots = 17};
    struct plugin_config *own = b->plugin = configured(plugin);
    b->site = (struct site){.config = &b->config, .slot_used = b->used, .link = &b->link, .oom = {.fd = -1}};
    assert_int_equal(scoreboard_new(8, &b->site.board, NULL), 0);
    b->g = generation_new(&own, &staged, 1);
    return b;
}

static void bench_free(struct bench *b)
{
    generation_free(&b->g, &b->site);
    for (size_t i = 0; i < 8; i++) {
        assert_false(b->used[i]); /* every slot was given back */
    }
    scoreboard_free(&b->site.board);
    for (size_t i = 0; i < LINK_KEPT; i++) {
        buf_done(&b->link.kept[i]);
    }
    mem_free(b);
}

/* Hears and buries until `done` says so; ten seconds are for ever. */
static void until(struct bench *b, bool (*done)(const struct bench *))
{
    int64_t end_ns = clock_ns() + 10 * CLOCK_S;
    while (!done(b)) {
        assert_true(clock_ns() < end_ns);
        struct pollfd fds[8];
        for (size_t i = 0; i < b->g->n_members; i++) {
            fds[i] = (struct pollfd){.fd = b->g->members[i]->process.channel, .events = POLLIN};
        }
        poll(fds, b->g->n_members, 1);
        for (size_t i = 0; i < b->g->n_members; i++) {
            generation_hear(b->g, b->g->members[i]);
        }
        generation_reap(b->g, &b->site, clock_ns());
    }
}

static bool ready(const struct bench *b)
{
    return generation_serves(b->g);
}

static bool alone(const struct bench *b)
{
    return b->g->n_members == 0;
}

static bool failed(const struct bench *b)
{
    return b->g->state == GENERATION_FAILED && b->g->n_members == 0;
}

static const char *last_gone(const struct bench *b)
{
    assert_true(b->link.n_kept > 0);
    const struct buf *g = &b->link.kept[(b->link.n_kept - 1) % LINK_KEPT];
    return unpack(g->data, g->bytes);
}

/* ---- tests ---- */

static void from_staged_to_retired(void **state)
{
    (void) state;
    struct bench *b = bench("looks");
    b->plugin->cpus = (struct conf_ints){.items = mem_alloc(2 * sizeof(int64_t)), .n = 2};
    b->plugin->cpus.items[1] = 2;
    b->plugin->options = mem_text("abcde");
    b->plugin->options_bytes = 5;
    setenv("NOTIFY_SOCKET", "/nowhere", 1);
    setenv("KILN_TEST_KEEP", "yes", 1);
    assert_int_equal(b->g->state, GENERATION_STAGED);
    generation_tend(b->g, &b->site, clock_ns());
    assert_int_equal(b->g->n_members, 1);
    until(b, ready);
    assert_int_equal(b->g->state, GENERATION_READY);
    assert_string_equal(b->g->version, "1.2.3");
    struct buf out = {0};
    buf_put_map(&out, generation_pairs(b->g));
    generation_put(b->g, &out);
    assert_string_equal(
        unpack(out.data, out.bytes),
        "{\"name\":\"looks\",\"state\":\"ready\",\"generation\":1,\"workers\":1,\"restarts\":0,"
        "\"version\":\"1.2.3\",\"build\":\"0123\"}");
    buf_done(&out);
    generation_drain(b->g, 5000, clock_ns());
    assert_int_equal(b->g->state, GENERATION_DRAINING);
    until(b, alone);
    assert_int_equal(b->g->state, GENERATION_RETIRED);
    assert_int_equal(b->link.n_kept, 0); /* it said bye itself */
    assert_int_equal(generation_tend(b->g, &b->site, clock_ns()), INT64_MAX);
    unsetenv("NOTIFY_SOCKET");
    bench_free(b);
}

static void a_refusal_is_final(void **state)
{
    (void) state;
    struct bench *b = bench("refuses");
    generation_tend(b->g, &b->site, clock_ns());
    until(b, failed);
    assert_string_equal(b->g->why, "abi_major is 9, expected 1");
    assert_int_equal(b->g->restarts, 0);
    assert_int_equal(generation_tend(b->g, &b->site, clock_ns() + 3600 * CLOCK_S), INT64_MAX);
    assert_int_equal(b->g->n_members, 0);
    assert_int_equal(b->link.n_kept, 0); /* the broker never knew it */
    bench_free(b);
}

static void the_third_death_before_ready_is_the_last(void **state)
{
    (void) state;
    struct bench *b = bench("dies");
    int64_t now_ns = clock_ns();
    generation_tend(b->g, &b->site, now_ns);
    until(b, alone);
    assert_int_equal(b->g->restarts, 1);
    now_ns = clock_ns();
    generation_tend(b->g, &b->site, now_ns); /* the first restart is at once */
    assert_int_equal(b->g->n_members, 1);
    until(b, alone);
    assert_int_equal(b->g->restarts, 2);
    now_ns = clock_ns();
    int64_t next_ns = generation_tend(b->g, &b->site, now_ns);
    assert_int_equal(b->g->n_members, 0); /* the second is not */
    assert_true(next_ns > now_ns && next_ns <= now_ns + 100 * CLOCK_MS);
    generation_tend(b->g, &b->site, next_ns);
    assert_int_equal(b->g->n_members, 1);
    until(b, failed);
    assert_string_equal(
        b->g->why,
        "3 workers in a row died before they were ready, the last by signal 11 (Segmentation fault) "
        "at dies.mean, example \"1..10\"");
    bench_free(b);
}

static void warming_has_a_limit(void **state)
{
    (void) state;
    struct bench *b = bench("hangs");
    int64_t now_ns = clock_ns();
    int64_t next_ns = generation_tend(b->g, &b->site, now_ns);
    next_ns = generation_tend(b->g, &b->site, now_ns);
    assert_true(next_ns >= now_ns + 4999 * CLOCK_MS && next_ns <= clock_ns() + 5000 * CLOCK_MS);
    while (atomic_load(&b->g->members[0]->slot->phase) != PHASE_WARMING) {
        poll(NULL, 0, 1);
    }
    generation_tend(b->g, &b->site, next_ns);
    until(b, failed);
    assert_string_equal(
        b->g->why,
        "warming and proving the plugin took longer than limits.warm_ms = 5000, and hangs at hangs.mean");
    bench_free(b);
}

static void a_job_over_its_limit_is_killed_and_named(void **state)
{
    (void) state;
    struct bench *b = bench("works");
    generation_tend(b->g, &b->site, clock_ns());
    until(b, ready);
    struct member *m = b->g->members[0];
    struct running r = {0};
    while (!scoreboard_look(m->slot, false, &r) || r.n == 0) {
        poll(NULL, 0, 1);
    }
    assert_int_equal(r.limit_ns, 50 * CLOCK_MS);
    assert_int_equal(r.n, 2);
    int64_t end_ns = r.started_ns + r.limit_ns;
    assert_true(generation_tend(b->g, &b->site, end_ns - 1) == end_ns); /* not before its time */
    assert_null(m->kill_kind);
    generation_tend(b->g, &b->site, end_ns);
    until(b, alone);
    assert_string_equal(
        last_gone(b),
        "{\"op\":\"gone\",\"wid\":\"n1.works.1\",\"cause\":\"the job ran longer than its limit of 50 ms\","
        "\"kind\":\"deadline\",\"running\":[11,12]}");
    /* It was the job's fault: the worker is back at once, however often. */
    assert_int_equal(b->g->seats[0].failures, 0);
    generation_tend(b->g, &b->site, clock_ns());
    assert_int_equal(b->g->n_members, 1);
    assert_string_equal(b->g->members[0]->wid, "n1.works.2");
    generation_hasten(b->g, 0, 0);
    process_kill(&b->g->members[0]->process);
    b->g->state = GENERATION_DRAINING;
    until(b, alone);
    bench_free(b);
}

static void a_crash_is_told_and_pauses_double(void **state)
{
    (void) state;
    static const int64_t pauses_ms[] = {0, 100, 200, 400};
    struct bench *b = bench("serves");
    for (size_t i = 0; i < sizeof pauses_ms / sizeof *pauses_ms; i++) {
        generation_tend(b->g, &b->site, i ? b->g->seats[0].retry_ns : clock_ns());
        until(b, ready);
        process_kill(&b->g->members[0]->process); /* not by us, as far as the generation knows */
        int64_t now_ns = clock_ns();
        until(b, alone);
        assert_true(b->g->seats[0].retry_ns >= now_ns + pauses_ms[i] * CLOCK_MS);
        assert_true(b->g->seats[0].retry_ns <= clock_ns() + pauses_ms[i] * CLOCK_MS);
        assert_int_equal(b->g->restarts, i + 1);
    }
    assert_string_equal(last_gone(b), "{\"op\":\"gone\",\"wid\":\"n1.serves.4\",\"cause\":\"signal 9 "
                                      "(Killed)\",\"kind\":\"crash\",\"running\":[]}");
    assert_int_equal(b->g->state, GENERATION_STAGED); /* ready once: it does not fail, it goes on trying */
    /* One that was well for a minute starts the count anew. */
    generation_tend(b->g, &b->site, b->g->seats[0].retry_ns);
    until(b, ready);
    b->g->members[0]->proven_ns -= 61 * CLOCK_S;
    process_kill(&b->g->members[0]->process);
    until(b, alone);
    assert_true(b->g->seats[0].retry_ns <= clock_ns());
    bench_free(b);
}

/* What a job does to its worker must not keep the next job waiting for a minute. */
static void a_death_with_a_job_pauses_a_second_at_most(void **state)
{
    (void) state;
    struct bench *b = bench("works");
    b->g->seats[0].failures = 30;
    generation_tend(b->g, &b->site, clock_ns());
    until(b, ready);
    while (!scoreboard_busy(b->g->members[0]->slot)) {
        poll(NULL, 0, 1);
    }
    process_kill(&b->g->members[0]->process);
    int64_t now_ns = clock_ns();
    until(b, alone);
    assert_non_null(strstr(last_gone(b), "\"kind\":\"crash\",\"running\":[11,12]"));
    assert_true(b->g->seats[0].retry_ns >= now_ns + 1000 * CLOCK_MS);
    assert_true(b->g->seats[0].retry_ns <= clock_ns() + 1000 * CLOCK_MS);
    bench_free(b);
    b = bench("serves");
    b->g->seats[0].failures = 30;
    generation_tend(b->g, &b->site, clock_ns());
    until(b, ready);
    process_kill(&b->g->members[0]->process);
    now_ns = clock_ns();
    until(b, alone);
    assert_true(b->g->seats[0].retry_ns >= now_ns + 60 * CLOCK_S);
    bench_free(b);
}

static void who_does_not_drain_is_killed(void **state)
{
    (void) state;
    struct bench *b = bench("stubborn");
    generation_tend(b->g, &b->site, clock_ns());
    until(b, ready);
    while (!scoreboard_busy(b->g->members[0]->slot)) {
        poll(NULL, 0, 1);
    }
    int64_t now_ns = clock_ns();
    /* Its own limit would end it sooner: this is about the drain. */
    atomic_store(&b->g->members[0]->slot->limit_ns, 3600 * CLOCK_S);
    generation_drain(b->g, 2000, now_ns);
    assert_int_equal(atomic_load(&b->g->members[0]->slot->draining), 1);
    assert_true(generation_tend(b->g, &b->site, now_ns) <= now_ns + 2000 * CLOCK_MS);
    assert_null(b->g->members[0]->kill_kind);
    generation_hasten(b->g, 100, now_ns);
    assert_int_equal(atomic_load(&b->g->members[0]->slot->cancelled), 1);
    generation_tend(b->g, &b->site, now_ns + 100 * CLOCK_MS);
    until(b, alone);
    assert_non_null(strstr(last_gone(b), "\"kind\":\"stop\",\"running\":[11,12]"));
    assert_int_equal(b->g->state, GENERATION_RETIRED);
    bench_free(b);
}

static bool replaced(const struct bench *b)
{
    return b->g->n_members == 1 && strcmp(b->g->members[0]->wid, "n1.worn.2") == 0;
}

static void a_worn_worker_is_replaced_without_a_gap(void **state)
{
    (void) state;
    struct bench *b = bench("worn");
    generation_tend(b->g, &b->site, clock_ns());
    until(b, ready);
    while (atomic_load(&b->g->members[0]->slot->jobs) < 5) {
        poll(NULL, 0, 1);
    }
    generation_tend(b->g, &b->site, clock_ns());
    assert_int_equal(b->g->n_members, 1); /* no limit, no recycling */
    b->plugin->recycle.jobs = 5;
    generation_tend(b->g, &b->site, clock_ns());
    assert_int_equal(b->g->n_members, 2);
    generation_tend(b->g, &b->site, clock_ns());
    assert_int_equal(b->g->n_members, 2); /* one successor is enough */
    assert_true(generation_serves(b->g));
    b->plugin->recycle.jobs = 1000;
    until(b, replaced);
    assert_true(generation_serves(b->g));
    assert_int_equal(b->g->members[0]->role, MEMBER_CURRENT);
    assert_int_equal(b->g->restarts, 0);
    assert_int_equal(b->link.n_kept, 0);
    generation_drain(b->g, 1000, clock_ns());
    until(b, alone);
    bench_free(b);
}

static void one_that_could_not_be_staged(void **state)
{
    (void) state;
    struct bench *b = bench("absent");
    generation_free(&b->g, &b->site);
    struct plugin_config *own = configured("absent");
    b->g = generation_failed(&own, "plugin file x.so cannot be opened");
    assert_int_equal(generation_tend(b->g, &b->site, clock_ns()), INT64_MAX);
    generation_drain(b->g, 5, clock_ns());
    generation_reap(b->g, &b->site, clock_ns());
    struct buf out = {0};
    buf_put_map(&out, generation_pairs(b->g));
    generation_put(b->g, &out);
    assert_string_equal(
        unpack(out.data, out.bytes),
        "{\"name\":\"absent\",\"state\":\"failed\",\"generation\":0,\"workers\":0,\"restarts\":0}");
    assert_string_equal(b->g->why, "plugin file x.so cannot be opened");
    buf_done(&out);
    bench_free(b);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--worker") == 0) {
        _exit(play(argv[2]));
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_staged_to_retired),
        cmocka_unit_test(a_refusal_is_final),
        cmocka_unit_test(the_third_death_before_ready_is_the_last),
        cmocka_unit_test(warming_has_a_limit),
        cmocka_unit_test(a_job_over_its_limit_is_killed_and_named),
        cmocka_unit_test(a_crash_is_told_and_pauses_double),
        cmocka_unit_test(a_death_with_a_job_pauses_a_second_at_most),
        cmocka_unit_test(who_does_not_drain_is_killed),
        cmocka_unit_test(a_worn_worker_is_replaced_without_a_gap),
        cmocka_unit_test(one_that_could_not_be_staged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
