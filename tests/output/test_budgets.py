# SPDX-License-Identifier: Apache-2.0
"""No single input file costs pale more than 1 GiB of memory or 10 s of its own processor: it is
done, or a bound is told (status 1), never a kill, never the system's want of memory."""
import os
import random
import re
import resource
import struct
import subprocess

import pytest

from conftest import PALE as NAMED, PATIENCE, ROOT

PALE = os.path.abspath(NAMED)  # what is asked runs in a folder of its own
LONG = int(os.environ.get("PALE_LONG", "0"))

LIMITS = ((resource.RLIMIT_AS, 1 << 30), (resource.RLIMIT_CPU, 10), (resource.RLIMIT_CORE, 0))


def policy(body, head="arch x86_64; layers seccomp; default errno EPERM;"):
    return f"policy t {{ {head}\n{body}\n}}\n"


def values(n, bits=31):
    pick = random.Random(n)
    return [pick.getrandbits(bits) for _ in range(n)]


def equal(n):
    return policy("\n".join(f"allow lseek(offset == {v});" for v in values(n)))


def pairs(n):
    v = values(2 * n, 20)
    return policy("\n".join(f"allow lseek(offset == {v[i]}, whence == {v[n + i]});" for i in range(n)))


def ranges(n):
    v = sorted(set(values(2 * n, 40)))
    return policy("\n".join(f"allow read(reg count in {a}..{b});" for a, b in zip(v[::2], v[1::2])))


def spread(n):
    return policy("\n".join(f"allow #{500 + i % 14}(reg arg0 == {v});" for i, v in enumerate(values(n))))


def verdicts(n):
    return policy("\n".join(f"errno {1 + i % 30} lseek(offset == {i});" for i in range(n)))


def product(n):
    inside = ", ".join(f"arg{a} in {{{', '.join(map(str, values(n + a)))}}}" for a in range(6))
    return policy(f"allow #500({inside});")


def masks(n):
    return policy("\n".join(f"allow read((reg count & {1 << i % 48 | 1 << i * 7 % 48:#x}) != 0, reg fd == {i});"
                            for i in range(n)))


def sums(n):
    words = " or ".join(f"(reg arg{i % 6} & {255 << i % 24:#x}) == {(i & 255) << i % 24:#x}"
                        for i in range(n))
    return policy(f"allow #500({words});")


SHAPES = {
    "16,000 values": equal(16000), "64,000 values": equal(64000),
    "16,000 pairs": pairs(16000), "64,000 pairs": pairs(64000),
    "16,000 ranges": ranges(16000), "64,000 ranges": ranges(64000),
    "64,000 in a row": policy("\n".join(f"allow lseek(offset == {v});" for v in range(64000))),
    "64,000 over 14 calls": spread(64000), "16,000 with other errnos": verdicts(16000),
    "a product of six": product(700), "masks": masks(2000), "a sum of masks": sums(1500),
    "a million rules": policy("allow read;\n" * 1000000),
    "a million values": policy(f"allow #500(reg arg0 in {{{', '.join(map(str, range(0, 2000000, 2)))}}});"),
    "deep nesting": policy("when arch x86_64 { " * 20000 + "allow read;" + "}" * 20000),
    "deep parentheses": policy(f"allow read({'(' * 100000}fd == 1{')' * 100000});"),
    "a million comments": policy("#\n" * 1000000), "a name of 8 MB": policy("allow " + "a" * 8000000 + ";"),
    "a million errors": policy("alow read;\n" * 1000000),
    "a million unknown names": policy("allow " + ", ".join(f"n{i}" for i in range(1000000)) + ";"),
    "deep JSON": "[" * 4000000,
    "wide JSON": '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[' + ",".join(
        f'{{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{{"index":0,"value":{v},"op":"SCMP_CMP_EQ"}}]}}'
        for v in values(20000)) + "]}",
    "many names": '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":['
                  + ",".join(f'"n{i}"' for i in range(300000)) + '],"action":"SCMP_ACT_ALLOW"}]}',
}


