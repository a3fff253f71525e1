/* SPDX-License-Identifier: MPL-2.0 */
/* engine - made, asked and freed. engine_run.c runs jobs, warm.c proves. */
#include "engine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "engine_impl.h"
#include "mem.h"
#include "status.h"

static void (*on_step)(void *arg, const char *what);
static void *on_step_arg;

void engine_on_step(void (*step)(void *arg, const char *what), void *arg)
{
    on_step = step;
    on_step_arg = arg;
}

void engine_step(const char *format, ...)
{
    static char what[256];
    if (on_step) {
        va_list ap;
        va_start(ap, format);
        vsnprintf(what, sizeof what, format, ap);
        va_end(ap);
        on_step(on_step_arg, what);
    }
}

/* ---- options --------------------------------------------------------------------------------- */

static int bind_options(struct engine *e, const void *options, size_t bytes, struct err *err)
{
    struct contract_rows rows = {e->desc.options, e->desc.n_options, e->desc.row_size}, none = {0};
    int status = contract_new(&rows, &none, 0, &e->options, err);
    if (status) {
        err_prefix(err, "options of plugin %s", e->desc.name);
        return status;
    }
    size_t n = contract_params(e->options);
    for (size_t i = 0; i < n; i++) {
        uint32_t kind = contract_param(e->options, i)->kind;
        if (kind != KILN_FLOAT && kind != KILN_INT && kind != KILN_BOOL && kind != KILN_STRING) {
            return err_set(err, KILN_INVALID, NULL,
                           "options of plugin %s: \"%s\" is no FLOAT, INT, BOOL or STRING", e->desc.name,
                           contract_param(e->options, i)->name);
        }
    }
    e->option_slots = mem_alloc((n + 1) * sizeof *e->option_slots);
    e->option_values = mem_alloc((n + 1) * sizeof *e->option_values);
    struct bound bound;
    status = contract_bind(e->options, options ? options : "\x80", options ? bytes : 1, &e->life,
                           e->option_slots, &bound, err);
    if (status) {
        err_prefix(err, "options of plugin %s", e->desc.name);
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        static const uint32_t types[] = {[KILN_FLOAT] = KILN_V_FLOAT,
                                         [KILN_INT] = KILN_V_INT,
                                         [KILN_BOOL] = KILN_V_BOOL,
                                         [KILN_STRING] = KILN_V_STRING};
        const struct kiln_row *row = contract_param(e->options, i);
        const struct kiln_slot *slot = &e->option_slots[i];
        if (slot->present || row->fallback) {
            e->option_values[i] = (struct kiln_value){.type = types[row->kind],
                                                      .count = (uint32_t) slot->text_bytes,
                                                      .i = slot->i64,
                                                      .f = slot->f64,
                                                      .text = slot->text};
        }
    }
    return 0;
}

/* ---- contracts ------------------------------------------------------------------------------- */

static void describe_examples(const struct function *f, struct buf *out)
{
    buf_put_str_const(out, "examples");
    buf_put_list(out, f->desc.n_goldens);
    for (uint32_t i = 0; i < f->desc.n_goldens; i++) {
        struct kiln_golden g = {0};
        memcpy(&g, (const char *) f->desc.goldens + (size_t) i * f->desc.golden_size, f->desc.golden_size);
        buf_put_map(out, 1 + (g.title != NULL) + (g.result != NULL) + (g.status != KILN_OK));
        if (g.title) {
            buf_put_str_const(out, "title");
            buf_put_text(out, g.title);
        }
        buf_put_str_const(out, "args");
        buf_put_text(out, g.args ? g.args : "{}");
        if (g.result) {
            buf_put_str_const(out, "result");
            buf_put_text(out, g.result);
        }
        if (g.status != KILN_OK) {
            buf_put_str_const(out, "status");
            buf_put_text(out, status_name(g.status));
        }
    }
}

static void describe(struct engine *e, struct function *f)
{
    struct buf *out = &e->contracts;
    const struct kiln_function *d = &f->desc;
    f->contract_at = out->bytes;
    buf_put_map(out, 8 + (d->help != NULL));
    buf_put_str_const(out, "name");
    buf_put_text(out, d->name);
    buf_put_str_const(out, "plugin");
    buf_put_text(out, e->desc.name);
    buf_put_str_const(out, "version");
    buf_put_text(out, e->desc.version);
    buf_put_str_const(out, "summary");
    buf_put_text(out, d->summary ? d->summary : "");
    if (d->help) {
        buf_put_str_const(out, "help");
        buf_put_text(out, d->help);
    }
    buf_put_str_const(out, "flags");
    buf_put_list(out, !!(d->flags & KILN_PURE) + !!(d->flags & KILN_EXTRAS));
    if (d->flags & KILN_PURE) {
        buf_put_str_const(out, "pure");
    }
    if (d->flags & KILN_EXTRAS) {
        buf_put_str_const(out, "extras");
    }
    contract_describe(f->contract, out);
    describe_examples(f, out);
    f->contract_bytes = out->bytes - f->contract_at;
}

