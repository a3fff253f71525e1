/* SPDX-License-Identifier: MPL-2.0 */
/* One value as an array of each type and rank; what is accepted is written in both forms and read again. The first byte chooses. */
#include "fuzz.h"

#include "array.h"
#include "scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const uint32_t dtypes[] = {KILN_F64, KILN_F32, KILN_I64, KILN_U8};
    static struct arena arena;
    static bool ready;
    if (!ready) {
        arena_init(&arena, 1 << 20);
        ready = true;
    }
    if (bytes < 1 ||
        scan_check(data + 1, bytes - 1, &(struct scan_limits){.depth = 24, .items = 100000}, NULL)) {
        return 0;
    }
    const struct array_want want = {
        .name = "x", .dtype = dtypes[data[0] & 3], .rank = data[0] >> 2 & 3, .row = data[0] >> 4 & 1};
    struct scan s = scan_over(data + 1, bytes - 1);
    struct kiln_array a, again;
    struct err err = {0};
    bool nd = false;
    arena_reset(&arena);
    if (array_decode(&s, &want, &arena, &a, &nd, &err)) {
        HOLDS(err.text[0]);
        return 0;
    }
    HOLDS(s.at == s.end && a.dtype == want.dtype && (want.rank == 0 || a.rank == want.rank));
    struct buf out = {0};
    array_put(&out, &a, true);
    s = scan_over(out.data, out.bytes);
    HOLDS(array_decode(&s, &want, &arena, &again, &nd, &err) == 0 && nd && again.count == a.count);
    HOLDS(!a.count || memcmp(a.data, again.data, (size_t) a.count * array_item_bytes(a.dtype)) == 0);
    buf_clear(&out);
    array_put(&out, &a, false);
    buf_done(&out);
    return 0;
}
