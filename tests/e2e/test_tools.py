# SPDX-License-Identifier: MPL-2.0
"""The tools that judge the project: they must be able to say no."""
import os
import shutil
import subprocess
import sys

import pytest

from house import ROOT


def run(*args, **more):
    return subprocess.run(args, capture_output=True, text=True, check=False, timeout=300, **more)


@pytest.fixture
def tree(tmp_path):
    """A small house that keeps the rules."""
    for path, text in {"include/kiln/plugin.h": "#include <kiln/status.h>\n", "include/kiln/status.h": "", "include/kiln/client.h": "",
                       "lib/buf.h": "#include <stdint.h>\n", "lib/buf.c": '#include "buf.h"\n#include <kiln/status.h>\n',
                       "broker/queue.c": '#include "buf.h"\n#include "journal/journal.h"\n', "broker/journal/journal.h": "",
                       "daemon/link.h": "", "daemon/main.c": "#include <link.h>\n", "cli/main.c": '#include "buf.h"\n',
                       "plugins/echo/echo.h": "#include <kiln/plugin.h>\n", "plugins/echo/plugin.c": '#include "echo.h"\n#include <math.h>\n'}.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def layers(root):
    return run(os.path.join(ROOT, "tools", "check-layers"), str(root))


def test_check_layers_accepts(tree):
    p = layers(tree)
    assert p.returncode == 0 and p.stdout == "", p.stdout


@pytest.mark.parametrize("path, line, words", [
    ("broker/x.c", '#include "../daemon/link.h"', "broker includes only broker, lib, include/kiln"),
    ("broker/x.c", '#include "link.h"', "is of daemon"),
    ("cli/x.c", '#include "queue.h"', "is of no room"),
    ("lib/x.c", '#include "../broker/journal/journal.h"', "is of no room"),
    ("lib/x.c", "#include <buf.h>", "use quotes"),
    ("plugins/echo/x.c", '#include "buf.h"', "is of lib"),
    ("plugins/echo/x.c", "#include <buf.h>", "a plugin does not include it"),
    ("plugins/echo/x.c", "#include <kiln/client.h>", "a plugin includes kiln/plugin.h and kiln/status.h only"),
    ("plugins/echo/x.c", "#  include <kiln/nonsense.h>", "a plugin includes"),
    ("daemon/x.c", "#include <kiln/nonsense.h>", "is not in include/kiln"),
    ("include/kiln/x.h", '#include "buf.h"', "is of lib"),
])
def test_check_layers_refuses(tree, path, line, words):
    (tree / path).write_text("\n" + line + "\n")
    p = layers(tree)
    assert p.returncode == 1 and p.stdout.startswith(f"{path}:2: ") and words in p.stdout, p.stdout
    assert p.stdout.count("\n") == 1


def test_check_layers_of_nothing(tmp_path):
    assert layers(tmp_path).returncode == 1


# ---- check-docs, on a copy of this project

@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    root = tmp_path_factory.mktemp("docs") / "kiln"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("build", ".git", "node_modules", "__pycache__"))
    return root


def docs(root):
    return run(os.path.join(ROOT, "tools", "check-docs"), str(root))


def test_check_docs_accepts(copied):
    p = docs(copied)
    assert p.returncode == 0 and p.stdout == "", p.stdout


@pytest.mark.parametrize("path, line, words", [
    ("broker/queue.c", 'static void f(void) { log_warning("new_event", "x=1"); }', "event `new_event`, logged as warning by broker/queue.c, has no row"),
    ("daemon/watch.c", 'static void f(void) {\n    log_error(\n        "worse", "x=1"); }', "event `worse`, logged as error by daemon/watch.c"),
    ("docs/OPERATIONS.md", "[there](nowhere.md)", "link to nowhere.md"),
    ("docs/OPERATIONS.md", "`daemon/nothing.c`", "`daemon/nothing.c`, which does not exist"),
])
def test_check_docs_refuses(copied, path, line, words):
    file = copied / path
    text = file.read_text()
    file.write_text(text + line + "\n")
    p = docs(copied)
    file.write_text(text)
    assert p.returncode == 1 and words in p.stdout and p.stdout.count("\n") == 1, p.stdout


