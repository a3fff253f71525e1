/* SPDX-License-Identifier: MPL-2.0 */
/* tenant - whose jobs these are: the key that a job carries, else the name its producer was authenticated by, else nobody's.
 *
 * Shares (queue.h) and quotas go by tenants. The one without a name is there from the start and costs two additions a job;
 * another one is made by the first job that names it. It stays while it has jobs, and for a while longer, so that what it has
 * spent of its rate is remembered: TENANTS_IDLE of them, the longest idle go first. So there are never more than that beside
 * the tenants of waiting and running jobs, however many names a producer invents.
 *
 *     t = tenant_find(&b->tenants, name, bytes)           tenant_check(t, bytes, now, &err)    may it have one more?
 *     tenant_enter(&b->tenants, t, bytes, now)            the job is taken
 *     tenant_leave(&b->tenants, t, bytes)                 it has ended; t may be gone after this */
#ifndef TENANT_H
#define TENANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <czmq.h>

#include "quota.h"

enum { TENANT_NAME_BYTES = 64, TENANTS_IDLE = 4096 };

struct job;

struct tenant {
    struct tenant *next, *prev; /* while idle */
    const struct quota *quota;  /* NULL: no limits, weight 1 */
    int64_t full_ns;            /* its rate: when all of its burst is there again */
    uint64_t bytes;             /* payloads of its jobs */
    uint64_t taken, refused;    /* jobs since it was made; refused: for its quota */
    struct job *picked; /* the last of its jobs in the delivery `delivery`, while that is put together */
    uint64_t delivery;
    uint32_t jobs; /* taken and not ended: delayed, waiting or running */
    char name[];   /* "" for jobs without a key */
};

struct tenants {
    zhashx_t *by_name;              /* all but the plain one */
    struct tenant *plain;           /* the one without a name */
    struct tenant *latest;          /* the last found: jobs come in runs */
    struct tenant *oldest, *newest; /* idle ones */
    size_t active, idle;
    const struct quotas *quotas;
};

/* Names the limit that refused a job. */
enum tenant_limit { TENANT_FREE, TENANT_JOBS, TENANT_BYTES, TENANT_RATE };

/* The quotas stay the caller's and may be replaced: tenants_apply() looks them up anew for everybody. */
void tenants_init(struct tenants *ts, const struct quotas *quotas);
void tenants_apply(struct tenants *ts, const struct quotas *quotas);
void tenants_done(struct tenants *ts);

/* A name is UTF-8 of at most TENANT_NAME_BYTES without control characters. */
bool tenant_named_well(const char *name, size_t bytes);
struct tenant *tenant_find(struct tenants *ts, const char *name, size_t bytes);

/* Which limit one more job of so many bytes would break, and a sentence in err. */
enum tenant_limit tenant_check(struct tenant *t, uint64_t bytes, int64_t now_ns, struct err *err);
void tenant_enter(struct tenants *ts, struct tenant *t, uint64_t bytes, int64_t now_ns);
void tenant_leave(struct tenants *ts, struct tenant *t, uint64_t bytes);

/* All of them, those with most jobs first; the list is the caller's (mem_free). */
struct tenant **tenants_sorted(struct tenants *ts, size_t *ret_n);

static inline bool tenant_plain(const struct tenant *t)
{
    return !t || !t->name[0];
}

static inline int64_t tenant_weight(const struct tenant *t)
{
    return t && t->quota ? t->quota->weight : 1;
}

#endif
