# SPDX-License-Identifier: Apache-2.0
"""`make bench`: every bench_*.py here, one after another; ratios and medians of one machine in
one run. Nothing here is a test: machines differ and are noisy."""
import os
import pathlib
import platform
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def main():
    print(f"pale bench: Linux {platform.release()}, {platform.machine()}, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n", flush=True)
    only = sys.argv[1:]
    rc = 0
    for script in sorted(HERE.glob("bench_*.py")):
        if only and script.stem.removeprefix("bench_") not in only:
            continue
        rc |= subprocess.call(["/usr/bin/python3", str(script)], cwd=HERE.parent.parent)
        print(flush=True)
    return 1 if rc else 0


if __name__ == "__main__":
    sys.exit(main())
