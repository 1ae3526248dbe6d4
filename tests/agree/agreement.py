# SPDX-License-Identifier: Apache-2.0
"""Awkward programs in a guest with AppArmor: what pale learned of each against what its kernel asks.

A program (programs.txt) is run learned, under the profile that was proposed in complain mode, and
under an empty one in complain mode, where files without a path have their names below / if the proposal needs that.
What the kernel logs under the second is what the proposal lacks, what it logs under the third is all that it asks.
Nothing is judged by pale but the log, which `pale replay` reads. It is also run under the seccomp filter of each
proposal, where it must end as before.
"""
import concurrent.futures
import os
import pathlib
import re
import stat
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
for room in ("guest", "apparmor"):
    sys.path.insert(0, str(HERE.parent / room))
from conftest import PALE, program, run  # noqa: E402
from guest import Guest, sets, with_pale  # noqa: E402
from parsers import Parser  # noqa: E402
from recordings import Recording  # noqa: E402

FEATURES = HERE.parent / "guest/features/6.1"
TIERS = ["ebpf", "ptrace"]
VERDICTS = ["complete", "said", "loss", "silent"]  # from best to worst

# pale itself may have been built below /tmp, which each program finds empty.
LEARN = r"""
cp $PALE /learner && PALE=/learner; mkdir /d
for row in $(cat /rows); do
    P=/programs/${row%/*} case=${row#*/}
    for tier in ebpf ptrace; do
        $P fresh $case || echo "== broken $case"
        timeout -s INT 20 $PALE learn --allow-loss --backend $tier -r /rec -o /dev/null -- $P $case </dev/null >/said 2>&1
        status=$?
        echo "== $case $tier"; cat /rec; rm /rec
        echo "== $case $tier said"; cat /said
        echo "== $case $tier status"; echo $status
    done
done
echo "== end"
"""

AGAIN = r"""
mkdir /d; dmesg -c >/dev/null
for row in $(cat /rows); do
    P=/programs/${row%/*} case=${row#*/}
    for tier in ebpf ptrace all; do
        if ! dd if=/profiles/$case-$tier of=/sys/kernel/security/apparmor/.replace bs=4M 2>/dev/null; then
            echo "$case $tier unloadable"; continue
        fi
        $P fresh $case
        timeout -s KILL 20 $P as $case-$tier $case </dev/null >/dev/null 2>&1
        echo "$case $tier $?"
        [ -e /filters/$case-$tier ] || continue
        $P fresh $case
        timeout -s KILL 20 $P under /filters/$case-$tier $case </dev/null >/dev/null 2>&1
        echo "$case $tier-filtered $?"
    done
done
dmesg -c | sed -n '/ apparmor="/s/^/@@KLOG /p'
"""


def verdict(expected):
    return re.match(r"[^+!]*", expected)[0]


class Row:
    """A line of programs.txt: program/case, its origin, what is expected of it a tier, and what it does. Expected is
    a verdict; behind a +, how many rights the recording has that the kernel never asked for; behind a !, with what it
    ends under the proposed filter, where that is not 0. Where names are made of random letters, which may look like a
    word, two of them with a / between."""

    def __init__(self, line):
        self.word, self.origin, *expected, self.does = line.split(None, 4)
        self.case = self.word.split("/")[1]
        self.expected = dict(zip(TIERS, expected))


def rows():
    lines = (HERE / "programs.txt").read_text(encoding="utf-8").splitlines()
    return [Row(line) for line in lines if line and line[0] != "#"]


