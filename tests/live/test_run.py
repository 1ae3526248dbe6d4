# SPDX-License-Identifier: Apache-2.0
"""How `pale run` behaves: exit codes, fail closed, what it sets up, how it counts."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import conftest
from conftest import PALE, PATIENCE, need, need_root, program, run

LIVE = pathlib.Path(__file__).parent / "live.pale"
ALLOW = "policy p {\n\tarch x86_64;\n\tdefault allow;\n%s}\n"


@pytest.fixture
def sh():
    """busybox's shell: static, so that policies stay short."""
    return [need("busybox"), "sh", "-c"]


@pytest.fixture
def attack():
    return program("live/attack")


@pytest.fixture
def policy(tmp_path):
    def write(text, name="p.pale"):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


def live_with(*lines):
    """live.pale with statements added before its end."""
    return LIVE.read_text().rstrip().removesuffix("}") + "\n".join(f"\t{w}" for w in lines) + "\n}\n"


def pale_run(*args, **kw):
    return run([PALE, "run", *args], **kw)


def shell_status(rc):
    return 128 - rc if rc < 0 else rc


def count(policy_file, command, mode="--count", tmp=None, **kw):
    """(result, report)"""
    report = pathlib.Path(tmp) / "report.json"
    r = pale_run(policy_file, mode, "--report", report, "--", *command, **kw)
    return r, json.loads(report.read_text())


def calls(report):
    return {r["name"]: r["count"] for r in report["refusals"]}


def wait_until(what):
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def names_of_calls(arch):
    return {c["name"] for c in json.loads(run([PALE, "list", "--format", "json", "--arch", arch, "syscalls"],
                                             check=0).out)["syscalls"]}


# ---- exit codes ----

def test_the_commands_own_status_comes_back(sh, tmp_path):
    assert pale_run(LIVE, "--", *sh, "exit 7").rc == 7
    assert count(LIVE, [*sh, "exit 7"], tmp=tmp_path)[0].rc == 7
    assert shell_status(pale_run(LIVE, "--", *sh, "kill -TERM $$").rc) == 128 + 15
    assert count(LIVE, [*sh, "kill -TERM $$"], tmp=tmp_path)[0].rc == 128 + 15


@pytest.mark.parametrize("mode", [[], ["--count"], ["--verify"], ["--log"]])
def test_not_found_is_127_and_not_executable_is_126(tmp_path, mode):
    (tmp_path / "data").write_text("x")
    (tmp_path / "script").write_text("#!/no/such/interpreter\n")
    (tmp_path / "script").chmod(0o755)
    for command, status in (("no-such-program", 127), ("/no/such/program", 127), ("", 127),
                            (tmp_path / "data", 126), (tmp_path, 126), (tmp_path / "script", 127)):
        r = pale_run(LIVE, *mode, "--", command)
        assert r.rc == status, (command, r)
        assert r.err


def test_path_is_searched_as_by_a_shell(sh, tmp_path):
    for d, mode in (("a", 0o644), ("b", 0o755), ("c", 0o755)):
        (tmp_path / d).mkdir()
        shutil.copy(sh[0], tmp_path / d / "prog")
        (tmp_path / d / "prog").chmod(mode)
    path = f"/none:{tmp_path}/a:{tmp_path}/b:{tmp_path}/c"
    r = pale_run(LIVE, "--", "prog", "readlink", "/proc/self/exe", env={**os.environ, "PATH": path})
    assert r.out.strip() in (f"{tmp_path}/b/prog", ""), r
    only = pale_run(LIVE, "--", "prog", env={**os.environ, "PATH": f"{tmp_path}/a"})
    assert only.rc == 126


@pytest.mark.parametrize("args", [["--count"], [LIVE], [LIVE, "--"], [LIVE, "--nope", "--", "true"],
                                  [LIVE, "--count", "--verify", "--", "true"],
                                  [LIVE, "--layers", "selinux", "--", "true"],
                                  [LIVE, "--report", "x", "--", "true"],
                                  [LIVE, LIVE, "--", "true"], ["/no/such/file", "--", "true"],
                                  [LIVE, "--policy", "nope", "--", "true"]])
