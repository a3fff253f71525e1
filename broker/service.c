/* SPDX-License-Identifier: MPL-2.0 */
#include "service.h"

#include <stdlib.h>

#include "broker.h"
#include "clock.h"
#include "gate.h"
#include "keyring.h"
#include "log.h"
#include "notify.h"

enum { STATUS_EVERY_MS = 2000 };

static void tell(struct broker *b)
{
    struct service *s = &b->service;
    char now[sizeof s->said];
    size_t workers = zhashx_size(b->peers.workers), nodes = zhashx_size(b->peers.nodes);
    snprintf(now, sizeof now, "%zu worker%s on %zu node%s, journal %s%s%s", workers, workers == 1 ? "" : "s",
             nodes, nodes == 1 ? "" : "s", b->journal_driver->name, s->refusal[0] ? "; reload refused: " : "",
             s->refusal);
    s->unsaid_ready = s->unsaid_ready && !notify_send("READY=1");
    if (strcmp(now, s->said) != 0 && notify_send("STATUS=%s", now)) {
        memcpy(s->said, now, sizeof now);
    }
}

static void tick(void *arg, struct timer *t)
{
    struct broker *b = arg;
    notify_send("WATCHDOG=1");
    tell(b);
    timers_set(&b->timers, t, b->now_ns + b->service.every_ns);
}

void service_begin(struct broker *b, const char *config_path)
{
    struct service *s = &b->service;
    int64_t watchdog_ns = notify_watchdog_ns();
    *s = (struct service){
        .config_path = config_path, .unsaid_ready = true, .every_ns = STATUS_EVERY_MS * CLOCK_MS};
    s->every_ns = watchdog_ns && watchdog_ns < s->every_ns ? watchdog_ns : s->every_ns;
    s->timer.fire = tick;
    if (getenv("NOTIFY_SOCKET")) {
        tick(b, &s->timer);
    }
}

void service_end(struct broker *b)
{
    timers_clear(&b->timers, &b->service.timer);
    notify_send("STOPPING=1");
}

void service_reload(struct broker *b)
{
    struct service *s = &b->service;
    struct config fresh = {0};
    struct err err = {0};
    notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long) (clock_ns() / CLOCK_US));
    struct keyring *keyring = NULL;
    int status = config_load(s->config_path, &fresh, &err);
    status = status ? status : gate_read(b, &keyring, &err);
    status = status ? status : config_take_over(&b->config, &fresh, &err);
    tenants_apply(&b->tenants, &b->config.quotas); /* before the old ones go */
    config_done(&fresh);
    if (status) {
        keyring_free(&keyring);
    }
    gate_take(b, &keyring);
    if (status) {
        log_error("reload_refused", "why=%s", log_quote(err.text));
        snprintf(s->refusal, sizeof s->refusal, "%s", err.text);
    } else {
        log_open("kiln-broker", (enum log_level) log_level_parse(b->config.log_level));
        log_info("reloaded", "log_level=%s queue_limit=%lld memory_mb=%lld", b->config.log_level,
                 (long long) b->config.queue_limit, (long long) b->config.memory_mb);
        s->refusal[0] = '\0';
    }
    s->unsaid_ready = true;
    tell(b);
}
