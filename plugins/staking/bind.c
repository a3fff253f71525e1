/* SPDX-License-Identifier: MPL-2.0 */
#include "bind.h"
#include "number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MAX 0x1p53

/* ---- defaults: the little of JSON that rows are written in --------------------------------------------- */

static int list_default(struct kiln_call *call, const struct kiln_row *row, struct kiln_slot *slot)
{
    size_t n = 1;
    for (const char *c = row->fallback; *c; c++) {
        n += *c == ',';
    }
    double *data = call->host->alloc(call, n * sizeof *data);
    if (data == NULL) {
        return KILN_RESOURCE;
    }
    int64_t *whole = (int64_t *) (void *) data;
    char *at = NULL;
    const char *from = row->fallback + 1; /* behind the bracket */
    for (size_t i = 0; i < n; i++, from = at + 1) {
        double v = strtod(from, &at);
        if (row->dtype == KILN_I64) {
            whole[i] = (int64_t) v;
        } else {
            data[i] = v;
        }
    }
    slot->array = (struct kiln_array){
        .data = data, .dtype = row->dtype, .rank = 1, .shape = {(int64_t) n}, .count = (int64_t) n};
    return KILN_OK;
}

static int text_default(struct kiln_call *call, const struct kiln_row *row, struct kiln_slot *slot)
{
    size_t bytes = strlen(row->fallback) - 2; /* without quotes */
    char *text = call->host->alloc(call, bytes + 1);
    if (text == NULL) {
        return KILN_RESOURCE;
    }
    memcpy(text, row->fallback + 1, bytes);
    text[bytes] = '\0';
    slot->text = text;
    slot->text_bytes = bytes;
    return KILN_OK;
}

int bind_defaults(struct kiln_call *call, const struct kiln_row *rows, size_t n, struct kiln_slot *slots)
{
    memset(slots, 0, n * sizeof *slots);
    for (size_t i = 0; i < n; i++) {
        int rc = KILN_OK;
        if (rows[i].fallback == NULL) {
            continue;
        }
        if (rows[i].kind == KILN_STRING) {
            rc = text_default(call, &rows[i], &slots[i]);
        } else if (rows[i].kind == KILN_ARRAY) {
            rc = list_default(call, &rows[i], &slots[i]);
        } else {
            slots[i].f64 = strtod(rows[i].fallback, NULL);
            slots[i].i64 = (int64_t) slots[i].f64;
        }
        if (rc != KILN_OK) {
            return rc;
        }
    }
    return KILN_OK;
}

/* ---- one value ----------------------------------------------------------------------------------------- */

static int refuse(struct kiln_call *call, const struct kiln_row *row, const char *what)
{
    return call->host->fail(call, KILN_INVALID, row->name, "%s is not %s", row->name, what);
}

static int check(struct kiln_call *call, const struct kiln_row *row, const char *where, double v)
{
    bool ranged = row->min != 0 || row->max != 0;
    bool inside = v >= row->min && v <= row->max && !((row->flags & KILN_OPEN_MIN) && v <= row->min);
    if ((ranged && !inside) || ((row->flags & KILN_FINITE) && !isfinite(v))) {
        return call->host->fail(call, KILN_INVALID, row->name, "%s is %g, expected %g%s..%g", where, v,
                                row->min, row->flags & KILN_OPEN_MIN ? " (excluded)" : "", row->max);
    }
    return KILN_OK;
}

static int number(struct kiln_call *call, const struct kiln_row *row, const struct kiln_value *v,
                  struct kiln_slot *slot)
{
    if (v->type != KILN_V_INT && v->type != KILN_V_FLOAT) {
        return refuse(call, row, "a number");
    }
    slot->f64 = v->type == KILN_V_INT ? (double) v->i : v->f;
    slot->i64 = v->i;
    if (row->kind == KILN_INT && v->type == KILN_V_FLOAT) {
        if (!(fabs(v->f) <= WHOLE_MAX && v->f == floor(v->f))) {
            return refuse(call, row, "a whole number");
        }
        slot->i64 = (int64_t) v->f;
    }
    return check(call, row, row->name, slot->f64);
}

