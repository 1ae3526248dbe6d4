# SPDX-License-Identifier: Apache-2.0
"""pale lint: what a comment or a baseline keeps from being told, and what is said of those."""
import json
import os
import xml.etree.ElementTree as ET

import pytest

from cases import BASE, entry, policy, profile

REASON = "gdb is run in it"


@pytest.fixture
def lint(pale, tmp_path):
    """(rules told, rules suppressed, the document) of a text."""
    def call(text, name, *args, check=None):
        (tmp_path / name).write_text(text)
        r = pale("lint", "--runtime", "any", "-I", BASE, "--format", "json", *args, name, cwd=tmp_path, check=check)
        doc = json.loads(r.out)
        return [f["id"] for f in doc["findings"]], [f["id"] for f in doc["suppressed"]], doc
    return call


def messages(doc, rule="DS517"):
    return [f["message"] for f in doc["findings"] if f["id"] == rule]


@pytest.mark.parametrize("line", [
    "\tallow ptrace; # pale: ignore SR205 {}", "\t# pale: ignore SR205 {}\n\tallow ptrace;",
    "\t# pale: ignore SR205 {}\n\t# another comment\n\n\tallow ptrace;", "\tallow ptrace; # why not? pale: ignore SR2 {}",
    "\tallow ptrace; # pale: ignore risk-ptrace,SR212 {}\n\tallow chroot;"])
def test_a_comment_of_a_policy_suppresses_its_line_or_the_one_below(lint, line):
    told, suppressed, doc = lint(policy(line.format(REASON)), "p.pale")
    assert "SR205" not in told and "SR205" in suppressed
    [f] = [f for f in doc["suppressed"] if f["id"] == "SR205"]
    assert f["suppression"] == {"kind": "inline", "reason": REASON}


@pytest.mark.parametrize("line", [
    "\tallow ptrace;\n\t# pale: ignore SR205 x", "\t# pale: ignore SR205 x\n\tallow read;\n\tallow ptrace;",
    "\tallow read; # pale: ignore SR205 x\n\tallow ptrace;", "\tallow ptrace; # 'pale: ignore SR205 x' is how",
    "\tallow ptrace; # pale: ignored SR205 x"])
def test_a_comment_elsewhere_suppresses_nothing(lint, line):
    told, suppressed, doc = lint(policy(line), "p.pale", check=1)
    assert "SR205" in told and not suppressed
    assert ("DS517" in told) == ("ignore SR205 x" in line and "'pale" not in line)


def test_comments_of_apparmor_suppress_as_those_of_policies_do(lint):
    for text in ("profile p /bin/p {{\n  all, # pale: ignore AP302 {0}\n}}\n",
                 "profile p /bin/p {{\n  # pale: ignore AP302 {0}\n  all,\n}}\n"):
        told, suppressed, doc = lint(text.format(REASON), "p.aa")
        assert "AP302" in suppressed and not {"AP302", "DS517"} & set(told)


def test_the_comment_of_an_entry_of_json_suppresses_in_the_entry(lint):
    at = entry("ptrace", comment=f"as in Docker's; pale: ignore SR205 {REASON}")
    told, suppressed, doc = lint(profile(at, entry("chroot")), "p.json")
    assert "SR205" in suppressed and "SR212" in told and "DS517" not in told
    told, suppressed, doc = lint(profile(entry("ptrace"), {**at, "names": ["read"]}), "p.json", check=1)
    assert "SR205" in told and not suppressed and "DS517" in told


def test_a_finding_with_places_that_no_comment_covers_is_told(lint):
    note = f"pale: ignore SR205 {REASON}"
    both = [entry("ptrace", comment=note), entry("process_vm_readv")]
    told, suppressed, doc = lint(profile(*both), "p.json", check=1)
    assert "SR205" in told and messages(doc) == \
        ["'SR205', which is ignored here, is also found at places that no comment covers"]
    both[1]["comment"] = note
    told, suppressed, doc = lint(profile(*both), "p.json")
    assert "SR205" in suppressed and not messages(doc)


