# SPDX-License-Identifier: Apache-2.0
"""Rules in AppArmor's own words: which are calls, how they are laid out, what is written of them."""
import re

import pytest

from conftest import need, run, skip

HEAD = "policy p {{\n    program /usr/bin/p;\n    layers {};\n    arch x86_64;\n{}\n}}\n"

RULES = [
    "mount options=(rw, bind) /srv -> /mnt;", "mount;", "mount fstype in (ext*, xfs) options in (ro, noexec) /dev/** -> /mnt/*/;",
    "remount options=ro /;", "umount /mnt/**;", "umount;", "pivot_root;", "pivot_root oldroot=/old/ /new/;",
    "ptrace;", "ptrace (read, trace) peer=x;", "ptrace tracedby peer=@{profile_name};", "unix;",
    'unix (send, receive) type=stream peer=(label=x, addr="@x");', "unix type=dgram;", "dbus;",
    "dbus send bus=system path=/org/x interface=a.b member=c peer=(name=org.x);", "mqueue (create, open) type=posix /q;",
    "userns;", "userns create;", "io_uring;", "io_uring (sqpoll, override_creds) label=x;", "change_profile;", "change_profile /bin/x -> y;",
    "change_profile unsafe /bin/x -> y;", "deny any mount;", "log any ptrace;", "allow any umount;", "deny any pivot_root;",
    "quiet deny mount;", "quiet deny ptrace;", "deny userns;", "allow unix;", "log dbus send;", "deny mount fstype=proc;",
    "deny ptrace (read, trace);", 'umount "/a;b";', "umount /a\\;b;", "umount /a#b;", "umount /a{b,c{d,e}}/[{};;]f;".replace(";;", ""), 'umount "/a # b";',
    'umount "/a \\" b";',
]


def policy(body, layers="seccomp, apparmor"):
    return HEAD.format(layers, "\n".join(f"    {line}" for line in body.splitlines()))


def profile(pale, file, body, layers="apparmor", check=0):
    file.write_text(policy(body, layers))
    return pale("compile", "-q", "-t", "apparmor", "-o", "-", file, check=check)


def rules(r):
    return [line.split("  #")[0].strip() for line in r.out.split("{", 1)[1].rsplit("}", 1)[0].splitlines() if line.strip()]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_laid_out_as_it_stands(pale, tmp_path, rule):
    file = tmp_path / "p.pale"
    file.write_text(policy(rule))
    assert pale("fmt", file, check=0).out == policy(rule)


def test_a_long_rule_is_laid_out_anew_and_its_comments_stay(pale, tmp_path):
    file = tmp_path / "p.pale"
    file.write_text(policy("ptrace (read  trace)   # first; second }\n  peer=x ; # beside\n# above\nunix(send receive)\n\ttype=stream;"))
    assert pale("fmt", file, check=0).out == policy(
        "# first; second }\nptrace (read, trace) peer=x; # beside\n# above\nunix (send, receive) type=stream;")


@pytest.mark.parametrize("text, call", [
    ("deny mount;", "mount"), ("deny mount, umount2;", "mount"), ("deny read, mount;", "mount"), ("log ptrace;", "ptrace"),
    ("deny ptrace(request == 16);", "ptrace(16)"), ("deny ptrace (request == 16);", "ptrace(16)"),
    ("deny ptrace (request in {16, 17});", "ptrace(17)"), ("deny ptrace (reg request has 16);", "ptrace(16)"), ("deny ptrace (not request == 3);", "ptrace(16)"),
    ("deny ptrace # why\n    (request == 16);", "ptrace(16)"), ("deny pivot_root;", "pivot_root"), ("errno ENOSYS mount, ptrace;", "ptrace"), ("kill mount;", "mount")])
def test_a_bare_name_behind_a_prefix_is_the_call(pale, tmp_path, text, call):
    file = tmp_path / "p.pale"
    file.write_text(policy(text, "seccomp"))
    assert pale("sim", file, call, check=0).out.strip() != "ALLOW"
    r = pale("explain", file, call, check=0)
    assert "p.pale:5:" in r.out and f" {call.split('(')[0]}" in r.out, r


