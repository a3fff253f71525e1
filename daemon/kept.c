/* SPDX-License-Identifier: MPL-2.0 */
#include "kept.h"

#include "mem.h"

void kept_init(struct kept *k)
{
    *k = (struct kept){.ring = mem_alloc(KEPT_MESSAGES * sizeof *k->ring)};
}

static void release(struct kept *k, struct kept_done *d)
{
    for (size_t i = 0; i < d->n_frames; i++) {
        zmq_msg_close(&d->frames[i]);
    }
    mem_free(d->frames);
    mem_free(d->tokens);
    k->bytes -= d->bytes;
    k->tokens -= d->n_tokens;
    *d = (struct kept_done){0};
}

static void drop_first(struct kept *k)
{
    release(k, kept_at(k, 0));
    k->first = (k->first + 1) % KEPT_MESSAGES;
    k->n--;
}

void kept_finish(struct kept *k)
{
    while (k->n > 0) {
        drop_first(k);
    }
    mem_free(k->ring);
    *k = (struct kept){0};
}

struct kept_done *kept_add(struct kept *k, uint64_t seq, size_t n_frames, size_t n_tokens)
{
    if (k->n == KEPT_MESSAGES) {
        drop_first(k);
    }
    struct kept_done *d = kept_at(k, k->n++);
    *d = (struct kept_done){.seq = seq, .n_frames = n_frames, .n_tokens = n_tokens};
    d->frames = mem_alloc(n_frames * sizeof *d->frames);
    d->tokens = mem_alloc(n_tokens * sizeof *d->tokens);
    k->tokens += n_tokens;
    return d;
}

void kept_weigh(struct kept *k, struct kept_done *d)
{
    for (size_t i = 1; i < d->n_frames; i++) {
        d->bytes += zmq_msg_size(&d->frames[i]);
    }
    k->bytes += d->bytes;
}

void kept_stored(struct kept *k, uint64_t seq)
{
    while (k->n > 0 && kept_at(k, 0)->seq <= seq) {
        drop_first(k);
    }
}

static bool is_lost(const struct kept_done *d, const msgpack_object_array *lost)
{
    size_t known = d->n_tokens;
    for (size_t t = 0; t < d->n_tokens; t++) {
        for (uint32_t i = 0; i < lost->size; i++) {
            const msgpack_object *o = &lost->ptr[i];
            if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 == d->tokens[t]) {
                known--;
                break;
            }
        }
    }
    return known == 0;
}

void kept_lost(struct kept *k, const msgpack_object_array *lost)
{
    /* Each message goes round the ring once, to its end, unless it is dropped: the order stays. */
    for (size_t left = k->n; left > 0; left--) {
        struct kept_done d = *kept_at(k, 0);
        k->first = (k->first + 1) % KEPT_MESSAGES;
        k->n--;
        if (is_lost(&d, lost)) {
            release(k, &d);
        } else {
            *kept_at(k, k->n++) = d;
        }
    }
}

bool kept_full(const struct kept *k)
{
    /* Half of the messages are spare: with credit given, that many may still have to be kept. */
    return k->n > KEPT_MESSAGES / 2 || k->bytes > KEPT_BYTES || k->tokens > KEPT_TOKENS;
}
