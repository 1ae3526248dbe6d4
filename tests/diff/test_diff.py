# SPDX-License-Identifier: Apache-2.0
"""pale diff: what it says is true (random policies against the specification), and what people
and programs read of it. UPDATE=1 writes the goldens anew; their diffs are read."""
import ctypes
import json
import os
import pathlib
import re
import struct

import pytest

from conftest import PALE, PATIENCE, ROOT, program, run, shared

HERE = pathlib.Path(__file__).parent
DOCKER = ROOT / "profiles/found/docker-default.json"
X86_64 = 0xc000003e
AS_LOADED = ["--caps", "none", "--kernel", "6.18", "--host", "x86_64"]
FORMATS = {"text": "txt", "json": "json", "markdown": "md"}


def policy(tmp_path, body, name="p", header="arch x86_64; default errno EPERM;"):
    path = tmp_path / f"{name}.pale"
    path.write_text(f"policy {name} {{ level linux 7.3; layers seccomp; {header}\n{body}\n}}\n")
    return path


def bpf(tmp_path, insns, name="p.bpf"):
    path = tmp_path / name
    path.write_bytes(b"".join(struct.pack("<HBBI", *i) for i in insns))
    return path


def changes(pale, *args, rc=1):
    return json.loads(pale("diff", "--format", "json", *args, check=rc).out)


# ---- against the specification ----

@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_told_of_random_pairs_is_so(seed, record_property):
    n = int(os.environ.get("RANDOM_PAIRS", "600"))
    r = run([program("diff/compare"), "-n", n, "-s", seed], timeout=PATIENCE)
    record_property("figure", f"diff, random pairs, seed {seed}: {r.out.splitlines()[0]}")
    assert r.rc == 0, r
    m = re.match(r"(\d+) pairs, (\d+) refused, 0 not decided, (\d+) same; (\d+) differences, (\d+) of them "
                 r"in some environments; (\d+) witnesses; (\d+) points, (\d+) differ; 0 wrong", r.out)
    assert m, r
    pairs, refused, same, items, conditional, witnesses, points, differ = map(int, m.groups())
    assert pairs == n and refused < n / 10 and n / 10 < same < n * .9, r
    assert conditional > n / 10 and witnesses >= items > n and points > 200 * n, r
    assert points / 10 < differ < points * .9, r
    classes = [int(x) for x in re.search(r"classes:(.*)", r.out)[1].split()]
    assert min(classes[:4]) > n / 20 and classes[4] == 0, r
    calls, numbers, _, unlisted, foreign = map(int, re.search(r"parts:(.*)", r.out)[1].split())
    assert min(calls, numbers, unlisted, foreign) > n / 20, r


@pytest.mark.parametrize("seed", [1, 2])
def test_what_each_rule_does_is_told_exactly(seed, record_property):
    n = int(os.environ.get("RANDOM_PAIRS", "600"))
    r = run([program("diff/compare"), "-r", "-n", n, "-s", seed], timeout=PATIENCE)
    record_property("figure", f"rules of random policies, seed {seed}: {r.out.splitlines()[0]}")
    assert r.rc == 0 and r.out.splitlines()[0].endswith(" 0 wrong"), r
    roles = [int(x) for x in re.search(r"roles:(.*)", r.out)[1].split()]
    assert min(roles[:5]) > n / 10 and roles[5] == 0, r


# ---- what is read ----

@pytest.mark.parametrize("form", FORMATS)
def test_golden(pale, form):
    r = pale("diff", "old.pale", "new.pale", "--format", form, cwd=HERE, check=1)
    assert not r.err, r
    want = HERE / f"old-new.{FORMATS[form]}"
    if os.environ.get("UPDATE"):
        want.write_text(r.out)
    assert r.out == want.read_text()


def test_json_says_what_text_says(pale):
    d = changes(pale, HERE / "old.pale", HERE / "new.pale")
    text = pale("diff", HERE / "old.pale", HERE / "new.pale").out
    assert [c["change"] for c in d["changes"]] == re.findall(
        r"^(looser|tighter|incomparable|different errno): (?=.*)", text[text.index("\n\n"):], re.M)
    for c in d["changes"]:
        assert c["about"] in " ".join(text.split()) and c["steps"]
        for s in c["steps"]:
            assert s["example"] in text and s["a_decided_by"] in text and s["b_decided_by"] in text
    assert d["counts"]["looser"] == len({n for c in d["changes"] if c["change"] == "looser"
                                         for n in c["calls"]})


