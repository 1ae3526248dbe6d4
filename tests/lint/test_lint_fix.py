# SPDX-License-Identifier: Apache-2.0
"""pale lint --fix: each rule that fixes makes of its case the text beside it, `pale diff` says of the two what
was announced, layout stays, a second run changes nothing, and no file is lost."""
import ctypes
import json
import os
import select
import subprocess

import pytest

from cases import APPARMOR_CASES, BASE, CASES, RULES, open_, profile, entry
from conftest import PALE, PATIENCE, ROOT, run

WORDS = {"different errno": "errno", "different record": "errno", "different_errno": "errno", "different_record": "errno"}
EXT = {"profile": "json", "policy": "pale", "apparmor": "aa"}
FIXED = sorted(RULES.glob("*/fixed-*"))


def case(path):
    """rule, kind, the options that its case is linted with."""
    rule, kind = path.parent.name, path.stem.partition("-")[2]
    options = {"profile": CASES, "apparmor": APPARMOR_CASES}.get(kind, {}).get(rule, [[]])[-1]
    if kind == "apparmor":
        return rule, kind, ["-I", str(BASE), *options]
    return rule, kind, options if any("runtime" in o for o in options) else ["--runtime", "any", *options]


def findings(pale, path, *options):
    return json.loads(pale("lint", "--format", "json", *options, path).out)["findings"]


def announced(found):
    return {f["fixes"][0]["change"] for f in found if "fixes" in f}


def changes(pale, kind, options, a, b):
    """What `pale diff` says of two texts: its words; None: it does not read one of them."""
    own = [o for o in options if o not in ("--runtime", "any")] if kind != "apparmor" else options
    r = pale("diff", "--format", "json", *own, a, b)
    if r.rc not in (0, 1) or not r.out:
        return None
    doc = json.loads(r.out)
    return {WORDS.get(c["change"], c["change"]) for c in doc["changes"] + doc["resources"]}


@pytest.mark.parametrize("half", range(4))
def test_a_case_becomes_what_stands_beside_it_and_means_what_was_announced(pale, tmp_path, half):
    for fixed in FIXED[half::4]:
        rule, kind, options = case(fixed)
        bad, path = RULES / rule / f"bad-{kind}.{EXT[kind]}", tmp_path / f"{rule}.{EXT[kind]}"
        path.write_bytes(bad.read_bytes())
        own = [f for f in findings(pale, path, *options) if f["id"] == rule]
        r = pale("lint", "--fix=unsafe", "--select", rule, *options, path)
        assert path.read_bytes() == fixed.read_bytes() and f"made: {rule}" in r.err, (rule, r)
        pale("lint", "--fix=unsafe", "--select", rule, *options, path)
        assert path.read_bytes() == fixed.read_bytes(), rule
        found, word = changes(pale, kind, options, bad, fixed), announced(own)
        if word <= {"same"}:
            assert not found, (rule, found)
        elif found is not None and not word & {"read", "other"}:
            assert found and found <= word, (rule, word, found)


def test_the_list_of_rules_says_which_fix(pale):
    listed = {r["id"]: r.get("fix") for r in json.loads(pale("lint", "--list-rules", "--format", "json").out)["rules"]}
    assert {i for i, fix in listed.items() if fix} == {f.parent.name for f in FIXED}
    assert len({f.parent.name for f in FIXED}) >= 40
    assert set(listed.values()) == {None, "safe", "unsafe"}


PRETTY = """{
	"defaultAction": "SCMP_ACT_ERRNO",
	"architectures": [ "SCMP_ARCH_X86_64" ],

	"syscalls": [
		{
			"names": ["read",   "write", "read",
				"openat", "sigwait"],
			"action": "SCMP_ACT_ALLOW",
			"comment": "as it \\u0077as"
		}, { "action": "SCMP_ACT_ALLOW", "names": ["openat"] }
	]
}"""


