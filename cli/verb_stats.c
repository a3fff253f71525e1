/* SPDX-License-Identifier: MPL-2.0 */
/* kiln stats: how the broker and its functions are doing. */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "table.h"

/* "12 / 40 / 95": p50, p95 and p99 in microseconds. */
static void quantile_cell(struct table *t, const struct view *function, const char *stage)
{
    struct view q = view_get(function, stage);
    struct view p50 = view_get(&q, "p50"), p95 = view_get(&q, "p95"), p99 = view_get(&q, "p99");
    if (view_get_int(function, "count") && q.there) {
        table_cell(t, "%.0f / %.0f / %.0f", view_number(&p50, 0), view_number(&p95, 0), view_number(&p99, 0));
    } else {
        table_cell(t, "-");
    }
}

static void print_broker(const struct view *stats)
{
    struct view broker = view_get(stats, "broker"), workers = view_get(stats, "workers"),
                nodes = view_get(stats, "nodes");
    struct view version = view_get(&broker, "version"), journal = view_get(&broker, "journal");
    printf("kiln-broker %.*s, pid %" PRId64 ", up %" PRId64 " s, journal %.*s, %.1f MiB; workers: %" PRIu32
           ", nodes: %" PRIu32 "\n",
           VIEW_TEXT(&version), view_get_int(&broker, "pid"), view_get_int(&broker, "uptime_ms") / 1000,
           VIEW_TEXT(&journal), (double) view_get_int(&broker, "rss_bytes") / (1 << 20), workers.token.count,
           nodes.token.count);
}

static bool idle(const struct view *function)
{
    return !view_get_int(function, "count") && !view_get_int(function, "queued") &&
           !view_get_int(function, "running") && !view_get_int(function, "delayed");
}

/* Functions that were used; all of them with --all, and all counts with -v. */
static void print_functions(const struct view *functions, bool all, bool verbose)
{
    static const char *const counts[] = {"count",   "errors",  "queued", "running",
                                         "crashes", "retries", "delayed"};
    const size_t n_counts = verbose ? 7 : 5;
    size_t skipped = 0;
    struct table t = {0};
    table_column(&t, "function", TABLE_LEFT);
    for (size_t i = 0; i < n_counts; i++) {
        table_column(&t, counts[i], TABLE_RIGHT);
    }
    table_column(&t, "batch", TABLE_POINT);
    table_column(&t, "queue us", TABLE_RIGHT);
    table_column(&t, "run us", TABLE_RIGHT);
    table_column(&t, "total us", TABLE_RIGHT);
    struct walk w = walk_list(functions);
    for (struct view f; walk_item(&w, &f);) {
        if (!all && idle(&f)) {
            skipped++;
            continue;
        }
        struct view name = view_get(&f, "name"), batch = view_get(&f, "batch_mean");
        table_cell(&t, "%.*s", VIEW_TEXT(&name));
        for (size_t i = 0; i < n_counts; i++) {
            table_cell(&t, "%" PRId64, view_get_int(&f, counts[i]));
        }
        table_cell(&t, "%.1f", view_number(&batch, 0));
        quantile_cell(&t, &f, "queue");
        quantile_cell(&t, &f, "run");
        quantile_cell(&t, &f, "total");
    }
    if (t.n_cells) {
        printf("times are p50 / p95 / p99\n\n");
        table_print(&t, stdout, table_width(stdout));
    }
    if (skipped) {
        printf("%s%zu function%s not called yet; --all shows them\n", t.n_cells ? "\n" : "", skipped,
               skipped == 1 ? " was" : "s were");
    }
    table_done(&t);
}

/* Only what happened: a counter that is zero says nothing. */
static void print_counters(const struct view *counters)
{
    struct table t = {.indent = 2};
    table_column(&t, NULL, TABLE_LEFT);
    table_column(&t, NULL, TABLE_RIGHT);
    struct walk w = walk_map(counters);
    for (struct view key, value; walk_pair(&w, &key, &value);) {
        if (view_number(&value, 0) > 0) {
            table_cell(&t, "%.*s", VIEW_TEXT(&key));
            table_cell(&t, "%" PRId64, view_int(&value, 0));
        }
    }
    if (t.n_cells) {
        printf("\ncounters\n");
        table_print(&t, stdout, table_width(stdout));
    }
    table_done(&t);
}

int verb_stats(struct cli *c)
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
    if (cli_json(c, false)) {
        rc = cli_print_json(answer->outcomes[0].result, answer->outcomes[0].result_bytes);
    } else {
        struct view stats = cli_result(&answer->outcomes[0]);
        struct view functions = view_get(&stats, "functions"), broker = view_get(&stats, "broker"),
                    counters = view_get(&broker, "counters");
        print_broker(&stats);
        if (functions.token.count) {
            printf("\n");
            print_functions(&functions, c->set.all, c->set.verbose);
        }
        if (c->set.verbose) {
            print_counters(&counters);
        }
    }
    kiln_client_answer_free(&answer);
    return rc;
}
