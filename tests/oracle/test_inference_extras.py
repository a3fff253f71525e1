# SPDX-License-Identifier: MPL-2.0
"""Ensembles, labels and probabilities, contracts of inputs and drift, importance: beside NumPy."""
import json

import numpy as np
import pytest
from onnx import TensorProto

from onnx_models import info, linear, model, node, not_started, put, serving, states

W = np.array([[0.5, -1.25, 2], [2.0, 0.75, -1]], np.float32)
B = np.array([0.125, -0.25, 0], np.float32)


def beside(folder, name, data, version=None):
    path = folder / f"{name}.contract.json" if version is None else folder / name / str(version) / "contract.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))


# ---- ensembles

@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    folder, weights = tmp_path_factory.mktemp("members"), []
    random = np.random.default_rng(4)
    for i in range(5):
        w, b = random.normal(size=(2, 3)).astype(np.float32), random.normal(size=3).astype(np.float32)
        put(folder, "member", linear(w, b), i + 1)
        weights.append((w, b))
    put(folder, "other", linear(np.ones((2, 2), np.float32), np.ones(2, np.float32)))
    put(folder, "texts", model([node("Identity", "c", "s"), node("Relu", "x", "y")], [info("x", np.float32, ["n", 2])],
                               [info("s", TensorProto.STRING), "y"], {"c": np.array(["a"], object)}))
    with serving(folder) as plugin:
        yield plugin, weights


