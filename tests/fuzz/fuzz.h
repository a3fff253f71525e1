/* SPDX-License-Identifier: MPL-2.0 */
/* What fuzz targets have in common. A target is one file fuzz_NAME.c with LLVMFuzzerTestOneInput and, in corpus/NAME, a few inputs to
 * begin with; nothing else knows its name. It sees lib, broker, daemon and cli. `make fuzz T=60` runs each for a minute. */
#ifndef FUZZ_H
#define FUZZ_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zmq.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* What must hold, or the input is a find. */
#define HOLDS(x) ((x) ? (void) 0 : abort())

/* The input as a file, the same one each time. */
__attribute__((unused)) static const char *fuzz_file(const uint8_t *data, size_t bytes)
{
    static char path[64];
    static int fd = -1;
    if (fd < 0) {
        snprintf(path, sizeof path, "/tmp/kiln-fuzz-XXXXXX");
        fd = mkstemp(path);
        HOLDS(fd >= 0);
    }
    HOLDS(ftruncate(fd, 0) == 0 && pwrite(fd, data, bytes, 0) == (ssize_t) bytes);
    return path;
}

/* The input as messages: each frame has its length before it, in two bytes whose highest bit says "and one more". Returns how
 * many messages were sent. */
__attribute__((unused)) static size_t fuzz_send(void *socket, const uint8_t *data, size_t bytes)
{
    size_t sent = 0;
    while (bytes >= 2) {
        size_t n = (size_t) (data[0] & 0x7f) << 8 | data[1];
        n = n < bytes - 2 ? n : bytes - 2;
        int more = data[0] & 0x80 && bytes - 2 - n >= 2 ? ZMQ_SNDMORE : 0;
        HOLDS(zmq_send(socket, data + 2, n, more) == (int) n);
        sent += !more;
        data += 2 + n;
        bytes -= 2 + n;
    }
    return sent;
}

/* Takes and forgets all that came. */
__attribute__((unused)) static void fuzz_drain(void *socket)
{
    char frame[64];
    while (zmq_recv(socket, frame, sizeof frame, ZMQ_DONTWAIT) >= 0) {
    }
}

#endif
