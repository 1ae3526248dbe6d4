# SPDX-License-Identifier: Apache-2.0
"""Profiles by chance and what is tried under them: for each access the line that accesses.c reads, what
`pale sim` is asked, and what of the kernel's answers means that it was refused."""
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "apparmor"))
from test_means import EXECS, GLOBS, PATHS, random_rule, rule, text_of  # noqa: E402

ABIS = {"3.0": ["3.0"], "4.1": ["3.0", "4.0"], "5.0": ["3.0", "4.0", "5.0"]}

# What is executed into, what is talked to. Each can be left by closing a pipe, so that none needs a rule.
OTHERS = """profile other { /** mrwk, }
profile third { /** mrwk, }
profile atta /t/a { /** mrwk, }
profile attab /t/ab { /** mrwk, }
profile peer { file, capability, network, signal, ptrace, mount, umount, }
profile friend { file, capability, network, signal, ptrace, mount, umount, }
"""
VARIABLES = "@{T}=/t\n@{WHO}=peer friend\n"
ATTACHED = {"/t/a": "atta", "/t/ab": "attab"}


class Access:
    """needs: it is allowed where of each of these at least one is."""

    def __init__(self, kind, owner, words, needs, refusals=("EACCES",), table=None):
        self.kind, self.words, self.refusals, self.table = kind, words, refusals, table
        needs = [n if isinstance(n, tuple) else (n,) for n in needs]
        self.owner, self.needs = owner, [tuple(" ".join(some.split()) for some in n) for n in needs]

    def line(self, profile):
        return "\t".join([profile, "owner" if self.owner else "other", *map(str, self.words)])


class Case:
    """A profile in a file of its own."""

    def __init__(self, name, kind, body, accesses, flags="", children=""):
        self.name, self.kind, self.accesses = name, kind, accesses
        self.head, self.body, self.children = f"profile {name}{flags} {{", body, children

    def text(self, abi):
        return f"abi <abi/{abi}>,\n" + VARIABLES + "\n".join([self.head, *self.body, self.children + "}"]) + "\n"


# ---- files ----

def below(r):
    """The rule in the folder that is tried in."""
    return {**r, "glob": "/t" + r["glob"], "link": r["link"] and "/t" + r["link"]}


def variables(rng, r):
    """A glob's middle by a variable, now and then."""
    return text_of(r).replace('"/t/', '"@{T}/') if rng.random() < 0.2 else text_of(r)


NAMES = ["/t" + p for p in PATHS if not p.endswith("/")]
FOLDERS = ["/t" + p for p in PATHS if p.endswith("/") and p != "/"] + ["/t/d/", "/t/a/d/"]

# What is done to a file, and as what it is asked for: at once, or one after the other.
ONE_FILE = [("open", ["r"], "r"), ("open", ["w"], "w"), ("open", ["a"], "a"), ("open", ["rw"], "rw"), ("open", ["ra"], "ra"), ("map", [], "r m"),
            ("lock", [], "r k"), ("lockall", [], "r kw"), ("create", [], "w"), ("unlink", [], "w"), ("chmod", [], "w"), ("chown", [], "w"),
            ("truncate", [], "w"), ("symlink", [], "w"), ("fifo", [], "w")]
ALWAYS_OWN = ("create", "symlink", "fifo", "mkdir")  # what is made belongs to who makes it


def who(owner):
    return "owner" if owner else "other"


def one_file(rng):
    op, words, letters = rng.choice(ONE_FILE)
    path, owner = rng.choice(NAMES), op in ALWAYS_OWN or rng.random() < 0.5
    return Access("file", owner, [op, path, *words], [f"open {who(owner)} {path} {some}" for some in letters.split()], table=(path, letters))


def folder(rng):
    op = rng.choice(["mkdir", "rmdir"])
    path, owner = rng.choice(FOLDERS), op in ALWAYS_OWN or rng.random() < 0.5
    return Access("file", owner, [op, path], [f"open {who(owner)} {path} w"], table=(path, "w"))


def two_files(rng):
    to, source, owner = rng.choice(NAMES), rng.choice(NAMES), rng.random() < 0.5
    if to == source or to.startswith(source + "/") or source.startswith(to + "/"):
        return one_file(rng)
    if rng.random() < 0.4:
        return Access("file", owner, ["rename", to, source], [f"open {who(owner)} {source} rw", f"open {who(owner)} {to} w"])
    return Access("link", owner, ["link", to, source], [f"link {who(owner)} {to} {source}"])


