# SPDX-License-Identifier: Apache-2.0
"""Container engines of the tests' own: each in directories of its own, ended with them."""
import os
import signal
import subprocess
import time

from conftest import need, run, skip


class Daemon:
    """One of an engine's, until the tests are over; `answers` is asked until it succeeds."""

    def __init__(self, argv, log, answers, env=None):
        self.process = subprocess.Popen(argv, stdout=open(log, "w"), stderr=subprocess.STDOUT, env=env)
        end = time.monotonic() + 60
        while subprocess.run(answers, env=env, capture_output=True, timeout=30).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                self.end()
                skip(f"{argv[0]} does not start here")
            time.sleep(0.1)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)


class Docker:
    """dockerd with all it keeps in the directory; called as docker is."""

    def __init__(self, d, path=None, options=()):
        """path: where its programs are, and those that it calls, if not the machine's."""
        self.dir, self.options = d, options
        self.client = need("docker")
        self.env = {**os.environ, "DOCKER_HOST": f"unix://{d}/s"}
        self.daemons = {**self.env, "PATH": f"{path}:{os.environ['PATH']}"} if path else self.env
        self.dockerd = f"{path}/dockerd" if path else need("dockerd")
        self.start()

    def start(self):
        d = self.dir
        self.daemon = Daemon([self.dockerd, "--host", f"unix://{d}/s", "--data-root", d / "root", "--exec-root", d / "exec",
                              "--pidfile", d / "pid", "--iptables=false", "--ip6tables=false", "--bridge=none",
                              "--storage-driver=overlay2", *self.options], d / "log", [self.client, "version"], self.daemons)

    def __call__(self, *argv, timeout=60):
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
