# SPDX-License-Identifier: MPL-2.0
"""Single operators beside NumPy over random shapes - none, empty, up to six axes - all types, NaN and infinities. Every case is
a folder as ONNX's own tests are, all are run by one process; inputs are once given at run time and once constants of the model,
so that folding and the shapes that follow from elements are seen too."""
import os
import subprocess

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import onnx_nodes
from onnx_models import TYPES, info
from onnx_nodes import BUILD

WHOLE = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
REAL = [np.float32, np.float64]
NAN = float("nan")


def rng(*seed):
    return np.random.default_rng([7919, *seed])


class Cases:
    """Folders of one test, and their run."""

    def __init__(self, path):
        self.path, self.folders = path, []

    def add(self, op, inputs, outputs, opset=17, constant=(), **attributes):
        """inputs: arrays, None where absent; constant: which of them are in the model. outputs: arrays, None where not wanted."""
        folder = self.path / f"{op}-{len(self.folders)}"
        data = folder / "test_data_set_0"
        data.mkdir(parents=True)
        inputs = [None if v is None else np.asarray(v) for v in inputs]
        outputs = [None if v is None else np.asarray(v) for v in outputs]
        names = ["" if v is None else f"x{i}" for i, v in enumerate(inputs)]
        results = ["" if v is None else f"y{i}" for i, v in enumerate(outputs)]
        node = helper.make_node(op, names, results, **attributes)

        def infos(kind, values, without=()):
            return [info(f"{kind}{i}", v.dtype, v.shape) for i, v in enumerate(values) if v is not None and i not in without]
        graph = helper.make_graph([node], op, infos("x", inputs, constant), infos("y", outputs),
                                  [numpy_helper.from_array(np.ascontiguousarray(inputs[i]).reshape(inputs[i].shape), f"x{i}") for i in constant])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        for kind, values in (("input", [v for i, v in enumerate(inputs) if v is not None and i not in constant]),
                             ("output", [v for v in outputs if v is not None])):
            for i, v in enumerate(values):
                (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(np.ascontiguousarray(v).reshape(v.shape)).SerializeToString())
        self.folders.append(str(folder))

    def run(self, tolerance=1e-6):
        assert self.folders
        done = subprocess.run([os.path.join(BUILD, "tests", "onnx_nodes"), str(tolerance)], input="".join(f + "\n" for f in self.folders),
                              capture_output=True, text=True, errors="replace", timeout=300)
        said = list(zip(self.folders, done.stdout.splitlines()))
        assert len(said) == len(self.folders), f"ended at {self.folders[len(said)]}: {done.stderr[-3000:]}"
        assert done.returncode == 0, done.stderr[-3000:]
        return said

    def check(self, tolerance=1e-6):
        wrong = [f"{os.path.basename(f)}: {line}" for f, line in self.run(tolerance) if line != "ok"]
        assert not wrong, "\n".join(wrong[:20])


@pytest.fixture
def cases(tmp_path):
    return Cases(tmp_path)


def shapes(random, rank=None):
    """A shape, and another that broadcasts with it."""
    rank = int(random.integers(0, 7)) if rank is None else rank
    full = [int(random.choice([1, 2, 3, 5, 17] if rank < 4 else [1, 2, 3])) for _ in range(rank)]
    if rank and random.random() < 0.1:
        full[int(random.integers(rank))] = 0
    one, other = ([d if random.random() < 0.6 else 1 for d in full] for _ in range(2))
    return one[int(random.integers(rank + 1)) if random.random() < 0.3 else 0:], other


def values(random, shape, dtype, special=True):
    dtype = np.dtype(dtype)
    if dtype == bool:
        return random.random(shape) < 0.5
    if dtype.kind in "iu":
        v = np.asarray(random.integers(-6 if dtype.kind == "i" else 0, 7, shape)).astype(dtype)
        if special and v.size > 3:
            v.flat[random.integers(v.size, size=2)] = [np.iinfo(dtype).min, np.iinfo(dtype).max]
        return v
    v = np.asarray(random.normal(size=shape) * 3).astype(dtype)
    if special and v.size > 4:
        v.flat[random.integers(v.size, size=3)] = [NAN, np.inf, -np.inf]
    return v


def quietly(f, *args):
    with np.errstate(all="ignore"):
        return f(*args)


def whole_quotient(x, y):
    """Towards 0; by 0 it is 0; the least number by -1 is itself."""
    info = np.iinfo(x.dtype)
    def one(a, b):
        a, b = int(a), int(b)
        q = 0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return info.min if q > info.max else q
    return np.vectorize(one, otypes=[x.dtype])(x, y) if np.broadcast(x, y).size else np.broadcast_to(x + y, np.broadcast(x, y).shape)


ARITHMETIC = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Max": np.maximum, "Min": np.minimum}


