# SPDX-License-Identifier: Apache-2.0
"""pale check asks every target's loader; pale explain shows what speaks of a call or a path."""
import os

import pytest

from conftest import PALE, PATIENCE, ROOT, need

RULES = """\
policy p {
	level linux 6.18;
	layers seccomp, apparmor;
	arch x86_64, aarch64;
	default errno EPERM;
	allow execve, read;
	allow socket(domain == AF_INET);
	kill socket(domain == AF_NETLINK);
	errno EACCES socket(domain in {AF_INET, AF_VSOCK} and protocol == 17);
	file r /etc/**;
	deny file w /etc/shadow;
	owner file rw /etc/own;
	file ix /etc/init.d/*;
	file r @{HOME}/x;
}
"""


@pytest.fixture
def rules(tmp_path):
    f = tmp_path / "p.pale"
    f.write_text(RULES)
    return f


def lines(r):
    return [line.split(None, 1) for line in r.out.splitlines()]


def test_explain_lists_by_rank_what_could_match(pale, rules):
    r = pale("explain", rules, "--arch", "x86_64", "socket", check=0)
    assert "socket on x86_64" in r.out and "aarch64" not in r.out
    body = r.out.splitlines()[1:]
    assert [line.split("  ")[2 if line.startswith("    ") else 1].strip() for line in body] == \
        ["if it matches"] * 3 + ["otherwise"]
    assert "KILL_PROCESS" in body[0] and f"{rules}:8:7" in body[0]
    assert "ERRNO(13)" in body[1] and "ALLOW" in body[2] and "5:2: default errno EPERM;" in body[3]


@pytest.mark.parametrize("call, roles", [
    ("socket(AF_INET, SOCK_STREAM, 6)", {"8:": "no match", "9:": "no match", "7:": "decides"}),
    ("socket(AF_INET, SOCK_STREAM, 17)", {"8:": "no match", "9:": "decides", "7:": "outranked"}),
    ("socket(AF_INET)", {"8:": "no match", "9:": "if it matches", "7:": "decides"}),
    ("socket(AF_NETLINK)", {"8:": "decides", "9:": "no match", "7:": "no match"}),
    ("socket(AF_UNIX)", {"8:": "no match", "9:": "no match", "7:": "no match", "5:": "decides"}),
])
def test_explain_roles(pale, rules, call, roles):
    r = pale("explain", rules, "--arch", "x86_64", call, check=0)
    for line in r.out.splitlines()[1:]:
        for place, role in roles.items():
            if f"{rules}:{place}" in line:
                assert line.strip().startswith(role), line
    assert all(f"{rules}:{place}" in r.out for place in roles)


def test_explain_both_architectures_and_a_foreign_one(pale, rules):
    r = pale("explain", rules, "read", check=0)
    assert r.out.startswith("read on x86_64, aarch64\n  decides        ALLOW")  # alike: one
    r = pale("explain", rules, "socket(AF_INET, 0x80801)", check=0)
    assert r.out.count("socket(AF_INET, 0x80801) on x86_64, aarch64\n") == 1
    r = pale("explain", rules, "--arch", "i386", "read", check=0)
    assert "KILL_PROCESS" in r.out and "foreign" in r.out


WHEN = """\
policy w {
    arch x86_64, aarch64;
    default errno EPERM;
    allow read;
    when capability sys_admin { allow mount, clone; }
    when not capability sys_admin { allow clone(flags lacks CLONE_NEWUSER); errno EACCES setns; }
    when capability sys_admin { errno ENOSYS setns; }
    when kernel >= 4.8 { allow ptrace; }
    when host s390x { allow brk; }
    when arch x86_64 { log arch_prctl; }
}
"""


