# SPDX-License-Identifier: Apache-2.0
"""What kernels do under profiles that 5.0.2 compiled for them, by abi and kernel, as guests showed it.

A row: what it is about, the abis that it holds for ("" is none), the profile's flags and its rules, and
what is tried: the words for accesses.c, the accesses that `pale sim` is asked (none: it has no word for it; with
several, one that is refused refuses it), and what Linux 6.1, 6.12 and 7.2 do: "y" it goes through, "n" it is refused,
"k" the program is killed, "-" was not tried."""

NEITHER, BEFORE = "file, capability, network, signal, ptrace, mount, umount, ", "file, capability, "


class Row:
    def __init__(self, abis, body, tried, flags="", children="", before=BEFORE):
        self.abis, self.body, self.tried = abis.split(","), before + body, tried
        self.flags, self.children = f" flags=({flags})" if flags else "", children


UNIX = "unix create, unix (bind, listen, accept, getattr, setattr, getopt, setopt, shutdown) type=stream addr=@q1, "
TO_Q1 = "unix (connect, send, receive) type=stream peer=(addr=@q1), "
FROM_ANY = "unix (accept, send, receive) addr=@q1 peer=(addr=none), "
SELF = ["unix bind type=stream addr=@q1", "unix connect type=stream peer=(addr=@q1 label=t)", "unix send type=stream peer=(addr=@q1 label=t)",
        "unix receive type=stream peer=(addr=@q1 label=t)", "unix accept type=stream addr=@q1 peer=(addr=none label=t)",
        "unix send type=stream addr=@q1 peer=(addr=none label=t)", "unix receive type=stream addr=@q1 peer=(addr=none label=t)"]
TO_LISTENER = ["unix connect type=stream peer=(addr=@q1 label=unconfined)", "unix send type=stream peer=(addr=@q1 label=unconfined)",
               "unix receive type=stream peer=(addr=@q1 label=unconfined)"]


def userns(kernels):
    return "userns", ["userns"], kernels


def sqpoll(kernels):
    return "sqpoll", ["io_uring sqpoll"], kernels


def creds(kernels):
    return "owncreds", ["io_uring override_creds label=t"], kernels


def opened(path, letters, kernels):
    return f"open {path} {letters}", [f"open owner {path} {letters}"], kernels


