# SPDX-License-Identifier: MPL-2.0
"""A function of a plugin as its contract describes it, and jobs made from its examples. The fixture `function` (conftest.py) is each
function of each plugin in turn."""
import json
import re
import signal

import msgpack
import numpy as np

from plugin import MODE, Plugin, pack, unpack

PLUGINS = ["echo", "indicators", "staking", "stats"]
PATIENCE = {"release": 20, "asan": 120}[MODE]  # seconds for one job, however strange
NAN, INF = float("nan"), float("inf")
ANSWERS = {"ok", "invalid", "failed", "resource", "cancelled"}


def functions():
    for plugin in PLUGINS:
        with Plugin(plugin) as p:
            yield from ((plugin, name) for name, c in p.contracts.items() if "pure" in c["flags"])


def expand(value):
    """{"$normal":[n,seed]} and {"$linspace":[a,b,n]}, which only examples may say, as arrays."""
    if isinstance(value, dict):
        if "$normal" in value:
            n, seed = value["$normal"]
            return np.random.default_rng(seed).standard_normal(n)
        if "$linspace" in value:
            return np.linspace(*value["$linspace"])
        return {k: expand(v) for k, v in value.items()}
    return [expand(v) for v in value] if isinstance(value, list) else value


def jobs_of(contract):
    """The arguments of its examples that succeed."""
    return [expand(json.loads(e["args"])) for e in contract["examples"] if e.get("status", "ok") == "ok"]


class Function:
    def __init__(self, plugin, name):
        self.plugin, self.name = plugin, name
        self.contract = plugin.contracts[name]
        self.rows = {r["name"]: r for r in self.contract["params"] if r["name"] != "*"}
        good = jobs_of(self.contract)
        assert good, f"{name} has no example that succeeds"
        self.bases = good[:4]
        self.good = msgpack.packb({**good[0], "form": "nd"}, default=pack)
        self.answer = self.run_raw(self.good)
        assert self.answer[0] == "ok", self.answer

    def run_raw(self, payload, patience=PATIENCE, **keys):
        def late(*_):
            self.plugin.kill()
            raise AssertionError(f"{self.name}: no answer within {patience} s")

        signal.signal(signal.SIGALRM, late)
        signal.alarm(patience)
        try:
            return self.plugin.raw(self.name, payload, **keys)[:4]
        finally:
            signal.alarm(0)

    def run(self, args, patience=PATIENCE):
        """The answer, checked for what holds of every answer."""
        answer = self.run_raw(msgpack.packb(args, default=pack), patience)
        where = self.check(answer, args)
        if answer[0] == "ok":
            self.check_shapes(msgpack.unpackb(answer[3], object_hook=unpack, strict_map_key=False), where)
        return answer

    def check(self, answer, args):
        status, field, text, _ = answer
        where = f"{self.name}{brief(args)}: {status} {field!r}: {text}"
        assert status in ANSWERS, where
        assert status == "ok" or text, where
        if status == "invalid":
            assert field, where
            head = re.split(r"[.\[]", field)[0]
            known = {re.split(r"[.\[]", n)[0] for n in self.rows} | {"form"}
            assert head in known or head in args, where
        return where

    def check_shapes(self, result, where):
        """Results whose rows share a symbol agree in length."""
        sizes = {}
        for row in self.contract["results"]:
            if row["kind"] != "array" or "[]" in row["name"]:
                continue
            value = result
            for step in row["name"].split("."):
                value = value.get(step) if isinstance(value, dict) else None
            if isinstance(value, np.ndarray):
                words = row["shape"].split()
                assert value.ndim == len(words), where
                for word, size in zip(words, value.shape):
                    symbol = word.split(">")[0]
                    assert sizes.setdefault(symbol, size) == size, f"{where}: {row['name']} has {size}"

    def refuses(self, args, row, loosely=False):
        status, field, text, _ = self.run(args)
        where = f"{self.name}{brief(args)}: {status} {field!r}: {text}"
        assert status == "invalid", f"{where}; expected a refusal of {row['name']}"
        plain = row["name"].replace("[]", "")
        named = re.sub(r"\[\d*\]", "", field)
        assert loosely or named.startswith(plain) or plain.startswith(named), where
        return text

    def still_right(self):
        assert self.run_raw(self.good) == self.answer, f"{self.name}: another answer after bad jobs"


def brief(args):
    text = repr({k: v for k, v in args.items()})
    return text if len(text) < 400 else text[:400] + "..."


def path_of(row):
    return row["name"].replace("[]", "").split(".")


def get(args, row):
    for step in path_of(row):
        if isinstance(args, list):
            args = args[0] if args else None
        if not isinstance(args, dict) or step not in args:
            return None
        args = args[step]
    return args


def put(base, row, value):
    """base with the row's argument replaced; None when the example has no place for it."""

    def changed(at, path):
        if not path:
            return value
        if isinstance(at, list):
            return [changed(at[0], path), *at[1:]] if at and isinstance(at[0], dict) else None
        if at is not None and not isinstance(at, dict):
            return None
        inner = changed((at or {}).get(path[0]), path[1:])
        return None if inner is None and len(path) > 1 else {**(at or {}), path[0]: inner}

    return changed(base, path_of(row))


def alike(function, base, row):
    """The rows whose arrays are as long as this one's, where the example has them."""
    symbol = row["shape"].split()[0].split(">")[0]
    return [r for r in function.rows.values() if r["kind"] == "array" and r.get("shape", "").split()[:1]
            and r["shape"].split()[0].split(">")[0] == symbol and len(r["shape"].split()) == 1 and get(base, r) is not None]
