/* SPDX-License-Identifier: MPL-2.0 */
/* kiln check: judges, warms and proves a plugin without a broker. The work is kilnd's, which alone loads plugins. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "mem.h"
#include "status.h"

/* Replaces this process by the kilnd at path, when there is one. */
static void try_exec(const char *path, char **argv)
{
    if (access(path, X_OK) == 0) {
        execv(path, argv);
    }
}

int verb_check(struct cli *c)
{
    char **argv = mem_alloc((c->words.n + 3) * sizeof *argv);
    argv[0] = mem_text("kilnd");
    argv[1] = mem_text("--check");
    for (size_t i = 0; i < c->words.n; i++) {
        argv[i + 2] = mem_text(c->words.items[i]);
    }
    /* The one that belongs to this program comes first: beside it as built, in sbin as installed. */
    char self[PATH_MAX] = "", path[PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = n > 0 ? strrchr(self, '/') : NULL;
    if (slash) {
        *slash = '\0';
        snprintf(path, sizeof path, "%s/kilnd", self);
        try_exec(path, argv);
        snprintf(path, sizeof path, "%s/../sbin/kilnd", self);
        try_exec(path, argv);
    }
    execvp("kilnd", argv);
    fprintf(
        stderr,
        "kiln check: cannot start kilnd, which loads the plugin: %s\n  looked in %s, %s/../sbin and $PATH\n",
        strerror(errno), self, self);
    for (size_t i = 0; argv[i]; i++) {
        mem_free(argv[i]);
    }
    mem_free(argv);
    return status_exit(KILN_UNAVAILABLE);
}
