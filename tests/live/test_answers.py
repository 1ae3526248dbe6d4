# SPDX-License-Identifier: Apache-2.0
"""What the running kernel answers under `pale compile -t bpf`'s filters, one call at a time:
unknown numbers, x32, number -1, foreign architectures, garbage above 32-bit parameters, and every
kind of verdict."""
import errno
import platform
import re
import struct

import pytest

from conftest import program, run

X32 = 0x40000000
GETPID, GETPID_I386 = 39, 20
X86_64, I386 = 0xc000003e, 0x40000003
HIGH = 0xdeadbeef << 32


@pytest.fixture(autouse=True)
def x86_64():
    if platform.machine() != "x86_64":
        pytest.skip("needs an x86_64 kernel")


@pytest.fixture
def kernel(pale, tmp_path):
    """kernel(body) -> call(number, *args, abi=64): what the kernel answers under that policy."""
    def load(body, arch="x86_64", header="default errno 1; unknown errno 2; foreign errno 3;"):
        policy, filter_ = tmp_path / "p.pale", tmp_path / "p.bpf"
        policy.write_text(f"policy p {{ layers seccomp; arch {arch}; level linux 6.18; {header} "
                          f"{body} }}\n")
        pale("compile", "-q", "-t", "bpf", "-o", filter_, policy, check=0)
        return caller(filter_)
    return load


def caller(filter_):
    def call(number, *args, abi=64):
        r = run([program("live/answers"), filter_, abi, number, *args], check=0)
        if abi == 32 and r.out.startswith("process killed by 11"):
            pytest.skip("this kernel has no i386 calls")
        return r.out.strip()
    return call


def refused(n):
    return f"returned {-n}"


# ---- numbers ----

@pytest.mark.parametrize("number", [337, 380, 423, 500, 512, 547, 548, 600, 999, 1000, 0xffff,
                                    0x3fffffff])
def test_numbers_that_no_call_has_are_unknown(kernel, number):
    call = kernel("errno 5 #600;")
    assert call(number) == refused(5 if number == 600 else 2)


def test_what_stands_above_the_numbers_32_bits_is_nothing(kernel):
    call = kernel("errno 7 getpid;")
    assert call(GETPID) == call(HIGH | GETPID) == refused(7)
    assert call(HIGH | 600) == refused(2)


@pytest.mark.parametrize("number", [X32, X32 | GETPID, X32 | 512, X32 | 999, 0x7fffffff, 0x80000000,
                                    0xc0000027, 0xfffffffe])
def test_x32_numbers_are_foreign_where_x32_is_not_listed(kernel, number):
    assert kernel("errno 7 getpid;")(number) == refused(3)
    assert kernel("", header="default errno 1; unknown errno 2; foreign kill;")(number) == \
        "process killed by 31"


def test_x32_is_decided_where_it_is_listed(kernel):
    call = kernel("errno 7 getpid; when arch x32 { errno 8 getppid; }", arch="x86_64, x32")
    assert call(X32 | GETPID) == call(GETPID) == refused(7)
    assert call(X32 | 110) == refused(8) and call(110) == refused(1)
    for number in (X32 | 999, 0x7fffffff, 0x80000000, 0xfffffffe):
        assert call(number) == refused(2)


KILL = "default kill; unknown kill; foreign kill;"


def test_number_minus_one_passes_and_is_no_call(kernel):
    for arch in ("x86_64", "x86_64, x32"):
        call = kernel("", arch=arch, header=KILL)
        assert call(0xffffffff) == call(2**64 - 1) == refused(errno.ENOSYS)
        assert call(GETPID) == "process killed by 31"


def test_a_call_that_a_tracer_skips_kills_nobody(kernel, tmp_path):
    kernel("", header=KILL)
    tool = program("live/answers")
    assert run([tool, tmp_path / "p.bpf", "traced", GETPID], check=0).out == \
        "process killed by 31\n"
    assert run([tool, tmp_path / "p.bpf", "skip", GETPID], check=0).out == \
        f"returned -{errno.ENOSYS}\n"


# ---- architectures ----

def test_int_0x80_is_foreign_where_i386_is_not_listed(kernel):
    assert kernel("allow getpid;")(GETPID_I386, abi=32) == refused(3)
    call = kernel("allow getpid;", header="default errno 1; foreign kill-process;")
    assert call(GETPID_I386, abi=32) == "process killed by 31"
    assert call(GETPID).startswith("returned ")


