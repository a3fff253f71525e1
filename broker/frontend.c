/* SPDX-License-Identifier: MPL-2.0 */
#include "frontend.h"

#include <kiln/version.h>

#include "clock.h"
#include "errand.h"
#include "mem.h"
#include "outbox.h"
#include "stats.h"
#include "status.h"

struct buf *answer_begin(struct broker *b, const struct ask *a, const char *op, uint32_t pairs)
{
    struct buf *out = &b->out;
    buf_clear(out);
    buf_put_map(out, pairs + 1 + (a->rid.size != 0));
    buf_put_str_const(out, "op");
    buf_put_text(out, op);
    if (a->rid.size) {
        buf_put_str_const(out, "rid");
        buf_id(out, &a->rid);
    }
    return out;
}

void answer_send(struct broker *b, const struct ask *a, size_t n)
{
    outbox_producer(b, &a->route, &b->out, b->parts, n);
}

static void answer_error(struct broker *b, const struct ask *a, const struct err *err)
{
    b->counters.messages_bad++;
    struct buf *out = answer_begin(b, a, "error", 2u + (err->field[0] != '\0'));
    buf_put_str_const(out, "status");
    buf_put_text(out, status_name(err->status));
    buf_put_str_const(out, "error");
    buf_put_text(out, err->text);
    if (err->field[0]) {
        buf_put_str_const(out, "field");
        buf_put_text(out, err->field);
    }
    answer_send(b, a, 0);
}

static int ping(struct broker *b, struct ask *a, struct err *err)
{
    (void) err;
    struct buf *out = answer_begin(b, a, "pong", 5);
    buf_put_str_const(out, "version");
    buf_put_str_const(out, KILN_VERSION);
    buf_put_str_const(out, "protocol");
    buf_put_u64(out, KILN_PROTOCOL);
    buf_put_str_const(out, "epoch");
    buf_put_u64(out, b->epoch);
    buf_put_str_const(out, "uptime_ms");
    buf_put_u64(out, (uint64_t) ((b->now_ns - b->started_ns) / CLOCK_MS));
    buf_put_str_const(out, "journal");
    buf_put_text(out, b->journal_driver->name);
    answer_send(b, a, 0);
    return 0;
}

static void put_contract(zmq_msg_t *part, struct function *f)
{
    if (f->described) {
        zmq_msg_init(part);
        zmq_msg_copy(part, &f->contract);
    } else {
        outbox_nil(part);
    }
}

static int describe(struct broker *b, struct ask *a, struct err *err)
{
    const char *name = NULL;
    size_t bytes = 0, n = 0;
    if (header_text(a->map, "fn", CATALOGUE_NAME_BYTES, &name, &bytes, err)) {
        return KILN_INVALID;
    }
    struct function *one = name ? catalogue_find(&b->catalogue, name, bytes) : NULL;
    if (name && (!one || !one->announced)) {
        return err_set(err, KILN_UNKNOWN_FUNCTION, "fn", "no plugin offers the function \"%.*s\"",
                       (int) bytes, name);
    }
    struct function **all = one ? mem_alloc(sizeof(struct function *)) : catalogue_sorted(&b->catalogue, &n);
    if (one) {
        all[n++] = one;
    }
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        if (all[i]->announced) {
            all[known++] = all[i];
        }
    }
    zmq_msg_t *parts = outbox_parts(b, known);
    struct buf *out = answer_begin(b, a, "describe", 2);
    buf_put_str_const(out, "status");
    buf_put_str_const(out, "ok");
    buf_put_str_const(out, "functions");
    buf_put_list(out, known);
    for (size_t i = 0; i < known; i++) {
        buf_put_text(out, all[i]->name);
        put_contract(&parts[i], all[i]);
    }
    mem_free(all);
    answer_send(b, a, known);
    return 0;
}

static int stats(struct broker *b, struct ask *a, struct err *err)
{
    (void) err;
    struct buf made = {0};
    stats_put(b, &made);
    zmq_msg_t *parts = outbox_parts(b, 1);
    zmq_msg_init_size(&parts[0], made.bytes);
    memcpy(zmq_msg_data(&parts[0]), made.data, made.bytes);
    buf_done(&made);
    struct buf *out = answer_begin(b, a, "stats", 1);
    buf_put_str_const(out, "status");
    buf_put_str_const(out, "ok");
    answer_send(b, a, 1);
    return 0;
}

