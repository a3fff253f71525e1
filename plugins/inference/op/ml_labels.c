/* SPDX-License-Identifier: MPL-2.0 */
#include "ml_labels.h"

#include <string.h>

#include "../graph.h"

/* The operators do not agree on a name for whole numbers. */
static const char *const names[] = {"classlabels_int64s", "classlabels_ints", "classlabels_strings"};

static void take(const struct attr *a, struct ml_labels *ret)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (a->n && strcmp(a->name, names[i]) == 0) {
            ret->n = a->n;
            ret->ints = a->type == ATTR_INTS ? a->ints : ret->ints;
            ret->texts = a->type == ATTR_TEXTS ? a->texts : ret->texts;
        }
    }
}

bool ml_labels(const struct node *node, struct ml_labels *ret)
{
    struct ml_labels found = {0};
    for (size_t i = 0; strcmp(node->op->domain, "ai.onnx.ml") == 0 && i < node->n_attrs; i++) {
        take(&node->attrs[i], &found);
    }
    if (!found.ints == !found.texts) {
        return false;
    }
    *ret = found;
    return true;
}

int ml_labels_read(struct step *s, struct ml_labels *ret)
{
    return ml_labels(s->node, ret)
               ? KILN_OK
               : step_fail(
                     s, "expected class labels, either classlabels_int64s (or _ints) or classlabels_strings");
}

int ml_labels_output(struct step *s, const struct ml_labels *labels, int64_t rows)
{
    return step_output(s, 0, labels->texts ? DT_STRING : DT_I64, 1, &rows);
}
