/* SPDX-License-Identifier: MPL-2.0 */
/* contract_impl - a compiled contract, as the files contract*.c share it. Nobody else includes this. */
#ifndef CONTRACT_IMPL_H
#define CONTRACT_IMPL_H

#include <stdbool.h>

#include "contract.h"
#include "scan.h"

enum { MAX_MEMBERS = 512, NO_SLOT = -1 };

struct dim {
    int32_t symbol; /* -1: a number */
    int64_t size;   /* the number, or the least size of the symbol */
};

struct shape {
    uint32_t rank;
    struct dim dims[KILN_MAX_RANK];
};

/* One name at one place of the tree. */
struct member {
    const char *name; /* the last word of the path */
    uint32_t name_bytes;
    uint32_t index;             /* among all members of the side, for sets of bits */
    uint32_t place;             /* among its siblings */
    int32_t slot;               /* index of its row; NO_SLOT for a map without a row */
    uint32_t kind;              /* enum kiln_kind */
    uint32_t dtype;             /* resolved: never the default of an INT column */
    const char *path;           /* the row's name; of a map without a row: the name up to here */
    const void *fill;           /* columns: one element, the default of missing cells; NULL: none */
    const struct kiln_row *row; /* NULL for a map without a row */
    struct shape shape;
    bool column, ranged;
    struct member *parent, *first, *last, *next; /* next: sibling */
    uint32_t n_children;
};

struct side {
    struct kiln_row *rows; /* our own copies, of our own size */
    size_t n;
    struct member root;
    struct member **of_row; /* the member of each row */
    uint32_t n_members;
};

struct contract {
    struct arena store; /* everything below */
    struct side params, results;
    uint32_t n_symbols, n_bound_symbols; /* those below n_bound_symbols occur in a parameter */
    const char *symbols[CONTRACT_SYMBOLS];
    const char *bound_by[CONTRACT_SYMBOLS]; /* first parameter with it */
    const char *matrix;                     /* the first parameter that takes a matrix; NULL: none */
    int32_t extras;                         /* index of the row "*", or NO_SLOT */
    struct kiln_slot *defaults;             /* what the parameters' slots start from */
};

/* contract_default.c */
int contract_default(struct contract *c, struct member *m, struct err *err);

/* contract.c */
const struct member *contract_find(const struct member *map, const struct member *hint, const char *name,
                                   size_t bytes);

/* contract_range.c: 0, or the status with a sentence that names the element at fault. */
const char *contract_range_text(const struct kiln_row *row, char *out,
                                size_t bytes); /* "0..0.2", "> 0 and <= 1" */
int contract_check_scalar(const struct member *m, double v, struct err *err);
int contract_check_array(const struct member *m, const struct kiln_array *a, struct err *err);
const char *contract_element(const struct member *m, const struct kiln_array *a, int64_t i, char *out,
                             size_t bytes);
bool contract_choice(const char *choices, const char *text, size_t bytes);

/* contract_shape.c */
int contract_shape_parse(struct contract *c, const char *text, struct shape *ret_shape, char *why,
                         size_t why_bytes);
void contract_shape_show(const struct contract *c, const struct shape *shape, char *out, size_t bytes);
int contract_check_shapes(const struct contract *c, const struct kiln_slot *slots, struct bound *bound,
                          struct err *err);
bool contract_grows(const struct contract *c, const struct member *m, const struct bound *bound);

/* contract_bind.c, contract_table.c */
struct extras { /* what no row takes, for the row "*" */
    struct kiln_pair *pairs;
    uint32_t n, room;
};

struct binder {
    const struct contract *c;
    struct scan s;
    struct arena *arena;
    struct kiln_slot *slots;
    struct err *err;
    struct extras extras;
    bool nd, form_given;
    enum contract_form form;
    uint64_t seen[MAX_MEMBERS / 64], given[MAX_MEMBERS / 64];
};

int contract_bind_value(struct binder *b, const struct member *m);
int contract_bind_table(struct binder *b, const struct member *m);
const char *contract_expected(const struct member *m, char *out,
                              size_t bytes); /* "a number", "a list of numbers" */
int contract_unknown(struct binder *b, const struct member *map, const char *path, const struct token *key);
int contract_spent(struct binder *b, const char *path);

static inline bool bit_get(const uint64_t *set, uint32_t i)
{
    return set[i / 64] >> i % 64 & 1;
}

static inline void bit_set(uint64_t *set, uint32_t i)
{
    set[i / 64] |= UINT64_C(1) << i % 64;
}

#endif
