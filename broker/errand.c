/* SPDX-License-Identifier: MPL-2.0 */
#include "errand.h"

#include <assert.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "outbox.h"
#include "status.h"

/* One node's part. */
struct part {
    char *wid, *session;
    int status; /* KILN_ACCEPTED: not ended */
    char error[520];
    struct buf plugins; /* msgpack list; empty: none */
};

struct errand {
    struct errand *next;
    struct timer timer;
    const char *op;
    uint64_t number;
    int64_t begun_ns;
    struct wire_id rid;
    struct route route;
    struct buf message; /* to the nodes */
    struct part *parts;
    size_t n_parts, open;
};

/* ---- the answer ---- */

static void part_put(const struct part *p, struct buf *out)
{
    buf_put_map(out, 3u + (p->error[0] != '\0'));
    buf_put_str_const(out, "node");
    buf_put_text(out, p->wid);
    buf_put_str_const(out, "status");
    buf_put_text(out, status_name(p->status));
    if (p->error[0]) {
        buf_put_str_const(out, "error");
        buf_put_text(out, p->error);
    }
    buf_put_str_const(out, "plugins");
    if (p->plugins.bytes) {
        buf_put_raw(out, p->plugins.data, p->plugins.bytes);
    } else {
        buf_put_list(out, 0);
    }
}

static void errand_free(struct broker *b, struct errand *e)
{
    struct errand **at = &b->errands;
    while (*at != e) {
        at = &(*at)->next;
    }
    *at = e->next;
    b->n_errands--;
    timers_clear(&b->timers, &e->timer);
    for (size_t i = 0; i < e->n_parts; i++) {
        mem_free(e->parts[i].wid);
        mem_free(e->parts[i].session);
        buf_done(&e->parts[i].plugins);
    }
    mem_free(e->parts);
    buf_done(&e->message);
    mem_free(e);
}

/* Answers and ends it: every part has a status. */
static void answer(struct broker *b, struct errand *e)
{
    struct buf made = {0};
    size_t good = 0;
    buf_put_map(&made, 2);
    buf_put_str_const(&made, "seconds");
    buf_put_f64(&made, (double) (b->now_ns - e->begun_ns) / (double) CLOCK_S);
    buf_put_str_const(&made, "nodes");
    buf_put_list(&made, e->n_parts);
    for (size_t i = 0; i < e->n_parts; i++) {
        part_put(&e->parts[i], &made);
        good += e->parts[i].status == KILN_OK;
    }
    log_info("errand_ended", "op=%s number=%llu nodes=%zu ok=%zu", e->op, (unsigned long long) e->number,
             e->n_parts, good);
    zmq_msg_t *parts = outbox_parts(b, 1);
    zmq_msg_init_size(&parts[0], made.bytes);
    memcpy(zmq_msg_data(&parts[0]), made.data, made.bytes);
    buf_done(&made);
    struct ask to = {.rid = e->rid};
    memcpy(&to.route, &e->route, sizeof to.route);
    struct buf *out = answer_begin(b, &to, e->op, 1);
    buf_put_str_const(out, "status");
    buf_put_str_const(out, "ok");
    answer_send(b, &to, 1);
    errand_free(b, e);
}

static void end_part(struct broker *b, struct errand *e, struct part *p, int status, const char *error)
{
    p->status = status;
    snprintf(p->error, sizeof p->error, "%s", error);
    e->open--;
    if (e->open == 0) {
        answer(b, e);
    }
}

static void end_all(struct broker *b, struct errand *e, int status, const char *error)
{
    for (size_t i = e->n_parts; i-- > 0;) {
        if (e->parts[i].status == KILN_ACCEPTED && e->open > 0) {
            bool last = e->open == 1;
            end_part(b, e, &e->parts[i], status, error);
            if (last) {
                return; /* it is gone */
            }
        }
    }
}

static void time_over(void *arg, struct timer *t)
{
    struct errand *e = (struct errand *) (void *) ((char *) t - offsetof(struct errand, timer));
    end_all(
        arg, e, KILN_DEADLINE,
        "the node has not ended it in time; it goes on there, and `plugins` in stats shows how far it is");
}

void errands_close(struct broker *b)
{
    while (b->errands) {
        end_all(b, b->errands, KILN_UNAVAILABLE, "the broker is stopping; the node goes on");
    }
}

/* ---- nodes ---- */

static struct part *part_of(struct errand *e, const struct node *n)
{
    for (size_t i = 0; i < e->n_parts; i++) {
        struct part *p = &e->parts[i];
        if (p->status == KILN_ACCEPTED && strcmp(p->wid, n->wid) == 0 &&
            strcmp(p->session, n->session) == 0) {
            return p;
        }
    }
    return NULL;
}

