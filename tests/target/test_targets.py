# SPDX-License-Identifier: Apache-2.0
"""Targets are a table: one row in compiler/target/targets.def and one file each, and nothing else."""
import json
import os
import re

import pytest

from conftest import BUILD, ROOT, need, run

ROWS = re.findall(r'^TARGET\((\w+), (\w+), "([\w.]+)"', (ROOT / "compiler/target/targets.def").read_text(), re.M)
NAMES = [name for name, _, _ in ROWS]
POLICY = """policy web { layers seccomp, apparmor; arch x86_64; level linux 6.1; default errno EPERM; unknown errno ENOSYS;
    use start-run, start-runc, libc; file r /etc/hosts; }
"""

ROW = 'TARGET(names, SECCOMP, "names.txt", TEXT, target_names_write, target_names_check, "NAME.names.txt, how many rules")\n'
FILE = r"""
#include "compiler/target/target.h"

int target_names_write(struct compilation *c, const struct target *t, const struct policy *p)
{
	struct arena *arena = c->diags->arena;
	struct artifact a = { .target = t, .about = "rules" };

	buf_printf(&a.bytes, "%zu rules\n", p->calls.n);
	a.name = arena_printf(arena, "%s.%s", target_name(c, p), t->suffix);
	vec_push(arena, &c->artifacts, a);
	return 0;
}

void target_names_check(struct target_check *c, const struct target *t, const struct policy *p)
{
	target_answer(c, t->name, p->calls.n > 1 ? TARGET_TAKES : TARGET_REFUSES, "counted");
}
"""


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    """pale with one target more: of its own objects, those of the table and of the new file are built anew."""
    tmp = tmp_path_factory.mktemp("more")
    folder = tmp / "compiler/target"
    folder.mkdir(parents=True)
    (folder / "targets.def").write_text((ROOT / "compiler/target/targets.def").read_text() + ROW)
    (folder / "names.c").write_text(FILE)
    cmd = [BUILD / f.relative_to(ROOT).with_suffix(".o") for d in ("compiler", "compiler/cmd") for f in sorted((ROOT / d).glob("*.c"))]
    if not all(o.exists() for o in cmd):
        pytest.skip("the objects of the program are not there")
    run([need("gcc"), "-std=c17", "-D_GNU_SOURCE", f"-I{tmp}", f"-I{ROOT}", f"-I{BUILD}/gen", "-Wall", "-Wextra", "-Werror",
         "-o", tmp / "pale", folder / "names.c", ROOT / "compiler/target/target.c", *cmd, BUILD / "libpale.a",
         "-lseccomp", "-lapparmor", "-lbpf", "-lelf", "-lz", "-lyaml"], check=0, timeout=120)
    env = {**os.environ, "PALE_PATH": str(ROOT / "profiles/sets")}
    return lambda *args, **kw: run([tmp / "pale", *args], env=env, **kw)


@pytest.mark.once
def test_a_target_costs_a_row_and_a_file(more, tmp_path):
    web = tmp_path / "web.pale"
    web.write_text(POLICY)
    assert "names      NAME.names.txt, how many rules\n" in more("list", "targets", check=0).out
    assert "names is NAME.names.txt, how many rules " in " ".join(more("compile", "--help", check=0).out.split())
    assert re.fullmatch(r"\d{2,} rules\n", more("compile", "-t", "names", "-o", "-", web, check=0).out)
    r = more("check", "-t", "names", web, check=0)
    assert r.out == "policy web\nnames        ok (counted)\n"
    assert "apparmor or names" not in more("compile", "-t", "bpf", "-o", "/dev/null", web, check=0).err
    assert "-t docker, oci, bpf or names)" in more("compile", "-t", "apparmor", "-o", "/dev/null", web, check=0).err
    more("compile", "-q", "-t", "all", "-o", f"{tmp_path}/out/", web, check=0)
    assert "web.names.txt" in {p.name for p in (tmp_path / "out").iterdir()}
    assert "a list of docker, oci, bpf, apparmor, names, all; 'name' is none; did you mean 'names'?" in more(
        "compile", "-t", "name", web, check=2).err


