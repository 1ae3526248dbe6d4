# SPDX-License-Identifier: Apache-2.0
"""What the profiles that four packages install mean, all in one process, as minimal automata: the CPU time
of building these, beside apparmor_parser's of compiling the same files, in the same run."""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

import table

sys.path[:0] = [str(table.ROOT / "tests" / "apparmor"), str(table.ROOT / "tests")]
os.environ.setdefault("PALE", table.PALE)
import packaged  # noqa: E402
from archive import unpacked  # noqa: E402

FOUR = packaged.PACKAGES[:4]


def installed(base):
    packaged.profiles_into(base)
    names = [p.name for package in FOUR for p in (unpacked(packaged.SUITE, package) / "etc/apparmor.d").iterdir() if p.is_file()]
    for name in names:
        (base / "local" / name).exists() or (base / "local" / name).write_text("")
    return [str(base / n) for n in sorted(set(names))]


def ours(base, files):
    """Microseconds of each profile, in the order of the files: the first pays for what others share."""
    out = subprocess.run([table.BUILD / "tests/apparmor/meanstool", "0", base, *files], capture_output=True, text=True, check=True).stdout
    return [int(line.rsplit(" ", 1)[1]) for line in out.splitlines() if line.startswith("profile ")]


def theirs(base, files):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["apparmor_parser", "--config-file", "/dev/null", "--base", base, "-Q", "-K", "-j1", "--max-jobs=1", *files],
                   capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        files = installed(base)
        rounds = [(sum(ours(base, files)) / 1e6, theirs(base, files)) for _ in range(table.ROUNDS)]
        alone = [statistics.median(sum(ours(base, [f])) for _ in range(table.ROUNDS)) / 1000 for f in files]
        all_ms, peer = 1000 * statistics.median(r[0] for r in rounds), statistics.median(r[1] for r in rounds)
        table.show("meaning of file rules", [
            table.Row(f"{len(files)} packaged profiles in one process: CPU", f"{all_ms:.0f} ms", f"{1000 * peer:.0f} ms", "45 ms"),
            table.Row("of the parser's", f"{all_ms / 1000 / peer:.4f}", "1", "0.0274"),
            table.Row("one alone: mean", f"{statistics.mean(alone):.1f} ms", f"{1000 * peer / len(files):.0f} ms", "2 ms"),
            table.Row("one alone: worst", f"{max(alone):.1f} ms", table.issue("276 ms"), "2 ms")])


if __name__ == "__main__":
    main()
