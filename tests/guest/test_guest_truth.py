# SPDX-License-Identifier: Apache-2.0
"""The table of truth.py in guests: all rows, compiled for the guest's kernel by 5.0.2, one boot a kernel."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "apparmor"))
from conftest import program  # noqa: E402
from guest import Guest, System  # noqa: E402
from parsers import Parser  # noqa: E402
from truth import ATTACHED, cases  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

FEATURES = pathlib.Path(__file__).parent / "features"
KERNELS = {"debian12": (0, "6.1"), "debian13": (1, "6.12"), "sid": (2, "7.2")}
SOME = list(KERNELS) if os.environ.get("PALE_LONG") else ["debian13"]

SCRIPT = r"""
A=/sys/kernel/security/apparmor
echo 0 >/proc/sys/fs/protected_hardlinks; echo 0 >/proc/sys/kernel/yama/ptrace_scope
[ ! -e /proc/sys/kernel/io_uring_disabled ] || echo 0 >/proc/sys/kernel/io_uring_disabled
mkdir /t /m; mount -t tmpfs t /t; cp /accesses /t/.program; chmod 755 /t/.program /accesses
dd if=/attached of=$A/.load bs=1M 2>/dev/null || echo "no attached"
for row in $(cat /names); do
    echo "== $row"
    dd if=/rows/$row of=$A/.replace bs=1M 2>/dev/null || echo "not loaded"
    /accesses </lines/$row
    printf t >$A/.remove
done
echo "== end"
"""


def outcome(said, words):
    """As the table has it. A descriptor that a mount or socket got as far as another error was let through."""
    if said.startswith("killed"):
        return "k" if said == "killed 9" else said
    return "n" if said.split()[0] in ("EACCES", "EPERM") else "y" if not said.startswith("broken") else said


@pytest.mark.parametrize("name", SOME)
def test_kernels_do_what_the_table_says(name, tmp_path):
    system, parser = System(name), Parser("5.0")
    at, version = KERNELS[name]
    files, rows = {"/accesses": pathlib.Path(program("guest/accesses")).read_bytes()}, list(cases())
    for case, text in [*((c, text) for c, _, text in rows), ("attached", ATTACHED)]:
        (tmp_path / case).write_text(text)
        binary = parser.ask("--kernel-features", FEATURES / version, tmp_path / case)
        assert binary, (text, parser.said)
        files["/attached" if case == "attached" else f"/rows/{case}"] = binary
    for case, row, _ in rows:
        files[f"/lines/{case}"] = "".join("\t".join(["t", "owner", *words.split()]) + "\n" for words, _, _ in row.tried)
    files["/names"] = "\n".join(case for case, _, _ in rows)
    out = Guest(system, files=files).run(SCRIPT)
    assert out.kernel.startswith(version + "."), "the guest has another kernel than this table"
    wrong, asked = [], 0
    for case, row, text in rows:
        said = out.part(case).splitlines()
        assert len(said) == len(row.tried), (text, said)
        for (words, _, want), line in zip(row.tried, said):
            kernels, _, label = want.partition(" ")
            got = outcome(line, words)
            asked += kernels[at] != "-"
            if kernels[at] not in ("-", got) or (label and label != line.split()[1]):
                wrong.append((case, text, words, want, line))
    print(name, out.kernel, len(rows), "profiles,", asked, "accesses,", len(wrong), "differ")
    assert not wrong, "\n".join(map(str, wrong))
