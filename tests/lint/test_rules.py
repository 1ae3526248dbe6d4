# SPDX-License-Identifier: Apache-2.0
"""Every rule speaks where it must and is silent where it must not; hostile input ends in a
located error."""
import json
import re
import shutil
import sys

import pytest

from cases import (ALLOW, APPARMOR_CASES, CASES, DEPLOYMENT_CASES, JOINED, PALE_CASES, PLAIN, RUNTIME, START, X86, arg, deny,
                   entry, open_, policy, profile)
from conftest import PATIENCE, ROOT, run, sanitized

FOUND = ROOT / "profiles" / "found"
SEVERITIES = ["error", "high", "warning", "info"]


@pytest.fixture
def lint(pale, tmp_path):
    """Findings of a text, as the JSON output has them."""
    def call(text, name="p.json", *args):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        runtime = [] if any(a.startswith("--runtime") for a in args) else ["--runtime", "any"]
        r = pale("lint", *runtime, "--format", "json", *args, path)
        assert r.rc in (0, 1), r
        doc = json.loads(r.out)
        assert r.rc == any(f["severity"] != "info" for f in doc["findings"]), r
        return doc["findings"]
    return call


def rules(pale):
    return json.loads(pale("lint", "--list-rules", "--format", "json", check=0).out)["rules"]


def of(findings, rule):
    return [f for f in findings if f["id"] == rule]


def said(f):
    return f["message"] + " " + f.get("help", "")


@pytest.mark.parametrize("rule", sorted(CASES))
def test_rule_speaks_and_is_silent(lint, rule):
    positive, negative, text, options = CASES[rule]
    hits = of(lint(positive, "p.json", *options), rule)
    assert hits, f"{rule} is silent"
    assert any(text in said(f) for f in hits), hits
    assert not of(lint(negative, "p.json", *options), rule), f"{rule} speaks of the negative case"


@pytest.mark.parametrize("rule", sorted(PALE_CASES))
def test_rule_on_policies(lint, rule):
    positive, negative, text = PALE_CASES[rule]
    found = lint(positive, "p.pale")
    hits = of(found, rule)
    assert hits, found
    assert any(text in said(f) for f in hits), hits
    found = lint(negative, "n.pale")
    assert not of(found, rule), found
    assert not [f for f in found if f["id"].startswith("PL") and f["severity"] == "error"], found


def test_every_rule_has_a_case_and_an_explanation(pale):
    listed = rules(pale)
    assert len(listed) >= 60
    assert len({r["id"] for r in listed}) == len({r["slug"] for r in listed}) == len(listed)
    for r in listed:
        case = DEPLOYMENT_CASES if r["formats"] == "deployment" else CASES if "json" in r["formats"] else APPARMOR_CASES if r["formats"] == "apparmor" else PALE_CASES
        assert r["id"] in case or r["id"] in JOINED, r["id"]
        by_id = pale("lint", "--explain", r["id"].lower(), check=0).out
        if not sanitized():  # the same lookup again, two hundred times
            assert by_id == pale("lint", "--explain", r["slug"], check=0).out
        assert by_id.startswith(f"{r['id']} {r['slug']} ({r['severity']}): ")
        assert len(by_id.splitlines()) >= 3 and max(map(len, by_id.splitlines())) <= 130
    text = pale("lint", "--list-rules", check=0).out.splitlines()
    assert [line.split()[0] for line in text] == [r["id"] for r in listed]


