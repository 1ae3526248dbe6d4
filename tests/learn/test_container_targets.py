# SPDX-License-Identifier: Apache-2.0
"""pale learn --container, --label and --wait: real engines, and trees of files as others leave them."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import LONG, PALE, PATIENCE, ROOT, need, need_root, program, run, skip
from engines import Containerd, Docker, Podman, UsersPodman, answers, scoped, take_slices
from recordings import Recording
from test_backends import cgroup, usable, waits  # noqa: F401
from test_border import allow_waits
from test_live_view import Terminal
from test_snapshots import wait_for

A, B, C = "a" * 64, "b" * 63 + "1", "c" * 64
ONE = pytest.mark.xdist_group("engines")  # one daemon for all
LATER, POD = f"later{os.getpid()}", f"shop{os.getpid()}"  # the machine's, where the same tests may run twice at once


# ---- what names and files say, without an engine ----

@pytest.mark.parametrize("path, whose", [
    (f"/docker/{A}", "docker"),
    (f"/system.slice/docker-{A}.scope", "docker"),
    (f"/system.slice/docker-{A}.scope/inner/deep", "docker"),
    (f"/machine.slice/libpod-{A}.scope/container", "podman"),
    (f"/libpod_parent/libpod-{A}", "podman"),
    (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope", "podman"),
    (f"/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-{A}.scope", "containerd"),
    (f"/kubepods.slice/kubepods-pod1.slice/crio-{A}.scope", "cri-o"),
    (f"/kubepods/besteffort/pod1/{A}", "container"),
    (f"/system.slice/nerdctl-{A}.scope", "containerd"),
    (f"/machine.slice/libpod-conmon-{A}.scope", None),
    (f"/system.slice/web.service/libpod-payload-{A}", "podman"),
    (f"/libpod_parent/{A}", None),
    (f"/libpod_parent/{B}/libpod-{A}", "podman"),
    (f"/docker/{A}0", None),
    (f"/docker/{A[1:]}", None),
    ("/system.slice/docker.service", None),
])
def test_a_cgroups_name_tells_whose_it_is(path, whose):
    out = run([program("learn/containertool"), "path", path], check=0).out.split("\t")
    assert out[0].strip() == (whose or "-")
    assert not whose or out[1] == A and path[:int(out[2])].rstrip(".scope").endswith(A)


@pytest.fixture
def tree(tmp_path):
    """A host with four engines: a function that adds a file."""
    def add(path, content=None):
        at = tmp_path / path.lstrip("/")
        if content is None:
            at.mkdir(parents=True, exist_ok=True)
            return
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(content if isinstance(content, str) else json.dumps(content))
    add("/sys/fs/cgroup/cgroup.controllers", "")
    add.root = tmp_path
    return add


def listed(tree, *words):
    lines = run([program("learn/containertool"), "list", tree.root, *words], check=0).out.splitlines()
    return {line.split("\t")[0]: line.split("\t")[1:] for line in lines}


def test_each_engines_files_name_its_containers(tree):
    tasks = "/run/containerd/io.containerd.runtime.v2.task"
    storage, d = "/var/lib/containers/storage/overlay-containers", "d" * 64
    tree(f"/var/lib/docker/containers/{A}/config.v2.json",
         {"Name": "/web", "Config": {"Image": "nginx:1", "Labels": {"app": "web"}}})
    tree(f"/sys/fs/cgroup/system.slice/docker-{A}.scope")
    tree(f"{storage}/containers.json", [{"id": B, "names": ["db"], "metadata": json.dumps({"image-name": "pg:15"})}])
    tree(f"/sys/fs/cgroup/machine.slice/libpod-{B}.scope/container")
    tree(f"/run/containers/storage/overlay-containers/{C}/userdata/config.json",
         {"annotations": {"io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.container.name": "api",
                          "io.kubernetes.pod.name": "pod-1", "io.kubernetes.cri-o.ImageName": "api:2",
                          "io.kubernetes.cri-o.Labels": json.dumps({"tier": "back"})}})
    tree(f"/sys/fs/cgroup/kubepods.slice/crio-{C}.scope")
    tree(f"{tasks}/k8s.io/{d}/config.json",
         {"annotations": {"io.kubernetes.cri.container-name": "api", "io.kubernetes.cri.sandbox-name": "pod-2"},
          "linux": {"cgroupsPath": "kubepods-x.slice:cri-containerd:" + d}})
    tree(f"/sys/fs/cgroup/kubepods.slice/cri-containerd-{d}.scope")
    tree(f"{tasks}/default/job/config.json", {"linux": {"cgroupsPath": "/default/job"}})
    tree("/sys/fs/cgroup/default/job")
    tree(f"{tasks}/default/old/config.json", {"linux": {"cgroupsPath": "/default/old"}})
    tree(f"{tasks}/default/unit/config.json", {"linux": {"cgroupsPath": "shop-front.slice:ctr:unit"}})
    tree("/sys/fs/cgroup/shop.slice/shop-front.slice/ctr-unit.scope")
    got = listed(tree, "web", "docker:web", "podman:web", "pod-1/api", "api", "b", "app=web", "tier", "job", "tier=front")
    assert got == {
        "docker:web": [A, "nginx:1", f"/system.slice/docker-{A}.scope", "web", "docker:web", "app=web"],
        "podman:db": [B, "pg:15", f"/machine.slice/libpod-{B}.scope", "b"],
        "cri-o:pod-1/api": [C, "api:2", f"/kubepods.slice/crio-{C}.scope", "pod-1/api", "api", "tier"],
        "containerd:pod-2/api": [d, "-", f"/kubepods.slice/cri-containerd-{d}.scope", "api"],
        "containerd:job": ["job", "-", "/default/job", "job"],
        "containerd:old": ["old", "-", "-"],
        "containerd:unit": ["unit", "-", "/shop.slice/shop-front.slice/ctr-unit.scope"]}


def test_one_name_in_two_namespaces_of_containerds_is_two_containers(tree):
    """As ctr gives them, whose ids are names; nerdctl's ids are its own everywhere."""
    tasks = "/run/containerd/io.containerd.runtime.v2.task"
    for space in ("default", "demo", "moby"):
        tree(f"{tasks}/{space}/web/config.json", {"linux": {"cgroupsPath": f"/{space}/web"}})
        tree(f"/sys/fs/cgroup/{space}/web")
    tree(f"{tasks}/demo/{A}/config.json", {"annotations": {"nerdctl/name": "db"}, "linux": {"cgroupsPath": f"/system.slice:nerdctl:{A}"}})
    tree(f"/sys/fs/cgroup/system.slice/nerdctl-{A}.scope")
    words = ["web", "containerd:web", "default/web", "containerd:demo/web", "demo/web", "demo/db", "db", f"demo/{A[:6]}", "demo/b", "moby/web", "/web", "demo/"]
    assert listed(tree, *words) == {
        "containerd:web": ["web", "-", "/default/web", *words[:3]],
        "containerd:demo/web": ["web", "-", "/demo/web", *words[:2], *words[3:5]],
        "docker:web": ["web", "-", "/moby/web", "web"],
        "containerd:demo/db": [A, "-", f"/system.slice/nerdctl-{A}.scope", *words[5:8]]}


