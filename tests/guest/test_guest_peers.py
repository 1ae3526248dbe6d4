# SPDX-License-Identifier: Apache-2.0
"""Signals between a program, its children, one without a profile and one of another: learned, enforced, run again."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import LONG, PALE, program  # noqa: E402
from guest import NAMES, Guest, System, sets, with_pale  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest"), pytest.mark.skipif(not LONG, reason="PALE_LONG: a boot for signals")]

PROBE = program("learn/probes/peers")
BACKENDS = ["ebpf", "ptrace"]
SELF = "@{profile_name}"
EMPTY = {f"/etc/apparmor.d/tunables/{d}.d/keep": "" for d in ("home", "multiarch", "xdg-user-dirs", "alias")}

# The probe signals itself, a child, its parent, which is the shell or pale, and the process whose number it is given.
SCRIPT = r"""
printf 'abi <abi/3.0>,\nprofile other /nowhere/other { file, signal, capability, }\n' >/other.aa
apparmor_parser -a /other.aa
sleeper() { # of that profile, and one of none
    sh -c "echo 'exec other' >/proc/self/attr/exec && exec $PROBE wait" </dev/null & OTHER=$!
    $PROBE wait </dev/null & NONE=$!
    until grep -q '^other ' /proc/$OTHER/attr/current && [ "$(cat /proc/$OTHER/comm)" = peers ]; do :; done
}
sleeper
for b in ebpf ptrace; do
    echo "== learned $b"
    pale learn --backend $b --name $b -r /$b.rec -o /$b.pale -- $PROBE all $OTHER </dev/null; echo "status $?"
    echo "== recorded $b"; cat /$b.rec
    pale compile -q -t apparmor -o /$b.aa /$b.pale || cat /$b.pale
    sed -i -E "s,^profile [a-z]+ [^ ]+,profile $b," /$b.aa
    echo "== profile $b"; cat /$b.aa
    apparmor_parser -a /$b.aa
done
again() { sh -c "echo 'exec $1' >/proc/self/attr/exec && exec $PROBE $2 $3" </dev/null; echo "$2 $4 $?"; }
for b in ebpf ptrace; do
    echo "== again $b"
    again $b all $OTHER other
    again $b send $OTHER other
    again $b send $NONE none
done
echo "== end"
"""


@pytest.fixture(scope="module", params=NAMES)
def guest(request):
    return Guest(System(request.param), binaries=[PALE, PROBE], files={**sets(), **EMPTY}).run(with_pale(f"PROBE={PROBE}\n" + SCRIPT), timeout=600)


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_label_is_recorded_and_enforced_and_nothing_is_refused(guest, backend):
    guest.needs_ebpf(backend, f"learned {backend}")
    assert "status 0" in guest.part(f"learned {backend}").splitlines(), guest.text
    facts = {line.split("\t")[0] for line in guest.part(f"recorded {backend}").splitlines() if re.match("sent|received", line)}
    assert facts >= {"sent 10 ours", "sent 0 ours", 'sent 12 label "other"', 'sent 0 label "other"', 'sent 23 label "unconfined"'}, facts
    assert not any("program" in fact for fact in facts), facts
    rules = set(re.findall(r"(?m)^ +(signal .*?,)(?: +#.*)?$", guest.part(f"profile {backend}")))
    assert rules >= {f"signal set=usr1 peer={SELF},", "signal send set=usr2 peer=other,", "signal send set=exists peer=other,",
                     "signal send set=urg peer=unconfined,"}, rules
    said = guest.part(f"again {backend}").splitlines()
    assert said[0] == "all other 0" and said[1] == "send other 0", (said, guest.text)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_signal_to_somebody_else_is_refused(guest, backend):
    guest.needs_ebpf(backend, f"learned {backend}")
    assert guest.part(f"again {backend}").splitlines()[2] == "send none 1", guest.text
    denied = [line for line in guest.log if 'apparmor="DENIED"' in line and f'profile="{backend}"' in line]
    assert len(denied) == 1 and 'operation="signal"' in denied[0] and "signal=usr2" in denied[0] and 'peer="unconfined"' in denied[0], denied
