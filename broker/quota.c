/* SPDX-License-Identifier: MPL-2.0 */
#include "quota.h"

#include <stdbool.h>
#include <string.h>

#include "conf.h"
#include "mem.h"
#include "tenant.h"

#define AT(member) offsetof(struct quota, member)

static const struct conf_row rows[] = {
    {"key", CONF_TEXT, AT(key), 0, 0, "*", NULL, "whose quota; \"*\": of each key without a row of its own"},
    {"jobs", CONF_INT, AT(jobs), 0, 10000000, "0", "jobs", "waiting and running at once; 0: no limit"},
    {"bytes", CONF_INT, AT(bytes), 0, INT64_C(1) << 40, "0", "bytes", "of their payloads; 0: no limit"},
    {"rate", CONF_INT, AT(rate), 0, 10000000, "0", "jobs/s", "taken in the long run; 0: no limit"},
    {"burst", CONF_INT, AT(burst), 0, 10000000, "0", "jobs", "taken at once; 0: as many as in a second"},
    {"weight", CONF_INT, AT(weight), 1, 100, "1", NULL, "its share of a busy function, beside other keys'"},
};
enum { N_ROWS = sizeof rows / sizeof rows[0], QUOTAS_MOST = 10000 };

static int refuse(const config_setting_t *at, struct err *err, const char *why, const char *key)
{
    const char *file = config_setting_source_file(at);
    return err_set(err, KILN_INVALID, "quotas", "%s:%u: broker.quotas: the row of key \"%.64s\" %s",
                   file ? file : "configuration", config_setting_source_line(at), key, why);
}

static int read_row(const config_setting_t *group, struct quotas *qs, struct err *err)
{
    struct quota *q = &qs->items[qs->n];
    if (conf_read(group, "broker.quotas", rows, N_ROWS, q, err)) {
        return KILN_INVALID;
    }
    qs->n++;
    if (!tenant_named_well(q->key, strlen(q->key))) {
        return refuse(group, err, "has no good key, expected text of at most 64 bytes", q->key);
    }
    for (size_t i = 0; i + 1 < qs->n; i++) {
        if (strcmp(qs->items[i].key, q->key) == 0) {
            return refuse(group, err, "is there twice", q->key);
        }
    }
    if (q->burst && !q->rate) {
        return refuse(group, err, "has a burst and no rate", q->key);
    }
    q->burst = q->burst ? q->burst : q->rate;
    return 0;
}

int quotas_load(const config_setting_t *list, struct quotas *ret, struct err *err)
{
    struct quotas made = {0};
    int n = list ? config_setting_length(list) : 0;
    bool good = list && (config_setting_is_list(list) || (config_setting_is_array(list) && n == 0));
    if (list && (!good || n > QUOTAS_MOST)) {
        const char *file = config_setting_source_file(list);
        return err_set(
            err, KILN_INVALID, "quotas",
            "%s:%u: broker.quotas is %s, expected a list of at most %d groups: ( { key = \"*\"; } )",
            file ? file : "configuration", config_setting_source_line(list), good ? "too long" : "no list",
            QUOTAS_MOST);
    }
    if (n) {
        made.items = mem_alloc((size_t) n * sizeof *made.items);
    }
    for (int i = 0; i < n; i++) {
        if (read_row(config_setting_get_elem(list, (unsigned) i), &made, err)) {
            quotas_done(&made);
            return KILN_INVALID;
        }
    }
    made.others = quotas_find(&made, "*");
    *ret = made;
    return 0;
}

void quotas_done(struct quotas *qs)
{
    for (size_t i = 0; i < qs->n; i++) {
        conf_done(rows, N_ROWS, &qs->items[i]);
    }
    mem_free(qs->items);
    *qs = (struct quotas){0};
}

const struct quota *quotas_find(const struct quotas *qs, const char *key)
{
    for (size_t i = 0; i < qs->n; i++) {
        if (strcmp(qs->items[i].key, key) == 0) {
            return &qs->items[i];
        }
    }
    return qs->others;
}

void quotas_help(FILE *out)
{
    conf_help(out, "broker.quotas: a list of groups, each", rows, N_ROWS);
}
