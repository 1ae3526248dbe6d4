# SPDX-License-Identifier: Apache-2.0
"""A key that stands twice, in any capitals, or whose value is null: pale answers as the runtime
does, or says that readers make different profiles of the file and answers nothing."""
import json
import os
import subprocess

import pytest

from conftest import PALE, PATIENCE, program, run
from runtimes import installed
from test_loaded import base, removed  # noqa: F401 (a fixture)

ENTRY = '{"names":["bpf"],"action":"SCMP_ACT_ERRNO"%s}'


def one(more):
    """An entry on mkdir, with more members behind its names and action."""
    return '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"%s}]}' % more


def arg(members):
    return one(',"args":[{%s}]' % members)


TWO = '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[%s],"%s":%s}'
FIRST = ('{"names":["bpf"],"action":"SCMP_ACT_ERRNO","errnoRet":13,'
         '"args":[{"index":1,"value":511,"op":"SCMP_CMP_NE"}]}')
SECOND = '[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]'
CALLS = ["mkdir(0, 0)", "mkdir(0, 5)", "mkdir(0, 511)", "bpf", "acct"]

# name: text, the id, does pale answer?
DOUBLED = {
    "syscalls": (TWO % (FIRST, "syscalls", SECOND), "SJ033", False),
    "syscalls in other letters": (TWO % (FIRST, "Syscalls", SECOND), "SJ033", False),
    "syscalls and none": (TWO % (FIRST, "syscalls", "[]"), "SJ033", False),
    "syscalls and null": (TWO % (FIRST, "syscalls", "null"), "SJ033", False),
    "syscalls and the same": (TWO % (FIRST, "syscalls", f"[{FIRST}]"), "SJ003", True),
    "args": (one(',"args":[{"index":1,"value":5,"op":"SCMP_CMP_EQ"}],"args":[{"value":511}]'), "SJ033", False),
    "args and null": (one(',"args":[{"index":1,"value":5,"op":"SCMP_CMP_EQ"}],"args":null'), "SJ033", False),
    "null and args": (one(',"args":null,"args":[]'), "SJ003", True),
    "a number, and action": (one(',"action":42,"action":"SCMP_ACT_LOG"'), "SJ033", False),
    "a negative value": (arg('"index":1,"value":-1,"value":5,"op":"SCMP_CMP_EQ"'), "SJ033", False),
    "a list of numbers": (one(',"names":[7],"names":["bpf"]'), "SJ033", False),
    "names": (one(',"names":["bpf","acct"]'), "SJ003", True),
    "names with a null": (one(',"names":["bpf",null]'), "SJ033", False),
    "action": (one(',"action":"SCMP_ACT_LOG"'), "SJ003", True),
    "action in other letters": (one(',"Action":"SCMP_ACT_LOG"'), "SJ003", True),
    "action and null": (one(',"action":null'), "SJ003", True),
    "errnoRet": (one(',"errnoRet":13,"errnoRet":14'), "SJ003", True),
    "errnoRet and null": (one(',"errnoRet":13,"errnoRet":null'), "SJ003", True),
    "value": (arg('"index":1,"value":5,"value":0,"op":"SCMP_CMP_EQ"'), "SJ003", True),
    "value and null": (arg('"index":1,"value":5,"value":null,"op":"SCMP_CMP_EQ"'), "SJ003", True),
    "op and null": (arg('"index":1,"value":5,"op":"SCMP_CMP_EQ","op":null'), "SJ003", True),
    "index": (arg('"index":0,"index":1,"value":5,"op":"SCMP_CMP_EQ"'), "SJ003", True),
    "the default": ('{"defaultAction":"SCMP_ACT_ERRNO","defaultAction":"SCMP_ACT_ALLOW","syscalls":[%s]}'
                    % (ENTRY % ""), "SJ003", True),
    "the default and null": ('{"defaultAction":"SCMP_ACT_ALLOW","defaultAction":null,"syscalls":[%s]}' % (ENTRY % ""),
                             "SJ003", True),
    "architectures": ('{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],'
                      '"architectures":["SCMP_ARCH_X86_64"],"syscalls":[%s]}' % (ENTRY % ""), "SJ003", True),
}
CONFIG = '{"ociVersion":"1.0.2","linux":{"seccomp":%s}}'


def put(tmp_path, text):
    path = tmp_path / "p.json"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", DOUBLED)
