/* SPDX-License-Identifier: MPL-2.0 */
#include "search.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "mem.h"
#include "view.h"

enum { NAME_BYTES = 80, NOWHERE = 4 };

struct found {
    const struct kiln_outcome *function;
    int place; /* 0: it is called so; 1: in its name; 2: in its summary; 3: in its help */
};

static const char *after_dot(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot ? dot + 1 : name;
}

/* Does the word stand in text, not in the middle of another word when `whole`? */
static bool stands(const char *text, const char *word, bool whole)
{
    const size_t n = strlen(word);
    for (const char *at = text; n && (at = strcasestr(at, word)) != NULL; at++) {
        bool from = at == text || !isalnum((unsigned char) at[-1]), to = !isalnum((unsigned char) at[n]);
        if (!whole || (from && to)) {
            return true;
        }
    }
    return false;
}

static bool stands_in(const struct view *contract, const char *member, const char *word, bool whole)
{
    struct view v = view_get(contract, member);
    char *text = view_text(&v);
    bool found = text && stands(text, word, whole);
    mem_free(text);
    return found;
}

static int place_of(const struct kiln_outcome *function, const char *word)
{
    if (strcasecmp(function->id, word) == 0 || strcasecmp(after_dot(function->id), word) == 0) {
        return 0;
    }
    if (stands(function->id, word, false)) {
        return 1;
    }
    struct view contract = cli_result(function);
    return stands_in(&contract, "summary", word, false) ? 2
           : stands_in(&contract, "help", word, true)   ? 3
                                                        : NOWHERE;
}

static int by_place_and_name(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->place != y->place ? x->place - y->place : strcmp(x->function->id, y->function->id);
}

size_t search_functions(const struct kiln_answer *answer, const char *word, const struct kiln_outcome **ret)
{
    struct found *all = mem_alloc((answer->count + 1) * sizeof *all);
    size_t n = 0;
    for (size_t i = 0; i < answer->count; i++) {
        all[n] = (struct found){&answer->outcomes[i], word ? place_of(&answer->outcomes[i], word) : 0};
        n += all[n].place < NOWHERE;
    }
    qsort(all, n, sizeof *all, by_place_and_name);
    for (size_t i = 0; i < n; i++) {
        ret[i] = all[i].function;
    }
    mem_free(all);
    return n;
}

/* ---- by spelling ---- */

/* Levenshtein's distance, at most NAME_BYTES of each, whatever the case; adjacent letters swapped count two. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_BYTES + 1], n = strnlen(a, NAME_BYTES), m = strnlen(b, NAME_BYTES);
    for (size_t j = 0; j <= m; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            bool differ = tolower((unsigned char) a[i - 1]) != tolower((unsigned char) b[j - 1]);
            size_t change = diagonal + differ;
            size_t both = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < both ? change : both;
        }
    }
    return row[m];
}

/* How unlike `name` is to what was asked: 0 same. The half behind the dot counts alone, too: "mean" is near "stats.mean". */
static size_t unlikeness(const char *asked, const char *name)
{
    size_t whole = distance(asked, name);
    size_t half = strchr(name, '.') ? distance(after_dot(asked), after_dot(name)) + 1 : whole;
    return half < whole ? half : whole;
}

static bool listed(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

size_t search_nearest(const struct kiln_answer *answer, const char *asked, const char **ret, size_t n)
{
    const struct kiln_outcome **found = mem_alloc((answer->count + 1) * sizeof *found);
    const char *word = after_dot(asked);
    size_t n_found = *word ? search_functions(answer, word, found) : 0, got = 0;
    for (size_t d = 0; d <= strlen(word) / 4 + 1 && got < n; d++) { /* misspelt: few letters differ */
        for (size_t i = 0; i < answer->count && got < n; i++) {
            if (unlikeness(asked, answer->outcomes[i].id) == d && !listed(ret, got, answer->outcomes[i].id)) {
                ret[got++] = answer->outcomes[i].id;
            }
        }
    }
    for (size_t i = 0; i < n_found && got < n; i++) {
        if (!listed(ret, got, found[i]->id)) {
            ret[got++] = found[i]->id;
        }
    }
    mem_free(found);
    return got;
}