@pytest.mark.parametrize("op", [*ARITHMETIC, "Div"])
def test_arithmetic_broadcasts(cases, op):
    for i in range(90):
        random = rng(i, len(op))
        dtype = np.dtype((WHOLE + REAL + REAL)[i % 12])
        a, b = (values(random, s, dtype) for s in shapes(random))
        f = ARITHMETIC.get(op) or (np.divide if dtype.kind == "f" else whole_quotient)
        wanted = np.asarray(quietly(f, a, b)).astype(dtype)
        cases.add(op, [a, b], [wanted], constant=[(), (0,), (1,), (0, 1)][i % 4])
    cases.check(0)


def test_more_than_two_inputs(cases):
    for i in range(40):
        random = rng(i)
        full = shapes(random)[1]
        arrays = [values(random, [d if random.random() < 0.7 else 1 for d in full], np.float32, special=False) for _ in range(1 + i % 4)]
        for op, f in (("Sum", lambda: sum(arrays)), ("Max", lambda: np.maximum.reduce(np.broadcast_arrays(*arrays))),
                      ("Mean", lambda: (sum(arrays) / np.float32(len(arrays))))):
            cases.add(op, arrays, [np.asarray(f()).astype(np.float32)])
    cases.check(1e-5)


def test_remainders(cases):
    for i, dtype in enumerate(WHOLE * 2):
        random = rng(i)
        a, b = (values(random, s, dtype) for s in shapes(random, 3))
        b = np.where(b == -1, 2, b).astype(dtype)
        cases.add("Mod", [a, b], [quietly(np.mod, a, b).astype(dtype)])
        cases.add("Mod", [a, b], [quietly(np.fmod, a, b).astype(dtype)], fmod=1)
    least = np.iinfo(np.int32).min
    a, b = np.array([least, least, 7, -7], np.int32), np.array([-1, 0, 0, -1], np.int32)
    cases.add("Mod", [a, b], [np.zeros(4, np.int32)])
    cases.add("Div", [a, b], [np.array([least, 0, 0, 7], np.int32)])
    for dtype in REAL:
        a, b = values(rng(3), [40], dtype), values(rng(4), [40], dtype)
        cases.add("Mod", [a, b], [quietly(np.fmod, a, b)], fmod=1)
    cases.check(0)


def test_powers(cases):
    for i, (base, exponent) in enumerate((b, e) for b in (np.float32, np.float64, np.int32, np.int64) for e in (np.float32, np.int64, np.int8)):
        a, b = np.arange(1, 7).astype(base), np.arange(6)[::-1].astype(exponent)
        cases.add("Pow", [a, b], [np.power(a.astype(np.float64), b.astype(np.float64)).astype(base)], opset=15)
    for exponent in (0.5, 1, 2, 3, -1, 0):
        a = np.abs(values(rng(5), [3, 4], np.float32, special=False)) + np.float32(0.1)
        for constant in ((), (1,)):
            cases.add("Pow", [a, np.float32(exponent)], [np.power(a, np.float32(exponent))], constant=constant)
    cases.add("Pow", [np.array([2, 1, -1, -1, 0, 3], np.int64), np.array([-1, -5, -5, -4, -1, 40], np.int64)], [np.array([0, 1, -1, 1, 0, 3**40 - 2**64 if 3**40 >= 2**63 else 3**40], np.int64)])
    cases.check(1e-5)


COMPARISONS = {"Equal": np.equal, "Less": np.less, "Greater": np.greater, "LessOrEqual": np.less_equal, "GreaterOrEqual": np.greater_equal}


def test_comparisons(cases):
    for k, (op, f) in enumerate(COMPARISONS.items()):
        for i, dtype in enumerate(WHOLE + REAL):
            random = rng(i, k)
            a, b = (values(random, s, dtype) for s in shapes(random))
            cases.add(op, [a, b], [np.asarray(f(a, b))], opset=16)
    for op, f in (("And", np.logical_and), ("Or", np.logical_or), ("Xor", np.logical_xor), ("Equal", np.equal)):
        a, b = (values(rng(1), s, bool) for s in shapes(rng(2), 4))
        cases.add(op, [a, b], [f(a, b)])
    cases.check(0)


def test_where(cases):
    for i, dtype in enumerate((WHOLE + REAL + [bool]) * 3):
        random = rng(i)
        a, b = shapes(random)
        full = np.broadcast_shapes(a, b)
        c = [d if random.random() < 0.6 else 1 for d in full]
        c, a, b = values(random, c, bool), values(random, a, dtype), values(random, b, dtype)
        cases.add("Where", [c, a, b], [np.where(c, a, b)])
    cases.check(0)


