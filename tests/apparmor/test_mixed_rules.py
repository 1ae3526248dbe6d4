# SPDX-License-Identifier: Apache-2.0
"""Rules of files, links and change_profile in blocks, branches and behind prefixes, with variables and aliases: what
each release's parser takes, and what its tables then answer. PALE_LONG: more of them."""
import os
import pathlib
import random
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from parsers import Parser  # noqa: E402

LONG = bool(os.environ.get("PALE_LONG"))
COUNT, SEED = int(os.environ.get("MIXED", 700 if LONG else 20)), os.environ.get("MIXED_SEED", "1")

GLOBS = ["/a", "/b", "/a*", "/?", "/[ab]", "/{a,b}", "/{,d/}a", "/**", "/*", "/d/*", "/d/**", "/[^a]", "@{V}", "/@{W}", "/d/@{W}", "@{V}*", "/{a,a*}", "/d/{**,}",
         '"/a b"', "/a\\ b", "/**/", "/d/{a,[b]}", "/bin/a", "/p", "/q", "/d//b", "/{d/,}@{W}"]
TARGETS = ["p", "/p", "/q", "q", "/*", "/[pq]", "*", "/a", "/**", "@{V}"]
PATHS = ["/a", "/b", "/aa", "/ab", "/d/a", "/d/b", "/d/", "/d/e/f", "/p", "/q", "/bin/a"]
LABELS = ["p", "/p", "/q", "q", "/a", "/b"]
EXECS = ["ix", "px", "Px", "cx", "Cx", "ux", "Ux", "pix", "Pix", "pux", "PUx", "cix"]


class Mixed:
    def __init__(self, rng, release):
        self.r, self.newer = rng, release != "3.0"

    def some(self, p, *words):
        return [self.r.choice(words)] if self.r.random() < p else []

    def prefix(self):
        modes = ["deny", "deny", "allow", "prompt"] if self.newer else ["deny", "deny", "allow"]
        priority = self.some(.2, *(f"priority={n}" for n in (-1, 0, 1, 2))) if self.newer else []
        return priority + self.some(.15, "audit") + self.some(.36, *modes)

    def file(self):
        words, target = self.prefix(), ""
        perms = "".join(self.r.sample("rwkml", self.r.randrange(1, 3)))
        perms += "a" if "w" not in perms and self.r.random() < .2 else ""
        if self.r.random() < .45:
            exec = "x" if "deny" in words else self.r.choice(EXECS)
            perms += exec
            target = f" -> {self.r.choice(['k', 'k2'])}" if exec[0] in "pPcC" and self.r.random() < .3 else ""
        words += self.some(.2, "owner")
        if not target and self.r.random() < .1:
            return " ".join([*words, perms, self.r.choice(GLOBS)]) + ","
        return " ".join([*words, *self.some(.1, "file"), self.r.choice(GLOBS), perms]) + target + ","

    def change(self):
        program = [*self.some(.6, "safe", "unsafe"), self.r.choice(["/bin/a", "/bin/*", "/a", "@{V}"])] if self.r.random() < .4 else []
        return " ".join([*self.prefix(), "change_profile", *program, "->", self.r.choice(TARGETS)]) + ","

    def rule(self, depth=0):
        kind = self.r.random()
        if kind < .08 and depth < 2 and self.newer:
            inner = "\n".join(self.file() if self.r.random() < .9 else self.rule(depth + 1) for _ in range(self.r.randrange(1, 3)))
            return " ".join([*self.prefix(), *self.some(.3, "owner"), "{"]) + f" {inner}\n}}"
        if kind < .12:
            return f"if defined @{{V}} {{\n{self.rule(depth + 1)}\n}} else {{\n{self.rule(depth + 1)}\n}}"
        if kind < .14:
            return self.r.choice(["file,", "deny file,", "owner file,", *(["all,", "audit file,"] if self.newer else [])])
        if kind < .32:
            return self.change()
        if kind < .36:
            return " ".join([*self.prefix(), "link", *self.some(.5, "subset"), self.r.choice(GLOBS), "->", self.r.choice(GLOBS)]) + ","
        return self.file()

    def text(self):
        variables = f"@{{V}}={self.r.choice(['/a', '/a /b', '/d/* /b', '/p'])}\n@{{W}}={self.r.choice(['a', 'a b', '{a,b}'])}\n"
        alias = "alias /a -> /q,\n" if self.r.random() < .1 else ""
        return f"{variables}{alias}profile t {{\n" + "\n".join(self.rule() for _ in range(self.r.randrange(1, 7))) + "\n}\n"


