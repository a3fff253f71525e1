# SPDX-License-Identifier: MPL-2.0
"""A row of the kernel benchmark: a function of Kiln, and peers that do the same."""
import ctypes
import os

import numpy as np


class Row:
    """make(n) gives (arguments, {peer: call}), or None when n is not measured. A call may have `least`, which measures itself."""

    def __init__(self, name, function, make):
        self.name, self.function, self.make = name, function, make


def prices(n, seed=1):
    """Open, high, low, close, volume of a random walk: n bars."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.standard_normal(n) * 0.01 - 0.00005))
    open_ = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(open_, close) * (1 + np.abs(rng.standard_normal(n)) * 0.003)
    low = np.minimum(open_, close) * (1 - np.abs(rng.standard_normal(n)) * 0.003)
    return open_, high, low, close, np.floor(rng.lognormal(10, 1, n)) + 1


def library(variable):
    """The shared library that an environment variable names; None without it."""
    path = os.environ.get(variable)
    return ctypes.CDLL(path) if path else None


try:
    from numba import njit
except ImportError:
    njit = None
