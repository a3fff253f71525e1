/* SPDX-License-Identifier: MPL-2.0 */
/* kiln reload, rollback: another generation of plugins, at every node. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "err.h"
#include "mem.h"
#include "status.h"
#include "table.h"
#include "wire.h"

enum { WAIT_MS = 60000, SHADOW_MS = 60000, CANARY_MS = 30000, CANARY_JOBS_MS = 600000, GRACE_MS = 2000 };

/* ---- what is asked ---- */

/* A number with one of the units, each `per` of the smallest. */
struct unit {
    const char *name;
    double per;
};

static int read_scaled(const char *option, const char *text, const struct unit *units, double least,
                       double most, const char *expected, uint64_t *ret, struct err *err)
{
    char *end = NULL;
    double v = strtod(text, &end);
    for (const struct unit *u = units; end != text && u->name; u++) {
        double scaled = v * u->per;
        if (strcmp(end, u->name) == 0 && scaled >= least && scaled <= most) {
            *ret = (uint64_t) (scaled + 0.5);
            return 0;
        }
    }
    return err_set(err, KILN_INVALID, option, "--%s is \"%s\", expected %s", option, text, expected);
}

struct terms {
    uint64_t canary_permille, for_ms, slower_percent; /* 0: not said */
};

static int read_terms(const struct settings *s, struct terms *t, struct err *err)
{
    static const struct unit shares[] = {{"%", 10}, {"", 10}, {NULL, 0}};
    static const struct unit times[] = {{"", 1}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {NULL, 0}};
    static const struct unit factors[] = {{"", 100}, {"x", 100}, {NULL, 0}};
    int status = 0;
    if (s->canary) {
        status = read_scaled("canary", s->canary, shares, 1, 500, "a share of 0.1% to 50%",
                             &t->canary_permille, err);
    }
    if (!status && s->trial_for) {
        status =
            read_scaled("for", s->trial_for, times, 100, 86400000, "a time of 100ms to 24h", &t->for_ms, err);
    }
    if (!status && s->slower) {
        status = read_scaled("slower", s->slower, factors, 100, 100000, "a factor of 1 to 1000",
                             &t->slower_percent, err);
    }
    return status;
}

static uint64_t wait_for(const struct settings *s, const struct terms *t)
{
    uint64_t trial_ms = t->for_ms                 ? t->for_ms
                        : s->shadow != UNSAID     ? SHADOW_MS
                        : !t->canary_permille     ? 0
                        : s->trial_jobs != UNSAID ? CANARY_JOBS_MS
                                                  : CANARY_MS;
    return s->timeout_ms == UNSAID ? WAIT_MS + trial_ms : (uint64_t) s->timeout_ms;
}

static void put_number(struct buf *b, size_t *n, const char *key, bool there, uint64_t value)
{
    if (there) {
        buf_put_text(b, key);
        buf_put_u64(b, value);
        ++*n;
    }
}

static void put_keys(const struct cli *c, const struct terms *t, struct buf *b)
{
    const struct settings *s = &c->set;
    size_t at = buf_open_map(b), n = 1;
    buf_put_str_const(b, "timeout_ms");
    buf_put_u64(b, wait_for(s, t));
    if (c->words.n) {
        buf_put_str_const(b, "plugins");
        buf_put_list(b, c->words.n);
        for (size_t i = 0; i < c->words.n; i++) {
            buf_put_text(b, c->words.items[i]);
        }
        n++;
    }
    if (s->node) {
        buf_put_str_const(b, "node");
        buf_put_text(b, s->node);
        n++;
    }
    put_number(b, &n, "shadow", s->shadow != UNSAID, (uint64_t) s->shadow);
    put_number(b, &n, "canary_permille", t->canary_permille, t->canary_permille);
    put_number(b, &n, "for_ms", t->for_ms, t->for_ms);
    put_number(b, &n, "jobs", s->trial_jobs != UNSAID, (uint64_t) s->trial_jobs);
    put_number(b, &n, "allow", s->allow != UNSAID, (uint64_t) s->allow);
    put_number(b, &n, "slower_percent", t->slower_percent, t->slower_percent);
    if (s->impure) {
        buf_put_str_const(b, "impure");
        buf_put_bool(b, true);
        n++;
    }
    if (s->force) {
        buf_put_str_const(b, "force");
        buf_put_bool(b, true);
        n++;
    }
    buf_close(b, at, n);
}

/* ---- what came of it ---- */

static double real(const struct view *map, const char *key)
{
    struct view v = view_get(map, key);
    return view_number(&v, 0);
}

static void add_plugin(struct table *t, const struct view *node, const struct view *p)
{
    struct view name = view_get(p, "name"), result = view_get(p, "result"), label = view_get(p, "plugin"),
                why = view_get(p, "why"), wid = view_get(node, "node");
    table_cell(t, "%.*s", VIEW_TEXT(&wid));
    table_cell(t, "%.*s", VIEW_TEXT(&name));
    table_cell(t, "%.*s", VIEW_TEXT(&result));
    table_cell(t, "%.*s", VIEW_TEXT(&label));
    table_cell(t, "%" PRId64, view_get_int(p, "generation"));
    table_cell(t, "%.3f", real(p, "seconds"));
    table_cell(t, "%.*s", VIEW_TEXT(&why));
}

