# SPDX-License-Identifier: Apache-2.0
"""Accesses to what is no file, against the tables that real parsers compile, looked up as the kernel does."""
import os
import pathlib
import random
import sys

import pytest

from conftest import some

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from parsers import Parser  # noqa: E402
from test_accesses import sim, written  # noqa: E402

LONG = bool(os.environ.get("PALE_LONG"))
FLAGS = {"ro": 1 << 0, "nosuid": 1 << 1, "nodev": 1 << 2, "noexec": 1 << 3, "sync": 1 << 4, "remount": 1 << 5, "noatime": 1 << 10, "bind": 1 << 12,
         "move": 1 << 13, "rbind": 5 << 12, "silent": 1 << 15, "private": 1 << 18, "rprivate": 1 << 18 | 1 << 14, "shared": 1 << 20,
         "rslave": 1 << 19 | 1 << 14, "unbindable": 1 << 17, "relatime": 1 << 21, "strictatime": 1 << 24}
CLEARS = ["rw", "suid", "exec", "async", "atime", "norelatime"]
POINTS = ["/mnt/", "/mnt/a/", "/m", "/"]
SOURCES = ["/dev/sda1", "/src/", "tmpfs", "none"]
TYPES = ["tmpfs", "ext4", "proc"]
MASKS = {"bind": 5 << 12, "make": 0x1e0000 | 1 << 14 | 1 << 15, "move": 1 << 13}


def prefix(rng, release):
    words = [f"priority={rng.choice([1, -1])}"] if release == "5.0" and rng.random() < 0.3 else []
    words += ["audit"] if rng.random() < 0.25 else []
    return " ".join(words + (["deny"] if rng.random() < 0.3 else [])) + " "


def expected(masks, bit, complains):
    allow, audit, quiet = masks
    if allow & bit:
        return "allowed, audited" if audit & bit else "allowed"
    return "allowed, logged" if complains and not quiet & bit else "refused"


def policy_of(binary):
    return binary[:next(at + len(v) for name, tag, v, at in aadfa.tokens(binary) if tag == aadfa.BLOB and name == "aadfa")]


def compare(pale, tmp_path, release, seed, rounds, rule, accesses, files=False, more=None, preamble=""):
    """accesses: {text: [(key, bit) that the kernel asks for, one behind the other]}; more: features beside the parser's own"""
    rng, parser, seen = random.Random(seed), Parser(release), set()
    features, options, abi = parser.features, [], ""
    if release == "4.1.8":  # Debian's features have more than the abi that this release brings
        options, abi = ["--features", features], f'abi "{features}",\n'
    if more:
        features = tmp_path / "features"
        features.write_text(parser.features.read_text() + more)
        options, abi = ["--features", features], f'abi "{features}",\n'
    for _ in range(rounds):
        body = "\n".join(rule(rng, release) for _ in range(rng.randrange(1, 7)))
        complains = rng.random() < 0.4
        first = f"{abi}{preamble}profile t{' flags=(complain)' if complains else ''}"
        binary = parser.ask(written(tmp_path, body, first), features=features)
        if not binary:
            assert pale("sim", tmp_path / "p", "--target", f"apparmor={release}", next(iter(accesses)), check=None).rc == 1, (body, parser.said)
            continue
        table = aadfa.File(binary if files else policy_of(binary))
        for (text, keys), line in zip(accesses.items(), sim(pale, tmp_path, body, *options, *accesses, head=first, release=release)):
            wants = [expected(table.masks(key, files), bit, complains) for key, bit in keys]
            if len(wants) == 3 and wants[0] != "refused" and wants[1] in ("refused", "allowed, logged"):
                wants = wants[:1]  # the kernel loses the error (test_guest_accesses)
            want = next((w for w in ("refused", "allowed, logged") if w in wants), wants[-1])
            assert line.split("  ")[:2] == [want, text], (body, keys, line)
            seen.add((text.split(" ")[0], want))
    return seen


def mount_rule(rng, release):
    words = [rng.choice(["mount", "mount", "mount", "remount", "umount"])]
    if rng.random() < 0.6:
        pick = rng.sample([f for f in FLAGS if f != "remount" or words[0] == "mount"] + CLEARS, rng.choice([1, 1, 2, 3]))
        words += [f"options{rng.choice(['=', '=', ' in '])}({','.join(pick)})"]
        if rng.random() < 0.15:
            words += ["options in (nosuid,ro)"]
    if rng.random() < 0.3:
        words += [f"fstype={rng.choice(['tmpfs', '(tmpfs,proc)', 'ext*', '?mpfs'])}"]
    if words[0] == "mount":
        words += [rng.choice(["/dev/*", "/src/", "tmpfs", "**", "/**"])] if rng.random() < 0.4 else []
        words += [f"-> {rng.choice(['/mnt/', '/mnt/**', '/**', '/m*', '/{,**}'])}"] if rng.random() < 0.5 else []
    elif rng.random() < 0.7:
        words += [rng.choice(["/mnt/", "/mnt/**", "/**"])]
    return prefix(rng, release) + " ".join(words) + ","


def mount_key(point, source, fstype, flags):
    return b"\x07" + b"\0".join(s.encode() for s in (point, source, fstype)) + b"\0" + bytes(i + 1 for i in range(32) if flags >> i & 1)


