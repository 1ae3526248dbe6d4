# SPDX-License-Identifier: Apache-2.0
"""The margin of a proposal: calls that come with those that were seen, apart, argued, without risk."""
import json
import re

import pytest

from conftest import PALE, ROOT, need, run
from test_recordings import quote

FAMILIES = ROOT / "learn/families.def"
RISKS = set(re.findall(r'^RISK\(\w+, "(\w+)"', (ROOT / "compiler/tables/risk.def").read_text(), re.M))


def rows():
    text = re.sub(r"/\*.*?\*/", "", FAMILIES.read_text(), flags=re.S)
    return [re.findall(r'"([^"]*)"', row) for row in re.findall(r"FAMILY\((.*?)\)\n", text, re.S)]


def record(tmp_path, calls, *facts, libc="glibc 2.36", name="server"):
    """A recording of one run, as pale-recording(5) says."""
    lines = ["pale recording 1", f"run 1 id {7:032x}", "run 1 machine x86_64", f'run 1 name "{name}"',
             'run 1 host "h"', 'run 1 kernel "6.1"', f'run 1 libc {quote(libc)}', 'run 1 tier "ebpf"',
             "run 1 started 1764000000000000000", "run 1 tasks 1"]
    facts = sorted([*(f"call {c if ' ' in c else 'x86_64 ' + c}" for c in calls), *facts])
    lines += [f"{f}\t1:3" for f in facts]
    path = tmp_path / "r.rec"
    path.write_text("\n".join([*lines, f"end 1 {len(facts)}", ""]))
    return path


def propose(recording, *args):
    r = run([PALE, "propose", *args, recording])
    assert r.rc == 0 and not r.err, r
    return r.out


def margin(text, name="margin"):
    """Call -> reason."""
    m = re.search(rf"^set {name} {{\n(.*?)^}}", text, re.S | re.M)
    return {call: why for calls, why in re.findall(r"^ +allow ([\w,\s]+);\s+# (.+)$", m[1], re.M)
            for call in re.split(r",\s+", calls)} if m else {}


def test_what_comes_with_what_was_seen_stands_apart_with_its_reason(tmp_path):
    rec = record(tmp_path, ["read", "mkdir", "getpid", "poll"])
    with_it, without = propose(rec), propose(rec, "--margin", "none")
    got = margin(with_it)
    assert "rmdir" in got and got["rmdir"].startswith("mkdir: ") and "mkdir" not in got
    assert got["getppid"].startswith("getpid: ") and got["ppoll"].startswith("poll: ")
    assert got["mremap"].startswith("any program: ") and "wait4" not in got and "ftruncate" not in got
    assert not margin(without)
    # One line takes it out: what is left is what --margin none proposes.
    policy = with_it[:with_it.index("\n# Not seen in any run: ")]
    cut = re.sub(r"\n    use margin; +# not seen; beside what was seen\n", "", policy)
    assert cut != policy and cut == without, cut


def test_files_that_were_written_and_children_bring_theirs(tmp_path):
    calls = ["openat", "write"]
    assert "ftruncate" not in margin(propose(record(tmp_path, calls, 'file "/etc/passwd" r')))
    assert "ftruncate" not in margin(propose(record(tmp_path, calls, 'file "/dev/null" w')))
    wrote = margin(propose(record(tmp_path, calls, 'file "/srv/a" w')))
    assert wrote["ftruncate"].startswith("files written: ") and "mkdirat" not in wrote and "wait4" not in wrote
    raw = margin(propose(record(tmp_path, calls, 'file "/srv/a" w', libc="none loaded (static)")))
    assert {"mkdirat", "unlinkat", "renameat"} <= set(raw)
    assert "wait4" in margin(propose(record(tmp_path, ["vfork"])))
    threads = margin(propose(record(tmp_path, ["clone"], "bits x86_64 clone 0 0x3d0f00 0xffffffffffc2f0ff")))
    assert "wait4" not in threads
    assert "wait4" in margin(propose(record(tmp_path, ["clone"], "bits x86_64 clone 0 0x1200011 0xfffffffffedfffee")))


@pytest.mark.parametrize("seen,files,brings", [
    # What servers did on a second load that their first had not shown: a large file, queries by TCP, sqlite, a directory sorted.
    (["accept4", "read", "write"], [], {"sendfile": "any program: ", "writev": "write: "}),
    (["accept", "sendto"], [], {"writev": "sendto: "}),
    (["socket", "listen"], [], {"poll": "sockets: "}),
    (["accept4", "write"], ["/srv/a"], {"fdatasync": "files written: "}),
    (["accept4", "read"], [], {"sysinfo": "any program: "}),
    (["accept4", "chdir"], [], {"fchdir": "chdir: "}),
    (["listen", "vfork"], [], {"setsid": "child processes: "})])
