# SPDX-License-Identifier: Apache-2.0
"""AppArmor's classes beside files: what is done is recorded as the rule that allows it, and proposed."""
import os
import re

import pytest

from conftest import PALE, need, need_root, program, run
from recordings import Recording
from test_backends import BACKENDS, usable

PROBE = program("learn/probes/classes")
OWN = "peer=@{profile_name}"
# A queue's name is the whole machine's; a number in it would be proposed as any.
QUEUE = "/pale-classes" + "".join("qrstuvwxyz"[int(digit)] for digit in str(os.getpid()))
WITH_QUEUE = {**os.environ, "QUEUE": QUEUE}

# Of each case the rules; DIR is its directory. What mount and umount are given is a directory or not.
RIGHT = {
    "proc_environ": {f"ptrace (read, readby) {OWN}"},
    "proc_mem": {f"ptrace (trace, tracedby) {OWN}"},
    "proc_maps": {f"ptrace (read, readby) {OWN}"},
    "traceme": {f"ptrace (trace, tracedby) {OWN}"},
    "seize": {f"ptrace (trace, tracedby) {OWN}"},
    "vm_read": {f"ptrace (trace, tracedby) {OWN}"},
    "proc_exe": {f"ptrace (read, readby) {OWN}"},
    "proc_root": {f"ptrace (read, readby) {OWN}"},
    "proc_namespace": {f"ptrace (read, readby) {OWN}"},
    "proc_free": set(),
    "get_fd": {f"ptrace (trace, tracedby) {OWN}"},
    "compare": {f"ptrace (read, readby) {OWN}"},
    "exists": set(),
    "queue": {f"mqueue (create, open, read, write) type=posix {QUEUE}",
              f"mqueue (delete) type=posix {QUEUE}"},
    "ring": {"io_uring (sqpoll)"},
    "userns": {"userns create"},
    "mounts": {"mount options=(rw, rprivate) -> /", "mount fstype=tmpfs options=(rw, nosuid, nodev) none -> DIR/m/",
               "mount options=(rw, bind) DIR/m/d{,/} -> DIR/b{,/}",
               "mount options=(ro, nosuid, nodev, remount, bind) -> DIR/b{,/}",
               "mount options=(rw, move) DIR/b{,/} -> DIR/c{,/}", "umount DIR/c{,/}"},
    "pivot": {"mount options=(rw, rprivate) -> /", "mount fstype=tmpfs options=(rw) root -> DIR/root/",
              "pivot_root oldroot=DIR/root/old/ DIR/root/", "umount /old{,/}"},
    "move_new": {"mount options=(rw, rprivate) -> /", "mount options=(rw, move) -> DIR/n{,/}"},
}
# What stands in the policy and not in the recording as a rule: from a file, from a call's flags.
IMPLIED = {"proc_environ", "proc_mem", "proc_maps", "userns"}
LEFT_OUT = {"queue"}  # no kernel mediates it


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """All cases in one recording a backend, and each rule's case known by what it names."""
    found = {}

    def of(backend):
        if backend not in found:
            need_root()
            usable(backend)
            d = tmp_path_factory.mktemp(backend)
            r = run([os.path.abspath(PALE), "learn", "--backend", backend, "--allow-loss", "-o", d / "p.pale", "-r",
                     d / "rec", "--", PROBE, *RIGHT], cwd=d, env=WITH_QUEUE)
            assert r.rc == 0, r
            found[backend] = (d, Recording(d / "rec"), (d / "p.pale").read_text())
        return found[backend]
    return of


