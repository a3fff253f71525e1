/* SPDX-License-Identifier: MPL-2.0 */
/* What a broker may say to a worker, true or not. */
#include "fuzz.h"

#include "daemon/worker_link.h"
#include "log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static void *context, *here, *there;
    static struct buf pairs;
    struct worker_link l = {.beat_ns = 1, .max_bytes = 1000, .slots = 16};
    if (!context) {
        log_open("fuzz", (enum log_level) 4); /* none */
        context = zmq_ctx_new();
        here = zmq_socket(context, ZMQ_PAIR);
        there = zmq_socket(context, ZMQ_PAIR);
        HOLDS(zmq_bind(here, "inproc://x") == 0 && zmq_connect(there, "inproc://x") == 0);
        buf_put_text(&pairs, "role");
        buf_put_text(&pairs, "worker");
    }
    l.dealer.context = context;
    l.dealer.socket = here;
    snprintf(l.session, sizeof l.session, "s");
    kept_init(&l.kept);
    worker_link_hello(&l, &pairs, 1, NULL, 0);
    for (size_t n = fuzz_send(there, data, bytes); n > 0; n--) {
        if (worker_link_recv(&l) == LINK_JOBS) {
            for (size_t i = 0, held = (size_t) l.held; i < held; i++) {
                zmq_msg_t msg; /* as a worker does with each that it was given */
                HOLDS(payload_take(&l.payloads[i], &msg) == 0);
                struct done_job done = {.token = i, .status = KILN_OK, .batch = 1, .payload = &msg};
                worker_link_done(&l, &done, 1, NULL);
            }
        }
        fuzz_drain(there);
    }
    l.dealer = (struct dealer){0};
    worker_link_finish(&l, 0);
    fuzz_drain(here);
    fuzz_drain(there);
    return 0;
}
