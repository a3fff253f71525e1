/* SPDX-License-Identifier: MPL-2.0 */
/* The client against a broker made for each test: a ROUTER in a thread, which answers as the test's function says. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include <kiln/client.h>

#include "buf.h"
#include "cli/view.h"
#include "clock.h"
#include "mem.h"

/* libzmq is not instrumented, so the fences between its threads cannot be seen. Read by ThreadSanitizer alone. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libzmq.so\n";
}

enum { MOST_FRAMES = 64, MOST_ASKED = 32 };

struct frame {
    uint8_t data[1024];
    size_t bytes;
};

struct request {
    struct frame route, frames[MOST_FRAMES];
    size_t n;
    struct view header;
    int64_t rid;
};

struct fake {
    void *context, *router;
    char endpoint[64];
    pthread_t thread;
    atomic_bool stop;
    atomic_int asked; /* requests received */
    void (*serve)(struct fake *f, struct request *r);
    struct request kept[MOST_ASKED]; /* for a function that answers later */
    size_t n_kept;
};

static struct fake fake;
static struct kiln_client *client;

/* ---- the broker ---- */

static bool fake_recv(struct fake *f, struct request *r)
{
    zmq_pollitem_t item = {.socket = f->router, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, 5) <= 0) {
        return false;
    }
    memset(r, 0, sizeof *r);
    int more = 1;
    size_t bytes = sizeof more;
    r->route.bytes = (size_t) zmq_recv(f->router, r->route.data, sizeof r->route.data, 0);
    while (more && r->n < MOST_FRAMES) {
        struct frame *to = &r->frames[r->n++];
        to->bytes = (size_t) zmq_recv(f->router, to->data, sizeof to->data, 0);
        zmq_getsockopt(f->router, ZMQ_RCVMORE, &more, &bytes);
    }
    r->header = view_open(r->frames[0].data, r->frames[0].bytes);
    struct view rid = view_get(&r->header, "rid");
    r->rid = view_int(&rid, -1);
    f->asked++;
    return true;
}

static void *fake_main(void *arg)
{
    struct fake *f = arg;
    static struct request r;
    while (!f->stop) {
        if (fake_recv(f, &r)) {
            f->serve(f, &r);
        }
    }
    return NULL;
}

static void fake_start(void (*serve)(struct fake *f, struct request *r))
{
    fake.serve = serve;
    fake.stop = false;
    fake.context = zmq_ctx_new();
    fake.router = zmq_socket(fake.context, ZMQ_ROUTER);
    assert_int_equal(zmq_bind(fake.router, fake.endpoint), 0);
    assert_int_equal(pthread_create(&fake.thread, NULL, fake_main, &fake), 0);
}

static void fake_stop(void)
{
    if (fake.context) {
        int zero = 0;
        fake.stop = true;
        pthread_join(fake.thread, NULL);
        zmq_setsockopt(fake.router, ZMQ_LINGER, &zero, sizeof zero);
        zmq_close(fake.router);
        zmq_ctx_term(fake.context);
        fake.context = NULL;
    }
}

static void put_sizes_of_one(struct buf *b, size_t n)
{
    buf_put_str_const(b, "sizes");
    buf_put_list(b, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_u64(b, 1);
    }
}

/* The answer to a packed request, packed: all payloads in one frame, their sizes in the header. */
static void answer_packed(struct fake *f, const struct request *r, uint32_t pairs,
                          void (*more)(struct buf *b), const char *payloads, size_t n)
{
    struct buf b = {0};
    buf_put_map(&b, pairs + 3);
    buf_put_str_const(&b, "op");
    buf_put_str_const(&b, "reply");
    buf_put_str_const(&b, "rid");
    buf_put_i64(&b, r->rid);
    more(&b);
    put_sizes_of_one(&b, n);
    zmq_send(f->router, r->route.data, r->route.bytes, ZMQ_SNDMORE);
    zmq_send(f->router, b.data, b.bytes, ZMQ_SNDMORE);
    zmq_send(f->router, payloads, n, 0);
    buf_done(&b);
}

