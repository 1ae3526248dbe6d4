# SPDX-License-Identifier: Apache-2.0
"""What the kernel holds once a real runtime has loaded a profile, read back from the kernel where
it is loaded, against our model of that runtime: equal for all calls, hundreds of profiles."""
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import PATIENCE, ROOT, need, program, run
from profiles import CAP_BITS, CAPS, converted, profile
from runtimes import installed
from test_runtimes import docker  # noqa: F401 (a fixture)

SHIPPED = sorted((ROOT / "profiles" / "found").glob("*.json"))
WORKERS = 3


def mask(caps):
    return hex(sum(1 << CAP_BITS[c] for c in caps))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A bundle to copy config.json from, and one root file system for all."""
    d = tmp_path_factory.mktemp("base")
    for name in ("bin", "tmp", "proc", "dev", "sys"):
        (d / "rootfs" / name).mkdir(parents=True)
    shutil.copy(need("busybox"), d / "rootfs" / "bin" / "busybox")
    run([need("runc"), "spec"], cwd=d, check=0)
    config = json.loads((d / "config.json").read_text())
    config["ociVersion"] = "1.0.2"  # which every runtime knows
    config["process"].update(terminal=False, args=["/bin/busybox", "true"])
    config["process"].pop("rlimits", None)
    config["root"] = {"path": str(d / "rootfs"), "readonly": True}
    config["linux"].pop("seccomp", None)
    (d / "config.json").write_text(json.dumps(config))
    return d


def removed(rt, where, name):
    """What a runtime that did not end well has left, if anything: it removes a container that has ended by itself."""
    if (where / "state" / name).exists():
        subprocess.run([str(a) for a in (*rt.argv(where / "state"), "delete", "-f", name)], cwd=where,
                       capture_output=True, timeout=PATIENCE)


def held(base, where, rt, seccomp, process={}):
    """The filters after the runtime has loaded this: [] when it refuses to."""
    where.mkdir(parents=True)
    config = json.loads((base / "config.json").read_text())
    config["linux"]["seccomp"] = seccomp
    config["process"].update(process)
    (where / "config.json").write_text(json.dumps(config))
    name = f"pale-{os.getpid()}-{where.name}"
    argv = [program("oci/holdfilter"), where / "filter", *rt.argv(where / "state"), "run", name]
    r = subprocess.run([str(a) for a in argv], cwd=where, stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=PATIENCE, text=True)
    removed(rt, where, name)
    (where / "log").write_text(r.stdout + r.stderr)
    return sorted(where.glob("filter.*"))


def model(rt, caps, kernel, path, filters, full=None):
    """"equal", "library", "refused" or the difference."""
    r = run([program("oci/loaded"), full or rt.full, mask(caps), kernel, path, *filters], env=rt.env)
    return r.out.split(" ")[0].strip() if r.rc == 0 or r.out == "refused\n" else r.out or repr(r)


def compare(base, where, rt, text, caps=(), kernel="6.18", engine=True):
    """One profile: the runtime's filter against the model of (engine and) runtime."""
    path = where.with_suffix(".json")
    path.write_text(json.dumps(text if engine else {"linux": {"seccomp": text}}))
    filters = held(base, where, rt, converted(text, caps, kernel) if engine else text)
    answer = model(rt, caps, kernel, path, filters)
    if filters and answer == "refused":  # it loads, and then gives up?
        argv = [*rt.argv(where / "again"), "run", f"pale-{os.getpid()}-{where.name}-again"]
        r = subprocess.run([str(a) for a in argv], cwd=where, stdin=subprocess.DEVNULL, capture_output=True,
                           timeout=PATIENCE)
        return "both refuse" if r.returncode else "refused, but it starts"
    if filters:
        return answer
    return "both refuse" if answer == "refused" else "not loaded: " + (where / "log").read_text()


def run_all(base, tmp_path, rt, jobs):
    def one(job):
        name, args = job
        return name, compare(base, tmp_path / name, rt, **args)
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, jobs))


