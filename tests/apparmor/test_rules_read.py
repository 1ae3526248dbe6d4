# SPDX-License-Identifier: Apache-2.0
"""Rules of AppArmor with types: what each release's parser takes, what is told of the rest, what is read of it."""
import concurrent.futures
import json
import pathlib
import random
import re

import pytest

from conftest import program, run
from parsers import Parser

HERE = pathlib.Path(__file__).resolve().parent
RELEASES = ["3.0", "4.1", "4.1.8", "5.0"]
# Classes that these rows speak of, and no others: what is not mediated is not compiled.
FEATURES = """dbus {mask {acquire send receive
}
}
signal {mask {hup
}
}
ptrace {mask {read trace
}
}
mount {mask {mount umount
}
}
network {af_unix {yes
}
af_mask {unix inet inet6
}
}
file {mask {create read write exec append mmap_exec link lock
}
}
rlimit {mask {cpu nofile nice
}
}
domain {stack {yes
}
change_profile {yes
}
}
caps {mask {chown kill
}
}
"""


def text_of(kind, body):
    body = body.encode().decode("unicode_escape") if "\\" in body else body
    return body + "\n" if kind == "h" else f"profile t {{\n{body}\n}}\n"


# accepted.txt: what 3.0.8, 4.1.0, 4.1.8 and 5.0.2 answer (y, n), b: a body or h: a whole file, and the text.
ROWS = [line.split(" ", 2) for line in (HERE / "accepted.txt").read_text().splitlines()]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    where = tmp_path_factory.mktemp("rules")
    (where / "features").write_text(FEATURES)
    for i, (_, kind, body) in enumerate(ROWS):
        (where / f"{i}.aa").write_text(text_of(kind, body))
    return where


def tool(*args):
    return run([program("apparmor/rulestool"), *map(str, args)]).out.splitlines()


@pytest.mark.parametrize("release", RELEASES)
def test_pale_takes_what_the_release_takes(files, release):
    k = RELEASES.index(release)
    got = tool("-t", release, "-f", files / "features", *(files / f"{i}.aa" for i in range(len(ROWS))))
    assert len(got) == len(ROWS)
    wrong = [(line.split()[0], body) for line, (took, _, body) in zip(got, ROWS) if line.startswith("ok") != (took[k] == "y")]
    assert not wrong


@pytest.mark.once
@pytest.mark.parametrize("release", RELEASES)
def test_the_table_is_what_the_parser_answers(files, release):
    k, parser = RELEASES.index(release), Parser(release)

    def took(i):
        return "y" if parser.run("-Q", "-K", "-S", "-M", files / "features", files / f"{i}.aa").returncode == 0 else "n"

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        got = list(pool.map(took, range(len(ROWS))))
    assert [row for row, answer in zip(ROWS, got) if answer != row[0][k]] == []


# ---- what is told ----

def told(tmp_path, text, release="5.0"):
    (tmp_path / "x.aa").write_text(text)
    lines = tool("-d", "-t", release, tmp_path / "x.aa")
    return [json.loads(line) for line in lines if line.startswith("{")], lines[-1].startswith("ok")


