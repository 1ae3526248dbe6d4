# SPDX-License-Identifier: Apache-2.0
"""Random AppArmor profiles of all classes but files, and what is asked near their rules, with the
texts that the kernel looks up of each (security/apparmor: ipc.c, net.c, af_unix.c, mount.c, domain.c)."""

SIGNALS = {"hup": 1, "int": 2, "kill": 9, "term": 15, "usr1": 10, "exists": 35, "rtmin+0": 128, "rtmin+3": 131}
FAMILIES = {"inet": 2, "inet6": 10, "netlink": 16, "packet": 17}
TYPES = {"stream": 1, "dgram": 2, "raw": 3, "seqpacket": 5}
NET = {"create": 0x10, "bind": 0x200000, "listen": 0x400000, "accept": 0x100000, "connect": 0x40, "shutdown": 0x20, "setattr": 0x100, "getattr": 0x200,
       "setopt": 0x1000000, "getopt": 0x2000000, "send": 2, "receive": 4}
PEERED = ("connect", "send", "receive", "accept")
MQUEUE = {"read": 4, "write": 2, "create": 0x10, "delete": 0x20, "open": 0x40, "setattr": 0x100, "getattr": 0x200}
DBUS = {"send": 2, "receive": 4, "bind": 64, "eavesdrop": 32}
PTRACE = {"trace": 2, "read": 4, "tracedby": 8, "readby": 16}
CAPS = {"chown": 0, "kill": 5, "net_admin": 12, "sys_admin": 21, "syslog": 34, "bpf": 39}
SPELLED = {"ro": "ro r read-only", "rbind": "rbind R", "bind": "bind B", "move": "move M", "private": "private make-private", "rslave": "rslave make-rslave",
           "unbindable": "unbindable make-unbindable", "rshared": "rshared make-rshared", "silent": "silent verbose"}
FLAGS = {"ro": 1 << 0, "nosuid": 1 << 1, "nodev": 1 << 2, "noexec": 1 << 3, "sync": 1 << 4, "remount": 1 << 5, "mand": 1 << 6, "dirsync": 1 << 7, "noatime": 1 << 10,
         "nodiratime": 1 << 11, "bind": 1 << 12, "move": 1 << 13, "rbind": 5 << 12, "silent": 1 << 15, "acl": 1 << 16, "unbindable": 1 << 17,
         "private": 1 << 18, "rprivate": 1 << 18 | 1 << 14, "slave": 1 << 19, "rslave": 1 << 19 | 1 << 14, "shared": 1 << 20, "rshared": 1 << 20 | 1 << 14, "relatime": 1 << 21,
         "iversion": 1 << 23, "strictatime": 1 << 24}
CLEARS = ["rw", "suid", "dev", "exec", "async", "nomand", "atime", "diratime", "norelatime", "noiversion", "loud", "noacl"]
MAKES, REC, SILENT = 0x1e0000, 1 << 14, 1 << 15
CHANGE, ONEXEC = 0x40000000, 0x20000000
FILE, POLICY, CAP = "file", "policy", "cap"  # where a text is looked up


class Glob:
    """A pattern that says texts that it matches."""

    def __init__(self, text, sample):
        self.text, self.sample = text, sample


def part(r, alphabet, turned):
    kind = r.random()
    c = r.choice(alphabet)
    if kind < .55:
        return Glob(c, lambda r: c)
    if kind < .65:
        return Glob("*", lambda r: "".join(r.choice(alphabet.replace("/", "a")) for _ in range(r.randint(0, 2))))
    if kind < .73:
        return Glob("**", lambda r: "".join(r.choice(alphabet) for _ in range(r.randint(0, 3))))
    if kind < .8:
        return Glob("?", lambda r: r.choice(alphabet.replace("/", "a")))
    if kind < .9:
        set_ = "".join(sorted(set(r.sample("abcz", 2))))
        if turned and r.random() < .25:
            return Glob(f"[^{set_}]", lambda r: r.choice([x for x in "abcdz" if x not in set_]))
        return Glob(f"[{set_}]", lambda r: r.choice(set_))
    words = ["".join(r.choice(alphabet) for _ in range(r.randint(0, 2))) for _ in range(r.randint(2, 3))]
    words[-1] = words[-1] or c
    return Glob("{" + ",".join(words) + "}", lambda r: r.choice(words))


