/* SPDX-License-Identifier: MPL-2.0 */
#include "link.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

enum { BEAT_MS = 1000, SILENT_BEATS = 3 };

static void begin(struct link *l, uint32_t pairs, const char *op)
{
    l->spoke = true;
    buf_clear(&l->out);
    buf_put_map(&l->out, pairs);
    buf_put_str_const(&l->out, "op");
    buf_put_text(&l->out, op);
}

static void say_hello(struct link *l, int64_t now_ns)
{
    char host[65] = "";
    gethostname(host, sizeof host - 1);
    begin(l, 6, "hello");
    buf_put_str_const(&l->out, "role");
    buf_put_text(&l->out, "node");
    buf_put_str_const(&l->out, "wid");
    buf_put_text(&l->out, l->wid);
    buf_put_str_const(&l->out, "session");
    buf_put_text(&l->out, l->session);
    buf_put_str_const(&l->out, "pid");
    buf_put_u64(&l->out, (uint64_t) getpid());
    buf_put_str_const(&l->out, "host");
    buf_put_text(&l->out, host);
    dealer_send_header(&l->dealer, &l->out);
    l->welcome = false;
    l->asked_ns = now_ns;
}

int link_init(struct link *l, const char *endpoint, const struct curve_keys *keys, const char *wid,
              struct err *err)
{
    *l = (struct link){.beat_ns = BEAT_MS * CLOCK_MS};
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
    snprintf(l->wid, sizeof l->wid, "%s", wid);
    say_hello(l, clock_ns());
    return 0;
}

void link_done(struct link *l, int linger_ms)
{
    for (size_t i = 0; i < LINK_KEPT; i++) {
        buf_done(&l->kept[i]);
    }
    frames_done(&l->frames);
    header_done(&l->header);
    buf_done(&l->out);
    dealer_done(&l->dealer, linger_ms);
    *l = (struct link){0};
}

/* ---- saying ---- */

struct buf *link_tell(struct link *l)
{
    struct buf *b = &l->kept[l->n_kept++ % LINK_KEPT];
    buf_clear(b);
    return b;
}

void link_told(struct link *l, const struct buf *b)
{
    l->spoke = true;
    if (l->welcome) {
        dealer_send_header(&l->dealer, b);
    }
}

void link_gone(struct link *l, const char *wid, const char *cause, const char *kind, const uint64_t *running,
               size_t n)
{
    struct buf *b = link_tell(l);
    buf_put_map(b, 5);
    buf_put_str_const(b, "op");
    buf_put_text(b, "gone");
    buf_put_str_const(b, "wid");
    buf_put_text(b, wid);
    buf_put_str_const(b, "cause");
    buf_put_text(b, cause);
    buf_put_str_const(b, "kind");
    buf_put_text(b, kind);
    buf_put_str_const(b, "running");
    buf_put_list(b, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_u64(b, running[i]);
    }
    link_told(l, b);
}

bool link_beat_due(const struct link *l, int64_t now_ns)
{
    return l->welcome && now_ns >= l->next_beat_ns;
}

void link_beat(struct link *l, const struct buf *pairs, uint32_t n_pairs, int64_t now_ns)
{
    begin(l, n_pairs + 1, "beat");
    buf_put_raw(&l->out, pairs->data, pairs->bytes);
    dealer_send_header(&l->dealer, &l->out);
    l->asked_ns = l->asked_ns ? l->asked_ns : now_ns;
    l->next_beat_ns = now_ns + l->beat_ns;
}

void link_bye(struct link *l)
{
    begin(l, 1, "bye");
    dealer_send_header(&l->dealer, &l->out);
}

/* ---- hearing ---- */

static void hear_welcome(struct link *l)
{
    const msgpack_object_map *m = &l->header.map;
    const char *status = "", *error = "";
    size_t status_bytes = 0, error_bytes = 0;
    uint64_t beat_ms = BEAT_MS;
    struct err err;
    if (header_text(m, "status", 64, &status, &status_bytes, &err) ||
        header_text(m, "error", 1024, &error, &error_bytes, &err) ||
        header_uint(m, "beat_ms", 10, 3600000, &beat_ms, &err)) {
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
    l->welcome = true;
    l->asked_ns = 0;
    l->next_beat_ns = 0; /* tell how the plugins are at once */
    uint64_t kept = l->n_kept < LINK_KEPT ? l->n_kept : LINK_KEPT;
    for (uint64_t i = l->n_kept - kept; i < l->n_kept; i++) {
        dealer_send_header(&l->dealer, &l->kept[i % LINK_KEPT]);
    }
    log_info("broker_joined", "broker=%s", l->dealer.endpoint);
}

static void hear_beat(struct link *l)
{
    const char *state = "run";
    size_t bytes = 3;
    l->asked_ns = 0;
    if (header_text(&l->header.map, "state", 64, &state, &bytes, NULL)) {
        return;
    }
    bool quiet = !text_is(state, bytes, "run");
    if (quiet != l->quiet) {
        log_info(quiet ? "drained" : "resumed", "broker=%s", l->dealer.endpoint);
        l->quiet = quiet;
    }
}

bool link_recv(struct link *l)
{
    if (frames_recv(&l->frames, l->dealer.socket, false) <= 0) {
        return false;
    }
    struct err err;
    if (header_decode(&l->header, &l->frames.header, &err)) {
        log_error("broker_message_invalid", "why=%s", log_quote(err.text));
        return true;
    }
    const char *op = "";
    size_t bytes = 0;
    if (header_text(&l->header.map, "op", 64, &op, &bytes, NULL)) {
        return true;
    }
    int64_t now_ns = clock_ns();
    if (text_is(op, bytes, "beat")) {
        hear_beat(l);
    } else if (text_is(op, bytes, "welcome")) {
        hear_welcome(l);
    } else if (text_is(op, bytes, "who") && (l->welcome || now_ns - l->asked_ns > l->beat_ns)) {
        say_hello(l, now_ns);
    } else if (l->on_ask && l->welcome) {
        l->on_ask(l->arg, op, bytes, &l->header.map);
    }
    return true;
}

/* ---- time ---- */

static void renew(struct link *l, int64_t now_ns)
{
    if (l->welcome) {
        log_warning("broker_lost", "broker=%s", l->dealer.endpoint);
    }
    dealer_reopen(&l->dealer);
    say_hello(l, now_ns);
}

void link_ended(struct link *l, int64_t now_ns)
{
    int64_t pause_ns = dealer_pause_ns(&l->dealer);
    if (now_ns - l->dealer.opened_ns > pause_ns) {
        renew(l, now_ns);
    } else {
        l->asked_ns = now_ns + pause_ns - SILENT_BEATS * l->beat_ns;
    }
}

int64_t link_tend(struct link *l, int64_t now_ns)
{
    int64_t patience = SILENT_BEATS * l->beat_ns;
    if (l->asked_ns && now_ns - l->asked_ns >= patience) {
        renew(l, now_ns);
    }
    int64_t next = l->asked_ns ? l->asked_ns + patience : INT64_MAX;
    return l->welcome && l->next_beat_ns < next ? l->next_beat_ns : next;
}
