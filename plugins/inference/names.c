/* SPDX-License-Identifier: MPL-2.0 */
#include "names.h"

#include <stdint.h>
#include <string.h>

bool names_init(struct names *t, struct pool *pool, size_t most)
{
    t->size = 16;
    while (t->size <= 2 * most) {
        t->size *= 2;
    }
    t->keys = pool_array(pool, t->size, sizeof *t->keys);
    t->numbers = pool_array(pool, t->size, sizeof *t->numbers);
    return t->keys && t->numbers;
}

static size_t slot(const struct names *t, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = name; *c; c++) {
        hash = (hash ^ (unsigned char) *c) * 0x100000001b3u;
    }
    size_t i = (size_t) (hash ^ hash >> 32) & (t->size - 1);
    while (t->keys[i] && strcmp(t->keys[i], name) != 0) {
        i = (i + 1) & (t->size - 1);
    }
    return i;
}

int names_find(const struct names *t, const char *name)
{
    const size_t i = slot(t, name);
    return t->keys[i] ? t->numbers[i] : -1;
}

bool names_add(struct names *t, const char *name, int number)
{
    const size_t i = slot(t, name);
    if (t->keys[i]) {
        return false;
    }
    t->keys[i] = name;
    t->numbers[i] = number;
    return true;
}