def test_containerds_containers_are_named_wherever_its_state_is(tree):
    """Its configuration, and the options of one that runs in each spelling; one place by two names is one."""
    for at in ("/run/containerd", "/mnt/b", "/mnt/c", "/mnt/d", "/mnt/e"):
        tree(f"{at}/io.containerd.runtime.v2.task/s/of{at.replace('/', '-')}/config.json", {"linux": {"cgroupsPath": at}})
    tree("/etc/containerd/config.toml", 'state = "/var/run/containerd" # as in older ones\n[grpc]\nstate = "/mnt/e"\n')
    (tree.root / "var").mkdir()
    (tree.root / "var/run").symlink_to("../run")
    tree("/x.toml", 'version = 2\nstate = "/mnt/b"\n')
    for pid, words in ((7, ["containerd", "--config", "/x.toml"]), (8, ["/usr/bin/containerd", "--state=/mnt/c", "--config"]), (9, ["containerd", "-c", "/no/such", "--state", "/mnt/d"])):
        tree(f"/proc/{pid}/comm", "containerd\n")
        tree(f"/proc/{pid}/cmdline", "".join(w + "\0" for w in words))
    got = run([program("learn/containertool"), "list", tree.root], check=0).out.splitlines()
    assert sorted(line.split("\t")[0] for line in got) == [f"containerd:s/of-{n}" for n in ("mnt-b", "mnt-c", "mnt-d", "run-containerd")]


def dockers(tree, at, name, cid):
    tree(f"{at}/containers/{cid}/config.v2.json", {"Name": f"/{name}", "Config": {"Image": f"{name}:1", "Labels": {}}})
    tree(f"/sys/fs/cgroup/docker/{cid}")


def test_dockers_containers_are_named_wherever_their_data_root_is(tree):
    """daemon.json, a dockerd's own file, its options in each spelling, and a user's own engine."""
    d = [f"{i:x}" * 64 for i in range(6)]
    tree("/etc/docker/daemon.json", {"data-root": "/mnt/a"})
    tree("/etc/other.json", {"graph": "/mnt/b", "hosts": ["tcp://0.0.0.0", 7, "unix:///no/such"]})
    for pid, comm, words in ((7, "dockerd", ["/usr/bin/dockerd", "-H", "unix:///x", "--data-root=/mnt/c"]), (8, "dockerd", ["dockerd", "--data-root", "/mnt/d"]),
                             (9, "dockerd", ["dockerd", "--config-file", "/etc/other.json"]), (10, "dockerx", ["dockerd", "--data-root", "/mnt/e"]),
                             (11, "dockerd", ["dockerd", "--data-root"]), (12, "dockerd", [])):
        tree(f"/proc/{pid}/comm", comm + "\n")
        tree(f"/proc/{pid}/cmdline", "".join(w + "\0" for w in words))
    for at, name, cid in zip(("/mnt/a", "/mnt/b", "/mnt/c", "/mnt/d", "/mnt/e", "/home/me/.local/share/docker"), "abcdef", d):
        dockers(tree, at, name, cid)
    assert set(listed(tree)) == {"docker:a", "docker:b", "docker:c", "docker:d", "docker:f", f"docker:{d[4][:12]}"}  # of e none tells


def test_podmans_containers_are_named_wherever_its_storage_is(tree):
    """By the monitors that run: each was told its container's bundle, and where its first process' number is to be."""
    graph, run_at = "/srv/u/share/containers/storage", "/srv/u/run/containers"
    for cid, name in ((A, "web"), (B, "db")):
        tree(f"/sys/fs/cgroup/user.slice/libpod-{cid}.scope")
    tree(f"{graph}/vfs-containers/containers.json", [{"id": A, "names": ["web"], "metadata": json.dumps({"image-name": "nginx:1"})}, {"id": B, "names": ["db"]}])
    tree(f"{run_at}/vfs-containers/{C}/userdata/pidfile", "1")
    assert {"podman:web", "podman:db"}.isdisjoint(listed(tree))
    words = ["/usr/bin/conmon", "-c", A, "-b", f"{graph}/vfs-containers/{A}/userdata", "-p", f"{run_at}/vfs-containers/{A}/userdata/pidfile", "-b", "/x", "-p"]
    tree("/proc/7/comm", "conmon\n")
    tree("/proc/7/cmdline", "".join(w + "\0" for w in words))
    got = listed(tree)
    assert got["podman:web"][:2] == [A, "nginx:1"] and {"podman:db", f"podman:{C[:12]}"} <= set(got)


def test_a_pod_of_podmans_is_no_container(tree):
    """With cgroupfs its directory is called by its id alone, wherever --cgroup-parent puts it."""
    for at in (f"/libpod_parent/{B}/libpod-{A}", f"/mine/{B}/libpod-{C}/inner", f"/kubepods/pod1/{'d' * 64}/inner"):
        tree(f"/sys/fs/cgroup{at}")
    assert {n: w[2] for n, w in listed(tree).items()} == {
        f"podman:{A[:12]}": f"/libpod_parent/{B}/libpod-{A}", f"podman:{C[:12]}": f"/mine/{B}/libpod-{C}", f"container:{'d' * 12}": f"/kubepods/pod1/{'d' * 64}"}


