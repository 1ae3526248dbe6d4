# SPDX-License-Identifier: Apache-2.0
"""The tables against what the machine knows: kernel headers, libseccomp, tracefs, the compiler.

What differs and may differ stands in exceptions.tsv with its reason; a row there that is no
longer needed fails, so that the file cannot rot.
"""
import ctypes
import csv
import functools
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess

import pytest

from archive import unpacked
from conftest import BUILD, PALE, ROOT, need, need_root, run, shared

HERE = pathlib.Path(__file__).resolve().parent
TABLES = ROOT / "compiler" / "tables"
LEVEL = (7, 3)
AUDIT = {"x86_64": 0xC000003E, "x32": 0x4000003E, "i386": 0x40000003, "aarch64": 0xC00000B7,
         "arm": 0x40000028, "riscv64": 0xC00000F3, "s390x": 0x80000016, "ppc64le": 0xC0000015,
         "mips64el": 0xC0000008, "loongarch64": 0xC0000102}
N64 = 5000  # where mips64el's numbers begin
X32 = 0x40000000


@pytest.fixture(scope="module")
def calls():
    """name -> {"numbers": {arch: nr without base}, "since": ..., "arguments": ...}"""
    rows = json.loads(run([PALE, "list", "syscalls", "--format", "json"], check=0).out)["syscalls"]
    for r in rows:
        if "x32" in r["numbers"]:
            r["numbers"]["x32"] -= X32
    return {r["name"]: r for r in rows}


@pytest.fixture(scope="module")
def constants():
    return json.loads(run([PALE, "list", "constants", "--format", "json"], check=0).out)["constants"]


