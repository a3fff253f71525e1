/* SPDX-License-Identifier: MPL-2.0 */
#include "value.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "utf8.h"

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    struct scan *s;
    const char *name;
    struct arena *arena;
    struct err *err;
};

static int read_value(struct reader *r, struct kiln_value *ret);

static int spent(const struct reader *r)
{
    return err_set(r->err, KILN_RESOURCE, r->name, "%s needs more memory than a job may use (%zu bytes)",
                   r->name, r->arena->cap);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

int value_check_keys(const struct kiln_pair *pairs, uint32_t n, const char *name, struct arena *arena,
                     struct err *err)
{
    enum { FEW = 12 };
    const char *twice = NULL;
    if (n <= FEW) {
        for (uint32_t i = 1; i < n && !twice; i++) {
            for (uint32_t k = 0; k < i; k++) {
                if (strcmp(pairs[i].key, pairs[k].key) == 0) {
                    twice = pairs[i].key;
                }
            }
        }
    } else {
        const char **keys = arena_alloc(arena, n * sizeof *keys, NULL);
        if (!keys) {
            return err_set(err, KILN_RESOURCE, name, "%s needs more memory than a job may use (%zu bytes)",
                           name, arena->cap);
        }
        for (uint32_t i = 0; i < n; i++) {
            keys[i] = pairs[i].key;
        }
        qsort(keys, n, sizeof *keys, by_key);
        for (uint32_t i = 1; i < n && !twice; i++) {
            twice = strcmp(keys[i - 1], keys[i]) == 0 ? keys[i] : NULL;
        }
    }
    return twice ? err_set(err, KILN_INVALID, name, "%s has the key \"%.60s\" twice", name, twice) : 0;
}

/* What a list holds: 0 a list of anything, else KILN_I64 + 1 or KILN_F64 + 1 for an array of numbers. */
static uint32_t numbers(const struct scan *at, uint32_t count)
{
    struct scan s = *at;
    struct token t;
    uint32_t integers = 0, reals = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!scan_next(&s, &t)) {
            return 0;
        }
        if (t.type == SCAN_INT) {
            integers++;
        } else if (t.type == SCAN_FLOAT) {
            reals++;
        } else if (t.type != SCAN_NIL) {
            return 0;
        }
    }
    return integers + reals == 0 ? 0 : integers == count ? KILN_I64 + 1 : KILN_F64 + 1;
}

static int read_array(struct reader *r, struct scan at, uint32_t dtype, bool nd, struct kiln_value *v)
{
    struct kiln_array *a = arena_alloc(r->arena, sizeof *a, r->name);
    if (!a) {
        return spent(r);
    }
    *r->s = at;
    int status = array_decode(r->s, &(struct array_want){.name = r->name, .dtype = dtype, .rank = nd ? 0 : 1},
                              r->arena, a, NULL, r->err);
    v->type = KILN_V_ARRAY;
    v->array = a;
    return status;
}

static int read_list(struct reader *r, struct scan before, uint32_t count, struct kiln_value *v)
{
    uint32_t dtype = numbers(r->s, count);
    if (dtype) {
        return read_array(r, before, dtype - 1, false, v);
    }
    struct kiln_value *items = arena_alloc(r->arena, count * sizeof *items, r->name);
    if (!items) {
        return spent(r);
    }
    v->type = KILN_V_LIST;
    v->count = count;
    v->list = items;
    for (uint32_t i = 0; i < count; i++) {
        int status = read_value(r, &items[i]);
        if (status) {
            return status;
        }
    }
    return 0;
}

static int read_map(struct reader *r, struct scan before, uint32_t count, struct kiln_value *v)
{
    if (array_is_nd(r->s, count)) {
        return read_array(r, before, array_nd_dtype(r->s, count), true, v);
    }
    struct kiln_pair *pairs = arena_alloc(r->arena, count * sizeof *pairs, r->name);
    if (!pairs) {
        return spent(r);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct token key;
        char shown[80];
        if (!scan_next(r->s, &key)) {
            return err_set(r->err, KILN_INVALID, r->name, "%s is truncated", r->name);
        }
        if (key.type != SCAN_STR || !utf8_valid(key.text, key.count) || memchr(key.text, 0, key.count)) {
            return err_set(r->err, KILN_INVALID, r->name, "%s has the key %s, expected a string", r->name,
                           scan_show(&key, shown, sizeof shown));
        }
        pairs[i].key = arena_text(r->arena, key.text, key.count);
        if (!pairs[i].key) {
            return spent(r);
        }
        int status = read_value(r, &pairs[i].value);
        if (status) {
            return status;
        }
    }
    v->type = KILN_V_MAP;
    v->count = count;
    v->map = pairs;
    return value_check_keys(pairs, count, r->name, r->arena, r->err);
}

