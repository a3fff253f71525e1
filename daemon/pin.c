/* SPDX-License-Identifier: MPL-2.0 */
#include "pin.h"

#include <stdio.h>
#include <string.h>

void pin_clear(struct pin *p)
{
    plugin_config_free(&p->plugin);
    *p = (struct pin){0};
}

void pin_set(struct pin *p, const char *digest, const struct plugin_config *plugin, const char *why)
{
    struct plugin_config *copy = plugin_config_copy(plugin);
    pin_clear(p);
    p->plugin = copy;
    snprintf(p->digest, sizeof p->digest, "%s", digest);
    snprintf(p->why, sizeof p->why, "%s", why);
}

enum pin_verdict pin_judge(struct pin *p, const char *digest, const struct plugin_config *plugin,
                           const char *serving, const struct swap_terms *terms)
{
    if (!p->digest[0]) {
        return PIN_NONE;
    }
    bool build = strcmp(p->digest, digest) == 0, asked = terms->force || terms->trial.kind;
    if (build && !asked && plugin_config_equal(p->plugin, plugin)) {
        return PIN_HOLDS;
    }
    if (build && !asked && strcmp(p->digest, serving) != 0) {
        return PIN_BUILD;
    }
    pin_clear(p); /* another file, other settings of what serves, or it was asked for in so many words */
    return PIN_NONE;
}
