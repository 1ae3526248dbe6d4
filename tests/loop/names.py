#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a run's file rules are worth for the next run: the names that are made anew, and what is beside them.

    names.py [-k NAME,...] [--load N] [--many] [--keep DIR] [--json FILE]

Each of jobs/ does its third load (or another) twice, from nothing, in the same place; a server is then
started once more on what it left. All are recorded, and each access of the second and the third is asked of
the first one's proposal, as its AppArmor profile has it. Printed: accesses that it would refuse; rules; rules
that say a name is made anew where both runs have that very name; paths that are there, that widened rules
let it use and that the run did not use, outside directories that it wrote in. (Process ids aside: AppArmor has
one name for all of them.) Then: rsync of 1,000 files, and a directory of 30,000 that are read. Wants root, and
the packages of loop.py.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import jobs
import loop

sys.path.insert(0, str(loop.ROOT / "tests"))
from recordings import Recording  # noqa: E402

# What rules say of a name that is another one each time. A hash is the same of the same content, and a number of a file
# that was gone may come again: what is said of those is that the file was gone.
ANEW = ("a random name", "a UUID in the name", "a time in the name", "the number of a process of the run", "differs from run to run")
IDS = ("a process id", "a thread's id", "a descriptor's number")
FEATURES = "/usr/share/apparmor-features/features"


# ---- rules ----

def file_rules(text):
    """(rights, glob, comment) of each, below one another as proposals have them."""
    rule = r'^ +(?:owner )?file (\w+) (\S+?|"(?:[^"\\]|\\.)*"); +# ([^\n]*)$'
    return [(m[1], m[2].strip('"'), m[3]) for m in re.finditer(rule, text, re.M)]


def why(comment):
    """Why a rule is wider than a name; "" where it is not."""
    return comment.split(": ", 1)[1] if ": " in comment else ""


def machine(glob):
    """Without variables, as they are on this machine."""
    multiarch = next(pathlib.Path("/usr/lib").glob("*-linux-gnu*")).name
    for name, value in (("multiarch", multiarch), ("PROC", "/proc"), ("run", "/run"), ("pid", "[0-9]*"), ("tid", "[0-9]*")):
        glob = glob.replace(f"@{{{name}}}", value)
    return glob


def piece(glob):
    """A glob's component as a regular expression: what proposals write."""
    out, i = "", 0
    while i < len(glob):
        c = glob[i]
        if c == "\\":
            i += 1
            out += re.escape(glob[i])
        elif c == "[":
            end = glob.index("]", i)
            out += glob[i:end + 1]
            i = end
        else:
            out += {"*": "[^/]*", "?": "[^/]"}.get(c) or re.escape(c)
        i += 1
    return out


def pattern(glob):
    """@{HOME} is not known here: what it stands for is the user's own."""
    return re.compile("".join(".+" if p == "**" else piece(p) for p in re.split(r"(\*\*)", machine(glob))), re.S)


def there(glob):
    """Paths that exist and that it matches; no links, which AppArmor never sees."""
    glob = machine(glob)
    if "@{" in glob:
        return set()
    first = re.search(r"[*?\[]", glob)
    top = glob[:first.start()].rpartition("/")[0].replace("\\", "") or "/"
    match, deep, found = pattern(glob), glob.count("/"), set()
    for d, dirs, files in os.walk(top):
        for name in files + [x + "/" for x in dirs]:
            path = os.path.join(d, name)
            if match.fullmatch(path) and not os.path.islink(path.rstrip("/")):
                found.add(path)
        if "**" not in glob and d.rstrip("/").count("/") + 1 >= deep - glob.endswith("/"):
            dirs.clear()
    return found


# ---- questions ----

def accesses(recording):
    """(path, question) of each access, as `pale sim --raw` reads it."""
    for path, (rights, owned) in sorted(recording.files.items()):
        said = path.replace("\\", "\\134").replace("\t", "\\t").replace("\n", "\\n")
        whose = "owner" if owned else "other"
        rights = rights.replace("-", "")
        opened = "".join(c for c in rights if c in "rwamk")
        if "w" in opened:
            opened = opened.replace("a", "")
        if opened:
            yield path, f"open\t{whose}\t{said}\t{opened}"
        if "x" in rights:
            yield path, f"exec\t{said}"
        if "l" in rights:  # which file it is a name of was not kept: of itself it asks no more than that there be one
            yield path, f"link\t{whose}\t{said}\t{said}"


def refused(policy, recording, work):
    """Accesses that the policy's profile would refuse."""
    profile = work / "asked.apparmor"
    loop.pale("compile", "-q", "-t", "apparmor", policy, "-o", profile)
    asked = list(accesses(recording))
    r = subprocess.run([loop.PALE, "sim", profile, "--raw"], input="".join(q + "\n" for _, q in asked), capture_output=True,
                       text=True, errors="surrogateescape")
    answers = r.stdout.splitlines()
    if r.returncode or len(answers) != len(asked):
        raise loop.Failed(f"pale sim: {r.stderr.strip()[:200]}")
    return [q.replace("\t", " ") for (_, q), a in zip(asked, answers) if not a.startswith("allowed")]


def wrong(rules, first, second):
    """Rules that call a name new which the second run has too."""
    both = first.files.keys() & second.files.keys()
    return [f"{glob}: {path}" for _, glob, comment in rules if any(a in why(comment) for a in ANEW)
            for path in sorted(both) if pattern(glob).fullmatch(path)]


