# SPDX-License-Identifier: Apache-2.0
"""Random policies, the same for the same seed: every operator, values at the edges of 32 and
64 bits, several arguments, overlapping rules of several verdicts, all four architectures.

    policies.py SEED COUNT DIR      writes DIR/rSEED-N.pale
"""
import pathlib
import random
import sys

W32 = [0, 1, 2, 3, 7, 8, 0x10, 0xff, 0x100, 0xffff, 0x10000, 0x20008, 0x7ffffffe, 0x7fffffff,
       0x80000000, 0x80000001, 0xfffffffe, 0xffffffff]
W64 = W32 + [0x100000000, 0x100000001, 0x1ffffffff, 0x7fffffff00000000, 0x7fffffffffffffff,
             0x8000000000000000, 0x8000000000000001, 0xffffffff00000000, 0xffffffff80000000,
             0xfffffffffffffffe, 0xffffffffffffffff]
S32 = [-0x80000000, -0x7fffffff, -100, -2, -1, 0, 1, 2, 5, 100, 0x7ffffffe, 0x7fffffff]

# call: its arguments; s at most 16 bits, n number signed, u unsigned, f flags, e enumeration, d descriptor
CALLS = {
    "kill": "ne", "tgkill": "nne", "getpriority": "en", "setpriority": "enn", "dup3": "ddf",
    "umask": "n", "flock": "df", "inotify_rm_watch": "dn", "close": "d", "fsync": "d",
    "getsid": "n", "setfsuid": "s", "setreuid": "ss", "getpgid": "n", "setpgid": "nn", "alarm": "u", "exit_group": "n",
}
# Calls tested as whole registers; the condition is on any of the six.
REGISTERS = ["ioctl", "fcntl", "prctl", "futex", "mprotect", "munmap", "madvise", "lseek",
             "read", "write", "getrandom", "personality", "clone3", "#570", "#571", "#9999",
             "#1000000"]
WIDE = ["x86_64", "x32", "aarch64"]


class Policies:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def number(self, kind):
        r = self.r
        if kind == "n":
            return r.choice(S32) if r.random() < .7 else r.randint(-2 ** 31, 2 ** 31 - 1)
        if kind == "s":
            return r.choice([0, 1, 2, 0x7fff, 0x8000, 0xfffe, 0xffff, 1000])
        pool, top = (W32, 32) if kind in "ufed" else (W64, 64)
        v = r.choice(pool) if r.random() < .7 else r.getrandbits(r.randint(1, top))
        return v & 0x7fffffff if kind in "edf" else v

    def text(self, v):
        return str(v) if v < 0 or self.r.random() < .5 else hex(v)

    def members(self, kind):
        out = []
        for _ in range(self.r.randint(1, 5)):
            a, b = self.number(kind), self.number(kind)
            out.append(self.text(a) if self.r.random() < .6 else
                       f"{self.text(min(a, b))}..{self.text(max(a, b))}")
        return "{" + ", ".join(out) + "}"

    def comparison(self, name, kind):
        r = self.r
        v = self.text(self.number(kind))
        ops = ["==", "!=", "in", "mask"]
        if kind != "e":
            ops += ["<", "<=", ">", ">="]
        if kind in "fqs":
            ops += ["has", "has any", "lacks"]
        if kind in "ned":  # masks are for bit patterns
            ops.remove("mask")
        op = r.choice(ops)
        if op == "in":
            return f"{name} in {self.members(kind)}"
        if op == "mask":
            m = self.number(kind) or 1
            v = self.number(kind) & m
            return f"({name} & {self.text(m)}) {r.choice(['==', '!='])} {self.text(v)}"
        if op in ("has", "has any", "lacks"):
            v = self.text(self.number(kind) or 1)
        return f"{name} {op} {v}"

    def condition(self, operands, depth):
        r = self.r
        if depth == 0 or r.random() < .4:
            return self.comparison(*r.choice(operands))
        if r.random() < .2:
            return f"not ({self.condition(operands, depth - 1)})"
        join = r.choice([" and ", " and ", " or ", ", "])
        parts = [self.condition(operands, depth - 1) for _ in range(r.randint(2, 3))]
        if join == ", ":  # stands between whole conditions only
            return " and ".join(f"({p})" for p in parts)
        return "(" + join.join(parts) + ")"

    def rule(self, name, verdicts):
        kinds = CALLS.get(name)
        wide = kinds is None and self.r.random() < .5
        if kinds is None:
            operands = [(f"reg arg{i}", "q") for i in range(6)]
        else:
            operands = [(f"arg{i}", k) for i, k in enumerate(kinds)]
        text = name
        if self.r.random() < .8:
            text += f"({self.condition(operands, self.r.randint(0, 3))})"
        line = f"{self.r.choice(verdicts)} {text};"
        if name == "clone3" or name.startswith("#") or not wide:
            return line
        return f"when arch {', '.join(self.r.sample(WIDE, self.r.randint(1, 3)))} {{ {line} }}"

    def policy(self, name):
        r = self.r
        refuse = [f"errno {r.choice(['EPERM', 'ENOSYS', 'EACCES', '4095'])}", "kill", "kill-thread",
                  f"trap {r.randint(0, 65535)}"]
        default = r.choice(refuse[:1] * 4 + refuse[1:] + ["allow", "log"])
        verdicts = ["allow"] * 4 + refuse + ["log", f"trace {r.randint(0, 65535)}"]
        if default in refuse:
            verdicts.append("deny")
        lines = [f"policy {name} {{", "\tlevel linux 6.18;", "\tlayers seccomp;",
                 "\tarch x86_64, x32, i386, aarch64;", f"\tdefault {default};",
                 f"\tunknown {r.choice(refuse + ['errno ENOSYS'] * 3)};",
                 f"\tforeign {r.choice(refuse)};"]
        plain = ["getpid", "gettid", "openat", "mmap", "brk", "sched_yield", "uname", "nanosleep"]
        lines.append(f"\tallow {', '.join(r.sample(plain, r.randint(1, len(plain))))};")
        for _ in range(r.randint(2, 14)):
            call = r.choice(list(CALLS) + REGISTERS)
            for _ in range(r.randint(1, 3)):
                lines.append("\t" + self.rule(call, verdicts))
        return "\n".join(lines) + "\n}\n"


def write(seed, count, directory):
    directory = pathlib.Path(directory)
    paths = []
    p = Policies(seed)
    for i in range(count):
        path = directory / f"r{seed}-{i}.pale"
        path.write_text(p.policy(f"r{i}"))
        paths.append(path)
    return paths


if __name__ == "__main__":
    write(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
