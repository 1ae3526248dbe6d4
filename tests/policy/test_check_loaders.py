# SPDX-License-Identifier: Apache-2.0
"""pale check: the loader's own answer decides; what it says stands where it says it."""
import errno
import os
import pathlib
import re
import resource
import subprocess

import pytest

from conftest import PALE, ROOT, need, need_root, program, run, skip

NGINX = ROOT / "profiles/examples/nginx.pale"
DOCKER = ROOT / "profiles/found/docker-default.json"
PACKAGED = [p for p in sorted(pathlib.Path("/etc/apparmor.d").glob("*")) if p.is_file()]


@pytest.fixture
def prof(tmp_path):
    need("apparmor_parser")
    return tmp_path / "prof"


def takes(r):
    """Both releases do: 5.0, as pale reads it, and the parser that is installed."""
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


def test_a_warning_stands_at_its_line(pale, prof):
    prof.write_text("profile x {\n  /a r,\n  /b\\q r,\n}\n")
    r = pale("check", prof, check=0)
    # The line that the parser names, which is where the profile ends.
    assert f"{prof}:4:1: warning: apparmor_parser: Character q" in r.err and "[PL150 loader-warns]" in r.err
    assert r.err.count("PL150") == 1


def test_a_warning_in_an_include_stands_there(pale, prof, tmp_path):
    (tmp_path / "inc").mkdir()
    inc = tmp_path / "inc" / "part"
    inc.write_text("\n  abi <abi/3.0>,\n  /a r,\n")
    prof.write_text("profile x {\n  include <part>\n}\n")
    assert pale("check", prof).rc == 1
    r = pale("check", "-I", inc.parent, prof, check=0)
    assert f"{inc}:2:3: warning: apparmor_parser: " in r.err
    assert "takes a directory" in pale("check", "-I", tmp_path / "none", prof, check=2).err


@pytest.mark.parametrize("head, name, line", [
    ("profile x {", "x", "4:1"), ("/bin/q flags=(complain) {", "/bin/q", "4:1"), ('profile "x y" /b {', "x y", "4:1"),
    ("profile (odd) {", "(odd)", "4:1"),
    ("profile w {\n  ^x {\n    dbus,\n  }", "x", "5:3"),
])
def test_a_warning_about_a_profile_stands_where_that_begins(pale, prof, head, name, line):
    close = "" if "^" in head else "  dbus,\n"
    prof.write_text(f"# profile x is\nprofile first {{\n}}\n{head}\n{close}}}\n")
    r = pale("check", prof, check=0)
    if "dbus rules not enforced" not in r.err:
        skip("these features have dbus mediation, or this parser does not warn of it")
    assert f"{prof}:{line}: warning: apparmor_parser: profile '{name}': dbus rules not enforced" in r.err, r
    assert "/proc/self/fd" not in r.err and "/dev/fd" not in r.err


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
    assert takes(r) and (tmp_path / "called").read_text() == "--version\n-Q\n", r


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
    return subprocess.run([PALE, *map(str, args)], capture_output=True, text=True, timeout=60,
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


def test_a_profile_larger_than_the_file_limit_is_no_refusal(prof):
    prof.write_text("profile x {\n" + "  /a r,\n" * 100 + "}\n")
    r = limited(resource.RLIMIT_FSIZE, 256, "check", prof)
    assert r.returncode == 3 and "File too large" in r.stderr and "not checked" in r.stdout
