#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Writes the models that plugins/inference and ONNX Runtime are compared on (build/release/tests/onnx_compare):
inference_models.py FOLDER"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(7)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def save(folder, name, nodes, constants, row, out, opset=13):
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("X", TensorProto.FLOAT, row)],
                              [helper.make_tensor_value_info("Y", TensorProto.FLOAT, out)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(folder, name + ".onnx"))


def layer(k, n):
    return (random.normal(size=(k, n)) / np.sqrt(k)).astype(np.float32), random.normal(size=n).astype(np.float32) * 0.1


def mlp(folder, name, sizes):
    nodes, constants, at = [], [], "X"
    for i, (k, n) in enumerate(zip(sizes, sizes[1:])):
        w, b = layer(k, n)
        constants += [constant(f"w{i}", w), constant(f"b{i}", b)]
        last = i == len(sizes) - 2
        nodes.append(helper.make_node("Gemm", [at, f"w{i}", f"b{i}"], ["Y" if last else f"g{i}"]))
        if not last:
            nodes.append(helper.make_node("Relu", [f"g{i}"], [f"r{i}"]))
        at = f"r{i}"
    save(folder, name, nodes, constants, ["n", sizes[0]], ["n", sizes[-1]])


def mlp_int8(folder, name, sizes):
    """Quantised as ONNX Runtime's static quantisation writes it: every tensor between QuantizeLinear and DequantizeLinear."""
    nodes, constants, at = [], [], "X"
    for i, (k, n) in enumerate(zip(sizes, sizes[1:])):
        w, b = layer(k, n)
        last = i == len(sizes) - 2
        scale = np.float32(np.abs(w).max() / 127)
        in_scale, out_scale = np.float32(6 / 127 if i == 0 else 4 / 255), np.float32(4 / 255)
        if i == 0:
            constants += [constant("xs", in_scale), constant("xz", np.uint8(128))]
            nodes += [helper.make_node("QuantizeLinear", ["X", "xs", "xz"], ["q"]),
                      helper.make_node("DequantizeLinear", ["q", "xs", "xz"], ["d"])]
            at = "d"
        constants += [constant(f"w{i}", np.clip(np.rint(w / scale), -127, 127).astype(np.int8)), constant(f"ws{i}", scale),
                      constant(f"wz{i}", np.int8(0)), constant(f"b{i}", np.rint(b / (in_scale * scale)).astype(np.int32)),
                      constant(f"bs{i}", np.float32(in_scale * scale)), constant(f"bz{i}", np.int32(0)),
                      constant(f"s{i}", out_scale), constant(f"z{i}", np.uint8(128 if last else 0))]
        nodes += [helper.make_node("DequantizeLinear", [f"w{i}", f"ws{i}", f"wz{i}"], [f"wd{i}"]),
                  helper.make_node("DequantizeLinear", [f"b{i}", f"bs{i}", f"bz{i}"], [f"bd{i}"]),
                  helper.make_node("Gemm", [at, f"wd{i}", f"bd{i}"], [f"g{i}"])]
        at = f"g{i}"
        if not last:
            nodes.append(helper.make_node("Relu", [at], [f"r{i}"]))
            at = f"r{i}"
        nodes += [helper.make_node("QuantizeLinear", [at, f"s{i}", f"z{i}"], [f"q{i}"]),
                  helper.make_node("DequantizeLinear", [f"q{i}", f"s{i}", f"z{i}"], ["Y" if last else f"d{i}"])]
        at = f"d{i}"
    save(folder, name, nodes, constants, ["n", sizes[0]], ["n", sizes[-1]])