def held(argv, cwd, *closer):
    """What it printed, and how it ended, under the bounds of every file; `closer` ones win."""
    def apply():
        for what, bound in (*LIMITS, *closer):
            resource.setrlimit(what, (bound, bound))
    proc = subprocess.run([PALE, *argv], cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=PATIENCE, preexec_fn=apply)
    assert proc.returncode in (0, 1), (proc.returncode, proc.stderr[-400:])
    assert b"out of memory" not in proc.stderr
    return proc


COSTLIEST = {  # by id: what costs most is named; the others end at one place, which is that
    "PL200": r" costs \d+ instructions?\n", "PL273": r"'[^']+' has most, \d+ |; here for '[^']+' ",
    "PL129": r"(?s)(gets .* and|two transitions for one program: ).* elsewhere.*~~~",
    "PL295": r": error: what ('t\.bpf'|this program) answers ",  # a program has no lines
}


def bound(proc, id=None):
    """Status 1: a bound, its number, the place where it was met, what costs most, and a way out."""
    text = proc.stderr.decode(errors="replace")
    told = [e for e in re.split(r"\n(?=\S+:\d+:\d+: |pale: )", text) if ": error: " in e or ": high: " in e]
    assert proc.returncode == 1 and told, (proc.returncode, text[-400:])
    assert id is None or f"[{id} " in text, text[-2000:]
    head, said = told[0].splitlines()[0], re.search(r" \[(PL\d+|SJ\d+) ", told[0])
    help = re.findall(r"= help: (.*)", told[0])
    assert help and re.search(r"\d{3}|\b64\b", head[head.index(": error: "):said.start()] + help[0]), told[0][:2000]
    assert re.search(COSTLIEST.get(said[1], r"^\S+?:\d+:\d+: "), told[0]), told[0][:2000]


PASSES = {"64,000 in a row", "a million rules", "a million comments", "masks", "a sum of masks"}
SAID = {"a million errors", "a million unknown names", "many names", "a name of 8 MB"}  # as errors of what is written


@pytest.mark.once  # a sanitizer's shadow needs the address space
@pytest.mark.parametrize("name", SHAPES)
def test_one_file_has_a_bounded_price(tmp_path, name):
    (tmp_path / "t.pale").write_text(SHAPES[name])
    proc = held(["compile", "-q", "-t", "bpf", "-o", "out/", "t.pale"], tmp_path)
    assert name in SAID or proc.returncode == (name not in PASSES), proc.stderr[-400:]
    if name not in PASSES | SAID:
        bound(proc)


# ---- one size at which a policy is too large, whatever its shape ----

PARTS = 196608  # rules with conditions and their comparisons, of one architecture


def lines(n, text, head="arch x86_64; layers seccomp; default errno EPERM;"):
    return policy("\n".join(text(i, v) for i, v in enumerate(sorted(set(values(n + 2000)))[:n])), head)


ALL = "arch x86_64, x32, i386, aarch64, arm, riscv64, ppc64le, s390x, loongarch64, mips64el; layers seccomp; default errno EPERM;"
COUNTED = {  # shape: the policy of n rules, parts of each, does it compile while they are few enough?
    "one call": (lambda n: lines(n, lambda i, v: f"allow lseek(offset == {v});"), 2, False),
    "in a row": (lambda n: lines(n, lambda i, v: f"allow lseek(offset == {i});"), 2, True),
    "below a value": (lambda n: lines(n, lambda i, v: f"allow read(fd < {i + 1});"), 2, True),
    "masks": (lambda n: lines(n, lambda i, v: f"allow read((reg count & 0xffffffff0) == {v << 4});"), 2, False),
    "14 calls": (lambda n: lines(n, lambda i, v: f"allow #{500 + i % 14}(reg arg0 == {v});"), 2, False),
    "300 calls": (lambda n: lines(n, lambda i, v: f"allow #{500 + i % 300}(reg arg0 == {v});"), 2, False),
    "numbers": (lambda n: lines(n, lambda i, v: f"allow #{1000 + i};"), 2, True),
    "numbers apart": (lambda n: lines(n, lambda i, v: f"allow #{1000 + 3 * i};"), 2, False),
    "ranges": (lambda n: lines(n, lambda i, v: f"allow read(reg count in {v * 512 + i}..{v * 512 + i + 300});"), 3, False),
    "ranges below 2^31": (lambda n: lines(n, lambda i, v: f"allow read(reg count in {v}..{v + i % 977 + 1});"), 3, False),
    "orders": (lambda n: lines(n, lambda i, v: f"allow read(reg count < {v}, reg fd == {i});"), 3, False),
    "two arguments": (lambda n: lines(n, lambda i, v: f"allow lseek(offset == {v}, whence == {v * 7 % 99991});"), 3, False),
    "holes": (lambda n: lines(n, lambda i, v: f"allow read(reg count in {v}..{v + 400}, reg count != {v + 9});"), 4, False),
    "capabilities": (lambda n: lines(n, lambda i, v: f"when capability net_raw {{ allow lseek(offset == {v}); }}"), 2, False),
    "levels": (lambda n: lines(n, lambda i, v: f"when kernel >= 4.{i % 19} {{ allow lseek(offset == {v}); }}"), 2, False),
    "ten architectures": (lambda n: lines(n, lambda i, v: f"allow #500(reg arg0 == {v});", ALL), 2, False),
}
SIZES = (16000, 64000, 100000, 200000, 300000, 1000000)
FEW = ("in a row", "numbers apart", "ranges")


