/* SPDX-License-Identifier: MPL-2.0 */
#include "lease.h"

#include <assert.h>
#include <sys/random.h>

#include "catalogue.h"
#include "job.h"
#include "mem.h"
#include "peers.h"

void leases_init(struct leases *ls)
{
    *ls = (struct leases){0};
    uint32_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
        seed = (uint32_t) getpid();
    }
    ls->first_use = seed >> 2 | 1;
}

void leases_done(struct leases *ls)
{
    for (size_t i = 0; i < ls->n_chunks; i++) {
        mem_free(ls->chunks[i]);
    }
    mem_free(ls->chunks);
    *ls = (struct leases){0};
}

static void add_chunk(struct leases *ls)
{
    struct lease *chunk = mem_alloc(LEASE_CHUNK * sizeof *chunk);
    ls->chunks = mem_grow(ls->chunks, (ls->n_chunks + 1) * sizeof(struct lease *));
    for (uint32_t i = LEASE_CHUNK; i-- > 0;) {
        chunk[i].slot = (uint32_t) ls->n_chunks * LEASE_CHUNK + i;
        chunk[i].use = ls->first_use;
        chunk[i].next = ls->free;
        ls->free = &chunk[i];
    }
    ls->chunks[ls->n_chunks++] = chunk;
}

struct lease *lease_open(struct leases *ls, struct job *job, struct worker *worker)
{
    assert(!job->lease);
    if (!ls->free) {
        add_chunk(ls);
    }
    struct lease *l = ls->free;
    ls->free = l->next;
    l->use++;
    l->job = job;
    l->worker = worker;
    l->fn = job->fn;
    l->cost_ns = job->fn->cost_ns;
    l->prev = NULL;
    l->next = worker->leases;
    if (l->next) {
        l->next->prev = l;
    }
    worker->leases = l;
    worker->running++;
    worker->running_ns += l->cost_ns;
    job->fn->running++;
    job->lease = l;
    ls->open++;
    return l;
}

struct lease *lease_find(struct leases *ls, uint64_t token)
{
    size_t slot = token & 0xffffffff;
    if (slot >= ls->n_chunks * LEASE_CHUNK) {
        return NULL;
    }
    struct lease *l = &ls->chunks[slot / LEASE_CHUNK][slot % LEASE_CHUNK];
    return l->worker && l->use == token >> 32 ? l : NULL;
}

struct job *lease_close(struct leases *ls, struct lease *l)
{
    struct worker *w = l->worker;
    struct job *job = l->job;
    if (l->prev) {
        l->prev->next = l->next;
    } else {
        w->leases = l->next;
    }
    if (l->next) {
        l->next->prev = l->prev;
    }
    w->running--;
    w->running_ns -= l->cost_ns;
    worker_settle(w, l->delivery);
    l->fn->running--;
    if (job) {
        job->lease = NULL;
    }
    l->job = NULL;
    l->worker = NULL;
    l->next = ls->free;
    ls->free = l;
    ls->open--;
    return job;
}

void lease_abandon(struct lease *l)
{
    l->job->lease = NULL;
    l->job = NULL;
}