def test_pales_own_failure_is_125(args):
    r = pale_run(*args)
    assert r.rc == 125 and r.err, r


# ---- fail closed: nothing is executed ----

def apparmor_here():
    p = pathlib.Path("/sys/module/apparmor/parameters/enabled")
    return p.exists() and p.read_text().startswith("Y")


def refused_to_start(policy_file, tmp_path, *options, sh, mode=()):
    r = pale_run(policy_file, *options, *mode, "--", *sh, f"echo x > {tmp_path}/executed")
    assert not (tmp_path / "executed").exists()
    return r


def test_a_report_that_cannot_be_written_is_said_before_anything_runs(sh, tmp_path):
    mark = tmp_path / "mark"
    for where in ("/no/such/dir/x", tmp_path):
        r = pale_run(LIVE, "--count", "--report", where, "--", *sh, f": >{mark}")
        assert r.rc == 125 and "cannot be written" in r.err, r
    assert not mark.exists()
    r = pale_run(LIVE, "--count", "--report", "/dev/full", "--", *sh, "exit 0")
    assert r.rc == 125 and "No space left" in r.err, r


@pytest.mark.parametrize("mode", [[], ["--count"], ["--verify"]])
def test_a_layer_that_the_kernel_lacks_stops_it(sh, policy, tmp_path, mode):
    if apparmor_here():
        pytest.skip("this kernel has AppArmor")
    p = policy(ALLOW % "\tlayers seccomp, apparmor;\n")
    r = refused_to_start(p, tmp_path, sh=sh, mode=mode)
    assert r.rc == 125 and "PL300" in r.err and "--layers seccomp" in r.err, r
    need_root()
    assert pale_run(p, "--layers", "seccomp", *mode, "--", *sh, "exit 3").rc == 3


def test_policies_that_cannot_be_right_here_stop_it(sh, policy, tmp_path):
    for text, word in ((ALLOW % "\tallow opne;\n", "opne"),
                       ("policy p { arch aarch64; default allow; }", "PL303"),
                       ("policy p { arch x86_64; default errno EPERM; allow read; }", "PL304"),
                       ("policy p { arch x86_64; default allow; kill execve; }", "PL304"),
                       ("", "")):
        for mode in ([], ["--count"]):
            r = refused_to_start(policy(text), tmp_path, sh=sh, mode=mode)
            assert r.rc == 125 and word in r.err, (text, r)


def test_root_that_cannot_drop_capabilities_stops(sh, policy, tmp_path):
    need_root()
    p = policy(ALLOW % "\tcapability chown;\n")
    r = run([need("setpriv"), "--bounding-set", "-setpcap", PALE, "run", p, "--", *sh,
             f"echo x > {tmp_path}/executed"])
    assert r.rc == 125 and "PL308" in r.err, r
    assert not (tmp_path / "executed").exists()


# ---- what it sets up ----

STATUS = "busybox cat /proc/self/status /proc/self/limits"


def status_of(policy_file, *options, prefix=()):
    r = run([*prefix, PALE, "run", policy_file, *options, "--", need("busybox"), "cat",
             "/proc/self/status", "/proc/self/limits"], check=0)
    return dict(re.findall(r"^(\w+):\s*(.*)$", r.out, re.M)), r.out


@pytest.mark.parametrize("mode", [[], ["--count"], ["--verify"], ["--log"]])
def test_the_kernel_shows_filter_and_no_new_privs(mode):
    s, _ = status_of(LIVE, *mode)
    assert s["Seccomp"] == "2" and s["NoNewPrivs"] == "1"


def test_limits_only_go_down(policy):
    before = run([need("busybox"), "cat", "/proc/self/limits"]).out
    _, out = status_of(policy(ALLOW % "\tlimit nofile 64;\n\tlimit core 0;\n"
                              "\tlimit nproc 18446744073709551615;\n"))
    assert re.search(r"^Max open files\s+64\s+64\s", out, re.M)
    assert re.search(r"^Max core file size\s+0\s+0\s", out, re.M)
    line = re.search(r"^Max processes.*$", before, re.M)[0]
    assert line in out


CAPS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