def mount_accesses(rng, n):
    out = {}
    for _ in range(n):
        words = rng.sample(sorted(FLAGS), rng.choice([0, 1, 1, 2, 3]))
        flags = 0
        for w in words:
            flags |= FLAGS[w]
        options = f"options=({','.join(words)}) " if words else ""
        point, source, fstype = rng.choice(POINTS), rng.choice(SOURCES), rng.choice(TYPES)
        if flags & FLAGS["remount"]:
            text, key = f"mount {options}-> {point}", (point, "", "", flags)
        elif flags & FLAGS["bind"]:
            source = rng.choice(SOURCES[:2])
            text, key = f"mount {options}{source} -> {point}", (point, source, "", flags & MASKS["bind"])
        elif flags & 0x1e0000:
            text, key = f"mount {options}-> {point}", (point, "", "", flags & MASKS["make"])
        elif flags & FLAGS["move"]:
            source = rng.choice(SOURCES[:2] + ["detached"])
            text, key = f"mount {options}{source} -> {point}", (point, "" if source == "detached" else source, "", 1 << 13)
        else:
            text, key = f"mount {options}fstype={fstype} {source} -> {point}", (point, source, fstype, flags)
        out[text] = [(mount_key(*key), 2)]
    for point in POINTS:
        out[f"umount {point}"] = [(b"\x07" + point.encode(), 4)]
        out[f"remount options=(nosuid,ro) {point}"] = [(mount_key(point, "", "", 1 | 2 | 32), 2)]
    return out


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_random_mounts_answer_as_their_tables(pale, tmp_path, release):
    seen = compare(pale, tmp_path, release, 375, 2000 if LONG else some(60), mount_rule, mount_accesses(random.Random(1), 120))
    assert len(seen) > 8


def pivot_rule(rng, release):
    words = ["pivot_root"] + ([f"oldroot={rng.choice(['/old/', '/**', '/o*/'])}"] if rng.random() < 0.5 else [])
    return prefix(rng, release) + " ".join(words + ([rng.choice(["/new/", "/**", "/n?w/"])] if rng.random() < 0.6 else [])) + ","


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_random_pivots_answer_as_their_tables(pale, tmp_path, release):
    accesses = {f"pivot_root oldroot={old} {new}": [(b"\x07" + new.encode() + b"\0" + old.encode(), 1)]
                for new in ("/new/", "/", "/nnw/", "/other/a/") for old in ("/old/", "/new/old/", "/o/")}
    assert len(compare(pale, tmp_path, release, 376, 1000 if LONG else some(30), pivot_rule, accesses)) == 4


def change_rule(rng, release):
    words = ["change_profile"]
    if rng.random() < 0.4:
        words += [rng.choice(["/bin/a", "/bin/*", "/**", "/bin[^b]a", "/bin/a[^z]p[^z]*"])]
    if rng.random() < 0.8:
        words += [f"-> {rng.choice(['p', 'p*', '**', 'q//r', '&p', '/bin/a', 'unconfined', 'a//&b', '{a,b}', ':n:p', '/bin/a[^z]p', '/{bin/a,x}[^z]*', '[^q]'])}"]
    return prefix(rng, release).replace("audit ", "") + " ".join(words) + ","


CHANGE, ONEXEC = 0x40000000, 0x20000000


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_random_changes_of_the_profile_answer_as_their_tables(pale, tmp_path, release):
    labels, programs = ["p", "pp", "q//r", "&p", "/bin/a", "unconfined", ":n:p"], ["/bin/a", "/bin/b", "/usr/b", "/"]
    accesses = {f"change_profile {t}": [(t.encode(), CHANGE)] for t in labels}
    accesses |= {f"change_profile {x} -> {t}": [(t.encode(), ONEXEC), (x.encode(), ONEXEC), (x.encode() + b"\0" + t.encode(), ONEXEC)]
                 for t in labels for x in programs}
    assert len(compare(pale, tmp_path, release, 377, 1000 if LONG else some(40), change_rule, accesses, files=True)) >= 2


UNIX_TYPES = {"stream": 1, "dgram": 2, "seqpacket": 5}
NET = {"create": 0x10, "bind": 0x200000, "listen": 0x400000, "accept": 0x100000, "connect": 0x40, "shutdown": 0x20, "setattr": 0x100, "getattr": 0x200,
       "setopt": 0x1000000, "getopt": 0x2000000, "send": 2, "receive": 4}
PEERED = ("connect", "send", "receive", "accept")


def unix_rule(rng, release):
    if rng.random() < 0.2:
        words = ["network"] + (["(create,bind)"] if release != "3.0" and rng.random() < 0.3 else [])
        words += rng.choice([["unix"], ["unix", "stream"], ["stream"], [], ["inet"], ["unix", "dgram"]])
        return prefix(rng, "3.0") + " ".join(words) + ","
    peer = []
    if rng.random() < 0.4:
        peer = [f"addr={rng.choice(['@q', '@q*', 'none', 'auto', '@**'])}"] if rng.random() < 0.6 else []
        peer += [f"label={rng.choice(['p', 'p*', 'unconfined', '**'])}"] if rng.random() < 0.6 or not peer else []
    words = ["unix"]
    if rng.random() < 0.6:
        words += [f"({','.join(rng.sample(PEERED if peer else sorted(NET), rng.choice([1, 2, 3])))})"]
    words += [f"type={rng.choice(sorted(UNIX_TYPES))}"] if rng.random() < 0.4 else []
    words += [f"addr={rng.choice(['@a', '@a*', 'none', 'auto', '@{a,0000f}', '@a/**', '@a[^z]*', '@a[^z]**'])}"] if rng.random() < 0.5 else []
    return prefix(rng, release) + " ".join(words + ([f"peer=({' '.join(peer)})"] if peer else [])) + ","


