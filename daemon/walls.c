/* SPDX-License-Identifier: MPL-2.0 */
#include "walls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

#include "channel.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* What a call may not ask for when it opens a file: O_TMPFILE without the bit it shares with O_DIRECTORY. */
enum { WRITING = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY) };

enum { ANY = 0 }; /* of its arguments */

struct rule {
    int call;
    unsigned n; /* how many of the comparisons count */
    struct scmp_arg_cmp args[2];
};

#define IS(arg, value)      SCMP_CMP64(arg, SCMP_CMP_EQ, (scmp_datum_t) (value))
#define HAS_NONE(arg, mask) SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, (scmp_datum_t) (mask), 0)
#define HAS(arg, mask)      SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, (scmp_datum_t) (mask), (scmp_datum_t) (mask))
#define CALL(name)          SCMP_SYS(name), ANY

/* What every thread may. */
static const struct rule common[] = {
    /* memory */
    {CALL(brk)},
    {CALL(mmap)},
    {CALL(munmap)},
    {CALL(mprotect)},
    {CALL(mremap)},
    {CALL(madvise)},
    {CALL(mincore)},
    /* files, for reading; and descriptors that are open */
    {SCMP_SYS(open), 1, {HAS_NONE(1, WRITING)}},
    {SCMP_SYS(openat), 1, {HAS_NONE(2, WRITING)}},
    {CALL(read)},
    {CALL(readv)},
    {CALL(pread64)},
    {CALL(preadv)},
    {CALL(preadv2)},
    {CALL(write)},
    {CALL(writev)},
    {CALL(pwritev2)},
    {CALL(lseek)},
    {CALL(close)},
    {CALL(dup)},
    {CALL(fstat)},
    {CALL(stat)},
    {CALL(lstat)},
    {CALL(newfstatat)},
    {CALL(statx)},
    {CALL(statfs)},
    {CALL(fstatfs)},
    {CALL(access)},
    {CALL(faccessat)},
    {CALL(faccessat2)},
    {CALL(readlink)},
    {CALL(readlinkat)},
    {CALL(getdents64)},
    {CALL(getcwd)},
    {CALL(fadvise64)},
    {CALL(readahead)},
    {SCMP_SYS(fcntl), 1, {IS(1, F_GETFD)}},
    {SCMP_SYS(fcntl), 1, {IS(1, F_SETFD)}},
    {SCMP_SYS(fcntl), 1, {IS(1, F_GETFL)}},
    {SCMP_SYS(fcntl), 2, {IS(1, F_SETFL), HAS_NONE(2, O_ASYNC)}},
    {SCMP_SYS(fcntl), 1, {IS(1, F_DUPFD)}},
    {SCMP_SYS(fcntl), 1, {IS(1, F_DUPFD_CLOEXEC)}},
    {SCMP_SYS(ioctl), 1, {IS(1, TCGETS)}}, /* stdio asks whether a file is a terminal */
    {SCMP_SYS(ioctl), 1, {IS(1, FIONREAD)}},
    /* waiting and time */
    {CALL(poll)},
    {CALL(ppoll)},
    {CALL(select)},
    {CALL(pselect6)},
    {CALL(epoll_create1)},
    {CALL(epoll_ctl)},
    {CALL(epoll_wait)},
    {CALL(epoll_pwait)},
    {CALL(eventfd2)},
    {CALL(timerfd_create)},
    {CALL(timerfd_settime)},
    {CALL(timerfd_gettime)},
    {CALL(futex)},
    {CALL(nanosleep)},
    {CALL(clock_nanosleep)},
    {CALL(restart_syscall)},
    {CALL(sched_yield)},
    {CALL(clock_gettime)},
    {CALL(clock_getres)},
    {CALL(gettimeofday)},
    {CALL(time)},
    {CALL(times)},
    /* who and where it is */
    {CALL(getpid)},
    {CALL(getppid)},
    {CALL(gettid)},
    {CALL(getuid)},
    {CALL(geteuid)},
    {CALL(getgid)},
    {CALL(getegid)},
    {CALL(capget)},
    {CALL(uname)},
    {CALL(sysinfo)},
    {CALL(getcpu)},
    {CALL(getrusage)},
    {CALL(getrlimit)},
    {SCMP_SYS(prlimit64), 2, {IS(0, 0), IS(2, 0)}}, /* asks, does not set */
    {CALL(getpriority)},
    {CALL(sched_getaffinity)},
    {CALL(sched_getparam)},
    {CALL(sched_getscheduler)},
    {CALL(getrandom)},
    /* itself */
    {CALL(rt_sigaction)},
    {CALL(rt_sigprocmask)},
    {CALL(rt_sigreturn)},
    {CALL(sigaltstack)},
    {CALL(set_robust_list)},
    {CALL(set_tid_address)},
    {CALL(rseq)},
    {CALL(membarrier)},
    {CALL(arch_prctl)},
    {SCMP_SYS(prctl), 1, {IS(0, PR_SET_NAME)}},
    {SCMP_SYS(prctl), 1, {IS(0, PR_GET_NAME)}},
    {SCMP_SYS(prctl), 1, {IS(0, PR_SET_VMA)}},
    {CALL(exit)},
    {CALL(exit_group)},
};