@pytest.mark.parametrize("mode", [[], ["--count"]])
def test_capabilities_are_the_policys(policy, mode):
    need_root()
    s, _ = status_of(policy(ALLOW % "\tcapability chown, net_bind_service;\n"), *mode)
    assert [s[c] for c in CAPS[1:4]] == ["0000000000000401"] * 3
    assert int(s["CapInh"], 16) & ~0x401 == 0 and int(s["CapAmb"], 16) == 0
    every, _ = status_of(policy(ALLOW % ""), *mode)
    mine = dict(re.findall(r"^(\w+):\s*(.*)$", pathlib.Path("/proc/self/status").read_text(), re.M))
    assert [every[c] for c in CAPS[1:4]] == [mine[c] for c in CAPS[1:4]]


def test_denied_capabilities_go_and_counting_on_apparmor_drops_all(policy):
    need_root()
    s, _ = status_of(policy(ALLOW % "\tcapability chown, kill;\n\tdeny capability kill;\n"))
    assert s["CapBnd"] == "0000000000000001"
    s, _ = status_of(policy(ALLOW % "\tlayers seccomp, apparmor;\n"), "--layers", "seccomp")
    assert s["CapBnd"] == "0000000000000000"


def test_an_ambient_capability_does_not_get_through(policy):
    need_root()
    s, _ = status_of(policy(ALLOW % "\tcapability chown;\n"),
                     prefix=[need("setpriv"), "--inh-caps", "+kill,+chown", "--ambient-caps",
                             "+kill,+chown"])
    assert s["CapAmb"] == "0000000000000001" and s["CapInh"] == "0000000000000001"


@pytest.fixture
def public():
    """A directory that everybody can read, with pale in it."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        shutil.copy(PALE, d + "/pale")
        sets = conftest.ROOT / "profiles" / "sets"
        shutil.copytree(sets, d + "/sets")
        shutil.copy(LIVE, d)
        yield pathlib.Path(d)


def test_without_root_it_works_the_same(public, policy):
    need_root()
    nobody = [need("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    env = {**os.environ, "PALE_PATH": str(public / "sets")}
    base = [*nobody, public / "pale", "run", public / "live.pale"]
    assert run([*base, "--", need("busybox"), "id", "-u"], env=env, check=0).out == "65534\n"
    attack = shutil.copy(program("live/attack"), public)
    r = run([*base, "--", attack, "bpf", "ptrace", "userns.unshare"], env=env)
    assert [w.split()[1] for w in r.out.splitlines()] == ["refused"] * 3
    r = run([*base, "--count", "--report", "-", "--", attack, "keyctl", "keyctl"], env=env)
    assert '"total": 2' in r.out, r
    (public / "caps.pale").write_text(ALLOW % "\tcapability chown;\n")
    r = run([*nobody, public / "pale", "run", public / "caps.pale", "--", need("busybox"), "grep",
             "CapEff", "/proc/self/status"], env=env, check=0)
    assert r.out.split()[1] == "0" * 16


def test_conditions_are_answered_by_this_machine(attack, policy):
    need_root()

    def holds(condition):
        text = ALLOW % f"\twhen {condition} {{ errno EACCES kcmp; }}\n"
        said = pale_run(policy(text), "--", attack, "kcmp", check=0).out
        assert said in ("kcmp ok\n", "kcmp refused EACCES\n")
        return said == "kcmp refused EACCES\n"
    assert holds("kernel >= 3.0") and not holds("kernel < 3.0")
    assert holds("host x86_64") and not holds("host aarch64")
    assert holds("capability chown") and not holds("not capability chown")


def test_no_descriptor_of_pale_reaches_the_command(sh):
    plain = run([*sh, "ls /proc/self/fd | wc -l"]).out
    for mode in ([], ["--count"], ["--verify"], ["--log"]):
        assert pale_run(LIVE, *mode, "--", *sh, "ls /proc/self/fd | wc -l").out == plain


@pytest.mark.parametrize("mode", [[], ["--count"], ["--log"]])
def test_nothing_but_execve_comes_between_filter_and_command(sh, tmp_path, mode):
    run([need("strace"), "-ff", "-o", tmp_path / "trace", PALE, "run", LIVE, *mode, "--", *sh,
         "exit 3"], check=3, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    behind = []
    for f in sorted(tmp_path.glob("trace.*")):  # one file a process
        lines = [w for w in f.read_text(errors="replace").splitlines() if re.match(r"\w+\(", w)]
        behind += [lines[i + 1] for i, w in enumerate(lines)
                   if re.match(r"seccomp\(SECCOMP_SET_MODE_FILTER.* = \d+$", w)]
    assert len(behind) == 1 and behind[0].startswith(f'execve("{sh[0]}"'), behind


def test_a_docker_profile_is_run_with_the_capabilities_that_are_held(attack):
    """Docker's own profile allows what the capabilities cover, and i386."""
    need_root()
    profile = conftest.ROOT / "profiles" / "found" / "docker-default.json"
    tried = ["vsock", "keyctl", "userns.unshare", "ptrace", "foreign.i386"]

    def said(*options):
        r = pale_run(profile, *options, "--", attack, *tried, check=0)
        return [w.split(" ", 1)[1] for w in r.out.splitlines()]
    assert said() == ["refused EPERM", "refused EPERM", "ok", "ok", "ok"]
    assert said("--caps", "chown") == ["refused EPERM"] * 3 + ["ok", "ok"]


