/* SPDX-License-Identifier: MPL-2.0 */
/* kiln call: runs one job and prints its result. */
#include "cli.h"

#include "clock.h"

int verb_call(struct cli *c)
{
    struct kiln_job job;
    struct buf payload = {0};
    int rc = cli_job(c, &job, &payload);
    if (!rc) {
        rc = cli_connect(c);
    }
    if (!rc) {
        job.timeout_ms = said(c->set.timeout_ms);
        struct kiln_answer *answer = NULL;
        struct kiln_error err;
        int64_t start_ns = clock_ns();
        if (kiln_client_call(c->client, &job, 1, &answer, &err) == KILN_OK) {
            rc = cli_outcome(c, job.fn, &answer->outcomes[0], (clock_ns() - start_ns) / CLOCK_US);
            kiln_client_answer_free(&answer);
        } else {
            rc = cli_fail_error(c, job.fn, &err);
        }
    }
    buf_done(&payload);
    return rc;
}