def test_every_example_is_what_sim_answers(pale):
    d = changes(pale, HERE / "old.pale", HERE / "new.pale")
    asked = 0
    for c in d["changes"]:
        for s in c["steps"]:
            p = s["point"]
            arch = {X86_64: "x86_64", 0x40000003: "i386", 0xc00000b7: "aarch64"}[p["audit_arch"]]
            nr = p["nr"] if p["nr"] != 0xffffffff else -1
            line = " ".join([arch, str(nr), *p["args"]]) + "\n"
            env = ["--caps", ",".join(p["caps"]) or "none", "--kernel", p["kernel"], "--host", p["host"]]
            for side, file in ("a", "old.pale"), ("b", "new.pale"):
                r = pale("sim", HERE / file, "--raw", *env, input=line, check=0)
                assert r.out == s[side] + "\n", (c, s)
                asked += 1
    assert asked > 20


# ---- the classes and their edges ----

CLASSES = {  # from, to: class, verdicts
    "looser": ("", "allow bpf;", "ERRNO(1)", "ALLOW"),
    "tighter": ("allow bpf;", "", "ALLOW", "ERRNO(1)"),
    "different errno": ("", "errno ENOSYS bpf;", "ERRNO(1)", "ERRNO(38)"),
}
RANKS = ["kill-process", "kill-thread", "trap 1", "errno EACCES", "notify", "trace 1", "log", "allow"]


@pytest.mark.parametrize("change", CLASSES)
def test_class(pale, tmp_path, change):
    x, y, a, b = CLASSES[change]
    d = changes(pale, policy(tmp_path, x + "allow read;"), policy(tmp_path, y + "allow read;", "q"))
    c, = d["changes"]
    assert (c["change"], c["calls"], c["arches"]) == (change, ["bpf"], ["x86_64"])
    s, = c["steps"]
    assert (s["a"], s["b"], s["condition"], s["condition_is_exact"]) == (a, b, "", True)


def test_verdicts_rank_as_the_kernel_ranks_them(pale, tmp_path):
    files = [policy(tmp_path, "allow read;" + f"{v} bpf;", f"p{i}", "arch x86_64; default errno EPERM;")
             for i, v in enumerate(RANKS)]
    for i, x in enumerate(files):
        for k, y in enumerate(files):
            d = changes(pale, x, y, rc=int(i != k))
            want = [] if i == k else ["looser" if k > i else "tighter"]
            assert [c["change"] for c in d["changes"]] == want


def test_incomparable(pale, tmp_path):
    a = policy(tmp_path, "allow socket(domain == AF_INET);")
    b = policy(tmp_path, "allow socket(domain == AF_UNIX);", "q")
    c, = changes(pale, a, b)["changes"]
    assert c["change"] == "incomparable"
    assert [(s["a"], s["b"], s["condition"], s["example"]) for s in c["steps"]] == [
        ("ERRNO(1)", "ALLOW", "domain == AF_UNIX", "socket(AF_UNIX)"),
        ("ALLOW", "ERRNO(1)", "domain == AF_INET", "socket(AF_INET)")]


@pytest.mark.parametrize("level,looser,tighter,other,same", [
    ("any", 1, 1, 1, 0), ("looser", 1, 0, 0, 0), ("tighter", 0, 1, 0, 0), ("none", 0, 0, 0, 0)])
def test_fail_on(pale, tmp_path, level, looser, tighter, other, same):
    less, more = policy(tmp_path, "allow read;"), policy(tmp_path, "allow read, bpf;", "q")
    errno = policy(tmp_path, "allow read; errno ENOSYS bpf;", "r")
    for x, y, rc in (less, more, looser), (more, less, tighter), (less, errno, other), (less, less, same):
        pale("diff", "--fail-on", level, x, y, check=rc)


def test_incomparable_fails_on_both(pale, tmp_path):
    a = policy(tmp_path, "allow socket(domain == AF_INET);")
    b = policy(tmp_path, "allow socket(domain == AF_UNIX);", "q")
    for level in "looser", "tighter", "any":
        pale("diff", "--fail-on", level, a, b, check=1)


