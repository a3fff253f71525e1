/* SPDX-License-Identifier: MPL-2.0 */
/* kiln pause, resume, drain: what flows. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "clock.h"
#include "status.h"

static void print_list(const struct view *said, const char *key, const char *what)
{
    struct view list = view_get(said, key);
    struct walk w = walk_list(&list);
    const char *before = what;
    for (struct view item; walk_item(&w, &item); before = ", ") {
        printf("%s%.*s", before, VIEW_TEXT(&item));
    }
    if (list.token.count) {
        printf("\n");
    }
}

static int flow(struct cli *c,
                int (*request)(struct kiln_client *client, const char *name, struct kiln_answer **ret_answer,
                               struct kiln_error *err),
                const char *done)
{
    int rc = cli_connect(c);
    if (rc) {
        return rc;
    }
    struct kiln_answer *answer = NULL;
    struct kiln_error err;
    if (request(c->client, c->words.items[0], &answer, &err) != KILN_OK) {
        return cli_fail_error(c, NULL, &err);
    }
    const struct kiln_outcome *o = &answer->outcomes[0];
    if (cli_json(c, false)) {
        rc = cli_print_json(o->result, o->result_bytes);
    } else {
        struct view said = cli_result(o);
        printf("%s %s: %" PRId64 " jobs wait, %" PRId64 " run\n", done, c->words.items[0],
               view_get_int(&said, "queued"), view_get_int(&said, "running"));
        print_list(&said, "functions", "  functions: ");
        print_list(&said, "nodes", "  nodes:     ");
        print_list(&said, "workers", "  workers:   ");
    }
    kiln_client_answer_free(&answer);
    return rc;
}

int verb_pause(struct cli *c)
{
    return flow(c, kiln_client_pause, "paused");
}

int verb_resume(struct cli *c)
{
    return flow(c, kiln_client_resume, "resumed");
}

/* Jobs at the node or worker of that name. */
static int64_t still_running(const struct view *stats, const char *name)
{
    int64_t found = 0;
    struct view workers = view_get(stats, "workers");
    struct walk w = walk_list(&workers);
    for (struct view worker; walk_item(&w, &worker);) {
        struct view wid = view_get(&worker, "wid"), node = view_get(&worker, "node");
        if (view_text_is(&wid, name) || view_text_is(&node, name)) {
            found += view_get_int(&worker, "running");
        }
    }
    return found;
}

static int wait_for_end(struct cli *c)
{
    int64_t until_ns = clock_ns() + c->set.wait_ms * CLOCK_MS;
    for (;;) {
        struct kiln_answer *answer = NULL;
        struct kiln_error err;
        if (kiln_client_stats(c->client, &answer, &err) != KILN_OK) {
            return cli_fail_error(c, NULL, &err);
        }
        struct view stats = cli_result(&answer->outcomes[0]);
        int64_t running = still_running(&stats, c->words.items[0]);
        kiln_client_answer_free(&answer);
        if (running == 0) {
            return 0;
        }
        if (clock_ns() >= until_ns) {
            fprintf(stderr, "kiln drain %s: %" PRId64 " jobs still run after %" PRId64 " ms\n",
                    c->words.items[0], running, c->set.wait_ms);
            return status_exit(KILN_DEADLINE);
        }
        nanosleep(&(struct timespec){.tv_nsec = 20 * CLOCK_MS}, NULL);
    }
}

int verb_drain(struct cli *c)
{
    int rc = flow(c, kiln_client_drain, "draining");
    return rc || c->set.wait_ms == UNSAID ? rc : wait_for_end(c);
}
