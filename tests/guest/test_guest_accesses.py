# SPDX-License-Identifier: Apache-2.0
"""What `pale sim` answers of a profile is what a kernel does: accesses tried under generated profiles.

A slice on one kernel; PALE_LONG: 5,000 and more, on three kernels and parsers. No skip hides a
difference: what a kernel could not be asked is an error."""
import collections
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE, program, run  # noqa: E402
from generated import ATTACHED, OTHERS, cases  # noqa: E402
from guest import Guest, System  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

LONG = bool(os.environ.get("PALE_LONG"))
SEED = int(os.environ.get("ACCESSES_SEED", 1))
COUNT = int(os.environ.get("ACCESSES_PROFILES", 66 if LONG else 20))  # profiles, of about 40 accesses
SYSTEMS = {"debian12": "3.0", "debian13": "4.1", "sid": "5.0"}
SOME = os.environ.get("ACCESSES_GUESTS", "debian12 debian13 sid" if LONG else "debian13").split()

SCRIPT = r"""
features() { # the tree of them as a features file has it
    for f in "$1"/*; do
        if [ -d "$f" ]; then echo "${f##*/} {"; features "$f"; else echo "${f##*/} {$(cat "$f")"; fi
        echo "}"
    done
}
echo "== features"; features /sys/kernel/security/apparmor/features
echo 0 >/proc/sys/kernel/yama/ptrace_scope; echo 0 >/proc/sys/fs/protected_hardlinks
[ ! -e /proc/sys/kernel/io_uring_disabled ] || echo 0 >/proc/sys/kernel/io_uring_disabled
mkdir /t /m; mount -t tmpfs t /t; mkdir -p /t/a /t/b; rmdir /t/a /t/b
cp /accesses /t/.program; chmod 755 /t/.program /accesses
echo "== load"
apparmor_parser -K -a /others /cases/*; echo "status $?"
echo "== results"
/accesses </lines
echo "== end"
"""


def verdicts(case, file, release, base, features):
    """{access: (outcome, how it is executed)}"""
    wanted = sorted({n for a in case.accesses for need in a.needs for n in need})
    got = run([PALE, "sim", file, "--profile", case.name, "--target", f"apparmor={release}", "-I", base, "--features", features, *wanted])
    out = {}
    for line in got.out.splitlines():
        outcome, access, *more = line.split("  ")
        out[access] = outcome, more[0] if access.startswith("exec") and more else ""
    assert set(out) == set(wanted), (file.read_text(), got)
    return out


def lands(case, path, how):
    """The label that it runs under, None: it does not."""
    word, _, target = how.partition(" -> ")
    kind = word.lower()
    if kind == "ux":
        return "unconfined"
    if kind == "ix":
        return case.name
    if target:
        known = target in ("other", "third") or target.split("//")[-1] == "kid"
    else:
        child = kind.startswith("c")
        target = f"{case.name}//{path}" if child else ATTACHED.get(path)
        known = path == "/t/b" if child else target
    if known:
        return target
    return case.name if kind.endswith("ix") else "unconfined" if kind.endswith("ux") else None


def expected(case, access, answers):
    """allowed, refused, or None where pale says that it varies; and the label of what is executed."""
    outcomes = [[answers[n][0] for n in need] for need in access.needs]
    if any("varies" in need for need in outcomes):
        return None, None
    granted = all(any(o.startswith("allowed") for o in need) for need in outcomes)
    if not granted or access.kind != "exec":
        return "allowed" if granted else "refused", None
    to = lands(case, access.words[1], answers[access.needs[0][0]][1])
    return ("allowed" if to else "refused"), to


class Ran:
    """A boot, and what differs in it."""

    def __init__(self, name, tmp):
        self.system, self.release, self.tmp = System(name), SYSTEMS[name], tmp
        self.base = self.system.dir / "parser/etc/apparmor.d"
        self.cases = [case for case, _ in cases(SEED, self.release, COUNT, self.is_taken)]
        lines = [a.line(c.name) for c in self.cases for a in c.accesses]
        files = {f"/cases/{c.name}": (tmp / c.name).read_text() for c in self.cases}
        files |= {"/others": OTHERS, "/lines": "\n".join(lines) + "\n", "/accesses": pathlib.Path(program("guest/accesses")).read_bytes()}
        self.out = Guest(self.system, files=files).run(SCRIPT)
        self.features = tmp / "features"
        self.features.write_text(self.out.part("features") + "\n")
        self.results = self.out.part("results").splitlines()
        assert "status 0" in self.out.part("load"), self.out.part("load")
        assert len(self.results) == len(lines), self.out.text[-3000:]
        self.counts, self.refused, self.varies, self.wrong = collections.Counter(), collections.Counter(), 0, []
        self.compare()

    def is_taken(self, case, abi):
        file = self.tmp / case.name
        file.write_text(case.text(abi))
        return run([PALE, "check", "--target", f"apparmor={self.release}", "-I", self.base, file]).rc == 0

    def compare(self):
        results = iter(self.results)
        for case in self.cases:
            answers = verdicts(case, self.tmp / case.name, self.release, self.base, self.features)
            for access in case.accesses:
                said, _, more = next(results).partition(" ")
                want, label = expected(case, access, answers)
                got = "refused" if said in access.refusals else "broken" if said == "broken" or more == "killed" else "allowed"
                self.counts[access.kind] += 1
                self.refused[access.kind] += got == "refused"
                self.varies += want is None
                if want and (want != got or (label and label != re.sub(r" .*", "", more))):
                    self.wrong.append((access.line(case.name), "kernel", said, more, "pale", want, label, {n: answers[n] for need in access.needs for n in need},
                                       (self.tmp / case.name).read_text()))


@pytest.mark.parametrize("name", SOME)
def test_the_kernel_does_what_is_answered(name, tmp_path):
    ran = Ran(name, tmp_path)
    print(name, ran.out.kernel, sum(ran.counts.values()), "accesses,", len(ran.wrong), "differ,", ran.varies, "vary,",
          {k: f"{n} ({ran.refused[k]} refused)" for k, n in ran.counts.items()})
    for *short, text in ran.wrong:
        print(*short)
        print(text)
    assert not ran.wrong
    for kind in ("file", "exec", "link", "capability", "network", "signal", "ptrace"):
        assert 0 < ran.refused[kind] < ran.counts[kind], (kind, "all of one answer shows nothing")
