# SPDX-License-Identifier: Apache-2.0
"""compiler/cmd/pale.1: it renders without warnings, names every command, and its examples print
what they print."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import PALE, ROOT, run

PAGE = ROOT / "compiler" / "cmd" / "pale.1"


def blocks():
    text = PAGE.read_text()
    for m in re.finditer(r"^\.Bd -literal\n(\$ .*?)^\.Ed$", text, re.S | re.M):
        yield m.group(1).replace("\\&", "").replace("\\-", "-").replace("\\e", "\\")


def sessions():
    for block in blocks():
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


@pytest.mark.parametrize("command,output", list(sessions()))
def test_example_prints_what_the_page_says(command, output, tmp_path):
    (tmp_path / "pale").symlink_to(PALE)
    r = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True,
                       env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, timeout=60)
    assert "Sanitizer" not in r.stderr, r.stderr
    want = ".*".join(re.escape(p) for p in re.split(r"^\.\.\.\n", output, flags=re.M))
    assert re.fullmatch(want, r.stdout, re.S), r.stdout + r.stderr


def test_every_command_is_there():
    page = PAGE.read_text()
    names = re.findall(r'COMMAND\("(\w+)"', (ROOT / "compiler/cmd/commands.def").read_text())
    assert len(names) >= 11
    assert not [n for n in names if not re.search(rf"Cm {n}\b", page)]


def test_every_option_of_a_help_text_is_there():
    words = set()  # those behind Fl, Op and | in a line of options
    for line in PAGE.read_text().replace("\\-", "-").splitlines():
        words |= set(re.findall(r"(?:Fl|[,|]) -?([a-z][a-z-]*)", line))
        words |= set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", line))
    missing = {}
    for name in re.findall(r'^COMMAND\("(\w+)"', (ROOT / "compiler/cmd/commands.def").read_text(), re.M):
        for short, long in re.findall(r"(?<![\w-])(?:-([a-z]), )?--([a-z][a-z-]+)", run([PALE, name, "--help"], check=0).out):
            if long != "help" and long not in words and (not short or short not in words):
                missing.setdefault(name, set()).add(long)
    assert not missing


def test_it_renders_without_warnings():
    if shutil.which("mandoc"):
        r = run(["mandoc", "-T", "lint", "-W", "warning", PAGE])
    elif shutil.which("groff"):
        r = run(["groff", "-ww", "-mandoc", "-Tutf8", PAGE])
    else:
        pytest.skip("neither mandoc nor groff is installed")
    assert r.rc == 0 and not r.err, r
