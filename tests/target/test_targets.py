# SPDX-License-Identifier: Apache-2.0
"""Targets are a table: one row in compiler/target/targets.def and one file each, and nothing else."""
import json
import os
import re

import pytest

from conftest import BUILD, PATIENCE, ROOT, need, run

ROWS = re.findall(r'^TARGET\((\w+), (\w+), "([\w.]+)"', (ROOT / "compiler/target/targets.def").read_text(), re.M)
NAMES = [name for name, _, _ in ROWS]
BY_NAME = re.findall(r"^TARGET\((\w+), [^)]*TARGET_NAMED", (ROOT / "compiler/target/targets.def").read_text(), re.M)
ALL = [name for name in NAMES if name not in BY_NAME]  # what "all" is
POLICY = """policy web { layers seccomp, apparmor; arch x86_64; level linux 6.1; default errno EPERM; unknown errno ENOSYS;
    use start-run, start-runc, libc; file r /etc/hosts; }
"""
# What a SeccompProfile can say: runc answers ENOSYS for what is newer than it, crun does not.
EPERM = POLICY.replace("unknown errno ENOSYS", "unknown errno EPERM").replace("start-runc", "start-runc, start-crun")
CRUN = ["--runtime", "crun-1.28+libseccomp-2.6.1"]

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
         "-lseccomp", "-lapparmor", "-lbpf", "-lelf", "-lz", "-lyaml"], check=0, timeout=PATIENCE)
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
    assert "a list of docker, oci, spo, bpf, apparmor, names, all; 'name' is none; did you mean 'names'?" in more(
        "compile", "-t", "name", web, check=2).err


def test_every_row_has_its_file_and_says_what_it_writes(pale, tmp_path):
    assert len(ROWS) >= 4 and len(set(NAMES)) == len(ROWS)
    told = {t["name"]: t["what"] for t in json.loads(pale("list", "targets", "--format", "json", check=0).out)["targets"]}
    assert list(told) == NAMES
    for name, _, suffix in ROWS:
        assert (ROOT / f"compiler/target/{name}.c").exists()
        assert re.match(rf"NAME\.(FAMILY\.)?{re.escape(suffix)}, ", told[name])
    (tmp_path / "web.pale").write_text(EPERM)
    for name, layer, suffix in ROWS:
        pale("compile", "-q", *CRUN, "-t", name, "-o", f"{tmp_path}/{name}/", tmp_path / "web.pale", check=0)
        assert {f.name.removeprefix("web.").removeprefix("x86_64.") for f in (tmp_path / name).iterdir()} == {suffix}
    assert [line.split()[0] for line in pale("check", tmp_path / "web.pale").out.splitlines()[1:]] == ALL


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
    web.write_text(EPERM)
    out = [*CRUN, "-o", f"{tmp_path}/out/"] if command == "compile" else CRUN
    for wrong, word in ("", ""), ("bpf,,oci", ""), ("bpf,x", "x"), ("BPF", "BPF"), ("bpf oci", "bpf oci"):
        r = pale(command, "-t", wrong, *out, web, check=2)
        assert f"'--target' takes a list of {', '.join(NAMES)}, all; " in r.err and f"'{word}' is none" in r.err, r
    assert not (tmp_path / "out").exists()

    def made(*args):
        r = pale(command, *args, *out, web, check=0)
        said = r.err.splitlines() if command == "compile" else r.out.splitlines()[1:]
        return [n for n in NAMES if any(f"web.{n}" in s or f".{n}:" in s or s.startswith(n) for s in said)]
    assert made("-t", "bpf,all") == made("-t", "all,bpf") == made("-t", "all") == made() == ALL
    assert made("-t", "all,spo") == made("-t", "spo", "-t", "all") == NAMES != ALL
    assert made("-t", "oci,bpf") == made("-t", "bpf", "-t", "oci") == made("-t", "bpf,oci,") == ["oci", "bpf"]


# ---- Kubernetes ----

def test_the_operators_object_holds_what_the_profile_says(pale, tmp_path):
    (tmp_path / "web.pale").write_text(EPERM)
    pale("compile", "-q", *CRUN, "-t", "spo,oci", "-o", f"{tmp_path}/", tmp_path / "web.pale", check=0)
    made, bare = (json.loads((tmp_path / f"web.{n}.json").read_text()) for n in ("spo", "oci"))
    assert made["apiVersion"] == "security-profiles-operator.x-k8s.io/v1beta1" and made["kind"] == "SeccompProfile"
    assert made["metadata"] == {"name": "web"} and set(made) == {"apiVersion", "kind", "metadata", "spec"}
    assert bare.pop("defaultErrnoRet") == 1 and made["spec"] == bare
    r = pale("diff", "--layers", "seccomp", tmp_path / "web.pale", tmp_path / "web.spo.json", check=0)
    assert "same: 386 calls" in r.out, r
    pale("import", "-o", tmp_path / "back.pale", tmp_path / "web.spo.json", check=0)
    pale("diff", tmp_path / "web.spo.json", tmp_path / "back.pale", check=0)
    assert "error" not in pale("lint", tmp_path / "web.spo.json").err


@pytest.mark.parametrize("change, says", [
    (("unknown errno EPERM", "unknown errno ENOSYS"), "a SeccompProfile has no 'defaultErrnoRet': unknown numbers would answer EPERM [PL225"),
    (("policy web", "policy web_1"), "'web_1' cannot be an object's name [PL297"),
    (("policy web", "policy Web"), "'Web' cannot be an object's name [PL297"),
    (("file r", "allow lseek(offset == -1); file r"), "holds numbers up to 9223372036854775807 [PL297"),
    (("x86_64;", "x86_64, loongarch64;"), "takes no 'SCMP_ARCH_LOONGARCH64' [PL297"),
])
def test_what_the_operators_object_cannot_hold_is_told(pale, tmp_path, change, says):
    (tmp_path / "web.pale").write_text(EPERM.replace(*change))
    r = pale("compile", "-t", "spo", *CRUN, "-o", tmp_path / "x", tmp_path / "web.pale", check=1)
    assert says in r.err and not (tmp_path / "x").exists(), r
    assert pale("check", "-t", "spo", *CRUN, tmp_path / "web.pale", check=1).out.splitlines()[1].startswith("spo          refused")
    pale("compile", "-q", "-t", "oci", *CRUN, "-o", tmp_path / "x", tmp_path / "web.pale", check=0)


def test_an_unknown_errno_that_it_cannot_hold_is_taken_tighter_when_asked(pale, tmp_path):
    (tmp_path / "web.pale").write_text(POLICY)
    r = pale("compile", "-t", "spo", "--approximate", "-o", tmp_path / "x.json", tmp_path / "web.pale", check=0)
    assert "holes in the table answer EPERM: a SeccompProfile has no 'defaultErrnoRet' [PL230" in r.err and "never looser" in r.err
    assert "defaultErrnoRet" not in (tmp_path / "x.json").read_text()
