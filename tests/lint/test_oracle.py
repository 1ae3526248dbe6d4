# SPDX-License-Identifier: Apache-2.0
"""What the linter claims of random profiles holds for the policy that they import to: the
evaluator shares no code with the linter."""
import json
import random
import re

from cases import ALLOW, ERRNO, arg, entry, profile
from conftest import some

CALLS = {"socket": 41, "personality": 135, "ptrace": 101, "ioctl": 16, "keyctl": 250, "clone": 56}
VALUES = [0, 1, 2, 38, 40, 2**31, 2**32 - 1, 2**32, 2**33 + 5, 2**63]
WITNESS = re.compile(r"'(\w+): arg(\d) .*?: (0x[0-9a-f]+) is (allowed|not refused), "
                     r"and the kernel takes it for (0x[0-9a-f]+)$")


def random_profile(rng):
    entries = []
    for name in rng.sample(sorted(CALLS), 3):
        for _ in range(rng.choice([1, 1, 2, 3])):
            op = rng.choice(["EQ", "NE", "LT", "LE", "GT", "GE", "MASKED_EQ"])
            index = 1 if name == "ioctl" else 0
            two = rng.choice(VALUES) if op == "MASKED_EQ" else None
            args = None if rng.random() < 0.3 else [arg(index, op, rng.choice(VALUES), two)]
            action = rng.choice([ALLOW, ALLOW, ERRNO])
            errno = {"errnoRet": rng.choice([1, 38])} if action == ERRNO else {}
            entries.append(entry(name, action=action, args=args, **errno))
    return profile(*entries, default=rng.choice([ERRNO, ERRNO, ALLOW]))


def simulate(pale, path, calls):
    """Verdicts of (name, {index: value}) by the policy that the profile imports to; None: none."""
    lines = []
    for name, args in calls:
        a = [args.get(i, 0) for i in range(6)]
        lines.append(f"x86_64 {CALLS[name]} " + " ".join(map(str, a)))
    r = pale("sim", path, "--raw", input="\n".join(lines) + "\n")
    return r.out.split() if r.rc == 0 else None


def answer(pale, path, written):
    """Of a call as the linter writes it, registers in full; None: the profile has no meaning."""
    name, args = re.fullmatch(r"(\w+)\((.*)\)", written).groups()
    if not re.fullmatch(r"[\dxa-f, ]*", args):
        r = pale("sim", path, written)
        return r.out.split()[0] if r.rc == 0 else None
    values = dict(enumerate(int(v, 0) for v in args.split(", ")))
    verdicts = simulate(pale, path, [(name, values)])
    return verdicts and verdicts[0]


def test_claims_hold_for_the_imported_policy(pale, tmp_path):
    rng = random.Random(20261123)
    path = tmp_path / "p.json"
    opens = witnesses = imported = passing = 0
    for _ in range(some(120)):
        path.write_text(random_profile(rng))
        found = json.loads(pale("lint", "--runtime", "any", "--format", "json", path).out)["findings"]
        risks = [f["message"] for f in found if f["id"].startswith("SR")]
        open_calls = [n for m in risks if "without a condition" in m
                      for n in re.findall(r"'(\w+)'", m) if n in CALLS]
        shown = [w for m in risks for w in re.findall(r"let (\w+\(.*?\)) through|, (\w+\(.*?\)) too", m)]
        for w in filter(None, (a or b for a, b in shown)):
            verdict = answer(pale, path, w)
            assert verdict in ("ALLOW", None), (path.read_text(), w, verdict)
            passing += verdict == "ALLOW"
        shown = [m for f in found if f["id"] == "SC120" if (m := WITNESS.search(f["message"]))]
        calls = [(n, {i: rng.choice(VALUES) for i in range(6)}) for n in open_calls for _ in range(20)]
        wide = [(m[1], {int(m[2]): int(m[k], 16)}) for m in shown for k in (3, 5)]
        verdicts = simulate(pale, path, calls + wide)
        if verdicts is None:
            continue
        imported += 1
        opens += len(open_calls)
        witnesses += len(shown)
        assert set(verdicts[:len(calls)]) <= {"ALLOW"}, (json.dumps(json.loads(path.read_text())), calls, verdicts)
        for (name, value), verdict in zip(wide, verdicts[len(calls):]):
            high = max(value.values()) >> 32
            assert (verdict == "ALLOW") == bool(high), (path.read_text(), name, value, verdict)
    assert imported > some(50) and opens > some(25) and witnesses > some(8), (imported, opens, witnesses)
    assert passing > some(40), passing
