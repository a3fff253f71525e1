/* SPDX-License-Identifier: MPL-2.0 */
/* peers, and how they come and go: hello, resume, silence, death. */
#include "fake_broker.h"

static struct peer node_peer(struct fake *f, const char *wid)
{
    struct peer p = peer_open(f->back);
    say(&p, NULL, "{op:'hello', role:'node', wid:'%s', session:'n1', pid:77, host:'box'}", wid);
    fake_turn(f);
    assert_string_equal(text(hear(&p), "status"), "ok");
    return p;
}

static struct worker *worker_named(struct fake *f, const char *wid)
{
    return zhashx_lookup(f->b.peers.workers, wid);
}

static void hello_is_welcomed_with_what_a_worker_must_know(void **state)
{
    (void) state;
    struct fake f;
    fake_open(&f);
    struct peer w = fake_worker(&f, "w1", "stats", "mean sum");
    assert_int_equal(number(w.heard, "beat_ms"), 60000);
    assert_int_equal(number(w.heard, "lease_ms"), 600000);
    assert_int_equal(number(w.heard, "max_bytes"), 64 << 20);
    assert_string_equal(text(w.heard, "journal"), "memory");
    assert_true((uint64_t) number(w.heard, "epoch") == f.b.epoch);
    assert_null(at(w.heard, "lost"));
    struct peer quick = peer_open(f.back); /* under a microsecond is 0, and not the same as nothing said */
    say(&quick, "[{},{}]",
        "{op:'hello', role:'worker', wid:'w2', session:'s', plugin:'p', functions:[{name:'a', warm_us:0}, "
        "{name:'b'}]}");
    fake_turn(&f);
    assert_int_equal(fake_function(&f, "p.a")->cost_ns, 1000);
    assert_int_equal(fake_function(&f, "p.b")->cost_ns, 1000000);
    say(&quick, NULL, "{op:'bye'}");
    fake_turn(&f);
    peer_close(&quick);
    struct worker *me = worker_named(&f, "w1");
    assert_string_equal(me->label, "stats/1.2.3+b7");
    assert_int_equal(me->n_functions, 2);
    assert_true(me->reported);
    say(&w, NULL, "{op:'bye'}");
    fake_turn(&f);
    assert_null(worker_named(&f, "w1"));
    assert_int_equal(fake_function(&f, "stats.sum")->n_workers, 0);
    assert_int_equal(f.b.counters.workers_joined, 2);
    assert_int_equal(f.b.counters.workers_left, 2);
    assert_int_equal(f.b.counters.workers_lost, 0);
    peer_close(&w);
    fake_close(&f);
}

static void strangers_are_asked_who_they_are(void **state)
{
    (void) state;
    struct fake f;
    fake_open(&f);
    struct peer p = peer_open(f.back);
    say(&p, NULL, "{op:'credit', limit:9}");
    fake_turn(&f);
    assert_string_equal(text(hear(&p), "op"), "who");
    assert_int_equal(f.b.counters.worker_messages_bad, 1);
    peer_close(&p);
    fake_close(&f);
}