def right(case, d):
    return {rule.replace("DIR", str(d)) for rule in RIGHT[case]}


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_done_is_recorded_as_the_rules_that_allow_it(learned, backend):
    d, rec, _ = learned(backend)
    want = set().union(*(right(case, d) for case in set(RIGHT) - IMPLIED))
    assert set(rec.rules) == want
    assert rec.losses == ({"tracing": 2} if backend == "ptrace" else "none")
    assert rec.rules[f"ptrace (read, readby) {OWN}"] == 4 and rec.rules[f"ptrace (trace, tracedby) {OWN}"] == 4
    assert len(rec.ours) == 4 and rec.ours == rec.peers


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_is_proposed_in_the_words_of_policies(learned, backend, tmp_path):
    d, _, text = learned(backend)
    said = set(re.findall(r"^    ((?:mount|umount|pivot_root|ptrace|io_uring|userns|mqueue)\b.*?); #", text, re.M))
    want = set().union(*(right(case, d) for case in set(RIGHT) - LEFT_OUT))
    want -= {rule for rule in want if rule.startswith("ptrace")}
    assert said == want | {f"ptrace (trace, read, tracedby, readby) {OWN}"}
    assert f"#   mqueue (read, write, create, delete, open) type=posix {QUEUE};  # 2x; no kernel asks for it" in text
    assert re.search(rf"^    file rw {QUEUE}; #", text, re.M), "what kernels do ask for"
    assert re.search(r"^    apparmor flags=\(attach_disconnected\); # .*, and message queues and namespaces that "
                     r"were opened have no path", text, re.M)
    assert re.search("^    file r /; # ", text, re.M), "as which AppArmor sees a namespace"
    assert "    signal exists -> @{profile_name}; # 1x" in text
    assert "no rule for AppArmor" not in text
    run([PALE, "compile", "-q", "-t", "apparmor", "-o", tmp_path / "p.aa", d / "p.pale"], check=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_kernels_do_not_ask_is_left_out_for_older_parsers(learned, backend, tmp_path):
    """A rule for user namespaces takes AppArmor 4.0; a kernel before 6.7 lets them pass."""
    _, rec, _ = learned(backend)
    old = tmp_path / "old"
    old.write_text(re.sub(r'(?m)^(run 1 kernel) .*', r'\1 "6.1.0-28-amd64"', rec.text))
    text = run([PALE, "propose", "--allow-loss", old], check=0).out
    assert "#   userns create;  # 1x; since Linux 6.7 and AppArmor 4.0\n" in text
    assert "#   io_uring (sqpoll);  # 1x; since Linux 6.17 and AppArmor 5.0\n" in text
    assert not re.search("^    (userns|io_uring)", text, re.M)
    (tmp_path / "p.pale").write_text(text)
    profile = run([PALE, "compile", "-t", "apparmor", "-o", "-", tmp_path / "p.pale"], check=0).out
    assert "abi <abi/3.0>" in profile and "pivot_root oldroot=" in profile


def test_a_policy_that_lacks_some_is_updated_with_that_alone(learned, tmp_path):
    d, _, text = learned("ptrace")
    policy = tmp_path / "p.pale"
    policy.write_text(re.sub(r"(?m)^    (umount /old|signal exists).*\n", "", text)
                      .replace("ptrace (trace, read, tracedby, readby)", "ptrace (trace, tracedby, readby)"))
    r = run([PALE, "propose", "--allow-loss", "--update", policy, d / "rec"], check=0)
    added = re.findall(r"^\+    (\w.*?); #", r.out, re.M)
    assert sorted(added) == [f"ptrace (read) {OWN}", "signal exists -> @{profile_name}",
                             "umount /old{,/}"], r.out


LOG = r"""
apparmor="DENIED" operation="ptrace" class="ptrace" profile="t" pid=9 comm="x" requested_mask="read" denied_mask="read" peer="other"
apparmor="DENIED" operation="mount" profile="t" name="/m/c/" pid=9 comm="x" fstype="tmpfs" srcname="x y" flags="rw, nosuid"
apparmor="ALLOWED" operation="umount" profile="t" name="/m/c/" pid=9 comm="x"
apparmor="DENIED" operation="userns_create" class="namespace" profile="t" pid=9 comm="x" requested="userns_create" denied="userns_create"
apparmor="DENIED" operation="signal" profile="t" pid=9 comm="x" requested_mask="receive" denied_mask="receive" signal=exists peer="t"
apparmor="DENIED" operation="bind" class="net" profile="t" pid=9 comm="x" family="unix" sock_type="stream" protocol=0 requested_mask="bind" denied_mask="bind" addr="@q1"
apparmor="DENIED" operation="uring_sqpoll" class="io_uring" profile="t" pid=9 comm="x" requested="sqpoll" denied="sqpoll"
apparmor="DENIED" operation="change_profile" profile="t" name="other" pid=9 comm="x" target="other"
"""


def test_a_log_is_replayed_to_the_same_rules(tmp_path):
    log, rec = tmp_path / "log", tmp_path / "rec"
    log.write_text("".join(f"audit: type=1400 audit(1700000000.{i}:4{i}): {line}\n"
                           for i, line in enumerate(LOG.split("\n")[1:-1])) +
                   'type=USER_AVC msg=audit(1700000000.9:99): pid=1 uid=0 auid=1 ses=1 msg=\'apparmor="DENIED" '
                   'operation="dbus_method_call"  bus="system" path="/org/x" interface="org.x.Y" member="Get" mask="send" '
                   'name="org.x" pid=9 label="t" peer_pid=13 peer_label="unconfined" exe="/usr/bin/dbus-daemon"\'\n')
    run([PALE, "replay", "--from", "apparmor", "-o", rec, log], check=0)
    assert set(Recording(rec).rules) == {
        "ptrace (read) peer=other", 'mount fstype=tmpfs options=(rw, nosuid) "x y" -> /m/c/', "umount /m/c/",
        "userns create", "unix (bind) type=stream addr=@q1", "io_uring sqpoll",
        "change_profile -> other",
        "dbus (send) bus=system path=/org/x interface=org.x.Y member=Get peer=(name=org.x, label=unconfined)"}
    text = run([PALE, "propose", rec], check=0).out
    assert "    userns create; # 1x" in text and "    signal exists -> @{profile_name}; # 1x" in text
    assert "records of AppArmor's that recordings have no facts for" not in text


@pytest.mark.parametrize("rule,said", [
    ("mount options=(bogus) -> /m/", "is no rule of AppArmor that recordings hold"),
    ("capability chown", "is no rule of AppArmor that recordings hold"),
    ("umount /m, ptrace", "is no rule of AppArmor that recordings hold"),
    ("deny ptrace", "is no rule of AppArmor that recordings hold"),
    ("ptrace  read", "is spelled 'ptrace read'"),
])
def test_a_recording_with_another_rule_is_refused_with_its_place(tmp_path, rule, said):
    rec = tmp_path / "rec"
    rec.write_text("pale recording 1\nrun 1 id 00112233445566778899aabbccddeeff\nrun 1 machine x86_64\n"
                   f'run 1 kernel "6.1"\nrun 1 libc "x"\nrun 1 tier "ebpf"\nrule "{rule}"\t1:1\nend 1 1\n')
    r = run([PALE, "merge", rec])
    assert r.rc == 1 and not r.out and said in r.err and "rec:7:" in r.err, r


def test_a_call_that_another_process_interrupted_is_asked_about_as_any_other(tmp_path):
    """strace writes it in two lines; whose it is stands in front of both."""
    lines = ("1 clone(child_stack=NULL, flags=SIGCHLD) = 2", "2 getpid() = 2", "1 process_vm_readv(2,  <unfinished ...>",
             "2 pause( <unfinished ...>", "1 <... process_vm_readv resumed>[], 1, [], 1, 0) = 1",
             '1 openat(AT_FDCWD, "/proc/2/root/x", O_RDONLY <unfinished ...>', "2 <... pause resumed>) = ?", "1 <... openat resumed>) = 3</x>")
    (tmp_path / "log").write_text("".join(f"{line}\n" for line in lines))
    run([PALE, "replay", "--from", "strace", "-o", tmp_path / "rec", tmp_path / "log"], check=0)
    assert Recording(tmp_path / "rec").rules == dict.fromkeys((f"ptrace ({how}) peer=@{{profile_name}}" for how in ("read, readby", "trace, tracedby")), 1)


@pytest.mark.once
def test_strace_tells_the_same_rules(tmp_path):
    """Of two processes by their numbers and descriptors; what strace itself keeps from being traced counts, as it was asked for."""
    need_root()
    need("strace")
    run(["strace", "-f", "-y", "-o", tmp_path / "log", PROBE, *RIGHT], cwd=tmp_path, env=WITH_QUEUE)
    run([PALE, "replay", "--from", "strace", "-o", tmp_path / "rec", tmp_path / "log"], check=0)
    rec = Recording(tmp_path / "rec")
    assert set(rec.rules) == {rule.replace("DIR", str(tmp_path)) for case in RIGHT.keys() - IMPLIED for rule in RIGHT[case]}
    text = run([PALE, "propose", tmp_path / "rec"], check=0).out
    assert re.search(rf"ptrace \([a-z, ]+\) {re.escape(OWN)}; +# 11x, by opening /proc/\d+/environ and 1 more", text), text
    assert "#   userns create;" in text
