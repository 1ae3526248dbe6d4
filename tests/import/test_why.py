# SPDX-License-Identifier: Apache-2.0
"""From the kernel's record of a refusal, or a live process, to the rule that refused."""
import json
import pathlib
import resource
import subprocess
import sys
import time

import pytest

from conftest import PALE, need, need_root, run
from kernellog import kernel_log
from test_raise import ALLOW, ARCH, JEQ, LD, NR, RET, X86_64, bpf, errno

POLICY = """policy p {
    arch x86_64;
    default errno EPERM;
    foreign kill-process;
    use two;
    allow read;
    allow socket(family == AF_UNIX);
    errno EACCES socket(family == AF_INET);
    kill bpf;
}
set two { errno ENOSYS clone3; }
"""


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "p.pale"
    path.write_text(POLICY)
    return path


def record(nr, code="0x80000000", arch="c000003e", comm="tmux: server"):
    return (f'type=1326 audit(1795406479.901:3668): auid=4294967295 uid=0 gid=0 ses=4294967295 '
            f'pid=9408 comm="{comm}" exe="/usr/bin/tmux" sig=31 arch={arch} syscall={nr} '
            f'compat=0 ip=0x40828e code={code}')


@pytest.mark.parametrize("line", [
    record(101),
    "[ 3353.173618] audit: " + record(101),
    "Nov 23 04:19:50 host kernel: audit: " + record(101),
    record(101).replace("type=1326 audit", "type=SECCOMP msg=audit"),
    "type=SECCOMP msg=audit(11/23/2026 04:19:50.901:3668) : auid=unset uid=root gid=root ses=unset "
    "pid=9408 comm=tmux: server exe=/usr/bin/tmux sig=SIGSYS arch=x86_64 syscall=ptrace compat=0 "
    "ip=0x40828e code=kill_process",
], ids=["bare", "dmesg", "journal", "audit.log", "ausearch -i"])
def test_every_form_of_a_record(pale, line):
    out = pale("why", line, check=0).out
    assert out.startswith("x86_64 ptrace: KILL_PROCESS, by tmux:") and "(pid 9408)" in out
    assert "allow ptrace;" in out


JOURNALD = ("SECCOMP auid=4294967295 uid=0 gid=0 ses=4294967295 pid=9408 comm=\"tmux: server\" "
            "exe=\"/usr/bin/tmux\" sig=31 arch=c000003e syscall=101 compat=0 ip=0x40828e "
            "code=0x80000000")


@pytest.mark.parametrize("line", [
    "Nov 14 22:13:20 node audit[9408]: " + JOURNALD,
    "2026-11-14T22:13:20+0000 node audit[9408]: " + JOURNALD,
    "node audit: " + JOURNALD,
    JOURNALD,
    json.dumps({"_TRANSPORT": "audit", "_AUDIT_TYPE": "1326", "MESSAGE": JOURNALD}),
    json.dumps({"_TRANSPORT": "kernel", "MESSAGE": "audit: " + record(101)}),
    json.dumps({"MESSAGE": list(JOURNALD.encode()), "X": "audit: SECCOMP arch=zz"}),
    "\x1e" + json.dumps({"MESSAGE": JOURNALD}),
    "data: " + json.dumps({"MESSAGE": JOURNALD}),
], ids=["short", "iso", "old", "cat", "json", "json of the kernel's", "json in bytes", "json-seq", "json-sse"])
def test_every_form_that_journald_gives_it(pale, line):
    out = pale("why", "-", input=f"noise\n{line}\n", check=0).out
    assert out.startswith("x86_64 ptrace: KILL_PROCESS, by tmux: server (pid 9408)\n"), out


def test_a_word_in_another_s_message_makes_no_record(pale):
    for line in ("node sshd[1]: SECCOMP " + JOURNALD[8:], json.dumps({"OTHER": JOURNALD}),
                 "node audit[1]: AVC " + JOURNALD[8:], '{"MESSAGE": "' + JOURNALD[:20]):
        assert "PL283" in pale("why", "-", input=line, check=1).err


