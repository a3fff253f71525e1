/* SPDX-License-Identifier: MPL-2.0 */
/* kiln keygen: makes a key pair for CURVE, one file for each half. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "curve.h"
#include "status.h"

/* What to do with the two files. */
static const struct {
    const char *role, *then;
} roles[] = {
    {"broker", "the secret one in broker.key of the broker, the public one to all others: kiln --server-key, "
               "daemon.broker_key"},
    {"producer",
     "the public one into the folder producers of broker.keys, the secret one in kiln --key or KILN_KEY"},
    {"worker", "the public one into the folder workers of broker.keys, the secret one in daemon.key"},
    {"admin",
     "the public one into the folder admins of broker.keys, the secret one in kiln --key or KILN_KEY"},
};
enum { N_ROLES = sizeof roles / sizeof roles[0] };

int verb_keygen(struct cli *c)
{
    const char *role = c->words.items[0], *given = c->words.items[1];
    size_t i = 0;
    while (i < N_ROLES && strcmp(roles[i].role, role) != 0) {
        i++;
    }
    if (i == N_ROLES) {
        return cli_usage(c, "the role is \"%s\", expected broker, producer, worker or admin", role);
    }
    char stem[1024];
    size_t n = strlen(given);
    n -= n > 4 && strcmp(given + n - 4, ".key") == 0 ? 4 : 0;
    if (n >= sizeof stem) {
        return cli_usage(c, "NAME has %zu bytes, expected at most %zu", n, sizeof stem - 1);
    }
    memcpy(stem, given, n);
    stem[n] = '\0';
    struct curve_pair pair;
    struct err err = {0};
    int status = curve_make(&pair, &err);
    status = status ? status : curve_write(stem, role, &pair, &err);
    if (!status) {
        puts(pair.public_key);
        fprintf(stderr, "wrote %s.key (public) and %s.key_secret (0600)\n  next:  %s\n", stem, stem,
                roles[i].then);
    }
    curve_wipe(&pair, sizeof pair);
    return status ? cli_fail(c, NULL, status, err.field, err.text) : 0;
}