static int call(struct broker *b, struct ask *a, struct err *err)
{
    return frontend_jobs(b, a, false, err);
}

static int submit(struct broker *b, struct ask *a, struct err *err)
{
    return frontend_jobs(b, a, true, err);
}

static int reload(struct broker *b, struct ask *a, struct err *err)
{
    return errand_start(b, a, "reload", err);
}

static int rollback(struct broker *b, struct ask *a, struct err *err)
{
    return errand_start(b, a, "rollback", err);
}

/* An operation that does not say whose it is is for admins only; they may do all the rest as well. */
enum whose { FOR_ADMINS, FOR_PRODUCERS };

static const struct op {
    const char *name;
    int (*answer)(struct broker *b, struct ask *a, struct err *err);
    enum whose whose;
} ops[] = {
    {"call", call, FOR_PRODUCERS},
    {"submit", submit, FOR_PRODUCERS},
    {"result", frontend_result, FOR_PRODUCERS},
    {"status", frontend_status, FOR_PRODUCERS},
    {"cancel", frontend_cancel, FOR_PRODUCERS},
    {"forget", frontend_forget, FOR_PRODUCERS},
    {"describe", describe, FOR_PRODUCERS},
    {"stats", stats, FOR_PRODUCERS},
    {"ping", ping, FOR_PRODUCERS},
    {"keys", frontend_keys, FOR_ADMINS},
    {"pause", frontend_pause, FOR_ADMINS},
    {"resume", frontend_resume, FOR_ADMINS},
    {"drain", frontend_drain, FOR_ADMINS},
    {"reload", reload, FOR_ADMINS},
    {"rollback", rollback, FOR_ADMINS},
};

/* "call, submit, ..." */
static const char *op_names(void)
{
    static char names[400];
    for (size_t i = 0, at = 0; i < sizeof ops / sizeof ops[0]; i++) {
        at += (size_t) snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", ops[i].name);
    }
    return names;
}

/* Who speaks matters where keys are used, and to what only admins may ask. */
static int check_speaker(struct broker *b, struct ask *a, const struct op *op, struct err *err)
{
    if (!b->gate.keyring && op->whose == FOR_PRODUCERS) {
        return 0;
    }
    struct speaker s;
    gate_speaker(b, &a->frames->header, &s);
    a->user = s.user;
    if (!gate_check(&s, op->whose == FOR_PRODUCERS ? GATE_ROLES_FRONT : ROLE_ADMIN, op->name, err)) {
        return 0;
    }
    b->counters.messages_denied++;
    return KILN_DENIED;
}

static int answer(struct broker *b, struct ask *a, struct err *err)
{
    const char *name = NULL;
    size_t bytes = 0;
    if (header_decode(&b->header, &a->frames->header, err)) {
        return err->status;
    }
    a->map = &b->header.map;
    if (header_id(a->map, "rid", &a->rid, err) || header_text(a->map, "op", 40, &name, &bytes, err)) {
        return KILN_INVALID;
    }
    if (!name) {
        return err_set(err, KILN_INVALID, "op", "op is missing, expected one of %s", op_names());
    }
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (text_is(name, bytes, ops[i].name)) {
            int denied = check_speaker(b, a, &ops[i], err);
            return denied ? denied : ops[i].answer(b, a, err);
        }
    }
    return err_set(err, KILN_UNKNOWN_OP, "op", "op is \"%.*s\", expected one of %s", (int) bytes, name,
                   op_names());
}

bool frontend_take(struct broker *b)
{
    if (frames_recv(&b->frames, b->front, true) != 1) {
        return false;
    }
    b->now_ns = clock_ns();
    b->counters.messages_in++;
    struct ask a;
    a.frames = &b->frames;
    a.rid.size = 0;
    a.user = "";
    route_from(&a.route, &b->frames);
    struct err err = {0};
    if (answer(b, &a, &err)) {
        answer_error(b, &a, &err);
    }
    return true;
}
