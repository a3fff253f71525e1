# SPDX-License-Identifier: MPL-2.0
"""ai.onnx.ml operator by operator: what scikit-learn's estimators do not need, types of input, and what is refused."""
import math

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx_models import info, model, not_started, put, serving

NAN = float("nan")


def ml(op, x, outputs="y", dtype=np.float32, columns=None, version=3, inputs=None, **attributes):
    """A model of one operator. x: an array that says the type and number of columns."""
    rank = 2 if columns is None else columns
    inputs = inputs or [info("x", dtype, ["rows", *np.shape(x)[1:]] if rank else None)]
    node = helper.make_node(op, [i.name for i in inputs], outputs.split(), name="n", domain="ai.onnx.ml", **attributes)
    return model([node], inputs, outputs.split(), ml=version)


@pytest.fixture
def answer(tmp_path):
    """answer(op, x, ...) -> its outputs for x, as a map."""
    def run(op, x, outputs="y", dtype=None, **attributes):
        text = dtype == "string"
        made = ml(op, np.asarray(x), outputs, TensorProto.STRING if text else np.dtype(dtype or np.asarray(x).dtype), **attributes)
        put(tmp_path, "m", made)
        with serving(tmp_path, max_batch=1) as plugin:
            return plugin("predict", model="m", inputs={"x": x})["outputs"]
    return run


def said(tmp_path, *args, **attributes):
    """Why the model is not taken."""
    put(tmp_path, "m", ml(*args, **attributes))
    return not_started(tmp_path)


# ---- trees

def stumps(kind="target", weights=((0, 1.0, 2.0), (0, 10.0, 20.0)), **more):
    """Trees of one question each, x[tree % 2] <= tree: (target, weight of yes, weight of no)."""
    trees = range(len(weights))
    name = {"treeids": [], "nodeids": [], "ids": [], "weights": []}
    for t, (target, yes, no) in enumerate(weights):
        for k, w in ((1, yes), (2, no)):
            for key, value in zip(name, (t, k, target, float(w))):
                name[key].append(value)
    nodes = {"treeids": [t for t in trees for _ in range(3)], "nodeids": [0, 1, 2] * len(weights),
             "featureids": [v for t in trees for v in (t % 2, 0, 0)], "values": [v for t in trees for v in (float(t), 0.0, 0.0)],
             "modes": ["BRANCH_LEQ", "LEAF", "LEAF"] * len(weights), "truenodeids": [1, 0, 0] * len(weights),
             "falsenodeids": [2, 0, 0] * len(weights)}
    return {f"nodes_{k}": v for k, v in nodes.items()} | {f"{kind}_{k}": v for k, v in name.items()} | more


X = np.array([[0, 1], [0.5, 1], [0, 1.5], [NAN, NAN], [-math.inf, math.inf]], np.float32)
LEAVES = np.array([[1, 10], [2, 10], [1, 20], [2, 20], [1, 20]], float)


@pytest.mark.parametrize("join,expected", [("SUM", LEAVES.sum(1)), ("AVERAGE", LEAVES.mean(1)), ("MIN", LEAVES.min(1)), ("MAX", LEAVES.max(1))])
def test_joins(answer, join, expected):
    y = answer("TreeEnsembleRegressor", X, **stumps(n_targets=1, aggregate_function=join))["y"]
    np.testing.assert_array_equal(y, expected.reshape(-1, 1))
    y = answer("TreeEnsembleRegressor", X, **stumps(n_targets=1, aggregate_function=join, base_values=[-0.5]))["y"]
    np.testing.assert_array_equal(y, expected.reshape(-1, 1) - 0.5)


@pytest.mark.parametrize("join", ["SUM", "AVERAGE", "MIN", "MAX"])
def test_targets_without_weights(answer, join):
    attributes = stumps(weights=((0, 1, 2), (2, 3, 4)), n_targets=4, aggregate_function=join, base_values=[0.5, 1.5, 2.5, 3.5])
    y = answer("TreeEnsembleRegressor", X, **attributes)["y"]
    share = 2 if join == "AVERAGE" else 1
    expected = np.column_stack([LEAVES[:, 0] / share + 0.5, [1.5] * 5, np.where(LEAVES[:, 1] == 10, 3, 4) / share + 2.5, [3.5] * 5])
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.int32])
def test_types_of_rows(answer, dtype):
    x = np.array([[0, 1], [1, 1], [0, 2]], dtype)
    y = answer("TreeEnsembleRegressor", x, **stumps(n_targets=1))["y"]
    np.testing.assert_array_equal(y.ravel(), [11, 12, 21])


