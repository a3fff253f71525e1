/* SPDX-License-Identifier: MPL-2.0 */
/* kiln describe: a function's contract as a page. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "json.h"
#include "mem.h"
#include "show.h"
#include "table.h"

enum { LINE_MOST = 160 /* longer examples are given their arguments as a document */ };

/* ---- rows ---- */

/* "float", "f64[n>=2]", "table[k]" */
static void kind_text(const struct view *row, struct buf *text)
{
    struct view kind = view_get(row, "kind"), dtype = view_get(row, "dtype"), shape = view_get(row, "shape");
    bool array = view_text_is(&kind, "array");
    if (!array) {
        buf_printf(text, "%.*s", VIEW_TEXT(&kind));
    } else if (view_text_bytes(&dtype)) {
        buf_printf(text, "%.*s", VIEW_TEXT(&dtype));
    } else {
        buf_printf(text, "f64");
    }
    if (array || view_text_bytes(&shape)) {
        buf_printf(text, "[%.*s]", VIEW_TEXT(&shape));
    }
}

/* "0..1", ">0", "<=5", ">0..<1"; "" without a range */
static void range_text(const struct view *row, struct buf *text)
{
    struct view min = view_get(row, "min"), max = view_get(row, "max"), open_min = view_get(row, "open_min"),
                open_max = view_get(row, "open_max");
    double least = view_number(&min, (double) -INFINITY), most = view_number(&max, (double) INFINITY);
    bool from = isfinite(least) && least > -1e300, to = isfinite(most) && most < 1e300;
    bool above = view_int(&open_min, 0), below = view_int(&open_max, 0);
    if (from && to) {
        buf_printf(text, "%s%.10g..%s%.10g", above ? ">" : "", least, below ? "<" : "", most);
    } else if (from) {
        buf_printf(text, "%s%.10g", above ? ">" : ">=", least);
    } else if (to) {
        buf_printf(text, "%s%.10g", below ? "<" : "<=", most);
    }
}

/* The help line with what has no column of its own. */
static void help_text(const struct view *row, struct buf *text)
{
    struct view help = view_get(row, "help"), choices = view_get(row, "choices"),
                finite = view_get(row, "finite");
    buf_printf(text, "%.*s", VIEW_TEXT(&help));
    if (view_text_bytes(&choices)) {
        buf_printf(text, "%sone of %.*s", text->bytes ? "; " : "", VIEW_TEXT(&choices));
    } else if (view_is(&choices, SCAN_LIST)) {
        struct walk w = walk_list(&choices);
        const char *between = text->bytes ? "; one of " : "one of ";
        for (struct view choice; walk_item(&w, &choice); between = "|") {
            buf_printf(text, "%s%.*s", between, VIEW_TEXT(&choice));
        }
    }
    if (view_int(&finite, 0)) {
        buf_printf(text, "%smust be finite", text->bytes ? "; " : "");
    }
}

static void put_cell(struct table *t, struct buf *text)
{
    table_cell(t, "%.*s", (int) text->bytes, text->bytes ? (const char *) text->data : "");
    buf_clear(text);
}

/* Where a row's default would stand: "required", the default, or "-". */
static void default_text(const struct view *row, struct buf *text)
{
    struct view required = view_get(row, "required"), fallback = view_get(row, "default");
    if (view_int(&required, 0)) {
        buf_printf(text, "required");
    } else if (view_text_bytes(&fallback)) {
        buf_printf(text, "%.*s", VIEW_TEXT(&fallback));
    } else {
        buf_printf(text, "-");
    }
}

static void print_table(const struct view *rows, bool params, size_t width)
{
    struct table t = {.indent = 2};
    table_column(&t, "name", TABLE_LEFT);
    table_column(&t, "kind", TABLE_LEFT);
    table_column(&t, "unit", TABLE_LEFT);
    if (params) {
        table_column(&t, "range", TABLE_LEFT);
        table_column(&t, "default", TABLE_LEFT);
    }
    table_column(&t, "", TABLE_WRAP);
    struct walk w = walk_list(rows);
    struct buf text = {0};
    for (struct view row; walk_item(&w, &row);) {
        struct view name = view_get(&row, "name"), unit = view_get(&row, "unit");
        table_cell(&t, "%.*s", VIEW_TEXT(&name));
        kind_text(&row, &text);
        put_cell(&t, &text);
        table_cell(&t, "%.*s", VIEW_TEXT(&unit));
        if (params) {
            range_text(&row, &text);
            put_cell(&t, &text);
            default_text(&row, &text);
            put_cell(&t, &text);
        }
        help_text(&row, &text);
        put_cell(&t, &text);
    }
    table_print(&t, stdout, width);
    table_done(&t);
    buf_done(&text);
}

