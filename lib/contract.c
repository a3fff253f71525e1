/* SPDX-License-Identifier: MPL-2.0 */
/* contract - the rows judged and compiled to trees. */
#include "contract.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "contract_impl.h"
#include "mem.h"

enum {
    PATH_BYTES = 95,
    ALL_ROW_FLAGS = KILN_REQUIRED | KILN_FINITE | KILN_OPEN_MIN | KILN_OPEN_MAX | KILN_LENIENT | KILN_OPTIONAL
};

static const char *const kinds[] = {[KILN_FLOAT] = "float",   [KILN_INT] = "int",     [KILN_BOOL] = "bool",
                                    [KILN_STRING] = "string", [KILN_BYTES] = "bytes", [KILN_ARRAY] = "array",
                                    [KILN_MAP] = "map",       [KILN_TABLE] = "table", [KILN_VALUE] = "value"};

const char *contract_kind_name(uint32_t kind)
{
    return kind >= KILN_FLOAT && kind <= KILN_VALUE ? kinds[kind] : "?";
}

size_t contract_params(const struct contract *c)
{
    return c->params.n;
}

size_t contract_results_count(const struct contract *c)
{
    return c->results.n;
}

const struct kiln_row *contract_param(const struct contract *c, size_t i)
{
    return &c->params.rows[i];
}

const struct kiln_row *contract_result(const struct contract *c, size_t i)
{
    return &c->results.rows[i];
}

const struct member *contract_find(const struct member *map, const struct member *hint, const char *name,
                                   size_t bytes)
{
    if (hint && hint->name_bytes == bytes && memcmp(hint->name, name, bytes) == 0) {
        return hint; /* producers tend to send in the order of the rows */
    }
    for (const struct member *m = map->first; m; m = m->next) {
        if (m->name_bytes == bytes && memcmp(m->name, name, bytes) == 0) {
            return m;
        }
    }
    return NULL;
}

/* ---- judging one row ------------------------------------------------------------------------- */

static bool numeric(uint32_t kind)
{
    return kind == KILN_FLOAT || kind == KILN_INT || kind == KILN_ARRAY;
}

/* What is wrong with the row by itself, or NULL. */
static const char *judge_row(const struct kiln_row *row, bool param)
{
    bool range = row->min != 0 || row->max != 0; /* NaN too */
    if (row->kind < KILN_FLOAT || row->kind > KILN_VALUE) {
        return "its kind is none of enum kiln_kind";
    }
    if (array_item_bytes(row->dtype) == 0) {
        return "its dtype is none of enum kiln_dtype";
    }
    if (row->flags & ~(uint32_t) ALL_ROW_FLAGS) {
        return "its flags are none of enum kiln_row_flag";
    }
    if (row->reserved) {
        return "its reserved field is not 0";
    }
    if ((row->flags & KILN_LENIENT) && row->kind != KILN_MAP && row->kind != KILN_TABLE) {
        return "KILN_LENIENT is for maps and tables";
    }
    if ((row->flags & KILN_OPTIONAL) && strstr(row->name, "[].")) {
        return "KILN_OPTIONAL is not for columns";
    }
    if ((row->flags & KILN_FINITE) && !numeric(row->kind)) {
        return "KILN_FINITE is for numbers";
    }
    if (range && !numeric(row->kind)) {
        return "a range is for numbers";
    }
    if (range && !(row->min <= row->max)) {
        return "its min is not <= its max";
    }
    if (range && isinf(row->min) && isinf(row->max)) {
        return "its range is open at both ends: leave min and max at 0";
    }
    if ((row->flags & (KILN_OPEN_MIN | KILN_OPEN_MAX)) && !range) {
        return "KILN_OPEN_MIN and KILN_OPEN_MAX need a range (min and max both 0 mean none; INFINITY is a "
               "bound)";
    }
    if (row->choices && (row->kind != KILN_STRING || row->choices[0] == '\0')) {
        return "choices are for strings, and not empty";
    }
    if (row->fallback && (!param || row->kind == KILN_MAP || row->kind == KILN_TABLE)) {
        return "a default is for parameters that are no map and no table";
    }
    if (row->fallback && (row->flags & KILN_REQUIRED)) {
        return "it is required and has a default";
    }
    return NULL;
}

