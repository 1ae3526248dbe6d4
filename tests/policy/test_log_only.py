# SPDX-License-Identifier: Apache-2.0
"""`compile --log-only`: the same policy, where what would be refused passes and is logged."""
import json
import shutil

import pytest

from conftest import need, run

TEXT = """policy staged {
    program /usr/bin/staged;
    layers seccomp, apparmor;
    arch x86_64;
    default %s;
    unknown errno ENOSYS;
    foreign kill-process;
    log refusals;
    allow read, write, openat(flags lacks O_CREAT), prctl(option == PR_SET_NAME);
    errno EACCES bpf; kill kexec_load; kill-thread init_module; trap 7 personality; notify mount; trace 3 ptrace;
    log sched_yield;
    file r /etc/**;
    file ix /usr/bin/*;
    deny file rw /etc/shadow;
    deny file x /usr/bin/su;
    quiet deny file r /etc/motd;
    capability chown; deny capability net_raw;
    network inet stream; deny network inet dgram;
    signal receive term; deny signal send kill;
    limit nofile 64;
    %s
}
"""
REFUSED = ["bpf", "kexec_load", "init_module", "personality", "mount", "ptrace", "socket", "openat(flags=O_CREAT)",
           "prctl(option=PR_SET_SECCOMP)", "sched_yield"]
PASS = ["read", "write", "openat(flags=O_RDONLY)", "prctl(option=PR_SET_NAME)"]


def text(default="errno EPERM", more=""):
    return TEXT % (default, more)


def compiled(pale, tmp_path, source, target, *options):
    out = tmp_path / f"out.{target}"
    r = pale("compile", "--log-only", "-t", target, "-o", out, "-", *options, input=source, check=0)
    return r, out


@pytest.mark.parametrize("default", ["errno EPERM", "kill-process", "kill-thread", "trap", "trace 1", "allow"])
@pytest.mark.parametrize("target", ["bpf", "docker", "oci"])
def test_what_was_refused_is_logged_and_what_was_allowed_is_not(pale, tmp_path, target, default):
    source = text(default)
    if default in ("trace 1", "allow"):  # `deny` is the default, and that must refuse
        source = source.replace("deny network inet dgram;", "")
    _, out = compiled(pale, tmp_path, source, target)
    verdicts = [line.split()[0] for line in pale("sim", out, *REFUSED, *PASS, check=0).out.splitlines()]
    refused = ["LOG"] * len(REFUSED)
    if default == "allow":  # socket, openat, prctl: nothing refuses them
        refused[6:9] = ["ALLOW"] * 3
    assert verdicts == refused + ["ALLOW"] * len(PASS)


def test_a_program_logs_unknown_numbers_and_foreign_machines_too(pale, tmp_path):
    _, out = compiled(pale, tmp_path, text(), "bpf")
    r = pale("sim", out, "--raw", input="x86_64 5000 0 0 0 0 0 0\ni386 1 0 0 0 0 0 0\naarch64 1 0 0 0 0 0 0\n", check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["LOG"] * 3


def test_it_is_said_with_each_artifact_and_stands_in_their_names(pale, tmp_path):
    r = pale("compile", "--log-only", "-o", tmp_path / "d", "-", input=text(), check=0)
    names = sorted(p.name for p in (tmp_path / "d").iterdir())
    assert names == ["staged.log-only.apparmor", "staged.log-only.docker.json", "staged.log-only.oci.json",
                     "staged.log-only.x86_64.bpf"]
    lines = [line for line in r.err.splitlines() if line.startswith(str(tmp_path))]
    assert len(lines) == 4 and all(line.endswith("; enforces nothing") for line in lines), r
    assert "warning" in r.err and "PL215" in r.err, r
    flags = json.loads((tmp_path / "d" / "staged.log-only.oci.json").read_text())["flags"]
    assert flags == []  # LOG is logged unasked, so every runtime will do


def test_what_it_cannot_let_pass_is_told(pale, tmp_path):
    r, _ = compiled(pale, tmp_path, text(), "docker")
    assert "PL219" in r.err and "<stdin>:7:5" in r.err and "architectures that are not listed" in r.err, r
    r, _ = compiled(pale, tmp_path, text(), "bpf")
    assert "PL219" not in r.err, r
    r, _ = compiled(pale, tmp_path, text(), "apparmor")
    assert "limits are left out" in r.err and "<stdin>:15:" in r.err and "only where no other rule" in r.err, r


def test_the_apparmor_profile_complains_and_denies_nothing(pale, tmp_path):
    """AppArmor enforces deny rules and limits in complain mode too (apparmor.d(5))."""
    _, out = compiled(pale, tmp_path, text(), "apparmor")
    profile = out.read_text()
    assert "profile staged /usr/bin/staged flags=(complain) {" in profile and "enforces nothing" in profile
    rules = [line.split("#")[0].strip() for line in profile.splitlines()]
    assert not [line for line in rules if "deny" in line or "rlimit" in line]
    for rule in ("audit /etc/shadow rw,", "/etc/motd r,", "/usr/bin/* ix,", "audit capability net_raw,",
                 "audit network inet dgram,", "audit signal send set=kill,", "/etc/** r,", "capability chown,"):
        assert any(line.replace("mr", "r") == rule for line in rules), (rule, profile)
    assert not [line for line in rules if "/usr/bin/su" in line]
    if shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin"):
        run([need("apparmor_parser"), "-Q", "-K", out], check=0)


def test_dockers_conditions_are_kept(pale, tmp_path):
    more = "when capability sys_admin { allow unshare; errno EBUSY setns; } when kernel < 5.3 { allow clone; }"
    _, out = compiled(pale, tmp_path, text(more=more), "docker")
    for caps, kernel, want in (("sys_admin", "6.1", "ALLOW LOG LOG"), ("none", "6.1", "LOG LOG LOG"),
                               ("none", "4.19", "LOG LOG ALLOW")):
        r = pale("sim", out, "--caps", caps, "--kernel", kernel, "unshare", "setns", "clone", check=0)
        assert " ".join(line.split()[0] for line in r.out.splitlines()) == want, r


def test_a_call_that_the_runtime_does_not_know_is_logged_and_that_is_said(pale, tmp_path):
    source = text(more="allow listmount;").replace("layers seccomp, apparmor;", "layers seccomp;")
    source = "\n".join(w for w in source.splitlines() if not w.strip().startswith(
        ("file", "deny file", "quiet", "signal", "deny signal"))) + "\n"
    r, out = compiled(pale, tmp_path, source.replace("deny network inet dgram;", ""), "oci")
    assert "PL226" in r.err and "logs them" in r.err and "listmount" in r.err, r
    r = pale("compile", "-t", "oci", "-o", out, "-", input=source.replace("log refusals;", "").replace(
        "notify mount; ", "").replace("trap 7 personality; ", ""), check=0)
    assert "PL226" in r.err and "refuses them" in r.err, r


def test_a_json_profile_can_be_staged(pale, tmp_path):
    profile = tmp_path / "p.json"
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "archMap": [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}], "syscalls": [
            {"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}))
    pale("compile", "--log-only", "-t", "bpf", "-o", tmp_path / "p.bpf", profile, check=0)
    r = pale("sim", tmp_path / "p.bpf", "read", "write", check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["ALLOW", "LOG"]


def test_refusals_are_logged_or_there_are_none(pale):
    assert "--log-only" in pale("compile", "--log-only", "--log-refusals", "-", input=text(), check=2).err