def test_mean_and_spread(ensemble):
    plugin, weights = ensemble
    x = np.random.default_rng(5).normal(size=(20, 2)).astype(np.float32)
    got = plugin("predict_ensemble", models=[f"member:{i + 1}" for i in range(5)], inputs={"x": x})
    answers = np.array([x @ w + b for w, b in weights], np.float64)
    mean, std = answers.mean(0), answers.std(0)
    np.testing.assert_allclose(got["mean"], mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got["std"], std, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got["low"], mean - 1.96 * std, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(got["high"], mean + 1.96 * std, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(got["uncertainty"], std / np.abs(mean), rtol=1e-4)
    u = np.asarray(got["uncertainty"]).ravel()
    assert got["quality"] == ["excellent" if v < 0.1 else "good" if v < 0.2 else "fair" if v < 0.3 else "poor" for v in u]
    assert got["members"] == [{"model": "member", "version": i + 1} for i in range(5)]
    got = plugin("predict_ensemble", models=["member:1", "member:2"], inputs={"x": x}, thresholds=[0.15, 5, 1000.0])
    u = np.asarray(got["uncertainty"]).ravel()
    assert got["quality"] == ["excellent" if v < 0.15 else "good" if v < 5 else "fair" if v < 1000 else "poor" for v in u]


@pytest.mark.parametrize("args,field,text", [
    ({"models": []}, "models", "no list of 1 to 256 names"),
    ({"models": "member"}, "models", "no list"),
    ({"models": [7.5]}, "models", "no list"),
    ({"models": ["member", None]}, "models", "something that is no string"),
    ({"models": ["member:x"]}, "models", '"member:x", expected "name" or "name:version"'),
    ({"models": ["member:"]}, "models", "expected"),
    ({"models": [":1"]}, "models", "expected"),
    ({"models": ["member:99999999999999999999999"]}, "models", "expected"),
    ({"models": ["member:9"]}, "models", "version is 9, expected one of model member"),
    ({"models": ["member", "other"]}, "models", "models differ: model other answers float32[1,2]"),
    ({"models": ["member"], "output": "z"}, "output", "output is z, which model member does not have"),
    ({"models": ["texts"], "output": "s"}, "output", "which is of strings"),
    ({"models": ["member"], "inputs": [1, 2, 3]}, "inputs", "expected float32[?,2]"),
    ({"models": ["member"], "thresholds": [3, 2, 1]}, "thresholds", "expected ascending"),
])
def test_ensembles_that_are_none(ensemble, args, field, text):
    refused = ensemble[0].refused("predict_ensemble", **{"inputs": [1, 2], **args})
    assert refused.status == "invalid" and refused.field == field and text in refused.text, refused


# ---- labels

@pytest.fixture(scope="module")
def classifiers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifiers")
    scores = [node("MatMul", "x w", "m"), node("Add", "m b", "s")]
    put(folder, "torch", model(scores + [node("Softmax", "s", "p", axis=1)], [info("x", np.float32, ["n", 2])], ["p"], {"w": W, "b": B}))
    beside(folder, "torch", {"classes": ["bear", "flat", "bull"]})
    put(folder, "sklearn", model(scores + [node("ArgMax", "s", "label", axis=1, keepdims=0), node("Softmax", "s", "p", axis=1)],
                                 [info("x", np.float32, ["n", 2])], [info("label", np.int64), "p"], {"w": W, "b": B}), 2)
    put(folder, "linear", linear(W, B))
    with serving(folder) as plugin:
        yield plugin


def softmax(x):
    s = x @ W + B
    e = np.exp(s - s.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def test_labels_and_probabilities(classifiers):
    x = np.random.default_rng(6).normal(size=(30, 2)).astype(np.float32)
    p = softmax(x)
    got = classifiers("predict", model="torch", inputs={"x": x}, labels=True)
    assert got["labels"] == [["bear", "flat", "bull"][i] for i in p.argmax(1)] and got["classes"] == ["bear", "flat", "bull"]
    np.testing.assert_allclose(got["probabilities"], p, rtol=1e-4, atol=1e-6)
    got = classifiers("predict", model="sklearn", inputs={"x": x}, labels=True)
    assert list(got["labels"]) == list(p.argmax(1)) and "classes" not in got
    np.testing.assert_allclose(got["probabilities"], p, rtol=1e-4, atol=1e-6)
    assert not {"labels", "probabilities", "classes"} & set(classifiers("predict", model="torch", inputs={"x": x}))


def test_no_labels_of_what_is_no_classifier(classifiers):
    assert "model linear is no classifier" in classifiers.refused("predict", model="linear", inputs=[1, 2], labels=True).text


# ---- contracts and drift

def psi(sample, values):
    """By bins between deciles of the sample, equal ones being one bin."""
    ordered = np.sort(np.asarray(sample, float))
    edges = [ordered[(len(ordered) - 1) * i // 10] for i in range(1, 10)]
    edges = [e for e in dict.fromkeys(edges) if e < ordered[-1]]
    was, now = (np.bincount(np.searchsorted(edges, v, "left"), minlength=len(edges) + 1) / len(v) for v in (ordered, np.asarray(values, float)))
    was, now = np.maximum(was, 1e-4), np.maximum(now, 1e-4)
    return float(((now - was) * np.log(now / was)).sum())


def columns(plugin, **args):
    return {c["column"]: c for c in plugin("drift", **args)["columns"]}


def test_drift(tmp_path):
    random = np.random.default_rng(8)
    age, count = random.normal(40, 12, 500), random.integers(0, 4, 300)
    put(tmp_path, "m", linear(W, B), 3)
    beside(tmp_path, "m", {"inputs": {"x": {"columns": [{"name": "age", "min": 0, "max": 120, "sample": age.tolist()},
                                                        {"name": "count", "sample": count.tolist()}]}}}, 3)
    with serving(tmp_path) as plugin:
        before = columns(plugin, model="m")
        assert before["age"]["psi"] is None and before["age"]["seen"] == 0  # warming and proving do not count
        same = np.stack([random.normal(40, 12, 400), random.integers(0, 4, 400)], 1).astype(np.float32)
        for rows in np.split(same, 8):
            plugin("predict", model="m", inputs={"x": rows})
        found = columns(plugin, model="m")
        for i, (name, sample) in enumerate((("age", age), ("count", count))):
            assert found[name]["psi"] == pytest.approx(psi(sample, same[:, i]), rel=1e-6, abs=1e-9)
            assert found[name]["drift"] == "none" and found[name]["seen"] == 400 == sum(found[name]["counts"])
            assert sum(found[name]["expected"]) == pytest.approx(1)
        other = np.stack([random.normal(90, 30, 400), np.full(400, 3)], 1).astype(np.float32)
        other[:7, 0] = np.nan
        plugin("predict", model="m", inputs={"x": other})
        found = columns(plugin, model="m")
        every = np.concatenate([same, other])
        assert found["age"]["missing"] == 7 and found["age"]["out_of_range"] == int((every[:, 0] > 120).sum() + (every[:, 0] < 0).sum()) > 0
        assert found["age"]["psi"] == pytest.approx(psi(age, every[~np.isnan(every[:, 0]), 0]), rel=1e-6)
        assert found["age"]["drift"] == "major" and found["count"]["drift"] in ("moderate", "major")


def test_out_of_range_is_refused_when_asked_so(tmp_path):
    put(tmp_path, "m", linear(W, B))
    beside(tmp_path, "m", {"inputs": {"x": {"columns": [{"name": "a", "min": -1, "max": 1}, {"name": "b", "max": 5}], "out_of_range": "refuse"}}})
    with serving(tmp_path) as plugin:
        plugin("predict", model="m", inputs=[[1, 5], [-1, -100]])
        refused = plugin.refused("predict", model="m", inputs=[[1, 5], [0, 5.5], [2, 2]])
        assert refused.field == "inputs" and refused.text.endswith("inputs.x: b is 5.5 in row 1, expected -inf to 5")
        plugin("predict", model="m", inputs=[[None, 5]])
        assert columns(plugin, model="m")["a"] == {"input": "x", "column": "a", "seen": 5, "missing": 1, "out_of_range": 1, "psi": None,
                                                   "drift": None, "counts": [], "expected": []}


@pytest.mark.parametrize("data,text", [
    ("{", "line 1"), ("[]", "is no object"), ({"inputs": []}, "is no object with inputs"), ({"input": {}}, '"input", expected one of'),
    ({"inputs": {"z": {"columns": [{"name": "a"}]}}}, 'the model has no input "z"'),
    ({"inputs": {"x": {"columns": [{"name": "a"}]}}}, 'input "x" has 1 columns, expected 2 as in the model'),
    ({"inputs": {"x": {"columns": []}}}, "is no object with columns"), ({"inputs": {"x": 7}}, "is no object with columns"),
    ({"inputs": {"x": {"columns": [{"name": "a"}, {}]}}}, "column 2 is no object with a name"),
    ({"inputs": {"x": {"columns": [{"name": "a"}, 7]}}}, "column 2 is no object with a name"),
    ({"inputs": {"x": {"columns": [{"name": "a", "min": 3, "max": 2}, {"name": "b"}]}}}, "min and max of a are no range"),
    ({"inputs": {"x": {"columns": [{"name": "a", "min": "low"}, {"name": "b"}]}}}, "min and max of a are no range"),
    ({"inputs": {"x": {"columns": [{"name": "a", "sample": [1]}, {"name": "b"}]}}}, "sample of a is no list of two numbers"),
    ({"inputs": {"x": {"columns": [{"name": "a", "sample": [1, "2"]}, {"name": "b"}]}}}, "sample of a is no list"),
    ({"inputs": {"x": {"columns": [{"name": "a", "mean": 1}, {"name": "b"}]}}}, '"mean", expected one of'),
    ({"inputs": {"x": {"columns": [{"name": "a"}, {"name": "b"}], "out_of_range": "ignore"}}}, 'neither "count" nor "refuse"'),
    ({"classes": [1, 2]}, "classes is no list of strings"), ({"classes": []}, "classes is no list of strings"),
    ({"classes": "ab"}, "classes is no list of strings"),
])
def test_contracts_that_are_none(tmp_path, data, text):
    put(tmp_path, "m", linear(W, B))
    beside(tmp_path, "m", data)
    assert text in not_started(tmp_path)


def test_a_sample_of_equal_values(tmp_path):
    put(tmp_path, "m", linear(W, B))
    beside(tmp_path, "m", {"inputs": {"x": {"columns": [{"name": "a", "sample": [3, 3, 3]}, {"name": "b", "sample": [1, 1, 1, 1, 1, 1, 1, 1, 1, 2]}]}}})
    with serving(tmp_path) as plugin:
        plugin("predict", model="m", inputs=[[3, 1], [4, 2]])
        found = columns(plugin, model="m")
        assert found["a"]["expected"] == [1] and found["a"]["psi"] == 0 and found["a"]["counts"] == [2]
        assert found["b"]["psi"] == pytest.approx(psi([1] * 9 + [2], [1, 2]))


# ---- importance

def test_importance_of_products(tmp_path):
    w = np.array([[1, -2], [0, 0.5], [4, 4], [0.25, 0]], np.float32)
    for name, made in (("matmul", linear(w, np.zeros(2, np.float32))),
                       ("gemm", model([node("Gemm", "x w b", "y", transB=1)], [info("x", np.float32, ["n", 4])], ["y"],
                                      {"w": w.T.copy(), "b": np.zeros(2, np.float32)})),
                       ("network", model([node("MatMul", "x w", "h"), node("MatMul", "h v", "y")], [info("x", np.float32, ["n", 4])], ["y"],
                                         {"w": w, "v": np.ones((2, 2), np.float32)}))):
        put(tmp_path, name, made)
    beside(tmp_path, "matmul", {"inputs": {"x": {"columns": [{"name": n} for n in "abcd"]}}})
    sizes = np.abs(w).sum(1) / np.abs(w).sum()
    with serving(tmp_path) as plugin:
        for name in ("matmul", "gemm"):
            got = plugin("importance", model=name)
            assert got["method"] == "coefficients" and [f["index"] for f in got["features"]] == [2, 0, 1, 3]
            np.testing.assert_allclose([f["importance"] for f in got["features"]], sizes[[2, 0, 1, 3]], rtol=1e-6)
            assert [f["name"] for f in got["features"]] == (list("cabd") if name == "matmul" else [None] * 4)
        assert len(plugin("importance", model="gemm", top=1)["features"]) == 1
        assert "model network is neither of trees nor linear" in plugin.refused("importance", model="network").text
        assert states(plugin)["network", 1]["state"] == "ready"
