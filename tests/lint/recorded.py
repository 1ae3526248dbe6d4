# SPDX-License-Identifier: Apache-2.0
"""Profiles of recorded workloads, in any number: what `pale learn` proposed of three of them, by statements,
of which a random half is taken. Knows no rule of the linter."""
import random
import re

from conftest import PALE, ROOT, run

EXAMPLES = ["nginx", "redis", "python"]
# What every one has: how it starts, and what stands beside an allow list for programs that ask for more.
HEAD = re.compile(r"(program|level|layers|arch|default|unknown|foreign|use|errno) ")
# The newest twins of calls that are allowed: programs that get ENOSYS take the older ones.
NEWER = "errno ENOSYS clone3, epoll_pwait2, futex_waitv;"


def statements(name):
    """([what it needs to start], [the rest]) of an example."""
    text = re.sub(r"#.*", "", (ROOT / "profiles" / "examples" / f"{name}.pale").read_text())
    found = [" ".join(s.split()) + ";" for s in text[text.index("{") + 1:text.rindex("}")].replace("\n}", "").split(";") if s.strip()]
    joined, part = [], ""
    for s in found:  # a ; within braces ends nothing
        part = f"{part} {s}".strip()
        if part.count("{") == part.count("}"):
            joined.append(part)
            part = ""
    starts = re.compile(r"allow (mmap|mprotect|clone)\b|file mr|file mrix")
    return ([s for s in joined if HEAD.match(s) and "clone3" not in s or starts.match(s)],
            [s for s in joined if not HEAD.match(s) and not starts.match(s)])


def policy(seed):
    """A policy, as text: one workload's start, half of what it does, and some of what another does."""
    rand = random.Random(seed)
    own, other = rand.sample(EXAMPLES, 2)
    head, rest = statements(own)
    more = statements(other)[1]
    taken = rand.sample(rest, rand.randint(len(rest) // 2, len(rest))) + rand.sample(more, rand.randint(0, len(more) // 3))
    rand.shuffle(taken)
    return f"policy w{seed} {{\n" + "".join(f"    {s}\n" for s in [*head, NEWER, *dict.fromkeys(taken)]) + "}\n"


def profiles(seeds, folder):
    """Each seed's two profiles, NAME.docker.json and NAME.apparmor, in the folder."""
    sources = []
    for seed in seeds:
        sources.append(folder / f"w{seed}.pale")
        sources[-1].write_text(policy(seed))
    run([PALE, "compile", "-q", "-t", "docker,apparmor", "--sets", ROOT / "profiles" / "sets", "-o", folder, *sources], check=0, timeout=300)
    return [(folder / f"w{seed}.docker.json", folder / f"w{seed}.apparmor") for seed in seeds]
