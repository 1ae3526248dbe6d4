# SPDX-License-Identifier: Apache-2.0
"""The structure keeps its promises: who may include whom, what is never committed."""
import pathlib
import re
import subprocess

from conftest import ROOT

# A room may include itself and what stands here (README, "The map").
MAY = {
    "compiler/base": set(),
    "grammar": {"compiler/base"},
    "compiler/automata": {"compiler/base"},
    "compiler/tables": {"compiler/base"},
    "compiler/policy": {"compiler/base", "compiler/automata", "compiler/tables", "grammar"},
}
MAY["compiler/decision"] = MAY["compiler/policy"] | {"compiler/policy"}
MAY["compiler/apparmor"] = MAY["compiler/policy"] | {"compiler/policy"}
MAY["compiler/cbpf"] = MAY["compiler/decision"] | {"compiler/decision"}
MAY["compiler/oci"] = MAY["compiler/cbpf"] | {"compiler/cbpf"}
MAY["compiler/lint"] = MAY["compiler/oci"] | {"compiler/oci", "compiler/apparmor"}
MAY["compiler/enforce"] = MAY["compiler/cbpf"] | {"compiler/cbpf", "compiler/apparmor"}
MAY["learn"] = MAY["compiler/policy"] | {"compiler/policy"}

LIBRARIES = {  # headers that only some rooms may include
    r"bpf/": {"learn"},
    r"sys/apparmor\.h": {"learn", "compiler/enforce"},
    r"seccomp\.h>": {"compiler/oci"},
}


def files(*ends):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, text=True, check=True).stdout.split()
    return [f for f in out if f.endswith(ends) and (ROOT / f).exists()]


def room(path):
    parts = pathlib.PurePath(path).parts
    return "/".join(parts[:2]) if parts[0] == "compiler" and len(parts) > 2 else parts[0]


def test_rooms_include_only_what_they_may():
    wrong = []
    for f in files(".c", ".h", ".l", ".y"):
        r = room(f)
        if r not in MAY:
            continue
        for inc in re.findall(r'#include "([^"]+)"', (ROOT / f).read_text()):
            other = room(inc)
            if "/" in inc and other != r and other not in MAY[r]:
                wrong.append(f"{f} includes {inc}")
    assert not wrong


def test_libraries_stay_in_their_rooms():
    wrong = []
    for f in files(".c", ".h"):
        r = room(f)
        if r == "tests" or f.endswith(".bpf.c"):
            continue
        for inc in re.findall(r"#include (<[^>]+>)", (ROOT / f).read_text()):
            for pattern, rooms in LIBRARIES.items():
                if re.match("<" + pattern, inc) and r not in rooms:
                    wrong.append(f"{f} includes {inc}")
    assert not wrong


def test_the_library_never_prints_or_exits():
    wrong = []
    for f in files(".c"):
        if room(f) not in MAY or f.endswith((".bpf.c", "mktables.c", "mkprint.c", "base/bug.c")):
            continue
        text = re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\])*\"", "", (ROOT / f).read_text(), flags=re.S)
        for m in re.finditer(r"(?<![\w.>])(printf|puts|putchar|exit|perror)\s*\(", text):
            wrong.append(f"{f}: {m.group(1)}")
        for m in re.finditer(r"\b(?:fprintf|fputs|fputc|fwrite)\s*\([^;]*\b(stdout|stderr)\b", text):
            wrong.append(f"{f}: {m.group(0)[:60]}")
    assert not wrong


def without_comments(f):
    return re.sub(r"/\*.*?\*/", "", (ROOT / f).read_text(), flags=re.S)


def test_a_name_reaches_the_terminal_by_one_way():
    """tell() for stderr; buf_safe(), or what is safe already, for what is printed."""
    raw = (r"\b(?:fprintf|fputs|fputc|vfprintf)\s*\([^;]*\bstderr\b", r"\bperror\s*\(",
           r"\b(?:buf_printf|buf_puts|printf|fputs|puts)\s*\([^;]*(?:\b(?:src|source|side)->name\b|->file\b"
           r"|->path\b|\bpath\b|\boptarg\b|\bargv\[)")
    wrong = []
    for f in files(".c"):
        if room(f) not in ("compiler", "compiler/cmd") or f.endswith("cmd/common.c"):
            continue
        text = re.sub(r'"(?:\\.|[^"\\])*"', '""', without_comments(f))
        wrong += [f"{f}: {m.group(0)[:80]}" for p in raw for m in re.finditer(p, text)]
    assert not wrong


def test_no_shell_in_what_ships():
    wrong = [f for f in files(".c") if room(f) in MAY or room(f) == "compiler"
             if re.search(r"(?<![\w.>])(system|popen)\s*\(", (ROOT / f).read_text())]
    assert not wrong


def test_generated_files_are_not_committed():
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    bad = [f for f in out.split() if re.search(r"\.(tab|lex)\.[ch]$|\.skel\.h$|\.[oa]$|vmlinux\.h$", f)]
    assert not bad


def test_every_source_names_its_licence():
    bad = [f for f in files(".c", ".h", ".l", ".y", ".py", ".sh", ".mk", ".def")
           if "SPDX-License-Identifier" not in (ROOT / f).read_text()[:400]]
    assert not bad


def functions(f):
    """(first line, lines inside, head) of each: what stands between '{' and '}' in column 0."""
    lines, start = (ROOT / f).read_text().split("\n"), None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            head = start - 1
            while head and not re.match(r"[A-Za-z_]", lines[head]):
                head -= 1
            yield head + 1, i - start - 1, " ".join(lines[head:start])
            start = None


def parameters(head):
    inside, depth, n = re.search(r"\((.*)\)\s*$", head), 0, 1
    for c in inside.group(1) if inside else "":
        depth += (c in "([") - (c in ")]")
        n += c == "," and not depth
    return n


def test_no_function_is_longer_than_a_screen_or_takes_more_than_seven_parameters():
    wrong = [f"{f}:{line}: {n} lines, {parameters(head)} parameters" for f in files(".c")
             for line, n, head in functions(f) if n > 60 or parameters(head) > 7]
    assert not wrong


def test_no_file_is_longer_than_1000_lines():
    wrong = [f for f in files(".c", ".h", ".l", ".y", ".py") if f != "learn/trace.bpf.c"  # loaded as one
             if len((ROOT / f).read_text().split("\n")) > 1001]
    assert not wrong
