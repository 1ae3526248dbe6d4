# SPDX-License-Identifier: Apache-2.0
"""pale.toml: found upwards, the nearest counts; --config, --isolated and the command line before it;
what is wrong with it has a place; pale.toml.5's examples. --error-on."""
import json
import os
import random
import re
import shutil

import pytest

from cases import entry, profile
from conftest import ROOT, run, some

PAGE = ROOT / "compiler" / "cmd" / "pale.toml.5"
PTRACE = profile(entry("ptrace", "read", "chroot", "no_such_call"))  # SR205 SR212 SC101 and needs


@pytest.fixture
def lint(pale, tmp_path):
    """{file: rules told of it}"""
    def call(*args, check=None, cwd=tmp_path, **kw):
        r = pale("lint", "--runtime", "any", "--format", "json", *args, cwd=cwd, check=check, **kw)
        told = {}
        for f in json.loads(r.out)["findings"]:
            told.setdefault(f["file"], set()).add(f["id"])
        return told
    for d in "", "sub", "sub/deep", "other":
        (tmp_path / d).mkdir(exist_ok=True)
        (tmp_path / d / "p.json").write_text(PTRACE)
    return call


def toml(folder, text):
    (folder / "pale.toml").write_text(text)


def test_the_nearest_file_upwards_counts_alone(lint, tmp_path):
    toml(tmp_path, '[lint]\nselect = ["SR205"]\n')
    toml(tmp_path / "sub/deep", '[lint]\nignore = ["S", "PL"]\n')
    told = lint(".")
    assert told.pop("./other/p.json") == told.pop("./sub/p.json") == told.pop("./p.json") == {"SR205"}
    assert not told
    assert lint("p.json", "../other/p.json", cwd=tmp_path / "sub") == {"p.json": {"SR205"}, "../other/p.json": {"SR205"}}
    assert lint("-", cwd=tmp_path / "sub/deep", input=PTRACE) == {}
    assert lint("-", "--stdin-filename", "../x.json", cwd=tmp_path / "sub/deep", input=PTRACE) == {"../x.json": {"SR205"}}


def test_config_and_isolated_are_in_place_of_what_is_found(lint, pale, tmp_path):
    toml(tmp_path, '[lint]\nselect = ["SR205"]\n')
    (tmp_path / "sub/own.toml").write_text('[lint]\nselect = "SR212"\n')
    every = lint("--isolated", "p.json")["p.json"]
    assert {"SR205", "SR212", "SC101"} < every
    assert lint("--config", "sub/own.toml", "p.json", "other/p.json") == {"p.json": {"SR212"}, "other/p.json": {"SR212"}}
    assert "one of '--config' and '--isolated', not both" in \
        pale("lint", "--isolated", "--config", "x", "p.json", cwd=tmp_path, check=2).err
    assert "no.toml" in pale("lint", "--config", "no.toml", "p.json", cwd=tmp_path, check=3).err


def test_the_command_line_is_in_place_of_a_key(lint, tmp_path):
    toml(tmp_path, '[lint]\nselect = ["SR"]\nignore = ["SR205"]\nexclude = ["sub"]\nseverity = "warning"\n')
    assert "SR205" not in lint("p.json")["p.json"]
    assert lint("--select", "SR205", "p.json") == {"p.json": {"SR205"}}
    assert "SR205" in lint("--ignore", "SR212", "p.json")["p.json"]
    assert not any(f.startswith("./sub") for f in lint("."))
    assert lint("sub/deep/p.json") == {}
    assert {f.split("/")[1] for f in lint("--exclude", "other", ".")} == {"p.json", "sub"}


def test_of_a_folder_that_is_named_only_its_own_file_is_read(lint, tmp_path):
    toml(tmp_path / "sub", "no toml\n")
    toml(tmp_path / "sub/deep", '[lint]\nselect = "SR205"\n')
    assert set(lint("sub/deep")) == {"sub/deep/p.json"}


