/* SPDX-License-Identifier: MPL-2.0 */
/* engine_run - live jobs: bind, run, check the guards, reply.
 *
 * Functions without run_batch go through one lane, job after job, with three clock readings each; groups for
 * run_batch take one lane a job. Nothing is allocated once arenas and the result buffer have grown to what
 * the jobs need. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "array.h"
#include "engine_impl.h"
#include "status.h"

enum { KEEP_RESULTS = 16 << 20, KEEP_FIRST = 16 << 20, KEEP_OTHERS = 1 << 20 }; /* while at rest */

static void fail(struct engine_job *job, const struct err *err)
{
    job->status = err->status;
    memcpy(job->field, err->field, sizeof job->field);
    memcpy(job->error, err->text, sizeof job->error);
}

_Static_assert(sizeof((struct engine_job *) 0)->field == sizeof((struct err *) 0)->field, "copied whole");
_Static_assert(sizeof((struct engine_job *) 0)->error == sizeof((struct err *) 0)->text, "copied whole");

/* Empties the lane and binds the job to it. False when the job is refused, and answered. */
/* All bits set: NaN to doubles, -1 to integers; no golden expects either by chance. */
static void spoil(const struct function *f, struct kiln_slot *results)
{
    for (uint32_t i = 0; i < f->desc.n_results; i++) {
        struct kiln_array *a = &results[i].array;
        if (a->data && a->count) {
            memset(a->data, 0xff, (size_t) a->count * array_item_bytes((enum kiln_dtype) a->dtype));
        }
    }
}

static bool decode(struct engine *e, const struct function *f, struct lane *lane, struct engine_job *job,
                   size_t index)
{
    job->status = KILN_OK;
    job->field[0] = job->error[0] = '\0';
    job->result = NULL;
    job->result_bytes = 0;
    job->decode_ns = job->run_ns = job->encode_ns = 0;
    job->batch = 1;
    arena_reset(lane->arena);
    lane->err.status = KILN_OK;
    lane->err.field[0] = lane->err.text[0] = '\0';
    lane->job = index;
    lane->fn = f;
    lane->call.function = f->theirs;
    lane->call.instance = f->instance;
    lane->results = lane->args + contract_params(f->contract);
    int status;
    if (e->limits.payload_bytes && job->payload_bytes > e->limits.payload_bytes) {
        status = err_set(&lane->err, KILN_INVALID, NULL, "the payload has %zu bytes, expected at most %zu",
                         job->payload_bytes, e->limits.payload_bytes);
    } else {
        status = contract_bind(f->contract, job->payload, job->payload_bytes, lane->arena, lane->args,
                               &lane->bound, &lane->err);
    }
    if (status == 0) {
        status = contract_results(f->contract, &lane->bound, lane->arena, lane->results, &lane->err);
    }
    if (status == 0 && e->proving) {
        spoil(f, lane->results);
    }
    if (status) {
        fail(job, &lane->err);
    }
    return status == 0;
}

static bool plugin_may_say(int status)
{
    return status == KILN_INVALID || status == KILN_FAILED || status == KILN_TEMPORARY ||
           status == KILN_RESOURCE || status == KILN_CANCELLED || status == KILN_INTERNAL;
}

static int judge(struct engine *e, struct lane *lane, int status)
{
    const char *label = NULL;
    if (!arena_check(lane->arena, &label)) {
        e->damaged = true;
        return err_set(&lane->err, KILN_INTERNAL, NULL, "the plugin writes out of bounds: past %s%s",
                       label ? label : "its memory", status == KILN_OK ? "" : ", and then failed");
    }
    if (status == KILN_OK) {
        return KILN_OK;
    }
    if (!plugin_may_say(status)) {
        return err_set(&lane->err, KILN_INTERNAL, NULL,
                       "the plugin returned %d, which is no status it may return", status);
    }
    if (lane->err.text[0] == '\0') {
        return status == KILN_RESOURCE
                   ? err_set(&lane->err, status, NULL,
                             "the job needs more memory than it may use (%zu bytes, limits.job_mb)",
                             e->limits.job_bytes)
                   : err_set(&lane->err, status, NULL, "%s", status_sentence(status));
    }
    lane->err.status = status;
    return status;
}

