# SPDX-License-Identifier: Apache-2.0
"""Who was signalled, and by whom."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import pytest

from conftest import PALE, need, run
from test_awkward import python
from test_backends import ATTACHED, BACKENDS, cgroup, learn, start_cgroup, usable  # noqa: F401
from test_recordings import merge
from test_update import recording

SELF = "@{profile_name}"


def signals(rec):
    """{(way, signal, who): count}."""
    return {(m[1], int(m[2]), m[3].strip()): int(m[4])
            for m in re.finditer(r"(?m)^(sent|received) (\d+)(.*)\t1:(\d+)", rec.text)}


def rules(text):
    return {re.sub(r" +", " ", m[1]): m[2] for m in re.finditer(r"(?m)^    (signal.*?); # (.*)$", text)}


def outside(pid):
    """As it stands in a recording, and in a proposal."""
    enabled = pathlib.Path("/sys/module/apparmor/parameters/enabled")
    if enabled.exists() and enabled.read_text()[0] == "Y":
        label = pathlib.Path(f"/proc/{pid}/attr/current").read_text().split(" (")[0].strip()
        return f'label "{label}"', f" -> {label}"
    return f'program "{os.readlink(f"/proc/{pid}/exe")}"', ""


@pytest.fixture
def sleeper():
    p = subprocess.Popen([need("sleep"), "1000"])
    yield p
    p.kill()
    p.wait()


WORK = """
def child(sig):
    signal.pthread_sigmask(signal.SIG_BLOCK, [sig])
    pid = os.fork()
    if not pid:
        os._exit(signal.sigwait([sig]) != sig)
    return pid

a, b, c = child(10), child(12), child(1)
os.kill(a, 10); os.waitpid(a, 0)
os.setpgid(b, b); os.killpg(b, 12); os.waitpid(b, 0)
call(424, os.pidfd_open(c), 1, 0, 0); call(424, os.pidfd_open(c), 0, 0, 0); os.waitpid(c, 0)
signal.signal(15, signal.SIG_IGN)
call(234, os.getpid(), os.getpid(), 15)
call(200, os.getpid(), 15)
os.kill(os.getpid(), 0)
os.kill(%d, 0); os.kill(%d, 23)
try: os.kill(2**22 - 1, 14)
except ProcessLookupError: pass
r, w = os.pipe(); os.close(r)
try: os.write(w, b'x')
except BrokenPipeError: pass
signal.setitimer(signal.ITIMER_REAL, 0.001); signal.pthread_sigmask(signal.SIG_BLOCK, [14]); signal.sigwait([14])
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_end_of_a_signal_is_recorded_and_proposed(tmp_path, backend, sleeper):
    signal_first = "signal.signal(14, signal.SIG_DFL); signal.pthread_sigmask(signal.SIG_BLOCK, [14])\n"
    rec, text = learn(tmp_path, backend, *python(signal_first + WORK % (sleeper.pid, sleeper.pid)))
    who, rule = outside(sleeper.pid)
    found = signals(rec)
    sent = {k[1:]: v for k, v in found.items() if k[0] == "sent"}
    assert sent == {(10, "ours"): 1, (12, "ours"): 1, (1, "ours"): 1, (15, "ours"): 2, (0, "ours"): 2, (0, who): 1, (23, who): 1}, rec.text
    for sig in (10, 12, 1, 15) if backend != "ptrace" else ():  # what sigwait(3) takes stops nobody for ptrace
        assert found["received", sig, "ours"] == sent[sig, "ours"], rec.text
    got = rules(text)
    for name in ("usr1", "usr2", "hup", "term", "exists"):
        assert got[f"signal {name} -> {SELF}"].endswith("to itself"), text
    for name in ("urg", "exists"):
        assert f"signal send {name}{rule}" in got, text
    assert rule or "to " + os.readlink(f"/proc/{sleeper.pid}/exe") + ", whose label was not seen: any" in got["signal send urg"], text
    assert got["signal send alrm"] == "1x, and none was seen to get it: any", text
    kernels = set(got) - {f"signal {n} -> {SELF}" for n in ("usr1", "usr2", "hup", "term", "exists")} - {"signal send alrm"}
    kernels -= {f"signal send {n}{rule}" for n in ("urg", "exists")}
    assert kernels == ({f"signal pipe -> {SELF}"} if backend == "ptrace" else set()), "what the kernel sends asks nobody"


