# SPDX-License-Identifier: MPL-2.0
"""RNN, GRU and LSTM beside NumPy: directions, layouts, lengths, states, and sequences long and wide enough to go through the gates' memory in
several pieces."""
import itertools

import numpy as np
import pytest

from test_inference_ops import Cases, rng

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def clipped(v, clip):
    return np.clip(v, -clip, clip) if clip else v


def rnn(g, r, b, h, c, more):
    h = np.tanh(clipped(g + h @ r.T + b, more["clip"]))
    return h, c


def gru(g, r, b, h, c, more):
    n, clip = h.shape[1], more["clip"]
    z, reset = (sigmoid(clipped(g[:, i * n:(i + 1) * n] + h @ r[i * n:(i + 1) * n].T + b[i * n:(i + 1) * n], clip)) for i in (0, 1))
    own, bias = r[2 * n:], b[2 * n:]
    inner = reset * (h @ own.T + bias) if more["linear_before_reset"] else (reset * h) @ own.T + bias
    return z * h + (1 - z) * np.tanh(clipped(g[:, 2 * n:] + inner, clip)), c


def lstm(g, r, b, h, c, more):
    n, p, clip = h.shape[1], more["peephole"], more["clip"]
    i, o, f, cell = (v for v in np.split(g + h @ r.T + b, 4, axis=1))
    i = sigmoid(clipped(i + p[:n] * c, clip))
    f = 1 - i if more["input_forget"] else sigmoid(clipped(f + p[2 * n:] * c, clip))
    c = f * c + i * np.tanh(clipped(cell, clip))
    return sigmoid(clipped(o + p[n:2 * n] * c, clip)) * np.tanh(clipped(c, clip)), c


def expected(op, x, w, r, b, lengths, h0, c0, directions, more):
    """Y [steps, directions, batch, units] and the last states [directions, batch, units], of x [steps, batch, inputs]."""
    steps, batch = x.shape[:2]
    units, wide = r.shape[2], r.shape[1]
    y, hs, cs = np.zeros((steps, len(directions), batch, units)), h0.astype(float).copy(), c0.astype(float).copy()
    step = {"RNN": rnn, "GRU": gru, "LSTM": lstm}[op]
    for d, back in enumerate(directions):
        own = {**more, "peephole": more["peephole"][d]}
        for i, length in enumerate(lengths):
            h, c = hs[d, i:i + 1], cs[d, i:i + 1]
            for t in range(length)[::-1] if back else range(length):
                h, c = step(x[t, i:i + 1].astype(float) @ w[d].T + b[d, :wide], r[d], b[d, wide:], h, c, own)
                y[t, d, i] = h[0]
            hs[d, i], cs[d, i] = h[0], c[0]
    return y, hs, cs


SIZES = [(1, 1, 1, 1), (3, 2, 4, 5), (7, 5, 3, 17), (50, 3, 8, 32), (131, 1, 2, 40), (9, 40, 3, 70), (6, 1, 5, 300)]  # steps, batch, inputs, units


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_recurrent(tmp_path, op, size):
    cases, (steps, batch, inputs, units) = Cases(tmp_path), size
    random = rng(sum(size) + GATES[op])
    wide = GATES[op] * units

    def some(*shape):
        return (random.normal(size=shape) / np.sqrt(shape[-1])).astype(np.float32)
    for k, (direction, layout, with_lengths, states) in enumerate(itertools.product(("forward", "reverse", "bidirectional"), (0, 1), (0, 1), (0, 1))):
        back = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
        n = len(back)
        x, w, r, b = some(steps, batch, inputs), some(n, wide, inputs), some(n, wide, units), some(n, 2 * wide)
        lengths = random.integers(0, steps + 1, batch).astype(np.int32) if with_lengths else np.full(batch, steps, np.int32)
        h0, c0 = (some(n, batch, units) if states else np.zeros((n, batch, units), np.float32) for _ in range(2))
        more = {"clip": 0.4 if k % 5 == 3 else 0, "linear_before_reset": k % 3 == 1, "input_forget": k % 4 == 2,
                "peephole": some(n, 3 * units) if k % 3 == 2 else np.zeros((n, 3 * units), np.float32)}
        y, hs, cs = expected(op, x, w, r, b, lengths, h0, c0, back, more)
        if layout:
            x, y = x.swapaxes(0, 1), y.transpose(2, 0, 1, 3)
            h0, c0, hs, cs = (v.swapaxes(0, 1) for v in (h0, c0, hs, cs))
        attributes = {"hidden_size": units, "direction": direction, "layout": layout}
        if more["clip"]:
            attributes["clip"] = more["clip"]
        if op == "GRU":
            attributes["linear_before_reset"] = int(more["linear_before_reset"])
        if op == "LSTM":
            attributes["input_forget"] = int(more["input_forget"])
        given = [x, w, r, b, lengths if with_lengths else None, h0 if states else None]
        wanted = [y.astype(np.float32) if k % 4 else None, hs.astype(np.float32)]
        if op == "LSTM":
            given += [c0 if states else None, more["peephole"] if more["peephole"].any() else None]
            wanted.append(cs.astype(np.float32))
        while given[-1] is None:
            given.pop()
        cases.add(op, given, wanted, constant=(1, 2, 3) if k % 2 else (), **attributes)
    cases.check(1e-5)