@pytest.mark.parametrize("rule, written", [
    ("mount;", "mount,"), ("deny any mount;", "audit deny mount,"), ("quiet deny mount;", "deny mount,"), ("log any ptrace;", "audit ptrace,"),
    ("allow any umount;", "umount,"), ("deny ptrace (read, trace);", "audit deny ptrace (read, trace),"), ("log unix type=dgram;", "audit unix type=dgram,"),
    ("deny dbus send bus=system;", "audit deny dbus send bus=system,"), ("mount # c\n options=(bind  rw)\n/a -> /b;", "mount options=(bind, rw) /a -> /b,"),
    ('umount "/a;b c";', 'umount "/a;b c",'), ("change_profile /bin/x -> y;", "change_profile /bin/x -> y,")])
def test_a_rule_is_written_with_its_prefix(pale, tmp_path, rule, written):
    assert rules(profile(pale, tmp_path / "p.pale", rule)) == [written]


def test_each_class_is_a_section_sorted_with_the_places(pale, tmp_path):
    r = profile(pale, tmp_path / "p.pale", "umount /b;\nptrace read;\numount /a;\numount /b;\nfile r /x;")
    assert r.out.split(" {\n", 1)[1] == ("  umount /a,  # p.pale:7\n  umount /b,  # p.pale:5\n"
                                       "\n  ptrace read,  # p.pale:6\n\n  /x r,  # p.pale:9\n}\n")


def test_a_set_brings_its_rules(pale, tmp_path):
    file = tmp_path / "p.pale"
    file.write_text(policy("use s, t except mount;", "apparmor") + "set s { umount /a; }\nset t { umount /a; when kernel >= 5.0 { ptrace read; } }\n")
    r = pale("compile", "-q", "-t", "apparmor", "-o", "-", "--kernel", "6.1", file, check=1)
    assert "none of these sets has a rule for 'mount'" in r.err  # `except` is about calls
    file.write_text(file.read_text().replace(" except mount", ""))
    r = pale("compile", "-q", "-t", "apparmor", "-o", "-", "--kernel", "6.1", file, check=0)
    assert rules(r) == ["umount /a,", "ptrace read,"] and "(set s)" in r.out


def test_logging_refuses_nothing(pale, tmp_path):
    file = tmp_path / "p.pale"
    file.write_text(policy("deny any mount;\nquiet deny ptrace;\numount /a;", "apparmor"))
    r = pale("compile", "-q", "-t", "apparmor", "-o", "-", "--log-only", file, check=0)
    assert rules(r) == ["audit mount,", "umount /a,", "ptrace,"] and "flags=(complain)" in r.out


@pytest.mark.parametrize("rule, abi", [
    ("mount fstype=proc;", "3.0"), ("userns;", "4.0"), ("mqueue type=posix /q;", "4.0"), ("mqueue label=x /q;", "5.0"), ("io_uring sqpoll;", "5.0"),
    ("unix;", "3.0"), ("unix type=stream;", "3.0"), ("unix (send, receive);", "5.0"), ('unix addr="@x";', "5.0"), ("deny unix;", "5.0"),
    ("dbus send;", "3.0"), ("change_profile -> x;", "3.0"), ("userns;\nio_uring;", "5.0"), ("mount options=nosymfollow /a -> /b;", "3.0")])
def test_the_oldest_abi_that_mediates_it_is_written(pale, tmp_path, rule, abi):
    assert f"\nabi <abi/{abi}>,\n" in profile(pale, tmp_path / "p.pale", rule).out


@pytest.mark.parametrize("rule, says", [("userns;", "since Linux 6.7"), ("deny unix;", "since Linux 6.17"), ("mqueue /q;", "no kernel"), ("mount;", "")])
def test_what_no_older_kernel_mediates_is_told(pale, tmp_path, rule, says):
    r = profile(pale, tmp_path / "p.pale", rule)
    assert ("[PL391 " in r.err) == bool(says) and says in r.err


def target(pale, file, body, t, check=0):
    file.write_text(policy(body, "apparmor"))
    return pale("compile", "-q", "-t", t, "-o", "-", file, check=check)