/* "x", "a.b", "t[].c": words of letters, digits and underscores that begin with a letter or underscore. */
static bool sound_path(const char *path)
{
    bool begin = true, columns = false;
    size_t n = 0;
    for (const char *p = path; *p; p++, n++) {
        if (n == PATH_BYTES) {
            return false;
        }
        if (isalpha((unsigned char) *p) || *p == '_' || (!begin && isdigit((unsigned char) *p))) {
            begin = false;
        } else if (!begin && *p == '.' && !columns) {
            begin = true;
        } else if (!begin && p[0] == '[' && p[1] == ']' && p[2] == '.' && !columns) {
            p += 2;
            n += 2;
            begin = columns = true;
        } else {
            return false;
        }
    }
    return !begin;
}

/* ---- the tree -------------------------------------------------------------------------------- */

static struct member *child(struct side *side, struct contract *c, struct member *parent, const char *name,
                            size_t bytes)
{
    struct member *m = side->n_members < MAX_MEMBERS ? arena_alloc(&c->store, sizeof *m, NULL) : NULL;
    if (!m) {
        return NULL;
    }
    *m = (struct member){.name = name, .name_bytes = (uint32_t) bytes, .slot = NO_SLOT, .parent = parent};
    m->index = side->n_members++;
    m->place = parent->n_children++;
    *(parent->last ? &parent->last->next : &parent->first) = m;
    parent->last = m;
    return m;
}

/* Finds or makes what stands before the last word. *ret_last: the last word. */
static const char *descend(struct contract *c, struct side *side, const char *path,
                           struct member **ret_parent, const char **ret_last)
{
    struct member *at = &side->root;
    for (;;) {
        size_t n = strcspn(path, ".[");
        if (path[n] == '\0') {
            *ret_parent = at;
            *ret_last = path;
            return NULL;
        }
        bool table = path[n] == '[';
        struct member *next = NULL; /* the tree is being made, and so may be changed */
        for (struct member *m = at->first; m; m = m->next) {
            if (m->name_bytes == n && memcmp(m->name, path, n) == 0) {
                next = m;
            }
        }
        if (table && (!next || next->kind != KILN_TABLE)) {
            return "its table has no row of kind KILN_TABLE before it";
        }
        if (!table && next && next->kind != KILN_MAP) {
            return "what stands before its dot is no map";
        }
        if (!next) {
            next = child(side, c, at, path, n);
            if (!next) {
                return "there is no memory, or there are too many maps";
            }
            next->kind = KILN_MAP;
            next->path = ""; /* name_implied() says what it is */
        }
        at = next;
        path += n + (table ? 3 : 1);
    }
}

/* Maps without rows get the part of the name that leads to them, for messages. */
static int name_implied(struct contract *c, struct member *m, const char *path)
{
    for (struct member *up = m->parent; up && up->name; up = up->parent) {
        if (up->slot == NO_SLOT && up->path[0] == '\0') {
            size_t bytes = (size_t) (up->name - path) + up->name_bytes;
            up->path = arena_text(&c->store, path, bytes);
            if (!up->path) {
                return KILN_RESOURCE;
            }
        }
    }
    return 0;
}

