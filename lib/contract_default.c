/* SPDX-License-Identifier: MPL-2.0 */
/* contract_default - the default of a row: JSON text, bound once by the rules that hold for arguments. */
#include <string.h>

#include "array.h"
#include "contract_impl.h"
#include "json.h"

static int fill_of_column(struct contract *c, struct member *m, struct scan *s, struct err *err)
{
    struct token t;
    char shown[80];
    void *fill = arena_alloc(&c->store, sizeof(double), NULL);
    if (!fill || !scan_next(s, &t)) {
        return err_set(err, KILN_RESOURCE, NULL, "there is no memory for the contract");
    }
    const char *expected = array_set(&t, m->dtype, fill, 0);
    if (expected) {
        return err_set(err, KILN_INVALID, NULL, "is %s, expected %s", scan_show(&t, shown, sizeof shown),
                       expected);
    }
    m->fill = fill;
    struct kiln_array one = {.data = fill, .dtype = m->dtype, .rank = 1, .shape = {1}, .count = 1};
    return contract_check_array(m, &one, err);
}

int contract_default(struct contract *c, struct member *m, struct err *err)
{
    struct buf text;
    buf_init(&text, (size_t) 1 << 20);
    int status = json_to_msgpack(m->row->fallback, strlen(m->row->fallback), NULL, &text, err);
    if (status == 0) {
        /* A copy in the store: bytes are not copied when they are bound. */
        char *kept = arena_text(&c->store, (const char *) text.data, text.bytes);
        struct binder b = {.c = c, .arena = &c->store, .slots = c->defaults, .err = err};
        if (!kept) {
            status = err_set(err, KILN_RESOURCE, NULL, "there is no memory for the contract");
        } else {
            b.s = scan_over(kept, text.bytes);
            status = m->column ? fill_of_column(c, m, &b.s, err) : contract_bind_value(&b, m);
        }
    }
    c->defaults[m->slot].present = 0;
    buf_done(&text);
    return status;
}