/* Long names leave no room for columns: a line for what a row is, and its help below. */
static void print_list(const struct view *rows, bool params, size_t width)
{
    struct walk w = walk_list(rows);
    for (struct view row; walk_item(&w, &row);) {
        struct view name = view_get(&row, "name"), unit = view_get(&row, "unit");
        struct buf kind = {0}, range = {0}, help = {0};
        kind_text(&row, &kind);
        printf("  %.*s  %.*s", VIEW_TEXT(&name), (int) kind.bytes, (const char *) kind.data);
        if (view_text_bytes(&unit)) {
            printf(", %.*s", VIEW_TEXT(&unit));
        }
        if (params) {
            range_text(&row, &range);
            printf(range.bytes ? ", %.*s" : "%.*s", (int) range.bytes,
                   range.bytes ? (const char *) range.data : "");
            struct view required = view_get(&row, "required"), fallback = view_get(&row, "default");
            if (view_int(&required, 0)) {
                printf(", required");
            } else if (view_text_bytes(&fallback)) {
                printf(", default %.*s", VIEW_TEXT(&fallback));
            }
        }
        printf("\n");
        help_text(&row, &help);
        buf_put_raw(&help, "", 1);
        table_paragraph(stdout, (const char *) help.data, 6, width);
        buf_done(&kind);
        buf_done(&range);
        buf_done(&help);
    }
}

static void print_rows(const struct view *rows, bool params, size_t width)
{
    size_t longest = 0;
    struct walk w = walk_list(rows);
    for (struct view row; walk_item(&w, &row);) {
        struct view name = view_get(&row, "name");
        size_t n = (size_t) view_text_bytes(&name);
        longest = n > longest ? n : longest;
    }
    if (width && longest > width / 4) {
        print_list(rows, params, width);
    } else {
        print_table(rows, params, width);
    }
}

/* ---- examples ---- */

static bool plain_name(const struct view *key)
{
    const char *text = view_text_data(key);
    int n = view_text_bytes(key);
    for (int i = 0; i < n; i++) {
        if (!isalnum((unsigned char) text[i]) && text[i] != '_') {
            return false;
        }
    }
    return n > 0;
}

/* Puts a word as a POSIX shell reads it. */
static void put_word(struct buf *line, const char *text, size_t bytes)
{
    bool plain = bytes > 0;
    for (size_t i = 0; i < bytes; i++) {
        plain = plain && (isalnum((unsigned char) text[i]) || strchr("_-.,:=/+", text[i])) && text[i];
    }
    if (plain) {
        buf_printf(line, "%.*s", (int) bytes, text);
        return;
    }
    buf_printf(line, "'");
    for (size_t i = 0; i < bytes; i++) {
        buf_printf(line, text[i] == '\'' ? "'\\''" : "%c", text[i]);
    }
    buf_printf(line, "'");
}

