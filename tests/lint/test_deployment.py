# SPDX-License-Identifier: Apache-2.0
"""What starts containers: compose files, pods and the operator's profiles, in YAML."""
import json
import re

import pytest

from cases import DEPLOYMENT_CASES, open_, profile
from conftest import ROOT, need, run

SERVICE = "services:\n  web:\n    image: web\n"
POD = """apiVersion: apps/v1
kind: {kind}
spec:
  template:
    spec:
      containers:
      - name: web
        securityContext: {context}
"""


@pytest.fixture
def lint(pale, tmp_path):
    def call(text, name="compose.yaml", rule=None, rc=(0, 1)):
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        r = pale("lint", "--runtime", "any", "--format", "json", tmp_path / name)
        assert r.rc in rc, r
        return [f for f in json.loads(r.out)["findings"] if rule in (None, f["id"])]
    return call


@pytest.mark.parametrize("rule", sorted(DEPLOYMENT_CASES))
def test_a_rule_of_deployments_speaks_and_is_silent(lint, rule):
    bad, ok, words, _ = DEPLOYMENT_CASES[rule]
    found = lint(bad, rule=rule)
    assert len(found) == 1 and words in found[0]["message"] + found[0].get("help", ""), found
    assert not lint(ok, rule=rule)
    assert not [f for f in lint(bad) + lint(ok) if f["id"].startswith("PL")]


def test_places_are_bytes_whatever_stands_before_them(lint):
    text = "\ufeff# \u00e9\u20ac\U0001f600\r\nservices:\r\n  \"\u00e9\":\r\n    privileged: yes\r\n    pid: 'host'\r\n" + \
        "    x: " + "\u20ac" * 700 + "\r\n    network_mode: host\r\n"
    found = {f["id"] + f["message"][-18:-10]: text.encode()[f["begin"]:f["end"]].decode() for f in lint(text) if f["id"] != "DP608"}
    assert sorted(found.values()) == ["'host'", "host", "yes"]


def test_merged_and_repeated_values_are_the_services_own(lint):
    text = "x-a: &a\n  pid: host\n  privileged: true\nservices:\n  one:\n    <<: *a\n    privileged: false\n  two:\n    <<: [*a]\n"
    assert [f["message"][:13] for f in lint(text, rule="DP604")] == ["service 'two'"]
    assert [f["line"] for f in lint(text, rule="DP605")] == [2, 2]


@pytest.mark.parametrize("text, id, line", [
    ("services:\n  a: [\n", "PL002", 3), ("services:\n  a: &a\n    - [*a]\n", "PL002", 3), ("services:\n  a: {[1]: 2}\n", "PL002", 2),
    ("services:\n\t a: b\n", "PL002", 2), ("services:\n" + "  a: " + "[" * 120 + "]" * 120 + "\n", "PL004", 2),
    ("services:\n  a: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"  a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)), "PL443", 7),
    ("services:\n" + "".join(f"  a{i}: &a{i} 1\n" for i in range(4100)), "PL443", 4098),
])
def test_yaml_that_cannot_be_read_is_an_error_with_a_place(lint, text, id, line):
    found = lint(text, rc=(1,))
    assert [(f["id"], f["line"]) for f in found] == [(id, line)] and found[0]["help"]


def test_bytes_that_are_no_utf8_are_an_error(lint):
    assert [f["id"] for f in lint(b"services:\n  a: \xff\n", rc=(1,))] == ["PL002"]


def test_a_key_twice_is_told_with_both_places(lint):
    found = lint("services:\n  a:\n    pid: host\n    pid: ''\n", rule="PL442")
    assert [(f["line"], f["notes"][0]["line"]) for f in found] == [(4, 3)]


def test_a_profile_is_looked_for_from_the_files_folder(lint, tmp_path):
    text = SERVICE + "    security_opt: [seccomp=sub/p.json]\n"
    (tmp_path / "sub").mkdir()
    assert [f["severity"] for f in lint(text, rule="DP612")] == ["error"]
    for content, said in ((open_("read"), None), ("{}", "is no seccomp profile"), ("{", "is no seccomp profile")):
        (tmp_path / "sub/p.json").write_text(content)
        assert [said in f["message"] for f in lint(text, rule="DP612")] == [True] * bool(said)
    assert [f["severity"] for f in lint(text.replace("sub/", "/no/such/"), rule="DP612")] == ["warning"]
    assert not lint(text.replace("sub/p.json", "${PROFILE}"), rule="DP612")
    (tmp_path / "default").write_text(open_("read"))
    assert not lint(SERVICE + "    security_opt: [seccomp=default]\n", rule="DP602")


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "StatefulSet", "Job"])
@pytest.mark.parametrize("context, rules", [
    ("{privileged: true}", {"DP604"}), ("{seccompProfile: {type: RuntimeDefault}}", {"DP608"}),
    ("{allowPrivilegeEscalation: false}", {"DP609"}),
    ("{seccompProfile: {type: Unconfined}, allowPrivilegeEscalation: false}", {"DP601"}),
    ("{seccompProfile: {type: RuntimeDefault, localhostProfile: x}, allowPrivilegeEscalation: false}", {"DP609"}),
    ("{seccompProfile: {type: Localhost, localhostProfile: ../x}, allowPrivilegeEscalation: false}", {"DP609"}),
    ("{seccompProfile: {type: Localhost, localhostProfile: a..b/x}, allowPrivilegeEscalation: false}", set()),
    ("{seccompProfile: {type: RuntimeDefault}, allowPrivilegeEscalation: false, capabilities: {add: [SYS_ADMIN]}}", {"DP611"}),
    ("{allowPrivilegeEscalation: false, capabilities: {add: [SYS_ADMIN]}}", {"DP609"}),
])
def test_templates_of_pods_are_read_as_pods(lint, kind, context, rules):
    assert {f["id"] for f in lint(POD.format(kind=kind, context=context), "pod.yaml")} == rules


