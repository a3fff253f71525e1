/* SPDX-License-Identifier: MPL-2.0 */
#include "client_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "status.h"

/* The header's size bounds the items: each takes a byte at least. */
static const struct scan_limits header_limits = {.depth = 8, .items = 1 << 20};

/* ---- frames ---- */

static zmq_msg_t *part_frame(struct part *p)
{
    if (p->n == p->room) {
        size_t room = p->room ? 2 * p->room : 2;
        zmq_msg_t *frames = mem_alloc(room * sizeof *frames);
        for (size_t i = 0; i < p->n; i++) {
            zmq_msg_init(&frames[i]);
            zmq_msg_move(&frames[i], &p->frames[i]);
        }
        mem_free(p->frames);
        p->frames = frames;
        p->room = room;
    }
    zmq_msg_init(&p->frames[p->n]);
    return &p->frames[p->n++];
}

int part_recv(void *socket, struct part **ret_part)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() != EINTR) {
            return zmq_errno() == EAGAIN ? 0 : -1;
        }
    }
    struct part *p = mem_alloc(sizeof *p);
    for (;;) {
        /* A delimiter in front, and frames beyond what any answer has, are read and dropped. */
        bool more = zmq_msg_more(&frame);
        if (!(p->n == 0 && zmq_msg_size(&frame) == 0) && p->n <= KILN_CLIENT_MAX_JOBS) {
            zmq_msg_move(part_frame(p), &frame);
        }
        zmq_msg_close(&frame);
        if (!more) {
            break;
        }
        zmq_msg_init(&frame);
        while (zmq_msg_recv(&frame, socket, 0) < 0) { /* a message is there as a whole: this cannot wait */
            if (zmq_errno() != EINTR) {
                part_free(&p);
                return -1;
            }
        }
    }
    *ret_part = p;
    return 1;
}

void part_free(struct part **part)
{
    struct part *p = *part;
    if (p) {
        for (size_t i = 0; i < p->n; i++) {
            zmq_msg_close(&p->frames[i]);
        }
        mem_free(p->frames);
        mem_free(p->offsets);
        mem_free(p->texts);
        mem_free(p);
        *part = NULL;
    }
}

void part_result(const struct part *part, size_t k, struct kiln_outcome *o)
{
    if (o->status != KILN_OK) {
        return;
    }
    if (k < part->n_packed) {
        o->result = (const char *) zmq_msg_data(&part->frames[1]) + part->offsets[k];
        o->result_bytes = part->offsets[k + 1] - part->offsets[k];
        return;
    }
    if (part->offsets || k + 1 >= part->n) {
        o->status = KILN_INTERNAL;
        o->error = "the broker's answer has no payload for this job";
        return;
    }
    o->result = zmq_msg_data(&part->frames[k + 1]);
    o->result_bytes = zmq_msg_size(&part->frames[k + 1]);
}

/* ---- headers ---- */

/* A copy with a NUL behind it. The copies of all strings of a header fit into as many bytes as the header has, since
 * each string has a byte of its own in front there. */
static const char *keep_text(struct part *p, const struct token *t)
{
    char *to = p->texts + p->texts_used;
    memcpy(to, t->text, t->count);
    to[t->count] = '\0';
    p->texts_used += t->count + 1;
    return to;
}

static bool key_is(const struct token *key, const char *literal)
{
    return key->count == strlen(literal) && memcmp(key->text, literal, key->count) == 0;
}

/* The next pair of a map: its key, its value, and in *ret_inside what follows the value's head. */
static bool next_pair(struct scan *s, struct token *ret_key, struct token *ret_value, struct scan *ret_inside)
{
    struct scan at_key = *s;
    if (!scan_next(&at_key, ret_key) || !scan_skip(s)) { /* skipped as a whole: it might be a map */
        return false;
    }
    if (ret_key->type != SCAN_STR) { /* none of ours */
        ret_key->count = 0;
        ret_key->text = "";
    }
    *ret_inside = *s;
    return scan_skip(s) && scan_next(ret_inside, ret_value);
}

