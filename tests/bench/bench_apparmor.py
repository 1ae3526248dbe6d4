# SPDX-License-Identifier: Apache-2.0
"""`check` of the profiles that four packages install, all in one process, beside apparmor_parser that
reads the same files and says their names (-N), in the same rounds. By itself `check` answers twice: for
5.0 and for the parser that is installed."""
import pathlib
import tempfile

import table
from bench_means import installed

MANY = 100


def main():
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        files = installed(base)
        check = ["check", "-t", "apparmor=3.0", "-I", base]
        parser = ["apparmor_parser", "--config-file", "/dev/null", "-N", "-j1", "--max-jobs=1", "--base", base]
        found = table.interleaved({"all": [table.PALE, *check, *files], "parser": [*parser, *files],
                                   "both": [table.PALE, "check", "-I", base, *files],
                                   "one": [table.PALE, *check, base / "bin.ping"],
                                   "parser one": [*parser, base / "bin.ping"]}, 3 * table.ROUNDS)
        many = table.cost([table.PALE, *check, *files * MANY])
    assert all(c.rc == 0 for c in (*found.values(), many)), (found, many)
    peer = f"{1000 * found['parser'].cpu:.0f} ms"
    table.show("check of AppArmor files", [
        table.Row(f"{len(files)} packaged profiles in one process: CPU", f"{1000 * found['all'].cpu:.0f} ms", peer, "not slower"),
        table.Row("both answers: CPU", f"{1000 * found['both'].cpu:.0f} ms", peer, "not slower"),
        table.Row("both answers: of the parser's", f"{found['both'].cpu / found['parser'].cpu:.2f}", "1", "0.85"),
        table.Row("its memory", f"{found['all'].peak:.0f} MiB", f"{found['parser'].peak:.0f} MiB", "64 MiB"),
        table.Row("one alone", f"{1000 * found['one'].cpu:.1f} ms", f"{1000 * found['parser one'].cpu:.1f} ms", "5 ms"),
        table.Row(f"{MANY} times as many: CPU", f"{1000 * many.cpu:.0f} ms", None,
                  f"{MANY * 1000 * found['all'].cpu:.0f} ms"),
        table.Row("its memory", f"{many.peak:.0f} MiB", None, "64 MiB")])


if __name__ == "__main__":
    main()
