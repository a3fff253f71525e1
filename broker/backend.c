/* SPDX-License-Identifier: MPL-2.0 */
#include "backend.h"

#include "clock.h"
#include "errand.h"
#include "lifecycle.h"
#include "log.h"
#include "mem.h"
#include "outbox.h"
#include "retire.h"
#include "schedule.h"
#include "trial.h"

void backend_lose(struct broker *b, struct worker *w, const char *cause)
{
    reply_flush(b); /* what is gathered may name this worker */
    if (cause) {
        b->counters.workers_lost++;
        log_warning("worker_lost", "wid=%s plugin=%s running=%u cause=%s", w->wid, w->label, w->running,
                    log_quote(cause));
    } else {
        b->counters.workers_left++;
        log_info("worker_left", "wid=%s plugin=%s running=%u", w->wid, w->label, w->running);
    }
    while (w->leases) {
        struct job *job = lease_close(&b->leases, w->leases);
        if (job) {
            job_give_back(b, job);
        }
    }
    trial_leave(b, w);
    for (size_t i = 0; i < w->n_functions; i++) {
        struct function *f = w->functions[i];
        function_leave(f, w);
        if (!f->n_workers && f->announced && w->node) {
            catalogue_orphan(&b->catalogue, f, w->node->wid, w->node->session, w->generation);
        }
    }
    peers_drop_worker(&b->peers, w);
}

void backend_lose_node(struct broker *b, struct node *n, const char *why)
{
    errand_vanished(b, n, why);
    peers_drop_node(&b->peers, n);
}

/* It has left for good: a start under the same name is a new one, which nobody drained. */
static void forget_drain(struct broker *b, const char *name)
{
    if (zhashx_lookup(b->peers.drained, name)) {
        peers_drain(&b->peers, name, false);
    }
}

/* ---- verbs of workers ---- */

static int credit(struct worker *w, const msgpack_object_map *map, struct err *err)
{
    return header_uint(map, "limit", 0, UINT64_MAX, &w->credit, err);
}

static int release(struct broker *b, struct worker *w, const msgpack_object_map *map, struct err *err)
{
    const msgpack_object_array *tokens = NULL;
    if (header_list(map, "tokens", WIRE_JOBS, &tokens, err)) {
        return KILN_INVALID;
    }
    /* From the last: each goes to the head of its queue, so that the first ends up first. */
    for (uint32_t i = tokens ? tokens->size : 0; i-- > 0;) {
        const msgpack_object *o = &tokens->ptr[i];
        struct lease *l =
            o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? lease_find(&b->leases, o->via.u64) : NULL;
        if (l && l->worker == w) {
            struct job *job = lease_close(&b->leases, l);
            if (job) {
                job_give_back(b, job);
            }
        }
    }
    return 0;
}

static void send_plain(struct broker *b, const struct peer_route *to, const char *op)
{
    struct buf *out = &b->out;
    buf_clear(out);
    buf_put_map(out, 1);
    buf_put_str_const(out, "op");
    buf_put_text(out, op);
    outbox_worker(b, to, out, NULL, 0);
}

void backend_tell(struct broker *b, const struct peer_route *to, bool quiet)
{
    struct buf *out = &b->out;
    buf_clear(out);
    buf_put_map(out, 2);
    buf_put_str_const(out, "op");
    buf_put_str_const(out, "beat");
    buf_put_str_const(out, "state");
    buf_put_text(out, quiet ? "quiet" : "run");
    outbox_worker(b, to, out, NULL, 0);
}

static int worker_verb(struct broker *b, struct worker *w, struct frames *f, const msgpack_object_map *map,
                       const char *op, size_t op_bytes, struct err *err)
{
    w->heard_ns = b->now_ns;
    w->deaf = false;
    if (text_is(op, op_bytes, "done")) {
        return backend_done(b, w, f, map, err);
    }
    if (text_is(op, op_bytes, "credit")) {
        return credit(w, map, err);
    }
    if (text_is(op, op_bytes, "release")) {
        return release(b, w, map, err);
    }
    if (text_is(op, op_bytes, "beat")) {
        backend_tell(b, &w->route, w->quiet);
        return 0;
    }
    if (text_is(op, op_bytes, "serve")) {
        trial_serve(b, w);
        send_plain(b, &w->route, "serve");
        return 0;
    }
    if (text_is(op, op_bytes, "bye")) {
        forget_drain(b, w->wid);
        backend_lose(b, w, NULL);
        return 0;
    }
    return err_set(err, KILN_UNKNOWN_OP, "op", "op is \"%.*s\", which no worker can say", (int) op_bytes, op);
}

