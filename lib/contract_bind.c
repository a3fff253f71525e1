/* SPDX-License-Identifier: MPL-2.0 */
/* contract_bind - a payload onto the slots of its parameters. */
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "array_number.h"
#include "contract_impl.h"
#include "utf8.h"
#include "value.h"

const char *contract_expected(const struct member *m, char *out, size_t bytes)
{
    static const char *const words[] = {[KILN_FLOAT] = "a number",
                                        [KILN_INT] = "a whole number",
                                        [KILN_BOOL] = "true or false",
                                        [KILN_STRING] = "a string",
                                        [KILN_BYTES] = "bytes or a string",
                                        [KILN_ARRAY] = "a list of numbers, or an nd array",
                                        [KILN_MAP] = "a map",
                                        [KILN_TABLE] = "a list of maps, or a map of lists",
                                        [KILN_VALUE] = "a value"};
    if (m->kind == KILN_STRING && m->row->choices) {
        snprintf(out, bytes, "%s", m->row->choices);
    } else if (m->kind == KILN_ARRAY && !m->column && m->shape.rank == 2) {
        snprintf(out, bytes, "a list of lists of numbers, or an nd array");
    } else {
        snprintf(out, bytes, "%s", words[m->kind]);
    }
    return out;
}

int contract_spent(struct binder *b, const char *path)
{
    return err_set(b->err, KILN_RESOURCE, path, "%s needs more memory than a job may use (%zu bytes)", path,
                   b->arena->cap);
}

static int wrong_type(struct binder *b, const struct member *m, const struct token *t)
{
    char shown[80], expected[200];
    return err_set(b->err, KILN_INVALID, m->path, "%s is %s, expected %s", m->path,
                   scan_show(t, shown, sizeof shown), contract_expected(m, expected, sizeof expected));
}

static int truncated(struct binder *b, const char *path)
{
    return err_set(b->err, KILN_INVALID, path, "%s is truncated", path);
}

/* "expected one of x, ddof, nan_policy": the members of the map, as many as there is room for. */
int contract_unknown(struct binder *b, const struct member *map, const char *path, const struct token *key)
{
    char list[200], name[180];
    size_t at = 0;
    for (const struct member *m = map->first; m; m = m->next) {
        int n = snprintf(list + at, sizeof list - at, "%s%.*s", at ? ", " : "", (int) m->name_bytes, m->name);
        if (n < 0 || (size_t) n >= sizeof list - at - 5) {
            snprintf(list + at, sizeof list - at, ", ...");
            break;
        }
        at += (size_t) n;
    }
    size_t shown = utf8_whole(key->text, key->count < 60 ? key->count : 60);
    if (utf8_valid(key->text, key->count) && !memchr(key->text, 0, key->count)) {
        snprintf(name, sizeof name, "%s%s%.*s", path, path[0] ? "." : "", (int) shown, key->text);
    } else {
        snprintf(name, sizeof name, "%s%s?", path, path[0] ? "." : "");
    }
    if (!map->first) {
        return err_set(b->err, KILN_INVALID, name, "unknown argument \"%s\", expected none", name);
    }
    return err_set(b->err, KILN_INVALID, name, "unknown argument \"%s\", expected one of %s", name, list);
}

/* ---- scalars --------------------------------------------------------------------------------- */

static int bind_number(struct binder *b, const struct member *m, const struct token *t)
{
    struct kiln_slot *slot = &b->slots[m->slot];
    if (m->kind == KILN_FLOAT) {
        double v = t->f;
        if (t->type == SCAN_FLOAT || (t->type == SCAN_INT && f64_of_int(t->i, &v))) {
            slot->f64 = v;
            return contract_check_scalar(m, v, b->err);
        }
        if (t->type == SCAN_INT || t->type == SCAN_UINT) {
            char shown[80];
            return err_set(b->err, KILN_INVALID, m->path,
                           "%s is %s, expected a number that a double holds exactly (up to 2^53)", m->path,
                           scan_show(t, shown, sizeof shown));
        }
        return wrong_type(b, m, t);
    }
    int64_t v = t->i;
    if (t->type != SCAN_INT && (t->type != SCAN_FLOAT || !i64_of_float(t->f, &v))) {
        return wrong_type(b, m, t);
    }
    slot->i64 = v;
    return m->ranged ? contract_check_scalar(m, (double) v, b->err) : 0;
}

static int bind_text(struct binder *b, const struct member *m, const struct token *t)
{
    struct kiln_slot *slot = &b->slots[m->slot];
    if (m->kind == KILN_BYTES) {
        if (t->type != SCAN_STR && t->type != SCAN_BIN) {
            return wrong_type(b, m, t);
        }
        slot->text = t->text;
        slot->text_bytes = t->count;
        return 0;
    }
    if (t->type != SCAN_STR || (m->row->choices && !contract_choice(m->row->choices, t->text, t->count))) {
        return wrong_type(b, m, t);
    }
    if (!utf8_valid(t->text, t->count) || memchr(t->text, 0, t->count)) {
        return err_set(b->err, KILN_INVALID, m->path, "%s is not UTF-8 text without NUL bytes", m->path);
    }
    slot->text = arena_text(b->arena, t->text, t->count);
    slot->text_bytes = t->count;
    return slot->text ? 0 : contract_spent(b, m->path);
}

