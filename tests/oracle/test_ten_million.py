# SPDX-License-Identifier: MPL-2.0
"""Every function of every plugin with ten million values in all its series: an answer in time, or a refusal. In release only."""
import numpy as np

from contracts import alike, get, put

COUNT = 10_000_000
_x = []


def series(i, row):
    """Positive, around 100, another one for each argument, within what the row allows."""
    while len(_x) <= i:
        _x.append(np.abs(np.random.default_rng(len(_x)).standard_normal(COUNT)) + 100)
    x = _x[i]
    if "min" in row or "max" in row:
        x = np.clip(x, row.get("min", -np.inf), row.get("max", np.inf))
    return np.floor(x).astype("<i8") if row.get("dtype", "f64")[0] in "iu" else x


def test_ten_million_values(function):
    arrays = [r for r in function.rows.values() if r["kind"] == "array" and len(r.get("shape", "").split()) == 1]
    row = next((r for r in arrays if any(get(b, r) is not None for b in function.bases)), None)
    if row is None:
        return  # it takes no series
    args = next(b for b in function.bases if get(b, row) is not None)
    for i, each in enumerate(alike(function, args, row)):
        args = put(args, each, series(i, each))
    function.run(args, patience=60)
    function.still_right()
