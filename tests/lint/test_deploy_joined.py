# SPDX-License-Identifier: Apache-2.0
"""AppArmor profiles that deployments name, and the files of the same run that have them."""
import json

import pytest

from cases import JOINED, RULES

PROFILE = "profile web /usr/bin/web {\n\t/usr/bin/web mr,\n}\n"
UNIT = "[Service]\nExecStart=/bin/true\nAppArmorProfile={}\n"
NAMES = {  # how a name is asked for
    "compose.yaml": "services:\n  a:\n    security_opt: ['apparmor={}', no-new-privileges]\n",
    "pod.yaml": "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {{seccompProfile: {{type: RuntimeDefault}}}}\n  containers:\n  - name: a\n"
                "    securityContext: {{allowPrivilegeEscalation: false, appArmorProfile: {{type: Localhost, localhostProfile: '{}'}}}}\n",
    "run.sh": "docker run --security-opt apparmor={} --security-opt no-new-privileges x\n", "a.service": UNIT,
}


@pytest.fixture
def lint(pale, tmp_path):
    def call(files, rules=("DP618", "DP619")):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        r = pale("lint", "--target", "apparmor=3.0", "--format", "json", *[tmp_path / n for n in files])
        assert r.rc in (0, 1), r
        return [f for f in json.loads(r.out)["findings"] if f["id"] in rules]
    return call


@pytest.mark.parametrize("rule", sorted(JOINED))
def test_a_rule_of_joined_files_speaks_and_is_silent(lint, rule):
    folder = RULES / rule
    for which, n in ("bad", 1), ("ok", 0):
        texts = {"web.aa": (folder / f"{which}-joined.aa").read_text(), "a.service": (folder / f"{which}-joined.service").read_text()}
        found = lint(texts, (rule,))
        assert len(found) == n and all((folder / "says").read_text().split("\t")[1].strip() in f["message"] + f.get("help", "") for f in found), found


def test_a_name_is_looked_for_in_whatever_order_the_files_stand(lint):
    for name, text in NAMES.items():
        for order in (0, 1):
            files = [(name, text.format("wbe")), ("web.aa", PROFILE)]
            found = lint(dict(files[::-1] if order else files))
            assert [(f["id"], f["severity"], f["help"]) for f in found] == [("DP618", "warning", "did you mean 'web'?")], (name, found)
        assert lint({name: text.format("web"), "web.aa": PROFILE}) == []
        assert [f["id"] for f in lint({name: text.format("web"), "web.aa": PROFILE.replace(" {", " flags=(attach_disconnected, complain) {", 1)})] == ["DP619"]


@pytest.mark.parametrize("profile", [
    "", "profile @{X} {\n}\n", "profile other {\n}\ninclude <web>\n", "profile other {\n",
], ids=["no profile", "a variable", "an include", "a file that is not read"])
def test_where_not_all_profiles_are_known_nothing_is_told(lint, profile):
    head = "@{X} = web\n" if "@" in profile else ""
    files = {"a.service": UNIT.format("web")} | ({"web.aa": head + profile} if profile else {})
    assert lint(files) == []


@pytest.mark.parametrize("name", ["docker-default", "unconfined", "cri-containerd.apparmor.d", "a//b", ":n:web", "%i", "containers-default-0.44.0"])
def test_what_engines_load_themselves_is_not_looked_for(lint, name):
    assert lint({"a.service": UNIT.format(name), "web.aa": PROFILE}) == []
