# SPDX-License-Identifier: Apache-2.0
"""Tasks that share a CPU whose kernel switches between them wherever it may: no call is missed, or
the number is told. Without preempt=full such a test can pass on Linux 7 and prove nothing."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import BUILD, PALE  # noqa: E402
from recordings import Recording  # noqa: E402
from guest import Guest, System, sets, with_pale  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

PROBE = BUILD / "tests/learn/probes/switched"
CPUS = int(os.environ.get("PALE_GUEST_CPUS", "1"))
LONG = bool(os.environ.get("PALE_LONG"))
SOME = os.environ.get("PALE_GUESTS", "debian12 debian13 sid" if LONG else "debian13").split()
N = 2000 if LONG else 200
CALLS = {"read": 4 * N, "write": 4 * N, "openat": 4 * N + 8, "sethostname": 4 * (N // 100),
         "mkdir": 4 * (N // 100), "rmdir": 4 * (N // 100)}
SCRIPT = "".join(f"""
$PALE learn --backend {b} -o /p --recording /rec -- {PROBE} {N} >/said 2>&1
echo "status $?" >/status
echo "== {b}"; cat /status; echo "== {b} said"; cat /said; echo "== {b} recording"; cat /rec
""" for b in ("ebpf", "ebpf-raw")) + "echo '== end'\n"


@pytest.fixture(scope="module", params=SOME)
def guest(request):
    guest = Guest(System(request.param), binaries=[PALE, PROBE], files=sets())
    return guest.run(with_pale(SCRIPT), append="preempt=full", cpus=CPUS)


def counts(rec):
    return {name: n for (_, name), n in rec.calls.items() if name in CALLS}


def test_no_call_is_missed_where_tasks_are_switched_anywhere(guest):
    guest.needs_ebpf("ebpf", "ebpf")
    rec = Recording(text=guest.part("ebpf recording"))
    assert guest.part("ebpf") == "status 0" and rec.losses == "none", guest.part("ebpf said")
    assert counts(rec) == CALLS
    assert rec.tasks == 5 + 4 * (N // 100)
    assert "capabilities-seen" in rec.runs[1]
    assert f"capability sys_admin x86_64 sethostname\t1:{CALLS['sethostname']}@" in guest.part("ebpf recording")


def test_a_way_that_misses_calls_says_how_many(guest):
    """By raw tracepoints all is seen before Linux 7, and perf's count of the calls agrees."""
    guest.needs_ebpf("ebpf-raw", "ebpf-raw")
    rec = Recording(text=guest.part("ebpf-raw recording"))
    if int(guest.kernel.split(".")[0]) < 7:
        assert guest.part("ebpf-raw") == "status 0" and rec.losses == "none", guest.part("ebpf-raw said")
        assert counts(rec) == CALLS
        assert "PL408" not in guest.part("ebpf-raw said")
        return
    assert guest.part("ebpf-raw") == "status 1", guest.part("ebpf-raw said")
    lost = int(rec.losses["uncounted"])
    assert f"{lost} calls were not recorded" in guest.part("ebpf-raw said")
    assert lost >= sum(CALLS.values()) - sum(counts(rec).values()) > 0