def end_key(addr):
    return {"none": b"\x01", "auto": b""}.get(addr, b"\0" + addr[1:].encode())


def unix_accesses(rng, n, fine):
    out = {}
    for _ in range(n):
        perm, type, addr, label = rng.choice(sorted(NET)), rng.choice(sorted(UNIX_TYPES)), rng.choice(["@a", "@ab", "none", "@0000f", "@a/b"]), rng.choice(["p", "pp", "unconfined"])
        if perm == "bind" and addr == "none":
            addr = "auto"
        peer = rng.choice(["@q", "@qq", "none", "@0000a"])
        key = bytes([15 if fine else 14, 0, 1, 0, UNIX_TYPES[type]])
        text = f"unix {perm} type={type}" + (f" addr={addr}" if addr != "none" or rng.random() < 0.5 else "")
        peered = perm in PEERED and (perm != "accept" or rng.random() < 0.5)
        if peered:
            text += f" peer=({f'addr={peer} ' if peer != 'none' else ''}label={label})"
        if fine:
            key += b"\0\0"
            if perm != "create":
                key += end_key(addr) + b"\0\0"
            if peered:
                key += b"\x01" + end_key(peer) + b"\0" + label.encode()
            elif perm in ("listen", "setopt", "getopt"):
                key += (b"\x02" if perm == "listen" else b"\x04") + b"\0\x05"
        out[text] = [(key, NET[perm])]
    return out


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_random_unix_sockets_answer_as_their_tables(pale, tmp_path, release):
    """Under 3.0's own features no kernel mediates them but as a family of sockets."""
    accesses = unix_accesses(random.Random(2), 150, release == "5.0")
    assert len(compare(pale, tmp_path, release, 378, 2000 if LONG else 50, unix_rule, accesses)) == 4


@pytest.mark.parametrize("release, says", [("4.1", "varies"), ("4.1.8", "refused"), ("5.0", "refused")])
def test_of_one_option_that_is_denied_4_1_0_takes_the_other_from_what_lies_before_it(pale, tmp_path, release, says):
    """The order of the rules is that in its memory here, and says which answer it gives."""
    parser, features, tables = Parser(release), tmp_path / "features", set()
    features.write_text(parser.features.read_text() + "network {af_unix {yes\n}\n}\n")
    for rules in (["network unix,", "deny unix getopt addr=@q,"], ["deny unix getopt addr=@q,", "network unix,"]):
        head = f'abi "{features}",\nprofile t'
        assert outcomes(sim(pale, tmp_path, "\n".join(rules), "--features", features, "unix setopt type=stream addr=@q", head=head, release=release)) == [says]
        file = written(tmp_path, "\n".join(rules), head)
        table = aadfa.File(policy_of(parser.ask(file, features=features)))
        key = bytes([next(c for c in (15, 14, 4) if table.dfa.run(bytes([c])))]) + b"\0\1\0\1\0\0" + end_key("@q") + b"\0\0\4\0\5"
        tables.add(expected(table.masks(key, False), NET["setopt"], False))
    assert tables == ({"refused", "allowed"} if says == "varies" else {says})


DBUS_FEATURES = {"3.0": "dbus {mask {acquire send receive\n}\n}\n", "4.1.8": None, "5.0": None}
DBUS = {"send": 2, "receive": 4, "bind": 64, "eavesdrop": 32}


def dbus_rule(rng, release):
    some = lambda *values: rng.choice(values)
    bus = [f"bus={some('session', 'system', 's*')}"] if rng.random() < 0.5 else []
    kind = rng.random()
    if kind < 0.2:
        return prefix(rng, release) + " ".join(["dbus", *(["bind"] if rng.random() < 0.5 else []), *bus, f"name={some('a.b', 'a.*', '{a.b,c}')}"]) + ","
    if kind < 0.35:
        return prefix(rng, release) + " ".join(["dbus", *(["eavesdrop"] if rng.random() < 0.5 else []), *bus]) + ","
    words = [f"path={some('/a', '/a/**', '/*')}"] if rng.random() < 0.4 else []
    words += [f"interface={some('i.a', 'i.*')}"] if rng.random() < 0.4 else []
    words += [f"member={some('Get', 'G*', '{Get,Set}')}"] if rng.random() < 0.4 else []
    peer = [f"name={some('a.b', 'a.*')}"] if rng.random() < 0.4 else []
    peer += [f"label={some('p', 'p*', 'unconfined')}"] if rng.random() < 0.4 else []
    perms = [some("send", "receive", "(send,receive)")] if rng.random() < 0.6 else []
    return prefix(rng, release) + " ".join(["dbus", *perms, *bus, *words] + ([f"peer=({' '.join(peer)})"] if peer else [])) + ","


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_random_messages_answer_as_their_tables(pale, tmp_path, release):
    rng, accesses = random.Random(3), {}
    for _ in range(120):
        bus, name, label = rng.choice(["session", "system", "x"]), rng.choice(["a.b", "a.c", "c"]), rng.choice(["p", "pp", "unconfined"])
        path, face, member = rng.choice(["/a", "/a/b", "/b"]), rng.choice(["i.a", "i.b", "j"]), rng.choice(["Get", "Go", "Set"])
        fields = [bus, name, label, path, face, member]
        key = lambda n: b"\x20" + b"\0".join(f.encode() for f in fields[:n])
        for perm in ("send", "receive"):
            accesses[f"dbus {perm} bus={bus} path={path} interface={face} member={member} peer=(name={name} label={label})"] = [(key(6), DBUS[perm])]
        accesses[f"dbus bind bus={bus} name={name}"] = [(key(2), DBUS["bind"])]
        accesses[f"dbus eavesdrop bus={bus}"] = [(key(1), DBUS["eavesdrop"])]
    assert len(compare(pale, tmp_path, release, 379, 2000 if LONG else some(30), dbus_rule, accesses, more=DBUS_FEATURES[release])) == 4


