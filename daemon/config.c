/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "mem.h"
#include "plugin_options.h"
#include "signature.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static const struct conf_row daemon_rows[] = {
#define AT(member) offsetof(struct daemon_config, member)
    {"broker", CONF_TEXT, AT(broker), 0, 0, "ipc:///run/kiln/work.sock", NULL,
     "backend endpoint of the broker"},
    {"key", CONF_TEXT, AT(key), 0, 0, "", NULL, "this node's secret file, of kiln keygen; for tcp"},
    {"broker_key", CONF_TEXT, AT(broker_key), 0, 0, "", NULL,
     "the broker's public key, or the file it is in"},
    {"name", CONF_TEXT, AT(name), 0, 0, "", NULL, "name of this node; empty: host.pid"},
    {"run_dir", CONF_TEXT, AT(run_dir), 0, 0, "", NULL,
     "private folder; may not be mounted noexec; empty: kilnd in $STATE_DIRECTORY or in /var/lib/kiln"},
    {"plugin_dir", CONF_TEXT, AT(plugin_dir), 0, 0, KILN_PLUGINDIR, NULL,
     "where plugin files are looked for"},
    {"log_level", CONF_TEXT, AT(log_level), 0, 0, "info", NULL, "debug, info, warning or error"},
    {"cpus", CONF_INTS, AT(cpus), 0, CONFIG_CPUS - 1, "", NULL, "processors to stay on; empty: all"},
    {"trusted_keys", CONF_TEXTS, AT(trusted_keys), 0, 0, "", NULL,
     "public keys (minisign) one of which must have signed a plugin file; empty: any file"},
    {"watch", CONF_BOOL, AT(watch), 0, 0, "false", NULL,
     "swap a plugin when its file changes, as a reload would"},
    {"drain_ms", CONF_INT, AT(drain_ms), 0, 86400000, "30000", "ms",
     "time for running jobs to finish at the end"},
    {"slots", CONF_INT, AT(slots), 1, 4096, "256", "jobs", "most jobs held by one worker"},
    {"plugins", CONF_OTHER, 0, 0, 0, NULL, NULL, "list of groups, one a plugin:"},
#undef AT
};

static const struct conf_row plugin_rows[] = {
#define AT(member) offsetof(struct plugin_config, member)
    {"name", CONF_TEXT, AT(name), 0, 0, "", NULL, "the plugin's own name; required"},
    {"file", CONF_TEXT, AT(file), 0, 0, "", NULL, "shared object in plugin_dir; empty: <name>.so"},
    {"data", CONF_TEXTS, AT(data), 0, 0, "", NULL,
     "folders of files that the plugin reads when it starts; a reload loads it anew when something in them "
     "changed"},
    {"workers", CONF_INT, AT(workers), 1, 256, "1", "processes", "worker processes"},
    {"required", CONF_BOOL, AT(required), 0, 0, "true", NULL, "the node is ready only with it"},
    {"options", CONF_OTHER, 0, 0, 0, NULL, NULL, "group: options of the plugin itself"},
    {"limits", CONF_OTHER, 0, 0, 0, NULL, NULL, "group:"},
    {"recycle", CONF_OTHER, 0, 0, 0, NULL, NULL, "group:"},
    {"cpus", CONF_INTS, AT(cpus), 0, CONFIG_CPUS - 1, "", NULL,
     "processors of its workers; empty: daemon.cpus"},
    {"nice", CONF_INT, AT(nice), -20, 19, "0", NULL, "scheduling priority of its workers"},
    {"sandbox", CONF_BOOL, AT(sandbox), 0, 0, "true", NULL,
     "refuse it the system calls that computing does not need"},
#undef AT
};

static const struct conf_row limit_rows[] = {
#define AT(member) offsetof(struct plugin_limits, member)
    {"run_ms", CONF_INT, AT(run_ms), 1, 86400000, "30000", "ms", "a job in plugin code for longer is killed"},
    {"warm_ms", CONF_INT, AT(warm_ms), 10, 3600000, "20000", "ms",
     "loading, warming and proving for longer fails"},
    {"memory_mb", CONF_INT, AT(memory_mb), 64, 1048576, "1024", "MiB", "private memory of a worker"},
    {"job_mb", CONF_INT, AT(job_mb), 1, 1048576, "256", "MiB", "memory of one job"},
    {"files", CONF_INT, AT(files), 32, 65536, "256", "files", "open files of a worker"},
#undef AT
};

static const struct conf_row recycle_rows[] = {
#define AT(member) offsetof(struct plugin_recycle, member)
    {"jobs", CONF_INT, AT(jobs), 0, INT64_C(1000000000000), "0", "jobs",
     "replace a worker after so many; 0: never"},
    {"resident_mb", CONF_INT, AT(resident_mb), 0, 1048576, "0", "MiB",
     "replace a worker above this size; 0: never"},
    {"age_s", CONF_INT, AT(age_s), 0, 31536000, "0", "s", "replace a worker after this time; 0: never"},
#undef AT
};

