/* SPDX-License-Identifier: MPL-2.0 */
#include "plugin_options.h"

#include <string.h>

#include "buf.h"
#include "conf.h"
#include "mem.h"

static void pack_text(struct buf *b, const char *text, const char *base)
{
    if (strncmp(text, "./", 2) != 0 && strncmp(text, "../", 3) != 0) {
        buf_put_text(b, text);
        return;
    }
    char *path = mem_text(text);
    conf_absolute(&path, base);
    buf_put_text(b, path);
    mem_free(path);
}

static void pack(struct buf *b, const config_setting_t *s, const char *base)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        buf_put_i64(b, config_setting_get_int64(s));
        return;
    case CONFIG_TYPE_FLOAT:
        buf_put_f64(b, config_setting_get_float(s));
        return;
    case CONFIG_TYPE_BOOL:
        buf_put_bool(b, config_setting_get_bool(s));
        return;
    case CONFIG_TYPE_STRING:
        pack_text(b, config_setting_get_string(s), base);
        return;
    case CONFIG_TYPE_GROUP:
        buf_put_map(b, (size_t) config_setting_length(s));
        break;
    default:
        buf_put_list(b, (size_t) config_setting_length(s));
    }
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *item = config_setting_get_elem(s, (unsigned) i);
        if (config_setting_is_group(s)) {
            buf_put_text(b, config_setting_name(item));
        }
        pack(b, item, base);
    }
}

int plugin_options_pack(const config_setting_t *group, const char *name, const char *base, size_t limit_bytes,
                        void **ret_data, size_t *ret_bytes, struct err *err)
{
    if (!group) {
        *ret_data = NULL;
        *ret_bytes = 0;
        return 0;
    }
    const char *file = config_setting_source_file(group);
    if (!config_setting_is_group(group)) {
        return err_set(err, KILN_INVALID, "options", "%s:%u: %s is not a group { ... }",
                       file ? file : "configuration", config_setting_source_line(group), name);
    }
    if (config_setting_length(group) == 0) {
        *ret_data = NULL;
        *ret_bytes = 0;
        return 0;
    }
    struct buf b;
    buf_init(&b, limit_bytes);
    pack(&b, group, base);
    if (b.failed) {
        buf_done(&b);
        return err_set(err, KILN_INVALID, "options",
                       "%s:%u: %s has more than %zu bytes as msgpack, expected at most that",
                       file ? file : "configuration", config_setting_source_line(group), name, limit_bytes);
    }
    *ret_data = b.data;
    *ret_bytes = b.bytes;
    return 0;
}
