# SPDX-License-Identifier: Apache-2.0
"""How a compile grows with its rules, by their shape: one call, ranges, two arguments, many calls,
conditions on the environment, several architectures. KAFEL: its tools/dump_policy_bpf."""
import pathlib
import random
import tempfile

import table

SIZES = (1000, 4000, 16000, 64000)
SEED = 10
CALLS = 14


def policy(rules, arches="x86_64"):
    return (f"policy t {{\n\tarch {arches}; layers seccomp; default errno EPERM;\n"
            + "\n".join(rules) + "\n}\n")


def numbers(n, bits=31):
    pick = random.Random(SEED)
    return [pick.getrandbits(bits) for _ in range(n)]


def equal(n):
    return [f"allow lseek(offset == {v});" for v in numbers(n)]


def ranges(n):
    v = sorted(set(numbers(2 * n, 40)))
    return [f"allow read(reg count in {a}..{b});" for a, b in zip(v[::2], v[1::2])]


def pairs(n):
    v = numbers(2 * n, 20)
    return [f"allow lseek(offset == {x}, whence == {y});" for x, y in zip(v[:n], v[n:])]


def spread(n):
    return [f"allow #{500 + i % CALLS}(reg arg0 == {v});" for i, v in enumerate(numbers(n))]


def whens(n):
    caps = ("net_admin", "sys_admin", "sys_ptrace", "net_raw")
    return [f"when capability {caps[i % 4]} {{ {r} }}" for i, r in enumerate(equal(n))]


SHAPES = {  # name: rules, architectures
    "lseek(offset == N)": (equal, "x86_64"),
    "ranges": (ranges, "x86_64"),
    "two arguments": (pairs, "x86_64"),
    f"over {CALLS} calls": (spread, "x86_64"),
    "under `when`": (whens, "x86_64"),
    "four architectures": (equal, "x86_64, i386, aarch64, riscv64"),
}
PEERS = "lseek(offset == N)"  # kafel has one architecture
REACH = {16000: "0.2 s, 64 MB", 64000: "1 s, 256 MB"}
ISSUE = {16000: table.issue("0.05 s, 14 MB")}


def kafel(n):
    values = ",\n".join(f"lseek {{ offset == {v} }}" for v in numbers(n))
    return f"POLICY p {{ ALLOW {{\n{values}\n}} }}\nUSE p DEFAULT ERRNO(1)\n"


def measure(tmp, name, n):
    shape, arches = SHAPES[name]
    path = tmp / "t.pale"
    path.write_text(policy(shape(n), arches))
    argv = {build: [pale, "compile", "-q", "-t", "bpf", "--caps", "net_admin,sys_admin,sys_ptrace,net_raw",
                    "-o", tmp / "out/", path] for build, pale in table.builds().items()}
    if name == PEERS and table.peer("KAFEL"):
        (tmp / "t.kafel").write_text(kafel(n))
        argv["kafel"] = [table.peer("KAFEL"), "-c", tmp / "t.kafel"]
    return table.interleaved(argv, min(table.ROUNDS, 3))


def text(cost):
    return f"{cost.cpu:.2f} s, {cost.peak * 1.048576:.0f} MB"


def bar(value, most):
    return "#" * max(1, round(40 * value / most))


def plot(name, found):
    """Time a rule: even where it grows with the rules alone."""
    each = {n: 1e6 * costs["now"].cpu / n for n, costs in found.items()}
    print(f"{name}: microseconds a rule")
    for n, us in each.items():
        print(f"  {n:6} {us:8.1f} {bar(us, max(each.values()))}")
    print(flush=True)


def main():
    rows = []
    print(f"growth with one-line rules, random numbers of seed {SEED}")
    with tempfile.TemporaryDirectory() as tmp:
        for name in SHAPES:
            found = {n: measure(pathlib.Path(tmp), name, n) for n in SIZES}
            plot(name, found)
            for n in REACH:
                peer = found[n]["kafel"] if "kafel" in found[n] else None
                rows.append(table.Row(f"{n} rules, {name}", table.both(found[n], text),
                                      text(peer) if peer else ISSUE.get(n) if name == PEERS else None,
                                      REACH[n]))
    table.show("growth", rows)


if __name__ == "__main__":
    main()
