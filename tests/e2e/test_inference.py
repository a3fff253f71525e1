# SPDX-License-Identifier: MPL-2.0
"""inference.* through the whole house: jobs of many callers computed together, models swapped while traffic flows."""
import os
import signal
import sys
import threading

import numpy as np
import pytest

from house import ROOT, House, until

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
from onnx_models import info, linear, mlp, mlp_reference, model, node, put  # noqa: E402

W = np.array([[0.5, -1.25], [2.0, 0.75], [-1.5, 3.0]], np.float32)
B = np.array([0.125, -0.25], np.float32)


def nd(a):
    return {"nd": True, "type": a.dtype.str, "shape": list(a.shape), "data": a.tobytes()}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    put(folder, "linear", linear(W, B))
    put(folder, "mlp", mlp([32, 64, 32, 1])[0])
    # Not computed together: rows of one are seen by the others.
    put(folder, "centred", model([node("ReduceMean", "x", "m", axes=[0]), node("Sub", "x m", "y")],
                                 [info("x", np.float32, ["rows", 3])], ["y"]))
    put(folder, "pick", model([node("Gather", "w i", "y")], [info("i", np.int64, ["rows"])], ["y"], {"w": W}))
    with House() as house:
        house.start_daemon([{"name": "inference", "options": {"folder": str(folder)}}])
        yield house


def many(house, jobs):
    """[(arguments)] as one message; answers in order."""
    producer = house.producer()
    found = producer.calls([{"id": str(i), "fn": "inference.predict"} for i in range(len(jobs))], jobs)
    return [found[str(i)] for i in range(len(jobs))]


def batches(house):
    producer = house.producer()
    answer = producer.call("inference.models", {}).expect("ok").result
    return {m["name"]: m for m in answer["models"]}


def test_many_callers_at_once(served):
    """Rows of different jobs in one run, each gets its own back; batches of all sizes."""
    layers, random = mlp([32, 64, 32, 1])[1], np.random.default_rng(3)
    xs = [random.normal(size=(int(random.integers(1, 5)), 32)).astype(np.float32) for _ in range(300)]
    answers = many(served, [{"model": "mlp", "inputs": {"x": nd(x)}, "form": "nd"} for x in xs])
    assert max(a.batch for a in answers) > 8
    for x, answer in zip(xs, answers):
        y = answer.expect("ok").result["outputs"]["y"]
        got = np.frombuffer(y["data"], y["type"]).reshape(y["shape"])
        np.testing.assert_allclose(got, mlp_reference(layers, x), rtol=1e-4, atol=1e-5)


def test_a_bad_neighbour_harms_nobody(served):
    """Among good jobs: wrong names, shapes, elements, models, another model, no rows."""
    kinds = {
        "good": ({"model": "linear", "inputs": {"x": [[1, 2, 3]]}}, "ok", "y"),
        "pair": ({"model": "linear", "version": 1, "inputs": {"x": [[1, 2, 3], [0, 0, 0]]}}, "ok", "y"),
        "none": ({"model": "linear", "inputs": {"x": nd(np.zeros((0, 3)))}}, "ok", "y"),
        "shape": ({"model": "linear", "inputs": {"x": [[1, 2]]}}, "invalid", "expected float32[?,3]"),
        "ragged": ({"model": "linear", "inputs": {"x": [[1, 2, 3], [1]]}}, "invalid", "different lengths"),
        "name": ({"model": "linear", "inputs": {"z": [[1, 2, 3]]}}, "invalid", '"z"'),
        "element": ({"model": "linear", "inputs": {"x": [[1, 2, 1e300]]}}, "invalid", "1.0000000000000001e+300"),
        "model": ({"model": "nothing", "inputs": {"x": [[1, 2, 3]]}}, "invalid", "nothing"),
        "other": ({"model": "pick", "inputs": {"i": [2]}}, "ok", "y"),
        "index": ({"model": "pick", "inputs": {"i": [7]}}, "invalid", "7"),
        "contract": ({"inputs": {"x": [[1, 2, 3]]}}, "invalid", "model"),
    }
    random = np.random.default_rng(5)
    order = [list(kinds)[i] for i in random.integers(0, len(kinds), 250)]
    for kind, answer in zip(order, many(served, [kinds[k][0] for k in order])):
        args, status, text = kinds[kind]
        if status == "ok":
            y = answer.expect("ok").result["outputs"][text]
            wanted = {"good": [[0.125, 9]], "pair": [[0.125, 9], [0.125, -0.25]], "none": [], "other": [[-1.5, 3]]}[kind]
            np.testing.assert_allclose(y, wanted, rtol=1e-6)
        else:
            answer.expect(status, None, text) if status != "invalid" else answer.expect("invalid")
            assert text in answer.error, (kind, answer.error)


