# SPDX-License-Identifier: Apache-2.0
"""What nobody asked for is not granted, and what was asked of addresses and labels is: scripts, sockets, rings, profiles."""
import os
import re
import shutil
import struct
import uuid

import pytest

from conftest import PALE, need_root, run
from recordings import Recording
from test_awkward import EACH, python
from test_backends import learn
from test_margin import propose, record
from test_rings import with_run

DOES = """
import os, socket
os.chdir({dir!r})
server = socket.socket(socket.AF_UNIX)
server.bind("made")
server.listen()
socket.socket(socket.AF_UNIX).connect("made")
if not os.fork():
    os.execv("./script", ["script"])
os.wait()
"""


@EACH
def test_a_script_is_executed_and_what_runs_it_is_not(tmp_path, backend):
    """Since Linux 5.8 AppArmor is asked for x of the script alone; r of it asks whoever reads it."""
    program, inner, script = (tmp_path / name for name in ("program", "inner", "script"))
    shutil.copy("/bin/true", program)
    inner.write_text(f"#!{program}\n")
    script.write_text(f"#!{inner}\n")
    inner.chmod(0o755)
    script.chmod(0o755)
    rec, text = learn(tmp_path, backend, *python(DOES.format(dir=str(tmp_path))))
    assert {p: rec.files[str(p)][0] for p in (program, inner, script)} == {program: "rm", inner: "rm", script: "x"}
    assert re.search(rf"^    file mr {re.escape(str(program))}; #", text, re.M), text
    assert re.search(rf"^    file ix {re.escape(str(script))}; #", text, re.M), text
    assert "what is executed, and what runs it, with m and r" in " ".join(text.replace("#", " ").split())


@EACH
def test_a_socket_that_is_connected_to_says_which_kernels_ask(tmp_path, backend):
    shutil.copy("/bin/true", tmp_path / "script")
    rec, text = learn(tmp_path, backend, *python(DOES.format(dir=str(tmp_path))))
    name = re.escape(str(tmp_path / "made"))
    assert re.search(rf'(?m)^file "{name}" rw( owned)? socket\t1:2@', rec.text), rec.text
    assert re.search(rf"file rw {name}; # 2x, first at .*, connected or sent to, which asks for r and w since Linux 6.17$", text, re.M)
    assert not [line for line in rec.text.splitlines() if line.startswith("file") and " socket\t" in line and "/made" not in line]


def test_a_socket_stays_one_through_a_merge(tmp_path):
    rec = record(tmp_path, ["connect"], 'file "/srv/x" rw owned socket')
    assert " socket\t" in Recording(rec).text and Recording(rec).files["/srv/x"] == ("rw", True)
    text = propose(rec)
    assert "connected or sent to" in text and "file rw /srv/x; # 3x" in text


def test_rings_lock_memory_where_buffers_are_registered_alone(tmp_path):
    """Without it what a ring has counts against a limit, and it is asked for in silence."""
    ask = "capability ipc_lock x86_64 io_uring_setup"
    alone = propose(record(tmp_path, ["io_uring_setup", "io_uring_register"], ask, "value x86_64 io_uring_register 1 0x8"))
    assert "capability ipc_lock" not in alone
    assert "what went through its rings was not seen; ipc_lock, without which its memory counts against RLIMIT_MEMLOCK, is left out" in alone
    for opcode in 0, 15, 16, 0x80000000:
        full = propose(record(tmp_path, ["io_uring_setup", "io_uring_register"], ask, f"value x86_64 io_uring_register 1 {opcode:#x}"))
        assert "capability ipc_lock; #" in full and "is left out" not in full, opcode
    assert "capability ipc_lock; #" in propose(record(tmp_path, ["io_uring_setup", "io_uring_register"], ask)), "an older recording"
    assert "capability ipc_lock; #" in propose(record(tmp_path, ["mlock"], "capability ipc_lock x86_64 mlock"))


