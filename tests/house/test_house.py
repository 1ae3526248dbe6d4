# SPDX-License-Identifier: Apache-2.0
"""The structure keeps its promises: who may use whom, what is never committed."""
import pathlib
import re
import subprocess

from conftest import BUILD, ONCE, ROOT, need, run, skip



def include_table():
    """HACKING.md, "Rooms": {room: rooms that it may use}; cmd may use everything."""
    rows = re.findall(r"^\| `([\w/]+)` \| ([a-z ]*)\|", (ROOT / "HACKING.md").read_text(), flags=re.M)
    full = {r.rsplit("/", 1)[-1]: r for r, _ in rows}
    assert len(full) == len(rows)
    return full.values(), {r: {full[w] for w in words.split()} for r, words in rows
                           if words.strip() != "everything"}


ROOMS, MAY = include_table()

LIBRARIES = {  # headers that only some rooms may include
    r"bpf/": {"learn"},
    r"sys/apparmor\.h": {"learn", "compiler/enforce"},
    r"seccomp\.h>": {"compiler/oci/runtime"},
    r"yaml\.h>": {"compiler/deploy"},
}


def files(*ends):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                         capture_output=True, text=True, check=True).stdout.split()
    return [f for f in out if f.endswith(ends) and (ROOT / f).exists()]


def room(path):
    """The row of the folder that the file lies in; of the tree beside the rooms the folder at the top."""
    folder = str(pathlib.PurePath(path).parent)
    return folder if folder in ROOMS else pathlib.PurePath(path).parts[0]


def test_every_folder_of_the_compiler_is_a_room():
    wrong = [f for f in files(".c", ".h") if f.count("/") > 1 and room(f) == "compiler"]
    assert len(ROOMS) > 12 and not wrong


def test_rooms_include_only_what_they_may():
    wrong = []
    for f in files(".c", ".h", ".l", ".y"):
        r = room(f)
        if r not in MAY:
            continue
        for inc in re.findall(r'#\s*include\s*["<]([^">]+)[">]', (ROOT / f).read_text()):
            other = room(inc)
            if (ROOT / inc).exists() and other != r and other not in MAY[r]:
                wrong.append(f"{f} includes {inc}")
    assert len(MAY) >= 12 and not wrong


def calls():
    """{file: files whose functions or data it uses}, as the linker sees it."""
    built = [f for f in (BUILD / f.replace(".c", ".o") for f in files(".c")) if f.exists()]
    built += (BUILD / "gen").glob("*.o")
    out = run(["nm", "-A", "-P", *built], check=0).out
    has, wants = {}, {}
    for line in out.splitlines():
        f, rest = line.split(": ", 1)
        f = str(pathlib.Path(f).relative_to(BUILD))[:-2]
        if not f.startswith(("compiler/", "grammar/", "learn/", "gen/")) or "mktables" in f:
            continue
        name, kind = rest.split()[:2]
        wants.setdefault(f, set())
        if kind == "U":
            wants[f].add(name)
        elif kind.isupper():
            has[name] = f
    return {f: {has[n] for n in names if has.get(n, f) != f} for f, names in wants.items()}


def test_rooms_call_only_what_they_may():
    def home(f):
        return {"gen/tables_data": "compiler/tables"}.get(f) or \
            ("grammar" if f.startswith("gen/") else room(f))
    graph = calls()
    wrong = [f"{f} uses {g}" for f, used in graph.items() for g in used
             if home(f) in MAY and home(g) != home(f) and home(g) not in MAY[home(f)]]
    assert len(graph) > 100 and not wrong


# Files that need each other: the scanner and parser that flex and bison write, and nothing else.
CIRCLES = [
    {"gen/policy.lex", "gen/policy.tab", "grammar/parse", "grammar/tree"},
    {"gen/apparmor.lex", "gen/apparmor.tab", "grammar/apparmor_parse", "grammar/apparmor_tree"},
]


