# SPDX-License-Identifier: Apache-2.0
"""No single input file costs pale more than 1 GiB of memory or 10 s of its own processor: it is
done, or a bound is told (status 1), never a kill, never the system's want of memory."""
import random
import resource
import struct
import subprocess

import pytest

from conftest import PALE

LIMITS = ((resource.RLIMIT_AS, 1 << 30), (resource.RLIMIT_CPU, 10), (resource.RLIMIT_CORE, 0))


def policy(body, head="arch x86_64; layers seccomp; default errno EPERM;"):
    return f"policy t {{ {head}\n{body}\n}}\n"


def values(n, bits=31):
    pick = random.Random(n)
    return [pick.getrandbits(bits) for _ in range(n)]


def equal(n):
    return policy("\n".join(f"allow lseek(offset == {v});" for v in values(n)))


def pairs(n):
    v = values(2 * n, 20)
    return policy("\n".join(f"allow lseek(offset == {v[i]}, whence == {v[n + i]});" for i in range(n)))


def ranges(n):
    v = sorted(set(values(2 * n, 40)))
    return policy("\n".join(f"allow read(reg count in {a}..{b});" for a, b in zip(v[::2], v[1::2])))


def spread(n):
    return policy("\n".join(f"allow #{500 + i % 14}(reg arg0 == {v});" for i, v in enumerate(values(n))))


def verdicts(n):
    return policy("\n".join(f"errno {1 + i % 30} lseek(offset == {i});" for i in range(n)))


def product(n):
    inside = ", ".join(f"arg{a} in {{{', '.join(str(3 * i) for i in range(n))}}}" for a in range(6))
    return policy(f"allow #500({inside});")


def masks(n):
    return policy("\n".join(f"allow read((reg count & {1 << i % 48 | 1 << i * 7 % 48:#x}) != 0, reg fd == {i});"
                            for i in range(n)))


def sums(n):
    words = " or ".join(f"(reg arg{i % 6} & {255 << i % 24:#x}) == {(i & 255) << i % 24:#x}"
                        for i in range(n))
    return policy(f"allow #500({words});")


SHAPES = {
    "16,000 values": equal(16000), "64,000 values": equal(64000),
    "16,000 pairs": pairs(16000), "64,000 pairs": pairs(64000),
    "16,000 ranges": ranges(16000), "64,000 ranges": ranges(64000),
    "64,000 over 14 calls": spread(64000), "16,000 with other errnos": verdicts(16000),
    "a product of six": product(600), "masks": masks(2000), "a sum of masks": sums(1500),
    "a million rules": policy("allow read;\n" * 1000000),
    "a million values": policy(f"allow #500(reg arg0 in {{{', '.join(map(str, range(0, 2000000, 2)))}}});"),
    "deep nesting": policy("when arch x86_64 { " * 20000 + "allow read;" + "}" * 20000),
    "deep parentheses": policy(f"allow read({'(' * 100000}fd == 1{')' * 100000});"),
    "a million comments": policy("#\n" * 1000000), "a name of 8 MB": policy("allow " + "a" * 8000000 + ";"),
    "a million errors": policy("alow read;\n" * 1000000),
    "a million unknown names": policy("allow " + ", ".join(f"n{i}" for i in range(1000000)) + ";"),
    "deep JSON": "[" * 4000000,
    "wide JSON": '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[' + ",".join(
        f'{{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{{"index":0,"value":{v},"op":"SCMP_CMP_EQ"}}]}}'
        for v in values(20000)) + "]}",
    "many names": '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":['
                  + ",".join(f'"n{i}"' for i in range(300000)) + '],"action":"SCMP_ACT_ALLOW"}]}',
}


def held(argv, cwd):
    def apply():
        for what, bound in LIMITS:
            resource.setrlimit(what, (bound, bound))
    proc = subprocess.run([PALE, *argv], cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=120, preexec_fn=apply)
    assert proc.returncode in (0, 1, 2), (proc.returncode, proc.stderr[-400:])
    assert b"out of memory" not in proc.stderr
    return proc


@pytest.mark.once  # a sanitizer's shadow needs the address space
@pytest.mark.parametrize("name", SHAPES)
def test_one_file_has_a_bounded_price(tmp_path, name):
    (tmp_path / "t.pale").write_text(SHAPES[name])
    held(["compile", "-q", "-t", "bpf", "-o", "out/", "t.pale"], tmp_path)


def test_too_large_is_the_only_thing_said_of_it(tmp_path):
    (tmp_path / "t.pale").write_text(SHAPES["a product of six"])
    proc = subprocess.run([PALE, "check", "-t", "bpf", "t.pale"], cwd=tmp_path, capture_output=True)
    assert proc.returncode == 1 and b"PL200" in proc.stderr and b"PL143" not in proc.stderr


@pytest.mark.once  # a sanitizer's shadow needs the address space
def test_a_million_bad_weights_are_read_at_once(tmp_path):
    (tmp_path / "w").write_text("1 reed\n" * 1000000)
    (tmp_path / "t.pale").write_text(policy("allow read, execve;"))
    proc = held(["compile", "-q", "-t", "bpf", "-o", "x", "--weights", "w", "t.pale"], tmp_path)
    assert b"did you mean 'read'?" in proc.stderr and b"999980 more errors" in proc.stderr


def single_bits(n, words):
    """Each call is tested for any of a random mask's bits, n times: no policy says that shortly."""
    pick = random.Random(1)
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, 0xc000003e), (6, 0, 0, 0x7fff0000)]
    for _ in range(n):
        code += [(0x20, 0, 0, 16 + 4 * pick.randrange(words)), (0x45, 0, 1, pick.getrandbits(32)),
                 (6, 0, 0, 0x50000 | pick.randrange(1, 30))]
    return b"".join(struct.pack("<HBBI", *insn) for insn in [*code, (6, 0, 0, 0x7fff0000)])


@pytest.mark.once  # a sanitizer's shadow needs the address space
@pytest.mark.parametrize("n, words", [(5, 12), (12, 12), (40, 2), (1300, 1), (1300, 12)])
def test_masks_in_a_filter_have_a_bounded_price(tmp_path, n, words):
    (tmp_path / "t.bpf").write_bytes(single_bits(n, words))
    proc = held(["import", "-o", "x.pale", "t.bpf"], tmp_path)
    assert proc.returncode == 1 and (b"PL279" in proc.stderr or b"PL295" in proc.stderr)
    assert b"MiB" in proc.stderr or b"decision nodes" in proc.stderr
    assert not (tmp_path / "x.pale").exists()
