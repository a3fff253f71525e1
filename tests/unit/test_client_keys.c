/* SPDX-License-Identifier: MPL-2.0 */
/* The client against a door that judges keys: refused at once and with a reason, and let in by the same client later. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <kiln/client.h>

#include "curve.h"
#include "folder.h"
#include "wire.h"

/* A broker of a few lines: CURVE, one list of keys that is everybody or nobody, and an answer to ping. */
struct door {
    void *context, *front, *zap;
    char endpoint[64];
    struct folder folder;
    struct curve_pair own;
    pthread_t thread;
    atomic_bool trusting, over;
    atomic_uint refused;
};

static void judge(struct door *d, struct frames *f)
{
    bool in = atomic_load(&d->trusting);
    atomic_fetch_add(&d->refused, !in);
    frame_send(d->zap, "1.0", 3, ZMQ_SNDMORE);
    frame_send(d->zap, zmq_msg_data(&f->payloads[0]), zmq_msg_size(&f->payloads[0]), ZMQ_SNDMORE);
    frame_send(d->zap, in ? "200" : "400", 3, ZMQ_SNDMORE);
    frame_send(d->zap, "", 0, ZMQ_SNDMORE);
    frame_send(d->zap, "who", 3, ZMQ_SNDMORE);
    frame_send(d->zap, "", 0, 0);
}

static void answer(struct door *d, struct frames *f, struct header *h)
{
    struct wire_id rid = {0};
    struct buf out = {0};
    if (header_decode(h, &f->header, NULL) == 0 && header_id(&h->map, "rid", &rid, NULL) == 0 && rid.size) {
        buf_put_map(&out, 2);
        buf_put_str_const(&out, "op");
        buf_put_str_const(&out, "pong");
        buf_put_str_const(&out, "rid");
        buf_id(&out, &rid);
        frame_send(d->front, zmq_msg_data(&f->route), zmq_msg_size(&f->route), ZMQ_SNDMORE);
        frame_send(d->front, out.data, out.bytes, 0);
    }
    buf_done(&out);
}

static void *serve(void *arg)
{
    struct door *d = arg;
    struct frames f = {0};
    struct header h = {0};
    zmq_pollitem_t items[] = {{.socket = d->zap, .events = ZMQ_POLLIN},
                              {.socket = d->front, .events = ZMQ_POLLIN}};
    while (!atomic_load(&d->over)) {
        zmq_poll(items, 2, 20);
        while (frames_recv(&f, d->zap, false) == 1) {
            judge(d, &f);
        }
        while (frames_recv(&f, d->front, true) == 1) {
            answer(d, &f, &h);
        }
    }
    frames_done(&f);
    header_done(&h);
    return NULL;
}

