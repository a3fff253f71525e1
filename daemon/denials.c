/* SPDX-License-Identifier: MPL-2.0 */
#include "denials.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <seccomp.h>

enum { AT_ONCE = 32 }; /* then others have their turn */

static bool count(struct denials *d, int call)
{
    d->n++;
    for (size_t i = 0; i < d->n_calls; i++) {
        if (d->calls[i].call == call) {
            d->calls[i].n++;
            return false;
        }
    }
    if (d->n_calls == DENIALS_CALLS) {
        return false;
    }
    d->calls[d->n_calls++] = (struct denial){call, 1};
    return true;
}

/* False when the asking thread is gone, or the listener of no use any more. */
static bool answer(struct denials *d, struct seccomp_notif *asked, struct seccomp_notif_resp *said,
                   size_t *new)
{
    memset(asked, 0, sizeof *asked); /* the kernel insists */
    if (seccomp_notify_receive(d->fd, asked)) {
        return false;
    }
    *new += count(d, asked->data.nr);
    *said = (struct seccomp_notif_resp){.id = asked->id, .error = -EPERM};
    return seccomp_notify_respond(d->fd, said) == 0;
}

size_t denials_take(struct denials *d)
{
    struct seccomp_notif *asked = NULL;
    struct seccomp_notif_resp *said = NULL;
    size_t new = 0;
    if (d->fd < 0 || seccomp_notify_alloc(&asked, &said)) {
        return 0;
    }
    for (int i = 0; i < AT_ONCE && d->n < DENIALS_MOST; i++) {
        struct pollfd p = {.fd = d->fd, .events = POLLIN};
        if (poll(&p, 1, 0) <= 0) {
            break;
        }
        if (!(p.revents & POLLIN)) { /* every thread behind the wall has ended */
            denials_done(d);
            break;
        }
        answer(d, asked, said, &new);
    }
    if (d->n >= DENIALS_MOST) {
        denials_done(d);
    }
    seccomp_notify_free(asked, said);
    return new;
}

void denials_done(struct denials *d)
{
    if (d->fd >= 0) {
        close(d->fd);
        d->fd = -1;
    }
}

const char *denials_name(int call, char out[DENIALS_NAME_BYTES])
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
    if (name) {
        snprintf(out, DENIALS_NAME_BYTES, "%s", name);
    } else {
        snprintf(out, DENIALS_NAME_BYTES, "call %d", call);
    }
    free(name);
    return out;
}
