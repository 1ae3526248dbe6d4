# SPDX-License-Identifier: Apache-2.0
"""Arguments that say what a call is used for: recorded, kept as evidence, and bounded where they are closed by nature."""
import os
import random
import re

import pytest

from conftest import PALE, ROOT, need, need_root, run
from recordings import Recording
from test_awkward import EACH, python
from test_backends import PROBES, learn, usable
from test_margin import propose, record

PROBE = PROBES / "values"
SEEN = {("openat2", 2): ["0x90000:1"], ("prlimit64", 1): ["0x7:1"], ("fcntl", 1): ["0x1:1", "0x3:2"],
        ("keyctl", 0): ["0x0:1"], ("bpf", 0): ["0x1:1"], ("seccomp", 0): ["0x2:1"], ("madvise", 2): ["0x4:1"],
        ("clone3", 0): ["0x100100000:1"], ("quotactl", 0): ["0x80000401:1"],
        ("setsockopt", 1): ["0x100000002:2", "0x600000001:1"]}


def plain(text):
    return " ".join(text.replace("#", " ").split())


def check(rec, replayed=False):
    assert rec.losses == "none"
    assert {k: [v for v in rec.args[k] if ":" in v] for k in SEEN} == SEEN
    assert rec.calls["x86_64", "openat2"] == 2 and rec.calls["x86_64", "prlimit64"] >= 3
    assert replayed or "unbounded" in rec.args["semctl", 2]
    assert {k: n for k, n in rec.addresses.items() if k[0] == "send"} == {
        ("send", "inet", kind, port, "loopback"): 1 for port in ("9", "53") for kind in ["-" if replayed else "dgram"]}
    for call, index in (("semctl", 2), ("getsockopt", 1)):
        assert replayed or "unbounded" in rec.args[call, index]
        assert len([v for v in rec.args[call, index] if ":" in v]) == 32


@EACH
def test_what_calls_are_used_for_is_recorded_and_only_ways_of_use_are_bounded(tmp_path, backend):
    rec, text = learn(tmp_path, backend, PROBE)
    check(rec)
    text = plain(text)
    for line in ("allow fcntl;", "allow openat2;", "allow madvise;", "allow seccomp;", "allow semctl;",
                 "allow setsockopt(level == SOL_SOCKET and optname == SO_REUSEADDR or level == IPPROTO_TCP and optname == TCP_NODELAY);",
                 "level was SOL_SOCKET SO_REUSEADDR 2x, IPPROTO_TCP TCP_NODELAY 1x allow setsockopt",
                 "level: more than 32 different values, so not bounded allow getsockopt;",
                 "allow quotactl((cmd & 0xffffff00) == Q_GETFMT);", "cmd was Q_GETFMT|GRPQUOTA 1x allow quotactl",
                 "allow keyctl(option == KEYCTL_GET_KEYRING_ID);", "allow bpf((cmd & 0xfffeffff) == BPF_MAP_LOOKUP_ELEM);",
                 "cmd was F_GETFD 1x, F_GETFL 2x allow fcntl",
                 "flags was O_DIRECTORY|O_CLOEXEC 1x allow openat2", "resource was RLIMIT_NOFILE 1x",
                 "cmd: more than 32 different values allow semctl", "O_NONBLOCK|O_DIRECTORY|O_NOFOLLOW|O_NOATIME at times"):
        assert line in text, (line, text)
    assert "a seccomp filter of its own" not in text  # it only asked


@pytest.mark.once
def test_strace_shows_the_same_values(tmp_path):
    need("strace")
    run(["strace", "-f", "-o", tmp_path / "log", PROBE], check=0)
    r = run([PALE, "replay", "--from", "strace", "-o", tmp_path / "r.rec", tmp_path / "log"], check=0)
    assert "could not be read" not in r.err
    check(Recording(tmp_path / "r.rec"), replayed=True)


NODES = ("at = '{}/'; call(133, (at + 'pipe').encode(), 0o10600, 0); call(133, (at + 'pipe2').encode(), 0o10644, 0)\n"
         "call(259, -100, (at + 'plain').encode(), 0o600, 0); call(259, -100, (at + 'socket').encode(), 0o140600, 0)\n")