def test_a_new_rule_is_laid_out_and_speaks(tmp_path):
    """tests/lint/new.py in a copy: the build gathers its row, and its case holds at once."""
    tree = tmp_path / "tree"
    for d in ("compiler/lint", "tests/lint/rules"):
        (tree / d).mkdir(parents=True)
    shutil.copy(ROOT / "tests/lint/new.py", tree / "tests/lint")
    for f in (ROOT / "compiler/lint").glob("rules*"):
        shutil.copy(f, tree / "compiler/lint")
    argv = [sys.executable, tree / "tests/lint/new.py", "SC199", "no-such-slug", "HIGH", "meaning"]
    run(argv, check=0)
    gathered = run(["awk", "-f", tree / "compiler/lint/rules.awk", *(tree / "compiler/lint").glob("*.c")], check=0).out
    rows = re.findall(r"^RULE(?:_TOLD)?\(\s*(\w+),", gathered, re.M)
    assert "SC199" in rows and len(rows) == len(set(rows)) > 100 and 'RULE(SC199, "no-such-slug", HIGH, BOTH' in gathered
    assert sorted(p.name for p in (tree / "tests/lint/rules/SC199").iterdir()) == ["bad-profile.json", "ok-profile.json", "says"]
    for again in (argv, [*argv[:2], "XX1", "a", "HIGH", "meaning"], argv[:2]):
        assert run(again).rc == 1


def test_explain_of_something_else_is_a_usage_error(pale):
    assert "did you mean" in pale("lint", "--explain", "SC12O", check=2).err
    assert "PL002 syntax" in pale("lint", "--explain", "PL002", check=0).out


# ---- the two profiles of profiles/found ----

SEED = [  # what facts say of it: rule, texts of the finding
    ("SC103", ["getxgid", "getxpid", "getxuid", "alpha"]),
    ("SC102", ["sigtimedwait", "sigwait", "sigwaitinfo", "rt_sigtimedwait (listed already)"]),
    ("SC104", ["'recv'", "socketcall"]),
    ("SC140", ["arch_prctl", "thread-local storage"]),
    ("SC152", ["clone", "fork: Operation not permitted"]),
    ("SC127", ["clone3", "under crun and runc before 1.0.0-rc93 only"]),
    ("SC129", ["statx", "under crun and runc before 1.0.0-rc93 only"]),
    ("SC128", ["statx", "under crun and runc before 1.0.0-rc93 only"]),
    ("SR205", ["ptrace"]), ("SR212", ["chroot"]), ("SR216", ["syslog"]), ("SR215", ["socket"]),
    ("SR228", ["socketcall", "ipc"]), ("SR223", ["fanotify_mark"]), ("SR222", ["remap_file_pages"]),
    ("SR229", ["mknod"]), ("SC145", ["x32"]), ("SJ025", ["empty 'args'"]),
]
NOT_IN_SEED = ["kexec", "bpf", "mount", "unshare", "setns", "keyctl", "personality", "io_uring"]


def test_seed_profile_gives_its_findings(pale):
    r = pale("lint", "--runtime", "any", "--format", "json", FOUND / "seccomp-profile.json", check=1)
    found = json.loads(r.out)["findings"]
    for rule, texts in SEED:
        hits = of(found, rule)
        assert 1 <= len(hits) <= 2, (rule, hits)
        assert any(all(text in said(h) for text in texts) for h in hits), (texts, hits)
    assert not of(found, "SC101")  # the six unknown names are all explained
    assert len(found) <= 25  # a person reads it in a minute


def test_seed_profile_is_not_blamed_for_what_is_not_in_it(pale):
    found = json.loads(pale("lint", "--runtime", "any", "--format", "json", FOUND / "seccomp-profile.json").out)["findings"]
    for f in found:
        for name in NOT_IN_SEED:
            assert not re.search(rf"'{name}\w*'", f["message"]), f
    assert not [f for f in found if f["id"] in ("SR201", "SR202", "SR203", "SR204", "SR206", "SR208",
                                                "SR209", "SR210", "SR211", "SR214")]


def test_docker_default_has_no_errors_and_few_findings(pale):
    found = json.loads(pale("lint", "--runtime", "any", "--format", "json", FOUND / "docker-default.json").out)["findings"]
    assert {f["id"] for f in found} <= {"SC120", "SC123", "SC145", "SR213", "SR215", "SR222", "SR223",
                                        "SR224", "SR225", "SR228", "SR229"}
    assert not [f for f in found if f["severity"] == "error"]


