# SPDX-License-Identifier: Apache-2.0
"""What `pale why` proposes is enough for the kernel that refused: lines are added until none is proposed."""
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE, program  # noqa: E402
from guest import Guest, system, with_pale  # noqa: E402, F401

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

RELEASES = {"debian12": ("3.0", "3.0"), "debian13": ("4.0", "4.1")}  # of the abi, of the parser

PROFILE = """abi <abi/%s>,
profile t flags=(attach_disconnected) {
# more
  /denials mr,
  /data/read r,
  audit deny /data/others r,
}
"""

SCRIPT = r"""
mkdir -p /mnt /new /dev/mqueue; mount -t mqueue mq /dev/mqueue; mount -t tmpfs new /new; mkdir /new/old
sleep 1000 & export OTHER=$!
for round in 1 2 3 4 5; do
    rm -rf /data; mkdir /data; cp /denials /data/read; cp /denials /data/run; chmod 755 /data/run /denials
    echo x >/data/log; echo x >/data/others; cp /data/log "$(printf '/data/a "b"*[x]{y}\n\200,')"
    apparmor_parser -r /t.aa || exit 1
    dmesg -c >/dev/null
    unshare -m sh -c 'echo "exec t" >/proc/self/attr/exec && exec /denials /data/run' 2>&1
    dmesg -c | grep 'profile="t"' >/log
    echo "== round $round"
    pale why - /t.aa --target apparmor=$RELEASE </log >/said 2>&1; echo "status $?"
    cat /said
    sed -n 's/^  allowed by: \(.*,\)$/\1/p' /said | grep -v '^taking out ' >/more
    [ -s /more ] || break
    sed -i '/^# more/r /more' /t.aa
done
echo "== profile"; cat /t.aa
"""


def test_the_lines_that_are_proposed_are_all_that_is_missing(system):
    abi, release = RELEASES.get(system.name, ("5.0", "5.0"))
    files = {"/t.aa": PROFILE % abi, "/denials": pathlib.Path(program("guest/denials")).read_bytes()}
    guest = Guest(system, binaries=[PALE], files=files).run(with_pale(f"RELEASE={release}\n" + SCRIPT))
    first, rounds = guest.part("round 1"), guest.text.count("== round ")
    assert first.count("  allowed by: ") > 25, guest.text
    assert 2 <= rounds < 5, guest.text
    left = [line for line in guest.part(f"round {rounds}").splitlines() if not line.startswith(" ")]
    assert left[0] == "status 0" and len(left) == 2, guest.text
    assert re.fullmatch(r"(2 times )?t: to open /data/others: DENIED, by denials \((first )?pid \d+\)", left[1]), guest.text
