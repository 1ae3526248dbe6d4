# SPDX-License-Identifier: Apache-2.0
"""AppArmorProfiles of the security profiles operator: a profile's text, or what one allows."""
import json
import textwrap

import pytest
import yaml

from cases import BASE, findings_of

HEAD = "apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: AppArmorProfile\nmetadata: {name: web}\nspec:\n"
LINES = ["abi <abi/3.0>,", "", "include <tunables/global>", "profile web flags=(attach_disconnected) {", "  include <abstractions/base>", "  # all that is needed, says \"who\"",
         "  /bin/{sh,web} ixr,", '  "/a \\"b" r,', "  capability sys_admin,", "}"]
TEXT = "\n".join(LINES) + "\n"
BLOCK = "".join(f"    {r}\n" if r else "\n" for r in LINES)
ABSTRACT = """  abstract:
    executable: {allowedExecutables: [/bin/web, "/bin/b c"]}
    filesystem:
      readOnlyPaths: [/etc/web, "ptrace (read),"]
      writeOnlyPaths: [/etc/web]
      readWritePaths: ['/dev/mem', "/bin/web", "/proc/sysrq-trigger"]
    network: {allowRaw: true, allowedProtocols: {allowTcp: true, allowUdp: false}}
    capability: {allowedCapabilities: [CAP_SYS_ADMIN]}
    ptrace: {allowedAccess: [read, trace]}
"""


@pytest.fixture
def lint(pale, tmp_path):
    def call(texts):
        files = [tmp_path / (f"{n}.json" if t.startswith("{") else f"{n}.yaml") for n, t in enumerate(texts)]
        for f, t in zip(files, texts):
            f.write_text(t)
        return findings_of(pale, files, "-I", BASE)
    return call


def words(text, found):
    """{id: the bytes that a finding is told of}"""
    return {f["id"]: text.encode()[f["begin"]:f["end"]].decode() for f in found}


def test_a_profiles_text_is_linted_where_it_stands_however_it_is_spelt(lint):
    quoted = TEXT.replace("'", "''")
    texts = [
        f"{HEAD}  policy: |\n{BLOCK}", f"{HEAD}  policy: |2-  # x\n{BLOCK}  disabled: true\n", f"{HEAD}  policy: {json.dumps(TEXT)}\n",
        f"{HEAD}  policy: '" + quoted.replace("\n", "\n\n    ") + "'\n",
        f"{HEAD}  policy: >\n" + BLOCK.replace("\n", "\n\n"),
        json.dumps({"apiVersion": "x/v1", "kind": "AppArmorProfile", "metadata": {"name": "web"}, "spec": {"policy": TEXT}}),
        "apiVersion: v1\nkind: List\nitems:\n- " + textwrap.indent(f"{HEAD}  policy: |\n{BLOCK}", "  ")[2:],
    ]
    plain = {"AP304": "capability", "AP325": "flags=(attach_disconnected)"}
    for text, found in zip(texts, lint(texts)):
        assert words(text, found) == plain, (text, found)
        assert not any(f.get("fix") or f.get("fixes") for f in found)


def test_what_an_object_allows_is_linted_as_the_profile_that_is_made_of_it(lint):
    text, complains = HEAD + ABSTRACT, HEAD + "  mode: Complain\n" + ABSTRACT
    old = HEAD + "  complainMode: true\n" + ABSTRACT
    enforced, *others = lint([text, complains, old])
    assert words(text, enforced) == {"AP210": "/bin/web", "AP201": "/etc/web", "AP318": "/dev/mem", "AP319": "/dev/mem", "AP304": "CAP_SYS_ADMIN", "AP314": "true",
                                      "AP308": "[read, trace]"}
    assert [[(f["id"], t.encode()[f["begin"]:f["end"]]) for f in o] for t, o in zip((complains, old), others)] == \
        [[("AP313", b"Complain")], [("AP313", b"true")]]
    assert "sysrq" not in json.dumps(enforced)  # the operator refuses it


def test_what_an_object_allows_and_no_parser_takes_is_an_error_at_its_place(lint):
    texts = [HEAD + "  abstract: {filesystem: {readOnlyPaths: [/a, 'b/c']}}\n", HEAD + "  abstract: {capability: {allowedCapabilities: [NET_RAV]}}\n",
             HEAD + "  abstract: {executable: {allowedExecutables: ['@{NOPE}/x']}}\n", HEAD + "  abstract: {filesystem: {readOnlyPaths: ['/a{b']}}\n"]
    assert [list(words(t, f).items()) for t, f in zip(texts, lint(texts))] == [
        [("AP108", "b/c")], [("AP109", "NET_RAV")], [("AP105", "@{NOPE}/x")], [("AP104", "{")]]