MQUEUE_FEATURES = "ipc {posix_mqueue {create read write open delete setattr getattr\n}\nsysv_mqueue {create\n}\n}\n"
MQUEUE = {"read": 4, "write": 2, "create": 0x10, "delete": 0x20, "open": 0x40, "setattr": 0x100, "getattr": 0x200}


def mqueue_rule(rng, release):
    words = ["mqueue"] + ([f"({','.join(rng.sample(sorted(MQUEUE), 2))})"] if rng.random() < 0.6 else [])
    name = rng.choice(["/q", "/q*", "/{q,r}", "12", "012", ""])
    words += [f"type={rng.choice(['posix'] if name[:1] == '/' else ['sysv'] if name else ['posix', 'sysv'])}"] if rng.random() < 0.3 else []
    words += [f"label={rng.choice(['p', 'p*'])}"] if rng.random() < 0.4 else []
    return prefix(rng, release) + " ".join(words + [name]) + ","


def test_random_queues_answer_as_their_tables(pale, tmp_path):
    """Under features that Ubuntu's kernels have, no other."""
    accesses = {}
    for perm, bit in MQUEUE.items():
        for name, key in ("/q", b"\x11/q"), ("/qq", b"\x11/qq"), ("12", b"\x12\0\0\0\x0c"), ("13", b"\x12\0\0\0\x0d"):
            accesses[f"mqueue {perm} {name}"] = [(key, bit)]
            for label in ("p", "pp", "q"):
                accesses[f"mqueue {perm} label={label} {name}"] = [(key + b"\0" + label.encode(), bit)]
    assert len(compare(pale, tmp_path, "5.0", 381, 1000 if LONG else some(50), mqueue_rule, accesses, more=MQUEUE_FEATURES)) == 4


LABELS = ["*", "*/", "?@{V}", "@{V}", "{b,cc}", "{*/,b}", "c*/", "[^b]", "@{V}/", "**"]


@pytest.mark.parametrize("release", ["4.1.8", "5.0"])
def test_a_label_that_counts_twice_has_its_variables_and_stars_twice(pale, tmp_path, release):
    """A rule about queues of both types: for the second its expression stands behind itself."""
    asked = ["b", "bb", "bc", "cc", "bbb", "cbcc", "acbcc", "abcc", "/", "//", "b/", "b/b/", "b//", "c/c/", "c/a/", "cccc", "b/cc"]
    accesses = {f"mqueue read label={label} 13": [(b"\x12\0\0\0\x0d\0" + label.encode(), MQUEUE["read"])] for label in asked}
    for label in LABELS:
        compare(pale, tmp_path, release, 1, 1, lambda rng, release: f"mqueue (read) label={label},", accesses, more=MQUEUE_FEATURES, preamble='@{V}="c**" "b"\n')


def uring_rule(rng, release):
    if rng.random() < 0.2:
        return prefix(rng, release) + rng.choice(["userns,", "userns create,"])
    words = ["io_uring"] + ([rng.choice(["sqpoll", "override_creds", "(sqpoll,override_creds)"])] if rng.random() < 0.7 else [])
    return prefix(rng, release) + " ".join(words + ([f"label={rng.choice(['p', 'p*', 'q'])}"] if rng.random() < 0.4 else [])) + ","


def test_random_rings_answer_as_their_tables(pale, tmp_path):
    accesses = {f"io_uring override_creds label={label}": [(b"\x16" + label.encode(), 8)] for label in ("p", "pp", "q", "unconfined")}
    accesses |= {"io_uring sqpoll": [(b"\x16", 0x10)], "userns": [(b"\x15", 8)]}
    assert len(compare(pale, tmp_path, "5.0", 382, 1000 if LONG else some(60), uring_rule, accesses)) == 8


INET = {"inet": 2, "inet6": 10, "netlink": 16}
TYPES_OF = {"stream": 1, "dgram": 2, "raw": 3}


