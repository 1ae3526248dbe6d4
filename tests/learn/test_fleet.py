# SPDX-License-Identifier: Apache-2.0
"""Many containers, and what happens to them, their engine and the recorder meanwhile."""
import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import LONG, PALE, PATIENCE, need, run
from engines import Docker
from recordings import Recording
from test_container_targets import cleared, docker, inside, learn, rootfs, start, until_watched  # noqa: F401
from test_snapshots import wait_for

pytestmark = [pytest.mark.xdist_group("engines"), pytest.mark.once]
MANY = 20 if LONG else 8


def made(i):
    return f"/tmp-{'abcdefghijklmnopqrstuvwxyz'[i]}-made"  # no two are told as one


def test_containers_that_start_at_once_are_all_recorded_from_their_first_call(docker, tmp_path, record_property):  # noqa: F811
    p = learn(docker, tmp_path, "--label", "app=many", "--wait", "--until", "1h")
    until_watched(p)

    def one(i):
        return start(docker, f"many{i}", "sh", "-c", f"echo x >{made(i)}", options=["--label", "app=many"])
    with ThreadPoolExecutor(MANY) as threads:
        ids = list(threads.map(one, range(MANY)))
    end = time.monotonic() + PATIENCE
    while docker("ps", "-q") and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(0.5)
    p.send_signal(signal.SIGTERM)
    err = p.communicate(timeout=PATIENCE)[1]
    rec = Recording(tmp_path / "rec")
    said = rec.runs[1]["containers"]
    met = dict(re.findall(r"docker:(many\d+) ([0-9a-f]{12})", said))
    n = len(met) + int((re.findall(r" and (\d+) more", said) or [0])[0])
    seen = [i for i in range(MANY) if made(i) in rec.files]
    lost = int(rec.runs[1].get("lost-containers", 0))
    record_property("figure", f"{MANY} containers started at once: {n} met, {len(seen)} recorded whole, {lost} told as lost; "
                    f"midway: {'midway' in rec.runs[1]}")
    assert n == MANY and all(ids[int(name[4:])].startswith(ident) for name, ident in met.items()), err
    # Whoever was gone when it was looked at, or ran already, is told; of the others nothing is missing.
    assert len(seen) + lost >= MANY or "midway" in rec.runs[1], (rec.runs, sorted(rec.files))
    assert ("midway" in err) == ("midway" in rec.runs[1]) and ("had ended before" in err) == (lost > 0), err
    assert p.returncode == (1 if rec.losses != "none" else 0), err


def test_what_is_paused_and_removed_meanwhile_is_recorded_up_to_then(docker, tmp_path):  # noqa: F811
    p = learn(docker, tmp_path, "--container", "paused", "--wait")
    until_watched(p)
    start(docker, "paused", "sh", "-c", "echo x >/before; while :; do sleep .1; [ -e /go ] && echo x >/after; done")
    docker("pause", "paused")
    time.sleep(0.5)
    docker("unpause", "paused")
    docker("exec", "paused", "sh", "-c", "echo x >/go")
    wait_for(inside(docker, "paused", "/after").exists)
    docker("pause", "paused")
    docker("rm", "-f", "paused")
    err = p.communicate(timeout=PATIENCE)[1]
    rec = Recording(tmp_path / "rec")
    assert p.returncode == 0 and rec.losses == "none", err
    assert {"/before", "/go", "/after"} <= set(rec.files), rec.files


def test_a_recorder_that_stops_while_the_container_is_paused_has_what_was_seen(docker, tmp_path):  # noqa: F811
    p = learn(docker, tmp_path, "--container", "held", "--wait")
    until_watched(p)
    start(docker, "held", "sh", "-c", "echo x >/before; sleep 60")
    wait_for(inside(docker, "held", "/before").exists)
    docker("pause", "held")
    p.send_signal(signal.SIGTERM)
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 0 and "/before" in Recording(tmp_path / "rec").files, err
    assert docker("inspect", "-f", "{{.State.Status}}", "held") == "paused"


def test_of_a_recorder_that_is_killed_a_snapshot_stays_and_the_container_goes_on(docker, tmp_path):  # noqa: F811
    p = learn(docker, tmp_path, "--container", "goes-on", "--wait", "--every", "1s")
    until_watched(p)
    start(docker, "goes-on", "sh", "-c", "echo x >/before; sleep 60")
    end = time.monotonic() + PATIENCE
    while not ((tmp_path / "rec").exists() and "/before" in (tmp_path / "rec").read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    p.kill()
    p.communicate(timeout=PATIENCE)
    assert docker("inspect", "-f", "{{.State.Status}}", "goes-on") == "running"
    assert "unfinished" in (tmp_path / "rec").read_text() and not (tmp_path / "p.pale").exists()
    r = run([PALE, "propose", tmp_path / "rec"])
    assert "snapshot" in r.err + r.out and "/before" in r.out, r


def test_an_engine_that_is_restarted_leaves_the_recording_whole(tmp_path, tmp_path_factory, rootfs):  # noqa: F811
    need("dockerd")
    engine = Docker(tmp_path_factory.mktemp("e"), options=["--live-restore"])  # its sockets' names may have 107 bytes
    try:
        engine.imports(rootfs[1], "probe:bb")
        p = learn(engine, tmp_path, "--container", "lives", "--wait")
        until_watched(p)
        start(engine, "lives", "sh", "-c", "echo x >/before; while [ ! -e /go ]; do sleep .1; done; echo x >/after")
        engine.daemon.end()
        assert p.poll() is None
        engine.start()
        assert engine("inspect", "-f", "{{.State.Status}}", "lives") == "running"
        engine("exec", "lives", "sh", "-c", "echo x >/go")
        err = p.communicate(timeout=PATIENCE)[1]
        rec = Recording(tmp_path / "rec")
        assert p.returncode == 0 and rec.losses == "none" and "midway" not in rec.runs[1], err
        assert {"/before", "/go", "/after"} <= set(rec.files), rec.files
    finally:
        engine.clear()
        engine.end()


def test_a_container_that_ended_before_it_was_looked_at_is_told(docker, tmp_path):  # noqa: F811
    p = learn(docker, tmp_path, "--container", "gone", "--wait")
    until_watched(p)
    p.send_signal(signal.SIGSTOP)  # as where a machine is too busy
    start(docker, "gone", "true")
    docker("wait", "gone")
    p.send_signal(signal.SIGCONT)
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 1 and not (tmp_path / "p.pale").exists(), err
    assert "had ended before" in err, err
