# SPDX-License-Identifier: Apache-2.0
"""The action for GitHub's workflows, and the lines of ci.md: what they execute is executed."""
import json
import os
import re
import subprocess
import sys
import textwrap

import pytest

from cases import open_
from conftest import PATIENCE, ROOT, run, skip

sys.path.insert(0, str(ROOT / "tests" / "lsp"))
from test_lsp_npm import installed  # noqa: E402

ACTION = (ROOT / "action.yml").read_text()
GUIDE = (ROOT / "compiler/cmd/ci.md").read_text()


def steps():
    """{name: script}: the blocks behind `run: |`, as YAML takes them."""
    return {name: textwrap.dedent(text) for name, text in re.findall(r"- name: (.*)\n(?:      .*\n)*?      run: \|\n((?:        .*\n)+)", ACTION)}


@pytest.fixture
def step(pale, tmp_path):
    (tmp_path / "path").touch()
    (tmp_path / "work").mkdir()

    def call(name, env, tools=True):
        path = f"{os.path.dirname(pale.path)}:{os.environ['PATH']}" if tools else os.environ["PATH"]
        all_of = {**os.environ, "PATH": path, "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_PATH": str(tmp_path / "path"), **env}
        return subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps()[name]], cwd=tmp_path / "work",
                              env=all_of, capture_output=True, text=True)
    return call


def test_the_action_takes_what_it_says(tmp_path):
    inputs = re.findall(r"^  (\w+):\n    description: .*\n    default:", ACTION, re.M)
    assert inputs == ["paths", "options", "sarif"]
    used = dict(re.findall(r"^        (PALE_\w+): \$\{\{ inputs\.(\w+) \}\}$", ACTION, re.M))
    assert sorted(used.values()) == sorted(inputs) and len(steps()) == 2
    for script in steps().values():  # what a workflow says never becomes part of a script
        assert "${{" not in script
        run(["bash", "-n", "-c", script], check=0)
    assert "using: composite" in ACTION and ACTION.count("shell: bash") == 2


def test_the_action_lints_and_writes_sarif(step, tmp_path):
    work = tmp_path / "work"
    (work / "a b").mkdir()
    (work / "good.json").write_text(open_("read"))
    (work / "compose.yaml").write_text("services:\n  a:\n    privileged: true\n")
    (work / "x.sh").write_text("touch $PALE_PATHS\n")
    env = {"PALE_PATHS": "compose.yaml  .\n", "PALE_OPTIONS": "--select DP", "PALE_SARIF": "out.sarif"}
    r = step("Lint", env)
    assert r.returncode == 1 and "::error file=compose.yaml,line=3," in r.stdout, r
    assert {x["ruleId"] for x in json.loads((work / "out.sarif").read_text())["runs"][0]["results"]} >= {"DP604"}
    for options in ("--select DP --error-on high", "--select DP --error-on DP604"):
        r = step("Lint", {**env, "PALE_OPTIONS": options})
        assert r.returncode == 1 and "::error file=compose.yaml,line=3," in r.stdout, r  # told, beside the SARIF
    r = step("Lint", {**env, "PALE_PATHS": "compose.yaml $(touch$IFS/made) *", "PALE_SARIF": ""})
    assert r.returncode == 3 and not (work / "made").exists()  # blanks part, and nothing else is done to it
    assert step("Lint", {"PALE_PATHS": "compose.yaml", "PALE_OPTIONS": "--error-on none", "PALE_SARIF": ""}).returncode == 0


def test_the_action_builds_pale_where_there_is_none(step, tmp_path):
    assert step("Build pale, where it is not installed", {}).returncode == 0 and not (tmp_path / "path").read_text()
    fake = tmp_path / "bin"
    fake.mkdir()
    for tool in "make", "sudo":
        (fake / tool).write_text(f"#!/bin/sh\necho {tool} \"$@\"\n")
        (fake / tool).chmod(0o755)
    (fake / "nproc").write_text("#!/bin/sh\necho 2\n")
    (fake / "nproc").chmod(0o755)
    r = step("Build pale, where it is not installed", {"PATH": f"{fake}:/bin"}, tools=False)
    assert r.stdout.splitlines()[-2:] == ["sudo make deps-build", "make -j2"], r
    assert (tmp_path / "path").read_text() == f"{ROOT}/build\n"
    run(["make", "-n", "-C", ROOT, "deps-build"], check=0)


def test_the_lines_of_the_guide_run(pale, tmp_path):
    lines = [line.strip().removeprefix("- ") for line in GUIDE.splitlines() if re.match(r" {4,}(- )?pale (lint|diff) ", line)]
    assert len(lines) >= 7
    policy = "policy web {\n\tlevel linux 6.18;\n\tarch x86_64;\n\tdefault errno EPERM;\n\tallow read;\n}\n"
    for name, text in {"web.pale": policy, "old.pale": policy, "compose.yaml": "services:\n  a:\n    pid: host\n"}.items():
        (tmp_path / name).write_text(text)
    env = {**os.environ, "PATH": f"{os.path.dirname(pale.path)}:{os.environ['PATH']}"}
    for line in lines:
        r = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert r.returncode == (1 if line.startswith("pale lint") and "--error-on none" not in line else 0), (line, r)
    issues = json.loads((tmp_path / "gl-code-quality-report.json").read_text())
    assert issues and all({"description", "check_name", "fingerprint", "severity", "location"} <= i.keys() and
                          i["severity"] in ("info", "minor", "major", "critical", "blocker") and
                          i["location"]["lines"]["begin"] > 0 and not i["location"]["path"].startswith("./") for i in issues)
    assert len({i["fingerprint"] for i in issues}) == len(issues)
    assert "<checkstyle" in (tmp_path / "pale.xml").read_text() and "<testsuite" in (tmp_path / "pale-junit.xml").read_text()


def test_the_guide_names_what_is_there():
    assert "share/pale/problem-matcher.json" in GUIDE and (ROOT / "compiler/lint/out/problem-matcher.json").exists()
    inputs = set(re.findall(r"^          (\w+): ", GUIDE.split("## GitLab")[0], re.M)) - {"sarif_file"}
    assert inputs <= set(re.findall(r"^  (\w+):\n    description", ACTION, re.M))


@pytest.mark.once
def test_the_action_and_the_guides_workflow_are_valid_by_their_schemas(tmp_path):
    """GitHub's, as action-validator has them."""
    if not os.environ.get("PALE_LONG"):
        skip("PALE_LONG: packages from npm")
    tool = installed("@action-validator/cli", "0.6.0", "action-validator", "@action-validator/core@0.6.0") / "node_modules/@action-validator/cli/cli.mjs"
    job = next(b for b in re.findall(r"(?:^    .*\n|^\n)+", GUIDE, re.M) if "uses: OWNER/pale" in b)
    workflow = "name: lint\non: [push]\njobs:\n  lint:\n    runs-on: ubuntu-latest\n" + job.strip("\n").replace("OWNER", "owner") + "\n"
    texts = {"action.yml": ACTION, ".github/workflows/lint.yml": workflow}
    wrong = {"action.yml": ACTION.replace("shell: bash", "shel: bash", 1), ".github/workflows/lint.yml": workflow.replace("runs-on", "run-on")}
    for all_of, rc in ((texts, 0), (wrong, 1)):
        for name, text in all_of.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
            run(["node", tool, tmp_path / name], cwd=tmp_path, check=rc, timeout=PATIENCE)
