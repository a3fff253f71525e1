/* SPDX-License-Identifier: MPL-2.0 */
/* options - the words of the command line: one table of options, from which they are parsed and explained.
 *
 * An option may mean different things to different verbs (`--json`), so a row says whose it is: `verbs` is a set of
 * bits, one for each verb, and OPTION_BEFORE for options in front of the verb. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

enum verb_bit {
    VERB_CALL = 1 << 0,
    VERB_SUBMIT = 1 << 1,
    VERB_RESULT = 1 << 2,
    VERB_STATUS = 1 << 3,
    VERB_CANCEL = 1 << 4,
    VERB_FORGET = 1 << 5,
    VERB_FUNCTIONS = 1 << 6,
    VERB_DESCRIBE = 1 << 7,
    VERB_PLUGINS = 1 << 8,
    VERB_STATS = 1 << 9,
    VERB_PING = 1 << 10,
    VERB_CHECK = 1 << 11,
    VERB_HELP = 1 << 12,
    OPTION_BEFORE = 1 << 13,
    VERB_KEYGEN = 1 << 14,
    VERB_RELOAD = 1 << 15,
    VERB_ROLLBACK = 1 << 16,
    VERB_NODES = 1 << 20,
    VERB_PAUSE = 1 << 21,
    VERB_RESUME = 1 << 22,
    VERB_DRAIN = 1 << 23,
    VERB_MODELS = 1 << 24,
};

enum output { OUTPUT_AUTO, OUTPUT_JSON, OUTPUT_TABLE };

enum { UNSAID = -1 }; /* of a number that was not given */

struct settings {
    const char *broker, *key, *server_key;
    int64_t timeout_ms, connect_ms, wait_ms;
    int64_t priority, run_ms, deadline_ms, ttl_ms, delay_ms, attempts, backoff_ms, keep_ms;
    int64_t output; /* enum output */
    bool json;      /* --json in its meaning of output */
    bool verbose, all, help, version;
    const char *json_file, *form, *id, *share;
    const char *node, *canary, *trial_for, *slower; /* of a reload; texts with units */
    int64_t shadow, trial_jobs, allow;
    bool impure, force;
};

struct words {
    const char **items;
    size_t n;
};

void settings_init(struct settings *s);

/* Reads options from argv[*at] on, as `verb` understands them (the name is for messages). Words that are no options
 * are collected; with `words` NULL reading stops in front of the first. *at is then behind what was read. KILN_INVALID
 * with a sentence. words->items is malloc'd: mem_free. */
int options_parse(int argc, char **argv, int *at, unsigned verb, struct settings *s, struct words *words,
                  struct err *err);

/* One line for each option of the verb. */
void options_help(FILE *out, unsigned verb, size_t width);

/* The number a job is sent with: 0 (the default) when it was not given, KILN_ZERO for 0. */
int64_t said(int64_t number);

#endif
