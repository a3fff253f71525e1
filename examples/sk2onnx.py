# SPDX-License-Identifier: MPL-2.0
"""scikit-learn's estimators as ONNX models, with onnx.helper alone.

    model = sk2onnx.convert(estimator, n_features)            an onnx.ModelProto
    model = sk2onnx.convert(pipeline, 8, dtype="float64")     the type of the input "x" (rows x n_features)

A classifier has the outputs "label" and "probabilities" (its predict_proba, or its decision_function where it has none), a regressor
"y", a transformer "y". Trees decide as scikit-learn does, which compares floats with doubles: thresholds are rounded down to floats.
What is not known is refused with a TypeError that names the class. Add a converter with @converts("ClassName")."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

ML = "ai.onnx.ml"
TYPES = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "int64": TensorProto.INT64, "int32": TensorProto.INT32,
         "string": TensorProto.STRING}
_converters = {}


def converts(*names):
    def register(function):
        _converters.update({name: function for name in names})
        return function
    return register


class Builder:
    """The nodes and constants of a graph that is being made."""

    def __init__(self):
        self.nodes, self.constants, self.names = [], [], set()

    def name(self, stem):
        """A name that nothing has yet."""
        name, i = stem, 1
        while name in self.names:
            name, i = f"{stem}{i}", i + 1
        self.names.add(name)
        return name

    def add(self, op, inputs, stem, outputs=1, domain="", **attributes):
        """One node; the names of its outputs."""
        names = [self.name(stem) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=self.name(f"{op}_"), domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def ml(self, op, inputs, stem, outputs=1, **attributes):
        return self.add(op, inputs, stem, outputs, ML, **attributes)

    def constant(self, array, stem="constant"):
        name = self.name(stem)
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name


def convert(estimator, n_features, dtype="float32", opset=13, ml=3):
    """An onnx.ModelProto of a fitted estimator or pipeline."""
    b = Builder()
    b.names.update(("x", "y", "label", "probabilities"))
    outputs = add(b, estimator, "x", n_features)
    names = ["label", "probabilities"] if len(outputs) == 2 else ["y"]
    nodes = [helper.make_node("Identity", [made], [name]) for made, name in zip(outputs, names)]
    graph = helper.make_graph(
        b.nodes + nodes, type(estimator).__name__,
        [helper.make_tensor_value_info("x", TYPES[dtype], ["rows", n_features])],
        [helper.make_tensor_value_info(name, label_type(estimator) if name == "label" else TensorProto.FLOAT, None) for name in names],
        b.constants)
    return helper.make_model(graph, producer_name="sk2onnx", ir_version=8,
                             opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(ML, ml)])


def add(b, estimator, x, n_features):
    """Puts the estimator's nodes; the names of its outputs."""
    for cls in type(estimator).__mro__:
        if cls.__name__ in _converters:
            made = _converters[cls.__name__](b, estimator, x, n_features)
            return [made] if isinstance(made, str) else list(made)
    raise TypeError(f"{type(estimator).__name__} is not known, expected one of {', '.join(sorted(_converters))}")


def final(estimator):
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return estimator


def label_type(estimator):
    return TensorProto.INT64 if labels(final(estimator)).get("classlabels_int64s") else TensorProto.STRING


def labels(estimator, ints="classlabels_int64s"):
    """Its classes as the attribute that classifiers have them in."""
    classes = np.asarray(getattr(estimator, "classes_", []))
    if np.issubdtype(classes.dtype, np.integer) or classes.dtype == bool:
        return {ints: [int(c) for c in classes]}
    return {"classlabels_strings": [str(c) for c in classes]}


def floats(array):
    return [float(v) for v in np.asarray(array).ravel()]


