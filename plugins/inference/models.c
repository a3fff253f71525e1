/* SPDX-License-Identifier: MPL-2.0 */
/* inference.models - what is served, and what its memory is used for. */
#include <string.h>

#include "builtin.h"
#include "functions.h"

enum { MODEL };
enum { MODELS, CACHE };

static const struct kiln_row params[] = {
    [MODEL] = {.name = "model", .kind = KILN_STRING, .help = "Only the versions of this model"},
};

static const struct kiln_row results[] = {
    [MODELS] = {.name = "models",
                .kind = KILN_VALUE,
                .help = "A list of maps: name, version, latest, state (cold, ready, failed), why, bytes, "
                        "ops, pinned, in_use, stackable, "
                        "examples, uses, loads, evictions, warm (rows, cold_us, warm_us), int8 (used, "
                        "layers, float_us, int8_us, off; null unless asked for)"},
    [CACHE] =
        {.name = "cache",
         .kind = KILN_VALUE,
         .help = "A map: limit_bytes, used_bytes, workspace_bytes, hits, misses, loads, failures, evictions"},
};

static struct kiln_value warm_of(struct kiln_call *call, const struct served *m)
{
    struct kiln_value list;
    struct kiln_value *items = value_list(call, (uint32_t) m->n_warm, &list);
    for (int i = 0; items && i < m->n_warm; i++) {
        value_map(call, 3, &items[i]);
        value_put(&items[i], "rows", value_int(m->warm[i].batch));
        value_put(&items[i], "cold_us", value_float((double) m->warm[i].cold_ns / 1e3));
        value_put(&items[i], "warm_us", value_float((double) m->warm[i].warm_ns / 1e3));
    }
    return list;
}

static struct kiln_value int8_of(struct kiln_call *call, const struct auto_int8 *a)
{
    struct kiln_value map = {.type = KILN_V_NULL};
    if (a->layers) {
        value_map(call, 5, &map);
        value_put(&map, "used", value_bool(a->used));
        value_put(&map, "layers", value_int(a->layers));
        value_put(&map, "float_us", value_float(a->float_us));
        value_put(&map, "int8_us", value_float(a->int8_us));
        value_put(&map, "off", value_float(a->off));
    }
    return map;
}

static void put_model(struct kiln_call *call, struct store *s, const struct served *m, struct kiln_value *map)
{
    static const char *const states[] = {
        [SERVED_COLD] = "cold", [SERVED_READY] = "ready", [SERVED_FAILED] = "failed"};
    value_map(call, 17, map);
    value_put(map, "name", value_text(call, m->name));
    value_put(map, "version", value_int(m->version));
    value_put(map, "latest", value_bool(store_find(s, m->name, 0) == m));
    value_put(map, "state", value_text(call, states[m->state]));
    value_put(map, "why",
              m->why.text[0] ? value_text(call, m->why.text) : (struct kiln_value){.type = KILN_V_NULL});
    value_put(map, "bytes", value_int(m->model ? (int64_t) m->model->budget.used : 0));
    value_put(map, "ops", value_int(m->model ? m->model->graph.n_nodes : 0));
    value_put(map, "pinned", value_bool(m->pinned));
    value_put(map, "in_use", value_bool(m->in_use));
    value_put(map, "stackable", value_bool(m->stackable));
    value_put(map, "examples", value_int(m->n_goldens));
    value_put(map, "uses", value_int((int64_t) m->uses));
    value_put(map, "loads", value_int((int64_t) m->loads));
    value_put(map, "evictions", value_int((int64_t) m->evictions));
    value_put(map, "warm", warm_of(call, m));
    value_put(map, "int8", int8_of(call, &m->int8));
}

static void put_cache(struct kiln_call *call, const struct store *s, struct kiln_value *map)
{
    value_map(call, 8, map);
    value_put(map, "limit_bytes", value_int((int64_t) s->budget.limit));
    value_put(map, "used_bytes", value_int((int64_t) s->budget.used));
    value_put(map, "workspace_bytes", value_int((int64_t) (s->workspace.bytes + s->stack.bytes)));
    value_put(map, "hits", value_int((int64_t) s->hits));
    value_put(map, "misses", value_int((int64_t) s->misses));
    value_put(map, "loads", value_int((int64_t) s->loads));
    value_put(map, "failures", value_int((int64_t) s->failures));
    value_put(map, "evictions", value_int((int64_t) s->evictions));
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *slots)
{
    struct store *s = store_of(call);
    const char *name = args[MODEL].present ? args[MODEL].text : NULL;
    uint32_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        n += !name || strcmp(s->models[i]->name, name) == 0;
    }
    if (!n) {
        return call->host->fail(call, KILN_INVALID, "model", "model is %.80s, which is not served here",
                                name);
    }
    struct kiln_value *values = call->host->alloc(call, 2 * sizeof *values);
    struct kiln_value *items = values ? value_list(call, n, &values[0]) : NULL;
    if (!items) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0, k = 0; i < s->n; i++) {
        if (!name || strcmp(s->models[i]->name, name) == 0) {
            put_model(call, s, s->models[i], &items[k++]);
        }
    }
    put_cache(call, s, &values[1]);
    slots[MODELS] = (struct kiln_slot){.present = 1, .value = &values[0]};
    slots[CACHE] = (struct kiln_slot){.present = 1, .value = &values[1]};
    return KILN_OK;
}

static const struct kiln_golden goldens[] = {
    {.title = "the model that is built in", .args = "{\"model\":\"" BUILTIN_NAME "\"}"},
    {.title = "one that is not there",
     .args = "{\"model\":\"none\"}",
     .status = KILN_INVALID,
     .result = "model is none, which is not served here"},
};

const struct kiln_function inference_models = {
    KILN_FUNCTION_HEAD,
    .name = "models",
    .summary = "Models of this worker, their state, memory and warm-up times",
    .help = "Each worker has models of its own: counters are those of the worker that answers.",
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
};
