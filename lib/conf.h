/* SPDX-License-Identifier: MPL-2.0 */
/* conf - groups of kiln.conf read by a table of rows.
 *
 * A program describes a group as rows, each pointing into a struct of its own; reading, range checks, defaults,
 * the refusal of unknown keys and the help text all come from the rows. Lists of groups are walked by the caller, group by
 * group. Syntax is libconfig's.
 *
 *     config_t file;
 *     conf_open(&file, path, &err);
 *     conf_read(config_lookup(&file, "broker"), "broker", rows, n, &settings, &err);
 *     config_destroy(&file);  ...  conf_done(rows, n, &settings);
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <libconfig.h>

#include "err.h"

enum conf_kind {
    CONF_INT,   /* int64_t; least..most */
    CONF_BOOL,  /* bool */
    CONF_TEXT,  /* char *, owned; never NULL after conf_read */
    CONF_TEXTS, /* struct conf_texts; a single string is a list of one; fallback: words between blanks */
    CONF_INTS,  /* struct conf_ints; least..most each */
    CONF_OTHER, /* known key, read by the caller */
};

struct conf_texts {
    char **items;
    size_t n;
};

struct conf_ints {
    int64_t *items;
    size_t n;
};

struct conf_row {
    const char *key;
    enum conf_kind kind;
    size_t offset; /* of the member in the target */
    int64_t least, most;
    const char *fallback; /* as text; "" for an empty list or text */
    const char *unit;     /* NULL: none */
    const char *help;
    bool live; /* may change while the program runs */
};

/* Parses a file: KILN_INVALID with "file:line: why" when it cannot be read or has a syntax error. On failure *ret_file needs no destroy. */
int conf_open(config_t *ret_file, const char *path, struct err *err);

/* Refuses top-level keys other than the two groups that kiln.conf has, so that a misspelt group is not all defaults. */
int conf_check_groups(const config_t *file, const char *path, struct err *err);

/* Refuses what is no endpoint: "ipc:///path", "ipc://@name", "tcp://host:port". `key` is for the message. */
int conf_check_endpoint(const char *endpoint, const char *key, struct err *err);

/* The folder that a configuration file lies in, absolute: what relative paths in it start from. The caller's (mem_free). */
int conf_base(const char *path, char **ret_base, struct err *err);
/* Replaces *path by the absolute path: *path itself, or joined to base. */
void conf_absolute(char **path, const char *base);

/* Fills every row's member from `group` (NULL: all defaults). `name` is the group's name in messages, such as
 * "kiln.conf:12: broker.queue_limit is 0, expected 1..1000000". On failure the target holds nothing to release. */
int conf_read(const config_setting_t *group, const char *name, const struct conf_row *rows, size_t n,
              void *target, struct err *err);

/* For a reload: gives `target` the members of `fresh` that are live, and `fresh` the old ones; both still need conf_done. When a member
 * differs that is not, nothing changes and the refusal names it. */
int conf_take_over(const char *name, const struct conf_row *rows, size_t n, void *target, void *fresh,
                   struct err *err);

/* Releases texts and lists. */
void conf_done(const struct conf_row *rows, size_t n, void *target);

/* One line a row, for --help. */
void conf_help(FILE *out, const char *name, const struct conf_row *rows, size_t n);

#endif
