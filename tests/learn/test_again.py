# SPDX-License-Identifier: Apache-2.0
"""What is used over and over is counted by the name that it has at the time, and no use is lost."""
import pytest

from conftest import need_root, program
from test_backends import BACKENDS, learn

PROBE = program("learn/probes/again")


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_use_is_counted_by_the_name_of_that_time(tmp_path, backend):
    """Directories are renamed, exchanged, mounted elsewhere and made anew while their files are opened."""
    need_root()
    said = tmp_path / "said"
    work = tmp_path / "work"
    work.mkdir()
    rec, _ = learn(tmp_path, backend, PROBE, said, cwd=work)
    used = {str(work / name): int(n) for name, n in (line.split() for line in said.read_text().splitlines())}
    assert len(used) > 1500 and used[str(work / "shared")] == 20001
    seen = {name: rec.counts[name] for name in used if name in rec.counts}
    assert {n: (used[n], seen.get(n)) for n in used if used[n] != seen.get(n)} == {}
    assert sorted(n for n, (_, owned) in rec.files.items() if n in used and not owned) == [str(work / "owned")]
    assert rec.losses == "none"
    # 3,000 sockets of four kinds, in turns.
    sockets = {key[1:3]: n for key, n in rec.tuple_counts.items() if key[0] == "socket"}
    assert sockets == {(1, 1): 1000, (1, 2): 1000, (2, 1): 500, (2, 2): 500}
