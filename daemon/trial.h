/* SPDX-License-Identifier: MPL-2.0 */
/* trial - what a new generation shows before it takes over: on copies of live jobs (shadow), or with a share of them (canary).
 *
 * The supervisor's half: it sums what the workers tell and judges. A shadow's workers tell of each copy in a note; what a
 * canary and the serving generation do stands on the scoreboard.
 *
 *     trial_new(&terms, serving, coming, now)     its workers are known to the broker
 *     trial_compared(t, note)                     shadow: one job
 *     trial_judge(t, now, ...)                    until it does not say GOES_ON
 *     trial_put(t, &b)                            the report
 *     trial_free(&t) */
#ifndef TRIAL_H
#define TRIAL_H

#include "histogram.h"
#include "swap.h"

struct generation;
struct member_ending;
struct note;
struct slot;
struct trial;

struct trial *trial_new(const struct trial_terms *terms, struct generation *serving,
                        struct generation *coming, int64_t now_ns);
void trial_free(struct trial **trial);

uint32_t trial_number(const struct trial *t); /* under which workers count; never 0, never used twice */

/* A worker of either generation came to its end; its slot is as it left it. */
void trial_lost(struct trial *t, const struct generation *g, const struct slot *slot,
                const struct member_ending *ending);

void trial_compared(struct trial *t, const struct note *n);

enum trial_verdict { TRIAL_GOES_ON, TRIAL_PASSED, TRIAL_FAILED };

/* FAILED: `why` says it. GOES_ON: *ret_until_ns is when to ask again. */
enum trial_verdict trial_judge(struct trial *t, int64_t now_ns, char *why, size_t why_bytes,
                               int64_t *ret_until_ns);

void trial_put(const struct trial *t, struct buf *b);

/* "shadow 137/500" */
void trial_progress(const struct trial *t, char *out, size_t bytes);

#endif
