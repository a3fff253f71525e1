/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <czmq.h>

#include "curve.h"
#include "folder.h"

static struct folder folder;
static struct err err;

static int make_folder(void **state)
{
    (void) state;
    folder = folder_new();
    err = (struct err){0};
    return 0;
}

static int drop_folder(void **state)
{
    (void) state;
    folder_remove(&folder);
    return 0;
}

static const char *path(const char *name)
{
    return folder_at(&folder, name);
}

static const char *file(const char *name, const char *text)
{
    return folder_put(&folder, name, text, strlen(text));
}

static void a_pair_survives_its_files(void **state)
{
    (void) state;
    struct curve_pair made, read;
    struct curve_public open;
    assert_int_equal(curve_make(&made, &err), 0);
    assert_true(curve_valid(made.public_key) && curve_valid(made.secret_key));
    assert_int_equal(curve_write(path("alice"), "producer", &made, &err), 0);
    assert_int_equal(curve_read_secret(path("alice.key_secret"), &read, &err), 0);
    assert_memory_equal(&made, &read, sizeof made);
    assert_int_equal(curve_read_public(path("alice.key"), &open, &err), 0);
    assert_string_equal(open.key, made.public_key);
    assert_string_equal(open.name, "alice");
    assert_string_equal(open.role, "producer");
    struct stat st;
    assert_int_equal(stat(path("alice.key_secret"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void nothing_is_overwritten(void **state)
{
    (void) state;
    struct curve_pair one, two, read;
    assert_int_equal(curve_make(&one, NULL), 0);
    assert_int_equal(curve_make(&two, NULL), 0);
    assert_int_equal(curve_write(path("a"), "worker", &one, &err), 0);
    assert_int_equal(curve_write(path("a"), "worker", &two, &err), KILN_CONFLICT);
    unlink(path("a.key"));
    assert_int_equal(curve_write(path("a"), "worker", &two, &err), KILN_CONFLICT);
    assert_int_not_equal(access(path("a.key"), F_OK), 0);
    assert_int_equal(curve_read_secret(path("a.key_secret"), &read, &err), 0);
    assert_memory_equal(&one, &read, sizeof one);
}

/* The format is CZMQ's: both sides read what the other wrote. */
static void certificates_are_those_of_czmq(void **state)
{
    (void) state;
    struct curve_pair pair, read;
    struct curve_public open;
    assert_int_equal(curve_make(&pair, NULL), 0);
    assert_int_equal(curve_write(path("ours"), "admin", &pair, NULL), 0);
    zcert_t *cert = zcert_load(path("ours.key"));
    assert_non_null(cert);
    assert_string_equal(zcert_public_txt(cert), pair.public_key);
    assert_string_equal(zcert_secret_txt(cert), pair.secret_key); /* from beside it */
    assert_string_equal(zcert_meta(cert, "role"), "admin");
    zcert_destroy(&cert);
    cert = zcert_new();
    zcert_set_meta(cert, "name", "%s", "theirs, in words");
    assert_int_equal(zcert_save(cert, path("theirs")), 0);
    assert_int_equal(curve_read_secret(path("theirs_secret"), &read, &err), 0);
    assert_string_equal(read.secret_key, zcert_secret_txt(cert));
    assert_int_equal(curve_read_public(path("theirs"), &open, &err), 0);
    assert_string_equal(open.key, zcert_public_txt(cert));
    assert_string_equal(open.name, "theirs, in words");
    zcert_destroy(&cert);
}

static void lines_may_be_written_in_many_ways(void **state)
{
    (void) state;
    struct curve_pair pair;
    struct curve_public open;
    char text[400];
    assert_int_equal(curve_make(&pair, NULL), 0);
    snprintf(
        text, sizeof text,
        "# comment\r\n\r\n   # another\r\nmetadata\r\n\tname='a\"b' # behind\r\n    other = 7\r\n    name2 "
        "=\r\ncurve # x\r\n  public-key=\"%s\"   # y",
        pair.public_key);
    assert_int_equal(curve_read_public(file("x", text), &open, &err), 0);
    assert_string_equal(open.key, pair.public_key);
    assert_string_equal(open.name, "a\"b");
}

static void what_is_no_key_is_said(void **state)
{
    (void) state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "its public-key is \"\", expected 40 characters"},
        {"curve\n    public-key = \"abc\"\n", "its public-key is \"abc\""},
        {"curve\n    public-key = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~\"\n",
         "expected 40 characters of Z85"},
        {"curve\n    public-key = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n", ":2: expected KEY"},
        {"curve\n    public-key = \"aaaa\n", ":2: expected KEY"},
        {"curve\n    public-key\n", ":2: expected KEY"},
        {"wrong\n    public-key = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n", "its public-key is \"\""},
        {"metadata\n  role = \"a role of more than fifteen\"\n", ":2: expected KEY"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct curve_public open = {.key = "untouched"};
        assert_int_equal(curve_read_public(file("x", cases[i].text), &open, &err), KILN_INVALID);
        assert_string_equal(open.key, "untouched");
        if (!strstr(err.text, cases[i].why)) {
            fail_msg("%zu: %s", i, err.text);
        }
    }
    assert_int_equal(curve_read_public("/nonexistent", &(struct curve_public){0}, &err), KILN_INVALID);
    assert_int_equal(curve_read_public(folder.path, &(struct curve_public){0}, &err), KILN_INVALID);
    assert_int_equal(mkfifo(path("fifo"), 0600), 0);
    assert_int_equal(curve_read_secret(path("fifo"), &(struct curve_pair){0}, &err),
                     KILN_INVALID); /* and does not wait */
    assert_non_null(strstr(err.text, "regular"));
}

/* Bytes of every kind, and good files cut short and damaged: an answer, and no more. */
static void damaged_files(void **state)
{
    (void) state;
    struct curve_pair pair, read;
    char text[600], damaged[600];
    assert_int_equal(curve_make(&pair, NULL), 0);
    int n = snprintf(text, sizeof text,
                     "metadata\n    name = \"x\"\ncurve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n",
                     pair.public_key, pair.secret_key);
    size_t good = 0;
    for (int at = 0; at < n; at++) {
        static const char bytes[] = {'\0', '\n', '"', '=', ' ', '\x7f', '\xff'};
        memcpy(damaged, text, (size_t) n);
        damaged[at] = bytes[at % (int) sizeof bytes];
        const char *where = path("damaged");
        for (int cut = 0; cut < 2; cut++) {
            folder_put(&folder, "damaged", damaged, (size_t) (cut ? at : n));
            chmod(where, 0600);
            int status = curve_read_secret(where, &read, &err);
            good += status == 0;
            assert_true(status == 0 || status == KILN_INVALID);
            assert_null(strstr(err.text, pair.secret_key));
        }
    }
    assert_true(good > 0); /* damage to the name, and to the end, does no harm */
}

static void secrets_that_others_may_read_are_refused(void **state)
{
    (void) state;
    struct curve_pair pair, read;
    assert_int_equal(curve_make(&pair, NULL), 0);
    assert_int_equal(curve_write(path("s"), "broker", &pair, NULL), 0);
    static const mode_t modes[] = {0604, 0602, 0620, 0660, 0644, 0640};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        chmod(path("s.key_secret"), modes[i]);
        assert_int_equal(curve_read_secret(path("s.key_secret"), &read, &err), KILN_DENIED);
        assert_non_null(strstr(err.text, "others may read it"));
        assert_null(strstr(err.text, pair.secret_key));
    }
    chmod(path("s.key_secret"), 0400);
    assert_int_equal(curve_read_secret(path("s.key_secret"), &read, &err), 0);
}

static void a_client_needs_both_keys(void **state)
{
    (void) state;
    struct curve_pair pair;
    struct curve_keys keys = {.server_key = "x"};
    assert_int_equal(curve_make(&pair, NULL), 0);
    assert_int_equal(curve_write(path("c"), "producer", &pair, NULL), 0);
    assert_int_equal(curve_client_keys(NULL, "", "--key", "--server-key", &keys, &err), 0);
    assert_string_equal(keys.server_key, ""); /* none is none */
    assert_int_equal(curve_client_keys(path("c.key_secret"), NULL, "--key", "--server-key", &keys, &err),
                     KILN_INVALID);
    assert_non_null(strstr(err.text, "--key is given without --server-key"));
    assert_int_equal(curve_client_keys("", pair.public_key, "--key", "--server-key", &keys, &err),
                     KILN_INVALID);
    assert_non_null(strstr(err.text, "--server-key is given without --key"));
    assert_int_equal(curve_client_keys(path("c.key_secret"), pair.public_key, "k", "s", &keys, &err), 0);
    assert_string_equal(keys.server_key, pair.public_key);
    assert_string_equal(keys.own.secret_key, pair.secret_key);
    assert_int_equal(curve_client_keys(path("c.key_secret"), path("c.key"), "k", "s", &keys, &err), 0);
    assert_string_equal(keys.server_key, pair.public_key);
    static const struct curve_keys wiped;
    curve_wipe(&keys, sizeof keys);
    assert_memory_equal(&keys, &wiped, sizeof keys);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)
    const struct CMUnitTest tests[] = {
        TEST(a_pair_survives_its_files),
        TEST(nothing_is_overwritten),
        TEST(certificates_are_those_of_czmq),
        TEST(lines_may_be_written_in_many_ways),
        TEST(what_is_no_key_is_said),
        TEST(damaged_files),
        TEST(secrets_that_others_may_read_are_refused),
        TEST(a_client_needs_both_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
