# SPDX-License-Identifier: Apache-2.0
"""Engines of other releases, as their packages have them, and with crun: the same server's own calls, with each."""
import os
import pathlib
import re
import subprocess

import pytest

from conftest import LONG, PALE, PATIENCE, ROOT, need, need_root, run, skip
from engines import Containerd, Crun, Docker, Podman
from recordings import Recording
from runtimes import fetched
from test_backends import usable
from test_border import RUNTIMES_OWN, allow_waits, runtimes
from test_container_targets import ASKS, SERVES, learn, rootfs, until_watched  # noqa: F401

pytestmark = [pytest.mark.xdist_group("engines"), pytest.mark.once]
FETCHED = pathlib.Path(os.environ.get("PALE_ENGINES_CACHE", ROOT / "build/engines"))
NAME = "served"


def programs(name):
    """Where those of `tests/fleet/engines.sh` are."""
    need_root()
    usable("ebpf")
    subprocess.run(["sh", ROOT / "tests/fleet/engines.sh", FETCHED, name], check=True, timeout=600)
    if not (FETCHED / name / "name").exists():
        skip((FETCHED / name / "skipped").read_text().strip())
    return FETCHED / name / "bin"


class OfDocker(Docker):
    image, target = "probe:bb", "docker"

    def __init__(self, d, tree, name=None, runtime=None, into=()):
        more = ["--add-runtime", f"other={runtime}"] if runtime else []
        super().__init__(d, programs(name) if name else None, more, into)
        self.more = ["--runtime", "other"] if runtime else []
        self.imports(tree[1], self.image)

    def serve(self, seccomp=None, nnp=False):
        options = [f"seccomp={seccomp or 'unconfined'}", *(["no-new-privileges"] if nnp else [])]
        self("run", "-d", "--network", "none", "--name", NAME, *self.more, *(w for o in options for w in ("--security-opt", o)),
             self.image, *SERVES)

    def ask(self):
        return self("exec", NAME, *ASKS)


class OfPodman(Podman):
    image, target = "localhost/probe:bb", "docker"
    ask = OfDocker.ask

    def __init__(self, d, tree, name=None, runtime="runc", into=()):
        super().__init__(d, programs(name) if name else None, runtime, into)
        self.imports(tree[1], self.image)

    def serve(self, seccomp=None, nnp=False):
        options = [f"seccomp={seccomp or 'unconfined'}", *(["no-new-privileges"] if nnp else [])]
        self("run", "-d", "--name", NAME, *(w for o in options for w in ("--security-opt", o)), self.image, *SERVES)


class OfContainerd(Containerd):
    target = "oci"

    def __init__(self, d, tree, name):
        super().__init__(d, programs(name))
        self.tree, self.asked = tree[0], 0

    def serve(self, seccomp=None, nnp=False):
        options = ["--seccomp", "--seccomp-profile", seccomp] if seccomp else []
        self("run", "-d", *options, *([] if nnp else ["--allow-new-privs"]), "--rootfs", self.tree, NAME, "/bin/sh", *SERVES[1:])

    def ask(self):
        self.asked += 1
        return self("task", "exec", "--exec-id", f"ask{self.asked}", NAME, "/bin/wget", *ASKS[1:])


ENGINES = {  # the engine, its packages, another runtime; what it says of its runtime
    "docker-26": (OfDocker, ["docker-26"]),
    "docker-28": (OfDocker, ["docker-28"]),
    "docker-28 with runc-1.4.3": (OfDocker, ["docker-28", "runc-1.4.3"]),
    "podman-5": (OfPodman, ["podman-5"]),
    "containerd-2": (OfContainerd, ["docker-28"]),
}


def learned(engine, tmp_path):
    """What is recorded of the server, which says what the engine's runtime is; it serves under its JSON, too."""
    p = None
    try:
        p = learn(engine, tmp_path, "--container", NAME, "--wait")
        until_watched(p)
        engine.serve()
        assert engine.ask() == "hello"
        engine.clear()
        err = p.communicate(timeout=PATIENCE)[1]
        rec, text = Recording(tmp_path / "rec"), (tmp_path / "p.pale").read_text()
        assert p.returncode == 0 and rec.losses == "none" and "midway" not in rec.runs[1], err
        met = re.search(r"use start-(runc|crun); # .*; met: (.*)", text)
        assert met and met[2].startswith(met[1]), text
        assert 35 <= len(rec.names()) <= 45 and "capability" not in text, sorted(rec.names())
        assert set(rec.files) <= {"/", "/bin/busybox", "/dev/null", "/www/index.html", "/www/"}, rec.files
        allow_waits(tmp_path / "p.pale")
        run([PALE, "compile", "-q", "-t", engine.target, "-o", tmp_path / "p.json", tmp_path / "p.pale"], check=0)
        for nnp in (False, True):
            engine.serve(tmp_path / "p.json", nnp)
            assert engine.ask() == "hello"
            engine.clear()
        return rec, met[2]
    finally:
        if p:
            p.kill()
            p.wait(PATIENCE)
        engine.end()


@pytest.mark.skipif(not LONG, reason="PALE_LONG: engines of other releases")
@pytest.mark.parametrize("name", ENGINES)
def test_a_server_needs_its_own_calls_alone_with_engines_of_other_releases(name, rootfs, tmp_path, tmp_path_factory, record_property):  # noqa: F811
    kind, (packages, *other) = ENGINES[name]
    engine = kind(tmp_path_factory.mktemp("e"), rootfs, packages, *(fetched(o).path for o in other))  # its sockets' names may have 107 bytes
    rec, met = learned(engine, tmp_path)
    assert met.startswith(other[0].replace("-", " ") if other else "runc "), met
    record_property("figure", f"{name}: {len(rec.names())} calls, no capability, {len(rec.files)} files; met: {met}")


OTHER = pytest.mark.skipif(not LONG, reason="PALE_LONG: engines of other releases, and with another runtime")


@pytest.mark.parametrize("kind", [OfPodman, pytest.param(OfDocker, marks=OTHER)])
def test_a_server_needs_its_own_calls_alone_where_the_engines_runtime_is_crun(kind, rootfs, tmp_path_factory):  # noqa: F811
    version = re.search(r"version (\S+)", run([need("crun"), "--version"], check=0).out)[1]
    for _ in range(6):
        where = tmp_path_factory.mktemp("e")
        crun = Crun(where)
        try:
            rec, met = learned(kind(where, rootfs, runtime=crun.path, into=crun.into), where)
        finally:
            crun.end()
        assert met == f"crun {version}" and rec.runs[1]["runtime"] == f'"{met}"'
        assert not rec.names() & RUNTIMES_OWN
        if RUNTIMES_OWN <= {name for _, name in runtimes(rec, "call")}:
            break  # crun is done within some milliseconds of its cgroup: on a busy machine its first calls have been when that is watched
    else:
        raise AssertionError(runtimes(rec, "call"))
