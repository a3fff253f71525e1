/* SPDX-License-Identifier: MPL-2.0 */
/* Why it failed, and what to do next. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"
#include "curve.h"
#include "search.h"
#include "status.h"

enum { NEAREST = 5 };

/* What is wrong with the socket file of an ipc endpoint; NULL when nothing is, or it is no file. */
static const char *diagnose_ipc(const char *endpoint, const char **ret_path)
{
    if (strncmp(endpoint, "ipc://", 6) != 0 || endpoint[6] == '@' || endpoint[6] == '*') {
        return NULL;
    }
    *ret_path = endpoint + 6;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(*ret_path) >= sizeof address.sun_path) {
        return "is too long a path for a socket";
    }
    strcpy(address.sun_path, *ret_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) != 0;
    int why = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (!failed) {
        return NULL;
    }
    switch (why) {
    case ENOENT:
        return "does not exist";
    case ECONNREFUSED:
        return "is there, but nobody listens: the broker has stopped";
    case EACCES:
        return "may not be used by you: join the group of the socket";
    default:
        return strerror(why);
    }
}

static void no_broker(const struct cli *c, const char *text)
{
    const char *path = "";
    if (curve_wanted(c->set.broker) && strstr(text, "handshake")) {
        fprintf(stderr,
                "kiln: %s\n  the key of the broker:  kiln --server-key KEY|FILE, or KILN_SERVER_KEY\n", text);
        return;
    }
    const char *why = diagnose_ipc(c->set.broker, &path);
    fprintf(stderr, "kiln: no broker answers at %s%s%s%s%s\n", c->set.broker, why ? ": " : "", path,
            why ? " " : "", why ? why : "");
    fprintf(stderr,
            "  start one:    systemctl start kiln-broker, or kiln-broker in a terminal\n"
            "  or another:   kiln --broker ENDPOINT %s ..., or KILN_BROKER=ENDPOINT in the environment\n",
            c->verb ? c->verb->name : "VERB");
}

static void suggest_functions(struct cli *c, const char *fn)
{
    struct kiln_answer *answer = NULL;
    if (!c->client || kiln_client_describe(c->client, NULL, &answer, NULL) != KILN_OK) {
        return;
    }
    if (!answer->count) {
        fprintf(stderr, "  no worker offers any function yet: is kilnd running? See kiln plugins\n");
    }
    const char *near[NEAREST];
    size_t n = search_nearest(answer, fn, near, NEAREST);
    for (size_t i = 0; i < n; i++) {
        fprintf(stderr, "%s%s", i ? ", " : "  nearest:  ", near[i]);
    }
    fputs(n ? "\n" : "", stderr);
    if (answer->count) {
        fprintf(stderr, "  all:      kiln functions [WORD]\n");
    }
    kiln_client_answer_free(&answer);
}

int cli_fail(struct cli *c, const char *fn, int status, const char *field, const char *text)
{
    fflush(stdout);
    const char *verb = !fn && c->verb ? c->verb->name : "", *word = fn                ? fn
                                                                    : c->words.n == 1 ? c->words.items[0]
                                                                                      : "";
    fprintf(stderr, "kiln%s%s%s%s: %s: %s\n", *verb ? " " : "", verb, *word ? " " : "", word,
            status_name(status), *text ? text : status_sentence(status));
    switch (status) {
    case KILN_INVALID:
        if (fn && *field) {
            fprintf(stderr, "  argument %s; what is expected: kiln describe %s\n", field, fn);
        } else if (fn) {
            fprintf(stderr, "  what is expected: kiln describe %s\n", fn);
        }
        break;
    case KILN_UNKNOWN_FUNCTION:
        suggest_functions(c, fn ? fn : "");
        break;
    case KILN_LOST:
        fprintf(stderr, "  is the broker alive?  kiln ping\n");
        break;
    case KILN_DEADLINE:
        if (c->verb && c->verb->bit == VERB_CALL) {
            fprintf(stderr, "  allow more time:  --timeout MS; where it goes:  kiln stats\n");
        }
        break;
    case KILN_BUSY:
    case KILN_TEMPORARY:
    case KILN_UNAVAILABLE:
        fprintf(stderr, "  the same may work later; queues and workers:  kiln stats, kiln plugins\n");
        break;
    case KILN_DENIED:
        if (curve_wanted(c->set.broker)) {
            fprintf(stderr, "  your key:  kiln --key FILE, or KILN_KEY; who may:  the folder broker.keys of "
                            "the broker\n");
        }
        break;
    case KILN_POISON:
    case KILN_INTERNAL:
        fprintf(stderr, "  the workers' state:  kiln plugins; their log:  journalctl -u kilnd\n");
        break;
    default:
        break;
    }
    return status_exit(status);
}

int cli_fail_error(struct cli *c, const char *fn, const struct kiln_error *err)
{
    if (err->status == KILN_UNAVAILABLE) { /* the client's own: nothing was sent */
        no_broker(c, err->text);
        return status_exit(err->status);
    }
    return cli_fail(c, fn, err->status, err->field, err->text);
}
