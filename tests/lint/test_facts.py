# SPDX-License-Identifier: Apache-2.0
"""The linter asks what passes: however a filter is spelled, its findings are the same; and what it
says of programs and of the C library happens."""
import json
import os
import platform
import re
import subprocess

import pytest

from cases import ALLOW, ERRNO, HIGH, arg, deny, entry, open_, policy, profile
from conftest import PATIENCE, ROOT, program

KILL = "SCMP_ACT_KILL_PROCESS"
ARM = ["SCMP_ARCH_AARCH64"]


@pytest.fixture
def lint(pale, tmp_path):
    def call(text):
        path = tmp_path / ("p.json" if text.lstrip().startswith("{") else "p.pale")
        path.write_text(text)
        return json.loads(pale("lint", "--runtime", "any", "--format", "json", path).out)["findings"]
    return call


def of(findings, rule):
    return [f for f in findings if f["id"] == rule]


def said(findings, rule):
    """The findings of a rule, without the places."""
    return sorted((f["severity"], f["message"], f.get("help", "").split(";")[0])
                  for f in findings if f["id"] == rule)


# ---- spellings ----

SPELLED = {  # rule: call, its first compared argument, an edge, a capability, a value that is harmless
    "SR203": ("bpf", "cmd", 0, 6, "CAP_CHOWN", 4096),
    "SR205": ("ptrace", "request", 0, 9, "CAP_KILL", 4096),
    "SR213": ("ioctl", "cmd", 1, 21523, "CAP_CHOWN", 1),
    "SR214": ("personality", "persona", 0, 32, "CAP_FOWNER", 0),
    "SR215": ("socket", "domain", 0, 17, "CAP_NET_RAW", 1),
    "SR210": ("unshare", "flags", 0, 1024, "CAP_KILL", 1024),
    "SR209": ("mount", None, 3, 64, "CAP_KILL", 1024),
}


def gates(cap, call):
    return [entry(call, includes={"caps": [cap]}), entry(call, excludes={"caps": [cap]})]


@pytest.mark.parametrize("rule", sorted(SPELLED))
def test_four_spellings_of_one_filter_have_the_same_findings(lint, rule):
    call, name, index, edge, cap, _ = SPELLED[rule]
    word = cap.removeprefix("CAP_").lower()
    cond = name or "flags"
    plain = said(lint(open_(call)), rule)
    assert len(plain) == 1 and "without a condition" in plain[0][1]
    for text in (profile(*gates(cap, call)),
                 profile(entry(call, args=[arg(index, "LT", edge)]),
                         entry(call, args=[arg(index, "GE", edge)])),
                 profile(entry(call, args=[arg(index, "MASKED_EQ", 1, 1)]),
                         entry(call, args=[arg(index, "MASKED_EQ", 1, 0)]))):
        assert said(lint(text), rule) == plain, text
    for text in (policy(f"\tallow {call};"),
                 policy(f"\twhen capability {word} {{ allow {call}; }}\n"
                        f"\twhen not capability {word} {{ allow {call}; }}"),
                 policy(f"\tallow {call}({cond} < {edge}), {call}({cond} >= {edge});")):
        assert [p[:2] for p in said(lint(text), rule)] == [p[:2] for p in plain], text


@pytest.mark.parametrize("rule", sorted(set(SPELLED) - {"SR209"}))
def test_a_hole_beside_the_danger_hides_nothing(lint, rule):
    call, name, index, _, _, harmless = SPELLED[rule]
    for text in (profile(entry(call, args=[arg(index, "NE", harmless)])),
                 policy(f"\tallow {call}({name} != {harmless});")):
        hit = of(lint(text), rule)
        assert len(hit) == 1 and re.search(rf"conditions that let {call}\(.*\) through", hit[0]["message"])
    alone = profile(entry(call, args=[arg(index, "MASKED_EQ", 0xffffffff, harmless)]))
    if rule not in ("SR205",):
        assert not of(lint(alone), rule)


