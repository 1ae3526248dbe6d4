# SPDX-License-Identifier: Apache-2.0
"""Files by what names led to when they were used, who owned them then, and how deep they are."""
import os
import re

import pytest

from conftest import PALE, PYTHON, need_root, program, run
from recordings import Recording, split_words, unquote
from test_backends import BACKENDS, learn, usable

PROBE = program("learn/probes/moment")
CASES = run([PROBE]).out.split()
FLIPPED = {"current": "w", "fresh": "rw"}

# Of each case what is used below its directory (tests/guest replays it enforced).
RIGHT = {
    "through_chmod": {"a/f": "w", **FLIPPED}, "through_chown": {"a/f": "w", **FLIPPED},
    "through_truncate": {"a/f": "w", **FLIPPED}, "through_mkdir": {"a/new/": "w", **FLIPPED},
    "through_rmdir": {"a/e/": "w", **FLIPPED}, "through_unlink": {"a/f": "w", **FLIPPED},
    "through_rename": {"a/f": "rw", "a/g": "w", **FLIPPED}, "through_link": {"a/f": "r", "a/g": "l", **FLIPPED},
    "through_symlink": {"a/s": "w", **FLIPPED}, "through_mknod": {"a/p": "w", **FLIPPED},
    "through_bind": {"a/sock": "w", **FLIPPED}, "through_connect": {"a/sock": "rw", **FLIPPED},
    "through_last": {"a/f": "w", "flink": "w", "fresh": "rw"},
    "through_both": {"a/f": "w", "b/f": "w", **FLIPPED}, "through_removed": {"a/new/": "w", "current": "w"},
    "through_made": {"made": "w", "a/new/": "w", "a/f": "w"}, "through_old": {"a/new/": "w"},
    "changed_directory": {"a/x/": "w", "b/y/": "w", **FLIPPED},
    "renamed_parent": {"p/": "rw", "p/x/": "w", "q/": "w", "q/x/": "w"},
    "swapped_parents": {"a/": "rw", "a/f": "w", "b/": "rw", "c/": "w", "c/e/": "w"},
    "moved_twice": {"q1/": "rw", "q2/": "rw", "q3/": "w"}, "moved_over": {"a/e/": "rw", "b/e/": "w"},
    "exchanged": {"a/": "rw", "b/": "rw", "a/f": "w"},
    "moved_into": {"a/": "rw", "b/a/": "w", "b/a/f": "w", "b/a/e/": "w"},
    "temporary": {"t": "rw"}, "replaced": {"t": "rw", "a/f": "w"}, "own_directory": {"own/": "w"},
    "own_link": {"own": "w"}, "fails_full": {"a/": "w", "b/": "rw"}, "fails_directory": {"a/e/": "w"},
    "fails_format": {"s": "wx"},
    "deep": {**{"d/" * n: "w" for n in range(1, 151)}, "d/" * 150 + "f": "w"},
}
# What a rule `owner` is enough for where owners are not asked for: who opened or made a file has all that is done to it.
OWNED = {"temporary": {"t"}, "replaced": {"t", "a/f"}, "own_directory": {"own/"}, "moved_twice": {"q1/", "q2/", "q3/"}}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """By backend: what was recorded of all cases, and the proposal."""
    done = {}

    def record(backend):
        if backend not in done:
            usable(backend)
            top = tmp_path_factory.mktemp("moment") / ("long" * 60)  # names that take several keys of the maps
            for case in CASES:
                for d in "ab":
                    (top / case / d / "e").mkdir(parents=True)
                    (top / case / d / "f").write_text("text")
                (top / case / "current").symlink_to("a")
                (top / case / "flink").symlink_to("a/f")
            out, rec = top / "p.pale", top / "rec"
            r = run([os.path.abspath(PALE), "learn", "--backend", backend, "--exact", "-o", out, "--recording", rec,
                     "--", PROBE, *CASES], cwd=top)
            done[backend] = (r, Recording(rec), out.read_text(), top)
        return done[backend]
    return record


def lost(rec):
    return {unquote(w[1]): tuple(w[2:]) for line in rec.text.splitlines()
            for w in [split_words(line.split("\t")[0])] if w[0] == "lost"}


def below(rec, top, case):
    start = f"{top}/{case}/"
    return {name[len(start):]: how for name, how in rec.files.items() if name.startswith(start)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_files_are_those_that_the_kernel_used_or_are_said_not_to_be_known(recorded, backend):
    """Without a look at the moment of the call no name whose links have changed has a rule."""
    r, rec, text, top = recorded(backend)
    names, wrong = lost(rec), {}
    for case, right in RIGHT.items():
        seen = {name: perms for name, (perms, _) in below(rec, top, case).items()}
        told = {name[len(f"{top}/{case}/"):] for name in names if name.startswith(f"{top}/{case}/")}
        if told:
            right = {name: perms for name, perms in right.items() if name[:2] not in ("a/", "b/")}
            right |= {"a/sock": "w"} if case == "through_connect" else {}  # by the name that it was bound to
            assert backend != "ptrace" and all(re.match("current/|flink$", name) for name in told), told
        if seen != right:
            wrong[case] = seen
    assert not wrong
    assert r.rc == (1 if names else 0), r
    for name, (perms, why) in names.items():
        assert why == "link" and f"# no rule for file {perms} {name}, as a link in it has changed since\n" in text
    assert not names or rec.losses == {"links": len(names)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_removed_renamed_or_given_rights_by_name_stays_its_owner_s(recorded, backend):
    _, rec, text, top = recorded(backend)
    for case, names in OWNED.items():
        seen = below(rec, top, case)
        assert all(seen[name][1] for name in names), (case, seen)
    assert re.search(r"^ +owner file rw \S+/temporary/t;", text, re.M), text


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_what_is_given_to_somebody_else_is_not_its_owner_s(tmp_path, backend):
    need_root()
    f = tmp_path / "f"
    rec, _ = learn(tmp_path, backend, PYTHON, "-Ec",
                   f"import os; open('{f}', 'w'); os.chown('{f}', 65534, 65534); os.unlink('{f}')")
    assert rec.files[str(f)] == ("w", False), rec.text


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_paths_that_are_too_long_are_told_by_name(tmp_path, backend):
    top = tmp_path / "top"
    top.mkdir()
    text = learn(tmp_path, backend, PYTHON, "-Ec",
                 "import os\nfor i in range(20):\n    os.mkdir('d' * 250); os.chdir('d' * 250)\n"
                 "open('the end', 'w'); os.chmod('the end', 0o600); os.unlink('the end')", cwd=top, rc=1)[1]
    told = re.findall(r"^# no rule for file (\w+) (\S.*), as its path has more than 4,096 bytes$", text, re.M)
    assert ("w", "the end") in {(perms, name[-7:]) for perms, name in told}, text
    assert {perms for perms, _ in told} == {"w"} and len(told) >= 2
    assert re.search(r"# losses: .*paths were too long or too deep", text), text


def test_a_child_that_may_not_be_traced_is_said(tmp_path):
    text = learn(tmp_path, "ptrace", PYTHON, "-Ec", "import ctypes, os\n"
                 "ctypes.CDLL(None).syscall(56, 0x00800000 | 17, 0, 0, 0, 0) or os._exit(0)\nos.wait()", rc=1)[1]
    assert "# losses:   1 children were made with CLONE_UNTRACED, so that ptrace cannot see their calls\n" in text
