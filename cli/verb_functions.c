/* SPDX-License-Identifier: MPL-2.0 */
/* kiln functions: what can be called. */
#include <stdio.h>

#include "cli.h"
#include "mem.h"
#include "search.h"
#include "status.h"
#include "table.h"

/* The names of paused functions. */
struct paused {
    struct view *names;
    size_t n;
};

static struct paused find_paused(const struct view *figures)
{
    struct paused made = {0};
    struct walk w = walk_list(figures);
    for (struct view row; walk_item(&w, &row);) {
        struct view state = view_get(&row, "state");
        if (view_text_is(&state, "paused")) {
            made.names = mem_grow(made.names, (made.n + 1) * sizeof *made.names);
            made.names[made.n++] = view_get(&row, "name");
        }
    }
    return made;
}

static bool is_paused(const struct paused *p, const char *fn)
{
    for (size_t i = 0; i < p->n; i++) {
        if (view_text_is(&p->names[i], fn)) {
            return true;
        }
    }
    return false;
}

static int print_json(const struct kiln_outcome *const *chosen, size_t n, const struct paused *paused)
{
    static const char *const keys[] = {"plugin", "version", "summary"};
    struct buf b = {0};
    buf_put_list(&b, n);
    for (size_t i = 0; i < n; i++) {
        struct view contract = cli_result(chosen[i]);
        buf_put_map(&b, 5);
        buf_put_str_const(&b, "state");
        buf_put_text(&b, is_paused(paused, chosen[i]->id) ? "paused" : "run");
        buf_put_str_const(&b, "name");
        buf_put_text(&b, chosen[i]->id);
        for (size_t k = 0; k < 3; k++) {
            struct view v = view_get(&contract, keys[k]);
            buf_put_text(&b, keys[k]);
            buf_put_str(&b, view_text_data(&v), (size_t) view_text_bytes(&v));
        }
    }
    int rc = cli_print_json(b.data, b.bytes);
    buf_done(&b);
    return rc;
}

static void print_table(const struct kiln_outcome *const *chosen, size_t n, const struct paused *paused)
{
    struct table t = {0};
    table_column(&t, "function", TABLE_LEFT);
    table_column(&t, "plugin", TABLE_LEFT);
    table_column(&t, "summary", TABLE_WRAP);
    for (size_t i = 0; i < n; i++) {
        struct view contract = cli_result(chosen[i]);
        struct view plugin = view_get(&contract, "plugin"), version = view_get(&contract, "version"),
                    summary = view_get(&contract, "summary");
        table_cell(&t, "%s%s", chosen[i]->id, is_paused(paused, chosen[i]->id) ? " (paused)" : "");
        table_cell(&t, "%.*s %.*s", VIEW_TEXT(&plugin), VIEW_TEXT(&version));
        table_cell(&t, "%.*s", VIEW_TEXT(&summary));
    }
    table_print(&t, stdout, table_width(stdout));
    table_done(&t);
}

int verb_functions(struct cli *c)
{
    int rc = cli_connect(c);
    if (rc) {
        return rc;
    }
    struct kiln_answer *answer = NULL, *stats = NULL;
    struct kiln_error err;
    if (kiln_client_describe(c->client, NULL, &answer, &err) != KILN_OK ||
        kiln_client_stats(c->client, &stats, &err) != KILN_OK) {
        kiln_client_answer_free(&answer);
        return cli_fail_error(c, NULL, &err);
    }
    struct view all = cli_result(&stats->outcomes[0]), figures = view_get(&all, "functions");
    struct paused paused = find_paused(&figures);
    const struct kiln_outcome **chosen = mem_alloc((answer->count + 1) * sizeof *chosen);
    size_t n = search_functions(answer, c->words.n ? c->words.items[0] : NULL, chosen);
    if (cli_json(c, false)) {
        rc = print_json(chosen, n, &paused);
    } else if (n) {
        print_table(chosen, n, &paused);
    } else if (answer->count) {
        const char *near[5];
        size_t n_near = search_nearest(answer, c->words.items[0], near, 5);
        fprintf(stderr, "kiln functions: none of %zu functions has \"%s\" in its name, summary or help\n",
                answer->count, c->words.items[0]);
        for (size_t i = 0; i < n_near; i++) {
            fprintf(stderr, "%s%s%s", i ? ", " : "  nearest:  ", near[i], i + 1 == n_near ? "\n" : "");
        }
        rc = status_exit(KILN_UNKNOWN_FUNCTION);
    } else {
        fprintf(stderr,
                "kiln functions: no worker offers any function yet: is kilnd running? See kiln plugins\n");
    }
    mem_free(chosen);
    mem_free(paused.names);
    kiln_client_answer_free(&stats);
    kiln_client_answer_free(&answer);
    return rc;
}
