/* SPDX-License-Identifier: MPL-2.0 */
#include "client_request.h"

#include <string.h>

#include "scan.h"

enum {
    ID_BYTES = 62, /* 64 as msgpack */
    HEADER_BYTES = 1 << 20,
    WAIT_MS_MOST = 3600000,
};

static const struct {
    const char *op, *answer;
    bool payloads;
} names[] = {
    [REQUEST_CALL] = {"call", "reply", true},
    [REQUEST_SUBMIT] = {"submit", "submitted", false},
    [REQUEST_RESULT] = {"result", "result", true},
    [REQUEST_STATUS] = {"status", "status", false},
    [REQUEST_CANCEL] = {"cancel", "cancel", false},
    [REQUEST_FORGET] = {"forget", "forget", false},
    [REQUEST_DESCRIBE] = {"describe", "describe", true},
    [REQUEST_STATS] = {"stats", "stats", true},
    [REQUEST_PING] = {"ping", "pong", false},
    [REQUEST_PAUSE] = {"pause", "pause", false},
    [REQUEST_RESUME] = {"resume", "resume", false},
    [REQUEST_DRAIN] = {"drain", "drain", false},
    [REQUEST_RELOAD] = {"reload", "reload", true},
    [REQUEST_ROLLBACK] = {"rollback", "rollback", true},
};

/* The numbers of a job and what they are called on the wire; the first ones belong to calls, too. */
static const struct {
    const char *call_key, *submit_key;
    size_t offset;
} numbers[] = {
    {"timeout_ms", "deadline_ms", offsetof(struct kiln_job, timeout_ms)},
    {"priority", "priority", offsetof(struct kiln_job, priority)},
    {"run_ms", "run_ms", offsetof(struct kiln_job, run_ms)},
    {NULL, "ttl_ms", offsetof(struct kiln_job, ttl_ms)},
    {NULL, "not_before_ms", offsetof(struct kiln_job, delay_ms)},
    {NULL, "max_attempts", offsetof(struct kiln_job, max_attempts)},
    {NULL, "backoff_ms", offsetof(struct kiln_job, backoff_ms)},
    {NULL, "keep_ms", offsetof(struct kiln_job, keep_ms)},
};

enum { N_NUMBERS = sizeof numbers / sizeof numbers[0] };

static int64_t number_of(const struct kiln_job *job, size_t k)
{
    int64_t v;
    memcpy(&v, (const char *) job + numbers[k].offset, sizeof v);
    return v;
}

static const char *number_key(enum request_op op, size_t k)
{
    return op == REQUEST_SUBMIT ? numbers[k].submit_key : numbers[k].call_key;
}

const char *request_answer(enum request_op op)
{
    return names[op].answer;
}

bool request_has_payloads(enum request_op op)
{
    return names[op].payloads;
}

static int check_count(size_t n, const char *what, struct err *err)
{
    if (n < 1 || n > KILN_CLIENT_MAX_JOBS) {
        return err_set(err, KILN_INVALID, "count", "the request has %zu %s, expected 1..%d", n, what,
                       KILN_CLIENT_MAX_JOBS);
    }
    return KILN_OK;
}

static int check_id(const char *id, size_t i, struct err *err)
{
    if (!id || !*id) {
        return err_set(err, KILN_INVALID, "id", "id of job %zu is missing, expected 1..%d bytes of text", i,
                       ID_BYTES);
    }
    size_t bytes = strnlen(id, ID_BYTES + 1);
    if (bytes > ID_BYTES) {
        return err_set(err, KILN_INVALID, "id", "id of job %zu, \"%.40s...\", is longer than %d bytes", i, id,
                       ID_BYTES);
    }
    return KILN_OK;
}

static int check_job(const struct kiln_job *job, enum request_op op, size_t i, struct err *err)
{
    if (!job->fn || !*job->fn) {
        return err_set(err, KILN_INVALID, "fn", "fn of job %zu is missing, expected \"plugin.function\"", i);
    }
    if (!job->args && job->args_bytes) {
        return err_set(err, KILN_INVALID, "args", "args of job %zu is NULL, expected %zu bytes of msgpack", i,
                       job->args_bytes);
    }
    if (job->args && !job->args_bytes) {
        return err_set(err, KILN_INVALID, "args", "args of job %zu has no bytes, expected a msgpack map", i);
    }
    for (size_t k = 0; k < N_NUMBERS; k++) {
        int64_t v = number_of(job, k);
        if (v < KILN_ZERO) {
            return err_set(err, KILN_INVALID, numbers[k].submit_key,
                           "%s of job %zu is %lld, expected a number that is not negative",
                           numbers[k].submit_key, i, (long long) v);
        }
    }
    return op == REQUEST_SUBMIT ? check_id(job->id, i, err) : KILN_OK;
}

/* How many of the numbers a job says; write_job writes as many pairs, and the id. */
static size_t count_pairs(enum request_op op, const struct kiln_job *job)
{
    size_t pairs = (size_t) (op == REQUEST_SUBMIT) + (job->key != NULL);
    for (size_t k = 0; k < N_NUMBERS; k++) {
        pairs += number_key(op, k) && number_of(job, k) != 0;
    }
    return pairs;
}

static void write_job(struct buf *b, enum request_op op, const struct kiln_job *job)
{
    if (op == REQUEST_SUBMIT) {
        buf_put_str_const(b, "id");
        buf_put_text(b, job->id);
    }
    if (job->key) {
        buf_put_str_const(b, "key");
        buf_put_text(b, job->key);
    }
    for (size_t k = 0; k < N_NUMBERS; k++) {
        int64_t v = number_of(job, k);
        if (number_key(op, k) && v) {
            buf_put_text(b, number_key(op, k));
            buf_put_u64(b, v == KILN_ZERO ? 0 : (uint64_t) v);
        }
    }
}