/* A hello that is refused changes nothing: whoever was there before goes on. */
static void a_refused_hello_leaves_everything_as_it_was(void **state)
{
    (void) state;
    static const struct {
        const char *payloads, *header, *why;
    } cases[] = {
        {"[{}]",
         "{op:'hello', role:'worker', wid:'w1', session:'s9', plugin:'stats', functions:[{name:'Bad'}]}",
         "stats.Bad"},
        {"[{},{}]",
         "{op:'hello', role:'worker', wid:'w1', session:'s9', plugin:'stats', "
         "functions:[{name:'new'},{name:'mean'},7]}",
         "2 payloads"},
        {"[{},{}]",
         "{op:'hello', role:'worker', wid:'w1', session:'s9', plugin:'stats', functions:[{name:'new'},7]}",
         "not a map"},
        {"[{}]",
         "{op:'hello', role:'worker', wid:'w1', session:'s9', plugin:'stats', functions:[{name:'new', "
         "max_batch:-1}]}",
         "max_batch is -1"},
        {NULL, "{op:'hello', role:'worker', session:'s9', plugin:'stats'}", "wid is missing"},
        {NULL, "{op:'hello', role:'worker', wid:'a b', session:'s9', plugin:'stats'}", "blanks"},
        {NULL, "{op:'hello', role:'worker', wid:'w1', plugin:'stats'}", "session is missing"},
        {NULL, "{op:'hello', role:'worker', wid:'w1', session:'s9'}", "plugin is missing"},
        {NULL, "{op:'hello', role:'worker', wid:'w1', session:'s9', plugin:'stats', pid:'x'}", "pid is"},
        {NULL, "{op:'hello', role:'worker', wid:'w1', session:'s9', plugin:'stats', functions:3}",
         "functions is 3"},
        {NULL, "{op:'hello', role:'worker', wid:'w1', session:'s9', plugin:'stats', resume:3}",
         "resume is 3"},
        {NULL, "{op:'hello', role:'node', session:'s9'}", "wid is missing"},
        {NULL, "{op:'hello', role:'boss', wid:'w1'}", "role is"},
        {NULL, "{op:'hello'}", "role is"},
    };
    struct fake f;
    fake_open(&f);
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    struct worker *me = worker_named(&f, "w1");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        say(&w, cases[i].payloads, "%s", cases[i].header);
        fake_turn(&f);
        json_t *m = hear(&w);
        assert_string_equal(text(m, "op"), "welcome");
        assert_string_equal(text(m, "status"), "invalid");
        if (!strstr(text(m, "error"), cases[i].why)) {
            fail_msg("case %zu: \"%s\" has no \"%s\"", i, text(m, "error"), cases[i].why);
        }
        assert_ptr_equal(worker_named(&f, "w1"), me);
        assert_int_equal(fake_function(&f, "stats.mean")->n_workers, 1);
        assert_null(catalogue_find(&f.b.catalogue, "stats.new", 9));
        assert_int_equal(f.b.counters.worker_messages_bad, i + 1);
    }
    assert_int_equal(f.b.counters.workers_joined, 1);
    /* A payload that is no msgpack would spoil the statistics of everybody. */
    static const char hello[] =
        "{op:'hello', role:'worker', wid:'w1', session:'s9', plugin:'stats', functions:[]}";
    struct buf header = {0};
    loose(hello, &header);
    frame_send(w.socket, header.data, header.bytes, ZMQ_SNDMORE);
    frame_send(w.socket, "\x93\x01", 2, 0);
    buf_done(&header);
    fake_turn(&f);
    assert_non_null(strstr(text(hear(&w), "error"), "payload 0 of hello"));
    assert_ptr_equal(worker_named(&f, "w1"), me);
    peer_close(&w);
    fake_close(&f);
}

/* The worst kind: it comes on a connection that somebody has, and is refused, with the log naming the peer. */
static void a_refused_hello_on_a_used_connection(void **state)
{
    (void) state;
    struct fake f;
    fake_open(&f);
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    say(&w, "[{}]", "{op:'hello', role:'worker', wid:'w2', session:'s', plugin:'p', functions:[{name:'?'}]}");
    fake_turn(&f);
    assert_string_equal(text(hear(&w), "status"), "invalid");
    say(&w, NULL, "{op:'dance'}"); /* still w1, and still understood */
    fake_turn(&f);
    hears_nothing(&w);
    assert_non_null(worker_named(&f, "w1"));
    peer_close(&w);
    fake_close(&f);
}

static void another_session_takes_the_name(void **state)
{
    (void) state;
    struct fake f;
    fake_open(&f);
    struct peer p = fake_producer(&f), w = fake_worker(&f, "w1", "stats", "mean");
    give_credit(&w, 5);
    say(&p, "[{},{}]", "{op:'call', fn:'stats.mean', jobs:[{},{}]}");
    fake_turn(&f);
    assert_int_equal(length(hear(&w), "jobs"), 2);
    int64_t stale = number(w.heard, "jobs.0.token");
    struct peer w2 = peer_open(f.back);
    say_hello(&w2, "w1", "s2", "stats", "mean", "");
    fake_turn(&f);
    assert_string_equal(text(hear(&w2), "op"), "welcome");
    assert_int_equal(zhashx_size(f.b.peers.workers), 1);
    assert_int_equal(f.b.counters.jobs_given_back, 2);
    assert_int_equal(fake_function(&f, "stats.mean")->queue.count, 2);
    /* The old process is a stranger now. */
    say_done(&w, stale, "ok", "", "{r:1}");
    fake_turn(&f);
    assert_string_equal(text(hear(&w), "op"), "who");
    hears_nothing(&p);
    give_credit(&w2, 5);
    fake_turn(&f);
    assert_int_equal(length(hear(&w2), "jobs"), 2);
    assert_int_equal(term(w2.heard, 0, "attempt"), 1); /* uncharged */
    /* Nor can the new one close the old lease. */
    say_done(&w2, stale, "ok", "", "{r:1}");
    fake_turn(&f);
    assert_int_equal(f.b.counters.done_stale, 1);
    assert_int_equal(number(hear(&w2), "stale.0"), stale);
    peer_close(&w2);
    peer_close(&w);
    peer_close(&p);
    fake_close(&f);
}