/* The thread of plugin code: also speaks with its supervisor, changes its own priority (for a worse one, or as its limit
 * allows) and watches files. */
static const struct rule inner[] = {
    {SCMP_SYS(sendmsg), 1, {IS(0, CHANNEL_FD)}},
    {SCMP_SYS(recvmsg), 1, {IS(0, CHANNEL_FD)}},
    {SCMP_SYS(recvfrom), 1, {IS(0, CHANNEL_FD)}},
    {SCMP_SYS(setpriority), 2, {IS(0, PRIO_PROCESS), IS(1, 0)}},
    {CALL(inotify_init1)},
    {CALL(inotify_add_watch)},
    {CALL(inotify_rm_watch)},
};

/* libzmq's: connections, the resolver's among them; and the thread that starts libzmq starts its threads. */
static const struct rule outer[] = {
    {SCMP_SYS(socket), 1, {IS(0, AF_UNIX)}},
    {SCMP_SYS(socket), 1, {IS(0, AF_INET)}},
    {SCMP_SYS(socket), 1, {IS(0, AF_INET6)}},
    {SCMP_SYS(socket), 1, {IS(0, AF_NETLINK)}},
    {CALL(connect)},
    {CALL(bind)},
    {CALL(shutdown)},
    {CALL(getsockopt)},
    {CALL(setsockopt)},
    {CALL(getsockname)},
    {CALL(getpeername)},
    {CALL(sendto)},
    {CALL(sendmsg)},
    {CALL(sendmmsg)},
    {CALL(recvfrom)},
    {CALL(recvmsg)},
    {CALL(recvmmsg)},
    {SCMP_SYS(ioctl), 1, {IS(1, FIONBIO)}},
    {SCMP_SYS(clone), 1, {HAS(0, CLONE_THREAD)}},
    {SCMP_SYS(sched_setscheduler), 1, {IS(1, SCHED_OTHER)}},
};

/* A call this architecture does not have (-EDOM) needs no rule. */
static int add(scmp_filter_ctx filter, uint32_t action, int call, unsigned n, const struct scmp_arg_cmp *args)
{
    int failed = seccomp_rule_add_array(filter, action, call, n, args);
    return failed == -EDOM ? 0 : failed;
}

static int add_all(scmp_filter_ctx filter, const struct rule *rules, size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < n && !failed; i++) {
        failed = add(filter, SCMP_ACT_ALLOW, rules[i].call, rules[i].n, rules[i].args);
    }
    return failed;
}

/* abort() and raise() */
static int add_own_signals(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp own[] = {IS(0, getpid())};
    int failed = add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, own);
    return failed ? failed : add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, own);
}

/* 0, or a negative errno. */
static int load(uint32_t otherwise, const struct rule *rules, size_t n, int *ret_listener)
{
    scmp_filter_ctx filter = seccomp_init(otherwise);
    if (!filter) {
        return -ENOMEM;
    }
    /* Calls of another architecture's table; rules as a tree; and no penalty on speculation: what a filter guards by
     * default against is code that spies on secrets of its own process, and here there are none. */
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
    failed = failed ? failed : seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    failed = failed ? failed : seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    failed = failed ? failed : add_all(filter, common, sizeof common / sizeof *common);
    failed = failed ? failed : add_all(filter, rules, n);
    failed = failed ? failed : add_own_signals(filter);
    /* Its flags lie in memory, where no filter can look: the C library then uses clone. */
    failed = failed ? failed : add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
    failed = failed ? failed : seccomp_load(filter);
    if (!failed && ret_listener) {
        *ret_listener = seccomp_notify_fd(filter);
    }
    seccomp_release(filter);
    return failed;
}

static int explain(int failed, struct err *err)
{
    return failed ? err_set(err, KILN_UNAVAILABLE, "sandbox", "this kernel cannot filter system calls: %s",
                            strerror(-failed))
                  : 0;
}

int walls_inner(int *ret_listener, struct err *err)
{
    int listener = -1;
    int failed = load(SCMP_ACT_NOTIFY, inner, sizeof inner / sizeof *inner, &listener);
    if (failed) { /* no listener to be had: refuse without counting */
        listener = -1;
        failed = load(SCMP_ACT_ERRNO(EPERM), inner, sizeof inner / sizeof *inner, NULL);
    }
    if (!failed) {
        *ret_listener = listener;
    }
    return explain(failed, err);
}

int walls_outer(struct err *err)
{
    return explain(load(SCMP_ACT_ERRNO(EPERM), outer, sizeof outer / sizeof *outer, NULL), err);
}
