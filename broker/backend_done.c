/* SPDX-License-Identifier: MPL-2.0 */
#include "backend.h"

#include "clock.h"
#include "lifecycle.h"
#include "outbox.h"
#include "schedule.h"
#include "status.h"
#include "trial.h"
#include "utf8.h"

/* One outcome as the worker sent it. */
struct done {
    uint64_t token; /* 0: it names none */
    int status;
    uint64_t decode_ns, run_ns, encode_ns, batch;
    const char *error, *field;
    size_t error_bytes, field_bytes;
};

enum { TEXT_BYTES = 1000, BATCH_MOST = 1 << 20 };

/* Longer than any job may run; sums of a few of them stay far from the end of int64_t. */
#define DURATION_MOST ((uint64_t) (30 * 86400 * CLOCK_S))

static bool number(const msgpack_object *o, uint64_t *ret)
{
    if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER) {
        return false;
    }
    *ret = o->via.u64;
    return true;
}

static bool duration(const msgpack_object *o, uint64_t *ret)
{
    return number(o, ret) && *ret <= DURATION_MOST;
}

static bool text(const msgpack_object *o, const char **ret, size_t *ret_bytes)
{
    if (o->type != MSGPACK_OBJECT_STR || !utf8_valid(o->via.str.ptr, o->via.str.size)) {
        return false;
    }
    *ret = o->via.str.ptr;
    *ret_bytes = o->via.str.size < TEXT_BYTES ? o->via.str.size : utf8_whole(o->via.str.ptr, TEXT_BYTES);
    return true;
}

/* Reads into *d what the map says; what it does not say stays. All keys are read even when one is wrong: the token is
 * needed in any case. */
static int read_done(const msgpack_object_map *map, struct done *d, struct err *err)
{
    int status = 0;
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object_kv *kv = &map->ptr[i];
        const char *key = kv->key.via.str.ptr, *name = "";
        size_t n = kv->key.type == MSGPACK_OBJECT_STR ? kv->key.via.str.size : 0, bytes = 0;
        bool good = true;
        if (text_is(key, n, "token")) {
            good = number(&kv->val, &d->token);
        } else if (text_is(key, n, "status")) {
            good = text(&kv->val, &name, &bytes) && (d->status = status_parse(name, bytes)) >= 0;
        } else if (text_is(key, n, "decode_ns")) {
            good = duration(&kv->val, &d->decode_ns);
        } else if (text_is(key, n, "run_ns")) {
            good = duration(&kv->val, &d->run_ns);
        } else if (text_is(key, n, "encode_ns")) {
            good = duration(&kv->val, &d->encode_ns);
        } else if (text_is(key, n, "batch")) {
            good = number(&kv->val, &d->batch) && d->batch <= BATCH_MOST;
        } else if (text_is(key, n, "error")) {
            good = text(&kv->val, &d->error, &d->error_bytes);
        } else if (text_is(key, n, "field")) {
            good = text(&kv->val, &d->field, &d->field_bytes);
        }
        if (!good && !status) {
            char shown[64];
            status = err_set(err, KILN_INVALID, "jobs", "%.*s is %s, which no outcome can have", (int) n, key,
                             header_show(&kv->val, shown, sizeof shown));
        }
    }
    return status;
}

/* The expected cost follows what is seen, and rises faster than it falls: too short a guess hoards. */
static void learn(struct function *fn, const struct done *d)
{
    uint64_t share = d->batch ? d->batch : 1;
    int64_t seen = (int64_t) (d->decode_ns + d->run_ns / share + d->encode_ns) + 300;
    int64_t by = seen - fn->cost_ns;
    fn->cost_ns += by / (by > 0 ? 4 : 16);
    if (fn->cost_ns < 300) {
        fn->cost_ns = 300;
    }
}

