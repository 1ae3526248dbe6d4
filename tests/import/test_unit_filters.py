# SPDX-License-Identifier: Apache-2.0
"""A unit of systemd is read as the filter that systemd's own library loads for its settings."""
import errno
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from conftest import PATIENCE, ROOT, need, need_root, run

sys.path.insert(0, str(ROOT / "tests"))
from archive import unpacked  # noqa: E402

HERE = pathlib.Path(__file__).parent
WAITS = "34 "  # pause(2) on x86-64
# Of what 252 lists the libseccomp of Debian 12 knows no number of these.
UNKNOWN = {"uretprobe", "map_shadow_stack"}
UNITS = [
    "SystemCallFilter=@system-service", "SystemCallFilter=~@mount", "SystemCallFilter=@known", "SystemCallFilter=@default",
    "SystemCallFilter=read write @network-io|SystemCallErrorNumber=EPERM|RestrictAddressFamilies=AF_INET",
    "SystemCallFilter=~@network-io:EACCES read|SystemCallErrorNumber=ENOSYS|RestrictAddressFamilies=AF_INET",
    "SystemCallFilter=@system-service|SystemCallFilter=~@privileged @resources|SystemCallFilter=mount",
    "SystemCallFilter=~@mount @clock:ENOSYS|SystemCallFilter=umount2|ProtectClock=yes", "SystemCallFilter=read|SystemCallFilter=|SystemCallFilter=~bind socket:EIO",
    "SystemCallFilter=~@clock:kill read:7|SystemCallErrorNumber=EPERM|SystemCallErrorNumber=kill", "SystemCallFilter=@basic-io|SystemCallLog=~@default",
    "SystemCallLog=~read", "SystemCallLog=@mount read", "SystemCallFilter=~socket bind ipc shmat", "SystemCallFilter=socketcall socket",
    "SystemCallFilter=~shmat semget", "SystemCallFilter=shmat msgsnd", "SystemCallFilter=~clone3:EPERM openat2|RestrictNamespaces=yes|RestrictSUIDSGID=yes",
    "SystemCallFilter=@default|MemoryDenyWriteExecute=yes|RestrictSUIDSGID=yes|RestrictNamespaces=yes", "SystemCallArchitectures=native",
    "SystemCallArchitectures=native x32|SystemCallFilter=@system-service", "SystemCallArchitectures=x86", "RestrictAddressFamilies=AF_INET AF_UNIX",
    "RestrictAddressFamilies=~AF_PACKET AF_ALG", "RestrictAddressFamilies=none", "RestrictAddressFamilies=AF_UNIX|RestrictAddressFamilies=~AF_UNIX|SystemCallFilter=~read",
    "RestrictAddressFamilies=none|RestrictAddressFamilies=AF_INET AF_UNIX|RestrictAddressFamilies=~AF_INET", "RestrictNamespaces=yes", "RestrictNamespaces=~user net",
    "RestrictNamespaces=user pid time", "MemoryDenyWriteExecute=yes", "RestrictSUIDSGID=yes", "LockPersonality=yes", "RestrictRealtime=yes", "ProtectKernelTunables=yes",
    "ProtectClock=yes|PrivateDevices=yes|ProtectKernelModules=yes|ProtectKernelLogs=yes|ProtectHostname=yes",
]


@pytest.fixture(scope="module")
def library():
    found = sorted(pathlib.Path("/usr/lib").glob("*/systemd/libsystemd-core-252.so"))
    if not found or os.uname().machine != "x86_64":
        pytest.skip("no library of systemd 252 is here")
    return found[0], found[0].with_name("libsystemd-shared-252.so")


def wait(pid):
    for _ in range(2000):
        if pathlib.Path(f"/proc/{pid}/syscall").read_text().startswith(WAITS):
            return
        time.sleep(0.005)
    raise AssertionError(f"{pid} does not come to its end")


