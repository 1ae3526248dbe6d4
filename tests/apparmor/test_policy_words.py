# SPDX-License-Identifier: Apache-2.0
"""What is written of a policy's rules in AppArmor's own words: each release's real parser takes it, and
pale's own reading of that release; what is not written for a release, its parser refuses or drops."""
import itertools

import pytest

from parsers import ROWS, Parser

RULES = [
    "mount;", "mount options=(rw, bind) /srv -> /mnt;", "mount fstype=(proc, sysfs);", "mount fstype=ext* options in (ro, noexec) /dev/** -> /mnt/*/;",
    "remount options=(ro, noexec) /mnt;", "umount;", "umount @{run}/user/[0-9]*/**;", 'umount "/a;b c";', "umount /a\\;b;", "pivot_root;", "pivot_root oldroot=/old/ /new/;",
    "ptrace;", "ptrace (read, trace) peer=x;", "ptrace tracedby peer=@{profile_name};", "unix;", "unix type=stream;",
    'unix (send, receive) type=stream peer=(label=db, addr="@db");', "unix (create, bind) type=dgram addr=none;", "unix addr=@x;",
    "dbus;", "dbus send bus=system path=/org/x interface=org.x.Y member=Get peer=(name=org.x, label=y);", "dbus bind bus=session name=org.x;", "dbus eavesdrop;",
    "mqueue;", "mqueue (create, open) type=posix /jobs;", "mqueue r label=x;", "userns;", "userns create;", "io_uring;", "io_uring (sqpoll, override_creds) label=db;",
    "change_profile;", "change_profile /usr/bin/helper -> helper;", "change_profile unsafe /a -> b//c;", "mount options=nosymfollow /a -> /b;",
]
PREFIXES = ["", "log ", "deny ", "quiet deny "]
CALLS = {"mount;", "umount;", "pivot_root;", "ptrace;"}
HEAD = "policy p {\n    program /usr/bin/p;\n    layers apparmor;\n    arch x86_64;\n    "
LACKS = {"3.0": {"mqueue;", "userns;", "io_uring;"}, "4.1": {"io_uring;"}, "4.1.8": {"io_uring;"}, "5.0": set()}


def text(prefix, rule):
    bare = rule in CALLS and prefix in ("log ", "deny ")
    return f"{HEAD}{prefix}{'any ' if bare else ''}{rule}\n}}\n"


@pytest.mark.once
@pytest.mark.parametrize("release", ROWS)
def test_the_parser_takes_what_is_written_for_it(pale, tmp_path, release):
    parser, written = Parser(release), 0
    source, file = tmp_path / "p.pale", tmp_path / "p.apparmor"
    for prefix, rule in itertools.product(PREFIXES, RULES):
        source.write_text(text(prefix, rule))
        r = pale("compile", "-q", "-t", f"apparmor={release}", "-o", file, source)
        assert (r.rc == 0) or (r.rc == 1 and ("[PL390 " in r.err or "[PL338 " in r.err)), (prefix, rule, r)
        if r.rc:
            assert rule not in LACKS["5.0"]
            continue
        written += 1
        assert parser.ask(file) is not None, (prefix, rule, parser.said)
        r = pale("check", "-t", f"apparmor={release}", "-I", parser.base, file)
        assert r.rc == 0, (prefix, rule, r)
    assert written > {"3.0": 80, "4.1": 90, "4.1.8": 90, "5.0": 125}[release]


@pytest.mark.parametrize("release", ROWS)
def test_what_a_release_lacks_is_not_written_for_it(pale, tmp_path, release):
    source = tmp_path / "p.pale"
    for rule in sorted(set().union(*LACKS.values())):
        source.write_text(text("", rule))
        r = pale("compile", "-q", "-t", f"apparmor={release}", "-o", "-", source)
        assert r.rc == (rule in LACKS[release]), (rule, r)


@pytest.mark.once
def test_the_oldest_that_is_said_to_do_takes_what_is_written_where_none_is_named(pale, tmp_path):
    source, file = tmp_path / "p.pale", tmp_path / "p.apparmor"
    for rule in RULES:
        source.write_text(text("", rule))
        r = pale("compile", "-t", "apparmor", "-o", file, source, check=0)
        least = next((v for v in ("5.0", "4.1", "4.0") if f"for AppArmor {v} or newer" in r.err), "3.0")
        parser = Parser("4.1" if least == "4.0" else least)
        assert parser.ask(file) is not None, (rule, least, parser.said)
