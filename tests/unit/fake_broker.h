/* SPDX-License-Identifier: MPL-2.0 */
/* fake_broker - a broker on inproc sockets, taken turn by turn, and peers that speak JSON to it.
 *
 *     struct fake f;  fake_open(&f);
 *     struct peer p = fake_producer(&f), w = fake_worker(&f, "w1", "stats", "mean sum");   // said hello, has no credit yet
 *     say(&p, "[{\"x\":1}]", "{op:'call', fn:'stats.mean', rid:%d}", 7);   // one payload for each item of the list
 *     fake_turn(&f);                                                      // as the broker's loop, without sleeping
 *     json_t *m = hear(&w);  number(m, "jobs.0.token");  payload(&w, 0);
 *     peer_close(&p); peer_close(&w); fake_close(&f);
 *
 * Quotes in what is said may be single ones, and keys need none. Sockets are inproc: what was sent is there. Time passes when
 * it is told to: later(). Everything asserts; nothing waits. */
#ifndef FAKE_BROKER_H
#define FAKE_BROKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "broker/backend.h"
#include "broker/broker.h"
#include "broker/frontend.h"
#include "broker/lifecycle.h"
#include "broker/outbox.h"
#include "broker/schedule.h"
#include "clock.h"
#include "json.h"
#include "log.h"
#include "mem.h"
#include "scan.h"

struct fake {
    struct broker b;
    char front[64], back[64];
};

struct peer {
    void *socket;
    struct frames in;
    struct header head;
    json_t *heard;    /* the last header */
    json_t *payloads; /* and its payloads, a list */
    uint64_t limit, seq;
};

/* Messages said to the fake since it was opened. */
static uint64_t fake_said;

/* ---- the broker ---- */

/* Settings may be changed in f->b.config before the first turn; the intervals are long, so that only later() ends them. */
static inline void fake_open(struct fake *f)
{
    static unsigned serial;
    zsys_init();
    zsys_handler_set(NULL);
    log_open("fake", LOG_LEVEL_ERROR);
    struct config c;
    struct err err = {0};
    assert_int_equal(config_load(NULL, &c, &err), 0);
    snprintf(f->front, sizeof f->front, "inproc://front-%u", serial);
    snprintf(f->back, sizeof f->back, "inproc://back-%u", serial++);
    mem_free(c.frontend.items[0]);
    mem_free(c.backend.items[0]);
    c.frontend.items[0] = mem_text(f->front);
    c.backend.items[0] = mem_text(f->back);
    c.settle_ms = 0;
    c.beat_ms = 60000;
    c.lease_ms = 600000;
    assert_int_equal(broker_open(&f->b, &c, &err), 0);
    fake_said = 0;
}

static inline void fake_close(struct fake *f)
{
    broker_close(&f->b);
}

/* One turn of the loop: all that was said is taken. A socket that another peer closed a moment ago may hide a message for an
 * instant: the thread that buries it wakes the broker's socket, and until it has, the socket seems empty. */
static inline void fake_turn(struct fake *f)
{
    struct broker *b = &f->b;
    int64_t give_up_ns = clock_ns() + 5 * CLOCK_S;
    do {
        while (backend_take(b)) {
        }
        while (frontend_take(b)) {
        }
    } while (b->counters.messages_in + b->counters.worker_messages_in < fake_said && clock_ns() < give_up_ns);
    b->now_ns = clock_ns();
    timers_fire(&b->timers, b->now_ns, b);
    reply_flush(b);
    outbox_release(b);
    schedule_run(b);
}

/* As if ms milliseconds had passed: what is due by then happens. The clock itself stays. */
static inline void later(struct fake *f, int64_t ms)
{
    struct broker *b = &f->b;
    b->now_ns = clock_ns() + ms * CLOCK_MS;
    timers_fire(&b->timers, b->now_ns, b);
    reply_flush(b);
    outbox_release(b);
    schedule_run(b);
}

/* ---- peers ---- */

static inline struct peer peer_open(const char *endpoint)
{
    struct peer p = {.socket = zmq_socket(zsys_init(), ZMQ_DEALER)};
    int linger = 0;
    zmq_setsockopt(p.socket, ZMQ_LINGER, &linger, sizeof linger);
    assert_int_equal(zmq_connect(p.socket, endpoint), 0);
    return p;
}

static inline void peer_close(struct peer *p)
{
    json_decref(p->heard);
    json_decref(p->payloads);
    frames_done(&p->in);
    header_done(&p->head);
    zmq_close(p->socket);
    *p = (struct peer){0};
}