def test_int_0x80_is_i386_where_it_is_listed(kernel):
    call = kernel("errno 7 getpid;", arch="x86_64, i386")
    assert call(GETPID_I386, abi=32) == call(GETPID) == refused(7)
    assert call(GETPID, abi=32) == refused(1)  # mkdir there
    assert call(600, abi=32) == call(X32 | GETPID_I386, abi=32) == refused(2)


# ---- what a parameter does not hold ----

@pytest.mark.parametrize("high", [0, 1 << 32, HIGH, 0xffffffff << 32])
def test_garbage_above_an_int_changes_nothing(kernel, high):
    call = kernel("errno 7 socket(domain == 2, (type & 15) == 1); errno 8 socket(domain < 0);")
    assert call(41, high | 2, high | 1) == refused(7)
    assert call(41, high | 0xfffffffe, high | 1) == refused(8)
    assert call(41, high | 3, high | 1) == call(41, high | 2, high | 2) == refused(1)


@pytest.mark.parametrize("high", [1 << 32, HIGH, 0xffffffff << 32])
def test_a_64_bit_parameter_is_compared_whole(kernel, high):
    call = kernel("errno 7 lseek(offset == 2); errno 8 mmap(length in 0x1000..0x2000);"
                  "errno 9 lseek(offset < 0);")
    assert call(8, 0, 2) == refused(7) and call(9, 0, 0x1800) == refused(8)
    assert call(8, 0, high | 2) == refused(9 if high >> 63 else 1)
    assert call(9, 0, high | 0x1800) == refused(1)


def test_registers_are_compared_whole(kernel):
    call = kernel("errno 7 socket(reg arg0 == 2);")
    assert call(41, 2) == refused(7) and call(41, HIGH | 2) == refused(1)


# ---- kinds ----

def test_kill_process(kernel):
    assert kernel("kill getpid;")(GETPID) == "process killed by 31"


def test_kill_thread_leaves_the_process(kernel):
    assert kernel("kill-thread getpid;")(GETPID) == "thread killed"


@pytest.mark.parametrize("data", [0, 77, 65535])
def test_trap_tells_the_handler_which_call_and_the_data(kernel, data):
    call = kernel(f"trap {data} getpid;", arch="x86_64, i386")
    assert call(GETPID) == f"trapped {data} call {GETPID} arch {X86_64:#x} code 1 at 0"
    assert call(GETPID_I386, abi=32).startswith(
        f"trapped {data} call {GETPID_I386} arch {I386:#x} code 1 ")


@pytest.mark.parametrize("number", [0, 1, 4095])
def test_errno_is_its_number(kernel, number):
    assert kernel(f"errno {number} getpid;")(GETPID) == refused(number)


@pytest.mark.parametrize("data", [4095, 4096, 65535])
def test_an_errno_beyond_4095_is_4095_in_the_kernel_and_here(pale, tmp_path, data):
    filter_ = tmp_path / "clamp.bpf"
    filter_.write_bytes(struct.pack("<HBBI", 0x20, 0, 0, 0) +
                        struct.pack("<HBBI", 0x15, 0, 1, GETPID) +
                        struct.pack("<HBBI", 0x06, 0, 0, 0x50000 | data) +
                        struct.pack("<HBBI", 0x06, 0, 0, 0x7fff0000))
    assert caller(filter_)(GETPID) == refused(4095)
    r = pale("sim", filter_, "getpid")
    assert re.search(r"(?i)errno.*\b4095\b", r.out), r


def test_an_errno_beyond_4095_is_no_policy(pale, tmp_path):
    policy = tmp_path / "p.pale"
    policy.write_text("policy p { arch x86_64; errno 4096 getpid; }")
    assert pale("compile", "-t", "bpf", "-o", tmp_path / "out", policy).rc == 1


@pytest.mark.parametrize("verdict", ["trace 5", "notify"])
def test_without_tracer_or_listener_the_call_is_not_there(kernel, verdict):
    assert kernel(f"{verdict} getpid;")(GETPID) == refused(errno.ENOSYS)


@pytest.mark.parametrize("verdict", ["log", "allow"])
def test_log_and_allow_let_pass(kernel, verdict):
    m = re.fullmatch(r"returned (\d+)", kernel(f"{verdict} getpid;")(GETPID))
    assert m and int(m[1]) > 0
