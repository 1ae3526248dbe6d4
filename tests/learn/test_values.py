# SPDX-License-Identifier: Apache-2.0
"""Arguments that say what a call is used for: recorded, kept as evidence, and bounded where they are closed by nature."""
import re

import pytest

from conftest import PALE, need, need_root, run
from recordings import Recording
from test_awkward import EACH, python
from test_backends import PROBES, learn, usable
from test_margin import propose, record

PROBE = PROBES / "values"
SEEN = {("openat2", 2): ["0x90000:1"], ("prlimit64", 1): ["0x7:1"], ("fcntl", 1): ["0x1:1", "0x3:2"],
        ("keyctl", 0): ["0x0:1"], ("bpf", 0): ["0x1:1"], ("seccomp", 0): ["0x2:1"], ("madvise", 2): ["0x4:1"],
        ("clone3", 0): ["0x100100000:1"]}


def plain(text):
    return " ".join(text.replace("#", " ").split())


def check(rec, replayed=False):
    assert rec.losses == "none"
    assert {k: [v for v in rec.args[k] if ":" in v] for k in SEEN} == SEEN
    assert rec.calls["x86_64", "openat2"] == 2 and rec.calls["x86_64", "prlimit64"] >= 3
    assert replayed or "unbounded" in rec.args["semctl", 2]
    assert len([v for v in rec.args["semctl", 2] if ":" in v]) == 32


@EACH
def test_what_calls_are_used_for_is_recorded_and_only_ways_of_use_are_bounded(tmp_path, backend):
    rec, text = learn(tmp_path, backend, PROBE)
    check(rec)
    text = plain(text)
    for line in ("allow fcntl;", "allow openat2;", "allow madvise;", "allow seccomp;", "allow semctl;",
                 "allow keyctl(option == KEYCTL_GET_KEYRING_ID);", "allow bpf((cmd & 0xfffeffff) == BPF_MAP_LOOKUP_ELEM);",
                 "cmd was F_GETFD 1x, F_GETFL 2x allow fcntl",
                 "flags was O_DIRECTORY|O_CLOEXEC 1x allow openat2", "resource was RLIMIT_NOFILE 1x",
                 "cmd: more than 32 different values allow semctl", "O_NONBLOCK|O_DIRECTORY|O_NOFOLLOW|O_NOATIME at times"):
        assert line in text, (line, text)
    assert "a seccomp filter of its own" not in text  # it only asked


@pytest.mark.once
def test_strace_shows_the_same_values(tmp_path):
    need("strace")
    run(["strace", "-f", "-o", tmp_path / "log", PROBE], check=0)
    r = run([PALE, "replay", "--from", "strace", "-o", tmp_path / "r.rec", tmp_path / "log"], check=0)
    assert "could not be read" not in r.err
    check(Recording(tmp_path / "r.rec"), replayed=True)


@EACH
def test_clone3_is_allowed_where_nothing_says_that_clone_would_be_tried(tmp_path, backend):
    """F13: the proposal refused what it was made of."""
    text = plain(learn(tmp_path, backend, PROBE)[1])
    assert "CLONE_PARENT_SETTID|CLONE_CLEAR_SIGHAND 1x allow clone3; 1x" in text and "errno ENOSYS clone3" not in text
    assert run([PALE, "run", "--layers", "seccomp", tmp_path / f"{backend}.pale", "--", PROBE]).rc == 0
    text = plain(learn(tmp_path, backend, *python("import threading; t = threading.Thread(target=print); t.start(); t.join()"))[1])
    assert "allow clone3" not in text and "errno ENOSYS clone3;" in text


def test_namespaces_that_clone3_makes_are_a_capability(tmp_path):
    need_root()
    usable("ebpf")
    text = learn(tmp_path, "ebpf", PROBE, "new")[1]
    assert "flags was CLONE_NEWTIME|CLONE_NEWUTS 1x" in plain(text)
    if "capabilities: not observed" not in text:
        assert re.search(r"capability sys_admin; +# \d+x, first at .*, in clone3", text), text


def test_an_older_recording_has_the_call_without_its_values(tmp_path):
    text = propose(record(tmp_path, ["keyctl", "clone3", "seccomp"]))
    assert re.search(r"allow +keyctl;", text) and re.search(r"errno +ENOSYS clone3;", text), text
    assert "a seccomp filter of its own" in text
    old = record(tmp_path, ["keyctl"]).rename(tmp_path / "old.rec")
    new = record(tmp_path, ["keyctl"], "value x86_64 keyctl 0 0x0")
    assert "keyctl(option == KEYCTL_GET_KEYRING_ID)" in propose(new)
    new.write_text(new.read_text().replace(f"{7:032x}", f"{8:032x}"))
    both = run([PALE, "propose", old, new], check=0).out
    assert re.search(r"allow +keyctl;", both) and "option was KEYCTL_GET_KEYRING_ID 3x" in both, both


def test_flags_have_their_own_numbers_on_another_machine(tmp_path):
    rec = record(tmp_path, ["openat", "openat2"], "value x86_64 openat 2 0x10000", "value x86_64 openat2 2 0x30000")
    text = plain(propose(rec, "--arch", "aarch64"))
    assert "flags was O_DIRECTORY 3x allow openat;" in text and "flags was O_DIRECTORY|O_NOFOLLOW 3x allow openat2;" in text


def test_a_number_that_an_abi_does_not_have_opens_it_not(tmp_path):
    text = propose(record(tmp_path, ["read", "i386 #600"]))
    assert "arch x86_64;" in plain(text) and "foreign errno ENOSYS;" in plain(text)
    assert "another ABI that the kernel does not have: 3;" in text
    assert "foreign kill-process;" in plain(propose(record(tmp_path, ["read"])))


def test_an_update_allows_a_clone3_that_is_no_libcs(tmp_path):
    policy = tmp_path / "p.pale"
    policy.write_text("policy p {\n    level linux 7.3;\n    layers seccomp;\n    arch x86_64;\n    default errno EPERM;\n"
                      "    unknown errno ENOSYS;\n    foreign kill-process;\n    errno ENOSYS fork;\n    allow read;\n}\n")
    rec = record(tmp_path, ["clone3"], "value x86_64 clone3 0 0x4000000", "bits x86_64 clone3 0 0x4000000 0xfffffffffbffffff")
    r = run([PALE, "propose", "--update", policy, rec])
    assert "+    allow clone3;" in re.sub(" +", " ", r.out).replace("+ ", "+    "), r
