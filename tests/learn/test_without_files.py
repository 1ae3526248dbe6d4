# SPDX-License-Identifier: Apache-2.0
"""`pale learn --no-files`: calls alone. What is proposed of them is what it is with files."""
import json
import os
import re
import subprocess
import sys

import pytest

from conftest import BUILD, PALE, PATIENCE, need_root, run, skip
from recordings import Recording
from test_backends import waits
from test_margin import record

PROBES = BUILD / "tests/learn/probes"
WAYS = ["ebpf", "ebpf-tp", "ebpf-raw", "ptrace"]
WRITES = "mkdir d && echo x > d/f && mv d/f d/g && rm -r d"
PROGRAMS = {
    "reads": ["cat", "/etc/passwd"],
    "writes": ["sh", "-c", WRITES],
    "sockets": [sys.executable, "-S", "-E", "-c", "import socket as s\na, b = s.socketpair()\na.send(b'x')\n"
                "c = s.socket(s.AF_INET, s.SOCK_DGRAM)\nc.sendto(b'x', ('127.0.0.1', 9))"],
}


def learn(tmp_path, backend, name, *argv, options=()):
    out, rec = tmp_path / f"{name}.pale", tmp_path / f"{name}.rec"
    r = run([PALE, "learn", "--backend", backend, "-o", out, "-r", rec, *options, "--", *argv], cwd=tmp_path)
    if r.rc == 125 and backend != "ptrace":
        need_root()
        skip(f"{backend}: {r.err.splitlines()[0]}")
    assert r.rc == 0, r
    run([PALE, "fmt", "--check", out], check=0)
    return rec, out.read_text()


def both(tmp_path, backend, *argv):
    """With files, and without."""
    with_files = learn(tmp_path, backend, "with", *argv)
    return with_files, learn(tmp_path, backend, "without", *argv, options=["--no-files"])


def filter_of(policy):
    """The calls of a proposal as what a container is given."""
    out = policy.with_suffix(".json")
    run([PALE, "compile", "-q", "-t", "docker", "-o", out, policy], check=0)
    return out.read_bytes()


def facts(rec):
    return [line.partition("\t")[0] for line in rec.read_text().splitlines()
            if not re.match(r"pale |run |end ", line)]


@pytest.mark.parametrize("backend, program", [*((w, "writes") for w in WAYS), *(
    (w, p) for w in ("ebpf", "ptrace") for p in ("reads", "sockets"))])
def test_the_same_calls_are_proposed_of_them_alone_as_with_files(tmp_path, backend, program):
    (_, text), (rec, alone) = both(tmp_path, backend, *PROGRAMS[program])
    assert filter_of(tmp_path / "with.pale") == filter_of(tmp_path / "without.pale")
    assert "layers seccomp, apparmor;" in text
    assert "layers seccomp; # no apparmor: files were not observed" in alone
    assert "# files: not observed, so `layers` leaves AppArmor out" in alone
    assert " file " in text and not re.search(r"^ +(owner )?file ", alone, re.M)
    assert run([PALE, "propose", rec]).out == alone


@pytest.mark.parametrize("backend", WAYS)
def test_of_files_programs_alone_are_kept_and_that_some_were_written(tmp_path, backend):
    (full, _), (rec, _) = both(tmp_path, backend, "sh", "-c", WRITES)
    files = {f.split('"')[1]: f.split('"')[2].split()[0] for f in facts(rec) if f.startswith("file ")}
    assert {os.path.basename(p) for p in files} >= {"mkdir", "mv", "rm"}
    assert all("x" in perms for perms in files.values())
    assert not [f for f in facts(rec) if f.split()[0] in ("rule", "others", "lost")]
    header = [line for line in rec.read_text().splitlines() if line.startswith("run 1 ")]
    assert "run 1 no-files" in header and "run 1 files-written" in header
    libc = [line for line in full.read_text().splitlines() if line.startswith("run 1 libc")]
    assert libc and libc[0] in header
    seen = [{f for f in facts(r) if f.split()[0] in ("call", "value", "tuple")} for r in (full, rec)]
    assert seen[0] == seen[1]


