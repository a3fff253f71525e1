/* SPDX-License-Identifier: MPL-2.0 */
/* Any text as a signature: nothing is one, since the key is nobody's. */
#include "fuzz.h"

#include "daemon/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static char key[] = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    static char *keys[] = {key};
    static const struct conf_texts trusted = {keys, 1};
    static const unsigned char hash[SIGNATURE_HASH_BYTES];
    struct err err = {0};
    if (bytes > 8192) {
        return 0;
    }
    char *text = malloc(bytes + 1);
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    signature_is_key(text);
    HOLDS(signature_judge(&trusted, "x.minisig", text, hash, &err) == KILN_DENIED && err.text[0]);
    free(text);
    return 0;
}
