# SPDX-License-Identifier: Apache-2.0
"""pale learn --for: the proposal brings what starts it, visibly, and no more."""
import pathlib
import re

from conftest import PALE, run


def propose(tmp_path, *options):
    out = tmp_path / "p.pale"
    r = run([PALE, "learn", "-o", out, *options, "--", "/bin/true"])
    return r, out.read_text() if out.exists() else None


def uses(text):
    return re.findall(r"^\s+use ([^;]+);", text, re.M)


def test_pale_run_is_what_it_is_for_unless_said(tmp_path):
    r, text = propose(tmp_path)
    assert r.rc == 0 and "start-run" in uses(text), (r, text)
    assert not [u for u in uses(text) if "runc" in u]


def test_a_runtime_brings_its_set_but_not_its_mmap(tmp_path):
    r, text = propose(tmp_path, "--for", "run,runc-nnp")
    assert r.rc == 0 and "start-runc-nnp except mmap" in uses(text), (r, text)
    policy = tmp_path / "p.pale"
    writable = run([PALE, "sim", policy, "mmap(prot=PROT_WRITE|PROT_EXEC)"], check=0)
    assert writable.out.startswith("ERRNO(1)"), writable
    for call in ("fstatfs", "getdents64", "tgkill"):
        assert run([PALE, "sim", policy, call], check=0).out.startswith("ALLOW")
    run([PALE, "compile", "-q", "-t", "docker", policy, "-o", tmp_path / "p.json"], check=0)


def test_a_way_that_has_no_set_is_an_error_and_writes_nothing(tmp_path):
    r, text = propose(tmp_path, "--for", "rocket")
    assert r.rc == 125 and "start-rocket" in r.err and text is None, (r, text)


def test_without_any_sets_execve_is_implied(tmp_path):
    """As for a user who may read the binary and not its profiles."""
    binary = tmp_path / "pale"
    binary.write_bytes(pathlib.Path(PALE).read_bytes())
    binary.chmod(0o755)
    out = tmp_path / "p.pale"
    run([binary, "learn", "-o", out, "--", "/bin/true"], check=0)
    assert re.search(r"^\s+allow execve; # implied:", out.read_text(), re.M), out.read_text()