@EACH
def test_whoever_makes_pipes_makes_no_devices_under_its_policy(tmp_path, backend):
    """Permissions are free, and a file without a kind is a regular one (fs/namei.c, do_mknodat())."""
    rec, text = learn(tmp_path, backend, *python(NODES.format(tmp_path)))
    assert [v for v in rec.args["mknod", 1] if ":" in v] == ["0x1180:1", "0x11a4:1"]
    text = plain(text)
    assert "mode was S_IFIFO|0600 1x, S_IFIFO|0644 1x allow mknod((mode & S_IFMT) == S_IFIFO);" in text, text
    assert "mode was 0600 1x, S_IFSOCK|0600 1x allow mknodat((mode & S_IFMT) in {S_IFSOCK, S_IFREG, 0});" in text, text
    made = tmp_path / f"{backend}.pale"
    for mode, verdict in {0o10777: "ALLOW", 0o20600: "ERRNO", 0o60600: "ERRNO", 0o100600: "ERRNO"}.items():
        assert verdict in run([PALE, "sim", made, f"mknod(mode = {mode}, dev = 0x103)"]).out, mode


def test_kinds_of_nodes_are_known_elsewhere_and_missing_in_older_recordings(tmp_path):
    assert "allow mknod;" in plain(propose(record(tmp_path, ["mknod"])))
    rec = record(tmp_path, ["mknod"], "value x86_64 mknod 1 0x61b0")
    assert "allow mknod((mode & S_IFMT) == S_IFBLK);" in plain(propose(rec))
    assert "mode was S_IFBLK|0660 3x allow mknodat((mode & S_IFMT) == S_IFBLK);" in plain(propose(rec, "--arch", "aarch64"))


@pytest.mark.once
def test_strace_shows_the_kinds_of_nodes(tmp_path):
    need("strace")
    run(["strace", "-f", "-o", tmp_path / "log", *python(NODES.format(tmp_path))], check=0)
    run([PALE, "replay", "--from", "strace", "-o", tmp_path / "r.rec", tmp_path / "log"], check=0)
    rec = Recording(tmp_path / "r.rec")
    assert [[v for v in rec.args[k] if ":" in v] for k in (("mknod", 1), ("mknodat", 2))] == [
        ["0x1180:1", "0x11a4:1"], ["0x180:1", "0xc180:1"]], rec.args


@EACH
def test_clone3_is_allowed_where_nothing_says_that_clone_would_be_tried(tmp_path, backend):
    """F13: the proposal refused what it was made of."""
    text = plain(learn(tmp_path, backend, PROBE)[1])
    assert "CLONE_PARENT_SETTID|CLONE_CLEAR_SIGHAND 1x allow clone3; 1x" in text and "errno ENOSYS clone3" not in text
    assert run([PALE, "run", "--layers", "seccomp", tmp_path / f"{backend}.pale", "--", PROBE]).rc == 0
    text = plain(learn(tmp_path, backend, *python("import threading; t = threading.Thread(target=print); t.start(); t.join()"))[1])
    assert "allow clone3" not in text and "errno ENOSYS clone3;" in text


def test_namespaces_that_clone3_makes_are_a_capability(tmp_path):
    need_root()
    usable("ebpf")
    text = learn(tmp_path, "ebpf", PROBE, "new")[1]
    assert "flags was CLONE_NEWTIME|CLONE_NEWUTS 1x" in plain(text)
    if "capabilities: not observed" not in text:
        assert re.search(r"capability sys_admin; +# \d+x, first at .*, in clone3", text), text


