/* SPDX-License-Identifier: MPL-2.0 */
/* wreck - harms what is around it, rather than itself, in the way it is asked to. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kiln/plugin.h>

enum { HOW, N };

static const struct kiln_row params[] = {
    [HOW] = {.name = "how",
             .kind = KILN_STRING,
             .choices = "ok|close|exit0|exit_handlers|stop|flood|leak_files|fork_bomb|end_parent|spin",
             .fallback = "\"ok\"",
             .help = "What to do"},
    [N] = {.name = "n", .kind = KILN_INT, .fallback = "0", .help = "How much of it"},
};

static const struct kiln_row results[] = {{.name = "n", .kind = KILN_INT}};

static int64_t flood(int64_t lines)
{
    char line[1024];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    for (int64_t i = 0; i < lines; i++) {
        if (write(i % 2 ? STDOUT_FILENO : STDERR_FILENO, line, sizeof line) < 0) {
            return i;
        }
    }
    return lines;
}

static int64_t leak_files(void)
{
    int64_t n = 0;
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
        n++;
    }
    return errno == EMFILE ? n : -1;
}

/* How many children there were. */
static int64_t fork_bomb(int64_t n)
{
    int64_t born = 0;
    for (int64_t i = 0; i < n; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            _exit(0);
        }
        born += pid > 0;
    }
    while (born > 0 && wait(NULL) > 0) {
    }
    return born;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    const char *how = args[HOW].text;
    int64_t n = args[N].i64;
    (void) call;
    if (strcmp(how, "close") == 0) {
        for (int fd = 0; fd < 1024; fd++) {
            close(fd);
        }
    } else if (strcmp(how, "exit0") == 0) {
        _exit(0);
    } else if (strcmp(how, "exit_handlers") == 0) {
        exit(0);
    } else if (strcmp(how, "stop") == 0) {
        raise(SIGSTOP);
    } else if (strcmp(how, "flood") == 0) {
        n = flood(n);
    } else if (strcmp(how, "leak_files") == 0) {
        n = leak_files();
    } else if (strcmp(how, "fork_bomb") == 0) {
        n = fork_bomb(n);
    } else if (strcmp(how, "end_parent") == 0) {
        n = kill(getppid(), SIGTERM) == 0;
    } else if (strcmp(how, "spin") == 0) {
        for (volatile int forever = 1; forever;) {
        }
    }
    out[0].i64 = n;
    out[0].present = 1;
    return KILN_OK;
}

static const struct kiln_golden goldens[] = {{.title = "behaves", .args = "{}", .result = "{\"n\":0}"}};

static const struct kiln_function function = {KILN_FUNCTION_HEAD,
                                              .name = "wreck",
                                              .summary = "Harms what is around it",
                                              .params = params,
                                              .n_params = KILN_COUNT(params),
                                              .results = results,
                                              .n_results = KILN_COUNT(results),
                                              .goldens = goldens,
                                              .n_goldens = KILN_COUNT(goldens),
                                              .run = run};
static const struct kiln_function *const functions[] = {&function};

const struct kiln_plugin kiln_plugin = {KILN_PLUGIN_HEAD,       .name = "wreck",
                                        .version = "0.1.0",     .summary = "Harms its surroundings",
                                        .functions = functions, .n_functions = 1};