CONDITIONS = {  # what b allows and a does not, as it is told
    "prctl(option != PR_SET_NAME)": "op != PR_SET_NAME",
    "kill(sig in {1, 9, 15})": "sig in {SIGHUP, SIGKILL, SIGTERM}",
    "lseek(offset >= 4096)": "offset >= 4096",
    "umask(mask < 64)": "mask <= 63",
    "setpriority(niceval in {-20..-1, 5})": "prio in {-20..-1, 5}",
    "mmap(prot lacks PROT_EXEC)": "(prot & PROT_EXEC) == 0",
    "mmap(prot has any PROT_EXEC|PROT_WRITE)": "(prot & PROT_WRITE|PROT_EXEC) != 0",
    "personality(reg arg0 == 0xffffffff)": "reg persona == 0xffffffff",
    "socket(domain == AF_INET, (type & SOCK_TYPE_MASK) == SOCK_STREAM)":
        "domain == AF_INET, (type & SOCK_TYPE_MASK) == SOCK_STREAM",
}


@pytest.mark.parametrize("rule", CONDITIONS)
def test_conditions_are_told_in_the_languages_words(pale, tmp_path, rule):
    a, b = policy(tmp_path, "allow read;"), policy(tmp_path, f"allow read; allow {rule};", "q")
    c, = changes(pale, a, b)["changes"]
    s, = c["steps"]
    assert s["condition"] == CONDITIONS[rule] and s["condition_is_exact"]
    # What is told is a rule again, and means the same.
    told = re.sub(r"\breg persona\b", "reg arg0", s["condition"])
    again = policy(tmp_path, f"allow read; allow {c['calls'][0]}({told});", "r")
    assert pale("diff", b, again, check=0)


ENVIRONMENTS = {
    "when capability sys_admin { allow bpf; }": "with CAP_SYS_ADMIN",
    "when not capability sys_admin { allow bpf; }": "without CAP_SYS_ADMIN",
    "when kernel >= 5.9 { allow bpf; }": "kernel >= 5.9",
    "when not kernel >= 5.9 { allow bpf; }": "kernel < 5.9",
    "when capability bpf, perfmon { when kernel >= 5.8 { allow bpf; } }":
        "with CAP_PERFMON, with CAP_BPF, kernel >= 5.8",
    "when capability bpf or capability sys_admin { allow bpf; }":
        "unless without CAP_SYS_ADMIN, without CAP_BPF",
}


@pytest.mark.parametrize("rule", ENVIRONMENTS)
def test_what_changes_in_some_environments_says_in_which(pale, tmp_path, rule):
    a, b = policy(tmp_path, "allow read;"), policy(tmp_path, "allow read;" + rule, "q")
    c, = changes(pale, a, b)["changes"]
    assert c["environment"] == ENVIRONMENTS[rule]
    s, = c["steps"]
    env = ["--caps", ",".join(s["point"]["caps"]) or "none", "--kernel", s["point"]["kernel"]]
    assert pale("sim", b, "bpf", *env, check=0).out.startswith("ALLOW ")


def test_options_fix_the_environment(pale, tmp_path):
    a = policy(tmp_path, "allow read;")
    b = policy(tmp_path, "allow read; when capability sys_admin { allow bpf; }", "q")
    pale("diff", a, b, check=1)
    pale("diff", a, b, "--caps", "none", check=0)
    c, = changes(pale, a, b, "--caps", "sys_admin")["changes"]
    assert c["environment"] == ""


def test_an_architecture_of_one_side_is_one_line(pale, tmp_path):
    a = policy(tmp_path, "allow read;", header="arch x86_64, i386; default errno EPERM;")
    b = policy(tmp_path, "allow read;", "q")
    r = pale("diff", a, b, check=1)
    assert r.out.count("\ntighter: ") == 1 and "all of i386: foreign to B" in r.out
    assert "looser" not in r.out
    pale("diff", a, b, "--arch", "x86_64", check=0)


