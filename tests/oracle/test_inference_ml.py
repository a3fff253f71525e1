# SPDX-License-Identifier: MPL-2.0
"""ai.onnx.ml beside scikit-learn: every family of estimators, exported by sk2onnx.py, row by row; several classes, labels of both kinds,
missing values, values on thresholds and next to them, all types of input."""
import os
import sys
import warnings

os.environ["OMP_NUM_THREADS"] = "1"  # threads for 300 rows only wait for each other

import numpy as np
import pytest
from sklearn import ensemble, linear_model, neural_network, pipeline, preprocessing, svm, tree
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification, make_regression
from sklearn.impute import SimpleImputer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples"))
import sk2onnx  # noqa: E402
from onnx_models import put, serving

warnings.filterwarnings("ignore")
ROWS, COLUMNS = 300, 8
NAMES = {2: ["no", "yes"], 3: ["bear", "flat", "bull"], 5: ["a", "b", "c", "d", "e"]}


def classes(n, strings=False, seed=3):
    x, y = make_classification(ROWS, COLUMNS, n_informative=6, n_classes=n, n_clusters_per_class=1, flip_y=0.1, random_state=seed)
    return x.astype(np.float32), np.array(NAMES[n])[y] if strings else y * 3 - 2  # -2, 1, 4: no label is its own number


def numbers(targets=1, seed=3):
    x, y = make_regression(ROWS, COLUMNS, n_targets=targets, noise=5, random_state=seed)
    return x.astype(np.float32), y / 50


def gaps(x, share=0.15):
    x = x.copy()
    x[np.random.default_rng(1).random(x.shape) < share] = np.nan
    return x


def thresholds(estimator):
    """[(feature, threshold)] of all its trees, none behind a pipeline."""
    found = []
    if hasattr(estimator, "steps"):
        return found
    for member in np.ravel(getattr(estimator, "estimators_", [estimator])):
        if hasattr(member, "tree_"):
            inner = member.tree_.children_left >= 0
            found += zip(member.tree_.feature[inner], member.tree_.threshold[inner])
    for stage in getattr(estimator, "_predictors", []):
        for predictor in stage:
            found += [(n["feature_idx"], n["num_threshold"]) for n in predictor.nodes if not n["is_leaf"]]
    return found


def edges(estimator, x):
    """Rows of which one value is a threshold, or the float before or behind it."""
    random, rows = np.random.default_rng(5), []
    found = thresholds(estimator)
    for i in random.permutation(len(found))[:400]:
        feature, threshold = found[i]
        t = np.float32(threshold)
        for value in (np.nextafter(t, np.float32(-np.inf)), t, np.nextafter(t, np.float32(np.inf))):
            row = x[random.integers(len(x))].copy()
            row[feature] = value
            rows.append(row)
    extreme = np.array([[np.inf] * x.shape[1], [-np.inf] * x.shape[1], [3e38] * x.shape[1]], np.float32)
    return np.vstack(rows + [extreme] if hasattr(estimator, "_predictors") else rows)  # others refuse infinities


def pipe(*steps):
    return pipeline.make_pipeline(*steps)


