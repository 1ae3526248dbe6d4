# SPDX-License-Identifier: Apache-2.0
"""Proposals for another architecture than the recorder's: what libcs call there instead."""
import re

import pytest

from conftest import PALE, ROOT, run
from test_recordings import write

ARCHES = ["x86_64", "x32", "i386", "aarch64", "arm", "riscv64", "s390x", "ppc64le", "mips64el", "loongarch64"]


def numbers():
    """name -> {arch: number}, as the table of calls has them."""
    out = {}
    for line in (ROOT / "compiler/tables/syscalls.tsv").read_text().splitlines():
        w = line.split()
        if line[:1] not in "#" and len(w) > 11:
            out[w[0]] = dict(zip(ARCHES, w[1:11]))
    assert [a.split("/")[0] for a in out.pop("name").values()] == ARCHES
    return {name: {a: int(n) for a, n in nr.items() if n != "-"} for name, nr in out.items()}


def recording(path, *facts, machine="x86_64"):
    head = {"id": "1" * 32, "machine": machine, "name": '"job"', "kernel": '"6.1"', "libc": '"glibc 2.36"', "tier": '"ebpf"',
            "capabilities-seen": ""}
    return write(path, (head, {f: (3, 5) for f in facts}))


def propose(rec, arch, rc=0):
    r = run([PALE, "propose", "--margin", "none", "--arch", arch, rec])
    assert r.rc == rc, r
    return r.out, re.sub(r"\n# +", " ", r.out[:r.out.index("policy ")])


def block(text, title):
    """The items of a list in the proposal's first lines."""
    found = re.search(rf"^# {title}:\n((?:#   .*\n)+)", text, re.M)
    return re.sub(r"\n#? *", " ", found[1][4:]).strip().split(", ") if found else []


def allowed(tmp_path, text, arch, *calls):
    policy = tmp_path / "p.pale"
    policy.write_text(text)
    return {c for c in calls if run([PALE, "sim", policy, "--arch", arch, c], check=0).out.startswith("ALLOW")}


def test_older_calls_become_those_that_libcs_make_there(tmp_path):
    rec = recording(tmp_path / "rec", *(f"call x86_64 {c}" for c in ("unlink", "open", "epoll_wait", "dup2", "rename",
                                                                     "arch_prctl", "read", "vfork", "stat")),
                    "tuple x86_64 socket 0x2 0x80001 0x0", "value x86_64 kill 1 0xa", "call x86_64 kill",
                    'file "/usr/lib/x86_64-linux-gnu/libc.so.6" rm', 'file "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" rm')
    text, head = propose(rec, "aarch64")
    for pair in ("unlink: unlinkat", "open: openat", "epoll_wait: epoll_pwait", "dup2: dup3", "rename: renameat",
                 "vfork: clone", "stat: newfstatat"):
        assert pair in head, head
    assert "FOR ANOTHER MACHINE: aarch64; it was recorded on x86_64" in head
    assert "no counterpart there, so left out: arch_prctl" in head and "6.1, x86_64, libc" in head, head
    calls = ["unlinkat", "openat", "epoll_pwait", "dup3", "renameat", "newfstatat", "read"]
    assert allowed(tmp_path, text, "aarch64", *calls, "renameat2", "mkdirat") == set(calls)
    assert "clone(clone_flags lacks" in text  # not free, though vfork has no flags
    assert "/usr/lib/@{multiarch}/libc.so.*" in text and "ld-linux-aarch64.so.*" in text and "x86-64.so" not in text
    assert "rename: renameat2" in propose(rec, "riscv64")[1]
    assert run([PALE, "propose", "--margin", "none", rec]).out == propose(rec, "x86_64")[0]


def test_machines_of_32_bits_get_both_of_a_pair(tmp_path):
    rec = recording(tmp_path / "rec", "call x86_64 mmap", "value x86_64 mmap 2 0x1", "bits x86_64 mmap 2 0x1 0xfffffffffffffffe",
                    "call x86_64 futex", "call x86_64 getuid", "call x86_64 arch_prctl")
    text, head = propose(rec, "arm")
    assert "mmap: mmap2" in head and "arch_prctl (allow set_tls by hand)" in head
    assert allowed(tmp_path, text, "arm", "futex", "futex_time64", "getuid", "getuid32") == {
        "futex", "futex_time64", "getuid", "getuid32"}
    assert "mmap2(prot lacks PROT_EXEC)" in text  # where the argument stands there
    text, head = propose(rec, "i386")
    assert "arch_prctl" not in head  # it has that itself
    text, head = propose(recording(tmp_path / "32", "call i386 mmap2", "call i386 futex_time64", "call i386 _llseek",
                                   machine="i386"), "x86_64")
    assert {"mmap", "futex", "lseek"} == allowed(tmp_path, text, "x86_64", "mmap", "futex", "lseek")


def test_from_a_machine_without_older_calls_they_come_back(tmp_path):
    rec = recording(tmp_path / "rec", "call aarch64 unlinkat", "call aarch64 ppoll", machine="aarch64")
    text, head = propose(rec, "x86_64")
    assert "unlinkat: unlink" in head and "unlinkat: rmdir" in head
    calls = {"unlinkat", "unlink", "rmdir", "ppoll", "poll", "pause"}
    assert allowed(tmp_path, text, "x86_64", *calls) == calls


@pytest.mark.parametrize("arch", [a for a in ARCHES if a not in ("x86_64", "mips64el")])
def test_every_call_of_the_recorder_s_is_there_replaced_or_named(tmp_path, arch):
    table = numbers()
    mine = [c for c, nr in table.items() if "x86_64" in nr and nr["x86_64"] < 1024]
    text, head = propose(recording(tmp_path / "rec", *(f"call x86_64 {c}" for c in mine)), arch)
    pairs = [p.split(": ") for p in block(text, "what libcs call there instead")]
    left = {re.sub(r" \(.*", "", c) for c in block(text, "no counterpart there, so left out")}
    for call in mine:
        assert arch in table[call] or (call in {p[0] for p in pairs}) != (call in left), call
    assert all(arch in table[p[1]] for p in pairs), pairs
    # Nothing that a libc calls is left: what is, is x86's, or gone from Linux.
    assert left <= {"_sysctl", "arch_prctl", "create_module", "get_kernel_syms", "getpmsg", "putpmsg", "query_module",
                    "nfsservctl", "afs_syscall", "security", "tuxcall", "vserver", "uselib", "ustat", "sysfs", "iopl",
                    "ioperm", "modify_ldt", "epoll_ctl_old", "epoll_wait_old", "get_thread_area", "set_thread_area",
                    "lookup_dcookie", "kexec_file_load", "map_shadow_stack", "uretprobe", "uprobe", "semtimedop",
                    "memfd_secret", "migrate_pages", "kexec_load"}, left
    (tmp_path / "p.pale").write_text(text)
    run([PALE, "compile", "-t", "bpf", "-o", tmp_path / "f.bpf", tmp_path / "p.pale"], check=0)


def test_what_cannot_be_another_machine_s_is_told(tmp_path):
    rec = recording(tmp_path / "rec", "call x86_64 #900", "call x86_64 read")
    assert "left out: #900" in propose(rec, "aarch64")[1]
    r = run([PALE, "propose", "--arch", "mips64el", rec])
    assert r.rc == 2 and "no recording can be made one of mips64el" in r.err, r
    r = run([PALE, "replay", "--arch", "mips64el", "--from", "strace", rec])
    assert r.rc == 2 and "no recording can be made one of mips64el" in r.err, r
