/* SPDX-License-Identifier: MPL-2.0 */
#include "stats.h"

#include <stdio.h>
#include <unistd.h>

#include <kiln/version.h>

#include "clock.h"
#include "mem.h"
#include "status.h"

static void put_text(struct buf *out, const char *key, const char *value)
{
    buf_put_text(out, key);
    buf_put_text(out, value ? value : "");
}

static void put_uint(struct buf *out, const char *key, uint64_t value)
{
    buf_put_text(out, key);
    buf_put_u64(out, value);
}

static uint64_t resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        if (fscanf(f, "%*u %llu", &pages) != 1) {
            pages = 0;
        }
        fclose(f);
    }
    return pages * (uint64_t) sysconf(_SC_PAGESIZE);
}

static void put_broker(struct broker *b, struct buf *out)
{
    buf_put_map(out, 11);
    put_text(out, "version", KILN_VERSION);
    put_uint(out, "pid", (uint64_t) getpid());
    put_uint(out, "uptime_ms", (uint64_t) ((b->now_ns - b->started_ns) / CLOCK_MS));
    put_uint(out, "epoch", b->epoch);
    put_text(out, "journal", b->journal_driver->name);
    put_uint(out, "rss_bytes", resident_bytes());
    put_uint(out, "memory_bytes", b->memory_bytes);
    put_uint(out, "results_bytes", b->results.bytes);
    put_uint(out, "jobs_known", zhashx_size(b->results.by_id));
    put_uint(out, "leases_open", b->leases.open);
    buf_put_str_const(out, "counters");
    size_t at = buf_open_map(out), n = 0;
#define X(name, help)                                                                                        \
    put_uint(out, #name, b->counters.name);                                                                  \
    n++;
#include "counters.def"
#undef X
    buf_close(out, at, n);
}

static void put_histogram(struct buf *out, const char *key, const struct histogram *h)
{
    static const struct {
        const char *name;
        double q;
    } points[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}};
    buf_put_text(out, key);
    buf_put_map(out, 3);
    for (size_t i = 0; i < 3; i++) {
        buf_put_text(out, points[i].name);
        buf_put_f64(out, histogram_quantile(h, points[i].q) / 1e3);
    }
}

static void put_function(struct buf *out, const struct function *f)
{
    static const struct function_times none;
    const struct function_stats *s = &f->stats;
    const struct function_times *times = s->times ? s->times : &none;
    uint64_t count = times->total.count, ok = s->statuses[KILN_OK];
    buf_put_map(out, 17);
    put_text(out, "name", f->name);
    put_text(out, "state", f->paused ? "paused" : "run");
    put_text(out, "plugin", f->plugin);
    put_uint(out, "workers", f->n_workers);
    put_uint(out, "queued", f->queue.count);
    put_uint(out, "delayed", f->delayed);
    put_uint(out, "running", f->running);
    put_uint(out, "count", count);
    put_uint(out, "ok", ok);
    put_uint(out, "errors", count - ok);
    put_uint(out, "retries", s->retries);
    put_uint(out, "crashes", s->crashes);
    buf_put_str_const(out, "batch_mean");
    buf_put_f64(out, s->batches > 0 ? (double) s->batched / s->batches : 0);
    put_histogram(out, "queue", &times->queue);
    put_histogram(out, "run", &times->run);
    put_histogram(out, "total", &times->total);
    buf_put_str_const(out, "statuses");
    size_t at = buf_open_map(out), n = 0;
    for (int i = 0; i < KILN_STATUS_COUNT; i++) {
        if (s->statuses[i]) {
            put_uint(out, status_name(i), s->statuses[i]);
            n++;
        }
    }
    buf_close(out, at, n);
}

/* Those with most jobs: names are the producers', and there may be thousands. */
static void put_keys(struct broker *b, struct buf *out)
{
    enum { KEYS_SHOWN = 100 };
    size_t n;
    struct tenant **all = tenants_sorted(&b->tenants, &n);
    n = n < KEYS_SHOWN ? n : KEYS_SHOWN;
    buf_put_str_const(out, "keys");
    buf_put_list(out, n);
    for (size_t i = 0; i < n; i++) {
        buf_put_map(out, 6);
        put_text(out, "key", all[i]->name);
        put_uint(out, "jobs", all[i]->jobs);
        put_uint(out, "bytes", all[i]->bytes);
        put_uint(out, "taken", all[i]->taken);
        put_uint(out, "refused", all[i]->refused);
        put_uint(out, "weight", (uint64_t) tenant_weight(all[i]));
    }
    mem_free(all);
}

