# SPDX-License-Identifier: Apache-2.0
"""Instructions that a seccomp program executes, by an interpreter that shares nothing with pale's,
and which calls the kernel would find in its action cache (kernel/seccomp.c seccomp_is_const_allow())."""
import pathlib
import struct

TABLE = pathlib.Path(__file__).resolve().parent.parent.parent / "compiler" / "tables" / "syscalls.tsv"
AUDIT = {"x86_64": 0xc000003e, "x32": 0xc000003e, "i386": 0x40000003, "aarch64": 0xc00000b7,
         "arm": 0x40000028, "riscv64": 0xc00000f3, "s390x": 0x80000016, "ppc64le": 0xc0000015,
         "mips64el": 0xc0000008, "loongarch64": 0xc0000102}
LD, AND, JA, JEQ, JGT, JGE, JSET, RET = 0x20, 0x54, 0x05, 0x15, 0x25, 0x35, 0x45, 0x06
ALLOW = 0x7fff0000


def version(text):
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def known(arch, level):
    """name -> number (with x32's base) of the calls that a kernel of that release has."""
    out, column, born = {}, None, {}
    for line in TABLE.read_text().splitlines():
        field = line.split()
        if not field or line.startswith("#"):
            continue
        if field[0] == "name":
            names = [f.split("/")[0] for f in field]
            column, since = names.index(arch), names.index("since")
            continue
        if field[column] == "-":
            continue
        own = dict(s.split("=") for s in field[since].split(",") if "=" in s)
        first = own.get(arch, field[since].split(",")[0])
        if first == "-" or version(first) <= version(level):
            out[field[0]] = int(field[column]) + (0x40000000 if arch == "x32" else 0)
    return out


def trace(path):
    lines = (line.split() for line in pathlib.Path(path).read_text().splitlines())
    return {name: float(count) for count, name in filter(None, lines)}


def average(steps, weights):
    """Of name -> steps, each as often as its weight; None: none weighs anything."""
    all_ = sum(weights.get(name, 0) for name in steps)
    return sum(n * weights.get(name, 0) for name, n in steps.items()) / all_ if all_ else None


class Program:
    def __init__(self, data, arch="x86_64"):
        self.big = arch == "s390x"
        self.audit = AUDIT[arch]
        self.insns = list(struct.iter_unpack(">HBBI" if self.big else "<HBBI", data))

    def word(self, nr, args, k):
        if k < 8:
            return nr if k == 0 else self.audit
        high = (k % 8 == 4) != self.big
        return args[(k - 16) // 8] >> (32 if high else 0) & 0xffffffff

    def run(self, nr, args=(0,) * 6):
        """(answer, instructions executed, did it look at arguments?)"""
        pc = steps = a = 0
        looked = False
        while True:
            code, jt, jf, k = self.insns[pc]
            steps += 1
            pc += 1
            if code == RET:
                return k, steps, looked
            if code == LD:
                looked |= k >= 8
                a = self.word(nr, args, k)
            elif code == AND:
                a &= k
            elif code == JA:
                pc += k
            else:
                pc += jt if {JEQ: a == k, JGT: a > k, JGE: a >= k, JSET: a & k != 0}[code] else jf

    def caches(self, nr):
        answer, _, looked = self.run(nr)
        return answer == ALLOW and not looked

    def executed(self, calls, cache):
        """name -> instructions, of all those calls, or where there is a cache of those not in it."""
        return {name: self.run(nr)[1] for name, nr in calls.items() if not (cache and self.caches(nr))}