ROWS = [
    # what nobody speaks of
    Row(",5.0", "", [userns("ynn"), sqpoll("ynn"), creds("ynn")]),
    Row("4.0", "", [userns("ynn"), sqpoll("yyy"), creds("yyy")]),
    Row("3.0", "", [userns("yyy"), sqpoll("yyy"), creds("yyy")]),
    # io_uring, userns
    Row("4.0", "audit deny io_uring,", [sqpoll("yyy"), creds("yyy")]),
    Row("5.0", "audit deny io_uring,", [sqpoll("ynn"), creds("ynn")]),
    Row("5.0", "io_uring sqpoll,", [sqpoll("yyy"), creds("ynn")]),
    Row("5.0", "io_uring override_creds label=t,", [creds("yyy"), sqpoll("ynn")]),
    Row("5.0", "io_uring override_creds label=other,", [creds("ynn")]),
    Row("4.0", "userns,", [userns("yyy")]),
    Row("4.0", "userns create,", [userns("yyy")]),
    Row("4.0", "audit deny userns,", [userns("ynn")]),
    # unix sockets
    Row("3.0,4.0,5.0", "", [("pair 1", ["socket unix stream"], "nnn"), ("socket 1 1", ["socket unix stream"], "nnn")]),
    Row("3.0,4.0,5.0", "network unix,", [("pair 1", ["socket unix stream"], "yyy"), ("unixbind 1 @q1", ["unix bind type=stream addr=@q1"], "yyy"),
                                         ("unixbind 2 @q1", ["unix bind type=dgram addr=@q1"], "yyy"), ("unixself @q1", SELF, "yyy")]),
    Row("4.0", "unix type=stream,", [("socket 1 1", ["socket unix stream"], "yyy"), ("socket 1 2", ["socket unix dgram"], "nnn")]),
    Row("5.0", UNIX, [("unixbind 1 @q1", ["socket unix stream", "unix bind type=stream addr=@q1"], "yyy"),
                      ("unixbind 1 @q2", ["socket unix stream", "unix bind type=stream addr=@q2"], "yyn")]),
    Row("5.0", UNIX + TO_Q1, [("unixself @q1", SELF, "yyn")]),
    Row("5.0", UNIX + TO_Q1 + FROM_ANY, [("unixself @q1", SELF, "yyy")]),
    Row("5.0", "unix create, unix (connect, send, receive) type=stream peer=(label=unconfined),", [("unixconnect @q1", TO_LISTENER, "yyy")]),
    Row("5.0", "unix create, unix (connect, send, receive) type=stream peer=(label=other),", [("unixconnect @q1", TO_LISTENER, "yyn")]),
    Row("4.0", "audit deny unix (bind) addr=@q1, unix,", [("unixbind 1 @q1", ["unix bind type=stream addr=@q1"], "--y")]),
    Row("5.0", "audit deny unix (bind) addr=@q1, unix,", [("unixbind 1 @q1", ["unix bind type=stream addr=@q1"], "--n")]),
    Row("5.0", "capability, /t/s1 rw, unix type=stream,", [("unixbind 1 /t/s1", ["open owner /t/s1 w"], "yyy"), ("unixbind 1 /t/s2", ["open owner /t/s2 w"], "nnn")], before=""),
    # inet
    Row("5.0", "network (create, bind) inet stream,", [("inet bind 5001", ["network bind inet stream"], "yyy"), ("inet listen 5001", ["network listen inet stream"], "nnn"),
                                                       ("inet connect 5001", ["network connect inet stream"], "nnn")]),
    Row("4.0-ip,5.0", "network inet stream ip=127.0.0.1 port=5001,", [("inet bind 5002", ["network bind inet stream port=5002"], "yyy")]),
    Row("5.0", "network inet, audit deny network inet stream port=5001,", [("socket 2 1", ["socket inet stream"], "nnn")]),
    Row("5.0", "network inet stream peer=(ip=10.0.0.1),", [("inet connect 5001", ["network connect inet stream"], "yyy")]),
    # message queues: a file without a root, and no rule of mqueue counts
    Row("4.0,5.0", "all,", [("queue q1", [], "nnn")], before=""),
    Row("4.0,5.0", "/q1 rw, capability,", [("queue q1", ["open owner /q1 rw"], "yyy")], flags="attach_disconnected", before=""),
    Row("5.0", "/q1 rw, capability, audit deny mqueue,", [("queue q1", ["open owner /q1 rw", "mqueue create type=posix /q1"], "yyy")], flags="attach_disconnected", before=""),
    Row("5.0", "/dis/q1 rw, capability,", [("queue q1", ["open owner /dis/q1 rw"], "yyy")], flags="attach_disconnected.path=/dis", before=""),
    # all, priorities
    Row("4.0", "all, audit deny /t/hosts r, audit deny userns,", [opened("/t/hosts", "r", "nnn"), userns("ynn")], before=""),
    Row("4.0", "priority=1 /t/h r, deny /t/h rw, priority=-1 deny /t/f r, /t/f rw, priority=2 /t/p r, priority=1 deny /t/p r,",
        [opened("/t/h", "r", "yyy"), opened("/t/f", "r", "yyy"), opened("/t/p", "r", "yyy")], before=""),
    Row("4.0", "priority=1 owner /t/f r, deny /t/f rw,", [opened("/t/f", "r", "yyy"), opened("/t/f", "w", "nnn")], before=""),
    # conditions of the text
    Row("4.0", "if ${YES} { /t/a r, } else { /t/b r, } if defined ${MAYBE} { /t/c r, } else { /t/d r, }",
        [opened("/t/a", "r", "yyy"), opened("/t/b", "r", "nnn"), opened("/t/c", "r", "nnn"), opened("/t/d", "r", "yyy")], before=""),
    Row("4.0", "if @{V} == one { /t/a r, } else { /t/b r, } if @{N} >= 2 { /t/c r, } else if @{V} == one { /t/d r, }",
        [opened("/t/a", "r", "yyy"), opened("/t/b", "r", "nnn"), opened("/t/c", "r", "yyy"), opened("/t/d", "r", "nnn")], before=""),
    # flags
    Row("3.0,5.0", "prompt /t/h r,", [opened("/t/h", "r", "nnn")], before=""),
    Row("3.0,5.0", "/t/h r,", [opened("/t/h", "r", "yyy"), opened("/t/f", "r", "kkk")], flags="kill", before=""),
    Row("5.0", "/t/h r,", [opened("/t/f", "r", "kkk")], flags="kill, kill.signal=term", before=""),
    Row("5.0", "/t/h r,", [opened("/t/f", "r", "nnn")], flags="error=ENOENT", before=""),
    Row("5.0", "deny /t/f r,", [opened("/t/h", "r", "yyy"), opened("/t/f", "r", "yyy")], flags="default_allow", before=""),
    Row("3.0,5.0", "audit deny /t/f r,", [opened("/t/h", "r", "yyy"), opened("/t/f", "r", "yyy")], flags="complain", before=""),
    Row("3.0,5.0", "deny /t/f r,", [opened("/t/h", "r", "yyy"), opened("/t/f", "r", "nnn")], flags="complain", before=""),
    # links
    Row("3.0,5.0", "link /t/f2 -> /t/f1,", [("link /t/f2 /t/f1", ["link owner /t/f2 /t/f1"], "yyy")], before=""),
    Row("3.0,5.0", "/t/f1 r, /t/f2 rl,", [("link /t/f2 /t/f1", ["link owner /t/f2 /t/f1"], "yyy")], before=""),
    # mounts
    Row("3.0,4.0,5.0", "mount fstype=tmpfs -> /m/c/,", [("mount x /m/c/ tmpfs 0 -", ["mount fstype=tmpfs x -> /m/c/"], "yyy"), ("movemount /m/c", [], "ynn")]),
    Row("3.0,4.0,5.0", "mount options=(move) -> /m/c/,", [("movemount /m/c", [], "yyy")]),
    Row("4.0,5.0", "mount detached -> /m/c/,", [("movemount /m/c", [], "yyy")]),
    Row("3.0,4.0,5.0", "", [("mountattr /m/a", [], "yyy"), ("mount x /m/c/ tmpfs 0 -", ["mount fstype=tmpfs x -> /m/c/"], "nnn")]),
    # signals, labels, what is no file
    Row("3.0,5.0", "signal (send, receive) set=(term) peer=t,", [("ownsignal 0", ["signal send exists peer=t"], "nnn"), ("ownsignal 15", ["signal send term peer=t"], "yyy")]),
    Row("3.0,5.0", "signal (send, receive) set=(exists) peer=t,", [("ownsignal 0", ["signal send exists peer=t"], "yyy")]),
    Row("3.0,5.0", "/t/a/b Cx -> kid, /t/c pix,", [("exec /t/a/b", ["exec owner /t/a/b"], "yyy t//kid"), ("exec /t/c", ["exec owner /t/c"], "yyy t")],
        children="profile kid { /** mr, }", before=""),
    Row("3.0,5.0", "", [("memfd", [], "yyy")], before=""),
]