DOCKERS, PODMANS = "/containers/json", "/v4.0.0/libpod/containers/json"
IN_POD = [{"Id": A, "Names": ["b-infra"], "Pod": B, "PodName": "shop", "IsInfra": True, "Labels": {"app": "web"}},
          {"Id": C, "Names": ["web"], "Image": "nginx:1", "Pod": B, "PodName": "shop", "IsInfra": False, "Labels": {"app": "web"}}]


WEB = [{"Id": C, "Names": ["/web"], "Labels": {"app": "web"}}]


@pytest.mark.parametrize("at, lists, asks, told", [
    ("podman/podman.sock", {PODMANS: IN_POD}, [PODMANS], {"podman:shop/b-infra": [], "podman:shop/web": ["shop/web", "web", "app=web"]}),
    ("docker.sock", {PODMANS: IN_POD, DOCKERS: WEB}, [DOCKERS, PODMANS],
     {"podman:shop/b-infra": [], "podman:shop/web": ["shop/web", "web", "app=web"]}),
    ("podman/podman.sock", {DOCKERS: WEB}, [PODMANS, DOCKERS], {"podman:web": ["web", "app=web"]}),  # before Podman 4
])
def test_podman_is_asked_for_the_pods_of_its_containers(tree, at, lists, asks, told):
    server, asked = answers(tree.root / "run" / at, lists)
    try:
        assert {n: w[3:] for n, w in listed(tree, "shop/web", "web", "app=web", "shop/x").items()} == told
    finally:
        server.close()
    assert [a.split("?")[0] for a in asked] == asks


# ---- Kubernetes: the labels are the pod's ----

FRAMES = ROOT / "tests/fuzz/seeds/grpc"


def whole_question(peer):
    """What is asked comes in pieces, the question's name in the last but one."""
    got = piece = peer.recv(65536)
    while piece and b"ListPodSandbox" not in got:
        piece = peer.recv(65536)
        got += piece
    return got


def answering(path, frames):
    """A socket that says these bytes to whoever asks, until the test is over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    asked, kept = [], []

    def serve():
        while True:
            try:
                peer = server.accept()[0]
            except OSError:
                return
            peer.settimeout(10)
            asked.append(whole_question(peer))
            peer.sendall(frames)
            if not frames:
                peer.close()
            else:
                kept.append(peer)
    threading.Thread(target=serve, daemon=True).start()
    return server, asked


def in_a_pod(tree):
    """A container of containerd in the pod of the seeds' answer, and the pod itself."""
    for c, kind in ((A, "sandbox"), (C, "container")):
        tree(f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{c}/config.json",
             {"annotations": {"io.kubernetes.cri.container-type": kind, "io.kubernetes.cri.sandbox-id": A, "io.kubernetes.cri.sandbox-name": "web-1",
                              **({"io.kubernetes.cri.container-name": "srv"} if kind == "container" else {})},
              "linux": {"cgroupsPath": f"/kubepods/pod1/{c}"}})
        tree(f"/sys/fs/cgroup/kubepods/pod1/{c}")


LABELS = ["app=web", "app", "app=web,tier=front", "app=web,tier=back", "app=db", "io.kubernetes.cri.sandbox-name=web-1,app=web", "app=web,"]


def test_containerd_is_asked_for_the_labels_of_its_pods(tree):
    in_a_pod(tree)
    server, asked = answering(tree.root / "run/containerd/containerd.sock", (FRAMES / "answer").read_bytes())
    got = listed(tree, *LABELS)
    server.close()
    assert got["containerd:web-1/srv"][3:] == ["app=web", "app", "app=web,tier=front", "io.kubernetes.cri.sandbox-name=web-1,app=web"]
    assert [w[3:] for n, w in got.items() if n != "containerd:web-1/srv"] == [[], []]  # a pod itself is no container of it
    assert asked[0].startswith(b"PRI * HTTP/2.0") and b"/runtime.v1.RuntimeService/ListPodSandbox" in asked[0] and len(asked) == 1


@pytest.mark.parametrize("frames", ["failed", "reset", "away", "long", None])
def test_a_containerd_that_does_not_say_leaves_them_without(tree, frames):
    in_a_pod(tree)
    server, _ = answering(tree.root / "run/containerd/containerd.sock", (FRAMES / frames).read_bytes() if frames else b"")
    assert listed(tree, *LABELS)["containerd:web-1/srv"][3:] == []
    server.close()


def test_cri_os_pods_have_their_labels_on_disk(tree):
    for c, kind, labels in ((A, "sandbox", {"app": "web"}), (C, "container", {"io.kubernetes.container.name": "srv"})):
        tree(f"/run/containers/storage/overlay-containers/{c}/userdata/config.json",
             {"annotations": {"io.kubernetes.cri-o.ContainerType": kind, "io.kubernetes.cri-o.SandboxID": A, "io.kubernetes.pod.name": "web-1",
                              "io.kubernetes.cri-o.Labels": json.dumps(labels), **({"io.kubernetes.container.name": "srv"} if kind == "container" else {})}})
        tree(f"/sys/fs/cgroup/kubepods.slice/crio-{c}.scope")
    got = listed(tree, "app=web", "app=web,io.kubernetes.container.name=srv")
    assert {n: w[3:] for n, w in got.items()} == {f"cri-o:{A[:12]}": [], "cri-o:web-1/srv": ["app=web", "app=web,io.kubernetes.container.name=srv"]}


def test_a_list_of_pods_is_read_whole_or_not_at_all(tmp_path):
    pods = (FRAMES / "pods").read_bytes()

    def read(data):
        (tmp_path / "pods").write_bytes(data)
        return run([program("learn/containertool"), "pods", tmp_path / "pods"]).out.splitlines()
    assert read(pods) == [f"{A}\tweb-1\tapp=web\ttier=front", f"{'b' * 64}\tdb-0"]
    cut = [read(pods[:n]) for n in range(1, len(pods))]
    assert cut.count(["no list"]) == len(cut) - 1 and [f"{A}\tweb-1\tapp=web\ttier=front"] in cut  # behind the first of both it is whole
    assert read(b"") == [] and read(b"\xff" * 11) == ["no list"] and read(b"\x0b") == ["no list"]