void daemon_config_help(FILE *out)
{
    conf_help(out, "daemon", daemon_rows, COUNT(daemon_rows));
    conf_help(out, "daemon.plugins[]", plugin_rows, COUNT(plugin_rows));
    conf_help(out, "daemon.plugins[].limits", limit_rows, COUNT(limit_rows));
    conf_help(out, "daemon.plugins[].recycle", recycle_rows, COUNT(recycle_rows));
}

/* ---- checks that a row cannot say ---- */

static int refuse(const config_setting_t *group, const char *name, const char *key, const char *value,
                  const char *expected, struct err *err)
{
    const config_setting_t *at = key ? config_setting_get_member(group, key) : NULL;
    at = at ? at : group;
    const char *file = config_setting_source_file(at);
    return err_set(err, KILN_INVALID, key, "%s:%u: %s%s%s is \"%.200s\", expected %s",
                   file ? file : "configuration", config_setting_source_line(at), name, key ? "." : "",
                   key ? key : "", value, expected);
}

static bool word(const char *text, const char *also)
{
    size_t n = strlen(text);
    if (n == 0 || n >= CONFIG_NAME_BYTES) {
        return false;
    }
    for (const char *c = text; *c; c++) {
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && !strchr(also, *c)) {
            return false;
        }
    }
    return true;
}

/* A relative path behind ipc:// is meant like every other path of the file. */
static int check_broker(const config_setting_t *group, char **broker, const char *base, struct err *err)
{
    if (strncmp(*broker, "ipc://", 6) == 0 && (*broker)[6] && (*broker)[6] != '@') {
        char *path = mem_text(*broker + 6);
        conf_absolute(&path, base);
        size_t n = strlen(path) + 7;
        char *joined = mem_alloc(n);
        snprintf(joined, n, "ipc://%s", path);
        mem_free(path);
        mem_free(*broker);
        *broker = joined;
        if (n - 7 >= sizeof((struct sockaddr_un *) 0)->sun_path) {
            return refuse(group, "daemon", "broker", *broker, "a path of at most 107 bytes after ipc://",
                          err);
        }
        return 0;
    }
    bool tcp = strncmp(*broker, "tcp://", 6) == 0 && strrchr(*broker, ':') > *broker + 6;
    bool abstract = strncmp(*broker, "ipc://@", 7) == 0 && (*broker)[7];
    if ((!tcp && !abstract) || strlen(*broker) > 255) {
        return refuse(group, "daemon", "broker", *broker, "ipc://PATH or tcp://HOST:PORT", err);
    }
    return 0;
}

static int check_path(const config_setting_t *group, const char *name, const char *key, char **path,
                      const char *base, struct err *err)
{
    if (!(*path)[0]) {
        return refuse(group, name, key, *path, "a path", err);
    }
    conf_absolute(path, base);
    return strlen(*path) < CONFIG_PATH_BYTES - 64
               ? 0
               : refuse(group, name, key, *path, "a path of at most 960 bytes", err);
}

/* Where the unit's StateDirectory= is: instances of one template differ in it alone. */
static void default_run_dir(char **run_dir)
{
    const char *state = getenv("STATE_DIRECTORY");
    state = state && state[0] == '/' ? state : "/var/lib/kiln";
    size_t n = strcspn(state, ":"); /* systemd puts a colon between several */
    mem_free(*run_dir);
    *run_dir = mem_alloc(n + sizeof "/kilnd");
    snprintf(*run_dir, n + sizeof "/kilnd", "%.*s/kilnd", (int) n, state);
}

/* Read here, so that --test-config tells; workers are given them, since they could not read the file. */
static int read_keys(struct daemon_config *c, const char *base, struct err *err)
{
    if (c->key[0]) {
        conf_absolute(&c->key, base);
    }
    if (c->broker_key[0] && !curve_valid(c->broker_key)) {
        conf_absolute(&c->broker_key, base);
    }
    if (!curve_wanted(c->broker)) {
        return 0;
    }
    return curve_client_keys(c->key, c->broker_key, "daemon.key", "daemon.broker_key", &c->keys, err);
}

