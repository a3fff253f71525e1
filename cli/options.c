/* SPDX-License-Identifier: MPL-2.0 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kiln/client.h>

#include "mem.h"
#include "table.h"

enum kind { FLAG, NUMBER, TEXT, CHOICE };

enum {
    JOBS = VERB_CALL | VERB_SUBMIT,
    IDS = VERB_STATUS | VERB_CANCEL | VERB_FORGET,
    LISTS = VERB_FUNCTIONS | VERB_DESCRIBE | VERB_PLUGINS | VERB_STATS | VERB_PING | VERB_NODES | VERB_MODELS,
    FLOW = VERB_PAUSE | VERB_RESUME | VERB_DRAIN,
    SWAPS = VERB_RELOAD | VERB_ROLLBACK,
    ASKS = JOBS | VERB_RESULT | IDS | LISTS | FLOW | SWAPS, /* whoever speaks with a broker */
};

static const int64_t DAY_MS = 86400000;
static const int64_t MONTH_MS = 2592000000;

#define AT(member) offsetof(struct settings, member)

static const struct row {
    const char *name;
    char letter;
    enum kind kind;
    unsigned verbs;
    size_t offset;
    const char *value; /* as help shows it; CHOICE: the choices, "a|b" */
    int64_t least, most;
    const char *help;
} rows[] = {
    {"broker", 'b', TEXT, ASKS | OPTION_BEFORE, AT(broker), "ENDPOINT", 0, 0,
     "the broker to speak with; default: $KILN_BROKER, else ipc:///run/kiln/kiln.sock"},
    {"key", 0, TEXT, ASKS | OPTION_BEFORE, AT(key), "FILE", 0, 0,
     "your own secret file, of kiln keygen, for a broker on tcp; default: $KILN_KEY"},
    {"server-key", 0, TEXT, ASKS | OPTION_BEFORE, AT(server_key), "KEY|FILE", 0, 0,
     "that broker's public key, or the file it is in; default: $KILN_SERVER_KEY"},
    {"timeout", 't', NUMBER, (ASKS & ~VERB_SUBMIT) | OPTION_BEFORE, AT(timeout_ms), "MS", 1, DAY_MS,
     "call: the job must be finished by then (30000); other verbs: how long to wait for the broker's answer "
     "(10000); reload, rollback: for the end of it (60000, and the time of the trial)"},
    {"connect", 0, NUMBER, ASKS | OPTION_BEFORE, AT(connect_ms), "MS", 0, DAY_MS,
     "how long to wait for a broker that is not there (1000)"},
    {"json", 'j', FLAG, VERB_RESULT | IDS | LISTS | FLOW | SWAPS | OPTION_BEFORE, AT(json), NULL, 0, 0,
     "print JSON"},
    {"json", 'j', TEXT, JOBS, AT(json_file), "FILE", 0, 0,
     "take the arguments from a JSON object in FILE, or - for standard input; NAME=VALUE words override "
     "members of it"},
    {"output", 'o', CHOICE, ASKS | OPTION_BEFORE, AT(output), "auto|json|table", 0, 0,
     "print JSON or aligned text; auto: results are text on a terminal and else JSON, all else is text"},
    {"all", 'a', FLAG, VERB_CALL | VERB_RESULT | VERB_STATS, AT(all), NULL, 0, 0,
     "call, result: arrays and tables in full, not only their ends; stats: also functions never called"},
    {"verbose", 'v', FLAG, ASKS | OPTION_BEFORE, AT(verbose), NULL, 0, 0,
     "say on standard error where the time went"},
    {"id", 'i', TEXT, VERB_SUBMIT, AT(id), "ID", 0, 0, "name of the job, chosen by you; required"},
    {"priority", 'p', NUMBER, JOBS, AT(priority), "0..9", 0, 9, "9 is served first (4)"},
    {"share", 0, TEXT, JOBS, AT(share), "KEY", 0, 0,
     "who the job is for: its fair share and its quota (none)"},
    {"run-ms", 0, NUMBER, JOBS, AT(run_ms), "MS", 1, DAY_MS,
     "kill the worker when an attempt runs longer (the worker's limit)"},
    {"form", 0, TEXT, JOBS, AT(form), "rows|nd", 0, 0,
     "form of the reply: tables as rows, or arrays as packed bytes"},
    {"deadline", 0, NUMBER, VERB_SUBMIT, AT(deadline_ms), "MS", 1, MONTH_MS,
     "the job must be finished by then (none)"},
    {"ttl", 0, NUMBER, VERB_SUBMIT, AT(ttl_ms), "MS", 1, MONTH_MS, "the job must be started by then (none)"},
    {"delay", 0, NUMBER, VERB_SUBMIT, AT(delay_ms), "MS", 0, MONTH_MS, "do not start the job earlier (0)"},
    {"attempts", 0, NUMBER, VERB_SUBMIT, AT(attempts), "N", 1, 100,
     "most starts when it fails in a way that may pass (3)"},
    {"backoff", 0, NUMBER, VERB_SUBMIT, AT(backoff_ms), "MS", 0, 3600000,
     "pause before the second attempt, then doubling (100)"},
    {"keep", 0, NUMBER, VERB_SUBMIT, AT(keep_ms), "MS", 0, MONTH_MS, "how long the result is kept (3600000)"},
    {"node", 'n', TEXT, SWAPS, AT(node), "NODE", 0, 0, "only there; default: at every node"},
    {"shadow", 0, NUMBER, VERB_RELOAD, AT(shadow), "N", 1, 1000000,
     "first run the new generation on copies of the next N live jobs, and compare"},
    {"canary", 0, TEXT, VERB_RELOAD, AT(canary), "PERCENT", 0, 0,
     "first give the new generation this share of the live jobs: 5%"},
    {"for", 0, TEXT, VERB_RELOAD, AT(trial_for), "TIME", 0, 0,
     "canary: so long (30s); shadow: the copies must have come by then (60s). 500ms, 30s, 5m, 2h"},
    {"jobs", 0, NUMBER, VERB_RELOAD, AT(trial_jobs), "N", 20, 100000000,
     "canary: until it has had so many jobs"},
    {"allow", 0, NUMBER, VERB_RELOAD, AT(allow), "N", 0, 1000000, "shadow: so many answers may differ (0)"},
    {"slower", 0, TEXT, VERB_RELOAD, AT(slower), "FACTOR", 0, 0,
     "p95 of running may be so many times that of the generation that serves (2)"},
    {"impure", 0, FLAG, VERB_RELOAD, AT(impure), NULL, 0, 0,
     "shadow: run copies of functions too that do not say they are pure"},
    {"force", 0, FLAG, VERB_RELOAD, AT(force), NULL, 0, 0,
     "load a build too that was rolled back from, or that failed its trial"},
    {"wait", 'w', NUMBER, VERB_RESULT, AT(wait_ms), "MS", 0, 3600000, "wait for the result this long (0)"},
    {"wait", 'w', NUMBER, VERB_DRAIN, AT(wait_ms), "MS", 0, DAY_MS,
     "wait so long until nothing runs there any more (0)"},
    {"help", 'h', FLAG, ASKS | VERB_CHECK | VERB_KEYGEN | VERB_HELP | OPTION_BEFORE, AT(help), NULL, 0, 0,
     "this help"},
    {"version", 'V', FLAG, OPTION_BEFORE, AT(version), NULL, 0, 0, "print the version"},
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

void settings_init(struct settings *s)
{
    *s = (struct settings){.broker = getenv("KILN_BROKER"),
                           .key = getenv("KILN_KEY"),
                           .server_key = getenv("KILN_SERVER_KEY"),
                           .output = OUTPUT_AUTO};
    if (!s->broker || !*s->broker) {
        s->broker = "ipc:///run/kiln/kiln.sock";
    }
    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].kind == NUMBER) {
            *(int64_t *) (void *) ((char *) s + rows[i].offset) = UNSAID;
        }
    }
}

