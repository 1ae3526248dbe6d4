# SPDX-License-Identifier: Apache-2.0
"""The attacks of attack.c, and what a run of them said."""
import pathlib
import re

import conftest

# Each of these succeeds on a machine like ours for root without a filter, and no example needs
# it: each must be refused under every policy. (test_attacks shows both.)
NAMED = ("ptrace", "vsock", "packet", "userns.unshare", "userns.clone", "userns.clone3", "bpf",
         "mount", "fsopen", "setns", "add_key", "keyctl", "perf", "process_vm", "personality",
         "io_uring", "userfaultfd", "pidfd_getfd", "open_by_handle", "kcmp", "fanotify", "syslog",
         "tiocsti", "raw", "audit")
# Meets `foreign`: the process is killed, so it is run on its own.
FOREIGN = "foreign.i386"
KILLED = 128 + 31

LIVE = pathlib.Path(__file__).parent / "live.pale"
EXAMPLES = sorted((conftest.ROOT / "profiles" / "examples").glob("*.pale"))
POLICIES = [LIVE, *EXAMPLES]


def attacker():
    return conftest.program("live/attack")


def outcome(text):
    """name -> "ok" or "refused EPERM" or "unprepared ..."."""
    return dict(m.groups() for m in re.finditer(r"^(\S+) (ok|refused \S+|unprepared \S+)\s*$",
                                                text, re.M))


def check(free, under, killed_free, killed_under, said=None):
    """At least 12 that succeed without, and each of those refused under."""
    succeed = [n for n in NAMED if free.get(n) == "ok"]
    assert len(succeed) >= 12, (free, said)
    let_through = {n: under.get(n) for n in succeed
                   if not under.get(n, "").startswith("refused")}
    assert not let_through
    assert killed_free == 0 and killed_under == KILLED
