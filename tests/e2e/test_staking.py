# SPDX-License-Identifier: MPL-2.0
"""staking.calculate through the whole house: the published cases, and random requests against the formulas written out
plainly in NumPy here."""
import json
import math
import os

import numpy
import pytest

from house import MODE, ROOT

pytestmark = pytest.mark.usefixtures("house")

with open(os.path.join(ROOT, "tests", "data", "staking-cases.json"), encoding="utf-8") as f:
    DATA = json.load(f)
ASSETS = ("btc", "eth", "xrp", "sol", "ada", "xlm")
WEIGHTS = (0.7869, 0.1049, 0.0549, 0.0387, 0.0119, 0.0027)
VOLATILITIES = (0.039, 0.048, 0.053, 0.071, 0.055, 0.051)
CORRELATIONS = {"btc_eth": 0.70, "btc_excluded": 0.60, "within_excluded": 0.60, "eth_excluded": 0.60}
DISTRIBUTION = [(0.667, 0.05), (0.167, 0.10), (0.111, 0.20), (0.055, 0.30)]


def calculate(producer, request, **more):
    return producer.call("staking.calculate", {**request, **more}).expect("ok").result


def close(got, want, path="", rtol=1e-9):
    """relative 1e-9, as the cases ask; a hair absolutely, for differences of nearly equal numbers."""
    if isinstance(want, dict):
        for k, v in want.items():
            close(got[k], v, f"{path}.{k}", rtol)
    elif isinstance(want, list):
        assert len(got) == len(want), f"{path}: {len(got)} items"
        for i, (g, w) in enumerate(zip(got, want)):
            close(g, w, f"{path}[{i}]", rtol)
    elif isinstance(want, float):
        assert math.isclose(got, want, rel_tol=rtol, abs_tol=1e-12), f"{path} is {got!r}, expected {want!r}"
    else:
        assert got == want, f"{path} is {got!r}, expected {want!r}"


def row(table, i):
    """Row i of a table that came as columns."""
    return {k: v[i] for k, v in table.items()}


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda c: c["name"])
def test_published_case(producer, case):
    got, want = calculate(producer, case["request"]), dict(case["expected"])
    ends, points = want.pop("sensitivity_analysis_first_last"), want.pop("grid_points")
    close(got, want, case["name"])
    one, two = got["sensitivity_analysis"], got["sensitivity_analysis_2d"]
    close([row(one, 0), row(one, -1)], ends, "sensitivity_analysis")
    assert {len(c) for c in two.values()} == {961}
    for i, point in points.items():
        close(row(two, int(i)), point, f"sensitivity_analysis_2d[{i}]")


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda c: c["name"])
def test_rows_and_columns_say_the_same(producer, case):
    columns, rows = calculate(producer, case["request"]), calculate(producer, case["request"], form="rows")
    for table in ("sensitivity_analysis", "sensitivity_analysis_2d"):
        n = len(next(iter(columns[table].values())))
        assert rows[table] == [row(columns[table], i) for i in range(n)]
        assert list(rows[table][0]) == list(columns[table])
    packed = calculate(producer, case["request"], form="nd")["sensitivity_analysis_2d"]
    for name, column in columns["sensitivity_analysis_2d"].items():
        assert numpy.frombuffer(packed[name]["data"], "<f8").tolist() == column


# ---- the formulas, written out

def correlation_matrix(correlations):
    rho = numpy.full((6, 6), correlations["within_excluded"])
    rho[0, :] = rho[:, 0] = correlations["btc_excluded"]
    rho[1, 2:] = rho[2:, 1] = correlations["eth_excluded"]
    rho[0, 1] = rho[1, 0] = correlations["btc_eth"]
    numpy.fill_diagonal(rho, 1)
    return rho


