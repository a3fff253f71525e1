/* SPDX-License-Identifier: MPL-2.0 */
#include "frontend.h"

#include <stddef.h>

#include "clock.h"
#include "lifecycle.h"
#include "outbox.h"
#include "status.h"

/* What a job says of itself, or takes from the message around it. */
struct spec {
    const msgpack_object *fn, *id, *key;
    const char *user;
    uint64_t timeout_ms, deadline_ms, ttl_ms, not_before_ms, run_ms, priority, max_attempts, backoff_ms,
        keep_ms;
};

enum { CALL = 1, SUBMIT = 2 };
enum {
    UNANNOUNCED_MOST = 256
}; /* functions awaited while settling: names cost memory, and anybody can invent them */

static const struct row {
    const char *key;
    size_t key_bytes, offset;
    uint64_t least, most;
    unsigned ops;
} rows[] = {
#define ROW(name, least, most, ops)                                                                          \
    {                                                                                                        \
#name, sizeof #name - 1, offsetof(struct spec, name), least, most, ops                               \
    }
    ROW(timeout_ms, 1, 86400000, CALL),      ROW(priority, 0, QUEUE_PRIORITIES - 1, CALL | SUBMIT),
    ROW(run_ms, 1, 86400000, CALL | SUBMIT), ROW(deadline_ms, 1, 2592000000, SUBMIT),
    ROW(ttl_ms, 1, 2592000000, SUBMIT),      ROW(not_before_ms, 0, 2592000000, SUBMIT),
    ROW(max_attempts, 1, 100, SUBMIT),       ROW(backoff_ms, 0, 3600000, SUBMIT),
    ROW(keep_ms, 0, 2592000000, SUBMIT),
#undef ROW
};

static int read_row(const msgpack_object_kv *kv, const struct row *row, struct spec *spec, struct err *err)
{
    if (kv->val.type == MSGPACK_OBJECT_POSITIVE_INTEGER && kv->val.via.u64 >= row->least &&
        kv->val.via.u64 <= row->most) {
        memcpy((char *) spec + row->offset, &kv->val.via.u64, sizeof kv->val.via.u64);
        return 0;
    }
    if (kv->val.type == MSGPACK_OBJECT_NIL) {
        return 0;
    }
    char shown[64];
    return err_set(err, KILN_INVALID, row->key, "%s is %s, expected a whole number %llu..%llu", row->key,
                   header_show(&kv->val, shown, sizeof shown), (unsigned long long) row->least,
                   (unsigned long long) row->most);
}

/* One pass over the pairs, to the end even when one is wrong: the refusal should carry the id. Keys that are none of
 * ours are ignored. */
static int read_spec(const msgpack_object_map *map, unsigned op, struct spec *spec, struct err *err)
{
    int status = 0;
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object_kv *kv = &map->ptr[i];
        if (kv->key.type != MSGPACK_OBJECT_STR) {
            continue;
        }
        const char *key = kv->key.via.str.ptr;
        size_t bytes = kv->key.via.str.size;
        if (bytes == 2 && memcmp(key, "id", 2) == 0) {
            spec->id = kv->val.type == MSGPACK_OBJECT_NIL ? NULL : &kv->val;
            continue;
        }
        if (bytes == 2 && memcmp(key, "fn", 2) == 0) {
            spec->fn = kv->val.type == MSGPACK_OBJECT_NIL ? NULL : &kv->val;
            continue;
        }
        if (bytes == 3 && memcmp(key, "key", 3) == 0) {
            spec->key = kv->val.type == MSGPACK_OBJECT_NIL ? NULL : &kv->val;
            continue;
        }
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
            if (rows[k].key_bytes == bytes && memcmp(rows[k].key, key, bytes) == 0) {
                if (!status && !(rows[k].ops & op)) {
                    status =
                        err_set(err, KILN_INVALID, rows[k].key, "%s is not a key of %s%s", rows[k].key,
                                op == CALL ? "call" : "submit",
                                rows[k].ops == CALL ? ": deadline_ms says when a job must be finished" : "");
                } else if (!status) {
                    status = read_row(kv, &rows[k], spec, err);
                }
                break;
            }
        }
    }
    return status;
}

static int find_function(struct broker *b, const struct spec *spec, struct function **ret, struct err *err)
{
    const msgpack_object *o = spec->fn;
    char shown[64];
    if (!o) {
        return err_set(err, KILN_INVALID, "fn",
                       "fn is missing, expected the name of a function such as \"stats.mean\"");
    }
    if (o->type != MSGPACK_OBJECT_STR) {
        return err_set(err, KILN_INVALID, "fn", "fn is %s, expected a string",
                       header_show(o, shown, sizeof shown));
    }
    struct function *fn = catalogue_find(&b->catalogue, o->via.str.ptr, o->via.str.size);
    if (!fn && b->settling && catalogue_unannounced(&b->catalogue) < UNANNOUNCED_MOST) {
        fn = catalogue_make(&b->catalogue, o->via.str.ptr, o->via.str.size);
    }
    if (!fn || (!fn->announced && !b->settling)) {
        return err_set(err, KILN_UNKNOWN_FUNCTION, "fn", "fn is %s, which no plugin offers",
                       header_show(o, shown, sizeof shown));
    }
    *ret = fn;
    return 0;
}

