/* SPDX-License-Identifier: MPL-2.0 */
/* Any file as a plugin's: looked at by `kiln check` for its symbols. */
#include "fuzz.h"

#include "daemon/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct buf hints = {0};
    check_elf(fuzz_file(data, bytes), &hints);
    buf_done(&hints);
    return 0;
}
