/* SPDX-License-Identifier: MPL-2.0 */
#include "tenant.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "utf8.h"
#include "wire.h"

static void tenant_free(void **item)
{
    mem_free(*item);
    *item = NULL;
}

static struct tenant *tenant_new(const struct tenants *ts, const char *name, size_t bytes)
{
    struct tenant *t = mem_alloc(sizeof *t + bytes + 1);
    memcpy(t->name, name, bytes);
    t->quota = quotas_find(ts->quotas, t->name);
    return t;
}

void tenants_init(struct tenants *ts, const struct quotas *quotas)
{
    *ts = (struct tenants){.by_name = zhashx_new(), .quotas = quotas};
    assert(ts->by_name);
    zhashx_set_key_duplicator(ts->by_name, NULL); /* names live in their tenants */
    zhashx_set_key_destructor(ts->by_name, NULL);
    zhashx_set_destructor(ts->by_name, tenant_free);
    ts->plain = tenant_new(ts, "", 0);
}

void tenants_apply(struct tenants *ts, const struct quotas *quotas)
{
    ts->quotas = quotas;
    ts->plain->quota = quotas_find(quotas, "");
    for (struct tenant *t = zhashx_first(ts->by_name); t; t = zhashx_next(ts->by_name)) {
        t->quota = quotas_find(quotas, t->name);
    }
}

void tenants_done(struct tenants *ts)
{
    mem_free(ts->plain);
    zhashx_destroy(&ts->by_name);
    *ts = (struct tenants){0};
}

/* ---- idle ones ---- */

static void idle_leave(struct tenants *ts, struct tenant *t)
{
    *(t->prev ? &t->prev->next : &ts->oldest) = t->next;
    *(t->next ? &t->next->prev : &ts->newest) = t->prev;
    t->next = t->prev = NULL;
    ts->idle--;
}

static void idle_enter(struct tenants *ts, struct tenant *t)
{
    t->prev = ts->newest;
    *(t->prev ? &t->prev->next : &ts->oldest) = t;
    ts->newest = t;
    if (++ts->idle > TENANTS_IDLE) {
        struct tenant *oldest = ts->oldest;
        idle_leave(ts, oldest);
        ts->latest = ts->latest == oldest ? NULL : ts->latest;
        zhashx_delete(ts->by_name, oldest->name);
    }
}

/* ---- one job ---- */

bool tenant_named_well(const char *name, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char) name[i] < ' ' || name[i] == 0x7f) {
            return false;
        }
    }
    return bytes <= TENANT_NAME_BYTES && utf8_valid(name, bytes);
}

struct tenant *tenant_find(struct tenants *ts, const char *name, size_t bytes)
{
    if (!bytes) {
        return ts->plain;
    }
    if (ts->latest && text_is(name, bytes, ts->latest->name)) {
        return ts->latest;
    }
    char text[TENANT_NAME_BYTES + 1];
    assert(bytes <= TENANT_NAME_BYTES);
    memcpy(text, name, bytes);
    text[bytes] = '\0';
    struct tenant *t = zhashx_lookup(ts->by_name, text);
    if (!t) {
        t = tenant_new(ts, name, bytes);
        zhashx_insert(ts->by_name, t->name, t);
        idle_enter(ts, t);
    }
    return ts->latest = t;
}

static int64_t interval_ns(const struct quota *q)
{
    return CLOCK_S / q->rate;
}

static enum tenant_limit over(const struct tenant *t, uint64_t bytes, int64_t now_ns, struct err *err)
{
    const struct quota *q = t->quota;
    if (q->jobs && t->jobs >= (uint64_t) q->jobs) {
        err_set(err, KILN_BUSY, "key",
                "key \"%s\" has %u jobs waiting or running and may have %lld (quotas.jobs); try again later",
                t->name, t->jobs, (long long) q->jobs);
        return TENANT_JOBS;
    }
    if (q->bytes && bytes > (uint64_t) q->bytes) {
        err_set(err, KILN_INVALID, "key",
                "payload has %llu bytes, expected at most %lld for key \"%s\" (quotas.bytes)",
                (unsigned long long) bytes, (long long) q->bytes, t->name);
        return TENANT_BYTES;
    }
    if (q->bytes && t->bytes + bytes > (uint64_t) q->bytes) {
        err_set(err, KILN_BUSY, "key",
                "jobs of key \"%s\" hold %llu bytes and may hold %lld (quotas.bytes); try again later",
                t->name, (unsigned long long) t->bytes, (long long) q->bytes);
        return TENANT_BYTES;
    }
    if (q->rate) {
        /* Its burst less what it has spent is there: a job more, when what would be spent then is within the burst. */
        int64_t late_ns = t->full_ns - now_ns - (q->burst - 1) * interval_ns(q);
        if (late_ns > 0) {
            err_set(
                err, KILN_BUSY, "key",
                "key \"%s\" has sent %lld jobs at once and may send %lld a second (quotas.rate); try again "
                "in %lld ms",
                t->name, (long long) q->burst, (long long) q->rate, (long long) (late_ns / CLOCK_MS + 1));
            return TENANT_RATE;
        }
    }
    return TENANT_FREE;
}

enum tenant_limit tenant_check(struct tenant *t, uint64_t bytes, int64_t now_ns, struct err *err)
{
    enum tenant_limit limit = t->quota ? over(t, bytes, now_ns, err) : TENANT_FREE;
    t->refused += limit != TENANT_FREE;
    return limit;
}

void tenant_enter(struct tenants *ts, struct tenant *t, uint64_t bytes, int64_t now_ns)
{
    if (!t->jobs++) {
        ts->active++;
        if (t != ts->plain) {
            idle_leave(ts, t);
        }
    }
    t->bytes += bytes;
    t->taken++;
    if (t->quota && t->quota->rate) {
        t->full_ns = (t->full_ns > now_ns ? t->full_ns : now_ns) + interval_ns(t->quota);
    }
}

void tenant_leave(struct tenants *ts, struct tenant *t, uint64_t bytes)
{
    t->bytes -= bytes;
    if (!--t->jobs) {
        ts->active--;
        if (t != ts->plain) {
            idle_enter(ts, t);
        }
    }
}

/* ---- figures ---- */

static int by_jobs(const void *a, const void *b)
{
    const struct tenant *x = *(struct tenant *const *) a, *y = *(struct tenant *const *) b;
    return x->jobs != y->jobs     ? (x->jobs < y->jobs ? 1 : -1)
           : x->taken != y->taken ? (x->taken < y->taken ? 1 : -1)
                                  : strcmp(x->name, y->name);
}

struct tenant **tenants_sorted(struct tenants *ts, size_t *ret_n)
{
    size_t n = 0;
    struct tenant **list = mem_alloc((zhashx_size(ts->by_name) + 1) * sizeof(struct tenant *));
    for (struct tenant *t = zhashx_first(ts->by_name); t; t = zhashx_next(ts->by_name)) {
        list[n++] = t;
    }
    list[n++] = ts->plain;
    qsort(list, n, sizeof *list, by_jobs);
    *ret_n = n;
    return list;
}
