# SPDX-License-Identifier: Apache-2.0
"""A refused call stands in the kernel's log where that was asked for, and `why` names the line."""
import json
import os
import shutil

import pytest

from conftest import PALE, PATIENCE, need, need_root, run
from kernellog import kernel_log, numbers
from runtimes import fetched, installed

CHROOT, SYSINFO = 161, 99
POLICY = """policy logged {
    %s
    arch x86_64;
    default errno EPERM;
    use start-run, start-runc, start-crun, libc, libc-static, stdio, files, process, signals, time;
    allow poll, uname;
    errno EACCES sysinfo;
}
"""


@pytest.fixture
def policy(tmp_path):
    def write(line="log refusals;"):
        path = tmp_path / "logged.pale"
        path.write_text(POLICY % line)
        return path
    return write


@pytest.fixture
def busybox(tmp_path):
    """busybox under a name that only this test's records have."""
    path = tmp_path / f"busybox{os.getpid()}"
    shutil.copy(need("busybox"), path)
    return path


def chroot(file, busybox, *options, status=1, **kw):
    return run([PALE, "run", *options, file, "--", busybox, "chroot", "/", "/bin/true"], check=status, **kw)


@pytest.mark.parametrize("line, options", [("log refusals;", []), ("", ["--log-refusals"])])
def test_a_refused_call_stands_in_the_kernels_log_and_why_names_the_line(policy, busybox, line, options):
    file = policy(line)
    with kernel_log() as log:
        r = chroot(file, busybox, *options)
        record = log.records(busybox.name, CHROOT)[-1]
    assert "ermitted" in r.err and "code=0x50000" in record, (r, record)
    why = run([PALE, "why", record, file], check=0)
    assert f"x86_64 chroot: ERRNO, by {busybox.name}" in why.out
    assert f"{file}:4:5: default errno EPERM;" in why.out and "allowed by: allow chroot;" in why.out


def test_without_being_asked_the_kernel_logs_no_errno(policy, busybox):
    with kernel_log() as log:
        chroot(policy(""), busybox)
        chroot(policy(""), busybox, "--log-refusals")
        asked = log.records(busybox.name, CHROOT)
    with kernel_log() as log:
        chroot(policy(""), busybox, "--log-refusals")
        assert numbers(log.records(busybox.name, CHROOT)) == numbers(asked)


def test_what_the_machine_does_not_log_is_told(policy, busybox, tmp_path):
    """Its list is looked at, not changed: another file stands in its place."""
    need_root()
    listed = tmp_path / "actions_logged"
    script = 'mount --bind "$0" /proc/sys/kernel/seccomp/actions_logged && exec "$@"'
    for words, line, options, missing in (
            ("kill_process kill_thread trap user_notif trace log", "log refusals;", [], "errno"),
            ("trap errno", "", ["--log-refusals"], "kill_process"),
            ("kill_process errno", "log refusals; foreign allow;", [], None),
            ("log_all errno", "", ["--log"], "log"),
            ("", "log refusals;", [], "kill_process errno")):
        listed.write_text(words + "\n")
        r = run([need("unshare"), "-m", "sh", "-c", script, listed, PALE, "run", *options, policy(line), "--",
                 busybox, "true"], check=0)
        assert ("PL216" in r.err) == bool(missing), (words, r)
        assert not missing or f"does not log '{missing}'" in r.err, (words, r)


def test_a_list_that_cannot_be_read_is_told(policy, busybox):
    need_root()
    r = run([need("unshare"), "-m", "sh", "-c", 'mount -t tmpfs none /proc/sys && exec "$@"', "sh", PALE, "run",
             policy(), "--", busybox, "true"], check=0)
    assert "PL216" in r.err and "actions_logged: No such file" in r.err, r


