#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real workloads, as a user runs them, each exercised over loopback and ended cleanly.

    workloads.py NAME [PREFIX ...]      PREFIX runs before the server's command line:
    workloads.py nginx pale run --verify --report r.json nginx.pale --

Runs itself in private mount and network namespaces (root), so that Debian's own paths and
ports are used without touching the machine's files, and two runs never meet. WORKLOAD_READY in the
environment is a command for the shell, run once the server listens. Prints what it did; exit status 0 when every answer was right and the server ended as it should, 1 otherwise.
Without root it says so and ends with 77.
"""
import email.utils
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = pathlib.Path("/usr/bin/python3").resolve().name  # python3.11 on Debian 12, 3.13 on 13
BUILD = pathlib.Path(os.environ.get("PALE_BUILD", ROOT / "build")).resolve()


class Failed(Exception):
    pass


def sh(*argv):
    subprocess.run(argv, check=True)


def fresh(path, mode=0o755, owner=None):
    """A directory whose changes stay in this namespace: empty, in memory."""
    os.makedirs(path, exist_ok=True)
    sh("mount", "-t", "tmpfs", "-o", f"mode={mode:o}", "tmpfs", path)
    if owner:
        shutil.chown(path, owner, owner)


def wait_port(port, proc, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            if proc.poll() is not None:
                raise Failed(f"the server ended with {proc.returncode} before it listened")
            time.sleep(0.02)  # polling a port: nothing else tells that it listens
    raise Failed(f"nothing listens on port {port}")


def request(port, path, headers=None, method="GET", timeout=5):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    c.request(method, path, headers=headers or {})
    r = c.getresponse()
    body = r.read()
    c.close()
    return r.status, body


def expect(what, got, want):
    if got != want:
        raise Failed(f"{what}: got {got!r}, expected {want!r}")


def wait_for(what, test, seconds=20):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise Failed(f"waited in vain for {what}")
        time.sleep(0.02)


def children_of(pid):
    try:
        return {int(p) for t in os.listdir(f"/proc/{pid}/task")
                for p in open(f"/proc/{pid}/task/{t}/children").read().split()}
    except FileNotFoundError:
        return set()


class Workload:
    port = 0
    extra = []

    def prepare(self):
        pass

    def is_server(self, pid):
        want = os.path.basename(os.path.realpath(shutil.which(self.argv[0]) or self.argv[0]))
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) == want

    def server_pid(self, proc):
        """The server's own pid: below the prefix's, if there is one."""
        todo = [proc.pid]
        while todo:
            pid = todo.pop(0)
            try:
                if self.is_server(pid):
                    return pid
            except OSError:
                continue
            todo += sorted(children_of(pid))
        raise Failed("the server's process is gone")

    def run(self, prefix):
        self.prepare()
        proc = subprocess.Popen([*prefix, *self.argv], stdin=subprocess.DEVNULL)
        try:
            if self.port:
                wait_port(self.port, proc)
            if os.environ.get("WORKLOAD_READY"):
                expect("WORKLOAD_READY", subprocess.call(os.environ["WORKLOAD_READY"], shell=True), 0)
            self.exercise(proc)
            return proc.wait(60)
        except BaseException:
            self.end(proc)
            raise

    def end(self, proc):
        """Kills the server, not its prefix, which still has something to report: also where the
        server has just ended by itself. An nginx without workers does not end on SIGTERM."""
        try:
            os.kill(self.server_pid(proc), signal.SIGKILL)
        except (Failed, OSError):
            pass
        try:
            proc.wait(30)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait(30)

    def exercise(self, proc):
        pass


class Nginx(Workload):
    """Debian's nginx with Debian's configuration: 200, 404, range, HUP, USR1, QUIT."""
    argv = ["/usr/sbin/nginx", "-g", "daemon off;"]
    port = 80

    def prepare(self):
        fresh("/var/log/nginx", 0o755)
        fresh("/var/www/html")
        fresh("/run", 0o755)
        fresh("/var/lib/nginx", 0o755)
        fresh("/etc/nginx/sites-enabled")
        os.symlink("/etc/nginx/sites-available/default", "/etc/nginx/sites-enabled/default")
        pathlib.Path("/var/www/html/index.html").write_text("<h1>pale</h1>\n" * 100)
        pathlib.Path("/var/www/html/big.bin").write_bytes(bytes(range(256)) * 4096)

    def exercise(self, proc):
        big = bytes(range(256)) * 4096
        expect("index", request(80, "/"), (200, b"<h1>pale</h1>\n" * 100))
        expect("404", request(80, "/missing")[0], 404)
        expect("range", request(80, "/big.bin", {"Range": "bytes=100-199"}), (206, big[100:200]))
        expect("whole file", request(80, "/big.bin")[1] == big, True)
        expect("head", request(80, "/big.bin", method="HEAD")[0], 200)
        stamp = email.utils.formatdate(os.path.getmtime("/var/www/html/index.html"), usegmt=True)
        expect("not modified", request(80, "/", {"If-Modified-Since": stamp})[0], 304)
        master = self.server_pid(proc)
        before = children_of(master)
        os.kill(master, signal.SIGHUP)
        wait_for("the new worker", lambda: children_of(master) - before
                 and not children_of(master) & before)
        expect("after reload", request(80, "/")[0], 200)
        log = pathlib.Path("/var/log/nginx/access.log")
        log.rename("/var/log/nginx/access.log.1")
        os.kill(master, signal.SIGUSR1)
        wait_for("the reopened log", lambda: log.exists() and log.stat().st_uid != 0)
        # A worker reopens it a moment after the master; until then it writes to the old one.
        wait_for("a line in the new log", lambda: request(80, "/")[0] == 200
                 and log.stat().st_size > 0)
        os.kill(master, signal.SIGQUIT)


class Redis(Workload):
    """redis-server, in memory, with SAVE and BGSAVE, ended by SHUTDOWN."""
    argv = ["/usr/bin/redis-server", "--bind", "127.0.0.1", "--port", "6379", "--dir",
            "/var/lib/redis", "--save", "3600 1", "--daemonize", "no"]
    port = 6379

    def prepare(self):
        fresh("/var/lib/redis")

    def exercise(self, proc):
        with socket.create_connection(("127.0.0.1", 6379), 20) as s:
            f = s.makefile("rwb")

            def cmd(*words):
                f.write(b"*%d\r\n" % len(words) + b"".join(
                    b"$%d\r\n%s\r\n" % (len(w), w) for w in map(str.encode, words)))
                f.flush()
                line = f.readline().rstrip()
                if line[:1] == b"$" and int(line[1:]) >= 0:
                    return f.read(int(line[1:]) + 2)[:-2]
                return line
            expect("ping", cmd("PING"), b"+PONG")
            for i in range(200):
                expect("set", cmd("SET", f"key{i}", "x" * 1000), b"+OK")
            expect("get", cmd("GET", "key7"), b"x" * 1000)
            expect("incr", cmd("INCR", "n"), b":1")
            expect("lpush", cmd("LPUSH", "list", "a", "b"), b":2")
            expect("expire", cmd("EXPIRE", "key7", "100"), b":1")
            expect("save", cmd("SAVE"), b"+OK")
            expect("bgsave", cmd("BGSAVE"), b"+Background saving started")
            wait_for("the background save", lambda: b"rdb_bgsave_in_progress:0"
                     in cmd("INFO", "persistence"))
            expect("dump", os.path.getsize("/var/lib/redis/dump.rdb") > 1000, True)
            cmd("SHUTDOWN")


class Python(Workload):
    """Debian's python3 -m http.server: file, listing, 404, HEAD; ended by SIGINT."""
    argv = ["/usr/bin/python3", "-I", "-m", "http.server", "--bind", "127.0.0.1", "--directory",
            "/srv/files", "8000"]
    port = 8000

    def prepare(self):
        for path in ("/usr/lib/python3/dist-packages", f"/usr/local/lib/{PYTHON}/dist-packages"):
            fresh(path)  # what this machine has there is not the workload
        fresh("/srv")
        os.makedirs("/srv/files/sub")
        pathlib.Path("/srv/files/a.txt").write_text("pale\n" * 1000)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    def is_server(self, pid):  # a prefix may be python, too
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1] == self.argv

    def exercise(self, proc):
        expect("file", request(8000, "/a.txt"), (200, b"pale\n" * 1000))
        expect("listing", b"a.txt" in request(8000, "/")[1], True)
        expect("404", request(8000, "/missing")[0], 404)
        expect("head", request(8000, "/a.txt", method="HEAD")[0], 200)
        expect("redirect", request(8000, "/sub")[0], 301)
        os.kill(self.server_pid(proc), signal.SIGINT)