/* ---- verbs of nodes ---- */

static bool in_list(const msgpack_object_array *tokens, uint64_t token)
{
    for (uint32_t i = 0; tokens && i < tokens->size; i++) {
        if (tokens->ptr[i].type == MSGPACK_OBJECT_POSITIVE_INTEGER && tokens->ptr[i].via.u64 == token) {
            return true;
        }
    }
    return false;
}

/* A dead worker. One running job is the culprit. Of several that ran together nobody knows which it was: each runs again
 * alone, uncharged, and the next death will name it. */
static int gone(struct broker *b, struct node *n, const msgpack_object_map *map, struct err *err)
{
    const char *wid = NULL, *cause = "an unknown cause", *kind = "crash";
    size_t wid_bytes = 0, cause_bytes = strlen(cause), kind_bytes = strlen(kind);
    const msgpack_object_array *running = NULL;
    if (header_text(map, "wid", 200, &wid, &wid_bytes, err) ||
        header_text(map, "cause", 200, &cause, &cause_bytes, err) ||
        header_text(map, "kind", 20, &kind, &kind_bytes, err) ||
        header_list(map, "running", WIRE_JOBS, &running, err)) {
        return KILN_INVALID;
    }
    char name[201], why[201];
    snprintf(name, sizeof name, "%.*s", (int) wid_bytes, wid ? wid : "");
    snprintf(why, sizeof why, "%.*s", (int) cause_bytes, cause);
    struct worker *w = zhashx_lookup(b->peers.workers, name);
    if (!w || w->node != n) {
        return 0; /* it never said hello, or was lost already */
    }
    bool deadline = text_is(kind, kind_bytes, "deadline");
    bool charge = !deadline && !text_is(kind, kind_bytes, "stop");
    uint32_t n_running = 0;
    for (struct lease *l = w->leases; l; l = l->next) {
        n_running += in_list(running, lease_token(l));
    }
    for (struct lease *l = w->leases, *next; l && n_running; l = next) {
        next = l->next;
        if (!in_list(running, lease_token(l))) {
            continue;
        }
        struct job *job = lease_close(&b->leases, l);
        if (!job) {
            continue;
        }
        if (w->trial) { /* it is the generation that is judged, not the job: it runs again, in another one */
            job->shy = true;
            job_give_back(b, job);
        } else if (deadline && n_running == 1) {
            char text[260];
            snprintf(text, sizeof text, "%s", why);
            job_end(b, job, KILN_DEADLINE, text, NULL, NULL, w);
        } else if (charge && n_running == 1) {
            job_crashed(b, job, why);
        } else {
            job->solo |= n_running > 1;
            job_give_back(b, job);
        }
    }
    forget_drain(b, w->wid);
    backend_lose(b, w, why);
    return 0;
}

static int node_beat(struct broker *b, struct node *n, const msgpack_object_map *map)
{
    const msgpack_object *plugins = header_get(map, "plugins");
    if (plugins && plugins->type == MSGPACK_OBJECT_ARRAY) {
        buf_clear(&n->plugins);
        msgpack_packer p = buf_packer(&n->plugins);
        msgpack_pack_object(&p, *plugins);
        retire_by_beat(b, n, &plugins->via.array);
    }
    backend_tell(b, &n->route, n->quiet);
    return 0;
}

static int node_verb(struct broker *b, struct node *n, const msgpack_object_map *map, const char *op,
                     size_t op_bytes, struct err *err)
{
    n->heard_ns = b->now_ns;
    if (text_is(op, op_bytes, "beat")) {
        return node_beat(b, n, map);
    }
    if (text_is(op, op_bytes, "gone")) {
        return gone(b, n, map, err);
    }
    if (text_is(op, op_bytes, "bye")) {
        log_info("node_left", "wid=%s", n->wid);
        forget_drain(b, n->wid);
        backend_lose_node(b, n, "the node has stopped");
        return 0;
    }
    if (text_is(op, op_bytes, "reloaded")) {
        return errand_ended(b, n, map, err);
    }
    return err_set(err, KILN_UNKNOWN_OP, "op", "op is \"%.*s\", which no node can say", (int) op_bytes, op);
}

