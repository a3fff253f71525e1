# SPDX-License-Identifier: MPL-2.0
"""Every indicator of the plugin with bars and parameters to try it on, made from the contracts: what is added later is covered
by the tests that use this without another word."""
import json

import numpy as np

from plugin import Refused

PRICES = ("open", "high", "low", "close")


def bars(n, seed=1):
    """Prices that walk, with steps that are level now and then, and volumes, some of them zero."""
    rng = np.random.default_rng(seed)
    step = np.where(rng.random(n) < 0.1, 0.0, rng.normal(size=n))
    close = np.maximum(100.0 + np.cumsum(step), 5.0)
    open_ = np.concatenate([[100.0], close[:-1]])[:n] + rng.normal(size=n) * 0.1
    high = np.maximum(open_, close) + rng.random(n)
    low = np.minimum(open_, close) - rng.random(n)
    volume = np.where(rng.random(n) < 0.1, 0.0, 1000.0 * rng.random(n))
    return {"open": open_, "high": high, "low": low, "close": close, "volume": volume}


def is_series(row):
    return row["kind"] == "array" and row["shape"] == "n"


def indicators(plugin):
    """Names of the functions that bundle takes, sorted."""
    found = []
    for name, contract in plugin.contracts.items():
        if not is_series(contract["params"][0]):
            continue
        try:
            plugin("bundle", close=[1.0], indicators=[{"fn": name}])
        except Refused as e:
            if e.field == "indicators[0].fn":
                continue
        found.append(name)
    return sorted(found)


def series_of(contract):
    rows = []
    for row in contract["params"]:
        if not is_series(row):
            break
        rows.append(row)
    return rows


def value_of(row, rng, longest):
    """A value that the row allows; None for its default."""
    if row["kind"] in ("int", "float") and rng.random() < 0.8:
        least, most = row.get("min"), row.get("max")
        if least is None:
            least = -longest
        if row["kind"] == "int":
            return int(rng.integers(least, min(most if most is not None else longest, least + longest) + 1))
        default = float(row.get("default") or 0.5)
        value = default * float(rng.uniform(0.5, 1.5))
        return value if least < value < (most if most is not None else np.inf) else default
    if row["kind"] == "bool":
        return bool(rng.integers(2))
    if row["kind"] == "string" and row.get("choices"):
        return str(rng.choice(row["choices"].split("|")))
    return json.loads(row["default"]) if "default" in row else None


class Case:
    """One indicator, its series by name (all named series there are, those of the bars among them), and an entry of the list."""

    def __init__(self, plugin, name, data, rng, longest):
        contract = plugin.contracts[name]
        n, seed = len(data["close"]), int(rng.integers(1 << 30))
        self.name, self.series = name, {}
        for k, row in enumerate(series_of(contract)):
            if row["name"] in data:
                self.series[row["name"]] = data[row["name"]]
            elif row.get("min") is not None and row.get("max") is not None:
                inner = np.random.default_rng(seed + k)
                self.series[row["name"]] = np.floor(inner.uniform(row["min"], min(row["max"], row["min"] + longest), n))
            else:
                self.series[row["name"]] = bars(n, seed + k)["close"]
        given = {row["name"]: value_of(row, rng, longest) for row in contract["params"][len(self.series):]}
        self.params = {k: v for k, v in given.items() if v is not None}
        self.entry = {"fn": name, **self.params}

    def alone(self, plugin):
        """What the function itself gives, or the refusal."""
        try:
            return plugin(self.name, **self.series, **self.params)
        except Refused as e:
            return e


def cases(plugin, name, data, rng, count, longest=40):
    """`count` cases that the function takes, whose parameters agree with one another, each with what the function gives."""
    found = []
    for _ in range(20 * count):
        case = Case(plugin, name, data, rng, longest)
        whole = case.alone(plugin)
        if not isinstance(whole, Refused):
            found.append((case, whole))
        if len(found) == count:
            return found
    raise AssertionError(f"{name} refuses what its rows allow: {whole}")


def arguments(series, part=slice(None)):
    """Series as bundle and stream take them: those of the bars by name, others in `series`."""
    ours = {k: v[part] for k, v in series.items() if k in PRICES + ("volume",)}
    others = {k: np.ascontiguousarray(v[part]) for k, v in series.items() if k not in ours}
    return {**ours, **({"series": others} if others else {})}


def same_bits(got, want):
    """Equal to the last bit; one NaN is as good as another."""
    got, want = np.asarray(got, float), np.asarray(want, float)
    nan = np.isnan(got) & np.isnan(want)
    return got.shape == want.shape and bool(np.all(nan | (got.view(np.uint64) == want.view(np.uint64))))
