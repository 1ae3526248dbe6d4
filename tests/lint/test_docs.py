# SPDX-License-Identifier: Apache-2.0
"""The rules' pages, and what others use lint with: pre-commit's hooks, GitHub's problem matcher."""
import json
import os
import re
import subprocess

from cases import REFUSALS, entry, profile
from conftest import ROOT

MATCHER = ROOT / "compiler/lint/out/problem-matcher.json"
SEED = "profiles/found/seccomp-profile.json"


def rules(pale):
    return json.loads(pale("lint", "--list-rules", "--format", "json", check=0).out)["rules"]


def plain(markdown):
    return re.sub(r"\\([\\`*_\[\]<>|#~])", r"\1", markdown)


def test_every_rule_has_a_page_that_says_what_explain_says(pale, tmp_path):
    pale("lint", "--docs", tmp_path / "docs", check=0)
    table = rules(pale)
    assert {p.name for p in (tmp_path / "docs").iterdir()} == {f"{r['id']}.md" for r in table} | {"README.md"}
    index = (tmp_path / "docs/README.md").read_text()
    for r in table:
        page = (tmp_path / f"docs/{r['id']}.md").read_text()
        assert page.startswith(f"# {r['id']} {r['slug']}\n") and r"\n\n" not in r["explanation"]
        text = plain(page)
        assert r["summary"] in text and r["explanation"] in text and f"({r['severity']}; of {r['formats']})" in text
        assert f"[{r['id']}]({r['id']}.md) | {r['slug']} | {r['severity']} |" in index
        if r["id"] not in {"DS517", "SJ001", "SJ026"} | REFUSALS:
            assert ("# pale: ignore" in page) == (r["formats"] != "json")
            assert ('"comment": "pale: ignore' in page) == ("json" in r["formats"])
        assert not re.search(r"(?<!\\)[*_<>|]", re.sub(r"`[^`]*`|\]\([^)]*\)", "", page.split("\n", 1)[1])), page
    assert re.findall(r"^\| \[(\w+)\]", index, re.M) == [r["id"] for r in table]


def test_what_is_left_out_is_explained_as_no_rule(pale, tmp_path):
    """One table: an id and a slug of their own, a reason, and rules that it points to are there."""
    rows = re.findall(r'^LEFT_OUT\("(\w+)", "([\w-]+)", (".*?")\)$', (ROOT / "compiler/lint/left_out.def").read_text(), re.M | re.S)
    text = (ROOT / "compiler/lint/left_out.def").read_text()
    table = rules(pale)
    names = {r["id"] for r in table} | {r["slug"] for r in table}
    assert len(rows) == text.count("\nLEFT_OUT(") > 20 and len({i for i, *_ in rows} | {s for _, s, _ in rows}) == 2 * len(rows)
    pale("lint", "--docs", tmp_path, check=0)
    index = plain((tmp_path / "README.md").read_text())
    for id, slug, why in rows:
        why = "".join(re.findall(r'"([^"]*)"', why))
        assert not {id, slug} & names
        assert set(re.findall(r"\b(?:SJ|SC|SR|AP|DS|DP)\d{3}\b", why)) <= names, why
        assert f"| {id} | {slug} | {why} |" in index
        out = pale("lint", "--explain", id.lower(), check=0).out
        assert out == pale("lint", "--explain", slug, check=0).out and out.startswith(f"{id} {slug}: not a rule\n\n")
        assert " ".join(out.split()).endswith(why)
        assert pale("lint", "--select", id, "x", check=2).err


def test_pages_are_written_anew_and_what_else_is_there_stays(pale, tmp_path):
    (tmp_path / "SR205.md").write_text("old")
    (tmp_path / "own.md").write_text("own")
    before = None
    for _ in range(2):
        pale("lint", "--docs", tmp_path, check=0)
        now = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
        assert now["own.md"] == b"own" and b"ptrace" in now["SR205.md"] and before in (None, now)
        before = now
    (tmp_path / "file").write_text("")
    assert pale("lint", "--docs", tmp_path / "file", check=3).err
    assert "no/such" in pale("lint", "--docs", tmp_path / "no/such", check=3).err


def test_the_manual_names_the_families_of_the_table(pale):
    page = (ROOT / "compiler/cmd/pale.1").read_text()
    part = page[page.index("Their families:"):page.index(".Cm PL .")]
    assert set(re.findall(r"^\.Cm ([A-Z]{2})$", part, re.M)) == {r["id"][:2] for r in rules(pale)}


def test_the_problem_matcher_reads_what_gcc_form_writes(pale, tmp_path):
    matchers = [m["pattern"][0] | {"fixed": m.get("severity")} for m in json.loads(MATCHER.read_text())["problemMatcher"]]
    args = ["lint", "--runtime", "any", SEED, "no-such-file"]
    doc = json.loads(pale(*args, "--format", "json", cwd=ROOT).out)["findings"]
    lines = pale(*args, "--format", "gcc", cwd=ROOT, check=3).out.splitlines()
    assert len(lines) == len(doc) > 20
    for line, f in zip(lines, doc):
        hits = [(m, re.match(m["regexp"], line)) for m in matchers if re.match(m["regexp"], line)]
        assert len(hits) == 1, line
        m, hit = hits[0]
        assert hit[m["file"]] == f["file"] and hit[m["code"]] == f["id"] and hit[m["message"]] == f["message"]
        assert "line" not in f or (int(hit[m["line"]]), int(hit[m["column"]])) == (f["line"], f["column"])
        want = {"error": "error", "high": "error", "warning": "warning", "info": "notice"}[f["severity"]]
        assert (m["fixed"] or hit[m["severity"]]) == want


def hooks():
    """The file is simple enough: a list of maps of one level."""
    found = []
    for line in (ROOT / ".pre-commit-hooks.yaml").read_text().splitlines():
        m = re.match(r"(- |  )(\w+): (.*)$", line)
        if m and m[1] == "- ":
            found.append({})
        if m:
            found[-1][m[2]] = m[3].strip("'")
    return found


def test_hooks_run_what_they_say(pale, tmp_path):
    byid = {h["id"]: h for h in hooks()}
    assert set(byid) == {"pale-lint", "pale-fmt"}
    env = {**os.environ, "PATH": f"{os.path.dirname(pale.path)}:{os.environ['PATH']}"}
    starts = ["compose.yaml", "x/docker-compose.prod.yml", "web.service", "etc/daemon.json", "seccomp.yaml"]
    assert all(re.search(byid["pale-lint"]["files"], n) for n in starts)
    assert not any(re.search(byid["pale-lint"]["files"], n) for n in ("values.yaml", "mydaemon.json", "decompose.yml", "x.sh"))
    files = {"seccomp-web.json": profile(entry("ptrace")), "web.pale": "policy p {\n\tarch x86_64; default kill; }\n",
             "package.json": "{}", "web.apparmor": "profile w {\n}\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    def call(hook):
        names = [n for n in files if re.search(byid[hook]["files"], n)]
        r = subprocess.run([*byid[hook]["entry"].split(), *names], cwd=tmp_path, env=env, capture_output=True, text=True)
        return names, r
    names, r = call("pale-lint")
    assert names == ["seccomp-web.json", "web.pale", "web.apparmor"] and r.returncode == 1 and "SR205" in r.stdout
    names, r = call("pale-fmt")
    assert names == ["web.pale"] and r.returncode == 0 and (tmp_path / "web.pale").read_text() != files["web.pale"]