def test_a_32_bit_call_has_nothing_above_the_low_word(pale, tmp_path):
    body = "when arch i386 { allow read(reg arg0 >= 0x100000000); }"
    header = "arch x86_64, i386; default errno EPERM; unknown errno EPERM; foreign errno EPERM;"
    a = policy(tmp_path, body, header=header)
    b = policy(tmp_path, "", "q", header="arch x86_64; default errno EPERM; unknown errno EPERM; foreign errno EPERM;")
    r = pale("diff", "--arch", "i386", a, b)
    assert "read" not in r.out, r


def test_numbers_without_a_name_are_ranges(pale, tmp_path):
    a, b = policy(tmp_path, "allow read;"), policy(tmp_path, "allow read, #570, #1000000;", "q")
    c, = changes(pale, a, b)["changes"]
    assert c["part"] == "numbers" and c["about"] == "numbers without a name: #570, #1000000"
    other = policy(tmp_path, "allow read;", "r", "arch x86_64; default errno EPERM; unknown errno EPERM;")
    c, = changes(pale, a, other)["changes"]
    assert c["about"] == "every number without a name"
    some = policy(tmp_path, "allow read, #570;", "s", "arch x86_64; default errno EPERM; unknown errno EPERM;")
    about = [c["about"] for c in changes(pale, a, some)["changes"]]
    assert about[0] == "numbers without a name: #570" and re.fullmatch(
        r"numbers without a name: #\d+\.\.\d+, #\d+\.\.569, #571\.\.1073741823", about[1])


# ---- formats against each other ----

@pytest.mark.parametrize("name", ["echo", "nginx", "python", "redis"])
def test_a_policy_is_the_same_as_its_json_and_bpf(pale, tmp_path, name):
    source = ROOT / f"profiles/examples/{name}.pale"
    pale("compile", "-q", "-t", "docker,oci,bpf", "-o", tmp_path, source, check=0)
    written = sorted(tmp_path.glob(f"{name}*"))
    assert len(written) == 3
    for file in written:
        for x, y in (source, file), (file, source):
            r = pale("diff", "--layers", "seccomp", x, y, check=0)
            assert re.search(r"\nsame: 3\d\d calls on x86_64\b", r.out)
            assert (", all other numbers, foreign" in r.out) == (file.suffix == ".bpf")


def test_docker_default_by_capabilities(pale, tmp_path):
    pale("diff", DOCKER, DOCKER, check=0)
    d = tmp_path / "d.json"
    text = DOCKER.read_text()
    d.write_text(text.replace('"minKernel": "4.8"', '"minKernel": "5.8"'))
    c, = changes(pale, DOCKER, d)["changes"]
    assert c["environment"] == "without CAP_SYS_PTRACE, kernel >= 4.8, kernel < 5.8"
    assert set(c["calls"]) == {"ptrace", "process_vm_readv", "process_vm_writev"}
    assert c["change"] == "tighter" and {"x86_64", "x32", "i386", "aarch64"} <= set(c["arches"])
    pale("diff", DOCKER, d, "--caps", "sys_ptrace", check=0)
    pale("diff", DOCKER, d, "--kernel", "6.18", check=0)
    # Imported for one machine, it is the same there; the row of another is foreign.
    policy_of = tmp_path / "i.pale"
    pale("import", DOCKER, "-o", policy_of, "--host", "x86_64", check=0)
    pale("diff", DOCKER, policy_of, "--arch", "x86_64,x32,i386", check=0)


def test_docker_default_against_the_filter_that_libseccomp_builds(pale, tmp_path):
    built = tmp_path / "built.bpf"
    r = run([program("oci/ocitool"), "libseccomp", DOCKER, "none"], text=False)
    if r.rc:
        pytest.skip("libseccomp did not build it")
    built.write_bytes(r.out)
    own = tmp_path / "own.pale"
    # Before a runtime's stub the default answers for numbers without a name, as under crun.
    pale("import", DOCKER, "-o", own, "--host", "x86_64", "--runtime", "crun-1.8+libseccomp-2.5.4", check=0)
    d = changes(pale, own, built, *AS_LOADED)
    # Names that this libseccomp does not know, which it refuses; and number -1, which it does not except.
    assert {c["change"] for c in d["changes"]} == {"tighter"}
    unknown = {n for c in d["changes"] for n in c["calls"]}
    resolve = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name_arch
    named = {n for e in json.loads(DOCKER.read_text())["syscalls"] for n in e["names"]}
    # x86_64, i386, x32. -1, __NR_SCMP_ERROR: no such name; other negative ones: not there.
    number = {n: min(resolve(arch, n.encode()) for arch in (0xc000003e, 0x40000003, 0x4000003e)) for n in named}
    lacking = {n for n in named if number[n] == -1 and resolve(0xc000003e, n.encode()) == -1}
    assert {c["part"] for c in d["changes"]} == ({"calls", "skip"} if lacking else {"skip"})
    assert all(number[n] < 0 for n in unknown) and ("mseal" in unknown) == ("mseal" in lacking) and len(unknown) < 12
    assert all(s["b_decided_by"].startswith(f"{built}: instruction ")
               for c in d["changes"] for s in c["steps"])