def exceptions(kind):
    """Rows of exceptions.tsv of one kind: {what: reason}."""
    rows = {}
    for n, line in enumerate((HERE / "exceptions.tsv").read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        assert len(fields) == 3 and all(fields), f"exceptions.tsv:{n}: three fields, by tabs"
        if fields[0] == kind:
            assert fields[1] not in rows, f"exceptions.tsv:{n}: twice"
            rows[fields[1]] = fields[2]
    return rows


def judge(kind, found):
    """found: {what: how it differs}; each must be excused, and each excuse must be needed."""
    excused = exceptions(kind)
    wrong = {w: how for w, how in found.items() if w not in excused}
    idle = [w for w in excused if w not in found]
    assert not wrong, "\n".join(f"{w}: {how}" for w, how in sorted(wrong.items()))
    assert not idle, f"exceptions.tsv: no longer needed under '{kind}': {idle}"


def release(text):
    return tuple(int(x) for x in text.split("."))


def header_release(root=pathlib.Path("/")):
    text = (root / "usr/include/linux/version.h").read_text()
    code = int(re.search(r"LINUX_VERSION_CODE\s+(\d+)", text)[1])
    return code >> 16, code >> 8 & 0xFF


# ---- Debian's headers for other machines (linux-libc-dev-*-cross, libc6-dev-*-cross) ----

MIPS = """-D__mips__ -D__mips64 -D__mips=64 -D__MIPSEL__ -D__MIPSEL -D_MIPS_SIM=3 -D_MIPS_SIM_ABI64=3
-D_MIPS_SIM_ABI32=1 -D_MIPS_SIM_NABI32=2 -D_ABI64=3 -D_ABIO32=1 -D_ABIN32=2 -D_MIPS_SZLONG=64
-D_MIPS_SZPTR=64 -D_MIPS_SZINT=32"""
CROSS = {  # what their compilers would define, for this machine's
    # A 64-bit member is aligned to 8 bytes on arm, to 4 on i386.
    "arm": ("arm-linux-gnueabihf", "-m32 -malign-double -D__arm__ -D__ARM_EABI__ -D__ARM_PCS_VFP"),
    "riscv64": ("riscv64-linux-gnu", "-m64 -D__riscv -D__riscv_xlen=64 -D__riscv_float_abi_double"),
    "s390x": ("s390x-linux-gnu", "-m64 -D__s390x__ -D__s390__"),
    "ppc64le": ("powerpc64le-linux-gnu", "-m64 -D__powerpc64__ -D__powerpc__ -D_CALL_ELF=2 "
                                         "-D__LITTLE_ENDIAN__"),
    "mips64el": ("mips64el-linux-gnuabi64", "-m64 " + MIPS),
}


def cross_flags(arch):
    """This machine's compiler, reading another's headers."""
    triplet, flags = CROSS[arch]
    include = pathlib.Path("/usr") / triplet / "include"
    if platform.machine() != "x86_64" or not (include / "asm" / "unistd.h").exists():
        pytest.skip(f"needs an x86_64 machine with {include} (linux-libc-dev-*-cross)")
    own = run([need("gcc"), "-print-file-name=include"], check=0).out.strip()
    return ["-nostdinc", *(f"-U{m}" for m in ("__x86_64__", "__x86_64", "__i386__", "__i386",
                                              "__amd64__")),
            f"-I{include}", "-isystem", own, *flags.split()]


# ---- other suites' headers: one package holds those of all machines ----

SUITES = ("trixie", "sid", "trixie-backports")
TRIPLETS = {"x86_64": "x86_64-linux-gnu", "x32": "x86_64-linux-gnu", "i386": "i386-linux-gnu",
            "aarch64": "aarch64-linux-gnu", "loongarch64": "loongarch64-linux-gnu",
            **{arch: triplet for arch, (triplet, _) in CROSS.items()}}
OWN = {"x86_64": "-m64", "x32": "-mx32", "i386": "-m32", "aarch64": "-m64 -D__aarch64__",
       "loongarch64": "-m64 -D__loongarch__ -D__loongarch64",
       **{arch: flags for arch, (_, flags) in CROSS.items()}}


def suite_headers(suite):
    if platform.machine() != "x86_64":
        pytest.skip("needs an x86_64 machine's compiler")
    root = unpacked(suite, "linux-libc-dev")
    if not (root / "usr/include/loongarch64-linux-gnu").exists():
        pytest.skip(f"{suite}'s linux-libc-dev has the headers of one machine only")
    (root / "empty").mkdir(exist_ok=True)
    (root / "empty" / "unistd.h").touch()  # linux/shm.h wants the C library's
    return root


def suite_flags(root, arch):
    own = run([need("gcc"), "-print-file-name=include"], check=0).out.strip()
    strange = arch not in ("x86_64", "x32", "i386")
    return ("-nostdinc", *(f"-U{m}" for m in ("__x86_64__", "__x86_64", "__i386__", "__i386",
                                              "__amd64__") if strange),
            f"-I{root}/usr/include/{TRIPLETS[arch]}", f"-I{root}/usr/include", f"-I{root}/empty",
            "-ffreestanding",
            "-isystem", own, *OWN[arch].split())


# ---- numbers ----

def cross_numbers(flags):
    text = run(["gcc", "-E", "-dM", *flags, "-"], input="#include <asm/unistd.h>\n", check=0).out
    macros = dict(re.findall(r"^#define (\w+) (.+)$", text, re.M))

    def number(word):  # 5, __NR_other, (__NR_Linux + 5)
        parts = re.findall(r"\w+", word)
        if not parts or not re.fullmatch(r"\(?\w+( *\+ *\w+)?\)?", word):
            return None
        values = [int(p, 0) if p[0].isdigit() else number(macros.get(p, "")) for p in parts]
        return None if None in values else sum(values)

    numbers = {re.sub("^__(ARM_)?NR_", "", name): number(word) for name, word in macros.items()
               if re.match("__(ARM_)?NR_", name) and number(word) is not None}
    other = r"(64_|[NO]32_)?Linux(_syscalls)?|(OABI_)?SYSCALL_(BASE|MASK)|BASE|__NR3264_.*|syscalls"
    return {n: v for n, v in numbers.items()  # counts and bases are no calls
            if not re.fullmatch(other + "|arch_specific_syscall|_exit", n)}


def header_numbers(arch):
    """The numbers that the kernel's headers give, from the preprocessor."""
    if arch in CROSS:
        numbers = cross_numbers(tuple(cross_flags(arch)))
        assert len(numbers) > 250
        return numbers
    if arch in ("aarch64", "loongarch64"):
        want = {"aarch64": ("RENAMEAT", "NEW_STAT", "SET_GET_RLIMIT", "TIME32_SYSCALLS",
                            "SYS_CLONE3", "MEMFD_SECRET"),
                # their asm/unistd.h; with Linux 6.11's stat() came to loongarch
                "loongarch64": ("SYS_CLONE3",) + ("NEW_STAT",) * (header_release() >= (6, 11))}[arch]
        source = ("#define __BITS_PER_LONG 64\n#define __SYSCALL(a, b)\n" +
                  "".join(f"#define __ARCH_WANT_{w}\n" for w in want) +
                  "#include <asm-generic/unistd.h>\n")
    else:
        name = {"x86_64": "unistd_64.h", "x32": "unistd_x32.h", "i386": "unistd_32.h"}[arch]
        if platform.machine() != "x86_64":
            pytest.skip("needs an x86_64 machine's headers")
        source = f"#define __X32_SYSCALL_BIT 0\n#include <asm/{name}>\n"
    r = run([need("gcc"), "-E", "-dM", "-"], input=source, check=0)
    macros = dict(re.findall(r"#define (__NR\w*) \(?(?:__X32_SYSCALL_BIT \+ )?(\w+)\)?", r.out))
    numbers = {}
    for name, value in macros.items():
        while value in macros:
            value = macros[value]
        if name.startswith("__NR_") and value.isdigit():
            numbers[name[5:]] = int(value)
    for name in ("syscalls", "arch_specific_syscall"):
        numbers.pop(name, None)
    assert len(numbers) > 250
    return numbers


def number_differences(calls, arch, theirs, at):
    """at: the headers' release. Calls younger than the table are nobody's fault."""
    ours = {n: c["numbers"][arch] for n, c in calls.items() if arch in c["numbers"]}
    found = {}
    for name in theirs.keys() | ours.keys():
        if name not in ours:
            if at <= LEVEL:
                found[f"{arch} {name}"] = f"header {theirs[name]}, table has none"
        elif name not in theirs:
            since = calls[name]["since"].get(arch, "2.6")
            if release(since) <= at:
                found[f"{arch} {name}"] = f"table {ours[name]}, header has none"
        elif ours[name] != theirs[name]:
            found[f"{arch} {name}"] = f"table {ours[name]}, header {theirs[name]}"
    return found


@pytest.mark.parametrize("suite", SUITES)
def test_numbers_are_those_of_other_suites_headers(calls, suite):
    root = suite_headers(suite)
    at, found, excused, late = header_release(root), {}, exceptions("number"), 0
    for arch in AUDIT:
        theirs = cross_numbers(suite_flags(root, arch))
        theirs = {n: v - X32 * (arch == "x32") for n, v in theirs.items()}
        assert len(theirs) > 250, arch
        found |= number_differences(calls, arch, theirs, at)
        for name in theirs.keys() & calls.keys():  # and not before the table says so
            since = release(calls[name]["since"].get(arch, "2.6"))
            late += since > release("5.19")
            if since > at:
                found[f"{arch} {name}"] = f"since {since}, a header of {at} has it"
    wrong = {w: how for w, how in found.items() if w not in excused}
    assert not wrong and late > 100, wrong


@pytest.mark.parametrize("arch", AUDIT)
def test_numbers_are_the_kernel_headers(calls, arch):
    found = number_differences(calls, arch, header_numbers(arch), header_release())
    excused = {w: r for w, r in exceptions("number").items() if w.startswith(arch + " ")}
    wrong = {w: how for w, how in found.items() if w not in excused}
    assert not wrong, wrong
    assert not excused.keys() - found.keys(), "exceptions.tsv: no longer needed"


def installed_libseccomp():
    """(path, release, the package's version)"""
    try:
        lib = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed")
    lib.seccomp_version.restype = ctypes.POINTER(LibraryVersion)
    v = lib.seccomp_version().contents
    package = ""
    if shutil.which("dpkg-query"):
        package = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libseccomp2"],
                                 capture_output=True, text=True).stdout
    return lib, (v.major, v.minor, v.micro), package


