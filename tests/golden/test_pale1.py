# SPDX-License-Identifier: Apache-2.0
"""compiler/cmd/pale.1: it renders without warnings, names every command, and its examples print
what they print."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import PALE, PATIENCE, ROOT, run
from optiontable import COMMANDS, OPTIONS

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
                       env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, timeout=PATIENCE)
    assert "Sanitizer" not in r.stderr, r.stderr
    want = ".*".join(re.escape(p) for p in re.split(r"^\.\.\.\n", output, flags=re.M))
    assert re.fullmatch(want, r.stdout, re.S), r.stdout + r.stderr


def flags(line):
    """Options of a line of mdoc: "Oo Fl i | -check Oc" has i and -check."""
    found, behind = [], False
    for word in line.lstrip(".").split():
        if word == "Fl":
            behind = True
        elif word not in (",", "|", ".", ";", ")"):
            if behind and not re.match(r"-?[a-z]", word, re.I) or word[0].isupper() and len(word) > 1:
                behind = False
            elif behind and (word[0] == "-" or len(word) == 1):
                found.append(word)
    return found


def part(pattern, end):
    """Lines of the page from one that matches to the next that is `end`."""
    inside = False
    for line in PAGE.read_text().splitlines():
        inside = bool(re.match(pattern, line)) or inside and not re.match(end, line)
        if inside:
            yield line


def of_all_commands():
    lines = list(part(r"Options that several commands take", r"\.El"))
    return {f for line in lines if line.startswith(".It") for f in flags(line)}


def of_command(name):
    return list(part(rf"\.It Nm Cm {name}\b", rf"\.S[sh] |\.It Nm Cm (?!{name}\b)"))


def names(option):
    return {f"-{option.name}", option.letter} - {""}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_part_names_its_options_and_no_others(command):
    lines, shared = of_command(command), of_all_commands()
    own = [o for o in OPTIONS[command] if not names(o) & shared]
    synopsis = {f for line in lines if line.startswith(".It") for f in flags(line)}
    there = {f for line in lines for f in flags(line)}
    assert lines and len(shared) > 6
    assert not [o.name for o in own if not names(o) & synopsis], "not in its synopsis"
    assert not there - {n for o in OPTIONS[command] for n in names(o)}, "no option of this command"


def test_it_renders_without_warnings():
    if shutil.which("mandoc"):
        r = run(["mandoc", "-T", "lint", "-W", "warning", PAGE])
    elif shutil.which("groff"):
        r = run(["groff", "-ww", "-mandoc", "-Tutf8", PAGE])
    else:
        pytest.skip("neither mandoc nor groff is installed")
    assert r.rc == 0 and not r.err, r