def test_witnesses_are_named(lint):
    alg = lint(profile(entry("socket", args=[arg(0, "MASKED_EQ", 0xffffffff, 38)])))
    assert "socket(AF_ALG)" in of(alg, "SR215")[0]["message"]
    tty = lint(profile(entry("ioctl", args=[arg(1, "NE", 1)])))
    assert "ioctl(0, TIOCSTI)" in of(tty, "SR213")[0]["message"]
    node = lint(profile(entry("mknod", args=[arg(1, "MASKED_EQ", 0xf000, 0x6000)])))
    assert "S_IFBLK" in of(node, "SR229")[0]["message"]
    assert not of(lint(profile(entry("mknod", args=[arg(1, "MASKED_EQ", 0xf000, 0x1000)]))), "SR229")
    assert not of(lint(profile(entry("clone", args=[arg(0, "MASKED_EQ", 0x7e020000, 0)]))), "SR210")
    user = lint(profile(entry("clone", args=[arg(0, "MASKED_EQ", 0x6e020000, 0)])))
    assert "clone(CLONE_NEWUSER)" in of(user, "SR210")[0]["message"]
    assert not of(lint(profile(entry("ptrace", args=[arg(0, "MASKED_EQ", 0xffffffff, 0)]))), "SR205")


def test_only_high_halves_let_it_through(lint):
    docker = profile(entry("socket", args=[arg(0, "LT", 17)]), entry("socket", args=[arg(0, "GT", 40)]))
    assert "socket(0x100000011)" in of(lint(docker), "SR215")[0]["message"]


NO_NAMESPACES = {"args": [arg(0, "MASKED_EQ", 0x7e020000, 0)]}


@pytest.mark.parametrize("entries, rules, calls", [
    ([entry("clone", **NO_NAMESPACES), entry("clone3")], "\tallow clone((flags & 0x7e020000) == 0), clone3;", None),
    ([entry("clone", **NO_NAMESPACES), entry("clone3", "unshare")],
     "\tallow clone((flags & 0x7e020000) == 0), clone3, unshare;", "'unshare' is allowed"),
    ([entry("clone", "clone3")], "\tallow clone, clone3;", "'clone' and 'clone3' are allowed"),
    ([entry("clone3")], "\tallow clone3;", "'clone3' is allowed"),
    ([entry("clone", **NO_NAMESPACES)], "\tallow clone((flags & 0x7e020000) == 0);", None)])
def test_clone3_beside_a_filtered_clone_is_told_once(lint, entries, rules, calls):
    past = any("args" in e for e in entries) and any("clone3" in e["names"] for e in entries)
    for text in (profile(*entries), policy(rules)):
        found = lint(text)
        assert len(of(found, "SC126")) == past, found
        assert [f["message"].startswith(calls) for f in of(found, "SR210")] == ([True] if calls else []), found


