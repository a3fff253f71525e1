# SPDX-License-Identifier: MPL-2.0
"""Conv and ConvTranspose beside NumPy, over rows of output that fill vectors well and badly, strides, dilations, pads and groups."""
import itertools

import numpy as np
import pytest

from test_inference_ops import Cases, rng


def taps(kernel):
    return itertools.product(*(range(k) for k in kernel))


def convolved(x, w, strides, dilations, pads, group):
    axes = x.ndim - 2
    padded = np.pad(x, [(0, 0), (0, 0)] + [(pads[i], pads[axes + i]) for i in range(axes)]).astype(float)
    out = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(padded.shape[2:], w.shape[2:], dilations, strides)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    inputs, outputs = w.shape[1], w.shape[0] // group
    for at in taps(w.shape[2:]):
        part = padded[(..., *(slice(k * d, k * d + (o - 1) * s + 1, s) for k, d, o, s in zip(at, dilations, out, strides)))]
        for g in range(group):
            y[:, g * outputs:(g + 1) * outputs] += np.einsum("oc,nc...->no...", w[(slice(g * outputs, (g + 1) * outputs), slice(None), *at)],
                                                             part[:, g * inputs:(g + 1) * inputs])
    return y.astype(np.float32)


def transposed(x, w, strides, group):
    size = [(n - 1) * s + k for n, k, s in zip(x.shape[2:], w.shape[2:], strides)]
    inputs, outputs = x.shape[1] // group, w.shape[1]
    y = np.zeros((x.shape[0], outputs * group, *size))
    for at in taps(w.shape[2:]):
        to = tuple(slice(k, k + (n - 1) * s + 1, s) for k, n, s in zip(at, x.shape[2:], strides))
        for g in range(group):
            own = slice(g * inputs, (g + 1) * inputs)
            y[(slice(None), slice(g * outputs, (g + 1) * outputs), *to)] += np.einsum("co,nc...->no...", w[(own, slice(None), *at)], x[:, own])
    return y.astype(np.float32)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_convolutions(tmp_path, axes):
    cases, random = Cases(tmp_path), rng(axes)
    for width in (5, 16, 31, 33, 70):
        for group, outputs in ((1, 13), (2, 6), (3, 3)):
            kernel = [int(k) for k in random.integers(1, 5, axes)]
            strides, dilations = ([int(v) for v in random.integers(1, 4, axes)] for _ in range(2))
            pads = [int(v) for v in random.integers(0, 3, 2 * axes)]
            x = random.normal(size=(2, 2 * group, *random.integers(10, 13, axes - 1), width + 12)).astype(np.float32)
            w = random.normal(size=(outputs, 2, *kernel)).astype(np.float32)
            y = convolved(x, w, strides, dilations, pads, group)
            cases.add("Conv", [x, w], [y], strides=strides, dilations=dilations, pads=pads, group=group, constant=(1,))
            w = random.normal(size=(2 * group, 3, *kernel)).astype(np.float32)
            cases.add("ConvTranspose", [x, w], [transposed(x, w, strides, group)], strides=strides, group=group)
    cases.check(1e-4)