def test_policies_of_a_file_are_named(pale, tmp_path):
    both = tmp_path / "both.pale"
    both.write_text(policy(tmp_path, "allow read;").read_text() + policy(tmp_path, "allow bpf;", "q").read_text())
    assert "--policy" in pale("diff", both, both, check=1).err
    pale("diff", both, both, "--policy-a", "p", "--policy-b", "p", check=0)
    d = changes(pale, both, both, "--policy-a", "p", "--policy-b", "q")
    assert {n for c in d["changes"] for n in c["calls"]} == {"read", "bpf"}


# ---- programs ----

LD_NR, LD_ARCH, RET = (0x20, 0, 0, 0), (0x20, 0, 0, 4), 0x06
ALLOW, KILL, ERRNO = 0x7fff0000, 0x80000000, 0x50000


def test_a_program_of_4096_instructions(pale, tmp_path):
    insns = [LD_NR, LD_NR, (0x20, 0, 0, 24)]  # arg1, low word
    for v in range(2046):
        insns += [(0x15, 0, 1, v * 7), (RET, 0, 0, ALLOW)]
    insns += [(RET, 0, 0, ERRNO | 1)]
    assert len(insns) == 4096
    a = bpf(tmp_path, insns)
    pale("diff", a, a, check=0)
    insns[3 + 2 * 1000] = (0x15, 0, 1, 0x1234567)
    b = bpf(tmp_path, insns, "q.bpf")
    assert b.read_bytes() != a.read_bytes()
    d = changes(pale, a, b)
    assert d["counts"]["incomparable"] == d["counts"]["same"] + d["counts"]["incomparable"] > 300
    assert any("0x1234567" in s["condition"] for c in d["changes"] for s in c["steps"])


def test_a_program_that_computes_with_the_number(pale, tmp_path):
    odd = [LD_NR, (0x54, 0, 0, 1), (0x15, 0, 1, 1), (RET, 0, 0, ALLOW), (RET, 0, 0, ERRNO | 1)]
    even = odd[:2] + [(0x15, 1, 0, 1)] + odd[3:]
    d = changes(pale, bpf(tmp_path, odd), bpf(tmp_path, even, "q.bpf"))
    assert d["counts"]["not_decided"] == 0 and d["counts"]["same"] == 0
    assert {c["change"] for c in d["changes"]} == {"looser", "tighter", "incomparable"}


def test_thousands_of_data_words_are_one_step(pale, tmp_path):
    data = [(0x20, 0, 0, 16), (0x54, 0, 0, 0xfff), (0x44, 0, 0, ERRNO), (0x16, 0, 0, 0)]
    plain = [(RET, 0, 0, ERRNO | 1)]
    d = changes(pale, bpf(tmp_path, data), bpf(tmp_path, plain, "q.bpf"))
    assert {c["change"] for c in d["changes"]} == {"different errno"}
    assert all(s["and_others"] for c in d["changes"] for s in c["steps"])


def test_the_instruction_pointer_counts(pale, tmp_path):
    ip = [(0x20, 0, 0, 8), (0x15, 0, 1, 0x1000), (RET, 0, 0, ALLOW), (RET, 0, 0, ERRNO | 1)]
    d = changes(pale, bpf(tmp_path, [(RET, 0, 0, ERRNO | 1)]), bpf(tmp_path, ip, "q.bpf"))
    assert {c["change"] for c in d["changes"]} == {"looser"}
    for c in d["changes"]:
        for s in c["steps"]:
            assert int(s["point"]["instruction_pointer"], 16) & 0xffffffff == 0x1000