def test_what_a_small_load_of_a_server_does_not_show_comes_with_what_it_does(tmp_path, seen, files, brings):
    got = margin(propose(record(tmp_path, seen, *(f'file "{f}" w' for f in files))))
    assert {c: got.get(c, "")[:len(why)] for c, why in brings.items()} == brings
    # Of what accepts nothing none of it: a median of 30 calls more is what 22 programs may get (make loop).
    alone = [c for c in seen if not c.startswith("accept") and c != "listen"]
    assert not set(brings) & set(margin(propose(record(tmp_path, ["uname", *alone], *(f'file "{f}" w' for f in files)))))
    # It is not put beside itself where it was seen.
    assert not set(margin(propose(record(tmp_path, [*brings, "uname"])))) & set(brings)


def test_options_of_sockets_that_a_configuration_sets_are_there_by_their_level(tmp_path):
    facts = ["value x86_64 setsockopt 1 0x100000002", "bits x86_64 setsockopt 1 0x100000002 0xfffffffefffffffd"]
    text = propose(record(tmp_path, ["setsockopt", "socket"], *facts, "tuple x86_64 socket 0x2 0x1 0x0"))
    policy, apart = re.sub(r"\s+", " ", text).split("set margin {")
    assert "allow setsockopt(level == SOL_SOCKET and optname == SO_REUSEADDR);" in policy and "getsockopt" not in policy
    for call, had in (("getsockopt", True), ("setsockopt", False)):
        m = re.search(rf"{call}\(level == SOL_SOCKET and optname in {{([^}}]*)}} or level == IPPROTO_TCP and optname in {{([^}}]*)}}\)", apart)
        assert m and ("SO_REUSEADDR" in m[1]) == had and "SO_KEEPALIVE" in m[1] and "TCP_NODELAY" in m[2], apart
    assert "SO_ATTACH_FILTER" not in apart and "IPPROTO_IP" not in apart
    local = propose(record(tmp_path, ["setsockopt", "socket"], *facts, "tuple x86_64 socket 0x1 0x1 0x0"))
    assert "IPPROTO_TCP" not in local
    old = margin(propose(record(tmp_path, ["setsockopt"])))  # its options are not known
    assert old["getsockopt"] == "setsockopt: a socket's options"
    # As on another machine, where numbers differ.
    facts = [f.replace("0x100000002", "0x100000014").replace("fffd", "ffeb") for f in facts]
    for arch in ("x86_64", "ppc64le"):
        there = propose(record(tmp_path, ["setsockopt"], *facts), "--arch", arch)
        assert "setsockopt(level == SOL_SOCKET and optname == SO_RCVTIMEO)" in there, there


def test_whether_output_goes_to_a_terminal_may_be_asked_beside_other_commands(tmp_path):
    def apart(*commands, args=(), calls=("ioctl",)):
        values = [f"value x86_64 ioctl 1 {c:#x}" for c in commands]
        text = propose(record(tmp_path, calls, *values, *(["bits x86_64 ioctl 1 0xffff 0xffffffffffffffff"] if commands else [])), *args)
        return re.findall(r"allow ioctl\(([^)]*)\); # ioctl: is it a terminal, and how wide", text)
    assert apart(0x5421) == ["cmd in {TCGETS, TCGETS2, TIOCGWINSZ}"]
    assert apart(0x5401, 0x5421) == ["cmd in {TCGETS2, TIOCGWINSZ}"] and apart(0x5401, 0x5413) == ["cmd == TCGETS2"]
    assert apart(0x5421, args=["--arch", "ppc64le"]) == ["cmd in {TCGETS, TIOCGWINSZ}"]
    # Not where it is allowed without a condition, nor where nothing of it was seen.
    assert apart() == [] and apart(calls=["read"]) == [] and apart(0x5421, args=["--margin", "none"]) == []


SHELLS = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "ash"]]
KNOWN = {"PATH": "/usr/bin:/bin", "HOME": "/", "SHELL": "/bin/sh", "HOSTNAME": "h"}