def executed(rng):
    path, owner = rng.choice([n for n in NAMES if n.count("/") < 4]), rng.random() < 0.5
    return Access("exec", owner, ["exec", path], [f"exec {who(owner)} {path}"], table=(path, "x"))


def file_rules(rng, release):
    execs = rng.sample(EXECS, rng.choice([1, 1, 2, 3]))
    rules = [random_rule(rng, release, execs) for _ in range(rng.randrange(2, 9))]
    rules += [rule("/**", rng.choice(["r", "rk", "rw", "rwl", "rmkl", "wl", "a"]))] if rng.random() < 0.7 else []
    for _ in range(rng.choice([0, 1, 2])):
        kind = rng.random()
        rules.append(rule(rng.choice(GLOBS), "l", link=rng.choice(GLOBS) if kind < 0.6 else None, subset=kind < 0.25,
                          mode="deny" if rng.random() < 0.2 else "allow", owner=rng.choice(["any", "any", "owner"])))
    return [variables(rng, below(r)) for r in rules]


def files(rng, name, release):
    flags = rng.choice([""] * 9 + [" flags=(complain)", " flags=(audit)"])
    many = [rng.choice([one_file, one_file, one_file, folder, two_files, two_files, executed, executed])(rng) for _ in range(60)]
    if "complain" in flags:
        many = [a for a in many if a.kind != "exec"]
    child = " profile kid { /** mrwk, }\n profile /t/b { /** mrwk, }\n"
    return Case(name, "file", ["/dev/ttyS0 rw,", *file_rules(rng, release)], many, flags, child)


# ---- capabilities ----

# As the kernel asks for them: one that may stand for another does. EPERM is a capability's refusal, and ordinary
# permissions' EACCES.
CAPS = {"chown": (), "fowner": (), "dac_override": (), "setuid": (), "setgid": (), "setpcap": (), "net_raw": (), "net_bind_service": (), "net_admin": (),
        "ipc_lock": (), "sys_chroot": (), "sys_admin": (), "sys_boot": (), "sys_nice": (), "sys_resource": (), "sys_time": (), "sys_pacct": (),
        "mknod": (), "bpf": ("sys_admin",), "kill": (), "sys_ptrace": (), "lease": ()}


def capabilities(rng, name, release):
    rules = []
    for _ in range(rng.randrange(1, 7)):
        prefix = rng.choice(["", "", "", "audit ", "deny ", "audit deny "])
        if release != "3.0" and rng.random() < 0.2:
            prefix = rng.choice(["priority=1 ", "priority=-1 "]) + prefix
        caps = rng.sample(sorted(CAPS), rng.randrange(1, 8)) if rng.random() < 0.95 else []
        rules.append(f"{prefix}capability {' '.join(caps)},".replace(" ,", ","))
    many = [Access("capability", True, ["cap", c], [(f"cap {c}", *(f"cap {o}" for o in CAPS[c]))], ("EPERM", "EACCES")) for c in CAPS]
    return Case(name, "capability", ["file,", "network,", "signal,", "ptrace,", *rules], many)


# ---- sockets ----

FAMILIES = {"inet": 2, "ax25": 3, "ipx": 4, "appletalk": 5, "inet6": 10, "key": 15, "netlink": 16, "packet": 17, "rds": 21, "can": 29, "tipc": 30,
            "bluetooth": 31, "rxrpc": 33, "alg": 38, "nfc": 39, "vsock": 40, "kcm": 41, "qipcrtr": 42, "xdp": 44, "mctp": 45, "unspec": 0}
TYPES = {"stream": 1, "dgram": 2, "raw": 3, "rdm": 4, "seqpacket": 5}


def networks(rng, name, release):
    rules = []
    for _ in range(rng.randrange(1, 7)):
        prefix = rng.choice(["", "", "", "audit ", "deny "])
        words = [rng.choice(sorted(FAMILIES))] if rng.random() < 0.9 else []
        words += [rng.choice(sorted(TYPES))] if words and rng.random() < 0.6 else []
        rules.append(f"{prefix}network {' '.join(words)},".replace(" ,", ","))
    asked = {(rng.choice(sorted(FAMILIES)), rng.choice(sorted(TYPES))) for _ in range(30)}
    asked |= {(f, rng.choice(sorted(TYPES))) for f in FAMILIES if any(f in r for r in rules)}
    many = [Access("network", True, ["socket", FAMILIES[f], TYPES[t]], [f"socket {f} {t}"]) for f, t in sorted(asked)]
    return Case(name, "network", ["file,", "capability,", *rules], many)