# ---- counting ----

def test_count_refuses_and_counts_exactly(attack, tmp_path):
    r, report = count(LIVE, [attack, *["bpf"] * 300, "keyctl"], tmp=tmp_path)
    assert r.rc == 0 and set(r.out.split("\n")) == {"bpf refused EPERM", "keyctl refused EPERM", ""}
    assert calls(report) == {"bpf": 300, "keyctl": 1}
    assert (report["total"], report["by_default"], report["by_rule"], report["lost"]) == (
        301, 301, 0, 0)
    assert "301 calls refused: 301 by default, 0 by rule" in r.err


def test_parallel_callers_are_all_counted(attack, sh, tmp_path):
    words = " ".join(["bpf"] * 100)
    script = "".join(f"{attack} {words} & " for _ in range(8)) + "wait"
    _, report = count(LIVE, [*sh, script], tmp=tmp_path)
    assert calls(report) == {"bpf": 800}


def test_verify_lets_pass_and_proposes_the_line_that_would_allow(attack, policy, tmp_path):
    need_root()
    wanted = ["bpf", "vsock", "keyctl", "personality", "kcmp"]
    r, report = count(LIVE, [attack, *wanted], mode="--verify", tmp=tmp_path)
    assert [w.split()[1] for w in r.out.splitlines()] == ["ok"] * 5
    assert report["total"] == 5 and "protects nothing" in r.err
    lines = [f["allowed_by"] for f in report["refusals"]]
    assert "allow bpf(cmd == BPF_MAP_CREATE);" in lines or "allow bpf;" in lines, lines
    assert any(w.startswith("allow socket(") and "AF_VSOCK" in w for w in lines), lines
    wider = policy(live_with(*lines))
    assert count(wider, [attack, *wanted], mode="--verify", tmp=tmp_path)[1]["total"] == 0
    r = pale_run(wider, "--", attack, *wanted)
    assert [w.split()[1] for w in r.out.splitlines()] == ["ok"] * 5


def test_a_proposed_line_opens_only_the_call_that_was_seen(attack, policy, tmp_path):
    _, report = count(LIVE, [attack, "vsock"], mode="--verify", tmp=tmp_path)
    wider = policy(live_with(report["refusals"][0]["allowed_by"]))
    r = pale_run(wider, "--", attack, "vsock", "packet", "raw")
    assert [w.split()[1] for w in r.out.splitlines()] == ["ok", "refused", "refused"]