static int check_daemon(const config_setting_t *group, struct daemon_config *c, const char *base,
                        struct err *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
    if (c->name[0] && !word(c->name, letters)) {
        return refuse(group, "daemon", "name", c->name,
                      "1 to 63 letters, digits, dots, dashes and underscores", err);
    }
    if (!c->name[0]) {
        char host[CONFIG_NAME_BYTES - 16] = "";
        gethostname(host, sizeof host - 1);
        mem_free(c->name);
        c->name = mem_alloc(CONFIG_NAME_BYTES);
        snprintf(c->name, CONFIG_NAME_BYTES, "%s.%d", host[0] ? host : "node", (int) getpid());
    }
    if (log_level_parse(c->log_level) < 0) {
        return refuse(group, "daemon", "log_level", c->log_level, "debug, info, warning or error", err);
    }
    for (size_t i = 0; i < c->trusted_keys.n; i++) {
        if (!signature_is_key(c->trusted_keys.items[i])) {
            return refuse(group, "daemon", "trusted_keys", c->trusted_keys.items[i],
                          "a public key of 56 characters as minisign -G prints it (\"RW...\")", err);
        }
    }
    if (!c->run_dir[0]) {
        default_run_dir(&c->run_dir);
    }
    int status = check_broker(group, &c->broker, base, err);
    status = status ? status : read_keys(c, base, err);
    status = status ? status : check_path(group, "daemon", "run_dir", &c->run_dir, base, err);
    return status ? status : check_path(group, "daemon", "plugin_dir", &c->plugin_dir, base, err);
}

static int check_plugin(const config_setting_t *group, const char *name, const struct daemon_config *c,
                        const char *base, struct plugin_config *p, struct err *err)
{
    if (!word(p->name, "_")) {
        return refuse(group, name, "name", p->name, "1 to 63 lower case letters, digits and underscores",
                      err);
    }
    for (const struct plugin_config *other = c->plugins; other < p; other++) {
        if (strcmp(other->name, p->name) == 0) {
            return refuse(group, name, "name", p->name, "a name that no other plugin of the list has", err);
        }
    }
    if (!p->file[0]) {
        mem_free(p->file);
        p->file = mem_alloc(CONFIG_NAME_BYTES + 4);
        snprintf(p->file, CONFIG_NAME_BYTES + 4, "%s.so", p->name);
    }
    int status = 0;
    for (size_t i = 0; i < p->data.n && status == 0; i++) {
        status = check_path(group, name, "data", &p->data.items[i], base, err);
    }
    return status ? status : check_path(group, name, "file", &p->file, c->plugin_dir, err);
}

/* ---- reading ---- */

static int read_plugin(const config_setting_t *group, const char *name, const struct daemon_config *c,
                       const char *base, struct plugin_config *p, struct err *err)
{
    char sub[64];
    int status = conf_read(group, name, plugin_rows, COUNT(plugin_rows), p, err);
    if (status) {
        return status;
    }
    snprintf(sub, sizeof sub, "%s.limits", name);
    status = conf_read(config_setting_get_member(group, "limits"), sub, limit_rows, COUNT(limit_rows),
                       &p->limits, err);
    if (!status) {
        snprintf(sub, sizeof sub, "%s.recycle", name);
        status = conf_read(config_setting_get_member(group, "recycle"), sub, recycle_rows,
                           COUNT(recycle_rows), &p->recycle, err);
    }
    if (!status && p->limits.job_mb > p->limits.memory_mb) {
        char got[32];
        snprintf(got, sizeof got, "%lld", (long long) p->limits.job_mb);
        const config_setting_t *limits = config_setting_get_member(group, "limits");
        snprintf(sub, sizeof sub, "%s.limits", name);
        status = refuse(limits ? limits : group, sub, "job_mb", got, "no more than memory_mb", err);
    }
    if (!status) {
        status = check_plugin(group, name, c, base, p, err);
    }
    if (!status) {
        snprintf(sub, sizeof sub, "%s.options", name);
        status = plugin_options_pack(config_setting_get_member(group, "options"), sub, base,
                                     CONFIG_OPTIONS_BYTES, &p->options, &p->options_bytes, err);
    }
    return status;
}

static int read_plugins(const config_setting_t *group, struct daemon_config *c, const char *base,
                        struct err *err)
{
    const config_setting_t *list = config_setting_get_member(group, "plugins");
    if (!list || !config_setting_is_list(list) || config_setting_length(list) < 1 ||
        config_setting_length(list) > 64) {
        const config_setting_t *at = list ? list : group;
        const char *file = config_setting_source_file(at);
        return err_set(err, KILN_INVALID, "plugins",
                       "%s:%u: daemon.plugins is %s, expected a list ( { ... }, ... ) of 1 to 64",
                       file ? file : "configuration", config_setting_source_line(at),
                       !list                          ? "missing"
                       : config_setting_is_list(list) ? (config_setting_length(list) ? "too long" : "empty")
                                                      : "not a list");
    }
    c->plugins = mem_alloc((size_t) config_setting_length(list) * sizeof *c->plugins);
    for (int i = 0; i < config_setting_length(list); i++) {
        char name[40];
        snprintf(name, sizeof name, "daemon.plugins[%d]", i);
        int status = read_plugin(config_setting_get_elem(list, (unsigned) i), name, c, base,
                                 &c->plugins[c->n_plugins++], err);
        if (status) {
            return status;
        }
    }
    return 0;
}

