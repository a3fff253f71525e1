/* SPDX-License-Identifier: MPL-2.0 */
#include "ml_lookup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_text(struct text a, struct text b)
{
    const size_t n = a.bytes < b.bytes ? a.bytes : b.bytes;
    const int first = n ? memcmp(a.chars, b.chars, n) : 0;
    return first ? first : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

static int compare(enum ml_key_kind kind, const struct ml_key *a, const struct ml_key *b)
{
    if (kind == ML_KEY_TEXT) {
        return compare_text(a->text, b->text);
    }
    if (kind == ML_KEY_INT) {
        return (a->i > b->i) - (a->i < b->i);
    }
    return isnan(a->f) || isnan(b->f) ? !isnan(b->f) - !isnan(a->f) : (a->f > b->f) - (a->f < b->f);
}

static int by_key(const void *x, const void *y, void *kind)
{
    const struct ml_key *a = x, *b = y;
    const int order = compare(*(const enum ml_key_kind *) kind, a, b);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static enum ml_key_kind kind_of(enum dtype dtype)
{
    return dtype == DT_STRING ? ML_KEY_TEXT : dtype_is_float(dtype) ? ML_KEY_FLOAT : ML_KEY_INT;
}

/* Beyond whole numbers of 64 bits there is no key. */
static bool whole(double x, int64_t *ret)
{
    if (!(x >= -0x1p63 && x < 0x1p63)) {
        return false;
    }
    *ret = (int64_t) x;
    return true;
}

/* Element i as a key; false when it can be none. */
static bool key_of(enum ml_key_kind kind, const struct tensor *t, int64_t i, struct ml_key *ret)
{
    if (kind == ML_KEY_TEXT) {
        ret->text = ((const struct text *) t->data)[i];
    } else if (kind == ML_KEY_FLOAT) {
        ret->f = tensor_number(t, i);
    } else if (dtype_is_float(t->dtype)) {
        return whole(tensor_number(t, i), &ret->i);
    } else {
        ret->i = tensor_int(t, i);
    }
    return true;
}

int ml_lookup_make(struct step *s, const struct tensor *keys, struct ml_lookup *ret)
{
    struct ml_lookup l = {.kind = kind_of(keys->dtype), .n = (size_t) keys->count};
    struct ml_key *list = model_alloc(s, (l.n + 1) * sizeof *list);
    if (!list) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < l.n; i++) {
        key_of(l.kind, keys, (int64_t) i, &list[i]);
        list[i].number = i;
    }
    qsort_r(list, l.n, sizeof *list, by_key, &l.kind);
    l.keys = list;
    *ret = l;
    return KILN_OK;
}

size_t ml_lookup_find(const struct ml_lookup *l, const struct tensor *t, int64_t i)
{
    struct ml_key key = {.number = 0};
    if (!key_of(l->kind, t, i, &key)) {
        return SIZE_MAX;
    }
    size_t low = 0, high = l->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(l->kind, &l->keys[middle], &key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < l->n && compare(l->kind, &l->keys[low], &key) == 0 ? l->keys[low].number : SIZE_MAX;
}

bool ml_lookup_fits(const struct ml_lookup *l, enum dtype dtype)
{
    return l->kind == ML_KEY_TEXT    ? dtype == DT_STRING
           : l->kind == ML_KEY_FLOAT ? dtype_is_float(dtype)
                                     : dtype == DT_I64 || dtype == DT_I32 || dtype == DT_I16 ||
                                           dtype == DT_I8 || dtype_is_float(dtype);
}
