# SPDX-License-Identifier: Apache-2.0
"""Rules of one meaning as one program, and the length of programs beside minijail's own compiler: of 150
random policies in its language, seeds 1 to 3. MINIJAIL=path names a checkout of it."""
import os
import random
import re
import subprocess
import sys
import tempfile

import table

MINIJAIL = table.peer("MINIJAIL")
CALLS = {"read": 0, "write": 1, "lseek": 8, "mmap": 9, "ioctl": 16, "pread64": 17, "pwrite64": 18, "madvise": 28,
         "dup": 32, "socket": 41, "sendto": 44, "recvfrom": 45, "clone": 56, "fcntl": 72, "prctl": 157, "futex": 202,
         "openat": 257, "splice": 275}
TOP = 2 ** 64 - 1


def atom(r):
    """argument, operator, value: neither always nor never true."""
    value = r.choice([lambda: r.randrange(8), lambda: 1 << r.randrange(64), lambda: (1 << r.randrange(64)) - 1,
                      lambda: r.getrandbits(32), lambda: r.getrandbits(64), lambda: 0xffffffff])()
    return r.randrange(6), r.choice(["==", "!=", "<", "<=", ">", ">=", "&", "in"]), min(max(value, 1), TOP - 1)


def ours(a, op, v):
    return f"reg arg{a} " + (f"has any {v}" if op == "&" else f"lacks {~v & TOP}" if op == "in" else f"{op} {v}")


def policy(seed):
    """One policy as minijail has it, and as pale does."""
    r = random.Random(seed)
    theirs, mine = [], []
    for call in r.sample(list(CALLS), r.randint(1, 5)):
        terms = [[atom(r) for _ in range(r.randint(1, 3))] for _ in range(r.randint(1, 3))]
        text = " || ".join(" && ".join(f"arg{a} {op} {v}" for a, op, v in t) for t in terms)
        cond = " or ".join("(" + " and ".join(ours(*k) for k in t) + ")" for t in terms)
        refused = r.random() < 0.3
        theirs.append(f"{call}: {text}" + ("; return 1" if refused else ""))
        mine.append(f"allow {call}({cond});" + (f" errno 1 {call}(not ({cond}));" if refused else ""))
    return ("\n".join(theirs) + "\n", "policy t { layers seccomp; arch x86_64; default kill; unknown kill; "
            "foreign kill;\n" + "\n".join(mine) + "\n}\n")


def length(pale, text, directory):
    source, out = os.path.join(directory, "t.pale"), os.path.join(directory, "t.bpf")
    with open(source, "w", encoding="ascii") as f:
        f.write(text)
    subprocess.run([pale, "compile", "-q", "-t", "bpf", "-o", out, source], check=True, capture_output=True)
    return os.path.getsize(out) // 8


def their_length(text, directory):
    sys.path.insert(0, os.path.join(MINIJAIL, "tools"))
    import arch
    import bpf
    import compiler
    source = os.path.join(directory, "t.policy")
    with open(source, "w", encoding="ascii") as f:
        f.write(text)
    machine = arch.Arch(0xc000003e, "x86_64", 64, CALLS, {"EPERM": 1}, {})
    made = compiler.PolicyCompiler(machine).compile_file(
        source, optimization_strategy=compiler.OptimizationStrategy.BST, kill_action=bpf.KillProcess(),
        include_depth_limit=10, override_default_action=None, denylist=False, ret_log=False)
    return len(made.opcodes) // 8


def larger(pale, seed, directory):
    pairs = [(length(pale, mine, directory), their_length(theirs, directory))
             for theirs, mine in (policy(seed * 100000 + i) for i in range(150))]
    return f"{sum(a > b + 2 for a, b in pairs)} of 150 ({sum(a for a, _ in pairs)} to {sum(b for _, b in pairs)})"


def canonical(seed):
    tool = table.BUILD / "tests" / "random" / "canonical"
    out = subprocess.run([tool, "-n", "1000", "-s", str(seed)], capture_output=True, text=True).stdout
    return re.search(r"(\d+) of one program", out)[1]


def main():
    rows = [table.Row("1,000 policies, each written in five ways: one program", ", ".join(map(canonical, (1, 2, 3))),
                      None, "1000", "523 *")]
    with tempfile.TemporaryDirectory() as directory:
        for seed in (1, 2, 3):
            figure = f"larger than minijail by more than 2 instructions, seed {seed}"
            if not MINIJAIL:
                rows.append(table.Row(figure, None, None, "0 of 150", "18 of 150 *"))
                continue
            found = {name: larger(pale, seed, directory) for name, pale in table.builds().items()}
            rows.append(table.Row(figure, found["now"], None, "0 of 150", found.get("old", "18 of 150 *")))
    table.show("canonical", rows)


if __name__ == "__main__":
    main()