/* An answer: op, rid, what `more` writes (so many pairs), and payloads that are small integers; -1 writes nil. */
static void answer(struct fake *f, const struct request *r, const char *op, uint32_t pairs,
                   void (*more)(struct buf *b), const int *payloads, size_t n)
{
    struct buf b = {0};
    buf_put_map(&b, pairs + 2);
    buf_put_str_const(&b, "op");
    buf_put_text(&b, op);
    buf_put_str_const(&b, "rid");
    buf_put_i64(&b, r->rid);
    if (more) {
        more(&b);
    }
    zmq_send(f->router, r->route.data, r->route.bytes, ZMQ_SNDMORE);
    zmq_send(f->router, b.data, b.bytes, n ? ZMQ_SNDMORE : 0);
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = payloads[i] < 0 ? 0xc0 : (uint8_t) payloads[i];
        zmq_send(f->router, &byte, 1, i + 1 < n ? ZMQ_SNDMORE : 0);
    }
    buf_done(&b);
}

#define ANSWER(f, r, op, pairs, more, ...)                                                                   \
    answer(f, r, op, pairs, more, (const int[]){__VA_ARGS__},                                                \
           sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void put_pair(struct buf *b, const char *key, const char *value)
{
    buf_put_text(b, key);
    buf_put_text(b, value);
}

/* ---- fixture ---- */

static int setup(void **state)
{
    (void) state;
    memset(&fake, 0, sizeof fake);
    snprintf(fake.endpoint, sizeof fake.endpoint, "ipc:///tmp/test_client.%d", (int) getpid());
    struct kiln_client_options options = {.connect_ms = 3000, .answer_ms = 3000, .grace_ms = 20};
    struct kiln_error err;
    return kiln_client_open(fake.endpoint, &options, &client, &err);
}

static int teardown(void **state)
{
    (void) state;
    kiln_client_close(&client);
    assert_null(client);
    fake_stop();
    unlink(fake.endpoint + 6);
    return 0;
}

static const struct kiln_job job = {.fn = "stats.mean", .args = "\x81\xa1x\x07", .args_bytes = 4};

/* ---- calls ---- */

static void put_ok(struct buf *b)
{
    put_pair(b, "status", "ok");
    put_pair(b, "worker", "box.1");
    put_pair(b, "plugin", "stats/1.0.0");
    buf_put_text(b, "batch");
    buf_put_i64(b, 3);
    buf_put_text(b, "timing");
    buf_put_map(b, 5);
    static const char *const keys[] = {"queue_us", "decode_us", "run_us", "encode_us", "total_us"};
    for (int i = 0; i < 5; i++) {
        buf_put_text(b, keys[i]);
        buf_put_i64(b, 11 * (i + 1));
    }
}

static void serve_one(struct fake *f, struct request *r)
{
    struct view op = view_get(&r->header, "op"), fn = view_get(&r->header, "fn"),
                priority = view_get(&r->header, "priority"), timeout = view_get(&r->header, "timeout_ms"),
                jobs = view_get(&r->header, "jobs"), ttl = view_get(&r->header, "ttl_ms");
    bool right = view_text_is(&op, "call") && view_text_is(&fn, "stats.mean") &&
                 view_int(&priority, -1) == 0 && view_int(&timeout, -1) == 1234 && !jobs.there &&
                 !ttl.there && r->n == 2 && r->frames[1].bytes == 4 &&
                 memcmp(r->frames[1].data, job.args, 4) == 0;
    ANSWER(f, r, "reply", 5, put_ok, right ? 42 : 13);
}

static void call_one(void **state)
{
    (void) state;
    fake_start(serve_one);
    struct kiln_job j = job;
    j.priority = KILN_ZERO;
    j.timeout_ms = 1234;
    j.ttl_ms = 5; /* none of a call's business */
    struct kiln_answer *a = NULL;
    assert_int_equal(kiln_client_call(client, &j, 1, &a, NULL), KILN_OK);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->complete, 1);
    const struct kiln_outcome *o = &a->outcomes[0];
    assert_int_equal(o->index, 0);
    assert_int_equal(o->status, KILN_OK);
    assert_int_equal(o->result_bytes, 1);
    assert_int_equal(*(const uint8_t *) o->result, 42);
    assert_int_equal(o->queue_us, 11);
    assert_int_equal(o->decode_us, 22);
    assert_int_equal(o->run_us, 33);
    assert_int_equal(o->encode_us, 44);
    assert_int_equal(o->total_us, 55);
    assert_int_equal(o->batch, 3);
    assert_string_equal(o->worker, "box.1");
    assert_string_equal(o->plugin, "stats/1.0.0");
    assert_string_equal(o->error, "");
    assert_int_equal(kiln_client_pending(client), 0);
    kiln_client_close(&client); /* the answer lives on */
    assert_int_equal(*(const uint8_t *) a->outcomes[0].result, 42);
    kiln_client_answer_free(&a);
    assert_null(a);
    kiln_client_answer_free(&a);
    kiln_client_answer_free(NULL);
}