/* A word of a|b|c. */
static bool is_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);
    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        size_t word = strcspn(at, "|");
        if (word == n && memcmp(at, text, n) == 0) {
            return true;
        }
    }
    return false;
}

static int text(struct kiln_call *call, const struct kiln_row *row, const struct kiln_value *v,
                struct kiln_slot *slot)
{
    if (v->type != KILN_V_STRING) {
        return refuse(call, row, "a string");
    }
    if (row->choices != NULL && !is_choice(row->choices, v->text)) {
        return call->host->fail(call, KILN_INVALID, row->name, "%s is \"%.40s\", expected one of %s",
                                row->name, v->text, row->choices);
    }
    slot->text = v->text;
    slot->text_bytes = v->count;
    return KILN_OK;
}

/* Numbers one by one, from a list or a column of cells. */
static int store(struct kiln_call *call, const struct kiln_row *row, size_t i, double v, void *data)
{
    char where[128];
    snprintf(where, sizeof where, "%s[%zu]", row->name, i);
    if (row->dtype == KILN_I64) {
        if (!(fabs(v) <= WHOLE_MAX && v == floor(v))) {
            return call->host->fail(call, KILN_INVALID, row->name, "%s is %g, expected a whole number", where,
                                    v);
        }
        ((int64_t *) data)[i] = (int64_t) v;
    } else {
        ((double *) data)[i] = v;
    }
    return check(call, row, where, v);
}

static int take(struct kiln_call *call, const struct kiln_row *row, size_t n, struct kiln_slot *slot)
{
    void *data = call->host->alloc(call, n * sizeof(double));
    slot->array = (struct kiln_array){
        .data = data, .dtype = row->dtype, .rank = 1, .shape = {(int64_t) n}, .count = (int64_t) n};
    slot->present = 1;
    return data ? KILN_OK : KILN_RESOURCE;
}

static int list(struct kiln_call *call, const struct kiln_row *row, const struct kiln_value *v,
                struct kiln_slot *slot)
{
    if (v->type != KILN_V_ARRAY || v->array->rank != 1 || v->array->count == 0) {
        return refuse(call, row, "a list of numbers");
    }
    size_t n = (size_t) v->array->count;
    int rc = take(call, row, n, slot);
    for (size_t i = 0; rc == KILN_OK && i < n; i++) {
        rc = store(call, row, i, number_at(v->array, i), slot->array.data);
    }
    return rc;
}

static const struct kiln_value *member(const struct kiln_value *map, const char *key)
{
    for (uint32_t i = 0; i < map->count; i++) {
        if (strcmp(map->map[i].key, key) == 0) {
            return map->map[i].value.type == KILN_V_NULL ? NULL : &map->map[i].value;
        }
    }
    return NULL;
}

static int missing(struct kiln_call *call, const struct kiln_row *row)
{
    return call->host->fail(call, KILN_INVALID, row->name, "%s is missing", row->name);
}

/* A column of a list of maps. */
static int cells(struct kiln_call *call, const struct kiln_row *row, const char *key,
                 const struct kiln_value *records, struct kiln_slot *slot)
{
    int rc = take(call, row, records->count, slot);
    for (uint32_t i = 0; rc == KILN_OK && i < records->count; i++) {
        const struct kiln_value *record = &records->list[i];
        const struct kiln_value *cell = record->type == KILN_V_MAP ? member(record, key) : NULL;
        struct kiln_slot one = {0};
        rc = cell == NULL ? missing(call, row) : number(call, row, cell, &one);
        rc = rc == KILN_OK ? store(call, row, i, one.f64, slot->array.data) : rc;
    }
    return rc;
}

