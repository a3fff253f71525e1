# SPDX-License-Identifier: MPL-2.0
"""ONNX's own tests of single operators (Debian: libonnx-testdata), sorted by whether their operators are in scope, and run by
build/MODE/tests/onnx_nodes. Used by test_onnx_nodes.py and tools/onnx-nodes."""
import collections
import os
import subprocess

import onnx

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODE = os.environ.get("KILN_MODE", "release")
BUILD = os.environ.get("KILN_BUILD", os.path.join(ROOT, "build", MODE))
DATA = os.environ.get("KILN_ONNX_DATA", "/usr/share/libonnx-testdata/data/node")

# Out of scope: images (Resize and Upsample are in), strings, sequences, training losses and optimisers, control flow, random numbers.
OUT = set("""
    StringNormalizer TfIdfVectorizer
    SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap SplitToSequence ConcatFromSequence
    Optional OptionalGetElement OptionalHasElement
    If Loop Scan
    Adagrad Adam Momentum Gradient NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss
    Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike
    RoiAlign MaxRoiPool GridSample NonMaxSuppression CenterCropPad ImageDecoder AffineGrid Col2Im DeformConv
    """.split())
TEXT_TYPES = {onnx.TensorProto.STRING}

Case = collections.namedtuple("Case", "name folder operators in_scope")


def operator_of(name, operators):
    """The operator that a test is about; tests of an expanded function are about the function, but made of others."""
    return operators[0] if len(operators) == 1 else name.removeprefix("test_").split("_")[0] + " (expanded)"


def in_scope(name, model):
    graph = model.graph
    if any(n.op_type in OUT or n.domain not in ("", "ai.onnx", "ai.onnx.ml") for n in graph.node):
        return False
    if any(word in name for word in ("_sce_", "_nllloss_", "_sequence_")):
        return False
    for value in list(graph.input) + list(graph.output):
        if value.type.WhichOneof("value") != "tensor_type" or value.type.tensor_type.elem_type in TEXT_TYPES:
            return False
    return True


def cases():
    found = []
    for name in sorted(os.listdir(DATA)):
        folder = os.path.join(DATA, name)
        model = onnx.load(os.path.join(folder, "model.onnx"))
        operators = list(dict.fromkeys(n.op_type for n in model.graph.node))
        found.append(Case(name, folder, operator_of(name, operators), in_scope(name, model)))
    return found


def run(wanted):
    """{name: "ok" or what was said}. A folder that ends the program is "crashed", and the others are run without it."""
    results, left = {}, list(wanted)
    program = os.path.join(BUILD, "tests", "onnx_nodes")
    while left:
        done = subprocess.run([program], input="".join(c.folder + "\n" for c in left), capture_output=True, text=True,
                              errors="replace", timeout=600)
        lines = done.stdout.splitlines()
        results.update({c.name: line for c, line in zip(left, lines)})
        left = left[len(lines):]
        if left:
            results[left[0].name] = f"crashed: {done.returncode} {done.stderr[-3000:]}"
            left = left[1:]
        elif done.returncode:
            results["the program"] = f"ended with {done.returncode}: {done.stderr[-3000:]}"
    return results
