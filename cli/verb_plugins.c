/* SPDX-License-Identifier: MPL-2.0 */
/* kiln plugins: which plugins run where, and what warming them has brought. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "table.h"

enum { BUILD_SHOWN = 12, LABEL_BUILD = 8 };

static bool same_text(const struct view *a, const struct view *b)
{
    return view_text_bytes(a) == view_text_bytes(b) &&
           memcmp(view_text_data(a), view_text_data(b), (size_t) view_text_bytes(a)) == 0;
}

static int build_bytes(const struct view *build)
{
    return view_text_bytes(build) < BUILD_SHOWN ? view_text_bytes(build) : BUILD_SHOWN;
}

/* ---- which run where ---- */

/* "promoted 12 s ago" */
static void swap_cell(struct table *t, const struct view *p)
{
    struct view last = view_get(p, "last_swap"), result = view_get(&last, "result");
    int64_t ago_s = view_get_int(&last, "ago_ms") / 1000;
    const char *unit = ago_s < 120 ? "s" : ago_s < 7200 ? "min" : "h";
    if (last.there) {
        table_cell(t, "%.*s %" PRId64 " %s ago", VIEW_TEXT(&result),
                   ago_s < 120    ? ago_s
                   : ago_s < 7200 ? ago_s / 60
                                  : ago_s / 3600,
                   unit);
    } else {
        table_cell(t, "-");
    }
}

static void add_plugin(struct table *t, const struct view *node, const struct view *p)
{
    struct view name = view_get(p, "name"), version = view_get(p, "version"), build = view_get(p, "build"),
                state = view_get(p, "state"), why = view_get(p, "why"), wid = view_get(node, "wid"),
                coming = view_get(p, "coming_state"), coming_build = view_get(p, "coming_build"),
                flow = view_get(node, "state");
    bool runs = view_text_is(&flow, "ready");
    table_cell(t, "%.*s", VIEW_TEXT(&name));
    table_cell(t, "%.*s", VIEW_TEXT(&state));
    table_cell(t, "%.*s", VIEW_TEXT(&version));
    table_cell(t, "%.*s", build_bytes(&build), view_text_data(&build));
    table_cell(t, "%" PRId64, view_get_int(p, "workers"));
    table_cell(t, "%" PRId64, view_get_int(p, "restarts"));
    table_cell(t, "%" PRId64, view_get_int(p, "denied"));
    table_cell(t, "%.*s%s%.*s%s", VIEW_TEXT(&wid), runs ? "" : " (", runs ? 0 : view_text_bytes(&flow),
               view_text_data(&flow), runs ? "" : ")");
    table_cell(t, "%" PRId64, view_get_int(p, "generation"));
    if (coming.there) {
        table_cell(t, "%.*s %.*s", LABEL_BUILD, view_text_data(&coming_build), VIEW_TEXT(&coming));
    } else {
        table_cell(t, "-");
    }
    swap_cell(t, p);
    table_cell(t, "%.*s", VIEW_TEXT(&why));
}

/* A worker that no supervisor answers for speaks for itself. */
static void add_lone_worker(struct table *t, const struct view *worker)
{
    struct view plugin = view_get(worker, "plugin"), version = view_get(worker, "version"),
                build = view_get(worker, "build"), state = view_get(worker, "state"),
                wid = view_get(worker, "wid");
    table_cell(t, "%.*s", VIEW_TEXT(&plugin));
    table_cell(t, "%.*s", VIEW_TEXT(&state));
    table_cell(t, "%.*s", VIEW_TEXT(&version));
    table_cell(t, "%.*s", build_bytes(&build), view_text_data(&build));
    table_cell(t, "1");
    table_cell(t, "-");
    table_cell(t, "-");
    table_cell(t, "%.*s", VIEW_TEXT(&wid));
    table_cell(t, "%" PRId64, view_get_int(worker, "generation"));
    table_cell(t, "-");
    table_cell(t, "-");
    table_cell(t, "%s", "");
}

static bool has_node(const struct view *nodes, const struct view *worker)
{
    struct view wanted = view_get(worker, "node");
    struct walk w = walk_list(nodes);
    for (struct view node; walk_item(&w, &node);) {
        struct view wid = view_get(&node, "wid");
        if (view_text_bytes(&wanted) && same_text(&wid, &wanted)) {
            return true;
        }
    }
    return false;
}

static size_t print_plugins(const struct view *nodes, const struct view *workers)
{
    static const char *const heads[] = {"plugin", "state", "version",    "build",  "workers",   "restarts",
                                        "denied", "node",  "generation", "coming", "last swap", ""};
    static const enum table_align aligns[] = {TABLE_LEFT,  TABLE_LEFT,  TABLE_LEFT,  TABLE_LEFT,
                                              TABLE_RIGHT, TABLE_RIGHT, TABLE_RIGHT, TABLE_LEFT,
                                              TABLE_RIGHT, TABLE_LEFT,  TABLE_LEFT,  TABLE_WRAP};
    struct table t = {0};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        table_column(&t, heads[i], aligns[i]);
    }
    struct walk w = walk_list(nodes);
    for (struct view node; walk_item(&w, &node);) {
        struct view plugins = view_get(&node, "plugins");
        struct walk inner = walk_list(&plugins);
        for (struct view p; walk_item(&inner, &p);) {
            add_plugin(&t, &node, &p);
        }
    }
    w = walk_list(workers);
    for (struct view worker; walk_item(&w, &worker);) {
        if (!has_node(nodes, &worker)) {
            add_lone_worker(&t, &worker);
        }
    }
    size_t rows = t.n_cells / t.n_columns;
    if (rows) {
        table_print(&t, stdout, table_width(stdout));
    }
    table_done(&t);
    return rows;
}

