/* SPDX-License-Identifier: MPL-2.0 */
/* kiln: the person's tool. The table of verbs, and help from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kiln/version.h>

#include "cli.h"
#include "mem.h"
#include "status.h"
#include "table.h"

static const char arguments_help[] =
    "Arguments are words NAME=VALUE. A dot in NAME descends into a map: staking.days=365.\n"
    "VALUE is a number (2.385, nan, inf), true, false, null, JSON when it begins with [ { or \", or else "
    "text. Quote what must\n"
    "be text: 'code=\"007\"'. From files:\n"
    "\n"
    "  x=@prices.csv:close                        a column of numbers; the first row names the columns, "
    "empty fields are missing\n"
    "  'x=@prices.csv:close?asset=BTC&last=250'   only rows that pass: column=value, also != < <= > >=; "
    "first=N, last=N\n"
    "  staking=@request.json                      a JSON document\n"
    "  note=@notes.txt  model=@model.bin          text; or bytes, whatever other ending it has\n"
    "  name=@@text                                the text \"@text\"\n"
    "\n"
    "--json FILE (- for standard input) takes all arguments from a JSON object; words override members of "
    "it.";

static const char call_help[] = "On a terminal the result is shown for people: ten digits, arrays and tables "
                                "by their ends (--all: in full). Otherwise, and with\n"
                                "-o json, it is one line of JSON with all digits.\n"
                                "\n"
                                "  kiln call stats.describe x=@prices.csv:close\n"
                                "  kiln call staking.calculate --json request.json";

static const char ids_help[] =
    "The exit status is 0, or 5 when a job is not known or not in a state that allows it.";

static const char reload_help[] =
    "Every node (or --node) reads its configuration again and swaps what changed; the answer comes when that "
    "has ended "
    "everywhere. With names of plugins, only those. What serves goes on until the new generation is proven; "
    "one that "
    "cannot be, changes nothing.\n"
    "\n"
    "  kiln reload stats --shadow 500          compare it on copies of live jobs first\n"
    "  kiln reload stats --canary 5% --for 1m  let it answer a share of them first\n"
    "\n"
    "The exit status is 0 when everything is as asked, also when nothing had changed.";

static const struct verb verbs[] = {
    {"call", VERB_CALL, 1, 4096, false, verb_call, "FN [NAME=VALUE ...] [--json FILE]",
     "run a job and print its result", call_help},
    {"submit", VERB_SUBMIT, 1, 4096, false, verb_submit, "FN --id ID [NAME=VALUE ...] [--json FILE]",
     "queue a job; ask for its result later",
     "A second submission with the same ID queues nothing and is answered \"duplicate\"."},
    {"result", VERB_RESULT, 1, 1, false, verb_result, "ID [--wait MS]", "the result of a submitted job",
     "While the job is not done, nothing is printed on standard output and the exit status is 6."},
    {"status", VERB_STATUS, 1, KILN_CLIENT_MAX_JOBS, false, verb_status, "ID ...", "where submitted jobs are",
     ids_help},
    {"cancel", VERB_CANCEL, 1, KILN_CLIENT_MAX_JOBS, false, verb_cancel, "ID ...",
     "take back jobs that have not started", ids_help},
    {"forget", VERB_FORGET, 1, KILN_CLIENT_MAX_JOBS, false, verb_forget, "ID ...", "drop kept results",
     ids_help},
    {"functions", VERB_FUNCTIONS, 0, 1, false, verb_functions, "[WORD]",
     "list what can be called, or what has WORD in its name", NULL},
    {"describe", VERB_DESCRIBE, 1, 1, false, verb_describe, "FN",
     "what a function takes and gives, with examples", NULL},
    {"plugins", VERB_PLUGINS, 0, 0, false, verb_plugins, "", "which plugins run where, and how warm they are",
     NULL},
    {"models", VERB_MODELS, 0, 1, false, verb_models, "[NAME]",
     "ONNX models of the plugin inference: state, memory, warm-up",
     "NAME: the versions of that model only. Each worker has models of its own; the one that answers is "
     "named. "
     "Bytes are those of "
     "a model and all its plans; times are microseconds, of the first run and of the later ones."},
    {"nodes", VERB_NODES, 0, 0, false, verb_nodes, "",
     "which nodes and workers there are, and what they have in hand", NULL},
    {"pause", VERB_PAUSE, 1, 1, false, verb_pause, "FN", "let the jobs of a function wait",
     "FN is a function, all of a plugin (plugin.*) or all there are now (*). What runs is left to finish; "
     "new jobs wait as "
     "long as there is room, then they are answered busy."},
    {"drain", VERB_DRAIN, 1, 1, false, verb_drain, "NODE",
     "let a node, or a worker, finish what it has and take nothing new",
     "It stays drained until it is resumed or leaves; that its connection is lost does not change it. With "
     "--wait the exit "
     "status is 7 when something still runs after that time."},
    {"resume", VERB_RESUME, 1, 1, false, verb_resume, "NAME", "let a function, node or worker go on", NULL},
    {"stats", VERB_STATS, 0, 0, false, verb_stats, "", "counts and times of every function",
     "Times are microseconds: half, 95 % and 99 % of the jobs took no longer. With -v also the broker's "
     "counters."},
    {"ping", VERB_PING, 0, 0, false, verb_ping, "", "is the broker there?", NULL},
    {"reload", VERB_RELOAD, 0, 256, false, verb_reload, "[PLUGIN ...] [--shadow N | --canary PERCENT]",
     "bring in what changed: plugin files, settings", reload_help},
    {"rollback", VERB_ROLLBACK, 1, 256, false, verb_rollback, "PLUGIN ...", "go back to what served before",
     "What served before is proven again before it takes over. The build that was rolled back from does not "
     "come again before its "
     "file or settings change, or with kiln reload --force. While a reload is under way it is that which is "
     "taken back."},
    {"check", VERB_CHECK, 1, 4096, true, verb_check, "FILE.so [OPTIONS]",
     "judge, warm and prove a plugin without a broker",
     "Starts kilnd --check FILE.so, the kilnd beside this program before any other."},
    {"keygen", VERB_KEYGEN, 2, 2, false, verb_keygen, "ROLE NAME",
     "make a key pair for tcp: NAME.key and NAME.key_secret",
     "ROLE is broker, producer, worker or admin; NAME may begin with a folder. Nothing is overwritten. The "
     "public key is "
     "printed on standard output."},
    {"help", VERB_HELP, 0, 1, false, verb_help, "[VERB]", "this help", NULL},
};

enum { N_VERBS = sizeof verbs / sizeof verbs[0] };

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < N_VERBS; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

/* One line for each exit status: the names of the statuses that end so. */
static void print_exits(size_t width)
{
    struct table t = {.indent = 2};
    table_column(&t, NULL, TABLE_RIGHT);
    table_column(&t, NULL, TABLE_WRAP);
    for (int code = 0; code < 64; code++) {
        struct buf names = {0};
        for (int s = 0; s < KILN_STATUS_COUNT; s++) {
            if (status_exit(s) == code) {
                buf_printf(&names, "%s%s", names.bytes ? ", " : "", status_name(s));
            }
        }
        if (names.bytes || code == EXIT_USAGE) {
            table_cell(&t, "%d", code);
            table_cell(&t, "%.*s", names.bytes ? (int) names.bytes : 100,
                       names.bytes ? (const char *) names.data : "the command line is wrong");
        }
        buf_done(&names);
    }
    table_print(&t, stdout, width);
    table_done(&t);
}

