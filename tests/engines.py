# SPDX-License-Identifier: Apache-2.0
"""Container engines of the tests' own: each in directories of its own, ended with them."""
import contextlib
import copy
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from conftest import PATIENCE, need, run, skip


class Daemon:
    """One of an engine's, until the tests are over; `answers` is asked until it succeeds."""

    def __init__(self, argv, log, answers, env=None):
        self.process = subprocess.Popen(argv, stdout=open(log, "w"), stderr=subprocess.STDOUT, env=env)
        end = time.monotonic() + PATIENCE
        while subprocess.run(answers, env=env, capture_output=True, timeout=PATIENCE).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                self.end()
                skip(f"{argv[0]} does not start here")
            time.sleep(0.1)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)


def answers(path, lists):
    """A Podman that says so of each path that is asked for, until it is closed; the paths that were."""
    path.parent.mkdir(parents=True, exist_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    asked = []

    def serve():
        while True:
            try:
                peer = server.accept()[0]
            except OSError:
                return
            with peer:
                peer.settimeout(10)
                asked.append(peer.recv(65536).split()[1].decode())
                body = lists.get(asked[-1].split("?")[0])
                peer.sendall((f"HTTP/1.0 {404 if body is None else 200} X\r\nServer: Libpod/4.3.1\r\n\r\n" + json.dumps(body)).encode())
    threading.Thread(target=serve, daemon=True).start()
    return server, asked


CRUN = """#!%s
import json, os, sys
args = sys.argv[1:]
bundle = [b for a, b in zip(args, args[1:]) if a in ("--bundle", "-b")]
if bundle:
    with open(bundle[0] + "/config.json") as f:
        config = json.load(f)
    config["linux"].pop("resources", None)
    with open(bundle[0] + "/config.json", "w") as f:
        json.dump(config, f)
os.execv("%s", ["crun", *args])
"""


class Crun:
    """
    The machine's crun for an engine: started with `into` in front, which sees cgroup v2 alone, as crun refuses to run
    beside version 1. It is given no resources: their controllers may all be version 1's, and to load its program for
    devices it raises RLIMIT_MEMLOCK, which takes CAP_SYS_RESOURCE.
    """

    def __init__(self, d):
        self.path = d / "crun-here"
        self.path.write_text(CRUN % (sys.executable, need("crun")))
        self.path.chmod(0o755)
        self.alone = subprocess.Popen(["unshare", "-m", "sh", "-c", "umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && echo && "
                                       "exec sleep 1000"], stdout=subprocess.PIPE)
        assert self.alone.stdout.readline() == b"\n"
        self.into = [need("nsenter"), "-m", "-t", str(self.alone.pid)]

    def end(self):
        self.alone.kill()
        self.alone.communicate(timeout=20)


class Docker:
    """dockerd with all it keeps in the directory; called as docker is."""
    image = "probe:bb"

    def __init__(self, d, path=None, options=(), into=()):
        """path: where its programs are, and those that it calls, if not the machine's."""
        self.dir, self.options, self.into = d, options, into
        self.client = need("docker")
        self.env = {**os.environ, "DOCKER_HOST": f"unix://{d}/s"}
        self.daemons = {**self.env, "PATH": f"{path}:{os.environ['PATH']}"} if path else self.env
        self.dockerd = f"{path}/dockerd" if path else need("dockerd")
        self.start()

    def start(self):
        d = self.dir
        self.daemon = Daemon([*self.into, self.dockerd, "--host", f"unix://{d}/s", "--data-root", d / "root", "--exec-root", d / "exec",
                              "--pidfile", d / "pid", "--iptables=false", "--ip6tables=false", "--bridge=none",
                              "--storage-driver=overlay2", *self.options], d / "log", [self.client, "version"], self.daemons)

    def __call__(self, *argv, timeout=PATIENCE):
        return run([self.client, *argv], check=0, env=self.env, timeout=timeout).out.strip()

    def imports(self, tar, name):
        """A root file system, as bytes or a file, as an image."""
        stdin = None if isinstance(tar, bytes) else open(tar, "rb")
        p = subprocess.Popen([self.client, "import", "-", name], env=self.env, stdin=stdin or subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = p.communicate(None if stdin else tar, timeout=300)[0]
        assert p.returncode == 0, said

    def clear(self):
        left = self("ps", "-aq").split()
        if left:
            self("rm", "-f", *left)

    def end(self):
        self.daemon.end()


class Podman:
    """podman with all it keeps in the directory."""
    image = "localhost/probe:bb"

    def __init__(self, d, path=None, runtime="runc", into=()):
        self.dir = d
        (d / "storage.conf").write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{d}/root"\nrunroot = "{d}/run"\n')
        self.env = {**os.environ, "CONTAINERS_STORAGE_CONF": str(d / "storage.conf")}
        helpers = f'[engine]\nhelper_binaries_dir = ["{path}"]\n' if path else ""
        (d / "containers.conf").write_text('[containers]\ndefault_ulimits = ["nofile=1024:20000", "nproc=4096:4096"]\n' + helpers)  # of pods, too
        self.env["CONTAINERS_CONF"] = str(d / "containers.conf")
        conmon = ["--conmon", f"{path}/conmon"] if path else []
        self.client = [*into, f"{path}/podman" if path else need("podman"), "--tmpdir", d / "tmp", "--cgroup-manager", "cgroupfs",
                       "--events-backend", "file", "--runtime", f"{path}/{runtime}" if path else runtime, *conmon]

    def __call__(self, what, *argv):
        more = ["--network", "none"] if what in ("run", "create") and "--pod" not in argv else []
        return run([*self.client, what, *more, *argv], check=0, env=self.env).out.strip()

    def imports(self, tar, name):
        (self.dir / "tar").write_bytes(tar)
        self("import", self.dir / "tar", name)

    def serve(self, path):
        """Its API at a socket, until that is ended."""
        return Daemon([*self.client, "system", "service", "--time", "0", f"unix://{path}"], self.dir / "served",
                      ["test", "-S", str(path)], self.env)

    def clear(self):
        self("rm", "-f", "-a", "-t", "0")

    def end(self):
        self.clear()
        for at in (self.dir / "root" / "overlay", self.dir / "root"):  # this one of its service's
            run(["umount", "-q", at])


SCOPED = """#!%s
import json, os, shutil, sys
args = sys.argv[1:]
at = next((i + 1 for i, a in enumerate(args) if a == "--bundle"), None)
if at:
    with open(args[at] + "/config.json") as f:
        config = json.load(f)
    name, (prefix, scope) = config["linux"]["cgroupsPath"].split(":")[0].removesuffix(".slice"), config["linux"]["cgroupsPath"].split(":")[1:]
    parts = name.split("-")
    slices = ["-".join(parts[:n + 1]) + ".slice" for n in range(len(parts))]
    config["linux"]["cgroupsPath"] = "/".join(["", *slices, f"{prefix}-{scope}.scope"])
    config["root"]["path"] = os.path.join(args[at], config["root"]["path"])
    os.mkdir(args[at] + "/scoped")
    with open(args[at] + "/scoped/config.json", "w") as f:
        json.dump(config, f)
    args[at] += "/scoped"
os.execv("%s", ["runc", *args])
"""


def scoped(path):
    """A runc that puts containers where systemd would have made their scopes, as none runs here; what it is told is systemd's form."""
    path.write_text(SCOPED % (sys.executable, need("runc")))
    path.chmod(0o755)
    return path


def take_slices(top):
    """What such a one has left of a slice."""
    for at in pathlib.Path("/sys/fs/cgroup").glob("**/" + top + ".slice"):
        for d in (*at.glob("*.slice"), at):
            with contextlib.suppress(OSError):
                d.rmdir()


class Containerd:
    """containerd with all it keeps in the directory; called as ctr is, in one of its namespaces."""

    def __init__(self, d, path=None):
        self.env = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else dict(os.environ)
        (d / "toml").write_text(f'version = 2\nroot = "{d}/root"\nstate = "{d}/state"\n[grpc]\naddress = "{d}/s"\n'
                                f'[plugins."io.containerd.internal.v1.opt"]\npath = "{d}/opt"\n')
        at = (lambda name: f"{path}/{name}") if path else need
        self.client = [at("ctr"), "-a", d / "s", "-n", f"pale-{os.getpid()}"]
        self.dir, self.containerd = d, at("containerd")
        self.start()

    def start(self):
        self.daemon = Daemon([self.containerd, "--config", self.dir / "toml"], self.dir / "log", [*self.client, "version"], self.env)

    def __call__(self, *argv, check=0):
        return run([*self.client, *argv], check=check, env=self.env).out.strip()

    def of(self, space):
        """The same in another namespace."""
        other = copy.copy(self)
        other.client = [*self.client[:-1], space]
        return other

    def clear(self):
        for task in self("task", "ls", "-q").split():
            self("task", "rm", "-f", task)
            self("container", "rm", task)

    def end(self):
        self.clear()
        self.daemon.end()


def daemons(engine):
    """An engine's own that run, but for its containers."""
    found = []
    for at in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if (at / "comm").read_text().strip() in ("dockerd", "containerd", "containerd-shim", "conmon") and \
                    str(engine.dir).encode() in (at / "cmdline").read_bytes():
                found.append(int(at.name))
    return found


def end_killed(engine):
    """Of one whose daemons may have been killed: it is started again to take away what it left."""
    if isinstance(engine, Podman):  # of a container whose monitor was killed it says once that it is stopped
        run([*engine.client, "rm", "-f", "-a", "-t", "0"], env=engine.env)
    elif engine.daemon.process.poll() is not None:
        # Whom nobody has waited for yet still runs to dockerd, which would wait for its answers.
        for left in (engine.dir / "exec/containerd/containerd.pid", engine.dir / "pid"):
            if left.exists() and not (pathlib.Path("/proc") / left.read_text().strip() / "exe").exists():
                left.unlink()
        engine.start()
    engine.clear()
    engine.end()


DELEGATED = """
grep -q :memory: /proc/self/cgroup && echo $$ >/sys/fs/cgroup/memory/cgroup.procs  # Podman takes the first line with a path for its own
umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
mkdir -p "$0/init" && chown -R 65534:65534 "$0" && echo $$ >"$0/init/cgroup.procs" && exec "$@"
"""


class UsersPodman:
    """Podman as an ordinary user runs it, in a home of his own; called as podman is. `before`: his words in front."""
    image = "localhost/probe:bb"
    limits = ["--ulimit", "nofile=1024:20000", "--ulimit", "nproc=4096:4096"]

    def __init__(self, tar):
        self.dir = d = pathlib.Path(tempfile.mkdtemp(prefix="pale", dir="/tmp"))
        for name in ("home", "run"):
            (d / name).mkdir()
            os.chown(d / name, 65534, 65534)
        (d / "tar").write_bytes(tar)
        for at, mode in ((d, 0o755), (d / "tar", 0o644)):
            at.chmod(mode)
        self.before = [need("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "-i", f"PATH={os.environ['PATH']}:/usr/sbin:/sbin",
                       f"HOME={d}/home", f"XDG_RUNTIME_DIR={d}/run", "USER=nobody"]
        self.client = [need("podman"), "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime"]
        self.cgroup = f"/sys/fs/cgroup/{d.name}"
        if self.run("import", d / "tar", self.image).rc:
            self.end()
            skip("Podman does not run as an ordinary user here")

    def run(self, *argv, check=None):
        return run([*self.before, *self.client, "runc", *argv], check=check, timeout=120)

    def __call__(self, *argv, check=0):
        return self.run(*argv, check=check).out.strip()

    def delegated(self, *calls):
        """
        What is to be executed as the user's calls, with crun, in a cgroup of version 2 that is his, as a unit's with
        Delegate= is. What runs already of his is ended.
        """
        self("system", "migrate")  # the process that holds the mounts as they were
        script = " && ".join(shlex.join([*self.client, need("crun"), *map(str, call)]) for call in calls)
        return ["unshare", "-m", "sh", "-c", DELEGATED, self.cgroup, *self.before, "sh", "-c", script]

    def two(self, *argv):
        """Containers `other` and `mine` of the command, with such a label; the numbers of their first processes."""
        where = {"other": ["--cgroup-parent", self.cgroup.removeprefix("/sys/fs/cgroup") + "/own"], "mine": ["--cgroups=split"]}
        run(self.delegated(*(["run", "-d", "--name", name, "--label", f"app={name}", *at, "--network", "none", *self.limits, self.image, *argv]
                             for name, at in where.items())), check=0, timeout=120)
        pids = [int(self("inspect", "-f", "{{.State.Pid}}", name)) for name in ("mine", "other")]
        assert all(pids), pids
        return pids

    def serve(self):
        """Its API at a socket of the user's, until that is ended."""
        self.socket = self.dir / "run/s"
        return Daemon([*self.before, *self.client, need("crun"), "system", "service", "--time", "0", f"unix://{self.socket}"], self.dir / "served",
                      ["test", "-S", str(self.socket)])

    def end(self):
        self("rm", "-f", "-a", "-t", "0", check=None)
        for pause in (self.dir / "run").rglob("pause.pid"):  # it holds the user's namespaces open
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pause.read_text()), signal.SIGKILL)
        for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            for at, _, _ in os.walk(self.cgroup.replace("/sys/fs/cgroup", top), topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(at)
        shutil.rmtree(self.dir, ignore_errors=True)
