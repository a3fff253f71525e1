/* SPDX-License-Identifier: MPL-2.0 */
/* schedule: which job goes to which worker, how many together. */
#include "fake_broker.h"
#include "seeded.h"

static struct fake f;
static struct peer p;

static int begin(void **state)
{
    (void) state;
    f = (struct fake){0};
    fake_open(&f);
    p = fake_producer(&f);
    return 0;
}

static int end(void **state)
{
    (void) state;
    peer_close(&p);
    fake_close(&f);
    return 0;
}

static void call(const char *fn, size_t n)
{
    char jobs[4000] = "", payloads[4000] = "";
    assert_in_range(n, 1, 1000);
    for (size_t i = 0; i < n; i++) {
        strcat(jobs, i ? ",{}" : "{}");
        strcat(payloads, i ? ",{}" : "{}");
    }
    char list[4100];
    snprintf(list, sizeof list, "[%s]", payloads);
    say(&p, list, "{op:'call', fn:'%s', jobs:[%s]}", fn, jobs);
}

static struct worker *me(const char *wid)
{
    struct worker *w = zhashx_lookup(f.b.peers.workers, wid);
    assert_non_null(w);
    return w;
}

static void cost(const char *fn, int64_t us)
{
    fake_function(&f, fn)->cost_ns = us * CLOCK_US;
}

/* How many jobs came in the next message; 0: there is none. */
static size_t jobs_heard(struct peer *w)
{
    return hear_any(w) ? length(w->heard, "jobs") : 0;
}

static void finish_all(struct peer *w)
{
    for (size_t i = 0; i < length(w->heard, "jobs"); i++) {
        say_done(w, json_integer_value(json_object_get(json_array_get(at(w->heard, "jobs"), i), "token")),
                 "ok", "", "{r:1}");
    }
}

static void nothing_without_credit(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    call("stats.mean", 3);
    fake_turn(&f);
    hears_nothing(&w);
    give_credit(&w, 2);
    cost("stats.mean", 10);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 2);
    finish_all(&w);
    fake_turn(&f);
    hears_nothing(&w);                       /* two in all since its hello */
    say(&w, NULL, "{op:'credit', limit:2}"); /* repeated: no harm */
    say(&w, NULL, "{op:'credit', limit:1}"); /* nor an older one */
    fake_turn(&f);
    hears_nothing(&w);
    w.limit = 2;
    give_credit(&w, 7);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 1);
    assert_int_equal(me("w1")->delivered, 3);
    peer_close(&w);
}

static void an_idle_worker_gets_long_jobs_one_by_one(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    cost("stats.mean", 50000); /* far beyond ahead_us */
    give_credit(&w, 10);
    call("stats.mean", 5);
    for (int i = 0; i < 5; i++) {
        fake_turn(&f);
        assert_int_equal(jobs_heard(&w), 1);
        fake_turn(&f);
        hears_nothing(&w); /* nothing ahead */
        fake_function(&f, "stats.mean")->cost_ns = 50000 * CLOCK_US;
        finish_all(&w);
    }
    peer_close(&w);
}

static void short_jobs_fill_what_is_expected_to_take_ahead_us(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    cost("stats.mean", 100); /* ahead_us is 2000: 20 of them */
    give_credit(&w, 100);
    call("stats.mean", 75);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 20);
    hears_nothing(&w); /* what is expected fills 2 ms: nothing ahead */
    assert_true(me("w1")->running_ns == 2000 * CLOCK_US);
    /* Ten done: a second message fills up what became free; a third must wait, two are on their way. */
    json_t *jobs = at(w.heard, "jobs");
    int64_t tokens[20];
    for (size_t i = 0; i < 20; i++) {
        tokens[i] = json_integer_value(json_object_get(json_array_get(jobs, i), "token"));
    }
    for (size_t i = 0; i < 10; i++) {
        say_done(&w, tokens[i], "failed", "", "null"); /* teaches no cost */
    }
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 10);
    say_done(&w, tokens[10], "failed", "", "null");
    fake_turn(&f);
    hears_nothing(&w);
    assert_int_equal(me("w1")->running, 19);
    for (size_t i = 11; i < 20; i++) {
        say_done(&w, tokens[i], "failed", "", "null");
    }
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 10); /* the first message is done: its place is free */
    peer_close(&w);
}

