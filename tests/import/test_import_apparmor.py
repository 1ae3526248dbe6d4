# SPDX-License-Identifier: Apache-2.0
"""`pale import` of AppArmor: a policy that means the same, or an error with an access that shows why there is none."""
import pathlib
import random
import re
import sys

import pytest

from conftest import some

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "apparmor"))
from packaged import profiles_into  # noqa: E402

HEAD = "abi <abi/3.0>,\ninclude <tunables/global>\n"


def written(tmp_path, body, head="profile web /usr/bin/web", before=HEAD):
    f = tmp_path / "web.aa"
    f.write_text(f"{before}{head} {{\n{body}\n}}\n")
    return f


def rules(text):
    """The statements behind the header, without where they came from."""
    lines = [line.split(" # ")[0].strip() for line in text.splitlines()]
    return [line for line in lines if line and not re.match(r"(policy|program|level|layers|arch|})\b|}", line)]


def imported(pale, tmp_path, body, *options, **more):
    return rules(pale("import", written(tmp_path, body, **more), *options).out)


def test_a_profile_becomes_a_policy_of_its_name_and_program(pale, tmp_path):
    out = pale("import", written(tmp_path, "/etc/passwd r,")).out
    assert out.splitlines()[:4] == ["policy web {", "    program /usr/bin/web;", "    level linux 7.3;", "    layers apparmor;"]
    assert out.splitlines()[-2:] == ["    file r /etc/passwd; # web.aa:4", "}"]


@pytest.mark.parametrize("body, want", [
    ("/a r,\naudit /b w,\ndeny /c r,\naudit deny /d rw,", ["file r /a;", "log file w /b;", "quiet deny file r /c;", "deny file rw /d;"]),
    ("owner @{PROC}/[0-9]*/x rk,", ["owner file rk @{PROC}/[0-9]*/x;"]),
    ("/b/* ix,\n/c Px -> w,\n/d pux,\n/e PUx,\n/f Cix,\ndeny /g x,\n/h ux,",
     ["file ix /b/*;", "file Px /c -> w;", "file pux /d;", "file PUx /e;", "file Cix /f;", "quiet deny file x /g;", "file ux /h;"]),
    ('"/a b" r,\n/{a,b}[cd]?/** r,\n/x;y r,', ['file r "/a b";', "file r /{a,b}[cd]?/**;", 'file r "/x;y";']),
    ("/a rl,\n/b m,", ["file rl /a;", "file m /b;"]),
    ("capability chown kill,\ndeny capability bpf,", ["capability chown, kill;", "quiet deny capability bpf;"]),
    ("network inet stream,\nnetwork netlink,\naudit deny network inet6,", ["network inet stream;", "network netlink;", "deny network inet6;"]),
    ("signal,\nsignal send set=(term kill) peer=x,\nsignal receive set=exists,",
     ["signal;", "signal send kill, term -> x;", "signal receive exists;"]),
    ("set rlimit nofile <= 10,\nset rlimit core <= infinity,\nset rlimit nofile <= 20,", ["limit core infinity;", "limit nofile 20;"]),
    ("mount fstype=tmpfs -> /a,\numount /a,\nptrace read peer=x,", ["mount fstype=tmpfs -> /a;", "umount /a;", "ptrace read peer=x;"]),
    ("change_profile -> x,\ndbus send bus=session,", ["change_profile -> x;", "dbus send bus=session;"]),
    ("/a r,\n/a r,", ["file r /a;"]),
    ("file,", ["file mrwlkix /{**,};"]),
])
def test_what_each_rule_becomes(pale, tmp_path, body, want):
    assert imported(pale, tmp_path, body) == want


