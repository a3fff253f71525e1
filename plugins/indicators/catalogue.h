/* SPDX-License-Identifier: MPL-2.0 */
/* catalogue - all functions of the plugin, each listed once: in indicators.h, family by family. */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include "indicator.h"
#include "indicators.h"

#define CATALOGUE_ONE(id) +1
enum {
    CATALOGUE_INDICATORS = INDICATORS(CATALOGUE_ONE),
    CATALOGUE_FUNCTIONS = INDICATORS(CATALOGUE_ONE) PLAIN_FUNCTIONS(CATALOGUE_ONE),
};

/* In the order of the families; the functions that are no indicators come last. */
extern const struct indicator *const catalogue_indicators[CATALOGUE_INDICATORS];
extern const struct kiln_function *const catalogue_functions[CATALOGUE_FUNCTIONS];

#endif