def k_components(weights, volatilities, correlations):
    sigma = numpy.outer(volatilities, volatilities) * correlation_matrix(correlations)
    c = numpy.zeros((3, 6))
    c[0], c[1, 1], c[2, 3] = 1, 1, 1
    inverse = numpy.linalg.inv(sigma)
    v = inverse @ c.T @ numpy.linalg.inv(c @ inverse @ c.T)
    ve, vs, we, ws = v[:, 1], v[:, 2], weights[1], weights[3]
    return we**2 * ve @ sigma @ ve, we * ws * ve @ sigma @ vs, ws**2 * vs @ sigma @ vs


def reference(r):
    """Sections 2 to 4 of the definition for a request with everything given."""
    kee, kes, kss = k_components(r["weights"], r["volatilities"], r["correlations"])
    e, s, lam = r["eth"], r["sol"], r["lambda"]
    budget = r["cap_td"] - r["current_td"]
    d0, d1 = sorted((e["unbonding_period_days"], s["unbonding_period_days"]))

    def point(se, ss, distribution):
        x = [max(0.0, size - (1 - se)) for _, size in distribution]
        y = [max(0.0, size - (1 - ss)) for _, size in distribution]
        p = [probability for probability, _ in distribution]
        mean = lambda values: sum(a * b for a, b in zip(p, values))
        xx, xy, yy = mean([a * a for a in x]), mean([a * b for a, b in zip(x, y)]), mean([b * b for b in y])
        te = math.sqrt(lam * (d0 * (kee * xx + 2 * kes * xy + kss * yy) + (d1 - d0) * kee * xx))
        base_e = r["weights"][1] * max(0.0, se - e["baseline_staking_pct"]) * e["annual_yield"]
        base_s = r["weights"][3] * max(0.0, ss - s["baseline_staking_pct"]) * s["annual_yield"]
        marginal_e = r["weights"][1] * e["annual_yield"] * (lam * e["unbonding_period_days"] / 365) * mean(x)
        marginal_s = r["weights"][3] * s["annual_yield"] * (lam * s["unbonding_period_days"] / 365) * mean(y)
        benefit = base_e + marginal_e + base_s + marginal_s
        shortfall = -te * math.sqrt(2 / math.pi) / 2
        deficit = min(0.0, budget - abs(shortfall))
        short = {"tracking_error": te, "yield_benefit": benefit, "expected_shortfall": shortfall, "net_benefit_bps": (benefit + deficit) * 10000}
        parts = (lam * d1 * kee * xx, lam * d0 * kss * yy, 2 * lam * d0 * kes * xy)
        return short, parts, (base_e, marginal_e, base_s, marginal_s, deficit)

    counts = [round(p * 1000) for p, _ in r["distribution"]]  # Python rounds half to even, too
    rounded = [(n / sum(counts), size) for n, (_, size) in zip(counts, r["distribution"])]
    short, (ev, sv, xv), (base_e, marginal_e, base_s, marginal_s, deficit) = point(e["staking_pct"], s["staking_pct"], rounded)
    te, total, independent = short["tracking_error"], ev + sv + xv, math.sqrt(ev + sv)
    share = lambda part: part / total * 100 if total else 0.0
    out = {
        "decomposition": {
            "tracking_error": te, "te_eth_only": math.sqrt(ev), "te_sol_only": math.sqrt(sv), "independence_approx": independent,
            "correlation_cost": te - independent, "correlation_cost_pct": (te / independent - 1) * 100 if independent else 0.0,
            "eth_contribution_pct": share(ev), "sol_contribution_pct": share(sv), "cross_contribution_pct": share(xv)},
        "net_benefit": {
            "tracking_error": te, "eth_benefit_baseline": base_e, "eth_benefit_marginal": marginal_e, "eth_benefit_total": base_e + marginal_e,
            "sol_benefit_baseline": base_s, "sol_benefit_marginal": marginal_s, "sol_benefit_total": base_s + marginal_s,
            "total_yield_benefit": short["yield_benefit"], "expected_shortfall": short["expected_shortfall"],
            "tracking_difference_budget": budget, "td_budget_deficit": deficit, "net_benefit": short["yield_benefit"] + deficit,
            "net_benefit_bps": short["net_benefit_bps"]}}
    m = min(e["baseline_staking_pct"], s["baseline_staking_pct"])
    if m <= 0.85:
        levels = [m + i * 0.05 for i in range(math.trunc((0.85 - m) / 0.05) + 1)] + [k / 100 for k in range(88, 99)]
    else:
        n = math.trunc((0.98 - m) / 0.01) + 1
        levels = [m + i * 0.01 for i in range(n)] if n >= 1 and m <= 0.98 else []
    out["one"] = [{"staking_level": l, **point(l, l, r["distribution"])[0]} for l in levels]
    axis = lambda b: [i * ((1 - b) / 30) + b for i in range(30)] + [1.0]
    out["two"] = [{"eth_staking_level": a, "sol_staking_level": b, **point(a, b, r["distribution"])[0]}
                  for b in axis(s["baseline_staking_pct"]) for a in axis(e["baseline_staking_pct"])]
    return out