@pytest.mark.once
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_shell_asks_for_what_its_environment_does_not_say(tmp_path, shell):
    argv, rec, policy = [need(shell[0]), *shell[1:], "-c", ":"], tmp_path / "r.rec", tmp_path / "p.pale"
    run([PALE, "learn", "--backend", "ptrace", "-r", rec, "-o", "/dev/null", "--", *argv], env={**KNOWN, "PWD": str(tmp_path)}, cwd=tmp_path, check=0)

    def refused(kind, env):
        policy.write_text(propose(rec, "--margin", kind))
        run([PALE, "run", "--layers", "seccomp", "--count", "--report", tmp_path / "report", policy, "--", *argv], env=env, cwd=tmp_path, check=0)
        return {r["name"] for r in json.loads((tmp_path / "report").read_text())["refusals"]}
    assert not refused("none", {**KNOWN, "PWD": str(tmp_path)})
    assert "getcwd" in refused("none", {}) and "getcwd" in refused("none", {**KNOWN, "PWD": "/"})
    # bash asks the name service, at a socket, who runs it.
    assert refused("family", {}) <= {"socket", "connect"} and not refused("family", {**KNOWN, "PWD": "/"})
    assert margin(propose(rec))["getcwd"] == "getppid: a shell, where $PWD, $HOME or $HOSTNAME is not set"


def test_a_call_with_a_condition_brings_nothing_that_goes_round_it(tmp_path):
    free = record(tmp_path, ["mprotect"])
    assert "pkey_mprotect" in margin(propose(free))
    bound = record(tmp_path, ["mprotect"], "bits x86_64 mprotect 2 0x5 0xfffffffffffffffe",
                   "value x86_64 mprotect 2 0x1", "value x86_64 mprotect 2 0x5")
    text = propose(bound)
    assert "mprotect(prot lacks PROT_EXEC)" in text or "mprotect(" in text
    assert "pkey_mprotect" not in text


def test_nothing_risky_and_no_way_to_make_namespaces_or_sockets_comes(tmp_path):
    every = {m.lstrip("+") for row in rows() for m in row[1:] if m[0] != "@"}
    siblings = set(re.findall(r'"\+?(\w+)"', (ROOT / "compiler/tables/siblings.def").read_text()))
    for seen in ([*sorted(every)], [*sorted(RISKS - {"clone", "clone3", "socket", "ioctl", "personality"})], ["read"]):
        calls = [c for c in seen if known(c)]
        added = set(margin(propose(record(tmp_path, calls, 'file "/srv/a" w'))))
        assert not added & RISKS and not added & {"socket", "socketpair", "clone", "clone3", "execve", "execveat"}
        assert added <= every | siblings


_known = {}


def known(call):
    """Is there such a call on x86-64?"""
    if not _known:
        _known.update((w[0], True) for w in (line.split() for line in (
            ROOT / "compiler/tables/syscalls.tsv").read_text().splitlines()) if w[1:] and w[1].isdigit())
    return call in _known


def test_every_row_can_bring_something():
    names = rows()
    assert len(names) > 20
    for why, *members in names:
        calls = [m for m in members if m[0] != "@"]
        assert why and all(known(c.lstrip("+")) for c in calls), (why, members)
        assert not {c.lstrip("+") for c in calls} & RISKS, why
        assert len(set(members)) == len(members) > 1, why
        assert any(m[0] != "+" for m in members), why


def test_of_several_abis_each_has_its_own(tmp_path):
    text = propose(record(tmp_path, ["mkdir", "i386 mkdir", "i386 getpid"]))
    assert "rmdir" in margin(text, "margin-x86_64") and "rmdir" in margin(text, "margin-i386")
    r = run([PALE, "check", "--target", "bpf", "-"], input=text)
    assert r.rc == 0, r


@pytest.mark.parametrize("calls", [["read", "mkdir", "poll", "getuid"], ["vfork", "socket"]])
def test_it_compiles_for_every_target_and_only_widens(tmp_path, calls):
    rec = record(tmp_path, calls, 'file "/srv/a" w')
    a, b = tmp_path / "none.pale", tmp_path / "family.pale"
    a.write_text(propose(rec, "--margin", "none"))
    b.write_text(propose(rec, "--margin", "family"))
    assert run([PALE, "check", b]).rc == 0
    assert run([PALE, "diff", "--fail-on", "tighter", a, b]).rc == 0
    r = run([PALE, "diff", "--fail-on", "looser", a, b])
    assert r.rc == 1 and "AppArmor" not in r.out, r


def test_another_word_is_a_usage_error(tmp_path):
    r = run([PALE, "propose", "--margin", "wide", record(tmp_path, ["read"])])
    assert r.rc == 2 and "none, family" in r.err, r