static void finish(struct broker *b, struct worker *w, struct job *job, const struct done *d,
                   struct payload *result)
{
    job->decode_ns = (int64_t) d->decode_ns;
    job->run_ns = (int64_t) d->run_ns;
    job->encode_ns = (int64_t) d->encode_ns;
    job->batch = (uint32_t) d->batch;
    if (status_retryable(d->status) && job->attempt < job->max_attempts) {
        job_retry(b, job);
        return;
    }
    if (job->fn->n_shadows) {
        trial_copy(b, w, job, d->status, d->run_ns, d->batch, result);
    }
    if (d->status == KILN_OK && result->bytes <= (size_t) b->config.max_bytes) {
        job_end(b, job, KILN_OK, NULL, NULL, result, w);
        return;
    }
    char error[TEXT_BYTES + 1], field[TEXT_BYTES + 1];
    snprintf(error, sizeof error, "%.*s", (int) d->error_bytes, d->error ? d->error : "");
    snprintf(field, sizeof field, "%.*s", (int) d->field_bytes, d->field ? d->field : "");
    if (d->status == KILN_OK) {
        snprintf(error, sizeof error, "the result has %zu bytes, expected at most %lld (broker.max_bytes)",
                 result->bytes, (long long) b->config.max_bytes);
        job_end(b, job, KILN_RESOURCE, error, NULL, NULL, w);
        return;
    }
    job_end(b, job, d->status, d->error ? error : NULL, d->field ? field : NULL, NULL, w);
}

static void tell_stale(struct broker *b, struct worker *w, const uint64_t *stale, size_t n)
{
    struct buf *out = &b->out;
    buf_clear(out);
    buf_put_map(out, 3);
    buf_put_str_const(out, "op");
    buf_put_str_const(out, "stored");
    buf_put_str_const(out, "seq");
    buf_put_u64(out, w->stored_seq = w->done_seq);
    buf_put_str_const(out, "stale");
    buf_put_list(out, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_u64(out, stale[i]);
    }
    outbox_worker(b, &w->route, out, NULL, 0);
}

int backend_done(struct broker *b, struct worker *w, struct frames *f, const msgpack_object_map *map,
                 struct err *err)
{
    const msgpack_object_array *jobs = NULL;
    uint64_t seq = w->done_seq;
    if (header_uint(map, "seq", 1, UINT64_MAX, &seq, err) ||
        header_uint(map, "credit", 0, UINT64_MAX, &w->credit, err) ||
        header_list(map, "jobs", WIRE_JOBS, &jobs, err)) {
        return KILN_INVALID;
    }
    size_t n = jobs ? jobs->size : 0, n_stale = 0;
    struct payload *parts;
    struct done common = {.status = -1, .batch = 1};
    if (frames_split(f, map, n, &parts, err) || read_done(map, &common, err)) {
        return KILN_INVALID;
    }
    w->done_seq = seq > w->done_seq ? seq : w->done_seq;
    uint64_t stale[WIRE_JOBS];
    int status = 0;
    for (size_t i = 0; i < n; i++) {
        struct done d = common; /* a job takes from the message what it does not say itself */
        bool is_map = jobs->ptr[i].type == MSGPACK_OBJECT_MAP;
        if (!is_map || read_done(&jobs->ptr[i].via.map, &d, err) || !d.token || d.status < 0) {
            status = status ? status
                            : err_set(err, KILN_INVALID, "jobs",
                                      "jobs[%zu] is no outcome with a token and a status", i);
            if (!d.token) {
                continue;
            }
            /* The worker is done with the job: it ends, or it would run for ever. */
            static const char unread[] = "the worker's answer to this job could not be understood";
            d = (struct done){
                .token = d.token, .status = KILN_INTERNAL, .error = unread, .error_bytes = sizeof unread - 1};
        }
        struct lease *l = lease_find(&b->leases, d.token);
        if (!l || l->worker != w) {
            b->counters.done_stale++;
            stale[n_stale++] = d.token;
            continue;
        }
        struct function *fn = l->fn;
        struct job *job = lease_close(&b->leases, l);
        w->done++;
        if (d.status == KILN_OK || d.run_ns) {
            learn(fn, &d);
            fn->stats.batched++;
            fn->stats.batches += 1.0 / (double) (d.batch ? d.batch : 1);
        }
        if (!job) {
            b->counters.done_late++;
            continue;
        }
        finish(b, w, job, &d, &parts[i]);
    }
    reply_flush(b);
    trial_flush(b);
    if (n_stale) {
        tell_stale(b, w, stale, n_stale);
    }
    return status;
}
