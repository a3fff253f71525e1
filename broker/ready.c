/* SPDX-License-Identifier: MPL-2.0 */
#include "ready.h"

void ready_add(struct broker *b, struct function *fn)
{
    if (fn->ready || fn->paused) {
        return;
    }
    fn->ready = true;
    fn->passed_from = 0;
    if (!b->ready) {
        fn->next_ready = fn->prev_ready = fn;
        b->ready = fn;
        return;
    }
    /* Before the one whose turn is next: behind all others. */
    fn->next_ready = b->ready;
    fn->prev_ready = b->ready->prev_ready;
    fn->prev_ready->next_ready = fn;
    fn->next_ready->prev_ready = fn;
}

void ready_drop(struct broker *b, struct function *fn)
{
    if (!fn->ready || (fn->queue.count && !fn->paused)) {
        return;
    }
    fn->ready = false;
    if (fn->next_ready == fn) {
        b->ready = NULL;
    } else {
        fn->prev_ready->next_ready = fn->next_ready;
        fn->next_ready->prev_ready = fn->prev_ready;
        if (b->ready == fn) {
            b->ready = fn->next_ready;
        }
    }
    fn->next_ready = fn->prev_ready = NULL;
}
