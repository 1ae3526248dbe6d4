# SPDX-License-Identifier: Apache-2.0
"""One filter has one set of findings about what it means, however it is spelled: in entries that
stand plain, by a capability and without it, by ranges of an argument or by its bits, in another
order, as a policy, and as the policy that a program was read back into."""
import json
import random

import pytest

from cases import arg, entry, policy, profile
from conftest import PALE, run

ALL = 0xffffffff
CAP = "CAP_WAKE_ALARM"  # that no rule takes for a reason
FILTERS = {  # calls that pass whatever their arguments; a number above runc's own ENOSYS: mseal
    "modules": ["init_module", "finit_module"],
    "boot": ["kexec_load", "reboot"],
    "bpf": ["bpf"],
    "rings": ["io_uring_setup", "io_uring_enter", "io_uring_register", "openat"],
    "tracing": ["ptrace", "process_vm_readv"],
    "performance": ["perf_event_open", "userfaultfd"],
    "keys": ["add_key", "keyctl"],
    "mounts": ["mount", "umount2", "fsopen", "move_mount"],
    "namespaces": ["unshare", "setns", "clone", "clone3"],
    "clone3 alone": ["clone3"],
    "handles": ["open_by_handle_at", "chroot"],
    "terminals": ["ioctl"],
    "personality": ["personality"],
    "sockets": ["socket"],
    "log and swap": ["syslog", "swapon", "acct", "quotactl"],
    "ports and clock": ["iopl", "ioperm", "settimeofday"],
    "others": ["pidfd_getfd", "kcmp", "move_pages", "mbind"],
    "old and odd": ["lookup_dcookie", "fanotify_init", "vmsplice", "mknod"],
    "no file": ["memfd_create", "execveat"],
    "programs": ["execve", "read", "write", "mmap", "clone", "wait4", "newfstatat", "faccessat", "futex", "mseal"],
    "signal masks": ["execve", "exit_group", "clone", "futex", "read", "mseal"],
}
ABOUT = ("SC125", "SC126", "SC127", "SC131", "SC132", "SC133", "SC134", "SC160", "SC161", "SC162", "SC163", "SC165", "SC168", "SC176")


def plain(names):
    return profile(entry(*names))


def by_capability(names):
    return profile(entry(*names, includes={"caps": [CAP]}), entry(*names, excludes={"caps": [CAP]}))


def by_ranges(names):
    return profile(entry(*names, args=[arg(0, "LT", 77)]), entry(*names, args=[arg(0, "GE", 77)]))


def by_bits(names):
    return profile(*(entry(*names, args=[arg(1, "MASKED_EQ", 5, v)]) for v in (0, 1, 4, 5)))


def shuffled(names):
    order = names[:]
    random.Random(len(names)).shuffle(order)
    return profile(*(entry(n) for n in order), entry("umask"), entry(*names))


def as_policy(names):
    return policy(f"\tallow {', '.join(names)};")


def by_when(names):
    word = CAP.removeprefix("CAP_").lower()
    calls = ", ".join(names)
    return policy(f"\twhen capability {word} {{ allow {calls}; }}\n\twhen not capability {word} {{ allow {calls}; }}")


