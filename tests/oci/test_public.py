# SPDX-License-Identifier: Apache-2.0
"""Seccomp profiles from public repositories: each imports, means the same afterwards, and compiles back.

public-profiles.tsv names them (repository, commit, path, SHA-256 of the file) with what was measured; the
files themselves are not part of this tree: public.py fetches them. They lie under $PALE_PUBLIC as SHA256.json, or in
../shared/public-profiles; without them the test is skipped. UPDATE=1 writes the measured columns anew.
"""
import hashlib
import os

import pytest

from public import COLUMNS, HEAD, ROWS, TABLE, directory

MEASURED = ("import", "same", "docker", "oci")
# What containers ask for on a machine like this: an OCI profile has no conditions.
HERE = ["--caps", "docker", "--kernel", "6.1", "--host", "x86_64", "--arch", "x86_64,i386,x32"]


def reason(r):
    """"PL223 kill", or "yes"."""
    first = next((line for line in r.err.splitlines() if "error: " in line), "")
    return "yes" if not r.rc else first.rsplit("[", 1)[-1].split("]")[0] if "[" in first else "no"


def measure(pale, path, tmp_path):
    policy = tmp_path / "p.pale"
    got = {"import": reason(pale("import", path, "-n", "p", "-o", policy))}
    if got["import"] != "yes":
        return got | {k: "-" for k in MEASURED[1:]}
    got["same"] = "yes" if pale("diff", path, policy).rc == 0 else "no"
    got["docker"] = reason(pale("compile", policy, "-t", "docker", "-o", tmp_path / "d.json"))
    if got["docker"] == "yes":
        assert pale("diff", path, tmp_path / "d.json").rc == 0, path
    arches = set(policy.read_text().split("arch ", 1)[1].split(";")[0].replace(",", " ").split())
    here = HERE[:-1] + [",".join(sorted(arches & {"x86_64", "i386", "x32"}))]
    got["oci"] = reason(pale("compile", policy, "-t", "oci", *here, "-o", tmp_path / "o.json")) if here[-1] else "-"
    return got


def test_the_table_names_many_files_of_many_repositories():
    assert len(ROWS) >= 60 and len({r["repository"] for r in ROWS}) >= 45
    assert len({r["sha256"] for r in ROWS}) == len(ROWS)
    assert all(set(r) == set(COLUMNS) for r in ROWS)
    imported = [r for r in ROWS if r["import"] == "yes"]
    assert all(r["same"] == "yes" for r in imported)
    for target in ("docker", "oci"):
        assert sum(r[target] == "yes" for r in imported) >= .9 * len(imported), target


@pytest.mark.once
def test_public_profiles_import_and_compile_back(pale, tmp_path, record_property):
    where, changed, there = directory(), [], 0
    if not where:
        pytest.skip("needs the public profiles ($PALE_PUBLIC), which are not part of the tree")
    for row in ROWS:
        path = where / f"{row['sha256']}.json"
        if not path.exists():
            continue
        there += 1
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        got = measure(pale, path, tmp_path)
        changed += [(row["repository"], row["path"], k, row[k], got[k]) for k in MEASURED if row[k] != got[k]]
        row.update(got)
    if os.environ.get("UPDATE"):
        TABLE.write_text("\n".join([HEAD] + ["\t".join(r[c] for c in COLUMNS) for r in ROWS]) + "\n")
    assert there and not changed, changed
    good = {k: sum(r[k] == "yes" for r in ROWS) for k in MEASURED}
    record_property("figure", f"public profiles: {there} of {len(ROWS)} here, {good['import']} import, {good['same']} mean "
                    f"the same, {good['docker']} compile back for Docker, {good['oci']} as OCI")
