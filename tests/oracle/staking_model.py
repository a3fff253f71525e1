# SPDX-License-Identifier: MPL-2.0
"""The staking model in plain NumPy, written from its definition and not from the plugin: the oracle of test_staking_*.py.

Everything is computed in the most literal way: constraint portfolios by solving with the covariance, excesses bucket by bucket,
and the variance day by day over the assets that still unbond. Nothing is collected or reordered."""
import math

import numpy as np

ORDER = ["btc", "eth", "xrp", "sol", "ada", "xlm"]
WEIGHTS = dict(btc=.7869, eth=.1049, xrp=.0549, sol=.0387, ada=.0119, xlm=.0027)
VOLATILITIES = dict(btc=.039, eth=.048, xrp=.053, sol=.071, ada=.055, xlm=.051)
CORRELATIONS = dict(btc_eth=.7, btc_excluded=.6, within_excluded=.6, eth_excluded=.6)
ABSENT = dict(eth=dict(staking_pct=.9, unbonding_period_days=10, annual_yield=.03, baseline_staking_pct=.7),
              sol=dict(staking_pct=.9, unbonding_period_days=2, annual_yield=.073, baseline_staking_pct=.7))
MEMBER = dict(staking_pct=.9, unbonding_period_days=10, annual_yield=.05, baseline_staking_pct=.7)
DISTRIBUTION = [dict(probability=.667, size=.05), dict(probability=.167, size=.1),
                dict(probability=.111, size=.2), dict(probability=.055, size=.3)]


def covariance(volatilities, correlations):
    rho = np.eye(6)
    for i in range(6):
        for j in range(i + 1, 6):
            if i == 0:
                c = correlations["btc_eth"] if j == 1 else correlations["btc_excluded"]
            else:
                c = correlations["eth_excluded"] if i == 1 else correlations["within_excluded"]
            rho[i, j] = rho[j, i] = c
    v = np.array([volatilities[a] for a in ORDER])
    return np.outer(v, v) * rho


def portfolios(sigma, stakable):
    """Column a: the least risky portfolio that sums to zero, is 1 in stakable[a] and 0 in the other stakable ones."""
    c = np.zeros((1 + len(stakable), len(sigma)))
    c[0] = 1
    for row, asset in enumerate(stakable):
        c[1 + row, asset] = 1
    x = np.linalg.solve(sigma, c.T)
    return (x @ np.linalg.inv(c @ x))[:, 1:]


def overweight_cost(sigma, weights, stakable):
    v = portfolios(sigma, stakable)
    w = np.asarray(weights)[stakable]
    return np.outer(w, w) * (v.T @ sigma @ v)