def test_refusals_name_the_line_that_refused(attack, policy, tmp_path):
    p = policy(live_with("errno EACCES bpf;", "errno ENOSYS kcmp(type == 0);"))
    _, report = count(p, [attack, "bpf", "kcmp", "keyctl"], tmp=tmp_path)
    text = p.read_text().splitlines()
    by = {r["name"]: r for r in report["refusals"]}
    assert by["keyctl"]["by"] == "default" and by["bpf"]["by"] == by["kcmp"]["by"] == "rule"
    for name, words in (("keyctl", "default"), ("bpf", "bpf"), ("kcmp", "kcmp(type == 0)")):
        line, column = map(int, re.search(r"p\.pale:(\d+):(\d+)", by[name]["why"]).groups())
        assert text[line - 1].expandtabs(1)[column - 1:].startswith(words)
    assert by["bpf"]["verdict"] == "ERRNO(13)" and by["kcmp"]["verdict"] == "ERRNO(38)"


def test_who_is_told_that_there_is_no_such_call_may_need_nothing(attack, policy):
    """As libcs make threads by clone where clone3 answers so: to take that rule out would open more, for nothing."""
    p = policy(live_with("errno EACCES bpf;", "errno ENOSYS kcmp(type == 0);"))
    way = re.findall(r"allowed by: (.*)", pale_run("--count", p, "--", attack, "bpf", "kcmp", "keyctl").err)
    assert sorted("needs nothing" in w for w in way) == [False, False, True], way
    assert [w for w in way if "needs nothing" in w and "(take out kcmp at" in w], way


def test_what_a_rule_means_to_be_missing_is_counted_apart_and_told_last(attack, policy, tmp_path):
    p = policy(live_with("errno EACCES bpf;", "errno ENOSYS kcmp(type == 0);"))
    r, report = count(p, [attack, *["kcmp"] * 5, "bpf", "keyctl"], tmp=tmp_path)
    assert (report["total"], report["by_default"], report["by_rule"], report["meant"]) == (7, 1, 6, 5)
    assert [(f["name"], f["meant"]) for f in report["refusals"]] == [("keyctl", False), ("bpf", False), ("kcmp", True)]
    assert "7 calls refused: 1 by default, 6 by rule, 5 of these meant: ENOSYS\n" in r.err
    assert "meant" not in count(LIVE, [attack, "bpf"], tmp=tmp_path)[0].err


def test_every_verdict_is_answered(attack, policy, tmp_path):
    """A trap is the kernel's own answer, which nobody can count (test_hostile.py)."""
    for line, wanted, counted in (("kill bpf;", 128 + 31, {"bpf": 1}), ("trap bpf;", 128 + 31, {})):
        p = policy(live_with(line))
        r, report = count(p, [attack, "bpf", "keyctl"], tmp=tmp_path)
        assert r.rc == wanted and r.out == "", (line, r)
        assert calls(report) == counted
        assert shell_status(pale_run(p, "--", attack, "bpf", "keyctl").rc) == wanted
        r, report = count(p, [attack, "bpf", "keyctl"], mode="--verify", tmp=tmp_path)
        assert r.rc == 0 and calls(report) == {"bpf": 1, "keyctl": 1}


def test_foreign_calls_are_counted_with_their_architecture(attack, tmp_path):
    r, report = count(LIVE, [attack, "foreign.i386"], mode="--verify", tmp=tmp_path)
    assert r.out == "foreign.i386 ok\n"
    found = report["refusals"][0]
    assert (found["name"], found["arch"], found["by"]) == ("getpid", "i386", "foreign")
    assert found["allowed_by"] == "arch i386;"
    r, report = count(LIVE, [attack, "foreign.i386"], tmp=tmp_path)
    assert r.rc == 128 + 31 and report["total"] == 1


def test_a_clean_run_says_zero(sh, tmp_path):
    r, report = count(LIVE, [*sh, "exit 0"], tmp=tmp_path)
    assert report["total"] == 0 and report["refusals"] == [] and "0 calls refused" in r.err


def test_log_lets_pass(attack):
    need_root()
    r = pale_run(LIVE, "--log", "--", attack, "bpf", "keyctl")
    assert r.out == "bpf ok\nkeyctl ok\n"


# ---- followed to the end ----

