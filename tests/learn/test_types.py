# SPDX-License-Identifier: Apache-2.0
"""The kernel's types as pale hands them to libbpf."""
import os

from conftest import PALE, program, run, skip
from test_backends import usable


def test_what_is_cut_out_of_the_kernel_s_types_is_what_they_say():
    r = run([program("learn/typestool")])
    if r.rc == 77:
        skip("this kernel has no BTF, or this pale no BPF")
    assert r.rc == 0 and "compared" in r.out, r
    compared, members = [int(word) for word in r.out.split() if word.isdigit()][:2]
    assert compared > 100 and members > 1000, r.out


def test_the_programs_that_cost_least_load():
    """By another way of attaching a recording has the same facts, so that nothing else tells."""
    usable("ebpf-raw")
    if tuple(int(n) for n in os.uname().release.split(".")[:2]) < (5, 13):
        skip("eBPF is not to be had on this Linux")
    r = run([PALE, "learn", "--backend", "ebpf-btf", "-o", "/dev/null", "--", "true"])
    assert r.rc == 0, r
