# SPDX-License-Identifier: Apache-2.0
"""A filter of more than 4096 instructions: several programs that are one filter."""
import ctypes
import os
import platform
import random
import re
import struct

import pytest

from conftest import PALE, ROOT, run

SETS = ROOT / "profiles" / "sets"
# Harmless with any first two arguments: they fail with ESRCH, EINVAL, EBADF or EFAULT.
PROBES = {121: "getpgid", 124: "getsid", 145: "sched_getscheduler", 225: "timer_getoverrun",
          255: "inotify_rm_watch", 315: "sched_getattr"}
EXDEV = 18


def values(nr, n=6):
    rand = random.Random(nr)
    return [[rand.getrandbits(32) for _ in range(n)] for _ in range(2)]


def big(extra="", calls=range(450), n=6, header="default errno EXDEV;"):
    def among(arg, vs):
        return f"(reg arg{arg} & 0xffffffff) in {{{', '.join(map(str, vs))}}}"
    rules = [f"\tallow #{nr}({among(0, values(nr, n)[0])}, {among(1, values(nr, n)[1])});"
             for nr in calls]
    return ("policy big {\n\tlevel linux 6.18; layers seccomp; arch x86_64;\n\t" + header +
            "\n\tuse start-run, libc;\n\tallow seccomp, prctl, write, exit_group;\n" + extra +
            "\n".join(rules) + "\n}\n")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    where = tmp_path_factory.mktemp("split")
    (where / "big.pale").write_text(big())
    r = run([PALE, "compile", "-t", "bpf", "-o", f"{where}/", "--sets", SETS, where / "big.pale"])
    assert r.rc == 0, r
    return where, sorted(where.glob("*.bpf")), r


def test_two_programs_are_written_and_proved_together(parts):
    where, files, r = parts
    assert [f.name for f in files] == ["big.x86_64.2.bpf", "big.x86_64.bpf"], r
    assert all(f.stat().st_size <= 4096 * 8 for f in files)
    assert "first of 2 programs" in r.err and "proved for all calls" in r.err and re.search(r"first of \d programs", r.err), r
    m = re.search(r"cacheable: (\d+) of (\d+)", r.err)
    assert m and m[1] == m[2] and int(m[1]) > 20, r


def test_sim_answers_as_the_policy_does(pale, parts):
    rand = random.Random(3)
    lines = ""
    for _ in range(4000):
        nr = rand.randrange(480)
        a, b = (rand.choice([*v, rand.getrandbits(32)]) for v in values(nr))
        lines += f"x86_64 {nr} {a} {b} 0 0 0 0\n"
    answers = [pale("sim", parts[0] / "big.pale", "--raw", "--as", way, "--sets", SETS,
                    input=lines, check=0).out for way in ("policy", "bpf")]
    assert answers[0] == answers[1] and answers[0].count("ALLOW") > 300


