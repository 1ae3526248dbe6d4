# SPDX-License-Identifier: Apache-2.0
"""tests/golden/COMMAND/NAME.pale -> NAME.out: status, output and messages of `pale COMMAND NAME.pale`.

UPDATE=1 writes the .out files anew; their diffs are read.
"""
import os
import pathlib

import pytest

from conftest import PALE, run

HERE = pathlib.Path(__file__).parent
CASES = sorted(p.relative_to(HERE) for p in HERE.glob("*/*.pale"))


def test_there_are_cases():
    assert len(CASES) > 5


@pytest.mark.parametrize("case", CASES, ids=str)
def test_golden(case):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PALE_")} | {"NO_COLOR": "1"}
    r = run([PALE, case.parent.name, case.name], cwd=HERE / case.parent, env=env)
    got = f"status {r.rc}\n--- output\n{r.out}--- messages\n{r.err}"
    want = HERE / case.with_suffix(".out")
    if os.environ.get("UPDATE"):
        want.write_text(got)
    assert got == want.read_text()
