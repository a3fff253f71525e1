/* SPDX-License-Identifier: MPL-2.0 */
/* pin - a build, with its settings, that shall not come in again by itself: it was rolled back from, or it failed its trial. It holds
 * for as long as the file and the settings are the same. */
#ifndef PIN_H
#define PIN_H

#include <stdbool.h>

#include "config.h"
#include "staging.h"
#include "swap.h"

struct pin {
    char digest[STAGING_DIGEST_CHARS + 1]; /* "": there is none */
    struct plugin_config *plugin;
    char why[256];
};

void pin_set(struct pin *p, const char *digest, const struct plugin_config *plugin, const char *why);
void pin_clear(struct pin *p);

enum pin_verdict {
    PIN_NONE,  /* nothing is held against it; the pin is cleared */
    PIN_HOLDS, /* it does not come */
    PIN_BUILD, /* the settings are other ones, and may come, but with the build that serves */
};

/* What the pin says of a build with a configuration. serving: the digest that serves. */
enum pin_verdict pin_judge(struct pin *p, const char *digest, const struct plugin_config *plugin,
                           const char *serving, const struct swap_terms *terms);

#endif