def jobs(first, last, docker_too=True):
    out = []
    for seed in range(first, last):
        as_docker = docker_too and seed % 2 == 1
        caps = [c for i, c in enumerate(CAPS) if seed >> (i + 1) & 1]
        kernel = ["6.18", "4.19", "3.10"][seed % 3]
        out.append((f"g{seed}", {"text": profile(seed, as_docker), "caps": caps, "kernel": kernel,
                                 "engine": as_docker}))
    return out


def shipped():
    out = []
    for path in SHIPPED:
        text = json.loads(path.read_text())
        for i, caps in enumerate([[], ["CAP_SYS_CHROOT"], ["CAP_SYS_ADMIN", "CAP_BPF", "CAP_SYS_CHROOT"], CAPS]):
            for kernel in ("6.18", "4.4") if i < 2 else ("6.18",):
                out.append((f"{path.stem}-{i}-{kernel}",
                            {"text": text, "caps": caps, "kernel": kernel, "engine": "linux" not in text}))
    return out


def tell(record_property, full, results):
    count = {}
    for _, answer in results:
        count[answer.split(" ")[0]] = count.get(answer.split(" ")[0], 0) + 1
    bad = [(name, answer) for name, answer in results if answer not in ("equal", "chosen", "library", "both refuse")]
    record_property("figure", f"{full}: {len(results)} profiles loaded for real, {len(bad)} differ from the model; "
                    f"{count.get('equal', 0)} as their entries say, {count.get('chosen', 0)} contradict "
                    f"themselves, {count.get('library', 0)} that libseccomp builds otherwise, "
                    f"{count.get('both', 0)} refused by both")
    return bad


# ---- generated and shipped profiles ----

@pytest.mark.once
@pytest.mark.parametrize("runtime, first, last", [("runc", 0, 190), ("crun", 190, 270)])
def test_the_model_is_what_the_kernel_holds(base, tmp_path, record_property, runtime, first, last):
    """270 generated profiles and every shipped one (`PALE_LONG=N`: N more with each runtime)."""
    rt = installed(runtime)
    more = int(os.environ.get("PALE_LONG", "0"))
    work = shipped() + jobs(first, last) + jobs(10000, 10000 + more)
    results = run_all(base, tmp_path, rt, work)
    bad = tell(record_property, rt.full, results)
    assert not bad
    assert len([r for _, r in results if r == "equal"]) > len(results) // 2


def test_a_wrong_model_is_told(base, tmp_path):
    """The comparison can fail: a model of another profile, of another runtime, without its stub."""
    rt = installed("runc")
    p = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
         "syscalls": [{"names": ["read", "write", "exit_group"], "action": "SCMP_ACT_ALLOW"}]}
    filters = held(base, tmp_path / "b", rt, p)
    assert len(filters) == 1
    path = tmp_path / "p.json"
    path.write_text(json.dumps(p))
    assert model(rt, [], "6.18", path, filters) == "equal"
    crun = model(rt, [], "6.18", path, filters, full=f"crun-1.8.1+{rt.full.split('+', 1)[1]}")
    assert "differ number 0xe8(" in crun or "ERRNO(1), kernel ERRNO(38)" in crun
    p["syscalls"][0]["args"] = [{"index": 3, "op": "SCMP_CMP_NE", "value": 77}]
    path.write_text(json.dumps(p))
    assert "differ 'read'(0, 0, 0, 0x4d, 0, 0) on x86_64: model ERRNO(1), kernel ALLOW" in \
        model(rt, [], "6.18", path, filters)


# ---- each fact of the specification's section 6, on a profile of its own ----

def allow(*names, **more):
    return {"names": list(names), "action": "SCMP_ACT_ALLOW", **more}


def arg(index, op, value, two=0):
    return {"index": index, "op": f"SCMP_CMP_{op}", "value": value, "valueTwo": two}


def of(*entries, default="SCMP_ACT_ERRNO", arches=("SCMP_ARCH_X86_64",), **more):
    p = {"defaultAction": default, "syscalls": [allow("exit_group", "write", "futex"), *entries], **more}
    if arches is not None:
        p["architectures"] = list(arches)
    return p


