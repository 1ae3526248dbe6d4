# SPDX-License-Identifier: Apache-2.0
"""What a compiled AppArmor profile answers: runs the file DFA of `apparmor_parser -S`.

The format is the kernel's (security/apparmor/policy_unpack.c, match.c): a tagged little-endian
stream that holds big-endian flex-like tables.
"""
import struct

U8, U16, U32, U64, NAME, STRING, BLOB = 0, 1, 2, 3, 4, 5, 6
STRUCT, STRUCTEND, LIST, LISTEND, ARRAY, ARRAYEND = 7, 8, 9, 10, 11, 12
EXEC, WRITE, READ, APPEND, LINK, LOCK, MMAP = 1, 2, 4, 8, 0x10, 0x20, 0x40


def tokens(data):
    """(name, tag, value, offset) of every item in the stream."""
    i, name = 0, None
    while i < len(data):
        tag = data[i]
        i += 1
        if tag == NAME:
            n, = struct.unpack_from("<H", data, i)
            name = data[i + 2:i + 2 + n - 1].decode()
            i += 2 + n
            continue
        value, at = None, i
        if tag == U8:
            value, i = data[i], i + 1
        elif tag in (U16, ARRAY):
            value, i = struct.unpack_from("<H", data, i)[0], i + 2
        elif tag == U32:
            value, i = struct.unpack_from("<I", data, i)[0], i + 4
        elif tag == U64:
            value, i = struct.unpack_from("<Q", data, i)[0], i + 8
        elif tag == STRING:
            n, = struct.unpack_from("<H", data, i)
            value, i = data[i + 2:i + 2 + n - 1].decode("latin-1"), i + 2 + n
        elif tag == BLOB:
            n, = struct.unpack_from("<I", data, i)
            at, value, i = i + 4, data[i + 4:i + 4 + n], i + 4 + n
        elif tag not in (STRUCT, STRUCTEND, LIST, LISTEND, ARRAYEND):
            raise ValueError(f"tag {tag} at {i}")
        yield name, tag, value, at
        name = None


class Dfa:
    def __init__(self, blob):
        start = i = blob.index(b"\x1b\x5e\x78\x3d", 0, 12)  # the tables start 8-aligned in their profile
        hsize, = struct.unpack_from(">I", blob, i + 4)
        i += hsize
        self.table = {}
        while i + 16 <= len(blob):
            kind, width, _, n = struct.unpack_from(">HHII", blob, i)
            if kind == 0:
                break
            i += 12
            self.table[kind] = struct.unpack_from(f">{n}{ {1: 'B', 2: 'H', 4: 'I'}[width] }", blob, i)
            i += n * width
            i += -(i - start) % 8
        self.accept, self.base, self.chk = (self.table[k] for k in (1, 2, 3))
        self.default, self.ec, self.accept2, self.next = (self.table.get(k) for k in (4, 5, 7, 8))

    def step(self, state, byte):
        c = self.ec[byte] if self.ec else byte
        while True:
            b = self.base[state]
            p = (b & 0xffffff) + c
            if p < len(self.chk) and self.chk[p] == state:
                return self.next[p]
            state = self.default[state]
            if not b & 0x80000000:
                return state

    def run(self, text, state=1):
        for byte in text:
            state = self.step(state, byte)
        return state


def file_dfa(binary):
    """The file DFA of the first profile."""
    blobs = [v for name, tag, v, _ in tokens(binary) if tag == BLOB and name == "aadfa"]
    return Dfa(blobs[-1])


def perms(dfa, path, owner=False):
    """Permission bits that `path` (bytes) gets."""
    word = dfa.accept[dfa.run(path)]
    return word & 0x7f if owner else word >> 14 & 0x7f


def profiles(binary):
    """{name: File} of all that were compiled."""
    out, items = {}, []
    for item in tokens(binary):
        if item[0] == "profile":
            items = out.setdefault(len(out), [])
        items.append(item)
    return {items[1][2]: File(items) for items in out.values()}