static const char *judge_shape(struct contract *c, struct member *m, bool param, char *why, size_t why_bytes)
{
    const struct kiln_row *row = m->row;
    bool shaped = row->shape && row->shape[0];
    if (m->column) {
        struct shape own;
        m->shape = m->parent->shape;
        if (shaped && (contract_shape_parse(c, row->shape, &own, why, why_bytes) || own.rank != 1 ||
                       own.dims[0].symbol != m->shape.dims[0].symbol)) {
            return "its shape is not the symbol of its table";
        }
        return NULL;
    }
    if (row->kind != KILN_ARRAY && row->kind != KILN_TABLE) {
        return shaped ? "a shape is for arrays and tables" : NULL;
    }
    if (!shaped) {
        return "it needs a shape";
    }
    char what[120];
    if (contract_shape_parse(c, row->shape, &m->shape, what, sizeof what)) {
        snprintf(why, why_bytes, "shape \"%.40s\" %s", row->shape, what);
        return why;
    }
    if (row->kind == KILN_TABLE && m->shape.rank != 1) {
        return "the shape of a table is one word, its number of rows";
    }
    for (uint32_t d = 1; !param && d < m->shape.rank; d++) {
        if (m->shape.dims[d].symbol >= (int32_t) c->n_bound_symbols) {
            snprintf(why, why_bytes,
                     "dimension %u of its shape is bound by no parameter (only the first may grow)", d + 1);
            return why;
        }
    }
    for (uint32_t d = 0; param && d < m->shape.rank; d++) {
        int32_t symbol = m->shape.dims[d].symbol;
        if (symbol >= 0 && !c->bound_by[symbol]) {
            c->bound_by[symbol] = m->path;
        }
    }
    return NULL;
}

static uint32_t resolved_dtype(const struct kiln_row *row, bool column)
{
    if (column && row->dtype == KILN_F64 && row->kind == KILN_INT) {
        return KILN_I64;
    }
    return column && row->dtype == KILN_F64 && row->kind == KILN_BOOL ? KILN_U8 : row->dtype;
}

static const char *judge_column(const struct kiln_row *row)
{
    bool ok =
        row->kind == KILN_ARRAY || row->kind == KILN_FLOAT || row->kind == KILN_INT || row->kind == KILN_BOOL;
    return ok ? NULL : "a column is of kind KILN_ARRAY, KILN_FLOAT, KILN_INT or KILN_BOOL";
}

static int compile_row(struct contract *c, struct side *side, size_t i, bool param, uint32_t flags,
                       struct err *err)
{
    const struct kiln_row *row = &side->rows[i];
    const char *what = param ? "parameter" : "result", *wrong = NULL, *name = NULL;
    char why[256];
    struct member *parent = &side->root;
    if (!row->name) {
        return err_set(err, KILN_INVALID, NULL, "%s %zu has no name", what, i);
    }
    bool star = strcmp(row->name, "*") == 0;
    if (star) {
        name = row->name;
        wrong = !param || !(flags & KILN_EXTRAS) ? "only a function with KILN_EXTRAS has such a parameter"
                : row->kind != KILN_VALUE        ? "its kind must be KILN_VALUE"
                : c->extras != NO_SLOT           ? "it is there twice"
                                                 : NULL;
        c->extras = (int32_t) i;
    } else if (!sound_path(row->name)) {
        wrong = "its name is no path of words such as x, a.b or table[].column (at most 95 bytes)";
    } else if (param && strcmp(row->name, "form") == 0) {
        wrong = "this name is the host's";
    }
    wrong = wrong ? wrong : judge_row(row, param);
    if (!wrong && !star) {
        wrong = descend(c, side, row->name, &parent, &name);
    }
    bool column = parent->kind == KILN_TABLE;
    if (!wrong && !star && contract_find(parent, NULL, name, strlen(name))) {
        wrong = "it is there twice, or after its members";
    }
    if (!wrong && column) {
        wrong = judge_column(row);
    }
    struct member *m = wrong ? NULL : child(side, c, star ? &(struct member){0} : parent, name, strlen(name));
    if (!wrong && !m) {
        return err_set(err, KILN_RESOURCE, NULL, "there is no memory for the contract");
    }
    if (!wrong) {
        m->parent = parent;
        m->slot = (int32_t) i;
        m->kind = row->kind;
        m->column = column;
        m->dtype = resolved_dtype(row, column);
        m->path = row->name;
        m->row = row;
        m->ranged = row->min != 0 || row->max != 0;
        side->of_row[i] = m;
        wrong = judge_shape(c, m, param, why, sizeof why);
    }
    if (wrong) {
        return err_set(err, KILN_INVALID, NULL, "%s \"%.95s\": %s", what, row->name, wrong);
    }
    return name_implied(c, m, row->name);
}

