# SPDX-License-Identifier: MPL-2.0
"""Model files that are damaged or made to harm: each is refused with a sentence that names what is wrong, or works; nothing else."""
import os

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from onnx_models import info, linear, model, node, put, serving, states

W = np.array([[0.5, -1.25], [2.0, 0.75]], np.float32)
B = np.array([0.125, -0.25], np.float32)


def small():
    made = linear(W, B)
    made.graph.initializer[0].external_data  # none
    return made


def relu(**more):
    return model([node("Relu", "x", "y", name="act")], [info("x", np.float32, ["n"])], ["y"], **more)


def reasons(folder):
    """{name: why it failed, or ""} of all models in a folder."""
    with serving(folder, on_bad_model="skip") as plugin:
        found = {name: m["why"] if m["state"] == "failed" else "" for (name, _), m in states(plugin).items()}
        assert found.pop("builtin-linear") == ""
        np.testing.assert_allclose(plugin("predict", model="builtin-linear", inputs=[1, 2, 3])["outputs"]["y"], [[0.125, 9]], rtol=1e-6)
        return found


def changed(made, change):
    copy = ModelProto()
    copy.CopyFrom(made)
    change(copy)
    return copy


def with_tensor(change):
    def apply(m):
        change(m.graph.initializer[0])
    return changed(small(), apply)


def set_raw(data):
    def apply(t):
        t.raw_data = data
    return apply


def dims(*sizes):
    def apply(t):
        del t.dims[:]
        t.dims.extend(sizes)
    return apply


def no_steps(batch):
    """An LSTM over no steps of many samples: nothing to compute, but states of them all."""
    made = model([node("LSTM", "x w r", "y", name="cell", hidden_size=2)], [info("unused")], ["y"],
                 {"x": np.zeros((0, 1, 1), np.float32), "w": np.zeros((1, 8, 1), np.float32), "r": np.zeros((1, 8, 2), np.float32)})
    dims(0, batch, 1)(made.graph.initializer[0])
    return made


def external(**entries):
    def apply(t):
        t.ClearField("raw_data")
        t.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            t.external_data.add(key=key, value=str(value))
    return apply


def subgraph():
    inner = helper.make_graph([node("Identity", "x", "z")], "inner", [], [info("z")])
    return model([node("If", "c", "y", then_branch=inner, else_branch=inner)], [info("c", np.bool_, []), info("x")], ["y"])


def typed(field, values, data_type, count):
    def apply(t):
        t.ClearField("raw_data")
        t.data_type = data_type
        del t.dims[:]
        t.dims.append(count)
        getattr(t, field).extend(values)
    return apply


def sequence_input(m):
    m.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = 1


def functions(m):
    m.graph.node[0].domain = "my.functions"


