/* SPDX-License-Identifier: MPL-2.0 */
/* mock_host - a host of a few lines, enough to call one function with arguments written as JSON.
 *
 *     struct mock m;
 *     mock_init(&m, &calculate_function);
 *     assert_int_equal(mock_call(&m, "{\"mode\":\"exact\"}"), KILN_OK);
 *     json_t *reply = mock_reply(&m);      nested as a real host sends it; tables as columns, or rows if form says so
 *     mock_done(&m);
 *
 * Every allocation is one of malloc, so that the sanitizers watch its ends. Arguments are freed before mock_reply() reads
 * the results: what a plugin keeps of them is found out. Only what this plugin's rows use is there. */
#ifndef MOCK_HOST_H
#define MOCK_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <kiln/plugin.h>

#define MOCK_BLOCKS 4096

struct mock_arena {
    void *block[MOCK_BLOCKS];
    size_t count;
};

struct mock {
    struct kiln_call call; /* first: the services find the mock by it */
    struct kiln_host host;
    struct mock_arena args_arena, arena;
    struct kiln_slot args[KILN_MAX_ROWS], results[KILN_MAX_ROWS];
    long allocations, fail_at; /* the fail_at-th allocation of a call fails, counted from 1; 0: none */
    int cancel;
    bool rows;
    char field[96], error[400];
};

static void *mock_take(struct mock_arena *a, size_t bytes)
{
    void *p = NULL;
    assert_true(a->count < MOCK_BLOCKS);
    assert_int_equal(posix_memalign(&p, 64, bytes ? bytes : 1), 0);
    memset(p, 0xa5, bytes); /* nobody may count on zeros */
    a->block[a->count++] = p;
    return p;
}

static void mock_drop(struct mock_arena *a)
{
    while (a->count > 0) {
        free(a->block[--a->count]);
    }
}

/* ---- services ------------------------------------------------------------------------------------ */

KILN_PRINTF(4, 5)
static int mock_fail(struct kiln_call *call, int status, const char *field, const char *format, ...)
{
    struct mock *m = (struct mock *) call;
    va_list ap;
    va_start(ap, format);
    vsnprintf(m->error, sizeof m->error, format, ap);
    va_end(ap);
    snprintf(m->field, sizeof m->field, "%s", field ? field : "");
    return status;
}

static void *mock_alloc(struct kiln_call *call, size_t bytes)
{
    struct mock *m = (struct mock *) call;
    return ++m->allocations == m->fail_at ? NULL : mock_take(&m->arena, bytes);
}

static void *mock_grow(struct kiln_call *call, size_t result, int64_t rows)
{
    struct mock *m = (struct mock *) call;
    struct kiln_array *a = &m->results[result].array;
    double *data = mock_alloc(call, (size_t) rows * sizeof(double));
    if (data == NULL) {
        return NULL;
    }
    if (a->data != NULL) {
        memcpy(data, a->data, (size_t) (a->count < rows ? a->count : rows) * sizeof(double));
    }
    *a = (struct kiln_array){.data = data, .rank = 1, .shape = {rows}, .count = rows};
    m->results[result].present = 1;
    return data;
}

static int mock_cancelled(struct kiln_call *call)
{
    return ((struct mock *) call)->cancel;
}

static void mock_progress(struct kiln_call *call, double fraction)
{
    (void) call;
    assert_true(fraction >= 0 && fraction <= 1);
}

static void mock_init(struct mock *m, const struct kiln_function *function)
{
    memset(m, 0, sizeof *m);
    m->host = (struct kiln_host){
        .struct_size = sizeof m->host,
        .abi_major = KILN_ABI_MAJOR,
        .fail = mock_fail,
        .alloc = mock_alloc,
        .grow = mock_grow,
        .cancelled = mock_cancelled,
        .progress = mock_progress,
    };
    m->call.host = &m->host;
    m->call.function = function;
}

static void mock_done(struct mock *m)
{
    mock_drop(&m->args_arena);
    mock_drop(&m->arena);
}

/* ---- JSON to arguments ------------------------------------------------------------------------- */

