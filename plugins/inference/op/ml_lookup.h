/* SPDX-License-Identifier: MPL-2.0 */
/* ml_lookup - from a key to its number in a list: texts, whole numbers or floats. Sorted, so that no list is slow. A key that
 * is listed twice has its first number; NaN is a key like others. */
#ifndef INFERENCE_OP_ML_LOOKUP_H
#define INFERENCE_OP_ML_LOOKUP_H

#include "../op.h"

enum ml_key_kind { ML_KEY_INT, ML_KEY_FLOAT, ML_KEY_TEXT };

struct ml_key {
    union {
        int64_t i;
        double f;
        struct text text;
    };
    size_t number;
};

struct ml_lookup {
    enum ml_key_kind kind;
    size_t n;
    const struct ml_key *keys;
};

/* Keys are element 0 .. n - 1 of a tensor of strings, floats or whole numbers; its texts are kept by address. KILN_OK or
 * KILN_RESOURCE. The memory is the model's. */
int ml_lookup_make(struct step *s, const struct tensor *keys, struct ml_lookup *ret);

/* The number of element i of t, which is of the kind of the keys (ml_lookup_fits); SIZE_MAX when there is none. Floats that are
 * looked for among whole numbers lose what stands behind the point. */
size_t ml_lookup_find(const struct ml_lookup *l, const struct tensor *t, int64_t i);
bool ml_lookup_fits(const struct ml_lookup *l, enum dtype dtype);

#endif
