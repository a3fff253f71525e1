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


@pytest.fixture(params=["plain", "avx2", "avx512", "vnni"])
def kernels(request, monkeypatch):
    """A set of kernels; the best that there is, where the machine has not this one."""
    monkeypatch.setenv("KILN_INFERENCE_KERNELS", request.param)


@pytest.mark.parametrize("channels", ["one to one", "one to two", "few", "many", "of the run"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_ways(tmp_path, kernels, axes, channels):
    """Shapes that are computed in different ways: images with padding and without, rows that are short, wide, and wider than a block."""
    cases, random = Cases(tmp_path), rng(axes, len(channels))
    for size in ((1, 1, 3), (3, 7, 7), (2, 14, 14), (4, 5, 29), (2, 3, 300), (1, 40, 65)):
        for trial in range(4):
            group, inputs, outputs = {"one to one": (int(random.choice([3, 8, 16, 33])), 1, 1), "one to two": (8, 1, 2), "few": (1, 3, 2),
                                      "many": (int(random.choice([1, 2])), 5, int(random.choice([16, 30, 47]))), "of the run": (1, 4, 20)}[channels]
            kernel = [int(k) for k in random.integers(1, 4, axes)]
            strides, dilations = ([int(v) for v in random.choice([1, 1, 2, 3], axes)] for _ in range(2))
            pads = [int(v) for v in random.integers(0, 3, 2 * axes)] if trial % 2 else [0] * 2 * axes
            space = [max(n, (k - 1) * d + 1) for n, k, d in zip(size[3 - axes:], kernel, dilations)]
            x = random.normal(size=(2, inputs * group, *space)).astype(np.float32)
            w = random.normal(size=(outputs * group, inputs, *kernel)).astype(np.float32)
            y = convolved(x, w, strides, dilations, pads, group)
            bias = random.normal(size=outputs * group).astype(np.float32)
            biased = trial > 1
            cases.add("Conv", [x, w, bias] if biased else [x, w], [y + bias.reshape(-1, *[1] * axes) if biased else y], strides=strides,
                      dilations=dilations, pads=pads, group=group, constant=() if channels == "of the run" else (1, 2) if biased else (1,))
    cases.check(1e-4)


def test_padding_out_of_proportion(tmp_path):
    """An image that would be much larger than the input and the output is not made."""
    cases = Cases(tmp_path)
    x, w = rng(4).normal(size=(1, 2, 3)).astype(np.float32), rng(5).normal(size=(3, 2, 2)).astype(np.float32)
    far = 100000000
    y = np.zeros((1, 3, 3), np.float32)
    y[0, :, 0] = w[:, :, 1] @ x[0, :, 1]
    y[0, :, 1] = w[:, :, 0] @ x[0, :, 1]
    cases.add("Conv", [x, w], [y], strides=[far], dilations=[far], pads=[far - 1, 2 * far - 1], constant=(1,))
    cases.check(1e-5)


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
