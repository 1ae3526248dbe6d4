# SPDX-License-Identifier: Apache-2.0
"""Input and output of every command: what is refused, how, and how quickly; files are replaced whole."""
import os
import pathlib
import stat

import pytest

from conftest import PALE, need_root, run, spent


def fmt(*args, **kw):
    return run([PALE, "fmt", *args], **kw)


def refused(r, ident, text=""):
    assert r.rc == 1 and f"[{ident} " in r.err and text in r.err and not r.out, r


def test_directory_is_a_located_error(tmp_path):
    refused(fmt(tmp_path), "PL001", "is a directory")


def test_missing_file_is_the_system_s_answer(tmp_path):
    r = fmt(tmp_path / "none.pale")
    assert r.rc == 3 and "No such file" in r.err, r


def test_no_permission_is_the_system_s_answer(tmp_path):
    need_root()
    f = tmp_path / "secret.pale"
    f.write_text("set a { allow read; }\n")
    f.chmod(0)
    tmp_path.chmod(0o755)
    for d in tmp_path.parents:  # the test's own directory, not the system's
        if d.stat().st_uid == os.geteuid() and "pytest" in d.name:
            d.chmod(0o755)
    def drop():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        run(["true"], cwd="/", preexec_fn=drop, check=0)
        readable = run(["cat", PALE], cwd="/", preexec_fn=drop, text=False).rc == 0
    except PermissionError:
        readable = False
    if not readable:
        pytest.skip("the binary is not readable for another user")
    r = run([PALE, "fmt", f], cwd="/", preexec_fn=drop)
    assert r.rc == 3 and "ermission denied" in r.err, r


@pytest.mark.parametrize("junk", [b"a\0b", bytes(range(256)), b"\x7fELF\x02\x01\x01" + bytes(14),
                                  b"\xff\xfe\xfd", b"policy a { allow \xc3\x28; }"], ids=repr)
def test_binary_is_no_text(junk, tmp_path):
    f = tmp_path / "x"
    f.write_bytes(junk)
    r = fmt(f)
    assert r.rc == 1 and "[PL0" in r.err and not r.out, r


def test_sixteen_mib_and_one_byte(tmp_path):
    f = tmp_path / "big.pale"
    f.write_bytes(b" " * (16 << 20))
    assert fmt(f).rc == 0
    f.write_bytes(b" " * ((16 << 20) + 1))
    refused(fmt(f), "PL001", "larger than 16 MiB")


@pytest.mark.parametrize("text", [
    "(" * (16 << 20),
    "policy a { allow x(" + "(" * (15 << 20),
    "policy a { " + "when arch x32 { " * 100000,
    "policy a { allow x(" + "not " * 100000 + "a == 1); }",
    "policy a { allow x(a == 1" + " or a == 1" * 100000 + "); }",
    "policy a { allow x(a == 1" + "|1" * 100000 + "); }",
    "policy a { when arch i386" + " or arch i386" * 100000 + " {} }",
], ids=["parens", "parens-in-call", "blocks", "not", "or", "bits", "env"])
def test_depth_is_bounded(text, tmp_path):
    f = tmp_path / "deep.pale"
    f.write_text(text)
    start = spent()
    r = fmt(f)
    refused(r, "PL004")
    assert spent() - start < 10 and len(r.err) < 5000, r