static void set_text(struct part *p, const struct token *v, const char **ret)
{
    if (v->type == SCAN_STR) {
        *ret = keep_text(p, v);
    }
}

static void set_i64(const struct token *v, int64_t *ret)
{
    if (v->type == SCAN_INT) {
        *ret = v->i;
    }
}

static void set_i32(const struct token *v, int32_t *ret)
{
    if (v->type == SCAN_INT && v->i >= 0 && v->i <= INT32_MAX) {
        *ret = (int32_t) v->i;
    }
}

static int32_t parse_state(const struct token *v)
{
    static const char *const states[] = {"none", "delayed", "queued", "running", "done", "unknown"};
    for (int32_t i = 1; v->type == SCAN_STR && i < (int32_t) (sizeof states / sizeof states[0]); i++) {
        if (key_is(v, states[i])) {
            return i;
        }
    }
    return KILN_STATE_NONE;
}

static void read_timing(struct scan *inside, uint32_t pairs, struct kiln_outcome *o)
{
    struct token key, value;
    struct scan skip;
    while (pairs-- && next_pair(inside, &key, &value, &skip)) {
        if (key_is(&key, "queue_us")) {
            set_i64(&value, &o->queue_us);
        } else if (key_is(&key, "decode_us")) {
            set_i64(&value, &o->decode_us);
        } else if (key_is(&key, "run_us")) {
            set_i64(&value, &o->run_us);
        } else if (key_is(&key, "encode_us")) {
            set_i64(&value, &o->encode_us);
        } else if (key_is(&key, "total_us")) {
            set_i64(&value, &o->total_us);
        }
    }
}

/* A member of a job, or of the whole when it speaks for its only job. */
static void read_member(struct part *p, const struct token *key, const struct token *v, struct scan *inside,
                        struct kiln_outcome *o)
{
    if (key_is(key, "status") && v->type == SCAN_STR) {
        int status = status_parse(v->text, v->count);
        o->status = status >= 0 ? status : KILN_INTERNAL;
    } else if (key_is(key, "state")) {
        o->state = parse_state(v);
    } else if (key_is(key, "error")) {
        set_text(p, v, &o->error);
    } else if (key_is(key, "field")) {
        set_text(p, v, &o->field);
    } else if (key_is(key, "worker")) {
        set_text(p, v, &o->worker);
    } else if (key_is(key, "plugin")) {
        set_text(p, v, &o->plugin);
    } else if (key_is(key, "id")) {
        set_text(p, v, &o->id);
        if (v->type == SCAN_INT && v->i >= 0) {
            o->index = (size_t) v->i;
        }
    } else if (key_is(key, "batch")) {
        set_i32(v, &o->batch);
    } else if (key_is(key, "attempt")) {
        set_i32(v, &o->attempt);
    } else if (key_is(key, "timing") && v->type == SCAN_MAP) {
        read_timing(inside, v->count, o);
    }
}

/* The sizes of packed payloads: as many as fit into the frame that is there; jobs beyond them have none. */
static void read_sizes(struct part *p, struct scan *inside, uint32_t n)
{
    if (p->offsets || p->n < 2) {
        return;
    }
    size_t left = zmq_msg_size(&p->frames[1]);
    struct token t;
    p->offsets = mem_alloc(((size_t) n + 1) * sizeof *p->offsets);
    while (p->n_packed < n && scan_next(inside, &t) && t.type == SCAN_INT && t.i >= 0 &&
           (uint64_t) t.i <= left) {
        size_t k = p->n_packed++;
        p->offsets[k + 1] = p->offsets[k] + (size_t) t.i;
        left -= (size_t) t.i;
    }
}

