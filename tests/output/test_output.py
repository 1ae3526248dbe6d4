# SPDX-License-Identifier: Apache-2.0
"""What a command writes is there whole, all of it or none, and nothing else is left behind."""
import os
import resource
import shutil
import signal
import subprocess

import pytest

from conftest import PALE, need, need_root, run

SMALL = "policy p { arch x86_64; default allow; errno EXDEV getppid; }\n"
BOTH = ("policy p { arch x86_64, aarch64; layers seccomp, apparmor; default errno EPERM;"
        " allow read, execve; file r /etc/hosts; }\n")
NOBODY = 65534


@pytest.fixture
def room(tmp_path, monkeypatch):
    (tmp_path / "p.pale").write_text(SMALL)
    (tmp_path / "both.pale").write_text(BOTH)
    # LeakSanitizer does not work under strace.
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0:exitcode=99")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(path):
    return sorted(os.listdir(path))


def limited(**limits):
    def apply():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    return apply


def test_a_name_of_255_bytes_can_be_written(room, pale):
    pale("compile", "-q", "-t", "bpf", "-o", "n" * 255, "p.pale", check=0)
    r = pale("compile", "-q", "-t", "bpf", "-o", "n" * 256, "p.pale", check=3)
    assert "File name too long" in r.err
    assert names(room) == ["both.pale", "n" * 255, "p.pale"]


def test_a_file_past_the_limit_is_told_and_the_old_one_stays(room):
    (room / "x.bpf").write_text("old")
    r = run([PALE, "compile", "-t", "bpf", "-o", "x.bpf", "p.pale"], check=3,
            preexec_fn=limited(FSIZE=8))
    assert "File too large" in r.err
    assert (room / "x.bpf").read_text() == "old" and len(names(room)) == 3


def test_output_past_the_limit_is_told(room):
    with open("out", "wb") as out:
        proc = subprocess.run([PALE, "list", "syscalls"], stdout=out, stderr=subprocess.PIPE,
                              preexec_fn=limited(FSIZE=512))
    assert proc.returncode == 3 and b"File too large" in proc.stderr


@pytest.mark.parametrize("blocked", ["p.oci.json", "p.x86_64.bpf", "p.apparmor"])
def test_several_artifacts_are_written_all_or_none(room, pale, blocked):
    """A directory stands where one of them should go."""
    (room / "out").mkdir()
    for name in ("p.docker.json", "p.aarch64.bpf"):
        (room / "out" / name).write_text("old")
    (room / "out" / blocked).mkdir()
    before = names("out")
    r = pale("compile", "-t", "all", "-o", "out", "both.pale", check=3)
    assert f"'out/{blocked}': Is a directory; so none of the files" in r.err
    assert names("out") == before
    assert (room / "out/p.docker.json").read_text() == "old"


def test_a_rename_that_fails_takes_back_those_before(room):
    strace = need("strace")
    pale = [PALE, "compile", "-q", "-t", "all", "-o", "out", "both.pale"]
    run(pale, check=0)
    full = names("out")
    for name in full:
        (room / "out" / name).write_text("old")
    for n in range(1, len(full) + 1):
        r = run([strace, "-o", "/dev/null", "-e", "trace=renameat2",
                 "-e", f"inject=renameat2:error=EIO:when={n}", *pale], check=3)
        assert "Input/output error; so none of" in r.err
        assert names("out") == full
        assert {(room / "out" / x).read_text() for x in full} == {"old"}
    shutil.rmtree("out")
    for n in range(1, len(full) + 1):
        run([strace, "-o", "/dev/null", "-e", "trace=renameat",
             "-e", f"inject=renameat:error=EIO:when={n}", *pale], check=3)
        assert not os.path.exists("out")


