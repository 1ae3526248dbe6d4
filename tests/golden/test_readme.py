# SPDX-License-Identifier: Apache-2.0
"""README's examples print what README says, its policy compiles, its map has every folder."""
import re

import pytest

from conftest import PALE, ROOT, run

TEXT = (ROOT / "README.md").read_text()


def sessions():
    for m in re.finditer(r"^    \$ pale (.*)\n((?:    (?!\$ ).*\n|\n(?=    (?!\$ )))*)", TEXT, re.M):
        yield m.group(1), re.sub(r"^    ", "", m.group(2), flags=re.M)


@pytest.mark.parametrize("command,output", list(sessions()))
def test_example_prints_what_it_says(command, output):
    argv = [w.strip("'") for w in re.findall(r"'[^']*'|\S+", command)]
    r = run([PALE, *argv], cwd=ROOT)
    want = ".*".join(re.escape(p) for p in re.split(r"^\.\.\.\n", output, flags=re.M))
    assert re.fullmatch(want, r.out, re.S), r


def test_the_policy_compiles(tmp_path):
    policy = re.search(r"^    policy web \{\n(?:    .*\n|\n)*?    \}\n", TEXT, re.M).group(0)
    file = tmp_path / "web.pale"
    file.write_text(re.sub(r"^    ", "", policy, flags=re.M))
    run([PALE, "compile", "-q", "-t", "bpf,apparmor", "-o", tmp_path, file], check=0)


def test_the_two_commands_stand_at_the_top():
    top = TEXT.split("##")[0]
    assert "make demo" in top and "make test" in top


def test_the_map_has_every_room():
    rooms = {p.name for p in (ROOT / "compiler").iterdir() if p.is_dir()}
    table = TEXT.split("## The map")[1]
    assert {r for r in rooms if f"`{r}`" not in table and f"compiler/{r}`" not in table} == set()
    assert all(f"`{d}/`" in table for d in ("grammar", "learn", "profiles", "tests"))