@pytest.mark.once
def test_what_is_not_decided_is_said_and_fails(pale, tmp_path):
    product = [(0x20, 0, 0, 16), (0x07, 0, 0, 0), (0x20, 0, 0, 24), (0x2c, 0, 0, 0),
               (0x15, 0, 1, 0x12345678), (RET, 0, 0, ALLOW), (RET, 0, 0, ERRNO | 1)]
    a = bpf(tmp_path, product)
    b = bpf(tmp_path, product[:-1] + [(RET, 0, 0, KILL)], "q.bpf")
    r = pale("diff", "--fail-on", "looser", a, b, check=1)
    assert "PL295" in r.err and not r.out


JUNK = {
    "empty": b"", "junk": b"\x00\xff" * 64, "loop": struct.pack("<HBBI", 5, 0, 0, 0xffffffff),
    "no return": struct.pack("<HBBI", *LD_NR), "json": b'{"defaultAction": 7}', "deep": b"[" * 100000,
    "text": b"policy p { allow nosuchcall; }", "big": b"\x06\0\0\0\0\0\0\0" * 5000,
}


@pytest.mark.parametrize("kind", JUNK)
def test_junk_is_an_error_on_either_side(pale, tmp_path, kind):
    good, bad = policy(tmp_path, "allow read;"), tmp_path / "bad"
    bad.write_bytes(JUNK[kind])
    for x, y in (good, bad), (bad, good), (bad, bad):
        r = pale("diff", x, y, check=1)
        assert r.err and not r.out


def test_usage(pale, tmp_path):
    p = policy(tmp_path, "allow read;")
    for args in ([], [p], [p, p, p], ["--format", "xml", p, p], ["--fail-on", "much", p, p],
                 ["--arch", "vax", p, p], ["--caps", "nosuch", p, p]):
        pale("diff", *args, check=2)
    pale("diff", p, tmp_path / "missing", check=3)


def test_a_large_profile_takes_little_time(pale, tmp_path):
    allow = pale("list", "syscalls", "--arch", "x86_64", check=0).out
    names = [line.split()[0] for line in allow.splitlines() if line.strip()]
    assert len(names) > 300
    rules = "".join(f"allow {n}(reg arg0 in {{{i}, {i * 7 + 1}, {i * 131 + 5}, 0x{i:x}00000000}});"
                    for i, n in enumerate(sorted(set(names))) if re.fullmatch(r"\w+", n))
    a = policy(tmp_path, rules)
    b = policy(tmp_path, rules.replace("0x5", "0x6"), "q")
    r = pale("diff", a, b, timeout=PATIENCE)
    assert r.rc == 1, r


def test_markdown_of_any_length_is_a_comment_that_github_takes(pale, tmp_path):
    """65536 characters; the summary is first, a long table folded, what does not fit counted."""
    calls = [x.split()[0] for x in run([PALE, "list", "syscalls"]).out.splitlines() if re.match(r"[a-z]\w+\s", x)]

    def profile(name, names):
        path = tmp_path / name
        path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [
            {"names": [n], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": i, "op": "SCMP_CMP_EQ"}]}
            for i, n in enumerate(names)]}))
        return path
    none, some, many = profile("<b>|`x`.json", []), profile("some.json", calls[:30]), profile("many.json", calls)
    text = pale("diff", "--format", "markdown", none, some, check=1).out
    rows = re.findall(r"^\| \w+ \|.*$", text, re.M)
    assert text.startswith("B is looser: ") and "more rows" not in text
    assert f"<details>\n<summary>{len(rows) - 1} rows</summary>\n\n| what |" in text and text.count("</details>") == 1
    assert "<b>\\|'x'.json` (" in text  # in a code span
    text = pale("diff", "--format", "markdown", none, many, check=1).out
    left = int(re.search(r"^(\d+) more rows are not shown", text, re.M).group(1))
    shown = int(re.search(r"<summary>(\d+) rows", text).group(1))
    assert 50000 < len(text.encode()) < 65536 and left > 10
    assert shown + left == sum(len(c["steps"]) for c in changes(pale, none, many)["changes"])
