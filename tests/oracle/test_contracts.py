# SPDX-License-Identifier: MPL-2.0
"""Bad and strange input for every function of every plugin, made from the contracts themselves: each row of each contract is given
what it does not allow, and what it allows but nobody expects. Whatever comes, the process lives, answers in time, names the
field when it refuses, and answers good jobs as before."""
import math

import msgpack
import numpy as np

from contracts import INF, NAN, alike, get, put

WRONG = {
    "float": ["x", "", {}, {"a": 1}, [], [1.5, 2.5], b"\x00", msgpack.ExtType(3, b"xy")],
    "int": ["x", "7", {}, [3], 1.5, NAN, INF, b"\x00", 2**64 - 1, 1e300],
    "bool": ["true", 2, {}, [True], b"\x01"],
    "string": [7, 1.5, {}, ["x"], True],
    "bytes": [7, {}, [1]],
    "array": ["x", b"x", True, {"a": 1}, ["x"], [[1.5], 2], [{}], {"nd": True}, [[[[[1.0]]]]],
              {"nd": True, "type": "<f8", "shape": [3], "data": b"\x00" * 23},
              {"nd": True, "type": "<f8", "shape": [-1], "data": b""},
              {"nd": True, "type": "<f8", "shape": [2**62, 8], "data": b"\x00" * 16},
              {"nd": True, "type": ">f8", "shape": [1, 1, 1, 1, 1, 1, 1, 1], "data": b"\x00" * 8},
              {"nd": True, "type": "O", "shape": [1], "data": b"\x00" * 8},
              {"nd": True, "type": "<f8", "shape": ["2"], "data": b"\x00" * 16},
              {"nd": True, "type": "<f8", "data": b"\x00" * 16}],
    "map": ["x", 7, [1], True],
    "table": ["x", 7, True, [1], {"zz": [1]}],
    "value": [],
}


def test_wrong_types_ranges_and_choices_are_refused_by_name(function):
    for row in function.rows.values():
        base = next((b for b in function.bases if get(b, row) is not None), function.bases[0])
        sure = get(base, row) is not None  # else another row of a map that is not there may be missed first
        columns = "[]" in row["name"]  # of a table given as a map of arrays, where a list is in its place
        for wrong in (w for w in WRONG[row["kind"]] if not (columns and isinstance(w, list))):
            args = put(base, row, wrong)
            if args is not None:
                function.refuses(args, row, loosely=not sure)
        if row["kind"] in ("float", "int"):
            out = [v for bound, sign in (("min", -1), ("max", 1)) if bound in row and math.isfinite(row[bound])
                   for v in [row[bound] + sign if row["kind"] == "int" else math.nextafter(row[bound], sign * INF),
                             row[bound] + sign * (1e6 + abs(row[bound]))]]
            out += [row["min"]] if row.get("open_min") else []
            out += [row["max"]] if row.get("open_max") else []
            out += [NAN, INF, -INF] if row.get("finite") else []
            for wrong in (v for v in out if v not in (row.get("min"), row.get("max")) or row.get("open_min") or row.get("open_max")):
                wrong = int(wrong) if row["kind"] == "int" and math.isfinite(wrong) and wrong == int(wrong) else wrong
                args = put(base, row, wrong)
                if args is not None:
                    function.refuses(args, row, loosely=not sure)
        if row["kind"] == "string" and "choices" in row:
            args = put(base, row, row["choices"].split("|")[0] + "_")
            if args is not None:
                text = function.refuses(args, row, loosely=not sure)
                assert not sure or "expected" in text
        if row.get("required") and sure:
            function.refuses(put(base, row, None), row)
    function.still_right()


def test_unknown_arguments_and_hopeless_payloads(function):
    base = function.bases[0]
    if "extras" not in function.contract["flags"]:
        args = dict(base, zzz=1)
        status, field, _, _ = function.run(args)
        assert (status, field) == ("invalid", "zzz")
    for row in function.rows.values():
        if row["kind"] == "map" and not row.get("lenient") and isinstance(get(base, row), dict):
            assert function.run(put(base, row, {**get(base, row), "zzz": 1}))[0] == "invalid"
    assert function.run(dict(base, form="no such"))[0] == "invalid"
    for payload in (b"", b"\xc1", b"\xc0", b"\x90", b"\xdf\xff\xff\xff\xff", b"\x81\xa1x\xdd\xff\xff\xff\xff", function.good[:-1],
                    function.good + b"\x00", b"\x81" * 1000, b"\x82\xa1x\x01\xa1x\x01", b"\x81\x01\x01"):
        status, _, text, _ = function.run_raw(payload)
        assert status == "invalid" and text, f"{function.name} {payload[:20]!r}: {status} {text}"
    function.still_right()


