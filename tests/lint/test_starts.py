# SPDX-License-Identifier: Apache-2.0
"""What the linter says of starting is what the runtimes do: one call at a time is taken out of
Docker's default list, and real runc and crun start a container under the rest."""
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from cases import ERRNO, arg, entry, open_, policy, profile
from conftest import ROOT, need, need_root
from runtimes import crun_argv

TABLE = (ROOT / "compiler" / "oci" / "starts.def").read_text()
ROWS = re.findall(r'^START\(OCI_(RUNC|CRUN), 0, .*(false|true), "(\w+)", "\w*", "([^"]*)"\)', TABLE, re.M)
DOCKER = json.loads((ROOT / "profiles" / "found" / "docker-default.json").read_text())
NAMES = {n for e in DOCKER["syscalls"] if e["action"] == "SCMP_ACT_ALLOW" and not e.get("excludes")
         for n in e["names"]} - {"clone3"}
KILL = "SCMP_ACT_KILL_PROCESS"


def without(call, action=ERRNO, errno=1):
    """Docker's list less one call; what is left out answers ENOSYS."""
    calls = call.split("+")
    refusal = [entry(*calls, action=action, **({"errnoRet": errno} if action == ERRNO else {}))]
    return json.loads(profile(entry(*sorted(NAMES - {*calls})), *(refusal if errno != 38 else []),
                              defaultErrnoRet=38))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    need_root()
    d = tmp_path_factory.mktemp("start")
    for name in ("bin", "tmp", "proc", "dev", "sys"):
        (d / "rootfs" / name).mkdir(parents=True)
    shutil.copy(need("busybox"), d / "rootfs" / "bin" / "busybox")
    subprocess.run([need("runc"), "spec"], cwd=d, check=True)
    config = json.loads((d / "config.json").read_text())
    config["process"].update(terminal=False, args=["/bin/busybox", "true"])
    config["process"].pop("rlimits", None)
    config["root"] = {"path": str(d / "rootfs"), "readonly": True}
    (d / "config.json").write_text(json.dumps(config))
    return d


def start(base, where, runtime, seccomp, plain):
    """What the runtime says when no container starts; None: one does."""
    where.mkdir(parents=True)
    config = json.loads((base / "config.json").read_text())
    config["linux"]["seccomp"] = seccomp
    config["process"]["noNewPrivileges"] = not plain
    (where / "config.json").write_text(json.dumps(config))
    argv = [need(runtime), "--root", where / "state"]
    if runtime == "crun":
        argv = crun_argv(argv)
    name = f"pale-start-{os.getpid()}-{where.name}"
    argv = [str(a) for a in argv]
    r = subprocess.run([*argv, "run", name], cwd=where, stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=60)
    subprocess.run([*argv, "delete", "-f", name], cwd=where, capture_output=True, timeout=60)
    return r.stdout + r.stderr if r.returncode else None


def said_of_start(pale, path, runtime, plain):
    """The findings that say that no container starts so."""
    found = json.loads(pale("lint", "--format", "json", path).out)["findings"]
    ids = {"SC160", "SC161"} | ({"SC162"} if plain else set())
    return [f["message"] for f in found if f["id"] in ids and
            (f["id"] == "SC160" or re.search(rf" {runtime}( .before 1.3.)? itself", f["message"]))]


@pytest.mark.xdist_group("runtimes")
@pytest.mark.parametrize("runtime", ["runc", "crun"])
@pytest.mark.parametrize("plain", [False, True], ids=["nnp", "plain"])
def test_each_call_taken_out_does_what_the_linter_says(pale, base, tmp_path, runtime, plain):
    need(runtime)
    calls = sorted({r[2] for r in ROWS if r[0] == runtime.upper()} |
                   {"fchown", "fstatfs", "setresuid", "rt_sigaction", "readlinkat", "statx"})
    jobs = [(call, ERRNO, errno) for call in calls for errno in (1, 38)]
    jobs += [("faccessat2+faccessat", ERRNO, errno) for errno in (1, 38)]
    jobs += [(r[2], KILL, 0) for r in ROWS if r[0] == runtime.upper() and plain >= (r[1] == "true") and
             r[2] not in ("prctl", "read")]  # these two busybox makes itself

    def one(job):
        where = tmp_path / f"{job[0]}-{job[1]}-{job[2]}"
        path = where.with_suffix(".json")
        path.write_text(json.dumps(without(*job)))
        return job, path, start(base, where, runtime, json.loads(path.read_text()), plain)

    dead = 0
    with ThreadPoolExecutor(2) as pool:
        for job, path, words in pool.map(one, jobs):
            said = said_of_start(pale, path, runtime, plain)
            assert bool(said) == (words is not None), (job, said, words)
            quoted = re.search(r'\("(.*?)(?: \.\.\.)?"\)', said[0]) if said else None
            if quoted and job[1] == ERRNO and job[0] != "execve":
                assert quoted[1] in words, (job, said, words)
            dead += words is not None
    assert dead > (2 if runtime == "crun" and not plain else 15)


