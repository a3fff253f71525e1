/* SPDX-License-Identifier: MPL-2.0 */
/* Any text as the daemon's configuration. */
#include "fuzz.h"

#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct daemon_config *c = NULL;
    struct err err = {0};
    if (memmem(data, bytes, "@include", 8)) {
        return 0; /* of other files, which are the administrator's as this one is */
    }
    if (daemon_config_load(fuzz_file(data, bytes), &c, &err)) {
        HOLDS(err.text[0] && !c);
        return 0;
    }
    HOLDS(c->n_plugins > 0 && c->name[0]);
    for (size_t i = 0; i < c->n_plugins; i++) {
        struct plugin_config *copy = plugin_config_copy(&c->plugins[i]);
        HOLDS(plugin_config_equal(copy, &c->plugins[i]));
        plugin_config_free(&copy);
    }
    daemon_config_free(&c);
    return 0;
}