/* ---- taking a message ---- */

static void ask_who(struct broker *b, struct frames *f)
{
    struct peer_route to;
    route_take(&to, &f->route);
    send_plain(b, &to, "who");
}

static void log_refusal(struct broker *b, zmq_msg_t *route, const struct err *err)
{
    if (!refusals_log(&b->refusals, b->now_ns, "worker_messages_refused")) {
        return;
    }
    /* Looked up again: a hello makes way even when it is refused, and a lost peer is freed. */
    const struct peer_entry *peer = peers_find(&b->peers, route);
    const char *wid = !peer ? "?" : peer->worker ? peer->worker->wid : peer->node->wid;
    log_warning("worker_message_refused", "wid=%s error=%s", wid, log_quote(err->text));
}

static int check_speaker(struct broker *b, struct frames *f, struct speaker *ret_speaker, struct err *err)
{
    gate_speaker(b, &f->header, ret_speaker);
    return gate_check(ret_speaker, ROLE_WORKER, "a worker's message", err);
}

bool backend_take(struct broker *b)
{
    struct frames *f = &b->frames;
    if (frames_recv(f, b->back, true) != 1) {
        return false;
    }
    b->now_ns = clock_ns();
    b->counters.worker_messages_in++;
    struct err err = {0};
    const char *op = "";
    size_t op_bytes = 0;
    const msgpack_object_map *map = &b->header.map;
    struct peer_entry *peer = peers_find(&b->peers, &f->route);
    int failed = header_decode(&b->header, &f->header, &err);
    failed = failed ? failed : header_text(map, "op", 40, &op, &op_bytes, &err);
    struct speaker speaker = {.user = "", .key = ""};
    if (b->gate.keyring && check_speaker(b, f, &speaker, &err)) {
        failed = KILN_DENIED;
        backend_refuse(b, f, &err);
    } else if (!failed && text_is(op, op_bytes, "hello")) {
        failed = backend_hello(b, f, map, &speaker, &err);
    } else if (!failed && !peer) {
        ask_who(b, f);
        failed = err_set(&err, KILN_DENIED, "op", "\"%.*s\" before hello", (int) op_bytes, op);
    } else if (!failed && peer->worker) {
        failed = worker_verb(b, peer->worker, f, map, op, op_bytes, &err);
    } else if (!failed) {
        failed = node_verb(b, peer->node, map, op, op_bytes, &err);
    }
    if (failed) {
        b->counters.worker_messages_bad++;
        log_refusal(b, &f->route, &err);
    }
    return true;
}

/* ---- once a beat ---- */

static void tell_stored(struct broker *b, struct worker *w)
{
    if (w->stored_seq == w->done_seq) {
        return;
    }
    struct buf *out = &b->out;
    buf_clear(out);
    buf_put_map(out, 2);
    buf_put_str_const(out, "op");
    buf_put_str_const(out, "stored");
    buf_put_str_const(out, "seq");
    buf_put_u64(out, w->stored_seq = w->done_seq);
    outbox_worker(b, &w->route, out, NULL, 0);
}

void backend_sweep(struct broker *b)
{
    int64_t oldest_ns = b->now_ns - b->config.lease_ms * CLOCK_MS;
    size_t n_workers, n_nodes;
    struct worker **workers = (struct worker **) peers_all(b->peers.workers, &n_workers);
    for (size_t i = 0; i < n_workers; i++) {
        struct worker *w = workers[i];
        tell_stored(b, w);
        int64_t heard_ns = w->node && w->node->heard_ns > w->heard_ns ? w->node->heard_ns : w->heard_ns;
        if (heard_ns < oldest_ns) {
            backend_lose(b, w, w->node ? "its node fell silent" : "it fell silent");
        }
    }
    mem_free(workers);
    retire_sweep(b);
    struct node **nodes = (struct node **) peers_all(b->peers.nodes, &n_nodes);
    for (size_t i = 0; i < n_nodes; i++) {
        struct node *n = nodes[i];
        if (n->heard_ns < oldest_ns) {
            log_warning("node_lost", "wid=%s silent_ms=%lld", n->wid,
                        (long long) ((b->now_ns - n->heard_ns) / CLOCK_MS));
            b->counters.nodes_lost++;
            backend_lose_node(b, n, "the node fell silent");
        }
    }
    mem_free(nodes);
}
