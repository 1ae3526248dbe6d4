# SPDX-License-Identifier: Apache-2.0
"""Twenty-two real programs with three loads each: what the closed loop learns from and replays.

A job is a file of jobs/: packages (Debian's), third (what the third load does and the first does
not), argv (words for the shell), then parts for the shell: once (before all of its runs; $KEEP is
what it may fill), setup (before each run; $D is the job's directory, empty then), ready (a server is
waited for until this succeeds; $PORT is its port of 127.0.0.1). A server is loaded from outside by load
1, 2, 3 ($PID is its process); another job is itself a script, work 1, 2, 3, that becomes $D/work.

The first is short. The second is long: its own text and then the third's, as a job of a week has met
on some day what another day asks for.
"""
import dataclasses
import pathlib

HERE = pathlib.Path(__file__).resolve().parent / "jobs"


@dataclasses.dataclass
class Job:
    name: str
    head: dict
    parts: dict

    def get(self, part):
        return self.parts.get(part, "")

    @property
    def is_server(self):
        return "load 1" in self.parts

    def text(self, n):
        """Its load n (1 to 3) for the shell, or its script."""
        kind = "load" if self.is_server else "work"
        if n != 2:
            return self.parts[f"{kind} {n}"]
        second, third = (self.parts[f"{kind} {i}"] for i in (2, 3))
        if self.is_server or self.head.get("together") == "shell":
            return second + third
        if self.head.get("together") == "perl":
            return f"{{\n{second}}}\n{{\n{third}}}\n"
        return f"mkdir $D/1 $D/2\nK=$D\nD=$K/1\n{second}D=$K/2\n{third}"


def read(path):
    head, parts, part = {}, {}, None
    for line in path.read_text().splitlines(keepends=True):
        if line.startswith("--- "):
            part = line[4:].strip()
            assert part not in parts, (path, part)
            parts[part] = ""
        elif part is None:
            key, value = line.split(": ", 1)
            head[key] = value.strip()
        else:
            parts[part] += line
    return Job(path.name, head, parts)


JOBS = [read(p) for p in sorted(HERE.iterdir())]