def attached_answers(files, calls):
    """The errnos of the calls, in a child under all the programs."""
    libc = ctypes.CDLL(None, use_errno=True)
    programs = []
    for f in files:
        data = f.read_bytes()
        code = ctypes.create_string_buffer(data, len(data))
        programs.append((code, struct.pack("HxxxxxxP", len(data) // 8, ctypes.addressof(code))))
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        out = [libc.prctl(38, 1, 0, 0, 0)]
        for _, fprog in programs:
            out.append(libc.prctl(22, 2, fprog))
        for nr, a, b in calls:
            ctypes.set_errno(0)
            libc.syscall(nr, ctypes.c_ulong(a), ctypes.c_ulong(b), 0, 0)
            out.append(ctypes.get_errno())
        os.write(w, struct.pack(f"{len(out)}i", *out))
        libc.syscall(231, 0)
    os.close(w)
    data = b""
    while chunk := os.read(r, 65536):
        data += chunk
    os.close(r)
    os.waitpid(pid, 0)
    return struct.unpack(f"{len(data) // 4}i", data)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs an x86_64 kernel")
@pytest.mark.parametrize("order", [1, -1])
def test_the_kernel_answers_as_the_policy_does(pale, parts, order):
    where, files, _ = parts
    rand = random.Random(5)
    calls = []
    for _ in range(600):
        nr = rand.choice(list(PROBES))
        a, b = (rand.choice([*v, rand.getrandbits(31)]) for v in values(nr))
        calls.append((nr, a, b))
    lines = "".join(f"x86_64 {nr} {a} {b} 0 0 0 0\n" for nr, a, b in calls)
    want = pale("sim", where / "big.pale", "--raw", "--sets", SETS, input=lines, check=0).out.split("\n")
    got = attached_answers(files[::order], calls)
    assert got[:3] == (0, 0, 0), "not attached"
    refused = [w.startswith(f"ERRNO({EXDEV})") for w in want[:-1]]
    assert [e == EXDEV for e in got[3:]] == refused
    assert 50 < sum(refused) < 550


def test_run_attaches_all_of_them(pale, parts):
    r = pale("run", "--sets", SETS, parts[0] / "big.pale", "--", "/bin/echo", "under two filters")
    assert r.rc == 0 and r.out == "under two filters\n", r


def test_one_file_is_too_little(pale, parts, tmp_path):
    for out in ([], ["-o", tmp_path / "one.bpf"]):
        r = pale("compile", "-q", "-t", "bpf", "--sets", SETS, parts[0] / "big.pale", *out)
        assert r.rc == 2 and "-o DIR/" in r.err and not r.out, r
    assert not (tmp_path / "one.bpf").exists()


def test_check_says_how_many(pale, parts):
    r = pale("check", "--sets", SETS, parts[0] / "big.pale")
    assert re.search(r"bpf x86_64 +ok \(\d{4} instructions in 2 programs", r.out), r


def test_what_would_need_two_listeners_is_refused(pale, tmp_path):
    path = tmp_path / "big.pale"
    path.write_text(big(header="default notify;"))
    r = pale("compile", "-t", "bpf", "-o", f"{tmp_path}/", "--sets", SETS, path)
    assert r.rc == 1 and "PL200" in r.err and not list(tmp_path.glob("*.bpf")), r


def test_a_single_call_is_not_split(pale, tmp_path):
    path = tmp_path / "big.pale"
    path.write_text(big(calls=[16], n=5000))
    r = pale("compile", "-t", "bpf", "-o", f"{tmp_path}/", "--sets", SETS, path)
    assert r.rc == 1 and "PL200" in r.err and "costs" in r.err, r


def test_what_the_kernel_would_not_take_together_is_refused(pale, tmp_path):
    path = tmp_path / "big.pale"
    path.write_text(big(n=48))
    r = pale("compile", "-t", "bpf", "-o", f"{tmp_path}/", "--sets", SETS, path)
    assert r.rc == 1 and "PL200" in r.err, r


def lists(path, n, calls=("lseek(reg arg1",)):
    rand = random.Random(n)
    rules = [f"\tallow {call} == {v});" for call in calls for v in rand.sample(range(2 ** 32), n)]
    path.write_text("policy lists { layers seccomp; arch x86_64; default errno EXDEV; use start-run;\n" +
                    "\n".join(rules) + "\n}\n")
    return [int(v) for v in re.findall(r" == (\d+)\)", path.read_text())]


@pytest.mark.parametrize("n,most", [(3000, 30), (4000, 160), (4030, 1100)])
def test_as_many_values_of_one_argument_as_a_program_has_room_for_are_one_program(pale, tmp_path, n, most):
    path, out = tmp_path / "lists.pale", tmp_path / "lists.bpf"
    allowed = lists(path, n)
    r = pale("compile", path, "-t", "bpf", "-o", out, "--sets", SETS, check=0)
    m = re.search(r"(\d+) instructions; .* (\d+) at most", r.err)
    assert n < int(m[1]) <= 4096 and int(m[2]) <= most, r
    rand = random.Random(1)
    values = rand.sample(allowed, 300) + [v + rand.choice((1, -1, 1 << 32)) for v in rand.sample(allowed, 300)]
    lines = "".join(f"x86_64 8 0 {v & 0xffffffffffffffff} 0 0 0 0\n" for v in values)
    policy = pale("sim", path, "--raw", "--as", "policy", "--sets", SETS, input=lines, check=0).out
    program = pale("sim", out, "--raw", input=lines, check=0).out
    assert policy == program and 300 <= policy.count("ALLOW") < 330


def test_two_calls_with_as_many_are_several_programs(pale, tmp_path):
    lists(tmp_path / "lists.pale", 4000, ["lseek(reg arg1", "ioctl(reg arg1"])
    r = pale("compile", tmp_path / "lists.pale", "-t", "bpf", "-o", f"{tmp_path / 'out'}/", "--sets", SETS, check=0)
    assert all(f.stat().st_size <= 4096 * 8 for f in (tmp_path / "out").iterdir())
    assert "proved for all calls" in r.err and re.search(r"first of \d programs", r.err), r


def test_more_are_refused_with_what_the_smallest_program_takes(pale, tmp_path):
    lists(tmp_path / "lists.pale", 4200)
    r = pale("compile", tmp_path / "lists.pale", "-t", "bpf", "-o", tmp_path / "x", "--sets", SETS, check=1)
    assert 4200 < int(re.search(r"needs (\d+) BPF instructions", r.err)[1]) < 4300, r
