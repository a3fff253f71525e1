/* SPDX-License-Identifier: MPL-2.0 */
#include "frontend.h"

#include <assert.h>

#include "backend.h"
#include "log.h"
#include "mem.h"
#include "ready.h"

/* pause, resume, drain: what flows, by an operator's word. All three name something, and answer with what has that name.
 *
 * Jobs of a paused function wait, bounded as ever (queue_limit, memory_mb, their own time limits): who pauses wants the work done
 * later, and producers learn from `busy` when it is too much. What runs is left to finish. */
enum { NAME_BYTES = 200 };

static int read_name(const struct ask *a, char ret[NAME_BYTES + 1], struct err *err)
{
    const char *name = NULL;
    size_t bytes = 0;
    if (header_text(a->map, "name", NAME_BYTES, &name, &bytes, err)) {
        return KILN_INVALID;
    }
    if (!bytes || memchr(name, '\0', bytes)) {
        return err_set(err, KILN_INVALID, "name", "name is %s, expected that of a function, node or worker",
                       bytes ? "no text" : "missing");
    }
    memcpy(ret, name, bytes);
    ret[bytes] = '\0';
    return 0;
}

/* "stats.mean", "stats.*" or "*" */
static bool matches(const struct function *f, const char *name)
{
    size_t n = strlen(name);
    bool many = n && name[n - 1] == '*' && (n == 1 || (n > 2 && name[n - 2] == '.'));
    return many ? strncmp(f->name, name, n - 1) == 0 : strcmp(f->name, name) == 0;
}

static void function_pause(struct broker *b, struct function *f, bool paused)
{
    if (f->paused == paused) {
        return;
    }
    f->paused = paused;
    if (paused) {
        ready_drop(b, f);
    } else if (f->queue.count) {
        ready_add(b, f);
    }
}

/* ---- what has the name ---- */

struct found {
    struct function **functions; /* first n_functions of the list */
    size_t n_functions, n_nodes, n_workers;
    uint64_t queued, running;
};

static bool has_name(const struct worker *w, const char *name)
{
    return strcmp(w->wid, name) == 0 || (w->node_name && strcmp(w->node_name, name) == 0);
}

static struct found find(struct broker *b, const char *name, bool functions, bool peers)
{
    struct found made = {0};
    size_t n = 0;
    made.functions = catalogue_sorted(&b->catalogue, &n);
    for (size_t i = 0; functions && i < n; i++) {
        if (matches(made.functions[i], name)) {
            made.queued += made.functions[i]->queue.count;
            made.running += made.functions[i]->running;
            made.functions[made.n_functions++] = made.functions[i];
        }
    }
    made.n_nodes = peers && zhashx_lookup(b->peers.nodes, name);
    for (struct worker *w = zhashx_first(b->peers.workers); peers && w; w = zhashx_next(b->peers.workers)) {
        if (has_name(w, name)) {
            made.n_workers++;
            made.running += w->running;
        }
    }
    return made;
}

static bool found_peers(const struct broker *b, const struct found *f, const char *name)
{
    return f->n_nodes || f->n_workers || zhashx_lookup(b->peers.drained, name);
}

static void answer(struct broker *b, struct ask *a, const char *op, const char *name, struct found *f)
{
    struct buf *out = answer_begin(b, a, op, 6);
    buf_put_str_const(out, "status");
    buf_put_str_const(out, "ok");
    buf_put_str_const(out, "functions");
    buf_put_list(out, f->n_functions);
    for (size_t i = 0; i < f->n_functions; i++) {
        buf_put_text(out, f->functions[i]->name);
    }
    buf_put_str_const(out, "nodes");
    buf_put_list(out, f->n_nodes);
    if (f->n_nodes) {
        buf_put_text(out, name);
    }
    buf_put_str_const(out, "workers");
    buf_put_list(out, f->n_workers);
    for (struct worker *w = zhashx_first(b->peers.workers); f->n_workers && w;
         w = zhashx_next(b->peers.workers)) {
        if (has_name(w, name)) {
            buf_put_text(out, w->wid);
        }
    }
    buf_put_str_const(out, "queued");
    buf_put_u64(out, f->queued);
    buf_put_str_const(out, "running");
    buf_put_u64(out, f->running);
    mem_free(f->functions);
    answer_send(b, a, 0);
}

/* Now, and not with their next beats: a resumed worker shall give credit at once. */
static void tell_peers(struct broker *b, const char *name)
{
    struct node *n = zhashx_lookup(b->peers.nodes, name);
    if (n) {
        backend_tell(b, &n->route, n->quiet);
    }
    for (struct worker *w = zhashx_first(b->peers.workers); w; w = zhashx_next(b->peers.workers)) {
        if (has_name(w, name)) {
            backend_tell(b, &w->route, w->quiet);
        }
    }
}

/* ---- operations ---- */

int frontend_pause(struct broker *b, struct ask *a, struct err *err)
{
    char name[NAME_BYTES + 1];
    if (read_name(a, name, err)) {
        return KILN_INVALID;
    }
    struct found f = find(b, name, true, false);
    if (!f.n_functions) {
        mem_free(f.functions);
        return err_set(err, KILN_UNKNOWN_FUNCTION, "name",
                       "name is \"%s\", which no function has; expected one, or \"plugin.*\", or \"*\"",
                       name);
    }
    for (size_t i = 0; i < f.n_functions; i++) {
        function_pause(b, f.functions[i], true);
    }
    b->counters.pauses++;
    log_info("paused", "name=%s functions=%zu queued=%llu", log_quote(name), f.n_functions,
             (unsigned long long) f.queued);
    answer(b, a, "pause", name, &f);
    return 0;
}

int frontend_drain(struct broker *b, struct ask *a, struct err *err)
{
    char name[NAME_BYTES + 1];
    if (read_name(a, name, err)) {
        return KILN_INVALID;
    }
    struct found f = find(b, name, false, true);
    int status = 0;
    if (!found_peers(b, &f, name)) {
        status =
            err_set(err, KILN_INVALID, "name",
                    "name is \"%s\", which no node and no worker has: they are listed by kiln nodes", name);
    } else if (peers_drain(&b->peers, name, true)) {
        status = err_set(err, KILN_BUSY, NULL, "%d nodes and workers are drained already", PEERS_MOST);
    }
    if (status) {
        mem_free(f.functions);
        return status;
    }
    b->counters.drains++;
    log_info("draining", "name=%s workers=%zu running=%llu", log_quote(name), f.n_workers,
             (unsigned long long) f.running);
    tell_peers(b, name);
    answer(b, a, "drain", name, &f);
    return 0;
}

int frontend_resume(struct broker *b, struct ask *a, struct err *err)
{
    char name[NAME_BYTES + 1];
    if (read_name(a, name, err)) {
        return KILN_INVALID;
    }
    struct found f = find(b, name, true, true);
    if (!f.n_functions && !found_peers(b, &f, name)) {
        mem_free(f.functions);
        return err_set(err, KILN_INVALID, "name", "name is \"%s\", which no function, node or worker has",
                       name);
    }
    for (size_t i = 0; i < f.n_functions; i++) {
        function_pause(b, f.functions[i], false);
    }
    peers_drain(&b->peers, name, false);
    log_info("resumed", "name=%s functions=%zu workers=%zu", log_quote(name), f.n_functions, f.n_workers);
    tell_peers(b, name);
    answer(b, a, "resume", name, &f);
    return 0;
}
