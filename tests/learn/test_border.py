# SPDX-License-Identifier: Apache-2.0
"""A container from its start: the workload's part is recorded, and its runtime's told apart."""
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

import pytest

from conftest import LONG, PALE, PATIENCE, need, need_root, run, skip
from recordings import Recording, split_words
from runtimes import as_argv, fetched
from test_backends import cgroup, usable, waits  # noqa: F401
from test_snapshots import wait_for

pytestmark = pytest.mark.xdist_group("border")  # one `truth` for all
WAITS = {"poll"}  # of wget, where the answer is not there yet
# What no program in a container here calls, and each runtime does.
RUNTIMES_OWN = {"mount", "setgroups", "capset"}
SERVER = ("httpd -p 127.0.0.1:8093 -h /www; wget -q -O - http://127.0.0.1:8093/index.html; cat /etc/answer; sleep 0.01; "
          "until [ -e /tmp/go ]; do sleep 0.05; done")


def fill(where):
    """A root with busybox."""
    for d in ("bin", "proc", "dev", "sys", "etc", "www", "tmp"):
        (where / "root" / d).mkdir(parents=True)
    shutil.copy(need("busybox"), where / "root/bin/busybox")
    for name in ("sh", "httpd", "wget", "cat", "sleep", "true", "touch"):
        (where / "root/bin" / name).symlink_to("busybox")
    (where / "root/etc/answer").write_text("42\n")
    (where / "root/www/index.html").write_text("hello\n")
    os.mknod(where / "root/dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))


class Container:
    """A bundle with busybox, and a runtime that runs it in `group`."""

    def __init__(self, where, kind, group):
        need_root()
        self.where, self.group, self.name = where, group, f"pale-border-{os.getpid()}"
        program = fetched(kind).path if "-" in kind else need(kind)
        self.argv = as_argv(program, where / "state")
        self.kind, self.program = kind.split("-")[0], program
        self.entered = self.kind != "runc"  # it sees no cgroup2: whoever starts it is there already
        fill(where)
        run([need("runc"), "spec", "-b", where], check=0)
        self.config = json.loads((where / "config.json").read_text())
        p, linux = self.config["process"], self.config["linux"]
        self.config["ociVersion"] = "1.0.2"
        self.config["root"] = {"path": str(where / "root"), "readonly": False}
        p.update(terminal=False, args=["/bin/sh", "-c", SERVER], rlimits=[], capabilities={}, noNewPrivileges=False)
        self.config["mounts"] = [m for m in self.config["mounts"] if m["type"] != "cgroup"]
        if group and not self.entered:
            base = next(d for d in group.parents if d.name in ("unified", "cgroup"))
            linux["cgroupsPath"] = "/" + str(group.relative_to(base) / "c")

    def command(self, *argv):
        argv = [*self.argv, *map(str, argv)]
        if self.entered and self.group:
            argv = ["sh", "-c", f'echo $$ > {self.group}/cgroup.procs; exec "$@"', "sh", *argv]
        return argv

    def run(self, *options, joins=0):
        """Its exit status and output; once it answers it is joined so often."""
        (self.where / "config.json").write_text(json.dumps(self.config))
        out = self.where / "out"
        (self.where / "root/tmp/go").unlink(missing_ok=True)
        try:
            with open(out, "w") as f:
                p = subprocess.Popen(self.command("run", *options, "-b", self.where, self.name), stdout=f,
                                     stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
            for _ in range(joins):
                wait_for(lambda: "42" in out.read_text() or p.poll() is not None)
                run(self.command("exec", self.name, "/bin/true"), check=0)
            (self.where / "root/tmp/go").touch()
            return p.wait(timeout=PATIENCE), out.read_text()
        finally:
            run([*self.argv, "delete", "--force", self.name])


def learn(tmp_path, group, backend="auto", options=()):
    p = subprocess.Popen([PALE, "learn", "--backend", backend, "--cgroup", group, "--border", "-o", tmp_path / "p.pale",
                          "-r", tmp_path / "rec", *options], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: p.poll() is not None or waits(p.pid))
    assert p.poll() is None, p.communicate(timeout=PATIENCE)
    return p


def ended(p, tmp_path, rc=0):
    err = p.communicate(timeout=PATIENCE)[1]
    assert p.returncode == rc, err
    return Recording(tmp_path / "rec") if rc == 0 else err


def runtimes(rec, kind):
    return [split_words(line.split("\t")[0])[2:] for line in rec.text.splitlines() if line.startswith(f"runtime {kind}")]


def is_busyboxs(rec):
    """All of it, by its name below the container's root; what the runtime did is no program's."""
    return set(rec.by) == {"/bin/busybox"} and rec.made_by("/bin/busybox") == rec.names()


@pytest.fixture(scope="module", autouse=True)
def ebpf():
    usable("ebpf")


OTHERS = ["runc-1.1.15", "runc-1.3.6", "runc-1.4.3", "crun-1.21", "crun-1.28"]  # of `make deps-runtimes`


@pytest.fixture(params=["runc", "crun", *(OTHERS if LONG else [])])
def container(request, tmp_path, cgroup):  # noqa: F811
    yield Container(tmp_path / "bundle", request.param, cgroup)
    inner = cgroup / "c"
    if inner.exists():
        inner.rmdir()


@pytest.fixture
def runc(tmp_path, cgroup):  # noqa: F811
    yield Container(tmp_path / "bundle", "runc", cgroup)
    inner = cgroup / "c"
    if inner.exists():
        inner.rmdir()


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """What the server calls, alone and in no container, as strace sees it."""
    where = tmp_path_factory.mktemp("truth")
    fill(where)
    out, root = where / "strace", where / "root"
    (root / "tmp/go").touch()
    run(["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", need("strace"), "-f", "-qq", "-o", out, "unshare", "--pid", "--fork", "--kill-child", "--mount",
         f"--mount-proc={root}/proc", "chroot", root, "/bin/sh", "-c", SERVER], check=0)
    own, rest = out.read_text().split(None, 1)
    return set(re.findall(rf"^(?!{own} )\d+ +(\w+)\(", rest.split('execve("/bin/sh"', 1)[1], re.M))


def allow_waits(policy):
    """Whether wget has to wait is the machine's affair: what it calls then need not have been seen."""
    text = policy.read_text()
    if not re.search(r"\ballow (?:[^;]*[ ,])?poll[;, (]", text):
        policy.write_text(text.replace("    unknown errno ENOSYS;\n", "    unknown errno ENOSYS;\n    allow poll;\n", 1))


def serves_under_its_own(container, tmp_path):
    """The JSON of its proposal, with and without no-new-privileges."""
    out = tmp_path / "p.json"
    allow_waits(tmp_path / "p.pale")
    run([PALE, "compile", "-q", "-t", "oci", "-o", out, tmp_path / "p.pale"], check=0)
    container.config["linux"]["seccomp"] = json.loads(out.read_text())
    for nnp in (False, True):
        container.config["process"]["noNewPrivileges"] = nnp
        rc, said = container.run(joins=1)
        assert rc == 0 and "hello\n42\n" in said, said


def test_the_workload_s_part_alone_is_proposed_and_runs_under_it(container, tmp_path, truth):
    p = learn(tmp_path, container.group)
    rc, out = container.run(joins=2)
    rec = ended(p, tmp_path)
    assert rc == 0 and "hello\n42\n" in out and rec.losses == "none", (out, rec.losses)
    # `true` of the joins beside it: it makes no call that the shell does not
    assert rec.names() ^ truth <= WAITS and not rec.names() & RUNTIMES_OWN and is_busyboxs(rec)
    assert not [line for line in rec.text.splitlines() if line.startswith("capability")]
    text = (tmp_path / "p.pale").read_text()
    assert str(tmp_path) not in text and "exec.fifo" not in text and "/proc/" not in text, text
    assert {"/etc/answer", "/www/index.html", "/bin/busybox"} <= set(rec.files), rec.files
    # and the runtime's is told, and counted
    calls, caps = runtimes(rec, "call"), runtimes(rec, "capability")
    assert RUNTIMES_OWN | {"execve"} <= {name for _, name in calls} and "sys_admin" in {c[0] for c in caps}
    kind = container.kind
    version = re.search(r"version (\S+)", run([container.program, "--version"], check=0).out)[1]
    assert rec.runs[1]["runtime"] == f'"{kind} {version}"'
    assert f"# runtime:  {len(calls)} calls and " in text and f" of {kind} {version}, " in text and "sys_admin" not in text
    assert f"use start-{kind}" in text and f"; met: {kind} {version}\n" in text and "start-run " not in text, text
    serves_under_its_own(container, tmp_path)
    assert run([PALE, "merge", tmp_path / "rec"], check=0).out == rec.text


@pytest.mark.parametrize("backend", ["ebpf-tp", "ebpf-raw"])
def test_each_way_of_attaching_finds_the_same_border(runc, tmp_path, truth, backend):
    usable(backend)
    p = learn(tmp_path, runc.group, backend)
    assert runc.run(joins=1)[0] == 0
    rec = ended(p, tmp_path)
    assert rec.names() ^ truth <= WAITS and rec.losses == "none" and is_busyboxs(rec), rec.by
    assert RUNTIMES_OWN <= {name for _, name in runtimes(rec, "call")}


@pytest.mark.parametrize("backend", ["ebpf", "ebpf-tp", "ebpf-raw"])
def test_without_files_the_border_and_what_serves_behind_it_are_the_same(runc, tmp_path, truth, backend):
    """And the second policy is, of which the shell that starts the server has no part."""
    usable(backend)
    told, policies = [], []
    for options in (["--phases"], ["--phases", "--no-files"]):
        p = learn(tmp_path, runc.group, backend, options)
        rc, out = runc.run(joins=1)
        rec = ended(p, tmp_path)
        assert rc == 0 and "hello\n42\n" in out and rec.losses == "none", (out, rec.losses)
        assert rec.names() ^ truth <= WAITS and is_busyboxs(rec) and ("no-files" in rec.runs[1]) == ("--no-files" in options)
        assert RUNTIMES_OWN <= {name for _, name in runtimes(rec, "call")} and rec.runs[1]["serve-from"] == '"accept"', rec.runs
        assert set(rec.serve_by["/bin/busybox"]) == set(rec.serve_calls) and "listen" not in rec.serve_names()
        told.append(rec.serve_names() - WAITS)
        policies.append((tmp_path / "p-serve.pale").read_text())
    assert told[0] == told[1] and {"accept", "read", "write"} <= told[0], told
    assert all("layers seccomp;" in text and "file " not in re.sub("#.*", "", text) for text in policies)
    assert [f for f in rec.files if not f.startswith("/bin/")] == []


def chroot_only(c):
    return "--no-pivot"


def user_namespace(c):
    c.config["linux"]["namespaces"].append({"type": "user"})
    for kind in "ug":
        c.config["linux"][f"{kind}idMappings"] = [{"containerID": 0, "hostID": 0, "size": 65536}]


def everything(c):
    caps = [f"CAP_{n}" for n in "SYS_ADMIN SETUID SETGID CHOWN DAC_OVERRIDE SETPCAP MKNOD NET_ADMIN".split()]
    c.config["process"]["capabilities"] = {k: caps for k in ("bounding", "effective", "permitted")}
    c.config["linux"].pop("maskedPaths")


def refused(c):
    c.config["process"]["noNewPrivileges"] = True
    c.config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["syslog"], "action": "SCMP_ACT_ERRNO"}]}


