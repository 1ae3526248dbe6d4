# SPDX-License-Identifier: Apache-2.0
"""Root file systems of Debian's packages, as an archive that engines import: the files of those that
are installed here, and of all that they depend on."""
import os
import pathlib
import re
import subprocess

ALWAYS = ["base-files", "dash", "coreutils", "libc-bin"]
UNREAD = re.compile(r"/usr/share/(doc|man|locale|info|lintian|bash-completion|i18n|perl)/")
NEVER = {"perl", "python3", "debconf"}  # of their scripts: what starts in a container does without
MERGED = ["bin", "sbin", "lib", "lib64"]


def asked(*options):
    return subprocess.run(["dpkg-query", *options], capture_output=True, text=True, timeout=60, check=False).stdout


def installed():
    """name -> the packages of each of its dependencies' alternatives, of all that is installed."""
    found, provides = {}, {}
    form = "${Package}\t${Status}\t${Pre-Depends}, ${Depends}\t${Provides}\n"
    for line in asked("-W", "-f", form).splitlines():
        name, status, depends, more = line.split("\t")
        if status == "install ok installed":
            found[name] = [[re.split(r"[ (:]", a.strip())[0] for a in d.split("|")] for d in depends.split(",") if d.strip()]
            for p in more.split(","):
                provides.setdefault(re.split(r"[ (]", p.strip())[0], name)
    return found, provides


def closure(names):
    found, provides = installed()
    todo, got = [*names, *ALWAYS], {}
    while todo:
        name = todo.pop()
        if name in got or name in NEVER or name not in found:
            continue
        got[name] = None
        for alternatives in found[name]:
            todo += [a if a in found else provides[a] for a in alternatives if a in found or a in provides][:1]
    return list(got)


def is_installed(names):
    return set(names) <= set(installed()[0])


def place(path):
    """As it is called where /bin, /lib and the like are links."""
    first, _, rest = path.lstrip("/").partition("/")
    return f"usr/{first}/{rest}".rstrip("/") if first in MERGED else path.lstrip("/")


def users():
    """System accounts of this machine."""
    def rows(file):
        return "".join(line for line in open(file) if int(line.split(":")[2]) < 1000 or line.startswith("nobody"))
    return {"etc/passwd": rows("/etc/passwd"), "etc/group": rows("/etc/group"), "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
            "etc/hosts": "127.0.0.1 localhost\n"}


def add(path, what):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(what, pathlib.Path):
        path.symlink_to(what)
    else:
        path.write_bytes(what if isinstance(what, bytes) else what.encode())


def tar(out, mode, top, paths):
    subprocess.run(["tar", "-C", top, mode, "-f", out, "--no-recursion", "-T", "-"], input="\n".join(paths), text=True,
                   check=True, timeout=300)


def make(out, names, extra, work):
    """The archive; extra: path -> text, bytes, or where a link leads to (a pathlib.Path)."""
    top = pathlib.Path(work)
    for d in ("tmp", "run", "proc", "dev", "sys", "var/lib", "var/log", "srv", "root"):
        (top / d).mkdir(parents=True, exist_ok=True)
    (top / "tmp").chmod(0o1777)
    for path, what in {**users(), **{m: pathlib.Path("usr", m) for m in MERGED}, **extra}.items():
        add(top / path, what)
    ours = sorted(str(p.relative_to(top)) for p in top.rglob("*"))  # an engine takes each path once
    listed = {f: None for f in map(place, asked("-L", *closure(names)).splitlines())
              if f not in (*ours, *MERGED, ".", "") and not UNREAD.match("/" + f) and os.path.lexists("/" + f)}
    tar(out, "-c", "/", listed)
    tar(out, "-r", top, ours)
    return out