static int compile(struct engine *e, struct function *f, struct err *err)
{
    const struct kiln_function *d = &f->desc;
    struct contract_rows params = {d->params, d->n_params, d->row_size},
                         results = {d->results, d->n_results, d->row_size};
    int status = contract_new(&params, &results, d->flags, &f->contract, err);
    if (status) {
        err_prefix(err, "%s.%s", e->desc.name, d->name);
        return status;
    }
    uint32_t most = e->limits.max_batch ? e->limits.max_batch : 1;
    f->max_batch = !d->run_batch ? 1 : d->max_batch && d->max_batch < most ? d->max_batch : most;
    describe(e, f);
    return 0;
}

/* ---- lanes, init, open ----------------------------------------------------------------------- */

static void make_lanes(struct engine *e)
{
    size_t slots = 0;
    e->n_lanes = 1;
    for (size_t i = 0; i < e->n_functions; i++) {
        const struct function *f = &e->functions[i];
        size_t need = contract_params(f->contract) + contract_results_count(f->contract);
        slots = need > slots ? need : slots;
        e->n_lanes = f->max_batch > e->n_lanes ? f->max_batch : e->n_lanes;
    }
    e->lanes = mem_alloc(e->n_lanes * sizeof *e->lanes);
    e->items = mem_alloc(e->n_lanes * sizeof *e->items);
    e->slots = mem_alloc((e->n_lanes * slots + 1) * sizeof *e->slots);
    for (uint32_t i = 0; i < e->n_lanes; i++) {
        struct lane *lane = &e->lanes[i];
        lane->e = e;
        lane->call.host = host_table();
        lane->call.state = e->state;
        lane->args = e->slots + i * slots; /* results follow the args of the function being run */
        lane->arena = &lane->own;
        arena_init(&lane->own, e->limits.job_bytes);
    }
}

/* What init or open returned, made a failure to load. */
static int judge_return(struct engine *e, const char *what, int status, struct err *err)
{
    const char *label = NULL;
    if (status == KILN_OK && !arena_check(&e->life, &label)) {
        e->damaged = true;
        return err_set(err, KILN_INTERNAL, NULL, "%s wrote outside its memory", what);
    }
    if (status == KILN_OK) {
        return 0;
    }
    const char *why = e->life_lane.err.text[0] ? e->life_lane.err.text : status_sentence(status);
    return err_set(err, status > 0 && status < KILN_STATUS_COUNT ? status : KILN_INTERNAL,
                   e->life_lane.err.field, "%s failed (%s): %s", what, status_name(status), why);
}

static int start(struct engine *e, struct err *err)
{
    char what[160];
    struct lane *lane = &e->life_lane;
    *lane = (struct lane){.call.host = host_table(), .e = e, .arena = &e->life};
    if (e->desc.init) {
        engine_step("%s, init", e->desc.name);
        e->inited = true; /* fini follows even when init fails half-way */
        int status = e->desc.init(&lane->call, &e->state);
        snprintf(what, sizeof what, "init of plugin %s", e->desc.name);
        status = judge_return(e, what, status, err);
        if (status) {
            return status;
        }
    }
    e->inited = true;
    lane->call.state = e->state;
    for (size_t i = 0; i < e->n_functions; i++) {
        struct function *f = &e->functions[i];
        if (!f->desc.open) {
            continue;
        }
        engine_step("%s.%s, open", e->desc.name, f->desc.name);
        lane->err = (struct err){0};
        lane->call.function = f->theirs;
        int status = f->desc.open(&lane->call, &f->instance);
        snprintf(what, sizeof what, "open of %s.%s", e->desc.name, f->desc.name);
        status = judge_return(e, what, status, err);
        if (status) {
            return status;
        }
        f->opened = true;
    }
    return 0;
}