def test_doubles_are_not_rounded(answer):
    eps = 1e-12
    x = np.array([[0, 1 + eps], [eps, 1], [0, 1 - eps], [-eps, 1]])
    np.testing.assert_array_equal(answer("TreeEnsembleRegressor", x, **stumps(n_targets=1))["y"].ravel(), [21, 12, 11, 11])
    attributes = stumps(n_targets=1)
    thresholds, weights = np.array([eps, 0, 0, 1 + eps, 0, 0]), np.array(attributes.pop("target_weights"))
    del attributes["nodes_values"]
    tensors = {"nodes_values_as_tensor": numpy_helper.from_array(thresholds), "target_weights_as_tensor": numpy_helper.from_array(weights),
               "base_values_as_tensor": numpy_helper.from_array(np.array([0.25]))}
    x = np.array([[eps, 1 + eps], [2 * eps, 1 + eps], [eps, 1 + 2 * eps]])
    np.testing.assert_array_equal(answer("TreeEnsembleRegressor", x, **attributes, **tensors)["y"].ravel(), [11.25, 12.25, 21.25])
    y = answer("TreeEnsembleRegressor", x.astype(np.float32), **attributes, **tensors)["y"]
    np.testing.assert_array_equal(y.ravel(), [11.25, 12.25, 11.25])  # as floats, 1 is not above 1 + 1e-12