bool part_read(struct part *part, struct heading *ret_heading)
{
    struct heading h = {.op = ""};
    h.outcome = (struct kiln_outcome){.index = SIZE_MAX,
                                      .status = -1,
                                      .id = "",
                                      .error = "",
                                      .field = "",
                                      .worker = "",
                                      .plugin = "",
                                      .queue_us = -1,
                                      .decode_us = -1,
                                      .run_us = -1,
                                      .encode_us = -1,
                                      .total_us = -1};
    if (!part->n) {
        return false;
    }
    const void *data = zmq_msg_data(&part->frames[0]);
    size_t bytes = zmq_msg_size(&part->frames[0]);
    struct scan s = scan_over(data, bytes);
    struct token t;
    if (scan_check(data, bytes, &header_limits, NULL) != KILN_OK || !scan_next(&s, &t) ||
        t.type != SCAN_MAP) {
        return false;
    }
    part->texts = mem_alloc(bytes + 1);
    uint32_t pairs = t.count;
    struct token key, value;
    struct scan inside;
    while (pairs-- && next_pair(&s, &key, &value, &inside)) {
        if (key_is(&key, "op")) {
            set_text(part, &value, &h.op);
        } else if (key_is(&key, "rid")) {
            h.rid = value.type == SCAN_INT && value.i > 0 ? (uint64_t) value.i : 0;
        } else if (key_is(&key, "jobs") && value.type == SCAN_LIST) {
            h.listed = true;
            h.jobs = inside;
            h.n_jobs = value.count;
        } else if (key_is(&key, "sizes") && value.type == SCAN_LIST) {
            read_sizes(part, &inside, value.count);
        } else if (key_is(&key, "functions") && value.type == SCAN_LIST) {
            h.functions = inside;
            h.n_functions = value.count;
        } else {
            read_member(part, &key, &value, &inside, &h.outcome);
        }
    }
    *ret_heading = h;
    return true;
}

bool heading_job(struct part *part, struct heading *h, struct kiln_outcome *ret_outcome)
{
    struct token t;
    if (!h->n_jobs || !scan_next(&h->jobs, &t) || t.type != SCAN_MAP) {
        return false;
    }
    h->n_jobs--;
    struct kiln_outcome o = h->outcome;
    struct token key, value;
    struct scan inside;
    for (uint32_t pairs = t.count; pairs && next_pair(&h->jobs, &key, &value, &inside); pairs--) {
        read_member(part, &key, &value, &inside, &o);
    }
    *ret_outcome = o;
    return true;
}

bool heading_name(struct part *part, struct heading *h, const char **ret_name)
{
    struct token t;
    if (!h->n_functions || !scan_next(&h->functions, &t) || t.type != SCAN_STR) {
        return false;
    }
    h->n_functions--;
    *ret_name = keep_text(part, &t);
    return true;
}

/* ---- answers ---- */

struct answer *answer_new(uint64_t request)
{
    struct answer *a = mem_alloc(sizeof *a);
    a->shown.request = request;
    return a;
}

void answer_free(struct answer **answer)
{
    struct answer *a = *answer;
    if (a) {
        while (a->parts) {
            struct part *p = a->parts;
            a->parts = p->next;
            part_free(&p);
        }
        mem_free(a->rows);
        mem_free(a);
        *answer = NULL;
    }
}

void answer_add(struct answer *a, const struct kiln_outcome *o)
{
    if (a->shown.count == a->room) {
        a->room = a->room ? 2 * a->room : 1;
        a->rows = mem_grow(a->rows, a->room * sizeof *a->rows);
        a->shown.outcomes = a->rows;
    }
    a->rows[a->shown.count++] = *o;
}

void answer_keep(struct answer *a, struct part **part)
{
    (*part)->next = a->parts;
    a->parts = *part;
    *part = NULL;
}

static int by_index(const void *a, const void *b)
{
    size_t x = ((const struct kiln_outcome *) a)->index, y = ((const struct kiln_outcome *) b)->index;
    return (x > y) - (x < y);
}

void answer_sort(struct answer *a)
{
    bool sorted = true;
    for (size_t i = 1; i < a->shown.count && sorted; i++) {
        sorted = a->rows[i - 1].index < a->rows[i].index;
    }
    if (!sorted) {
        qsort(a->rows, a->shown.count, sizeof *a->rows, by_index);
    }
}
