/* SPDX-License-Identifier: MPL-2.0 */
/* plugin_options - the options of a plugin, from the configuration file to the msgpack map that engine_load() takes. */
#ifndef PLUGIN_OPTIONS_H
#define PLUGIN_OPTIONS_H

#include <stddef.h>

#include <libconfig.h>

#include "err.h"

/* Packs a group with everything below it. NULL or an empty group gives NULL and 0. The bytes are the caller's (mem_free).
 * `name` is what the group is called in messages.
 *
 * The host does not know which options are paths: a text that begins with ./ or ../ is one, and starts from `base`, the folder
 * of the configuration file, as all its paths do. Any other text stays as it is. */
int plugin_options_pack(const config_setting_t *group, const char *name, const char *base, size_t limit_bytes,
                        void **ret_data, size_t *ret_bytes, struct err *err);

#endif
