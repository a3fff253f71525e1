# SPDX-License-Identifier: MPL-2.0
"""inference.predict: what callers send and get; versions, examples, the cache."""
import json
import os
import time

import numpy as np
import pytest
from onnx import TensorProto

from onnx_models import info, linear, mlp, mlp_reference, model, node, not_started, put, serving, states
from plugin import Refused

W = np.array([[0.5, -1.25], [2.0, 0.75], [-1.5, 3.0]], np.float32)
B = np.array([0.125, -0.25], np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    put(folder, "linear", linear(W, B))
    put(folder, "mlp", mlp([32, 64, 32, 1])[0])
    put(folder, "double", linear(W.astype(np.float64), B.astype(np.float64)))
    put(folder, "two", model([node("Add", "a b", "sum"), node("Sub", "a b", "difference")],
                             [info("a", np.float32, ["rows", 2]), info("b", np.float32, ["rows", 2])], ["sum", "difference"]))
    for dtype in (np.int64, np.int32, np.int16, np.int8, np.uint8, np.uint16, np.bool_):
        put(folder, np.dtype(dtype).name, model([node("Identity", "x", "y")], [info("x", dtype, ["n"])], [info("y", dtype)]))
    put(folder, "text", model([node("Identity", "x", "y")], [info("x", TensorProto.STRING, ["n", 2])], [info("y", TensorProto.STRING)]))
    put(folder, "fixed", model([node("Relu", "x", "y")], [info("x", np.float32, [2, 3])], ["y"]))
    put(folder, "anything", model([node("Relu", "x", "y")], [info("x", np.float32)], ["y"]))
    put(folder, "column", model([node("Neg", "x", "y")], [info("x", np.float32, ["n", 1])], ["y"]))
    put(folder, "scalar", model([node("Neg", "x", "y")], [info("x", np.float32, [])], ["y"]))
    put(folder, "shaped", model([node("Reshape", "x shape", "r"), node("Relu", "r", "y")],
                                [info("x", np.float32, ["n"]), info("shape", np.int64, [2])], ["y"]))
    put(folder, "echo", model([node("Identity", "x", "y")], [info("x", np.float32, ["n", "m"])], ["x", "y"]))
    put(folder, "constant", model([node("Identity", "c", "y")], [info("x", np.float32, ["n"])], ["y"], {"c": W}))
    return folder


@pytest.fixture(scope="module")
def plugin(folder):
    with serving(folder) as plugin:
        yield plugin


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.int32, np.int64, np.int16])
def test_nd_arrays_of_the_type_that_is_asked_for(plugin, dtype):
    x = (np.arange(7) % 2).astype(dtype)
    for sent in (x, x.tolist()):
        np.testing.assert_array_equal(plugin("predict", model=np.dtype(dtype).name, inputs=sent)["outputs"]["y"], x)
    if dtype == np.bool_:
        assert "expected bool" in plugin.refused("predict", model="bool", inputs=np.full(7, 2, np.uint8)).text


def test_rows_of_a_matrix(plugin):
    x = np.random.default_rng(2).normal(size=(37, 3)).astype(np.float32)
    for sent in (x, x.tolist(), {"x": x}, {"x": x.tolist()}, {"x": x.astype(np.float64)}):
        y = plugin("predict", model="linear", inputs=sent)["outputs"]["y"]
        np.testing.assert_allclose(y, x @ W + B, rtol=1e-5, atol=1e-6)
        assert y.dtype == np.float32


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 16, 63, 64, 65, 200])
def test_any_number_of_rows(plugin, rows):
    x = np.random.default_rng(rows).normal(size=(rows, 32)).astype(np.float32)
    y = plugin("predict", model="mlp", inputs={"x": x})["outputs"]["y"]
    np.testing.assert_allclose(np.reshape(y, (-1, 1)), mlp_reference(mlp([32, 64, 32, 1])[1], x), rtol=1e-4, atol=1e-5)


