/* SPDX-License-Identifier: MPL-2.0 */
#include "fence.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's words of today; headers of a distribution are older than the kernels it runs on. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

struct ruleset {
    uint64_t fs, net, scoped; /* what is handled, and so refused where no rule allows it */
};

struct __attribute__((packed)) port_rule {
    uint64_t allowed, port;
};

enum { VERSION_FLAG = 1, RULE_PORT = 2, BIND_TCP = 1, CONNECT_TCP = 2, SCOPE_ABSTRACT = 1, SCOPE_SIGNAL = 2 };

/* Rights on files by the version that brought them: execute (0), write (1), remove and make of all kinds (4 to 12);
 * move (13); truncate (14); ioctl on devices (15). Without reading of files (2) and folders (3). */
static uint64_t file_rights(long version)
{
    uint64_t rights = 0x1ff3;
    rights |= version >= 2 ? UINT64_C(1) << 13 : 0;
    rights |= version >= 3 ? UINT64_C(1) << 14 : 0;
    rights |= version >= 5 ? UINT64_C(1) << 15 : 0;
    return rights;
}

static struct ruleset rules_for(long version, const char *broker)
{
    bool abstract =
        strncmp(broker, "ipc://@", 7) == 0; /* its broker is outside, so the scope cannot be closed */
    struct ruleset r = {.fs = file_rights(version)};
    if (version >= 4) {
        r.net = BIND_TCP | CONNECT_TCP;
    }
    if (version >= 6) {
        r.scoped = SCOPE_SIGNAL | (abstract ? 0 : SCOPE_ABSTRACT);
    }
    return r;
}

/* Older kernels want to hear of fewer members. */
static size_t size_for(long version)
{
    return version >= 6 ? sizeof(struct ruleset) : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static bool allow_broker(int fd, const char *broker)
{
    const char *colon = strrchr(broker, ':');
    if (strncmp(broker, "tcp://", 6) != 0 || !colon) {
        return true;
    }
    struct port_rule rule = {.allowed = CONNECT_TCP, .port = strtoul(colon + 1, NULL, 10)};
    return syscall(SYS_landlock_add_rule, fd, RULE_PORT, &rule, 0) == 0;
}

int fence_raise(const char *broker, struct err *err)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);
    if (version < 1) {
        return err_set(err, KILN_UNAVAILABLE, "sandbox", "this kernel has no Landlock: %s", strerror(errno));
    }
    struct ruleset rules = rules_for(version, broker);
    int fd = (int) syscall(SYS_landlock_create_ruleset, &rules, size_for(version), 0);
    if (fd < 0 || (rules.net && !allow_broker(fd, broker)) ||
        syscall(SYS_landlock_restrict_self, fd, 0) < 0) {
        err_set(err, KILN_UNAVAILABLE, "sandbox", "Landlock refuses: %s", strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return KILN_UNAVAILABLE;
    }
    close(fd);
    return 0;
}