static void add_node(struct table *t, const struct view *node)
{
    struct view wid = view_get(node, "node"), status = view_get(node, "status"),
                error = view_get(node, "error");
    table_cell(t, "%.*s", VIEW_TEXT(&wid));
    table_cell(t, "-");
    table_cell(t, "%.*s", VIEW_TEXT(&status));
    for (int i = 0; i < 3; i++) {
        table_cell(t, "-");
    }
    table_cell(t, "%.*s", VIEW_TEXT(&error));
}

static void print_shadow(const struct view *trial)
{
    printf("shadow: %" PRId64 " of %" PRId64 " copies run, %" PRId64
           " differences; run p50 %.0f us (was %.0f), p95 %.0f us "
           "(was %.0f)\n",
           view_get_int(trial, "jobs"), view_get_int(trial, "wanted"), view_get_int(trial, "differences"),
           real(trial, "p50_us"), real(trial, "was_p50_us"), real(trial, "p95_us"),
           real(trial, "was_p95_us"));
    struct view first = view_get(trial, "first");
    struct walk w = walk_list(&first);
    for (struct view d; walk_item(&w, &d);) {
        struct view fn = view_get(&d, "function"), what = view_get(&d, "what");
        printf("  %.*s: %.*s\n", VIEW_TEXT(&fn), VIEW_TEXT(&what));
    }
}

static void print_canary(const struct view *trial)
{
    printf("canary: %" PRId64 " jobs, %" PRId64 " not ok, %" PRId64
           " deaths, run p50 %.0f us, p95 %.0f us; the generation that "
           "served: %" PRId64 " jobs, %" PRId64 " not ok, %" PRId64 " deaths, p50 %.0f us, p95 %.0f us\n",
           view_get_int(trial, "jobs"), view_get_int(trial, "bad"), view_get_int(trial, "deaths"),
           real(trial, "p50_us"), real(trial, "p95_us"), view_get_int(trial, "was_jobs"),
           view_get_int(trial, "was_bad"), view_get_int(trial, "was_deaths"), real(trial, "was_p50_us"),
           real(trial, "was_p95_us"));
}

static void print_trials(const struct view *node)
{
    struct view plugins = view_get(node, "plugins"), wid = view_get(node, "node");
    struct walk w = walk_list(&plugins);
    for (struct view p; walk_item(&w, &p);) {
        struct view trial = view_get(&p, "trial"), name = view_get(&p, "name"),
                    kind = view_get(&trial, "kind");
        if (trial.there) {
            printf("\n%.*s on %.*s, ", VIEW_TEXT(&name), VIEW_TEXT(&wid));
            view_text_is(&kind, "shadow") ? print_shadow(&trial) : print_canary(&trial);
        }
    }
}

static void print_table(const struct view *nodes)
{
    static const char *const heads[] = {"node", "plugin", "result", "code", "generation", "seconds", ""};
    static const enum table_align aligns[] = {TABLE_LEFT,  TABLE_LEFT,  TABLE_LEFT, TABLE_LEFT,
                                              TABLE_RIGHT, TABLE_POINT, TABLE_WRAP};
    struct table t = {0};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        table_column(&t, heads[i], aligns[i]);
    }
    struct walk w = walk_list(nodes);
    for (struct view node; walk_item(&w, &node);) {
        struct view plugins = view_get(&node, "plugins"), error = view_get(&node, "error");
        struct walk inner = walk_list(&plugins);
        for (struct view p; walk_item(&inner, &p);) {
            add_plugin(&t, &node, &p);
        }
        if (error.there || !plugins.token.count) {
            add_node(&t, &node);
        }
    }
    table_print(&t, stdout, table_width(stdout));
    table_done(&t);
    w = walk_list(nodes);
    for (struct view node; walk_item(&w, &node);) {
        print_trials(&node);
    }
}

/* 0, or that of the first node where it did not end as asked. */
static int exit_of(const struct view *nodes)
{
    struct walk w = walk_list(nodes);
    for (struct view node; walk_item(&w, &node);) {
        struct view status = view_get(&node, "status");
        int s = status_parse(view_text_data(&status), (size_t) view_text_bytes(&status));
        if (s != KILN_OK) {
            return status_exit(s < 0 ? KILN_INTERNAL : s);
        }
    }
    return 0;
}

static int ask(struct cli *c, const char *op)
{
    struct terms terms = {0};
    struct err why = {0};
    if (read_terms(&c->set, &terms, &why)) {
        return cli_usage(c, "%s", why.text);
    }
    int rc = cli_connect(c);
    if (rc) {
        return rc;
    }
    struct buf keys = {0};
    put_keys(c, &terms, &keys);
    struct kiln_answer *answer = NULL;
    struct kiln_error err;
    int64_t wait_ms = (int64_t) wait_for(&c->set, &terms) + GRACE_MS;
    rc = kiln_client_admin(c->client, op, keys.data, keys.bytes, wait_ms, &answer, &err);
    buf_done(&keys);
    if (rc != KILN_OK) {
        return cli_fail_error(c, NULL, &err);
    }
    struct view result = cli_result(&answer->outcomes[0]), nodes = view_get(&result, "nodes");
    rc = 0;
    if (cli_json(c, false)) {
        rc = cli_print_json(answer->outcomes[0].result, answer->outcomes[0].result_bytes);
    } else {
        print_table(&nodes);
    }
    rc = rc ? rc : exit_of(&nodes);
    kiln_client_answer_free(&answer);
    return rc;
}

int verb_reload(struct cli *c)
{
    return ask(c, "reload");
}

int verb_rollback(struct cli *c)
{
    return ask(c, "rollback");
}
