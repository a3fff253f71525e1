/* SPDX-License-Identifier: MPL-2.0 */
#include "shadow.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include <kiln/plugin.h>

#include "channel.h"
#include "clock.h"
#include "compare.h"
#include "log.h"
#include "scan.h"
#include "stall.h"
#include "status.h"

/* What the message says of one copy: how the serving generation's worker ended the job. */
struct was {
    int status;
    uint64_t run_ns, batch;
};

void shadow_init(struct shadow *s, struct engine *engine, struct slot *slot, int64_t run_limit_ns,
                 bool impure)
{
    *s = (struct shadow){.engine = engine, .slot = slot, .run_limit_ns = run_limit_ns, .impure = impure};
}

bool shadow_runs(const struct engine *e, size_t fn, bool impure)
{
    return impure || (engine_function_flags(e, fn) & KILN_PURE);
}

size_t shadow_eligible(const struct engine *e, bool impure)
{
    size_t n = 0;
    for (size_t i = 0; i < engine_functions(e); i++) {
        n += shadow_runs(e, i, impure);
    }
    return n;
}

/* ---- the scoreboard: a copy that hangs is seen like any job ---- */

static void enter(void *arg, size_t first, size_t count)
{
    static const uint64_t no_tokens[SHADOW_WINDOW];
    struct shadow *s = arg;
    (void) first;
    scoreboard_enter(s->slot, no_tokens, count, clock_ns(), s->run_limit_ns);
}

static void leave(void *arg, size_t first, size_t count)
{
    struct shadow *s = arg;
    (void) first;
    (void) count;
    scoreboard_leave(s->slot);
}

static int cancelled(void *arg, size_t index)
{
    const struct shadow *s = arg;
    (void) index;
    return atomic_load_explicit(&s->slot->cancelled, memory_order_relaxed) != 0;
}

/* ---- telling ---- */

/* Nobody waits for a shadow: when the supervisor is slow it waits too. */
static bool tell(const struct note *n)
{
    while (!channel_send(CHANNEL_FD, n)) {
        struct pollfd p = {.fd = CHANNEL_FD, .events = POLLOUT};
        if (errno != EAGAIN || poll(&p, 1, -1) < 0 || (p.revents & (POLLHUP | POLLERR))) {
            return false;
        }
    }
    return true;
}

/* ---- comparing ---- */

static void judge(const struct shadow *s, size_t fn, const struct was *was, const struct payload *answer,
                  const struct engine_job *job, struct note *n)
{
    static const struct scan_limits limits = {.depth = 24, .items = 1u << 28};
    struct compare how = {.strict = true};
    struct err err = {0};
    engine_function_tolerance(s->engine, fn, &how.rtol, &how.atol);
    if (was->status != job->status) {
        n->differs = true;
        snprintf(n->text, sizeof n->text, "the job ends %s%s%.300s, expected %s", status_name(job->status),
                 job->error[0] ? ": " : "", job->error, status_name(was->status));
    } else if (was->status == KILN_OK &&
               (scan_check(answer->data, answer->bytes, &limits, &err) ||
                compare_results(&how, answer->data, answer->bytes, job->result, job->result_bytes, &err))) {
        n->differs = true;
        snprintf(n->text, sizeof n->text, "%s", err.text);
    }
}

static bool report(const struct shadow *s, size_t fn, const struct was *was, const struct payload *answer,
                   const struct engine_job *job, int64_t stalled_ns)
{
    struct note n = {.kind = CHANNEL_COMPARED};
    snprintf(n.function, sizeof n.function, "%s.%s", engine_name(s->engine),
             engine_function_name(s->engine, fn));
    judge(s, fn, was, answer, job, &n);
    /* What was computed together with many is not beside what was computed alone. */
    n.timed = was->run_ns > 0 && was->batch && job->run_ns > 0 && job->batch * 2 >= was->batch &&
              job->batch <= was->batch * 2;
    if (n.timed) {
        int64_t run_ns = job->run_ns > stalled_ns ? job->run_ns - stalled_ns : 0;
        n.was_ns = (int64_t) (was->run_ns / was->batch);
        n.run_ns = run_ns / job->batch;
    }
    return tell(&n);
}

