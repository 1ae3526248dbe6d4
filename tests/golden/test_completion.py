# SPDX-License-Identifier: Apache-2.0
"""compiler/cmd/pale.bash: offers the commands, options and words that there are, no others."""
import re
import shlex

import pytest

from conftest import PALE, run
from optiontable import CMD, COMMANDS, OPTIONS, TARGETS

FILE = CMD / "pale.bash"


def complete(*words):
    """What bash offers for the last word."""
    script = (f"source {shlex.quote(str(FILE))}; COMP_WORDS=({' '.join(map(shlex.quote, words))}); "
              f"COMP_CWORD={len(words) - 1}; _pale; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    r = run(["bash", "-uc", script], check=0)
    assert not r.err, r
    return set(r.out.split())


def test_every_command_is_offered():
    assert len(COMMANDS) > 10
    assert complete("pale", "") == set(COMMANDS) | {"--help", "--version"}
    assert complete("pale", "ex") == {"explain"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_the_table_is_offered_and_taken(command):
    offered = complete("pale", command, "--")
    assert offered == {f"--{o.name}" for o in OPTIONS[command]}
    for option in offered - {"--help"}:  # the usage error, if any, is about its value or the missing file
        r = run([PALE, command, option])
        assert "no option" not in r.err, r


def test_the_words_of_an_option_are_offered():
    arches = re.search(r"takes one of (.*);", run([PALE, "list", "--arch", "no-such", "x"], check=2).err)
    arches = set(arches.group(1).split(", "))
    assert len(arches) > 8
    for command in COMMANDS:
        for o in OPTIONS[command]:
            words = arches if o.kind in ("ARCH", "ARCHES") else TARGETS | {"all"} if o.kind == "TARGETS" else \
                set(o.argument.split("|")) if o.kind.startswith("WORD") else None
            if words:
                assert complete("pale", command, f"--{o.name}", "") >= words, (command, o)


def test_values_and_files_are_offered(tmp_path):
    assert complete("pale", "learn", "--backend", "e") == {"ebpf", "ebpf-fentry", "ebpf-tp", "ebpf-btf", "ebpf-raw"}
    assert complete("pale", "compile", "-t", "") == {"docker", "oci", "spo", "bpf", "apparmor", "all"}
    assert complete("pale", "sim", "--arch", "") == complete("pale", "sim", "--host", "") >= {"x86_64", "i386"}
    assert complete("pale", "list", "sy") == {"syscalls"}
    (tmp_path / "web.pale").write_text("")
    assert complete("pale", "check", f"{tmp_path}/w") == {f"{tmp_path}/web.pale"}
    assert complete("pale", "run", "web.pale", "--", "--c") == set()  # the command's own options
