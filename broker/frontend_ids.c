/* SPDX-License-Identifier: MPL-2.0 */
#include "frontend.h"

#include "lifecycle.h"
#include "mem.h"
#include "outbox.h"
#include "status.h"

/* The ids of a message; the caller frees *ret. */
static int read_ids(const struct ask *a, struct wire_id **ret, size_t *ret_n, struct err *err)
{
    const msgpack_object_array *list = NULL;
    if (header_list(a->map, "ids", WIRE_JOBS, &list, err)) {
        return KILN_INVALID;
    }
    if (!list || list->size == 0) {
        return err_set(err, KILN_INVALID, "ids", "ids is %s, expected a list of 1..%d",
                       list ? "empty" : "missing", WIRE_JOBS);
    }
    if (a->frames->n_payloads) {
        return err_set(err, KILN_INVALID, NULL, "%zu payload frames came, expected none",
                       a->frames->n_payloads);
    }
    struct wire_id *ids = mem_alloc(list->size * sizeof *ids);
    for (uint32_t i = 0; i < list->size; i++) {
        if (id_from(&list->ptr[i], "ids", &ids[i], err)) {
            mem_free(ids);
            return KILN_INVALID;
        }
    }
    *ret = ids;
    *ret_n = list->size;
    return 0;
}

int frontend_result(struct broker *b, struct ask *a, struct err *err)
{
    struct wire_id *ids;
    size_t n;
    uint64_t wait_ms = 0;
    if (header_uint(a->map, "wait_ms", 0, 3600000, &wait_ms, err) || read_ids(a, &ids, &n, err)) {
        return KILN_INVALID;
    }
    results_answer(b, &a->route, &a->rid, ids, n, wait_ms);
    mem_free(ids);
    return 0;
}

int frontend_status(struct broker *b, struct ask *a, struct err *err)
{
    struct wire_id *ids;
    size_t n;
    if (read_ids(a, &ids, &n, err)) {
        return KILN_INVALID;
    }
    struct buf *out = answer_begin(b, a, "status", 1);
    buf_put_str_const(out, "jobs");
    buf_put_list(out, n);
    for (size_t i = 0; i < n; i++) {
        results_put(out, &ids[i], results_find(&b->results, &ids[i]));
    }
    answer_send(b, a, 0);
    mem_free(ids);
    return 0;
}

static int cancel_one(struct broker *b, struct job *job)
{
    if (job->state == JOB_DONE || job->state == JOB_RUNNING) {
        return KILN_CONFLICT;
    }
    job_end(b, job, KILN_CANCELLED, "cancelled by its producer before it was started", NULL, NULL, NULL);
    return KILN_OK;
}

static int forget_one(struct broker *b, struct job *job)
{
    if (job->state != JOB_DONE) {
        return KILN_CONFLICT;
    }
    job_forget(b, job);
    return KILN_OK;
}

static int each(struct broker *b, struct ask *a, const char *op,
                int (*one)(struct broker *b, struct job *job), struct err *err)
{
    struct wire_id *ids;
    size_t n;
    if (read_ids(a, &ids, &n, err)) {
        return KILN_INVALID;
    }
    /* Ending a job may answer others, which uses b->out: first act, then write. */
    int *statuses = mem_alloc(n * sizeof *statuses);
    for (size_t i = 0; i < n; i++) {
        struct job *job = results_find(&b->results, &ids[i]);
        statuses[i] = job ? one(b, job) : KILN_UNKNOWN_JOB;
    }
    struct buf *out = answer_begin(b, a, op, 1);
    buf_put_str_const(out, "jobs");
    buf_put_list(out, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_map(out, 2);
        buf_put_str_const(out, "id");
        buf_id(out, &ids[i]);
        buf_put_str_const(out, "status");
        buf_put_text(out, status_name(statuses[i]));
    }
    answer_send(b, a, 0);
    mem_free(statuses);
    mem_free(ids);
    return 0;
}

int frontend_cancel(struct broker *b, struct ask *a, struct err *err)
{
    return each(b, a, "cancel", cancel_one, err);
}

int frontend_forget(struct broker *b, struct ask *a, struct err *err)
{
    return each(b, a, "forget", forget_one, err);
}
