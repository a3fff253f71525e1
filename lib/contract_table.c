/* SPDX-License-Identifier: MPL-2.0 */
/* contract_table - tables as arguments: a list of maps, or a map of equally long arrays. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "contract_impl.h"

/* A column while it is being filled: how many cells it has. */
struct column {
    const struct member *m;
    struct kiln_array *array;
    int64_t filled;
};

static int make(struct binder *b, const struct member *m, struct kiln_array *a, int64_t n)
{
    a->data = arena_alloc(b->arena, (size_t) n * array_item_bytes(m->dtype), m->path);
    if (!a->data) {
        return contract_spent(b, m->path);
    }
    a->dtype = m->dtype;
    a->rank = 1;
    a->shape[0] = a->count = n;
    return 0;
}

/* Cells from..to-1 that nobody sent. */
static int fill_missing(struct binder *b, const struct member *m, void *data, int64_t from, int64_t to)
{
    size_t item = array_item_bytes(m->dtype);
    bool floats = m->dtype == KILN_F64 || m->dtype == KILN_F32;
    for (int64_t i = from; i < to; i++) {
        char *cell = (char *) data + (size_t) i * item;
        if (m->fill) {
            memcpy(cell, m->fill, item);
        } else if (floats && !(m->row->flags & (KILN_REQUIRED | KILN_FINITE))) {
            array_set(&(struct token){.type = SCAN_NIL}, m->dtype, data, (size_t) i);
        } else {
            return err_set(b->err, KILN_INVALID, m->path, "%s[%lld].%s is missing, expected %s",
                           m->parent->path, (long long) i, m->name,
                           m->kind == KILN_BOOL ? "true or false"
                           : floats             ? "a number"
                                                : "a whole number");
        }
    }
    return 0;
}

static int set_cell(struct binder *b, const struct member *m, void *data, int64_t row, const struct token *t)
{
    const char *expected = m->kind == KILN_BOOL && t->type != SCAN_BOOL
                               ? "true or false"
                               : array_set(t, m->dtype, data, (size_t) row);
    if (!expected) {
        return 0;
    }
    char shown[80];
    return err_set(b->err, KILN_INVALID, m->path, "%s[%lld].%s is %s, expected %s", m->parent->path,
                   (long long) row, m->name, scan_show(t, shown, sizeof shown), expected);
}

static int bind_cell(struct binder *b, struct column *c, int64_t row, int64_t n)
{
    struct token t;
    if (!scan_next(&b->s, &t)) {
        return err_set(b->err, KILN_INVALID, c->m->path, "%s is truncated", c->m->path);
    }
    if (c->array->rank == 0) {
        int status = make(b, c->m, c->array, n);
        if (status) {
            return status;
        }
    }
    int status = fill_missing(b, c->m, c->array->data, c->filled, row);
    if (status) {
        return status;
    }
    c->filled = row + 1;
    return set_cell(b, c->m, c->array->data, row, &t);
}

static int bind_row(struct binder *b, const struct member *table, struct column *columns, int64_t row,
                    int64_t n)
{
    struct token t;
    char shown[80], path[160];
    if (!scan_next(&b->s, &t) || t.type != SCAN_MAP) {
        return err_set(b->err, KILN_INVALID, table->path, "%s[%lld] is %s, expected a map", table->path,
                       (long long) row, scan_show(&t, shown, sizeof shown));
    }
    const struct member *hint = table->first;
    for (uint32_t i = 0, pairs = t.count; i < pairs; i++) {
        if (!scan_next(&b->s, &t) || t.type != SCAN_STR) {
            return err_set(b->err, KILN_INVALID, table->path, "%s[%lld] has the key %s, expected a string",
                           table->path, (long long) row, scan_show(&t, shown, sizeof shown));
        }
        const struct member *m = contract_find(table, hint, t.text, t.count);
        if (!m) {
            if (!(table->row->flags & KILN_LENIENT)) {
                snprintf(path, sizeof path, "%s[%lld]", table->path, (long long) row);
                return contract_unknown(b, table, path, &t);
            }
            if (!scan_skip(&b->s)) {
                return err_set(b->err, KILN_INVALID, table->path, "%s is truncated", table->path);
            }
            continue;
        }
        hint = m->next;
        struct column *c = &columns[m->place];
        if (c->filled > row) {
            return err_set(b->err, KILN_INVALID, m->path, "%s[%lld].%s is there twice", table->path,
                           (long long) row, m->name);
        }
        int status = bind_cell(b, c, row, n);
        if (status) {
            return status;
        }
    }
    return 0;
}

