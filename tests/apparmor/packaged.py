# SPDX-License-Identifier: Apache-2.0
"""The profiles that Debian 12 packages: fetched once into the archive's cache, nothing is installed."""
import shutil
import sys

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests"))
from archive import unpacked  # noqa: E402

SUITE = "bookworm"
PACKAGES = ["apparmor", "apparmor-profiles", "apparmor-profiles-extra", "man-db",  # these are 143 profiles
            "cups-daemon", "evince", "libvirt-daemon-system", "tcpdump"]


def profiles_into(base):
    """All of /etc/apparmor.d in one folder; the profiles in it, and the extra ones, by their paths there."""
    for package in PACKAGES:
        root = unpacked(SUITE, package)
        shutil.copytree(root / "etc/apparmor.d", base, dirs_exist_ok=True)
        extra = root / "usr/share/apparmor/extra-profiles"
        if extra.exists():
            shutil.copytree(extra, base / "extra", dirs_exist_ok=True)
    (base / "extra/README").unlink()
    return sorted(p.relative_to(base) for d in (base, base / "extra", base / "libvirt") for p in d.iterdir() if p.is_file())


def fragments_of(base):
    return sorted(p.relative_to(base) for d in ("abstractions", "tunables", "local", "apache2.d")
                  for p in (base / d).rglob("*") if p.is_file())
