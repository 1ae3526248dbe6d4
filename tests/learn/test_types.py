# SPDX-License-Identifier: Apache-2.0
"""The kernel's types as pale hands them to libbpf."""
from conftest import program, run, skip


def test_what_is_cut_out_of_the_kernel_s_types_is_what_they_say():
    r = run([program("learn/typestool")])
    if r.rc == 77:
        skip("this kernel has no BTF, or this pale no BPF")
    assert r.rc == 0 and "compared" in r.out, r
    compared, members = [int(word) for word in r.out.split() if word.isdigit()][:2]
    assert compared > 100 and members > 1000, r.out
