/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/gate.h"
#include "broker/keyring.h"
#include "folder.h"

static struct folder folder;
static struct err err;
static struct keyring *keyring;

static int make_folder(void **state)
{
    (void) state;
    folder = folder_new();
    err = (struct err){0};
    for (const char *const *list = (const char *const[]){"producers", "workers", "admins", NULL}; *list;
         list++) {
        assert_int_equal(mkdir(folder_at(&folder, *list), 0755), 0);
    }
    return 0;
}

static int drop_folder(void **state)
{
    (void) state;
    keyring_free(&keyring);
    keyring_free(&keyring); /* harmless twice */
    folder_remove(&folder);
    return 0;
}

static const char *put(const char *name, const char *role, const struct curve_pair *pair)
{
    char text[300];
    int n = snprintf(text, sizeof text, "metadata\n    role = \"%s\"\ncurve\n    public-key = \"%s\"\n", role,
                     pair->public_key);
    return folder_put(&folder, name, text, (size_t) n);
}

static struct curve_pair pair_new(void)
{
    struct curve_pair pair;
    assert_int_equal(curve_make(&pair, NULL), 0);
    return pair;
}

static void keys_have_names_and_roles(void **state)
{
    (void) state;
    struct curve_pair alice = pair_new(), both = pair_new(), nobody = pair_new();
    put("producers/alice.key", "producer", &alice);
    put("producers/ops.key", "", &both);
    put("admins/ops.key", "admin", &both);
    put("workers/README", "", &nobody);      /* no key: another ending */
    put("workers/.hidden.key", "", &nobody); /* an editor's */
    put("workers/old.key_secret", "", &nobody);
    assert_int_equal(keyring_load(folder.path, &keyring, &err), 0);
    const struct user *u = keyring_find(keyring, alice.public_key);
    assert_non_null(u);
    assert_string_equal(u->name, "alice");
    assert_int_equal(u->roles, ROLE_PRODUCER);
    u = keyring_find(keyring, both.public_key);
    assert_string_equal(u->name, "ops");
    assert_int_equal(u->roles, ROLE_PRODUCER | ROLE_ADMIN);
    assert_null(keyring_find(keyring, nobody.public_key));
    assert_null(keyring_find(keyring, ""));
    assert_int_equal(keyring_count(keyring, ROLE_PRODUCER), 2);
    assert_int_equal(keyring_count(keyring, ROLE_WORKER), 0);
    assert_int_equal(keyring_count(keyring, ROLE_ADMIN), 1);
    size_t n = 0;
    for (u = keyring_first(keyring); u; u = keyring_next(keyring)) {
        n++;
    }
    assert_int_equal(n, 2);
}

static void lists_may_be_missing_or_empty(void **state)
{
    (void) state;
    assert_int_equal(keyring_load(folder.path, &keyring, &err), 0);
    assert_int_equal(rmdir(folder_at(&folder, "workers")), 0);
    keyring_free(&keyring);
    assert_int_equal(keyring_load(folder.path, &keyring, &err), 0);
    assert_null(keyring_first(keyring));
}

static void refused(int status, const char *why)
{
    assert_int_equal(keyring_load(folder.path, &keyring, &err), status);
    assert_null(keyring);
    if (!strstr(err.text, why)) {
        fail_msg("%s", err.text);
    }
}

static void a_list_is_read_whole_or_not_at_all(void **state)
{
    (void) state;
    struct curve_pair alice = pair_new();
    put("producers/alice.key", "producer", &alice);
    const char *bad = folder_put(&folder, "workers/bad.key", "curve\n", 6);
    refused(KILN_INVALID, "bad.key: its public-key is \"\"");
    put("workers/bad.key", "producer", &alice);
    refused(KILN_INVALID, "bad.key is the key of a producer, and lies in the list of workers");
    put("workers/bad.key", "", &alice);
    refused(KILN_INVALID, "one name for each key");
    unlink(bad);
    put("workers/with blank.key", "", &alice);
    refused(KILN_INVALID, "without blanks");
    unlink(folder_at(&folder, "workers/with blank.key"));
    char name[200] = "workers/";
    memset(name + 8, 'n', 64);
    strcpy(name + 72, ".key");
    put(name, "", &alice);
    refused(KILN_INVALID, "1 to 63");
    unlink(folder_at(&folder, name));
    assert_int_equal(symlink("/nonexistent", folder_at(&folder, "workers/gone.key")), 0);
    refused(KILN_INVALID, "gone.key: cannot be read");
    unlink(folder_at(&folder, "workers/gone.key"));
    assert_int_equal(keyring_load(folder.path, &keyring, &err), 0);
}

static void what_others_may_write_is_no_list(void **state)
{
    (void) state;
    struct curve_pair alice = pair_new();
    put("producers/alice.key", "", &alice);
    static const char *const names[] = {"producers/alice.key", "producers", "."};
    for (size_t i = 0; i < 3; i++) {
        for (mode_t mode = 0; mode < 2; mode++) {
            chmod(folder_at(&folder, names[i]), mode ? 0775 : 0757);
            refused(KILN_DENIED, "no others can write");
            chmod(folder_at(&folder, names[i]), 0755);
        }
    }
    assert_int_equal(keyring_load(folder.path, &keyring, &err), 0);
    assert_int_equal(keyring_load("/nonexistent", &keyring, &err), KILN_INVALID);
}

static void who_may_what(void **state)
{
    (void) state;
    struct speaker s = {.user = "alice", .key = "k", .roles = ROLE_PRODUCER};
    assert_int_equal(gate_check(&s, GATE_ROLES_FRONT, "call", &err), 0);
    assert_int_equal(gate_check(&s, ROLE_ADMIN, "pause", &err), KILN_DENIED);
    assert_string_equal(err.text, "\"pause\" is for admins, and the key alice is producer");
    assert_int_equal(gate_check(&s, ROLE_WORKER, "done", &err), KILN_DENIED);
    assert_string_equal(err.text, "\"done\" is for workers, and the key alice is producer");
    s.roles = ROLE_ADMIN;
    assert_int_equal(gate_check(&s, GATE_ROLES_FRONT, "call", &err), 0);
    assert_int_equal(gate_check(&s, ROLE_WORKER, "done", &err), KILN_DENIED);
    s = (struct speaker){.user = "", .key = ""};
    assert_int_equal(gate_check(&s, GATE_ROLES_FRONT, "call", &err), KILN_DENIED);
    assert_string_equal(err.text, "\"call\" by a key that is in no list of the broker any more");
    s.local = true;
    s.uid = 1000;
    s.roles = ROLE_PRODUCER | ROLE_WORKER;
    assert_int_equal(gate_check(&s, ROLE_ADMIN, "pause", &err), KILN_DENIED);
    assert_string_equal(err.text,
                        "\"pause\" is for admins: user 1000 is neither root nor in broker.ipc_admins");
    s.local = false;
    assert_int_equal(gate_check(&s, ROLE_ADMIN, "pause", &err), KILN_DENIED);
    assert_string_equal(err.text,
                        "\"pause\" is for admins, and who comes by tcp without a key is producer and worker");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)
    const struct CMUnitTest tests[] = {
        TEST(keys_have_names_and_roles),
        TEST(lists_may_be_missing_or_empty),
        TEST(a_list_is_read_whole_or_not_at_all),
        TEST(what_others_may_write_is_no_list),
        TEST(who_may_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