/* What takes nothing new, and whether it still has something. */
static const char *quiet_state(bool quiet, uint64_t running)
{
    return !quiet ? "ready" : running ? "draining" : "drained";
}

static uint64_t silent_ms(const struct broker *b, int64_t heard_ns)
{
    return (uint64_t) ((b->now_ns - heard_ns) / CLOCK_MS);
}

static void put_worker(const struct broker *b, struct buf *out, const struct worker *w)
{
    buf_put_map(out, 14);
    put_text(out, "wid", w->wid);
    put_text(out, "node", w->node_name);
    put_uint(out, "pid", w->pid);
    put_text(out, "host", w->host);
    put_text(out, "plugin", w->plugin);
    put_text(out, "version", w->version);
    put_text(out, "build", w->build);
    put_uint(out, "generation", w->generation);
    put_text(out, "state",
             w->quiet                    ? quiet_state(w->quiet, w->running)
             : w->trial == WORKER_SHADOW ? "shadow"
             : w->trial == WORKER_CANARY ? "canary"
                                         : "ready");
    put_uint(out, "free", w->credit > w->delivered ? w->credit - w->delivered : 0);
    put_uint(out, "silent_ms", silent_ms(b, w->heard_ns));
    put_uint(out, "running", w->running);
    put_uint(out, "done", w->done);
    buf_put_str_const(out, "report");
    if (w->reported) {
        zmq_msg_t *report = (zmq_msg_t *) (uintptr_t) &w->report;
        buf_put_raw(out, zmq_msg_data(report), zmq_msg_size(report));
    } else {
        buf_put_nil(out);
    }
}

static void put_node(struct broker *b, struct buf *out, const struct node *n)
{
    uint64_t workers = 0, running = 0, free_slots = 0;
    for (const struct worker *w = zhashx_first(b->peers.workers); w; w = zhashx_next(b->peers.workers)) {
        if (w->node == n) {
            workers++;
            running += w->running;
            free_slots += w->credit > w->delivered ? w->credit - w->delivered : 0;
        }
    }
    buf_put_map(out, 9);
    put_text(out, "state", quiet_state(n->quiet, running));
    put_uint(out, "workers", workers);
    put_uint(out, "running", running);
    put_uint(out, "free", free_slots);
    put_uint(out, "silent_ms", silent_ms(b, n->heard_ns));
    put_text(out, "wid", n->wid);
    put_text(out, "host", n->host);
    put_uint(out, "pid", n->pid);
    buf_put_str_const(out, "plugins");
    if (n->plugins.bytes) {
        buf_put_raw(out, n->plugins.data, n->plugins.bytes);
    } else {
        buf_put_list(out, 0);
    }
}

void stats_put(struct broker *b, struct buf *out)
{
    buf_put_map(out, 5);
    buf_put_str_const(out, "broker");
    put_broker(b, out);
    buf_put_str_const(out, "functions");
    size_t n;
    struct function **all = catalogue_sorted(&b->catalogue, &n);
    buf_put_list(out, n);
    for (size_t i = 0; i < n; i++) {
        put_function(out, all[i]);
    }
    mem_free(all);
    put_keys(b, out);
    buf_put_str_const(out, "workers");
    buf_put_list(out, zhashx_size(b->peers.workers));
    for (struct worker *w = zhashx_first(b->peers.workers); w; w = zhashx_next(b->peers.workers)) {
        put_worker(b, out, w);
    }
    buf_put_str_const(out, "nodes");
    buf_put_list(out, zhashx_size(b->peers.nodes));
    for (struct node *node = zhashx_first(b->peers.nodes); node; node = zhashx_next(b->peers.nodes)) {
        put_node(b, out, node);
    }
}