def compiled(tmp_path, text):
    (tmp_path / "t.pale").write_text(text)
    return held(["compile", "-q", "-t", "bpf", "--caps", "net_raw", "--kernel", "5.10", "-o", "out/", "t.pale"], tmp_path)


def size_told(proc, tmp_path):
    bound(proc, "PL220")
    assert f"and {PARTS} are compiled: ".encode() in proc.stderr and proc.stderr.count(b": error: ") == 1, proc.stderr[-600:]
    assert not (tmp_path / "out").exists()


@pytest.mark.once
@pytest.mark.parametrize("shape", [s for s in COUNTED if LONG or s not in ("300 calls", "orders", "ten architectures")])
def test_all_shapes_are_too_large_at_one_size(tmp_path, shape):
    text, parts, _ = COUNTED[shape]
    size_told(compiled(tmp_path, text(PARTS // parts + 1)), tmp_path)


@pytest.mark.once
@pytest.mark.parametrize("shape", [s for s in COUNTED if LONG or s in FEW])
def test_a_policy_below_that_size_is_compiled_or_too_long_for_the_kernel(tmp_path, shape):
    text, parts, fits = COUNTED[shape]
    proc = compiled(tmp_path, text(PARTS // parts))
    if fits:
        assert not proc.returncode and list((tmp_path / "out").iterdir()), proc.stderr[-400:]
    else:
        bound(proc, "PL200")


@pytest.mark.once
@pytest.mark.parametrize("n", SIZES if LONG else SIZES[2:3])
@pytest.mark.parametrize("shape", COUNTED if LONG else ("one call", "ranges"))
def test_size_alone_decides_what_is_said(tmp_path, shape, n):
    text, parts, fits = COUNTED[shape]
    proc = compiled(tmp_path, text(n))
    if (tmp_path / "t.pale").stat().st_size > 16 << 20:
        assert b"[PL001 " in proc.stderr
    elif shape == "ten architectures" and 10 * n > 1 << 20:
        bound(proc, "PL145")
    elif parts * n > PARTS:
        size_told(proc, tmp_path)
    elif not fits and n > 16000:
        bound(proc, "PL200")
    else:
        assert b"[PL220 " not in proc.stderr and proc.returncode in (0, 1)


@pytest.mark.once
def test_a_value_set_costs_its_values(tmp_path):
    def sets(n):
        return policy("".join(f"allow #500(reg arg0 in {{{', '.join(map(str, range(k * n * 2, (k + 1) * n * 2, 2)))}}});\n"
                              for k in range(3)))
    assert not compiled(tmp_path, sets(65535)).returncode
    size_told(compiled(tmp_path, sets(65536)), tmp_path / "none")


@pytest.mark.once
@pytest.mark.parametrize("argv", (["check", "-t", "bpf", "t.pale"], ["sim", "--as", "bpf", "t.pale", "lseek"],
                                  ["compile", "-q", "-t", "docker", "-o", "out/", "t.pale"]))
def test_all_that_compile_say_it(tmp_path, argv):
    (tmp_path / "t.pale").write_text(COUNTED["one call"][0](PARTS // 2 + 1))
    size_told(held(argv, tmp_path), tmp_path)


@pytest.mark.once
@pytest.mark.parametrize("shape", [equal, pairs, ranges, spread])
def test_memory_grows_no_faster_than_the_rules(tmp_path, shape):
    (tmp_path / "t.pale").write_text(shape(16000))
    proc = held(["compile", "-q", "-t", "bpf", "-o", "out/", "t.pale"], tmp_path, (resource.RLIMIT_AS, 128 << 20))
    assert proc.returncode == (shape != spread), proc.stderr[-400:]


# ---- other targets, other commands ----

AA = "program /bin/x; layers apparmor; arch x86_64; default errno EPERM;"
NAMES = "{" + ",".join(f"a{i}" for i in range(300)) + "}"
GLOBS = {  # the pattern, the id
    "alternations": (f"file r /{NAMES}/{NAMES}/{NAMES}/{NAMES};", "PL134"),
    "nested alternations": ("file r /" + "{a,b" * 190 + "}" * 190 + ";", None),
    "stars": ("file r /" + "**a" * 3000 + ";", "PL134"), "classes": ("file r /" + "[a-z][^a-z]" * 5000 + ";", "PL134"),
    "a long path": ("file r /" + "a" * 4000000 + ";", "PL134"),
    "two that may overlap": ("file ix /" + "?*" * 600 + "; file px /" + "*?" * 600 + ";", "PL129"),
    "20,000 files": ("\n".join(f"file r /srv/d{i}/**;" for i in range(20000)), None),
}


@pytest.mark.once
@pytest.mark.parametrize("name", GLOBS)
def test_globs_have_a_bounded_price(tmp_path, name):
    rules, id = GLOBS[name]
    (tmp_path / "t.pale").write_text(policy(rules, AA))
    for argv in (["compile", "-q", "-t", "apparmor", "-o", "x", "t.pale"], ["explain", "t.pale", "/usr/bin/a"],
                 ["diff", "t.pale", "t.pale"], ["lint", "t.pale"]):
        proc = held(argv, tmp_path)
        if id and argv[0] != "lint":
            bound(proc, id)


def entries(n, ops=("EQ",), bits=31):
    pick = random.Random(n)
    return '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[' + ",".join(
        f'{{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":{1 + i % 30},"args":[{{"index":{i % 6},'
        f'"value":{pick.getrandbits(bits)},"op":"SCMP_CMP_{ops[i % len(ops)]}"}}]}}' for i in range(n)) + "]}"


SLOW = "libseccomp itself would take its time"
PROFILES = {  # text: ids of import and of sim --as; None: it is answered
    "60,000 entries on one call": (entries(60000), "PL273", "PL290"),
    "5,000 orders": (entries(5000, ("NE", "LT", "LE", "EQ", "GE", "GT"), 40), "PL273", "PL290"),
    "a name 250,000 times": ('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":[' + ",".join(['"read"'] * 250000)
                             + '],"action":"SCMP_ACT_ALLOW"}]}', "PL273", SLOW),
    "300,000 names": ('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":['
                      + ",".join(f'"n{i}"' for i in range(300000)) + '],"action":"SCMP_ACT_ALLOW"}]}', "PL270", "PL270"),
    "20,000 gates": ('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[' + ",".join(
        '{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"%d.%d"}}' % (1 + i % 6, i % 200)
        for i in range(20000)) + "]}", "PL273", SLOW),
    "a comment of 15 MB": ('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW",'
                           '"comment":"' + "x" * 15000000 + '"}]}', None, None),
}


@pytest.mark.once
@pytest.mark.parametrize("name", [n for i, n in enumerate(PROFILES) if LONG or i in (1, 2, 5)])
def test_profiles_have_a_bounded_price(tmp_path, name):
    text, read, loaded = PROFILES[name]
    (tmp_path / "t.json").write_text(text)
    held(["lint", "t.json"], tmp_path)
    for argv in (["import", "t.json"], ["sim", "t.json", "read"], ["check", "t.json"], ["diff", "t.json", "t.json"]):
        proc = held(argv, tmp_path)
        if read:
            bound(proc, read)
        else:
            assert not proc.returncode, proc.stderr[-400:]
    if loaded == SLOW:
        return
    proc = held(["sim", "--as", "docker:runc", "--caps", "none", "--kernel", "6.1", "t.json", "read"], tmp_path)
    if loaded:
        bound(proc, loaded)
    else:
        assert not proc.returncode, proc.stderr[-400:]


# More rules than anybody writes, as one who lists every file of a tree does: no two of them are compared.
APPARMOR = {
    "40,000 files": (lambda i: f"/srv/d{i}/x r,", 0),
    "one file 40,000 times": (lambda i: "/srv/x r,", 39999),  # AP204, of each but the first
}


@pytest.mark.once
@pytest.mark.parametrize("name", APPARMOR)
def test_findings_of_many_rules_for_files_are_looked_for_once(tmp_path, name):
    line, twice = APPARMOR[name]
    (tmp_path / "t.aa").write_text("profile x {\n" + "".join(f"  {line(i)}\n" for i in range(40000)) + "}\n")
    proc = held(["lint", "--select", "AP204,AP213", "--statistics", "t.aa"], tmp_path)
    assert re.findall(rb"^ *(\d+) .*AP204", proc.stdout, re.M) == ([b"%d" % twice] if twice else []), proc.stdout


@pytest.mark.once
@pytest.mark.parametrize("name", ["16,000 pairs"] + ["16,000 values", "16,000 ranges", "64,000 values"] * (LONG > 0))
def test_other_commands_bound_a_large_policy(tmp_path, name):
    (tmp_path / "t.pale").write_text(SHAPES[name])
    for argv in (["sim", "t.pale", "read"], ["explain", "t.pale", "lseek"], ["fmt", "t.pale"], ["lint", "t.pale"]):
        assert not held(argv, tmp_path).returncode or argv[0] == "lint"
    bound(held(["check", "-t", "bpf", "t.pale"], tmp_path), "PL200")
    # All other values of one argument are entries, too, where the JSON's default is another: they are counted.
    bound(held(["compile", "-q", "-t", "docker", "-o", "o.json", "t.pale"], tmp_path), "PL228" if "values" in name else "PL220")


@pytest.mark.once
def test_what_no_other_bound_meets_ends_by_its_memory(tmp_path):
    rules = "\n".join(f"file r /srv/{i}/*;" for i in range(300000))
    (tmp_path / "t.pale").write_text(policy(rules, AA))
    (tmp_path / "a.pale").write_text(policy("allow #3000;"))
    for argv in (["compile", "-t", "apparmor", "-o", "x", "t.pale"], ["diff", "t.pale", "t.pale"]):
        proc = held(argv, tmp_path)
        assert proc.returncode == 1 and b"'t.pale' (" in proc.stderr and b"768 MiB" in proc.stderr, proc.stderr[-400:]
        assert b"[PL218 " in proc.stderr and b"= help: " in proc.stderr and not (tmp_path / "x").exists()
    proc = subprocess.run([PALE, "run", "t.pale", "--", "true"], cwd=tmp_path, capture_output=True)
    assert proc.returncode == 125 and b"[PL218 " in proc.stderr
    # The files beside it are answered for.
    proc = held(["lint", "a.pale", "t.pale", "a.pale"], tmp_path)
    assert proc.returncode == 1 and proc.stdout.count(b"[PL218 ") == 1, proc.stdout
    assert proc.stdout.count(b"a.pale: ") == 2 and b"t.pale: 1 finding" in proc.stdout, proc.stdout
    proc = held(["check", "-t", "bpf", "t.pale", "a.pale"], tmp_path)
    assert proc.returncode == 1 and b"a.pale:\npolicy t\nbpf " in proc.stdout and b"[PL218 " in proc.stderr, proc


@pytest.mark.once
def test_findings_in_one_long_line_cost_what_they_cost_in_many(tmp_path):
    rules = ",".join(f"#{i % 500}(reg arg0 == {i} or reg arg1 == {i + 1} and reg arg2 lacks {i})" for i in range(100000))
    (tmp_path / "t.pale").write_text(policy(f"allow {rules};"))
    assert held(["lint", "t.pale"], tmp_path).stdout.count(b"[PL137 ") > 1000


@pytest.mark.once
@pytest.mark.parametrize("command", ["lint", "check"])
def test_memory_is_a_files_and_not_that_of_all(tmp_path, command):
    text = (ROOT / "profiles/found/docker-default.json").read_text()
    for i in range(60):
        (tmp_path / f"{i}.json").write_text(text)
    peak = {}
    for n in (2, 60):
        with open(tmp_path / "out", "w") as out:
            proc = subprocess.Popen([PALE, command, *(f"{i}.json" for i in range(n))], cwd=tmp_path, stdout=out)
            _, status, used = os.wait4(proc.pid, 0)
        proc.returncode = os.waitstatus_to_exitcode(status)
        peak[n] = used.ru_maxrss
        assert proc.returncode in (0, 1) and f"{n - 1}.json:" in (tmp_path / "out").read_text()
    assert peak[60] < 2 * peak[2], peak


def test_too_large_is_the_only_thing_said_of_it(tmp_path):
    (tmp_path / "t.pale").write_text(SHAPES["a product of six"])
    proc = subprocess.run([PALE, "check", "-t", "bpf", "t.pale"], cwd=tmp_path, capture_output=True)
    assert proc.returncode == 1 and b"PL200" in proc.stderr and b"PL143" not in proc.stderr


@pytest.mark.once  # a sanitizer's shadow needs the address space
def test_a_million_bad_weights_are_read_at_once(tmp_path):
    (tmp_path / "w").write_text("1 reed\n" * 1000000)
    (tmp_path / "t.pale").write_text(policy("allow read, execve;"))
    proc = held(["compile", "-q", "-t", "bpf", "-o", "x", "--weights", "w", "t.pale"], tmp_path)
    assert b"did you mean 'read'?" in proc.stderr and b"999980 more errors" in proc.stderr


@pytest.mark.once
def test_a_trace_of_names_that_are_no_calls_ends(tmp_path):
    (tmp_path / "w").write_text("".join(f"1 nocall{i}\n" for i in range(1000000)))
    (tmp_path / "t.pale").write_text(policy("allow read, execve;"))
    proc = held(["compile", "-q", "-t", "bpf", "-o", "x", "--weights", "w", "t.pale"], tmp_path)
    assert proc.returncode == 1 and b"more than 10000 names in a trace that are no calls" in proc.stderr
    assert not (tmp_path / "x").exists()


MISSPELT = {"errnos": "errno EBAX{} read;", "constants": "allow socket(domain == AF_X{});", "sets": "use lib{};",
            "arguments": "allow socket(domin{} == 3);", "capabilities": "capability net_admi{};",
            "architectures": "when arch x86_6{} {{ }}"}


@pytest.mark.once
@pytest.mark.parametrize("what", MISSPELT)
def test_misspelt_names_cost_no_search_past_what_is_shown(tmp_path, what):
    (tmp_path / "t.pale").write_text(policy("\n".join(MISSPELT[what].format(i) for i in range(200000))))
    proc = held(["check", "t.pale"], tmp_path)
    assert proc.returncode == 1 and re.search(rb"1999\d\d more errors", proc.stderr), proc.stderr[-300:]


@pytest.mark.once
def test_an_unknown_name_an_entry_costs_no_walk_over_all(tmp_path):
    (tmp_path / "t.json").write_text('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[' + ",".join(
        f'{{"names":["nocall{i}"],"action":"SCMP_ACT_ALLOW"}}' for i in range(60000)) + "]}")
    for argv in (["check", "t.json"], ["lint", "t.json"], ["import", "-o", "x.pale", "t.json"]):
        held(argv, tmp_path, (resource.RLIMIT_CPU, 4))  # 12 s where each is compared with all


def single_bits(n, words):
    """Each call is tested for any of a random mask's bits, n times: no policy says that shortly."""
    pick = random.Random(1)
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, 0xc000003e), (6, 0, 0, 0x7fff0000)]
    for _ in range(n):
        code += [(0x20, 0, 0, 16 + 4 * pick.randrange(words)), (0x45, 0, 1, pick.getrandbits(32)),
                 (6, 0, 0, 0x50000 | pick.randrange(1, 30))]
    return b"".join(struct.pack("<HBBI", *insn) for insn in [*code, (6, 0, 0, 0x7fff0000)])


@pytest.mark.once  # a sanitizer's shadow needs the address space
@pytest.mark.parametrize("n, words", [(12, 12), (40, 2)] + [(8, 12), (1300, 1), (1300, 12)] * (LONG > 0))
def test_masks_in_a_filter_have_a_bounded_price(tmp_path, n, words):
    (tmp_path / "t.bpf").write_bytes(single_bits(n, words))
    proc = held(["import", "-o", "x.pale", "t.bpf"], tmp_path)
    assert proc.returncode == 1 and (b"PL279" in proc.stderr or b"PL295" in proc.stderr)
    if words == 1:  # all of it can be looked at, and what stands in the way is told
        assert b"PL279" in proc.stderr and b"nor would a tighter one" in proc.stderr, proc.stderr[-600:]
    else:
        assert b"MiB" in proc.stderr or b"decision nodes" in proc.stderr
    assert not (tmp_path / "x.pale").exists()


def test_what_a_tighter_policy_would_not_say_either_is_told_so(pale, tmp_path):
    (tmp_path / "t.bpf").write_bytes(single_bits(5, 12))
    for more in ([], ["--approximate"]):
        r = pale("import", "-o", tmp_path / "x.pale", *more, tmp_path / "t.bpf", check=1)
        assert "PL279" in r.err and "nor would a tighter one" in r.err and "--approximate" not in r.err
    assert not (tmp_path / "x.pale").exists()


def tied(calls, rules):
    """Rules that share arguments, by masks and values: each call's diagram is large, and its list short."""
    pick = random.Random(7)

    def one():
        arg, mask = pick.randrange(6), pick.getrandbits(16)
        return f"reg arg{arg} == {pick.getrandbits(16)}" if pick.random() < .5 else f"(reg arg{arg} & {mask}) == {pick.getrandbits(16) & mask}"
    return policy("\n".join(f"allow #{500 + c}({one()}, {one()});" for c in range(calls) for _ in range(rules)))


@pytest.mark.once
@pytest.mark.parametrize("calls", [100] + [200, 400] * (LONG > 0))
def test_what_is_tried_for_one_program_is_bounded_over_all_its_calls(tmp_path, calls):
    (tmp_path / "t.pale").write_text(tied(calls, 10))
    proc = held(["compile", "-q", "-t", "bpf", "-o", "out/", "t.pale"], tmp_path)
    assert not proc.returncode or any(b in proc.stderr for b in (b"PL200", b"PL220", b"PL290")), proc.stderr


def computed(op, k, n):
    """n times: a word is changed by an operation, then joined with another argument's."""
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, 0xc000003e), (6, 0, 0, 0), (0x20, 0, 0, 16)]
    for i in range(n):
        code += [(op, 0, 0, k), (7, 0, 0, 0), (0x20, 0, 0, 16 + 4 * (i % 12)), (0x0c if i % 2 else 0xac, 0, 0, 0)]
    code += [(0x15, 0, 1, 12345), (6, 0, 0, 0x50001), (6, 0, 0, 0x7fff0000)]
    return b"".join(struct.pack("<HBBI", *insn) for insn in code)


@pytest.mark.once
@pytest.mark.parametrize("op, k, n", [(0x24, 13, 4), (0x64, 3, 6)] + [(0x04, 7, 20), (0xa4, 0x5a5a5a5a, 900)] * (LONG > 0))
def test_what_a_filter_computes_has_a_bounded_price(tmp_path, op, k, n):
    (tmp_path / "t.bpf").write_bytes(computed(op, k, n))
    held(["check", "t.bpf"], tmp_path)
    assert not held(["sim", "t.bpf", "read"], tmp_path).returncode
    for argv in (["import", "t.bpf"], ["explain", "t.bpf", "read"], ["diff", "t.bpf", "t.bpf"]):
        bound(held(argv, tmp_path), "PL295")
