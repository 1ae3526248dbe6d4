# SPDX-License-Identifier: Apache-2.0
"""The linter: packaged AppArmor profiles in one process beside what they mean alone (once as meanstool, which reads
and builds them and lists every answer; once as `check` and the building alone) and beside apparmor_parser's compile of the same files; the extra profiles;
a thousand variations of Docker's seccomp profile. For scale, shellcheck on scripts of as many bytes."""
import json
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


def size_of(paths):
    return sum(pathlib.Path(p).stat().st_size for p in paths)


def shellcheck(paths):
    return ["shellcheck", "--shell=sh", *paths]


def apparmor(folder):
    base = folder / "apparmor.d"
    base.mkdir()
    files = installed(base)
    extras = sorted(p for p in (base / "extra").iterdir() if p.is_file())
    lint = ["lint", "-I", base, "--target", "apparmor=3.0"]
    parser = ["apparmor_parser", "--config-file", "/dev/null", "--base", base, "-Q", "-K", "-j1", "--max-jobs=1"]
    found = table.interleaved({
        **{name: [pale, *lint, *files] for name, pale in table.builds().items()},
        **{f"extras {name}": [pale, *lint, *extras] for name, pale in table.builds().items()},
        "means": [table.BUILD / "tests/apparmor/meanstool", "0", base, *files],
        "check": [table.PALE, "check", "-I", base, "--target", "apparmor=3.0", *files],
        "parser": [*parser, *files]})
    builds = table.builds()
    built = found["check"].cpu + statistics.median(sum(ours(base, files)) for _ in range(table.ROUNDS)) / 1e6
    shown = [
        table.Row(f"{len(files)} packaged profiles in one process: CPU", {b: ms(found[b]) for b in builds}, ms(found["parser"])),
        table.Row("of what meaning alone takes, all answers listed", {b: f"{found[b].cpu / found['means'].cpu:.2f}" for b in builds},
                  None, "1.2"),
        table.Row("of check and building alone", {b: f"{found[b].cpu / built:.2f}" for b in builds}),
        table.Row("the parser takes as often as much", {b: f"{found['parser'].cpu / found[b].cpu:.1f}" for b in builds}, None, "30"),
        table.Row("check alone", ms(found["check"])),
        table.Row(f"{len(extras)} extra profiles: CPU", {b: ms(found[f'extras {b}']) for b in builds}, None, "170 ms")]
    scale = table.interleaved({"shellcheck": shellcheck(scripts(folder, size_of(files)))})["shellcheck"]
    shown.append(table.Row(f"shellcheck, {size_of(files)} bytes of shell: CPU", None, ms(scale)))
    return shown


def docker(folder):
    base = (table.ROOT / "profiles/found/docker-default.json").read_text()
    files = variations(base, folder, DOCKER)
    builds = table.builds()
    found = table.interleaved({
        **{b: [pale, "lint", "--format", "json", *files] for b, pale in builds.items()},
        **{f"half {b}": [pale, "lint", "--format", "json", *files[:DOCKER // 2]] for b, pale in builds.items()}}, 3)
    few = files[:DOCKER // 100]
    scale = table.interleaved({"shellcheck": shellcheck(scripts(folder, size_of(few))),
                               "now": [table.PALE, "lint", "--format", "json", *few]}, 3)
    return [
        table.Row(f"{DOCKER} seccomp profiles in one process: CPU", {b: f"{found[b].cpu:.2f} s" for b in builds}, None, "0.3 s"),
        table.Row("of that, half of them", {b: f"{found[f'half {b}'].cpu / found[b].cpu:.2f}" for b in builds}, None, "0.5"),
        table.Row("peak", {b: f"{found[b].peak:.0f} MiB" for b in builds}, None, "100 MiB"),
        table.Row(f"{len(few)} of them; shellcheck, {size_of(few)} bytes of shell: CPU", ms(scale["now"]), ms(scale["shellcheck"]))]


def main():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        folder = pathlib.Path(folder)
        shown = apparmor(folder)
        shown += docker(folder)
    table.show("lint", shown)


if __name__ == "__main__":
    main()