# ---- signals, ptrace ----

SIGNALS = {"hup": 1, "int": 2, "quit": 3, "ill": 4, "trap": 5, "abrt": 6, "bus": 7, "fpe": 8, "usr1": 10, "segv": 11, "usr2": 12, "pipe": 13, "alrm": 14,
           "term": 15, "stkflt": 16, "chld": 17, "cont": 18, "stp": 20, "ttin": 21, "ttou": 22, "urg": 23, "xcpu": 24, "xfsz": 25, "vtalrm": 26,
           "prof": 27, "winch": 28, "io": 29, "pwr": 30, "sys": 31, "exists": 0, "rtmin+2": 34, "rtmin+8": 40, "rtmin+32": 64}
PEERS = ["peer", "friend", "p*", "{peer,none}", "fr[hi]end", "**", "peer?", "unconfined", "@{WHO}"]


def peer_condition(rng):
    return f' peer="{rng.choice(PEERS)}"' if rng.random() < 0.7 else ""


def prefix_of(rng, release):
    prefix = rng.choice(["", "", "", "audit ", "deny ", "audit deny "])
    return rng.choice(["priority=1 ", "priority=-2 "]) + prefix if release != "3.0" and rng.random() < 0.25 else prefix


def signals(rng, name, release):
    rules = []
    for _ in range(rng.randrange(1, 7)):
        words = rng.choice(["", "send", "receive", "(send, receive)", "w", "r"])
        chosen = rng.sample(sorted(SIGNALS), rng.randrange(1, 9))
        chosen = f" set=({', '.join(chosen)})" if rng.random() < 0.8 else ""
        rules.append(f"{prefix_of(rng, release)}signal {words}{chosen}{peer_condition(rng)},".replace(" ,", ","))
    many = []
    for _ in range(50):
        op, peer, sig = rng.choice(["send", "receive", "ownsignal"]), rng.choice(["peer", "friend", "unconfined"]), rng.choice(sorted(SIGNALS))
        if op == "ownsignal":
            many.append(Access("signal", True, [op, SIGNALS[sig]], [f"signal send {sig} peer={name}", f"signal receive {sig} peer={name}"]))
        else:
            many.append(Access("signal", True, [op, peer, SIGNALS[sig]], [f"signal {op} {sig} peer={peer}"]))
    return Case(name, "signal", ["file,", "capability,", *rules], many)


def traces(rng, name, release):
    words = ["trace", "read", "tracedby", "readby"]
    rules = []
    for _ in range(rng.randrange(1, 5)):
        chosen = rng.sample(words, rng.randrange(1, 4))
        chosen = rng.choice(["", f" ({' '.join(chosen)})", f" {chosen[0]}"])
        rules.append(f"{prefix_of(rng, release)}ptrace{chosen}{peer_condition(rng)},")
    many = [Access("ptrace", True, [w, p], [f"ptrace {w} peer={p}"], ("EACCES", "EPERM")) for w in words for p in ("peer", "friend", "unconfined")]
    return Case(name, "ptrace", ["file,", "capability,", *rules], many)


# ---- namespaces, io_uring ----

def others(rng, name, release):
    rules = ["file,", "capability,"]
    if release != "3.0":
        some = ["userns,", "userns create,", "deny userns,", "audit deny userns create,", "io_uring,", "io_uring sqpoll,", "io_uring override_creds,",
                "deny io_uring sqpoll,", "audit deny io_uring override_creds,", "deny io_uring,"]
        rules += [rng.choice(["", "", "priority=1 "]) + r for r in rng.sample(some, rng.randrange(0, 4))]
    many = [Access("userns", True, ["userns"], ["userns"]), Access("io_uring", True, ["sqpoll"], ["io_uring sqpoll"]),
            Access("io_uring", True, ["creds"], ["io_uring override_creds label=unconfined"])]
    return Case(name, "other", rules, many)


# ---- mounts ----