@pytest.mark.parametrize("backend", BACKENDS)
def test_who_signals_from_outside_is_recorded(tmp_path, backend):
    usable(backend)
    pid, rec, out = tmp_path / "pid", tmp_path / "rec", tmp_path / "p.pale"
    os.mkfifo(pid)
    script = f"signal.signal(12, lambda *_: os._exit(0)); open('{pid}', 'w').write(str(os.getpid()))\nwhile True: signal.pause()"
    p = subprocess.Popen([PALE, "learn", "--backend", backend, "-r", rec, "-o", out, "--", *python(script)], stderr=subprocess.PIPE)
    os.kill(int(pid.read_text()), signal.SIGUSR2)
    assert p.wait(timeout=60) == 0, p.stderr.read()
    p.stderr.close()
    who, rule = outside(os.getpid())
    assert f"received 12 {who}\t1:1@" in rec.read_text(), rec.read_text()
    got = rules(out.read_text())
    assert rule or f"from {os.path.realpath(sys.executable)}, whose label was not seen: any" in got["signal receive usr2"], got
    assert f"signal receive usr2{rule}" in got and not any(SELF in r for r in got), got


@pytest.mark.parametrize("backend", [*ATTACHED, "ebpf-btf"])
def test_who_sleeps_in_a_cgroup_since_before_is_ours(tmp_path, backend, cgroup, sleeper):  # noqa: F811
    """It has made no call since, by which tasks of a cgroup are met; one beside the cgroup is outside."""
    usable(backend)
    inside = subprocess.Popen(["sh", "-c", f"echo $$ >{cgroup}/cgroup.procs; exec sleep 1000"])
    while pathlib.Path(f"/proc/{inside.pid}/comm").read_text() != "sleep\n" or \
            pathlib.Path(f"/proc/{inside.pid}/syscall").read_text().split()[0] not in ("35", "230"):  # it sleeps
        assert inside.poll() is None
    p = start_cgroup(tmp_path, backend, cgroup.parent)
    run(["sh", "-c", f"echo $$ >{cgroup}/cgroup.procs; kill -URG {inside.pid}; kill -URG {sleeper.pid}; kill -TERM {inside.pid}"], check=0)
    inside.wait()
    err = p.communicate(timeout=60)[1]
    assert p.returncode == 0, err
    text = (tmp_path / "c.rec").read_text()
    found = {m[1]: m[2].strip() for m in re.finditer(r"(?m)^(sent \d+)( [^\t]*)", text) if "ours" in m[2]}
    assert found == {"sent 23": "ours", "sent 15": "ours"} and f"sent 23 {outside(sleeper.pid)[0]}\t1:1@" in text, text


@pytest.mark.parametrize("backend", ["ebpf", "ebpf-raw", "ptrace"])
def test_a_parent_that_dies_signals_its_child(tmp_path, backend):
    script = ("r, w = os.pipe()\n"
              "if not os.fork():\n"
              "    if not os.fork():\n"
              "        signal.signal(12, lambda *_: os._exit(0)); call(157, 1, 12, 0, 0, 0); os.write(w, b'x')\n"
              "        while True: signal.pause()\n"
              "    os.read(r, 1); os._exit(0)\n"
              "call(157, 36, 1, 0, 0, 0); os.wait(); os.close(w)\n"
              "while True:\n"
              "    try: os.wait()\n"
              "    except ChildProcessError: break\n")
    rec, text = learn(tmp_path, backend, *python(script))
    found = signals(rec)
    assert found["received", 12, "ours"] == 1 and ("sent", 12, "ours") in found or backend == "ptrace", rec.text
    assert f"signal usr2 -> {SELF}" in rules(text), text


def facts(*lines):
    return ["call x86_64 kill\t1:3@1", "call x86_64 read\t1:1@1", *lines]


def propose(tmp_path, *lines, seen=True, name="one", options=()):
    rec = recording(tmp_path / f"{name}.rec", facts(*lines))
    if seen:
        rec.write_text(rec.read_text().replace("capabilities-seen\n", "capabilities-seen\nrun 1 peers-seen\n"))
    return rec, run([PALE, "propose", *options, rec], check=0).out


OWN = ["sent 15 ours\t1:2@5", "received 15 ours\t1:2@5", "value x86_64 kill 1 0xf\t1:2"]


