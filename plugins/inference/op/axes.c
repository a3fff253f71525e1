/* SPDX-License-Identifier: MPL-2.0 */
#include "axes.h"

#include <string.h>

int ints_read(struct step *s, int input, const char *name, int most, struct ints *ret)
{
    const int64_t *from = NULL;
    const struct tensor *t = NULL;
    struct ints list = {0};
    int64_t n;
    if (input < 0) {
        n = (int64_t) step_ints(s, name, &from);
        list.given = step_has(s, name);
    } else {
        t = input < s->n_in ? s->in[input] : NULL;
        list.given = t != NULL;
        n = t ? t->count : 0;
        if (t && ((t->dtype != DT_I64 && t->dtype != DT_I32) || t->rank > 1)) {
            char text[80];
            return step_fail(s, "%s is %s, expected a list of int64", name,
                             tensor_text(t, text, sizeof(text)));
        }
    }
    if (n > most) {
        return step_fail(s, "%s has %lld elements, expected at most %d", name, (long long) n, most);
    }
    if (t && n > 0 && !t->data) {
        return step_needs(s, input);
    }
    list.n = (int) n;
    for (int i = 0; i < list.n; i++) {
        list.of[i] = from ? from[i] : tensor_int(t, i);
    }
    *ret = list;
    return KILN_OK;
}

int ints_read_one(struct step *s, int input, const char *name, int64_t *ret)
{
    struct ints list;
    int rc = ints_read(s, input, name, 1, &list);
    if (rc) {
        return rc;
    }
    if (list.n != 1) {
        return step_fail(s, "%s has no element, expected one", name);
    }
    *ret = list.of[0];
    return KILN_OK;
}

int axes_read(struct step *s, int input, int rank, struct axes *ret)
{
    struct ints list;
    int rc = ints_read(s, input, "axes", TENSOR_RANK, &list);
    if (rc) {
        return rc;
    }
    struct axes axes = {.given = list.given, .n = list.n};
    for (int i = 0; i < list.n; i++) {
        int axis = axis_of(list.of[i], rank);
        if (axis < 0 || axes.has[axis]) {
            return step_fail(s, axis < 0 ? "axes has %lld, expected %d to %d" : "axes has %lld twice",
                             (long long) list.of[i], -rank, rank - 1);
        }
        axes.of[i] = axis;
        axes.has[axis] = true;
    }
    *ret = axes;
    return KILN_OK;
}

int axis_read(struct step *s, int64_t fallback, int rank, int *ret)
{
    int64_t wanted = step_int(s, "axis", fallback);
    int axis = axis_of(wanted, rank);
    if (axis < 0) {
        return step_fail(s, "attribute axis is %lld, expected %d to %d", (long long) wanted, -rank, rank - 1);
    }
    *ret = axis;
    return KILN_OK;
}