def test_a_unit_means_what_systemds_library_loads(pale, tmp_path, library):
    need_root()
    unit, loaded = tmp_path / "a.service", tmp_path / "loaded.pale"
    with subprocess.Popen([sys.executable, HERE / "systemd_filters.py", *library], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as helper:
        for text in UNITS:
            helper.stdin.write(text.replace("|", "\t") + "\n")
            helper.stdin.flush()
            child = int(helper.stdout.readline())
            wait(child)
            unit.write_text("[Service]\n" + text.replace("|", "\n") + "\n")
            try:
                pale("dump", "--pid", child, "-o", loaded)
            finally:
                os.kill(child, signal.SIGKILL)
            r = pale("diff", "--systemd", "252", "--format", "json", unit, loaded)
            assert r.rc in (0, 1) and r.out, (text, r)
            told = json.loads(r.out)
            names = {n for line in told["changes"] for n in line["calls"]}
            assert names <= UNKNOWN, (text, told)
        helper.stdin.close()
        assert helper.wait(10) == 0


def test_what_lint_tells_of_units_is_so_under_systemds_filters(library):
    """DP624: execve ends the program; DP625: a packet socket in spite of the list of families."""
    need_root()
    tries = {"SystemCallFilter=@system-service|SystemCallFilter=~execve|TRY=exec": -signal.SIGSYS, "SystemCallFilter=@system-service|SystemCallFilter=~execveat|TRY=exec": 0,
             "RestrictAddressFamilies=~AF_PACKET|TRY=0x11": errno.EAFNOSUPPORT, "RestrictAddressFamilies=~AF_PACKET|TRY=0x100000011": 0,
             "RestrictAddressFamilies=AF_UNIX|TRY=0x100000001": errno.EAFNOSUPPORT}
    with subprocess.Popen([sys.executable, HERE / "systemd_filters.py", *library], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as helper:
        out, _ = helper.communicate("".join(t.replace("|", "\t") + "\n" for t in tries), timeout=PATIENCE)
    assert [int(n) for n in out.split()] == list(tries.values())


def groups():
    rows = dict(re.findall(r'GROUP\("(@[\w-]+)",\s*((?:"[^"]*"\s*)+)\)', (ROOT / "compiler/systemd/groups.def").read_text()))
    return {name: set(re.sub(r'"\s*"|"', "", words).split()) for name, words in rows.items()}


def test_the_groups_are_those_of_systemd():
    ours = groups()
    out = run([need("systemd-analyze"), "--no-pager", "syscall-filter"], check=0).out
    theirs = {m[1]: {w for w in m[2].split("\n    ") if w and w[0] != "#"} for m in re.finditer(r"^(@[\w-]+)((?:\n    .*)+)", out, re.M)}
    assert len(theirs) > 20 and set(ours) - set(theirs) <= {"@sandbox"}
    if "systemd 252" in run([need("systemd-analyze"), "--version"], check=0).out:
        assert theirs == {n: ours[n] for n in theirs}



# What pale.1 says that the groups of Debian 13's systemd, 257, hold more than those of 252.
IN_257 = {"@default": "@sandbox lsm_get_self_attr lsm_list_modules mseal",
          "@file-system": "file_getattr file_setattr getxattrat listmount listxattrat removexattrat setxattrat statmount"}


def held_by(suite, release):
    """Of a library the lists: words that end with a NUL each, and a list with one more; it has names that there are no calls of."""
    (library,) = (unpacked(suite, "libsystemd-shared") / "usr/lib").glob(f"*/systemd/libsystemd-shared-{release}.so")
    calls = {line.split()[0] for line in (ROOT / "compiler/tables/syscalls.tsv").read_text().splitlines() if line and line[0] != "#"}
    lists = [{w for w in text.decode("latin-1").split("\0") if w in calls or w[:1] == "@"} for text in library.read_bytes().split(b"\0\0")]
    return calls, [held for held in lists if held]


@pytest.mark.parametrize("suite, release", [("trixie", 257), ("sid", 262)])
def test_the_groups_of_later_releases_are_those_of_their_libraries(suite, release):
    calls, lists = held_by(suite, release)
    rows, ours = (ROOT / "compiler/systemd/groups.def").read_text(), groups()
    for since, name, more, less in re.findall(r'LATER\((\d+), "(@[\w-]+)",\s*((?:"[^"]*"\s*)+),\s*"([^"]*)"\)', rows):
        if int(since) <= release:
            ours[name] = ours[name] - set(less.split()) | set(re.sub(r'"\s*"|"', "", more).split())
    for name, words in ours.items():
        assert {w for w in words if w in calls or w in ours} in lists, name


# What the group is said to hold, and two that releases disagree about.
@pytest.mark.parametrize("release, answers", [(252, "allow kill kill"), (257, "allow kill allow"), (262, "kill allow allow")])
def test_a_unit_has_the_groups_of_the_release_that_is_named(pale, tmp_path, release, answers):
    unit, calls = tmp_path / "a.service", ["open_tree", "open_tree_attr", "mseal"]
    unit.write_text("[Service]\nExecStart=/bin/true\nSystemCallFilter=@mount\n")
    said = pale("sim", "--systemd", release, unit, *calls, check=0).out.splitlines()
    assert [line.split("_")[0].split()[0].lower() for line in said] == answers.split()
    if release == 262:
        assert pale("sim", unit, *calls, check=0).out.splitlines() == said  # the newest is meant where nothing is said
    unit.write_text("[Service]\nExecStart=/bin/true\nSystemCallFilter=~@mount\nSystemCallArchitectures=native\n")
    (hole,) = [f for f in json.loads(pale("lint", "--systemd", release, "--format", "json", "--select", "SC131", "--severity", "high", unit).out)["findings"]]
    open_call = "open_tree" if release == 262 else "open_tree_attr"
    assert f"refuse '{open_call}' whole; the groups are systemd {release}'s here" in hole["help"], hole
    profile = tmp_path / "p.aa"
    profile.write_text("profile a /a {\n\t/x r,\n}\n")
    assert "--systemd says nothing" in pale("sim", "--systemd", release, profile, "open /x r", check=2).err


def test_what_257_holds_more_is_what_the_manual_says():
    calls, lists = held_by("trixie", 257)
    manual, more, ours = (ROOT / "compiler/cmd/pale.1").read_text(), {}, groups()
    for name, words in ours.items():
        known = {w for w in words if w in calls or w in ours}
        more[name] = min((held for held in lists if held >= known), key=len) - words
    del more["@known"]
    assert {name: " ".join(sorted(words)) for name, words in more.items() if words} == IN_257
    for word in " ".join(IN_257.values()).split():
        assert word in manual or word.endswith("xattrat"), word


def test_a_unit_is_a_file_of_every_command_that_asks_about_calls(pale, tmp_path):
    unit = tmp_path / "a.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nSystemCallFilter=@system-service\nSystemCallErrorNumber=EPERM\n")
    assert "ERRNO(1)  mount" in pale("sim", unit, "mount", check=0).out
    policy = tmp_path / "a.pale"
    policy.write_text(pale("import", unit, check=0).out)
    assert policy.read_text().startswith("policy a {") and pale("diff", unit, policy, check=0).rc == 0
    assert "@" not in pale("explain", unit, "read", check=0).out.replace("a.service", "")
    pale("compile", "-q", "-t", "bpf", "-o", tmp_path / "a.bpf", unit, check=0)
    (tmp_path / "a.service.d").mkdir()
    (tmp_path / "a.service.d/x.conf").write_text("[Service]\nSystemCallFilter=mount\n")
    assert "ALLOW  mount" in pale("sim", unit, "mount", check=0).out


def test_a_unit_without_filters_and_one_that_would_be_written_over_are_refused(pale, tmp_path):
    unit = tmp_path / "a.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nRestrictNamespaces=no\nSystemCallFilter=\n[Install]\nSystemCallFilter=read\n")
    for command in (["sim", unit, "read"], ["import", unit], ["diff", unit, unit], ["explain", unit, "read"]):
        assert "PL022" in pale(*command, check=1).err
    unit.write_text("[Service]\nSystemCallFilter=read\n")
    before = unit.read_text()
    assert pale("fmt", unit, check=1).out == "" and unit.read_text() == before