def test_one_row_needs_no_brackets(plugin):
    answer = plugin("predict", model="linear", inputs=[1, 2, 3])
    np.testing.assert_allclose(answer["outputs"]["y"], [[0.125, 9]], rtol=1e-6)
    assert (answer["model"], answer["version"]) == ("linear", 1)


def test_a_list_is_a_column_where_rows_have_one_element(plugin):
    np.testing.assert_array_equal(plugin("predict", model="column", inputs={"x": [1, 2, 3]})["outputs"]["y"], [[-1], [-2], [-3]])


def test_doubles_stay_doubles(plugin):
    x = np.array([[1 / 3, 1e-17, 7.25]])
    y = plugin("predict", model="double", inputs={"x": x})["outputs"]["y"]
    np.testing.assert_allclose(y, x @ W.astype(np.float64) + B, rtol=1e-15)
    assert y.dtype == np.float64


def test_several_inputs_in_any_order(plugin):
    a, b = [[1, 2]], [[10, 20]]
    for inputs in ({"a": a, "b": b}, {"b": b, "a": a}):
        out = plugin("predict", model="two", inputs=inputs)["outputs"]
        np.testing.assert_array_equal(out["sum"], [[11, 22]])
        np.testing.assert_array_equal(out["difference"], [[-9, -18]])


@pytest.mark.parametrize("dtype,values", [
    (np.int64, [-2**63, 0, 2**63 - 1]), (np.int32, [-2**31, 2**31 - 1]), (np.int16, [-2**15, 2**15 - 1]), (np.int8, [-128, 127]),
    (np.uint8, [0, 255]), (np.uint16, [0, 65535])])
def test_whole_numbers_come_back_as_they_went(plugin, dtype, values):
    name = np.dtype(dtype).name
    assert list(plugin("predict", model=name, inputs={"x": values})["outputs"]["y"]) == values
    beyond = [values[-1] + 1] if dtype != np.int64 else [2**62 * 2.0]
    refused = plugin.refused("predict", model=name, inputs={"x": beyond})
    assert refused.status == "invalid" and refused.field == "inputs" and f"expected {name}" in refused.text
    for wrong, shown in ((2.5, "2.5"), (None, "nan"), ("a", '"a"')):
        assert shown in plugin.refused("predict", model=name, inputs={"x": [wrong] if wrong == "a" else [1, wrong]}).text


def test_booleans(plugin):
    assert list(plugin("predict", model="bool", inputs={"x": [True, False, True]})["outputs"]["y"]) == [1, 0, 1]
    assert list(plugin("predict", model="bool", inputs={"x": [1, 0]})["outputs"]["y"]) == [1, 0]
    assert "element 0 is 2, expected bool" in plugin.refused("predict", model="bool", inputs={"x": [2]}).text
    assert "a boolean" in plugin.refused("predict", model="linear", inputs={"x": [[True, False, True]]}).text


def test_strings(plugin):
    sent = [["one", ""], ["zwei", "drei"]]
    assert plugin("predict", model="text", inputs={"x": sent})["outputs"]["y"] == sent
    assert "expected string" in plugin.refused("predict", model="text", inputs={"x": [[1, 2]]}).text


def test_missing_values_are_nan_for_floats(plugin):
    y = plugin("predict", model="anything", inputs={"x": [1.5, None, -2]})["outputs"]["y"]
    assert y[0] == 1.5 and np.isnan(y[1]) and y[2] == 0


def test_nothing_is_rounded_silently(plugin):
    assert "16777217" in plugin.refused("predict", model="anything", inputs={"x": [16777217]}).text
    assert "1e+300" in plugin.refused("predict", model="anything", inputs={"x": [1.5, 1e300]}).text
    assert plugin("predict", model="anything", inputs={"x": [float("inf"), 0.1]})["outputs"]["y"][0] == np.inf


