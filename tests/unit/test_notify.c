/* SPDX-License-Identifier: MPL-2.0 */
#include "folder.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "notify.h"

static int listener(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    memcpy(at.sun_path, path, n);
    at.sun_path[0] = path[0] == '@' ? '\0' : path[0];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(
        bind(fd, (struct sockaddr *) &at, (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n)), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    return fd;
}

static void a_datagram_for_the_manager(void **state)
{
    (void) state;
    struct folder f = folder_new();
    char abstract[64], got[64];
    snprintf(abstract, sizeof abstract, "@kiln-test-%d", (int) getpid());
    const char *const paths[] = {folder_at(&f, "notify"), abstract};
    for (int i = 0; i < 2; i++) {
        int fd = listener(paths[i]);
        assert_true(notify_send("STATUS=%d of %d", 3, 4));
        assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), 13);
        assert_memory_equal(got, "STATUS=3 of 4", 13);
        close(fd);
    }
    unsetenv("NOTIFY_SOCKET");
    folder_remove(&f);
}

/* A manager that does not read must not stop the supervisor. */
static void a_full_socket_is_not_waited_for(void **state)
{
    (void) state;
    struct folder f = folder_new();
    int fd = listener(folder_at(&f, "notify"));
    int sent = 0;
    while (sent < 100000 && notify_send("READY=1")) {
        sent++;
    }
    assert_true(sent > 0 && sent < 100000);
    char got[64];
    assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), 7);
    assert_true(notify_send("READY=1")); /* there is room again */
    close(fd);
    assert_true(notify_send("READY=1")); /* nobody there: nothing to repeat */
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_true(notify_send("READY=1"));
    unsetenv("NOTIFY_SOCKET");
    assert_true(notify_send("READY=1"));
    folder_remove(&f);
}

static void the_watchdog_is_for_one_process(void **state)
{
    (void) state;
    char pid[16];
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(notify_watchdog_ns(), 0);
    setenv("WATCHDOG_USEC", "3000000", 1);
    assert_int_equal(notify_watchdog_ns(), INT64_C(1500000000));
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_ns(), 0);
    snprintf(pid, sizeof pid, "%d", (int) getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_ns(), INT64_C(1500000000));
    setenv("WATCHDOG_USEC", "rubbish", 1);
    assert_int_equal(notify_watchdog_ns(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_for_the_manager),
        cmocka_unit_test(a_full_socket_is_not_waited_for),
        cmocka_unit_test(the_watchdog_is_for_one_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
