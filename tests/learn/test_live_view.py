# SPDX-License-Identifier: Apache-2.0
"""learn --live: what stands on a terminal while a run is recorded, and what is left of it."""
import contextlib
import fcntl
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest

from conftest import BUILD, LONG, PALE, PATIENCE, run
from recordings import Recording
from test_backends import usable
from test_snapshots import wait_for

EACH = pytest.mark.parametrize("backend", ["ebpf", "ptrace"])


class Screen:
    """What a terminal that knows these few sequences shows; anything else is a fault."""

    def __init__(self, width, height):
        self.width, self.height, self.row, self.col, self.lines, self.wraps = width, height, 0, 0, [""], 0

    def put(self, c):
        if self.col == self.width:
            self.row, self.col = self.row + 1, 0
            self.wraps += 1
        while len(self.lines) <= self.row:
            self.lines.append("")
        line = self.lines[self.row].ljust(self.col)
        self.lines[self.row] = line[:self.col] + c + line[self.col + 1:]
        self.col += 1

    def feed(self, text):
        for plain, up, clear, shade, other in re.findall(
                r"([^\x1b]+)|\x1b\[(\d+)A|(\x1b\[J)|(\x1b\[[\d;]*m)|(\x1b.?.?)", text):
            assert not other, repr(other)
            if up:
                top = max(0, len(self.lines) - self.height)
                assert self.row - int(up) >= top, "above the top of the screen"
                self.row -= int(up)
            if clear:
                self.lines[self.row:] = [self.lines[self.row][:self.col]] if self.row < len(self.lines) else []
            for c in plain:
                if c == "\r":
                    self.col = 0
                elif c == "\n":
                    self.row += 1
                    while len(self.lines) <= self.row:
                        self.lines.append("")
                else:
                    assert c >= " ", repr(c)
                    self.put(c)
        return self


class Terminal:
    def __init__(self, width=80, height=24):
        self.master, self.slave = os.openpty()
        self.bytes, self.width, self.height = b"", width, height
        self.resize(width, height)
        self.reads = threading.Thread(target=self.read, daemon=True)
        self.reads.start()

    def read(self):
        with contextlib.suppress(OSError):
            while more := os.read(self.master, 65536):
                self.bytes += more

    def resize(self, width, height):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    @property
    def text(self):
        return self.bytes.decode()

    def screen(self):
        return Screen(self.width, self.height).feed(self.text).lines

    def shows(self, pattern):
        """The picture's last line ends in a line's end: what is half there is not looked at."""
        return self.text.endswith("\n") and re.search(pattern, "\n".join(self.screen()), re.M)

    def close(self):
        os.close(self.slave)
        self.reads.join(5)
        os.close(self.master)


@pytest.fixture
def terminal():
    t = Terminal()
    yield t
    t.close()