few = {"n_estimators": 25, "random_state": 1}
CLASSIFIERS = {
    "tree": tree.DecisionTreeClassifier(random_state=1),
    "stump": tree.DecisionTreeClassifier(max_depth=1),
    "forest": ensemble.RandomForestClassifier(max_depth=7, **few),
    "forest-deep": ensemble.RandomForestClassifier(min_samples_leaf=1, **few),
    "extra": ensemble.ExtraTreesClassifier(max_depth=9, **few),
    "boosting": ensemble.GradientBoostingClassifier(n_estimators=20, random_state=1),
    "boosting-zero": ensemble.GradientBoostingClassifier(n_estimators=5, init="zero", random_state=1),
    "histogram": ensemble.HistGradientBoostingClassifier(max_iter=20),
    "logistic": linear_model.LogisticRegression(),
    "logistic-ovr": linear_model.LogisticRegression(multi_class="ovr"),
    "logistic-multinomial": linear_model.LogisticRegression(multi_class="multinomial"),
    "ridge": linear_model.RidgeClassifier(),
    "sgd": linear_model.SGDClassifier(random_state=1),
    "linear-svc": svm.LinearSVC(),
    "svc-rbf": svm.SVC(probability=True, random_state=1),
    "svc-linear": svm.SVC(kernel="linear"),
    "svc-poly": svm.SVC(kernel="poly", coef0=0.5),
    "svc-sigmoid": svm.SVC(kernel="sigmoid", gamma=0.02, probability=True, random_state=1),
    "nu-svc": svm.NuSVC(nu=0.3, probability=True, random_state=1),
    "nu-svc-votes": svm.NuSVC(nu=0.3),
    "mlp": neural_network.MLPClassifier((16, 8), max_iter=60, random_state=1),
    "mlp-tanh": neural_network.MLPClassifier((9,), activation="tanh", max_iter=60, random_state=1),
    "pipeline": pipe(preprocessing.StandardScaler(), linear_model.LogisticRegression()),
    "pipeline-forest": pipe(SimpleImputer(), preprocessing.MinMaxScaler(), ensemble.RandomForestClassifier(max_depth=5, **few)),
    "pipeline-columns": pipe(ColumnTransformer([("a", preprocessing.StandardScaler(), [0, 2, 5]), ("b", "passthrough", [1]),
                                                ("c", preprocessing.Normalizer(), [3, 4])]), svm.SVC(probability=True, random_state=1)),
}
REGRESSORS = {
    "tree": tree.DecisionTreeRegressor(random_state=1),
    "forest": ensemble.RandomForestRegressor(max_depth=8, **few),
    "extra": ensemble.ExtraTreesRegressor(**few),
    "boosting": ensemble.GradientBoostingRegressor(n_estimators=30, random_state=1),
    "histogram": ensemble.HistGradientBoostingRegressor(max_iter=30),
    "linear": linear_model.LinearRegression(),
    "ridge": linear_model.Ridge(),
    "lasso": linear_model.Lasso(0.1),
    "linear-svr": svm.LinearSVR(random_state=1),
    "svr-rbf": svm.SVR(),
    "svr-linear": svm.SVR(kernel="linear"),
    "svr-poly": svm.SVR(kernel="poly", degree=2, coef0=1),
    "nu-svr": svm.NuSVR(),
    "mlp": neural_network.MLPRegressor((16,), max_iter=100, random_state=1),
    "pipeline": pipe(preprocessing.RobustScaler(), svm.SVR()),
}
MULTI = {
    "forest": ensemble.RandomForestRegressor(max_depth=6, **few),
    "tree": tree.DecisionTreeRegressor(max_depth=6),
    "linear": linear_model.LinearRegression(),
    "mlp": neural_network.MLPRegressor((7,), activation="logistic", max_iter=60, random_state=1),
}
TRANSFORMERS = {
    "standard": preprocessing.StandardScaler(),
    "standard-mean": preprocessing.StandardScaler(with_std=False),
    "min-max": preprocessing.MinMaxScaler((-1, 2)),
    "min-max-clip": preprocessing.MinMaxScaler(clip=True),
    "max-abs": preprocessing.MaxAbsScaler(),
    "robust": preprocessing.RobustScaler(),
    "l1": preprocessing.Normalizer("l1"),
    "l2": preprocessing.Normalizer("l2"),
    "max": preprocessing.Normalizer("max"),
    "binarizer": preprocessing.Binarizer(threshold=0.25),
    "imputer-zero": SimpleImputer(missing_values=0.0, strategy="median"),
}


class Served:
    """One plugin, and what was exported to it: {name: (estimator, x)}."""

    def __init__(self, plugin, made):
        self.plugin, self.made = plugin, made

    def outputs(self, name, x):
        return self.plugin("predict", model=name, inputs={"x": x})["outputs"]

    def consistent(self, name, x, whole):
        """Rows alone, and batches of sizes that are no multiple of anything, give what all of them give."""
        for part in [slice(i, i + 1) for i in range(3)] + [slice(5, 16), slice(0, 67)]:
            for key, value in self.outputs(name, x[part]).items():
                if isinstance(value, list):
                    assert value == whole[key][part]
                else:
                    np.testing.assert_allclose(value, whole[key][part], rtol=1e-6, atol=1e-6 * np.abs(whole[key]).max())


def export(folder, made, kind, name, estimator, x, y):
    estimator = clone(estimator).fit(x, y)
    name = f"{kind}-{name}"
    put(folder, name, sk2onnx.convert(estimator, x.shape[1]))
    made[name] = (estimator, x)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("models"), {}
    for n, strings in ((2, False), (3, True), (5, False)):
        x, y = classes(n, strings)
        for name, estimator in CLASSIFIERS.items():
            export(folder, made, f"c{n}", name, estimator, x, y)
    x, y = classes(2, True)
    for name in ("forest", "logistic", "svc-rbf", "svc-linear", "mlp"):
        export(folder, made, "c2s", name, CLASSIFIERS[name], x, y)
    for n in (2, 3):
        x, y = classes(n)
        for name, estimator in (("histogram", CLASSIFIERS["histogram"]), ("pipeline-forest", CLASSIFIERS["pipeline-forest"])):
            export(folder, made, f"gaps{n}", name, estimator, gaps(x), y)
    x, y = numbers()
    for name, estimator in REGRESSORS.items():
        export(folder, made, "r", name, estimator, x, y)
    export(folder, made, "gaps", "histogram", REGRESSORS["histogram"], gaps(x), y)
    export(folder, made, "r", "poisson", ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=20), x, np.exp(y / 4))
    x, y = numbers(3)
    for name, estimator in MULTI.items():
        export(folder, made, "r3", name, estimator, x, y)
    for name, estimator in TRANSFORMERS.items():
        export(folder, made, "t", name, estimator, np.round(x * 4) / 4, None)
    export(folder, made, "t", "imputer", SimpleImputer(strategy="mean"), gaps(x), None)
    export(folder, made, "o", "one-class", svm.OneClassSVM(nu=0.2), x, None)
    with serving(folder, max_batch=1) as plugin:
        yield Served(plugin, made)