int64_t said(int64_t number)
{
    return number == UNSAID ? 0 : number == 0 ? KILN_ZERO : number;
}

/* The row of "--name", "--name=value", "-n", or "-nvalue"; *ret_value is the value inside the word, or NULL. */
static const struct row *find(const char *word, unsigned verb, const char **ret_value)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *r = &rows[i];
        if (!(r->verbs & verb)) {
            continue;
        }
        size_t n = strlen(r->name);
        if (word[1] == '-' && strncmp(word + 2, r->name, n) == 0 &&
            (word[2 + n] == '\0' || word[2 + n] == '=')) {
            *ret_value = word[2 + n] ? word + 3 + n : NULL;
            return r;
        }
        if (word[1] != '-' && r->letter && word[1] == r->letter) {
            *ret_value = word[2] ? word + 2 : NULL;
            return r;
        }
    }
    return NULL;
}

static int set_number(const struct row *r, const char *value, int64_t *ret, struct err *err)
{
    char *end;
    errno = 0;
    long long v = strtoll(value, &end, 10);
    if (errno || end == value || *end || v < r->least || v > r->most) {
        return err_set(err, KILN_INVALID, r->name, "--%s is \"%s\", expected a whole number, %lld..%lld",
                       r->name, value, (long long) r->least, (long long) r->most);
    }
    *ret = v;
    return 0;
}

