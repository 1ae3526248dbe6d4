# SPDX-License-Identifier: Apache-2.0
"""There is one reader of JSON profiles: lint, sim --as, import and check agree on what is wrong with
a file, with the same words, and with what the real runc and crun do about it."""
import copy
import json
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import PALE, PATIENCE, ROOT, need_root, run
from runtimes import installed
from test_loaded import base, removed  # noqa: F401 (a fixture)

ALLOW, ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
X86_64, S390X = "SCMP_ARCH_X86_64", "SCMP_ARCH_S390X"
DEFAULT = ["--runtime", "runc-1.1.5+libseccomp-2.5.4-1+deb12u1"]  # what the other commands are about
FRAME = {"defaultAction": ERRNO, "defaultErrnoRet": 38, "architectures": [X86_64]}


def of(*entries, **more):
    return {**FRAME, "syscalls": list(entries), **more}


def entry(name="bpf", action=ERRNO, **more):
    return {"names": [name], "action": action, **more}


def arg(index, op, value, **more):
    return {"index": index, "op": f"SCMP_CMP_{op}", "value": value, **more}


def config(seccomp):
    return {"ociVersion": "1.0.2", "linux": {"seccomp": seccomp}}


def put(tmp_path, what, name="p.json"):
    path = tmp_path / name
    path.write_text(what if isinstance(what, str) else json.dumps(what))
    return path


def findings(path, *options):
    runtime = [] if "--runtime" in options else ["--runtime", "any"]
    r = run([PALE, "lint", *runtime, "--format", "json", *options, path])
    assert r.rc in (0, 1), r
    return [{k: v for k, v in f.items() if k != "fingerprint"} for f in json.loads(r.out)["findings"]]


def diags(r):
    """What a command said on standard error with --diag=json."""
    return [json.loads(line) for line in r.err.splitlines() if line.startswith("{")]


# ---- each fact, in each command ----

