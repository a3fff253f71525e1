/* SPDX-License-Identifier: MPL-2.0 */
#include "lifecycle.h"

#include <assert.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "ready.h"
#include "status.h"

/* A payload of so many bytes counts as one job more when shares are reckoned: work grows with it. */
enum { LOAD_SHIFT = 16 };

static int64_t sooner(int64_t a, int64_t b)
{
    return b && b < a ? b : a;
}

static void job_fire(void *arg, struct timer *t);

/* Its ttl counts until it is given to a worker for the first time; a job to be tried again was started in time. */
static bool unstarted(const struct job *job)
{
    return job->state != JOB_RUNNING && job->attempt == 0 && job->crashes == 0;
}

/* Sets the timer to the next thing that time does to the job. */
static void set_timer(struct broker *b, struct job *job)
{
    int64_t at = sooner(INT64_MAX, job->deadline_ns);
    if (unstarted(job)) {
        at = sooner(at, job->start_by_ns);
    }
    if (job->state == JOB_DELAYED) {
        at = sooner(at, job->ready_ns);
    }
    job->timer.fire = job_fire;
    if (at == INT64_MAX) {
        timers_clear(&b->timers, &job->timer);
    } else if (!job->timer.place || job->timer.at_ns != at) {
        timers_set(&b->timers, &job->timer, at);
    }
}

static void enqueue(struct broker *b, struct job *job, bool front)
{
    job->state = JOB_QUEUED;
    set_timer(b, job);
    struct function *fn = job->fn;
    if (front) {
        queue_push_front(&fn->queue, &job);
    } else {
        queue_push(&fn->queue, &job);
    }
    ready_add(b, fn);
}

static void delay(struct broker *b, struct job *job)
{
    job->state = JOB_DELAYED;
    job->fn->delayed++;
    set_timer(b, job);
}

static void leave(struct broker *b, struct job *job)
{
    switch (job->state) {
    case JOB_DELAYED:
        job->fn->delayed--;
        break;
    case JOB_QUEUED:
        queue_remove(&job->fn->queue, job);
        ready_drop(b, job->fn);
        break;
    case JOB_RUNNING:
        if (job->lease) {
            lease_abandon(job->lease);
        }
        break;
    case JOB_DONE:
        assert(job->state != JOB_DONE); /* a done job has nowhere to go */
    }
}

static void journal_put(struct broker *b, enum record_kind kind, const struct job *job)
{
    struct record r = {.kind = kind, .id = job->id.bytes, .id_bytes = job->id.size};
    struct err err;
    if (b->journal_driver->append(b->journal, &r, 1, b->journal_seq, &b->journal_seq, &err)) {
        /* What was promised cannot be kept: stop rather than promise more. */
        log_error("journal_failed", "error=%s", log_quote(err.text));
        abort();
    }
}

void job_start(struct broker *b, struct job *job)
{
    size_t bytes = zmq_msg_size(&job->payload);
    b->memory_bytes += bytes + sizeof *job;
    job->load = (uint32_t) (bytes >> LOAD_SHIFT);
    tenant_enter(&b->tenants, job->tenant, bytes, b->now_ns);
    if (job->submitted) {
        results_enter(b, job);
        journal_put(b, RECORD_SUBMIT, job);
    }
    if (job->ready_ns > b->now_ns) {
        delay(b, job);
    } else {
        enqueue(b, job, false);
    }
}

static void count_end(struct broker *b, struct job *job)
{
    struct function_stats *s = &job->fn->stats;
    b->counters.jobs_ended++;
    s->statuses[job->status]++;
    s->times = s->times ? s->times : mem_alloc(sizeof *s->times);
    histogram_add(&s->times->total, job->total_ns);
    if (job->started_ns) {
        histogram_add(&s->times->queue, job->started_ns - job->ready_ns);
        if (job->run_ns) {
            histogram_add(&s->times->run, job->run_ns);
        }
    }
}

