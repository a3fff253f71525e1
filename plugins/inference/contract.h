/* SPDX-License-Identifier: MPL-2.0 */
/* contract - what the inputs of a model should look like, and whether they do: contract.json in its
 * folder, name.contract.json beside name.onnx.
 *
 *     {"inputs": {"x": {"columns": [{"name": "age", "min": 0, "max": 120, "sample": [31, 44, 27.5]},
 *                                   {"name": "income"}],
 *                       "out_of_range": "count"}},
 *      "classes": ["bear", "flat", "bull"]}
 *
 * There is a column for each element of the input's last dimension; all of its members but the name may be
 * left out. Values beyond min and max are counted, or refused. `sample` is a sample of the training data,
 * or quantiles of it: what comes in is counted in bins of equal shares of the sample, which tells how far
 * it drifted (population stability index). NaN counts as missing.
 *
 * It is the model's for as long as it is listed: counters outlive an eviction. */
#ifndef INFERENCE_CONTRACT_H
#define INFERENCE_CONTRACT_H

#include "model.h"

enum { CONTRACT_BINS = 10 };

struct column {
    const char *name;
    double min, max;
    int n_bins; /* 0: no sample */
    double edges[CONTRACT_BINS],
        expected[CONTRACT_BINS]; /* upper edge of a bin (the last has none); its share of the sample */
    uint64_t counts[CONTRACT_BINS], seen, missing, out_of_range;
};

struct contract_input {
    int n_columns; /* 0: nothing is said of it */
    struct column *columns;
    bool refuse;
};

struct contract {
    struct pool pool;
    struct contract_input *inputs; /* of the model, in its order */
    int n_classes;
    const char **classes;
};

/* NULL with why->status KILN_OK: there is no such file. */
struct contract *contract_load(const char *path, const struct model *m, struct budget *budget,
                               struct refusal *why);
void contract_free(struct contract **c);
/* Elements of input i, t->data: counted, and refused when they are to be. */
int contract_see(struct contract *c, const struct model *m, int input, const struct tensor *t,
                 struct refusal *why);
/* Population stability index of what a column has seen; NaN before it saw anything or without a sample. */
double column_drift(const struct column *c);

#endif
