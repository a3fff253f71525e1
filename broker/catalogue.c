/* SPDX-License-Identifier: MPL-2.0 */
#include "catalogue.h"

#include <assert.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"

static void function_free(void **item)
{
    struct function *f = *item;
    queue_done(&f->queue);
    if (f->described) {
        zmq_msg_close(&f->contract);
    }
    if (f->orphan) {
        mem_free(f->orphan->node);
        mem_free(f->orphan->session);
        mem_free(f->orphan);
    }
    mem_free(f->stats.times);
    mem_free(f->workers);
    mem_free(f->shadows);
    mem_free(f->name);
    mem_free(f->plugin);
    mem_free(f);
    *item = NULL;
}

void catalogue_init(struct catalogue *c)
{
    *c = (struct catalogue){.by_name = zhashx_new()};
    assert(c->by_name);
    zhashx_set_destructor(c->by_name, function_free);
}

void catalogue_done(struct catalogue *c)
{
    zhashx_destroy(&c->by_name);
    *c = (struct catalogue){0};
}

struct function *catalogue_find(struct catalogue *c, const char *name, size_t name_bytes)
{
    if (c->last && text_is(name, name_bytes, c->last->name)) {
        return c->last;
    }
    char text[CATALOGUE_NAME_BYTES + 1];
    if (name_bytes > CATALOGUE_NAME_BYTES) {
        return NULL;
    }
    memcpy(text, name, name_bytes);
    text[name_bytes] = '\0';
    struct function *f = strlen(text) == name_bytes ? zhashx_lookup(c->by_name, text) : NULL;
    if (f) {
        c->last = f;
    }
    return f;
}

static bool well_formed(const char *name, size_t bytes)
{
    size_t dots = 0;
    for (size_t i = 0; i < bytes; i++) {
        char ch = name[i];
        if (ch == '.') {
            dots++;
        } else if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_')) {
            return false;
        }
    }
    return bytes >= 3 && bytes <= CATALOGUE_NAME_BYTES && dots == 1 && name[0] != '.' &&
           name[bytes - 1] != '.';
}

bool catalogue_accepts(struct catalogue *c, const char *name, size_t name_bytes, size_t n)
{
    return well_formed(name, name_bytes) &&
           (catalogue_find(c, name, name_bytes) || zhashx_size(c->by_name) + n <= CATALOGUE_MOST);
}

struct function *catalogue_make(struct catalogue *c, const char *name, size_t name_bytes)
{
    struct function *f = catalogue_find(c, name, name_bytes);
    if (f || !well_formed(name, name_bytes) || zhashx_size(c->by_name) >= CATALOGUE_MOST) {
        return f;
    }
    f = mem_alloc(sizeof *f);
    f->name = mem_alloc(name_bytes + 1);
    memcpy(f->name, name, name_bytes);
    f->cost_ns = CLOCK_MS;
    zhashx_insert(c->by_name, f->name, f);
    return f;
}

void catalogue_orphan(struct catalogue *c, struct function *f, const char *node, const char *session,
                      uint64_t generation)
{
    if (f->orphan) {
        mem_free(f->orphan->node);
        mem_free(f->orphan->session);
        mem_free(f->orphan);
        f->orphan = NULL;
        c->orphans--;
    }
    if (node) {
        f->orphan = mem_alloc(sizeof *f->orphan);
        *f->orphan = (struct orphan){mem_text(node), mem_text(session), generation};
        c->orphans++;
    }
}

void catalogue_retire(struct catalogue *c, struct function *f)
{
    catalogue_orphan(c, f, NULL, NULL, 0);
    c->announced -= f->announced;
    c->retired += !f->retired;
    f->announced = false;
    f->retired = true;
}

void catalogue_drop(struct catalogue *c, struct function *f)
{
    catalogue_orphan(c, f, NULL, NULL, 0);
    c->announced -= f->announced;
    c->retired -= f->retired;
    if (c->last == f) {
        c->last = NULL;
    }
    zhashx_delete(c->by_name, f->name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct function *const *) a)->name, (*(struct function *const *) b)->name);
}

struct function **catalogue_sorted(struct catalogue *c, size_t *ret_n)
{
    size_t n = 0;
    struct function **list = mem_alloc((zhashx_size(c->by_name) + 1) * sizeof(struct function *));
    for (struct function *f = zhashx_first(c->by_name); f; f = zhashx_next(c->by_name)) {
        list[n++] = f;
    }
    qsort(list, n, sizeof *list, by_name);
    *ret_n = n;
    return list;
}

void catalogue_announce(struct catalogue *c, struct function *f, struct worker *w)
{
    f->workers = mem_grow(f->workers, (f->n_workers + 1) * sizeof(struct worker *));
    f->workers[f->n_workers++] = w;
    catalogue_orphan(c, f, NULL, NULL, 0);
    c->announced += !f->announced;
    c->retired -= f->retired;
    f->announced = true;
    f->retired = false;
}

static void take_out(struct worker **list, size_t *n, const struct worker *w)
{
    for (size_t i = 0; i < *n; i++) {
        if (list[i] == w) {
            list[i] = list[--*n];
            return;
        }
    }
}

void function_leave(struct function *f, struct worker *w)
{
    take_out(f->workers, &f->n_workers, w);
}

void function_shadow(struct function *f, struct worker *w)
{
    f->shadows = mem_grow(f->shadows, (f->n_shadows + 1) * sizeof(struct worker *));
    f->shadows[f->n_shadows++] = w;
}

void function_unshadow(struct function *f, const struct worker *w)
{
    take_out(f->shadows, &f->n_shadows, w);
}
