/* SPDX-License-Identifier: MPL-2.0 */
#include "reloads.h"

#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "status.h"

struct one {
    char name[CONFIG_NAME_BYTES];
    uint64_t attempt;
    bool ended, good;
    struct buf said; /* the item of the answer, a msgpack map */
};

struct reload {
    uint64_t number;
    struct one *of;
    size_t n;
    struct err refused; /* status 0: it was not */
    bool open;
};

/* ---- what is asked ---- */

static int read_names(const msgpack_object_map *map, struct store_order *order, struct err *err)
{
    enum { MOST = 256 };
    static char names[MOST][CONFIG_NAME_BYTES];
    const msgpack_object_array *list = NULL;
    if (header_list(map, "plugins", MOST, &list, err)) {
        return KILN_INVALID;
    }
    for (uint32_t i = 0; list && i < list->size; i++) {
        const msgpack_object *o = &list->ptr[i];
        char shown[64];
        if (o->type != MSGPACK_OBJECT_STR || !o->via.str.size || o->via.str.size >= CONFIG_NAME_BYTES) {
            return err_set(err, KILN_INVALID, "plugins", "plugins holds %s, expected names of plugins",
                           header_show(o, shown, sizeof shown));
        }
        snprintf(names[i], sizeof names[i], "%.*s", (int) o->via.str.size, o->via.str.ptr);
    }
    order->names = names;
    order->n = list ? list->size : 0;
    return 0;
}

int reloads_read(const msgpack_object_map *map, bool back, struct store_order *ret_order, struct err *err)
{
    struct store_order order = {0};
    if (read_names(map, &order, err) || swap_terms_read(map, &order.terms, err)) {
        return KILN_INVALID;
    }
    if ((back || order.terms.trial.kind) && order.n == 0) {
        return err_set(err, KILN_INVALID, "plugins", "plugins is missing, expected the names of those to %s",
                       back ? "roll back" : "put on trial");
    }
    *ret_order = order;
    return 0;
}

/* ---- those that are under way ---- */

static void reload_free(struct reload *reload)
{
    for (size_t i = 0; i < reload->n; i++) {
        buf_done(&reload->of[i].said);
    }
    mem_free(reload->of);
    mem_free(reload);
}

bool reloads_open(struct reloads *r, uint64_t number)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->under_way[i]->number == number) {
            return false;
        }
    }
    for (size_t i = 0; i < LINK_KEPT; i++) {
        if (r->n_answered > i && r->answered[i] == number) {
            return false;
        }
    }
    r->open = mem_alloc(sizeof *r->open);
    *r->open = (struct reload){.number = number, .open = true};
    return true;
}

void reloads_close(struct reloads *r, const struct err *refused)
{
    struct reload *reload = r->open;
    r->open = NULL;
    reload->open = false;
    if (refused) {
        reload->refused = *refused;
    }
    r->under_way[r->n++] = reload;
}

void reloads_begun(void *reloads, const struct hosted *h)
{
    struct reload *reload = ((struct reloads *) reloads)->open;
    if (reload) {
        reload->of = mem_grow(reload->of, (reload->n + 1) * sizeof *reload->of);
        struct one *one = &reload->of[reload->n++];
        *one = (struct one){.attempt = h->attempt};
        snprintf(one->name, sizeof one->name, "%s", h->name);
    }
}

static void note_end(struct reload *reload, const struct hosted *h)
{
    for (size_t i = 0; i < reload->n; i++) {
        struct one *one = &reload->of[i];
        if (one->attempt != h->last.attempt || one->ended) {
            continue;
        }
        one->ended = true;
        one->good = swap_result_good(h->last.result);
        buf_put_map(&one->said, swap_pairs(&h->last) + 1);
        buf_put_str_const(&one->said, "name");
        buf_put_text(&one->said, h->name);
        swap_put(&h->last, &one->said);
    }
}

void reloads_ended(void *reloads, const struct hosted *h)
{
    struct reloads *r = reloads;
    for (size_t i = 0; i < r->n; i++) {
        note_end(r->under_way[i], h);
    }
    if (r->open) {
        note_end(r->open, h);
    }
}

static bool over(const struct reload *reload)
{
    for (size_t i = 0; i < reload->n; i++) {
        if (!reload->of[i].ended) {
            return false;
        }
    }
    return true;
}

static void answer(const struct reload *reload, struct link *link)
{
    bool good = true;
    for (size_t i = 0; i < reload->n; i++) {
        good = good && reload->of[i].good;
    }
    int status = reload->refused.status ? reload->refused.status : good ? KILN_OK : KILN_FAILED;
    struct buf *b = link_tell(link);
    buf_put_map(b, 4u + (reload->refused.status != 0));
    buf_put_str_const(b, "op");
    buf_put_str_const(b, "reloaded");
    buf_put_str_const(b, "number");
    buf_put_u64(b, reload->number);
    buf_put_str_const(b, "status");
    buf_put_text(b, status_name(status));
    if (reload->refused.status) {
        buf_put_str_const(b, "error");
        buf_put_text(b, reload->refused.text);
    }
    buf_put_str_const(b, "plugins");
    buf_put_list(b, reload->n);
    for (size_t i = 0; i < reload->n; i++) {
        buf_put_raw(b, reload->of[i].said.data, reload->of[i].said.bytes);
    }
    link_told(link, b);
}

void reloads_answer(struct reloads *r, struct link *link)
{
    for (size_t i = 0; i < r->n;) {
        struct reload *reload = r->under_way[i];
        if (!over(reload)) {
            i++;
            continue;
        }
        answer(reload, link);
        r->answered[r->n_answered++ % LINK_KEPT] = reload->number;
        reload_free(reload);
        r->under_way[i] = r->under_way[--r->n];
    }
}

void reloads_done(struct reloads *r)
{
    while (r->n) {
        reload_free(r->under_way[--r->n]);
    }
}
