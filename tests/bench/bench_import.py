# SPDX-License-Identifier: Apache-2.0
"""What `import` makes of filters that others wrote: how large the program is that its policy compiles
to, against the program read; how long the longest line is; how many can be imported; what it costs.

    FILTERS=DIR   a directory of *.bpf, dumped from daemons (`pale dump --pid`, `-t bpf`) or exported
                  by libseccomp's own tests (`TEST -b > TEST.bpf`); without it random policies alone
    OLD=path      an older pale beside; SEED, COUNT: of the random policies (3 seeds)
"""
import os
import pathlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "sim"))
import policies  # noqa: E402
import table  # noqa: E402

SEEDS = [int(s) for s in os.environ.get("SEED", "5,6,7").split(",")]
COUNT = int(os.environ.get("COUNT", "40"))


@dataclass
class Sum:
    read: int = 0
    again: int = 0
    longest: int = 0
    worst: float = 0
    worst_of: str = "-"
    imported: int = 0
    refused: list = field(default_factory=list)


def size(directory):
    return sum(p.stat().st_size // 8 for p in directory.glob("*.bpf"))


def compiled(pale, source, out):
    out.mkdir()
    subprocess.run([pale, "compile", "-q", "-t", "bpf", "-o", f"{out}/", source], env=table.ENV,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return size(out)


def there_and_back(pale, programs):
    total = Sum()
    for prog in programs:
        with tempfile.TemporaryDirectory() as tmp:
            text = pathlib.Path(tmp) / "t.pale"
            got = subprocess.run([pale, "import", "-n", "t", prog], env=table.ENV,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            text.write_text(got.stdout)
            again = compiled(table.PALE, text, pathlib.Path(tmp) / "d") if got.returncode == 0 else 0
        if not again:
            total.refused.append(prog.name)
            continue
        read = prog.stat().st_size // 8
        total.imported += 1
        total.read += read
        total.again += again
        total.longest = max(total.longest, *map(len, got.stdout.splitlines()))
        if again - read > 2 and again / read > total.worst:  # -1 and `unknown` cost a small one two
            total.worst, total.worst_of = again / read, f"{prog.name} {again}/{read}"
    return total


def rows(name, programs, reach):
    got = {b: there_and_back(p, programs) for b, p in table.builds().items()}

    def of(fn):
        return table.both(got, fn)
    return [table.Row(f"{name}: instructions of the policy / of the filter read",
                      of(lambda s: f"{s.again}/{s.read} = {s.again / max(s.read, 1):.2f}"), None, reach),
            table.Row(f"{name}: worst", of(lambda s: f"{s.worst:.2f} {s.worst_of}")),
            table.Row(f"{name}: longest line", of(lambda s: str(s.longest)), None, "200"),
            table.Row(f"{name}: imported", of(lambda s: f"{s.imported} of {len(programs)}"), None, "all")]


def random_programs(seed, tmp):
    out = tmp / f"s{seed}"
    out.mkdir()
    for policy in policies.write(seed, COUNT, out):
        compiled(table.PALE, policy, out / policy.stem)
    return sorted(out.glob("*/*.bpf"))


def main():
    filters = os.environ.get("FILTERS")
    listed = []
    if filters:
        listed += rows("filters of others", sorted(pathlib.Path(filters).glob("*.bpf")), "1.05")
    with tempfile.TemporaryDirectory() as tmp:
        for seed in SEEDS:
            listed += rows(f"random policies, seed {seed}", random_programs(seed, pathlib.Path(tmp)), "1.05")
        table.show("import", listed)


if __name__ == "__main__":
    main()