def test_files_that_are_none_are_passed_over(tree):
    tree("/var/lib/containers/storage/overlay-containers/containers.json", "[{")
    tree(f"/run/containers/storage/overlay-containers/{A}/userdata/config.json", "[1]")
    tree(f"/var/lib/docker/containers/{B}/config.v2.json", {"Name": 3, "Config": []})
    tree("/home/me/.local/share/containers/storage/overlay-containers")
    os.mkfifo(tree.root / "home/me/.local/share/containers/storage/overlay-containers/containers.json")
    assert set(listed(tree)) == {f"podman:{A[:12]}", f"docker:{B[:12]}"}


@pytest.mark.parametrize("text, says", [
    ("HTTP/1.0 200 OK\r\nServer: Docker/28\r\nContent-Length: 2\r\n\r\n[]", "200 Docker/28\n"),
    ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n[]", "no answer\n"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n", "no answer\n"),
    ("HTTP/1.0 200 OK\r\n" + "A: b\r\n" * 64 + "\r\n[]", "no answer\n"),
    ("HTTP/1.0 500 No\r\n\r\n{}", "500 \nno list\n"),
    ("", "no answer\n"),
])
def test_an_answer_is_whole_or_none(tmp_path, text, says):
    (tmp_path / "x").write_text(text)
    assert run([program("learn/containertool"), "answer", tmp_path / "x"]).out == says


# ---- real engines ----

@pytest.fixture(scope="module")
def rootfs(tmp_path_factory):
    need_root()
    usable("ebpf")
    need("runc")
    root = tmp_path_factory.mktemp("rootfs")
    (root / "bin").mkdir()
    shutil.copy(need("busybox"), root / "bin" / "busybox")
    for name in ("sh", "sleep", "cat", "true", "echo", "httpd", "wget"):
        (root / "bin" / name).symlink_to("busybox")
    (root / "www").mkdir()
    (root / "www/index.html").write_text("hello\n")
    tar = subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True, timeout=PATIENCE).stdout
    yield root, tar


@pytest.fixture(scope="module")
def docker(tmp_path_factory, rootfs):
    need("dockerd")
    docker = Docker(tmp_path_factory.mktemp("e"))
    try:
        docker.imports(rootfs[1], "probe:bb")
        yield docker
    finally:
        docker.end()


@pytest.fixture(scope="module")
def podman(tmp_path_factory, rootfs):
    podman = Podman(tmp_path_factory.mktemp("e"))  # of a name over 50 bytes for its state nothing is cleaned up, for which it waits 20 s
    podman.imports(rootfs[1], "localhost/probe:bb")
    yield podman
    podman.end()


@pytest.fixture(scope="module")
def ctr(tmp_path_factory, rootfs):
    ctr = Containerd(tmp_path_factory.mktemp("e"))
    yield ctr
    ctr.end()


@pytest.fixture(autouse=True)
def cleared(request):
    yield
    if "docker" in request.fixturenames:
        request.getfixturevalue("docker").clear()


def start(docker, name, *argv, options=()):
    return docker("run", "-d", "--network", "none", "--name", name, *options, "probe:bb", *argv)


def learn(docker, tmp_path, *options, rec="rec"):
    return subprocess.Popen([PALE, "learn", "-o", tmp_path / "p.pale", "-r", tmp_path / rec, *options], env=docker.env,
                            stderr=subprocess.PIPE, text=True)


def until_watched(p):
    """The programs are attached, and it waits for what it records."""
    end = time.monotonic() + PATIENCE
    while p.poll() is None:
        assert time.monotonic() < end
        if waits(p.pid):
            return
        time.sleep(0.02)
    raise AssertionError(p.stderr.read())


ROUNDS = "while :; do cat /proc/version >/dev/null; echo x >>/rounds; sleep .1; done"


def inside(docker, name, path):
    """A file as the container sees it, looked at from outside."""
    return pathlib.Path(f"/proc/{docker('inspect', '-f', '{{.State.Pid}}', name)}/root{path}")


def goes_round(docker, name):
    """Whole rounds of ROUNDS, from here on."""
    rounds = inside(docker, name, "/rounds")
    wait_for(rounds.exists)
    size = rounds.stat().st_size
    wait_for(lambda: rounds.stat().st_size >= size + 8)


@ONE
def test_a_container_that_runs_is_recorded_by_name_and_by_the_beginning_of_its_id(docker, tmp_path):
    whole = start(docker, "runs", "sh", "-c", ROUNDS)
    for name in ("docker:runs", whole[:6]):
        p = learn(docker, tmp_path, "--container", name)
        until_watched(p)
        goes_round(docker, "runs")
        p.send_signal(signal.SIGTERM)
        err = p.communicate(timeout=PATIENCE)[1]
        assert p.returncode == 0 and "begun midway: how the container started" in err, err
        one = Recording(tmp_path / "rec").runs[1]
        assert one["containers"] == f'"docker:runs {whole[:12]}"' and one["image"] == '"probe:bb"' and one["name"] == '"runs"'
    policy = (tmp_path / "p.pale").read_text()
    assert f"# container: docker:runs {whole[:12]}, image probe:bb\n" in policy and "\npolicy runs {" in policy


@ONE
def test_a_recorder_that_may_not_look_at_what_runs_already_says_so(docker, tmp_path):
    start(docker, "held", "sh", "-c", f"exec 6>/held; {ROUNDS}")
    p = subprocess.Popen([need("setpriv"), "--bounding-set", "-all,+bpf,+perfmon", PALE, "learn", "-o", tmp_path / "p.pale", "-r", tmp_path / "rec",
                          "--container", "held"], env=docker.env, stderr=subprocess.PIPE, text=True)
    until_watched(p)
    goes_round(docker, "held")
    p.send_signal(signal.SIGTERM)
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == 0 and "begun midway" in err and "midway" in Recording(tmp_path / "rec").runs[1], err
    assert "/held" not in (tmp_path / "p.pale").read_text()


