# SPDX-License-Identifier: MPL-2.0
"""Random graphs beside NumPy: what shares memory, what is computed in place, what is folded must not show in any output."""
import numpy as np
import pytest

from onnx_models import info, model, node, put, serving

COLUMNS = 6


def random_graph(seed):
    """A model of many small steps with several outputs, and the same as a function of NumPy arrays."""
    random = np.random.default_rng(seed)
    constants = {"c0": random.normal(size=(1, COLUMNS)).astype(np.float32), "c1": random.normal(size=COLUMNS).astype(np.float32),
                 "c2": random.normal(size=()).astype(np.float32), "flat": np.array([-1], np.int64),
                 "matrix": np.array([-1, COLUMNS], np.int64)}
    nodes, steps, known = [], [], ["x", "z", "c0", "c1"]
    varying = ["x", "z"]
    for i in range(int(random.integers(3, 40))):
        name = f"v{i}"
        a, b = (known[int(random.integers(max(0, len(known) - 8), len(known)))] for _ in range(2))
        kind = random.choice(["Add", "Sub", "Mul", "Relu", "Neg", "Tanh", "Identity", "Reshape", "Clip", "Max", "Scaled"])
        if kind in ("Add", "Sub", "Mul", "Max"):
            nodes.append(node(kind, [a, b], [name]))
            steps.append((name, {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Max": np.maximum}[kind], (a, b)))
        elif kind == "Reshape":  # to a list and back: two renamings
            nodes.append(node("Reshape", [a, "flat"], [name + "f"]))
            nodes.append(node("Relu" if random.random() < 0.3 else "Identity", [name + "f"], [name + "g"]))
            nodes.append(node("Reshape", [name + "g", "matrix"], [name]))
            relu = nodes[-2].op_type == "Relu"
            steps.append((name, (lambda v, r=relu: np.maximum(v, 0).reshape(-1, COLUMNS) if r else v.reshape(-1, COLUMNS)), (a,)))
        elif kind == "Clip":
            nodes.append(node("Clip", [a, "", "c2"], [name]))
            steps.append((name, lambda v: np.minimum(v, constants["c2"]), (a,)))
        elif kind == "Scaled":
            nodes.append(node("Mul", [a, "c2"], [name]))
            steps.append((name, lambda v: v * constants["c2"], (a,)))
        else:
            nodes.append(node(kind, [a], [name]))
            steps.append((name, {"Relu": lambda v: np.maximum(v, 0), "Neg": np.negative, "Tanh": np.tanh, "Identity": lambda v: v}[kind], (a,)))
        known.append(name)
        varying.append(name)
    outputs = list(dict.fromkeys([known[-1]] + [str(n) for n in random.choice(varying, 4)]))

    def reference(x, z):
        values = {"x": x, "z": z, **constants}
        for name, f, args in steps:
            values[name] = f(*(values[a] for a in args)).astype(np.float32)
        return {o: values[o] for o in outputs}
    made = model(nodes, [info("x", np.float32, ["rows", COLUMNS]), info("z", np.float32, ["rows", COLUMNS])], outputs, constants)
    return made, reference


N = 150


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder, references = tmp_path_factory.mktemp("graphs"), []
    for seed in range(N):
        made, reference = random_graph(seed)
        put(folder, f"g{seed}", made)
        references.append(reference)
    with serving(folder, max_batch=4) as plugin:
        yield plugin, references


@pytest.mark.parametrize("seed", range(N))
def test_as_numpy(served, seed):
    plugin, references = served
    random = np.random.default_rng(1000 + seed)
    for rows in (1, 3, 4, 1):
        x, z = (random.normal(size=(rows, COLUMNS)).astype(np.float32) for _ in range(2))
        got = plugin("predict", model=f"g{seed}", inputs={"x": x, "z": z})["outputs"]
        wanted = references[seed](x, z)
        assert set(got) == set(wanted)
        for name, value in wanted.items():
            np.testing.assert_allclose(np.broadcast_to(got[name], value.shape) if got[name].size == value.size else got[name], value,
                                       rtol=2e-3, atol=1e-4, err_msg=f"output {name}, {rows} rows")
