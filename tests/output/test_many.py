# SPDX-License-Identifier: Apache-2.0
"""pale compile -o DIR FILE...: what each file becomes, in one step."""
import json
import os
import subprocess

import pytest

from conftest import PALE as NAMED

PALE = os.path.abspath(NAMED)
GOOD = "policy {} {{ layers seccomp; arch x86_64; default errno EPERM; allow read, execve; }}\n"


def compile_(tmp_path, *argv):
    return subprocess.run([PALE, "compile", "-t", "bpf", *argv], cwd=tmp_path, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


@pytest.fixture
def files(tmp_path):
    names = []
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.pale").write_text(GOOD.format(name))
        names.append(f"{name}.pale")
    return names


def held(directory):
    return sorted(os.listdir(directory))


def test_each_file_becomes_what_it_becomes_alone(tmp_path, files):
    proc = compile_(tmp_path, "-o", "out", *files)
    assert proc.returncode == 0 and held(tmp_path / "out") == ["a.x86_64.bpf", "b.x86_64.bpf", "c.x86_64.bpf"], proc
    for name in "abc":
        assert f"out/{name}.x86_64.bpf: " in proc.stderr
        alone = compile_(tmp_path, "-q", "-o", "one.bpf", f"{name}.pale")
        assert alone.returncode == 0, alone.stderr
        assert (tmp_path / "one.bpf").read_bytes() == (tmp_path / "out" / f"{name}.x86_64.bpf").read_bytes()


@pytest.mark.parametrize("text", ["policy b { bad }\n", "not a policy\n", None])
def test_one_with_an_error_is_named_and_the_others_are_written(tmp_path, files, text):
    if text is None:
        (tmp_path / "b.pale").unlink()
    else:
        (tmp_path / "b.pale").write_text(text)
    proc = compile_(tmp_path, "-q", "-o", "out", *files)
    assert proc.returncode == (1 if text else 3) and "b.pale" in proc.stderr, proc.stderr
    assert held(tmp_path / "out") == ["a.x86_64.bpf", "c.x86_64.bpf"]


@pytest.mark.once  # a sanitizer's shadow needs the memory
def test_one_past_its_bound_leaves_the_others_written(tmp_path, files):
    rules = "".join(f"allow read(reg count in {4 * i}..{4 * i + 1});" for i in range(300000))
    (tmp_path / "b.pale").write_text(f"policy b {{ layers seccomp; arch x86_64; default errno EPERM; {rules} }}\n")
    proc = compile_(tmp_path, "-q", "-o", "out", *files)
    assert proc.returncode == 1 and "[PL220 " in proc.stderr, proc.stderr[-400:]
    assert held(tmp_path / "out") == ["a.x86_64.bpf", "c.x86_64.bpf"]


def test_nothing_of_a_file_is_written_where_a_part_of_it_fails(tmp_path, files):
    (tmp_path / "b.pale").write_text(GOOD.format("b1") + "policy b2 { layers apparmor; arch x86_64; default errno EPERM; }\n")
    proc = compile_(tmp_path, "-q", "-o", "out", *files)
    assert proc.returncode == 1 and "[PL206 " in proc.stderr
    assert held(tmp_path / "out") == ["a.x86_64.bpf", "c.x86_64.bpf"]


def test_two_of_one_name_are_an_error_and_nothing_is_written(tmp_path, files):
    (tmp_path / "c.pale").write_text(GOOD.format("a"))
    proc = compile_(tmp_path, "--diag=json", "-o", "out", *files)
    told = json.loads(proc.stderr)
    assert proc.returncode == 1 and told["id"] == "PL243" and not (tmp_path / "out").exists()
    assert "'a.pale' and 'c.pale'" in told["message"] and "a.x86_64.bpf" in told["message"]


@pytest.mark.parametrize("argv, why", [((), "give a directory, -o DIR"), (("-o", "-"), "give a directory, -o DIR"),
                                       (("-o", "out", "--policy", "a"), "--policy chooses in one file")])
def test_what_is_for_one_file_is_refused_with_a_reason(tmp_path, files, argv, why):
    proc = compile_(tmp_path, *argv, *files)
    assert proc.returncode == 2 and why in proc.stderr and not (tmp_path / "out").exists()


@pytest.mark.once
def test_memory_is_a_files_and_what_is_written(tmp_path):
    peak = {}
    for i in range(300):
        (tmp_path / f"{i}.pale").write_text(GOOD.format(f"p{i}") + "#" * 100000)
    for n in (2, 300):
        argv = ["compile", "-q", "-t", "bpf", "-o", f"out{n}", *(f"{i}.pale" for i in range(n))]
        script = ("import resource, subprocess, sys; p = subprocess.run(sys.argv[1:]);"
                  "print(p.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        out = subprocess.run(["/usr/bin/python3", "-c", script, PALE, *argv], cwd=tmp_path, capture_output=True, text=True)
        rc, peak[n] = map(int, out.stdout.split())
        assert rc == 0 and len(held(tmp_path / f"out{n}")) == n, out.stderr
    assert peak[300] < peak[2] + (16 << 10), peak  # 30 MB of text


@pytest.mark.once  # no leak check under a tracer
def test_many_are_synced_once(tmp_path):
    names = [f"p{i}" for i in range(40)]
    for name in names:
        (tmp_path / f"{name}.pale").write_text(GOOD.format(name))
    argv = ["strace", "-f", "-qq", "-o", "trace", "-e", "trace=fsync,fdatasync,syncfs", PALE, "compile", "-q", "-t", "bpf",
            "-o", "out", *(f"{name}.pale" for name in names)]
    try:
        proc = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no strace")
    assert proc.returncode == 0 and len(held(tmp_path / "out")) == 40, proc.stderr
    trace = (tmp_path / "trace").read_text()
    assert trace.count("syncfs(") == 1 and trace.count("fsync(") == 1, trace  # the files; their names


@pytest.mark.once  # no leak check under a tracer
def test_old_parts_of_many_are_looked_for_once_and_go(tmp_path):
    names = [f"p{i}" for i in range(40)]
    for name in names:
        (tmp_path / f"{name}.pale").write_text(GOOD.format(name))
    (tmp_path / "out").mkdir()
    old = [f"{name}.x86_64.{k}.bpf" for name in ("p1", "p10", "p39") for k in (2, 3, 10)]
    others = ["p1.x86_64.2.bpf.orig", "p1.x86_64.0.bpf", "p1.x86_64.1.bpf", "p1.x86_64.x2.bpf", "p1.x86_64.-2.bpf", "p40.x86_64.2.bpf",
              "p1.aarch64.2.bpf", "p1x.x86_64.2.bpf", ".2.bpf", "2.bpf", "p.x86_64.2.bpf"]
    for name in old + others:
        (tmp_path / "out" / name).write_text("old")
    argv = ["strace", "-f", "-qq", "-o", "trace", "-e", "trace=getdents64", PALE, "compile", "-t", "bpf", "-o", "out",
            *(f"{name}.pale" for name in names)]
    try:
        proc = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no strace")
    assert proc.returncode == 0 and proc.stderr.count(": removed: a part") == len(old), proc.stderr
    assert held(tmp_path / "out") == sorted(others + [f"{name}.x86_64.bpf" for name in names])
    assert len((tmp_path / "trace").read_text().splitlines()) < 10, "one directory, however many filters"
