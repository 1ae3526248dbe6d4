# SPDX-License-Identifier: Apache-2.0
"""A node without Kubernetes: containerd with its CRI, and of the kubelet what turns a pod's object into calls of it.

    node = Node(tmp, tar)                      # containerd with roots of its own; skips where it does not start
    ids = node.pod({"metadata": {...}, "spec": {...}}, {"/run/containerd": ...})     # containers by name
    node.status(ids["web"]); node.log("pod", "web"); node.stop(ids["web"]); node.end()

Pods are in the host's network, and their volumes are folders below `node.volumes`.
"""
import hashlib
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import tarfile
import time
import uuid

from conftest import PATIENCE, need, program, run, skip


# ---- messages (k8s.io/cri-api, runtime/v1/api.proto) ----

def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """A field: bytes and text as they are, numbers, dicts {number: value} as messages, lists as repeated ones."""
    if isinstance(value, list):
        return b"".join(field(number, v) for v in value)
    if isinstance(value, bool) or isinstance(value, int):
        return varint(number << 3) + varint(int(value)) if value else b""
    if isinstance(value, dict):
        value = message(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def message(fields):
    return b"".join(field(n, v) for n, v in fields.items() if v is not None)


def mapping(d):
    return [{1: k, 2: v} for k, v in (d or {}).items()]


def parse(data):
    """{number: [values]}"""
    out, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            b = data[at]
            at += 1
            n |= (b & 127) << shift
            shift += 7
            if b < 128:
                return n
    while at < len(data):
        key = number()
        if key & 7 == 2:
            n = number()
            value, at = data[at:at + n], at + n
        else:
            value = number()
        out.setdefault(key >> 3, []).append(value)
    return out


# ---- images ----

def image(rootfs, name):
    """A tar of a root file system as an archive of images that `ctr image import` takes."""
    digest = hashlib.sha256(rootfs).hexdigest()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sleep", "3600"]},
                         "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for n, data in ("config.json", config), ("layer.tar", rootfs), ("manifest.json", manifest):
            info = tarfile.TarInfo(n)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Node:
    def __init__(self, d, rootfs, name="pale-test/bb:1"):
        self.d, self.image, self.pods = pathlib.Path(d), name, []
        self.state = self.d / "run"  # a real node's is /run/containerd
        self.socket, self.volumes = self.state / "containerd.sock", self.d / "volumes"
        (self.d / "toml").write_text(
            f'version = 2\nroot = "{self.d}/root"\nstate = "{self.state}"\n[grpc]\naddress = "{self.socket}"\n'
            f'[plugins."io.containerd.internal.v1.opt"]\npath = "{self.d}/opt"\n'
            f'[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "docker.io/{name}"\ndisable_apparmor = true\nrestrict_oom_score_adj = true\n'
            '[plugins."io.containerd.grpc.v1.cri".containerd]\nsnapshotter = "native"\n')
        self.process = subprocess.Popen([need("containerd"), "--config", self.d / "toml"], stdout=open(self.d / "log", "w"),
                                        stderr=subprocess.STDOUT)
        self.ctr = [need("ctr"), "-a", self.socket, "-n", "k8s.io"]
        end = time.monotonic() + 30
        while subprocess.run([*self.ctr, "version"], capture_output=True, timeout=PATIENCE).returncode or self.call("Version", {}, 1) is None:
            if self.process.poll() is not None or time.monotonic() > end:
                self.end()
                skip("containerd does not start here")
            time.sleep(0.1)
        try:
            self.load(image(rootfs, "docker.io/" + name))
        except BaseException:
            self.end()
            raise

    def load(self, archive):
        (self.d / "image.tar").write_bytes(archive)
        # From 2.0 on it leaves the work to the daemon, which unpacks for its own snapshotter alone.
        local = ["--local"] if re.search(r"\s2\.", run([self.ctr[0], "--version"], check=0).out) else []
        run([*self.ctr, "image", "import", *local, "--snapshotter", "native", self.d / "image.tar"], check=0, timeout=PATIENCE)

    def call(self, method, fields, tries=None):
        r = run([program("learn/containertool"), "call", self.socket, f"/runtime.v1.RuntimeService/{method}"],
                input=message(fields), text=False, timeout=PATIENCE)
        if r.rc and tries:
            return None
        assert r.rc == 0, (method, r.err, (self.d / "log").read_text()[-900:])
        return parse(r.out)

    def pod(self, obj, moved=None, env=None):
        """Starts a Pod, or a template's; moved: where its hostPaths are instead; env: what its ConfigMaps say, and NODE.
        The ids of its containers by name; those that are to end before the next one starts have ended."""
        meta, spec = obj["metadata"], obj["spec"]
        uid, space = str(uuid.uuid4()), meta.get("namespace", "default")
        labels = {"io.kubernetes.pod.name": meta["name"], "io.kubernetes.pod.namespace": space, "io.kubernetes.pod.uid": uid}
        options = {1: 2, 2: 2 if spec.get("hostPID") else 0}  # namespaces of the node: network, processes
        config = {1: {1: meta["name"], 2: uid, 3: space}, 3: str(self.d / "pods" / meta["name"]), 6: mapping({**meta.get("labels", {}), **labels}),
                  7: mapping(meta.get("annotations")), 8: {1: f"/kubepods/pod{uid}", 2: {1: options}}}
        sandbox = self.call("RunPodSandbox", {1: config})[1][0].decode()
        self.pods.append(sandbox)
        volumes = {v["name"]: self.folder(v, moved or {}) for v in spec.get("volumes", [])}
        made = {}
        for c in spec.get("initContainers", []) + spec["containers"]:
            made[c["name"]] = self.container(sandbox, config, {**c, "labels": labels}, volumes, options, env or {})
            if c in spec.get("initContainers", []):
                self.ended(made[c["name"]])
        return made

    def folder(self, v, moved):
        if "hostPath" in v:
            path = v["hostPath"]["path"]
            return moved.get(path, path)
        (self.volumes / v["name"]).mkdir(parents=True, exist_ok=True)
        return self.volumes / v["name"]

    def container(self, sandbox, config, c, volumes, options, env):
        security = c.get("securityContext", {})
        caps = security.get("capabilities", {})
        seccomp = {"RuntimeDefault": 0, "Unconfined": 1}[security.get("seccompProfile", {}).get("type", "Unconfined")]
        context = {1: {1: caps.get("add", []), 2: caps.get("drop", [])}, 3: options, 7: security.get("readOnlyRootFilesystem", False),
                   11: not security.get("allowPrivilegeEscalation", True), 15: {1: seccomp}}
        said = {**(env if "envFrom" in c else {}), **{e["name"]: e.get("value", env.get(e["name"])) for e in c.get("env", [])}}
        mounts = [{1: m["mountPath"], 2: str(volumes[m["name"]]), 3: m.get("readOnly", False)} for m in c.get("volumeMounts", [])]
        made = self.call("CreateContainer", {
            1: sandbox, 3: config,
            2: {1: {1: c["name"]}, 2: {1: "docker.io/" + self.image}, 3: c.get("command", []), 6: mapping(said), 7: mounts,
                9: mapping({"io.kubernetes.container.name": c["name"], **c["labels"]}), 11: f"{c['name']}.log", 15: {1: {}, 2: context}}})[1][0].decode()
        self.call("StartContainer", {1: made})
        return made

    def ended(self, container, seconds=60):
        """Waits for it: its exit status."""
        end = time.monotonic() + seconds
        while self.status(container)[0] != 2:  # CONTAINER_EXITED
            assert time.monotonic() < end
            time.sleep(0.1)
        return self.status(container)[1]

    def pid(self, container):
        return int((self.state / "io.containerd.runtime.v2.task/k8s.io" / container / "init.pid").read_text())

    def status(self, container):
        """(its state, its exit status)"""
        s = parse(self.call("ContainerStatus", {1: container})[1][0])
        return s.get(3, [0])[0], s.get(7, [0])[0]

    def log(self, pod, name):
        """What it wrote, by stream."""
        out = {"stdout": "", "stderr": ""}
        for line in (self.d / "pods" / pod / f"{name}.log").read_text().splitlines():
            _, stream, part, text = line.split(" ", 3)
            out[stream] += text + "\n" * (part == "F")
        return out

    def stop(self, container, seconds=30):
        self.call("StopContainer", {1: container, 2: seconds})

    def end(self):
        for p in self.pods:
            self.call("StopPodSandbox", {1: p}, 1)
            self.call("RemovePodSandbox", {1: p}, 1)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