def other_libseccomp(suite):
    root = unpacked(suite, "libseccomp2")
    paths = sorted(root.glob("usr/lib/*/libseccomp.so.2.*"))
    assert len(paths) == 1, paths
    try:
        lib = ctypes.CDLL(str(paths[0]))
    except OSError as e:
        pytest.skip(f"{suite}'s libseccomp does not load here: {e}")
    return lib, release(paths[0].name.removeprefix("libseccomp.so.")), ""


class LibraryVersion(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint), ("minor", ctypes.c_uint), ("micro", ctypes.c_uint)]


LATE = {line.split()[0]: line.split()[1].split(",")
        for line in (TABLES / "libseccomp.tsv").read_text().splitlines()
        if line and not line.startswith(("#", "name "))}


def is_within(releases, at, package):
    """"2.5.5/2.5.4-1+deb12u1": that release, a later one or that build; "-": none."""
    first, *builds = releases.split("/")
    return first != "-" and (release(first) <= at or package in builds)


def libseccomp_numbers(name, arch, at, package):
    """Does the table say that this libseccomp has a number for a call that it knows?"""
    own = [r.partition("=")[2] for r in LATE.get(name, ["2.5.0"])[1:] if r.startswith(arch + "=")]
    return not own or is_within(own[0], at, package)


LIBRARIES = {"installed": installed_libseccomp,
             **{suite: functools.partial(other_libseccomp, suite) for suite in ("trixie", "sid")}}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("arch", AUDIT)
def test_numbers_are_libseccomp_s(calls, arch, library):
    lib, at, package = LIBRARIES[library]()
    resolve = lib.seccomp_syscall_resolve_name_arch
    resolve.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    if resolve(AUDIT[arch], b"read") < 0:
        pytest.skip(f"this libseccomp has no {arch}")
    known = 0
    for name, c in calls.items():
        theirs = resolve(AUDIT[arch], name.encode())
        ours = c["numbers"].get(arch)
        if theirs == -1:  # not a name it knows: newer than this libseccomp, or absent anywhere
            assert not is_within(LATE.get(name, ["2.5.0"])[0], at, package), (arch, name)
            continue
        known += 1
        if arch == "x32" and theirs > 0:
            theirs -= X32
        if ours is None or not libseccomp_numbers(name, arch, at, package):
            assert theirs < 0, f"{arch} {name}: libseccomp has {theirs}"
        else:
            assert theirs == ours or theirs < 0 and name in MULTIPLEXED, \
                f"{arch} {name}: {ours}, libseccomp {theirs}"
    assert known > 400


# libseccomp answers a pseudo number for what socketcall and ipc do as well.
MULTIPLEXED = {line.split()[2] for line in (TABLES / "multiplexed.tsv").read_text().splitlines()
               if line and not line.startswith("#")}


@pytest.mark.parametrize("library", LIBRARIES)
def test_libseccomp_knows_what_the_table_says_it_knows(calls, library):
    lib, at, package = LIBRARIES[library]()
    for name in sorted(calls.keys() | LATE.keys()):
        expected = is_within(LATE.get(name, ["2.5.0"])[0], at, package)
        theirs = lib.seccomp_syscall_resolve_name(name.encode()) != -1
        assert theirs == expected, f"{name}: {library} {at} {package} says {theirs}"


def test_numbers_are_the_shared_list_s(calls):
    path = shared("data", "libseccomp-syscalls.csv")
    columns = {"i386": "x86", "ppc64le": "ppc64", "mips64el": "mips64"}
    columns = {arch: columns.get(arch, arch) for arch in AUDIT}
    with open(path, newline="") as f:
        rows = list(csv.reader(f))
    index = {c: i for i, c in enumerate(rows[0])}
    found, seen = {}, 0
    for row in rows[1:]:
        for arch, column in columns.items():
            theirs = row[index[column]]
            theirs = int(theirs) if theirs.lstrip("-").isdigit() else None
            ours = calls.get(row[0], {"numbers": {}})["numbers"].get(arch)
            seen += theirs is not None
            if arch == "x32" and theirs is not None and theirs >= X32:
                theirs -= X32
            if arch == "mips64el" and theirs is not None:
                theirs += N64
            if ours != theirs:
                found[f"{arch} {row[0]}"] = f"table {ours}, list {theirs}"
    names = {row[0] for row in rows[1:]}
    for name in calls.keys() - names:
        found[name] = "not in the list"
    assert seen > 3500
    judge("list", found)


def test_every_number_names_one_call_and_the_newest_are_there(calls):
    for arch in AUDIT:
        numbers = [c["numbers"][arch] for c in calls.values() if arch in c["numbers"]]
        assert len(numbers) == len(set(numbers))
        assert max(numbers) == {"x32": 547, "arm": 0xF0006, "mips64el": N64 + 472}.get(arch, 472)
    for name, nr, since in (("fchroot", 472, "7.3"), ("rseq_slice_yield", 471, "7.0"),
                            ("listns", 470, "6.19"), ("file_setattr", 469, "6.17"), ("open_tree_attr", 467, "6.15"),
                            ("removexattrat", 466, "6.13"), ("mseal", 462, "6.10"),
                            ("listmount", 458, "6.8"), ("futex_requeue", 456, "6.7"),
                            ("fchmodat2", 452, "6.6"), ("cachestat", 451, "6.5")):
        assert calls[name]["numbers"] == {**dict.fromkeys(AUDIT, nr), "mips64el": N64 + nr}
        assert set(calls[name]["since"].values()) == {since}
    assert calls["uretprobe"]["numbers"]["x86_64"] == 335
    assert calls["uprobe"]["numbers"]["x86_64"] == 336
    assert calls["map_shadow_stack"]["since"]["x32"] == "6.10"
    assert calls["memfd_secret"]["since"]["loongarch64"] == "7.0"
    assert all(release(s) <= LEVEL for c in calls.values() for s in c["since"].values())


