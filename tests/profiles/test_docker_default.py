# SPDX-License-Identifier: Apache-2.0
"""Docker's default in pale: the exact import equals the JSON in every environment; the typed one
differs where its head says and nowhere else; both compile, and containers start under both."""
import json
import platform
import re
import sys

import pytest

from conftest import PATIENCE, ROOT, need, need_root, program, run

JSON = ROOT / "profiles" / "found" / "docker-default.json"
EXACT = ROOT / "profiles" / "docker-default.pale"
TYPED = ROOT / "profiles" / "docker-default-typed.pale"
TOOL = "oci/ocitool"
# Without runc's ENOSYS stub: what the JSON itself says of numbers without a name.
PLAIN = ["--runtime", "crun-1.8+libseccomp-2.5.4"]
IN_RUNC = ROOT / "tests" / "live" / "in_runc.py"
CAPS = ["CHOWN", "DAC_OVERRIDE", "NET_BIND_SERVICE", "SETGID", "SETUID", "KILL"]


def everywhere(x, y, rc=0):
    r = run([program(TOOL), "everywhere", x, y])
    assert r.rc == rc, r
    return r.out


@pytest.fixture
def plain(tmp_path):
    """The exact one with the JSON's own answer to numbers without a name."""
    path = tmp_path / "plain.pale"
    path.write_text(EXACT.read_text().replace("unknown errno ENOSYS;", "unknown errno EPERM;"))
    return path


def test_the_exact_one_is_what_import_prints(pale):
    text = EXACT.read_text()
    head = "".join(line + "\n" for line in text.splitlines() if line.startswith("# "))
    assert text == head + pale("import", "--name", "docker-default", JSON, check=0).out


def test_the_exact_one_equals_the_json_in_every_environment(pale, plain, record_property):
    pale("diff", JSON, EXACT, check=0)
    out = everywhere(JSON, plain)
    pairs = int(re.search(r"(\d+) compared, 0 differ\n$", out).group(1))
    arches = re.search(r"^    arch (.*);$", EXACT.read_text(), re.M).group(1).split(", ")
    assert pairs > len(arches) == 10
    record_property("figure", f"docker-default.pale equals Docker's JSON on {len(arches)} architectures "
                    f"({pairs} with the machines they run on), in every environment")


@pytest.mark.parametrize("change", [
    ("kernel >= 4.8", "kernel >= 4.9"), ("capability syslog", "capability sys_boot"),
    ("reg arg0 == 39", "reg arg0 == 38"), ("not capability sys_admin {", "capability sys_chroot {"),
    ("host x86_64, x32 {", "host aarch64 {"), (" accept4,", ""), ("foreign kill-thread", "foreign trap")])
def test_the_comparison_sees_small_changes(tmp_path, plain, change):
    text = plain.read_text()
    assert change[0] in text
    other = tmp_path / "other.pale"
    other.write_text(text.replace(*change))
    assert " 0 differ" not in everywhere(JSON, other, rc=1)


@pytest.mark.parametrize("policy", [EXACT, TYPED], ids=["exact", "typed"])
def test_it_compiles_to_docker_json_and_back(pale, tmp_path, plain, policy, record_property):
    out = tmp_path / "out.json"
    out.write_text(pale("compile", policy, "-t", "docker", check=0).out)
    profile = json.loads(out.read_text())
    if policy == EXACT:
        pale("diff", JSON, out, check=0)
        out.write_text(pale("compile", plain, "-t", "docker", *PLAIN, check=0).out)
        assert " 0 differ" in everywhere(JSON, out)
    else: # `foreign` is the runtime's own: the killing of the thread
        same = tmp_path / "same.pale"
        same.write_text(TYPED.read_text().replace("foreign kill-process;", "foreign kill-thread;"))
        assert " 0 differ" in everywhere(same, out)
    record_property("figure", f"{policy.name}: {len(profile['syscalls'])} JSON entries, {out.stat().st_size} bytes")


@pytest.mark.parametrize("policy", [EXACT, TYPED], ids=["exact", "typed"])
def test_it_compiles_to_bpf_for_every_machine(pale, tmp_path, policy):
    env = ["--caps", "none", "--kernel", "6.18", "--host", "x86_64"]
    r = pale("compile", policy, "-t", "bpf", *env, "-o", f"{tmp_path}/", check=0)
    made = {p.name.split(".")[1] for p in tmp_path.glob("*.bpf")}
    assert {"x86_64", "aarch64"} <= made
    assert "instructions" in r.err and "[PL205" not in r.err
    # Who lets socketcall pass is told so; the import says what Docker says.
    assert ("[PL255 multiplexer-passes]" in r.err) == (policy == TYPED)


def test_the_two_differ_where_the_typed_one_says(pale):
    arches = re.search(r"^    arch (.*);$", TYPED.read_text(), re.M).group(1).replace(" ", "")
    r = pale("diff", "--format", "json", "--arch", arches, EXACT, TYPED, check=1)
    seen = {}
    for d in json.loads(r.out)["changes"]:
        about = d["about"] if d["part"] == "calls" else d["part"]
        seen.setdefault(d["change"], set()).add(about)
    head = TYPED.read_text().split("\npolicy ")[0]
    seen.get("tighter", set()).discard("foreign")  # as --arch leaves it, or not
    assert seen == {"looser": {"personality"}, "tighter": {"socket"}}
    assert all(re.search(rf"^#   {word} ", head, re.M) for word in ("socket", "personality", "foreign"))


def flat(profile):
    """As Docker would hand it to runc on this machine, for a container with CAPS."""
    caps = {"CAP_" + c for c in CAPS}
    release = tuple(int(x) for x in platform.release().split(".")[:2])

    def version(text):
        return tuple(int(x) for x in text.split("."))

    def is_open(e):
        inc, exc = e.get("includes", {}), e.get("excludes", {})
        return (set(inc.get("caps", [])) <= caps and not set(exc.get("caps", [])) & caps
                and "amd64" in inc.get("arches", ["amd64"]) and "amd64" not in exc.get("arches", [])
                and ("minKernel" not in inc or release >= version(inc["minKernel"]))
                and ("minKernel" not in exc or release < version(exc["minKernel"])))

    row = next(r for r in profile["archMap"] if r["architecture"] == "SCMP_ARCH_X86_64")
    keep = [{k: v for k, v in e.items() if k not in ("includes", "excludes")}
            for e in profile["syscalls"] if is_open(e)]
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile["defaultErrnoRet"],
            "architectures": [row["architecture"], *row["subArchitectures"]], "flags": [], "syscalls": keep}


@pytest.mark.parametrize("mode", ["nnp", "plain"])
@pytest.mark.parametrize("policy", [EXACT, TYPED], ids=["exact", "typed"])
def test_a_container_starts_under_it(pale, tmp_path, policy, mode):
    need_root()
    need("runc")
    if platform.machine() != "x86_64":
        pytest.skip("the row of x86_64 is loaded")
    profile = tmp_path / "oci.json"
    out = pale("compile", policy, "-t", "docker", check=0).out
    profile.write_text(json.dumps(flat(json.loads(out))))
    script = "grep Seccomp: /proc/self/status; mount -t tmpfs none /tmp; echo $?; unshare -U true; echo $?"
    r = run([need("unshare"), "-m", sys.executable, IN_RUNC, tmp_path / f"{policy.stem}-{mode}", need("runc"), profile,
             mode, "/bin/sh", "-c", script], timeout=PATIENCE)
    assert r.rc == 0 and "Seccomp:\t2" in r.out, r
    assert r.out.split("\n")[1:3] == ["32", "1"] or "Operation not permitted" in r.err, r
