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
    called = {".aa": "web.aa", ".service": "a.service", ".yaml": "compose.yaml", ".json": "f.json"}
    for which, n in ("bad", 1), ("ok", 0):
        found = lint({called[f.suffix]: f.read_text() for f in sorted(folder.glob(f"{which}-joined.*"))}, (rule,))
        assert len(found) == n and all((folder / "says").read_text().split("\t")[1].strip() in f["message"] + f.get("help", "") for f in found), found


HALVES = ("DP621", "DP622", "DP623")
BOTH = """profile web {
  /usr/bin/{web,sh} mrix,
  mount fstype=tmpfs -> /x/,
  pivot_root,
  network vsock,
  capability sys_time,
}
"""


def of_both(rule):
    return (RULES / rule / "bad-joined.json").read_text()


def test_halves_are_joined_through_whatever_names_both(lint):
    """Each once, and with a further place where another container names the same two."""
    option = "--security-opt apparmor=web --security-opt seccomp=./f.json --security-opt no-new-privileges"
    pod = "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {seccompProfile: {type: Localhost, localhostProfile: 'f.json'}}\n  containers:\n" + "".join(
        f"  - name: {n}\n    securityContext: {{allowPrivilegeEscalation: false, appArmorProfile: {{type: Localhost, localhostProfile: web}}}}\n" for n in "ab")
    compose = (RULES / "DP621/bad-joined.yaml").read_text()
    for name, text, again in (("compose.yaml", compose + compose.replace("services:\n  web", "  more"), 1), ("pod.yaml", pod, 1),
                              ("run.sh", f"docker run {option} x\n", 0),
                              ("a.service", f"[Service]\nExecStart=/usr/bin/docker run {option} x\n", 0)):
        found = lint({name: text, "f.json": of_both("DP621"), "web.aa": BOTH}, HALVES)
        assert [(f["id"], f["severity"]) for f in found] == [("DP621", "warning"), ("DP622", "warning"), ("DP623", "info")], (name, found)
        assert all(len(f["notes"]) == 1 + again for f in found), found
        assert "pivot_root (pivot_root), AF_VSOCK" in found[1]["message"]


def object_of(name, spec, base=""):
    return json.dumps({"apiVersion": "security-profiles-operator.x-k8s.io/v1beta1", "kind": "SeccompProfile", "metadata": {"name": name},
                       "spec": {**({"baseProfileName": base} if base else {}), **spec}})


@pytest.mark.parametrize("local, base, n", [("operator/web.json", "", 3), ("operator/default/web.json", "", 3), ("operator/web.json", "more", 2),
                                            ("operator/web.json", "oci://r/x", 0), ("operator/web", "", 0), ("operator/wab.json", "", 0)])
def test_halves_are_joined_where_one_is_an_object_of_the_operator(lint, local, base, n):
    """With its base where a file of the run has that, which may allow what it lacks."""
    pod = (f"apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {{seccompProfile: {{type: Localhost, localhostProfile: '{local}'}}}}\n  containers:\n"
           "  - {name: a, securityContext: {appArmorProfile: {type: Localhost, localhostProfile: web}}}\n")
    more = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"action": "SCMP_ACT_ALLOW", "names": ["execve"]}]}
    files = {"pod.yaml": pod, "o.json": object_of("web", json.loads(of_both("DP621")), base), "more.json": object_of("more", more), "web.aa": BOTH}
    found = lint(files, HALVES)
    assert [f["id"] for f in found] == list(HALVES[3 - n:]), found
    assert all("the filter, " in f["notes"][0]["message"] and "o.json" in f["notes"][0]["message"] for f in found), found


@pytest.mark.parametrize("files", [
    {"f.json": "{"}, {"f.json": "{}"}, {"web.aa": BOTH.replace("{\n", "flags=(complain) {\n")}, {"web.aa": BOTH.replace("capability", "capabilty")},
    {"web.aa": BOTH.replace("profile web", "profile wab")}, {"compose.yaml": "services:\n  w:\n    privileged: true\n    security_opt: [apparmor=web, seccomp=f.json]\n"},
    {"compose.yaml": "services:\n  w:\n    security_opt: [apparmor=web, seccomp=unconfined]\n"},
    {"f.json": json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": []})},
], ids=["no JSON", "no profile", "complains", "an error", "another name", "privileged", "unconfined", "all passes"])
def test_halves_of_which_one_does_not_hold_are_not_joined(lint, files):
    assert lint({"compose.yaml": (RULES / "DP621/bad-joined.yaml").read_text(), "f.json": of_both("DP621"), "web.aa": BOTH} | files, HALVES) == []


def test_what_passes_with_a_capability_or_some_arguments_is_not_refused(lint):
    doc = json.loads(of_both("DP621"))
    doc["syscalls"] += [{"names": ["execveat", "mount", "pivot_root"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
                        {"names": ["clock_adjtime"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]},
                        {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]}]
    assert lint({"compose.yaml": (RULES / "DP621/bad-joined.yaml").read_text(), "f.json": json.dumps(doc), "web.aa": BOTH}, HALVES) == []


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