int daemon_config_load(const char *path, struct daemon_config **ret_config, struct err *err)
{
    config_t file;
    char *base = NULL;
    if (conf_base(path, &base, err)) {
        return KILN_INVALID;
    }
    if (conf_open(&file, path, err)) {
        mem_free(base);
        return KILN_INVALID;
    }
    struct daemon_config *c = mem_alloc(sizeof *c);
    const config_setting_t *group = config_lookup(&file, "daemon");
    int status = conf_check_groups(&file, path, err);
    if (!status && !group) {
        status = err_set(err, KILN_INVALID, "daemon",
                         "%s: group \"daemon\" is missing, expected daemon = { ... }", path);
    } else if (!status) {
        status = conf_read(group, "daemon", daemon_rows, COUNT(daemon_rows), c, err);
        status = status ? status : check_daemon(group, c, base, err);
        status = status ? status : conf_check_endpoint(c->broker, "daemon.broker", err);
        status = status ? status : read_plugins(group, c, base, err);
    }
    config_destroy(&file);
    mem_free(base);
    if (status) {
        daemon_config_free(&c);
        return status;
    }
    *ret_config = c;
    return 0;
}

int daemon_config_check_file(const struct plugin_config *plugin, struct err *err)
{
    if (access(plugin->file, R_OK)) {
        return err_set(err, KILN_INVALID, "file", "plugin %s: its file %s cannot be opened: %s", plugin->name,
                       plugin->file, strerror(errno));
    }
    for (size_t i = 0; i < plugin->data.n; i++) {
        if (access(plugin->data.items[i], R_OK | X_OK)) {
            return err_set(err, KILN_INVALID, "data", "plugin %s: its folder of data %s cannot be opened: %s",
                           plugin->name, plugin->data.items[i], strerror(errno));
        }
    }
    return 0;
}

static void plugin_done(struct plugin_config *p)
{
    mem_free(p->options);
    conf_done(plugin_rows, COUNT(plugin_rows), p);
}

void daemon_config_free(struct daemon_config **config)
{
    struct daemon_config *c = *config;
    if (!c) {
        return;
    }
    for (size_t i = 0; i < c->n_plugins; i++) {
        plugin_done(&c->plugins[i]);
    }
    mem_free(c->plugins);
    curve_wipe(&c->keys, sizeof c->keys);
    conf_done(daemon_rows, COUNT(daemon_rows), c);
    mem_free(c);
    *config = NULL;
}

struct plugin_config *daemon_config_take(struct daemon_config *config, size_t i)
{
    struct plugin_config *p = mem_alloc(sizeof *p);
    *p = config->plugins[i];
    config->plugins[i] = (struct plugin_config){0};
    return p;
}

static void *copy(const void *data, size_t bytes)
{
    void *to = bytes ? mem_alloc(bytes) : NULL;
    return to ? memcpy(to, data, bytes) : NULL;
}

struct plugin_config *plugin_config_copy(const struct plugin_config *plugin)
{
    struct plugin_config *p = copy(plugin, sizeof *plugin);
    p->name = mem_text(p->name);
    p->file = mem_text(p->file);
    p->cpus.items = copy(p->cpus.items, p->cpus.n * sizeof *p->cpus.items);
    p->options = copy(p->options, p->options_bytes);
    p->data.items = copy(p->data.items, p->data.n * sizeof *p->data.items);
    for (size_t i = 0; i < p->data.n; i++) {
        p->data.items[i] = mem_text(p->data.items[i]);
    }
    return p;
}

void plugin_config_free(struct plugin_config **plugin)
{
    if (*plugin) {
        plugin_done(*plugin);
        mem_free(*plugin);
        *plugin = NULL;
    }
}

static bool texts_equal(const struct conf_texts *a, const struct conf_texts *b)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++) {
        equal = strcmp(a->items[i], b->items[i]) == 0;
    }
    return equal;
}

bool plugin_config_equal(const struct plugin_config *a, const struct plugin_config *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->file, b->file) == 0 && a->workers == b->workers &&
           a->nice == b->nice && a->sandbox == b->sandbox &&
           memcmp(&a->limits, &b->limits, sizeof a->limits) == 0 &&
           memcmp(&a->recycle, &b->recycle, sizeof a->recycle) == 0 && a->cpus.n == b->cpus.n &&
           (a->cpus.n == 0 || memcmp(a->cpus.items, b->cpus.items, a->cpus.n * sizeof *a->cpus.items) == 0) &&
           texts_equal(&a->data, &b->data) && a->options_bytes == b->options_bytes &&
           (a->options_bytes == 0 || memcmp(a->options, b->options, a->options_bytes) == 0);
}