def choose(b, estimator, scores):
    """The label of the greatest score."""
    best = b.add("ArgMax", [scores], "best", axis=1, keepdims=0)
    names = labels(estimator, "values_int64s")
    values = names.get("values_int64s")
    values = {"values_int64s": values} if values else {"values_strings": names["classlabels_strings"]}
    return b.ml("LabelEncoder", [best], "label", keys_int64s=list(range(len(estimator.classes_))), **values)


# ---- trees

def round_down(thresholds):
    """x <= threshold of a float x is decided the same way by the greatest float that is not above the threshold."""
    thresholds = np.asarray(thresholds, np.float64)
    with np.errstate(over="ignore"):
        down = thresholds.astype(np.float32)
        return np.where(down > thresholds, np.nextafter(down, np.float32(-np.inf)), down).astype(np.float32)


class Ensemble:
    """Attributes of TreeEnsembleClassifier ("class") and TreeEnsembleRegressor ("target")."""

    def __init__(self, kind):
        self.kind, self.trees = kind, 0
        nodes = "treeids nodeids featureids values modes truenodeids falsenodeids missing_value_tracks_true".split()
        weights = ["treeids", "nodeids", "ids", "weights"]
        self.lists = {f"nodes_{n}": [] for n in nodes} | {f"{kind}_{n}": [] for n in weights}

    def node(self, number, feature=0, threshold=0.0, yes=0, no=0, leaf=False, missing=False):
        for name, value in (("treeids", self.trees), ("nodeids", number), ("featureids", int(feature)), ("values", float(threshold)),
                            ("modes", "LEAF" if leaf else "BRANCH_LEQ"), ("truenodeids", int(yes)), ("falsenodeids", int(no)),
                            ("missing_value_tracks_true", int(missing))):
            self.lists[f"nodes_{name}"].append(value)

    def weight(self, number, target, weight):
        for name, value in (("treeids", self.trees), ("nodeids", number), ("ids", int(target)), ("weights", float(weight))):
            self.lists[f"{self.kind}_{name}"].append(value)

    def tree(self, tree, leaf_weights):
        """A sklearn.tree._tree.Tree; leaf_weights(node) -> [(target, weight)]."""
        thresholds = round_down(tree.threshold)
        for i in range(tree.node_count):
            if tree.children_left[i] < 0:
                self.node(i, leaf=True)
                for target, weight in leaf_weights(i):
                    self.weight(i, target, weight)
            else:
                self.node(i, tree.feature[i], thresholds[i], tree.children_left[i], tree.children_right[i])
        self.trees += 1

    def attributes(self):
        if not any(self.lists["nodes_missing_value_tracks_true"]):
            return {k: v for k, v in self.lists.items() if k != "nodes_missing_value_tracks_true"}
        return self.lists


def shares(tree, i):
    """The classes in a leaf, as shares."""
    counts = tree.value[i][0]
    return counts / (counts.sum() or 1)


def members(estimator):
    return getattr(estimator, "estimators_", [estimator])


@converts("DecisionTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier")
def tree_classifier(b, estimator, x, _):
    e, n = Ensemble("class"), len(members(estimator))
    for member in members(estimator):
        tree = member.tree_
        e.tree(tree, lambda i: enumerate(shares(tree, i) / n))
    return b.ml("TreeEnsembleClassifier", [x], "classes", 2, **e.attributes(), **labels(estimator), post_transform="NONE")


@converts("DecisionTreeRegressor", "RandomForestRegressor", "ExtraTreesRegressor")
def tree_regressor(b, estimator, x, _):
    e, n = Ensemble("target"), len(members(estimator))
    for member in members(estimator):
        tree = member.tree_
        e.tree(tree, lambda i: enumerate(tree.value[i][:, 0]))
    return b.ml("TreeEnsembleRegressor", [x], "y", n_targets=estimator.n_outputs_, **e.attributes(),
                aggregate_function="AVERAGE" if n > 1 else "SUM")


