/* SPDX-License-Identifier: MPL-2.0 */
#include "show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "arena.h"
#include "array.h"
#include "buf.h"
#include "json.h"
#include "mem.h"
#include "table.h"

enum {
    ENDS = 3,     /* values shown at each end of an array */
    END_ROWS = 5, /* rows at each end of a table */
    FEW = 2 * ENDS + 1,
    FEW_ROWS = 2 * END_ROWS + 2,
    NAME_BYTES = 192,
};

static const char gap[] = "\xe2\x80\xa6"; /* an ellipsis */

struct sheet {
    FILE *out;
    bool all;
    size_t width;
    struct table scalars; /* name, value */
    struct buf later;     /* struct pending_table: tables come after the scalars */
};

struct later {
    char name[NAME_BYTES];
    struct view value;
    struct buf unpacked; /* of an nd map; value lies in it */
};

static bool is_number(const struct token *t)
{
    return t->type == SCAN_INT || t->type == SCAN_UINT || t->type == SCAN_FLOAT;
}

const char *show_scalar(const struct view *v, char *text, size_t bytes)
{
    const struct token *t = &v->token;
    switch (v->there ? t->type : SCAN_NIL) {
    case SCAN_NIL:
        snprintf(text, bytes, "-");
        break;
    case SCAN_BOOL:
        snprintf(text, bytes, "%s", t->i ? "true" : "false");
        break;
    case SCAN_INT:
        snprintf(text, bytes, "%" PRId64, t->i);
        break;
    case SCAN_UINT:
        snprintf(text, bytes, "%" PRIu64, t->u);
        break;
    case SCAN_FLOAT:
        snprintf(text, bytes, "%.10g", t->f == 0 ? 0 : t->f); /* no "-0" */
        break;
    case SCAN_STR:
        snprintf(text, bytes, "%.*s", VIEW_TEXT(v));
        break;
    case SCAN_BIN:
    case SCAN_EXT:
        snprintf(text, bytes, "[%" PRIu32 " bytes]", t->count);
        break;
    case SCAN_LIST:
        snprintf(text, bytes, "[%" PRIu32 " values]", t->count);
        break;
    case SCAN_MAP:
        snprintf(text, bytes, "{%" PRIu32 " members}", t->count);
        break;
    }
    return text;
}

/* ---- what a value is ---- */

static bool shows_row(uint32_t i, uint32_t n, bool all)
{
    return all || n <= FEW_ROWS || i < END_ROWS || i >= n - END_ROWS;
}

static bool is_flat(const struct view *list) /* a list without lists or maps inside */
{
    struct walk w = walk_list(list);
    for (struct view item; walk_item(&w, &item);) {
        if (item.token.type == SCAN_LIST || item.token.type == SCAN_MAP) {
            return false;
        }
    }
    return view_is(list, SCAN_LIST);
}

static bool is_list_of(const struct view *list, enum scan_type type)
{
    struct walk w = walk_list(list);
    for (struct view item; walk_item(&w, &item);) {
        if (item.token.type != type || (type == SCAN_LIST && !is_flat(&item))) {
            return false;
        }
    }
    return view_is(list, SCAN_LIST) && list->token.count > 0;
}

/* Maps that a table holds: all have the first one's keys, and no lists or maps inside. */
static bool is_rows(const struct view *list)
{
    struct walk w = walk_list(list);
    struct view first, row, key, value, other;
    bool same = is_list_of(list, SCAN_MAP) && walk_item(&w, &first);
    w = walk_list(list);
    while (same && walk_item(&w, &row)) {
        struct walk mine = walk_map(&row), firsts = walk_map(&first);
        same = row.token.count == first.token.count;
        while (same && walk_pair(&mine, &key, &value) && walk_pair(&firsts, &key, &other)) {
            char *name = view_text(&key);
            struct view found = view_get(&row, name);
            same = found.there && value.token.type != SCAN_LIST && value.token.type != SCAN_MAP;
            mem_free(name);
        }
    }
    return same;
}

/* A map whose members are flat lists of one length. */
static bool is_columns(const struct view *map)
{
    struct walk w = walk_map(map);
    uint32_t rows = 0, columns = 0;
    for (struct view key, value; walk_pair(&w, &key, &value); columns++) {
        if (!is_flat(&value) || (columns && value.token.count != rows)) {
            return false;
        }
        rows = value.token.count;
    }
    return columns > 0 && columns < TABLE_COLUMNS;
}

/* ---- arrays ---- */

static void array_text(const struct view *list, bool all, struct buf *text)
{
    uint32_t n = list->token.count, i = 0, missing = 0;
    struct walk w = walk_list(list);
    bool shorten = !all && n > FEW;
    if (n == 0) {
        buf_printf(text, "none");
    } else if (shorten) {
        buf_printf(text, "%" PRIu32 " values: ", n);
    }
    for (struct view item; walk_item(&w, &item); i++) {
        char shown[256];
        missing += item.token.type == SCAN_NIL || (item.token.type == SCAN_FLOAT && isnan(item.token.f));
        if (shorten && i == ENDS) {
            buf_printf(text, "  %s", gap);
        }
        if (!shorten || i < ENDS || i >= n - ENDS) {
            buf_printf(text, "%s%s", i ? "  " : "", show_scalar(&item, shown, sizeof shown));
        }
    }
    if (missing && shorten) {
        buf_printf(text, "  (%" PRIu32 " missing)", missing);
    }
}