@pytest.mark.parametrize("inputs,text", [
    ({"x": [[1, 2]]}, "inputs.x is float32[1,2], expected float32[?,3]"),
    ({"x": [[1, 2, 3], [4, 5]]}, "inputs.x has lists of different lengths"),
    ({"x": [[1, 2, 3], [4, 5, 6, 7]]}, "inputs.x has lists of different lengths"),
    ({"x": [[1, 2, 3], 4]}, "inputs.x has lists of different lengths"),
    ({"x": [[[1, 2, 3]]]}, "inputs.x is float32[1,1,3], expected float32[?,3]"),
    ({"x": {"y": 1}}, "inputs.x holds a map, expected numbers"),
    ({"x": 1}, "inputs.x is float32[], expected float32[?,3]"),
    ({"x": b"123"}, "inputs.x holds bytes"),
    ({"z": [[1, 2, 3]]}, 'inputs has the name "z", which the model does not know, expected "x"'),
    ({}, 'inputs lacks "x", expected "x"'),
    ({"x": [[1, 2, 3]], "z": 1}, 'inputs has the name "z"'),
    ({"x": [[[[[[[[[[1]]]]]]]]]]}, "more than 8 dimensions"),
    ({"x": []}, "inputs.x is float32[1,0], expected float32[?,3]"),
    ("abc", "inputs.x is float32[], expected float32[?,3]"),
])
def test_what_is_wrong_with_inputs_is_said(plugin, inputs, text):
    refused = plugin.refused("predict", model="linear", inputs=inputs)
    assert refused.status == "invalid" and refused.field == "inputs" and text in refused.text


def test_inputs_that_disagree(plugin):
    text = plugin.refused("predict", model="two", inputs={"a": [[1, 2]], "b": [[1, 2], [3, 4]]}).text
    assert "inputs.b has size 2 in dimension 1 (rows), expected 1" in text
    assert 'inputs is no map, but the model has 2 inputs, expected a map with "a", "b"' in plugin.refused(
        "predict", model="two", inputs=[[1, 2]]).text


def test_fixed_shapes(plugin):
    np.testing.assert_array_equal(plugin("predict", model="fixed", inputs=[[1, -2, 3], [-4, 5, -6]])["outputs"]["y"],
                                  [[1, 0, 3], [0, 5, 0]])
    assert "expected float32[2,3]" in plugin.refused("predict", model="fixed", inputs=[[1, -2, 3]]).text
    assert plugin("predict", model="scalar", inputs={"x": 2.5})["outputs"]["y"] == -2.5


def test_shapes_that_depend_on_data(plugin):
    """The plan goes on where elements decide; other elements, other shapes, and back again."""
    for shape in ([2, 3], [3, 2], [3, 2], [6, 1], [-1, 2], [2, 3]):
        x = np.array([1, -2, 3, -4, 5, -6], np.float32)
        y = plugin("predict", model="shaped", inputs={"x": x, "shape": shape})["outputs"]["y"]
        np.testing.assert_array_equal(y, np.maximum(x.reshape(shape), 0))
    assert "Reshape" in plugin.refused("predict", model="shaped", inputs={"x": x, "shape": [4, 2]}).text
    y = plugin("predict", model="shaped", inputs={"x": x, "shape": [1, 6]})["outputs"]["y"]
    np.testing.assert_array_equal(y, np.maximum(x.reshape(1, 6), 0))