def test_what_a_pod_says_holds_for_its_containers(lint):
    text = "apiVersion: v1\nkind: List\nitems:\n- spec:\n    securityContext: {seccompProfile: {type: RuntimeDefault}}\n" \
           "    containers:\n    - name: a\n      securityContext: {allowPrivilegeEscalation: false}\n"
    assert lint(text) == []
    assert [f["id"] for f in lint(text.replace("RuntimeDefault", "Unconfined"))] == ["DP601"]


def test_the_operators_profile_is_linted_as_json_is(lint):
    inner = json.loads(profile({"names": ["read", "ptrace"], "action": "SCMP_ACT_ALLOW"}))
    plain = sorted(f["id"] for f in lint(json.dumps(inner), "p.json"))
    text = "kind: SeccompProfile\nspec:\n" + "  defaultAction: SCMP_ACT_ERRNO\n  architectures: [SCMP_ARCH_X86_64]\n" \
           "  syscalls:\n  - action: SCMP_ACT_ALLOW\n    names:\n    - read\n    - ptrace\n"
    found = lint(text, "p.yaml")
    assert sorted(f["id"] for f in found) == plain
    assert [f["line"] for f in found if f["id"] == "SR205"] == [9]
    assert sorted(f["id"] for f in lint(text.replace("kind: SeccompProfile\nspec:\n", "").replace("\n  ", "\n").lstrip(), "q.yaml")) == plain


def test_comments_suppress_in_yaml_and_a_hash_in_a_text_does_not(lint):
    told = lint(SERVICE + "    pid: host # pale: ignore DP605 it counts processes\n    x: '# pale: ignore DP605 no'\n")
    assert not {f["id"] for f in told if not f.get("suppressed")} & {"DP605", "DS517"}
    assert lint(SERVICE + "    x: 'a # pale: ignore DP605 no'\n    pid: host\n", rule="DP605")


def test_folders_are_searched_for_them(pale, tmp_path):
    for name, text in {"compose.yml": SERVICE + "    pid: host\n", "values.yaml": "a: 1\n", "x/pod.yaml": POD.format(kind="Job", context="{privileged: true}")}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    out = pale("lint", "--format", "concise", tmp_path, check=1).out
    assert "compose.yml" in out and "pod.yaml" in out and "values.yaml" not in out


def test_what_capabilities_open_is_what_dockers_default_says():
    rows = re.findall(r'^GATED\("(\w+)", \w+, (\d+), "(.*)"\)', (ROOT / "compiler/lint/deploy_gated.def").read_text(), re.M)
    default, found = json.loads((ROOT / "profiles/found/docker-default.json").read_text()), {}
    anyway = {name for e in default["syscalls"] if e.get("includes") == {"minKernel": "4.8"} for name in e["names"]}
    for e in default["syscalls"]:
        for cap in e.get("includes", {}).get("caps", []):
            if e["action"] == "SCMP_ACT_ALLOW":
                found.setdefault(cap.removeprefix("CAP_"), set()).update(set(e["names"]) - anyway)
    assert {cap for cap, *_ in rows} == set(found) - {"SYS_CHROOT"}
    for cap, n, some in rows:
        assert len(found[cap]) == int(n) and set(re.findall(r"'(\w+)'", some)) <= found[cap]


def test_dockers_client_opens_a_file_named_default(tmp_path):
    """DP602, DP612: it fails before any daemon is asked."""
    r = run([need("docker"), "--host", "unix:///no/such.sock", "run", "--security-opt", "seccomp=default", "x"], cwd=tmp_path)
    assert r.rc and "default" in r.err and "no such file" in r.err, r


@pytest.mark.parametrize("mounted, told", [
    ("/run/user/1000/docker.sock", True), ("/run", True), ("/var", False), ("/run/buildkit/buildkitd.sock", False)])
