# SPDX-License-Identifier: Apache-2.0
"""A null in a list: readers written in Go make an empty value of it, crun as its parser does."""
import pytest

from conftest import PALE, run
from runtimes import ROWS, fetched
from test_loaded import base, run_all  # noqa: F401 (base is a fixture)
from test_one_reader import ALLOW, ERRNO, X86_64, arg, config, entry, findings, put

NULLS = {
    "args": [entry(args=[None])],
    "args, then one": [entry(args=[None, arg(0, "EQ", 1)])],
    "args, after one": [entry(args=[arg(0, "EQ", 1), None])],
    "args, seven": [entry(args=[None] * 6 + [arg(0, "EQ", 1)])],
    "args of one argument twice": [entry(args=[arg(0, "EQ", 1), None, arg(0, "EQ", 2)])],
    "args of a name that nobody knows": [entry("nosuchcall", args=[None])],
    "names": [{"names": [None], "action": ERRNO}],
    "names, then one": [{"names": [None, "bpf"], "action": ERRNO}],
    "syscalls": [None],
    "syscalls, then one": [None, entry()],
    "architectures": {"architectures": [None]},
    "architectures, after one": {"architectures": [X86_64, None]},
    "flags": {"flags": [None]},
}


def profile(what):
    more = {"syscalls": what} if isinstance(what, list) else {**what, "syscalls": [entry()]}
    return {"defaultAction": ALLOW, "architectures": [X86_64], **more}


STARTS = {"runc": set(), "crun": {"names", "names, then one"}}
LOST = {name for name in NULLS if name.startswith(("args", "syscalls"))}  # by crun 1.28


@pytest.mark.once
@pytest.mark.parametrize("row", ROWS)
def test_what_a_runtime_makes_of_null_is_what_sim_says(base, tmp_path, row):  # noqa: F811
    """Whether a container starts, and what its kernel holds then: under crun 1.28 nothing at all."""
    rt = fetched(row)
    work = [(f"n{i}", {"text": profile(what), "engine": False}) for i, what in enumerate(NULLS.values())]
    got = dict(zip(NULLS, (answer for _, answer in run_all(base, tmp_path, rt, work))))
    lost = LOST if row == "crun-1.28" else set()
    assert got == {name: "not loaded: 0\n" if name in lost else "equal" if name in STARTS[rt.kind] else "both refuse"
                   for name in NULLS}  # "0": it ran to its end
    for name, (job, _) in zip(NULLS, work):
        r = run([PALE, "sim", "--as", f"docker:{rt.kind}", "--runtime", rt.full, tmp_path / f"{job}.json", "bpf"], env=rt.env)
        assert (r.rc, "no filter" in r.out) == (0 if name in lost | STARTS[rt.kind] else 1, name in lost), (name, r)
        assert name not in lost or (r.out.startswith("ALLOW  bpf") and "[PL261 " in r.err), r


def test_a_filter_that_is_lost_is_told(tmp_path):
    path = put(tmp_path, config(profile([entry(action="SCMP_ACT_X"), entry(args=[None, arg(0, "EQ", 1)]), entry("acct")])))
    new, old = ["--runtime", "podman-5.8"], ["--runtime", "podman-5.4"]
    found = findings(path, *new)
    assert [(f["id"], f["severity"], f["line"]) for f in found if f["id"] != "SJ008"] == [("PL261", "high", 1)]
    assert not [f for f in found if f["severity"] == "error"]  # it starts
    assert {"SJ008", "SJ010"} <= {f["id"] for f in findings(path, *old) if f["severity"] == "error"}
    for argv in (["explain", path, "bpf"], ["diff", path, path], ["import", path]):
        r = run([PALE, *argv, *new], check=1)
        assert "PL261" in r.err and "ERRNO" not in r.out and "same" not in r.out, r
    before = put(tmp_path, config(profile([{"names": ["bpf"], "action": ERRNO, "args": [{"index": 0}]}, None])))
    assert run([PALE, "sim", "--as", "docker:crun", *new, before, "read"]).rc == 1  # crun comes to that first
    engine = put(tmp_path, profile([None]))  # Go hands an empty object on
    assert "[SJ008 " in run([PALE, "sim", "--as", "docker:crun", *new, engine, "read"], check=1).err
