# SPDX-License-Identifier: Apache-2.0
"""pale propose --update: a policy gets what recordings, logs and reports show that it refuses, and nothing else."""
import random
import re
import subprocess

import pytest

from conftest import LONG, PALE, need, need_root, run
from recordings import Recording

HEAD = """pale recording 1
run 1 id 00112233445566778899aabbccddeeff
run 1 machine x86_64
run 1 name "web"
run 1 kernel "6.1.0"
run 1 libc "glibc 2.36"
run 1 tier "ebpf"
run 1 duration 5000000
run 1 capabilities-seen
"""
FACTS = ['bits x86_64 prctl 0 0xf 0xfffffffffffffff0\t1:1', 'call x86_64 mkdir\t1:2@5', 'call x86_64 prctl\t1:3@9', 'call x86_64 read\t1:7@1',
         'call x86_64 socket\t1:3@2', 'capability chown x86_64 mkdir\t1:1@7', 'file "/etc/passwd" r\t1:1@4', 'file "/srv/new" rw owned\t1:1@4',
         'received 15\t1:1@4', 'tuple x86_64 socket 0x1 0x1 0x0\t1:2', 'tuple x86_64 socket 0x2 0x80002 0x0\t1:1',
         'value x86_64 prctl 0 0xf\t1:3']
POLICY = """# mine, and stays
policy   web {   # odd layout
  level linux 6.18;
    layers seccomp, apparmor;   arch x86_64;
    default errno EPERM;
    allow read, execve, exit_group;  # why not
    allow prctl(option == PR_GET_DUMPABLE);
    network unix stream;
    file r /etc/**;
    owner file r /srv/new;
}
policy other { level linux 6.18; layers seccomp; arch x86_64; default errno EPERM; allow read, execve; }
"""
WANT = ["allow mkdir;", "allow prctl(option == PR_SET_NAME);", "network inet dgram;", "file w /srv/new;", "capability chown;",
        "signal receive term;"]


def recording(path, facts=FACTS):
    path.write_text(HEAD + "".join(f + "\n" for f in sorted(facts)) + f"end 1 {len(facts)}\n")
    return path


@pytest.fixture
def made(tmp_path):
    policy = tmp_path / "web.pale"
    policy.write_text(POLICY)
    return policy, recording(tmp_path / "r.rec")


def update(policy, *recordings, check=0, args=()):
    return run([PALE, "propose", "--update", policy, *args, *recordings], check=check)


