# SPDX-License-Identifier: Apache-2.0
"""What a profile lets be done to the machine: each row of the tables is found, by itself and only where
rules, halves, priorities and modes together allow it."""
import json
import re

import pytest

from cases import BASE, outcomes
from conftest import ROOT
from test_apparmor_rules import ACCESS

LINT = ROOT / "compiler" / "lint"
PATHS = (LINT / "aa_paths.def").read_text()
ROWS = [(rule, severity, glob, perm.lower()) for rule, severity, glob, perm in
        re.findall(r'^PATH\((AP\d+), (\w+), "([^"]+)", ([RWX])', PATHS, re.M)]
ROWS += [("AP317", "HIGH", glob, "w") for glob in re.findall(r'^ENGINE\("[^"]+", "([^"]+)"', PATHS, re.M)]
ROWS += [(rule, severity, glob, "w") for rule, severity, glob in re.findall(r'^FOLDER\((AP\d+), (\w+), "([^"]+)"', PATHS, re.M)]
ROWS += [("AP319", "INFO", glob, "r") for glob in re.findall(r'^SECRET\("([^"]+)"', PATHS, re.M)]
MOUNTS = [rules.replace("\\n", "\n\t") for rules in
          re.findall(r'^MOUNT\("([^"]+)"', (LINT / "aa_mounts.def").read_text(), re.M)]


@pytest.fixture
def lint(pale, tmp_path):
    """Findings of rules; every access that they call allowed or refused is so, of a file of one profile."""
    def call(*rules, head="profile p /bin/p", options=(), rest=""):
        path = tmp_path / "p.aa"
        path.write_text("include <tunables/global>\n" + head + " {\n" + "".join(f"\t{r}\n" for r in rules) + "}\n" + rest)
        r = pale("lint", "--format", "json", "-I", BASE, *options, path)
        assert r.rc in (0, 1), r
        found = json.loads(r.out)["findings"]
        assert not [f for f in found if f["severity"] == "error"], found
        asked = [x for f in found for x in ACCESS.findall(f["message"])]
        if asked and not rest:
            got = outcomes(pale("sim", "-I", BASE, *options, path, *[a for a, _ in asked]).out)
            assert got == {a: {o} for a, o in asked}, found
        return found
    return call


def ids(found):
    return sorted({f["id"] for f in found if f["id"].startswith("AP3")})


def of(found, rule):
    return [f for f in found if f["id"] == rule]


@pytest.mark.parametrize("rule,severity,glob,perm", [r for r in ROWS if r[3] != "x"], ids=lambda x: x[:40])
def test_each_row_of_paths_is_found_by_itself(lint, rule, severity, glob, perm):
    found = lint(f"{glob} {perm},")
    assert [f["severity"].upper() for f in of(found, rule)] == [severity], found
    assert not lint(f"{glob} {perm},", f"deny {glob} {perm},") or not of(lint(f"{glob} {perm},", f"deny {glob} {perm},"), rule)


@pytest.mark.parametrize("rules", MOUNTS, ids=lambda x: x[:40])
@pytest.mark.parametrize("release", ["3.0", "5.0"])
def test_each_row_of_mounts_is_found_by_itself(lint, rules, release):
    target = ["--target", f"apparmor={release}"]
    found = lint("capability sys_admin,", rules, options=target)
    assert {f["severity"] for f in of(found, "AP306")} == {"high"}, found
    found = of(lint(rules, options=target), "AP306")
    assert {f["severity"] for f in found} == {"warning"} and "'cap sys_admin' is refused" in found[0]["message"]
    assert not of(lint(rules, "deny mount,", options=target), "AP306")


def test_a_mode_that_lets_everything_pass_is_the_only_finding(lint):
    wide = ["file,", "capability,", "network,", "ptrace,", "signal,", "change_profile,", "mount,"]
    assert ids(lint(*wide, head="profile p /bin/p flags=(complain)")) == ["AP313"]
    assert ids(lint(*wide, head="profile p /bin/p flags=(unconfined)")) == ["AP313"]
    assert ids(lint(*wide, head="profile p /bin/p flags=(default_allow)")) == ["AP313"]


def test_what_allows_everything_is_said_once(lint):
    assert ids(lint("all,")) == ["AP302"]
    assert ids(lint("file,", "deny /dev/** w,")) == ["AP301"]


def test_a_rule_for_every_file_has_the_rest_in_its_finding(lint):
    found = lint("/** rw,", "owner /proc/** w,")
    told = of(found, "AP301")[0]["message"]
    assert ids(found) == ["AP301"] and "core_pattern" in told and "more" in told
    found = lint("owner /** w,")
    assert "that the process owns: 'open owner /etc/pale-any w' is allowed" in of(found, "AP301")[0]["message"]