def test_rows_are_what_the_measured_sets_list():
    for runtime in ("runc", "crun"):
        for name, plains in ((f"start-{runtime}", ("false", "true")),
                             *([("start-runc-nnp", ("false",))] if runtime == "runc" else [])):
            text = (ROOT / "profiles" / "sets" / f"{name}.pale").read_text()
            body = "".join(re.findall(r"allow ([^;]*);(?! # implied)", text))
            rows = {r[2] for r in ROWS if r[0] == runtime.upper() and r[1] in plains}
            assert set(re.findall(r"\w+", body)) - {"futex"} == rows, name  # futex: now and then


ORDINARY = ["execve", "exit_group", "read", "write", "close", "mmap", "mprotect", "newfstatat", "openat",
            "pread64", "arch_prctl"]


def findings(pale, tmp_path, text, name="p.json"):
    path = tmp_path / name
    path.write_text(text)
    return json.loads(pale("lint", "--format", "json", path).out)["findings"]


def test_a_profile_of_a_program_alone_does_not_start_under_runc(pale, tmp_path):
    found = findings(pale, tmp_path, open_(*ORDINARY, defaultErrnoRet=38))
    runc = [f for f in found if f["id"] == "SC161"]
    assert [f["severity"] for f in runc] == ["warning", "warning"]  # of 1.1, and of 1.3 besides
    assert "'fstatfs' and 'getdents64'" in runc[0]["message"]
    assert "ensure /proc/self/fd is on procfs" in runc[0]["message"]


def test_later_runtimes_need_more(pale, tmp_path):
    needed = [r[2] for r in ROWS]
    found = [f for f in findings(pale, tmp_path, open_(*{*needed} - {"fstat"})) if f["id"] == "SC161"]
    assert ["'fstat', 'statx', 'openat2' and 'readlinkat' are refused, and runc (1.3 and later) itself"
            in f["message"] for f in found] == [True]
    for either in ("openat2", "readlinkat"):
        found = findings(pale, tmp_path, open_(*needed, "statx", either))
        assert not [f for f in found if f["id"] == "SC161"]
    for text in ("use start-runc-nnp;", "use start-runc;"):
        found = findings(pale, tmp_path, policy("\t" + text), "p.pale")
        assert not [f for f in found if f["id"] == "SC161"], text
    old = policy("\tlayers seccomp;\n\tuse start-runc-nnp except fstat, statx;")
    (tmp_path / "old.pale").write_text(old)
    for version, warned in (("runc-1.1+libseccomp-2.5.4", False), ("runc-1.3+libseccomp-2.5.4", True)):
        r = pale("compile", "-t", "oci", "--runtime", version, "-o", tmp_path / "o", tmp_path / "old.pale")
        assert ("PL202" in r.err and "'fstat', 'statx'" in r.err) == warned, (version, r)


def test_execve_refused_is_an_error_in_both_formats(pale, tmp_path):
    rest = [n for n in ORDINARY if n != "execve"]
    for text, name in ((open_(*rest), "p.json"), (policy(f"\tallow {', '.join(rest)};"), "p.pale"),
                       (profile(entry("execve", action=ERRNO), default="SCMP_ACT_ALLOW"), "deny.json")):
        found = [f for f in findings(pale, tmp_path, text, name) if f["id"] == "SC160"]
        assert [f["severity"] for f in found] == ["error"], name
    some = profile(entry("execve", args=[arg(1, "NE", 0)]))
    assert not [f for f in findings(pale, tmp_path, some) if f["id"] == "SC160"]


def test_execve_is_looked_for_on_every_machine(pale, tmp_path):
    found = findings(pale, tmp_path, profile(entry("execve", includes={"arches": ["amd64"]}), arches=[],
                                             archMap=[{"architecture": "SCMP_ARCH_X86_64"},
                                                      {"architecture": "SCMP_ARCH_AARCH64"}]))
    assert [f["message"].split(":")[0] for f in found if f["id"] == "SC160"] == \
        ["'execve' is refused on aarch64"]


def test_a_policy_for_something_else_is_told_as_news(pale, tmp_path):
    found = findings(pale, tmp_path, policy("\tuse start-run;"), "p.pale")
    assert {f["severity"] for f in found if f["id"] in ("SC161", "SC162")} == {"info"}
    found = findings(pale, tmp_path, policy("\tuse start-runc-nnp;"), "p.pale")
    assert not [f for f in found if f["id"] == "SC161"]
    assert {(f["severity"], "runc" in f["message"]) for f in found if f["id"] == "SC162"} == \
        {("warning", True), ("info", False)}


@pytest.mark.parametrize("action", ["SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_LOG"])
def test_what_somebody_is_asked_about_is_not_refused(pale, tmp_path, action):
    for text in (profile(entry("execve", "fstatfs", "openat", action=action), listenerPath="/run/x"),
                 profile(default=action, listenerPath="/run/x")):
        said = [f["message"] for f in findings(pale, tmp_path, text) if f["id"] in ("SC140", "SC160", "SC161")]
        assert not [m for m in said if "'execve'" in m or "'fstatfs'" in m or "'openat'" in m], said