BAD = {
    "empty": (b"", "not an ONNX model: its 0 bytes cannot be parsed"),
    "noise": (bytes(np.random.default_rng(1).integers(0, 256, 4000, np.uint8)), "not an ONNX model"),
    "no-graph": (ModelProto(ir_version=8).SerializeToString(), "not an ONNX model: it has no graph"),
    "json": (b'{"model": 1}', "not an ONNX model"),
    "cycle": (model([node("Add", "x b", "a", name="first"), node("Relu", "a", "b", name="second")], [info("x")], ["b"]),
              "depends on itself: the graph has a cycle"),
    "self": (model([node("Add", "x y", "y", name="loop")], [info("x")], ["y"]), 'node "loop" (Add) depends on itself'),
    "dangling": (model([node("Add", "x nowhere", "y", name="sum")], [info("x")], ["y"]),
                 'node "sum" (Add): its input "nowhere" is made by no node'),
    "dangling-output": (model([node("Relu", "x", "y")], [info("x")], ["z"]), 'output "z" is made by no node'),
    "no-outputs": (model([node("Relu", "x", "y")], [info("x")], []), "the graph has no outputs"),
    "output-twice": (model([node("Relu", "x", "y")], [info("x")], ["y", "y"]), 'output "y" is listed twice'),
    "made-twice": (model([node("Relu", "x", "y"), node("Neg", "x", "y")], [info("x")], ["y"]),
                   'node 1 (Neg): output "y": the name is taken'),
    "input-twice": (model([node("Relu", "x", "y")], [info("x"), info("x")], ["y"]), 'input "x": the name is taken'),
    "input-made": (model([node("Relu", "x", "x")], [info("x")], ["x"]), 'output "x": the name is taken'),
    "initializer-made": (model([node("Relu", "x", "w")], [info("x")], ["w"], {"w": W}), 'output "w": the name is taken'),
    "initializer-twice": (changed(small(), lambda m: m.graph.initializer.add().CopyFrom(m.graph.initializer[0])),
                          'initializer "w": the name is taken'),
    "initializer-nameless": (with_tensor(lambda t: t.ClearField("name")), "has no name"),
    "unknown-op": (model([node("Explode", "x", "y", name="boom")], [info("x")], ["y"]), 'node 0 "boom" (Explode): this operator is not known'),
    "no-op-type": (model([node("", "x", "y", name="boom")], [info("x")], ["y"]), 'node 0 "boom" (): this operator is not known'),
    "unknown-domain": (model([node("Relu", "x", "y", name="r", domain="com.example")], [info("x")], ["y"]),
                       'node 0 "r" (Relu): the domain "com.example" is not known'),
    "function": (changed(relu(), functions), 'the domain "my.functions" is not known'),
    "future": (relu(opset=999), "made for version 999 of ai.onnx, expected 1 to "),
    "future-ml": (relu(ml=77), "made for version 77 of ai.onnx.ml, expected 1 to "),
    "opset-zero": (changed(relu(), lambda m: setattr(m.opset_import[0], "version", -5)), "made for version -5"),
    "old": (changed(model([node("Add", "x x", "y", name="sum")], [info("x")], ["y"]), lambda m: setattr(m.opset_import[0], "version", 6)),
            'node 0 "sum" (Add): known since opset 7, the model was made for 6'),
    "no-opset": (relu(opset=0), "does not say which version of ai.onnx it was made for"),
    "ml-not-imported": (model([node("Scaler", "x", "y", name="s", domain="ai.onnx.ml")], [info("x")], ["y"]),
                        "does not say which version of ai.onnx.ml"),
    "too-few-inputs": (model([node("Add", "x", "y", name="sum")], [info("x")], ["y"]), 'node 0 "sum" (Add) has 1 inputs, expected 2 to 2'),
    "too-many-inputs": (model([node("Relu", "x x", "y", name="r")], [info("x")], ["y"]), 'node 0 "r" (Relu) has 2 inputs, expected 1 to 1'),
    "too-many-outputs": (model([node("Relu", "x", "y z", name="r")], [info("x")], ["y"]), 'has 2 outputs, expected 1 to 1'),
    "absent-input": (model([node("Add", ["x", ""], "y", name="sum")], [info("x")], ["y"]), 'node "sum" (Add): input 1 is not given'),
    "attribute-type": (model([node("LeakyRelu", "x", "y", name="leak", alpha="much")], [info("x", np.float32, ["n"])], ["y"]),
                       'node "leak" (LeakyRelu): attribute alpha is a string, expected a float'),
    "attribute-twice": (changed(model([node("LeakyRelu", "x", "y", alpha=0.5)], [info("x")], ["y"]),
                                lambda m: m.graph.node[0].attribute.add().CopyFrom(m.graph.node[0].attribute[0])),
                        "attribute alpha is given twice"),
    "subgraph": (subgraph(), "If"),
    "raw-short": (with_tensor(set_raw(W.tobytes()[:-1])), 'initializer "w": float32[2,2] has 15 bytes of raw_data, expected 16'),
    "raw-long": (with_tensor(set_raw(W.tobytes() + b"x")), "has 17 bytes of raw_data, expected 16"),
    "no-data": (with_tensor(lambda t: t.ClearField("raw_data")), "has 0 elements of float_data, expected 4"),
    "huge-dims": (with_tensor(dims(2**62, 2**62)), "a dimension is negative, or the product of all is too large"),
    "huge-product": (with_tensor(dims(2**31, 2**31, 0)), "the product of all is too large"),
    "large-dims": (with_tensor(dims(2**30, 4)), "has 16 bytes of raw_data, expected 17179869184"),
    "negative-dim": (with_tensor(dims(-2, -2)), "a dimension is negative"),
    "rank": (with_tensor(dims(1, 1, 1, 1, 1, 1, 1, 2, 2)), "9 dimensions, at most 8"),
    "type-complex": (with_tensor(lambda t: setattr(t, "data_type", 14)), "element type 14"),
    "type-none": (with_tensor(lambda t: setattr(t, "data_type", 0)), "element type 0"),
    "type-negative": (with_tensor(lambda t: setattr(t, "data_type", -1)), "element type -1"),
    "type-huge": (with_tensor(lambda t: setattr(t, "data_type", 2**31 - 1)), "element type 2147483647"),
    "int32-range": (with_tensor(typed("int32_data", [300, 1, 1, 1], TensorProto.UINT8, 4)), "element 0 is 300, which is no uint8"),
    "uint32-range": (with_tensor(typed("uint64_data", [1, 2**32], TensorProto.UINT32, 2)), "element 1 is no uint32"),
    "int64-count": (with_tensor(typed("int64_data", [1, 2, 3], TensorProto.INT64, 2)), "has 3 elements of int64_data, expected 2"),
    "sparse": (changed(small(), lambda m: m.graph.sparse_initializer.add()), "sparse initializers"),
    "input-sequence": (changed(relu(), sequence_input), 'input "x" is a sequence, expected a tensor'),
    "input-typeless": (changed(relu(), lambda m: m.graph.input[0].ClearField("type")), 'input "x" is of no type'),
    "input-complex": (model([node("Relu", "x", "y")], [info("x", TensorProto.COMPLEX64, ["n"])], ["y"]), "has element type 14"),
    "input-rank": (model([node("Relu", "x", "y")], [info("x", np.float32, [1] * 9)], ["y"]), "has 9 dimensions, at most 8"),
    "shapes": (model([node("Add", "x c", "y", name="sum")], [info("x", np.float32, ["n", 3])], ["y"], {"c": W}), 'node "sum" (Add): '),
    "constant-fold": (model([node("Add", "c d", "e", name="sum"), node("Add", "x e", "y")], [info("x")], ["y"],
                            {"c": np.ones((2, 3), np.float32), "d": np.ones((4, 5), np.float32)}), 'node "sum" (Add): '),
    "no-steps": (no_steps(2**57), 'node "cell" (LSTM): gates of more than 2^58 elements'),
    "external-none": (with_tensor(external()), "its data is external, but no location is given"),
    "external-missing": (with_tensor(external(location="nowhere.bin")), 'its data is in "nowhere.bin", which No such file'),
    "external-up": (with_tensor(external(location="../outside.bin")), "is not inside of the model's folder"),
    "external-up-later": (with_tensor(external(location="sub/../../outside.bin")), "is not inside of the model's folder"),
    "external-absolute": (with_tensor(external(location="/etc/passwd")), "is not inside of the model's folder"),
    "external-link": (with_tensor(external(location="link.bin")), "is not inside of the model's folder"),
    "external-link-folder": (with_tensor(external(location="linked/outside.bin")), 'its data is in "linked/outside.bin", which'),
    "external-pipe": (with_tensor(external(location="pipe")), "which is no ordinary file"),
    "external-folder": (with_tensor(external(location="sub")), "which is no ordinary file"),
    "external-short": (with_tensor(external(location="w.bin", offset=60)), '16 bytes from 60 of "w.bin", which has 64 bytes'),
    "external-far": (with_tensor(external(location="w.bin", offset=2**62)), "which has 64 bytes"),
    "external-negative": (with_tensor(external(location="w.bin", offset=-4)), 'the offset of its external data is "-4"'),
    "external-words": (with_tensor(external(location="w.bin", length="all")), 'the length of its external data is "all"'),
    "external-length": (with_tensor(external(location="w.bin", length=15)), "is said to be 15 bytes from 0, expected 16"),
    "external-empty": (with_tensor(external(location="")), "is not inside of the model's folder"),
    "external-long": (with_tensor(external(location="a/" * 5000)), "is not inside of the model's folder"),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "models"
    os.makedirs(folder / "sub")
    (outside / "outside.bin").write_bytes(bytes(64))
    (folder / "w.bin").write_bytes(bytes(64))
    os.symlink("../outside.bin", folder / "link.bin")
    os.symlink("..", folder / "linked")
    os.mkfifo(folder / "pipe")
    for name, (made, _) in BAD.items():
        put(folder, name, made)
    return reasons(folder)


@pytest.mark.parametrize("name", sorted(BAD))
def test_refused_with_a_reason(refused, name):
    assert BAD[name][1] in refused[name], f"{name}: it said {refused[name]!r}"


def test_external_data(tmp_path):
    w = np.arange(4, dtype=np.float32).reshape(2, 2)
    os.makedirs(tmp_path / "sub")
    (tmp_path / "sub" / "w.bin").write_bytes(bytes(24) + w.tobytes() + bytes(7))
    put(tmp_path, "m", with_tensor(external(location="sub/w.bin", offset=24, length=16)))
    with serving(tmp_path) as plugin:
        np.testing.assert_allclose(plugin("predict", model="m", inputs=[1, 10])["outputs"]["y"], [[1, 10] @ w + B])


def test_order_of_nodes_does_not_matter(tmp_path):
    nodes = [node("Neg", "c", "y"), node("Add", "b b", "c"), node("Relu", "x", "b"), node("Explode" if False else "Abs", "x", "unused")]
    put(tmp_path, "m", model(nodes, [info("x", np.float32, ["n"])], ["y"]))
    with serving(tmp_path) as plugin:
        assert list(plugin("predict", model="m", inputs=[1, -2, 3])["outputs"]["y"]) == [-2, 0, -6]
        assert plugin("describe_model", model="m")["ops"].get("Abs") is None  # nobody needs it


def test_all_ways_to_write_a_constant(tmp_path):
    """Typed fields and raw data of all element types."""
    for name, dtype in (("f4", np.float32), ("f8", np.float64), ("i8", np.int64), ("i4", np.int32), ("i2", np.int16), ("i1", np.int8),
                        ("u1", np.uint8), ("u2", np.uint16), ("u4", np.uint32), ("u8", np.uint64), ("b1", np.bool_), ("f2", np.float16)):
        values = np.array([0, 1, 1, 0, 1] if dtype == np.bool_ else [0, 1, 2, 100, 7], dtype)
        tensor = numpy_helper.from_array(values, "c")
        kind = tensor.data_type
        bits = values.view(np.uint16).tolist() if dtype == np.float16 else values.tolist()
        fields = {TensorProto.FLOAT: "float_data", TensorProto.DOUBLE: "double_data", TensorProto.INT64: "int64_data",
                  TensorProto.UINT32: "uint64_data", TensorProto.UINT64: "uint64_data"}
        other = TensorProto(name="c", data_type=kind, dims=[5])
        getattr(other, fields.get(kind, "int32_data")).extend(bits)
        for suffix, t in (("raw", tensor), ("typed", other)):
            made = model([node("Identity", "c", "y")], [], [info("y", kind)])
            made.graph.initializer.add().CopyFrom(t)
            put(tmp_path, f"{name}-{suffix}", made, golden={"inputs": {}, "outputs": {"y": [float(v) for v in values]}, "rtol": 0, "atol": 0})
    with serving(tmp_path) as plugin:
        assert len(states(plugin)) == 25


def truncations():
    data = small().SerializeToString()
    return {f"cut-{n}": data[:n] for n in range(len(data))}, data


def flips():
    random, data, found = np.random.default_rng(7), small().SerializeToString(), {}
    for i in range(len(data)):
        for bit in random.choice(8, 3, replace=False):
            damaged = bytearray(data)
            damaged[i] ^= 1 << bit
            found[f"flip-{i}-{bit}"] = bytes(damaged)
    return found


def test_truncated_at_every_byte(tmp_path):
    cut, _ = truncations()
    for name, data in cut.items():
        put(tmp_path, name, data)
    found = reasons(tmp_path)
    # Where a cut falls between two fields the rest may be a model by itself, or lack what comes last (the opset).
    assert set(found) == set(cut)
    assert sum(bool(why) for why in found.values()) >= len(cut) - 3
    assert found["cut-100"].startswith("not an ONNX model")


def test_every_byte_damaged(tmp_path):
    damaged = flips()
    for name, data in damaged.items():
        put(tmp_path, name, data)
    found = reasons(tmp_path)
    assert set(found) == set(damaged)
    assert all(len(why) > 20 for why in found.values() if why)
    assert sum(bool(why) for why in found.values()) > len(found) // 4


def test_a_file_that_claims_much_takes_little(tmp_path):
    """Many empty messages: each is two bytes in the file and a hundred in memory. The budget ends it."""
    data = small().SerializeToString() + b"\x3a\x82\x80\x80\x04" + b"\x0a\x00" * (1 << 22) + b"\x0a\x00"
    put(tmp_path, "m", data)
    with serving(tmp_path, on_bad_model="skip", cache_mb=64, pinned="") as plugin:
        refused = plugin.refused("predict", model="m", inputs=[1, 2])
        assert refused.status in ("failed", "resource", "invalid")
        cache = plugin("models")["cache"]
        assert cache["used_bytes"] < 1 << 20


def test_a_deep_chain_and_a_wide_fan(tmp_path):
    n = 20000
    chain = [node("Neg", f"v{i}", f"v{i + 1}") for i in range(n)]
    put(tmp_path, "deep", model(chain, [info("v0", np.float32, ["n"])], [f"v{n}"]))
    put(tmp_path, "deep-backwards", model(chain[::-1], [info("v0", np.float32, ["n"])], [f"v{n}"]))
    fan = [node("Neg", "x", f"a{i}") for i in range(3000)] + [node("Sum", [f"a{i}" for i in range(3000)], "y")]
    put(tmp_path, "wide", model(fan, [info("x", np.float32, ["n"])], ["y"]))
    put(tmp_path, "nested", b"\x3a\xff\xff\x03" * 3000)
    with serving(tmp_path, on_bad_model="skip", max_batch=1) as plugin:
        for name in ("deep", "deep-backwards"):
            assert list(plugin("predict", model=name, inputs=[1.5, -2])["outputs"][f"v{n}"]) == [1.5, -2]
        assert list(plugin("predict", model="wide", inputs=[1.5, -2])["outputs"]["y"]) == [-4500, 6000]


def test_outputs_that_grow_beyond_the_budget(tmp_path):
    put(tmp_path, "m", model([node("ConstantOfShape", "n", "c"), node("Neg", "c", "y")], [info("n", np.int64, [2])], ["y"]))
    with serving(tmp_path, cache_mb=64) as plugin:
        assert plugin("predict", model="m", inputs={"n": [3, 2]})["outputs"]["y"].shape == (3, 2)
        for shape in ([2**20, 2**20], [2**40, 2**40], [2**62, 2], [-1, 3]):
            refused = plugin.refused("predict", model="m", inputs={"n": shape})
            assert refused.status in ("resource", "invalid"), refused
        assert plugin("predict", model="m", inputs={"n": [3, 2]})["outputs"]["y"].shape == (3, 2)
