# SPDX-License-Identifier: Apache-2.0
"""The linter: packaged AppArmor profiles in one process beside what they mean alone (once as meanstool, which reads
and builds them and lists every answer; once as `check` and the building alone) and beside apparmor_parser's compile of the same files; the extra profiles;
a thousand variations of Docker's seccomp profile; each in one process and as `lint` is run, by a process a processor. The least of
several rounds counts, each of which runs all of them: other work of the machine only adds. For scale, shellcheck on scripts of as
many bytes (hadolint is no package of Debian's)."""
import json
import os
import pathlib
import random
import statistics
import tempfile

import table
from bench_means import installed, ours

DOCKER = 1000
EXTRA_CALLS = ["mount", "umount2", "bpf", "perf_event_open", "ptrace", "keyctl", "setns", "unshare", "io_uring_setup",
               "userfaultfd", "personality", "reboot"]


def variations(base, folder, n):
    """Of a profile: names left out, an entry more, a condition more; from a fixed seed."""
    rnd = random.Random(12)
    out = []
    for i in range(n):
        profile = json.loads(base)
        for _ in range(i % 4):
            names = rnd.choice(profile["syscalls"])["names"]
            len(names) > 1 and names.pop(rnd.randrange(len(names)))
        if i % 3 == 0:
            profile["syscalls"].append({"names": [rnd.choice(EXTRA_CALLS)], "action": "SCMP_ACT_ALLOW"})
        if i % 10 == 7:
            profile["syscalls"].append({"names": ["socket"], "action": "SCMP_ACT_ALLOW",
                                        "args": [{"index": 0, "value": i % 40, "op": "SCMP_CMP_EQ"}]})
        out.append(folder / f"p{i}.json")
        out[-1].write_text(json.dumps(profile, indent="\t"))
    return out


def scripts(folder, size):
    """Copies of the tests' shell scripts, of so many bytes together."""
    texts = [p.read_text() for p in sorted((table.ROOT / "tests").rglob("*.sh"))]
    out, left = [], size
    while left > 0:
        out.append(folder / f"s{len(out)}.sh")
        out[-1].write_text(texts[len(out) % len(texts)])
        left -= len(texts[len(out) % len(texts)])
    return out


def ms(cost):
    return f"{1000 * cost.cpu:.0f} ms"


def cpu_and_wall(cost):
    return f"{1000 * cost.cpu:.0f} ms, {1000 * cost.wall:.0f} ms"


def runs(name, options, files):
    """Of each build in one process (an older one knows no other way), and of this one as it is run."""
    return {**{f"{name} {b}": [pale, "lint", *(["-j1"] if b == "now" else []), *options, *files]
               for b, pale in table.builds().items()},
            f"{name} all": [table.PALE, "lint", *options, *files]}


def of_builds(found, name, text):
    return {b: text(found[f"{name} {b}"]) for b in table.builds()}


def size_of(paths):
    return sum(pathlib.Path(p).stat().st_size for p in paths)


def shellcheck(paths):
    return ["shellcheck", "--shell=sh", *paths]


def apparmor(folder):
    base = folder / "apparmor.d"
    base.mkdir()
    files = installed(base)
    extras = sorted(p for p in (base / "extra").iterdir() if p.is_file())
    options = ["-I", base, "--target", "apparmor=3.0"]
    parser = ["apparmor_parser", "--config-file", "/dev/null", "--base", base, "-Q", "-K", "-j1", "--max-jobs=1"]
    found = table.interleaved({
        **runs("packaged", options, files), **runs("extras", options, extras),
        "means": [table.BUILD / "tests/apparmor/meanstool", "0", base, *files],
        "check": [table.PALE, "check", "-I", base, "--target", "apparmor=3.0", *files],
        "parser": [*parser, *files]}, pick=min)
    built = found["check"].cpu + statistics.median(sum(ours(base, files)) for _ in range(table.ROUNDS)) / 1e6
    scale = table.interleaved({"shellcheck": shellcheck(scripts(folder, size_of(files)))}, pick=min)["shellcheck"]
    return [
        table.Row(f"{len(files)} packaged profiles in one process: CPU, wall", of_builds(found, "packaged", cpu_and_wall), cpu_and_wall(found["parser"])),
        table.Row("of what meaning alone takes, all answers listed",
                  of_builds(found, "packaged", lambda c: f"{c.cpu / found['means'].cpu:.2f}"), None, "1.2"),
        table.Row("of check and building alone", of_builds(found, "packaged", lambda c: f"{c.cpu / built:.2f}")),
        table.Row("the parser takes as often as much CPU",
                  of_builds(found, "packaged", lambda c: f"{found['parser'].cpu / c.cpu:.1f}"), None, "30"),
        table.Row("check alone: CPU", ms(found["check"])),
        table.Row(f"{len(extras)} extra profiles in one process: CPU, wall", of_builds(found, "extras", cpu_and_wall), None, "170 ms"),
        table.Row("  as it is run", cpu_and_wall(found["extras all"])),
        table.Row(f"shellcheck, {size_of(files)} bytes of shell: CPU, wall", None, cpu_and_wall(scale))]


def docker(folder):
    base = (table.ROOT / "profiles/found/docker-default.json").read_text()
    files = variations(base, folder, DOCKER)
    options = ["--format", "json"]
    found = table.interleaved({**runs("whole", options, files), **runs("half", options, files[:DOCKER // 2])}, pick=min)
    few = files[:DOCKER // 100]
    scale = table.interleaved({"shellcheck": shellcheck(scripts(folder, size_of(few))),
                               "now": [table.PALE, "lint", *options, *few]}, pick=min)
    together = {jobs: table.peak_together([table.PALE, "lint", f"-j{jobs}", *options, *files]) for jobs in (1, 2, 8)}
    return [
        table.Row(f"{DOCKER} seccomp profiles in one process: CPU, wall", of_builds(found, "whole", cpu_and_wall), None, "300 ms"),
        table.Row("  as it is run", cpu_and_wall(found["whole all"])),
        table.Row("of that in one process, half of them",
                  {b: f"{found[f'half {b}'].cpu / found[f'whole {b}'].cpu:.2f}" for b in table.builds()}, None, "0.5"),
        *(table.Row(f"peak of {jobs} process{'es' if jobs > 1 else ''} together", f"{mib:.0f} MiB", None, "100 MiB")
          for jobs, mib in together.items()),
        table.Row(f"{len(few)} of them; shellcheck, {size_of(few)} bytes of shell: CPU, wall", cpu_and_wall(scale["now"]), cpu_and_wall(scale["shellcheck"]))]


def main():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        folder = pathlib.Path(folder)
        shown = apparmor(folder)
        shown += docker(folder)
    table.show(f"lint; {len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}", shown)


if __name__ == "__main__":
    main()
