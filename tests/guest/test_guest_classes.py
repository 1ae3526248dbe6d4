# SPDX-License-Identifier: Apache-2.0
"""Mounts, tracing, queues, namespaces: what is learned of them is enough for AppArmor, and needed."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE, program, run  # noqa: E402
from guest import NAMES, Guest, System, sets, with_pale  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

PROBE = program("learn/probes/classes")
# A guest runs from the file system that cannot be exchanged for another.
CASES = [case for case in run([PROBE]).out.split() if case != "pivot"]
EMPTY = {f"/etc/apparmor.d/tunables/{d}.d/keep": "" for d in ("home", "multiarch", "xdg-user-dirs", "alias")}
BACKENDS = ["ebpf", "ptrace"]
SOME = NAMES if os.environ.get("PALE_LONG") else NAMES[-1:]

SCRIPT = r"""
echo 0 >/proc/sys/kernel/yama/ptrace_scope
[ ! -e /proc/sys/kernel/io_uring_disabled ] || echo 0 >/proc/sys/kernel/io_uring_disabled
fresh() { cd /; rm -rf /tmp/d; mkdir -p /tmp/d; cd /tmp/d; }
for b in ebpf ptrace; do
    fresh; echo "== learned $b"
    pale learn --backend $b --allow-loss --name $b -o /$b.pale -- $PROBE $CASES </dev/null; echo "status $?"
    pale compile -q -t apparmor -o /$b.aa /$b.pale || cat /$b.pale
    sed -i -E "s,^profile [a-z]+ [^ ]+,profile $b," /$b.aa
    echo "== profile $b"; cat /$b.aa
    apparmor_parser -a /$b.aa
done
for b in ebpf ptrace; do
    fresh; echo "== again $b"
    sh -c "echo 'exec $b' >/proc/self/attr/exec && exec $PROBE $CASES" </dev/null; echo "status $?"
done
echo "== less"
grep -v -E '^  (ptrace|mount|umount|userns|io_uring|signal.*exists)' /ebpf.aa |
    sed -E -e 's/^profile ebpf/profile less/' -e 's/^}/  signal receive set=(term),\n}/' >/less.aa
apparmor_parser -a /less.aa
for case in $CASES; do
    fresh; timeout 20 sh -c "echo 'exec less' >/proc/self/attr/exec && exec $PROBE $case" </dev/null >/dev/null; echo "$case $?"
done
echo "== end"
"""


@pytest.fixture(scope="module", params=SOME)
def guest(request):
    system = System(request.param)
    script = f"CASES='{' '.join(CASES)}' PROBE={PROBE}\n" + SCRIPT
    return Guest(system, binaries=[PALE, PROBE], files={**sets(), **EMPTY}).run(with_pale(script), timeout=150)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_learned_is_enough(guest, backend):
    guest.needs_ebpf(backend, f"learned {backend}")
    denied = [line for line in guest.log if 'apparmor="DENIED"' in line and f'profile="{backend}"' in line]
    if backend == "ptrace":  # there the child had a tracer already, and stopped for none
        denied = [line for line in denied if "signal=stop" not in line]
    assert "status 0" in guest.part(f"learned {backend}").splitlines(), guest.text
    assert not denied, ("\n".join(denied), guest.part(f"profile {backend}"))
    assert guest.part(f"again {backend}") == "status 0", guest.text


def test_without_those_rules_it_is_refused(guest):
    """Files of /proc can be opened on Linux 7 all the same, by who may trace; refused it is there, too."""
    said = dict(line.split() for line in guest.part("less").splitlines())
    refused = {case for case, status in said.items() if status != "0"}
    assert refused >= {"vm_read", "exists", "mounts"} and not refused & {"queue", "queue_read"}, said
    assert guest.denied(profile="less", operation="ptrace") and guest.denied(profile="less", operation="mount")