def test_comments_in_the_text_and_beside_it_suppress(lint):
    inside = f"{HEAD}  policy: |\n{BLOCK}".replace("sys_admin,", "sys_admin,  # pale: ignore AP304 it mounts")
    beside = HEAD + "  abstract:\n    capability:\n      allowedCapabilities:\n      - sys_admin  # pale: ignore AP304 it mounts\n"
    for found in lint([inside, beside]):
        assert not {f["id"] for f in found} & {"AP304", "DS517"}, found


def test_a_fix_leaves_the_text_of_a_policy_alone(pale, tmp_path):
    f = tmp_path / "a.yaml"
    f.write_text(f"{HEAD}  policy: |\n{BLOCK}".replace("    abi <abi/3.0>,\n", "").replace("sys_admin,", "sys_admin, capability sys_admin"))
    before = f.read_text()
    pale("lint", "--fix=unsafe", "-I", BASE, f, check=1)
    assert f.read_text() == before


SECCOMP = """apiVersion: security-profiles-operator.x-k8s.io/v1beta1
kind: SeccompProfile
metadata: {{name: web, namespace: shop}}
spec:
  defaultAction: SCMP_ACT_ERRNO
  disabled: false
{}  syscalls:
  - {{action: SCMP_ACT_ALLOW, names: [read, bpf]}}
"""


def test_of_a_profile_with_a_base_nothing_is_told_that_the_base_may_mend(lint):
    whole, based = lint([SECCOMP.format(""), SECCOMP.format("  baseProfileName: runc-v1.1.5\n")])
    assert {"SC160", "SR203"} <= {f["id"] for f in whole} and "SJ002" not in {f["id"] for f in whole}
    assert {f["id"] for f in based} == {"SR203", "DP628"}


@pytest.mark.parametrize("local, says", [
    ("operator/web.json", ""), ("operator/shop/web.json", ""), ("operator/wep.json", "did you mean 'web'?"), ("operator/shop/web", "the operator writes 'web.json'"),
    ("operator/stall/web.json", "is in the namespace 'shop'"), ("profiles/other.json", "")])
def test_pods_and_bindings_are_joined_with_seccomp_profiles(lint, local, says):
    pod = "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {seccompProfile: {type: Localhost, localhostProfile: %s}}\n  containers: [{name: a}]\n" % local
    name = local.rsplit("/", 1)[1].removesuffix(".json")
    binding = "apiVersion: security-profiles-operator.x-k8s.io/v1alpha1\nkind: ProfileBinding\nmetadata: {namespace: shop}\n" \
              "spec: {profileRef: {kind: SeccompProfile, name: %s}, image: nginx}\n" % name
    _, of_pod, of_binding = lint([SECCOMP.format(""), pod, binding])
    told = [f["message"] + f.get("help", "") for f in of_pod if f["id"] == "DP629"]
    assert len(told) == bool(says) and says in "".join(told)
    assert len([f for f in of_binding if f["id"] == "DP629"]) == (name not in ("web",))
    alone = lint([pod, binding])
    assert not [f for found in alone for f in found if f["id"] == "DP629"]


WHOLE = "apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\nmetadata: {{name: {}}}\nspec:\n{}  defaultAction: SCMP_ACT_ERRNO\n" \
    "  architectures: [SCMP_ARCH_X86_64]\n  syscalls:\n  - {{action: SCMP_ACT_ALLOW, names: [{}]}}\n"
BASE_CALLS = "execve, exit_group, openat, close, fstatfs, getdents64, write, bpf"


def as_json(text):
    yaml = pytest.importorskip("yaml")
    return json.dumps(yaml.safe_load(text))


