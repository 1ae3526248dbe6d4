# SPDX-License-Identifier: Apache-2.0
"""`log refusals`: the flag stands in the JSON where the named runtime takes it, and nowhere in silence."""
import json

import pytest

NEW, CRUN = "runc-1.3.6+libseccomp-2.6.1", "crun-1.8.1"
OLD, OLD_DOCKER = "runc-1.1+libseccomp-2.5.4", "docker-20.10+runc-1.3+libseccomp-2.6.1"
FLAG = ["SECCOMP_FILTER_FLAG_LOG"]
TEXT = "policy p {{ {} arch x86_64; layers {}; default errno EPERM; unknown errno {}; allow read, write; }}\n"


def text(line="log refusals;", layers="seccomp", unknown="ENOSYS"):
    return TEXT.format(line, layers, unknown)


def compiled(pale, source, target, runtime, *options, check=None):
    return pale("compile", "-", "-t", target, "--runtime", runtime, *options, input=source, check=check)


@pytest.mark.parametrize("target", ["docker", "oci"])
@pytest.mark.parametrize("runtime", [NEW, CRUN, f"docker-23.0+{NEW}"])
def test_the_flag_stands_where_the_runtime_takes_it(pale, target, runtime):
    by_line = compiled(pale, text(), target, runtime, check=0)
    by_option = compiled(pale, text(""), target, runtime, "--log-refusals", check=0)
    assert json.loads(by_line.out)["flags"] == FLAG and by_line.out == by_option.out
    assert json.loads(compiled(pale, text(""), target, runtime, check=0).out)["flags"] == []


@pytest.mark.parametrize("target, runtime, why", [
    ("docker", OLD, "runc before 1.2"), ("oci", OLD, "runc before 1.2"),
    ("docker", OLD_DOCKER, "Docker before 23")])
def test_who_takes_no_flag_is_told_with_a_way_out(pale, target, runtime, why):
    for source, options, place in (text(), (), "<stdin>:1:12"), (text(""), ("--log-refusals",), "<stdin>:1:8"):
        r = compiled(pale, source, target, runtime, *options, check=1)
        assert "PL213" in r.err and why in r.err and place in r.err and not r.out, r
        assert "--runtime" in r.err and "--approximate" in r.err
        r = compiled(pale, source, target, runtime, *options, "--approximate", check=0)
        assert json.loads(r.out)["flags"] == [] and "PL230" in r.err and "not logged" in r.err


def test_a_config_json_has_passed_the_engine(pale):
    assert json.loads(compiled(pale, text(), "oci", OLD_DOCKER, check=0).out)["flags"] == FLAG


def test_a_program_cannot_say_it_and_compile_does(pale):
    r = pale("compile", "-", "-t", "bpf", "-o", "/dev/null", input=text(), check=0)
    assert "PL214" in r.err and "SECCOMP_FILTER_FLAG_LOG" in r.err, r
    assert "PL214" not in pale("compile", "-", "-t", "bpf", "-o", "/dev/null", input=text(""), check=0).err


def test_it_takes_the_layer_that_logs_so(pale):
    r = pale("compile", "-", "-t", "apparmor", input=text(layers="apparmor").replace("allow read, write;", ""), check=1)
    assert "PL130" in r.err and "seccomp" in r.err, r
    r = pale("compile", "-", "--log-refusals", input=text("", "apparmor").replace("allow read, write;", ""), check=1)
    assert "PL130" in r.err and not r.out, r


@pytest.mark.parametrize("runtime", [NEW, CRUN])
def test_import_reads_the_flag_and_compile_writes_it_again(pale, tmp_path, runtime):
    first = compiled(pale, text(), "oci", runtime, check=0).out
    (tmp_path / "p.json").write_text(first)
    r = pale("import", "--runtime", runtime, tmp_path / "p.json", check=0)
    assert "\n    log refusals;\n" in r.out and not r.err, r
    assert compiled(pale, r.out, "oci", runtime, check=0).out == first
    assert "log refusals" not in pale("import", "-", "--runtime", runtime, input=first.replace(FLAG[0], "SECCOMP_FILTER_FLAG_TSYNC"), check=0).out


def test_who_reads_it_names_a_runtime_that_takes_it(pale, tmp_path):
    file, policy = tmp_path / "p.json", tmp_path / "p.pale"
    file.write_text(compiled(pale, text(), "oci", NEW, check=0).out)
    policy.write_text(text())
    for argv in ["import", file], ["diff", policy, file], ["compile", "-t", "oci", file], [
            "sim", "--as", "docker:runc", "--caps", "none", "--kernel", "6.1", file, "read"]:
        r = pale(*argv, "--runtime", OLD, check=1)
        assert "SJ031" in r.err and "does not start" in r.err, r
        assert "SJ031" not in pale(*argv, "--runtime", NEW, check=0).err


def test_an_engine_that_hands_no_flags_on_logs_nothing(pale, tmp_path):
    (tmp_path / "p.json").write_text(compiled(pale, text(), "docker", NEW, check=0).out)
    r = pale("import", "--runtime", OLD_DOCKER, tmp_path / "p.json", check=0)
    assert "log refusals" not in r.out, r


# ---- diff ----

def test_diff_tells_who_logs_and_by_which_line(pale, tmp_path):
    logs, silent, file = tmp_path / "logs.pale", tmp_path / "silent.pale", tmp_path / "p.json"
    logs.write_text(text())
    silent.write_text(text(""))
    file.write_text(compiled(pale, text(), "docker", NEW, check=0).out)
    r = pale("diff", logs, silent, check=1)
    assert "B is different record: log of refusals" in r.out and "logged -> not logged" in r.out, r
    assert f"{logs}:1:12: log refusals;" in r.out and f"{silent}:1:8: no such line" in r.out, r
    r = pale("diff", "--layers", "seccomp", "--runtime", NEW, silent, file)
    assert "not logged -> logged" in r.out and f'{file}:' in r.out and '"SECCOMP_FILTER_FLAG_LOG"' in r.out, r
    report = json.loads(pale("diff", "--format", "json", silent, logs, check=1).out)
    assert report["same"] is False and report["resources"][0]["kind"] == "log of refusals"
    for level in "looser", "tighter", "none":
        pale("diff", "--fail-on", level, logs, silent, check=0)
    pale("diff", "--layers", "apparmor", logs, silent, check=0)


def test_diff_compares_no_log_with_a_program_and_says_so(pale, tmp_path):
    (tmp_path / "p.pale").write_text(text())
    pale("compile", "-q", "-t", "bpf", "-o", tmp_path / "p.bpf", tmp_path / "p.pale", check=0)
    r = pale("diff", tmp_path / "p.pale", tmp_path / "p.bpf", check=0)
    assert "not compared: whether refusals are logged" in r.out, r


def test_policies_that_both_log_are_the_same(pale, tmp_path):
    (tmp_path / "p.pale").write_text(text())
    r = pale("diff", tmp_path / "p.pale", tmp_path / "p.pale", check=0)
    assert "log of refusals" in r.out and "different" not in r.out, r


def test_explain_tells_what_is_logged_and_nothing_of_what_is_never_refused(pale):
    r = pale("explain", "-", "mkdir", input=text(), check=0)
    assert r.out.endswith("  logged         what is refused  <stdin>:1:12: log refusals;\n"), r
    assert "logged" not in pale("explain", "-", "read", input=text(), check=0).out
    assert "logged" not in pale("explain", "-", "mkdir", input=text(""), check=0).out
    some = text().replace("allow read, write;", "allow read(fd == 0);")
    assert "logged" in pale("explain", "-", "read", input=some, check=0).out
