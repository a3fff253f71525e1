/* SPDX-License-Identifier: MPL-2.0 */
/* contract_reply - result slots: made before the call, read after it. */
#include <string.h>

#include "array.h"
#include "contract_impl.h"
#include "utf8.h"
#include "value.h"

static int spent(const struct member *m, const struct arena *arena, struct err *err)
{
    return err_set(err, KILN_RESOURCE, NULL, "the result %s needs more memory than a job may use (%zu bytes)",
                   m->path, arena->cap);
}

/* The size of each dimension; false when the first one grows (it is then left at 0). *ret_count: elements, of
 * one row when it grows. */
static bool sizes(const struct member *m, const struct bound *bound, struct kiln_array *a,
                  uint64_t *ret_count)
{
    bool fixed = true;
    uint64_t n = 1;
    a->dtype = m->dtype;
    a->rank = m->shape.rank;
    for (uint32_t d = 0; d < a->rank; d++) {
        const struct dim *dim = &m->shape.dims[d];
        int64_t size = dim->symbol < 0 ? dim->size : bound->sizes[dim->symbol];
        if (d == 0 && size < 0) {
            fixed = false;
            a->shape[0] = 0;
            continue;
        }
        a->shape[d] = size < 0 ? 0 : size; /* an optional array that was not given binds nothing */
        if (__builtin_mul_overflow(n, (uint64_t) a->shape[d], &n) || n > SIZE_MAX / 64) {
            n = SIZE_MAX / 64; /* no arena gives this much */
        }
    }
    *ret_count = n;
    return fixed;
}

int contract_results(const struct contract *c, const struct bound *bound, struct arena *arena,
                     struct kiln_slot *results, struct err *err)
{
    memset(results, 0, c->results.n * sizeof *results);
    for (size_t i = 0; i < c->results.n; i++) {
        const struct member *m = c->results.of_row[i];
        struct kiln_slot *slot = &results[i];
        uint64_t n;
        if (m->kind == KILN_TABLE) {
            struct kiln_array rows = {0};
            if (sizes(m, bound, &rows, &n)) {
                slot->i64 = rows.shape[0];
                slot->present = 1;
            }
            continue;
        }
        if (m->shape.rank == 0 || !sizes(m, bound, &slot->array, &n)) {
            continue;
        }
        slot->array.data = arena_alloc(arena, (size_t) n * array_item_bytes(m->dtype), m->path);
        if (!slot->array.data) {
            return spent(m, arena, err);
        }
        slot->array.count = (int64_t) n;
        slot->present = 1;
    }
    return 0;
}

void *contract_grow(const struct contract *c, const struct bound *bound, struct arena *arena,
                    struct kiln_slot *results, size_t index, int64_t rows)
{
    if (index >= c->results.n || rows < 0 || rows > INT32_MAX) {
        return NULL;
    }
    const struct member *m = c->results.of_row[index];
    if (m->shape.rank == 0 || m->kind == KILN_TABLE || !contract_grows(c, m, bound)) {
        return NULL;
    }
    struct kiln_array *a = &results[index].array;
    uint64_t row_items, n;
    struct kiln_array shaped = *a;
    sizes(m, bound, &shaped, &row_items);
    if (__builtin_mul_overflow(row_items, (uint64_t) rows, &n) || n > SIZE_MAX / 64) {
        return NULL;
    }
    void *data = arena_grow(arena, a->data, (size_t) n * array_item_bytes(m->dtype), m->path);
    if (!data) {
        return NULL;
    }
    shaped.data = data;
    shaped.shape[0] = rows;
    shaped.count = (int64_t) n;
    *a = shaped;
    results[index].present = 1;
    return data;
}

/* ---- encoding -------------------------------------------------------------------------------- */

struct replier {
    const struct contract *c;
    const struct kiln_slot *slots;
    struct buf *out;
    struct err *err;
    enum contract_form form;
    struct bound bound; /* growing symbols are bound by the first result that carries them */
};

static int unsound(struct replier *r, const struct member *m, const char *what)
{
    return err_set(r->err, KILN_INTERNAL, NULL, "the plugin's result %s %s", m->path, what);
}

static int check_array(struct replier *r, const struct member *m, const struct kiln_array *a)
{
    if (a->rank != m->shape.rank || a->dtype != m->dtype) {
        return unsound(r, m, "has another rank or dtype than its row says");
    }
    uint64_t n = 1;
    for (uint32_t d = 0; d < a->rank; d++) {
        const struct dim *dim = &m->shape.dims[d];
        int64_t *have = dim->symbol < 0 ? NULL : &r->bound.sizes[dim->symbol];
        if (have && *have < 0 && d == 0) {
            *have = a->shape[d];
        }
        int64_t want = have ? *have : dim->size;
        if (a->shape[d] < 0 || a->shape[d] != (want < 0 ? 0 : want)) {
            return err_set(r->err, KILN_INTERNAL, NULL,
                           "the plugin's result %s has size %lld in dimension %u, expected %lld", m->path,
                           (long long) a->shape[d], d + 1, (long long) want);
        }
        if (__builtin_mul_overflow(n, (uint64_t) a->shape[d], &n)) {
            return unsound(r, m, "is too large");
        }
    }
    if (a->count < 0 || (uint64_t) a->count != n || (n && !a->data)) {
        return unsound(r, m, "has a count or data that do not agree with its shape");
    }
    return 0;
}

static int put_map(struct replier *r, const struct member *map);