static int bind_rows(struct binder *b, const struct member *table, struct column *columns, int64_t n)
{
    for (int64_t row = 0; row < n; row++) {
        int status = bind_row(b, table, columns, row, n);
        if (status) {
            return status;
        }
    }
    return 0;
}

static int bind_columns(struct binder *b, const struct member *table, struct column *columns, uint32_t pairs,
                        int64_t *ret_rows)
{
    int64_t n = -1;
    const struct member *hint = table->first, *first = NULL;
    for (uint32_t i = 0; i < pairs; i++) {
        struct token t;
        char shown[80];
        if (!scan_next(&b->s, &t) || t.type != SCAN_STR) {
            return err_set(b->err, KILN_INVALID, table->path, "%s has the key %s, expected a string",
                           table->path, scan_show(&t, shown, sizeof shown));
        }
        const struct member *m = contract_find(table, hint, t.text, t.count);
        if (!m) {
            if (!(table->row->flags & KILN_LENIENT)) {
                return contract_unknown(b, table, table->path, &t);
            }
            if (!scan_skip(&b->s)) {
                return err_set(b->err, KILN_INVALID, table->path, "%s is truncated", table->path);
            }
            continue;
        }
        hint = m->next;
        struct column *c = &columns[m->place];
        if (bit_get(b->seen, m->index)) {
            return err_set(b->err, KILN_INVALID, m->path, "argument \"%s\" is there twice", m->path);
        }
        bit_set(b->seen, m->index);
        if (b->s.at < b->s.end && *b->s.at == 0xc0) {
            b->s.at++;
            continue;
        }
        bool nd = false;
        struct array_want want = {.name = m->path, .dtype = m->dtype, .rank = 1};
        int status = array_decode(&b->s, &want, b->arena, c->array, &nd, b->err);
        if (status) {
            return status;
        }
        b->nd |= nd;
        c->filled = c->array->count;
        if (n >= 0 && n != c->array->count) {
            return err_set(b->err, KILN_INVALID, m->path, "%s has %lld element%s, expected %lld (as %s)",
                           m->path, (long long) c->array->count, c->array->count == 1 ? "" : "s",
                           (long long) n, first->path);
        }
        n = c->array->count;
        first = m;
    }
    *ret_rows = n < 0 ? 0 : n;
    return 0;
}

/* Cells that were never sent, defaults of whole columns, ranges. */
static int finish_column(struct binder *b, struct column *c, int64_t n)
{
    const struct member *m = c->m;
    struct kiln_slot *slot = &b->slots[m->slot];
    int status = 0;
    slot->present = c->array->rank != 0;
    if (c->array->rank == 0) {
        if (m->row->flags & KILN_REQUIRED && n > 0) {
            return err_set(b->err, KILN_INVALID, m->path, "%s[0].%s is missing, expected a number",
                           m->parent->path, m->name);
        }
        if (!m->fill && !(m->row->flags & KILN_REQUIRED)) {
            return 0;
        }
        status = make(b, m, c->array, n);
    }
    if (status == 0) {
        status = fill_missing(b, m, c->array->data, c->filled, n);
    }
    return status ? status : contract_check_array(m, c->array, b->err);
}

int contract_bind_table(struct binder *b, const struct member *table)
{
    struct column columns[KILN_MAX_ROWS];
    uint32_t k = 0;
    for (const struct member *m = table->first; m; m = m->next, k++) {
        columns[k] = (struct column){m, &b->slots[m->slot].array, 0};
    }
    struct token t;
    char shown[80];
    int64_t n = 0;
    int status;
    if (!scan_next(&b->s, &t)) {
        return err_set(b->err, KILN_INVALID, table->path, "%s is truncated", table->path);
    }
    if (t.type == SCAN_LIST) {
        n = t.count;
        status = bind_rows(b, table, columns, n);
    } else if (t.type == SCAN_MAP) {
        status = bind_columns(b, table, columns, t.count, &n);
    } else {
        return err_set(b->err, KILN_INVALID, table->path,
                       "%s is %s, expected a list of maps, or a map of lists", table->path,
                       scan_show(&t, shown, sizeof shown));
    }
    for (uint32_t i = 0; i < k && status == 0; i++) {
        status = finish_column(b, &columns[i], n);
    }
    b->slots[table->slot].i64 = n;
    return status;
}
