# SPDX-License-Identifier: Apache-2.0
"""What recording costs: redis, nginx and a gcc job, by both backends, against untraced and
`strace -f -c`. Modes are interleaved; medians of the rounds, as ratios to untraced."""
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

from table import BUILD, PALE, ROUNDS

LEARN = [PALE, "learn", "-o", "/dev/null", "--backend"]
MODES = {
    "untraced": [],
    "ebpf": [*LEARN, "ebpf", "--"],
    "ptrace": [*LEARN, "ptrace", "--"],
    "strace -f -c": ["strace", "-f", "-c", "-o", "/dev/null"],
}


def is_slow(prefix):
    return "strace" in prefix or "ptrace" in prefix


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


def stop(p):
    p.send_signal(signal.SIGTERM)
    try:
        p.wait(10)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()


def redis(prefix, tmp):
    port = free_port()
    p = serve([*prefix, "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
               "--dir", tmp], port)
    out = subprocess.run(["redis-benchmark", "-p", str(port), "-t", "get", "-n",
                          "10000" if is_slow(prefix) else "100000", "-c", "20", "--csv"], capture_output=True, text=True, check=True).stdout
    # strace -f passes SIGTERM on to nobody: the server is asked itself.
    subprocess.run(["redis-cli", "-p", str(port), "shutdown", "nosave"], capture_output=True)
    try:
        p.wait(10)
    except subprocess.TimeoutExpired:
        stop(p)
    row = [line for line in out.splitlines() if line.startswith('"GET"')][0]
    return float(row.split(",")[1].strip('"'))


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
    try:
        out = subprocess.run([BUILD / "tests/bench/httpload", str(port), "1"],
                             capture_output=True, text=True, check=True).stdout
    finally:
        os.kill(int((pathlib.Path(tmp) / "pid").read_text()), signal.SIGTERM)
        p.wait(20)
    return float(out)


def gcc(prefix, tmp):
    start = time.monotonic()
    subprocess.run([*prefix, "sh", "-c", f"for i in 1 2 3 4 5 6 7 8 9 10; do gcc -O1 -o {tmp}/a "
                    f"{tmp}/x.c -lm || exit 1; done"], check=True, stdout=subprocess.DEVNULL)
    return 1 / (time.monotonic() - start)


def prepare_gcc(tmp):
    (pathlib.Path(tmp) / "x.c").write_text("#include <stdio.h>\n#include <math.h>\n"
                                           "int main(void)\n{ return printf(\"%f\", cos(1)) < 0; }\n")


def spin(prefix, _):
    n = 50000 if is_slow(prefix) else 1000000
    start = time.monotonic()
    subprocess.run([*prefix, str(BUILD / "tests/learn/probes/spin"), str(n)], check=True)
    full = time.monotonic() - start
    start = time.monotonic()
    subprocess.run([*prefix, str(BUILD / "tests/learn/probes/spin"), "0"], check=True)
    return n / (full - (time.monotonic() - start))


def main():
    jobs = {"redis GET": redis, "nginx": nginx, "gcc job": gcc, "getppid loop": spin}
    print(f"learner overhead: times slower than untraced, medians of {ROUNDS} interleaved rounds")
    print(f"{'':14}" + "".join(f"{m:>15}" for m in MODES))
    for name, job in jobs.items():
        speeds = {m: [] for m in MODES}
        for _ in range(ROUNDS):
            for mode, prefix in MODES.items():
                tmp = tempfile.mkdtemp(prefix="pale-bench-")
                prepare_gcc(tmp)
                try:
                    speeds[mode].append(job(prefix, tmp))
                finally:
                    shutil.rmtree(tmp, ignore_errors=True)
        mid = {m: statistics.median(v) for m, v in speeds.items()}
        print(f"{name:14}" + "".join(f"{mid['untraced'] / mid[m]:14.2f}x" for m in MODES), flush=True)


if __name__ == "__main__":
    main()
