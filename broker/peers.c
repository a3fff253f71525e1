/* SPDX-License-Identifier: MPL-2.0 */
#include "peers.h"

#include <assert.h>

#include <kiln/status.h>

#include "mem.h"

/* Routes are bytes, not text: the tables use them through these two. FNV-1a is enough for addresses that libzmq counts up. */
static size_t route_hash(const void *key)
{
    const struct peer_route *r = key;
    size_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < r->size; i++) {
        h = (h ^ r->bytes[i]) * UINT64_C(1099511628211);
    }
    return h;
}

static int route_compare(const void *a, const void *b)
{
    const struct peer_route *x = a, *y = b;
    return x->size != y->size ? x->size - y->size : memcmp(x->bytes, y->bytes, x->size);
}

static void entry_free(void **item)
{
    mem_free(*item);
    *item = NULL;
}

static void worker_free(void **item)
{
    struct worker *w = *item;
    assert(!w->leases);
    if (w->reported) {
        zmq_msg_close(&w->report);
    }
    char *texts[] = {w->wid,    w->node_name, w->node_session, w->session, w->host,
                     w->plugin, w->version,   w->build,        w->label};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        mem_free(texts[i]);
    }
    mem_free(w->functions);
    mem_free(w);
    *item = NULL;
}

static void node_free(void **item)
{
    struct node *n = *item;
    mem_free(n->wid);
    mem_free(n->session);
    mem_free(n->host);
    buf_done(&n->plugins);
    mem_free(n);
    *item = NULL;
}

void peers_init(struct peers *ps)
{
    *ps = (struct peers){
        .by_route = zhashx_new(), .workers = zhashx_new(), .nodes = zhashx_new(), .drained = zhashx_new()};
    assert(ps->by_route && ps->workers && ps->nodes && ps->drained);
    zhashx_set_key_hasher(ps->by_route, route_hash);
    zhashx_set_key_comparator(ps->by_route, route_compare);
    zhashx_set_key_duplicator(ps->by_route, NULL); /* keys live in their peers */
    zhashx_set_key_destructor(ps->by_route, NULL);
    zhashx_set_destructor(ps->by_route, entry_free);
    zhashx_set_destructor(ps->workers, worker_free);
    zhashx_set_destructor(ps->nodes, node_free);
}

void peers_done(struct peers *ps)
{
    zhashx_destroy(&ps->by_route);
    zhashx_destroy(&ps->workers);
    zhashx_destroy(&ps->nodes);
    zhashx_destroy(&ps->drained);
}

void route_take(struct peer_route *to, zmq_msg_t *frame)
{
    assert(zmq_msg_size(frame) <= WIRE_ROUTE_BYTES);
    to->size = (uint8_t) zmq_msg_size(frame);
    memcpy(to->bytes, zmq_msg_data(frame), to->size);
}

struct peer_entry *peers_find(struct peers *ps, zmq_msg_t *frame)
{
    struct peer_route route;
    route_take(&route, frame);
    return zhashx_lookup(ps->by_route, &route);
}

static void enter(struct peers *ps, const struct peer_route *route, struct worker *w, struct node *n)
{
    struct peer_entry *e = mem_alloc(sizeof *e);
    *e = (struct peer_entry){.worker = w, .node = n};
    int taken = zhashx_insert(ps->by_route, route, e);
    assert(!taken);
}

static bool drained(const struct peers *ps, const char *name)
{
    return name && zhashx_lookup(ps->drained, name);
}

static bool worker_drained(const struct peers *ps, const struct worker *w)
{
    return drained(ps, w->wid) || drained(ps, w->node_name);
}

bool peers_belongs(const struct worker *w, const struct node *n)
{
    bool any = !w->node_session || !w->node_session[0];
    return w->node_name && strcmp(w->node_name, n->wid) == 0 &&
           (any || strcmp(w->node_session, n->session) == 0);
}

void peers_add_worker(struct peers *ps, struct worker *w)
{
    enter(ps, &w->route, w, NULL);
    int taken = zhashx_insert(ps->workers, w->wid, w);
    assert(!taken);
    struct node *n = w->node_name ? zhashx_lookup(ps->nodes, w->node_name) : NULL;
    w->node = n && peers_belongs(w, n) ? n : NULL;
    w->quiet = worker_drained(ps, w);
}

void peers_add_node(struct peers *ps, struct node *n)
{
    enter(ps, &n->route, NULL, n);
    int taken = zhashx_insert(ps->nodes, n->wid, n);
    assert(!taken);
    n->quiet = drained(ps, n->wid);
    for (struct worker *w = zhashx_first(ps->workers); w; w = zhashx_next(ps->workers)) {
        if (peers_belongs(w, n)) {
            w->node = n;
        }
    }
}

void peers_drop_worker(struct peers *ps, struct worker *w)
{
    zhashx_delete(ps->by_route, &w->route);
    zhashx_delete(ps->workers, w->wid);
}

void peers_drop_node(struct peers *ps, struct node *n)
{
    for (struct worker *w = zhashx_first(ps->workers); w; w = zhashx_next(ps->workers)) {
        if (w->node == n) {
            w->node = NULL;
        }
    }
    zhashx_delete(ps->by_route, &n->route);
    zhashx_delete(ps->nodes, n->wid);
}

void peers_reroute(struct peers *ps, struct worker *w, zmq_msg_t *route)
{
    zhashx_delete(ps->by_route, &w->route);
    route_take(&w->route, route);
    enter(ps, &w->route, w, NULL);
}

int peers_drain(struct peers *ps, const char *name, bool quiet)
{
    static char here;
    if (!quiet) {
        zhashx_delete(ps->drained, name);
    } else if (zhashx_size(ps->drained) >= PEERS_MOST) {
        return KILN_BUSY;
    } else {
        zhashx_update(ps->drained, name, &here);
    }
    for (struct worker *w = zhashx_first(ps->workers); w; w = zhashx_next(ps->workers)) {
        w->quiet = worker_drained(ps, w);
    }
    for (struct node *n = zhashx_first(ps->nodes); n; n = zhashx_next(ps->nodes)) {
        n->quiet = drained(ps, n->wid);
    }
    return 0;
}

void **peers_all(zhashx_t *table, size_t *ret_n)
{
    size_t n = 0;
    void **all = mem_alloc((zhashx_size(table) + 1) * sizeof(void *));
    for (void *item = zhashx_first(table); item; item = zhashx_next(table)) {
        all[n++] = item;
    }
    *ret_n = n;
    return all;
}

void worker_settle(struct worker *w, uint8_t delivery)
{
    assert(w->deliveries[delivery] > 0);
    w->deliveries[delivery]--;
}

int worker_slot(const struct worker *w)
{
    for (int i = 0; i < PEER_DELIVERIES; i++) {
        if (w->deliveries[i] == 0) {
            return i;
        }
    }
    return -1;
}