FACTS = {  # profile: id, severity, part of the message
    "an errno of 4095": (of(entry(errnoRet=4095)), "SJ016", "error", "does not start"),
    "an errno of 5000": (of(entry(errnoRet=5000)), "SJ016", "error", "4094"),
    "a default errno of 4095": (of(defaultErrnoRet=4095), "SJ016", "error", "does not start"),
    "an errno that 16 bits cut to 0": (of(entry(errnoRet=65536)), "SJ017", "high", "success"),
    "an errno that 16 bits cut to 1": (of(entry(errnoRet=65537)), "SJ016", "high", "16 bits"),
    "an errno that 16 bits cut to 4095": (of(entry(errnoRet=69631)), "SJ016", "error", "does not start"),
    "errno 0": (of(entry(errnoRet=0)), "SJ017", "high", "success"),
    "a call that nobody knows, with errno 4095": (of(entry("nosuchcall", errnoRet=4095)), "SJ016", "high", "4094"),
    "an architecture that runc lacks": (of(architectures=[X86_64, "SCMP_ARCH_PARISC"]), "SJ009", "error", "does not"),
    "one that runc 1.1.5 lacks": (of(architectures=[X86_64, "SCMP_ARCH_RISCV64"]), "SJ009", "error", "RISCV64"),
    "another byte order beside": (of(architectures=[X86_64, S390X]), "SJ030", "error", "out of domain"),
    "another byte order alone": (of(architectures=[S390X]), "SJ030", "error", "--host"),
    "mips, big-endian": (of(architectures=[X86_64, "SCMP_ARCH_MIPS"]), "SJ030", "error", "byte order"),
    "minKernel 0.0": (of(entry(includes={"minKernel": "0.0"})), "SJ018", "error", "Docker refuses"),
    "a capability without CAP_": (of(entry(includes={"caps": ["sys_admin"]})), "SJ020", "high", "never in force"),
    "a host by another name": (of(entry(includes={"arches": ["x86_64"]})), "SJ019", "high", "amd64"),
    "name alone": (of({"name": "bpf", "action": ALLOW}), "SJ012", "warning", "Podman"),
    "name in a config.json": (config(of({"name": "bpf", "action": ALLOW})), "SJ012", "high", "no runtime does"),
    "name beside names": (of(entry(name="x", **{})) | {"syscalls": [{**entry(), "name": "acct"}]}, "SJ012", "error",
                          "both"),
    "includes in a config.json": (config(of(entry(includes={"caps": ["CAP_BPF"]}))), "SJ023", "high", "apply always"),
    "flags": (of(entry(), flags=["SECCOMP_FILTER_FLAG_LOG"]), "SJ031", "error", "before 1.2"),
    "an unknown flag": (of(entry(), flags=["NOPE"]), "SJ010", "error", "NOPE"),
    "an unknown action": (of(entry(action="SCMP_ACT_ALOW")), "SJ008", "error", "SCMP_ACT_ALLOW"),
    "no action": (of({"names": ["bpf"]}), "SJ008", "error", "no action"),
    "a null entry": (of(None), "SJ008", "error", "no action"),
    "an unknown operator": (of(entry(args=[arg(0, "EG", 1)])), "SJ010", "error", "does not start"),
    "no operator": (of(entry(args=[{"index": 0}])), "SJ010", "error", "without an operator"),
    "a null comparison": (of(entry(args=[None])), "SJ010", "error", "without an operator"),
    "a seventh argument": (of(entry(args=[arg(6, "EQ", 1)])), "SJ014", "error", "0 to 5"),
    "an empty name": (of(entry(""), entry()), "SJ013", "error", "empty"),
    "a null name": (of({"names": [None], "action": ALLOW}), "SJ013", "error", "empty"),
    "no names": (of({"names": [], "action": ALLOW}), "SJ013", "warning", "nothing"),
    "a string for a list": (of({"names": "bpf", "action": ALLOW}), "SJ026", "error", "an array"),
    "a list of numbers": (of({"names": [3], "action": ALLOW}), "SJ026", "error", "a string"),
    "a comment that is a number": (of(entry(comment=3)), "SJ026", "error", "comment"),
    "a fraction": (of(entry(args=[arg(0, "EQ", 1.5)])), "SJ005", "error", "1.5"),
    "an errno in quotes": (of(entry(errnoRet="38")), "SJ005", "error", "without quotes"),
    "architectures and archMap": (of(entry(), archMap=[{"architecture": X86_64}]), "SJ011", "error", "archMap"),
    "a row of no machine": ({"defaultAction": ERRNO, "archMap": [{"subArchitectures": [X86_64]}]}, "SJ032", "warning",
                            "skipped"),
    "an unknown key": (of(entry(syscall=1)), "SJ002", "high", "'syscall'"),
    "a key in other letters": ({"DefaultAction": ERRNO}, "SJ004", "warning", "DefaultAction"),
    "a key twice": ('{"defaultAction":"SCMP_ACT_ALLOW","defaultAction":"SCMP_ACT_ERRNO"}', "SJ003", "high", "twice"),
    "an errno beside ALLOW": (of(entry(action=ALLOW, errnoRet=1)), "SJ015", "high", "crun does"),
    "valueTwo without a mask": (of(entry(args=[arg(0, "LE", 1, valueTwo=9)])), "SJ021", "warning", "valueTwo"),
    "metadata without a path": (of(entry(), listenerMetadata="x"), "SJ022", "warning", "listenerPath"),
    "nobody to answer": (of(entry(action="SCMP_ACT_NOTIFY")), "SJ022", "error", "does not start"),
    "notify by default": ({"defaultAction": "SCMP_ACT_NOTIFY"}, "SC138", "error", "default"),
    "notify for write": (of(entry("write", "SCMP_ACT_NOTIFY"), listenerPath="/x"), "SC138", "error", "write"),
    "a name that is no call": (of(entry("opneat", ALLOW)), "SC101", "warning", "'openat'"),
    "a function of the library": (of(entry("sigwait", ALLOW)), "SC102", "warning", "rt_sigtimedwait"),
    "an index twice": (of(entry(args=[arg(0, "GE", 1), arg(0, "LE", 9)])), "SC111", "high", "enough"),
    "a big number": (of(entry(args=[arg(0, "EQ", 2**53 + 1)])), "SJ006", "info", "double"),
    "Podman's errno": (of(entry(errno="ENOSYS")), "SJ023", "high", "Podman"),
    "an entry that says what the default says": (of(entry(action=ALLOW), defaultAction=ALLOW), "PL275", "info", "no effect"),
    "a refusal that says what the default says": (of(entry(errnoRet=1), defaultErrnoRet=1), "PL275", "info", "no effect"),
    "an architecture without a table": (of(architectures=[X86_64, "SCMP_ARCH_MIPSEL"]), "PL276", "info", "left out"),
    "an architecture that is always there": (of(architectures=["SCMP_ARCH_X86"]), "PL276", "info", "x86_64"),
    "more entries than pale reads": (of(*[entry()] * 65537), "PL270", "error", "65536 entries"),
    "no default": ({"syscalls": [entry()]}, "SJ007", "error", "refuse"),
    "nothing at all": ({}, "SJ007", "high", "unconfined"),
    "no object": ([], "SJ026", "error", "an object"),
}


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_has_one_id_and_one_severity_in_every_command(tmp_path, fact):
    what, want, severity, text = FACTS[fact]
    path = put(tmp_path, what)
    told = [f for f in findings(path) if f["id"] == want]
    assert [f["severity"] for f in told] == [severity], told
    assert text in told[0]["message"] + told[0].get("help", ""), told
    calls = ["read", "bpf", "acct", "write"]  # what is wrong with entries of other calls is not told
    commands = {"import": ["import", path], "sim": ["sim", path, *calls],
                "runc": ["sim", "--as", "docker:runc", *DEFAULT, "--caps", "none", path, *calls],
                "check": ["check", *DEFAULT, path]}
    for name, argv in commands.items():
        r = run([PALE, "--diag=json", *argv])
        said = [d for d in diags(r) if d["id"] == want]
        assert [d["severity"] for d in said] == [severity], (name, r)
        assert said[0]["message"] == told[0]["message"], (name, r)
        assert severity != "error" or r.rc == 1, (name, r)


