# SPDX-License-Identifier: Apache-2.0
"""What rings of io_uring do with sockets, as pale learn sees it on the kernels of Debian: tests/agree holds it against AppArmor's log on one."""
import os
import pathlib
import re
import stat
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import LONG, PALE, program  # noqa: E402
from recordings import Recording  # noqa: E402
from guest import Guest, sets, system, with_pale  # noqa: E402, F401

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest"),
              pytest.mark.skipif(not LONG, reason="PALE_LONG: recordings by eBPF in a guest are seconds each")]

CASES = ["ring_bound", "ring_polled_connected", "ring_fixed_connected", "ring_message_sent_to", "ring_abstract", "ring_path_datagram",
         "ring_kept_credentials", "ring_worker_raw", "ring_accepted_many"]
# pale itself may have been built below /tmp, which each program finds empty.
SCRIPT = r"""
cp $PALE /learner; mkdir /d; [ ! -e /proc/sys/kernel/io_uring_disabled ] || echo 0 >/proc/sys/kernel/io_uring_disabled
for case in $CASES; do
    /rings fresh $case
    /learner learn --backend ebpf --allow-loss -r /rec -o /said -- /rings $case </dev/null >/err 2>&1
    status=$?; echo "== $case"; echo "status $status"; cat /err; echo "== $case rec"; cat /rec; echo "== $case proposal"; cat /said; rm -f /rec /said
done
"""


@pytest.fixture(scope="module")
def guest(system):
    g = Guest(system, binaries=[PALE], files={"/rows": "x", **sets()})
    g.tree["/rings"] = (stat.S_IFREG | 0o755, pathlib.Path(program("agree/rings")).read_bytes())
    return g.run(f"CASES='{' '.join(CASES)}'\n" + with_pale(SCRIPT), timeout=1200, memory=1024)


@pytest.fixture
def of(guest):
    def recorded(case):
        assert guest.part(case).splitlines()[0] == "status 0", guest.part(case)
        rec = Recording(text=guest.part(f"{case} rec") + "\n")
        assert rec.losses == "none" and rec.runs[1].get("rings-seen"), rec.text
        return rec
    return recorded


def kernel(guest):
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", guest.kernel).groups()))


def test_a_ring_binds_and_listens(guest, of):
    """By IORING_OP_BIND since Linux 6.11, where no call does."""
    rec = of("ring_bound")
    by_ring = kernel(guest) >= (6, 11)
    assert (("x86_64", "bind") in rec.calls) != by_ring and ("x86_64", "socket") not in rec.calls
    assert ("bind", "inet", "stream", "81", "any") in rec.addresses
    assert f"capability net_bind_service x86_64 {'io_uring_enter' if by_ring else 'bind'}\t" in rec.text
    assert re.search(r"network inet stream; # 1x, by io_uring", guest.part("ring_bound proposal"))


@pytest.mark.parametrize("case, tuple_", [
    ("ring_polled_connected", "io_uring_setup 0x2 0x1 0x0"), ("ring_fixed_connected", "io_uring_enter 0x2 0x1 0x0"),
    ("ring_message_sent_to", "io_uring_enter 0x2 0x2 0x0"), ("ring_worker_raw", "io_uring_enter 0x2 0x3 0x1")])
def test_sockets_are_seen_whoever_makes_them(of, case, tuple_):
    """The thread that polls, one without a descriptor, a worker."""
    rec = of(case)
    assert f"tuple x86_64 {tuple_}\t" in rec.text, rec.text
    what = {"ring_message_sent_to": ("send", "dgram")}.get(case, ("connect", "stream"))
    if case == "ring_worker_raw":
        assert "capability net_raw x86_64 io_uring_enter\t" in rec.text
    else:
        assert [a for a in rec.addresses if (a[0], a[2]) == what and a[1] == "inet" and a[4] == "loopback"], rec.addresses


def test_addresses_that_are_no_ports_are_rules_and_files(of):
    assert 'unix (connect, send, receive) type=stream peer=(addr=@agree-ring)' in of("ring_abstract").rules
    rec = of("ring_path_datagram")
    assert rec.files["/d/by-rings"][0] == "rw" and "/d/by-rings" in rec.sockets


def test_kept_credentials_and_the_first_accept_are_told(of):
    assert "io_uring (override_creds)" in of("ring_kept_credentials").rules
    assert of("ring_accepted_many").runs[1]["serve-from"] == '"io_uring_enter"'
