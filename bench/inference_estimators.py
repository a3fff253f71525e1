#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Trains estimators of scikit-learn and writes them as the models that plugins/inference and ONNX Runtime are compared on:
inference_estimators.py FOLDER"""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "examples"))
import numpy as np  # noqa: E402
import onnx  # noqa: E402
from sklearn import ensemble, linear_model, svm  # noqa: E402

import sk2onnx  # noqa: E402

FEATURES, ROWS = 30, 4000


def save(folder, name, estimator, x, y):
    """The scores alone: a program that asks for one output can read it."""
    model = sk2onnx.convert(estimator.fit(x, y), x.shape[1])
    del model.graph.output[:-1]
    onnx.save(model, os.path.join(folder, name + ".onnx"))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    random = np.random.default_rng(7)
    x = random.normal(size=(ROWS, FEATURES)).astype(np.float32)
    wide = random.normal(size=(ROWS, 50)).astype(np.float32)
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + x[:, 3:] @ random.normal(size=FEATURES - 3) / 4 + random.normal(size=ROWS) / 3
    classes = np.digitize(y, np.quantile(y, [1 / 3, 2 / 3]))
    save(folder, "boosting", ensemble.GradientBoostingRegressor(n_estimators=100, max_depth=6, subsample=0.5), x, y)
    save(folder, "forest", ensemble.RandomForestClassifier(100, max_depth=6), x, classes)
    save(folder, "forest_deep", ensemble.RandomForestRegressor(100), x, y)
    save(folder, "histogram", ensemble.HistGradientBoostingClassifier(max_iter=100), x, y > 0)
    save(folder, "logistic_classes", linear_model.LogisticRegression(), wide, wide[:, 0] + wide[:, 1] > 0)
    save(folder, "logistic_3", linear_model.LogisticRegression(), wide, np.digitize(wide[:, 0], [-0.5, 0.5]))
    save(folder, "svc", svm.SVC(probability=True), x[:1000], classes[:1000])
    save(folder, "svr", svm.SVR(), x[:1000], y[:1000])


if __name__ == "__main__":
    main()