def random_request(rng):
    """Everything given, within its limits, and a covariance that can be inverted."""
    side = lambda: {"staking_pct": float(rng.uniform(0, 1)), "unbonding_period_days": int(rng.integers(0, 40)),
                    "annual_yield": float(rng.uniform(0, 0.2)), "baseline_staking_pct": float(rng.uniform(0, 0.97))}
    n = int(rng.integers(1, 7))
    p = rng.dirichlet(numpy.ones(n))
    weights = rng.dirichlet(numpy.ones(6))
    correlations = {"btc_eth": 1, "btc_excluded": 1, "within_excluded": 1, "eth_excluded": 1}
    while numpy.linalg.eigvalsh(correlation_matrix(correlations))[0] < 0.05:
        correlations = {k: float(rng.uniform(-0.2, 0.8)) for k in CORRELATIONS}
    return {"eth": side(), "sol": side(), "lambda": float(rng.uniform(0, 60)), "weights": weights.tolist(),
            "distribution": [(float(a), float(b)) for a, b in zip(p, rng.uniform(0, 1, n))],
            "volatilities": rng.uniform(0.01, 0.2, 6).tolist(), "correlations": correlations,
            "current_td": float(rng.uniform(0, 0.02)), "cap_td": float(rng.uniform(0, 0.03))}


def as_request(r):
    return {"staking": {"eth": r["eth"], "sol": r["sol"]},
            "redemption": {"expected_redemptions_per_year": r["lambda"], "distribution": [{"probability": p, "size": s} for p, s in r["distribution"]]},
            "market": {"benchmark_weights": dict(zip(ASSETS, r["weights"])), "volatilities": dict(zip(ASSETS, r["volatilities"])),
                       "correlations": r["correlations"]},
            "fund_details": {"current_td": r["current_td"], "cap_td": r["cap_td"]}}


@pytest.mark.parametrize("seed", range(40 if MODE == "release" else 8))
def test_random_request_against_the_formulas(producer, seed):
    r = random_request(numpy.random.default_rng(2385 + seed))
    got, want = calculate(producer, as_request(r), form="rows"), reference(r)
    close(got["decomposition"], want["decomposition"], "decomposition")
    close(got["net_benefit"], want["net_benefit"], "net_benefit")
    close(got["sensitivity_analysis"], want["one"], "one")
    close(got["sensitivity_analysis_2d"], want["two"], "two")
    best = lambda rows: max(rows, key=lambda x: x["net_benefit_bps"])
    if want["one"]:
        close(next(x for x in want["one"] if math.isclose(x["staking_level"], got["optimal_staking_level"]))["net_benefit_bps"],
              best(want["one"])["net_benefit_bps"])
    else:
        assert got["optimal_staking_level"] == 0.93
    levels = got["optimal_staking_levels"]
    close(next(x for x in want["two"] if math.isclose(x["eth_staking_level"], levels["eth"]) and math.isclose(x["sol_staking_level"], levels["sol"]))
          ["net_benefit_bps"], best(want["two"])["net_benefit_bps"])


