# SPDX-License-Identifier: Apache-2.0
"""pale diff: whether an execution that changes the profile passes the environment on."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from test_apparmor_diff import assert_witnesses_are_true, bodies  # noqa: E402

SAFE, UNSAFE = "change_profile /bin/a -> p,", "change_profile unsafe /bin/a -> p,"


@pytest.mark.parametrize("a, b, change", [
    (SAFE, UNSAFE, "looser"), (UNSAFE, SAFE, "tighter"), (SAFE, "change_profile safe /bin/a -> p,", None),
    (UNSAFE + "deny change_profile /x -> q,", "deny change_profile /x -> q," + UNSAFE, None),  # the order does not matter
    (UNSAFE, "change_profile unsafe /bin/[a] -> p,", None), (UNSAFE + "deny change_profile /bin/a -> p,", SAFE + "deny change_profile /bin/a -> p,", None),
    ("change_profile unsafe /bin/* -> p," + SAFE, "change_profile unsafe /bin/* -> p,", "looser"),
    ("change_profile -> p,", "change_profile -> p," + UNSAFE, "looser")])
def test_it_is_looser_to_pass_it_on_with_a_witness(pale, tmp_path, a, b, change):
    d = bodies(pale, tmp_path, a.replace(",", ",\n"), b.replace(",", ",\n"))
    assert {r["change"] for r in d["resources"]} == ({change} if change else set()) and not any(r["reason"] for r in d["resources"])
    assert_witnesses_are_true(pale, tmp_path / "a", tmp_path / "b", d)
    if change:
        assert all("safe)" in r["a"] and "safe)" in r["b"] for r in d["resources"])


def test_policies_too(pale, tmp_path):
    for name, rule in (("a", SAFE), ("b", UNSAFE)):
        (tmp_path / f"{name}.pale").write_text(f"policy p {{ layers apparmor; arch x86_64; {rule[:-1]}; }}\n")
    out = pale("diff", tmp_path / "a.pale", tmp_path / "b.pale", check=1).out
    assert "looser: change_profile /bin/a -> p\n  allowed (safe) -> allowed (unsafe)\n" in out
    assert pale("sim", tmp_path / "b.pale", "change_profile /bin/a -> p").out.split("  ")[2] == "unsafe"
    assert pale("diff", "--fail-on", "tighter", tmp_path / "a.pale", tmp_path / "b.pale").rc == 0