def test_since_differs_where_i386_got_a_call_late(calls):
    assert "since" in calls["socket"] and calls["socket"]["since"]["i386"] == "4.3"
    assert "x86_64" not in calls["socket"]["since"]
    assert calls["semget"]["since"]["i386"] == "5.1"
    assert calls["openat"]["since"]["aarch64"] == "3.7"
    assert calls["getcpu"]["since"] == {"x86_64": "3.1", "x32": "3.4", "i386": "2.6",
                                        "aarch64": "3.7", "arm": "2.6", "riscv64": "4.15",
                                        "s390x": "2.6", "ppc64le": "3.13", "mips64el": "2.6",
                                        "loongarch64": "5.19"}
    assert calls["socket"]["since"]["s390x"] == "4.3" and calls["semget"]["since"]["s390x"] == "5.1"
    assert calls["semget"]["since"]["ppc64le"] == "5.1"
    assert calls["fstat"]["since"]["loongarch64"] == "6.11"


def test_calls_are_older_on_this_kernel_than_the_table_says(calls):
    """Every call whose `since` is not above this kernel has a number below the kernel's end."""
    here = release(".".join(re.findall(r"\d+", platform.release())[:2]))
    if platform.machine() != "x86_64" or here < (6, 18):
        pytest.skip("needs Linux 6.18 or later on x86_64")
    try:
        text = pathlib.Path("/proc/kallsyms").read_text()
    except OSError:
        pytest.skip("no /proc/kallsyms")
    have = set(re.findall(r" __x64_sys_(\w+)$", text, re.M))
    if len(have) < 300:
        pytest.skip("/proc/kallsyms names no system calls")
    renamed = {"fstat": "newfstat", "stat": "newstat", "lstat": "newlstat", "uname": "newuname",
               "sendfile": "sendfile64", "umount2": "umount"}
    found = {name: "no __x64_sys_ function in this kernel" for name, c in calls.items()
             if "x86_64" in c["numbers"] and renamed.get(name, name) not in have and
             release(c["since"].get("x86_64", "2.6")) <= here}
    judge("kernel", found)


# ---- arguments ----

WIDTHS = {  # the kernel's types, as a 64-bit machine has them
    **dict.fromkeys("int pid_t key_t clockid_t timer_t key_serial_t mqd_t rwf_t s32 __s32".split(),
                    (32, True)),
    **dict.fromkeys(["unsigned int", "unsigned", "uid_t", "gid_t", "qid_t", "u32", "__u32",
                     "uint32_t", "enum landlock_rule_type"], (32, False)),
    "umode_t": (16, False),
    **dict.fromkeys(["unsigned long", "size_t", "unsigned long long", "u64", "__u64",
                     "aio_context_t"], (64, False)),
    **dict.fromkeys(["long", "loff_t", "off_t"], (64, True)),
}
POINTER_TYPES = {"__sighandler_t", "cap_user_header_t", "cap_user_data_t"}
TRACEFS_NAMES = {"newfstat": "fstat", "newstat": "stat", "newlstat": "lstat", "newuname": "uname",
                 "sendfile64": "sendfile", "umount": "umount2"}


@pytest.fixture(scope="module")
def tracefs(tmp_path_factory):
    """name -> [(type, argument)] of every call this kernel traces."""
    need_root()
    d = tmp_path_factory.mktemp("tracefs")
    r = subprocess.run(["mount", "-t", "tracefs", "nodev", str(d)], capture_output=True, text=True)
    if r.returncode:
        pytest.skip("tracefs cannot be mounted: " + r.stderr.strip())
    try:
        known = {}
        for event in (d / "events" / "syscalls").glob("sys_enter_*"):
            text = (event / "format").read_text()
            fields = re.findall(r"field:(.+?)(\w+);\toffset:(\d+)", text)
            name = event.name[len("sys_enter_"):]
            known[TRACEFS_NAMES.get(name, name)] = [(t.strip(), n) for t, n, offset in fields
                                                    if int(offset) >= 16]
    finally:
        subprocess.run(["umount", str(d)], check=True)
    if not known:
        pytest.skip("this kernel traces no system calls")
    return known


def declared(type_):
    """(width, signed) of a C type, or "pointer"."""
    type_ = re.sub(r"^const (?!.*\*)", "", type_)
    if "*" in type_ or type_ in POINTER_TYPES:
        return "pointer"
    return WIDTHS[type_]


def test_arguments_are_this_kernel_s(calls, tracefs):
    arch = {"x86_64": "x86_64", "aarch64": "aarch64"}.get(platform.machine())
    if not arch:
        pytest.skip("no table of this machine")
    found, seen = {}, 0
    for name, theirs in tracefs.items():
        call = calls.get(name)
        if not call or arch not in call["arguments"]:
            found[name] = "not in the table"
            continue
        ours = call["arguments"][arch]
        if len(ours) != len(theirs):
            found[name] = f"{len(ours)} arguments, the kernel has {len(theirs)}"
            continue
        for i, (a, (type_, their_name)) in enumerate(zip(ours, theirs)):
            seen += 1
            what = declared(type_)
            if a["name"] != their_name:
                found[f"{name}({i})"] = f"'{a['name']}', the kernel says '{their_name}'"
            elif (a["kind"] == "pointer") != (what == "pointer"):
                found[f"{name}({their_name})"] = f"{a['kind']}, the kernel has {type_}"
            elif what != "pointer" and (a["width"], a["signed"]) != what:
                found[f"{name}({their_name})"] = \
                    f"{a['width']} bits{' signed' * a['signed']}, the kernel has {type_}"
    assert seen > 900
    judge("argument", found)


def test_a_width_that_is_not_the_declared_one_cites_the_kernel(calls):
    cited = {f"{n}({a['name']})" for n, c in calls.items()
             for a in c["arguments"].get("x86_64", []) if "source" in a}
    assert cited == set(exceptions("argument"))


