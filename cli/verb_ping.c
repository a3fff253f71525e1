/* SPDX-License-Identifier: MPL-2.0 */
/* kiln ping: is the broker there, and how far away? */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "clock.h"

static int print_json(const struct cli *c, const struct view *pong, int64_t round_us)
{
    static const char *const keys[] = {"version", "protocol", "epoch", "uptime_ms", "journal"};
    enum { N_KEYS = sizeof keys / sizeof keys[0] };
    struct buf b = {0};
    buf_put_map(&b, N_KEYS + 2);
    buf_put_str_const(&b, "broker");
    buf_put_text(&b, c->set.broker);
    for (size_t i = 0; i < N_KEYS; i++) {
        struct view v = view_get(pong, keys[i]);
        buf_put_text(&b, keys[i]);
        if (v.there) {
            buf_put_raw(&b, v.data, v.bytes);
        } else {
            buf_put_nil(&b);
        }
    }
    buf_put_str_const(&b, "round_us");
    buf_put_i64(&b, round_us);
    int rc = cli_print_json(b.data, b.bytes);
    buf_done(&b);
    return rc;
}

static void print_text(const struct cli *c, const struct view *pong, int64_t round_us)
{
    struct view version = view_get(pong, "version"), protocol = view_get(pong, "protocol"),
                uptime = view_get(pong, "uptime_ms"), journal = view_get(pong, "journal");
    int64_t up_s = view_int(&uptime, 0) / 1000;
    printf("kiln-broker %.*s at %s answered in %" PRId64 " us: protocol %" PRId64 ", up ",
           VIEW_TEXT(&version), c->set.broker, round_us, view_int(&protocol, 0));
    if (up_s >= 86400) {
        printf("%" PRId64 " d %" PRId64 " h", up_s / 86400, up_s / 3600 % 24);
    } else if (up_s >= 3600) {
        printf("%" PRId64 " h %" PRId64 " min", up_s / 3600, up_s / 60 % 60);
    } else if (up_s >= 60) {
        printf("%" PRId64 " min %" PRId64 " s", up_s / 60, up_s % 60);
    } else {
        printf("%" PRId64 " s", up_s);
    }
    printf(", journal %.*s\n", VIEW_TEXT(&journal));
}

int verb_ping(struct cli *c)
{
    int rc = cli_connect(c);
    if (rc) {
        return rc;
    }
    struct kiln_answer *answer = NULL;
    struct kiln_error err;
    /* The first one waits for the connection, too; the second one tells the distance. */
    rc = kiln_client_ping(c->client, &answer, &err);
    kiln_client_answer_free(&answer);
    int64_t start_ns = clock_ns();
    if (rc != KILN_OK || kiln_client_ping(c->client, &answer, &err) != KILN_OK) {
        return cli_fail_error(c, NULL, &err);
    }
    int64_t round_us = (clock_ns() - start_ns) / CLOCK_US;
    struct view pong = cli_result(&answer->outcomes[0]);
    if (cli_json(c, false)) {
        rc = print_json(c, &pong, round_us);
    } else {
        print_text(c, &pong, round_us);
    }
    kiln_client_answer_free(&answer);
    return rc;
}
