/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <stddef.h>

#include "log.h"

#define AT(member) offsetof(struct config, member)
#define LIVE       true /* a reload may change it */

static const struct conf_row rows[] = {
    {"frontend", CONF_TEXTS, AT(frontend), 0, 0, "ipc:///run/kiln/kiln.sock", NULL,
     "endpoints for producers"},
    {"backend", CONF_TEXTS, AT(backend), 0, 0, "ipc:///run/kiln/work.sock", NULL, "endpoints for workers"},
    {"log_level", CONF_TEXT, AT(log_level), 0, 0, "info", NULL, "debug, info, warning or error", LIVE},
    {"queue_limit", CONF_INT, AT(queue_limit), 1, 10000000, "10000", "jobs",
     "waiting jobs of one function; more are answered busy", LIVE},
    {"memory_mb", CONF_INT, AT(memory_mb), 1, 1 << 20, "1024", "MiB",
     "payloads of all waiting jobs; more are answered busy", LIVE},
    {"results_mb", CONF_INT, AT(results_mb), 0, 1 << 20, "256", "MiB", "kept results; the oldest go first",
     LIVE},
    {"max_bytes", CONF_INT, AT(max_bytes), 1024, INT64_C(1) << 31, "67108864", "bytes", "largest payload"},
    {"out_hwm", CONF_INT, AT(out_hwm), 1, 1000000, "10000", "messages",
     "answers waiting for a producer that does not read; more are dropped"},
    {"beat_ms", CONF_INT, AT(beat_ms), 10, 60000, "1000", "ms", "interval of heartbeats"},
    {"lease_ms", CONF_INT, AT(lease_ms), 30, 600000, "3000", "ms", "a node silent this long is dead"},
    {"settle_ms", CONF_INT, AT(settle_ms), 0, 600000, "5000", "ms",
     "after a start, jobs of functions not announced yet wait this long"},
    {"ahead_us", CONF_INT, AT(ahead_us), 0, 10000000, "2000", "us",
     "expected work a busy worker is given ahead; longer jobs go to idle workers only", LIVE},
    {"batch_jobs", CONF_INT, AT(batch_jobs), 1, 4096, "256", "jobs", "most jobs in one message to a worker",
     LIVE},
    {"cpus", CONF_INTS, AT(cpus), 0, 1023, "", NULL, "processors to stay on"},
    {"quotas", CONF_OTHER, 0, 0, 0, "()", NULL, "what each key may have; see below", LIVE},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

int config_load(const char *path, struct config *ret, struct err *err)
{
    config_t file;
    struct config made = {0};
    if (!path) {
        if (conf_read(NULL, "broker", rows, N_ROWS, &made, err)) {
            return KILN_INVALID;
        }
    } else {
        if (conf_open(&file, path, err)) {
            return KILN_INVALID;
        }
        int status = conf_check_groups(&file, path, err);
        status =
            status ? status : conf_read(config_lookup(&file, "broker"), "broker", rows, N_ROWS, &made, err);
        if (!status && quotas_load(config_lookup(&file, "broker.quotas"), &made.quotas, err)) {
            conf_done(rows, N_ROWS, &made);
            status = KILN_INVALID;
        }
        config_destroy(&file);
        if (status) {
            return status;
        }
    }
    int status = 0;
    if (log_level_parse(made.log_level) < 0) {
        status =
            err_set(err, KILN_INVALID, "log_level",
                    "broker.log_level is \"%s\", expected debug, info, warning or error", made.log_level);
    } else if (made.frontend.n == 0 || made.backend.n == 0) {
        status = err_set(err, KILN_INVALID, made.frontend.n ? "backend" : "frontend",
                         "broker.%s is empty, expected at least one endpoint",
                         made.frontend.n ? "backend" : "frontend");
    } else if (made.lease_ms < 2 * made.beat_ms) {
        status = err_set(err, KILN_INVALID, "lease_ms",
                         "broker.lease_ms is %lld, expected at least twice beat_ms (%lld)",
                         (long long) made.lease_ms, (long long) made.beat_ms);
    }
    for (size_t i = 0; !status && i < made.frontend.n; i++) {
        status = conf_check_endpoint(made.frontend.items[i], "broker.frontend", err);
    }
    for (size_t i = 0; !status && i < made.backend.n; i++) {
        status = conf_check_endpoint(made.backend.items[i], "broker.backend", err);
    }
    if (status) {
        config_done(&made);
        return status;
    }
    *ret = made;
    return 0;
}

int config_take_over(struct config *c, struct config *fresh, struct err *err)
{
    int status = conf_take_over("broker", rows, N_ROWS, c, fresh, err);
    if (!status) {
        struct quotas old = c->quotas;
        c->quotas = fresh->quotas;
        fresh->quotas = old;
    }
    return status;
}

void config_done(struct config *c)
{
    conf_done(rows, N_ROWS, c);
    quotas_done(&c->quotas);
}

void config_help(FILE *out)
{
    conf_help(out, "broker", rows, N_ROWS);
    quotas_help(out);
}