/* Loose JSON into msgpack: single quotes, bare keys. */
static inline void loose(const char *text, struct buf *out)
{
    char strict[65536];
    size_t n = 0;
    bool quoted = false;
    for (const char *c = text; *c; c++) {
        assert_true(n + 300 < sizeof strict);
        bool bare = !quoted && ((*c >= 'a' && *c <= 'z') || *c == '_');
        size_t word = bare ? strspn(c, "abcdefghijklmnopqrstuvwxyz_0123456789") : 0;
        if (bare && c[word] == ':') {
            n += (size_t) sprintf(strict + n, "\"%.*s\"", (int) word, c);
            c += word - 1;
        } else if (bare) {
            memcpy(strict + n, c, word);
            n += word;
            c += word - 1;
        } else {
            quoted ^= *c == '\'' || *c == '"';
            strict[n++] = *c == '\'' ? '"' : *c;
        }
    }
    struct err err = {0};
    if (json_to_msgpack(strict, n, NULL, out, &err)) {
        fail_msg("%s in %.*s", err.text, (int) n, strict);
    }
}

/* Sends a header, and one payload for each item of the list (loose JSON; NULL: none). */
static inline void say(struct peer *p, const char *payloads, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline void say(struct peer *p, const char *payloads, const char *format, ...)
{
    char text[60000];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    assert_in_range(n, 1, sizeof text - 1);
    struct buf header = {0}, list = {0};
    loose(text, &header);
    loose(payloads ? payloads : "[]", &list);
    struct scan s = scan_over(list.data, list.bytes);
    struct token t;
    assert_true(scan_next(&s, &t) && t.type == SCAN_LIST);
    fake_said++;
    assert_int_equal(frame_send(p->socket, header.data, header.bytes, t.count ? ZMQ_SNDMORE : 0), 0);
    for (uint32_t i = 0; i < t.count; i++) {
        const uint8_t *from = s.at;
        assert_true(scan_skip(&s));
        assert_int_equal(
            frame_send(p->socket, from, (size_t) (s.at - from), i + 1 < t.count ? ZMQ_SNDMORE : 0), 0);
    }
    buf_done(&header);
    buf_done(&list);
}

static inline json_t *from_msgpack(const void *data, size_t bytes)
{
    struct buf text = {0};
    struct err err = {0};
    if (json_from_msgpack(data, bytes, JSON_STYLE_COMPACT, &text, &err)) {
        fail_msg("%s", err.text);
    }
    json_error_t why;
    json_t *v = json_loadb((const char *) text.data, text.bytes, JSON_DECODE_ANY, &why);
    assert_non_null(v);
    buf_done(&text);
    return v;
}

/* The next message, or NULL when there is none. */
static inline json_t *hear_any(struct peer *p)
{
    if (frames_recv(&p->in, p->socket, false) != 1) {
        return NULL;
    }
    json_decref(p->heard);
    json_decref(p->payloads);
    p->heard = from_msgpack(zmq_msg_data(&p->in.header), zmq_msg_size(&p->in.header));
    p->payloads = json_array();
    json_t *sizes = json_object_get(p->heard, "sizes");
    size_t n = sizes ? json_array_size(sizes) : p->in.n_payloads, at = 0;
    assert_true(!sizes || p->in.n_payloads == 1);
    for (size_t i = 0; i < n; i++) { /* packed in one frame, or a frame each */
        zmq_msg_t *frame = &p->in.payloads[sizes ? 0 : i];
        size_t bytes = sizes ? (size_t) json_integer_value(json_array_get(sizes, i)) : zmq_msg_size(frame);
        assert_true(at + bytes <= zmq_msg_size(frame));
        json_array_append_new(p->payloads, from_msgpack((const char *) zmq_msg_data(frame) + at, bytes));
        at += sizes ? bytes : 0;
    }
    assert_true(!sizes || at == zmq_msg_size(&p->in.payloads[0]));
    return p->heard;
}

static inline json_t *hear(struct peer *p)
{
    json_t *m = hear_any(p);
    assert_non_null(m);
    return m;
}

static inline void hears_nothing(struct peer *p)
{
    json_t *m = hear_any(p);
    if (m) {
        fail_msg("heard %s", json_dumps(m, 0));
    }
}

/* The value at a path such as "jobs.0.status", or NULL. */
static inline json_t *at(json_t *v, const char *path)
{
    char key[64];
    while (v && *path) {
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int) n, path);
        v = json_is_array(v) ? json_array_get(v, (size_t) atoi(key)) : json_object_get(v, key);
        path += n + (path[n] == '.');
    }
    return v;
}

