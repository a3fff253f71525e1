/* SPDX-License-Identifier: MPL-2.0 */
/* Trees of results. */
#include <string.h>

#include "functions.h"

int fail_as(struct kiln_call *call, const struct refusal *why, const char *field)
{
    return call->host->fail(call, why->status, field, "%s", why->text);
}

struct kiln_value value_text(struct kiln_call *call, const char *text)
{
    const size_t bytes = text ? strlen(text) : 0;
    char *copy = text ? call->host->alloc(call, bytes + 1) : NULL;
    if (!copy) {
        return (struct kiln_value){.type = KILN_V_NULL};
    }
    memcpy(copy, text, bytes + 1);
    text_clean(copy, bytes);
    return (struct kiln_value){.type = KILN_V_STRING, .text = copy, .count = (uint32_t) bytes};
}

struct kiln_value value_int(int64_t i)
{
    return (struct kiln_value){.type = KILN_V_INT, .i = i};
}

struct kiln_value value_float(double f)
{
    return (struct kiln_value){.type = KILN_V_FLOAT, .f = f};
}

struct kiln_value value_bool(bool b)
{
    return (struct kiln_value){.type = KILN_V_BOOL, .i = b};
}

struct kiln_value *value_list(struct kiln_call *call, uint32_t n, struct kiln_value *ret)
{
    struct kiln_value *items = call->host->alloc(call, n * sizeof *items);
    *ret = (struct kiln_value){.type = KILN_V_LIST, .count = items ? n : 0, .list = items};
    if (items) {
        memset(items, 0, n * sizeof *items);
    }
    return items;
}

struct kiln_pair *value_map(struct kiln_call *call, uint32_t most, struct kiln_value *ret)
{
    struct kiln_pair *pairs = call->host->alloc(call, most * sizeof *pairs);
    *ret = (struct kiln_value){.type = KILN_V_MAP, .map = pairs};
    return pairs;
}

void value_put(struct kiln_value *map, const char *key, struct kiln_value value)
{
    struct kiln_pair *pairs = (struct kiln_pair *) (uintptr_t) map->map; /* made by value_map */
    if (pairs) {
        pairs[map->count++] = (struct kiln_pair){.key = key, .value = value};
    }
}
