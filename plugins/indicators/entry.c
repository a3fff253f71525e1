/* SPDX-License-Identifier: MPL-2.0 */
#include "entry.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole numbers that a double holds. */
#define WHOLE 9007199254740992.0

int entry_refuse(struct kiln_call *call, const char *path, const char *member, const char *format, ...)
{
    char field[ENTRY_PATH_BYTES], sentence[256];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    snprintf(field, sizeof(field), "%s%s%.40s", path, *member ? "." : "", member);
    return call->host->fail(call, KILN_INVALID, field, "%s %s", field, sentence);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void show(const struct kiln_value *v, char out[ENTRY_SHOWN_BYTES])
{
    switch (v->type) {
    case KILN_V_BOOL:
        snprintf(out, ENTRY_SHOWN_BYTES, "%s", v->i ? "true" : "false");
        break;
    case KILN_V_INT:
        snprintf(out, ENTRY_SHOWN_BYTES, "%lld", (long long) v->i);
        break;
    case KILN_V_FLOAT:
        snprintf(out, ENTRY_SHOWN_BYTES, "%.15g", v->f);
        break;
    case KILN_V_STRING:
        snprintf(out, ENTRY_SHOWN_BYTES, "\"%.60s\"", v->text);
        break;
    default:
        snprintf(out, ENTRY_SHOWN_BYTES, "%s",
                 v->type == KILN_V_NULL    ? "null"
                 : v->type == KILN_V_BYTES ? "bytes"
                 : v->type == KILN_V_MAP   ? "a map"
                                           : "a list");
    }
}

static void show_slot(const struct kiln_row *row, const struct kiln_slot *slot, char out[ENTRY_SHOWN_BYTES])
{
    struct kiln_value v = {.type = KILN_V_FLOAT, .i = slot->i64, .f = slot->f64, .text = slot->text};
    if (row->kind != KILN_FLOAT) {
        v.type = row->kind == KILN_INT ? KILN_V_INT : row->kind == KILN_BOOL ? KILN_V_BOOL : KILN_V_STRING;
    }
    show(&v, out);
}

static bool has_range(const struct kiln_row *row)
{
    return row->min != 0.0 || row->max != 0.0;
}

static bool in_range(const struct kiln_row *row, double v)
{
    bool above = row->flags & KILN_OPEN_MIN ? v > row->min : v >= row->min;
    bool below = row->flags & KILN_OPEN_MAX ? v < row->max : v <= row->max;
    return !has_range(row) || (above && below);
}

const char *entry_range_text(const struct kiln_row *row, char out[ENTRY_SHOWN_BYTES])
{
    const char *above = row->flags & KILN_OPEN_MIN ? ">" : ">=",
               *below = row->flags & KILN_OPEN_MAX ? "<" : "<=";
    if (!has_range(row)) {
        snprintf(out, ENTRY_SHOWN_BYTES, "a finite number");
    } else if (isinf(row->max)) {
        snprintf(out, ENTRY_SHOWN_BYTES, "%s %.15g", above, row->min);
    } else if (isinf(row->min)) {
        snprintf(out, ENTRY_SHOWN_BYTES, "%s %.15g", below, row->max);
    } else if (row->flags & (KILN_OPEN_MIN | KILN_OPEN_MAX)) {
        snprintf(out, ENTRY_SHOWN_BYTES, "%s %.15g and %s %.15g", above, row->min, below, row->max);
    } else {
        snprintf(out, ENTRY_SHOWN_BYTES, "%.15g..%.15g", row->min, row->max);
    }
    return out;
}

static int parse_number(struct kiln_call *call, const char *path, const struct kiln_row *row,
                        const struct kiln_value *v, struct kiln_slot *slot)
{
    bool whole = row->kind == KILN_INT;
    char shown[ENTRY_SHOWN_BYTES], range[ENTRY_SHOWN_BYTES];
    show(v, shown);
    if (v->type != KILN_V_INT && v->type != KILN_V_FLOAT) {
        return entry_refuse(call, path, row->name, "is %s, expected a %s", shown,
                            whole ? "whole number" : "number");
    }
    double number = v->type == KILN_V_INT ? (double) v->i : v->f;
    if (whole && (!(fabs(number) <= WHOLE) || number != floor(number))) {
        return entry_refuse(call, path, row->name, "is %s, expected a whole number", shown);
    }
    if ((row->flags & KILN_FINITE) && !isfinite(number)) {
        return entry_refuse(call, path, row->name, "is %s, expected a finite number", shown);
    }
    if (!in_range(row, number)) {
        return entry_refuse(call, path, row->name, "is %s, expected %s", shown, entry_range_text(row, range));
    }
    if (whole) {
        slot->i64 = (int64_t) number;
    } else {
        slot->f64 = number;
    }
    return KILN_OK;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t bytes = strlen(text);
    for (const char *at = choices;; at++) {
        const char *bar = strchr(at, '|');
        size_t length = bar ? (size_t) (bar - at) : strlen(at);
        if (length == bytes && memcmp(at, text, bytes) == 0) {
            return true;
        }
        if (!bar) {
            return false;
        }
        at = bar;
    }
}

static int parse_value(struct kiln_call *call, const char *path, const struct kiln_row *row,
                       const struct kiln_value *v, struct kiln_slot *slot)
{
    char shown[ENTRY_SHOWN_BYTES];
    show(v, shown);
    switch (row->kind) {
    case KILN_INT:
    case KILN_FLOAT:
        return parse_number(call, path, row, v, slot);
    case KILN_BOOL:
        slot->i64 = v->i;
        return v->type == KILN_V_BOOL
                   ? KILN_OK
                   : entry_refuse(call, path, row->name, "is %s, expected true or false", shown);
    case KILN_STRING:
        slot->text = v->text;
        slot->text_bytes = v->count;
        if (v->type != KILN_V_STRING) {
            return entry_refuse(call, path, row->name, "is %s, expected a string", shown);
        }
        return !row->choices || is_choice(row->choices, v->text)
                   ? KILN_OK
                   : entry_refuse(call, path, row->name, "is %s, expected one of %s", shown, row->choices);
    default:
        return entry_refuse(call, path, row->name, "cannot be given in a list of indicators");
    }
}

/* The row's default is JSON: a number, true, false, or a string without escapes. */
static int parse_fallback(struct kiln_call *call, const char *path, const struct kiln_row *row,
                          struct kiln_slot *slot)
{
    const char *json = row->fallback;
    if (row->kind == KILN_INT || row->kind == KILN_FLOAT) {
        slot->f64 = row->kind == KILN_FLOAT ? strtod(json, NULL) : 0.0;
        slot->i64 = row->kind == KILN_INT ? strtoll(json, NULL, 10) : 0;
        return KILN_OK;
    }
    if (row->kind == KILN_BOOL) {
        slot->i64 = strcmp(json, "true") == 0;
        return KILN_OK;
    }
    size_t bytes = strlen(json) - 2;
    char *text = call->host->alloc(call, bytes + 1);
    if (!text) {
        return call->host->fail(call, KILN_RESOURCE, NULL, "no memory for %s", path);
    }
    memcpy(text, json + 1, bytes);
    text[bytes] = '\0';
    slot->text = text;
    slot->text_bytes = bytes;
    return KILN_OK;
}

/* ---- members --------------------------------------------------------------------------------- */

static const struct kiln_value *member_of(const struct kiln_value *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->map[i].key, key) == 0) {
            return map->map[i].value.type == KILN_V_NULL ? NULL : &map->map[i].value;
        }
    }
    return NULL;
}