X86, ARM = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "SCMP_ARCH_AARCH64"
ROW = [{"architecture": ARM, "subArchitectures": ["SCMP_ARCH_ARM"]},
       {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
       {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X32"]}]
ERRNO = {"action": "SCMP_ACT_ERRNO"}
FACTS = {
    "6.1 the first row of archMap counts": of(arches=None, archMap=ROW),
    "6.1 architectures as they are": of(arches=X86[1:2]),
    "6.1 none listed: the machine's own": of(arches=None),
    "6.1 arches by Go's names": of({**allow("read"), "includes": {"arches": ["amd64"]}},
                                   {**allow("open"), "excludes": {"arches": ["amd64"]}}, arches=None, archMap=ROW),
    "6.2 all of includes, any of excludes": of({**allow("bpf"), "includes": {"caps": ["CAP_BPF", "CAP_CHOWN"]}},
                                               {**allow("mount"), "excludes": {"caps": ["CAP_BPF", "CAP_CHOWN"]}}),
    "6.2 minKernel": of({**allow("ptrace"), "includes": {"minKernel": "4.8"}},
                        {**allow("sync"), "excludes": {"minKernel": "6.18"}}),
    "6.2 name, args null, comment, unknown keys": of({"name": "read", "action": "SCMP_ACT_ALLOW", "args": None,
                                                      "comment": "x", "errno": "EIO", "odd": 1}),
    "6.3 multiplexed calls": of(allow("socket", args=[arg(0, "EQ", 2)]), allow("send"), allow("shmat"), arches=X86),
    "6.3 an argument behind the pointer": of(allow("bind", args=[arg(2, "EQ", 16)]), arches=X86),
    "6.3 socketcall allowed outright": of(allow("socketcall", "ipc"), allow("socket", args=[arg(0, "NE", 40)]),
                                          arches=X86),
    "6.3 a name of another machine, under x32: no rule holds": of(
        arches=X86, default="SCMP_ACT_ALLOW") | {"syscalls": [
            {"names": ["s390_pci_mmio_read"], **ERRNO}, {"names": ["quotactl"], **ERRNO, "args": [arg(2, "EQ", 5)]}]},
    "6.4 unsigned 64-bit order": of(allow("lseek", args=[arg(1, "LT", 2**40 + 5)]),
                                    allow("pread64", args=[arg(3, "GE", 2**63)])),
    "6.4 all of 64 bits": of(allow("personality", args=[arg(0, "EQ", 2**64 - 1)])),
    "6.5 a repeated index is OR, with all others": of(allow("ioctl", args=[arg(0, "EQ", 1), arg(1, "EQ", 2),
                                                                             arg(1, "EQ", 3)])),
    "6.5 distinct indices are AND": of(allow("ioctl", args=[arg(0, "EQ", 1), arg(1, "EQ", 2), arg(5, "NE", 3)])),
    "6.6 the masked value is masked": of(allow("clone", args=[arg(0, "MASKED_EQ", 0xf0, 0x1f)])),
    "6.6 mask zero matches always": of(allow("clone", args=[arg(0, "MASKED_EQ", 0, 7)])),
    "6.7 a plain comparison sees all 64 bits": of(allow("openat", args=[arg(0, "EQ", 0xffffff9c)])),
    "6.7 low words alone on i386 and x32": of(allow("openat", args=[arg(0, "EQ", 2**64 - 100)]), arches=X86),
    "6.8 x32 not listed, default allow": of({"names": ["ptrace"], **ERRNO}, default="SCMP_ACT_ALLOW"),
    "6.8 x32 listed": of({"names": ["ptrace", "execve"], **ERRNO}, default="SCMP_ACT_ALLOW", arches=X86),
    "6.8 number -1": of(default="SCMP_ACT_TRAP", arches=X86),
    "6.9 no condition swallows, behind": of({"names": ["read"], **ERRNO, "errnoRet": 5, "args": [arg(0, "EQ", 3)]},
                                            allow("read")),
    "6.9 no condition swallows, before": of(allow("read"),
                                            {"names": ["read"], **ERRNO, "errnoRet": 5, "args": [arg(0, "EQ", 3)]}),
    "6.9 of two without, the first": of({"names": ["read"], **ERRNO, "errnoRet": 5}, allow("read")),
    "6.9 a mask of zero is no condition": of({"names": ["read"], **ERRNO, "errnoRet": 5,
                                              "args": [arg(0, "MASKED_EQ", 0, 2)]}, allow("read"),
                                             allow("read", args=[arg(0, "GT", 9)])),
    "6.9 identical conditions, two actions": of(allow("read", args=[arg(0, "EQ", 3)]),
                                                {"names": ["read"], "action": "SCMP_ACT_LOG",
                                                 "args": [arg(0, "EQ", 3)]}),
    "6.9 an action equal to the default": of({"names": ["read"], **ERRNO, "errnoRet": 1}),
    "6.9 overlapping conditions": of(allow("read", args=[arg(0, "LT", 9)]),
                                     {"names": ["read"], "action": "SCMP_ACT_LOG", "args": [arg(1, "EQ", 3)]}),
    "6.9 disjoint duplicates": of(*[allow("socket", args=[arg(0, op, v)])
                                    for op, v in (("LT", 38), ("EQ", 39), ("GT", 40))]),
    "6.10 EPERM for ERRNO and TRACE": of({"names": ["read"], "action": "SCMP_ACT_TRACE"}, {"names": ["open"], **ERRNO},
                                         default="SCMP_ACT_KILL"),
    "6.10 defaultErrnoRet": of(defaultErrnoRet=38),
    "6.10 TRACE by default": of(default="SCMP_ACT_TRACE", defaultErrnoRet=7),
    "6.10 an errno beside ALLOW": of(allow("read", errnoRet=5)),
    "6.11 the stub": of(allow("openat2")),
    "6.11 the stub for each architecture": of(allow("openat2", "chown32"), arches=X86),
    "6.11 the stub counts entries that are the default": of({"names": ["cachestat"], **ERRNO, "errnoRet": 1}),
    "6.11 no stub for number 0": {"defaultAction": "SCMP_ACT_KILL", "architectures": X86[:1],
                                  "syscalls": [allow("read")]},
    "6.11 the stub before a kill": of(default="SCMP_ACT_KILL_PROCESS"),
    "6.11 none with ALLOW": of({"names": ["read"], **ERRNO}, default="SCMP_ACT_ALLOW"),
    "6.11 none with LOG": of({"names": ["read"], **ERRNO}, default="SCMP_ACT_LOG"),
    "6.11 ENOSYS by default is no exception": of(defaultErrnoRet=38, arches=X86),
    "6.11 multiplexed names do not count": of(allow("accept4"), arches=X86),
    "6.12 unknown names are skipped": of(allow("no_such_call", "mseal", "read")),
    "6.12 another architecture's names": of(allow("s390_pci_mmio_read", "socketcall", "chown32")),
    "6.13 flags absent": of(),
    "6.13 flags empty": of(flags=[]),
    "6.13 flags": of(flags=["SECCOMP_FILTER_FLAG_LOG"]),
    "6.13 an unknown flag": of(flags=["SECCOMP_FILTER_FLAG_NOPE"]),
    "6.14 NOTIFY without a listener": of({"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}),
    "6.14 NOTIFY for write": {"defaultAction": "SCMP_ACT_ALLOW",
                              "syscalls": [{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}]},
    "6.14 NOTIFY by default": of(default="SCMP_ACT_NOTIFY"),
    "6.15 names repeated": of(allow("read", "read"), allow("read")),
    "6.15 KILL is KILL_THREAD": of({"names": ["read"], "action": "SCMP_ACT_KILL"},
                                   {"names": ["open"], "action": "SCMP_ACT_KILL_PROCESS"},
                                   default="SCMP_ACT_KILL_THREAD"),
}


@pytest.mark.once
@pytest.mark.parametrize("runtime", ["runc", "crun"])
def test_facts(base, tmp_path, record_property, runtime):
    rt = installed(runtime)
    work = []
    for i, (name, text) in enumerate(FACTS.items()):
        engine = "6.1 " in name and "architectures" not in text or "6.2 " in name
        for k, caps in enumerate([[], ["CAP_BPF"], ["CAP_BPF", "CAP_CHOWN"]] if "6.2 all" in name else [[]]):
            work.append((f"{i}-{k}", {"text": text, "engine": engine, "caps": caps}))
    results = run_all(base, tmp_path, rt, work)
    names = list(FACTS)
    bad = [(names[int(n.split("-")[0])], a) for n, a in tell(record_property, rt.full, results)]
    assert not bad
    refused = {names[int(n.split("-")[0])] for n, a in results if a == "both refuse"}
    assert refused == {"6.9 identical conditions, two actions", "6.13 an unknown flag"} | (
        {"6.13 flags", "6.14 NOTIFY by default", "6.14 NOTIFY for write", "6.14 NOTIFY without a listener"}
        if runtime == "runc" else {"6.10 an errno beside ALLOW"})
    chosen = {names[int(n.split("-")[0])] for n, a in results if a in ("chosen", "library")}
    assert chosen <= {"6.9 overlapping conditions", "6.3 a name of another machine, under x32: no rule holds"}


# ---- through a real engine ----

DOCKER_CAPS = 0xa80425fb  # what Docker gives by itself
OLD_CAPS = ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_NET_ADMIN"]  # old engines know no CAP_BPF
HARMLESS = "ptrace mount personality chown sysinfo socket bind semop shmat send accept4 clone3 msgget".split()


def for_docker(seed):
    """A profile under which a shell starts: permissive, about calls that starting does not need."""
    p = profile(seed, docker=True)
    p["defaultAction"] = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG"][seed % 2]
    p.pop("defaultErrnoRet", None)
    for e in p["syscalls"]:
        for key in ("name", "names"):
            if key in e:
                names = [e[key]] if key == "name" else e[key]
                kept = [n for n in names if n in HARMLESS] or [HARMLESS[seed % len(HARMLESS)]]
                e[key] = kept[0] if key == "name" else kept
    return p


def in_docker(docker, tmp_path, name, text, caps):  # noqa: F811
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(text))
    options = ["--network", "none", "--security-opt", f"seccomp={path}"]
    bits = DOCKER_CAPS
    for c in caps:
        options += ["--cap-add", c[4:]]
        bits |= 1 << CAP_BITS[c]
    version = re.match(r"\d+\.\d+", docker("version", "--format", "{{.Server.Version}}", check=0).out)[0]
    kernel = ".".join(os.uname().release.split(".")[:2])
    box = docker("run", "-d", *options, "pale:test", "/bin/sleep", "60")
    filters = []
    try:
        if box.rc == 0:
            pid = docker("inspect", "-f", "{{.State.Pid}}", box.out.strip(), check=0).out.strip()
            r = subprocess.run([program("oci/getfilter"), pid], capture_output=True)
            assert r.returncode == 0 and r.stderr == b"1 filters\n", r.stderr
            filters = [tmp_path / f"{name}.bpf"]
            filters[0].write_bytes(r.stdout)
    finally:
        docker("rm", "-f", box.out.strip() or "none")
    r = run([program("oci/loaded"), f"docker-{version}+{installed('runc').full}", hex(bits), kernel, path, *filters])
    if not filters:
        return "both refuse" if r.out == "refused\n" else f"not started: {box.err}"
    return r.out.split(" ")[0].strip() if r.rc == 0 else r.out


@pytest.mark.once
def test_docker_hands_over_what_the_model_says(docker, tmp_path, record_property):  # noqa: F811
    text = json.loads((ROOT / "profiles" / "found" / "docker-default.json").read_text())
    work = [(f"default{i}", text, caps) for i, caps in enumerate([[], ["CAP_SYS_ADMIN"], OLD_CAPS])]
    text = dict(text, defaultErrnoRet=38)  # which an old engine ignores
    work += [("enosys", text, [])]
    work += [(f"d{seed}", for_docker(seed), OLD_CAPS[:seed % 4]) for seed in range(300, 328)]
    with ThreadPoolExecutor(WORKERS) as pool:
        results = [(w[0], a) for w, a in zip(work, pool.map(lambda w: in_docker(docker, tmp_path, *w), work))]
    bad = tell(record_property, "Docker", results)
    assert not bad
    assert len([a for _, a in results if a in ("equal", "chosen", "library")]) >= 20