static struct kiln_value mock_value(struct mock *m, json_t *v)
{
    struct kiln_value out = {.type = KILN_V_NULL};
    if (json_is_boolean(v)) {
        out = (struct kiln_value){.type = KILN_V_BOOL, .i = json_is_true(v)};
    } else if (json_is_integer(v)) {
        out = (struct kiln_value){.type = KILN_V_INT, .i = json_integer_value(v)};
    } else if (json_is_real(v)) {
        out = (struct kiln_value){.type = KILN_V_FLOAT, .f = json_real_value(v)};
    } else if (json_is_string(v)) {
        size_t n = json_string_length(v);
        char *text = mock_take(&m->args_arena, n + 1);
        memcpy(text, json_string_value(v), n + 1);
        out = (struct kiln_value){.type = KILN_V_STRING, .text = text, .count = (uint32_t) n};
    } else if (json_is_array(v)) {
        size_t n = json_array_size(v);
        bool numbers = n > 0;
        for (size_t i = 0; i < n; i++) {
            numbers &= json_is_number(json_array_get(v, i));
        }
        if (numbers) { /* as a real host: numbers alone are an array */
            struct kiln_array *a = mock_take(&m->args_arena, sizeof *a);
            double *data = mock_take(&m->args_arena, n * sizeof *data);
            for (size_t i = 0; i < n; i++) {
                data[i] = json_number_value(json_array_get(v, i));
            }
            *a = (struct kiln_array){.data = data, .rank = 1, .shape = {(int64_t) n}, .count = (int64_t) n};
            return (struct kiln_value){.type = KILN_V_ARRAY, .array = a};
        }
        struct kiln_value *list = mock_take(&m->args_arena, n * sizeof *list);
        for (size_t i = 0; i < n; i++) {
            list[i] = mock_value(m, json_array_get(v, i));
        }
        out = (struct kiln_value){.type = KILN_V_LIST, .list = list, .count = (uint32_t) n};
    } else if (json_is_object(v)) {
        struct kiln_pair *map = mock_take(&m->args_arena, json_object_size(v) * sizeof *map);
        const char *key;
        json_t *item;
        uint32_t n = 0;
        json_object_foreach(v, key, item)
        {
            char *name = mock_take(&m->args_arena, strlen(key) + 1);
            memcpy(name, key, strlen(key) + 1);
            map[n++] = (struct kiln_pair){name, mock_value(m, item)};
        }
        out = (struct kiln_value){.type = KILN_V_MAP, .map = map, .count = n};
    }
    return out;
}

/* The member at a dotted path; of a column, its cells as a new list. Borrowed unless it is such a list. */
static json_t *mock_at(json_t *root, const char *path, bool *ret_new)
{
    char word[96];
    json_t *at = root;
    *ret_new = false;
    for (;;) {
        size_t n = strcspn(path, ".[");
        snprintf(word, sizeof word, "%.*s", (int) n, path);
        at = json_object_get(at, word);
        if (at == NULL || json_is_null(at) || path[n] == '\0') {
            return at == NULL || json_is_null(at) ? NULL : at;
        }
        path += n + (path[n] == '[' ? 3 : 1);
        if (path[-1] == '.' && n > 0 && path[-2] == ']') {
            if (json_is_object(at)) {
                return json_object_get(at, path);
            }
            json_t *cells = json_array();
            for (size_t i = 0; i < json_array_size(at); i++) {
                json_array_append(cells, json_object_get(json_array_get(at, i), path));
            }
            *ret_new = true;
            return cells;
        }
    }
}

static int mock_check(struct mock *m, const struct kiln_row *row, double v)
{
    bool ranged = row->min != 0 || row->max != 0;
    bool outside = v < row->min || v > row->max || ((row->flags & KILN_OPEN_MIN) && v <= row->min);
    if (ranged && outside) {
        return mock_fail(&m->call, KILN_INVALID, row->name, "%s is %g, outside of its range", row->name, v);
    }
    return KILN_OK;
}

static int mock_fill(struct mock *m, const struct kiln_row *row, struct kiln_slot *slot, json_t *v)
{
    switch (row->kind) {
    case KILN_FLOAT:
    case KILN_ARRAY: {
        if (json_is_number(v)) {
            slot->f64 = json_number_value(v);
            return mock_check(m, row, slot->f64);
        }
        assert_true(json_is_array(v));
        size_t n = json_array_size(v);
        double *data = mock_take(&m->args_arena, n * 8);
        int64_t *whole = (int64_t *) (void *) data;
        slot->array = (struct kiln_array){
            .data = data, .dtype = row->dtype, .rank = 1, .shape = {(int64_t) n}, .count = (int64_t) n};
        for (size_t i = 0; i < n; i++) {
            json_t *item = json_array_get(v, i);
            int rc = mock_check(m, row, json_number_value(item));
            if (rc != KILN_OK) {
                return rc;
            }
            if (row->dtype == KILN_I64) {
                whole[i] = (int64_t) json_number_value(item);
            } else {
                data[i] = json_number_value(item);
            }
        }
        return KILN_OK;
    }
    case KILN_INT:
        slot->i64 = (int64_t) json_number_value(v);
        return mock_check(m, row, (double) slot->i64);
    case KILN_STRING: {
        char *text = mock_take(&m->args_arena, json_string_length(v) + 1);
        strcpy(text, json_string_value(v));
        slot->text = text;
        slot->text_bytes = json_string_length(v);
        return KILN_OK;
    }
    case KILN_TABLE:
        slot->i64 =
            (int64_t) (json_is_array(v) ? json_array_size(v)
                                        : json_array_size(json_object_iter_value(json_object_iter(v))));
        return KILN_OK;
    case KILN_VALUE: {
        struct kiln_value *value = mock_take(&m->args_arena, sizeof *value);
        *value = mock_value(m, v);
        slot->value = value;
        return KILN_OK;
    }
    default:
        assert_int_equal(row->kind, KILN_MAP);
        return KILN_OK;
    }
}

