# SPDX-License-Identifier: Apache-2.0
"""pale compile -o DIR FILE...: what each file becomes, in one step."""
import json
import os
import shutil
import subprocess

import pytest

from conftest import AS_NOBODY, PALE as NAMED, need, need_root, run_costs

PALE = os.path.abspath(NAMED)
GOOD = "policy {} {{ layers seccomp; arch x86_64; default errno EPERM; allow read, execve; }}\n"


def compile_(tmp_path, *argv, before=()):
    return subprocess.run([*before, PALE, "compile", "-t", "bpf", *argv], cwd=tmp_path, capture_output=True, text=True,
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
        r, peak[n], _ = run_costs(tmp_path, [PALE, *argv], cwd=tmp_path)
        assert r.rc == 0 and len(held(tmp_path / f"out{n}")) == n, r
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


# ---- what goes wrong on the way ----

MIXED = "policy {} {{ layers seccomp; arch x86_64; default errno {}; allow read, execve; }}\n"


def write_all(tmp_path, names, word="EPERM"):
    for name in names:
        (tmp_path / f"{name}.pale").write_text(MIXED.format(name, word))
    return [f"{name}.pale" for name in names]


def contents(directory):
    return {name: (directory / name).read_bytes() for name in held(directory)}


def both_sets(tmp_path, names):
    """What every file becomes of two versions of them; the new one lies where it is compiled from."""
    sets = []
    for word in ("EPERM", "EACCES"):
        files = write_all(tmp_path, names, word)
        assert compile_(tmp_path, "-q", "-o", word, *files).returncode == 0
        sets.append(contents(tmp_path / word))
    assert sets[0].keys() == sets[1].keys() and all(sets[0][k] != sets[1][k] for k in sets[0])
    return files, *sets


def under_strace(tmp_path, trace, *argv):
    try:
        return subprocess.run(["strace", "-o", "/dev/null", *trace, PALE, "compile", "-q", "-t", "bpf", *argv], cwd=tmp_path,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("no strace")


def opens(tmp_path, n, *files):
    """Which of a run's openat opens its n-th temporary."""
    log = tmp_path / "openat"
    shutil.copytree(tmp_path / "out", tmp_path / "tried")
    subprocess.run([need("strace"), "-o", log, "-e", "trace=openat", PALE, "compile", "-q", "-t", "bpf", "-o", "tried", *files],
                   cwd=tmp_path, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    lines = [line for line in log.read_text().splitlines() if line.startswith("openat(")]
    return [i for i, line in enumerate(lines, 1) if '".pale-' in line and '".pale-lock"' not in line and "O_EXCL" in line][n - 1]


# Of 20 files that are all there, 20 temporaries are opened, written and exchanged, and 20 old ones go. (What their names
# are made of is no call since glibc 2.41: getrandom is in the vDSO.)
@pytest.mark.once  # no leak check under a tracer
@pytest.mark.parametrize("call, when", [("openat", 9), ("write", 12), ("fchmod", 20), ("syncfs", 1), ("renameat2", 1),
                                        ("renameat2", 11), ("renameat2", 20), ("unlinkat", 1), ("unlinkat", 10), ("unlinkat", 20)])
def test_killed_midway_each_file_is_whole_and_the_next_run_cleans_up(tmp_path, call, when):
    names = [f"p{i}" for i in range(20)]
    files, old, new = both_sets(tmp_path, names)
    (tmp_path / "EPERM").rename(tmp_path / "out")
    when = opens(tmp_path, when, *files) if call == "openat" else when
    proc = under_strace(tmp_path, ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}"], "-o", "out", *files)
    assert proc.returncode in (-9, 137), proc
    left = contents(tmp_path / "out")
    temporaries = {k for k in left if k.startswith(".pale-")}
    assert set(left) - temporaries == set(old)
    assert all(left[k] in (old[k], new[k]) for k in old), "no file is half of one"
    proc = compile_(tmp_path, "-q", "-o", "out", *files)
    assert proc.returncode == 0 and contents(tmp_path / "out") == new
    assert all(f"removed '{k}' beside" in proc.stderr for k in temporaries - {".pale-lock"}), proc.stderr


@pytest.mark.once
@pytest.mark.parametrize("word", ["TERM", "INT"])
@pytest.mark.parametrize("call, when", [("openat", 25), ("write", 12), ("fchmod", 20), ("syncfs", 1), ("renameat2", 1),
                                        ("renameat2", 11), ("renameat2", 20), ("unlinkat", 3)])
def test_ended_midway_all_are_old_or_all_are_new(tmp_path, call, when, word):
    names = [f"p{i}" for i in range(20)]
    files, old, new = both_sets(tmp_path, names)
    (tmp_path / "EPERM").rename(tmp_path / "out")
    proc = under_strace(tmp_path, ["-e", f"trace={call}", "-e", f"inject={call}:signal={word}:when={when}"], "-o", "out", *files)
    assert proc.returncode != 0, proc
    assert contents(tmp_path / "out") in (old, new)


def test_two_runs_at_once_leave_one_of_two_sets(tmp_path):
    names = [f"p{i}" for i in range(25)]
    _, old, new = both_sets(tmp_path, names)
    for word in ("EPERM", "EACCES"):
        (tmp_path / f"from{word}").mkdir()
        write_all(tmp_path / f"from{word}", names, word)
    for _ in range(4):
        runs = [subprocess.Popen([PALE, "compile", "-q", "-t", "bpf", "-o", "out",
                                  *(f"from{word}/{name}.pale" for name in names)], cwd=tmp_path, stderr=subprocess.DEVNULL)
                for word in ("EPERM", "EACCES", "EPERM")]
        assert [run.wait(60) for run in runs] == [0, 0, 0]
        assert contents(tmp_path / "out") in (old, new)


@pytest.mark.once
@pytest.mark.parametrize("call, when, word", [("write", 15, "ENOSPC"), ("openat", 40, "ENOSPC"), ("syncfs", 1, "EIO"),
                                              ("renameat2", 13, "ENOSPC")])
def test_a_full_disk_leaves_the_old_ones(tmp_path, call, when, word):
    names = [f"p{i}" for i in range(20)]
    files, old, _ = both_sets(tmp_path, names)
    (tmp_path / "EPERM").rename(tmp_path / "out")
    proc = under_strace(tmp_path, ["-e", f"trace={call}", "-e", f"inject={call}:error={word}:when={when}"], "-o", "out", *files)
    text = {"ENOSPC": "No space left on device", "EIO": "Input/output error"}[word]
    assert proc.returncode == 3 and text in proc.stderr, proc
    if call != "openat":
        assert proc.stderr.count("pale: ") == 1 and "so none of the files was written" in proc.stderr
    assert call == "openat" or contents(tmp_path / "out") == old
    assert not [k for k in held(tmp_path / "out") if k.startswith(".pale-")]


def test_what_stands_in_the_way_of_one_keeps_all_as_they_were(tmp_path, files):
    (tmp_path / "out").mkdir()
    for name in "ac":
        (tmp_path / "out" / f"{name}.x86_64.bpf").write_text("old")
    (tmp_path / "out" / "b.x86_64.bpf").mkdir()
    proc = compile_(tmp_path, "-q", "-o", "out", *files)
    assert proc.returncode == 3 and proc.stderr.count("pale: ") == 1 and "so none of the files was written" in proc.stderr
    assert (tmp_path / "out" / "a.x86_64.bpf").read_text() == "old" and len(held(tmp_path / "out")) == 3


def test_a_directory_without_permission_is_told_once(open_dir):
    need_root()
    need("setpriv")
    files = write_all(open_dir, "abc")
    (open_dir / "out").mkdir(mode=0o555)
    proc = compile_(open_dir, "-q", "-o", "out", *files, before=AS_NOBODY)
    assert proc.returncode == 3 and proc.stderr.count("\n") == 1 and "Permission denied" in proc.stderr, proc
    assert held(open_dir / "out") == []


# ---- what is named ----

def test_one_file_named_twice_is_told_to_be_one(tmp_path, files):
    for again in ("a.pale", "./a.pale"):
        proc = compile_(tmp_path, "-o", "out", *files, again)
        assert proc.returncode == 1 and "it is one file: name it once" in proc.stderr and not (tmp_path / "out").exists()


def test_a_pipe_is_read_as_a_file(tmp_path, files):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "d").write_text(GOOD.format("d"))
    writer = subprocess.Popen(["sh", "-c", "cat d > fifo"], cwd=tmp_path)
    proc = compile_(tmp_path, "-q", "-o", "out", "a.pale", "fifo", "b.pale")
    assert proc.returncode == 0 and held(tmp_path / "out") == [f"{x}.x86_64.bpf" for x in "abd"], proc.stderr
    assert writer.wait(60) == 0


def from_stdin(tmp_path, text, *argv):
    return subprocess.run([PALE, *argv], cwd=tmp_path, capture_output=True, text=True, input=text)


def test_standard_input_is_one_of_several(tmp_path, files):
    proc = from_stdin(tmp_path, GOOD.format("d"), "compile", "-q", "-t", "bpf", "-o", "out", "a.pale", "-", "c.pale")
    assert proc.returncode == 0 and held(tmp_path / "out") == [f"{x}.x86_64.bpf" for x in "acd"], proc.stderr
    proc = from_stdin(tmp_path, "policy d { bad", "compile", "-q", "-t", "bpf", "-o", "two", "a.pale", "-", "c.pale")
    assert proc.returncode == 1 and proc.stderr.count("<stdin>:1") == 1 and len(held(tmp_path / "two")) == 2
    proc = from_stdin(tmp_path, GOOD.format("d"), "compile", "-q", "-t", "bpf", "-o", "three", "-", "a.pale", "-")
    assert proc.returncode == 1 and "it is one file: name it once" in proc.stderr and not (tmp_path / "three").exists()


@pytest.mark.once  # a sanitizer's shadow needs the memory
@pytest.mark.parametrize("command", [["compile", "-q", "-t", "bpf", "-o", "out"], ["check", "-t", "bpf"]])
def test_standard_input_past_its_bound_leaves_the_others(tmp_path, files, command):
    rules = "".join(f"allow read(reg count in {4 * i}..{4 * i + 1});" for i in range(300000))
    text = f"policy big {{ layers seccomp; arch x86_64; default errno EPERM; {rules} }}\n"
    proc = from_stdin(tmp_path, text, *command, "a.pale", "-", "c.pale")
    assert proc.returncode == 1 and proc.stderr.count("[PL220 ") == 1, proc.stderr[-400:]
    if command[0] == "compile":
        assert held(tmp_path / "out") == ["a.x86_64.bpf", "c.x86_64.bpf"]
    else:
        assert proc.stdout.count("bpf x86_64   ok") == 2


def test_weights_are_read_once_for_all(tmp_path, files):
    proc = compile_(tmp_path, "-q", "-o", "out", "--weights", "none", *files)
    assert proc.returncode == 3 and proc.stderr.count("'none'") == 1, proc.stderr
    proc = from_stdin(tmp_path, "100 read\n", "compile", "-q", "-t", "bpf", "-o", "out", "--weights", "-", *files)
    assert proc.returncode == 0 and len(held(tmp_path / "out")) == 3, proc.stderr
    proc = from_stdin(tmp_path, "bad\n", "compile", "-q", "-t", "bpf", "-o", "out", "--weights", "-", *files)
    assert proc.returncode == 1 and proc.stderr.count("[PL204 ") == 1 and proc.stderr.count(" depends on '<stdin>'") == 3


def test_a_broken_include_is_told_once_and_who_depends_on_it(tmp_path, files):
    (tmp_path / "inc.pale").write_text("set s { allow read; bad }\n")
    users = [f"u{i}.pale" for i in range(40)]
    for i, name in enumerate(users):
        (tmp_path / name).write_text('include "inc.pale";\n' + GOOD.format(f"u{i}").replace("allow read", "use s; allow write"))
    proc = compile_(tmp_path, "-q", "-o", "out", *users, *files)
    assert proc.returncode == 1 and proc.stderr.count("inc.pale:1:21") == 1, proc.stderr
    assert all(proc.stderr.count(f"'{name}' depends on 'inc.pale'") == 1 for name in users)
    assert held(tmp_path / "out") == [f"{x}.x86_64.bpf" for x in "abc"]
    proc = compile_(tmp_path, "--diag=json", "-q", "-o", "out", *users, *files)
    ids = [json.loads(line)["id"] for line in proc.stderr.splitlines()]
    assert ids.count("PL002") == 1 and ids.count("PL320") == 40 and len(ids) == 41


def test_what_is_wrong_in_the_file_itself_is_no_dependence(tmp_path, files):
    (tmp_path / "sets.pale").write_text("set s { allow write; }\n")
    (tmp_path / "u.pale").write_text('include "sets.pale";\n' + GOOD.format("u").replace("allow read", "use s; allow nothing_such"))
    proc = compile_(tmp_path, "-q", "-o", "out", "u.pale", *files)
    assert proc.returncode == 1 and "u.pale:2:" in proc.stderr and "PL320" not in proc.stderr


@pytest.mark.once
def test_of_a_thousand_ten_are_wrong_and_each_is_named_once(tmp_path):
    names = [f"p{i:03}" for i in range(1000)]
    files = write_all(tmp_path, names)
    bad = {17: "policy x { bad }\n", 101: "not a policy\n", 202: "", 303: "\0", 404: GOOD.format("x").replace("read", "raed"),
           505: GOOD.format("x").replace("x86_64", "vax"), 606: 'include "none";\n' + GOOD.format("x"), 707: b"\xff\xfe", 808: None,
           909: GOOD.format("x").replace("allow read", "allow read(count == 1 and nothing == 2)")}
    for i, text in bad.items():
        path = tmp_path / files[i]
        path.unlink()
        if text is None:
            path.mkdir()
        else:
            path.write_bytes(text.encode() if isinstance(text, str) else text)
    proc = compile_(tmp_path, "--diag=json", "-q", "-o", "out", *files)
    told = [json.loads(line) for line in proc.stderr.splitlines()]
    where = [t.get("file") or next(f for f in files if f"'{f}'" in t["message"]) for t in told if t["severity"] == "error"]
    assert proc.returncode == 1 and sorted(set(where)) == sorted(files[i] for i in bad), proc.stderr
    assert held(tmp_path / "out") == [f"{name}.x86_64.bpf" for i, name in enumerate(names) if i not in bad]


# ---- targets and options ----

BOTH = "policy {} {{ layers seccomp, apparmor; arch x86_64; default errno EPERM; allow read, execve; file r /etc/hosts; }}\n"


@pytest.mark.parametrize("options, wanted", [
    (["-t", "docker,apparmor"], ["apparmor", "docker.json"]), (["-t", "all"], ["apparmor", "docker.json", "oci.json", "x86_64.bpf"]),
    (["-t", "docker", "-t", "bpf"], ["docker.json", "x86_64.bpf"]),
    (["-t", "all", "--log-only"], ["log-only.apparmor", "log-only.docker.json", "log-only.oci.json", "log-only.x86_64.bpf"]),
    (["-t", "all", "--host", "x86_64"], ["apparmor", "docker.json", "oci.json", "x86_64.bpf"])])
def test_of_each_file_all_targets_or_none(tmp_path, options, wanted):
    for name in "abc":
        (tmp_path / f"{name}.pale").write_text(BOTH.format(name))
    (tmp_path / "bad.pale").write_text(BOTH.format("bad").replace("/etc/hosts", "/etc/[hosts"))
    argv = [PALE, "compile", "-q", *options, "-o", "out", "a.pale", "bad.pale", "b.pale", "c.pale"]
    proc = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert proc.returncode == 1 and "bad.pale:1:" in proc.stderr
    assert held(tmp_path / "out") == sorted(f"{name}.{suffix}" for name in "abc" for suffix in wanted)
    for name in "abc":
        alone = subprocess.run([PALE, "compile", "-q", *options, "-o", "alone/", f"{name}.pale"], cwd=tmp_path, capture_output=True)
        assert alone.returncode == 0, alone.stderr
    assert contents(tmp_path / "alone") == contents(tmp_path / "out")


def test_check_of_several_names_who_depends_on_a_broken_include(tmp_path, files):
    (tmp_path / "inc.pale").write_text("set s { allow read; bad }\n")
    for name in ("u", "v"):
        (tmp_path / f"{name}.pale").write_text('include "inc.pale";\n' + GOOD.format(name).replace("allow read", "use s; allow write"))
    proc = from_stdin(tmp_path, "", "check", "-t", "bpf", "u.pale", "a.pale", "v.pale")
    assert proc.returncode == 1 and proc.stderr.count("inc.pale:1:21") == 1 and proc.stderr.count("[PL320 ") == 2, proc.stderr
    assert "PL320" not in from_stdin(tmp_path, "", "check", "-t", "bpf", "u.pale").stderr
