# SPDX-License-Identifier: Apache-2.0
"""Accesses to what is no file, against the tables that real parsers compile, looked up as the kernel does."""
import os
import pathlib
import random
import sys

import pytest

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


def compare(pale, tmp_path, release, seed, rounds, rule, accesses, head="", files=False):
    """accesses: {text: [(key, bit) that the kernel asks for, one behind the other]}"""
    rng, parser, seen = random.Random(seed), Parser(release), set()
    for _ in range(rounds):
        body = "\n".join(rule(rng, release) for _ in range(rng.randrange(1, 7)))
        complains = rng.random() < 0.4
        first = f"profile t{' flags=(complain)' if complains else ''}"
        binary = parser.ask(written(tmp_path, body, first), features=parser.features)
        if not binary:
            assert pale("sim", tmp_path / "p", "--target", f"apparmor={release}", next(iter(accesses)), check=None).rc == 1, (body, parser.said)
            continue
        if not files:
            binary = binary[:next(at + len(v) for name, tag, v, at in aadfa.tokens(binary) if tag == aadfa.BLOB and name == "aadfa")]
        table = aadfa.File(binary)
        for (text, keys), line in zip(accesses.items(), sim(pale, tmp_path, body, *accesses, head=first, release=release)):
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


@pytest.mark.parametrize("release", ["3.0", "5.0"])
def test_random_mounts_answer_as_their_tables(pale, tmp_path, release):
    seen = compare(pale, tmp_path, release, 375, 2000 if LONG else 60, mount_rule, mount_accesses(random.Random(1), 120))
    assert len(seen) > 8


def pivot_rule(rng, release):
    words = ["pivot_root"] + ([f"oldroot={rng.choice(['/old/', '/**', '/o*/'])}"] if rng.random() < 0.5 else [])
    return prefix(rng, release) + " ".join(words + ([rng.choice(["/new/", "/**", "/n?w/"])] if rng.random() < 0.6 else [])) + ","


@pytest.mark.parametrize("release", ["3.0", "5.0"])
def test_random_pivots_answer_as_their_tables(pale, tmp_path, release):
    accesses = {f"pivot_root oldroot={old} {new}": [(b"\x07" + new.encode() + b"\0" + old.encode(), 1)]
                for new in ("/new/", "/", "/nnw/", "/other/a/") for old in ("/old/", "/new/old/", "/o/")}
    assert len(compare(pale, tmp_path, release, 376, 1000 if LONG else 30, pivot_rule, accesses)) == 4


def change_rule(rng, release):
    words = ["change_profile"]
    if rng.random() < 0.4:
        words += [rng.choice(["/bin/a", "/bin/*", "/**"])]
    if rng.random() < 0.8:
        words += [f"-> {rng.choice(['p', 'p*', '**', 'q//r', '&p', '/bin/a', 'unconfined', 'a//&b', '{a,b}', ':n:p'])}"]
    return prefix(rng, release).replace("audit ", "") + " ".join(words) + ","


CHANGE, ONEXEC = 0x40000000, 0x20000000


@pytest.mark.parametrize("release", ["3.0", "5.0"])
def test_random_changes_of_the_profile_answer_as_their_tables(pale, tmp_path, release):
    labels, programs = ["p", "pp", "q//r", "&p", "/bin/a", "unconfined", ":n:p"], ["/bin/a", "/bin/b", "/usr/b", "/"]
    accesses = {f"change_profile {t}": [(t.encode(), CHANGE)] for t in labels}
    accesses |= {f"change_profile {x} -> {t}": [(t.encode(), ONEXEC), (x.encode(), ONEXEC), (x.encode() + b"\0" + t.encode(), ONEXEC)]
                 for t in labels for x in programs}
    assert len(compare(pale, tmp_path, release, 377, 1000 if LONG else 40, change_rule, accesses, files=True)) >= 2


@pytest.mark.parametrize("release", ["3.0", "5.0"])
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