/* ---- arrays, values, maps -------------------------------------------------------------------- */

static int bind_array(struct binder *b, const struct member *m)
{
    const struct dim *first = &m->shape.dims[0];
    struct array_want want = {.name = m->path,
                              .dtype = m->dtype,
                              .rank = m->shape.rank,
                              .row = m->shape.rank == 2 && first->symbol < 0 && first->size == 1,
                              .matrix = b->c->matrix};
    bool nd = false;
    struct kiln_array *a = &b->slots[m->slot].array;
    int status = array_decode(&b->s, &want, b->arena, a, &nd, b->err);
    b->nd |= nd;
    return status ? status : contract_check_array(m, a, b->err);
}

static int bind_free_value(struct binder *b, const struct member *m)
{
    struct kiln_value *v = arena_alloc(b->arena, sizeof *v, m->path);
    if (!v) {
        return contract_spent(b, m->path);
    }
    b->slots[m->slot].value = v;
    return value_decode(&b->s, m->path, b->arena, v, b->err);
}

static int bind_map(struct binder *b, const struct member *map, uint32_t pairs);
static int check_required(struct binder *b, const struct member *map);

/* The value of m, which is not null: s stands before it. */
int contract_bind_value(struct binder *b, const struct member *m)
{
    struct scan before = b->s;
    struct token t;
    int status;
    if (!scan_next(&b->s, &t)) {
        return truncated(b, m->path);
    }
    switch (m->kind) {
    case KILN_FLOAT:
    case KILN_INT:
        if (t.type == SCAN_MAP && array_is_map(&b->s, t.count)) { /* a number of NumPy's */
            b->s = before;
            t.type = m->kind == KILN_FLOAT ? SCAN_FLOAT : SCAN_INT;
            status = array_decode_scalar(&b->s, m->path, m->kind == KILN_FLOAT ? KILN_F64 : KILN_I64,
                                         b->arena, &t.f, &t.i, b->err);
            status = status ? status : bind_number(b, m, &t);
        } else {
            status = bind_number(b, m, &t);
        }
        break;
    case KILN_BOOL:
        b->slots[m->slot].i64 = t.i;
        status = t.type == SCAN_BOOL ? 0 : wrong_type(b, m, &t);
        break;
    case KILN_STRING:
    case KILN_BYTES:
        status = bind_text(b, m, &t);
        break;
    case KILN_ARRAY:
        b->s = before;
        status = bind_array(b, m);
        break;
    case KILN_TABLE:
        b->s = before;
        status = contract_bind_table(b, m);
        break;
    case KILN_VALUE:
        b->s = before;
        status = bind_free_value(b, m);
        break;
    default:
        if (t.type != SCAN_MAP) {
            char shown[80];
            return err_set(b->err, KILN_INVALID, m->path, "%s is %s, expected a map", m->path,
                           scan_show(&t, shown, sizeof shown));
        }
        status = bind_map(b, m, t.count);
        break;
    }
    if (status == 0 && m->slot != NO_SLOT) {
        b->slots[m->slot].present = 1;
    }
    return status;
}

static int bind_form(struct binder *b)
{
    static const char *const forms[] = {
        [CONTRACT_LIST] = "list", [CONTRACT_ROWS] = "rows", [CONTRACT_ND] = "nd"};
    struct token t;
    char shown[80];
    if (b->form_given) {
        return err_set(b->err, KILN_INVALID, "form", "argument \"form\" is there twice");
    }
    if (!scan_next(&b->s, &t)) {
        return truncated(b, "form");
    }
    b->form_given = true;
    for (int i = 0; i < 3 && t.type == SCAN_STR; i++) {
        if (strlen(forms[i]) == t.count && memcmp(forms[i], t.text, t.count) == 0) {
            b->form = (enum contract_form) i;
            return 0;
        }
    }
    if (t.type == SCAN_NIL) {
        b->form_given = false;
        return 0;
    }
    return err_set(b->err, KILN_INVALID, "form", "form is %s, expected list|rows|nd",
                   scan_show(&t, shown, sizeof shown));
}

/* The argument at `path` ("" is the top) that is called so; its value when it stands at the top, else only that it was there. */
static int keep_extra(struct binder *b, const char *path, const struct token *key)
{
    struct extras *x = &b->extras;
    if (x->n == x->room) {
        uint32_t room = x->room ? 2 * x->room : 16;
        struct kiln_pair *pairs = arena_alloc(b->arena, room * sizeof *pairs, "*");
        if (!pairs) {
            return contract_spent(b, "*");
        }
        if (x->n) {
            memcpy(pairs, x->pairs, x->n * sizeof *pairs);
        }
        x->pairs = pairs;
        x->room = room;
    }
    size_t prefix = strlen(path) + (*path != 0), bytes = prefix + key->count + 1;
    char *name = arena_alloc(b->arena, bytes, "*");
    if (!name) {
        return contract_spent(b, "*");
    }
    if (!utf8_valid(key->text, key->count) || memchr(key->text, 0, key->count)) {
        return err_set(b->err, KILN_INVALID, NULL, "an argument's name is not UTF-8 text without NUL bytes");
    }
    snprintf(name, bytes, "%s%s%.*s", path, *path ? "." : "", (int) key->count, key->text);
    struct kiln_pair *pair = &x->pairs[x->n];
    *pair = (struct kiln_pair){.key = name, .value = {.type = KILN_V_NULL}};
    int status = !*path             ? value_decode(&b->s, name, b->arena, &pair->value, b->err)
                 : scan_skip(&b->s) ? 0
                                    : truncated(b, path);
    x->n += status == 0;
    return status;
}