def test_rules_are_ignored_by_file(lint, tmp_path):
    toml(tmp_path, '[lint]\nselect = ["SR205", "SR212"]\n[lint.per-file-ignores]\n"sub/deep/*" = ["SR2", "SC101"]\n'
                   '"other" = "risk-ptrace"\n')
    assert lint(".") == {"./p.json": {"SR205", "SR212"}, "./sub/p.json": {"SR205", "SR212"}, "./other/p.json": {"SR212"}}
    assert lint("deep/p.json", cwd=tmp_path / "sub") == {}
    assert lint("--select", "SR205", "deep/p.json", cwd=tmp_path / "sub") == {}


def test_each_file_is_read_for_the_target_of_its_own(pale, tmp_path):
    text = "profile a {\n  userns create,\n}\n"
    for release in "3.0", "4.1":
        (tmp_path / release).mkdir()
        (tmp_path / release / "a.aa").write_text(text)
        toml(tmp_path / release, f'[lint]\ntarget = "apparmor={release}"\n')
    r = pale("lint", "--format", "json", "3.0/a.aa", "4.1/a.aa", "3.0/a.aa", cwd=tmp_path)
    refused = [f["file"] for f in json.loads(r.out)["findings"] if f["severity"] == "error"]
    assert set(refused) == {"3.0/a.aa"}, r


def test_paths_are_relative_to_the_folder_of_the_file(pale, tmp_path):
    (tmp_path / "p.json").write_text(PTRACE)
    (tmp_path / "sub").mkdir()
    pale("lint", "--runtime", "any", "--write-baseline", "known.json", "p.json", cwd=tmp_path)
    toml(tmp_path, '[lint]\nbaseline = "known.json"\nruntime = "any"\n')
    pale("lint", "p.json", cwd=tmp_path, check=0)
    pale("lint", "--isolated", "--runtime", "any", "p.json", cwd=tmp_path, check=1)
    r = pale("lint", "../p.json", cwd=tmp_path / "sub")
    assert "cannot read" not in r.err  # the baseline is found; a file that is called otherwise is another


