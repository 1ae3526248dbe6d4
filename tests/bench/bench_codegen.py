# SPDX-License-Identifier: Apache-2.0
"""Filters of ours and of libseccomp: length, instructions executed, time to build and attach;
and the whole process `pale compile`."""
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("PALE_BUILD", ROOT / "build"))
PALE = os.environ.get("PALE", str(BUILD / "pale"))
TRACES = ROOT / "tests" / "bench" / "traces"
DOCKER = ROOT / "profiles" / "found" / "docker-default.json"
ENV = {**os.environ, "PALE_SETS": str(ROOT / "profiles" / "sets")}
HEAD = ["generator", "insns", "average", "most", "on trace", "build ms", "attach us", "differ"]


def figures(policy, trace=None):
    argv = [BUILD / "tests" / "bench" / "codegen", policy, *([trace] if trace else [])]
    out = subprocess.run(argv, env=ENV, capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(f"codegen {policy}: {out.stderr}")
    return [line.split("\t") for line in out.stdout.splitlines()]


def ratio(ours, theirs):
    try:
        return f"{float(ours) / float(theirs):.2f}"
    except (ValueError, ZeroDivisionError):
        return "-"


def table(title, rows):
    print(title)
    print("  %-18s" % HEAD[0] + "".join("%10s" % h for h in HEAD[1:]))
    for row in rows:
        print("  %-18s" % row[0] + "".join("%10s" % c for c in row[1:]))
    ours, tree = rows[0], rows[-1]
    print("  %-18s" % "ours / their tree" +
          "".join("%10s" % ratio(a, b) for a, b in zip(ours[1:-1], tree[1:-1])), flush=True)


def equalities(directory, calls=300, values=5):
    """1500 equality rules on one argument: 32-bit scattered values, fixed seed."""
    rand = random.Random(1500)
    lines = [f"\tallow #{nr}((reg arg0 & 0xffffffff) in {{"
             + ", ".join(str(rand.getrandbits(32)) for _ in range(values)) + "});"
             for nr in range(calls)]
    path = directory / "equalities.pale"
    path.write_text("policy equalities {\n\tlevel linux 6.18; layers seccomp; arch x86_64;\n"
                    "\tdefault errno EPERM;\n" + "\n".join(lines) + "\n}\n")
    return path


def whole_process(name, argv, runs=15):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(argv, check=True, capture_output=True, env=ENV)
        times.append((time.perf_counter() - start) * 1e3)
    print(f"  {name}: {statistics.median(times):.1f} ms (median of {runs}, "
          f"at least {min(times):.1f})", flush=True)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        docker = tmp / "docker.pale"
        subprocess.run([PALE, "import", "--host", "x86_64", "-o", docker, DOCKER], check=True,
                       capture_output=True)
        print("libseccomp is given each policy as the disjoint EQ and MASKED_EQ rules that the "
              "JSON has;\nfrom rules with LT and GT, as Docker writes `socket`, its filters are "
              "shorter\n")
        for trace in sorted(TRACES.glob("*.txt")):
            table(f"Docker's default, x86_64, no capabilities; trace {trace.stem}",
                  figures(docker, trace))
        for example in sorted((ROOT / "profiles" / "examples").glob("*.pale")):
            table(f"{example.stem}.pale, x86_64", figures(example))
        eq = equalities(tmp)
        table("1500 equality rules on 300 calls", figures(eq))
        print("whole process, verification included, to BPF")
        env = ["--caps", "none", "--kernel", "6.18", "--host", "x86_64", "--arch", "x86_64"]
        compile_ = [PALE, "compile", "-t", "bpf", "-o", tmp / "x.bpf"]
        whole_process("Docker's default (JSON)", [*compile_, *env, DOCKER])
        whole_process("Docker's default (imported)", [*compile_, *env, docker])
        whole_process("1500 equality rules", [*compile_, eq])


if __name__ == "__main__":
    main()
