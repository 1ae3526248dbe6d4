#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The closed loop: learn each job on one load, run it with another under what was proposed.

    loop.py [-k NAME,...] [--keep DIR] [--json FILE]

For each of jobs/: recorded on its first and its second load; then its third load runs under
`pale run --count` with the proposal of the first recording without a margin, with one, and of both
recordings. Printed: calls that were refused by default, calls that each allows, how many a margin
added, how many of Docker's default remain. Wants root; a job that fails is named, and the status 1.
Runs in private network and mount namespaces.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import jobs

ROOT = pathlib.Path(__file__).resolve().parents[2]
PALE = os.environ.get("PALE", str(ROOT / "build/pale"))
PRELUDE = r"""
nc_line() { perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(PeerAddr=>"127.0.0.1",PeerPort=>$ARGV[1]) or exit 1;
	$t=$ARGV[0]; $t=~s/\\r/\r/g; $t=~s/\\n/\n/g; print $s "$t\r\nquit\r\n"; $s->flush; 1 while <$s>' "$1" "$2"; }
unix_line() { perl -MIO::Socket::UNIX -e '$s=IO::Socket::UNIX->new(Peer=>$ARGV[1]) or exit 1; print $s "$ARGV[0]\n"; $s->flush; 1 while <$s>' "$1" "$2"; }
fcgi() { SCRIPT_FILENAME=$1 SCRIPT_NAME=/x REQUEST_METHOD=GET QUERY_STRING= cgi-fcgi -bind -connect 127.0.0.1:$PORT >/dev/null; }
ssh_to() { ssh -q -n -i $D/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -p $PORT root@127.0.0.1 "$@"; }
"""
TIMEOUT = 120


class Failed(Exception):
    pass


def shell(env, text, check=False):
    r = subprocess.run(["sh", "-c", PRELUDE + text], env=env, cwd=env["D"], timeout=TIMEOUT,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)
    if check and r.returncode:
        raise Failed(f"{text[:60]!r} ended with {r.returncode}")
    return r.returncode == 0


