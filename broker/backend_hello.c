/* SPDX-License-Identifier: MPL-2.0 */
#include "backend.h"

#include <assert.h>

#include "clock.h"
#include "errand.h"
#include "lifecycle.h"
#include "log.h"
#include "mem.h"
#include "offer.h"
#include "outbox.h"
#include "status.h"
#include "trial.h"

enum { FUNCTIONS_MOST = 512, WORD_BYTES = 200, LABEL_BUILD = 8 };

static char *copy(const char *text, size_t bytes)
{
    char *to = mem_alloc(bytes + 1);
    memcpy(to, text, bytes);
    return to;
}

/* A word of the hello; absent gives "". Words end up in logs and answers: no control characters, no blanks. */
static int word(const msgpack_object_map *map, const char *key, bool required, char **ret, struct err *err)
{
    const char *text = "";
    size_t bytes = 0;
    if (header_text(map, key, WORD_BYTES, &text, &bytes, err)) {
        return KILN_INVALID;
    }
    if (required && !bytes) {
        return err_set(err, KILN_INVALID, key, "%s is missing, expected a string", key);
    }
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char) text[i] <= ' ' || text[i] == 0x7f) {
            return err_set(err, KILN_INVALID, key, "%s holds blanks or control characters", key);
        }
    }
    *ret = copy(text, bytes);
    return 0;
}

static void welcome(struct broker *b, const struct peer_route *to, int status, const char *error,
                    const uint64_t *lost, size_t n_lost)
{
    struct buf *out = &b->out;
    buf_clear(out);
    buf_put_map(out, 7u + (error != NULL) + (n_lost != 0));
    buf_put_str_const(out, "op");
    buf_put_str_const(out, "welcome");
    buf_put_str_const(out, "status");
    buf_put_text(out, status_name(status));
    buf_put_str_const(out, "epoch");
    buf_put_u64(out, b->epoch);
    buf_put_str_const(out, "beat_ms");
    buf_put_u64(out, (uint64_t) b->config.beat_ms);
    buf_put_str_const(out, "lease_ms");
    buf_put_u64(out, (uint64_t) b->config.lease_ms);
    buf_put_str_const(out, "max_bytes");
    buf_put_u64(out, (uint64_t) b->config.max_bytes);
    buf_put_str_const(out, "journal");
    buf_put_text(out, b->journal_driver->name);
    if (error) {
        buf_put_str_const(out, "error");
        buf_put_text(out, error);
    }
    if (n_lost) {
        buf_put_str_const(out, "lost");
        buf_put_list(out, n_lost);
        for (size_t i = 0; i < n_lost; i++) {
            buf_put_u64(out, lost[i]);
        }
    }
    outbox_worker(b, to, out, NULL, 0);
}

/* Whoever speaks on this connection, or under this name, was someone else until now. */
static void make_way(struct broker *b, struct frames *f, const char *wid, const char *cause)
{
    struct peer_entry *e = peers_find(&b->peers, &f->route);
    if (e && e->worker) {
        backend_lose(b, e->worker, cause);
    } else if (e) {
        backend_lose_node(b, e->node, cause);
    }
    struct worker *w = zhashx_lookup(b->peers.workers, wid);
    if (w) {
        backend_lose(b, w, cause);
    }
}

static int check_room(zhashx_t *table, const char *what, struct err *err)
{
    if (zhashx_size(table) < PEERS_MOST) {
        return 0;
    }
    return err_set(err, KILN_BUSY, NULL, "the broker has %d %s already", PEERS_MOST, what);
}

/* Another process has the node's name: the workers of the one before died with it, and its beats must not keep them alive. */
static void bury_workers(struct broker *b, const struct node *old, const struct node *new)
{
    size_t n;
    struct worker **workers = (struct worker **) peers_all(b->peers.workers, &n);
    for (size_t i = 0; i < n; i++) {
        if (workers[i]->node == old && (!workers[i]->node_session[0] || !peers_belongs(workers[i], new))) {
            backend_lose(b, workers[i], "its node was started anew");
        }
    }
    mem_free(workers);
}

/* A name is its key's: nobody who has another takes the place of a worker or node that is there. */
static int check_name(const char *wid, const char *key, const struct speaker *speaker, struct err *err)
{
    return strcmp(key, speaker->key) == 0
               ? 0
               : err_set(err, KILN_DENIED, "wid", "wid \"%s\" is there already, with another key", wid);
}

