# SPDX-License-Identifier: Apache-2.0
"""An entry that another one swallows is told, in every command alike; one of which only what
libseccomp adds for socketcall and ipc is swallowed decides its own call, and nothing else is said."""
import json

import pytest

from conftest import PALE, run
from test_one_reader import ALLOW, ERRNO, arg, config, diags, entry, findings, of, put

X86_64, X86, S390X, PPC64LE = (f"SCMP_ARCH_{n}" for n in ("X86_64", "X86", "S390X", "PPC64LE"))
CAP = {"caps": ["CAP_SYS_ADMIN"]}


def refuse(name, *args, **more):
    return entry(name, errnoRet=1, **({"args": list(args)} if args else {}), **more)


def allow(name, *args, **more):
    return entry(name, ALLOW, **({"args": list(args)} if args else {}), **more)


CARRIED = {  # architectures, entries, call, its answer
    "i386 beside": ((X86_64, X86), [allow("socketcall"), refuse("socket")], "socket(2)", "ERRNO(1)"),
    "i386 alone": ((X86,), [allow("socketcall"), refuse("socket")], "socket(2)", "ERRNO(1)"),
    "the other order": ((X86_64, X86), [refuse("socket"), allow("socketcall")], "socket(2)", "ERRNO(1)"),
    "ipc": ((X86_64, X86), [allow("ipc"), refuse("shmget")], "shmget(1)", "ERRNO(1)"),
    "a condition": ((X86_64, X86), [allow("socketcall"), refuse("socket", arg(0, "EQ", 2))], "socket(2)", "ERRNO(1)"),
    "allowed beside a refusal": ((X86_64, X86), [refuse("socketcall"), allow("socket")], "socket(2)", "ALLOW"),
    "ppc64le": ((PPC64LE,), [allow("socketcall"), refuse("socket")], "socket(2)", "ERRNO(1)"),
    "ppc64le and a condition": ((PPC64LE,), [allow("socketcall"), refuse("socket", arg(0, "EQ", 2))], "socket(2)",
                                "ERRNO(1)"),
    "s390x": ((S390X,), [allow("socketcall"), refuse("socket")], "socket(2)", "ERRNO(1)"),
    "a gate": ((X86_64, X86), [allow("socketcall"), refuse("socket", excludes=CAP)], "socket(2)", "ERRNO(1)"),
    "a call that i386 has inside alone": ((X86_64, X86), [allow("ipc"), refuse("semop")], "semop(1)", "ERRNO(1)"),
}


@pytest.mark.parametrize("case", CARRIED)
def test_an_entry_decides_its_call_whatever_socketcall_does(tmp_path, case):
    arches, entries, call, answer = CARRIED[case]
    path = put(tmp_path, of(allow("execve"), allow("futex_waitv"), *entries, architectures=list(arches)))
    foreign = {S390X: "s390x", PPC64LE: "ppc64le"}.get(arches[0])
    host = ["--host", foreign] if foreign else []
    loads = ["--arch", foreign] if foreign else []
    name = call.split("(")[0]
    commands = [["import", *host, path], ["sim", *host, *loads, "--caps", "none", path, call],
                ["explain", *host, path, name],
                ["diff", *host, path, path], *([] if S390X in arches else [["check", path]])]
    for argv in commands:
        r = run([PALE, "--diag=json", *argv], check=0)
        assert not [d for d in diags(r) if d["id"] in ("SC108", "SC109")], (argv, r)
    assert not [f for f in findings(path, *host) if f["id"] in ("SC108", "SC109")]
    r = run([PALE, "sim", *host, *loads, "--caps", "none", "--as", "docker:runc", path, call], check=0)
    assert answer in r.out and "SC10" not in r.err, r
    imported = run([PALE, "import", *host, path], check=0).out
    assert "# without effect, " not in imported and name in imported, imported
    if "gate" not in case:
        mux = "ipc" if "ipc" in json.dumps(entries) else "socketcall"
        assert f"# without effect inside {mux}, an entry without a condition decides: {name}" in imported


@pytest.mark.parametrize("case", [c for c in CARRIED if c != "allowed beside a refusal"])
def test_that_socketcall_walks_around_it_is_one_finding(tmp_path, case):
    arches, entries, call, _ = CARRIED[case]
    path = put(tmp_path, of(allow("execve"), allow("futex_waitv"), *entries, architectures=list(arches)))
    name = call.split("(")[0]
    told = [f for f in findings(path) if f["id"] == "SC123"]
    assert [f["severity"] for f in told] == ["high"], told
    assert told[0]["message"].startswith(f"the refusal of '{name}' does not hold"), told
    assert "allowed as a whole" in told[0]["message"]


def test_a_refusal_that_socketcall_keeps_is_none(tmp_path):
    for entries in ([refuse("socketcall"), refuse("socket")], [refuse("socket")]):
        path = put(tmp_path, of(allow("execve"), *entries, architectures=[X86_64, X86]))
        assert not [f for f in findings(path) if f["id"] == "SC123"]
    path = put(tmp_path, of(allow("execve"), allow("socketcall"), refuse("socket"), architectures=[X86_64]))
    assert not [f for f in findings(path) if f["id"] == "SC123"]