/* Job 2 says nothing but its id: its status is the message's. */
static void put_jobs_2_0(struct buf *b)
{
    put_pair(b, "status", "ok");
    buf_put_text(b, "jobs");
    buf_put_list(b, 2);
    buf_put_map(b, 1);
    buf_put_text(b, "id");
    buf_put_i64(b, 2);
    buf_put_map(b, 4);
    buf_put_text(b, "id");
    buf_put_i64(b, 0);
    put_pair(b, "status", "invalid");
    put_pair(b, "error", "x is 7, expected a list");
    put_pair(b, "field", "x");
}

static void put_jobs_1(struct buf *b)
{
    buf_put_text(b, "jobs");
    buf_put_list(b, 1);
    buf_put_map(b, 2);
    buf_put_text(b, "id");
    buf_put_i64(b, 1);
    put_pair(b, "status", "busy");
}

static void serve_list(struct fake *f, struct request *r)
{
    struct view jobs = view_get(&r->header, "jobs"), fn = view_get(&r->header, "fn");
    struct view sizes = view_get(&r->header, "sizes");
    if (jobs.token.count == 3 && sizes.token.count == 3 && fn.there && r->n == 2 && r->frames[1].bytes == 9 &&
        memcmp(r->frames[1].data, job.args, 4) == 0 && (uint8_t) r->frames[1].data[4] == 0x80) {
        answer_packed(f, r, 2, put_jobs_2_0, "\x63\xc0", 2);
        ANSWER(f, r, "reply", 1, put_jobs_1, -1); /* not packed is good as well */
    }
}

static void call_list(void **state)
{
    (void) state;
    fake_start(serve_list);
    struct kiln_job jobs[3] = {job, job, job};
    jobs[1].args = NULL; /* an empty map */
    jobs[1].args_bytes = 0;
    struct kiln_answer *a = NULL;
    assert_int_equal(kiln_client_call(client, jobs, 3, &a, NULL), KILN_OK);
    assert_int_equal(a->count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(a->outcomes[i].index, i);
    }
    assert_int_equal(a->outcomes[0].status, KILN_INVALID);
    assert_string_equal(a->outcomes[0].field, "x");
    assert_string_equal(a->outcomes[0].error, "x is 7, expected a list");
    assert_null(a->outcomes[0].result);
    assert_int_equal(a->outcomes[1].status, KILN_BUSY);
    assert_string_equal(a->outcomes[1].error, kiln_status_sentence(KILN_BUSY));
    assert_int_equal(kiln_status_retryable(a->outcomes[1].status), 1);
    assert_int_equal(a->outcomes[2].status, KILN_OK);
    assert_int_equal(*(const uint8_t *) a->outcomes[2].result, 99);
    kiln_client_answer_free(&a);
}

/* Functions that differ are said job by job. */
static void serve_mixed(struct fake *f, struct request *r)
{
    struct view jobs = view_get(&r->header, "jobs"), fn = view_get(&r->header, "fn"), first, second;
    struct walk w = walk_list(&jobs);
    if (!fn.there && walk_item(&w, &first) && walk_item(&w, &second)) {
        struct view a = view_get(&first, "fn"), b = view_get(&second, "fn");
        if (view_text_is(&a, "stats.mean") && view_text_is(&b, "stats.sum")) {
            answer(f, r, "error", 1, NULL, NULL, 0); /* malformed on purpose: dropped */
        }
    }
}

/* ---- not waiting ---- */

static void serve_later(struct fake *f, struct request *r)
{
    f->kept[f->n_kept++] = *r;
    if (f->n_kept == 3) { /* the second first, and the first last */
        ANSWER(f, &f->kept[1], "reply", 5, put_ok, 2);
        ANSWER(f, &f->kept[2], "reply", 5, put_ok, 3);
        ANSWER(f, &f->kept[0], "reply", 2, put_jobs_2_0, 1, -1);
        ANSWER(f, &f->kept[0], "reply", 1, put_jobs_1, -1);
    }
}

