# SPDX-License-Identifier: Apache-2.0
"""Why proposals use none of AppArmor's abstractions: how many files of a run each would stand for, and what it grants beside them.

Not judged by pale: the compiled profiles of Debian's parser are asked, of every path that there is on this machine.
"""
import os
import shutil
import sys

import pytest

ROOM = os.path.dirname(__file__)
sys.path[:0] = [os.path.join(ROOM, "../apparmor")]
from aadfa import LETTERS, file_dfa  # noqa: E402
from conftest import LONG, PALE, run  # noqa: E402
from parsers import Parser  # noqa: E402
from recordings import Recording  # noqa: E402

pytestmark = pytest.mark.once

PROGRAMS = {
    "perl": ["perl", "-MPOSIX", "-MFile::Temp", "-e", "print strftime('%c', localtime)"],
    "python3": ["python3", "-c", "import ssl, json, socket, sqlite3; ssl.create_default_context(); socket.getaddrinfo('localhost', 80)"],
    "git": ["git", "--no-pager", "log", "-1", "--stat"],
    "curl": ["curl", "-sk", "https://localhost:1/"],
    "php": ["php", "-r", "echo gethostbyname('localhost'), json_encode(openssl_get_cert_locations());"],
    "nginx": ["nginx", "-t", "-q"],
    "bash": ["bash", "-lc", "id; getent hosts localhost"],
}
ABSTRACTIONS = ["base", "nameservice", "ssl_certs", "openssl", "python", "perl", "php", "bash", "consoles", "crypto"]
ROOTS = ["/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/root", "/run", "/sbin", "/srv", "/usr", "/var"]
SLICE = ["perl"], ["base", "perl", "openssl"], ["/etc", "/lib", "/usr/lib", "/usr/share/perl5"]


class Machine:
    """Every name below some directories, as the kernel asks about it: {name: {...}}, None where it is no directory."""

    def __init__(self, roots):
        self.tree = {}
        for root in roots:
            if os.path.isdir(root) and not os.path.islink(root):
                self.tree[root[1:].encode()] = self.read(root.encode())

    def read(self, path, depth=0):
        found = {}
        try:
            entries = list(os.scandir(path))
        except OSError:
            return found
        for e in entries:
            found[e.name] = self.read(e.path, depth + 1) if depth < 24 and e.is_dir(follow_symlinks=False) else None
        return found

    def answers(self, dfa):
        """What each gets, owner's half or the other, in the order of the tree."""
        def below(tree, state):
            for name, kids in tree.items():
                at = dfa.run(name, state)
                end = at if kids is None else dfa.run(b"/", at)
                word = dfa.accept[end]
                yield (word | word >> 14) & 0x7f
                if kids:
                    yield from below(kids, end)
        return list(below(self.tree, dfa.run(b"/")))


def compiled(parser, tmp_path, name, text):
    source = tmp_path / name
    source.write_text(text)
    return file_dfa(parser.ask(source))


def granted(dfa, path, letters):
    word = dfa.accept[dfa.run(path.encode(errors="surrogateescape"))]
    want = sum(LETTERS[c] for c in set(letters) - {"l", "x"})
    return want & ~((word | word >> 14) & 0x7f) == 0


def measured(tmp_path, parser, machine, programs, abstractions):
    """{(program, abstraction): (files of the run that it would stand for, paths that get more by it)}, files of each run."""
    dfas = {a: compiled(parser, tmp_path, a, f"include <tunables/global>\nprofile a {{ include <abstractions/{a}> }}\n") for a in abstractions}
    grants = {a: machine.answers(dfa) for a, dfa in dfas.items()}
    found, runs = {}, {}
    for name in programs:
        r = run([PALE, "learn", "--backend", "ptrace", "--allow-loss", "-n", name, "-r", tmp_path / f"{name}.rec", "-o", tmp_path / f"{name}.pale", "--",
                 *PROGRAMS[name]])
        assert (tmp_path / f"{name}.pale").exists(), r
        run([PALE, "compile", "-q", "-t", "apparmor", "-o", tmp_path / f"{name}.aa", tmp_path / f"{name}.pale"], check=0)
        own = machine.answers(file_dfa(parser.ask(tmp_path / f"{name}.aa")))
        files = {p: letters for p, (letters, _) in Recording(tmp_path / f"{name}.rec").files.items() if letters != "-"}
        runs[name] = len(files)
        for a, dfa in dfas.items():
            stands = sum(granted(dfa, p, letters) for p, letters in files.items())
            found[name, a] = stands, sum(1 for has, would in zip(own, grants[a]) if would & ~has)
    return found, runs


def test_no_abstraction_grants_fewer_files_than_it_stands_for(tmp_path, record_property):
    """A line that stands for one file says no more than that file's rule."""
    programs, abstractions, roots = (list(PROGRAMS), ABSTRACTIONS, ROOTS) if LONG else SLICE
    programs = [name for name in programs if shutil.which(PROGRAMS[name][0])]
    if not programs:
        pytest.skip("none of the programs is installed")
    found, runs = measured(tmp_path, Parser("3.0"), Machine(roots), programs, abstractions)
    for (name, a), (stands, more) in found.items():
        print(f"{name:8} {runs[name]:4} files  {a:12} stands for {stands:3}, grants {more:6} more")
        assert stands < 2 or more > stands, (name, a)
    # Else nothing was measured.
    assert all(found[name, "base"][0] >= 2 and found[name, "base"][1] > 1000 for name in programs), found
    nearest = min(((more / stands, name, a) for (name, a), (stands, more) in found.items() if stands >= 2))
    record_property("figure", f"abstractions: of {len(programs)} programs the nearest is {nearest[2]} for {nearest[1]}, "
                    f"{found[nearest[1:]][0]} files for {found[nearest[1:]][1]} others; base {min(found[n, 'base'][0] for n in programs)} to "
                    f"{max(found[n, 'base'][0] for n in programs)} files for {min(found[n, 'base'][1] for n in programs)} others and more")
