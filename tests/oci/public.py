# SPDX-License-Identifier: Apache-2.0
"""The profiles of public-profiles.tsv, which are not part of this tree: fetched into a folder as SHA256.json.

    public.py DIR        # $PALE_GIT: where repositories are, with {owner} and {name}

A row's file is the repository's at its commit; where the row says "go" behind the path it is what containerd
makes of that file on x86_64 with the capabilities that it gives by itself.
"""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TABLE = pathlib.Path(__file__).with_name("public-profiles.tsv")
HEAD, *LINES = TABLE.read_text().splitlines()
COLUMNS = HEAD.split("\t")
ROWS = [dict(zip(COLUMNS, line.split("\t"))) for line in LINES]
GIT = os.environ.get("PALE_GIT", "https://github.com/{owner}/{name}")


def directory():
    """Where they are; None: not here."""
    for path in (os.environ.get("PALE_PUBLIC"), TABLE.parents[3] / "shared" / "public-profiles"):
        if path and pathlib.Path(path).is_dir():
            return pathlib.Path(path)
    return None


NUMBERS = {"AF_VSOCK": 40, "AF_ALG": 38, "CLONE_NEWNS": 0x20000, "CLONE_NEWUTS": 0x4000000, "CLONE_NEWIPC": 0x8000000,
           "CLONE_NEWUSER": 0x10000000, "CLONE_NEWPID": 0x20000000, "CLONE_NEWNET": 0x40000000, "CLONE_NEWCGROUP": 0x2000000}
OPS = {"OpNotEqual": "NE", "OpLessThan": "LT", "OpLessEqual": "LE", "OpEqualTo": "EQ", "OpGreaterEqual": "GE",
       "OpGreaterThan": "GT", "OpMaskedEqual": "MASKED_EQ"}
# The blocks of the function that hold on amd64, on a kernel of today, without capabilities but chroot's.
TAKEN = ("syscalls := ", "GreaterEqualThan(", 'case "amd64":', 'case "CAP_SYS_CHROOT":', "default:", "// clone3 is")


def number(text):
    """"40", "0x8", "unix.AF_VSOCK" or "unix.AF_ALG + 1": no bit stands twice."""
    return sum(NUMBERS.get(word.strip().removeprefix("unix."), 0) or int(word, 0) for word in re.split(r"[|+]", text))


def of_containerd(text):
    """seccomp_default.go's DefaultProfile() as JSON."""
    text = text[text.index("func DefaultProfile("):]
    marks = sorted((m.start(), m[0]) for m in re.finditer(
        r'syscalls := |GreaterEqualThan\(|case "[^"]*"(?:, "[^"]*")*:|default:|// clone3 is', text))
    out = []
    for m in re.finditer(r"Names:\s*\[\]string\{(.*?)\},\s*Action:\s*specs\.Act(\w+),", text, re.S):
        under = [mark for at, mark in marks if at < m.start()][-1]
        if under not in TAKEN:
            continue
        rest = text[m.end():(re.compile(r"Names:").search(text, m.end()) or re.search("$", text)).start()]
        e = {"names": re.findall(r'"(\w+)"', m[1]), "action": f"SCMP_ACT_{m[2].upper()}"}
        args = [{k: v for k, v in re.findall(r"(Index|Value|ValueTwo|Op):\s*([^,]*),", block)}
                for block in re.findall(r"\{\s*(Index:.*?)\}", rest, re.S)]
        if args:
            e["args"] = [{"index": int(a["Index"]), "value": number(a["Value"]), "valueTwo": number(a.get("ValueTwo", "0")),
                          "op": "SCMP_CMP_" + OPS[a["Op"].removeprefix("specs.")]} for a in args]
        if "ErrnoRet:" in rest:
            e["errnoRet"] = 38
        out.append(e)
    return json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": out,
                       "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]}, indent=1) + "\n"


def git(*argv):
    return subprocess.run(["git", *argv], capture_output=True, check=False)


def fetched(row, scratch):
    """The bytes of a row's file; None: not to be had."""
    path, _, kind = row["path"].partition(" ")
    if row["repository"].startswith("debian:"):
        sys.path.insert(0, str(TABLE.parents[1]))
        from archive import unpacked
        return (unpacked("bookworm", row["repository"].partition(":")[2]) / path).read_bytes()
    owner, name = row["repository"].split("/")
    where = GIT.format(owner=owner, name=name)
    for commit in (row["commit"], "HEAD"):  # a newer one may hold the same file, and a history may be rewritten
        if pathlib.Path(where).is_dir():
            r = git("--git-dir", where, "show", f"{commit}:{path}")
        else:
            bare = scratch / f"{owner}+{name}"
            git("init", "-q", "--bare", bare)
            git("--git-dir", bare, "fetch", "-q", "--depth", "1", where, commit)
            r = git("--git-dir", bare, "show", f"FETCH_HEAD:{path}")
        text = of_containerd(r.stdout.decode()).encode() if r.returncode == 0 and kind == "go" else r.stdout
        if hashlib.sha256(text).hexdigest() == row["sha256"]:
            return text
    return None


def main(where):
    where.mkdir(parents=True, exist_ok=True)
    missing = []
    with tempfile.TemporaryDirectory() as scratch:
        for row in ROWS:
            to = where / f"{row['sha256']}.json"
            if to.exists():
                continue
            text = fetched(row, pathlib.Path(scratch))
            if text is None:
                missing.append(f"{row['repository']} {row['path']}")
            else:
                to.write_bytes(text)
    print(f"{len(ROWS) - len(missing)} of {len(ROWS)} profiles", *missing, sep="\nnot to be had: ")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