def boosted(estimator, kind, base):
    e = Ensemble(kind)
    for stage in estimator.estimators_:
        for k, member in enumerate(stage):
            tree = member.tree_
            e.tree(tree, lambda i: [(k, estimator.learning_rate * tree.value[i][0][0])])
    return {**e.attributes(), "base_values": floats(base)}


def boosting_start(estimator, n_features):
    if estimator.init_ == "zero":
        return np.zeros(estimator.estimators_.shape[1])
    return np.asarray(estimator._raw_predict_init(np.zeros((1, n_features)))).ravel()  # the same for every row of a prior


@converts("GradientBoostingClassifier")
def boosting_classifier(b, estimator, x, n_features):
    attributes = boosted(estimator, "class", boosting_start(estimator, n_features))
    transform = "LOGISTIC" if len(estimator.classes_) == 2 else "SOFTMAX"
    return b.ml("TreeEnsembleClassifier", [x], "classes", 2, **attributes, **labels(estimator), post_transform=transform)


@converts("GradientBoostingRegressor")
def boosting_regressor(b, estimator, x, n_features):
    attributes = boosted(estimator, "target", boosting_start(estimator, n_features))
    return b.ml("TreeEnsembleRegressor", [x], "y", n_targets=1, **attributes)


def histogram_boosted(estimator, kind):
    e = Ensemble(kind)
    for stage in estimator._predictors:
        for k, predictor in enumerate(stage):
            nodes = predictor.nodes
            if np.any(nodes["is_categorical"] & ~nodes["is_leaf"].astype(bool)):
                raise TypeError("categorical splits are not known")
            thresholds = round_down(nodes["num_threshold"])
            for i, node in enumerate(nodes):
                if node["is_leaf"]:
                    e.node(i, leaf=True)
                    e.weight(i, k, node["value"])
                else:
                    e.node(i, node["feature_idx"], thresholds[i], node["left"], node["right"], missing=node["missing_go_to_left"])
            e.trees += 1
    return {**e.attributes(), "base_values": floats(estimator._baseline_prediction)}


@converts("HistGradientBoostingClassifier")
def histogram_classifier(b, estimator, x, _):
    transform = "LOGISTIC" if len(estimator.classes_) == 2 else "SOFTMAX"
    return b.ml("TreeEnsembleClassifier", [x], "classes", 2, **histogram_boosted(estimator, "class"), **labels(estimator),
                post_transform=transform)


@converts("HistGradientBoostingRegressor")
def histogram_regressor(b, estimator, x, _):
    y = b.ml("TreeEnsembleRegressor", [x], "y", n_targets=1, **histogram_boosted(estimator, "target"))
    return b.add("Exp", [y], "y") if estimator.loss in ("poisson",) else y


# ---- linear

@converts("LinearRegression", "Ridge", "Lasso", "ElasticNet", "LinearSVR", "SGDRegressor", "BayesianRidge", "HuberRegressor")
def linear_regressor(b, estimator, x, _):
    coefficients = np.atleast_2d(estimator.coef_)
    intercepts = np.broadcast_to(np.ravel(estimator.intercept_), len(coefficients))
    return b.ml("LinearRegressor", [x], "y", coefficients=floats(coefficients), intercepts=floats(intercepts), targets=len(coefficients))


def linear_classes(estimator):
    """Coefficients and intercepts with a row for each class."""
    c, i = np.atleast_2d(estimator.coef_), np.broadcast_to(np.ravel(estimator.intercept_), len(np.atleast_2d(estimator.coef_)))
    return (np.vstack([-c, c]), np.concatenate([-i, i])) if len(c) == 1 else (c, i)


@converts("LogisticRegression", "LogisticRegressionCV")
def logistic(b, estimator, x, _):
    multinomial = estimator.multi_class == "multinomial" or (
        estimator.multi_class == "auto" and len(estimator.classes_) > 2 and estimator.solver != "liblinear")
    coefficients, intercepts = linear_classes(estimator)
    label, scores = b.ml("LinearClassifier", [x], "classes", 2, coefficients=floats(coefficients), intercepts=floats(intercepts),
                         **labels(estimator, "classlabels_ints"), multi_class=int(multinomial),
                         post_transform="SOFTMAX" if multinomial else "LOGISTIC")
    return label, scores if multinomial else b.ml("Normalizer", [scores], "probabilities", norm="L1")


