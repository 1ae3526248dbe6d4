# SPDX-License-Identifier: Apache-2.0
"""Every error and high that the linter tells of the engines' own defaults and of public profiles
(tests/oci/public-profiles.tsv) is so: runc loads the profile as Docker hands it over, the filter is read back
from the kernel, and real calls under it get what the message says; or nothing starts. The column "told" pins
them by rule; UPDATE=1 writes it anew."""
import collections
import ctypes
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import recorded
from conftest import PATIENCE, ROOT, need, need_root, program, run

sys.path[:0] = [str(ROOT / "tests" / "oci"), str(ROOT / "tests")]
from profiles import at_least, converted, never_both  # noqa: E402
from archive import unpacked  # noqa: E402
from public import COLUMNS, HEAD, ROWS, TABLE, directory  # noqa: E402
from runtimes import installed  # noqa: E402

pytestmark = [pytest.mark.once]
LONG = bool(os.environ.get("PALE_LONG"))
TREE = ROOT / "profiles" / "found" / "docker-default.json"
CAPS = ["CAP_" + c for c in "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP "
        "NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE".split()]  # what Docker gives by itself
KERNEL = ".".join(os.uname().release.split(".")[:2])
CONSTANTS = {name: int(value, 0) for name, value in
             re.findall(r"^\w+ +(\w+) +(0x[\da-f]+|\d+)(?:,|$)", (ROOT / "compiler/tables/constants.tsv").read_text(), re.M)}
NEW = ["CLONE_NEWNS", "CLONE_NEWCGROUP", "CLONE_NEWUTS", "CLONE_NEWIPC", "CLONE_NEWUSER", "CLONE_NEWPID", "CLONE_NEWNET"]
ARCHES = {"x86_64": 0xc000003e, "i386": 0x40000003}


# ---- what the kernel answers ----

def numbers():
    """{(name, architecture): number}, by pale's table, which tests/tables holds to the kernel's headers."""
    lines = [line.split() for line in (ROOT / "compiler" / "tables" / "syscalls.tsv").read_text().splitlines() if line[:1] != "#"]
    return {(row[0], arch): int(row[lines[0].index(arch)]) for row in lines[1:] for arch in ARCHES if row[lines[0].index(arch)].isdigit()}


NUMBERS = numbers()


class Loaded:
    """A profile as runc 1.1 has it loaded: entries as Docker hands them over, and the kernel's filter."""

    def __init__(self, path, base, where, caps=CAPS):
        self.text = json.loads(path.read_text())
        self.oci = converted(self.text, caps, KERNEL)
        self.base, self.where = base, where
        self.filters = hold(base, where, self.oci)
        self.arches = [a for a in ARCHES if a == "x86_64" or "SCMP_ARCH_X86" in self.oci["architectures"]]

    def ask(self, *calls):
        """["passes", "errno N", "trap" or "dies"] of (name, {index: value}, architecture)."""
        lines = [f"{arch} {NUMBERS.get((name, arch), name):x} " + " ".join(f"{args.get(i, 0):x}" for i in range(6))
                 for name, args, arch in calls]
        return run([program("lint/witness"), self.filters[0]], input="\n".join(lines) + "\n", check=0).out.splitlines()

    def answers(self, name, args={}):
        """Of a call on each architecture that has it."""
        on = [a for a in self.arches if isinstance(name, int) or (name, a) in NUMBERS]
        return dict(zip(on, self.ask(*[(name, args, a) for a in on]))) if on else {}

    def passes(self, name, args={}):
        """On x86_64; where that has no such call, on i386."""
        got = self.answers(name, args)
        return bool(got) and next(iter(got.values())) == "passes"

    def refused(self, name, args={}):
        got = self.answers(name, args)
        return bool(got) and any(v != "passes" for v in got.values())

    def entries(self, name):
        return [e for e in self.oci["syscalls"] if name in e["names"]]

    def under(self, *argv):
        return subprocess.run([program("lint/witness"), self.filters[0], *argv], capture_output=True, timeout=PATIENCE, text=True)


def said(call):
    """("clone", {0: 0x20000}) of "clone(CLONE_NEWNS)"."""
    name, _, args = call.rstrip(")").partition("(")
    return name, {i: CONSTANTS[a] if a in CONSTANTS else int(a, 0) for i, a in enumerate(args.split(", "))} if args else {}


def quoted(text):
    return re.findall(r"'([\w]+)'", text)


# ---- the claim of each rule ----

FLAGS = {("open_tree_attr", "flags"): 2, ("open_tree", "flags"): 2, ("fsmount", "flags"): 1, ("unshare", "flags"): 0,
         ("sendto", "flags"): 3, ("sendmsg", "flags"): 2, ("sendmmsg", "flags"): 3, ("clone", "flags"): 0}


