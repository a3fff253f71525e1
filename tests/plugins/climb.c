/* SPDX-License-Identifier: MPL-2.0 */
/* climb - tries what plugin code may not, and tells how each attempt ended: 0, or the errno. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kiln/plugin.h>

enum { HOW, PATH, TIMES };

static const struct kiln_row params[] = {
    [HOW] = {.name = "how", .kind = KILN_STRING, .fallback = "\"nothing\"", .help = "What to try"},
    [PATH] = {.name = "path", .kind = KILN_STRING, .fallback = "\"/nowhere\"", .help = "On which file"},
    [TIMES] = {.name = "times", .kind = KILN_INT, .fallback = "1", .help = "How often"},
};

static const struct kiln_row results[] = {{.name = "errno", .kind = KILN_INT}};

static long try_execve(const char *path)
{
    char *const argv[] = {NULL};
    return execve(path, argv, argv);
}

static long try_ptrace(const char *path)
{
    (void) path;
    return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static long try_socket(const char *path)
{
    (void) path;
    return socket(AF_INET, SOCK_STREAM, 0);
}

/* Over a descriptor that is there: every second one up to 64 may be one of libzmq's. */
static long try_connect(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    return connect(3, (const struct sockaddr *) &to, sizeof to);
}

static long try_write(const char *path)
{
    return open(path, O_WRONLY);
}

static long try_append(const char *path)
{
    return open(path, O_RDWR | O_APPEND);
}

static long try_create(const char *path)
{
    return open(path, O_RDONLY | O_CREAT, 0600);
}

static long try_temporary(const char *path)
{
    return open(path, O_TMPFILE | O_RDWR, 0600);
}

static long try_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? fd : close(fd);
}

static long try_fork(const char *path)
{
    (void) path;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return pid < 0 ? pid : waitpid(pid, NULL, 0) - pid;
}

static void *nothing(void *arg)
{
    return arg;
}

static long try_thread(const char *path)
{
    (void) path;
    pthread_t thread;
    errno = pthread_create(&thread, NULL, nothing, NULL);
    return errno ? -1 : pthread_join(thread, NULL);
}

static long try_system(const char *path)
{
    (void) path;
    int status = system("true"); /* 127: the shell could not be started */
    errno = status == 0 ? 0 : errno;
    return status ? -1 : 0;
}

static long try_kill(const char *path)
{
    (void) path;
    return kill(getppid(), SIGTERM);
}

static long try_mount(const char *path)
{
    return mount("none", path, "tmpfs", 0, NULL);
}

static long try_bpf(const char *path)
{
    (void) path;
    return syscall(SYS_bpf, 0, NULL, 0);
}

static long try_io_uring(const char *path)
{
    char room[256] = {0};
    (void) path;
    return syscall(SYS_io_uring_setup, 4, room);
}

static long try_unlink(const char *path)
{
    return unlink(path);
}

static long try_chmod(const char *path)
{
    return chmod(path, 0777);
}

static long try_rename(const char *path)
{
    return rename(path, "/tmp/climb");
}

static long try_mkdir(const char *path)
{
    return mkdir(path, 0700);
}

static long try_truncate(const char *path)
{
    return truncate(path, 0);
}

/* The scoreboard: whoever reads it would be killed by the hole. */
static long try_shrink_board(const char *path)
{
    (void) path;
    return ftruncate(4, 0);
}

static long try_orphan(const char *path)
{
    (void) path;
    return prctl(PR_SET_PDEATHSIG, 0);
}

static long try_limit(const char *path)
{
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    (void) path;
    return setrlimit(RLIMIT_DATA, &all);
}

static long try_processors(const char *path)
{
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    (void) path;
    return sched_setaffinity(0, sizeof all, &all);
}

static long try_memfd(const char *path)
{
    (void) path;
    return memfd_create("climb", 0);
}

static long try_setuid(const char *path)
{
    (void) path;
    return setuid(1);
}

static long try_nothing(const char *path)
{
    (void) path;
    return 0;
}

static const struct {
    const char *name;
    long (*try)(const char *path);
} ways[] = {
    {"execve", try_execve},
    {"ptrace", try_ptrace},
    {"socket", try_socket},
    {"connect", try_connect},
    {"write", try_write},
    {"append", try_append},
    {"create", try_create},
    {"temporary", try_temporary},
    {"read", try_read},
    {"fork", try_fork},
    {"thread", try_thread},
    {"system", try_system},
    {"kill", try_kill},
    {"mount", try_mount},
    {"bpf", try_bpf},
    {"io_uring", try_io_uring},
    {"unlink", try_unlink},
    {"chmod", try_chmod},
    {"rename", try_rename},
    {"mkdir", try_mkdir},
    {"truncate", try_truncate},
    {"shrink_board", try_shrink_board},
    {"orphan", try_orphan},
    {"limit", try_limit},
    {"processors", try_processors},
    {"memfd", try_memfd},
    {"setuid", try_setuid},
    {"nothing", try_nothing},
};

/* The errno of the last attempt; -1: there is no such way. */
static int64_t attempt(const char *how, const char *path, int64_t times)
{
    int64_t found = -1;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        for (int64_t n = 0; n < times && strcmp(how, ways[i].name) == 0; n++) {
            errno = 0;
            found = ways[i].try(path) < 0 ? errno : 0;
        }
    }
    return found;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    out[0].i64 = attempt(args[HOW].text, args[PATH].text, args[TIMES].i64);
    out[0].present = 1;
    return out[0].i64 < 0
               ? call->host->fail(call, KILN_INVALID, "how", "how is %s, which is no way", args[HOW].text)
               : KILN_OK;
}

static const struct kiln_row options[] = {
    {.name = "at_start", .kind = KILN_STRING, .fallback = "\"nothing\"", .help = "What to try in init"},
};

static int init(struct kiln_call *call, void **ret_state)
{
    (void) ret_state;
    attempt(call->host->option(call, "at_start")->text, "/nowhere", 3);
    return KILN_OK;
}

static const struct kiln_golden goldens[] = {{.title = "behaves", .args = "{}", .result = "{\"errno\":0}"}};

static const struct kiln_function function = {KILN_FUNCTION_HEAD,
                                              .name = "climb",
                                              .summary = "Tries what it may not",
                                              .params = params,
                                              .n_params = KILN_COUNT(params),
                                              .results = results,
                                              .n_results = KILN_COUNT(results),
                                              .goldens = goldens,
                                              .n_goldens = KILN_COUNT(goldens),
                                              .run = run};
static const struct kiln_function *const functions[] = {&function};

const struct kiln_plugin kiln_plugin = {KILN_PLUGIN_HEAD,          .name = "climb",        .version = "0.1.0",
                                        .summary = "Climbs walls", .functions = functions, .n_functions = 1,
                                        .options = options,        .n_options = 1,         .init = init};
