/* SPDX-License-Identifier: MPL-2.0 */
#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "builtin.h"

/* ---- the list */

int store_add(struct store *s, const char *name, int64_t version, const char *path, struct served **ret)
{
    if (s->n == s->room) {
        const size_t room = s->room ? 2 * s->room : 16;
        struct served **more = realloc(s->models, room * sizeof *more);
        if (!more) {
            return KILN_RESOURCE;
        }
        s->models = more;
        s->room = room;
    }
    struct served *added = calloc(1, sizeof *added);
    if (!added || !(added->name = strdup(name)) || (path && !(added->path = strdup(path)))) {
        if (added) {
            served_done(added);
        }
        free(added);
        return KILN_RESOURCE;
    }
    added->version = version;
    s->models[s->n++] = *ret = added;
    return KILN_OK;
}

static int by_name_and_version(const void *a, const void *b)
{
    const struct served *x = *(struct served *const *) a, *y = *(struct served *const *) b;
    const int names = strcmp(x->name, y->name);
    return names ? names : (x->version < y->version) - (x->version > y->version);
}

struct served *store_find(struct store *s, const char *name, int64_t version)
{
    struct served *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        struct served *m = s->models[i];
        if (strcmp(m->name, name) != 0 || (version && m->version != version)) {
            continue;
        }
        if (!best || (best->state == SERVED_FAILED && m->state != SERVED_FAILED)) { /* newest first */
            best = m;
        }
    }
    return best;
}

/* ---- memory */

/* The budget is spent: the model that was not used for longest goes. */
static bool make_room(void *arg, size_t bytes)
{
    (void) bytes;
    struct store *s = arg;
    struct served *oldest = NULL;
    for (size_t i = 0; i < s->n; i++) {
        struct served *m = s->models[i];
        if (m->model && !m->pinned && !m->in_use && (!oldest || m->used_at < oldest->used_at)) {
            oldest = m;
        }
    }
    if (oldest) {
        served_unload(oldest);
        oldest->evictions++;
        s->evictions++;
    }
    return oldest != NULL;
}

/* ---- taking */

static int load(struct store *s, struct served *m, struct kiln_call *call)
{
    const int rc = served_load(m, &s->load, call);
    s->loads += rc == KILN_OK;
    s->failures += rc != KILN_OK;
    if (rc != KILN_OK && rc != KILN_RESOURCE) {
        call->host->log(call, KILN_LOG_WARNING, "model %s, version %lld failed: %.400s", m->name,
                        (long long) m->version, m->why.text);
    }
    return rc;
}

static int unknown(struct store *s, const char *name, int64_t version, struct refusal *why)
{
    char list[200] = "";
    int at = 0;
    for (size_t i = 0; i < s->n && at < (int) sizeof list - 1; i++) {
        struct served *m = s->models[i];
        if (version ? strcmp(m->name, name) == 0 : !i || strcmp(m->name, s->models[i - 1]->name) != 0) {
            at += version
                      ? snprintf(list + at, sizeof list - (size_t) at, "%s%lld", at ? ", " : "",
                                 (long long) m->version)
                      : snprintf(list + at, sizeof list - (size_t) at, "%s%.64s", at ? ", " : "", m->name);
        }
    }
    return version && *list ? refuse(why, KILN_INVALID, "version is %lld, expected one of model %.64s: %s",
                                     (long long) version, name, list)
                            : refuse(why, KILN_INVALID, "model is %.64s, expected one of: %s", name, list);
}

int store_take(struct store *s, const char *name, int64_t version, struct kiln_call *call,
               struct served **ret, struct refusal *why)
{
    for (;;) {
        struct served *m = store_find(s, name, version);
        if (!m) {
            return unknown(s, name, version && store_find(s, name, 0) ? version : 0, why);
        }
        if (m->state == SERVED_FAILED) {
            return refuse(why, KILN_FAILED, "model %s, version %lld failed: %.400s", m->name,
                          (long long) m->version, m->why.text);
        }
        if (m->state == SERVED_READY) {
            s->hits++;
        } else {
            s->misses++;
            const int rc = load(s, m, call);
            if (rc == KILN_RESOURCE) {
                return refuse(why, rc, "model %s, version %lld: %.400s", m->name, (long long) m->version,
                              m->why.text);
            }
            if (rc) { /* an older version may do, when none was asked for */
                continue;
            }
        }
        m->in_use = true;
        m->used_at = ++s->clock;
        m->uses++;
        *ret = m;
        return KILN_OK;
    }
}

