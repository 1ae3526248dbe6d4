# SPDX-License-Identifier: Apache-2.0
"""pale lint --format: every form says the same findings, is valid by its own rules, and shows
nothing raw that a terminal, a browser or a parser would obey."""
import json
import os
import re
import subprocess
import urllib.parse
import xml.etree.ElementTree as ET

import pytest

from cases import entry, profile
from conftest import BUILD, ROOT, need, run, skip

FORMATS = re.search(r'^OPTION\(LINT_FORMAT, 0, "format", "([^"]+)"', (ROOT / "compiler/cmd/options.def").read_text(),
                    re.M).group(1).split("|")
SEED = "profiles/found/seccomp-profile.json"
OUT = ROOT / "compiler" / "lint" / "out"
SCHEMAS = {"json": OUT / "findings.schema.json", "sarif": ROOT / "tests/lint/schema/sarif-2.1.0.json"}
LEVELS = {"error": "error", "high": "error", "warning": "warning", "info": "note"}


def lint(pale, form, *args, **kw):
    return pale("lint", "--runtime", "any", "--format", form, *args, cwd=ROOT, **kw)


def document(pale, *args, **kw):
    return json.loads(lint(pale, "json", *args, **kw).out)


def sarif_run(text):
    return json.loads(text)["runs"][0]


def placed(text, form):
    """What a form says, as a sorted list of (file, line, column or None, rule)."""
    found = []
    if form in ("gcc", "concise"):
        rule = r"\[(\w+)\]$" if form == "gcc" else r"^[^:]+:\d+:\d+: \w+ (\w+): "
        for line in text.splitlines():
            file, row, column = re.match(r"([^:]+):(\d+):(\d+): ", line).groups()
            found.append((file, int(row), int(column), re.search(rule, line).group(1)))
    elif form == "text":
        for m in re.finditer(r"^([^:\n]+):(\d+):(\d+): \w+: .* \[(\w+) [\w-]+\]$", text, re.M):
            found.append((m[1], int(m[2]), int(m[3]), m[4]))
    elif form == "json":
        found = [(f["file"], f["line"], f["column"], f["id"]) for f in json.loads(text)["findings"]]
    elif form == "sarif":
        r = sarif_run(text)
        for x in r["results"]:
            where = x["locations"][0]["physicalLocation"]
            at = where["region"]
            assert r["tool"]["driver"]["rules"][x["ruleIndex"]]["id"] == x["ruleId"]
            found.append((where["artifactLocation"]["uri"], at["startLine"], at["startColumn"], x["ruleId"]))
    elif form == "github":
        for line in text.splitlines():
            m = re.match(r"::(?:error|warning|notice) file=([^,:]+),line=(\d+),.*title=(\w+) ", line)
            found.append((m[1], int(m[2]), None, m[3]))
    elif form == "gitlab":
        found = [(i["location"]["path"], i["location"]["lines"]["begin"], None, i["check_name"])
                 for i in json.loads(text)]
    elif form == "junit":
        for case in ET.fromstring(text).iter("testcase"):
            if case.get("line"):
                found.append((case.get("file"), int(case.get("line")), None, case.get("name").split()[0]))
    elif form == "checkstyle":
        for f in ET.fromstring(text).iter("file"):
            found += [(f.get("name"), int(e.get("line")), int(e.get("column")), e.get("source").removeprefix("pale."))
                      for e in f.iter("error")]
    return sorted(found, key=str)


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_says_the_same_findings(pale, form):
    files = [SEED, "profiles/found/docker-default.json", "profiles/examples/nginx.pale"]
    files = [f for f in files if (ROOT / f).exists()]
    want = placed(lint(pale, "json", *files, check=1).out, "json")
    got = placed(lint(pale, form, *files, check=1).out, form)
    assert len(want) > 20
    if got and got[0][2] is None:
        want = sorted([(f, line, None, rule) for f, line, _, rule in want], key=str)
    assert got == want


def test_the_table_has_the_formats_that_the_option_has():
    assert re.findall(r"^FORMAT\((\w+),", (OUT / "formats.def").read_text(), re.M) == FORMATS


@pytest.mark.parametrize("form", SCHEMAS)
def test_documents_hold_to_their_schema(pale, form, tmp_path):
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    check = jsonschema.Draft202012Validator(json.loads(SCHEMAS[form].read_text()))
    broken = tmp_path / "broken.json"
    broken.write_text('{"defaultAction": 1, "syscalls": [{"nmaes": ["read"]}]}')
    fixable = tmp_path / "fixable.json"
    fixable.write_text(profile(entry("raed", "read")))
    for files, rc in (([SEED], 1), ([broken], 1), ([fixable], 1), (["no-such-file"], 3), (["profiles/sets/libc.pale"], 0)):
        text = lint(pale, form, *files, check=rc).out
        errors = [f"{list(e.absolute_path)}: {e.message}"[:300] for e in check.iter_errors(json.loads(text))]
        assert not errors, (files, errors)
    assert not check.is_valid({"version": 2})


