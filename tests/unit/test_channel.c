/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/channel.h"
#include "mem.h"

static void an_order_arrives_whole(void **state)
{
    (void) state;
    int ends[2];
    assert_int_equal(channel_pair(ends), 0);
    static char options[CONFIG_OPTIONS_BYTES];
    for (size_t i = 0; i < sizeof options; i++) {
        options[i] = (char) (i * 31);
    }
    struct order sent = {.kind = CHANNEL_ORDER,
                         .slot = 7,
                         .generation = 2385,
                         .options_bytes = sizeof options},
                 got;
    strcpy(sent.path, "/run/x.so");
    sent.limits.run_ms = 99;
    sent.cpus[CONFIG_CPUS / 8 - 1] = 0x80;
    void *data = NULL;
    assert_true(
        channel_send_order(ends[0], &sent, options)); /* the largest there can be fits into the socket */
    assert_true(channel_recv_order(ends[1], &got, &data));
    assert_memory_equal(&got, &sent, sizeof got);
    assert_memory_equal(data, options, sizeof options);
    mem_free(data);
    sent.options_bytes = 0;
    assert_true(channel_send_order(ends[0], &sent, NULL));
    assert_true(channel_recv_order(ends[1], &got, &data));
    assert_null(data);
    close(ends[0]);
    assert_false(channel_recv_order(ends[1], &got, &data)); /* nobody is there */
    close(ends[1]);
}

static void what_is_no_order_is_refused(void **state)
{
    (void) state;
    int ends[2];
    struct order sent = {.kind = CHANNEL_DRAIN}, got;
    void *data = NULL;
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(send(ends[0], "abc", 3, 0), 3);
    assert_false(channel_recv_order(ends[1], &got, &data));
    assert_true(channel_send_order(ends[0], &sent, NULL));
    assert_false(channel_recv_order(ends[1], &got, &data));
    sent = (struct order){.kind = CHANNEL_ORDER, .options_bytes = 5};
    assert_int_equal(send(ends[0], &sent, sizeof sent, 0),
                     sizeof sent); /* promised options that do not follow */
    assert_false(channel_recv_order(ends[1], &got, &data));
    assert_null(data);
    close(ends[0]);
    close(ends[1]);
}

static void notes_in_order_then_the_end(void **state)
{
    (void) state;
    int ends[2];
    struct note n = {.kind = CHANNEL_PROVEN, .load_ns = 2385}, got = {0};
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(channel_recv(ends[1], &got), 0);
    assert_true(channel_send(ends[0], &n));
    n.kind = CHANNEL_REGISTERED;
    assert_true(channel_send(ends[0], &n));
    close(ends[0]);
    assert_int_equal(channel_recv(ends[1], &got), 1);
    assert_int_equal(got.kind, CHANNEL_PROVEN);
    assert_int_equal(got.load_ns, 2385);
    assert_int_equal(channel_recv(ends[1], &got), 1);
    assert_int_equal(got.kind, CHANNEL_REGISTERED);
    assert_int_equal(channel_recv(ends[1], &got), -1);
    assert_false(channel_send(ends[1], &n)); /* and no signal */
    close(ends[1]);
}

static void a_descriptor_comes_with_its_note(void **state)
{
    (void) state;
    int ends[2], pipes[2], passed = 77;
    struct note sent = {.kind = CHANNEL_WALLED}, got;
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(channel_recv_fd(ends[1], &got, &passed), 0);
    assert_int_equal(passed, -1);
    assert_true(channel_send(ends[0], &sent));
    assert_true(channel_send_fd(ends[0], &sent, pipes[1]));
    assert_true(channel_send_fd(ends[0], &sent, pipes[1]));
    assert_int_equal(channel_recv_fd(ends[1], &got, &passed), 1);
    assert_int_equal(passed, -1);
    assert_int_equal(channel_recv_fd(ends[1], &got, &passed), 1);
    assert_int_equal(got.kind, CHANNEL_WALLED);
    assert_int_equal(channel_recv(ends[1], &got), 1); /* who does not ask is not burdened with it */
    char text[2] = "";
    assert_int_equal(write(passed, "7", 1), 1);
    close(passed);
    close(pipes[1]);
    assert_int_equal(read(pipes[0], text, 2), 1);
    assert_int_equal(read(pipes[0], text, 2), 0); /* no other writer is left */
    close(pipes[0]);
    close(ends[0]);
    assert_int_equal(channel_recv_fd(ends[1], &got, &passed), -1);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_arrives_whole),
        cmocka_unit_test(what_is_no_order_is_refused),
        cmocka_unit_test(notes_in_order_then_the_end),
        cmocka_unit_test(a_descriptor_comes_with_its_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