def strange(n, like):
    """Series of n values that break careless arithmetic."""
    whole = np.array(like, dtype=float).ravel()
    base = np.resize(whole, n) if whole.size and np.all(np.isfinite(whole)) else np.linspace(0.25, 1, n)
    yield "equal", np.full(n, base[0])
    yield "zeros", np.zeros(n)
    yield "minus zeros", np.full(n, -0.0)
    for i in sorted({0, n // 2, n - 1}):
        yield f"NaN at {i}", np.where(np.arange(n) == i, NAN, base)
        yield f"inf at {i}", np.where(np.arange(n) == i, INF, base)
    yield "NaN", np.full(n, NAN)
    yield "-inf", np.full(n, -INF)
    yield "huge", np.full(n, 1.7e308)
    yield "huge, both signs", np.where(np.arange(n) % 2, -1.7e308, 1.7e308)
    yield "tiny", np.full(n, 5e-324)
    yield "negative", -np.abs(base) - 1
    yield "1e9 + noise", 1e9 + base * 1e-3
    yield "whole numbers", np.arange(n) + 1.0


def test_strange_values_and_lengths(function):
    for row in function.rows.values():
        if row["kind"] != "array" or len(row.get("shape", "").split()) != 1:
            continue
        base = next((b for b in function.bases if get(b, row) is not None), None)
        if base is None:
            continue
        together, here = alike(function, base, row), get(base, row)
        for n in (0, 1, 2, 3, 7, 64, 257):
            for what, values in strange(n, here) if n else [("empty", np.array([]))]:
                args = put(base, row, values)
                for other in together:
                    if other is not row and args is not None:
                        given = np.array([v if v is not None else NAN for v in get(base, other)], dtype=float)
                        args = put(args, other, np.resize(given, n) if n else values)
                if args is not None:
                    function.run(args)
                if n == 257 and len(together) > 1 and args is not None:
                    function.refuses(put(args, row, values[:-1]), row, loosely=True)
    function.still_right()


def test_extreme_parameters_within_their_range(function):
    base = function.bases[-1]
    for row in function.rows.values():
        if row["kind"] in ("float", "int") and "[]" not in row["name"]:
            values = [row[b] for b in ("min", "max") if b in row and math.isfinite(row[b]) and not row.get(f"open_{b}")]
            whole = row["kind"] == "int"
            values += [0, 1, 2, 3, 10**6, 2**31 - 1, 2**31, 2**53, 2**63 - 1, -2**63, -1] if whole else \
                      [0.0, -0.0, 5e-324, 1e-300, 1e-9, 0.5, 1.0, 1e9, 1e300, 1.7e308, NAN, INF, -INF, -1.0]
            for v in values:
                args = put(base, row, int(v) if whole else v)
                if args is not None:
                    function.run(args)
        for choice in (row.get("choices") or "").split("|"):
            args = put(base, row, choice) if choice else None
            if args is not None:
                function.run(args)
        if row["kind"] == "bool":
            for v in (True, False):
                args = put(base, row, v)
                if args is not None:
                    function.run(args)
    function.still_right()


def test_the_form_of_numbers_does_not_matter(function):
    """Lists, typed arrays and integers that mean the same give the same answer to the last bit."""
    for base in function.bases[:2]:
        first = function.run(dict(base, form="nd"))

        def other(value, integers):
            if isinstance(value, dict):
                return {k: other(v, integers) for k, v in value.items()}
            if isinstance(value, np.ndarray):
                return value.tolist()
            if isinstance(value, list) and value and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value):
                whole = all(abs(v) <= 2**53 and v == int(v) for v in value)
                return np.array(value, dtype="<i8" if whole and integers else "<f8")
            return value

        for integers in (False, True):
            args = {k: other(v, integers) if function.rows.get(k, {}).get("kind") == "array" else v for k, v in base.items()}
            assert function.run(dict(args, form="nd")) == first
