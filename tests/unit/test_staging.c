/* SPDX-License-Identifier: MPL-2.0 */
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>

#include "daemon/staging.h"

static const char text[] = "not really a plugin";
static const char text_digest[] =
    "deb5e8a491a23fc14524eb4406a2c016"; /* BLAKE2b-128, from another implementation */
static const char other[] = "other contents, 2.385";

struct place {
    struct folder folder;
    char staged[128];
    int lock;
};

static struct place place(void)
{
    struct place p = {.folder = folder_new(), .lock = -1};
    struct err err = {0};
    snprintf(p.staged, sizeof p.staged, "%s/run/deep/staged", p.folder.path);
    if (staging_open(p.staged, &p.lock, &err)) {
        fail_msg("%s", err.text);
    }
    return p;
}

static void leave(struct place *p)
{
    close(p->lock);
    folder_remove(&p->folder);
}

static size_t files(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        n += e->d_name[0] != '.' || strncmp(e->d_name, ".new-", 5) == 0;
    }
    closedir(d);
    return n;
}

static void assert_holds(const char *path, const void *data, size_t bytes)
{
    static unsigned char got[300000];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fread(got, 1, sizeof got, f), bytes);
    fclose(f);
    assert_memory_equal(got, data, bytes);
}

static void refused(struct place *p, const char *path, const char *part)
{
    struct staged s = {.bytes = 77};
    struct err err = {0};
    assert_int_not_equal(staging_copy(p->staged, path, NULL, NULL, &s, &err), 0);
    assert_int_not_equal(err.status, KILN_OK);
    if (!strstr(err.text, part)) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
    }
    assert_int_equal(s.bytes, 77); /* untouched */
    assert_int_equal(files(p->staged), 0);
}

static void a_copy_is_named_by_its_contents(void **state)
{
    (void) state;
    struct place p = place();
    struct staged s, again;
    const char *path = folder_put(&p.folder, "stats.so", text, strlen(text));
    assert_int_equal(staging_copy(p.staged, path, NULL, NULL, &s, NULL), 0);
    assert_string_equal(s.digest, text_digest);
    assert_int_equal(s.bytes, strlen(text));
    char expected[200];
    snprintf(expected, sizeof expected, "%s/%s.so", p.staged, text_digest);
    assert_string_equal(s.path, expected);
    assert_holds(s.path, text, strlen(text));
    struct stat st;
    assert_int_equal(stat(s.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0500);
    /* The same once more, and from another name, is the same file. */
    assert_int_equal(staging_copy(p.staged, folder_put(&p.folder, "copy.so", text, strlen(text)), NULL, NULL,
                                  &again, NULL),
                     0);
    assert_string_equal(again.path, s.path);
    assert_int_equal(files(p.staged), 1);
    staging_drop(&s);
    assert_int_equal(files(p.staged), 0);
    staging_drop(&s); /* once is enough */
    leave(&p);
}

static void data_is_part_of_the_build(void **state)
{
    (void) state;
    struct place p = place();
    struct staged plain, first, same, second, third;
    char *folders[] = {p.folder.path, (char[]){"/nowhere/at/all"}};
    const struct conf_texts data = {.items = folders, .n = 2};
    const char *path = folder_put(&p.folder, "x.so", text, strlen(text));
    assert_int_equal(staging_copy(p.staged, path, NULL, NULL, &plain, NULL), 0);
    folder_put(&p.folder, "a.onnx", "one", 3);
    char *only[] = {(char[200]){0}};
    snprintf(only[0], 200, "%s/models", p.folder.path);
    assert_int_equal(mkdir(only[0], 0700), 0);
    const struct conf_texts models = {.items = only, .n = 1};
    assert_int_equal(staging_copy(p.staged, path, NULL, &models, &first, NULL), 0);
    assert_string_not_equal(first.digest, plain.digest);
    assert_int_equal(staging_copy(p.staged, path, NULL, &models, &same, NULL), 0);
    assert_string_equal(first.digest, same.digest);
    folder_put(&p.folder, "models/m.onnx", "one", 3);
    assert_int_equal(staging_copy(p.staged, path, NULL, &models, &second, NULL), 0);
    assert_string_not_equal(second.digest, first.digest);
    folder_put(&p.folder, "models/m.onnx", "three", 5);
    assert_int_equal(staging_copy(p.staged, path, NULL, &models, &third, NULL), 0);
    assert_string_not_equal(third.digest, second.digest);
    assert_int_equal(staging_copy(p.staged, path, NULL, &data, &same, NULL),
                     0); /* one that is not there is no fault */
    assert_holds(third.path, text, strlen(text));
    leave(&p);
}

static void overwriting_the_original_changes_nothing(void **state)
{
    (void) state;
    struct place p = place();
    struct staged first, second;
    assert_int_equal(
        staging_copy(p.staged, folder_put(&p.folder, "x.so", text, strlen(text)), NULL, NULL, &first, NULL),
        0);
    assert_int_equal(staging_copy(p.staged, folder_put(&p.folder, "x.so", other, strlen(other)), NULL, NULL,
                                  &second, NULL),
                     0);
    assert_string_equal(second.digest, "87b49ce745fcc54ac69b650129391eaf");
    assert_holds(first.path, text, strlen(text));
    assert_holds(second.path, other, strlen(other));
    leave(&p);
}

static void files_larger_than_a_chunk(void **state)
{
    (void) state;
    static unsigned char big[200000];
    struct place p = place();
    struct staged s;
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (unsigned char) (i * 7 + i / 251);
    }
    assert_int_equal(
        staging_copy(p.staged, folder_put(&p.folder, "big.so", big, sizeof big), NULL, NULL, &s, NULL), 0);
    assert_string_equal(s.digest, "5419b6b656a180d9e47c2bea41a13605");
    assert_holds(s.path, big, sizeof big);
    leave(&p);
}

