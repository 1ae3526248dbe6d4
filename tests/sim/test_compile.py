# SPDX-License-Identifier: Apache-2.0
"""pale compile: what is written, where, what is said about it, and what is refused."""
import os
import random
import re

import pytest

from conftest import PALE, ROOT, run
import policies

WEB = """policy web {
	level linux 6.18; layers seccomp; arch x86_64, aarch64; default errno EPERM;
	allow read, write, execve, exit_group, close;
	allow socket(domain in {AF_INET, AF_INET6}, (type & SOCK_TYPE_MASK) == SOCK_STREAM);
	kill bpf;
}
"""
NO_START = """policy stuck { level linux 6.18; layers seccomp; arch x86_64; default errno EPERM;
	allow read; }
"""


@pytest.fixture
def web(tmp_path):
    path = tmp_path / "web.pale"
    path.write_text(WEB)
    return path


def test_one_target_goes_to_standard_output(pale, web):
    r = pale("compile", web, "-t", "bpf", "--arch", "x86_64", text=False, check=0)
    assert len(r.out) % 8 == 0 and r.out[:8] == bytes([0x20, 0, 0, 0, 4, 0, 0, 0])
    assert b"instructions" in r.err and b"proved for all calls" in r.err, r


def test_one_target_of_two_machine_families_is_refused_on_standard_output(pale, web):
    r = pale("compile", web, "-t", "bpf", check=2)
    assert r.out == "" and "--arch" in r.err, r


def test_a_directory_gets_one_program_a_machine_family(pale, web, tmp_path):
    out = tmp_path / "out"
    pale("compile", web, "-t", "bpf", "-o", out, check=0)
    assert sorted(p.name for p in out.iterdir()) == ["web.aarch64.bpf", "web.x86_64.bpf"]


def test_a_file_is_replaced_whole(pale, web, tmp_path):
    out = tmp_path / "x.bpf"
    out.write_bytes(b"old" * 1000)
    pale("compile", web, "-t", "bpf", "--arch", "x86_64", "-o", out, check=0)
    assert out.read_bytes()[:1] == b"\x20" and list(tmp_path.glob("x.bpf.*")) == []


def test_the_same_input_gives_the_same_bytes(pale, web):
    runs = {pale("compile", web, "-t", "bpf", "--arch", "x86_64", text=False).out for _ in range(3)}
    assert len(runs) == 1


def test_every_always_allowed_call_can_be_cached(pale, tmp_path):
    for path in policies.write(9, 8, tmp_path):
        r = pale("compile", path, "-t", "bpf", "-o", tmp_path / "out", check=0)
        shares = re.findall(r"cacheable: (\d+) of (\d+)", r.err)
        assert len(shares) == 2 and all(a == b for a, b in shares), r


def test_a_policy_that_refuses_execve_is_warned_about(pale, web, tmp_path):
    path = tmp_path / "stuck.pale"
    path.write_text(NO_START)
    r = pale("compile", path, "-t", "bpf", check=0, text=False)
    assert b"cannot-start" in r.err and b"start-run" in r.err, r
    r = pale("compile", web, "-t", "bpf", "-o", tmp_path / "out", check=0)
    assert "cannot-start" not in r.err, r


def test_an_error_writes_nothing(pale, tmp_path):
    path = tmp_path / "bad.pale"
    path.write_text(WEB.replace("read,", "raed,"))
    r = pale("compile", path, "-t", "bpf", "-o", tmp_path / "out", check=1)
    assert "raed" in r.err and not (tmp_path / "out").exists(), r


def test_too_many_rules_name_those_that_cost_most(pale, tmp_path):
    rand = random.Random(1)
    values = ", ".join(str(v) for v in rand.sample(range(2 ** 32), 5000))
    path = tmp_path / "large.pale"
    path.write_text(f"""policy large {{ level linux 6.18; layers seccomp; arch x86_64;
	default errno EPERM;
	allow execve;
	allow fcntl(cmd in {{1, 2, 3}});
	allow ioctl(reg arg1 in {{{values}}});
}}
""")
    r = pale("compile", path, "-t", "bpf", "-o", tmp_path / "x.bpf", check=1)
    assert "too-large" in r.err and "4096" in r.err and not (tmp_path / "x.bpf").exists(), r
    costs = [int(n) for n in re.findall(r"costs (\d+) instructions", r.err)]
    assert costs[0] > 5000 and costs == sorted(costs, reverse=True), r


def test_weights_make_frequent_calls_cheaper(pale, tmp_path):
    names = ["read", "write", "openat", "close", "ptrace", "bpf", "mount", "reboot"]
    path, trace = tmp_path / "w.pale", tmp_path / "trace"
    allowed = ", ".join(n for i, n in enumerate(names) if i % 2 == 0)
    path.write_text(f"""policy w {{ level linux 5.10; layers seccomp; arch x86_64; default errno EPERM;
	allow execve, getpid, brk, uname, fork, mmap, clone3, futex, madvise, {allowed}; }}
""")
    trace.write_text("# a comment\n\n  100 futex\n1 read\n")
    r = pale("compile", path, "-t", "bpf", "--weights", trace, "-o", tmp_path / "x.bpf", check=0)
    assert float(re.search(r"([\d.]+) on the trace", r.err)[1]) <= 5.2, r