SWALLOWED = {  # entries: id
    "twice without a condition": ([allow("setns"), refuse("setns")], "SC108"),
    "a gate on the second": ([allow("setns"), refuse("setns", excludes=CAP)], "SC108"),
    "a narrower gate on the second": ([allow("setns", includes=CAP),
                                       refuse("setns", includes={**CAP, "minKernel": "5.0"})], "SC108"),
    "conditions and a gate": ([allow("setns"), refuse("setns", arg(1, "EQ", 1), excludes=CAP)], "SC109"),
    "a narrower gate on the first": ([refuse("setns", arg(1, "EQ", 1), includes={**CAP, "arches": ["amd64"]}),
                                      allow("setns", includes=CAP)], "SC109"),
    "one action and a condition": ([allow("setns"), allow("setns", arg(1, "EQ", 1))], "SC109"),
    "one action and a gate": ([allow("setns", arg(1, "EQ", 1), includes=CAP), allow("setns")], "SC109"),
    "a call of sockets": ([allow("socket"), refuse("socket", arg(0, "EQ", 2))], "SC109"),
}
LIVE = {
    "a gate on the first": [allow("setns", includes=CAP), refuse("setns")],
    "a wider gate on the second": [allow("setns", includes={**CAP, "minKernel": "5.0"}), refuse("setns", includes=CAP)],
    "gates that exclude each other": [allow("setns", includes=CAP), refuse("setns", excludes=CAP)],
    "a gate on what has no condition": [allow("setns", excludes=CAP), refuse("setns", arg(1, "EQ", 1))],
    "one action, and a gate on what has no condition": [allow("setns", includes=CAP), allow("setns", arg(1, "EQ", 1))],
    "another kernel": [allow("setns", includes={"minKernel": "5.0"}), refuse("setns", excludes={"minKernel": "5.0"})],
}


def commands_of(path):
    return [["import", path], ["check", path], ["sim", path, "setns(0)", "socket(1)"], ["explain", path, "setns"]]


@pytest.mark.parametrize("case", SWALLOWED)
def test_an_entry_without_effect_is_one_fact_in_every_command(tmp_path, case):
    entries, want = SWALLOWED[case]
    gated = any("cludes" in key for e in entries for key in e)
    path = put(tmp_path, (dict if gated else config)(of(allow("execve"), *entries)))  # a config.json has no gates
    told = [f for f in findings(path) if f["id"] in ("SC108", "SC109")]
    assert [(f["id"], f["severity"]) for f in told] == [(want, "high")], told
    for argv in commands_of(path)[:4 if "socket" not in case else 3]:
        said = [d for d in diags(run([PALE, "--diag=json", *argv])) if d["id"] in ("SC108", "SC109")]
        assert [(d["id"], d["severity"], d["message"]) for d in said] == [(want, "high", told[0]["message"])], argv


@pytest.mark.parametrize("case", LIVE)
def test_an_entry_that_decides_somewhere_is_not_told(tmp_path, case):
    path = put(tmp_path, of(allow("execve"), *LIVE[case]))
    assert not [f for f in findings(path) if f["id"] in ("SC108", "SC109")]
    for argv in commands_of(path):
        assert not [d for d in diags(run([PALE, "--diag=json", *argv])) if d["id"] in ("SC108", "SC109")], argv


def test_a_refusal_that_is_left_out_beside_an_allow_with_a_wider_gate(tmp_path):
    left = entry("setns", errnoRet=38, includes={**CAP, "minKernel": "5.0"})
    path = put(tmp_path, of(allow("execve"), allow("setns", includes=CAP), left))
    assert [f["severity"] for f in findings(path) if f["id"] == "SC110"] == ["high"]
    path = put(tmp_path, of(allow("execve"), allow("setns", includes={**CAP, "minKernel": "5.0"}),
                            entry("setns", errnoRet=38, includes=CAP)))
    assert not [f for f in findings(path) if f["id"] == "SC110"]


def test_nothing_is_said_of_who_decides_where_no_container_starts(tmp_path):
    """setns alone keeps it from starting; of mount the first decides, and both commands say so."""
    twice = [entry("setns", "SCMP_ACT_LOG", args=[arg(0, "EQ", 1)]), refuse("setns", arg(0, "EQ", 1))]
    path = put(tmp_path, of(allow("execve"), *twice, allow("mount"), refuse("mount")))
    told = {(f["id"], f["message"]) for f in findings(path) if f["id"] in ("SC108", "SC109", "SC112")}
    for command in ("check", "import"):
        r = run([PALE, "--diag=json", command, path], check=1)
        assert {(d["id"], d["message"]) for d in diags(r) if d["id"] in ("SC108", "SC109", "SC112")} == told
    assert {i for i, _ in told} == {"SC108", "SC112"}