def test_an_older_recording_has_the_call_without_its_values(tmp_path):
    text = propose(record(tmp_path, ["keyctl", "clone3", "seccomp"]))
    assert re.search(r"allow +keyctl;", text) and re.search(r"errno +ENOSYS clone3;", text), text
    assert "a seccomp filter of its own" in text
    old = record(tmp_path, ["keyctl"]).rename(tmp_path / "old.rec")
    new = record(tmp_path, ["keyctl"], "value x86_64 keyctl 0 0x0")
    assert "keyctl(option == KEYCTL_GET_KEYRING_ID)" in propose(new)
    new.write_text(new.read_text().replace(f"{7:032x}", f"{8:032x}"))
    both = run([PALE, "propose", old, new], check=0).out
    assert re.search(r"allow +keyctl;", both) and "option was KEYCTL_GET_KEYRING_ID 3x" in both, both


def test_flags_have_their_own_numbers_on_another_machine(tmp_path):
    rec = record(tmp_path, ["openat", "openat2"], "value x86_64 openat 2 0x10000", "value x86_64 openat2 2 0x30000")
    text = plain(propose(rec, "--arch", "aarch64"))
    assert "flags was O_DIRECTORY 3x allow openat;" in text and "flags was O_DIRECTORY|O_NOFOLLOW 3x allow openat2;" in text


def test_a_number_that_an_abi_does_not_have_opens_it_not(tmp_path):
    text = propose(record(tmp_path, ["read", "i386 #600"]))
    assert "arch x86_64;" in plain(text) and "foreign errno ENOSYS;" in plain(text)
    assert "another ABI that the kernel does not have: 3;" in text
    assert "foreign kill-process;" in plain(propose(record(tmp_path, ["read"])))


def test_an_update_allows_a_clone3_that_is_no_libcs(tmp_path):
    policy = tmp_path / "p.pale"
    policy.write_text("policy p {\n    level linux 7.3;\n    layers seccomp;\n    arch x86_64;\n    default errno EPERM;\n"
                      "    unknown errno ENOSYS;\n    foreign kill-process;\n    errno ENOSYS fork;\n    allow read;\n}\n")
    rec = record(tmp_path, ["clone3"], "value x86_64 clone3 0 0x4000000", "bits x86_64 clone3 0 0x4000000 0xfffffffffbffffff")
    r = run([PALE, "propose", "--update", policy, rec])
    assert "+    allow clone3;" in re.sub(" +", " ", r.out).replace("+ ", "+    "), r


PORTS = r"""
import socket
def use(what, port, at, kind=socket.SOCK_STREAM, family=socket.AF_INET):
    s = socket.socket(family, kind)
    try:
        getattr(s, what)((at, port))
    except OSError:
        pass
    return s
a = use("bind", {port}, "127.0.0.1")
a.listen()
use("connect", {port}, "127.0.0.1")
use("connect", 1, "127.0.0.1")                        # refused, and asked for all the same
use("bind", 0, "::1", family=socket.AF_INET6)
use("connect", 53, "192.168.255.255", socket.SOCK_DGRAM)
for i in range(40):
    use("connect", 5353, "::ffff:127.0.0.1", socket.SOCK_DGRAM, socket.AF_INET6)
    use("connect", 1000 + i, "127.0.0.1", socket.SOCK_DGRAM).close()
"""
ADDRESSES = {("bind", "inet", "stream", "{port}", "loopback"): 1, ("bind", "inet6", "stream", "0", "loopback"): 1,
             ("connect", "inet", "stream", "{port}", "loopback"): 1, ("connect", "inet", "stream", "1", "loopback"): 1,
             ("connect", "inet", "dgram", "53", "private"): 1, ("connect", "inet", "dgram", "*", "loopback"): 9,
             ("connect", "inet6", "dgram", "5353", "loopback"): 40}


def ports():
    port = str(random.Random(os.getpid()).randrange(20000, 30000))
    return PORTS.replace("{port}", port), {tuple(w.replace("{port}", port) for w in k): n for k, n in ADDRESSES.items()} | {
        ("connect", "inet", "dgram", str(1000 + i), "loopback"): 1 for i in range(31)}


@EACH
def test_ports_are_recorded_bounded_and_stand_beside_their_sockets(tmp_path, backend):
    script, want = ports()
    rec, text = learn(tmp_path, backend, *python(script))
    assert rec.addresses == want and rec.losses == "none"
    port = next(k[3] for k in want)
    text = plain(text)
    assert f"bound: {port} (loopback) 1x connected: 1 (loopback) 1x, {port} (loopback) 1x network inet stream;" in text, text
    assert "bound: any free port (loopback) 1x network inet6 stream;" in text
    assert "connected: 5353 (loopback) 40x network inet6 dgram;" in text
    assert "others (loopback) 9x, and 16 more network inet dgram;" in text, text


