# SPDX-License-Identifier: Apache-2.0
"""pale watch on kernels with AppArmor: real refusals of both layers, with the policy's lines (PALE_LONG)."""
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE  # noqa: E402
from guest import Guest, sets, system, with_pale  # noqa: E402, F401

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

POLICY = """policy t {
    layers seccomp, apparmor;
    log refusals;
    arch x86_64;
    default errno EPERM;
    use start-run, libc, libc-static, stdio, files, process, signals, time;
    allow prctl;
    file rmix /bin/**;
    file r /**;
    deny file r /etc/shadow;
}
"""

SCRIPT = r"""
echo secret >/etc/shadow
pale compile -q -t apparmor -o /t.aa /t.pale && apparmor_parser -r /t.aa || exit 1
$PALE watch --format json /t.pale >/out 2>/said & watch=$!
n=0; until grep -q "pale watch: reads" /said || [ $n = 300 ]; do usleep 20000; n=$((n + 1)); done
for i in 1 2 3; do sh -c "echo 'exec t' >/proc/self/attr/exec && exec /bin/busybox touch /etc/new" 2>&1; done
pale run --layers seccomp /t.pale -- /bin/busybox chroot / /bin/true 2>&1
usleep 500000; kill -TERM $watch; wait $watch; echo "status $?"
echo "== said"; cat /said; echo "== out"; cat /out
"""

if os.environ.get("PALE_LONG"):  # a machine is started
    def test_refusals_of_both_layers_are_told_as_they_come(system):
        guest = Guest(system, binaries=[PALE], files={"/t.pale": POLICY, **sets()}).run(with_pale(SCRIPT))
        got = [json.loads(line) for line in guest.part("out").splitlines() if line.startswith("{")]
        assert "status 0" in guest.text and "capabilities are dropped" in guest.part("said"), guest.text
        denied = [e for e in got if e.get("name") == "/etc/new" and e["event"] == "refusal"]
        assert len(denied) == 1 and any(re.match(r"(owner )?file \w+ /etc/new;", w) for w in denied[0]["allowed_by"]), guest.text
        more = [e for e in got if e["event"] == "more" and e["what"] == denied[0]["what"]]
        assert more and more[-1]["count"] == 3, guest.text
        call = [e for e in got if e.get("call") == "chroot"]
        assert call and any("/t.pale:5:5: default errno EPERM;" in w for w in call[0]["why"]), guest.text
        assert got[-1]["event"] == "end" and not got[-1]["dropped_records"] + got[-1]["dropped_times"], guest.text
