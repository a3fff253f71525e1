/* SPDX-License-Identifier: MPL-2.0 */
#include "mock_host.h"

#include <math.h>

#include "calculate.h"
#include "market.h"
#include "solve.h"

static struct mock host;

static void published_components(void **state)
{
    (void) state;
    struct exposure e;
    assert_int_equal(market_exposure(&host.call, &market_default, &e), KILN_OK);
    mock_near(e.k[ETH][ETH], 1.0782241403287176e-05, 1e-12);
    mock_near(e.k[SOL][SOL], 3.8044717591319774e-06, 1e-12);
    mock_near(e.k[ETH][SOL], 8.045651389548315e-07, 1e-12);
    assert_true(e.k[SOL][ETH] == e.k[ETH][SOL]);
}

/* Gaussian elimination with pivoting: right-hand sides stand behind the matrix. */
static void eliminate(size_t n, size_t width, double a[][16])
{
    for (size_t c = 0; c < n; c++) {
        size_t best = c;
        for (size_t r = c + 1; r < n; r++) {
            best = fabs(a[r][c]) > fabs(a[best][c]) ? r : best;
        }
        for (size_t k = 0; k < width; k++) {
            double swap = a[c][k];
            a[c][k] = a[best][k];
            a[best][k] = swap;
        }
        for (size_t r = 0; r < n; r++) {
            double f = r == c ? 0 : a[r][c] / a[c][c];
            for (size_t k = c; k < width; k++) {
                a[r][k] -= f * a[c][k];
            }
        }
    }
}

static double correlation(const struct market *m, size_t i, size_t j)
{
    bool btc = i == 0 || j == 0, eth = i == 1 || j == 1;
    return i == j       ? 1
           : btc && eth ? m->btc_eth
           : btc        ? m->btc_excluded
           : eth        ? m->eth_excluded
                        : m->within_excluded;
}

/* The same minimum found another way: the conditions of Lagrange as one indefinite system. */
static void minimum_variance(const struct market *m, double k[HELD][HELD])
{
    double s[6][6], a[9][16] = {{0}};
    static const size_t at[HELD] = {1, 3};
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++) {
            s[i][j] = m->volatility[i] * m->volatility[j] * correlation(m, i, j) * 1e3;
            a[i][j] = s[i][j];
        }
        a[6][i] = a[i][6] = 1;
    }
    for (size_t h = 0; h < HELD; h++) {
        a[7 + h][at[h]] = a[at[h]][7 + h] = 1;
        a[7 + h][9 + h] = 1; /* right-hand side: one unit of h */
    }
    eliminate(9, 11, a);
    for (size_t g = 0; g < HELD; g++) {
        for (size_t h = 0; h < HELD; h++) {
            double sum = 0;
            for (size_t i = 0; i < 6; i++) {
                for (size_t j = 0; j < 6; j++) {
                    sum += a[i][9 + g] / a[i][i] * s[i][j] * a[j][9 + h] / a[j][j];
                }
            }
            k[g][h] = m->weight[at[g]] * m->weight[at[h]] * sum / 1e3;
        }
    }
}

static void least_variance(void **state)
{
    (void) state;
    unsigned seed = 2385;
    int defined = 0, refused = 0;
    for (int round = 0; round < 2000; round++) {
        struct market m = market_default;
        double u[20];
        for (size_t i = 0; i < KILN_COUNT(u); i++) {
            u[i] = (double) rand_r(&seed) / RAND_MAX;
        }
        for (size_t i = 0; i < LISTED; i++) {
            m.weight[i] = u[i];
            m.volatility[i] = 0.005 + u[6 + i] * 0.2;
        }
        m.btc_eth = u[12] * 1.98 - 0.99;
        m.btc_excluded = u[13] * 1.98 - 0.99;
        m.within_excluded = u[14] * 1.2 - 0.25;
        m.eth_excluded = u[15] * 1.98 - 0.99;
        struct exposure e;
        double k[HELD][HELD];
        if (market_exposure(&host.call, &m, &e) != KILN_OK) {
            refused++;
            continue;
        }
        defined++;
        minimum_variance(&m, k);
        double scale = sqrt(k[ETH][ETH] * k[SOL][SOL]);
        mock_near(e.k[ETH][ETH], k[ETH][ETH], 1e-9);
        mock_near(e.k[SOL][SOL], k[SOL][SOL], 1e-9);
        assert_true(fabs(e.k[ETH][SOL] - k[ETH][SOL]) <= 1e-9 * scale);
        assert_true(fabs(e.k[ETH][SOL]) <= scale * (1 + 1e-12));
    }
    assert_true(defined > 300 && refused > 300);
}

static void refuse(const struct market *m, const char *field, const char *words)
{
    struct exposure e = {{{2.385}}};
    assert_int_equal(market_exposure(&host.call, m, &e), KILN_INVALID);
    assert_string_equal(host.field, field);
    if (strstr(host.error, words) == NULL) {
        fail_msg("%s: expected %s", host.error, words);
    }
    assert_true(e.k[0][0] == 2.385); /* untouched */
}

static void no_market(void **state)
{
    (void) state;
    struct market m = market_default;
    m.volatility[LISTED_ADA] = 0;
    refuse(&m, "market.volatilities.ada", "0, expected more than 0");
    m = market_default;
    m.within_excluded = 1;
    refuse(&m, "market.correlations", "singular");
    m.within_excluded = -0.25;
    refuse(&m, "market.correlations", "not positive definite");
    m = market_default;
    m.btc_eth = -1;
    refuse(&m, "market.correlations", "singular");
    m = market_default;
    m.btc_excluded = 0.99;
    m.eth_excluded = -0.99;
    refuse(&m, "market.correlations", "not positive definite");
    m = market_default;
    m.volatility[LISTED_BTC] = 1e-170; /* its square is 0 */
    m.volatility[LISTED_ETH] = 1;
    refuse(&m, "market.volatilities", "singular");
}

static void factor(void **state)
{
    (void) state;
    double a[] = {4, 0, 0, 2, 5, 0, -2, 3, 9.5}, inverse[9], pivot = 7;
    static const double whole[3][3] = {{4, 2, -2}, {2, 5, 3}, {-2, 3, 9.5}};
    assert_int_equal(solve_factor(3, a, &pivot), 3);
    assert_true(pivot == 7);
    solve_invert(3, a, inverse);
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            double sum = 0;
            for (size_t k = 0; k < 3; k++) {
                sum += whole[i][k] * inverse[k * 3 + j];
            }
            assert_true(fabs(sum - (i == j ? 1 : 0)) <= 1e-14);
        }
    }
    double b[] = {8, 1, 4, 2, -4, 3}; /* 3 x 2: B'B must be B' A^-1 B */
    double want = 0;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            want += b[2 * i] * inverse[i * 3 + j] * b[2 * j + 1];
        }
    }
    solve_forward(3, a, 2, b);
    mock_near(b[0] * b[1] + b[2] * b[3] + b[4] * b[5], want, 1e-14);

    double indefinite[] = {1, 0, 2, 1};
    assert_int_equal(solve_factor(2, indefinite, &pivot), 1);
    assert_true(pivot == -3);
    double none[] = {nan("")};
    assert_int_equal(solve_factor(1, none, &pivot), 0);
}

static int set_up(void **state)
{
    (void) state;
    mock_init(&host, &calculate_function);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_components),
        cmocka_unit_test(least_variance),
        cmocka_unit_test(no_market),
        cmocka_unit_test(factor),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
