# SPDX-License-Identifier: Apache-2.0
"""Many profiles in one file: what is made of one is given back before the next."""

import pytest

from conftest import PALE, ROOT, run_costs

BASE = ROOT / "tests" / "lint" / "base"
PROFILES = 2000


def small(n):
    return (f"profile p{n} /usr/bin/p{n} {{\n  include <abstractions/base>\n  /etc/p{n}.conf r,\n  /var/lib/p{n}/** rw,\n"
            f"  /usr/bin/p{n} mr,\n  deny /etc/shadow r,\n}}\n")


@pytest.mark.once
def test_two_thousand_profiles_of_one_file_take_little_memory(tmp_path):
    path = tmp_path / "many.aa"
    path.write_text("include <tunables/global>\n" + "".join(map(small, range(PROFILES))))
    r, peak, _ = run_costs(tmp_path, [PALE, "lint", "-I", BASE, "--target", "apparmor=5.0", path])
    assert r.rc in (0, 1) and "for apparmor 5.0" in r.out, r.out[-500:]
    assert peak < 256 << 10  # KiB


def test_a_finding_of_each_of_many_profiles_is_told(pale, tmp_path):
    """Also of those whose rules and automata have gone: each has its own words."""
    path = tmp_path / "many.aa"
    path.write_text("".join(f"profile p{n} /usr/bin/p{n} {{\n  /srv/p{n}/** rwix,\n}}\n" for n in range(300)))
    out = pale("lint", "--select", "AP210", "-I", BASE, "--target", "apparmor=5.0", path, check=1).out
    assert all(f"/srv/p{n}/" in out for n in range(300))