@ONE
def test_what_is_waited_for_is_recorded_from_its_first_call(docker, tmp_path):
    p = learn(docker, tmp_path, "--container", LATER, "--wait")
    until_watched(p)
    start(docker, "other", "true")
    start(docker, LATER, "sh", "-c", "echo x >/tmp-file; exec true")
    _, err = p.communicate(timeout=PATIENCE)
    got = Recording(tmp_path / "rec")
    assert "midway" not in got.runs[1] and "midway" not in err, err
    assert f"docker:{LATER}" in got.runs[1]["containers"] and "other" not in got.runs[1]["containers"]
    assert {"arch_prctl", "exit_group", "brk"} <= {name for _, name in got.calls}  # the first of a program's


@ONE
def test_a_container_of_a_docker_that_keeps_its_own_elsewhere_is_found_without_its_socket_being_named(docker, tmp_path):
    p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p.pale", "-r", tmp_path / "rec", "--container", "moved", "--wait"],
                         env={k: v for k, v in os.environ.items() if k != "DOCKER_HOST"}, stderr=subprocess.PIPE, text=True)
    until_watched(p)
    start(docker, "moved", "true")
    err = p.communicate(timeout=60)[1]
    got = Recording(tmp_path / "rec").runs[1]
    assert p.returncode == 0 and "midway" not in got and "docker:moved" in got["containers"] and got["image"] == '"probe:bb"', err


@ONE
def test_a_container_is_shown_on_a_terminal_as_it_comes(docker, tmp_path):
    t = Terminal(100, 30)
    p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p.pale", "--container", "shown", "--wait"],
                         env={**docker.env, "TERM": "xterm", "NO_COLOR": "1"}, stderr=t.slave)
    try:
        wait_for(lambda: t.shows("pale learn the container 'shown': nothing was seen yet"))
        whole = start(docker, "shown", "sh", "-c", "cat /proc/version; while :; do sleep .1; done")
        wait_for(lambda: t.shows(rf"^pale learn 0:\d\d docker:shown {whole[:12]}; Ctrl-C"))
        wait_for(lambda: t.shows("file  /proc/version r$") or t.shows("clock_nanosleep$"))
        assert t.shows("lost      nothing") and t.shows("of a CPU")
        docker("kill", "shown")
        assert p.wait(PATIENCE) == 0 and t.shows("^pale learn: 0:.*; nothing was lost$")
    finally:
        p.kill()
        p.wait()
        t.close()


@ONE
def test_podmans_container_is_waited_for_by_its_name(podman, tmp_path):
    for _ in range(3):
        p = learn(podman, tmp_path, "--container", LATER, "--wait")
        until_watched(p)
        podman("run", "--rm", "--name", LATER, "localhost/probe:bb", "true")
        err = p.communicate(timeout=PATIENCE)[1]
        text = (tmp_path / "rec").read_text()
        if "midway" not in text:
            break
    assert p.returncode == 0 and "midway" not in text, err
    assert re.search(rf'^run 1 containers "podman:{LATER} [0-9a-f]{{12}}"$', text, re.M)
    assert re.search(r"^call \S+ arch_prctl\t1:1@", text, re.M) and 'image "localhost/probe:bb"' in text


@ONE
@pytest.mark.parametrize("named", [False, True])
def test_a_container_in_a_pod_of_podmans_is_recorded_from_its_first_call(podman, tmp_path, named):
    """By its own name, and as POD/NAME where Podman's socket tells pods."""
    service = podman.serve(tmp_path / "s") if named else None
    try:
        podman("pod", "create", "--name", POD, "--infra-image", "localhost/probe:bb", "--infra-command", "/bin/sleep 600", "--network", "none")
        podman("pod", "start", POD)
        p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p.pale", "-r", tmp_path / "rec", "--container", f"{POD}/{LATER}" if named else LATER, "--wait"],
                             env={**podman.env, **({"CONTAINER_HOST": f"unix://{tmp_path}/s"} if named else {})}, stderr=subprocess.PIPE, text=True)
        until_watched(p)
        podman("run", "-d", "--pod", POD, "--name", "other", "localhost/probe:bb", "true")
        podman("run", "-d", "--pod", POD, "--name", LATER, "localhost/probe:bb", "cat", "/www/index.html")
        err = p.communicate(timeout=PATIENCE)[1]
        got = Recording(tmp_path / "rec").runs[1]
        assert p.returncode == 0 and "midway" not in got and got["containers"].startswith(f'"podman:{POD}/{LATER} ' if named else f'"podman:{LATER} '), err
        assert "/www/index.html" in Recording(tmp_path / "rec").files and "," not in got["containers"]
    finally:
        podman("pod", "rm", "-f", "-a", "-t", "0")
        if service:
            service.end()


@ONE
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container_that_is_renamed_while_it_is_waited_for_has_its_new_name(engine, request, tmp_path):
    engine = request.getfixturevalue(engine)
    of = ["--network", "none"] if isinstance(engine, Docker) else []
    for name in ("first", "second"):
        engine("create", "--name", name, *of, engine.image, "cat", "/www/index.html")
    p = learn(engine, tmp_path, "--container", "wanted", "--wait")
    until_watched(p)
    engine("start", "second")
    engine("rename", "first", "wanted")
    engine("start", "wanted")
    err = p.communicate(timeout=PATIENCE)[1]
    got = Recording(tmp_path / "rec").runs[1]
    engine("rm", "-f", "second", "wanted")
    assert p.returncode == 0 and re.fullmatch(r'"\w+:wanted [0-9a-f]{12}"', got["containers"]), err


