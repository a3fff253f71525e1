/* SPDX-License-Identifier: MPL-2.0 */
/* config - the group `daemon` of kiln.conf: what this node is to run.
 *
 *     daemon_config_load("/etc/kiln/kiln.conf", &config, &err);
 *     ...
 *     daemon_config_free(&config);
 *
 * The rows in config.c are the reference of every key: range, default, unit and help. Everything is checked here, so
 * that whoever reads a struct daemon_config afterwards need not check again. Paths are absolute: relative ones were
 * joined to the folder of the configuration file (plugin files: to plugin_dir). */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "conf.h"
#include "curve.h"
#include "err.h"

enum { CONFIG_NAME_BYTES = 64, CONFIG_OPTIONS_BYTES = 32768, CONFIG_CPUS = 1024, CONFIG_PATH_BYTES = 1024 };

struct plugin_limits {
    int64_t run_ms;    /* longest stay of a job, or of jobs computed together, in plugin code */
    int64_t warm_ms;   /* longest time from start to proven */
    int64_t memory_mb; /* all of the worker's private memory */
    int64_t job_mb;    /* arena of one job */
    int64_t files;     /* open files */
};

struct plugin_recycle {
    int64_t jobs;        /* 0: never */
    int64_t resident_mb; /* 0: never */
    int64_t age_s;       /* 0: never */
};

struct plugin_config {
    char *name;
    char *file; /* absolute */
    int64_t workers;
    bool required;
    int64_t nice;
    bool sandbox;
    struct conf_ints cpus;
    struct conf_texts data; /* folders, absolute */
    struct plugin_limits limits;
    struct plugin_recycle recycle;
    void *options; /* msgpack map; NULL when there are none */
    size_t options_bytes;
};

struct daemon_config {
    char *broker;
    char *name; /* never empty */
    char *run_dir;
    char *plugin_dir;
    char *log_level;
    char *key, *broker_key;
    struct curve_keys keys; /* of the two, when the broker is reached by tcp; else empty */
    struct conf_ints cpus;
    struct conf_texts trusted_keys;
    bool watch;
    int64_t drain_ms;
    int64_t slots;
    struct plugin_config *plugins;
    size_t n_plugins;
};

/* Reads and checks the file. KILN_INVALID names file, line, key, value and what was expected. */
int daemon_config_load(const char *path, struct daemon_config **ret_config, struct err *err);
void daemon_config_free(struct daemon_config **config);

/* KILN_INVALID when its file or one of its folders of data cannot be opened. */
int daemon_config_check_file(const struct plugin_config *plugin, struct err *err);

/* Takes plugin i out of a configuration: the caller's, to be freed by plugin_config_free. Its place stays empty. */
struct plugin_config *daemon_config_take(struct daemon_config *config, size_t i);
struct plugin_config *plugin_config_copy(const struct plugin_config *plugin);
void plugin_config_free(struct plugin_config **plugin);

/* Equal but for `required`, which no worker sees. */
bool plugin_config_equal(const struct plugin_config *a, const struct plugin_config *b);

/* The keys with their defaults, for --help. */
void daemon_config_help(FILE *out);

#endif