def test_a_key_twice_is_answered_or_refused_by_every_command(pale, tmp_path, name):
    text, want, answered = DOUBLED[name]
    path = put(tmp_path, text)
    told = [f for f in json.loads(pale("lint", "--runtime", "any", "--format", "json", path).out)["findings"] if f["id"] == want]
    assert len(told) == 1 and (told[0]["severity"] == "error") == (not answered), told
    refusing = [] if answered else [["diff", path, path], ["why", "type=1326 arch=c000003e syscall=2 code=0", path]]
    if told[0]["severity"] != "info":  # which explain leaves out
        refusing += [["explain", path, "read"]]
    for argv in (["sim", path, "read"], ["import", path], ["check", path],
                 ["sim", "--as", "docker:runc", "--caps", "none", path, "read"], *refusing):
        r = pale(*argv)
        assert f"[{want} " in r.err, r
        assert answered or (r.rc == 1 and "ALLOW" not in r.out and "same" not in r.out), r


@pytest.mark.parametrize("name, text", [
    ("linux", '{"ociVersion":"1.0.2","linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[%s]}},'
              '"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"}}}' % (ENTRY % "")),
    ("seccomp", '{"ociVersion":"1.0.2","linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[%s]},'
                '"Seccomp":{"defaultErrnoRet":5}}}' % (ENTRY % "")),
    ("includes", one(',"includes":{"caps":["CAP_CHOWN"]},"includes":{"minKernel":"4.8"}')),
    ("archMap", '{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64"}],'
                '"archMap":[{"subArchitectures":["SCMP_ARCH_X86"]}]}'),
])
def test_objects_that_go_reads_into_one_another_are_refused(pale, tmp_path, name, text):
    r = pale("import", put(tmp_path, text), check=1)
    assert "[SJ033 " in r.err and "keep one" in r.err and not r.out, r


def test_what_stands_twice_elsewhere_in_a_config_is_nobodys_business(pale, tmp_path):
    text = '{"root":{"a":[1]},"root":{"a":[2]},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"}}}'
    r = pale("sim", put(tmp_path, text), "read", check=0)
    assert "SJ003" not in r.err and "SJ033" not in r.err


@pytest.mark.parametrize("text", [
    '"linux":{"seccomp":%s},"linux":{}', '"linux":{"seccomp":%s},"linux":null', '"linux":{},"Linux":{"seccomp":%s}',
    '"linux":{"seccomp":%s,"seccomp":null}'])
def test_a_filter_that_a_second_key_may_hide_is_not_called_unconfined(pale, tmp_path, text):
    path = put(tmp_path, '{"ociVersion":"1.0.2",' + text % one("") + "}")
    for argv in (["lint", "--runtime", "any", path], ["sim", path, "mkdir"], ["import", path],
                 ["sim", "--as", "docker:crun", path, "mkdir"]):
        r = pale(*argv, check=1)
        assert "[SJ033 " in r.err + r.out and "unconfined" not in r.err + r.out, r


def test_a_number_past_32_bits_is_told_as_crun_reads_it(pale, tmp_path):
    path = put(tmp_path, one(',"errnoRet":4294967296'))
    r = pale("sim", "--as", "docker:crun", path, "mkdir", check=1)
    assert "[SJ016 " in r.err and "32 bits" in r.err and "16 bits" not in r.err, r


@pytest.mark.parametrize("text, want", [("null", "SJ026"), ('"x"', "SJ026"), ("42", "SJ026"), ("true", "SJ026"),
                                        ("[]", "SJ026"), ('{"seccomp":{}}', "PL001"), ('{"linux":{}}', "PL001"),
                                        ("# a remark\nallow read;\n", "PL002"), ("a\xe7b\xff", "PL001"), ("", "PL001"), (" \n\n", "PL001")])
def test_what_a_file_is_has_one_id_in_every_command(pale, tmp_path, text, want):
    path = tmp_path / "p"
    path.write_bytes(text.encode("latin-1"))
    messages = set()
    for argv in (["lint", "--runtime", "any", path], ["sim", path, "read"], ["check", path], ["import", path], ["diff", path, path],
                 ["explain", path, "read"], ["why", "type=1326 arch=c000003e syscall=2 code=0", path]):
        r = pale(*argv, check=1)
        lines = [line for line in (r.err + r.out).splitlines() if ": error: " in line]
        assert lines and all(f"[{want} " in line for line in lines), (argv, r)
        messages.add(lines[0])
    assert len(messages) == 1, messages


