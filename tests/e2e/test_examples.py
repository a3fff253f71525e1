# SPDX-License-Identifier: MPL-2.0
"""The programs of examples/, as a newcomer would run them: each against a live house, with no Kiln library but for the C one."""
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys

import numpy
import pytest

from house import BUILD, PATIENCE, ROOT, House, environment, until

pytestmark = pytest.mark.usefixtures("house")

X = numpy.array([103.1, 101.4, 104.9, 102.385, 107.7])
NODE = os.path.join(ROOT, "build", "node")


def run(args, house, **more):
    p = subprocess.run(args + [house.front], capture_output=True, text=True, check=False, timeout=PATIENCE * 3, **more)
    assert p.returncode == 0, f"{args}: {p.returncode}\n{p.stdout}{p.stderr}"
    return p.stdout


def right(out):
    found = re.fullmatch(r"mean ([\d.]+) std ([\d.]+) in (\d+) us\n", out)
    assert found, out
    assert float(found[1]) == pytest.approx(X.mean(), abs=1e-6) and float(found[2]) == pytest.approx(X.std(), abs=1e-6)
    assert int(found[3]) > 0


def described(house):
    return house.function("stats.describe")["ok"]


def test_python(house):
    before = described(house)
    right(run(["/usr/bin/python3", f"{ROOT}/examples/python_call.py"], house))
    assert described(house) == before + 1


def test_python_with_numpy(house):
    z = numpy.round((X - X.mean()) / X.std(), 6)
    assert run(["/usr/bin/python3", f"{ROOT}/examples/python_numpy.py"], house) == f"ok {z}\n"


def test_perl(house):
    before = described(house)
    right(run(["perl", f"{ROOT}/examples/perl_call.pl"], house))
    assert described(house) == before + 1


def node_modules():
    """Installs what package.json names, once, outside the source tree."""
    os.makedirs(NODE, exist_ok=True)
    with open(os.path.join(NODE, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the modes run side by side
        for name in ("package.json", "call.mjs"):
            shutil.copy(os.path.join(ROOT, "examples", "node", name), NODE)
        with open(os.path.join(NODE, "package.json"), encoding="utf-8") as f:
            wanted = f.read()
        stamp = os.path.join(NODE, "node_modules", ".installed")
        if not os.path.exists(stamp) or open(stamp, encoding="utf-8").read() != wanted:
            p = subprocess.run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"], cwd=NODE, capture_output=True, text=True,
                               check=False, timeout=600)
            assert p.returncode == 0, p.stdout + p.stderr
            with open(stamp, "w", encoding="utf-8") as f:
                f.write(wanted)


def test_node(house):
    node_modules()
    before = described(house)
    right(run(["node", "call.mjs"], house, cwd=NODE))
    assert described(house) == before + 1


def test_c(house, tmp_path):
    before = described(house)
    os.symlink(f"{BUILD}/libkiln.so.0", tmp_path / "libkiln.so")
    sanitizer = {"asan": ["-fsanitize=address,undefined"], "tsan": ["-fsanitize=thread"]}.get(os.path.basename(BUILD), [])
    subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", *sanitizer, f"-I{ROOT}/include", "-o", tmp_path / "client",
                    f"{ROOT}/examples/client.c", f"-L{tmp_path}", "-lkiln", "-lmsgpackc", f"-Wl,-rpath,{BUILD}"], check=True)
    right(run([str(tmp_path / "client")], house, env=environment()))
    assert described(house) == before + 1
    p = subprocess.run([tmp_path / "client", "ipc:///tmp/no-broker-here"], capture_output=True, text=True, check=False, env=environment(),
                       timeout=PATIENCE + 10)
    assert p.returncode == 1 and p.stderr.startswith("unavailable: ")


def test_the_short_ones_are_short_and_need_no_library_of_ours():
    files = glob.glob(f"{ROOT}/examples/python_[cn]*.py") + glob.glob(f"{ROOT}/examples/*.pl") + glob.glob(f"{ROOT}/examples/node/*.mjs")
    assert len(files) == 5
    for path in files:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert len(text.split("\n")) <= 30, path
        assert not re.search(r"import kiln|from kiln|use Kiln", text)


def test_a_worker_in_python(house):
    """It announces a function, serves it, and answers what it cannot do."""
    worker = subprocess.Popen(["/usr/bin/python3", f"{ROOT}/examples/python_worker.py", house.back])
    try:
        producer = house.producer()
        until(lambda: house.workers("pyworker"), "the worker to join")
        producer.call("pyworker.add", {"a": 2.25, "b": 0.5}).expect("ok")
        producer.call("pyworker.add", {"a": 2.25}).expect("invalid", None, "expected the numbers a and b")
        answers = producer.calls([{"fn": "pyworker.add"}] * 3, [{"a": i, "b": 1} for i in range(3)])
        assert sorted(a.result["sum"] for a in answers.values()) == [1, 2, 3]
        assert house.function("pyworker.add")["ok"] == 4 and house.function("pyworker.add")["errors"] == 1
    finally:
        worker.kill()
        worker.wait()


