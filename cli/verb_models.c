/* SPDX-License-Identifier: MPL-2.0 */
/* kiln models: what the plugin inference serves, and what warming it has brought. */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "status.h"
#include "table.h"

#define FUNCTION "inference.models"

static const double MIB = 1 << 20;

static struct buf name_of(const struct view *model)
{
    struct buf text = {0};
    struct view name = view_get(model, "name");
    buf_printf(&text, "%.*s:%" PRId64, VIEW_TEXT(&name), view_get_int(model, "version"));
    return text;
}

static void cell_of(struct table *t, struct buf *text)
{
    table_cell(t, "%.*s", (int) text->bytes, text->bytes ? (const char *) text->data : "");
    buf_done(text);
}

static void print_models(const struct view *models)
{
    static const char *const heads[] = {"model", "state", "bytes",     "ops", "examples",
                                        "uses",  "loads", "evictions", ""};
    static const enum table_align aligns[] = {TABLE_LEFT,  TABLE_LEFT,  TABLE_RIGHT, TABLE_RIGHT, TABLE_RIGHT,
                                              TABLE_RIGHT, TABLE_RIGHT, TABLE_RIGHT, TABLE_WRAP};
    struct table t = {0};
    for (size_t i = 0; i < sizeof aligns / sizeof aligns[0]; i++) {
        table_column(&t, heads[i], aligns[i]);
    }
    struct walk w = walk_list(models);
    for (struct view m; walk_item(&w, &m);) {
        struct buf name = name_of(&m);
        struct view state = view_get(&m, "state"), why = view_get(&m, "why");
        buf_printf(&name, "%s", view_get_int(&m, "latest") ? " *" : "");
        cell_of(&t, &name);
        table_cell(&t, "%.*s%s", VIEW_TEXT(&state), view_get_int(&m, "pinned") ? "" : ", not pinned");
        static const char *const counts[] = {"bytes", "ops", "examples", "uses", "loads", "evictions"};
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            table_cell(&t, "%" PRId64, view_get_int(&m, counts[i]));
        }
        table_cell(&t, "%.*s", VIEW_TEXT(&why));
    }
    table_print(&t, stdout, table_width(stdout));
    table_done(&t);
}

/* First run and later runs for each number of rows. */
static void add_warm(struct table *t, const struct view *model, const struct view *warm)
{
    struct buf text = name_of(model);
    cell_of(t, &text);
    struct walk w = walk_list(warm);
    for (struct view each; walk_item(&w, &each);) {
        buf_printf(&text, "%s%" PRId64 ": %.1f/%.2f", text.bytes ? ", " : "", view_get_int(&each, "rows"),
                   view_get_number(&each, "cold_us"), view_get_number(&each, "warm_us"));
    }
    cell_of(t, &text);
}

static void print_warm(const struct view *models)
{
    struct table t = {.indent = 2};
    table_column(&t, "model", TABLE_LEFT);
    table_column(&t, "rows: us of the first run/of later runs", TABLE_WRAP);
    struct walk w = walk_list(models);
    for (struct view m; walk_item(&w, &m);) {
        struct view warm = view_get(&m, "warm");
        if (warm.token.count) {
            add_warm(&t, &m, &warm);
        }
    }
    if (t.n_cells) {
        printf("\n");
        table_print(&t, stdout, table_width(stdout));
    }
    table_done(&t);
}

/* quantize = "auto": both figures, and what was chosen. */
static void print_int8(const struct view *models)
{
    struct table t = {.indent = 2};
    static const char *const heads[] = {"model",    "bytes for weights", "layers",
                                        "float us", "int8 us",           "off by"};
    static const enum table_align aligns[] = {TABLE_LEFT,  TABLE_LEFT,  TABLE_RIGHT,
                                              TABLE_POINT, TABLE_POINT, TABLE_LEFT};
    for (size_t i = 0; i < sizeof aligns / sizeof aligns[0]; i++) {
        table_column(&t, heads[i], aligns[i]);
    }
    struct walk w = walk_list(models);
    for (struct view m; walk_item(&w, &m);) {
        struct view int8 = view_get(&m, "int8");
        if (view_is(&int8, SCAN_MAP)) {
            struct buf name = name_of(&m);
            cell_of(&t, &name);
            table_cell(&t, "%s", view_get_int(&int8, "used") ? "yes" : "no");
            table_cell(&t, "%" PRId64, view_get_int(&int8, "layers"));
            table_cell(&t, "%.2f", view_get_number(&int8, "float_us"));
            table_cell(&t, "%.2f", view_get_number(&int8, "int8_us"));
            table_cell(&t, "%.2g", view_get_number(&int8, "off"));
        }
    }
    if (t.n_cells) {
        printf("\n");
        table_print(&t, stdout, table_width(stdout));
    }
    table_done(&t);
}

static void print_all(const struct kiln_outcome *o, const struct view *result)
{
    struct view models = view_get(result, "models"), cache = view_get(result, "cache");
    print_models(&models);
    print_warm(&models);
    print_int8(&models);
    printf("\n%s on %s: %.2f of %.0f MiB used, working memory %.2f MiB; hits %" PRId64 ", misses %" PRId64
           ", loads %" PRId64 ", failures %" PRId64 ", evictions %" PRId64 "\n",
           o->plugin, o->worker, view_get_number(&cache, "used_bytes") / MIB,
           view_get_number(&cache, "limit_bytes") / MIB, view_get_number(&cache, "workspace_bytes") / MIB,
           view_get_int(&cache, "hits"), view_get_int(&cache, "misses"), view_get_int(&cache, "loads"),
           view_get_int(&cache, "failures"), view_get_int(&cache, "evictions"));
}

static int print_outcome(struct cli *c, const struct kiln_outcome *o)
{
    if (o->status == KILN_UNKNOWN_FUNCTION) {
        fprintf(stderr,
                "kiln models: no worker serves models: the plugin inference is not there\n"
                "  in kiln.conf:  { name = \"inference\"; options = { folder = \"/srv/models\"; }; }\n"
                "  what is there: kiln plugins\n");
        return status_exit(o->status);
    }
    if (o->status != KILN_OK) {
        return cli_fail(c, FUNCTION, o->status, o->field, o->error);
    }
    if (cli_json(c, false)) {
        return cli_print_json(o->result, o->result_bytes);
    }
    struct view result = cli_result(o);
    if (!result.there) {
        return cli_fail(c, FUNCTION, KILN_INTERNAL, "", "the result is damaged msgpack");
    }
    print_all(o, &result);
    return 0;
}

int verb_models(struct cli *c)
{
    int rc = cli_connect(c);
    if (rc) {
        return rc;
    }
    struct buf args = {0};
    buf_put_map(&args, c->words.n);
    if (c->words.n) {
        buf_put_str_const(&args, "model");
        buf_put_text(&args, c->words.items[0]);
    }
    struct kiln_job job = {
        .fn = FUNCTION, .args = args.data, .args_bytes = args.bytes, .timeout_ms = said(c->set.timeout_ms)};
    struct kiln_answer *answer = NULL;
    struct kiln_error err;
    if (kiln_client_call(c->client, &job, 1, &answer, &err) == KILN_OK) {
        rc = print_outcome(c, &answer->outcomes[0]);
        kiln_client_answer_free(&answer);
    } else {
        rc = cli_fail_error(c, FUNCTION, &err);
    }
    buf_done(&args);
    return rc;
}