def test_each_entry_of_the_default_is_told_and_no_other(tmp_path):
    """Without a condition or with one, of a gate or not; another errno is another answer."""
    idle = [entry("read", ALLOW), entry("write", ALLOW, args=[arg(0, "EQ", 1)]),
            entry("acct", ALLOW, includes={"caps": ["CAP_SYS_PACCT"]})]
    near = [entry("bpf"), entry("kill", "SCMP_ACT_LOG"), entry("nosuchcall", ALLOW), {"names": [], "action": ALLOW}]
    path = put(tmp_path, of(*idle, *near, defaultAction=ALLOW))
    told = [f for f in findings(path) if f["id"] == "PL275"]
    said = [d for d in diags(run([PALE, "--diag=json", "import", path], check=0)) if d["id"] == "PL275"]
    assert len(told) == len(idle) and told == said
    path = put(tmp_path, of(entry(errnoRet=1), entry("acct", "SCMP_ACT_KILL")))
    assert not [f for f in findings(path) if f["id"] == "PL275"]
    path = put(tmp_path, of(entry(errnoRet=38)))  # Docker before 23 hands the default's errno not over
    for runtime, n in (("any", 0), ("docker-20.10", 0), ("docker-26.1", 1)):
        assert len([f for f in findings(path, "--runtime", runtime) if f["id"] == "PL275"]) == n, runtime


def test_a_profile_of_nothing_confines_nobody(tmp_path):
    path = put(tmp_path, {})
    r = run([PALE, "sim", "--as", "docker:runc", path, "reboot"], check=0)
    assert r.out.startswith("ALLOW") and "no filter" in r.out and "[SJ007 " in r.err, r
    for argv in (["sim", path, "reboot"], ["import", path]):
        r = run([PALE, *argv], check=1)
        assert "[SJ007 " in r.err and "there is no filter in it" in r.err, r
    assert run([PALE, "sim", "--as", "docker:crun", put(tmp_path, config({})), "reboot"]).rc == 1