def test_i386_looks_at_32_bits_at_most(calls):
    for name, c in calls.items():
        for a in c["arguments"].get("i386", []):
            assert a["width"] <= 32, (name, a)


def test_argument_order_follows_the_architecture(calls):
    def names(call, arch):
        return [a["name"] for a in calls[call]["arguments"][arch]]
    assert names("clone", "x86_64")[3:] == ["child_tidptr", "tls"]
    assert names("clone", "i386")[3:] == names("clone", "aarch64")[3:] == ["tls", "child_tidptr"]
    assert names("mmap", "i386") == ["arg"] and len(names("mmap", "aarch64")) == 6
    assert names("pread64", "i386")[3:] == ["poslo", "poshi"]
    assert len(names("fallocate", "i386")) == 6
    assert names("preadv2", "x86_64")[5] == "flags" == names("preadv2", "x32")[4]
    # x32's numbers from 512 on are compat calls: a long has 32 bits there.
    assert calls["ptrace"]["arguments"]["x32"][0]["width"] == 32
    assert calls["ptrace"]["arguments"]["x86_64"][0]["width"] == 64


# ---- constants ----

HEADERS = """
linux/types.h linux/fcntl.h linux/stat.h asm/mman.h linux/mman.h linux/sched.h asm/errno.h
asm/signal.h linux/prctl.h asm/ioctls.h linux/sockios.h linux/personality.h linux/futex.h
linux/seccomp.h linux/bpf.h linux/keyctl.h linux/ptrace.h asm/socket.h asm/resource.h
linux/capability.h linux/mount.h linux/wait.h linux/time.h linux/ipc.h linux/shm.h linux/sem.h
linux/msg.h linux/eventpoll.h linux/eventfd.h linux/timerfd.h linux/memfd.h linux/pidfd.h
linux/membarrier.h linux/landlock.h linux/io_uring.h linux/fs.h linux/fadvise.h linux/falloc.h
linux/fanotify.h linux/inotify.h linux/xattr.h linux/mempolicy.h linux/random.h linux/kcmp.h
linux/ioprio.h linux/close_range.h linux/openat2.h linux/perf_event.h linux/reboot.h linux/net.h
linux/in.h linux/in6.h linux/tcp.h linux/udp.h linux/userfaultfd.h linux/signalfd.h linux/module.h linux/kexec.h linux/rseq.h
linux/if_tun.h linux/loop.h linux/kd.h linux/vt.h linux/netlink.h linux/vhost.h
linux/lsm.h linux/btrfs.h linux/blkzoned.h linux/rtc.h linux/watchdog.h linux/fscrypt.h linux/usbdevice_fs.h
linux/hdreg.h linux/cdrom.h linux/nsfs.h linux/msdos_fs.h linux/resource.h linux/ppp-ioctl.h
scsi/sg.h linux/dm-ioctl.h linux/blktrace_api.h asm/termbits.h linux/serial.h linux/fiemap.h
""".split()
X86_HEADERS = ["asm/prctl.h", "asm/ptrace-abi.h", "linux/kvm.h"]
# What the kernel keeps to itself and the C library tells: the same on every architecture here.
LIBC_HEADERS = """sys/socket.h sched.h sys/wait.h sys/epoll.h sys/mman.h sys/resource.h sys/ipc.h
sys/shm.h sys/sem.h sys/msg.h unistd.h sys/ptrace.h netinet/in.h signal.h fcntl.h sys/mount.h
sys/swap.h time.h sys/timerfd.h sys/eventfd.h sys/signalfd.h sys/inotify.h errno.h netinet/tcp.h netinet/udp.h linux/input.h
scsi/sg.h""".split()
# Generic headers with what arch/arm64's own add (uapi/asm/{fcntl,mman,ptrace}.h).
AARCH64_OWN = {
    "fcntl.h": "#define O_DIRECTORY 040000\n#define O_NOFOLLOW 0100000\n"
               "#define O_DIRECT 0200000\n#define O_LARGEFILE 0400000\n",
    "mman.h": "#define PROT_BTI 0x10\n#define PROT_MTE 0x20\n",
    "ptrace.h": "#define PTRACE_SYSEMU 31\n#define PTRACE_SYSEMU_SINGLESTEP 32\n"
                "#define PTRACE_PEEKMTETAGS 33\n#define PTRACE_POKEMTETAGS 34\n",
    "sigcontext.h": "", "unistd.h": "", "kvm.h": "",
}


def generic_flags(tmp_path, arch):
    """The 64-bit compiler of this machine, reading asm-generic where it reads asm."""
    shim = tmp_path / "asm"
    shim.mkdir()
    generic = pathlib.Path("/usr/include/asm-generic")
    for name in {p.name for p in generic.glob("*.h")} | AARCH64_OWN.keys():
        text = AARCH64_OWN.get(name, "") if arch == "aarch64" else ""
        if (generic / name).exists() and name != "unistd.h":
            text += f"#include <asm-generic/{name}>\n"
        (shim / name).write_text(text)
    own = run(["gcc", "-print-file-name=include"], check=0).out.strip()
    return ["-m64", "-nostdinc", f"-I{tmp_path}", "-I/usr/include", "-isystem", own,
            "-U__x86_64__", f"-D__{arch}__"]