def test_our_sets_and_examples_are_clean(pale):
    files = sorted((ROOT / "profiles").glob("sets/*.pale")) + \
        sorted((ROOT / "profiles").glob("examples/**/*.pale"))
    assert files
    found = json.loads(pale("lint", "--runtime", "any", "--format", "json", *files).out)["findings"]
    assert not [f for f in found if f["severity"] in ("error", "high", "warning")]


# ---- cases that one positive and one negative do not cover ----

def test_unknown_names_of_other_hosts_are_left_alone(lint):
    text = profile(entry("s390_pci_mmio_read", includes={"arches": ["s390x"]}),
                   entry("breakpoint", "read"), arches=["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"])
    assert not [f for f in lint(text) if f["id"].startswith("SC10")]


def test_recv_counts_where_socketcall_is_not_open(lint):
    x86 = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]
    assert not of(lint(open_("recv", arches=x86)), "SC104")
    assert of(lint(open_("recv", "socketcall", arches=x86)), "SC104")
    assert of(lint(open_("recv")), "SC104")


def test_a_range_that_another_entry_covers_does_not_fail_open(lint):
    parts = [entry("socket", args=[arg(0, "LT", 41)]), entry("socket", args=[arg(0, "GT", 40)])]
    assert not of(lint(profile(*parts)), "SC120")
    assert of(lint(profile(parts[1])), "SC120")


def test_refusal_by_equality_fails_open_in_a_deny_list(lint):
    text = profile(entry("socket", action="SCMP_ACT_ERRNO", args=[arg(0, "EQ", 38)]), default=ALLOW)
    assert "not refused" in of(lint(text), "SC120")[0]["message"]
    text = profile(entry("socket", action="SCMP_ACT_ERRNO",
                         args=[arg(0, "MASKED_EQ", 0xffffffff, 38)]), default=ALLOW)
    assert not of(lint(text), "SC120")


def test_width_rules_know_the_argument(lint):
    # lseek's offset is 64 bits wide; i386 has no high half.
    assert not of(lint(profile(entry("lseek", args=[arg(1, "NE", 5)]))), "SC120")
    assert not of(lint(profile(entry("socket", args=[arg(0, "NE", 38)]),
                               arches=["SCMP_ARCH_X86"])), "SC120")


def test_pointer_rule_knows_the_architecture(lint):
    # A pointer on x86_64; what it is on s390x, the table does not say.
    rule = [arg(2, "MASKED_EQ", 0x7e020000, 0)]
    assert of(lint(profile(entry("clone", args=rule))), "SC118")
    assert not of(lint(profile(entry("clone", args=rule, includes={"arches": ["s390x"]}))), "SC118")


def test_first_of_two_unconditional_entries_counts_for_risk(lint):
    refuse = entry("ptrace", action="SCMP_ACT_ERRNO", errnoRet=38)
    assert of(lint(profile(entry("ptrace"), refuse)), "SR205")
    assert not of(lint(profile(refuse, entry("ptrace"))), "SR205")


def test_config_json_of_a_bundle_is_read(lint):
    inner = json.loads(open_("read", "ptrace"))
    inner["syscalls"][0]["includes"] = {"caps": ["CAP_SYS_PTRACE"]}
    found = lint(json.dumps({"linux": {"seccomp": inner}}))
    assert of(found, "SJ023") and of(found, "SR205")  # a runtime skips includes


def test_without_default_and_rules_docker_disables_seccomp(lint):
    f = of(lint("{}"), "SJ007")[0]
    assert f["severity"] == "high" and "no seccomp at all" in f["message"]