def test_an_errno_that_a_runtime_takes_is_none_of_these(tmp_path):
    path = put(tmp_path, of(entry(errnoRet=4094), entry("acct", "SCMP_ACT_TRACE", errnoRet=65535)))
    assert not [f for f in findings(path) if f["id"].startswith("SJ")]
    r = run([PALE, "sim", "--as", "docker:runc", path, "bpf", "acct"], check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["ERRNO(4094)", "TRACE(65535)"], r
    path = put(tmp_path, of(entry(errnoRet=65536), entry("acct", errnoRet=65537)))
    r = run([PALE, "sim", "--as", "docker:runc", path, "bpf", "acct"], check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["ERRNO(0)", "ERRNO(1)"], r


def test_what_stops_depends_on_the_runtime(tmp_path):
    """RISCV64 by version; flags by version; an errno beside ALLOW under crun alone."""
    def starts(what, kind, *runtime):
        r = run([PALE, "sim", "--as", f"docker:{kind}", *(f"--runtime={x}" for x in runtime), put(tmp_path, what),
                 "read"])
        assert r.rc in (0, 1), r
        return r.rc == 0
    riscv = of(architectures=[X86_64, "SCMP_ARCH_RISCV64"])
    assert not starts(riscv, "runc", "runc-1.1.5+libseccomp-2.5.4")
    assert starts(riscv, "runc", "runc-1.1.15+libseccomp-2.6.0") and starts(riscv, "crun")
    loong = of(architectures=[X86_64, "SCMP_ARCH_LOONGARCH64"])
    assert not starts(loong, "crun", "crun-1.8+libseccomp-2.5.4") and starts(loong, "crun", "crun-1.21+libseccomp-2.6.0")
    flags = of(entry(), flags=["SECCOMP_FILTER_FLAG_LOG"])
    assert not starts(flags, "runc") and starts(flags, "runc", "runc-1.3+libseccomp-2.5.4") and starts(flags, "crun")
    waits = of(entry(), flags=["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"])
    assert not starts(waits, "runc", "runc-1.3+libseccomp-2.5.4") and starts(waits, "crun")
    idle = of(entry(action=ALLOW, errnoRet=1))
    assert starts(idle, "runc") and not starts(idle, "crun")
    named = config(of({"name": "acct", "action": ALLOW}))
    assert starts(named, "runc") and not starts(named, "crun")


def test_name_says_nothing_in_a_config(tmp_path):
    deny = {"defaultAction": ALLOW, "syscalls": [{"name": "acct", "action": ERRNO}]}
    for what, answer in ((deny, "ERRNO(1)"), (config(deny), "ALLOW")):
        path = put(tmp_path, what)
        for argv in (["--as", "docker:runc", path], [path]):
            assert run([PALE, "sim", *argv, "acct"], check=0).out.startswith(answer)


def test_an_empty_minkernel_is_none(tmp_path):
    path = put(tmp_path, of(entry("bpf", ALLOW, includes={"minKernel": ""}), entry("acct", ALLOW,
                                                                                  excludes={"minKernel": ""})))
    assert not [f for f in findings(path) if f["id"] == "SJ018"]
    r = run([PALE, "sim", "--as", "docker:runc", path, "bpf", "acct"], check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["ALLOW", "ERRNO(38)"], r


def test_what_is_not_in_force_stops_nothing(tmp_path):
    path = put(tmp_path, of(entry(errnoRet=5000, includes={"caps": ["CAP_BPF"]})))
    assert run([PALE, "sim", "--as", "docker:runc", "--caps", "none", path, "read"]).rc == 0
    r = run([PALE, "sim", "--as", "docker:runc", "--caps", "bpf", path, "read"], check=1)
    assert "[SJ016 " in r.err and "does not start" in r.err


# ---- the real runtimes ----

NUMBERS = [0, 1, 38, 4094, 4095, 4096, 5000, 32767, 32768, 65535, 65536, 65537, 69630, 69631, 70000]
WORDS = ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_S390X", "SCMP_ARCH_S390",
         "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
         "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_PARISC",
         "SCMP_ARCH_SH", "SCMP_ARCH_M68K", "SCMP_ARCH_NATIVE", "SCMP_ARCH_AMD64", ""]
ODD = [None, 3, "x", True, [], {}, [None], [3], -1, 1.5, 2**64]  # values of other types
CALLS = ["bpf", "acct", "swapon", "nosuchcall", "reboot", "quotactl"]


def some_arg(rng):
    op = rng.choice("EQ NE LT GE MASKED_EQ".split())
    return arg(rng.randrange(3), op, rng.choice([0, 1, 2**32, 2**64 - 1]), valueTwo=rng.choice([0, 1]))


def some_entry(rng):
    return {"names": rng.sample(CALLS, rng.choice([1, 2])), "action": rng.choice([ERRNO, ERRNO, "SCMP_ACT_LOG",
                                                                                "SCMP_ACT_KILL", ALLOW]),
            "args": [some_arg(rng) for _ in range(rng.choice([0, 0, 1, 2]))]}


def pick(rng, p):
    return rng.choice(p["syscalls"])


def set_errno(rng, p):
    if rng.random() < .8:
        pick(rng, p).update(errnoRet=rng.choice(NUMBERS), action=rng.choice([ERRNO, ERRNO, "SCMP_ACT_TRACE"]))
    else:
        p["defaultErrnoRet"] = rng.choice(NUMBERS)


def set_arches(rng, p):
    p["architectures"] = rng.choice([rng.sample(WORDS, rng.choice([1, 2])), [X86_64, rng.choice(WORDS)],
                                     [X86_64, X86_64], [], None, [None]])


def set_action(rng, p):
    pick(rng, p)["action"] = rng.choice(["SCMP_ACT_ALOW", "", "SCMP_ACT_KILL_PROCESS", "scmp_act_errno", ERRNO, None])


def set_operator(rng, p):
    a = some_arg(rng)
    a["op"] = rng.choice(["SCMP_CMP_EG", "", "EQ", "SCMP_CMP_EQ", None])
    pick(rng, p)["args"] = [a] if rng.random() < .9 else [None]


def set_index(rng, p):
    a = some_arg(rng)
    a["index"] = rng.choice([5, 6, 7, 2**32, 2**63])
    pick(rng, p)["args"] = [a]


def set_names(rng, p):
    e = pick(rng, p)
    e["names"] = rng.choice([[], None, [""], [None], ["nosuchcall"], ["bpf", ""], ["s390_pci_mmio_read"]])
    if rng.random() < .3:
        e["name"] = "acct"


def same_call_again(rng, p):
    e = copy.deepcopy(pick(rng, p))
    e["action"] = rng.choice(["SCMP_ACT_KILL", "SCMP_ACT_LOG", ERRNO])
    p["syscalls"].append(e)


def set_notify(rng, p):
    e = pick(rng, p)
    e["action"] = "SCMP_ACT_NOTIFY"
    if rng.random() < .3:
        e["names"] = rng.choice([["write"], ["nosuchcall"], []])
    if rng.random() < .3:
        p["listenerMetadata"] = "x"


def set_default(rng, p):
    p["defaultAction"] = rng.choice([None, "", "SCMP_ACT_LOG", "SCMP_ACT_X", "SCMP_ACT_NOTIFY", ALLOW])
    if rng.random() < .3:
        del p["defaultAction"]
    if rng.random() < .3:
        p["syscalls"] = rng.choice([[], None])


def set_flags(rng, p):
    p["flags"] = rng.choice([[], None, ["SECCOMP_FILTER_FLAG_LOG"], ["NOPE"], ["SECCOMP_FILTER_FLAG_TSYNC"]])


def set_dockers(rng, p):
    """What an engine reads and a runtime skips."""
    p["archMap"] = rng.choice([[{"architecture": S390X}], [], 3])
    pick(rng, p).update(rng.choice([{"includes": {"caps": ["CAP_BPF"]}}, {"excludes": {"minKernel": "0.0"}},
                                    {"includes": {"minKernel": 4}}, {"comment": 3}, {"includes": "x"}]))


def set_type(rng, p):
    """A value of another type, anywhere."""
    where = rng.choice(["profile", "entry", "arg"])
    if where == "profile":
        p[rng.choice(["defaultErrnoRet", "architectures", "flags", "listenerPath", "listenerMetadata", "syscalls",
                      "defaultAction"])] = rng.choice(ODD)
    elif where == "entry":
        pick(rng, p)[rng.choice(["names", "action", "errnoRet", "args"])] = rng.choice(ODD)
    else:
        pick(rng, p)["args"] = [{**some_arg(rng), rng.choice(["index", "value", "valueTwo", "op"]): rng.choice(ODD)}]


MUTATORS = [set_errno, set_errno, set_arches, set_arches, set_action, set_operator, set_index, set_names,
            same_call_again, same_call_again, set_notify, set_default, set_flags, set_dockers, set_type, set_type]
# crun's reader takes other types, and letters in one case alone, for absent: pale refuses them there too.
LENIENT = {set_type, set_dockers}


def starting_points():
    """What programs need is open in each: only a refusal of the runtime keeps a container from starting."""
    listed = json.loads((ROOT / "profiles" / "found" / "docker-default.json").read_text())
    names = sorted({n for e in listed["syscalls"] for n in e.get("names", []) if e["action"] == ALLOW}
                   - set(CALLS))
    return [{"defaultAction": ALLOW, "syscalls": []},
            {"defaultAction": ERRNO, "syscalls": [{"names": names, "action": ALLOW}]}]


def mutants(n, seed):
    rng, points = random.Random(seed), starting_points()
    for _ in range(n):
        p = copy.deepcopy(rng.choice(points))
        fixed, p["syscalls"] = p["syscalls"], [some_entry(rng) for _ in range(rng.choice([1, 2, 3]))]
        used = {rng.choice(MUTATORS)} | ({rng.choice(MUTATORS)} if rng.random() < .25 else set())
        for m in sorted(used, key=MUTATORS.index):
            if p.get("syscalls") and isinstance(p["syscalls"], list) and all(isinstance(e, dict) for e in p["syscalls"]):
                m(rng, p)
        if isinstance(p.get("syscalls"), list):
            p["syscalls"] = fixed + p["syscalls"]
        elif p.get("defaultAction") == ERRNO:
            p["defaultAction"] = ALLOW  # or nothing starts, the filter being in place
        # crun starts those with NOTIFY, and nobody answers
        yield p, bool(used & LENIENT) or "NOTIFY" in json.dumps(p)


def really_starts(base, where, rt, seccomp):
    where.mkdir(parents=True)
    spec = json.loads((base / "config.json").read_text())
    spec["linux"]["seccomp"] = seccomp
    (where / "config.json").write_text(json.dumps(spec))
    name = f"pale-one-{os.getpid()}-{where.parent.name}-{where.name}"
    argv = rt.argv(where / "state")
    r = subprocess.run([*argv, "run", name], cwd=where, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
                       text=True)
    removed(rt, where, name)
    return r.returncode == 0, r.stderr.strip()[-300:]


def answers(job, lint=True):
    """What lint (about runtimes[0]) and sim say of one mutant, and what each runtime does."""
    base, where, runtimes, p, lenient = job
    where.mkdir()
    path = put(where, config(p))
    asked = [rt for rt in runtimes if rt.kind == "runc" or not lenient]
    out = []
    if lint:
        errors = [f["id"] for f in findings(path) if f["severity"] == "error"]
        out.append(("lint", runtimes[0], not errors, errors))
    for rt in asked:
        errors = [f["id"] for f in findings(path, "--runtime", rt.full) if f["severity"] == "error"]
        out.append(("lint --runtime", rt, not errors, errors))
        r = run([PALE, "sim", "--as", f"docker:{rt.kind}", "--runtime", rt.full, path, "read"], env=rt.env)
        assert r.rc in (0, 1), r
        out.append(("sim", rt, r.rc == 0, r.err[-300:]))
    real = {rt: really_starts(base, where / rt.name, rt, p) for rt in asked}
    return [(who, rt.kind, says, real[rt], why, p) for who, rt, says, why in out if says != real[rt][0]], \
        {rt.kind: real[rt][0] for rt in asked}


@pytest.mark.once
def test_an_error_is_what_keeps_a_real_container_from_starting(base, tmp_path, record_property):  # noqa: F811
    """`PALE_LONG=N`: N mutants more."""
    need_root()
    runtimes = [installed(kind) for kind in ("runc", "crun")]
    lint = runtimes[0].name == "runc-1.1.5"  # what lint is about where no runtime is named
    work = [(base, tmp_path / f"m{i}", runtimes, p, lenient)
            for i, (p, lenient) in enumerate(mutants(320 + int(os.environ.get("PALE_LONG", "0")), 1))]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda job: answers(job, lint), work))
    wrong = [w for r in results for w in r[0]]
    runc = [r[1]["runc"] for r in results]
    crun = [r[1]["crun"] for r in results if "crun" in r[1]]
    record_property("figure", f"one reader: {len(runc)} mutants, {runc.count(False)} of which the real runc does not "
                    f"start and lint and sim say so, {len([w for w in wrong if w[1] == 'runc'])} wrong; {len(crun)} "
                    f"with crun, {crun.count(False)} not started, {len([w for w in wrong if w[1] == 'crun'])} wrong")
    assert not wrong, "\n".join(str(w)[:1500] for w in wrong[:6])
    assert runc.count(False) > 100 and runc.count(True) > 80
