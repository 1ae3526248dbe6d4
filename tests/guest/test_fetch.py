# SPDX-License-Identifier: Apache-2.0
"""An archive that does not answer is the reason why a guest is skipped, and takes none away."""
import os

import pytest

from conftest import ROOT, need, run

FETCH = ROOT / "tests" / "guest" / "fetch.sh"
# Nobody listens there: whatever is asked of an archive over the network is refused at once.
NOWHERE = {**os.environ, **{f"{p}_proxy": "http://127.0.0.1:9" for p in ("http", "https")}, "no_proxy": ""}

pytestmark = pytest.mark.once


def fetch(cache, *options, name="sid"):
    need("apt-get")
    return run(["sh", FETCH, *options, cache, name], env=NOWHERE, check=0)


@pytest.mark.parametrize("name", ["sid", "forky"])  # forky: a parser alone
def test_an_archive_that_does_not_answer_is_the_reason(tmp_path, name):
    r = fetch(tmp_path, name=name)
    reason = (tmp_path / name / "skipped").read_text()
    assert f"has no lists of {name}" in reason or "knows no Debian archive" in reason, reason
    assert f"guest: {name}: could not be had, {reason.strip()}" in r.out, r
    assert not (tmp_path / name / "name").exists()


def test_what_is_there_stays_where_it_cannot_be_renewed(tmp_path):
    (tmp_path / "sid").mkdir()
    (tmp_path / "sid" / "name").write_text("linux 7, apparmor 5\n")
    r = fetch(tmp_path, "--newest")
    assert "could not be renewed" in r.out and "linux 7, apparmor 5 stays" in r.out, r
    assert (tmp_path / "sid" / "name").read_text() == "linux 7, apparmor 5\n"
    assert fetch(tmp_path).out == "", "without --newest nobody is asked"