static int hello_node(struct broker *b, struct frames *f, const msgpack_object_map *map,
                      const struct speaker *speaker, struct err *err)
{
    struct node *n = mem_alloc(sizeof *n);
    int status = word(map, "wid", true, &n->wid, err);
    status = status ? status : word(map, "session", true, &n->session, err);
    status = status ? status : word(map, "host", false, &n->host, err);
    status = status ? status : header_uint(map, "pid", 0, UINT32_MAX, &n->pid, err);
    struct node *old = status ? NULL : zhashx_lookup(b->peers.nodes, n->wid);
    if (old) {
        status = check_name(n->wid, old->key, speaker, err);
    } else if (!status) {
        status = check_room(b->peers.nodes, "nodes", err);
    }
    if (status) {
        mem_free(n->wid);
        mem_free(n->session);
        mem_free(n->host);
        mem_free(n);
        return status;
    }
    route_take(&n->route, &f->route);
    snprintf(n->key, sizeof n->key, "%s", speaker->key);
    n->heard_ns = b->now_ns;
    if (old && strcmp(old->session, n->session) == 0) {
        peers_drop_node(&b->peers, old); /* the same process: what it was asked to do it still does */
    } else if (old) {
        bury_workers(b, old, n);
        backend_lose_node(b, old, "the node was started anew");
    }
    make_way(b, f, "", "its connection now belongs to another node");
    b->counters.nodes_joined++;
    log_info("node_joined", "wid=%s host=%s pid=%llu", n->wid, n->host, (unsigned long long) n->pid);
    peers_add_node(&b->peers, n);
    welcome(b, &n->route, KILN_OK, NULL, NULL, 0);
    errand_again(b, n);
    return 0;
}

/* ---- workers ---- */

/* The tokens the worker still holds: those leases stay, its other ones are given back, unknown ones are lost. */
static size_t resume(struct broker *b, struct worker *w, const msgpack_object_array *tokens, uint64_t *lost)
{
    size_t n_lost = 0;
    for (uint32_t i = 0; tokens && i < tokens->size; i++) {
        const msgpack_object *o = &tokens->ptr[i];
        uint64_t token = o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? o->via.u64 : 0;
        struct lease *l = lease_find(&b->leases, token);
        if (!l || l->worker != w) {
            lost[n_lost++] = token;
        }
    }
    for (struct lease *l = w->leases, *next; l; l = next) {
        next = l->next;
        bool held = false;
        for (uint32_t i = 0; tokens && i < tokens->size && !held; i++) {
            held = tokens->ptr[i].type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
                   tokens->ptr[i].via.u64 == lease_token(l);
        }
        if (!held) {
            struct job *job = lease_close(&b->leases, l);
            if (job) {
                job_give_back(b, job);
            }
        }
    }
    return n_lost;
}

static void worker_discard(struct worker **worker)
{
    struct worker *w = *worker;
    char *texts[] = {w->wid,    w->node_name, w->node_session, w->session, w->host,
                     w->plugin, w->version,   w->build,        w->label};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        mem_free(texts[i]);
    }
    mem_free(w->functions);
    mem_free(w);
    *worker = NULL;
}

static int read_trial(const msgpack_object_map *map, struct worker *w, struct err *err)
{
    const char *trial = "";
    size_t bytes = 0;
    if (header_text(map, "trial", 20, &trial, &bytes, err) ||
        header_uint(map, "share_permille", 1, 500, &w->share_permille, err)) {
        return KILN_INVALID;
    }
    w->trial = text_is(trial, bytes, "shadow")   ? WORKER_SHADOW
               : text_is(trial, bytes, "canary") ? WORKER_CANARY
                                                 : WORKER_SERVES;
    if (bytes && !w->trial) {
        return err_set(err, KILN_INVALID, "trial", "trial is \"%.*s\", expected shadow or canary",
                       (int) bytes, trial);
    }
    if (w->trial == WORKER_CANARY && !w->share_permille) {
        return err_set(err, KILN_INVALID, "share_permille",
                       "share_permille is missing, expected 1..500 of a canary");
    }
    return 0;
}

