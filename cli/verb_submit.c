/* SPDX-License-Identifier: MPL-2.0 */
/* kiln submit: queues a job whose result is fetched later. */
#include <stdio.h>

#include "cli.h"
#include "status.h"

static int print(struct cli *c, const struct kiln_job *job, const struct kiln_outcome *o)
{
    if (o->status != KILN_ACCEPTED && o->status != KILN_DUPLICATE) {
        return cli_fail(c, job->fn, o->status, o->field, o->error);
    }
    if (cli_json(c, false)) {
        struct buf b = {0};
        buf_put_map(&b, 2);
        buf_put_str_const(&b, "id");
        buf_put_text(&b, job->id);
        buf_put_str_const(&b, "status");
        buf_put_text(&b, status_name(o->status));
        int rc = cli_print_json(b.data, b.bytes);
        buf_done(&b);
        return rc;
    }
    printf("%s %s\n", job->id, status_name(o->status));
    return status_exit(o->status);
}

int verb_submit(struct cli *c)
{
    if (!c->set.id) {
        return cli_usage(c, "--id is missing: the name under which you will ask for the result");
    }
    struct kiln_job job;
    struct buf payload = {0};
    int rc = cli_job(c, &job, &payload);
    if (!rc) {
        rc = cli_connect(c);
    }
    if (!rc) {
        job.id = c->set.id;
        job.timeout_ms = said(c->set.deadline_ms);
        job.ttl_ms = said(c->set.ttl_ms);
        job.delay_ms = said(c->set.delay_ms);
        job.max_attempts = said(c->set.attempts);
        job.backoff_ms = said(c->set.backoff_ms);
        job.keep_ms = said(c->set.keep_ms);
        struct kiln_answer *answer = NULL;
        struct kiln_error err;
        if (kiln_client_submit(c->client, &job, 1, &answer, &err) == KILN_OK) {
            rc = print(c, &job, &answer->outcomes[0]);
            kiln_client_answer_free(&answer);
        } else {
            rc = cli_fail_error(c, job.fn, &err);
        }
    }
    buf_done(&payload);
    return rc;
}
