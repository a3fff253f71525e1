/* SPDX-License-Identifier: MPL-2.0 */
/* kiln result, status, cancel, forget: what became of submitted jobs. */
#include <stdio.h>

#include "cli.h"
#include "status.h"
#include "table.h"

static const char *const states[] = {"-", "delayed", "queued", "running", "done", "unknown"};

int verb_result(struct cli *c)
{
    int rc = cli_connect(c);
    if (rc) {
        return rc;
    }
    const char *id = c->words.items[0];
    struct kiln_answer *answer = NULL;
    struct kiln_error err;
    int64_t wait_ms = c->set.wait_ms == UNSAID ? 0 : c->set.wait_ms;
    if (kiln_client_result(c->client, &id, 1, wait_ms, &answer, &err) != KILN_OK) {
        return cli_fail_error(c, NULL, &err);
    }
    const struct kiln_outcome *o = &answer->outcomes[0];
    if (o->status == KILN_ACCEPTED) {
        fprintf(stderr, "kiln result: %s is %s; to wait for it:  kiln result %s --wait MS\n", id,
                states[o->state], id);
        rc = status_exit(KILN_TEMPORARY);
    } else {
        rc = cli_outcome(c, NULL, o, -1);
    }
    kiln_client_answer_free(&answer);
    return rc;
}

static void put_outcome(struct buf *b, const struct kiln_outcome *o)
{
    buf_put_map(b, 3 + (o->attempt > 0) + (*o->error != 0));
    buf_put_str_const(b, "id");
    buf_put_text(b, o->id);
    buf_put_str_const(b, "status");
    buf_put_text(b, status_name(o->status));
    buf_put_str_const(b, "state");
    if (o->state == KILN_STATE_NONE) {
        buf_put_nil(b);
    } else {
        buf_put_text(b, states[o->state]);
    }
    if (o->attempt > 0) {
        buf_put_str_const(b, "attempt");
        buf_put_i64(b, o->attempt);
    }
    if (*o->error) {
        buf_put_str_const(b, "error");
        buf_put_text(b, o->error);
    }
}

static int print_json(const struct kiln_answer *answer)
{
    struct buf b = {0};
    buf_put_list(&b, answer->count);
    for (size_t i = 0; i < answer->count; i++) {
        put_outcome(&b, &answer->outcomes[i]);
    }
    int rc = cli_print_json(b.data, b.bytes);
    buf_done(&b);
    return rc;
}

static void print_table(const struct kiln_answer *answer, bool states_too)
{
    struct table t = {0};
    table_column(&t, "id", TABLE_LEFT);
    if (states_too) {
        table_column(&t, "state", TABLE_LEFT);
        table_column(&t, "attempt", TABLE_RIGHT);
    }
    table_column(&t, "status", TABLE_LEFT);
    table_column(&t, "", TABLE_WRAP);
    for (size_t i = 0; i < answer->count; i++) {
        const struct kiln_outcome *o = &answer->outcomes[i];
        table_cell(&t, "%s", o->id);
        if (states_too) {
            table_cell(&t, "%s", states[o->state]);
            table_cell(&t, o->attempt > 0 ? "%d" : "-", (int) o->attempt);
        }
        table_cell(&t, "%s", o->status == KILN_ACCEPTED ? "-" : status_name(o->status));
        table_cell(&t, "%s", o->error);
    }
    table_print(&t, stdout, table_width(stdout));
    table_done(&t);
}

/* One table for all ids; the exit status is that of the first one whose question failed. For `status` a job that
 * failed is no failure of the question: only an unknown one is. */
static int print(struct cli *c, const struct kiln_answer *answer)
{
    bool about_state = c->verb->bit == VERB_STATUS;
    int rc = 0;
    if (cli_json(c, false)) {
        rc = print_json(answer);
    } else {
        print_table(answer, about_state);
    }
    for (size_t i = 0; !rc && i < answer->count; i++) {
        const struct kiln_outcome *o = &answer->outcomes[i];
        rc = about_state && o->state != KILN_STATE_UNKNOWN && o->state != KILN_STATE_NONE
                 ? 0
                 : status_exit(o->status);
    }
    return rc;
}

typedef int ask_fn(struct kiln_client *client, const char *const *ids, size_t count,
                   struct kiln_answer **ret_answer, struct kiln_error *err);

static int ask(struct cli *c, ask_fn *question)
{
    int rc = cli_connect(c);
    if (rc) {
        return rc;
    }
    struct kiln_answer *answer = NULL;
    struct kiln_error err;
    if (question(c->client, c->words.items, c->words.n, &answer, &err) != KILN_OK) {
        return cli_fail_error(c, NULL, &err);
    }
    rc = print(c, answer);
    kiln_client_answer_free(&answer);
    return rc;
}

int verb_status(struct cli *c)
{
    return ask(c, kiln_client_status);
}

int verb_cancel(struct cli *c)
{
    return ask(c, kiln_client_cancel);
}

int verb_forget(struct cli *c)
{
    return ask(c, kiln_client_forget);
}
