# SPDX-License-Identifier: MPL-2.0
"""TreeEnsemble, of ai.onnx.ml's opset 5, beside a walk by its definition: random ensembles of all modes, sets among them."""
import numpy as np
import pytest
from onnx import numpy_helper

from onnx_models import info, put, serving
from test_inference_ml_ops import logistic, ml, said

NAN = float("nan")
MODES = [lambda x, t: x <= t, lambda x, t: x < t, lambda x, t: x >= t, lambda x, t: x > t, lambda x, t: x == t, lambda x, t: x != t]
MEMBER = 6
COLUMNS = 4


class Ensemble:
    """Lists as the operator has them; thresholds and sets are halves, so that rows of halves lie on them."""

    def __init__(self, seed, trees=5, depth=4, targets=2, modes=7, dtype=np.float32):
        self.random, self.dtype, self.targets, self.modes = np.random.default_rng(seed), dtype, targets, modes
        self.features, self.mode, self.splits, self.nan_yes = [], [], [], []
        self.children, self.is_leaf = [], []
        self.leaf_targets, self.leaf_weights, self.roots, self.sets = [], [], [], {}
        for _ in range(trees):
            self.roots.append(self.grow(int(self.random.integers(0, depth + 1))))

    def half(self, n=None):
        return self.random.integers(-4, 5, n) / 2

    def leaf(self):
        self.leaf_targets.append(int(self.random.integers(self.targets)))
        self.leaf_weights.append(float(self.random.normal()))
        return len(self.leaf_targets) - 1

    def grow(self, depth):
        me = len(self.features)
        self.features.append(int(self.random.integers(COLUMNS)))
        self.mode.append(int(self.random.integers(self.modes)))
        self.splits.append(self.half())
        self.nan_yes.append(int(self.random.integers(2)))
        self.children.append(None)
        self.is_leaf.append(None)
        if self.mode[me] == MEMBER:
            self.sets[me] = self.half(int(self.random.integers(0, 4))).tolist()
        ends = [depth == 0 or self.random.random() < 0.2 for _ in range(2)]
        if depth == 0:  # a tree of one leaf: both branches end in it
            children = [self.leaf()] * 2
        else:
            children = [self.leaf() if end else self.grow(depth - 1) for end in ends]
        self.children[me], self.is_leaf[me] = children, [int(e) for e in ends]
        return me

    def attributes(self, **more):
        tensor = numpy_helper.from_array
        members = [v for me in sorted(self.sets) for v in [*self.sets[me], NAN]]
        return {"nodes_featureids": self.features, "nodes_modes": tensor(np.array(self.mode, np.uint8)), "nodes_splits": tensor(np.array(self.splits, self.dtype)),
                "nodes_truenodeids": [c[0] for c in self.children], "nodes_falsenodeids": [c[1] for c in self.children],
                "nodes_trueleafs": [e[0] for e in self.is_leaf], "nodes_falseleafs": [e[1] for e in self.is_leaf],
                "nodes_missing_value_tracks_true": self.nan_yes, "leaf_targetids": self.leaf_targets,
                "leaf_weights": tensor(np.array(self.leaf_weights, self.dtype)), "tree_roots": self.roots, "n_targets": self.targets,
                **({"membership_values": tensor(np.array(members, self.dtype))} if members else {}), **more}

    def walk(self, root, x):
        at, leaf = root, False
        while not leaf:
            v, mode = x[self.features[at]], self.mode[at]
            if np.isnan(v):
                yes = self.nan_yes[at] or mode == 5
            else:
                yes = v in self.sets[at] if mode == MEMBER else MODES[mode](v, self.splits[at])
            leaf, at = self.is_leaf[at][not yes], self.children[at][not yes]
        return self.leaf_targets[at], self.dtype(self.leaf_weights[at])

    def scores(self, rows, join):
        """float64[rows, targets]: targets that no leaf gave anything are 0."""
        out = np.zeros((len(rows), self.targets))
        for r, x in enumerate(rows):
            found = [[] for _ in range(self.targets)]
            for root in self.roots:
                target, weight = self.walk(root, x)
                found[target].append(float(weight))
            for t, all_of in enumerate(found):
                if all_of:
                    out[r, t] = {0: sum(all_of) / len(self.roots), 1: sum(all_of), 2: min(all_of), 3: max(all_of)}[join]
        return out


def rows(seed, dtype, n=60):
    random = np.random.default_rng([seed, 5])
    x = (random.integers(-5, 6, (n, COLUMNS)) / 2).astype(dtype)
    x[random.random(x.shape) < 0.1] = np.nan
    x[0, 0], x[1, 1] = np.inf, -np.inf
    return x