SHOWN = """execve("/bin/x", ["x"], 0x7ffd /* 3 vars */) = 0
bind(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = 0
bind(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.1.2.3")}, 16) = -1 EADDRINUSE (Address already in use)
connect(4<UDPv6:[2]>, {sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "fe80::1", &sin6_addr), \
sin6_scope_id=if_nametoindex("eth0")}, 28) = 0
connect(5, {sa_family=AF_UNIX, sun_path="/run/x"}, 9) = -1 ENOENT (No such file or directory)
connect(5, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0
connect(5, {sa_family=AF_UNSPEC, sa_data="\\0\\0"}, 16) = 0
connect(6, 0x7ffe, 16) = -1 EFAULT (Bad address)
""".replace("\\\n", "")


@pytest.mark.once
def test_strace_shows_the_same_ports(tmp_path):
    need("strace")
    script, want = ports()
    run(["strace", "-f", "-yy", "-o", tmp_path / "log", *python(script)], check=0)
    run([PALE, "replay", "--from", "strace", "-o", tmp_path / "r.rec", tmp_path / "log"], check=0)
    assert Recording(tmp_path / "r.rec").addresses == want


def test_of_an_address_that_strace_shows_the_port_and_the_place_are_kept(tmp_path):
    (tmp_path / "log").write_text(SHOWN)
    r = run([PALE, "replay", "--from", "strace", "-o", tmp_path / "r.rec", tmp_path / "log"])
    assert "address" not in r.err, r
    assert Recording(tmp_path / "r.rec").addresses == {
        ("bind", "inet", "stream", "80", "any"): 1, ("bind", "inet", "-", "80", "private"): 1,
        ("connect", "inet6", "dgram", "53", "link"): 1}


@pytest.mark.parametrize("old,new,words", [
    ("bind inet stream", "listen inet stream", "what was done"), ("inet6 other", "unix other", "the family"),
    ("stream 80", "tcp 80", "the type"), ("80 any", "65536 any", "up to 65535"), ("80 any", "80 world", "the place")])
def test_an_address_that_is_none_is_told_with_its_place(tmp_path, old, new, words):
    text = (ROOT / "tests/fuzz/seeds/recording/addresses").read_text()
    (tmp_path / "r.rec").write_text(text.replace(old, new, 1))
    r = run([PALE, "merge", tmp_path / "r.rec"])
    assert r.rc == 1 and words in r.err and re.search(r"r\.rec:\d+:\d+", r.err), r
    (tmp_path / "r.rec").write_text(text)
    assert run([PALE, "merge", tmp_path / "r.rec"], check=0).out == text


def test_ports_of_sockets_that_were_not_made_here_are_told_in_the_header(tmp_path):
    text = propose(record(tmp_path, ["connect"], "address connect inet stream 5432 private", "address bind inet - 80 any"))
    assert "# inet stream, of sockets that were not made here: connected: 5432 (private) 3x\n" in text, text
    assert "of sockets that were not made here: bound: 80 (any) 3x\n" in text


def test_addresses_of_inet_that_sockets_of_inet6_were_given_are_told_as_such(tmp_path):
    """As getaddrinfo(3) tries them: connected, to no port."""
    facts = ["address connect inet dgram 0 loopback", "tuple x86_64 socket 10 2 0"]
    text = propose(record(tmp_path, ["connect", "socket"], *facts))
    assert "# inet dgram, of sockets of inet6: connected: port 0 (loopback) 3x\n" in text and "not made here" not in text, text
    # Where there are sockets of inet, it stands beside those.
    text = propose(record(tmp_path, ["connect", "socket"], *facts, "tuple x86_64 socket 2 2 0"))
    assert "connected: port 0 (loopback) 3x" in text and "of sockets" not in text, text
