# SPDX-License-Identifier: Apache-2.0
"""`make test`: builds every variant, runs the suite, runs it again under ASan and UBSan, and
ends with one line: N passed, N failed, N skipped."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Twice as many workers as processors: the tests wait for half of their time. A recording with BPF
# takes a second and a tenth of it of a processor (the kernel's grace periods), a guest boots, a
# daemon starts its containers.
WORKERS = str(2 * (os.cpu_count() or 2))
SAN = "-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all"
# The suite starts this pale some ten thousand times: without relocations and with the runtimes in
# it a start takes half as long, and what is found is the same.
AT_ONCE = "-no-pie -static-libasan -static-libubsan"
for word in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # this is a make of its own
    os.environ.pop(word, None)
total = [0, 0, 0]
failures = []  # told again at the end, where a long log that was cut still shows them


def phase(name, argv, env=None, counts=False):
    """One step; a step that is not pytest counts as one test."""
    t0 = time.monotonic()
    print(f"== {name}", flush=True)
    with tempfile.TemporaryDirectory() as d:
        count = pathlib.Path(d) / "count"
        extra = {"PALE_COUNT": str(count)} if counts else {}
        rc = subprocess.call(argv, cwd=ROOT, env={**os.environ, **extra, **(env or {})},
                             stdin=subprocess.DEVNULL)
        if counts and count.exists():
            line, *failed = count.read_text().split("\n")
            failures.extend(f"{name}: {f}" for f in failed)
            n = [int(w.split()[0]) for w in line.split(", ")]
            if rc and not n[1]:
                n[1] = 1
                failures.append(f"{name}: pytest itself ended with {rc}")
        else:
            n = [0, 1, 0] if rc or counts else [1, 0, 0]
            if n[1]:
                failures.append(f"{name}: {' '.join(argv)} ended with {rc}")
    for i in range(3):
        total[i] += n[i]
    print(f"== {name}: {n[0]} passed, {n[1]} failed, {n[2]} skipped "
          f"({time.monotonic() - t0:.0f} s)", flush=True)
    return rc == 0


# Of random things that ran whole already; `make test-long` takes what it says.
FEWER = {} if os.environ.get("PALE_LONG") else {
    "RANDOM_PAIRS": "200", "IMPORT_POLICIES": "15", "EQUAL_CALLS": "1000000", "ARCH_PROFILES": "20"}


def build(name, *args):
    return phase(name, ["make", "-s", "WERROR=1", *args])


def pytest(name, *args, env=None):
    # xdist: tests of one group (a docker daemon, the guest) stay on one worker.
    return phase(name, ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
                        "-n", WORKERS, "--dist", "loadgroup", "--durations=15", *args],
                 env=env, counts=True)


def said(*argv):
    """The first line of what a program says of itself, or that there is none."""
    path = shutil.which(argv[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        return f"no {argv[0]}"
    out = subprocess.run([path, *argv[1:]], capture_output=True, text=True, check=False)
    return (out.stdout + out.stderr).strip().split("\n")[0]


def suite():
    """What it runs on: one line, for whoever reads the log of another machine."""
    try:
        debian = "Debian " + pathlib.Path("/etc/debian_version").read_text().strip()
    except OSError:
        debian = "no Debian"
    library = said("dpkg-query", "-W", "-f", "libseccomp ${Version}", "libseccomp2")
    return ", ".join([debian, "Linux " + os.uname().release, library, said("runc", "--version"),
                      said("crun", "--version"), said("apparmor_parser", "--version"),
                      said("gcc", "--version"), said("clang", "--version")])


def main():
    t0 = time.monotonic()
    print(f"== on {suite()}", flush=True)
    # Kernels and parsers come from an archive while compilers work: else all workers wait for them.
    fetching = subprocess.Popen(["/usr/bin/python3", ROOT / "tests/apparmor/parsers.py"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ok = build("gcc, no warnings", "all", "tests-bin")
    ok &= build("ASan and UBSan build", "BUILD=build/asan", f"SANFLAGS={SAN}",
                "CFLAGS=-O1 -g1 -fno-omit-frame-pointer", f"LDFLAGS={AT_ONCE}", "all", "tests-bin")
    ok &= build("clang, no warnings; for fuzzing", "CC=clang", "BUILD=build/fuzz", "CFLAGS=-O1 -g1",
                f"SANFLAGS=-fsanitize=fuzzer-no-link {SAN}", "all", "fuzz-bin")
    try:  # what it could not have a test asks for again, and says why
        fetching.wait(600)
    except subprocess.TimeoutExpired:
        fetching.kill()
    if ok:
        pytest("suite", "tests")
        pytest("suite under ASan and UBSan", "tests", "--ignore=tests/fuzz", "-m", "not once",
               env={**FEWER, "PALE": str(ROOT / "build/asan/pale"), "PALE_BUILD": str(ROOT / "build/asan")})
    for line in failures:
        print(f"FAILED {line}")
    print(f"on {suite()}")
    print(f"all of it: {time.monotonic() - t0:.0f} s")
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
