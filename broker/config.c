/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "curve.h"
#include "log.h"
#include "mem.h"

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
    {"frontend_mode", CONF_TEXT, AT(frontend_mode), 0, 0, "0660", NULL,
     "mode of the socket files of producers: who may connect can write"},
    {"backend_mode", CONF_TEXT, AT(backend_mode), 0, 0, "0600", NULL, "mode of the socket files of workers"},
    {"ipc_admins", CONF_TEXTS, AT(ipc_admins), 0, 0, "@broker", NULL,
     "users that may do what is for admins over ipc, beside root; @broker: who runs the broker"},
    {"key", CONF_TEXT, AT(key), 0, 0, "", NULL, "the broker's secret file, of kiln keygen; required for tcp"},
    {"keys", CONF_TEXT, AT(keys), 0, 0, "", NULL,
     "folder with producers/, workers/, admins/: who may come by tcp"},
    {"insecure_tcp", CONF_BOOL, AT(insecure_tcp), 0, 0, "false", NULL,
     "tcp without keys: open to whoever reaches it, and readable on the way"},
    {"handshake_ms", CONF_INT, AT(handshake_ms), 50, 600000, "5000", "ms",
     "a connection that has not finished its handshake by then is closed"},
    {"cpus", CONF_INTS, AT(cpus), 0, 1023, "", NULL, "processors to stay on"},
    {"quotas", CONF_OTHER, 0, 0, 0, "()", NULL, "what each key may have; see below", LIVE},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* ---- checks that a row cannot say ---- */

static int check_sides(const struct config *c, struct err *err)
{
    if (log_level_parse(c->log_level) < 0) {
        return err_set(err, KILN_INVALID, "log_level",
                       "broker.log_level is \"%s\", expected debug, info, warning or error", c->log_level);
    }
    if (c->frontend.n == 0 || c->backend.n == 0) {
        return err_set(err, KILN_INVALID, c->frontend.n ? "backend" : "frontend",
                       "broker.%s is empty, expected at least one endpoint",
                       c->frontend.n ? "backend" : "frontend");
    }
    if (c->lease_ms < 2 * c->beat_ms) {
        return err_set(err, KILN_INVALID, "lease_ms",
                       "broker.lease_ms is %lld, expected at least twice beat_ms (%lld)",
                       (long long) c->lease_ms, (long long) c->beat_ms);
    }
    return 0;
}

static int check_endpoints(const struct config *c, const struct conf_texts *endpoints, const char *name,
                           struct err *err)
{
    for (size_t i = 0; i < endpoints->n; i++) {
        if (conf_check_endpoint(endpoints->items[i], name, err)) {
            return KILN_INVALID;
        }
        if (curve_wanted(endpoints->items[i]) && !c->key[0] && !c->insecure_tcp) {
            return err_set(
                err, KILN_INVALID, "key",
                "%s is \"%.100s\", and broker.key names no key: tcp is for peers with keys (kiln help "
                "keygen); insecure_tcp = true would open it to everyone",
                name, endpoints->items[i]);
        }
    }
    return 0;
}

static int check_mode(const char *text, const char *name, struct err *err)
{
    size_t n = strlen(text);
    if (n < 3 || n > 4 || strspn(text, "01234567") != n || config_mode(text) > 0777) {
        return err_set(err, KILN_INVALID, name,
                       "broker.%s is \"%.20s\", expected three octal digits such as \"0660\"", name, text);
    }
    return 0;
}

static int check_keys(const struct config *c, struct err *err)
{
    if (!c->key[0] != !c->keys[0]) {
        return err_set(
            err, KILN_INVALID, c->key[0] ? "keys" : "key",
            "broker.%s is set and broker.%s is not, expected both: the broker's own key and the folder of "
            "those it trusts",
            c->key[0] ? "key" : "keys", c->key[0] ? "keys" : "key");
    }
    if (c->key[0] && c->insecure_tcp) {
        return err_set(err, KILN_INVALID, "insecure_tcp",
                       "broker.insecure_tcp is true and broker.key is set, expected one of them");
    }
    return 0;
}

static int check(const struct config *c, struct err *err)
{
    int status = check_sides(c, err);
    status = status ? status : check_keys(c, err);
    status = status ? status : check_mode(c->frontend_mode, "frontend_mode", err);
    status = status ? status : check_mode(c->backend_mode, "backend_mode", err);
    status = status ? status : check_endpoints(c, &c->frontend, "broker.frontend", err);
    return status ? status : check_endpoints(c, &c->backend, "broker.backend", err);
}

static int read_file(const char *path, struct config *made, struct err *err)
{
    config_t file;
    char *base = NULL;
    int status = conf_base(path, &base, err);
    if (status) {
        return status;
    }
    if (conf_open(&file, path, err)) {
        mem_free(base);
        return KILN_INVALID;
    }
    status = conf_check_groups(&file, path, err);
    status = status ? status : conf_read(config_lookup(&file, "broker"), "broker", rows, N_ROWS, made, err);
    if (!status && quotas_load(config_lookup(&file, "broker.quotas"), &made->quotas, err)) {
        conf_done(rows, N_ROWS, made);
        status = KILN_INVALID;
    }
    config_destroy(&file);
    if (!status && made->key[0]) {
        conf_absolute(&made->key, base);
    }
    if (!status && made->keys[0]) {
        conf_absolute(&made->keys, base);
    }
    mem_free(base);
    return status;
}

int config_load(const char *path, struct config *ret, struct err *err)
{
    struct config made = {0};
    int status = path ? read_file(path, &made, err) : conf_read(NULL, "broker", rows, N_ROWS, &made, err);
    if (status) {
        return status;
    }
    status = check(&made, err);
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

unsigned config_mode(const char *text)
{
    return (unsigned) strtoul(text, NULL, 8);
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