static void what_others_may_change_is_refused(void **state)
{
    (void) state;
    struct place p = place();
    refused(&p, folder_at(&p.folder, "absent.so"), "No such file");
    const char *path = folder_put(&p.folder, "x.so", text, strlen(text));
    chmod(path, 0664);
    refused(&p, path, "mode 0664");
    chmod(path, 0646);
    refused(&p, path, "mode 0646");
    chmod(path, 0644);
    chmod(p.folder.path, 0777);
    refused(&p, path, "folder of plugin file");
    chmod(p.folder.path, 01777); /* sticky does not help against a file that is not there yet */
    refused(&p, path, "mode 1777");
    chmod(p.folder.path, 0755);
    assert_int_equal(mkdir(folder_at(&p.folder, "folder.so"), 0755), 0);
    refused(&p, folder_at(&p.folder, "folder.so"), "no regular file");
    refused(&p, folder_put(&p.folder, "empty.so", "", 0), "1 byte");
    assert_int_equal(mkfifo(folder_at(&p.folder, "fifo.so"), 0600), 0);
    refused(&p, folder_at(&p.folder, "fifo.so"), "no regular file"); /* and does not wait for a writer */
    struct staged s;
    assert_int_equal(staging_copy(p.staged, folder_at(&p.folder, "x.so"), NULL, NULL, &s, NULL),
                     0); /* what was refused is accepted when put right */
    leave(&p);
}

static void a_link_is_judged_by_where_it_leads(void **state)
{
    (void) state;
    struct place p = place();
    struct staged s;
    assert_int_equal(mkdir(folder_at(&p.folder, "good"), 0755), 0);
    assert_int_equal(mkdir(folder_at(&p.folder, "open"), 0755), 0);
    folder_put(&p.folder, "good/x.so", text, strlen(text));
    folder_put(&p.folder, "open/x.so", text, strlen(text));
    chmod(folder_at(&p.folder, "open"), 0777);
    assert_int_equal(symlink("good/x.so", folder_at(&p.folder, "good.so")), 0);
    assert_int_equal(symlink("open/x.so", folder_at(&p.folder, "open.so")), 0);
    refused(&p, folder_at(&p.folder, "open.so"), "folder of plugin file");
    assert_int_equal(staging_copy(p.staged, folder_at(&p.folder, "good.so"), NULL, NULL, &s, NULL), 0);
    assert_string_equal(s.digest, text_digest);
    leave(&p);
}