static void a_batch_is_shared_among_idle_workers(void **state)
{
    (void) state;
    struct peer w[4];
    for (int i = 0; i < 4; i++) {
        char wid[8];
        snprintf(wid, sizeof wid, "w%d", i);
        w[i] = fake_worker(&f, wid, "stats", "mean");
        give_credit(&w[i], 50);
    }
    cost("stats.mean", 20);
    call("stats.mean", 42);
    fake_turn(&f);
    size_t sum = fake_function(&f, "stats.mean")->queue.count;
    assert_in_range(sum, 0, 4); /* at most a few are held back */
    for (int i = 0; i < 4; i++) {
        size_t n = 0;
        for (size_t more; (more = jobs_heard(&w[i])) > 0;) {
            n += more;
        }
        assert_in_range(n, 7, 14);
        sum += n;
        peer_close(&w[i]);
    }
    assert_int_equal(sum, 42);
}

static void the_worker_with_the_least_to_do_goes_first(void **state)
{
    (void) state;
    struct peer a = fake_worker(&f, "a", "stats", "mean sum"), b = fake_worker(&f, "b", "stats", "mean");
    cost("stats.mean", 400);
    cost("stats.sum", 900);
    give_credit(&a, 9);
    give_credit(&b, 9);
    call("stats.sum", 1);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&a), 1);
    call("stats.mean", 1);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&b), 1);
    hears_nothing(&a);
    peer_close(&a);
    peer_close(&b);
}

static void no_more_than_batch_jobs_in_one_message(void **state)
{
    (void) state;
    f.b.config.batch_jobs = 7;
    f.b.config.ahead_us = 1000000;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    cost("stats.mean", 1);
    give_credit(&w, 100);
    call("stats.mean", 30);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 7);
    assert_int_equal(jobs_heard(&w), 7);
    hears_nothing(&w); /* one message ahead */
    peer_close(&w);
}

static void a_solo_job_travels_alone(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    cost("stats.mean", 1);
    call("stats.mean", 5);
    fake_turn(&f);
    struct queue *q = &fake_function(&f, "stats.mean")->queue;
    queue_first(q)->next->next->solo = true; /* the third */
    give_credit(&w, 100);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 2);
    assert_null(at(w.heard, "jobs.0.solo"));
    finish_all(&w);
    assert_int_equal(jobs_heard(&w), 1);
    assert_true(json_is_true(at(w.heard, "jobs.0.solo")));
    finish_all(&w);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 2);
    assert_null(at(w.heard, "jobs.0.solo"));
    peer_close(&w);
}

/* Keys are served in turns, and within a message the jobs of each stand together: answers to one request leave together. */
static void jobs_of_a_key_travel_together(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    cost("stats.mean", 1);
    for (int i = 0; i < 3; i++) {
        say(&p, "[{},{},{},{}]", "{op:'call', fn:'stats.mean', key:'k%d', rid:%d, jobs:[{},{},{},{}]}", i, i);
    }
    fake_turn(&f);
    give_credit(&w, 6);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 6); /* two of each key, though four of the first stood in front */
    size_t per_request[3] = {0};
    char outcomes[600] = "";
    for (size_t i = 0; i < 6; i++) {
        char path[32];
        snprintf(path, sizeof path, "jobs.%zu.token", i);
        snprintf(outcomes + strlen(outcomes), 60, "%s{token:%lld}", i ? "," : "",
                 (long long) number(w.heard, path));
    }
    say(&w, "[{},{},{},{},{},{}]", "{op:'done', seq:1, status:'ok', jobs:[%s]}", outcomes);
    w.seq = 1;
    fake_turn(&f);
    for (int i = 0; i < 3; i++) { /* three messages of two answers, and not six */
        json_t *m = hear(&p);
        int64_t rid = number(m, "rid");
        per_request[rid] += length(m, "jobs");
        assert_int_equal(length(m, "jobs"), 2);
        assert_int_equal(number(m, "jobs.0.id"), 0); /* in order within a key */
        assert_int_equal(number(m, "jobs.1.id"), 1);
    }
    hears_nothing(&p);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(per_request[i], 2);
    }
    give_credit(&w, 6);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&w), 6);
    finish_all(&w);
    fake_turn(&f);
    peer_close(&w);
}