@pytest.mark.parametrize("release, abi", [("3.0", "3.0"), ("4.0", "4.0"), ("4.1", "4.0"), ("4.1.2", "4.0"), ("5.0", "5.0")])
def test_a_target_gets_its_own_abi(pale, tmp_path, release, abi):
    assert f"\nabi <abi/{abi}>,\n" in target(pale, tmp_path / "p.pale", "umount /a;", f"apparmor={release}").out


@pytest.mark.parametrize("rule, t, says", [
    ("userns;", "apparmor=3.0", "[PL338 "), ("mount options=nosymfollow /a -> /b;", "apparmor=3.0", "'nosymfollow' as an option is read since AppArmor 4.0"),
    ("mqueue r;", "apparmor=3.0", "'mqueue' rules are read since AppArmor 4.0"), ("io_uring sqpoll;", "apparmor=4.1", "'io_uring' is mediated since AppArmor 5.0"),
    ('unix addr="@x";', "apparmor=4.1", "write 'network unix'"), ("deny unix;", "apparmor=3.0", "and what it denies"), ("mqueue label=x;", "apparmor=4.1", "[PL390 "),
    ("userns;", "apparmor=5.0,kernel=6.1", "since Linux 6.7, and the target is 6.1"), ("mqueue /q;", "kernel=7.2,apparmor=5.0", "no kernel mediates it"),
    ("deny unix;", "apparmor=5.0,kernel=6.12", "since Linux 6.17")])
def test_what_a_target_lacks_is_an_error(pale, tmp_path, rule, t, says):
    r = target(pale, tmp_path / "p.pale", rule, t, check=1)
    assert says in r.err and "help: " in r.err and not r.out and "p.pale:5:" in r.err


@pytest.mark.parametrize("rule, t", [("userns;", "apparmor=4.1,kernel=6.12"), ("io_uring sqpoll;", "apparmor=5.0,kernel=7.2"), ("unix;", "apparmor=3.0,kernel=6.1"),
                                     ("mount fstype=proc;", "apparmor=3.0"), ('unix addr="@x";', "apparmor=5.0,kernel=6.17")])
def test_what_a_target_has_is_written_without_a_word(pale, tmp_path, rule, t):
    assert not target(pale, tmp_path / "p.pale", rule, t).err


@pytest.mark.parametrize("t", ["kernel=6.1", "apparmor=3.0,apparmor=4.1", "apparmor=9", "apparmor=5.0,kernel=x", "apparmor=5.0,kernel=6.1.2"])
def test_a_target_that_is_none_is_wrong_usage(pale, tmp_path, t):
    assert not target(pale, tmp_path / "p.pale", "umount /a;", t, check=2).out


def test_check_asks_each_release_that_is_named(pale, tmp_path):
    file = tmp_path / "p.pale"
    file.write_text(policy("userns;", "apparmor"))
    r = pale("check", "-t", "apparmor=3.0,apparmor=4.1", file, check=1)
    assert [line.split("(")[0].split() for line in r.out.splitlines()[1:]] == [["apparmor=3.0", "refused"], ["apparmor=4.1", "ok"]]


def test_an_older_parser_that_is_installed_is_told(pale, tmp_path):
    said = run([need("apparmor_parser"), "--version"], check=0).out
    if int(re.search(r"version (\d+)\.", said)[1]) >= 5:
        skip("the parser that is installed reads all there is")
    file = tmp_path / "p.pale"
    file.write_text(policy("umount /a;\nio_uring sqpoll;", "apparmor"))
    r = pale("check", file, check=1)
    assert "p.pale:6:5: error: this needs the parser of AppArmor 5.0 or newer" in r.err and "[PL392 " in r.err and "apparmor     refused" in r.out


def test_diff_says_same_of_the_same_rules(pale, tmp_path):
    a, b, c = (tmp_path / f"{x}.pale" for x in "abc")
    a.write_text(policy("mount fstype=proc;\numount /a;"))
    b.write_text(policy("umount # c\n /a;\nmount  fstype=proc;"))
    c.write_text(policy("mount fstype=sysfs;\numount /a;"))
    assert "mounts\n" in pale("diff", a, b, check=0).out
    r = pale("diff", a, c, check=1)
    assert "B is looser: mounts\n     tighter: mounts\n" in r.out