def test_repeated_rule_in_a_policy_is_idle_never_or_again(lint):
    never = of(lint(policy("\tallow mount;\n\tkill mount;"), "a.pale"), "DS506")
    assert [f["severity"] for f in never] == ["warning"] and "never decides" in never[0]["message"]
    again = of(lint(policy("\terrno EACCES ioctl;\n\terrno EACCES ioctl(cmd == TIOCSTI);"), "b.pale"), "DS506")
    assert [f["severity"] for f in again] == ["info"]
    assert not of(lint(policy("\tallow ioctl;\n\tdeny ioctl(cmd == TIOCSTI);"), "c.pale"), "DS506")


def test_what_the_default_allows_is_allowed_again_for_nothing(lint):
    def idle(body, default="allow"):
        text = policy(body).replace("default errno EPERM", f"default {default}")
        return [(f["severity"], f["message"]) for f in of(lint(text, "a.pale"), "DS506")]
    assert idle("\tallow read;\n\terrno EPERM bpf;") == [("info", "this rule on 'read' says again what the default says")]
    assert len(idle("\tallow kill(sig == 9);")) == 1
    assert not idle("\tlog read;") and len(idle("\tlog read;", "log")) == 1
    assert not idle("\tallow read;", "log")
    assert not idle("\terrno EPERM bpf;", "errno EPERM")  # a refusal written down


def test_idle_rules_are_found_by_what_rules_mean_together(lint):
    both = of(lint(policy("\tallow kill(sig in 1..5);\n\tallow kill(sig in 5..9);\n"
                          "\tallow kill(sig in 4..6);"), "a.pale"), "DS506")
    assert [(f["severity"], f["line"], len(f["notes"])) for f in both] == [("info", both[0]["line"], 2)]
    assert "others say together" in both[0]["message"]
    never = of(lint(policy("\tkill kill(sig != 9);\n\terrno EACCES kill(sig in {1, 15});"), "b.pale"), "DS506")
    assert [f["severity"] for f in never] == ["warning"] and "never decides" in never[0]["message"]
    nowhere = of(lint(policy("\tallow kill(sig == 1 and sig == 2);"), "c.pale"), "DS506")
    assert [f["severity"] for f in nowhere] == ["warning"] and "never matches" in nowhere[0]["message"]
    assert not of(lint(policy("\tallow kill(sig in 1..5);\n\tallow kill(sig in 5..9);"), "d.pale"), "DS506")


def test_many_names_make_one_finding(lint):
    names = [f"nosuch{i}" for i in range(500)]
    found = of(lint(open_(*names)), "SC101")
    assert len(found) == 1 and "488 more" in found[0]["message"]


# ---- output ----

def test_places_are_bytes_lines_and_columns(lint):
    text = '{"defaultAction":"SCMP_ACT_ERRNO",\n "syscalls":[{"names":["\u00e9", "opneat"],' \
           '"action":"SCMP_ACT_ALLOW"}]}'
    f = [f for f in lint(text) if f["id"] == "SC101"][0]
    assert f["line"] == 2 and text.encode()[f["begin"]:f["end"]].decode() == '"\u00e9"'
    assert text.splitlines()[1][f["column"] - 1:f["endColumn"] - 1] == '"\u00e9"'
    note = f["notes"][0]
    assert text.encode()[note["begin"]:note["end"]] == b'"opneat"'


