# SPDX-License-Identifier: Apache-2.0
"""Recordings that are written while the run goes on, and what is left of them."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from conftest import PALE, PATIENCE, need, need_root, run
from recordings import Recording
from test_backends import cgroup, usable, waits  # noqa: F401

EACH = pytest.mark.parametrize("backend", ["ebpf", "ptrace"])


def begin(tmp_path, backend, *argv, rec="rec", options=()):
    usable(backend)
    return subprocess.Popen([PALE, "learn", "--backend", backend, "-o", tmp_path / "p.pale", "-r", tmp_path / rec,
                             *options, "--", *argv], stderr=subprocess.PIPE, text=True)


def wait_for(what):
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@EACH
def test_a_snapshot_is_a_recording_and_the_whole_takes_its_place(tmp_path, backend):
    go = tmp_path / "go"
    p = begin(tmp_path, backend, "sh", "-c", f"until [ -e {go} ]; do sleep .1; done; cat /etc/hostname >/dev/null",
              options=["--every", "1s"])
    rec, old = tmp_path / "rec", tmp_path / "old"
    wait_for(rec.exists)
    shutil.copy(rec, old)
    go.touch()
    assert p.wait() == 0 and not p.stderr.read()
    part, whole = Recording(old), Recording(rec)
    assert part.runs[1]["id"] == whole.runs[1]["id"]
    assert part.runs[1]["unfinished"] is True and "unfinished" not in whole.runs[1]
    assert int(part.runs[1]["snapshot"]) < int(whole.runs[1]["snapshot"])
    assert set(part.calls) <= set(whole.calls) and part.losses == whole.losses == "none"
    assert "/etc/hostname" in whole.files and "/etc/hostname" not in part.files
    assert "# UNFINISHED: a snapshot" in run([PALE, "propose", old], check=0).out
    for files in ([old, rec], [rec, old]):
        assert run([PALE, "merge", *files], check=0).out == rec.read_text()


@EACH
def test_killed_it_leaves_its_last_snapshot(tmp_path, backend):
    done = tmp_path / "done"
    p = begin(tmp_path, backend, "sh", "-c", f"until [ -e {tmp_path}/go ]; do sleep .1; done; touch {done}")
    rec = tmp_path / "rec"
    wait_for(lambda: "sh" in run(["ps", "--ppid", str(p.pid), "-o", "comm="]).out)
    while not rec.exists():  # of a run without a call yet there is nothing to keep
        assert p.poll() is None
        p.send_signal(signal.SIGUSR1)
        time.sleep(0.2)
    p.kill()
    p.wait()
    (tmp_path / "go").touch()
    assert sorted(f.name for f in tmp_path.iterdir()) in (["go", "rec"], ["done", "go", "rec"])
    assert Recording(rec).runs[1]["unfinished"] is True and Recording(rec).calls
    assert run([PALE, "propose", rec], check=0).out.count("UNFINISHED") == 1
    if backend == "ebpf":  # the tracer's end would be that of what it traces
        wait_for(done.exists)


@EACH
def test_snapshots_that_cannot_be_written_are_told(tmp_path, backend):
    go, home = tmp_path / "go", tmp_path / "home"
    home.mkdir()
    p = begin(tmp_path, backend, "sh", "-c", f"until [ -e {go} ]; do sleep .1; done", rec="home/rec")
    wait_for(lambda: "sh" in run(["ps", "--ppid", str(p.pid), "-o", "comm="]).out)
    home.rmdir()
    p.send_signal(signal.SIGUSR1)
    err = p.stderr.readline()  # of what writes it
    home.mkdir()
    go.touch()
    err += p.communicate()[1]
    assert p.returncode == 0 and "PL420" in err and "1 of 1 snapshots" in err, err
    assert Recording(home / "rec").runs[1]["snapshot"] == "2"


@EACH
def test_a_full_disk_leaves_the_last_snapshot_whole(tmp_path, backend):
    """And the end of a run that finds it full is told, with what there is left."""
    usable(backend)
    need_root()
    d, first = tmp_path / "tiny", tmp_path / "first"
    d.mkdir()
    job = (f"until [ -s {d}/rec ]; do sleep .05; done; cp {d}/rec {first}; head -c 99999 /dev/zero >{d}/fill "
           f"2>/dev/null; cat /etc/hosts >/dev/null; ls /usr/bin >/dev/null; kill -USR1 $PPID; sleep 1.6")
    script = (f"mount -t tmpfs -o size=48k none {d} || exit 99; "
              f"{PALE} learn --backend {backend} -o {tmp_path}/p.pale -r {d}/rec --every 1s -- sh -c '{job}'; "
              f"echo rc $?; ls {d}; cmp {d}/rec {first} && {PALE} propose {d}/rec")
    r = run([need("unshare"), "-m", "sh", "-c", script])
    assert r.out.startswith("rc 125\nfill\nrec\n"), r  # nothing half written beside it
    assert "# UNFINISHED: a snapshot" in r.out
    assert r.err.count(f"cannot write '{d}/rec': No space left on device") >= 2 and "PL420" in r.err, r.err
    assert re.search(f"whole run could not be written, nor [1-9]\\d* of ([2-9]|\\d\\d+) snapshots: '{d}/rec' holds the last",
                     r.err), r.err
    assert Recording(first).runs[1]["unfinished"] is True and (tmp_path / "p.pale").exists()


@pytest.mark.once  # strace
def test_each_snapshot_is_on_the_disk_before_it_takes_its_name(tmp_path):
    """So that after a loss of power there is the one or the other."""
    usable("ebpf")
    log = tmp_path / "log"
    run([need("strace"), "-f", "-qq", "-o", log, "-e", "trace=fsync,renameat,renameat2", PALE, "learn", "--backend",
         "ebpf", "-o", "/dev/null", "-r", tmp_path / "rec", "--every", "1s", "--", "sh", "-c", "until [ -e rec ]; do sleep .1; done"],
        cwd=tmp_path, check=0)
    synced, named = {}, 0
    for line in log.read_text().splitlines():
        pid, call = line.split(maxsplit=1)
        if call.startswith("fsync("):
            synced[pid] = call.endswith("= 0")
        elif '"rec"' in call:
            assert synced.pop(pid) and call.endswith("= 0"), line
            named += 1
    assert named >= 2, log.read_text()  # a snapshot, and the end


@EACH
def test_a_time_ends_it(tmp_path, backend):
    p = begin(tmp_path, backend, "sleep", "6000", options=["--until", "1s"])
    assert p.wait(PATIENCE) == 128 + signal.SIGTERM
    assert 9e8 < int(Recording(tmp_path / "rec").runs[1]["duration"]) < PATIENCE * 1e9


def test_a_cgroup_may_be_empty_meanwhile(tmp_path, cgroup):  # noqa: F811
    usable("ebpf")
    p = subprocess.Popen([PALE, "learn", "--cgroup", cgroup.parent, "--until", "60s", "-o", tmp_path / "p.pale", "-r",
                          tmp_path / "rec"], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: waits(p.pid))
    for i in range(2):
        time.sleep(0.8)
        run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; exec cat /etc/{('hostname', 'hosts')[i]}"], check=0)
    time.sleep(0.5)
    assert p.poll() is None
    p.terminate()
    assert p.wait() == 0, p.stderr.read()
    assert {"/etc/hostname", "/etc/hosts"} <= set(Recording(tmp_path / "rec").files)


@EACH
def test_what_writes_nothing_or_lasts_no_time_is_wrong_usage(tmp_path, backend):
    r = run([PALE, "learn", "--backend", backend, "--every", "1s", "--", "true"])
    assert r.rc == 125 and "--every takes -r FILE" in r.err
    for wrong in ("5", "0s", "s", "-1s", "400d", "1.5s", "1 s", ""):
        r = run([PALE, "learn", "--backend", backend, "--until", wrong, "--", "true"])
        assert r.rc == 125 and re.search("--until' takes a time|needs a value", r.err), r
    assert not os.listdir(tmp_path)
