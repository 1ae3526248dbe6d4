# SPDX-License-Identifier: Apache-2.0
"""What the hook delays the start of a container by: the same bundle, run by the runtime itself, through
`pale hook --exec` where nothing is to be recorded, and where the container is recorded, in turns. Until its
program's first word, in milliseconds: medians over ROUNDS, and over the differences to the round's own plain run.
OLD=path stands an older build's beside; RUNTIME=path names another runtime than runc."""
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from table import PALE, ROUNDS, builds

RUNTIME = os.environ.get("RUNTIME") or shutil.which("runc", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
NAME = f"pale-bench-{os.getpid()}"


def bundle(where):
    for d in ("bin", "proc", "dev"):
        (where / "rootfs" / d).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), where / "rootfs/bin/busybox")
    subprocess.run([RUNTIME, "spec"], cwd=where, check=True)
    config = json.loads((where / "config.json").read_text())
    config["process"].update(terminal=False, args=["/bin/busybox", "echo", "up"])
    return config


def took(where, config, argv, annotations):
    """Seconds from the command to the first word; the hook's own change of the file is its part of them."""
    (where / "config.json").write_text(json.dumps({**config, "annotations": annotations}))
    begin = time.monotonic()
    p = subprocess.Popen([*argv, "--root", str(where / "state"), "run", "--bundle", str(where), NAME],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    word = p.stdout.readline()
    seconds = time.monotonic() - begin
    p.stdout.close()
    if p.wait(60) or word != b"up\n":
        raise SystemExit(f"{argv[0]} does not run the container: {p.returncode}, {word}")
    return seconds


def settled(recordings, n):
    """The recorder of the round before has ended, and is no part of the next one's time."""
    for _ in range(2000):
        if sum(not f.name.startswith(".") for f in recordings.glob("*/*")) >= n:
            return
        time.sleep(0.01)
    raise SystemExit("a container was not recorded")


def main():
    if not RUNTIME or not shutil.which("busybox") or os.geteuid():
        raise SystemExit("it needs root, busybox and a runtime")
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="pale-bench-"))
    os.chmod(tmp, 0o755)
    recordings = tmp / "rec"
    recordings.mkdir(mode=0o700)
    modes = {"plain": ([RUNTIME], {})}
    for name, pale in builds().items():
        through = [pale, "hook", "--exec", RUNTIME, "--directory", str(recordings), "--"]
        modes[f"{name}, not recorded"] = (through, {})
        modes[f"{name}, recorded"] = (through, {"io.pale.learn": "bench"})
    figures = {m: [] for m in modes}
    made = 0
    try:
        config = bundle(tmp)
        for _ in range(ROUNDS):
            for mode, (argv, annotations) in modes.items():
                figures[mode].append(took(tmp, config, argv, annotations) * 1000)
                made += bool(annotations)
                settled(recordings, made)
    finally:
        with contextlib.suppress(OSError):
            subprocess.run([RUNTIME, "--root", str(tmp / "state"), "delete", "--force", NAME],
                           capture_output=True, timeout=60)
        shutil.rmtree(tmp, ignore_errors=True)
    print(f"a container's start, {RUNTIME}, {PALE}: ms to its first word, medians of {ROUNDS} rounds, "
          f"load {os.getloadavg()[0]:.1f}")
    for mode, values in figures.items():
        later = statistics.median(a - b for a, b in zip(values, figures["plain"]))
        print(f"{mode:22} {statistics.median(values):8.1f}  later by {later:6.1f}")


if __name__ == "__main__":
    main()
