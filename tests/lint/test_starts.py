# SPDX-License-Identifier: Apache-2.0
"""What the linter says of starting is what the runtimes do: one call at a time is taken out of
Docker's default list, and real runc and crun start a container under the rest."""
import json
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cases import ERRNO, arg, entry, open_, policy, profile
from conftest import PATIENCE, ROOT, need, need_root
from runtimes import ROWS as RUNTIMES, fetched

VERSION = r"(?:0|OCI_VERSION\(([^)]*)\))"


def version(text):
    """"1, 1, 15" of the table or "1.1.15" of a message; "": no bound."""
    return tuple(int(n) for n in re.findall(r"\d+", text))


TABLE = [(kind.lower(), version(since), version(before), when, call) for kind, since, before, when, call in
         re.findall(rf'^START\(OCI_(RUNC|CRUN), {VERSION}, {VERSION}, (RUN|PLAIN|USER|EXEC), "(\w+)"',
                    (ROOT / "compiler" / "oci" / "runtime" / "starts.def").read_text(), re.M)]
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
    config["ociVersion"] = "1.0.2"  # which every runtime knows
    config["process"].update(terminal=False, args=["/bin/busybox", "true"])
    config["process"].pop("rlimits", None)
    config["root"] = {"path": str(d / "rootfs"), "readonly": True}
    (d / "config.json").write_text(json.dumps(config))
    return d


def made_and_started(argv, where, name, log):
    """As engines do it: what `create` makes waits for `start`, under the filter."""
    pid = where / "pid"
    r = subprocess.run([*argv, "create", "--pid-file", pid, name], cwd=where, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=60)
    said = lambda: (where / "log").read_text()  # noqa: E731
    if r.returncode:
        return subprocess.CompletedProcess(r.args, r.returncode, "", said())
    r = subprocess.run([*argv, "start", name], cwd=where, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=60)
    end = time.monotonic() + 60
    while time.monotonic() < end:  # it is the program, or has ended
        try:
            name, state = re.search(r"\((.*)\) (.)", open(f"/proc/{pid.read_text()}/stat").read()).groups()
        except OSError:
            state = "X"
        if state in "ZX":
            return subprocess.CompletedProcess(r.args, r.returncode or 1, "", said())
        if name == "busybox":
            return subprocess.CompletedProcess(r.args, 0, "", "")
        time.sleep(0.01)
    raise AssertionError(said())