static void functions_take_turns(void **state)
{
    (void) state;
    f.b.config.batch_jobs = 1;
    struct peer w = fake_worker(&f, "w1", "stats", "mean sum var");
    static const char *const names[] = {"stats.mean", "stats.sum", "stats.var"};
    for (size_t i = 0; i < 3; i++) {
        cost(names[i], 100000);
        call(names[i], 10);
    }
    give_credit(&w, 100);
    size_t served[3] = {0};
    for (int turn = 0; turn < 30; turn++) {
        fake_turn(&f);
        assert_int_equal(jobs_heard(&w), 1);
        for (size_t i = 0; i < 3; i++) {
            served[i] += strcmp(text(w.heard, "fn"), names[i]) == 0;
            fake_function(&f, names[i])->cost_ns = 100 * CLOCK_MS;
        }
        for (size_t i = 0; i < 3; i++) {
            assert_in_range(served[i], (size_t) turn / 3, (size_t) turn / 3 + 1);
        }
        finish_all(&w);
    }
    fake_turn(&f);
    assert_null(f.b.ready);
    peer_close(&w);
}

/* One that cannot be reached gets nothing more, and what it was to get goes to others. Its death is found out as any other. */
static void an_unreachable_worker_gets_nothing_more(void **state)
{
    (void) state;
    struct peer a = fake_worker(&f, "a", "stats", "mean"), b = fake_worker(&f, "b", "stats", "mean");
    give_credit(&a, 10);
    give_credit(&b, 10);
    fake_turn(&f);
    peer_close(&a);
    peer_close(&b);
    wait_until_gone(f.b.back, me("a")->route.bytes, me("a")->route.size);
    wait_until_gone(f.b.back, me("b")->route.bytes, me("b")->route.size);
    call("stats.mean", 3);
    fake_turn(&f);
    assert_true(me("a")->deaf && me("b")->deaf);
    assert_int_equal(f.b.leases.open, 0);
    assert_int_equal(f.b.counters.jobs_given_back, f.b.counters.jobs_delivered);
    assert_int_equal(me("a")->delivered, 0);
    struct function *fn = fake_function(&f, "stats.mean");
    uint32_t waiting = fn->queue.count;
    assert_int_equal(waiting, 3);
    fake_turn(&f);
    assert_int_equal(fn->queue.count, waiting);
    struct peer c = fake_worker(&f, "c", "stats", "mean");
    give_credit(&c, 1);
    fake_turn(&f);
    assert_int_equal(jobs_heard(&c), 1);
    assert_int_equal(term(c.heard, 0, "attempt"), 1); /* no attempt was charged */
    later(&f, f.b.config.lease_ms + 1000);
    assert_int_equal(f.b.counters.workers_lost, 3); /* nobody beats in this test */
    peer_close(&c);
}

static void what_a_worker_is_told_of_a_job(void **state)
{
    (void) state;
    struct peer w = fake_worker(&f, "w1", "stats", "mean");
    say(&p, "[{x:2385}]", "{op:'call', fn:'stats.mean', timeout_ms:7000, run_ms:1234}");
    give_credit(&w, 1);
    fake_turn(&f);
    json_t *m = hear(&w);
    assert_string_equal(text(m, "fn"), "stats.mean");
    assert_in_range(term(m, 0, "left_ms"), 6000, 7000);
    assert_int_equal(term(m, 0, "run_ms"), 1234);
    assert_int_equal(term(m, 0, "attempt"), 1);
    assert_int_equal(number(payload(&w, 0), "x"), 2385);
    say(&p, "[{}]", "{op:'submit', id:'a', fn:'stats.mean'}"); /* no deadline, no limit */
    say_done(&w, number(m, "jobs.0.token"), "ok", "", "{}");
    give_credit(&w, 1);
    fake_turn(&f);
    m = hear(&w);
    assert_int_equal(term(m, 0, "left_ms"), 0);
    assert_int_equal(term(m, 0, "run_ms"), 0);
    assert_int_equal(number(m, "stored"), 1);
    peer_close(&w);
}