def test_where_a_rule_came_from_is_said_through_its_includes(pale, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/more").write_text("/x r,\n")
    out = pale("import", written(tmp_path, "include <in/more>\n/y r,"), "-I", tmp_path).out
    assert "file r /x; # more:1, included at web.aa:4" in out and "file r /y; # web.aa:5" in out


def test_variables_stay_where_policies_have_the_same(pale, tmp_path):
    before = HEAD + "@{MINE}=/a /b\n@{etc_ro}+=/more/\n"
    assert imported(pale, tmp_path, "@{HOME}/x r,\n/x@{MINE} r,\n/srv/@{profile_name} r,", before=before) == [
        "file r @{HOME}/x;", "file r /x{/a,/b};", "file r /srv/@{profile_name};"]
    assert imported(pale, tmp_path, "@{etc_ro}x r,\n@{MINE}/y@{MINE} rw,", before=before) == [  # a policy's paths begin with '/'
        "file r /etc/x, /more/x, /usr/etc/x;", "file rw /a/y{/a,/b}, /b/y{/a,/b};"]


def test_a_priority_that_changes_nothing_is_left_out(pale, tmp_path):
    assert imported(pale, tmp_path, "priority=3 /a r,\n/b r,") == ["file r /a;", "file r /b;"]


@pytest.mark.parametrize("body, said", [
    ("priority=3 /a r,\ndeny /** r,", "of '/a', r of others, the profile allows it and the policy refuses it without a word"),
    ("link /a -> /b,", "to what a link may lead, such as of '/a'"),
    ("link subset /a/* -> /b,", "such as of '/a/a'"),
    ("other /etc/x w,", "nothing of others' files alone, such as of '/etc/x'"),
    ("prompt /x r,", "a policy asks nobody, such as of '/x'"),
    ("all,", "does not allow everything with one rule"),
    ("network,", "names the families of sockets"),
    ("network inet stream ip=127.0.0.1 port=80,", "families and types of sockets alone"),
    ("signal send set=emt,", "has no name for one of these signals"),
    ("/a r,\nprofile kid { }", "holds no children or hats, and 'kid' is one"),
])
def test_what_no_policy_says_is_an_error_with_a_witness(pale, tmp_path, body, said):
    got = pale("import", written(tmp_path, body), "-o", tmp_path / "out.pale", check=None)
    assert got.rc == 1 and said in got.err and got.out == "", got.err
    assert not (tmp_path / "out.pale").exists()


@pytest.mark.parametrize("head, before, said", [
    ("profile :ns:web /usr/bin/web", HEAD, "5:1: error: a policy is of no namespace, and this profile is of 'ns'"),
    ("profile web /usr/bin/web", HEAD + "alias /a -> /b,\n", "3:7: error: a policy has no aliases, and the file has")])
def test_what_a_profiles_head_says_and_no_policy(pale, tmp_path, head, before, said):
    got = pale("import", written(tmp_path, "/a r,", head=head, before=before), check=None)
    assert got.rc == 1 and "[PL397 not-a-policys]" in got.err and said.split(": ", 1)[1] in got.err and got.out == "", got.err


@pytest.mark.parametrize("head, want", [
    ("flags=(complain)", "apparmor flags=(complain);"),
    ("flags=(attach_disconnected,mediate_deleted  complain)", "apparmor flags=(attach_disconnected, mediate_deleted, complain);"),
    ("(audit)", "apparmor (audit);"),
    ("flags=(attach_disconnected.path=@{MINE}x kill.signal=term)", "apparmor flags=(attach_disconnected.path=/ax, kill.signal=term);"),
    ("xattrs=(user.a=b user.c=\"d e\") flags=(kill)", "apparmor xattrs=(user.a=b, user.c=\"d e\") flags=(kill);"),
    ("+ identities=(a b) flags=(enforce)", "apparmor + identities=(a, b) flags=(enforce);"),
])
def test_what_else_a_profiles_head_says_becomes_a_line(pale, tmp_path, head, want):
    f = written(tmp_path, "/a r,", head=f"profile web /usr/bin/web {head}", before=HEAD + "@{MINE}=/a\n")
    assert imported(pale, tmp_path, "/a r,", head=f"profile web /usr/bin/web {head}", before=HEAD + "@{MINE}=/a\n") == [want, "file r /a;"]
    pale("import", f, "-o", tmp_path / "p.pale")
    assert pale("fmt", tmp_path / "p.pale").out == (tmp_path / "p.pale").read_text()
    assert "xattrs" in head or pale("sim", tmp_path / "p.pale", "open /x r").out == pale("sim", f, "open /x r").out


def test_a_child_is_a_policy_of_its_own(pale, tmp_path):
    f = written(tmp_path, "/a r,\nprofile kid { /b r, }")
    got = pale("import", f, "--profile", "kid")
    assert rules(got.out) == ["file r /b;"] and "[PL399 not-imported]" in got.err
    assert rules(pale("import", f, "--profile", "web", check=0).out) == ["file r /a;"]


def test_a_child_that_is_changed_to_is_the_policys(pale, tmp_path):
    """The policy cannot have the profile's name, and its child's holds it."""
    body = "/x Cx -> kid,\n/** r,\nowner /proc/*/attr/{apparmor/,}{current,exec} w,\nprofile kid { /b r, }"
    got = pale("import", written(tmp_path, body, head="/usr/bin/web"), "--profile", "/usr/bin/web", check=None)
    assert "another transition" not in got.err, got.err


def test_classes_of_another_abi_are_said_whole(pale, tmp_path):
    """userns is refused under abi 4.0, which a policy without a rule of it would not ask for."""
    four = HEAD.replace("3.0", "4.0")
    base = tmp_path / "base/abi"
    base.mkdir(parents=True)
    (base / "4.0").write_text("dbus {} signal {} ptrace {} mount {} network {af_unix {}} network_v8 {} ipc {posix_mqueue {}} namespaces {mask {userns_create}}")
    f = written(tmp_path, "/a r,", before=four)
    out = rules(pale("import", f, "-I", tmp_path / "base").out)
    assert out == ["file r /a;", "deny mqueue;", "deny userns;"]
    got = pale("import", written(tmp_path, "/a r,\nuserns,"))
    assert rules(got.out) == ["file r /a;"] and "rules of userns are left out" in got.err


def test_another_format_takes_no_option_of_apparmor(pale, tmp_path):
    f = tmp_path / "x.json"
    f.write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    assert pale("import", f, "--profile", "x", check=None).rc == 2
    assert pale("import", written(tmp_path, "/a r,"), "--host", "x86_64", check=None).rc == 2


PATHS = ["/a", "/a/b", "/b/x", "/etc/x", "/etc/a/b", "/bin/sh", "/bin/no", "/home/u/x"]
GLOBS = ["/a", "/a/*", "/**", "/etc/**", "/etc/?", "/{a,b}/*", "/bin/*", "/bin/no", "@{HOME}/**", "/[ab]/**"]


def random_body(rng):
    out = []
    for _ in range(rng.randrange(1, 8)):
        kind, prefix = rng.random(), rng.choice(["", "", "", "audit ", "deny ", "audit deny "])
        who = rng.choice(["", "", "owner "])
        if kind < 0.75:
            perms = rng.choice(["r", "rw", "a", "rk", "m", "rl"])
            perms = ("x" if "deny" in prefix else "ix") if rng.random() < 0.3 else perms
            priority = f"priority={rng.randrange(-1, 2)} " if rng.random() < 0.2 else ""
            out.append(f"{priority}{prefix}{who}{rng.choice(GLOBS)} {perms},")
        elif kind < 0.85:
            out.append(f"{prefix}capability {rng.choice(['chown', 'kill', 'bpf'])},")
        elif kind < 0.95:
            out.append(f"{prefix}network {rng.choice(['inet', 'inet stream', 'netlink raw'])},")
        else:
            out.append(f"{prefix}signal send set=({rng.choice(['term', 'kill term'])}) peer={rng.choice(['a', 'a*'])},")
    return "\n".join(out)


def test_random_profiles_answer_as_their_policies(pale, tmp_path):
    rng = random.Random(397)
    asked = [f"open {p} {c}" for p in PATHS for c in "rwmk"] + [f"exec {p}" for p in PATHS] + [
        "cap chown", "cap kill", "cap bpf", "socket inet stream", "socket inet dgram", "socket netlink raw", "signal send term peer=a", "signal send kill peer=ab"]
    taken = 0
    for _ in range(some(80)):
        f = written(tmp_path, random_body(rng))
        got = pale("import", f, "-o", tmp_path / "web.pale", check=None)
        assert got.rc in (0, 1) and (got.rc == 0 or "[PL398" in got.err), f.read_text() + got.err
        if got.rc:
            continue
        taken += 1
        one, two = (["  ".join(line.split("  ")[:3 if line.split("  ")[2] in ("owner", "other") else 2]) for line in pale("sim", file, *asked).out.splitlines()]
                    for file in (f, tmp_path / "web.pale"))
        assert one == two, f.read_text()
    assert taken >= some(60)


@pytest.mark.once
def test_packaged_profiles_become_policies(pale, tmp_path):
    """Those without children, each shown to be the same."""
    base = tmp_path / "base"
    said = {}
    for path in profiles_into(base):
        if path.parent.name:
            continue
        f = tmp_path / path.name
        f.write_text((base / path).read_text())
        got = pale("import", "-I", base, f, "-o", tmp_path / "out.pale", check=None)
        assert got.rc in (0, 1), got.err
        said[path.name] = got.rc == 0 or re.search(r"error: (.*)", got.err).group(1)
    left = {name: why for name, why in said.items() if why is not True}
    assert len(said) - len(left) >= 18 and all(re.search("PL397|PL373|PL350", why) for why in left.values()), left
    # With children: alone, where it is named.
    parents = [name for name, why in left.items() if "holds no children" in why]
    for name in parents:
        names = re.findall("'([^']+)'", pale("sim", "-I", base, "--profile", "none", tmp_path / name, "cap chown", check=1).err.split("--profile NAME:")[1])
        got = pale("import", "-I", base, "--profile", names[0], tmp_path / name, "-o", tmp_path / "out.pale", check=None)
        assert got.rc == 0 and "are left out, too [PL399" not in got.out, got.err
    assert parents


def test_a_profile_is_imported_without_its_children_where_it_is_named(pale, tmp_path):
    """What the parser adds for children (w without a, of /proc/*/attr) no policy says, and it is theirs."""
    (tmp_path / "p.aa").write_text("abi <abi/3.0>,\nprofile p /bin/p {\n  /etc/p r,\n  profile kid {\n    /etc/kid r,\n  }\n  ^hat {\n    /etc/hat r,\n  }\n}\n")
    assert "[PL397 not-a-policys]" in pale("import", tmp_path / "p.aa", check=1).err
    got = pale("import", "--profile", "p", tmp_path / "p.aa", "-o", tmp_path / "p.pale", check=0)
    assert "by which programs change to children are left out, too" in got.err
    # The rest is the same, and the difference is told.
    lines = pale("sim", tmp_path / "p.pale", "open /etc/p r", "open /etc/kid r", "open owner /proc/1/attr/current w", check=None).out.splitlines()
    assert [line.split()[0] for line in lines] == ["allowed", "refused", "refused"]
    assert pale("diff", "--profile-a", "p", tmp_path / "p.aa", tmp_path / "p.pale", check=1).out