def inet_rule(rng, release):
    words = ["network"]
    new = release != "3.0"
    peer = new and rng.random() < 0.2
    if new and rng.random() < 0.5:
        words += [f"({','.join(rng.sample(PEERED if peer else sorted(NET), 2))})"]
    words += rng.choice([["inet", "stream"], ["inet6"], ["inet", "dgram"], ["stream"], ["tcp"], ["inet"], []])
    if new and rng.random() < 0.3:
        words += [rng.choice(["ip=127.0.0.1", "port=80", "port=1-1000", "ip=::1 port=5", "interface=lo", "label=p", "ip=none"])]
    words += [rng.choice(["peer=(ip=10.0.0.1)", "peer=(port=5)", "peer=(label=p)"])] if peer else []
    return prefix(rng, "3.0") + " ".join(words) + ","


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_random_sockets_answer_as_their_tables(pale, tmp_path, release):
    """No kernel looks at addresses: what a rule says of them is dropped."""
    accesses = {}
    for family, f in INET.items():
        for type, t in TYPES_OF.items():
            key = bytes([15 if release == "5.0" else 14, 0, f, 0, t])
            accesses[f"socket {family} {type}"] = [(key, NET["create"])]
            for perm, bit in NET.items():
                ends = " ip=127.0.0.1 port=80" if perm == "bind" and family != "netlink" else " peer=(ip=10.0.0.2 port=9)" if perm == "connect" and family == "inet" else ""
                accesses[f"network {perm} {family} {type}{ends}"] = [(key, bit)]
    assert len(compare(pale, tmp_path, release, 380, 1000 if LONG else some(40), inet_rule, accesses)) >= 6


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_what_is_merged_with_a_change_of_the_profile_is_nothing_else(pale, tmp_path, release):
    """A file rule of one path with its target, in all releases; of 5.0 targets that differ in their first byte."""
    parser = Parser(release)
    accesses = {"open /a w": b"/a", "link /a /b": b"/a\0/b", "open /b r": b"/b"}
    for body in ("/a rw,\nchange_profile -> /a,", "/a rw,\ndeny change_profile -> /a,", "audit /a rw,\nchange_profile -> /a,", "/a rwl,\nchange_profile -> /a,",
                 "/a rw,\n/{a,b} r,\nchange_profile -> /a,", "/a rw,\nchange_profile /b -> /a,", "owner /a rw,\nchange_profile -> /a,"):
        table = aadfa.File(parser.ask(written(tmp_path, body), features=parser.features))
        for (access, key), line in zip(accesses.items(), sim(pale, tmp_path, body, *(a.replace(" ", " owner ", 1) for a in accesses), release=release)):
            bit = {"w": aadfa.WRITE, "r": aadfa.READ}.get(access[-1], aadfa.LINK)
            granted = table.answer(key, owner=True)["allow"] & bit and (bit != aadfa.LINK or table.answer(b"/a", owner=True)["allow"] & bit)
            assert line.startswith("allowed" if granted else "refused"), (body, line)
    body = "change_profile -> ab,\nchange_profile -> bb,"
    got = [line.split("  ")[0] for line in sim(pale, tmp_path, body, "change_profile ab", "change_profile bb", release=release)]
    assert got == (["refused", "allowed"] if release == "5.0" else ["allowed"] * 2)


QUEUED = f'{MQUEUE_FEATURES}network_v8 {{af_mask {{unix\n}}\n}}\nnetwork {{af_unix {{yes\n}}\n}}\n'


@pytest.mark.parametrize("body,access,old,new", [
    ("mqueue (create) label=p /q,", "mqueue create /q", "refused", "allowed"), ("mqueue (write) label=p /q,", "mqueue write /q", "refused", "refused"),
    ("unix, deny unix getopt addr=@q,", "unix setopt type=dgram addr=@q", "varies", "refused")])
def test_what_4_1_1_and_4_1_2_mended(pale, tmp_path, body, access, old, new):
    """As 4.1.0 and 5.0.2 have it in their tables, 4.1.8 as the latter."""
    (tmp_path / "features").write_text(QUEUED)
    for release, want in (("4.1", old), ("4.1.2", new), ("4.1.8", new), ("5.0", new)):
        assert sim(pale, tmp_path, body, "--features", tmp_path / "features", access, head=f'abi "{tmp_path}/features",\nprofile t', release=release)[0].split("  ")[0] == want


ALIASED = ["/a/b rw,\nchange_profile -> /a/b,", "/a/b rw,\nchange_profile -> /x/b,", "@{A}/b rw,\nchange_profile -> /a/b,", "@{A}/b rw,\nchange_profile -> /x/b,",
           "/a/b rw,\nchange_profile -> @{X}/b,", "deny /a/b wl,\n/a/b rl,\nchange_profile -> /x/b,", "deny /a/b wl,\n/a/b rl,\ndeny change_profile -> /x/b,", "/a/\\x62 rw,\nchange_profile -> /x/b,",
           "/a/* rw,\nchange_profile -> /a/*,", "/x/b rw,\nchange_profile -> /a/b,", "audit /a/b r,\nchange_profile -> /x/b,", "/{a,c}/b rw,\nchange_profile -> /x/b,",
           "@{B}/b rw,\nchange_profile -> {/a,/c}/b,", "change_profile -> /a/b,\nchange_profile -> /y/b,", "change_profile /a/b -> p,\n/a/b r,"]


@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
@pytest.mark.parametrize("alias", ["alias /a/ -> /x/,\n", ""])
@pytest.mark.parametrize("body", ALIASED)
def test_rules_are_merged_with_changes_after_aliases_and_with_variables_opened(pale, tmp_path, release, alias, body):
    parser = Parser(release)
    file = written(tmp_path, body, f"{alias}@{{A}}=/a\n@{{B}}=/a /c\n@{{X}}=/x\nprofile t")
    table = aadfa.File(parser.ask(file, features=parser.features))
    wants = {}
    for path in ("/a/b", "/x/b", "/c/b"):
        answer = table.answer(path.encode(), owner=True)
        wants |= {f"open owner {path} {letter}": answer["allow"] & bit for letter, bit in (("r", aadfa.READ), ("w", aadfa.WRITE))}
        wants[f"change_profile {path}"] = table.masks(path.encode(), True)[0] & CHANGE
    out = pale("sim", file, "--target", f"apparmor={release}", *wants).out.splitlines()
    assert {a: line.startswith("allowed") for a, line in zip(wants, out)} == {a: bool(w) for a, w in wants.items()}


