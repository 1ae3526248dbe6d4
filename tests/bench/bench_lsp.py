# SPDX-License-Identifier: Apache-2.0
"""`pale lsp`: what a keystroke takes in a text of a thousand lines, until its findings are there."""
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "lsp")]
from keystrokes import LINES, TEXTS, Typing, median_and_p95, resident_kib  # noqa: E402

KEYS = 200


def main():
    print(f"a keystroke in {LINES} lines, {KEYS} of them: median and 95 %, ms")
    with tempfile.TemporaryDirectory() as folder:
        for name in TEXTS:
            t = Typing(pathlib.Path(folder), name)
            t.keys(5)
            wall, cpu = t.keys(KEYS)
            print("  %-13s wall clock %5.1f %5.1f   CPU %5.1f %5.1f   %d findings, %d KiB resident"
                  % (name, *median_and_p95(wall), *median_and_p95(cpu), len(t.found), resident_kib(t.client.proc.pid)))
            t.client.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
