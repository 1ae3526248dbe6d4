# SPDX-License-Identifier: Apache-2.0
"""The examples: canonical, accepted by every loader, without a finding; their workloads run under
them with no refusal; and no line stands in them that nothing needs.

The review takes each line out in turn. Call lines without conditions need no run of their own:
one run that verifies an empty policy lists every call that the workload makes, and such a line
is needed if a call of it is among them and nothing else in the policy allows that call. Lines
with conditions, network and capability lines are taken out and the workload runs again. File
and signal lines, which this kernel may not enforce, are held against what `pale learn` saw.
"""
import json
import os
import platform
import re
import subprocess
import sys

import pytest

from conftest import PALE, PATIENCE, ROOT, need_root, program, run

EXAMPLES = sorted((ROOT / "profiles" / "examples").glob("*.pale"))
NAMES = [p.stem for p in EXAMPLES]
WORKLOADS = ROOT / "tests" / "workloads.py"


def workload(name, *prefix, timeout=PATIENCE):
    need_root()
    if name == "echo":
        program("live/echo")
    return run([sys.executable, WORKLOADS, name, *prefix], timeout=timeout)


def count(name, policy, tmp_path, mode="--count"):
    report = tmp_path / f"{policy.stem}.json"
    r = workload(name, PALE, "run", "--layers", "seccomp", mode, "--report", report, policy, "--")
    assert report.exists(), ("pale run wrote no report", r)
    return r, json.loads(report.read_text())


def statements(text):
    """(first line, last line, text) of each statement directly in the policy's body."""
    lines, found, depth, start = text.splitlines(), [], 0, None
    for i, line in enumerate(lines):
        code = re.sub(r"(^|\s)#(?!\d).*", "", line)
        if depth == 1 and start is None and code.strip() and code.strip() != "}":
            start = i
        depth += code.count("{") - code.count("}")
        if start is not None and depth == 1 and code.rstrip().endswith((";", "}")):
            found.append((start, i, "\n".join(lines[start:i + 1])))
            start = None
    return found


def refused(report):
    """What was refused, but for clone3 by the line that says so: libcs ask it to learn that they
    must use clone, whose flags a filter can see. That answer is no loss to the workload."""
    return [x for x in report["refusals"]
            if (x["name"], x["by"], x["verdict"]) != ("clone3", "rule", "ERRNO(38)")]


def elsewhere(text):
    """Is the line another Debian's alone ("# Debian 13: why")? There it is reviewed."""
    where = re.search(r"# Debian (\d+):", text)
    return where and where[1] != platform.freedesktop_os_release().get("VERSION_ID")


HEADERS = ("program", "level", "layers", "arch", "default", "unknown", "foreign")


def rules(path):
    """The lines under review: no headers, none that says why it stays, or that it is another
    Debian's."""
    for first, last, text in statements(path.read_text()):
        if text.split()[0] not in HEADERS and "implied:" not in text and not elsewhere(text):
            yield first, last, text


def without(path, first, last, tmp_path):
    lines = path.read_text().splitlines()
    copy = tmp_path / path.name
    copy.write_text("\n".join(lines[:first] + [""] * (last - first + 1) + lines[last + 1:]) + "\n")
    return copy


def test_every_workload_has_its_example():
    assert {"nginx", "redis", "python", "echo"} == set(NAMES)


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_example_is_canonical_accepted_and_without_a_finding(path):
    run([PALE, "fmt", "--check", path], check=0)
    run([PALE, "check", path], check=0)
    run([PALE, "lint", "--runtime", "any", path], check=0)


@pytest.mark.parametrize("name", NAMES)
def test_workload_under_its_example_is_refused_nothing(name, tmp_path):
    r, report = count(name, ROOT / "profiles/examples" / f"{name}.pale", tmp_path)
    assert r.rc == 0 and not refused(report), (r, report)


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """What each workload calls: every call is a refusal of an empty policy, verified.

    Not execve, which start-run allows, and not rt_sigreturn, which is not held: they are taken for used."""
    cache = {}

    def get(name):
        if name not in cache:
            tmp = tmp_path_factory.mktemp("used")
            empty = tmp / "empty.pale"
            empty.write_text("policy empty { arch x86_64; layers seccomp; use start-run; "
                             "default errno EPERM; unknown errno EPERM; }\n")
            r, report = count(name, empty, tmp, "--verify")
            assert r.rc == 0, r
            cache[name] = {x["name"] for x in report["refusals"] + report["not_held"]} | {"execve"}
        return cache[name]
    return get


