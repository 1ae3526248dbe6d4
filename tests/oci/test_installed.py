# SPDX-License-Identifier: Apache-2.0
"""`--runtime installed` and the commands that take it where nothing is said: the runtime of this
machine is asked, and believed as far as what it says is a version."""
import json
import os

import pytest

from runtimes import ROWS, fetched

OPEN = {"defaultAction": "SCMP_ACT_ALLOW"}
RISCV = {**OPEN, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_RISCV64"]}  # runc 1.1.5 lacks the word
POLICY = """policy p { arch x86_64; level linux 6.1; layers seccomp; default errno EPERM; unknown errno ENOSYS;
    use start-run, start-runc, start-crun, libc; }
"""
FEATURES = '{"annotations": {"org.opencontainers.runc.version": %s, "io.github.seccomp.libseccomp.version": %s}}'


def put(tmp_path, profile):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(profile))
    return path


def with_path(*dirs, **more):
    return {**os.environ, "PATH": os.pathsep.join([*map(str, dirs), os.environ["PATH"]]), **more}


def fake(tmp_path, script, name="runc"):
    d = tmp_path / "bin"
    d.mkdir(exist_ok=True)
    (d / name).write_text("#!/bin/sh\n" + script)
    (d / name).chmod(0o755)
    return with_path(d)


@pytest.mark.once
@pytest.mark.parametrize("row", ROWS)
def test_each_runtime_is_found_and_named(pale, tmp_path, row):
    rt = fetched(row)
    env = {**rt.env, "PATH": os.pathsep.join([os.path.dirname(rt.path), os.environ["PATH"]])}
    path = put(tmp_path, RISCV)
    r = pale("sim", "--as", f"docker:{rt.kind}", "--runtime", "installed", path, "read", env=env)
    assert r.rc == (1 if row == "runc-1.1.5" else 0) and "PL257" not in r.err, r
    assert pale("sim", "--as", f"docker:{rt.kind}", path, "read", env=env).rc == r.rc  # the default
    if rt.kind == "runc":
        r = pale("compile", "-t", "oci", "-o", "/dev/null", "--runtime", "installed", "-", input=POLICY, env=env, check=0)
        assert f"exact for {row}+" in r.err, r
        r = pale("compile", "-t", "oci", "-o", "/dev/null", "-", input=POLICY, env=env, check=0)
        assert "exact for runc-1.1.5+libseccomp-2.5.4-1+deb12u1" in r.err, r  # on every machine
        assert ("[PL259 " in r.err and f"taken as {row}+" in r.err) == (row != "runc-1.1.5"), r
        (tmp_path / "p.pale").write_text(POLICY)
        assert f"as {row}+" in pale("check", tmp_path / "p.pale", env=env, check=0).out


@pytest.mark.parametrize("script, words", [
    ("exit 1\n", "does not say its version"),
    ("yes\n", "does not say its version: Argument list too long"),
    ("while :; do :; done\n", "does not say its version: Connection timed out"),
    ("cat <<'E'\n" + FEATURES % ('"../../x"', '"2.5.4"') + "\nE\n", "does not say its version"),
    ("cat <<'E'\n" + FEATURES % ('"1.3.6\\u001b[31m"', '"2.5.4"') + "\nE\n", "does not say its version"),
    ("cat <<'E'\n" + FEATURES % ("[1]", "{}") + "\nE\n", "does not say its version"),
    ("cat <<'E'\n" + FEATURES % ('"1.0.3"', '"2.5.4"') + "\nE\n", "older than what pale knows"),
    ("cat <<'E'\n" + FEATURES % ('"x.y"', '"2.5.4"') + "\nE\n", "is no runtime"),
    ("printf '['; exec head -c 60000 /dev/zero | tr '\\0' '['\n", "does not say its version"),
    ("printf 'runc version \\033[31m1.1.5\\n'\n", "does not say its version")],
    ids=["fails", "endless", "silent", "path", "control", "types", "old", "words", "deep", "text"])
def test_what_a_hostile_one_says_is_no_version(pale, tmp_path, script, words):
    env, path = fake(tmp_path, script), put(tmp_path, OPEN)
    r = pale("sim", "--as", "docker:runc", "--runtime", "installed", path, "read", env=env, check=2)
    assert words in r.err and "name a runtime, such as runc-1.1.5" in r.err and "\033" not in r.err, r
    if words.endswith("timed out"):
        return
    r = pale("sim", "--as", "docker:runc", path, "read", env=env, check=0)  # not asked for: the fallback, told
    assert "[PL258 no-runtime-here]" in r.err and "taken as runc-1.1.5+libseccomp-2.5.4-1+deb12u1" in r.err, r


def test_a_version_alone_will_do(pale, tmp_path):
    env = fake(tmp_path, "[ $1 = --version ] && printf 'runc version 1.3.6+ds1\\nlibseccomp: 2.6.1\\n'\n")
    pale("sim", "--as", "docker:runc", "--runtime", "installed", put(tmp_path, RISCV), "read", env=env, check=0)


def test_none_is_said_with_what_is_taken(tmp_path, pale):
    if os.path.exists("/usr/sbin/crun") or os.path.exists("/usr/local/sbin/crun"):
        pytest.skip("crun is where it is always looked for")
    env, path = {**os.environ, "PATH": str(tmp_path)}, put(tmp_path, OPEN)
    r = pale("sim", "--as", "docker:crun", "--runtime", "installed", path, "read", env=env, check=2)
    assert "no crun is installed here" in r.err, r
    r = pale("sim", "--as", "docker:crun", path, "read", env=env, check=0)
    assert "no crun is installed here: taken as crun-1.8.1+libseccomp-2.5.4-1+deb12u1" in r.err, r
