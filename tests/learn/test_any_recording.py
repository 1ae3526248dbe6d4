# SPDX-License-Identifier: Apache-2.0
"""Whatever a recording holds, what is proposed of it compiles: facts, runs and options at random."""
import os
import random
import re

import pytest

from conftest import PALE, run
from test_recordings import quote

NAMES = ["/srv/a", "/srv/a b", "/srv/*x", "/srv/{a,b}", "/srv/[x]", "/srv/?", "/srv/@{HOME}", '/srv/"q"', "/srv/back\\slash", "/srv/new\nline",
         "/srv/\xe9", "/srv/^", "/srv/#c", "/srv/a,", "/srv/;", "/srv/ ", "/srv/dir/", "/", "/proc/1/status", "/proc/77/task/78/comm", "/dev/null",
         "/dev/shm/x-ab12cd", "/run/x.pid", "/home/u/.ssh/id", "/tmp/x-Ab3xYz", "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13", "/bin/sh",
         "/srv/x (deleted)", "/srv/550e8400-e29b-41d4-a716-446655440000", "/srv/w-4711.log", "/srv/a->b", "/srv/=", "/srv/**", "/srv/a**b", "/srv/[",
         "/srv/}", "/srv/\x01", "/srv/" + "a" * 250, "/" + "/".join(f"d{i}" for i in range(30)), "/srv/@{", "/srv/(x)"]
RULES = ["userns create", "io_uring (sqpoll)", "umount /x/", "umount DIRS{,/}", "mount fstype=tmpfs options=(rw, nosuid) none -> /m/",
         "mount options=(rw, bind) /a{,/} -> /b{,/}", "mount options=(rw, rprivate) -> /", "pivot_root oldroot=/root/old/ /root/",
         "ptrace (read, readby) peer=@{profile_name}", "ptrace (trace) peer=unconfined", 'unix (bind) type=stream addr="@pale a"',
         "unix (bind) type=dgram addr=auto", "unix (send) type=dgram peer=(addr=@x**)", "mqueue (create, open, read, write) type=posix /q",
         "mqueue (delete) type=posix /q", "change_profile -> x", 'change_profile -> "&pale-c"', 'umount "/x y/"', "umount /a\\*b/"]
CAPABILITIES = "chown dac_override kill net_bind_service net_admin net_raw ipc_lock sys_ptrace sys_admin mknod syslog bpf".split()
MACHINES = ["x86_64"] * 6 + ["aarch64", "riscv64", "s390x", "ppc64le", "loongarch64", "arm", "i386"]
OPTIONS = [[], ["--exact"], ["--margin", "none"], ["--phases"], ["--phases", "--exact"], ["--for", "run,runc-nnp,crun"]]
FLAGS = {0.08: "unfinished interrupted left-running midway", 0.1: "no-calls no-arguments no-files answered-only", 0.3: "files-written capabilities-seen",
         0.5: "names-seen looks-seen programs-seen programs-by-phase rings-seen peers-seen"}
COUNTED = ("odd-numbers foreign-numbers disconnected namespace-files looks-below memory-programs unseen-exec core-dumps elsewhere unkept unread "
           "lost-calls lost-values lost-paths lost-links lost-events lost-tracing").split()
# What no policy can mend: one JSON for several architectures; rules that the parser of this machine has no words for.
TOLD = re.compile(r"\[(PL221|PL232|PL392) ")