def test_a_workload_that_changes_its_profile_is_no_longer_itself(tmp_path):
    assert rules(propose(tmp_path, *OWN)[1]) == {f"signal term -> {SELF}": "2x, first at 0.0 ms, to itself"}
    text = propose(tmp_path, *OWN, 'rule "change_profile -> other"\t1:1@3')[1]
    assert rules(text) == {"signal term": "2x, first at 0.0 ms, to itself, which changes its profile: any"}


def test_labels_are_names_and_no_patterns(tmp_path):
    labels = ["/usr/bin/a*b", "a b", "unconfined", "x//y"]
    text = propose(tmp_path, *(f'received 15 label "{x}"\t1:1@5' for x in labels), 'sent 9 label "a//&b"\t1:1@5')[1]
    got = rules(text)
    assert set(got) == {r'signal receive term -> /usr/bin/a\*b', 'signal receive term -> "a b"', "signal receive term -> unconfined",
                        'signal receive term -> "x//y"', "signal send kill"}, text
    assert got["signal send kill"].endswith("to a//&b, which no rule can name: any")
    (tmp_path / "p.pale").write_text(text)
    profile = run([PALE, "compile", "-q", "-t", "apparmor", "-o", "-", tmp_path / "p.pale"], check=0).out
    assert r"signal receive set=term peer=/usr/bin/a\*b," in profile and "signal receive set=term peer=unconfined," in profile, profile
    for label, allowed in ((r"/usr/bin/a\*b", True), ("/usr/bin/aXb", False), ("unconfined", True), ("other", False)):
        r = run([PALE, "sim", tmp_path / "p.pale", f"signal receive term peer={label}"])
        assert r.out.startswith("allowed" if allowed else "refused"), (label, r)


def test_every_label_makes_a_policy_that_compiles(tmp_path):
    """Also names that no sane profile has, and those of a log that are none."""
    labels = [*(f"a{chr(c)}b" for c in range(1, 256)), "@{a}", "---", ":ns:a", "a//&b", "a" * 4000, "{", "[", "unconfined", "^hat"]
    for i in range(0, len(labels), 20):
        names = ["".join(f"\\x{b:02x}" if b < 32 or b > 126 else f"\\{chr(b)}" if b in b'"\\\\' else chr(b) for b in x.encode("latin-1"))
                 for x in labels[i:i + 20]]
        text = propose(tmp_path, *(f'received {n + 1} label "{x}"\t1:1@5' for n, x in enumerate(names)), name=str(i))[1]
        assert len(rules(text)) == len(names)
        (tmp_path / "p.pale").write_text(text)
        run([PALE, "compile", "-q", "-t", "apparmor", "-o", tmp_path / "p.aa", tmp_path / "p.pale"], check=0)


def test_of_more_labels_than_are_kept_the_rule_is_for_any(tmp_path):
    for n in (32, 33):
        got = rules(propose(tmp_path, *(f'sent 10 label "l{i}"\t1:1@5' for i in range(n)))[1])
        assert len(got) == (32 if n == 32 else 1) and all(r.startswith("signal send usr1") for r in got)
    assert got == {"signal send usr1": "33x, first at 0.0 ms, to more than 32 different labels: any"}


def test_of_runs_that_did_not_look_calls_tell_what_is_sent(tmp_path):
    """Also beside runs that did: what the former sent may have gone elsewhere."""
    old, text = propose(tmp_path, "value x86_64 kill 1 0xf\t1:2", "received 15\t1:1@5", seen=False)
    assert rules(text) == {"signal send term": "2x", "signal receive term": "1x, first at 0.0 ms"}
    new, text = propose(tmp_path, *OWN, name="two")
    new.write_text(new.read_text().replace("00112233445566778899aabbccddeeff", "10112233445566778899aabbccddeeff"))
    both = tmp_path / "both"
    run([PALE, "merge", "-o", both, old, new], check=0)
    got = rules(run([PALE, "propose", both], check=0).out)
    assert set(got) == {"signal send term", "signal receive term", f"signal term -> {SELF}"}
    assert got[f"signal term -> {SELF}"].startswith("2x in 1 of 2 runs") or "1 of 2" in got[f"signal term -> {SELF}"], got
    assert merge(both) == both.read_text()