static int compile_side(struct contract *c, struct side *side, const struct contract_rows *rows, bool param,
                        uint32_t flags, struct err *err)
{
    const char *what = param ? "parameters" : "results";
    if (rows->n > KILN_MAX_ROWS || (rows->n && !rows->rows)) {
        return err_set(err, KILN_INVALID, NULL, "the table of %s has %zu rows, expected at most %d", what,
                       rows->n, KILN_MAX_ROWS);
    }
    side->root.kind = KILN_MAP;
    side->root.path = "";
    side->root.slot = NO_SLOT;
    side->n = rows->n;
    side->rows = arena_alloc(&c->store, (rows->n + 1) * sizeof *side->rows, NULL);
    side->of_row = arena_alloc(&c->store, (rows->n + 1) * sizeof *side->of_row, NULL);
    if (!side->rows || !side->of_row) {
        return err_set(err, KILN_RESOURCE, NULL, "there is no memory for the contract");
    }
    for (size_t i = 0; i < rows->n; i++) {
        side->rows[i] = (struct kiln_row){0};
        size_t bytes = rows->stride < sizeof side->rows[i] ? rows->stride : sizeof side->rows[i];
        memcpy(&side->rows[i], (const char *) rows->rows + i * rows->stride, bytes);
        int status = compile_row(c, side, i, param, flags, err);
        if (status) {
            return status;
        }
    }
    for (size_t i = 0; i < side->n; i++) {
        const struct member *m = side->of_row[i];
        if ((m->kind == KILN_TABLE || m->kind == KILN_MAP) && !m->first && !(m->row->flags & KILN_LENIENT)) {
            return err_set(err, KILN_INVALID, NULL, "%s \"%s\": it has no %s", param ? "parameter" : "result",
                           m->path, m->kind == KILN_TABLE ? "columns" : "members");
        }
    }
    return 0;
}

static int compile_defaults(struct contract *c, struct err *err)
{
    size_t bytes = (c->params.n + 1) * sizeof *c->defaults;
    c->defaults = arena_alloc(&c->store, bytes, NULL);
    if (!c->defaults) {
        return err_set(err, KILN_RESOURCE, NULL, "there is no memory for the contract");
    }
    memset(c->defaults, 0, bytes);
    for (size_t i = 0; i < c->params.n; i++) {
        struct member *m = c->params.of_row[i];
        int status = m->row->fallback ? contract_default(c, m, err) : 0;
        if (status) {
            err_prefix(err, "parameter \"%s\": its default %.60s", m->path, m->row->fallback);
            return status;
        }
    }
    struct bound bound;
    int status = contract_check_shapes(c, c->defaults, &bound, err);
    if (status) {
        err_prefix(err, "the defaults");
    }
    return status;
}

int contract_new(const struct contract_rows *params, const struct contract_rows *results, uint32_t flags,
                 struct contract **ret_contract, struct err *err)
{
    struct contract *c = mem_try(sizeof *c);
    if (!c) {
        return err_set(err, KILN_RESOURCE, NULL, "there is no memory for the contract");
    }
    arena_init(&c->store, (size_t) 64 * 1024 * 1024);
    c->extras = NO_SLOT;
    int status = compile_side(c, &c->params, params, true, flags, err);
    if (status == 0 && (flags & KILN_EXTRAS) && c->extras == NO_SLOT) {
        status = err_set(err, KILN_INVALID, NULL, "KILN_EXTRAS needs a parameter named \"*\"");
    }
    c->n_bound_symbols = c->n_symbols;
    for (size_t i = c->params.n; status == 0 && i-- > 0;) {
        const struct member *m = c->params.of_row[i];
        c->matrix =
            m && m->kind == KILN_ARRAY && !m->column && m->shape.rank == 2 && m->shape.dims[1].symbol >= 0
                ? m->path
                : c->matrix;
    }
    if (status == 0) {
        status = compile_side(c, &c->results, results, false, flags, err);
    }
    if (status == 0) {
        status = compile_defaults(c, err);
    }
    if (status) {
        contract_free(&c);
        return status;
    }
    *ret_contract = c;
    return 0;
}

void contract_free(struct contract **contract)
{
    struct contract *c = *contract;
    if (c) {
        arena_done(&c->store);
        mem_free(c);
        *contract = NULL;
    }
}
