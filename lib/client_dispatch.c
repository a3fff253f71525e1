/* SPDX-License-Identifier: MPL-2.0 */
/* Messages into outcomes: the second half of client_pending. */
#include "client_pending.h"

#include <string.h>

#include "mem.h"
#include "status.h"

/* Hands what an entry has gathered to the inbox, unless someone waits for all of it; ends the entry when it is complete. */
static void entry_settle(struct pending *p, struct entry *e)
{
    e->done = e->left == 0;
    if (e->waited) {
        return;
    }
    if (e->answer) {
        e->answer->shown.complete = e->done;
        *(p->first ? &p->last->next : &p->first) = e->answer;
        p->last = e->answer;
        e->answer = NULL;
    }
    if (e->done) {
        pending_remove(p, &e);
    }
}

static void entry_outcome(struct pending *p, struct entry *e, struct kiln_outcome *o)
{
    if (!e->answer) {
        e->answer = answer_new(e->rid);
    }
    bool failed = o->status != KILN_OK && o->status != KILN_ACCEPTED && o->status != KILN_DUPLICATE;
    if (failed && !*o->error) {
        o->error = status_sentence(o->status);
    }
    answer_add(e->answer, o);
    if (!e->seen[o->index]) {
        e->seen[o->index] = true;
        e->left--;
        p->jobs--;
    }
}

/* The same outcome for every job that has none. */
static void entry_fill(struct pending *p, struct entry *e, const struct kiln_outcome *same)
{
    for (size_t i = 0; i < e->n; i++) {
        if (!e->seen[i]) {
            struct kiln_outcome o = *same;
            o.index = i;
            o.id = "";
            if (e->ids) { /* the entry's copy goes with the entry, so the answer must hold its own */
                struct part *text = mem_alloc(sizeof *text);
                o.id = text->texts = mem_text(e->ids[i]);
                e->answer = e->answer ? e->answer : answer_new(e->rid);
                answer_keep(e->answer, &text);
            }
            entry_outcome(p, e, &o);
        }
    }
    entry_settle(p, e);
}

void pending_lose(struct pending *p, struct entry *e)
{
    entry_fill(p, e,
               &(struct kiln_outcome){.status = KILN_LOST,
                                      .id = "",
                                      .error = "",
                                      .field = "",
                                      .worker = "",
                                      .plugin = "",
                                      .queue_us = -1,
                                      .decode_us = -1,
                                      .run_us = -1,
                                      .encode_us = -1,
                                      .total_us = -1});
}

/* Which job of the request an outcome belongs to, or SIZE_MAX. `at` is its place in the answer. */
static size_t entry_index(const struct entry *e, const struct kiln_outcome *o, size_t at)
{
    if (!e->ids) {
        return e->n == 1 ? 0 : o->index < e->n ? o->index : SIZE_MAX;
    }
    if (at < e->n && strcmp(e->ids[at], o->id) == 0) { /* in the order asked, as a rule */
        return at;
    }
    for (size_t i = 0; i < e->n; i++) {
        if (!e->seen[i] && strcmp(e->ids[i], o->id) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* A status the broker left out follows from the rest. */
static void settle_status(struct entry *e, struct kiln_outcome *o)
{
    if (o->status >= 0) {
        return;
    }
    if (o->state != KILN_STATE_NONE) {
        o->status = o->state == KILN_STATE_UNKNOWN ? KILN_UNKNOWN_JOB
                    : o->state == KILN_STATE_DONE  ? KILN_OK
                                                   : KILN_ACCEPTED;
    } else if (e->op >= REQUEST_DESCRIBE) {
        o->status = KILN_OK;
    } else {
        o->status = KILN_INTERNAL;
        o->error = "the broker's answer has no status for this job";
    }
}

static void read_jobs(struct pending *p, struct entry *e, struct part *part, struct heading *h)
{
    struct kiln_outcome o = h->outcome;
    for (size_t k = 0; h->listed ? heading_job(part, h, &o) : k < 1; k++) {
        size_t index = entry_index(e, &o, k);
        if (index == SIZE_MAX || e->seen[index]) {
            continue;
        }
        o.index = index;
        settle_status(e, &o);
        if (request_has_payloads(e->op)) {
            part_result(part, k, &o);
        }
        entry_outcome(p, e, &o);
    }
}

/* describe, stats, ping and the operator's: the whole message is the answer. */
static void read_document(struct pending *p, struct entry *e, struct part *part, struct heading *h)
{
    struct kiln_outcome whole = h->outcome;
    whole.index = 0;
    whole.id = "";
    settle_status(e, &whole);
    if (e->op == REQUEST_DESCRIBE && whole.status == KILN_OK) {
        e->answer = e->answer ? e->answer : answer_new(e->rid);
        struct kiln_outcome o = whole;
        for (size_t k = 0; heading_name(part, h, &o.id); k++) {
            part_result(part, k, &o);
            o.index = k;
            answer_add(e->answer, &o);
            o = whole;
        }
        e->seen[0] = true;
        e->left--;
        p->jobs--;
        return;
    }
    if (!request_has_payloads(e->op)) {
        whole.result = zmq_msg_data(&part->frames[0]);
        whole.result_bytes = zmq_msg_size(&part->frames[0]);
    } else {
        part_result(part, 0, &whole);
    }
    entry_outcome(p, e, &whole);
}

void pending_dispatch(struct pending *p, struct part **message)
{
    struct heading h = {.op = ""};
    struct part *part = *message; /* what follows needs it after the answer owns it */
    struct entry *e = part_read(part, &h) && h.rid ? pending_find(p, h.rid) : NULL;
    bool refused = strcmp(h.op, "error") == 0;
    if (!e || e->done || (!refused && strcmp(h.op, request_answer(e->op)) != 0)) {
        part_free(message);
        return;
    }
    size_t before = e->left;
    e->answer = e->answer ? e->answer : answer_new(e->rid);
    answer_keep(e->answer, message);
    if (refused) {
        h.outcome.status = h.outcome.status > 0 ? h.outcome.status : KILN_INTERNAL;
        entry_fill(p, e, &h.outcome);
        return;
    }
    if (e->op < REQUEST_DESCRIBE) {
        read_jobs(p, e, part, &h);
    } else {
        read_document(p, e, part, &h);
    }
    if (e->left != before) {
        entry_settle(p, e);
    } else if (!e->waited) { /* an answer without any outcome is not worth waking the caller */
        answer_free(&e->answer);
    }
}