/* A name: of a series, or a label. They go into the state and back, so they are kept plain. */
static int parse_name(struct kiln_call *call, const char *path, const char *member,
                      const struct kiln_value *v, const char *by_default, const char **ret_name)
{
    *ret_name = by_default;
    if (!v) {
        return KILN_OK;
    }
    bool plain = v->type == KILN_V_STRING && v->count > 0 && v->count <= ENTRY_NAME_BYTES;
    for (size_t i = 0; plain && i < v->count; i++) {
        plain = v->text[i] >= ' ' && v->text[i] <= '~';
    }
    if (!plain) {
        char shown[ENTRY_SHOWN_BYTES];
        show(v, shown);
        return entry_refuse(call, path, member, "is %s, expected a name of 1..%d ASCII characters", shown,
                            ENTRY_NAME_BYTES);
    }
    *ret_name = v->text;
    return KILN_OK;
}

/* "close, period, ma_type", as many as there is room for. */
static const char *list_parameters(const struct kiln_function *fn, char *out, size_t bytes)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t k = 0; k < fn->n_params; k++) {
        const size_t need = strlen(fn->params[k].name) + 2;
        if (at + need + 5 > bytes) {
            snprintf(out + at, bytes - at, ", ...");
            break;
        }
        at += (size_t) snprintf(out + at, bytes - at, "%s%s", k ? ", " : "", fn->params[k].name);
    }
    return out;
}

static int refuse_unknown(struct kiln_call *call, const char *path, const struct kiln_value *map,
                          const struct kiln_function *fn)
{
    for (size_t i = 0; i < map->count; i++) {
        const char *key = map->map[i].key;
        bool known = strcmp(key, "fn") == 0 || strcmp(key, "as") == 0;
        for (size_t k = 0; k < fn->n_params && !known; k++) {
            known = strcmp(key, fn->params[k].name) == 0;
        }
        if (!known) {
            char list[160];
            return entry_refuse(call, path, key, "is unknown, expected one of %s (%s)",
                                list_parameters(fn, list, sizeof(list)), fn->name);
        }
    }
    return KILN_OK;
}

