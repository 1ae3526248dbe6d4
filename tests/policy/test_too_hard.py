# SPDX-License-Identifier: Apache-2.0
"""Two verdicts of which none is stricter, on calls of which it could not be shown that none meets both:
an error that says how hard was tried, never a guess."""
import pytest

POLICY = "policy p {{ arch x86_64; layers seccomp; default allow; {} }}\n"


def rules(verdicts, conditions):
    return " ".join(f"errno {v} ioctl({c});" for v, c in zip(verdicts, conditions))


def unequal(arg, first, n):
    return " and ".join(f"{arg} != {i}" for i in range(first, first + n))


HARD = {
    "comparisons of one argument": rules(("EPERM", "EACCES"), (unequal("cmd", 0, 40), unequal("cmd", 40, 40))),
    "pairs of rules on one call": " ".join(f"errno {v} ioctl(fd >= {3 * i} and fd <= {3 * i + 1});"
                                           for k, v in enumerate(("EPERM", "EACCES")) for i in range(1000 * k, 1000 * k + 150)),
}


@pytest.mark.parametrize("what", HARD)
def test_what_could_not_be_shown_is_said_with_how_hard_it_was_tried(pale, tmp_path, what):
    f = tmp_path / "p.pale"
    f.write_text(POLICY.format(HARD[what]))
    for command in (["check"], ["compile", "-t", "bpf", "-o", "/dev/null"], ["lint"], ["sim"]):
        r = pale(*command, f, *(["read"] if command[0] == "sim" else []), check=1)
        said = r.err + r.out
        assert said.count("[PL129 contradiction]") == 1 and "it could not be shown that no call meets both" in said, r
        assert "1000000 bits, 20000 pairs of rules on one call and 64 comparisons of one argument" in said, r
        assert "write simpler conditions, or one verdict for both" in said and "both match" not in said, r


def test_just_below_it_is_shown(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text(POLICY.format(rules(("EPERM", "EACCES"), (unequal("cmd", 0, 30), unequal("cmd", 30, 30)))))
    r = pale("check", f, check=1)
    assert "neither is stricter" in r.err and "both match ioctl(0, 0x3c, 0)" in r.err, r
    f.write_text(POLICY.format(" ".join(f"errno {v} ioctl(fd == {i});" for k, v in enumerate(("EPERM", "EACCES"))
                                        for i in range(1000 * k, 1000 * k + 100))))
    pale("check", "-t", "bpf", f, check=0)


def test_one_verdict_is_never_too_hard(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text(POLICY.format(rules(("EPERM", "EPERM"), (unequal("cmd", 0, 40), unequal("cmd", 40, 40)))))
    pale("compile", "-q", "-t", "bpf", "-o", "/dev/null", f, check=0)
