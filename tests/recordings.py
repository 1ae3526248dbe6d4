# SPDX-License-Identifier: Apache-2.0
"""Reads recordings, as pale-recording(5) says, without any of pale's code."""
import pathlib
import re


def unquote(text):
    assert text[0] == text[-1] == '"', text
    return re.sub(rb"\\(x[0-9a-f]{2}|[\"\\])",
                  lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x" else m[1],
                  text[1:-1].encode()).decode(errors="surrogateescape")


def split_words(line):
    return re.findall(r'"(?:[^"\\]|\\.)*"|\S+', line)


class Recording:
    """The facts of a recording of one run, or of all that are in it together."""

    def __init__(self, path=None, text=None):
        self.text = text if path is None else pathlib.Path(path).read_text(encoding="ascii")
        self.runs, self.calls, self.files, self.args, self.tuples, self.peers = {}, {}, {}, {}, set(), set()
        self.rules, self.ours, self.sockets = {}, set(), set()
        self.addresses, self.counts, self.tuple_counts = {}, {}, {}
        self.by, self.serve_by = {}, {}  # program, None for others: its calls
        self.serve_calls, self.serve_args, self.serve_tuples, self.serve_caps = {}, {}, set(), set()
        lines = self.text.splitlines()
        assert lines[0] == "pale recording 1" and lines[-1].startswith("end ")
        for line in lines[1:-1]:
            if line.startswith("run "):
                w = split_words(line)
                self.runs.setdefault(int(w[1]), {})[w[2]] = w[3] if w[3:] else True
            else:
                self.add(*line.split("\t"))
        lost = {k[5:]: int(v) for r in self.runs.values() for k, v in r.items() if k.startswith("lost-")}
        self.losses = lost or "none"
        self.tasks = sum(int(r.get("tasks", 0)) for r in self.runs.values())

    def add(self, fact, columns):
        w, count = split_words(fact), sum(int(c.split(":")[1].split("@")[0]) for c in columns.split())
        if w[0] == "serve":
            self.add_serve(w[1:], count)
        elif w[0] == "call":
            self.calls[w[1], w[2]] = count
        elif w[0] == "by":
            self.add_by(self.by, w, count)
        elif w[0] == "address":
            self.addresses[tuple(w[1:])] = count
        elif w[0] == "file":
            name = unquote(w[1])
            self.files[name] = (w[2], "owned" in w[3:])
            self.counts[name] = count
            if "peers" in w[3:]:
                self.peers.add(name)
            if "ours" in w[3:]:
                self.ours.add(name)
            if "socket" in w[3:]:
                self.sockets.add(name)
        elif w[0] == "rule":
            self.rules[unquote(w[1])] = count
        elif w[0] in ("bits", "value"):
            self.args.setdefault((w[2], int(w[3])), []).append(f"{w[4]}:{count}" if w[0] == "value" else w[-1])
        elif w[0] == "tuple":
            key = (w[2], *(int(v, 16) for v in w[3:6]))
            self.tuples.add(key)
            self.tuple_counts[key] = count

    @staticmethod
    def add_by(to, w, count):
        to.setdefault(unquote(w[1]) if w[1][0] == '"' else None, {})[w[2], w[3]] = count

    def add_serve(self, w, count):
        if w[0] == "call":
            self.serve_calls[w[1], w[2]] = count
        elif w[0] == "by":
            self.add_by(self.serve_by, w, count)
        elif w[0] == "capability":
            self.serve_caps.add(w[1])
        elif w[0] == "tuple":
            self.serve_tuples.add((w[2], *(int(v, 16) for v in w[3:6])))
        else:
            self.serve_args.setdefault((w[2], int(w[3])), []).append(f"{w[4]}:{count}" if w[0] == "value" else w[-1])

    def serve_names(self, arch="x86_64"):
        return {name for a, name in self.serve_calls if a == arch}

    def made_by(self, program, arch="x86_64"):
        return {name for a, name in self.by.get(str(program), {}) if a == arch}

    def names(self, arch="x86_64"):
        return {name for a, name in self.calls if a == arch}