def test_merged_policies_have_both_their_rules(pale, tmp_path):
    a, b = tmp_path / "a.pale", tmp_path / "b.pale"
    a.write_text(policy("umount /a;\nuse s;", "apparmor") + "include \"b.pale\";\n")
    b.write_text("set s { umount /a; umount /b; when not kernel >= 9.0 { userns; } }\n")
    r = pale("compile", "-q", "-t", "apparmor", "-o", "-", "--kernel", "6.1", a, check=0)
    assert rules(r) == ["umount /a,", "umount /b,", "userns,"]


@pytest.mark.parametrize("body, said", [
    ("mount fstype=proc;", "AppArmor lets 'mount' pass, and seccomp refuses mount, move_mount"),
    ("mount fstype=proc;\nallow mount;", None), ("mount fstype=proc;\nallow move_mount;", None), ("mount;\nallow mount(flags has MS_BIND);", None),
    ("mount options=(rbind) /a -> /b;\nallow mount(flags has MS_BIND);", None),
    ("mount options=move /a -> /b;\nallow mount(flags has MS_BIND);", "AppArmor lets 'mount' pass, and seccomp refuses mount, move_mount with such flags"),
    ("mount options=bind /a -> /b;\nallow move_mount;", "with such flags"), ("mount options=ro /a -> /b;\nallow move_mount;", "with such flags"),
    ("mount options=move /a -> /b;\nallow move_mount;", None), ("mount options in (move, ro) /a -> /b;\nallow move_mount;", None), ("mount options in (bind, ro) /a -> /b;\nallow mount(flags has MS_BIND);", None),
    ("remount options=ro /;", "AppArmor lets 'remount' pass, and seccomp refuses mount"), ("remount options=ro /;\nallow mount(flags has MS_REMOUNT);", None),
    ("remount options=ro /;\nallow mount(flags has MS_BIND);", "AppArmor lets 'remount' pass, and seccomp refuses mount with such flags"),
    ("remount options in (ro, nosuid) /;\nallow mount(flags == MS_NOSUID);", "AppArmor lets 'remount' pass, and seccomp refuses mount with such flags"),
    ("remount options in (ro, nosuid) /;\nallow mount(flags lacks MS_RDONLY);", None), ("remount /;\nallow mount;", None),
    ("remount /;\nallow mount(flags lacks MS_REMOUNT);", "AppArmor lets 'remount' pass, and seccomp refuses mount with MS_REMOUNT"),
    ("remount options=(bind, ro) /;\nallow mount(flags == MS_REMOUNT|MS_BIND|MS_RDONLY);", None),
    ("remount options=(bind, ro) /;\nallow mount(flags == MS_REMOUNT|MS_RDONLY);", "AppArmor lets 'remount' pass, and seccomp refuses mount with such flags"),
    ("allow mount;", "seccomp lets mount pass, and AppArmor refuses it"), ("allow move_mount;", "seccomp lets move_mount pass"), ("allow mount_setattr;", None),
    ("quiet deny mount;\nmount fstype=proc;\nallow mount;", "seccomp lets mount pass"), ("deny mount fstype=proc;\nmount;\nallow mount;", None),
    ("umount /a;", "AppArmor lets 'umount' pass, and seccomp refuses umount2"), ("umount /a;\nallow umount2;", None), ("allow umount2;", "seccomp lets umount2 pass"),
    ("pivot_root;\nerrno EIO pivot_root;", "this rule refuses it"), ("pivot_root;\nallow pivot_root;", None),
    ("ptrace trace peer=x;", "AppArmor lets 'ptrace' pass"), ("ptrace trace;\nallow process_vm_readv;", None), ("ptrace read;", None), ("ptrace tracedby;", None),
    ("allow ptrace;", "seccomp lets ptrace pass"), ("ptrace read;\nallow ptrace;", "seccomp lets ptrace pass"), ("log any ptrace;\nallow ptrace;", None),
    ("mqueue /q;", "refuses mq_open"), ("allow mq_open;", None), ("mqueue /q;\nallow mq_open;", None), ("io_uring;", "refuses io_uring_setup"), ("allow io_uring_setup;", None),
    ("userns;", "refuses unshare, clone, clone3 with CLONE_NEWUSER"), ("userns;\nallow unshare;", None), ("userns;\nallow clone(flags == CLONE_NEWUSER);", None),
    ("userns;\nallow clone(flags has CLONE_NEWNET);", None), ("userns;\nallow clone(flags lacks CLONE_NEWUSER);", "refuses unshare, clone, clone3"),
    ("allow unshare;", None), ("deny userns;\nallow unshare;", "seccomp lets unshare with CLONE_NEWUSER pass"), ("deny userns;\nallow unshare(flags lacks CLONE_NEWUSER);", None),
    ("unix;", "AppArmor lets sockets of AF_UNIX pass"), ("unix type=stream;\nallow socket(domain == AF_UNIX, (type & SOCK_TYPE_MASK) == SOCK_STREAM);", None),
    ("unix type=dgram;\nallow socket(domain == AF_UNIX, (type & SOCK_TYPE_MASK) == SOCK_STREAM);", "seccomp lets sockets of AF_UNIX"),
    ("unix (send, receive);\nallow socket(domain == AF_UNIX);", "seccomp lets sockets of AF_UNIX"), ("dbus send;", None), ("change_profile -> x;", None)])