FLAGS = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "sync": 16, "dirsync": 128, "noatime": 1024, "nodiratime": 2048, "silent": 32768, "relatime": 1 << 21,
         "strictatime": 1 << 24}
CLEARED = ["rw", "suid", "dev", "exec", "async", "atime", "loud", "diratime", "norelatime"]
MAKES = {"private": 1 << 18, "slave": 1 << 19, "shared": 1 << 20, "unbindable": 1 << 17}
BIND, MOVE, REMOUNT, REC = 4096, 8192, 32, 16384
POINTS = ["/m/a/", "/m/b/", "/m/c/", "/m/d/", "/m/a/in/"]
POINT_GLOBS = ["/m/a/", "/m/c/", "/m/*/", "/m/**", "/**", "/m/[ab]/", "/m/{c,d}/", "/m/a/**", "/m/?/"]


def options(rng, words, op=None):
    return f"options{op or rng.choice(['=', ' in '])}({rng.choice([', ', ',', ' ']).join(words)})" if words else ""


def to(rng):
    return f"-> {rng.choice(POINT_GLOBS)}" if rng.random() < 0.75 else ""


def mount_rule(rng):
    kind = rng.random()
    some = rng.sample(sorted(FLAGS) + CLEARED, rng.choice([0, 0, 1, 2, 3]))
    if kind < 0.35:
        fstype = rng.choice(["", "fstype=tmpfs", "fstype=(tmpfs, proc)", "fstype=sys*", "fstype=proc"])
        words = ["mount", fstype, options(rng, some), rng.choice(["", "", "dev1", "dev*", "*"]), to(rng)]
    elif kind < 0.5:
        words = ["mount", options(rng, [rng.choice(["bind", "rbind"])] + some[:1]), rng.choice(["", "/m/a/", "/m/*/", "/m/**"]), to(rng)]
    elif kind < 0.6:
        words = ["mount", options(rng, ["move"]), rng.choice(["", "/m/a/", "/m/*/"]), to(rng)]
    elif kind < 0.7:
        words = ["mount", options(rng, [rng.choice(["", "r", "make-", "make-r"]) + rng.choice(sorted(MAKES))]), to(rng)]
    elif kind < 0.8:
        words = ["remount", options(rng, some), rng.choice(["", *POINT_GLOBS])]
    elif kind < 0.9:
        words = ["umount", rng.choice(["", *POINT_GLOBS])]
    else:
        words = ["pivot_root", rng.choice(["", "oldroot=/m/b/old/", "oldroot=/m/**"]), rng.choice(["", "/m/b/", "/m/*/"])]
    return " ".join(w for w in words if w)


def mounted(rng):
    kind, point, source = rng.random(), rng.choice(POINTS), rng.choice(POINTS[:2])
    words = rng.sample(sorted(FLAGS), rng.choice([0, 1, 2, 3]))
    flags = sum(FLAGS[w] for w in words)
    asked = options(rng, words, "=")
    if kind < 0.35:
        fstype, name = rng.choice(["tmpfs", "tmpfs", "proc", "sysfs"]), rng.choice(["dev1", "dev2", "none"])
        return Access("mount", True, ["mount", name, point, fstype, flags, "-"], [f"mount fstype={fstype} {asked} {name} -> {point}"])
    if kind < 0.5:
        rec = rng.random() < 0.5
        return Access("mount", True, ["mount", source, point, "-", BIND | rec * REC, "-"], [f"mount options=({'rbind' if rec else 'bind'}) {source} -> {point}"])
    if kind < 0.6:
        return Access("mount", True, ["mount", source, point, "-", MOVE, "-"], [f"mount options=(move) {source} -> {point}"])
    if kind < 0.72:
        rec, make = rng.random() < 0.5, rng.choice(sorted(MAKES))
        return Access("mount", True, ["mount", "-", point, "-", MAKES[make] | rec * REC, "-"], [f"mount options=({'r' * rec}{make}) -> {point}"])
    if kind < 0.84:
        return Access("mount", True, ["mount", "-", point, "-", REMOUNT | flags, "-"], [f"remount {asked} {point}"])
    if kind < 0.95:
        return Access("umount", True, ["umount", source, 0], [f"umount {source}"])
    return Access("pivot_root", True, ["pivot", "/m/b/", "/m/b/old/"], ["pivot_root oldroot=/m/b/old/ /m/b/"])