@pytest.mark.parametrize("words,said", [
    ("SR205", ["no reason is given for what is ignored here"]),
    ("", ["no rule and no reason is given for what is ignored here"]),
    ("SR2O5 x", ["'SR2O5', which is ignored here, is no rule"]),
    ("SR205,SC120 x", ["'SC120', which is ignored here, is not found here"]),
    ("SR205,,risk-ptrace x", []), (",SR205, x", [])])
def test_what_is_said_of_comments(lint, words, said):
    told, suppressed, doc = lint(policy(f"\tallow ptrace; # pale: ignore {words}"), "p.pale")
    assert messages(doc) == said
    if "SR2O5" in words:
        assert "did you mean 'SR205'?" in [f.get("help") for f in doc["findings"]]


def test_neither_errors_nor_findings_about_comments_are_suppressed(lint):
    told, _, _ = lint("# pale: ignore PL002,PL x\npolicy {\n}\n", "p.pale", check=1)
    assert told == ["PL002"]
    told, suppressed, _ = lint(policy("\tallow read; # pale: ignore DS517,SR205 x"), "p.pale", check=1)
    assert told.count("DS517") == 2 and not suppressed


def test_many_comments_are_bounded_and_told(lint):
    lines = "\t# pale: ignore SR205 x\n" * 5000
    told, _, doc = lint(policy(lines + "\tallow read;"), "p.pale", check=1)
    assert told.count("DS517") == 4097
    assert "4096 comments before this one ignore findings; no more are read" in messages(doc)


@pytest.mark.parametrize("form", ["text", "concise", "gcc", "github", "gitlab", "checkstyle"])
def test_forms_that_have_no_way_to_show_it_leave_it_out(pale, tmp_path, form):
    (tmp_path / "p.pale").write_text(policy(f"\tallow ptrace; # pale: ignore SR205 {REASON}"))
    r = pale("lint", "--runtime", "any", "--format", form, "--select", "SR205", "p.pale", cwd=tmp_path, check=0)
    assert "SR205" not in r.out
    if form == "text":
        assert r.out.startswith("p.pale: 0 findings, 1 suppressed; for ")


def test_sarif_and_junit_show_what_is_suppressed_and_why(pale, tmp_path):
    (tmp_path / "p.pale").write_text(policy(f"\tallow ptrace; # pale: ignore SR205 {REASON}\n\tallow chroot;"))
    args = ["lint", "--runtime", "any", "--select", "SR"]
    run = json.loads(pale(*args, "--format", "sarif", "p.pale", cwd=tmp_path, check=1).out)["runs"][0]
    by_rule = {x["ruleId"]: x["suppressions"] for x in run["results"]}
    assert by_rule == {"SR205": [{"kind": "inSource", "justification": REASON}], "SR212": []}
    suite = ET.fromstring(pale(*args, "--format", "junit", "p.pale", cwd=tmp_path, check=1).out).find("testsuite")
    assert suite.get("skipped") == "1" and suite.get("failures") == "1"
    assert [s.get("message") for s in suite.iter("skipped")] == [REASON]


# ---- baselines ----

@pytest.fixture
def known(pale, tmp_path):
    """A folder with two files, and a baseline of both."""
    (tmp_path / "a.json").write_text(profile(entry("ptrace", "read")))
    (tmp_path / "p.pale").write_text(policy("\tallow chroot;"))
    r = pale("lint", "--runtime", "any", "--write-baseline", "base.json", "a.json", "./p.pale", cwd=tmp_path, check=0)
    assert "in the baseline" in r.out
    return tmp_path


def against(pale, where, *args, check=None):
    r = pale("lint", "--runtime", "any", "--baseline", "base.json", *args, cwd=where, check=check)
    return r


