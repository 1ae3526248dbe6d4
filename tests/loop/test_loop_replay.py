# SPDX-License-Identifier: Apache-2.0
"""What strace shows of the loop's programs replays to what was recorded of the very same run."""
import collections
import os
import re
import sys
import tempfile

import pytest

from conftest import LONG, PALE, ROOT, need, need_root, run, skip

for room in ("loop", "learn"):
    sys.path.insert(0, str(ROOT / "tests" / room))
import jobs  # noqa: E402
from recordings import Recording  # noqa: E402
from test_backends import cgroup, start_cgroup, usable  # noqa: E402, F401
from test_loop import installed  # noqa: E402

CORE = ["busybox", "perl"]


def printed(recording):
    """Its arguments, value by value with the count, their combinations, and addresses."""
    values = {(*k, v) for k, vs in recording.args.items() for v in vs if ":" in v}
    return values | {("tuple", *t) for t in recording.tuples} | {("address", *k, n) for k, n in recording.addresses.items()}


def begun(log):
    """Calls that a task was killed in, by name: strace stops before the kernel's own entry, so that it shows what was
    never made where the kill comes between the two."""
    return collections.Counter(m.decode() for m in re.findall(rb"<\.\.\. (\w+) resumed> <unfinished \.\.\.>\) = \?", log))


def differences(live, made, killed):
    calls = [f"{name}: {live.calls.get(name, 0)} recorded, {made.calls.get(name, 0)} replayed"
             for name in sorted(live.calls | made.calls)
             if not 0 <= made.calls.get(name, 0) - live.calls.get(name, 0) <= killed[name[1]]]
    values = [f"{word} alone: {' '.join(map(str, v))}" for word, more in (
        ("recorded", printed(live) - printed(made)), ("replayed", printed(made) - printed(live))) for v in sorted(more, key=str)]
    return calls + values


@pytest.mark.once
@pytest.mark.parametrize("name", [j.name for j in jobs.JOBS if LONG or j.name in CORE])
def test_a_job_s_strace_replays_to_its_recording(tmp_path, cgroup, name, record_property):  # noqa: F811
    need_root()
    need("strace")
    job = next(j for j in jobs.JOBS if j.name == name)
    if not installed(job):
        skip(f"{job.head['packages']} is not installed")
    usable("ebpf")
    log, made = tmp_path / "trace", tmp_path / "made.rec"
    p = start_cgroup(tmp_path, "ebpf", cgroup)
    with tempfile.TemporaryDirectory(dir="/srv", prefix="loop.") as top:  # other users run there, too
        os.chmod(top, 0o755)
        r = run([sys.executable, ROOT / "tests/loop/traced.py", name, top, "strace", "-f", "-y", "-tt", "-o", log,
                 "sh", "-c", f'echo $$ > {cgroup}/cgroup.procs; exec "$@"', "sh"], timeout=300)
    err = p.communicate(timeout=60)[1]
    assert r.rc == 0 and p.returncode == 0, (r, err)
    lines = log.read_bytes().split(b"\n")
    begin = next(i for i, line in enumerate(lines) if re.search(rb" write\(1.*cgroup.procs.* = \d+$", line))
    log.write_bytes(b"\n".join(lines[begin + 1:]))
    run([PALE, "replay", "--allow-loss", "--from", "strace", "-o", made, log], check=0)
    live, made = Recording(tmp_path / "c.rec"), Recording(made)
    found = differences(live, made, begun(log.read_bytes()))
    record_property("figure", f"replay of strace, {name}: {len(live.calls)} calls, {sum(live.calls.values())} times, "
                              f"{len(printed(live))} values and addresses, {len(found)} differences, lost: {made.losses}")
    # Names that were not shown whole ("/proc/self/exe", "f" after a chdir) are said to be lost; nothing else is.
    assert live.losses == "none" and (made.losses == "none" or set(made.losses) == {"unresolved"}), made.losses
    assert not found, "\n".join(found)