FUNCTIONS = {"Abs": np.abs, "Neg": np.negative, "Sign": np.sign, "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Reciprocal": np.reciprocal,
             "Floor": np.floor, "Ceil": np.ceil, "Round": np.rint, "Sin": np.sin, "Cos": np.cos, "Tan": np.tan, "Asin": np.arcsin,
             "Acos": np.arccos, "Atan": np.arctan, "Sinh": np.sinh, "Cosh": np.cosh, "Asinh": np.arcsinh, "Acosh": np.arccosh,
             "Atanh": np.arctanh, "Tanh": np.tanh, "IsNaN": np.isnan, "IsInf": np.isinf, "Relu": lambda x: np.maximum(x, 0),
             "Sigmoid": lambda x: 1 / (1 + np.exp(-x)), "Softsign": lambda x: np.where(np.isinf(x), x * 0, x / (1 + np.abs(x)))}


def test_functions_of_one_number(cases):
    for k, (op, f) in enumerate(FUNCTIONS.items()):
        for i, dtype in enumerate(REAL * 2):
            random = rng(i, k)
            x = values(random, shapes(random)[1], dtype, special=op != "Softsign")
            cases.add(op, [x], [np.asarray(quietly(f, x)).astype(bool if op.startswith("Is") else dtype)])
        if op in ("Abs", "Neg", "Sign", "Relu"):
            for dtype in [d for d in WHOLE if op in ("Abs", "Sign") or np.dtype(d).kind == "i"]:
                x = values(rng(k), [13], dtype)
                cases.add(op, [x], [f(x).astype(dtype)], opset=14)
    cases.check(2e-6)


def test_clip(cases):
    for i, dtype in enumerate((WHOLE + REAL) * 2):
        x = values(rng(i), [4, 5], dtype)
        low, high = np.array(1, dtype), np.array(4, dtype)
        cases.add("Clip", [x, low, high], [np.clip(x, low, high)], opset=13, constant=(1, 2) if i % 2 else ())
        cases.add("Clip", [x, None, high], [np.minimum(x, high)], opset=13)
        cases.add("Clip", [x, low], [np.maximum(x, low)], opset=13)
        cases.add("Clip", [x, high, low], [np.where(np.isnan(x), x, low)], opset=13)  # no such range: the upper bound holds
    x = values(rng(1), [9], np.float32)
    cases.add("Clip", [x], [np.clip(x, -1, 2)], opset=7, min=-1.0, max=2.0)
    cases.check(0)


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def test_softmax(cases):
    for i in range(40):
        random = rng(i)
        rank = int(random.integers(1, 5))
        x = values(random, [int(d) for d in random.integers(1, 40 if rank < 3 else 6, rank)], REAL[i % 2], special=False)
        axis = int(random.integers(-rank, rank))
        y = softmax(x, axis)
        cases.add("Softmax", [x], [y], axis=axis)
        cases.add("LogSoftmax", [x], [x - x.max(axis=axis, keepdims=True) - np.log(np.exp(x - x.max(axis=axis, keepdims=True)).sum(axis=axis, keepdims=True))], axis=axis)
        flat = x.reshape(int(np.prod(x.shape[:axis % rank])), -1)
        cases.add("Softmax", [x], [softmax(flat, 1).reshape(x.shape)], opset=11, axis=axis % rank)
        hard = np.eye(x.shape[axis], dtype=x.dtype)[np.argmax(x, axis)]
        cases.add("Hardmax", [x], [np.moveaxis(hard, -1, axis)], axis=axis)
    cases.check(5e-6)


REDUCTIONS = {"ReduceSum": np.sum, "ReduceMean": np.mean, "ReduceMax": np.max, "ReduceMin": np.min, "ReduceProd": np.prod,
              "ReduceL1": lambda x, **k: np.abs(x).sum(**k), "ReduceL2": lambda x, **k: np.sqrt((x * x).sum(**k)),
              "ReduceSumSquare": lambda x, **k: (x * x).sum(**k), "ReduceLogSum": lambda x, **k: np.log(x.sum(**k)),
              "ReduceLogSumExp": lambda x, **k: np.log(np.exp(x).sum(**k))}


