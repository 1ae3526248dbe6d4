# SPDX-License-Identifier: Apache-2.0
"""What runs: instructions executed by calls that the kernel's action cache does not answer, of
Docker's default on x86_64, arguments zero. Counted by an interpreter of its own (count.py), which
for libseccomp's filters is pale's (codegen.c; it is given masks for orders). KAFEL_DOCKER=path:
the program that kafel makes of the same policy."""
import pathlib
import subprocess
import tempfile

import bench_codegen as codegen
import table
from count import Program, average, known, trace

ARGV = ["--caps", "none", "--kernel", "6.18", "--host", "x86_64", "--arch", "x86_64"]
TRACES = ("server", "py", "gcc")
REACH = {"server": 7.6, "py": 7.0, "unweighted": 8.6, "instructions": 63}
KAFEL = {"server": "10.6", "py": "9.0", "unweighted": "11.0", "instructions": "108"}  # the issue's


def compiled(pale, *argv):
    with tempfile.TemporaryDirectory() as tmp:
        path = pathlib.Path(tmp) / "x.bpf"
        subprocess.run([pale, "compile", "-q", "-t", "bpf", "-o", path, *ARGV, *argv, codegen.DOCKER],
                       env=table.ENV, check=True, capture_output=True)
        return path.read_bytes()


def uncached(data, weights=None):
    steps = Program(data).executed(known("x86_64", "99.0"), cache=True)
    return average(steps, weights or dict.fromkeys(steps, 1))


def figures(pale):
    """figure -> value. A trace without an uncached call has no average of its own."""
    plain = compiled(pale)
    out = {"instructions": len(plain) // 8, "unweighted": uncached(plain)}
    for name in TRACES:
        path = codegen.TRACES / f"{name}.txt"
        data = compiled(pale, "--weights", path)
        out[name] = uncached(data, trace(path))
        out[f"{name}: instructions"] = len(data) // 8
        out[f"{name}: unweighted"] = uncached(data)
    return out


def text(value):
    return None if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def libseccomp():
    """Of their tree: per uncached call, in the order of codegen's columns."""
    out = {}
    with tempfile.TemporaryDirectory() as tmp:
        docker = codegen.imported(pathlib.Path(tmp))
        for name in ("server", "py"):
            row = codegen.figures(docker, codegen.TRACES / f"{name}.txt")[-1]
            out |= {"instructions": row[1], "unweighted": row[5], name: row[6]}
    return out


def kafel():
    path = table.peer("KAFEL_DOCKER")
    if not path:
        return {name: table.issue(value) for name, value in KAFEL.items()}
    data = pathlib.Path(path).read_bytes()
    return {"instructions": len(data) // 8, "unweighted": text(uncached(data))} | {
        t: text(uncached(data, trace(codegen.TRACES / f"{t}.txt"))) for t in ("server", "py")}


def costs():
    """How long a compile with weights takes, whole process with proof."""
    out = []
    for name in TRACES:
        tail = ["compile", "-q", "-t", "bpf", "-o", "/dev/null", *ARGV, "--weights",
                codegen.TRACES / f"{name}.txt", codegen.DOCKER]
        cpu = table.interleaved({build: [pale, *tail] for build, pale in table.builds().items()}, 15)
        insns = {build: table.instructions([pale, *tail]) for build, pale in table.builds().items()}
        out += [table.Row(f"{name}: CPU", table.both(cpu, lambda c: f"{1e3 * c.cpu:.1f} ms"), None, "4 ms"),
                table.Row(f"{name}: instructions run", table.both(insns, lambda n: f"{n / 1e6:.1f} M"))]
    return out


def main():
    measured = {name: figures(pale) for name, pale in table.builds().items()}
    for peer, theirs in (("kafel", kafel()), ("libseccomp's tree", libseccomp())):
        table.show(f"executed per uncached call, Docker's default, beside {peer}", [
            table.Row(name, table.both({build: m[name] for build, m in measured.items()}, text),
                      theirs.get(name), REACH.get(name)) for name in measured["now"]])
    table.show("compile --weights", costs())


if __name__ == "__main__":
    main()