void job_end(struct broker *b, struct job *job, int status, const char *error, const char *field,
             struct payload *result, const struct worker *worker)
{
    leave(b, job);
    timers_clear(&b->timers, &job->timer);
    size_t bytes = zmq_msg_size(&job->payload);
    b->memory_bytes -= bytes + sizeof *job;
    tenant_leave(&b->tenants, job->tenant, bytes);
    job->tenant = NULL;
    job->status = status;
    job->total_ns = b->now_ns - job->arrived_ns;
    count_end(b, job);
    if (job->request) {
        struct outcome o = {.id = &job->id,
                            .status = status,
                            .error = error,
                            .field = field,
                            .job = job,
                            .worker = worker,
                            .result = result};
        reply_add(b, job->request, &o);
        job_free(&b->pool, &job);
        return;
    }
    job->state = JOB_DONE;
    job->error = mem_text(error);
    job->field = mem_text(field);
    job->worker = worker ? mem_text(worker->wid) : NULL;
    zmq_msg_close(&job->payload);
    if (!result) {
        zmq_msg_init(&job->payload);
    } else if (payload_take(result, &job->payload)) {
        zmq_msg_init(&job->payload);
        job->status = KILN_RESOURCE;
        job->error = mem_text("the broker has no memory for the result");
    }
    journal_put(b, RECORD_DONE, job);
    results_keep(b, job);
    while (results_over(b)) {
        job_forget(b, b->results.oldest);
        b->counters.results_evicted++;
    }
}

void job_give_back(struct broker *b, struct job *job)
{
    job->attempt--;
    b->counters.jobs_given_back++;
    enqueue(b, job, true);
}

void job_crashed(struct broker *b, struct job *job, const char *cause)
{
    job->attempt--; /* deaths are counted apart from attempts */
    job->crashes++;
    b->counters.jobs_crashed++;
    job->fn->stats.crashes++;
    if (job->submitted) {
        journal_put(b, RECORD_ATTEMPT, job);
    }
    if (job->crashes < CRASHES_MOST) {
        enqueue(b, job, true);
        return;
    }
    char text[300];
    snprintf(text, sizeof text, "the job killed %d workers, the last by %s; it is not tried again",
             job->crashes, cause);
    b->counters.jobs_poisoned++;
    job_end(b, job, KILN_POISON, text, NULL, NULL, NULL);
}

void job_retry(struct broker *b, struct job *job)
{
    int64_t pause_ms = job->backoff_ms;
    for (int i = 1; i < job->attempt && pause_ms < 60000; i++) {
        pause_ms *= 2;
    }
    pause_ms = pause_ms < 60000 || pause_ms == job->backoff_ms ? pause_ms : 60000;
    b->counters.jobs_retried++;
    job->fn->stats.retries++;
    if (job->submitted) {
        journal_put(b, RECORD_ATTEMPT, job);
    }
    job->ready_ns = b->now_ns + pause_ms * CLOCK_MS;
    delay(b, job);
}

void job_forget(struct broker *b, struct job *job)
{
    journal_put(b, RECORD_FORGET, job);
    results_drop(b, job);
}

static void job_fire(void *arg, struct timer *t)
{
    struct broker *b = arg;
    struct job *job = (struct job *) (void *) ((char *) t - offsetof(struct job, timer));
    if (job->state == JOB_DONE) {
        job_forget(b, job);
    } else if (job->deadline_ns && job->deadline_ns <= b->now_ns) {
        char text[160];
        snprintf(text, sizeof text, "not finished within %lld ms: it was %s",
                 (long long) ((job->deadline_ns - job->arrived_ns) / CLOCK_MS),
                 job->state == JOB_RUNNING ? "running"
                 : job->fn->paused         ? "waiting: the function is paused"
                 : job->fn->n_workers      ? "waiting"
                                           : "waiting for a worker, and there is none");
        job_end(b, job, KILN_DEADLINE, text, NULL, NULL, NULL);
    } else if (unstarted(job) && job->start_by_ns && job->start_by_ns <= b->now_ns) {
        char text[120];
        snprintf(text, sizeof text, "not started within its ttl of %lld ms",
                 (long long) ((job->start_by_ns - job->arrived_ns) / CLOCK_MS));
        job_end(b, job, KILN_EXPIRED, text, NULL, NULL, NULL);
    } else if (job->state == JOB_DELAYED && !job->fn->announced && !job->fn->retired && !b->settling) {
        char text[200];
        snprintf(text, sizeof text, "fn is \"%s\", which no plugin offers", job->fn->name);
        job_end(b, job, KILN_UNKNOWN_FUNCTION, text, "fn", NULL, NULL);
    } else if (job->state == JOB_DELAYED) {
        job->fn->delayed--;
        enqueue(b, job, false);
    } else {
        set_timer(b, job); /* it was started in time: only its deadline counts now */
    }
}