@functools.lru_cache
def evaluate(flags, headers, names):
    """{name: value} of those that the headers define, by one compile to assembler or a few."""
    source = "".join(f"#if __has_include(<{h}>)\n#include <{h}>\n#endif\n" for h in headers)
    # What is defined stands there as a macro or an enumerator; of each other name gcc would look for one like it.
    seen = subprocess.run(["gcc", "-E", "-dD", "-D_GNU_SOURCE", *flags, "-xc", "-"], input=source, capture_output=True,
                          text=True, check=True).stdout
    names, start = sorted(names & set(re.findall(r"\w+", seen))), source.count("\n") + 1
    for _ in range(12):  # each round drops the names that did not compile
        text = source + "".join(
            f"const unsigned long long V_{n} = (unsigned long long)(long long)({n});\n" for n in names)
        p = subprocess.run(["gcc", "-w", "-D_GNU_SOURCE", "-fmax-errors=0", "-S", "-xc", "-o", "-",
                            *flags, "-"], input=text, capture_output=True, text=True)
        if p.returncode == 0:
            break
        bad = {int(n) - start for n in re.findall(r"<stdin>:(\d+):", p.stderr)}
        kept = [n for i, n in enumerate(names) if i not in bad]
        assert len(kept) < len(names), p.stderr[:2000]
        names = kept
    assert p.returncode == 0, p.stderr[:2000]
    values = {}
    for name, body in re.findall(r"^V_(\w+):\n((?:\t\..*\n)+)", p.stdout, re.M):
        words = [int(w) for w in re.findall(r"\.(?:quad|long|zero)\t(-?\d+)", body)]
        if "\t.zero" in body:
            values[name] = 0
        elif "\t.quad" in body:
            values[name] = words[0] % 2**64
        else:
            values[name] = words[0] % 2**32 | words[1] % 2**32 << 32
    return values


@pytest.mark.parametrize("arch", AUDIT)
def test_constants_are_the_headers(constants, arch, tmp_path):
    need("gcc")
    if platform.machine() != "x86_64":
        pytest.skip("needs an x86_64 machine's headers")
    flags = {"x86_64": ["-m64"], "x32": ["-mx32"], "i386": ["-m32"]}.get(arch)
    headers = HEADERS + (X86_HEADERS if flags else ["asm/ptrace.h"])
    names = frozenset(c["name"] for c in constants)
    libc_flags = ["-m64"]
    if arch in CROSS:
        flags = libc_flags = cross_flags(arch)
        if not pathlib.Path("/usr", CROSS[arch][0], "include", "sched.h").exists():
            pytest.skip(f"needs the C library's headers of {CROSS[arch][0]} (libc6-dev-*-cross)")
    elif arch == "loongarch64":  # generic throughout, as riscv64 is
        libc_flags = cross_flags("riscv64")
    theirs = evaluate(tuple(flags or generic_flags(tmp_path, arch)), tuple(headers), names)
    libc = evaluate(tuple(libc_flags), tuple(LIBC_HEADERS), names)
    assert len(theirs) > 1500 and len(libc) > 500
    judge_constants(constants, arch, theirs, libc, header_release())


@pytest.mark.parametrize("suite, arch", [("trixie", "x86_64"), ("sid", "x86_64")] +
                         [("trixie-backports", arch) for arch in AUDIT])
def test_constants_are_other_suites_headers(constants, suite, arch):
    root = suite_headers(suite)
    names = frozenset(c["name"] for c in constants)
    headers = HEADERS + X86_HEADERS * (arch in ("x86_64", "x32", "i386"))
    theirs = evaluate(suite_flags(root, arch), tuple(headers), names)
    libc = evaluate(("-m64",), tuple(LIBC_HEADERS), names)
    assert len(theirs) > 1500 and len(libc) > 500
    kernel_s = [c for c in constants if c["name"] in theirs or c["name"] not in libc]
    judge_constants(kernel_s, arch, theirs, {}, header_release(root), False)


def excused_constants(arch, at, whole):
    """{what: must it differ?} under headers of the release `at`. "* DOMAIN NAME": on every
    architecture; "Linux 6.14": older headers lack it or have another value; "gone in Linux 7.3":
    younger ones lack it; ", glibc 2.41" at the end: the C library's own have it since."""
    excused, libc = {}, release(os.confstr("CS_GNU_LIBC_VERSION").split()[1])
    for what, reason in exceptions("constant").items():
        who, rest = what.split(" ", 1)
        reason, _, glibc = reason.partition(", glibc ")
        brought = re.fullmatch(r"Linux (\d+\.\d+)(, or earlier|; .*)?", reason)
        gone = re.match(r"gone in Linux (\d+\.\d+)", reason)
        if who not in ("*", arch) or (brought and release(brought[1]) <= at) or \
                (gone and at < release(gone[1])) or (glibc and whole and libc >= release(glibc)):
            continue
        excused[f"{arch} {rest}"] = not (brought and brought[2] == ", or earlier")
    return excused


def judge_constants(constants, arch, theirs, libc, at, whole=True):
    """whole: also that no excuse is idle, which holds for the headers that were installed."""
    # The numbers of the 64-bit locks on machines that have none: an alias in the C library's
    # headers. What libcs keep for a machine that the kernel does not have there.
    if arch not in ("arm", "i386", "x32"):
        libc = {n: v for n, v in libc.items() if not re.fullmatch("F_(GET|SET)LKW?64", n)}
    found = {}
    for c in constants:
        key = f"{arch} {c['domain']} {c['name']}"
        ours = c["values"].get(arch)
        value = theirs.get(c["name"], libc.get(c["name"]))
        if value is None:
            if ours is not None:
                found[key] = "no header has it"
        elif ours is None:
            if c["name"] in theirs:
                found[key] = f"the header has {value:#x}"
        elif (ours ^ value) & (2**32 - 1 if ours < 2**32 else 2**64 - 1):
            found[key] = f"{ours:#x}, the header has {value:#x}"
    excused = excused_constants(arch, at, whole)
    wrong = {w: how for w, how in found.items() if w not in excused}
    assert not wrong, "\n".join(f"{w}: {how}" for w, how in sorted(wrong.items()))
    idle = {w for w, needed in excused.items() if needed and whole} - found.keys()
    assert not idle, f"exceptions.tsv: no longer needed: {sorted(idle)}"


