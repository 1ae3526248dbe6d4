# SPDX-License-Identifier: Apache-2.0
"""Profiles of recorded workloads have nothing that the linter would tell; a fault planted in one is found,
and nothing else. faults.json has the faults, a row each: what is put into a profile, and the rule ("also": what
the same fault is besides: everything allowed is each of its parts, entries without end overlap, a way round
is a risk by itself, too)."""
import collections
import json
import os
import pathlib
import random
import re

import pytest

import recorded
from cases import BASE
from conftest import need, run

LONG = bool(os.environ.get("PALE_LONG"))
MANY = range(300 if LONG else 30)
HERE = pathlib.Path(__file__).parent
FAULTS = json.loads((HERE / "faults.json").read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """[(Docker's JSON, AppArmor's text)] of the same workload."""
    return recorded.profiles(MANY, tmp_path_factory.mktemp("made"))


def told(pale, files, *options):
    """{file name: findings above information}"""
    r = pale("lint", "--format", "json", *options, *files, timeout=300)
    assert r.rc in (0, 1), r
    found = collections.defaultdict(list)
    for f in json.loads(r.out)["findings"]:
        if f["severity"] != "info":
            found[pathlib.Path(f["file"]).name].append(f)
    return found


def in_docker(text, fault, rand):
    """The JSON with calls taken out, entries put in anywhere, keys set and text replaced."""
    doc = json.loads(text)
    for e in doc["syscalls"]:
        e["names"] = [n for n in e["names"] if n not in fault.get("take", [])]
    doc["syscalls"] = [e for e in doc["syscalls"] if e["names"]]
    new = fault.get("entries", [])
    places = sorted(rand.randint(0, len(doc["syscalls"])) for _ in new)  # in the order of the row
    for n, (place, e) in enumerate(zip(places, new)):
        doc["syscalls"].insert(place + n, e)
    for e, n in [fault["many"]] if "many" in fault else []:  # one that is compared with each of n values
        doc["syscalls"] += [{**e, "args": [{**e["args"][0], "value": i}]} for i in range(n)]
    doc.update(fault.get("top", {}))
    text = json.dumps({k: v for k, v in doc.items() if v is not None}, indent=1)
    return replaced(text, fault)


def in_apparmor(text, fault, rand):
    """The text with rules put in between two others, and text replaced."""
    lines = text.splitlines(keepends=True)
    where = [i for i, line in enumerate(lines) if line.endswith("\n") and line.startswith("  ")]
    lines.insert(rand.choice(where), "".join(f"  {r}\n" for r in fault.get("insert", "").splitlines()))
    return replaced("".join(lines), fault)


def replaced(text, fault):
    for old, new in [fault["replace"]] if "replace" in fault else []:
        assert re.search(old, text), fault
        text = re.sub(old, new, text, count=1)
    return text


def test_profiles_of_recorded_workloads_have_nothing_to_be_told(pale, made):
    for kind in (0, 1):
        files = [pair[kind] for pair in made]
        assert len({f.read_text().split("\n", 1)[1] for f in files}) > len(files) * .9
        assert not told(pale, files)


@pytest.mark.once
def test_profiles_of_recorded_workloads_are_loaded(pale, made):
    """By AppArmor's parser, and as runc's libseccomp builds them."""
    run([need("apparmor_parser"), "-Q", "-K", *[a for _, a in made]], check=0, timeout=600)
    for docker, _ in made[::1 if LONG else 6]:
        pale("check", docker, check=0)


def test_a_planted_fault_is_found_and_nothing_else(pale, made, tmp_path):
    rand, by_options = random.Random(12), collections.defaultdict(list)
    for n, fault in enumerate(FAULTS):
        source = rand.choice(made)[fault["kind"] == "apparmor"]
        plant = in_apparmor if fault["kind"] == "apparmor" else in_docker
        path = tmp_path / f"{n:03}-{fault['rule']}{'.aa' if fault['kind'] == 'apparmor' else '.json'}"
        path.write_text(plant(source.read_text(), fault, rand))
        base = [] if fault["kind"] == "docker" else ["-I", BASE]
        by_options[(*fault.get("options", []), *base)].append((path, fault))
    wrong = []
    for options, planted in by_options.items():
        found = told(pale, [p for p, _ in planted], *options)
        for path, fault in planted:
            ids = {f["id"] for f in found[path.name]}
            if ids != {fault["rule"], *fault.get("also", [])}:
                wrong.append((path.name, [(f["id"], f["message"][:150]) for f in found[path.name]]))
    assert not wrong, "\n".join(map(str, wrong))
    assert len(FAULTS) >= 120


def test_every_error_and_high_has_a_fault(pale):
    rules = json.loads(pale("lint", "--list-rules", "--format", "json", check=0).out)["rules"]
    want = {r["id"] for r in rules if r["severity"] in ("error", "high") and {"json", "apparmor"} & set(re.split(r"\W+", str(r["formats"])))}
    assert want == {f["rule"] for f in FAULTS}