def test_rows_that_see_each_other_are_not_mixed(served):
    random = np.random.default_rng(9)
    xs = [random.normal(size=(3, 3)).astype(np.float32) for _ in range(100)]
    for x, answer in zip(xs, many(served, [{"model": "centred", "inputs": {"x": x.tolist()}} for x in xs])):
        np.testing.assert_allclose(answer.expect("ok").result["outputs"]["y"], x - x.mean(0), rtol=1e-4, atol=1e-6)
    found = batches(served)
    assert not found["centred"]["stackable"] and found["mlp"]["stackable"] and found["linear"]["stackable"]


def write_version(tmp_path, version, y0=None):
    """m/VERSION appears at once and whole; with y0 its golden is wrong."""
    away, models = tmp_path / "away", tmp_path / "models" / "m"
    away.mkdir(exist_ok=True)
    models.mkdir(parents=True, exist_ok=True)
    golden = {"inputs": {"x": [[1, 0, 0]]}, "outputs": {"y": [[y0 or 0.5 * version, -1.25 * version]]}}
    put(away, "m", linear(W * np.float32(version), B * 0), version, golden)
    os.rename(away / "m" / str(version), models / str(version))


class Traffic(threading.Thread):
    """Calls without a pause; every answer's version is kept."""

    def __init__(self, house):
        super().__init__()
        self.house, self.stop, self.seen, self.fault = house, threading.Event(), [], None

    def run(self):
        producer = self.house.producer()
        try:
            while not self.stop.is_set():
                answer = producer.call("inference.predict", {"model": "m", "inputs": [1, 0, 0]}).expect("ok").result
                assert answer["outputs"]["y"][0][0] == answer["version"] / 2, answer
                self.seen.append(answer["version"])
        except BaseException as e:  # noqa: B902: the test shall see whatever it is
            self.fault = e


def test_models_are_swapped_under_traffic(tmp_path):
    """A new folder of models: loaded, warmed and proven beside the old one; a bad one changes nothing."""
    for version in (1, 2, 3):
        folder = tmp_path / str(version)
        folder.mkdir()
        golden = {"inputs": {"x": [[1, 0, 0]]}, "outputs": {"y": [[0.5 * version, -1.25 * version]]}}
        if version == 2:
            golden["outputs"]["y"][0][0] = 77
        put(folder, "m", linear(W * np.float32(version), B * 0), version, golden)
    with House() as house:
        def group(version):
            return [{"name": "inference", "options": {"folder": str(tmp_path / str(version))}}]

        def reload(version):
            house.daemon_conf(group(version))
            seen = daemon.text().count("event=reloaded ")
            os.kill(daemon.pid, signal.SIGHUP)
            until(lambda: daemon.text().count("event=reloaded ") > seen, "the reload to end")
        daemon = house.start_daemon(group(1))
        traffic = Traffic(house)
        traffic.start()
        try:
            until(lambda: traffic.seen or traffic.fault)
            reload(2)
            until(lambda: "element 0 is 1, expected 77" in daemon.text(), "the bad generation to be told")
            n = len(traffic.seen)
            until(lambda: len(traffic.seen) > n or traffic.fault)
            reload(3)
            until(lambda: traffic.fault or traffic.seen[-1] == 3, "the new version to answer")
        finally:
            traffic.stop.set()
            traffic.join()
        assert traffic.fault is None, traffic.fault
        assert set(traffic.seen) == {1, 3} and traffic.seen == sorted(traffic.seen)