PLAIN = '{"defaultAction":"SCMP_ACT_%s","syscalls":[{"names":["%s"],"action":"SCMP_ACT_ERRNO"%s}]}'


@pytest.mark.parametrize("text", [
    PLAIN % ("ALLOW", r"bpf\u0000x", ""), PLAIN % (r"ALLOW\u0000", "bpf", ""), PLAIN % ("LOG", "bpf", r',"action\u0000":7'),
    PLAIN % ("ALLOW", "bpf", r',"args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ\u0000NE"}]'),
    PLAIN[:-1] % ("ALLOW", "bpf", "") + r',"architectures":["SCMP_ARCH_X86_64\u0000"]}',
    CONFIG % (PLAIN % ("ALLOW", r"bpf\u0000", "")), (CONFIG % (PLAIN % ("ALLOW", "bpf", ""))).replace(
        '"linux"', r'"linux\u0000":{},"linux"')])
def test_a_nul_byte_in_a_word_is_refused_by_every_command(pale, tmp_path, text):
    """The real runc 1.1.5 and crun 1.8.1 refuse bpf for the first of these, as libseccomp cuts it."""
    path = put(tmp_path, text)
    for argv in (["lint", "--runtime", "any", path], ["sim", path, "bpf"], ["check", path], ["import", path], ["diff", path, path],
                 ["explain", path, "bpf"], ["why", "type=1326 arch=c000003e syscall=321 code=0", path],
                 ["sim", "--as", "docker:runc", "--caps", "none", path, "bpf"],
                 ["sim", "--as", "docker:crun", "--caps", "none", path, "bpf"]):
        r = pale(*argv, check=1)
        lines = [line for line in (r.err + r.out).splitlines() if "[SJ046 " in line]
        assert lines and "NUL byte" in lines[0] and "\0" not in lines[0] and not r.out.startswith("ALLOW"), (argv, r)


def test_a_nul_byte_in_a_remark_is_nobodys_business(pale, tmp_path):
    path = put(tmp_path, PLAIN % ("ALLOW", "bpf", r',"comment":"a\u0000b"'))
    assert pale("sim", "--as", "docker:runc", "--caps", "none", path, "bpf", check=0).out.startswith("ERRNO(1)")


@pytest.mark.parametrize("name", ["errnoRet", "action in other letters", "action and null"])
def test_crun_reads_other_keys_of_a_config(pale, tmp_path, name):
    path = put(tmp_path, CONFIG % DOUBLED[name][0])
    for runtime, rc in (("runc-1.1+libseccomp-2.5.4", 0), ("crun-1.8+libseccomp-2.5.4", 1)):
        r = pale("sim", "--as", "docker:" + runtime[:4], "--runtime", runtime, path, "read", check=rc)
        assert ("[SJ033 " in r.err) == bool(rc), r
    # An engine, which is written in Go, reads a profile for crun as well.
    pale("sim", "--as", "docker:crun", "--caps", "none", put(tmp_path, DOUBLED[name][0]), "read", check=0)


def held(base, where, rt, text):  # noqa: F811
    """The filter that the real runc holds of this text, [] where it does not start."""
    where.mkdir()
    config = json.loads((base / "config.json").read_text())
    config["linux"]["seccomp"] = "@"
    (where / "config.json").write_text(json.dumps(config).replace('"@"', text))
    name = f"pale-key-{os.getpid()}-{where.name}"
    runc = rt.argv(where / "state")
    subprocess.run([program("oci/holdfilter"), str(where / "filter"), *runc, "run", name], cwd=where,
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    removed(rt, where, name)
    return sorted(where.glob("filter.*"))


@pytest.mark.once
def test_the_real_runc_answers_so(base, tmp_path):  # noqa: F811
    rt = installed("runc")
    for i, (name, (text, _, answered)) in enumerate(DOUBLED.items()):
        filters = held(base, tmp_path / str(i), rt, text)
        path = put(tmp_path, CONFIG % text)
        r = run([PALE, "sim", "--as", "docker:runc", "--runtime", rt.full, path, *CALLS])
        assert r.rc == (0 if answered else 1), (name, r)
        if not filters:  # an empty name is among what is mixed
            assert not answered, name
            continue
        real = [run([PALE, "sim", filters[0], c], check=0).out.split()[0] for c in CALLS]
        assert not answered or [line.split()[0] for line in r.out.splitlines()] == real, (name, real, r)