/* ---- warm-up reports ---- */

static void add_report(struct table *t, const struct view *plugin, const struct view *report)
{
    struct view functions = view_get(report, "functions");
    struct walk w = walk_list(&functions);
    for (struct view f; walk_item(&w, &f);) {
        struct view name = view_get(&f, "name"), ratio = view_get(&f, "ratio"),
                    batches = view_get(&f, "batches"), cold = view_get(&f, "cold_us"),
                    warm = view_get(&f, "warm_us");
        bool whole = memchr(view_text_data(&name), '.', (size_t) view_text_bytes(&name)) != NULL;
        table_cell(t, "%.*s%s%.*s", whole ? 0 : view_text_bytes(plugin), view_text_data(plugin),
                   whole ? "" : ".", VIEW_TEXT(&name));
        table_cell(t, "%.1f", view_number(&cold, 0));
        table_cell(t, "%.1f", view_number(&warm, 0));
        table_cell(t, "%.1f", view_number(&ratio, 0));
        struct buf text = {0};
        struct walk each = walk_list(&batches);
        for (struct view batch; walk_item(&each, &batch);) {
            struct view us = view_get(&batch, "us");
            buf_printf(&text, "%s%" PRId64 ": %.1f us", text.bytes ? ", " : "", view_get_int(&batch, "n"),
                       view_number(&us, 0));
        }
        table_cell(t, "%.*s", (int) text.bytes, text.bytes ? (const char *) text.data : "");
        buf_done(&text);
    }
}

/* Has a worker before this one told of the same plugin and build? */
static bool told(const struct view *workers, const struct view *until, const struct view *plugin,
                 const struct view *build)
{
    struct walk w = walk_list(workers);
    for (struct view worker; walk_item(&w, &worker) && worker.data != until->data;) {
        struct view p = view_get(&worker, "plugin"), b = view_get(&worker, "build"),
                    report = view_get(&worker, "report");
        if (same_text(&p, plugin) && same_text(&b, build) && view_is(&report, SCAN_MAP)) {
            return true;
        }
    }
    return false;
}

static void print_report(const struct view *worker, const struct view *plugin, const struct view *report)
{
    struct view wid = view_get(worker, "wid"), version = view_get(worker, "version");
    printf("\n%.*s %.*s on %.*s: ready %.1f ms after its start (load %.1f, init %.1f), %.1f MiB\n",
           VIEW_TEXT(plugin), VIEW_TEXT(&version), VIEW_TEXT(&wid), view_get_number(report, "total_us") / 1e3,
           view_get_number(report, "load_us") / 1e3, view_get_number(report, "init_us") / 1e3,
           view_get_number(report, "rss_bytes") / (1 << 20));
    struct table t = {.indent = 2};
    table_column(&t, "function", TABLE_LEFT);
    table_column(&t, "cold us", TABLE_POINT);
    table_column(&t, "warm us", TABLE_POINT);
    table_column(&t, "ratio", TABLE_POINT);
    table_column(&t, "batches", TABLE_WRAP);
    add_report(&t, plugin, report);
    table_print(&t, stdout, table_width(stdout));
    table_done(&t);
}

static void print_reports(const struct view *workers)
{
    struct walk w = walk_list(workers);
    for (struct view worker; walk_item(&w, &worker);) {
        struct view plugin = view_get(&worker, "plugin"), build = view_get(&worker, "build"),
                    report = view_get(&worker, "report");
        if (view_is(&report, SCAN_MAP) && !told(workers, &worker, &plugin, &build)) {
            print_report(&worker, &plugin, &report);
        }
    }
}

static int print_json(const struct view *nodes, const struct view *workers)
{
    struct buf b = {0};
    buf_put_map(&b, 2);
    buf_put_str_const(&b, "nodes");
    nodes->there ? buf_put_raw(&b, nodes->data, nodes->bytes) : buf_put_list(&b, 0);
    buf_put_str_const(&b, "workers");
    workers->there ? buf_put_raw(&b, workers->data, workers->bytes) : buf_put_list(&b, 0);
    int rc = cli_print_json(b.data, b.bytes);
    buf_done(&b);
    return rc;
}

int verb_plugins(struct cli *c)
{
    int rc = cli_connect(c);
    if (rc) {
        return rc;
    }
    struct kiln_answer *answer = NULL;
    struct kiln_error err;
    if (kiln_client_stats(c->client, &answer, &err) != KILN_OK) {
        return cli_fail_error(c, NULL, &err);
    }
    struct view stats = cli_result(&answer->outcomes[0]);
    struct view nodes = view_get(&stats, "nodes"), workers = view_get(&stats, "workers");
    if (cli_json(c, false)) {
        rc = print_json(&nodes, &workers);
    } else if (print_plugins(&nodes, &workers)) {
        print_reports(&workers);
    } else {
        fprintf(stderr, "kiln plugins: no worker has said hello to this broker: is kilnd running?\n");
    }
    kiln_client_answer_free(&answer);
    return rc;
}
