# SPDX-License-Identifier: Apache-2.0
"""The parser's own simple tests, which say what it is to accept: pale's answer for release 5.0."""
import collections
import os
import re

import pytest

from conftest import PATIENCE, run, shared

FALSE_ACCEPTS, FALSE_REJECTS = 2, 8


@pytest.fixture
def corpus(tmp_path):
    """Where the parser's own tests run: their names hold relative paths."""
    where = tmp_path / "tst"
    where.mkdir()
    os.symlink(shared("data", "apparmor-simple-tests"), where / "simple_tests")
    return where


def expected(where):
    """File -> is it to be accepted? Those that the corpus itself marks as not working are left out."""
    want = {}
    for file in sorted((where / "simple_tests").rglob("*.sd")):
        text = file.read_text(errors="replace")
        if re.search(r"^#=(TODO|DISABLED)", text, re.M):
            continue
        want[str(file.relative_to(where))] = re.search(r"EXRESULT\s+(PASS|FAIL)", text)[1] == "PASS"
    return want


def answers(pale, where, files, target):
    """File -> does pale say that this release takes it?"""
    out = run([pale.path, "check", "--target", f"apparmor={target}", "-I", "simple_tests", "--features",
               shared("data", "apparmor-features.all"), *files], cwd=where, timeout=PATIENCE).out
    got = dict(re.findall(r"^(\S+):\napparmor\S* +(ok|refused)", out, re.M))
    return {file: got.get(file) == "ok" for file in files}


def test_the_parsers_own_corpus(pale, corpus):
    want = expected(corpus)
    assert len(want) == 1147
    got = answers(pale, corpus, sorted(want), "5.0")
    accepts = [f for f in want if got[f] and not want[f]]
    rejects = [f for f in want if want[f] and not got[f]]
    by = collections.Counter(f.split("/")[1] for f in accepts + rejects)
    print("false accepts", accepts, "false rejects", rejects, dict(by))
    assert len(accepts) <= FALSE_ACCEPTS and len(rejects) <= FALSE_REJECTS
