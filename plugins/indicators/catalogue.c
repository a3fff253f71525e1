/* SPDX-License-Identifier: MPL-2.0 */
#include "catalogue.h"

#include <stdlib.h>
#include <string.h>

#define DEFINITION(id) &indicator_##id,
#define FUNCTION(id)   &indicators_##id,

const struct indicator *const catalogue_indicators[] = {INDICATORS(DEFINITION)};
const struct kiln_function *const catalogue_functions[] = {INDICATORS(FUNCTION) PLAIN_FUNCTIONS(FUNCTION)};

/* The indicators by name. Made at the first look-up: a plugin is entered by one thread only. */
static const struct indicator *by_name[CATALOGUE_INDICATORS];

static int compare(const void *a, const void *b)
{
    const struct indicator *const *one = a, *const *other = b;
    return strcmp((*one)->function->name, (*other)->function->name);
}

const struct indicator *indicator_find(const char *name)
{
    if (!by_name[0]) {
        memcpy(by_name, catalogue_indicators, sizeof(by_name));
        qsort(by_name, CATALOGUE_INDICATORS, sizeof(by_name[0]), compare);
    }
    size_t low = 0, high = CATALOGUE_INDICATORS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, by_name[middle]->function->name);
        if (order == 0) {
            return by_name[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct indicator *indicator_of(const struct kiln_function *function)
{
    const struct indicator *found = indicator_find(function->name);
    return found && found->function == function ? found : NULL;
}
