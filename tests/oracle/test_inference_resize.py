# SPDX-License-Identifier: MPL-2.0
"""Resize and Upsample beside the definition that ONNX's own tests are made with, and what that does not know - antialias, axes, kept
aspect ratios - beside NumPy."""
import numpy as np
import pytest
from onnx.backend.test.case.node import resize as oracle

from test_inference_ops import Cases, rng

COEFFICIENTS = {"nearest": oracle.nearest_coeffs, "linear": oracle.linear_coeffs, "cubic": oracle.cubic_coeffs}


@pytest.mark.parametrize("mode", sorted(COEFFICIENTS))
@pytest.mark.parametrize("place", ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"])
def test_scales_and_sizes(tmp_path, mode, place):
    cases, random = Cases(tmp_path), rng(1, len(mode), len(place))
    for shape, scales in (((1, 1, 5, 7), (1, 1, 1.7, 0.45)), ((4, 6), (2.5, 3)), ((3,), (0.7,)), ((2, 3, 4), (1, 2, 0.5))):
        x = random.normal(size=shape).astype(np.float32)
        more = {"coordinate_transformation_mode": place}
        y = oracle.interpolate_nd(x, COEFFICIENTS[mode], scale_factors=[float(np.float32(s)) for s in scales], **more).astype(np.float32)
        for constant in ((), (1,)):
            cases.add("Resize", [x, None, np.asarray(scales, np.float32)], [y], mode=mode, constant=(2,) if constant else (), **more)
        out = [max(2, int(n * s)) for n, s in zip(shape, scales)]
        y = oracle.interpolate_nd(x, COEFFICIENTS[mode], output_size=out, **more).astype(np.float32)
        for dtype in (np.float32, np.float64):
            cases.add("Resize", [x.astype(dtype), None, None, np.asarray(out)], [y.astype(dtype)], mode=mode, constant=(3,), **more)
    cases.check(1e-4)


def test_rounding_of_nearest(tmp_path):
    cases = Cases(tmp_path)
    for dtype in (np.int8, np.int16, np.int64, np.bool_, np.float64):
        x = (np.arange(12).reshape(3, 4) % (2 if dtype == np.bool_ else 99)).astype(dtype)
        for how in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            y = oracle.interpolate_nd(x, lambda ratio, how=how: oracle.nearest_coeffs(ratio, mode=how), output_size=[5, 9],
                                      coordinate_transformation_mode="asymmetric").astype(dtype)
            cases.add("Resize", [x, None, None, np.asarray([5, 9])], [y], nearest_mode=how, coordinate_transformation_mode="asymmetric",
                      constant=(3,))
    cases.check()


def test_crops_and_what_is_outside(tmp_path):
    cases, random = Cases(tmp_path), rng(3)
    x, roi = random.normal(size=(1, 1, 6, 5)).astype(np.float32), np.asarray([0, 0, 0.2, -0.3, 1, 1, 1.4, 0.8], np.float32)
    for mode in ("linear", "cubic"):
        y = oracle.interpolate_nd(x, COEFFICIENTS[mode], output_size=[1, 1, 4, 9], roi=roi.astype(np.float64), extrapolation_value=7.5,
                                  coordinate_transformation_mode="tf_crop_and_resize").astype(np.float32)
        cases.add("Resize", [x, roi, None, np.asarray([1, 1, 4, 9])], [y], mode=mode, extrapolation_value=7.5,
                  coordinate_transformation_mode="tf_crop_and_resize", constant=(1, 3))
        assert (y == 7.5).any() and (y != 7.5).any()
    for outside in (0, 1):
        y = oracle.interpolate_nd(x, lambda r: oracle.cubic_coeffs(r, A=-0.5), scale_factors=[1, 1, 0.75, 2],
                                  exclude_outside=outside).astype(np.float32)
        cases.add("Resize", [x, None, np.asarray([1, 1, 0.75, 2], np.float32)], [y], mode="cubic", cubic_coeff_a=-0.5,
                  exclude_outside=outside, constant=(2,))
    cases.check(1e-4)


def test_upsample_and_the_first_resize(tmp_path):
    cases, random = Cases(tmp_path), rng(4)
    x, scales = random.normal(size=(1, 2, 3, 4)).astype(np.float32), [1, 1, 2, 3]
    for mode in ("nearest", "linear"):
        coefficients = (lambda ratio: oracle.nearest_coeffs(ratio, mode="floor")) if mode == "nearest" else oracle.linear_coeffs
        y = oracle.interpolate_nd(x, coefficients, scale_factors=scales, coordinate_transformation_mode="asymmetric").astype(np.float32)
        cases.add("Upsample", [x], [y], opset=7, mode=mode, scales=[float(s) for s in scales])
        cases.add("Upsample", [x, np.asarray(scales, np.float32)], [y], opset=9, mode=mode, constant=(1,))
        cases.add("Resize", [x, np.asarray(scales, np.float32)], [y], opset=10, mode=mode)
    cases.check(1e-5)


def triangle(n, out):
    """The matrix of a linear antialiased resize from n to fewer."""
    scale, matrix = out / n, np.zeros((out, n))
    for i in range(out):
        x = (i + 0.5) / scale - 0.5
        first = int(np.floor(-1 / scale)) + 1
        taps = [(int(np.floor(x)) + k, max(0, 1 - abs(scale * (k - (x - np.floor(x)))))) for k in range(first, 2 - first)]
        for at, w in taps:
            matrix[i, min(max(at, 0), n - 1)] += w / sum(w for _, w in taps)
    return matrix


def test_antialias_axes_and_aspect_ratio(tmp_path):
    cases, random = Cases(tmp_path), rng(5)
    x = random.normal(size=(2, 9, 3, 7)).astype(np.float32)
    y = np.einsum("oa,pb,iajb->iojp", triangle(9, 4), triangle(7, 3), x).astype(np.float32)
    cases.add("Resize", [x, None, None, np.asarray([3, 4])], [y], opset=18, mode="linear", antialias=1, axes=[3, -3], constant=(3,))
    bytes_ = (x * 20 + 100).astype(np.uint8)
    y = np.rint(np.einsum("oa,iajb->iojb", triangle(9, 4), bytes_)).astype(np.uint8)
    cases.add("Resize", [bytes_, None, None, np.asarray([4])], [y], opset=18, mode="linear", antialias=1, axes=[1], constant=(3,))
    for policy, shape in (("not_larger", (8, 4)), ("not_smaller", (14, 7))):
        x = random.normal(size=(6, 3)).astype(np.float32)
        scale = {"not_larger": 8 / 6, "not_smaller": 7 / 3}[policy]
        rows, columns = (np.ceil((np.arange(n) + 0.5) / scale - 1).astype(int).clip(0, m - 1) for n, m in zip(shape, x.shape))
        cases.add("Resize", [x, None, None, np.asarray([8, 7])], [x[rows][:, columns]], opset=18, keep_aspect_ratio_policy=policy, constant=(3,))
    x = np.zeros((0, 3), np.float32)
    cases.add("Resize", [x, None, np.asarray([2, 2], np.float32)], [np.zeros((0, 6), np.float32)], constant=(2,))
    cases.check(1e-4)


@pytest.mark.parametrize("inputs,more,said", [
    ([None, [2, 2], [4, 6]], {}, "both are given"),
    ([None, None, None], {}, "neither is given"),
    ([None, [2]], {}, "scales is float32[1], expected 2 values"),
    ([None, [2, -1]], {}, "scales has -1"),
    ([None, [2, float("nan")]], {}, "scales has nan"),
    ([None, [1e30, 2]], {}, "scales has 1e+30"),
    ([None, None, [4, -6]], {}, "sizes has -6"),
    ([None, [2, 2]], {"mode": "best"}, "attribute mode is \"best\""),
    ([None, [2, 2]], {"coordinate_transformation_mode": "x"}, "attribute coordinate_transformation_mode is \"x\""),
    ([None, [2, 2]], {"axes": [0, 0]}, "attribute axes has 0"),
    ([None, [2, 2]], {"coordinate_transformation_mode": "tf_crop_and_resize"}, "without roi"),
])
def test_what_cannot_be_is_refused(tmp_path, inputs, more, said):
    cases = Cases(tmp_path)
    kinds = (np.float32, np.float32, np.int64)
    given = [None if v is None else np.asarray(v, k) for v, k in zip(inputs, kinds)]
    x = np.zeros((2, 3), np.float32)
    cases.add("Resize", [x, *given], [x], opset=18, constant=[i + 1 for i, v in enumerate(given) if v is not None], **more)
    with pytest.raises(AssertionError) as e:
        cases.check()
    assert said in str(e.value)