@pytest.mark.parametrize("form", [str, as_json])
def test_a_profile_is_looked_at_with_its_base_where_a_file_has_it(lint, form):
    own, base = (form(t) for t in (WHOLE.format("web", "  baseProfileName: base\n", "read, mmap"), WHOLE.format("base", "", BASE_CALLS)))
    with_base, of_base = lint([own, base])
    ids = {f["id"] for f in with_base}
    assert "SC140" in ids and not ids & {"SC160", "SC161", "SR203", "DP628"} and "SR203" in {f["id"] for f in of_base}
    missing = next(f["message"] for f in with_base if f["id"] == "SC140")
    assert "'mprotect'" in missing and "'mmap'" not in missing and "'close'" not in missing
    assert {f["id"] for f in lint([own])[0]} == {"DP628"}
    assert all(own.encode()[f["begin"]:f["end"]] for f in with_base)
    if form is str:
        both = f"{base}---\n{own}"
        found = [f for f in lint([both])[0] if f["begin"] > len(base)]
        assert {f["id"] for f in found} == ids


def test_of_a_base_that_has_one_itself_or_is_in_a_registry_nothing_is_known(lint):
    def own(base):
        return WHOLE.format("web", f"  baseProfileName: {base}\n", "read")
    assert {f["id"] for f in lint([own("oci://r/x"), WHOLE.format("x", "", "write")])[0]} == {"DP628"}
    assert {f["id"] for f in lint([own("b"), WHOLE.format("b", "  baseProfileName: c\n", "write"), WHOLE.format("c", "", "close")])[0]} == {"DP628"}
    assert {f["id"] for f in lint([own("web")])[0]} == {"DP628"}


@pytest.mark.parametrize("form", [str, as_json])
def test_bindings_are_held_against_pods_and_profiles(lint, form):
    def binding(image, kind="SeccompProfile", name="web"):
        return form("apiVersion: security-profiles-operator.x-k8s.io/v1alpha1\nkind: ProfileBinding\nmetadata: {name: b}\n"
                    f"spec: {{profileRef: {{kind: {kind}, name: {name}}}, image: '{image}'}}\n")
    pod = form("apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: 'nginx:1.29'}]}\n")
    profile, apparmor = form(WHOLE.format("web", "", "read")), form(HEAD + "  abstract: {}\n")
    texts = [binding("nginx:1.29"), binding("*"), binding("ngins:1.29"), binding("*", name="wep"), binding("*", "AppArmorProfile"), binding("*", "AppArmorProfile", "nope")]
    found = [[(f["id"], f.get("help")) for f in of] for of in lint([*texts, pod, profile, apparmor])[:len(texts)]]
    assert [[i for i, _ in of] for of in found] == [[], [], ["DP633"], ["DP629"], [], ["DP633"]]
    assert found[2][0][1] == "did you mean 'nginx:1.29'?" and not any(lint(texts))


@pytest.mark.parametrize("form", [str, as_json])
def test_objects_of_the_operator_of_which_nothing_is_said_are_named(lint, form):
    texts = [form(f"apiVersion: security-profiles-operator.x-k8s.io/v1alpha1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{}}\n")
             for kind in ("ProfileRecording", "RawSelinuxProfile", "SelinuxProfile")]
    assert [[(f["id"], f["severity"]) for f in of] for of in lint(texts)] == [[("PL465", "info")]] * 3


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_an_object_is_not_given_what_it_has_no_word_for(pale, tmp_path, form):
    """The operator's schema has no 'defaultErrnoRet': an API server would drop it."""
    spec = {"defaultAction": "SCMP_ACT_ERRNO", "disabled": False, "syscalls": [{"action": "SCMP_ACT_ALLOW", "names": ["read", "rename"]}]}
    whole = {"apiVersion": "security-profiles-operator.x-k8s.io/v1beta1", "kind": "SeccompProfile", "metadata": {"name": "web"}, "spec": spec}
    f = tmp_path / f"a.{form}"
    f.write_text(json.dumps(whole) if form == "json" else yaml.safe_dump(whole))
    (found,) = [x for x in findings_of(pale, [f])[0] if x["id"] == "SC128"]
    assert "entry of their own with errnoRet 38: a SeccompProfile has no 'defaultErrnoRet'" in found["help"]
    assert not found.get("fix") and "defaultErrnoRet" not in pale("lint", "--diff", "--fix=unsafe", "--select", "SC128", f).out
    bare = tmp_path / "b.json"
    bare.write_text(json.dumps({k: v for k, v in spec.items() if k != "disabled"}))
    assert '+' in pale("lint", "--diff", "--fix=unsafe", "--select", "SC128", bare, check=1).out
    assert "SJ002" not in {x["id"] for x in findings_of(pale, [f])[0]}