@pytest.mark.parametrize("op", REDUCTIONS)
def test_reductions(cases, op):
    for i in range(60):
        random = rng(i, len(op))
        rank = int(random.integers(0, 7))
        shape = [int(d) for d in random.integers(1, 6, rank)]
        if i % 12 == 11 and rank and op in ("ReduceSum", "ReduceProd"):
            shape[int(random.integers(rank))] = 0
        axes = sorted(int(a) for a in random.permutation(rank)[:int(random.integers(0, rank + 1))])
        dtype = np.dtype([np.float32, np.float64, np.int64, np.int32][i % 4])
        if dtype.kind == "i" and op in ("ReduceMean", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"):
            dtype = np.dtype(np.float32)
        x = values(random, shape, dtype, special=False)
        x = np.abs(x) + dtype.type(1) if op == "ReduceLogSum" else x
        keep = int(random.integers(2))
        wide = x if dtype.kind == "i" else x.astype(np.float64)
        wanted = np.asarray(quietly(lambda: REDUCTIONS[op](wide, axis=tuple(axes) if axes else None, keepdims=bool(keep)))).astype(dtype)
        if op == "ReduceSum":
            cases.add(op, [x, np.array(axes, np.int64)], [wanted], keepdims=keep, constant=(1,) if i % 2 else ())
        else:
            cases.add(op, [x], [wanted], keepdims=keep, **({"axes": [a - rank if i % 3 else a for a in axes]} if axes else {}))
    cases.check(1e-6)


def test_reductions_of_what_is_long_or_not_a_number(cases):
    x = values(rng(1), [3, 100_003], np.float32, special=False) + np.float32(1000)
    cases.add("ReduceSum", [x, np.array([1], np.int64)], [x.astype(np.float64).sum(1, keepdims=True).astype(np.float32)])
    cases.add("ReduceMean", [x.T.copy()], [x.T.astype(np.float64).mean(0, keepdims=True).astype(np.float32)], axes=[0])
    wide = values(rng(2), [5, 3000], np.float32)
    wide[0, 0] = NAN
    for op, f in (("ReduceMax", np.max), ("ReduceMin", np.min)):
        cases.add(op, [wide], [f(wide, axis=0, keepdims=True)], axes=[0])
        cases.add(op, [wide], [f(wide, axis=1, keepdims=True)], axes=[1])
    big = np.array([[1000, 1000.5], [-np.inf, -np.inf], [np.inf, 1]], np.float64)
    cases.add("ReduceLogSumExp", [big], [np.array([1000 + np.log(1 + np.exp(0.5)), -np.inf, np.inf])], axes=[1], keepdims=0)
    cases.check(1e-7)


def test_arguments_of_extremes_and_sums_so_far(cases):
    for i in range(40):
        random = rng(i)
        rank = int(random.integers(1, 5))
        x = values(random, [int(d) for d in random.integers(1, 7, rank)], [np.float32, np.int32, np.uint8, np.float64][i % 4])
        axis, keep = int(random.integers(-rank, rank)), int(random.integers(2))
        for op, f in (("ArgMax", np.argmax), ("ArgMin", np.argmin)):
            wanted = f(x, axis)
            cases.add(op, [x], [np.expand_dims(wanted, axis) if keep else wanted], axis=axis, keepdims=keep)
            if not np.isnan(x.astype(np.float64)).any():
                last = x.shape[axis] - 1 - f(np.flip(x, axis), axis)
                cases.add(op, [x], [last], axis=axis, keepdims=0, select_last_index=1)
        y = values(random, x.shape, [np.float32, np.int64][i % 2], special=False)
        cases.add("CumSum", [y, np.array(axis, np.int32)], [np.cumsum(y, axis, dtype=np.float64 if i % 2 == 0 else y.dtype).astype(y.dtype)], constant=(1,) if i % 3 else ())
        z = y.astype(np.int64)
        cases.add("CumSum", [z, np.array(axis)], [np.flip(np.cumsum(np.flip(z, axis), axis), axis) - z], exclusive=1, reverse=1)
    cases.check(1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.uint16, np.int64, bool])
