/* SPDX-License-Identifier: MPL-2.0 */
#include "echo.h"

#include <string.h>

#include <kiln/plugin.h>

/* Builds inner maps before outer ones, each from an array of pairs on the stack that seal() copies into the arena.
 * Once the arena is spent everything becomes null and `spent` tells. */
struct tree {
    struct kiln_call *call;
    bool spent;
};

static const struct kiln_value nothing = {.type = KILN_V_NULL};

static struct kiln_value number(double v)
{
    return (struct kiln_value){.type = KILN_V_FLOAT, .f = v};
}

static struct kiln_value whole(int64_t v)
{
    return (struct kiln_value){.type = KILN_V_INT, .i = v};
}

static struct kiln_value text(const char *v)
{
    return (struct kiln_value){.type = KILN_V_STRING, .text = v, .count = (uint32_t) strlen(v)};
}

static void *take(struct tree *t, size_t bytes)
{
    void *p = t->spent ? NULL : t->call->host->alloc(t->call, bytes);
    t->spent |= p == NULL;
    return p;
}

static void *keep(struct tree *t, const void *from, size_t bytes)
{
    void *p = take(t, bytes);
    if (p != NULL && bytes > 0) {
        memcpy(p, from, bytes);
    }
    return p;
}

static struct kiln_value seal(struct tree *t, const struct kiln_pair *pairs, size_t count)
{
    const struct kiln_pair *map = keep(t, pairs, count * sizeof *pairs);
    return map ? (struct kiln_value){.type = KILN_V_MAP, .count = (uint32_t) count, .map = map} : nothing;
}

#define SEAL(tree, pairs) seal(tree, pairs, KILN_COUNT(pairs))

/* Arguments are gone when the reply is encoded, so what is echoed from them is copied, all the way down. The host has
 * bounded the depth. */
static struct kiln_value copy(struct tree *t, const struct kiln_value *v)
{
    struct kiln_value c = *v;
    switch (v->type) {
    case KILN_V_STRING:
    case KILN_V_BYTES: {
        char *to = take(t, (size_t) v->count + 1);
        if (to != NULL) {
            memcpy(to, v->text, v->count);
            to[v->count] = '\0';
        }
        c.text = to;
        break;
    }
    case KILN_V_LIST: {
        struct kiln_value *items = take(t, v->count * sizeof *items);
        for (uint32_t i = 0; items != NULL && i < v->count; i++) {
            items[i] = copy(t, &v->list[i]);
        }
        c.list = items;
        break;
    }
    case KILN_V_MAP: {
        struct kiln_pair *pairs = take(t, v->count * sizeof *pairs);
        for (uint32_t i = 0; pairs != NULL && i < v->count; i++) {
            pairs[i].key = keep(t, v->map[i].key, strlen(v->map[i].key) + 1);
            pairs[i].value = copy(t, &v->map[i].value);
        }
        c.map = pairs;
        break;
    }
    case KILN_V_ARRAY: {
        static const size_t width[] = {
            [KILN_F64] = 8, [KILN_F32] = 4, [KILN_I64] = 8, [KILN_I32] = 4, [KILN_U8] = 1,
        };
        struct kiln_array *array = keep(t, v->array, sizeof *array);
        if (array != NULL) {
            array->data = keep(t, v->array->data, (size_t) v->array->count * width[v->array->dtype]);
        }
        c.array = array;
        break;
    }
    default:
        break; /* the scalars are whole already */
    }
    return t->spent ? nothing : c;
}

static struct kiln_value asset(struct tree *t, const struct asset *a)
{
    const struct kiln_pair pairs[] = {
        {"staking_pct", number(a->staked)},
        {"unbonding_period_days", whole(a->unbonding_days)},
        {"annual_yield", number(a->yield)},
        {"baseline_staking_pct", number(a->baseline)},
    };
    return SEAL(t, pairs);
}

