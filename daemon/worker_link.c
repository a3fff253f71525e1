/* SPDX-License-Identifier: MPL-2.0 */
#include "worker_link.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "clock.h"
#include "log.h"
#include "status.h"

/* Until a welcome says otherwise. */
enum { BEAT_MS = 1000, SILENT_BEATS = 3, MAX_BYTES = 64 << 20 };

int worker_link_init(struct worker_link *l, const char *endpoint, const struct curve_keys *keys,
                     int64_t slots, struct err *err)
{
    *l = (struct worker_link){
        .beat_ns = BEAT_MS * CLOCK_MS, .max_bytes = MAX_BYTES, .slots = slots, .most = UINT64_MAX};
    int status = dealer_init(&l->dealer, endpoint, keys, err);
    if (status) {
        return status;
    }
    uint64_t random[2];
    if (getrandom(random, sizeof random, 0) != sizeof random) {
        random[0] =
            (uint64_t) clock_ns(); /* it need only differ from that of an earlier process of this name */
    }
    snprintf(l->session, sizeof l->session, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    kept_init(&l->kept);
    return 0;
}

void worker_link_finish(struct worker_link *l, int linger_ms)
{
    kept_finish(&l->kept);
    frames_done(&l->frames);
    header_done(&l->header);
    buf_done(&l->out);
    dealer_done(&l->dealer, linger_ms);
    *l = (struct worker_link){0};
}

/* ---- saying ---- */

static void begin(struct worker_link *l, uint32_t pairs, const char *op)
{
    l->spoke = true;
    buf_clear(&l->out);
    buf_put_map(&l->out, pairs);
    buf_put_str_const(&l->out, "op");
    buf_put_text(&l->out, op);
}

static void say_hello(struct worker_link *l)
{
    size_t resumed = 0;
    for (size_t i = 0; i < l->kept.n; i++) {
        resumed += kept_at(&l->kept, i)->n_tokens;
    }
    begin(l, l->hello_pairs + 2 + (resumed > 0), "hello");
    buf_put_str_const(&l->out, "session");
    buf_put_text(&l->out, l->session);
    if (resumed > 0) {
        buf_put_str_const(&l->out, "resume");
        buf_put_list(&l->out, (uint32_t) resumed);
        for (size_t i = 0; i < l->kept.n; i++) {
            const struct kept_done *k = kept_at(&l->kept, i);
            for (size_t t = 0; t < k->n_tokens; t++) {
                buf_put_u64(&l->out, k->tokens[t]);
            }
        }
    }
    buf_put_raw(&l->out, l->hello->data, l->hello->bytes);
    void *socket = l->dealer.socket;
    int failed = frame_send(socket, l->out.data, l->out.bytes, l->n_hello_payloads ? ZMQ_SNDMORE : 0);
    for (size_t i = 0; !failed && i < l->n_hello_payloads; i++) {
        const struct buf *p = l->hello_payloads[i];
        failed = frame_send(socket, p->data, p->bytes, i + 1 < l->n_hello_payloads ? ZMQ_SNDMORE : 0);
    }
    l->state = LINK_GREETED;
    l->asked_ns = clock_ns();
}

void worker_link_hello(struct worker_link *l, const struct buf *pairs, uint32_t n_pairs,
                       const struct buf *const *payloads, size_t n_payloads)
{
    l->hello = pairs;
    l->hello_pairs = n_pairs;
    l->hello_payloads = payloads;
    l->n_hello_payloads = n_payloads;
    say_hello(l);
}

/* The credit that may be given now: free slots beyond what was delivered; never less than before. */
static uint64_t credit(struct worker_link *l)
{
    if (!l->quiet && !l->draining && !kept_full(&l->kept)) {
        uint64_t limit = l->delivered + (uint64_t) l->slots - l->held;
        limit = limit < l->most ? limit : l->most;
        l->limit = limit > l->limit ? limit : l->limit;
    }
    return l->limit;
}

static void say_credit(struct worker_link *l)
{
    begin(l, 2, "credit");
    buf_put_str_const(&l->out, "limit");
    buf_put_u64(&l->out, credit(l));
    dealer_send_header(&l->dealer, &l->out);
}

/* Gives credit on its own, where no done message will carry it: after it had been withheld. */
static void renew_credit(struct worker_link *l)
{
    uint64_t before = l->limit;
    if (l->state == LINK_WELCOME && credit(l) > before) {
        say_credit(l);
    }
}

void worker_link_serve(struct worker_link *l, int64_t slots)
{
    begin(l, 1, "serve");
    dealer_send_header(&l->dealer, &l->out);
    l->slots = slots;
    l->most = UINT64_MAX;
}

void worker_link_copied(struct worker_link *l, size_t n)
{
    l->held -= n;
    renew_credit(l);
}

void worker_link_release(struct worker_link *l, const uint64_t *tokens, size_t n)
{
    if (n == 0) {
        return;
    }
    begin(l, 2, "release");
    buf_put_str_const(&l->out, "tokens");
    buf_put_list(&l->out, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_u64(&l->out, tokens[i]);
    }
    l->held -= n;
    dealer_send_header(&l->dealer, &l->out);
}

void worker_link_bye(struct worker_link *l)
{
    begin(l, 1, "bye");
    dealer_send_header(&l->dealer, &l->out);
    l->state = LINK_SILENT;
}

/* What is the same for most jobs of a message, which says it once; a job repeats only what differs. */
struct common {
    int status;
    uint64_t decode_ns, run_ns, encode_ns, batch;
};

static struct common common_of(const struct done_job *j)
{
    return (struct common){j->status, (uint64_t) j->decode_ns, (uint64_t) j->run_ns, (uint64_t) j->encode_ns,
                           j->batch};
}

static void put_common(struct buf *b, const struct common *c, const struct common *around)
{
    if (!around || c->status != around->status) {
        buf_put_str_const(b, "status");
        buf_put_text(b, status_name(c->status));
    }
    if (!around || c->decode_ns != around->decode_ns) {
        buf_put_str_const(b, "decode_ns");
        buf_put_u64(b, c->decode_ns);
    }
    if (!around || c->run_ns != around->run_ns) {
        buf_put_str_const(b, "run_ns");
        buf_put_u64(b, c->run_ns);
    }
    if (!around || c->encode_ns != around->encode_ns) {
        buf_put_str_const(b, "encode_ns");
        buf_put_u64(b, c->encode_ns);
    }
    if (!around || c->batch != around->batch) {
        buf_put_str_const(b, "batch");
        buf_put_u64(b, c->batch);
    }
}

static void put_job(struct buf *b, const struct done_job *j, const struct common *around)
{
    struct common c = common_of(j);
    bool error = j->error && j->error[0], field = j->field && j->field[0];
    buf_put_map(b, 1u + (c.status != around->status) + (c.decode_ns != around->decode_ns) +
                       (c.run_ns != around->run_ns) + (c.encode_ns != around->encode_ns) +
                       (c.batch != around->batch) + error + field);
    buf_put_str_const(b, "token");
    buf_put_u64(b, j->token);
    put_common(b, &c, around);
    if (error) {
        buf_put_str_const(b, "error");
        buf_put_text(b, j->error);
    }
    if (field) {
        buf_put_str_const(b, "field");
        buf_put_text(b, j->field);
    }
}

static void send_kept(struct worker_link *l, const struct kept_done *k)
{
    for (size_t i = 0; i < k->n_frames; i++) {
        zmq_msg_t copy; /* of the reference, not of the contents */
        zmq_msg_init(&copy);
        zmq_msg_copy(&copy, &k->frames[i]);
        if (frame_send_msg(l->dealer.socket, &copy, i + 1 < k->n_frames ? ZMQ_SNDMORE : 0)) {
            return; /* the broker is long away; it will be sent again after the next hello */
        }
    }
}

void worker_link_done(struct worker_link *l, const struct done_job *jobs, size_t n, const struct buf *pack)
{
    struct kept_done *k = kept_add(&l->kept, ++l->seq, pack ? 2 : n + 1, n);
    struct common around = common_of(&jobs[0]);
    begin(l, pack ? 10 : 9, "done");
    buf_put_str_const(&l->out, "seq");
    buf_put_u64(&l->out, l->seq);
    put_common(&l->out, &around, NULL);
    buf_put_str_const(&l->out, "jobs");
    buf_put_list(&l->out, n);
    for (size_t i = 0; i < n; i++) {
        k->tokens[i] = jobs[i].token;
        put_job(&l->out, &jobs[i], &around);
    }
    if (pack) {
        buf_put_str_const(&l->out, "sizes");
        buf_put_list(&l->out, n);
        for (size_t i = 0; i < n; i++) {
            buf_put_u64(&l->out, jobs[i].bytes);
        }
        zmq_msg_init_size(&k->frames[1], pack->bytes);
        memcpy(zmq_msg_data(&k->frames[1]), pack->data, pack->bytes);
    }
    for (size_t i = 0; i < n && !pack; i++) {
        zmq_msg_init(&k->frames[i + 1]);
        zmq_msg_move(&k->frames[i + 1], jobs[i].payload);
    }
    kept_weigh(&l->kept, k);
    l->held -= n;
    buf_put_str_const(&l->out, "credit");
    buf_put_u64(&l->out, credit(l));
    assert(!l->out.failed);
    zmq_msg_init_size(&k->frames[0], l->out.bytes);
    memcpy(zmq_msg_data(&k->frames[0]), l->out.data, l->out.bytes);
    if (l->state == LINK_WELCOME) {
        send_kept(l, k); /* else it goes out with the next welcome */
    }
}

/* ---- hearing ---- */

static void hear_welcome(struct worker_link *l)
{
    const msgpack_object_map *m = &l->header.map;
    const char *status = "", *error = "";
    size_t status_bytes = 0, error_bytes = 0;
    uint64_t beat_ms = BEAT_MS, max_bytes = MAX_BYTES, epoch = 0;
    const msgpack_object_array *lost = NULL;
    struct err err;
    if (header_text(m, "status", 64, &status, &status_bytes, &err) ||
        header_text(m, "error", 1024, &error, &error_bytes, &err) ||
        header_uint(m, "beat_ms", 10, 3600000, &beat_ms, &err) ||
        header_uint(m, "max_bytes", 1024, UINT64_C(1) << 40, &max_bytes, &err) ||
        header_uint(m, "epoch", 0, UINT64_MAX, &epoch, &err) ||
        header_list(m, "lost", UINT32_MAX, &lost, &err)) {
        log_error("welcome_invalid", "why=%s", log_quote(err.text));
        return;
    }
    if (!text_is(status, status_bytes, "ok")) {
        char text[512];
        snprintf(text, sizeof text, "%.*s: %.*s", (int) status_bytes, status, (int) error_bytes, error);
        log_error("hello_refused", "why=%s", log_quote(text));
        return; /* asked again after the silence */
    }
    l->beat_ns = (int64_t) beat_ms * CLOCK_MS;
    l->max_bytes = (size_t) max_bytes;
    l->state = LINK_WELCOME;
    l->quiet = false;
    l->asked_ns = 0;
    l->next_beat_ns = clock_ns() + l->beat_ns;
    /* Counts start anew here and not at the hello: jobs that come in between were sent before the broker heard it. */
    l->delivered = l->limit = 0;
    if (lost) {
        kept_lost(&l->kept, lost);
    }
    for (size_t i = 0; i < l->kept.n; i++) {
        send_kept(l, kept_at(&l->kept, i));
    }
    say_credit(l);
}

static void hear_beat(struct worker_link *l)
{
    const char *state = "run";
    size_t bytes = 3;
    l->asked_ns = 0;
    if (header_text(&l->header.map, "state", 64, &state, &bytes, NULL)) {
        return;
    }
    l->quiet = !text_is(state, bytes, "run");
    l->stop = l->stop || text_is(state, bytes, "stop");
    renew_credit(l);
}

static void hear_stored(struct worker_link *l)
{
    uint64_t seq = 0;
    if (header_uint(&l->header.map, "seq", 0, UINT64_MAX, &seq, NULL) == 0) {
        kept_stored(&l->kept, seq);
        renew_credit(l);
    }
}

static enum link_event hear(struct worker_link *l)
{
    const char *op = "";
    size_t bytes = 0;
    const msgpack_object_map *m = &l->header.map;
    if (header_text(m, "op", 64, &op, &bytes, NULL)) {
        return LINK_OTHER;
    }
    bool copies = text_is(op, bytes, "shadow");
    if (copies || text_is(op, bytes, "jobs")) {
        uint64_t seq = 0;
        const msgpack_object_array *jobs = NULL;
        struct err err;
        if (header_uint(m, "stored", 0, UINT64_MAX, &seq, &err) ||
            header_list(m, "jobs", WIRE_JOBS, &jobs, &err) ||
            frames_split(&l->frames, m, jobs ? jobs->size * (copies ? 2u : 1u) : 0, &l->payloads, &err)) {
            log_error("jobs_invalid", "why=%s", log_quote(err.text));
            return LINK_OTHER;
        }
        if (!jobs) {
            return LINK_OTHER;
        }
        kept_stored(&l->kept, seq);
        l->delivered += jobs->size;
        l->held += jobs->size;
        return copies ? LINK_SHADOW : LINK_JOBS;
    }
    if (text_is(op, bytes, "stored")) {
        hear_stored(l);
    } else if (text_is(op, bytes, "serve")) {
        l->serving = true;
        renew_credit(l);
    } else if (text_is(op, bytes, "beat")) {
        hear_beat(l);
    } else if (text_is(op, bytes, "welcome")) {
        hear_welcome(l);
    } else if (text_is(op, bytes, "who") && l->hello &&
               (l->state != LINK_GREETED || clock_ns() - l->asked_ns > l->beat_ns)) {
        /* One hello answers any number of these: several of our messages may have met a broker that does not know us. */
        say_hello(l);
    }
    return LINK_OTHER;
}

enum link_event worker_link_recv(struct worker_link *l)
{
    int got = frames_recv(&l->frames, l->dealer.socket, false);
    if (got <= 0) {
        return LINK_NOTHING;
    }
    struct err err;
    if (header_decode(&l->header, &l->frames.header, &err)) {
        log_error("broker_message_invalid", "why=%s", log_quote(err.text));
        return LINK_OTHER;
    }
    return hear(l);
}

/* ---- time ---- */

static void renew(struct worker_link *l, int64_t now_ns)
{
    dealer_reopen(&l->dealer);
    l->asked_ns = 0;
    if (l->hello && !(l->draining && l->state == LINK_SILENT)) {
        say_hello(l);
        l->asked_ns = now_ns;
    }
}

void worker_link_ended(struct worker_link *l, int64_t now_ns)
{
    int64_t pause_ns = dealer_pause_ns(&l->dealer);
    if (now_ns - l->dealer.opened_ns > pause_ns) {
        renew(l, now_ns);
    } else if (l->hello) {
        l->asked_ns = now_ns + pause_ns - SILENT_BEATS * l->beat_ns;
    }
}

int64_t worker_link_tend(struct worker_link *l, int64_t now_ns)
{
    if (l->state == LINK_SILENT) {
        return now_ns + l->beat_ns;
    }
    int64_t patience = SILENT_BEATS * l->beat_ns;
    if (l->asked_ns && now_ns - l->asked_ns >= patience) {
        renew(l, now_ns);
    } else if (l->state == LINK_WELCOME && now_ns >= l->next_beat_ns) {
        begin(l, 1, "beat");
        dealer_send_header(&l->dealer, &l->out);
        l->asked_ns = l->asked_ns ? l->asked_ns : now_ns;
        l->next_beat_ns = now_ns + l->beat_ns;
    }
    int64_t next = l->asked_ns ? l->asked_ns + patience : INT64_MAX;
    return l->state == LINK_WELCOME && l->next_beat_ns < next ? l->next_beat_ns : next;
}