@ONE
def test_ctrs_container_is_waited_for_wherever_containerd_keeps_its_state(ctr, rootfs, tmp_path):
    ctr("run", "-d", "--rootfs", str(rootfs[0]), "before", "/bin/sleep", "60")
    p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p", "-r", tmp_path / "rec", "--container", "job", "--wait"],
                         stderr=subprocess.PIPE, text=True)
    until_watched(p)
    ctr("run", "--rm", "--rootfs", str(rootfs[0]), "job", "/bin/true")
    err = p.communicate(timeout=PATIENCE)[1]
    text = (tmp_path / "rec").read_text()
    assert p.returncode == 0 and "midway" not in text, err
    assert f'\nrun 1 containers "containerd:{ctr.client[-1]}/job job"\n' in text and re.search(r"^call \S+ arch_prctl\t1:1@", text, re.M)
    r = run([PALE, "learn", "--container", "befroe"])
    assert r.rc == 125 and "did you mean 'before'?" in r.err, r


@ONE
@pytest.mark.parametrize("name, annotations, called", [("unit", [], "unit"), (A[:60] + "beef", ["nerdctl/name=shown", "nerdctl/namespace=x", "app=web"], "shown")], ids=["ctr", "nerdctl"])
def test_what_containerd_has_as_a_scope_of_systemds_is_recorded_from_its_first_call(ctr, rootfs, tmp_path, name, annotations, called):
    """As ctr --runc-systemd-cgroup has it; and with what nerdctl gives of its labels to the runtime, by the name that its user knows."""
    runc, top = scoped(tmp_path / "runc"), f"pale{os.getpid()}"
    for wanted in (["--container", called], ["--label", "app=web"])[:2 if annotations else 1]:
        p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p", "-r", tmp_path / "rec", *wanted, "--wait"], stderr=subprocess.PIPE, text=True)
        try:
            until_watched(p)
            ctr("run", "--rm", "--runc-binary", str(runc), "--cgroup", f"{top}-front.slice:ctr:{name}", *(w for a in annotations for w in ("--annotation", a)),
                "--rootfs", str(rootfs[0]), name, "/bin/cat", "/www/index.html")
            err = p.communicate(timeout=PATIENCE)[1]
            got = Recording(tmp_path / "rec")
            assert p.returncode == 0 and "midway" not in got.runs[1] and "/www/index.html" in got.files, err
            assert got.runs[1]["containers"] == f'"containerd:{ctr.client[-1]}/{called} {name[:12]}"' and "arch_prctl" in got.names()
        finally:
            p.kill()
            p.wait(PATIENCE)
            take_slices(top)


@ONE
def test_one_name_in_two_namespaces_is_told_with_the_way_to_say_which_and_that_one_is_recorded(ctr, rootfs, tmp_path):
    one, two = (ctr.of(f"pale-{os.getpid()}-{n}") for n in ("one", "two"))
    for c in (one, two):
        c("run", "-d", "--rootfs", str(rootfs[0]), "web", "/bin/sh", "-c", ROUNDS)
    try:
        r = run([PALE, "learn", "--container", "web"])
        said = re.search(r"'web' is the container (\S+) \(web\), and also (\S+) \(web\)", r.err)
        both = {f"containerd:{c.client[-1]}/web" for c in (one, two)}
        assert r.rc == 125 and set(said.groups()) == both and f"name one of them by '--container {said[1]}'" in r.err, r
        p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p", "-r", tmp_path / "rec", "--container", said[2]], stderr=subprocess.PIPE, text=True)
        until_watched(p)
        (one if one.client[-1] in said[1] else two)("task", "rm", "-f", "web")  # that of the other
        size = (rootfs[0] / "rounds").stat().st_size
        wait_for(lambda: (rootfs[0] / "rounds").stat().st_size >= size + 4)
        p.send_signal(signal.SIGTERM)
        err = p.communicate(timeout=PATIENCE)[1]
        rec = Recording(tmp_path / "rec")
        assert p.returncode == 0 and rec.runs[1]["containers"] == f'"{said[2]} web"' and rec.runs[1]["name"] == '"web"', err
        assert "/proc/version" in rec.files, rec.files
    finally:
        for c in (one, two):
            c.clear()
        (rootfs[0] / "rounds").unlink(missing_ok=True)


@ONE
def test_a_name_that_two_engines_have_is_told_with_the_way_to_say_which(docker, podman):
    docker("create", "--name", "same", "probe:bb", "true")
    podman("create", "--name", "same", "localhost/probe:bb", "true")
    env = {**docker.env, **podman.env, "DOCKER_HOST": docker.env["DOCKER_HOST"]}
    r = run([PALE, "learn", "--container", "same"], env=env)
    assert r.rc == 125 and "'same' is the container docker:same (" in r.err or "is the container podman:same (" in r.err, r
    assert re.search(r"by '--container (docker|podman):same'", r.err), r
    assert "the container podman:same does not run" in run([PALE, "learn", "--container", "podman:same"], env=env).err


@ONE
def test_restarts_and_replicas_with_a_label_are_one_recording(docker, tmp_path):
    def sleeps(name):
        at = inside(docker, name, "/..").parent.parent
        return (at / "comm").read_text() == "sleep\n" and (at / "syscall").read_text().split()[0] in ("35", "230")

    for _ in range(8):  # where the machine is too busy one is met when it runs already, which is told
        p = learn(docker, tmp_path, "--label", "app=web", "--wait", "--until", "1h")
        until_watched(p)
        ids = [start(docker, name, "sleep", "60", options=["--label", f"app={app}"]) for name, app in
               (("one", "web"), ("two", "web"), ("three", "db"))]
        docker("restart", "-t", "0", "one")
        wait_for(lambda: all(map(sleeps, ("one", "two", "three"))))
        p.send_signal(signal.SIGTERM)
        p.communicate(timeout=PATIENCE)
        docker("rm", "-f", "one", "two", "three")
        got = Recording(tmp_path / "rec").runs[1]
        assert got["containers"] == f'"docker:one {ids[0][:12]}, docker:two {ids[1][:12]}"'
        if "midway" not in got:
            break
    assert re.search(r"^call \S+ arch_prctl\t1:3@", (tmp_path / "rec").read_text(), re.M)


