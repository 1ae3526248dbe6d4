# SPDX-License-Identifier: Apache-2.0
"""AppArmor text with its includes, variables, conditions and blocks: what is left of it, and what is told."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

from conftest import program, run, shared

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from expandcases import CASES  # noqa: E402
from parsers import Parser  # noqa: E402

ABI = """dbus {mask {acquire send receive
}
}
mount {mask {mount umount
}
}
network_v8 {af_mask {unix inet
}
}
%s"""
USERNS = "namespaces {mask {userns_create\n}\n}\n"


class Tree:
    """A directory of AppArmor files, and what the tool says of one of them."""

    def __init__(self, root):
        self.root = root

    def write(self, files):
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def tool(self, *args, name="main", release="5.0", timeout=20):
        return run([program("apparmor/expandtool"), "-b", self.root, "-t", release, *args, self.root / name], cwd=self.root, timeout=timeout)

    def ask(self, text, release="5.0", args=(), **files):
        self.write({"main": text, **files})
        return self.tool(*args, release=release)

    def rules(self, text, release="5.0", **files):
        """The rules that are live, as texts: class, what it begins with, itself."""
        r = self.ask(text, release, **files)
        assert r.rc == 0, r
        lines = r.out.splitlines()
        return [re.sub(r" prio=0 depth=\d+", "", a.strip()) for a, b in zip(lines, lines[1:])
                if " depth=" in a and not b.strip().startswith("^")]


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def told(r, *ids):
    """The messages of these ids, each of which must be there."""
    assert r.rc in (0, 1), r
    found = re.findall(r"^(.*?): (error|warning|high): (.*) \[(PL\d+) ", r.err, re.M)
    for one in ids:
        assert one in [f[3] for f in found], r
    return found


# ---- as the parsers do it ----

def differences(release, tmp_path):
    """Where pale takes what the parser refuses or the reverse, or means something else with it."""
    parser, found = Parser(release), []
    for n, (text, files) in enumerate(CASES):
        tree = Tree(tmp_path / f"{n:04}")
        tree.write({"main": text, "abi/3.0": ABI % "", **files})
        ask = lambda name: parser.ask(tree.root / name, features=parser.features, base=tree.root, cwd=tree.root)
        real, mine = ask("main"), tree.tool("-p", release=release)
        if (real is not None) != (mine.rc == 0):
            found.append((text, "refused" if real is None else "taken", parser.said, mine.err))
        elif real is not None:
            tree.write({"flat": mine.out})
            if ask("flat") != real:
                found.append((text, "means", mine.out, parser.said))
    return found


# 3.0's parser masks a block's owner from permissions and leaves it in what is audited: nobody can say that in one rule.
OWNER_AUDIT = re.compile(r"(owner|other) \{ *(owner \{ *)?audit /a r")
# What no expansion decides: words and globs that the rules' reader refuses.
RULES_OF = re.compile(r"@\{NO\}, }|@\{a,b\}|@\{1,b\}")


@pytest.mark.once
@pytest.mark.parametrize("release", ["3.0", "4.1", "5.0"])
def test_each_release_of_the_parser_agrees(release, tmp_path):
    found = [f for f in differences(release, tmp_path) if not (release == "3.0" and OWNER_AUDIT.search(f[0])) and not RULES_OF.search(f[0])]
    assert not found, f"{len(found)} of {len(CASES)}:\n" + "\n".join(map(str, found[:5]))


def packaged(tmp_path):
    """Profiles that Debian packages bring, by the directory that is their base."""
    found = {pathlib.Path("/etc/apparmor.d"): sorted(p for p in pathlib.Path("/etc/apparmor.d").glob("*") if p.is_file())}
    return {base: files for base, files in found.items() if files}


def test_every_installed_profile_expands(tmp_path):
    sets = packaged(tmp_path)
    if not sets:
        pytest.skip("no AppArmor profile is installed")
    for base, files in sets.items():
        r = run([program("apparmor/expandtool"), "-q", "-b", base, *files])
        assert r.rc == 0 and r.out.count("ok ") == len(files), r


def test_the_parsers_own_corpus(tmp_path):
    """False rejects of any kind: one, of 16,224 values; false accepts where expanding decides: none."""
    where = tmp_path / "tst"  # so relative includes have it
    where.mkdir()
    os.symlink(shared("data", "apparmor-simple-tests"), where / "simple_tests")
    want = {}
    for file in sorted((where / "simple_tests").rglob("*.sd")):
        text = file.read_text(errors="replace")
        if not re.search(r"^#=(TODO|DISABLED)", text, re.M):
            want[str(file.relative_to(where))] = re.search(r"EXRESULT\s+(PASS|FAIL)", text)[1]
    r = run([program("apparmor/expandtool"), "-q", "-b", "simple_tests", *want], cwd=where, check=1)
    got = {name: "PASS" if word == "ok" else "FAIL" for word, name in (line.split(" ", 1) for line in r.out.splitlines())}
    assert [f for f in want if want[f] == "PASS" != got[f]] == ["simple_tests/vars/vars_stress_03.sd"]
    folders = ("include_tests", "bare_include_tests", "includes", "includes-preamble", "vars", "conditional", "abi", "change_hat", "profile/local")
    decided = [f for f in want if f.removeprefix("simple_tests/").startswith(tuple(f"{d}/" for d in folders))]
    assert len(decided) > 250 and not [f for f in decided if want[f] == "FAIL" != got[f]]
