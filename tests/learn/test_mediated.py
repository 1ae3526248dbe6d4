# SPDX-License-Identifier: Apache-2.0
"""What AppArmor asks for beyond the mode of an open, by every backend (tests/guest replays it)."""
import os
import re

import pytest

from conftest import PALE, need_root, program, run
from recordings import Recording
from test_backends import BACKENDS, learn, usable

PROBE = program("learn/probes/mediated")
CASES = run([PROBE]).out.split()

# Of each case what is proposed, as AppArmor's hooks have it (lsm.c, file.c of Linux 6.1).
RIGHT = {
    "flock_create": {"file": "rwk"}, "flock_exclusive": {"file": "rwk"}, "flock_shared": {"file": "rk"},
    "flock_directory": {"dir/": "rwk"}, "fcntl_read": {"file": "rk"}, "fcntl_write": {"file": "rwk"},
    "ofd_write": {"file": "wk"}, "lease_read": {"file": "rk"}, "lease_write": {"file": "rwk"},
    "rename_gone_directory": {"d1/": "rw", "d2/": "w"}, "rename_old_directory": {"dir/": "rw", "moved/": "w"},
    "rename_directory_twice": {"empty/": "rw", "b/": "rw", "c/": "w"},
    "rename_file": {"file": "rw", "moved": "w"}, "rename_over": {"file": "rw", "other": "w"},
    "exchange_files": {"file": "rw", "other": "rw"},
    "exchange_file_and_directory": {"dir": "rw", "dir/": "rw", "file": "rw", "file/": "rw"},
    "link_read": {"file": "r", "new": "rl"}, "link_write": {"file": "rw", "new": "wl"},
    "link_then_rename": {"file": "rw", "new": "rwl", "newer": "w"},
    "link_chain": {"file": "rw", "one": "rwl", "two": "rwl"}, "link_symlink": {"file": "r", "new": "l"},
    "link_descriptor": {"file": "rw", "new": "wl"}, "link_proc": {"file": "rw", "new": "wl"},
    "mprotect_file": {"file": "mr"}, "mprotect_part": {"file": "mr", "other": "mr"},
    "append": {"file": "w"}, "append_and_read": {"file": "rw"}, "append_truncate": {"file": "w"},
    "append_cleared": {"file": "w"}, "append_create": {"file": "w"}, "append_mapped": {"file": "rw"},
    "read_create": {"made": "rw"}, "read_truncate": {"file": "rw"}, "openat2_create": {"file": "rw"},
    "chmod_directory": {"empty/": "w"}, "chown_symlink": {"link": "w"}, "chown_through_symlink": {"file": "w"},
    "link_temporary": {"#[0-9]*": "rw", "new": "l"}, "new_mounts": {},
}


def proposed(tmp_path, backend, *cases):
    """The file rules of each case, which has a directory of its own, and the whole proposal."""
    out, rec = tmp_path / "p.pale", tmp_path / "rec"
    for case in cases:
        work = tmp_path / case
        for d in ("dir", "empty"):
            (work / d).mkdir(parents=True)
        (work / "file").write_bytes(bytes(16384))
        (work / "other").write_text("other")
        (work / "link").symlink_to("file")
    r = run([os.path.abspath(PALE), "learn", "--backend", backend, "-o", out, "--recording", rec, "--",
             PROBE, *cases],
            cwd=tmp_path / cases[0] if len(cases) == 1 else tmp_path)
    assert r.rc == 0 and Recording(rec).losses == "none", r
    text = out.read_text()
    rules = re.findall(rf"^ *(?:owner )?file +(\w+) +{re.escape(str(tmp_path))}/(\w+)/(\S+);", text, re.M)
    return {case: {name: letters for letters, of, name in rules if of == case} for case in cases}, text


# The first name as what it was, read and written, and as what it becomes, written; the other likewise.
MOVED_EXACTLY = {"dir": "w", "dir/": "rw", "file": "rw", "file/": "w"}


def right(case, exactly):
    return MOVED_EXACTLY if exactly and case == "exchange_file_and_directory" else RIGHT[case]


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_way_of_using_files_has_its_rules(tmp_path, backend):
    need_root()
    usable(backend)
    seen, _ = proposed(tmp_path, backend, *CASES)
    # eBPF knows which is which where it sees the kernel's own questions, which takes trampolines.
    exactly = backend == "ptrace" or "names-seen" in Recording(tmp_path / "rec").runs[1]
    assert not {case: rules for case, rules in seen.items() if rules != right(case, exactly)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_new_mounts_are_said_to_disconnect_what_was_open(tmp_path, backend):
    usable(backend)
    _, text = proposed(tmp_path, backend, "new_mounts")
    assert "    apparmor flags=(attach_disconnected); # mount namespaces were changed: files opened before" in text
    assert "attach_disconnected" not in proposed(tmp_path, backend, "append")[1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_only_appended_to_is_said(tmp_path, backend):
    """w is proposed: the kernel asks for it at the first write (a alone is refused there)."""
    usable(backend)
    assert re.search("file w .*, appended to only$", proposed(tmp_path, backend, "append")[1], re.M)


@pytest.mark.parametrize("backend", BACKENDS)
def test_memory_that_threads_make_executable_is_no_loss(tmp_path, backend):
    """eBPF cannot look up every mapping while others change theirs: that is told, and no more."""
    usable(backend)
    rec, _ = learn(tmp_path, backend, program("learn/probes/jit"))
    assert rec.losses == "none" and rec.calls["x86_64", "mprotect"] >= 4000
