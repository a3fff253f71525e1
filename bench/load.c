/* SPDX-License-Identifier: MPL-2.0 */
/* One producer, 200 bytes there and back, every answer checked.
 *
 *     load ENDPOINT chain|kiln lat JOBS            one outstanding: p50 p99 in us
 *     load ENDPOINT chain|kiln tput JOBS WINDOW K  at most WINDOW outstanding, K jobs in a message: jobs/s
 *     load ENDPOINT kiln-fn FN JSON JOBS           one outstanding call of any function: p50 p99 in us
 *
 * KILN_KEY and KILN_SERVER_KEY as kiln has them. Prints one JSON object. `chain` sends the 200 bytes alone, through bench/chain; `kiln` sends calls of echo.echo. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "curve.h"
#include "json.h"
#include "wire.h"

enum { BYTES = 200, WARM = 2000 };

static void *sock;
static bool kiln;
static uint64_t sent, got;
static struct frames frames;
static struct header header;
static struct buf out;
static uint8_t *seen;

static void die(const char *why)
{
    fprintf(stderr, "load: %s\n", why);
    exit(1);
}

static void put_frame(const void *data, size_t bytes, int flags)
{
    if (zmq_send(sock, data, bytes, flags) < 0) {
        die(zmq_strerror(zmq_errno()));
    }
}

/* The payload of job `seq`: its number and a letter that follows from it; for Kiln inside {"data": bin}. */
static size_t fill(uint8_t to[BYTES + 16], uint64_t seq)
{
    size_t at = 0;
    if (kiln) {
        static const uint8_t head[] = {0x81, 0xa4, 'd', 'a', 't', 'a', 0xc4, BYTES};
        memcpy(to, head, sizeof head);
        at = sizeof head;
    }
    memcpy(to + at, &seq, sizeof seq);
    memset(to + at + sizeof seq, 'A' + (int) (seq % 26), BYTES - sizeof seq);
    return at + BYTES;
}

static void check(const uint8_t *data, size_t bytes)
{
    uint8_t want[BYTES + 16];
    uint64_t seq;
    size_t head = kiln ? 8 : 0;
    if (bytes != head + BYTES) {
        die("an answer of the wrong size");
    }
    memcpy(&seq, data + head, sizeof seq);
    if (fill(want, seq) != bytes || memcmp(want, data, bytes) != 0 || seq >= sent || seen[seq]++) {
        die("an answer that is damaged, unknown or repeated");
    }
    got++;
}

/* Several jobs travel packed: one frame of payloads, their sizes in the header. */
static void send_jobs(uint64_t n)
{
    static uint8_t pack[WIRE_JOBS * (BYTES + 16)];
    size_t bytes = 0;
    for (uint64_t i = 0; i < n; i++) {
        bytes += fill(pack + bytes, sent++);
    }
    if (kiln) {
        buf_clear(&out);
        buf_put_map(&out, n == 1 ? 2 : 4);
        buf_put_str_const(&out, "op");
        buf_put_str_const(&out, "call");
        buf_put_str_const(&out, "fn");
        buf_put_str_const(&out, "echo.echo");
        if (n > 1) {
            buf_put_str_const(&out, "jobs");
            buf_put_list(&out, n);
            for (uint64_t i = 0; i < n; i++) {
                buf_put_map(&out, 0);
            }
            buf_put_str_const(&out, "sizes");
            buf_put_list(&out, n);
            for (uint64_t i = 0; i < n; i++) {
                buf_put_u64(&out, bytes / n);
            }
        }
        put_frame(out.data, out.bytes, ZMQ_SNDMORE);
    }
    put_frame(pack, bytes, 0);
}

/* absent is good where the message around has said it */
static void check_status(const msgpack_object_map *map, bool may_be_absent)
{
    const char *status = NULL;
    size_t bytes = 0;
    if (header_text(map, "status", 40, &status, &bytes, NULL) || (!status && !may_be_absent) ||
        (status && !text_is(status, bytes, "ok"))) {
        fprintf(stderr, "load: status %.*s\n", (int) bytes, status ? status : "");
        die("a call failed");
    }
}

/* Takes one message of answers; false when none is there and wait is false. */
static bool take(bool wait)
{
    int r = frames_recv(&frames, sock, false);
    while (r == 0 && wait) {
        zmq_pollitem_t item = {.socket = sock, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, 20000) == 0) {
            die("no answer within 20 s");
        }
        r = frames_recv(&frames, sock, false);
    }
    if (r <= 0) {
        return false;
    }
    if (!kiln) {
        check(zmq_msg_data(&frames.header), zmq_msg_size(&frames.header));
        return true;
    }
    struct err err;
    const msgpack_object_array *jobs = NULL;
    if (header_decode(&header, &frames.header, &err) ||
        header_list(&header.map, "jobs", WIRE_JOBS, &jobs, &err)) {
        die(err.text);
    }
    size_t n = jobs ? jobs->size : 1;
    struct payload *payloads;
    check_status(&header.map, false);
    if (frames_split(&frames, &header.map, n, &payloads, &err)) {
        die(err.text);
    }
    for (size_t i = 0; i < n; i++) {
        if (jobs) {
            check_status(&jobs->ptr[i].via.map, true);
        }
        check(payloads[i].data, payloads[i].bytes);
    }
    return true;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