# ---- tests/run, on a project of three tests

@pytest.fixture
def project(tmp_path):
    (tmp_path / "tests" / "e2e").mkdir(parents=True)
    (tmp_path / "tests" / "unit").mkdir()
    (tmp_path / "tools").mkdir()
    shutil.copy(os.path.join(ROOT, "tests", "run"), tmp_path / "tests" / "run")
    shutil.copy(os.path.join(ROOT, "tests", "e2e", "house.py"), tmp_path / "tests" / "e2e" / "house.py")
    (tmp_path / "tests" / "unit" / "test_a.c").write_text("/* alright */\n")
    (tmp_path / "tests" / "e2e" / "test_b.py").write_text("def test_fine():\n    pass\n")
    (tmp_path / "Makefile").write_text("all units:\n\t@true\n")
    program(tmp_path, "echo 1..1; echo 'ok 1 - alright'")
    return tmp_path


def program(project, script):
    path = project / "build" / "asan" / "tests" / "test_a"  # asan: the rules belong to release
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + script + "\n")
    os.chmod(path, 0o755)


def judge(project, *args):
    p = run(sys.executable, str(project / "tests" / "run"), "--mode", "asan", *args)
    return p.returncode, p.stdout.rstrip("\n").split("\n")[-1], p.stdout + p.stderr


def test_run_counts(project):
    status, last, _ = judge(project)
    assert (status, last) == (0, "2 passed, 0 failed")


@pytest.mark.parametrize("script, last, words", [
    ("echo 'ok 1 - a'; echo 'not ok 2 - b'; echo '# why'; exit 1", "2 passed, 1 failed", "asan: test_a: b"),
    ("true", "1 passed, 1 failed", "0 results"),
    ("echo 'ok 1 - a'; kill -SEGV $$", "2 passed, 1 failed", "exit status -11"),
    ("echo 'ok 1 - a'; exit 98", "2 passed, 1 failed", "exit status 98"),
    ("echo 'ok 1 # SKIP no time'", "1 passed, 0 failed, 1 skipped", "SKIPPED"),
])
def test_run_judges_programs(project, script, last, words):
    program(project, script)
    status, line, out = judge(project)
    assert line == last and words in out and (status != 0) == ("0 failed" not in last)


@pytest.mark.parametrize("text, last", [
    ("def test_x():\n    assert 0, 'because'\n", "1 passed, 1 failed"), ("def broken(:\n", "1 passed, 1 failed"), ("", "1 passed, 1 failed"),
    ("import pytest\n@pytest.fixture\ndef f():\n    yield\n    assert 0\ndef test_x(f):\n    pass\n", "1 passed, 1 failed"),
    ("import os\ndef test_x():\n    os._exit(0)\n", "1 passed, 1 failed"),
    ("import pytest\ndef test_x():\n    pytest.skip('no')\n", "1 passed, 0 failed, 1 skipped"),
])
def test_run_judges_pytest_files(project, text, last):
    (project / "tests" / "e2e" / "test_b.py").write_text(text)
    status, line, _ = judge(project)
    assert line == last and (status != 0) == ("0 failed" not in last)


def test_run_of_a_pattern(project):
    assert judge(project, "-k", "alright")[:2] == (0, "1 passed, 0 failed")
    assert judge(project, "-k", "fine")[:2] == (0, "1 passed, 0 failed")
    status, last, out = judge(project, "-k", "nothing_is_called_so")
    assert status == 1 and last == "0 passed, 0 failed" and "no test ran" in out


def test_run_when_the_build_fails(project):
    (project / "Makefile").write_text("all units:\n\t@echo broken; false\n")
    status, last, out = judge(project)
    assert status == 1 and last == "0 passed, 1 failed" and "broken" in out
