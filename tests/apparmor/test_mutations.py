# SPDX-License-Identifier: Apache-2.0
"""Texts with one mistake each: what `pale check` says of a release is what that release's parser says.

The texts are the parser's own corpus, packaged profiles and what they include; in each one word is
left out, moved or made another one, or a character or a line is. PALE_LONG: 5,000 of them."""
import os
import pathlib
import random
import re
import sys

import pytest

from conftest import run, shared

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from packaged import fragments_of, profiles_into  # noqa: E402
from parsers import Parser  # noqa: E402

LONG = bool(os.environ.get("PALE_LONG"))
COUNT = int(os.environ.get("MUTATIONS", 5000 if LONG else 60))
SEED = int(os.environ.get("MUTATIONS_SEED", 11))

WORDS = """audit deny allow owner other priority=5 prompt quiet network inet inet6 unix stream dgram raw tcp signal send receive
set=(term) set=(hup,int) peer=foo peer=(label=foo) ptrace trace readby mount umount remount options=(ro) options in (ro,bind)
fstype=ext4 fstype=(proc,sysfs) -> /a /b /a/* /a/** /{a,b} /{a,b /[ab] /[ab "/a b" rw r w a k l m x ix px Px pix Pux cx Cx ux Ux
rwk mrix rwl , { } ( ) = := += ?= capability sys_admin chown foo userns create io_uring sqpoll override_creds mqueue type=posix all
dbus bus=system path=/x interface=a.b member=x name=a.b eavesdrop bind change_profile safe unsafe link subset file rlimit <= set
nofile 10 10K nice infinity pivot_root oldroot=/a/ hat ^h profile p flags=(complain) flags=(attach_disconnected) xattrs=(a=b)
if defined @{A} @{HOME} @{PROC} @{pid} ${B} not and or == in include if exists <abstractions/base> <x> # "a b" \\ ! @ $ : & else
abi <abi/4.0>, <abi/3.0>, addr=@x label=y port=80 ip=1.2.3.4 1 é""".split()
CHARACTERS = 'rwaxk,{}()=:@$/*[]"\\+-<>#!&^?;.% \n\t0é'


SHAPES = [(r"/.*,?", ["/a", "/a/*", "/**", "/a/{b,c}", "/a/[bc]", "@{PROC}/a", '"/a b"', "/a//b/", "/a\\040b", "/{,x/}y{z,}", "/a,", "/b/**,", "/c{d,e{f,g}},"]),
          (r"[rwalkmxipcuPCU]+,", ["r,", "w,", "rw,", "ra,", "ix,", "px,", "Cx,", "rmix,", "rPux,", "lk,", "x,", "rwk,", "wl,", "cix,", "m,"]),
          (r"[a-z_]+,?", ["capability", "network", "signal", "ptrace", "mount", "unix", "dbus", "file", "send", "read", "trace", "stream,", "inet", "kill,",
                          "chown,", "owner", "deny", "audit", "umount,", "signal,", "ptrace,", "network,", "file,", "mount,", "unix,", "dbus,", "capability,"])]


def alike(rng, word):
    """Another word of this one's shape."""
    return next((rng.choice(words) for shape, words in SHAPES if re.fullmatch(shape, word)), word + word)


def in_words(rng, text):
    parts = re.split(r"(\s+)", text)
    words = [i for i, part in enumerate(parts) if part.strip() and not part.startswith("#")]
    if not words:
        return text
    i, j, kind = rng.choice(words), rng.choice(words), rng.randrange(8)
    word = parts[i]
    at = rng.randrange(len(word))
    parts[i] = {0: "", 1: rng.choice(WORDS), 2: f"{word} {rng.choice(WORDS)}", 3: parts[j], 4: word[:at] + word[at + 1:],
                5: word[:at] + rng.choice(CHARACTERS) + word[at:]}.get(kind) or (alike(rng, word) if kind else "")
    if kind == 3:
        parts[j] = word
    return "".join(parts)


def in_lines(rng, text):
    lines = text.splitlines(True)
    if not lines:
        return text
    i, j, kind = rng.randrange(len(lines)), rng.randrange(len(lines)), rng.randrange(3)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(j, lines[i])
    else:
        lines[i], lines[j] = lines[j], lines[i]
    return "".join(lines)


def mutated(rng, text):
    """One mistake."""
    return in_lines(rng, text) if rng.random() < 0.15 else in_words(rng, text)