@ONE
@pytest.mark.skipif(not LONG, reason="PALE_LONG: an engine that is restarted")
def test_a_crash_loop_and_an_engine_that_is_restarted_are_one_recording(rootfs, tmp_path, tmp_path_factory):
    own = Docker(tmp_path_factory.mktemp("e"), options=["--live-restore"])
    p = None

    def restarts():
        return int(own("inspect", "-f", "{{.RestartCount}}", "loops"))
    try:
        own.imports(rootfs[1], own.image)
        p = learn(own, tmp_path, "--container", "loops", "--wait", "--until", "1h")
        until_watched(p)
        start(own, "loops", "sh", "-c", "cat /www/index.html; exit 1", options=["--restart", "always"])
        wait_for(lambda: restarts() >= 2)
        own("update", "--restart", "no", "loops")
        wait_for(lambda: own("inspect", "-f", "{{.State.Status}}", "loops") == "exited")
        crashed = restarts()
        own.daemon.end()
        own.start()
        own("start", "loops")
        wait_for(lambda: own("inspect", "-f", "{{.State.Status}}", "loops") == "exited")
        p.send_signal(signal.SIGTERM)
        err = p.communicate(timeout=PATIENCE)[1]
        got = Recording(tmp_path / "rec")
        assert p.returncode == 0 and "midway" not in got.runs[1] and got.losses == "none" and "," not in got.runs[1]["containers"], err
        ran = re.search(r"^call \S+ execve\t1:(\d+)", (tmp_path / "rec").read_text(), re.M)
        assert int(ran[1]) == 2 + crashed, (ran[1], crashed)  # cat, once a start
    finally:
        if p:
            p.kill()
            p.wait(PATIENCE)
        own.clear()
        own.end()


SERVES = ["sh", "-c", "httpd -p 127.0.0.1:8080 -h /www; while :; do sleep 1; done"]
ASKS = ["wget", "-q", "-O", "-", "http://127.0.0.1:8080/"]
CHECKED = ["--health-cmd", " ".join(ASKS), "--health-interval", "1s"]


def is_healthy(docker):
    end = time.monotonic() + PATIENCE
    while docker("inspect", "-f", "{{.State.Health.Status}}", "served") != "healthy":
        assert time.monotonic() < end
        time.sleep(0.1)


@ONE
def test_a_server_of_dockers_needs_its_own_calls_alone_and_runs_under_its_profile(docker, tmp_path):
    """With an exec and a HEALTHCHECK beside it; what runc does for each of the three is not the server's."""
    p = learn(docker, tmp_path, "--container", "served", "--wait")
    until_watched(p)
    start(docker, "served", *SERVES, options=CHECKED)
    is_healthy(docker)
    assert docker("exec", "served", *ASKS) == "hello"
    docker("rm", "-f", "served")
    err = p.communicate(timeout=PATIENCE)[1]
    rec, text = Recording(tmp_path / "rec"), (tmp_path / "p.pale").read_text()
    assert p.returncode == 0 and rec.losses == "none" and "midway" not in rec.runs[1], err
    assert 35 <= len(rec.names()) <= 45 and "capability" not in text, sorted(rec.names())
    assert set(rec.files) <= {"/", "/bin/busybox", "/dev/null", "/www/index.html", "/www/"}, rec.files
    assert "use start-runc; # how the container runtime does; met: runc " in text and "use start-run;" not in text
    allow_waits(tmp_path / "p.pale")
    run([PALE, "compile", "-q", "-t", "docker", "-o", tmp_path / "p.json", tmp_path / "p.pale"], check=0)
    for more in ([], ["--security-opt", "no-new-privileges"]):
        start(docker, "served", *SERVES, options=[*CHECKED, *more, "--security-opt", f"seccomp={tmp_path / 'p.json'}"])
        is_healthy(docker)
        assert docker("exec", "served", *ASKS) == "hello"
        docker("rm", "-f", "served")


@pytest.fixture
def users(rootfs):
    podman = UsersPodman(rootfs[1])
    yield podman, podman.before
    podman.end()


@ONE
def test_a_users_own_podman_has_its_container_found_and_recorded_by_root_and_by_him(users, tmp_path):
    """Without a cgroup of its own, which nobody delegates to him here: the way out is named, and goes."""
    podman, before = users
    podman("run", "-d", "--name", "mine", "--network", "none", "--ulimit", "nofile=1024:20000", "--ulimit", "nproc=4096:4096", "localhost/probe:bb",
           "sh", "-c", "while :; do cat /proc/version; sleep .1; done")
    pid = podman("inspect", "-f", "{{.State.Pid}}", "mine")
    if "libpod-" in open(f"/proc/{pid}/cgroup").read():
        skip("the user's container has a cgroup of its own")
    for who, backend in (([], "ebpf"), (before, "ptrace")):
        r = run([*who, PALE, "learn", "--container", "mine", "-o", "/dev/null"])
        assert r.rc == 125 and "the container podman:mine has no cgroup of its own" in r.err and f"'--pid {pid}' records it" in r.err, r
        r = run([*who, PALE, "learn", "--pid", pid, "--until", "2s", "-o", "/dev/null", "-r", "-"], timeout=120)
        got = Recording(text=r.out)
        assert r.rc == 0 and got.runs[1]["tier"] == f'"{backend}"' and {"clone", "fork", "vfork"} & got.names() and "/proc/version" in got.files, r


@ONE
@pytest.mark.parametrize("how", [["--cgroups=split"], ["--cgroup-parent"]])
def test_a_users_own_podman_in_a_cgroup_that_is_delegated_to_him_has_its_container_recorded(users, tmp_path, how):
    """As a unit of systemd's with Delegate= has it; the units of podman-systemd.unit(5) say --cgroups=split."""
    podman, _ = users
    podman.cgroup += how[0]
    options = [*how, podman.cgroup.removeprefix("/sys/fs/cgroup") + "/own"] if how[0] == "--cgroup-parent" else how
    p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p.pale", "-r", tmp_path / "rec", "--container", "podman:mine", "--wait"],
                         stderr=subprocess.PIPE, text=True)
    try:
        until_watched(p)
        r = run(podman.delegated(["run", "--rm", "--name", "mine", *options, "--network", "none", *podman.limits, podman.image, "cat", "/www/index.html"]))
        assert r.rc == 0 and r.out == "hello\n", r
        err = p.communicate(timeout=PATIENCE)[1]
        got = Recording(tmp_path / "rec")
        assert p.returncode == 0 and "midway" not in got.runs[1] and got.losses == "none", err
        assert got.runs[1]["containers"].startswith('"podman:mine ') and set(got.files) <= {"/", "/bin/busybox", "/www/index.html"}, got.files
    finally:
        p.kill()
        p.wait(PATIENCE)


