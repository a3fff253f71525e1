/* SPDX-License-Identifier: MPL-2.0 */
#include "retire.h"

#include "log.h"
#include "mem.h"

/* The node's word on the plugin of a function: NULL when it has none. */
static const msgpack_object_map *entry_of(const msgpack_object_array *plugins, const char *function)
{
    size_t name_bytes = strcspn(function, ".");
    for (uint32_t i = 0; i < plugins->size; i++) {
        const msgpack_object *o = &plugins->ptr[i];
        const msgpack_object *name = o->type == MSGPACK_OBJECT_MAP ? header_get(&o->via.map, "name") : NULL;
        if (name && name->type == MSGPACK_OBJECT_STR && name->via.str.size == name_bytes &&
            memcmp(name->via.str.ptr, function, name_bytes) == 0) {
            return &o->via.map;
        }
    }
    return NULL;
}

/* Does the node say that it offers the function no more? Its plugin may be loading, or between two workers. */
static bool disowned(const struct orphan *last, const struct node *n, const msgpack_object_map *entry)
{
    const char *state = "";
    size_t bytes = 0;
    uint64_t generation = 0, workers = 0;
    if (!entry) {
        return true;
    }
    if (header_text(entry, "state", 40, &state, &bytes, NULL) ||
        header_uint(entry, "generation", 0, UINT64_MAX, &generation, NULL) ||
        header_uint(entry, "workers", 0, UINT64_MAX, &workers, NULL)) {
        return false;
    }
    bool other = generation != last->generation || strcmp(last->session, n->session) != 0;
    return other && workers > 0 && text_is(state, bytes, "ready");
}

void retire_by_beat(struct broker *b, const struct node *n, const msgpack_object_array *plugins)
{
    if (!b->catalogue.orphans) {
        return;
    }
    size_t count;
    struct function **all = catalogue_sorted(&b->catalogue, &count);
    for (size_t i = 0; i < count; i++) {
        struct function *f = all[i];
        if (f->orphan && strcmp(f->orphan->node, n->wid) == 0 &&
            disowned(f->orphan, n, entry_of(plugins, f->name))) {
            log_info("function_retired", "fn=%s node=%s waiting=%u", f->name, n->wid,
                     f->queue.count + f->delayed);
            b->counters.functions_retired++;
            catalogue_retire(&b->catalogue, f);
        }
    }
    mem_free(all);
    retire_sweep(b);
}

void retire_sweep(struct broker *b)
{
    if (!b->catalogue.retired) {
        return;
    }
    size_t count;
    struct function **all = catalogue_sorted(&b->catalogue, &count);
    for (size_t i = 0; i < count; i++) {
        struct function *f = all[i];
        if (f->retired && !f->queue.count && !f->delayed && !f->running && !f->n_workers && !f->n_shadows) {
            catalogue_drop(&b->catalogue, f);
        }
    }
    mem_free(all);
}