static void the_same_session_resumes(void **state)
{
    (void) state;
    struct fake f;
    fake_open(&f);
    f.b.config.ahead_us = 1000000;
    struct peer p = fake_producer(&f), w = fake_worker(&f, "w1", "stats", "mean");
    give_credit(&w, 3);
    say(&p, "[{},{},{}]", "{op:'call', fn:'stats.mean', jobs:[{},{},{}]}");
    fake_turn(&f);
    assert_int_equal(length(hear(&w), "jobs"), 3);
    int64_t kept = number(w.heard, "jobs.1.token"), dropped = number(w.heard, "jobs.0.token");
    struct peer w2 =
        peer_open(f.back); /* a new connection of the same process, holding one job and one nobody knows */
    char more[200];
    snprintf(more, sizeof more, ", resume:[%lld, 4711, 'x']", (long long) kept);
    say_hello(&w2, "w1", "s1", "stats", "mean", more);
    fake_turn(&f);
    json_t *m = hear(&w2);
    assert_int_equal(length(m, "lost"), 2);
    assert_int_equal(number(m, "lost.0"), 4711);
    assert_int_equal(f.b.counters.workers_joined, 1);
    struct worker *me = worker_named(&f, "w1");
    assert_int_equal(me->running, 1);
    assert_int_equal(f.b.counters.jobs_given_back, 2);
    hears_nothing(&w2); /* its credit counts anew */
    say_done(&w2, kept, "ok", "", "{r:2385}");
    fake_turn(&f);
    hear(&p);
    assert_int_equal(number(p.heard, "jobs.0.id"), 1);
    assert_int_equal(number(payload(&p, 0), "r"), 2385);
    say_done(&w2, dropped, "ok", "", "{r:1}");
    give_credit(&w2, 2);
    fake_turn(&f);
    assert_int_equal(number(hear(&w2), "stale.0"), dropped);
    assert_int_equal(length(hear(&w2), "jobs"), 2);
    peer_close(&w2);
    peer_close(&w);
    peer_close(&p);
    fake_close(&f);
}

/* A worker that knows another's token can neither end that job, nor hand it back, nor claim it. */
static void a_lease_belongs_to_one_worker(void **state)
{
    (void) state;
    struct fake f;
    fake_open(&f);
    struct peer p = fake_producer(&f), w = fake_worker(&f, "w1", "stats", "mean"),
                thief = fake_worker(&f, "w2", "stats", "sum");
    give_credit(&w, 1);
    say(&p, "[{}]", "{op:'call', fn:'stats.mean'}");
    fake_turn(&f);
    int64_t token = number(hear(&w), "jobs.0.token");
    say_done(&thief, token, "ok", "", "{r:1}");
    say(&thief, NULL, "{op:'release', tokens:[%lld]}", (long long) token);
    fake_turn(&f);
    assert_int_equal(number(hear(&thief), "stale.0"), token);
    char more[100];
    snprintf(more, sizeof more, ", resume:[%lld]", (long long) token);
    say_hello(&thief, "w2", "s1", "stats", "sum", more);
    fake_turn(&f);
    assert_int_equal(number(hear(&thief), "lost.0"), token);
    hears_nothing(&p);
    assert_int_equal(f.b.counters.jobs_given_back, 0);
    assert_int_equal(worker_named(&f, "w1")->running, 1);
    say_done(&w, token, "ok", "", "{r:2385}");
    fake_turn(&f);
    assert_int_equal(number((hear(&p), payload(&p, 0)), "r"), 2385);
    peer_close(&thief);
    peer_close(&w);
    peer_close(&p);
    fake_close(&f);
}

