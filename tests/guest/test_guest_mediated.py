# SPDX-License-Identifier: Apache-2.0
"""What is learned is enough for AppArmor: ways of using files, learned, enforced, run again."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import LONG, PALE, program, run  # noqa: E402
from guest import NAMES, Guest, System, sets, with_pale  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

PROBE, MOMENT = program("learn/probes/mediated"), program("learn/probes/moment")
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
moment() { # the same of files whose names lead elsewhere in the end
    cd /; rm -rf /tmp/m; mkdir -p /tmp/m; cd /tmp/m
    for case in $MOMENTS; do
        mkdir -p $case/a/e $case/b/e; echo a >$case/a/f; echo b >$case/b/f
        ln -s a $case/current; ln -s a/f $case/flink
    done
}
head -c 16384 /dev/zero >/16k
for b in ebpf ptrace; do
    fresh; echo "== learned $b"
    pale learn --backend $b --name $b -o /$b.pale -- $PROBE $CASES </dev/null; echo "status $?"
    moment; echo "== moment $b"
    pale learn --backend $b --name $b -o /m$b.pale -- $MOMENT $MOMENTS </dev/null; echo "status $?"
    for name in $b m$b; do
        pale compile -q -t apparmor -o /$name.aa /$name.pale
        sed -i -E "s,^profile .* \{,profile $name {," /$name.aa
    done
done
apparmor_parser -a /*.aa
for b in ebpf ptrace; do
    fresh; echo "== again $b"
    sh -c "echo 'exec $b' >/proc/self/attr/exec && exec $PROBE $CASES"; echo "status $?"
    moment; echo "== moment again $b"
    sh -c "echo 'exec m$b' >/proc/self/attr/exec && exec $MOMENT $MOMENTS"; echo "status $?"
done
echo "== more"
sh -c "echo 'exec ebpf' >/proc/self/attr/exec && cd /tmp/d/flock_shared && exec $PROBE rename_over"
echo "== end"
"""


@pytest.fixture(scope="module", params=NAMES if LONG else NAMES[:1])
def system(request):
    return System(request.param)


@pytest.fixture(scope="module")
def guest(system):
    script = (f"CASES='{' '.join(CASES)}' PROBE={PROBE} MOMENT={MOMENT}\n"
              f"MOMENTS='{' '.join(run([MOMENT]).out.split())}'\n" + SCRIPT)
    return Guest(system, binaries=[PALE, PROBE, MOMENT], files=sets()).run(with_pale(script))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_replay_under_what_was_learned_is_not_refused(guest, backend):
    guest.needs_ebpf(backend, f"learned {backend}")
    denied = [line for line in guest.log
              if 'apparmor="DENIED"' in line and f'profile="{backend}"' in line and
              "/flock_shared/" not in line]
    assert guest.part(f"learned {backend}") == "status 0", guest.text
    assert guest.part(f"again {backend}") == "status 0" and not denied, (denied, guest.text)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_names_led_to_when_they_were_used_is_what_is_allowed(guest, backend):
    """eBPF sees it where the kernel asks its security modules, ptrace while the task stands still."""
    guest.needs_ebpf(backend, f"moment {backend}")
    denied = [line for line in guest.log if 'apparmor="DENIED"' in line and f'profile="m{backend}"' in line]
    assert guest.part(f"moment {backend}") == "status 0", guest.text
    assert guest.part(f"moment again {backend}") == "status 0" and not denied, (denied, guest.text)


def test_the_profiles_were_in_force(guest):
    """What another case does in this one's directory is refused."""
    guest.needs_ebpf("ebpf", "learned ebpf")
    assert guest.denied(profile="ebpf", name="/tmp/d/flock_shared/file", operation="rename_src"), guest.log[-5:]