static void every_folder_on_the_way_counts(void **state)
{
    (void) state;
    struct place p = place();
    struct staged s;
    assert_int_equal(mkdir(folder_at(&p.folder, "above"), 0755), 0);
    assert_int_equal(mkdir(folder_at(&p.folder, "above/plugins"), 0755), 0);
    const char *path = folder_put(&p.folder, "above/plugins/x.so", text, strlen(text));
    assert_int_equal(chmod(folder_at(&p.folder, "above"), 0777), 0);
    refused(&p, path,
            "above has owner"); /* who may write there puts another folder in the place of this one */
    assert_int_equal(chmod(folder_at(&p.folder, "above"), 01777), 0);
    assert_int_equal(staging_copy(p.staged, path, NULL, NULL, &s, NULL), 0); /* but not where it is sticky */
    leave(&p);
}

static void what_nobody_signed(void **state)
{
    (void) state;
    static char key[] = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    static char *keys[] = {key};
    const struct conf_texts trusted = {keys, 1}, nobody = {NULL, 0};
    struct place p = place();
    struct staged s = {.bytes = 77};
    struct err err = {0};
    const char *path = folder_put(&p.folder, "x.so", text, strlen(text));
    assert_int_equal(staging_copy(p.staged, path, &trusted, NULL, &s, &err), KILN_DENIED);
    assert_non_null(strstr(err.text, "x.so.minisig: No such file"));
    folder_put(&p.folder, "x.so.minisig", "untrusted comment: nothing\n", 27);
    assert_int_equal(staging_copy(p.staged, path, &trusted, NULL, &s, &err), KILN_DENIED);
    assert_non_null(strstr(err.text, "cut short"));
    assert_int_equal(s.bytes, 77);
    assert_int_equal(files(p.staged), 0);
    assert_int_equal(staging_copy(p.staged, path, &nobody, NULL, &s, &err), 0);
    leave(&p);
}

static void the_folder_is_ours_alone(void **state)
{
    (void) state;
    struct place p = place();
    struct stat st;
    struct err err = {0};
    int fd = -1;
    assert_int_equal(stat(p.staged, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_not_equal(staging_open(p.staged, &fd, &err), 0);
    assert_non_null(strstr(err.text, "another kilnd"));
    assert_int_equal(fd, -1);
    close(p.lock);
    assert_int_equal(chmod(p.staged, 0777), 0);
    assert_int_not_equal(staging_open(p.staged, &p.lock, &err), 0);
    assert_non_null(strstr(err.text, "mode 0777"));
    assert_int_equal(chmod(p.staged, 0700), 0);
    /* What an earlier life left is gone, finished or not. */
    fclose(fopen(strcat(strcpy((char[256]){0}, p.staged), "/old.so"), "w"));
    fclose(fopen(strcat(strcpy((char[256]){0}, p.staged), "/.new-abcdef"), "w"));
    assert_int_equal(files(p.staged), 2);
    assert_int_equal(staging_open(p.staged, &p.lock, &err), 0);
    assert_int_equal(files(p.staged), 0);
    leave(&p);
}

static void a_file_in_the_way_is_named(void **state)
{
    (void) state;
    struct folder f = folder_new();
    struct err err = {0};
    int fd = -1;
    folder_put(&f, "run", text, strlen(text));
    assert_int_not_equal(staging_open(folder_at(&f, "run/staged"), &fd, &err), 0);
    assert_string_equal(err.field, "run_dir");
    assert_non_null(strstr(err.text, "run/staged"));
    folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_named_by_its_contents),
        cmocka_unit_test(data_is_part_of_the_build),
        cmocka_unit_test(overwriting_the_original_changes_nothing),
        cmocka_unit_test(files_larger_than_a_chunk),
        cmocka_unit_test(what_others_may_change_is_refused),
        cmocka_unit_test(a_link_is_judged_by_where_it_leads),
        cmocka_unit_test(every_folder_on_the_way_counts),
        cmocka_unit_test(what_nobody_signed),
        cmocka_unit_test(the_folder_is_ours_alone),
        cmocka_unit_test(a_file_in_the_way_is_named),
    };
    umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
