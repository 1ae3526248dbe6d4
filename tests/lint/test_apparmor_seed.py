# SPDX-License-Identifier: Apache-2.0
"""The AppArmor profile that circulates on the web: what the linter must find in it, and what not."""
import json

import pytest

from cases import BASE
from conftest import PALE, ROOT, run

SEED = ROOT / "profiles/found/docker-web.apparmor"
# rule -> severity, and what the message must have
MUST = {
    "AP314": ("warning", "'socket alg seqpacket' is allowed"),  # `network,`
    "AP325": ("info", "attach_disconnected"),
    "AP327": ("warning", "'signal receive term peer=runc' is refused"),
}
# No file of the machine's, no capability, no mount, no other process is open to it.
MUST_NOT = {"AP301", "AP302", "AP303", "AP304", "AP305", "AP306", "AP307", "AP308", "AP309", "AP310", "AP311", "AP312",
            "AP313", "AP315", "AP316", "AP317", "AP318", "AP319", "AP320", "AP321", "AP322", "AP323", "AP324", "AP326",
            "AP328"}


@pytest.fixture(scope="module", params=["3.0", "4.1", "5.0"])
def findings(request):
    r = run([PALE, "lint", "--format", "json", "-I", BASE, "--target", f"apparmor={request.param}", SEED], check=1)
    return json.loads(r.out)["findings"]


@pytest.mark.parametrize("rule", sorted(MUST))
def test_the_seed_profile_has_this_finding_once(findings, rule):
    found = [f for f in findings if f["id"] == rule]
    severity, words = MUST[rule]
    assert [f["severity"] for f in found] == [severity], findings
    assert words in found[0]["message"]


def test_the_seed_profile_has_none_that_is_not_true_of_it(findings):
    assert not [f for f in findings if f["id"] in MUST_NOT or f["severity"] == "error"]
