/* SPDX-License-Identifier: MPL-2.0 */
/* What workers, nodes and producers may say to a broker, true or not. The first byte says which socket takes the messages that follow, until
 * a message of no bytes; then the other one's turn comes. */
#include "fuzz.h"

#include "tests/unit/fake_broker.h"

/* One side's messages, up to an empty one. Returns how many bytes of the input they were. */
static size_t turn(struct fake *f, void *socket, const uint8_t *data, size_t bytes)
{
    size_t n = 0;
    while (n + 2 <= bytes && (data[n] || data[n + 1])) {
        size_t next = n + 2 + ((size_t) (data[n] & 0x7f) << 8 | data[n + 1]);
        n = next < bytes ? next : bytes;
    }
    fake_said = f->b.counters.messages_in + f->b.counters.worker_messages_in;
    fake_said += fuzz_send(socket, data, n);
    fake_turn(f);
    return n + 2 < bytes ? n + 2 : bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fake f;
    if (bytes < 1) {
        return 0;
    }
    fake_open(&f);
    log_open("fuzz", (enum log_level) 4); /* none */
    struct peer ends[2] = {peer_open(f.front), peer_open(f.back)};
    int side = data[0] & 1;
    for (size_t at = 1; at < bytes; side = !side) {
        at += turn(&f, ends[side].socket, data + at, bytes - at);
        fuzz_drain(ends[0].socket);
        fuzz_drain(ends[1].socket);
    }
    later(&f, 3600000);
    peer_close(&ends[0]);
    peer_close(&ends[1]);
    fake_close(&f);
    return 0;
}