@pytest.mark.parametrize("line", ["22", "read 22", "22 raed", "99999999999999999999 read", "-1 read",
                                  "1 read write"])
def test_a_bad_line_of_weights_is_an_error_with_its_place(pale, web, tmp_path, line):
    trace = tmp_path / "trace"
    trace.write_text("1 read\n" + line + "\n")
    r = pale("compile", web, "-t", "bpf", "--weights", trace, "-o", tmp_path / "out", check=1)
    assert "trace:2:" in r.err and "bad-weights" in r.err, r
    assert not (tmp_path / "out").exists()


def test_a_call_newer_than_the_table_in_a_trace_counts_nothing(pale, web, tmp_path):
    trace = tmp_path / "trace"
    trace.write_text("1 qqq_newer_call\n5 www_newest_call\n2 zzz_new_thing_7\n3 read\n")
    r = pale("compile", web, "-t", "bpf", "--weights", trace, "-o", tmp_path / "out", check=0)
    assert r.err.count("[PL288 weights-unknown-call]") == 3 and "'qqq_newer_call'" in r.err and "trace:2:" in r.err
    alone = tmp_path / "alone"
    alone.write_text("3 read\n")
    pale("compile", web, "-t", "bpf", "--weights", alone, "-o", tmp_path / "other", check=0)
    made = [sorted((p.name, p.read_bytes()) for p in (tmp_path / d).glob("*.bpf")) for d in ("out", "other")]
    assert made[0] and made[0] == made[1]


def test_a_conflict_of_rules_by_number_names_the_call(pale):
    text = "policy p { layers seccomp; arch x86_64; errno EPERM %s; errno EACCES %s; }"
    for rules, name in [(("#0", "#0"), "'read' gets"), (("read", "#0(reg arg0 == 3)"), "read(0x3, 0, 0)"),
                        (("#1(reg arg0 == 3)", "write"), "'write' gets"), (("#999", "#999"), "'#999' gets")]:
        r = pale("check", "-", input=text % rules, check=1)
        assert "[PL129" in r.err and name in r.err and "this call" not in r.err, r


def test_a_target_of_a_layer_that_is_not_counted_on_is_refused(pale, web, tmp_path):
    r = pale("compile", web, "-t", "apparmor", "-o", tmp_path / "x", check=1)
    assert "layers" in r.err, r


@pytest.mark.parametrize("argv", [[], ["-t", "pdf", "x"], ["--runtime", "docker", "x"], ["a", "b"],
                                  ["--nonsense", "x"], ["-o", "", "x"]])
def test_wrong_usage(pale, argv):
    assert pale("compile", *argv).rc == 2


def test_a_missing_file_is_the_systems_refusal(pale, tmp_path):
    assert pale("compile", tmp_path / "none.pale").rc == 3


def test_every_example_compiles_to_a_verified_program(pale, tmp_path):
    examples = sorted((ROOT / "profiles" / "examples").glob("*.pale"))
    for path in examples:
        r = pale("compile", path, "-t", "bpf", "-o", tmp_path / "out", check=0)
        assert re.search(r"proved for all calls \(\d+ nodes\)", r.err), r
        assert "cannot-start" not in r.err, r


DOCKER = ROOT / "profiles" / "found" / "docker-default.json"
ENVIRONMENT = ["--caps", "none", "--kernel", "6.18", "--host", "x86_64", "--arch", "x86_64"]


def figures(r):
    m = re.search(r"(\d+) instructions; executed per call: ([\d.]+) on average .*?, (\d+) at most",
                  r.err)
    return int(m[1]), float(m[2]), int(m[3])


def test_dockers_default_stays_small_and_fast(pale, tmp_path):
    for kernel, limit in (("5.10", 9.2), ("6.18", 10.5)):  # from 5.11 on most calls do not run it
        argv = [kernel if word == "6.18" else word for word in ENVIRONMENT]
        r = pale("compile", DOCKER, "-t", "bpf", *argv, "-o", tmp_path / "d.bpf", check=0)
        insns, average, most = figures(r)
        assert insns <= 88 and average <= limit and most <= 16, (insns, average, most)


def test_json_that_no_container_could_start_under_is_warned_of(tmp_path):
    few, enough = tmp_path / "few.pale", tmp_path / "enough.pale"
    few.write_text("policy few { arch x86_64; use start-run, libc; }\n")
    enough.write_text("policy enough { arch x86_64; use start-runc-nnp, libc; }\n")
    r = run([PALE, "compile", "-q", "-t", "docker", "-o", tmp_path / "a", few], check=0)
    assert "PL202 cannot-start" in r.err and "'fstatfs'" in r.err, r
    r = run([PALE, "compile", "-q", "-t", "docker", "-o", tmp_path / "b", enough], check=0)
    assert "PL202" not in r.err, r
    r = run([PALE, "compile", "-q", "-t", "bpf", "-o", tmp_path / "c", few], check=0)
    assert "PL202" not in r.err, r