def test_open_flags_differ_on_aarch64(constants):
    by = {(c["domain"], c["name"]): c["values"] for c in constants}
    assert by["open", "O_DIRECTORY"] == {
        **dict.fromkeys(AUDIT, 0o200000), **dict.fromkeys(("aarch64", "arm", "ppc64le"), 0o40000)}
    assert by["sock_type", "SOCK_STREAM"] == {**dict.fromkeys(AUDIT, 1), "mips64el": 2}
    assert by["sock_type", "SOCK_DGRAM"] == {**dict.fromkeys(AUDIT, 2), "mips64el": 1}
    assert by["errno", "ENOSYS"] == {**dict.fromkeys(AUDIT, 38), "mips64el": 89}
    assert by["errno", "EPERM"] == dict.fromkeys(AUDIT, 1)
    assert by["map", "MAP_ANONYMOUS"] == {**dict.fromkeys(AUDIT, 0x20), "mips64el": 0x800}
    # _IOC() has three bits of direction on ppc and mips.
    assert by["ioctl", "FIONREAD"]["ppc64le"] == 0x4004667F
    assert by["ioctl", "TIOCSTI"]["mips64el"] == 0x5472
    assert by["ioctl", "NS_GET_MNTNS_ID"]["ppc64le"] == 0x4008B705
    assert by["open", "O_DIRECT"]["aarch64"] == 0o200000
    assert "aarch64" not in by["map", "MAP_32BIT"]
    assert by["ioctl", "TIOCSTI"]["x86_64"] == 0x5412
    assert by["at_fd", "AT_FDCWD"]["x86_64"] == -100


def test_every_domain_is_used_or_says_what_for(calls, constants):
    used = {a["domain"] for c in calls.values() for args in c["arguments"].values()
            for a in args if "domain" in a}
    domains = {c["domain"] for c in constants}
    assert used <= domains
    # Named by rules of their own, or values of polymorphic arguments.
    assert domains - used == {"at_fd", "capability", "clone3", "errno", "ip", "ipv6", "netlink", "prctl_arg", "so", "tcp", "udp"}


# ---- the generator refuses what is wrong ----

def broken(tmp_path, file, change):
    d = tmp_path / "tables"
    shutil.copytree(TABLES, d)
    p = d / file
    text = p.read_text()
    changed = change(text)
    assert changed != text
    p.write_text(changed)
    return run([BUILD / "mktables", d])


@pytest.mark.parametrize("file, old, new, message", [
    ("syscalls.tsv", "\naccept ", "\nzaccept ", "'accept4' is not sorted behind 'zaccept'"),
    ("syscalls.tsv", "  43      43    -         202", "  42      43    -         202",
     "x86_64 has 'accept' as 42 already"),
    ("syscalls.tsv", "flags:flags(sock_flag):s32", "flags:flags(sock_flog):s32",
     "no domain 'sock_flog'"),
    ("syscalls.tsv", "seconds:num:u32", "seconds:number:u32", "no kind 'number'"),
    ("syscalls.tsv", "seconds:num:u32", "seconds:num:u33", "'u33' is none of"),
    ("syscalls.tsv", "seconds:num:u32", "seconds:num", "'seconds' has no width"),
    ("syscalls.tsv", "seconds:num:u32", "seconds:enum:u32", "kind 'enum' needs a domain"),
    ("syscalls.tsv", "2.6.28,i386=4.3", "2.6.28,mips=4.3", "'mips' is not ARCHITECTURE=RELEASE"),
    ("syscalls.tsv", "aarch64/3.7", "arm64/3.7", "column 'arm64' where arches.def has 'aarch64'"),
    ("syscalls.tsv", "fd|sockfd:fd:s32,upeer_sockaddr|addr:ptr",
     "fd|sockfd:fd:s32,fd|addr:ptr", "two arguments 'fd'"),
    ("constants.tsv", "AF_INET  ", "AF_UNIX  ", "'AF_UNIX' stands in 'af' twice"),
    ("constants.tsv", "0x4000,aarch64=0x10000", "0x4000,alpha=0x10000", "is not ARCHITECTURE=VALUE"),
    ("constants.tsv", "0x4000,aarch64=0x10000", "07,aarch64=0x10000", "'07' is not a value"),
    ("domains.tsv", "\naf ", "\nbf ", "domain 'af' is not in domains.tsv"),
    ("args.tsv", "i386,aarch64,arm,", "i386,mips,arm,", "'clone' is not on 'mips'"),
    ("aliases.tsv", "rt_sigtimedwait", "rt_sigtimedwaits", "no call 'rt_sigtimedwaits'"),
    ("notes.tsv", "\nbrk ", "\nbrrk ", "no call 'brrk'"),
    ("multiplexed.tsv", "        12       msgrcv", "        12       msgsnd", "a second row for 'msgsnd'"),
])
def test_a_wrong_row_stops_the_build_with_its_place(tmp_path, file, old, new, message):
    if not (BUILD / "mktables").exists():
        pytest.skip("mktables is not built")
    r = broken(tmp_path, file, lambda text: text.replace(old, new, 1))
    assert r.rc == 1
    assert re.search(rf"^compiler/tables/\S+\.tsv:\d+: .*{re.escape(message)}", r.err, re.M), r


def test_the_tables_as_they_are_make_the_same_data_twice():
    if not (BUILD / "mktables").exists():
        pytest.skip("mktables is not built")
    first, second = (run([BUILD / "mktables", TABLES], check=0).out for _ in range(2))
    assert first == second and first == (BUILD / "gen" / "tables_data.c").read_text()


def test_a_further_architecture_is_a_row_and_a_column(tmp_path):
    """riscv32, with one call: the generator and the library need no other change."""
    need("gcc")
    d = tmp_path / "compiler" / "tables"
    shutil.copytree(TABLES, d)
    with open(d / "arches.def", "a") as f:
        f.write('ARCH(RISCV32, "riscv32", "", "SCMP_ARCH_RISCV32", "riscv32", 0x400000f3, '
                '"riscv32", 32, false, 0, 0)\n')
    lines = []
    for line in (d / "syscalls.tsv").read_text().splitlines():
        f = line.split()
        if not line.startswith("#"):
            f.insert(len(AUDIT) + 1,
                     {"name": "riscv32/5.1", "read": "63"}.get(f[0], "-"))
            line = " ".join(f)
        lines.append(line)
    (d / "syscalls.tsv").write_text("\n".join(lines) + "\n")
    flags = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"-I{tmp_path}",
             f"-I{ROOT}"]
    run(["gcc", *flags, "-o", tmp_path / "mktables", d / "mktables.c", d / "mkprint.c"],
        check=0)
    data = run([tmp_path / "mktables", d], check=0).out
    (tmp_path / "data.c").write_text(data)
    run(["gcc", *flags, "-fsyntax-only", tmp_path / "data.c", d / "tables.c"], check=0)
    assert "by_nr_riscv32" in data
    assert re.search(r'"read", \{ 0, 0, 3, 63, 3, 63, 3, 3, 5000, 63, 63, \}', data)