def of_kind(*kinds):
    """Names as `served` will have them; known before anything is trained."""
    names = {f"c{n}": list(CLASSIFIERS) for n in (2, 3, 5)}
    names |= {"c2s": ["forest", "logistic", "svc-rbf", "svc-linear", "mlp"], "gaps2": ["histogram", "pipeline-forest"],
              "gaps3": ["histogram", "pipeline-forest"], "r": list(REGRESSORS) + ["poisson"], "r3": list(MULTI), "gaps": ["histogram"],
              "t": list(TRANSFORMERS) + ["imputer"]}
    return [f"{kind}-{name}" for kind in kinds for name in names[kind]]


def rows_of(estimator, x):
    return np.vstack([x, edges(estimator, x)]).astype(np.float32) if thresholds(estimator) else x


def scores_of(estimator, x):
    """What the model's scores should be, and scores with a column for each class of which the greatest is the label's."""
    if hasattr(estimator, "predict_proba"):
        p = estimator.predict_proba(x)
        return p, estimator.decision_function(x) if hasattr(estimator, "decision_function") and "SV" in type(estimator).__name__ else p
    d = estimator.decision_function(x)
    if d.ndim == 1:
        d = np.column_stack([-d, d])
    return d, d


def label_is_right(estimator, x, labels):
    """Every label is scikit-learn's; where two classes are nearer than rounding it may be either."""
    expected = estimator.predict(x)
    for row in np.flatnonzero(np.asarray(labels) != expected):
        _, by = scores_of(estimator, x[row:row + 1])
        by = np.column_stack([-by, by])[0] if by.ndim == 1 else by[0]
        best = np.sort(by)[-2:]
        assert best[1] - best[0] < 1e-6 * max(1, abs(best[1])), f"row {row}: {labels[row]}, expected {expected[row]} of {by}"


@pytest.mark.parametrize("name", of_kind("c2", "c3", "c5", "c2s", "gaps2", "gaps3"))
def test_classifiers(served, name):
    estimator, x = served.made[name]
    x = rows_of(estimator, x)
    got = served.outputs(name, x)
    labels = np.asarray(got["label"])
    assert labels.dtype.kind == ("U" if isinstance(sk2onnx.final(estimator).classes_[0], str) else "i")
    label_is_right(estimator, x, labels)
    last = sk2onnx.final(estimator)
    if type(last).__name__ in ("SVC", "NuSVC") and not last.probability:
        last.decision_function_shape = "ovo"
        expected = last.decision_function(x)
        if len(last.classes_) == 2:  # libsvm's sign is that of the first class
            expected = np.column_stack([expected, -expected])
        last.decision_function_shape = "ovr"
    else:
        expected, _ = scores_of(estimator, x)
    np.testing.assert_allclose(got["probabilities"], expected, rtol=2e-5, atol=2e-5 * max(1, np.abs(expected).max()))
    served.consistent(name, x, got)


@pytest.mark.parametrize("name", of_kind("r", "r3", "gaps"))
def test_regressors(served, name):
    estimator, x = served.made[name]
    x = rows_of(estimator, x)
    got = served.outputs(name, x)
    expected = estimator.predict(x)
    np.testing.assert_allclose(got["y"], expected.reshape(len(x), -1), rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    served.consistent(name, x, got)


@pytest.mark.parametrize("name", of_kind("t"))
def test_transformers(served, name):
    estimator, x = served.made[name]
    got = served.outputs(name, x)
    np.testing.assert_allclose(got["y"], estimator.transform(x), rtol=1e-6, atol=1e-6)
    served.consistent(name, x, got)


def test_one_class(served):
    estimator, x = served.made["o-one-class"]
    np.testing.assert_array_equal(served.outputs("o-one-class", x)["y"].ravel(), estimator.predict(x))


@pytest.mark.parametrize("name", ["c2-forest", "c3-logistic", "c5-histogram", "c2s-svc-rbf", "c3-stump"])
def test_names_of_classes(served, name):
    estimator, x = served.made[name]
    wanted = [c if isinstance(c, str) else int(c) for c in estimator.classes_]
    assert served.plugin("describe_model", model=name)["classes"] == wanted
    got = served.plugin("predict", model=name, inputs={"x": x[:3]}, labels=True)
    assert got["classes"] == wanted and list(got["labels"]) == list(estimator.predict(x[:3]))
    assert np.shape(got["probabilities"]) == (3, len(wanted))


def test_no_classes(served):
    assert served.plugin("describe_model", model="r-forest").get("classes") is None


@pytest.mark.parametrize("name,method", [("c3-forest", "splits"), ("c3-logistic", "coefficients")])
def test_importance(served, name, method):
    estimator, _ = served.made[name]
    got = served.plugin("importance", model=name, top=COLUMNS)
    asked = np.bincount([f for f, _ in thresholds(estimator)], minlength=COLUMNS) if method == "splits" else np.abs(estimator.coef_).sum(0)
    assert got["method"] == method
    by_index = {f["index"]: f["importance"] for f in got["features"]}
    np.testing.assert_allclose([by_index[i] for i in range(COLUMNS)], asked / asked.sum(), rtol=1e-6)