/* May text stand without its quotes? Not when it would be read as something else. */
static bool bare_text(const struct view *v)
{
    static const char *const taken[] = {"true", "false", "null", "nan", "inf", "infinity"};
    const char *text = view_text_data(v);
    int n = view_text_bytes(v);
    for (int i = 0; i < n; i++) {
        if (!isalpha((unsigned char) text[i]) && text[i] != '_' && (text[i] != '-' || i == 0)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if ((size_t) n == strlen(taken[i]) && strncasecmp(text, taken[i], (size_t) n) == 0) {
            return false;
        }
    }
    return n > 0;
}

/* The members of a map as words NAME=VALUE. False when a name cannot be written so, or a value is made by the host. */
static bool put_members(struct buf *line, const char *prefix, const struct view *map)
{
    struct walk w = walk_map(map);
    bool ok = true;
    for (struct view key, value; ok && walk_pair(&w, &key, &value);) {
        struct buf word = {0};
        if (!plain_name(&key)) {
            return false;
        }
        if (view_is(&value, SCAN_MAP) && value.token.count) {
            buf_printf(&word, "%s%.*s.%c", prefix, VIEW_TEXT(&key), '\0');
            ok = put_members(line, (const char *) word.data, &value);
        } else {
            buf_printf(&word, "%s%.*s=", prefix, VIEW_TEXT(&key));
            if (bare_text(&value)) {
                buf_put_raw(&word, view_text_data(&value), (size_t) view_text_bytes(&value));
            } else {
                ok = json_from_msgpack(value.data, value.bytes, JSON_STYLE_COMPACT, &word, NULL) == 0;
            }
            buf_printf(line, " ");
            put_word(line, (const char *) word.data, word.bytes);
        }
        buf_done(&word);
    }
    return ok;
}

static bool made_by_host(const struct view *args)
{
    const char *text = view_text_data(args);
    size_t n = (size_t) view_text_bytes(args);
    return memmem(text, n, "\"$linspace\"", 11) || memmem(text, n, "\"$normal\"", 9);
}

/* The result that the example must give, as far as it fits on a line. */
static void print_expected(const struct view *example)
{
    struct view status = view_get(example, "status"), result = view_get(example, "result");
    int n = view_text_bytes(&result), shown = n > LINE_MOST ? LINE_MOST : n;
    bool fails =
        view_is(&status, SCAN_STR) ? !view_text_is(&status, "ok") : view_int(&status, KILN_OK) != KILN_OK;
    if (fails) {
        char text[32];
        const char *name = view_is(&status, SCAN_INT) ? kiln_status_name((int) status.token.i)
                                                      : show_scalar(&status, text, sizeof text);
        printf("    -> %s%s%.*s\n", name, n ? ": " : "", shown, view_text_data(&result));
    } else if (n) {
        while (shown < n && ((unsigned char) view_text_data(&result)[shown] & 0xc0) == 0x80) {
            shown--;
        }
        printf("    -> %.*s%s\n", shown, view_text_data(&result), shown < n ? "..." : "");
    }
}

static void print_example(const char *fn, const struct view *example)
{
    struct view title = view_get(example, "title"), args = view_get(example, "args");
    struct buf packed = {0}, line = {0};
    bool json =
        json_to_msgpack(view_text_data(&args), (size_t) view_text_bytes(&args), NULL, &packed, NULL) == 0;
    struct view map = view_open(packed.data, packed.bytes);
    buf_printf(&line, "kiln call %s", fn);
    bool words = json && put_members(&line, "", &map) && line.bytes <= LINE_MOST;
    if (view_text_bytes(&title)) {
        printf("  # %.*s\n", VIEW_TEXT(&title));
    }
    if (words) {
        printf("  %.*s\n", (int) line.bytes, (const char *) line.data);
    } else {
        printf("  kiln call %s --json - <<'END'\n%.*s\nEND\n", fn, VIEW_TEXT(&args));
    }
    print_expected(example);
    buf_done(&packed);
    buf_done(&line);
}

static void print_examples(const char *fn, const struct view *examples)
{
    size_t warming = 0;
    struct walk w = walk_list(examples);
    for (struct view example; walk_item(&w, &example);) {
        struct view args = view_get(&example, "args");
        if (made_by_host(&args)) {
            warming++;
        } else {
            print_example(fn, &example);
        }
    }
    if (warming) {
        printf("  # and %zu more with generated arrays, for warming\n", warming);
    }
}

/* ---- the page ---- */

static void print_text(const struct view *v, size_t width)
{
    char *text = view_text(v);
    table_paragraph(stdout, text, 2, width);
    mem_free(text);
}

static void print_page(const char *fn, const struct view *contract)
{
    size_t width = table_width(stdout);
    struct view plugin = view_get(contract, "plugin"), version = view_get(contract, "version"),
                summary = view_get(contract, "summary"), help = view_get(contract, "help"),
                flags = view_get(contract, "flags"), params = view_get(contract, "params"),
                results = view_get(contract, "results"), examples = view_get(contract, "examples");
    printf("%s", fn);
    if (view_text_bytes(&plugin)) {
        printf("  (%.*s %.*s", VIEW_TEXT(&plugin), VIEW_TEXT(&version));
        struct walk w = walk_list(&flags);
        for (struct view flag; walk_item(&w, &flag);) {
            printf(", %.*s", VIEW_TEXT(&flag));
        }
        printf(")");
    }
    printf("\n");
    print_text(&summary, width);
    if (view_text_bytes(&help)) {
        printf("\n");
        print_text(&help, width);
    }
    printf("\nPARAMETERS%s\n", params.token.count ? "" : ": none");
    if (params.token.count) {
        print_rows(&params, true, width);
    }
    printf("\nRESULTS\n");
    print_rows(&results, false, width);
    if (examples.token.count) {
        printf("\nEXAMPLES\n");
        print_examples(fn, &examples);
    }
}

int verb_describe(struct cli *c)
{
    int rc = cli_connect(c);
    if (rc) {
        return rc;
    }
    const char *fn = c->words.items[0];
    struct kiln_answer *answer = NULL;
    struct kiln_error err;
    if (kiln_client_describe(c->client, fn, &answer, &err) != KILN_OK) {
        return cli_fail_error(c, fn, &err);
    }
    if (!answer->count) {
        rc = cli_fail(c, fn, KILN_UNKNOWN_FUNCTION, "", "");
    } else if (cli_json(c, false)) {
        rc = cli_print_json(answer->outcomes[0].result, answer->outcomes[0].result_bytes);
    } else {
        struct view contract = cli_result(&answer->outcomes[0]);
        print_page(fn, &contract);
    }
    kiln_client_answer_free(&answer);
    return rc;
}
