# SPDX-License-Identifier: Apache-2.0
"""What runtimes that take profiles from registries (KEP-6061) refuse is told when it is written."""
import json

import pytest

from conftest import run

PLAIN = ["--runtime", "crun-1.8+libseccomp-2.5.4"]
HEAD = "policy k { level linux 6.1; arch x86_64; default errno EPERM; use start-runc;\n%s\n}\n"
BARE = "policy k { level linux 6.1; arch x86_64; default errno EPERM; unknown errno EPERM; allow execve; %s }\n"


def apart(n):
    """Values of which no two differ in one bit: none share an entry."""
    return ", ".join([str(i) for i in range(4096) if bin(i).count("1") % 2 == 0][100:100 + n])


def compiled(pale, tmp_path, text, *args):
    f = tmp_path / "k.pale"
    f.write_text(text)
    return f, pale("compile", "-o", tmp_path / "out", *args, f, check=0)


def test_entries_of_one_call_are_counted(pale, tmp_path):
    f, r = compiled(pale, tmp_path, HEAD % "allow kill(pid > 0, sig in 1..31);", "-t", "docker,oci")
    assert r.err.count("[PL151 entries-many]") == 1
    docker, oci = (sum("kill" in e["names"] for e in json.loads((tmp_path / "out" / f"k.{form}.json").read_text())["syscalls"])
                   for form in ("docker", "oci"))
    # crun looks at six conditions of an entry. Another libseccomp than the named one is not asked, and masks take more.
    installed = run(["dpkg-query", "-W", "-f", "${Version}", "libseccomp2"]).out.startswith("2.5.4")
    assert (docker, oci) == (156, 161) if installed else 156 <= docker < oci < docker + 10
    assert f"{f}:2:7: info: the JSON has {docker} entries for 'kill': " in r.err and "128" in r.err and "= help: " in r.err


@pytest.mark.parametrize("values, told", [(128, False), (129, True)])
def test_the_limit_is_one_call_s(pale, tmp_path, values, told):
    rule = "allow ioctl(cmd in {%s}); allow prctl(option in {%s});" % (
        apart(values), apart(100))
    _, r = compiled(pale, tmp_path, BARE % rule, "-t", "docker", *PLAIN)
    assert ("PL151" in r.err) is told, r
    assert not told or "'ioctl'" in r.err
    assert "PL151" not in pale("compile", "-t", "bpf", "-o", tmp_path / "bpf", tmp_path / "k.pale").err


def test_many_calls_with_many_entries_are_one_note(pale, tmp_path):
    values = apart(130)
    rules = f"allow ioctl(cmd in {{{values}}}); allow prctl(option in {{{values}}});"
    _, r = compiled(pale, tmp_path, BARE % rules, "-t", "oci", *PLAIN)
    assert r.err.count("PL151") == 1 and "(and for 1 more call)" in r.err


def test_a_file_of_more_than_a_mebibyte_is_told(pale, tmp_path):
    names = [line.split()[0] for line in pale("list", "syscalls", "--arch", "x86_64").out.splitlines()]
    names = [n for n in names if n.replace("_", "").isalnum() and n not in ("name", "execve")][:300]
    caps = ["sys_admin", "sys_chroot", "sys_ptrace", "sys_boot", "sys_time"]
    body = ""
    for k in range(1 << len(caps)):
        values = ", ".join(str(1000 * k + i * i * 3 + 1) for i in range(8))
        whens = "".join(f"when {'' if k >> i & 1 else 'not '}capability {c} {{ " for i, c in enumerate(caps))
        body += whens + "allow " + ", ".join(f"{n}(reg arg0 in {{{values}}})" for n in names) + ";" + "} " * len(caps)
    text = "policy k { arch x86_64; default errno EPERM; unknown errno EPERM; allow execve; %s }" % body
    _, r = compiled(pale, tmp_path, text, "--diag=json", "-t", "docker", *PLAIN)
    size = (tmp_path / "out").stat().st_size
    assert size > 1 << 20 and f"the JSON has {size} bytes" in r.err and "PL152" in r.err
