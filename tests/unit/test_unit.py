# SPDX-License-Identifier: Apache-2.0
"""Each tests/unit/test_*.c is a cmocka program of its own."""
import pathlib

import pytest

from conftest import PATIENCE, program, run

SOURCES = sorted(p.stem for p in pathlib.Path(__file__).parent.glob("test_*.c"))


@pytest.mark.parametrize("name", SOURCES)
def test_unit(name):
    r = run([program(f"unit/{name}")], timeout=PATIENCE)
    assert r.rc == 0, r
    assert "[  PASSED  ]" in r.err + r.out and " 0 test(s)" not in r.err + r.out, r