def test_movement(cases, dtype):
    for i in range(40):
        random = rng(i)
        rank = int(random.integers(1, 7))
        x = values(random, [int(d) for d in random.integers(0 if i % 9 == 8 else 1, 40 if rank < 3 else 5, rank)], dtype)
        perm = [int(p) for p in random.permutation(rank)]
        cases.add("Transpose", [x], [x.transpose(perm)], perm=perm)
        repeats = random.integers(0 if i % 9 == 7 else 1, 4, rank)
        if rank < 4:
            cases.add("Tile", [x, repeats], [np.tile(x, repeats)], constant=(1,) if i % 2 else ())
        starts, ends, steps = random.integers(-9, 9, rank), random.integers(-9, 9, rank), random.choice([-3, -2, -1, 1, 2, 5], rank)
        cut = tuple(slice(int(a), int(b), int(c)) for a, b, c in zip(starts, ends, steps))
        cases.add("Slice", [x, starts, ends, np.arange(rank), steps], [x[cut]], constant=(1, 2, 3, 4) if i % 2 else ())
        axis = int(random.integers(rank))
        parts = [x, x[tuple(slice(0, None if d != axis else x.shape[d] // 2) for d in range(rank))], x]
        cases.add("Concat", parts, [np.concatenate(parts, axis)], axis=axis - rank)
        sizes = [x.shape[axis] // 3, 0, x.shape[axis] - x.shape[axis] // 3]
        cases.add("Split", [x, np.array(sizes, np.int64)], [p if k != 1 else None for k, p in enumerate(np.split(x, np.cumsum(sizes)[:-1], axis))],
                  axis=axis, constant=(1,) if i % 2 else ())
        shape = [1, 2] + [d if d != 1 else 3 for d in x.shape]
        if rank < 5:
            cases.add("Expand", [x, np.array(shape, np.int64)], [np.broadcast_to(x, shape)])
    cases.check(0)


def test_pads(cases):
    for i in range(60):
        random = rng(i)
        rank = int(random.integers(1, 5))
        x = values(random, [int(d) for d in random.integers(2, 6, rank)], [np.float32, np.int32][i % 2])
        pads = random.integers(0, 4, (rank, 2))
        mode = ["constant", "edge", "reflect"][i % 3]
        wanted = np.pad(x, pads, mode, **({"constant_values": 5} if mode == "constant" else {}))
        value = [np.array(5, x.dtype)] if mode == "constant" else []
        cases.add("Pad", [x, pads.T.reshape(-1), *value], [wanted], mode=mode, constant=(1,) if i % 2 else ())
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    cases.add("Pad", [x, np.array([-1, 2, 0, -3]), np.float32(9)], [np.array([[9, 9, 4], [9, 9, 8]], np.float32)])
    cases.add("Pad", [x], [np.pad(x, ((1, 0), (0, 1)), constant_values=-2.5)], opset=10, pads=[1, 0, 0, 1], value=-2.5)
    cases.check(0)


def test_gather_and_scatter(cases):
    for i in range(60):
        random = rng(i)
        rank = int(random.integers(1, 5))
        x = values(random, [int(d) for d in random.integers(1, 6, rank)], [np.float32, np.float64, np.int8, bool][i % 4])
        axis = int(random.integers(rank))
        n = x.shape[axis]
        index = random.integers(-n, n, [int(d) for d in random.integers(0 if i % 8 == 0 else 1, 4, int(random.integers(0, 3)))])
        index = np.asarray(index).astype([np.int32, np.int64][i % 2])
        cases.add("Gather", [x, index], [np.take(x, index, axis)], axis=axis, constant=[(), (0,), (1,)][i % 3])
        full = np.asarray(random.integers(-n, n, x.shape))
        cases.add("GatherElements", [x, full], [np.take_along_axis(x, full, axis)], axis=axis)
        order = np.stack([random.permutation(n) for _ in range(x.size // n)]).reshape([d for k, d in enumerate(x.shape) if k != axis] + [n])
        order = np.moveaxis(order, -1, axis)
        updates, put = values(random, x.shape, x.dtype), x.copy()
        np.put_along_axis(put, order, updates, axis)
        cases.add("ScatterElements", [x, order, updates], [put], axis=axis)
        depth = int(random.integers(1, rank + 1))
        tuples = np.stack([random.integers(0, d, (2, 3)) for d in x.shape[:depth]], -1)
        cases.add("GatherND", [x, tuples], [x[tuple(tuples[..., k] for k in range(depth))]])
    x = np.zeros((4, 3), np.float32)
    where, what = np.array([[0], [2], [0]]), values(rng(1), (3, 3), np.float32, special=False)
    for reduction, f in (("add", np.add), ("mul", np.multiply)):
        wanted = x + 1
        f.at(wanted, where[:, 0], what)
        cases.add("ScatterND", [x + 1, where, what], [wanted], reduction=reduction)
    cases.check(1e-6)


def test_an_index_that_is_outside_is_refused(cases):
    x = np.zeros((3, 4), np.float32)
    for bad in (3, -4, 2**40):
        cases.add("Gather", [x, np.array([0, bad])], [x[:2]])
        cases.add("GatherElements", [x, np.array([[0, 0, 0, bad]])], [x[:1]])
        cases.add("ScatterElements", [x, np.array([[0, 0, 0, bad]]), x[:1]], [x])
        cases.add("GatherND", [x, np.array([[bad]])], [x[:1]])
        cases.add("ScatterND", [x, np.array([[bad]]), x[:1]], [x])
    for folder, said in cases.run():
        assert said.startswith("wrong: ") and "is outside of an axis of 3" in said, (folder, said)


def cast(x, to):
    """Cut off, and held within the type; whole numbers to whole numbers wrap."""
    to = np.dtype(to)
    if to.kind in "iu" and x.dtype.kind == "f":
        info = np.iinfo(to)
        flat = [0 if v != v else info.min if v <= info.min else info.max if v >= info.max else int(v) for v in x.astype(np.float64).ravel()]
        return np.array(flat, to).reshape(x.shape)
    return quietly(lambda: x.astype(to))


def test_casts(cases):
    for i, of in enumerate(WHOLE + REAL + [np.float16, bool]):
        for k, to in enumerate(WHOLE + REAL + [np.float16, bool]):
            x = values(rng(i, k), [23], np.float32 if of == np.float16 else of).astype(of)
            cases.add("Cast", [x], [cast(x, to)], to=TYPES[np.dtype(to)])
    cases.check(0)


def test_topk_unique_nonzero_compress(cases):
    for i in range(40):
        random = rng(i)
        rank = int(random.integers(1, 4))
        x = values(random, [int(d) for d in random.integers(1, 30 if rank < 2 else 7, rank)], [np.float32, np.int64, np.uint8][i % 3], special=False)
        x = np.round(x) if i % 2 else x
        axis = int(random.integers(-rank, rank))
        k = int(random.integers(0, x.shape[axis] + 1))
        for largest in (0, 1):
            key = x.astype(np.float64) * (-1 if largest else 1)
            index = np.take(np.argsort(key, axis, kind="stable"), range(k), axis)
            cases.add("TopK", [x, np.array([k])], [np.take_along_axis(x, index, axis), index], axis=axis, largest=largest, constant=(1,) if i % 2 else ())
        y = (x.astype(np.int64) % 5).astype(x.dtype)
        cases.add("Unique", [y], list(np.unique(y, True, True, True)))
        cases.add("Unique", [y], list(np.unique(y, True, True, True, axis=axis)), axis=axis)
        cases.add("NonZero", [y], [np.array(np.nonzero(y))])
        keep = values(random, [int(random.integers(1, x.shape[axis] + 1))], bool)
        cases.add("Compress", [x, keep], [np.compress(keep, x, axis)], axis=axis, constant=(1,) if i % 2 else ())
    cases.check(0)


def test_tensors_made_of_numbers(cases):
    for dtype in (np.int32, np.int64, np.float32, np.float64):
        for numbers in ((0, 10, 3), (10, 0, -4), (5, 5, 1), (0, 5, -1)):
            given = [np.array(v, dtype) for v in numbers]
            for constant in ((), (0, 1, 2), (1,)):
                cases.add("Range", given, [np.arange(*numbers).astype(dtype)], constant=constant)
    x = np.array([[0, 2, 9], [-1, 1, -9]], np.int64)
    wanted = (np.arange(3) == np.where(x < 0, x + 3, x)[..., None]) * np.float32(4.5) + np.float32(0.5)
    cases.add("OneHot", [x, np.array(3), np.array([0.5, 5], np.float32)], [np.where((np.abs(x) < 9)[..., None], wanted, np.float32(0.5)).astype(np.float32)])
    cases.add("OneHot", [x, np.array([3]), np.array([0, 1])], [np.moveaxis(np.where((np.abs(x) < 9)[..., None], wanted > 1, False), -1, 1).astype(np.int64)], axis=1)
    for k in (-9, -2, -1, 0, 1, 3, 9, 2**62, -2**62):
        m = values(rng(1), (2, 4, 5), np.float32)
        limited = max(-9, min(9, k))
        cases.add("Trilu", [m, np.array(k)], [np.triu(m, limited)])
        cases.add("Trilu", [m, np.array(k)], [np.tril(m, limited)], upper=0)
        if abs(k) < 9:
            cases.add("EyeLike", [m[0]], [np.eye(4, 5, k, np.float32)], k=k)
    cases.check(0)


def test_what_came_after_opset_22(cases):
    random = rng(23)
    for i in range(24):
        dtype = REAL[i % 2]
        rank = int(random.integers(1, 4))
        x = random.normal(size=[int(d) for d in random.integers(1, 9, rank)]).astype(dtype) * 3
        wide = x.astype(np.float64)
        alpha = float(np.float32(random.choice([1.0, 1.702, -0.5])))
        cases.add("Swish", [x], [(wide / (1 + np.exp(-alpha * wide))).astype(dtype)], opset=24, alpha=alpha)
        axis = int(random.integers(-rank, rank))
        scale = random.normal(size=x.shape[axis % rank:] if i % 3 else x.shape[-1:]).astype(dtype)
        last = tuple(range(axis % rank, rank))
        normal = wide / np.sqrt((wide**2).mean(axis=last, keepdims=True) + 1e-5)
        cases.add("RMSNormalization", [x, scale], [(normal * scale).astype(dtype)], opset=23, axis=axis)
        z = np.round(x).astype(np.int64) if i % 4 > 1 else x
        forward = np.cumprod(z, axis, dtype=np.float64 if z.dtype == dtype else np.int64).astype(z.dtype)
        cases.add("CumProd", [z, np.array(axis)], [forward], opset=26)
        ones = np.ones_like(np.take(z, [0], axis))
        shifted = np.concatenate([ones, np.take(z, range(z.shape[axis] - 1), axis)], axis)
        cases.add("CumProd", [np.flip(z, axis), np.array(axis)], [np.flip(np.cumprod(shifted, axis), axis).astype(z.dtype)], opset=26, exclusive=1, reverse=1)
        for to in ([np.int32, np.uint32] if dtype == np.float32 else [np.int64, np.uint64]):
            cases.add("BitCast", [x], [x.view(to)], opset=26, to=TYPES[np.dtype(to)])
            cases.add("BitCast", [x.view(to)], [x], opset=27, to=TYPES[np.dtype(dtype)])
    x, scale, zero = np.array([-1.5, 0, 0.25, 100], np.float32), np.array(0.5, np.float32), np.array(3, np.int8)
    cases.add("QuantizeLinear", [x, scale, zero], [np.array([0, 3, 3, 127], np.int8)], opset=25, precision=1, output_dtype=3)
    cases.add("QuantizeLinear", [x, scale], [np.array([-3, 0, 0, 127], np.int8)], opset=25, output_dtype=3)
    cases.add("DequantizeLinear", [np.array([0, 3, 127], np.int8), scale, zero], [np.array([-1.5, 0, 62], np.float32)], opset=25, output_dtype=1)
    cases.check(2e-6)


def test_what_came_after_opset_22_and_is_refused(cases):
    x, scale, zero = np.zeros(4, np.float32), np.array(0.5, np.float32), np.array(3, np.int8)
    cases.add("DequantizeLinear", [np.array([0, 3], np.int8), scale, zero], [np.zeros(2, np.float32)], opset=25, output_dtype=10)
    cases.add("QuantizeLinear", [x, scale, zero], [np.zeros(4, np.int8)], opset=25, output_dtype=2)
    cases.add("QuantizeLinear", [x, scale, zero], [np.zeros(4, np.int8)], opset=25, precision=16)
    cases.add("BitCast", [x], [np.zeros(4, np.int64)], opset=26, to=7)
    cases.add("BitCast", [np.zeros(4, np.uint8)], [np.zeros(4, bool)], opset=26, to=9)
    cases.add("Swish", [x], [x], opset=23)
    wanted = ["output_dtype is type 10, expected 1, float32", "output_dtype is type 2, expected 3, int8", "precision is type 16, expected 1",
              "the bits of float32 cannot be of type 7", "the bits of uint8 cannot be of type 9", "known since opset 24, the model was made for 23"]
    for (folder, said), text in zip(cases.run(), wanted):
        assert text in said, (folder, said)


BAD = [
    ("Add", [np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32)], {}, "do not broadcast"),
    ("Add", [np.zeros(2, np.float32), np.zeros(2, np.float64)], {}, "expected one type"),
    ("Mod", [np.zeros(2, np.float32), np.zeros(2, np.float32)], {}, "fmod"),
    ("Concat", [np.zeros((2, 3), np.float32), np.zeros((3, 3), np.float32)], {"axis": 1}, "does not continue"),
    ("Reshape", [np.zeros((2, 3), np.float32), np.array([4, -1])], {}, "does not fit"),
    ("Reshape", [np.zeros((2, 3), np.float32), np.array([-1, -1])], {}, "one -1 at most"),
    ("Reshape", [np.zeros((2, 3), np.float32), np.array([2**40, 2**40])], {}, "too many elements"),
    ("Transpose", [np.zeros((2, 3), np.float32)], {"perm": [0, 0]}, "no order of 2 axes"),
    ("Slice", [np.zeros(3, np.float32), np.array([0]), np.array([2]), np.array([0]), np.array([0])], {}, "step 0 is 0"),
    ("Slice", [np.zeros(3, np.float32), np.array([0]), np.array([2]), np.array([1])], {}, "axes has 1"),
    ("Expand", [np.zeros(3, np.float32), np.array([2**40, 2**20, 3])], {}, "too large"),
    ("Tile", [np.zeros((2, 2), np.float32), np.array([2**62, 4])], {}, "repeats has"),
    ("Tile", [np.zeros((2, 2), np.float32), np.array([-1, 4])], {}, "repeats has -1"),
    ("Pad", [np.zeros(3, np.float32), np.array([-2, -2])], {}, "pads has -2 and -2"),
    ("Pad", [np.zeros(3, np.float32), np.array([0, 2**62])], {}, "pads has"),
    ("TopK", [np.zeros(3, np.float32), np.array([4])], {}, "k is 4"),
    ("Split", [np.zeros(3, np.float32), np.array([4, -1])], {}, "split has 4"),
    ("Squeeze", [np.zeros((2, 1), np.float32), np.array([0])], {}, "axis 0 has 2 elements"),
    ("Unsqueeze", [np.zeros(3, np.float32), np.array([0, 0])], {}, "axes has 0 twice"),
    ("Range", [np.array(0), np.array(5), np.array(0)], {}, "no number of elements"),
    ("Range", [np.array(0.0), np.array(1e300), np.array(1e-300)], {}, "no number of elements"),
    ("ConstantOfShape", [np.array([2**31, 2**31, 4])], {}, "too large"),
    ("ConstantOfShape", [np.array([2, -3])], {}, "dimension 1 of -3"),
    ("OneHot", [np.array([1]), np.array(0), np.array([0, 1])], {}, "depth is 0"),
    ("CumSum", [np.zeros(3, np.float32), np.array(1)], {}, "axis is 1"),
    ("ArgMax", [np.zeros((3, 0), np.float32)], {"axis": 1}, "no elements to choose from"),
    ("ReduceSum", [np.zeros((3, 2), np.float32), np.array([1, -1])], {}, "twice"),
    ("Gather", [np.zeros(3, np.float32), np.zeros(2, np.float32)], {}, "indices are float32"),
    ("Where", [np.zeros(3, np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32)], {}, "expected bool"),
    ("BitShift", [np.zeros(3, np.uint8), np.zeros(3, np.uint8)], {"direction": "UP"}, "\"UP\""),
    ("Compress", [np.zeros(3, np.float32), np.zeros(4, bool)], {}, "at most 3 bool"),
    ("Cast", [np.zeros(3, np.float32)], {"to": 99}, "type 99"),
    ("ScatterND", [np.zeros((3, 2), np.float32), np.array([[0]]), np.zeros((1, 3), np.float32)], {}, "do not fit"),
    ("Softmax", [np.zeros((3, 2), np.float32)], {"axis": 2}, "axis 2"),
    ("Flatten", [np.zeros((3, 2), np.float32)], {"axis": 4}, "attribute axis is 4"),
    ("Sqrt", [np.zeros(3, np.int32)], {}, "int32"),
]


def test_what_cannot_be_is_refused_by_name(cases):
    for constant in (False, True):
        for op, inputs, attributes, _ in BAD:
            outputs = [np.zeros(1, np.float32)] * (2 if op == "Split" else 1)
            cases.add(op, inputs, outputs, constant=range(1, len(inputs)) if constant else (), **attributes)
    for (folder, said), (op, *_, wanted) in zip(cases.run(), BAD + BAD):
        assert said.startswith(("wrong: node", "refused: node")) and f"({op})" in said and wanted in said, (folder, said)


def changed(random, model):
    """The model with a few things of its node, its inputs or its opset changed; and the data for its inputs."""
    graph = model.graph
    for _ in range(int(random.integers(1, 4))):
        node, value = random.choice(list(graph.node)), random.choice(list(graph.input)) if graph.input else None
        what = int(random.integers(8))
        if what == 0 and node.attribute:
            attribute = node.attribute[int(random.integers(len(node.attribute)))]
            number = int(random.choice([0, 1, -1, 2, 3, 7, -9, 2**31, 2**62, -2**63]))
            if attribute.type == attribute.INT:
                attribute.i = number
            elif attribute.type == attribute.INTS and attribute.ints:
                attribute.ints[int(random.integers(len(attribute.ints)))] = number
            else:
                node.attribute.remove(attribute)
        elif what == 1:
            node.attribute.append(helper.make_attribute(str(random.choice(["axis", "k", "batch_dims", "keepdims", "upper", "largest"])), int(random.integers(-3, 4))))
        elif what == 2 and node.input:
            node.input[int(random.integers(len(node.input)))] = ""
        elif what == 3 and node.output:
            node.output[int(random.integers(len(node.output)))] = ""
        elif what == 4:
            model.opset_import[0].version = int(random.integers(7, 28))
        elif value is not None and value.type.HasField("tensor_type"):
            tensor = value.type.tensor_type
            if what == 5:
                tensor.elem_type = int(random.choice(list(TYPES.values())))
            elif tensor.shape.dim and random.random() < 0.7:
                tensor.shape.dim[int(random.integers(len(tensor.shape.dim)))].dim_value = int(random.integers(0, 9))
            else:
                tensor.shape.dim.add().dim_value = int(random.integers(0, 4))
    if not any(o.name in n.output for o in graph.output for n in graph.node):
        graph.node.append(helper.make_node("Identity", [graph.input[0].name], [graph.output[0].name]))
    data = []
    for value in graph.input:
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        dtype = next((k for k, v in TYPES.items() if v == value.type.tensor_type.elem_type), np.dtype(np.float32))
        data.append(values(random, shape, dtype))
    return data


def test_changed_models_are_computed_or_refused(tmp_path):
    """ONNX's own tests of operators with other attributes, types, shapes, elements and opsets: an answer or a sentence, never a crash."""
    folders, random = [], rng(0)
    for case in [c for c in onnx_nodes.cases() if c.in_scope] * 3:
        model = onnx.load(os.path.join(case.folder, "model.onnx"))
        if not model.graph.input:
            continue
        data = changed(random, model)
        folder = tmp_path / f"{len(folders)}-{case.name}"
        (folder / "test_data_set_0").mkdir(parents=True)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        for i, v in enumerate(data):
            (folder / "test_data_set_0" / f"input_{i}.pb").write_bytes(numpy_helper.from_array(v).SerializeToString())
        for i in range(len(model.graph.output)):
            (folder / "test_data_set_0" / f"output_{i}.pb").write_bytes(numpy_helper.from_array(np.zeros(1, np.float32)).SerializeToString())
        folders.append(str(folder))
    cases = Cases(tmp_path)
    cases.folders = folders
    said = [line for _, line in cases.run()]
    assert len(said) > 1500 and all(line == "ok" or line.startswith(("wrong: ", "refused: ")) for line in said)
    assert sum("expected float32[1]" in line for line in said) > 300  # these were computed
    assert sum(line.startswith(("wrong: node", "refused: node")) for line in said) > 300
    assert not any("not given back" in line for line in said)