static void asynchronous(void **state)
{
    (void) state;
    fake_start(serve_later);
    struct kiln_job jobs[3] = {job, job, job};
    uint64_t first, second;
    struct kiln_answer *a = NULL;
    assert_int_equal(kiln_client_receive(client, 1000000, &a, NULL),
                     KILN_OK); /* nothing is under way: at once */
    assert_null(a);
    assert_int_equal(kiln_client_call_send(client, jobs, 3, &first, NULL), KILN_OK);
    assert_int_equal(kiln_client_call_send(client, jobs, 1, &second, NULL), KILN_OK);
    assert_true(first != second);
    assert_int_equal(kiln_client_pending(client), 4);
    assert_true(kiln_client_fd(client) >= 0);
    assert_int_equal(kiln_client_call(client, jobs, 1, &a, NULL),
                     KILN_OK); /* its answer overtakes the first one's */
    assert_int_equal(*(const uint8_t *) a->outcomes[0].result, 3);
    kiln_client_answer_free(&a);
    size_t got = 0;
    bool seen_second = false;
    while (kiln_client_pending(client)) {
        assert_int_equal(kiln_client_receive(client, -1, &a, NULL), KILN_OK);
        assert_non_null(a);
        got += a->count;
        if (a->request == second) {
            assert_int_equal(a->complete, 1);
            assert_int_equal(*(const uint8_t *) a->outcomes[0].result, 2);
            seen_second = true;
        } else {
            assert_int_equal(a->request, first);
            assert_int_equal(a->complete, a->count == 1);
        }
        kiln_client_answer_free(&a);
    }
    assert_true(seen_second);
    assert_int_equal(got, 4);
}

/* More requests than the table begins with, answered in reverse. */
static void serve_reverse(struct fake *f, struct request *r)
{
    f->kept[f->n_kept++] = *r;
    while (f->n_kept && (size_t) f->asked % MOST_ASKED == 0) {
        struct request *last = &f->kept[--f->n_kept];
        ANSWER(f, last, "reply", 5, put_ok, (int) (last->rid % 100));
    }
}

static void many(void **state)
{
    (void) state;
    fake_start(serve_reverse);
    enum { ROUNDS = 20 };
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t numbers[MOST_ASKED];
        for (int i = 0; i < MOST_ASKED; i++) {
            assert_int_equal(kiln_client_call_send(client, &job, 1, &numbers[i], NULL), KILN_OK);
        }
        for (int i = MOST_ASKED - 1; i >= 0; i--) {
            struct kiln_answer *a = NULL;
            assert_int_equal(kiln_client_receive(client, 5000, &a, NULL), KILN_OK);
            assert_non_null(a);
            assert_int_equal(a->request, numbers[i]);
            assert_int_equal(*(const uint8_t *) a->outcomes[0].result, numbers[i] % 100);
            kiln_client_answer_free(&a);
        }
    }
    assert_int_equal(kiln_client_pending(client), 0);
    assert_int_equal(fake.asked, ROUNDS * MOST_ASKED);
}

/* ---- what goes wrong ---- */

/* Silent at first; then answers the old request as well as the new one. */
static void serve_late(struct fake *f, struct request *r)
{
    f->kept[f->n_kept++] = *r;
    if (f->n_kept == 2) {
        ANSWER(f, &f->kept[0], "reply", 5, put_ok, 66);
        ANSWER(f, &f->kept[1], "reply", 5, put_ok, 77);
    }
}

static void lost(void **state)
{
    (void) state;
    fake_start(serve_late);
    struct kiln_job j = job;
    j.timeout_ms = 30;
    struct kiln_answer *a = NULL;
    int64_t start_ns = clock_ns();
    assert_int_equal(kiln_client_call(client, &j, 1, &a, NULL), KILN_OK);
    assert_true(clock_ns() - start_ns >= 50 * CLOCK_MS); /* its timeout and the grace */
    assert_int_equal(a->outcomes[0].status, KILN_LOST);
    assert_string_equal(a->outcomes[0].error, kiln_status_sentence(KILN_LOST));
    assert_int_equal(a->outcomes[0].total_us, -1);
    kiln_client_answer_free(&a);
    j.timeout_ms = 3000;
    assert_int_equal(kiln_client_call(client, &j, 1, &a, NULL), KILN_OK);
    assert_int_equal(*(const uint8_t *) a->outcomes[0].result, 77); /* not the late 66 */
    kiln_client_answer_free(&a);
    assert_int_equal(fake.asked, 2);
}

