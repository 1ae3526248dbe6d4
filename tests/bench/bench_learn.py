# SPDX-License-Identifier: Apache-2.0
"""What recording costs what is recorded, and the machine beside it: a loop of getppid, redis, nginx, gcc
and git. Modes take turns within a round; the figures are medians over the rounds, as ratios to
the untraced run: processor time of the measured processes / wall clock. The loop's figure is its
best 2,000 calls. No recorder by tracepoints can go below the empty program at sys_enter, which stands
in the same table; one that sees results as well has another at sys_exit."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from table import BUILD, PALE, ROUNDS, cost

LEARN = [PALE, "learn", "-o", "/dev/null", "--backend"]
EMPTY = [str(BUILD / "tests/bench/empty")]
IDLE = [*LEARN, "ebpf", "--", "cat"]
# name: (what the job is started by, what runs beside it until its input ends)
MODES = {
    "untraced": ([], None),
    "empty": ([], [*EMPTY, "sys_enter"]),
    "empty, both": ([], [*EMPTY, "sys_enter", "sys_exit"]),
    "ebpf": ([*LEARN, "ebpf", "--"], None),
    "beside ebpf": ([], IDLE),
    "ebpf calls": ([*LEARN, "ebpf", "--no-files", "--"], None),
    "seccomp": ([*LEARN, "seccomp", "--"], None),
    "secc. calls": ([*LEARN, "seccomp", "--no-files", "--"], None),
    "ptrace": ([*LEARN, "ptrace", "--"], None),
    "strace -f -c": (["strace", "-f", "-c", "-o", "/dev/null"], None),
}


def is_slow(prefix):
    return "strace" in prefix or "ptrace" in prefix


@contextlib.contextmanager
def beside(argv):
    """That it is ready a line on its output says; the recorder has its child say one."""
    if not argv:
        yield
        return
    p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if argv is IDLE:
            p.stdin.write(b"ready\n")
            p.stdin.flush()
        if not p.stdout.readline():
            raise SystemExit(f"{argv[0]} does not start: it needs root")
        yield
    finally:
        p.stdin.close()
        p.stdout.read()
        p.wait(60)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def serve(argv, port):
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    for _ in range(2000):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return p
        except OSError:
            if p.poll() is not None:
                raise SystemExit(f"{argv[0]} ended with {p.returncode}")
            time.sleep(0.01)
    raise SystemExit("the server does not listen")


def cpu_of(pid):
    """Nanoseconds that its threads have run."""
    return sum(int((t / "schedstat").read_text().split()[0])
               for t in pathlib.Path(f"/proc/{pid}/task").iterdir())


def soon(path):
    """What stands in the file, once something does."""
    for _ in range(2000):
        with contextlib.suppress(FileNotFoundError):
            if text := pathlib.Path(path).read_text():
                return text
        time.sleep(0.01)
    raise SystemExit(f"{path} stays empty")


def redis(prefix, tmp):
    port = free_port()
    cli = ["redis-cli", "-p", str(port)]
    p = serve([*prefix, "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
               "--dir", tmp], port)
    info = subprocess.run([*cli, "info", "server"], capture_output=True, text=True, check=True).stdout
    pid = int(info.split("process_id:")[1].split()[0])
    n = 10000 if is_slow(prefix) else 100000
    cpu = cpu_of(pid)
    out = subprocess.run(["redis-benchmark", "-p", str(port), "-t", "get", "-n", str(n), "-c", "20",
                          "--csv"], capture_output=True, text=True, check=True).stdout
    cpu = cpu_of(pid) - cpu
    # strace -f passes SIGTERM on to nobody: the server is asked itself.
    subprocess.run([*cli, "shutdown", "nosave"], capture_output=True)
    p.wait(20)
    row = [line for line in out.splitlines() if line.startswith('"GET"')][0]
    return cpu / n, 1 / float(row.split(",")[1].strip('"'))


def nginx(prefix, tmp):
    port = free_port()
    (pathlib.Path(tmp) / "index.html").write_text("<h1>pale</h1>\n" * 100)
    os.chmod(tmp, 0o755)
    paths = "".join(f"{k}_temp_path {tmp}/{k};" for k in
                    ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = pathlib.Path(tmp) / "nginx.conf"
    conf.write_text(f"daemon off; pid {tmp}/pid; error_log /dev/null; worker_processes 1;"
                    f"events {{ }} http {{ access_log off; keepalive_requests 10000000; {paths}"
                    f"server {{ listen 127.0.0.1:{port}; root {tmp}; }} }}")
    p = serve([*prefix, "nginx", "-c", str(conf)], port)
    master = int(soon(f"{tmp}/pid"))
    try:
        worker = soon(f"/proc/{master}/task/{master}/children").split()[0]
        cpu = cpu_of(worker)
        rate = float(subprocess.run([BUILD / "tests/bench/httpload", str(port), "1"],
                                    capture_output=True, text=True, check=True).stdout)
        cpu = cpu_of(worker) - cpu
    finally:
        os.kill(master, signal.SIGTERM)
        p.wait(20)
    return cpu / rate, 1 / rate


def shell(prefix, script):
    """Both times of a job of bash's; its own start is not counted."""
    out = subprocess.run([*prefix, "bash", "-c", f"TIMEFORMAT='cost %3U %3S %3R'; time {{ {script}; }}"],
                         check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    user, system, wall = out.split("cost ")[1].split()[:3]
    return float(user) + float(system), float(wall)


def gcc(prefix, tmp):
    (pathlib.Path(tmp) / "x.c").write_text("#include <stdio.h>\n#include <math.h>\n"
                                           "int main(void)\n{ return printf(\"%f\", cos(1)) < 0; }\n")
    return shell(prefix, f"cd {tmp}; for i in 1 2 3 4 5 6 7 8 9 10; do gcc -O1 -o a x.c -lm || exit 1; done")


def git(prefix, tmp):
    return shell(prefix, f"cd {tmp}; export HOME={tmp}; git init -q; git config user.email a@b; "
                         "git config user.name a; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "
                         "for j in 1 2 3 4 5 6 7 8; do echo $i $j > $j; done; git add .; "
                         "git commit -q -m $i || exit 1; done; git gc -q")


def getppid(prefix, _):
    out = subprocess.run([*prefix, str(BUILD / "tests/bench/loop"), "1"], capture_output=True, text=True,
                         check=True).stdout
    return float(out), float(out)


def start(prefix):
    """Seconds to the first output."""
    begin = time.monotonic()
    p = subprocess.Popen([*prefix, "cat", "/proc/version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    p.stdout.readline()
    took = time.monotonic() - begin
    p.wait(20)
    p.stdout.close()
    return took


def measure(job):
    """mode -> (processor, wall), of a job."""
    figures = {m: [] for m in MODES}
    for _ in range(ROUNDS):
        for mode, (prefix, other) in MODES.items():
            tmp = tempfile.mkdtemp(prefix="pale-bench-")
            try:
                with beside(other):
                    figures[mode].append(job(prefix, tmp))
            finally:
                shutil.rmtree(tmp, ignore_errors=True)
    # Whatever disturbs the loop makes it slower: its best is the truth.
    mid = min if job is getppid else statistics.median
    return {m: [mid(x[i] for x in v) for i in (0, 1)] for m, v in figures.items()}


def main():
    jobs = {"getppid": getppid, "redis GET": redis, "nginx": nginx, "gcc x10": gcc, "git": git}
    if len(sys.argv) > 1:
        jobs = {k: v for k, v in jobs.items() if k.split()[0] in sys.argv[1:]}
    print(f"recording: times the processor time / wall clock of an untraced run, {ROUNDS} interleaved rounds, "
          f"load {os.getloadavg()[0]:.1f}")
    print(f"{'':12}" + "".join(f"{m:>15}" for m in MODES))
    for name, job in jobs.items():
        mid = measure(job)
        print(f"{name:12}" + "".join("{:>15}".format(
            "/".join(f"{mid[m][i] / mid['untraced'][i]:.2f}" for i in (0, 1))) for m in MODES), flush=True)
        if job is getppid:
            print(f"{'  ns':12}" + "".join(f"{mid[m][0]:15.0f}" for m in MODES))
            for base in ("empty", "empty, both"):
                print(f"{'  to ' + base.removeprefix('empty, '):12}" +
                      "".join(f"{mid[m][0] / mid[base][0]:15.2f}" for m in MODES), flush=True)
    starts = {m: statistics.median(start(p) for _ in range(ROUNDS)) for m, (p, o) in MODES.items() if not o}
    print(f"{'start, ms':12}" + "".join(f"{starts[m] * 1000:15.0f}" if m in starts else f"{'':15}"
                                       for m in MODES))
    whole = {m: [cost([*p, "true"]) for _ in range(ROUNDS)] for m, (p, _) in MODES.items() if p}
    print(f"{'true, CPU ms':12}" + "".join(f"{statistics.median(c.cpu for c in whole[m]) * 1000:15.0f}"
                                          if m in whole else f"{'':15}" for m in MODES))
    peaks = {m: c[0].peak for m, c in whole.items()}
    print(f"{'memory, MiB':12}" + "".join(f"{peaks[m]:15.0f}" if m in peaks else f"{'':15}" for m in MODES),
          flush=True)


if __name__ == "__main__":
    main()
