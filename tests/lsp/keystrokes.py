# SPDX-License-Identifier: Apache-2.0
"""Texts of a thousand lines in each language, and what a keystroke in one takes: for a test and tests/bench."""
import json
import statistics
import time

from client import Client, uri_of
from conftest import ROOT

LINES = 1000


def calls():
    rows = (ROOT / "compiler/tables/syscalls.tsv").read_text().split("\n")
    return [r.split()[0] for r in rows if r and r[0].isalpha() and r.split()[1].isdigit()]


def policy():
    head = ["policy big {", "    program /usr/bin/big;", "    level linux 6.1;", "    layers seccomp, apparmor;",
            "    arch x86_64;", "    use start-run, libc;"]
    some = [f"    allow {c};" for c in calls() if c not in ("socket", "ioctl", "mmap", "socketcall")][:250]
    some += [f"    allow ioctl(cmd == {0x5400 + i});" for i in range(60)]
    files = [f"    file r{'w' if i % 3 == 0 else ''} /opt/app{i % 40}/data{i}/**;" for i in range(LINES)]
    return "\n".join((head + some + files)[:LINES - 1] + ["}"]) + "\n"


def profile():
    entries = [{"names": [c], "action": "SCMP_ACT_ALLOW", "args": []} for c in calls()[:140]]
    entries[5]["args"] = [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]
    text = json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": entries}, indent=2)
    return text + "\n" * (LINES - text.count("\n"))


def apparmor():
    rules = [f"  /opt/app{i % 40}/data{i}/** r{'w' if i % 3 == 0 else ''}," for i in range(LINES)]
    head = ["include <tunables/global>", "profile big /usr/bin/big {", "  include <abstractions/base>", "  capability chown,"]
    return "\n".join((head + rules)[:LINES - 1] + ["}"]) + "\n"


TEXTS = {"big.pale": policy, "big.json": profile, "big.apparmor": apparmor}


def cpu_ms(pid):
    fields = open(f"/proc/{pid}/schedstat").read().split()
    return int(fields[0]) / 1e6


def resident_kib(pid):
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS"))


class Typing:
    def __init__(self, folder, name, start=Client):
        self.client, self.uri, self.version = start("--runtime", "any", "--isolated"), uri_of(folder / name), 1
        self.text = TEXTS[name]()
        self.line = self.text[:len(self.text) // 2].count("\n")
        self.found = self.client.open(folder / name, self.text)

    def key(self):
        """A blank at the end of a line in the middle of the text, or it is taken away again: what is wrong is told."""
        self.version += 1
        at = len(self.text.split("\n")[self.line])
        on = self.version % 2 == 0
        self.client.change(self.uri, self.version, (self.line, at, self.line, at if on else at + 1, " " if on else ""))
        return self.client.findings(self.uri)

    def keys(self, n):
        """Wall clock and CPU time of each, in ms."""
        wall, cpu, pid = [], [], self.client.proc.pid
        for _ in range(n):
            t, c = time.perf_counter(), cpu_ms(pid)
            self.key()
            wall.append((time.perf_counter() - t) * 1e3)
            cpu.append(cpu_ms(pid) - c)
        return wall, cpu


def median_and_p95(values):
    return statistics.median(values), sorted(values)[int(len(values) * 0.95)]