static void lost_asynchronously(void **state)
{
    (void) state;
    fake_start(serve_mixed);
    struct kiln_job jobs[2] = {job, job};
    jobs[0].timeout_ms = 1;
    jobs[1].timeout_ms = 30;
    jobs[1].fn = "stats.sum";
    struct kiln_answer *a = NULL;
    assert_int_equal(kiln_client_call_send(client, jobs, 2, NULL, NULL), KILN_OK);
    assert_int_equal(kiln_client_receive(client, 0, &a, NULL), KILN_OK);
    assert_null(a);
    assert_int_equal(kiln_client_receive(client, 5000, &a, NULL), KILN_OK);
    assert_int_equal(a->count, 2);
    assert_int_equal(a->complete, 1);
    assert_int_equal(kiln_client_pending(client), 0);
    kiln_client_answer_free(&a);
}

static void nobody(void **state)
{
    (void) state;
    struct kiln_client *lonely = NULL;
    struct kiln_client_options options = {.connect_ms = 40};
    struct kiln_error err = {0};
    struct kiln_answer *a = (struct kiln_answer *) 1;
    assert_int_equal(kiln_client_open(fake.endpoint, &options, &lonely, &err), KILN_OK);
    assert_int_equal(kiln_client_ping(lonely, &a, &err), KILN_UNAVAILABLE);
    assert_int_equal(err.status, KILN_UNAVAILABLE);
    assert_non_null(strstr(err.text, fake.endpoint));
    assert_ptr_equal(a, (struct kiln_answer *) 1); /* untouched */
    assert_int_equal(kiln_client_pending(lonely), 0);
    kiln_client_close(&lonely);
    kiln_client_close(&lonely);
    kiln_client_close(NULL);
}

static void serve_ping(struct fake *f, struct request *r)
{
    answer(f, r, "pong", 0, NULL, NULL, 0);
}

/* The same client finds the next broker at the same place. */
static void reconnects(void **state)
{
    (void) state;
    struct kiln_answer *a = NULL;
    for (int i = 0; i < 3; i++) {
        fake_start(serve_ping);
        struct kiln_error err = {0};
        int rc = kiln_client_ping(client, &a, &err);
        if (rc == KILN_LOST ||
            rc == KILN_UNAVAILABLE) { /* it went out on the old connection just as that broke */
            rc = kiln_client_ping(client, &a, &err);
        }
        assert_int_equal(rc, KILN_OK);
        kiln_client_answer_free(&a);
        fake_stop();
    }
}

static void refuses(void **state)
{
    (void) state;
    struct kiln_error err = {0};
    struct kiln_answer *a = NULL;
    struct kiln_job j = job;
    static struct kiln_job too_many[KILN_CLIENT_MAX_JOBS + 1];
    assert_int_equal(kiln_client_call(client, &j, 0, &a, &err), KILN_INVALID);
    assert_string_equal(err.field, "count");
    assert_int_equal(kiln_client_call(client, too_many, KILN_CLIENT_MAX_JOBS + 1, &a, &err), KILN_INVALID);
    assert_string_equal(err.field, "count");
    j.fn = NULL;
    assert_int_equal(kiln_client_call(client, &j, 1, &a, &err), KILN_INVALID);
    assert_string_equal(err.field, "fn");
    j = job;
    j.args = NULL;
    assert_int_equal(kiln_client_call(client, &j, 1, &a, &err), KILN_INVALID);
    assert_string_equal(err.field, "args");
    j = job;
    j.timeout_ms = -2;
    assert_int_equal(kiln_client_call_send(client, &j, 1, NULL, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "-2"));
    j = job;
    assert_int_equal(kiln_client_submit(client, &j, 1, &a, &err), KILN_INVALID);
    assert_string_equal(err.field, "id");
    char id[64];
    memset(id, 'a', 63);
    id[63] = '\0';
    const char *ids[1] = {id};
    assert_int_equal(kiln_client_status(client, ids, 1, &a, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "longer than 62 bytes"));
    id[62] = '\0'; /* as long as may be: refused for its wait instead */
    assert_int_equal(kiln_client_result(client, ids, 1, 3600001, &a, &err), KILN_INVALID);
    assert_string_equal(err.field, "wait_ms");
    struct kiln_client *none = NULL;
    assert_int_equal(kiln_client_open("nonsense", NULL, &none, &err), KILN_INVALID);
    assert_non_null(strstr(err.text, "nonsense"));
    assert_int_equal(kiln_client_open(NULL, NULL, &none, NULL), KILN_INVALID);
    assert_null(none);
    assert_null(a);
}

