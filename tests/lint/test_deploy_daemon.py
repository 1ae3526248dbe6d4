# SPDX-License-Identifier: Apache-2.0
"""Docker's daemon.json: what dockerd refuses and passes over, held to the one that is installed."""
import json
import re
import subprocess

import pytest

from conftest import ROOT, need
from engines import Docker

TEXT = (ROOT / "compiler/deploy/daemon_keys.def").read_text()
NO = "nothing-of-docker"


def number(since):
    m = re.fullmatch(r"DOCKER\((\d+), (\d+)\)", since)
    return (int(m[1]), int(m[2])) if m else None


KEYS = {n: (kind, number(since), number(until)) for n, kind, since, until in
        re.findall(r'^KEY\("([\w-]+)", (\w+), (0|DOCKER\(\d+, \d+\)), (0|DOCKER\(\d+, \d+\))\)$', TEXT, re.M)}
OPTIONS = {n: number(since) for n, since in re.findall(r'^OPTION\("([\w-]+)", .*, (0|DOCKER\(\d+, \d+\))\)$', TEXT, re.M)}
RIGHT = {"BOOL": True, "NUMBER": 1, "TEXT": "", "TEXTS": [], "LIST": [], "WORDS": {"a": "1"}, "FLAGS": {"a": True}, "OBJECT": {}}
WRONG = {"BOOL": "true", "NUMBER": "1", "TEXT": 1, "TEXTS": [1], "LIST": 1, "WORDS": {"a": 1}, "FLAGS": {"a": "true"}, "OBJECT": 1}


@pytest.fixture(scope="module")
def dockerd(tmp_path_factory):
    """What it says of a daemon.json before it opens anything."""
    program, d = need("dockerd"), tmp_path_factory.mktemp("d")
    version = re.search(r"version (\d+)\.(\d+)", subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60).stdout)

    def call(doc):
        (d / "daemon.json").write_text(json.dumps(doc))
        r = subprocess.run([program, "--config-file", d / "daemon.json", "--data-root", d / "r", "--exec-root", d / "e", "--pidfile", d / "p",
                            "--host", f"unix://{d}/s"], capture_output=True, text=True, timeout=60)
        assert r.returncode, r
        return r.stderr
    call.version = int(version[1]), int(version[2])
    return call


def refused(said):
    m = re.search(r"don't match any configuration option: (.*)", said)
    return set(m[1].split(", ")) if m else None


@pytest.fixture
def lint(pale, tmp_path):
    def call(doc, *options, name="daemon.json"):
        (tmp_path / name).write_text(json.dumps(doc))
        r = pale("lint", "--format", "json", *(options or ("--runtime", "any")), tmp_path / name)
        assert r.rc in (0, 1), r
        return [f for f in json.loads(r.out)["findings"] if f["id"] not in ("DP608",)]
    return call


def has(version, since, until=None):
    return (not since or version >= since) and (not until or version < until)


def test_the_keys_are_those_that_dockerd_knows(dockerd):
    """None of the table that it refuses, but those of other versions; what one has that is not in it users would be told of as unknown."""
    assert len(KEYS) > 80 and len(OPTIONS) > 20
    names = {n: has(dockerd.version, *row[1:]) for n, row in KEYS.items() if row[0] != "PARTS"} | \
        {n: has(dockerd.version, since) for n, since in OPTIONS.items()}
    said = refused(dockerd({**dict.fromkeys(names), NO: 1}))
    assert said == {n for n, known in names.items() if not known} | {NO}
    listed = set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", subprocess.run([need("dockerd"), "--help"], capture_output=True, text=True, timeout=60).stdout, re.M))
    assert len(listed) > 60 and listed <= set(names), listed - set(names)


def test_values_are_of_the_kinds_that_dockerd_reads(dockerd, lint):
    """All right at once, and what it says last is of the number alone; a wrong one of each kind."""
    known = {n: kind for n, (kind, *when) in KEYS.items() if has(dockerd.version, *when) and kind != "PARTS"}
    right = {n: RIGHT[kind] for n, kind in known.items()} | {"default-shm-size": "64M", "max-concurrent-downloads": -1}
    # Not what is checked by itself, nor what the command line says already.
    right = {n: v for n, v in right.items() if not re.search("gateway|^ip$|mode$|level$|format$|host|version$|cluster|^graph$|root$|pidfile", n)}
    assert len(right) > 60 and "invalid max concurrent downloads" in dockerd(right | {"tls": False, "tlsverify": False})
    assert not [f for f in lint(right) if f["id"] == "DP634" and "type" in f["message"]]
    for kind, value in WRONG.items():
        name = next(n for n, k in known.items() if k == kind and not any(KEYS[n][1:]))
        assert re.search("cannot unmarshal|invalid size", dockerd({name: value})), (name, value)
        assert [f["message"] for f in lint({name: value}) if f["id"] == "DP634"] == [
            f"dockerd does not start: the value of '{name}' is of another type"]


