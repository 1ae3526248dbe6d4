# SPDX-License-Identifier: Apache-2.0
"""What is read is not written over: the only copy of a policy, a log or a recording would be gone."""
import pytest

from conftest import PALE, run

POLICY = "policy p { arch x86_64; default errno EPERM; allow read, write; }\n"
PROFILE = '{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"]}\n'
STRACE = 'execve("/bin/true", ["true"], 0x7ffe) = 0\ngetpid() = 7\nexit_group(0) = ?\n+++ exited with 0 +++\n'


@pytest.fixture()
def here(tmp_path):
    files = {"p.pale": POLICY, "other.pale": POLICY.replace("policy p", "policy other"), "j.json": PROFILE,
             "w": "1 read\n", "s.log": STRACE, "set.pale": "set s { allow close; }\n",
             "uses.pale": 'include "set.pale";\npolicy u { arch x86_64; use s; }\n',
             "bad.apparmor": POLICY.replace("policy p", "policy bad")}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    run([PALE, "replay", "--from", "strace", "--allow-loss", "-o", "r.rec", "s.log"], cwd=tmp_path)
    assert (tmp_path / "r.rec").stat().st_size
    (tmp_path / "link").symlink_to("r.rec")
    (tmp_path / "prog").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "prog").chmod(0o755)
    return tmp_path


def state(d):
    return {p.name: p.read_bytes() for p in d.iterdir()}


@pytest.mark.parametrize("words", [
    "compile -t bpf -o p.pale p.pale", "compile -t bpf -o ./p.pale p.pale", "compile -t bpf --weights w -o w p.pale",
    "compile -t bpf -o set.pale uses.pale", "compile -t apparmor -o . bad.apparmor",
    "compile -t apparmor -o . other.pale bad.apparmor",
    "import -o j.json j.json", "propose -o r.rec r.rec", "propose -o link r.rec", "propose -o r.rec link",
    "propose --report r.rec -o new r.rec", "propose --update p.pale -o r.rec r.rec",
    "replay --from strace -o s.log s.log", "lint --write-baseline p.pale p.pale",
    "lint --write-baseline p.pale other.pale p.pale", "watch --from s.log --prometheus s.log --until 1s",
    "watch --prometheus p.pale --until 1s p.pale", "run --layers seccomp --count --report p.pale p.pale -- ./prog",
    "run --layers seccomp --count --report prog p.pale -- ./prog", "learn --backend ptrace -o prog -- ./prog",
    "learn --backend ptrace -r prog -o new ./prog"])
def test_an_output_that_is_read_is_refused_before_anything_is_done(here, words):
    (here / "bad.apparmor").write_text(POLICY.replace("policy p {", "policy bad { layers seccomp, apparmor;"))
    before = state(here)
    r = run([PALE, *words.split()], cwd=here)
    assert r.rc == (125 if words.split()[0] in ("run", "learn") else 2), r
    assert "is read, and what is in it would be lost: write to another file" in r.err, r
    assert state(here) == before


@pytest.mark.parametrize("words", [
    "learn --backend ptrace -o new -r ./new -- ./prog", "learn --backend ptrace -o new --report new -- ./prog",
    "propose -o new --report new r.rec", "propose -o here/new --report new r.rec",
    "propose -o p.pale --report to-p r.rec"])
def test_two_outputs_are_two_files(here, words):
    (here / "here").symlink_to(".")
    (here / "to-p").symlink_to("p.pale")
    r = run([PALE, *words.split()], cwd=here)
    assert r.rc == (125 if words.startswith("learn") else 2) and "name the same file" in r.err, r
    assert not (here / "new").exists() and (here / "p.pale").read_text() == POLICY


def test_what_keeps_all_that_it_reads_may_be_written_over_it(here):
    one = (here / "r.rec").read_bytes()
    run([PALE, "merge", "-o", "r.rec", "r.rec", "r.rec"], cwd=here, check=0)
    assert (here / "r.rec").read_bytes() == one
    run([PALE, "propose", "--allow-loss", "--update", "p.pale", "-o", "p.pale", "r.rec"], cwd=here, check=0)
    text = (here / "p.pale").read_text()
    assert "allow read, write;" in text and "getpid" in text
    run([PALE, "fmt", "-i", "p.pale"], cwd=here, check=0)


def test_what_is_no_file_is_read_and_written(here):
    run([PALE, "compile", "-q", "-t", "bpf", "-o", "/dev/null", "p.pale"], cwd=here, check=0)
    r = run([PALE, "import", "-o", "/dev/null", "/dev/null"], cwd=here)
    assert "would be lost" not in r.err, r
    r = run([PALE, "import", "-o", "-", "-"], cwd=here, input=PROFILE, check=0)
    assert "default allow;" in r.out
    # Of another name, though it looks alike: a hard link is its own file, and keeps its text.
    (here / "k.json").hardlink_to(here / "j.json")
    run([PALE, "import", "-o", "k.json", "j.json"], cwd=here, check=0)
    assert (here / "j.json").read_text() == PROFILE


def test_of_many_files_the_look_is_one(tmp_path):
    names = [f"f{i}.pale" for i in range(300)]
    for i, n in enumerate(names):
        (tmp_path / n).write_text(POLICY.replace("policy p", f"policy p{i}"))
    run([PALE, "compile", "-q", "-t", "bpf", "-o", "out", *names], cwd=tmp_path, check=0)
    assert len(list((tmp_path / "out").iterdir())) == 300