def hooks(c):
    """Of the host, in the container's namespace before and after its root is; of the container, inside it."""
    host = need("touch")
    c.config["hooks"] = {"createRuntime": [{"path": host, "args": ["touch", str(c.where / "made")]}],
                         "createContainer": [{"path": host, "args": ["touch", str(c.where / "made")]}]}


@pytest.mark.parametrize("change", [chroot_only, user_namespace, everything, refused, hooks])
def test_the_border_is_found_however_it_is_made(runc, tmp_path, truth, change):
    options = [o for o in [change(runc)] if o]
    p = learn(tmp_path, runc.group)
    rc, out = runc.run(*options, joins=1)
    assert rc == 0, out
    rec = ended(p, tmp_path)
    assert rec.names() ^ truth <= WAITS and rec.losses == "none" and is_busyboxs(rec), out
    assert not [f for f in rec.files if f.startswith(str(tmp_path))]


RESTORES = """#!%s
import ctypes, os
open("%s/c/cgroup.procs", "w").write(str(os.getpid()))  # where criu is
most = int(open("/proc/sys/kernel/pid_max").read())
for number in range(most - 1, most - 100, -1):  # one that is free
    wanted = (ctypes.c_int * 1)(number)
    args = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(wanted), 1, 0)  # clone3(2): SIGCHLD, set_tid, of which there is one
    made = ctypes.CDLL(None).syscall(435, args, ctypes.sizeof(args))
    if made == 0:
        os._exit(0)
    if made > 0:
        os.waitpid(made, 0)
        break
else:
    raise SystemExit("no task was made")
"""