def mounts(rng, name, release):
    rules = [f"{prefix_of(rng, release)}{mount_rule(rng)}," for _ in range(rng.randrange(2, 8))]
    return Case(name, "mount", ["file,", "capability,", *rules], [mounted(rng) for _ in range(45)])


# ---- unix sockets ----

UNIX_TYPES = {"stream": 1, "dgram": 2, "seqpacket": 5}
ADDRESSES = ["@q1", "@q2", "@other"]
ADDRESS_GLOBS = ["@q1", "@q*", "@q[12]", "@{q1,other}", "@**", "@?2", "none"]


def unix_rule(rng, name):
    some = f" type={rng.choice(sorted(UNIX_TYPES))}" if rng.random() < 0.4 else ""
    if rng.random() < 0.5:
        words = rng.sample(["bind", "listen", "accept", "getattr", "create", "shutdown"], rng.randrange(1, 4))
        own = f" addr={rng.choice(ADDRESS_GLOBS)}" if "create" not in words and rng.random() < 0.6 else ""
        return f"unix ({', '.join(words)}){some}{own}"
    words = rng.sample(["connect", "send", "receive", "accept"], rng.randrange(1, 5))
    label = rng.choice(["", "label=unconfined", "label=peer", f"label={name}", "label=*"])
    address = rng.choice(["", f"addr={rng.choice(ADDRESS_GLOBS)}"])
    peer = f" peer=({' '.join(w for w in (address, label) if w)})" if address or label else ""
    return f"unix ({', '.join(words)}){some}{peer}"


def unix_sockets(rng, name, release):
    """The socket is the program's own; who listens is not confined. Linux 7 asks at a connect for what follows it, too."""
    rules = [f"{prefix_of(rng, release)}{unix_rule(rng, name)}," for _ in range(rng.randrange(2, 8))]
    rules += [rng.choice(["unix create,", "unix (create, connect, send, receive),", "network unix,", ""])]
    many = [Access("unix", True, ["socket", 1, n], [f"socket unix {t}"]) for t, n in UNIX_TYPES.items()]
    for address in ADDRESSES:
        for t, n in UNIX_TYPES.items():
            many.append(Access("unix", True, ["unixbind", n, address], [f"socket unix {t}", f"unix bind type={t} addr={address}"]))
        to = f"type=stream peer=(addr={address} label=unconfined)"
        many.append(Access("unix", True, ["unixconnect", address], ["socket unix stream", *(f"unix {w} {to}" for w in (("connect", "send", "receive") if release == "5.0" else ("connect",)))]))
    return Case(name, "unix", ["file,", "capability,", *rules], many)


# ---- changes of the profile ----

LABELS = ["other", "third", "peer", "friend", "atta"]
TARGETS = ["other", "third", "{other,third}", "*", "**", "p*", "[fp]*", "atta", "t[0-9]*//kid"]


def changes(rng, name, release):
    rules = []
    for _ in range(rng.randrange(1, 6)):
        prefix = rng.choice(["", "", "", "deny ", "audit "])
        safe = rng.choice(["", "", "safe ", "unsafe "])
        exec = rng.choice([safe + rng.choice(["/t/a", "/t/b", "/t/**", "/t/[ab]"]), ""])
        target = rng.choice(["", "-> " + rng.choice(TARGETS), "-> " + rng.choice(TARGETS)])
        rules.append(f"{prefix}change_profile {exec} {target}".rstrip().replace("  ", " ") + ",")
    many = [Access("change_profile", True, ["change", t], [f"change_profile {t}"]) for t in [*LABELS, f"{name}//kid"]]
    for path in ("/t/a", "/t/b", "/t/q"):
        many += [Access("change_profile", True, ["onexec", path, t], [f"change_profile {path} -> {t}"]) for t in LABELS]
    return Case(name, "change_profile", ["/** rwlkm,", "capability,", *rules], many, "", " profile kid { /** mrwk, }\n")


MAKERS = [files, mounts, files, capabilities, files, networks, files, changes, unix_sockets, signals, traces, others]


def cases(seed, release, n, is_taken):
    """n profiles that are taken, with the abi that they name."""
    rng = random.Random(f"{seed} {release}")
    for i in range(n):
        while True:
            case, abi = MAKERS[i % len(MAKERS)](rng, f"t{i}", release), rng.choice(ABIS[release])
            if is_taken(case, abi):
                break
        yield case, abi
