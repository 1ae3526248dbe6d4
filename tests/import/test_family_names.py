# SPDX-License-Identifier: Apache-2.0
"""The protocol of a socket has the names of its family: 6 is NETLINK_XFRM or IPPROTO_TCP (socket(2))."""
import json

HEAD = "policy p {\n    arch x86_64;\n    level linux 6.18;\n    layers seccomp;\n    default errno EPERM;\n"
RULES = """    allow execve, exit_group;
    allow socket(family == AF_NETLINK, protocol in {NETLINK_AUDIT, NETLINK_NETFILTER});
    allow socket(family in {AF_INET, AF_INET6}, protocol in {IPPROTO_TCP, IPPROTO_UDP});
    allow socket(family == AF_PACKET, protocol == 8);
}
"""


def written(tmp_path, name, rules=RULES):
    f = tmp_path / name
    f.write_text(HEAD + rules)
    return f


def entry(family, protocol):
    return {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
        {"index": 0, "value": family, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": protocol, "op": "SCMP_CMP_EQ"}]}


def test_an_imported_program_names_protocols_by_the_family_beside_them(pale, tmp_path):
    policy, code, back = written(tmp_path, "p.pale"), tmp_path / "p.bpf", tmp_path / "back.pale"
    pale("compile", policy, "-t", "bpf", "-o", code)
    out = pale("import", code).out
    back.write_text(out)
    text = " ".join(out.split())
    for want in ("family == AF_NETLINK and protocol in {NETLINK_AUDIT, NETLINK_NETFILTER}",
                 "family in {AF_INET, AF_INET6} and protocol in {IPPROTO_TCP, IPPROTO_UDP}",
                 "family == AF_PACKET and protocol == 8"):
        assert want in text, text
    r = pale("diff", code, back)
    assert "same:" in r.out and "looser" not in r.out and "tighter" not in r.out, r


def test_a_number_shared_by_families_that_name_it_differently_stays_a_number(pale, tmp_path):
    rules = "    allow execve;\n    allow socket(family in {AF_INET, AF_NETLINK}, protocol == 6);\n}\n"
    code = tmp_path / "p.bpf"
    pale("compile", written(tmp_path, "p.pale", rules), "-t", "bpf", "-o", code)
    text = " ".join(pale("import", code).out.split())
    assert "family in {AF_INET, AF_NETLINK}, protocol == 6)" in text, text


def test_explain_names_what_a_profile_compares_by_the_family_of_the_entry(pale, tmp_path):
    f = tmp_path / "p.json"
    f.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                             "syscalls": [entry(16, 6), entry(2, 6), entry(17, 6)]}))
    out = pale("explain", f, "socket").out
    for want in ("protocol == 6 (NETLINK_XFRM), domain == 16 (AF_NETLINK)",
                 "protocol == 6 (IPPROTO_TCP), domain == 2 (AF_INET)",
                 "protocol == 6, domain == 17 (AF_PACKET)"):
        assert want in out, out


def test_a_difference_and_its_witness_name_netlinks_own_protocols(pale, tmp_path):
    a = written(tmp_path, "a.pale", "    allow execve;\n    allow socket(family == AF_NETLINK, protocol == 12);\n}\n")
    b = written(tmp_path, "b.pale", "    allow execve;\n}\n")
    out = pale("diff", a, b, check=None).out
    assert "if domain == AF_NETLINK, protocol == NETLINK_NETFILTER\n" in out, out
    assert "socket(AF_NETLINK, 0, NETLINK_NETFILTER)\n" in out, out
    assert "IPPROTO" not in out


def test_a_refused_call_and_the_line_that_allows_it_name_netlinks_own_protocols(pale, tmp_path):
    policy = written(tmp_path, "p.pale", "    allow execve;\n    allow socket(family == AF_NETLINK, protocol == 0);\n}\n")
    ask = "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)"
    r = pale("run", "--verify", policy, "--", "/usr/bin/python3", "-S", "-c", ask, check=0)
    assert "socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_NETFILTER)" in r.err, r
    assert "allow socket(family == AF_NETLINK, (type & 0xf) == SOCK_RAW, protocol == NETLINK_NETFILTER);" in r.err, r
