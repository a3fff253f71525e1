/* SPDX-License-Identifier: MPL-2.0 */
/* search - functions by what a person calls them: by name, by words of the summary or the help (which name the
 * functions of NumPy, SciPy, pandas and TA-Lib that users come from), and by spelling. */
#ifndef SEARCH_H
#define SEARCH_H

#include <kiln/client.h>
#include <stddef.h>

/* Those in whose name, summary or help the word stands, whatever its case: first those that are called so, then
 * those with it in their name, in their summary, in their help; each in order of name. word NULL: all. `ret` has room
 * for answer->count. Returns how many. */
size_t search_functions(const struct kiln_answer *answer, const char *word, const struct kiln_outcome **ret);

/* At most n names that `asked` may have meant: the nearest by spelling, and those that search_functions finds first. */
size_t search_nearest(const struct kiln_answer *answer, const char *asked, const char **ret, size_t n);

#endif
