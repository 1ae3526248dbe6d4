# SPDX-License-Identifier: Apache-2.0
"""Rules of every class but files as machines over objects: every answer that an object gets, with a
shortest access, is the one that rules give one by one (`pale sim`); and so are differences."""
import random

import pytest

from conftest import program, run

RELEASES = {"3.0": 0, "4.1": 2, "4.1.8": 4, "5.0": 5}
LABELS = ["peer", "/usr/bin/*", "a{b,c}", "**", "[ab]?", "/x/**", "unconfined"]
PATHS = ["/mnt/", "/mnt/**", "/a*", "/{a,b}/", "/[ab]/*/", "/**"]
PERMS_URING = ["", "sqpoll", "override_creds"]
NET = ["create", "bind", "listen", "accept", "connect", "send", "receive", "getattr", "setattr", "getopt", "setopt"]
ADDRESSES = ["@a", "@a*", "none", "auto", "@**", "@{a,0000f}"]
NAMES = ["org.a", "org.*", "{a.b,c}", "*.z"]
QUEUE = ["read", "write", "create", "delete", "open", "setattr", "getattr"]
# Classes that releases' own features leave out.
ALL = """mount {mask {mount umount
}
}
ptrace {mask {read trace
}
}
signal {mask {hup
}
}
namespaces {mask {userns_create
}
}
io_uring {mask {sqpoll override_creds
}
}
dbus {mask {acquire send receive
}
}
network {af_unix {yes
}
}
network_v8 {af_mask {unix inet inet6 netlink
}
}
network_v9 {af_unix {yes
}
}
ipc {posix_mqueue {create read write open delete setattr getattr
}
sysv_mqueue {create
}
}
"""
SIGNALS = ["term", "kill", "usr1", "rtmin+3", "exists", "hup"]
OPTIONS = ["ro", "nosuid", "nodev", "noexec", "bind", "rbind", "remount", "move", "rslave", "private", "rshared", "silent"]


def some(r, words, most=3):
    return " ".join(r.sample(words, r.randint(1, most)))


def maybe(r, text):
    return text if r.random() < .5 else ""


def signal_rule(r, release):
    perms = r.choice(["", "send", "receive", "(send receive)"])
    return f"signal {perms} {maybe(r, f'set=({some(r, SIGNALS)})')} {maybe(r, f'peer={r.choice(LABELS)}')}"


def ptrace_rule(r, release):
    perms = some(r, ["read", "trace", "readby", "tracedby"])
    return f"ptrace ({perms}) {maybe(r, f'peer={r.choice(LABELS)}')}"


def mount_rule(r, release):
    kind = r.random()
    if kind < .15:
        return f"umount {r.choice(PATHS)}"
    options = maybe(r, "options" + r.choice(["=", " in "]) + f"({some(r, OPTIONS)})")
    if kind < .3:
        return f"remount {options} {r.choice(PATHS)}"
    fstype = maybe(r, "fstype=" + r.choice(["tmpfs", "ext*", "(proc,sysfs)"]))
    source, point = maybe(r, r.choice([*PATHS, "tmpfs"])), maybe(r, "-> " + r.choice(PATHS))
    return f"mount {fstype} {options} {source} {point}"


def pivot_rule(r, release):
    return f"pivot_root {maybe(r, f'oldroot={r.choice(PATHS)}')} {maybe(r, r.choice(PATHS))}"


def network_rule(r, release):
    perms = r.choice(["create", "bind", "(send receive)", ""]) if release != "3.0" else ""
    return f"network {perms} " + r.choice(["", "inet", "inet stream", "inet6 dgram", "unix", "netlink raw", "stream", "tcp"])


def change_rule(r, release):
    exec_ = maybe(r, r.choice(PATHS))
    return f"change_profile {exec_} {maybe(r, f'-> {r.choice(LABELS)}')}"


def uring_rule(r, release):
    return f"io_uring {r.choice(PERMS_URING)} {maybe(r, f'label={r.choice(LABELS)}')}"


def userns_rule(r, release):
    return "userns " + maybe(r, "create")


def unix_rule(r, release):
    perms = maybe(r, f"({','.join(r.sample(NET, r.randint(1, 3)))})")
    kind, own = maybe(r, f"type={r.choice(['stream', 'dgram', 'seqpacket'])}"), maybe(r, f"addr={r.choice(ADDRESSES)}")
    peer = " ".join(filter(None, [maybe(r, f"addr={r.choice(ADDRESSES)}"), maybe(r, f"label={r.choice(LABELS)}")]))
    return f"unix {perms} {kind} {own} {maybe(r, f'peer=({peer})' if peer else '')}"