def test_who_decided_and_what_would_allow(pale, policy):
    def why(nr, code, **kw):
        return pale("why", record(nr, code, **kw), policy, check=0).out
    out = why(101, "0x50001")
    assert f"{policy}:3:5: default errno EPERM;" in out and "allowed by: allow ptrace;" in out
    out = why(321, "0x80000000")
    assert f"{policy}:9:10: kill bpf" in out and "taking bpf out of that rule" in out
    out = why(435, "0x50026")
    assert "ENOSYS clone3" in out and "use two except clone3;" in out
    out = why(20, "0x80000000", arch="40000003")
    assert f"{policy}:4:5: foreign kill-process;" in out and "allowed by: arch i386;" in out


def test_what_depends_on_arguments_is_told_as_such(pale, policy):
    out = pale("why", record(41, "0x5000d"), policy, check=0).out
    assert f"{policy}:8:18: errno EACCES socket(family == AF_INET)" in out
    assert "for example x86_64 socket(2)" in out and "EPERM" not in out
    assert "arguments, which the record does not have" in out


def test_another_filter_refused(pale, policy):
    out = pale("why", record(0, "0x80000000"), policy, check=0).out
    assert "never answers so" in out and f"ALLOW  {policy}:6:11: allow read" in out


def test_json_and_programs(pale, tmp_path):
    profile = tmp_path / "p.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],\n'
                       '"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"},\n'
                       '{"names": ["bpf"], "action": "SCMP_ACT_KILL_PROCESS"}]}')
    out = pale("why", record(101, "0x50001"), profile, check=0).out
    assert '{"names": ["ptrace"], "action": "SCMP_ACT_ALLOW"}' in out and "p.json:1:" in out
    out = pale("why", record(321), profile, check=0).out
    assert "p.json:3:" in out and "taking bpf out of that entry" in out
    prog = bpf(tmp_path / "p.bpf", (LD, ARCH), (JEQ, 1, 0, X86_64), (RET, 0x80000000), (LD, NR),
               (JEQ, 0, 1, 101), (RET, errno(1)), (RET, ALLOW))
    assert "p.bpf: instruction 5: ret ERRNO(1)" in pale("why", record(101, "0x50001"), prog, check=0).out


def test_many_lines_are_counted(pale, policy):
    lines = "\n".join([record(101, "0x50001")] * 3 + ["noise", record(321)])
    out = pale("why", "-", policy, input=lines, check=0).out
    assert "3 times x86_64 ptrace: ERRNO(1)" in out and "\nx86_64 bpf: KILL_PROCESS" in out


@pytest.mark.parametrize("line,what", [
    ("garbage", "no line has type=1326"), ("", "no line has type=1326"),
    ("type=1326 syscall=1", "no arch="), ("type=1326 arch=zz syscall=1", "no architecture"),
    ("type=1326 arch=c000003e", "no syscall="), ("type=1326 arch=c000003e syscall=nope", "no call"),
    ("type=1326 arch=c000003e syscall=99999999999999999999", "no call"),
    ("type=1326 arch=ffffffffffffffffffffff syscall=1", "no architecture"),
    ("type=1326 arch=c000003e syscall=\"", "no call"), ("type=1326 " + "x" * 100000, "no arch="),
])
def test_what_is_no_record(pale, line, what):
    r = pale("why", line, check=1)
    assert r.out == "" and "PL283" in r.err and what in r.err and "help:" in r.err, r


@pytest.mark.parametrize("line", ["type=1326 arch=c000003e syscall=-1 code=", "type=1326 arch=5 syscall=7",
                                  "type=1326 arch=c000003e syscall=9999 code=0x00000000zz",
                                  'type=1326 arch=c000003e syscall=1 comm="\x1b[31m\xff'])
def test_strange_records_are_answered(pale, policy, line):
    out = pale("why", line, policy, check=0).out
    assert "\x1b" not in out and len(out.splitlines()) >= 2


