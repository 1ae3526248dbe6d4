# SPDX-License-Identifier: Apache-2.0
"""`pale sim` by abi and kernel, against the table of what kernels did (tests/guest/truth.py, which guests run)."""
import pathlib
import sys

import pytest

from conftest import PALE, ROOT, run

sys.path.insert(0, str(ROOT / "tests/guest"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from parsers import Parser  # noqa: E402
from truth import cases  # noqa: E402

KERNELS = ["6.1", "6.12", "7.2"]
CASES = list(cases())


@pytest.fixture(scope="module")
def base():
    """Where the abi files of 5.0.2 are."""
    return Parser("5.0").base


def word(outcome):
    return "k" if outcome == "refused, killed" else "y" if outcome.startswith("allowed") else "n"


@pytest.mark.parametrize("case,row,text", CASES, ids=[c[0] for c in CASES])
def test_what_is_answered_is_what_kernels_did(base, tmp_path, case, row, text):
    file = tmp_path / "p"
    file.write_text(text)
    wanted = [a for _, accesses, _ in row.tried for a in accesses]
    if not wanted:
        return  # there is no word for it
    for at, kernel in enumerate(KERNELS):
        got = run([PALE, "sim", file, "--profile", "t", "-I", base, "--features", ROOT / "tests/guest/features" / kernel, *wanted])
        answers = iter(got.out.splitlines())
        for words, accesses, want in row.tried:
            said = [word(next(answers, "none").split("  ")[0]) for _ in accesses]
            one = next((w for w in said if w != "y"), "y")
            assert not accesses or want[at] in ("-", one), (kernel, words, got)
