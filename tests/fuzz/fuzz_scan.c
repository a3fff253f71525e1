/* SPDX-License-Identifier: MPL-2.0 */
/* Any bytes as msgpack: what passes the scan can be walked to its end, printed as JSON, and read back. */
#include "fuzz.h"

#include "json.h"
#include "scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const struct scan_limits limits = {.depth = 24, .items = 100000};
    struct buf text = {0}, again = {0};
    struct err err = {0};
    struct token t;
    for (struct scan s = scan_over(data, bytes); scan_next(&s, &t);) {
        char shown[40];
        HOLDS(strlen(scan_show(&t, shown, sizeof shown)) < sizeof shown);
    }
    if (scan_check(data, bytes, &limits, &err)) {
        HOLDS(err.text[0]);
        return 0;
    }
    struct scan s = scan_over(data, bytes);
    HOLDS(scan_skip(&s) && s.at == s.end);
    if (json_from_msgpack(data, bytes, JSON_STYLE_COMPACT, &text, NULL) == 0 &&
        json_to_msgpack((const char *) text.data, text.bytes, NULL, &again, NULL) == 0) {
        HOLDS(scan_check(again.data, again.bytes, &limits, NULL) == 0);
    }
    buf_done(&text);
    buf_done(&again);
    return 0;
}
