# SPDX-License-Identifier: Apache-2.0
"""Each runtime of `make deps-runtimes`, the seven that pale's predictions are measured with."""
import pytest

from conftest import run
from runtimes import ROWS, fetched


@pytest.mark.once
@pytest.mark.parametrize("row", ROWS)
def test_each_runtime_says_that_it_is_the_one_named(row):
    rt = fetched(row)
    said = run([rt.program, "--version"], check=0).out
    assert f"{rt.kind} version {row.split('-')[1]}" in said.replace("+", " "), said
    assert rt.full.startswith(row + "+libseccomp-2."), rt.full
