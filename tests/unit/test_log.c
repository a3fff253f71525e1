/* SPDX-License-Identifier: MPL-2.0 */
#include "folder.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "log.h"

/* What a call writes to stderr. */
static char caught[8192];
static int pipe_fds[2], real_stderr;

static void catch_begin(void)
{
    assert_int_equal(pipe(pipe_fds), 0);
    real_stderr = dup(STDERR_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
    close(pipe_fds[1]);
}

static const char *catch_end(void)
{
    dup2(real_stderr, STDERR_FILENO); /* the last writing end: reading ends */
    close(real_stderr);
    size_t n = 0;
    for (ssize_t got; (got = read(pipe_fds[0], caught + n, sizeof caught - 1 - n)) > 0; n += (size_t) got) {
    }
    caught[n] = '\0';
    close(pipe_fds[0]);
    return caught;
}

static void one_line_of_words(void **state)
{
    (void) state;
    unsetenv("JOURNAL_STREAM");
    log_open("kiln-test", LOG_LEVEL_INFO);
    char expected[200];
    snprintf(expected, sizeof expected,
             "level=warning prog=kiln-test pid=%d event=worker_lost wid=box.7 running=23\n", (int) getpid());
    catch_begin();
    log_warning("worker_lost", "wid=%s running=%u", "box.7", 23u);
    assert_string_equal(catch_end(), expected);
}

static void below_the_level_is_silent(void **state)
{
    (void) state;
    log_open("kiln-test", LOG_LEVEL_WARNING);
    catch_begin();
    log_debug("a", "x=1");
    log_info("b", "x=2");
    log_error("c", "x=%d", 3);
    const char *got = catch_end();
    assert_null(strstr(got, "event=a"));
    assert_null(strstr(got, "event=b"));
    assert_non_null(strstr(got, "level=error"));
    assert_non_null(strstr(got, "event=c x=3\n"));
}

/* As the service manager does for the stream it makes of stderr. */
static void name_stderr(unsigned off)
{
    struct stat s;
    char text[64];
    assert_int_equal(fstat(STDERR_FILENO, &s), 0);
    snprintf(text, sizeof text, "%llu:%llu", (unsigned long long) s.st_dev,
             (unsigned long long) s.st_ino + off);
    setenv("JOURNAL_STREAM", text, 1);
}

static void stderr_that_is_not_the_journal_is_as_ever(void **state)
{
    (void) state;
    static const char *const others[] = {NULL, "8:12345", "", "journal", "8"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        catch_begin();
        name_stderr(1);
        if (others[i]) {
            setenv("JOURNAL_STREAM", others[i], 1);
        }
        log_open("kiln-test", LOG_LEVEL_INFO);
        log_info("i", "x=1");
        assert_memory_equal(catch_end(), "level=info ", 11);
    }
    unsetenv("JOURNAL_STREAM");
}

/* Something that listens at `path` as the journal does. */
static int journal(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &at, sizeof at), 0);
    return fd;
}

static void the_journal_gets_records(void **state)
{
    (void) state;
    struct folder f = folder_new();
    int fd = journal(folder_at(&f, "journal"));
    char got[8192] = "";
    catch_begin();
    name_stderr(0);
    log_open_at("kiln-test", LOG_LEVEL_INFO, folder_at(&f, "journal"));
    log_open_at("kiln-test", LOG_LEVEL_INFO,
                folder_at(&f, "journal")); /* as a reload does: no descriptor is left */
    log_warning("worker_died", "wid=box.7 cause=%s running=%d", log_quote("signal 9 (\"Killed\")"), 2);
    log_debug("silent", "x=1");
    assert_string_equal(catch_end(), "");
    assert_true(recv(fd, got, sizeof got - 1, 0) > 0);
    assert_string_equal(got,
                        "MESSAGE=event=worker_died wid=box.7 cause=\"signal 9 (\\\"Killed\\\")\" running=2\n"
                        "PRIORITY=4\nSYSLOG_IDENTIFIER=kiln-test\nKILN_EVENT=worker_died\nKILN_WID=box.7\n"
                        "KILN_CAUSE=signal 9 (\"Killed\")\nKILN_RUNNING=2\n");
    assert_true(recv(fd, got, sizeof got, 0) < 0);
    close(fd);
    unsetenv("JOURNAL_STREAM");
    log_open("kiln-test", LOG_LEVEL_INFO);
    folder_remove(&f);
}

