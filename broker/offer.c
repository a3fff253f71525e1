/* SPDX-License-Identifier: MPL-2.0 */
#include "offer.h"

#include <assert.h>
#include <stdio.h>

#include "clock.h"
#include "mem.h"
#include "scan.h"

enum { PAYLOAD_BYTES = 4 << 20 };

static int read_offer(const struct worker *w, const msgpack_object *o, struct offer *ret, struct err *err)
{
    if (o->type != MSGPACK_OBJECT_MAP) {
        return err_set(err, KILN_INVALID, "functions", "functions holds something that is not a map");
    }
    const char *name = "";
    size_t bytes = 0;
    struct offer made = {.warm_us = UINT64_MAX, .copies = true};
    uint64_t
        max_batch; /* checked, and told to people by the contract; the worker itself splits what it gets */
    if (header_text(&o->via.map, "name", CATALOGUE_NAME_BYTES, &name, &bytes, err) ||
        header_uint(&o->via.map, "max_batch", 0, 1 << 20, &max_batch, err) ||
        header_bool(&o->via.map, "copies", &made.copies, err)) {
        return KILN_INVALID;
    }
    const msgpack_object *warm = header_get(&o->via.map, "warm_us");
    if (warm && (warm->type == MSGPACK_OBJECT_FLOAT64 || warm->type == MSGPACK_OBJECT_FLOAT32)) {
        made.warm_us = warm->via.f64 > 0 && warm->via.f64 < 1e12 ? (uint64_t) warm->via.f64 : 0;
    } else if (warm && warm->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        made.warm_us = warm->via.u64;
    }
    made.name_bytes = (size_t) snprintf(made.name, sizeof made.name, "%s.%.*s", w->plugin, (int) bytes, name);
    *ret = made;
    return 0;
}

/* All that can be wrong with the functions and payloads of a hello, before it changes anything. */
int offers_check(struct broker *b, const struct worker *w, const msgpack_object_array *functions,
                 struct frames *f, struct err *err)
{
    static const struct scan_limits limits = {.depth = 24, .items = PAYLOAD_BYTES};
    size_t n = functions ? functions->size : 0;
    if (f->n_payloads != n && f->n_payloads != n + 1) {
        return err_set(err, KILN_INVALID, NULL,
                       "hello has %zu payloads, expected a contract for each of %zu functions and a report",
                       f->n_payloads, n);
    }
    for (size_t i = 0; i < n; i++) {
        struct offer o;
        if (read_offer(w, &functions->ptr[i], &o, err)) {
            return KILN_INVALID;
        }
        if (!catalogue_accepts(&b->catalogue, o.name, o.name_bytes, n)) {
            return err_set(err, KILN_INVALID, "functions",
                           "functions holds \"%.100s\", expected lower case letters, digits and underscores",
                           o.name);
        }
    }
    /* They go into other peers' payloads as they are. */
    for (size_t i = 0; i < f->n_payloads; i++) {
        size_t bytes = zmq_msg_size(&f->payloads[i]);
        if (bytes > PAYLOAD_BYTES) {
            return err_set(err, KILN_INVALID, NULL, "payload %zu of hello has %zu bytes, expected at most %d",
                           i, bytes, PAYLOAD_BYTES);
        }
        if (scan_check(zmq_msg_data(&f->payloads[i]), bytes, &limits, err)) {
            return err_prefix(err, "payload %zu of hello", i);
        }
    }
    return 0;
}

struct function *offer_announce(struct broker *b, struct worker *w, const struct offer *o,
                                zmq_msg_t *contract)
{
    struct function *fn = catalogue_make(&b->catalogue, o->name, o->name_bytes);
    assert(fn); /* offers_check */
    if (o->warm_us != UINT64_MAX && !fn->stats.times) {
        /* Rounded up: a function that takes less than a microsecond says 0. */
        fn->cost_ns = (int64_t) (o->warm_us < 60000000 ? o->warm_us + 1 : 60000000) * CLOCK_US;
    }
    if (contract) {
        mem_free(fn->plugin);
        fn->plugin = mem_text(w->label);
        if (fn->described) {
            zmq_msg_close(&fn->contract);
        }
        zmq_msg_init(&fn->contract);
        zmq_msg_move(&fn->contract, contract);
        fn->described = true;
    }
    w->functions = mem_grow(w->functions, (w->n_functions + 1) * sizeof(struct function *));
    w->functions[w->n_functions++] = fn;
    catalogue_announce(&b->catalogue, fn, w);
    return fn;
}

void offers_take(struct broker *b, struct worker *w, const msgpack_object_array *functions, struct frames *f)
{
    for (uint32_t i = 0; functions && i < functions->size; i++) {
        struct offer o;
        if (!read_offer(w, &functions->ptr[i], &o, NULL)) {
            offer_announce(b, w, &o, &f->payloads[i]);
        }
    }
}

void offers_keep(struct worker *w, const msgpack_object_array *functions, struct frames *f)
{
    w->n_offers = functions ? functions->size : 0;
    w->offers = mem_alloc((w->n_offers + 1) * sizeof *w->offers);
    for (size_t i = 0; i < w->n_offers; i++) {
        read_offer(w, &functions->ptr[i], &w->offers[i], NULL); /* sound: offers_check */
        zmq_msg_init(&w->offers[i].contract);
        zmq_msg_move(&w->offers[i].contract, &f->payloads[i]);
    }
}

void offers_forget(struct worker *w)
{
    for (size_t i = 0; i < w->n_offers; i++) {
        zmq_msg_close(&w->offers[i].contract);
    }
    mem_free(w->offers);
    w->offers = NULL;
    w->n_offers = 0;
}
