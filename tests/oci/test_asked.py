# SPDX-License-Identifier: Apache-2.0
"""Who asks for a call is told what is wrong with its entries, not with those of other calls."""
import json

import pytest

from conftest import PALE, run

ALLOW, ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"


def entry(name, action=ALLOW, **more):
    return {"names": [name] if isinstance(name, str) else name, "action": action, **more}


def arg(op, value, **more):
    return {"index": 0, "op": f"SCMP_CMP_{op}", "value": value, **more}


RANGE = {"args": [arg("GE", 1), arg("LE", 9)]}
FILE = {"defaultAction": ERRNO, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [
    entry(["read", "opneat"]), entry("socket", **RANGE), entry("bpf", ERRNO), entry("acct", ERRNO, errnoRet=0),
    entry("kcmp", args=[arg("LE", 1, valueTwo=9)]), entry("mount", "SCMP_ACT_LOG"), entry("mount"),
    entry("umount2", "SCMP_ACT_LOG", args=[arg("EQ", 1)]), entry("umount2"), entry("swapon", includes={"caps": ["sys_admin"]})]}
OF = {"socket": "SC111", "bpf": "PL275", "acct": "SJ017", "kcmp": "SJ021", "mount": "SC108", "umount2": "SC109",
      "swapon": "SJ020"}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(FILE, indent=1))
    return path


def told(*argv, **kw):
    r = run([PALE, "--diag=json", *argv], check=0, **kw)
    return [d["id"] for d in map(json.loads, r.err.splitlines())]


def commands(path, *call):
    layers = [["--as", f"docker:{kind}", "--caps", "none"] for kind in ("runc", "crun")]
    return [["sim", path, *call], *(["sim", *layer, path, *call] for layer in layers), ["sim", "--as", "bpf", path, *call]]


def test_another_call_is_answered_without_them(path):
    for argv in commands(path, "read"):
        assert told(*argv) == ["SC101"], argv  # what 'opneat' is meant to be nobody knows
    assert told("explain", path, "read") == ["SC101"]


@pytest.mark.parametrize("call", OF)
def test_the_call_itself_is(path, call):
    for argv in commands(path, call):
        loaded = "docker:runc" in argv or "docker:crun" in argv
        want = [] if loaded and OF[call] in ("SC108", "SC109") else [OF[call]]  # --as says them where it answers
        assert sorted(told(*argv)) == sorted([*want, "SC101"]), argv
    assert set(told("sim", path, "read", call, "write")) == {"SC101", OF[call]}


@pytest.mark.parametrize("text", ["#41", "socket(AF_UNIX, SOCK_STREAM, 0)", "socket(1)",
                                  "[pid 12] 10:20:30 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3"])
def test_however_it_is_written(path, text):
    assert sorted(told("sim", path, text)) == ["SC101", "SC111"]
    assert sorted(told("sim", "--arch", "i386", path, "socketcall(1)")) == ["SC101", "SC111"]  # what libseccomp adds


def test_who_asks_for_the_file_is_told_all(path):
    want = {*OF.values(), "SC101"}
    assert set(told("import", path)) == want and want <= set(told("check", path))
    assert set(told("sim", path, "--raw", input="x86_64 0 0 0 0 0 0 0\n")) == want


def test_what_keeps_a_container_from_starting_concerns_every_call(path):
    path.write_text(json.dumps({**FILE, "syscalls": [entry("read"), entry("acct", ERRNO, errnoRet=5000)]}))
    for argv in commands(path, "read"):
        r = run([PALE, *argv], check=1)
        assert "[SJ016 " in r.err and "does not start" in r.err, r


def test_an_entry_whose_calls_are_not_known_may_be_about_it(path):
    for other, id in ((entry("sigwait", **RANGE), "SC111"), (entry([], ERRNO), "SJ013")):
        path.write_text(json.dumps({**FILE, "syscalls": [entry("read"), other]}))
        assert id in told("sim", path, "read"), other
    unread = {"names": ["acct"], "name": "read", "action": ALLOW}  # in a config.json nobody reads 'name'
    path.write_text(json.dumps({"ociVersion": "1.0.2", "linux": {"seccomp": {**FILE, "syscalls": [unread]}}}))
    assert "SJ012" in told("sim", path, "read")


@pytest.mark.parametrize("twice", ['"args":[{"index":0,"op":"SCMP_CMP_EQ","value":1}],"args":null', '"action":"SCMP_ACT_LOG"'])
def test_the_form_of_the_text_concerns_every_call(path, twice):
    """Where there is no answer the reason is never left out."""
    path.write_text('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO",%s}]}' % twice)
    for argv in commands(path, "read")[:3]:
        r = run([PALE, *argv])
        assert "[SJ033 " in r.err if "args" in twice else "[SJ003 " in r.err, r