class Maker:
    def __init__(self, rnd):
        self.rnd, self.names = rnd, {}

    def calls(self, arch):
        if arch not in self.names:
            self.names[arch] = re.findall(r"(?m)^([a-z_]\w*)", run([PALE, "list", "--arch", arch, "syscalls"], check=0).out)
        return self.names[arch]

    def head(self, machine):
        rnd = self.rnd
        head = {"id": f"{rnd.getrandbits(120):032x}", "machine": machine, "program": quote(rnd.choice(NAMES[:20])),
                "name": quote(rnd.choice(["server", "a b", "1x", "-", "a\nb", "policy", "*", "x" * 200])), "command": quote(rnd.choice(["x", "a\nb", "# } policy"])),
                "host": quote(rnd.choice(["h", "h2"])), "kernel": quote(rnd.choice(["6.1", "6.18", "7.3"])), "libc": quote(rnd.choice(["glibc 2.36", "not known"])),
                "tier": quote(rnd.choice(["ebpf", "ptrace", "seccomp", "strace", "apparmor"])), "started": str(1764000000000000000 + rnd.randrange(10**15)),
                "duration": str(rnd.randrange(1, 10**12))}
        if rnd.random() < .5:
            head |= {"serve-from": quote(rnd.choice(["accept4", "READY=1", "after", "midway", "never"])), "serving": str(rnd.randrange(1, 10**9))}
        head["tasks"] = str(rnd.randrange(1, 400))
        for chance, flags in FLAGS.items():
            head |= {f: "" for f in flags.split() if rnd.random() < chance}
        if "no-calls" in head:
            head.pop("no-files", None)
        head |= {f: str(rnd.randrange(1, 9)) for f in COUNTED if rnd.random() < .05}
        return head

    def of_calls(self, head, machine):
        rnd, made, found = self.rnd, [], set()
        for arch in [machine, *(a for a in {"x86_64": ["i386", "x32"], "aarch64": ["arm"]}.get(machine, []) if rnd.random() < .15)]:
            made += [(arch, c) for c in rnd.sample(self.calls(arch), rnd.randrange(1, rnd.choice([8, 40, 150])))]
        for arch, call in made:
            found.add(f"call {arch} {call}{rnd.choices(['', ' held', ' assumed'], [8, 1, 1])[0]}")
            if rnd.random() < .3:
                value = rnd.choice([0, 1, 2, 5, 0x5401, 0x10000000, 0xffffffff, rnd.getrandbits(64), 1 << rnd.randrange(64)])
                arg = rnd.randrange(4)
                found.add(f"value {arch} {call} {arg} {value:#x}")
                if rnd.random() < .4:
                    found.add(f"bits {arch} {call} {arg} {value:#x} {~value & 0xffffffffffffffff:#x}{rnd.choice(['', ' unbounded'])}")
            if call in ("socket", "socketpair"):
                found |= {f"tuple {arch} {call} {rnd.choice([0, 1, 2, 10, 16, 38, 0x7fff]):#x} {rnd.choice([1, 2, 5, 0x80001]):#x} 0x{rnd.randrange(9)}" for _ in "12"}
            if "programs-seen" in head:
                found.add(f"by {rnd.choice(['others', quote(rnd.choice(NAMES[:9]))])} {arch} {call}")
            if "serve-from" in head and rnd.random() < .4:
                found.add(f"serve call {arch} {call}")
            if rnd.random() < .02:
                found |= {f"capability {rnd.choice(CAPABILITIES)} {arch} {call}", f"runtime call {arch} {call}"}
        return found

    def of_apparmor(self):
        rnd, found = self.rnd, set()
        for name in rnd.sample(NAMES, rnd.choice([0, 3, 20])):
            perms = "".join(p for p in "rwalkmx" if rnd.random() < .3) or "r"
            flags = " ".join(f for f in "owned elsewhere peers ours socket gone setid numbered held".split() if rnd.random() < .12)
            found.add(f"file {quote(name)} {perms} {flags}".strip())
        found |= {f"rule {quote(r)}" for r in rnd.sample(RULES, rnd.choice([0, 0, 3, 9]))}
        for _ in range(rnd.choice([0, 6])):
            peer = rnd.choice(["", "ours", "label " + quote(rnd.choice(["unconfined", "a b", "x//y", "a//&b", "^"])), "program " + quote(rnd.choice(NAMES))])
            found.add(f"{rnd.choice(['received', 'sent'])} {rnd.choice([0, 1, 9, 15, 18, 34, 64])} {peer}".strip())
        return found

    def run(self, machine):
        head = self.head(machine)
        return head, self.of_calls(head, machine) | self.of_apparmor()


def write(rnd, path, runs):
    lines, facts = ["pale recording 1"], {}
    for i, (head, mine) in enumerate(sorted(runs, key=lambda r: r[0]["id"]), 1):
        lines += [f"run {i} {key}" + (f" {value}" if value else "") for key, value in head.items()]
        for text in mine:
            facts.setdefault(text, []).append(f"{i}:{rnd.randrange(1, 99)}")
    lines += [f"{text}\t{' '.join(columns)}" for text, columns in sorted(facts.items())]
    path.write_text("\n".join([*lines, f"end {len(runs)} {len(facts)}", ""]))


def propose(path, out, options):
    """What cannot be (an argument that a call has not, two facts of one thing) is taken out, as the reader finds it."""
    while True:
        r = run([PALE, "propose", "--allow-loss", *options, "-o", out, path])
        line = re.match(r"[^\n]*:(\d+):\d+: error: [^\n]*\[PL417 ", r.err)
        if not line:
            return r
        lines = path.read_text().split("\n")
        gone = lines.pop(int(line[1]) - 1)
        assert not gone.startswith(("pale ", "end ")), r.err
        lines[-2] = f"end {len({x.split()[1] for x in lines if x.startswith('run ')})} {sum(chr(9) in x for x in lines)}"
        path.write_text("\n".join(lines))


@pytest.mark.parametrize("part", range(40 if os.environ.get("PALE_LONG") else 4))
def test_its_proposal_compiles(tmp_path, part):
    rnd = random.Random(part)
    maker = Maker(rnd)
    for case in range(8):
        machine = rnd.choice(MACHINES)
        path, out, options = tmp_path / f"{case}.rec", tmp_path / f"{case}.pale", rnd.choice(OPTIONS)
        write(rnd, path, [maker.run(machine) for _ in range(rnd.choice([1, 1, 2, 3]))])
        r = propose(path, out, options)
        assert r.rc == 0 or "[PL422 no-phases]" in r.err, r
        for policy in [out, *tmp_path.glob(f"{case}-serve.pale")]:
            said = run([PALE, "check", policy]).err
            wrong = [x for x in re.findall(r"(?m)^\S+: error: .*", said) if not TOLD.search(x)]
            assert not wrong, (options, path.read_text().splitlines()[:20], wrong)
