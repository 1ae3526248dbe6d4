# SPDX-License-Identifier: Apache-2.0
"""What the kernel holds for a running process is read back, and the process goes on."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

from conftest import PALE, ROOT, need, need_root, program, run
from test_raise import ALLOW, ARCH, I386, JEQ, JGE, LD, NR, RET, X86_64, bpf, errno

HOLDER = pathlib.Path(__file__).parent / "holder.py"
GETPPID = 110


@pytest.fixture(autouse=True)
def privileged():
    need_root()
    if os.uname().machine != "x86_64":
        pytest.skip("the programs of these tests are for x86_64")


@contextlib.contextmanager
def holder(*args):
    with subprocess.Popen([sys.executable, HOLDER, *args], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as child:
        child.tid = int(child.stdout.readline())

        def ask(line):
            child.stdin.write(line + "\n")
            child.stdin.flush()
            return child.stdout.readline().strip()
        child.ask = ask
        try:
            yield child
        except BaseException:
            child.kill()  # one that is stopped would be waited for without end
            raise
        child.stdin.close()
        assert child.wait(10) == 0


def refuse(path, nr, verdict):
    return bpf(path, (LD, ARCH), (JEQ, 1, 0, X86_64), (RET, ALLOW), (LD, NR), (JEQ, 0, 1, nr),
               (RET, verdict), (RET, ALLOW))


def test_one_filter_comes_back_byte_for_byte(pale, tmp_path):
    prog = refuse(tmp_path / "a.bpf", GETPPID, errno(5))
    with holder(prog) as child:
        r = run([PALE, "dump", "--pid", child.pid, "--as", "bpf"], text=False, check=0)
        assert r.out == prog.read_bytes()
        got = pale("dump", "--pid", child.pid, "-n", "x", check=0)
        assert "errno EIO getppid;" in got.out and "foreign allow;" in got.out and got.err == ""
        text = pale("dump", "--pid", child.pid, "--as", "text", check=0).out
        assert "# filter 1 of 1, 7 instructions" in text and "ret" in text
        assert child.ask("still here") == "still here" and child.ask("getppid") == "5"


def test_stacked_filters_in_the_order_of_their_installation(pale, tmp_path):
    """The newest filter's data counts where two refuse alike: the live call shows it."""
    first, second = (refuse(tmp_path / f"{n}.bpf", GETPPID, errno(n)) for n in (5, 7))
    third = refuse(tmp_path / "t.bpf", 102, errno(1))
    with holder(first, second, third) as child:
        pale("dump", "--pid", child.pid, "--as", "bpf", "-o", tmp_path / "out", check=0)
        got = [(tmp_path / f"out.{n}.bpf").read_bytes() for n in (1, 2, 3)]
        assert got == [p.read_bytes() for p in (first, second, third)]
        assert child.ask("getppid") == "7"
        policy = pale("dump", "--pid", child.pid, check=0).out
        assert "errno E2BIG getppid;" in policy and "errno EPERM getuid;" in policy
        assert "3 filters of 21 instructions" in policy
        assert pale("dump", "--pid", child.pid, "--as", "bpf", check=2).out == ""


def test_a_thread_has_filters_of_its_own(pale, tmp_path):
    with holder("--thread", refuse(tmp_path / "a.bpf", GETPPID, errno(5))) as child:
        assert child.tid != child.pid
        assert "errno EIO getppid;" in pale("dump", "--pid", child.tid, check=0).out
        r = pale("dump", "--pid", child.pid, check=1)
        assert "PL282" in r.err and f"/proc/{child.pid}/task" in r.err
        assert child.ask("x") == "x"


def test_what_pale_run_installs_is_what_pale_compile_writes(pale, tmp_path):
    source = tmp_path / "p.pale"
    source.write_text("policy p { arch x86_64; default allow; unknown allow; errno ENOSYS clone3;"
                      " errno EACCES personality(personality == 0x20000); }")
    pale("compile", "-q", "-t", "bpf", "-o", tmp_path / "p.bpf", source, check=0)
    with subprocess.Popen([PALE, "run", source, "--", "cat"], stdin=subprocess.PIPE) as child:
        try:
            deadline = time.monotonic() + 20
            while "Seccomp:\t2" not in pathlib.Path(f"/proc/{child.pid}/status").read_text():
                assert time.monotonic() < deadline
            r = run([PALE, "dump", "--pid", child.pid, "--as", "bpf"], text=False, check=0)
            assert r.out == (tmp_path / "p.bpf").read_bytes()
        finally:
            child.stdin.close()
    assert child.returncode == 0


def test_dockers_default_as_libseccomp_loads_it(pale, tmp_path, record_property):
    profile = ROOT / "profiles" / "found" / "docker-default.json"
    prog = tmp_path / "docker.bpf"
    with open(prog, "wb") as out:
        subprocess.run([program("oci/ocitool"), "libseccomp", profile, "none"], stdout=out, check=True)
    with holder(prog) as child:
        r = run([PALE, "dump", "--pid", child.pid, "--as", "bpf"], text=False, check=0)
        assert r.out == prog.read_bytes()
        got = pale("dump", "--pid", child.pid, check=0).out
        assert "errno ENOSYS clone3;" in got and "AF_VSOCK" in got
        record_property("figure", f"dump: Docker's default, {len(r.out) // 8} instructions, "
                                  f"{len(got.splitlines())} lines")
        assert child.ask("x") == "x"