static int set_choice(const struct row *r, const char *value, int64_t *ret, struct err *err)
{
    const char *at = r->value;
    for (int64_t i = 0; *at; i++) {
        size_t n = strcspn(at, "|");
        if (strlen(value) == n && strncmp(at, value, n) == 0) {
            *ret = i;
            return 0;
        }
        at += n + (at[n] == '|');
    }
    return err_set(err, KILN_INVALID, r->name, "--%s is \"%s\", expected %s", r->name, value, r->value);
}

static int set(struct settings *s, const struct row *r, const char *value, struct err *err)
{
    void *member = (char *) s + r->offset;
    switch (r->kind) {
    case FLAG:
        *(bool *) member = true;
        return 0;
    case NUMBER:
        return set_number(r, value, member, err);
    case CHOICE:
        return set_choice(r, value, member, err);
    case TEXT:
        break;
    }
    *(const char **) member = value;
    return 0;
}

int options_parse(int argc, char **argv, int *at, unsigned verb, struct settings *s, struct words *words,
                  struct err *err)
{
    bool options = true;
    if (words) {
        *words = (struct words){.items = mem_alloc((size_t) argc * sizeof(char *))};
    }
    for (; *at < argc; ++*at) {
        const char *word = argv[*at];
        if (!options || word[0] != '-' || word[1] == '\0') {
            if (!words) {
                return 0;
            }
            words->items[words->n++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        const char *value = NULL;
        const struct row *r = find(word, verb, &value);
        int rc = 0;
        if (!r) {
            rc = err_set(err, KILN_INVALID, word, "there is no option %s here", word);
        } else if (r->kind == FLAG && value) {
            rc = err_set(err, KILN_INVALID, r->name, "--%s takes no value (\"%s\")", r->name, word);
        } else if (r->kind != FLAG && !value && *at + 1 == argc) {
            rc = err_set(err, KILN_INVALID, r->name, "--%s needs a value: %s", r->name, r->value);
        } else {
            rc = set(s, r, value || r->kind == FLAG ? value : argv[++*at], err);
        }
        if (rc) {
            return rc;
        }
    }
    return 0;
}

void options_help(FILE *out, unsigned verb, size_t width)
{
    struct table t = {.indent = 2};
    table_column(&t, NULL, TABLE_LEFT);
    table_column(&t, NULL, TABLE_WRAP);
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct row *r = &rows[i];
        if (r->verbs & verb) {
            char letter[8] = "    ";
            if (r->letter) {
                snprintf(letter, sizeof letter, "-%c, ", r->letter);
            }
            table_cell(&t, "%s--%s%s%s", letter, r->name, r->value ? " " : "", r->value ? r->value : "");
            table_cell(&t, "%s", r->help);
        }
    }
    table_print(&t, out, width);
    table_done(&t);
}
