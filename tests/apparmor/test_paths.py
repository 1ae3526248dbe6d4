# SPDX-License-Identifier: Apache-2.0
"""`pale explain FILE PATH` says what the compiled profile's table says, for owner and others."""
import pathlib
import random
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from conftest import need, some  # noqa: E402
from test_apparmor import compiled  # noqa: E402

HEAD = "policy t { program /usr/bin/t; level linux 6.18; layers apparmor; arch x86_64; default errno EPERM;\n%s}\n"
BITS = {"x": aadfa.EXEC, "w": aadfa.WRITE, "r": aadfa.READ, "a": aadfa.APPEND, "k": aadfa.LOCK, "m": aadfa.MMAP}


def release():
    """Of the parser that table() asks."""
    said = subprocess.run([need("apparmor_parser"), "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.search(r"version (\d+\.\d+)", said)[1]


def explained(pale, tmp_path, body, path):
    """(of others, of the owner) as permission bits."""
    file = tmp_path / "t.pale"
    file.write_text(HEAD % body)
    out = pale("explain", file, path, "-t", f"apparmor={release()}", check=0).out
    line = re.search(r"^  in all         (.*); all else is refused$", out, re.M)[1]
    parts = {"both": "", "to its owner also": "", "to others also": ""}
    for part in line.split("; "):
        m = re.match(r"(?:(to its owner also|to others also) )?(nothing|[a-z]+)(?: \((w without append)\))?$", part)
        bits = sum(BITS[c] for c in m[2]) if m[2] != "nothing" else 0
        parts[m[1] or "both"] = bits | (aadfa.APPEND if bits & aadfa.WRITE and not m[3] else 0)
    return (parts["both"] or 0) | (parts["to others also"] or 0), (parts["both"] or 0) | (parts["to its owner also"] or 0)


def table(pale, body, *paths):
    # apparmor_parser 4.1.0 loses a denied m in a profile of such rules alone, with an attachment.
    text = pale("compile", "-", "-t", "apparmor", input=HEAD % (body + " file r /zz;"), check=0).out
    dfa = aadfa.file_dfa(compiled(text))
    return [tuple(aadfa.perms(dfa, path.encode(), owner) for owner in (False, True)) for path in paths]


@pytest.mark.parametrize("body,others,owner", [
    ("file w /x; deny owner file w /x;", "wa", ""), ("file a /x; deny file w /x;", "", ""), ("file w /x; deny file a /x;", "w", "w"),
    ("file ix /x;", "mx", "mx"), ("file pix /x;", "mx", "mx"), ("file cix /x;", "mx", "mx"), ("file px /x;", "x", "x"),
    ("file pux /x;", "x", "x"), ("owner file ix /x;", "", "mx"), ("file rix /**; deny owner file r /x;", "rmx", "mx"),
    ("file ix /**; deny file m /x;", "x", "x"), ("file ix /**; deny file x /x;", "m", "m"),
    ("file r /x; owner file w /x; deny file a /x;", "r", "rw"), ("file w /x; deny owner file a /x;", "wa", "w"),
    ("owner file a /x; quiet deny file w /x;", "", ""), ("file rw /**; deny owner file w /x; owner file k /x;", "rwa", "rk")])
def test_what_rules_give_together(pale, tmp_path, body, others, owner):
    want = tuple(sum(BITS[c] for c in letters) for letters in (others, owner))
    assert table(pale, body, "/x") == [want]
    assert explained(pale, tmp_path, body, "/x") == want


def test_an_m_that_parsers_disagree_about_is_told(pale, tmp_path):
    file = tmp_path / "t.pale"
    file.write_text(HEAD % "file ix /**; deny file x /x;")
    assert "by AppArmor 3  m" in pale("explain", file, "/x", check=0).out
    assert "by AppArmor 3" not in pale("explain", file, "/y", check=0).out
    file.write_text(HEAD % "file mix /**; deny file x /x;")
    assert "by AppArmor 3" not in pale("explain", file, "/x", check=0).out


def random_rule(rng, exec_word):
    deny = rng.random() < 0.3
    letters = "".join(c for c in "rkm" if rng.random() < 0.4) + rng.choice(["", "", "w", "a"])
    if rng.random() < 0.3:
        letters += "x" if deny else exec_word
    path = rng.choice(["/a", "/a*", "/**", "/a/*", "/{a,b}", "/[ab]", "/?", "/a/**", r"/\141", "/b//c", "/b/*"])
    return "%s%sfile %s %s;" % (rng.choice(["deny ", "quiet deny "]) if deny else rng.choice(["", "log "]),
                                "owner " if rng.random() < 0.4 else "", letters or "r", path)


def test_random_policies_are_explained_as_they_are_compiled(pale, tmp_path):
    rng = random.Random(3)
    paths = ["/a", "/b", "/ab", "/a/b", "/b/c", "/c"]
    given = 0
    for _ in range(some(80)):
        word = rng.choice(["ix", "px", "pix", "Cix", "ux", "PUx"])
        body = "\n".join(random_rule(rng, word) for _ in range(rng.randrange(1, 9)))
        for path, want in zip(paths, table(pale, body, *paths)):
            assert explained(pale, tmp_path, body, path) == want, (body, path)
            given += want != (0, 0)
    assert given > some(100)