def asked(question):
    """A call for "fsmount(flags has FSMOUNT_NAMESPACE)" or "fchmod"."""
    m = re.fullmatch(r"(\w+)\((\w+) has (\w+)\)", question)
    return (m[1], {FLAGS[m[1], m[2]]: CONSTANTS[m[3]]}) if m else (question, {})


NS = {"clone": {0: 0x10000000}, "unshare": {0: 0x10000000}}


def risk(p, m):
    """Named calls pass whatever their arguments, and the witness does."""
    names, shown = quoted(m.split(" allowed ")[0]), re.findall(r"let (\w+\([^)]*\)) through|condition, (\w+\([^)]*\)) too", m)
    free = "without a condition" in m
    return all(p.passes(n, {i: v for i in range(6)}) for n in names for v in (0, 1, 2**64 - 1) if free) and \
        all(p.passes(*said(a or b)) for a, b in shown) and (free or shown)


def siblings(p, m):
    no, yes = m.split(" refused, and what does the same stays allowed: ")
    yes = re.findall(r"'(\w+(?:\([^)]*\))?)'", yes[:yes.rindex(" (")])
    return all(p.refused(n, NS.get(n, {})) for n in quoted(no)) and all(p.passes(*asked(q)) or p.passes(asked(q)[0], NS.get(q, {})) for q in yes)


def unequal_width(p, m):
    name, arg = re.match(r"'(\w+): arg(\d)", m).groups()
    wide, narrow = re.search(r"(0x\w+) is allowed, and the kernel takes it for (0x\w+)", m).groups()
    return p.passes(name, {int(arg): int(wide, 16)}) and p.refused(name, {int(arg): int(narrow, 16)})


def carried(p, m):
    mux = re.search(r"'(socketcall|ipc)' (?:is allowed|for)", m)[1]
    return "i386" not in p.arches or p.ask((mux, {0: 1}, "i386")) == ["passes"]


def namespaces(p, m):
    if "all of them" in m:
        return p.refused("clone", {0: 0x7e020000}) and all(p.passes("clone", {0: CONSTANTS[f]}) for f in NEW)
    some = re.search(r"let (.*?) through", m)[1]
    return all(p.passes("clone", {0: CONSTANTS[f]}) == (f"'{f}'" in some) for f in NEW)


def first_of_two(p, m):
    name, = quoted(m)
    e = [e for e in p.entries(name) if not e.get("args")]
    return e[0]["action"] != e[-1]["action"] and p.passes(name) == (e[0]["action"] == "SCMP_ACT_ALLOW")


def swallowed(p, m):
    name, = quoted(m)
    free = [e for e in p.entries(name) if not e.get("args")]
    values = [{a["index"]: a["value"] for a in e["args"]} for e in p.entries(name) if e.get("args")]
    return values and all(p.passes(name, v) == (free[0]["action"] == "SCMP_ACT_ALLOW") for v in [*values, {}])


def two_meet(p, m):
    name, args = said(re.search(r"'(\w+\(.*?\))'", m)[1])
    call = {"action": "", "args": [{"index": i, "op": "SCMP_CMP_EQ", "value": v} for i, v in args.items()]}
    return len({e["action"] for e in p.entries(name) if not never_both(e, call)}) > 1


def ring(p, m):
    names = quoted(m.split("sees: ")[1])
    return p.passes("io_uring_setup") and p.passes("io_uring_enter") and \
        all(any(p.refused(n, {0: v}) for v in range(48)) for n in names)


def does_not_start(p, runtime="runc"):
    rt = installed(runtime)
    d = p.where / runtime
    bundle(p.base, d, p.oci | {k: v for k, v in p.text.items() if k == "defaultErrnoRet"})
    r = subprocess.run([*rt.argv(d / "state"), "run", f"pale-w{os.getpid()}-{p.where.name[:20]}"], cwd=d, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=PATIENCE, text=True)
    return r.returncode != 0


KEYS = {"defaultAction", "defaultErrnoRet", "architectures", "archMap", "architecture", "subArchitectures", "flags", "listenerPath",
        "listenerMetadata", "syscalls", "name", "names", "action", "errnoRet", "args", "index", "value", "valueTwo", "op", "comment",
        "includes", "excludes", "caps", "arches", "minKernel"}  # moby/profiles seccomp.go, runtime-spec config.go

