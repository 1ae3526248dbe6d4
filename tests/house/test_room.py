# SPDX-License-Identifier: Apache-2.0
"""What the tests themselves stand on: programs built once, and nothing left running."""
import concurrent.futures
import os
import subprocess
import sys

import conftest


def test_a_program_that_several_workers_want_is_built_once_and_whole(tmp_path, monkeypatch):
    made, call = [], subprocess.run
    monkeypatch.setattr(conftest, "BUILD", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda *a, **kw: (made.append(a), call(*a, **kw))[1])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(conftest.program, ["learn/probes/counts"] * 4))
    assert len(made) == 1 and set(paths) == {str(tmp_path / "tests/learn/probes/counts")}
    assert call([paths[0], "1"], timeout=60).returncode == 0


def test_a_process_that_outlives_its_test_is_found_and_ended():
    """Also one that has a session of its own, and whose parent is gone."""
    code = "import subprocess; print(subprocess.Popen(['sleep', '600'], stdout=-3, stderr=-3).pid)"
    env = {**os.environ, conftest.MARK: "a mark"}
    r = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True,
                       start_new_session=True, check=True)
    left = conftest.end_what_is_left("a mark", ms=1)
    assert len(left) == 1 and left[0].startswith(f"{r.stdout.strip()} (sleep 600)")
    assert "test_a_process_that_outlives_its_test" in left[0]
    assert not conftest.outlives(int(r.stdout), 10000)
    assert conftest.end_what_is_left("a mark", ms=1) == []