static void put_error(struct buf *b)
{
    put_pair(b, "status", "unknown_op");
    put_pair(b, "error", "op is \"call\"");
}

static void serve_error(struct fake *f, struct request *r)
{
    answer(f, r, "error", 2, put_error, NULL, 0);
}

static void refused_as_a_whole(void **state)
{
    (void) state;
    fake_start(serve_error);
    struct kiln_job jobs[2] = {job, job};
    struct kiln_answer *a = NULL;
    struct kiln_error err = {0};
    assert_int_equal(kiln_client_call(client, jobs, 2, &a, &err), KILN_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(a->outcomes[i].status, KILN_UNKNOWN_OP);
        assert_string_equal(a->outcomes[i].error, "op is \"call\"");
    }
    kiln_client_answer_free(&a);
    const char *ids[2] = {"a", "b"};
    assert_int_equal(kiln_client_cancel(client, ids, 2, &a, &err), KILN_OK);
    assert_string_equal(a->outcomes[1].id, "b");
    assert_int_equal(a->outcomes[1].status, KILN_UNKNOWN_OP);
    kiln_client_answer_free(&a);
    assert_int_equal(kiln_client_stats(client, &a, &err), KILN_UNKNOWN_OP);
    assert_string_equal(err.text, "op is \"call\"");
    assert_null(a);
}

static void put_stray_jobs(struct buf *b)
{
    buf_put_text(b, "jobs");
    buf_put_list(b, 4);
    static const int64_t ids[] = {9, 1, 1, -3}; /* out of range, twice, negative */
    for (int i = 0; i < 4; i++) {
        buf_put_map(b, 2);
        buf_put_text(b, "id");
        buf_put_i64(b, ids[i]);
        put_pair(b, "status", i == 1 ? "never_heard_of" : "ok");
    }
}

static void put_nothing_said(struct buf *b)
{
    buf_put_text(b, "jobs");
    buf_put_list(b, 1);
    buf_put_map(b, 1);
    buf_put_text(b, "id");
    buf_put_i64(b, 0);
}

static void put_ok_without_payload(struct buf *b)
{
    buf_put_text(b, "jobs");
    buf_put_list(b, 1);
    buf_put_map(b, 2);
    buf_put_text(b, "id");
    buf_put_i64(b, 2);
    put_pair(b, "status", "ok");
}

static void send_raw(struct fake *f, const struct request *r, const void *data, size_t bytes)
{
    zmq_send(f->router, r->route.data, r->route.bytes, ZMQ_SNDMORE);
    zmq_send(f->router, data, bytes, 0);
}

static void serve_garbage(struct fake *f, struct request *r)
{
    struct request stranger = *r;
    stranger.rid = 999;
    send_raw(f, r, "", 0);
    send_raw(f, r, "\xc1", 1);
    send_raw(f, r, "\x81\xa2op", 4);
    send_raw(f, r, "\x93\x01\x02\x03", 4);
    send_raw(f, r, "\x81\x81\x01\x02\xa5reply", 10);
    ANSWER(f, &stranger, "reply", 5, put_ok, 5);
    ANSWER(f, r, "pong", 0, NULL, 5);
    stranger.rid = 0;
    ANSWER(f, &stranger, "reply", 5, put_ok, 5);
    ANSWER(f, r, "reply", 1, put_stray_jobs, 1, 2, 3, 4);
    answer(f, r, "reply", 1, put_ok_without_payload, NULL, 0);
    ANSWER(f, r, "reply", 1, put_nothing_said, 8);
}

