# SPDX-License-Identifier: MPL-2.0
"""make install and uninstall, and life with nothing but what they put there: a plugin and a C client are built outside the
tree with pkg-config alone, and run."""
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from house import BUILD, MODE, ROOT, environment

CLIENT = r"""
#include <stdio.h>
#include <kiln/client.h>
#include <kiln/version.h>
int main(void) { printf("%s %s\n", KILN_VERSION, kiln_status_name(6)); return 0; }
"""


def run(*words, env=None, fails=False, **more):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, env=env or environment(),
                          **more)
    assert (done.returncode != 0) == fails, f"{words} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def setting(name, prefix, extra=()):
    """What config.mk makes of a variable."""
    text = f"include config.mk\nshow:\n\t@echo '$({name})'\n"
    return subprocess.run(["make", "--no-print-directory", "-s", "-f", "-", "show", f"PREFIX={prefix}", *extra], cwd=ROOT, text=True,
                          input=text, stdout=subprocess.PIPE, check=True).stdout.strip()


UNITS = ["kiln-broker.service", "kilnd.service", "kilnd@.service"]
KEYS = ["BINDIR", "SBINDIR", "LIBDIR", "INCLUDEDIR", "PLUGINDIR", "DATADIR", "DOCDIR", "SYSCONFDIR", "UNITDIR", "VERSION"]


def words(prefix):
    return [f"PREFIX={prefix}"] + [f"{key}={setting(key, prefix)}" for key in KEYS]


def tool(verb, destdir, prefix, **more):
    return run(os.path.join(ROOT, "tools", "install"), verb, destdir, os.path.relpath(BUILD, ROOT), *words(prefix), **more)


