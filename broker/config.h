/* SPDX-License-Identifier: MPL-2.0 */
/* config - the `broker` group of kiln.conf. */
#ifndef BROKER_CONFIG_H
#define BROKER_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "conf.h"
#include "err.h"
#include "quota.h"

struct config {
    struct conf_texts frontend, backend; /* endpoints to bind */
    char *log_level;
    int64_t queue_limit; /* queued and delayed jobs of one function */
    int64_t memory_mb;   /* payloads of all queued jobs */
    int64_t results_mb;  /* kept results */
    int64_t max_bytes;   /* one payload */
    int64_t out_hwm;     /* messages waiting for one producer that does not read */
    int64_t beat_ms, lease_ms, settle_ms;
    int64_t ahead_us;   /* work given to a busy worker ahead of time */
    int64_t batch_jobs; /* jobs in one message to a worker */
    int64_t handshake_ms;
    struct conf_ints cpus;
    char *frontend_mode, *backend_mode; /* of socket files, octal */
    struct conf_texts ipc_admins;
    char *key, *keys; /* paths, absolute; "": none */
    bool insecure_tcp;
    struct quotas quotas; /* by key */
};

/* path NULL: all defaults. */
int config_load(const char *path, struct config *ret, struct err *err);

/* A reload: takes over what may change while the broker runs; the old values are in `fresh` then. Nothing when more differs. */
int config_take_over(struct config *c, struct config *fresh, struct err *err);
void config_done(struct config *c);
/* "0660" as a number; the text was checked when it was read. */
unsigned config_mode(const char *text);
void config_help(FILE *out);

#endif