def start(base, where, rt, seccomp, mode):
    """What the runtime says when no container starts, or (mode exec) nobody joins it; None: it does;
    "": there is nothing to join."""
    where.mkdir(parents=True)
    config = json.loads((base / "config.json").read_text())
    config["linux"]["seccomp"] = seccomp
    if mode == "user":
        config["process"]["user"] = {"uid": 1000, "gid": 1000}
    config["process"]["noNewPrivileges"] = mode == "nnp" or (mode == "exec" and rt.kind == "crun")
    if mode == "exec" or (mode != "nnp" and rt.kind == "crun"):
        config["process"]["args"] = ["/bin/busybox", "sleep", "60"]
    (where / "config.json").write_text(json.dumps(config))
    argv = rt.argv(where / "state")
    name = f"pale-start-{os.getpid()}-{where.parent.name}-{where.name}"
    r = None
    with open(where / "log", "w") as log:
        try:
            if rt.kind == "crun" and mode in ("plain", "user"):
                r = made_and_started(argv, where, name, log)
            elif mode != "exec":
                r = subprocess.run([*argv, "run", name], cwd=where, stdin=subprocess.DEVNULL, capture_output=True,
                                   text=True, timeout=PATIENCE)
            elif subprocess.run([*argv, "run", "-d", name], cwd=where, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log, timeout=PATIENCE).returncode == 0:
                r = subprocess.run([*argv, "exec", name, "/bin/busybox", "true"], cwd=where,
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
        finally:
            subprocess.run([*argv, "delete", "-f", name], cwd=where, capture_output=True, timeout=PATIENCE)
    if not r or re.search("cannot exec in a stopped|is not running|/ns/.*No such file", r.stderr):
        return ""
    return r.stdout + r.stderr if r.returncode else None


def said_of_start(pale, path, rt, mode):
    """The findings that say so of this runtime."""
    ids = {"nnp": {"SC160", "SC161"}, "plain": {"SC160", "SC161", "SC162"}, "exec": {"SC176"}}
    ids["user"] = ids["plain"]
    out = []
    for f in json.loads(pale("lint", "--runtime", "any", "--format", "json", path).out)["findings"]:
        m = re.search(r" (runc|crun)(?: \((?:(\S+) and later|before (\S+))\))? itself", f["message"])
        if mode != "user" and "whose user is not root" in f["message"]:
            continue
        if f["id"] in ids[mode] and (f["id"] == "SC160" or (m[1] == rt.kind and (not m[2] or rt.version >= version(m[2]))
                                                      and (not m[3] or rt.version < version(m[3])))):
            out.append(f["message"])
    return out


def jobs(rt, mode):
    rows = [r for r in TABLE if r[0] == rt.kind]
    if mode == "user":
        return [("fchown", ERRNO, errno) for errno in (1, 13, 22, 30, 38)] + [("fchown", KILL, 0)]
    out = [(call, ERRNO, errno) for call in sorted({r[4] for r in rows} | {"fchown", "readlinkat", "statx"})
           for errno in (1, 13, 38)]
    if rt.kind == "runc":
        out += [(both, ERRNO, errno) for both in ("faccessat2+faccessat", "openat2+readlinkat") for errno in (1, 38)]
    whens = {"nnp": {"RUN"}, "plain": {"RUN", "PLAIN"}, "exec": {"EXEC"}}[mode]
    made = [r[4] for r in rows if r[3] in whens and r[1] <= rt.version and (not r[2] or rt.version < r[2]) and
            r[4] not in ("prctl", "read", "write")]  # busybox's own
    return out + [(call, KILL, 0) for call in dict.fromkeys(made)]  # several rows may have one call


# A slice for each runtime; PALE_LONG: all.
LONG = bool(os.environ.get("PALE_LONG"))


@pytest.mark.once
@pytest.mark.parametrize("mode", ["nnp", "plain", "user", "exec"])
@pytest.mark.parametrize("row", RUNTIMES)
def test_each_call_taken_out_does_what_the_linter_says(pale, base, tmp_path, row, mode):
    rt = fetched(row)

    def one(job):
        where = tmp_path / f"{job[0]}-{job[1]}-{job[2]}"
        path = where.with_suffix(".json")
        path.write_text(json.dumps(without(*job)))
        return job, path, start(base, where, rt, json.loads(path.read_text()), mode)

    work = jobs(rt, mode)
    with ThreadPoolExecutor(2) as pool:
        for job, path, words in pool.map(one, work if LONG or mode == "user" else work[RUNTIMES.index(row) % 5::5]):
            if words == "":
                continue
            said = said_of_start(pale, path, rt, mode)
            assert bool(said) == (words is not None), (job, said, words)
            quoted = [m[1] for m in (re.search(r'\("(.*?)(?: \.\.\.)?"\)', f) for f in said) if m]
            # The words are those of the first version that makes the call, in the mode that they name.
            if quoted and job[1] == ERRNO and job[0] != "execve" and rt.version < (1, 3) and mode not in ("plain", "user"):
                assert any(q in words for q in quoted), (job, said, words)


def test_rows_are_what_the_measured_sets_list():
    for name, whens in (("start-runc", {"RUN", "PLAIN", "USER"}), ("start-runc-nnp", {"RUN"}),
                        ("start-crun", {"RUN", "PLAIN", "EXEC"})):
        text = (ROOT / "profiles" / "sets" / f"{name}.pale").read_text()
        body = "".join(re.findall(r"allow ([^;]*);(?! # implied)", text))
        rows = {r[4] for r in TABLE if r[0] == name.split("-")[1] and r[3] in whens}
        assert set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", body))) == rows, name


ORDINARY = ["execve", "exit_group", "read", "write", "close", "mmap", "mprotect", "newfstatat", "openat",
            "pread64", "arch_prctl"]


def findings(pale, tmp_path, text, name="p.json"):
    path = tmp_path / name
    path.write_text(text)
    return json.loads(pale("lint", "--runtime", "any", "--format", "json", path).out)["findings"]


def test_a_profile_of_a_program_alone_does_not_start_under_runc(pale, tmp_path):
    found = findings(pale, tmp_path, open_(*ORDINARY, defaultErrnoRet=38))
    runc = [f for f in found if f["id"] == "SC161"]
    assert [f["severity"] for f in runc] == ["warning", "warning"]  # of 1.1, and of 1.3 besides
    assert "'fstatfs' and 'getdents64'" in runc[0]["message"]
    assert "ensure /proc/self/fd is on procfs" in runc[0]["message"]


def test_later_runtimes_need_more(pale, tmp_path):
    needed = {r[4] for r in TABLE} - {"statx", "openat2"}
    found = [f for f in findings(pale, tmp_path, open_(*needed - {"fstat"})) if f["id"] == "SC161"]
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


def test_crun_is_asked_as_well(pale, tmp_path):
    """What starts under runc alone, and what nobody joins: compile says it where crun is named."""
    for text, plain, joins in (("use start-run, start-runc, libc;", True, False),
                               ("use start-run, start-crun, libc;", False, False),
                               ("use start-run, libc; use start-crun except setgroups;", False, True)):
        (tmp_path / "p.pale").write_text(policy("\tlayers seccomp;\n\t" + text))
        for runtime in ("crun-1.8.1+libseccomp-2.5.4", "crun-1.28+libseccomp-2.6.1"):
            r = pale("compile", "-t", "oci", "--runtime", runtime, "-o", tmp_path / "o", tmp_path / "p.pale", check=0)
            assert ("PL202" in r.err and "without no-new-privileges" in r.err) == plain, r
            assert ("PL256" in r.err and "'setgroups'" in r.err and "health checks" in r.err) == joins, r
    found = findings(pale, tmp_path, policy("\tuse start-crun except setgroups;"), "p.pale")
    assert [f["severity"] for f in found if f["id"] == "SC176"] == ["info"]


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


# ---- a runtime that is named, and what it ends with ----

ENDS = {  # seen with runc 1.1.5 and crun 1.8.1
    ("runc", ERRNO, 1): "runc: \"exec PROGRAM: operation not permitted\"",
    ("runc", ERRNO, 38): "runc: \"exec PROGRAM: function not implemented\"",
    ("crun", ERRNO, 38): "crun: \"exec container process: Function not implemented\"",
    ("runc", KILL, 1): "runc: killed by SIGSYS, status 159",
    ("runc", "SCMP_ACT_KILL_THREAD", 1): "runc: one of its threads is killed, and it hangs",
    ("crun", "SCMP_ACT_KILL_THREAD", 1): "crun: killed by SIGSYS, status 159",
    ("runc", "SCMP_ACT_TRAP", 1): "runc: a crash dump of Go: SIGSYS",
}
FULL = {"runc": "runc-1.1+libseccomp-2.5.4", "crun": "crun-1.8+libseccomp-2.5.4"}


def lint_as(pale, tmp_path, text, runtime):
    path = tmp_path / "named.json"
    path.write_text(text)
    return json.loads(pale("lint", "--runtime", FULL[runtime], "--format", "json", path).out)["findings"]


@pytest.mark.parametrize("runtime, action, errno", ENDS)
def test_the_words_are_those_of_the_action(pale, tmp_path, runtime, action, errno):
    text = profile(entry("execve", action=action, **({"errnoRet": errno} if action == ERRNO else {})), default="SCMP_ACT_ALLOW")
    told = [f for f in lint_as(pale, tmp_path, text, runtime) if f["id"] == "SC160"]
    assert [f["severity"] for f in told] == ["error"] and ENDS[runtime, action, errno] in told[0]["message"], told


def test_a_killed_call_of_the_runtime_is_not_answered(pale, tmp_path):
    text = profile(entry("getdents64", action=KILL), default="SCMP_ACT_ALLOW")
    told = [f["message"] for f in lint_as(pale, tmp_path, text, "runc") if f["id"] == "SC161"]
    assert len(told) == 1 and "(killed by SIGSYS, status 159)" in told[0] and "readdirent" not in told[0], told


def test_a_named_runtime_is_the_only_one_that_is_told_of(pale, tmp_path):
    text = open_(*ORDINARY, defaultErrnoRet=38)
    for runtime in FULL:
        ids = {f["id"]: f["message"] for f in lint_as(pale, tmp_path, text, runtime) if f["id"] in ("SC161", "SC162")}
        assert ids and all(f"{runtime} itself calls" in m or f"{runtime} (" in m for m in ids.values()), ids
    flags = profile(entry("read"), flags=["SECCOMP_FILTER_FLAG_LOG"])
    assert [r for r in FULL if "SJ031" in {f["id"] for f in lint_as(pale, tmp_path, flags, r)}] == ["runc"]
    assert pale("lint", "--runtime", "nope-1", tmp_path / "named.json").rc == 2


def test_clone3_that_kills_is_not_said_to_fail(pale, tmp_path):
    text = profile(entry("clone3", action=KILL), default="SCMP_ACT_ALLOW")
    told = [f["message"] for f in lint_as(pale, tmp_path, text, "crun") if f["id"] == "SC127"]
    assert len(told) == 1 and "is killed" in told[0] and "can't start new thread" not in told[0], told


def test_a_carried_call_past_its_conditions_is_told_once(pale, tmp_path):
    found = findings(pale, tmp_path, "policy p { level linux 6.18; layers seccomp; arch x86_64, i386; default errno EPERM;"
                     " allow socket(domain == AF_INET), socketcall; }", "p.pale")
    assert len([f for f in found if f["id"] in ("PL255", "SC123")]) == 1


def test_no_architecture_is_no_empty_list(pale, tmp_path):
    found = findings(pale, tmp_path, profile(entry("waitpid"), arches=["NOPE"]))
    assert [f for f in found if f["id"] == "SC104"] and not [f for f in found if "()" in f["message"]]


def test_a_user_who_is_not_root_needs_fchown_without_no_new_privileges(pale, tmp_path):
    """runc's finalizeNamespace() gives him the standard streams, and bears few errnos (seen with all rows)."""
    def said(runtime, errno):
        path = tmp_path / "p.json"
        path.write_text(json.dumps(without("fchown", errno=errno)))
        found = json.loads(pale("lint", "--runtime", runtime, "--format", "json", path).out)["findings"]
        return [f["message"] for f in found if f["id"] == "SC162" and "'fchown' is refused" in f["message"]]
    for runtime, fatal in (("runc-1.1.5", {13, 38}), ("docker-28.5", {13, 38}), ("runc-1.4.3", {13, 22, 38}), ("podman-5.8", set())):
        for errno in 1, 13, 22, 30, 38:
            told = said(runtime, errno)
            assert bool(told) == (errno in fatal), (runtime, errno, told)
            assert all("whose user is not root" in m and "chown /dev/stdin" in m for m in told)


@pytest.mark.parametrize("default, told", [("ENOSYS", True), ("EPERM", False)])
def test_compile_says_so_of_a_policy(pale, tmp_path, default, told):
    f = tmp_path / "p.pale"
    f.write_text("policy p { arch x86_64; level linux 6.1; layers seccomp; default errno " + default +
                 "; use start-run, start-runc except fchown; use libc; }\n")
    r = pale("compile", "-t", "oci", "-o", "/dev/null", "--runtime", "docker-28.5", f, check=0)
    assert ("the policy refuses 'fchown', which runc calls" in r.err and "the user is not root" in r.err) == told, r
    f.write_text(f.read_text().replace(" except fchown", ""))
    assert "'fchown'" not in pale("compile", "-t", "oci", "-o", "/dev/null", "--runtime", "docker-28.5", f, check=0).err


@pytest.mark.parametrize("runtime", FULL)
@pytest.mark.parametrize("errno, starts", [(4094, True), (4095, False), (4096, False), (65535, False)])
def test_a_filter_that_no_runtime_loads_has_no_last_words(pale, tmp_path, runtime, errno, starts):
    """libseccomp takes no errno above 4094, so the container never comes to the call that is refused."""
    refused = {"names": ["execve", "close", "write"], "action": ERRNO, "errnoRet": errno}
    for profile in ({"defaultAction": ERRNO, "defaultErrnoRet": errno, "syscalls": []},
                    {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [refused]}):
        found = lint_as(pale, tmp_path, json.dumps(profile), runtime)
        ids = {f["id"] for f in found}
        assert ("SJ016" in ids) != starts and bool(ids & {"SC160", "SC161", "SC162", "SC176"}) == starts, ids
        assert starts or not [f for f in found if "nknown error" in f["message"]]


def test_quoted_words_have_no_hole(pale, tmp_path):
    for call, words in (("getdents64", "readdirent /proc/self/fd ..."), ("openat", "open exec fifo ...")):
        text = {"defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{"names": [call], "action": ERRNO, "errnoRet": 1}]}
        found = lint_as(pale, tmp_path, json.dumps(text), "runc")
        assert [f'"{words}"' in f["message"] for f in found if f["id"] == "SC161"] == [True], found
