# SPDX-License-Identifier: Apache-2.0
"""pale check: the loader's own answer decides; what it says stands where it says it."""
import errno
import os
import pathlib
import re
import resource
import subprocess

import pytest

from conftest import PALE, PATIENCE, ROOT, need, need_root, program, run, skip

NGINX = ROOT / "profiles/examples/nginx.pale"
DOCKER = ROOT / "profiles/found/docker-default.json"
PACKAGED = [p for p in sorted(pathlib.Path("/etc/apparmor.d").glob("*")) if p.is_file()]


@pytest.fixture
def prof(tmp_path):
    need("apparmor_parser")
    return tmp_path / "prof"


def takes(r):
    """Both releases do: 5.0, and that of the parser that is installed, as pale reads them."""
    return re.fullmatch(r"apparmor=5\.0 ok\napparmor=[0-9.]+ ok \(the parser that is installed\)\n", r.out) is not None


def parser_says(path):
    r = run(["apparmor_parser", "-Q", "-K", "-M", "/usr/share/apparmor-features/features", path],
            env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
    return r.rc == 0


# ---- apparmor_parser ----

def test_an_accepted_profile_with_warnings_is_accepted(pale, prof):
    prof.write_text("#include <tunables/global>\nprofile x {\n  #include <abstractions/base>\n  /etc/x r,\n}\n")
    if not parser_says(prof):
        pytest.skip("the abstractions are not installed")
    r = pale("check", prof, check=0)
    assert takes(r) and "error" not in r.err


@pytest.mark.parametrize("path", PACKAGED, ids=lambda p: p.name)
def test_packaged_profiles_are_answered_as_the_parser_does(pale, path):
    need("apparmor_parser")
    assert (pale("check", path).rc == 0) == parser_says(path)


def asked(*args, check=0):
    """What the parser itself is heard to say: `check` starts it for policies, whose text pale writes."""
    r = run([program("apparmor/loadtool"), *args])
    assert r.rc == check, r
    return r


def test_no_profile_starts_the_parser(pale, prof, tmp_path):
    """Only its version is asked for, once for all files, and nothing where a release is named."""
    need_root()
    called = tmp_path / "called"
    fake = tmp_path / "fake"
    fake.write_text(f"#!/bin/sh\necho $1 >>{called}; echo version 4.1.0\n")
    fake.chmod(0o755)
    system = next(p for p in ("/usr/sbin/apparmor_parser", "/sbin/apparmor_parser") if os.access(p, os.X_OK))
    inside = [need("unshare"), "-m", "sh", "-c", f"mount --bind {fake} {system} && exec " + '"$@"', "sh"]
    if run([*inside, "true"]).rc:
        pytest.skip("no mount namespace may be made here")
    prof.write_text("profile x {\n  userns,\n}\n")
    r = run([*inside, PALE, "check", prof, prof])
    assert r.rc == 0 and r.out.count("apparmor=4.1.0 ok (the parser that is installed)\n") == 2, r
    assert called.read_text() == "--version\n"
    assert run([*inside, PALE, "check", "--target", "apparmor=5.0", prof]).rc == 0 and called.read_text() == "--version\n"


def test_a_warning_stands_at_its_line(prof):
    prof.write_text("profile x {\n  /a r,\n  /b\\q r,\n}\n")
    r = asked(prof)
    # The line that the parser names, which is where the profile ends.
    assert f"{prof}:4:1: warning: apparmor_parser: Character q" in r.out and "[PL150 loader-warns]" in r.out
    assert r.out.count("PL150") == 1


def test_a_warning_in_an_include_stands_there(pale, prof, tmp_path):
    (tmp_path / "inc").mkdir()
    inc = tmp_path / "inc" / "part"
    inc.write_text("\n  abi <abi/3.0>,\n  /a r,\n")
    prof.write_text("profile x {\n  include <part>\n}\n")
    assert pale("check", prof).rc == 1
    pale("check", "-I", inc.parent, prof, check=0)
    assert f"{inc}:2:3: warning: apparmor_parser: " in asked(prof, inc.parent).out
    assert "takes a directory" in pale("check", "-I", tmp_path / "none", prof, check=2).err


@pytest.mark.parametrize("head, name, line", [
    ("profile x {", "x", "4:1"), ("/bin/q flags=(complain) {", "/bin/q", "4:1"), ('profile "x y" /b {', "x y", "4:1"),
    ("profile (odd) {", "(odd)", "4:1"),
    ("profile w {\n  ^x {\n    dbus,\n  }", "x", "5:3"),
])
def test_a_warning_about_a_profile_stands_where_that_begins(prof, head, name, line):
    close = "" if "^" in head else "  dbus,\n"
    prof.write_text(f"# profile x is\nprofile first {{\n}}\n{head}\n{close}}}\n")
    r = asked(prof)
    if "dbus rules not enforced" not in r.out:
        skip("these features have dbus mediation, or this parser does not warn of it")
    assert f"{prof}:{line}: warning: apparmor_parser: profile '{name}': dbus rules not enforced" in r.out, r
    assert "/proc/self/fd" not in r.out and "/dev/fd" not in r.out


@pytest.mark.parametrize("text, line", [
    ("profile x {\n  /a r\n}\n", "prof:2:7"),
    ("profile x {\n  /a zz,\n}\n", "prof:2:6"),
    ("profile x {\n  include <part>\n}\n", "part:2:6"),
    ("profile x {\n  /a px,\n  /a ix,\n}\n", "prof:3:3"),
    ("profile x {\n  @{NONE}/a r,\n}\n", "prof:2:3"),
])
def test_an_error_stands_at_its_line(pale, prof, tmp_path, text, line):
    (tmp_path / "part").write_text("  /b r,\n  /c zz,\n")
    prof.write_text(text)
    r = pale("check", "-I", tmp_path, prof, check=1)
    assert r.out.count(" refused") == 2 == r.out.count("\n")
    assert f"{line}: error: " in r.err and r.err.count("error: ") == 1


def test_a_profile_on_standard_input_is_asked_about_too(pale):
    need("apparmor_parser")
    assert takes(pale("check", "-", input="profile x {\n  /a r,\n}\n", check=0))
    assert "<stdin>:2:" in pale("check", "-", input="profile x {\n  /a zz,\n}\n", check=1).err


def fake_parser(tmp_path, body):
    """Found along $PATH only where the system has none of its own."""
    exe = tmp_path / "bin" / "apparmor_parser"
    exe.parent.mkdir()
    exe.write_text("#!/bin/sh\n" + body)
    exe.chmod(0o755)
    return {**os.environ, "PATH": f"{exe.parent}:{os.environ['PATH']}"}


def test_there_is_one_rule_for_which_parser_is_asked(pale, prof, tmp_path):
    if not any(os.access(f"{d}/apparmor_parser", os.X_OK) for d in ("/usr/sbin", "/sbin")):
        pytest.skip("apparmor_parser is elsewhere")
    prof.write_text("profile x {\n  /a r,\n}\n")
    assert takes(pale("check", prof, env=fake_parser(tmp_path, "exit 7\n"), check=0))


def test_only_the_system_s_parser_loads_and_any_may_be_asked(pale, prof, tmp_path):
    """Where /usr/sbin has none: $PATH may answer what loads nothing, and never loads."""
    need_root()
    prof.write_text("profile x {\n  /a r,\n}\n")
    env = fake_parser(tmp_path, f"echo $1 >>{tmp_path}/called; echo version 3.0.8\n")
    hidden = "mount --bind /dev/null /usr/sbin/apparmor_parser && exec " + '"$@"'
    try_in = [need("unshare"), "-m", "sh", "-c", hidden, "sh"]
    if run([*try_in, "true"]).rc:
        pytest.skip("no mount namespace may be made here")
    assert run([*try_in, program("apparmor/loadtool")], input="profile x { }", env=env).out == f"{-errno.ENOENT}\n"
    r = run([*try_in, PALE, "check", prof], env=env, check=0)
    assert takes(r) and (tmp_path / "called").read_text() == "--version\n", r


def test_a_loader_is_waited_for_where_no_pidfd_is_to_be_had(pale, prof, tmp_path):
    prof.write_text("profile x {\n  /a r,\n}\n")
    no = tmp_path / "no.pale"
    no.write_text("policy no {\n layers seccomp;\n arch x86_64;\n default allow;\n errno EPERM pidfd_open;\n}\n")
    r = pale("run", no, "--", PALE, "check", prof, check=0)
    assert takes(r), r
    prof.write_text("profile x {\n  /a zz,\n}\n")
    assert pale("run", no, "--", PALE, "check", prof, check=1).out.count(" refused") == 2


# ---- a system that is short of something ----

def limited(what, value, *args):
    return subprocess.run([PALE, *map(str, args)], capture_output=True, text=True, timeout=PATIENCE,
                          preexec_fn=lambda: resource.setrlimit(what, (value, value)))


@pytest.mark.parametrize("descriptors", [4, 5, 6, 8, 12])
def test_too_few_descriptors_are_no_refusal(prof, descriptors):
    prof.write_text("#include <tunables/global>\nprofile x {\n  /a r,\n}\n")
    r = limited(resource.RLIMIT_NOFILE, descriptors, "check", prof)
    assert r.returncode == 3 and "Too many open files" in r.stderr and "refused" not in r.stdout


@pytest.mark.parametrize("size", [0, 8, 64, 256])
def test_a_filter_cut_by_a_file_limit_is_no_refusal(size, tmp_path):
    for args in ["check", "-t", "docker", NGINX], ["check", "-t", "oci", NGINX], ["check", DOCKER]:
        r = limited(resource.RLIMIT_FSIZE, size, *args)
        assert r.returncode == 3 and "File too large" in r.stderr and "PL020" in r.stderr, r
        assert "refused" not in r.stdout and "PL228" not in r.stderr
    r = limited(resource.RLIMIT_FSIZE, size, "compile", "-t", "docker", "-o", tmp_path / "o.json", NGINX)
    assert r.returncode == 3 and "PL020" in r.stderr and not (tmp_path / "o.json").exists()


def test_a_profile_larger_than_the_file_limit_is_no_refusal(tmp_path):
    need("apparmor_parser")
    policy = tmp_path / "t.pale"
    policy.write_text("policy t {\n program /t;\n layers apparmor;\n arch x86_64;\n" + "".join(f" file r /a{i};\n" for i in range(99)) + "}\n")
    r = limited(resource.RLIMIT_FSIZE, 256, "check", policy)
    assert r.returncode == 3 and "File too large" in r.stderr and "not checked" in r.stdout
