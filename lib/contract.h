/* SPDX-License-Identifier: MPL-2.0 */
/* contract - what a function takes and gives: rows of kiln/plugin.h, judged and compiled once, then used for
 * each job.
 *
 *     contract_new       judges the rows (a plugin wrote them: nothing is believed), compiles them to trees
 *     contract_bind      payload -> one slot for each parameter; every refusal names field, value and what
 *                        was expected
 *     contract_results   empties the result slots and allocates what has a fixed shape
 *     contract_grow      gives rows to a result whose length depends on the data
 *     contract_reply     result slots -> payload
 *     contract_describe  the rows as msgpack (docs/PROTOCOL.md, section 6)
 *
 * A contract is constant after contract_new and borrows the texts of the rows. Rules that the headers leave
 * open:
 *
 *   - a map without a row of its own that is not sent counts as empty: required members in it are missing. A
 *     map with its own row that is not sent leaves its members unset; the plugin asks the row's slot.
 *   - NaN in an array means "missing": it passes a range, and is refused by KILN_FINITE only. A scalar NaN
 *     passes neither a range nor KILN_FINITE.
 *   - a cell that a table's row leaves out takes the column's default; without one it is NaN in a column of
 *     floats that is neither required nor finite, and refused otherwise. A null cell reads as NaN, as in any
 *     list. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <kiln/plugin.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

enum { CONTRACT_SYMBOLS = 32, CONTRACT_DEPTH = 24 };

struct contract;

enum contract_form { CONTRACT_LIST, CONTRACT_ROWS, CONTRACT_ND };

/* What one job bound: the sizes of its symbols (-1: not bound) and the form its reply takes. */
struct bound {
    int64_t sizes[CONTRACT_SYMBOLS];
    enum contract_form form;
};

struct contract_rows {
    const struct kiln_row *rows;
    size_t n;
    size_t
        stride; /* bytes from one row to the next: row_size of the plugin's ABI; shorter ones end in zeros */
};

/* flags: enum kiln_function_flag. KILN_INVALID with a sentence such as "parameter "x": it needs a shape". */
int contract_new(const struct contract_rows *params, const struct contract_rows *results, uint32_t flags,
                 struct contract **ret_contract, struct err *err);
void contract_free(struct contract **contract);

size_t contract_params(const struct contract *c);
size_t contract_results_count(const struct contract *c);
const struct kiln_row *contract_param(const struct contract *c, size_t i);
const struct kiln_row *contract_result(const struct contract *c, size_t i);

/* Scans, decodes and checks. `slots` has contract_params() places. What the arguments need comes from
 * `arena`; bytes arguments point into the payload. KILN_INVALID or KILN_RESOURCE; ret_bound is filled on
 * success only. */
int contract_bind(const struct contract *c, const void *payload, size_t bytes, struct arena *arena,
                  struct kiln_slot *slots, struct bound *ret_bound, struct err *err);

int contract_results(const struct contract *c, const struct bound *bound, struct arena *arena,
                     struct kiln_slot *results, struct err *err);

/* NULL when there is no memory, or the result is none that grows. */
void *contract_grow(const struct contract *c, const struct bound *bound, struct arena *arena,
                    struct kiln_slot *results, size_t index, int64_t rows);

/* Appends the results map. KILN_INTERNAL when the plugin left something unsound in a slot; KILN_RESOURCE when
 * the buffer is full. */
int contract_reply(const struct contract *c, const struct bound *bound, const struct kiln_slot *results,
                   struct buf *out, struct err *err);

/* Appends the two members params and results of a contract map: key, list, key, list. */
void contract_describe(const struct contract *c, struct buf *out);
void contract_describe_params(const struct contract *c, struct buf *out); /* the list of params alone */

const char *contract_kind_name(uint32_t kind); /* "array" */

#endif
