/* SPDX-License-Identifier: MPL-2.0 */
/* engine - one plugin generation inside this process: loaded, judged, warmed, proven, and run.
 *
 * The only door to plugin code. Used by the worker loop and by `kilnd --check`; never in the supervisor.
 * Calls in order:
 *
 *     engine_load()    dlopen, judge the descriptor, compile the contracts, init, open
 *     engine_prove()   goldens cold, repeated warm, in batches; compared with what they must give
 *     engine_run()     live jobs, any number of times
 *     engine_free()    close, fini; the shared object stays mapped until the process ends
 *
 * Single-threaded, one engine a process. */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct engine;

struct engine_limits {
    size_t job_bytes;     /* most arena memory of one job: decoded arguments + results + scratch */
    size_t payload_bytes; /* largest payload accepted and largest result encoded */
    uint32_t max_batch;   /* most jobs run together when the function does not say less */
};

/* One job: in, then out. */
struct engine_job {
    const void *payload; /* msgpack, borrowed until engine_run returns; any alignment */
    size_t payload_bytes;

    int status;     /* enum kiln_status */
    char field[96]; /* when status is not KILN_OK */
    char error[512];
    const void *
        result; /* msgpack, borrowed until the next engine_run, engine_rest or engine_free; NULL unless KILN_OK */
    size_t result_bytes;
    int64_t decode_ns, encode_ns; /* its own, in a batch too */
    int64_t run_ns; /* of jobs that were computed together: of the whole batch, in each of them */
    uint32_t batch; /* jobs that were computed together with this one, itself included */
};

/* What engine_run tells while it works, so that a supervisor can see which jobs are inside plugin code. */
struct engine_watch {
    /* Jobs first .. first + count - 1 (indices into jobs) enter plugin code now, or have just left it. */
    void (*enter)(void *arg, size_t first, size_t count);
    void (*leave)(void *arg, size_t first, size_t count);
    /* Backs host->cancelled and host->progress; may be NULL. */
    int (*cancelled)(void *arg, size_t index);
    void (*progress)(void *arg, size_t index, double fraction);
    void *arg;
};

/* options: a msgpack map of the plugin's options from the configuration, or NULL. A required row missing, an
 * unknown option or a value out of range is KILN_INVALID and names it. */
int engine_load(const char *path, const void *options, size_t options_bytes,
                const struct engine_limits *limits, struct engine **ret_engine, struct err *err);
void engine_free(struct engine **engine);

const char *engine_name(const struct engine *e); /* the plugin's name */
const char *engine_version(const struct engine *e);
const char *engine_summary(const struct engine *e);

/* Functions by index, 0 .. engine_functions() - 1; an index that is none is the caller's mistake. */
size_t engine_functions(const struct engine *e);
const char *engine_function_name(const struct engine *e, size_t i); /* without the plugin's */
uint32_t engine_function_flags(const struct engine *e, size_t i);
uint32_t engine_function_max_batch(const struct engine *e, size_t i); /* 1 when there is no run_batch */
/* After engine_prove: the whole job, median, of the golden example that takes the least. */
int64_t engine_function_warm_ns(const struct engine *e, size_t i);
/* How far a number of its results may be off, by the most generous of its examples. */
void engine_function_tolerance(const struct engine *e, size_t i, double *ret_rtol, double *ret_atol);
int engine_find(const struct engine *e, const char *name, size_t name_bytes); /* index or -1 */

/* The contract as msgpack, as docs/PROTOCOL.md section 6 shapes it. Borrowed, valid until engine_free. */
const void *engine_contract(const struct engine *e, size_t i, size_t *ret_bytes);

/* Appends the plugin's options to `out`, as a msgpack list of rows like those of a contract. */
void engine_describe_options(const struct engine *e, struct buf *out);

/* Warms and proves every function. `fast` does what must be done before READY (cold, a few warm repetitions,
 * batches of 2 and of max_batch, answers compared); otherwise more repetitions for steadier figures. On
 * failure err names the function, the golden and the difference, e.g. "stats.mean, example \"1..10\": mean is
 * 5.6, expected 5.5 within 1e-12". */
int engine_prove(struct engine *e, bool fast, struct err *err);

/* The warm-up report as msgpack (section 6). Borrowed, valid until engine_free; NULL before engine_prove. */
const void *engine_report(const struct engine *e, size_t *ret_bytes);

/* Runs n jobs of function fn. solo: never two in one run_batch. Each job ends with its own status; this never
 * fails as a whole. */
void engine_run(struct engine *e, size_t fn, struct engine_job *jobs, size_t n, bool solo,
                const struct engine_watch *watch);

/* Between jobs, about once a second: gives back memory that no job since the last time has needed. */
void engine_rest(struct engine *e);

/* True once the plugin was caught writing outside its memory: the job was answered `internal`, and nothing in
 * this process can be trusted any more. Hand back what is unstarted, say so in the log, and exit. */
bool engine_damaged(const struct engine *e);

/* Told before each step of engine_load and engine_prove ("stats.mean, example \"1..10\""), so that whoever
 * watches a crash or a hang knows where it was. `what` lives until the next step. */
void engine_on_step(void (*step)(void *arg, const char *what), void *arg);

#endif
