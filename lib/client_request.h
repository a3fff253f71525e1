/* SPDX-License-Identifier: MPL-2.0 */
/* client_request - the headers of a producer's requests: checked against kiln/client.h and written as msgpack. */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include <kiln/client.h>

#include "buf.h"
#include "err.h"

enum request_op {
    REQUEST_CALL,
    REQUEST_SUBMIT,
    REQUEST_RESULT,
    REQUEST_STATUS,
    REQUEST_CANCEL,
    REQUEST_FORGET,
    REQUEST_DESCRIBE, /* from here on the answer is one document, not an outcome for each job */
    REQUEST_STATS,
    REQUEST_PING,
    REQUEST_PAUSE,
    REQUEST_RESUME,
    REQUEST_DRAIN,
    REQUEST_RELOAD, /* from here on operations of administrators, with keys of their own */
    REQUEST_ROLLBACK,
    REQUEST_COUNT
};

const char *request_answer(enum request_op op); /* the op of the answer */
bool request_has_payloads(enum request_op op);  /* the answer carries one payload for each job */

/* Each fills b (which may hold old bytes: they go). KILN_INVALID names the job or id at fault. `rid` is the request's
 * number. The payload of job i follows the header as frame i + 1, or, when request_packs(), all of them in one frame. */
bool request_packs(const struct kiln_job *jobs, size_t n); /* many small ones: packed, see docs/PROTOCOL.md */
size_t request_args(const struct kiln_job *job, const void **ret_data); /* its payload; returns the bytes */
int request_jobs(struct buf *b, enum request_op op, uint64_t rid, const struct kiln_job *jobs, size_t n,
                 struct err *err);
int request_ids(struct buf *b, enum request_op op, uint64_t rid, const char *const *ids, size_t n,
                int64_t wait_ms, struct err *err);
/* name: what it is about, or NULL. */
int request_plain(struct buf *b, enum request_op op, uint64_t rid, const char *name, struct err *err);
/* The operation of administrators of that name; REQUEST_COUNT when there is none. keys: a msgpack map, or NULL. */
enum request_op request_admin_op(const char *name);
int request_admin(struct buf *b, enum request_op op, uint64_t rid, const void *keys, size_t keys_bytes,
                  struct err *err);

#endif