def tree(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


@pytest.fixture(scope="module")
def prefix():
    folder = tempfile.mkdtemp(prefix="kiln-install.")
    os.chmod(folder, 0o755)
    tool("install", "", folder)
    yield folder
    shutil.rmtree(folder)


def with_pkg_config(prefix):
    return {**environment(), "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig", "PATH": f"{prefix}/bin:{os.environ['PATH']}",
            "LD_LIBRARY_PATH": f"{prefix}/lib"}


def test_everything_is_there(prefix):
    there = tree(prefix)
    for path in ["bin/kiln", "sbin/kiln-broker", "sbin/kilnd", "lib/libkiln.so.0", "lib/libkiln.so", "lib/pkgconfig/kiln.pc",
                 "lib/pkgconfig/kiln-plugin.pc", "include/kiln/plugin.h", "include/kiln/status.h", "include/kiln/client.h",
                 "include/kiln/version.h", "lib/kiln/plugins/echo.so", "lib/kiln/plugins/stats.so", "lib/kiln/plugins/staking.so",
                 "lib/kiln/plugins/indicators.so", "etc/kiln/kiln.conf", "lib/systemd/system/kiln-broker.service",
                 "lib/systemd/system/kilnd.service", "lib/systemd/system/kilnd@.service", "lib/systemd/system/kiln.target", "lib/sysusers.d/kiln.conf",
                 "lib/tmpfiles.d/kiln.conf", "share/doc/kiln/docs/PROTOCOL.md", "share/doc/kiln/LICENSE", "share/doc/kiln/examples/client.c", "share/man/man1/kiln.1",
                 "share/kiln/plugin-echo/echo.c", "share/kiln/plugin-echo/Makefile"]:
        assert path in there, path
    assert os.readlink(f"{prefix}/lib/libkiln.so") == "libkiln.so.0"
    assert os.access(f"{prefix}/sbin/kilnd", os.X_OK)
    for at, folders, names in os.walk(prefix):
        for name in folders + names:
            path = os.path.join(at, name)
            assert os.path.islink(path) or os.stat(path).st_mode & 0o022 == 0, f"{path} may be written by others"
    for path in there:
        if not path.startswith(("bin/", "sbin/")) and ".so" not in path:
            with open(os.path.join(prefix, path), encoding="utf-8") as f:
                text = f.read()
            assert ROOT not in text, f"{path} names the source tree"
            if path.endswith((".service", ".target", ".pc")):
                assert not re.search(r"@[A-Z]+@", text), f"{path} has a placeholder left"


def test_links_of_the_documents_hold(prefix):
    found = 0
    for path in tree(prefix):
        if path.endswith(".md"):
            with open(os.path.join(prefix, path), encoding="utf-8") as f:
                for target in re.findall(r"\]\(([^)#]+)[^)]*\)", f.read()):
                    if "://" not in target:
                        assert os.path.exists(os.path.join(prefix, os.path.dirname(path), target)), f"{path} links to {target}"
                        found += 1
    assert found > 20


def test_programs_run_and_accept_the_configuration(prefix):
    config = f"{prefix}/etc/kiln/kiln.conf"
    assert "ok" in run(f"{prefix}/sbin/kiln-broker", "--test-config", "-c", config)
    assert "ok, 4 plugins" in run(f"{prefix}/sbin/kilnd", "--test-config", "-c", config)
    with open(config, encoding="utf-8") as f:
        assert f'plugin_dir = "{prefix}/lib/kiln/plugins"' in f.read()
    version = setting("VERSION", prefix)
    assert version in run(f"{prefix}/bin/kiln", "--version") and version in run(f"{prefix}/sbin/kiln-broker", "--version")


def test_units_are_clean(prefix):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    units = [f"{prefix}/lib/systemd/system/{name}" for name in UNITS + ["kiln.target"]]
    out = run("systemd-analyze", "verify", "--man=no", *units)
    ours = [line for line in out.split("\n") if "kiln" in line]
    assert not ours, out


@pytest.mark.parametrize("unit", UNITS)
def test_exposure_of_units(prefix, unit):
    """Threshold 20 is an exposure of 2.0."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", f"{prefix}/lib/systemd/system/{unit}")


def test_a_plugin_outside_the_tree(prefix):
    """Built from the installed example with the installed Makefile, and proven by the installed daemon."""
    with tempfile.TemporaryDirectory(prefix="kiln-plugin.") as work:
        for name in os.listdir(f"{prefix}/share/kiln/plugin-echo"):
            shutil.copy(f"{prefix}/share/kiln/plugin-echo/{name}", work)
        env = with_pkg_config(prefix)
        run("make", "-C", work, env=env)
        symbols = run("nm", "-D", "--defined-only", f"{work}/echo.so").split("\n")
        assert [line.split()[-1] for line in symbols if line] == ["kiln_plugin"]
        if MODE == "release":  # a sanitized daemon and a plain plugin do not go together everywhere
            assert "echo" in run("make", "-C", work, "check", env=env)
        run("make", "-C", work, "install", f"DESTDIR={work}/dest", env=env)
        assert os.path.exists(f"{work}/dest{prefix}/lib/kiln/plugins/echo.so")
        broken = os.path.join(work, "broken.c")
        with open(broken, "w", encoding="utf-8") as f:
            f.write("void nowhere(void);\nvoid f(void);\nvoid f(void) { nowhere(); }\n")
        flags = run("pkg-config", "--libs", "kiln-plugin", env=env).split()
        out = run("cc", "-fPIC", broken, *flags, "-o", f"{work}/broken.so", env=env, fails=True)
        assert "nowhere" in out  # undefined host symbols are found when it is linked, not when it is loaded
    assert run("pkg-config", "--variable=plugindir", "kiln-plugin", env=env).strip() == f"{prefix}/lib/kiln/plugins"
    assert run("pkg-config", "--variable=abi", "kiln-plugin", env=env).strip() == "1.0"


def test_a_client_outside_the_tree(prefix):
    if MODE != "release":
        pytest.skip("the sanitized library needs a sanitized program")
    with tempfile.TemporaryDirectory(prefix="kiln-client.") as work:
        with open(f"{work}/c.c", "w", encoding="utf-8") as f:
            f.write(CLIENT)
        env = with_pkg_config(prefix)
        flags = run("pkg-config", "--cflags", "--libs", "kiln", env=env).split()
        run("cc", "-Wall", "-Werror", f"{work}/c.c", *flags, "-o", f"{work}/c", env=env)
        assert run(f"{work}/c", env=env) == f"{setting('VERSION', prefix)} deadline\n"


def test_uninstall_removes_exactly_what_install_put():
    with tempfile.TemporaryDirectory(prefix="kiln-dest.") as dest:
        others = ["/usr/lib/kiln/plugins/mine.so", "/usr/bin/other", "/usr/include/kiln.h"]
        for path in others:
            os.makedirs(os.path.dirname(dest + path), exist_ok=True)
            with open(dest + path, "w", encoding="utf-8") as f:
                f.write("mine\n")
        tool("install", dest, "/usr")
        there = tree(dest)
        assert len(there) > 35 and "etc/kiln/kiln.conf" in there  # with PREFIX=/usr it is /etc
        assert "usr/lib/systemd/system/kilnd.service" in there
        with open(f"{dest}/usr/lib/systemd/system/kilnd.service", encoding="utf-8") as f:
            unit = f.read()
        assert "ExecStart=/usr/sbin/kilnd --config /etc/kiln/kiln.conf\n" in unit and dest not in unit
        tool("install", dest, "/usr")  # again: the same
        assert tree(dest) == there
        # A configuration that was changed stays, before and after.
        with open(f"{dest}/etc/kiln/kiln.conf", "a", encoding="utf-8") as f:
            f.write("# mine\n")
        assert "kiln.conf.new" in tool("install", dest, "/usr")
        with open(f"{dest}/etc/kiln/kiln.conf", encoding="utf-8") as f:
            assert f.read().endswith("# mine\n")
        tool("uninstall", dest, "/usr")
        assert tree(dest) == sorted(p[1:] for p in others + ["/etc/kiln/kiln.conf"])
        assert not os.path.exists(f"{dest}/usr/share/kiln") and not os.path.exists(f"{dest}/usr/include/kiln")
        assert "nothing to uninstall" in tool("uninstall", dest, "/usr", fails=True)


@pytest.mark.parametrize("arguments, why", [
    ([], "usage"), (["remove", "", "build/release"], "usage"), (["install", "", "build/release"], 'PREFIX is "", expected an absolute path'),
    (["install", "", "build/release", "PREFIX=usr"], 'PREFIX is "usr", expected an absolute path'),
], ids=["none", "verb", "no keys", "relative"])
def test_wrong_arguments(arguments, why):
    assert why in run(os.path.join(ROOT, "tools", "install"), *arguments, fails=True)


def test_nothing_is_installed_that_was_not_built():
    with tempfile.TemporaryDirectory() as dest:
        out = run(os.path.join(ROOT, "tools", "install"), "install", dest, "build/never", *words("/usr"), fails=True)
        assert "build/never/kiln" in out and "run make first" in out and tree(dest) == []
