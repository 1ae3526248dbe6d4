# SPDX-License-Identifier: Apache-2.0
"""Calls as strace prints them, pasted behind sim and explain."""
import pytest

from conftest import ROOT

POLICY = """policy p {
    level linux 6.18; layers seccomp; arch x86_64; default errno EPERM;
    allow openat(flags lacks O_CREAT); allow mmap(prot lacks PROT_EXEC); allow fcntl(cmd == F_SETFD, reg arg2 == 1);
    allow fchmodat(mode == 0x1a4); allow read(fd == 3, count == 832); allow socket(family == AF_UNIX);
    allow umask(mask == 0x1a4), kill(sig == 34), statx(flags == 0x900);
    allow execve, exit_group, connect, prctl(option == PR_SET_NAME), rt_sigaction, wait4(reg arg0 == -1);
}
"""
POLICY = POLICY.replace("wait4(reg arg0 == -1)", "wait4")


@pytest.mark.parametrize("call, want", [
    ('openat(AT_FDCWD, "/etc/passwd", O_RDONLY)', "ALLOW"),
    ('openat(AT_FDCWD, "/tmp/x", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3', "ERRNO(1)"),
    ('openat(AT_FDCWD</root>, "a\\"b), O_CREAT", O_RDONLY|O_CLOEXEC) = 3</root/a>', "ALLOW"),
    ("mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f5d0000", "ALLOW"),
    ("mmap(NULL, 8192, PROT_READ|PROT_EXEC, MAP_PRIVATE, 3, 0)", "ERRNO(1)"),
    ("fcntl(3, F_SETFD, FD_CLOEXEC) = 0", "ALLOW"),
    ("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0", "ERRNO(1)"),
    ('fchmodat(AT_FDCWD, "x", 0644) = 0', "ALLOW"),
    ('fchmodat(AT_FDCWD, "x", 0755) = 0', "ERRNO(1)"),
    ('read(3, "\\177ELF\\2\\1\\1"..., 832) = 832', "ALLOW"),
    ('read(3</lib/libc.so.6>, "x", 832)', "ALLOW"),
    ('[pid  4711] read(3, "", 4096) = 0', "ERRNO(1)"),
    ('4711  socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3', "ALLOW"),
    ('execve("/bin/ls", ["ls", "-l", "a]"], 0x7ffd00 /* 20 vars */) = 0', "ALLOW"),
    ("exit_group(0) = ?", "ALLOW"),
    ('connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("1.2.3.4")}, 16) = 0', "ALLOW"),
    ('prctl(PR_SET_NAME, "worker") = 0', "ALLOW"),
    ("rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 0", "ALLOW"),
    ("umask(0644)                        = 022", "ALLOW"), ("umask(0777)\t= 022", "ERRNO(1)"),
    ("kill(12, SIGRT_2) = 0", "ALLOW"), ("kill(12, SIGRT_3) = 0", "ERRNO(1)"),
    ('statx(-100 /* AT_FDCWD */, "x", 0x800 /* A */|0x100 /* B|C */, 0x25e /* D */, {}) = 0', "ALLOW"),
    ('statx(-100, "x", |0x900, 0x25e, {stx_mask=0x17ff}) = 0', "ALLOW"),
    ("wait4(-1, <unfinished ...>", "ALLOW")])
def test_a_line_of_strace_is_a_call(pale, tmp_path, call, want):
    policy = tmp_path / "p.pale"
    policy.write_text(POLICY)
    assert pale("sim", policy, call, check=0).out.split("  ")[0] == want
    pale("explain", policy, call, check=0)


@pytest.mark.parametrize("call, want", [
    ('socket("x", SOCK_STREAM)', "is no pointer"), ("read(3", "unexpected end"), ("read(3)x", "unexpected 'x'"),
    ("read(010)", "is not a number"), ("socket(NULL)", "unknown constant"), ("openat(AT_FDCWD, \"x", "unexpected end"),
    ("read(3, {", "unexpected end"), ("openat(AT_FDWCD, \"x\", 0)", "AT_FDWCD")])
def test_what_strace_does_not_write_is_no_call(pale, tmp_path, call, want):
    r = pale("sim", ROOT / "profiles" / "examples" / "echo.pale", call, check=1)
    assert want in r.err and not r.out, r


CLONE = "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f1204b28590) = 77"
FRONTS = ["", "12  ", "[pid    12] ", "05:20:02 ", "05:20:02.781634 ", "1795843231.781634 ", "     0.002899 ", "[  56] ",
          "05:20:01 (+     0.002899) ", "[00007efe9fa5ab1d] ", "12<sh> ", "[pid 12<sh>] ",
          "24222<python3> 1795843231.781634 (+     0.000067) [ 257] [00007efe9fa5ab1d] ", "[????????????????] "]


@pytest.mark.parametrize("front", FRONTS)
def test_what_strace_puts_in_front_is_no_part_of_the_call(pale, tmp_path, front):
    policy = tmp_path / "p.pale"
    policy.write_text(POLICY.replace("allow execve", "allow clone(flags == 0x1200011), clone3, futex, accept(fd == 4), execve"))
    for call in (CLONE, CLONE + " <0.000004>", CLONE.split("SIGCHLD")[0] + "SIGCHLD <unfinished ...>", CLONE.split(",")[0]
                 + ", flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLDstrace: Process 15854 attached",
                 "clone3({flags=CLONE_VM, stack=0x7f} => {parent_tid=[77]}, 88) = 77",
                 "accept(4<TCP:[127.0.0.1:80->127.0.0.1:81]>, NULL, NULL) = 5<TCP:[127.0.0.1:80->127.0.0.1:82]>",
                 "futex(0x3cd04ce0, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY) = 0"):
        assert pale("sim", policy, front + call, check=0).out.startswith("ALLOW  "), call
    for line in ("<... read resumed>) = 3", "+++ exited with 0 +++", "--- SIGCHLD {si_signo=SIGCHLD} ---", "<unfinished ...>"):
        r = pale("sim", "--", policy, front + line, check=1)
        assert "PL239" in r.err and "help" in r.err and not r.out, r