/* An nd map as nested lists, packed into *ret_list: as JSON text and back it would lose digits. */
static bool nd_unpack(const struct view *v, struct buf *ret_list)
{
    if (!view_is(v, SCAN_MAP) || !array_is_nd(&v->items, v->token.count)) {
        return false;
    }
    struct arena arena;
    arena_init(&arena, SIZE_MAX / 4);
    struct scan s = scan_over(v->data, v->bytes);
    struct array_want want = {.name = "result", .dtype = KILN_F64};
    struct kiln_array a;
    bool ok = array_decode(&s, &want, &arena, &a, NULL, NULL) == KILN_OK;
    if (ok) {
        array_put(ret_list, &a, false);
    }
    arena_done(&arena);
    return ok;
}

/* ---- tables ---- */

/* The cells of a table before they are in rows: a column at a time is read, a row at a time is written. */
struct grid {
    char **heads;
    size_t columns;
    uint32_t rows, shown; /* rows there are; rows kept */
    struct view *cells;   /* shown x columns */
};

static void grid_init(struct grid *g, size_t columns, uint32_t rows, bool all)
{
    *g = (struct grid){.columns = columns, .rows = rows};
    for (uint32_t i = 0; i < rows; i++) {
        g->shown += shows_row(i, rows, all);
    }
    g->heads = mem_alloc(columns * sizeof *g->heads);
    g->cells = mem_alloc((size_t) g->shown * columns * sizeof *g->cells);
}

static void grid_done(struct grid *g)
{
    for (size_t c = 0; c < g->columns; c++) {
        mem_free(g->heads[c]);
    }
    mem_free(g->heads);
    mem_free(g->cells);
}

/* Fills column c from a flat list. */
static void grid_column(struct grid *g, size_t c, const struct view *list, bool all)
{
    struct walk w = walk_list(list);
    uint32_t i = 0, row = 0;
    for (struct view item; walk_item(&w, &item); i++) {
        if (shows_row(i, g->rows, all)) {
            g->cells[row++ * g->columns + c] = item;
        }
    }
}

static void grid_from_columns(struct grid *g, const struct view *map, bool all)
{
    struct walk w = walk_map(map);
    struct view key, value;
    walk_pair(&w, &key, &value);
    grid_init(g, map->token.count, value.token.count, all);
    w = walk_map(map);
    for (size_t c = 0; walk_pair(&w, &key, &value); c++) {
        g->heads[c] = view_text(&key);
        grid_column(g, c, &value, all);
    }
}

/* A list of maps: the first one's keys are the columns. A list of lists: the columns are numbered. */
static void grid_from_rows(struct grid *g, const struct view *list, bool all)
{
    struct walk w = walk_list(list);
    struct view row, key, value;
    walk_item(&w, &row);
    size_t columns = row.token.count < TABLE_COLUMNS - 1 ? row.token.count : TABLE_COLUMNS - 1;
    bool maps = row.token.type == SCAN_MAP;
    grid_init(g, columns, list->token.count, all);
    struct walk keys = walk_map(&row);
    for (size_t c = 0; c < columns; c++) {
        g->heads[c] = maps && walk_pair(&keys, &key, &value) ? view_text(&key) : NULL;
    }
    w = walk_list(list);
    uint32_t at = 0;
    for (uint32_t i = 0; walk_item(&w, &row); i++) {
        if (!shows_row(i, g->rows, all)) {
            continue;
        }
        struct walk items = walk_list(&row);
        for (size_t c = 0; c < columns; c++) {
            g->cells[at * columns + c] = maps                        ? view_get(&row, g->heads[c])
                                         : walk_item(&items, &value) ? value
                                                                     : (struct view){0};
        }
        at++;
    }
}

static void grid_print(const struct grid *g, FILE *out, bool all, size_t width)
{
    struct table t = {.indent = 2};
    table_column(&t, NULL, TABLE_RIGHT); /* row numbers, from 0 as the arrays are */
    for (size_t c = 0; c < g->columns; c++) {
        bool numbers = true;
        for (uint32_t r = 0; r < g->shown; r++) {
            const struct view *v = &g->cells[r * g->columns + c];
            numbers = numbers && (!v->there || v->token.type == SCAN_NIL || is_number(&v->token));
        }
        table_column(&t, g->heads[c], numbers ? TABLE_POINT : TABLE_LEFT);
    }
    uint32_t r = 0;
    for (uint32_t i = 0; i < g->rows; i++) {
        if (!shows_row(i, g->rows, all)) {
            if (i == END_ROWS) {
                table_cell(&t, "%s", gap);
                for (size_t c = 0; c < g->columns; c++) {
                    table_cell(&t, "%s", "");
                }
            }
            continue;
        }
        table_cell(&t, "%" PRIu32, i);
        for (size_t c = 0; c < g->columns; c++) {
            char text[512];
            table_cell(&t, "%s", show_scalar(&g->cells[r * g->columns + c], text, sizeof text));
        }
        r++;
    }
    table_print(&t, out, width);
    table_done(&t);
}

