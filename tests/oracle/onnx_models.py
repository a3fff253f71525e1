# SPDX-License-Identifier: MPL-2.0
"""Models for tests of plugins/inference, made with onnx.helper, and folders of them."""
import contextlib
import json
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from plugin import Crashed, Plugin

TYPES = {np.dtype(k): v for k, v in {
    np.float32: TensorProto.FLOAT, np.float64: TensorProto.DOUBLE, np.int64: TensorProto.INT64, np.int32: TensorProto.INT32,
    np.int16: TensorProto.INT16, np.int8: TensorProto.INT8, np.uint8: TensorProto.UINT8, np.uint16: TensorProto.UINT16,
    np.uint32: TensorProto.UINT32, np.uint64: TensorProto.UINT64, np.bool_: TensorProto.BOOL, np.float16: TensorProto.FLOAT16}.items()}


def info(name, dtype=np.float32, shape=None):
    return helper.make_tensor_value_info(name, TYPES[np.dtype(dtype)] if not isinstance(dtype, int) else dtype, shape)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split() if isinstance(inputs, str) else inputs,
                            outputs.split() if isinstance(outputs, str) else outputs, **attributes)


def model(nodes, inputs, outputs, initializers=None, opset=13, ml=0, **more):
    """inputs: infos; outputs: names or infos; initializers: {name: array}."""
    outputs = [info(o) if isinstance(o, str) else o for o in outputs]
    constants = [numpy_helper.from_array(np.asarray(a), n) for n, a in (initializers or {}).items()]
    graph = helper.make_graph(nodes, "test", inputs, outputs, constants)
    imports = [helper.make_opsetid("", opset)] if opset else []
    imports += [helper.make_opsetid("ai.onnx.ml", ml)] if ml else []
    return helper.make_model(graph, producer_name="tests", opset_imports=imports, ir_version=8, **more)


def linear(weights, bias, **more):
    """y = x W + b for any number of rows."""
    return model([node("MatMul", "x w", "xw"), node("Add", "xw b", "y")], [info("x", weights.dtype, ["rows", weights.shape[0]])],
                 [info("y", weights.dtype, ["rows", weights.shape[1]])], {"w": weights, "b": bias}, **more)


def mlp(sizes, seed=1):
    """Relu between, and its weights: [(W, b), ...]."""
    random = np.random.default_rng(seed)
    layers = [(random.normal(size=(a, b)).astype(np.float32) / np.float32(np.sqrt(a)), random.normal(size=b).astype(np.float32))
              for a, b in zip(sizes, sizes[1:])]
    nodes, at, constants = [], "x", {}
    for i, (w, b) in enumerate(layers):
        constants[f"w{i}"], constants[f"b{i}"] = w, b
        last = i == len(layers) - 1
        nodes.append(node("Gemm", [at, f"w{i}", f"b{i}"], ["y" if last else f"h{i}"], name=f"layer{i}"))
        if not last:
            nodes.append(node("Relu", f"h{i}", f"r{i}"))
            at = f"r{i}"
    made = model(nodes, [info("x", shape=["rows", sizes[0]])], [info("y", shape=["rows", sizes[-1]])], constants)
    return made, layers


def mlp_reference(layers, x):
    for w, b in layers[:-1]:
        x = np.maximum(x @ w + b, 0)
    return x @ layers[-1][0] + layers[-1][1]


def put(folder, name, made, version=None, golden=None):
    """NAME.onnx, or NAME/VERSION/model.onnx; `made` may be bytes."""
    data = made if isinstance(made, bytes) else made.SerializeToString()
    if version is None:
        path, beside = os.path.join(folder, f"{name}.onnx"), os.path.join(folder, f"{name}.golden.json")
    else:
        below = os.path.join(folder, name, str(version))
        os.makedirs(below, exist_ok=True)
        path, beside = os.path.join(below, "model.onnx"), os.path.join(below, "golden.json")
    with open(path, "wb") as f:
        f.write(data)
    if golden is not None:
        with open(beside, "w", encoding="utf-8") as f:
            f.write(golden if isinstance(golden, str) else json.dumps(golden))
    return path


@contextlib.contextmanager
def serving(folder, **options):
    with Plugin("inference", options={"folder": str(folder), **options}) as plugin:
        yield plugin


def states(plugin, **args):
    """{(name, version): what inference.models says of it}"""
    return {(m["name"], m["version"]): m for m in plugin("models", **args)["models"]}


def not_started(folder, **options):
    """What the plugin said instead of starting."""
    try:
        with Plugin("inference", options={"folder": str(folder), **options}) as plugin:
            plugin("models")
    except Crashed as e:
        return str(e)
    raise AssertionError("it started")
