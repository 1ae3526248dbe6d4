# SPDX-License-Identifier: Apache-2.0
"""pale import of the security profiles operator's SeccompProfiles: YAML, several documents, what they build on."""
import json

import pytest

from conftest import PALE, run

HEAD = {"apiVersion": "security-profiles-operator.x-k8s.io/v1beta1", "kind": "SeccompProfile"}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "y"}]}}
ENTRY = {"action": "SCMP_ACT_ALLOW", "names": ["socket"], "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}


def profile(*entries, **more):
    return {**more, "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": list(entries)}


def allows(*names):
    return {"action": "SCMP_ACT_ALLOW", "names": list(names)}


def thing(name, spec, space=None):
    return {**HEAD, "metadata": {"name": name, **({"namespace": space} if space else {})}, "spec": spec}


def documents(*objects):
    """JSON is YAML, but for who looks whether it begins with a brace."""
    return "".join("---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in o.items()) for o in objects)


def listed(*objects):
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def imported(text, *options, rc=0):
    r = run([PALE, "import", *options, "-"], input=text, check=rc)
    return r.err if rc else r.out


def plain(spec, name):
    """What import makes of what runtimes are given."""
    return imported(json.dumps(spec), "-n", name)


@pytest.mark.parametrize("written", [documents, listed])
def test_an_object_becomes_a_policy_with_what_it_builds_on(written):
    base, web = profile(allows("read", "write"), ENTRY), profile(allows("openat"), baseProfileName="runtime", disabled=False)
    whole = plain(profile(allows("read", "write"), ENTRY, allows("openat")), "web")
    got = imported(written(POD, thing("runtime", base), thing("web", web)))
    assert got == whole and "allow socket(" in whole.replace("reg ", "") and "policy web {" in whole
    assert imported(written(thing("web", web), thing("runtime", base)), "--profile", "web") == whole
    assert imported(written(thing("web", web), thing("runtime", base)), "--profile", "runtime") == plain(base, "runtime")
    assert "policy other {" in imported(written(thing("web", web), thing("runtime", base)), "-n", "other")
    bare = {k: v for k, v in web.items() if k != "syscalls"}  # all of its entries are the base's
    assert imported(written(thing("runtime", base), thing("web", bare))) == plain(base, "web")


def test_a_profile_in_yaml_is_read_without_an_object_around_it(tmp_path):
    file = tmp_path / "web.yaml"
    file.write_text("".join(f"{k}: {json.dumps(v)}\n" for k, v in profile(allows("read")).items()))
    assert run([PALE, "import", file], check=0).out == plain(profile(allows("read")), "web")


def test_what_compile_writes_for_the_operator_comes_back(tmp_path):
    text = imported(documents(thing("web", profile(allows("read", "write", "openat"), ENTRY))))
    (tmp_path / "x.pale").write_text(text.replace("unknown errno ENOSYS", "unknown errno EPERM"))
    run([PALE, "compile", "-q", "-t", "spo", "--approximate", "-o", tmp_path / "y.json", tmp_path / "x.pale"], check=0)
    (tmp_path / "back.pale").write_text(run([PALE, "import", tmp_path / "y.json"], check=0).out)
    assert "policy web {" in (tmp_path / "back.pale").read_text()
    run([PALE, "diff", tmp_path / "back.pale", tmp_path / "y.json"], check=0)


SPACED = [thing("web", profile(allows("read"), baseProfileName="low"), "a"), thing("web", profile(allows("write"), baseProfileName="low"), "b"),
          thing("low", profile(allows("openat")), "a"), thing("low", profile(allows("close")), "b")]


def test_objects_of_one_name_are_told_apart_by_their_namespace():
    text = documents(*SPACED)
    for space, own, base in (("a", "read", "openat"), ("b", "write", "close")):
        assert imported(text, "--profile", f"{space}/web") == plain(profile(allows(base), allows(own)), "web")
    assert "say which with its namespace: --profile NAMESPACE/NAME" in imported(text, "--profile", "web", rc=1)


@pytest.mark.parametrize("objects, options, said", [
    ([thing("a", profile(allows("read"))), thing("b", profile(allows("read")))], [], ("this holds 2 SeccompProfiles", "--profile NAME: there are a, b")),
    ([thing("a", profile(allows("read")))], ["--profile", "x"], ("no SeccompProfile here is called 'x'", "there are a")),
    ([thing("a", profile(baseProfileName="b"))], [], ("builds on another one, 'b', which is not", "as a document of its own")),
    ([thing("a", profile(baseProfileName="oci://r/b:1"))], [], ("builds on another one, 'oci://r/b:1'", "it lies in a registry")),
    ([thing("a", profile(baseProfileName="a"))], [], ("builds on 'a', which builds on itself", "the file on the node")),
    ([thing("a", profile(baseProfileName="b")), thing("b", profile(baseProfileName="a"))], [], ("each SeccompProfile here is what another",)),
    ([thing("a", profile(baseProfileName="b")), thing("b", profile(baseProfileName="c")), thing("c", profile())], [], ("which builds on another one",)),
    ([{**HEAD, "metadata": {"name": "a"}}], [], ("this SeccompProfile has no 'spec'",)),
])
def test_what_keeps_it_from_being_one_policy_is_told_with_the_way_out(objects, options, said):
    err = imported(documents(*objects), *options, rc=1)
    assert all(word in err for word in said) and "help: " in err and err.count("error:") == 1, err


def test_what_only_names_a_profile_of_the_operator_holds_none():
    err = imported("kind: ProfileBinding\nmetadata: {name: a}\nspec:\n  profileRef:\n    kind: SeccompProfile\n    name: a\n", rc=1)
    assert "no seccomp profile is in it" in err and "help: " in err, err


def test_a_name_of_an_object_is_asked_of_objects_alone():
    for text in (json.dumps(profile(allows("read"))), "[Service]\nSystemCallFilter=read\n",
                 "".join(f"{k}: {json.dumps(v)}\n" for k, v in profile(allows("read")).items())):
        assert "--profile says nothing of a file that is not AppArmor's" in imported(text, "--profile", "web", rc=2)


def test_what_is_wrong_with_an_entry_is_told_where_it_stands_in_the_yaml():
    err = imported("kind: SeccompProfile\nmetadata: {name: a}\nspec:\n  defaultAction: SCMP_ACT_ERRNO\n  syscalls:\n  - names: [read]\n    action: SCMP_ACT_NO\n",
                   rc=1)
    assert "<stdin>:7:13: error:" in err and "SCMP_ACT_NO" in err, err
