/* SPDX-License-Identifier: MPL-2.0 */
#include "golden.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* ---- JSON as values */

static bool convert(const json_t *from, struct pool *pool, struct kiln_value *ret);

static bool convert_list(const json_t *from, struct pool *pool, struct kiln_value *ret)
{
    const size_t n = json_array_size(from);
    struct kiln_value *items = pool_array(pool, n, sizeof *items);
    bool ok = items != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        ok = convert(json_array_get(from, i), pool, &items[i]);
    }
    *ret = (struct kiln_value){.type = KILN_V_LIST, .count = (uint32_t) n, .list = items};
    return ok;
}

static bool convert_map(json_t *from, struct pool *pool, struct kiln_value *ret)
{
    const size_t n = json_object_size(from);
    struct kiln_pair *pairs = pool_array(pool, n, sizeof *pairs);
    bool ok = pairs != NULL;
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach(from, key, value)
    {
        ok = ok && (pairs[i].key = pool_string(pool, key, strlen(key))) &&
             convert(value, pool, &pairs[i].value);
        i++;
    }
    *ret = (struct kiln_value){.type = KILN_V_MAP, .count = (uint32_t) n, .map = pairs};
    return ok;
}

static bool convert(const json_t *from, struct pool *pool, struct kiln_value *ret)
{
    switch (json_typeof(from)) {
    case JSON_ARRAY:
        return convert_list(from, pool, ret);
    case JSON_OBJECT:
        return convert_map((json_t *) (uintptr_t) from, pool, ret);
    case JSON_STRING: {
        const size_t bytes = json_string_length(from);
        const char *text = pool_string(pool, json_string_value(from), bytes);
        *ret = (struct kiln_value){.type = KILN_V_STRING, .text = text, .count = (uint32_t) bytes};
        return text != NULL;
    }
    case JSON_INTEGER:
        *ret = (struct kiln_value){.type = KILN_V_INT, .i = json_integer_value(from)};
        return true;
    case JSON_REAL:
        *ret = (struct kiln_value){.type = KILN_V_FLOAT, .f = json_real_value(from)};
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *ret = (struct kiln_value){.type = KILN_V_BOOL, .i = json_is_true(from)};
        return true;
    default:
        *ret = (struct kiln_value){.type = KILN_V_NULL};
        return true;
    }
}

const struct kiln_value *json_file(const char *path, struct pool *pool, struct refusal *why)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        if (errno != ENOENT) {
            refuse(why, KILN_INVALID, "%.200s cannot be opened: %s", path, strerror(errno));
        }
        return NULL;
    }
    json_error_t error;
    json_t *json = json_loadf(f, JSON_REJECT_DUPLICATES, &error);
    fclose(f);
    if (!json) {
        refuse(why, KILN_INVALID, "%.200s, line %d: %s", path, error.line, error.text);
        return NULL;
    }
    struct kiln_value *value = pool_small(pool, sizeof *value);
    if (!value || !convert(json, pool, value)) {
        value = NULL;
        refuse_memory(why, "what stands beside a model");
    }
    json_decref(json);
    return value;
}

const struct kiln_value *value_member(const struct kiln_value *map, const char *name)
{
    for (uint32_t i = 0; map && map->type == KILN_V_MAP && i < map->count; i++) {
        if (strcmp(map->map[i].key, name) == 0) {
            return &map->map[i].value;
        }
    }
    return NULL;
}

/* ---- examples */

static int tolerance(const struct kiln_value *v, const char *path, size_t i, const char *name,
                     double fallback, double *ret, struct refusal *why)
{
    *ret = !v ? fallback : v->type == KILN_V_INT ? (double) v->i : v->type == KILN_V_FLOAT ? v->f : -1;
    return *ret >= 0 && isfinite(*ret)
               ? KILN_OK
               : refuse(why, KILN_INVALID, "%.200s, example %zu: %s is not a number of 0 or more", path,
                        i + 1, name);
}

static int read_example(const struct kiln_value *v, const char *path, size_t i, struct golden *g,
                        struct refusal *why)
{
    if (v->type != KILN_V_MAP) {
        return refuse(why, KILN_INVALID, "%.200s, example %zu is no object with inputs and outputs", path,
                      i + 1);
    }
    for (uint32_t k = 0; k < v->count; k++) {
        static const char known[] = "|inputs|outputs|rtol|atol|title|";
        char word[64];
        snprintf(word, sizeof word, "|%.60s|", v->map[k].key);
        if (!strstr(known, word)) {
            return refuse(
                why, KILN_INVALID,
                "%.200s, example %zu: \"%.60s\" is not known, expected inputs, outputs, rtol, atol, title",
                path, i + 1, v->map[k].key);
        }
    }
    g->inputs = value_member(v, "inputs");
    g->outputs = value_member(v, "outputs");
    if (!g->inputs || g->inputs->type != KILN_V_MAP || !g->outputs || g->outputs->type != KILN_V_MAP ||
        !g->outputs->count) {
        return refuse(
            why, KILN_INVALID,
            "%.200s, example %zu: inputs and outputs are to be objects, with an array for each name", path,
            i + 1);
    }
    const int rc = tolerance(value_member(v, "rtol"), path, i, "rtol", 1e-4, &g->rtol, why);
    return rc ? rc : tolerance(value_member(v, "atol"), path, i, "atol", 1e-6, &g->atol, why);
}

int goldens_load(const char *path, struct budget *budget, struct goldens *ret_goldens, struct refusal *why)
{
    struct goldens g = {.n = 0};
    pool_init(&g.pool, budget);
    const struct kiln_value *v = json_file(path, &g.pool, why);
    if (v) {
        const bool list = v->type == KILN_V_LIST;
        g.n = list ? v->count : 1;
        struct golden *examples = pool_array(&g.pool, g.n, sizeof *examples);
        if (!examples) {
            refuse_memory(why, "golden examples");
        } else if (!g.n) {
            refuse(why, KILN_INVALID, "%.200s has no examples", path);
        }
        for (size_t i = 0; i < g.n && !why->status; i++) {
            read_example(list ? &v->list[i] : v, path, i, &examples[i], why);
        }
        g.examples = examples;
    }
    if (why->status) {
        pool_done(&g.pool);
        return why->status;
    }
    *ret_goldens = g;
    return KILN_OK;
}

void goldens_done(struct goldens *g)
{
    pool_done(&g->pool);
    g->n = 0;
}