static int find_function(struct kiln_call *call, const char *path, const struct kiln_value *map,
                         struct entry *e)
{
    const struct kiln_value *fn = member_of(map, "fn");
    char shown[ENTRY_SHOWN_BYTES];
    if (!fn) {
        return entry_refuse(call, path, "fn", "is missing, expected the name of an indicator");
    }
    show(fn, shown);
    e->indicator = fn->type == KILN_V_STRING ? indicator_find(fn->text) : NULL;
    return e->indicator ? KILN_OK
                        : entry_refuse(call, path, "fn",
                                       "is %s, expected the name of an indicator, such as \"rsi\"", shown);
}

static int parse_args(struct kiln_call *call, const char *path, const struct kiln_value *map, struct entry *e)
{
    for (size_t i = 0; i < entry_args(e); i++) {
        const struct kiln_row *row = entry_row(e, i);
        const struct kiln_value *v = member_of(map, row->name);
        int status = KILN_OK;
        if (v) {
            e->args[i].present = 1;
            status = parse_value(call, path, row, v, &e->args[i]);
        } else if (row->fallback) {
            status = parse_fallback(call, path, row, &e->args[i]);
        } else if (row->flags & KILN_REQUIRED) {
            status = entry_refuse(call, path, row->name, "is missing, and has no default");
        }
        if (status != KILN_OK) {
            return status;
        }
    }
    return KILN_OK;
}

int entry_parse(struct kiln_call *call, const char *path, const struct kiln_value *value,
                struct entry *ret_entry)
{
    struct entry e = {.indicator = NULL};
    if (value->type != KILN_V_MAP) {
        char shown[ENTRY_SHOWN_BYTES];
        show(value, shown);
        return entry_refuse(call, path, "", "is %s, expected a map like {\"fn\": \"sma\", \"period\": 20}",
                            shown);
    }
    int status = find_function(call, path, value, &e);
    if (status != KILN_OK) {
        return status;
    }
    const struct kiln_function *fn = e.indicator->function;
    status = refuse_unknown(call, path, value, fn);
    if (status == KILN_OK) {
        status = parse_name(call, path, "as", member_of(value, "as"), fn->name, &e.label);
    }
    for (size_t k = 0; k < e.indicator->n_series && status == KILN_OK; k++) {
        const char *name = fn->params[k].name;
        status = parse_name(call, path, name, member_of(value, name), name, &e.source[k]);
    }
    if (status == KILN_OK) {
        status = parse_args(call, path, value, &e);
    }
    if (status == KILN_OK) {
        *ret_entry = e;
    }
    return status;
}

/* ---- comparing ------------------------------------------------------------------------------- */

bool entry_has(const struct entry *e, size_t arg)
{
    return e->args[arg].present || entry_row(e, arg)->fallback;
}

static bool same_arg(const struct kiln_row *row, const struct kiln_slot *a, const struct kiln_slot *b)
{
    return row->kind == KILN_STRING  ? strcmp(a->text, b->text) == 0
           : row->kind == KILN_FLOAT ? memcmp(&a->f64, &b->f64, sizeof(a->f64)) == 0
                                     : a->i64 == b->i64;
}

static bool differ(const char *member, const char *a, const char *b, const char **ret_member, char *one,
                   char *other)
{
    if (ret_member) {
        *ret_member = member;
        snprintf(one, ENTRY_SHOWN_BYTES, "\"%s\"", a);
        snprintf(other, ENTRY_SHOWN_BYTES, "\"%s\"", b);
    }
    return false;
}

bool entry_same(const struct entry *a, const struct entry *b, const char **ret_member,
                char one[ENTRY_SHOWN_BYTES], char other[ENTRY_SHOWN_BYTES])
{
    const struct kiln_function *fn = a->indicator->function;
    if (a->indicator != b->indicator) {
        return differ("fn", fn->name, b->indicator->function->name, ret_member, one, other);
    }
    for (size_t k = 0; k < a->indicator->n_series; k++) {
        if (strcmp(a->source[k], b->source[k]) != 0) {
            return differ(fn->params[k].name, a->source[k], b->source[k], ret_member, one, other);
        }
    }
    for (size_t i = 0; i < entry_args(a); i++) {
        const struct kiln_row *row = entry_row(a, i);
        bool both = entry_has(a, i) && entry_has(b, i);
        if (entry_has(a, i) == entry_has(b, i) && (!both || same_arg(row, &a->args[i], &b->args[i]))) {
            continue;
        }
        if (ret_member) {
            *ret_member = row->name;
            snprintf(one, ENTRY_SHOWN_BYTES, "nothing");
            snprintf(other, ENTRY_SHOWN_BYTES, "nothing");
            if (entry_has(a, i)) {
                show_slot(row, &a->args[i], one);
            }
            if (entry_has(b, i)) {
                show_slot(row, &b->args[i], other);
            }
        }
        return false;
    }
    return true;
}
