/* SPDX-License-Identifier: MPL-2.0 */
/* folder - for tests: a private temporary folder, files in it, and its removal. */
#ifndef FOLDER_H
#define FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct folder {
    char path[64];
};

__attribute__((unused)) static struct folder folder_new(void)
{
    struct folder f;
    snprintf(f.path, sizeof f.path, "/tmp/kiln-test-XXXXXX");
    assert_non_null(mkdtemp(f.path));
    return f;
}

/* "<folder>/<name>", in a buffer that the fourth next call uses again. */
__attribute__((unused)) static const char *folder_at(const struct folder *f, const char *name)
{
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", f->path, name);
    return path;
}

__attribute__((unused)) static const char *folder_put(const struct folder *f, const char *name,
                                                      const void *data, size_t bytes)
{
    const char *path = folder_at(f, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
    return path;
}

__attribute__((unused)) static void folder_remove(const struct folder *f)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", f->path);
    assert_int_equal(system(command), 0);
}

#endif