def dbus_rule(r, release):
    bus = maybe(r, f"bus={r.choice(['session', 's*', '*n'])}")
    if r.random() < .2:
        return f"dbus {maybe(r, 'bind')} {bus} name={r.choice(NAMES)}"
    if r.random() < .2:
        return f"dbus eavesdrop {bus}"
    words = [maybe(r, f"path={r.choice(['/a', '/a/**', '/*/c'])}"), maybe(r, f"interface={r.choice(NAMES)}"), maybe(r, f"member={r.choice(['Get', 'G*', '{A,B}*'])}")]
    peer = " ".join(filter(None, [maybe(r, f"name={r.choice(NAMES)}"), maybe(r, f"label={r.choice(LABELS)}")]))
    return f"dbus {r.choice(['', 'send', 'receive', '(send receive)'])} {bus} {' '.join(words)} {f'peer=({peer})' if peer else ''}"


def queue_rule(r, release):
    name = r.choice(["/q", "/q*", "/{q,r}", "12", "012", ""])
    perms = maybe(r, f"({','.join(r.sample(QUEUE, 2))})")
    type_ = maybe(r, f"type={r.choice(['posix'] if name[:1] == '/' else ['sysv'] if name else ['posix', 'sysv'])}")
    return f"mqueue {perms} {type_} {maybe(r, f'label={r.choice(LABELS)}')} {name}"


RULES = {"unix": unix_rule, "dbus": dbus_rule, "mqueue": queue_rule, "signal": signal_rule, "ptrace": ptrace_rule, "mount": mount_rule, "pivot_root": pivot_rule, "network": network_rule,
         "change_profile": change_rule, "io_uring": uring_rule, "userns": userns_rule}
SINCE = {"mqueue": "4.1", "io_uring": "4.1", "userns": "4.1"}


def random_rule(r, kind, release):
    prefix = maybe(r, f"priority={r.randint(-2, 2)} ") if release >= "4.1" and r.random() < .5 else ""
    mode = maybe(r, "audit ") + r.choice(["", "", "deny ", "allow "])
    return f"{prefix}{mode}{RULES[kind](r, release)},"


def write(path, rules):
    features = path.parent / "features"
    features.write_text(ALL)
    path.write_text(f'abi "{features}",\nprofile t {{\n ' + "\n ".join(rules) + "\n}\n")
    return path


def taken(pale, tmp_path, r, kind, release, n):
    """Rules that the release takes, one by one."""
    rules = []
    for _ in range(40 * n):
        rule = random_rule(r, kind, release)
        if pale("check", write(tmp_path / "one", [*rules, rule]), "--target", f"apparmor={release}", check=None).rc == 0:
            rules.append(rule)
        if len(rules) == n:
            return rules
    raise AssertionError(f"{release} takes next to no rule of {kind}: {rule}")


def answers(pale, file, release, accesses):
    got = pale("sim", file, "--target", f"apparmor={release}", "--features", file.parent / "features", *accesses, check=None)
    out = got.out.splitlines()
    assert len(out) == len(accesses), got.err
    return [line.split("  ")[0] for line in out]


def wanted(letters):
    if "a" in letters:
        return "allowed, audited" if "l" in letters else "allowed"
    return "asks" if "p" in letters else "refused"


def tool(release, *files):
    out = run([program("apparmor/objectstool"), RELEASES[release], files[0].parent, *files]).out
    assert "undecided" not in out
    lines = [line.split("\t") for line in out.splitlines()]
    return [line for line in lines if line[0] != "network" or " unix " not in line[-1]]  # asked by a word of their own


CASES = [(kind, release) for kind in RULES for release in RELEASES if release >= SINCE.get(kind, "3.0")]


@pytest.mark.parametrize("kind, release", CASES)
def test_every_answer_of_an_object_is_what_its_rules_give_one_by_one(pale, tmp_path, kind, release):
    r, asked = random.Random(f"{kind} {release}"), 0
    for _ in range(3):
        file = write(tmp_path / "a", taken(pale, tmp_path, r, kind, release, r.randint(2, 7)))
        lines = [line for line in tool(release, file) if line[0] == kind and len(line) == 3]
        got = answers(pale, file, release, [line[2] for line in lines])
        assert list(zip([line[2] for line in lines], got)) == [(line[2], wanted(line[1])) for line in lines], file.read_text()
        asked += len(lines)
    assert asked


@pytest.mark.parametrize("kind, release", CASES)
def test_witnesses_of_a_difference_are_answered_otherwise(pale, tmp_path, kind, release):
    r = random.Random(f"diff {kind} {release}")
    rules = taken(pale, tmp_path, r, kind, release, 6)
    a, b = write(tmp_path / "a", rules[:5]), write(tmp_path / "b", rules[2:])
    lines = [line for line in tool(release, a, b) if line[0] == kind and len(line) == 4]
    for side, file in ((1, a), (2, b)):
        got = answers(pale, file, release, [line[3] for line in lines])
        assert list(zip([line[3] for line in lines], got)) == [(line[3], wanted(line[side])) for line in lines], rules
    assert not [line for line in tool(release, a, a) if len(line) != 1]