int errand_ended(struct broker *b, const struct node *n, const msgpack_object_map *map, struct err *err)
{
    uint64_t number = 0;
    const char *name = "", *error = "";
    size_t name_bytes = 0, error_bytes = 0;
    const msgpack_object_array *plugins = NULL;
    if (header_uint(map, "number", 1, UINT64_MAX, &number, err) ||
        header_text(map, "status", 40, &name, &name_bytes, err) ||
        header_text(map, "error", 512, &error, &error_bytes, err) ||
        header_list(map, "plugins", 1000, &plugins, err)) {
        return KILN_INVALID;
    }
    int status = status_parse(name, name_bytes);
    if (status < 0 || status == KILN_ACCEPTED) {
        return err_set(err, KILN_INVALID, "status", "status is \"%.*s\", which no reload ends with",
                       (int) name_bytes, name);
    }
    for (struct errand *e = b->errands; e; e = e->next) {
        struct part *p = e->number == number ? part_of(e, n) : NULL;
        if (p) {
            char text[sizeof p->error];
            snprintf(text, sizeof text, "%.*s", (int) error_bytes, error);
            if (plugins) {
                msgpack_packer packer = buf_packer(&p->plugins);
                msgpack_pack_object(&packer, *header_get(map, "plugins"));
            }
            end_part(b, e, p, status, text);
            return 0;
        }
    }
    return 0; /* answered already: it was late, or has said it before */
}

void errand_vanished(struct broker *b, const struct node *n, const char *why)
{
    for (struct errand *e = b->errands, *next; e; e = next) {
        next = e->next;
        struct part *p = part_of(e, n);
        if (p) {
            end_part(b, e, p, KILN_UNAVAILABLE, why);
        }
    }
}

static void hand_on(struct broker *b, const struct errand *e, const struct node *n)
{
    outbox_worker(b, &n->route, &e->message, NULL, 0);
}

void errand_again(struct broker *b, const struct node *n)
{
    for (struct errand *e = b->errands; e; e = e->next) {
        if (part_of(e, n)) {
            hand_on(b, e, n);
        }
    }
}

/* ---- the beginning ---- */

static void add_part(struct errand *e, const struct node *n)
{
    e->parts = mem_grow(e->parts, (e->n_parts + 1) * sizeof *e->parts);
    e->parts[e->n_parts++] =
        (struct part){.wid = mem_text(n->wid), .session = mem_text(n->session), .status = KILN_ACCEPTED};
    e->open++;
}

/* The producer's terms, with our number in the place of what is between it and us. */
static void make_message(struct errand *e, const msgpack_object_map *map)
{
    static const char *const ours[] = {"op", "rid", "node", "timeout_ms", "number"};
    size_t at = buf_open_map(&e->message), n = 2;
    buf_put_str_const(&e->message, "op");
    buf_put_text(&e->message, e->op);
    buf_put_str_const(&e->message, "number");
    buf_put_u64(&e->message, e->number);
    msgpack_packer packer = buf_packer(&e->message);
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        bool skip = key->type != MSGPACK_OBJECT_STR;
        for (size_t k = 0; k < sizeof ours / sizeof *ours && !skip; k++) {
            skip = text_is(key->via.str.ptr, key->via.str.size, ours[k]);
        }
        if (!skip) {
            msgpack_pack_object(&packer, *key);
            msgpack_pack_object(&packer, map->ptr[i].val);
            n++;
        }
    }
    buf_close(&e->message, at, n);
}

int errand_start(struct broker *b, struct ask *a, const char *op, struct err *err)
{
    const char *wid = NULL;
    size_t bytes = 0;
    uint64_t timeout_ms = 60000;
    char name[201];
    if (header_text(a->map, "node", 200, &wid, &bytes, err) ||
        header_uint(a->map, "timeout_ms", 1, 90000000, &timeout_ms, err)) {
        return KILN_INVALID;
    }
    snprintf(name, sizeof name, "%.*s", (int) bytes, wid ? wid : "");
    if (wid && !zhashx_lookup(b->peers.nodes, name)) {
        return err_set(err, KILN_INVALID, "node", "node is \"%s\", and none of that name is here (of %zu)",
                       name, zhashx_size(b->peers.nodes));
    }
    if (zhashx_size(b->peers.nodes) == 0) {
        return err_set(err, KILN_UNAVAILABLE, NULL,
                       "no node has said hello to this broker: is kilnd running?");
    }
    if (b->n_errands == ERRANDS_MOST) {
        return err_set(err, KILN_BUSY, NULL, "%d reloads and rollbacks are under way already", ERRANDS_MOST);
    }
    struct errand *e = mem_alloc(sizeof *e);
    *e = (struct errand){.op = op,
                         .number = (b->epoch & 0xffffffff) << 20 | ++b->errand_serial,
                         .begun_ns = b->now_ns,
                         .rid = a->rid};
    memcpy(&e->route, &a->route, sizeof e->route);
    make_message(e, a->map);
    for (struct node *n = zhashx_first(b->peers.nodes); n; n = zhashx_next(b->peers.nodes)) {
        if (!wid || strcmp(n->wid, name) == 0) {
            add_part(e, n);
            hand_on(b, e, n);
        }
    }
    e->next = b->errands;
    b->errands = e;
    b->n_errands++;
    b->counters.errands++;
    e->timer.fire = time_over;
    timers_set(&b->timers, &e->timer, b->now_ns + (int64_t) timeout_ms * CLOCK_MS);
    log_info("errand_begun", "op=%s number=%llu nodes=%zu", op, (unsigned long long) e->number, e->n_parts);
    return 0;
}
