# SPDX-License-Identifier: Apache-2.0
"""What a command writes is there whole, all of it or none, and nothing else is left behind."""
import fcntl
import os
import resource
import shutil
import signal
import subprocess

import pytest

from conftest import PALE, PATIENCE, need, need_root, run

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


# ---- file systems that cannot exchange two names (NFS, 9p, FUSE), or have no links (vfat) ----

NO_EXCHANGE = ["-e", "inject=renameat2:error=EINVAL"]
NO_LINKS = [*NO_EXCHANGE, "-e", "inject=linkat:error=EPERM"]


def old_set(room):
    """All artifacts of the policy, as an earlier run left them."""
    compile_all = [PALE, "compile", "-q", "-t", "all", "-o", "out", "both.pale"]
    run(compile_all, check=0)
    full = names("out")
    for i, name in enumerate(full):
        (room / "out" / name).write_text("old")
        os.chmod(room / "out" / name, 0o600 + i)
    return compile_all, full


def contents(room, full):
    return {(room / "out" / x).read_text() for x in full}


@pytest.mark.parametrize("how", [NO_EXCHANGE, NO_LINKS])
def test_without_exchange_the_old_files_come_back_too(room, how):
    strace = need("strace")
    compile_all, full = old_set(room)
    modes = [os.stat(room / "out" / x).st_mode for x in full]
    for n in range(1, len(full) + 1):
        r = run([strace, "-o", "/dev/null", "-e", "trace=renameat,renameat2,linkat", *how,
                 "-e", f"inject=renameat:error=EIO:when={n}", *compile_all], check=3)
        assert "Input/output error; so none of" in r.err
        assert names("out") == full and contents(room, full) == {"old"}
        assert [os.stat(room / "out" / x).st_mode for x in full] == modes
    run([strace, "-o", "/dev/null", "-e", "trace=renameat2,linkat", *how, *compile_all], check=0)
    assert names("out") == full and "old" not in {(room / "out" / x).read_bytes() for x in full}