def test_every_row_has_its_file_and_says_what_it_writes(pale, tmp_path):
    assert len(ROWS) >= 4 and len(set(NAMES)) == len(ROWS)
    told = {t["name"]: t["what"] for t in json.loads(pale("list", "targets", "--format", "json", check=0).out)["targets"]}
    assert list(told) == NAMES
    for name, _, suffix in ROWS:
        assert (ROOT / f"compiler/target/{name}.c").exists()
        assert re.match(rf"NAME\.(FAMILY\.)?{re.escape(suffix)}, ", told[name])
    (tmp_path / "web.pale").write_text(POLICY)
    for name, layer, suffix in ROWS:
        pale("compile", "-q", "-t", name, "-o", f"{tmp_path}/{name}/", tmp_path / "web.pale", check=0)
        assert {f.name.removeprefix("web.").removeprefix("x86_64.") for f in (tmp_path / name).iterdir()} == {suffix}
    assert [line.split()[0] for line in pale("check", tmp_path / "web.pale").out.splitlines()[1:]] == NAMES


LISTS = {  # files of compiler/ that may name several targets in one line, and why
    "compiler/cmd/pale.bash": "bash asks no program for its words; the test below holds them to the rows",
    "compiler/cmd/options.def": "--as names who answers, 'docker:runc', not targets",
}


def test_nothing_else_lists_the_targets():
    word = re.compile(r"(?<![\w./<-])(" + "|".join(NAMES) + r")(?![\w./(-])")
    found = {}
    for f in sorted((ROOT / "compiler").rglob("*")):
        if f.suffix not in (".c", ".h", ".def", ".bash", ".1"):
            continue
        text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), f.read_text(), flags=re.S)
        lines = [line for line in text.splitlines() if len(set(word.findall(line))) > 1]
        if lines:
            found[str(f.relative_to(ROOT))] = lines
    assert set(found) == set(LISTS), found
    assert not re.search(r"\bTARGET_(?:" + "|".join(n.upper() for n in NAMES) + r")\b",
                         "".join(f.read_text() for f in (ROOT / "compiler").rglob("*.[ch]")))


def test_what_is_written_down_names_every_target():
    words = re.search(r'\[--target\]="([\w ]+)"', (ROOT / "compiler/cmd/pale.bash").read_text()).group(1).split()
    assert words == [*NAMES, "all"]
    page = (ROOT / "compiler/cmd/pale.1").read_text()
    assert not [suffix for _, _, suffix in ROWS if f".{suffix}" not in page]


@pytest.mark.parametrize("command", ["compile", "check"])
def test_lists_of_targets_are_read_alike(pale, tmp_path, command):
    web = tmp_path / "web.pale"
    web.write_text(POLICY)
    out = ["-o", f"{tmp_path}/out/"] if command == "compile" else []
    for wrong, word in ("", ""), ("bpf,,oci", ""), ("bpf,x", "x"), ("BPF", "BPF"), ("bpf oci", "bpf oci"):
        r = pale(command, "-t", wrong, *out, web, check=2)
        assert f"'--target' takes a list of {', '.join(NAMES)}, all; " in r.err and f"'{word}' is none" in r.err, r
    assert not (tmp_path / "out").exists()

    def made(*args):
        r = pale(command, *args, *out, web, check=0)
        said = r.err.splitlines() if command == "compile" else r.out.splitlines()[1:]
        return [n for n in NAMES if any(f"web.{n}" in s or f".{n}:" in s or s.startswith(n) for s in said)]
    assert made("-t", "bpf,all") == made("-t", "all,bpf") == made("-t", "all") == made() == NAMES
    assert made("-t", "oci,bpf") == made("-t", "bpf", "-t", "oci") == made("-t", "bpf,oci,") == ["oci", "bpf"]
