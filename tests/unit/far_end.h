/* SPDX-License-Identifier: MPL-2.0 */
/* far_end - for tests: the broker's end of a worker's or node's connection, which speaks and hears JSON.
 *
 *     struct far_end f;  far_open(&f);  ... connect to f.endpoint ...
 *     far_hear(&f)                      the next message as JSON text, "[...] n" with the number of its payloads; waits for it
 *     far_say(&f, "{...}", n)           to whoever spoke last, with n payloads {"v":1}
 *     far_close(&f) */
#ifndef FAR_END_H
#define FAR_END_H

#include "folder.h"
#include "pack.h"

#include "wire.h"

struct far_end {
    struct folder folder;
    char endpoint[128];
    void *context, *socket;
    zmq_msg_t route;
    struct frames in;
};

__attribute__((unused)) static void far_listen(struct far_end *f)
{
    f->context = zmq_ctx_new();
    f->socket = zmq_socket(f->context, ZMQ_ROUTER);
    int zero = 0;
    zmq_setsockopt(f->socket, ZMQ_LINGER, &zero, sizeof zero);
    assert_int_equal(zmq_bind(f->socket, f->endpoint), 0);
}

__attribute__((unused)) static void far_open(struct far_end *f)
{
    *f = (struct far_end){.folder = folder_new()};
    snprintf(f->endpoint, sizeof f->endpoint, "ipc://%s/s", f->folder.path);
    zmq_msg_init(&f->route);
    far_listen(f);
}

/* The broker dies; far_listen is its next life. */
__attribute__((unused)) static void far_die(struct far_end *f)
{
    frames_done(&f->in);
    zmq_close(f->socket);
    zmq_ctx_term(f->context);
}

__attribute__((unused)) static void far_close(struct far_end *f)
{
    far_die(f);
    zmq_msg_close(&f->route);
    folder_remove(&f->folder);
}

__attribute__((unused)) static const char *far_hear(struct far_end *f)
{
    static char text[9000];
    zmq_pollitem_t item = {.socket = f->socket, .events = ZMQ_POLLIN};
    for (int tries = 0; frames_recv(&f->in, f->socket, true) != 1; tries++) {
        assert_true(tries < 100);
        zmq_poll(&item, 1, 100);
    }
    zmq_msg_copy(&f->route, &f->in.route);
    snprintf(text, sizeof text, "%s %zu", unpack(zmq_msg_data(&f->in.header), zmq_msg_size(&f->in.header)),
             f->in.n_payloads);
    return text;
}

/* Nothing is there, and nothing was on its way: both ends are in this process. */
__attribute__((unused)) static bool far_silent(struct far_end *f)
{
    zmq_pollitem_t item = {.socket = f->socket, .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, 30) == 0;
}

__attribute__((unused)) static void far_say(struct far_end *f, const char *json, size_t payloads)
{
    struct buf b = pack(json);
    zmq_msg_t to;
    zmq_msg_init(&to);
    zmq_msg_copy(&to, &f->route);
    assert_int_equal(frame_send_msg(f->socket, &to, ZMQ_SNDMORE), 0);
    assert_int_equal(frame_send(f->socket, b.data, b.bytes, payloads ? ZMQ_SNDMORE : 0), 0);
    for (size_t i = 0; i < payloads; i++) {
        assert_int_equal(frame_send(f->socket, "\x81\xa1v\x01", 4, i + 1 < payloads ? ZMQ_SNDMORE : 0), 0);
    }
    buf_done(&b);
}

/* The same, with the payloads packed into one frame. */
__attribute__((unused)) static void far_pack(struct far_end *f, const char *json, size_t payloads)
{
    struct buf b = pack(json), p = {0};
    zmq_msg_t to;
    zmq_msg_init(&to);
    zmq_msg_copy(&to, &f->route);
    for (size_t i = 0; i < payloads; i++) {
        buf_put_raw(&p, "\x81\xa1v\x01", 4);
    }
    assert_int_equal(frame_send_msg(f->socket, &to, ZMQ_SNDMORE), 0);
    assert_int_equal(frame_send(f->socket, b.data, b.bytes, ZMQ_SNDMORE), 0);
    assert_int_equal(frame_send(f->socket, p.data, p.bytes, 0), 0);
    buf_done(&b);
    buf_done(&p);
}

#define assert_says(text, part)                                                                              \
    do {                                                                                                     \
        const char *said_ = (text);                                                                          \
        if (!strstr(said_, (part))) {                                                                        \
            fail_msg("%s does not hold %s", said_, (part));                                                  \
        }                                                                                                    \
    } while (0)

#endif
