/* SPDX-License-Identifier: MIT-0 */
/* kiln/status.h - how a job, or an operation on one, ends: the one table of codes.
 *
 * The same names and numbers are used on the wire, in the plugin ABI, in logs, in metrics and in
 * the exit status of the command line tool. Nothing else in Kiln invents a code.
 *
 * KILN_STATUS_TABLE(X) expands X once for each row:
 *
 *   X(ID, number, name, retryable, exit, sentence)
 *
 *   ID         the C constant is KILN_ID
 *   number     never changes once released; 0 is success
 *   name       the string on the wire
 *   retryable  1: the same job may succeed later without being changed
 *   exit       exit status of `kiln` when this is how the command ended
 *   sentence   what it means, for a person
 *
 * To add a code: append a row with the next number, and describe it in docs/PROTOCOL.md.
 */
#ifndef KILN_STATUS_H
#define KILN_STATUS_H

#define KILN_STATUS_TABLE(X)                                                                                 \
    X(OK, 0, "ok", 0, 0, "done")                                                                             \
    X(INVALID, 1, "invalid", 0, 3, "the request or one of its arguments is not valid")                       \
    X(UNKNOWN_FUNCTION, 2, "unknown_function", 0, 4, "no plugin offers this function")                       \
    X(UNKNOWN_OP, 3, "unknown_op", 0, 3, "the protocol has no such operation")                               \
    X(UNKNOWN_JOB, 4, "unknown_job", 0, 5, "no job with this id is known (any more)")                        \
    X(BUSY, 5, "busy", 1, 6, "the queue of this function is full")                                           \
    X(DEADLINE, 6, "deadline", 0, 7, "the job was not finished within its time limit")                       \
    X(EXPIRED, 7, "expired", 0, 7, "the job was not started within its time to live")                        \
    X(CANCELLED, 8, "cancelled", 0, 8, "the job was cancelled")                                              \
    X(CONFLICT, 9, "conflict", 0, 5, "the job is not in a state that allows this")                           \
    X(POISON, 10, "poison", 0, 9, "the job killed every worker it was given to")                             \
    X(FAILED, 11, "failed", 0, 9, "the function ran and could not produce a result")                         \
    X(TEMPORARY, 12, "temporary", 1, 6, "the function could not run just now")                               \
    X(RESOURCE, 13, "resource", 0, 9, "the job needs more memory than it may use")                           \
    X(UNAVAILABLE, 14, "unavailable", 1, 6, "the broker or the worker cannot take this now")                 \
    X(INTERNAL, 15, "internal", 0, 10, "a fault in Kiln or in the plugin, not in the request")               \
    X(DENIED, 16, "denied", 0, 11, "this peer may not do this")                                              \
    X(ACCEPTED, 17, "accepted", 0, 0, "the job is queued")                                                   \
    X(DUPLICATE, 18, "duplicate", 0, 0, "a job with this id is already known; nothing was queued")           \
    X(LOST, 19, "lost", 1, 6, "no answer from the broker; it is not known whether the job ran")

enum kiln_status {
#define KILN_STATUS_ENUM(id, number, name, retryable, exit, sentence) KILN_##id = number,
    KILN_STATUS_TABLE(KILN_STATUS_ENUM)
#undef KILN_STATUS_ENUM
        KILN_STATUS_COUNT = 20
};

#endif