static void print_latency(int64_t *took_ns, size_t n)
{
    qsort(took_ns, n, sizeof *took_ns, by_value);
    printf("{\"p50\": %.1f, \"p99\": %.1f}\n", (double) took_ns[n / 2] / 1e3,
           (double) took_ns[n * 99 / 100] / 1e3);
}

static void latency(size_t n)
{
    int64_t *took_ns = calloc(n, sizeof *took_ns);
    for (size_t i = 0; i < n + WARM; i++) {
        int64_t start = clock_ns();
        send_jobs(1);
        take(true);
        if (i >= WARM) {
            took_ns[i - WARM] = clock_ns() - start;
        }
    }
    print_latency(took_ns, n);
    free(took_ns);
}

static void pipeline(uint64_t n, uint64_t window, uint64_t k)
{
    uint64_t stop = sent + n;
    while (got < stop) {
        while (sent < stop && sent - got < window) {
            uint64_t room = window - (sent - got), left = stop - sent, now = k < left ? k : left;
            if (room < now) {
                break;
            }
            send_jobs(now);
        }
        take(true);
        while (take(false)) {
        }
    }
}

static void throughput(uint64_t n, uint64_t window, uint64_t k)
{
    pipeline(WARM, window, k);
    int64_t start = clock_ns();
    pipeline(n, window, k);
    printf("{\"jobs_per_s\": %.0f}\n", (double) n / ((double) (clock_ns() - start) / 1e9));
}

static void function(const char *fn, const char *json, size_t n)
{
    struct buf args = {0};
    struct err err = {0};
    if (json_to_msgpack(json, strlen(json), NULL, &args, &err)) {
        die(err.text);
    }
    buf_put_map(&out, 2);
    buf_put_str_const(&out, "op");
    buf_put_str_const(&out, "call");
    buf_put_str_const(&out, "fn");
    buf_put_text(&out, fn);
    int64_t *took_ns = calloc(n, sizeof *took_ns);
    size_t warm = n / 10 + 1;
    for (size_t i = 0; i < n + warm; i++) {
        int64_t start = clock_ns();
        put_frame(out.data, out.bytes, ZMQ_SNDMORE);
        put_frame(args.data, args.bytes, 0);
        while (frames_recv(&frames, sock, false) == 0) {
            zmq_pollitem_t item = {.socket = sock, .events = ZMQ_POLLIN};
            zmq_poll(&item, 1, 20000);
        }
        if (i >= warm) {
            took_ns[i - warm] = clock_ns() - start;
        }
        if (header_decode(&header, &frames.header, &err)) {
            die(err.text);
        }
        check_status(&header.map, false);
    }
    print_latency(took_ns, n);
    free(took_ns);
    buf_done(&args);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: load ENDPOINT chain|kiln lat JOBS | tput JOBS WINDOW K | load ENDPOINT "
                        "kiln-fn FN JSON JOBS\n");
        return 2;
    }
    void *context = zmq_ctx_new();
    sock = zmq_socket(context, ZMQ_DEALER);
    int none = 0;
    zmq_setsockopt(sock, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(sock, ZMQ_RCVHWM, &none, sizeof none);
    zmq_setsockopt(sock, ZMQ_LINGER, &none, sizeof none);
    struct curve_keys keys;
    struct err err;
    if (curve_client_keys(getenv("KILN_KEY"), getenv("KILN_SERVER_KEY"), "KILN_KEY", "KILN_SERVER_KEY", &keys,
                          &err)) {
        die(err.text);
    }
    if (curve_use(sock, &keys) || zmq_connect(sock, argv[1])) {
        die(zmq_strerror(zmq_errno()));
    }
    kiln = strcmp(argv[2], "chain") != 0;
    if (strcmp(argv[2], "kiln-fn") == 0 && argc == 6) {
        function(argv[3], argv[4], strtoull(argv[5], NULL, 10));
    } else {
        uint64_t n = strtoull(argv[4], NULL, 10);
        seen = calloc(n + 2 * WARM, 1);
        if (strcmp(argv[3], "lat") == 0) {
            latency(n);
        } else if (argc == 7) {
            throughput(n, strtoull(argv[5], NULL, 10), strtoull(argv[6], NULL, 10));
        }
        free(seen);
    }
    frames_done(&frames);
    header_done(&header);
    buf_done(&out);
    zmq_close(sock);
    zmq_ctx_term(context);
    return 0;
}
