# SPDX-License-Identifier: Apache-2.0
"""The manifests of learn/kubernetes on a node of containerd's CRI, as the kubelet has it start them."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest
import yaml

from conftest import LONG, PALE, PATIENCE, ROOT, need, need_root, run, skip
from kubelet import Node
from recordings import Recording

HERE = ROOT / "learn/kubernetes"
pytestmark = [pytest.mark.once, pytest.mark.xdist_group("engines")]
SETS = "/usr/share/pale/profiles/sets"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    need_root()
    need("runc")
    r = run([PALE, "learn", "--backend", "ebpf", "-o", "/dev/null", "--", "true"])
    if r.rc == 125:
        skip(f"ebpf: {r.err.splitlines()[0]}")
    root = tmp_path_factory.mktemp("image")
    for d in ("bin", "tmp", "proc", "sys", "run", "dev", "etc"):
        (root / d).mkdir()
    shutil.copy(need("busybox"), root / "bin/busybox")
    for name in ("sh", "sleep", "cat", "mkdir", "date"):
        (root / "bin" / name).symlink_to("busybox")
    shutil.copy(PALE, root / "bin/pale")
    for library in libraries():
        at = root / library.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(library), at)
    shutil.copytree(ROOT / "profiles/sets", root / SETS.lstrip("/"))
    tar = subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True, timeout=PATIENCE).stdout
    node = Node(tmp_path_factory.mktemp("node"), tar)
    yield node
    node.end()


def libraries():
    return set(re.findall(r"(/\S+) \(0x", run([need("ldd"), PALE], check=0).out))


def test_the_image_has_the_libraries_that_pale_asks_for():
    named = {re.match(r"[a-z_+-]+", pathlib.Path(p).name)[0].rstrip("-") for p in libraries()}
    assert named <= {"libc", "ld-linux-x", "libseccomp"}, named  # Debian's image has the first two
    assert "libseccomp2" in (HERE / "Dockerfile").read_text()


def settings(kind):
    (generated,) = yaml.safe_load((HERE / kind / "kustomization.yaml").read_text())["configMapGenerator"]
    return dict(line.split("=", 1) for line in generated["literals"])


def recorder(name, change=None):
    """The DaemonSet's pod on a node of that name; the sets are where the built pale's prefix is not."""
    template = yaml.safe_load((HERE / "base/daemonset.yaml").read_text())["spec"]["template"]
    (container,) = template["spec"]["containers"]
    container["env"].append({"name": "PALE_PATH", "value": SETS})
    template["metadata"].update(name=name, namespace="pale")
    if change:
        change(template["spec"], container)
    return template


class Recorder:
    def __init__(self, node, name, change=None, attempt=0):
        self.node, self.name = node, f"pale-{name}-{attempt}"
        (self.id,) = node.pod(recorder(self.name, change), {"/run/containerd": node.state}, {**settings("base"), "NODE": name}).values()
        end = time.monotonic() + 60
        while not self.waits():
            assert time.monotonic() < end
            time.sleep(0.05)

    def waits(self):
        """Its programs are attached, and it waits for containers; or it has ended."""
        if self.node.status(self.id)[0] == 2:
            return True
        try:
            return pathlib.Path(f"/proc/{self.node.pid(self.id)}/syscall").read_text().split()[0] in ("7", "271")
        except OSError:
            return False

    def confined(self):
        """Is it under a filter of system calls, as its manifest says?"""
        return "\nSeccomp:\t2\n" in pathlib.Path(f"/proc/{self.node.pid(self.id)}/status").read_text()

    def stop(self):
        self.node.stop(self.id, 60)
        return self.node.ended(self.id), self.node.log(self.name, "pale")["stderr"]


def workload(node, name, script, labels, space="default"):
    (made,) = node.pod({"metadata": {"name": name, "namespace": space, "labels": labels},
                        "spec": {"containers": [{"name": "srv", "command": ["/bin/sh", "-c", script]}]}}).values()
    return made


def record(node, name, script):
    """A recorder beside a pod that it is to record and two that it is not: its recording. A machine that is too busy has
    it meet the first when it runs already, which is said: it is tried again then."""
    for attempt in range(4):
        r = Recorder(node, name, attempt=attempt)
        assert r.confined()
        ours = workload(node, f"web-{name}-{attempt}", script, {"app": "web", "tier": "front"})
        others = [workload(node, f"db-{name}-{attempt}", "mkdir /tmp/db", {"app": "db"}),
                  workload(node, f"far-{name}-{attempt}", "mkdir /tmp/far", {"app": "web"}, "shop")]
        assert [node.ended(c) for c in [ours, *others]] == [0, 0, 0]
        time.sleep(0.5)
        status, err = r.stop()
        if status == 0 and "midway" not in err:
            break
        for path in (node.volumes / "recordings").glob(f"{name}.*.rec"):
            path.unlink()
    assert status == 0 and "error" not in err, err
    (path,) = (node.volumes / "recordings").glob(f"{name}.*.rec")
    one = Recording(path)
    assert re.fullmatch(rf'"containerd:web-{name}-{attempt}/srv \w+"', one.runs[1]["containers"]) and one.runs[1]["name"] == '"srv"'
    assert "/tmp/far" not in one.text and "/tmp/db" not in one.text and "arch_prctl" in {c for _, c in one.calls}
    assert os.stat(path).st_mode & 0o777 == 0o600
    return one


def test_two_nodes_are_recorded_and_one_object_is_made_of_it(node, tmp_path):
    one, two = (record(node, name, script) for name, script in (("node-1", "cat /proc/version"), ("node-2", "mkdir /tmp/made; sleep .1")))
    assert "mkdir" in {c for _, c in two.calls} - {c for _, c in one.calls} and any("/proc/version" in str(p) for p in one.files)
    job = yaml.safe_load((HERE / "merge/job.yaml").read_text())["spec"]["template"]
    job["metadata"].update(name="merge", namespace="pale")
    for c in job["spec"]["initContainers"] + job["spec"]["containers"]:
        c["env"] = [{"name": "PALE_PATH", "value": SETS}]
    ids = node.pod(job, env=settings("merge"))
    assert {n: (node.ended(c), node.log("merge", n)["stderr"]) for n, c in ids.items() if node.ended(c)} == {}
    out = node.volumes / "recordings"
    assert len(Recording(out / "web.merged").runs) == 2 and "mkdir" in (out / "web.pale").read_text()
    (tmp_path / "web.spo.json").write_text(node.log("merge", "object")["stdout"])
    assert json.loads((tmp_path / "web.spo.json").read_text())["metadata"]["name"] == "web"
    run([PALE, "lint", "--error-on", "error", tmp_path / "web.spo.json"], check=0)
    run([PALE, "import", "-o", tmp_path / "back.pale", tmp_path / "web.spo.json"], check=0)
    run([PALE, "diff", tmp_path / "web.spo.json", tmp_path / "back.pale"], check=0)
    r = run([PALE, "diff", "--layers", "seccomp", out / "web.pale", tmp_path / "web.spo.json"], check=0)
    assert "same: " in r.out, r
    assert (out / "web.apparmor").read_text().count("profile web") == 1


def drop(name):
    def change(_, container):
        container["securityContext"]["capabilities"]["add"].remove(name)
    return change


@pytest.mark.parametrize("name", ["BPF", "PERFMON"] if LONG else ["BPF"])
def test_without_one_of_its_capabilities_it_says_so(node, name):
    r = Recorder(node, f"less-{name.lower()}", drop(name))
    status, err = r.stop()
    assert status == 125 and "needs root or CAP_BPF and CAP_PERFMON" in err, err