@pytest.mark.parametrize("how", [[], NO_EXCHANGE, NO_LINKS])
@pytest.mark.parametrize("word", ["TERM", "HUP"])
def test_a_signal_leaves_all_or_none_on_every_file_system(room, how, word):
    strace = need("strace")
    compile_all, full = old_set(room)
    for call in ("renameat2", "renameat", "linkat", "unlinkat", "flock"):
        for n in range(1, 8):
            argv = [strace, "-o", "/dev/null", "-e", "trace=renameat,renameat2,linkat,unlinkat,flock",
                    "-e", f"inject={call}:signal={word}:when={n}", *how, *compile_all]
            if call in ("renameat2", "linkat") and how:
                continue  # one injection a call
            subprocess.run(argv, capture_output=True,
                           preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
            assert names("out") == full
            now = [(room / "out" / x).read_bytes() == b"old" for x in full]
            assert all(now) or not any(now), (call, n)


def test_parts_of_a_larger_filter_go_on_such_a_file_system_as_well(room):
    (room / "out").mkdir()
    for name in ("p.x86_64.bpf", "p.x86_64.2.bpf", "p.x86_64.3.bpf"):
        (room / "out" / name).write_text("old")
    argv = ["-e", "trace=renameat2,linkat,renameat", *NO_EXCHANGE]
    compile_bpf = [PALE, "compile", "-t", "bpf", "-o", "out", "p.pale"]
    r = run([need("strace"), "-o", "/dev/null", *argv, "-e", "inject=renameat:error=EIO:when=3",
             *compile_bpf], check=3)
    assert contents(room, names("out")) == {"old"} and len(names("out")) == 3
    r = run([need("strace"), "-o", "/dev/null", *argv, *compile_bpf], check=0)
    assert names("out") == ["p.x86_64.bpf"] and "out/p.x86_64.3.bpf: removed" in r.err


def test_an_old_file_that_cannot_be_put_back_is_kept_and_named(room):
    """The second name fails, and then the first's way back."""
    compile_all, full = old_set(room)
    r = run([need("strace"), "-o", "/dev/null", "-e", "trace=renameat,renameat2", "-e",
             "inject=renameat2:error=EIO:when=2", "-e", "inject=renameat:error=EIO", *compile_all],
            check=3)
    assert "cannot put back the old 'out/" in r.err and "none of" not in r.err
    kept = [x for x in os.listdir("out") if x.startswith(".pale-")]
    assert len(kept) == 1 and kept[0] in r.err and (room / "out" / kept[0]).read_text() == "old"


# ---- killed, and two at once ----

@pytest.mark.parametrize("call", ["renameat2", "fsync", "unlinkat"])
def test_what_a_killed_run_leaves_the_next_one_removes_and_tells(room, pale, call):
    strace = need("strace")
    compile_all, full = old_set(room)
    for n in range(1, len(full) + 1):
        (room / "out/.pale-notes").write_text("not ours")
        subprocess.run([strace, "-o", "/dev/null", "-e", f"trace={call}", "-e",
                        f"inject={call}:signal=KILL:when={n}", *compile_all], capture_output=True)
        assert ".pale-lock" in os.listdir("out") and set(full) <= set(os.listdir("out"))
        left = set(os.listdir("out")) - set(full) - {".pale-lock", ".pale-notes"}
        r = run(compile_all, check=0)
        assert names("out") == sorted([*full, ".pale-notes"])
        assert all(f"removed '{x}' beside" in r.err for x in left), r


def test_where_another_run_writes_the_second_one_waits_and_says_so(room):
    (room / "x.bpf").write_text("old")
    with open(".pale-lock", "w") as held:
        os.chmod(".pale-lock", 0o600)
        fcntl.flock(held, fcntl.LOCK_EX)
        (room / ".pale-abcdefgh").write_text("the other's")
        p = subprocess.Popen([PALE, "compile", "-q", "-t", "bpf", "-o", "x.bpf", "p.pale"],
                             stderr=subprocess.PIPE, text=True)
        assert "waiting for another run that writes beside 'x.bpf'" in p.stderr.readline()
        assert (room / "x.bpf").read_text() == "old"
        os.unlink(".pale-abcdefgh")
        os.unlink(".pale-lock")
    assert p.communicate(timeout=PATIENCE)[1] == "" and p.returncode == 0
    assert (room / "x.bpf").stat().st_size % 8 == 0
    assert names(room) == ["both.pale", "p.pale", "x.bpf"]


def test_parts_that_another_run_wrote_meanwhile_go_as_well(room):
    """Else one run's filter would stand beside another's parts."""
    (room / "out").mkdir()
    with open("out/.pale-lock", "w") as held:
        os.chmod("out/.pale-lock", 0o600)
        fcntl.flock(held, fcntl.LOCK_EX)
        p = subprocess.Popen([PALE, "compile", "-q", "-t", "bpf", "-o", "out/", "p.pale"], stderr=subprocess.PIPE, text=True)
        assert "waiting for another run that writes beside" in p.stderr.readline()
        for name in "p.x86_64.bpf", "p.x86_64.2.bpf", "p.x86_64.3.bpf":
            (room / "out" / name).write_text("the other's")
        os.unlink("out/.pale-lock")
    said = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 0 and names("out") == ["p.x86_64.bpf"] and said.count(": removed: a part") == 2, said
    assert (room / "out/p.x86_64.bpf").stat().st_size % 8 == 0


def test_a_larger_and_a_smaller_filter_at_once_leave_one_of_them(room):
    (room / "big.pale").write_text(many_rules(1500))
    sets = []
    for name in "big.pale", "p.pale":
        run([PALE, "compile", "-q", "-t", "bpf", "-o", f"{name}.d/", name], check=0)
        sets.append({x: (room / f"{name}.d" / x).read_bytes() for x in names(f"{name}.d")})
    for _ in range(6):
        both = [subprocess.Popen([PALE, "compile", "-q", "-t", "bpf", "-o", "out/", name], stderr=subprocess.DEVNULL)
                for name in ("big.pale", "p.pale", "p.pale")]
        assert [p.wait(60) for p in both] == [0, 0, 0]
        assert {x: (room / "out" / x).read_bytes() for x in names("out")} in sets


def test_a_run_that_waits_can_be_ended(room):
    with open(".pale-lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        p = subprocess.Popen([PALE, "compile", "-t", "bpf", "-o", "x.bpf", "p.pale"],
                             stderr=subprocess.PIPE, text=True)
        assert "waiting" in p.stderr.readline()
        p.terminate()
        assert p.wait(60) == -signal.SIGTERM
    p.stderr.close()
    assert names(room) == [".pale-lock", "both.pale", "p.pale"]


def test_two_runs_at_once_never_mix_their_files(room):
    """Each set is one policy's."""
    sets = []
    for word in ("EPERM", "EACCES"):
        (room / "both.pale").write_text(BOTH.replace("default errno EPERM", f"default errno {word}"))
        (room / f"{word}.pale").write_text((room / "both.pale").read_text())
        run([PALE, "compile", "-q", "-t", "docker,oci,bpf", "-o", word, "both.pale"], check=0)
        sets.append({x: (room / word / x).read_bytes() for x in names(word)})
    for _ in range(8):
        both = [subprocess.Popen([PALE, "compile", "-q", "-t", "docker,oci,bpf", "-o", "out",
                                  f"{word}.pale"], stderr=subprocess.DEVNULL)
                for word in ("EPERM", "EACCES", "EPERM")]
        assert [p.wait(60) for p in both] == [0, 0, 0]
        assert {x: (room / "out" / x).read_bytes() for x in names("out")} in sets


def test_a_strangers_lock_keeps_nobody_from_writing(room, pale):
    need_root()
    (room / "all").mkdir()
    os.chmod("all", 0o1777)
    with open("all/.pale-lock", "w") as held:
        os.chown("all/.pale-lock", NOBODY, NOBODY)
        fcntl.flock(held, fcntl.LOCK_EX)
        pale("compile", "-q", "-t", "bpf", "-o", "all/x", "p.pale", check=0)
    os.unlink("all/.pale-lock")
    os.symlink("../victim", "all/.pale-lock")
    pale("compile", "-q", "-t", "bpf", "-o", "all/x", "p.pale", check=0)
    os.unlink("all/.pale-lock")
    os.mkfifo("all/.pale-lock")
    pale("compile", "-q", "-t", "bpf", "-o", "all/x", "p.pale", check=0)
    assert "victim" not in names(room) and names("all") == [".pale-lock", "x"]
