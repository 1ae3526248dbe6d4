# SPDX-License-Identifier: Apache-2.0
"""What files of one run share (patterns read, parts decided, questions asked, places counted) changes nothing
of what is found in each."""
import json
import pathlib

from cases import findings_of

HERE = pathlib.Path(__file__).resolve().parent


def test_seccomp_profiles_of_one_run_have_the_findings_of_their_own(pale):
    files = sorted(str(p) for p in (HERE / "rules").glob("S[CR]*/*.json"))[::6]
    together = findings_of(pale, files)
    for i in range(0, len(files), 3):
        assert [together[i]] == findings_of(pale, [files[i]]), files[i]


def test_profiles_of_one_run_have_the_findings_of_their_own(pale):
    """What patterns have in common is asked once a run: also of those that a rule met the other way round before."""
    files = [str(p) for rule in ("AP202", "AP208", "AP210", "AP226", "AP235") for p in sorted((HERE / "rules" / rule).glob("*"))
             if p.name != "says"]
    options = ["-I", str(HERE / "base"), "--target", "apparmor=4.1"]
    alone = [findings_of(pale, [f], *options)[0] for f in files]
    assert len(files) > 8 and sum(map(bool, alone)) > 4
    assert findings_of(pale, files, *options) == alone
    assert findings_of(pale, files[::-1], *options) == alone[::-1]


def test_a_pattern_of_variables_is_another_with_other_values(pale, tmp_path):
    (tmp_path / "abs").write_text("@{WHERE}/** rw,\n@{WHERE}/run* rwix,\n")
    text = '@{{WHERE}}={value}\nprofile {name} /opt/{name} {{\n  include <abs>\n}}\n'
    files = []
    for name, value in ("one", "/srv/data"), ("two", "/etc"), ("three", "/srv/data /usr/bin"), ("four", "/srv/data"):
        files.append(str(tmp_path / name))
        pathlib.Path(files[-1]).write_text(text.format(name=name, value=value))
    options = ["-I", str(tmp_path), "--target", "apparmor=3.0"]
    together = findings_of(pale, files, *options)
    assert together == [findings_of(pale, [f], *options)[0] for f in files]
    assert len({json.dumps([[f["id"], f["message"]] for f in found]) for found in together}) > 1


def test_places_are_those_of_characters_and_not_of_bytes(pale, tmp_path):
    names = ["é" * n + "x" * (17 - n % 8) + str(n) for n in range(40)]
    path = tmp_path / "p.json"
    for line in "\n", "\r\n", " ":
        entry = ("," + line).join(json.dumps(n, ensure_ascii=False) for n in names)
        path.write_bytes(('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": [' + line + entry + "]," + line +
                          '"action": "SCMP_ACT_ALLOW"}]}').encode())
        data = path.read_bytes()
        found = findings_of(pale, [path])[0]
        places = [p for f in found for p in [f, *f.get("notes", [])] if "begin" in p]
        assert len(places) > 30
        for p in places:
            before = data[:p["begin"]].decode()
            assert p["line"] == before.count("\n") + 1, p
            assert p["column"] == len(before) - (before.rfind("\n") + 1) + 1, p