def test_text_output_shows_excerpts_and_a_summary(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(open_("read", "ptrace"))
    r = pale("lint", "--runtime", "any", path, check=1)
    assert '"ptrace"' in r.out and "^~" in r.out and "\033[" not in r.out and not r.err
    counts = re.search(r"p\.json: (\d+) findings: (.*)$", r.out.splitlines()[-1])
    total = sum(int(w.split()[0]) for w in counts.group(2).split(", "))
    assert total == int(counts.group(1)) == len(re.findall(r"\[S[CRJ]\d+ ", r.out))


def test_one_long_line_is_clipped(pale, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(json.loads(open_(*[f"nosuch{i}" for i in range(2000)]))))
    out = pale("lint", "--runtime", "any", path, check=1).out
    assert max(len(line) for line in out.splitlines() if " | " in line) < 200


@pytest.mark.parametrize("level", SEVERITIES + ["none"])
def test_threshold_decides_the_exit_status(pale, tmp_path, level):
    worst = {"error": raw_error(), "high": open_(*START_OK, "fchown", "ptrace", defaultErrnoRet=38),
             "info": open_(*START_OK, "fchown", "vmsplice", defaultErrnoRet=38)}
    for name, text in worst.items():
        path = tmp_path / f"{name}.json"
        path.write_text(text)
        want = level != "none" and SEVERITIES.index(name) <= SEVERITIES.index(level)
        assert pale("lint", "--runtime", "any", "--error-on", level, path).rc == want, (name, level)


START_OK = sorted({*START, *RUNTIME, *PLAIN, "exit_group"})


def raw_error():
    return '{"defaultAction": "SCMP_ACT_ALOW"}'


def test_usage(pale, tmp_path):
    pale("lint", check=2)
    pale("lint", "--format", "xml", "x", check=2)
    pale("lint", "--error-on", "fatal", "x", check=2)
    assert "cannot read" in pale("lint", tmp_path / "none", check=3).out
    assert "--explain" in pale("lint", "--help", check=0).out
    r = pale("lint", "-", input=open_("ptrace"), check=1)
    assert "<stdin>:" in r.out


def test_several_files_are_each_summed_up(pale, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.json").write_text(open_("ptrace"))
    out = pale("lint", "--runtime", "any", tmp_path / "a.json", tmp_path / "b.json", check=1).out
    assert len(re.findall(r"findings:", out)) == 2
    doc = json.loads(pale("lint", "--runtime", "any", "--format", "json", tmp_path / "a.json", tmp_path / "b.json").out)
    assert len({f["file"] for f in doc["findings"]}) == 2
    assert sum(doc["summary"].values()) == len(doc["findings"])


# ---- hostile input ----

HOSTILE = {
    "directory": None,
    "empty": b"",
    "junk": bytes(range(256)) * 64,
    "nul bytes": b'{"defaultAction":"SCMP_ACT_\0ALLOW"}',
    "parentheses": b"(" * (16 << 20),
    "brackets": b"[" * (16 << 20),
    "objects": b'{"a":' * (1 << 20),
    "too large": b'{"a":"' + b"x" * (16 << 20) + b'"}',
    "truncated": open_("read", "write")[:-9].encode(),
    "two to the 64th": profile(entry("read", args=[arg(0, "EQ", 2**64)])).encode(),
    "array": b"[1,2]",
    "string": b'{"syscalls":"x"}',
    "not utf-8": b'{"defaultAction":"\xff\xfe"}',
    "wrong all over": b'{"defaultAction":1,"architectures":{},"archMap":[1],"flags":"x","syscalls":'
                      b'[1,null,[],{"names":[1,null,{}],"args":[1,{}],"includes":[],"action":[]}]}',
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_input_is_answered_with_an_error(pale, tmp_path, name):
    path = tmp_path / "p.json"
    if HOSTILE[name] is None:
        path.mkdir()
    else:
        path.write_bytes(HOSTILE[name])
    r = pale("lint", "--runtime", "any", "--format", "json", path, check=1, timeout=PATIENCE)
    found = json.loads(r.out)["findings"]
    assert any(f["severity"] == "error" for f in found), r
    pale("lint", "--runtime", "any", path, check=1, timeout=PATIENCE)


def test_many_entries_on_one_call_take_no_quadratic_time(lint):
    entries = [entry("socket", args=[arg(0, "NE", i)]) for i in range(20000)]
    assert of(lint(profile(*entries)), "SC109") == []


def test_deny_list_of_everything_ends(lint):
    assert lint(deny(*[f"x{i}" for i in range(50000)]))


@pytest.mark.parametrize("body, open_", [
    ("errno EPERM chroot;", ["'fchroot'"]),
    ("errno EPERM unshare(flags has CLONE_NEWNS), clone(flags has CLONE_NEWNS);",
     ["UNSHARE_EMPTY_MNTNS", "open_tree(flags has OPEN_TREE_NAMESPACE)", "open_tree_attr",
      "fsmount(flags has FSMOUNT_NAMESPACE)"]),
])
def test_what_linux_7_can_do_as_well_is_a_hole(lint, body, open_):
    text = policy("\t" + body).replace("default errno EPERM", "default allow").replace("6.18", "7.3")
    said = " ".join(f["message"] for f in of(lint(text, "p.pale"), "SC131"))
    assert all(word in said for word in open_), said


def test_who_refuses_a_new_mount_alone_refuses_no_namespace(lint):
    found = of(lint(policy("\terrno EPERM fsmount, open_tree;").replace("default errno EPERM",
                                                                        "default allow"), "p.pale"), "SC131")
    assert found and not [f for f in found if "mount namespace" in f["message"]], found


@pytest.mark.parametrize("name, hint", [
    ("opneat", "'openat'"), ("acceptt", "'accept'"), ("listnew", None), ("fopenat", None), ("chroot2", None),
    ("openat9", None),
])
def test_a_name_that_nobody_knows_may_be_newer_and_is_no_high(lint, name, hint):
    f, = of(lint(open_("read", name)), "SC101")
    assert f["severity"] == "warning" and "newer than Linux 7.3, or misspelt" in f["message"]
    assert "fixes" not in f and (f"if {hint} is meant" if hint else "look the name up") in f["help"], f


@pytest.mark.parametrize("name", ["listns", "rseq_slice_yield", "fchroot"])
def test_the_calls_of_linux_7_are_known(lint, name):
    assert not of(lint(open_("read", name)), "SC101")


# ---- machines of 32 bits ----

ARM = ["execve", "exit_group", "set_tls", "brk", "mmap2", "mprotect", "close", "openat", "read", "write", "statx", "fstatat64"]


def starts_on(lint, arches, names, **kw):
    return [(f["severity"], f["message"]) for f in of(lint(open_(*names, arches=arches, **kw)), "SC140")]


@pytest.mark.parametrize("arches", [["SCMP_ARCH_ARM"], ["SCMP_ARCH_X86_64"], ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]])
def test_what_programs_of_arm_need_is_told_where_it_is_the_machine(lint, arches):
    own = arches == ["SCMP_ARCH_ARM"]
    assert (starts_on(lint, arches, ARM) == []) == own  # the others need mmap and more
    for name in ("set_tls", "mmap2", "mprotect", "close", "openat", "read"):
        told = starts_on(lint, arches, [n for n in ARM if n != name])
        said = [t for t in told if f"'{name}'" in t[1]]
        assert bool(said) == (own or name in ("mprotect", "close", "openat", "read")), (name, told)
        if own:
            assert [t[0] for t in said] == ["error" if name in ("set_tls", "mprotect") else "warning"], told


def test_statx_is_needed_where_something_else_than_enosys_answers(lint):
    arm, without = ["SCMP_ARCH_ARM"], [n for n in ARM if n != "statx"]
    assert "'statx' is missing" in starts_on(lint, arm, without)[0][1]
    assert not starts_on(lint, arm, without, defaultErrnoRet=38)
    neither = [n for n in without if n != "fstatat64"]
    assert "'statx' and 'fstatat64' are missing" in starts_on(lint, arm, neither, defaultErrnoRet=38)[0][1]
    assert not starts_on(lint, arm, [n for n in ARM if n != "fstatat64"])
    assert not starts_on(lint, arm, [n for n in ARM if n != "brk"])


@pytest.mark.parametrize("refused, held", [("open_by_handle_at", 0), ("execveat", 0), ("pkey_mprotect", 0), ("oldstat", 0),
                                           ("open", 1), ("execve", 1), ("mprotect", 1), ("stat", 1)])
def test_what_is_refused_for_what_it_does_besides_leaves_no_hole(lint, refused, held):
    """Seen in public deny lists: open_by_handle_at alone is refused, for what it does past the mounts."""
    deny = profile(entry(refused, action="SCMP_ACT_ERRNO", errnoRet=1), default=ALLOW)
    assert len(of(lint(deny), "SC131")) == held
    others = {"openat", "open", "execve", "execveat", "mprotect", "pkey_mprotect", "stat", "fstat"} - {refused}
    allow = profile(entry(*sorted(others)), entry(refused, action="SCMP_ACT_ERRNO", errnoRet=13), arches=X86)
    assert len(of(lint(allow), "SC130")) == held


def test_one_way_round_is_told_once(lint):
    text = profile(entry("clone", "read"), entry("unshare", action="SCMP_ACT_ERRNO", errnoRet=13))
    assert len(of(lint(text), "SC130")) == 1  # of namespaces, and of mount namespaces


@pytest.mark.parametrize("also, held", [(["openat", "mkdir"], 0), (["openat"], 1), ([], 1)])
def test_a_ring_gets_round_what_nothing_else_gives(lint, also, held):
    """openat2 where openat is allowed is no restriction."""
    calls = ["accept4", "connect", "epoll_ctl", "fallocate", "fgetxattr", "ftruncate", "getxattr", "linkat", "madvise", "recvmsg",
             "renameat2", "sendmsg", "setxattr", "shutdown", "socket", "splice", "statx", "symlinkat", "tee", "unlinkat"]
    found = of(lint(open_("io_uring_setup", "io_uring_enter", *calls, *also)), "SC132")
    assert len(found) == held and all("'openat2'" not in f["message"] or not also for f in found)


def test_a_deny_list_that_asks_for_all_namespaces_at_once_refuses_none(lint):
    def clone(mask, value):
        return profile(entry("clone", action="SCMP_ACT_ERRNO", errnoRet=1, args=[arg(0, "MASKED_EQ", mask, value)]), default=ALLOW)
    assert "clone(CLONE_NEWUSER) passes" in of(lint(clone(0x7e020000, 0x7e020000)), "SC125")[0]["message"]
    for mask in (0x10000000, 0x2000):  # one of them; another flag
        assert not of(lint(clone(mask, mask)), "SC125")


@pytest.mark.parametrize("includes, excludes, dead", [
    ({"caps": ["CAP_BPF"]}, {"caps": ["CAP_BPF", "CAP_CHOWN"]}, True), ({"caps": ["CAP_BPF"]}, {"caps": ["CAP_CHOWN"]}, False),
    ({"arches": ["amd64"]}, {"arches": ["amd64", "arm64"]}, True), ({"arches": ["amd64", "s390x"]}, {"arches": ["amd64"]}, False),
    ({"minKernel": "5.10"}, {"minKernel": "4.8"}, True), ({"minKernel": "4.8"}, {"minKernel": "5.10"}, False),
    ({"caps": ["CAP_BPF"]}, {"minKernel": "4.8"}, False)])
def test_an_entry_that_no_environment_meets_is_told(lint, includes, excludes, dead):
    found = lint(profile(entry("read"), entry("mount", includes=includes, excludes=excludes)))
    assert len(of(found, "SC150")) == dead


def test_killing_actions_are_one_finding_and_its_default_counts(lint):
    f, = of(lint(profile(entry("read"), entry("mount", action="SCMP_ACT_KILL"), entry("bpf", action="SCMP_ACT_KILL_THREAD"),
                         entry("acct", action="SCMP_ACT_KILL_PROCESS"), default="SCMP_ACT_KILL")), "SC136")
    assert f["line"] == 2 and len(f["notes"]) == 2 and len(f["fixes"][0]["edits"]) == 3