def findings(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    r = run([PALE, "lint", "--runtime", "any", "--format", "json", path])
    assert r.rc in (0, 1), r
    return json.loads(r.out)["findings"]


def meant(found):
    return {(f["id"], f["severity"]) for f in found if f["id"].startswith("SR") or f["id"] in ABOUT}


def from_program(tmp_path, names):
    source = tmp_path / "source.pale"
    source.write_text(as_policy(names))
    run([PALE, "compile", source, "-t", "bpf", "-o", tmp_path / "p.bpf"], check=0)
    return run([PALE, "import", tmp_path / "p.bpf"], check=0).out


@pytest.mark.parametrize("name", FILTERS)
def test_spellings_of_one_filter_have_the_same_findings(tmp_path, name):
    names = FILTERS[name]
    want = meant(findings(tmp_path, "plain.json", plain(names)))
    assert any(i.startswith("SR") for i, _ in want) or name in ("programs", "signal masks"), want
    for how in (by_capability, by_ranges, by_bits, shuffled):
        assert meant(findings(tmp_path, how.__name__ + ".json", how(names))) == want, how
    for how in (as_policy, by_when):
        assert meant(findings(tmp_path, how.__name__ + ".pale", how(names))) == want, how
    assert meant(findings(tmp_path, "program.pale", from_program(tmp_path, names))) == want


def masked(call, index, mask, value, *more):
    return entry(call, *more, args=[arg(index, "MASKED_EQ", mask, value)])


def halves(call, index, mask, value, bit):
    """The same with one bit more, once set and once clear."""
    return [masked(call, index, mask | bit, value | b) for b in (0, bit)]


CONDITIONS = {  # rules that speak; spellings in JSON, the first plain; the policy
    "a family of sockets": ({"SR215"}, [[entry("socket", args=[arg(0, "EQ", 17)])], [masked("socket", 0, ALL, 17)],
                                        halves("socket", 0, ALL, 17, 0), [masked("socket", 0, ALL, 17, "umask", "getpid")]],
                            "allow socket(domain == AF_PACKET);"),
    "a terminal's input": ({"SR213"}, [[entry("ioctl", args=[arg(1, "EQ", 0x5412)])], [masked("ioctl", 1, ALL, 0x5412)],
                                       [entry("ioctl", args=[arg(1, "EQ", 0x5412), arg(0, "LT", 9)]),
                                        entry("ioctl", args=[arg(0, "GE", 9), arg(1, "EQ", 0x5412)])]],
                           "allow ioctl(cmd == TIOCSTI);"),
    "no address at random": ({"SR214"}, [[entry("personality", args=[arg(0, "EQ", 0x40000)])],
                                         [masked("personality", 0, ALL, 0x40000)]], "allow personality(persona == 0x40000);"),
    "attaching": ({"SR205"}, [[entry("ptrace", args=[arg(0, "EQ", 16)])], [masked("ptrace", 0, ALL, 16)]],
                  "allow ptrace(request == PTRACE_ATTACH);"),
    "a flag of clone that was forgotten": (
        {"SC125", "SR210"}, [[masked("clone", 0, 0x6e020000, 0)], halves("clone", 0, 0x6e020000, 0, 1),
                             [masked("clone", 0, 0x6e020000, 0, "umask")]], "allow clone((flags & 0x6e020000) == 0);"),
    "a device": ({"SR229"}, [[masked("mknod", 1, 0xf000, 0x6000)], halves("mknod", 1, 0xf000, 0x6000, 1)],
                 "allow mknod((mode & 0xf000) == 0x6000);"),
    "clone without namespaces": (set(), [[masked("clone", 0, 0x7e020000, 0)], halves("clone", 0, 0x7e020000, 0, 1)],
                                 "allow clone((flags & 0x7e020000) == 0);"),
    "sockets of the network": (set(), [[entry("socket", args=[arg(0, "EQ", v)]) for v in (2, 10)],
                                       [masked("socket", 0, ALL, v) for v in (10, 2)], [masked("socket", 0, ALL & ~8, 2)]],
                               "allow socket(domain in {AF_INET, AF_INET6});"),
}


SPEAKING = set().union(*(rules for rules, _, _ in CONDITIONS.values()))


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_are_asked_what_they_let_through(tmp_path, name):
    rules, spelled, body = CONDITIONS[name]
    texts = [(f"{i}.json", profile(*entries)) for i, entries in enumerate(spelled)]
    for at, text in (*texts, ("p.pale", policy("\t" + body))):
        found = {i for i, _ in meant(findings(tmp_path, at, text))}
        assert found & SPEAKING == rules, text


FAMILIES = {"chmod": "fchmodat", "mount": "fsmount", "rename": "renameat2", "kill": "tgkill", "init_module": "finit_module"}


@pytest.mark.parametrize("call", FAMILIES)
def test_what_a_deny_list_forgets_is_found_in_every_spelling(tmp_path, call):
    no = {"action": "SCMP_ACT_ERRNO"}
    texts = [profile(entry(call, **no), default="SCMP_ACT_ALLOW"),
             profile(entry(call, **no, includes={"caps": [CAP]}), entry(call, **no, excludes={"caps": [CAP]}), default="SCMP_ACT_ALLOW"),
             profile(entry("acct", call, **no), default="SCMP_ACT_ALLOW"),
             policy(f"\terrno EPERM {call};").replace("default errno EPERM", "default allow")]
    for i, text in enumerate(texts):
        found = [f["message"] for f in findings(tmp_path, f"{i}.{'json' if i < 3 else 'pale'}", text) if f["id"] == "SC131"]
        assert len(found) == 1 and f"'{FAMILIES[call]}'" in found[0], (text, found)