def circles(graph):
    """Strongly connected parts of more than one file (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in graph.get(v, ()):
            if w not in index:
                visit(w)
            if w in stack:
                low[v] = min(low[v], low[w])
        if low[v] == index[v]:
            at = stack.index(v)
            part = set(stack[at:])
            del stack[at:]
            if len(part) > 1:
                found.append(part)
    for v in sorted(graph):
        if v not in index:
            visit(v)
    return found


def test_no_files_go_in_circles():
    found = circles(calls())
    assert sorted(map(sorted, found)) == sorted(map(sorted, CIRCLES))


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
        if room(f) not in ("compiler", "compiler/cmd", "compiler/file", "compiler/output", "compiler/tell") or f.endswith("cmd/common.c"):
            continue
        text = re.sub(r'"(?:\\.|[^"\\])*"', '""', without_comments(f))
        wrong += [f"{f}: {m.group(0)[:80]}" for p in raw for m in re.finditer(p, text)]
    assert not wrong


def test_one_loop_reads_the_options():
    """compiler/cmd/options.c, by the table; no command has a help text of its own."""
    found = {f for f in files(".c", ".h") if room(f) != "tests" and re.search(r"getopt|optarg|optind", without_comments(f))}
    assert found == {"compiler/cmd/options.c"}
    assert not [f for f in files(".c") if room(f) == "compiler/cmd" and re.search(r"\bhelp\[\]|\"usage: pale [a-z]", without_comments(f))]


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
    wrong = [f for f in files(".c", ".h", ".l", ".y", ".py")
             if len((ROOT / f).read_text().split("\n")) > 1001]
    assert not wrong


def test_a_rule_of_the_language_that_code_rests_on_is_written_down():
    """'language.md, rule 7' in a comment is a numbered rule of grammar/language.md."""
    page = (ROOT / "grammar" / "language.md").read_text()
    there = set(re.findall(r"^(\d+)\. \*\*", page, flags=re.M))
    named = {(f, n) for f in files(".c", ".h", ".def", ".l", ".y", ".tsv")
             for m in re.finditer(r"language\.md,[\s*]+rules? ([\d, ]+)", (ROOT / f).read_text())
             for n in re.findall(r"\d+", m.group(1))}
    assert len(named) > 10 and not [(f, n) for f, n in sorted(named) if n not in there]


def test_files_that_documents_name_are_there():
    """Paths in code spans of the documents at the top and in grammar/language.md."""
    wrong = []
    for doc in ("README.md", "HACKING.md", "grammar/language.md"):
        for path in re.findall(r"`([\w./-]+/[\w.-]+\.(?:c|h|def|tsv|py|md|sh|y|l|5|1))`", (ROOT / doc).read_text()):
            if not any((ROOT / base / path).exists() for base in (".", "compiler", "grammar")):
                wrong.append(f"{doc}: {path}")
    assert not wrong


def test_the_tree_is_formatted():
    """.clang-format, as clang-format 14 reads it: other releases lay out differently."""
    tool = need("clang-format")
    version = run([tool, "--version"], check=0).out
    if " 14." not in version:
        skip("clang-format 14 lays the tree out, and this is " + version.strip())
    r = run([tool, "--dry-run", "-Werror", *files(".c", ".h")], cwd=ROOT, timeout=300)
    assert r.rc == 0, r.err[:4000]


def test_what_is_not_repeated_under_the_sanitizers_is_there():
    """A row of ONCE that names no test any more keeps nothing from being repeated, and nobody sees it."""
    for pattern in ONCE:
        file, _, name = pattern.partition("::")
        found = list(ROOT.glob(file))
        assert found, pattern
        if name:
            words = [w for w in name.split("*") if w and not w[0].isdigit()]
            tests = re.findall(r"^def (test_\w+)", found[0].read_text(), flags=re.M)
            assert any(all(w in t for w in words) for t in tests), pattern


def test_files_of_tests_have_names_of_their_own():
    """pytest imports them by these."""
    names = [p.name for p in (ROOT / "tests").glob("*/*.py")]
    assert sorted(names) == sorted(set(names))
