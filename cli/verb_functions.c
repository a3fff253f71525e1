/* SPDX-License-Identifier: MPL-2.0 */
/* kiln functions: what can be called. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "mem.h"
#include "table.h"

static int by_name(const void *a, const void *b)
{
    const struct kiln_outcome *const *x = a, *const *y = b;
    return strcmp((*x)->id, (*y)->id);
}

/* Those whose name holds the word, in order of name. */
static size_t choose(const struct kiln_answer *answer, const char *word, const struct kiln_outcome **chosen)
{
    size_t n = 0;
    for (size_t i = 0; i < answer->count; i++) {
        if (!word || strstr(answer->outcomes[i].id, word)) {
            chosen[n++] = &answer->outcomes[i];
        }
    }
    qsort(chosen, n, sizeof *chosen, by_name);
    return n;
}

/* Is the function paused? `rows` walks the figures of all functions, which are in order of name, as those that are asked are. */
static bool is_paused(struct walk *rows, struct view *row, const char *fn)
{
    for (;;) {
        struct view name = view_get(row, "name"), state = view_get(row, "state");
        size_t bytes = (size_t) view_text_bytes(&name), fn_bytes = strlen(fn);
        int order = memcmp(view_text_data(&name), fn, bytes < fn_bytes ? bytes : fn_bytes);
        order = order ? order : (bytes > fn_bytes) - (bytes < fn_bytes);
        if (row->there && order == 0) {
            return view_text_is(&state, "paused");
        }
        if ((row->there && order > 0) || !walk_item(rows, row)) {
            return false;
        }
    }
}

static int print_json(const struct kiln_outcome *const *chosen, size_t n, const struct view *figures)
{
    struct walk rows = walk_list(figures);
    struct view row = {0};
    static const char *const keys[] = {"plugin", "version", "summary"};
    struct buf b = {0};
    buf_put_list(&b, n);
    for (size_t i = 0; i < n; i++) {
        struct view contract = cli_result(chosen[i]);
        buf_put_map(&b, 5);
        buf_put_str_const(&b, "state");
        buf_put_text(&b, is_paused(&rows, &row, chosen[i]->id) ? "paused" : "run");
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

static void print_table(const struct kiln_outcome *const *chosen, size_t n, const struct view *figures)
{
    struct walk rows = walk_list(figures);
    struct view row = {0};
    struct table t = {0};
    table_column(&t, "function", TABLE_LEFT);
    table_column(&t, "plugin", TABLE_LEFT);
    table_column(&t, "summary", TABLE_WRAP);
    for (size_t i = 0; i < n; i++) {
        struct view contract = cli_result(chosen[i]);
        struct view plugin = view_get(&contract, "plugin"), version = view_get(&contract, "version"),
                    summary = view_get(&contract, "summary");
        table_cell(&t, "%s%s", chosen[i]->id, is_paused(&rows, &row, chosen[i]->id) ? " (paused)" : "");
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
    const struct kiln_outcome **chosen = mem_alloc((answer->count + 1) * sizeof *chosen);
    size_t n = choose(answer, c->words.n ? c->words.items[0] : NULL, chosen);
    if (cli_json(c, false)) {
        rc = print_json(chosen, n, &figures);
    } else if (n) {
        print_table(chosen, n, &figures);
    } else if (answer->count) {
        fprintf(stderr, "kiln functions: none of %zu functions has \"%s\" in its name\n", answer->count,
                c->words.items[0]);
    } else {
        fprintf(stderr,
                "kiln functions: no worker offers any function yet: is kilnd running? See kiln plugins\n");
    }
    mem_free(chosen);
    kiln_client_answer_free(&stats);
    kiln_client_answer_free(&answer);
    return rc;
}