def test_demo():
    """The main job on real data, in under ten seconds, from nothing to nothing."""
    p = subprocess.run([f"{ROOT}/examples/demo", BUILD], capture_output=True, text=True, check=False, timeout=PATIENCE * 3, env=environment(),
                       cwd="/")
    assert p.returncode == 0, p.stdout + p.stderr
    for words in ("ETH", "SOL", "RSI", "MACD", "VWAP", "CVD", "bull", "regime:1 *", "kiln call"):
        assert words in p.stdout, p.stdout
    assert not re.search(r"Sanitizer|runtime error", p.stdout + p.stderr)


# ---- a model

REGIME = f"{ROOT}/examples/market_regime.py"


def inference(folder):
    return [{"name": "inference", "data": [str(folder)], "options": {"folder": str(folder)}}]


def test_market_regime_is_what_scikit_learn_says(tmp_path):
    """Trained anew, served, and every row compared: in jobs of 64 rows by the example itself, and each row as a job of its own."""
    trained = subprocess.run([REGIME, "train", tmp_path / "regime" / "1"], capture_output=True, text=True, check=True, timeout=PATIENCE * 3)
    assert "later days: " in trained.stdout
    with House() as house:
        house.start_daemon(inference(tmp_path))
        out = run([REGIME, "check"], house)
        found = re.search(r"(\d+) rows: 0 labels differ, probabilities differ by at most (\S+)\n", out)
        assert found and int(found[1]) > 3000 and float(found[2]) <= 1e-5, out

        sys.path.insert(0, f"{ROOT}/examples")
        import market_regime
        model, x, _, _ = market_regime.fitted()
        producer, rows = house.producer(), x[::3]
        answers = producer.calls([{"id": str(i), "fn": "inference.predict"} for i in range(len(rows))],
                                 [{"model": "regime", "labels": True, "inputs": {"x": [row.tolist()]}} for row in rows])
        got = [answers[str(i)].expect("ok").result for i in range(len(rows))]
        assert [g["labels"][0] for g in got] == model.predict(rows).tolist()
        numpy.testing.assert_allclose([g["probabilities"][0] for g in got], model.predict_proba(rows), atol=1e-5)
        assert all(g["classes"] == model.classes_.tolist() for g in got)
        drift = producer.call("inference.drift", {"model": "regime"}).expect("ok").result
        assert market_regime.COLUMNS == [c["column"] for c in drift["columns"]] and all(c["seen"] > len(x) for c in drift["columns"]), drift


def test_the_model_of_the_demo_is_what_the_example_trains():
    """The committed model answers, for every row, what one that is trained now says."""
    with House() as house:
        house.start_daemon(inference(f"{ROOT}/examples/models"))
        assert " 0 labels differ" in run([REGIME, "check"], house)
        found = {m["name"]: m for m in house.producer().call("inference.models", {}).expect("ok").result["models"]}
        assert found["regime"]["state"] == "ready" and found["regime"]["examples"] == 1


def test_market_regime_tells_when_answers_differ(tmp_path):
    """A check that cannot fail shows nothing: another model under the name."""
    shutil.copytree(f"{ROOT}/examples/models/regime/1", tmp_path / "regime" / "1")
    sys.path.insert(0, f"{ROOT}/examples")
    import market_regime
    import sk2onnx
    x, y, dates, _ = market_regime.examples(market_regime.read_bars())
    other = market_regime.train(x[::2], y[::2])
    (tmp_path / "regime" / "1" / "model.onnx").write_bytes(sk2onnx.convert(other, len(market_regime.COLUMNS)).SerializeToString())
    with House() as house:
        daemon = house.start_daemon(inference(tmp_path), ready=False)
        daemon.says("golden example 1")  # the example beside it is not met: it does not serve
        daemon.expected = 1 if not daemon.alive() else 0
    os.remove(tmp_path / "regime" / "1" / "golden.json")
    with House() as house:
        house.start_daemon(inference(tmp_path))
        p = subprocess.run([REGIME, "check", house.front], capture_output=True, text=True, check=False, timeout=PATIENCE * 3)
        assert p.returncode == 1 and "labels differ" in p.stdout, p.stdout + p.stderr


def test_features_need_only_the_past():
    """What comes after a day changes nothing that is said of it."""
    sys.path.insert(0, f"{ROOT}/examples")
    import market_regime
    bars = market_regime.read_bars()
    before = market_regime.features(bars, "ETH", 300)
    cut = {a: {k: v[:301] for k, v in b.items()} for a, b in bars.items()}
    assert market_regime.features(cut, "ETH", 300) == before and len(before) == len(market_regime.COLUMNS)
    early, late = market_regime.split(market_regime.examples(bars)[2])
    assert not (early & late).any() and early.sum() > late.sum() > 500


def test_market_regime_says_how_it_is_called():
    p = subprocess.run([REGIME, "teach"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert p.returncode == 2 and "examples/market_regime.py train" in p.stderr
