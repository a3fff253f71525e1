/* SPDX-License-Identifier: MPL-2.0 */
/* plugin_options - the options of a plugin, from the configuration file to the msgpack map that engine_load() takes. */
#ifndef PLUGIN_OPTIONS_H
#define PLUGIN_OPTIONS_H

#include <stddef.h>

#include <libconfig.h>

#include "err.h"

/* Packs a group with everything below it. NULL or an empty group gives NULL and 0. The bytes are the caller's (mem_free).
 * `name` is what the group is called in messages. */
int plugin_options_pack(const config_setting_t *group, const char *name, size_t limit_bytes, void **ret_data,
                        size_t *ret_bytes, struct err *err);

#endif
