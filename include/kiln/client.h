/* SPDX-License-Identifier: MIT-0 */
/* kiln/client.h - a producer of jobs in C: link with -lkiln.
 *
 *     struct kiln_client *client = NULL;
 *     struct kiln_answer *answer = NULL;
 *     struct kiln_error err;
 *     struct kiln_job job = {.fn = "stats.mean", .args = packed, .args_bytes = packed_bytes};
 *
 *     if (kiln_client_open("ipc:///run/kiln/kiln.sock", NULL, &client, &err) == KILN_OK &&
 *         kiln_client_call(client, &job, 1, &answer, &err) == KILN_OK) {
 *         const struct kiln_outcome *o = &answer->outcomes[0];
 *         if (o->status == KILN_OK) { ... o->result, o->result_bytes ... }
 *         else { fprintf(stderr, "%s: %s\n", kiln_status_name(o->status), o->error); }
 *     }
 *     kiln_client_answer_free(&answer);
 *     kiln_client_close(&client);
 *
 * Arguments and results are msgpack maps, packed and unpacked by whatever msgpack library you use;
 * docs/PROTOCOL.md says how arrays look in them. This library needs libzmq and nothing else.
 *
 * TWO KINDS OF FAILURE
 *
 *   A function of this header returns a code of <kiln/status.h> and fills *err (which may be NULL)
 *   when the *request* could not be made or was not understood; outputs are then untouched. When it returns KILN_OK,
 *   *every job* of the request has an outcome, each with a status of its own.
 *
 *   KILN_INVALID       the request breaks a rule of this header; nothing was sent
 *   KILN_UNAVAILABLE   no broker could be reached within connect_ms, or it takes no more just now;
 *                      nothing was sent, so trying again is safe
 *   KILN_DENIED        the broker does not let this key in, or wants one; nothing was sent
 *   KILN_LOST          it was sent and no answer came in time: the job may have run or not. A job of
 *                      a call becomes lost grace_ms after its timeout; all else after answer_ms. To
 *                      repeat it safely, submit it with an id, or make sure it may run twice
 *
 * A BROKER THAT GOES AWAY
 *
 *   The socket reconnects by itself, for ever. Requests that were under way end as KILN_LOST at
 *   their time; the next request goes out as soon as a broker is back. Answers that come after their
 *   request has ended are recognised by its number and dropped: an answer is never given to another request.
 *
 * WHO OWNS WHAT
 *
 *   What you pass in is copied before the function returns. An answer, with all text and all results
 *   it points to, is yours until kiln_client_answer_free, also after the client was closed. Results are
 *   not aligned: copy numbers out, do not cast. Pointers to text are never NULL.
 *
 * THREADS
 *
 *   A client may be used by one thread at a time, and moved between threads with a full fence, such
 *   as a mutex gives. Different clients are independent. A client does not survive fork(): open it
 *   in the child. Signals interrupt no function of this header.
 *
 * A structure of this header changes only together with the soname.
 */
#ifndef KILN_CLIENT_H
#define KILN_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <kiln/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KILN_CLIENT_MAX_JOBS 4096 /* jobs, or ids, in one request */
#define KILN_ZERO            (-1) /* in a number of which 0 means "the default": an explicit zero */

struct kiln_client; /* opaque */

/* Why a function failed. Lives where you put it, owns nothing, untouched on success. */
struct kiln_error {
    int32_t status;
    char field[96]; /* the argument or member at fault; "" when there is none */
    char text[512]; /* one sentence without full stop */
};

/* ---- opening and closing ----------------------------------------------------------------------- */

/* 0 in any member is its default. */
struct kiln_client_options {
    int64_t connect_ms; /* how long a request waits for a connection before KILN_UNAVAILABLE; 5,000.
                           KILN_ZERO: not at all */
    int64_t answer_ms;  /* how long the answer to anything but a call may take; 10,000 */
    int64_t grace_ms;   /* how long after its timeout a call is given up; 1,000 */
};

/* Makes a client of the broker at `endpoint`, such as "ipc:///run/kiln/kiln.sock" or
 * "tcp://10.0.0.7:7610", and begins to connect in the background: a broker that is not there
 * yet is no failure. options may be NULL. KILN_INVALID when the endpoint is malformed. */
int kiln_client_open(const char *endpoint, const struct kiln_client_options *options,
                     struct kiln_client **ret_client, struct kiln_error *err);

/* Who you are, to a broker on tcp that wants keys. Both files are made by `kiln keygen`. */
struct kiln_client_keys {
    const char *key_file;   /* your own NAME.key_secret, which nobody but you may be able to read */
    const char *server_key; /* the broker's public key, 40 characters, or the file NAME.key that it is in */
};