static int read_worker(const msgpack_object_map *map, struct worker *w, struct err *err)
{
    if (word(map, "wid", true, &w->wid, err) || word(map, "session", true, &w->session, err) ||
        word(map, "plugin", true, &w->plugin, err) || word(map, "version", false, &w->version, err) ||
        word(map, "build", false, &w->build, err) || word(map, "host", false, &w->host, err) ||
        word(map, "node", false, &w->node_name, err) ||
        word(map, "node_session", false, &w->node_session, err) ||
        header_uint(map, "pid", 0, UINT32_MAX, &w->pid, err) ||
        header_uint(map, "generation", 0, UINT32_MAX, &w->generation, err) ||
        header_bool(map, "packed", &w->packed, err) || read_trial(map, w, err)) {
        return KILN_INVALID;
    }
    if (!*w->node_name) {
        mem_free(w->node_name);
        w->node_name = NULL;
    }
    size_t room = strlen(w->plugin) + strlen(w->version) + LABEL_BUILD + 3;
    w->label = mem_alloc(room);
    /* Which code answered: the build joins the version as semantic versions have it. */
    snprintf(w->label, room, "%s/%s%s%.*s", w->plugin, w->version,
             !w->build[0]              ? ""
             : strchr(w->version, '+') ? "."
                                       : "+",
             LABEL_BUILD, w->build);
    return 0;
}

/* The same process on a new connection: what it holds stays leased, its counts begin anew. */
static void reconnect(struct broker *b, struct worker *w, struct frames *f)
{
    struct peer_entry *there = peers_find(&b->peers, &f->route);
    if (there && there->worker != w) {
        make_way(b, f, "", "another worker said hello on its connection");
    }
    peers_reroute(&b->peers, w, &f->route);
    w->delivered = w->credit = w->stored_seq = w->done_seq = 0;
}

static void join(struct broker *b, struct worker *w, const msgpack_object_array *functions, struct frames *f)
{
    make_way(b, f, w->wid, "another worker said hello in its place");
    route_take(&w->route, &f->route);
    size_t n = functions ? functions->size : 0;
    w->trial ? offers_keep(w, functions, f) : offers_take(b, w, functions, f);
    if (f->n_payloads > n) {
        zmq_msg_init(&w->report);
        zmq_msg_move(&w->report, &f->payloads[n]);
        w->reported = true;
    }
    peers_add_worker(&b->peers, w);
    if (w->trial) {
        trial_join(b, w);
    }
    b->counters.workers_joined++;
    log_info("worker_joined", "wid=%s plugin=%s build=%s functions=%zu", w->wid, w->label, w->build,
             w->n_functions);
}

static int hello_worker(struct broker *b, struct frames *f, const msgpack_object_map *map,
                        const struct speaker *speaker, struct err *err)
{
    const msgpack_object_array *functions = NULL, *tokens = NULL;
    struct worker *w = mem_alloc(sizeof *w);
    int status = read_worker(map, w, err);
    status = status ? status : header_list(map, "functions", FUNCTIONS_MOST, &functions, err);
    status = status ? status : header_list(map, "resume", WIRE_JOBS * 4, &tokens, err);
    status = status ? status : offers_check(b, w, functions, f, err);
    struct worker *old = status ? NULL : zhashx_lookup(b->peers.workers, w->wid);
    if (old) {
        status = check_name(w->wid, old->key, speaker, err);
    } else if (!status) {
        status = check_room(b->peers.workers, "workers", err);
    }
    if (status) {
        worker_discard(&w);
        return status;
    }
    if (old && strcmp(old->session, w->session) == 0) {
        bool serves = w->trial == WORKER_SERVES;
        worker_discard(&w);
        w = old;
        reconnect(b, w, f);
        if (serves) {
            trial_serve(b, w); /* its word may have been lost with the connection */
        }
    } else {
        snprintf(w->key, sizeof w->key, "%s", speaker->key);
        join(b, w, functions, f);
    }
    w->heard_ns = b->now_ns;
    uint64_t *lost = mem_alloc((tokens ? tokens->size + 1 : 1) * sizeof *lost);
    size_t n_lost = resume(b, w, tokens, lost); /* of a worker that joined: all of them */
    welcome(b, &w->route, KILN_OK, NULL, lost, n_lost);
    mem_free(lost);
    return 0;
}

void backend_refuse(struct broker *b, struct frames *f, const struct err *err)
{
    struct peer_route to;
    route_take(&to, &f->route);
    welcome(b, &to, err->status, err->text, NULL, 0);
}

int backend_hello(struct broker *b, struct frames *f, const msgpack_object_map *map,
                  const struct speaker *speaker, struct err *err)
{
    const char *role = "";
    size_t bytes = 0;
    int status = header_text(map, "role", 20, &role, &bytes, err);
    if (!status && text_is(role, bytes, "worker")) {
        status = hello_worker(b, f, map, speaker, err);
    } else if (!status && text_is(role, bytes, "node")) {
        status = hello_node(b, f, map, speaker, err);
    } else if (!status) {
        status = err_set(err, KILN_INVALID, "role", "role is \"%.*s\", expected worker or node", (int) bytes,
                         role);
    }
    if (status) {
        backend_refuse(b, f, err);
    }
    return status;
}