def test_a_container_whose_runtime_asks_for_its_tasks_numbers_counts_as_restored(runc, tmp_path):
    """As criu does, which none of the runtimes here starts: clone3 with numbers of tasks that it asks for."""
    hook = tmp_path / "hook"
    hook.write_text(RESTORES % (sys.executable, runc.group))
    hook.chmod(0o755)
    for hooks_, told in (([], False), ([{"path": str(hook)}], True)):
        runc.config["hooks"] = {"createRuntime": hooks_}
        p = learn(tmp_path, runc.group)
        rc, out = runc.run()
        err = p.communicate(timeout=60)[1]
        assert rc == 0 and p.returncode == 0, (out, err)
        assert ("the container was restored from a checkpoint" in err) == told == ("midway" in Recording(tmp_path / "rec").runs[1]), err


def test_a_hook_that_runs_inside_is_the_workload_s(runc, tmp_path):
    runc.config["hooks"] = {"startContainer": [{"path": "/bin/touch", "args": ["touch", "/tmp/made"]}]}
    p = learn(tmp_path, runc.group)
    assert runc.run()[0] == 0
    rec = ended(p, tmp_path)
    assert "/tmp/made" in rec.files and not rec.names() & RUNTIMES_OWN


def test_where_there_is_no_border_nothing_is_recorded_and_why_is_said(cgroup, tmp_path):  # noqa: F811
    p = learn(tmp_path, cgroup)
    run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; exec cat /etc/hostname"], check=0)
    err = ended(p, tmp_path, rc=1)
    assert "nothing was seen inside a container" in err and "without --border" in err and err.count("\n") == 2, err
    assert not (tmp_path / "p.pale").exists()