/* Whose job it is. A key is the producer's word for who it works for: where producers do not trust each other, they are
 * told apart by their authenticated names (shorter than a key may be) and send no keys. */
static int find_tenant(struct broker *b, const struct spec *spec, struct tenant **ret, struct err *err)
{
    const msgpack_object *o = spec->key;
    char shown[64];
    if (!o) {
        *ret = tenant_find(&b->tenants, spec->user, strlen(spec->user));
        return 0;
    }
    if (o->type != MSGPACK_OBJECT_STR || !tenant_named_well(o->via.str.ptr, o->via.str.size)) {
        return err_set(err, KILN_INVALID, "key",
                       "key is %s, expected a string of at most %d bytes without control characters",
                       header_show(o, shown, sizeof shown), TENANT_NAME_BYTES);
    }
    *ret = tenant_find(&b->tenants, o->via.str.ptr, o->via.str.size);
    return 0;
}

/* Is there room for `more`, where `used` of `limit` is in use and `mine` of it by this tenant? What is full for those who filled
 * it has a reserve of a quarter for those who hold less than their equal share: a flood shall not shut out others. */
static bool has_room(const struct broker *b, const struct tenant *t, uint64_t used, uint64_t mine,
                     uint64_t more, uint64_t limit)
{
    if (used + more <= limit) {
        return true;
    }
    uint64_t tenants = b->tenants.active + !t->jobs;
    return tenants > 1 && mine + more <= limit / tenants && used + more <= limit + limit / 4;
}

static int check_quota(struct broker *b, struct tenant *t, size_t bytes, struct err *err)
{
    enum tenant_limit limit = tenant_check(t, bytes, b->now_ns, err);
    b->counters.quota_jobs += limit == TENANT_JOBS;
    b->counters.quota_bytes += limit == TENANT_BYTES;
    b->counters.quota_rate += limit == TENANT_RATE;
    return limit == TENANT_FREE ? 0 : err->status;
}

static int check_room(struct broker *b, const struct function *fn, struct tenant *t, size_t bytes,
                      struct err *err)
{
    if (bytes > (uint64_t) b->config.max_bytes) {
        return err_set(err, KILN_INVALID, NULL,
                       "payload has %zu bytes, expected at most %lld (broker.max_bytes)", bytes,
                       (long long) b->config.max_bytes);
    }
    if (t->quota && check_quota(b, t, bytes, err)) {
        return err->status;
    }
    if (!has_room(b, t, fn->queue.count + fn->delayed, t->jobs, 1, (uint64_t) b->config.queue_limit)) {
        return err_set(err, KILN_BUSY, NULL,
                       "%u jobs of %s wait already (broker.queue_limit); try again later",
                       fn->queue.count + fn->delayed, fn->name);
    }
    if (!has_room(b, t, b->memory_bytes, t->bytes, bytes, (uint64_t) b->config.memory_mb << 20)) {
        return err_set(err, KILN_BUSY, NULL,
                       "waiting jobs hold %llu MiB already (broker.memory_mb); try again later",
                       (unsigned long long) b->memory_bytes >> 20);
    }
    return 0;
}

static int64_t after(const struct broker *b, uint64_t ms)
{
    return ms ? b->now_ns + (int64_t) ms * CLOCK_MS : 0;
}

/* Makes the job and starts it; the payload is moved out on success only. */
static int admit(struct broker *b, const struct spec *spec, const struct wire_id *id, struct request *request,
                 struct payload *payload, struct err *err)
{
    struct function *fn = NULL;
    struct tenant *tenant = NULL;
    int status = find_function(b, spec, &fn, err);
    status = status ? status : find_tenant(b, spec, &tenant, err);
    status = status ? status : check_room(b, fn, tenant, payload->bytes, err);
    if (status) {
        return status;
    }
    struct job *job = job_new(&b->pool);
    job->fn = fn;
    job->tenant = tenant;
    job->request = request;
    job->submitted = !request;
    job->id = *id;
    job->priority = (uint8_t) spec->priority;
    job->run_ms = (uint32_t) spec->run_ms;
    job->arrived_ns = b->now_ns;
    job->ready_ns = b->now_ns + (int64_t) spec->not_before_ms * CLOCK_MS;
    job->deadline_ns = after(b, request ? spec->timeout_ms : spec->deadline_ms);
    job->start_by_ns = after(b, spec->ttl_ms);
    job->max_attempts = (uint16_t) spec->max_attempts;
    job->backoff_ms = (uint32_t) spec->backoff_ms;
    job->keep_ns = (int64_t) spec->keep_ms * CLOCK_MS;
    zmq_msg_close(&job->payload);
    if (payload_take(payload, &job->payload)) {
        zmq_msg_init(&job->payload);
        job_free(&b->pool, &job);
        return err_set(err, KILN_BUSY, NULL, "no memory for a payload of %zu bytes", payload->bytes);
    }
    job_start(b, job);
    return 0;
}

