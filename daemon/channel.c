/* SPDX-License-Identifier: MPL-2.0 */
#include "channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mem.h"

int channel_pair(int ret_ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends);
}

static bool send_message(int fd, const struct msghdr *m)
{
    ssize_t sent;
    do {
        sent = sendmsg(fd, m, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

static bool send_parts(int fd, struct iovec *parts, size_t n)
{
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = n};
    return send_message(fd, &m);
}

bool channel_send_order(int fd, const struct order *order, const void *options)
{
    struct iovec parts[2] = {{(void *) (uintptr_t) order, sizeof *order},
                             {(void *) (uintptr_t) options, order->options_bytes}};
    return send_parts(fd, parts, 2);
}

bool channel_recv_order(int fd, struct order *ret_order, void **ret_options)
{
    char *options = mem_alloc(CONFIG_OPTIONS_BYTES);
    struct iovec parts[2] = {{ret_order, sizeof *ret_order}, {options, CONFIG_OPTIONS_BYTES}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t got;
    do {
        poll(&p, 1, -1);
        got = recvmsg(fd, &m, 0);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < (ssize_t) sizeof *ret_order || ret_order->kind != CHANNEL_ORDER ||
        (size_t) got != sizeof *ret_order + ret_order->options_bytes) {
        mem_free(options);
        return false;
    }
    if (ret_order->options_bytes == 0) {
        mem_free(options);
        options = NULL;
    }
    *ret_options = options;
    return true;
}

bool channel_send(int fd, const struct note *note)
{
    struct iovec part = {(void *) (uintptr_t) note, sizeof *note};
    return send_parts(fd, &part, 1);
}

/* Room for one descriptor beside a packet. */
union beside {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
};

bool channel_send_fd(int fd, const struct note *note, int passed)
{
    union beside beside = {.room = {0}};
    struct iovec part = {(void *) (uintptr_t) note, sizeof *note};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.room, .msg_controllen = sizeof beside.room};
    beside.head = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof passed), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&beside.head), &passed, sizeof passed);
    return send_message(fd, &m);
}

static int passed_in(struct msghdr *m)
{
    int passed = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof passed)) {
        memcpy(&passed, CMSG_DATA(c), sizeof passed);
    }
    return passed;
}

int channel_recv_fd(int fd, struct note *ret_note, int *ret_passed)
{
    union beside beside;
    struct iovec part = {ret_note, sizeof *ret_note};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.room, .msg_controllen = sizeof beside.room};
    ssize_t got;
    do {
        got = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    *ret_passed = got >= 0 ? passed_in(&m) : -1;
    if (got < 0 && errno == EAGAIN) {
        return 0;
    }
    /* Anything else that is not a whole note, a reset included, is an end that cannot be talked to. */
    return got == (ssize_t) sizeof *ret_note && !(m.msg_flags & MSG_TRUNC) ? 1 : -1;
}

int channel_recv(int fd, struct note *ret_note)
{
    int passed = -1;
    int got = channel_recv_fd(fd, ret_note, &passed);
    if (passed >= 0) {
        close(passed); /* nobody asked for it */
    }
    return got;
}