@ONE
def test_a_users_own_podman_has_its_container_recorded_by_a_label(users, tmp_path):
    """Which is asked of his Podman, that answers when it has started one: so it may be met midway."""
    podman, _ = users
    service = podman.serve()
    p = subprocess.Popen([PALE, "learn", "-o", tmp_path / "p.pale", "-r", tmp_path / "rec", "--label", "app=mine", "--wait",
                          "--every", "1s"], env={**os.environ, "CONTAINER_HOST": f"unix://{podman.socket}"}, stderr=subprocess.PIPE, text=True)
    try:
        until_watched(p)
        pids = podman.two("sh", "-c", ROUNDS)
        wait_for(lambda: (tmp_path / "rec").exists() and "/proc/version" in (tmp_path / "rec").read_text())
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        err = p.communicate(timeout=PATIENCE)[1]
        got = Recording(tmp_path / "rec")
        assert p.returncode == 0 and re.fullmatch(r'"podman:mine [0-9a-f]{12}"', got.runs[1]["containers"]) and got.losses == "none", err
        assert "/proc/version" in got.files and got.runs[1]["image"] == '"localhost/probe:bb"'
    finally:
        p.kill()
        p.wait(PATIENCE)
        service.end()


ALONE = ("unshare", "-m", "-C", "sh", "-c", 'mount -t tmpfs none /run; d=$(findmnt -n -o TARGET -t cgroup2 | head -n 1); umount "$d"; '
         'mount -t cgroup2 none "$d"; exec "$@"', "sh")  # no container of another test runs where this looks


def running():
    """How the ids of the machine's containers begin."""
    found = set()
    for p in pathlib.Path("/proc").glob("[0-9]*/cgroup"):
        with contextlib.suppress(OSError):
            found |= {i[:2] for i in re.findall(r"[0-9a-f]{64}", p.read_text())}
    return found


@ONE
def test_what_is_no_container_is_told_in_one_sentence(docker, tmp_path):
    web = start(docker, "web", "sleep", "60")
    docker("create", "--name", "dead", "probe:bb", "true")

    def told(*options, before=(), env=docker.env):
        r = run([*before, PALE, "learn", "-o", tmp_path / "p", *options], env=env)
        assert r.rc == 125 and r.err.count("error:") == 1 and not (tmp_path / "p").exists(), r
        return r.err
    assert "no container is called 'wbe'; did you mean 'web'? [PL421 no-container]" in told("--container", "wbe")
    assert re.search(r"there are (\S+, )*docker:web[,; ]", told("--container", "wbe"))
    err = told("--container", "dead")
    assert "the container docker:dead does not run" in err and "say '--wait'" in err
    assert "no container that runs has the label 'x=y'" in told("--label", "x=y")
    alike, more = None, []  # no container that runs begins so, of whatever test
    while not alike:
        more += [docker("create", "--name", f"n{len(more) + i}", "probe:bb", "true") for i in range(20)]
        heads = [a[:2] for a in more]
        alike = next((h for h in heads if heads.count(h) > 1 and h not in {web[:2], *running()}), None)
    assert "more of its id" in told("--container", alike, before=ALONE)


HIDDEN = ('for d in /run /var/run /var/lib/docker /var/lib/containers /home /root; do [ -d $d ] && mount -t tmpfs none $d; done; '
          'umount -q "$2"; [ "$1" = none ] || mount -t cgroup2 none "$2"; cd /; exec "$0" learn --container web -o "$3"')


@pytest.mark.parametrize("mounted, words", [
    ("cgroup2", ["no container engine is found here"]),
    ("none", ["by their cgroups of version 2, and no such hierarchy is mounted", "'mount -t cgroup2 none DIR'", "'--pid P'"]),
])
def test_a_machine_without_engines_or_cgroups_is_told_in_one_sentence(tmp_path, cgroup, mounted, words):  # noqa: F811
    """In namespaces of its own, below a cgroup where there is nothing else."""
    need_root()
    top = next(d for d in cgroup.parents if d.name in ("unified", "cgroup"))
    apart = ["unshare", "-m", "-C", "-p", "-f", "--mount-proc", "sh", "-c", HIDDEN, PALE, mounted, top, tmp_path / "p"]
    r = run(["sh", "-c", 'echo $$ >"$0/cgroup.procs"; exec "$@"', cgroup, *apart],
            env={k: v for k, v in os.environ.items() if k not in ("DOCKER_HOST", "CONTAINER_HOST")})
    assert r.rc == 125 and r.err.count("error:") == 1 and "help: " in r.err and all(w in r.err for w in words), r


def test_options_that_do_not_fit_are_told(tmp_path):
    for options, words in ((["--wait"], "'--wait' waits for a --container or --label"),
                           (["--container", "x", "--", "true"], "give a command, or --container NAME"),
                           (["--label", "=x"], "'--label' takes K=V"),
                           (["--container", ""], "'--container' takes a name or an id")):
        r = run([PALE, "learn", *options])
        assert r.rc == 125 and words in r.err, r


def test_signals_while_the_programs_are_loaded_do_not_keep_them_from_it(tmp_path):
    usable("ebpf")
    p = subprocess.Popen([PALE, "learn", "--backend", "ebpf", "-o", tmp_path / "p", "--", "true"], stderr=subprocess.PIPE, text=True)
    caught, end = 1 << (signal.SIGUSR1 - 1), time.monotonic() + PATIENCE
    while p.poll() is None and time.monotonic() < end:
        status = open(f"/proc/{p.pid}/status").read()
        if int(re.search(r"^SigCgt:\s*(\w+)", status, re.M)[1], 16) & caught:
            p.send_signal(signal.SIGUSR1)
        time.sleep(0.002)
    assert not p.communicate(timeout=PATIENCE)[1] and p.returncode == 0