NAMES = r"""
import os, socket
os.chdir({dir!r})
def unix(kind, name=None):
    s = socket.socket(socket.AF_UNIX, kind)
    if name is not None:
        s.bind(name)
    return s
stream, gram = socket.SOCK_STREAM, socket.SOCK_DGRAM
server = unix(stream, b"\0{own} a")
server.listen()
unix(stream).connect(b"\0{own} a")
zero, path, auto = unix(gram, b"\0{own}\0x"), unix(gram, "made"), unix(gram, "")
auto.sendto(b"x", b"\0{own}\0x")
auto.sendmsg([b"x"], [], 0, b"\0{own}\0x")
auto.sendto(b"x", "made")
auto.sendmsg([b"x"], [], 0, "made")
auto.connect(b"\0{own}\0x")
auto.send(b"x")
auto.sendmsg([b"x"])
for i in range(40):
    unix(socket.SOCK_SEQPACKET, b"\0{own}-%d" % i)
inet = socket.socket(socket.AF_INET, gram)
inet.sendto(b"x", ("127.0.0.1", 7777))
inet.sendmsg([b"x"], [], 0, ("127.0.0.1", 7778))
for attr, text in ("current", b"changeprofile pale-other"), ("exec", b"exec pale b"), ("current", b"stack pale-c"):
    fd = os.open("/proc/self/attr/" + attr, os.O_WRONLY)
    try:
        os.write(fd, text)
    except OSError:
        pass
"""


def unix(own):
    return {f'unix (bind) type=stream addr="@{own} a"': 1, f'unix (connect, send, receive) type=stream peer=(addr="@{own} a")': 1,
            f"unix (bind) type=dgram addr=@{own}**": 1, "unix (bind) type=dgram addr=auto": 1, f"unix (send) type=dgram peer=(addr=@{own}**)": 3,
            "unix (bind) type=seqpacket": 8} | {f"unix (bind) type=seqpacket addr=@{own}-{i}": 1 for i in range(32)}


LABELS = {"change_profile -> pale-other": 1, 'change_profile -> "pale b"': 1, 'change_profile -> "&pale-c"': 1}


@EACH
def test_abstract_addresses_and_what_is_sent_to_are_recorded_and_bounded(tmp_path, backend):
    own = "pale" + uuid.uuid4().hex[:8]  # a name without a path is the whole machine's
    rec, text = learn(tmp_path, backend, *python(NAMES.format(dir=str(tmp_path), own=own)))
    assert rec.losses == "none"
    assert {rule: n for rule, n in rec.rules.items() if rule.startswith("unix")} == unix(own)
    assert rec.addresses == {("send", "inet", "dgram", p, "loopback"): 1 for p in ("7777", "7778")}
    assert rec.files[str(tmp_path / "made")][0] == "w" and str(tmp_path / "made") in rec.sockets
    assert "# sent to: 7777 (loopback) 1x, 7778 (loopback) 1x" in text
    labels = {rule: n for rule, n in rec.rules.items() if rule.startswith("change_profile")}
    note = "was opened to be written, by which a task changes its profile or hat" in text
    assert labels == ({} if note else LABELS) and (backend != "ptrace" or not note)
    old = (tmp_path / "old.rec")
    old.write_text(re.sub(r'(?m)^run 1 kernel .*', 'run 1 kernel "6.12"', rec.text))
    text = propose(old)
    assert "#   unix (bind) type=dgram addr=auto;  # 1x; since Linux 6.17 and AppArmor 5.0" in text
    assert not re.search("^    unix ", text, re.M)
    old.write_text(old.read_text().replace('kernel "6.12"', 'kernel "6.18"'))
    assert re.search(r"^    unix \(bind\) type=dgram addr=auto; # 1x", propose(old), re.M)


