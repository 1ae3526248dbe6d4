# SPDX-License-Identifier: Apache-2.0
"""What the linter's rule AP244 says is what a real kernel does: a path with a link or '..' in it is never asked about."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import LONG  # noqa: E402
from guest import NAMES, Guest, System  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

RULES = "\t/{bin,usr,lib,lib64}/** mrix,\n\t/dev/** rw,\n"
PROFILES = {
    "named": f"profile named {{\n{RULES}\t/proc/self/status r,\n\t/proc/net/dev r,\n\t/etc/../x r,\n}}\n",
    "meant": f"profile meant {{\n{RULES}\t/proc/[0-9]*/status r,\n\t/proc/[0-9]*/net/dev r,\n\t/x r,\n}}\n",
    "denied": "profile denied {\n\t/** mrwix,\n\tdeny /proc/self/status r,\n\tdeny /proc/net/dev r,\n\tdeny /etc/../x r,\n}\n",
}
FILES = ("/proc/self/status", "/proc/net/dev", "/etc/../x")
RUN = r"""
echo x >/x
apparmor_parser -a /named /meant /denied; echo "== loaded"; echo $?
for p in named meant denied; do
    for f in /proc/self/status /proc/net/dev /etc/../x; do
        echo "== $p $f"; sh -c "echo 'exec $p' >/proc/self/attr/exec && exec cat $f >/dev/null 2>&1"; echo $?
    done
done
echo "== end"
"""


@pytest.mark.parametrize("name", NAMES if LONG else NAMES[:1])
def test_the_kernel_asks_about_what_a_path_leads_to(name):
    guest = Guest(System(name), files={f"/{k}": v for k, v in PROFILES.items()}).run(RUN, timeout=240)
    assert guest.part("loaded") == "0", guest.text
    for file in FILES:
        assert [guest.part(f"{p} {file}") for p in ("named", "meant", "denied")] == ["1", "0", "0"], (file, guest.text)