PAIRED = ["link /a -> /t,\n/a[^z]/c l,", "/a l,\n/a[^z]/c rl,", "link /a -> /t,\nowner /a[^z]/c l,", "link /a -> /t,\ndeny /a[^z]/c l,", "link /a -> /t,\n/a?/c l,", "link /a -> /t,\n/a[^z]** rwl,"]


@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
@pytest.mark.parametrize("body", PAIRED)
def test_a_class_that_is_turned_around_takes_what_lies_between_a_link_and_its_target(pale, tmp_path, release, body):
    parser = Parser(release)
    table = aadfa.File(parser.ask(written(tmp_path, body, "profile t"), features=parser.features))
    targets = ["/c", "/d", "/t", "/c/d"]
    wants = [all(table.answer(key, owner=False)["allow"] & aadfa.LINK for key in (b"/a", b"/a\0" + t.encode())) for t in targets]
    # Others' files, of which no subset is asked.
    lines = sim(pale, tmp_path, body, *(f"link other /a {t}" for t in targets), release=release)
    assert [line.startswith("allowed") for line in lines] == wants


def outcomes(lines):
    return [line.split("  ")[0] for line in lines]


def test_what_a_kernel_looks_at_of_a_mount(pale, tmp_path):
    """A bind has no type and no flags but its own, a remount no source: of any other the rules say nothing."""
    body = "mount options=(bind) /src/ -> /a/,\nmount fstype=tmpfs options in (ro,nosuid) -> /b/,\nremount options=(ro) /c/,\nmount options=(rslave) -> /d/,"
    asked = {"mount options=(bind,ro) /src/ -> /a/": "allowed", "mount options=(rbind) /src/ -> /a/": "refused", "mount options=(bind) /x/ -> /a/": "refused",
             "mount fstype=tmpfs none -> /b/": "allowed", "mount fstype=tmpfs options=(ro) x -> /b/": "allowed", "mount fstype=tmpfs options=(noexec) x -> /b/": "refused",
             "mount fstype=ext4 x -> /b/": "refused", "remount options=(ro) /c/": "allowed", "remount options=(ro,nosuid) /c/": "refused",
             "mount options=(rslave) -> /d/": "allowed", "mount options=(slave) -> /d/": "refused", "mount options=(move) detached -> /d/": "refused"}
    assert dict(zip(asked, outcomes(sim(pale, tmp_path, body, *asked)))) == asked
    assert sim(pale, tmp_path, "umount /m/,", "umount /m/", "umount /m") == ["allowed  umount /m/  p:2:1: umount /m/,", "refused  umount /m  no rule allows it"]


def test_a_rule_of_change_profile_with_a_program_lets_at_once_too(pale, tmp_path):
    """It is compiled to the label alone, the program alone, and both; of another program the kernel loses the error."""
    asked = {"change_profile x": "allowed", "change_profile /b/p -> x": "allowed", "change_profile /b/q -> x": "allowed", "change_profile y": "refused",
             "change_profile -> &x": "refused"}
    assert dict(zip(asked, outcomes(sim(pale, tmp_path, "change_profile /b/p -> x,", *asked)))) == asked


@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_slashes_of_a_program_that_changes_stand_as_they_are_written(pale, tmp_path, release):
    """As in the tables: of all paths these alone are not folded."""
    asked = {"change_profile /b -> x": "refused", "change_profile /c -> x": "allowed"}
    assert dict(zip(asked, outcomes(sim(pale, tmp_path, "change_profile //b -> x,\nchange_profile /b -> y,\nchange_profile /c -> x,", *asked, release=release)))) == asked


def test_a_label_of_several_profiles_is_asked_whole_or_part_by_part(pale, tmp_path):
    body = "change_profile -> pa,\nchange_profile -> pb,\nchange_profile -> pc//&pd,\nchange_profile -> &pe,\nchange_profile -> &pf,"
    asked = {"change_profile pa//&pb": "allowed", "change_profile pa//&pc": "refused", "change_profile pc//&pd": "allowed", "change_profile pc": "refused",
             "change_profile &pe//&pf": "allowed", "change_profile &pa": "refused"}
    assert dict(zip(asked, outcomes(sim(pale, tmp_path, body, *asked)))) == asked


@pytest.mark.parametrize("flags,want", [("enforce", "refused"), ("complain", "allowed, logged"), ("unconfined", "refused")])
def test_a_hat_is_there_or_not(pale, tmp_path, flags, want):
    body = "^h { }\nprofile kid { }"
    out = sim(pale, tmp_path, body, "change_hat h", "change_hat ^h", "change_hat kid", head=f"profile t flags=({flags})")
    assert outcomes(out) == [want if flags == "unconfined" else "allowed"] * 2 + [want]