@pytest.mark.parametrize("call, wanted", [
    ("read", ["on x86_64, aarch64", "decides  ALLOW"]),
    ("mount", ["on x86_64, aarch64", "if so  ALLOW, with CAP_SYS_ADMIN", "otherwise  ERRNO(1)"]),
    ("ptrace", ["on x86_64, aarch64", "if so  ALLOW, kernel >= 4.8", "otherwise  ERRNO(1)"]),
    ("clone", ["on x86_64, aarch64", "if so  ALLOW, with CAP_SYS_ADMIN",
               "if it matches  ALLOW, without CAP_SYS_ADMIN", "otherwise  ERRNO(1)"]),
    ("clone(0)", ["on x86_64, aarch64", "if so  ALLOW, with CAP_SYS_ADMIN",
                  "if so  ALLOW, without CAP_SYS_ADMIN"]),  # one of them holds
    ("setns", ["on x86_64, aarch64", "if so  ERRNO(13), without CAP_SYS_ADMIN",
               "if so  ERRNO(38), with CAP_SYS_ADMIN"]),
    ("brk", ["on x86_64, aarch64", "decides  ERRNO(1)"]),
    ("arch_prctl", ["on x86_64", "decides  LOG"]),
])
def test_explain_tells_what_when_leaves_open(pale, tmp_path, call, wanted):
    f = tmp_path / "w.pale"
    f.write_text(WHEN)
    r = pale("explain", f, call, check=0)
    got = ["  ".join(line.split("  ")[0:1] + [w.strip() for w in line.split("  ")[1:] if w][:2])
           .strip() for line in r.out.splitlines()]
    assert r.err == "" and got == [f"{call} {wanted[0]}", *wanted[1:]], r
    known = pale("explain", f, call, "--caps", "none", "--kernel", "6.1", "--host", "x86_64",
                 check=0)
    assert "CAP_" not in known.out and "if so" not in known.out, known


def test_the_policys_own_capability_lines_are_an_environment(pale, tmp_path):
    f = tmp_path / "w.pale"
    f.write_text("policy w { arch x86_64; layers seccomp; capability sys_admin; default errno EPERM;"
                 " when capability sys_admin { allow mount; } }")
    assert "decides        ALLOW  " in pale("explain", f, "mount", check=0).out


def test_explain_of_dockers_profile_needs_no_options(pale):
    r = pale("explain", ROOT / "profiles/found/docker-default.json", "clone", check=0)
    assert r.err == ""
    parts = r.out.split("clone on ")[1:]
    assert len(parts) == 2 and parts[1].startswith("s390x\n") and "aarch64" in parts[0]
    assert all("if so          ALLOW, with CAP_SYS_ADMIN" in p and
               "if it matches  ALLOW, without CAP_SYS_ADMIN" in p for p in parts)


def test_explain_path(pale, rules):
    r = pale("explain", rules, "/etc/passwd", check=0)
    assert f"{rules}:10:9" in r.out and "in all" in r.out and "r" in r.out
    r = pale("explain", rules, "/etc/shadow", check=0)
    assert "denies" in r.out and f"{rules}:11:14" in r.out
    r = pale("explain", rules, "/etc/own", check=0)
    assert "its owner" in r.out and "owner also w" in r.out
    r = pale("explain", rules, "/etc/init.d/x", check=0)
    assert "ix" in r.out
    r = pale("explain", rules, "/home/a/x", check=0)
    assert "allows         r  " in r.out  # @{HOME} is opened


@pytest.mark.parametrize("what, rc", [("nosuch", 1), ("socketcall", 1), ("#999", 0)])
def test_explain_of_what_is_not_there(pale, rules, what, rc):
    r = pale("explain", rules, what)
    assert r.rc == rc and (rc == 0) == bool(r.out)


def test_check_tells_each_target(pale, rules):
    need("apparmor_parser")
    r = pale("check", rules)
    got = {line.split("  ")[0].strip(): line for line in r.out.splitlines()[1:]}
    assert set(got) == {"bpf x86_64", "bpf aarch64", "docker", "oci", "apparmor"}
    for name in "bpf x86_64", "bpf aarch64", "apparmor":
        assert " ok " in got[name], r
    assert "instructions" in got["bpf x86_64"]
    assert r.rc == (1 if "refused" in r.out else 0)