def test_what_is_in_the_baseline_does_not_count_and_what_is_new_does(pale, known):
    r = against(pale, known, "a.json", "p.pale", check=0)
    assert "SR205" not in r.out and not r.err
    text = json.loads((known / "a.json").read_text())
    text["syscalls"].insert(0, entry("chroot"))
    (known / "a.json").write_text("\n" + json.dumps(text, indent=5))
    doc = json.loads(against(pale, known, "--format", "json", "./a.json", "p.pale", check=1).out)
    assert [f["id"] for f in doc["findings"]] == ["SR212"] and doc["findings"][0]["file"] == "./a.json"
    assert {f["suppression"]["kind"] for f in doc["suppressed"]} == {"baseline"} and \
        "SR205" in {f["id"] for f in doc["suppressed"]}
    run = json.loads(against(pale, known, "--format", "sarif", "a.json", check=1).out)["runs"][0]
    assert {(x["ruleId"], x["baselineState"]) for x in run["results"]} >= {("SR212", "new"), ("SR205", "unchanged")}
    assert all(bool(x["suppressions"]) == (x["baselineState"] == "unchanged") for x in run["results"])


def test_another_call_under_the_same_rule_is_new(pale, known):
    (known / "a.json").write_text(profile(entry("ptrace", "process_vm_writev", "read")))
    doc = json.loads(against(pale, known, "--format", "json", "a.json", check=1).out)
    assert "SR205" in {f["id"] for f in doc["findings"]}


def test_findings_that_have_gone_are_told(pale, known):
    (known / "a.json").write_text(profile(entry("read")))
    r = against(pale, known, "--error-on", "none", "a.json", check=0)
    assert "of the baseline" in r.err and "--write-baseline leaves" in r.err
    assert not against(pale, known, "p.pale", check=0).err  # a.json was not looked at


def test_a_baseline_reads_by_lines_and_is_the_same_each_time(pale, known):
    text = (known / "base.json").read_text()
    doc = json.loads(text)
    assert doc["version"] == 1 and len(text.splitlines()) == len(doc["findings"]) + 2
    assert {f["file"] for f in doc["findings"]} == {"a.json", "p.pale"}
    pale("lint", "--runtime", "any", "--write-baseline", "base.json", "a.json", "p.pale", cwd=known, check=0)
    assert (known / "base.json").read_text() == text


def test_errors_of_a_text_are_in_no_baseline(pale, tmp_path):
    (tmp_path / "p.pale").write_text("policy {")
    r = pale("lint", "--write-baseline", "base.json", "p.pale", cwd=tmp_path, check=1)
    assert "PL002" in r.out and json.loads((tmp_path / "base.json").read_text())["findings"] == []


@pytest.mark.parametrize("text,said", [
    ("", "SJ001"), ("[]", "no version and no list"), ('{"version": 2, "findings": []}', "another than 1"),
    ('{"version": 1, "findings": [{"file": "x"}]}', "an entry needs"),
    ('{"version": 1, "findings": [{"file": "x", "fingerprint": "123456789abcdefg"}]}', "an entry needs"),
    ('{"version": 1, "findings": [7]}', "an entry needs")])
def test_what_is_no_baseline_is_wrong_usage_with_a_place(pale, known, text, said):
    (known / "base.json").write_text(text)
    r = against(pale, known, "a.json", check=2)
    assert said in r.err and "base.json:1:" in r.err and not r.out


def test_a_baseline_is_written_whole_or_not_at_all(pale, known):
    before = (known / "base.json").read_bytes()
    r = pale("lint", "--write-baseline", "no/such/base.json", "a.json", cwd=known, check=3)
    assert "no/such" in r.err
    (known / "link.json").symlink_to("nowhere")
    pale("lint", "--write-baseline", "link.json", "a.json", cwd=known, check=3)
    assert (known / "base.json").read_bytes() == before and not os.path.exists(known / "nowhere")
    r = pale("lint", "--baseline", "base.json", "--write-baseline", "b.json", "a.json", cwd=known, check=2)
    assert "one of '--baseline' and '--write-baseline'" in r.err
    assert against(pale, known / "..", "x", check=3)
