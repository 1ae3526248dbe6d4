# SPDX-License-Identifier: Apache-2.0
"""What is learned is enough for AppArmor: ways of using files, learned, enforced, run again."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE, program, run  # noqa: E402
from guest import Guest, sets, system, with_pale  # noqa: E402, F401

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

PROBE = program("learn/probes/mediated")
CASES = run([PROBE]).out.split()

BACKENDS = ["ebpf", "ptrace"]

SCRIPT = r"""
fresh() { # each case in a directory of its own, so that none has the rules of another
    cd /; rm -rf /tmp/d; mkdir -p /tmp/d; cd /tmp/d
    for case in $CASES; do
        mkdir -p $case/dir $case/empty; ln -s file $case/link
        cp /16k $case/file; cp /16k $case/other
    done
}
head -c 16384 /dev/zero >/16k
for b in ebpf ptrace; do
    fresh; echo "== learned $b"
    pale learn --backend $b --name $b -o /$b.pale -- $PROBE $CASES </dev/null; echo "status $?"
    pale compile -q -t apparmor -o /$b.aa /$b.pale
    sed -i -E "s,^profile .* \{,profile $b {," /$b.aa
done
apparmor_parser -a /*.aa
for b in ebpf ptrace; do
    fresh; echo "== again $b"
    sh -c "echo 'exec $b' >/proc/self/attr/exec && exec $PROBE $CASES"; echo "status $?"
done
echo "== more"
sh -c "echo 'exec ebpf' >/proc/self/attr/exec && cd flock_shared && exec $PROBE rename_over"
echo "== end"
"""


@pytest.fixture(scope="module")
def guest(system):
    script = f"CASES='{' '.join(CASES)}' PROBE={PROBE}\n" + SCRIPT
    return Guest(system, binaries=[PALE, PROBE], files=sets()).run(with_pale(script))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_replay_under_what_was_learned_is_not_refused(guest, backend):
    guest.needs_ebpf(backend, f"learned {backend}")
    denied = [line for line in guest.log
              if 'apparmor="DENIED"' in line and f'profile="{backend}"' in line and
              "/flock_shared/" not in line]
    assert guest.part(f"learned {backend}") == "status 0", guest.text
    assert guest.part(f"again {backend}") == "status 0" and not denied, (denied, guest.text)


def test_the_profiles_were_in_force(guest):
    """What another case does in this one's directory is refused."""
    guest.needs_ebpf("ebpf", "learned ebpf")
    assert guest.denied(profile="ebpf", name="/tmp/d/flock_shared/file", operation="rename_src"), guest.log[-5:]
