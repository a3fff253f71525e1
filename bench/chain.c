/* SPDX-License-Identifier: MPL-2.0 */
/* The bare ZeroMQ chain that Kiln is measured against: what is left when nothing is queued, leased, checked or
 * computed.
 *
 *     chain proxy FRONT BACK [SECRET]    ROUTER <-> DEALER with zmq_proxy(); SECRET: its key file, both sides are CURVE
 *     chain worker BACK                  DEALER that sends every frame back; KILN_KEY, KILN_SERVER_KEY as kiln has them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "curve.h"

static void *open_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);
    int none = 0; /* no high-water mark: a lost message would hang the run */
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    return socket;
}

static int worker(void *context, const char *back)
{
    void *socket = open_socket(context, ZMQ_DEALER);
    struct curve_keys keys;
    struct err err;
    if (curve_client_keys(getenv("KILN_KEY"), getenv("KILN_SERVER_KEY"), "KILN_KEY", "KILN_SERVER_KEY", &keys,
                          &err) ||
        curve_use(socket, &keys) || zmq_connect(socket, back)) {
        return 1;
    }
    for (;;) {
        zmq_msg_t m;
        zmq_msg_init(&m);
        if (zmq_msg_recv(&m, socket, 0) < 0) {
            return 1;
        }
        int more = zmq_msg_more(&m);
        if (zmq_msg_send(&m, socket, more ? ZMQ_SNDMORE : 0) < 0) {
            return 1;
        }
    }
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();
    if (argc == 3 && strcmp(argv[1], "worker") == 0) {
        return worker(context, argv[2]);
    }
    if ((argc != 4 && argc != 5) || strcmp(argv[1], "proxy") != 0) {
        fprintf(stderr, "usage: chain proxy FRONT BACK [SECRET] | chain worker BACK\n");
        return 2;
    }
    void *front = open_socket(context, ZMQ_ROUTER), *back = open_socket(context, ZMQ_DEALER);
    struct curve_pair own;
    if (argc == 5 && (curve_read_secret(argv[4], &own, NULL) || curve_serve(front, own.secret_key) ||
                      curve_serve(back, own.secret_key))) {
        fprintf(stderr, "chain: %s is no key\n", argv[4]);
        return 1;
    }
    if (zmq_bind(front, argv[2]) || zmq_bind(back, argv[3])) {
        fprintf(stderr, "chain: %s\n", zmq_strerror(zmq_errno()));
        return 1;
    }
    return zmq_proxy(front, back, NULL);
}