@pytest.mark.parametrize("doc, words, said", [
    ({"default-runtime": "nope"}, "default runtime 'nope' does not exist", "has no 'nope'"),
    ({"default-runtime": "kata", "runtimes": {"kata-qemu": {"path": "/x"}}}, "default runtime 'kata' does not exist", "has no 'kata'"),
    ({"runtimes": {"runc": {"path": "/x"}}}, "runtime name 'runc' is reserved", "'runc' is its own"),
    ({"default-ipc-mode": "host"}, "is not supported as default value", "cannot be 'host'"),
    ({"default-cgroupns-mode": "hots"}, "default cgroup namespace mode (hots) is invalid", "cannot be 'hots'"),
    ({"mtu": 1.5}, "cannot unmarshal number 1.5", "of another type"),
    ({"Icc": False}, "option: Icc", "no key 'Icc'"),
    ({"net": {"icc": False, "icq": 1}}, "option: icq", "no key 'icq'"),
])
def test_what_dockerd_refuses_lint_tells_as_an_error(dockerd, lint, doc, words, said):
    assert words in dockerd(doc)
    found = [f for f in lint(doc) if f["id"] == "DP634"]
    assert len(found) == 1 and found[0]["severity"] == "error" and said in found[0]["message"] and found[0]["help"], found


def test_a_key_of_another_version_is_told_of_the_one_that_is_asked_for(lint):
    new, old = {"log-format": "json"}, {"oom-score-adjust": 1, "mtu": 1}
    rows = [(new, "any", []), (new, "docker-20.10", ["error"]), (new, "docker-28.5", []),
            (old, "any", ["warning"]), (old, "docker-20.10", []), (old, "docker-28.5", ["error"])]
    for doc, runtime, severities in rows:
        assert [f["severity"] for f in lint(doc, "--runtime", runtime) if f["id"] == "DP634"] == severities, (doc, runtime)
    doc = {"seccomp-profile": "unconfined"}
    assert [f["id"] for f in lint(doc, "--runtime", "docker-20.10")] == ["DP601", "DP634"] and [f["id"] for f in lint(doc)] == ["DP601"]


def test_a_misspelt_file_is_known_by_its_name_and_another_is_not(lint):
    assert [f["id"] for f in lint({"debugg": True})] == ["DP634"]
    assert [f["id"] for f in lint({"debugg": True}, name="x.json")] == ["PL001"]
    assert lint({"debugg": True})[0]["help"] == "did you mean 'debug'?"


def test_what_is_passed_over_has_no_effect_in_dockerd(lint, tmp_path_factory):
    """An option's own name, and what stands in an object that there is not; a switch there counts, and is not told of."""
    d = tmp_path_factory.mktemp("e")
    doc = {"label": ["a=1"], "nothing": {"labels": ["b=2"], "live-restore": True}}
    (d / "daemon.json").write_text(json.dumps(doc))
    engine = Docker(d, options=("--config-file", d / "daemon.json"))
    try:
        assert engine("info", "--format", "{{json .Labels}} {{.LiveRestoreEnabled}}") == "[] true"
    finally:
        engine.daemon.end()
    assert [(f["id"], f["message"].split("'")[1]) for f in lint(doc)] == [("DP635", "label"), ("DP635", "labels")]
    assert [f["id"] for f in lint({"labels": ["a=1"]})] == []


def test_a_profile_that_is_not_there_keeps_dockerd_from_starting(dockerd, lint, tmp_path):
    path = str(tmp_path / "no.json")
    assert f"opening seccomp profile ({path}) failed" in dockerd({"seccomp-profile": path, "bridge": "none", "iptables": False})
    found = [f for f in lint({"seccomp-profile": path}) if f["id"] == "DP612"]
    assert [f["severity"] for f in found] == ["warning"] and "dockerd does not start" in found[0]["help"]


@pytest.mark.parametrize("doc, severities", [
    ({"hosts": ["tcp://0.0.0.0:2375"]}, ["high"]), ({"hosts": ["tcp://127.0.0.1:2375", "fd://"]}, ["warning"]),
    ({"hosts": ["tcp://0.0.0.0:2376"], "tls": True}, ["high"]), ({"hosts": ["tcp://0.0.0.0:2376"], "tlsverify": True}, []),
    ({"insecure-registries": ["r:5000"]}, ["warning"]), ({"insecure-registries": []}, []), ({"iptables": False}, ["warning"]),
    ({"icc": True, "live-restore": False}, ["info", "info"]), ({"icc": False, "live-restore": True}, []), ({"userns-remap": ""}, ["warning"]),
    ({"userns-remap": "default"}, []),
])
def test_what_opens_the_engine_is_told_where_the_file_says_it(lint, doc, severities):
    assert sorted(f["severity"] for f in lint({"log-driver": "local", **doc}) if f["id"] == "DP636") == severities