def test_all_else_of_the_text_stays_to_the_byte(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(PRETTY)
    path.chmod(0o640)
    r = pale("lint", "--runtime", "any", "--fix", "--ignore", "SC128,SC129,SC140,SC16,SC127", path)
    assert "p.json: 3 fixes made: SC102, SC106, SC107" in r.err, r
    want = PRETTY.replace('"write", "read",\n', '"write",\n').replace(', "sigwait"', "")
    assert path.read_text() == want.replace('}, { "action": "SCMP_ACT_ALLOW", "names": ["openat"] }', "}")
    assert path.stat().st_mode & 0o777 == 0o640


def test_only_what_is_unsafe_and_asked_for_takes_a_right(pale, tmp_path):
    path, text = tmp_path / "p.json", open_("read", "ptrace")
    path.write_text(text)
    assert pale("lint", "--fix", "--runtime", "any", path, check=1).out and path.read_text() == text
    pale("lint", "--fix=unsafe", "--select", "SR205", "--runtime", "any", path, check=0)
    assert path.read_text() == open_("read")


def test_a_patch_is_printed_which_patch_takes(pale, tmp_path):
    path, text = tmp_path / "p.json", PRETTY
    path.write_text(text)
    r = pale("lint", "--diff", "--runtime", "any", "p.json", check=1, cwd=tmp_path)
    assert path.read_text() == text and r.out.startswith("--- a/p.json\n+++ b/p.json\n@@ -")
    subprocess.run(["git", "apply", "--recount", "-"], input=r.out, text=True, cwd=tmp_path, check=True)
    patched = path.read_text()
    assert patched != text and not pale("lint", "--diff", "--runtime", "any", path, check=0).out
    path.write_text(text)
    pale("lint", "--fix", "--runtime", "any", path)
    assert path.read_text() == patched


def test_standard_input_becomes_standard_output(pale):
    r = pale("lint", "--fix", "--runtime", "any", "--stdin-filename", "x.json", "-", input=PRETTY, check=1)
    assert "sigwait" not in r.out and '"comment": "as it' in r.out and "x.json" in r.err
    assert pale("lint", "--diff", "--runtime", "any", "-", input=r.out, check=0).out == ""
    aa = "abi <abi/5.0>,\nprofile p /bin/p {\n\t/a r,\n\t/a r,\n}\n"
    r = pale("lint", "--fix", "-I", BASE, "-", input=aa)
    assert r.out == aa.replace("\t/a r,\n", "", 1)


def test_what_is_suppressed_known_or_included_stays(pale, tmp_path):
    text = "abi <abi/5.0>,\nprofile p /bin/p {\n\t/a r,\n\t/a r, # pale: ignore AP204 as it is generated\n}\n"
    path = tmp_path / "p.aa"
    path.write_text(text)
    pale("lint", "--fix=unsafe", "--ignore", "AP211,AP212", "-I", BASE, path)
    assert path.read_text() == text
    (tmp_path / "inc").write_text("/a r,\n/a r,\n")
    path.write_text(f'abi <abi/5.0>,\nprofile p /bin/p {{\n\tinclude "{tmp_path}/inc"\n}}\n')
    pale("lint", "--fix", "-I", BASE, path)
    assert (tmp_path / "inc").read_text() == "/a r,\n/a r,\n"
    path.write_text(text.replace("# pale: ignore AP204 as it is generated", ""))
    pale("lint", "--write-baseline", tmp_path / "known", "-I", BASE, path)
    before = path.read_text()
    pale("lint", "--baseline", tmp_path / "known", "--fix", "-I", BASE, path)
    assert path.read_text() == before


def test_what_pale_toml_says_counts_for_fixes_too(pale, tmp_path):
    case = RULES / "AP204"
    (tmp_path / "pale.toml").write_text(f'[lint]\ninclude = ["{BASE}"]\nselect = ["AP204"]\n')
    (tmp_path / "p.aa").write_bytes((case / "bad-apparmor.aa").read_bytes())
    r = pale("lint", "--fix", "p.aa", cwd=tmp_path)
    assert (tmp_path / "p.aa").read_bytes() == (case / "fixed-apparmor.aa").read_bytes(), r


def test_a_fix_that_is_not_proved_is_not_made_and_that_is_said(pale, tmp_path):
    path = tmp_path / "p.aa"
    path.write_text("profile p /bin/p {\n\t/bin/p mrix,\n}\n")
    text = path.read_text()
    (tmp_path / "abi").mkdir()
    (tmp_path / "abi/5.0").write_text("x" * 10_000_000)  # more than what is read of features
    r = pale("lint", "--fix=unsafe", "--select", "AP215", "-I", tmp_path, path)
    assert path.read_text() == text and "AP215 abi-missing is not proved, and not made: " in r.err, r


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "p.json"
    text = profile(*[entry("read", "write", "read", "openat", args=[{"index": 2, "op": "SCMP_CMP_NE", "value": i}])
                     for i in range(250)])
    path.write_text(text)
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_CLOEXEC)
    assert libc.inotify_add_watch(fd, os.fsencode(path), 0x10) >= 0  # IN_CLOSE_NOWRITE: it was read
    p = subprocess.Popen([PALE, "lint", "--fix", "--runtime", "any", path], stdout=-1, stderr=-1, text=True)
    assert select.select([fd], [], [], 60)[0]
    os.close(fd)
    path.write_text(text + "\n")
    out, err = p.communicate(timeout=PATIENCE)
    assert p.returncode == 3 and "PL433" in err and "was changed while it was looked at" in err, (out[-500:], err)
    assert path.read_text() == text + "\n"


def test_links_are_followed(pale, tmp_path):
    path, link = tmp_path / "p.json", tmp_path / "link.json"
    path.write_text(PRETTY)
    link.symlink_to("p.json")
    pale("lint", "--fix", "--runtime", "any", link)
    assert link.is_symlink() and "sigwait" not in path.read_text()


def test_what_cannot_be_written_is_told_and_stays(open_dir):
    folder = open_dir / "d"
    folder.mkdir(mode=0o755)
    (folder / "p.json").write_text(PRETTY)
    argv = [PALE, "lint", "--fix", "--runtime", "any", folder / "p.json"]
    if os.geteuid() == 0:
        argv = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *argv]
    else:
        folder.chmod(0o500)
    r = run(argv, check=3)
    folder.chmod(0o755)
    assert (folder / "p.json").read_text() == PRETTY and "Permission denied" in r.err, r


def test_what_it_cannot_be_told_to_do_is_wrong_usage(pale, tmp_path):
    assert "takes one of safe, unsafe" in pale("lint", "--fix=all", "x", check=2).err
    assert "no other files" in pale("lint", "--fix", "-", "x", check=2, input="").err
    assert "--write-baseline" in pale("lint", "--fix", "--write-baseline", tmp_path / "b", "x", check=2).err


def test_edits_are_in_json_and_sarif(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(PRETTY)
    f, = (f for f in findings(pale, path, "--runtime", "any") if f["id"] == "SC102")
    edit, = f["fixes"][0]["edits"]
    was = path.read_bytes()
    assert f["fixes"][0]["safety"] == "safe" and was[edit["begin"]:edit["end"]] == b', "sigwait"'
    doc = json.loads(pale("lint", "--runtime", "any", "--format", "sarif", path).out)
    fixes = [r["fixes"] for r in doc["runs"][0]["results"] if r["ruleId"] == "SC102"]
    assert fixes[0][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] == ""