static int print_help(const struct verb *v)
{
    size_t width = table_width(stdout);
    if (v) {
        printf("kiln %s %s\n", v->name, v->synopsis);
        table_paragraph(stdout, v->summary, 2, width);
        if (v->help) {
            printf("\n");
            table_paragraph(stdout, v->help, 0, width);
        }
        if (v->bit & (VERB_CALL | VERB_SUBMIT)) {
            printf("\n");
            table_paragraph(stdout, arguments_help, 0, width);
        }
        if (!v->raw) {
            printf("\nOptions\n");
            options_help(stdout, v->bit, width);
        }
        return 0;
    }
    printf("kiln [OPTIONS] VERB ...    speaks with a Kiln broker\n\n");
    struct table t = {.indent = 2};
    table_column(&t, NULL, TABLE_LEFT);
    table_column(&t, NULL, TABLE_WRAP);
    for (size_t i = 0; i < N_VERBS; i++) {
        table_cell(&t, "%s %s", verbs[i].name, verbs[i].synopsis);
        table_cell(&t, "%s", verbs[i].summary);
    }
    table_print(&t, stdout, width);
    table_done(&t);
    printf("\nOptions, in front of the verb or behind it\n");
    options_help(stdout, OPTION_BEFORE, width);
    printf("\nExit status\n");
    print_exits(width);
    return 0;
}

int verb_help(struct cli *c)
{
    const struct verb *v = c->words.n ? find_verb(c->words.items[0]) : NULL;
    if (c->words.n && !v) {
        return cli_usage(c, "there is no verb \"%s\"", c->words.items[0]);
    }
    return print_help(v);
}

/* Everything behind the verb. */
static int read_words(struct cli *c, int argc, char **argv, int at)
{
    struct err err = {0};
    const struct verb *v = c->verb;
    if (v->raw) {
        c->words.items = mem_alloc((size_t) argc * sizeof(char *));
        for (; at < argc; at++) {
            c->words.items[c->words.n++] = argv[at];
        }
        c->set.help =
            c->words.n && (strcmp(c->words.items[0], "--help") == 0 || strcmp(c->words.items[0], "-h") == 0);
    } else if (options_parse(argc, argv, &at, v->bit, &c->set, &c->words, &err)) {
        return cli_usage(c, "%s", err.text);
    }
    if (c->set.help) {
        return 0;
    }
    if (c->words.n < v->least) {
        return cli_usage(c, "%.*s is missing", (int) strcspn(v->synopsis, " "), v->synopsis);
    }
    if (c->words.n > v->most) {
        return cli_usage(c, "\"%s\" is one word too many", c->words.items[v->most]);
    }
    return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
    struct err err = {0};
    int at = 1;
    if (options_parse(argc, argv, &at, OPTION_BEFORE, &c->set, NULL, &err)) {
        return cli_usage(c, "%s", err.text);
    }
    if (c->set.version) {
        printf("kiln %s (protocol %d)\n", KILN_VERSION, KILN_PROTOCOL);
        return 0;
    }
    if (c->set.help) {
        return print_help(NULL);
    }
    if (at == argc) {
        return cli_usage(c, "a verb is missing, such as call, functions, describe, plugins, stats");
    }
    c->verb = find_verb(argv[at]);
    if (!c->verb) {
        return cli_usage(c, "there is no verb \"%s\"", argv[at]);
    }
    int rc = read_words(c, argc, argv, at + 1);
    if (rc) {
        return rc;
    }
    return c->set.help ? print_help(c->verb) : c->verb->run(c);
}

int main(int argc, char **argv)
{
    struct cli c = {0};
    settings_init(&c.set);
    int rc = run(&c, argc, argv);
    kiln_client_close(&c.client);
    mem_free(c.words.items);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("kiln: standard output");
        rc = rc ? rc : 1;
    }
    return rc;
}