FAULTS = [
    # body, id, what the excerpt's place holds, message, help
    ("capabilty kill,", "PL330", "capabilty", "no rule begins with 'capabilty'", "did you mean 'capability'?"),
    ("netwrok inet,", "PL330", "netwrok", "no rule begins with 'netwrok'", "did you mean 'network'?"),
    ("xyzzy plugh,", "PL330", "xyzzy", "no rule begins with 'xyzzy'", "begins with its class"),
    ("mount optoins=ro /a,", "PL331", "optoins", "mount has no condition 'optoins'", "did you mean 'options'?"),
    ("dbus intreface=a,", "PL331", "intreface", "dbus has no condition 'intreface'", "did you mean 'interface'?"),
    ("dbus label=a,", "PL331", "label", "dbus has no condition 'label'", "write it in peer=( )"),
    ("unix peer=(type=stream),", "PL331", "type", "unix has no condition 'type' of the peer", "before peer=( )"),
    ("dbus peer=a,", "PL331", "peer", "dbus has no condition 'peer'", "peer=(label=...)"),
    ("ptrace peer=(label=a),", "PL331", "peer=(label=a)", "'peer' of ptrace gives no conditions", "peer=VALUE"),
    ("userns foo=a,", "PL331", "foo", "userns has no condition 'foo'", "it has none"),
    ("signal set in (hup),", "PL332", "set in (hup)", "'set' of signal takes '=', not 'in'", "set=VALUE"),
    ("mount options:=ro,", "PL332", "options:=ro", "takes '=' or 'in', not ':='", "options=VALUE"),
    ("dbus peer=(name),", "PL332", "name", "'name' gives nothing", "name=VALUE"),
    ("network ip=1.2.3,", "PL333", "1.2.3", "'1.2.3' is no address", "write one address"),
    ("network ip=10.0.0.0/8,", "PL333", "10.0.0.0/8", "is no address", "no release reads networks"),
    ("network port=65536,", "PL333", "65536", "'65536' is no port", "0 to 65535"),
    ("network port=90-80,", "PL333", "90-80", "is no range", "smaller port first"),
    ("unix addr=/run/x,", "PL333", "/run/x", "no address of a unix socket", "file rules decide"),
    ("unix type=(stream dgram),", "PL333", "dgram", "'type' takes one value", "a rule for each"),
    ("dbus bus=(a b),", "PL333", "b", "'bus' takes one value", "{a,b}"),
    ("mqueue type=pipe,", "PL333", "pipe", "of type 'pipe'", "posix and sysv"),
    ("mqueue foo,", "PL335", "foo", "mqueue rules have no permission 'foo'", "there are read write"),
    ("mqueue 12x,", "PL333", "12x", "is no message queue", "begin with '/'"),
    ("mount options=() /a,", "PL333", "options=()", "'options' has no value", None),
    ("ptrace peer=a peer=b,", "PL334", "peer=b", "a second 'peer'", "two rules"),
    ("unix (send, recieve),", "PL335", "recieve", "unix rules have no permission 'recieve'", "did you mean 'receive'?"),
    ("signal sned,", "PL335", "sned", "signal rules have no permission 'sned'", "did you mean 'send'?"),
    ("ptrace (send),", "PL335", "send", "ptrace rules have no permission 'send'", "trace read tracedby readby"),
    ("/a rz,", "PL335", "rz", "not what may be done with a file", "the letters are r w a l k m"),
    ("/a rp,", "PL335", "rp", "not what may be done with a file", "write 'rpx'"),
    ("/a wa,", "PL336", "wa", "w and a exclude each other", "lets append, too"),
    ("/a pxcx,", "PL336", "pxcx", "holds two exec modes", "keep one"),
    ("/a x,", "PL336", "/a", "'x' alone says not how to execute", "in a deny"),
    ("deny /a px,", "PL336", "/a", "a denied execution has no mode", "'x' alone"),
    ("safe /a r,", "PL336", "safe", "about executing", "leave the word out"),
    ("rl subset /a -> /b,", "PL336", "rl", "only links can be subsets", "l alone"),
    ("lpx /a -> /b,", "PL336", "/b", "two things", "two rules"),
    ("l /a -> :n:b,", "PL336", ":n:b", "not into a namespace", "the path"),
    ("change_profile unsafe,", "PL336", "unsafe", "about a program that is executed", "name it"),
    ("owner mount,", "PL337", "mount", "mount rules have no 'owner' or 'other'", "only files have owners"),
    ("priority=5 network,", "PL337", "network", "network rules have no priority", "leave 'priority=' out"),
    ("priority=1001 /a r,", "PL337", "1001", "the priority 1001 is out of range", "-1000 to 1000"),
    ("owner deny /a r,", "PL337", "deny", "'deny' stands too late", "in this order"),
    ("audit audit /a r,", "PL337", "audit", "a second word of one kind", "each once"),
    ("deny set rlimit cpu <= 1,", "PL337", "set", "have no prefix", "leave it out"),
    ("dbus name=a path=/b,", "PL339", "path=/b", "'path' is about messages, and 'name' about owning", "two rules"),
    ("dbus bind path=/a,", "PL339", "path=/a", "does not go with 'bind'", "bus and name"),
    ("dbus send name=a,", "PL339", "name=a", "goes with 'bind' alone", "peer=(name=...)"),
    ("dbus eavesdrop path=/a,", "PL339", "path=/a", "does not go with 'eavesdrop'", "'bus' alone"),
    ("network unix ip=::1,", "PL339", "ip=::1", "sockets of 'unix' have no such condition", "unix addr=..."),
    ("unix create peer=(addr=@a),", "PL339", "addr=@a", "concerns no peer", "send, receive, connect and accept"),
    ("mqueue type=sysv /a,", "PL339", "/a", "a posix queue, and the type is sysv", "leave 'type' out"),
    ("signal send receive,", "PL340", "receive", "a second permission, 'receive'", "in parentheses"),
    ("remount -> /a,", "PL340", "-> /a", "remount has no '->'", "remount /POINT"),
    ("mount /a options=ro,", "PL340", "options=ro", "a condition behind the path", "mount options=ro /path"),
    ("/a,", "PL340", "/a", "no permissions stand behind the path", None),
    ("link /a,", "PL340", "", "'link' ends too early", None),
    ("set rlimit cpu 5,", "PL340", "5", "expected '<='", None),
    ("/a px-> b,", "PL340", "-> b", "a blank belongs behind 'px'", None),
    ("mount options=(ro,rw) /a,", "PL343", "rw", "'rw' contradicts another option", "allows either"),
    ("mount options=(bnid) /a,", "PL343", "bnid", "mount has no option 'bnid'", "did you mean 'bind'?"),
    ("mount options=remount /a -> /b,", "PL343", "options=remount", "no mount is like this rule", "the mount point alone"),
    ("mount options=bind fstype=ext4 /a,", "PL343", "options=bind", "no mount is like this rule", "know no 'fstype'"),
    ("set rlimit nice <= 20,", "PL344", "20", "'nice' is out of range", "-20 to 19"),
    ("set rlimit data <= 5 TB,", "PL344", "TB", "has no such unit", "KB, MB, GB"),
    ("set rlimit cpu <= 500 ms,", "PL344", "500", "one second at least", "infinity"),
    ("set rlimit nofile <= -1,", "PL344", "-1", "is not negative", "0 or more"),
    ("set rlimit nofiel <= 1,", "PL136", "nofiel", "no limit is called 'nofiel'", "did you mean 'nofile'?"),
    ("signal set=trem,", "PL136", "trem", "no signal is called 'trem'", "did you mean 'term'?"),
    ("signal set=rtmin+40,", "PL136", "rtmin+40", "no signal is called 'rtmin+40'", "rtmin+0 to rtmin+32"),
    ("network inte,", "PL136", "inte", "no family, type or protocol", "did you mean 'inet'?"),
    ("network inet steram,", "PL136", "steram", "no type of this family", "did you mean 'stream'?"),
    ("network inet send,", "PL136", "send", "a permission, which stands before the family", None),
    ("capability net_adimn,", "PL135", "net_adimn", "no capability is called 'net_adimn'", "did you mean 'net_admin'?"),
    ("capability CAP_KILL,", "PL135", "CAP_KILL", "no capability is called 'CAP_KILL'", "write 'kill'"),
    ("etc/passwd r,", "PL134", "etc/passwd", "the path etc/passwd is not absolute", "begin it with '/'"),
    ('"foo" r,', "PL134", '"foo"', 'the path "foo" is not absolute', "begin it with '/'"),
    ("/a[b r,", "PL134", "[", "is not a glob", None),
    ("unix peer=(label=a{b),", "PL134", "{", "is not a glob", None),
]