CLAIMS = {
    "SC108": first_of_two, "SC109": swallowed, "SC120": unequal_width, "SC123": carried, "SC125": namespaces,
    "SC110": lambda p, m: all(p.passes(n) for n in quoted(m)),
    "SC126": lambda p, m: p.passes("clone3") and p.refused("clone", {0: 0x7e020000}),
    "SC127": lambda p, m: p.answers("clone3")["x86_64"] not in ("passes", "errno 38"),
    "SC130": siblings, "SC131": siblings, "SC132": ring,
    "SC133": lambda p, m: p.passes(700),
    "SC134": lambda p, m: p.passes(700) and p.text["defaultAction"] in ("SCMP_ACT_LOG", "SCMP_ACT_TRACE"),
    "SC140": lambda p, m: all(p.refused(n) for n in quoted(m.split(" missing")[0])) and p.under("/bin/true").returncode != 0,
    "SC152": lambda p, m: p.refused("clone", {0: 0x1200011}),
    "SC153": two_meet,
    "SC160": lambda p, m: p.refused("execve") and does_not_start(p),
    "SC163": lambda p, m: p.answers(m.split(" is ")[0])["x86_64"].startswith("errno"),
    "SJ002": lambda p, m: not KEYS & set(quoted(m)),
    "SJ015": lambda p, m: does_not_start(p, "crun") and not does_not_start(p),
    "SJ016": lambda p, m: does_not_start(p),
}


def is_so(p, f):
    claim = CLAIMS.get(f["id"], risk if f["id"].startswith("SR") else None)
    assert claim, f"no witness is known for {f['id']}: {f['message']}"
    return claim(p, f["message"])


# ---- profiles loaded for real ----

@pytest.fixture(scope="module")
def base(tmp_path_factory):
    need_root()
    d = tmp_path_factory.mktemp("base")
    for name in ("bin", "tmp", "proc", "dev", "sys"):
        (d / "rootfs" / name).mkdir(parents=True)
    (d / "rootfs" / "bin" / "busybox").write_bytes(open(need("busybox"), "rb").read())
    (d / "rootfs" / "bin" / "busybox").chmod(0o755)
    run([need("runc"), "spec"], cwd=d, check=0)
    config = json.loads((d / "config.json").read_text())
    config["process"]["terminal"] = False
    config["process"].pop("rlimits", None)
    config["root"] = {"path": str(d / "rootfs"), "readonly": True}
    config["ociVersion"] = "1.0.2"
    (d / "config.json").write_text(json.dumps(config))
    return d


def bundle(base, where, seccomp, argv=("/bin/busybox", "true"), mounts=()):
    where.mkdir(parents=True, exist_ok=True)
    config = json.loads((base / "config.json").read_text())
    config["process"]["args"] = list(argv)
    config["mounts"] += mounts
    config["linux"]["seccomp"] = seccomp
    (where / "config.json").write_text(json.dumps(config))