static int mock_bind(struct mock *m, json_t *request)
{
    const struct kiln_function *f = m->call.function;
    json_t *extras = json_copy(request);
    json_object_del(extras, "form");
    int rc = KILN_OK;
    for (uint32_t i = 0; i < f->n_params && rc == KILN_OK; i++) {
        const struct kiln_row *row = &f->params[i];
        struct kiln_slot *slot = &m->args[i];
        if (strcmp(row->name, "*") == 0) {
            struct kiln_value *map = mock_take(&m->args_arena, sizeof *map);
            *map = mock_value(m, extras);
            slot->value = map;
            slot->present = map->count > 0;
            continue;
        }
        char top[96];
        snprintf(top, sizeof top, "%.*s", (int) strcspn(row->name, ".["), row->name);
        json_object_del(extras, top);
        bool made;
        json_t *v = mock_at(request, row->name, &made);
        if (v != NULL) {
            rc = mock_fill(m, row, slot, v);
            slot->present = 1;
        } else if (row->fallback != NULL) {
            json_t *fallback = json_loads(row->fallback, JSON_DECODE_ANY, NULL);
            assert_non_null(fallback);
            rc = mock_fill(m, row, slot, fallback);
            json_decref(fallback);
        }
        if (made) {
            json_decref(v);
        }
    }
    json_decref(extras);
    return rc;
}

/* ---- calling, and results to JSON ---------------------------------------------------------------- */

/* The table of a column, or NULL. */
static const struct kiln_row *mock_table(const struct kiln_function *f, const struct kiln_row *row)
{
    const char *bracket = strstr(row->name, "[]");
    for (const struct kiln_row *t = row; bracket != NULL && t >= f->results; t--) {
        if (t->kind == KILN_TABLE && strncmp(t->name, row->name, (size_t) (bracket - row->name)) == 0) {
            return t;
        }
    }
    return NULL;
}

static int mock_call_json(struct mock *m, json_t *request)
{
    const struct kiln_function *f = m->call.function;
    mock_done(m);
    memset(m->args, 0, sizeof m->args);
    memset(m->results, 0, sizeof m->results);
    m->error[0] = m->field[0] = '\0';
    const char *form = json_string_value(json_object_get(request, "form"));
    m->rows = form != NULL && strcmp(form, "rows") == 0;
    int rc = mock_bind(m, request);
    if (rc != KILN_OK) {
        return rc;
    }
    for (uint32_t i = 0; i < f->n_results; i++) {
        const struct kiln_row *table = mock_table(f, &f->results[i]);
        int64_t n = table ? atoll(table->shape) : 0;
        if (n > 0) {
            m->results[i].array =
                (struct kiln_array){.data = mock_take(&m->arena, (size_t) n * sizeof(double)),
                                    .rank = 1,
                                    .shape = {n},
                                    .count = n};
            m->results[i].present = 1;
        }
    }
    m->allocations = 0;
    rc = f->run(&m->call, m->args, m->results);
    mock_drop(&m->args_arena);
    return rc;
}

static inline int mock_call(struct mock *m, const char *text)
{
    json_error_t error;
    json_t *request = json_loads(text, 0, &error);
    if (request == NULL) {
        fail_msg("%s: %s", text, error.text);
    }
    int rc = mock_call_json(m, request);
    json_decref(request);
    return rc;
}

