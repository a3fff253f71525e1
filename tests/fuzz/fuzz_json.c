/* SPDX-License-Identifier: MPL-2.0 */
/* Any text as JSON: refused with words, or msgpack that is sound and prints as JSON again. */
#include "fuzz.h"

#include "json.h"
#include "scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct buf out = {0}, text = {0};
    struct err err = {0};
    if (json_to_msgpack((const char *) data, bytes, NULL, &out, &err)) {
        HOLDS(err.text[0]);
    } else {
        HOLDS(scan_check(out.data, out.bytes, &(struct scan_limits){.depth = 25, .items = UINT32_MAX},
                         NULL) == 0);
        json_from_msgpack(out.data, out.bytes, JSON_STYLE_PRETTY, &text, &err);
    }
    buf_done(&out);
    buf_done(&text);
    return 0;
}