static int read_value(struct reader *r, struct kiln_value *ret)
{
    struct scan before = *r->s;
    struct token t;
    char shown[80];
    if (!scan_next(r->s, &t)) {
        return err_set(r->err, KILN_INVALID, r->name, "%s is truncated", r->name);
    }
    struct kiln_value v = {.type = KILN_V_NULL};
    int status = 0;
    switch (t.type) {
    case SCAN_NIL:
        break;
    case SCAN_BOOL:
    case SCAN_INT:
        v.type = t.type == SCAN_INT ? KILN_V_INT : KILN_V_BOOL;
        v.i = t.i;
        break;
    case SCAN_FLOAT:
        v.type = KILN_V_FLOAT;
        v.f = t.f;
        break;
    case SCAN_STR:
    case SCAN_BIN:
        if (t.type == SCAN_STR && !utf8_valid(t.text, t.count)) {
            return err_set(r->err, KILN_INVALID, r->name, "%s holds a string that is not UTF-8", r->name);
        }
        v.type = t.type == SCAN_STR ? KILN_V_STRING : KILN_V_BYTES;
        v.count = t.count;
        v.text = arena_text(r->arena, t.text, t.count);
        status = v.text ? 0 : spent(r);
        break;
    case SCAN_LIST:
        status = read_list(r, before, t.count, &v);
        break;
    case SCAN_MAP:
        status = read_map(r, before, t.count, &v);
        break;
    default:
        return err_set(r->err, KILN_INVALID, r->name, "%s holds %s, expected plain data", r->name,
                       scan_show(&t, shown, sizeof shown));
    }
    if (status == 0) {
        *ret = v;
    }
    return status;
}

int value_decode(struct scan *s, const char *name, struct arena *arena, struct kiln_value *ret_value,
                 struct err *err)
{
    return read_value(&(struct reader){s, name, arena, err}, ret_value);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int no_tree(struct err *err, const char *name, const char *what)
{
    return err_set(err, KILN_INTERNAL, name, "the plugin's result %s %s", name, what);
}

static bool sound_array(const struct kiln_array *a)
{
    if (!a || a->rank == 0 || a->rank > KILN_MAX_RANK || array_item_bytes(a->dtype) == 0 ||
        (a->count && !a->data)) {
        return false;
    }
    int64_t n = 1;
    for (uint32_t d = 0; d < a->rank; d++) {
        if (a->shape[d] < 0 || a->shape[d] > INT32_MAX || __builtin_mul_overflow(n, a->shape[d], &n)) {
            return false;
        }
    }
    return n == a->count;
}

static int put(struct buf *b, const struct kiln_value *v, const char *name, bool nd, int depth,
               struct err *err)
{
    if (depth > VALUE_DEPTH) {
        return no_tree(err, name, "is nested too deep");
    }
    switch (v->type) {
    case KILN_V_NULL:
        buf_put_nil(b);
        return 0;
    case KILN_V_BOOL:
        buf_put_bool(b, v->i != 0);
        return 0;
    case KILN_V_INT:
        buf_put_i64(b, v->i);
        return 0;
    case KILN_V_FLOAT:
        buf_put_f64(b, v->f);
        return 0;
    case KILN_V_STRING:
    case KILN_V_BYTES:
        if (!v->text && v->count) {
            return no_tree(err, name, "holds a text without bytes");
        }
        if (v->type == KILN_V_BYTES) {
            buf_put_bin(b, v->text, v->count);
        } else if (!utf8_valid(v->text, v->count)) {
            return no_tree(err, name, "holds a string that is not UTF-8");
        } else {
            buf_put_str(b, v->text, v->count);
        }
        return 0;
    case KILN_V_ARRAY:
        if (!sound_array(v->array)) {
            return no_tree(err, name, "holds an array without sound shape, dtype and data");
        }
        array_put(b, v->array, nd);
        return 0;
    case KILN_V_LIST:
        if (!v->list && v->count) {
            return no_tree(err, name, "holds a list without items");
        }
        buf_put_list(b, v->count);
        for (uint32_t i = 0; i < v->count && !b->failed; i++) {
            int status = put(b, &v->list[i], name, nd, depth + 1, err);
            if (status) {
                return status;
            }
        }
        return 0;
    case KILN_V_MAP:
        if (!v->map && v->count) {
            return no_tree(err, name, "holds a map without pairs");
        }
        buf_put_map(b, v->count);
        for (uint32_t i = 0; i < v->count && !b->failed; i++) {
            if (!v->map[i].key) {
                return no_tree(err, name, "holds a map with a key that is NULL");
            }
            buf_put_text(b, v->map[i].key);
            int status = put(b, &v->map[i].value, name, nd, depth + 1, err);
            if (status) {
                return status;
            }
        }
        return 0;
    default:
        return no_tree(err, name, "holds a value of unknown type");
    }
}

int value_put(struct buf *b, const struct kiln_value *value, const char *name, bool nd, struct err *err)
{
    return put(b, value, name, nd, 0, err);
}