static bool any_present(const struct replier *r, const struct member *m)
{
    if (m->slot != NO_SLOT && r->slots[m->slot].present) {
        return true;
    }
    for (const struct member *k = m->first; k; k = k->next) {
        if (any_present(r, k)) {
            return true;
        }
    }
    return false;
}

static int put_table(struct replier *r, const struct member *table)
{
    int64_t n = -1;
    for (const struct member *m = table->first; m; m = m->next) {
        const struct kiln_slot *slot = &r->slots[m->slot];
        int status = slot->present ? check_array(r, m, &slot->array) : 0;
        if (status) {
            return status;
        }
        n = slot->present ? slot->array.count : n;
    }
    n = n < 0 ? 0 : n;
    if (r->form == CONTRACT_ROWS) {
        buf_put_list(r->out, (size_t) n);
        for (int64_t row = 0; row < n && !r->out->failed; row++) {
            buf_put_map(r->out, table->n_children);
            for (const struct member *m = table->first; m; m = m->next) {
                const struct kiln_slot *slot = &r->slots[m->slot];
                buf_put_str(r->out, m->name, m->name_bytes);
                if (!slot->present) {
                    buf_put_nil(r->out);
                } else if (m->kind == KILN_BOOL) {
                    buf_put_bool(r->out, array_get(m->dtype, slot->array.data, (size_t) row) != 0);
                } else {
                    array_put_item(r->out, m->dtype, slot->array.data, (size_t) row);
                }
            }
        }
        return 0;
    }
    buf_put_map(r->out, table->n_children);
    for (const struct member *m = table->first; m; m = m->next) {
        const struct kiln_slot *slot = &r->slots[m->slot];
        buf_put_str(r->out, m->name, m->name_bytes);
        if (slot->present) {
            array_put(r->out, &slot->array, r->form == CONTRACT_ND);
        } else { /* a column that nobody grew, of a table that is there: as long as the others, or nothing */
            n == 0 ? buf_put_list(r->out, 0) : buf_put_nil(r->out);
        }
    }
    return 0;
}

static int put_text(struct replier *r, const struct member *m, const struct kiln_slot *slot)
{
    if (!slot->text && (slot->text_bytes || m->kind == KILN_STRING)) {
        return unsound(r, m, "is present without text");
    }
    if (m->kind == KILN_BYTES) {
        buf_put_bin(r->out, slot->text, slot->text_bytes);
        return 0;
    }
    size_t bytes = slot->text_bytes ? slot->text_bytes : strlen(slot->text);
    if (!utf8_valid(slot->text, bytes)) {
        return unsound(r, m, "is not UTF-8");
    }
    buf_put_str(r->out, slot->text, bytes);
    return 0;
}

/* Sent as null, or left out. */
static bool unset(const struct replier *r, const struct member *m)
{
    switch (m->kind) {
    case KILN_MAP:
        return m->slot != NO_SLOT && !any_present(r, m);
    case KILN_TABLE:
        return !any_present(r, m);
    default:
        return !r->slots[m->slot].present;
    }
}

static bool left_out(const struct replier *r, const struct member *m)
{
    return m->row && m->row->flags & KILN_OPTIONAL && unset(r, m);
}

static int put_member(struct replier *r, const struct member *m)
{
    const struct kiln_slot *slot = m->slot == NO_SLOT ? NULL : &r->slots[m->slot];
    if (unset(r, m)) {
        buf_put_nil(r->out);
        return 0;
    }
    int status = 0;
    switch (m->kind) {
    case KILN_FLOAT:
        buf_put_f64(r->out, slot->f64);
        break;
    case KILN_INT:
        buf_put_i64(r->out, slot->i64);
        break;
    case KILN_BOOL:
        buf_put_bool(r->out, slot->i64 != 0);
        break;
    case KILN_STRING:
    case KILN_BYTES:
        status = put_text(r, m, slot);
        break;
    case KILN_ARRAY:
        status = check_array(r, m, &slot->array);
        if (status == 0) {
            array_put(r->out, &slot->array, r->form == CONTRACT_ND);
        }
        break;
    case KILN_TABLE:
        status = put_table(r, m);
        break;
    case KILN_VALUE:
        status = slot->value ? value_put(r->out, slot->value, m->path, r->form == CONTRACT_ND, r->err)
                             : unsound(r, m, "is present without a value");
        break;
    default:
        status = put_map(r, m);
        break;
    }
    return status;
}

static int put_map(struct replier *r, const struct member *map)
{
    size_t pairs = map->n_children;
    for (const struct member *m = map->first; m; m = m->next) {
        pairs -= left_out(r, m);
    }
    buf_put_map(r->out, pairs);
    for (const struct member *m = map->first; m; m = m->next) {
        if (!left_out(r, m)) {
            buf_put_str(r->out, m->name, m->name_bytes);
            int status = put_member(r, m);
            if (status) {
                return status;
            }
        }
    }
    return 0;
}

int contract_reply(const struct contract *c, const struct bound *bound, const struct kiln_slot *results,
                   struct buf *out, struct err *err)
{
    struct replier r = {.c = c, .slots = results, .out = out, .err = err, .form = bound->form};
    memcpy(r.bound.sizes, bound->sizes, c->n_symbols * sizeof bound->sizes[0]);
    int status = put_map(&r, &c->results.root);
    if (status == 0 && out->failed) {
        status = err_set(err, KILN_RESOURCE, NULL,
                         "the result is larger than %zu bytes, or there is no memory for it", out->limit);
    }
    return status;
}