def predicted(tmp_path, x, **attributes):
    put(tmp_path, "m", ml("TreeEnsemble", x, version=5, inputs=[info("x", x.dtype, ["rows", COLUMNS])], **attributes))
    with serving(tmp_path, max_batch=1) as plugin:
        return plugin("predict", model="m", inputs={"x": x}, form="nd")["outputs"]["y"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("modes", [1, 2, 4, 7])
@pytest.mark.parametrize("join", [0, 1, 2, 3])
def test_random_ensembles(tmp_path, join, modes, dtype):
    e = Ensemble([join, modes], modes=modes, dtype=dtype, depth=5 if modes < 7 else 3)
    x = rows(join, dtype)
    y = predicted(tmp_path, x, **e.attributes(aggregate_function=join))
    assert y.dtype == dtype
    np.testing.assert_allclose(y, e.scores(x, join), rtol=1e-6 if dtype == np.float32 else 1e-14, atol=1e-7 if dtype == np.float32 else 1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transforms(tmp_path, dtype):
    e, x = Ensemble(8, targets=3, dtype=dtype), rows(8, dtype)
    d = e.scores(x, 1)
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    np.testing.assert_allclose(predicted(tmp_path, x, **e.attributes(post_transform=2)), logistic(d), rtol=tolerance)
    np.testing.assert_allclose(predicted(tmp_path, x, **e.attributes(post_transform=1)), np.exp(d) / np.exp(d).sum(1, keepdims=True), rtol=tolerance)


def test_sets(tmp_path):
    """The example of the specification's kind: two sets, the last without its NaN, and none."""
    tensor = numpy_helper.from_array
    x = np.array([[1.2, 0, 0, 0], [3.7, 0, 0, 0], [8, 0, 0, 0], [9, 0, 0, 0], [12, 0, 0, 0], [NAN, 0, 0, 0]], np.float32)
    attributes = {"nodes_featureids": [0, 0], "nodes_modes": tensor(np.array([6, 6], np.uint8)), "nodes_splits": tensor(np.zeros(2, np.float32)),
                  "nodes_truenodeids": [0, 1], "nodes_falsenodeids": [1, 2], "nodes_trueleafs": [1, 1], "nodes_falseleafs": [0, 1],
                  "leaf_targetids": [0, 0, 0], "leaf_weights": tensor(np.array([1, 10, 100], np.float32)), "tree_roots": [0]}
    for members in ([1.2, 3.7, NAN, 8, 12], [1.2, 3.7, NAN, 8, 12, NAN]):
        y = predicted(tmp_path, x, membership_values=tensor(np.array(members, np.float32)), **attributes)
        np.testing.assert_array_equal(y.ravel(), [1, 1, 10, 100, 10, 100])
    y = predicted(tmp_path, x, membership_values=tensor(np.array([NAN, 9, NAN], np.float32)), **attributes)
    np.testing.assert_array_equal(y.ravel(), [100, 100, 100, 10, 100, 100])


@pytest.mark.parametrize("change,text", [
    ({"nodes_truenodeids": [7, 1]}, "has the leaf 7, expected 0 to 2"),
    ({"nodes_falsenodeids": [-1, 2]}, "has the child -1, expected 0 to 1"),
    ({"nodes_falsenodeids": [0, 2]}, "node 0 of the trees is reached twice"),
    ({"tree_roots": [0, 1]}, "node 1 of the trees is reached twice, from the roots 0 and 1"),
    ({"tree_roots": [2]}, "tree_roots has 2, expected 0 to 1"),
    ({"tree_roots": []}, "there are 0 nodes"),
    ({"leaf_targetids": [0, 0, 1]}, "gives a weight to 1, expected 0..0"),
    ({"leaf_targetids": [0, 0]}, "leaf_weights has 3 elements, expected 2"),
    ({"nodes_trueleafs": [1]}, "nodes_trueleafs has 1 elements, expected 2"),
    ({"nodes_modes": numpy_helper.from_array(np.array([0, 7], np.uint8))}, "nodes_modes has 7, expected 0 to 6"),
    ({"nodes_modes": numpy_helper.from_array(np.array([0, 6], np.uint8))}, "has 0 sets, expected 1"),
    ({"nodes_modes": numpy_helper.from_array(np.array([0, 0]))}, "expected uint8[2]"),
    ({"membership_values": numpy_helper.from_array(np.array([1.0]))}, "has 1 sets, expected 0"),
    ({"nodes_splits": numpy_helper.from_array(np.zeros(2, np.int64))}, "nodes_splits is of int64"),
    ({"nodes_splits": numpy_helper.from_array(np.array([0, NAN]))}, "compares with NaN"),
    ({"nodes_featureids": [0, -1]}, "asks for feature -1"),
    ({"nodes_featureids": [0, 4]}, "a tree asks for feature 4, but the input has 4 columns"),
    ({"n_targets": 0}, "n_targets is 0"),
    ({"aggregate_function": 4}, "expected 0 to 3"),
    ({"post_transform": -1}, "expected 0 to 3 and 0 to 4"),
])
def test_what_is_refused(tmp_path, change, text):
    tensor = numpy_helper.from_array
    attributes = {"nodes_featureids": [0, 0], "nodes_modes": tensor(np.zeros(2, np.uint8)), "nodes_splits": tensor(np.zeros(2, np.float32)),
                  "nodes_truenodeids": [0, 1], "nodes_falsenodeids": [1, 2], "nodes_trueleafs": [1, 1], "nodes_falseleafs": [0, 1],
                  "leaf_targetids": [0, 0, 0], "leaf_weights": tensor(np.array([1, 10, 100], np.float32)), "tree_roots": [0], **change}
    refused = said(tmp_path, "TreeEnsemble", np.zeros((2, COLUMNS), np.float32), version=5, **{k: v for k, v in attributes.items() if v != []})
    assert text in refused and '"n"' in refused, refused