/* To a worker that takes them so, small payloads travel in one frame; a large one travels in frames. */
static void packed_jobs(void **state)
{
    (void) state;
    f.b.config.ahead_us = 1000000;
    struct peer w = peer_open(f.back);
    say_hello(&w, "w1", "s", "stats", "mean", ", packed:true");
    fake_turn(&f);
    hear(&w);
    char payloads[12000] = "[{a:1},{b:'", *end = payloads + strlen(payloads);
    memset(end, 'x', 300);
    strcpy(end + 300, "'},{c:'");
    end += strlen(end);
    memset(end, 'y', 5000);
    strcpy(end + 5000, "'},{d:4}]");
    say(&p, payloads,
        "{op:'call', fn:'stats.mean', timeout_ms:9000, jobs:[{},{},{},{priority:3, run_ms:77}]}");
    fake_turn(&f);
    give_credit(&w, 10);
    fake_turn(&f);
    size_t total = 0, bytes = 0, messages = 0, packed = 0;
    while (hear_any(&w)) {
        size_t n = length(w.heard, "jobs");
        assert_int_equal(json_array_size(w.payloads), n);
        packed += at(w.heard, "sizes") ? n : 0;
        for (size_t i = 0; i < w.in.n_payloads; i++) {
            bytes += zmq_msg_size(&w.in.payloads[i]);
        }
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(term(w.heard, i, "attempt"), 1);
            assert_in_range(term(w.heard, i, "left_ms"), 8000, 9000);
            assert_int_equal(term(w.heard, i, "run_ms"), total + i == 3 ? 77 : 0);
        }
        total += n;
        messages++;
        finish_all(&w);
        fake_turn(&f);
    }
    assert_int_equal(total, 4);
    assert_in_range(messages, 2, 4);
    assert_in_range(packed, 2, 3); /* all but the large one, unless the last came alone */
    assert_int_equal(bytes, 4 + (3 + 3 + 300) + (3 + 3 + 5000) + 4);
    peer_close(&w);
}

/* Random load on workers of random sets of functions, some of which come and go. */
enum { WORKERS = 5, FUNCTIONS = 4, HELD = 4096 };
static const char *const fns[FUNCTIONS] = {"p.a", "p.b", "p.c", "p.d"};

struct mate {
    struct peer peer;
    bool here;
    int64_t held[HELD];
    size_t n;
    uint64_t got;
};

static void check_world(struct mate *mates)
{
    size_t open = 0;
    for (int i = 0; i < WORKERS; i++) {
        char wid[8];
        snprintf(wid, sizeof wid, "w%d", i);
        struct worker *w = zhashx_lookup(f.b.peers.workers, wid);
        if (!w) {
            assert_false(mates[i].here);
            continue;
        }
        assert_true(w->delivered <= w->credit); /* never more than it asked for */
        assert_int_equal(w->running, mates[i].n);
        open += w->running;
        int64_t sum = 0, most_cost = 0;
        uint32_t per_message[PEER_DELIVERIES] = {0};
        for (struct lease *l = w->leases; l; l = l->next) {
            sum += l->cost_ns;
            most_cost = l->cost_ns > most_cost ? l->cost_ns : most_cost;
            per_message[l->delivery]++;
            assert_ptr_equal(l->job->lease, l);
            assert_int_equal(l->job->state, JOB_RUNNING);
        }
        assert_true(w->running_ns == sum);
        for (int k = 0; k < PEER_DELIVERIES; k++) {
            assert_int_equal(w->deliveries[k], per_message[k]);
        }
        /* No more is expected than ahead_us, but for one job: alone, or behind the others when its turn was overdue. */
        assert_true(sum - most_cost <= f.b.config.ahead_us * CLOCK_US);
    }
    assert_int_equal(f.b.leases.open, open);
    for (int i = 0; i < FUNCTIONS; i++) {
        struct function *fn = catalogue_find(&f.b.catalogue, fns[i], 3);
        if (!fn) {
            continue;
        }
        assert_int_equal(fn->ready, fn->queue.count > 0);
        for (size_t k = 0; k < fn->n_workers && fn->queue.count;
             k++) { /* work waits only where nobody could take it */
            struct worker *w = fn->workers[k];
            bool could = !w->deaf && w->credit > w->delivered && worker_slot(w) >= 0 &&
                         (w->running == 0 || w->running_ns + fn->cost_ns <= f.b.config.ahead_us * CLOCK_US);
            assert_false(could);
        }
    }
}