def allowed(path, calls):
    """Those of `calls` that the policy allows with all arguments 0 or some arguments."""
    out = set()
    for c in calls:
        r = run([PALE, "explain", path, c])
        if re.search(r"\bALLOW\b", r.out):
            out.add(c)
    return out


def names_of(text):
    """Calls of an unconditional `allow a, b;`, or None."""
    m = re.fullmatch(r"\s*allow\s+([\w\s,]+);.*", text, re.S)
    return [w.strip() for w in m.group(1).split(",")] if m else None


def plain(path):
    return [(a, b, t) for a, b, t in rules(path) if names_of(t)]


def tried(path):
    return [(a, b, t) for a, b, t in rules(path)
            if not names_of(t) and t.split()[0] not in ("file", "owner", "signal")]


@pytest.mark.once
@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_each_call_of_an_unconditional_line_is_made_and_allowed_by_nothing_else(path, used, tmp_path):
    made = used(path.stem)
    for first, last, text in plain(path):
        names = names_of(text)
        idle = [n for n in names if n not in made]
        assert not idle, f"line {first + 1}: the workload never makes {idle}"
        twice = allowed(without(path, first, last, tmp_path), names)
        assert not twice, f"line {first + 1}: allowed elsewhere too: {sorted(twice)}"


CASES = [(p, *s) for p in EXAMPLES for s in tried(p)]


@pytest.mark.once
@pytest.mark.parametrize("path,first,last,text", CASES,
                         ids=[f"{c[0].stem}-line-{c[1] + 1}" for c in CASES])
def test_without_the_line_the_workload_is_refused_something(path, first, last, text, tmp_path):
    copy = without(path, first, last, tmp_path)
    r, report = count(path.stem, copy, tmp_path)
    if text.split()[0] == "capability":  # the kernel itself refuses: the workload fails
        assert r.rc != 0, r
    else:
        assert refused(report), (text, r, report)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Path and permissions of each file rule that `pale learn` proposes, and its signals."""
    cache = {}

    def get(name):
        if name not in cache:
            out = tmp_path_factory.mktemp("seen") / "p.pale"
            r = workload(name, PALE, "learn", "-o", out, "--")
            assert r.rc == 0, r
            text = out.read_text()
            cache[name] = (re.findall(r"^\s+(?:owner )?file (\w+) ([^;]+);", text, re.M),
                           set(re.findall(r"^\s+signal (?:receive )?(\w+)(?: -> \S+)?;", text, re.M)))
        return cache[name]
    return get


def concrete(path):
    """A path that a learned glob stands for."""
    for name, place in {"@{PROC}": "/proc", "@{run}": "/run", "@{pid}": "123", "@{tid}": "123",
                        "@{multiarch}": f"{platform.machine()}-linux-gnu", "[0-9]*": "123", ".so.*": ".so.1"}.items():
        path = path.replace(name, place)
    assert "@{" not in path
    return path


def covered(path, accesses):
    """Which (permissions, path) a policy's file rules let through."""
    out = set()
    for perms, target in accesses:
        r = run([PALE, "explain", path, concrete(target)])
        m = re.search(r"^\s+in all\s+([a-z]+);", r.out, re.M)
        if m and m.group(1) != "nothing" and set(perms) - {"i"} <= set(m.group(1)):
            out.add((perms, target))
    return out


@pytest.mark.once
@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_each_file_and_signal_line_lets_through_what_the_workload_did(path, seen, tmp_path):
    accesses, signals = seen(path.stem)
    assert covered(path, accesses) == set(accesses), "the example lacks files"
    for first, last, text in rules(path):
        kind = text.split()[0]
        if kind == "file" and re.fullmatch(r"/etc/[\w./-]+", text.split()[2].rstrip(";")) and \
                not os.path.exists(text.split()[2].rstrip(";")):
            continue  # of a package that is not installed here
        if kind in ("file", "owner"):
            left = covered(without(path, first, last, tmp_path), accesses)
            assert set(accesses) - left, f"line {first + 1} is needed by nothing: {text.strip()}"
        elif kind == "signal":
            words = set(re.findall(r"\w+", text.split(";")[0])) - {"signal", "receive", "send"}
            assert words <= signals, f"line {first + 1}: not received: {words - signals}"