@converts("LinearSVC", "RidgeClassifier", "SGDClassifier", "Perceptron")
def linear_classifier(b, estimator, x, _):
    """The scores of two classes are -decision and decision."""
    coefficients, intercepts = linear_classes(estimator)
    return b.ml("LinearClassifier", [x], "classes", 2, coefficients=floats(coefficients), intercepts=floats(intercepts),
                **labels(estimator, "classlabels_ints"), post_transform="NONE")


# ---- support vectors

def kernel(estimator):
    names = {"linear": "LINEAR", "poly": "POLY", "rbf": "RBF", "sigmoid": "SIGMOID"}
    return {"kernel_type": names[estimator.kernel], "kernel_params": floats([estimator._gamma, estimator.coef0, estimator.degree])}


@converts("SVC", "NuSVC")
def svm_classifier(b, estimator, x, _):
    """Without probability: the scores of pairs, as libsvm has them (of two classes: -score and score of the first)."""
    proba = {"prob_a": floats(estimator.probA_), "prob_b": floats(estimator.probB_)} if estimator.probability else {}
    dense = np.asarray(estimator.support_vectors_)
    label, scores = b.ml("SVMClassifier", [x], "classes", 2, support_vectors=floats(dense), coefficients=floats(estimator._dual_coef_),
                         rho=floats(estimator._intercept_), vectors_per_class=[int(n) for n in estimator._n_support],
                         **labels(estimator, "classlabels_ints"), **kernel(estimator), **proba)
    if estimator.probability:  # scikit-learn predicts by votes, also where it knows probabilities
        label, _ = b.ml("SVMClassifier", [x], "votes", 2, support_vectors=floats(dense), coefficients=floats(estimator._dual_coef_),
                        rho=floats(estimator._intercept_), vectors_per_class=[int(n) for n in estimator._n_support],
                        **labels(estimator, "classlabels_ints"), **kernel(estimator))
    return label, scores


@converts("SVR", "NuSVR", "OneClassSVM")
def svm_regressor(b, estimator, x, _):
    return b.ml("SVMRegressor", [x], "y", support_vectors=floats(estimator.support_vectors_), coefficients=floats(estimator._dual_coef_),
                rho=floats(estimator._intercept_), n_supports=len(estimator.support_vectors_), **kernel(estimator),
                one_class=int(type(estimator).__name__ == "OneClassSVM"))


# ---- networks

ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid", "softmax": "Softmax", "identity": "Identity"}


def network(b, estimator, x):
    for i, (weights, bias) in enumerate(zip(estimator.coefs_, estimator.intercepts_)):
        last = i == estimator.n_layers_ - 2
        x = b.add("Gemm", [x, b.constant(weights.astype(np.float32), "w"), b.constant(bias.astype(np.float32), "b")], "layer")
        x = b.add(ACTIVATIONS[estimator.out_activation_ if last else estimator.activation], [x], "h")
    return x


@converts("MLPRegressor")
def network_regressor(b, estimator, x, _):
    return network(b, estimator, x)


@converts("MLPClassifier")
def network_classifier(b, estimator, x, _):
    scores = network(b, estimator, x)
    if len(estimator.classes_) == 2:
        rest = b.add("Sub", [b.constant(np.float32(1)), scores], "rest")
        scores = b.add("Concat", [rest, scores], "probabilities", axis=1)
    return choose(b, estimator, scores), scores


# ---- what comes before

@converts("StandardScaler")
def standard_scaler(b, t, x, n):
    return b.ml("Scaler", [x], "scaled", offset=floats(t.mean_ if t.with_mean else np.zeros(n)),
                scale=floats(1 / t.scale_ if t.with_std else np.ones(n)))