def test_only_what_is_missing_is_printed_as_a_patch_that_applies(made, tmp_path):
    policy, rec = made
    r = update(policy, rec, args=["--policy", "web"])
    lines = r.out.splitlines()
    added = [line[1:].split("#")[0].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    assert sorted(filter(None, added)) == sorted(WANT) and policy.read_text() == POLICY
    assert not [line for line in lines if line.startswith("-") and not line.startswith("---")]
    need("patch")
    (tmp_path / "p.diff").write_text(r.out)
    run(["patch", "-s", "-p1", policy, tmp_path / "p.diff"])
    copy = tmp_path / "copy.pale"
    policy_after = policy.read_text()
    policy.write_text(POLICY)
    update(policy, rec, args=["--policy", "web", "-o", copy])
    assert copy.read_text() == policy_after


def test_what_is_there_stays_byte_for_byte_and_a_second_update_changes_nothing(made):
    policy, rec = made
    update(policy, rec, args=["--policy", "web", "-o", policy])
    after = policy.read_text()
    at = POLICY.index("}\npolicy other")
    assert after.startswith(POLICY[:at]) and after.endswith(POLICY[at:])
    assert update(policy, rec, args=["--policy", "web"]).out == ""
    update(policy, rec, args=["--policy", "web", "-o", policy])
    assert policy.read_text() == after


@pytest.mark.parametrize("text", [POLICY, "policy web { arch x86_64; default errno EPERM; }", "policy web {\n arch x86_64;\n default errno EPERM; }\n"])
def test_lines_that_are_added_end_as_the_policy_s_own_do(made, tmp_path, text):
    policy, rec = made
    policy.write_text(text)
    unix = update(policy, rec, args=["--policy", "web", "-o", "-"]).out
    policy.write_bytes(text.replace("\n", "\r\n").encode())
    before = policy.read_bytes()
    diff = subprocess.run([PALE, "propose", "--update", policy, "--policy", "web", rec], stdout=subprocess.PIPE, check=True).stdout
    update(policy, rec, args=["--policy", "web", "-o", policy])
    after = policy.read_bytes()
    assert after == (unix.replace("\n", "\r\n") if "\n" in text else unix).encode()
    policy.write_bytes(before)
    (tmp_path / "p.diff").write_bytes(diff)
    run([need("patch"), "-s", "-p1", "--binary", policy, tmp_path / "p.diff"])
    assert policy.read_bytes() == after


def test_all_that_was_recorded_passes_afterwards_and_the_difference_is_what_was_announced(made, tmp_path):
    policy, rec = made
    new = tmp_path / "new.pale"
    update(policy, rec, args=["--policy", "web", "-o", new])
    calls = ["mkdir", "read", "prctl(PR_SET_NAME)", "socket(AF_UNIX, SOCK_STREAM)", "socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC)"]
    out = run([PALE, "sim", new, "--policy", "web", *calls], check=0).out
    assert [line.split()[0] for line in out.splitlines()] == ["ALLOW"] * len(calls), out
    out = run([PALE, "sim", new, "--policy", "web", "open /etc/passwd r", "open owner /srv/new rw", "cap chown"], check=0).out
    assert "refused" not in out and out.count("allowed") >= 3
    out = run([PALE, "diff", policy, new, "--policy-a", "web", "--policy-b", "web"], check=1).out
    assert "tighter" not in out.replace("tighter: 0", "") and "mkdir" in out and "/srv/new" in out
    assert "prctl" in out and "option == PR_SET_NAME" in out and "chown" in out
    assert run([PALE, "check", new, "--policy", "web"], check=0).rc == 0


def test_what_the_policy_itself_refuses_stays_refused_and_is_told(made):
    policy, rec = made
    policy.write_text(POLICY.replace("    file r", "    errno EACCES mkdir; deny capability chown;\n    file r", 1))
    r = update(policy, rec, args=["--policy", "web"])
    assert "stays refused by rules of the policy: mkdir, ..." in r.err and "2 of what was recorded" in r.err
    assert "mkdir" not in "".join(line for line in r.out.splitlines() if line.startswith("+"))


def test_a_policy_for_calls_alone_gets_calls_alone(made):
    policy, rec = made
    policy.write_text("policy web { level linux 6.18; layers seccomp; arch x86_64; default errno EPERM; allow read, execve; }\n")
    out = update(policy, rec).out
    assert "allow mkdir;" in out and "+    file" not in out and "signal" not in out


@pytest.mark.parametrize("text, said", [
    (POLICY.replace("arch x86_64", "arch aarch64"), "which the policy does not list"), ('{"defaultAction": "SCMP_ACT_ERRNO"}', "is no policy"), ("policy x {", "PL0"),
    (POLICY, "--policy")])
def test_what_cannot_be_updated_is_told_and_nothing_is_written(made, text, said):
    policy, rec = made
    policy.write_text(text)
    args = ["--policy", "web"] if "aarch64" in text else []
    r = update(policy, rec, args=[*args, "-o", policy], check=1)
    assert said in r.err and policy.read_text() == text


def test_a_report_of_run_and_the_kernels_log_are_sources(made, tmp_path):
    need_root()
    policy = tmp_path / "t.pale"
    policy.write_text("policy t { level linux 6.18; layers seccomp; arch x86_64; default errno EPERM; unknown errno ENOSYS;\n"
                      "    use start-run; use libc; allow execve, exit_group;\n}\n")
    command = ["/usr/bin/perl", "-e", "mkdir '/nonexistent/x'; socket(S, 2, 1, 0); kill 0, $$"]
    report = tmp_path / "report.json"
    run([PALE, "run", "--count", "--report", report, policy, "--", *command], check=None)
    rec = tmp_path / "rec"
    run([PALE, "replay", "--from", "report", report, "-o", rec], check=0)
    got = Recording(rec)
    assert got.calls["x86_64", "mkdir"] == 1 and ("socket", 2, 1, 0) in got.tuples or ("socket", 2, 0x80001, 0) in got.tuples
    update(policy, rec, args=["-o", policy])
    text = policy.read_text()
    assert "allow mkdir;" in text and "network inet stream;" in text
    line = ('type=1326 audit(1700000000.500:7): pid=4 comm="perl" exe="/usr/bin/perl" sig=0 arch=c000003e syscall=90 '
            "compat=0 ip=0x7f code=0x7ffc0000\n")
    p = subprocess.run(f"{PALE} replay --from audit - | {PALE} propose --update {policy} -", shell=True, text=True,
                       input=line, capture_output=True, check=True)
    assert [x for x in p.stdout.splitlines() if x.startswith("+    allow")] == ["+    allow chmod; # 1x"], p


NAMES = "bpf brk chmod close dup2 fchmod getpid kill lseek mkdir openat pipe2 rename sendto symlink uname".split()
PATHS = ["/etc/a", "/etc/b b", "/srv/dir/", "/srv/x*y", "/tmp/q1", "/usr/bin/tool", "/usr/lib/libx.so.1.2", "/proc/77/stat", "/var/l\\xc3\\xa4"]


def some_facts(r):
    """Facts of a run, as any could be."""
    facts = [f"call x86_64 {n}\t1:{r.randint(1, 9)}@5" for n in r.sample(NAMES, r.randint(1, 8))]
    facts += [f'file "{p}" {"".join(c for c in r.choice(["r", "rw", "w", "wk", "rm", "rl", "wa", "rwk", "l"]))}'
              f'{" owned" if r.random() < 0.3 else ""}\t1:2' for p in r.sample(PATHS, r.randint(0, 5)) if "bin" not in p]
    facts += [f'file "/usr/bin/tool" {r.choice(["rx", "rmx", "x"])}\t1:1'] * (r.random() < 0.5)
    facts += [f"capability {c} x86_64 {r.choice(NAMES)}\t1:1" for c in r.sample(["chown", "kill", "net_raw"], r.randint(0, 2))]
    facts += [f"received {s}\t1:1" for s in r.sample([1, 2, 10, 15, 40], r.randint(0, 2))]
    for call, arg, values in (("prctl", 0, [1, 3, 15]), ("ioctl", 1, [0x5401, 0x5421, 0x1234567]), ("mmap", 2, [0, 1, 3, 5, 7]),
                              ("clone", 0, [0x1200011, 0x20000000]), ("kill", 1, [0, 9, 15])):
        if r.random() < 0.5 and not any(f.startswith(f"call x86_64 {call}\t") for f in facts):
            seen = r.sample(values, r.randint(1, 2))
            ones, zeros = 0, 0
            for v in seen:
                ones, zeros = ones | v, zeros | ~v & (1 << 64) - 1
            facts += [f"call x86_64 {call}\t1:3", f"bits x86_64 {call} {arg} {ones:#x} {zeros:#x}\t1:1"]
            facts += [f"value x86_64 {call} {arg} {v:#x}\t1:1" for v in seen]
    tuples = r.sample([(1, 1, 0), (2, 0x80002, 17), (10, 1, 6), (16, 3, 0), (44, 3, 0)], r.randint(0, 3))
    return facts + ["call x86_64 socket\t1:4"] * bool(tuples) + [f"tuple x86_64 socket {a:#x} {b:#x} {c:#x}\t1:1" for a, b, c in tuples]


@pytest.mark.once
@pytest.mark.parametrize("seed", range(200 if LONG else 8))
def test_random_runs_are_allowed_after_the_update_and_nothing_is_taken_away(tmp_path, seed):
    r = random.Random(seed)
    policy, new = tmp_path / "p.pale", tmp_path / "n.pale"
    one, other = recording(tmp_path / "a.rec", some_facts(r)), recording(tmp_path / "b.rec", some_facts(r))
    run([PALE, "propose", "-o", policy, one], check=0)
    assert update(policy, one).out == ""
    update(policy, other, args=["-o", new])
    assert update(new, other).out == "" == update(new, one).out
    # AppArmor lets a link be made only where its name has no more rights than what it leads to: more rights, fewer links.
    out = run([PALE, "diff", "--fail-on", "tighter", policy, new], check=None)
    assert "not decided" not in out.out and (out.rc == 0 or re.search("would give more than what it leads to", out.out)), out


@pytest.mark.parametrize("known, facts, asked, needed", [
    # What tells whether a capability is needed, the policy has already: a file, a ring that locks memory, a call's flags.
    ("file r @{PROC}/sys/net/core/somaxconn;", ['file "/proc/sys/net/core/somaxconn" r owned\t1:1'], "net_admin x86_64 openat", False),
    ("file r @{PROC}/sys/net/core/somaxconn;", ['file "/proc/sys/net/core/somaxconn" r\t1:1'], "net_admin x86_64 openat", True),
    ("file r @{PROC}/*/stack;", ['file "/proc/7/stack" r owned\t1:1'], "sys_admin x86_64 read", True),
    ("allow io_uring_setup, io_uring_register;", ["call x86_64 io_uring_register\t1:1", "value x86_64 io_uring_register 1 0x0\t1:1",
                                                  "bits x86_64 io_uring_register 1 0x0 0xffffffffffffffff\t1:1"], "ipc_lock x86_64 io_uring_setup", True),
    ("allow io_uring_setup;", [], "ipc_lock x86_64 io_uring_setup", False),
    ("allow clone;", ["call x86_64 clone\t1:1", "bits x86_64 clone 0 0x4000011 0xfffffffffbffffee\t1:1"], "sys_admin x86_64 clone", True),
    ("allow mmap;", [], "sys_admin x86_64 mmap", False)])
def test_a_capability_is_judged_by_what_the_policy_knows_already(tmp_path, known, facts, asked, needed):
    calls = [c for c in ("openat", "read", "io_uring_setup", "mmap") if c in known + asked]
    facts = sorted([*facts, *(f"call x86_64 {c}\t1:1" for c in calls), f"capability {asked}\t1:1"])
    rec, policy = tmp_path / "r.rec", tmp_path / "p.pale"
    rec.write_text(HEAD + "\n".join([*facts, f"end 1 {len(facts)}", ""]))
    policy.write_text("policy web { level linux 6.18; layers seccomp, apparmor; arch x86_64; default errno EPERM; "
                      f"allow openat, read, execve, exit_group; {known} }}\n")
    whole, r = run([PALE, "propose", rec]), run([PALE, "propose", "--update", policy, rec])
    assert whole.rc == 0 and r.rc == 0, (whole, r)
    assert (f"capability {asked.split()[0]};" in whole.out) == needed, whole.out
    assert re.findall(r"^\+ +(.*;)", r.out, re.M) == ([f"capability {asked.split()[0]};"] if needed else []), r.out