def test_what_was_sent_to_is_read_of_strace(tmp_path):
    (tmp_path / "log").write_text("""execve("/bin/x", ["x"], 0x7ffd /* 3 vars */) = 0
sendto(3<UDP:[1]>, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.1.2.3")}, 16) = 1
sendto(3<UDP:[1]>, "{sa_family=AF_INET, ", 1, 0, NULL, 0) = 1
sendmsg(4<UDPv6:[2]>, {msg_name={sa_family=AF_INET6, sin6_port=htons(99), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), \
sin6_scope_id=0}, msg_namelen=28, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = 1
sendmsg(4<UDPv6:[2]>, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="{sa_family=AF_INET6", iov_len=1}], msg_iovlen=1}, 0) = 1
""".replace("\\\n", ""))
    r = run([PALE, "replay", "--from", "strace", "-o", tmp_path / "r.rec", tmp_path / "log"])
    assert r.rc == 0 and "address" not in r.err, r
    assert Recording(tmp_path / "r.rec").addresses == {("send", "inet", "dgram", "53", "private"): 1,
                                                       ("send", "inet6", "dgram", "99", "loopback"): 1}


def test_what_no_kernel_shows_is_named(tmp_path):
    """Hats, and what is asked of a message bus, which its daemon decides."""
    text = propose(record(tmp_path, ["connect"], 'file "/run/dbus/system_bus_socket" rw socket',
                          'file "/proc/9/attr/apparmor/current" w owned', 'file "/proc/9/attr/prev" r'))
    assert "# /run/dbus/system_bus_socket was connected to: what is sent there AppArmor is asked about by the bus" in text
    assert "# /proc/9/attr/apparmor/current was opened to be written" in text and "attr/prev was" not in text
    text = propose(record(tmp_path, ["connect"], 'file "/run/dbus/system_bus_socket" rw', 'rule "change_profile -> x"',
                          'file "/proc/9/attr/apparmor/current" w owned'))
    assert "connected to" not in text and "was opened to be written" not in text


@pytest.mark.parametrize("call", ["openat", "read", "statx"])
@pytest.mark.parametrize("files, idle", [
    (['"/proc/sys/net/core/somaxconn" r owned'], True), (['"/proc/sys/net/core/somaxconn" r owned', '"/srv/a" w'], True),
    (['"/proc/sys/net/core/somaxconn" r owned', '"/proc/sys/net/ipv4/ip_forward" w owned'], False),
    (['"/proc/sys/net/core/somaxconn" r'], False), (['"/proc/sys/net/core/somaxconn" r owned', '"/dev/ppp" rw owned'], False),
    (['"/proc/sys/network" r owned'], False), ([], False)])
def test_who_reads_what_he_owns_of_the_network_s_settings_needs_no_capability(tmp_path, call, files, idle):
    rec = record(tmp_path, ["openat", "read", "statx", "ioctl"], *(f"file {f}" for f in files), f"capability net_admin x86_64 {call}")
    assert ("capability net_admin;" in propose(rec)) is not idle
    rec = record(tmp_path, ["openat", "read", "statx", "ioctl"], *(f"file {f}" for f in files), "capability net_admin x86_64 ioctl")
    assert "capability net_admin;" in propose(rec)


def test_a_setting_of_the_network_is_read_under_what_was_learned_of_it(tmp_path):
    setting = "/proc/sys/net/core/somaxconn"
    rec, text = learn(tmp_path, "ebpf", "cat", setting)
    assert any(line.startswith("capability net_admin ") for line in rec.text.splitlines()), rec.text
    assert f"file r @{{PROC}}{setting[5:]};" in text and "capability net_admin" not in text, text
    policy = tmp_path / "p.pale"
    policy.write_text(text)
    r = run([PALE, "run", "--layers", "seccomp", policy, "--", "cat", setting])
    assert r.rc == 0 and r.out == open(setting).read(), r


