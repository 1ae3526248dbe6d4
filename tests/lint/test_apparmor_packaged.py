# SPDX-License-Identifier: Apache-2.0
"""What the linter says of the profiles that Debian packages: every access of a finding is confirmed by
`pale sim`, and how many findings there are of each rule is known."""
import json
import re
import sys
from collections import Counter

import pytest

from cases import outcomes
from conftest import PALE, ROOT, run
from test_apparmor_rules import ACCESS

sys.path.insert(0, str(ROOT / "tests" / "apparmor"))
import packaged  # noqa: E402

# Findings by rule: each was looked at. Of errors and highs none may be wrong.
COUNTS = {
    "3.0": {"AP202": 5, "AP204": 8, "AP208": 8, "AP209": 5, "AP210": 7, "AP211": 5, "AP213": 45, "AP228": 2,
            "AP243": 2, "AP301": 8, "AP303": 2, "AP304": 33, "AP306": 2, "AP308": 3, "AP309": 1, "AP311": 1, "AP313": 43,
            "AP314": 7, "AP318": 2, "AP319": 24, "AP321": 18, "AP322": 21, "AP325": 7, "AP326": 1},
    "5.0": {"AP202": 5, "AP204": 8, "AP208": 8, "AP209": 5, "AP210": 7, "AP211": 5, "AP213": 45, "AP228": 2,
            "AP243": 2, "AP301": 8, "AP303": 2, "AP304": 33, "AP306": 1, "AP308": 3, "AP309": 1, "AP310": 2, "AP311": 11,
            "AP313": 43, "AP314": 7, "AP318": 2, "AP319": 24, "AP321": 18, "AP322": 21, "AP325": 7, "AP326": 1},
}

# Rules about what rules mean together: those that find nothing there count, too.
MEANING = {f"AP{n}" for n in (201, 202, 204, *range(207, 215), 219, 226, 227, 228, 230, 243)}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """As on a system: what a package's scripts make in local/ is there, and empty."""
    out = tmp_path_factory.mktemp("apparmor.d")
    packaged.profiles_into(out)
    for f in [p for p in out.rglob("*") if p.is_file()]:
        for name in re.findall(r"include (?:if exists )?<(local/[^>]+)>", f.read_text(errors="replace")):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).touch()
    return out


@pytest.fixture(scope="module", params=sorted(COUNTS))
def linted(base, request):
    """(release, file -> findings)"""
    files = sorted(p for d in (base, base / "extra", base / "libvirt") for p in d.iterdir() if p.is_file())
    r = run([PALE, "lint", "--format", "json", "-I", base, "--target", f"apparmor={request.param}", *files], check=1)
    by_file = {}
    for f in json.loads(r.out)["findings"]:
        by_file.setdefault(f["file"], []).append(f)
    return request.param, by_file


def profiles_of(pale, base, release, file):
    """The names that --profile takes, which it says of one that there is not."""
    r = pale("sim", "-I", base, "--target", f"apparmor={release}", "--profile", "none", file, "cap chown")
    return re.findall(r"'([^']+)'", r.err.split("--profile NAME:")[1])


def test_every_access_that_a_finding_shows_is_so(pale, base, linted):
    """Of one of the file's profiles: a finding is about one."""
    release, by_file = linted
    wrong, asked = [], 0
    for file, findings in by_file.items():
        left = {x for f in findings for x in ACCESS.findall(f["message"])}
        for name in profiles_of(pale, base, release, file) if left else []:
            order = sorted(left)
            if not order:
                break
            got = outcomes(pale("sim", "-I", base, "--target", f"apparmor={release}", "--profile", name, file,
                                *[a for a, _ in order]).out)
            asked += len(order)
            left -= {(a, o) for a, o in order if got[a] == {o}}
        wrong += [(file, x) for x in left]
    assert not wrong
    assert asked > 100


def test_how_many_findings_there_are_of_each_rule(linted):
    release, by_file = linted
    got = Counter(f["id"] for found in by_file.values() for f in found)
    assert dict(sorted((k, v) for k, v in got.items() if k.startswith("AP3") or k in MEANING)) == COUNTS[release]