def test_who_cannot_be_looked_at(pale, tmp_path):
    with subprocess.Popen(["sleep", "60"]) as free:
        try:
            assert "PL282" in pale("dump", "--pid", free.pid, check=1).err
        finally:
            free.kill()
    r = pale("dump", "--pid", free.pid, check=3)
    assert "there is no process" in r.err
    for bad in (["--pid", "0"], ["--pid", "x"], [], ["--pid", "1", "--as", "json"]):
        assert pale("dump", *bad, check=2).out == ""


def test_without_privileges(tmp_path):
    need("setpriv")
    binary = shutil.copy(PALE, "/tmp/pale-dump-test")
    try:
        os.chmod(binary, 0o755)
        with holder(refuse(tmp_path / "a.bpf", GETPPID, errno(5))) as child:
            r = run(["setpriv", "--reuid=65534", "--clear-groups", binary, "dump", "--pid",
                     child.pid], cwd="/", check=3)
            assert "CAP_SYS_ADMIN" in r.err and r.out == ""
            assert child.ask("x") == "x"
    finally:
        os.unlink(binary)


def test_from_under_a_filter_of_ones_own(pale, tmp_path):
    source = tmp_path / "p.pale"
    source.write_text("policy p { arch x86_64; default allow; unknown allow; errno ENOSYS clone3; }")
    with holder(refuse(tmp_path / "a.bpf", GETPPID, errno(5))) as child:
        r = pale("run", source, "--", PALE, "dump", "--pid", child.pid, check=3)
        assert "no filter on pale itself" in r.err
        assert child.ask("x") == "x" and child.ask("getppid") == "5"


def stops_again(pid):
    """The kernel stops it again by itself once the tracer is gone, a moment later."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T":
            return True
        time.sleep(0.01)
    return False


def test_a_stopped_process_stays_stopped(pale, tmp_path):
    import signal
    with holder(refuse(tmp_path / "a.bpf", GETPPID, errno(5))) as child:
        os.kill(child.pid, signal.SIGSTOP)
        assert os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT).si_status == signal.SIGSTOP
        assert "getppid" in pale("dump", "--pid", child.pid, check=0).out
        assert stops_again(child.pid)
        os.kill(child.pid, signal.SIGCONT)
        assert child.ask("x") == "x"


def test_that_refusals_are_logged_is_read_back(pale, tmp_path):
    a, b = refuse(tmp_path / "a.bpf", GETPPID, errno(5)), refuse(tmp_path / "b.bpf", 102, errno(1))
    for loaded, which in ((["--log", a], 1), (["--log", a, "--log", b], 2), ([a, b], 0)):
        with holder(*loaded) as child:
            r = pale("dump", "--pid", child.pid, check=0)
            assert ("\n    log refusals;\n" in r.out) == (which > 0) and not r.err, r
            text = pale("dump", "--pid", child.pid, "--as", "text", check=0).out
            assert text.count("instructions, what it refuses is logged\n") == which, text
            r = pale("dump", "--pid", child.pid, "--as", "bpf", "-o", tmp_path / "out", check=0)
            assert ("[PL214 log-by-loader]" in r.err) == (which > 0), r


@pytest.mark.parametrize("order", [0, 1])
def test_some_filters_that_log_are_told_apart(pale, tmp_path, order):
    a, b = refuse(tmp_path / "a.bpf", GETPPID, errno(5)), refuse(tmp_path / "b.bpf", 102, errno(1))
    with holder(*([a, "--log", b], ["--log", a, b])[order]) as child:
        r = pale("dump", "--pid", child.pid, check=0)
        assert "log refusals" not in r.out and "[PL242 some-log]" in r.err and "1 of 2 filters have" in r.err, r
        text = pale("dump", "--pid", child.pid, "--as", "text", check=0).out
        assert f"# filter {2 - order} of 2, 7 instructions, what it refuses is logged\n" in text, text


def test_what_pale_runs_with_a_log_is_dumped_with_it(pale, tmp_path):
    source = tmp_path / "p.pale"
    source.write_text("policy p { arch x86_64; layers seccomp; default allow; unknown allow; log refusals; errno EXDEV getppid; }")
    with subprocess.Popen([PALE, "run", source, "--", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        (tmp_path / "dumped.pale").write_text(pale("dump", "--pid", child.pid, check=0).out)
        child.stdin.close()
    assert pale("diff", source, tmp_path / "dumped.pale", check=0).out.count("same") == 1
    assert "log refusals;" in (tmp_path / "dumped.pale").read_text()


@pytest.mark.parametrize("filtered", [True, False])
@pytest.mark.parametrize("command", ["dump", "why"])
def test_a_zombie_has_ended(pale, tmp_path, command, filtered):
    prog = [refuse(tmp_path / "a.bpf", GETPPID, errno(5))] if filtered else []
    child = subprocess.Popen([sys.executable, HOLDER, *prog], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays
        r = pale(command, "--pid", child.pid, check=3)
    finally:
        child.kill()
        child.communicate()
    assert f"process {child.pid} has ended and is a zombie" in r.err and r.out == "", r
    assert "root" not in r.err and "CAP_" not in r.err, r