def test_what_a_multiplexer_carries_past_conditions_is_told_once(lint):
    def both(*entries):
        found = lint(profile(*entries, arches=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
        return len(of(found, "SC123")), [f["message"].split(" is ")[0].split(" are ")[0] for f in of(found, "SR228")]
    cond = entry("socket", args=[arg(0, "EQ", 1)])
    assert both(entry("socketcall"), cond) == (1, [])
    assert both(entry("socketcall", "ipc"), cond) == (1, ["'ipc'"])
    assert both(entry("socketcall", "ipc"), entry("accept", action="SCMP_ACT_ERRNO", errnoRet=1)) == (1, ["'ipc'"])
    assert both(entry("socketcall", "ipc", "socket")) == (0, ["'socketcall' and 'ipc'"])
    assert both(entry("socketcall")) == (0, ["'socketcall'"])


def test_what_needs_a_capability_says_so_and_weighs_less(lint):
    plain = of(lint(open_("io_uring_setup")), "SR204")[0]
    some = of(lint(profile(entry("io_uring_setup", includes={"caps": ["CAP_CHOWN"]}))), "SR204")[0]
    assert (plain["severity"], some["severity"]) == ("high", "warning")
    assert "with CAP_CHOWN io_uring_setup" in some["message"]
    some = of(lint(policy("\twhen capability chown { allow io_uring_setup; }")), "SR204")
    assert [f["severity"] for f in some] == ["warning"]
    # The gate is the kernel's own, or Docker's: nothing is gained by it.
    assert not of(lint(profile(entry("mount", includes={"caps": ["CAP_SYS_ADMIN"]}))), "SR209")
    assert not of(lint(profile(entry("bpf", includes={"caps": ["CAP_BPF"]}))), "SR203")
    kernel = lint(profile(entry("bpf", includes={"minKernel": "5.8"})))
    assert of(kernel, "SR203")[0]["severity"] == "high"


def test_the_capability_that_the_kernel_asks_for_is_said(lint):
    assert "; the kernel asks for CAP_SYS_ADMIN" in of(lint(open_("mount")), "SR209")[0]["message"]
    assert "the kernel asks for" not in of(lint(open_("keyctl")), "SR208")[0]["message"]
    both = of(lint(open_("swapon", "acct")), "SR217")[0]["message"]
    assert "the kernel asks for CAP_SYS_ADMIN for swapon, CAP_SYS_PACCT for acct" in both


def test_every_question_can_be_asked_on_every_architecture(lint):
    tables = "".join((ROOT / "compiler" / f"{n}.def").read_text()
                     for n in ("tables/risk", "tables/siblings", "lint/needs"))
    names = sorted(set(re.findall(r'"(\w+)["(]', tables)))
    arches = re.findall(r'"(SCMP_ARCH_\w+)"', (ROOT / "compiler" / "tables" / "arches.def").read_text())
    assert len(names) > 200 and len(arches) == 10
    for some in [[a] for a in arches] + [arches]:
        assert of(lint(profile(entry(*names), arches=some)), "SR215")
        assert of(lint(deny(*[n for n in names if n != "fchmodat"], arches=some)), "SC131")


# ---- what programs need ----

OTHERS = ["execve", "read", "write", "close", "openat", "faccessat", "fchmodat", "futex", "epoll_pwait",
          "clone", "wait4"]


@pytest.mark.parametrize("arch", ["SCMP_ARCH_AARCH64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390X",
                                  "SCMP_ARCH_PPC64LE", "SCMP_ARCH_X86_64"])
def test_needs_hold_on_every_architecture(lint, arch):
    found = lint(open_(*OTHERS, HIGH, arches=[arch], defaultErrnoRet=1))
    for rule, severity in (("SC127", "high"), ("SC128", "warning"), ("SC129", "warning")):
        assert [f["severity"] for f in of(found, rule)] == [severity], (rule, found)
    loader = of(found, "SC140")
    assert [f["severity"] for f in loader] == ["error"] and "no glibc program starts" in loader[0]["message"]
    some = of(lint(open_(*OTHERS, "mmap", "mprotect", "arch_prctl", HIGH, arches=[arch])), "SC140")
    assert [f["severity"] for f in some] == ["warning"] and "only static programs" in some[0]["message"]
    assert ("arch_prctl" in loader[0]["message"]) == (arch == "SCMP_ARCH_X86_64")
    assert "'mmap', 'fstat', 'mprotect', 'newfstatat' and 'pread64'" in loader[0]["message"]


def test_an_architecture_is_named_where_the_others_are_well(lint):
    names = [n for n in OTHERS if n != "clone"]
    arm = {"names": ["clone3"], "action": ERRNO, "errnoRet": 38, "includes": {"arches": ["amd64"]}}
    found = lint(profile(entry(*names, "clone", HIGH), arm, arches=[], archMap=[
        {"architecture": "SCMP_ARCH_X86_64"}, {"architecture": "SCMP_ARCH_AARCH64"}]))
    assert "'clone3' is refused on aarch64, and" in of(found, "SC127")[0]["message"]


def test_the_runtimes_own_enosys_is_counted(lint):
    old = open_("clone", "newfstatat", "faccessat", "statx")  # 332 is the highest: a list of 2019
    found = lint(old)
    for rule, name in (("SC127", "'clone3'"), ("SC129", "'faccessat2'")):
        assert [f["severity"] for f in of(found, rule)] == ["info"], rule
        assert name in of(found, rule)[0]["message"]
        assert "crun and runc before 1.0.0-rc93 only" in of(found, rule)[0]["message"]
    new = lint(open_("clone", "newfstatat", "faccessat", "statx", HIGH))
    assert {f["severity"] for f in of(new, "SC127") + of(new, "SC129")} == {"high", "warning"}


def test_what_lint_calls_enosys_is_what_the_runtime_answers(pale, lint, tmp_path):
    for top in ("statx", "faccessat2", "landlock_restrict_self"):  # names of every libseccomp
        text = open_("clone", "faccessat", "newfstatat", top)
        stubbed = [f for f in lint(text) if f["id"] in ("SC127", "SC129") and f["severity"] == "info"]
        loud = [f for f in lint(text) if f["id"] in ("SC127", "SC129") and f["severity"] != "info"]
        for want, group in (("ERRNO(38)", stubbed), ("ERRNO(1)", loud)):
            for f in group:
                for name in re.findall(r"'(\w+)'", f["message"].split(":")[0]):
                    r = pale("sim", tmp_path / "p.json", "--as", "docker:runc", "--caps", "none", "--kernel",
                             "6.1", name, check=0)
                    assert r.out.startswith(want), (top, name, r)


def test_probes_are_deadly_where_the_default_kills(lint):
    found = of(lint(open_("read", HIGH, default=KILL)), "SC128")
    assert [f["severity"] for f in found] == ["high"]
    assert "'rseq'" in found[0]["message"] and "killed" in found[0]["message"]
    found = of(lint(open_("read", HIGH)), "SC128")
    assert [f["severity"] for f in found] == ["warning"]
    assert "'rseq'" not in found[0]["message"] and "'statx'" in found[0]["message"]


def test_a_policy_without_a_filter_is_not_judged_as_one(lint):
    text = policy("\tlayers apparmor;\n\tfile r /etc/passwd;")
    assert not [f for f in lint(text) if f["id"].startswith(("SC", "SR"))]


def test_multiplexers_and_64_bit_time_are_looked_for_wherever_they_are(lint):
    for arch, name in (("SCMP_ARCH_X86", "i386"), ("SCMP_ARCH_S390X", "s390x"), ("SCMP_ARCH_PPC64LE", "ppc64le")):
        text = profile(entry("socketcall"), entry("socket", args=[arg(0, "EQ", 1)]), arches=[arch])
        assert f"do not hold for {name}: 'socketcall'" in of(lint(text), "SC123")[0]["message"]
    text = profile(entry("socket", args=[arg(0, "EQ", 1)]), arches=ARM)
    assert not of(lint(text), "SC123")
    names = ["futex", "clock_gettime64", "futex_time64", HIGH]
    found = of(lint(open_("futex", "clock_gettime", HIGH, arches=["SCMP_ARCH_ARM"])), "SC146")
    assert "arm is declared without 'clock_gettime64' and 'futex_time64'" in found[0]["message"]
    assert not of(lint(open_(*names, arches=["SCMP_ARCH_ARM"])), "SC146")


def test_names_for_other_architectures_are_news(lint):
    assert [f["severity"] for f in of(lint(open_("read", "waitpid", "_llseek")), "SC104")] == ["info"]


# ---- siblings ----

FAMILIES = {"chmod": "'fchmod', 'fchmodat' and 'fchmodat2'", "chown": "'fchownat'", "open": "'openat2'",
            "mkdir": "'mkdirat'", "unlink": "'unlinkat'", "rename": "'renameat2'", "kill": "'tgkill'",
            "setuid": "'setresuid'", "execve": "'execveat'", "connect": "'sendto'",
            "mount": "'move_mount'", "unshare": "'clone'", "rmdir": "'unlinkat'", "setgid": "'setregid'",
            "symlink": "'symlinkat'", "stat": "'statx'", "ptrace": "'process_vm_writev'"}


@pytest.mark.parametrize("call", sorted(FAMILIES))
def test_deny_lists_of_one_call_leave_its_siblings(lint, call):
    hits = of(lint(deny(call)), "SC131")
    assert hits and FAMILIES[call] in hits[0]["message"], hits
    hits = of(lint(policy(f"\terrno EACCES {call};").replace("default errno EPERM", "default allow")), "SC131")
    assert hits and FAMILIES[call] in hits[0]["message"], hits


def test_calls_that_do_something_else_are_no_siblings(lint):
    hits = of(lint(deny("mount")), "SC131")
    assert "umount" not in hits[0]["message"] and "fspick" not in hits[0]["message"]
    whole = ["chmod", "fchmod", "fchmodat", "fchmodat2"]
    assert not of(lint(deny(*whole)), "SC131")
    assert not of(lint(open_("fchmodat")), "SC131")  # an allow list leaves nothing
    rest = [entry("unshare", action=ERRNO), entry("clone3", action=ERRNO, errnoRet=38)]
    assert "'clone'" in of(lint(profile(*rest, default=ALLOW)), "SC131")[0]["message"]
    filtered = profile(*rest,
                       *[entry("clone", action=ERRNO, args=[arg(0, "MASKED_EQ", 1 << b, 1 << b)])
                         for b in (17, 25, 26, 27, 28, 29, 30)], default=ALLOW)
    # What is left is what Linux 7 can do as well (siblings.def), and no clone.
    left = of(lint(filtered), "SC131")
    what = left[0]["message"].split("stays allowed: ")[1]
    assert len(left) == 1 and "'fsmount(" in what and "clone" not in what, left
    # ENOSYS sends libcs to fork and clone, and is meant to.
    assert not of(lint(profile(rest[1], default=ALLOW)), "SC131")


UNNAMED = ("info", "no libseccomp knows the name yet: a list of what is allowed refuses it, with all that is not in it")


def test_a_sibling_that_no_libseccomp_knows_is_no_fault_of_a_profile(lint):
    said = lambda text: [(f["severity"], f["help"]) for f in of(lint(text), "SC131") if "fchroot" in f["message"]]
    assert said(deny("chroot")) == [UNNAMED]
    assert said("[Service]\nExecStart=/bin/x\nSystemCallFilter=~chroot\n") == [UNNAMED]
    assert said(policy("\terrno EPERM chroot;").replace("default errno EPERM", "default allow").replace("6.18", "7.3"))[0][0] == "high"  # BPF has numbers
    for call, other in (("chmod", "'fchmodat2'"), ("mount", "open_tree_attr"), ("execve", "'execveat'")):
        f, *_ = of(lint(deny(call)), "SC131")
        assert f["severity"] == "high" and other in f["help"], f


def test_unlinkat_is_a_sibling_as_far_as_it_does_the_same(lint):
    files = profile(entry("unlink", action=ERRNO),
                    entry("unlinkat", action=ERRNO, args=[arg(2, "MASKED_EQ", 0x200, 0)]), default=ALLOW)
    assert not of(lint(files), "SC131")
    rmdir = files.replace('"unlink"', '"rmdir"')
    assert "'unlinkat'" in of(lint(rmdir), "SC131")[0]["message"]


# ---- what the C library ignores ----

def test_partly_refused_signal_masks_are_high_in_both_formats(lint):
    some = "rt_sigprocmask(how in {SIG_UNBLOCK, SIG_SETMASK})"
    for text in (policy(f"\tallow {some};"), profile(entry("rt_sigprocmask", args=[arg(0, "GE", 1)])),
                 policy("\tallow rt_sigprocmask;\n\terrno EINVAL rt_sigprocmask(how == SIG_BLOCK);")):
        hit = of(lint(text), "SC163")
        assert [f["severity"] for f in hit] == ["high"] and "mask of chance" in hit[0]["message"]
        assert "rt_sigprocmask(SIG_BLOCK)" in hit[0]["message"]
    for text in (open_("rt_sigprocmask"), open_("read"),
                 profile(entry("rt_sigprocmask", args=[arg(0, "GE", 1)]), default=KILL)):
        assert not of(lint(text), "SC163"), text


def test_other_ignored_refusals(lint):
    wake = policy("\tallow futex((op & FUTEX_CMD_MASK) == FUTEX_WAIT);")
    assert "never woken" in of(lint(wake), "SC163")[0]["message"]
    ends = [f["message"] for f in of(lint(open_("clone", "read")), "SC163")]
    assert [m.split(" ")[0] for m in ends] == ["exit"]
    ends = [f["message"] for f in of(lint(open_("clone", "exit")), "SC163")]
    assert len(ends) == 1 and "whose other threads run on" in ends[0]
    assert not of(lint(open_("read", "exit")), "SC163")
    assert not of(lint(open_("clone", "exit", "exit_group")), "SC163")
    assert not of(lint(open_("read", "exit_group")), "SC163")


NEW = tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split("."))) >= (2, 41)
HURT = {  # policy: what tests/live/ignored.c is asked to do, and how that shows
    "errno EPERM rt_sigprocmask(how == SIG_SETMASK)": ("mask", "blocked"),
    "errno EPERM rt_sigprocmask(how == SIG_BLOCK)": ("mask", "blocked"),
    "errno EPERM futex((op & FUTEX_CMD_MASK) == FUTEX_WAKE)": ("lock", "asleep"),
    "errno EPERM exit": ("exit", "alive"),
    "errno EPERM exit_group": ("group", "odd" if NEW else "alive"),  # SIGSEGV
}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="seen on x86_64")
@pytest.mark.parametrize("rule", sorted(HURT))
def test_refusals_that_glibc_ignores_do_what_is_said(pale, lint, tmp_path, rule):
    what, shows = HURT[rule]
    text = policy(f"\tlayers seccomp;\n\t{rule};").replace("default errno EPERM", "default allow")
    hits = of(lint(text), "SC163")
    assert len(hits) == 1, hits
    whole = policy("\tlayers seccomp;\n\terrno EPERM getppid;").replace("default errno EPERM", "default allow")
    for name, body, want in (("hurt", text, shows), ("well", whole, "well")):
        path = tmp_path / f"{name}.pale"
        path.write_text(body)
        r = subprocess.run([pale.path, "run", path, "--", program("live/ignored"), what],
                           capture_output=True, text=True, timeout=PATIENCE)
        assert want in r.stdout.split(), (name, r)