class Fund:
    """Two assets, as the published request describes them."""

    def __init__(self, staking=None, redemption=None, market=None, fund_details=None, mode="compatible", sigma=None):
        staking = staking or {}
        self.asset = [ABSENT[a] if staking.get(a) is None else {**MEMBER, **staking[a]} for a in ("eth", "sol")]
        redemption = redemption or {}
        self.rate = redemption.get("expected_redemptions_per_year", 18)
        rows = redemption.get("distribution", DISTRIBUTION)
        self.p = np.array([r["probability"] for r in rows], float)
        self.r = np.array([r["size"] for r in rows], float)
        market, fund = market or {}, fund_details or {}
        weights = {**WEIGHTS, **market.get("benchmark_weights", {})}
        self.w = np.array([weights["eth"], weights["sol"]])
        if sigma is None:
            sigma = covariance({**VOLATILITIES, **market.get("volatilities", {})},
                               {**CORRELATIONS, **market.get("correlations", {})})
        self.k = overweight_cost(sigma, [weights[a] for a in ORDER], [1, 3])
        self.budget = fund.get("cap_td", .015) - fund.get("current_td", .0143)
        self.exact = mode == "exact"
        if self.exact:
            self.p_point = self.p_grid = self.p / self.p.sum()
        else:
            n = np.array([round(p * 1000) for p in self.p], float)
            self.p_point, self.p_grid = n / n.sum(), self.p

    def point(self, eth, sol, p=None):
        p = self.p_point if p is None else p
        x, y = np.maximum(0, self.r - (1 - eth)), np.maximum(0, self.r - (1 - sol))
        k, days = self.k, [a["unbonding_period_days"] for a in self.asset]
        d0, d1 = min(days), max(days)
        full = k[0, 0] * x**2 + 2 * k[0, 1] * x * y + k[1, 1] * y**2
        sol_long = self.exact and days[1] > days[0]
        part = k[1, 1] * y**2 if sol_long else k[0, 0] * x**2
        te = math.sqrt(max(0, self.rate * (d0 * (p @ full) + (d1 - d0) * (p @ part))))
        d_eth, d_sol = (d0, d1) if sol_long else (d1, d0)
        own = [self.rate * d_eth * k[0, 0] * (p @ x**2), self.rate * d_sol * k[1, 1] * (p @ y**2)]
        cross = 2 * self.rate * d0 * k[0, 1] * (p @ (x * y))
        total = sum(own) + cross
        alone = math.sqrt(sum(own))
        part_of = [v / total * 100 if total else 0 for v in (*own, cross)]
        base = [self.w[a] * max(0, s - self.asset[a]["baseline_staking_pct"]) * self.asset[a]["annual_yield"]
                for a, s in enumerate((eth, sol))]
        extra = [self.w[a] * self.asset[a]["annual_yield"] * self.rate * days[a] / 365 * (p @ z)
                 for a, z in enumerate((x, y))]
        benefit, shortfall = sum(base) + sum(extra), -te * math.sqrt(2 / math.pi) / 2
        deficit = min(0, self.budget - abs(shortfall))
        return dict(
            decomposition=dict(
                tracking_error=te, te_eth_only=math.sqrt(own[0]), te_sol_only=math.sqrt(own[1]), independence_approx=alone,
                correlation_cost=te - alone, correlation_cost_pct=(te / alone - 1) * 100 if alone else 0,
                eth_contribution_pct=part_of[0], sol_contribution_pct=part_of[1], cross_contribution_pct=part_of[2]),
            net_benefit=dict(
                tracking_error=te, eth_benefit_baseline=base[0], eth_benefit_marginal=extra[0],
                eth_benefit_total=base[0] + extra[0], sol_benefit_baseline=base[1], sol_benefit_marginal=extra[1],
                sol_benefit_total=base[1] + extra[1], total_yield_benefit=benefit, expected_shortfall=shortfall,
                tracking_difference_budget=self.budget, td_budget_deficit=deficit, net_benefit=benefit + deficit,
                net_benefit_bps=(benefit + deficit) * 1e4))

    def grid(self, eth, sol):
        """Columns over pairs of levels, by name as a sensitivity has them."""
        points = [self.point(e, s, self.p_grid)["net_benefit"] for e, s in zip(eth, sol)]
        return {to: np.array([p[of] for p in points]) for to, of in (
            ("tracking_error", "tracking_error"), ("yield_benefit", "total_yield_benefit"),
            ("expected_shortfall", "expected_shortfall"), ("net_benefit_bps", "net_benefit_bps"))}

    def line_levels(self):
        m = min(a["baseline_staking_pct"] for a in self.asset)
        if self.exact:
            levels = []
            while m + len(levels) * .01 < 1 - 1e-9:
                levels.append(m + len(levels) * .01)
            return levels + [1.0]
        if m <= .85:
            return [m + i * .05 for i in range(int((.85 - m) / .05) + 1)] + [i / 100 for i in range(88, 99)]
        return [m + i * .01 for i in range(int((.98 - m) / .01) + 1)] if m <= .98 else []

    def axis_levels(self, a):
        b = self.asset[a]["baseline_staking_pct"]
        return [i * ((1 - b) / 30) + b for i in range(30)] + [1.0]


def tracking_error(sigma, weights, stakable, levels, days, rate, p, r):
    """n assets, whole days, day by day: on each the assets that still unbond count."""
    k = overweight_cost(sigma, weights, stakable)
    p, days = np.asarray(p) / np.sum(p), np.asarray(days)
    x = np.maximum(0, np.subtract.outer(r, 1 - np.asarray(levels)))
    total = 0.0
    for day in range(int(max(days, default=0))):
        z = np.where(days > day, x, 0)
        total += sum(q * (row @ k @ row) for q, row in zip(p, z))
    return math.sqrt(max(0, rate * total))