/* Both forms of a table: a list of maps, a map of equally long lists. Its columns are the rows behind it. */
static int table(struct kiln_call *call, const struct kiln_row *rows, size_t n, const struct kiln_value *v,
                 struct kiln_slot *slots)
{
    size_t prefix = strlen(rows->name) + 3; /* "[]." */
    bool by_row = v->type == KILN_V_LIST && v->count > 0;
    if (!by_row && v->type != KILN_V_MAP) {
        return refuse(call, rows, "a table: a list of maps, or a map of lists");
    }
    int rc = KILN_OK;
    for (size_t c = 1; rc == KILN_OK && c < n && strncmp(rows[c].name, rows->name, prefix - 3) == 0 &&
                       strncmp(rows[c].name + prefix - 3, "[].", 3) == 0;
         c++) {
        const char *key = rows[c].name + prefix;
        if (by_row) {
            rc = cells(call, &rows[c], key, v, &slots[c]);
        } else {
            const struct kiln_value *column = member(v, key);
            rc = column == NULL ? missing(call, &rows[c]) : list(call, &rows[c], column, &slots[c]);
        }
        if (rc == KILN_OK && c > 1 && slots[c].array.count != slots[1].array.count) {
            rc = call->host->fail(call, KILN_INVALID, rows[c].name, "%s has %lld items, expected %lld as %s",
                                  rows[c].name, (long long) slots[c].array.count,
                                  (long long) slots[1].array.count, rows[1].name);
        }
    }
    slots->i64 = slots[1].array.count;
    return rc;
}

/* ---- maps ---------------------------------------------------------------------------------------------- */

static int members(struct kiln_call *call, const char *path, const struct kiln_row *rows, size_t n,
                   const struct kiln_value *map, struct kiln_slot *slots, struct bind_unknown *unknown);

static int value(struct kiln_call *call, const struct kiln_row *rows, size_t n, const struct kiln_value *v,
                 struct kiln_slot *slots, struct bind_unknown *unknown)
{
    slots->present = 1;
    switch (rows->kind) {
    case KILN_MAP:
        return v->type == KILN_V_MAP ? members(call, rows->name, rows + 1, n - 1, v, slots + 1, unknown)
                                     : refuse(call, rows, "a map");
    case KILN_TABLE:
        return table(call, rows, n, v, slots);
    case KILN_ARRAY:
        return list(call, rows, v, slots);
    case KILN_STRING:
        return text(call, rows, v, slots);
    case KILN_VALUE:
        slots->value = v;
        return KILN_OK;
    default:
        return number(call, rows, v, slots);
    }
}

/* The rows of the members of `path` are among the n at `rows`, before the first that does not begin with
 * it. */
static int members(struct kiln_call *call, const char *path, const struct kiln_row *rows, size_t n,
                   const struct kiln_value *map, struct kiln_slot *slots, struct bind_unknown *unknown)
{
    size_t prefix = strlen(path);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct kiln_pair *pair = &map->map[i];
        bool known = false;
        for (size_t r = 0; r < n && strncmp(rows[r].name, path, prefix) == 0; r++) {
            const char *rest = rows[r].name + prefix;
            known = strpbrk(pair->key, ".[") == NULL && (prefix == 0 || *rest++ == '.') &&
                    strcmp(rest, pair->key) == 0;
            if (known && pair->value.type != KILN_V_NULL) {
                int rc = value(call, rows + r, n - r, &pair->value, slots + r, unknown);
                if (rc != KILN_OK) {
                    return rc;
                }
            }
            if (known) {
                break;
            }
        }
        if (!known && unknown->path[0] == '\0') {
            snprintf(unknown->path, sizeof unknown->path, "%s%s%.60s", path, prefix ? "." : "", pair->key);
        }
    }
    return KILN_OK;
}

int bind_map(struct kiln_call *call, const struct kiln_row *rows, size_t n, const struct kiln_value *map,
             struct kiln_slot *slots, struct bind_unknown *ret_unknown)
{
    ret_unknown->path[0] = '\0';
    if (map->type != KILN_V_MAP) {
        return call->host->fail(call, KILN_INVALID, "requests", "a request is not a map");
    }
    return members(call, "", rows, n, map, slots, ret_unknown);
}
