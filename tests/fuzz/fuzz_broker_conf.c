/* SPDX-License-Identifier: MPL-2.0 */
/* Any text as the broker's configuration. */
#include "fuzz.h"

#include "broker/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct config c;
    struct err err = {0};
    if (memmem(data, bytes, "@include", 8)) {
        return 0; /* of other files, which are the administrator's as this one is */
    }
    if (config_load(fuzz_file(data, bytes), &c, &err)) {
        HOLDS(err.text[0]);
    } else {
        config_done(&c);
    }
    return 0;
}
