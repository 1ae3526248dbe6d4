# SPDX-License-Identifier: Apache-2.0
"""`make demo`: the main job on a real workload. Learns Debian's nginx, compiles the policy,
runs nginx under it, shows four attacks refused, lints a profile found on the web."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PALE = ROOT / "build" / "pale"
OUT = pathlib.Path(os.environ.get("DEMO_OUT", ROOT / "demo-out")).resolve()
ATTACK = ROOT / "build/tests/live/attack"
ATTACKS = {"ptrace": "ptrace(PTRACE_TRACEME)", "vsock": "socket(AF_VSOCK, SOCK_STREAM)",
           "userns.unshare": "unshare(CLONE_NEWUSER)", "bpf": "bpf(BPF_MAP_CREATE)"}
TTY = sys.stdout.isatty() and "NO_COLOR" not in os.environ
T0 = time.monotonic()


def title(n, text):
    line = f"[{n}/4] {text}"
    print(f"\n\033[1m{line}\033[0m" if TTY else f"\n{line}", flush=True)


def say(text):
    print(f"  {text}", flush=True)


def die(text, r=None):
    print(f"demo: {text}", file=sys.stderr)
    if r is not None:
        print(r.stdout, r.stderr, sep="\n", file=sys.stderr)
    sys.exit(1)


def run(*argv, ok=(0,)):
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, cwd=ROOT,
                       stdin=subprocess.DEVNULL)
    if ok is not None and r.returncode not in ok:
        die(f"{' '.join(map(str, argv))}: status {r.returncode}", r)
    return r


def rel(path):
    path = pathlib.Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def nginx(*prefix):
    """Debian's nginx with Debian's configuration, exercised by tests/workloads.py."""
    return run(sys.executable, ROOT / "tests/workloads.py", "nginx", *prefix)


def learn():
    title(1, "learn nginx: start, 200, 404, range, reload (HUP), reopen (USR1), quit")
    t = time.monotonic()
    r = nginx(PALE, "learn", "--name", "nginx", "--for", "run,runc-nnp", "-o", OUT / "nginx.pale", "--")
    (OUT / "learn.log").write_text(r.stderr)
    text = (OUT / "nginx.pale").read_text()
    say(f"{time.monotonic() - t:.1f} s; the proposal is {rel(OUT / 'nginx.pale')}, "
        f"{len(text.splitlines())} lines, each rule with its evidence:")
    lines = text.splitlines()
    for line in lines[:14]:
        print(f"    | {line}"[:110])
    print(f"    | ... ({len(lines) - 14} lines more)")


def compile_():
    title(2, "compile it: Docker JSON, raw BPF, AppArmor")
    r = run(PALE, "compile", OUT / "nginx.pale", "-t", "all", "-o", OUT)
    (OUT / "compile.log").write_text(r.stderr)
    for line in r.stderr.splitlines():
        say(line.replace(f"{ROOT}/", ""))
    say("")
    for line in layers():
        say(line)
    say("")
    say("use them:")
    say(f"  apparmor_parser -r {OUT / 'nginx.apparmor'}")
    say(f"  docker run --security-opt no-new-privileges --security-opt "
        f"seccomp={OUT / 'nginx.docker.json'} --security-opt apparmor=nginx IMAGE")
    say(f"  {rel(PALE)} run {rel(OUT / 'nginx.pale')} -- /usr/sbin/nginx -g 'daemon off;'")


def layers():
    """What each layer enforces, counted in the artifacts themselves."""
    entries = json.loads((OUT / "nginx.docker.json").read_text())["syscalls"]
    allowed = [e for e in entries if e["action"] == "SCMP_ACT_ALLOW"]
    always = {n for e in allowed if not e.get("args") for n in e["names"]}
    some = {n for e in allowed if e.get("args") for n in e["names"]} - always
    profile = (OUT / "nginx.apparmor").read_text()
    count = {k: len(re.findall(rf"^  (?:[a-z]+ )*{k}", profile, re.M))
             for k in ("capability", "network", "signal", "/")}
    yield (f"seccomp enforces:  {len(always)} calls always, {len(some)} by their arguments "
           f"({', '.join(sorted(some))}); all else is refused")
    yield (f"AppArmor enforces: {count['/']} file rules, {count['network']} network, "
           f"{count['capability']} capability, {count['signal']} signal")
    yield "pale run enforces: seccomp, the capability bounding set and, where the kernel has it, AppArmor"


def refusals(report):
    return json.loads(report.read_text())


def enforce():
    title(3, "run nginx under it, same requests; then attack it from inside")
    layers = ["--layers", "seccomp"]
    enabled = pathlib.Path("/sys/module/apparmor/parameters/enabled")
    if enabled.exists() and enabled.read_text().strip() == "Y":
        layers = []
    else:
        say("this kernel has no AppArmor: left out knowingly, with --layers seccomp")
    report = OUT / "nginx.report.json"
    t = time.monotonic()
    nginx(PALE, "run", OUT / "nginx.pale", *layers, "--count", "--report", report, "--")
    n = refusals(report)["total"]
    say(f"every request answered as before, {time.monotonic() - t:.1f} s; refused calls: {n}")
    if n:
        die("nginx was refused something that it was learned with")
    total = n
    for name, what in ATTACKS.items():
        free = run(ATTACK, name).stdout
        if not re.search(rf"^{re.escape(name)} ok", free, re.M):
            die(f"{what} does not succeed here even without a policy: {free}")
        report = OUT / f"attack.{name}.json"
        r = run(PALE, "run", OUT / "nginx.pale", "--layers", "seccomp", "--count", "--report",
                report, "--", ATTACK, name, ok=None)
        got = refusals(report)
        if not re.search(rf"^{re.escape(name)} refused", r.stdout, re.M) or not got["total"]:
            die(f"{what} was not refused", r)
        total += got["total"]
        first = got["refusals"][0]
        say(f"{what:32} without: ok   under the policy: {r.stdout.split()[-1]}, refused by "
            f"{first['why'].replace(f'{ROOT}/', '')}; count {total}")


def lint():
    title(4, "lint a profile found on the web: profiles/found/seccomp-profile.json")
    lint = (PALE, "lint", "--runtime", "any", "profiles/found/seccomp-profile.json")
    r = run(*lint, ok=(0, 1))
    (OUT / "lint.txt").write_text(r.stdout)
    print(run(*lint, "--severity", "high", ok=(0, 1)).stdout.rsplit("\n\n", 1)[0])
    say("")
    say(f"the gravest; all of them in {rel(OUT / 'lint.txt')}: {r.stdout.splitlines()[-1].split(': ', 1)[1]}")


def main():
    if os.geteuid() != 0:
        die("needs root: eBPF, private namespaces, nginx on port 80")
    if OUT.exists():
        shutil.rmtree(OUT)
    OUT.mkdir(parents=True)
    learn()
    compile_()
    enforce()
    lint()
    print(f"\ndone in {time.monotonic() - T0:.0f} s; everything it made is in {rel(OUT)}/")


if __name__ == "__main__":
    main()