static struct kiln_value distribution(struct tree *t, const struct request *r)
{
    struct kiln_value *items = take(t, r->buckets * sizeof *items);
    struct kiln_pair *pairs = take(t, 2 * r->buckets * sizeof *pairs);
    if (t->spent) {
        return nothing;
    }
    for (size_t j = 0; j < r->buckets; j++) {
        struct kiln_pair *of = pairs + 2 * j;
        of[0] = (struct kiln_pair){"probability", number(r->probability[j])};
        of[1] = (struct kiln_pair){"size", number(r->size[j])};
        items[j] = (struct kiln_value){.type = KILN_V_MAP, .count = 2, .map = of};
    }
    return (struct kiln_value){.type = KILN_V_LIST, .count = (uint32_t) r->buckets, .list = items};
}

static struct kiln_value by_listed(struct tree *t, const double *v)
{
    struct kiln_pair pairs[LISTED];
    for (size_t i = 0; i < LISTED; i++) {
        pairs[i] = (struct kiln_pair){listed_name[i], number(v[i])};
    }
    return SEAL(t, pairs);
}

/* A matrix that was estimated from prices has no short form. */
static struct kiln_value matrix(struct tree *t, const double *v)
{
    struct kiln_array array = {.data = keep(t, v, LISTED * LISTED * sizeof *v),
                               .rank = 2,
                               .shape = {LISTED, LISTED},
                               .count = LISTED * LISTED};
    return (struct kiln_value){.type = KILN_V_ARRAY, .array = keep(t, &array, sizeof array)};
}

static struct kiln_value market(struct tree *t, const struct market *m)
{
    const struct kiln_pair correlations[] = {
        {"btc_eth", number(m->btc_eth)},
        {"btc_excluded", number(m->btc_excluded)},
        {"within_excluded", number(m->within_excluded)},
        {"eth_excluded", number(m->eth_excluded)},
    };
    const struct kiln_pair pairs[] = {
        {"benchmark_weights", by_listed(t, m->weight)},
        {"volatilities", by_listed(t, m->volatility)},
        {m->estimated ? "correlation_matrix" : "correlations",
         m->estimated ? matrix(t, &m->correlation[0][0]) : SEAL(t, correlations)},
        {"trading_days_per_year", whole(m->trading_days)},
    };
    return SEAL(t, pairs);
}

static struct kiln_value fund(struct tree *t, const struct fund *f)
{
    const struct kiln_pair pairs[] = {
        {"nav", number(f->nav)},
        {"current_td", number(f->current_td)},
        {"cap_td", number(f->cap_td)},
    };
    return SEAL(t, pairs);
}

const struct kiln_value *echo_request(struct kiln_call *call, const struct request *r)
{
    struct tree tree = {.call = call};
    struct tree *t = &tree;
    const struct kiln_pair staking[] = {{"eth", asset(t, &r->asset[ETH])}, {"sol", asset(t, &r->asset[SOL])}};
    const struct kiln_pair redemption[] = {
        {"expected_redemptions_per_year", number(r->redemptions)},
        {"distribution", distribution(t, r)},
    };
    const struct kiln_pair known[] = {
        {"staking", SEAL(t, staking)},
        {"redemption", SEAL(t, redemption)},
        {"market", r->has_market ? market(t, &r->market) : nothing},
        {"fund_details", r->has_fund ? fund(t, &r->fund) : nothing},
        {"mode", text(r->exact ? "exact" : "compatible")},
    };
    /* "mode" is ours, not the published service's, so it shows only where it was asked for. */
    size_t head = KILN_COUNT(known) - (r->has_mode ? 0 : 1);
    struct kiln_value extras = r->extras ? copy(t, r->extras) : nothing;
    struct kiln_pair *pairs = take(t, (head + extras.count) * sizeof *pairs);
    struct kiln_value *root = take(t, sizeof *root);
    if (t->spent) {
        return NULL;
    }
    memcpy(pairs, known, head * sizeof *pairs);
    if (extras.count > 0) {
        memcpy(pairs + head, extras.map, extras.count * sizeof *pairs);
    }
    *root = (struct kiln_value){.type = KILN_V_MAP, .count = (uint32_t) head + extras.count, .map = pairs};
    return root;
}