class Echo(Workload):
    """tests/live/echo.c, static: a forking echo server that ends on SIGTERM."""
    argv = ["/usr/local/bin/echo-server", "7"]
    port = 7

    def prepare(self):
        fresh("/usr/local/bin")
        shutil.copy(BUILD / "tests/live/echo", "/usr/local/bin/echo-server")

    def exercise(self, proc):
        for i in range(3):
            with socket.create_connection(("127.0.0.1", 7), 20) as s:
                s.sendall(b"hello %d\n" % i)
                expect("echo", s.recv(100), b"hello %d\n" % i)
        os.kill(self.server_pid(proc), signal.SIGTERM)


WORKLOADS = {"nginx": Nginx, "redis": Redis, "python": Python, "echo": Echo}


def main(argv):
    if len(argv) < 2 or argv[1] not in WORKLOADS:
        print(__doc__, file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("workloads: needs root for its namespaces", file=sys.stderr)
        return 77
    for s in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # a parent may have ignored them
        signal.signal(s, signal.SIG_DFL)
    if os.environ.get("PALE_IN_NAMESPACE") != str(os.getppid()):
        os.environ["PALE_IN_NAMESPACE"] = str(os.getpid())
        # Not -f: a fork between would hide the exit status of a signal.
        pid = os.fork()
        if not pid:
            os.execvp("unshare", ["unshare", "-mn", "--propagation", "private", sys.executable,
                                  *argv])
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sh("ip", "link", "set", "lo", "up")
    os.chdir("/")
    os.environ["LANG"] = "C.UTF-8"
    os.environ.pop("LC_ALL", None)
    try:
        rc = WORKLOADS[argv[1]]().run(argv[2:])
    except (Failed, OSError, http.client.HTTPException, subprocess.SubprocessError) as e:
        print(f"workloads: {argv[1]}: {e}", file=sys.stderr)
        return 1
    if rc != 0:
        print(f"workloads: {argv[1]}: ended with status {rc}", file=sys.stderr)
    return 1 if rc else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