static void random_load(void **state)
{
    (void) state;
    static const char *const offers[WORKERS] = {"a", "a b", "c", "a b c d", "d"};
    static struct mate mates[WORKERS];
    memset(mates, 0, sizeof mates);
    uint64_t seed = 65537, jobs = 0, answers = 0;
    fake_turn(&f);
    f.b.settling = true; /* functions may be called before they are offered */
    for (int step = 0; step < 6000; step++) {
        int i = (int) seeded_below(&seed, WORKERS);
        struct mate *m = &mates[i];
        uint64_t what = seeded_below(&seed, 20);
        char wid[8];
        snprintf(wid, sizeof wid, "w%d", i);
        if (!m->here) {
            m->peer = fake_worker(&f, wid, "p", offers[i]);
            m->here = true;
        } else if (what == 0) {
            say(&m->peer, NULL, "{op:'bye'}");
            fake_turn(&f);
            peer_close(&m->peer);
            *m = (struct mate){0};
        } else if (what < 5) {
            give_credit(&m->peer, seeded_below(&seed, 40));
        } else if (what < 9) {
            size_t n = 1 + seeded_below(&seed, seeded_below(&seed, 8) ? 6 : 90);
            call(fns[seeded_below(&seed, FUNCTIONS)], n);
            jobs += n;
        } else if (what == 9) { /* costs change under way */
            struct function *fn = catalogue_find(&f.b.catalogue, fns[seeded_below(&seed, FUNCTIONS)], 3);
            static const int64_t costs[] = {300, 20000, 150000, 1900000, 90000000};
            if (fn) {
                fn->cost_ns = costs[seeded_below(&seed, 5)];
            }
            continue;
        } else if (what == 10 && m->n) {
            say(&m->peer, NULL, "{op:'release', tokens:[%lld]}", (long long) m->held[--m->n]);
        } else {
            for (uint64_t k = seeded_below(&seed, 30); k > 0 && m->n; k--) { /* in any order */
                size_t pick = seeded_below(&seed, m->n);
                say_done(&m->peer, m->held[pick], "failed", "", "null");
                m->held[pick] = m->held[--m->n];
            }
        }
        fake_turn(&f);
        for (int k = 0; k < WORKERS; k++) {
            while (mates[k].here && hear_any(&mates[k].peer)) {
                json_t *h = mates[k].peer.heard;
                if (strcmp(text(h, "op"), "jobs") != 0) {
                    continue;
                }
                size_t n = length(h, "jobs");
                assert_in_range(n, 1, (size_t) f.b.config.batch_jobs);
                for (size_t q = 0; q < n; q++) {
                    mates[k].held[mates[k].n++] =
                        json_integer_value(json_object_get(json_array_get(at(h, "jobs"), q), "token"));
                }
                mates[k].got += n;
                assert_true(mates[k].got <= mates[k].peer.limit);
            }
        }
        while (hear_any(&p)) {
            answers += length(p.heard, "jobs");
        }
        check_world(mates);
    }
    assert_true(jobs > 5000 && answers > 2000);
    assert_int_equal(f.b.counters.jobs_ended, answers);
    uint64_t waiting = f.b.leases.open;
    for (int i = 0; i < FUNCTIONS; i++) {
        waiting += fake_function(&f, fns[i])->queue.count;
    }
    assert_int_equal(answers + waiting, jobs); /* none lost, none twice */
    for (int i = 0; i < WORKERS; i++) {
        if (mates[i].here) {
            peer_close(&mates[i].peer);
        }
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(nothing_without_credit),
        CASE(an_idle_worker_gets_long_jobs_one_by_one),
        CASE(short_jobs_fill_what_is_expected_to_take_ahead_us),
        CASE(a_batch_is_shared_among_idle_workers),
        CASE(the_worker_with_the_least_to_do_goes_first),
        CASE(no_more_than_batch_jobs_in_one_message),
        CASE(a_solo_job_travels_alone),
        CASE(jobs_of_a_key_travel_together),
        CASE(functions_take_turns),
        CASE(an_unreachable_worker_gets_nothing_more),
        CASE(what_a_worker_is_told_of_a_job),
        CASE(packed_jobs),
        CASE(random_load),
    };
    return fake_end(cmocka_run_group_tests(tests, NULL, NULL));
}