def test_what_kernels_do_not_look_at_is_said(pale, tmp_path):
    body = "network inet,\ndeny network inet stream port=5001,\nunix (create) type=stream,\ndeny unix (bind) addr=@q,"
    [deny] = sim(pale, tmp_path, body, "network bind inet stream port=80")
    assert deny.startswith("refused") and "no Linux up to 7.3 looks at it" in deny
    [old] = sim(pale, tmp_path, body, "unix bind type=stream addr=@q", release="4.1")
    assert old.startswith("refused  unix bind type=stream addr=@q  no rule allows it  (addresses and peers of unix sockets are not mediated")
    [made] = sim(pale, tmp_path, body, "socket unix stream", release="4.1")
    assert made.startswith("allowed") and "p:4:1" in made


@pytest.mark.parametrize("release", ["4.1", "5.0"])
@pytest.mark.parametrize("body,want", [
    ("network (send) unix stream,\nunix (getattr) type=stream,", "refused"), ("unix (getattr) type=stream,\nnetwork (send) unix,", "allowed"),
    ("network (send) unix,\nunix (bind) type=stream,\nunix (getattr),", "allowed"), ("network (send),\nunix (getattr),", "refused"), ("network (send) tcp,\nunix (getattr),", "allowed"),
    ("network (send) unix stream,\nallow unix (getattr) type=stream,", "allowed"), ("network (send) unix stream,\nunix (getattr) type=stream addr=none,", "allowed")])
def test_a_unix_rule_is_lost_behind_a_network_rule_with_its_words(pale, tmp_path, release, body, want):
    """Where no kernel mediates unix sockets: the parser merges it into the one that it made of the other."""
    parser, features = Parser(release), tmp_path / "features"
    features.write_text(Parser("4.1").features.read_text())
    file = written(tmp_path, body, f'abi "{features}",\nprofile t')
    binary = parser.ask(file, features=features)
    table = aadfa.File(binary[:next(at + len(v) for name, tag, v, at in aadfa.tokens(binary) if tag == aadfa.BLOB and name == "aadfa")])
    assert bool(table.masks(bytes([14, 0, 1, 0, 1]))[0] & NET["getattr"]) == (want == "allowed")
    out = pale("sim", file, "--target", f"apparmor={release}", "--features", features, "unix getattr type=stream addr=@a").out
    assert outcomes([out]) == [want]


@pytest.mark.parametrize("address", ["@b///", "@@{V}/", "@b//"])
def test_slashes_of_an_address_fold_as_those_of_paths(pale, tmp_path, address):
    """The parser's `filter_slashes`; the table knows the one name, as the random rules show, too."""
    parser = Parser("5.0")
    file = written(tmp_path, f"unix (getattr) addr={address},", "@{V}=b/\nprofile t")
    binary = parser.ask(file, features=parser.features)
    table = aadfa.File(binary[:next(at + len(v) for name, tag, v, at in aadfa.tokens(binary) if tag == aadfa.BLOB and name == "aadfa")])
    key = lambda name: bytes([15, 0, 1, 0, 1, 0, 0, 0]) + name + b"\0\0"
    assert [bool(table.masks(key(n))[0] & NET["getattr"]) for n in (b"b/", b"b//", b"b///")] == [True, False, False]
    lines = pale("sim", file, *(f"unix getattr type=stream addr=@{n}" for n in ("b/", "b//", "b///"))).out.splitlines()
    assert outcomes(lines) == ["allowed", "refused", "refused"]


def test_a_queue_is_a_file_that_is_hard_to_see(pale, tmp_path):
    body = "audit deny mqueue,\n/q rw,\n/dis/q r,"
    asked = ["mqueue read /q", "mqueue create /q", "mqueue delete /q", "mqueue read 12"]
    assert outcomes(sim(pale, tmp_path, body, *asked)) == ["refused", "refused", "allowed", "allowed"]
    assert outcomes(sim(pale, tmp_path, body, *asked, head="profile t flags=(attach_disconnected)")) == ["allowed"] * 4
    out = sim(pale, tmp_path, body, *asked[:2], head="profile t flags=(attach_disconnected.path=/dis)")
    assert outcomes(out) == ["allowed", "refused"] and "as 'open /dis/q r'" in out[0]
    assert "PL374" in pale("sim", written(tmp_path, body), "mqueue open /q", check=1).err


@pytest.mark.parametrize("access,say", [
    ("mount fstype=tmpfs tmpfs -> mnt", "a path begins with '/'"), ("mount fstype=tmpfs tmpfs", "asked about by fstype, source and mount point"), ("umount", "mount point alone"),
    ("mount options=(bind) /a/", "to bind is asked about by source"), ("mount options in (ro) fstype=x y -> /m/", "options of one mount"), ("mount options=(foo) x -> /m/", "no option 'foo'"),
    ("mount fstype=tmp* x -> /m/", "a pattern stands for several"), ("mount optoins=(ro) x -> /m/", "options"), ("remount options=(private) -> /m/", ""), ("pivot_root /new/", "where the old root goes"),
    ("change_profile", "one label"), ("change_profile b/x -> p", "a path begins"), ("change_hat", "one hat"), ("unix connect type=stream addr=@a", "with the peer's label"), ("mqueue read", "one queue"),
    ("unix bind type=stream", "bound to a name"), ("unix bind addr=@a", "one type"), ("unix bind type=stream addr=/run/x", "file rules decide"), ("unix conect type=stream", "connect"),
    ("unix bind type=stream peer=(label=p)", "concerns no peer"), ("dbus send bus=session path=/a", "the peer's name and label"), ("dbus bind bus=session", "which name"), ("dbus bind name=a", "a bus"),
    ("network inet stream", "one permission"), ("network bind unix stream", "by their own word"), ("network bind inet stream port=1-5", "one port"), ("unix bind type=stream addr=auto peer=(addr=@x label=p)", ""),
    ("io_uring override_creds", "their label"), ("io_uring sqpoll label=p", "their label"), ("umuont /x/", "did you mean 'umount'")])