def answers(pale, file, release):
    """{(access, is it the owner): what is said, and is it sure}"""
    out = {}
    for line in pale("sim", "--target", f"apparmor={release}", file, *aadfa.accesses(PATHS), check=None).out.splitlines():
        said, access, who = line.split("  ")[:3]
        for half in ([who == "owner"] if who in ("owner", "other") else [False, True]):
            out[access, half] = said, "whether it is logged goes by" not in line
    return out


def wrong_answers(pale, file, release, table):
    for (access, owner), (said, sure) in answers(pale, file, release).items():
        words = access.split()
        bit, want = aadfa.LETTERS[words[2] if words[0] == "open" else "x"], table.answer(words[1].encode(), owner)
        outcome = "refused" if not want["allow"] & bit else "allowed, audited" if sure and want["audit"] & bit else "allowed"
        if said not in ("varies", outcome) and (said, outcome) != ("asks", "refused"):
            yield access, owner, said, outcome
    got = pale("sim", "--raw", "--target", f"apparmor={release}", file, input="".join(f"change_profile {label}\n" for label in LABELS)).out.splitlines()
    for label, said in zip(LABELS, got, strict=True):
        word = table.dfa.accept[table.dfa.run(label.encode())] if table.dfa else 0
        if said.replace("asks", "refused") != ("allowed" if word >> 31 & 1 else "refused"):
            yield "change_profile", label, said, hex(word)


@pytest.mark.parametrize("release", ["3.0", "4.1", "4.1.8", "5.0"])
def test_mixed_rules_are_taken_and_answer_as_by_that_release(pale, tmp_path, release):
    parser, mixed, files = Parser(release), Mixed(random.Random(f"{release} {SEED}"), release), []
    for n in range(COUNT):
        files.append(tmp_path / f"{n}.aa")
        files[-1].write_text(mixed.text())
    got = pale("check", "--target", f"apparmor={release}", *files, check=None)
    taken, errors, undecided = dict(re.findall(r"^(\S+):\napparmor\S* +(\w+)", got.out, re.M)), {}, 0
    for name, diag in re.findall(r"^([^:\n]+):\d+:\d+: error: .*\[(PL\d+)", got.err, re.M):
        errors.setdefault(name, set()).add(diag)
    for file in files:
        binary, said = parser.ask(file), errors.get(str(file), set())
        if said == {"PL386"}:
            undecided += 1
            continue
        assert (binary is not None) == (taken[str(file)] == "ok"), (file.read_text(), parser.said, said)
        if binary:
            wrong = list(wrong_answers(pale, file, release, aadfa.File(binary)))
            assert not wrong, (file.read_text(), wrong)
    assert undecided <= COUNT / 20


@pytest.mark.parametrize("release", ["4.1", "4.1.8", "5.0"])
@pytest.mark.parametrize("rules", [
    ["priority=2 prompt owner /[ab] wmcix,", "owner /{d/,}a ml,", "/a* wr,"],  # what 4.1.0 asks about goes before what it allows, and is logged as it
    ["priority=-1 audit /d/a mPx,", "prompt /d/* lm,", "file /d/{a,[b]} wr,"],
    ["priority=2 prompt file /a* wkpix -> k,", "owner /[ab] mr,"], ["prompt owner /a* mlPix,", "all,"],
    ["audit prompt /d/* k,", "/d/* krcx -> k,"], ["prompt /a* ix,", "/a px,", "deny /b m,"],
    ["priority=5 change_profile -> p,", "deny change_profile -> p,", "prompt change_profile -> q,"]])  # 4.1.8 counts these words
def test_prompts_and_priorities_count_as_each_release_counts_them(pale, tmp_path, release, rules):
    file, parser = tmp_path / "p", Parser(release)
    file.write_text("profile t {\n" + "\n".join(rules) + "\n}\n")
    binary = parser.ask(file)
    assert binary and not list(wrong_answers(pale, file, release, aadfa.File(binary)))