static inline const char *text(json_t *v, const char *path)
{
    const char *t = json_string_value(at(v, path));
    if (!t) {
        fail_msg("no text at %s of %s", path, json_dumps(v, 0));
    }
    return t;
}

static inline int64_t number(json_t *v, const char *path)
{
    json_t *n = at(v, path);
    if (!json_is_number(n)) {
        fail_msg("no number at %s of %s", path, json_dumps(v, 0));
    }
    return json_is_integer(n) ? json_integer_value(n)
                              : (int64_t) json_real_value(n); /* tokens need all 64 bits */
}

/* What a message says of job i: in the job's map, or once for all around them; 0 when nowhere. */
static inline int64_t term(json_t *m, size_t i, const char *key)
{
    json_t *of_job = json_object_get(json_array_get(at(m, "jobs"), i), key);
    return json_integer_value(of_job ? of_job : json_object_get(m, key));
}

static inline size_t length(json_t *v, const char *path)
{
    return json_array_size(at(v, path));
}

static inline json_t *payload(struct peer *p, size_t i)
{
    json_t *v = json_array_get(p->payloads, i);
    assert_non_null(v);
    return v;
}

/* ---- producers and workers ---- */

static inline struct peer fake_producer(struct fake *f)
{
    return peer_open(f->front);
}

static inline void say_hello(struct peer *p, const char *wid, const char *session, const char *plugin,
                             const char *functions, const char *more)
{
    char names[4096] = "", contracts[4096] = "";
    size_t n = 0, k = 0;
    for (const char *c = functions; *c; c += strspn(c, " ")) {
        int word = (int) strcspn(c, " ");
        n += (size_t) sprintf(names + n, "%s{name:'%.*s', max_batch:64}", n ? "," : "", word, c);
        k += (size_t) sprintf(contracts + k, "{name:'%.*s'},", word, c);
        c += word;
    }
    char payloads[4200];
    snprintf(payloads, sizeof payloads, "[%s{total_us:2385}]", contracts);
    p->limit = p->seq = 0;
    say(p, payloads,
        "{op:'hello', role:'worker', wid:'%s', session:'%s', plugin:'%s', version:'1.2.3', build:'b7', "
        "functions:[%s]%s}",
        wid, session, plugin, names, more);
}

/* A worker that was welcomed. functions: names between blanks. */
static inline struct peer fake_worker(struct fake *f, const char *wid, const char *plugin,
                                      const char *functions)
{
    struct peer p = peer_open(f->back);
    say_hello(&p, wid, "s1", plugin, functions, "");
    fake_turn(f);
    json_t *m = hear(&p);
    assert_string_equal(text(m, "op"), "welcome");
    assert_string_equal(text(m, "status"), "ok");
    return p;
}

/* So many jobs more may come. */
static inline void give_credit(struct peer *p, uint64_t more)
{
    p->limit += more;
    say(p, NULL, "{op:'credit', limit:%llu}", (unsigned long long) p->limit);
}

/* One outcome; `more` is further keys: ", error:'why'". */
static inline void say_done(struct peer *p, int64_t token, const char *status, const char *more,
                            const char *result)
{
    char list[2000];
    snprintf(list, sizeof list, "[%s]", result);
    say(p, list, "{op:'done', seq:%llu, jobs:[{token:%lld, status:'%s'%s}]}", (unsigned long long) ++p->seq,
        (long long) token, status, more);
}

/* The end of main: a failed test may have left sockets open, for which CZMQ would wait at exit. */
static inline int fake_end(int failed)
{
    if (failed) {
        fflush(NULL);
        _exit(1);
    }
    zsys_shutdown();
    return 0;
}

/* Until the router knows that the peer of this route has closed: libzmq takes its pipe down by and by. */
static inline void wait_until_gone(void *router, const void *route, size_t bytes)
{
    int left = 5000;
    while (left > 0 && frame_send(router, route, bytes, ZMQ_SNDMORE) == 0) {
        frame_send(router, "\x80", 1, 0);
        zmq_poll(NULL, 0, 1);
        left--;
    }
    assert_true(left > 0);
}

static inline struct function *fake_function(struct fake *f, const char *name)
{
    struct function *fn = catalogue_find(&f->b.catalogue, name, strlen(name));
    assert_non_null(fn);
    return fn;
}

#endif