@pytest.mark.parametrize("mode", ["--count", "--verify"])
def test_counted_refusals_are_counted_and_that_is_said(policy, busybox, mode):
    r = run([PALE, "run", mode, policy(), "--", busybox, "true"], check=0)
    assert "PL217" in r.err, r
    assert "PL217" not in run([PALE, "run", mode, policy(""), "--", busybox, "true"], check=0).err


@pytest.mark.parametrize("options", [["--count"], ["--verify"], ["--log"], ["--layers", "apparmor"]])
def test_an_option_without_its_filter_is_an_error(policy, busybox, options):
    r = run([PALE, "run", "--log-refusals", *options, policy(""), "--", busybox, "true"], check=125)
    assert "--log-refusals" in r.err, r


# ---- in containers ----

def in_container(runtime, policy, busybox, tmp_path, applet, *options):
    """(result, record) of a busybox applet in a container of this runtime under the JSON that compile writes;
    its last call that is refused is `last`."""
    command, last = applet
    root = tmp_path / "rootfs"
    for d in ("bin", "proc", "dev", "sys"):
        (root / d).mkdir(parents=True)
    shutil.copy(busybox, root / "bin" / busybox.name)
    run([need("runc"), "spec"], cwd=tmp_path, check=0)
    config = json.loads((tmp_path / "config.json").read_text())
    config["ociVersion"] = "1.0.2"  # which every runtime knows
    config["process"].update(terminal=False, args=[f"/bin/{busybox.name}", *command])
    config["process"].pop("rlimits", None)
    config["root"] = {"path": "rootfs", "readonly": False}
    r = run([PALE, "compile", "-q", "-t", "oci", "--runtime", runtime.full, *options, policy], check=0)
    config["linux"]["seccomp"] = json.loads(r.out)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with kernel_log() as log:
        r = run([*runtime.argv(tmp_path / "state"), "run", f"pale-{busybox.name}"], cwd=tmp_path, timeout=PATIENCE)
        return r, log.records(busybox.name, last)[-1]


REFUSED, PASSES = (["chroot", "/", "/bin/true"], CHROOT), (["free"], SYSINFO)


def is_refused_and_logged(runtime, policy, busybox, tmp_path):
    r, record = in_container(runtime, policy, busybox, tmp_path, REFUSED)
    assert r.rc == 1 and "ermitted" in r.err and "code=0x50000" in record, (r, record)
    assert "allow chroot;" in run([PALE, "why", record, policy], check=0).out


def test_in_crun(policy, busybox, tmp_path):
    is_refused_and_logged(installed("crun"), policy(), busybox, tmp_path)


@pytest.mark.parametrize("name", ["runc-1.3.6", "runc-1.4.3", "crun-1.28"])
def test_in_a_newer_runtime(policy, busybox, tmp_path, name):
    is_refused_and_logged(fetched(name), policy(), busybox, tmp_path)


# ---- what refuses nothing ----

def passes_and_is_logged(r, record, file):
    assert r.rc == 0 and "Mem" in r.out and "code=0x7ffc0000" in record, (r, record)
    why = run([PALE, "why", record, file], check=0).out
    assert f"{file}:7:18: errno EACCES sysinfo" in why and "sysinfo: LOG" in why and "--log-only" in why, why


@pytest.mark.parametrize("kind", ["runc", "crun"])
def test_log_only_lets_pass_in_a_container_and_why_names_the_line(policy, busybox, tmp_path, kind):
    """LOG is logged unasked: a runtime without flags will do."""
    file = policy("")
    passes_and_is_logged(*in_container(installed(kind), file, busybox, tmp_path, PASSES, "--log-only"), file)


@pytest.mark.parametrize("option", ["--log-only", "--log"])
def test_log_only_is_one_word_for_run_too(policy, busybox, option):
    file = policy()
    with kernel_log() as log:
        r = run([PALE, "run", option, file, "--", busybox, "free"])
        record = log.records(busybox.name, SYSINFO)[-1]
    passes_and_is_logged(r, record, file)