@pytest.mark.parametrize("rules,says", [
    (["/proc/sysrq-trigger a,"], "'open /proc/sysrq-trigger a' is allowed"),
    (["owner /proc/sysrq-trigger w,"], "'open owner /proc/sysrq-trigger w' is allowed"),
    (["/proc/sysrq-trigger w,", "deny owner /proc/sysrq-trigger w,"], "'open other /proc/sysrq-trigger w' is allowed"),
    (["priority=1 /proc/sysrq-trigger w,", "deny /proc/** w,"], "'open /proc/sysrq-trigger w' is allowed"),
    (["/proc/sysrq-trigger w,", "deny /proc/sys[a-z]* w,"], None),
    (["/proc/sysrq-trigger r,"], None),
    (["prompt /proc/sysrq-trigger w,"], None)])
def test_halves_priorities_and_denies_count(lint, rules, says):
    found = of(lint(*rules), "AP315")
    assert says in found[0]["message"] if says else not found


def test_two_rules_that_do_the_same_are_two_findings_and_one_for_two_profiles_is_one(lint):
    assert len(of(lint("/dev/sda rw,", "/dev/sdb rw,", "/dev/vd[a-c] w,"), "AP318")) == 3
    found = lint("include <abstractions/nameservice>", "capability sys_admin,", rest="profile q /bin/q {\n\tcapability sys_admin,\n}\n")
    assert len(of(found, "AP304")) == 2


def test_a_child_profile_is_looked_at_by_itself(lint):
    found = lint("/bin/k cx -> k,", "profile k {", "\tcapability sys_module,", "}", rest="\n")
    assert ids(found) == ["AP304"]


@pytest.mark.parametrize("rule", ["/**.png rw,", "owner /**/.goutputstream-* rw,", "/{,**/}*.conf.bak w,", "/{,**/}core.[0-9]* rw,"])
def test_a_pattern_for_suffixes_reaches_no_row(lint, rule):
    assert ids(lint(rule)) == []


@pytest.mark.parametrize("rule,severity", [("/etc/shadow r,", "info"), ("/etc/{passwd,shadow} r,", "info"), ("/etc/s* r,", "warning"),
                                           ("/etc/** r,", "warning"), ("owner @{HOME}/.ssh/** r,", "info"), ("@{HOME}/** r,", "warning")])
def test_who_names_a_secret_is_told_and_who_reaches_too_far_is_warned(lint, rule, severity):
    assert [f["severity"] for f in of(lint(rule), "AP319")] == [severity]


@pytest.mark.parametrize("rules,rule,n", [
    (["capability,"], "AP303", 1), (["capability,"], "AP304", 0),
    (["capability sys_admin sys_module,"], "AP304", 1), (["capability sys_admin,", "capability bpf,"], "AP304", 2),
    (["capability dac_override setuid,"], "AP304", 0),
    (["ptrace trace peer=unconfined,"], "AP308", 1), (["ptrace peer=**,"], "AP308", 1), (["ptrace (read) peer=unconfined,"], "AP308", 0),
    (["ptrace trace,", "deny ptrace trace peer=unconfined,"], "AP308", 0),
    (["signal send,"], "AP309", 1), (["signal send set=(term),"], "AP309", 0), (["signal receive,"], "AP309", 0),
    (["dbus,"], "AP311", 1), (["dbus eavesdrop,"], "AP311", 1), (["dbus (bind) bus=system name=a.b,"], "AP311", 0),
    (["change_profile -> unconfined,"], "AP312", 1), (["change_profile -> **,"], "AP312", 1),
    (["change_profile unsafe /bin/q -> q,"], "AP312", 1), (["change_profile /bin/q -> q,"], "AP312", 0),
    (["network,", "deny network alg,"], "AP314", 1), (["network packet raw,"], "AP314", 1), (["network netlink raw,"], "AP314", 0),
    (["network inet raw,"], "AP314", 0), (["network inet,"], "AP314", 0),
    (["userns,"], "AP323", 1), (["io_uring override_creds,"], "AP324", 1),
    (["set rlimit nofile <= infinity,"], "AP328", 1), (["set rlimit rtprio <= 99,"], "AP328", 1), (["set rlimit nice <= 19,"], "AP328", 0),
    (["set rlimit rtprio <= 0,"], "AP328", 0)])
def test_rules_of_other_classes(lint, rules, rule, n):
    assert len(of(lint(*rules), rule)) == n


def test_what_no_kernel_of_the_target_mediates_is_not_called_allowed_by_a_rule(lint):
    old = ["--target", "apparmor=3.0"]
    assert not of(lint("network,", head="abi <abi/3.0>,\nprofile p /bin/p"), "AP323")
    assert not of(lint("network,", options=old), "AP310")


def test_a_family_alone_is_the_same_as_the_rule_of_its_class_and_is_told_as_information(lint):
    assert [f["severity"] for f in of(lint("network unix stream,"), "AP310")] == ["info"]
    assert [f["severity"] for f in of(lint("network unix stream,", "unix,"), "AP310")] == ["high"]
    assert not of(lint("network inet stream,"), "AP310")
    assert not of(lint("network unix dgram,", "deny unix,"), "AP310")