# Table of what rules add up to: what 5.0.2 makes of m and x at /t/a/b.
MEANS = [("/t/a/* rix, /t/a/b px, /t/a/b r,", "n", "y"), ("/t/a/* mrix, /t/a/b px,", "y", "y"), ("/t/a/** rix, deny /t/a/b x,", "n", "n"),
         ("/t/a/* rix, /t/a/[bc] px,", "n", "y"), ("/t/a/? rix, /t/a/b px,", "n", "y"), ("/t/a/b* rix, owner /t/a/b px,", "n", "y"),
         ("priority=1 deny /t/a/b x, /t/a/b rix,", "n", "n"), ("priority=1 /t/a/b px, /t/a/* rix,", "n", "y"),
         ("priority=1 /t/a/* rix, /t/a/b px,", "y", "y")]
ROWS += [Row("3.0,5.0", body, [("map /t/a/b", ["open owner /t/a/b r", "open owner /t/a/b m"], 3 * m), ("exec /t/a/b", ["exec owner /t/a/b"], 3 * x)], before="")
         for body, m, x in MEANS]

PREAMBLE = "${YES}=true\n@{V}=one\n@{N}=3\n"
ATTACHED = "profile atab /t/a/b { /** mr, }\n"


def profile(row, abi):
    """Its name is t: one is loaded at a time."""
    return (f"abi <abi/{abi}>,\n" if abi else "") + PREAMBLE + f"profile t{row.flags} {{ {row.body} {row.children} }}\n"


def cases():
    """(name, row, its text)"""
    for i, row in enumerate(ROWS):
        for abi in row.abis:
            yield f"r{i}-{abi or 'none'}", row, profile(row, abi)