def test_inputs_and_constants_as_outputs(plugin):
    out = plugin("predict", model="echo", inputs={"x": [[1, 2], [3, 4]]})["outputs"]
    np.testing.assert_array_equal(out["x"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(out["y"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(plugin("predict", model="constant", inputs={"x": [1]})["outputs"]["y"], W)


def test_unknown_models_and_versions(plugin):
    refused = plugin.refused("predict", model="nothing", inputs=[1])
    assert refused.status == "invalid" and refused.field == "model"
    assert "model is nothing, expected one of: anything, " in refused.text
    refused = plugin.refused("predict", model="linear", version=7, inputs=[1, 2, 3])
    assert refused.field == "version" and "version is 7, expected one of model linear: 1" in refused.text


def test_describe(plugin):
    d = plugin("describe_model", model="mlp")
    assert d["inputs"] == [{"name": "x", "dtype": "float32", "shape": ["rows", 32]}]
    assert [o["name"] for o in d["outputs"]] == ["y"] and d["outputs"][0]["dtype"] == "float32"
    assert d["opsets"] == {"ai.onnx": 13} and d["producer"].startswith("tests") and sum(d["ops"].values()) >= 3


def test_models_says_what_is_there(plugin):
    found = states(plugin)
    mlp_state = found["mlp", 1]
    assert mlp_state["state"] == "ready" and mlp_state["latest"] and mlp_state["pinned"] and mlp_state["stackable"]
    assert mlp_state["bytes"] > (32 * 64 + 64 * 32 + 32) * 4
    assert [w["rows"] for w in mlp_state["warm"]] == [1, 2, 4, 8, 16, 32, 64]
    assert all(w["warm_us"] > 0 and w["cold_us"] > 0 for w in mlp_state["warm"])
    assert ("builtin-linear", 1) in found
    assert not found["fixed", 1]["stackable"] and not found["shaped", 1]["stackable"]
    cache = plugin("models")["cache"]
    assert sum(m["bytes"] for m in found.values()) + cache["workspace_bytes"] == cache["used_bytes"] <= cache["limit_bytes"]


# ---- versions

def scaled(factor):
    return linear(W * np.float32(factor), B * 0)


def answers(plugin, **args):
    return plugin("predict", model="m", inputs=[1, 0, 0], **args)["outputs"]["y"][0][0] / W[0][0]


def test_versions(tmp_path):
    for version in (1, 2, 10):
        put(tmp_path, "m", scaled(version), version)
    os.makedirs(tmp_path / "m" / "notes")  # what is no version is no matter
    with serving(tmp_path) as plugin:
        assert answers(plugin) == 10
        assert [answers(plugin, version=v) for v in (1, 2, 10)] == [1, 2, 10]
        assert [v for (n, v), m in states(plugin, model="m").items() if m["latest"]] == [10]


def test_a_bad_newest_version_leaves_the_one_before(tmp_path):
    put(tmp_path, "m", scaled(1), 1)
    put(tmp_path, "m", b"no model", 2)
    with serving(tmp_path) as plugin:
        assert answers(plugin) == 1
        found = states(plugin)
        assert found["m", 2]["state"] == "failed" and "not an ONNX model" in found["m", 2]["why"] and found["m", 1]["latest"]
        refused = plugin.refused("predict", model="m", version=2, inputs=[1, 0, 0])
        assert refused.status == "failed" and "not an ONNX model" in refused.text


def test_a_name_without_a_good_version(tmp_path):
    put(tmp_path, "good", scaled(1))
    put(tmp_path, "m", b"no model", 1)
    put(tmp_path, "m", b"", 2)
    assert "model m, version 2: not an ONNX model" in not_started(tmp_path)
    with serving(tmp_path, on_bad_model="skip") as plugin:
        assert {k: m["state"] for k, m in states(plugin).items()} == {
            ("builtin-linear", 1): "ready", ("good", 1): "ready", ("m", 1): "failed", ("m", 2): "failed"}


def test_the_same_version_twice(tmp_path):
    put(tmp_path, "m", scaled(1), 1)
    put(tmp_path, "m", scaled(1))
    assert "model m, version 1 twice" in not_started(tmp_path)


def test_folders_that_are_none(tmp_path):
    assert "cannot be read: No such file or directory" in not_started(tmp_path / "none")
    put(tmp_path, "bad name", scaled(1))
    assert '"bad name.onnx" is no name for a model' in not_started(tmp_path)


# ---- golden examples

GOOD = {"inputs": {"x": [[1, 2, 3], [0, 0, 0]]}, "outputs": {"y": [[0.125, 9], [0.125, -0.25]]}}


@pytest.mark.parametrize("golden", [GOOD, [GOOD, GOOD], {**GOOD, "outputs": {"y": [[0.2, 9], [0.1, -0.2]]}, "atol": 0.2}])
def test_golden_examples_that_are_met(tmp_path, golden):
    put(tmp_path, "a", linear(W, B), golden=golden)
    put(tmp_path, "b", linear(W, B), version=3, golden=golden)
    with serving(tmp_path) as plugin:
        n = len(golden) if isinstance(golden, list) else 1
        assert [states(plugin)[k]["examples"] for k in (("a", 1), ("b", 3))] == [n, n]


@pytest.mark.parametrize("golden,text", [
    ({**GOOD, "outputs": {"y": [[0.125, 9], [0.125, -0.5]]}},
     "golden example 1: outputs.y: element 3 is -0.25, expected -0.5 within 1e-06 and 0.0001 of it"),
    ([GOOD, {**GOOD, "outputs": {"y": [[1, 2]]}}], "golden example 2: outputs.y is float32[1,2], expected float32[2,2]"),
    ({**GOOD, "outputs": {"z": [1]}}, "outputs.z: the model has no output of this name"),
    ({**GOOD, "inputs": {"z": [1]}}, 'inputs has the name "z"'),
    ({**GOOD, "outputs": {}}, "inputs and outputs are to be objects"),
    ({**GOOD, "tolerance": 1}, '"tolerance" is not known'),
    ({**GOOD, "rtol": -1}, "rtol is not a number of 0 or more"),
    ([], "has no examples"),
    ([7], "is no object"),
    ("{", "line 1"),
    ("", "line 1"),
    ('{"inputs": {}, "inputs": {}}', "duplicate"),
    ("[" * 100000, "line 1"),
])
def test_golden_examples_that_are_not(tmp_path, golden, text):
    put(tmp_path, "a", linear(W, B), golden=golden)
    assert text in not_started(tmp_path)


# ---- the cache

def big(mb, seed):
    w = np.random.default_rng(seed).normal(size=(mb << 8, 1024)).astype(np.float32)
    return model([node("Gather", "w i", "y")], [info("i", np.int64, ["n"])], ["y"], {"w": w}), w


def test_models_that_are_not_pinned_come_and_go(tmp_path):
    weights = {}
    for i in range(5):
        made, weights[f"m{i}"] = big(4, i)
        put(tmp_path, f"m{i}", made)
    put(tmp_path, "small", linear(W, B))
    with serving(tmp_path, pinned="small", cache_mb=13, max_batch=2) as plugin:
        found = states(plugin)
        assert found["small", 1]["state"] == "ready" and all(found[f"m{i}", 1]["state"] == "cold" for i in range(5))
        for i in (0, 1, 0, 2, 0, 3, 4, 0, 1):
            y = plugin("predict", model=f"m{i}", inputs={"i": [5, 7]})["outputs"]["y"]
            np.testing.assert_array_equal(y, weights[f"m{i}"][[5, 7]])
            cache = plugin("models")["cache"]
            assert cache["used_bytes"] <= cache["limit_bytes"]
        found, cache = states(plugin), plugin("models")["cache"]
        assert found["small", 1]["evictions"] == 0 and found["small", 1]["state"] == "ready"
        assert cache["evictions"] == sum(m["evictions"] for m in found.values()) > 0
        assert cache["loads"] - cache["evictions"] == sum(m["state"] == "ready" for m in found.values())
        assert cache["hits"] + cache["misses"] == 9 and cache["misses"] == cache["loads"] - 2  # small and the built-in one
        assert found["m1", 1]["state"] == "ready" and not any(m["in_use"] for m in found.values())


def test_a_cache_that_is_too_small(tmp_path):
    put(tmp_path, "m", big(4, 1)[0])
    assert "cache_mb is 2, which is too little for the pinned models: m, version 1" in not_started(tmp_path, cache_mb=2)
    with serving(tmp_path, cache_mb=2, pinned="") as plugin:
        for _ in range(3):
            refused = plugin.refused("predict", model="m", inputs={"i": [1]})
            assert refused.status == "resource" and "budget" in refused.text
        assert plugin("predict", model="builtin-linear", inputs=[1, 2, 3])["version"] == 1


def test_pinned_names_are_models(tmp_path):
    put(tmp_path, "m", linear(W, B))
    assert 'pinned names "typo", which is no model' in not_started(tmp_path, pinned="m, typo")


def test_a_lazy_model_that_is_bad(tmp_path):
    put(tmp_path, "m", scaled(1), 1)
    put(tmp_path, "m", b"no model", 2)
    with serving(tmp_path, pinned="") as plugin:
        assert answers(plugin) == 1  # found out at the first use
        assert states(plugin)["m", 2]["state"] == "failed" and plugin("models")["cache"]["failures"] == 1


def test_int8_beside_float(tmp_path):
    put(tmp_path, "m", scaled(1))
    put(tmp_path, "m.int8", scaled(2))
    put(tmp_path, "n", scaled(1), 4)
    with open(tmp_path / "n" / "4" / "model.int8.onnx", "wb") as f:
        f.write(scaled(2).SerializeToString())
    with serving(tmp_path) as plugin:
        assert answers(plugin) == 1 and set(states(plugin)) == {("builtin-linear", 1), ("m", 1), ("n", 4)}
    with serving(tmp_path, prefer_int8=True) as plugin:
        assert answers(plugin) == 2 and plugin("predict", model="n", inputs=[1, 0, 0])["outputs"]["y"][0][0] == 1


def test_weights_become_bytes_only_where_that_pays(tmp_path):
    sizes = [256, 512, 512, 8]
    made, layers = mlp(sizes)
    x = np.random.default_rng(11).normal(size=(4, 256)).astype(np.float32)
    y = mlp_reference(layers, x)
    put(tmp_path, "loose", made)
    put(tmp_path, "strict", made, golden={"inputs": {"x": x.tolist()}, "outputs": {"y": y.tolist()}, "rtol": 1e-4, "atol": 1e-5})
    put(tmp_path, "trees", model([node("Relu", "x", "y")], [info("x", np.float32, ["n", 2])], ["y"]))
    with serving(tmp_path, quantize="auto") as plugin:
        found = states(plugin)
        for name, bound in (("loose", 0.03), ("strict", 1e-5)):
            got = plugin("predict", model=name, inputs={"x": x})["outputs"]["y"]
            assert np.abs(got - y).max() <= bound * np.abs(y).max()
            tried = found[name, 1]["int8"]
            assert tried["layers"] == 3 and tried["float_us"] > 0 and tried["int8_us"] > 0 and tried["off"] > 0
        assert not found["strict", 1]["int8"]["used"]  # the example is not met
        assert found["trees", 1]["int8"] is None


def test_plans_for_many_shapes_do_not_pile_up(plugin):
    before = states(plugin)["anything", 1]["bytes"]
    for n in list(range(1, 400)) * 2:
        plugin("predict", model="anything", inputs={"x": np.ones(n, np.float32)})
    assert states(plugin)["anything", 1]["bytes"] < before + (1 << 20)


def test_large_plans_are_few(tmp_path):
    """A chain of many steps: each plan of it has a megabyte or more."""
    n = 4000
    put(tmp_path, "chain", model([node("Neg", f"v{i}", f"v{i + 1}") for i in range(n)], [info("v0", np.float32, ["n"])], [f"v{n}"]))
    with serving(tmp_path, max_batch=1, cache_mb=100) as plugin:
        one = states(plugin)["chain", 1]["bytes"]
        for size in range(1, 60):
            assert plugin("predict", model="chain", inputs={"v0": np.ones(size)})["outputs"][f"v{n}"][0] == 1
        assert states(plugin)["chain", 1]["bytes"] < 3 * one + (20 << 20)


def test_examples_of_the_functions(plugin):
    plugin.prove()