static int open_door(void **state)
{
    static struct door d;
    int none = 0;
    size_t n = sizeof d.endpoint;
    d = (struct door){.context = zmq_ctx_new(), .folder = folder_new()};
    d.zap = zmq_socket(d.context, ZMQ_REP);
    d.front = zmq_socket(d.context, ZMQ_ROUTER);
    zmq_setsockopt(d.zap, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(d.front, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_bind(d.zap, "inproc://zeromq.zap.01"), 0);
    assert_int_equal(curve_make(&d.own, NULL), 0);
    assert_int_equal(curve_serve(d.front, d.own.secret_key), 0);
    assert_int_equal(zmq_bind(d.front, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(d.front, ZMQ_LAST_ENDPOINT, d.endpoint, &n), 0);
    assert_int_equal(pthread_create(&d.thread, NULL, serve, &d), 0);
    *state = &d;
    return 0;
}

static int close_door(void **state)
{
    struct door *d = *state;
    atomic_store(&d->over, true);
    pthread_join(d->thread, NULL);
    zmq_close(d->front);
    zmq_close(d->zap);
    zmq_ctx_term(d->context);
    folder_remove(&d->folder);
    return 0;
}

static struct kiln_client *open_client(struct door *d, const char *server_key, int64_t connect_ms)
{
    struct curve_pair mine;
    struct kiln_client *client = NULL;
    struct kiln_error why;
    const struct kiln_client_options options = {.connect_ms = connect_ms, .answer_ms = 60000};
    assert_int_equal(curve_make(&mine, NULL), 0);
    assert_int_equal(curve_write(folder_at(&d->folder, "mine"), "producer", &mine, NULL), 0);
    const struct kiln_client_keys keys = {.key_file = folder_at(&d->folder, "mine.key_secret"),
                                          .server_key = server_key};
    assert_int_equal(kiln_client_open_with_keys(d->endpoint, &options, &keys, &client, &why), KILN_OK);
    return client;
}

static void refused_at_once_and_let_in_later(void **state)
{
    struct door *d = *state;
    struct kiln_client *client = open_client(d, d->own.public_key, 3600000);
    struct kiln_answer *answer = NULL;
    struct kiln_error why;
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(kiln_client_ping(client, &answer, &why), KILN_DENIED);
        assert_non_null(strstr(why.text, "refused this key"));
        assert_true(atomic_load(&d->refused) >= i); /* each asked anew */
    }
    atomic_store(&d->trusting, true);
    int status = kiln_client_ping(client, &answer, &why);
    if (status == KILN_DENIED) { /* the knock after the last refusal was still judged by the old list */
        status = kiln_client_ping(client, &answer, &why);
    }
    assert_int_equal(status, KILN_OK);
    kiln_client_answer_free(&answer);
    kiln_client_close(&client);
}

static void a_wrong_server_key_has_a_reason(void **state)
{
    struct door *d = *state;
    struct curve_pair other;
    struct kiln_answer *answer = NULL;
    struct kiln_error why;
    atomic_store(&d->trusting, true);
    assert_int_equal(curve_make(&other, NULL), 0);
    struct kiln_client *client = open_client(d, other.public_key, 1500);
    assert_int_equal(kiln_client_ping(client, &answer, &why), KILN_UNAVAILABLE);
    assert_non_null(strstr(why.text, "its key is not the server key given"));
    assert_int_equal(atomic_load(&d->refused), 0);
    kiln_client_close(&client);
}

static void without_keys_it_is_told_to_have_one(void **state)
{
    struct door *d = *state;
    struct kiln_client *client = NULL;
    struct kiln_answer *answer = NULL;
    struct kiln_error why;
    const struct kiln_client_options options = {.connect_ms = 1500};
    assert_int_equal(kiln_client_open(d->endpoint, &options, &client, &why), KILN_OK);
    /* Whether its mechanism arrives before it hangs up is a race of libzmq's. */
    int status = kiln_client_ping(client, &answer, &why);
    assert_true(status == KILN_DENIED || status == KILN_UNAVAILABLE);
    assert_non_null(
        strstr(why.text, status == KILN_DENIED ? "wants a key, and none is given" : "it may want a key"));
    kiln_client_close(&client);
}

static void wrong_files_are_said(void **state)
{
    struct door *d = *state;
    struct kiln_client *client = NULL;
    struct kiln_error why;
    struct kiln_client_keys keys = {.key_file = "/nonexistent", .server_key = d->own.public_key};
    assert_int_equal(kiln_client_open_with_keys(d->endpoint, NULL, &keys, &client, &why), KILN_INVALID);
    assert_non_null(strstr(why.text, "key_file: /nonexistent: cannot be read"));
    keys = (struct kiln_client_keys){.server_key = d->own.public_key};
    assert_int_equal(kiln_client_open_with_keys(d->endpoint, NULL, &keys, &client, &why), KILN_INVALID);
    assert_string_equal(why.field, "key_file");
    assert_null(client);
    /* By ipc there are no keys, and nobody looks at them. */
    assert_int_equal(kiln_client_open_with_keys("ipc:///tmp/kiln-test-none", NULL, &keys, &client, &why),
                     KILN_OK);
    kiln_client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused_at_once_and_let_in_later, open_door, close_door),
        cmocka_unit_test_setup_teardown(a_wrong_server_key_has_a_reason, open_door, close_door),
        cmocka_unit_test_setup_teardown(without_keys_it_is_told_to_have_one, open_door, close_door),
        cmocka_unit_test_setup_teardown(wrong_files_are_said, open_door, close_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
