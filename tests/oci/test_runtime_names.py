# SPDX-License-Identifier: Apache-2.0
"""Names of runtimes: exact is what was measured (compiler/oci/runtimes.def), any other is said to be
taken as one of these, and what is none is told with the nearest that is."""
import re

import pytest

from conftest import ROOT
from runtimes import ROWS

ROW = {"runc-1.1.5": "runc-1.1.5+libseccomp-2.5.4-1+deb12u1", "runc-1.1.15": "runc-1.1.15+libseccomp-2.6.0",
       "runc-1.3.6": "runc-1.3.6+libseccomp-2.6.1", "runc-1.4.3": "runc-1.4.3+libseccomp-2.6.1",
       "crun-1.8.1": "crun-1.8.1+libseccomp-2.5.4-1+deb12u1", "crun-1.21": "crun-1.21+libseccomp-2.6.0",
       "crun-1.28": "crun-1.28+libseccomp-2.6.1"}
POLICY = """policy p { arch x86_64; level linux 6.1; layers seccomp; default errno EPERM; unknown errno ENOSYS;
    use start-run, start-runc, start-crun, libc; }
"""


def claim(pale, runtime, *more, rc=0):
    r = pale("compile", "-t", "oci", "-o", "/dev/null", *(["--runtime", runtime] if runtime is not None else []), *more, "-",
             input=POLICY, check=rc)
    return r.err


def test_the_rows_are_those_that_are_fetched_and_loaded():
    table = (ROOT / "compiler" / "oci" / "runtimes.def").read_text()
    rows = [(k.lower(), v) for k, v in re.findall(r"^RUNTIME\(OCI_(\w+), OCI_VERSION\(([^)]*)\)", table, re.M)]
    assert [f"{k}-{v.replace(', ', '.')}".removesuffix(".0") for k, v in rows] == list(ROW) == ROWS


@pytest.mark.parametrize("name, row", [
    *((full, name) for name, full in ROW.items()), *((name, name) for name in ROW), (None, "runc-1.1.5"),
    ("runc-1.1.5+libseccomp-2.5.4+deb12u1", "runc-1.1.5"), ("runc-1.3.6+libseccomp-2.6.1-1+b2", "runc-1.3.6"),
    ("runc-1.1.5+ds1-1+deb12u1+libseccomp-2.5.4-1+deb12u1", "runc-1.1.5"), ("crun-1.28-1", "crun-1.28"),
    ("runc-1.1.15+ds1-2+b4+libseccomp-2.6.0-2", "runc-1.1.15"), ("docker-28.5", "runc-1.3.6"),
    ("docker-28.5.2", "runc-1.3.6"), ("docker-26.1", "runc-1.1.15"), ("containerd-2.1", "runc-1.3.6"),
    ("containerd-1.7", "runc-1.1.15"), ("podman-5.8", "crun-1.28"), ("podman-5.4", "crun-1.21"),
    ("debian12", "runc-1.1.5"), ("debian13", "runc-1.1.15"), ("podman-5.8+crun-1.28", "crun-1.28"),
    ("docker-26.1+runc-1.1.15+libseccomp-2.6.0", "runc-1.1.15")])
def test_what_was_measured_is_exact(pale, name, row):
    assert f"; exact for {ROW[row]}\n" in claim(pale, name)


@pytest.mark.parametrize("name, row", [
    ("runc-1.1", "runc-1.1.5"), ("runc-1.1.12", "runc-1.1.5"), ("runc-1.1.20", "runc-1.1.15"),
    ("runc-1.2.3", "runc-1.3.6"), ("runc-1.3", "runc-1.3.6"), ("runc-1.4.0-rc.1", "runc-1.4.3"),
    ("runc-2.0", "runc-1.4.3"), ("crun-1.8", "crun-1.8.1"), ("crun-1.15", "crun-1.21"), ("crun-2", "crun-1.28"),
    ("docker-99", "runc-1.3.6"), ("docker-24.0", "runc-1.1.15"), ("podman-6.0", "crun-1.28"),
    ("docker-28.5+runc-1.1.5", "runc-1.1.5"), ("containerd-2.1+runc-1.3", "runc-1.3.6")])
def test_what_was_not_is_taken_as_one_that_was(pale, tmp_path, name, row):
    said = claim(pale, name)
    assert "exact" not in said and f"not measured, taken as {ROW[row]}\n" in said
    profile = tmp_path / "p.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    for argv in (["sim", "--as", f"docker:{row[:4]}"], ["import"], ["check"]):
        r = pale(*argv, "--runtime", name, profile, *(["read"] if argv[0] == "sim" else []), check=0)
        assert "[PL257 not-measured]" in r.err and ROW[row] in r.err, r


def test_the_names_are_those_of_the_library_that_is_named(pale):
    for library in ("2.5.4", "2.7.0"):
        said = claim(pale, f"runc-1.1.5+libseccomp-{library}")
        assert f"taken as {ROW['runc-1.1.5']}, with the names that libseccomp {library} knows" in said


@pytest.mark.parametrize("name, way", [
    ("runc-0.9", "runc-1.1.5"), ("runc-1.0.0~rc93", "runc-1.1.5"), ("crun-0.17", "crun-1.8.1"),
    ("crun-1.7", "crun-1.8.1"), ("runc-1.1.5+libseccomp-2.4", "runc-1.1.5"), ("debain13", "'debian13'"),
    ("debian14", "'debian1"), ("dokcer-28.5", "'docker-28.5'"), ("rnc-1.1.5", "'runc-1.1.5'"), ("youki-0.3", "runc-1.1.5"),
    ("libseccomp-2.7", "runc-1.1.5"), ("", "debian12"), ("+", "debian12"), ("runc-", "'runc-1.4.3'"),
    ("runc-1.1.5+nonsense", "'runc-1.1.5'"), ("docker-28.5junk", "'docker-28.5'")])
def test_what_is_none_is_wrong_usage_with_a_way_out(pale, name, way):
    assert way in claim(pale, name, rc=2)
    for argv in (["sim", "--as", "docker:runc", "--runtime", name, "-", "read"], ["check", "--runtime", name, "-"],
                 ["import", "--runtime", name, "-"], ["diff", "--runtime", name, "-", "/dev/null"]):
        assert pale(*argv, input="{}", check=2).err


def test_a_distribution_has_both_runtimes(pale, tmp_path):
    profile = tmp_path / "p.json"  # 1.1.5 refuses flags, crun does not
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"]}')
    for kind, rc in (("runc", 1), ("crun", 0)):
        pale("sim", "--as", f"docker:{kind}", "--runtime", "debian12", profile, "read", check=rc)
    r = pale("sim", "--as", "docker:crun", "--runtime", "docker-28.5", profile, "read", check=2)
    assert "is not crun" in r.err, r