def test_k_components_of_the_default_market():
    """The formulas above are the published ones."""
    kee, kes, kss = k_components(WEIGHTS, VOLATILITIES, CORRELATIONS)
    want = DATA["k_components_for_default_market"]
    assert (kee, kss, kes) == pytest.approx((want["k_eth_eth"], want["k_sol_sol"], want["k_eth_sol"]), rel=1e-9)


# ---- defaults, forms, refusals

def test_empty_request_is_the_published_one(producer):
    assert calculate(producer, {})["decomposition"] == calculate(producer, DATA["cases"][0]["request"])["decomposition"]


def test_the_default_trap(producer):
    """A present object with a missing member gets the generic default, not the asset's."""
    used = calculate(producer, {"staking": {"sol": {"staking_pct": 0.8}}})["parameters_used"]["staking"]
    assert used["sol"] == {"staking_pct": 0.8, "unbonding_period_days": 10, "annual_yield": 0.05, "baseline_staking_pct": 0.70}
    assert used["eth"] == {"staking_pct": 0.90, "unbonding_period_days": 10, "annual_yield": 0.03, "baseline_staking_pct": 0.70}
    used = calculate(producer, {"staking": {"eth": {}}})["parameters_used"]["staking"]
    assert used["eth"]["annual_yield"] == 0.05 and used["sol"]["annual_yield"] == 0.073 and used["sol"]["unbonding_period_days"] == 2


def test_parameters_used(producer):
    used = calculate(producer, {})["parameters_used"]
    assert used["market"] is None and used["fund_details"] is None
    assert [(d["probability"], d["size"]) for d in used["redemption"]["distribution"]] == DISTRIBUTION
    used = calculate(producer, {"market": {"volatilities": {"eth": 0.05}}, "fund_details": {"cap_td": 0.02}})["parameters_used"]
    assert used["market"]["volatilities"] == dict(zip(ASSETS, (0.039, 0.05, 0.053, 0.071, 0.055, 0.051)))
    assert used["market"]["benchmark_weights"] == dict(zip(ASSETS, WEIGHTS)) and used["market"]["correlations"] == CORRELATIONS
    assert used["fund_details"] == {"nav": 500000000, "current_td": 0.0143, "cap_td": 0.02}


def test_unknown_members(producer):
    used = calculate(producer, {"note": {"a": [1, 2.385, "x"]}, "staking": {"eth": {"colour": "green"}, "x": 1}})["parameters_used"]
    assert used["note"] == {"a": [1, 2.385, "x"]} and "colour" not in used["staking"]["eth"] and "x" not in used["staking"]


def test_legacy_form(producer):
    legacy = {"yield_params": {"annual_staking_yield": 0.06, "baseline_staking_percentage": 0.6},
              "redemption": {"redemption_sizes": [0.1, 0.2, 0.3], "redemption_counts": [3, 1], "expected_redemptions_per_year": 10},
              "staking": {"eth_staking_pct": 0.8, "sol_staking_pct": 0.7}}
    side = {"annual_yield": 0.06, "baseline_staking_pct": 0.6}
    modern = {"staking": {"eth": {"staking_pct": 0.8, "unbonding_period_days": 10, **side}, "sol": {"staking_pct": 0.7, "unbonding_period_days": 2, **side}},
              "redemption": {"expected_redemptions_per_year": 10, "distribution": [{"probability": 0.75, "size": 0.1}, {"probability": 0.25, "size": 0.2}]}}
    got, want = calculate(producer, legacy), calculate(producer, modern)
    assert got["decomposition"] == want["decomposition"] and got["sensitivity_analysis_2d"] == want["sensitivity_analysis_2d"]
    assert got["parameters_used"]["staking"] == want["parameters_used"]["staking"]


def test_distribution_as_columns(producer):
    rows = {"redemption": {"distribution": [{"probability": 0.6, "size": 0.1}, {"probability": 0.4, "size": 0.3}]}}
    columns = {"redemption": {"distribution": {"probability": [0.6, 0.4], "size": [0.1, 0.3]}}}
    assert calculate(producer, rows) == calculate(producer, columns)