def test_sarif_has_what_github_asks_for(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(profile(entry("raed", "ptrace"), arches=["x86_64"]))
    r = sarif_run(lint(pale, "sarif", "--rule-pages", "https://docs.example/rules", path, check=1).out)
    assert r["columnKind"] == "unicodeCodePoints"
    results = {x["ruleId"]: x for x in r["results"]}
    rules = {x["id"]: x for x in r["tool"]["driver"]["rules"]}
    assert set(results) == set(rules)
    for x in r["results"]:
        assert re.fullmatch("[0-9a-f]{16}", x["partialFingerprints"]["paleFinding/v1"])
        assert x["level"] == LEVELS[x["properties"]["severity"]] and x["suppressions"] == []
    for rule in rules.values():
        tags = rule["properties"]["tags"]
        assert len(tags) <= 20 and ("security" in tags) == ("security-severity" in rule["properties"])
        assert rule["helpUri"] == f"https://docs.example/rules/{rule['id']}.md"
    assert 7 <= float(rules["SR205"]["properties"]["security-severity"]) < 9
    [fixed] = [x for x in r["results"] if "fixes" in x and x["ruleId"] == "SJ009"]
    [edit] = fixed["fixes"][0]["artifactChanges"][0]["replacements"]
    at = edit["deletedRegion"]
    line = path.read_text().splitlines()[at["startLine"] - 1]
    assert line[at["startColumn"] - 1:at["endColumn"] - 1] == "x86_64" and edit["insertedContent"]["text"] == "SCMP_ARCH_X86_64"


def test_pages_have_a_url(pale):
    r = lint(pale, "sarif", "--rule-pages", "docs/rules", SEED, check=2)
    assert "'--rule-pages' takes a URL" in r.err and not r.out


def test_columns_of_sarif_count_code_points_and_names_are_uris(pale, tmp_path):
    path = tmp_path / "ä b:c#%.json"
    path.write_text('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"comment": "\U0001F600é", "names": ["ptrace"], '
                    '"action": "SCMP_ACT_ALLOW"}]}', encoding="utf-8")
    r = sarif_run(lint(pale, "sarif", path, check=1).out)
    [x] = [x for x in r["results"] if x["ruleId"] == "SR205"]
    where = x["locations"][0]["physicalLocation"]
    uri = urllib.parse.urlparse(where["artifactLocation"]["uri"])
    assert uri.scheme == "file" and urllib.parse.unquote(uri.path) == str(path) and not uri.fragment
    at = where["region"]
    assert path.read_text()[at["startColumn"] - 1:at["endColumn"] - 1] == '"ptrace"'
    rel = sarif_run(pale("lint", "--format", "sarif", "./ä b:c#%.json", cwd=tmp_path).out)
    assert {x["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for x in rel["results"]} == \
        {"%C3%A4%20b%3Ac%23%25.json"}


def prints(doc):
    return sorted((f["id"], f["fingerprint"]) for f in doc["findings"])


def test_fingerprints_stay_when_lines_move_and_change_with_what_is_found(pale, tmp_path):
    path = tmp_path / "p.json"
    text = profile(entry("ptrace", "read"), entry("bpf", args=[]), entry("mount"))
    path.write_text(text)
    before = document(pale, path)
    path.write_text("\n\n" + json.dumps(json.loads(text), indent=7).replace("[\n", "[\n\n"))
    moved = document(pale, path)
    assert prints(moved) == prints(before) and len(set(prints(before))) == len(prints(before)) > 3
    assert [f["line"] for f in moved["findings"]] != [f["line"] for f in before["findings"]]
    path.write_text(text.replace('"read"', '"process_vm_writev"'))
    wider = document(pale, path)
    old, new = (next(f for f in d["findings"] if f["id"] == "SR205") for d in (before, wider))
    assert "process_vm_writev" in new["message"] and old["fingerprint"] != new["fingerprint"]


def test_errors_beyond_those_that_are_kept_are_told_in_every_form(pale, tmp_path):
    path = tmp_path / "p.pale"
    path.write_text("policy p {\n\tarch x86_64;\n\tdefault kill;\n" + "\tallow no_such_call;\n" * 1 +
                    "".join(f"\tallow nosuch{i};\n" for i in range(50)) + "}\n")
    for form in FORMATS:
        assert re.search(r"\b31 more errors are not shown", lint(pale, form, path, check=1).out), form


HOSTILE = "a\x1b[31m\u202eb&<\"'>%0A::error::]]>\uffff\x7f"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_of_a_hostile_name_is_raw(pale, form, tmp_path):
    name = HOSTILE.replace("/", "") + "\n::error::x.json"
    path = os.fsencode(tmp_path) + b"/" + name.encode() + b"\xff"
    with open(path, "w") as f:
        json.dump({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                   "syscalls": [{"names": [HOSTILE + "\n::error::y", "ptrace"], "action": "SCMP_ACT_ALLOW"}]}, f)
    r = run([os.environ.get("PALE", pale.path), "lint", "--runtime", "any", "--format", form, os.fsdecode(path)], check=1)
    assert not RAW.search(r.out), r
    r.out.encode("utf-8")  # no byte that is not UTF-8
    if form in ("junit", "checkstyle"):
        root = ET.fromstring(r.out)
        shown = [v for e in root.iter() for v in [*e.attrib.values(), e.text or ""]]
        assert any("&<\"'>" in v and "\\x1b[31m" in v for v in shown)
    elif form in ("json", "sarif", "gitlab"):
        json.loads(r.out)
    elif form == "github":
        assert all(re.match(r"::(error|warning|notice) file=[^:,]*,line=\d", line) for line in r.out.splitlines())
    else:
        assert not re.search(r"^::error", r.out, re.M)


@pytest.mark.parametrize("form, names", [
    ("github", r"file=([^,]*),"), ("gitlab", r'"path": ?"([^"]*)"'), ("sarif", r'"uri": ?"([^"]*\.json)"')])
def test_files_of_a_folder_are_named_as_their_repository_has_them(pale, tmp_path, form, names):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/p.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}')
    for asked in (".", "./", ".//a", "a"):
        assert set(re.findall(names, pale("lint", "--format", form, asked, cwd=tmp_path).out)) == {"a/p.json"}, asked


def test_sarif_beyond_what_github_takes_is_counted_aloud(pale, tmp_path):
    path = tmp_path / "p.pale"
    path.write_text("policy p {\n\tlevel linux 6.18;\n\tarch x86_64;\n\tdefault errno EPERM;\n\tallow read;\n" +
                    "\tallow ptrace;\n" * 2 + "}\n")
    one = len(document(pale, path)["findings"])
    copies = 25000 // one + 10
    r = lint(pale, "sarif", *[path] * copies, check=1)
    doc = sarif_run(r.out)
    left = copies * one - 25000
    assert len(doc["results"]) == 25000 and left > 0
    told = doc["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert told.startswith(f"{left} more findings") and f"{left} more findings" in r.err


def test_one_finding_with_many_places_has_all_of_them(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(profile(*[entry(f"nosuchcall{i}") for i in range(40)], entry("read")))
    [f] = [f for f in document(pale, path)["findings"] if f["id"] == "SC101"]
    assert len([n for n in f["notes"] if n["message"] == "here"]) == 39
    text = lint(pale, "text", path).out
    part = text[text.index("[SC101"):]
    part = part[:part.index("\n\n")]
    assert part.count("here") == 3 and "here, and further down" in part
    x = [x for x in sarif_run(lint(pale, "sarif", path).out)["results"] if x["ruleId"] == "SC101"][0]
    assert len(x["relatedLocations"]) == 39


def multitool():
    """Microsoft's validator, from npm, once a tree."""
    root = BUILD / "sarif-multitool"
    tool = root / "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
    if not tool.exists():
        r = subprocess.run([need("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", root,
                            "@microsoft/sarif-multitool@5.7.0"], capture_output=True, text=True, timeout=600)
        if not tool.exists():
            skip(f"could not be had: @microsoft/sarif-multitool from npm: {r.stderr[-200:]}")
    tool.chmod(0o755)
    return tool


@pytest.mark.once
def test_microsofts_multitool_finds_nothing_wrong(pale, tmp_path):
    if not os.environ.get("PALE_LONG"):
        skip("PALE_LONG: 30 MB from npm")
    tool = multitool()
    hostile = tmp_path / "a b.json"
    hostile.write_text(profile(entry("raed", "ptrace", HOSTILE)))
    for i, files in enumerate(([SEED], [hostile], ["profiles/sets/libc.pale"])):
        log, out = tmp_path / f"{i}.sarif", tmp_path / f"{i}.out"
        log.write_text(lint(pale, "sarif", "--rule-pages", "https://docs.example/rules/", *files).out)
        r = run([tool, "validate", "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning", "--output", out, log], timeout=300)
        found = sarif_run(out.read_text())["results"]
        assert r.rc == 0 and not found, r
    log.write_text(log.read_text().replace('"ruleIndex"', '"ruleIdx"').replace('"version":"2.1.0"', '"version":"2"'))
    assert "error" in run([tool, "validate", log], timeout=300).out