def beyond(rules, recording):
    """Paths that are there and allowed for a widened rule alone, where the run wrote nothing."""
    wrote = {os.path.dirname(p.rstrip("/")) for p, (rights, _) in recording.files.items() if set(rights) & set("wal")}
    more = set()
    for _, glob, comment in rules:
        if why(comment) and not why(comment).startswith(IDS):
            more |= {p for p in there(glob) if p not in recording.files and os.path.dirname(p.rstrip("/")) not in wrote}
    return sorted(more)


# ---- jobs ----

def learn(job, n, prefix, d, keep, again):
    status, text = loop.run_in(d, job, n, prefix, keep, again)
    rec = pathlib.Path(prefix[prefix.index("-r") + 1])
    if not rec.exists():
        raise loop.Failed(f"learn ended with {status}: {text[-300:]}")
    return Recording(rec)


def twice(job, load, base, work):
    keep, d = work / "keep", pathlib.Path(base, job.name)
    keep.mkdir(parents=True)
    if job.get("once"):
        loop.shell({**os.environ, "KEEP": str(keep), "D": str(work), "HOME": str(work)}, job.get("once"), check=True)
    row, recs = {"name": job.name}, []
    for n, name in enumerate(("first", "anew", "left")[:3 if job.is_server else 2]):
        if name != "left":
            shutil.rmtree(d, ignore_errors=True)
            d.mkdir(mode=0o755)
        prefix = [loop.PALE, "learn", "--allow-loss", "-r", str(work / f"{name}.rec"), "-o", str(work / f"{name}.pale"), "--"]
        recs.append(learn(job, load, prefix, d, keep, name == "left"))
        if n:
            row[name] = refused(work / "first.pale", recs[n], work)
            continue
        rules = file_rules((work / "first.pale").read_text())
        row["rules"], row["paths"], row["beyond"] = len(rules), len(recs[0].files), beyond(rules, recs[0])
    row["wrong"] = wrong(rules, recs[0], recs[1])
    shutil.rmtree(d)
    return row


def rsync_of_many(base):
    """File rules of an rsync of 1,000 files in 40 directories, recorded with all that it makes."""
    top = pathlib.Path(base, "many")
    for i in range(40):
        (top / f"s/d{i}").mkdir(parents=True)
        for k in range(25):
            (top / f"s/d{i}/{'abcdefghijklmnopqrstuvwxy'[k]}-file").write_text(f"{i} {k}")
    out = top / "p.pale"
    loop.pale("learn", "-o", out, "--", "rsync", "-a", f"{top}/s/", f"{top}/b/")
    return len(file_rules(out.read_text()))


def read_30000(base):
    """(rules for the files, seconds of a processor that apparmor_parser takes for the profile)."""
    top = pathlib.Path(base, "d")
    top.mkdir()
    for i in range(30000):
        (top / f"f{i}").touch()
    out, profile = pathlib.Path(base, "d.pale"), pathlib.Path(base, "d.apparmor")
    loop.pale("learn", "--max-paths", 40000, "-o", out, "--", "sh", "-c", f"cd {top} && find . -type f | xargs cat")
    loop.pale("compile", "-q", "-t", "apparmor", out, "-o", profile)
    before = os.times().children_user + os.times().children_system
    subprocess.run(["apparmor_parser", "-QK", "-M", FEATURES, profile], check=True, stderr=subprocess.DEVNULL)
    took = os.times().children_user + os.times().children_system - before
    return [r for r in file_rules(out.read_text()) if r[1].startswith(f"{top}/") and r[1] != f"{top}/"], took


def table(rows):
    print(f"{'':12}{'paths':>8}{'rules':>8}{'anew':>8}{'left':>8}{'wrong':>8}{'beyond':>8}")
    for r in rows:
        left = str(len(r["left"])) if "left" in r else "-"
        print(f"{r['name']:12}{r['paths']:8}{r['rules']:8}{len(r['anew']):8}{left:>8}{len(r['wrong']):8}{len(r['beyond']):8}")
        for what in ("anew", "left", "wrong", "beyond"):
            for line in r.get(what, [])[:20]:
                print(f"{'':14}{what}: {line}")
    if rows:
        print(f"\n{len(rows)} workloads: names that are wrongly said to be made anew: {sum(len(r['wrong']) for r in rows)}; "
              f"paths that nothing used and widened rules allow: a median of {statistics.median(len(r['beyond']) for r in rows):g}")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    ap.add_argument("-k", default="")
    ap.add_argument("--load", type=int, choices=(1, 2, 3), default=3)
    ap.add_argument("--many", action="store_true", help="rsync and the 30,000 files too, where -k names jobs")
    ap.add_argument("--json")
    ap.add_argument("--keep")
    args = ap.parse_args()
    loop.enter_namespaces()
    chosen = [j for j in jobs.JOBS if not args.k or j.name in args.k.split(",")]
    rows = []
    with tempfile.TemporaryDirectory(dir="/srv", prefix="names.") as base:
        os.chmod(base, 0o755)
        top = pathlib.Path(args.keep or base)
        for job in chosen:
            try:
                rows.append(twice(job, args.load, base, top / ("of-" + job.name)))
            except (loop.Failed, subprocess.SubprocessError) as e:
                print(f"{job.name}: {e}", file=sys.stderr)
        table(rows)
        figures = {"jobs": rows}
        if not args.k or args.many:
            rules, seconds = read_30000(base)
            figures |= {"rsync": rsync_of_many(base), "read": len(rules), "parser": seconds}
            print("rsync of 1,000 files: {rsync} rules for files\n30,000 files of a directory, read: {read} rules for them; "
                  "apparmor_parser takes {parser:.2f} s of a processor".format(**figures))
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(figures, indent=1))
    return 0 if len(rows) == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