void store_release(struct served *served)
{
    served->in_use = false;
}

/* ---- opening */

static bool is_pinned(const char *list, const char *name)
{
    if (strcmp(list, "*") == 0) {
        return true;
    }
    const size_t n = strlen(name);
    for (const char *at = list; *at;) {
        const size_t length = strcspn(at, ", ");
        if (length == n && memcmp(at, name, n) == 0) {
            return true;
        }
        at += length + strspn(at + length, ", ");
    }
    return false;
}

/* A name in the list that no model has is a mistake that would show only later, as a slow first call. */
static int check_pinned(struct store *s, const char *list, struct refusal *why)
{
    for (const char *at = list; *at && strcmp(list, "*") != 0;) {
        const size_t length = strcspn(at, ", ");
        char name[80];
        snprintf(name, sizeof name, "%.*s", (int) (length < 79 ? length : 79), at);
        if (length && !store_find(s, name, 0)) {
            return refuse(why, KILN_INVALID, "pinned names \"%s\", which is no model", name);
        }
        at += length + strspn(at + length, ", ");
    }
    return KILN_OK;
}

static int add_builtin(struct store *s, struct refusal *why)
{
    struct served *m;
    if (store_find(s, BUILTIN_NAME, 0)) {
        return refuse(why, KILN_INVALID, "the name " BUILTIN_NAME " is taken by a model that is built in");
    }
    if (store_add(s, BUILTIN_NAME, 1, NULL, &m)) {
        return refuse_memory(why, "the list of models");
    }
    m->bytes = builtin_model;
    m->n_bytes = sizeof builtin_model;
    m->pinned = true;
    return KILN_OK;
}

/* Is there a version of this model that works, or may yet? */
static int check_names(struct store *s, struct refusal *why)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct served *latest = store_find(s, s->models[i]->name, 0);
        if (latest->state == SERVED_FAILED) {
            return refuse(why, KILN_INVALID, "model %s, version %lld: %.400s", latest->name,
                          (long long) latest->version, latest->why.text);
        }
    }
    return KILN_OK;
}

static int load_pinned(struct store *s, const struct store_options *o, struct kiln_call *call,
                       struct refusal *why)
{
    for (size_t i = 0; i < s->n; i++) {
        struct served *m = s->models[i];
        m->pinned = m->pinned || is_pinned(o->pinned, m->name);
        if (m->pinned && m->state == SERVED_COLD && load(s, m, call) == KILN_RESOURCE) {
            return refuse(
                why, KILN_RESOURCE,
                "cache_mb is %lld, which is too little for the pinned models: %s, version %lld: %.300s",
                (long long) (o->cache_bytes >> 20), m->name, (long long) m->version, m->why.text);
        }
    }
    return KILN_OK;
}

int store_open(struct store *s, const struct store_options *o, struct kiln_call *call, struct refusal *why)
{
    *s = (struct store){.budget = {.limit = (size_t) o->cache_bytes, .make_room = make_room, .arg = s}};
    workspace_init(&s->workspace, &s->budget);
    workspace_init(&s->stack, &s->budget);
    s->load = (struct load_options){.budget = &s->budget,
                                    .workspace = &s->workspace,
                                    .max_batch = o->max_batch,
                                    .prefer_int8 = o->prefer_int8,
                                    .quantize = o->quantize};
    int rc = o->folder ? store_scan(s, o->folder, why) : KILN_OK;
    rc = rc ? rc : add_builtin(s, why);
    if (rc) {
        return rc;
    }
    qsort(s->models, s->n, sizeof *s->models, by_name_and_version);
    for (size_t i = 1; i < s->n; i++) {
        if (by_name_and_version(&s->models[i - 1], &s->models[i]) == 0) {
            return refuse(why, KILN_INVALID,
                          "folder has model %s, version %lld twice: as %s.onnx and as %s/%lld",
                          s->models[i]->name, (long long) s->models[i]->version, s->models[i]->name,
                          s->models[i]->name, (long long) s->models[i]->version);
        }
    }
    rc = check_pinned(s, o->pinned, why);
    rc = rc ? rc : load_pinned(s, o, call, why);
    return rc || o->skip_bad ? rc : check_names(s, why);
}

void store_close(struct store *s)
{
    for (size_t i = 0; i < s->n; i++) {
        served_done(s->models[i]);
        free(s->models[i]);
    }
    free(s->models);
    workspace_done(&s->workspace);
    workspace_done(&s->stack);
    *s = (struct store){.n = 0};
}
