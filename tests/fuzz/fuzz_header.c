/* SPDX-License-Identifier: MPL-2.0 */
/* A whole message: its header decoded and asked for every kind of value, its payloads found. */
#include "fuzz.h"

#include "wire.h"

static void ask(const msgpack_object_map *m)
{
    static const char *const keys[] = {"op",    "fn",      "rid",   "id",   "jobs",  "ids",
                                       "sizes", "left_ms", "token", "solo", "limit", "seq"};
    struct err err;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        uint64_t number = 7;
        bool yes = false;
        const char *text = "";
        size_t text_bytes = 0;
        const msgpack_object_array *list = NULL;
        struct wire_id id = {0};
        char shown[64];
        HOLDS(header_uint(m, keys[i], 1, 1000, &number, &err) || (number >= 1 && number <= 1000));
        header_bool(m, keys[i], &yes, &err);
        HOLDS(header_text(m, keys[i], 64, &text, &text_bytes, &err) || text_bytes <= 64);
        HOLDS(header_list(m, keys[i], WIRE_JOBS, &list, &err) || !list || list->size <= WIRE_JOBS);
        HOLDS(header_id(m, keys[i], &id, &err) || id.size <= WIRE_ID_BYTES);
        const msgpack_object *o = header_get(m, keys[i]);
        HOLDS(!o || header_show(o, shown, sizeof shown) == shown);
    }
}

static void take(struct frames *f)
{
    static struct header h;
    struct payload *payloads = NULL;
    const msgpack_object_array *jobs = NULL;
    struct err err;
    if (header_decode(&h, &f->header, &err)) {
        HOLDS(err.text[0]);
        return;
    }
    ask(&h.map);
    if (header_list(&h.map, "jobs", WIRE_JOBS, &jobs, &err) == 0 && jobs &&
        frames_split(f, &h.map, jobs->size, &payloads, &err) == 0) {
        for (uint32_t i = 0; i < jobs->size; i++) {
            zmq_msg_t msg;
            HOLDS(payload_take(&payloads[i], &msg) == 0);
            zmq_msg_close(&msg);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static void *context, *here, *there;
    static struct frames f;
    if (!context) {
        context = zmq_ctx_new();
        here = zmq_socket(context, ZMQ_PAIR);
        there = zmq_socket(context, ZMQ_PAIR);
        HOLDS(zmq_bind(here, "inproc://x") == 0 && zmq_connect(there, "inproc://x") == 0);
    }
    for (size_t n = fuzz_send(there, data, bytes); n > 0; n--) {
        HOLDS(frames_recv(&f, here, false) == 1);
        take(&f);
    }
    return 0;
}
