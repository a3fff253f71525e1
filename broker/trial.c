/* SPDX-License-Identifier: MPL-2.0 */
#include "trial.h"

#include "log.h"
#include "mem.h"
#include "offer.h"
#include "outbox.h"
#include "status.h"

enum {
    COPIES_MOST = 64,     /* in one message */
    COPY_BYTES = 4 << 20, /* larger jobs are not copied */
    DUE_MOST = 1000,      /* what a canary that was busy may catch up with */
};

/* Copies that are gathered: of one function, for one shadow. */
struct copies {
    struct worker *to;
    struct function *fn;
    size_t n;
    struct {
        zmq_msg_t args, result;
        int status;
        uint64_t run_ns, batch;
    } of[COPIES_MOST];
};

/* ---- joining and leaving ---- */

static const struct offer *offer_of(const struct worker *w, const char *name)
{
    for (size_t i = 0; i < w->n_offers; i++) {
        if (strcmp(w->offers[i].name, name) == 0) {
            return &w->offers[i];
        }
    }
    return NULL;
}

/* All that its plugin offers now: a function that it lacks is a difference too. */
static void join_shadow(struct broker *b, struct worker *w)
{
    size_t n = strlen(w->plugin);
    for (struct function *f = zhashx_first(b->catalogue.by_name); f; f = zhashx_next(b->catalogue.by_name)) {
        if (f->announced && strncmp(f->name, w->plugin, n) == 0 && f->name[n] == '.') {
            const struct offer *o = offer_of(w, f->name);
            if (!o || o->copies) {
                function_shadow(f, w);
            }
        }
    }
}

static void join_canary(struct broker *b, struct worker *w)
{
    for (size_t i = 0; i < w->n_offers; i++) {
        struct function *f = offer_announce(b, w, &w->offers[i], NULL);
        f->due = f->canaries ? f->due : 0;
        f->canaries++;
        f->share_permille = (uint32_t) w->share_permille;
    }
}

void trial_join(struct broker *b, struct worker *w)
{
    w->trial == WORKER_SHADOW ? join_shadow(b, w) : join_canary(b, w);
    log_info("trial_begun", "wid=%s plugin=%s kind=%s", w->wid, w->label,
             w->trial == WORKER_SHADOW ? "shadow" : "canary");
}

static void end(struct broker *b, struct worker *w)
{
    if (w->trial == WORKER_SHADOW) {
        for (struct function *f = zhashx_first(b->catalogue.by_name); f;
             f = zhashx_next(b->catalogue.by_name)) {
            function_unshadow(f, w);
        }
    } else if (w->trial == WORKER_CANARY) {
        for (size_t i = 0; i < w->n_functions; i++) {
            w->functions[i]->canaries--;
        }
    }
    w->trial = WORKER_SERVES;
}

void trial_leave(struct broker *b, struct worker *w)
{
    end(b, w);
    offers_forget(w);
}

void trial_serve(struct broker *b, struct worker *w)
{
    if (w->trial == WORKER_SERVES) {
        return;
    }
    end(b, w);
    for (size_t i = 0; i < w->n_functions; i++) {
        function_leave(w->functions[i], w); /* announced again, with contract and all */
    }
    w->n_functions = 0;
    for (size_t i = 0; i < w->n_offers; i++) {
        offer_announce(b, w, &w->offers[i], &w->offers[i].contract);
    }
    offers_forget(w);
    log_info("trial_passed", "wid=%s plugin=%s", w->wid, w->label);
}

/* ---- copies ---- */

static struct worker *taker(const struct function *fn, const struct worker *from)
{
    for (size_t i = 0; i < fn->n_shadows; i++) {
        struct worker *w = fn->shadows[i];
        if (w->node == from->node && !w->deaf && !w->quiet && w->credit > w->delivered) {
            return w;
        }
    }
    return NULL;
}

static bool copy_result(const struct payload *from, int status, zmq_msg_t *ret)
{
    if (status != KILN_OK) {
        outbox_nil(ret);
        return true;
    }
    if (from->frame) {
        zmq_msg_init(ret);
        return zmq_msg_copy(ret, from->frame) == 0;
    }
    if (zmq_msg_init_size(ret, from->bytes)) {
        return false;
    }
    memcpy(zmq_msg_data(ret), from->data, from->bytes);
    return true;
}

void trial_copy(struct broker *b, const struct worker *from, struct job *job, int status, uint64_t run_ns,
                uint64_t batch, const struct payload *result)
{
    struct worker *to = from->trial == WORKER_SERVES ? taker(job->fn, from) : NULL;
    if (!to || zmq_msg_size(&job->payload) + result->bytes > COPY_BYTES) {
        b->counters.copies_left_out++;
        return;
    }
    if (!b->copies) {
        b->copies = mem_alloc(sizeof *b->copies);
    }
    struct copies *c = b->copies;
    if (c->n && (c->to != to || c->fn != job->fn || c->n == COPIES_MOST)) {
        trial_flush(b);
    }
    size_t i = c->n;
    if (!copy_result(result, status, &c->of[i].result)) {
        b->counters.copies_left_out++;
        return;
    }
    zmq_msg_init(&c->of[i].args);
    zmq_msg_copy(&c->of[i].args, &job->payload);
    c->of[i].status = status;
    c->of[i].run_ns = run_ns;
    c->of[i].batch = batch ? batch : 1;
    c->to = to;
    c->fn = job->fn;
    c->n++;
    to->delivered++;
}

void trial_flush(struct broker *b)
{
    struct copies *c = b->copies;
    if (!c || !c->n) {
        return;
    }
    struct buf *out = &b->out;
    zmq_msg_t *parts = outbox_parts(b, 2 * c->n);
    buf_clear(out);
    buf_put_map(out, 3);
    buf_put_str_const(out, "op");
    buf_put_str_const(out, "shadow");
    buf_put_str_const(out, "fn");
    buf_put_text(out, c->fn->name);
    buf_put_str_const(out, "jobs");
    buf_put_list(out, c->n);
    for (size_t i = 0; i < c->n; i++) {
        buf_put_map(out, 3);
        buf_put_str_const(out, "status");
        buf_put_text(out, status_name(c->of[i].status));
        buf_put_str_const(out, "run_ns");
        buf_put_u64(out, c->of[i].run_ns);
        buf_put_str_const(out, "batch");
        buf_put_u64(out, c->of[i].batch);
        parts[2 * i] = c->of[i].args;
        parts[2 * i + 1] = c->of[i].result;
    }
    size_t n = c->n;
    c->n = 0;
    if (outbox_worker(b, &c->to->route, out, parts, 2 * n)) {
        c->to->deaf = true; /* its node, or its silence, will tell what became of it */
        b->counters.copies_left_out += n;
    } else {
        b->counters.copies_sent += n;
    }
}

void trial_done(struct broker *b)
{
    mem_free(b->copies);
    b->copies = NULL;
}

/* ---- shares ---- */

bool trial_due(const struct function *fn)
{
    return fn->due >= 1;
}

void trial_count(struct broker *b, struct function *fn, const struct worker *w, size_t n)
{
    double share = fn->share_permille / 1000.0;
    if (w->trial == WORKER_CANARY) {
        b->counters.canary_jobs += n;
        fn->due = fn->due > (double) n ? fn->due - (double) n : 0;
    } else {
        fn->due += (double) n * share / (1 - share);
        fn->due = fn->due < DUE_MOST ? fn->due : DUE_MOST;
    }
}