/* After the plugin: judged and encoded. Until engine_run ends, `result` is an offset into the buffer. */
static void finish(struct engine *e, const struct function *f, struct lane *lane, struct engine_job *job,
                   int status)
{
    status = judge(e, lane, status);
    if (status == KILN_OK) {
        size_t at = e->results.bytes;
        e->results.limit = e->limits.payload_bytes ? at + e->limits.payload_bytes : 0;
        status = contract_reply(f->contract, &lane->bound, lane->results, &e->results, &lane->err);
        if (status == KILN_OK) {
            job->result = (const void *) (uintptr_t) at;
            job->result_bytes = e->results.bytes - at;
            return;
        }
        e->results.bytes = at;
        e->results.failed = false;
        if (status == KILN_RESOURCE && e->limits.payload_bytes) {
            err_set(&lane->err, status, NULL,
                    "the result has more than %zu bytes, or there is no memory for it",
                    e->limits.payload_bytes);
        }
    }
    fail(job, &lane->err);
}

static void run_one(struct engine *e, const struct function *f, struct engine_job *job, size_t index,
                    int64_t *now)
{
    struct lane *lane = &e->lanes[0];
    const struct engine_watch *watch = e->watch;
    bool ok = decode(e, f, lane, job, index);
    int64_t decoded = clock_ns();
    job->decode_ns = decoded - *now;
    *now = decoded;
    if (!ok) {
        return;
    }
    if (watch && watch->enter) {
        watch->enter(watch->arg, index, 1);
    }
    int status = f->desc.run(&lane->call, lane->args, lane->results);
    if (watch && watch->leave) {
        watch->leave(watch->arg, index, 1);
    }
    int64_t ran = clock_ns();
    job->run_ns = ran - decoded;
    finish(e, f, lane, job, status);
    *now = clock_ns();
    job->encode_ns = *now - ran;
}

/* Jobs first .. first + n - 1, in one call of run_batch; those that are refused do not take part. */
static void run_group(struct engine *e, const struct function *f, struct engine_job *jobs, size_t first,
                      size_t n, int64_t *now)
{
    const struct engine_watch *watch = e->watch;
    uint32_t taken = 0;
    for (size_t i = first; i < first + n; i++) {
        struct lane *lane = &e->lanes[taken];
        bool ok = decode(e, f, lane, &jobs[i], i);
        int64_t decoded = clock_ns();
        jobs[i].decode_ns = decoded - *now;
        *now = decoded;
        if (ok) {
            e->items[taken++] = (struct kiln_item){
                .call = &lane->call, .args = lane->args, .results = lane->results, .status = -1};
        }
    }
    if (taken == 0) {
        return;
    }
    if (watch && watch->enter) {
        watch->enter(watch->arg, first, n);
    }
    int all;
    if (taken == 1) {
        e->items[0].status = f->desc.run(e->items[0].call, e->items[0].args, e->items[0].results);
        all = KILN_OK;
    } else {
        all = f->desc.run_batch(e->items, taken);
    }
    if (watch && watch->leave) {
        watch->leave(watch->arg, first, n);
    }
    int64_t ran = clock_ns();
    int64_t run_ns = ran - *now;
    *now = ran;
    for (uint32_t k = 0; k < taken; k++) {
        struct lane *lane = &e->lanes[k];
        struct engine_job *job = &jobs[lane->job];
        job->batch = taken;
        job->run_ns = run_ns;
        finish(e, f, lane, job, all == KILN_OK ? e->items[k].status : all);
        int64_t encoded = clock_ns();
        job->encode_ns = encoded - *now;
        *now = encoded;
    }
}

void engine_run(struct engine *e, size_t fn, struct engine_job *jobs, size_t n, bool solo,
                const struct engine_watch *watch)
{
    assert(fn < e->n_functions);
    const struct function *f = &e->functions[fn];
    e->watch = watch;
    e->peak_results = e->results.bytes > e->peak_results ? e->results.bytes : e->peak_results;
    buf_clear(&e->results);
    int64_t now = clock_ns();
    size_t group = solo ? 1 : f->max_batch;
    for (size_t at = 0; at < n;) {
        size_t count = n - at < group ? n - at : group;
        if (count == 1) {
            run_one(e, f, &jobs[at], at, &now);
        } else {
            run_group(e, f, jobs, at, count, &now);
        }
        at += count;
    }
    for (size_t i = 0; i < n; i++) { /* the buffer does not move any more */
        if (jobs[i].status == KILN_OK) {
            jobs[i].result = e->results.data + (uintptr_t) jobs[i].result;
        }
    }
    e->watch = NULL;
}

void engine_rest(struct engine *e)
{
    for (uint32_t i = 0; i < e->n_lanes; i++) {
        arena_trim(&e->lanes[i].own, i == 0 ? KEEP_FIRST : KEEP_OTHERS);
    }
    e->peak_results = e->results.bytes > e->peak_results ? e->results.bytes : e->peak_results;
    buf_shrink(&e->results, e->peak_results > KEEP_RESULTS ? e->peak_results * 2 : KEEP_RESULTS);
    e->peak_results = 0;
}
