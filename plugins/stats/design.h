/* SPDX-License-Identifier: MPL-2.0 */
/* design - the observations of a regression after nan_policy, and the panels that fit.h wants of them. */
#ifndef DESIGN_H
#define DESIGN_H

#include "fit.h"
#include "sample.h"

struct observations {
    const double *x, *y, *weights; /* weights may be NULL */
    size_t n, m;
    unsigned char *kept; /* NULL: all */
    size_t given;
};

/* ret_nan: there is a NaN, and the results shall have one. */
int observations_take(struct kiln_call *call, const struct kiln_slot *x, const struct kiln_slot *y,
                      const struct kiln_slot *weights, enum nan_policy policy, struct observations *ret,
                      bool *ret_nan);

/* All panels one behind the other: k columns of FIT_ROWS. */
struct design {
    double *columns, *y, *weights;
    double *scales, y_scale, weight_scale; /* powers of two by which the numbers were multiplied */
};

/* k columns: those of x, behind ones when there is an intercept. Refuses infinities. */
int design_make(struct kiln_call *call, const struct observations *o, bool intercept, size_t k,
                struct design *ret);

/* The panel of a fit_source whose `of` is a design. */
void design_panel(const struct fit_source *s, size_t index, struct fit_panel *ret);

#endif