def test_usage(pale):
    for bad in ([], ["a", "b", "c"], ["--pid", "x"], ["--pid", "1", "a", "b"]):
        assert pale("why", *bad, check=2).out == ""


def test_the_record_that_this_kernel_writes(pale, tmp_path):
    source, own = tmp_path / "k.pale", tmp_path / "whywrites"  # a name by which to know its records
    source.write_text("policy k { arch x86_64; default allow; unknown allow;\n  kill getpriority; }")
    own.symlink_to(sys.executable)
    code = "import ctypes; ctypes.CDLL(None).syscall(140, 0, 0)"
    with kernel_log() as log:
        assert run([PALE, "run", source, "--", own, "-c", code]).rc != 0
        line = log.records("whywrites", 140)[-1]
    out = pale("why", line, source, check=0).out
    assert out.startswith("x86_64 getpriority: KILL_PROCESS")
    assert f"{source}:2:8: kill getpriority" in out


def test_a_live_process(pale, tmp_path, policy):
    need_root()
    holder = pathlib.Path(__file__).parent / "holder.py"
    prog = bpf(tmp_path / "a.bpf", (LD, ARCH), (JEQ, 1, 0, X86_64), (RET, ALLOW), (LD, NR),
               (JEQ, 0, 1, 110), (RET, errno(5)), (RET, ALLOW))
    with subprocess.Popen([sys.executable, holder, prog], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as child:
        child.stdout.readline()
        deadline = time.monotonic() + 20
        while not pathlib.Path(f"/proc/{child.pid}/syscall").read_text().startswith("0 0x0 "):
            assert time.monotonic() < deadline
        out = pale("why", "--pid", child.pid, policy, check=0).out
        assert out.startswith("in the call x86_64 read(0, 0x") and f"(pid {child.pid})" in out
        assert "filter 1 of 1: ALLOW  (instruction 6 of 7)" in out
        assert f"ALLOW  {policy}:6:11: allow read" in out
        child.stdin.close()
    assert "no process" in pale("why", "--pid", child.pid, check=3).err


COMPAT = r"""
#include <linux/filter.h>
#include <stdio.h>
#include <sys/prctl.h>

int main(void)
{
	struct sock_filter allow = { 6, 0, 0, 0x7fff0000 };
	struct sock_fprog prog = { 1, &allow };
	long nr = 29; /* pause to i386, shmget to x86_64 */

	if (prctl(38, 1, 0, 0, 0) || prctl(22, 2, &prog))
		return 1;
	puts("ready");
	fflush(stdout);
	__asm__ volatile("int $0x80" : "+a"(nr) : "b"(0x11), "c"(0x22) : "memory", "r8", "r9", "r10", "r11");
	return 0;
}
"""


def test_a_live_process_in_a_call_of_i386(pale, tmp_path):
    """The same number is another call there."""
    need_root()
    need("gcc")
    (tmp_path / "c.c").write_text(COMPAT)
    run(["gcc", "-o", tmp_path / "c", tmp_path / "c.c"], check=0)
    with subprocess.Popen([tmp_path / "c"], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 20
        while not pathlib.Path(f"/proc/{child.pid}/syscall").read_text().startswith("29 0x11 "):
            if child.poll() is not None:
                pytest.skip("this kernel has no i386 calls")
            assert time.monotonic() < deadline
        out = pale("why", "--pid", child.pid, check=0).out
        child.kill()
    assert out.startswith("in the call i386 pause"), out
    assert "filter 1 of 1: ALLOW" in out


# ---- logs of any length ----

def limited(argv, lines, mib):
    """Fed line by line, with that much memory."""
    p = subprocess.Popen([PALE, *map(str, argv)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20)))
    out, err = p.communicate("".join(lines).encode())
    return p.returncode, out.decode(), err.decode()


@pytest.mark.once  # a sanitizer's shadow needs the address space
def test_a_log_is_not_kept_to_be_read(policy):
    noise, journal = "x" * 1000 + "\n", json.dumps({"A": "y" * 1000, "MESSAGE": JOURNALD}) + "\n"
    rc, out, err = limited(["why", "-", policy], [record(101, "0x50001") + "\n", noise * 20000, journal * 20000,
                                                 record(321)], 24)
    assert rc == 0 and not err, err
    assert "20000 times x86_64 ptrace: KILL_PROCESS" in out and "\nx86_64 bpf: KILL_PROCESS" in out, out


def test_a_line_that_is_wrong_is_named_by_its_number(pale):
    r = pale("why", "-", input="noise\n" * 70000 + "type=1326 syscall=1\n" + record(101), check=1)
    assert "line 70001 of standard input: no seccomp record: it has no arch=" in r.err and "ptrace" in r.out, r


def test_of_a_line_that_is_too_long_it_is_said(pale):
    long = {"A": "y" * (1 << 20), "MESSAGE": JOURNALD}
    for line in json.dumps(long), "\x1e" + json.dumps(long), "data: " + json.dumps(long):
        r = pale("why", "-", input=f"{record(321)}\n{line}\n{record(101)}\n", check=1)
        assert "line 2 of standard input: it has more than 1048576 bytes" in r.err and "--output-fields=MESSAGE" in r.err
        assert r.out.count("allowed by:") == 2, r
    for line in "z" * (3 << 20), record(0) + " " * (3 << 20):  # of text the beginning says what it is
        r = pale("why", "-", input=f"{line}\n{record(101)}\n", check=0)
        assert "ptrace" in r.out and ("x86_64 read" in r.out) == line.startswith("type"), r


def test_calls_past_those_that_are_told_apart_are_counted_with_a_way_out(pale):
    lines = "\n".join(record(n % 300, comm=f"c{n // 300}") for n in range(4100))
    out = pale("why", "-", input=lines, check=0).out
    assert out.endswith("and 4 records more, of other calls: 4096 kinds are told apart; 'grep' for a comm= or a "
                        "syscall= leaves fewer\n"), out[-300:]


def test_an_answer_behind_many_others_is_found(pale, tmp_path):
    """Of 200 answers of a file, the record's is looked for; and 64 are told."""
    args = [[{"index": 0, "value": i, "op": "SCMP_CMP_EQ"}] for i in range(200)]
    entries = [{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": i + 1, "args": a} for i, a in enumerate(args)]
    entries.append({"names": ["read"], "action": "SCMP_ACT_KILL_PROCESS", "args": [{**args[0][0], "value": 999}]})
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": entries}))
    out = pale("why", record(0, "0x80000000"), path, check=0).out
    assert "KILL_PROCESS  " in out and "for example x86_64 read(0x3e7)" in out and "never answers so" not in out, out
    out = pale("why", record(0, "0x50000"), path, check=0).out
    assert out.count("\n  ERRNO(") == 64 and "and other answers: 64 are told" in out, out


@pytest.mark.parametrize("comm, arch, shown", [
    ("2F612062", "c000003e", "by /a b ("),               # as the kernel writes what has a blank
    ("746D75783A20736572766572", "c000003e", "by tmux: server ("),
    ("1B5B316D22", "c000003e", 'by \\x1b[1m" ('),
    ('"2F612062"', "c000003e", "by 2F612062 ("),         # quoted: that is its name
    ("2F612062", "x86_64", "by 2F612062 ("),             # ausearch -i has read it
    ("2F61206", "c000003e", "by 2F61206 ("), ("2f61", "c000003e", "by 2f61 ("), ("?", "c000003e", "by ? ("),
])
def test_a_name_in_the_kernel_s_hex_is_read(pale, comm, arch, shown):
    line = record(101, arch=arch).replace('comm="tmux: server"', "comm=" + comm)
    assert shown in pale("why", line, check=0).out
    assert shown in pale("why", "-", input=line + "\n", check=0).out