def logistic(folder, name, features):
    w, b = layer(features, 1)
    save(folder, name, [helper.make_node("MatMul", ["X", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["a"]),
                        helper.make_node("Sigmoid", ["a"], ["Y"])], [constant("w", w), constant("b", b)], ["n", features], ["n", 1])


def recurrent(folder, name, kind, gates, inputs, units, steps):
    w = (random.normal(size=(1, gates * units, inputs)) / np.sqrt(inputs)).astype(np.float32)
    r = (random.normal(size=(1, gates * units, units)) / np.sqrt(units)).astype(np.float32)
    b = (random.normal(size=(1, 2 * gates * units)) * 0.1).astype(np.float32)
    save(folder, name, [helper.make_node(kind, ["X", "w", "r", "b"], ["", "Y"], hidden_size=units)],
         [constant("w", w), constant("r", r), constant("b", b)], [steps, "n", inputs], [1, "n", units], opset=14)


def conv1d(folder, name):
    w1, b1 = layer(8 * 5, 16)
    w2, b2 = layer(16 * 3, 16)
    w3, b3 = layer(16, 3)
    save(folder, name, [helper.make_node("Conv", ["X", "w1", "b1"], ["c1"], pads=[2, 2]), helper.make_node("Relu", ["c1"], ["r1"]),
                        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], pads=[1, 1]), helper.make_node("Relu", ["c2"], ["r2"]),
                        helper.make_node("GlobalAveragePool", ["r2"], ["p"]), helper.make_node("Flatten", ["p"], ["f"]),
                        helper.make_node("Gemm", ["f", "w3", "b3"], ["Y"])],
         [constant("w1", w1.T.reshape(16, 8, 5).copy()), constant("b1", b1), constant("w2", w2.T.reshape(16, 16, 3).copy()),
          constant("b2", b2), constant("w3", w3), constant("b3", b3)], ["n", 8, 64], ["n", 3])


def convolution(folder, name, channels_in, channels_out, kernel, space, stride=1, dilation=1, group=1):
    """One Conv with Relu, padded so that stride 1 keeps the size."""
    axes, pad = len(space), (kernel - 1) * dilation // 2
    w = random.normal(size=[channels_out, channels_in // group] + [kernel] * axes) / np.sqrt(channels_in // group * kernel**axes)
    save(folder, name, [helper.make_node("Conv", ["X", "w", "b"], ["c"], pads=[pad] * 2 * axes, strides=[stride] * axes,
                                         dilations=[dilation] * axes, group=group), helper.make_node("Relu", ["c"], ["Y"])],
         [constant("w", w.astype(np.float32)), constant("b", random.normal(size=channels_out).astype(np.float32))],
         ["n", channels_in, *space], ["n", channels_out, *((s - 1) // stride + 1 for s in space)])


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    mlp(folder, "mlp_small", [32, 64, 32, 1])
    mlp(folder, "mlp_large", [128, 256, 256, 10])
    mlp_int8(folder, "mlp_small_int8", [32, 64, 32, 1])
    mlp_int8(folder, "mlp_large_int8", [128, 256, 256, 10])
    logistic(folder, "logistic", 50)
    recurrent(folder, "lstm", "LSTM", 4, 8, 32, 50)
    recurrent(folder, "gru", "GRU", 3, 8, 32, 50)
    conv1d(folder, "conv1d")
    convolution(folder, "conv_1d", 8, 16, 5, [64])
    convolution(folder, "conv_1d_dilated", 32, 32, 3, [128], dilation=4)
    convolution(folder, "conv_1d_stride", 16, 32, 3, [100], stride=2)
    convolution(folder, "conv_1d_depth", 64, 64, 5, [100], group=64)
    convolution(folder, "conv_2d_first", 3, 16, 3, [28, 28])
    convolution(folder, "conv_2d_28", 16, 32, 3, [28, 28])
    convolution(folder, "conv_2d_14", 32, 64, 3, [14, 14])
    convolution(folder, "conv_2d_7", 64, 128, 3, [7, 7])
    convolution(folder, "conv_2d_groups", 32, 32, 3, [28, 28], group=4)
    convolution(folder, "conv_2d_depth", 64, 64, 3, [14, 14], group=64)
    convolution(folder, "conv_2d_depth_stride", 32, 32, 3, [28, 28], stride=2, group=32)


if __name__ == "__main__":
    main()