/* As kiln_client_open, with keys; keys NULL or with both members NULL: none. On ipc, which has no keys, they are
 * not looked at. KILN_INVALID or KILN_DENIED when a file is no key, or a secret one that others may read. Requests
 * then fail with KILN_DENIED as soon as the broker has refused the key, and with KILN_UNAVAILABLE and the reason after
 * connect_ms when it breaks off the handshake, as it does when server_key is not its own. */
int kiln_client_open_with_keys(const char *endpoint, const struct kiln_client_options *options,
                               const struct kiln_client_keys *keys, struct kiln_client **ret_client,
                               struct kiln_error *err);

/* Ends the client at once and sets *client to NULL; NULL is allowed in both places. Jobs of
 * unanswered requests run on at the broker; what was not sent yet is dropped. */
void kiln_client_close(struct kiln_client **client);

/* ---- jobs ---------------------------------------------------------------------------------------- */

/* One job. Set what you mean and zero the rest: 0 is the broker's default, KILN_ZERO a real zero.
 * Ranges are checked by the broker, which answers that job with KILN_INVALID. */
struct kiln_job {
    const char *fn;   /* "plugin.function"; required */
    const void *args; /* msgpack map of named arguments; NULL: an empty map */
    size_t args_bytes;
    const char *id; /* submit: required, UTF-8 of 1 to 62 bytes, chosen by you; makes repeating a submission
                             harmless. call: ignored */
    int64_t timeout_ms;   /* to be finished by then, counted from arrival; call: 30,000, submit: none */
    int64_t priority;     /* 9 is served first; 4. Priority 0 is KILN_ZERO */
    int64_t run_ms;       /* limit of running time per attempt; the worker's */
    int64_t ttl_ms;       /* from here on submit only: to be started by then; none */
    int64_t delay_ms;     /* not to be started earlier; 0 */
    int64_t max_attempts; /* starts, when the status is retryable; 3 */
    int64_t backoff_ms;   /* pause before the second attempt, doubling; 100 */
    int64_t keep_ms;      /* how long the result is kept; 3,600,000 */
    const char *key; /* both again: who the job is for, at most 64 bytes: its share and its quota; none */
};

enum kiln_state {
    KILN_STATE_NONE = 0,    /* not an answer to result or status */
    KILN_STATE_DELAYED = 1, /* waits for its delay or back-off */
    KILN_STATE_QUEUED = 2,
    KILN_STATE_RUNNING = 3,
    KILN_STATE_DONE = 4,    /* status says how it ended */
    KILN_STATE_UNKNOWN = 5, /* the broker does not know the id (any more) */
};

/* How one job, or one question about a job, ended. */
struct kiln_outcome {
    size_t index;       /* its place in the jobs or ids of the request */
    int32_t status;     /* enum kiln_status; KILN_ACCEPTED in answers to result and status while the
                            job is not done */
    int32_t state;      /* enum kiln_state */
    const char *id;     /* submit and what follows it: the id; describe: the function's name; else "" */
    const char *error;  /* a sentence when the status is a failure; "" else */
    const char *field;  /* the argument or key at fault; "" when there is none */
    const char *worker; /* who computed it, "" when not known */
    const char *plugin; /* "name/version", likewise */
    const void *result; /* msgpack; NULL unless there is one */
    size_t result_bytes;
    int64_t queue_us;  /* times: waiting in the broker; decoding, computing, encoding in the worker; */
    int64_t decode_us; /* arrival to answer in the broker. -1 when the broker did not say */
    int64_t run_us;
    int64_t encode_us;
    int64_t total_us;
    int32_t batch;   /* jobs computed together with this one, itself included; 0 when not known */
    int32_t attempt; /* which start this was, from 1; 0 when not known */
};

struct kiln_answer {
    uint64_t request; /* the number given when the request was sent */
    size_t count;     /* outcomes */
    const struct kiln_outcome *outcomes;
    int complete; /* 1: no further answer to this request will come */
};

/* Frees an answer and sets *answer to NULL; NULL is allowed in both places. */
void kiln_client_answer_free(struct kiln_answer **answer);

/* ---- requests that wait -------------------------------------------------------------------------- */
/* Each sends one message, waits until every outcome is there, in the order of the request, and gives
 * them in *ret_answer. Answers to other requests that arrive meanwhile are kept for kiln_client_receive. */

/* Runs the jobs and waits for their results. */
int kiln_client_call(struct kiln_client *client, const struct kiln_job *jobs, size_t count,
                     struct kiln_answer **ret_answer, struct kiln_error *err);

/* Queues jobs whose results are asked for later, by id. Outcomes: KILN_ACCEPTED (stored as safely as
 * the broker's journal can), KILN_DUPLICATE (known already: nothing was queued), or a failure. */
int kiln_client_submit(struct kiln_client *client, const struct kiln_job *jobs, size_t count,
                       struct kiln_answer **ret_answer, struct kiln_error *err);

