# SPDX-License-Identifier: Apache-2.0
"""The shape of programs: ranges of one argument become a tree, equal tails are shared, and no word
is loaded where the accumulator holds it. Read from the program itself, all paths of it."""
import random
import struct

import pytest

from conftest import ROOT

LD_W_ABS, AND, JA = 0x20, 0x54, 0x05
JUMPS = (0x15, 0x25, 0x35, 0x45)


def compile_(pale, tmp_path, body):
    path = tmp_path / "p.pale"
    path.write_text("policy p { level linux 6.18; layers seccomp; arch x86_64; "
                    "default errno EPERM;\n" + body + "\n}\n")
    r = pale("compile", path, "-t", "bpf", text=False, check=0)
    return [struct.unpack_from("<HBBI", r.out, at) for at in range(0, len(r.out), 8)]


def followers(insns, pc):
    code, jt, jf, k = insns[pc]
    if code & 7 == 6:
        return []
    if code == JA:
        return [pc + 1 + k]
    return sorted({pc + 1 + jt, pc + 1 + jf}) if code & 7 == 5 else [pc + 1]


def longest(insns):
    n = [0] * len(insns)
    for pc in reversed(range(len(insns))):
        n[pc] = 1 + max((n[to] for to in followers(insns, pc)), default=0)
    return n[0]


def redundant_loads(insns):
    """Loads that meet their own word in A on some path: a walk over (instruction, what A holds)."""
    found, seen, todo = set(), set(), [(0, None)]
    while todo:
        pc, held = todo.pop()
        if (pc, held) in seen:
            continue
        seen.add((pc, held))
        code, _, _, k = insns[pc]
        assert code in (LD_W_ABS, AND, JA, 0x06, *JUMPS), hex(code)
        if code == LD_W_ABS:
            if held == k:
                found.add(pc)
            held = k
        elif code == AND:
            held = None
        todo += [(to, held) for to in followers(insns, pc)]
    return found


def ranges(n, seed, step):
    rand = random.Random(seed)
    at, out = 0, []
    for _ in range(n):
        first = at + rand.randrange(step // 4, step)
        at = first + rand.randrange(1, step)
        out.append((first, at))
        at += 2
    return out


# High words differ (2^40) or all lie under one high word (2^20).
@pytest.mark.parametrize("step", [1 << 20, 1 << 40])
def test_forty_ranges_of_one_argument_are_a_tree(pale, tmp_path, step):
    body = "".join(f"allow #0(reg arg2 >= {a} and reg arg2 <= {b});\n"
                   for a, b in ranges(40, step, step))
    insns = compile_(pale, tmp_path, body)
    # Two boundaries a range, 81 intervals, 7 levels; the high word, then the low one: at most two
    # trees. Around them: arch, number, the load of both words, the return.
    assert longest(insns) <= 2 * 7 + 10, longest(insns)
    assert not redundant_loads(insns)


def test_a_hundred_scattered_values_are_a_tree(pale, tmp_path):
    rand = random.Random(7)
    values = ", ".join(str(rand.getrandbits(32)) for _ in range(100))
    insns = compile_(pale, tmp_path, f"allow #0((reg arg1 & 0xffffffff) in {{{values}}});")
    assert longest(insns) <= 7 + 12, longest(insns)
    assert not redundant_loads(insns)


def test_equal_tails_are_shared(pale, tmp_path):
    one = compile_(pale, tmp_path, "allow #7((reg arg0 & 0xff) in {3, 9, 77, 200, 201});")
    ten = compile_(pale, tmp_path, "".join(
        f"allow #{nr}((reg arg0 & 0xff) in {{3, 9, 77, 200, 201}});" for nr in range(7, 97, 10)))
    assert len(ten) <= len(one) + 2 * 9, (len(one), len(ten))
    assert len({i for i in ten if i[0] == 0x06}) == sum(i[0] == 0x06 for i in ten) or \
        len(ten) > 255  # one return of each verdict; more only where jumps would not reach


def test_no_word_is_loaded_twice_in_dockers_default(pale, tmp_path):
    r = pale("compile", "-t", "bpf", "--caps", "none", "--kernel", "6.18", "--host", "x86_64",
             "-o", tmp_path / "x.bpf", ROOT / "profiles" / "found" / "docker-default.json", check=0)
    assert "instructions" in r.err
    data = (tmp_path / "x.bpf").read_bytes()
    insns = [struct.unpack_from("<HBBI", data, at) for at in range(0, len(data), 8)]
    assert len(insns) > 100 and not redundant_loads(insns)
