# SPDX-License-Identifier: Apache-2.0
"""What rules for files are worth for the next run, on programs that are at hand (`make loop`: all)."""
import json
import os
import statistics
import sys

import pytest

from conftest import LONG, PALE, ROOT, need, need_root, run, skip

sys.path.insert(0, str(ROOT / "tests/loop"))
import jobs  # noqa: E402
import names  # noqa: E402
from recordings import Recording  # noqa: E402
from test_loop import installed  # noqa: E402


@pytest.mark.parametrize("glob, matches, no", [
    ("/srv/a*", ["/srv/a", "/srv/ab"], ["/srv/a/b", "/srv/b"]), ("/srv/**", ["/srv/a/b", "/srv/a/"], ["/srv/"]),
    ("@{run}/x.??", ["/run/x.ab"], ["/run/x.a/", "/run/x.abc"]), ("@{PROC}/@{pid}/fd/[0-9]*", ["/proc/1/fd/23"], ["/proc/x/fd/2"]),
    ("/srv/\\*\\[a\\{b", ["/srv/*[a{b"], ["/srv/x[a{b"]), ("/usr/lib/libc.so.*", ["/usr/lib/libc.so.6"], ["/usr/lib/libc.so"])])
def test_globs_of_proposals_are_read_as_they_are_meant(glob, matches, no):
    assert all(names.pattern(glob).fullmatch(p) for p in matches) and not any(names.pattern(glob).fullmatch(p) for p in no)


def test_paths_that_are_there_are_found_by_globs_and_links_are_none(tmp_path):
    (tmp_path / "d").mkdir()
    for name in ("a.so.1", "a.so.2", "b", "d/a.so.3"):
        (tmp_path / name).touch()
    (tmp_path / "a.so.4").symlink_to("a.so.1")
    assert names.there(f"{tmp_path}/a.so.*") == {f"{tmp_path}/a.so.1", f"{tmp_path}/a.so.2"}
    assert names.there(f"{tmp_path}/**") == {f"{tmp_path}/{n}" for n in ("a.so.1", "a.so.2", "b", "d/", "d/a.so.3")}
    assert names.there(f"{tmp_path}/?/") == {f"{tmp_path}/d/"}


def test_what_a_proposal_lacks_and_says_wrongly_is_counted(tmp_path):
    first = Recording(text='pale recording 1\nfile "/srv/a" r\t1:1\nfile "/srv/t.Ab3xYz" w gone\t1:1\nend 1 2\n')
    again = Recording(text='pale recording 1\nfile "/srv/a" rw owned\t1:1\nfile "/srv/b" wl\t1:1\nfile "/srv/t.Ab3xYz" w\t1:1\nend 1 3\n')
    policy = tmp_path / "p.pale"
    text = ("policy p {\n    program /srv/x;\n    layers apparmor;\n    file r /srv/a; # 1x\n    file w /srv/t.??????; # 1x: a random name, "
            "made anew each time; no other name like it\n    file rw /srv/t.*; # 1x: a library's version\n}\n")
    policy.write_text(text)
    assert names.refused(policy, first, tmp_path) == []
    assert names.refused(policy, again, tmp_path) == ["open owner /srv/a rw", "open other /srv/b w", "link other /srv/b /srv/b"]
    assert names.wrong(names.file_rules(text), first, again) == ["/srv/t.??????: /srv/t.Ab3xYz"]
    (tmp_path / "lib.1").touch()
    (tmp_path / "lib.2").touch()
    rules = [("r", f"{tmp_path}/lib.?", "1x: a library's version")]
    used = Recording(text=f'pale recording 1\nfile "{tmp_path}/lib.1" r\t1:1\nend 1 1\n')
    assert names.beyond(rules, used) == [f"{tmp_path}/lib.2"]
    wrote = Recording(text=f'pale recording 1\nfile "{tmp_path}/lib.1" w\t1:1\nend 1 1\n')
    assert names.beyond(rules, wrote) == [] and names.beyond([("r", f"{tmp_path}/lib.?", "1x")], used) == []


@pytest.mark.once
def test_what_is_done_again_is_allowed_by_what_was_learned_of_it(tmp_path, record_property):
    need_root()
    need("apparmor_parser")
    at_hand = [j.name for j in jobs.JOBS if (LONG or j.name == "git") and installed(j)]
    if not at_hand:
        skip("none of the loop's programs is installed")
    out = tmp_path / "names.json"
    r = run([sys.executable, ROOT / "tests/loop/names.py", "-k", ",".join(at_hand), "--load", 3 if LONG else 1, *["--many"] * LONG,
             "--json", out], env={**os.environ, "PALE": str(PALE)}, timeout=1800)
    assert r.rc == 0, r
    print(r.out)
    figures = json.loads(out.read_text())
    rows = {row["name"]: row for row in figures["jobs"]}
    assert set(rows) == set(at_hand)
    for name in {"git", "postgres"} & set(rows):
        assert not rows[name]["anew"] and not rows[name].get("left"), rows[name]
    assert not [row["wrong"] for row in rows.values() if row["wrong"]]
    assert not statistics.median(len(row["beyond"]) for row in rows.values())
    if LONG:
        assert figures["rsync"] <= 100 and figures["read"] == 1 and figures["parser"] < 1, figures
    record_property("figure", f"names, {len(rows)} programs: {sum(len(x['anew']) for x in rows.values())} accesses refused when all is done "
                              f"again, {sum(len(x.get('left', [])) for x in rows.values())} by servers that are started again")
