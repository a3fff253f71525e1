/* SPDX-License-Identifier: MPL-2.0 */
#include "frontend.h"
#include "outbox.h"

/* Who may come in by tcp: public keys are no secrets, but whose they are is the admins' business. */
int frontend_keys(struct broker *b, struct ask *a, struct err *err)
{
    (void) err;
    struct buf made = {0};
    size_t at = buf_open_list(&made), n = 0;
    for (const struct user *u = gate_first(b); u; u = gate_next(b)) {
        buf_put_map(&made, 3);
        buf_put_str_const(&made, "name");
        buf_put_text(&made, u->name);
        buf_put_str_const(&made, "roles");
        buf_put_text(&made, roles_text(u->roles));
        buf_put_str_const(&made, "key");
        buf_put_text(&made, u->key);
        n++;
    }
    buf_close(&made, at, n);
    zmq_msg_t *parts = outbox_parts(b, 1);
    zmq_msg_init_size(&parts[0], made.bytes);
    memcpy(zmq_msg_data(&parts[0]), made.data, made.bytes);
    buf_done(&made);
    struct buf *out = answer_begin(b, a, "keys", 1);
    buf_put_str_const(out, "status");
    buf_put_str_const(out, "ok");
    answer_send(b, a, 1);
    return 0;
}