static void call_one(struct broker *b, const struct spec *spec, int refused, size_t index,
                     struct request *request, struct payload *payload, struct err *err)
{
    struct wire_id id = {0};
    if (request->list) {
        id = id_number(index);
    }
    struct err bad_id = {0};
    int status = spec->id ? id_from(spec->id, "id", &id, &bad_id) : 0;
    if (refused) {
        status = refused;
    } else if (status) {
        *err = bad_id;
    } else {
        status = admit(b, spec, &id, request, payload, err);
    }
    if (!status) {
        b->counters.jobs_called++;
        return;
    }
    b->counters.jobs_refused++;
    struct outcome o = {
        .id = &id, .status = status, .error = err->text, .field = err->field[0] ? err->field : NULL};
    reply_add(b, request, &o);
}

static void submit_one(struct broker *b, const struct spec *spec, int refused, size_t index,
                       struct payload *payload, struct err *err)
{
    struct wire_id id = id_number(index);
    struct err bad_id = {0};
    int status = spec->id ? id_from(spec->id, "id", &id, &bad_id)
                          : err_set(&bad_id, KILN_INVALID, "id",
                                    "id is missing: a submitted job needs one, so that it can be asked for");
    if (refused) {
        status = refused;
    } else if (status) {
        *err = bad_id;
    }
    if (!status && results_find(&b->results, &id)) {
        status = KILN_DUPLICATE;
        b->counters.jobs_duplicate++;
    } else if (!status) {
        status = admit(b, spec, &id, NULL, payload, err);
        b->counters.jobs_submitted += !status;
        status = status ? status : KILN_ACCEPTED;
    }
    bool bad = status != KILN_ACCEPTED && status != KILN_DUPLICATE;
    b->counters.jobs_refused += bad;
    struct buf *out = &b->out;
    buf_put_map(out, 2u + bad + (bad && err->field[0]));
    buf_put_str_const(out, "id");
    buf_id(out, &id);
    buf_put_str_const(out, "status");
    buf_put_text(out, status_name(status));
    if (bad) {
        buf_put_str_const(out, "error");
        buf_put_text(out, err->text);
    }
    if (bad && err->field[0]) {
        buf_put_str_const(out, "field");
        buf_put_text(out, err->field);
    }
}

int frontend_jobs(struct broker *b, struct ask *a, bool submit, struct err *err)
{
    struct spec outer = {.user = a->user,
                         .timeout_ms = 30000,
                         .priority = 4,
                         .max_attempts = submit ? 3 : 1,
                         .backoff_ms = 100,
                         .keep_ms = 3600000};
    const msgpack_object_array *list = NULL;
    unsigned op = submit ? SUBMIT : CALL;
    struct err outer_why = {0};
    if (header_list(a->map, "jobs", WIRE_JOBS, &list, err)) {
        return KILN_INVALID;
    }
    int outer_refused = read_spec(a->map, op, &outer, &outer_why); /* of the only job, or of all */
    if (outer_refused && list) {
        *err = outer_why;
        return outer_refused;
    }
    size_t n = list ? list->size : 1;
    struct payload *parts;
    if (frames_split(a->frames, a->map, n, &parts, err)) {
        return KILN_INVALID;
    }
    if (n == 0) {
        return err_set(err, KILN_INVALID, "jobs", "jobs is empty, expected 1..%d", WIRE_JOBS);
    }
    struct request *request = NULL;
    if (submit) {
        /* Held back until the journal is committed, at the end of this turn. */
        struct buf *out = answer_begin(b, a, "submitted", 1);
        buf_put_str_const(out, "jobs");
        buf_put_list(out, n);
    } else {
        request = request_new(&b->pool);
        request->rid = a->rid;
        request->list = list != NULL;
        request->packed = list && a->frames->packed;
        request->open = (uint32_t) n;
        memcpy(&request->route, &a->route, offsetof(struct route, bytes) + a->route.size);
    }
    if (list) {
        outer.id = NULL;
    }
    for (size_t i = 0; i < n; i++) {
        struct spec spec = outer;
        struct err why = outer_why;
        int refused = outer_refused;
        if (list && list->ptr[i].type != MSGPACK_OBJECT_MAP) {
            refused = err_set(&why, KILN_INVALID, "jobs", "jobs[%zu] is not a map", i);
        } else if (list) {
            refused = read_spec(&list->ptr[i].via.map, op, &spec, &why);
        }
        if (submit) {
            submit_one(b, &spec, refused, i, &parts[i], &why);
        } else {
            call_one(b, &spec, refused, i, request, &parts[i], &why);
        }
    }
    if (submit) {
        outbox_hold(b, &a->route, &b->out);
    }
    return 0;
}