/* The results of submitted jobs: when all are done or unknown, or after wait_ms with what there is. */
int kiln_client_result(struct kiln_client *client, const char *const *ids, size_t count, int64_t wait_ms,
                       struct kiln_answer **ret_answer, struct kiln_error *err);

/* Where submitted jobs are now. */
int kiln_client_status(struct kiln_client *client, const char *const *ids, size_t count,
                       struct kiln_answer **ret_answer, struct kiln_error *err);

/* Takes back jobs that have not started; KILN_CONFLICT for those that have. */
int kiln_client_cancel(struct kiln_client *client, const char *const *ids, size_t count,
                       struct kiln_answer **ret_answer, struct kiln_error *err);

/* Drops results before their time; KILN_CONFLICT for jobs that are not done. */
int kiln_client_forget(struct kiln_client *client, const char *const *ids, size_t count,
                       struct kiln_answer **ret_answer, struct kiln_error *err);

/* The contract of a function, or with fn NULL of all: one outcome for each, `id` its name, `result`
 * its contract. KILN_UNKNOWN_FUNCTION when there is no such function. */
int kiln_client_describe(struct kiln_client *client, const char *fn, struct kiln_answer **ret_answer,
                         struct kiln_error *err);

/* Statistics of the broker, its functions and workers: one outcome, whose result is a map. */
int kiln_client_stats(struct kiln_client *client, struct kiln_answer **ret_answer, struct kiln_error *err);

/* Is the broker there? One outcome, whose result is the map {version, protocol, epoch, uptime_ms,
 * journal, ...} that the broker answered. */
int kiln_client_ping(struct kiln_client *client, struct kiln_answer **ret_answer, struct kiln_error *err);

/* An operator's. Jobs of a paused function wait; a drained node or worker finishes what it has and takes nothing new; what
 * has the name resumed goes on. `name` is "plugin.function", "plugin.*" or "*", or that of a node or worker. One outcome, whose
 * result is a map: the functions, nodes and workers of that name, and how many jobs wait and run there. */
int kiln_client_pause(struct kiln_client *client, const char *name, struct kiln_answer **ret_answer,
                      struct kiln_error *err);
int kiln_client_resume(struct kiln_client *client, const char *name, struct kiln_answer **ret_answer,
                       struct kiln_error *err);
int kiln_client_drain(struct kiln_client *client, const char *name, struct kiln_answer **ret_answer,
                      struct kiln_error *err);

/* An operation of administrators: "reload" or "rollback", with its keys as a msgpack map (NULL: none); docs/PROTOCOL.md
 * says which. Waits at most wait_ms (0: answer_ms). One outcome, whose result is a map. */
int kiln_client_admin(struct kiln_client *client, const char *op, const void *keys, size_t keys_bytes,
                      int64_t wait_ms, struct kiln_answer **ret_answer, struct kiln_error *err);

/* ---- requests that do not wait ------------------------------------------------------------------- */
/* Send any number of requests, then receive their answers as they come. Each job of each request gets
 * exactly one outcome, KILN_LOST at the latest. One request may be answered in several parts, in
 * any order; `complete` is set in the last. ret_request may be NULL. */

int kiln_client_call_send(struct kiln_client *client, const struct kiln_job *jobs, size_t count,
                          uint64_t *ret_request, struct kiln_error *err);
int kiln_client_submit_send(struct kiln_client *client, const struct kiln_job *jobs, size_t count,
                            uint64_t *ret_request, struct kiln_error *err);
int kiln_client_result_send(struct kiln_client *client, const char *const *ids, size_t count, int64_t wait_ms,
                            uint64_t *ret_request, struct kiln_error *err);

/* The next answer, waiting for it at most timeout_ms (0: not at all; negative: as long as it takes).
 * KILN_OK with *ret_answer NULL when none came in time, and at once when no request is under way. */
int kiln_client_receive(struct kiln_client *client, int64_t timeout_ms, struct kiln_answer **ret_answer,
                        struct kiln_error *err);

/* Jobs (or ids) sent whose outcome was not received yet. */
size_t kiln_client_pending(const struct kiln_client *client);

/* A file descriptor for poll() and its like: readable when answers may have come. It signals
 * changes, not states: whenever it does, and after every other call with this client, call
 * kiln_client_receive(client, 0, ...) until it gives NULL; lost requests are noticed in those calls alone.
 * The descriptor is the client's: do not read or close it. -1 when there is none. */
int kiln_client_fd(const struct kiln_client *client);

/* ---- statuses ------------------------------------------------------------------------------------ */

const char *kiln_status_name(int status);     /* "ok"; "internal" for a number that is none */
const char *kiln_status_sentence(int status); /* "done" */
int kiln_status_retryable(int status);        /* 1 when the same job may succeed later */

#ifdef __cplusplus
}
#endif

#endif