static void a_journal_that_takes_no_records_gets_lines_with_their_priority(void **state)
{
    (void) state;
    struct folder f = folder_new();
    catch_begin();
    name_stderr(0);
    log_open_at("kiln-test", LOG_LEVEL_DEBUG, folder_at(&f, "nothing"));
    log_debug("d", "x=1");
    log_info("i", "x=1");
    log_warning("w", "x=1");
    log_error("e", "x=1");
    const char *got = catch_end();
    assert_memory_equal(got, "<7>level=debug ", 15);
    assert_non_null(strstr(got, "\n<6>level=info "));
    assert_non_null(strstr(got, "\n<4>level=warning "));
    assert_non_null(strstr(got, "\n<3>level=error "));
    /* One that was there and went, as at the end of a machine. */
    catch_begin();
    name_stderr(0);
    int fd = journal(folder_at(&f, "journal"));
    log_open_at("kiln-test", LOG_LEVEL_INFO, folder_at(&f, "journal"));
    close(fd);
    log_info("i", "x=1");
    assert_memory_equal(catch_end(), "<6>level=info ", 14);
    unsetenv("JOURNAL_STREAM");
    log_open("kiln-test", LOG_LEVEL_INFO);
    folder_remove(&f);
}

static void too_long_is_cut_and_still_a_line(void **state)
{
    (void) state;
    char text[5000];
    memset(text, 'q', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    catch_begin();
    log_info("long", "text=%s", text);
    log_info("next", "x=1");
    const char *got = catch_end();
    const char *end = strchr(got, '\n');
    assert_non_null(end);
    assert_in_range(end - got, 2000, 2047);
    assert_non_null(strstr(end, "event=next x=1\n"));
}

static void quoting(void **state)
{
    (void) state;
    assert_string_equal(log_quote("plain words"), "\"plain words\"");
    assert_string_equal(log_quote(""), "\"\"");
    assert_string_equal(log_quote("a\"b\\c"), "\"a\\\"b\\\\c\"");
    assert_string_equal(log_quote("line\nevent=forged\x7f\x01"), "\"line\\x0aevent=forged\\x7f\\x01\"");
    char text[3000];
    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const char *got = log_quote(text);
    assert_in_range(strlen(got), 690, 699);
    assert_int_equal(got[strlen(got) - 1], '"');
    assert_null(strchr(got, '\n'));
}

static void four_quotes_live_at_once(void **state)
{
    (void) state;
    const char *a = log_quote("a"), *b = log_quote("b"), *c = log_quote("c"), *d = log_quote("d");
    assert_string_equal(a, "\"a\"");
    assert_string_equal(b, "\"b\"");
    assert_string_equal(c, "\"c\"");
    assert_string_equal(d, "\"d\"");
}

static void levels(void **state)
{
    (void) state;
    assert_int_equal(log_level_parse("debug"), LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_parse("info"), LOG_LEVEL_INFO);
    assert_int_equal(log_level_parse("warning"), LOG_LEVEL_WARNING);
    assert_int_equal(log_level_parse("error"), LOG_LEVEL_ERROR);
    assert_int_equal(log_level_parse("warn"), -1);
    assert_int_equal(log_level_parse("INFO"), -1);
    assert_int_equal(log_level_parse(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_of_words),
        cmocka_unit_test(below_the_level_is_silent),
        cmocka_unit_test(stderr_that_is_not_the_journal_is_as_ever),
        cmocka_unit_test(the_journal_gets_records),
        cmocka_unit_test(a_journal_that_takes_no_records_gets_lines_with_their_priority),
        cmocka_unit_test(too_long_is_cut_and_still_a_line),
        cmocka_unit_test(quoting),
        cmocka_unit_test(four_quotes_live_at_once),
        cmocka_unit_test(levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