static void garbage(void **state)
{
    (void) state;
    fake_start(serve_garbage);
    struct kiln_job jobs[3] = {job, job, job};
    struct kiln_answer *a = NULL;
    assert_int_equal(kiln_client_call(client, jobs, 3, &a, NULL), KILN_OK);
    assert_int_equal(a->count, 3);
    assert_int_equal(a->outcomes[0].status, KILN_INTERNAL);
    assert_non_null(strstr(a->outcomes[0].error, "no status"));
    assert_int_equal(a->outcomes[1].status, KILN_INTERNAL); /* a status of a later protocol */
    assert_int_equal(a->outcomes[2].status, KILN_INTERNAL);
    assert_non_null(strstr(a->outcomes[2].error, "no payload"));
    kiln_client_answer_free(&a);
}

/* ---- jobs by id ---- */

static void put_id_job(struct buf *b, const char *id, const char *state, const char *status)
{
    buf_put_map(b, 1 + (state != NULL) + (status != NULL));
    put_pair(b, "id", id);
    if (state) {
        put_pair(b, "state", state);
    }
    if (status) {
        put_pair(b, "status", status);
    }
}

static void put_submitted(struct buf *b)
{
    buf_put_text(b, "jobs");
    buf_put_list(b, 2);
    put_id_job(b, "two", NULL, "duplicate"); /* not in the order asked */
    put_id_job(b, "one", NULL, "accepted");
}

static void put_results(struct buf *b)
{
    buf_put_text(b, "jobs");
    buf_put_list(b, 4);
    put_id_job(b, "one", "done", "ok");
    put_id_job(b, "two", "queued", NULL);
    put_id_job(b, "three", "unknown", "unknown_job");
    put_id_job(b, "four", "done", "failed");
}

static void put_statuses(struct buf *b)
{
    buf_put_text(b, "jobs");
    buf_put_list(b, 2);
    put_id_job(b, "one", "delayed", NULL);
    put_id_job(b, "two", "running", NULL);
}

static void serve_ids(struct fake *f, struct request *r)
{
    struct view op = view_get(&r->header, "op"), wait = view_get(&r->header, "wait_ms"),
                ids = view_get(&r->header, "ids"), jobs = view_get(&r->header, "jobs");
    if (view_text_is(&op, "submit")) {
        struct view first = {0};
        struct walk w = walk_list(&jobs);
        walk_item(&w, &first);
        struct view deadline = view_get(&first, "deadline_ms"), delay = view_get(&first, "not_before_ms"),
                    backoff = view_get(&first, "backoff_ms"), keep = view_get(&first, "keep_ms"),
                    attempts = view_get(&first, "max_attempts"), ttl = view_get(&first, "ttl_ms");
        if (view_int(&deadline, 0) == 11 && view_int(&delay, 0) == 12 && view_int(&backoff, -1) == 0 &&
            view_int(&keep, 0) == 13 && view_int(&attempts, 0) == 14 && view_int(&ttl, 0) == 15) {
            answer(f, r, "submitted", 1, put_submitted, NULL, 0);
        }
    } else if (view_text_is(&op, "result") && view_int(&wait, -1) == 25 && ids.token.count == 4) {
        ANSWER(f, r, "result", 1, put_results, 7, -1, -1, -1);
    } else if (view_text_is(&op, "status") && ids.token.count == 2) {
        answer(f, r, "status", 1, put_statuses, NULL, 0);
    }
}