static void open_header(struct buf *b, enum request_op op, uint64_t rid, size_t more_pairs)
{
    buf_clear(b);
    buf_put_map(b, 2 + more_pairs);
    buf_put_str_const(b, "op");
    buf_put_text(b, names[op].op);
    buf_put_str_const(b, "rid");
    buf_put_u64(b, rid);
}

static int close_header(const struct buf *b, struct err *err)
{
    if (b->failed) {
        return err_set(err, KILN_RESOURCE, NULL, "no memory for the header of the request");
    }
    if (b->bytes > HEADER_BYTES) {
        return err_set(
            err, KILN_INVALID, NULL,
            "the header of the request has %zu bytes, expected at most %d: send fewer jobs at once", b->bytes,
            HEADER_BYTES);
    }
    return KILN_OK;
}

static void put_fn(struct buf *b, const char *fn)
{
    buf_put_str_const(b, "fn");
    buf_put_text(b, fn);
}

size_t request_args(const struct kiln_job *job, const void **ret_data)
{
    static const uint8_t empty_map = 0x80;
    *ret_data = job->args ? job->args : &empty_map;
    return job->args ? job->args_bytes : sizeof empty_map;
}

/* A frame of its own costs as much as copying some thousand bytes. */
bool request_packs(const struct kiln_job *jobs, size_t n)
{
    enum { SMALL = 4096 };
    bool small = n > 1;
    for (size_t i = 0; small && i < n; i++) {
        small = jobs[i].args_bytes <= SMALL;
    }
    return small;
}

static void put_sizes(struct buf *b, const struct kiln_job *jobs, size_t n)
{
    buf_put_str_const(b, "sizes");
    buf_put_list(b, n);
    for (size_t i = 0; i < n; i++) {
        const void *data;
        buf_put_u64(b, request_args(&jobs[i], &data));
    }
}

int request_jobs(struct buf *b, enum request_op op, uint64_t rid, const struct kiln_job *jobs, size_t n,
                 struct err *err)
{
    int rc = check_count(n, "jobs", err);
    bool one_fn = true;
    for (size_t i = 0; rc == KILN_OK && i < n; i++) {
        rc = check_job(&jobs[i], op, i, err);
        one_fn = rc == KILN_OK && one_fn && strcmp(jobs[i].fn, jobs[0].fn) == 0;
    }
    if (rc != KILN_OK) {
        return rc;
    }
    bool packed = request_packs(jobs, n);
    open_header(b, op, rid, one_fn + packed + (n == 1 ? count_pairs(op, &jobs[0]) : 1));
    if (one_fn) { /* said once, for all of them */
        put_fn(b, jobs[0].fn);
    }
    if (n == 1) {
        write_job(b, op, &jobs[0]);
        return close_header(b, err);
    }
    buf_put_str_const(b, "jobs");
    buf_put_list(b, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_map(b, count_pairs(op, &jobs[i]) + !one_fn);
        if (!one_fn) {
            put_fn(b, jobs[i].fn);
        }
        write_job(b, op, &jobs[i]);
    }
    if (packed) {
        put_sizes(b, jobs, n);
    }
    return close_header(b, err);
}

int request_ids(struct buf *b, enum request_op op, uint64_t rid, const char *const *ids, size_t n,
                int64_t wait_ms, struct err *err)
{
    int rc = check_count(n, "ids", err);
    for (size_t i = 0; rc == KILN_OK && i < n; i++) {
        rc = check_id(ids[i], i, err);
    }
    if (rc == KILN_OK && (wait_ms < 0 || wait_ms > WAIT_MS_MOST)) {
        rc = err_set(err, KILN_INVALID, "wait_ms", "wait_ms is %lld, expected 0..%d", (long long) wait_ms,
                     WAIT_MS_MOST);
    }
    if (rc != KILN_OK) {
        return rc;
    }
    open_header(b, op, rid, op == REQUEST_RESULT ? 2 : 1);
    buf_put_str_const(b, "ids");
    buf_put_list(b, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_text(b, ids[i]);
    }
    if (op == REQUEST_RESULT) {
        buf_put_str_const(b, "wait_ms");
        buf_put_u64(b, (uint64_t) wait_ms);
    }
    return close_header(b, err);
}

int request_plain(struct buf *b, enum request_op op, uint64_t rid, const char *name, struct err *err)
{
    open_header(b, op, rid, name ? 1 : 0);
    if (name) {
        buf_put_text(b, op == REQUEST_DESCRIBE ? "fn" : "name");
        buf_put_text(b, name);
    }
    return close_header(b, err);
}

enum request_op request_admin_op(const char *name)
{
    enum request_op op = REQUEST_RELOAD;
    while (op < REQUEST_COUNT && strcmp(names[op].op, name) != 0) {
        op++;
    }
    return op;
}

int request_admin(struct buf *b, enum request_op op, uint64_t rid, const void *keys, size_t keys_bytes,
                  struct err *err)
{
    static const struct scan_limits limits = {.depth = 7, .items = HEADER_BYTES};
    struct scan s = scan_over(keys, keys ? keys_bytes : 0);
    struct token map = {.type = SCAN_MAP};
    if (keys &&
        (scan_check(keys, keys_bytes, &limits, err) || !scan_next(&s, &map) || map.type != SCAN_MAP)) {
        return err_set(err, KILN_INVALID, "keys", "keys is not a msgpack map");
    }
    open_header(b, op, rid, map.count);
    buf_put_raw(b, s.at, (size_t) (s.end - s.at));
    return close_header(b, err);
}
