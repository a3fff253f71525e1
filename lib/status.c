/* SPDX-License-Identifier: MPL-2.0 */
#include "status.h"

#include <string.h>

struct row {
    const char *name;
    size_t name_bytes;
    const char *sentence;
    bool retryable;
    int exit;
};

static const struct row rows[KILN_STATUS_COUNT] = {
#define ROW(id, number, name, retryable, exit, sentence)                                                     \
    [number] = {name, sizeof(name) - 1, sentence, retryable, exit},
    KILN_STATUS_TABLE(ROW)
#undef ROW
};

static const struct row *row_of(int status)
{
    return &rows[status >= 0 && status < KILN_STATUS_COUNT ? status : KILN_INTERNAL];
}

const char *status_name(int status)
{
    return row_of(status)->name;
}

const char *status_sentence(int status)
{
    return row_of(status)->sentence;
}

bool status_retryable(int status)
{
    return row_of(status)->retryable;
}

int status_exit(int status)
{
    return row_of(status)->exit;
}

int status_parse(const char *name, size_t bytes)
{
    for (int i = 0; i < KILN_STATUS_COUNT; i++) {
        if (rows[i].name_bytes == bytes && memcmp(rows[i].name, name, bytes) == 0) {
            return i;
        }
    }
    return -1;
}
