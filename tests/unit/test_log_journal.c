/* SPDX-License-Identifier: MPL-2.0 */
#include "folder.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "log_journal.h"

static char got[16384];

/* The record that a line becomes, behind what each has. */
static const char *words(const char *line)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    assert_true(log_journal_send(ends[0], "p", 6, line, strlen(line)));
    ssize_t n = recv(ends[1], got, sizeof got - 1, MSG_DONTWAIT);
    assert_true(n > 0);
    got[n] = '\0';
    close(ends[0]);
    close(ends[1]);
    const char *found = strstr(got, "\nSYSLOG_IDENTIFIER=p\n");
    assert_non_null(found);
    return found + strlen("\nSYSLOG_IDENTIFIER=p\n");
}

static void words_become_fields(void **state)
{
    (void) state;
    assert_string_equal(words("event=ready after_us=2385 "), "KILN_EVENT=ready\nKILN_AFTER_US=2385\n");
    assert_string_equal(words("a=\"b c\"  d= e=\"\" f"), "KILN_A=b c\nKILN_D=\nKILN_E=\n");
    assert_string_equal(words("a=\"b \\\"c\\\" \\\\ \\x0a\" d=1"), "KILN_A=b \"c\" \\ \\x0a\nKILN_D=1\n");
    assert_string_equal(words("a=b=c"), "KILN_A=b=c\n");
}

/* A cut line ends anywhere; nothing is read behind it, and no field is forged. */
static void what_is_no_word_is_left_out(void **state)
{
    (void) state;
    assert_string_equal(words("a=\"b"), "KILN_A=b\n");
    assert_string_equal(words("a=\"b\\"), "KILN_A=b\\\n");
    assert_string_equal(words("a="), "KILN_A=\n");
    assert_string_equal(words("=b A=1 a-b=2 c=3"), "KILN_C=3\n");
    assert_string_equal(words("\"x=1\" y=2"), "KILN_Y=2\n");
    char line[200];
    memset(line, 'k', sizeof line);
    memcpy(line + 100, "=1 b=2", 7);
    assert_string_equal(words(line), "KILN_B=2\n"); /* longer than a name may be */
    assert_string_equal(words(""), "");
}

static void large_lines_and_many_words_are_bounded(void **state)
{
    (void) state;
    char line[6000];
    for (size_t i = 0; i < sizeof line - 1; i += 2) {
        memcpy(line + i, i % 4 ? "a=" : "b ", 2);
    }
    line[sizeof line - 1] = '\0';
    words(line);
    size_t n = 0;
    for (const char *at = got; (at = strstr(at, "KILN_A=")); at++) {
        n++;
    }
    assert_in_range(n, 10, 32);
    memset(line, 'x', sizeof line - 1);
    memcpy(line, "a=", 2);
    assert_string_equal(words(line), ""); /* the cut line leaves no room for it again */
    assert_int_equal(strlen(got), strlen("MESSAGE=\nPRIORITY=6\nSYSLOG_IDENTIFIER=p\n") + 4096);
    line[3000] = '\0';
    assert_int_equal(strlen(words(line)), strlen("KILN_A=\n") + 3000 - strlen("a="));
}

/* A journal that does not read costs one short wait, then lines, and says how many when it reads again. */
static void lost_lines_are_counted(void **state)
{
    (void) state;
    struct folder f = folder_new();
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, folder_at(&f, "j"), strlen(folder_at(&f, "j")));
    int journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(journal, (struct sockaddr *) &at, sizeof at), 0);
    int fd = log_journal_open(at.sun_path);
    assert_true(fd >= 0);
    enum { LINES = 5000 };
    for (int i = 0; i < LINES; i++) {
        assert_true(log_journal_send(fd, "p", 6, "a=1", 3));
    }
    int arrived = 0;
    for (ssize_t n; (n = recv(journal, got, sizeof got - 1, 0)) > 0; arrived++) {
        got[n] = '\0';
        assert_null(strstr(got, "LOST"));
    }
    assert_in_range(arrived, 1, LINES - 1);
    assert_true(log_journal_send(fd, "p", 6, "a=2", 3));
    ssize_t n = recv(journal, got, sizeof got - 1, 0);
    assert_true(n > 0);
    got[n] = '\0';
    char expected[40];
    snprintf(expected, sizeof expected, "\nKILN_LINES_LOST=%d\nKILN_A=2\n", LINES - arrived);
    assert_non_null(strstr(got, expected));
    assert_true(log_journal_send(fd, "p", 6, "a=3", 3));
    n = recv(journal, got, sizeof got - 1, 0);
    got[n] = '\0';
    assert_null(strstr(got, "LOST"));
    close(journal);
    assert_false(log_journal_send(fd, "p", 6, "a=4", 3)); /* nobody there: the caller has stderr */
    close(fd);
    assert_int_equal(log_journal_open(at.sun_path), -1);
    assert_int_equal(
        log_journal_open("/far/too/long/a/path/for/a/socket/far/too/long/a/path/for/a/socket/far/too/"
                         "long/a/path/for/a/socket/far/too/long"),
        -1);
    folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_fields),
        cmocka_unit_test(what_is_no_word_is_left_out),
        cmocka_unit_test(large_lines_and_many_words_are_bounded),
        cmocka_unit_test(lost_lines_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