@pytest.mark.parametrize("body, id, where, message, help", FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_is_told_with_place_reason_and_way_out(tmp_path, body, id, where, message, help):
    text = text_of("b", body)
    diags, ok = told(tmp_path, text)
    assert not ok
    d = next(d for d in diags if d["severity"] == "error")
    assert d["id"] == id, d
    if where is not None:
        assert text.encode()[d["begin"]:d["end"]].decode() == where
    if message:
        assert message in d["message"]
    if help:
        assert help in d.get("help", "")


NEWER = [("userns,", "userns", "4.0"), ("io_uring,", "io_uring", "4.0"), ("mqueue,", "mqueue", "4.0"), ("all,", "all", "4.0"),
         ("network (send) inet,", "send", "4.0"), ("network ip=::1,", "ip", "4.0"), ("network interface=e,", "interface", "5.0"),
         ("prompt /a r,", "prompt", "4.1"), ("priority=1 /a r,", "priority", "4.1"), ("mount options=lazytime,", "lazytime", "4.0"),
         ("signal set=tstp,", "tstp", "5.0")]


@pytest.mark.parametrize("body, word, since", NEWER, ids=[n[0] for n in NEWER])
def test_a_newer_word_is_named_with_the_release_that_reads_it(tmp_path, body, word, since):
    diags, ok = told(tmp_path, text_of("b", body), "3.0")
    assert not ok and diags[0]["id"] == "PL338" and f"is read since AppArmor {since}" in diags[0]["message"]
    assert f"'{word}'" in diags[0]["message"] and "name a newer target; this one is 3.0" in diags[0]["help"]
    assert told(tmp_path, text_of("b", body), "5.0")[1]


def test_a_range_of_ports_is_read_since_4_1(tmp_path):
    diags, ok = told(tmp_path, text_of("b", "network port=1-2,"), "4.0")
    assert not ok and "since AppArmor 4.1" in diags[0]["message"]
    assert told(tmp_path, text_of("b", "network port=1,"), "4.0")[1]


HEADS = [("profile a flags=(complian) { }", "PL342", "no flag 'complian'", "did you mean 'complain'?"),
         ("profile a flags=(complain,kill) { }", "PL342", "'complain' and 'kill' exclude each other", "keep one"),
         ("profile a flags=(attach_disconnected,no_attach_disconnected) { }", "PL342", "exclude each other", "keep one"),
         ("profile a flags=() { }", "PL342", "no flags stand here", "flags=(complain)"),
         ("profile a flags=complain { }", "PL341", "cannot stand here", "flags stand in parentheses"),
         ("profile a flags=(audit) flags=(debug) { }", "PL341", "cannot stand here", "one list"),
         ("profile a flags=(error=EACCESS) { }", "PL136", "no error is called 'EACCESS'", "did you mean 'EACCES'?"),
         ("profile a flags=(kill.signal=trem) { }", "PL136", "no signal is called 'trem'", "did you mean 'term'?"),
         ("profile a flags=(attach_disconnected.path=a) { }", "PL134", "'a' is not absolute", "begin it with '/'"),
         ("profile a b { }", "PL341", "neither an attachment", "begins with '/'"),
         ("prfile a { }", "PL341", "'prfile' begins no profile", "did you mean 'profile'?"),
         ("a { }", "PL341", "'a' begins no profile", "write profile before the name"),
         ("profile a { b { } }", "PL341", "begins with 'profile'", "profile or hat"),
         ("profile ::a { }", "PL341", "the namespace has no name", ":namespace:name"),
         ("profile &a { }", "PL341", "does not begin with '&'", "stacks"),
         ("profile a { ^h xattrs=(user.a=b) { } }", "PL341", "a hat has no xattrs", "leave them out"),
         ("profile a peer=(a=b) { }", "PL341", "no condition 'peer'", "xattrs=( )"),
         ("profile a identities=(b) { }", "PL341", "cannot stand here", "'+' belongs in front"),
         ("profile a + { }", "PL341", "'+' adds nothing", "identities=(NAME)"),
         ('profile a + identities=("b c") { }', "PL333", "a blank in an identity", "paths alone"),
         ("deny profile a { }", "PL337", "nothing stands in front of a profile", "in front of its rules"),
         ("alias /a /b,\nprofile a { }", "PL340", "not the form", "alias /from -> /to,")]


@pytest.mark.parametrize("text, id, message, help", HEADS, ids=[h[0] for h in HEADS])
def test_a_fault_of_a_head_is_told(tmp_path, text, id, message, help):
    diags, ok = told(tmp_path, text + "\n")
    assert not ok and diags[0]["id"] == id
    assert message in diags[0]["message"] and help in diags[0]["help"]


MISREAD = [("network port=(80 81),", "reads the first value of 'port'"), ("signal set=rtmin+5x,", "as rtmin+5"),
           ("io_uring (sqpol),", "passes over 'sqpol'"), ("foo r,", "'foo' is no path"), ("/a r -> b,", "nothing is executed here"),
           ("/a ix -> b,", "'pix -> b'"), ("/a ux -> b,", "'px -> b'"), ("set rlimit nofile <= 010,", "makes 8 of this"),
           ("set rlimit data <= 99999999999999999999,", "makes 9223372036854775807 of this"),
           ("set rlimit data <= 9007199254740993 KB,", "makes 9223372036854776832 of this"),
           ("set rlimit cpu <= 1500 ms,", "makes 1 of this"), ("mqueue type=posix type=sysv,", "a second 'type'"),
           ("pivot_root /a -> b,", "no parser changes the profile"), ("/[a*]x r,", "misreads the pattern")]


@pytest.mark.parametrize("body, message", MISREAD, ids=[m[0] for m in MISREAD])
def test_what_the_parser_takes_and_reads_otherwise_is_told_as_high(tmp_path, body, message):
    diags, ok = told(tmp_path, text_of("b", body))
    assert ok and [(d["id"], d["severity"]) for d in diags] == [("PL346", "high")]
    assert message in diags[0]["message"] and diags[0].get("help") is not None or "pattern" in message


COMMAS = [("/a r\n/b w,", "/a r"), ("capability kill\ncapability chown,", "capability kill"), ("network inet\n/b w,", "network inet"),
          ("signal send\nptrace,", "signal send"), ("ptrace\n/b r,", "ptrace"), ("mount /a\n/b r,", "mount /a"),
          ("change_profile /a\n/b r,", "change_profile /a"), ("/a px -> b\n/c r,", "/a px -> b"),
          ("set rlimit cpu <= 5\nfile,", "set rlimit cpu <= 5"), ("dbus bus=a\ncapability,", "dbus bus=a"), ("all\n/b r,", "all"),
          ("link /a -> /b\n/c r,", "link /a -> /b"), ("mqueue\n/c r,", "mqueue"), ("umount /a\ncapability,", "umount /a")]


@pytest.mark.parametrize("body, before", COMMAS, ids=[c[1] for c in COMMAS])
def test_a_missing_comma_is_told_where_it_belongs(tmp_path, body, before):
    text = text_of("b", body)
    diags, ok = told(tmp_path, text)
    assert not ok and diags[0]["id"] == "PL002" and "missing ','" in diags[0]["message"]
    assert text[:diags[0]["begin"]].endswith("\n" + before)


def test_every_fault_of_a_file_is_told_in_one_run(tmp_path):
    bodies = [f[0] for f in FAULTS[:12]]
    diags, ok = told(tmp_path, text_of("b", "\n".join(bodies)))
    assert not ok and [d["line"] for d in diags if d["severity"] == "error"] == list(range(2, 14))


def test_a_fault_of_an_include_is_told_once_with_the_way(tmp_path):
    (tmp_path / "inc").write_text("/a r,\ncapability chwon,\n")
    text = "".join(f"profile p{i} {{\n  include <inc>\n}}\n" for i in range(3))
    (tmp_path / "x.aa").write_text(text)
    lines = tool("-d", "-I", tmp_path, tmp_path / "x.aa")
    diags = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(diags) == 1 and diags[0]["file"].endswith("inc") and diags[0]["line"] == 2
    assert "included here" in json.dumps(diags[0])
    assert lines[-1].startswith("refused")


# ---- what is read ----

READ = [
    ("/a rw,", "file perms=3 exec= path=/a"),
    ("audit deny owner /a rx,", "audit deny owner file perms=41 exec=x path=/a"),
    ("priority=-7 prompt other /a r,", "-7 prompt other file perms=1 exec= path=/a"),
    ("user /a k,", "owner file perms=10 exec= path=/a"),
    ("rPux /a -> b,", "file perms=41 exec=pux path=/a target=b?"),
    ("/a mrpx,", "file perms=61 exec=px! path=/a"),
    ("/a Cix -> :n:b,", "file perms=40 exec=cix path=/a target=:n:b?"),
    ("unsafe /a Px,", "file perms=40 exec=px! path=/a"),
    ("safe /a cux,", "file perms=40 exec=cux path=/a"),
    ("/a ux,", "file perms=40 exec=ux! path=/a"),
    ("l subset /a -> /b,", "file perms=8 exec= subset path=/a link=/b"),
    ("link /a -> /b,", "file perms=8 exec= path=/a link=/b"),
    ("/a rl -> /b,", "file perms=9 exec= path=/a link=/b"),
    ("file,", "file perms=7f exec=ix all"),
    ("capability,", "capability perms=0 caps=ffffffffffffffff"),
    ("capability chown net_admin,", "capability perms=0 caps=1001"),
    ("network,", "network perms=fff families=3fffffffffff types=ffffffff"),
    ("network inet stream,", "network perms=fff families=4 types=2"),
    ("network tcp,", "network perms=fff families=404 types=2"),
    ("network icmp,", "network perms=fff families=4 types=8 icmp"),
    ("network rw inet6 dgram,", "network perms=c00 families=400 types=4"),
    ("network send ip=10.0.0.1 port=80-90 peer=(ip=none),",
     "network perms=400 families=404 types=43e own=v4:0a000001 own=80-90 peer=none00000000 ip=10.0.0.1 port=80-90 peer.ip=none"),
    ("unix (bind, r) type=dgram addr=@a{b,c},", "unix perms=802 type=2 addr=3 peer=0 type=dgram addr=@a{b,c}"),
    ("unix connect peer=(addr=none label=l),", "unix perms=10 type=-1 addr=0 peer=1 peer.addr=none peer.label=l"),
    ("mount,", "mount perms=0 kind=0"),
    ("mount options=(ro,nosuid) options in (rw,noexec) fstype=(a,b) /a -> /b,",
     "mount perms=0 kind=0 flags=3-0 flags in 8-1 source=/a point=/b options=ro,nosuid options in rw,noexec fstype=a,b"),
    ("remount options=ro /a,", "mount perms=0 kind=1 flags=21-0 point=/a options=ro"),
    ("umount /a,", "mount perms=0 kind=2 point=/a"),
    ("mount options=make-rslave -> /a,", "mount perms=0 kind=0 flags=84000-0 point=/a options=make-rslave"),
    ("pivot_root oldroot=/o /a,", "pivot_root perms=0 root=/a oldroot=/o"),
    ("signal (send) set=(term, exists, rtmin+2) peer=p,", "signal perms=1 any=0 set=800008000.4 set=term,exists,rtmin+2 peer=p"),
    ("signal,", "signal perms=3 any=1 set=0.0"),
    ("ptrace (read, tracedby) peer=\"a b\",", "ptrace perms=6 peer=a b"),
    ("dbus send bus=session peer=(name=n),", "dbus perms=1 bus=session peer.name=n"),
    ("dbus name=n,", "dbus perms=4 name=n"),
    ("dbus path=/a,", "dbus perms=3 path=/a"),
    ("dbus,", "dbus perms=f"),
    ("mqueue (create, open) type=posix /q,", "mqueue perms=14 type=1 name=/q type=posix"),
    ("mqueue r 42,", "mqueue perms=1 type=2 name=42?"),
    ("userns,", "userns perms=1"),
    ("io_uring sqpoll label=l,", "io_uring perms=2 label=l"),
    ("all,", "all perms=0"),
    ("set rlimit nice <= -5,", "rlimit perms=0 limit=13 value=15"),
    ("set rlimit nofile <= infinity,", "rlimit perms=0 limit=7 value=18446744073709551615"),
    ("set rlimit cpu <= 2 hours,", "rlimit perms=0 limit=0 value=7200"),
    ("set rlimit rttime <= 3 ms,", "rlimit perms=0 limit=15 value=3000"),
    ("set rlimit memlock <= 2 GB,", "rlimit perms=0 limit=8 value=2147483648"),
    ("change_profile unsafe /a -> b,", "change_profile perms=0 unsafe exec=/a target=b"),
    ("change_profile,", "change_profile perms=0"),
]


@pytest.mark.parametrize("body, line", READ, ids=[r[0] for r in READ])
def test_a_rule_is_read_with_types(tmp_path, body, line):
    (tmp_path / "x.aa").write_text(text_of("b", body))
    rules = [out[5:] for out in tool("-d", tmp_path / "x.aa") if out.startswith("rule ")]
    assert rules == [line]


def test_a_links_target_is_no_links_before_5_0(tmp_path):
    (tmp_path / "x.aa").write_text(text_of("b", "/a l -> /b,"))
    assert "rule file perms=8 exec= path=/a link=/b" in tool("-d", "-t", "5.0", tmp_path / "x.aa")
    assert "rule file perms=8 exec= path=/a target=/b?" in tool("-d", "-t", "4.1", tmp_path / "x.aa")


def test_bare_x_with_a_target_is_px_in_3_0(tmp_path):
    (tmp_path / "x.aa").write_text(text_of("b", "/a x -> b,"))
    assert "rule file perms=40 exec=px path=/a target=b?" in tool("-d", "-t", "3.0", tmp_path / "x.aa")


def test_a_head_is_read_with_types(tmp_path):
    (tmp_path / "x.aa").write_text('profile ":n:a b" /c + identities=(i j) flags=(complain kill.signal=hup error=eacces '
                                   "attach_disconnected.path=/d) {\n}\n")
    assert tool("-d", tmp_path / "x.aa")[0] == ('profile a b ns=n flags=2002 signal=1 error=13 attachment=/c disconnected=/d '
                                                "identity=i identity=j")


def test_every_word_of_the_table_is_named_in_some_release(tmp_path):
    """What classes.def has of permissions and mount options is read by 5.0, each by itself."""
    table = (HERE.parents[1] / "compiler/rules/classes.def").read_text()
    bodies = [f"{c.lower()} {w}," for c, w in re.findall(r'^PERM\((\w+),\s+"(\w+)"', table, re.M)]
    bodies += [f"mount options={w}," for w in re.findall(r'^OPTION\("([\w-]+)"', table, re.M)]
    heads = [f"profile p{i} flags=({w}) {{\n}}" for i, w in enumerate(re.findall(r'^FLAG\("([\w.]+)"', table, re.M))]
    assert len(bodies) > 90 and len(heads) > 15
    assert told(tmp_path, text_of("b", "\n".join(bodies)) + "\n".join(heads) + "\n") == ([], True)


def test_check_refuses_the_globs_that_parsing_them_refuses(pale, tmp_path):
    """`check` looks at most patterns without parsing them."""
    rng = random.Random(11)
    parts = ["/", "a", "*", "?", "[ab]", "[^a]", "{", "}", ",", "[", "]", "\\", "\\*", "@{V}", "@{W}", "@{X}", "@{Y}", "@{Z}", "@{", "{a,b}", "{,b}", "{a}"]
    sets = "@{V}=/a/ /b\n@{W}=x{y,z} q\n@{X}=@{V} @{W}c\n@{Y}=a,b\n@{Z}=[ab] }\n"
    names = [f"{i}.aa" for i in range(600)]
    for name in names:
        glob = "/" + "".join(rng.choice(parts) for _ in range(rng.randrange(1, 9)))
        (tmp_path / name).write_text(f'{sets}profile t {{\n  "{glob}" r,\n}}\n')
    parsed = run([program("apparmor/rulestool"), *names], cwd=tmp_path).out.splitlines()
    asked = run([pale.path, "check", "--target", "apparmor=5.0", *names], cwd=tmp_path).out
    answers = dict(re.findall(r"^(\S+):\napparmor\S* +(ok|refused)", asked, re.M))
    assert [f"{answers[name]} {name}" for name in names] == parsed
    assert 100 < sum(line.startswith("ok") for line in parsed) < 500


@pytest.mark.parametrize("rule", [
    "mount options=(bind)\n  /a -> /b,", "mount fstype=ext4\noptions=(ro)\n/a -> /b,", "umount\n/a,", "remount\n/a,",
    "network inet\nstream,", "network\ninet stream,", "network inet\ntcp,", "pivot_root\n/a,", "pivot_root oldroot=/a/\n/b/,",
    "change_profile\n/a -> x,", "mqueue r\n/x,", "/a\nr,", "set rlimit cpu <= 5000\nms,"])
def test_a_rule_may_have_several_lines(pale, tmp_path, rule):
    (tmp_path / "t").write_text("profile t {\n  %s\n}\n" % rule)
    pale("check", "--target", "apparmor=5.0", tmp_path / "t", check=0)