def test_missing_values_know_their_way(answer):
    attributes = stumps(n_targets=1, nodes_missing_value_tracks_true=[1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(answer("TreeEnsembleRegressor", X, **attributes)["y"].ravel(), [11, 12, 21, 21, 21])


@pytest.mark.parametrize("mode,expected", [("BRANCH_LT", [2, 2, 1]), ("BRANCH_LEQ", [1, 2, 1]), ("BRANCH_GT", [2, 1, 2]),
                                           ("BRANCH_GTE", [1, 1, 2]), ("BRANCH_EQ", [1, 2, 2]), ("BRANCH_NEQ", [2, 1, 1])])
def test_modes(answer, mode, expected):
    attributes = stumps(weights=((0, 1, 2),), nodes_modes=[mode, "LEAF", "LEAF"])
    x = np.array([[0, 0], [1e-45, 0], [-1e-45, 0]], np.float32)
    np.testing.assert_array_equal(answer("TreeEnsembleRegressor", x, **attributes)["y"].ravel(), expected)


def logistic(x):
    return 1 / (1 + np.exp(-np.asarray(x, float)))


BINARY = dict(outputs="label y", classlabels_int64s=[7, 9])


def binary(answer, weights, transform, **more):
    """Labels and scores of one weight for two classes; sums of weights are those of LEAVES."""
    out = answer("TreeEnsembleClassifier", X, **BINARY, **stumps("class", weights, post_transform=transform, **more))
    return list(out["label"]), out["y"]


def test_two_classes_and_one_weight(answer):
    shares, signed = ((1, 0.1, 0.3), (1, 0.25, 0.5)), ((1, -1, 1), (1, -0.5, 0.25))
    s = np.array([0.35, 0.55, 0.6, 0.8, 0.6])
    label, y = binary(answer, shares, "NONE")
    assert label == [7, 9, 9, 9, 9]
    np.testing.assert_allclose(y, np.column_stack([1 - s, s]), rtol=1e-6)
    d = np.array([-1.5, 0.5, -0.75, 1.25, -0.75])
    label, y = binary(answer, signed, "NONE")
    assert label == [7, 9, 7, 9, 7]
    np.testing.assert_allclose(y, np.column_stack([-d, d]), rtol=1e-6)
    label, y = binary(answer, signed, "LOGISTIC")
    assert label == [7, 9, 7, 9, 7]
    np.testing.assert_allclose(y, np.column_stack([logistic(-d), logistic(d)]), rtol=1e-6)
    label, y = binary(answer, shares, "LOGISTIC", base_values=[-0.5])
    assert label[0] == 7 and label[3] == 9
    np.testing.assert_allclose(y[:, 1], logistic(s - 0.5), rtol=1e-6)
    label, y = binary(answer, signed, "SOFTMAX", base_values=[100.0, 1.0])
    np.testing.assert_allclose(y[:, 1], logistic(2 * (d + 1)), rtol=1e-6)  # of two base values the second is for the score
    np.testing.assert_allclose(y.sum(1), 1, rtol=1e-6)


THREE = dict(outputs="label y", classlabels_strings=["a", "b", "c"])


def three(answer, transform, **more):
    weights = ((0, 1, 0.5), (1, 0.5, 2), (2, 0, -1))
    scores = np.array([[1, .5, 0], [.5, .5, 0], [1, 2, 0], [.5, 2, -1], [1, 2, 0]], float)
    out = answer("TreeEnsembleClassifier", X, **THREE, **stumps("class", weights, post_transform=transform, **more))
    return out, scores


def test_three_classes(answer):
    out, scores = three(answer, "NONE")
    np.testing.assert_allclose(out["y"], scores, rtol=1e-6)
    assert out["label"] == ["a", "a", "b", "b", "b"]  # the first of equals
    out, _ = three(answer, "NONE", base_values=[0.0, 0.0, 5.0])
    assert out["label"] == ["c"] * 5
    out, _ = three(answer, "LOGISTIC")
    np.testing.assert_allclose(out["y"], logistic(scores), rtol=1e-6)
    out, _ = three(answer, "SOFTMAX")
    np.testing.assert_allclose(out["y"], np.exp(scores) / np.exp(scores).sum(1, keepdims=True), rtol=1e-6)
    out, _ = three(answer, "SOFTMAX_ZERO")
    e = np.where(scores, np.exp(scores), 0)
    np.testing.assert_allclose(out["y"], e / e.sum(1, keepdims=True), rtol=1e-6)


def test_probit(answer):
    from scipy.stats import norm
    shares = [1e-30, 1e-7, 0.01, 0.3, 0.5, 0.7, 0.999]
    x = np.array([[s] for s in shares])
    out = answer("LinearRegressor", x.astype(np.float32), coefficients=[1.0], intercepts=[0.0], post_transform="PROBIT")["y"]
    np.testing.assert_allclose(out.ravel(), norm.ppf(x.ravel().astype(np.float32).astype(float)), rtol=1e-6, atol=1e-7)
    out = answer("LinearRegressor", np.array([[0], [1], [2], [NAN]], np.float32), coefficients=[1.0], post_transform="PROBIT")["y"].ravel()
    assert out[0] == -np.inf and out[1] == np.inf and np.isnan(out[2:]).all()


def test_one_class_and_one_output(answer):
    out = answer("TreeEnsembleClassifier", X, outputs="label y", classlabels_int64s=[5], **stumps("class"))
    assert list(out["label"]) == [5] * 5 and out["y"].shape == (5, 1)
    assert list(answer("TreeEnsembleClassifier", X, outputs="label", classlabels_int64s=[3, 4], **stumps("class"))["label"]) == [4] * 5


def test_one_row_without_a_dimension_for_it(tmp_path):
    made = {"r": ("TreeEnsembleRegressor", stumps(n_targets=1), "y", [[11]]),
            "l": ("LinearRegressor", {"coefficients": [1.0, 2.0], "intercepts": [0.5]}, "y", [[2.5]]),
            "s": ("Scaler", {"offset": [1.0], "scale": [2.0, 4.0]}, "y", [-2, 0]),
            "n": ("Normalizer", {"norm": "L1"}, "y", [0, 1]),
            "a": ("SVMRegressor", {"coefficients": [1.0, 2.0], "rho": [0.25]}, "y", [[2.25]])}
    for name, (op, attributes, outputs, _) in made.items():
        put(tmp_path, name, ml(op, None, outputs, inputs=[info("x", np.float32, [2])], **attributes))
    with serving(tmp_path) as plugin:
        for name, (_, _, _, expected) in made.items():
            np.testing.assert_array_equal(plugin("predict", model=name, inputs={"x": [0, 1]})["outputs"]["y"], expected)


@pytest.mark.parametrize("change,text", [
    ({"nodes_modes": ["BRANCH_LEQ", "LEAF", "BRANCH"] * 2}, 'nodes_modes has "BRANCH", expected BRANCH_LEQ'),
    ({"nodes_modes": ["LEAF"]}, "there are 1 nodes_modes, 6 nodes_values"),
    ({"nodes_treeids": [0]}, "nodes_treeids has 1 elements, expected 6"),
    ({"nodes_values": [1.0]}, "there are 6 nodes_modes, 1 nodes_values"),
    ({"nodes_values": [NAN] * 6}, "tree 0, node 0 compares with NaN"),
    ({"nodes_missing_value_tracks_true": [1]}, "1 nodes_missing_value_tracks_true, expected 6 each"),
    ({"nodes_featureids": [2, 0, 0, 0, 0, 0]}, "a tree asks for feature 2, but the input has 2 columns"),
    ({"nodes_featureids": [-1, 0, 0, 0, 0, 0]}, "asks for feature -1"),
    ({"nodes_featureids": [2**62, 0, 0, 0, 0, 0]}, "asks for feature 4611686018427387904"),
    ({"nodes_truenodeids": [0, 0, 0, 1, 0, 0]}, "tree 0 goes in a circle"),
    ({"nodes_truenodeids": [2, 0, 0, 1, 0, 0]}, "tree 0, node 2 is the child of two"),
    ({"nodes_truenodeids": [5, 0, 0, 1, 0, 0]}, "tree 0, node 0 has the child 5, which is not there"),
    ({"nodes_nodeids": [0, 1, 1, 0, 1, 2]}, "tree 0 has the node 1 twice"),
    ({"target_ids": [0, 1, 0, 0]}, "gives a weight to 1, expected 0..0"),
    ({"target_ids": [0]}, "target_treeids has 4 elements, expected 1"),
    ({"target_weights": [0.0]}, "target_weights has 1 elements, expected 4, as target_ids has"),
    ({"target_nodeids": [0, 2, 1, 2]}, "a weight is for node 0 of tree 0, which is no leaf"),
    ({"target_treeids": [0, 0, 1, 7]}, "a weight is for node 2 of tree 7, which is not there"),
    ({"n_targets": 0}, "n_targets is 0, expected 1.."),
    ({"n_targets": 2**40}, "n_targets is 1099511627776, expected 1.."),
    ({"aggregate_function": "MEAN"}, 'aggregate_function is "MEAN", expected SUM, AVERAGE, MIN or MAX'),
    ({"post_transform": "SQUARE"}, 'post_transform is "SQUARE", expected NONE'),
    ({"post_transform": 3}, "post_transform is an int, expected a string"),
    ({"nodes_values": [1, 2, 3, 4, 5, 6]}, "nodes_values is a list of ints, expected a list of floats"),
    ({"base_values": [1.0, 2.0]}, "base_values has 2 elements, expected 1"),
    ({"nodes_values_as_tensor": numpy_helper.from_array(np.zeros(6))}, "are both given, expected one"),
    ({"base_values_as_tensor": numpy_helper.from_array(np.zeros(1, np.int64))}, "is of int64, expected float64 or float32"),
    ({"nodes_nodeids": [], "nodes_treeids": [], "nodes_featureids": [], "nodes_values": [], "nodes_modes": [], "nodes_truenodeids": [],
      "nodes_falsenodeids": []}, "there are 0 nodes"),
])
def test_trees_that_are_refused(tmp_path, change, text):
    attributes = {k: v for k, v in {**stumps(), **change}.items() if v != []}
    refused = said(tmp_path, "TreeEnsembleRegressor", X, **attributes)
    assert text in refused and "model m, version 1" in refused and '"n"' in refused


@pytest.mark.parametrize("labels", [{}, {"classlabels_int64s": [1, 2], "classlabels_strings": ["a", "b"]}])
@pytest.mark.parametrize("op", ["TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier", "ZipMap"])
def test_classes_need_labels(tmp_path, op, labels):
    assert "expected class labels" in said(tmp_path, op, X, **labels)


# ---- linear and support vectors

def test_linear_classes(answer):
    x = np.random.default_rng(1).normal(size=(200, 4)).astype(np.float32)
    w, b = np.random.default_rng(2).normal(size=(3, 4)), [0.5, -0.25, 0.125]
    d = x @ w.T + b
    for transform, expected in (("NONE", d), ("LOGISTIC", logistic(d)), ("SOFTMAX", np.exp(d) / np.exp(d).sum(1, keepdims=True))):
        out = answer("LinearClassifier", x, "label y", coefficients=w.ravel().tolist(), intercepts=b, classlabels_ints=[4, 5, 6],
                     post_transform=transform)
        np.testing.assert_allclose(out["y"], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(out["label"], d.argmax(1) + 4)
    for dtype in (np.float64, np.int64, np.int32):
        whole = np.round(x * 3).astype(dtype)
        y = answer("LinearRegressor", whole, coefficients=w.ravel().tolist(), intercepts=b, targets=3)["y"]
        np.testing.assert_allclose(y, whole @ w.T + b, rtol=1e-5, atol=1e-5)


def test_one_score_for_two_classes(answer):
    x = np.array([[-2], [0], [0.5], [3]], np.float32)
    for transform, expected in (("NONE", [1 - x, x]), ("LOGISTIC", [logistic(-x), logistic(x)])):
        out = answer("LinearClassifier", x, "label y", coefficients=[1.0], intercepts=[0.0], classlabels_strings=["n", "p"],
                     post_transform=transform)
        assert out["label"] == ["n", "n", "p", "p"]
        np.testing.assert_allclose(out["y"], np.hstack(expected), rtol=1e-6)


@pytest.mark.parametrize("op,attributes,text", [
    ("LinearRegressor", {}, "there are 0 coefficients"),
    ("LinearRegressor", {"coefficients": [1.0, 2.0, 3.0], "targets": 2}, "there are 3 coefficients and 0 intercepts"),
    ("LinearRegressor", {"coefficients": [1.0, 2.0, 3.0]}, "the input has 2 columns, expected 3"),
    ("LinearRegressor", {"coefficients": [1.0, 2.0], "targets": -1}, "targets is -1, expected 1.."),
    ("LinearRegressor", {"coefficients": [1.0, 2.0], "intercepts": [1.0, 2.0]}, "2 coefficients and 2 intercepts"),
    ("LinearClassifier", {"coefficients": [1.0] * 6, "intercepts": [1.0] * 3, "classlabels_ints": [1, 2]}, "there are 3 intercepts, expected 2"),
    ("SVMRegressor", {}, "rho has 0 elements, expected 1"),
    ("SVMRegressor", {"rho": [0.0], "coefficients": [1.0], "n_supports": 2}, "coefficients has 1 elements, expected 2"),
    ("SVMRegressor", {"rho": [0.0], "coefficients": [1.0], "n_supports": 1}, "support_vectors has 0 elements, expected 1 times"),
    ("SVMRegressor", {"rho": [0.0], "coefficients": [1.0], "n_supports": -1}, "n_supports is -1"),
    ("SVMRegressor", {"rho": [0.0], "coefficients": [1.0], "n_supports": 1, "support_vectors": [1.0] * 3}, "2 columns, expected 3"),
    ("SVMRegressor", {"rho": [0.0], "coefficients": [1.0, 1.0], "kernel_type": "RBF"}, 'kernel_type is "RBF" with 0 kernel_params'),
    ("SVMRegressor", {"rho": [0.0], "coefficients": [1.0, 1.0], "kernel_type": "COSINE"}, 'kernel_type is "COSINE"'),
    ("SVMClassifier", {"classlabels_ints": [1]}, "there are 1 class labels, expected 2.."),
    ("SVMClassifier", {"classlabels_ints": [1, 2], "vectors_per_class": [1]}, "vectors_per_class has 1 elements, expected 2"),
    ("SVMClassifier", {"classlabels_ints": [1, 2], "vectors_per_class": [1, -1]}, "vectors_per_class has -1"),
    ("SVMClassifier", {"classlabels_ints": [1, 2], "vectors_per_class": [2**40, 1]}, "vectors_per_class has 1099511627776"),
    ("SVMClassifier", {"classlabels_ints": [1, 2], "vectors_per_class": [0, 0]}, "support_vectors has 0 elements"),
    ("SVMClassifier", {"classlabels_ints": [1, 2], "vectors_per_class": [1, 1], "support_vectors": [1.0] * 4}, "coefficients has 0 elements, expected 2"),
    ("SVMClassifier", {"classlabels_ints": [1, 2], "vectors_per_class": [1, 1], "support_vectors": [1.0] * 4, "coefficients": [1.0] * 2,
                       "rho": [0.0] * 2}, "rho has 2 elements, expected 1"),
    ("SVMClassifier", {"classlabels_ints": [1, 2], "vectors_per_class": [1, 1], "support_vectors": [1.0] * 4, "coefficients": [1.0] * 2,
                       "rho": [0.0], "prob_a": [1.0]}, "prob_b has 0 elements, expected 1"),
])
def test_machines_that_are_refused(tmp_path, op, attributes, text):
    assert text in said(tmp_path, op, X, **attributes)


def test_support_vectors_without_a_kernel(answer):
    x = np.array([[1, 2], [-3, 0.5]], np.float32)
    np.testing.assert_allclose(answer("SVMRegressor", x, coefficients=[2.0, 3.0], rho=[0.5])["y"].ravel(), x @ [2, 3] + 0.5)
    np.testing.assert_array_equal(answer("SVMRegressor", x, coefficients=[2.0, 3.0], rho=[0.5], one_class=1)["y"].ravel(), [1, -1])
    out = answer("SVMClassifier", x, "label y", coefficients=[2.0, 3.0, -1.0, 0.0, 0.0, 1.0], rho=[0.5], classlabels_ints=[1, 2, 3])
    scores = x @ np.array([[2, 3], [-1, 0], [0, 1]]).T + 0.5
    np.testing.assert_allclose(out["y"], scores)
    np.testing.assert_array_equal(out["label"], scores.argmax(1) + 1)


# ---- scalers and such

TABLE = np.array([[0, -2, 4], [1, 0, 0], [7, -9, 0], [0, 0, 0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32])
def test_columns(answer, dtype):
    x = TABLE.astype(dtype)
    np.testing.assert_allclose(answer("Scaler", x, offset=[1.0, 2.0, 3.0], scale=[0.5])["y"], (x - [1, 2, 3]) * 0.5)
    np.testing.assert_array_equal(answer("Scaler", x)["y"], x)
    for norm, by in (("L1", np.abs(x).sum(1)), ("L2", np.sqrt((x * 1.0 * x).sum(1))), ("MAX", np.abs(x).max(1))):
        np.testing.assert_allclose(answer("Normalizer", x, norm=norm)["y"], x / np.where(by, by, 1)[:, None], rtol=1e-6)
    out = answer("Binarizer", x, threshold=0.5)["y"]
    np.testing.assert_array_equal(out, x > 0.5)
    assert out.dtype == dtype
    kinds = {"imputed_value_floats": [5.0, 6.0, 7.0]} if x.dtype.kind == "f" else {"imputed_value_int64s": [5, 6, 7]}
    out = answer("Imputer", x, **kinds, **({"replaced_value_float": 0.0} if x.dtype.kind == "f" else {"replaced_value_int64": 0}))["y"]
    np.testing.assert_array_equal(out, np.where(x == 0, [5, 6, 7], x))
    assert out.dtype == dtype


def test_missing_values(answer):
    x = np.array([[NAN, 1], [-1, NAN], [0, math.inf]], np.float32)
    out = answer("Imputer", x, imputed_value_floats=[0.5], replaced_value_float=NAN)["y"]
    np.testing.assert_array_equal(out, [[0.5, 1], [-1, 0.5], [0, math.inf]])
    np.testing.assert_array_equal(answer("Binarizer", x)["y"], [[0, 1], [0, 0], [0, 1]])
    np.testing.assert_array_equal(answer("Imputer", x, imputed_value_floats=[0.5], replaced_value_float=math.inf)["y"],
                                  np.where(np.isinf(x), np.float32(0.5), x))


@pytest.mark.parametrize("op,attributes,text", [
    ("Scaler", {"offset": [1.0] * 3}, "offset has 3 elements, expected 1 or 2"),
    ("Scaler", {"scale": [1.0] * 3}, "scale has 3 elements, expected 1 or 2"),
    ("Normalizer", {"norm": "L3"}, 'norm is "L3", expected MAX, L1 or L2'),
    ("Imputer", {}, "imputed_value_floats has 0 elements, expected 1 or 2"),
    ("Imputer", {"imputed_value_int64s": [1]}, "imputed_value_floats has 0 elements"),
    ("OneHotEncoder", {}, "expected categories"),
    ("OneHotEncoder", {"cats_int64s": [1], "cats_strings": ["a"]}, "expected categories"),
    ("OneHotEncoder", {"cats_strings": ["a"]}, "the input is float32[1,2], expected strings"),
    ("CategoryMapper", {"cats_int64s": [1], "cats_strings": ["a", "b"]}, "there are 2 cats_strings and 1 cats_int64s"),
    ("CategoryMapper", {"cats_int64s": [1], "cats_strings": ["a"]}, "the input is float32[1,2], expected strings or int64"),
    ("LabelEncoder", {}, "there are 0 lists of keys"),
    ("LabelEncoder", {"keys_floats": [1.0], "keys_int64s": [1]}, "there are 2 lists of keys"),
    ("LabelEncoder", {"keys_floats": [1.0]}, "there are 0 lists of values"),
    ("LabelEncoder", {"keys_floats": [1.0], "values_floats": [1.0, 2.0]}, "there are 1 keys and 2 values"),
    ("LabelEncoder", {"keys_strings": ["a"], "values_floats": [1.0]}, "the input is float32[1,2], expected strings"),
    ("LabelEncoder", {"keys_int64s": [1], "values_floats": [1.0]}, "the input is float32[1,2], expected numbers"),
    ("FeatureVectorizer", {"inputdimensions": [1, 2]}, "inputdimensions has 2 elements, expected 1"),
    ("FeatureVectorizer", {"inputdimensions": [-1]}, "inputdimensions has -1"),
    ("ZipMap", {"classlabels_int64s": [1, 2, 3]}, "the input has 2 columns, expected 3"),
])
def test_tables_that_are_refused(tmp_path, op, attributes, text):
    assert text in said(tmp_path, op, X, **attributes)


def test_strings_are_no_numbers(tmp_path):
    for op in ("TreeEnsembleRegressor", "LinearRegressor", "SVMRegressor", "Scaler", "Normalizer", "Imputer", "Binarizer"):
        assert "is string[1,2]" in said(tmp_path, op, X, dtype=TensorProto.STRING)
    assert "is bool[1,2], expected rows" in said(tmp_path, "LinearRegressor", X, dtype=np.bool_)


# ---- encoders

def test_one_hot(answer):
    cats = [3, -1, 7]
    expected = np.array([[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 0]]], np.float32)
    for dtype in (np.int64, np.int32, np.float32, np.float64):
        x = np.array([[3, -1], [7, 8]], dtype)
        np.testing.assert_array_equal(answer("OneHotEncoder", x, cats_int64s=cats)["y"], expected)
    words = [["c", "a"], ["", "cc"]]
    np.testing.assert_array_equal(answer("OneHotEncoder", words, dtype="string", cats_strings=["c", "a", ""])["y"], expected)
    x = np.array([[NAN, math.inf, -1e30, 2**53]], np.float32)
    assert not answer("OneHotEncoder", x, cats_int64s=cats)["y"].any()


def test_one_hot_of_what_is_unknown(tmp_path):
    put(tmp_path, "m", ml("OneHotEncoder", np.zeros((1, 2)), dtype=np.int64, cats_int64s=[0, 1], zeros=0))
    with serving(tmp_path, max_batch=1) as plugin:
        assert plugin("predict", model="m", inputs={"x": [[0, 1]]})["outputs"]["y"].tolist() == [[[1, 0], [0, 1]]]
        refused = plugin.refused("predict", model="m", inputs={"x": [[0, 1], [1, 5]]})
        assert refused.status == "invalid" and "element 3 of the input is in no category" in refused.text


def test_labels(answer):
    words, ints, reals = [["b", "a", "zz", "b"]], np.array([[5, -5, 0, 2**52]]), np.array([[0.5, NAN, -0.0, 8]], np.float32)
    y = answer("LabelEncoder", words, dtype="string", keys_strings=["a", "b", "b"], values_int64s=[10, 20, 30])["y"]
    np.testing.assert_array_equal(y, [[20, 10, -1, 20]])  # a key that is listed twice has its first value
    y = answer("LabelEncoder", words, dtype="string", keys_strings=["a", "b"], values_strings=["x", "y"], default_string="?")["y"]
    assert y == [["y", "x", "?", "y"]]
    y = answer("LabelEncoder", words, dtype="string", keys_strings=["a", "b"], values_floats=[1.5, 2.5], default_float=NAN)["y"]
    np.testing.assert_array_equal(y, [[2.5, 1.5, NAN, 2.5]])
    y = answer("LabelEncoder", ints, keys_int64s=[-5, 5, 2**52], values_strings=["m", "p", "much"])["y"]
    assert y == [["p", "m", "_Unused", "much"]]
    y = answer("LabelEncoder", reals, keys_floats=[0.5, 0.0, NAN], values_int64s=[1, 2, 3], default_int64=4)["y"]
    np.testing.assert_array_equal(y, [[1, 3, 2, 4]])
    tensors = {"keys_tensor": numpy_helper.from_array(np.array([0.1, 0.2])), "values_tensor": numpy_helper.from_array(np.array([7, 8], np.int16)),
               "default_tensor": numpy_helper.from_array(np.array([9], np.int16))}
    np.testing.assert_array_equal(answer("LabelEncoder", np.array([[0.2, 0.1, np.float32(0.1)]]), version=4, **tensors)["y"], [[8, 7, 9]])


def test_labels_of_the_first_version(answer):
    y = answer("LabelEncoder", [["b", "a", "c"]], dtype="string", version=1, classes_strings=["a", "b"])["y"]
    np.testing.assert_array_equal(y, [[1, 0, -1]])
    assert answer("LabelEncoder", np.array([[0, 1, 2, -1]]), version=1, classes_strings=["a", "b"], default_string="?")["y"] == [["a", "b", "?", "?"]]


def test_categories(answer):
    cats = {"cats_strings": ["cat", "dog"], "cats_int64s": [5, 3], "default_int64": 0}
    np.testing.assert_array_equal(answer("CategoryMapper", [["dog", "cat", "cow"]], dtype="string", **cats)["y"], [[3, 5, 0]])
    assert answer("CategoryMapper", np.array([[3, 5, 4]]), **cats)["y"] == [["dog", "cat", "_Unused"]]


def test_many_keys(answer):
    """Sorted and found, whatever their order and length."""
    random = np.random.default_rng(4)
    keys = list(dict.fromkeys("k" * int(n) + str(i) for i, n in enumerate(random.integers(0, 40, 3000))))
    random.shuffle(keys)
    asked = [keys[i] for i in random.integers(0, len(keys), 500)] + ["k" * 50, "", "nothing"]
    y = answer("LabelEncoder", [asked], dtype="string", keys_strings=keys, values_int64s=list(range(len(keys))))["y"]
    np.testing.assert_array_equal(y[0], [keys.index(a) if a in keys else -1 for a in asked])


# ---- features

def test_extracted_columns(tmp_path):
    x = np.arange(24, dtype=np.float64).reshape(2, 3, 4)

    def extract(dtype, shape, constant=None):
        inputs = [info("x", dtype, shape)] + ([] if constant else [info("i", np.int64, ["n"])])
        node = helper.make_node("ArrayFeatureExtractor", ["x", "i"], ["y"], name="n", domain="ai.onnx.ml")
        return model([node], inputs, ["y"], {"i": np.array(constant, np.int64)} if constant else None, ml=1)

    put(tmp_path, "three", extract(np.float64, ["a", 3, 4]))
    put(tmp_path, "flat", extract(np.int64, [4], [3, 0, 3]))
    put(tmp_path, "text", extract(TensorProto.STRING, ["rows", 2], [1]))
    with serving(tmp_path, max_batch=1) as plugin:
        ask = lambda name, **inputs: plugin("predict", model=name, inputs=inputs)["outputs"]["y"]
        np.testing.assert_array_equal(ask("three", x=x, i=[2, 0, 0]), x[..., [2, 0, 0]])
        np.testing.assert_array_equal(ask("flat", x=[5, 6, 7, 8]), [[8, 5, 8]])
        assert ask("text", x=[["a", "b"], ["c", "d"]]) == [["b"], ["d"]]
        for wrong in (4, -1, 2**62):
            assert f"element 1 of the indices is {wrong}, expected 0..3" in plugin.refused("predict", model="three", inputs={"x": x, "i": [0, wrong]}).text
    put(tmp_path, "bad", extract(np.float32, ["rows", 2], [2]))
    assert "element 0 of the indices is 2, expected 0..1" in not_started(tmp_path)


def test_vectors_side_by_side(tmp_path):
    inputs = [info("a", np.float32, ["rows", 2]), info("b", np.int64, ["rows", 3]), info("c", np.float64, ["rows", 1])]
    for name, widths, columns in (("all", None, [2, 3, 1]), ("cut", [3, 1, 0], [3, 1, 0])):
        node = helper.make_node("FeatureVectorizer", ["a", "b", "c"], ["y"], name="n", domain="ai.onnx.ml",
                                **({"inputdimensions": widths} if widths else {}))
        put(tmp_path, name, model([node], inputs, ["y"], ml=1))
    with serving(tmp_path, max_batch=1) as plugin:
        x = {"a": [[1, 2], [3, 4]], "b": [[5, 6, 7], [8, 9, 10]], "c": [[0.5], [1.5]]}
        ask = lambda name: plugin("predict", model=name, inputs=x)["outputs"]["y"].tolist()
        assert ask("all") == [[1, 2, 5, 6, 7, 0.5], [3, 4, 8, 9, 10, 1.5]]
        assert ask("cut") == [[1, 2, 0, 5], [3, 4, 0, 8]]
        assert "expected 2" in plugin.refused("predict", model="all", inputs={**x, "b": [[1, 2, 3]]}).text


def test_zipped_scores_go_through(answer):
    out = answer("ZipMap", X[:2], classlabels_strings=["a", "b"])["y"]
    np.testing.assert_array_equal(out, X[:2])


def test_a_domain_without_a_version(tmp_path):
    put(tmp_path, "m", ml("Scaler", X, version=0))
    assert "does not say which version of ai.onnx.ml" in not_started(tmp_path)
