# SPDX-License-Identifier: Apache-2.0
"""What recording costs a container: redis and nginx in Docker, unrecorded, recorded by --container, and
beside one that is recorded; the same programs outside of Docker. Modes take turns within a round; figures
are medians over the rounds of the servers' processor time for a request, as ratios to unrecorded ones. Wants
root, dockerd and the packages; says what is missing."""
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "fleet")]

import roots  # noqa: E402
import services  # noqa: E402
from engines import Docker  # noqa: E402
from table import BUILD, PALE, ROUNDS  # noqa: E402

REQUESTS = int(os.environ.get("REQUESTS", "40000"))


def cpu_below(cgroup):
    """Nanoseconds that the threads of the cgroup's processes have run; it loses those that have ended, and none do."""
    total = 0
    for pid in (cgroup / "cgroup.procs").read_text().split():
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total


def cgroup_of(pid):
    line = next(w for w in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines() if w.startswith("0::"))
    top = next(d for d in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(f"{d}/cgroup.procs"))
    return pathlib.Path(top + line[3:])


def load(name, pid):
    """Asks so often from the server's own network; the requests that were made."""
    inside = ["nsenter", "-t", str(pid), "-n"]
    if name == "redis":
        subprocess.run([*inside, "redis-benchmark", "-t", "get", "-n", str(REQUESTS), "-c", "20", "-q"], check=True,
                       capture_output=True, timeout=300)
        return REQUESTS
    out = subprocess.run([*inside, BUILD / "tests/bench/httpload", "80", "1"], check=True, capture_output=True, text=True, timeout=300)
    return float(out.stdout)  # a second's


def answers(name, pid):
    end = time.monotonic() + 60
    ask = ["redis-cli", "ping"] if name == "redis" else ["curl", "-sf", "-o", "/dev/null", "http://127.0.0.1/"]
    while subprocess.run(["nsenter", "-t", str(pid), "-n", *ask], capture_output=True, timeout=60).returncode:
        if time.monotonic() > end:
            raise SystemExit(f"{name} does not answer")
        time.sleep(0.05)


@contextlib.contextmanager
def container(docker, service, name):
    docker("run", "-d", "--network", "none", "--name", name, "--security-opt", "seccomp=unconfined", f"pale/{service.name}", *service.argv)
    try:
        yield int(docker("inspect", "-f", "{{.State.Pid}}", name))
    finally:
        docker("rm", "-f", name)


@contextlib.contextmanager
def recorder(docker, *what):
    p = subprocess.Popen([PALE, "learn", "-o", "/dev/null", "--allow-loss", *what], env=docker.env, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 60
        while pathlib.Path(f"/proc/{p.pid}/syscall").read_text().split()[0] not in ("7", "271"):  # poll, ppoll
            if time.monotonic() > end:
                raise SystemExit("the recorder does not start")
            time.sleep(0.02)
        yield
    finally:
        p.terminate()
        if p.wait(60) not in (0, 1):
            raise SystemExit(p.stderr.read())


def measured(name, pid):
    answers(name, pid)
    load(name, pid)  # what is made once is made
    before = cpu_below(cgroup_of(pid))
    n = load(name, pid)
    return (cpu_below(cgroup_of(pid)) - before) / n


def in_docker(docker, service, mode):
    with contextlib.ExitStack() as stack:
        if mode == "recorded":
            stack.enter_context(recorder(docker, "--container", service.name, "--wait"))
        if mode == "beside":
            stack.enter_context(container(docker, service, "another"))
            stack.enter_context(recorder(docker, "--container", "another"))
        return measured(service.name, stack.enter_context(container(docker, service, service.name)))


def outside(docker, service, mode):
    """Of the same root, in a network and a cgroup of its own, started by no engine."""
    top = next(d for d in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(f"{d}/cgroup.procs"))
    group = pathlib.Path(top, f"pale-bench-{os.getpid()}")
    group.mkdir()
    try:
        with contextlib.ExitStack() as stack:
            if mode == "recorded":
                stack.enter_context(recorder(docker, "--cgroup", str(group), "--until", "1h"))
            inside = 'echo $$ > "$0"; ip link set lo up; root=$1; shift; exec chroot "$root" "$@"'
            p = subprocess.Popen(["unshare", "-n", "sh", "-c", inside, group / "cgroup.procs", docker.dir / service.name, *service.argv],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                return measured(service.name, p.pid)
            finally:
                p.terminate()
                p.wait(60)
    finally:
        for _ in range(100):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.05)


def main():
    need = {"redis": "redis-server", "nginx": "nginx-light"}
    if os.geteuid() or not shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin") or not roots.is_installed(need.values()):
        raise SystemExit("bench_containers: wants root, dockerd, redis-server and nginx-light")
    all_of = services.services()
    rows = {}
    with tempfile.TemporaryDirectory(prefix="pale-bench-") as d:
        docker = Docker(pathlib.Path(d))
        try:
            for name in need:
                s = all_of[name]
                extra = {**s.extra, **({"etc/nginx/conf.d/many.conf": "keepalive_requests 10000000;\n"} if name == "nginx" else {})}
                tar = roots.make(docker.dir / "tar", s.packages, extra, docker.dir / ("made-" + name))
                docker.imports(tar, f"pale/{name}")
                (docker.dir / name).mkdir()
                subprocess.run(["tar", "-C", docker.dir / name, "-x", "-f", tar], check=True, timeout=300)
                for i, node in enumerate(("null", "zero", "random", "urandom")):
                    os.mknod(docker.dir / name / "dev" / node, 0o020666, os.makedev(1, (3, 5, 8, 9)[i]))
            for name in need:
                cells = {("Docker", m): [] for m in ("unrecorded", "recorded", "beside")} | {("outside", m): [] for m in ("unrecorded", "recorded")}
                for _ in range(ROUNDS):
                    for where, mode in cells:
                        cells[where, mode].append((in_docker if where == "Docker" else outside)(docker, all_of[name], mode))
                rows[name] = {k: statistics.median(v) for k, v in cells.items()}
        finally:
            docker.clear()
            docker.end()
    print(f"containers: the servers' processor time for a request, medians of {ROUNDS} interleaved rounds, load {os.getloadavg()[0]:.0f}")
    print(f"{'':8}{'Docker, us':>12}{'recorded':>10}{'beside':>10}{'outside, us':>13}{'recorded':>10}")
    for name, r in rows.items():
        base, bare = r["Docker", "unrecorded"], r["outside", "unrecorded"]
        print(f"{name:8}{base / 1000:12.2f}{r['Docker', 'recorded'] / base:10.2f}{r['Docker', 'beside'] / base:10.2f}"
              f"{bare / 1000:13.2f}{r['outside', 'recorded'] / bare:10.2f}", flush=True)


if __name__ == "__main__":
    main()