def glob(r, first="", alphabet="ab/c", last="", turned=False):
    """turned: it may hold "[^...]", which matches the NUL, too, that stands behind it in a text of several fields."""
    parts = [part(r, alphabet, turned) for _ in range(r.randint(0 if first and r.random() < .2 else 1, 4))]
    return Glob(first + "".join(p.text for p in parts) + last, lambda r: first + "".join(p.sample(r) for p in parts) + last)


class Profile:
    """Rules, and of what they say the words that questions are made of."""

    def __init__(self, r, release):
        self.r, self.release, self.said = r, release, {}
        self.variables = {}
        for name in "VW":
            self.variables[name] = [glob(r, alphabet="abc") for _ in range(r.randint(1, 3))]

    # ---- words ----

    def say(self, kind, g, quotes=True):
        self.said.setdefault(kind, []).append(g)
        return f'"{g.text}"' if quotes and self.r.random() < .15 else g.text

    def varied(self, g):
        if self.r.random() < .12:
            name = self.r.choice("VW")
            values = self.variables[name]
            return Glob(g.text + f"@{{{name}}}", lambda r: g.sample(r) + r.choice(values).sample(r))
        return g

    def label(self, turned=True, varied=True):
        word = self.r.choice(["unconfined", "/usr/bin/a", "p//q"])
        g = Glob(word, lambda r: word) if self.r.random() < .2 else glob(self.r, self.r.choice(["", "", "/"]), turned=turned)
        g = self.varied(g) if varied else g
        return self.say("label", g)

    def point(self):
        return self.say("point", self.varied(glob(self.r, "/", "ab/m", self.r.choice(["/", "/", ""]))))

    def name(self):
        return self.say("name", self.varied(glob(self.r, self.r.choice(["a.", "org."]), "ab.")))

    def some(self, words, most=3):
        words = list(words)
        pick = self.r.sample(words, self.r.randint(1, min(most, len(words))))
        return pick[0] if len(pick) == 1 and self.r.random() < .5 else "(" + self.r.choice([",", " ", ", "]).join(pick) + ")"

    def maybe(self, make, p=.5):
        return [make()] if self.r.random() < p else []

    def cond(self, word, value):
        return f"{word}{self.r.choice(['=', '=', '=', ' = '])}{value}"

    # ---- rules ----

    def prefix(self, priority=True):
        words = [f"priority={self.r.choice([2, 1, -1, '+3'])}"] if priority and self.release >= "4.1" and self.r.random() < .3 else []
        words += self.maybe(lambda: "audit", .25)
        return words + self.maybe(lambda: self.r.choice(["deny", "deny", "allow"]), .4)

    def capability(self):
        return ["capability"] + self.r.sample(sorted(CAPS), self.r.randint(0, 2))

    def signal(self):
        perms = self.maybe(lambda: self.some(["send", "receive", "r", "w", "rw", "read", "write"] if self.r.random() < .3 else ["send", "receive"], 1 if self.r.random() < .5 else 2))
        sets = [self.cond("set", self.some(SIGNALS)) for _ in range(self.r.choice([0, 1, 1, 2]))]
        return ["signal", *perms, *sets, *self.maybe(lambda: self.cond("peer", self.label()))]

    def ptrace(self):
        return ["ptrace", *self.maybe(lambda: self.some(PTRACE), .7), *self.maybe(lambda: self.cond("peer", self.label()))]

    def options(self, remount):
        names = [f for f in FLAGS if f != "remount" or not remount]
        pick = self.r.sample(names + CLEARS, self.r.choice([1, 1, 2, 3]))
        self.said.setdefault("flags", []).append([f for f in pick if f in FLAGS])
        words = [self.r.choice(SPELLED.get(f, f).split()) for f in pick]
        inside = words[0] if len(words) == 1 and self.r.random() < .4 else "(" + self.r.choice([",", " "]).join(words) + ")"
        return f"{self.r.choice(['options', 'option'])}{self.r.choice(['=', '=', ' in '])}{inside}"

    def mount(self):
        kind = self.r.choice(["mount", "mount", "mount", "remount", "umount"])
        if kind == "umount":
            return [kind, *self.maybe(self.point, .7)]
        words = [self.options(kind == "remount") for _ in range(self.r.choice([0, 1, 1, 2]))]
        if kind == "remount":
            return [kind, *words, *self.maybe(self.point, .7)]
        words += self.maybe(lambda: f"{self.r.choice(['fstype', 'vfstype'])}{self.r.choice(['=', ' in '])}{self.types()}", .3)
        words += self.maybe(lambda: self.source(), .4)
        return [kind, *words, *self.maybe(lambda: f"-> {self.point()}", .6)]

    def types(self):
        pick = [Glob(t, lambda r, t=t: t) for t in self.r.sample(["tmpfs", "ext4", "proc"], 2)] + [glob(self.r, "", "abt")]
        pick = self.r.sample(pick, self.r.randint(1, 2))
        for g in pick:
            self.said.setdefault("type", []).append(g)
        return pick[0].text if len(pick) == 1 else "(" + ",".join(g.text for g in pick) + ")"

    def source(self):
        if self.r.random() < .3:
            return self.say("source", Glob("tmpfs", lambda r: "tmpfs"))
        return self.say("source", glob(self.r, "/", "ab/m", self.r.choice(["/", ""])))

    def pivot_root(self):
        return ["pivot_root", *self.maybe(lambda: self.cond("oldroot", self.point())), *self.maybe(self.point, .6)]

    def change_profile(self):
        words = ["change_profile", *self.maybe(lambda: self.say("program", glob(self.r, "/", "ab/")), .3)]
        target = self.r.choice(["p//q", "&p", ":n:p", "a//&b", "unconfined"])
        g = Glob(target, lambda r: target) if self.r.random() < .3 else glob(self.r, self.r.choice(["", "p"]))
        return words + self.maybe(lambda: f"-> {self.say('target', g)}", .8)

    def network(self):
        new = self.release != "3.0"
        peer = new and self.r.random() < .15
        perms = self.maybe(lambda: self.some(PEERED if peer else NET), .5) if new else []
        words = self.r.choice([["inet", "stream"], ["inet6"], ["inet", "dgram"], ["unix"], ["unix", "stream"], ["unix", "dgram"], ["stream"], ["netlink", "raw"], ["tcp"], ["packet"], []])
        if words[:1] != ["unix"] and new:
            words = words + self.maybe(lambda: self.r.choice(["ip=127.0.0.1", "port=80", "port=1-1000", "ip=::1 port=5"] + (["interface=lo", "label=p"] if self.release > "4.1" else [])), .2)
            words += [self.r.choice(["peer=(ip=10.0.0.1)", "peer=(port=5)"])] if peer else []
        return ["network", *perms, *words]

    def address(self):
        word = self.r.choice(["none", "auto"])
        if self.r.random() < .3:
            return word
        return self.say("address", glob(self.r, "@", self.r.choice(["ab/", "0af"])))

    def unix(self):
        peer = self.maybe(lambda: self.cond("addr", self.address())) + self.maybe(lambda: self.cond("label", self.label())) if self.r.random() < .4 else []
        perms = self.maybe(lambda: self.some(PEERED if peer else NET), .6)
        words = self.maybe(lambda: self.cond("type", self.r.choice(["stream", "dgram", "seqpacket"])), .4) + self.maybe(lambda: self.cond("addr", self.address()))
        return ["unix", *perms, *words] + ([f"peer=({self.r.choice([' ', ', '] if self.release == '-' else [' ']).join(peer)})"] if peer else [])

    def bus(self):
        return self.cond("bus", self.say("bus", Glob(*self.r.choice([("session", lambda r: "session"), ("system", lambda r: "system"), ("s*", lambda r: r.choice(["s", "sab"]))]))))

    def dbus(self):
        bus = self.maybe(self.bus)
        kind = self.r.random()
        if kind < .2:
            return ["dbus", *self.maybe(lambda: "bind"), *bus, self.cond("name", self.name())]
        if kind < .35:
            return ["dbus", *self.maybe(lambda: "eavesdrop"), *bus]
        words = self.maybe(lambda: self.cond("path", self.say("dbuspath", glob(self.r, "/", "ab/"))), .4)
        words += self.maybe(lambda: self.cond("interface", self.name()), .4) + self.maybe(lambda: self.cond("member", self.say("member", glob(self.r, "G", "eab"))), .4)
        peer = self.maybe(lambda: self.cond("name", self.name()), .4) + self.maybe(lambda: self.cond("label", self.label(False)), .4)
        return ["dbus", *self.maybe(lambda: self.some(["send", "receive"]), .6), *bus, *words] + ([f"peer=({self.r.choice([' ', ', ']).join(peer)})"] if peer else [])

    def mqueue(self):
        words = self.maybe(lambda: self.some(MQUEUE), .6)
        posix = self.r.random() < .6
        name = self.maybe(lambda: self.say("queue", glob(self.r, "/", "abq")) if posix else self.say("number", Glob(*self.r.choice([("12", lambda r: "12"), ("012", lambda r: "12"), ("7", lambda r: "7")])), False), .7)
        words += self.maybe(lambda: self.cond("type", "posix" if posix else "sysv"), .3) + self.maybe(lambda: self.cond("label", self.label()), .4)
        return ["mqueue", *words, *name]

    def userns(self):
        return ["userns", *self.maybe(lambda: "create")]

    def io_uring(self):
        return ["io_uring", *self.maybe(lambda: self.some(["sqpoll", "override_creds"]), .7), *self.maybe(lambda: self.cond("label", self.label()), .4)]

    def rlimit(self):
        return ["set", "rlimit", self.r.choice(["nofile <= 1024", "as <= 1GB", "nice <= -5", "cpu <= infinity", "core <= 0"])]

    def classes(self):
        old = ["capability", "signal", "ptrace", "mount", "pivot_root", "change_profile", "network", "unix", "dbus", "rlimit"]
        return old if self.release == "3.0" else [*old, "mqueue", "userns", "io_uring"]

    def rule(self, kind):
        if self.release >= "4.1" and self.r.random() < .01:
            return " ".join([*self.maybe(lambda: "audit"), "all,"])
        prefix = self.prefix(kind != "network" or self.r.random() < .1) if kind != "rlimit" else []
        if kind == "change_profile":
            prefix = [p for p in prefix if p != "audit" and not p.startswith("priority")]
        return " ".join(prefix + getattr(self, kind)()) + ","

    def block(self, rules):
        head = self.r.choice(["audit", "deny", "allow", "audit deny"])
        bare = [" ".join(w for w in rule.split(" ") if w not in ("audit", "deny", "allow")) for rule in rules]
        return f"{head} {{\n" + "\n".join(bare) + "\n}"

    def body(self, kinds):
        rules = [self.rule(kind) for kind in kinds]
        if self.release >= "4.1" and self.r.random() < .15:
            at = self.r.randrange(len(rules))
            inside = [x for x in rules[at:at + 2] if "priority" not in x and "rlimit" not in x and "all," not in x.split()]
            rules[at:at + 2] = [x for x in rules[at:at + 2] if x not in inside] + ([self.block(inside)] if inside else [])
        return "\n".join(rules)

    def preamble(self):
        quoted = {n: " ".join(f'"{g.text}"' for g in v) for n, v in self.variables.items()}
        return "".join(f"@{{{n}}}={values}\n" for n, values in quoted.items())

    # ---- questions ----

    def near(self, kind, fallback, fits=lambda s: True):
        """A text that a rule matches, or one that differs in a byte, or lacks or has one more."""
        said = self.said.get(kind)
        for _ in range(20):
            text = self.r.choice(said).sample(self.r) if said and self.r.random() < .9 else self.r.choice(fallback)
            change, at = self.r.random(), self.r.randrange(len(text) + 1)
            if change < .15:
                text = text[:at] + self.r.choice("abc/0z") + text[at + 1:]
            elif change < .25:
                text = text[:at] + text[at + 1:]
            elif change < .35:
                text = text[:at] + self.r.choice("abc/0.") + text[at:]
            if fits(text):
                return text
        return self.r.choice(fallback)

    def near_label(self):
        return self.near("label", ["a", "b/c", "unconfined"], lambda s: s and not set(s) & set("^\\@&:") and s != "unconfined" or s == "unconfined")

    def near_path(self, kind="point"):
        return self.near(kind, ["/", "/a/", "/m"], is_path)

    def near_address(self):
        if self.r.random() < .25:
            return "none"
        return self.near("address", ["@a", "@000af"], lambda s: s[:1] == "@" and len(s) > 1)

    def ask(self, kind, fine):
        """(what sim is asked, where it is looked up, [(text, bit)]), or None"""
        return getattr(self, "ask_" + kind)(fine)

    def ask_capability(self, fine):
        cap = self.r.choice(sorted(CAPS))
        return f"cap {cap}", CAP, [(CAPS[cap], 0)]

    def ask_signal(self, fine):
        perm, signal, label = self.r.choice(["send", "receive"]), self.r.choice(sorted(SIGNALS)), self.near_label()
        return f"signal {perm} {signal} peer={label}", POLICY, [(bytes([10, SIGNALS[signal]]) + label.encode(), {"send": 2, "receive": 4}[perm])]

    def ask_ptrace(self, fine):
        perm, label = self.r.choice(sorted(PTRACE)), self.near_label()
        if perm.endswith("by") and label == "unconfined":
            return None
        return f"ptrace {perm} peer={label}", POLICY, [(b"\x09" + label.encode(), PTRACE[perm])]

    def ask_mount(self, fine):
        if self.r.random() < .2:
            point = self.near_path()
            return f"umount {point}", POLICY, [(b"\x07" + point.encode(), 4)]
        said = self.said.get("flags")
        words = list(self.r.choice(said)) if said and self.r.random() < .7 else self.r.sample(sorted(FLAGS), self.r.choice([0, 1, 2]))
        if self.r.random() < .3:
            words = words[1:] if self.r.random() < .5 else words + [self.r.choice(sorted(FLAGS))]
        flags = 0
        for w in words:
            flags |= FLAGS[w]
        options = f"options=({','.join(words)}) " if words else ""
        point, source, type_ = self.near_path(), self.near("source", ["tmpfs", "/dev/a"], bool), self.near("type", ["tmpfs", "a"], bool)
        if flags & FLAGS["remount"]:
            text, key = f"mount {options}-> {point}", (point, "", "", flags)
        elif flags & FLAGS["bind"]:
            source = self.near_path("source")
            text, key = f"mount {options}{source} -> {point}", (point, source, "", flags & (FLAGS["bind"] | REC))
        elif flags & MAKES:
            text, key = f"mount {options}-> {point}", (point, "", "", flags & (MAKES | REC | SILENT))
        elif flags & FLAGS["move"]:
            source = "detached" if self.r.random() < .2 else self.near_path("source")
            text, key = f"mount {options}{source} -> {point}", (point, "" if source == "detached" else source, "", 1 << 13)
        else:
            text, key = f"mount {options}fstype={type_} {source} -> {point}", (point, source, type_, flags)
        point, source, type_, flags = key
        return text, POLICY, [(b"\x07" + b"\0".join(s.encode() for s in (point, source, type_)) + b"\0" + bytes(i + 1 for i in range(32) if flags >> i & 1), 2)]

    def ask_pivot_root(self, fine):
        new, old = self.near_path(), self.near_path()
        return f"pivot_root oldroot={old} {new}", POLICY, [(b"\x07" + new.encode() + b"\0" + old.encode(), 1)]

    def ask_change_profile(self, fine):
        label = self.near("target", ["p", "&p", "unconfined"], lambda s: s.strip("&") and "//&" not in s and " " not in s)
        if self.r.random() < .6:
            return f"change_profile {label}", FILE, [(label.encode(), CHANGE)]
        program = self.near_path("program")
        return f"change_profile {program} -> {label}", FILE, [(label.encode(), ONEXEC), (program.encode(), ONEXEC), (program.encode() + b"\0" + label.encode(), ONEXEC)]

    def ask_network(self, fine):
        family, type_, perm = self.r.choice(sorted(FAMILIES)), self.r.choice(sorted(TYPES)), self.r.choice(sorted(NET))
        key = bytes([0, FAMILIES[family], 0, TYPES[type_]])
        if self.r.random() < .3:
            return f"socket {family} {type_}", POLICY, [(key, NET["create"])]
        return f"network {perm} {family} {type_}", POLICY, [(key, NET[perm])]

    def ask_unix(self, fine):
        perm, type_, own, peer, label = self.r.choice(sorted(NET)), self.r.choice(["stream", "dgram", "seqpacket"]), self.near_address(), self.near_address(), self.near_label()
        if self.r.random() < .1:
            perm, text = "create", f"socket unix {type_}"
        else:
            if perm == "bind" and own == "none":
                own = "auto"
            text = f"unix {perm} type={type_}" + (f" addr={own}" if own != "none" or self.r.random() < .5 else "")
        key = bytes([0, 1, 0, TYPES[type_]])
        peered = perm in PEERED and (perm != "accept" or self.r.random() < .5)
        if peered:
            text += f" peer=({f'addr={peer} ' if peer != 'none' else ''}label={label})"
        if fine:
            key += b"\0\0"
            if perm != "create":
                key += end_key(own) + b"\0\0"
            if peered:
                key += b"\x01" + end_key(peer) + b"\0" + label.encode()
            elif perm in ("listen", "setopt", "getopt"):
                key += (b"\x02" if perm == "listen" else b"\x04") + b"\0\x05"
        return text, POLICY, [(key, NET[perm])]

    def ask_dbus(self, fine):
        bus, name, label = self.near("bus", ["session", "x"], bool), self.near("name", ["a.b"], bool), self.near_label()
        path, face, member = self.near_path("dbuspath"), self.near("name", ["a.b"], bool), self.near("member", ["Ge"], bool)
        key = lambda n: b"\x20" + b"\0".join(f.encode() for f in (bus, name, label, path, face, member)[:n])
        perm = self.r.choice(sorted(DBUS))
        if perm == "bind":
            return f"dbus bind bus={bus} name={name}", POLICY, [(key(2), DBUS[perm])]
        if perm == "eavesdrop":
            return f"dbus eavesdrop bus={bus}", POLICY, [(key(1), DBUS[perm])]
        return f"dbus {perm} bus={bus} path={path} interface={face} member={member} peer=(name={name} label={label})", POLICY, [(key(6), DBUS[perm])]

    def ask_mqueue(self, fine):
        perm = self.r.choice(sorted(MQUEUE))
        if self.r.random() < .6:
            name = self.near("queue", ["/q", "/a"], lambda s: is_path(s) and len(s) > 1 and "/" not in s[1:])
            key = b"\x11" + name.encode()
        else:
            name = self.r.choice(["12", "13", "7"])
            key = b"\x12" + int(name).to_bytes(4, "big")
        if self.r.random() < .5:
            return f"mqueue {perm} {name}", POLICY, [(key, MQUEUE[perm])]
        label = self.near_label()
        return f"mqueue {perm} label={label} {name}", POLICY, [(key + b"\0" + label.encode(), MQUEUE[perm])]

    def ask_userns(self, fine):
        return "userns", POLICY, [(b"\x15", 8)]

    def ask_io_uring(self, fine):
        if self.r.random() < .3:
            return "io_uring sqpoll", POLICY, [(b"\x16", 0x10)]
        label = self.near_label()
        return f"io_uring override_creds label={label}", POLICY, [(b"\x16" + label.encode(), 8)]


def end_key(address):
    return {"none": b"\x01", "auto": b""}.get(address, b"\0" + address[1:].encode())


def is_path(s):
    return s[:1] == "/" and "//" not in s and not {".", ".."} & set(s.split("/")) and " " not in s