static void silence_is_death(void **state)
{
    (void) state;
    struct fake f;
    fake_open(&f);
    struct peer n = node_peer(&f, "box");
    struct peer w = peer_open(f.back), alone = fake_worker(&f, "w2", "echo", "echo");
    say_hello(&w, "w1", "s", "stats", "mean", ", node:'box'");
    fake_turn(&f);
    hear(&w);
    assert_non_null(worker_named(&f, "w1")->node);
    later(&f, 590000);
    assert_int_equal(zhashx_size(f.b.peers.workers), 2);
    /* The node beats: its worker lives, the one that speaks for itself does not. */
    say(&n, NULL, "{op:'beat', plugins:[{name:'stats'}]}");
    fake_turn(&f);
    struct node *box = zhashx_lookup(f.b.peers.nodes, "box");
    box->heard_ns += 60 * CLOCK_S; /* as if it had come that much later */
    assert_string_equal(text(hear(&n), "state"), "run");
    later(&f, 650001);
    assert_non_null(worker_named(&f, "w1"));
    assert_null(worker_named(&f, "w2"));
    assert_int_equal(f.b.counters.workers_lost, 1);
    later(&f, 800001);
    assert_null(worker_named(&f, "w1"));
    assert_int_equal(f.b.counters.nodes_lost, 1);
    assert_int_equal(zhashx_size(f.b.peers.by_route), 0);
    peer_close(&alone);
    peer_close(&w);
    peer_close(&n);
    fake_close(&f);
}

static void a_node_that_comes_after_its_workers_gets_them(void **state)
{
    (void) state;
    struct fake f;
    fake_open(&f);
    struct peer w = peer_open(f.back);
    say_hello(&w, "w1", "s", "stats", "mean", ", node:'box'");
    fake_turn(&f);
    assert_null(worker_named(&f, "w1")->node);
    struct peer n = node_peer(&f, "box");
    assert_non_null(worker_named(&f, "w1")->node);
    struct peer again = node_peer(&f, "box"); /* restarted: takes its name and its workers */
    assert_ptr_equal(worker_named(&f, "w1")->node, zhashx_lookup(f.b.peers.nodes, "box"));
    assert_int_equal(zhashx_size(f.b.peers.nodes), 1);
    say(&again, NULL, "{op:'bye'}");
    fake_turn(&f);
    assert_null(worker_named(&f, "w1")->node);
    /* A node may be called like a worker without being in its way. */
    struct peer namesake = node_peer(&f, "w1");
    assert_non_null(worker_named(&f, "w1"));
    peer_close(&namesake);
    peer_close(&again);
    peer_close(&n);
    peer_close(&w);
    fake_close(&f);
}

