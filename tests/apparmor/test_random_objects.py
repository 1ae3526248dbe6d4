# SPDX-License-Identifier: Apache-2.0
"""Random profiles of all classes but files answer as the tables that parsers compile of them, whatever
the features mediate: 4.1.0's under several names of the file, for it may make several of one text."""
import os
import pathlib
import random
import sys

import pytest

from conftest import run

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from parsers import Parser  # noqa: E402
from random_objects import CAP, FILE, Profile  # noqa: E402
from test_objects import ALL  # noqa: E402

LONG = bool(os.environ.get("PALE_LONG"))
NAMES = ["p", "pp", "ppp" * 3, "p" * 17, "p" * 5, "p" * 12, "p" * 25, "p" * 40]
CLASSES_OF_SOCKETS = [15, 14, 4]  # network_v9, network_v8, what was before


def read_features(text):
    """Names in braces as dicts."""
    stack, name = [{}], None
    for word in text.replace("{", " { ").replace("}", " } ").split():
        if word == "{":
            stack.append(stack[-1].setdefault(name, {}))
        elif word == "}":
            stack.pop()
        else:
            name = word
            stack[-1].setdefault(name, {})
    return stack[0]


def features_text(tree):
    return "".join(f"{name} {{{features_text(inside)}}}\n" if inside else f"{name}\n" for name, inside in tree.items())


# What a kernel may lack, or have besides.
SOCKETS = {"neither": [], "v8": ["network_v8"], "unix": ["network_v8", "network/af_unix"], "v9": ["network_v8", "network_v9"],
           "v9 unix": ["network_v8", "network_v9", "network_v9/af_unix"], "both unix": ["network_v8", "network_v9", "network_v9/af_unix", "network/af_unix"],
           "unix alone": ["network/af_unix"]}


def some_features(r, parser, sockets):
    """(text, fine): fine says whether unix sockets are a class of their own."""
    own, every = read_features(parser.features.read_text()), read_features(ALL)
    tree = {name: inside for name, inside in own.items() if not name.startswith("network")}
    for name in ("mount", "ptrace", "signal", "io_uring", "dbus", "ipc"):
        if name in every and r.random() < .85:
            tree[name] = every[name]
        elif r.random() < .5:
            tree.pop(name, None)
    if r.random() < .5:
        tree["namespaces"] = every["namespaces"]
    masks = {"af_mask": {name: {} for name in ("unspec", "unix", "inet", "inet6", "netlink", "packet")}}
    for path in SOCKETS[sockets]:
        at = tree
        for name in path.split("/"):
            at = at.setdefault(name, {})
        at |= {"yes": {}} if path.endswith("af_unix") else masks
    fine = "network/af_unix" in SOCKETS[sockets] or parser.release == "5.0" and "network_v9/af_unix" in SOCKETS[sockets]
    return features_text(dict(sorted(tree.items()))), fine  # as kernels have it


def tables(binary):
    end = next(at + len(v) for name, tag, v, at in aadfa.tokens(binary) if tag == aadfa.BLOB and name == "aadfa")
    return aadfa.File(binary[:end]), aadfa.File(binary), aadfa.capabilities(binary)


def outcome(masks, bit, complains):
    allow, audit, quiet = masks
    if allow & bit:
        return "allowed, audited" if audit & bit else "allowed"
    return "allowed, logged" if complains and not quiet & bit else "refused"


def granted(word):
    return word in ("allowed", "allowed, audited")


def wanted(compiled, where, keys, complains, sockets):
    """What the kernel would answer by these tables."""
    policy, files, caps = compiled
    if where == CAP:
        return outcome([mask >> keys[0][0] & 1 for mask in caps], 1, complains)
    if where == FILE:
        wants = [outcome(files.masks(key, True), bit, complains) for key, bit in keys]
        if len(wants) == 3 and wants[0] != "refused" and wants[1] in ("refused", "allowed, logged"):
            wants = wants[:1]  # the kernel loses the error (test_guest_accesses)
        return next((w for w in ("refused", "allowed, logged") if w in wants), wants[-1])
    [(key, bit)] = keys
    if sockets:
        key = bytes([next((c for c in CLASSES_OF_SOCKETS if policy.dfa and policy.dfa.run(bytes([c]))), 0)]) + key
    if not policy.dfa or not policy.dfa.run(key[:1]):
        return "allowed"  # not mediated
    return outcome(policy.masks(key), bit, complains)


def questions(profile, kinds, fine, n):
    """{what sim is asked: (is it a socket, where it is looked up, [(text, bit)])}"""
    asked = {}
    for _ in range(4 * n if kinds else 0):
        kind = profile.r.choice(kinds)
        got = profile.ask(kind, fine)
        if got and len(asked) < n:
            asked[got[0]] = (kind in ("network", "unix"), *got[1:])
    return asked


