# SPDX-License-Identifier: MPL-2.0
"""Statistics by chunks, and of files, of the plugin stats: beside NumPy in long double, and against hostile headers and paths."""
import io
import os
import random
import struct

import numpy as np
import pytest
import scipy.stats

from plugin import MODE, Plugin

TYPES = ["f8", "f4", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def stats(folder):
    other = folder.parent / (folder.name + "_other")
    other.mkdir()
    with Plugin("stats", {"data_dirs": f"{folder}:{other}/"}) as p:
        yield p


def noise(n, seed=1):
    return np.random.default_rng(seed).standard_normal(n)


def check(got, x, ddof=0, rtol=1e-13):
    """got beside x in long double."""
    w = np.asarray(x).ravel().astype(np.longdouble)
    m = w.mean()
    m2, m3, m4 = (np.mean((w - m) ** k) for k in (2, 3, 4))
    assert got["nobs"] == w.size
    want = {"mean": m, "min": w.min(), "max": w.max(), "sum": w.sum(), "var": m2 * w.size / (w.size - ddof)}
    want["std"] = np.sqrt(want["var"])
    for name, value in want.items():
        if name in got:
            np.testing.assert_allclose(got[name], float(value), rtol=rtol, atol=1e-14 * float(abs(w).max()) if name in ("mean", "sum") else 0, err_msg=name)
    if "skewness" in got and m2 > 0:
        np.testing.assert_allclose(got["skewness"], float(m3 / m2**1.5), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(got["kurtosis"], float(m4 / m2**2 - 3), rtol=1e-10, atol=1e-12)


# ---- chunks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 9, 10, 11, 1000, 98303, 98304, 98305, 200001])
@pytest.mark.parametrize("size", [1, 3, 10, 1000, 10000, 98304, 10**12])
def test_chunks_are_what_they_are_alone(stats, n, size):
    if n // size > 20000:
        return
    x = noise(n) + 100
    got = stats("chunk_statistics", x=x, chunk_size=size)
    c = got["chunks"]
    offsets = list(range(0, n, size))
    assert list(c["offset"]) == offsets and list(c["count"]) == [min(size, n - o) for o in offsets]
    for i in {0, len(offsets) // 2, len(offsets) - 1}:
        part = x[offsets[i] : offsets[i] + size]
        check({"nobs": len(part), **{k: c[k][i] for k in ("mean", "std", "min", "max")}}, part, rtol=1e-12)
    check(got, x)


@pytest.mark.parametrize("n, parts", [(1, 1), (1, 3), (10, 3), (10, 10), (10, 17), (1001, 4), (5, 100)])
def test_parts_are_those_of_array_split(stats, n, parts):
    x = noise(n)
    got = stats("chunk_statistics", x=x, parts=parts)
    want = np.array_split(x, parts)
    assert list(got["chunks"]["count"]) == [len(w) for w in want]
    assert list(got["chunks"]["offset"]) == list(np.cumsum([0] + [len(w) for w in want])[:-1])
    for i, w in enumerate(want):
        np.testing.assert_allclose(got["chunks"]["mean"][i], w.mean() if len(w) else np.nan, rtol=1e-13, atol=1e-15)
    check(got, x, rtol=1e-12)


def test_the_default_is_10000_and_averages_are_averages(stats):
    x = noise(25000)
    got = stats("chunk_statistics", x=x, combine="average", ddof=1)
    parts = [x[i : i + 10000] for i in range(0, 25000, 10000)]
    np.testing.assert_allclose(got["mean"], np.mean([p.mean() for p in parts]), rtol=1e-12)
    np.testing.assert_allclose(got["std"], np.mean([p.std(ddof=1) for p in parts]), rtol=1e-12)
    assert got["std"] != stats("chunk_statistics", x=x, ddof=1)["std"]


@pytest.mark.parametrize("at", [0, 5, 9, 10, 29])
def test_missing_values(stats, at):
    x = noise(30)
    x[at] = np.nan
    got = stats("chunk_statistics", x=x, chunk_size=10)
    assert np.isnan(got["mean"]) and np.isnan(got["max"]) and [np.isnan(m) for m in got["chunks"]["min"]] == [at // 10 == i for i in range(3)]
    got = stats("chunk_statistics", x=x, chunk_size=10, nan_policy="omit")
    check(got, x[~np.isnan(x)], rtol=1e-12)
    assert got["chunks"]["count"][at // 10] == 9
    refused = stats.refused("chunk_statistics", x=x, chunk_size=10, nan_policy="raise")
    assert refused.field == "x" and f"value {at} " in refused.text
    assert stats.refused("chunk_statistics", x=[np.nan] * 3, nan_policy="omit").field == "x"
    assert stats.refused("chunk_statistics", x=[1.0], ddof=1).field == "ddof"


def test_digits_are_kept_over_many_chunks(stats):
    n = 300000
    x = 1e9 + noise(n)
    for size in (1000, 50000):
        check(stats("chunk_statistics", x=x, chunk_size=size), x, rtol=1e-11)
    equal = np.full(n, 2.385)
    got = stats("chunk_statistics", x=equal, chunk_size=7777)
    assert got["std"] == 0 and got["mean"] == 2.385
    half = np.repeat([1e9, -1e9], n // 2) + noise(n)
    check(stats("chunk_statistics", x=half, chunk_size=1000), half, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e300, 1e160, 1e80, 1e-80, 1e-160, 1e-300])
def test_huge_and_tiny_values(stats, scale):
    x = noise(1000)
    x[::7] *= 1e-20
    got = stats("chunk_statistics", x=x * scale, chunk_size=90)
    np.testing.assert_allclose(got["mean"] / scale, x.mean(), rtol=1e-11)
    np.testing.assert_allclose(got["std"] / scale, x.std(), rtol=1e-12)
    mixed = np.concatenate([x * scale, x / scale if scale > 1 else x])
    got = stats("chunk_statistics", x=mixed, chunk_size=1000)
    most = np.abs(mixed).max()
    np.testing.assert_allclose(got["std"] / most, (mixed / most).std(), rtol=1e-11)
    raw = stats("file_describe", content=mixed.tobytes(), format="raw", chunk_size=1000)
    np.testing.assert_allclose(raw["kurtosis"], scipy.stats.kurtosis(mixed / most), rtol=1e-10)


def test_infinities(stats):
    got = stats("chunk_statistics", x=[1, np.inf, 2, 3], chunk_size=2)
    assert got["mean"] == np.inf and got["max"] == np.inf and got["min"] == 1 and np.isnan(got["std"])
    assert np.isnan(stats("chunk_statistics", x=[1, np.inf, -np.inf, 3], chunk_size=2)["mean"])


def test_one_way_of_dividing(stats):
    assert stats.refused("chunk_statistics", x=[1], parts=1, chunk_size=1).field == "parts"
    assert stats.refused("chunk_statistics", x=[1], chunk_size=0).field == "chunk_size"
    assert stats.refused("chunk_statistics", x=[], chunk_size=1).field == "x"


# ---- files --------------------------------------------------------------------------------------------------


def npy(x, version=None):
    f = io.BytesIO()
    np.lib.format.write_array(f, x, version=version)
    return f.getvalue()


def sample(kind, order, n):
    x = noise(n, 3) * 40
    x = np.abs(x) if kind[0] in "ub" else x
    return x.astype(order + kind)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("order", "<>")
def test_every_type_from_file_and_memory(stats, folder, kind, order):
    for n in (1, 2, 1000, 65536, 65537):
        x = sample(kind, order, n)
        path = folder / f"{kind}.npy"
        np.save(path, x)
        got = stats("file_describe", path=str(path))
        assert got["dtype"] == kind and list(got["shape"]) == [n] and got["fortran_order"] is False and got.get("chunks") is None
        check(got, x, rtol=1e-12)
        raw = folder / f"{kind}.raw"
        raw.write_bytes(b"xyz" + x.tobytes())
        again = stats("file_describe", path=str(raw), format="raw", dtype=order + kind, offset=3)
        memory = stats("file_describe", content=npy(x))
        for name in ("nobs", "sum", "mean", "var", "min", "max"):
            assert got[name] == again[name] == memory[name]


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("shape", [(), (1,), (6, 4), (2, 3, 4), (24, 1, 1, 1, 1)])
def test_versions_shapes_and_orders(stats, version, shape):
    x = noise(int(np.prod(shape))).reshape(shape) + 2
    for array in (x, np.asfortranarray(x)):
        got = stats("file_describe", content=npy(array, version))
        assert list(got["shape"]) == list(array.shape)
        assert got["fortran_order"] == (array.flags.f_contiguous and not array.flags.c_contiguous)
        check(got, x)


def test_chunks_of_a_file(stats, folder):
    x = noise(200000) + 1e6
    np.save(folder / "chunks.npy", x)
    for size in (7, 999, 65536, 100000, 10**9):
        got = stats("file_describe", path=str(folder / "chunks.npy"), chunk_size=size)
        want = stats("chunk_statistics", x=x, chunk_size=size)
        assert np.array_equal(got["chunks"]["offset"], want["chunks"]["offset"])
        for name in ("count", "min", "max"):
            assert np.array_equal(got["chunks"][name], want["chunks"][name])
        np.testing.assert_allclose(got["chunks"]["mean"], want["chunks"]["mean"], rtol=1e-15)
        np.testing.assert_allclose(got["chunks"]["std"], want["chunks"]["std"], rtol=1e-9, atol=1e-9)
        check(got, x, rtol=1e-11)


def test_missing_values_in_files(stats):
    x = noise(70000)
    x[[0, 65535, 65536, 69999]] = np.nan
    got = stats("file_describe", content=npy(x))
    assert got["nan_count"] == 4 and np.isnan(got["mean"]) and np.isnan(got["max"])
    got = stats("file_describe", content=npy(x), nan_policy="omit", ddof=1)
    assert got["nan_count"] == 4
    check(got, x[~np.isnan(x)], ddof=1)
    assert stats.refused("file_describe", content=npy(x), nan_policy="raise").field == "content"
    assert stats.refused("file_describe", content=npy(np.array([np.nan])), nan_policy="omit").field == "content"
    assert stats.refused("file_describe", content=npy(np.array([])), nan_policy="omit").field == "content"


def test_raw_counts(stats):
    data = np.arange(10, dtype="<i4").tobytes()
    assert stats("file_describe", content=data, format="raw", dtype="i4")["mean"] == 4.5
    assert stats("file_describe", content=data, format="raw", dtype="i4", offset=8, count=3)["mean"] == 3
    for wrong in ({"offset": 2}, {"count": 11}, {"offset": 41}, {"offset": 40}, {"offset": 2**53, "count": 2**53}, {"dtype": "c16"}, {"dtype": ""}, {"dtype": "<<f8"}):
        assert stats.refused("file_describe", **{"content": data, "format": "raw", "dtype": "i4", **wrong}).status == "invalid"


# ---- headers that lie ---------------------------------------------------------------------------------------


def header(text, version=1, length=None):
    text = text.encode("latin-1")
    length = len(text) if length is None else length
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", length) + text


GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
BAD = [
    "", "{", "{}", "}", "[]", "None", GOOD[:-1], GOOD + "x", GOOD + "{", GOOD.replace("(2,)", "(2)"), GOOD.replace("(2,)", "(3,)"), GOOD.replace("(2,)", "(-2,)"),
    GOOD.replace("(2,)", "[2]"), GOOD.replace("(2,)", "(2,,)"), GOOD.replace("(2,)", "(,)"), GOOD.replace("(2,)", "(2"), GOOD.replace("(2,)", "(2 3)"),
    GOOD.replace("(2,)", "(9223372036854775807, 2)"), GOOD.replace("(2,)", "(9223372036854775808,)"), GOOD.replace("(2,)", "(2305843009213693953, 8)"),
    GOOD.replace("(2,)", "(" + "9" * 500 + ",)"), GOOD.replace("(2,)", "(" + "1," * 33 + ")"), GOOD.replace("(2,)", "(0,)"), GOOD.replace("(2,)", "(0, 9223372036854775807, 9)"),
    GOOD.replace("<f8", "|O"), GOOD.replace("<f8", "<c16"), GOOD.replace("<f8", "<U8"), GOOD.replace("<f8", "V8"), GOOD.replace("<f8", "\x00f8"), GOOD.replace("<f8", "\xff" * 50),
    GOOD.replace("'<f8'", "[('a', '<f8')]"), GOOD.replace("'<f8'", "'<f8"), GOOD.replace("'<f8'", "8"), GOOD.replace("<f8", "<f8\\x00"),
    GOOD.replace("False", "false"), GOOD.replace("False", "0"), GOOD.replace("descr", "descR"), GOOD.replace("'shape'", "'descr'"), GOOD.replace("'shape': (2,), ", ""),
    GOOD.replace("{", "{'extra': 1, "), GOOD.replace(", 'shape'", " 'shape'"), GOOD.replace(":", ""),
]


@pytest.mark.parametrize("text", BAD)
def test_headers_that_lie_are_refused(stats, text):
    for version in (1, 2, 3):
        refused = stats.refused("file_describe", content=header(text, version) + bytes(16))
        assert (refused.status, refused.field) == ("invalid", "content") and refused.text


def test_headers_of_all_lengths(stats):
    assert stats("file_describe", content=header(GOOD) + bytes(16))["mean"] == 0
    whole = header(GOOD) + bytes(16)
    for n in range(len(whole)):
        assert stats.refused("file_describe", content=whole[:n]).status == "invalid"
    for length in (0, 1, len(GOOD) - 1, len(GOOD) + 17, 65535):
        assert stats.refused("file_describe", content=header(GOOD, 1, length) + bytes(16)).status == "invalid"
    for length in (65536, 2**31, 2**32 - 1):
        assert stats.refused("file_describe", content=header(GOOD, 2, length) + bytes(16)).status == "invalid"
    for version in (0, 4, 255):
        assert stats.refused("file_describe", content=whole[:6] + bytes([version]) + whole[7:]).status == "invalid"
    assert stats("file_describe", content=header(GOOD.replace("2,", "2L,")) + bytes(16))["nobs"] == 2
    assert stats("file_describe", content=header(GOOD.replace("'", '"')) + bytes(16))["nobs"] == 2
    assert stats("file_describe", content=header("  " + GOOD + " \n") + bytes(99))["nobs"] == 2


def test_headers_changed_at_random(stats):
    draw = random.Random(7)
    whole = bytearray(npy(np.arange(6.0).reshape(2, 3)))
    alphabet = b"{}()[]',:<>|=fiuObcV0123456789 \x00\xff\nL-TrueFalse"
    ok = 0
    for _ in range(3000 if MODE == "release" else 600):
        data = bytearray(whole)
        for _ in range(draw.choice([1, 1, 2, 5, 30])):
            at = draw.randrange(128)
            what = draw.randrange(4)
            if what == 0:
                data[at] = draw.choice(alphabet)
            elif what == 1:
                data[at] = draw.randrange(256)
            elif what == 2:
                del data[at]
            else:
                data.insert(at, draw.choice(alphabet))
        status, field, text, _, _ = stats.raw("file_describe", packed(bytes(data)))
        assert status in ("ok", "invalid"), (status, text, data)
        assert status == "ok" or (field and text)
        ok += status == "ok"
    assert ok > 0


def packed(content):
    import msgpack

    return msgpack.packb({"content": content, "form": "nd"})


# ---- paths --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree(folder):
    (folder / "sub").mkdir()
    outside = folder.parent / "outside"
    outside.mkdir()
    for where in (folder, folder / "sub", outside, folder.parent / (folder.name + "x.npy")):
        np.save(where if where.suffix else where / "a.npy", np.arange(4.0))
    (folder / "link.npy").symlink_to(outside / "a.npy")
    (folder / "near.npy").symlink_to("a.npy")
    (folder / "linked").symlink_to(outside)
    os.mkfifo(folder / "pipe.npy")
    (folder / "empty.npy").write_bytes(b"")
    return folder


def test_files_below_the_folders_are_read(stats, tree):
    assert stats("file_describe", path=f"{tree}/a.npy")["mean"] == 1.5
    assert stats("file_describe", path=f"{tree}/sub/a.npy")["mean"] == 1.5
    other = tree.parent / (tree.name + "_other")
    np.save(other / "b.npy", np.arange(5.0))
    assert stats("file_describe", path=f"{other}/b.npy")["mean"] == 2


@pytest.mark.parametrize("path", [
    "{d}", "{d}/", "{d}/sub", "{d}/sub/", "{d}/none.npy", "{d}/a.npy/", "{d}/a.npy/x", "{d}//a.npy", "{d}/./a.npy", "{d}/sub/../a.npy", "{d}/../outside/a.npy", "{d}x.npy", "{d}/link.npy",
    "{d}/near.npy", "{d}/linked/a.npy", "{d}/pipe.npy", "{d}/empty.npy", "/etc/passwd", "/", "", "a.npy", "./a.npy", "/proc/self/mem", "/dev/zero", "{d}/" + "n" * 300, "{d}/" + "n/" * 3000, "//{d}/a.npy",
])
def test_other_paths_are_not(stats, tree, path):
    refused = stats.refused("file_describe", path=path.format(d=tree))
    assert (refused.status, refused.field) == ("invalid", "path")


def test_without_the_option_nothing_is_read(tree):
    with Plugin("stats") as plain:
        refused = plain.refused("file_describe", path=f"{tree}/a.npy")
        assert "data_dirs" in refused.text and refused.field == "path"
        assert plain("file_describe", content=npy(np.arange(4.0)))["mean"] == 1.5
        plain.prove()


def test_one_source(stats, tree):
    assert stats.refused("file_describe").field == "path"
    assert stats.refused("file_describe", path=f"{tree}/a.npy", content=b"x").field == "path"


def test_folders_must_be_absolute():
    with pytest.raises(Exception, match="absolute"):
        with Plugin("stats", {"data_dirs": "/tmp:data"}) as p:
            p("mean", x=[1])


def test_folders_must_be_there(tmp_path):
    (tmp_path / "file").write_text("x")
    for name in ("absent", "file"):
        with pytest.raises(Exception, match="not there or no folder"):
            with Plugin("stats", {"data_dirs": f"/tmp:{tmp_path}/{name}"}) as p:
                p("mean", x=[1])


def test_a_large_file(stats, folder):
    n = 1_000_000 if MODE == "release" else 300_000
    x = noise(n) + 1e6
    np.save(folder / "large.npy", x)
    got = stats("file_describe", path=str(folder / "large.npy"))
    check(got, x, rtol=1e-11)
    with open(folder / "large.npy", "r+b") as f:
        f.truncate(n * 4)
    assert "too short" in stats.refused("file_describe", path=str(folder / "large.npy")).text
    (folder / "large.npy").unlink()