/* What a death costs whom: one running job is charged, several are run again alone, the waiting ones are given back. */
static void gone(void **state)
{
    (void) state;
    static const struct {
        const char *kind;
        int running; /* of the three delivered */
        uint64_t crashed, back, solo;
        const char *status; /* of the job that was running; NULL: it waits again */
    } cases[] = {
        {"crash", 1, 1, 2, 0, NULL},          {"memory", 1, 1, 2, 0, NULL}, {"stop", 1, 0, 3, 0, NULL},
        {"deadline", 1, 0, 2, 0, "deadline"}, {"crash", 2, 0, 3, 2, NULL},  {"deadline", 3, 0, 3, 3, NULL},
        {"crash", 0, 0, 3, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake f;
        fake_open(&f);
        f.b.config.ahead_us = 1000000;
        struct peer n = node_peer(&f, "box"), p = fake_producer(&f), w = peer_open(f.back);
        say_hello(&w, "w1", "s", "stats", "mean", ", node:'box'");
        give_credit(&w, 9);
        say(&p, "[{},{},{}]", "{op:'call', fn:'stats.mean', jobs:[{},{},{}]}");
        fake_turn(&f);
        hear(&w);
        assert_int_equal(length(hear(&w), "jobs"), 3);
        char tokens[200] = "";
        for (int k = 0; k < cases[i].running; k++) {
            char path[32];
            snprintf(path, sizeof path, "jobs.%d.token", k);
            snprintf(tokens + strlen(tokens), 60, "%s%lld", k ? "," : "", (long long) number(w.heard, path));
        }
        say(&n, NULL, "{op:'gone', wid:'w1', cause:'signal 11', kind:'%s', running:[%s]}", cases[i].kind,
            tokens);
        fake_turn(&f);
        assert_null(worker_named(&f, "w1"));
        assert_int_equal(f.b.counters.jobs_crashed, cases[i].crashed);
        assert_int_equal(f.b.counters.jobs_given_back, cases[i].back);
        assert_int_equal(f.b.leases.open, 0);
        struct queue *q = &fake_function(&f, "stats.mean")->queue;
        assert_int_equal(q->count, cases[i].status ? 2 : 3);
        uint64_t solo = 0;
        for (struct job *j = queue_first(q); j; j = j->next) {
            solo += j->solo;
            assert_int_equal(j->attempt, 0);
        }
        assert_int_equal(solo, cases[i].solo);
        if (cases[i].status) {
            json_t *m = hear(&p);
            assert_string_equal(text(m, "jobs.0.status"), cases[i].status);
            assert_string_equal(text(m, "jobs.0.error"), "signal 11");
            assert_string_equal(text(m, "worker"), "w1");
        } else {
            hears_nothing(&p);
        }
        /* Of another's worker, or twice: nothing happens. */
        say(&n, NULL, "{op:'gone', wid:'w1', cause:'again', kind:'crash', running:[%s]}", tokens);
        fake_turn(&f);
        assert_int_equal(f.b.counters.jobs_crashed, cases[i].crashed);
        peer_close(&w);
        peer_close(&p);
        peer_close(&n);
        fake_close(&f);
    }
}

static void releasing_keeps_the_order(void **state)
{
    (void) state;
    struct fake f;
    fake_open(&f);
    f.b.config.ahead_us = 1000000;
    struct peer p = fake_producer(&f), w = fake_worker(&f, "w1", "stats", "mean");
    give_credit(&w, 3);
    say(&p, "[{},{},{},{}]", "{op:'call', fn:'stats.mean', jobs:[{},{},{},{}]}");
    fake_turn(&f);
    json_t *m = hear(&w);
    say(&w, NULL, "{op:'release', tokens:[%lld,%lld,4711,'x']}", (long long) number(m, "jobs.1.token"),
        (long long) number(m, "jobs.2.token"));
    fake_turn(&f);
    struct job *j = queue_first(&fake_function(&f, "stats.mean")->queue);
    for (uint64_t id = 1; id <= 3; id++, j = j->next) {
        struct wire_id expected = id_number(id);
        assert_true(id_equal(&j->id, &expected));
    }
    assert_null(j);
    assert_int_equal(f.b.counters.jobs_given_back, 2);
    peer_close(&w);
    peer_close(&p);
    fake_close(&f);
}

static void deliveries(void **state)
{
    (void) state;
    struct worker w = {0};
    assert_int_equal(worker_slot(&w), 0);
    w.deliveries[0] = 2;
    assert_int_equal(worker_slot(&w), 1);
    w.deliveries[1] = 1;
    assert_int_equal(worker_slot(&w), -1);
    worker_settle(&w, 0);
    assert_int_equal(worker_slot(&w), -1);
    worker_settle(&w, 1);
    assert_int_equal(worker_slot(&w), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_is_welcomed_with_what_a_worker_must_know),
        cmocka_unit_test(strangers_are_asked_who_they_are),
        cmocka_unit_test(a_refused_hello_leaves_everything_as_it_was),
        cmocka_unit_test(a_refused_hello_on_a_used_connection),
        cmocka_unit_test(another_session_takes_the_name),
        cmocka_unit_test(the_same_session_resumes),
        cmocka_unit_test(a_lease_belongs_to_one_worker),
        cmocka_unit_test(silence_is_death),
        cmocka_unit_test(a_node_that_comes_after_its_workers_gets_them),
        cmocka_unit_test(gone),
        cmocka_unit_test(releasing_keeps_the_order),
        cmocka_unit_test(deliveries),
    };
    return fake_end(cmocka_run_group_tests(tests, NULL, NULL));
}
