# SPDX-License-Identifier: Apache-2.0
"""The table that the figures of a change stand in, and how they are measured. For every bench_*.py:

    table.show("growth", [
        table.Row("16,000 rules: CPU", table.both(cpu, lambda s: f"{s:.2f} s"),
                  table.issue("0.05 s"), "0.2 s")])

OLD=path names an older build of pale, whose figures stand beside; a peer that no package brings is
measured where its variable (KAFEL=path) names it, otherwise issue() marks its figure as taken."""
import os
import pathlib
import re
import statistics
import subprocess
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("PALE_BUILD", ROOT / "build")).resolve()
PALE = os.path.abspath(os.environ.get("PALE", str(BUILD / "pale")))
OLD = os.environ.get("OLD") and os.path.abspath(os.environ["OLD"])
ROUNDS = int(os.environ.get("ROUNDS", "5"))
ENV = {**os.environ, "PALE_SETS": str(ROOT / "profiles" / "sets"),
       "PALE_PATH": str(ROOT / "profiles" / "sets")}  # an older build knows none beside it
TAKEN = " *"  # behind a figure of the issue that was not measured here


@dataclass
class Cost:
    """What one command cost, its children included."""
    cpu: float    # seconds, user and system
    peak: float   # MiB; never less than the few that python itself has when it forks
    rc: int
    wall: float = 0


@dataclass
class Row:
    figure: str
    now: object        # each: text, or a dict of builds -> text, or None: not measured
    peer: object = None
    reach: object = None
    old: object = None


def peer(name):
    """The path in the variable of that name, or None."""
    path = os.environ.get(name)
    return os.path.abspath(path) if path else None


def issue(text):
    return text + TAKEN


def builds():
    """name -> program: what is measured side by side."""
    return {"now": PALE, **({"old": OLD} if OLD else {})}


def cost(argv, cwd=None):
    """Runs it once; what it says is thrown away."""
    begun = time.perf_counter()
    proc = start(argv, cwd)
    _, status, used = os.wait4(proc.pid, 0)
    wall = time.perf_counter() - begun
    proc.returncode = os.waitstatus_to_exitcode(status)
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, proc.returncode, wall)


def start(argv, cwd=None):
    return subprocess.Popen([str(a) for a in argv], cwd=cwd, env=ENV, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def held(pid):
    """KiB that a process and its children have, each page once (Pss); 0 of one that has ended."""
    try:
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    m = re.search(r"^Pss:\s+(\d+)", rollup, re.M)
    return (int(m[1]) if m else 0) + sum(map(held, children))


def peak_together(argv, rounds=3):
    """MiB that a command and its children had at once, at most, as far as looking every few ms shows it."""
    most = 0
    for _ in range(rounds):
        proc = start(argv)
        while proc.poll() is None:
            most = max(most, held(proc.pid))
            time.sleep(0.002)
    return most / 1024


def interleaved(commands, rounds=ROUNDS, cwd=None, before=None, pick=statistics.median):
    """name -> Cost, of name -> argv: rounds in which each runs once; medians (or what `pick` picks, such as
    min) of the processor's time and of the wall's, the highest peak, the last status. `before(name)` runs
    unmeasured ahead of each."""
    runs = {name: [] for name in commands}
    for _ in range(rounds):
        for name, argv in commands.items():
            if before:
                before(name)
            runs[name].append(cost(argv, cwd))
    return {name: Cost(pick([c.cpu for c in r]), max(c.peak for c in r), r[-1].rc, pick([c.wall for c in r]))
            for name, r in runs.items()}


def instructions(argv, cwd=None):
    """Instructions that callgrind counts in the process itself; None: no valgrind, or it failed."""
    try:
        out = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                              *map(str, argv)], cwd=cwd, env=ENV, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    m = re.search(r"Collected : (\d+)", out.stderr)
    return int(m[1]) if m and out.returncode == 0 else None


def both(measured, text):
    """build -> text, of build -> what was measured for it (None: not)."""
    return {name: None if value is None else text(value) for name, value in measured.items()}


def cells(row):
    now, old = row.now, row.old
    if isinstance(now, dict):
        now, old = now.get("now"), now.get("old") if old is None else old
    return [row.figure, *("-" if c is None else str(c) for c in (old, row.peer, row.reach, now))]


def show(title, rows):
    """Prints it, aligned."""
    lines = [[title, "today (OLD=)" if OLD else "today (no OLD=)", "peer", "to reach", "now"],
             *map(cells, rows)]
    width = [max(len(line[i]) for line in lines) for i in range(5)]
    for line in lines:
        print("  ".join([line[0].ljust(width[0]), *(c.rjust(w) for c, w in zip(line[1:], width[1:]))]))
    if any(TAKEN in c for line in lines for c in line):
        print("*: taken from the issue, not measured here")
    print(flush=True)