@pytest.mark.parametrize("backend", ["ebpf", "ptrace", "seccomp"])
def test_what_only_reads_or_writes_to_devices_wrote_no_files(tmp_path, backend):
    rec, text = learn(tmp_path, backend, "r", "sh", "-c", "cat /etc/passwd > /dev/null", options=["--no-files"])
    assert "files-written" not in rec.read_text() and "# files written" not in text


@pytest.mark.parametrize("backend", ["ebpf", "ptrace", "seccomp"])
def test_with_others_it_is_said_of_how_many_runs_no_files_are_known(tmp_path, backend):
    (full, _), (rec, _) = both(tmp_path, backend, "cat", "/etc/passwd")
    one, other = tmp_path / "one", tmp_path / "other"
    run([PALE, "merge", full, rec, "-o", one], check=0)
    run([PALE, "merge", rec, full, "-o", other], check=0)
    assert one.read_bytes() == other.read_bytes()
    text = run([PALE, "propose", one], check=0).out
    assert "# files: not observed in 1 of 2 runs; what those used, and asked of AppArmor" in text
    assert "layers seccomp, apparmor;" in text
    assert re.search(r"file r /etc/passwd; # 1x in 1 of 1 runs with files", text)
    assert re.search(r"(access|execve) [12]x|allow execve", text)
    twice = tmp_path / "twice"
    rec2, _ = learn(tmp_path, backend, "again", "cat", "/etc/passwd", options=["--no-files"])
    run([PALE, "merge", rec, rec2, "-o", twice], check=0)
    text = run([PALE, "propose", twice], check=0).out
    assert "layers seccomp; # no apparmor: files were not observed" in text
    assert "so `layers` leaves AppArmor out" in text and not re.search(r"^ +file ", text, re.M)


def test_an_apparmor_profile_of_it_is_refused_where_it_says_why(tmp_path):
    learn(tmp_path, "ptrace", "p", "cat", "/etc/passwd", options=["--no-files"])
    r = run([PALE, "compile", "-t", "apparmor", "-o", tmp_path / "x", tmp_path / "p.pale"])
    assert r.rc == 1 and "PL206" in r.err and "no apparmor: files were not observed" in r.err, r
    assert not (tmp_path / "x").exists()


def test_the_filter_lets_what_only_reads_through_and_stops_at_the_rest(tmp_path):
    """Of what is let through no value is known; what writes, or makes executable, is seen."""
    rec, text = learn(tmp_path, "seccomp", "s", "sh", "-c", WRITES, options=["--no-files"])
    r = Recording(rec)
    values = {(c, v) for a, c, _, v in (f.split()[1:5] for f in facts(rec) if f.startswith("value "))}
    opened = [int(v, 16) for c, v in values if c == "openat"]
    assert opened and all(v & (os.O_WRONLY | os.O_RDWR) for v in opened)
    assert {int(v, 16) & 4 for c, v in values if c in ("mmap", "mprotect")} == {4}
    assert "makes nothing executable and opens to read alone: " in text
    assert re.search(r"openat\(flags\)", text) and "mmap(prot)" in text
    assert r.losses == "none"
    whole, _ = learn(tmp_path, "ptrace", "w", "sh", "-c", WRITES, options=["--no-files"])
    assert calls(whole) <= calls(rec)


def calls(rec):
    return {f.split()[2] for f in facts(rec) if f.startswith("call ")}


@pytest.mark.parametrize("backend", [*WAYS, "seccomp"])
def test_what_apparmor_alone_is_asked_has_no_rule_in_a_policy_without_it(tmp_path, backend):
    """Signals, also from outside, as containers are ended by one; a user namespace."""
    learn(tmp_path, backend, "p", sys.executable, "-ESc", "import ctypes, os, signal\n"
          "signal.signal(10, lambda *_: None); os.kill(os.getpid(), 10); os.kill(os.getppid(), 0)\n"
          "ctypes.CDLL(None).unshare(0x10000000)\n"
          "child = os.fork() or signal.pause()\nos.kill(child, 9); os.wait()", options=["--no-files"])
    text = (tmp_path / "p.rec").read_text()
    assert not re.search("^(received|sent|rule|label) ", text, re.M), text
    run([PALE, "check", tmp_path / "p.pale"], check=0)


