# SPDX-License-Identifier: Apache-2.0
"""`--runtime installed` and the commands that take it where nothing is said: the runtime of this
machine is asked, and believed as far as what it says is a version."""
import json
import os

import pytest

from conftest import need_root, run
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


def test_check_says_of_the_runtime_once_for_all_files(pale, tmp_path):
    one, two = put(tmp_path, OPEN), tmp_path / "q.json"
    two.write_text(json.dumps(OPEN))
    r = pale("check", one, two, env=fake(tmp_path, "exit 1\n"), check=0)
    assert r.err.count("[PL258 no-runtime-here]") == 1, r
    r = pale("check", "--runtime", "runc-1.3.1", one, two, check=0)
    assert r.err.count("[PL257 not-measured]") == 1, r


FLAGS = {**OPEN, "flags": ["SECCOMP_FILTER_FLAG_LOG"]}  # runc before 1.2 refuses them
SAYS = "[ $1 = --version ] && printf '%s version %s\\nlibseccomp: %s\\n'\n"


def lint(pale, path, env=None, *options):
    text = pale("lint", *options, path, env=env)
    doc = json.loads(pale("lint", "--format", "json", *options, path, env=env).out)
    return text, doc, {f["id"] for f in doc["findings"]}


def test_lint_says_for_which_runtime_its_findings_hold(pale, tmp_path):
    path = put(tmp_path, FLAGS)
    for version, library, found in ("1.1.15", "2.6.0", True), ("1.3.6", "2.6.1", False):
        env = fake(tmp_path, SAYS % ("runc", version, library))
        text, doc, ids = lint(pale, path, env)
        assert ("SJ031" in ids) == ("SJ031" in text.out) == found, text
        assert doc["runtime"].startswith(f"runc-{version}+libseccomp-{library}") and not text.err, text
        assert f"; for {doc['runtime']}\n" in text.out, text
        for said in lint(pale, path, env, "--runtime", "installed")[:2]:
            assert repr(said) in (repr(text), repr(doc))
        text, doc, ids = lint(pale, path, env, "--runtime", "podman-5.4")  # what is named is not asked for
        assert "SJ031" not in ids and doc["runtime"] == "crun-1.21+libseccomp-2.6.0", doc
        assert text.out.endswith("; for crun-1.21+libseccomp-2.6.0\n") and not text.err, text


def test_lint_tells_of_any_runtime_what_is_asked_so(pale, tmp_path):
    env = fake(tmp_path, SAYS % ("runc", "1.3.6", "2.6.1"))
    text, doc, ids = lint(pale, put(tmp_path, FLAGS), env, "--runtime", "any")
    assert doc["runtime"] == "any" and text.out.endswith("; for any runtime\n") and not text.err, text
    (tmp_path / "p.pale").write_text(POLICY.replace("use start-run, start-runc, start-crun", "use start-run"))
    of_any = lint(pale, tmp_path / "p.pale", env, "--runtime", "any")[0]
    assert "crun" in of_any.out and "runc" in of_any.out, of_any
    named = lint(pale, tmp_path / "p.pale", env)[0]
    assert "crun" not in named.out and "; for runc-1.3.6+libseccomp-2.6.1\n" in named.out, named
    pale("sim", "--runtime", "any", "--as", "docker:runc", put(tmp_path, OPEN), "read", check=2)


def test_lint_takes_one_that_was_not_measured_as_another_and_says_so(pale, tmp_path):
    env = fake(tmp_path, SAYS % ("runc", "1.2.3", "2.5.5"))
    text, doc, ids = lint(pale, put(tmp_path, FLAGS), env)
    assert text.err.count("[PL257 not-measured]") == 1 and "taken as runc-1.3.6" in text.err, text
    assert doc["runtime"].startswith("runc-1.3.6+") and "SJ031" not in ids, doc


@pytest.mark.parametrize("script, words", [("exit 1\n", "does not say its version"),
                                           (SAYS % ("runc", "1.0.3", "2.5.4"), "older than what pale knows")])
def test_lint_without_a_runtime_is_about_any_and_says_so(pale, tmp_path, script, words):
    env, path = fake(tmp_path, script), put(tmp_path, FLAGS)
    text, doc, ids = lint(pale, path, env)
    assert text.err.count("[PL258 no-runtime-here]") == 1 and words in text.err, text
    assert "what depends on the runtime is told of any" in text.err and "'--runtime'" in text.err, text
    assert doc["runtime"] == "any" and doc == lint(pale, path, env, "--runtime", "any")[1]
    assert words in pale("lint", "--runtime", "installed", path, env=env, check=2).err
    for options in ["--list-rules"], ["--explain", "SC127"]:  # nobody is asked
        assert not pale("lint", *options, env=env, check=0).err


def test_lint_of_apparmors_text_alone_asks_no_runtime_but_for_documents_that_name_it(pale, tmp_path):
    env = fake(tmp_path, f"echo asked >>{tmp_path}/asked\n" + SAYS % ("runc", "1.3.6", "2.6.1"))
    path, asked = tmp_path / "p.apparmor", tmp_path / "asked"
    path.write_text("abi <abi/3.0>,\nprofile p /usr/bin/p {\n  /etc/p r,\n}\n")
    assert not pale("lint", path, path, env=env).err and not asked.exists()
    pale("lint", path, put(tmp_path, FLAGS), env=env)
    assert asked.exists()
    asked.unlink()
    doc = json.loads(pale("lint", "--format", "json", path, env=env).out)
    assert asked.exists() and doc["runtime"].startswith("runc-1.3.6"), doc


@pytest.mark.once
def test_lint_where_none_is_installed_says_so(pale, tmp_path):
    need_root()
    alone = "mount -t tmpfs none /usr/sbin && export PATH=/none && exec \"$@\""
    r = run(["unshare", "-m", "sh", "-c", alone, "sh", pale.path, "lint", put(tmp_path, FLAGS)], check=1)
    assert "neither runc nor crun is installed here: what depends on the runtime is told of any" in r.err, r
    assert r.out.endswith("; for any runtime\n"), r


@pytest.mark.once  # a sanitizer takes descriptors of its own
@pytest.mark.parametrize("argv", [["lint"], ["check"], ["sim", "--as", "docker:runc"], ["lint", "--runtime", "installed"]])
def test_a_system_that_is_short_is_no_machine_without_a_runtime(pale, tmp_path, argv):
    path = put(tmp_path, OPEN)
    r = run(["sh", "-c", 'ulimit -n 4; exec "$@"', "sh", pale.path, *argv, path, *(["read"] if argv[0] == "sim" else [])],
            env=fake(tmp_path, SAYS % ("runc", "1.3.6", "2.6.1")), check=3)
    assert "PL258" not in r.err and "does not say its version: Too many open files" in r.err and not r.out, r