def test_whole_numbers_as_floats(producer):
    assert calculate(producer, {"staking": {"eth": {"unbonding_period_days": 7.0}}})["parameters_used"]["staking"]["eth"]["unbonding_period_days"] == 7
    producer.call("staking.calculate", {"staking": {"eth": {"unbonding_period_days": 7.5}}}).expect(
        "invalid", "staking.eth.unbonding_period_days", "7.5, expected a whole number")


@pytest.mark.parametrize("path, bad, expected", [
    (f"staking.{a}.{m}", v, e) for a in ("eth", "sol")
    for m, v, e in (("staking_pct", -0.1, "0..1"), ("staking_pct", 1.1, "0..1"), ("unbonding_period_days", -1, ">= 0"),
                    ("annual_yield", 0.21, "0..0.2"), ("annual_yield", -0.01, "0..0.2"), ("baseline_staking_pct", 1.5, "0..1"),
                    ("staking_pct", "x", "a number"))
] + [
    ("redemption.expected_redemptions_per_year", -1, ">= 0"), ("market.correlations.btc_eth", 1.1, "-1..1"),
    ("market.volatilities.xrp", 1.1, "0..1"), ("market.benchmark_weights.btc", -0.1, "0..1"), ("market.trading_days_per_year", 0, ">= 1"),
    ("fund_details.nav", 0, "> 0"), ("fund_details.cap_td", 1.5, "0..1"), ("fund_details.current_td", -1, "0..1"),
])
def test_member_out_of_range(producer, path, bad, expected):
    request = bad
    for name in reversed(path.split(".")):
        request = {name: request}
    producer.call("staking.calculate", request).expect("invalid", path, f"expected {expected}")


@pytest.mark.parametrize("request_, words", [
    ({"market": {"benchmark_weights": dict.fromkeys(ASSETS, 0.1)}}, "sum"),
    ({"redemption": {"distribution": [{"probability": 0.5, "size": 0.1}]}}, "sum to 0.5"),
    ({"redemption": {"distribution": []}}, "distribution"),
    ({"market": {"correlations": {"btc_eth": 1, "btc_excluded": 1, "eth_excluded": 1, "within_excluded": 1}}}, "singular"),
    ({"market": {"correlations": {"btc_eth": -1, "btc_excluded": 0.9, "eth_excluded": 0.9}}}, "correlations"),
    ({"market": {"volatilities": {"eth": 0}}}, "volatilit"),
    ({"yield_params": {}, "redemption": {"redemption_counts": [0, 0]}}, "count"),
])
def test_request_that_has_no_answer(producer, request_, words):
    answer = producer.call("staking.calculate", request_)
    assert answer.status in ("invalid", "failed") and words in answer.error, dict(answer)


def test_weights_are_summed_only_when_xlm_is_given(producer):
    calculate(producer, {"market": {"benchmark_weights": {"btc": 0.5}}})
    producer.call("staking.calculate", {"market": {"benchmark_weights": {"btc": 0.5, "xlm": 0.0027}}}).expect("invalid")


def test_no_level_to_search(producer):
    """A baseline above 0.98 leaves the list empty, and the answer 0.93."""
    side = {"baseline_staking_pct": 0.995}
    got = calculate(producer, {"staking": {"eth": side, "sol": side}})
    assert got["sensitivity_analysis"]["staking_level"] == [] and got["optimal_staking_level"] == 0.93
    assert calculate(producer, {"staking": {"eth": side, "sol": side}}, form="rows")["sensitivity_analysis"] == []


def test_exact_mode_uses_the_longer_window(producer):
    """The published partial period is ETH's whichever asset unbonds longer; exact takes the longer one's."""
    sol_longer = {"staking": {"eth": {"unbonding_period_days": 2}, "sol": {"unbonding_period_days": 20}}}
    compatible, exact = calculate(producer, sol_longer), calculate(producer, sol_longer, mode="exact")
    assert compatible["decomposition"]["tracking_error"] != exact["decomposition"]["tracking_error"]
    assert calculate(producer, {}, mode="exact")["decomposition"] == calculate(producer, {})["decomposition"]