# ---- foreign names and aliases ----

def rows_of(name):
    lines = (TABLES / name).read_text().splitlines()
    return dict(line.split() for line in lines[1:] if line and not line.startswith("#"))


def test_foreign_names_are_no_calls_of_ours(calls):
    foreign, aliases = rows_of("foreign.tsv"), rows_of("aliases.tsv")
    foreign.pop("name"), aliases.pop("name")
    assert foreign["getxpid"] == "alpha"
    assert not foreign.keys() & calls.keys()
    assert all("x86_64" not in calls[name]["numbers"] for name in aliases.keys() & calls.keys())
    assert set(aliases.values()) <= calls.keys()
    assert not aliases.keys() & foreign.keys()


def test_names_of_the_shared_list_that_we_lack_are_foreign_or_too_new(calls):
    path = shared("data", "libseccomp-syscalls.csv")
    with open(path, newline="") as f:
        names = {row[0] for row in csv.reader(f)} - {"#syscall (v7.1.0-rc4 2026-05-21)"}
    known = calls.keys() | rows_of("foreign.tsv").keys() | rows_of("aliases.tsv").keys()
    assert not names - known


# ---- list and show ----

def test_list_syscalls_of_an_architecture(pale):
    lines = pale("list", "syscalls", "--arch", "x32", check=0).out.splitlines()
    assert f"execve{' ' * 23}{X32 + 520}" in lines
    assert pale("list", "syscalls", "--arch", "arm64", check=0).out == \
        pale("list", "syscalls", "--arch", "aarch64", check=0).out


def test_list_sets_names_the_sets_and_what_they_are_for(pale, tmp_path):
    (tmp_path / "mine.pale").write_text("# mine: a set of this test\nset mine { allow read; }\n")
    out = pale("list", "sets", "--sets", tmp_path, check=0).out
    assert re.search(r"^mine +1 calls  a set of this test$", out, re.M)
    doc = json.loads(pale("list", "sets", "--sets", tmp_path, "--format", "json", check=0).out)
    mine = [s for s in doc["sets"] if s["name"] == "mine"]
    assert mine == [{"name": "mine", "file": f"{tmp_path}/mine.pale", "calls": 1,
                     "summary": "a set of this test"}]


def test_list_sets_goes_on_behind_a_broken_file(pale, tmp_path):
    (tmp_path / "bad.pale").write_text("set bad { allow ; }\n")
    (tmp_path / "good.pale").write_text("set good { allow read; }\n")
    r = pale("list", "sets", "--sets", tmp_path, check=1)
    assert "good" in r.out and "bad.pale:1" in r.err


def test_list_targets_and_constants(pale):
    names = [line.split()[0] for line in pale("list", "targets", check=0).out.splitlines()]
    assert names == ["docker", "oci", "spo", "bpf", "apparmor"]  # as -t all writes them, but for spo
    out = pale("list", "constants", "open", "--arch", "x86_64", check=0).out
    assert re.search(r"^open +O_DIRECTORY +0x10000, aarch64 arm ppc64le 0x4000$", out, re.M)


@pytest.mark.parametrize("args, message", [
    (["list"], "say what"), (["list", "cats"], "cannot list 'cats'"),
    (["list", "syscalls", "x"], "too much"), (["list", "syscalls", "--arch", "vax"], "'vax'"),
    (["list", "targets", "--format", "xml"], "'xml'"), (["show"], "one name"),
    (["show", "a", "b"], "one name"),
])
def test_wrong_usage_is_told(pale, args, message):
    r = pale(*args, check=2)
    assert message in r.err and r.out == ""


def test_list_constants_of_no_domain_suggests_one(pale):
    r = pale("list", "constants", "opn", check=1)
    assert "did you mean 'open'?" in r.err and not r.out


def test_show_a_call(pale):
    out = pale("show", "socket", check=0).out
    assert "x86_64      41" in out and "i386        359   since Linux 4.3" in out
    assert "loongarch64 198   since Linux 5.19" in out
    assert "also behind socketcall(1, ...) on i386, s390x, ppc64le" in out
    assert "family | domain" in out and "one of 'af'; 32 bits, signed" in out
    assert "under mask 0xf" in out
    assert "kernel/fork.c" in pale("show", "clone", check=0).out


def test_show_tells_what_is_no_call(pale):
    assert "of alpha only" in pale("show", "getxpid", check=0).out
    out = pale("show", "sigwait", check=0).out
    assert "no system call" in out and "rt_sigtimedwait: system call" in out
    assert "AF_INET in 'af'" in pale("show", "inet", check=0).out
    assert "capability 12" in pale("show", "net_admin", check=0).out
    assert re.search(r"aarch64 +16384 \(0x4000\)", pale("show", "O_DIRECTORY", check=0).out)
    assert "x86_64      execve" in pale("show", "#59", check=0).out


def test_show_a_set_as_written(pale, tmp_path):
    (tmp_path / "mine.pale").write_text("# mine: hello\nset mine {\n\tallow read;\n}\n")
    r = pale("show", "mine", "--sets", tmp_path, check=0)
    assert r.out == f"mine: set, {tmp_path}/mine.pale\n# mine: hello\nset mine {{\n\tallow read;\n}}\n"


def test_show_suggests_near_names(pale):
    r = pale("show", "opennat", check=1)
    assert "did you mean 'openat'?" in r.err and r.out == ""
    r = pale("show", "\x1b[31m", check=1)
    assert "\x1b" not in r.err
