/* SPDX-License-Identifier: MPL-2.0 */
/* cli - one run of `kiln`: what the command line said, and what every verb needs.
 *
 * A verb returns the exit status: 0, 2 for a wrong command line, else that of the job's status (kiln/status.h). Whoever
 * fails says why on standard error, once, and what to do next. */
#ifndef CLI_H
#define CLI_H

#include <kiln/client.h>

#include "buf.h"
#include "options.h"
#include "view.h"

enum { EXIT_USAGE = 2 };

struct cli;

struct verb {
    const char *name;
    unsigned bit;       /* enum verb_bit */
    size_t least, most; /* words it takes */
    bool raw;           /* what follows is handed on as it is: no options are read */
    int (*run)(struct cli *c);
    const char *synopsis, *summary;
    const char *help; /* further paragraphs, or NULL */
};

struct cli {
    struct settings set;
    const struct verb *verb; /* NULL before it was read */
    struct words words;
    struct kiln_client *client; /* after cli_connect */
};

int verb_call(struct cli *c);
int verb_submit(struct cli *c);
int verb_result(struct cli *c);
int verb_status(struct cli *c);
int verb_cancel(struct cli *c);
int verb_forget(struct cli *c);
int verb_functions(struct cli *c);
int verb_describe(struct cli *c);
int verb_models(struct cli *c);
int verb_plugins(struct cli *c);
int verb_stats(struct cli *c);
int verb_ping(struct cli *c);
int verb_nodes(struct cli *c);
int verb_pause(struct cli *c);
int verb_resume(struct cli *c);
int verb_drain(struct cli *c);
int verb_check(struct cli *c);
int verb_keygen(struct cli *c);
int verb_reload(struct cli *c);
int verb_rollback(struct cli *c);
int verb_help(struct cli *c);

/* Opens the client; 0, or the exit status. */
int cli_connect(struct cli *c);

/* JSON instead of text? `by_pipe`: when nothing else was said, JSON unless on a terminal. */
bool cli_json(const struct cli *c, bool by_pipe);

/* Prints one msgpack value as a line of JSON (on a terminal: several lines). Returns the exit status. */
int cli_print_json(const void *data, size_t bytes);

/* A wrong command line: prints the sentence and the synopsis, returns EXIT_USAGE. */
int cli_usage(const struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says why a job or request about `fn` (or NULL) failed, and what to do next; returns the exit status. */
int cli_fail(struct cli *c, const char *fn, int status, const char *field, const char *text);
int cli_fail_error(struct cli *c, const char *fn, const struct kiln_error *err);

/* The job that the words and options of call and submit describe. The payload is the buffer's. 0 or the exit status. */
int cli_job(struct cli *c, struct kiln_job *ret_job, struct buf *ret_payload);

/* Prints a job's result, or says why there is none; returns the exit status. `round_us` is what the whole
 * took here, or negative. */
int cli_outcome(struct cli *c, const char *fn, const struct kiln_outcome *o, int64_t round_us);

/* The answer of describe, stats and ping as a view; answer stays the caller's. */
struct view cli_result(const struct kiln_outcome *o);

#endif
