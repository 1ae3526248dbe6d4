# SPDX-License-Identifier: Apache-2.0
"""pale sim: verdicts, the line that decided, --raw, and that both layers answer alike."""
import random
import subprocess

import pytest

from conftest import PALE, PATIENCE, spent

WEB = """\
# web.pale
policy web {
	level   linux 6.18;
	layers  seccomp, apparmor;
	arch    x86_64, aarch64;
	default errno EPERM;
	unknown errno ENOSYS;
	foreign kill-process;
	use http-server except listen;
	allow   socket(domain in {AF_INET, AF_INET6}, (type & SOCK_TYPE_MASK) == SOCK_STREAM);
	deny    ioctl(cmd in {TIOCSTI, TIOCLINUX});
	errno   ENOSYS clone3;
	kill    bpf;
	deny    namespace user;
	network unix dgram;
	trap 9 ptrace; trace 3 personality; notify mount; log chroot;
}
set http-server { allow accept4, bind, listen; }
"""


@pytest.fixture
def web(tmp_path):
    f = tmp_path / "web.pale"
    f.write_text(WEB)
    return f


@pytest.mark.parametrize("call, verdict, line", [
    ("socket(AF_VSOCK, SOCK_STREAM)", "ERRNO(1)", "6:2: default errno EPERM;"),
    ("socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC)", "ALLOW", "10:10: allow socket(domain in"),
    ("socket(inet6, stream)", "ALLOW", "10:10: "),
    ("socket(domain = AF_UNIX, type = SOCK_DGRAM)", "ALLOW", "15:10: network unix dgram;"),
    ("socket(type = SOCK_DGRAM, domain = AF_UNIX)", "ALLOW", "15:10: "),
    ("bind", "ALLOW", "18:34: allow bind  (set 'http-server', used at "),
    ("listen", "ERRNO(1)", "6:2: "),
    ("ioctl(0, TIOCSTI)", "ERRNO(1)", "11:10: deny ioctl("),
    ("clone3", "ERRNO(38)", "12:17: errno ENOSYS clone3"),
    ("bpf", "KILL_PROCESS", "13:10: kill bpf"),
    ("clone(CLONE_NEWUSER|CLONE_NEWNS)", "ERRNO(1)", "14:20: deny namespace user;"),
    ("setns(3, 0)", "ERRNO(1)", "14:20: "),
    ("ptrace", "TRAP(9)", "16:9: trap 9 ptrace"),
    ("personality", "TRACE(3)", ""),
    ("mount", "NOTIFY", ""),
    ("chroot", "LOG", ""),
    ("#999", "ERRNO(38)", "7:2: unknown errno ENOSYS;"),
])
def test_verdict_and_line(pale, web, call, verdict, line):
    r = pale("sim", web, "--arch", "x86_64", call, check=0)
    got, rest = r.out.split(None, 1)
    assert got == verdict
    assert f"{web}:{line}" in rest if line else True
    # The generated program has no lines, and the same verdict.
    assert pale("sim", web, "--as", "bpf", "--arch", "x86_64", call, check=0).out.split()[0] == verdict