# What a parser takes and pale refuses, by intent: (releases, what pale says or the text holds, why).
TOLD = [(("3.0", "4.1", "4.1.8", "5.0"), "an include inside a rule", "the parser pastes what is included into the rule; it is no statement of anybody's"),
        (("3.0", "4.1", "4.1.8", "5.0"), r"^\s*profile \} ", "a profile that is called '}': to pale the brace closes one"),
        (("3.0", "4.1", "4.1.8"), r"no rule begins with '[^']*:=|^\s*:=\s", "a name that matches nothing, until 5.0 made ':=' a word (parser_lex.l)"),
        (("3.0",), "'prompt' is read since AppArmor 4.1", "a name that matches nothing, until 4.1 made 'prompt' a word"),
        (("3.0", "4.1", "4.1.8"), r"unexpected '\(', expected '\)', a word or a condition", "a value that holds '=(', until 5.0 ended it there (parser_lex.l, LIST_VALUE_MODE)")]


def is_told(release, said):
    return any(release in releases and re.search(what, said, re.M) for releases, what, _ in TOLD)


def without_comments(text):
    return "".join(line for line in text.splitlines(True) if not re.match(r"\s*#(?!include)", line))


def fragment(text, name):
    """A profile around what is included by one, or a file that begins with what all of them include."""
    if name.parts[0] == "tunables":
        return text + "\nprofile t { /a r, }\n"
    return "include <tunables/global>\nprofile t {\n" + text + "\n}\n"


class Side:
    """Where texts lie and with what they are read."""

    def __init__(self, where, base, features=None):
        self.where, self.base, self.features, self.files = where, base, features, []

    def add(self, folder, text):
        file = f"{folder}/mutated{len(self.files)}.sd"
        (self.where / file).write_text(text)
        self.files.append(file)

    def pales(self, pale, release, features):
        out = run([pale.path, "check", "--target", f"apparmor={release}", "-I", self.base, "--features", features,
                   *self.files], cwd=self.where, timeout=600)
        got = dict(re.findall(r"^(\S+):\napparmor\S* +(ok|refused)", out.out, re.M))
        return {file: got.get(file) == "ok" for file in self.files}, dict(re.findall(r"^([^:\n]+):\d+:\d+: error: (.*)", out.err, re.M))

    def disagreements(self, pale, release):
        """(file, does the parser take it, what it said) but what is told, and how many it took."""
        parser, taken, wrong = Parser(release), 0, []
        ours, said = self.pales(pale, release, self.features or parser.features)
        for file in self.files:
            takes = parser.ask("-I" if self.features else "--base", self.base, file, features=self.features,
                               base=self.where, cwd=self.where) is not None
            taken += takes
            if takes != ours[file] and not (takes and is_told(release, said.get(file, "") + "\n" + (self.where / file).read_text())):
                wrong.append((file, takes, parser.said.strip().splitlines()[-1:]))
        return wrong, taken


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    rng = random.Random(SEED)
    tst, base = tmp_path_factory.mktemp("tst"), tmp_path_factory.mktemp("base")
    corpus = shared("data", "apparmor-simple-tests")
    os.symlink(corpus, tst / "simple_tests")
    (tst / "m").mkdir()
    own, others = Side(tst, "simple_tests", shared("data", "apparmor-features.all")), Side(base, base)
    profiles = profiles_into(base)
    (base / "m").mkdir()
    for name in profiles:
        local = base / "local" / name.name
        local.exists() or local.write_text("")  # which packages make when they are installed
    texts = [t for t in sorted(corpus.rglob("*.sd")) if "stress" not in t.name]  # which take a parser minutes
    fragments = [f for f in fragments_of(base) if f.parts[0] != "local"]
    for n in range(COUNT):
        if n % 2:
            text = re.sub(r"^#=.*\n", "", rng.choice(texts).read_text(errors="replace"), flags=re.M)
            own.add("m", mutated(rng, text))
            continue
        name = rng.choice(profiles if n % 6 else fragments)
        text = mutated(rng, without_comments((base / name).read_text(errors="replace")))
        others.add("m", text if n % 6 else fragment(text, name))
    return own, others


@pytest.mark.once
@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_each_mistake_is_judged_as_that_releases_parser_judges(pale, sides, release):
    taken, wrong = 0, []
    for side in sides:
        disagree, took = side.disagreements(pale, release)
        wrong += [(str(side.where / file), takes, said) for file, takes, said in disagree]
        taken += took
    print(release, COUNT, "texts,", taken, "taken,", len(wrong), "differ", flush=True)
    for w in wrong:
        print(release, *w, flush=True)
    assert not wrong
    assert COUNT * 0.05 < taken < COUNT * 0.95