def test_a_border_is_of_cgroups():
    r = run([PALE, "learn", "--border", "--", "true"])
    assert r.rc == 125 and "--border is of cgroups" in r.err


def test_names_are_looked_up_where_the_container_has_them(runc, tmp_path):
    root = runc.where / "root"
    (root / "srv").mkdir()
    (root / "srv/job").write_text("#!/bin/sh\necho 42\ncd /srv/now; echo x >new; ln -s new name; echo y >>name; rm name; mkdir d; "
                                  "mv d e; rmdir e\ntouch /tmp/gone; rm /tmp/gone; read x < new\n")
    (root / "srv/job").chmod(0o4755)
    (root / "srv/v1").mkdir()
    (root / "srv/now").symlink_to("/srv/v1")  # the host has none such
    for other in ("rm", "ln", "mv", "mkdir", "rmdir"):
        (root / "bin" / other).symlink_to("busybox")
    for i in range(5):
        (root / f"srv/v1/{i}").touch()
    runc.config["process"]["args"] = ["/srv/job"]
    p = learn(tmp_path, runc.group)
    assert runc.run()[0] == 0
    rec = ended(p, tmp_path)
    assert rec.losses == "none" and "unread" not in rec.runs[1] and "elsewhere" not in rec.runs[1], rec.text
    lines = [line.split("\t")[0] for line in rec.text.splitlines()]
    assert 'file "/srv/job" rx owned setid' in lines and "m" in rec.files["/bin/busybox"][0], lines
    assert {"/srv/v1/new", "/srv/v1/name", "/srv/v1/d/", "/srv/v1/e/"} <= set(rec.files), lines
    assert [line for line in lines if line.startswith('file "/tmp/gone"') and line.endswith(" gone")], lines
    assert 'others "/srv/v1/" 5' in lines, lines
    run([PALE, "check", tmp_path / "p.pale"], check=0)