static void print_table(struct sheet *s, const char *name, const struct view *v)
{
    struct grid g;
    if (view_is(v, SCAN_MAP)) {
        grid_from_columns(&g, v, s->all);
    } else {
        grid_from_rows(&g, v, s->all);
    }
    fprintf(s->out, "%s%s (%" PRIu32 " row%s)\n", s->scalars.n_cells ? "\n" : "", *name ? name : "result",
            g.rows, g.rows == 1 ? "" : "s");
    grid_print(&g, s->out, s->all, s->width);
    grid_done(&g);
}

/* ---- the whole ---- */

static void add(struct sheet *s, const char *name, const struct view *v);

static void add_later(struct sheet *s, const char *name, const struct view *v, struct buf unpacked)
{
    struct later l = {.value = *v, .unpacked = unpacked};
    snprintf(l.name, sizeof l.name, "%s", name);
    buf_put_raw(&s->later, &l, sizeof l);
}

static void add_row(struct sheet *s, const char *name, const char *text)
{
    table_cell(&s->scalars, "%s", name);
    table_cell(&s->scalars, "%s", text);
}

static void add_list(struct sheet *s, const char *name, const struct view *v, struct buf unpacked)
{
    if (is_rows(v) || is_list_of(v, SCAN_LIST)) {
        add_later(s, name, v, unpacked);
        return;
    }
    if (is_list_of(v, SCAN_MAP)) { /* one after the other, as they differ */
        struct walk w = walk_list(v);
        struct view item;
        for (uint32_t i = 0; walk_item(&w, &item); i++) {
            char path[NAME_BYTES];
            snprintf(path, sizeof path, "%s[%" PRIu32 "]", name, i);
            if (shows_row(i, v->token.count, s->all)) {
                add(s, path, &item);
            } else if (i == END_ROWS) {
                add_row(s, gap, "");
            }
        }
        buf_done(&unpacked);
        return;
    }
    struct buf text = {0};
    if (is_flat(v)) {
        array_text(v, s->all, &text);
    } else if (json_from_msgpack(v->data, v->bytes, JSON_STYLE_COMPACT, &text, NULL) != KILN_OK) {
        buf_clear(&text);
    }
    table_cell(&s->scalars, "%s", name);
    table_cell(&s->scalars, "%.*s", (int) text.bytes, (const char *) text.data);
    buf_done(&text);
    buf_done(&unpacked);
}

static void add_members(struct sheet *s, const char *name, const struct view *map)
{
    struct walk w = walk_map(map);
    for (struct view key, value; walk_pair(&w, &key, &value);) {
        char path[NAME_BYTES];
        snprintf(path, sizeof path, "%s%s%.*s", name, *name ? "." : "", VIEW_TEXT(&key));
        add(s, path, &value);
    }
    if (!map->token.count && *name) {
        add_row(s, name, "{}");
    }
}

static void add(struct sheet *s, const char *name, const struct view *v)
{
    struct buf unpacked = {0};
    if (nd_unpack(v, &unpacked)) {
        struct view list = view_open(unpacked.data, unpacked.bytes);
        add_list(s, name, &list, unpacked);
    } else if (v->token.type == SCAN_LIST) {
        add_list(s, name, v, unpacked);
    } else if (v->token.type == SCAN_MAP && *name && is_columns(v)) {
        add_later(s, name, v, unpacked);
    } else if (v->token.type == SCAN_MAP) {
        add_members(s, name, v);
    } else if (v->token.type == SCAN_STR) {
        table_cell(&s->scalars, "%s", name);
        table_cell(&s->scalars, "%.*s", VIEW_TEXT(v));
    } else {
        char text[64];
        add_row(s, name, show_scalar(v, text, sizeof text));
    }
}

void show_result(FILE *out, const struct view *result, bool all, size_t width)
{
    struct sheet s = {.out = out, .all = all, .width = width};
    table_column(&s.scalars, NULL, TABLE_LEFT);
    table_column(&s.scalars, NULL, TABLE_WRAP);
    add(&s, "", result);
    table_print(&s.scalars, out, width);
    for (size_t at = 0; at < s.later.bytes; at += sizeof(struct later)) {
        struct later l;
        memcpy(&l, s.later.data + at, sizeof l);
        print_table(&s, l.name, &l.value);
        buf_done(&l.unpacked);
    }
    buf_done(&s.later);
    table_done(&s.scalars);
}