def test_check_warns_that_nothing_can_start(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text("policy p { arch x86_64, i386; allow read; }")
    r = pale("check", "-t", "bpf", f, check=0)
    assert "[PL202 cannot-start]" in r.err and "start-run" in r.err
    f.write_text("policy p { arch x86_64; allow execve; }")
    assert "PL202" not in pale("check", "-t", "bpf", f, check=0).err


@pytest.mark.parametrize("rules, said", [
    ("allow socket(domain == AF_INET);", "seccomp lets sockets of AF_INET pass, and AppArmor refuses them"),
    ("network inet stream;", None),
    ("allow socket(domain == AF_INET); network inet;", None),
    ("network inet stream; errno EACCES socket;", "AppArmor lets sockets of AF_INET pass, and seccomp refuses them"),
    ("allow socket;", "seccomp lets sockets of AF_UNIX, AF_INET, "),
    ("network inet stream; allow socket(domain == AF_INET, (type & SOCK_TYPE_MASK) == SOCK_DGRAM);",
     "seccomp lets sockets of AF_INET SOCK_DGRAM pass, and AppArmor refuses them"),
    ("network inet; errno EACCES socket(domain == AF_INET, (type & SOCK_TYPE_MASK) == SOCK_RAW);",
     "AppArmor lets sockets of AF_INET SOCK_RAW pass, and seccomp refuses them"),
    ("network inet; deny network inet raw;", None),
    ("network inet stream; allow socket(domain == AF_INET, (type & SOCK_TYPE_MASK) == SOCK_STREAM, protocol == 6);", None),
])
def test_check_warns_where_layers_disagree(pale, tmp_path, rules, said):
    f = tmp_path / "p.pale"
    f.write_text(f"policy p {{ arch x86_64; layers seccomp, apparmor; allow execve; {rules} }}")
    r = pale("check", "-t", "bpf", f, check=0)
    assert (said in r.err and "[PL140 layers-disagree]" in r.err) if said else "PL140" not in r.err


def test_check_refuses_what_the_kernel_would(pale, tmp_path):
    values = ", ".join(str(i * 7919 % 1000003) for i in range(6000))
    f = tmp_path / "p.pale"
    f.write_text(f"policy p {{ arch x86_64; allow ioctl(cmd in {{{values}}}); }}")
    r = pale("check", "-t", "bpf", f)
    assert r.rc == 1 and "refused" in r.out and "[PL200 too-large]" in r.err


def test_check_reads_json_and_junk(pale, tmp_path):
    r = pale("check", ROOT / "profiles/found/docker-default.json", check=0)
    assert r.out.startswith("libseccomp   ok")
    f = tmp_path / "junk"
    f.write_bytes(bytes(range(256)) * 3)
    r = pale("check", f)
    assert r.rc == 1 and "error:" in r.err
    assert pale("check", tmp_path).rc == 1
    assert pale("check", tmp_path / "none").rc == 3
    assert pale("check").rc == 2
    assert pale("check", "-t", "magic", f).rc == 2


def test_check_reads_apparmor_profiles(pale, tmp_path):
    need("apparmor_parser")
    f = tmp_path / "prof"
    f.write_text("abi <abi/3.0>,\nprofile x /bin/x {\n  /etc/passwd r,\n}\n")
    assert pale("check", f, check=0).out.startswith("apparmor=5.0 ok\napparmor=")
    f.write_text("abi <abi/3.0>,\nprofile x /bin/x {\n  /etc/passwd zz,\n}\n")
    r = pale("check", f)
    assert r.rc == 1 and "'zz' is not what may be done with a file" in r.err


def test_no_arch_line_is_a_note(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text("policy p { allow read; }")
    r = pale("sim", f, "read", check=0)
    assert "[PL104 arch-not-said]" in r.err


def test_option_arch_must_be_listed(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text("policy p { arch x86_64; allow read; }")
    r = pale("check", "--arch", "aarch64", f)
    assert r.rc == 1 and "[PL146 arch-not-listed]" in r.err


HOSTILE = {
    "chain": "policy p { arch x86_64; allow read(" + " or ".join(["count == 1"] * 1500) + "); }",
    "not": "policy p { arch x86_64; allow read(" + "not " * 150 + "count == 1); }",
    "use": "policy p { arch x86_64; " + "use s; " * 50000 + "}\nset s { allow read; }",
    "rules": "policy p { arch x86_64; " + "allow read(count == 1); " * 50000 + "}",
    "conflicts": "policy p { arch x86_64; " + "".join(
        f"errno {i % 4000 + 1} ioctl(arg == {i}, reg arg4 > {i} or reg arg5 < {i} or reg arg3 != {i}); " for i in range(300)) + "}",
    "globs": "policy p { arch x86_64; layers seccomp, apparmor; " + "".join(
        f"file {'ix' if i % 2 else 'px'} /{'*a' * 300}{i}; " for i in range(20)) + "}",
    "in": "policy p { arch x86_64; allow read(count in {" + ", ".join(map(str, range(70000))) + "}); }",
    "names": "".join(f"set s{i} {{ }}\n" for i in range(3000)),
    "policies": "".join(f"policy p{i} {{ arch x86_64; }}\n" for i in range(3000)),
    "data": "policy p { arch x86_64; " + "".join(f"errno EPERM read(count == {i}); " for i in range(40000)) + "}",
    "unknown": "policy p { arch x86_64; " + "allow nosuch; " * 20000 + "}",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_input_ends(pale, tmp_path, name):
    f = tmp_path / "p.pale"
    f.write_text(HOSTILE[name])
    r = pale("sim", f, "getpid", timeout=PATIENCE)
    assert r.rc in (0, 1)
    assert len(r.err) < 100000


def test_check_works_in_every_environment_as_far_as_that_goes(pale, tmp_path):
    f = tmp_path / "w.pale"
    f.write_text(WHEN.replace("arch", "layers seccomp, apparmor; arch", 1).replace(
        "allow read;", "allow read, execve;").replace("    when kernel", "    file r /x;\n    when kernel"))
    r = pale("check", f, check=0)
    said = [line[:13].strip() for line in r.out.splitlines() if "not checked" in line]
    assert said == ["oci", "bpf", "apparmor"], r
    assert "docker       ok (as " in r.out and "in every environment" in r.out, r
    assert "in every environment" in pale("check", "-t", "docker", f, check=0).out
    assert "PL131" in pale("check", "-t", "bpf", f, check=1).err
    known = pale("check", f, "-t", "bpf,docker,oci", "--caps", "none", "--kernel", "6.1",
                 "--host", "x86_64", check=0)
    assert "not checked" not in known.out and "bpf x86_64   ok" in known.out, known


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\ufeff"])
def test_a_file_with_nothing_in_it_is_not_well(pale, tmp_path, text):
    f = tmp_path / "e.pale"
    f.write_text(text)
    r = pale("check", f, check=1)
    assert r.out == "" and "no policy" in r.err, r
    assert "no policy" in pale("lint", f, check=1).out


def test_check_of_several_files_says_whose_result_it_is(pale, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.pale").write_text("policy p { level linux 6.18; arch x86_64; default allow; }")
    a, b = str(tmp_path / "a.pale"), str(tmp_path / "b.pale")
    one, two = pale("check", "-t", "bpf", a, check=0).out, pale("check", "-t", "bpf", a, b, check=0).out
    assert two == f"{a}:\n{one}{b}:\n{one}" and a not in one


@pytest.mark.once  # a sanitizer's memory is its own
def test_explain_resolves_a_policy_once(tmp_path):
    """As sim does: three times would take the double."""
    lines = "\n".join(f"allow ioctl(fd == {i});" for i in range(20000))
    f = tmp_path / "big.pale"
    f.write_text("policy p { arch x86_64, i386; layers seccomp; default errno EPERM;\n" + lines + "\n}\n")

    def peak(command):
        """KiB of it alone: what ran before in this process counts in none."""
        pid = os.posix_spawn(PALE, [PALE, command, str(f), "read"], os.environ,
                             file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
        _, status, used = os.wait4(pid, 0)
        assert status == 0
        return used.ru_maxrss

    assert peak("explain") < 1.3 * peak("sim")


@pytest.mark.parametrize("rules, said", [
    ("capability sys_chroot;", "seccomp refuses all that it is for: chroot, fchroot, setns"),
    ("capability sys_chroot; allow fchroot;", None),
    ("capability sys_chroot; allow setns(nstype == 0);", None),
    ("capability chown; allow fchownat;", None),
    ("capability setuid; allow setreuid, setgid;", None),
    ("capability setuid; allow setgid;", "for: setuid, setreuid, setresuid, setfsuid"),
    ("deny capability sys_chroot;", None),
    ("capability net_admin, sys_admin;", None),  # for more than calls
])
def test_check_and_lint_tell_capabilities_none_of_whose_calls_passes(pale, tmp_path, rules, said):
    f = tmp_path / "p.pale"
    f.write_text(f"policy p {{ arch x86_64; level linux 7.3; layers seccomp, apparmor; allow execve, exit_group; {rules} }}")
    r = pale("check", "-t", "bpf", f, check=0)
    assert (said in r.err and "[PL140 layers-disagree]" in r.err) if said else "PL140" not in r.err
    r = pale("lint", "--select", "DS519", f, check=0)
    assert (said in r.out and "[DS519 halves-disagree]" in r.out) if said else "DS519" not in r.out
