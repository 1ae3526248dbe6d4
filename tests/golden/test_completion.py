# SPDX-License-Identifier: Apache-2.0
"""compiler/cmd/pale.bash: offers the commands and options that there are, no others."""
import re
import shlex

import pytest

from conftest import PALE, ROOT, run

FILE = ROOT / "compiler" / "cmd" / "pale.bash"
ROWS = re.findall(r'^COMMAND\("(\w+)"', (ROOT / "compiler/cmd/commands.def").read_text(), re.M)


def complete(*words):
    """What bash offers for the last word."""
    script = (f"source {shlex.quote(str(FILE))}; COMP_WORDS=({' '.join(map(shlex.quote, words))}); "
              f"COMP_CWORD={len(words) - 1}; _pale; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    r = run(["bash", "-uc", script], check=0)
    assert not r.err, r
    return set(r.out.split())


def test_every_command_is_offered():
    assert len(ROWS) > 10
    assert complete("pale", "") == set(ROWS) | {"--help", "--version"}
    assert complete("pale", "ex") == {"explain"}


@pytest.mark.parametrize("command", ROWS)
def test_every_option_of_the_help_is_offered_and_taken(command):
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", run([PALE, command, "--help"], check=0).out))
    offered = complete("pale", command, "--") - {"--diag=json", "--help"}
    assert offered == told
    for option in offered:  # the usage error, if any, is about its value or the missing file
        r = run([PALE, command, option])
        assert "no option" not in r.err, r


def test_values_and_files_are_offered(tmp_path):
    assert complete("pale", "learn", "--backend", "e") == {"ebpf"}
    assert complete("pale", "compile", "-t", "") == {"docker", "oci", "bpf", "apparmor", "all"}
    told = run([PALE, "check", "--host", "no-such", "x"], check=2).err.split("there are: ")[1]
    assert complete("pale", "sim", "--arch", "") == complete("pale", "sim", "--host", "") == \
        set(told.split())
    assert complete("pale", "list", "sy") == {"syscalls"}
    (tmp_path / "web.pale").write_text("")
    assert complete("pale", "check", f"{tmp_path}/w") == {f"{tmp_path}/web.pale"}
    assert complete("pale", "run", "web.pale", "--", "--c") == set()  # the command's own options