def hold(base, where, seccomp):
    """The filters that the kernel holds after runc has loaded this: [] where it refuses to."""
    bundle(base, where, seccomp)
    rt, name = installed("runc"), f"pale-h{os.getpid()}-{where.name[:20]}"
    subprocess.run([program("oci/holdfilter"), str(where / "filter"), *rt.argv(where / "state"), "run", name], cwd=where,
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    subprocess.run([*rt.argv(where / "state"), "delete", "-f", name], cwd=where, capture_output=True, timeout=PATIENCE)
    return sorted(where.glob("filter.*"))


def told(pale, files):
    """{path: errors and highs}, all files in one process."""
    r = pale("lint", "--runtime", installed("runc").full, "--severity", "high", "--format", "json", *files, timeout=300)
    found = collections.defaultdict(list)
    for f in json.loads(r.out)["findings"]:
        found[f["file"]].append(f)
    return found


def wrong(pale, files, base, tmp_path):
    """The findings that are not so."""
    found = told(pale, files)

    def one(path):
        p = Loaded(path, base, tmp_path / path.stem[:20])
        if not p.filters:
            return [f for f in found[str(path)] if not any(g["severity"] == "error" for g in found[str(path)])]
        bad = [f for f in found[str(path)] if not is_so(p, f)]
        if not bad:
            return bad
        p = Loaded(path, base, tmp_path / f"{path.stem[:20]}-none", [])  # an entry may hold without capabilities only
        return [f for f in bad if not is_so(p, f)]

    with ThreadPoolExecutor(2) as pool:
        bad = [f"{f['file']}: {f['id']} {f['message']}" for fs in pool.map(one, files) for f in fs]
    return bad, found


def test_what_is_told_of_dockers_default_is_so(pale, base, tmp_path):
    bad, found = wrong(pale, [TREE], base, tmp_path)
    assert not bad and {f["id"] for f in found[str(TREE)]} == {"SC120", "SC123"}


DOCKER = "usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json"
PODMAN = "usr/share/containers/seccomp.json"
PACKAGED = [("bookworm", "golang-github-docker-docker-dev", DOCKER, "SR204"),  # 20.10.24
            ("trixie", "golang-github-docker-docker-dev", DOCKER, "SC120 SC123"),  # 26.1.5
            ("bookworm", "golang-github-containers-common", PODMAN, "SC108 SC123 SR202 SR205 SR208 SR209 SR210"),  # 0.50
            ("trixie", "golang-github-containers-common", PODMAN, "SC108 SC123 SR202 SR205 SR208 SR209 SR210")]


def test_what_is_told_of_the_engines_packaged_defaults_is_so(pale, base, tmp_path):
    files = []
    packaged = PACKAGED if LONG else [row for row in PACKAGED if row[0] == "bookworm"]  # another suite's lists take a minute
    for suite, package, path, _ in packaged:
        files.append(tmp_path / f"{suite}-{package.split('-')[2]}.json")
        files[-1].write_bytes((unpacked(suite, package) / path).read_bytes())
    bad, found = wrong(pale, files, base, tmp_path)
    assert not bad
    assert [" ".join(sorted({f["id"] for f in found[str(p)]})) for p in files] == [row[3] for row in packaged]


def test_a_wrong_claim_is_told(base, tmp_path):
    p = Loaded(TREE, base, tmp_path / "p")
    assert p.passes("read") and p.refused("reboot") and p.refused("clone", NS["clone"]) and p.passes("socket", {0: 2})
    for rule, message in (("SR202", "'reboot' is allowed without a condition: x"), ("SC127", "'clone3' is refused"),
                          ("SC126", ""), ("SC140", "'read' is missing"), ("SC160", ""), ("SC133", ""),
                          ("SC120", "'socket: arg0 > 40': 0x2 is allowed, and the kernel takes it for 0x2"),
                          ("SC131", "'chmod' is refused, and what does the same stays allowed: 'fchmod' (a mode)")):
        assert not is_so(p, {"id": rule, "message": message}), rule


def test_what_is_told_of_public_profiles_is_so(pale, base, tmp_path, record_property):
    where = directory()
    if not where:
        pytest.skip("needs the public profiles ($PALE_PUBLIC), which are not part of the tree")
    rows = [r for r in ROWS if (where / f"{r['sha256']}.json").exists() and r["import"] != "SJ001"]
    files = [where / f"{r['sha256']}.json" for r in rows]
    bad, found = wrong(pale, files if LONG or os.environ.get("UPDATE") else files[::8], base, tmp_path)
    names = {r["sha256"]: f"{r['repository']} {r['path']}" for r in rows}
    assert not bad, "\n".join(re.sub(r".*/(\w{64})\.json", lambda m: names[m[1]], b) for b in bad)
    found = told(pale, files)
    changed = []
    for row, path in zip(rows, files):
        count = collections.Counter(f["id"] for f in found[str(path)])
        got = " ".join(f"{i}:{n}" for i, n in sorted(count.items())) or "none"
        changed += [(names[row["sha256"]], row["told"], got)] if row["told"] != got else []
        row["told"] = got
    if os.environ.get("UPDATE"):
        TABLE.write_text("\n".join([HEAD] + ["\t".join(r[c] for c in COLUMNS) for r in ROWS]) + "\n")
    record_property("figure", f"public profiles: {len(files)}, {sum(map(len, found.values()))} errors and highs, 0 wrong")
    assert not changed, changed


# ---- what has nothing to be told ----

def test_profiles_of_recorded_workloads_start_under_runc(base, tmp_path):
    """A program of this machine's C library starts, maps it and ends under each."""
    rt, many = installed("runc"), range(300 if LONG else 10)
    for link in ("lib", "lib64"):
        (base / "rootfs" / link).symlink_to(f"usr/{link}")
    (base / "rootfs" / "usr").mkdir()

    def one(pair):
        where = tmp_path / pair[0].stem
        seccomp = converted(json.loads(pair[0].read_text()), CAPS, KERNEL)
        bundle(base, where, seccomp, ["/usr/bin/true"], [{"destination": "/usr", "source": "/usr", "options": ["bind", "ro"]}])
        name = f"pale-r{os.getpid()}-{where.name}"
        r = subprocess.run([*rt.argv(where / "state"), "run", name], cwd=where, stdin=subprocess.DEVNULL, capture_output=True,
                           timeout=PATIENCE, text=True)
        return (where.name, r.returncode, r.stdout + r.stderr)

    with ThreadPoolExecutor(2) as pool:
        bad = [r for r in pool.map(one, recorded.profiles(many, tmp_path)) if r[1:] != (0, "")]
    assert not bad, bad
