# SPDX-License-Identifier: MPL-2.0
"""Every function of every plugin with ten million values in all its series: an answer in time, or a refusal. In release only."""
import msgpack
import numpy as np

from contracts import alike, get, pack

COUNT = 10_000_000
_packed = {}


def series(i, row):
    """Packed: positive, around 100, another one for each argument, within what the row allows."""
    bounds, whole = (row.get("min", -np.inf), row.get("max", np.inf)), row.get("dtype", "f64")[0] in "iu"
    if (i, bounds, whole) not in _packed:
        x = np.clip(np.abs(np.random.default_rng(i).standard_normal(COUNT)) + 100, *bounds)
        _packed[i, bounds, whole] = msgpack.packb(np.floor(x).astype("<i8") if whole else x, default=pack)
    return _packed[i, bounds, whole]


def test_ten_million_values(function):
    arrays = [r for r in function.rows.values() if r["kind"] == "array" and len(r.get("shape", "").split()) == 1
              and "." not in r["name"] and "[]" not in r["name"]]
    row = next((r for r in arrays if any(get(b, r) is not None for b in function.bases)), None)
    if row is None:
        return  # it takes no series
    args = dict(next(b for b in function.bases if get(b, row) is not None), form="nd")
    long = {each["name"]: series(i, each) for i, each in enumerate(alike(function, args, row))}
    pieces = [msgpack.Packer().pack_map_header(len(args))]
    for name, value in args.items():
        pieces += [msgpack.packb(name), long.get(name) or msgpack.packb(value, default=pack)]
    function.check(function.run_raw(pieces, patience=60, keep_result=True), args)
    function.still_right()