def test_check_warns_where_the_two_halves_disagree(pale, tmp_path, body, said):
    file = tmp_path / "p.pale"
    file.write_text(policy("default errno EPERM;\nallow execve;\n" + body))
    r = pale("check", "-t", "bpf", file, check=0)
    assert (said in r.err and "[PL140 layers-disagree]" in r.err) if said else "PL140" not in r.err


@pytest.mark.parametrize("first, second, said", [("", "allow umount2;", "refuses umount2"), ("allow umount2;", "", "refuses umount2"), ("allow umount2;", "allow umount2;", None)])
def test_halves_are_compared_on_every_architecture(pale, tmp_path, first, second, said):
    file = tmp_path / "p.pale"
    file.write_text(policy(f"default errno EPERM;\nallow execve;\numount /a;\nwhen arch x86_64 {{ {first} }}\nwhen arch aarch64 {{ {second} }}").replace("arch x86_64;", "arch x86_64, aarch64;", 1))
    r = pale("check", "-t", "bpf", file, check=0)
    assert (said in r.err and r.err.count("PL140") == 1) if said else "PL140" not in r.err


def test_halves_are_compared_in_every_environment(pale, tmp_path):
    file = tmp_path / "p.pale"
    file.write_text(policy("default errno EPERM;\nallow execve;\nwhen kernel >= 5.0 { allow mount, socket; }\nmount;"))
    r = pale("check", "-t", "docker", file)
    assert "seccomp lets sockets" in r.err and "'mount' pass" not in r.err and "bug" not in r.err


# AppArmor's parser joins it to the quote, blank or comma behind it, and so to the rules that follow.
@pytest.mark.parametrize("word", ['"/a b\\\\"', '"/a\\"', "/a\\\\\n", "/a\\\n"])
@pytest.mark.parametrize("rule", ["umount %s;", "mount fstype=proc %s -> /b;", "unix (send) peer=(label=%s);", "dbus name=(%s);", "change_profile %s -> b;",
                                  "ptrace (read) peer=%s;"])
def test_no_word_that_ends_in_a_backslash_is_compiled(pale, tmp_path, rule, word):
    file = tmp_path / "p.pale"
    file.write_text(policy(rule % word + '\ndeny ptrace peer=secret;\nptrace peer=", #";', "apparmor"))
    out = pale("compile", "-t", "apparmor", "-o", "-", file, check=1)
    assert not out.out and "PL0" in out.err, out


def test_an_octal_backslash_is(pale, tmp_path):
    said = profile(pale, tmp_path / "p.pale", 'umount "/a b\\134";\nptrace peer=", #";')
    assert '"/a b\\134",' in said.out