def test_a_changed_file_is_a_new_generation(tmp_path):
    """The folder is data of the plugin: with watch, a model that appears or changes in it is swapped in by itself; a bad one changes
    nothing until it is mended; an old version that is taken away is gone."""
    write_version(tmp_path, 1)
    with House() as house:
        daemon = house.start_daemon([{"name": "inference", "data": [str(tmp_path / "models")], "options": {"folder": str(tmp_path / "models"), "on_bad_model": "skip"}}], watch=True)
        traffic = Traffic(house)
        traffic.start()
        try:
            until(lambda: traffic.seen or traffic.fault)
            before = daemon.text().count("event=swapped")
            write_version(tmp_path, 2)
            until(lambda: traffic.fault or traffic.seen[-1] == 2, "the new version to answer")
            write_version(tmp_path, 3, 77)
            until(lambda: daemon.text().count("event=swapped") >= before + 2, "the folder with a bad version to be loaded")
            n = len(traffic.seen)
            until(lambda: len(traffic.seen) > n + 3 or traffic.fault)
            os.utime(tmp_path / "models" / "m")  # nothing that counts: no swap
            write_version(tmp_path, 4)
            until(lambda: traffic.fault or traffic.seen[-1] == 4, "the next version to answer")
        finally:
            traffic.stop.set()
            traffic.join()
        assert traffic.fault is None, traffic.fault
        assert set(traffic.seen) == {1, 2, 4} and traffic.seen == sorted(traffic.seen)
        versions = {m["version"]: m["state"] for m in house.producer().call("inference.models", {}).expect("ok").result["models"] if m["name"] == "m"}
        assert versions[3] == "failed" and versions[4] != "failed", versions


class Unwatched:
    """A daemon that reads its data when it starts a worker, and not when they change."""

    def __init__(self, house, tmp_path, **keys):
        models = str(tmp_path / "models")
        write_version(tmp_path, 1)
        self.house = house
        self.daemon = house.start_daemon([{"name": "inference", "data": [models], "options": {"folder": models}, **keys}])
        self.producer = house.producer()

    def version(self):
        answer = self.producer.call("inference.predict", {"model": "m", "inputs": [1, 0, 0]}).expect("ok").result
        assert answer["outputs"]["y"][0][0] == answer["version"] / 2, answer
        return answer["version"]

    def build(self):
        return self.house.workers("inference")[0]["build"]

    def kill_worker(self):
        os.kill(self.house.workers("inference")[0]["pid"], signal.SIGKILL)


def test_a_worker_that_starts_after_a_change_is_another_build(tmp_path):
    """Nobody asked for a reload, but the worker died and what it would read is not what its build was proven with: the plugin is
    loaded anew. Without that, two answers of one build could differ."""
    with House() as house:
        s = Unwatched(house, tmp_path)
        assert s.version() == 1
        old = s.build()
        write_version(tmp_path, 2)
        assert s.version() == 1 and s.build() == old
        s.kill_worker()
        assert s.version() == 2 and s.build() != old
        assert s.daemon.text().count("event=data_changed") == 1
        os.rename(tmp_path / "models" / "m", tmp_path / "kept")
        write_version(tmp_path, 3, 77)
        s.kill_worker()  # nothing can serve now: the old build has lost its files
        s.daemon.says("element 0 is 1.5, expected 77")
        until(lambda: not house.function("inference.predict")["workers"], "the dead to be buried")
        until(lambda: "expected 77" in house.plugins()["inference"].get("why", ""), "kiln plugins to say why")
        os.rename(tmp_path / "models" / "m", tmp_path / "bad")
        os.rename(tmp_path / "kept", tmp_path / "models" / "m")  # it is again what it was; nobody says so
        until(lambda: house.workers("inference"), "a worker", 60)
        assert s.version() == 2


def test_a_worn_worker_stays_while_its_data_are_bad(tmp_path):
    """recycle.jobs asks for a successor; what the successor would read is refused, so there is none."""
    with House() as house:
        s = Unwatched(house, tmp_path, recycle={"jobs": 5})
        assert s.version() == 1
        old, pid = s.build(), house.workers("inference")[0]["pid"]
        os.rename(tmp_path / "models" / "m", tmp_path / "kept")
        write_version(tmp_path, 2, 77)
        for _ in range(20):
            assert s.version() == 1
        s.daemon.says("element 0 is 1, expected 77")
        for _ in range(20):
            assert s.version() == 1
        assert s.build() == old and house.workers("inference")[0]["pid"] == pid
        assert "event=worker_recycled" not in s.daemon.text()
        assert "event=data_changed" in s.daemon.text()
