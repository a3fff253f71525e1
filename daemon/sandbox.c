/* SPDX-License-Identifier: MPL-2.0 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fence.h"
#include "log.h"
#include "oom.h"
#include "walls.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { STAND_BACK_NICE = 10 };

static int limit(int which, const char *name, rlim_t most, struct err *err)
{
    struct rlimit now;
    if (getrlimit(which, &now) == 0 && now.rlim_max < most) {
        most = now.rlim_max; /* whoever started us allows less: so be it */
    }
    struct rlimit wanted = {.rlim_cur = most, .rlim_max = most};
    if (setrlimit(which, &wanted) < 0) {
        return err_set(err, KILN_INTERNAL, name, "limit %s cannot be set to %llu: %s", name,
                       (unsigned long long) most, strerror(errno));
    }
    return 0;
}

static int stay_on(const uint8_t *cpus, size_t bytes, struct err *err)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (unsigned i = 0; i < bytes * 8 && i < CPU_SETSIZE; i++) {
        if (cpus[i / 8] >> (i % 8) & 1) {
            CPU_SET(i, &set);
        }
    }
    if (CPU_COUNT(&set) > 0 && sched_setaffinity(0, sizeof set, &set) < 0) {
        return err_set(err, KILN_INVALID, "cpus", "cpus name no processor that this process may use: %s",
                       strerror(errno));
    }
    return 0;
}

/* The kernel lets everybody lower a priority, but raise it again only those whose limit allows it (capabilities are gone). */
static bool may_return_to(int nice)
{
    struct rlimit most;
    return getrlimit(RLIMIT_NICE, &most) == 0 && (int64_t) most.rlim_cur >= 20 - nice;
}

void sandbox_stand_back(const struct order *order)
{
    int back = order->nice + STAND_BACK_NICE > 19 ? 19 : order->nice + STAND_BACK_NICE;
    if (may_return_to(order->nice)) {
        setpriority(PRIO_PROCESS, 0, back);
    }
}

void sandbox_step_forward(const struct order *order)
{
    if (getpriority(PRIO_PROCESS, 0) != order->nice) {
        setpriority(PRIO_PROCESS, 0, order->nice);
    }
}

/* A daemon that was started as root has workers that can do no more than files of root allow. */
static int drop_capabilities(struct err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* who may not has none to lose: nothing is ever executed */
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &head, none) == 0
               ? 0
               : err_set(err, KILN_INTERNAL, NULL, "capabilities cannot be dropped: %s", strerror(errno));
}

static int priority(const struct order *order, struct err *err)
{
    struct rlimit level = {.rlim_cur = (rlim_t) (20 - order->nice), .rlim_max = (rlim_t) (20 - order->nice)};
    if (order->nice && setpriority(PRIO_PROCESS, 0, order->nice) < 0) {
        return err_set(err, KILN_DENIED, "nice", "nice is %d, and the kernel does not permit it: %s",
                       order->nice, strerror(errno));
    }
    /* For coming back from standing back, while we still may; see may_return_to. */
    return setrlimit(RLIMIT_NICE, &level) == 0 || errno == EPERM
               ? 0
               : err_set(err, KILN_INTERNAL, "nice", "the limit of nice cannot be set: %s", strerror(errno));
}

static int limits(const struct order *order, struct err *err)
{
    int status = limit(RLIMIT_CORE, "core", 0, err);
    status = status ? status : limit(RLIMIT_NOFILE, "files", (rlim_t) order->limits.files, err);
    /* RLIMIT_DATA counts private writable memory, which is what a leak eats; RLIMIT_AS would also count the address
     * space that allocators and sanitizers only reserve. RLIMIT_FSIZE is left: standard error may be a file. */
    if (!status && !SANITIZED) {
        status = limit(RLIMIT_DATA, "memory_mb", (rlim_t) order->limits.memory_mb << 20, err);
    }
    return status;
}

/* What the kernel lacks is said, and done without: a worker with one wall less is better than none. */
static void missing(const char *what, const struct err *why)
{
    log_warning("sandbox_incomplete", "without=%s why=%s", what, log_quote(why->text));
}

int sandbox_enter(const struct order *order, struct err *err)
{
    /* Signals meant for the daemon reach its workers too (a terminal's, a service manager's); only the supervisor
     * decides when a worker leaves. */
    static const int ignored[] = {SIGTERM, SIGINT,  SIGHUP,  SIGQUIT, SIGPIPE,
                                  SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        signal(ignored[i], SIG_IGN);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != order->supervisor_pid) {
        _exit(0); /* it died before the line above: nobody is left to tell */
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return err_set(err, KILN_INTERNAL, NULL, "no_new_privs cannot be set: %s", strerror(errno));
    }
    oom_offer(OOM_WORKER);
    int status = stay_on(order->cpus, sizeof order->cpus, err);
    status = status ? status : priority(order, err);
    status = status ? status : limits(order, err);
    status = status ? status : drop_capabilities(err);
    struct err why;
    if (!status && order->sandbox && fence_raise(order->broker, &why)) {
        missing("landlock", &why);
    }
    return status;
}

struct errand {
    int (*run)(void *arg);
    void *arg;
    int result;
};

static void *go_out(void *arg)
{
    struct errand *e = arg;
    struct err why;
    if (walls_outer(&why)) {
        missing("seccomp", &why);
    }
    e->result = e->run(e->arg);
    return NULL;
}

int sandbox_outside(const struct order *order, int (*run)(void *arg), void *arg)
{
    struct errand e = {.run = run, .arg = arg};
    pthread_t thread;
    if (SANITIZED || !order->sandbox || pthread_create(&thread, NULL, go_out, &e)) {
        return run(arg);
    }
    pthread_join(thread, NULL);
    return e.result;
}

int sandbox_close(bool wanted)
{
    struct rlimit none = {0};
    struct err why;
    int listener = -1;
    if (SANITIZED) {
        err_set(&why, KILN_UNAVAILABLE, NULL, "a sanitizer needs calls that no plugin should make");
        missing("seccomp", &why);
    } else if (wanted) {
        setrlimit(RLIMIT_NPROC, &none); /* does not bind root, the walls do */
        if (walls_inner(&listener, &why)) {
            missing("seccomp", &why);
        }
    }
    return listener;
}
