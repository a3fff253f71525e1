/* SPDX-License-Identifier: MPL-2.0 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
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

/* A worker is the better victim than its supervisor. Raising one's own score is always permitted. */
static void offer_to_oom_killer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    char text[16] = "";
    int score = 0;
    if (fd < 0) {
        return;
    }
    if (read(fd, text, sizeof text - 1) > 0 && sscanf(text, "%d", &score) == 1) {
        int n = snprintf(text, sizeof text, "%d", score + 200 > 1000 ? 1000 : score + 200);
        if (pwrite(fd, text, (size_t) n, 0) < 0) {
            score = 0; /* the default order stands; not worth refusing to work */
        }
    }
    close(fd);
}

/* The kernel lets everybody lower a priority, but raise it again only those it trusts or whose limit allows it. */
static bool may_return_to(int nice)
{
    struct rlimit most;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[2] = {{0}};
    bool trusted = syscall(SYS_capget, &head, caps) == 0 && (caps[0].effective >> CAP_SYS_NICE & 1);
    return trusted || (getrlimit(RLIMIT_NICE, &most) == 0 && (int64_t) most.rlim_cur >= 20 - nice);
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

int sandbox_enter(const struct order *order, struct err *err)
{
    /* Signals meant for the daemon reach its workers too (a terminal's, a service manager's); only the supervisor
     * decides when a worker leaves. */
    static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
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
    offer_to_oom_killer();
    if (order->nice && setpriority(PRIO_PROCESS, 0, order->nice) < 0) {
        return err_set(err, KILN_DENIED, "nice", "nice is %d, and the kernel does not permit it: %s",
                       order->nice, strerror(errno));
    }
    int status = stay_on(order->cpus, sizeof order->cpus, err);
    status = status ? status : limit(RLIMIT_CORE, "core", 0, err);
    status = status ? status : limit(RLIMIT_NOFILE, "files", (rlim_t) order->limits.files, err);
    /* RLIMIT_DATA counts private writable memory, which is what a leak eats; RLIMIT_AS would also count the address
     * space that allocators and sanitizers only reserve. */
    if (!status && !SANITIZED) {
        status = limit(RLIMIT_DATA, "memory_mb", (rlim_t) order->limits.memory_mb << 20, err);
    }
    return status;
}