int engine_load(const char *path, const void *options, size_t options_bytes,
                const struct engine_limits *limits, struct engine **ret_engine, struct err *err)
{
    struct engine *e = mem_alloc(sizeof *e);
    int64_t begin = clock_ns();
    e->limits = *limits;
    arena_init(&e->life, SIZE_MAX / 4);
    buf_init(&e->contracts, 0);
    buf_init(&e->results, 0);
    buf_init(&e->report, 0);
    engine_step("loading %s", path);
    int status = loader_open(path, e, err);
    for (size_t i = 0; i < e->n_functions && status == 0; i++) {
        status = compile(e, &e->functions[i], err);
    }
    if (status == 0 && e->contracts.failed) {
        status = err_set(err, KILN_RESOURCE, NULL, "there is no memory for the contracts");
    }
    if (status == 0) {
        status = bind_options(e, options, options_bytes, err);
    }
    int64_t loaded = clock_ns();
    if (status == 0) {
        status = start(e, err);
    }
    if (status) {
        engine_free(&e);
        return status;
    }
    make_lanes(e);
    e->load_ns = loaded - begin;
    e->init_ns = clock_ns() - loaded;
    *ret_engine = e;
    return 0;
}

void engine_free(struct engine **engine)
{
    struct engine *e = *engine;
    if (!e) {
        return;
    }
    for (size_t i = e->n_functions; i-- > 0;) {
        struct function *f = &e->functions[i];
        if (f->opened && f->desc.close) {
            engine_step("%s.%s, close", e->desc.name, f->desc.name);
            f->desc.close(f->instance);
        }
        contract_free(&f->contract);
    }
    if (e->inited && e->desc.fini) {
        engine_step("%s, fini", e->desc.name);
        e->desc.fini(e->state);
    }
    contract_free(&e->options);
    for (uint32_t i = 0; i < e->n_lanes; i++) {
        arena_done(&e->lanes[i].own);
    }
    arena_done(&e->life);
    buf_done(&e->results);
    buf_done(&e->contracts);
    buf_done(&e->report);
    mem_free(e->option_slots);
    mem_free(e->option_values);
    mem_free(e->lanes);
    mem_free(e->items);
    mem_free(e->slots);
    mem_free(e->functions);
    mem_free(e);
    *engine = NULL;
}

/* ---- asking ---------------------------------------------------------------------------------- */

const char *engine_name(const struct engine *e)
{
    return e->desc.name;
}

const char *engine_version(const struct engine *e)
{
    return e->desc.version;
}

const char *engine_summary(const struct engine *e)
{
    return e->desc.summary ? e->desc.summary : "";
}

size_t engine_functions(const struct engine *e)
{
    return e->n_functions;
}

const char *engine_function_name(const struct engine *e, size_t i)
{
    assert(i < e->n_functions);
    return e->functions[i].desc.name;
}

uint32_t engine_function_flags(const struct engine *e, size_t i)
{
    assert(i < e->n_functions);
    return e->functions[i].desc.flags;
}

uint32_t engine_function_max_batch(const struct engine *e, size_t i)
{
    assert(i < e->n_functions);
    return e->functions[i].max_batch;
}

int64_t engine_function_warm_ns(const struct engine *e, size_t i)
{
    assert(i < e->n_functions);
    return e->functions[i].least_warm_ns;
}

void engine_function_tolerance(const struct engine *e, size_t i, double *ret_rtol, double *ret_atol)
{
    assert(i < e->n_functions);
    const struct kiln_function *f = &e->functions[i].desc;
    *ret_rtol = *ret_atol = 0;
    for (uint32_t k = 0; k < f->n_goldens; k++) {
        struct kiln_golden g = {0};
        memcpy(&g, (const char *) f->goldens + (size_t) k * f->golden_size, f->golden_size);
        *ret_rtol = g.rtol > *ret_rtol ? g.rtol : *ret_rtol;
        *ret_atol = g.atol > *ret_atol ? g.atol : *ret_atol;
    }
}

int engine_find(const struct engine *e, const char *name, size_t name_bytes)
{
    for (size_t i = 0; i < e->n_functions; i++) {
        const char *have = e->functions[i].desc.name;
        if (strncmp(have, name, name_bytes) == 0 && have[name_bytes] == '\0') {
            return (int) i;
        }
    }
    return -1;
}

const void *engine_contract(const struct engine *e, size_t i, size_t *ret_bytes)
{
    assert(i < e->n_functions);
    *ret_bytes = e->functions[i].contract_bytes;
    return e->contracts.data + e->functions[i].contract_at;
}

void engine_describe_options(const struct engine *e, struct buf *out)
{
    contract_describe_params(e->options, out);
}

const void *engine_report(const struct engine *e, size_t *ret_bytes)
{
    *ret_bytes = e->report.bytes;
    return e->report.bytes ? e->report.data : NULL;
}

bool engine_damaged(const struct engine *e)
{
    return e->damaged;
}