static void by_id(void **state)
{
    (void) state;
    fake_start(serve_ids);
    struct kiln_job jobs[2] = {job, job};
    jobs[0].id = "one";
    jobs[0].timeout_ms = 11;
    jobs[0].delay_ms = 12;
    jobs[0].backoff_ms = KILN_ZERO;
    jobs[0].keep_ms = 13;
    jobs[0].max_attempts = 14;
    jobs[0].ttl_ms = 15;
    jobs[1].id = "two";
    struct kiln_answer *a = NULL;
    assert_int_equal(kiln_client_submit(client, jobs, 2, &a, NULL), KILN_OK);
    assert_string_equal(a->outcomes[0].id, "one");
    assert_int_equal(a->outcomes[0].status, KILN_ACCEPTED);
    assert_string_equal(a->outcomes[0].error, "");
    assert_string_equal(a->outcomes[1].id, "two");
    assert_int_equal(a->outcomes[1].status, KILN_DUPLICATE);
    kiln_client_answer_free(&a);
    const char *ids[] = {"one", "two", "three", "four"};
    assert_int_equal(kiln_client_result(client, ids, 4, 25, &a, NULL), KILN_OK);
    const struct kiln_outcome *o = a->outcomes;
    assert_int_equal(o[0].status, KILN_OK);
    assert_int_equal(o[0].state, KILN_STATE_DONE);
    assert_int_equal(*(const uint8_t *) o[0].result, 7);
    assert_int_equal(o[1].status, KILN_ACCEPTED);
    assert_int_equal(o[1].state, KILN_STATE_QUEUED);
    assert_null(o[1].result);
    assert_int_equal(o[2].status, KILN_UNKNOWN_JOB);
    assert_int_equal(o[3].status, KILN_FAILED);
    kiln_client_answer_free(&a);
    assert_int_equal(kiln_client_status(client, ids, 2, &a, NULL), KILN_OK);
    assert_int_equal(a->outcomes[0].state, KILN_STATE_DELAYED);
    assert_int_equal(a->outcomes[1].state, KILN_STATE_RUNNING);
    assert_int_equal(a->outcomes[1].status, KILN_ACCEPTED);
    kiln_client_answer_free(&a);
    uint64_t number;
    assert_int_equal(kiln_client_submit_send(client, jobs, 2, NULL, NULL), KILN_OK);
    assert_int_equal(kiln_client_result_send(client, ids, 4, 25, &number, NULL), KILN_OK);
    assert_int_equal(kiln_client_pending(client), 6);
    for (size_t want = 2; want <= 4; want += 2) {
        assert_int_equal(kiln_client_receive(client, 5000, &a, NULL), KILN_OK);
        assert_int_equal(a->count, want);
        assert_int_equal(a->complete, 1);
        kiln_client_answer_free(&a);
    }
}

/* ---- documents ---- */

static void put_names(struct buf *b)
{
    put_pair(b, "status", "ok");
    buf_put_text(b, "functions");
    buf_put_list(b, 2);
    buf_put_text(b, "stats.mean");
    buf_put_text(b, "stats.sum");
}

static void put_no_function(struct buf *b)
{
    put_pair(b, "status", "unknown_function");
    put_pair(b, "error", "no plugin offers \"x.y\"");
}

static void serve_documents(struct fake *f, struct request *r)
{
    struct view op = view_get(&r->header, "op"), fn = view_get(&r->header, "fn");
    if (view_text_is(&op, "describe") && fn.there) {
        answer(f, r, "describe", 2, put_no_function, NULL, 0);
    } else if (view_text_is(&op, "describe")) {
        ANSWER(f, r, "describe", 2, put_names, 31, 32);
    } else if (view_text_is(&op, "stats")) {
        ANSWER(f, r, "stats", 0, NULL, 33);
    } else {
        answer(f, r, "pong", 0, NULL, NULL, 0);
    }
}

static void documents(void **state)
{
    (void) state;
    fake_start(serve_documents);
    struct kiln_answer *a = NULL;
    struct kiln_error err = {0};
    assert_int_equal(kiln_client_describe(client, NULL, &a, &err), KILN_OK);
    assert_int_equal(a->count, 2);
    assert_string_equal(a->outcomes[1].id, "stats.sum");
    assert_int_equal(*(const uint8_t *) a->outcomes[1].result, 32);
    kiln_client_answer_free(&a);
    assert_int_equal(kiln_client_describe(client, "x.y", &a, &err), KILN_UNKNOWN_FUNCTION);
    assert_string_equal(err.text, "no plugin offers \"x.y\"");
    assert_null(a);
    assert_int_equal(kiln_client_stats(client, &a, &err), KILN_OK);
    assert_int_equal(*(const uint8_t *) a->outcomes[0].result, 33);
    kiln_client_answer_free(&a);
    assert_int_equal(kiln_client_ping(client, &a, &err), KILN_OK);
    struct view pong = view_open(a->outcomes[0].result, a->outcomes[0].result_bytes),
                op = view_get(&pong, "op");
    assert_true(view_text_is(&op, "pong"));
    kiln_client_answer_free(&a);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(call_one),  TEST(call_list),           TEST(asynchronous), TEST(many),
        TEST(lost),      TEST(lost_asynchronously), TEST(nobody),       TEST(reconnects),
        TEST(refuses),   TEST(refused_as_a_whole),  TEST(garbage),      TEST(by_id),
        TEST(documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