def test_who_maps_root_s_id_in_a_user_namespace_may_under_what_was_learned_of_it(tmp_path):
    """The kernel looks at setfcap without asking for it (create_user_ns(), parent_could_setfcap)."""
    rec, text = learn(tmp_path, "ebpf", "unshare", "-Ur", "id", "-u")
    assert not [line for line in rec.text.splitlines() if line.startswith("capability setfcap")], rec.text
    assert re.search(r"^    capability setfcap; # 1x, .* for root's id in a new user namespace", text, re.M), text
    policy = tmp_path / "p.pale"
    policy.write_text(text)
    r = run([PALE, "run", "--layers", "seccomp", policy, "--", "unshare", "-Ur", "id", "-u"])
    assert (r.rc, r.out) == (0, "0\n"), r
    # The policy that lacks it gets it, once.
    kept = tmp_path / "kept"
    kept.write_text(rec.text)
    policy.write_text(re.sub(r"capability setfcap;.*", "", text))
    assert run([PALE, "propose", "--update", policy, "-o", policy, kept]).rc == 0
    assert len(re.findall("capability setfcap;", policy.read_text())) == 1
    r = run([PALE, "propose", "--update", policy, kept])
    assert r.rc == 0 and not r.out, r


@pytest.mark.parametrize("facts, proposed", [
    (["file \"/proc/7/uid_map\" w", "rule \"userns create\""], True), (["rule \"userns create\""], False),
    (["file \"/proc/7/uid_map\" w"], False), (["file \"/proc/7/uid_map\" r", "rule \"userns create\""], False),
    (["file \"/proc/7/uid_map\" w", "rule \"userns create\"", "capability setuid x86_64 setuid"], False),
    (["file \"/proc/7/uid_map\" w", "file \"/proc/8/uid_map\" rw", "value x86_64 unshare 0 0x10000000"], True)])
@pytest.mark.parametrize("held", [0x1FFFFFFFFFF, 0x1FF7FFFFFFF])
def test_setfcap_is_proposed_where_it_may_be_root_s_id_alone(tmp_path, facts, proposed, held):
    rec = with_run(record(tmp_path, ["unshare", "write"], *facts), "capabilities-seen", f"capabilities-held {held:#x}")
    text = propose(rec)
    assert ("capability setfcap" in text) is (proposed and held == 0x1FFFFFFFFFF), text
    again = tmp_path / "again"
    assert run([PALE, "merge", "-o", again, rec]).rc == 0 and ("capability setfcap" in propose(again)) is ("capability setfcap" in text)


def test_that_capset_may_keep_what_is_not_used_is_said(tmp_path):
    said = "capset was called: which capabilities it keeps was not seen"
    text = propose(with_run(record(tmp_path, ["capset", "read"]), "capabilities-seen"))
    assert said in " ".join(text.replace("#", " ").split()), text
    assert said not in propose(with_run(record(tmp_path, ["read"]), "capabilities-seen"))


@EACH
def test_a_program_with_capabilities_of_its_own_is_executed_under_what_was_learned_of_it(tmp_path, backend):
    """As Debian's ping is: the kernel executes it where all of them may be had, used or not."""
    need_root()
    program = tmp_path / "program"
    shutil.copy("/bin/true", program)
    # vfs_cap_data of revision 2, in force at once: net_raw (linux/capability.h)
    os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
    command = ["sh", "-c", f"{program}; echo $?"]
    rec, text = learn(tmp_path, backend, *command)
    assert f"# program with file capabilities, which it does not gain under 'pale run' (no_new_privs): {program}" in text
    if backend == "ebpf":
        assert re.search(r"^    capability net_raw; # \dx, .*, in execve$", text, re.M), text
    policy = tmp_path / "p.pale"
    policy.write_text(text)
    r = run([PALE, "run", "--layers", "seccomp", policy, "--", *command])
    assert (r.rc, r.out) == (0, "0\n"), r
    # Those that are gained and not in force are none that it needs.
    os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000000, 1 << 13, 0, 0, 0))
    text = learn(tmp_path, backend, *command)[1]
    assert "program with file capabilities" in text and (backend != "ebpf" or "net_raw" not in text), text