def test_the_form_is_that_of_the_working_directory(pale, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/p.json").write_text(PTRACE)
    toml(tmp_path, '[lint]\nformat = "concise"\n')
    toml(tmp_path / "sub", '[lint]\nformat = "json"\n')
    lines = pale("lint", "--runtime", "any", "sub/p.json", cwd=tmp_path).out.splitlines()
    assert lines and all(re.match(r"sub/p\.json:\d+:\d+: ", x) for x in lines)
    assert json.loads(pale("lint", "--runtime", "any", "p.json", cwd=tmp_path / "sub").out)["version"]
    assert pale("lint", "--runtime", "any", "--statistics", "sub/p.json", cwd=tmp_path).rc == 1


@pytest.mark.parametrize("text,place,ident,words", [
    ('[lint]\nselekt = "SR"', "2:1", "PL439", "did you mean 'select'?"),
    ('[lnt]', "1:2", "PL439", "did you mean 'lint'?"),
    ('select = "SR"', "1:1", "PL439", "the keys stand below [lint]"),
    ('[lint]\nselect = ["SR",\n  "SR2O5"]', "3:3", "PL440", "did you mean 'SR205'?"),
    ('[lint]\nseverity = "hihg"', "2:12", "PL440", "did you mean 'high'?"),
    ('[lint]\nerror-on = ["high", "SR2O5"]', "2:21", "PL440", "did you mean 'SR205'?"),
    ('[lint]\nseverity = 3', "2:12", "PL440", "'severity' takes a text, not a number"),
    ('[lint]\ncaps = "none"\nkernel = "99.0"', "3:10", "PL440", "this pale knows Linux up to"),
    ('[lint]\ncaps = "sys_admn"', "2:8", "PL440", "did you mean 'sys_admin'?"),
    ('[lint]\nruntime = "dockr-28"', "2:11", "PL440", "dockr-28"),
    ('[lint]\ntarget = "apparmor=9"', "2:10", "PL440", "no release of AppArmor"),
    ('[lint]\nsets = "no"', "2:8", "PL440", "takes a directory"),
    ('[lint.per-file-ignores]\n"a" = ["XX9"]', "2:8", "PL440", "'XX9' is none"),
    ('[lint]\nper-file-ignores = 1', "2:20", "PL440", "takes a table"),
    ('[lint]\nselect = "a" "b"', "2:14", "PL437", "behind the value"),
    ('[lint]\nselect = ["a" "b"]', "2:15", "PL437", "',' or ']'"),
    ('[lint]\nselect = "a\nb', "2:10", "PL437", "not closed on its line"),
    ('[lint]\nselect = SR', "2:10", "PL437", "stands in quotes"),
    ('[lint]\nselect', "2:7", "PL437", "'='"),
    ('[lint', "1:6", "PL437", "']'"),
    ('[lint]\n[lint]', "2:2", "PL437", "given before"),
    ('[lint]\nignore = "SR"\nignore = "SC"', "3:1", "PL437", "given before"),
    ('[lint]\nlint.a.b = 1\nlint.a = 2', "3:6", "PL437", "given before"),
    ('[lint]\na = "\\d"', "2:6", "PL437", "no such escape"),
    ('[lint]\na = "\\u00"', "2:6", "PL437", "four hexadecimal digits"),
    ('[lint]\na = "\\ud800"', "2:6", "PL437", "no character"),
    ('[lint]\na = { b = 1,\n}', "2:13", "PL437", "key is expected"),
    ('[lint]\na = """b"""', "2:5", "PL438", "several lines"),
    ("[lint]\na = '''b'''", "2:5", "PL438", "several lines"),
    ('[lint]\na = 1.5', "2:5", "PL438", "decimal integers"),
    ('[lint]\na = 0x1f', "2:5", "PL438", "decimal integers"),
    ('[lint]\na = 2026-11-29T07:00:00', "2:5", "PL438", "dates"),
    ('[[lint]]', "1:1", "PL438", "arrays of tables"),
    ('[lint]\na = ' + "[" * 40, "2:38", "PL437", "32 deep"),
    (b'[lint]\na = "\xff"', "2:6", "PL437", "not UTF-8"),
    ('[lint]\na = "\x1b"', "2:6", "PL437", "control character"),
])
def test_what_is_wrong_is_told_where_it_stands(pale, tmp_path, text, place, ident, words):
    (tmp_path / "p.json").write_text(PTRACE)
    (tmp_path / "pale.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    r = pale("lint", "p.json", cwd=tmp_path, check=1)
    assert not r.out and f"pale.toml:{place}: error: " in r.err and f"[{ident} " in r.err and words in r.err, r.err


def test_what_toml_allows_is_read_as_python_reads_it(lint, tmp_path):
    text = ('# a comment\r\n"lint".select = [ # of all\n  "SR205", \'SR212\', # two\n\n  "\\u0053C101",\n]\n'
            'lint . "ignore" = []\nlint.per-file-ignores = { "a b" = "SR", \'c\' = ["SC"] }\n')
    tomllib = pytest.importorskip("tomllib")
    assert tomllib.loads(text)["lint"]["select"] == ["SR205", "SR212", "SC101"]
    toml(tmp_path, text)
    assert lint("p.json")["p.json"] == {"SR205", "SR212", "SC101"}


def test_what_pale_takes_is_toml(pale, tmp_path):
    """Random edits of a file: where pale says that it is TOML, Python's reader does, too."""
    tomllib = pytest.importorskip("tomllib")
    rng, taken, refused = random.Random(12), 0, 0
    (tmp_path / "p.json").write_text("{}")
    base = ('[lint]\nselect = ["SR", \'SC\', "\\u0041P"]\nx.y = {a = 1, b = true}\n"q r" = -12 # c\n'
            '[lint.per-file-ignores]\n"a/*" = "SR"\n[other]\nz = [[1, 2], []]\n')
    for _ in range(4000 if os.environ.get("PALE_LONG") else some(150)):
        text = base
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(text))
            cut = rng.choice((0, 1, 1, 3))
            text = text[:at] + rng.choice(("", "=", "[", "]", "\"", "'", "\n", ".", ",", "{", "}", "1", "a", "#", "\\", "_", "-", " ")) + text[at + cut:]
        toml(tmp_path, text)
        r = pale("lint", "p.json", cwd=tmp_path)
        assert r.rc in (0, 1), (text, r)
        syntax = "[PL437 " in r.err or "[PL438 " in r.err
        refused += syntax
        try:
            tomllib.loads(text)
            right = True
        except tomllib.TOMLDecodeError:
            right = False
        assert not right or not syntax or "[PL438 " in r.err, (text, r.err)
        assert right or syntax, (text, r.err)
        taken += right
    assert taken > some(10) and refused > some(50)


def test_error_on_takes_rules_too(pale, tmp_path):
    (tmp_path / "p.json").write_text(PTRACE)

    def rc(*levels):
        return pale("lint", "--runtime", "any", "--select", "SR205,SR212", *(a for x in levels for a in ("--error-on", x)),
                    "p.json", cwd=tmp_path).rc
    assert rc("none") == rc("error") == 0 and rc("high") == rc("info") == 1
    assert rc("SR205") == rc("risk-ptrace") == rc("SR2") == rc("error,SR205") == rc("none", "SR212") == 1
    assert rc("SC101") == rc("error", "SC") == 0
    (tmp_path / "cut.json").write_text('{"defaultAction": ')
    pale("lint", "--error-on", "SR205", "cut.json", cwd=tmp_path, check=1)
    err = pale("lint", "--error-on", "hihg", "x", check=2).err
    assert "'--error-on' takes error, high, warning, info, none and rules" in err and "did you mean 'high'?" in err
    toml(tmp_path, '[lint]\nerror-on = "SC101"\n')
    assert rc() == 0 and rc("SR205") == 1


def examples():
    lines = PAGE.read_text().splitlines()
    for i, line in enumerate(lines):
        if line == ".Bd -literal":
            yield "\n".join(lines[i + 1:lines.index(".Ed", i)]) + "\n"


@pytest.mark.parametrize("text", list(examples()))
def test_the_manual_s_examples_are_taken_or_refused_as_it_says(pale, tmp_path, text):
    (tmp_path / "p.json").write_text(profile())
    toml(tmp_path, text)
    r = pale("lint", "--error-on", "none", "p.json", cwd=tmp_path)
    refused = re.findall(r"# refused: (PL\d+)", text)
    assert r.rc == bool(refused) and re.findall(r"\[(PL4\d\d) ", r.err) == refused[:len(re.findall(r"\[(PL4\d\d) ", r.err))], r
    assert not refused or re.findall(r"\[(PL4\d\d) ", r.err), r


def test_the_manual_names_every_key_and_renders(pale, tmp_path):
    source = (ROOT / "compiler/cmd/lint_config.c").read_text()
    ids = re.findall(r"OPT_(\w+)", re.search(r"keys\[\] = \{(.*?)\};", source, re.S).group(1))
    table = dict(re.findall(r'^OPTION\((\w+), [^,]+, "([\w-]+)"', (ROOT / "compiler/cmd/options.def").read_text(), re.M))
    page = PAGE.read_text()
    tags = {w for line in re.findall(r"^\.It (Ic .*)$", page, re.M) for w in line.replace(",", " ").split()} - {"Ic"}
    assert tags == {table[i] for i in ids} | {"per-file-ignores"} and len(ids) > 12
    if shutil.which("mandoc"):
        r = run(["mandoc", "-T", "lint", "-W", "warning", PAGE])
        assert r.rc == 0 and not r.out and not r.err, r