def test_what_is_no_one_object_is_told(pale, tmp_path, access, say):
    got = pale("sim", written(tmp_path, "/a r,"), access, check=None)
    assert got.rc == 1 and say in got.err and "<access>:1:" in got.err and not got.out


@pytest.mark.parametrize("kernel,want", [("6.1", "ok ok ok -"), ("6.12", "- - ok -"), ("7.2", "- - - -"), ("", "- - - -")])
def test_the_kernel_that_is_named_counts(pale, tmp_path, kernel, want):
    """As guests show: userns and io_uring from 6.12 on, names of unix sockets by 7.2."""
    base = Parser("5.0").base
    file = tmp_path / "p"
    file.write_text("abi <abi/5.0>,\nprofile t {\nunix (create,connect,send,receive),\nnetwork unix stream,\ndeny unix (bind) addr=@q,\n}\n")
    target = ["--target", f"apparmor=5.0{',kernel=' + kernel if kernel else ''}"]
    out = pale("sim", file, "-I", base, *target, "userns", "io_uring sqpoll", "unix bind type=stream addr=@q", "cap chown").out
    assert " ".join("ok" if line.startswith("allowed") else "-" for line in out.splitlines()) == want
    if kernel:
        assert pale("sim", file, "-I", base, *target, "--features", Parser("5.0").features, "userns", check=None).rc == 2


@pytest.mark.parametrize("body,release,at", [
    ("/a rw,\nchange_profile -> /a,", "3.0", "p:2:1"), ("/a rw,\nchange_profile -> /a,", "5.0", "p:2:1"), ("/[a] rw,\nchange_profile -> /a,", "5.0", None),
    ("/a rw,\nchange_profile /b -> /a,", "5.0", None), ("change_profile -> ab,\nchange_profile -> bb,", "5.0", "p:2:19"), ("change_profile -> ab,\nchange_profile -> bb,", "4.1", None),
    ("/a rix,\nchange_profile -> /a,\n/{a,b} rpx,", "5.0", "p:2:1")])
def test_what_is_merged_away_is_told(pale, tmp_path, body, release, at):
    got = pale("check", "--target", f"apparmor={release}", written(tmp_path, body), check=0)
    assert ("PL375" in got.err) == bool(at) and (not at or f"{at}: high:" in got.err), got.err


COMPILED = ["file rwix /a; change_profile -> /a;", "file rw /a; file r /b/c; change_profile -> /a; change_profile -> /b/c;", "change_profile -> ab; change_profile -> bb; change_profile -> cb;",
            "file r /; change_profile -> x;", "file rw /a/[b]; change_profile -> /a/b;", "file rw /a; deny change_profile -> /a;", "file rw /a/b; change_profile -> {/a,/c}/b;",
            "change_profile /a -> ab; change_profile /a -> bb; change_profile -> bb;", r"file rw /b/\x63; change_profile -> /b/\x63;"]


@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
@pytest.mark.parametrize("rules", COMPILED)
def test_what_a_policy_is_compiled_to_is_merged_with_nothing(pale, tmp_path, release, rules):
    """Each rule does what it does alone, by the parser's table."""
    parser, source, out = Parser(release), tmp_path / "p.pale", tmp_path / "p.aa"
    asked = ["/a", "/b/c", "/", "/a/b", "/c/b", "ab", "bb", "cb", "x"]

    def answers(some):
        source.write_text(f"policy t {{ layers apparmor; {some} }}\n")
        pale("compile", "-q", "-t", "apparmor", "-o", out, source, check=0)
        table = aadfa.File(parser.ask(out, features=parser.features))
        found = {(name, bit) for name in asked if name[0] == "/" for bit in (aadfa.READ, aadfa.WRITE) if table.answer(name.encode(), owner=True)["allow"] & bit}
        allowed, denied = zip(*(table.masks(name.encode(), True)[:2] for name in asked))
        return found | {(name, CHANGE) for name, yes, no in zip(asked, allowed, denied) if yes & CHANGE and not no & CHANGE}

    whole, parts = answers(rules), [answers(rule + ";") for rule in rules.rstrip(";").split("; ")]
    assert whole == set().union(*parts), out.read_text()


def test_where_no_other_text_has_the_same_meaning_the_policy_is_not_compiled(pale, tmp_path):
    """`change_profile,` is -> **, which 5.0 takes for /* (and a name of digits has no letter)."""
    source = tmp_path / "p.pale"
    for rules in ("file r /*; change_profile;", "change_profile -> 11; change_profile -> 21;"):
        source.write_text(f"policy t {{ layers apparmor; {rules} }}\n")
        got = pale("compile", "-t", "apparmor", "-o", tmp_path / "p.aa", source, check=1)
        assert "PL250" in got.err and "nothing is left of one" in got.err and not (tmp_path / "p.aa").exists()