def test_nor_has_it_where_a_recording_of_an_older_pale_holds_it(tmp_path):
    rec = record(tmp_path, ["read", "unshare"], 'received 15 program "/usr/bin/dockerd"', "received 2 ours", "sent 0 ours",
                 'rule "userns create"', 'rule "umount /x/"', "bits x86_64 unshare 0 0x10000000 0xffffffffefffffff")
    text = rec.read_text()
    for no_files in (False, True):
        rec.write_text(text.replace("run 1 tasks 1", "run 1 no-files\nrun 1 tasks 1") if no_files else text)
        out = tmp_path / "out.pale"
        run([PALE, "propose", "-o", out, rec], check=0)
        run([PALE, "check", out], check=0)
        assert bool(re.search("^ +(signal|userns|umount) ", out.read_text(), re.M)) is not no_files


def test_what_is_let_through_by_an_argument_is_allowed_no_further(tmp_path):
    """A program without a library makes nothing executable: no more than that is assumed of it."""
    learn(tmp_path, "seccomp", "s", PROBES / "spin", options=["--no-files"])
    text = (tmp_path / "s.pale").read_text()
    flat = re.sub(r"\s+", " ", text)
    assert "allow mprotect(prot lacks PROT_EXEC); # assumed: whether it is made was not seen" in flat
    assert not re.search(r"allow [^;(]*\bm(map|protect)\b *[,;]", flat)
    assert "pkey_mprotect" not in flat


@pytest.mark.parametrize("backend", ["ptrace", "seccomp"])
def test_memory_that_is_written_and_executed_is_seen_all_the_same(tmp_path, backend):
    (_, text), (_, alone) = both(tmp_path, backend, PROBES / "jit")
    conditions = [sorted(set(re.findall(r"allow (m(?:map|protect)[^;]*);", t))) for t in (text, alone)]
    assert conditions[0] == conditions[1] and conditions[0]


def test_serving_cannot_be_told_by_a_call_that_is_let_through(tmp_path):
    argv = [PALE, "learn", "--backend", "seccomp", "--serve-from", "openat", "-o", tmp_path / "p"]
    r = run([*argv, "--no-files", "--", "true"])
    assert r.rc == 125 and "lets openat through without a look" in r.err, r
    assert run([*argv, "--", "true"]).rc == 0


@pytest.mark.parametrize("way", ["btf", "tp"])
def test_by_ebpf_nothing_is_run_where_calls_end(tmp_path, way):
    """The recorder's own programs, by the descriptors that it holds of them while it records."""
    look = ("import glob, os, re\nfor f in glob.glob(f'/proc/{os.getppid()}/fdinfo/*'):\n"
            "    try: n = re.search(r'^prog_id:\\s*(\\d+)', open(f).read(), re.M)\n"
            "    except OSError: continue\n    if n: os.system(f'bpftool -j prog show id {n[1]}; echo')")
    names = []
    for options in ([], ["--no-files"]):
        r = run([PALE, "learn", "--backend", f"ebpf-{way}", *options, "-o", tmp_path / "p", "--",
                 sys.executable, "-c", look])
        if r.rc == 125:
            need_root()
            skip(f"ebpf-{way}: {r.err.splitlines()[0]}")
        assert r.rc == 0, r
        names.append({json.loads(line)["name"] for line in r.out.splitlines() if line.startswith("{")})
    assert f"exit_{way}" in names[0] and f"enter_{way}" in names[0] & names[1]
    assert not [n for n in names[1] if n.startswith(("exit_", "name_"))]


def test_what_runs_already_is_recorded_with_its_sockets_and_without_files(tmp_path):
    script = ("import socket, sys\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\nf = open('kept', 'w')\n"
              "print('up', flush=True)\nsys.stdin.read(1)\nf.write('x')")
    p = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "up\n"
    rec = tmp_path / "rec"
    q = subprocess.Popen([PALE, "learn", "--backend", "ptrace", "--no-files", "--pid", str(p.pid), "-r", rec, "-o",
                          tmp_path / "p"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while q.poll() is None and not waits(q.pid):
            pass
        p.communicate("x", timeout=PATIENCE)
        err = q.communicate(timeout=PATIENCE)[1]
    finally:
        p.kill()
        q.kill()
    assert q.returncode == 0, err
    kinds = facts(rec)
    assert [f for f in kinds if f.startswith("tuple x86_64 socket ")]
    assert "files-written" in rec.read_text()
    assert all("x" in f.split('"')[2] for f in kinds if f.startswith("file "))