def one_profile(pale, tmp_path, r, parser, names, sockets=None):
    """How many answers were compared, and which there were. sockets: which the features mediate, and no other rules"""
    kinds = ["unix", "network"] if sockets else None
    sockets = sockets or r.choice(sorted(SOCKETS))
    features, fine = some_features(r, parser, sockets)
    (tmp_path / "features").write_text(features)
    p = Profile(r, parser.release)
    kinds = kinds or r.sample(p.classes(), r.choice([1, 2, 3]))
    body = p.body([r.choice(kinds) for _ in range(r.randint(1, 8))])
    complains = r.random() < .3
    text = f'abi "{tmp_path}/features",\n{p.preamble()}profile t{" flags=(complain)" if complains else ""} {{\n{body}\n}}\n'
    compiled = []
    for name in names:
        (tmp_path / name).write_text(text)
        binary = parser.ask(tmp_path / name, features=tmp_path / "features")
        compiled += [tables(binary)] if binary else []
    target = ["--target", f"apparmor={parser.release}", "--features", tmp_path / "features"]
    if not compiled:
        got = run([pale.path, "check", *target, tmp_path / names[0]])
        assert got.rc == 1, f"{text}\n{parser.said[-600:]}"
        return 0, set()
    left_out = {"rlimit", *(["network"] if sockets == "unix alone" else []), *(k for k, name in (("mqueue", "ipc"), ("ptrace", "ptrace")) if name not in read_features(features))}
    asked = questions(p, [k for k in [*kinds, *["unix"] * ("network" in kinds)] if k not in left_out], fine, 50)
    got = run([pale.path, "sim", "--raw", *target, tmp_path / names[0]], input="".join(line + "\n" for line in asked))
    lines, seen = [line.removesuffix(" safe").removesuffix(" unsafe") for line in got.out.splitlines()], set()  # test_change_environment has those
    assert got.rc == 0 and len(lines) == len(asked), (list(asked)[len(lines):len(lines) + 1], got.err, text)
    for (line, (net, where, keys)), said in zip(asked.items(), lines):
        wants = {wanted(c, where, keys, complains, net) for c in compiled}
        assert said == "varies" or {said} == wants, f"{sockets}\n{text}\n{line}: {said}, and the tables say {wants}"
        seen.add((line.split(" ")[0], said))
    return len(asked), seen


@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_random_rules_of_all_classes_answer_as_their_tables(pale, tmp_path, release):
    parser, compared, seen = Parser(release), 0, set()
    names = NAMES[:1] if release != "4.1" else NAMES if LONG else NAMES[:3]
    for seed in range(1500 if LONG else 60):
        n, got = one_profile(pale, tmp_path, random.Random(f"objects {release} {seed}"), parser, names)
        compared, seen = compared + n, seen | got
    assert compared > 1500 and len({word for word, _ in seen}) > 10 and {said for _, said in seen} >= {"allowed", "allowed, audited", "allowed, logged", "refused"}


@pytest.mark.parametrize("sockets", SOCKETS)
@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_rules_of_unix_sockets_that_are_no_class_of_their_own_answer_as_their_tables(pale, tmp_path, release, sockets):
    """They fall to `network unix`, or to nothing, by release and features."""
    parser, compared = Parser(release), 0
    for seed in range(150 if LONG else 8):
        compared += one_profile(pale, tmp_path, random.Random(f"unix {release} {sockets} {seed}"), parser, NAMES[:1], sockets)[0]
    assert compared >= 100


@pytest.mark.parametrize("rule,takes,compiled", [("io_uring label=@{V}", True, False), ("io_uring sqpoll label=x@{profile_name}", True, False), ("io_uring label={a,b}", True, True),
                                                 ("mount options=(slave,noacl) /a/ -> /b/", True, False), ("mount options=(slave) -> /b/", True, True)])
def test_what_only_the_compiler_of_a_class_refuses_is_taken_where_nothing_is_compiled(pale, tmp_path, rule, takes, compiled):
    """Of a label of io_uring no variable is opened, and no mount is both moved and changed."""
    file, without = tmp_path / "p", tmp_path / "features"
    file.write_text(f'abi "{without}",\n@{{V}}=a b\nprofile t {{ {rule}, }}\n')
    parser = Parser("5.0")
    own = parser.features.read_text()
    for features, want in ((own, compiled), ((own.replace("io_uring {", "none {").replace("mount {", "other {")), takes)):
        without.write_text(features)
        assert bool(parser.ask(file, features=without)) == want, parser.said
        assert (pale("check", "--target", "apparmor=5.0", "--features", without, file, check=None).rc == 0) == want
