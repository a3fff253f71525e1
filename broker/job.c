/* SPDX-License-Identifier: MPL-2.0 */
#include "job.h"

#include <assert.h>
#include <stddef.h>

#include "mem.h"

struct job *job_new(struct job_pool *pool)
{
    struct job *job = pool->jobs;
    if (job) {
        pool->jobs = job->next;
        memset(job, 0, offsetof(struct job, id));
        job->id.size = 0;
    } else {
        job = mem_alloc(sizeof *job);
    }
    zmq_msg_init(&job->payload);
    return job;
}

void job_free(struct job_pool *pool, struct job **job)
{
    struct job *j = *job;
    *job = NULL;
    assert(!j->timer.place && !j->lease && !j->watchers);
    zmq_msg_close(&j->payload);
    mem_free(j->error);
    mem_free(j->field);
    mem_free(j->worker);
    j->next = pool->jobs;
    pool->jobs = j;
}

struct request *request_new(struct job_pool *pool)
{
    struct request *r = pool->requests;
    if (r) {
        pool->requests = r->next_free;
        r->rid.size = 0;
        r->list = r->packed = false;
        r->open = 0;
        return r;
    }
    return mem_alloc(sizeof *r);
}

void request_free(struct job_pool *pool, struct request **request)
{
    (*request)->next_free = pool->requests;
    pool->requests = *request;
    *request = NULL;
}

void job_pool_done(struct job_pool *pool)
{
    for (struct job *j = pool->jobs, *next; j; j = next) {
        next = j->next;
        mem_free(j);
    }
    for (struct request *r = pool->requests, *next; r; r = next) {
        next = r->next_free;
        mem_free(r);
    }
    *pool = (struct job_pool){0};
}