@pytest.fixture
def works(tmp_path):
    """A process that does something new where it is told to: the name of a file to read."""
    p = subprocess.Popen([sys.executable, "-c",
                          "import sys\nprint(flush=True)\nfor name in sys.stdin: "
                          "open(eval(name)).close(); print(flush=True)"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    p.stdout.readline()
    yield p
    p.kill()
    p.wait()


def reads(p, name):
    p.stdin.write(repr(str(name)) + "\n")
    assert p.stdout.readline() == "\n"


@contextlib.contextmanager
def learn(terminal, tmp_path, backend, *args, **env):
    usable(backend)
    p = subprocess.Popen([PALE, "learn", "--backend", backend, "-o", tmp_path / "p.pale", "-r", tmp_path / "rec",
                          *map(str, args)], stderr=terminal.slave,
                         env={**os.environ, "TERM": "xterm", **env})
    yield p
    p.kill()
    p.wait()


@EACH
def test_a_picture_stands_on_the_terminal_and_goes_at_the_end(tmp_path, terminal, works, backend):
    os.write(terminal.slave, b"what stood there before\n")
    with learn(terminal, tmp_path, backend, "--pid", works.pid) as p:
        wait_for(lambda: terminal.shows("process %d" % works.pid))
        assert "process %d: getting ready" % works.pid in terminal.text
        wait_for(lambda: terminal.shows("process %d; Ctrl-C ends it" % works.pid))
        reads(works, "/etc/hostname")
        wait_for(lambda: terminal.shows(r"\d:\d\d  file  /etc/hostname r$"))
        at = terminal.screen()
        assert at[0] == "what stood there before" and re.match(r"pale learn 0:\d\d ", at[1]), at
        assert [line.split()[0] for line in at[2:7]] == ["calls", "files", "new", "lost", "cost"]
        assert re.search("call  openat$", "\n".join(at), re.M) and "lost      nothing" in "\n".join(at)
        shown = int(re.search(r"calls +(\d+) different", "\n".join(at))[1])
        p.send_signal(signal.SIGINT)
        assert p.wait(PATIENCE) == 0
    wait_for(lambda: "PL406" in terminal.text)
    at = terminal.screen()
    assert at[0] == "what stood there before" and re.match(r"pale learn: 0:\d\d: \d+ calls, \d+ files; nothing", at[1])
    assert not re.search("^ +calls", "\n".join(at), re.M)
    made = [c for c in Recording(tmp_path / "rec").calls]
    assert 0 < shown <= len(made)


@EACH
def test_names_reach_the_terminal_as_printable_ascii(tmp_path, terminal, works, backend):
    hostile = tmp_path / "e\x1b[2J\x9b1m\r\n\u202e\u00e9\udc80"
    hostile.write_text("x")
    with learn(terminal, tmp_path, backend, "--pid", works.pid, NO_COLOR="1"):
        wait_for(lambda: terminal.shows("calls"))
        reads(works, hostile)
        wait_for(lambda: terminal.shows(r"e\\x1b\[2J\\xc2\\x9b1m\\x0d\\x0a\\xe2\\x80\\xae\\xc3\\xa9\\x80 r$"))
    assert set(terminal.text) <= {*map(chr, range(32, 127)), "\x1b", "\r", "\n"}
    assert not re.search(r"\x1b\[[\d;]*m", terminal.text)


def test_a_narrow_terminal_and_one_that_becomes_so(tmp_path, terminal, works):
    """No line is wider than it, and the picture is never higher."""
    with learn(terminal, tmp_path, "ptrace", "--pid", works.pid, NO_COLOR="1"):
        wait_for(lambda: terminal.shows("cost"))
        for width, height in ((31, 6), (9, 3), (2, 1), (120, 50)):
            before = len(terminal.bytes)
            terminal.resize(width, height)
            reads(works, "/etc/hostname")
            frames = []

            def drawn(before=before, frames=frames):
                frames[:] = terminal.bytes[before:].decode().split("\x1b[J")
                return len(frames) > 3
            wait_for(drawn)
            for frame in frames[2:-1]:  # the first may have been begun before
                lines = re.sub(r"\r(\x1b\[\d+A)?$", "", frame).split("\r\n")
                assert lines.pop() == "" and len(lines) <= max(1, height - 1), (width, height, lines)
                assert all(len(line) < width for line in lines), (width, height, lines)
                assert all(int(up) < max(2, height) for up in re.findall(r"\x1b\[(\d+)A", frame))


def test_by_the_lines_that_became_two_the_picture_goes_up(tmp_path, terminal, works):
    """A terminal breaks what is longer than it has become; all of it is written over."""
    with learn(terminal, tmp_path, "ptrace", "--pid", works.pid, NO_COLOR="1"):
        wait_for(lambda: terminal.shows("cost"))
        lines = terminal.screen()
        before = len(terminal.bytes)
        terminal.resize(20, 40)
        wait_for(lambda: "\x1b[J" in terminal.bytes[before:].decode())
        up = int(re.search(r"\x1b\[(\d+)A\x1b\[J", terminal.bytes[before:].decode())[1])
        assert up >= sum(max(1, -(-len(line) // 20)) for line in lines[:-1]) - 1


def test_it_is_off_where_nobody_looks_or_a_command_writes(tmp_path, terminal, works):
    with learn(terminal, tmp_path, "ptrace", "--", "sleep", "1.5") as p:
        assert p.wait(PATIENCE) == 0
    with learn(terminal, tmp_path, "ptrace", "--until", "1s", "--pid", works.pid, TERM="dumb") as p:
        assert p.wait(PATIENCE) == 0
    with learn(terminal, tmp_path, "ptrace", "--live=off", "--until", "1s", "--pid", works.pid) as p:
        assert p.wait(PATIENCE) == 0
    assert "PL406" in terminal.text and "calls" not in terminal.text and "\x1b[J" not in terminal.text
    r = run([PALE, "learn", "--backend", "ptrace", "-o", tmp_path / "p.pale", "--until", "1s", "--pid", works.pid])
    assert r.rc == 0 and r.err.count("\n") == 1 and "PL406" in r.err, r


LINE = re.compile(r"pale learn: (\d+:\d\d): (\d+) calls?, (\d+) files?(?:, (\d+) capabilit\w+)?(?:; in the last 10 s new: "
                  r"[^(]+\((.*)\))?; lost: nothing; [\d.]+% of a CPU .*")


@EACH
def test_lines_are_said_when_something_was_new(tmp_path, terminal, backend):
    """Of a command, and where nothing can be written over; and then no more until that is so again."""
    usable(backend)
    go = tmp_path / "go"
    more = "; sleep 21; cat /etc/hostname; sleep 11" if LONG else ""
    p = subprocess.Popen([PALE, "learn", "--live", "--backend", backend, "-o", "/dev/null", "--", "sh", "-c",
                          f"until [ -e {go} ]; do sleep .1; done{more}"], stderr=subprocess.PIPE, text=True)
    lines = [p.stderr.readline()]
    while LINE.fullmatch(lines[-1][:-1]) and "(" not in lines[-1]:  # nothing was done yet when it came
        lines.append(p.stderr.readline())
    go.touch()
    lines = "".join([*lines, p.communicate(timeout=PATIENCE)[1]]).splitlines()
    last = lines.pop()
    assert p.returncode == 0 and re.fullmatch(r"pale learn: \d:\d\d: \d+ calls, \d+ files; nothing was lost", last), lines
    said = [LINE.fullmatch(line) for line in lines]
    assert all(said) and all(a.group(2, 3, 4) != b.group(2, 3, 4) for a, b in zip(said, said[1:])), lines
    assert re.match("0:0", said[0][1]) and max(s[5].count(",") for s in said if s[5]) == 4, lines
    if LONG:
        assert "/etc/hostname" in lines[-1] and int(said[-1][2]) >= int(said[0][2])


def test_a_terminal_that_is_held_holds_no_recording(tmp_path, terminal, works):
    with learn(terminal, tmp_path, "ptrace", "--pid", works.pid) as p:
        wait_for(lambda: terminal.shows("calls"))
        termios.tcflow(terminal.slave, termios.TCOOFF)
        time.sleep(2.2)
        reads(works, "/etc/hostname")  # its tracer lets it run
        p.send_signal(signal.SIGUSR1)
        wait_for((tmp_path / "rec").exists)
        termios.tcflow(terminal.slave, termios.TCOON)
        wait_for(lambda: terminal.shows("/etc/hostname r$"))
        p.send_signal(signal.SIGINT)
        assert p.wait(PATIENCE) == 0


def test_what_a_shell_wrote_meanwhile_stays(tmp_path, works):
    """Ctrl-Z, a line of the shell's, fg; and in the background nothing is drawn."""
    usable("ptrace")
    t = Terminal()
    script = (f"set -m; {PALE} learn --backend ptrace -o {tmp_path}/p --pid {works.pid}; echo of the shell; "
              f"until [ -e {tmp_path}/go ]; do sleep .1; done; echo and more; fg >/dev/null; echo rc $?")
    p = subprocess.Popen(["setsid", "-c", "-w", "sh", "-c", script], stdin=t.slave, stdout=t.slave, stderr=t.slave,
                         env={**os.environ, "TERM": "xterm"})
    try:
        wait_for(lambda: t.shows("calls"))
        os.write(t.master, b"\x1a")
        wait_for(lambda: t.shows("of the shell"))
        stood = t.screen()
        time.sleep(2.5)  # in which it would be drawn twice
        (tmp_path / "go").touch()
        wait_for(lambda: t.shows("and more"))
        wait_for(lambda: len(re.findall("^pale learn 0:", "\n".join(t.screen()), re.M)) == 2)
        at = t.screen()
        assert at[:len(stood) - 1] == stood[:-1] and "of the shell" in at[len(stood) - 2]
        assert at[len(stood) - 1] == "and more", at
        os.write(t.master, b"\x03")
        wait_for(lambda: t.shows("^rc "))
        assert t.shows("^rc 0") and t.shows("nothing was lost")
    finally:
        p.kill()
        p.wait()
        t.close()


@EACH
def test_looks_change_nothing_of_what_is_recorded(tmp_path, backend):
    usable(backend)
    job = ["sh", "-c", "for i in 1 2 3 4 5 6; do ls -l /etc >/dev/null; cat /proc/uptime; sleep .4; done"]
    for name, live in (("with", "lines"), ("without", "off")):
        r = run([PALE, "learn", f"--live={live}", "--backend", backend, "-o", tmp_path / name, "-r",
                 tmp_path / f"{name}.rec", "--", *job])
        assert r.rc == 0, r
    one, two = (Recording(tmp_path / f"{name}.rec") for name in ("with", "without"))
    assert one.losses == two.losses == "none" and one.calls == two.calls and set(one.files) == set(two.files)


def test_runs_before_it_say_what_is_new_and_what_is_still_unseen(tmp_path):
    for i, name in enumerate(("true", "ls", "true", "true")):
        assert run([PALE, "learn", "--backend", "ptrace", "-r", tmp_path / f"{i}", "-o", "/dev/null", "--", name]).rc == 0
    old = [a for i in range(4) for a in ("--earlier", tmp_path / f"{i}")]
    go = tmp_path / "go"
    p = subprocess.Popen([PALE, "learn", "--live", *old, "--backend", "ptrace", "-r", tmp_path / "now", "-o", "/dev/null", "--",
                          "sh", "-c", f"kill -0 $$; sleep 0; until [ -e {go} ]; do sleep .1; done"], stderr=subprocess.PIPE, text=True)
    before, now, said = [{c for c in Recording(tmp_path / f"{i}").calls} for i in range(4)], set(), None
    while not said or int(said[1]) != len(now - set().union(*before)):  # what came after a line the next one says
        said = re.search(r"; (\d+) calls that 4 earlier runs did not make; more runs would add ([\d.]+) at least\n", p.stderr.readline())
        assert said
        (tmp_path / "now").unlink(missing_ok=True)
        p.send_signal(signal.SIGUSR1)
        wait_for((tmp_path / "now").exists)
        now = set(Recording(tmp_path / "now").calls)
    go.touch()
    p.communicate(timeout=PATIENCE)
    assert p.returncode == 0 and int(said[1]) == len(set(Recording(tmp_path / "now").calls) - set().union(*before)) > 0
    runs = [*before, now]
    seen = [sum(c in r for r in runs) for c in set().union(*runs)]
    q1, q2 = seen.count(1), seen.count(2)
    assert float(said[2]) == pytest.approx(4 / 5 * q1 * (q1 - 1) / (2 * (q2 + 1)), abs=0.06)


def test_of_earlier_runs_without_a_look_nothing_would_come(tmp_path):
    r = run([PALE, "learn", "--earlier", tmp_path / "no", "--", "true"])
    assert r.rc == 125 and "--earlier is looked at by --live" in r.err
    r = run([PALE, "learn", "--live", "--earlier", tmp_path / "no", "--", "touch", tmp_path / "done"])
    assert r.rc == 125 and "no'" in r.err and not (tmp_path / "done").exists(), r


# ---- programs ----

def told_of(rec):
    """Of each program the numbers of its calls, of those while serving, and of those that no other one makes."""
    def alone(program):
        return set(rec.by[program]) - set().union(*(made for p, made in rec.by.items() if p != program))
    return {p or "others": (len(made), len(rec.serve_by.get(p, ())), len(alone(p))) for p, made in rec.by.items()}


ROW = r"(\S+)(?:  | \()(\d+) calls?(?:, (\d+) while serving)?, (\d+) alone"


def shown(text):
    return {name: tuple(int(n or 0) for n in numbers) for name, *numbers in re.findall(ROW, text)}


@EACH
def test_the_programs_are_shown_with_what_each_alone_makes_as_the_recording_has_them(tmp_path, terminal, backend):
    """A shell starts a server and waits; whose name is no terminal's business is shown as printable ASCII."""
    usable(backend)
    odd, go = tmp_path / "e\x1b[2J\r\u202e", tmp_path / "go"
    odd.write_bytes(open("/bin/true", "rb").read())
    odd.chmod(0o755)
    terminal.resize(150, 24)
    terminal.width = 150
    p = subprocess.Popen([PALE, "learn", "--live=screen", "--backend", backend, "-o", "/dev/null", "-r", tmp_path / "rec", "--", "sh", "-c",
                          f"umask 22; {BUILD}/tests/learn/probes/serves accept; '{odd}'; (:); until [ -e {go} ]; do sleep .1; done"],
                         stderr=terminal.slave,  # without $PWD a shell asks for it
                         env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "PWD": os.getcwd()})

    def is_told():
        (tmp_path / "rec").unlink(missing_ok=True)
        p.send_signal(signal.SIGUSR1)
        wait_for((tmp_path / "rec").exists)
        rec = Recording(tmp_path / "rec")
        at = shown("\n".join(terminal.screen()))
        names = {n.replace(str(odd), f"{tmp_path}/e\\x1b[2J\\x0d\\xe2\\x80\\xae"): numbers for n, numbers in told_of(rec).items()}
        return len(names) == 4 and at == names

    try:
        wait_for(lambda: terminal.shows(f"{os.path.basename(odd)[0]}.x1b"))
        wait_for(is_told)
        assert terminal.shows(r"^  programs  .*/serves  \d+ calls, \d+ while serving, \d+ alone: [a-z]")
        assert terminal.shows(r"dash  \d+ calls, \d+ alone: .*umask") or os.path.realpath("/bin/sh") != "/usr/bin/dash"
        assert set(terminal.text) <= {*map(chr, range(32, 127)), "\x1b", "\r", "\n"}
    finally:
        go.touch()
    assert p.wait(PATIENCE) == 0


@EACH
def test_a_line_names_the_programs_that_alone_make_most(tmp_path, backend):
    usable(backend)
    go = tmp_path / "go"
    p = subprocess.Popen([PALE, "learn", "--live", "--backend", backend, "-o", "/dev/null", "-r", tmp_path / "rec", "--", "sh", "-c",
                          f"umask 22; cat /etc/hostname; ls /; head -c1 /etc/hostname; until [ -e {go} ]; do sleep .1; done"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = None
    while not said or said[1] == "1":  # what had not been done when it came the next one says
        said = re.search(r"; by (\d+) programs?: (.*)$", p.stderr.readline())
    go.touch()
    p.communicate(timeout=PATIENCE)
    assert p.returncode == 0
    told, lines, n = told_of(Recording(tmp_path / "rec")), shown(said[2]), int(said[1])
    assert 1 < n <= len(told) == 5 and len(lines) == min(n, 3) and said[2].endswith(", ...") == (n > 3), said
    # what came behind the line is not in it: others made a call, too, or it made one more
    assert all(0 <= alone <= calls <= told[name][0] for name, (calls, _, alone) in lines.items()), (told, lines)
    assert list(lines) == sorted(lines, key=lambda name: -lines[name][2])


def test_of_very_many_programs_the_picture_stays_within_the_terminal(tmp_path):
    """Those that are not shown are counted, and what was new has its rows."""
    usable("ebpf")
    for i in range(30):
        shutil.copy(BUILD / "tests/learn/probes/spin", tmp_path / f"p{i}")
    go = tmp_path / "go"
    t = Terminal(60, 16)
    script = "".join(f"{tmp_path}/p{i} 1; " for i in range(30))
    p = subprocess.Popen([PALE, "learn", "--live=screen", "--backend", "ebpf", "-o", "/dev/null", "--", "sh", "-c",
                          f"{script} until [ -e {go} ]; do sleep .1; done"], stderr=t.slave,
                         env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"})
    try:
        wait_for(lambda: t.shows(r"^            and 30 more$"))  # the shell, sleep, and 30 others: two are shown
        frames = t.bytes.decode().split("\x1b[J")[1:-1]
        assert all(frame.count("\r\n") < 16 for frame in frames) and t.shows(r"^ +0:\d\d  (call|file) ")
    finally:
        go.touch()
        assert p.wait(PATIENCE) == 0
        t.close()