def test_the_engines_socket_is_told_where_it_is_one(lint, mounted, told):
    """Of /var the socket is behind a link to /run; of buildkitd nothing is claimed."""
    found = lint(SERVICE + f"    volumes: ['{mounted}:/x']\n", rule="DP607")
    assert ["root" in f["message"] for f in found] == [False] * told


def test_what_another_engine_knows_is_no_unknown_option(lint):
    for opt in ("mask=/x", "unmask=ALL", "proc-opts=x", "privileged-without-host-devices", "credentialspec=file://x", "writable-cgroups"):
        assert not lint(SERVICE + f"    security_opt: ['{opt}']\n", rule="DP613"), opt


def test_a_named_filter_of_a_privileged_container_is_not_said_to_be_for_nothing(lint, pale):
    text = SERVICE + "    privileged: true\n    security_opt: [seccomp=unconfined]\n"
    assert not lint(text, rule="DP601") and "AppArmor profile" in lint(text, rule="DP604")[0]["message"]
    assert "since 27" in pale("lint", "--explain", "DP604").out.replace("\n", " ")


def test_no_explanation_has_an_escape_in_it(pale):
    for rule in sorted(DEPLOYMENT_CASES) + ["DS517"]:
        out = pale("lint", "--explain", rule).out
        assert "\\n" not in out and "Way out:" in out, rule


@pytest.mark.parametrize("value, told", [("=0", True), ("=f", True), ("=FALSE", True), (":false", True), ("=1", False), ("=T", False), ("", False)])
def test_a_flag_is_read_as_the_engine_reads_it(lint, value, told):
    assert bool(lint(SERVICE + f"    security_opt: ['no-new-privileges{value}']\n", rule="DP608")) == told


@pytest.mark.parametrize("text, rules", [
    ("    privileged: 'TRUE'\n", ["DP604"]), ("    privileged: 'false'\n", []), ("    use_api_socket: true\n", ["DP607"]), ("    security_opt: [label=type:spc_t]\n", ["DP601"]),
    ("    volumes: [/etc:/x:z, '/etc:/y:rw,ro']\n", ["DP631", "DP631"]), ("    volumes: [{type: bind, source: /sys, target: /s, read_only: true}]\n", []),
    ("    devices: [{source: /dev/mem, target: /m}]\n", ["DP632"]), ("    privileged: true\n    devices: [/dev/sda]\n    volumes: [/etc:/x]\n    cap_add: [ALL]\n", ["DP604"]),
    ("    security_opt: [seccomp=unconfined]\n    cap_add: [ALL]\n", ["DP601", "DP611"]), ("    cap_add: ['NET_ADMIN,NET_RAW']\n", ["DP630"])])
def test_what_a_service_is_given_of_the_machine(lint, text, rules):
    found = [f for f in lint(SERVICE + text) if f["id"] != "DP608"]
    assert sorted(f["id"] for f in found) == rules
    assert [f["severity"] for f in found if f["id"] == "DP631"] == (["high", "warning"] if rules == ["DP631", "DP631"] else [])


ONE = "apiVersion: v1\nkind: {kind}\n{outer}\n  spec:\n    containers:\n    - name: web\n      securityContext: {context}\n"


def test_what_a_pod_is_given_of_the_machine(lint):
    def rules(text, name="pod.yaml"):
        return sorted(f["id"] for f in lint(text, name) if f["id"] not in ("DP608", "DP609"))
    assert rules(ONE.format(kind="PodTemplate", outer="template:", context="{privileged: true}")) == ["DP604"]
    assert rules("\ufeff" + POD.format(kind="Job", context="{procMount: Unmasked, seLinuxOptions: {type: spc_t}}")) == ["DP601", "DP601"]
    pod = POD.format(kind="DaemonSet", context="{capabilities: {add: [NOPE]}}") + "        volumeMounts: [{name: p, mountPath: /p, readOnly: %s}]\n" \
        "      volumes: [{name: p, hostPath: {path: /proc}}]\n"
    assert rules(pod % "true") == ["DP630"] and rules(pod % "false") == ["DP630", "DP631"]
    note = POD.format(kind="Pod", context="{}").replace("  template:\n", "  template:\n    metadata: {annotations: {container.apparmor.security.beta.kubernetes.io/web: unconfined}}\n")
    assert rules(note) == ["DP601", "DP610"]


def test_charts_of_helm_are_told_for_what_they_are_and_passed_over_in_folders(pale, lint, tmp_path):
    texts = ["{{- if .Values.a }}\nkind: Pod\napiVersion: v1\n{{- end }}\n", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ include \"x\" . }}\n"]
    for text in texts:
        assert [(f["id"], "template" in f["message"]) for f in lint(text, "chart.yaml", rc=(1,))] == [("PL021", True)]
        assert "chart.yaml" not in pale("lint", "--isolated", tmp_path, check=0).out
    (tmp_path / "chart.yaml").write_text(POD.format(kind="Pod", context="{privileged: true}").replace("name: web", "name: \"{{ x }}\""))
    assert "DP604" in pale("lint", "--isolated", tmp_path, check=1).out
