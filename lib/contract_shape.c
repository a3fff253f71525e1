/* SPDX-License-Identifier: MPL-2.0 */
/* contract_shape - the grammar of shapes, and symbols bound to sizes. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract_impl.h"

/* The number of the symbol, made when new; -1 when there are too many, or no memory. */
static int32_t symbol_of(struct contract *c, const char *text, size_t bytes)
{
    for (uint32_t i = 0; i < c->n_symbols; i++) {
        if (strlen(c->symbols[i]) == bytes && memcmp(c->symbols[i], text, bytes) == 0) {
            return (int32_t) i;
        }
    }
    if (c->n_symbols == CONTRACT_SYMBOLS) {
        return -1;
    }
    c->symbols[c->n_symbols] = arena_text(&c->store, text, bytes);
    return c->symbols[c->n_symbols] ? (int32_t) c->n_symbols++ : -1;
}

static const char *number(const char *at, int64_t *ret)
{
    int64_t v = 0;
    const char *start = at;
    for (; isdigit((unsigned char) *at); at++) {
        v = v * 10 + (*at - '0');
        if (v > INT32_MAX) {
            return NULL;
        }
    }
    *ret = v;
    return at == start ? NULL : at;
}

int contract_shape_parse(struct contract *c, const char *text, struct shape *ret_shape, char *why,
                         size_t why_bytes)
{
    struct shape shape = {0};
    const char *at = text;
    for (;;) {
        while (*at == ' ') {
            at++;
        }
        if (*at == '\0') {
            break;
        }
        if (shape.rank == KILN_MAX_RANK) {
            snprintf(why, why_bytes, "has more than %d words", KILN_MAX_RANK);
            return KILN_INVALID;
        }
        struct dim *d = &shape.dims[shape.rank++];
        if (isdigit((unsigned char) *at)) {
            *d = (struct dim){.symbol = -1};
            at = number(at, &d->size);
            if (at && d->size == 0) {
                at = NULL;
            }
        } else if (isalpha((unsigned char) *at)) {
            const char *start = at;
            while (isalnum((unsigned char) *at) || *at == '_') {
                at++;
            }
            *d = (struct dim){symbol_of(c, start, (size_t) (at - start)), 1};
            if (d->symbol < 0) {
                snprintf(why, why_bytes, "has one symbol too many (%d are allowed)", CONTRACT_SYMBOLS);
                return KILN_INVALID;
            }
            if (at[0] == '>' && at[1] == '=') {
                at = number(at + 2, &d->size);
            }
        } else {
            at = NULL;
        }
        if (!at || (*at != ' ' && *at != '\0')) {
            snprintf(why, why_bytes, "is not a shape: words such as n, n>=2 or 6, separated by blanks");
            return KILN_INVALID;
        }
    }
    if (shape.rank == 0) {
        snprintf(why, why_bytes, "is empty, expected one word for each dimension");
        return KILN_INVALID;
    }
    *ret_shape = shape;
    return 0;
}

void contract_shape_show(const struct contract *c, const struct shape *shape, char *out, size_t bytes)
{
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < shape->rank && at < bytes; i++) {
        const struct dim *d = &shape->dims[i];
        const char *blank = i ? " " : "";
        int n = d->symbol < 0  ? snprintf(out + at, bytes - at, "%s%lld", blank, (long long) d->size)
                : d->size == 1 ? snprintf(out + at, bytes - at, "%s%s", blank, c->symbols[d->symbol])
                               : snprintf(out + at, bytes - at, "%s%s>=%lld", blank, c->symbols[d->symbol],
                                          (long long) d->size);
        at += n > 0 ? (size_t) n : 0;
    }
}

static const char *elements(int64_t n)
{
    return n == 1 ? "element" : "elements";
}

/* "x has 3 elements" or "x has shape [3,4]: dimension 2 is 4" */
static void what_it_is(const struct member *m, const struct kiln_array *a, uint32_t d, int64_t size,
                       char *out, size_t bytes)
{
    if (m->kind == KILN_TABLE) {
        snprintf(out, bytes, "%s has %lld row%s", m->path, (long long) size, size == 1 ? "" : "s");
        return;
    }
    if (a->rank == 1) {
        snprintf(out, bytes, "%s has %lld %s", m->path, (long long) size, elements(size));
        return;
    }
    size_t at = (size_t) snprintf(out, bytes, "%s has shape [", m->path);
    for (uint32_t k = 0; k < a->rank && at < bytes; k++) {
        at += (size_t) snprintf(out + at, bytes - at, "%s%lld", k ? "," : "", (long long) a->shape[k]);
    }
    if (at < bytes) {
        snprintf(out + at, bytes - at, "]: dimension %u is %lld", d + 1, (long long) size);
    }
}

static int check_dim(const struct contract *c, const struct member *m, const struct kiln_array *a, uint32_t d,
                     int64_t size, struct bound *bound, struct err *err)
{
    const struct dim *dim = &m->shape.dims[d];
    char what[200];
    if (dim->symbol < 0) {
        if (size != dim->size) {
            what_it_is(m, a, d, size, what, sizeof what);
            return err_set(err, KILN_INVALID, m->path, "%s, expected %lld", what, (long long) dim->size);
        }
        return 0;
    }
    const char *symbol = c->symbols[dim->symbol];
    if (size < dim->size) {
        if (size == 0 && (m->kind == KILN_TABLE || m->shape.rank == 1)) {
            return err_set(err, KILN_INVALID, m->path, "%s is empty, expected at least %lld %s (%s)", m->path,
                           (long long) dim->size, m->kind == KILN_TABLE ? "row(s)" : elements(dim->size),
                           symbol);
        }
        what_it_is(m, a, d, size, what, sizeof what);
        return err_set(err, KILN_INVALID, m->path, "%s, expected at least %lld (%s)", what,
                       (long long) dim->size, symbol);
    }
    int64_t *have = &bound->sizes[dim->symbol];
    if (*have < 0) {
        *have = size;
    } else if (*have != size) {
        what_it_is(m, a, d, size, what, sizeof what);
        return err_set(err, KILN_INVALID, m->path, "%s, expected %lld (%s, as %s)", what, (long long) *have,
                       symbol, c->bound_by[dim->symbol]);
    }
    return 0;
}

int contract_check_shapes(const struct contract *c, const struct kiln_slot *slots, struct bound *bound,
                          struct err *err)
{
    for (uint32_t i = 0; i < c->n_symbols; i++) {
        bound->sizes[i] = -1;
    }
    for (size_t i = 0; i < c->params.n; i++) { /* in the order of the rows: the first one binds */
        const struct member *m = c->params.of_row[i];
        if (m->kind == KILN_TABLE && slots[i].present) {
            int status = check_dim(c, m, &slots[i].array, 0, slots[i].i64, bound, err);
            if (status) {
                return status;
            }
            continue;
        }
        if (m->shape.rank == 0 || slots[i].array.rank == 0 || m->column) {
            continue; /* no array, or not given; columns agree with their table already */
        }
        const struct kiln_array *a = &slots[i].array;
        for (uint32_t d = 0; d < m->shape.rank; d++) {
            int status = check_dim(c, m, a, d, a->shape[d], bound, err);
            if (status) {
                return status;
            }
        }
    }
    return 0;
}

bool contract_grows(const struct contract *c, const struct member *m, const struct bound *bound)
{
    (void) c;
    int32_t symbol = m->shape.rank ? m->shape.dims[0].symbol : -1;
    return symbol >= 0 && bound->sizes[symbol] < 0;
}
