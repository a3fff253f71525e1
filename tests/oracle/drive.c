/* SPDX-License-Identifier: MPL-2.0 */
/* drive - runs jobs of one plugin through the worker's engine, without a broker: for tests against oracles and for
 * benchmarks. plugin.py is its other side.
 *
 *     drive FILE.so [OPTIONS-MSGPACK-FILE|- [JOB-BYTES]]
 *
 * It loads the plugin (without warm-up, unless asked), then answers requests from standard input until its end. A request is
 * three u32 of this machine's byte order, {bytes of the name, bytes of the arguments, repeat (the highest bit: keep the result)}, then the name of a function and
 * its arguments in msgpack. The answer is {status, bytes of field, of error, of result} as u32, {decode, run, encode} as i64
 * nanoseconds, each the least of the repetitions, then field, error and result. Names that are no functions:
 *
 *     ""        the result is the list of all contracts
 *     "!prove"  runs all goldens as a worker does before READY
 *
 * A job that takes longer than PATIENCE_S is told that it is cancelled, as one whose producer went away. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "engine.h"
#include "mem.h"

enum { PATIENCE_S = 5 };
#define KEEP_RESULT (UINT32_C(1) << 31)

static void take(void *data, size_t bytes)
{
    if (bytes && fread(data, 1, bytes, stdin) != bytes) {
        exit(0);
    }
}

static void answer(const struct engine_job *job)
{
    const uint32_t head[4] = {(uint32_t) job->status, (uint32_t) strlen(job->field),
                              (uint32_t) strlen(job->error), (uint32_t) job->result_bytes};
    const int64_t times[3] = {job->decode_ns, job->run_ns, job->encode_ns};
    fwrite(head, sizeof head, 1, stdout);
    fwrite(times, sizeof times, 1, stdout);
    fwrite(job->field, 1, head[1], stdout);
    fwrite(job->error, 1, head[2], stdout);
    if (head[3]) {
        fwrite(job->result, 1, head[3], stdout);
    }
    fflush(stdout);
}

static void contracts(struct engine *e, struct engine_job *job, struct buf *out)
{
    buf_clear(out);
    buf_put_list(out, engine_functions(e));
    for (size_t i = 0; i < engine_functions(e); i++) {
        size_t bytes;
        const void *contract = engine_contract(e, i, &bytes);
        buf_put_raw(out, contract, bytes);
    }
    job->result = out->data;
    job->result_bytes = out->bytes;
}

static void least(int64_t *time, int64_t other)
{
    *time = other < *time ? other : *time;
}

static int64_t began_ns;

static void enter(void *arg, size_t first, size_t count)
{
    (void) arg;
    (void) first;
    (void) count;
    began_ns = clock_ns();
}

static void leave(void *arg, size_t first, size_t count)
{
    (void) arg;
    (void) first;
    (void) count;
}

static int cancelled(void *arg, size_t index)
{
    (void) arg;
    (void) index;
    return clock_ns() - began_ns > PATIENCE_S * CLOCK_S;
}

static void compute(struct engine *e, size_t fn, uint32_t repeat, struct engine_job *job)
{
    static const struct engine_watch watch = {.enter = enter, .leave = leave, .cancelled = cancelled};
    const struct engine_job asked = *job;
    int64_t decode = INT64_MAX, run = INT64_MAX, encode = INT64_MAX;
    for (uint32_t i = 0; i < repeat; i++) {
        *job = asked;
        engine_run(e, fn, job, 1, true, &watch);
        least(&decode, job->decode_ns);
        least(&run, job->run_ns);
        least(&encode, job->encode_ns);
    }
    job->decode_ns = decode;
    job->run_ns = run;
    job->encode_ns = encode;
}

/* Into memory that stays until the process ends, as the plugin may read its options so long. */
static const void *read_file(const char *path, size_t *ret_bytes)
{
    static char data[1 << 16];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(2);
    }
    *ret_bytes = fread(data, 1, sizeof data, f);
    fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: drive FILE.so [OPTIONS-MSGPACK-FILE|- [JOB-BYTES]]\n");
        return 2;
    }
    const struct engine_limits limits = {.job_bytes =
                                             argc > 3 ? strtoull(argv[3], NULL, 10) : (size_t) 2 << 30,
                                         .payload_bytes = (size_t) 1 << 30,
                                         .max_batch = 64};
    struct engine *e = NULL;
    struct err err;
    size_t options_bytes = 0;
    static const void *volatile options; /* lives to the end, as the engine borrows it */
    options = argc > 2 && strcmp(argv[2], "-") != 0 ? read_file(argv[2], &options_bytes) : NULL;
    if (engine_load(argv[1], options, options_bytes, &limits, &e, &err)) {
        fprintf(stderr, "%s: %s\n", argv[1], err.text);
        return 1;
    }
    struct buf out;
    buf_init(&out, 0);
    for (;;) {
        uint32_t head[3];
        take(head, sizeof head);
        char name[128];
        if (head[0] >= sizeof name) {
            return 2;
        }
        take(name, head[0]);
        name[head[0]] = 0;
        void *payload = mem_alloc((size_t) head[1] + 1);
        take(payload, head[1]);
        struct engine_job job = {.payload = payload, .payload_bytes = head[1]};
        int fn = engine_find(e, name, head[0]);
        if (!*name) {
            contracts(e, &job, &out);
        } else if (strcmp(name, "!prove") == 0) {
            job.status = engine_prove(e, true, &err);
            snprintf(job.error, sizeof job.error, "%s", job.status ? err.text : "");
        } else if (fn < 0) {
            job.status = KILN_UNKNOWN_FUNCTION;
            snprintf(job.error, sizeof job.error, "no function %s", name);
        } else {
            uint32_t repeat = head[2] & ~KEEP_RESULT;
            compute(e, (size_t) fn, repeat ? repeat : 1, &job);
            job.result_bytes = head[2] & KEEP_RESULT ? 0 : job.result_bytes;
        }
        answer(&job);
        mem_free(payload);
    }
}