def child_of(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    try:
        kids = path.read_text().split()
    except OSError:
        kids = []
    return int(kids[0]) if kids else None


def run_job(job, n, prefix, base, keep):
    """Its load n, the program behind prefix, in a directory of its own. The status of the prefix's command."""
    d = pathlib.Path(tempfile.mkdtemp(prefix=job.name + ".", dir=base))
    try:
        return run_in(d, job, n, prefix, keep)
    finally:
        shutil.rmtree(d, ignore_errors=True)


def run_in(d, job, n, prefix, keep, again=False):
    """The same in directory d, which stays; again: as it was left."""
    env = {**os.environ, "D": str(d), "KEEP": str(keep), "PORT": "7411", "HOME": str(d), "LC_ALL": "C.UTF-8"}
    try:
        if not again:
            shell(env, job.get("setup"), check=True)
        if not job.is_server:
            (d / "work").write_text(job.text(n))
        words = subprocess.run(["sh", "-c", f"printf '%s\\0' {job.head['argv']}"], env=env, cwd=d,
                               capture_output=True, check=True).stdout.decode().split("\0")[:-1]
        with open(d / ".out", "wb") as out:
            proc = subprocess.Popen([*prefix, *words], env=env, cwd=d, stdin=subprocess.DEVNULL,
                                    stdout=out, stderr=subprocess.STDOUT)
            try:
                if job.is_server:
                    serve(job, n, env, proc)
                return proc.wait(TIMEOUT), (d / ".out").read_text(errors="replace")
            except subprocess.TimeoutExpired:
                raise Failed("did not end") from None
            finally:
                if proc.poll() is None:
                    pid = child_of(proc.pid)
                    for p in (pid, proc.pid):
                        if p:
                            os.kill(p, signal.SIGKILL)
                    proc.wait()
    finally:
        if (d / "spid").exists():
            shell(env, "kill $(cat spid)")


def serve(job, n, env, proc):
    end = time.monotonic() + 60
    while not shell(env, job.get("ready")):
        if proc.poll() is not None:
            return  # refused at its start: the report says what
        if time.monotonic() > end:
            raise Failed("is not ready after 60 s")
        time.sleep(0.1)  # nothing else tells that a server answers
    pid = child_of(proc.pid)
    shell({**env, "PID": str(pid)}, job.text(n))
    if pid and proc.poll() is None:
        os.kill(pid, signal.SIGTERM)


def pale(*args):
    r = subprocess.run([PALE, *map(str, args)], capture_output=True, text=True)
    if r.returncode not in (0, 1):
        raise Failed(f"pale {args[0]}: {r.stderr.strip()[:200]}")
    return r.stdout


def allowed(policy):
    """Names of calls that the policy lets pass somehow, as its JSON says."""
    out = subprocess.run([PALE, "compile", "-q", "--target", "docker", str(policy)],
                         capture_output=True, text=True)
    if out.returncode:
        raise Failed(f"pale compile: {out.stderr.strip()[:200]}")
    names = set()
    for entry in json.loads(out.stdout)["syscalls"]:
        if entry["action"] == "SCMP_ACT_ALLOW":
            names |= set(entry["names"])
    return names


def replay(job, policy, base, keep, work):
    report = work / "report.json"
    report.unlink(missing_ok=True)
    run_job(job, 3, [PALE, "run", "--layers", "seccomp", "--count", "--report", str(report), str(policy), "--"],
            base, keep)
    if not report.exists():
        raise Failed("wrote no report")
    data = json.loads(report.read_text())
    return sorted({r["name"] for r in data["refusals"] if r["by"] != "rule"})


def learn(job, n, base, keep, out):
    status, text = run_job(job, n, [PALE, "learn", "--allow-loss", "-r", str(out), "-o", "/dev/null", "--"], base, keep)
    if not out.exists():
        raise Failed(f"learn ended with {status}: {text[-300:]}")


VARIANTS = (("one", [0], "none"), ("family", [0], "family"), ("two", [0, 1], "none"),
            ("two+family", [0, 1], "family"))


def loop(job, base, work):
    keep = work / "keep"
    keep.mkdir(parents=True)
    env = {**os.environ, "KEEP": str(keep), "D": str(work), "HOME": str(work)}
    if job.get("once"):
        shell(env, job.get("once"), check=True)
    recs = [work / "1.rec", work / "2.rec"]
    for n, rec in enumerate(recs, 1):
        learn(job, n, base, keep, rec)
    row = {"name": job.name}
    for name, which, margin in VARIANTS:
        policy = work / f"{name}.pale"
        pale("propose", "--allow-loss", "--margin", margin, "-o", policy, *[recs[i] for i in which])
        unseen = re.search(r"# unseen: +about (\d+)", policy.read_text())
        row["unseen"] = int(unseen[1]) if unseen else row.get("unseen")
        row[name] = {"allowed": sorted(allowed(policy)), "refused": replay(job, policy, base, keep, work)}
    return row


def table(rows):
    dockers = allowed(ROOT / "profiles/docker-default.pale")
    print(f"{'':12}" + "".join(f"{v[0]:>22}" for v in VARIANTS))
    print(f"{'':12}" + f"{'refused allows':>22}" * len(VARIANTS))
    for r in rows:
        print(f"{r['name']:12}" + "".join(f"{len(r[v]['refused']):>15}{len(r[v]['allowed']):>7}"
                                          for v, *_ in VARIANTS))
        for v, *_ in VARIANTS[:2]:
            if r[v]["refused"]:
                print(f"{'':14}{v}: {' '.join(r[v]['refused'])}")
    more = [len(r["family"]["allowed"]) - len(r["one"]["allowed"]) for r in rows]
    print(f"\n{len(rows)} workloads. With any refusal by default: " + ", ".join(
        f"{sum(bool(r[v]['refused']) for r in rows)} ({v})" for v, *_ in VARIANTS))
    if rows:
        print(f"a margin adds a median of {statistics.median(more):g} calls (at most {max(more)}); "
              "of Docker's default's calls are left: " + ", ".join(
                  f"{statistics.median(100 * len(set(r[v]['allowed']) & dockers) / len(dockers) for r in rows):.0f} % ({v})"
                  for v, *_ in VARIANTS))
        print("estimated to be unseen after both runs (Chao, over runs): a median of "
              f"{statistics.median(r['unseen'] for r in rows):g} calls; what the third run then asked for and "
              f"neither had made: {statistics.median(len(r['two']['refused']) for r in rows):g}")


def enter_namespaces():
    if os.geteuid():
        sys.exit("loop: wants root: programs are recorded by eBPF, in namespaces of their own")
    if not os.environ.get("PALE_LOOP_INSIDE"):
        os.environ["PALE_LOOP_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    ap.add_argument("-k", default="")
    ap.add_argument("--json")
    ap.add_argument("--keep")
    ap.add_argument("--packages", action="store_true", help="print what the jobs need, and end")
    args = ap.parse_args()
    if args.packages:
        print(*sorted({p for j in jobs.JOBS for p in j.head["packages"].split()}))
        return 0
    enter_namespaces()
    chosen = [j for j in jobs.JOBS if not args.k or j.name in args.k.split(",")]
    rows = []
    with tempfile.TemporaryDirectory(dir="/srv", prefix="loop.") as base:
        os.chmod(base, 0o755)
        top = pathlib.Path(args.keep or base)
        for job in chosen:
            began = time.monotonic()
            try:
                rows.append(loop(job, base, top / ("of-" + job.name)))
                print(f"{job.name}: {time.monotonic() - began:.1f} s", file=sys.stderr)
            except (Failed, subprocess.SubprocessError) as e:
                print(f"{job.name}: {e}", file=sys.stderr)
    table(rows)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1))
    return 0 if len(rows) == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
