/* SPDX-License-Identifier: MPL-2.0 */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "err.h"
#include "json.h"
#include "mem.h"
#include "show.h"
#include "status.h"
#include "table.h"

enum { CONNECT_MS = 1000 };

int cli_connect(struct cli *c)
{
    struct kiln_client_options options = {
        .connect_ms = c->set.connect_ms == UNSAID ? CONNECT_MS : said(c->set.connect_ms),
        .answer_ms = said(c->set.timeout_ms),
    };
    struct kiln_client_keys keys = {.key_file = c->set.key, .server_key = c->set.server_key};
    struct kiln_error err;
    return kiln_client_open_with_keys(c->set.broker, &options, &keys, &c->client, &err) == KILN_OK
               ? 0
               : cli_fail_error(c, NULL, &err);
}

bool cli_json(const struct cli *c, bool by_pipe)
{
    if (c->set.json || c->set.output != OUTPUT_AUTO) {
        return c->set.json || c->set.output == OUTPUT_JSON;
    }
    return by_pipe && !isatty(STDOUT_FILENO);
}

int cli_print_json(const void *data, size_t bytes)
{
    struct buf text = {0};
    struct err err = {0};
    enum json_style style = isatty(STDOUT_FILENO) ? JSON_STYLE_PRETTY : JSON_STYLE_COMPACT;
    int rc = json_from_msgpack(data, bytes, style, &text, &err);
    if (rc) {
        fprintf(stderr, "kiln: the answer cannot be printed: %s\n", err.text);
        buf_done(&text);
        return status_exit(KILN_INTERNAL);
    }
    fwrite(text.data, 1, text.bytes, stdout);
    putchar('\n');
    buf_done(&text);
    return 0;
}

int cli_usage(const struct cli *c, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fprintf(stderr, "kiln%s%s: ", c->verb ? " " : "", c->verb ? c->verb->name : "");
    vfprintf(stderr, format, ap);
    va_end(ap);
    if (c->verb) {
        fprintf(stderr, "\n  usage: kiln %s %s\n  more:  kiln help %s\n", c->verb->name, c->verb->synopsis,
                c->verb->name);
    } else {
        fprintf(stderr, "\n  more:  kiln help\n");
    }
    return EXIT_USAGE;
}

int cli_job(struct cli *c, struct kiln_job *ret_job, struct buf *ret_payload)
{
    struct err err = {0};
    struct args *a = args_new();
    int rc = c->set.json_file ? args_json(a, c->set.json_file, &err) : 0;
    for (size_t i = 1; !rc && i < c->words.n; i++) {
        rc = args_word(a, c->words.items[i], &err);
    }
    if (!rc && c->set.form) {
        rc = args_set_text(a, "form", c->set.form, &err);
    }
    if (rc) {
        args_free(&a);
        return cli_usage(c, "%s", err.text);
    }
    args_pack(a, ret_payload);
    args_free(&a);
    *ret_job = (struct kiln_job){
        .fn = c->words.items[0],
        .args = ret_payload->data,
        .args_bytes = ret_payload->bytes,
        .priority = said(c->set.priority),
        .run_ms = said(c->set.run_ms),
        .key = c->set.share,
    };
    return 0;
}

struct view cli_result(const struct kiln_outcome *o)
{
    return view_open(o->result, o->result_bytes);
}

static void print_timing(const struct kiln_outcome *o, int64_t round_us)
{
    const struct {
        const char *name;
        int64_t us;
    } stages[] = {{"queue", o->queue_us},   {"decode", o->decode_us}, {"run", o->run_us},
                  {"encode", o->encode_us}, {"total", o->total_us},   {"round trip", round_us}};
    const char *between = "";
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        if (stages[i].us >= 0) {
            fprintf(stderr, "%s%s %lld us", between, stages[i].name, (long long) stages[i].us);
            between = ", ";
        }
    }
    if (o->batch > 0) {
        fprintf(stderr, "%sbatch of %d", between, (int) o->batch);
        between = ", ";
    }
    if (*o->plugin || *o->worker) {
        fprintf(stderr, "%s%s%s%s", between, o->plugin, *o->worker ? " on " : "", o->worker);
    }
    fputc('\n', stderr);
}

int cli_outcome(struct cli *c, const char *fn, const struct kiln_outcome *o, int64_t round_us)
{
    int exit_status = 0;
    if (o->status != KILN_OK) {
        exit_status = cli_fail(c, fn, o->status, o->field, o->error);
    } else if (cli_json(c, true)) {
        exit_status = cli_print_json(o->result, o->result_bytes);
    } else {
        struct view v = cli_result(o);
        if (v.there) {
            show_result(stdout, &v, c->set.all, table_width(stdout));
        } else {
            exit_status = cli_fail(c, fn, KILN_INTERNAL, "", "the result is damaged msgpack");
        }
    }
    if (c->set.verbose) {
        fflush(stdout);
        print_timing(o, round_us);
    }
    return exit_status;
}