static json_t *mock_json(const struct kiln_value *v)
{
    json_t *out;
    switch (v->type) {
    case KILN_V_NULL:
        return json_null();
    case KILN_V_BOOL:
        return json_boolean(v->i);
    case KILN_V_INT:
        return json_integer(v->i);
    case KILN_V_FLOAT:
        return json_real(v->f);
    case KILN_V_STRING:
        return json_stringn(v->text, v->count);
    case KILN_V_LIST:
        out = json_array();
        for (uint32_t i = 0; i < v->count; i++) {
            json_array_append_new(out, mock_json(&v->list[i]));
        }
        return out;
    case KILN_V_ARRAY:
        out = json_array();
        for (int64_t i = 0; i < v->array->count; i++) {
            json_array_append_new(out, json_real(((const double *) v->array->data)[i]));
        }
        return out;
    default:
        assert_int_equal(v->type, KILN_V_MAP);
        out = json_object();
        for (uint32_t i = 0; i < v->count; i++) {
            assert_null(json_object_get(out, v->map[i].key));
            json_object_set_new(out, v->map[i].key, mock_json(&v->map[i].value));
        }
        return out;
    }
}

/* The reply, for the caller to json_decref(). Every result must be present and every number finite. */
static inline json_t *mock_reply(const struct mock *m)
{
    const struct kiln_function *f = m->call.function;
    json_t *reply = json_object();
    for (uint32_t i = 0; i < f->n_results; i++) {
        const struct kiln_row *row = &f->results[i];
        const struct kiln_slot *slot = &m->results[i];
        if (row->flags & KILN_OPTIONAL && !slot->present) {
            continue;
        }
        assert_true(slot->present);
        const struct kiln_row *table = mock_table(f, row);
        json_t *into = reply;
        const char *last = row->name, *dot = strchr(row->name, '.');
        if (dot != NULL) {
            char word[96];
            snprintf(word, sizeof word, "%.*s", (int) strcspn(row->name, ".["), row->name);
            into = json_object_get(reply, word);
            if (into == NULL) {
                into = json_object();
                json_object_set_new(reply, word, into);
            }
            last = dot + 1;
        }
        if (row->kind == KILN_TABLE) {
            json_object_set_new(reply, row->name, m->rows ? json_array() : json_object());
        } else if (table != NULL) {
            const double *data = slot->array.data;
            assert_int_equal(slot->array.count, m->results[table - f->results].i64);
            json_t *cells = json_array();
            for (int64_t k = 0; k < slot->array.count; k++) {
                json_t *cell = json_real(data[k]);
                assert_non_null(cell); /* NaN has no JSON */
                if (!m->rows) {
                    json_array_append_new(cells, cell);
                    continue;
                }
                if (json_array_size(into) <= (size_t) k) {
                    json_array_append_new(into, json_object());
                }
                json_object_set_new(json_array_get(into, (size_t) k), last, cell);
            }
            if (m->rows) {
                json_decref(cells);
            } else {
                json_object_set_new(into, last, cells);
            }
        } else if (row->kind == KILN_VALUE) {
            json_object_set_new(into, last, mock_json(slot->value));
        } else {
            json_t *number = json_real(slot->f64);
            assert_non_null(number);
            json_object_set_new(into, last, number);
        }
    }
    return reply;
}

/* cmocka's own comparison of this kind is in single precision. */
static inline void mock_near(double have, double want, double rtol)
{
    double off = have > want ? have - want : want - have;
    if (!(off <= rtol * (want < 0 ? -want : want))) {
        fail_msg("%.17g, expected %.17g", have, want);
    }
}

/* Compares what `want` names; lists must be equally long. */
static inline void mock_same(const char *path, json_t *have, json_t *want, double rtol)
{
    char inner[200];
    if (have == NULL) {
        fail_msg("%s is missing", path);
    }
    if (json_is_object(want)) {
        const char *key;
        json_t *item;
        json_object_foreach(want, key, item)
        {
            snprintf(inner, sizeof inner, "%s.%s", path, key);
            mock_same(inner, json_object_get(have, key), item, rtol);
        }
    } else if (json_is_array(want)) {
        if (json_array_size(have) != json_array_size(want)) {
            fail_msg("%s has %zu items, expected %zu", path, json_array_size(have), json_array_size(want));
        }
        for (size_t i = 0; i < json_array_size(want); i++) {
            snprintf(inner, sizeof inner, "%s[%zu]", path, i);
            mock_same(inner, json_array_get(have, i), json_array_get(want, i), rtol);
        }
    } else if (json_is_number(want)) {
        double v = json_number_value(have), w = json_number_value(want), off = v > w ? v - w : w - v;
        if (!json_is_number(have) || !(off <= rtol * (w < 0 ? -w : w))) {
            fail_msg("%s is %.17g, expected %.17g", path, v, w);
        }
    } else if (!json_equal(have, want)) {
        fail_msg("%s is not what was expected", path);
    }
}

#endif