/* ---- the message ---- */

static int read_was(const msgpack_object *o, struct was *ret, struct err *err)
{
    const char *name = "";
    size_t bytes = 0;
    struct was w = {.batch = 1};
    if (o->type != MSGPACK_OBJECT_MAP) {
        return err_set(err, KILN_INVALID, "jobs", "jobs holds something that is not a map");
    }
    if (header_text(&o->via.map, "status", 40, &name, &bytes, err) ||
        header_uint(&o->via.map, "run_ns", 0, UINT64_C(1) << 60, &w.run_ns, err) ||
        header_uint(&o->via.map, "batch", 1, 1 << 20, &w.batch, err)) {
        return KILN_INVALID;
    }
    w.status = status_parse(name, bytes);
    *ret = w;
    return w.status < 0
               ? err_set(err, KILN_INVALID, "status", "status is \"%.*s\", which is none", (int) bytes, name)
               : 0;
}

/* A function this generation does not have any more: every job of it is a difference. */
static bool report_missing(const char *name, size_t bytes, size_t n)
{
    struct note note = {.kind = CHANNEL_COMPARED, .differs = true};
    snprintf(note.function, sizeof note.function, "%.*s", (int) bytes, name);
    snprintf(note.text, sizeof note.text, "the new generation has no such function");
    bool told = true;
    for (size_t i = 0; i < n && told; i++) {
        told = tell(&note);
    }
    return told;
}

static bool run(struct shadow *s, size_t fn, const struct was *was, const struct payload *parts, size_t n)
{
    const struct engine_watch watch = {.enter = enter, .leave = leave, .cancelled = cancelled, .arg = s};
    size_t most = engine_function_max_batch(s->engine, fn);
    bool told = true;
    for (size_t at = 0; at < n && told && !engine_damaged(s->engine); at += most) {
        size_t count = n - at < most ? n - at : most;
        for (size_t i = 0; i < count; i++) {
            s->jobs[i].payload = parts[2 * (at + i)].data;
            s->jobs[i].payload_bytes = parts[2 * (at + i)].bytes;
        }
        int64_t stalled_ns = stall_ns();
        engine_run(s->engine, fn, s->jobs, count, false, &watch);
        stalled_ns = stall_ns() - stalled_ns;
        for (size_t i = 0; i < count && told; i++) {
            told = report(s, fn, &was[at + i], &parts[2 * (at + i) + 1], &s->jobs[i], stalled_ns);
        }
        scoreboard_settle(s->slot); /* what was reported is told */
    }
    return told;
}

bool shadow_run(struct shadow *s, struct worker_link *link)
{
    const msgpack_object_map *m = &link->header.map;
    const msgpack_object_array *list = NULL;
    struct was was[SHADOW_WINDOW];
    struct err err = {0};
    const char *fn = "", *plugin = engine_name(s->engine);
    size_t bytes = 0, n_plugin = strlen(plugin);
    if (header_text(m, "fn", 256, &fn, &bytes, &err) || header_list(m, "jobs", SHADOW_WINDOW, &list, &err) ||
        !list) {
        log_error("shadow_invalid", "why=%s", log_quote(err.text));
        return true;
    }
    int index = bytes > n_plugin + 1 && memcmp(fn, plugin, n_plugin) == 0 && fn[n_plugin] == '.'
                    ? engine_find(s->engine, fn + n_plugin + 1, bytes - n_plugin - 1)
                    : -1;
    for (uint32_t i = 0; i < list->size; i++) {
        if (read_was(&list->ptr[i], &was[i], &err)) {
            log_error("shadow_invalid", "why=%s", log_quote(err.text));
            return true;
        }
    }
    if (index < 0) {
        return report_missing(fn, bytes, list->size);
    }
    return !shadow_runs(s->engine, (size_t) index, s->impure) ||
           run(s, (size_t) index, was, link->payloads, list->size);
}