@pytest.mark.parametrize("unit", ["allow ;", "x ", "}", "\"", "/a{", "09 ", "#470 ", "policy a { allow read }"])
def test_a_flood_of_errors_is_cut(unit, tmp_path):
    f = tmp_path / "many.pale"
    f.write_text("policy a { " + unit * ((2 << 20) // len(unit)))
    start = spent()
    r = fmt(f)
    assert r.rc == 1 and 1 <= r.err.count(": error:") <= 20, r.err[:2000]
    assert spent() - start < 10 and len(r.err) < 20000


def test_ten_thousand_lines_are_quick(tmp_path):
    f = tmp_path / "long.pale"
    line = "    allow socket(domain in {AF_INET, AF_INET6}, (type & 0xf) == 1), read; # why\n"
    f.write_text("policy a {\n" + line * 10000 + "}\n")
    start = spent()
    r = fmt(f, check=0)
    assert r.out == f.read_text()
    assert spent() - start < 5  # 0.1 s here; a sanitizer takes more


@pytest.mark.parametrize("words", [", ", " and ", " or ", "|", ", |x and y or ", "; ", " # "])
def test_a_name_longer_than_a_line_is_not_broken_where_it_looks_like_a_list(tmp_path, words):
    f = tmp_path / "p.pale"
    for before in range(50, 100, 7):
        path = "/srv/" + "a" * before + words + "b" * 60 + words + "c"
        rule = f'    owner file rw "{path}"; # why\n'
        f.write_text("policy a {\n    arch x86_64;\n    default errno EPERM;\n" + rule + "}\n")
        once = fmt(f, check=0).out
        assert len(once.splitlines()) == 5 and path in once, once
        assert fmt("-", input=once, check=0).out == once


def test_standard_input_is_a_file(tmp_path):
    r = fmt("-", input="set a{allow read;}", check=0)
    assert r.out == "set a {\n    allow read;\n}\n"
    refused(fmt("-", input="set a { allow read }"), "PL002", "<stdin>:1:19")


def test_json_that_is_no_profile():
    refused(fmt("-", input='{"a": 1}'), "PL001", "not a seccomp profile")


def test_diagnostics_as_json():
    import json
    r = fmt("--diag=json", "-", input="set a { alow read; }")
    d = json.loads(r.err)
    assert r.rc == 1 and d["id"] == "PL002" and (d["line"], d["column"]) == (1, 9)
    assert d["severity"] == "error" and "did you mean 'allow'" in d["message"]


# ---- writing ----

UGLY, TIDY = "set a{allow read;}", "set a {\n    allow read;\n}\n"


def test_check_says_what_would_change(tmp_path):
    f = tmp_path / "a.pale"
    f.write_text(UGLY)
    r = fmt("--check", f)
    assert r.rc == 1 and str(f) in r.err and f.read_text() == UGLY
    f.write_text(TIDY)
    assert fmt("--check", f, check=0).err == ""


def test_rewriting_keeps_mode_and_link(tmp_path):
    f, link = tmp_path / "a.pale", tmp_path / "link.pale"
    f.write_text(UGLY)
    f.chmod(0o640)
    link.symlink_to(f)
    fmt("-i", link, check=0)
    assert link.is_symlink() and f.read_text() == TIDY
    assert stat.S_IMODE(f.stat().st_mode) == 0o640
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["a.pale", "link.pale"]


def test_a_file_that_is_tidy_is_not_written(tmp_path):
    f = tmp_path / "a.pale"
    f.write_text(TIDY)
    before = f.stat()
    fmt("-i", f, check=0)
    assert f.stat().st_ino == before.st_ino and f.stat().st_mtime_ns == before.st_mtime_ns


def test_a_file_with_errors_is_left_alone(tmp_path):
    f = tmp_path / "a.pale"
    f.write_text("set a { allow read }")
    assert fmt("-i", f).rc == 1
    assert f.read_text() == "set a { allow read }"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    f = tmp_path / "a.pale"
    text = "set a{allow read;}" + "# comment\n" * 2000
    f.write_text(text)
    # No file may grow past 4 KiB: the temporary one cannot be finished.
    r = run(["sh", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$0" fmt -i "$1"', PALE, f])
    assert r.rc == 3 and "cannot write" in r.err, r
    assert f.read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == ["a.pale"]


def test_a_full_device_is_told(tmp_path):
    f = tmp_path / "a.pale"
    f.write_text(UGLY)
    with open("/dev/full", "w") as full:
        import subprocess
        p = subprocess.run([PALE, "fmt", f], stdout=full, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 3 and "No space left" in p.stderr


def test_usage():
    assert fmt().rc == 2
    assert fmt("-i", "--check", "x").rc == 2
    assert fmt("-i", "-").rc == 2
    assert fmt("--no-such").rc == 2
    assert fmt("--help", check=0).out.startswith("usage:")


def comments_of(text):
    """Everything behind the first '#' of a line, blanks aside (no path of the profiles has one)."""
    return sorted(line.partition("#")[2].strip() for line in text.splitlines() if "#" in line)


def test_the_profiles_lose_no_comment_and_stay_as_printed():
    files = sorted((pathlib.Path(__file__).resolve().parents[2] / "profiles").glob("**/*.pale"))
    assert len(files) >= 10
    for f in files:
        once = fmt(f, check=0).out
        assert comments_of(once) == comments_of(f.read_text()), f
        assert fmt("-", input=once, check=0).out == once, f


# ---- every command ----

READERS = {"check": [], "compile": ["-t", "bpf"], "explain": ["read"], "fmt": [], "import": [], "lint": [],
           "sim": ["read"], "run": ["--", "true"]}


def read_by(command, file, **kw):
    return run([PALE, command, file, *READERS[command]], **kw)


@pytest.mark.parametrize("command", READERS)
def test_every_command_says_what_a_directory_is(command, tmp_path):
    r = read_by(command, tmp_path)
    assert r.rc == (125 if command == "run" else 1), r
    if command != "lint":  # its findings are what it prints
        assert "is a directory" in r.err, r


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("text", [b"", b"\0" * 64, b"\xff\xfe" + bytes(62), b"\xef\xbb\xbf{", b"{" * 4096, b"[" * 4096,
                                  b"\x05\0\xff\xff\xff\xff\xff\xff" * 8, b"policy a {\r\n allow read(fd == 18446744073709551616);",
                                  b'{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["re',
                                  b'{"defaultAction":null,"syscalls":{},"architectures":7,"archMap":"x"}',
                                  b'include "self";\npolicy a { allow read; }', b'include "/dev/zero";\npolicy a { allow read; }',
                                  b"set x { use x; }\npolicy a { use x, ../x; }"], ids=lambda t: repr(t[:24]))
def test_every_command_refuses_junk(command, text, tmp_path):
    f = tmp_path / "self"
    f.write_bytes(text)
    r = read_by(command, f, text=False)
    assert r.rc in ((125,) if command == "run" else (0, 1)), r
    assert r.rc == 0 or r.err or command == "lint", r


def test_an_include_is_a_regular_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")  # nobody will ever write to it
    f = tmp_path / "a.pale"
    for name in "fifo", "/dev/zero", "/dev/stdin":
        f.write_text(f'include "{name}";\npolicy a {{ allow read; }}')
        r = run([PALE, "check", f])
        assert r.rc == 1 and "[PL105 " in r.err and "not a regular file" in r.err, r


def test_standard_input_is_read_once_by_whoever_looks():
    text = "policy a { arch x86_64; allow read, execve; }"
    for name in "-", "/dev/stdin":
        assert "bpf x86_64   ok" in run([PALE, "check", name], input=text, check=0).out
    assert run([PALE, "sim", "-", "--raw"], input=text).rc == 2  # the lines would come from there too


def test_long_names_and_many_notes_are_cut(tmp_path):
    f = tmp_path / "long.pale"
    f.write_text(f"policy a {{ arch x86_64; allow {'b' * 100000}; }}")
    r = run([PALE, "check", f])
    assert r.rc == 1 and len(r.err) < 6000 and "bbb...bbb" in r.err, r
    f = tmp_path / "many.json"
    names = ",".join(f'"n{i}"' for i in range(3000))
    same = ",".join('{"names":["read"],"action":"SCMP_ACT_ERRNO"}' for i in range(3000))
    f.write_text(f'{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":[{names}],"action":"SCMP_ACT_ALLOW"}},'
                 f'{same}]}}')
    r = run([PALE, "import", f], check=0)
    assert r.err.count("[PL275 ") == 20 and "2980 more notes are not shown" in r.err, r
    assert "'n11' and 2988 more: newer than Linux" in r.err and r.err.count("[SC101 ") == 1, r
    assert run([PALE, "--diag=json", "import", f], check=0).err.count("PL275") == 3000


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["fmt", "--help"], ["list", "sets"], ["show", "read"],
                                  ["lint", "--list-rules"]], ids=" ".join)
@pytest.mark.parametrize("to", [">/dev/full", ">&-", "<&- >&- 2>&-"])
def test_output_that_cannot_be_written_is_no_success(argv, to):
    assert run(["sh", "-c", f'exec "$0" "$@" {to}', PALE, *argv]).rc == 3


def test_a_closed_stream_is_no_place_for_a_file(tmp_path):
    f, out = tmp_path / "a.pale", tmp_path / "out"
    f.write_text("policy a { arch x86_64; allow read, nosuch; }")
    assert run(["sh", "-c", 'exec "$0" compile -t bpf -o "$2" "$1" <&- >&- 2>&-', PALE, f, out]).rc == 1
    assert not out.exists() and f.read_text().endswith("nosuch; }")