@converts("MinMaxScaler")
def min_max_scaler(b, t, x, _):
    y = b.ml("Scaler", [x], "scaled", offset=floats(-t.min_ / t.scale_), scale=floats(t.scale_))
    if t.clip:
        low, high = (b.constant(np.float32(v)) for v in t.feature_range)
        y = b.add("Clip", [y, low, high], "clipped")
    return y


@converts("MaxAbsScaler")
def max_abs_scaler(b, t, x, _):
    return b.ml("Scaler", [x], "scaled", offset=[0.0], scale=floats(1 / t.scale_))


@converts("RobustScaler")
def robust_scaler(b, t, x, n):
    return b.ml("Scaler", [x], "scaled", offset=floats(t.center_ if t.with_centering else np.zeros(n)),
                scale=floats(1 / t.scale_ if t.with_scaling else np.ones(n)))


@converts("Normalizer")
def normalizer(b, t, x, _):
    return b.ml("Normalizer", [x], "normalized", norm=t.norm.upper())


@converts("SimpleImputer")
def imputer(b, t, x, _):
    missing = float("nan") if t.missing_values is np.nan else t.missing_values
    return b.ml("Imputer", [x], "imputed", imputed_value_floats=floats(t.statistics_), replaced_value_float=float(missing))


@converts("Binarizer")
def binarizer(b, t, x, _):
    return b.ml("Binarizer", [x], "binary", threshold=float(t.threshold))


@converts("OneHotEncoder")
def one_hot(b, t, x, _):
    """Each column is taken out and encoded by itself. Categories are whole numbers or strings."""
    parts = []
    for i, categories in enumerate(t.categories_):
        column = b.ml("ArrayFeatureExtractor", [x, b.constant(np.array([i], np.int64))], "column")
        names = {"cats_strings": [str(c) for c in categories]} if categories.dtype.kind in "OUS" else {
            "cats_int64s": [int(c) for c in categories]}
        hot = b.ml("OneHotEncoder", [column], "hot", zeros=int(t.handle_unknown == "ignore"), **names)
        parts.append(b.add("Reshape", [hot, b.constant(np.array([-1, len(categories)], np.int64))], "columns"))
    return b.add("Concat", parts, "encoded", axis=1) if len(parts) > 1 else parts[0]


@converts("OrdinalEncoder")
def ordinal(b, t, x, _):
    parts = []
    for i, categories in enumerate(t.categories_):
        column = b.ml("ArrayFeatureExtractor", [x, b.constant(np.array([i], np.int64))], "column")
        names = {"keys_strings": [str(c) for c in categories]} if categories.dtype.kind in "OUS" else {"keys_floats": floats(categories)}
        parts.append(b.ml("LabelEncoder", [column], "number", values_floats=floats(range(len(categories))), **names))
    return b.add("Concat", parts, "encoded", axis=1) if len(parts) > 1 else parts[0]


@converts("Pipeline")
def pipeline(b, estimator, x, n):
    outputs = [x]
    for _, step in estimator.steps:
        if step not in (None, "passthrough"):
            outputs = add(b, step, outputs[-1], n)
            n = width(step, n)
    return outputs


@converts("ColumnTransformer")
def column_transformer(b, t, x, _):
    parts = []
    for _, step, columns in t.transformers_:
        columns = np.arange(t.n_features_in_)[columns]
        if len(columns) and step != "drop":
            part = b.ml("ArrayFeatureExtractor", [x, b.constant(columns.astype(np.int64))], "columns")
            parts.append(part if step == "passthrough" else add(b, step, part, len(columns))[0])
    return b.add("Concat", parts, "features", axis=1)


def width(step, n):
    """Columns behind a step."""
    return len(step.get_feature_names_out()) if hasattr(step, "transform") and hasattr(step, "get_feature_names_out") else n
