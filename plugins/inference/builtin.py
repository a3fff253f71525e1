#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Writes builtin.h: the model that is always there, so that the plugin's functions can be proven without a folder.

    plugins/inference/builtin.py > plugins/inference/builtin.h"""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

weights = np.array([[0.5, -1.25], [2.0, 0.75], [-1.5, 3.0]], np.float32)
bias = np.array([0.125, -0.25], np.float32)
graph = helper.make_graph(
    [helper.make_node("Gemm", ["x", "weights", "bias"], ["y"], name="linear")], "builtin-linear",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 3])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2])],
    [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")])
model = helper.make_model(graph, producer_name="kiln", opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
data = model.SerializeToString()

print("""/* SPDX-License-Identifier: MPL-2.0 */
/* The model builtin-linear, y = x W + b from 3 to 2 numbers, as an ONNX file. Made by builtin.py. */
#ifndef INFERENCE_BUILTIN_H
#define INFERENCE_BUILTIN_H

#define BUILTIN_NAME "builtin-linear"

static const unsigned char builtin_model[] = {""")
for i in range(0, len(data), 16):
    print("    " + " ".join(f"{b:d}," for b in data[i:i + 16]))
print("};\n\n#endif")
