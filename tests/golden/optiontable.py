# SPDX-License-Identifier: Apache-2.0
"""compiler/cmd/options.def and commands.def, read."""
import collections
import re

from conftest import ROOT

CMD = ROOT / "compiler" / "cmd"
COMMANDS = re.findall(r'^COMMAND\("(\w+)"', (CMD / "commands.def").read_text(), re.M)
TARGETS = set(re.findall(r"^TARGET\((\w+)", (ROOT / "compiler/target/targets.def").read_text(), re.M))
Option = collections.namedtuple("Option", "id letter name argument kind")


def read_options():
    text = (CMD / "options.def").read_text()
    rows = re.findall(r"^OPTION\((\w+), (?:'(\w)'|0), \"([\w-]+)\", (?:\"([^\"]+)\"|NULL), (\w+)", text, re.M)
    rows = {r[0]: Option(*r) for r in rows}
    takes = re.findall(r"^TAKES\((\w+), (\w+), (\d+)", text, re.M)
    assert len(rows) == len(re.findall(r"^OPTION\(", text, re.M))
    assert len(takes) == len(re.findall(r"^TAKES\(", text, re.M))
    return {c: [rows[i] for w, i, _ in takes if w in (c, "every")] for c in COMMANDS}


OPTIONS = read_options()  # of each command, in the order of its help