def test_header_that_is_not_written_is_said_so(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text("policy p { arch x86_64; }")
    r = pale("sim", f, "read", check=0)
    assert "'default' is ERRNO(1) where the policy does not say it" in r.out


def test_foreign_architecture(pale, web):
    r = pale("sim", web, "--arch", "i386", "read", check=0)
    assert r.out.startswith("KILL_PROCESS") and "8:2: foreign kill-process;" in r.out


@pytest.mark.parametrize("call, message", [
    ("nosuch", "PL114"), ("socket(famly = 2)", "PL117"), ("socket(AF_NOSUCH)", "PL118"),
    ("socket(SOCK_STREAM)", "PL119"), ("close(99999999999)", "PL120"), ("socket(", "PL002"),
    ("socketcall", "PL116"),
])
def test_calls_that_are_wrong(pale, web, call, message):
    r = pale("sim", web, call)
    assert r.rc == 1 and f"[{message} " in r.err and r.out == ""


def test_several_calls_one_wrong(pale, web):
    r = pale("sim", web, "bpf", "nosuch", "bind")
    assert r.rc == 1 and len(r.out.splitlines()) == 2 and r.err.count("[PL114") == 1


@pytest.mark.parametrize("args", [[], ["--raw", "read"], ["--as", "magic", "read"],
                                  ["--as", "docker:podman", "read"], ["--as", "docker:runc", "--runtime", "crun-1.8", "read"],
                                  ["--as", "docker:crun", "--runtime", "nope", "read"],
                                  ["--runtime", "runk-1.1", "read"], ["--arch", "vax", "read"],
                                  ["--nosuch", "read"]])
def test_wrong_usage(pale, web, args):
    assert pale("sim", web, *args).rc == 2


def test_missing_file_is_the_system(pale, tmp_path):
    r = pale("sim", tmp_path / "none.pale", "read")
    assert r.rc == 3 and "none.pale" in r.err


# ---- --raw ----

def raw(pale, f, text, *args):
    return pale("sim", f, "--raw", *args, input=text)


def test_raw_numbers_and_architectures(pale, web):
    lines = ["x86_64 41 2 1 0 0 0 0", "x86_64 0x29 0x2 0x1 0 0 0 0", "amd64\t41  2 1 0 0 0 0\r",
             "aarch64 198 2 1 0 0 0 0", "x86_64 41 0xffffffff00000002 1 0 0 0 0",
             "x86_64 41 2 -1 0 0 0 0", "x86_64 -1 0 0 0 0 0 0", "x86_64 4294967295 0 0 0 0 0 0",
             "i386 -1 0 0 0 0 0 0", "x32 0 0 0 0 0 0 0", "x86_64 321 -1 -1 0 0 0 18446744073709551615"]
    r = raw(pale, web, "\n".join(lines))
    assert r.rc == 0
    assert r.out.split() == ["ALLOW"] * 5 + ["ERRNO(1)", "ALLOW", "ALLOW", "KILL_PROCESS",
                                             "KILL_PROCESS", "KILL_PROCESS"]


@pytest.mark.parametrize("bad", ["", "x86_64", "x86_64 1 2 3 4 5 6", "x86_64 1 0 0 0 0 0 0 0",
                                 "vax 1 0 0 0 0 0 0", "x86_64 0x 0 0 0 0 0 0", "x86_64 1 -- 0 0 0 0 0",
                                 "x86_64 1 18446744073709551616 0 0 0 0 0", "x86_64 4294967296 0 0 0 0 0 0",
                                 "x86_64 1 0x10000000000000000 0 0 0 0 0", "x86_64 1 @ 0 0 0 0 0",
                                 "x86_64 1 0x@ 0 0 0 0 0", "x" * 100000,
                                 "x86_64 1 -9223372036854775809 0 0 0 0 0"])
def test_raw_malformed_line_is_told_with_its_number(pale, web, bad):
    r = raw(pale, web, f"x86_64 321 0 0 0 0 0 0\nx86_64 321 0 0 0 0 0 0\n{bad}\nx86_64 1 0 0 0 0 0 0\n")
    assert r.rc == 1
    assert r.out == "KILL_PROCESS\n" * 2
    assert "line 3 " in r.err and "[PL141 bad-line]" in r.err


def test_raw_binary_junk(pale, web):
    r = pale("sim", web, "--raw", input=bytes(range(256)) * 64, text=False)
    assert r.rc == 1 and b"[PL141 " in r.err


def test_raw_is_fast_and_layers_agree(web):
    rnd = random.Random(5)
    numbers = [41, 9, 16, 56, 272, 308, 435, 101, 135, 165, 321, 470, 999, 198, 220, 117]
    values = [0, 1, 2, 10, 0x10000000, 0x5412, 1 << 32, (1 << 64) - 1, -1]
    lines = [f"{rnd.choice(['x86_64', 'aarch64', 'x32', 'i386'])} {rnd.choice(numbers)} "
             + " ".join(str(rnd.choice(values)) for _ in range(6)) for _ in range(20000)]
    text = ("\n".join(lines) + "\n").encode() * 15
    out = {}
    for layer in "policy", "bpf":
        start = spent()
        p = subprocess.run([PALE, "sim", str(web), "--raw", "--as", layer], input=text,
                           capture_output=True, check=True, timeout=PATIENCE)
        out[layer] = p.stdout
        seconds = spent() - start
        assert p.stdout.count(b"\n") == 300000
        # 1 M lines a second where nothing else runs; ten times that slow is a fault of ours.
        assert seconds < 30 if "asan" in PALE else seconds < 3, seconds
    assert out["policy"] == out["bpf"]
    assert len(set(out["policy"].split())) >= 7


def test_policy_from_standard_input(pale):
    r = pale("sim", "-", "--arch", "x86_64", "bpf", input=WEB)
    assert r.rc == 0 and r.out.startswith("KILL_PROCESS") and "<stdin>:13:10" in r.out


def test_one_of_several_policies(pale, tmp_path):
    f = tmp_path / "two.pale"
    f.write_text("policy a { arch x86_64; allow read; }\npolicy b { arch x86_64; kill read; }\n")
    assert pale("sim", f, "--policy", "b", "read", check=0).out.startswith("KILL")
    assert pale("sim", f, "read").rc == 1
    assert pale("sim", f, "--policy", "c", "read").rc == 1


def test_a_policy_without_the_seccomp_layer_filters_no_call(pale, tmp_path):
    """As diff has it: its default is no verdict on calls."""
    f = tmp_path / "a.pale"
    f.write_text("policy p { program /bin/x; layers apparmor; arch x86_64; file r /a; }")
    for command in ("sim", "explain"):
        out = pale(command, f, "mount", check=0).out
        assert "ALLOW" in out and "layers apparmor;" in out and "no call is filtered" in out, out


@pytest.mark.parametrize("arch", ["x86_64", "i386", "aarch64"])
@pytest.mark.parametrize("call, passes", [
    ("unshare(flags=0x20000)", False), ("unshare(flags=0x100000)", False), ("unshare(flags=0x40000000)", True),
    ("open_tree(flags=2)", False), ("open_tree(flags=1)", True), ("open_tree_attr(flags=3)", False),
    ("fsmount(flags=3)", False), ("fsmount(flags=1)", True), ("clone(flags=0x100000)", True),
])
def test_deny_namespace_mnt_reaches_the_calls_of_linux_7(pale, tmp_path, arch, call, passes):
    p = tmp_path / "p.pale"
    p.write_text("policy p { level linux 6.18; layers seccomp; arch x86_64, i386, aarch64; default errno EPERM;\n"
                 "allow unshare, setns, clone, open_tree, open_tree_attr, fsmount; deny namespace mnt; }\n")
    r = pale("sim", "--arch", arch, p, call)
    assert r.out.startswith("ALLOW" if passes else "ERRNO(1)"), r