def test_a_policy_that_knows_the_other_end_gets_no_second_rule(tmp_path):
    rec, text = propose(tmp_path, *OWN, 'received 1 label "unconfined"\t1:1@5')
    policy = tmp_path / "p.pale"
    policy.write_text(text)
    r = run([PALE, "propose", "--update", policy, rec], check=0)
    assert not re.search(r"^\+", r.out, re.M), r
    policy.write_text(re.sub(r"(?m)^    signal (term|receive).*\n", "", text))
    r = run([PALE, "propose", "--update", policy, rec], check=0)
    assert sorted(re.findall(r"(?m)^\+    (signal.*?);", r.out)) == ["signal receive hup -> unconfined", f"signal term -> {SELF}"], r.out
    policy.write_text(re.sub(r"(?m)^    signal (term|receive).*\n", "", text).replace("    # signals, to", "    signal receive term, hup; # signals, to", 1))
    if "signal receive term, hup" in policy.read_text():  # one end of two is not enough
        r = run([PALE, "propose", "--update", policy, rec], check=0)
        assert re.findall(r"(?m)^\+    (signal.*?);", r.out) == [f"signal term -> {SELF}"], r.out


@pytest.mark.parametrize("line,said", [
    ("received 15 who\t1:1", "'ours', 'label' or 'program'"),
    ("received 15 label\t1:1", "who it was"),
    ('sent 15 label ""\t1:1', "1 to 4096 bytes"),
    ('sent 15 program "a\\x00b"\t1:1', "no escape that is written here"),
    ('sent 15 program "' + "a" * 4097 + '"\t1:1', "1 to 4096 bytes"),
    ("sent 65 ours\t1:1", "up to 64"),
    ("sent 15 ours ours\t1:1", "nothing more is expected here"),
    ("serve sent 15\t1:1", "calls, their arguments and capabilities alone"),
])
def test_another_end_that_is_none_is_refused_with_its_place(tmp_path, line, said):
    rec = recording(tmp_path / "rec", facts(line))
    r = run([PALE, "propose", rec])
    assert r.rc == 1 and said in r.err and f"{rec}:" in r.err, r


def test_strace_tells_signals_between_those_that_it_traced(tmp_path):
    log, rec = tmp_path / "log", tmp_path / "rec"
    log.write_text('7 execve("/bin/x", ["x"], 0x7ffd /* 3 vars */) = 0\n7 clone(child_stack=NULL, flags=SIGCHLD) = 8\n8 getpid() = 8\n'
                   "7 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=8, si_uid=0} ---\n"
                   "7 --- SIGUSR2 {si_signo=SIGUSR2, si_code=SI_USER, si_pid=9, si_uid=0} ---\n7 exit_group(0) = ?\n")
    run([PALE, "replay", "--from", "strace", "-o", rec, log], check=0)
    assert "received 10 ours\t" in rec.read_text() and "received 12\t" in rec.read_text()


def test_apparmor_s_log_tells_the_other_end(tmp_path):
    log, rec = tmp_path / "log", tmp_path / "rec"
    log.write_text("".join(f'audit: type=1400 audit(1700000000.{i}:4{i}): apparmor="ALLOWED" operation="signal" class="signal" profile="t" pid=9 '
                           f'comm="x" requested_mask="{way}" denied_mask="{way}" signal={sig} peer="{peer}"\n'
                           for i, (way, sig, peer) in enumerate([("send", "term", "t"), ("receive", "term", "t"), ("send", "kill", "db"),
                                                                 ("receive", "hup", "unconfined"), ("send", "exists", "a//&b")])))
    run([PALE, "replay", "--from", "apparmor", "-o", rec, log], check=0)
    got = rules(run([PALE, "propose", rec], check=0).out)
    assert set(got) == {f"signal term -> {SELF}", "signal send kill -> db", "signal receive hup -> unconfined", "signal send exists"}, got


def test_many_processes_outside_have_their_bound(tmp_path, request):
    """Beyond 32 programs it is not kept whose they are, and nothing is lost."""
    usable("ebpf")
    programs = []
    request.addfinalizer(lambda: [(p.kill(), p.wait()) for p in programs])
    for i in range(40):
        shutil.copy(need("sleep"), tmp_path / f"sleep{i}")
        programs.append(subprocess.Popen([tmp_path / f"sleep{i}", "1000"]))
    rec, text = learn(tmp_path, "ebpf", *python("".join(f"os.kill({p.pid}, 23)\n" for p in programs)))
    found = {k: v for k, v in signals(rec).items() if k[:2] == ("sent", 23)}
    assert sum(found.values()) == 40 and len(found) <= 33 and rec.losses == "none", rec.text
    got = rules(text)
    assert len([r for r in got if r.startswith("signal send urg")]) == 1, got
