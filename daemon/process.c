/* SPDX-License-Identifier: MPL-2.0 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "mem.h"

/* Ours, without what is meant for us alone, and with what keeps maths libraries from making threads of their own: a
 * worker is one thread, and there are as many workers as processors are to be used. */
static char **environment(void)
{
    static char one_thread[][32] = {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"};
    static const char *const ours[] = {"NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_",
                                       "OPENBLAS_NUM_THREADS=", "OMP_NUM_THREADS="};
    size_t n = 0;
    while (environ[n]) {
        n++;
    }
    char **made = mem_alloc((n + 3) * sizeof *made);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        bool keep = true;
        for (size_t k = 0; k < sizeof ours / sizeof *ours; k++) {
            keep = keep && strncmp(environ[i], ours[k], strlen(ours[k])) != 0;
        }
        if (keep) {
            made[at++] = environ[i];
        }
    }
    made[at++] = one_thread[0];
    made[at] = one_thread[1];
    return made;
}

static int spawn(int channel, int board_fd, const char *plugin, pid_t *ret_pid)
{
    char program[] = "kilnd", mode[] = "--worker";
    char name[64];
    snprintf(name, sizeof name, "%s", plugin);
    char *argv[] = {program, mode, name, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, channel, CHANNEL_FD);
    posix_spawn_file_actions_adddup2(&files, board_fd, CHANNEL_BOARD_FD);
    posix_spawn_file_actions_addclosefrom_np(&files, CHANNEL_BOARD_FD + 1);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char **env = environment();
    int why = posix_spawn(ret_pid, "/proc/self/exe", &files, &attributes, argv, env);
    mem_free(env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return why;
}

int process_start(int board_fd, const char *plugin, struct process *ret_process, struct err *err)
{
    int ends[2];
    if (channel_pair(ends) < 0) {
        return err_set(err, KILN_INTERNAL, NULL, "worker of %s has no channel: %s", plugin, strerror(errno));
    }
    /* Both are put above the places they go to in the child, so that neither is overwritten by the other. */
    int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, CHANNEL_BOARD_FD + 1);
    int board = fcntl(board_fd, F_DUPFD_CLOEXEC, CHANNEL_BOARD_FD + 1);
    pid_t pid;
    int why = theirs < 0 || board < 0 ? errno : spawn(theirs, board, plugin, &pid);
    close(ends[1]);
    if (theirs >= 0) {
        close(theirs);
    }
    if (board >= 0) {
        close(board);
    }
    if (why) {
        close(ends[0]);
        return err_set(err, KILN_INTERNAL, NULL, "worker of %s cannot be started: %s", plugin, strerror(why));
    }
    *ret_process = (struct process){.pid = pid, .channel = ends[0]};
    return 0;
}

void process_kill(const struct process *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
    }
}

bool process_ended(struct process *p, struct ending *ret_ending)
{
    int status;
    if (p->pid <= 0 || waitpid(p->pid, &status, WNOHANG | WUNTRACED) != p->pid) {
        return false;
    }
    if (WIFSTOPPED(status)) {
        *ret_ending = (struct ending){.code = -1, .signal = WSTOPSIG(status), .stopped = true};
        snprintf(ret_ending->cause, sizeof ret_ending->cause, "it was stopped by signal %d",
                 WSTOPSIG(status));
        return true;
    }
    p->pid = 0;
    struct ending how = {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1};
    if (WIFSIGNALED(status)) {
        how.signal = WTERMSIG(status);
        const char *name = sigdescr_np(how.signal);
        snprintf(how.cause, sizeof how.cause, "signal %d (%s)", how.signal, name ? name : "unnamed");
    } else {
        snprintf(how.cause, sizeof how.cause, "exit status %d", how.code);
    }
    *ret_ending = how;
    return true;
}

void process_close(struct process *p)
{
    if (p->channel >= 0) {
        close(p->channel);
        p->channel = -1;
    }
}