static int finish_extras(struct binder *b)
{
    const struct extras *x = &b->extras;
    struct kiln_value *v = arena_alloc(b->arena, sizeof *v, "*");
    if (!v) {
        return contract_spent(b, "*");
    }
    *v = (struct kiln_value){.type = KILN_V_MAP, .count = x->n, .map = x->pairs};
    b->slots[b->c->extras].value = v;
    b->slots[b->c->extras].present = x->n > 0;
    return value_check_keys(x->pairs, x->n, "the request", b->arena, b->err);
}

static bool is_form(const struct token *key)
{
    return key->count == 4 && memcmp(key->text, "form", 4) == 0;
}

static int bind_map(struct binder *b, const struct member *map, uint32_t pairs)
{
    bool top = map == &b->c->params.root, extras = b->c->extras != NO_SLOT;
    bool lenient = map->row && map->row->flags & KILN_LENIENT;
    const struct member *hint = map->first;
    int status = 0;
    for (uint32_t i = 0; i < pairs && status == 0; i++) {
        struct token key;
        if (!scan_next(&b->s, &key)) {
            return truncated(b, map->path);
        }
        if (key.type != SCAN_STR) {
            char shown[80];
            return err_set(b->err, KILN_INVALID, map->path, "%s%shas the key %s, expected a string",
                           top ? "the payload" : map->path, " ", scan_show(&key, shown, sizeof shown));
        }
        const struct member *m = contract_find(map, hint, key.text, key.count);
        if (!m) {
            if (top && is_form(&key)) {
                status = bind_form(b);
            } else if (extras && (top || lenient)) {
                status = keep_extra(b, map->path, &key);
            } else if (lenient) {
                status = scan_skip(&b->s) ? 0 : truncated(b, map->path);
            } else {
                status = contract_unknown(b, map, map->path, &key);
            }
            continue;
        }
        hint = m->next;
        if (bit_get(b->seen, m->index)) {
            return err_set(b->err, KILN_INVALID, m->path, "argument \"%s\" is there twice", m->path);
        }
        bit_set(b->seen, m->index);
        if (b->s.at < b->s.end && *b->s.at == 0xc0) { /* null counts as not given */
            b->s.at++;
            continue;
        }
        bit_set(b->given, m->index);
        status = contract_bind_value(b, m);
    }
    if (status == 0 && top && extras) {
        status = finish_extras(b);
    }
    return status ? status : check_required(b, map);
}

static int check_required(struct binder *b, const struct member *map)
{
    for (const struct member *m = map->first; m; m = m->next) {
        if (bit_get(b->given, m->index)) {
            continue;
        }
        if (m->slot == NO_SLOT) { /* a map without a row counts as empty */
            int status = check_required(b, m);
            if (status) {
                return status;
            }
        } else if (m->row->flags & KILN_REQUIRED) {
            char expected[200];
            contract_expected(m, expected, sizeof expected);
            return bit_get(b->seen, m->index)
                       ? err_set(b->err, KILN_INVALID, m->path, "%s is null, expected %s", m->path, expected)
                       : err_set(b->err, KILN_INVALID, m->path, "argument \"%s\" is missing, expected %s",
                                 m->path, expected);
        }
    }
    return 0;
}

int contract_bind(const struct contract *c, const void *payload, size_t bytes, struct arena *arena,
                  struct kiln_slot *slots, struct bound *ret_bound, struct err *err)
{
    int status =
        scan_check(payload, bytes, &(struct scan_limits){.depth = CONTRACT_DEPTH, .items = UINT32_MAX}, err);
    if (status) {
        return status;
    }
    struct binder b = {.c = c, .s = scan_over(payload, bytes), .arena = arena, .slots = slots, .err = err};
    struct token t;
    memcpy(slots, c->defaults, c->params.n * sizeof *slots);
    if (!scan_next(&b.s, &t) || t.type != SCAN_MAP) {
        char shown[80];
        return err_set(err, KILN_INVALID, NULL, "the payload is %s, expected a map of arguments",
                       scan_show(&t, shown, sizeof shown));
    }
    status = bind_map(&b, &c->params.root, t.count);
    struct bound bound;
    if (status == 0) {
        status = contract_check_shapes(c, slots, &bound, err);
    }
    if (status == 0) {
        bound.form = b.form_given ? b.form : b.nd ? CONTRACT_ND : CONTRACT_LIST;
        *ret_bound = bound;
    }
    return status;
}