def write(found):
    """Into the table: {(program/case, tier): what was found}."""
    lines = []
    for line in (HERE / "programs.txt").read_text(encoding="utf-8").splitlines():
        if line and line[0] != "#":
            row = Row(line)
            verdicts = [found.get((row.word, tier), row.expected[tier]) for tier in TIERS]
            line = " ".join([row.word, row.origin, *verdicts, row.does])
        lines.append(line)
    (HERE / "programs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


PART = 24  # a guest is one emulated processor: as many at once as the machine has


class Bench:
    """The programs `some`, in parts of two boots each."""

    def __init__(self, system, some, tmp):
        parts = [(some[i:i + PART], tmp / str(i)) for i in range(0, len(some), PART)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            self.results = [r for results in pool.map(lambda part: Part(system, *part).results, parts) for r in results]


class Part:
    """Its programs are learned in one boot, and run again in a second one under what was proposed of it on this machine."""

    def __init__(self, system, some, tmp):
        self.rows, self.tmp = some, tmp
        tmp.mkdir()
        self.programs = {f"/programs/{p.stem}": pathlib.Path(program(f"agree/{p.stem}")).read_bytes() for p in HERE.glob("*.c")}
        self.learned = self.boot(system, LEARN, {}, binaries=[PALE], files=sets())
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            profiles = list(pool.map(self.profile, [(r.case, t) for r in some for t in TIERS]))
            profiles += pool.map(self.profile, [(r.case, "all") for r in some])
        made = {f"/profiles/{name}": binary for name, binary in profiles if binary}
        made |= {f"/filters/{path.stem}": path.read_bytes() for path in tmp.glob("*.bpf")}
        self.out = self.boot(system, AGAIN, made)
        self.results = [Result(self, row, tier) for row in some for tier in TIERS]

    def boot(self, system, script, more, **kw):
        guest = Guest(system, **kw)
        files = {**self.programs, **more, "/rows": "\n".join(r.word for r in self.rows).encode() + b"\n"}
        guest.tree.update({path: (stat.S_IFREG | 0o755, data) for path, data in files.items()})
        return guest.run(with_pale(script), timeout=1800, memory=1024, append="log_buf_len=32M")

    def profile(self, which):
        """Its name, and what Debian 12's parser makes of it, in complain mode; None where there is none. Of 60
        directories below each other it makes nothing in a minute, unless expressions are left as they are."""
        name = "-".join(which)
        source = self.tmp / f"{name}.aa"
        if which[1] == "all":
            # Of what is below no root all is refused else, in complain mode too, and the program ends otherwise.
            proposed = [self.tmp / f"{which[0]}-{tier}.aa" for tier in TIERS]
            attached = any("attach_disconnected" in aa.read_text() for aa in proposed if aa.exists())
            source.write_text(f"abi <abi/3.0>,\nprofile {name} flags=(complain{', attach_disconnected' * attached}) {{ }}\n")
        elif not self.proposed(which, name):
            return name, None
        text = re.sub(r"(?m)^(profile \S+) .*?(?: flags=\((.*)\))? \{$", lambda m: f"{m[1]} flags=({', '.join(filter(None, ['complain', m[2]]))}) {{", source.read_text())
        source.write_text(text)
        try:
            return name, Parser("3.0").ask("-O", "no-expr-simplify", "--kernel-features", FEATURES, source)
        except subprocess.TimeoutExpired:
            return name, None

    def proposed(self, which, name):
        text = self.learned.part(" ".join(which))
        if not text.startswith("pale recording"):
            return False
        rec = self.tmp / f"{name}.rec"
        rec.write_text(text + "\n")
        run([PALE, "propose", "--allow-loss", "-n", name, "-o", self.tmp / f"{name}.pale", rec], check=0)
        for target, suffix in (("apparmor", "aa"), ("bpf", "bpf")):
            run([PALE, "compile", "-q", "-t", target, "-o", self.tmp / f"{name}.{suffix}", self.tmp / f"{name}.pale"], check=0)
        return True


# Capabilities that are asked for in silence: without them nothing is refused, only left out (trusted attributes of a list).
OPTIONAL = 'info="optional: no audit"'
WATCHER = re.compile(r' signal=exists peer="unconfined"')  # timeout(1) asks whether the program still runs


def logged(out, case, tier, silent=False):
    """What the kernel let pass under a profile, and would have refused; silent: that too for which it asked in silence.
    What it calls //null- is the profile of something executed for which there was no rule."""
    mine = re.compile(rf'profile="{re.escape(case)}-{tier}(?://[^"]*)?"')
    return [mine.sub(f'profile="{case}-{tier}"', line) for line in out.log
            if 'apparmor="ALLOWED"' in line and (silent or OPTIONAL not in line) and not WATCHER.search(line) and mine.search(line)]


def facts(lines, tmp):
    """What was asked, a fact each, read by pale replay: a file's letters each, capabilities, sockets, signals.
    What it keeps no facts of is counted, by its operation."""
    if not lines:
        return set()
    (tmp / "log").write_text("\n".join(lines) + "\n", errors="surrogateescape")
    got = run([PALE, "replay", "--allow-loss", "--from", "apparmor", tmp / "log"])
    return kept(got.out) if got.rc == 0 else {("unread", line) for line in lines}


def kept(text):
    rec, found = Recording(text=text), set()
    for path, (letters, _) in rec.files.items():
        found |= {("file", path, letter) for letter in letters}
    found |= {("rule", re.sub(r"\w+-(ebpf|ptrace|all)\b", "itself", rule)) for rule in rec.rules}
    return found | {("capability", name) for name in re.findall(r"(?m)^capability (\w+) ", text)}


OBJECT = re.compile(r' (name|capname)=("[^"]*"|[0-9A-F]+)')
CALLS = {  # of what is no file the name of the call is enough, by the kernel's word for what was done
    "mount": ["mount", "move_mount", "fsmount", "open_tree"], "umount": ["umount2"], "pivotroot": ["pivot_root"],
    "ptrace": ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "get_robust_list", "move_pages"],
    "signal": ["signal"], "userns_create": ["userns"], "create": ["socket"], "capable": [], "uring_sqpoll": [],
    "file_mmap": ["READ_IMPLIES_EXEC"], "change_profile": ["change_profile"], "change_onexec": ["change_profile"], "stack": ["change_profile"]}


def is_said(line, header):
    """Does a line of the proposal's own name the call or the object that is missing?"""
    if re.search("io_uring was used: what[^;]* was not seen", " ".join(header.replace("#", " ").split())) or ("fanotify was used" in header and 'operation="open"' in line):
        return True  # all that a ring does, or an event opens, by that name
    if "core dumps were written" in header and re.search(r' name="[^"]*/core"', line):
        return True
    operation = re.search(r'operation="(\w+)"', line)[1]
    names = [value.strip('"') if value[0] == '"' else bytes.fromhex(value).decode(errors="replace")
             for key, value in OBJECT.findall(line) if key in ("name", "capname")]
    if "disconnected path" in line:  # a queue, or a program in memory, has no name that a rule can have
        names = ["executed from memory"] if operation == "exec" else ["mq_open"]
    names = CALLS.get(operation, []) + names
    return any(re.search(rf"(?<!\w){re.escape(name.rstrip('/'))}(?!\w)", header) for name in names)


STANDING = re.compile(r"# (Proposed by|command:|machine:|recorded:|losses:|capabilities: not observed)|#\s+\d+x|#\s+[a-z_0-9]+ \d+x")


class Result:
    """One program in one tier."""

    def __init__(self, part, row, tier):
        self.row, self.tier, out, name = row, tier, part.out, f"{row.case}-{tier}"
        self.status = part.learned.part(f"{row.case} {tier} status")
        self.said = part.learned.part(f"{row.case} {tier} said")
        self.ends = dict(re.findall(rf"^{row.case} (\S+) (\w+)$", out.text, re.M))
        self.filtered = self.ends.get(f"{tier}-filtered", "none")
        self.missing = logged(out, row.case, tier)
        self.asked, lacks = facts(logged(out, row.case, "all"), part.tmp), facts(self.missing, part.tmp)
        self.silent = facts(logged(out, row.case, "all", silent=True), part.tmp)
        self.recall = 1 - len(lacks) / max(len(self.asked), len(lacks), 1)
        recording = part.tmp / f"{name}.rec"
        self.recorded = recording.exists()
        self.losses = Recording(recording).losses if self.recorded else "no recording"
        self.proposal = (part.tmp / f"{name}.pale").read_text() if self.recorded else ""
        self.learned = self.granted(recording.read_text()) if self.recorded else set()
        self.judge()

    def granted(self, text):
        """The recording's files, the proposal's capabilities: not all that were asked for are proposed, and what was
        not observed, all of them, is."""
        found = Recording(text=text)
        files = {u for u in kept(text) if u[0] == "file" and len(u[1]) < 700}  # a line of the kernel's log holds no more
        files -= {u for u in files if self.stated(u, found)}
        return files | {("capability", name) for name in re.findall(r"(?m)^ +capability (\w+); +#", self.proposal)}

    def stated(self, unit, found):
        """Does the proposal say that it grants this beyond what was asked for here? What is executed, and what runs it,
        is asked for m and r where the profile begins with it; sockets by newer kernels."""
        _, path, letter = unit
        if "m" in found.files[path][0] and letter in "mr":
            return "what runs it, with m and r" in " ".join(self.proposal.replace("#", " ").split())
        return path in found.sockets and letter in "rw" and "connected or sent to, which asks for r and w since Linux 6.17" in self.proposal

    def judge(self):
        header = "\n".join(line for line in self.proposal.splitlines() if line.startswith("#") and not STANDING.match(line))
        self.unsaid = [line for line in self.missing if not is_said(line, header)]
        if not self.ends.get(self.tier, "").isdigit():  # no recording, or no profile that the kernel takes
            self.verdict = "unloadable"
        else:
            self.verdict = "complete" if not self.missing else "said" if not self.unsaid else "loss" if self.losses != "none" else "silent"
        used = {u for u in self.learned if u[1] != f"/programs/{self.row.word.split('/')[0]}"}
        asked = {self.alike(u) for u in self.asked | self.silent}
        self.false = {u for u in used if self.alike(u) not in asked}
        self.false |= self.accesses(self.proposal, r"(?m)^ +ptrace (.*?);") - self.accesses("\n".join(u[1] for u in self.asked if u[0] == "rule"), "(?m)^ptrace (.*)$")
        self.precision = 1 - len(self.false) / len(used) if used else 1.0
        self.found = self.verdict + (f"+{len(self.false)}" if self.false else "") + (f"!{self.filtered}" if self.filtered != "0" else "")

    def accesses(self, text, rule):
        """How processes may look at others and be looked at, a fact each."""
        words = " ".join(m.split(" peer=")[0] for m in re.findall(rule, text))
        return {("ptrace", access, "") for access in re.findall(r"\b(?:readby|read|tracedby|trace)\b", words)}

    def alike(self, unit):
        """Two runs differ in pids, in inode numbers, and in names that are made anew."""
        if unit[0] != "file":
            return unit
        path = re.sub(r"^/proc/[0-9]+(/task/[0-9]+)?", "/proc/N", re.sub(r"/#[0-9]+$", "/#N", unit[1]))
        if self.row.case.startswith("name_"):
            path = re.sub("[0-9]+", "N", os.path.dirname(path.rstrip("/")))
        return ("file", path, unit[2])