@pytest.mark.parametrize("word", ["TERM", "INT", "HUP"])
@pytest.mark.parametrize("call", ["openat", "write", "fsync", "fchmod"])
def test_a_signal_while_a_file_is_written_leaves_the_old_one(room, word, call):
    strace = need("strace")
    (room / "x.bpf").write_text("old")
    argv = [PALE, "compile", "-q", "-t", "bpf", "-o", "x.bpf", "p.pale"]
    log = subprocess.run([strace, "-e", f"trace={call}", *argv], capture_output=True, text=True)
    calls = [l for l in log.stderr.splitlines() if l.startswith(call)]
    at = next(i for i, l in enumerate(calls, 1) if call != "openat" or ".pale-" in l)
    (room / "x.bpf").write_text("old")
    proc = subprocess.run([strace, "-o", "/dev/null", "-e", f"trace={call}", "-e",
                           f"inject={call}:signal={word}:when={at}", *argv],
                          preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
    assert proc.returncode == -getattr(signal, f"SIG{word}")
    assert (room / "x.bpf").read_text() == "old" and len(names(room)) == 3


def many_rules(n):
    lines = "".join(f"allow #{500 + i % 40}(reg arg0 == {i * 0x9e3779b97f % 2 ** 40});"
                    for i in range(n))
    return f"policy p {{ layers seccomp; arch x86_64; default errno 1; {lines} allow execve; }}\n"


def test_parts_of_a_larger_filter_go_when_a_smaller_one_comes(room, pale):
    (room / "big.pale").write_text(many_rules(1500))
    pale("compile", "-q", "-t", "bpf", "-o", "out/", "big.pale", check=0)
    assert "p.x86_64.2.bpf" in names("out")
    (room / "out/p.x86_64.17.bpf").write_text("older")
    (room / "out/p.x86_64.2.bpf.orig").write_text("not ours")
    (room / "out/q.x86_64.2.bpf").write_text("another policy's")
    r = pale("compile", "-q", "-t", "bpf", "-o", "out/", "p.pale", check=0)
    assert names("out") == ["p.x86_64.2.bpf.orig", "p.x86_64.bpf", "q.x86_64.2.bpf"]
    assert "out/p.x86_64.2.bpf: removed" in r.err and "out/p.x86_64.17.bpf: removed" in r.err


def test_a_part_that_cannot_be_removed_keeps_all_as_it_was(room):
    strace = need("strace")
    (room / "out").mkdir()
    for name in ("p.x86_64.bpf", "p.x86_64.2.bpf"):
        (room / "out" / name).write_text("old")
    run([strace, "-o", "/dev/null", "-e", "trace=renameat2", "-e",
         "inject=renameat2:error=EROFS:when=2", PALE, "compile", "-t", "bpf", "-o", "out", "p.pale"],
        check=3)
    assert names("out") == ["p.x86_64.2.bpf", "p.x86_64.bpf"]
    assert {(room / "out" / x).read_text() for x in names("out")} == {"old"}


def test_a_link_stays_a_link(room, pale):
    (room / "real").mkdir()
    (room / "real/x.bpf").write_text("old")
    os.symlink("real/x.bpf", "link")
    os.symlink(room / "link", "link2")
    pale("compile", "-q", "-t", "bpf", "-o", "link2", "p.pale", check=0)
    assert os.readlink("link") == "real/x.bpf" and os.path.islink("link2")
    assert (room / "real/x.bpf").stat().st_size % 8 == 0
    assert names("real") == ["x.bpf"]


def test_a_link_to_nothing_is_refused(room, pale):
    os.symlink("nowhere", "link")
    r = pale("compile", "-t", "bpf", "-o", "link", "p.pale", check=3)
    assert "a symbolic link that leads to nothing" in r.err
    assert os.readlink("link") == "nowhere" and not os.path.exists("nowhere")
    os.symlink("loop", "loop")
    assert "Too many levels" in pale("compile", "-t", "bpf", "-o", "loop", "p.pale", check=3).err


def test_an_old_file_keeps_its_mode_and_owner(room, pale):
    need_root()
    (room / "x.bpf").write_text("old")
    os.chown("x.bpf", NOBODY, NOBODY)
    os.chmod("x.bpf", 0o640)
    pale("compile", "-q", "-t", "bpf", "-o", "x.bpf", "p.pale", check=0)
    st = os.stat("x.bpf")
    assert (st.st_uid, st.st_gid, st.st_mode & 0o777) == (NOBODY, NOBODY, 0o640)


@pytest.mark.parametrize("what", ["file", "link", "directory", "fifo"])
def test_where_all_may_write_what_a_stranger_put_there_is_refused(room, pale, what):
    need_root()
    (room / "all").mkdir()
    os.chmod("all", 0o1777)
    (room / "mine").write_text("mine")
    path = "all/x"
    if what == "file":
        (room / path).write_text("theirs")
        os.chmod(path, 0o666)
    elif what == "fifo":
        os.mkfifo(path)
    else:
        os.symlink("../mine" if what == "link" else "..", path)
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    out = path + "/new" if what == "directory" else path
    r = pale("compile", "-t", "bpf", "-o", out, "p.pale", check=3)
    assert "another user's, in a directory where all may write" in r.err
    assert names("all") == ["x"] and (room / "mine").read_text() == "mine"
    assert "new" not in names(room)


def test_where_all_may_write_ones_own_file_is_replaced(room, pale):
    (room / "all").mkdir()
    os.chmod("all", 0o1777)
    (room / "all/x").write_text("old")
    pale("compile", "-q", "-t", "bpf", "-o", "all/x", "p.pale", check=0)
    assert names("all") == ["x"] and (room / "all/x").read_bytes()[:3] != b"old"


def test_a_device_is_written_to_as_it_is(room, pale):
    r = pale("compile", "-q", "-t", "bpf", "-o", "/dev/stdout", "p.pale", check=0, text=False)
    assert len(r.out) % 8 == 0 and r.out
    assert "No space left" in pale("compile", "-t", "bpf", "-o", "/dev/full", "p.pale", check=3).err


def test_format_says_when_the_new_text_is_too_large(room, pale):
    (room / "c.pale").write_text("policy p { default allow;\n" + "#\n" * 3000000 + "}\n")
    before = (room / "c.pale").stat().st_mtime_ns
    for option in ([], ["--check"], ["-i"]):
        r = pale("fmt", *option, "c.pale", check=1)
        assert "the formatted text is larger than 16 MiB" in r.err and not r.out
    assert (room / "c.pale").stat().st_mtime_ns == before