def test_a_daemon_is_counted_after_its_parent_has_gone(sh, policy, tmp_path):
    os.mkfifo(tmp_path / "go")
    p = policy(live_with("errno EACCES mknod, mknodat;"))
    script = (f"echo $$ >{tmp_path}/pid; "
              f"(setsid busybox sh -c 'read x <{tmp_path}/go; busybox mknod {tmp_path}/n p') & exit 4")
    proc = subprocess.Popen([PALE, "run", p, "--count", "--report", tmp_path / "r.json", "--",
                             *sh, script], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    shell = int((tmp_path / "pid").read_text())
    wait_until(lambda: not os.path.exists(f"/proc/{shell}"))
    assert proc.poll() is None
    with open(tmp_path / "go", "w") as go:
        go.write("x\n")
    assert proc.wait(PATIENCE) == 4
    report = json.loads((tmp_path / "r.json").read_text())
    assert sum(calls(report).get(n, 0) for n in ("mknod", "mknodat")) == 1, report


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH"])
def test_signals_are_passed_on(sh, tmp_path, name):
    ready = tmp_path / "ready"
    script = f"trap 'exit 5' {name}; echo x >{ready}; while :; do read x; done"
    r, w = os.pipe()
    proc = subprocess.Popen([PALE, "run", LIVE, "--count", "--", *sh, script], stdin=r,
                            stderr=subprocess.PIPE, start_new_session=True)
    try:
        wait_until(ready.exists)
        proc.send_signal(getattr(signal, "SIG" + name))
        assert proc.wait(PATIENCE) == 5
    finally:
        os.killpg(proc.pid, signal.SIGKILL) if proc.poll() is None else None
        os.close(r), os.close(w)


REFUSES_ALL = "policy p {\n\tarch x86_64, i386;\n\tuse start-run;\n\tdefault errno EPERM;\n\tunknown errno EPERM;\n%s}\n"


@pytest.mark.parametrize("handlers", ["restart", "interrupt"])
def test_many_signals_do_not_disturb_a_command_that_is_verified(policy, tmp_path, handlers):
    """The return from a handler is a call as well: held, the next signal made it return behind itself."""
    r, report = count(policy(REFUSES_ALL % ""), [program("live/signals"), "3000", handlers], "--verify", tmp_path)
    assert r.rc == 0 and r.out == "right\n", r
    assert report["total"] > 3000 and "rt_sigreturn" not in calls(report)


def test_what_is_not_held_is_told_with_its_reason(policy, tmp_path):
    r, report = count(policy(REFUSES_ALL % ""), [program("live/signals"), "10", "restart"], "--verify", tmp_path)
    assert [(x["name"], x["arch"], x["verdict"]) for x in report["not_held"]] == [
        ("rt_sigreturn", "x86_64", "ERRNO(1)"), ("rt_sigreturn", "i386", "ERRNO(1)"), ("sigreturn", "i386", "ERRNO(1)")]
    assert re.search(r"       -  rt_sigreturn\(\)\n          ERRNO\(1\) by default at \S+p.pale:4:2, not held: a signal "
                     r"could make it return\n          allowed by: allow rt_sigreturn;\n", r.err), r
    assert "[i386]" not in r.err and "whether a call without a number was made is not known" in r.err
    r, report = count(policy(REFUSES_ALL % "\tallow rt_sigreturn, sigreturn;\n"), [program("live/signals"), "10", "restart"],
                      "--verify", tmp_path)
    assert report["not_held"] == [] and "not held" not in r.err and r.out == "right\n", r


@pytest.mark.parametrize("rules, status", [
    ("\tdefault allow;\n\terrno EPERM rt_sigreturn;\n", 128 + signal.SIGSEGV),
    ("\tdefault allow;\n\tkill rt_sigreturn;\n", 128 + signal.SIGSYS),
    ("\tdefault allow;\n\terrno EPERM rt_sigreturn(reg arg0 == 0x123456789a);\n", 0),
    ("\tdefault errno EPERM;\n\tallow rt_sigreturn(reg arg0 != 0x123456789a);\n\tallow %s;\n", 0),
])
def test_a_return_from_a_handler_is_answered_by_the_filter_where_it_is_counted(policy, tmp_path, rules, status):
    """As without --count, by default and by a rule."""
    others = ", ".join(names_of_calls("x86_64") - {"rt_sigreturn"})
    p = policy("policy p {\n\tarch x86_64;\n%s}\n" % rules.replace("%s", others))
    command = [program("live/signals"), "100", "restart"]
    assert shell_status(pale_run(p, "--", *command).rc) == status
    r, report = count(p, command, tmp=tmp_path)
    assert r.rc == status, r
    assert [x["name"] for x in report["not_held"]] == ["rt_sigreturn"] and report["total"] == 0, report


@pytest.mark.parametrize("command", ["exit 3", "busybox sleep 0.1 & exit 3"])
def test_children_from_before_are_not_waited_for(sh, tmp_path, command):
    """A shell with a job in the background that executes pale leaves it that job as its child."""
    script = f'busybox sleep 1000 & echo $! >{tmp_path}/job; exec "$@"'
    proc = subprocess.Popen(["sh", "-c", script, "sh", PALE, "run", LIVE, "--count", "--", *sh, command],
                            stderr=subprocess.DEVNULL)
    try:
        assert proc.wait(PATIENCE) == 3
    finally:
        os.kill(int((tmp_path / "job").read_text()), signal.SIGKILL)


def test_killed_half_way_leaves_no_orphan(sh, tmp_path):
    r, w = os.pipe()
    pid = tmp_path / "pid"
    proc = subprocess.Popen([PALE, "run", LIVE, "--count", "--", *sh,
                             f"echo $$ >{pid}; while :; do read x; done"], stdin=r)
    wait_until(lambda: pid.exists() and pid.read_text().strip())
    command = int(pid.read_text())
    proc.kill()
    proc.wait(PATIENCE)
    wait_until(lambda: gone(command))
    os.close(r), os.close(w)


def gone(pid):
    try:
        return "Z" in pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True


def test_two_at_once_do_not_meet(attack, tmp_path):
    procs = []
    for i in range(2):
        procs.append(subprocess.Popen(
            [PALE, "run", LIVE, "--count", "--report", tmp_path / f"{i}.json", "--", attack,
             *["bpf"] * (100 + i)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    assert [p.wait(PATIENCE) for p in procs] == [0, 0]
    for i in range(2):
        assert json.loads((tmp_path / f"{i}.json").read_text())["total"] == 100 + i


@pytest.mark.parametrize("mode", [[], ["--count"], ["--verify"], ["--log"]])
def test_warnings_are_told_whatever_the_mode(sh, policy, mode):
    """Without a listener this process becomes the command: what is not said before never is."""
    r = pale_run(policy("policy p { default allow; notify bpf; }"), *mode, "--", *sh, "echo out")
    assert r.rc == 0 and r.out == "out\n" and "PL104" in r.err, r
    assert ("PL306" in r.err) == (mode == [])


@pytest.mark.parametrize("verdict, counted", [("kill", "1 call refused"), ("trap", "0 calls refused")])
def test_a_kill_verdict_is_carried_out_where_proc_shows_no_processes(attack, policy, tmp_path, verdict,
                                                                           counted):
    """But for /proc/self, which sanitizers and the search for sets need."""
    need_root()
    p = policy(live_with(f"{verdict} bpf;"))
    (tmp_path / "proc").mkdir()
    script = (f"mount --bind /proc {tmp_path}/proc && mount -t tmpfs none /proc && "
              f'ln -s {tmp_path}/proc/self /proc/self && exec "$@"')
    r = run([need("unshare"), "-m", need("sh"), "-c", script, "sh", PALE, "run", p, "--count", "--",
             attack, "bpf"], env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert r.rc == 128 + 31 and r.out == "" and counted in r.err, r


def test_it_works_with_sigchld_ignored_and_signals_blocked(sh, tmp_path):
    """As a careless parent leaves them; the command gets them as they were."""
    def careless():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    for mode in ([], ["--count"]):
        r = subprocess.run([PALE, "run", LIVE, *mode, "--", need("busybox"), "grep", "Sig[BI]",
                            "/proc/self/status"], preexec_fn=careless, capture_output=True, text=True)
        blocked, ignored = (int(w, 16) for w in r.stdout.split()[1::2])
        assert r.returncode == 0 and blocked == 1 << (signal.SIGUSR1 - 1), r
        assert ignored >> (signal.SIGCHLD - 1) & 1, r
