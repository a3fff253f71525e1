/* SPDX-License-Identifier: MPL-2.0 */
/* Signatures that minisign 0.11 made, of a file with the text "hello\n", and what becomes of them when they are damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "daemon/signature.h"

#define KEY       "RWTEVjpz5bP2iKhODv2jfzKSrKcRsFz1ydF0cYqJQTq7cTO4Ib5ORHSc"
#define OTHER_KEY "RWQWmivEWMMwnAMHXgFww1/poFQcWmDxqUJs5osisxUKmVPo3RB1IAZz"
#define KEY_ID    "88F6B3E5733A56C4"
#define SIGNED                                                                                               \
    "untrusted comment: signature from minisign secret key\n"                                                \
    "RUTEVjpz5bP2iLzgBVKBV8+cBJCv7/j1rS6sqwfDWPXLlCqmJLkqvEeA84Xy5JMT3wT9uOP+4uYF0YdBVW2HlqzUuhVCPTXCQAc=\n" \
    "trusted comment: timestamp:1795250411	file:f	hashed\n"                                                  \
    "9M8u1ttOZI0itcFhUVOEmWU7HLxfOQgnzPMPkGqkyoZdUjlSY0f4yEtjorMkvk3u/+Sz+Q0T0YeQU9KUhZgRCw==\n"
#define OLD_KIND                                                                                             \
    "untrusted comment: signature from minisign secret key\n"                                                \
    "RWTEVjpz5bP2iHSfMuL6eoWkqj/RlcaN7y1i8iQw5edtOQlgx3eEleo+UidA1Sz+WcfcRbZdQrIvfVYtv/Z1/BysVVOQtFDZxA8=\n" \
    "trusted comment: timestamp:1795250411	file:f\n"                                                         \
    "h+AXv2R9xetB9QlOgMPE+jt4/yh9RlnjI/7+QRfCz3SMG+oFENCYc9nYjvLhynhp6/OC4cWf2dNz3vUF/la7BA==\n"

static unsigned char hash[SIGNATURE_HASH_BYTES];
static char key[] = KEY, other_key[] = OTHER_KEY;
static char *both_keys[] = {other_key, key};
static const struct conf_texts trusted = {both_keys, 2}, stranger = {both_keys, 1};

static int set_up(void **state)
{
    (void) state;
    crypto_generichash(hash, sizeof hash, (const unsigned char *) "hello\n", 6, NULL, 0);
    return sodium_init() < 0;
}

static void judged(const struct conf_texts *keys, const char *text, const char *part)
{
    char copy[1024];
    struct err err = {0};
    snprintf(copy, sizeof copy, "%s", text);
    int status = signature_judge(keys, "x.so.minisig", copy, hash, &err);
    if (!part) {
        assert_int_equal(status, 0);
        return;
    }
    assert_int_equal(status, KILN_DENIED);
    if (!strstr(err.text, part)) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
    }
}

static void what_minisign_signed(void **state)
{
    (void) state;
    judged(&trusted, SIGNED, NULL);
    judged(&stranger, SIGNED, "was made with key " KEY_ID);
    judged(&trusted, OLD_KIND, "old kind");
    hash[17] ^= 1;
    judged(&trusted, SIGNED, "does not fit the file");
    hash[17] ^= 1;
}

static void damaged(void **state)
{
    (void) state;
    char text[1024];
    const char *good = SIGNED;
    /* Cut anywhere, it is refused; but for the line's end. */
    for (size_t n = 0; n + 1 < strlen(good); n++) {
        snprintf(text, sizeof text, "%.*s", (int) n, good);
        struct err err = {0};
        assert_int_equal(signature_judge(&trusted, "x", text, hash, &err), KILN_DENIED);
        assert_true(err.text[0]);
    }
    /* Any character changed, it is refused; but for the comment that nobody vouches for. */
    for (size_t i = strcspn(good, "\n") + 1; i + 1 < strlen(good); i++) {
        snprintf(text, sizeof text, "%s", good);
        text[i] = text[i] == 'B' ? 'C' : 'B';
        assert_int_equal(signature_judge(&trusted, "x", text, hash, NULL), KILN_DENIED);
    }
    judged(&trusted, "", "cut short");
    judged(&trusted, "untrusted comment: x\n\ntrusted comment: y\n\n", "none of minisign");
}

static void a_changed_comment(void **state)
{
    (void) state;
    char text[1024];
    snprintf(text, sizeof text, "%s", SIGNED);
    char *at = strstr(text, "timestamp:");
    assert_non_null(at);
    at[10] ^= 1;
    judged(&trusted, text, "trusted comment that was changed");
}

static void keys(void **state)
{
    (void) state;
    assert_true(signature_is_key(KEY));
    assert_true(signature_is_key(OTHER_KEY));
    assert_false(signature_is_key(""));
    assert_false(signature_is_key("RW"));
    assert_false(signature_is_key(KEY "AAAA"));
    assert_false(signature_is_key("!" KEY));
    assert_false(signature_is_key("AAAAVjpz5bP2iKhODv2jfzKSrKcRsFz1ydF0cYqJQTq7cTO4Ib5ORHSc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_minisign_signed),
        cmocka_unit_test(damaged),
        cmocka_unit_test(a_changed_comment),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