class File:
    """The file rules of one profile, the first of a binary, in whichever format they were written:
    permission bits in the accept table (before permstable32), or indexes into a table of them."""

    def __init__(self, binary):
        self.table, self.rows, self.dfa, self.targets = None, None, None, []
        items = iter(tokens(binary) if isinstance(binary, bytes) else binary)
        for name, tag, value, _ in items:
            if tag == BLOB and name == "aadfa":
                self.dfa = Dfa(value)
                self.rows, self.table = self.table, None
            elif tag == STRUCT and name == "perms":
                next(items)  # the version
                n = next(items)[2]
                words = [next(items)[2] for _ in range(14 * n)]
                self.table = [words[14 * i:14 * i + 14] for i in range(n)]
            elif tag == STRUCT and name == "xtable":
                self.targets = [next(items)[2] for _ in range(next(items)[2])]

    def answer(self, text, owner=False):
        """What a path gets: allow, audit, quiet as bits, how it is executed."""
        if not self.dfa:
            return {"allow": 0, "audit": 0, "quiet": 0, "exec": None}
        state = self.dfa.run(text)
        word = self.dfa.accept[state]
        if self.rows and not self.dfa.accept2:  # of what is no file: no halves
            return self.of_row(self.rows[word])
        if self.rows:
            return self.of_row(self.rows[word + (0 if owner else 1)] if self.dfa.accept2[state] else self.rows[0])
        other = self.dfa.accept2[state]
        if not owner:
            word, other = word >> 14, other >> 14
        return {"allow": word & 0x7f, "audit": other & word & 0x7f, "quiet": other >> 7 & ~word & 0x7f,
                "exec": self.transition(word >> 10 & 15, word & 0x200, word & 0x80, word & 0x100) if word & EXEC else None}

    def masks(self, text, files=False):
        """(allow, audit, quiet) in the kernel's bits, as it maps those of older formats (policy_compat.c)."""
        if not self.dfa:
            return 0, 0, 0
        state = self.dfa.run(text)
        word = self.dfa.accept[state]
        if self.rows:
            row = self.rows[word]
            return row[1], row[8], row[9] & ~row[1]
        if files:  # a label: whose the file is does not count
            return word >> 1 & 0x60000000, 0, 0
        other = self.dfa.accept2[state]
        wide = lambda v: v & 0x7f | (v >> 14 & 3) << 8 | (v >> 14 & 0x1c) << 18 | (v >> 14 & 0x60) << 19
        return wide(word), wide(other & word), wide(other >> 7) & ~wide(word)

    def of_row(self, row):
        bits = lambda v: v & 15 | (LINK if v & 0x40000 else 0) | (LOCK if v & 0x8000 else 0) | (MMAP if v & 0x10000 else 0)
        allow, x = bits(row[1]), row[11]
        index = 4 + (x & 0xffffff) if x & 0x8000000 else 3 if x & 0x20000000 else 2 if x & 0x4000000 else 1 if x & 0x80000000 else 0
        return {"allow": allow, "audit": bits(row[8]) & allow, "quiet": bits(row[9]) & ~allow,
                "exec": self.transition(index, x & 0x40000000, x & 0x80000000 and index != 1, x & 0x10000000) if allow & EXEC else None}

    def transition(self, index, inherits, unconfined, unsafe):
        """(to what, else inherits, else unconfined, with the environment)"""
        to = self.targets[index - 4].replace("\0", ":") if index > 3 else ["", "u", "p", "c"][index]
        return to, bool(inherits), bool(unconfined), bool(unsafe)


LETTERS = {"r": READ, "w": WRITE, "a": APPEND, "k": LOCK, "m": MMAP, "x": EXEC}


def accesses(paths):
    """Every permission of each path, as `pale sim` takes it."""
    return [f"exec {p}" if c == "x" else f"open {p} {c}" for p in paths for c in LETTERS]


def assert_says(table, lines, asked, context):
    """`pale sim`'s lines for what accesses() gave say what the table does. How many were compared."""
    got = {}
    for line in lines:
        outcome, access, who = line.split("  ")[:3]
        for half in ([who == "owner"] if who in ("owner", "other") else [False, True]):
            got[access, half] = outcome
    for access in asked:
        words = access.split()
        bit = LETTERS[words[2] if words[0] == "open" else "x"]
        for half in (False, True):
            want = table.answer(words[1].encode(), half)
            said = "refused" if not want["allow"] & bit else "allowed, audited" if want["audit"] & bit else "allowed"
            assert got[access, half] == said, (*context, access, half)
    return 2 * len(asked)


def path_step(state, byte):
    """Of the texts that the kernel asks about: "/" first, no "//", no "." or ".." component."""
    if byte == 0x2f:
        return "slash" if state in ("start", "name") else None
    if state == "start":
        return None
    if byte == 0x2e and state in ("slash", "dot"):
        return "dot" if state == "slash" else "dots"
    return "name"


def shortest(dfa, paths):
    """{permissions: length of a shortest text (of paths: that is a path) that gets them}."""
    classes = {}
    for byte in range(1, 256):
        key = byte if not dfa.ec or byte in b"/." else ("ec", dfa.ec[byte])
        classes.setdefault(key, byte)
    start = (1, "start" if paths else "name")
    seen, now, length, found = {start}, [start], 0, {}
    while now:
        then = []
        for state, path in now:
            if path in ("slash", "name"):
                found.setdefault(dfa.accept[state] >> 14 & 0x7f, length)
            for byte in classes.values():
                step = (dfa.step(state, byte), path_step(path, byte) if paths else path)
                if step[1] and step not in seen:
                    seen.add(step)
                    then.append(step)
        now, length = then, length + 1
    return found


def capabilities(binary):
    """(allow, audit, quiet) of the first profile, a bit a capability."""
    items = iter(tokens(binary))
    words = []
    for name, tag, _, _ in items:
        if tag == STRUCT and name in ("flags", "caps64"):
            skip = name == "flags"
            while skip and next(items)[1] != STRUCTEND:
                pass
            words += [next(items)[2] for _ in range(4)]
    low, high = words[:4], words[4:8] or [0] * 4
    return [low[i] | high[i] << 32 for i in range(3)]


def limits(binary):
    """{RLIMIT_*: value} of the first profile."""
    items = iter(tokens(binary))
    for name, tag, _, _ in items:
        if tag == STRUCT and name == "rlimits":
            which = next(items)[2]
            next(items)  # the array's length
            values = [v for _, tag, v, _ in (next(items) for _ in range(16)) if tag == U64]
            return {i: v for i, v in enumerate(values) if which >> i & 1}
    return {}
