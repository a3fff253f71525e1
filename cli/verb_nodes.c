/* SPDX-License-Identifier: MPL-2.0 */
/* kiln nodes: who works for this broker, in what state, with how much in hand. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "table.h"

static bool same_text(const struct view *a, const struct view *b)
{
    return view_text_bytes(a) == view_text_bytes(b) &&
           memcmp(view_text_data(a), view_text_data(b), (size_t) view_text_bytes(a)) == 0;
}

static void add_row(struct table *t, const struct view *v, const char *indent, const char *plugin_key)
{
    struct view wid = view_get(v, "wid"), plugin = view_get(v, plugin_key), host = view_get(v, "host"),
                state = view_get(v, "state");
    table_cell(t, "%s%.*s", indent, VIEW_TEXT(&wid));
    table_cell(t, "%.*s", VIEW_TEXT(&plugin));
    table_cell(t, "%.*s", VIEW_TEXT(&state));
    table_cell(t, "%" PRId64, view_get_int(v, "running"));
    table_cell(t, "%" PRId64, view_get_int(v, "free"));
    table_cell(t, "%" PRId64, view_get_int(v, "silent_ms"));
    table_cell(t, "%.*s", VIEW_TEXT(&host));
    table_cell(t, "%" PRId64, view_get_int(v, "pid"));
}

/* The workers of a node, or with node NULL those of none that is here. */
static void add_workers(struct table *t, const struct view *workers, const struct view *nodes,
                        const struct view *node)
{
    struct walk w = walk_list(workers);
    for (struct view worker; walk_item(&w, &worker);) {
        struct view of = view_get(&worker, "node");
        bool wanted = !node;
        struct walk n = walk_list(nodes);
        for (struct view each; walk_item(&n, &each);) {
            struct view wid = view_get(&each, "wid");
            if (same_text(&wid, &of)) {
                wanted = node && each.data == node->data;
            }
        }
        if (wanted) {
            add_row(t, &worker, node ? "  " : "", "plugin");
        }
    }
}

static size_t print_table(const struct view *nodes, const struct view *workers)
{
    static const char *const heads[] = {"node", "plugin",    "state", "running",
                                        "free", "silent ms", "host",  "pid"};
    static const enum table_align aligns[] = {TABLE_LEFT,  TABLE_LEFT,  TABLE_LEFT, TABLE_RIGHT,
                                              TABLE_RIGHT, TABLE_RIGHT, TABLE_LEFT, TABLE_RIGHT};
    struct table t = {0};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        table_column(&t, heads[i], aligns[i]);
    }
    struct walk w = walk_list(nodes);
    for (struct view node; walk_item(&w, &node);) {
        add_row(&t, &node, "", "");
        add_workers(&t, workers, nodes, &node);
    }
    add_workers(&t, workers, nodes, NULL);
    size_t rows = t.n_cells / t.n_columns;
    if (rows) {
        table_print(&t, stdout, table_width(stdout));
    }
    table_done(&t);
    return rows;
}

/* The nodes as the broker tells of them, each with its workers' rows; reports and plugins are those of `kiln plugins`. */
static int print_json(const struct view *nodes, const struct view *workers)
{
    struct buf b = {0};
    static const char *const keys[] = {"wid",  "node",      "plugin", "state", "running",
                                       "free", "silent_ms", "host",   "pid"};
    enum { N_KEYS = sizeof keys / sizeof keys[0] };
    const struct view *lists[] = {nodes, workers};
    buf_put_map(&b, 2);
    for (size_t i = 0; i < 2; i++) {
        buf_put_text(&b, i ? "workers" : "nodes");
        buf_put_list(&b, lists[i]->token.count);
        struct walk w = walk_list(lists[i]);
        for (struct view item; walk_item(&w, &item);) {
            buf_put_map(&b, N_KEYS);
            for (size_t k = 0; k < N_KEYS; k++) {
                struct view v = view_get(&item, keys[k]);
                buf_put_text(&b, keys[k]);
                if (v.there) {
                    buf_put_raw(&b, v.data, v.bytes);
                } else {
                    buf_put_nil(&b);
                }
            }
        }
    }
    int rc = cli_print_json(b.data, b.bytes);
    buf_done(&b);
    return rc;
}

int verb_nodes(struct cli *c)
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
    } else if (!print_table(&nodes, &workers)) {
        fprintf(stderr, "kiln nodes: no worker has said hello to this broker: is kilnd running?\n");
    }
    kiln_client_answer_free(&answer);
    return rc;
}
